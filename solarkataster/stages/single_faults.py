"""What the commands for one raster refuse before they compute, in the words of the commands."""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from solarkataster.errors import InputError, InputErrors

#: Remedies of a config, and what the user of a command does instead.
_REMEDIES = (
    (
        r"Correct the path in \[inputs\]; relative paths start at the config file\.",
        "Correct DSM; relative paths start at the current folder.",
    ),
    (r"Correct footprints in \[inputs\] of the config\.", "Correct --footprints."),
    (
        r"Name it in \[inputs\]: footprint_layer = \.\.\.",
        "Write the layer into a file of its own: ogr2ogr outlines.gpkg FILE LAYER",
    ),
    (r"Correct weather in \[inputs\] of the config\.", "Correct --weather."),
    (r"Check the file, or format in \[weather\] of the config\.", "Check the file."),
    (r"Correct label in \[weather\] of the config\.", "Correct --label."),
    (r'Set label = "(\w+)" in \[weather\] of the config\.', r"Give --label \1."),
    (
        r"For a table, say in \[weather\.columns\] of the config which column is which\.",
        "A table needs a config that says in [weather.columns] which column is which: "
        "--weather CONFIG.",
    ),
)


@contextlib.contextmanager
def remedies_of_a_command() -> Iterator[None]:
    """
    Readers know the config only; a user of a command has options instead.

    Raises
    ------
    InputError, InputErrors
        Those of the block, with remedies that name arguments and options.
    """
    try:
        yield
    except InputErrors as error:
        raise InputErrors([_reworded(fault) for fault in error.errors]) from error
    except InputError as error:
        raise _reworded(error) from error


def _reworded(fault: InputError) -> InputError:
    remedy = fault.remedy or ""
    for pattern, text in _REMEDIES:
        remedy = re.sub(pattern, text, remedy)
    return type(fault)(
        fault.found, where=fault.where, expected=fault.expected, remedy=remedy or None
    )


def check_out(out: Path, inputs: Iterable[str | Path]) -> None:
    """
    Say before the computation that the result could not be written, or would destroy an input.

    Parameters
    ----------
    out : Path
        File to write.
    inputs : iterable of path
        Files the command reads; links count as what they point at.

    Raises
    ------
    InputError
        If ``out`` is an input or no plain file, or its folder cannot be written to.
    """
    expected = "a file in an existing folder that can be written to (--out)"
    if out.exists() and any(Path(path).exists() and os.path.samefile(out, path) for path in inputs):
        raise InputError(
            "is the input itself, which would be overwritten",
            where=str(out),
            expected="another file (--out)",
            remedy="choose another --out",
        )
    folder = out.absolute().parent
    found: str | None
    if not folder.is_dir():
        found, where = "folder does not exist", folder
        if folder.exists():
            found = "is a file, not a folder"
    elif out.is_dir():
        found, where = "is a folder", out
    elif out.exists() and not out.is_file():
        found, where = "is not a plain file", out
    else:
        found, where = _write_fault(out), out
    if found:
        raise InputError(found, where=str(where), expected=expected, remedy="choose another --out")


def _write_fault(out: Path) -> str | None:
    """Why no file can be made beside ``out``; only trying tells (rights, full or special disks)."""
    trial = out.with_name(f".{out.stem}.{uuid.uuid4().hex[:8]}.tmp{out.suffix}")
    try:
        with open(trial, "x"):
            pass
        trial.unlink()
    except OSError as error:
        return f"cannot be written ({error.strerror})"
    return None
