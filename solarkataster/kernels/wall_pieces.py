"""Visible part of walls: pieces over which foot, hidden height and top are straight lines."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from solarkataster.kernels.wall_tops import FROM_CELLS

#: Columns of a piece: side, distances along it, lower edge at both, top at both, ground at both,
#: plane of the roof.
SIDE, FROM, TO, LOW0, LOW1, TOP0, TOP1, FOOT0, FOOT1, PLANE = range(10)


@njit(nogil=True, cache=True)
def wall_pieces(start, end, planes, stretches, contacts, node_at, node_z, elevation_m, terrain_m,
                frame, spacing_m, least_m):  # fmt: skip
    """
    Cut the visible part of every side of a building into pieces.

    Parameters
    ----------
    start, end : ndarray, shape (n_side, 2)
        Outside lies on the right. [m]
    planes : ndarray, shape (n_plane, 4)
        ``z = planes[k, 0] x + planes[k, 1] y + planes[k, 2]``, and what stands on its rim. [m]
    stretches : tuple of ndarray, shape (n,)
        Side, plane, begin and finish as from :func:`wall_tops.plane_stretches`.
    contacts : ndarray, shape (n_contact, 5)
        Side, begin, finish, first node and one past the last node of what a neighbour hides.
    node_at, node_z : ndarray, shape (n_node,)
        Places along the side and the neighbour's height there; a contact without any hides
        nothing. [m]
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        Surface and terrain. [m]
    frame : tuple
        East and north shift to global cells, cell size, first column and row.
    spacing_m : float
        Largest distance between two places at which ground and cells are read. [m]
    least_m : float
        What stands out less over a neighbour is hidden. [m]

    Returns
    -------
    pieces : ndarray, shape (n, 10)
        In order of the sides and along each; low ≤ top. Pieces without height are left out.
    no_height_m : ndarray, shape (n_side,)
        Length of each side along which top or ground is unknown. [m]
    hidden_m2 : ndarray, shape (n_side,)
        Area between ground and top that neighbours hide. [m²]
    """
    side_of, plane_of, begin, finish = stretches
    n_side = start.shape[0]
    pieces = np.empty((256, 10))
    n = 0
    no_height_m, hidden_m2 = np.zeros(n_side), np.zeros(n_side)
    for k in range(side_of.size):
        s, p = side_of[k], plane_of[k]
        length = math.hypot(end[s, 0] - start[s, 0], end[s, 1] - start[s, 1])
        x0, y0 = start[s, 0], start[s, 1]
        ux, uy = (end[s, 0] - x0) / length, (end[s, 1] - y0) / length
        knots = _knots(s, begin[k], finish[k], length, contacts, node_at, spacing_m)
        for i in range(knots.size - 1):
            a, b = knots[i], knots[i + 1]
            if p == FROM_CELLS:
                top_a, top_b = _cell_tops(x0, y0, ux, uy, a, b, elevation_m, frame, spacing_m)
            else:
                q = planes[p]
                top_a = q[0] * (x0 + a * ux) + q[1] * (y0 + a * uy) + q[2] + q[3]
                top_b = q[0] * (x0 + b * ux) + q[1] * (y0 + b * uy) + q[2] + q[3]
            foot_a = terrain_at(x0 + a * ux, y0 + a * uy, terrain_m, frame)
            foot_b = terrain_at(x0 + b * ux, y0 + b * uy, terrain_m, frame)
            if not (top_a == top_a and top_b == top_b and foot_a == foot_a and foot_b == foot_b):
                no_height_m[s] += b - a
                continue
            hides_a, hides_b = _hidden(s, a, b, contacts, node_at, node_z)
            if hides_a > foot_a or hides_b > foot_b:
                whole_m2 = _between(foot_a, foot_b, top_a, top_b, b - a)
                if max(top_a - hides_a, top_b - hides_b) < least_m:
                    hidden_m2[s] += whole_m2
                    continue
            else:
                whole_m2 = 0.0
            if n + 4 > len(pieces):
                more = np.empty((2 * len(pieces), 10))
                more[:n] = pieces[:n]
                pieces = more
            done = n
            n = _cut(pieces, n, s, a, b, foot_a, foot_b, hides_a, hides_b, top_a, top_b, p)
            if whole_m2 > 0.0:
                for j in range(done, n):
                    q = pieces[j]
                    whole_m2 -= 0.5 * (q[TO] - q[FROM]) * (q[TOP0] + q[TOP1] - q[LOW0] - q[LOW1])
                hidden_m2[s] += max(0.0, whole_m2)
    return pieces[:n].copy(), no_height_m, hidden_m2


@njit(nogil=True, cache=True)
def _knots(s, begin, finish, length, contacts, node_at, spacing_m):
    """Where a stretch is cut: every spacing from the side's start, and where neighbours are."""
    n_part = max(1, math.ceil(length / spacing_m - 1e-9))
    size = n_part + 3
    for c in range(contacts.shape[0]):
        if contacts[c, 0] == s:
            size += 2 + int(contacts[c, 4] - contacts[c, 3])
    knots = np.empty(size)
    knots[0], knots[1] = begin, finish
    n = 2
    for i in range(1, n_part):
        knots[n] = i * length / n_part
        n += 1
    for c in range(contacts.shape[0]):
        if contacts[c, 0] == s:
            knots[n], knots[n + 1] = contacts[c, 1], contacts[c, 2]
            n += 2
            for j in range(int(contacts[c, 3]), int(contacts[c, 4])):
                knots[n] = node_at[j]
                n += 1
    knots = np.sort(knots[:n])
    kept, last = 0, -1.0
    for i in range(n):
        if begin <= knots[i] <= finish and (kept == 0 or knots[i] - last > 1e-6):
            last = knots[i]
            knots[kept] = last
            kept += 1
    return knots[:kept].copy()


