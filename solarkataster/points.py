"""Laser points near a building, and one height a cell from them."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.kernels import points as kernels

#: Classes of ASPRS that are plants, and never a roof.
VEGETATION_CLASSES = (3, 4, 5)

#: Cells of the index. One of them holds a dozen points or so. [m]
_INDEX_CELL_M = 1.0
#: More cells than this make no look-up quicker, only memory fuller.
_MAX_INDEX_CELLS = 20_000_000

#: Cells are whole multiples of this, within these sizes: 20 points/m² and more fill the smallest,
#: under one point/m² no roof can be made out.
_CELL_STEPS_PER_M = 20
MIN_CELL_M, MAX_CELL_M = 0.2, 1.0

#: Echoes this far below the top of a cell may stand for it: more than the noise of a scan and the
#: fall of a roof within a cell, less than a parapet. [m]
_DEPTH_M = 0.3


@dataclass(frozen=True)
class Points:
    """
    Laser points in the metres of a projected coordinate system.

    Parameters
    ----------
    easting_m, northing_m, elevation_m : ndarray, shape (n_point,), float64
        Place, and height above the datum. [m]
    classification : ndarray, shape (n_point,), uint8
        ASPRS class: 2 ground, 6 building ...
    return_number, n_returns : ndarray, shape (n_point,), uint8
        Which echo of its pulse, from 1, and how many there were.
    """

    easting_m: np.ndarray
    northing_m: np.ndarray
    elevation_m: np.ndarray
    classification: np.ndarray
    return_number: np.ndarray
    n_returns: np.ndarray

    def __len__(self) -> int:
        return len(self.easting_m)

    def take(self, which: np.ndarray | slice) -> Points:
        """Those points that an index, a slice or a mask names."""
        return Points(
            self.easting_m[which],
            self.northing_m[which],
            self.elevation_m[which],
            self.classification[which],
            self.return_number[which],
            self.n_returns[which],
        )


@dataclass(frozen=True)
class LatticeHeights:
    """
    At most one height a cell, with its true place.

    Parameters
    ----------
    grid : Grid
        Its cells lie on whole multiples of the cell size, for every window alike; its coordinate
        system is an empty text: points know none.
    elevation_m : ndarray, shape (ny, nx), float64
        NaN where no point of a roof or of the ground is; ground where ``n_points`` is 0. [m]
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), float64
        Where in the cell the height was measured, off its centre; 0 where there is none. [m]
    n_points : ndarray, shape (ny, nx), int32
        Echoes of roof classes in the cell, those between the first and the last left out.
    density_per_m2 : float
        Last echoes of roof classes over the footprint: how densely roofs were hit. [m⁻²]
    """

    grid: Grid
    elevation_m: np.ndarray
    offset_east_m: np.ndarray
    offset_north_m: np.ndarray
    n_points: np.ndarray
    density_per_m2: float


@dataclass(frozen=True)
class PointsIndex:
    """
    Points sorted by cell, so that those near a building are found at once.

    Parameters
    ----------
    points : Points
        Sorted by cell, row by row from the south; within a cell by place.
    start : ndarray, shape (n_row * n_col + 1,), int64
        Where each cell's points begin, and the end of the last.
    first_row, first_col : int
        First cell, counted from northing and easting 0, northwards and eastwards.
    n_row, n_col : int
    cell_size_m : float
        [m]
    """

    points: Points
    start: np.ndarray
    first_row: int
    first_col: int
    n_row: int
    n_col: int
    cell_size_m: float

    def near(self, bounds: tuple[float, float, float, float], margin_m: float = 2.0) -> Points:
        """
        All points that :func:`lattice_heights` needs for a footprint of these bounds.

        Parameters
        ----------
        bounds : tuple of float
            West, south, east, north of the footprint. [m]
        margin_m : float
            That of the lattice. Its outermost cells reach beyond it by up to a cell. [m]
        """
        margin_m += MAX_CELL_M
        west_m, south_m, east_m, north_m = bounds
        size_m = self.cell_size_m
        col0 = max(math.floor((west_m - margin_m) / size_m) - self.first_col, 0)
        row0 = max(math.floor((south_m - margin_m) / size_m) - self.first_row, 0)
        col1 = min(math.floor((east_m + margin_m) / size_m) - self.first_col, self.n_col - 1)
        row1 = min(math.floor((north_m + margin_m) / size_m) - self.first_row, self.n_row - 1)
        if col1 < col0 or row1 < row0:
            return self.points.take(slice(0, 0))
        return self.points.take(
            kernels.points_of_cells(self.start, self.n_col, row0, row1, col0, col1)
        )


def index_points(points: Points) -> PointsIndex:
    """
    Sort points by cell, and within a cell by place.

    Parameters
    ----------
    points : Points
        In any order; the index of the same points is always the same.

    Returns
    -------
    PointsIndex
        Points that are the same in everything are kept once: tiles of a flight overlap.
    """
    if not len(points):
        return PointsIndex(points, np.zeros(2, dtype=np.int64), 0, 0, 1, 1, _INDEX_CELL_M)
    place = points.easting_m, points.northing_m
    size_m = _INDEX_CELL_M
    while True:
        first_col, last_col = (math.floor(f(place[0]) / size_m) for f in (np.min, np.max))
        first_row, last_row = (math.floor(f(place[1]) / size_m) for f in (np.min, np.max))
        n_col, n_row = last_col - first_col + 1, last_row - first_row + 1
        if n_col * n_row <= _MAX_INDEX_CELLS:
            break
        size_m *= 2.0
    cell = np.empty(len(points), dtype=np.int64)
    kernels.cell_of_each(*place, size_m, first_col, first_row, n_col, cell)
    start = kernels.cell_starts(cell, n_col * n_row)
    order = kernels.order_by_cell(cell, start)
    rest = _rest_of(points)
    kernels.sort_within_cells(
        order, start, points.northing_m, points.easting_m, points.elevation_m, rest
    )
    points, rest = points.take(order), rest[order]
    again = kernels.is_repeated(points.northing_m, points.easting_m, points.elevation_m, rest)
    if again.any():
        start = kernels.cell_starts(cell[order][~again], n_col * n_row)
        points = points.take(~again)
    return PointsIndex(points, start, first_row, first_col, n_row, n_col, size_m)


def _rest_of(points: Points) -> np.ndarray:
    """Class and echo of each point as one number."""
    rest = points.classification.astype(np.int32) << 16
    return rest | (points.return_number.astype(np.int32) << 8) | points.n_returns


def cells_near(footprints: np.ndarray, grid: Grid, margin_m: float = 2.0) -> np.ndarray:
    """
    Cells whose points :func:`lattice_heights` may need.

    Whole bounds, not outlines: a lattice fills the corners of its window too, and what is in them
    must not depend on which other buildings are asked for.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n_building,)
        Missing and empty ones need none. [m]
    grid : Grid
    margin_m : float
        That of the lattices. [m]

    Returns
    -------
    ndarray of bool, shape (ny, nx)
    """
    keep = np.zeros(grid.shape, dtype=bool)
    reach_m = margin_m + MAX_CELL_M
    bounds = shapely.bounds(footprints) + np.array([-reach_m, -reach_m, reach_m, reach_m])
    for west_m, south_m, east_m, north_m in bounds[np.isfinite(bounds).all(axis=1)]:
        part = grid.crop((west_m, south_m, east_m, north_m))
        row, col = grid.offset_of(part)
        keep[row : row + part.shape[0], col : col + part.shape[1]] = True
    return keep


def lattice_heights(
    points: Points,
    footprint: shapely.Geometry,
    *,
    margin_m: float = 2.0,
    roof_classes: Collection[int] = (0, 1, 6, 20),
    ground_classes: Collection[int] = (2,),
    crs: str = "",
) -> LatticeHeights | None:
    """
    One height a cell of a building and its surroundings, from laser points.

    Parameters
    ----------
    points : Points
        All that lie near the building; others, and their order, change nothing.
    footprint : shapely geometry
        [m]
    margin_m : float
        How far around the footprint's bounds the lattice reaches, so that eaves are seen. [m]
    roof_classes : collection of int
        Classes that may be a roof; well-used building classes leave chimneys and dormers to
        class 1. Vegetation is never a roof.
    ground_classes : collection of int
        Classes of the ground, which tells a void from the ground beside a wall.
    crs : str
        Coordinate system that the lattice's grid is to name.

    Returns
    -------
    LatticeHeights or None
        None if no echo of a roof class ends over the footprint.

    Raises
    ------
    InputError
        If a roof class is vegetation or ground.

    Notes
    -----
    Cells are the smallest multiples of 0.05 m with at least one echo each on average over the
    footprint, within 0.2 and 1 m, on whole multiples of their size from easting and northing 0.
    Over a crown on a roof the first echo comes from the leaves, the last from the roof: a cell
    takes last (or only) echoes of roof classes; if it has none, last echoes of the ground; if it
    has none either, first of several echoes (the rim of a roof). Of those within 0.3 m below the
    highest, the one nearest the cell's centre counts: the highest alone lies too high by the
    noise of the scan.
    """
    roof, ground = class_tables(roof_classes, ground_classes)
    west_m, south_m, east_m, north_m = footprint.bounds
    kind = np.empty(len(points), dtype=np.uint8)
    kernels.echo_kinds(
        points.classification, points.return_number, points.n_returns, roof, ground, kind
    )
    density_per_m2 = _density_per_m2(points, kind, footprint)
    if density_per_m2 == 0.0:
        return None
    size_m = lattice_cell_size_m(density_per_m2)
    first_col = math.floor((west_m - margin_m) / size_m)
    last_row = math.floor((north_m + margin_m) / size_m)
    shape = (
        last_row - math.floor((south_m - margin_m) / size_m) + 1,
        math.floor((east_m + margin_m) / size_m) - first_col + 1,
    )
    grid = Grid(shape, first_col * size_m, (last_row + 1) * size_m, size_m, crs)
    n_points = np.zeros(shape, dtype=np.int32)
    elevation_m = np.full(shape, np.nan)
    offset_east_m, offset_north_m = np.zeros(shape), np.zeros(shape)
    place = points.easting_m, points.northing_m, points.elevation_m
    best, top_m, cell = kernels.cell_tops(*place, kind, size_m, first_col, last_row, n_points)
    kernels.nearest_near_top(
        *place, kind, cell, best, top_m, _DEPTH_M, size_m, first_col, last_row,
        elevation_m, offset_east_m, offset_north_m,
    )  # fmt: skip
    return LatticeHeights(
        grid, elevation_m, offset_east_m, offset_north_m, n_points, density_per_m2
    )


def lattice_cell_size_m(density_per_m2: float) -> float:
    """Edge of a lattice's cells: one point a cell or a little more, in steps of 0.05 m. [m]"""
    # The tolerance keeps 4 points/m² at 0.5 m whatever the last bit of a root.
    steps = math.ceil(_CELL_STEPS_PER_M / math.sqrt(density_per_m2) - 1e-9)
    return min(max(steps / _CELL_STEPS_PER_M, MIN_CELL_M), MAX_CELL_M)


