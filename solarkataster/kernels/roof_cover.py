"""Roof planes continued under what stands over them."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def continue_planes(building, surface, east, south, reach, roof_m):
    """
    Fill cells of footprints that have no roof from the nearest cell of the same that has one.

    Parameters
    ----------
    building : ndarray, shape (ny, nx), int32
        Footprint of each cell from 1, 0 for none.
    surface : ndarray, shape (ny, nx), int32
        Plane of each cell, -1 for none.
    east, south : ndarray, shape (n_surface,)
        Rise of each plane from cell to cell. [m]
    reach : int
        How far is looked. [cells]
    roof_m : ndarray, shape (ny, nx), float32
        Heights where a plane is known; filled in place. Of planes equally near the lowest counts.
    """
    ny, nx = building.shape
    for row in range(ny):
        for col in range(nx):
            if building[row, col] == 0 or surface[row, col] >= 0:
                continue
            nearest = reach * reach + 1
            height_m = np.float32(np.nan)
            for r in range(max(0, row - reach), min(ny, row + reach + 1)):
                for c in range(max(0, col - reach), min(nx, col + reach + 1)):
                    s = surface[r, c]
                    away = (r - row) ** 2 + (c - col) ** 2
                    if s < 0 or building[r, c] != building[row, col] or away > nearest:
                        continue
                    z = np.float32(roof_m[r, c] + east[s] * (col - c) + south[s] * (row - r))
                    if away < nearest or z < height_m:
                        nearest, height_m = away, z
            roof_m[row, col] = height_m
