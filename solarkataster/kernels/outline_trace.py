"""Borders between regions of a raster, traced once for both sides.

A border point is (row, col) on the lattice of cell corners: corner (r, c) is the upper left one of
cell (r, c). An arc is a border between two nodes (corners where three or four borders meet) or a
closed border. Both regions beside an arc use the same points, so they share their edges exactly.
"""

from __future__ import annotations

import numpy as np
from numba import njit

#: Row and column step of the four walking directions east, south, west, north.
STEP_ROW = (0, 1, 0, -1)
STEP_COL = (1, 0, -1, 0)


@njit(nogil=True, cache=True)
def _has_edge(regions, row, col, direction):
    """Whether the unit edge that leaves an inner corner of the array is a border."""
    if direction == 0:
        return regions[row - 1, col] != regions[row, col]
    if direction == 1:
        return regions[row, col - 1] != regions[row, col]
    if direction == 2:
        return regions[row - 1, col - 1] != regions[row, col - 1]
    return regions[row - 1, col - 1] != regions[row - 1, col]


@njit(nogil=True, cache=True)
def _sides(regions, row, col, direction):
    """Regions left and right of the unit edge that leaves a corner, as seen with north up."""
    if direction == 0:
        return regions[row - 1, col], regions[row, col]
    if direction == 1:
        return regions[row, col], regions[row, col - 1]
    if direction == 2:
        return regions[row, col - 1], regions[row - 1, col - 1]
    return regions[row - 1, col - 1], regions[row - 1, col]


@njit(nogil=True, cache=True)
def _mark_edge(walked, row, col, direction):
    """Remember an edge under its west or north corner."""
    if direction == 0:
        walked[row, col, 0] = True
    elif direction == 1:
        walked[row, col, 1] = True
    elif direction == 2:
        walked[row, col - 1, 0] = True
    else:
        walked[row - 1, col, 1] = True


@njit(nogil=True, cache=True)
def _is_walked(walked, row, col, direction):
    if direction == 0:
        return walked[row, col, 0]
    if direction == 1:
        return walked[row, col, 1]
    if direction == 2:
        return walked[row, col - 1, 0]
    return walked[row - 1, col, 1]


@njit(nogil=True, cache=True)
def _degree(regions, row, col):
    n = 0
    for direction in range(4):
        n += _has_edge(regions, row, col, direction)
    return n


@njit(nogil=True, cache=True)
def trace_arcs(regions, inside):
    """
    All borders between different regions.

    Parameters
    ----------
    regions : ndarray of int32, shape (ny, nx)
        Region of each cell; the outermost ring of cells must be one region.
    inside : ndarray of bool, shape (ny, nx)
        Cells whose region was found, not continued from the nearest one.

    Returns
    -------
    corners : ndarray of int32, shape (n_point, 2)
        Row and column of all corners along all arcs; a closed arc repeats its first.
    starts : ndarray of int64, shape (n_arc + 1,)
        Where each arc begins in ``corners``.
    sides : ndarray of int32, shape (n_arc, 2)
        Region left and right of each arc.
    within : ndarray of bool, shape (n_point,)
        Whether the edge from each corner to the next touches a cell inside.
    """
    ny, nx = regions.shape
    n_edges = 0
    for row in range(1, ny):
        for col in range(1, nx):
            n_edges += _has_edge(regions, row, col, 0) + _has_edge(regions, row, col, 1)
    corners = np.empty((2 * n_edges + 1, 2), np.int32)
    starts = np.zeros(n_edges + 1, np.int64)
    sides = np.empty((n_edges, 2), np.int32)
    within = np.zeros(2 * n_edges + 1, np.bool_)
    walked = np.zeros((ny, nx, 2), np.bool_)
    n_points, n_arcs = 0, 0
    for closed in (False, True):  # arcs that begin at a node first, what is left are loops
        for first_row in range(1, ny):
            for first_col in range(1, nx):
                degree = _degree(regions, first_row, first_col)
                if degree == 0 or (not closed and degree == 2):
                    continue
                for first_direction in range(4):
                    row, col, direction = first_row, first_col, first_direction
                    if not _has_edge(regions, row, col, direction) or _is_walked(
                        walked, row, col, direction
                    ):
                        continue
                    sides[n_arcs, 0], sides[n_arcs, 1] = _sides(regions, row, col, direction)
                    while True:
                        corners[n_points] = row, col
                        left, right = _sides(inside, row, col, direction)
                        within[n_points] = left or right
                        n_points += 1
                        _mark_edge(walked, row, col, direction)
                        row += STEP_ROW[direction]
                        col += STEP_COL[direction]
                        at_start = row == first_row and col == first_col
                        if at_start or _degree(regions, row, col) != 2:
                            break
                        back = (direction + 2) % 4
                        for turn in range(4):
                            if turn != back and _has_edge(regions, row, col, turn):
                                direction = turn
                                break
                    corners[n_points] = row, col
                    n_points += 1
                    n_arcs += 1
                    starts[n_arcs] = n_points
    return corners[:n_points], starts[: n_arcs + 1], sides[:n_arcs], within[:n_points]
