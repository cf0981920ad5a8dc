"""Which cells of a raster belong to a footprint: those whose centre lies inside it."""

from __future__ import annotations

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.grid import Grid


def cells_inside(footprint: shapely.Geometry, grid: Grid) -> np.ndarray:
    """
    Cells of one footprint.

    Parameters
    ----------
    footprint : shapely geometry
        In the coordinates of the grid. [m]
    grid : Grid
        A window not much larger than the footprint: every centre is tested.

    Returns
    -------
    inside : ndarray of bool, shape (ny, nx)
    """
    shapely.prepare(footprint)
    easting_m = grid.west_m + (np.arange(grid.shape[1]) + 0.5) * grid.cell_size_m
    northing_m = grid.north_m - (np.arange(grid.shape[0]) + 0.5) * grid.cell_size_m
    return shapely.contains_xy(footprint, easting_m[None, :], northing_m[:, None])


def check_footprint(footprint: shapely.Geometry) -> None:
    """
    Refuse what is no area.

    Raises
    ------
    InputError
        If the footprint is empty, invalid, or neither a Polygon nor a MultiPolygon.
    """
    if not isinstance(footprint, shapely.Polygon | shapely.MultiPolygon) or footprint.is_empty:
        raise InputError(
            f"the footprint is {'an empty' if footprint.is_empty else 'a'} {footprint.geom_type}",
            expected="a Polygon or MultiPolygon",
        )
    if not footprint.is_valid:
        raise InputError(
            f"the footprint is invalid ({shapely.is_valid_reason(footprint)})",
            remedy="repair it first, for example with shapely.make_valid",
        )


def footprint_mask(footprints: np.ndarray, grid: Grid) -> np.ndarray:
    """
    Cells of any of many footprints.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n,)
        In the coordinates of the grid; missing and empty ones have no cells. [m]
    grid : Grid

    Returns
    -------
    inside : ndarray of bool, shape (ny, nx)
    """
    return building_cells(footprints, grid) > 0


def building_cells(footprints: np.ndarray, grid: Grid) -> np.ndarray:
    """
    Footprint in which the centre of each cell lies.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n,)
        In the coordinates of the grid; missing and empty ones have no cells. [m]
    grid : Grid

    Returns
    -------
    building : ndarray of int32, shape (ny, nx)
        Number of the footprint from 1, 0 for none; the first of those that overlap.
    """
    building = np.zeros(grid.shape, dtype=np.int32)
    known = ~shapely.is_missing(footprints) & ~shapely.is_empty(footprints)
    for i in np.flatnonzero(known & shapely.intersects(footprints, shapely.box(*grid.bounds))):
        window = grid.crop(footprints[i].bounds)
        row, col = grid.offset_of(window)
        part = building[row : row + window.shape[0], col : col + window.shape[1]]
        part[(part == 0) & cells_inside(footprints[i], window)] = i + 1
    return building


def cell_boxes(grid: Grid, row: np.ndarray, col: np.ndarray) -> shapely.Geometry | None:
    """
    Union of raster cells; None without any.

    Parameters
    ----------
    grid : Grid
    row, col : ndarray of int, shape (n,)
        Each cell once.
    """
    if len(row) == 0:
        return None
    order = np.lexsort((col, row))
    row, col = row[order], col[order]
    # Runs of neighbours in a row become one box: fewer pieces to unite.
    is_first = np.concatenate([[True], (np.diff(row) != 0) | (np.diff(col) != 1)])
    first = np.flatnonzero(is_first)
    last = np.concatenate([first[1:], [len(row)]]) - 1
    size = grid.cell_size_m
    boxes = shapely.box(
        grid.west_m + col[first] * size,
        grid.north_m - (row[first] + 1) * size,
        grid.west_m + (col[last] + 1) * size,
        grid.north_m - row[first] * size,
    )
    return shapely.union_all(boxes)
