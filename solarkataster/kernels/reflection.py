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

#: Walls this near lie in one plane; halvings of the angle between two rays. [cells]
_PLANE_CELLS, _N_HALVING = 6.0, 2

#: Most things a walk notes, and most things an eye sees of them; what is listed before it is added.
_N_NOTE, _MOST_PER_EYE, _N_JOB = 400, 3000, 10000

#: Tangent of the steepest look down; steps of q = t / (1 + |t|), t a tangent, from level to the
#: zenith: no share of the view is off by more than 1e-5.
_STRAIGHT_DOWN, _N_STEP = -1.0e6, 512


def _integrals() -> np.ndarray:
    """Integrals of cos² and of sin · cos over elevations up to each step, (2 · _N_STEP + 2, 2)."""
    q = np.arange(-_N_STEP, _N_STEP + 1) / _N_STEP
    elevation = np.arctan2(q, 1.0 - np.abs(q))
    level = elevation / 2.0 + np.sin(2.0 * elevation) / 4.0
    both = np.stack([level, np.sin(elevation) ** 2 / 2.0], axis=1)
    return np.concatenate([both, both[-1:]])


_INTEGRALS = _integrals()


@njit(nogil=True, cache=True)
def _facing_wall(walls, here, which, ray):
    """
    The wall of a building that a ray meets in a cell, -1 for none.

    Of the walls in row ``here`` of the list, that of the building ``which`` that looks most against
    the ray (east, south).
    """
    first, of, line, building = walls
    best, most = -1, 0.02
    for k in range(first[here], first[here + 1]):
        wall = of[k]
        if building[wall] == which:
            against = -(line[wall, 0] * ray[0] + line[wall, 1] * ray[1])
            if against > most:
                best, most = wall, against
    return best


@njit(nogil=True, cache=True)
def _way_out(at, step, n):
    """Cells along a ray until it leaves ``n`` rows or columns, counted from their outer edge."""
    if step > 1e-12:
        return (n - 1e-6 - at) / step
    return (at - 1e-6) / -step if step < -1e-12 else np.inf


@njit(nogil=True, cache=True)
def _crossing(line, place, ray, before, away):
    """Cells along a ray to a wall's own line, between the cells looked at before and now."""
    cosine = line[0] * ray[0] + line[1] * ray[1]
    edge = (line[2] - line[0] * place[1] - line[1] * place[0]) / cosine
    return max(min(edge, away + 0.5), before - 0.5, 0.25)