def _density_per_m2(points: Points, kind: np.ndarray, footprint: shapely.Geometry) -> float:
    """Last echoes of roof classes over the footprint, by area; 0 if there are none."""
    west_m, south_m, east_m, north_m = footprint.bounds
    area_m2 = footprint.area
    if not area_m2 > 0.0:
        return 0.0
    near = (points.easting_m >= west_m) & (points.easting_m <= east_m) & (kind == kernels.ROOF)
    near &= (points.northing_m >= south_m) & (points.northing_m <= north_m)
    shapely.prepare(footprint)
    inside = shapely.contains_xy(footprint, points.easting_m[near], points.northing_m[near])
    return float(np.count_nonzero(inside)) / area_m2


def class_tables(
    roof_classes: Collection[int], ground_classes: Collection[int]
) -> tuple[np.ndarray, np.ndarray]:
    """
    Two choices of classes as 256 yes and no each.

    Raises
    ------
    InputError
        If a roof class is vegetation or ground.
    """
    wrong = sorted(set(roof_classes) & ({*VEGETATION_CLASSES} | set(ground_classes)))
    if wrong:
        raise InputError(
            f"class {wrong[0]} is named as a roof",
            where="roof_classes in [points]",
            expected="classes that are neither vegetation (3, 4, 5) nor ground",
            remedy=f"Take {wrong[0]} out of roof_classes.",
        )
    tables = np.zeros((2, 256), dtype=np.bool_)
    tables[0, [c for c in roof_classes if 0 <= c < 256]] = True
    tables[1, [c for c in ground_classes if 0 <= c < 256]] = True
    return tables[0], tables[1]
