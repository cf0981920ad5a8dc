"""The walls of one building: foot, top, what neighbours hide, and their outlines in space."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.facades.cells import CellFrame
from solarkataster.facades.city_tops import WallTops
from solarkataster.facades.neighbours import Contacts, contacts
from solarkataster.facades.segments import SHORT_M, WallSegments, wall_segments
from solarkataster.grid import Grid
from solarkataster.kernels.wall_pieces import (
    FOOT0,
    FOOT1,
    FROM,
    LOW0,
    LOW1,
    SIDE,
    TO,
    TOP0,
    TOP1,
    highest_inside,
    wall_pieces,
    wall_rings,
)
from solarkataster.kernels.wall_tops import (
    FROM_CELLS,
    meet_planes,
    plane_stretches,
)
from solarkataster.roofs.model import MIN_ROOF_HEIGHT_M, RoofModel

#: A receiver stands so far outside the wall line: the least error a raster allows. [cells]
OUTSIDE_CELLS = 0.5

#: So far inside a wall the outlines of planes are asked which plane is over it. [m]
INSET_M = 0.05

#: Parts of a wall without a plane up to this length take the planes beside them. [m]
CLOSED_M = 0.5

#: So far behind a wall its parapet is looked for, at least one cell and a half. [m]
RIM_M = 0.5

#: Planes no farther apart at their border than this meet in a ridge, hip or valley, which is put
#: where their heights agree, no farther off than this. [m]
STEP_M, MEET_M = 0.35, 0.75

#: Largest distance of the places at which ground and cells are read along a wall. [m]
SPACING_M = 1.0

#: What stands out less over a neighbour is noise, and a smaller wall is none. [m, m²]
LEAST_HEIGHT_M, LEAST_WALL_M2 = 0.3, 0.25

#: Corners of a wall's outline are left out this near to the line between their neighbours. [m]
NEAR_M = 0.01

#: Why a wall has no visible part.
PARTY_WALL = "hidden by a neighbour"
NO_HEIGHT = "no height of roof or terrain known at the wall"
LOW = "roof not above the terrain at the wall"


@dataclass(frozen=True, eq=False)
class Walls:
    """
    Walls of one building, in reading order of their middles.

    Attributes
    ----------
    segments : WallSegments
        Their sides, azimuths and lengths.
    area_m2, hidden_area_m2 : ndarray, shape (n_wall,)
        What is seen of each wall, and what neighbours hide. [m²]
    foot_m, top_m : ndarray, shape (n_wall,)
        Lowest visible point and highest point, NaN if nothing is seen. [m]
    ground_m : ndarray, shape (n_wall,)
        Mean terrain along the wall; NaN likewise. [m]
    from_cells_fraction : ndarray, shape (n_wall,)
        Share of the visible length whose top was read from cells, not from planes. [–]
    reason : tuple of str, length n_wall
        Why nothing of a wall is seen; empty if it is seen.
    ring_xyz : ndarray, shape (n_point, 3)
        Closed outlines of the visible parts: easting, northing, height. [m]
    ring_first : ndarray of int, shape (n_ring + 1,)
    ring_wall : ndarray of int, shape (n_ring,)
        In the order of the walls.
    pieces, planes : ndarray
        Straight pieces (see `kernels.wall_pieces`) of the sides in their order, and the planes
        above them from the local origin.
    """

    segments: WallSegments
    area_m2: np.ndarray
    hidden_area_m2: np.ndarray
    foot_m: np.ndarray
    top_m: np.ndarray
    ground_m: np.ndarray
    from_cells_fraction: np.ndarray
    reason: tuple[str, ...]
    ring_xyz: np.ndarray
    ring_first: np.ndarray
    ring_wall: np.ndarray
    pieces: np.ndarray = field(repr=False)
    planes: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.area_m2)

    @property
    def is_seen(self) -> np.ndarray:
        """Walls of which something is seen, (n_wall,) bool."""
        return np.array([reason == "" for reason in self.reason], dtype=bool)

    @property
    def covered_fraction(self) -> float:
        """Share of the wall length that is seen or known to be hidden."""
        known = np.array([reason in ("", PARTY_WALL) for reason in self.reason], dtype=bool)
        return float(self.segments.length_m[known].sum() / self.segments.length_m.sum())

    def rings(self, wall: int) -> list[np.ndarray]:
        """Closed outlines in space of one wall's visible parts, each (n_point, 3)."""
        return [
            self.ring_xyz[self.ring_first[k] : self.ring_first[k + 1]]
            for k in np.flatnonzero(self.ring_wall == wall)
        ]


