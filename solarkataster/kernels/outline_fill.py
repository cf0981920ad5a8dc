"""Parts of a roof that belong to no plane given to the planes around them."""

from __future__ import annotations

import numpy as np
from numba import njit

#: Share of the cells around a hole that must agree on which of two planes is the upper one.
MIN_AGREEMENT = 0.6


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
def fill_holes(labels, width, parts, is_small, planes):
    """
    Fill small holes up to where the planes around them meet.

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
        Number of the hole each cell is in, 0 for none.
    is_small : ndarray of bool, shape (n_part + 1,)
        Holes to fill.
    planes : ndarray, shape (n_plane, 3)
        Planes ``z = planes[k, 0] row + planes[k, 1] col + planes[k, 2]`` of label k + 1.
    """
    n_label = planes.shape[0] + 1
    for part in range(1, is_small.size):
        if not is_small[part]:
            continue
        cells = np.flatnonzero(parts == part)
        n_beside = np.zeros(n_label, np.int64)
        over = np.zeros((n_label, n_label))  # how often a is above b on a's cells, less below
        for cell in cells:
            for step in (-width, -1, 1, width):
                a = labels[cell + step]
                if a <= 0:
                    continue
                row, col = (cell + step) // width, (cell + step) % width
                n_beside[a] += 1
                height = planes[a - 1, 0] * row + planes[a - 1, 1] * col + planes[a - 1, 2]
                for b in range(1, n_label):
                    other = planes[b - 1, 0] * row + planes[b - 1, 1] * col + planes[b - 1, 2]
                    over[a, b] += np.sign(height - other)
        is_allowed = np.ones((cells.size, n_label), np.bool_)
        for a in range(1, n_label):
            for b in range(1, n_label):
                meet = n_beside[a] > 0 and n_beside[b] > 0 and over[a, b] * over[b, a] > 0.0
                meet = meet and abs(over[a, b]) >= MIN_AGREEMENT * n_beside[a]
                if a == b or not (meet and abs(over[b, a]) >= MIN_AGREEMENT * n_beside[b]):
                    continue
                for k in range(cells.size):
                    row, col = cells[k] // width, cells[k] % width
                    rise = (planes[a - 1, 0] - planes[b - 1, 0]) * row
                    rise += (planes[a - 1, 1] - planes[b - 1, 1]) * col
                    rise += planes[a - 1, 2] - planes[b - 1, 2]
                    if rise * over[a, b] < 0.0:
                        is_allowed[k, a] = False
        _grow(labels, cells, is_allowed, width)
        _grow(labels, cells[labels[cells] == 0], np.ones((cells.size, n_label), np.bool_), width)
