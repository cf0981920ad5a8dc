"""Which planes are needed, wide enough or one with another: checks on labels.

Arrays are flat and padded by one cell, and heights have places, as in ``plane_fit``; ``labels`` is
−1 off the footprint, 0 for cells of no plane and 1..n for planes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from solarkataster.kernels.plane_fit import MEASURED, OFF


@njit(nogil=True, cache=True)
def judge_parts(
    parts, sizes, labels, state, width, planes, cell_size_m, side, min_area_m2, count_error,
    min_measured, min_wide_fraction, max_narrow_m2, max_lengthening,
):  # fmt: skip
    """
    Which connected parts of labels are planes.

    Parameters
    ----------
    parts : ndarray of int32, shape (n_cell,)
        Connected part of each cell, 0 for none.
    sizes : ndarray of int64, shape (n_part + 1,)
        Their cells.
    planes : ndarray, shape (n_label, 3)
        Of the labels.
    side : int
        A part must be wide: squares of so many cells a side inside it cover at least
        ``min_wide_fraction`` of it (the morphological opening, Matheron 1975: what is narrower
        than the square vanishes). [cells]
    min_area_m2, count_error : float
        Least inclined area [m²], and its standard error in cells per root of the border cells.
    min_measured : int
        Fewest heights.
    max_narrow_m2 : float
        Largest area of a part without a cell whose four neighbours belong to it too. [m²]
    max_lengthening : float
        Largest inclined area per area in plan.

    Returns
    -------
    new_label : ndarray of int32, shape (n_part + 1,)
        Of each part, from 1 in the order of parts; 0 for those that are no planes.
    label : ndarray of int64, shape (n_plane + 1,)
        Label that each new one had; 0 for new label 0.
    """
    n_part = sizes.size
    label, n_measured, n_wide, n_core = _part_figures(parts, labels, state, width, side, n_part)
    new_label = np.zeros(n_part, np.int32)
    old_label = np.zeros(n_part, np.int64)
    n = 0
    for part in range(1, n_part):
        plane = planes[label[part]]
        steepness2 = (plane[0] * plane[0] + plane[1] * plane[1]) / cell_size_m**2
        lengthening = math.sqrt(1.0 + steepness2)
        area_m2 = sizes[part] * cell_size_m**2 * lengthening
        # Of planes as large as the least one, half would be counted as smaller.
        error = count_error * math.sqrt(4.0 * math.sqrt(sizes[part])) / sizes[part]
        if (
            area_m2 * (1.0 + error) >= min_area_m2
            and n_measured[part] >= min_measured
            and n_wide[part] >= min_wide_fraction * sizes[part]
            and (n_core[part] > 0 or area_m2 <= max_narrow_m2)
            and lengthening <= max_lengthening
        ):
            n += 1
            new_label[part] = n
            old_label[n] = label[part]
    return new_label, old_label[: n + 1]


@njit(nogil=True, cache=True)
def _part_figures(parts, labels, state, width, side, n_part):
    """Label of each part, its heights, its cells in squares inside it, and those inside it."""
    label, n_measured, n_wide, n_core = np.zeros((4, n_part), np.int64)
    covered = np.zeros(parts.size, np.bool_)
    height = parts.size // width
    for row in range(height - side + 1):
        for col in range(width - side + 1):
            own = parts[row * width + col]
            if own > 0 and _is_one_part(parts, width, row, col, side):
                for v in range(row, row + side):
                    covered[v * width + col : v * width + col + side] = True
    for i in range(width, parts.size - width):
        own = parts[i]
        if own <= 0:
            continue
        label[own] = labels[i]
        n_measured[own] += state[i] == MEASURED
        n_wide[own] += covered[i]
        if parts[i - 1] == own and parts[i + 1] == own:
            n_core[own] += parts[i - width] == own and parts[i + width] == own
    return label, n_measured, n_wide, n_core


@njit(nogil=True, cache=True)
def _is_one_part(parts, width, row, col, side):
    own = parts[row * width + col]
    for v in range(row, row + side):
        for i in range(v * width + col, v * width + col + side):
            if parts[i] != own:
                return False
    return True


@njit(nogil=True, cache=True)
def rename(labels, keys, new_label):
    """Give every cell with a label above 0 the label ``new_label[keys]``."""
    for i in range(labels.size):
        if labels[i] > 0:
            labels[i] = new_label[keys[i]]


@njit(nogil=True, cache=True)
def _least_residual(x, y, z, planes, others, n_others):
    """Plane of a list that is nearest to a height, and its distance. [m]"""
    best, least = 0, np.inf
    for k in range(n_others):
        plane = planes[others[k]]
        residual = abs(z - plane[0] * x - plane[1] * y - plane[2])
        if residual < least:
            best, least = others[k], residual
    return best, least


@njit(nogil=True, cache=True)
def drop_needless(x, y, z, state, width, labels, planes, noise_m, reach_m, plane_cost):
    """
    Give the cells of a plane to those beside it if they explain nearly all of them.

    A plane is worth its parameters if without it the cost of its cells, squared residuals in units
    of the noise and at most that of ``reach_m``, rises by more than ``plane_cost`` (minimum
    description length; label costs of Isack & Boykov 2012). Small planes are tried first; a plane
    that takes cells over is kept.

    Returns
    -------
    n_dropped : int
    """
    n_label = planes.shape[0]
    starts = np.zeros(n_label + 1, np.int64)
    for label in labels:
        if label > 0:
            starts[label + 1] += 1
    starts = np.cumsum(starts)
    cells = np.empty(starts[-1], np.int64)
    fill = starts.copy()
    for i in range(labels.size):
        if labels[i] > 0:
            cells[fill[labels[i]]] = i
            fill[labels[i]] += 1
    sizes = starts[1:] - starts[:-1]
    keep = np.zeros(n_label, np.bool_)
    beside = np.zeros(n_label, np.bool_)
    others = np.empty(n_label, np.int64)
    most = (reach_m / noise_m) ** 2
    n_dropped = 0
    for own in np.argsort(sizes, kind="mergesort"):
        if own == 0 or sizes[own] == 0 or keep[own]:
            continue
        mine = cells[starts[own] : starts[own + 1]]
        n_others = 0
        for i in mine:
            for step in (-width, -1, 1, width):
                other = labels[i + step]
                if other > 0 and other != own and not beside[other]:
                    beside[other] = True
                    others[n_others] = other
                    n_others += 1
        for k in range(n_others):
            beside[others[k]] = False
        rise = 0.0
        for i in mine:
            if n_others == 0 or rise > plane_cost:
                break
            if state[i] != MEASURED:
                continue
            plane = planes[own]
            residual = z[i] - plane[0] * x[i] - plane[1] * y[i] - plane[2]
            least = _least_residual(x[i], y[i], z[i], planes, others, n_others)[1]
            rise += min(most, (least / noise_m) ** 2) - min(most, (residual / noise_m) ** 2)
        if n_others == 0 or rise > plane_cost:
            continue
        n_dropped += 1
        for i in mine:
            best, least = _least_residual(x[i], y[i], z[i], planes, others, n_others)
            labels[i] = best if state[i] == MEASURED and least <= reach_m else 0
            keep[labels[i]] = True
    return n_dropped


@njit(nogil=True, cache=True)
def _distance(x, y, z, state, plane, i):
    """Of a height from a plane; 0 without a height. [m]"""
    if state[i] != MEASURED:
        return 0.0
    return abs(z[i] - plane[0] * x[i] - plane[1] * y[i] - plane[2])


@njit(nogil=True, cache=True)
def _between(x, y, z, state, width, labels, plane, i, j):
    """Cell between two that meet at a corner only, the one nearer to the plane; −1 if none."""
    d_row = width if j > i + 1 else -width
    if abs(j - i) == 1 or abs(j - i) == width:
        return j
    best, least = -1, np.inf
    for k in (i + d_row, j - d_row):
        if labels[k] >= 0 and state[k] != OFF:
            distance = _distance(x, y, z, state, plane, k)
            if distance < least:
                best, least = k, distance
    return best


@njit(nogil=True, cache=True)
def bridge(x, y, z, state, width, labels, first, second, plane, highest_m, max_cells):
    """
    Join two planes by the shortest chain of cells that lie on their common plane.

    Beside a dormer that reaches nearly to the ridge or the eaves a roof is narrower than a cell,
    and its two sides are one plane all the same. A chain may take cells of other planes, where
    they lie within ``highest_m`` of the common one, and cells without a height; where it goes over
    a corner, it takes the better one of the two cells beside the corner. The chain becomes
    ``first``, the cells of ``second`` stay.

    Parameters
    ----------
    first, second : int
        Labels.
    plane : ndarray, shape (3,)
        Common plane.
    max_cells : int
        Longest chain.

    Returns
    -------
    found : bool
    """
    came_from = np.full(labels.size, -1, np.int64)
    queue = np.empty(labels.size, np.int64)
    n = 0
    for i in range(labels.size):
        if labels[i] == first:
            queue[n] = i
            n += 1
    head, length, level_end = 0, 0, n
    while head < n and length <= max_cells:
        i = queue[head]
        head += 1
        for step in (-width, -1, 1, width, -width - 1, -width + 1, width - 1, width + 1):
            j = i + step
            if labels[j] < 0 or labels[j] == first or state[j] == OFF or came_from[j] >= 0:
                continue
            if labels[j] != second and _distance(x, y, z, state, plane, j) > highest_m:
                continue
            if _between(x, y, z, state, width, labels, plane, i, j) < 0:
                continue
            came_from[j] = i
            queue[n] = j
            n += 1
            if labels[j] != second:
                continue
            while came_from[j] >= 0:
                i = came_from[j]
                for k in (j, _between(x, y, z, state, width, labels, plane, i, j)):
                    if labels[k] != second:
                        labels[k] = first
                j = i
            return True
        if head == level_end:
            length += 1
            level_end = n
    return False


@njit(nogil=True, cache=True)
def residual_sums(x, y, z, state, labels, planes, reach_m):
    """Number and squared residuals of the heights of each plane within reach of it; (n_label,)."""
    n_heights, square_sums = np.zeros(planes.shape[0], np.int64), np.zeros(planes.shape[0])
    for i in range(labels.size):
        label = labels[i]
        if label > 0 and state[i] == MEASURED:
            residual = _distance(x, y, z, state, planes[label], i)
            if residual < reach_m:
                n_heights[label] += 1
                square_sums[label] += residual * residual
    return n_heights, square_sums


@njit(nogil=True, cache=True)
def number_in_reading_order(labels, n_label):
    """Number labels anew by their first cell; returns the old label of each new one, (n_plane,)."""
    new_label = np.zeros(n_label, np.int32)
    old_label = np.zeros(n_label, np.int64)
    n = 0
    for i in range(labels.size):
        old = labels[i]
        if old > 0:
            if new_label[old] == 0:
                old_label[n] = old
                n += 1
                new_label[old] = n
            labels[i] = new_label[old]
    return old_label[:n]
