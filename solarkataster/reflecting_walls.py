"""Walls that send light back: pieces of the sides of footprints, from foot to top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.grid import Grid
from solarkataster.receivers import Receivers

#: Shorter sides send nothing of their own. [m]
LEAST_SIDE_M = 0.5

#: A piece of a wall is at most so long, and at most so high are its bands, of which there are no
#: more than a few: each is lit once. [m]
PIECE_M, BAND_M, MOST_BANDS = 5.0, 5.0, 6

#: What is lower is no wall. [m]
LEAST_HEIGHT_M = 0.5

#: A piece is lit so far before its side, and its foot and top are read so far out and in. [cells]
_OUTSIDE = 0.5
_CLEAR_M = 0.1
_FOOT_AT, _TOP_AT = (1.0, 2.0), (0.75, 1.5)

#: Eaves over a wall: the surface with them is this much higher; looked for so far out. [m, cells]
_EAVES_M, _EAVES_AT = 0.5, np.arange(0.75, 4.0, 0.5)

#: Their facings are rounded for the light they get, so that few differ. [°]
_AZIMUTH_STEP_DEG = 2.0

#: Cells so far inside a side show its wall to a ray that enters them. [cells]
_MARKED = (-0.2, 0.4, 0.9)


@dataclass(frozen=True, eq=False)
class WallPieces:
    """
    Pieces of walls, side after side.

    Attributes
    ----------
    building : ndarray of int32, shape (n,)
        Number of the footprint, from 1.
    row, col : ndarray, shape (n,)
        Middle, in cells of the window.
    normal : ndarray, shape (n, 2)
        Outward, east and south. [–]
    length_m : ndarray, shape (n,)
    foot_m, top_m : ndarray, shape (n,)
        Lower and upper edge, read from the surface before and behind the side. [m]
    n_band : ndarray of int, shape (n,)
        Bands of equal height.
    """

    building: np.ndarray
    row: np.ndarray
    col: np.ndarray
    normal: np.ndarray
    length_m: np.ndarray
    foot_m: np.ndarray
    top_m: np.ndarray
    n_band: np.ndarray

    def __len__(self) -> int:
        return len(self.building)

    @property
    def line(self) -> np.ndarray:
        """Normal and its product with a place on the wall, in cells, (n, 3)."""
        at = self.normal[:, 0] * self.col + self.normal[:, 1] * self.row
        return np.column_stack([self.normal, at])

    @property
    def first_band(self) -> np.ndarray:
        """First band of each piece, and their number, (n + 1,)."""
        return np.concatenate([[0], np.cumsum(self.n_band)]).astype(np.int32)

    @property
    def grid_azimuth(self) -> np.ndarray:
        """Facing, clockwise from grid north. [°]"""
        return np.degrees(np.arctan2(self.normal[:, 0], -self.normal[:, 1])) % 360.0

    @property
    def band_m(self) -> np.ndarray:
        """Height of a band of each piece. [m]"""
        return (self.top_m - self.foot_m) / self.n_band


def wall_pieces(footprints: np.ndarray, grid: Grid, surface_m: np.ndarray) -> WallPieces:
    """
    Cut the sides of footprints into pieces.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n,)
        Polygons and MultiPolygons, in the coordinates of the grid. [m]
    grid : Grid
        Window; pieces whose middle lies outside are left out.
    surface_m : ndarray, shape (ny, nx)
        Surface as walls see it: no eaves before them. [m]

    Returns
    -------
    WallPieces
    """
    start, end, building = _sides(footprints, grid)
    side_m = np.hypot(*(end - start).T) * grid.cell_size_m
    n_piece = np.ceil(side_m / PIECE_M).astype(np.int64)
    side = np.repeat(np.arange(len(side_m)), n_piece)
    nth = np.arange(len(side)) - np.repeat(np.cumsum(n_piece) - n_piece, n_piece)
    along = ((nth + 0.5) / n_piece[side])[:, None]
    middle = start[side] * (1.0 - along) + end[side] * along
    direction = (end - start) / (side_m / grid.cell_size_m)[:, None]
    # To the right of a ring that has its area to the left; south grows downwards.
    normal = np.column_stack([-direction[:, 1], direction[:, 0]])[side]
    inside = ((middle > -0.5) & (middle < np.array(grid.shape)[::-1] - 0.5)).all(axis=1)
    middle, normal, side = middle[inside], normal[inside], side[inside]
    foot_m = _read(surface_m, middle, normal, _FOOT_AT).min(axis=0)
    top_m = _read(surface_m, middle, -normal, _TOP_AT).max(axis=0)
    high = top_m - foot_m >= LEAST_HEIGHT_M
    middle, normal, side = middle[high], normal[high], side[high]
    foot_m, top_m = foot_m[high], top_m[high]
    n_band = np.clip(np.ceil((top_m - foot_m) / BAND_M - 1e-9), 1, MOST_BANDS).astype(np.int64)
    return WallPieces(
        building[side], middle[:, 1], middle[:, 0], normal, (side_m / n_piece)[side], foot_m,
        top_m, n_band,
    )  # fmt: skip


def _sides(footprints: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Starts and ends (col, row) of all sides near the window, area to the left; buildings."""
    parts, of_part = shapely.get_parts(
        np.where(shapely.is_missing(footprints), shapely.Polygon(), footprints), return_index=True
    )
    near = shapely.intersects(parts, shapely.box(*grid.bounds))
    parts, of_part = shapely.orient_polygons(parts[near]), of_part[near]
    rings, of_ring = shapely.get_rings(parts, return_index=True)
    xy, of_xy = shapely.get_coordinates(rings, return_index=True)
    row, col = grid.row_col(xy[:, 0], xy[:, 1])
    at = np.column_stack([col, row])
    start, end, ring = at[:-1], at[1:], of_xy[:-1]
    long = np.hypot(*(end - start).T) * grid.cell_size_m > LEAST_SIDE_M
    keep = (of_xy[1:] == ring) & long
    building = (of_part[of_ring[ring[keep]]] + 1).astype(np.int32)
    return start[keep], end[keep], building


