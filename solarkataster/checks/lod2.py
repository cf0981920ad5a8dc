"""A city model against the footprints and the surface model: place, ids, heights, faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.checks.heights import source_name
from solarkataster.checks.points import MAX_SHIFT_M, MIN_POINTS, eastwards, surface_at
from solarkataster.checks.raster_looks import Looks
from solarkataster.checks.rasters import FEET_PER_METRE
from solarkataster.citymodel_faults import surface_faults
from solarkataster.citymodels import CitySurface
from solarkataster.errors import InputError
from solarkataster.facades.city_match import MIN_SHARED_FRACTION
from solarkataster.facades.city_surfaces import roofs_of
from solarkataster.facades.city_tops import REACH_M
from solarkataster.io.citymodels import CityModelSource, read_city_surfaces
from solarkataster.io.rasters import RasterSource
from solarkataster.points import Points

#: Buildings whose surfaces are read, from so many files: a few seconds.
_MAX_BUILDINGS, _MAX_FILES = 300, 24
#: Places on the roofs of each that are looked up in the surface model.
_MAX_PLACES = 400

#: Walls of the model stand on the cadastre's: farther aside than the first figure they are not
#: used, from the second one on it is told. [m]
MAX_ASIDE_M, TOLD_ASIDE_M = REACH_M, 0.15
#: Pairs needed to speak of a shift, how near to its median half of them are, and by how much two
#: outlines of one building may differ in size. [–, m, m]
_MIN_PAIRS, _ALIKE_M, _SIZE_M = 3, 0.25, 0.5

#: Lowest points of most buildings this near to 0, and roofs far below the surface: heights above
#: ground. [m]
_GROUND_M = 5.0


@dataclass(frozen=True)
class _Pairs:
    """Positions of footprints and of buildings that belong together, and whether by their ids."""

    footprint: np.ndarray
    building: np.ndarray
    is_by_id: bool


def lod2_faults(
    source: CityModelSource,
    dsm: RasterSource,
    looks: Looks | None,
    building_ids: Sequence[str],
    outlines: np.ndarray,
    notes: list[str],
    marks: dict[str, list[str]],
) -> list[InputError]:
    """
    Whether a city model can be of the place, datum and unit of the other inputs.

    Parameters
    ----------
    source : CityModelSource
    dsm : RasterSource
    looks : Looks or None
        Of the surface model; None if its heights are in doubt themselves.
    building_ids : sequence of str, length n_building
    outlines : ndarray of shapely geometry, shape (n_building,)
    notes : list of str
        What is no reason to stop is put here.
    marks : dict of list of str
        What concerns single buildings is put here, by their ids.

    Returns
    -------
    list of InputError

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    where = str(source.files[0].path)
    where += f" and {len(source.files) - 1} more" if len(source.files) > 1 else ""
    notes += [f"LoD2: {note}" for note in source.notes]
    near = source.touching(dsm.grid.bounds)
    if not near.files:
        return [_elsewhere(where, source, dsm)]
    n_off = len(source.files) - len(near.files)
    if n_off:
        notes.append(f"LoD2: {n_off} of {len(source.files)} files lie off the surface model")
    names = [place.building_id for file in near.files for place in file.buildings]
    boxes = np.array([place.bounds for file in near.files for place in file.buildings])
    by_id = _pairs_by_id(building_ids, names)
    by_place = _pairs_by_place(outlines, boxes)
    if not len(by_id.footprint) and not len(by_place.footprint):
        return [_on_no_footprint(where, len(names))]
    enough = len(by_id.footprint) >= _MIN_PAIRS
    fault = _aside_fault(where, by_id if enough else by_place, outlines, boxes, notes)
    if fault:
        return [fault]
    notes += _match_notes(by_id, by_place, outlines)
    _mark_elsewhere(by_id, building_ids, outlines, boxes, marks)
    found = read_city_surfaces(_sample(near)).surfaces
    notes += _face_notes(found)
    return [] if looks is None else _height_faults(where, found, dsm, looks)


def _elsewhere(where: str, source: CityModelSource, dsm: RasterSource) -> InputError:
    model = " ".join(f"{edge:.0f}" for edge in source.bounds)
    surface = " ".join(f"{edge:.0f}" for edge in dsm.grid.bounds)
    return InputError(
        f"does not overlap the surface model (buildings {model}, surface {surface})",
        where=where,
        expected="city model and surface model of the same place",
        remedy="Take the tiles of one place; is crs in [lod2] right?",
    )


