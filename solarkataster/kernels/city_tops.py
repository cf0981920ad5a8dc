"""Upper and lower edge of a city model's walls along the sides of a footprint."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Columns of an edge: both ends, and the wall's direction outwards.
X0, Y0, Z0, X1, Y1, Z1, OUT_X, OUT_Y = range(8)

#: Columns of a stretch: side, distances along it, top at both, foot at both, edge that is the top.
SIDE, BEGIN, FINISH, TOP0, TOP1, FOOT0, FOOT1, EDGE = range(8)

#: Edges that reach less far along a side stand on end. [m]
_UPRIGHT_M = 0.02


@njit(nogil=True, cache=True)
def edge_envelopes(start, end, edges, reach_m, least_cosine):
    """
    Highest and lowest edge of walls beside each place of the sides.

    Parameters
    ----------
    start, end : ndarray, shape (n_side, 2)
        Outside lies on the right. [m]
    edges : ndarray, shape (n_edge, 8)
        Edges of the walls' outlines: from x, y, z to x, y, z [m], and the unit vector out of the
        wall in plan.
    reach_m : float
        Edges farther from the side, in plan, are of other walls. [m]
    least_cosine : float
        Walls that are turned farther from the side face elsewhere.

    Returns
    -------
    stretches : ndarray, shape (n, 8)
        In order of the sides and along each; straight in top and foot. Where no edge is near there
        is none.
    """
    n_edge = edges.shape[0]
    found = np.empty((64, 8))
    n = 0
    near = np.empty((n_edge, 5))
    for s in range(start.shape[0]):
        x0, y0 = start[s, 0], start[s, 1]
        length = math.hypot(end[s, 0] - x0, end[s, 1] - y0)
        ux, uy = (end[s, 0] - x0) / length, (end[s, 1] - y0) / length
        m = 0
        for e in range(n_edge):
            q = edges[e]
            if q[OUT_X] * uy - q[OUT_Y] * ux < least_cosine:
                continue
            m = _clipped(q, x0, y0, ux, uy, length, reach_m, e, near, m)
        places = _places(near[:m])
        for i in range(places.size - 1):
            a, b = places[i], places[i + 1]
            if b - a < 1e-6:
                continue
            top, foot = _outer_edges(near[:m], 0.5 * (a + b))
            if top < 0:
                continue
            if n == len(found):
                more = np.empty((2 * n, 8))
                more[:n] = found
                found = more
            q = found[n]
            q[SIDE], q[BEGIN], q[FINISH] = s, a, b
            q[TOP0], q[TOP1] = _at(near[top], a), _at(near[top], b)
            q[FOOT0], q[FOOT1] = _at(near[foot], a), _at(near[foot], b)
            q[EDGE] = near[top, 4]
            n += 1
    return found[:n].copy()


@njit(nogil=True, cache=True)
def _clipped(q, x0, y0, ux, uy, length, reach_m, e, near, m):
    """Append the part of an edge that is beside a side: distances along, heights, its number."""
    a = (q[X0] - x0) * ux + (q[Y0] - y0) * uy
    b = (q[X1] - x0) * ux + (q[Y1] - y0) * uy
    if abs(b - a) < _UPRIGHT_M:
        return m
    off_a = (q[X0] - x0) * uy - (q[Y0] - y0) * ux
    off_b = (q[X1] - x0) * uy - (q[Y1] - y0) * ux
    z_a, z_b = q[Z0], q[Z1]
    if a > b:
        a, b, off_a, off_b, z_a, z_b = b, a, off_b, off_a, z_b, z_a
    low, high = max(a, 0.0), min(b, length)
    drift = (off_b - off_a) / (b - a)
    if abs(drift) > 1e-9:
        one, other = a + (-reach_m - off_a) / drift, a + (reach_m - off_a) / drift
        low, high = max(low, min(one, other)), min(high, max(one, other))
    elif abs(off_a) > reach_m:
        return m
    if high - low < 1e-6:
        return m
    rise = (z_b - z_a) / (b - a)
    near[m, 0], near[m, 1], near[m, 2], near[m, 3] = low, high, z_a + rise * (low - a), rise
    near[m, 4] = e
    return m + 1


@njit(nogil=True, cache=True)
def _at(edge, place):
    """Height of an edge at a place along the side."""
    return edge[2] + edge[3] * (place - edge[0])


@njit(nogil=True, cache=True)
def _places(near):
    """Where edges begin, end and cross, sorted."""
    m = near.shape[0]
    size = 2 * m
    places = np.empty(2 * m + m * (m - 1) // 2)
    places[:m], places[m:size] = near[:, 0], near[:, 1]
    for i in range(m):
        for j in range(i):
            low, high = max(near[i, 0], near[j, 0]), min(near[i, 1], near[j, 1])
            if high <= low:
                continue
            before = _at(near[i], low) - _at(near[j], low)
            after = _at(near[i], high) - _at(near[j], high)
            if before * after < 0.0:
                places[size] = low + before / (before - after) * (high - low)
                size += 1
    return np.sort(places[:size])


@njit(nogil=True, cache=True)
def _outer_edges(near, place):
    """Positions of the highest and the lowest edge over a place, −1 without."""
    top = foot = -1
    high, low = -np.inf, np.inf
    for k in range(near.shape[0]):
        if near[k, 0] <= place <= near[k, 1]:
            z = _at(near[k], place)
            if z > high:
                top, high = k, z
            if z < low:
                foot, low = k, z
    return top, foot