def building_walls(
    footprint: shapely.Polygon | shapely.MultiPolygon,
    model: RoofModel | None,
    grid: Grid,
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    neighbours: np.ndarray,
    *,
    gap_m: float = 0.4,
    short_m: float = SHORT_M,
    tops: WallTops | None = None,
) -> Walls:
    """
    Walls of a building with what is seen of them.

    Parameters
    ----------
    footprint : Polygon or MultiPolygon
        Valid outline of the walls, in the coordinates of the grid. [m]
    model : RoofModel or None
        The building's roof; None if no planes were found: tops are then read from cells.
    grid : Grid
        A window of the surface model that reaches at least 3 m around the footprint.
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        Surface and terrain; NaN for no data. [m]
    neighbours : ndarray of shapely geometry
        Other footprints around; one equal to the footprint is passed over.
    gap_m : float
        Neighbours up to this far hide a wall as if they touched it; at least half a cell, where the
        receivers of the wall would stand in the neighbour. [m]
    short_m : float
        Shorter sides are merged with the walls beside them. [m]
    tops : WallTops, optional
        Tops that are known otherwise, of the sides in the order of ``Walls.segments.order``; the
        roof is asked only beside them. See `city_walls.lod2_walls`.

    Returns
    -------
    walls : Walls

    Raises
    ------
    InputError
        If shapes differ, the footprint is no valid area or a length is negative.

    Notes
    -----
    The top is the height of the roof's planes at the wall line, changing from plane to plane where
    their outlines reach the wall; where two meet without a step, in the point where their heights
    agree. So gables end in a point and steps stay steps. A parapet along the wall counts. Where no
    plane is known it is the highest cell just behind the line. Up to the height of a neighbour's
    roof just beyond the line the wall is hidden; that height comes from cells half a metre to two
    metres behind the line, so that it needs no model of the neighbour's roof.
    """
    _check(footprint, grid, elevation_m, terrain_m, gap_m, short_m)
    gap_m = max(gap_m, OUTSIDE_CELLS * grid.cell_size_m)
    segments = wall_segments(footprint, short_m=short_m)
    frame = CellFrame.of(grid, segments.origin_m)
    start, end = segments.start[segments.order], segments.end[segments.order]
    planes, stretches = _tops(model, segments.origin_m, start, end, elevation_m, frame)
    if tops is not None:
        planes, stretches = tops.over(planes, stretches)
    touching = _touching(neighbours, footprint, gap_m)
    hidden = contacts(start, end, touching, segments.origin_m, frame, elevation_m, gap_m)

    def pieces_over(hides: Contacts):
        return wall_pieces(
            start, end, planes, stretches, hides.table, hides.node_at, hides.node_z,
            elevation_m, terrain_m, frame.numbers, SPACING_M, LEAST_HEIGHT_M,
        )  # fmt: skip

    pieces, no_height_m, hidden_m2 = pieces_over(hidden)
    if tops is not None and tops.is_open.any():  # below them nothing is seen, nor hidden
        pieces, no_height_m, _ = pieces_over(hidden.joined(tops.passages))
    return _summed(segments, pieces, planes, no_height_m, hidden_m2)


def _check(footprint, grid, elevation_m, terrain_m, gap_m, short_m) -> None:
    for name, array in (("elevation_m", elevation_m), ("terrain_m", terrain_m)):
        if array.shape != grid.shape:
            raise InputError(
                f"{name} has shape {array.shape}, the grid has {grid.shape}",
                expected="equal shapes",
            )
    if not isinstance(footprint, shapely.Polygon | shapely.MultiPolygon) or footprint.is_empty:
        raise InputError("the footprint is no area", expected="a Polygon or MultiPolygon")
    if not footprint.is_valid:
        raise InputError(
            f"the footprint is invalid ({shapely.is_valid_reason(footprint)})",
            remedy="repair it first, for example with shapely.make_valid",
        )
    for name, value in (("gap_m", gap_m), ("short_m", short_m)):
        if not value >= 0.0:
            raise InputError(f"{name} = {value}", expected="0 or more metres")