# A call with so many arrays costs as much as its work.
@njit(nogil=True, cache=True, inline="always")
def _walk(
    cells, first_roof, walls, shape, place, ray, eye_m, own, cell_m, reach_cells, highest_m, noted
):
    """
    Note what the highest eye of a place sees along a ray; how many things that are.

    What lies below the tangent ``own`` of the eye's plane is not seen.
    ``noted``: ``note`` (n, 3) is filled with one over the distance, foot and top, ``what`` with the
    source of a cell's top or -1 - the number of a wall, ``below`` with the source of what lies at
    a wall's foot.
    """
    flat_m, building, source, walls_at = cells
    note, what, below = noted
    east, south = ray
    row, col = place[0] + 0.5, place[1] + 0.5  # truncating finds the cell
    before_at = np.int64(row) * shape[1] + np.int64(col)
    last = min(reach_cells, _way_out(row, south, shape[0]), _way_out(col, east, shape[1]))
    coarsest = max(1.0, math.floor(_COARSEST_M / cell_m))
    # The line of sight rises by rise_m over run cells; what it touches is written down when
    # something else comes.
    rise_m, run, touched = own * cell_m, 1.0, np.int64(-1)
    if own > 0.0:  # beyond, nothing is high enough to be seen
        last = min(last, (highest_m - eye_m) / rise_m)
    n = 0
    before, away, fine_until = 0.0, 1.0, 0.0
    while away <= last and n < _N_NOTE - 2:
        at = np.int64(row + away * south) * shape[1] + np.int64(col + away * east)
        up_m = flat_m[at] - eye_m
        if up_m * run > rise_m * away:
            here = np.int64(source[at])
            which = building[at] if here != touched or here >= first_roof else np.int32(0)
            if which > 0 and which != building[before_at]:
                if away - before > 1.0:  # entered since the last cell looked at
                    fine_until, away = away, before + 1.0
                    continue
                wall = _facing_wall(walls, walls_at[at], which, ray)
                if wall < 0 and away < _OWN:
                    before = away
                    away += 1.0
                    continue
                if wall >= 0:
                    if touched >= 0:
                        _write(note, what, n, run * cell_m, 0.0, rise_m + eye_m, touched)
                        n += 1
                        touched = np.int64(-1)
                    edge = _crossing(walls[2][wall], place, ray, before, away)
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
            if rise_m > 0.0:
                last = min(last, (highest_m - eye_m) / rise_m * run)
        before_at, before = at, away
        step = max(1.0, min(coarsest, math.floor(away * _STEP_PER_AWAY)))
        away += 1.0 if away < fine_until else step
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
    Integral of the cosine over elevations up to a tangent, but for a constant, from a table.

    ``level`` and ``up`` are the sector's integrals of the normal's level and upward parts, over π.
    """
    q = (tangent / (1.0 + abs(tangent)) + 1.0) * _N_STEP
    step = np.uint64(q)
    rest = q - np.float64(step)
    a, b = _INTEGRALS[step], _INTEGRALS[step + np.uint64(1)]
    return level * (a[0] + rest * (b[0] - a[0])) + up * (a[1] + rest * (b[1] - a[1]))


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add(who, begin, share, n, sent, sums):
    """Add shares of flat rows of what is sent to flat sums; alone, the loop becomes vectors."""
    for job in range(n):
        part = share[job]
        values = sent[begin[job] : begin[job] + N_LANE]
        out = sums[who[job] : who[job] + N_LANE]
        for k in range(N_LANE):
            out[k] += part * values[k]


@njit(nogil=True, cache=True)
def _list(begin, share, job, source, tangent, done, level, up):
    """List a source that is seen up to a tangent; the share up to there."""
    reached = _share_up_to(tangent, level, up)
    begin[job], share[job] = source * N_LANE, reached - done
    return reached


@njit(nogil=True, cache=True)
def _look(n, noted, eye_m, low, limit, level, up, bands, begin, share, job):
    """
    List what one eye sees from tangent ``low`` to ``limit``, from ``job`` on.

    Returns where the list ends, and the share of all.
    """
    note, what, below = noted
    band_first, band_foot_m, band_m = bands
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
                done = _list(begin, share, job, thing, tangent, done, level, up)
                job += 1
            continue
        foot = min((note[k, _FOOT] - eye_m) * per_m, limit)
        if foot > tangent:
            tangent = foot
            done = _list(begin, share, job, below[k], tangent, done, level, up)
            job += 1
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
                done = _list(begin, share, job, first + band, tangent, done, level, up)
                job += 1
            band += 1
    level_sight = min(max(low, 0.0), limit)
    if tangent < level_sight:
        done = _list(begin, share, job, OPEN_GROUND, level_sight, done, level, up)
        job += 1
    return job, done - start


@njit(nogil=True, cache=True)
def _widest_wall(n, noted):
    """Of the walls noted the one that fills most of the view, -1 for none."""
    note, what, _ = noted
    widest, most = -1, 0.0
    for k in range(n):
        wide = (note[k, _TOP] - note[k, _FOOT]) * note[k, _PER]
        if what[k] < 0 and wide > most:
            widest, most = -1 - what[k], wide
    return widest


@njit(nogil=True, cache=True)
def _is_same(one, other, wall_line, place):
    """Whether two walls lie in one plane, near enough, seen from a place; or are both none."""
    if one < 0 or other < 0:
        return one == other
    turned = wall_line[one, 0] * wall_line[other, 0] + wall_line[one, 1] * wall_line[other, 1]
    # From the place: walls that are not quite parallel lie apart by more the farther one counts.
    apart = wall_line[one, 2] - wall_line[other, 2]
    apart -= (wall_line[one, 0] - wall_line[other, 0]) * place[1]
    apart -= (wall_line[one, 1] - wall_line[other, 1]) * place[0]
    return turned > 0.95 and abs(apart) < _PLANE_CELLS


@njit(nogil=True, cache=True)
def _own_tangent(level_part, up_part, off):
    """Tangent at which a plane cuts the direction ``off`` its facing."""
    return -level_part * math.cos(off) / up_part if up_part > 0.0 else _STRAIGHT_DOWN


@njit(nogil=True, cache=True, inline="always")
def _add_sector(noted, n, eyes, part, off, begin_of, end_of, bands, jobs, n_job, sent, seen, share):
    """List what all eyes of a place see in a sector; add what is listed when there is much."""
    first, last, eye_m, top_tangent = eyes
    level_part, up_part = part
    whose, sends, shares = jobs
    level = level_part * (math.sin(end_of) - math.sin(begin_of)) / math.pi
    up = up_part * (end_of - begin_of) / math.pi
    cosine = math.cos(off)
    own = _own_tangent(level_part, up_part, off)
    for i in range(first, last):
        limit = top_tangent[i] * cosine if cosine > 0.0 else np.inf
        listed, filled = _look(
            n, noted, eye_m[i], own, limit, level, up, bands, sends, shares, n_job
        )
        share[i] += filled
        whose[n_job:listed] = i * N_LANE
        n_job = listed
        if n_job > _N_JOB - _MOST_PER_EYE:
            _add(whose, sends, shares, n_job, sent, seen)
            n_job = 0
    return n_job


@njit(nogil=True, cache=True)
def light_seen(
    cells, first_roof, walls, bands, sent, row, col, eye_m, top_tangent, surface, stack_start,
    normals, rays, cell_m, reach_cells, seen, share,
):  # fmt: skip
    """
    Sum what the sources below the skyline send to receivers.

    Where neighbouring rays of a wall meet different walls, halving what lies between them puts the
    border of their sectors where the one ends.

    Parameters
    ----------
    cells : tuple of ndarrays, shape (ny, nx)
        Height, float32, finite [m]; int32: building, 0 for none; source that is the cell's top; row
        of the list of walls, 0 for no wall beside the cell.
    first_roof : int
        Sources from this one on are roofs and walls.
    walls : tuple of ndarrays
        List of walls beside cells: where each row begins, and the walls; their normals (east,
        south) and these times a place on the wall, in cells, (n_wall, 3); buildings, int32.
    bands : tuple of ndarrays
        First source of each wall from the foot up (n_wall + 1,); its foot, its bands' height. [m]
    sent : ndarray, shape (n_source, N_LANE), float32
        What each source sends back, by month. [kWh/m²]
    row, col : ndarray, shape (n,)
        Receivers in cells of the raster, all inside.
    eye_m, top_tangent : ndarray, shape (n,)
        Height, and edge above as in :class:`solarkataster.receivers.Receivers`.
    surface, stack_start : ndarray, shape (n,) and (n_stack + 1,)
        Surface of each; where those of one place and surface begin, from the lowest up.
    normals : ndarray, shape (n_surface, 3)
        Facing from grid north [rad], level and upward part of the normal.
    rays : tuple of two ndarrays, shape (n_ray + 1,)
        Borders of the sectors in which walls (no upward part) look, and those of all others, from
        the facing. [rad]
    cell_m, reach_cells : float
    seen, share : ndarray, shape (n, N_LANE), float32, and (n,), zeros
        Filled: sum of share × what is sent [kWh/m²]; share of the hemisphere below the skyline.
    """
    shape = cells[0].shape
    cells = (cells[0].ravel(), cells[1].ravel(), cells[2].ravel(), cells[3].ravel())
    flat_seen, flat_sent = seen.ravel(), sent.ravel()
    highest_m = cells[0].max()
    notes = np.empty((3, _N_NOTE, 3))
    things, belows = np.empty((3, _N_NOTE), np.int64), np.empty((3, _N_NOTE), np.int64)
    jobs = np.empty(_N_JOB, np.int64), np.empty(_N_JOB, np.int64), np.empty(_N_JOB, np.float32)
    n_job = 0
    for stack in range(stack_start.size - 1):
        first, end = stack_start[stack], stack_start[stack + 1]
        facing, level_part, up_part = normals[surface[first]]
        edges = rays[0] if up_part == 0.0 else rays[1]
        n_before, wall, border, tries, k, slot = 0, -1, edges[0], 0, 0, 0
        off = off_before = low = high = 0.0
        while k < edges.size:
            end_of = edges[k]
            if k < edges.size - 1:
                # One walk for a ray of its own, or for one between two that met different walls.
                if tries == 0:
                    off = (edges[k] + edges[k + 1]) / 2.0
                middle = (low + high) / 2.0
                aside, put = (off, 1 - slot) if tries == 0 else (middle, 2)
                ray = math.sin(facing + aside), -math.cos(facing + aside)
                noted = notes[put], things[put], belows[put]
                # A lower eye may see what lies below the plane of the highest.
                own = (
                    _own_tangent(level_part, up_part, aside) if end - first == 1 else _STRAIGHT_DOWN
                )
                n = _walk(
                    cells, first_roof, walls, shape, (row[first], col[first]), ray, eye_m[end - 1],
                    own, cell_m, reach_cells, highest_m, noted,
                )  # fmt: skip
                met = _widest_wall(n, noted)
                is_same = _is_same(wall, met, walls[2], (row[first], col[first]))
                if tries == 0:
                    n_new, wall_new = n, met
                    if k > 0 and up_part == 0.0 and not is_same:
                        low, high, tries = off_before, off, _N_HALVING
                        continue
                else:
                    low, high = (middle, high) if is_same else (low, middle)
                    tries -= 1
                    if tries > 0:
                        continue
                    end_of = (low + high) / 2.0
            if k > 0:  # the sector before has its end
                n_job = _add_sector(
                    (notes[slot], things[slot], belows[slot]), n_before,
                    (first, end, eye_m, top_tangent), (level_part, up_part), off_before, border,
                    end_of, bands, jobs, n_job, flat_sent, flat_seen, share,
                )  # fmt: skip
            n_before, wall, border, off_before, slot = n_new, wall_new, end_of, off, 1 - slot
            k += 1
    _add(jobs[0], jobs[1], jobs[2], n_job, flat_sent, flat_seen)
