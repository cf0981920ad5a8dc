"""The best of several ways to fill a polygon with strips: rows, columns, rows beside columns."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from solarkataster.kernels.packing import (
    pile_strips,
    place_modules,
    sorted_edges,
    strip_heights,
    strip_profile,
    strips_of_pile,
)

#: Ways the first strips run: rows from below, rows from above, columns from the left and right.
SWAPPED = (False, False, True, True)
FLIPPED = (False, True, False, True)


@njit(nogil=True, cache=True)
def pack(edges, size_x, size_y, usable, gap, area_m2, step_m, n_cut_most):
    """
    Lower left corners and kinds of the most modules found for a polygon.

    Parameters
    ----------
    edges : (n_edge, 4)
        x0, y0, x1, y1 of all edges of the polygon.
    size_x, size_y : (n_kind,)
        Sizes of the kinds of modules.
    usable : (n_kind,) of bool
        Kinds that may be used.
    gap : float
        Distance between modules.
    area_m2 : float
        Area of the polygon.
    step_m : float
        Distance of the heights tried for strips.
    n_cut_most : int
        Rows are combined with columns only where no more modules than this can fit.

    Returns
    -------
    placed : (n_module, 3)
        x, y and kind.

    Notes
    -----
    Tried in this order, the first of equal results is kept: rows of one kind, rows of both kinds,
    columns; then a pile of rows (from below or above) with columns over it and a pile of columns
    (from the left or right) with rows beside it, for every height of the first pile.
    """
    n_most = int(area_m2 / (size_x[0] * size_y[0]) + 1e-9)
    empty = np.empty((0, 3))
    if n_most == 0:
        return empty
    rows = _shapes(size_x, size_y, usable, gap, False)
    columns = _shapes(size_x, size_y, usable, gap, True)
    level = sorted_edges(edges, False, False)
    level_ys = strip_heights(level, rows[:, 0], step_m)
    level_free = strip_profile(level, level_ys, rows[:, 0])
    best = empty
    for k in range(len(usable) + 1):
        if k < len(usable) and (not usable[k] or len(usable) == 1 or usable.sum() == 1):
            continue
        shapes = rows.copy()
        if k < len(usable):
            shapes[:, 3] = 0.0
            shapes[k, 3] = 1.0
        pile = pile_strips(level, level_ys, level_free, shapes, gap, n_most, -math.inf, math.inf)
        best = _better(best, level, pile, shapes, gap, False, False)
    if len(best) == n_most:
        return best
    upright = sorted_edges(edges, True, False)
    upright_ys = strip_heights(upright, columns[:, 0], step_m)
    upright_free = strip_profile(upright, upright_ys, columns[:, 0])
    column_pile = pile_strips(
        upright, upright_ys, upright_free, columns, gap, n_most, -math.inf, math.inf
    )
    best = _better(best, upright, column_pile, columns, gap, True, False)
    if n_most > n_cut_most:
        return best
    for way in range(4):
        swap, flip = SWAPPED[way], FLIPPED[way]
        if len(best) == n_most:
            break
        first_shapes = columns if swap else rows
        turned = sorted_edges(edges, swap, flip)
        ys = strip_heights(turned, first_shapes[:, 0], step_m)
        first = (turned, ys, strip_profile(turned, ys, first_shapes[:, 0]), first_shapes)
        if swap:
            second = (level, level_ys, level_free, rows)
        else:
            second = (upright, upright_ys, upright_free, columns)
        best = _with_rest(best, first, second, swap, flip, gap, n_most)
    return best


@njit(nogil=True, cache=True)
def _shapes(size_x, size_y, usable, gap, swap):
    """Table of kinds for ``pile_strips``; columns are rows with x and y exchanged."""
    shapes = np.empty((len(size_x), 4))
    shapes[:, 0] = size_x if swap else size_y
    shapes[:, 1] = size_y if swap else size_x
    shapes[:, 2] = gap
    shapes[:, 3] = usable
    return shapes


@njit(nogil=True, cache=True)
def _most(top):
    """Modules of the fullest pile."""
    n = len(top) - 1
    while not math.isfinite(top[n]):
        n -= 1
    return n


@njit(nogil=True, cache=True)
def _placed(n, edges, pile, shapes, gap, swap, flip, x_from, x_to):
    """Modules of the pile with n modules in the polygon's own x and y."""
    kinds, heights = strips_of_pile(n, pile[1], pile[2], pile[3])
    strips = place_modules(edges, kinds, heights, shapes, gap, x_from, x_to)
    placed = np.empty((len(strips), 3))
    for i in range(len(strips)):
        x, y, k = strips[i, 0], strips[i, 1], int(strips[i, 2])
        if flip:
            y = -y - shapes[k, 0]
        placed[i, 0], placed[i, 1], placed[i, 2] = (y, x, k) if swap else (x, y, k)
    return placed


