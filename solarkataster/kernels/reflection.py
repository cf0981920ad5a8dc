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

#: Columns of what a walk notes: one over the distance, height of the foot and of the top.
_PER, _FOOT, _TOP = 0, 1, 2

#: A step of a walk as part of its distance, and the longest; never less than a cell. Where a house
#: was entered within a step, its cells are looked at one by one. [–, m]
_STEP_PER_AWAY, _COARSEST_M = 0.0625, 2.0

#: A building's cell that shows no wall is passed over so near to a receiver: it is its own. [cells]
_OWN = 2.5

#: Walls in one plane: so near to each other. Where one ends is found by so many halvings of the
#: angle between two rays. [cells]
_PLANE_CELLS, _N_HALVING = 6.0, 2

#: Most things a walk notes, and most things an eye sees of them; what is listed before it is added.
_N_NOTE, _MOST_PER_EYE, _N_JOB = 400, 2000, 8000

#: Tangent of the steepest look down.
_STRAIGHT_DOWN = -1.0e6

#: Steps of q = t / (1 + |t|), t the tangent of the elevation, from level to straight up. With them
#: no share of the view is off by more than 1e-5.
_N_STEP = 512


def _integrals() -> np.ndarray:
    """Integrals of cos² and of sin · cos over elevations up to each step, (2 · _N_STEP + 2, 2)."""
    q = np.arange(-_N_STEP, _N_STEP + 1) / _N_STEP
    elevation = np.arctan2(q, 1.0 - np.abs(q))
    level = elevation / 2.0 + np.sin(2.0 * elevation) / 4.0
    both = np.stack([level, np.sin(elevation) ** 2 / 2.0], axis=1)
    return np.concatenate([both, both[-1:]])


_INTEGRALS = _integrals()


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
def _way_out(at, step, n):
    """Cells along a ray until it leaves ``n`` rows or columns, counted from their outer edge."""
    if step > 1e-12:
        return (n - 1e-6 - at) / step
    return (at - 1e-6) / -step if step < -1e-12 else np.inf


@njit(nogil=True, inline="always")  # a call with so many arrays costs as much as its work
def _walk(
    flat_m, building, source, first_roof, walls_at, wall_first, wall_of, wall_line, wall_building,
    n_row, n_col, row, col, ray, eye_m, cell_m, reach_cells, highest_m, note, what, below,
):  # fmt: skip
    """
    Note what the highest eye of a place sees along a ray; how many things that are.

    ``note`` (n, 3) is filled with one over the distance, foot and top, ``what`` with the source of
    a cell's top or -1 - the number of a wall, ``below`` with the source of what lies at a wall's
    foot.
    """
    east, south = ray
    row, col = row + 0.5, col + 0.5  # truncating finds the cell
    before_at = np.int64(row) * n_col + np.int64(col)
    last = min(reach_cells, _way_out(row, south, n_row), _way_out(col, east, n_col))
    coarsest = max(1.0, math.floor(_COARSEST_M / cell_m))
    # The line of sight rises by rise_m over run cells; what it touches is written down when
    # something else comes.
    rise_m, run, touched = -np.inf, 1.0, np.int64(-1)
    n = 0
    before, away, fine_until = 0.0, 1.0, 0.0
    while away <= last and n < _N_NOTE - 2:
        at = np.int64(row + away * south) * n_col + np.int64(col + away * east)
        up_m = flat_m[at] - eye_m
        if up_m * run > rise_m * away:
            here = np.int64(source[at])
            if here != touched or here >= first_roof:
                which = building[at]
                if which > 0 and which != building[before_at]:
                    if away - before > 1.0:  # somewhere since the last cell looked at
                        fine_until, away = away, before + 1.0
                        continue
                    wall = _facing_wall(
                        walls_at, wall_first, wall_of, wall_line, wall_building, at, which, ray
                    )
                    if wall < 0 and away < _OWN:
                        before = away
                        away += 1.0
                        continue
                    if wall >= 0:
                        if touched >= 0:
                            _write(note, what, n, run * cell_m, 0.0, rise_m + eye_m, touched)
                            n += 1
                            touched = np.int64(-1)
                        # Where the ray crosses the wall's own line, to a part of a cell.
                        cosine = wall_line[wall, 0] * east + wall_line[wall, 1] * south
                        out = wall_line[wall, 2] - wall_line[wall, 0] * (col - 0.5)
                        edge = (out - wall_line[wall, 1] * (row - 0.5)) / cosine
                        edge = max(min(edge, away + 0.5), before - 0.5, 0.25)
                        foot_m = flat_m[before_at]
                        below[n] = source[before_at]
                        _write(note, what, n, edge * cell_m, foot_m, up_m + eye_m, -1 - wall)
                        n += 1
                        top_m = max(foot_m - eye_m, up_m)
                        if top_m * run > rise_m * edge:
                            rise_m, run = top_m, edge
            if up_m * run > rise_m * away:
                if here != touched and touched >= 0:
                    _write(note, what, n, run * cell_m, 0.0, rise_m + eye_m, touched)
                    n += 1
                rise_m, run, touched = up_m, away, here
            if rise_m > 0.0:  # beyond, nothing is high enough to be seen
                last = min(last, (highest_m - eye_m) / rise_m * run)
        before_at, before = at, away
        if away < fine_until:
            away += 1.0
        else:
            away += max(1.0, min(coarsest, math.floor(away * _STEP_PER_AWAY)))
    if touched >= 0:
        _write(note, what, n, run * cell_m, 0.0, rise_m + eye_m, touched)
        n += 1
    return n


