"""Samples beside the walls of a building: which side, how far out, roof or ground, where it ends.

Rasters are (ny, nx), row 0 north; places are metres east and north of a local origin.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: What a sample shows: nothing (no height, a tree above, another building), roof, no roof.
UNKNOWN, ROOF, GROUND = 0, 1, 2


@njit(nogil=True, cache=True)
def mark_corners(xy, tolerance_m):
    """
    Vertices of a closed ring that a polygon of straight sides needs.

    Parameters
    ----------
    xy : ndarray, shape (n, 2)
        Ring without its repeated first vertex. [m]
    tolerance_m : float
        Largest distance of a vertex that is passed over from its side. [m]

    Returns
    -------
    is_corner : ndarray of bool, shape (n,)
        At least three (or all) are corners. The sides begin at the ring's sharpest turn.
    """
    n = xy.shape[0]
    is_corner = np.zeros(n, np.bool_)
    if n <= 3:
        is_corner[:] = True
        return is_corner
    sharpest, least = 0, 2.0
    for i in range(n):
        ax, ay = xy[i, 0] - xy[i - 1, 0], xy[i, 1] - xy[i - 1, 1]
        bx, by = xy[(i + 1) % n, 0] - xy[i, 0], xy[(i + 1) % n, 1] - xy[i, 1]
        cosine = (ax * bx + ay * by) / math.sqrt((ax * ax + ay * ay) * (bx * bx + by * by))
        if cosine < least - 1e-9:
            sharpest, least = i, cosine
    first = 0
    while first < n:
        a = (sharpest + first) % n
        is_corner[a] = True
        reach = first + 1
        while reach < n:  # as far as all vertices between lie on the chord
            b = (sharpest + reach + 1) % n
            dx, dy = xy[b, 0] - xy[a, 0], xy[b, 1] - xy[a, 1]
            length = math.sqrt(dx * dx + dy * dy)
            straight = length > 0.0
            before = 0.0
            for k in range(first + 1, reach + 1):
                px, py = xy[(sharpest + k) % n, 0] - xy[a, 0], xy[(sharpest + k) % n, 1] - xy[a, 1]
                along = px * dx + py * dy
                straight = straight and abs(px * dy - py * dx) <= tolerance_m * length
                straight = straight and before <= along <= length * length
                before = along
                if not straight:
                    break
            if not straight:
                break
            reach += 1
        first = reach
    if is_corner.sum() < 3:
        is_corner[:] = True
    return is_corner


@njit(nogil=True, cache=True)
def nearest_sides(x, y, west_m, north_m, cell_m, start, end, is_convex, following, reach_m):
    """
    The side nearest to every sample within reach, and where the sample lies beside it.

    Parameters
    ----------
    x, y : ndarray, shape (ny, nx)
        Place of each sample, at most one cell from its cell's centre. [m]
    west_m, north_m, cell_m : float
        Corner of cell (0, 0) and cell size. [m]
    start, end : ndarray, shape (n_side, 2)
        Outside lies on the right. [m]
    is_convex, following : ndarray, shape (n_side,)
        As in :class:`solarkataster.roofs.sides.Sides`.
    reach_m : float
        Farthest samples looked at. [m]

    Returns
    -------
    side : ndarray of int32, shape (ny, nx)
        −1 out of reach, and −2 − i where the corner at the end of side i is nearest.
    along_m, out_m : ndarray, shape (ny, nx)
        Distance from the start along the side, and outwards from it (negative inside). [m]
    """
    ny, nx = x.shape
    side = np.full((ny, nx), -1, np.int32)
    along_m, out_m = np.zeros((ny, nx)), np.zeros((ny, nx))
    nearest = np.full((ny, nx), np.inf)
    preceding = np.empty(len(start), np.int64)
    for s in range(len(start)):
        preceding[following[s]] = s
    margin = reach_m + cell_m
    for s in range(len(start)):
        x0, y0, x1, y1 = start[s, 0], start[s, 1], end[s, 0], end[s, 1]
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        first_col = max(0, int((min(x0, x1) - margin - west_m) / cell_m))
        last_col = min(nx - 1, int((max(x0, x1) + margin - west_m) / cell_m))
        first_row = max(0, int((north_m - max(y0, y1) - margin) / cell_m))
        last_row = min(ny - 1, int((north_m - min(y0, y1) + margin) / cell_m))
        for row in range(first_row, last_row + 1):
            for col in range(first_col, last_col + 1):
                dx, dy = x[row, col] - x0, y[row, col] - y0
                along, out = dx * ux + dy * uy, dx * uy - dy * ux
                corner = -1
                distance = abs(out)
                if along < 0.0:
                    corner = preceding[s]
                    distance = math.hypot(dx, dy)
                elif along > length:
                    corner = s
                    distance = math.hypot(x[row, col] - x1, y[row, col] - y1)
                if distance > reach_m or not distance < nearest[row, col]:
                    continue
                nearest[row, col] = distance
                along_m[row, col] = along
                if corner < 0:
                    side[row, col] = s
                    out_m[row, col] = out
                else:  # nothing but the far side of a corner has the corner nearest
                    side[row, col] = -2 - corner
                    out_m[row, col] = distance if is_convex[corner] else -distance
    return side, along_m, out_m


@njit(nogil=True, cache=True)
def continue_planes(z, x, y, labels, may_join, planes, tolerance_m):
    """
    Let planes grow over the samples that continue them.

    Parameters
    ----------
    z, x, y : ndarray, shape (ny, nx)
        Heights (NaN: none) and their places. [m]
    labels : ndarray of int32, shape (ny, nx)
        Planes 1..n; filled in place where a sample outside is part of the roof.
    may_join : ndarray of bool, shape (ny, nx)
        Samples outside that may be part of the roof.
    planes : ndarray, shape (n, 3)
        ``z = planes[k, 0] x + planes[k, 1] y + planes[k, 2]`` of plane k + 1.
    tolerance_m : ndarray, shape (n,)
        Largest residual of a sample that continues a plane. [m]

    Notes
    -----
    In rounds of one cell; within a round nothing depends on the order of the cells. A cell goes to
    the neighbouring plane of least residual, of equal ones to the lower label.
    """
    ny, nx = z.shape
    waiting = np.flatnonzero(may_join.ravel() & (labels.ravel() == 0))
    joins = np.zeros(waiting.size, np.int32)
    n_waiting = waiting.size
    while n_waiting > 0:
        n_joined = 0
        for k in range(n_waiting):
            row, col = waiting[k] // nx, waiting[k] % nx
            best, least = labels[row, col], np.inf  # none yet
            for r in range(max(0, row - 1), min(ny, row + 2)):
                for c in range(max(0, col - 1), min(nx, col + 2)):
                    label = labels[r, c]
                    if label <= 0 or label == best:
                        continue
                    a, b, base = planes[label - 1]
                    residual = abs(z[row, col] - a * x[row, col] - b * y[row, col] - base)
                    if not residual <= tolerance_m[label - 1]:
                        continue
                    if residual < least or (residual == least and label < best):
                        best, least = label, residual
            joins[k] = best
            n_joined += best > 0
        if n_joined == 0:
            break
        left = 0
        for k in range(n_waiting):
            if joins[k] > 0:
                labels[waiting[k] // nx, waiting[k] % nx] = joins[k]
            else:
                waiting[left] = waiting[k]
                left += 1
        n_waiting = left


@njit(nogil=True, cache=True)
def ground_levels(z, side, out_m, usable, n_side, share):
    """
    Height that a share of the samples outside each side stays under.

    Returns
    -------
    ground_m : ndarray, shape (n_side,)
        NaN without samples. [m]
    """
    count = np.zeros(n_side + 1, np.int64)
    ny, nx = z.shape
    for row in range(ny):
        for col in range(nx):
            if side[row, col] >= 0 and out_m[row, col] > 0.0 and usable[row, col]:
                count[side[row, col] + 1] += 1
    first = np.cumsum(count)
    values = np.empty(first[-1])
    filled = first.copy()
    for row in range(ny):
        for col in range(nx):
            s = side[row, col]
            if s >= 0 and out_m[row, col] > 0.0 and usable[row, col]:
                values[filled[s]] = z[row, col]
                filled[s] += 1
    ground_m = np.full(n_side, np.nan)
    for s in range(n_side):
        part = np.sort(values[first[s] : first[s + 1]])
        if part.size > 0:
            ground_m[s] = part[int(share * (part.size - 1))]
    return ground_m


@njit(nogil=True, cache=True)
def classify_samples(z, x, y, side, out_m, usable, labels, nearest_label, planes, tolerance_m,
                     ground_m, min_height_m):  # fmt: skip
    """
    What each sample beside a side shows: roof, ground or nothing.

    A sample on the plane is roof, if it is connected to the rest or lies inside; so is one inside
    that lies higher. One in the lower half between plane and ground is ground. One in the upper
    half is a mixed cell if it lies between roof and ground, and then roof: it is more roof than
    ground. All else says nothing.

    Returns
    -------
    shows : ndarray of uint8, shape (ny, nx)
    """
    ny, nx = z.shape
    shows = np.zeros((ny, nx), np.uint8)
    is_between = np.zeros((ny, nx), np.bool_)
    for row in range(ny):
        for col in range(nx):
            s = side[row, col]
            if s < 0 or not usable[row, col]:
                continue
            outside = out_m[row, col] > 0.0
            k = (labels[row, col] if labels[row, col] > 0 else nearest_label[row, col]) - 1
            a, b, base = planes[k]
            plane_m = a * x[row, col] + b * y[row, col] + base
            if not plane_m - ground_m[s] >= min_height_m:
                continue
            below_m = plane_m - z[row, col]
            if not outside and below_m <= tolerance_m[k]:  # parapets and chimneys are roof here
                shows[row, col] = ROOF
            elif abs(below_m) <= tolerance_m[k]:
                if labels[row, col] > 0:
                    shows[row, col] = ROOF
            elif below_m > 0.5 * (plane_m - ground_m[s]):
                shows[row, col] = GROUND
            elif below_m > 0.0:
                is_between[row, col] = True
    for row in range(ny):
        for col in range(nx):
            if not is_between[row, col]:
                continue
            roof = ground = False
            for r in range(max(0, row - 1), min(ny, row + 2)):
                for c in range(max(0, col - 1), min(nx, col + 2)):
                    roof = roof or shows[r, c] == ROOF
                    ground = ground or shows[r, c] == GROUND
            if roof and ground:
                is_between[row, col] = False
                shows[row, col] = 3  # not to be taken for roof by its neighbours
    for row in range(ny):
        for col in range(nx):
            if shows[row, col] == 3:
                shows[row, col] = ROOF
    return shows


@njit(nogil=True, cache=True)
def step_depths(first, along_m, out_m, is_roof, length_m, cell_m, beside_m):
    """
    Where the roof ends beside each side: the likeliest step from roof to ground.

    The step that leaves the fewest samples on the wrong side, ground before or roof behind it, is
    the likeliest one if a small share of samples is wrong at random. Between the last roof and the
    first ground all places are equally likely; the middle is taken.

    Parameters
    ----------
    first : ndarray of int64, shape (n_side + 1,)
        Where the samples of each side begin; they are sorted by ``out_m`` within a side.
    along_m, out_m : ndarray, shape (n_sample,)
    is_roof : ndarray of bool, shape (n_sample,)
    length_m : ndarray, shape (n_side,)
        Lengths of the sides. [m]
    cell_m, beside_m : float
        Length of the bins along a side, and how near to the step roof and ground count as seen. [m]

    Returns
    -------
    depth_m, half_width_m : ndarray, shape (n_side,)
        Place of the step, and half of the interval it may lie in; NaN without samples. [m]
    wrong_share, seen_share : ndarray, shape (n_side,)
        Share of samples near the step on the wrong side of it, and of the bins along the side in
        which both roof before and ground behind the step are seen.
    """
    n_side = length_m.size
    depth_m, half_width_m = np.full(n_side, np.nan), np.full(n_side, np.nan)
    wrong_share, seen_share = np.ones(n_side), np.zeros(n_side)
    for s in range(n_side):
        i, j = first[s], first[s + 1]
        if j == i:
            continue
        wrong = 0
        for k in range(i, j):
            wrong += is_roof[k]
        least = wrong  # the step before all samples
        low = high = i
        for k in range(i, j):
            wrong += -1 if is_roof[k] else 1
            if k + 1 < j and out_m[k + 1] == out_m[k]:
                continue
            if wrong < least:
                least, low, high = wrong, k + 1, k + 1
            elif wrong == least:
                high = k + 1
        if low == i or high == j:  # no roof before or no ground behind it
            continue
        depth_m[s] = 0.5 * (out_m[low - 1] + out_m[high])
        half_width_m[s] = 0.5 * (out_m[high] - out_m[low - 1])
        n_bins = max(1, int(length_m[s] / cell_m))
        roof, ground = np.zeros(n_bins, np.bool_), np.zeros(n_bins, np.bool_)
        n_near = n_wrong = 0
        for k in range(i, j):
            if abs(out_m[k] - depth_m[s]) > beside_m:
                continue
            b = min(n_bins - 1, int(along_m[k] / length_m[s] * n_bins))
            before = out_m[k] < depth_m[s]
            n_near += 1
            n_wrong += before != is_roof[k]
            roof[b] |= before and is_roof[k]
            ground[b] |= not before and not is_roof[k]
        wrong_share[s] = n_wrong / max(1, n_near)
        seen_share[s] = (roof & ground).sum() / n_bins
    return depth_m, half_width_m, wrong_share, seen_share
