"""Points on the walls of one building that collect their light, storey by storey."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.facades.cells import CellFrame
from solarkataster.facades.walls import OUTSIDE_CELLS, Walls
from solarkataster.grid import Grid
from solarkataster.kernels.wall_columns import (
    AREA,
    AT,
    CHORD,
    GROUND,
    HEIGHT,
    LOW,
    OF_SIDE,
    ROOF,
    STOREY,
    TOP,
    wall_points,
)
from solarkataster.kernels.wall_pieces import FROM, PLANE, SIDE, TO, terrain_at_places
from solarkataster.kernels.wall_tops import FROM_CELLS
from solarkataster.receivers import Receivers

#: Shallower eaves are none: the survey of walls is no better. [m]
LEAST_DEPTH_M = 0.05

#: Roofs under this tilt seldom have eaves. [°]
FLAT_DEG = 3.0

#: A receiver below the surface before its wall is lifted so far over it. [m]
CLEARANCE_M = 0.05


@dataclass(frozen=True, eq=False)
class WallReceivers:
    """
    Receivers on the walls of one building, wall after wall, along each and upwards.

    Attributes
    ----------
    receivers : Receivers
        Their surfaces are the straight chords of the walls; ``top_tangent`` is that of the eaves,
        0 if they hang lower than the receiver.
    wall : ndarray of int32, shape (n,)
        Wall of each, as numbered in `Walls`.
    area_m2 : ndarray, shape (n,)
        Share of the wall's visible area. [m²]
    height_m : ndarray, shape (n,)
        Over the terrain at the wall. [m]
    low_m : ndarray, shape (n,)
        Lower edge of the visible wall below the receiver: terrain or a neighbour's roof. [m]
    storey : ndarray of int32, shape (n,)
        0 at the ground.
    easting_m, northing_m : ndarray, shape (n,)
        Place on the wall line. [m]
    eaves_depth_m : ndarray, shape (n,)
        How far the roof reaches beyond the wall above; NaN if that is not known. [m]
    eaves_height_m : ndarray, shape (n,)
        Lower edge of the eaves over the receiver; inf without eaves. [m]
    top_over_m : ndarray, shape (n,)
        The roof over the receiver, at the edge of the eaves or without them at the wall. [m]
    is_lifted : ndarray of bool, shape (n,)
        Moved up, out of ground or sheds before the wall.
    buried_area_m2 : ndarray, shape (n_wall,)
        Area of each wall behind what stands right before it: it has no receivers. [m²]
    """

    receivers: Receivers
    wall: np.ndarray
    area_m2: np.ndarray
    height_m: np.ndarray
    low_m: np.ndarray
    storey: np.ndarray
    easting_m: np.ndarray
    northing_m: np.ndarray
    eaves_depth_m: np.ndarray
    eaves_height_m: np.ndarray
    top_over_m: np.ndarray
    is_lifted: np.ndarray
    buried_area_m2: np.ndarray

    def __len__(self) -> int:
        return len(self.wall)

    def storeys(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Wall, storey and area [m²] of every storey that has receivers, in order."""
        n = int(self.storey.max(initial=0)) + 1
        keys, place = np.unique(self.wall * n + self.storey, return_inverse=True)
        return keys // n, keys % n, np.bincount(place, self.area_m2, len(keys))