@njit(nogil=True, cache=True)
def _write(note, what, n, away_m, foot_m, top_m, thing):
    note[n, _PER], note[n, _FOOT], note[n, _TOP] = 1.0 / away_m, foot_m, top_m
    what[n] = thing


@njit(nogil=True, cache=True)
def _share_up_to(tangent, level, up):
    """
    Integral of the cosine over elevations up to a tangent, but for a constant.

    ``level`` and ``up`` are the sector's integrals of the normal's level and upward parts, over π.
    Read from `_INTEGRALS`, which costs a quarter of an arctangent.
    """
    q = (tangent / (1.0 + abs(tangent)) + 1.0) * _N_STEP
    step = np.uint64(q)
    rest = q - np.float64(step)
    a, b = _INTEGRALS[step], _INTEGRALS[step + np.uint64(1)]
    return level * (a[0] + rest * (b[0] - a[0])) + up * (a[1] + rest * (b[1] - a[1]))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add(who, begin, share, n, sent, sums):
    """
    Add shares of flat rows of what is sent to the receivers' flat sums.

    A loop of its own, over slices of known length: so it compiles to vector instructions.
    """
    for job in range(n):
        part = share[job]
        values = sent[begin[job] : begin[job] + N_LANE]
        out = sums[who[job] : who[job] + N_LANE]
        for k in range(N_LANE):
            out[k] += part * values[k]


@njit(nogil=True, cache=True)
def _look(
    n, note, what, below, eye_m, low, limit, level, up, band_first, band_foot_m, band_m, begin,
    share, job,
):  # fmt: skip
    """
    List what one eye sees of the things noted, from tangent ``low`` to ``limit``.

    ``begin`` and ``share`` are filled from ``job`` on; returns where the list ends, and the share
    of all.
    """
    tangent = min(low, limit)
    start = done = _share_up_to(tangent, level, up)
    for k in range(n):
        if tangent >= limit:
            break
        thing, per_m = what[k], note[k, _PER]
        top = min((note[k, _TOP] - eye_m) * per_m, limit)
        if thing >= 0:
            if top > tangent:
                tangent = top
                reached = _share_up_to(tangent, level, up)
                begin[job], share[job] = thing * N_LANE, reached - done
                job += 1
                done = reached
            continue
        foot = min((note[k, _FOOT] - eye_m) * per_m, limit)
        if foot > tangent:
            tangent = foot
            reached = _share_up_to(tangent, level, up)
            begin[job], share[job] = below[k] * N_LANE, reached - done
            job += 1
            done = reached
        if top <= tangent:
            continue
        wall = -1 - thing
        first, last = band_first[wall], band_first[wall + 1] - 1
        low_m = eye_m + tangent / per_m - band_foot_m[wall]
        band = min(max(int(low_m / band_m[wall]), 0), last - first)
        while tangent < top:
            until = top
            if first + band < last:
                high_m = band_foot_m[wall] + (band + 1) * band_m[wall]
                until = min(top, (high_m - eye_m) * per_m)
            if until > tangent:
                tangent = until
                reached = _share_up_to(tangent, level, up)
                begin[job], share[job] = (first + band) * N_LANE, reached - done
                job += 1
                done = reached
            band += 1
    level_sight = min(max(low, 0.0), limit)
    if tangent < level_sight:
        reached = _share_up_to(level_sight, level, up)
        begin[job], share[job] = OPEN_GROUND * N_LANE, reached - done
        job += 1
        done = reached
    return job, done - start


@njit(nogil=True, cache=True)
def _widest_wall(n, note, what):
    """Of the walls noted the one that fills most of the view, -1 for none."""
    widest, most = -1, 0.0
    for k in range(n):
        wide = (note[k, _TOP] - note[k, _FOOT]) * note[k, _PER]
        if what[k] < 0 and wide > most:
            widest, most = -1 - what[k], wide
    return widest


