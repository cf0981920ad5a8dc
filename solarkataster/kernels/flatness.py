"""How flat a surface is: residuals of planes through small windows."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def plane_residuals(elevation_m, is_raised, half, cell_size_m, dome_share, dome_per_m, residual_m):
    """
    Fill ``residual_m`` with the RMS distance from a plane through the window about each cell.

    Square to the plane: the highest point of a cell is the farther off the steeper it is.

    Parameters
    ----------
    elevation_m : ndarray, shape (ny, nx), float32
    is_raised : ndarray, shape (ny, nx), bool
        Windows that hold any other cell are left out: inf.
    half : int
        A window has 2 half + 1 cells a side.
    cell_size_m : float
    dome_share, dome_per_m : float
        A window that is curved downwards by more than ``dome_per_m`` in both directions, so that
        this explains more than ``dome_share`` of the squared residuals, is no plane: inf.
    residual_m : ndarray, shape (ny, nx), float32
        Filled. [m]
    """
    ny, nx = elevation_m.shape
    side = 2 * half + 1
    n = side * side
    mean2 = half * (half + 1) / 3.0  # of squared places
    sum2 = sum4 = 0.0
    for k in range(-half, half + 1):
        sum2 += side * k * k
        sum4 += side * (k * k - mean2) ** 2
    sum22 = (sum2 / side) ** 2
    per_m = 2.0 / cell_size_m**2
    residual_m[:] = np.inf
    for row in range(half, ny - half):
        run = 0  # columns of raised cells that end here
        for col in range(nx):
            is_whole = True
            for i in range(row - half, row + half + 1):
                is_whole &= is_raised[i, col]
            run = run + 1 if is_whole else 0
            if run < side:
                continue
            at = col - half
            middle = np.float64(elevation_m[row, at])
            s = ss = sx = sy = sxx = syy = sxy = 0.0
            for i in range(-half, half + 1):
                for j in range(-half, half + 1):
                    z = elevation_m[row + i, at + j] - middle
                    s += z
                    ss += z * z
                    sx += j * z
                    sy += i * z
                    sxx += (j * j - mean2) * z
                    syy += (i * i - mean2) * z
                    sxy += i * j * z
            left = max(ss - s * s / n - (sx * sx + sy * sy) / sum2, 0.0)
            curved = (sxx * sxx + syy * syy) / sum4 + sxy * sxy / sum22
            is_dome = curved > dome_share * left and max(sxx, syy) / sum4 * per_m < -dome_per_m
            if not is_dome:
                slope2 = (sx * sx + sy * sy) / (sum2 * cell_size_m) ** 2
                residual_m[row, at] = math.sqrt(left / (n - 3) / (1.0 + slope2))
