"""The best of several ways to fill a polygon with strips: rows, columns, rows beside columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.kernels.packing import (
    best_cut,
    most_modules,
    pile_strips,
    place_modules,
    sorted_edges,
    strip_heights,
    strip_profile,
    strips_of_pile,
)

#: How the first strips run where rows and columns are combined: exchanged with the columns, and
#: turned upside down. Rows from below, rows from above, columns from the left, from the right.
_WAYS = ((False, False), (False, True), (True, False), (True, True))


@dataclass(frozen=True, eq=False)
class _Direction:
    """A polygon as strips of one direction see it, with x and y exchanged for columns."""

    swap: bool
    flip: bool
    edges: np.ndarray
    ys: np.ndarray
    intervals: tuple[np.ndarray, np.ndarray, np.ndarray]
    shapes: np.ndarray
    gap: float
    n_most: int

    def pile(self, shapes: np.ndarray, x_from: float = -math.inf, x_to: float = math.inf):
        """Lowest piles, see :func:`solarkataster.kernels.packing.pile_strips`."""
        return pile_strips(
            self.edges, self.ys, self.intervals, shapes, self.gap, self.n_most, x_from, x_to
        )

    def placed(self, n: int, pile, x_from: float = -math.inf, x_to: float = math.inf) -> np.ndarray:
        """Modules (n, 3) of the pile with n of them, in the polygon's own x and y, and kind."""
        _, kind, below, strip_y = pile
        kinds, heights = strips_of_pile(n, kind, below, strip_y)
        strips = place_modules(self.edges, kinds, heights, self.shapes, self.gap, x_from, x_to)
        placed = strips[:, :3].copy()
        if self.flip:
            placed[:, 1] = -placed[:, 1] - self.shapes[placed[:, 2].astype(np.intp), 0]
        return placed[:, [1, 0, 2]] if self.swap else placed


def pack(edges, size_x, size_y, usable, gap, area_m2, step_m, n_cut_most) -> np.ndarray:
    """
    Lower left corners and kinds of the most modules found for a polygon.

    Parameters
    ----------
    edges : ndarray, shape (n_edge, 4)
        x0, y0, x1, y1 of all edges of the polygon. [m]
    size_x, size_y : ndarray, shape (n_kind,)
        Sizes of the kinds of modules. [m]
    usable : ndarray of bool, shape (n_kind,)
        Kinds that may be used.
    gap : float
        Distance between modules. [m]
    area_m2 : float
        Area of the polygon. [m²]
    step_m : float
        Distance of the heights tried for strips. [m]
    n_cut_most : int
        Rows are combined with columns only where no more modules than this can fit.

    Returns
    -------
    placed : ndarray, shape (n_module, 3)
        x, y [m] and kind.

    Notes
    -----
    Tried in this order, the first of equal results is kept: rows of one kind, rows of both kinds,
    columns; then a pile of rows (from below or above) with columns over it and a pile of columns
    (from the left or right) with rows beside it, for every height of the first pile.
    """
    n_most = int(area_m2 / (size_x[0] * size_y[0]) + 1e-9)
    best = np.empty((0, 3))
    if n_most == 0:
        return best

    def seen(swap: bool, flip: bool = False) -> _Direction:
        across, along = (size_x, size_y) if swap else (size_y, size_x)
        shapes = _shapes(across, along, gap, usable)
        return _direction(edges, swap, flip, shapes, gap, n_most, step_m)

    rows = seen(swap=False)
    for shapes in (*_one_kind_each(rows.shapes), rows.shapes):
        best = _better(best, rows, rows.pile(shapes))
    if len(best) == n_most:
        return best
    columns = seen(swap=True)
    best = _better(best, columns, columns.pile(columns.shapes))
    if n_most > n_cut_most:
        return best
    for swap, flip in _WAYS:
        if len(best) == n_most:
            break
        best = _with_rest(best, seen(swap, flip), rows if swap else columns)
    return best


def pack_rows(edges, size_x, size_y, gap_x, gap_y, area_m2, step_m) -> np.ndarray:
    """Lower left corners (n, 2) of the most things of one size in rows ``gap_y`` apart. [m]"""
    n_most = int(area_m2 / (size_x * size_y) + 1e-9)
    shapes = np.array([[size_y, size_x, gap_y, 1.0]])
    rows = _direction(edges, False, False, shapes, gap_x, n_most, step_m)
    pile = rows.pile(shapes)
    return rows.placed(most_modules(pile[0]), pile)[:, :2].copy()


def _direction(edges, swap, flip, shapes, gap, n_most, step_m) -> _Direction:
    turned = sorted_edges(edges, swap, flip)
    ys = strip_heights(turned, shapes[:, 0], step_m)
    intervals = strip_profile(turned, ys, shapes[:, 0])
    return _Direction(swap, flip, turned, ys, intervals, shapes, gap, n_most)


def _shapes(across, along, gap, usable) -> np.ndarray:
    """Table of kinds for ``pile_strips``."""
    return np.column_stack([across, along, np.full(len(across), gap), usable]).astype(np.float64)


def _one_kind_each(shapes: np.ndarray) -> list[np.ndarray]:
    """The table with one usable kind at a time; none if only one is usable anyway."""
    usable = np.flatnonzero(shapes[:, 3])
    if len(usable) == 1:
        return []
    tables = []
    for k in usable:
        table = shapes.copy()
        table[:, 3] = np.arange(len(shapes)) == k
        tables.append(table)
    return tables


def _better(best: np.ndarray, direction: _Direction, pile) -> np.ndarray:
    n = most_modules(pile[0])
    return best if n <= len(best) else direction.placed(n, pile)


def _with_rest(best: np.ndarray, first: _Direction, second: _Direction) -> np.ndarray:
    """The best of piles of the first direction with strips of the second over them."""
    pile = first.pile(first.shapes)
    n_first, x_from, x_to = best_cut(
        pile[0], second.edges, second.ys, second.intervals, second.shapes, second.gap,
        second.n_most, not first.flip, len(best),
    )  # fmt: skip
    if n_first < 0:
        return best
    rest = second.pile(second.shapes, x_from, x_to)
    lower = first.placed(n_first, pile)
    upper = second.placed(most_modules(rest[0]), rest, x_from, x_to)
    return np.concatenate([lower, upper])
