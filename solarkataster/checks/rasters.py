"""What the numbers of a surface and a terrain model give away: lost nodata tags, wrong heights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.config import LimitsConfig
from solarkataster.errors import InputError
from solarkataster.units import MAX_HEIGHT_M

FEET_PER_METRE = 1.0 / 0.3048

#: So many footprints cannot all be new, or gone, by chance.
_MIN_FOOTPRINTS = 3


@dataclass(frozen=True)
class CellCounts:
    """
    What was seen in a part of a raster; parts are added.

    Parameters
    ----------
    n_cells, n_value : int
        Cells looked at, and those that hold a value.
    n_zero, n_absurd : int
        Values of exactly 0, and of those no ground on Earth has.
    absurd_m : float
        One of the latter; NaN if there is none. [m]
    """

    n_cells: int = 0
    n_value: int = 0
    n_zero: int = 0
    n_absurd: int = 0
    absurd_m: float = math.nan

    def __add__(self, other: CellCounts) -> CellCounts:
        return CellCounts(
            self.n_cells + other.n_cells,
            self.n_value + other.n_value,
            self.n_zero + other.n_zero,
            self.n_absurd + other.n_absurd,
            other.absurd_m if math.isnan(self.absurd_m) else self.absurd_m,
        )


def cell_counts(heights_m: np.ndarray) -> CellCounts:
    """Count suspicious values; tagged nodata must be NaN already. [m]"""
    with np.errstate(invalid="ignore"):
        is_absurd = np.abs(heights_m) > MAX_HEIGHT_M
    n_absurd = int(np.count_nonzero(is_absurd))
    return CellCounts(
        heights_m.size,
        int(np.count_nonzero(~np.isnan(heights_m))),
        int(np.count_nonzero(heights_m == 0.0)),
        n_absurd,
        float(heights_m.ravel()[np.argmax(is_absurd)]) if n_absurd else math.nan,
    )


def value_faults(
    where: str,
    counts: CellCounts,
    sample_m: np.ndarray,
    max_zero_fraction: float,
    zero_floor_m: float,
) -> list[InputError]:
    """
    Nodata that nobody tagged.

    Parameters
    ----------
    where : str
        File or key for the message.
    counts : CellCounts
    sample_m : ndarray
        Values of cells spread over the raster; NaN is ignored. [m]
    max_zero_fraction, zero_floor_m : float
        Zeros are missing values if they are more than this share of the cells and the 1st
        percentile of the other heights is over this. [–], [m]

    Returns
    -------
    list of InputError
    """
    if counts.n_value == 0:
        remedy = "Is this the right file, and is its nodata tag right? (gdalinfo -stats FILE)"
        expected = "heights above the datum in metres"
        return [InputError("no cell has a value", where=where, expected=expected, remedy=remedy)]
    faults = []
    if counts.n_absurd > counts.n_value / 2:
        return [_no_metres(where, counts)]
    if counts.n_absurd:
        value = f"{counts.absurd_m:.8g}"
        found = f"{counts.n_absurd} cells hold {value} or another height beyond ±9000 m"
        faults.append(_untagged(where, found, value))
    real = sample_m[(np.abs(sample_m) <= MAX_HEIGHT_M) & (sample_m != 0.0)]
    zero_fraction = counts.n_zero / counts.n_cells
    if zero_fraction > max_zero_fraction and real.size:
        floor_m = float(np.percentile(real, 1))
        if floor_m > zero_floor_m:
            found = f"{zero_fraction:.1%} of the cells are exactly 0 while 99 % of the others "
            faults.append(_untagged(where, found + f"are over {floor_m:.1f} m", "0", _ZERO_GROUND))
    return faults


#: A plain at the datum with towers on it looks the same as a lost tag.
_ZERO_GROUND = ". Is 0 the ground? Add 1 m to all: gdal_calc.py -A FILE --calc A+1 --outfile OUT"


def _untagged(where: str, found: str, value: str, otherwise: str = "") -> InputError:
    return InputError(
        f"{found}, and the file has no nodata tag for it",
        where=where,
        expected="a nodata tag where there is no height",
        remedy=f"Tag it: gdal_edit.py -a_nodata {value} FILE, or gdal_translate -a_nodata {value} "
        f"FILE OUT{otherwise}",
    )


def _no_metres(where: str, counts: CellCounts) -> InputError:
    share = counts.n_absurd / counts.n_value
    return InputError(
        f"{share:.1%} of the heights are beyond ±9000 m, {counts.absurd_m:.8g} for one",
        where=where,
        expected="heights above the datum in metres",
        remedy="From centimetres: gdal_calc.py -A FILE --calc A*0.01 --type Float32 --outfile OUT; "
        f"were the nodata tag lost: gdal_edit.py -a_nodata {counts.absurd_m:.8g} FILE",
    )


def height_faults(
    dsm_name: str,
    dsm_m: np.ndarray,
    terrain_m: np.ndarray,
    is_inside: np.ndarray,
    n_footprints: int,
    limits: LimitsConfig,
) -> list[InputError]:
    """
    Whether surface minus terrain can be heights of buildings and trees over the ground.

    Parameters
    ----------
    dsm_name : str
        File of the surface model, for the message.
    dsm_m, terrain_m : ndarray, shape (n,)
        Heights of cells spread over the area, both known. [m]
    is_inside : ndarray, shape (n,), bool
        Cells inside a footprint.
    n_footprints : int
        Footprints on the surface model.
    limits : LimitsConfig

    Returns
    -------
    list of InputError
        At most one: the most telling.
    """
    outside = ~is_inside if not is_inside.all() else is_inside
    if not dsm_m.size:
        return []
    over_m = dsm_m - terrain_m
    median_m = float(np.median(over_m[outside]))
    expected = "surface and terrain in metres above the same datum"
    feet = _feet(dsm_m[outside], terrain_m[outside])
    if feet:
        return [InputError(feet, where=dsm_name, expected=expected, remedy=_FEET_REMEDY)]
    if median_m < limits.min_median_height_m:
        found = f"looks like a height above ground: outside the footprints it is {-median_m:.1f} m "
        remedy = "Add the terrain (gdal_calc.py -A DSM -B DTM --calc A+B), or compare the datums."
        found += "below the terrain model (median)"
        return [InputError(found, where=dsm_name, expected=expected, remedy=remedy)]
    if median_m > limits.max_median_height_m:
        found = f"lies {median_m:.1f} m above the terrain model outside the footprints (median)"
        remedy = (
            "A different height datum or unit? Convert one: gdalwarp -s_srs -t_srs, gdal_calc.py."
        )
        return [InputError(found, where=dsm_name, expected=expected, remedy=remedy)]
    if n_footprints >= _MIN_FOOTPRINTS and is_inside.any():
        inside_m = float(np.median(over_m[is_inside]))
        if inside_m < limits.min_median_roof_height_m:
            return [_no_buildings(dsm_name, inside_m)]
    below = float(np.mean(over_m < -limits.below_terrain_m))
    if below > limits.max_below_terrain_fraction:
        found = (
            f"{below:.1%} of the cells lie more than {limits.below_terrain_m:g} m below the terrain"
        )
        remedy = "Compare the two rasters: datum, date, a shift, or the two files exchanged?"
        return [InputError(found, where=dsm_name, expected=expected, remedy=remedy)]
    return []


def _no_buildings(where: str, inside_m: float) -> InputError:
    return InputError(
        f"shows no buildings: inside the footprints it is {inside_m:.1f} m above the terrain model "
        "(median)",
        where=where,
        expected="roofs where the footprints are",
        remedy="Are dsm and dtm exchanged, is dsm a terrain model, are the footprints in another "
        "coordinate system or much newer? (min_median_roof_height_m in [limits])",
    )


_FEET_REMEDY = 'Convert the one in feet: gdal_calc.py -A FILE --calc "A*0.3048" --outfile OUT'


def _feet(dsm_m: np.ndarray, terrain_m: np.ndarray) -> str | None:
    """One of two rasters in feet: open ground is then 3.28 times as high in it."""
    # Near the datum the ratio says nothing.
    high = (dsm_m > 10.0) & (terrain_m > 10.0)
    if not high.any() or high.mean() < 0.5:
        return None
    ratio = float(np.median(dsm_m[high] / terrain_m[high]))
    for name, factor in (("surface", ratio), ("terrain", 1.0 / ratio)):
        if abs(factor / FEET_PER_METRE - 1.0) < 0.03:
            return (
                f"the {name} model seems to be in feet: on open ground it stands {factor:.2f} "
                "times as high as the other"
            )
    return None
