"""The padded, flat arrays of one roof from its raster window, as ``plane_fit`` describes them."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from solarkataster.kernels.plane_fit import MEASURED, OFF, VOID


@njit(nogil=True, cache=True)
def place_cells(
    elevation_m, inside, east_m, north_m, has_offsets, cell_size_m, reach_cells, x, y, z, state,
    labels,
):  # fmt: skip
    """
    Fill the arrays of one roof from a window; they have one cell more on each side.

    Parameters
    ----------
    elevation_m, inside : ndarray, shape (ny, nx)
        Height [m] and cells of the footprint.
    east_m, north_m : ndarray, shape (ny, nx)
        Place of the height off the cell's centre; read only with ``has_offsets``. [m]
    reach_cells : float
        A cell without a height is a void if one with a height is no farther than this.
    x, y, z, state, labels : ndarray, shape ((ny + 2) (nx + 2),)
        Filled: place [cells], height [m], OFF, VOID or MEASURED, and 0 in and −1 off the footprint.

    Returns
    -------
    base_m : float
        Whole metre the heights are counted from; NaN if there are none. [m]
    """
    ny, nx = elevation_m.shape
    width = nx + 2
    lowest_m = np.inf
    for i in range(x.size):
        x[i], y[i], z[i] = i % width, i // width, 0.0
        state[i], labels[i] = OFF, -1
    for row in range(ny):
        for col in range(nx):
            if not inside[row, col]:
                continue
            i = (row + 1) * width + col + 1
            labels[i] = 0
            if not np.isfinite(elevation_m[row, col]):
                continue
            state[i] = MEASURED
            lowest_m = min(lowest_m, elevation_m[row, col])
            if has_offsets:
                x[i] += east_m[row, col] / cell_size_m
                y[i] -= north_m[row, col] / cell_size_m
    if lowest_m == np.inf:
        return np.nan
    base_m = math.floor(lowest_m)
    for row in range(ny):
        for col in range(nx):
            i = (row + 1) * width + col + 1
            if state[i] == MEASURED:
                z[i] = elevation_m[row, col] - base_m
            elif labels[i] == 0 and _is_near(inside, elevation_m, row, col, reach_cells):
                state[i] = VOID
    return base_m


@njit(nogil=True, cache=True)
def _is_near(inside, elevation_m, row, col, reach_cells):
    """Whether a cell of the footprint with a height is within reach, nearest rings first."""
    ny, nx = elevation_m.shape
    for ring in range(1, int(reach_cells) + 1):
        for v in range(max(0, row - ring), min(ny, row + ring + 1)):
            # On the upper and lower side every cell, between them the two at the ends.
            step = 1 if abs(v - row) == ring else 2 * ring
            for u in range(col - ring, col + ring + 1, step):
                if u < 0 or u >= nx or (v - row) ** 2 + (u - col) ** 2 > reach_cells**2:
                    continue
                if inside[v, u] and np.isfinite(elevation_m[v, u]):
                    return True
    return False


@njit(nogil=True, cache=True)
def filled_fraction(state, labels, width):
    """Share of cells with a height among those of the footprint beside one with a height."""
    n_filled = n_cells = 0
    for i in range(width, state.size - width):
        if state[i] != MEASURED:
            continue
        for step in (-width, -1, 1, width):
            if labels[i + step] >= 0:
                n_cells += 1
                n_filled += state[i + step] == MEASURED
    return n_filled / n_cells if n_cells > 0 else 1.0