def _on_no_footprint(where: str, n_buildings: int) -> InputError:
    return InputError(
        f"none of its {n_buildings} buildings on the surface model stands on a footprint",
        where=where,
        expected="city model and footprints of the same place",
        remedy="Take both of one place and one coordinate system; is crs in [lod2] right?",
    )


def _pairs_by_id(building_ids: Sequence[str], names: list[str]) -> _Pairs:
    position = {name: k for k, name in enumerate(names)}
    pairs = [(i, position[str(own)]) for i, own in enumerate(building_ids) if str(own) in position]
    footprint, building = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return _Pairs(footprint, building, True)


def _pairs_by_place(outlines: np.ndarray, boxes: np.ndarray) -> _Pairs:
    """Footprints and buildings whose boxes share half of the smaller one."""
    frames = np.array([shapely.box(*bounds) for bounds in boxes.tolist()], dtype=object)
    envelopes = shapely.envelope(outlines)
    footprint, building = shapely.STRtree(frames).query(envelopes, predicate="intersects")
    one, other = envelopes[footprint], frames[building]
    shared_m2 = shapely.area(shapely.intersection(one, other))
    least_m2 = np.minimum(shapely.area(one), shapely.area(other))
    stands = shared_m2 > MIN_SHARED_FRACTION * least_m2
    return _Pairs(footprint[stands], building[stands], False)


def _aside_fault(
    where: str, pairs: _Pairs, outlines: np.ndarray, boxes: np.ndarray, notes: list[str]
) -> InputError | None:
    """Whether buildings stand beside their footprints, all in the same direction."""
    plans = shapely.bounds(outlines[pairs.footprint])
    models = boxes[pairs.building]
    # Only outlines of one size are of one building, whole on both sides.
    sizes = np.abs((models[:, 2:] - models[:, :2]) - (plans[:, 2:] - plans[:, :2])).max(axis=1)
    same = sizes <= _SIZE_M
    if np.count_nonzero(same) < _MIN_PAIRS:
        return None
    off_m = (0.5 * (models[:, :2] + models[:, 2:] - plans[:, :2] - plans[:, 2:]))[same]
    east_m, north_m = np.median(off_m, axis=0)
    is_alike = np.hypot(*(off_m - (east_m, north_m)).T) <= _ALIKE_M
    aside_m = math.hypot(east_m, north_m)
    if aside_m < TOLD_ASIDE_M or is_alike.mean() < 0.5:
        return None
    found = f"lie {eastwards(float(np.round(east_m, 1)), float(np.round(north_m, 1)))}"
    found = f"its buildings {found} of their footprints (median of {len(off_m)})"
    if aside_m <= MAX_ASIDE_M:
        notes.append(f"LoD2: {found}")
        return None
    return InputError(
        found,
        where=where,
        expected="walls on the footprints, as surveys make them",
        remedy="Is crs right in both, and was one of the two reprojected without its grid?",
    )


def _match_notes(by_id: _Pairs, by_place: _Pairs, outlines: np.ndarray) -> list[str]:
    known = ~shapely.is_missing(outlines) & ~shapely.is_empty(outlines)
    n_known = int(np.count_nonzero(known))
    has_any = np.zeros(len(outlines), dtype=bool)
    has_any[by_place.footprint] = True
    n_id, n_without = len(by_id.footprint), int(np.count_nonzero(known & ~has_any))
    notes = []
    if n_id == 0:
        notes.append("LoD2: no footprint has the id of a building; they are matched by place")
    elif n_id < n_known:
        notes.append(f"LoD2: {n_id} of {n_known} footprints have the id of a building")
    if n_without:
        notes.append(
            f"LoD2: {n_without} of {n_known} footprints have no building; their walls come from "
            "footprint and surface model"
        )
    return notes


def _mark_elsewhere(
    by_id: _Pairs,
    building_ids: Sequence[str],
    outlines: np.ndarray,
    boxes: np.ndarray,
    marks: dict[str, list[str]],
) -> None:
    """Footprints beside which the building of their id stands."""
    for i, k in zip(by_id.footprint.tolist(), by_id.building.tolist(), strict=True):
        if outlines[i] is not None and not shapely.box(*boxes[k].tolist()).intersects(outlines[i]):
            marks.setdefault(str(building_ids[i]), []).append(
                "LoD2 building of this id stands elsewhere: not used"
            )


