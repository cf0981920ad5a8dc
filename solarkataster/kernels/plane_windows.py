"""Planes through the square window around every cell, and the smoothest window that holds a cell.

Arrays are flat and padded by one cell, and heights have places, as in ``plane_fit``.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from solarkataster.kernels.plane_fit import MEASURED, N_MOMENTS


@njit(nogil=True, cache=True)
def _window_sums(values, width, radius, across, out):
    """
    Sum over the square window around every cell: over its rows first, then over its columns.

    Sums of sums cost ``2 (2 radius + 1)`` additions a cell instead of the square of it. ``across``
    is room for the sums over the rows.
    """
    height = values.size // width
    for row in range(height):
        line = across[row * width : (row + 1) * width]
        line[:] = 0.0
        for v in range(max(0, row - radius), min(height, row + radius + 1)):
            other = values[v * width : (v + 1) * width]
            for col in range(width):
                line[col] += other[col]
    for row in range(height):
        line = across[row * width : (row + 1) * width]
        total = out[row * width : (row + 1) * width]
        total[:] = 0.0
        for step in range(-radius, radius + 1):
            for col in range(max(0, -step), min(width, width - step)):
                total[col] += line[col + step]


@njit(nogil=True, cache=True)
def _moments(x, y, z, state):
    """What every cell adds to the sums a plane fit needs, in the order of ``plane_fit``."""
    weight = (state == MEASURED).astype(np.float64)
    wx, wy, wz = weight * x, weight * y, weight * z
    parts = np.empty((N_MOMENTS, z.size))
    parts[0], parts[1], parts[2], parts[3] = weight, wx, wy, wz
    parts[4], parts[5], parts[6] = wx * x, wx * y, wy * y
    parts[7], parts[8], parts[9] = wx * z, wy * z, wz * z
    return parts


@njit(nogil=True, cache=True)
def _sums_all_at_once(parts, width, radius, sums):
    """Moments of the windows around all cells, for roofs."""
    across = np.empty(sums.shape[1])
    for k in range(N_MOMENTS):
        _window_sums(parts[k], width, radius, across, sums[k])


@njit(nogil=True, cache=True)
def _sums_one_by_one(parts, state, width, radius, sums):
    """Moments of the windows around measured cells, for the few that are left over."""
    height = state.size // width
    for i in range(state.size):
        if state[i] != MEASURED:
            continue
        sums[:, i] = 0.0
        row, col = i // width, i % width
        for v in range(max(0, row - radius), min(height, row + radius + 1)):
            for j in range(
                v * width + max(0, col - radius), v * width + min(width, col + radius + 1)
            ):
                if state[j] == MEASURED:
                    for k in range(N_MOMENTS):
                        sums[k, i] += parts[k, j]


@njit(nogil=True, cache=True)
def window_fits(x, y, z, state, width, radius, min_cells, out_a, out_b, out_rms):
    """
    Fit a plane in the square window around every measured cell.

    Parameters
    ----------
    x, y : ndarray, shape (n_cell,)
        Where the height was measured. [cells]
    z : ndarray, shape (n_cell,)
        Height, from near its lowest: sums of squares keep their digits. [m]
    state : ndarray of uint8, shape (n_cell,)
        OFF, VOID or MEASURED; only measured cells count in a window.
    radius : int
        The window has ``2 radius + 1`` cells a side.
    min_cells : int
        Windows with fewer measured cells get no plane.
    out_a, out_b : ndarray, shape (n_cell,)
        Slope along x and y. [m per cell]
    out_rms : ndarray, shape (n_cell,)
        Residual with its degrees of freedom counted, infinite without a plane. [m]
    """
    sums = np.empty((N_MOMENTS, z.size))
    n_measured = np.count_nonzero(state == MEASURED)
    if n_measured * (2 * radius + 1) < 2 * z.size:
        _sums_one_by_one(_moments(x, y, z, state), state, width, radius, sums)
    else:
        _sums_all_at_once(_moments(x, y, z, state), width, radius, sums)
    for i in range(z.size):
        out_rms[i] = np.inf
        n = sums[0, i]
        if state[i] != MEASURED or n < min_cells:
            continue
        mx, my, mz = sums[1, i] / n, sums[2, i] / n, sums[3, i] / n
        cxx = sums[4, i] - sums[1, i] * mx
        cxy = sums[5, i] - sums[1, i] * my
        cyy = sums[6, i] - sums[2, i] * my
        cxz = sums[7, i] - sums[1, i] * mz
        cyz = sums[8, i] - sums[2, i] * mz
        czz = sums[9, i] - sums[3, i] * mz
        determinant = cxx * cyy - cxy * cxy
        if determinant <= 1e-6 * (cxx + cyy) ** 2:
            continue
        out_a[i] = (cxz * cyy - cyz * cxy) / determinant
        out_b[i] = (cyz * cxx - cxz * cxy) / determinant
        square_sum = max(0.0, czz - out_a[i] * cxz - out_b[i] * cyz)
        out_rms[i] = math.sqrt(square_sum / (n - 3.0))


@njit(nogil=True, cache=True)
def smoothest_windows(width, radius, a, b, rms, out_a, out_b, out_rms):
    """
    Slope of every cell from the smoothest of all windows that hold it.

    The window centred on a cell beside a ridge straddles the ridge; one of the shifted ones does
    not (the edge-preserving choice of Kuwahara et al. 1976, with planes instead of means).
    """
    height = rms.size // width
    best_in_column = np.empty(rms.size, np.int64)
    for row in range(height):
        for col in range(width):
            best = row * width + col
            for v in range(max(0, row - radius), min(height, row + radius + 1)):
                if rms[v * width + col] < rms[best]:
                    best = v * width + col
            best_in_column[row * width + col] = best
    for row in range(height):
        for col in range(width):
            i = row * width + col
            best = best_in_column[i]
            for u in range(max(0, col - radius), min(width, col + radius + 1)):
                other = best_in_column[row * width + u]
                if rms[other] < rms[best]:
                    best = other
            out_a[i] = a[best]
            out_b[i] = b[best]
            out_rms[i] = rms[best]