def wall_receivers(
    walls: Walls,
    grid: Grid,
    *,
    depth_m: np.ndarray | None = None,
    along_m: float = 1.0,
    up_m: float = 1.5,
    storey_height_m: float = 2.8,
) -> WallReceivers:
    """
    Receivers on all visible walls of a building.

    Parameters
    ----------
    walls : Walls
    grid : Grid
        Window in whose cells the receivers are placed.
    depth_m : ndarray, shape (n_side,), optional
        Depth of the roof's overhang over each side of the footprint, in the order of
        ``walls.segments.sides`` (that of `Overhang.depth_m`); NaN: not known, taken as none. [m]
    along_m, up_m : float
        Largest distance of receivers along and up a wall. [m]
    storey_height_m : float
        Floor to floor. Storeys of a wall are level and counted from the mean terrain along it; what
        lies lower belongs to the lowest, and less than half a storey at the top to the one
        below it. [m]

    Returns
    -------
    found : WallReceivers
        Half a cell outside the wall line. Areas sum to the visible area of each wall. Receivers may
        still lie below what stands before the wall; see :func:`clear_of_surface`.

    Raises
    ------
    InputError
        If a distance is not positive, or the depths are not one per side.
    """
    segments = walls.segments
    depths_m = np.full(len(segments.sides), np.nan) if depth_m is None else np.asarray(depth_m)
    for name, value in (
        ("along_m", along_m), ("up_m", up_m), ("storey_height_m", storey_height_m)
    ):  # fmt: skip
        if not value > 0.0:
            raise InputError(f"{name} = {value}", expected="a length above 0 m")
    if depths_m.shape != (len(segments.sides),):
        raise InputError(
            f"depth_m has shape {depths_m.shape}",
            expected=f"({len(segments.sides)},), one depth per side of the footprint",
        )
    points, factor = _points(walls, along_m, up_m, storey_height_m)
    order = segments.order
    start = segments.start[order]
    along = segments.end[order] - start
    along = along / np.hypot(*along.T)[:, None]
    side = points[:, OF_SIDE].astype(np.int64)
    chord = points[:, CHORD].astype(np.int64)
    wall = segments.wall[order][side]
    xy = start[side] + points[:, AT, None] * along[side]
    azimuth_rad = np.radians(segments.chord_azimuth)
    out = np.stack([np.sin(azimuth_rad), np.cos(azimuth_rad)], axis=1)[chord]
    at = xy + OUTSIDE_CELLS * grid.cell_size_m * out
    row, col = CellFrame.of(grid, segments.origin_m).row_col(at[:, 0], at[:, 1])
    depths_m = depths_m[order][side]
    over_m = _top_over(points, walls.planes, xy, out, depths_m)
    eaves_m = np.where(depths_m >= LEAST_DEPTH_M, over_m, np.inf)
    return WallReceivers(
        receivers=Receivers(
            row, col, points[:, HEIGHT], chord,
            np.full(len(segments.chord_azimuth), 90.0), segments.chord_azimuth,
            top_tangent=eaves_tangent(over_m, depths_m),
        ),
        wall=wall.astype(np.int32),
        area_m2=points[:, AREA] * factor[wall],
        height_m=points[:, HEIGHT] - points[:, GROUND],
        low_m=points[:, LOW],
        storey=points[:, STOREY].astype(np.int32),
        easting_m=xy[:, 0] + segments.origin_m[0],
        northing_m=xy[:, 1] + segments.origin_m[1],
        eaves_depth_m=depths_m,
        eaves_height_m=eaves_m,
        top_over_m=over_m,
        is_lifted=np.zeros(len(points), dtype=bool),
        buried_area_m2=np.zeros(len(walls)),
    )  # fmt: skip


def _points(walls: Walls, along_m, up_m, storey_m) -> tuple[np.ndarray, np.ndarray]:
    """Points of all walls, and what their areas are multiplied with to sum to the walls'."""
    segments = walls.segments
    order = segments.order
    chord, wall = segments.chord[order], segments.wall[order]
    length_m = segments.sides.length_m[order]
    offset_m = np.zeros(len(order))
    for k in range(1, len(order)):
        if chord[k] >= 0 and chord[k] == chord[k - 1]:
            offset_m[k] = offset_m[k - 1] + length_m[k - 1]
    base_m = np.nan_to_num(walls.ground_m)
    height_m = np.nan_to_num(walls.top_m) - base_m
    n_storey = np.maximum(1, np.floor(height_m / storey_m + 0.5)).astype(np.int64)
    points = wall_points(
        walls.pieces, chord, offset_m, wall, base_m, n_storey, storey_m, along_m, up_m
    )
    covered_m2 = np.bincount(wall[points[:, OF_SIDE].astype(np.int64)], points[:, AREA], len(walls))
    return points, walls.area_m2 / np.where(covered_m2 > 0.0, covered_m2, 1.0)


def _top_over(points, planes, xy, out, depth_m) -> np.ndarray:
    """Lower edge of the eaves over each receiver, or the top of the wall without eaves. [m]"""
    has = depth_m >= LEAST_DEPTH_M
    edge = xy + np.where(has, depth_m, 0.0)[:, None] * out
    plane = points[:, ROOF].astype(np.int64)
    level_m = points[:, TOP].copy()
    known = plane != FROM_CELLS
    a, b, c, rim_m = planes[plane[known]].T
    level_m[known] = a * edge[known, 0] + b * edge[known, 1] + c + rim_m
    return level_m - points[:, HEIGHT]


def flat_roof_sides(walls: Walls) -> np.ndarray:
    """
    Sides of a footprint under a flat roof or a parapet, which seldom have eaves.

    Parameters
    ----------
    walls : Walls

    Returns
    -------
    is_flat : ndarray of bool, shape (n_side,)
        In the order of ``walls.segments.sides``: sides at most of whose length the top is a plane
        under `FLAT_DEG` or a parapet.
    """
    n = len(walls.segments.sides)
    pieces = walls.pieces
    plane = pieces[:, PLANE].astype(np.int64)
    known = plane != FROM_CELLS
    is_flat = np.zeros(len(pieces), dtype=bool)
    a, b, _, rim_m = walls.planes[plane[known]].T
    is_flat[known] = (np.hypot(a, b) < np.tan(np.radians(FLAT_DEG))) | (rim_m > 0.0)
    width_m = pieces[:, TO] - pieces[:, FROM]
    side = pieces[:, SIDE].astype(np.int64)
    flat_m, total_m = np.bincount(side, width_m * is_flat, n), np.bincount(side, width_m, n)
    found = np.zeros(n, dtype=bool)
    found[walls.segments.order] = flat_m > 0.5 * total_m
    return found


