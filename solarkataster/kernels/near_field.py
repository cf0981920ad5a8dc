"""Skyline of receivers towards one azimuth: the near field, marched exactly."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def near_field(
    surface_m, run_start, row, col, eye_m, slope, n_near, step_m, drop_per_col2, tangent
):
    """
    Raise ``tangent`` to the surface within the first ``n_near`` crossings of each receiver's ray.

    Parameters
    ----------
    surface_m : ndarray, shape (n_row + 2, n_col), float32
        Heights, one row of ``NOTHING_M`` before and behind.
    run_start : ndarray, shape (n_run + 1,), int64
        Receivers ``run_start[i]`` to ``run_start[i + 1]`` stand in one row, one column apart, so
        that they share the pair of rows and the weight of every crossing; or all in one place.
    row, col : ndarray, shape (n,), float64
        Place of the receivers; cell centres on whole numbers, row 0 the first real row.
    eye_m : ndarray, shape (n,), float32
    slope : float
        Rows per column of the ray.
    n_near : int
        Crossings with columns that are marched.
    step_m : float
        Length of the ray between two columns. [m]
    drop_per_col2 : float
        Fall of the earth below the tangent, per squared column. [m]
    tangent : ndarray, shape (n,), float32
        Not negative; raised in place.
    """
    n_row = surface_m.shape[0] - 2
    n_col = surface_m.shape[1]
    # Slices of a flat array are half the price of slices of a row.
    flat_m = surface_m.reshape(-1)
    height_m, per_m = np.empty(n_near, np.float32), np.empty(n_near, np.float32)
    for i_run in range(run_start.size - 1):
        begin, end = run_start[i_run], run_start[i_run + 1]
        row0, col0 = row[begin], col[begin]
        first = math.ceil(col0 + 0.5)
        eye = eye_m[begin:end]
        out = tangent[begin:end]
        if end - begin > 1 and col[begin + 1] == col0:
            _near_stack(
                flat_m, n_row, n_col, row0, col0, slope, n_near, step_m, drop_per_col2, eye,
                height_m, per_m, out,
            )  # fmt: skip
            continue
        for k in range(n_near):
            ahead = first + k - col0
            y = row0 + slope * ahead
            upper = math.floor(y)
            if upper < -1 or upper > n_row - 1:
                break
            n = min(end - begin, n_col - (first + k))
            if n <= 0:
                break
            weight = np.float32(y - upper)
            per = np.float32(1.0 / (ahead * step_m))
            drop_m = np.float32(drop_per_col2 * ahead * ahead)
            at = (upper + 1) * n_col + first + k
            a = flat_m[at : at + n]
            b = flat_m[at + n_col : at + n_col + n]
            for i in range(n):
                t = (a[i] + weight * (b[i] - a[i]) - drop_m - eye[i]) * per
                out[i] = t if t > out[i] else out[i]


@njit(nogil=True, cache=True)
def _near_stack(
    flat_m, n_row, n_col, row0, col0, slope, n_near, step_m, drop_per_col2, eye_m,
    height_m, per_m, tangent,
):  # fmt: skip
    """
    Raise the tangents of receivers in one place to the first crossings of their ray.

    Of the crossings only those higher than all before them can be a skyline, for whatever eye; in
    a street there are few. ``height_m`` and ``per_m`` are room for them.
    """
    n_blind, lowest_m = 0, np.float32(np.inf)
    for i in range(eye_m.size):
        n_blind += tangent[i] == np.inf
        lowest_m = min(lowest_m, eye_m[i])
    if n_blind == eye_m.size:
        return
    highest_m = lowest_m
    n = 0
    first = math.ceil(col0 + 0.5)
    for k in range(min(n_near, n_col - first)):
        ahead = first + k - col0
        y = row0 + slope * ahead
        upper = int(y) - (y < 0.0)  # rounded down, but for whole rows off the raster
        if upper < -1 or upper > n_row - 1:
            break
        weight = np.float32(y - upper)
        at = np.uint64((upper + 1) * n_col + first + k)  # unsigned: no test for negative ones
        a, b = flat_m[at], flat_m[at + np.uint64(n_col)]
        z = a + weight * (b - a) - np.float32(drop_per_col2 * ahead * ahead)
        if z > highest_m:
            height_m[n], per_m[n], highest_m = z, np.float32(1.0 / (ahead * step_m)), z
            n += 1
    for i in range(eye_m.size):
        best = tangent[i]
        for k in range(n):
            t = (height_m[k] - eye_m[i]) * per_m[k]
            best = t if t > best else best
        tangent[i] = best
