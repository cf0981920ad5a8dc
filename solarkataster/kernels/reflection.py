"""
What receivers see below their skyline: a walk outwards over the surface, once per place and ray.

A ray starts below the receiver's feet and runs outwards over the cells. Whatever raises its
tangent is seen between the tangent before and the new one: the top of a cell, or a wall from its
foot up. The share of the hemisphere's light from there has a closed form. What the highest
receiver of a place does not see no lower one sees, so that its list serves all of them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Values a source sends: 12 months, and room to fill vector registers.
N_LANE = 16

#: Source that stands for ground beyond the reach, under an open sky.
OPEN_GROUND = 0

#: Columns of what a walk notes: distance, height of the foot and of the top.
_AWAY, _FOOT, _TOP = 0, 1, 2

#: Up to the first distance every cell is looked at, then every second, then every fourth. [cells]
_FINE, _MIDDLE = 32.0, 96.0

#: A building's cell that shows no wall is passed over so near to a receiver: it is its own. [cells]
_OWN = 2.5

#: Most things a walk notes.
_N_NOTE = 600

_STRAIGHT_DOWN = -1.0e6


@njit(nogil=True, cache=True)
def _facing_wall(walls_at, wall_first, wall_of, wall_line, wall_building, where, which, ray):
    """
    The wall of a building that a ray meets in a cell, -1 for none.

    Of the walls beside the cell, that of the building ``which`` that looks most against the ray
    (east, south).
    """
    best, most = -1, 0.02
    here = walls_at[where]
    for k in range(wall_first[here], wall_first[here + 1]):
        wall = wall_of[k]
        if wall_building[wall] == which:
            against = -(wall_line[wall, 0] * ray[0] + wall_line[wall, 1] * ray[1])
            if against > most:
                best, most = wall, against
    return best


@njit(nogil=True, cache=True)
def _walk(
    flat_m, building, source, walls_at, wall_first, wall_of, wall_line, wall_building,
    n_row, n_col, row, col, ray, eye_m, cell_m, reach_cells, highest_m, note, what, below,
):  # fmt: skip
    """
    Note what the highest eye of a place sees along a ray; how many things that are.

    ``note`` (n, 3) is filled with distance, foot and top, ``what`` with the source of a cell's top
    or -1 - the number of a wall, ``below`` with the source of what lies at a wall's foot.
    """
    east, south = ray
    at = math.floor(row + 0.5) * n_col + math.floor(col + 0.5)
    was, was_m, was_source = building[at], flat_m[at], source[at]
    steepest = -np.inf
    n = 0
    before, away, fine_until = 0.0, 1.0, 0.0
    while away <= reach_cells and n < _N_NOTE - 1:
        v, u = math.floor(row + away * south + 0.5), math.floor(col + away * east + 0.5)
        if v < 0 or u < 0 or v >= n_row or u >= n_col:
            break
        at = v * n_col + u
        here, z = building[at], flat_m[at]
        step = 1.0 if away < _FINE or away < fine_until else (2.0 if away < _MIDDLE else 4.0)
        if here != was and here > 0:
            if away - before > 1.0:  # somewhere since the last cell looked at
                fine_until, away = away, before + 1.0
                continue
            if (z - eye_m) > steepest * (away * cell_m):
                wall = _facing_wall(
                    walls_at, wall_first, wall_of, wall_line, wall_building, at, here, ray
                )
                if wall >= 0:
                    # Where the ray crosses the wall's own line, to a part of a cell.
                    cosine = wall_line[wall, 0] * east + wall_line[wall, 1] * south
                    out = wall_line[wall, 2] - wall_line[wall, 0] * col
                    edge = (out - wall_line[wall, 1] * row) / cosine
                    edge = max(min(edge, away + 0.5), before - 0.5, 0.25) * cell_m
                    if (z - eye_m) > steepest * edge:
                        note[n, _AWAY], note[n, _FOOT], note[n, _TOP] = edge, was_m, z
                        what[n], below[n] = -1 - wall, was_source
                        n += 1
                        steepest = max(steepest, (was_m - eye_m) / edge, (z - eye_m) / edge)
                elif away < _OWN:
                    before = away
                    away += step
                    continue
        r = away * cell_m
        if z - eye_m > steepest * r:
            steepest = (z - eye_m) / r
            if n > 0 and what[n - 1] == source[at]:
                n -= 1  # more of the same
            note[n, _AWAY], note[n, _TOP] = r, z
            what[n] = source[at]
            n += 1
        elif steepest > 0.0 and highest_m - eye_m <= steepest * r:
            break  # nothing in reach is high enough to be seen from here on
        was, was_m, was_source = here, z, source[at]
        before = away
        away += step
    return n


@njit(nogil=True, cache=True)
def _share_up_to(tangent, level, up):
    """
    Integral of the cosine over elevations up to a tangent, but for a constant.

    ``level`` and ``up`` are the sector's integrals of the normal's level and upward parts, over π.
    """
    square = tangent * tangent
    return (
        level * (math.atan(tangent) + tangent / (1.0 + square)) + up * square / (1.0 + square)
    ) / 2


@njit(nogil=True, cache=True)
def _add(sent, source, share, sums):
    values = sent[source * N_LANE : (source + 1) * N_LANE]
    for k in range(N_LANE):
        sums[k] += share * values[k]


@njit(nogil=True, cache=True)
def _look(
    n, note, what, below, eye_m, low, limit, level, up, sent, band_first, band_foot_m, band_m, sums
):
    """Add what one eye sees of the things noted, from tangent ``low`` to ``limit``; the share."""
    tangent = min(low, limit)
    begin = done = _share_up_to(tangent, level, up)
    for k in range(n):
        if tangent >= limit:
            break
        thing = what[k]
        top = min((note[k, _TOP] - eye_m) / note[k, _AWAY], limit)
        if thing >= 0:
            if top > tangent:
                tangent = top
                reached = _share_up_to(tangent, level, up)
                _add(sent, thing, np.float32(reached - done), sums)
                done = reached
            continue
        foot = min((note[k, _FOOT] - eye_m) / note[k, _AWAY], limit)
        if foot > tangent:
            tangent = foot
            reached = _share_up_to(tangent, level, up)
            _add(sent, below[k], np.float32(reached - done), sums)
            done = reached
        if top <= tangent:
            continue
        wall = -1 - thing
        first, last = band_first[wall], band_first[wall + 1] - 1
        low_m = eye_m + tangent * note[k, _AWAY] - band_foot_m[wall]
        band = min(max(int(low_m / band_m[wall]), 0), last - first)
        while tangent < top:
            until = top
            if first + band < last:
                high_m = band_foot_m[wall] + (band + 1) * band_m[wall]
                until = min(top, (high_m - eye_m) / note[k, _AWAY])
            if until > tangent:
                tangent = until
                reached = _share_up_to(tangent, level, up)
                _add(sent, first + band, np.float32(reached - done), sums)
                done = reached
            band += 1
    level_sight = min(max(low, 0.0), limit)
    if tangent < level_sight:
        reached = _share_up_to(level_sight, level, up)
        _add(sent, OPEN_GROUND, np.float32(reached - done), sums)
        done = reached
    return done - begin


@njit(nogil=True, cache=True)
def light_seen(
    surface_m, building, source, walls_at, wall_first, wall_of, wall_line, wall_building,
    band_first, band_foot_m, band_m, sent, row, col, eye_m, top_tangent, surface, stack_start,
    rays, cell_m, reach_cells, seen, share,
):  # fmt: skip
    """
    Sum what the sources below the skyline send to receivers.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx), float32
        Heights, finite. [m]
    building, source, walls_at : ndarray, shape (ny, nx), int32
        Building of each cell, 0 for none; source that is its top; row of ``wall_first``, 0 for no
        wall beside it.
    wall_first, wall_of : ndarray of int32
        Walls beside row k: ``wall_of[wall_first[k] : wall_first[k + 1]]``.
    wall_line : ndarray, shape (n_wall, 3)
        Outward normal (east, south) and its product with a place on the wall, in cells.
    wall_building : ndarray, shape (n_wall,), int32
    band_first : ndarray, shape (n_wall + 1,), int32
        First source of each wall, from the foot up.
    band_foot_m, band_m : ndarray, shape (n_wall,)
        Foot of each wall and height of its bands. [m]
    sent : ndarray, shape (n_source, N_LANE), float32
        What each source sends back, by month. [kWh/m²]
    row, col : ndarray, shape (n,)
        Receivers in cells of the raster, all inside.
    eye_m, top_tangent : ndarray, shape (n,)
        Height, and edge above as in :class:`solarkataster.receivers.Receivers`.
    surface : ndarray, shape (n,), int32
    stack_start : ndarray, shape (n_stack + 1,), int64
        Receivers of one place and surface, from the lowest up.
    rays : ndarray, shape (n_surface, n_ray, 6)
        East and south parts; cosine off the surface's facing; tangent of the surface's own
        horizon; integrals of the normal's level and upward part over the sector, over π. Rays
        with neither are left out.
    cell_m, reach_cells : float
    seen : ndarray, shape (n, N_LANE), float32, zeros
        Filled: sum of share × what is sent. [kWh/m²]
    share : ndarray, shape (n,), zeros
        Filled with the share of the hemisphere below the skyline. [–]
    """
    n_row, n_col = surface_m.shape
    flat_m, flat_seen, flat_sent = surface_m.reshape(-1), seen.reshape(-1), sent.reshape(-1)
    building, source, walls_at = building.reshape(-1), source.reshape(-1), walls_at.reshape(-1)
    highest_m = flat_m.max()
    note = np.empty((_N_NOTE, 3))
    what, below = np.empty(_N_NOTE, np.int64), np.empty(_N_NOTE, np.int64)
    for stack in range(stack_start.size - 1):
        begin, end = stack_start[stack], stack_start[stack + 1]
        of_surface = rays[surface[begin]]
        for k in range(of_surface.shape[0]):
            east, south, cosine, own, level, up = of_surface[k]
            if level == 0.0 and up == 0.0:
                continue
            n = _walk(
                flat_m, building, source, walls_at, wall_first, wall_of, wall_line, wall_building,
                n_row, n_col, row[begin], col[begin], (east, south), eye_m[end - 1], cell_m,
                reach_cells, highest_m, note, what, below,
            )  # fmt: skip
            for i in range(begin, end):
                limit = top_tangent[i] * cosine if cosine > 0.0 else np.inf
                share[i] += _look(
                    n, note, what, below, eye_m[i], max(own, _STRAIGHT_DOWN), limit, level, up,
                    flat_sent, band_first, band_foot_m, band_m,
                    flat_seen[i * N_LANE : (i + 1) * N_LANE],
                )  # fmt: skip