def _read(surface_m, at, direction, distances) -> np.ndarray:
    """Surface at some distances from places (col, row), (n_distance, n); the edge's outside."""
    out = []
    for distance in distances:
        col, row = np.floor(at + distance * direction + 0.5).astype(np.int64).T
        last = np.array(surface_m.shape) - 1
        out.append(surface_m[np.clip(row, 0, last[0]), np.clip(col, 0, last[1])])
    return np.array(out, dtype=np.float64).reshape(len(distances), len(at))


def walls_beside_cells(pieces: WallPieces, grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Which walls a ray may meet in which cell.

    Parameters
    ----------
    pieces : WallPieces
    grid : Grid

    Returns
    -------
    walls_at : ndarray of int32, shape (ny, nx)
        Row of the list below, 0 for no wall.
    first, wall : ndarray of int32
        Walls of row k: ``wall[first[k] : first[k + 1]]``.
    """
    cells_long = pieces.length_m / grid.cell_size_m
    n = np.ceil(cells_long / 0.5).astype(np.int64) + 1
    of = np.repeat(np.arange(len(pieces)), n)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(n) - n, n)
    along = (nth / (n[of] - 1) - 0.5) * cells_long[of]
    east, south = pieces.normal[of].T
    marks = []
    for inside in _MARKED:
        row = np.floor(pieces.row[of] + along * east - inside * south + 0.5).astype(np.int64)
        col = np.floor(pieces.col[of] - along * south - inside * east + 0.5).astype(np.int64)
        here = (row >= 0) & (col >= 0) & (row < grid.shape[0]) & (col < grid.shape[1])
        marks.append((row[here] * grid.shape[1] + col[here]) * len(pieces) + of[here])
    # Sorted by hand: half the time of np.unique.
    mark = np.sort(np.concatenate(marks))
    cell, wall = np.divmod(mark[np.diff(mark, prepend=-1) != 0], max(1, len(pieces)))
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    cells = cell[first]
    walls_at = np.zeros(grid.shape, dtype=np.int32)
    walls_at.reshape(-1)[cells] = np.arange(1, len(cells) + 1)
    first = np.concatenate([[0], first, [len(cell)]])
    return walls_at, first.astype(np.int32), wall.astype(np.int32)


def wall_receivers(
    pieces: WallPieces,
    surface_m: np.ndarray,
    with_eaves_m: np.ndarray | None = None,
    cell_size_m: float = 1.0,
) -> Receivers:
    """
    Where the bands of walls are lit: in their middles, half a cell out, never below the surface.

    Parameters
    ----------
    pieces : WallPieces
    surface_m : ndarray, shape (ny, nx)
        Surface of the same window. [m]
    with_eaves_m : ndarray, shape (ny, nx), optional
        The same before eaves were cut back: they shade the walls below them. [m]
    cell_size_m : float

    Returns
    -------
    Receivers
        Piece after piece, from the foot up.
    """
    east, south = pieces.normal.T
    row = np.clip(pieces.row + _OUTSIDE * south, -0.5, surface_m.shape[0] - 0.5)
    col = np.clip(pieces.col + _OUTSIDE * east, -0.5, surface_m.shape[1] - 0.5)
    of = np.repeat(np.arange(len(pieces)), pieces.n_band)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(pieces.n_band) - pieces.n_band, pieces.n_band)
    before = _read(surface_m, np.column_stack([col, row]), pieces.normal, (0.0,))[0]
    clear = np.where(np.isfinite(before), before, -np.inf) + _CLEAR_M
    middle_m = np.maximum(pieces.foot_m[of] + (nth + 0.5) * pieces.band_m[of], clear[of])
    top_tangent = np.full(len(of), np.inf)
    if with_eaves_m is not None:
        depth_m, edge_m = _eaves(pieces, surface_m, with_eaves_m, cell_size_m)
        with np.errstate(divide="ignore", invalid="ignore"):
            tangent = np.maximum(edge_m[of] - middle_m, 0.0) / depth_m[of]
        top_tangent = np.where(depth_m[of] > 0.0, tangent, np.inf)
    # Not to the even: a quarter turn would round the other way.
    steps = np.floor(pieces.grid_azimuth / _AZIMUTH_STEP_DEG + 0.5 + 1e-6)
    azimuths, surface = np.unique(steps * _AZIMUTH_STEP_DEG % 360.0, return_inverse=True)
    return Receivers(
        row[of], col[of], middle_m, surface[of], np.full(len(azimuths), 90.0), azimuths,
        top_tangent=top_tangent,
    )  # fmt: skip


def _eaves(pieces: WallPieces, surface_m, with_eaves_m, cell_size_m: float):
    """Depth of the eaves over each piece, 0 for none, and the height of their edge. [m]"""
    at = np.column_stack([pieces.col, pieces.row])
    roof_m = _read(with_eaves_m, at, pieces.normal, _EAVES_AT)
    is_eaves = roof_m - _read(surface_m, at, pieces.normal, _EAVES_AT) > _EAVES_M
    n = np.logical_and.accumulate(is_eaves, axis=0).sum(axis=0)
    first, step = _EAVES_AT[0], _EAVES_AT[1] - _EAVES_AT[0]
    depth_m = np.where(n > 0, first + (n - 0.5) * step, 0.0) * cell_size_m
    edge_m = np.take_along_axis(roof_m, np.maximum(n - 1, 0)[None, :], axis=0)[0]
    return depth_m, edge_m
