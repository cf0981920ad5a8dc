"""
Skyline of receivers towards one azimuth: exact near field, hull sweep beyond, exact last word.

The raster has been turned so that one looks along growing columns; ``slope`` is how many rows a
ray climbs per column, between -1 and 1. All kernels speak of *tangents* of elevation angles.

Lines run parallel to the ray, ``row = line + slope * col`` with whole ``line``, and are
anchored to the lattice of the data, so that windows of one raster sweep the same lines. A
receiver lies between two lines. Each line keeps the upper convex hull of what lies beyond every
column as a tree of successors (built from the far end, amortised O(1) a cell; after Timonen and
Westerholm 2010, doi:10.1111/j.1467-8659.2009.01642.x); a receiver walks both hulls to its tangent
points and then measures the surface there on *its own* ray. Without that last step a cell
would inherit corners of houses that only its neighbour sees.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Height given to cells outside the raster and without data: nothing there can block a ray. [m]
NOTHING_M = -1.0e4

#: Columns that share one hull point.
GROUP = 4

#: Lines swept together.
N_LINE = 16


@njit(nogil=True, cache=True)
def near_field(
    surface_m, run_start, row, col, eye_m, slope, n_near, step_m, drop_per_col2, tangent
):
    """
    Raise ``tangent`` to the surface within the first ``n_near`` crossings of each receiver's ray.

    Parameters
    ----------
    surface_m : ndarray, shape (n_row + 2, n_col), float32
        Heights, one row of ``NOTHING_M`` before and behind.
    run_start : ndarray, shape (n_run + 1,), int64
        Receivers ``run_start[i]`` to ``run_start[i + 1]`` stand in one row, one column apart, so
        that they share the pair of rows and the weight of every crossing.
    row, col : ndarray, shape (n,), float64
        Place of the receivers; cell centres on whole numbers, row 0 the first real row.
    eye_m : ndarray, shape (n,), float32
    slope : float
        Rows per column of the ray.
    n_near : int
        Crossings with columns that are marched.
    step_m : float
        Length of the ray between two columns. [m]
    drop_per_col2 : float
        Fall of the earth below the tangent, per squared column. [m]
    tangent : ndarray, shape (n,), float32
        Raised in place.
    """
    n_row = surface_m.shape[0] - 2
    n_col = surface_m.shape[1]
    for i_run in range(run_start.size - 1):
        begin, end = run_start[i_run], run_start[i_run + 1]
        row0, col0 = row[begin], col[begin]
        first = math.ceil(col0 + 0.5)
        for k in range(n_near):
            ahead = first + k - col0
            y = row0 + slope * ahead
            upper = math.floor(y)
            if upper < -1 or upper > n_row - 1:
                break
            n = min(end - begin, n_col - (first + k))
            if n <= 0:
                break
            weight = np.float32(y - upper)
            per_m = np.float32(1.0 / (ahead * step_m))
            drop_m = np.float32(drop_per_col2 * ahead * ahead)
            a = surface_m[upper + 1, first + k : first + k + n]
            b = surface_m[upper + 2, first + k : first + k + n]
            eye = eye_m[begin : begin + n]
            out = tangent[begin : begin + n]
            for i in range(n):
                t = (a[i] + weight * (b[i] - a[i]) - drop_m - eye[i]) * per_m
                out[i] = t if t > out[i] else out[i]


@njit(nogil=True, cache=True)
def bucket_by_line(row, col, slope, phase, bucket, count):
    """Line below each receiver; ``count`` becomes where each line's receivers start."""
    for i in range(row.size):
        line = math.floor(row[i] - slope * col[i] - phase)
        bucket[i] = line
    lowest = bucket.min()
    for i in range(bucket.size):
        bucket[i] -= lowest
        count[bucket[i] + 1] += 1
    for i in range(1, count.size):
        count[i] += count[i - 1]
    return lowest


@njit(nogil=True, cache=True)
def order_by_bucket(bucket, start, order):
    """Stable counting sort: receivers of one line stay in the order they came in."""
    place = start.copy()
    for i in range(bucket.size):
        order[place[bucket[i]]] = i
        place[bucket[i]] += 1