def eaves_tangent(over_m: np.ndarray, depth_m: np.ndarray) -> np.ndarray:
    """
    Tangent of the highest elevation from which light comes square to a wall under its eaves.

    Parameters
    ----------
    over_m : ndarray, shape (n,)
        Edge of the eaves over each receiver. [m]
    depth_m : ndarray, shape (n,)
        How far it reaches beyond the wall; under `LEAST_DEPTH_M` or NaN there are none. [m]

    Returns
    -------
    tangent : ndarray, shape (n,)
        From the wall's plane; inf without eaves, 0 if they hang lower than the receiver. [–]
    """
    has = depth_m >= LEAST_DEPTH_M
    return np.where(has, np.maximum(over_m, 0.0) / np.where(has, depth_m, 1.0), np.inf)


def clear_of_surface(
    found: WallReceivers,
    walls: Walls,
    footprint: shapely.Geometry,
    grid: Grid,
    surface_m: np.ndarray,
    terrain_m: np.ndarray,
    *,
    max_lift_m: float = 0.5,
) -> WallReceivers:
    """
    Lift receivers out of what stands right before their wall, or leave them out.

    Parameters
    ----------
    found : WallReceivers
        Placed in cells of the grid.
    walls : Walls
    footprint : shapely geometry
        Of the building; its own cells do not bury its receivers.
    grid : Grid
    surface_m : ndarray, shape (ny, nx)
        What the walls look at, eaves and neighbours' cells cut back (see `surface`). [m]
    terrain_m : ndarray, shape (ny, nx)
        [m]
    max_lift_m : float
        What lies deeper is left out, and its area told in ``buried_area_m2``. [m]

    Returns
    -------
    clear : WallReceivers
        None of them lies below the cell that holds it, or the terrain at its place, or off the
        raster.
    """
    points = found.receivers
    frame = CellFrame.of(grid, walls.segments.origin_m)
    rows, cols, own = _cells(found, walls, footprint, grid)
    before_m = np.where(own, -np.inf, surface_m[rows, cols])
    at_x = (points.col + frame.first_col + 0.5) * frame.cell_m - frame.east_m
    at_y = frame.north_m - (points.row + frame.first_row + 0.5) * frame.cell_m
    ground_m = terrain_at_places(at_x, at_y, terrain_m, frame.numbers)
    before_m = np.fmax(before_m, ground_m)
    is_low = points.elevation_m < before_m
    lifted_m = before_m + CLEARANCE_M
    tops_m = walls.top_m[found.wall]
    can_lift = is_low & (before_m - points.elevation_m <= max_lift_m) & (lifted_m < tops_m)
    n_row, n_col = grid.shape
    on_raster = (points.row >= -0.5) & (points.row <= n_row - 0.5)
    on_raster &= (points.col >= -0.5) & (points.col <= n_col - 0.5)
    keep = (~is_low | can_lift) & on_raster
    rise_m = np.where(can_lift, lifted_m - points.elevation_m, 0.0)
    return _raised(found, rise_m, can_lift, keep)


def _cells(found: WallReceivers, walls: Walls, footprint, grid: Grid):
    """Row and column of the cell that holds each receiver, and whether it is the building's own."""
    points, origin = found.receivers, walls.segments.origin_m
    row, col = np.floor(points.row + 0.5), np.floor(points.col + 0.5)
    x, y = CellFrame.of(grid, origin).centre(row, col)
    own = shapely.contains_xy(footprint, x + origin[0], y + origin[1])
    rows = np.clip(row.astype(np.int64), 0, grid.shape[0] - 1)
    cols = np.clip(col.astype(np.int64), 0, grid.shape[1] - 1)
    return rows, cols, own


def _raised(found: WallReceivers, rise_m, is_lifted, keep) -> WallReceivers:
    """Receivers moved up, without those that are not kept."""
    points = found.receivers
    over_m = found.top_over_m - rise_m
    tangent = eaves_tangent(over_m, found.eaves_depth_m)
    buried_m2 = np.bincount(found.wall[~keep], found.area_m2[~keep], len(found.buried_area_m2))
    return replace(
        found,
        receivers=replace(
            points,
            row=points.row[keep],
            col=points.col[keep],
            elevation_m=(points.elevation_m + rise_m)[keep],
            surface=points.surface[keep],
            top_tangent=tangent[keep],
        ),
        wall=found.wall[keep],
        area_m2=found.area_m2[keep],
        height_m=(found.height_m + rise_m)[keep],
        low_m=found.low_m[keep],
        storey=found.storey[keep],
        easting_m=found.easting_m[keep],
        northing_m=found.northing_m[keep],
        eaves_depth_m=found.eaves_depth_m[keep],
        eaves_height_m=(found.eaves_height_m - rise_m)[keep],
        top_over_m=over_m[keep],
        is_lifted=(found.is_lifted | is_lifted)[keep],
        buried_area_m2=found.buried_area_m2 + buried_m2,
    )
