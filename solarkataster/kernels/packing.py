"""Modules in strips: the most rectangles of one or two shapes that fit in a polygon that way.

A polygon is a list of edges (x0, y0, x1, y1) with y0 <= y1, sorted by y0; rings, holes and pieces
in any order (inside is where a ray crosses an odd number of edges). A strip is a row of modules of
one shape side by side, level in y. All lengths in metres.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: What rounding may cost: a module fits into a length this much too short. [m]
TOLERANCE_M = 1e-6

#: Heights at which more modules fit into a strip than below are narrowed down to this. [m]
JUMP_M = 1e-4

#: Corners of polygons with more edges are not tried as heights of strips besides the regular ones.
MANY_EDGES = 200


@njit(nogil=True, cache=True)
def strip_intervals(edges, y, height, lo, hi, crosses):
    """
    Intervals of x in which the strip from y to y + height lies wholly inside; their number.

    An edge blocks the x-range of its part within the strip; between blocked ranges the strip is all
    inside or all outside. ``lo``, ``hi`` and ``crosses`` hold a value an edge; the intervals are
    left in ``lo`` and ``hi``.
    """
    bottom, top = y + TOLERANCE_M, y + height - TOLERANCE_M
    middle = 0.5 * (bottom + top)
    n = 0
    for e in range(len(edges)):
        x0, y0, x1, y1 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if y0 >= top:
            break
        if y1 <= bottom:
            continue
        xa, xb = x0, x1
        if y0 < bottom:
            xa = x0 + (x1 - x0) * ((bottom - y0) / (y1 - y0))
        if y1 > top:
            xb = x0 + (x1 - x0) * ((top - y0) / (y1 - y0))
        left, right = min(xa, xb), max(xa, xb)
        k = n
        while k > 0 and lo[k - 1] > left:
            lo[k], hi[k], crosses[k] = lo[k - 1], hi[k - 1], crosses[k - 1]
            k -= 1
        lo[k], hi[k], crosses[k] = left, right, y0 <= middle < y1
        n += 1
    n_free, end, is_inside = 0, -math.inf, False
    for k in range(n):
        left, right, cross = lo[k], hi[k], crosses[k]
        if is_inside and left > end:
            lo[n_free], hi[n_free] = end, left
            n_free += 1
        end = max(end, right)
        is_inside ^= cross
    return n_free


@njit(nogil=True, cache=True)
def _n_modules(lo, hi, first, last, width, gap, x_from, x_to):
    """Modules that fit into the intervals first..last - 1, filled from the left."""
    n, start = 0, x_from
    for i in range(first, last):
        begin, end = max(lo[i], start), min(hi[i], x_to)
        if end - begin < width - TOLERANCE_M:
            continue
        k = int((end - begin + gap + TOLERANCE_M) / (width + gap))
        n += k
        start = begin + k * (width + gap)
    return n


@njit(nogil=True, cache=True)
def sorted_edges(edges, swap, flip):
    """Edges in the order that strips need; x and y exchanged, and then y turned over, if asked."""
    out = np.empty_like(edges)
    for e in range(len(edges)):
        x0, y0, x1, y1 = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
        if swap:
            x0, y0, x1, y1 = y0, x0, y1, x1
        if flip:
            y0, y1 = -y0, -y1
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        out[e, 0], out[e, 1], out[e, 2], out[e, 3] = x0, y0, x1, y1
    return out[np.argsort(out[:, 1], kind="mergesort")]


@njit(nogil=True, cache=True)
def strip_heights(edges, heights, step_m):
    """Heights to try for the lower side of strips: every ``step_m``, and beside every corner."""
    bottom = edges[0, 1]
    top = edges[:, 3].max() - heights.min()
    n = max(int((top - bottom) / step_m), 0) + 1
    if len(edges) > MANY_EDGES:
        return bottom + step_m * np.arange(n)
    ys = np.empty(n + len(edges) * (1 + len(heights)))
    ys[:n] = bottom + step_m * np.arange(n)
    highest = max(top, bottom)
    for e in range(len(edges)):
        # A strip that leaves the upper end of an edge below it, or reaches the lower end of one.
        ys[n] = min(edges[e, 3], highest)
        n += 1
        for k in range(len(heights)):
            ys[n] = min(max(edges[e, 1] - heights[k], bottom), highest)
            n += 1
    return np.unique(ys[:n])


@njit(nogil=True, cache=True)
def strip_profile(edges, ys, heights):
    """
    Free intervals of the strips of every kind at every height.

    Returns ``first`` (n_kind, n_y + 1) into ``lo`` and ``hi``.
    """
    n_edges = len(edges)
    crosses = np.empty(n_edges, np.bool_)
    a, b = np.empty(n_edges), np.empty(n_edges)
    first = np.zeros((len(heights), len(ys) + 1), np.int64)
    lo, hi = np.empty(4 * len(ys)), np.empty(4 * len(ys))
    n = 0
    for k in range(len(heights)):
        first[k, 0] = n
        for i in range(len(ys)):
            free = strip_intervals(edges, ys[i], heights[k], a, b, crosses)
            if n + free > len(lo):
                lo = np.concatenate((lo, np.empty(len(lo) + free)))
                hi = np.concatenate((hi, np.empty(len(hi) + free)))
            lo[n : n + free] = a[:free]
            hi[n : n + free] = b[:free]
            n += free
            first[k, i + 1] = n
    return first, lo[:n], hi[:n]


@njit(nogil=True, cache=True)
def pile_strips(edges, ys, intervals, shapes, gap, n_most, x_from, x_to):
    """
    Lowest piles of strips: for every number of modules the least height that they need.

    Parameters
    ----------
    edges, ys, intervals
        Polygon, heights, and the free intervals there, from ``strip_profile``.
    shapes : (n_kind, 4)
        Of every kind: extent across the strip, width along it, distance to the next strip, and
        whether it may be used.
    gap : float
        Distance of neighbours in a strip.
    n_most : int
        More modules than this cannot fit.
    x_from, x_to : float
        Part of every strip that may be used.

    Returns
    -------
    top : (n_most + 1,)
        Where the next strip may begin over n modules; infinite if no pile has n.
    kind, below, strip_y : (n_most + 1,)
        Kind of the pile's last strip, modules in the strips under it, and its height.

    Notes
    -----
    Dynamic programming over the number of modules, exact in y: of two piles with equal numbers the
    lower one is never worse. On a pile the next strip lies directly, or as low as it
    holds more modules than any strip of its kind before; those heights come from ``ys``, narrowed
    down to ``JUMP_M``.
    """
    n_kind, n_y = len(shapes), len(ys)
    first, lo, hi = intervals
    a, b, crosses = np.empty(len(edges)), np.empty(len(edges)), np.empty(len(edges), np.bool_)
    counts = np.zeros((n_kind, n_y), np.int64)
    most = np.zeros((n_kind, n_y + 1), np.int64)
    jump = np.full((n_kind, n_y), np.nan)
    for k in range(n_kind):
        if shapes[k, 3] == 0.0:
            continue
        for i in range(n_y - 1, -1, -1):
            counts[k, i] = _n_modules(
                lo, hi, first[k, i], first[k, i + 1], shapes[k, 1], gap, x_from, x_to
            )
            most[k, i] = max(most[k, i + 1], counts[k, i])
    top = np.full(n_most + 1, np.inf)
    kind = np.zeros(n_most + 1, np.int64)
    below = np.zeros(n_most + 1, np.int64)
    strip_y = np.zeros(n_most + 1)
    top[0] = ys[0]
    for n in range(n_most):
        if not math.isfinite(top[n]):
            continue
        y = top[n]
        ahead = np.searchsorted(ys, y, side="right")
        for k in range(n_kind):
            height, width = shapes[k, 0], shapes[k, 1]
            if shapes[k, 3] == 0.0 or (ahead >= n_y and y > ys[n_y - 1] + height):
                continue
            free = strip_intervals(edges, y, height, a, b, crosses)
            held = _n_modules(a, b, 0, free, width, gap, x_from, x_to)
            i, at = ahead, y
            while True:
                after = at + height + shapes[k, 2]
                m = min(n + held, n_most)
                if held > 0 and after < top[m] - 1e-9:
                    top[m], kind[m], below[m], strip_y[m] = after, k, n, at
                while i < n_y and most[k, i] > held and counts[k, i] <= held:
                    i += 1
                if i >= n_y or most[k, i] <= held:
                    break
                held = counts[k, i]
                if math.isnan(jump[k, i]):
                    jump[k, i] = _jump(
                        edges, ys, i, height, width, gap, x_from, x_to, held, a, b, crosses
                    )
                at = jump[k, i] if jump[k, i] > y else ys[i]
                i += 1
    return top, kind, below, strip_y


@njit(nogil=True, cache=True)
def _jump(edges, ys, i, height, width, gap, x_from, x_to, wanted, a, b, crosses):
    """Lowest height between ys[i - 1] and ys[i] from which on ``wanted`` modules fit."""
    low, high = ys[max(i - 1, 0)], ys[i]
    while high - low > JUMP_M:
        middle = 0.5 * (low + high)
        free = strip_intervals(edges, middle, height, a, b, crosses)
        if _n_modules(a, b, 0, free, width, gap, x_from, x_to) >= wanted:
            high = middle
        else:
            low = middle
    return high


@njit(nogil=True, cache=True)
def most_modules(top):
    """Modules of the fullest of the piles of ``pile_strips``."""
    n = len(top) - 1
    while not math.isfinite(top[n]):
        n -= 1
    return n


@njit(nogil=True, cache=True)
def best_cut(top, edges, ys, intervals, shapes, gap, n_most, upwards, least):
    """
    Piles of one direction with strips of the other over them: which two hold most together.

    Parameters
    ----------
    top : (n_most + 1,)
        Of the first direction, from ``pile_strips``.
    edges, ys, intervals, shapes, gap, n_most
        Of the second direction, as for ``pile_strips``; it runs across the first.
    upwards : bool
        Whether the second lies where its own strips run to larger x, else to smaller.
    least : int
        Only more modules than this are of interest.

    Returns
    -------
    n_first : int
        Modules of the first pile; −1 if none is better.
    x_from, x_to : float
        Part of the strips of the second direction beyond it.

    Notes
    -----
    Over a lower pile there is never less room: that bounds what lies between two known piles.
    """
    states = np.empty(n_most + 1, np.int64)
    n_state, lowest = 0, math.inf
    for n in range(n_most, -1, -1):
        if top[n] < lowest - 1e-9:
            lowest = top[n]
            states[n_state] = n
            n_state += 1
    states = states[:n_state][::-1]
    # Stretches of states still to look into, each with what fits over its first one at most.
    stack = np.empty((2 * n_state + 2, 3), np.int64)
    stack[0] = 0, n_state - 1, n_most
    height, most, n_first = 1, least, -1
    best_from, best_to = -math.inf, math.inf
    while height > 0:
        height -= 1
        i, j, bound = stack[height]
        if i > j or states[j] + bound <= most:
            continue
        middle = (i + j) // 2
        n = states[middle]
        x_from, x_to = (top[n], math.inf) if upwards else (-math.inf, -top[n])
        rest = most_modules(pile_strips(edges, ys, intervals, shapes, gap, n_most, x_from, x_to)[0])
        if n + rest > most:
            most, n_first, best_from, best_to = n + rest, n, x_from, x_to
        stack[height] = i, middle - 1, bound
        stack[height + 1] = middle + 1, j, rest
        height += 2
    return n_first, best_from, best_to


@njit(nogil=True, cache=True)
def strips_of_pile(n, kind, below, strip_y):
    """Kind and height of the strips of the pile with n modules, from the lowest."""
    n_strip, m = 0, n
    while m > 0:
        n_strip += 1
        m = below[m]
    kinds, heights = np.empty(n_strip, np.int64), np.empty(n_strip)
    m = n
    for s in range(n_strip - 1, -1, -1):
        kinds[s], heights[s] = kind[m], strip_y[m]
        m = below[m]
    return kinds, heights


@njit(nogil=True, cache=True)
def place_modules(edges, kinds, heights, shapes, gap, x_from, x_to):
    """
    Lower left corners of the modules of strips, side by side in as few common lines as possible.

    Returns (n_module, 4): x, y, kind and number of the strip.
    """
    n_edges = len(edges)
    a, b, crosses = np.empty(n_edges), np.empty(n_edges), np.empty(n_edges, np.bool_)
    # Runs: filled pieces of strips. strip, kind, modules, leftmost start, slack to the right
    runs = np.empty((len(kinds) * (n_edges + 1), 5))
    n_run = n_module = 0
    for s in range(len(kinds)):
        width = shapes[kinds[s], 1]
        free = strip_intervals(edges, heights[s], shapes[kinds[s], 0], a, b, crosses)
        start = x_from
        for i in range(free):
            begin, end = max(a[i], start), min(b[i], x_to)
            if end - begin < width - TOLERANCE_M:
                continue
            k = int((end - begin + gap + TOLERANCE_M) / (width + gap))
            start = begin + k * (width + gap)
            runs[n_run, 0], runs[n_run, 1], runs[n_run, 2] = s, kinds[s], k
            runs[n_run, 3], runs[n_run, 4] = begin, max(end + gap - start, 0.0)
            if n_run > 0 and runs[n_run - 1, 0] == s:
                before = runs[n_run - 1]
                room = begin - (before[3] + before[2] * (width + gap))
                before[4] = max(min(before[4], room), 0.0)
            n_run += 1
            n_module += k
    runs = runs[:n_run]
    _align(runs, shapes, gap)
    placed = np.empty((n_module, 4))
    n = 0
    for r in range(n_run):
        s, k = int(runs[r, 0]), int(runs[r, 1])
        for i in range(int(runs[r, 2])):
            placed[n, 0], placed[n, 1] = runs[r, 3] + i * (shapes[k, 1] + gap), heights[s]
            placed[n, 2], placed[n, 3] = k, s
            n += 1
    return placed


@njit(nogil=True, cache=True)
def _align(runs, shapes, gap):
    """
    Shift runs within their slack so that as many modules as possible stand in common lines.

    Of every kind the phase that most modules can share is taken, in the middle of what it leaves;
    then the same for the runs that cannot share it, and so on.
    """
    for k in range(len(shapes)):
        pitch = shapes[k, 1] + gap
        left = runs[:, 1] == k
        while left.any():
            best, most, room = -1, 0.0, 0.0
            for c in range(len(runs)):
                if not left[c]:
                    continue
                total, least = 0.0, math.inf
                for r in range(len(runs)):
                    if left[r]:
                        ahead = _phase(runs[c, 3] - runs[r, 3], pitch)
                        if ahead <= runs[r, 4]:
                            total += runs[r, 2]
                            least = min(least, runs[r, 4] - ahead)
                if total > most:
                    best, most, room = c, total, least
            phase = runs[best, 3]
            for r in range(len(runs)):
                if left[r]:
                    ahead = _phase(phase - runs[r, 3], pitch)
                    if ahead <= runs[r, 4]:
                        runs[r, 3] += ahead + 0.5 * room
                        left[r] = False


@njit(nogil=True, cache=True)
def _phase(distance, pitch):
    """Rest of a distance on the way to the next multiple, rounding taken out. [0, pitch)"""
    rest = distance - pitch * math.floor(distance / pitch)
    return 0.0 if rest > pitch - 1e-9 or rest < 1e-9 else rest