@njit(nogil=True, cache=True)
def _cell_tops(x0, y0, ux, uy, a, b, elevation_m, frame, spacing_m):
    """Highest cell just behind the wall along a piece: level, as cells are."""
    cell_m = frame[2]
    half_m = max(0.5 * (b - a), 0.5 * spacing_m, 0.75 * cell_m)
    top = highest_inside(x0, y0, ux, uy, 0.5 * (a + b), half_m, 1.5 * cell_m, elevation_m, frame)
    if top != top:
        top = highest_inside(
            x0, y0, ux, uy, 0.5 * (a + b), 2.0 * half_m, 3.0 * cell_m, elevation_m, frame
        )
    return top, top


@njit(nogil=True, cache=True)
def _hidden(s, a, b, contacts, node_at, node_z):
    """Height that neighbours hide at both ends of a piece; of several the highest."""
    middle = 0.5 * (a + b)
    hides_a = hides_b = -np.inf
    for c in range(contacts.shape[0]):
        if contacts[c, 0] != s or middle < contacts[c, 1] or middle > contacts[c, 2]:
            continue
        i, j = int(contacts[c, 3]), int(contacts[c, 4])
        at_a, at_b = _along(node_at, node_z, i, j, a), _along(node_at, node_z, i, j, b)
        if at_a + at_b > hides_a + hides_b:
            hides_a, hides_b = at_a, at_b
    return hides_a, hides_b


@njit(nogil=True, cache=True)
def _along(node_at, node_z, i, j, at):
    """Height between the nodes i to j, level beyond the outer ones; −inf without nodes."""
    if i == j:
        return -np.inf
    if at <= node_at[i]:
        return node_z[i]
    for k in range(i + 1, j):
        if at <= node_at[k]:
            share = (at - node_at[k - 1]) / (node_at[k] - node_at[k - 1])
            return node_z[k - 1] + share * (node_z[k] - node_z[k - 1])
    return node_z[j - 1]


@njit(nogil=True, cache=True)
def _between(low0, low1, top0, top1, width):
    """Area between two lines where the upper one is above."""
    h0, h1 = top0 - low0, top1 - low1
    if h0 >= 0.0 and h1 >= 0.0:
        return 0.5 * width * (h0 + h1)
    if h0 <= 0.0 and h1 <= 0.0:
        return 0.0
    positive = max(h0, h1)
    return 0.5 * width * positive * positive / abs(h0 - h1)


