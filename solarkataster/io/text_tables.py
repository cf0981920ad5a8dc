"""Tables as text: separators and encodings as offices export them."""

from __future__ import annotations

import codecs
import warnings
from pathlib import Path

import pandas as pd

from solarkataster.errors import InputError

TABLE_SUFFIXES = (".csv", ".txt", ".tsv")

_SEPARATORS = (";", ",", "\t", "|")

#: Bytes in which UTF-16 without a mark is told by its zeros.
_N_LOOKED_AT = 4096


def read_text_table(path: Path, rows: str) -> pd.DataFrame:
    """
    Read a table, every value as text.

    Parameters
    ----------
    path : Path
        UTF-8 or Windows-1252; separated by semicolon, comma, tab or bar, whichever the first line
        has most of.
    rows : str
        What a line stands for, for the message.

    Returns
    -------
    DataFrame of str
        Empty texts where there is nothing; names of columns without spaces around them.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    _refuse_utf16(path)
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            with open(path, encoding=encoding, newline="") as stream:
                head = stream.readline()
            separator = max(_SEPARATORS, key=head.count)
            with warnings.catch_warnings():
                # Lines that are longer than the first would shift every column by one.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                table = pd.read_csv(
                    path, sep=separator, dtype=str, keep_default_na=False, encoding=encoding,
                    skipinitialspace=True, index_col=False,
                )  # fmt: skip
        except UnicodeDecodeError:
            continue
        except (OSError, ValueError, pd.errors.ParserWarning) as error:
            found = f"cannot be read as a table ({' '.join(str(error).split())[:300]})"
            break
        table.columns = [str(name).strip() for name in table.columns]
        return table
    else:
        found = "is neither UTF-8 nor Windows-1252"
    raise InputError(
        found,
        where=str(path),
        expected=f"CSV: {rows}, columns separated by ; or ,",
        remedy="Export it again as CSV in UTF-8.",
    )


def _refuse_utf16(path: Path) -> None:
    """Windows-1252 would read it, with a zero after each letter."""
    try:
        with open(path, "rb") as stream:
            head = stream.read(_N_LOOKED_AT)
    except OSError:
        return  # told by who reads the table
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head:
        raise InputError(
            "is UTF-16, or no text",
            where=str(path),
            expected="text in UTF-8 or Windows-1252",
            remedy="Save it as UTF-8: in an editor, or in Excel as 'CSV UTF-8'.",
        )
