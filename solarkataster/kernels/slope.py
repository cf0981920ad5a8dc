"""Slope of each cell of a raster from its neighbours."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def cell_slopes(height_m, cell_size_m, slope_east, slope_north):
    """
    Fill the rise per metre towards east and north of the plane fitted to each 3 × 3 cells.

    Least squares over the cells that have data (with all nine: Prewitt's weights); a direction
    in which there is no neighbour is level.

    Parameters
    ----------
    height_m : ndarray, shape (ny, nx), float64
    cell_size_m : float
    slope_east, slope_north : ndarray, shape (ny, nx), float64
        Filled; NaN where ``height_m`` is NaN.
    """
    ny, nx = height_m.shape
    for row in range(ny):
        for col in range(nx):
            if np.isnan(height_m[row, col]):
                slope_east[row, col] = np.nan
                slope_north[row, col] = np.nan
                continue
            n = sx = sy = sz = sxx = sxy = syy = sxz = syz = 0.0
            for r in range(max(0, row - 1), min(ny, row + 2)):
                for c in range(max(0, col - 1), min(nx, col + 2)):
                    z = height_m[r, c] - height_m[row, col]
                    if np.isnan(z):
                        continue
                    x, y = float(c - col), float(row - r)
                    n += 1.0
                    sx += x
                    sy += y
                    sz += z
                    sxx += x * x
                    sxy += x * y
                    syy += y * y
                    sxz += x * z
                    syz += y * z
            sxx -= sx * sx / n
            sxy -= sx * sy / n
            syy -= sy * sy / n
            sxz -= sx * sz / n
            syz -= sy * sz / n
            determinant = sxx * syy - sxy * sxy
            if determinant > 1e-9:
                east = (sxz * syy - syz * sxy) / determinant
                north = (syz * sxx - sxz * sxy) / determinant
            else:
                east = sxz / sxx if sxx > 1e-9 else 0.0
                north = syz / syy if syy > 1e-9 else 0.0
            slope_east[row, col] = east / cell_size_m
            slope_north[row, col] = north / cell_size_m
