"""Points up and along walls, each with its share of the visible area."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from solarkataster.kernels.wall_pieces import (
    FOOT0,
    FOOT1,
    FROM,
    LOW0,
    LOW1,
    PLANE,
    SIDE,
    TO,
    TOP0,
    TOP1,
)

#: Columns of a point: chord, side, distance along the side, height, ground below it, area, storey,
#: plane of the roof above it, top and lower edge of the visible wall at its place.
CHORD, OF_SIDE, AT, HEIGHT, GROUND, AREA, STOREY, ROOF, TOP, LOW = range(10)

#: A step of a wall's edges from which columns do not reach over it; what is smaller than these is
#: no column and no row. [m, m², m]
_STEP_M, _LEAST_M2, _LEAST_M = 0.5, 0.02, 0.3


@njit(nogil=True, cache=True)
def wall_points(pieces, chord, offset_m, wall, base_m, n_storey, storey_m, along_m, up_m):
    """
    Columns of points along the chords of walls.

    Parameters
    ----------
    pieces : ndarray, shape (n_piece, 10)
        Visible pieces as from :func:`wall_pieces.wall_pieces`, of sides in the order of the walls.
    chord : ndarray of int64, shape (n_side,)
        −1 for sides without points of their own.
    offset_m : ndarray, shape (n_side,)
        Distance of the side's start from that of its chord. [m]
    wall : ndarray of int64, shape (n_side,)
    base_m : ndarray, shape (n_wall,)
        Height from which storeys are counted. [m]
    n_storey : ndarray of int64, shape (n_wall,)
    storey_m : float
    along_m, up_m : float
        Largest width and height a point stands for. [m]

    Returns
    -------
    points : ndarray, shape (n, 10)
        In order of the chords, along them and upwards. A column stands in the middle of its visible
        area; storeys are cut at their floors, and each part into equal rows.
    """
    points = np.empty((256, 10))
    n, i = 0, 0
    while i < pieces.shape[0]:
        c = chord[int(pieces[i, SIDE])]
        j = i + 1
        while j < pieces.shape[0] and _is_one(pieces, j, chord, offset_m):
            j += 1
        if c < 0:
            i = j
            continue
        a, b = _from(pieces, i, offset_m), _to(pieces, j - 1, offset_m)
        n_col = max(1, math.ceil((b - a) / along_m - 1e-9))
        w = wall[int(pieces[i, SIDE])]
        for k in range(n_col):
            low, high = a + k * (b - a) / n_col, a + (k + 1) * (b - a) / n_col
            area, middle = _middle(pieces, i, j, offset_m, low, high)
            if area < _LEAST_M2:
                continue
            need = n + 4 + int(area / (high - low + 1e-9) * (1.0 / up_m + 2.0 / storey_m)) + 64
            if need > len(points):
                more = np.empty((2 * need, 10))
                more[:n] = points[:n]
                points = more
            n = _raise_column(points, n, pieces, i, j, offset_m, c, low, high, middle, base_m[w],
                              n_storey[w], storey_m, up_m)  # fmt: skip
        i = j
    return points[:n].copy()


@njit(nogil=True, cache=True)
def _from(pieces, k, offset_m):
    return offset_m[int(pieces[k, SIDE])] + pieces[k, FROM]


@njit(nogil=True, cache=True)
def _to(pieces, k, offset_m):
    return offset_m[int(pieces[k, SIDE])] + pieces[k, TO]


@njit(nogil=True, cache=True)
def _is_one(pieces, j, chord, offset_m):
    """Whether a piece goes on from the one before without gap and step."""
    p, q = pieces[j - 1], pieces[j]
    if chord[int(p[SIDE])] != chord[int(q[SIDE])]:
        return False
    if abs(_from(pieces, j, offset_m) - _to(pieces, j - 1, offset_m)) > 1e-4:
        return False
    return abs(q[LOW0] - p[LOW1]) <= _STEP_M and abs(q[TOP0] - p[TOP1]) <= _STEP_M


@njit(nogil=True, cache=True)
def _middle(pieces, i, j, offset_m, low, high):
    """Visible area between two places along a chord, and where its middle is."""
    area = moment = 0.0
    for k in range(i, j):
        a, b = _from(pieces, k, offset_m), _to(pieces, k, offset_m)
        t, u = max(a, low), min(b, high)
        if u <= t:
            continue
        h0, h1 = pieces[k, TOP0] - pieces[k, LOW0], pieces[k, TOP1] - pieces[k, LOW1]
        at_t = h0 + (h1 - h0) * (t - a) / (b - a)
        at_u = h0 + (h1 - h0) * (u - a) / (b - a)
        part = 0.5 * (u - t) * (at_t + at_u)
        area += part
        moment += part * (t - low) + (u - t) ** 2 * (at_t + 2.0 * at_u) / 6.0
    if area <= 0.0:
        return 0.0, 0.5 * (low + high)
    return area, low + moment / area


@njit(nogil=True, cache=True)
def _below(f0, f1, width, z):
    """Integral of min(f, z) over a width along which f runs straight from f0 to f1."""
    if max(f0, f1) <= z:
        return 0.5 * width * (f0 + f1)
    if min(f0, f1) >= z:
        return width * z
    share = (z - f0) / (f1 - f0)
    if f0 < z:
        return width * (share * 0.5 * (f0 + z) + (1.0 - share) * z)
    return width * (share * z + (1.0 - share) * 0.5 * (z + f1))


@njit(nogil=True, cache=True)
def _area_below(pieces, i, j, offset_m, low, high, z):
    """Visible area between two places along a chord and below a height."""
    area = 0.0
    for k in range(i, j):
        a, b = _from(pieces, k, offset_m), _to(pieces, k, offset_m)
        t, u = max(a, low), min(b, high)
        if u <= t:
            continue
        x, y = (t - a) / (b - a), (u - a) / (b - a)
        q = pieces[k]
        top = _below(q[TOP0] + x * (q[TOP1] - q[TOP0]) - z, q[TOP0] + y * (q[TOP1] - q[TOP0]) - z,
                     u - t, 0.0)  # fmt: skip
        base = _below(q[LOW0] + x * (q[LOW1] - q[LOW0]) - z, q[LOW0] + y * (q[LOW1] - q[LOW0]) - z,
                      u - t, 0.0)  # fmt: skip
        area += top - base
    return area


@njit(nogil=True, cache=True)
def _raise_column(points, n, pieces, i, j, offset_m, c, low, high, middle, base_m, n_storey,
                  storey_m, up_m):  # fmt: skip
    """Append the points of one column from its foot to its top."""
    k = i
    while k + 1 < j and _to(pieces, k, offset_m) < middle:
        k += 1
    q = pieces[k]
    a, b = _from(pieces, k, offset_m), _to(pieces, k, offset_m)
    x = min(max((middle - a) / (b - a), 0.0), 1.0)
    bottom, top = q[LOW0] + x * (q[LOW1] - q[LOW0]), q[TOP0] + x * (q[TOP1] - q[TOP0])
    ground = q[FOOT0] + x * (q[FOOT1] - q[FOOT0])
    floors = np.empty(n_storey + 1)
    floors[0] = bottom
    n_floor = 1
    for storey in range(1, n_storey):
        floor = base_m + storey * storey_m
        if floor - floors[n_floor - 1] > _LEAST_M and top - floor > _LEAST_M:
            floors[n_floor] = floor
            n_floor += 1
    floors[n_floor] = top
    below = 0.0
    for f in range(n_floor):
        n_row = max(1, math.ceil((floors[f + 1] - floors[f]) / up_m - 1e-9))
        for row in range(n_row):
            z0 = floors[f] + row * (floors[f + 1] - floors[f]) / n_row
            z1 = floors[f] + (row + 1) * (floors[f + 1] - floors[f]) / n_row
            is_last = f == n_floor - 1 and row == n_row - 1
            up_to = _area_below(pieces, i, j, offset_m, low, high, 1e9 if is_last else z1)
            p = points[n]
            p[CHORD], p[OF_SIDE], p[ROOF] = c, q[SIDE], q[PLANE]
            p[TOP], p[LOW] = top, bottom
            p[AT] = q[FROM] + x * (q[TO] - q[FROM])
            p[HEIGHT], p[GROUND] = 0.5 * (z0 + z1), ground
            p[AREA] = up_to - below
            storey = math.floor((p[HEIGHT] - base_m) / storey_m)
            p[STOREY] = min(max(storey, 0), n_storey - 1)
            below = up_to
            n += p[AREA] > 1e-4
    return n
