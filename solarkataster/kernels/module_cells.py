"""Means of raster cells under small quadrilaterals: the light of modules."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _holds(corners, row, col):
    """Whether a convex quadrilateral holds a point, whichever way round its corners go."""
    n_left, n_right = 0, 0
    for k in range(4):
        m = (k + 1) % 4
        side = (corners[m, 0] - corners[k, 0]) * (col - corners[k, 1]) - (
            corners[m, 1] - corners[k, 1]
        ) * (row - corners[k, 0])
        n_left += side > 0.0
        n_right += side < 0.0
    return n_left == 0 or n_right == 0


@njit(nogil=True, cache=True)
def means_under(corners, index, values, reach, means):
    """
    Mean value of the cells whose centre lies in each quadrilateral.

    Parameters
    ----------
    corners : ndarray, shape (n, 4, 2)
        Row and column, cell centres on whole numbers.
    index : ndarray of int32, shape (ny, nx)
        Position of each cell in ``values``; −1 for cells without a value.
    values : ndarray, shape (n_value,)
    reach : int
        A quadrilateral without a cell takes the value nearest to its middle, at most this many rows
        and columns away.
    means : ndarray, shape (n,)
        Filled; NaN where there is no value within reach.
    """
    ny, nx = index.shape
    for i in range(corners.shape[0]):
        quad = corners[i]
        row0 = max(0, math.ceil(quad[:, 0].min()))
        row1 = min(ny - 1, math.floor(quad[:, 0].max()))
        col0 = max(0, math.ceil(quad[:, 1].min()))
        col1 = min(nx - 1, math.floor(quad[:, 1].max()))
        total, count = 0.0, 0
        for row in range(row0, row1 + 1):
            for col in range(col0, col1 + 1):
                at = index[row, col]
                if at >= 0 and _holds(quad, row, col):
                    total += values[at]
                    count += 1
        means[i] = total / count if count else _nearest(quad, index, values, reach)


@njit(nogil=True, cache=True)
def _nearest(quad, index, values, reach):
    """Value of the cell nearest to the middle of a quadrilateral; the first of equals."""
    ny, nx = index.shape
    middle_row, middle_col = quad[:, 0].mean(), quad[:, 1].mean()
    best, least = np.nan, np.inf
    # Halves always go up: to even ones, an odd shift of the window would look at other cells.
    row_near, col_near = math.floor(middle_row + 0.5), math.floor(middle_col + 0.5)
    for row in range(max(0, row_near - reach), min(ny, row_near + reach + 1)):
        for col in range(max(0, col_near - reach), min(nx, col_near + reach + 1)):
            if index[row, col] < 0:
                continue
            distance = (row - middle_row) ** 2 + (col - middle_col) ** 2
            if distance < least:
                best, least = values[index[row, col]], distance
    return best