@njit(nogil=True, cache=True)
def _is_same(one, other, wall_line):
    """Whether two walls lie in one plane, near enough; or are both none."""
    if one < 0 or other < 0:
        return one == other
    turned = wall_line[one, 0] * wall_line[other, 0] + wall_line[one, 1] * wall_line[other, 1]
    return turned > 0.95 and abs(wall_line[one, 2] - wall_line[other, 2]) < _PLANE_CELLS


@njit(nogil=True, cache=True)
def light_seen(
    surface_m, building, source, first_roof, walls_at, wall_first, wall_of, wall_line,
    wall_building, band_first, band_foot_m, band_m, sent, row, col, eye_m, top_tangent, surface,
    stack_start, normals, rays, cell_m, reach_cells, seen, share,
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
    first_roof : int
        Sources from this one on are roofs and walls.
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
    normals : ndarray, shape (n_surface, 3)
        Facing from grid north [rad], level and upward part of the normal.
    rays : tuple of two ndarrays, shape (n_ray + 1,)
        Borders of the sectors in which walls (no upward part) look, and those of all others, from
        the facing. [rad]
    cell_m, reach_cells : float
    seen : ndarray, shape (n, N_LANE), float32, zeros
        Filled: sum of share × what is sent. [kWh/m²]
    share : ndarray, shape (n,), zeros
        Filled with the share of the hemisphere below the skyline. [–]

    Notes
    -----
    Where neighbouring rays of a wall meet different walls, the border of their sectors is put where the one
    ends, by halving what lies between them.
    """
    n_row, n_col = surface_m.shape
    flat_m, flat_seen, flat_sent = surface_m.reshape(-1), seen.reshape(-1), sent.reshape(-1)
    building, source, walls_at = building.reshape(-1), source.reshape(-1), walls_at.reshape(-1)
    highest_m = flat_m.max()
    notes = np.empty((3, _N_NOTE, 3))
    things, belows = np.empty((3, _N_NOTE), np.int64), np.empty((3, _N_NOTE), np.int64)
    whose, sends = np.empty(_N_JOB, np.int64), np.empty(_N_JOB, np.int64)
    shares = np.empty(_N_JOB, np.float32)
    n_job = 0
    for stack in range(stack_start.size - 1):
        begin, end = stack_start[stack], stack_start[stack + 1]
        facing, level_part, up_part = normals[surface[begin]]
        edges = rays[0] if up_part == 0.0 else rays[1]
        n_ray = edges.size - 1
        n_noted, wall, border, tries, k = 0, -1, edges[0], 0, 0
        off = off_before = low = high = 0.0
        slot = 0
        while k <= n_ray:
            # One walk for a ray of its own, or for one between two that met different walls.
            if k < n_ray:
                if tries == 0:
                    off = (edges[k] + edges[k + 1]) / 2.0
                at = facing + (off if tries == 0 else (low + high) / 2.0)
                put = 1 - slot if tries == 0 else 2
                n = _walk(
                    flat_m, building, source, first_roof, walls_at, wall_first, wall_of, wall_line,
                    wall_building, n_row, n_col, row[begin], col[begin],
                    (math.sin(at), -math.cos(at)), eye_m[end - 1], cell_m, reach_cells, highest_m,
                    notes[put], things[put], belows[put],
                )  # fmt: skip
                met = _widest_wall(n, notes[put], things[put])
                if tries == 0:
                    n_new, wall_new = n, met
                    if k > 0 and up_part == 0.0 and not _is_same(wall, wall_new, wall_line):
                        low, high, tries = off_before, off, _N_HALVING
                        continue
                    end_of = edges[k]
                else:
                    middle = (low + high) / 2.0
                    if _is_same(wall, met, wall_line):
                        low = middle
                    else:
                        high = middle
                    tries -= 1
                    if tries > 0:
                        continue
                    end_of = (low + high) / 2.0
            else:
                end_of = edges[n_ray]
            if k > 0:  # the sector before has its end
                level = level_part * (math.sin(end_of) - math.sin(border)) / math.pi
                up = up_part * (end_of - border) / math.pi
                cosine = math.cos(off_before)
                own = _STRAIGHT_DOWN
                if up_part > 0.0:
                    own = -level_part * cosine / up_part
                for i in range(begin, end):
                    limit = top_tangent[i] * cosine if cosine > 0.0 else np.inf
                    listed, part = _look(
                        n_noted, notes[slot], things[slot], belows[slot], eye_m[i], own, limit,
                        level, up, band_first, band_foot_m, band_m, sends, shares, n_job,
                    )  # fmt: skip
                    share[i] += part
                    whose[n_job:listed] = i * N_LANE
                    n_job = listed
                    if n_job > _N_JOB - _MOST_PER_EYE:
                        _add(whose, sends, shares, n_job, flat_sent, flat_seen)
                        n_job = 0
            slot = 1 - slot
            n_noted, wall, border, off_before = n_new, wall_new, end_of, off
            k += 1
    _add(whose, sends, shares, n_job, flat_sent, flat_seen)