def _touching(neighbours, footprint, gap_m: float) -> np.ndarray:
    """The neighbours that are no farther than the gap."""
    neighbours = np.asarray(neighbours, dtype=object)
    if len(neighbours) == 0:
        return neighbours
    reach = shapely.box(*(np.array(footprint.bounds) + np.array([-1, -1, 1, 1]) * gap_m))
    near = neighbours[shapely.intersects(neighbours, reach)]
    near = shapely.make_valid(near)  # a neighbour's fault must not cost this building its walls
    return near[shapely.dwithin(near, footprint, gap_m) & ~shapely.equals(near, footprint)]


def _tops(model: RoofModel | None, origin_m, start, end, elevation_m, frame: CellFrame):
    """Planes from the origin, and which of them lies over which stretch of every side."""
    if model is None:
        n = len(start)
        none = np.full(n, FROM_CELLS)
        length_m = np.hypot(*(end - start).T)
        return np.zeros((0, 4)), (np.arange(n), none, np.zeros(n), length_m)
    planes = _equations(model, origin_m)
    edges, owner = _edges(model.outlines, origin_m)
    side, plane, begin, finish = plane_stretches(
        start, end, edges, owner, len(planes), INSET_M, CLOSED_M
    )
    meet_planes(start, end, planes, side, plane, begin, finish, STEP_M, MEET_M)
    planes = np.concatenate([planes, np.zeros((len(planes), 1))], axis=1)
    rims = [k for k, kind in enumerate(model.superstructures.kind) if kind == "parapet"]
    along = (end - start) / np.hypot(*(end - start).T)[:, None]
    places = start[side] + (0.5 * (begin + finish))[:, None] * along[side]
    places = places + INSET_M * np.stack([-along[side, 1], along[side, 0]], axis=1) + origin_m
    for k in rims:
        host = int(model.superstructures.plane[k]) - 1
        polygon = model.superstructures.polygon[k]
        stands = (plane == host) & shapely.contains_xy(polygon, places[:, 0], places[:, 1])
        for i in np.flatnonzero(stands):
            rim_m = _rim_m(
                start[side[i]], along[side[i]], begin[i], finish[i], planes[host], elevation_m,
                frame,
            )  # fmt: skip
            plane[i] = len(planes)
            raised = np.append(planes[host, :3], min(rim_m, model.superstructures.height_m[k]))
            planes = np.concatenate([planes, raised[None]])
    return planes, (side, plane, begin, finish)


def _rim_m(start, along, begin, finish, equation, elevation_m, frame: CellFrame) -> float:
    """
    Height of a parapet along a stretch over its plane: median of the highest cells behind the wall.

    The parapet's own height is that of its highest cell, be it an aerial. [m]
    """
    n = max(1, round((finish - begin) / SPACING_M))
    rises = []
    for at in begin + (np.arange(n) + 0.5) * (finish - begin) / n:
        x, y = start + at * along
        depth_m = max(RIM_M, 1.5 * frame.numbers[2])
        top = highest_inside(
            start[0], start[1], along[0], along[1], at, 0.5 * SPACING_M, depth_m, elevation_m,
            frame.numbers,
        )  # fmt: skip
        rises.append(top - (equation[0] * x + equation[1] * y + equation[2]))
    known = np.array(rises)[np.isfinite(rises)]
    return float(max(0.0, np.median(known))) if len(known) else 0.0


def _equations(model: RoofModel, origin_m) -> np.ndarray:
    """Planes as ``z = a x + b y + c`` from the origin, (n_plane, 3)."""
    planes = model.planes
    x, y = CellFrame.of(model.grid, origin_m).centre(*planes.first_cell)
    base_m = planes.elevation_at_first_cell_m - planes.slope_east * x - planes.slope_north * y
    return np.stack([planes.slope_east, planes.slope_north, base_m], axis=1)


