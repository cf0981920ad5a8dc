"""Surface, terrain and footprints cell by cell: whether their heights belong together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.checks.raster_looks import MAX_SAMPLE_CELLS, Looks
from solarkataster.checks.rasters import cell_counts, height_faults, value_faults
from solarkataster.config import LimitsConfig
from solarkataster.errors import InputError, InputErrors
from solarkataster.footprint_cells import footprint_mask
from solarkataster.io.rasters import RasterSource, read_resampled

#: Fewer heights than this may be whole metres by chance.
_MIN_WHOLE = 100


@dataclass(frozen=True)
class PairSample:
    """
    Cells of surface and terrain at the same places.

    Parameters
    ----------
    dsm_m, terrain_m : ndarray, shape (n,)
        Where both are known. [m]
    is_inside : ndarray, shape (n,), bool
        Cells inside a footprint.
    n_inside : int
        All cells looked at inside footprints.
    n_without_surface, n_without_terrain : int
        Of these, cells without a surface height, and with a surface height over no terrain.
    """

    dsm_m: np.ndarray
    terrain_m: np.ndarray
    is_inside: np.ndarray
    n_inside: int
    n_without_surface: int
    n_without_terrain: int


def pair_sample(looks: Looks, dtm: RasterSource, outlines: np.ndarray) -> PairSample:
    """Read the terrain where the surface was looked at."""
    surface, terrain, inside = [], [], []
    n_inside = n_without_surface = n_without_terrain = 0
    for grid, dsm_m in looks.parts:
        terrain_m = read_resampled(dtm, grid)
        is_inside = footprint_mask(outlines, grid)
        has_surface, has_terrain = ~np.isnan(dsm_m), ~np.isnan(terrain_m)
        n_inside += int(is_inside.sum())
        n_without_surface += int((is_inside & ~has_surface).sum())
        n_without_terrain += int((is_inside & has_surface & ~has_terrain).sum())
        known = has_surface & has_terrain
        surface.append(dsm_m[known])
        terrain.append(terrain_m[known])
        inside.append(is_inside[known])
    return PairSample(
        np.concatenate(surface),
        np.concatenate(terrain),
        np.concatenate(inside),
        n_inside,
        n_without_surface,
        n_without_terrain,
    )


def pair_faults(
    limits: LimitsConfig,
    dsm: RasterSource,
    dtm: RasterSource,
    looks: Looks,
    outlines: np.ndarray,
    notes: list[str],
) -> list[InputError]:
    """
    Whether the two rasters and the footprints can be of one place, datum and unit.

    Parameters
    ----------
    limits : LimitsConfig
    dsm, dtm : RasterSource
    looks : Looks
        Of the surface model.
    outlines : ndarray of shapely geometry, shape (n_building,)
    notes : list of str
        What lies under the limits is put here.

    Returns
    -------
    list of InputError
    """
    sample = pair_sample(looks, dtm, outlines)
    if sample.n_without_surface:
        share = sample.n_without_surface / sample.n_inside
        notes.append(f"surface model has no data on {share:.1%} of the footprint cells")
    below = sample.dsm_m < sample.terrain_m - limits.below_terrain_m
    if below.any():
        notes.append(
            f"surface model lies more than {limits.below_terrain_m:g} m below the terrain on "
            f"{below.mean():.2%} of the cells"
        )
    faults = _gap_faults(limits, sample, source_name(dtm), notes)
    seen = shapely.intersects(outlines, shapely.box(*dsm.grid.bounds))
    return faults + height_faults(
        source_name(dsm),
        sample.dsm_m,
        sample.terrain_m,
        sample.is_inside,
        int(np.count_nonzero(seen)),
        limits,
    )


def _gap_faults(
    limits: LimitsConfig, sample: PairSample, where: str, notes: list[str]
) -> list[InputError]:
    """Holes of the terrain under buildings: their heights above ground are then unknown."""
    if not sample.n_without_terrain:
        return []
    share = sample.n_without_terrain / sample.n_inside
    found = f"terrain model has no data on {share:.1%} of the footprint cells"
    if share <= limits.max_no_terrain_fraction:
        notes.append(found)
        return []
    return [
        InputError(
            found,
            where=where,
            expected=f"at most {limits.max_no_terrain_fraction:.1%} "
            "(max_no_terrain_fraction in [limits])",
            remedy="Fill the holes under the buildings: gdal_fillnodata.py -md 100 FILE OUT",
        )
    ]


def check_values(where: str, dsm_m: np.ndarray) -> None:
    """
    Look for untagged nodata in a raster without config, by the default limits.

    Parameters
    ----------
    where : str
        File for the message.
    dsm_m : ndarray, shape (ny, nx)
        NaN where there is no height. [m]

    Raises
    ------
    InputErrors
        If there is any, or no height at all.
    """
    limits = LimitsConfig()
    # A percentile needs no more than this.
    sample_m = dsm_m.ravel()[:: max(1, dsm_m.size // MAX_SAMPLE_CELLS)]
    faults = value_faults(
        where,
        cell_counts(dsm_m),
        sample_m[~np.isnan(sample_m)],
        limits.max_zero_fraction,
        limits.zero_floor_m,
    )
    if faults:
        raise InputErrors(faults)


def whole_metres_note(dsm_m: np.ndarray) -> list[str]:
    """A remark if every height of the sample is a whole number of metres, else nothing."""
    heights_m = dsm_m[~np.isnan(dsm_m)]
    if heights_m.size < _MIN_WHOLE or (heights_m != np.round(heights_m)).any():
        return []
    return [
        "heights of the surface model are whole metres: tilts of roofs are rough, low roofs come "
        "out level"
    ]


def source_name(source: RasterSource) -> str:
    """A raster in messages: its file, or its first file and how many more."""
    first = str(source.files[0].path)
    return first if len(source.files) == 1 else f"{first} and {len(source.files) - 1} more"
