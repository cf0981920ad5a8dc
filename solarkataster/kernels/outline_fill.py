"""Parts of a roof that belong to no plane given to the planes around them."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Least share of the border of two planes that lies where they meet: there the cells of both sides
#: agree on which of the two is the upper one on its own side; elsewhere they cancel out. Chimneys
#: on a short ridge, and heights measured off the centres of their cells, leave little of it.
MIN_AGREEMENT = 0.25

#: Fewer cells beside each other say nothing: opposite hips of a pyramid touch in its top. [cells]
MIN_BESIDE = 3.0


@njit(nogil=True, cache=True)
def _grow(labels, cells, is_allowed, width):
    """
    Let labels grow over cells, a round at a time, where they are allowed to.

    ``is_allowed`` is (n_cell, n_label); of several neighbours the first in reading order wins.
    """
    joins = np.zeros(cells.size, np.int32)
    open_cells = np.ones(cells.size, np.bool_)
    while True:
        n_joined = 0
        for k in range(cells.size):
            joins[k] = 0
            if not open_cells[k]:
                continue
            for step in (-width, -1, 1, width):
                label = labels[cells[k] + step]
                if label > 0 and is_allowed[k, label]:
                    joins[k] = label
                    n_joined += 1
                    break
        if n_joined == 0:
            return
        for k in range(cells.size):
            if joins[k] > 0:
                labels[cells[k]] = joins[k]
                open_cells[k] = False


@njit(nogil=True, cache=True)
def _rise(planes, a, b, cell, width):
    """Height of plane a over plane b at a cell."""
    d_row, d_col = planes[a - 1, 0] - planes[b - 1, 0], planes[a - 1, 1] - planes[b - 1, 1]
    return d_row * (cell // width) + d_col * (cell % width) + planes[a - 1, 2] - planes[b - 1, 2]


@njit(nogil=True, cache=True)
def _side(planes, a, b, cell, width):
    """
    +1 where plane a is above plane b, −1 below; within a cell of where they meet its share of that.

    A cell on the line is of either plane by chance, the more so if its height was measured off its
    centre.
    """
    steep = math.hypot(planes[a - 1, 0] - planes[b - 1, 0], planes[a - 1, 1] - planes[b - 1, 1])
    rise = _rise(planes, a, b, cell, width)
    return max(-1.0, min(1.0, rise / steep)) if steep > 0.0 else np.sign(rise)


@njit(nogil=True, cache=True)
def _meeting_sense(over, n_beside, a, b):
    """
    +1 (−1) where a and b meet and each is the upper (lower) one on its own side, else 0.

    At a step one of them is the upper one on both sides: that adds up to nothing.
    """
    total, n_both = over[a, b] + over[b, a], n_beside[a, b] + n_beside[b, a]
    if n_both < MIN_BESIDE or abs(total) <= MIN_AGREEMENT * n_both:
        return 0.0
    return np.sign(total)


@njit(nogil=True, cache=True)
def open_bulges(labels, width, planes, max_cells):
    """
    Take small bulges of a plane beyond its ridge or valley from it: holes to be filled.

    Where two planes meet in a line, cells of one beyond that line that touch the other or a hole
    are its by chance: the side of a chimney as high as the plane would be there.

    Parameters
    ----------
    labels, width, planes
        As in :func:`fill_holes`; cells of bulges become 0.
    max_cells : int
        Largest bulge.

    Returns
    -------
    over : ndarray, shape (n_plane + 1, n_plane + 1)
        How often the first plane is above the second on its own cells beside the second, less how
        often it is below; cells near the line where they meet count in part.
    n_beside : ndarray, shape (n_plane + 1, n_plane + 1)
        Number of these cells, counted in the same way.
    """
    n_label = planes.shape[0] + 1
    n_beside = np.zeros((n_label, n_label))
    over = np.zeros((n_label, n_label))
    for cell in range(width, labels.size - width):
        for step in (-width, -1, 1, width):
            a, b = labels[cell], labels[cell + step]
            if a > 0 and b > 0 and a != b:
                side = _side(planes, a, b, cell, width)
                n_beside[a, b] += abs(side)
                over[a, b] += side
    queue = np.empty(max_cells + 5, np.int64)
    for cell in range(width, labels.size - width):
        a = labels[cell]
        if a <= 0:
            continue
        for b in range(1, n_label):
            if n_beside[a, b] == 0 or labels[cell] != a:
                continue
            touches = False
            for step in (-width, -1, 1, width):
                touches = touches or labels[cell + step] == b or labels[cell + step] == 0
            sense = _meeting_sense(over, n_beside, a, b) if touches else 0.0
            if _rise(planes, a, b, cell, width) * sense >= 0.0:
                continue
            queue[0] = cell
            labels[cell] = 0
            n, head = 1, 0
            while head < n <= max_cells:
                for beside in (-width, -1, 1, width):
                    other = queue[head] + beside
                    if labels[other] == a and _rise(planes, a, b, other, width) * sense < 0.0:
                        labels[other] = 0
                        queue[n] = other
                        n += 1
                head += 1
            if n > max_cells:  # no bulge: a part of its own beyond the line
                for k in range(n):
                    labels[queue[k]] = a
    return over, n_beside


@njit(nogil=True, cache=True)
def narrow_cells(labels, width, side):
    """Cells of holes (label 0) that lie in no square of ``side`` cells of holes; (n_cell,) bool."""
    largest = np.zeros(labels.size, np.int32)  # square of hole cells that ends in a cell
    is_narrow = labels == 0
    for cell in range(width + 1, labels.size):
        if labels[cell] == 0:
            largest[cell] = 1 + min(
                largest[cell - 1], largest[cell - width], largest[cell - width - 1]
            )
            if largest[cell] >= side:
                for row in range(side):
                    is_narrow[cell - row * width - side + 1 : cell - row * width + 1] = False
    return is_narrow


@njit(nogil=True, cache=True)
def fill_holes(labels, width, parts, n_parts, planes, over, n_beside):
    """
    Fill holes up to where the planes around them meet.

    Where two planes around a hole meet in a ridge or a valley, each goes on as far as it is the
    same of the two, upper or lower, as beside the hole: the ridge runs straight through a chimney.
    Planes that do not meet there share the hole by distance.

    Parameters
    ----------
    labels : ndarray of int32, shape (n_cell,)
        Flat raster with a border of −1; 0 in holes, −1 outside, planes from 1. Filled in place.
    width : int
        Columns of the raster.
    parts : ndarray of int32, shape (n_cell,)
        Number of the hole to fill that each cell is in, 0 for none.
    n_parts : int
    planes : ndarray, shape (n_plane, 3)
        Planes ``z = planes[k, 0] row + planes[k, 1] col + planes[k, 2]`` of label k + 1.
    over, n_beside : ndarray, shape (n_plane + 1, n_plane + 1)
        From :func:`open_bulges`.
    """
    n_label = planes.shape[0] + 1
    order = np.argsort(parts, kind="mergesort")
    first = np.searchsorted(parts[order], np.arange(1, n_parts + 2))
    for part in range(n_parts):
        cells = order[first[part] : first[part + 1]]
        n_there, over_there = n_beside.copy(), over.copy()
        for cell in cells:
            for step in (-width, -1, 1, width):
                a = labels[cell + step]
                if a <= 0:
                    continue
                for b in range(1, n_label):
                    side = _side(planes, a, b, cell + step, width)
                    n_there[a, b] += abs(side)
                    over_there[a, b] += side
        is_allowed = np.ones((cells.size, n_label), np.bool_)
        for a in range(1, n_label):
            for b in range(1, n_label):
                sense = _meeting_sense(over_there, n_there, a, b)
                if sense != 0.0:
                    for k in range(cells.size):
                        is_allowed[k, a] &= _rise(planes, a, b, cells[k], width) * sense >= 0.0
        _grow(labels, cells, is_allowed, width)
        _grow(labels, cells[labels[cells] == 0], np.ones((cells.size, n_label), np.bool_), width)