@njit(nogil=True, cache=True)
def _cut(pieces, n, s, a, b, foot0, foot1, hides0, hides1, top0, top1, plane):
    """Append the parts of one piece where the top is over ground and neighbour."""
    cuts = np.array([0.0, 1.0, 1.0, 1.0, 1.0])
    n_cut = 2
    if hides0 == -np.inf:
        hides0, hides1 = foot0 - 1.0, foot1 - 1.0
    for before, after in ((foot0 - hides0, foot1 - hides1), (top0 - hides0, top1 - hides1),
                          (top0 - foot0, top1 - foot1)):  # fmt: skip
        if before * after < 0.0:
            cuts[n_cut] = before / (before - after)
            n_cut += 1
    cuts = np.sort(cuts[:n_cut])
    for i in range(n_cut - 1):
        t, u = cuts[i], cuts[i + 1]
        if (u - t) * (b - a) < 1e-6:
            continue
        foot_t, foot_u = foot0 + t * (foot1 - foot0), foot0 + u * (foot1 - foot0)
        low_t = max(foot_t, hides0 + t * (hides1 - hides0))
        low_u = max(foot_u, hides0 + u * (hides1 - hides0))
        top_t = max(low_t, top0 + t * (top1 - top0))
        top_u = max(low_u, top0 + u * (top1 - top0))
        if top_t - low_t + top_u - low_u < 1e-3:
            continue
        q = pieces[n]
        q[SIDE], q[FROM], q[TO] = s, a + t * (b - a), a + u * (b - a)
        q[LOW0], q[LOW1], q[TOP0], q[TOP1] = low_t, low_u, top_t, top_u
        q[FOOT0], q[FOOT1], q[PLANE] = foot_t, foot_u, plane
        n += 1
    return n


@njit(nogil=True, cache=True)
def wall_rings(pieces, wall, start, along, near_m):
    """
    Outlines of the visible parts of walls in space.

    Parameters
    ----------
    pieces : ndarray, shape (n, 10)
        As from :func:`wall_pieces`, of sides in the order of their walls.
    wall : ndarray of int64, shape (n_side,)
        Wall of each side.
    start, along : ndarray, shape (n_side, 2)
        Start of each side and unit vector along it. [m]
    near_m : float
        Corners this near in height to the line between their neighbours are left out. [m]

    Returns
    -------
    xyz : ndarray, shape (n_point, 3)
        Closed rings: along the lower edge, back along the top. [m]
    first : ndarray of int64, shape (n_ring + 1,)
    ring_wall : ndarray of int64, shape (n_ring,)
    """
    n = pieces.shape[0]
    xyz = np.empty((5 * n + 8, 3))
    first, ring_wall = np.zeros(n + 1, np.int64), np.empty(n, np.int64)
    low, top = np.empty((2 * n + 2, 4)), np.empty((2 * n + 2, 4))
    n_ring, n_point, i = 0, 0, 0
    while i < n:
        j = i
        n_low = 0
        while True:
            q = pieces[j]
            s = int(q[SIDE])
            for at, bottom, height in ((q[FROM], q[LOW0], q[TOP0]), (q[TO], q[LOW1], q[TOP1])):
                x, y = start[s, 0] + at * along[s, 0], start[s, 1] + at * along[s, 1]
                low[n_low, 0], low[n_low, 1], low[n_low, 2], low[n_low, 3] = x, y, bottom, s
                top[n_low, 0], top[n_low, 1], top[n_low, 2], top[n_low, 3] = x, y, height, s
                n_low += 1
            if j + 1 == n or not _goes_on(q, pieces[j + 1], wall, low, n_low, start):
                break
            j += 1
        begun = n_point
        n_point = _append(xyz, n_point, _thinned(low[:n_low], near_m), 1)
        n_point = _append(xyz, n_point, _thinned(top[:n_low], near_m), -1)
        xyz[n_point] = xyz[begun]
        n_point += 1
        ring_wall[n_ring] = wall[int(pieces[i, SIDE])]
        n_ring += 1
        first[n_ring] = n_point
        i = j + 1
    return xyz[:n_point].copy(), first[: n_ring + 1].copy(), ring_wall[:n_ring].copy()


@njit(nogil=True, cache=True)
def _goes_on(q, following, wall, low, n_low, start):
    """Whether the next piece touches this one in one wall."""
    s, t = int(q[SIDE]), int(following[SIDE])
    if wall[s] != wall[t]:
        return False
    if s == t:
        touches = abs(following[FROM] - q[TO]) < 1e-4
    else:
        gap = abs(low[n_low - 1, 0] - start[t, 0]) + abs(low[n_low - 1, 1] - start[t, 1])
        touches = t == s + 1 and following[FROM] < 1e-4 and gap < 1e-4
    return touches and min(q[TOP1], following[TOP0]) > max(q[LOW1], following[LOW0])


