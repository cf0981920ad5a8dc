"""Inputs that tell where plants are: tree cadastre, canopy heights, land cover."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely

from solarkataster.canopy import MIN_HEIGHT_M
from solarkataster.checks.heights import source_name
from solarkataster.checks.raster_looks import Looks, look_at
from solarkataster.checks.trees import (
    CheckedTrees,
    check_trees,
    surface_fault,
    told_in_buildings,
)
from solarkataster.config import Config
from solarkataster.crs import crs_name, same_crs
from solarkataster.errors import InputError, InputErrors
from solarkataster.footprint_cells import footprint_mask
from solarkataster.io.rasters import RasterSource, open_rasters
from solarkataster.io.trees import read_trees
from solarkataster.trees import Trees

#: Files that a Shapefile consists of beside itself.
_SHAPEFILE_PARTS = (".shx", ".dbf", ".prj", ".cpg")
#: Canopy heights down to here are noise of two flights. [m]
_LOWEST_M = -2.0
#: Crowns reach over some houses, not over most of them: then houses are among the heights. [–]
_MOST_OVER_HOUSES = 0.5
#: A raster that covers this share of the surface model covers it. [–]
_WHOLE = 0.99
#: Fewer cells on houses than this say nothing.
_LEAST_CELLS = 50


@dataclass(frozen=True)
class Greenery:
    """
    What is known of plants, None where the config names no file.

    Parameters
    ----------
    trees : Trees or None
    canopy, land_cover : RasterSource or None
        Heights above the ground [m], and class numbers.
    paths : tuple of Path
        Files of the cadastre.
    dropped : dict of str
        Why trees of the cadastre are left out, by their ids.
    """

    trees: Trees | None = None
    canopy: RasterSource | None = None
    land_cover: RasterSource | None = None
    paths: tuple[Path, ...] = field(default=(), repr=False)
    dropped: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def rasters(self) -> tuple[RasterSource, ...]:
        """Those of the two rasters that there are."""
        return tuple(one for one in (self.canopy, self.land_cover) if one is not None)


def check_greenery(
    config: Config,
    dsm: RasterSource,
    dtm: RasterSource | None,
    surface: shapely.Geometry,
    outlines: np.ndarray,
    notes: list[str],
) -> tuple[Greenery, list[InputError]]:
    """
    Open and judge all inputs that tell of plants.

    Parameters
    ----------
    config : Config
    dsm, dtm : RasterSource
        Without a terrain, heights of the cadastre are not compared with the surface.
    surface : shapely geometry
        Area that the surface model covers. [m]
    outlines : ndarray of shapely geometry
        Footprints. [m]
    notes : list of str
        Gets what the reader should know.

    Returns
    -------
    greenery : Greenery
    faults : list of InputError
    """
    inputs = config.inputs
    faults: list[InputError] = []
    checked: CheckedTrees | None = None
    paths: tuple[Path, ...] = ()
    if inputs.trees is not None:
        paths = with_parts(inputs.trees)
        checked, found = _trees(config, inputs.trees, dsm, dtm, surface, outlines, notes)
        faults += found
    rasters: dict[str, RasterSource | None] = {"canopy": None, "land_cover": None}
    for role in rasters:
        patterns = getattr(inputs, role)
        if patterns is not None:
            rasters[role], found = _raster(config, role, patterns, dsm, surface, outlines, notes)
            faults += found
    known = rasters["canopy"], rasters["land_cover"], paths
    if checked is None:
        return Greenery(None, *known), faults
    return Greenery(checked.trees, *known, checked.dropped), faults


def with_parts(path: Path) -> tuple[Path, ...]:
    """A file with those beside it that it consists of, as a Shapefile does."""
    if path.suffix.lower() != ".shp":
        return (path,)
    parts = (path.with_suffix(suffix) for suffix in _SHAPEFILE_PARTS)
    return (path, *(part for part in parts if part.exists()))


def _trees(
    config: Config,
    path: Path,
    dsm: RasterSource,
    dtm: RasterSource | None,
    surface: shapely.Geometry,
    outlines: np.ndarray,
    notes: list[str],
) -> tuple[CheckedTrees | None, list[InputError]]:
    where = str(path)
    try:
        file = read_trees(path, config.trees, dsm.grid.crs)
        checked, faults = check_trees(where, file.records, config.trees, surface)
        if not faults and dtm is not None:
            faults, told = surface_fault(where, checked.trees, dsm, dtm, outlines)
            notes += told
    except InputErrors as error:
        return None, error.errors
    except InputError as error:
        return None, [error]
    trees, inside = told_in_buildings(where, checked.trees, outlines)
    notes += [f"{where}: {note}" for note in file.notes] + checked.notes + inside
    return replace(checked, trees=trees), faults


def _raster(
    config: Config,
    role: str,
    patterns: tuple[str, ...],
    dsm: RasterSource,
    surface: shapely.Geometry,
    outlines: np.ndarray,
    notes: list[str],
) -> tuple[RasterSource | None, list[InputError]]:
    try:
        source = open_rasters(patterns, role)
        where = source_name(source)
        if not same_crs(source.grid.crs, dsm.grid.crs):
            return None, [_wrong_system(where, source, dsm)]
        if not shapely.intersects(surface, shapely.box(*source.grid.bounds)):
            return None, [_elsewhere(where, source, dsm)]
        looks = look_at(source)
    except InputErrors as error:
        return None, error.errors
    except InputError as error:
        return None, [error]
    notes += _coverage_notes(where, source, surface)
    sample = looks.sample_m
    sample = sample[np.isfinite(sample)]
    if role == "canopy":
        faults = _canopy_faults(where, sample, config.trees.max_height_m)
        return source, faults or _houses_faults(where, looks, outlines)
    return source, _cover_faults(where, sample, config, notes)


def _wrong_system(where: str, source: RasterSource, dsm: RasterSource) -> InputError:
    right = crs_name(dsm.grid.crs)
    return InputError(
        f"coordinate system is {crs_name(source.grid.crs)}",
        where=where,
        expected=f"{right}, as the surface model has",
        remedy=f"Reproject it: gdalwarp -r near -t_srs {right} FILE OUT",
    )


def _elsewhere(where: str, source: RasterSource, dsm: RasterSource) -> InputError:
    return InputError(
        f"does not overlap the surface model ({source.role} {source.grid.bounds}, surface "
        f"{dsm.grid.bounds})",
        where=where,
        expected="files of the same place",
        remedy=f"Take the file of this place, or leave {source.role} out of [inputs].",
    )


def _coverage_notes(where: str, source: RasterSource, surface: shapely.Geometry) -> list[str]:
    """Beyond such a raster nothing is known of plants and ground, which a run would not show."""
    files = shapely.union_all([shapely.box(*file.grid.bounds) for file in source.files])
    share = shapely.intersection(surface, files).area / surface.area
    if share > _WHOLE:
        return []
    return [f"{where}: covers {share:.0%} of the surface model; beyond it nothing is known"]


def _canopy_faults(where: str, sample_m: np.ndarray, max_height_m: float) -> list[InputError]:
    """Heights above the datum, or in another unit, instead of above the ground."""
    if not sample_m.size:
        return [_empty(where, "canopy")]
    low, high = np.percentile(sample_m, [1.0, 99.0])
    if low >= _LOWEST_M and high <= max_height_m:
        return []
    return [
        InputError(
            f"holds {low:.0f} to {high:.0f} (1st and 99th percentile)",
            where=where,
            expected=f"heights of crowns above the ground, 0 to {max_height_m:g} m",
            remedy="Are these heights above the sea, or in centimetres? Subtract the terrain: "
            'gdal_calc.py -A FILE -B DTM --calc "A-B" --outfile canopy.tif',
        )
    ]


def _houses_faults(where: str, looks: Looks, outlines: np.ndarray) -> list[InputError]:
    """Heights of everything above the ground, houses too, instead of crowns alone."""
    on_houses = np.concatenate(
        [values[footprint_mask(outlines, grid)] for grid, values in looks.parts]
    )
    if on_houses.size < _LEAST_CELLS:
        return []
    share = np.mean(on_houses > MIN_HEIGHT_M)  # no data is no crown
    if share <= _MOST_OVER_HOUSES:
        return []
    return [
        InputError(
            f"is higher than {MIN_HEIGHT_M:g} m on {share:.0%} of the footprint cells",
            where=where,
            expected="heights of crowns alone, nodata or 0 on houses",
            remedy="Is this the surface model less the terrain, with houses, sheds and bridges? "
            "Leave canopy out of [inputs]: crowns are found in the surface model.",
        )
    ]


def _cover_faults(
    where: str, sample: np.ndarray, config: Config, notes: list[str]
) -> list[InputError]:
    if not sample.size:
        return [_empty(where, "land_cover")]
    if (sample != np.rint(sample)).any():
        return [
            InputError(
                f"holds {sample[sample != np.rint(sample)][0]:g}",
                where=where,
                expected="whole numbers of classes",
                remedy="Is this a raster of heights? Else leave land_cover out of [inputs].",
            )
        ]
    found = np.unique(sample).astype(np.int64)
    wanted = {
        "land_cover_trees in [trees]": config.trees.land_cover_trees,
        "ground_by_class in [reflection]": tuple(map(int, config.reflection.ground_by_class)),
    }
    classes = ", ".join(map(str, found[:20]))
    if not any(wanted.values()):
        both = " and ".join(wanted)
        notes.append(f"{where}: is not used: {both} are empty (classes {classes})")
    for name, numbers in wanted.items():
        if numbers and not np.isin(found, numbers).any():
            text = ", ".join(map(str, numbers))
            notes.append(f"{where}: none of the classes {text} of {name} occurs, only {classes}")
    return []


def _empty(where: str, role: str) -> InputError:
    return InputError(
        "holds no value",
        where=where,
        expected="cells with values",
        remedy=f"Export it again, or leave {role} out of [inputs].",
    )
