"""Height of the roof along the sides of a building: planes where their outlines say, else cells.

Places are metres from a local origin. Cells are found by their global position, column
``(x + east_m) / cell_m`` and row ``(north_m - y) / cell_m``, less ``first_col`` and ``first_row``,
so that a window changes no digit.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Plane number of a stretch whose height was read from cells.
FROM_CELLS = -1


@njit(nogil=True, cache=True)
def plane_stretches(start, end, edges, edge_plane, n_plane, inset_m, closed_m):
    """
    Which plane lies over which part of each side.

    Parameters
    ----------
    start, end : ndarray, shape (n_side, 2)
        Outside lies on the right. [m]
    edges : ndarray, shape (n_edge, 4)
        Edges of the planes' outlines: from x, y to x, y; any direction. [m]
    edge_plane : ndarray of int, shape (n_edge,)
        Plane of each edge, from 0 on.
    n_plane : int
    inset_m : float
        How far inside the wall outlines are looked at: they may end in it. [m]
    closed_m : float
        Gaps up to this length go to the planes beside them. [m]

    Returns
    -------
    side, plane : ndarray of int64, shape (n,)
        Plane ``FROM_CELLS`` where there is none.
    begin, finish : ndarray, shape (n,)
        Distance from the side's start; the stretches of a side cover it in order. [m]
    """
    n_side, n_edge = start.shape[0], edges.shape[0]
    size = n_side + 2 * n_edge + 8
    side, plane = np.empty(size, np.int64), np.empty(size, np.int64)
    begin, finish = np.empty(size), np.empty(size)
    crossing, owner = np.empty(n_edge), np.empty(n_edge, np.int64)
    lower, upper = np.empty(n_edge), np.empty(n_edge)
    whose = np.empty(n_edge, np.int64)
    n = 0
    for s in range(n_side):
        dx, dy = end[s, 0] - start[s, 0], end[s, 1] - start[s, 1]
        length = math.hypot(dx, dy)
        ux, uy = dx / length, dy / length
        x0, y0 = start[s, 0] - inset_m * uy, start[s, 1] + inset_m * ux
        n_cross = 0
        for e in range(n_edge):
            ax, ay, bx, by = edges[e]
            a = (ax - x0) * uy - (ay - y0) * ux
            b = (bx - x0) * uy - (by - y0) * ux
            if (a > 0.0) == (b > 0.0):
                continue
            share = a / (a - b)
            crossing[n_cross] = (ax + share * (bx - ax) - x0) * ux + (
                ay + share * (by - ay) - y0
            ) * uy
            owner[n_cross] = edge_plane[e]
            n_cross += 1
        n_known = _inside_runs(crossing[:n_cross], owner[:n_cross], n_plane, length, lower, upper,
                               whose)  # fmt: skip
        n = _cover(s, length, lower, upper, whose, n_known, closed_m, side, plane, begin, finish, n)
    return side[:n].copy(), plane[:n].copy(), begin[:n].copy(), finish[:n].copy()


@njit(nogil=True, cache=True)
def _inside_runs(crossing, owner, n_plane, length, lower, upper, whose):
    """Runs of the line within each plane, sorted by their middles; how many."""
    order = np.argsort(crossing, kind="mergesort")
    opened = np.full(n_plane, np.nan)
    n = 0
    for k in order:
        p = owner[k]
        if np.isnan(opened[p]):
            opened[p] = crossing[k]
            continue
        low, high = max(0.0, opened[p]), min(length, crossing[k])
        opened[p] = np.nan
        if high - low > 1e-6:
            lower[n], upper[n], whose[n] = low, high, p
            n += 1
    middles = lower[:n] + upper[:n]
    ranks = np.argsort(middles, kind="mergesort")
    lower[:n], upper[:n], whose[:n] = lower[:n][ranks], upper[:n][ranks], whose[:n][ranks]
    return n


@njit(nogil=True, cache=True)
def _cover(s, length, lower, upper, whose, n_known, closed_m, side, plane, begin, finish, n):
    """Append the stretches of one side, small gaps closed and others left to the cells."""
    at, first = 0.0, n
    for k in range(n_known):
        low, high = max(lower[k], at), upper[k]
        if high - low <= 1e-6:
            continue
        gap = low - at
        if gap > closed_m:
            side[n], plane[n], begin[n], finish[n] = s, FROM_CELLS, at, low
            n += 1
        elif gap > 0.0:
            low = at if n == first else at + 0.5 * gap
            if n > first:
                finish[n - 1] = low
        side[n], plane[n], begin[n], finish[n] = s, whose[k], low, high
        n += 1
        at = high
    if n == first or length - at > closed_m:
        side[n], plane[n], begin[n], finish[n] = s, FROM_CELLS, at, length
        n += 1
    else:
        finish[n - 1] = length
    return n


@njit(nogil=True, cache=True)
def meet_planes(start, end, planes, side, plane, begin, finish, step_m, reach_m):
    """
    Put the border between two stretches where their planes meet, unless there is a step.

    Parameters
    ----------
    start, end : ndarray, shape (n_side, 2)
    planes : ndarray, shape (n_plane, 3)
        ``z = planes[k, 0] x + planes[k, 1] y + planes[k, 2]``. [m]
    side, plane, begin, finish : ndarray, shape (n,)
        As from :func:`plane_stretches`; ``begin`` and ``finish`` are changed in place.
    step_m, reach_m : float
        Planes farther apart at the border make a step; it moves no farther than this. [m]
    """
    for k in range(side.size - 1):
        s = side[k]
        if side[k + 1] != s or plane[k] < 0 or plane[k + 1] < 0 or plane[k] == plane[k + 1]:
            continue
        length = math.hypot(end[s, 0] - start[s, 0], end[s, 1] - start[s, 1])
        ux, uy = (end[s, 0] - start[s, 0]) / length, (end[s, 1] - start[s, 1]) / length
        a, b = planes[plane[k]], planes[plane[k + 1]]
        at_start = (a[0] - b[0]) * start[s, 0] + (a[1] - b[1]) * start[s, 1] + a[2] - b[2]
        rise = (a[0] - b[0]) * ux + (a[1] - b[1]) * uy
        apart = at_start + rise * finish[k]
        if abs(apart) > step_m or abs(rise) < 1e-3:
            continue
        meeting = min(max(-at_start / rise, begin[k]), finish[k + 1])
        if abs(meeting - finish[k]) <= reach_m:
            finish[k] = begin[k + 1] = meeting


@njit(nogil=True, cache=True)
def neighbour_heights(along_m, out_m, z, at_m, half_m):
    """
    Height of a neighbour's roof at a wall, from cells that lie a little behind the line.

    Parameters
    ----------
    along_m, out_m, z : ndarray, shape (n_cell,)
        Cells of the neighbour: along the wall, outwards from it, height. [m]
    at_m : ndarray, shape (n,)
        Places along the wall. [m]
    half_m : float
        Cells this far along from a place tell its height. [m]

    Returns
    -------
    elevation_m : ndarray, shape (n,)
        Median of the cells, each taken to the wall with the median of their slopes away from it;
        NaN without cells. [m]

    References
    ----------
    .. [1] P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau," J. Am.
       Statistical Association 63, pp. 1379-1389, 1968.
    """
    n = along_m.size
    found = np.full(at_m.size, np.nan)
    near = np.empty(n, np.int64)
    slopes = np.empty(n * (n - 1) // 2 + 1)
    for k in range(at_m.size):
        m = 0
        for c in range(n):
            if abs(along_m[c] - at_m[k]) <= half_m + 1e-9:
                near[m] = c
                m += 1
        if m == 0:
            continue
        n_slope = 0
        for i in range(m):
            for j in range(i):
                a, b = near[i], near[j]
                apart = out_m[a] - out_m[b]
                if abs(apart) >= 0.4 and abs(along_m[a] - along_m[b]) <= 0.5 * half_m:
                    slopes[n_slope] = (z[a] - z[b]) / apart
                    n_slope += 1
        slope = np.median(slopes[:n_slope]) if n_slope >= 3 else 0.0
        slope = min(max(slope, -2.0), 2.0)
        levels = np.empty(m)
        for i in range(m):
            levels[i] = z[near[i]] - slope * out_m[near[i]]
        found[k] = np.median(levels)
    return found
