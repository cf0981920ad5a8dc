"""Columns of tables by their usual names, however an office spells them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

from solarkataster.errors import InputError

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_UNIT = re.compile(r"(in)?(meter|metern|m|cm)$")
#: Columns of a file that a message names.
_NAMED = 20


def plain(name: str) -> str:
    """A column's name without case, umlauts and what is no letter or digit."""
    return re.sub(r"[^a-z0-9]", "", str(name).lower().translate(_LETTERS))


def matching(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Columns with one of these names, a unit behind it or not, in the order of the file."""
    found = []
    for column in columns:
        text = plain(column)
        if text in names or (_UNIT.search(text) and _UNIT.sub("", text) in names):
            found.append(column)
    return found


def missing_column(path: Path, key: str, name: str, columns: Sequence[str]) -> InputError:
    """
    A column that the config names and the file lacks.

    Parameters
    ----------
    path : Path
    key : str
        Config key and its section, as the reader finds them.
    name : str
        The column that is missing.
    columns : sequence of str
        Those of the file.
    """
    lower = {str(column).lower(): str(column) for column in columns}
    near = [lower[one] for one in difflib.get_close_matches(name.lower(), lower, n=3, cutoff=0.5)]
    hint = f"Similar: {', '.join(near)}. " if near else ""
    return InputError(
        f"no column {name}",
        where=str(path),
        expected="one of " + named_columns(columns),
        remedy=f"{hint}Correct {key}.",
    )


def named_columns(columns: Sequence[str]) -> str:
    """The first columns of a file, for a message."""
    more = ", …" if len(columns) > _NAMED else ""
    return ", ".join(map(str, columns[:_NAMED])) + more or "(the file has no columns)"
