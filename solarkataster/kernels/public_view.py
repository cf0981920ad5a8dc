"""Whether a point of a surface model is seen from any of many eyes: rays, cell by cell."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _height_at(surface_m, along_rows, step, across):
    """Surface where a ray crosses the middle line of a row or column; NaN off the raster."""
    low = math.floor(across)
    share = across - low
    n_along = surface_m.shape[0] if along_rows else surface_m.shape[1]
    n_across = surface_m.shape[1] if along_rows else surface_m.shape[0]
    if step < 0 or step >= n_along or low < 0 or low + (share > 0.0) >= n_across:
        return np.nan
    if along_rows:
        height_m = surface_m[step, low]
        next_m = surface_m[step, low + 1] if share > 0.0 else height_m
    else:
        height_m = surface_m[low, step]
        next_m = surface_m[low + 1, step] if share > 0.0 else height_m
    return height_m + share * (next_m - height_m)


@njit(nogil=True, cache=True)
def _is_free(surface_m, row, col, height_m, eye_row, eye_col, eye_m, bare_cells):
    """Whether nothing stands between a point and an eye."""
    d_row, d_col = eye_row - row, eye_col - col
    along_rows = abs(d_row) >= abs(d_col)
    d_along = d_row if along_rows else d_col
    d_across = d_col if along_rows else d_row
    start, across = (row, col) if along_rows else (col, row)
    if d_along == 0.0:
        return True
    way = 1 if d_along > 0.0 else -1
    step = math.floor(start) + 1 if way > 0 else math.ceil(start) - 1
    end = start + d_along
    cells = math.hypot(d_row, d_col)
    while (step - end) * way < 0.0:
        share = (step - start) / d_along
        # Next to the point lies its own roof, next to the eye the ground it stands on.
        if share * cells > bare_cells and (1.0 - share) * cells > bare_cells:
            blocking_m = _height_at(surface_m, along_rows, step, across + share * d_across)
            if blocking_m > height_m + share * (eye_m - height_m):  # False for NaN
                return False
        step += way
    return True


@njit(nogil=True, cache=True)
def seen_by_any(surface_m, points, eyes, reach_cells, cell_size_m, bare_cells, seen):
    """
    Mark the points that at least one eye sees.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        What blocks the view; NaN blocks nothing. [m]
    points : ndarray, shape (n, 5), float64
        Row, column, height, and rise of the point's plane per metre towards east and north. Only
        eyes in front of the plane see it.
    eyes : ndarray, shape (n_eye, 3), float64
        Row, column and height, sorted by row.
    reach_cells : float
        Eyes farther away see nothing. [cells]
    cell_size_m : float
        [m]
    bare_cells : float
        So far from the point and from the eye nothing blocks. [cells]
    seen : ndarray of bool, shape (n,)
        Filled.
    """
    for i in range(points.shape[0]):
        row, col, height_m = points[i, 0], points[i, 1], points[i, 2]
        first = np.searchsorted(eyes[:, 0], row - reach_cells)
        seen[i] = False
        for k in range(first, eyes.shape[0]):
            d_row, d_col = eyes[k, 0] - row, eyes[k, 1] - col
            if d_row > reach_cells:
                break
            if d_row * d_row + d_col * d_col > reach_cells * reach_cells:
                continue
            # Height of the eye over the point's plane, carried on to where the eye is.
            over_m = eyes[k, 2] - height_m
            over_m -= (d_col * points[i, 3] - d_row * points[i, 4]) * cell_size_m
            if over_m <= 0.0:
                continue
            if _is_free(
                surface_m, row, col, height_m, eyes[k, 0], eyes[k, 1], eyes[k, 2], bare_cells
            ):
                seen[i] = True
                break
