"""
Skyline of receivers towards one azimuth: hull sweep beyond the near field, exact last word.

The raster has been turned so that one looks along growing columns; ``slope`` is how many rows a
ray climbs per column, between -1 and 1. All kernels speak of *tangents* of elevation angles.

Lines run parallel to the ray, ``row = line + slope * col`` with whole ``line``, and are
anchored to the lattice of the data, so that windows of one raster sweep the same lines. A
receiver lies between two lines. Each line keeps the upper convex hull of what lies beyond every
column as a tree of successors (built from the far end, amortised O(1) a cell; after Timonen and
Westerholm 2010, doi:10.1111/j.1467-8659.2009.01642.x); a receiver walks both hulls to its tangent
points and then measures the surface there on *its own* ray. Without that last step a cell
would inherit corners of houses that only its neighbour sees.

Receivers over one another, as up a wall, are a *stack* and share the work: as the eye rises the
tangent point only moves on along the hull, so that one walk answers all heights. A receiver that
stands alone is a stack of one. What a receiver sees does not depend on who shares its stack.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Height given to cells outside the raster and without data: nothing there can block a ray. [m]
NOTHING_M = -1.0e4

#: Columns that share one hull point.
GROUP = 8

#: Columns to either side of a hull point at which a receiver looks on its own ray.
LOOK = 2

#: Lines swept together.
N_LINE = 47


@njit(nogil=True, cache=True)
def bucket_by_line(row, col, points, slope, phase, bucket, start, columns):
    """
    Sort stacks of receivers by the line below them.

    Parameters
    ----------
    row, col : ndarray, shape (n_stack,), float64
    slope, phase : float
        A line's rows per column, and how far line 0 lies above row 0 at column 0.
    points : ndarray, shape (n_stack, 4), float32
        As in :func:`far_field`.
    bucket : ndarray, shape (n_stack,), int64
        Filled with each stack's line, less the lowest one.
    start : ndarray, shape (n_bucket + 1,), int64, zeros
        Filled with the place in bucket order where each line's stacks begin.
    columns : ndarray, shape (n_bucket, 2), int64
        Filled with the first and last column at which each line's stacks begin to look.

    Returns
    -------
    lowest, n_bucket : int
        Lowest line, and how many lines there are up to the highest one.
    """
    lowest = math.floor(row[0] - slope * col[0] - phase)
    for i in range(row.size):
        bucket[i] = math.floor(row[i] - slope * col[i] - phase)
        lowest = min(lowest, bucket[i])
    columns[:, 0], columns[:, 1] = np.iinfo(np.int64).max, -1
    n_bucket = 0
    for i in range(row.size):
        k = bucket[i] - lowest
        bucket[i] = k
        start[k + 1] += 1
        nearest = int(points[i, 3])
        columns[k, 0] = min(columns[k, 0], nearest)
        columns[k, 1] = max(columns[k, 1], nearest)
        n_bucket = max(n_bucket, k + 1)
    for k in range(n_bucket):
        start[k + 1] += start[k]
    return lowest, n_bucket


@njit(nogil=True, cache=True)
def order_by_bucket(bucket, start, order):
    """Stable counting sort: stacks of one line stay in the order they came in."""
    place = start.copy()
    for i in range(bucket.size):
        order[place[bucket[i]]] = i
        place[bucket[i]] += 1


@njit(nogil=True, cache=True)
def _group_tops(columns_m, line, n_line, offset, weight, group, top, at):
    """Highest crossing of each of ``n_line`` neighbouring lines within a group of columns."""
    width = columns_m.shape[1]
    flat_m = columns_m.reshape(-1)
    begin = group * GROUP
    for i in range(n_line):
        top[i] = NOTHING_M
        at[i] = begin
    for u in range(begin, min(columns_m.shape[0], begin + GROUP)):
        # Lines that leave the raster at this column are left out.
        skip = max(0, -1 - (line + offset[u]))
        n = min(n_line, width - 2 - (line + offset[u])) - skip
        if n <= 0:
            continue
        r = u * width + line + offset[u] + 1 + skip
        a = flat_m[r : r + n]
        b = flat_m[r + 1 : r + n + 1]
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
def sweep_lines(columns_m, line, n_line, offset, weight, first, last, drop_per_col2, hull, link):
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
    drop_per_col2 : float32
        Fall of the earth below the tangent, per squared column. [m]
    hull : ndarray, shape (n_line, n_group, 4), float32
        Filled: column of the top, its height less the earth's bend, slope to the next hull
        point per column, and the group of that point. One record, so that a step of a walk
        touches one line of the cache.
    link : ndarray, shape (n_line, n_group, 4), uint32
        The same memory; the group of the next point is a whole number.
    """
    top = np.empty(n_line, np.float32)
    at = np.empty(n_line, np.int32)
    for back in range(last - first):
        g = last - 1 - back
        _group_tops(columns_m, line, n_line, offset, weight, g, top, at)
        for i in range(n_line):
            u = np.float32(at[i])
            h = top[i] - drop_per_col2 * u * u
            n = np.uint32(min(g + 1, last - 1))
            rise = np.float32(-np.inf)
            if back > 0:
                while hull[i, n, 1] - h <= hull[i, n, 2] * (hull[i, n, 0] - u):
                    n = link[i, n, 3]
                rise = (hull[i, n, 1] - h) / (hull[i, n, 0] - u)
            hull[i, g, 0] = u
            hull[i, g, 1] = h
            hull[i, g, 2] = rise
            link[i, g, 3] = n


