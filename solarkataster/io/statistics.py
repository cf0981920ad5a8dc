"""Tables of sums on disk: CSV that a German Excel opens by double click, Parquet for programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from solarkataster.columns import Column
from solarkataster.io.runfolder import written_whole

#: Decimals of amounts; of shares and prices per unit, which are small, more.
_DECIMALS, _DECIMALS_OF_SHARES = 3, 6
_AMOUNTS = ("m²", "kWp", "kWh", "kg", "€", "€/t")

#: What a spreadsheet would take for a formula; names come from foreign files.
_FORMULA = re.compile(r"[=+\-@\t\r](?!\d+([.,]\d+)?$)")


def write_tables(
    folder: Path, name: str, table: pd.DataFrame, columns: Sequence[Column]
) -> tuple[Path, Path]:
    """
    Write a table as CSV and as Parquet; the same table gives the same bytes.

    Parameters
    ----------
    folder : Path
    name : str
        Of the files, without ending.
    table : DataFrame
    columns : sequence of Column
        What is written, in this order; columns the table lacks are left out.

    Returns
    -------
    csv, parquet : Path
        Both replaced as a whole.

    Notes
    -----
    The CSV is UTF-8 with a byte order mark, parted by semicolons, with decimal commas, ``ja`` and
    ``nein``, and nothing where a value is unknown. Amounts have 3 decimals, shares 6; Parquet has
    every digit. Texts that a spreadsheet would read as a formula get an apostrophe in front.
    """
    known = [column for column in columns if column.name in table]
    csv, parquet = folder / f"{name}.csv", folder / f"{name}.parquet"
    text = pd.DataFrame({column.name: _texts(table[column.name], column) for column in known})
    with written_whole(csv) as temporary:
        text.to_csv(temporary, sep=";", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    with written_whole(parquet) as temporary:
        table[[column.name for column in known]].to_parquet(
            temporary, index=False, compression="zstd"
        )
    return csv, parquet


def _texts(values: pd.Series, column: Column) -> list[str]:
    if column.dtype == "str":
        return [_safe(str(one)) for one in values.astype(object).fillna("")]
    if column.dtype == "bool":
        return ["ja" if one else "nein" for one in values]
    if column.dtype == "Int64":
        return ["" if one is pd.NA else str(int(one)) for one in values.astype("Int64")]
    decimals = _DECIMALS if column.unit in _AMOUNTS else _DECIMALS_OF_SHARES
    return [_number(one, decimals) for one in values.to_numpy(np.float64)]


def _number(value: float, decimals: int) -> str:
    if np.isnan(value):
        return ""
    # A sum of -0.0001 is no "-0".
    text = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace(".", ",")


def _safe(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text