@njit(nogil=True, cache=True)
def _thinned(chain, near_m):
    """Corners of a chain without those on the straight line between kept ones of the same side."""
    n = 1
    for k in range(1, chain.shape[0]):  # each place once
        a, b = chain[n - 1], chain[k]
        if abs(b[0] - a[0]) + abs(b[1] - a[1]) < 1e-6 and abs(b[2] - a[2]) < 1e-3:
            a[3] = b[3] if a[3] == b[3] else -1.0  # a corner of the plan stays
            continue
        chain[n] = b
        n += 1
    keep = np.ones(n, np.bool_)
    last = 0
    for k in range(1, n - 1):
        a, c = chain[last], chain[k + 1]
        length = math.hypot(c[0] - a[0], c[1] - a[1])
        straight = length > 1e-6
        for m in range(last + 1, k + 1):
            b = chain[m]
            share = math.hypot(b[0] - a[0], b[1] - a[1]) / max(length, 1e-6)
            straight = straight and b[3] == chain[k, 3] and b[3] >= 0.0
            straight = straight and 0.0 < share < 1.0
            straight = straight and abs(a[2] + share * (c[2] - a[2]) - b[2]) <= near_m
        keep[k] = not straight
        if keep[k]:
            last = k
    return chain[:n][keep]


@njit(nogil=True, cache=True)
def _append(xyz, n, chain, step):
    """Append a chain of corners, forwards or backwards, each place once."""
    m = chain.shape[0]
    for k in range(m):
        c = chain[k] if step > 0 else chain[m - 1 - k]
        if n > 0 and k > 0:
            p = xyz[n - 1]
            if abs(p[0] - c[0]) + abs(p[1] - c[1]) < 1e-6 and abs(p[2] - c[2]) < 1e-6:
                continue
        xyz[n, 0], xyz[n, 1], xyz[n, 2] = c[0], c[1], c[2]
        n += 1
    return n


@njit(nogil=True, cache=True)
def highest_inside(x0, y0, ux, uy, at, half_m, depth_m, elevation_m, frame):
    """Highest cell whose centre lies up to a depth behind a wall beside a place on it, or NaN."""
    east_m, north_m, cell_m, first_col, first_row = frame
    ny, nx = elevation_m.shape
    px, py = x0 + at * ux, y0 + at * uy
    reach = half_m + depth_m
    col0 = max(0, int(math.floor((px - reach + east_m) / cell_m) - first_col))
    col1 = min(nx - 1, int(math.floor((px + reach + east_m) / cell_m) - first_col))
    row0 = max(0, int(math.floor((north_m - py - reach) / cell_m) - first_row))
    row1 = min(ny - 1, int(math.floor((north_m - py + reach) / cell_m) - first_row))
    highest = np.nan
    for row in range(row0, row1 + 1):
        for col in range(col0, col1 + 1):
            dx = (col + first_col + 0.5) * cell_m - east_m - px
            dy = north_m - (row + first_row + 0.5) * cell_m - py
            along, inwards = dx * ux + dy * uy, dy * ux - dx * uy
            if abs(along) > half_m + 1e-9 or inwards < -1e-9 or inwards > depth_m + 1e-9:
                continue
            z = elevation_m[row, col]
            if z == z and not highest >= z:
                highest = z
    return highest


@njit(nogil=True, cache=True)
def terrain_at(x, y, terrain_m, frame):
    """Terrain between the four cells around a place; over the known ones of them, or NaN."""
    east_m, north_m, cell_m, first_col, first_row = frame
    ny, nx = terrain_m.shape
    col, row = (x + east_m) / cell_m - 0.5, (north_m - y) / cell_m - 0.5
    whole_col, whole_row = math.floor(col), math.floor(row)
    right, down = col - whole_col, row - whole_row
    total = weight = 0.0
    for j in range(2):
        for i in range(2):
            r, c = int(whole_row - first_row) + j, int(whole_col - first_col) + i
            if r < 0 or r >= ny or c < 0 or c >= nx:
                continue
            share = (down if j else 1.0 - down) * (right if i else 1.0 - right)
            z = terrain_m[r, c]
            if z == z and share > 0.0:
                total += share * z
                weight += share
    return total / weight if weight > 0.0 else np.nan


@njit(nogil=True, cache=True)
def terrain_at_places(x, y, terrain_m, frame):
    """Terrain at many places, as :func:`terrain_at`; shape (n,). [m]"""
    found = np.empty(x.size)
    for k in range(x.size):
        found[k] = terrain_at(x[k], y[k], terrain_m, frame)
    return found
