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
    mask = np.zeros(grid.shape, dtype=bool)
    known = footprints[~shapely.is_missing(footprints) & ~shapely.is_empty(footprints)]
    for footprint in known[shapely.intersects(known, shapely.box(*grid.bounds))]:
        window = grid.crop(footprint.bounds)
        row, col = grid.offset_of(window)
        part = np.s_[row : row + window.shape[0], col : col + window.shape[1]]
        mask[part] |= cells_inside(footprint, window)
    return mask


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
