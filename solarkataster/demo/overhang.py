"""Eaves and verges: how far roofs reach beyond the walls, on each straight side of a building."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.demo.roofshapes import Building, Part

#: Roofs whose ends along the ridge are verges; all other edges are eaves.
_VERGED = ("gable", "l_shape", "shed")
#: Between a roof's edge and that of the building opposite. [m]
_CLEARANCE_M = 0.4
#: Neighbours wall to wall share their lines up to rounding. [m, m²]
_TOUCH_M, _TOUCH_M2 = 1e-3, 1e-2


@dataclass(frozen=True, slots=True)
class TrueSide:
    """
    A straight side of a building's walls.

    Parameters
    ----------
    building_id : str
    start, end : tuple of float
        Easting and northing of its corners; outside lies on the right. [m]
    overhang_m : float
        How far the roof reaches beyond it. [m]
    is_party_wall : bool
        Another building adjoins at least part of it.
    """

    building_id: str
    start: tuple[float, float]
    end: tuple[float, float]
    overhang_m: float
    is_party_wall: bool


@dataclass(slots=True)
class _WallLine:
    """Sides of parts that continue each other along one straight wall."""

    normal: np.ndarray
    offset_m: float
    members: list[tuple[int, int]]
    is_eaves: bool
    is_free: bool

    def holds(self, normal: np.ndarray, offset_m: float) -> bool:
        return float(normal @ self.normal) > 1.0 - 1e-9 and abs(offset_m - self.offset_m) < 1e-4


def with_overhangs(
    buildings: list[Building], depths_m: tuple[float, float], rng: np.random.Generator
) -> list[Building]:
    """
    The buildings with roofs that reach beyond their walls.

    Every building draws a depth of its eaves and one of its verges. A wall at which another
    building adjoins, or stands too near for two overhangs, has none; nor has a roof with a parapet.

    Parameters
    ----------
    buildings : list of Building
    depths_m : tuple of float
        Smallest and largest depth. [m]
    rng : numpy Generator
    """
    low_m, high_m = depths_m
    draws = rng.random((len(buildings), 2))
    if high_m <= 0.0:
        return buildings
    footprints = np.array([building.footprint for building in buildings])
    tree = shapely.STRtree(footprints)
    grown = []
    for i, building in enumerate(buildings):
        eaves_m, verge_m = (round(float(low_m + (high_m - low_m) * u), 2) for u in draws[i])
        if any(part.role == "parapet" for part in building.parts):
            eaves_m = verge_m = 0.0
        lines = _wall_lines(building, i, tree, footprints, 2.0 * high_m + _CLEARANCE_M)
        grown.append(_grown(building, lines, eaves_m, verge_m))
    return _kept_apart(grown)


def sides_of(buildings: list[Building]) -> list[TrueSide]:
    """
    The straight sides of all buildings in the order of buildings and along their outlines.

    Outer outlines run counterclockwise, courtyards clockwise.
    """
    footprints = np.array([building.footprint for building in buildings])
    tree = shapely.STRtree(footprints)
    sides = []
    for i, building in enumerate(buildings):
        lines = _wall_lines(building, i, tree, footprints, 0.0)
        near = footprints[[j for j in tree.query(footprints[i], "dwithin", _TOUCH_M) if j != i]]
        for start, end in stretches(building.footprint):
            wall = shapely.LineString([start, end])
            shared_m = shapely.length(shapely.intersection(shapely.buffer(near, _TOUCH_M), wall))
            sides.append(
                TrueSide(
                    building.building_id, tuple(start.tolist()), tuple(end.tolist()),
                    _overhang_at(building, lines, start, end),
                    bool((shared_m > 0.1).any()),
                )
            )  # fmt: skip
    return sides


def stretches(polygon: shapely.Polygon) -> list[tuple[np.ndarray, np.ndarray]]:
    """Straight stretches of a polygon's rings as start and end, the outside on their right."""
    found = []
    oriented = shapely.orient_polygons(polygon)
    for ring in (oriented.exterior, *oriented.interiors):
        corners = np.asarray(ring.coords)[:-1]
        # Where two parts meet, their union may hold the same corner twice up to rounding.
        step = corners - np.roll(corners, 1, axis=0)
        corners = corners[np.hypot(*step.T) > _TOUCH_M]
        before = corners - np.roll(corners, 1, axis=0)
        after = np.roll(corners, -1, axis=0) - corners
        cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
        bends = np.abs(cross) > 1e-4 * np.hypot(*before.T) * np.hypot(*after.T)
        corners = corners[bends]
        found += list(zip(corners, np.roll(corners, -1, axis=0), strict=True))
    return found


