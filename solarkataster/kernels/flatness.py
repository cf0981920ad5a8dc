"""How flat a surface is: planes through small windows, domes around them, and counts of cells."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def plane_residuals(elevation_m, is_raised, half, cell_size_m, residual_m):
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
    residual_m : ndarray, shape (ny, nx), float32
        Filled. [m]
    """
    ny, nx = elevation_m.shape
    side = 2 * half + 1
    n = side * side
    sum2 = 0.0  # of squared places
    for k in range(-half, half + 1):
        sum2 += side * k * k
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
            s = ss = sx = sy = 0.0
            for i in range(-half, half + 1):
                for j in range(-half, half + 1):
                    z = elevation_m[row + i, at + j] - middle
                    s += z
                    ss += z * z
                    sx += j * z
                    sy += i * z
            left = max(ss - s * s / n - (sx * sx + sy * sy) / sum2, 0.0)
            slope2 = (sx * sx + sy * sy) / (sum2 * cell_size_m) ** 2
            residual_m[row, at] = math.sqrt(left / (n - 3) / (1.0 + slope2))


@njit(nogil=True, cache=True)
def leave_out_domes(
    elevation_m, is_raised, asked, limit_m, half, step, cell_size_m, least_share, dome_per_m,
    residual_m,
):  # fmt: skip
    """
    Set residuals of flat windows to inf where the wider surroundings are a dome.

    Parameters
    ----------
    elevation_m, is_raised, cell_size_m
        As in :func:`plane_residuals`.
    asked : ndarray, shape (ny, nx), bool
        Middles of the windows looked at.
    limit_m : float
        Residual below which a window is flat. [m]
    half, step : int
        Every ``step``-th cell of the surroundings counts, ``half`` of them to either side.
    least_share : float
        Share of them that must be raised; the others do not count.
    dome_per_m : float
        Curved downwards by more than this in all directions is a dome. [1/m]
    residual_m : ndarray, shape (ny, nx), float32
    """
    ny, nx = elevation_m.shape
    least = least_share * (2 * half + 1) ** 2
    per_m = 1.0 / (step * cell_size_m) ** 2
    normal, term = np.empty((6, 7)), np.empty(7)
    for row in range(ny):
        for col in range(nx):
            if not (asked[row, col] and residual_m[row, col] < limit_m):
                continue
            normal[:] = 0.0
            n = 0
            middle = np.float64(elevation_m[row, col])
            for i in range(-half, half + 1):
                r = row + i * step
                if r < 0 or r >= ny:
                    continue
                for j in range(-half, half + 1):
                    c = col + j * step
                    if c < 0 or c >= nx or not is_raised[r, c]:
                        continue
                    n += 1
                    term[0], term[1], term[2] = 1.0, j, i
                    term[3], term[4], term[5] = 0.5 * j * j, 0.5 * i * i, i * j
                    term[6] = elevation_m[r, c] - middle
                    for a in range(6):
                        for b in range(a, 7):
                            normal[a, b] += term[a] * term[b]
            if n < least or not _solve(normal):
                continue
            xx, yy, xy = normal[3, 6] * per_m, normal[4, 6] * per_m, normal[5, 6] * per_m
            flattest = (xx + yy) / 2.0 + math.sqrt((xx - yy) ** 2 / 4.0 + xy * xy)
            if flattest < -dome_per_m:
                residual_m[row, col] = np.inf


@njit(nogil=True, cache=True)
def _solve(normal):
    """Solve symmetric equations, upper half and right side given, in place; False if singular."""
    n = normal.shape[0]
    for a in range(n):
        for b in range(a):
            normal[a, b] = normal[b, a]
    for a in range(n):
        if normal[a, a] < 1e-9:
            return False
        for b in range(n):
            if b != a:
                share = normal[b, a] / normal[a, a]
                for k in range(a, n + 1):
                    normal[b, k] -= share * normal[a, k]
    for a in range(n):
        normal[a, n] /= normal[a, a]
    return True


@njit(nogil=True, cache=True)
def box_counts(mask, half, counts):
    """
    Fill ``counts`` with how many cells of a square of 2 half + 1 about each cell are set.

    ``mask`` (ny, nx) bool, ``counts`` int32; cells off the raster are not set. Whole numbers, so
    that running sums are the same in any window.
    """
    ny, nx = mask.shape
    of_column = np.zeros(nx, np.int32)
    for row in range(-half, ny):
        if row + half < ny:
            for col in range(nx):
                of_column[col] += mask[row + half, col]
        if row - half - 1 >= 0:
            for col in range(nx):
                of_column[col] -= mask[row - half - 1, col]
        if row < 0:
            continue
        n = np.int32(0)
        for col in range(min(half, nx)):
            n += of_column[col]
        for col in range(nx):
            if col + half < nx:
                n += of_column[col + half]
            if col - half - 1 >= 0:
                n -= of_column[col - half - 1]
            counts[row, col] = n
