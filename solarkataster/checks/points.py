"""Laser points against the surface model and the footprints: place, heights, classes, density."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.checks.heights import source_name
from solarkataster.checks.raster_looks import Looks
from solarkataster.checks.rasters import FEET_PER_METRE
from solarkataster.config import PointsConfig
from solarkataster.errors import InputError
from solarkataster.io.pointclouds import PointSource, sample_points
from solarkataster.io.rasters import RasterSource
from solarkataster.points import Points, class_tables

#: Points read to check them: a second or two of decompression.
MAX_SAMPLE_POINTS = 2_000_000
#: Of these, points looked up in the footprints.
_MAX_PLACED = 200_000

#: Flights of different years and surfaces of another maker agree on roofs better than this; two
#: height datums of one country hardly ever do. [m]
MAX_SHIFT_M = 2.0
#: Points farther beside the surface model than this are of another system or badly placed; a shift
#: from the second figure on is told. What makers of surfaces do moves them by less. [m]
MAX_ASIDE_M, TOLD_ASIDE_M = 1.5, 0.75
#: Farthest that points are tried aside, and the steps of two rounds. [m]
_ASIDE_REACH_M, _ASIDE_STEPS_M = 12.0, (2.0, 0.5)
#: Points tried, differences in height that count as edges, and by how much the best place must
#: agree better than the given one.
_ASIDE_POINTS, _ASIDE_EDGE_M, _ASIDE_GAIN = 5_000, 3.0, 0.7

#: Fewer last echoes than this show only the largest planes. [m⁻²]
MIN_DENSITY_PER_M2 = 2.0
#: Fewer points than this say nothing of all.
MIN_POINTS = 50

#: Coarser coordinates than this hide the slope of small roofs. [m]
_MAX_SCALE_M = 0.05
#: Under this share of points of roof classes inside footprints, the choice is worth a look.
_MIN_ROOF_SHARE = 0.5
#: ASPRS classes of low and high noise.
_NOISE_CLASSES = (7, 18)


@dataclass(frozen=True)
class _Sample:
    """
    Some points of a source and where they lie.

    ``points`` are spread evenly, one in ``n_per_point``; ``footprint`` is the position of the
    first footprint that holds each, −1 outside.
    """

    points: Points
    n_per_point: float
    footprint: np.ndarray

    @property
    def inside(self) -> Points:
        return self.points.take(self.footprint >= 0)


def point_faults(
    settings: PointsConfig,
    source: PointSource,
    dsm: RasterSource,
    looks: Looks | None,
    outlines: np.ndarray,
    notes: list[str],
) -> list[InputError]:
    """
    Whether laser points can be of the place, datum and unit of the surface model.

    Parameters
    ----------
    settings : PointsConfig
    source : PointSource
    dsm : RasterSource
    looks : Looks or None
        Of the surface model; None if its heights are in doubt themselves.
    outlines : ndarray of shapely geometry, shape (n_building,)
    notes : list of str
        What is no reason to stop is put here.

    Returns
    -------
    list of InputError

    Raises
    ------
    InputError
        If a class of roofs is one of plants or ground, or a file cannot be read.
    """
    class_tables(settings.roof_classes, settings.ground_classes)
    near = source.touching(dsm.grid.bounds)
    where = str(source.files[0].path)
    where += f" and {len(source.files) - 1} more" if len(source.files) > 1 else ""
    if not near.files:
        west, south, east, north = source.files[0].bounds
        return [
            InputError(
                f"does not overlap the surface model (points {west:.0f} {south:.0f} {east:.0f} "
                f"{north:.0f}, surface {' '.join(f'{edge:.0f}' for edge in dsm.grid.bounds)})",
                where=where,
                expected="points and surface model of the same place, both in metres",
                remedy="Take the files of one place; are the coordinates in feet, or is crs in "
                "[points] wrong?",
            )
        ]
    notes += _file_notes(source, near, outlines)
    points, _ = sample_points(near, MAX_SAMPLE_POINTS)
    shift = [] if looks is None else _shift_faults(where, points, dsm, looks, outlines, notes)
    sample = _placed(points, near.n_points, outlines)
    notes += _density_notes(settings, sample, near, outlines)
    return shift + _class_faults(settings, where, sample, notes)


def _file_notes(source: PointSource, near: PointSource, outlines: np.ndarray) -> list[str]:
    """Files off the area, twice the same, with coarse coordinates; footprints without a file."""
    notes = []
    n_off = len(source.files) - len(near.files)
    if n_off:
        notes.append(
            f"laser points: {n_off} of {len(source.files)} files lie off the surface model"
        )
    first: dict[tuple, str] = {}
    for file in near.files:
        twin = first.setdefault((file.n_points, file.bounds), file.path.name)
        if twin != file.path.name:
            notes.append(
                f"laser points: {file.path.name} has number and bounds of the points of {twin}; "
                "points that are the same count once"
            )
        if file.scale_m > _MAX_SCALE_M:
            notes.append(
                f"laser points: coordinates of {file.path.name} are rounded to {file.scale_m:g} m"
            )
    boxes = shapely.union_all([shapely.box(*file.bounds) for file in near.files])
    shapely.prepare(boxes)
    known = outlines[~shapely.is_missing(outlines) & ~shapely.is_empty(outlines)]
    n_without = int(np.count_nonzero(~shapely.intersects(boxes, known)))
    if n_without:
        share = n_without / len(known)
        notes.append(f"laser points: no file reaches {n_without} footprints ({share:.1%})")
    return notes


def _placed(points: Points, n_all: int, outlines: np.ndarray) -> _Sample:
    """Every n-th point, with the footprint it lies in."""
    step = max(1, math.ceil(len(points) / _MAX_PLACED))
    few = points.take(slice(step // 2, None, step))
    return _Sample(few, n_all / max(len(few), 1), _footprint_of(few, outlines))


def _footprint_of(points: Points, outlines: np.ndarray) -> np.ndarray:
    """Position of the first footprint that holds each point; −1 outside."""
    found = np.full(len(points), len(outlines), dtype=np.int64)
    tree = shapely.STRtree(outlines)
    places = shapely.points(points.easting_m, points.northing_m)
    at, footprint = tree.query(places, predicate="within")
    np.minimum.at(found, at, footprint)
    found[found == len(outlines)] = -1
    return found


def _shift_faults(
    where: str,
    points: Points,
    dsm: RasterSource,
    looks: Looks,
    outlines: np.ndarray,
    notes: list[str],
) -> list[InputError]:
    """Other place, datum or unit: single echoes on roofs against the surface's cells."""
    is_single = (points.n_returns <= 1) & (points.return_number <= 1)
    points = points.take(is_single & ~np.isin(points.classification, _NOISE_CLASSES))
    at, surface_m = surface_at(points, dsm, looks)
    points = points.take(at)
    is_inside = _footprint_of(points, outlines) >= 0
    # Leaves come and go between two flights; roofs stay. Without roofs, all must do.
    if np.count_nonzero(is_inside) >= MIN_POINTS:
        points, surface_m = points.take(is_inside), surface_m[is_inside]
    if len(points) < MIN_POINTS:
        return []
    aside = _aside(points, dsm, looks)
    if math.hypot(*aside) >= TOLD_ASIDE_M:
        found = f"lie about {eastwards(*aside)} of where the surface model shows the same roofs"
        if math.hypot(*aside) > MAX_ASIDE_M:
            expected = f"points and {source_name(dsm)} in one place"
            remedy = "Is crs right in both, and was one of the two reprojected without its grid?"
            return [InputError(found, where=where, expected=expected, remedy=remedy)]
        notes.append(f"laser points: they {found}")
    shift_m = float(np.median(points.elevation_m - surface_m))
    if abs(shift_m) <= MAX_SHIFT_M:
        return []
    side = "above" if shift_m > 0 else "below"
    found = f"lie {abs(shift_m):.1f} m {side} the surface model (median of {len(points)} points)"
    remedy = "A different height datum or year? Transform the heights of one of the two."
    high = surface_m > 10.0  # near the datum the ratio says nothing
    ratio = float(np.median(points.elevation_m[high] / surface_m[high])) if high.any() else 1.0
    if abs(ratio / FEET_PER_METRE - 1.0) < 0.03:
        found = f"seem to have heights in feet: they are {ratio:.2f} times the surface model's"
        remedy = (
            "Convert them: pdal translate FILE OUT assign --filters.assign.value='Z = Z*0.3048'"
        )
    expected = f"the height datum and unit of {source_name(dsm)}"
    return [InputError(found, where=where, expected=expected, remedy=remedy)]