@njit(nogil=True, cache=True)
def _group_tops(columns_m, line, n_line, offset, weight, group, top, at):
    """Highest crossing of each of ``n_line`` neighbouring lines within a group of columns."""
    n_row = columns_m.shape[1] - 2
    begin = group * GROUP
    for i in range(n_line):
        top[i] = NOTHING_M
        at[i] = begin
    for u in range(begin, min(columns_m.shape[0], begin + GROUP)):
        # Lines that leave the raster at this column are left out.
        skip = max(0, -1 - (line + offset[u]))
        n = min(n_line, n_row - (line + offset[u])) - skip
        if n <= 0:
            continue
        r = line + offset[u] + 1 + skip
        a = columns_m[u, r : r + n]
        b = columns_m[u, r + 1 : r + n + 1]
        w = weight[u]
        tops = top[skip : skip + n]
        ats = at[skip : skip + n]
        here = np.int32(u)
        for i in range(n):
            h = a[i] + w * (b[i] - a[i])
            higher = h > tops[i]
            tops[i] = h if higher else tops[i]
            ats[i] = here if higher else ats[i]


@njit(nogil=True, cache=True)
def sweep_lines(
    columns_m,
    line,
    n_line,
    offset,
    weight,
    first,
    last,
    drop_per_col2,
    place,
    height,
    successor,
    rise,
):
    """
    Hulls of neighbouring lines, as trees: for each group of columns, its top and what follows.

    Columns are taken in groups of ``GROUP``, each standing for its highest crossing: what is
    lost that way lies within a group of the tangent point, where a receiver looks for itself.
    The caller puts column 0 on the lattice of groups.

    Parameters
    ----------
    columns_m : ndarray, shape (n_col, n_row + 2), float32
        The surface, columns first, so that neighbouring lines are neighbours in memory.
    line, n_line : int
        First line and how many.
    offset, weight : ndarray, shape (n_col,)
        Whole rows and rest that a line has climbed at each column.
    first, last : int
        Groups to fill; behind the last one there is nothing (rise -inf).
    place, height, successor, rise : ndarray, shape (n_line, n_group)
        Filled: column of the top, its height less the earth's bend, next hull group, and the
        slope to it per column.
    """
    top = np.empty(n_line, np.float32)
    at = np.empty(n_line, np.int32)
    for back in range(last - first):
        g = last - 1 - back
        _group_tops(columns_m, line, n_line, offset, weight, g, top, at)
        for i in range(n_line):
            u = at[i]
            h = top[i] - drop_per_col2 * np.float32(u) * np.float32(u)
            places, heights, rises = place[i], height[i], rise[i]
            places[g] = u
            heights[g] = h
            n = min(g + 1, last - 1)
            if back == 0:
                successor[i, g] = g
                rises[g] = -np.inf
                continue
            while heights[n] - h <= rises[n] * np.float32(places[n] - u):
                n = successor[i, n]
            successor[i, g] = n
            rises[g] = (heights[n] - h) / np.float32(places[n] - u)