def _edges(outlines, origin_m) -> tuple[np.ndarray, np.ndarray]:
    """Edges of all outlines from the origin, (n_edge, 4), and the plane of each."""
    parts, plane = shapely.get_parts(np.array(outlines, dtype=object), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    xy = np.round(xy - origin_m, 6)
    goes_on = ring[1:] == ring[:-1]
    return np.concatenate([xy[:-1], xy[1:]], axis=1)[goes_on], plane[part[ring[1:][goes_on]]]


def _is_ground(pieces, wall, n_wall: int) -> np.ndarray:
    """Walls whose cells nowhere stand as high over the terrain as the lowest roof."""
    height_m = pieces[:, [TOP0, TOP1]].max(axis=1) - pieces[:, [FOOT0, FOOT1]].min(axis=1)
    height_m[pieces[:, -1] != FROM_CELLS] = np.inf
    highest_m = np.full(n_wall, -np.inf)
    np.maximum.at(highest_m, wall, height_m)
    return highest_m < MIN_ROOF_HEIGHT_M


def _summed(segments: WallSegments, pieces, planes, no_height_m, hidden_m2) -> Walls:
    """Areas and heights of the walls from their pieces, and their outlines."""
    n_wall = len(segments)
    wall_of_side = segments.wall[segments.order]
    wall = wall_of_side[pieces[:, SIDE].astype(np.int64)]
    width_m = pieces[:, TO] - pieces[:, FROM]
    height_m = 0.5 * (pieces[:, TOP0] + pieces[:, TOP1] - pieces[:, LOW0] - pieces[:, LOW1])
    area_m2 = np.bincount(wall, width_m * height_m, n_wall)
    hidden_area_m2 = np.bincount(wall_of_side, hidden_m2, n_wall)
    unknown_m = np.bincount(wall_of_side, no_height_m, n_wall)
    reason = np.where(area_m2 >= LEAST_WALL_M2, "", LOW).astype(object)
    reason[(reason != "") & (hidden_area_m2 > 0.0)] = PARTY_WALL
    reason[(reason != "") & (unknown_m > 0.5 * segments.length_m)] = NO_HEIGHT
    reason[(reason == "") & _is_ground(pieces, wall, n_wall)] = LOW
    is_seen = reason == ""
    kept = is_seen[wall]
    pieces, wall, width_m = pieces[kept], wall[kept], width_m[kept]
    foot_m, top_m = np.full(n_wall, np.inf), np.full(n_wall, -np.inf)
    np.minimum.at(foot_m, wall, np.minimum(pieces[:, LOW0], pieces[:, LOW1]))
    np.maximum.at(top_m, wall, np.maximum(pieces[:, TOP0], pieces[:, TOP1]))
    seen_m = np.where(is_seen, np.bincount(wall, width_m, n_wall), np.nan)
    ground_m = np.bincount(wall, width_m * 0.5 * (pieces[:, FOOT0] + pieces[:, FOOT1]), n_wall)
    from_cells_m = np.bincount(wall, width_m * (pieces[:, -1] == FROM_CELLS), n_wall)
    start = segments.start[segments.order]
    along = segments.end[segments.order] - start
    along = along / np.hypot(*along.T)[:, None]
    xyz, first, ring_wall = wall_rings(pieces, wall_of_side, start, along, NEAR_M)
    xyz[:, :2] += segments.origin_m
    return Walls(
        segments=segments,
        area_m2=np.where(is_seen, area_m2, 0.0),
        hidden_area_m2=hidden_area_m2,
        foot_m=np.where(is_seen, foot_m, np.nan),
        top_m=np.where(is_seen, top_m, np.nan),
        ground_m=ground_m / seen_m,
        from_cells_fraction=from_cells_m / seen_m,
        reason=tuple(reason.tolist()),
        ring_xyz=xyz,
        ring_first=first,
        ring_wall=ring_wall,
        pieces=pieces,
        planes=planes,
    )