def _sample(source: CityModelSource) -> CityModelSource:
    """Some buildings with surfaces, of some files, evenly spread."""
    step = math.ceil(len(source.files) / _MAX_FILES)
    files = source.files[step // 2 :: step]
    share = max(1, _MAX_BUILDINGS // len(files))
    chosen = []
    for file in files:
        every = math.ceil(len(file.buildings) / share)
        chosen.append(replace(file, buildings=file.buildings[every // 2 :: every]))
    return CityModelSource(source.crs, tuple(chosen))


def _face_notes(surfaces: Sequence[CitySurface]) -> list[str]:
    """How many of the buildings looked at have walls that cannot be right."""
    walls = {(*s.solid, s.surface_id) for s in surfaces if s.kind == "wall"}
    buildings = len({surface.building_id for surface in surfaces})
    concerned: dict[str, set[str]] = {}
    for fault in surface_faults(surfaces):
        if (fault.building_id, fault.part_id, fault.surface_id) in walls:
            concerned.setdefault(fault.name, set()).add(fault.building_id)
    texts = {
        "inside out": "have walls that face inwards; these are turned round, and the buildings "
        "marked",
        "self-intersecting": "have walls that cross themselves; these are left out, and the "
        "buildings marked",
    }
    return [
        f"LoD2: {len(concerned[name])} of {buildings} buildings looked at {text}"
        for name, text in texts.items()
        if name in concerned
    ]


def _height_faults(
    where: str, surfaces: Sequence[CitySurface], dsm: RasterSource, looks: Looks
) -> list[InputError]:
    """Other datum or unit: roofs against the surface's cells."""
    points = _roof_places(surfaces, dsm.grid.cell_size_m)
    at, surface_m = surface_at(points, dsm, looks)
    roof_m = points.elevation_m[at]
    if len(at) < MIN_POINTS:
        return []
    shift_m = float(np.median(roof_m - surface_m))
    if abs(shift_m) <= MAX_SHIFT_M:
        return []
    side = "above" if shift_m > 0 else "below"
    found = f"its roofs lie {abs(shift_m):.1f} m {side} the surface model (median of {len(at)})"
    remedy = "A different height datum or year? Transform the heights of one of the two."
    lowest: dict[str, float] = {}
    for surface in surfaces:
        low_m = float(surface.outer[:, 2].min())
        lowest[surface.building_id] = min(low_m, lowest.get(surface.building_id, low_m))
    high = surface_m > 10.0  # near the datum the ratio says nothing
    ratio = float(np.median(roof_m[high] / surface_m[high])) if high.any() else 1.0
    if abs(ratio / FEET_PER_METRE - 1.0) < 0.03:
        found = f"seems to have heights in feet: they are {ratio:.2f} times the surface model's"
        remedy = "Convert them to metres (1 ft = 0.3048 m)."
    elif shift_m < 0 and abs(float(np.median(list(lowest.values())))) <= _GROUND_M:
        found += "; its buildings begin near 0, as if heights were counted from the ground"
        remedy = "Take the model with heights above sea level."
    expected = f"the height datum and unit of {source_name(dsm)}"
    return [InputError(found, where=where, expected=expected, remedy=remedy)]


def _roof_places(surfaces: Sequence[CitySurface], cell_size_m: float) -> Points:
    """Places on roofs, at most one a cell, and how high the model has them."""
    roofs: dict[str, list[CitySurface]] = {}
    for surface in surfaces:
        if surface.kind == "roof":
            roofs.setdefault(surface.building_id, []).append(surface)
    found: list[np.ndarray] = [np.zeros((3, 0))]
    for own in roofs.values():
        corners = np.concatenate([surface.outer[:, :2] for surface in own])
        low, high = np.floor(corners.min(axis=0)), corners.max(axis=0)
        spacing_m = max(cell_size_m, math.sqrt(float(np.prod(high - low)) / _MAX_PLACES))
        x, y = (
            values.ravel()
            for values in np.meshgrid(
                np.arange(0.5 * spacing_m, high[0] - low[0], spacing_m),
                np.arange(0.5 * spacing_m, high[1] - low[1], spacing_m),
            )
        )
        elevation_m = roofs_of(own, low).elevation_m(x, y)
        over = np.isfinite(elevation_m)
        found.append(np.stack([x[over] + low[0], y[over] + low[1], elevation_m[over]]))
    east_m, north_m, elevation_m = np.concatenate(found, axis=1)
    none = np.ones(len(east_m), dtype=np.uint8)
    return Points(east_m, north_m, elevation_m, none, none, none)