@njit(nogil=True, cache=True)
def _on_own_ray(columns_m, row, col, eye_m, slope, drop_per_col2, u, best, height_m, ahead):
    """
    Largest rise per column on the own ray about column ``u``, or ``best`` if that is larger.

    ``height_m``, less the earth's bend, and the columns ``ahead`` are noted for the next eye.
    """
    n_row = np.float32(columns_m.shape[1] - 2)
    for k in range(2 * LOOK + 1):
        v = u - LOOK + k
        away = np.float32(v) - col
        # Counted from the row of nothing above the raster, so that truncating is rounding down.
        y = min(max(row + slope * away + np.float32(1.0), np.float32(0.0)), n_row)
        upper = int(y)
        a = columns_m[v, upper]
        z = a + (y - np.float32(upper)) * (columns_m[v, upper + 1] - a)
        z = z - drop_per_col2 * away * away
        height_m[k], ahead[k] = z, away
        t = (z - eye_m) / away
        best = t if t > best else best
    return best


@njit(nogil=True, cache=True)
def _on_noted_ray(height_m, ahead, eye_m, best):
    """The same for another eye in the same place, from what was noted."""
    for k in range(2 * LOOK + 1):
        t = (height_m[k] - eye_m) / ahead[k]
        best = t if t > best else best
    return best


