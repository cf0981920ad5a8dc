"""Laser points sorted by cell, and the one point of a cell that stands for its surface."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: What an echo may be, best last: a cell takes its height from the best kind it holds.
NONE, SPLIT_ROOF, GROUND, ROOF = 0, 1, 2, 3


@njit(nogil=True, cache=True)
def cell_of_each(easting_m, northing_m, cell_size_m, first_col, first_row, n_col, out):
    """Number of each point's cell, row by row from the south, on cells from coordinate 0."""
    for i in range(easting_m.size):
        col = math.floor(easting_m[i] / cell_size_m) - first_col
        row = math.floor(northing_m[i] / cell_size_m) - first_row
        out[i] = row * n_col + col


@njit(nogil=True, cache=True)
def cell_starts(cell, n_cell):
    """Where each cell's points begin once sorted, and the end of the last: (n_cell + 1,)."""
    start = np.zeros(n_cell + 1, np.int64)
    for i in range(cell.size):
        start[cell[i] + 1] += 1
    for i in range(n_cell):
        start[i + 1] += start[i]
    return start


@njit(nogil=True, cache=True)
def order_by_cell(cell, start):
    """Stable permutation that sorts points by cell."""
    at = start[:-1].copy()
    order = np.empty(cell.size, np.int64)
    for i in range(cell.size):
        order[at[cell[i]]] = i
        at[cell[i]] += 1
    return order


@njit(nogil=True, cache=True)
def _is_before(i, j, northing_m, easting_m, elevation_m, rest):
    if northing_m[i] != northing_m[j]:
        return northing_m[i] < northing_m[j]
    if easting_m[i] != easting_m[j]:
        return easting_m[i] < easting_m[j]
    if elevation_m[i] != elevation_m[j]:
        return elevation_m[i] < elevation_m[j]
    return rest[i] < rest[j]


@njit(nogil=True, cache=True)
def sort_within_cells(order, start, northing_m, easting_m, elevation_m, rest):
    """
    Sort the points of each cell by place, then by ``rest``: no trace of the input's order is left.

    Shell's sort with Ciura's gaps: cells hold a dozen points, and thousands do not hang it.
    """
    gaps = (57, 23, 10, 4, 1)
    for c in range(start.size - 1):
        first, end = start[c], start[c + 1]
        for gap in gaps:
            for k in range(first + gap, end):
                i = order[k]
                at = k
                while at - gap >= first and _is_before(
                    i, order[at - gap], northing_m, easting_m, elevation_m, rest
                ):
                    order[at] = order[at - gap]
                    at -= gap
                order[at] = i


@njit(nogil=True, cache=True)
def is_repeated(northing_m, easting_m, elevation_m, rest):
    """Which points of a sorted cloud are the same as the one before."""
    out = np.zeros(northing_m.size, np.bool_)
    for i in range(1, northing_m.size):
        out[i] = (
            northing_m[i] == northing_m[i - 1]
            and easting_m[i] == easting_m[i - 1]
            and elevation_m[i] == elevation_m[i - 1]
            and rest[i] == rest[i - 1]
        )
    return out


@njit(nogil=True, cache=True)
def points_of_cells(start, n_col, row0, row1, col0, col1):
    """Positions of the points of a block of cells, ends included, in sorted order."""
    n = 0
    for row in range(row0, row1 + 1):
        n += start[row * n_col + col1 + 1] - start[row * n_col + col0]
    out = np.empty(n, np.int64)
    n = 0
    for row in range(row0, row1 + 1):
        for i in range(start[row * n_col + col0], start[row * n_col + col1 + 1]):
            out[n] = i
            n += 1
    return out


@njit(nogil=True, cache=True)
def echo_kinds(classification, return_number, n_returns, is_roof, is_ground, out):
    """
    What each echo may be, by the 256 entries of ``is_roof`` and ``is_ground``.

    A last or only echo lies on something solid. The first of several is the rim of a roof or the
    leaves above it; echoes in between are leaves.
    """
    for i in range(classification.size):
        is_last = return_number[i] >= n_returns[i]
        if is_roof[classification[i]]:
            if is_last:
                out[i] = ROOF
            else:
                out[i] = SPLIT_ROOF if return_number[i] <= 1 else NONE
        else:
            out[i] = GROUND if is_last and is_ground[classification[i]] else NONE


@njit(nogil=True, cache=True)
def cell_tops(easting_m, northing_m, elevation_m, kind, cell_size_m, first_col, last_row, counts):
    """
    Best kind of echo in each cell, and the highest of that kind; ``counts`` of roof echoes.

    Cells are counted from coordinate 0, rows southwards from ``last_row``; points outside the
    (ny, nx) window of ``counts`` are passed over. Returns (best, top_m, row * nx + col or -1).
    """
    ny, nx = counts.shape
    best = np.zeros((ny, nx), np.uint8)
    top_m = np.full((ny, nx), -np.inf)
    cell = np.full(easting_m.size, -1, np.int64)
    for i in range(easting_m.size):
        if kind[i] == NONE:
            continue
        col = math.floor(easting_m[i] / cell_size_m) - first_col
        row = last_row - math.floor(northing_m[i] / cell_size_m)
        if row < 0 or row >= ny or col < 0 or col >= nx:
            continue
        cell[i] = row * nx + col
        if kind[i] != GROUND:
            counts[row, col] += 1
        if kind[i] > best[row, col]:
            best[row, col] = kind[i]
            top_m[row, col] = elevation_m[i]
        elif kind[i] == best[row, col] and elevation_m[i] > top_m[row, col]:
            top_m[row, col] = elevation_m[i]
    return best, top_m, cell


@njit(nogil=True, cache=True)
def nearest_near_top(
    easting_m, northing_m, elevation_m, kind, cell, best, top_m, depth_m, cell_size_m, first_col,
    last_row, out_m, offset_east_m, offset_north_m,
):  # fmt: skip
    """
    Of a cell's echoes of the best kind, down to ``depth_m`` below the top, that nearest the centre.

    The top itself would lie above the surface by the noise of several echoes. Equally near ones
    are taken by height, then easting, then northing, so that their order in the cloud is of no
    account. Fills (ny, nx) arrays; cells without an echo are left as they are.
    """
    nx = best.shape[1]
    nearest_m2 = np.full(best.shape, np.inf)
    for i in range(easting_m.size):
        if cell[i] < 0:
            continue
        row, col = cell[i] // nx, cell[i] % nx
        if kind[i] != best[row, col] or elevation_m[i] < top_m[row, col] - depth_m:
            continue
        east_m = easting_m[i] - (first_col + col + 0.5) * cell_size_m
        north_m = northing_m[i] - (last_row - row + 0.5) * cell_size_m
        distance_m2 = east_m * east_m + north_m * north_m
        if distance_m2 > nearest_m2[row, col]:
            continue
        if distance_m2 == nearest_m2[row, col]:
            if elevation_m[i] < out_m[row, col]:
                continue
            if elevation_m[i] == out_m[row, col]:
                if east_m < offset_east_m[row, col]:
                    continue
                if east_m == offset_east_m[row, col] and north_m < offset_north_m[row, col]:
                    continue
        nearest_m2[row, col] = distance_m2
        out_m[row, col] = elevation_m[i]
        offset_east_m[row, col] = east_m
        offset_north_m[row, col] = north_m