def _side(part: Part, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and outward normal of a part's wall, k as in ``Part.overhang_m``."""
    corners = part.corners
    start, end = corners[[3, 1, 0, 2][k]], corners[[0, 2, 1, 3][k]]
    along = (end - start) / np.hypot(*(end - start))
    return start, end, np.array([along[1], -along[0]])


def _wall_lines(building: Building, i: int, tree, footprints, reach_m: float) -> list[_WallLine]:
    """The outer walls of a building, and whether ground up to a reach is free before them."""
    anchor = np.array([building.parts[0].easting_m, building.parts[0].northing_m])
    outline = building.footprint.boundary.buffer(_TOUCH_M)
    lines: list[_WallLine] = []
    for i_part, part in enumerate(building.parts):
        for k in range(4) if part.role == "roof" else ():
            start, end, normal = _side(part, k)
            if outline.intersection(shapely.LineString([start, end])).length < 0.5:
                continue  # inside another part
            offset_m = float(normal @ (start - anchor))
            line = next((line for line in lines if line.holds(normal, offset_m)), None)
            if line is None:
                line = _WallLine(normal, offset_m, [], True, True)
                lines.append(line)
            line.members.append((i_part, k))
            line.is_eaves &= not (building.kind in _VERGED and k < 2)
            zone = shapely.Polygon([start, end, end + reach_m * normal, start + reach_m * normal])
            near = footprints[[j for j in tree.query(zone, "intersects") if j != i]]
            blocked_m2 = shapely.area(shapely.intersection(near, zone))
            line.is_free &= not (blocked_m2 > _TOUCH_M2).any()
    return lines


def _grown(building: Building, lines: list[_WallLine], eaves_m: float, verge_m: float) -> Building:
    depths_m = np.zeros((len(building.parts), 4))
    for line in lines:
        if line.is_free:
            for i_part, k in line.members:
                depths_m[i_part, k] = eaves_m if line.is_eaves else verge_m
    parts = [
        replace(part, overhang_m=tuple(depths.tolist()))
        for part, depths in zip(building.parts, depths_m, strict=True)
    ]
    return replace(building, parts=tuple(parts))


def _kept_apart(buildings: list[Building]) -> list[Building]:
    """Overhangs that meet another building round a corner are taken back on both."""
    outlines = np.array([building.roof_outline for building in buildings])
    a, b = shapely.STRtree(outlines).query(outlines, "intersects")
    pairs = a < b
    a, b = a[pairs], b[pairs]
    clash = shapely.area(shapely.intersection(outlines[a], outlines[b])) > 1e-6
    kept = list(buildings)
    for i in np.unique(np.concatenate([a[clash], b[clash]])):
        parts = [replace(part, overhang_m=(0.0,) * 4) for part in buildings[i].parts]
        kept[i] = replace(buildings[i], parts=tuple(parts))
    return kept


def _overhang_at(building: Building, lines: list[_WallLine], start, end) -> float:
    anchor = np.array([building.parts[0].easting_m, building.parts[0].northing_m])
    along = (end - start) / np.hypot(*(end - start))
    normal = np.array([along[1], -along[0]])
    for line in lines:
        if line.holds(normal, float(normal @ (start - anchor))):
            return max(building.parts[i].overhang_m[k] for i, k in line.members)
    raise AssertionError(f"a side of {building.building_id} belongs to none of its parts")