@njit(nogil=True, cache=True)
def _ask_lines(
    columns_m, who, points, stack_start, eyes_m, slope, metres_per_col, drop_per_col2,
    hull_a, link_a, hull_b, link_b, height_a, ahead_a, height_b, ahead_b, tangent,
):  # fmt: skip
    """Raise the tangents of the stacks ``who`` between two swept lines, a and b."""
    n_col = columns_m.shape[0]
    for at in range(who.size):
        i = who[at]
        row, col = points[i, 0], points[i, 1]
        nearest = int(points[i, 3])
        if nearest >= n_col:
            continue
        a = b = np.uint32(nearest // GROUP)
        seen_a = seen_b = -1
        begin, end = (stack_start[i], stack_start[i + 1]) if stack_start.size > 0 else (i, i + 1)
        for m in range(begin, end):
            eye_m = points[i, 2] if m == begin else eyes_m[m]
            # In the hull's own coordinates the earth's bend tilts and lowers the eye.
            eye = eye_m - drop_per_col2 * col * col
            best = tangent[m] * metres_per_col
            floor = best - np.float32(2.0) * drop_per_col2 * col
            # Both walks in one loop: its end is the branch that processors cannot foresee. They
            # go on where those of the eye below ended.
            while True:
                on_a = (hull_a[a, 2] > floor) & (
                    hull_a[a, 1] - eye <= hull_a[a, 2] * (hull_a[a, 0] - col)
                )
                on_b = (hull_b[b, 2] > floor) & (
                    hull_b[b, 1] - eye <= hull_b[b, 2] * (hull_b[b, 0] - col)
                )
                if not (on_a | on_b):
                    break
                a = link_a[a, 3] if on_a else a
                b = link_b[b, 3] if on_b else b
            u_a, u_b = hull_a[a, 0], hull_b[b, 0]
            if (hull_a[a, 1] - eye > floor * (u_a - col)) | (
                hull_b[b, 1] - eye > floor * (u_b - col)
            ):
                # The columns looked at are neither behind the receiver nor off the raster.
                at_a = min(max(int(u_a), nearest - 1), n_col - 1 - LOOK)
                at_b = min(max(int(u_b), nearest - 1), n_col - 1 - LOOK)
                if at_a == seen_a:
                    new = _on_noted_ray(height_a, ahead_a, eye_m, best)
                else:
                    seen_a = at_a
                    new = _on_own_ray(
                        columns_m, row, col, eye_m, slope, drop_per_col2, at_a, best,
                        height_a, ahead_a,
                    )  # fmt: skip
                if at_a != at_b and at_b == seen_b:
                    new = _on_noted_ray(height_b, ahead_b, eye_m, new)
                elif at_a != at_b:
                    seen_b = at_b
                    new = _on_own_ray(
                        columns_m, row, col, eye_m, slope, drop_per_col2, at_b, new,
                        height_b, ahead_b,
                    )  # fmt: skip
                if new > best:
                    tangent[m] = new / metres_per_col


@njit(nogil=True, cache=True)
def far_field(
    columns_m, start, order, columns, lowest_line, points, stack_start, eye_m, slope,
    offset, weight, reach_columns, step_m, drop_per_col2, tangent,
):  # fmt: skip
    """
    Raise ``tangent`` to what stands beyond the near field.

    Parameters
    ----------
    columns_m : ndarray, shape (n_col, n_row + 2), float32
        The surface, columns first.
    start, order, columns, lowest_line
        From :func:`bucket_by_line` and :func:`order_by_bucket`: the stacks between lines
        ``lowest_line + i`` and the next one are ``order[start[i] : start[i + 1]]``.
    points : ndarray, shape (n_stack, 4), float32
        Row and column of each stack, height of its lowest receiver and the column at which its
        far field begins, in one record; whole numbers below 2²⁴ are exact.
    stack_start : ndarray, shape (n_stack + 1,) or (0,), int64
        Receivers ``stack_start[i]`` to ``stack_start[i + 1]`` stand in one place and rise. Empty if
        every receiver is a stack of its own, which saves looking it up.
    eye_m : ndarray, shape (n,), float32
        Height of each receiver.
    slope, offset, weight, step_m, drop_per_col2
        As in the near field and :func:`sweep_lines`.
    reach_columns : int
        How far beyond their farthest receiver lines are swept.
    tangent : ndarray, shape (n,), float32
        Raised in place.
    """
    n_col = columns_m.shape[0]
    n_group = (n_col + GROUP - 1) // GROUP
    hull = np.empty((N_LINE + 1, n_group, 4), np.float32)
    link = hull.view(np.uint32)
    height_a, ahead_a = np.empty(2 * LOOK + 1, np.float32), np.empty(2 * LOOK + 1, np.float32)
    height_b, ahead_b = height_a.copy(), ahead_a.copy()
    n_bucket = start.size - 1
    for block in range(0, n_bucket, N_LINE):
        n_line = min(N_LINE, n_bucket - block)
        first = columns[block : block + n_line, 0].min() // GROUP
        last = (columns[block : block + n_line, 1].max() + reach_columns) // GROUP + 1
        last = min(n_group, last)
        if first >= last:
            continue
        sweep_lines(
            columns_m, lowest_line + block, n_line + 1, offset, weight, first, last,
            np.float32(drop_per_col2), hull, link,
        )  # fmt: skip
        for i in range(n_line):
            _ask_lines(
                columns_m, order[start[block + i] : start[block + i + 1]], points, stack_start,
                eye_m, np.float32(slope), np.float32(step_m), np.float32(drop_per_col2),
                hull[i], link[i], hull[i + 1], link[i + 1],
                height_a, ahead_a, height_b, ahead_b, tangent,
            )  # fmt: skip