@njit(nogil=True, cache=True)
def _on_own_ray(surface_m, row, col, eye_m, slope, drop_per_col2, u, best):
    """Largest rise per column on the own ray about column ``u``, or ``best`` if that is larger."""
    n_row = surface_m.shape[0] - 2
    for v in range(u - GROUP // 2, u + GROUP // 2 + 1):
        ahead = np.float32(v - col)
        # Counted from the row of nothing above the raster, so that truncating is rounding down.
        y = min(max(row + slope * (v - col) + 1.0, 0.0), np.float64(n_row))
        upper = np.uint32(y)
        a = surface_m[upper, v]
        z = a + np.float32(y - upper) * (surface_m[upper + np.uint32(1), v] - a)
        t = (z - drop_per_col2 * ahead * ahead - eye_m) / ahead
        best = t if t > best else best
    return best


@njit(nogil=True, cache=True)
def _ask_lines(
    surface_m, who, row, col, eye_m, slope, n_near, step_m, drop_per_col2, tangent,
    place_a, height_a, successor_a, rise_a, place_b, height_b, successor_b, rise_b,
):  # fmt: skip
    """Raise the tangents of the receivers ``who`` between two swept lines, a and b."""
    n_col = surface_m.shape[1]
    drop32 = np.float32(drop_per_col2)
    for at in range(who.size):
        i = np.uint64(who[at])
        c = col[i]
        nearest = math.ceil(c + 0.5) + n_near - 1
        if nearest >= n_col:
            continue
        eye = eye_m[i] - np.float32(drop_per_col2 * c * c)
        bend = np.float32(2.0 * drop_per_col2 * c)
        c32 = np.float32(c)
        best = np.float32(tangent[i] * step_m)
        floor = best - bend
        a = b = np.uint32(nearest // GROUP)
        # Both walks in one loop: its end is the branch that processors cannot foresee.
        while True:
            on_a = (rise_a[a] > floor) & (
                height_a[a] - eye <= rise_a[a] * (np.float32(place_a[a]) - c32)
            )
            on_b = (rise_b[b] > floor) & (
                height_b[b] - eye <= rise_b[b] * (np.float32(place_b[b]) - c32)
            )
            if not (on_a | on_b):
                break
            a = np.uint32(successor_a[a]) if on_a else a
            b = np.uint32(successor_b[b]) if on_b else b
        u_a, u_b = np.int64(place_a[a]), np.int64(place_b[b])
        if (height_a[a] - eye > floor * (np.float32(u_a) - c32)) | (
            height_b[b] - eye > floor * (np.float32(u_b) - c32)
        ):
            # The columns looked at are neither behind the receiver nor off the raster.
            u_a = min(max(u_a, nearest - 1), n_col - 1 - GROUP // 2)
            u_b = min(max(u_b, nearest - 1), n_col - 1 - GROUP // 2)
            new = _on_own_ray(surface_m, row[i], c, eye_m[i], slope, drop32, u_a, best)
            if u_a != u_b:
                new = _on_own_ray(surface_m, row[i], c, eye_m[i], slope, drop32, u_b, new)
            if new > best:
                tangent[i] = new / step_m


@njit(nogil=True, cache=True)
def _groups_needed(start, order, col, n_near, reach_columns, n_group):
    """First and last group of columns that the receivers over each line look at."""
    needed = np.empty((start.size - 1, 2), np.int64)
    for i in range(start.size - 1):
        needed[i, 0], needed[i, 1] = n_group, 0
        for at in range(start[i], start[i + 1]):
            c = math.ceil(col[order[at]] + 0.5) + n_near - 1
            needed[i, 0] = min(needed[i, 0], c // GROUP)
            needed[i, 1] = max(needed[i, 1], min(n_group, (c + reach_columns) // GROUP + 1))
    return needed


@njit(nogil=True, cache=True)
def far_field(
    surface_m,
    columns_m,
    start,
    order,
    lowest_line,
    row,
    col,
    eye_m,
    slope,
    offset,
    weight,
    n_near,
    reach_columns,
    step_m,
    drop_per_col2,
    tangent,
):
    """
    Raise ``tangent`` to what stands beyond the near field.

    ``start`` and ``order`` list the receivers between lines ``lowest_line + i`` and the next one.
    Lines are swept as far as ``reach_columns`` beyond their farthest receiver.
    """
    n_col = surface_m.shape[1]
    n_group = (n_col + GROUP - 1) // GROUP
    height = np.empty((N_LINE + 1, n_group), np.float32)
    rise = np.empty((N_LINE + 1, n_group), np.float32)
    place = np.empty((N_LINE + 1, n_group), np.int32)
    successor = np.empty((N_LINE + 1, n_group), np.int32)
    needed = _groups_needed(start, order, col, n_near, reach_columns, n_group)
    n_bucket = start.size - 1
    for block in range(0, n_bucket, N_LINE):
        n_line = min(N_LINE, n_bucket - block)
        first = needed[block : block + n_line, 0].min()
        last = needed[block : block + n_line, 1].max()
        if first >= last:
            continue
        sweep_lines(
            columns_m, lowest_line + block, n_line + 1, offset, weight, first, last,
            np.float32(drop_per_col2), place, height, successor, rise,
        )  # fmt: skip
        for i in range(n_line):
            _ask_lines(
                surface_m, order[start[block + i] : start[block + i + 1]], row, col, eye_m, slope,
                n_near, step_m, drop_per_col2, tangent,
                place[i], height[i], successor[i], rise[i],
                place[i + 1], height[i + 1], successor[i + 1], rise[i + 1],
            )  # fmt: skip
