"""The points of `sensors`: read, checked all at once, and what is worth a note about them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from solarkataster.errors import InputError, InputErrors
from solarkataster.grid import Grid
from solarkataster.sensors import off_raster, surface_under

#: Points are taken as given; beyond these distances from the surface a note says so. A surface
#: model may be half a metre off a real roof; 200 m over everything else is hardly ever meant, but
#: is what a height in another datum or unit gives. [m]
DEEP_M, HIGH_M = 0.5, 200.0

#: Rows a message names before it only counts.
_NAMED = 5

#: Least and greatest value of the columns that have any. [°]
_RANGES = {"surface_tilt": (0.0, 90.0), "surface_azimuth": (0.0, 360.0)}


@dataclass(frozen=True)
class Points:
    """
    Points of a file, as numbers.

    Parameters
    ----------
    table : DataFrame, shape (n_point,)
        The file as it stands, all text.
    x, y : ndarray, shape (n_point,)
        Easting and northing. [m]
    surface_tilt, surface_azimuth : ndarray, shape (n_point,)
        Tilt, and facing clockwise from true north. [°]
    z, height_m : ndarray, shape (n_point,), or None
        Height in the datum of the surface model, or above the surface; one of them. [m]
    """

    table: pd.DataFrame
    x: np.ndarray
    y: np.ndarray
    surface_tilt: np.ndarray
    surface_azimuth: np.ndarray
    z: np.ndarray | None
    height_m: np.ndarray | None


def read_points(path: Path) -> pd.DataFrame:
    """
    Read the points of `sensors`; columns beyond the needed ones are kept as they are.

    Raises
    ------
    InputError
        If the file cannot be read, a column is missing, or there is no point.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError:
        raise InputError("file not found", where=str(path), expected="points as CSV") from None
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read as CSV ({error})", where=str(path), expected="points as CSV"
        ) from None
    table.columns = [str(name).strip() for name in table.columns]
    missing = [n for n in ("x", "y", "surface_tilt", "surface_azimuth") if n not in table]
    if "z" not in table and "height_m" not in table:
        missing.append("z or height_m")
    if missing:
        raise InputError(
            f"no column {', '.join(missing)} (found: {', '.join(table.columns)})",
            where=str(path),
            expected="x,y,z or x,y,height_m, and surface_tilt,surface_azimuth, comma-separated",
        )
    if "z" in table and "height_m" in table:
        raise InputError(
            "has both z and height_m",
            where=str(path),
            expected="z (in the datum of the surface model) or height_m (above it)",
            remedy="remove one of the two columns",
        )
    if table.empty:
        raise InputError("holds no point", where=str(path), expected="at least one row")
    return table


def checked_points(path: Path, table: pd.DataFrame, dsm_m: np.ndarray, grid: Grid) -> Points:
    """
    The points as numbers.

    Parameters
    ----------
    path : Path
        Their file, for messages.
    table : DataFrame
        Of :func:`read_points`.
    dsm_m : ndarray, shape (ny, nx)
        Surface height; NaN for no data. [m]
    grid : Grid
        Place of ``dsm_m``.

    Raises
    ------
    InputErrors
        Every fault: no number, tilt or azimuth out of range, points off the raster, heights above
        a cell without data.
    """
    height = "z" if "z" in table else "height_m"
    faults: list[InputError] = []
    numbers: dict[str, np.ndarray] = {}
    for name in ("x", "y", height, *_RANGES):
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
        low, high = _RANGES.get(name, (-np.inf, np.inf))
        is_number = np.isfinite(values)
        expected = "a number in every row"
        if name in _RANGES:
            expected += f", from {low:g} to {high:g}"
        wrong = ~is_number | (values < low) | (values > high)
        if wrong.any():
            faults.append(_cell_fault(path, table[name], wrong, expected))
        numbers[name] = values
    faults.extend(_place_faults(path, numbers, dsm_m, grid))
    if faults:
        raise InputErrors(faults)
    return Points(
        table,
        x=numbers["x"],
        y=numbers["y"],
        surface_tilt=numbers["surface_tilt"],
        surface_azimuth=numbers["surface_azimuth"],
        z=numbers.get("z"),
        height_m=numbers.get("height_m"),
    )


def _cell_fault(path: Path, column: pd.Series, wrong: np.ndarray, expected: str) -> InputError:
    """One fault per column, naming its first wrong rows."""
    rows = np.flatnonzero(wrong)
    named = [f"{column.name} of point {row + 1} is {column.iloc[row]!r}" for row in rows[:_NAMED]]
    more = f", and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    remedy = "correct these rows"
    if column.name == "surface_azimuth":
        remedy += "; azimuths count clockwise from true north: 90 is east, 180 south, 270 west"
    elif column.name == "surface_tilt":
        remedy += "; 0 is level, 90 a wall"
    return InputError(", ".join(named) + more, where=str(path), expected=expected, remedy=remedy)


def _place_faults(
    path: Path, numbers: dict[str, np.ndarray], dsm_m: np.ndarray, grid: Grid
) -> list[InputError]:
    """Points off the raster, and heights that count from a cell without data."""
    x, y = numbers["x"], numbers["y"]
    has_place = np.isfinite(x) & np.isfinite(y)
    is_off = has_place & off_raster(grid, x, y)
    faults = []
    if is_off.any():
        first = int(np.flatnonzero(is_off)[0])
        faults.append(
            InputError(
                f"{is_off.sum()} of {len(x)} points lie off the raster, the first is point "
                f"{first + 1} at ({x[first]:.2f}, {y[first]:.2f})",
                where=str(path),
                expected="points within {:.1f} {:.1f} {:.1f} {:.1f}".format(*grid.bounds),
                remedy="check the coordinate system of the points; it must be the surface model's",
            )
        )
    if "height_m" in numbers:
        on = has_place & ~is_off
        is_void = np.zeros(len(x), dtype=bool)
        is_void[on] = ~np.isfinite(surface_under(dsm_m, grid, x[on], y[on]))
        if is_void.any():
            faults.append(
                InputError(
                    f"{is_void.sum()} of {len(x)} points stand on a cell without data, so height_m "
                    f"counts from nothing; the first is point {np.flatnonzero(is_void)[0] + 1}",
                    where=str(path),
                    expected="cells with data under all points",
                    remedy="give the points their height as z, or leave these out",
                )
            )
    return faults


def height_notes(points: Points, elevation_m: np.ndarray, surface_m: np.ndarray) -> list[str]:
    """
    Notes about points that lie far under or over the surface; they are taken as given.

    Parameters
    ----------
    points : Points
    elevation_m, surface_m : ndarray, shape (n_point,)
        Height of each point and of the surface in its cell; NaN for no data. [m]
    """
    above_m = elevation_m - surface_m
    notes = []
    for is_far, side in (
        (above_m < -DEEP_M, f"more than {DEEP_M:g} m under"),
        (above_m > HIGH_M, f"more than {HIGH_M:g} m above"),
    ):
        if not is_far.any():
            continue
        first = int(np.flatnonzero(is_far)[0])
        remedy = (
            "give height_m instead of z to count heights from the surface"
            if points.z is not None
            else "height_m counts upwards from the surface"
        )
        notes.append(
            f"{is_far.sum()} of {len(above_m)} points lie {side} the surface model and are taken "
            f"as given; the first is point {first + 1}, {abs(above_m[first]):.2f} m "
            f"{side.split()[-1]} it. If that is not meant: {remedy}"
        )
    return notes