@njit(nogil=True, cache=True)
def _better(best, edges, pile, shapes, gap, swap, flip):
    n = _most(pile[0])
    if n <= len(best):
        return best
    return _placed(n, edges, pile, shapes, gap, swap, flip, -math.inf, math.inf)


@njit(nogil=True, cache=True)
def _with_rest(best, first, second, swap, flip, gap, n_most):
    """
    The best of piles of the first kind of strips with strips of the other kind over them.

    ``first`` and ``second`` are (edges, heights, free intervals, shapes) of the two directions.
    Over a lower pile there is never less room: that bounds what lies between two known piles.
    """
    edges, ys, free, shapes = first
    rest_edges, rest_ys, rest_free, rest_shapes = second
    pile = pile_strips(edges, ys, free, shapes, gap, n_most, -math.inf, math.inf)
    states = np.empty(n_most + 1, np.int64)
    n_state, lowest = 0, math.inf
    for n in range(n_most, -1, -1):
        if pile[0][n] < lowest - 1e-9:
            lowest = pile[0][n]
            states[n_state] = n
            n_state += 1
    states = states[:n_state][::-1]
    # Stretches of states still to look into, each with what fits over its first one at most.
    stack = np.empty((2 * n_state + 2, 3), np.int64)
    stack[0] = 0, n_state - 1, n_most
    height, most = 1, len(best)
    best_n, best_rest, best_cut = -1, 0, 0.0
    while height > 0:
        height -= 1
        i, j, bound = stack[height]
        if i > j or states[j] + bound <= most:
            continue
        middle = (i + j) // 2
        n = states[middle]
        cut = pile[0][n]
        x_from, x_to = (-math.inf, -cut) if flip else (cut, math.inf)
        rest = _most(
            pile_strips(rest_edges, rest_ys, rest_free, rest_shapes, gap, n_most, x_from, x_to)[0]
        )
        if n + rest > most:
            most, best_n, best_rest, best_cut = n + rest, n, rest, cut
        stack[height] = i, middle - 1, bound
        stack[height + 1] = middle + 1, j, rest
        height += 2
    if best_n < 0:
        return best
    x_from, x_to = (-math.inf, -best_cut) if flip else (best_cut, math.inf)
    rest_pile = pile_strips(rest_edges, rest_ys, rest_free, rest_shapes, gap, n_most, x_from, x_to)
    lower = _placed(best_n, edges, pile, shapes, gap, swap, flip, -math.inf, math.inf)
    upper = _placed(
        best_rest, rest_edges, rest_pile, rest_shapes, gap, not swap, False, x_from, x_to
    )
    return np.concatenate((lower, upper))


@njit(nogil=True, cache=True)
def pack_rows(edges, size_x, size_y, gap_x, gap_y, area_m2, step_m):
    """Lower left corners (n, 2) of the most things of one size in rows ``gap_y`` apart."""
    n_most = int(area_m2 / (size_x * size_y) + 1e-9)
    shapes = np.array([[size_y, size_x, gap_y, 1.0]])
    level = sorted_edges(edges, False, False)
    ys = strip_heights(level, shapes[:, 0], step_m)
    free = strip_profile(level, ys, shapes[:, 0])
    pile = pile_strips(level, ys, free, shapes, gap_x, n_most, -math.inf, math.inf)
    kinds, heights = strips_of_pile(_most(pile[0]), pile[1], pile[2], pile[3])
    return place_modules(level, kinds, heights, shapes, gap_x, -math.inf, math.inf)[:, :2].copy()