def _aside(points: Points, dsm: RasterSource, looks: Looks) -> tuple[float, float]:
    """How far east and north of the surface points lie; 0 unless another place fits much better."""
    few = points.take(slice(None, None, max(1, len(points) // _ASIDE_POINTS)))
    misfits: dict[tuple[float, float], float] = {}

    def misfit(east_m: float, north_m: float) -> float:
        """Mean difference in height where points lie that much less to the east and north. [m]"""
        if (east_m, north_m) not in misfits:
            moved = replace(
                few, easting_m=few.easting_m - east_m, northing_m=few.northing_m - north_m
            )
            at, surface_m = surface_at(moved, dsm, looks)
            rise_m = few.elevation_m[at] - surface_m
            off_m = np.abs(rise_m - np.median(rise_m)) if len(at) >= MIN_POINTS else np.inf
            misfits[east_m, north_m] = float(np.mean(np.minimum(off_m, _ASIDE_EDGE_M)))
        return misfits[east_m, north_m]

    best, reach_m = (0.0, 0.0), _ASIDE_REACH_M
    for step_m in _ASIDE_STEPS_M:
        steps = np.arange(-reach_m, reach_m + 0.1, step_m)
        tried = [(best[0] + float(e), best[1] + float(n)) for e in steps for n in steps]
        # Rows of equal houses fit again one house farther: of equal places the nearest.
        best = min(tried, key=lambda place: (round(misfit(*place), 1), math.hypot(*place)))
        reach_m = step_m
    return best if misfit(*best) < _ASIDE_GAIN * misfit(0.0, 0.0) else (0.0, 0.0)


def eastwards(east_m: float, north_m: float) -> str:
    """A shift in words: ``3.0 m east and 0.5 m south``."""
    words = []
    if east_m:
        words.append(f"{abs(east_m):.1f} m {'east' if east_m > 0 else 'west'}")
    if north_m:
        words.append(f"{abs(north_m):.1f} m {'north' if north_m > 0 else 'south'}")
    return " and ".join(words)


def surface_at(points: Points, dsm: RasterSource, looks: Looks) -> tuple[np.ndarray, np.ndarray]:
    """Points in cells whose height is at hand, as positions, and these heights. [m]"""
    ats, heights = [], []
    size_m = dsm.grid.cell_size_m
    order = np.argsort(points.northing_m, kind="stable")
    northing_m = points.northing_m[order]
    for grid, values in looks.parts:
        low, high = np.searchsorted(northing_m, (grid.south_m, grid.north_m))
        row, col = grid.row_col(points.easting_m[order[low:high]], northing_m[low:high])
        i, j = np.floor(row + 0.5).astype(np.int64), np.floor(col + 0.5).astype(np.int64)
        hit = (i >= 0) & (i < grid.shape[0]) & (j >= 0) & (j < grid.shape[1])
        # Of a raster looked at in part, the cells stand apart: the point must lie in one.
        half = 0.5 * size_m / grid.cell_size_m
        hit &= (np.abs(row - i) <= half) & (np.abs(col - j) <= half)
        height_m = values[i[hit], j[hit]].astype(np.float64)
        known = ~np.isnan(height_m)
        ats.append(order[low:high][hit][known])
        heights.append(height_m[known])
    return np.concatenate(ats), np.concatenate(heights)


def _density_notes(
    settings: PointsConfig, sample: _Sample, source: PointSource, outlines: np.ndarray
) -> list[str]:
    """How densely roofs were hit."""
    roofs = sample.inside
    is_roof, _ = class_tables(settings.roof_classes, settings.ground_classes)
    n_hits = np.count_nonzero(
        is_roof[roofs.classification] & (roofs.return_number >= roofs.n_returns)
    )
    boxes = shapely.union_all([shapely.box(*file.bounds) for file in source.files])
    reached = outlines[shapely.intersects(boxes, outlines)]
    area_m2 = float(np.sum(shapely.area(shapely.intersection(boxes, reached))))
    if not n_hits or not area_m2:
        return []
    density_per_m2 = n_hits * sample.n_per_point / area_m2
    note = f"laser points: about {density_per_m2:.1f} per m² over the footprints"
    if density_per_m2 < MIN_DENSITY_PER_M2:
        note += f", under {MIN_DENSITY_PER_M2:g}: only large roof planes can be made out"
    return [note]


def _class_faults(
    settings: PointsConfig, where: str, sample: _Sample, notes: list[str]
) -> list[InputError]:
    """Points of no roof class inside footprints; no ground anywhere."""
    classes = sample.inside.classification
    if (
        len(sample.points) >= MIN_POINTS
        and not np.isin(sample.points.classification, settings.ground_classes).any()
    ):
        notes.append(
            "laser points: none is of ground_classes in [points], so that the ground beside walls "
            "is not told from eaves"
        )
    if len(sample.points) < MIN_POINTS:
        return []
    if len(classes) < MIN_POINTS:
        is_roof = np.isin(sample.points.classification, settings.roof_classes)
        if is_roof.any():
            return []
        return [
            InputError(
                f"holds no point of a roof; its points are of class "
                f"{_histogram(sample.points.classification)}",
                where=where,
                expected=f"some of roof_classes in [points]: {_list(settings.roof_classes)}",
                remedy="Take the whole scan, not its ground alone",
            )
        ]
    share = float(np.isin(classes, settings.roof_classes).mean())
    found = f"inside footprints the points are of class {_histogram(classes)}"
    if share == 0.0:
        return [
            InputError(
                found,
                where=where,
                expected=f"some of roof_classes in [points]: {_list(settings.roof_classes)}",
                remedy="Name the class of buildings: roof_classes = [...] in [points]",
            )
        ]
    if share < _MIN_ROOF_SHARE:
        notes.append(
            f"laser points: {share:.0%} inside footprints are of roof_classes in [points]; {found}"
        )
    return []


def _histogram(classes: np.ndarray) -> str:
    """Classes and their shares, the most frequent first."""
    names, counts = np.unique(classes, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return ", ".join(f"{names[i]} ({counts[i] / len(classes):.0%})" for i in order)


def _list(classes: tuple[int, ...]) -> str:
    return ", ".join(map(str, classes))
