"""Crowns near a receiver: the one it stands under, and the sky seen below their undersides."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def near_crowns(
    top_m, base_m, kind, which, row, col, eye_m, ahead_row, ahead_col, aside_row, aside_col,
    slope, n_near, step_m, farther, underside, is_under,
):  # fmt: skip
    """
    March through the crowns of one kind near receivers, towards one azimuth.

    Crowns are boxes: a cell from its underside to its top. Cells in a row are one body, and bodies
    that overlap in elevation are one; of two that do not, the lower one counts as ``farther``.

    Parameters
    ----------
    top_m, base_m : ndarray, shape (ny, nx), float32
    kind : ndarray, shape (ny, nx), uint8
    which : int
        The kind looked for.
    row, col, eye_m : ndarray, shape (n,), float64
    ahead_row, ahead_col, aside_row, aside_col : int
        Cell to cell along the ray's major axis, and across it.
    slope : float
        Cells aside per cell ahead.
    n_near : int
        Crossings with the lines through cell centres that are marched.
    step_m : float
        Length of the ray between two crossings. [m]
    farther : ndarray, shape (n,), float32
        Tangent up to which solids and farther crowns hide the sky; raised in place.
    underside : ndarray, shape (n,), float32
        Filled with the tangent at which the underside of the uppermost body is left behind; below
        it, down to ``farther``, the sky is seen freely. -inf where nothing is.
    is_under : ndarray, shape (n,), bool
        Filled: whether the receiver stands under a crown or in it.
    """
    place = np.empty(n_near, np.float64)
    cell = np.empty((n_near, 2), np.float32)
    n = 0
    for i in range(row.size):
        along = ahead_row * row[i] + ahead_col * col[i]
        first = math.ceil(along + 0.5) - along
        if i == 0 or row[i] != row[i - 1] or col[i] != col[i - 1]:
            n = _crown_cells(
                top_m, base_m, kind, which, row[i], col[i], first, ahead_row, ahead_col,
                aside_row, aside_col, slope, place, cell,
            )  # fmt: skip
        at_row = min(max(math.floor(row[i] + 0.5), 0), kind.shape[0] - 1)
        at_col = min(max(math.floor(col[i] + 0.5), 0), kind.shape[1] - 1)
        is_under[i] = kind[at_row, at_col] == which and top_m[at_row, at_col] > eye_m[i]
        underside[i] = -np.inf
        if farther[i] == np.inf:
            continue
        low = high = body_low = body_high = np.inf
        in_body, has_body = is_under[i], False
        if is_under[i]:
            above_m = base_m[at_row, at_col] - eye_m[i]
            if above_m <= 0.0:
                body_low = -np.inf
            elif first > 0.5:
                body_low = above_m / ((first - 0.5) * step_m)
        last = first - 1.0
        for k in range(n + 1):
            if in_body and (k == n or place[k] > last + 1.5):
                if not has_body:
                    low, high, has_body = body_low, body_high, True
                elif body_low <= high and body_high >= low:
                    low, high = min(low, body_low), max(high, body_high)
                elif body_high < low:
                    farther[i] = max(farther[i], np.float32(body_high))
                else:
                    farther[i] = max(farther[i], np.float32(high))
                    low, high = body_low, body_high
                in_body = False
            if k == n:
                break
            # The cell reaches half a step farther; from below its far edge is the lowest.
            b = (cell[k, 0] - eye_m[i]) / ((place[k] + 0.5) * step_m)
            t = (cell[k, 1] - eye_m[i]) / (place[k] * step_m)
            body_low = min(body_low, b) if in_body else b
            body_high = max(body_high, t) if in_body else t
            in_body, last = True, place[k]
        if has_body:
            underside[i] = low


@njit(nogil=True, cache=True)
def _crown_cells(
    top_m, base_m, kind, which, row, col, first, ahead_row, ahead_col, aside_row, aside_col,
    slope, place, cell,
):  # fmt: skip
    """List the cells of crowns that a ray crosses: how far ahead, underside and top."""
    n = 0
    for step in range(place.size):
        ahead = first + step
        at_row = math.floor(row + ahead_row * ahead + aside_row * slope * ahead + 0.5)
        at_col = math.floor(col + ahead_col * ahead + aside_col * slope * ahead + 0.5)
        if not (0 <= at_row < kind.shape[0] and 0 <= at_col < kind.shape[1]):
            break
        if kind[at_row, at_col] == which:
            place[n] = ahead
            cell[n, 0], cell[n, 1] = base_m[at_row, at_col], top_m[at_row, at_col]
            n += 1
    return n


@njit(nogil=True, cache=True)
def between(low, high, begin, end):
    """
    Intervals of the sky that are not empty.

    ``begin`` and ``end`` (n,) are filled with ``low`` and ``high`` where that is higher, elsewhere
    with inf, which asks for no light.

    Returns
    -------
    n : int
        How many are not empty.
    """
    n = 0
    for i in range(low.size):
        begin[i] = end[i] = np.inf
        if high[i] > low[i]:
            begin[i], end[i] = low[i], high[i]
            n += 1
    return n


@njit(nogil=True, cache=True)
def join_gaps(low_a, high_a, low_b, high_b):
    """Make of two intervals that overlap one, in the first pair; the second is left empty."""
    for i in range(low_a.size):
        if not (high_a[i] > low_a[i] and high_b[i] > low_b[i]):
            continue
        if low_a[i] <= high_b[i] and low_b[i] <= high_a[i]:
            low_a[i], high_a[i] = min(low_a[i], low_b[i]), max(high_a[i], high_b[i])
            low_b[i] = high_b[i] = np.inf
