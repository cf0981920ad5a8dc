"""Traced borders of a raster straightened: stairs become stretches, stretches meet in bends.

Arcs and their points are those of ``outline_trace``, row and column in cells.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Loops of up to this many edges (3 x 3 cells: a chimney) keep their cells' corners: cutting the
#: corners of so few cells would cost a good part of their area.
SMALL_LOOP = 12

#: An end outside whose second edge is farther than this from the last stretch inside does not go
#: on in its direction. [cells]
MAX_TURN = 1.5

#: A stretch all of whose points are this near to the line in which the planes beside it meet, and
#: that runs along it (sine of the angle), is that line. [cells]
MEETING_REACH, MEETING_SINE = 1.5, 0.5

#: How far beyond the last cell inside a meeting line goes on: past the half cell by which a
#: footprint may pass its cells, short of the frame. [cells]
EXIT = 2.0

#: Weights of the lines at a node: by their number of points up to the first, and of a meeting line.
MOST_POINTS, MEETING_WEIGHT = 8.0, 1e6

#: Instead of a weight: the line goes on to outside, a fitted one or a meeting line.
OUT_FITTED, OUT_MEETING = -1.0, -2.0


@njit(nogil=True, cache=True)
def _farthest(points, n, anchor):
    """Index of the one of the first n points that is farthest from an anchor point."""
    best, most = 0, -1.0
    for i in range(n):
        d2 = (points[i, 0] - points[anchor, 0]) ** 2 + (points[i, 1] - points[anchor, 1]) ** 2
        if d2 > most:
            best, most = i, d2
    return best


@njit(nogil=True, cache=True)
def _keep_bends(points, first, last, tolerance, keep):
    """Mark the points a polyline needs to stay within the tolerance (Douglas & Peucker 1973)."""
    stack = np.empty((last - first + 2, 2), np.int64)
    stack[0] = first, last
    n = 1
    while n > 0:
        n -= 1
        i, j = stack[n]
        d_row, d_col = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1]
        length = math.sqrt(d_row * d_row + d_col * d_col)
        best, most = -1, tolerance
        for k in range(i + 1, j):
            row, col = points[k, 0] - points[i, 0], points[k, 1] - points[i, 1]
            if length > 0.0:
                along = (row * d_row + col * d_col) / length
                distance = abs(row * d_col - col * d_row) / length
                if along < 0.0:
                    distance = math.hypot(row, col)
                elif along > length:
                    distance = math.hypot(row - d_row, col - d_col)
            else:
                distance = math.hypot(row, col)
            if distance > most:
                best, most = k, distance
        if best >= 0:
            keep[best] = True
            stack[n] = i, best
            stack[n + 1] = best, j
            n += 2


@njit(nogil=True, cache=True)
def _fit_line(points, first, last):
    """Centre and unit direction of the best line through points (total least squares)."""
    n = last - first + 1.0
    row = col = 0.0
    for i in range(first, last + 1):
        row += points[i, 0] / n
        col += points[i, 1] / n
    rr = rc = cc = 0.0
    for i in range(first, last + 1):
        d_row, d_col = points[i, 0] - row, points[i, 1] - col
        rr += d_row * d_row
        rc += d_row * d_col
        cc += d_col * d_col
    angle = 0.5 * math.atan2(2.0 * rc, rr - cc)
    return row, col, math.cos(angle), math.sin(angle)


@njit(nogil=True, cache=True)
def _arc_points(corners, first, last, closed):
    """
    Points along the middle of a stair: edge midpoints, with the ends of an open arc.

    A straight border never leaves its stair's midpoints by more than half a cell; it leaves the
    corners by up to a whole one, always to the same side.
    """
    n_edges = last - first
    points = np.empty((n_edges + (1 if closed else 2), 2))
    shift = 0 if closed else 1
    for i in range(n_edges):
        points[i + shift, 0] = 0.5 * (corners[first + i, 0] + corners[first + i + 1, 0])
        points[i + shift, 1] = 0.5 * (corners[first + i, 1] + corners[first + i + 1, 1])
    if closed:
        points[n_edges] = points[0]
    else:
        points[0, 0], points[0, 1] = corners[first, 0], corners[first, 1]
        points[-1, 0], points[-1, 1] = corners[last, 0], corners[last, 1]
    return points


@njit(nogil=True, cache=True)
def _bend_lines(points, bends):
    """Best line of every stretch between bends: centre row, col, direction row, col."""
    lines = np.empty((bends.size - 1, 4))
    for k in range(bends.size - 1):
        first, last = bends[k], bends[k + 1]
        if last - first >= 3:  # the bend itself belongs to neither stretch
            first += 1
            last -= 1
        lines[k] = _fit_line(points, first, last)
    return lines


@njit(nogil=True, cache=True)
def _meet(line_a, line_b, row, col, reach):
    """Crossing of two lines if it is well defined and near a point, else the point."""
    cross = line_a[2] * line_b[3] - line_a[3] * line_b[2]
    if abs(cross) < 0.2:
        return row, col
    t = ((line_b[0] - line_a[0]) * line_b[3] - (line_b[1] - line_a[1]) * line_b[2]) / cross
    new_row, new_col = line_a[0] + t * line_a[2], line_a[1] + t * line_a[3]
    if math.hypot(new_row - row, new_col - col) > reach:
        return row, col
    return new_row, new_col


@njit(nogil=True, cache=True)
def _project(line, point):
    """Foot of a point on a line."""
    along = (point[0] - line[0]) * line[2] + (point[1] - line[1]) * line[3]
    return line[0] + along * line[2], line[1] + along * line[3]


@njit(nogil=True, cache=True)
def _write_corners(corners, first, last, out, n):
    """Write the ends and turns of an arc as they are; returns the new n."""
    for i in range(first, last + 1):
        is_turn = i in (first, last)
        if not is_turn:
            is_turn = (corners[i + 1, 0] - corners[i, 0] != corners[i, 0] - corners[i - 1, 0]) or (
                corners[i + 1, 1] - corners[i, 1] != corners[i, 1] - corners[i - 1, 1]
            )
        if is_turn:
            out[n, 0], out[n, 1] = corners[i, 0], corners[i, 1]
            n += 1
    return n


@njit(nogil=True, cache=True)
def _distance(line, point):
    """Distance of a point from a line."""
    return abs((point[0] - line[0]) * line[3] - (point[1] - line[1]) * line[2])


@njit(nogil=True, cache=True)
def _runs_along(points, first, last, meeting):
    """Whether a stretch of points lies on the line where two planes meet."""
    if math.isnan(meeting[0]) or last - first < 2:
        return False
    for i in range(first, last + 1):
        if _distance(meeting, points[i]) > MEETING_REACH:
            return False
    line = _fit_line(points, first, last)
    return abs(line[2] * meeting[3] - line[3] * meeting[2]) <= MEETING_SINE


@njit(nogil=True, cache=True)
def _with_meetings(points, bends, lines, meeting):
    """Lines of stretches, those along the planes' meeting line replaced by it and joined."""
    new_bends, new_lines = bends.copy(), lines.copy()
    meets = np.zeros(lines.shape[0], np.bool_)
    n = 0
    for k in range(lines.shape[0]):
        on_line = _runs_along(points, bends[k], bends[k + 1], meeting)
        if on_line and n > 0 and meets[n - 1]:
            new_bends[n] = bends[k + 1]
            continue
        new_lines[n] = meeting if on_line else lines[k]
        meets[n] = on_line
        new_bends[n + 1] = bends[k + 1]
        n += 1
    return new_bends[: n + 1], new_lines[:n], meets[:n]


@njit(nogil=True, cache=True)
def _bend(lines, meets, j, k, point):
    """Where the stretches j and k meet near a bend; on a meeting line if one of them is one."""
    reach = MEETING_REACH if meets[j] or meets[k] else 1.0
    row, col = _meet(lines[j], lines[k], point[0], point[1], reach)
    if row == point[0] and col == point[1] and meets[j] != meets[k]:
        return _project(lines[j] if meets[j] else lines[k], point)
    return row, col


@njit(nogil=True, cache=True)
def _straighten_closed(corners, first, last, tolerance, meeting, out, n):
    """Write the points of a closed arc from ``out[n]`` on; returns the new n."""
    n_edges = last - first
    points = _arc_points(corners, first, last, True)
    start = _farthest(points, n_edges, 0)
    rolled = np.empty_like(points)
    for i in range(n_edges + 1):
        rolled[i] = points[(i + start) % n_edges]
    opposite = _farthest(rolled, n_edges, 0)
    keep = np.zeros(n_edges + 1, np.bool_)
    keep[0] = keep[opposite] = keep[n_edges] = True
    tolerance = min(tolerance, n_edges / 40.0)
    _keep_bends(rolled, 0, opposite, tolerance, keep)
    _keep_bends(rolled, opposite, n_edges, tolerance, keep)
    bends = np.flatnonzero(keep)
    if n_edges <= SMALL_LOOP or bends.size < 4:
        return _write_corners(corners, first, last, out, n)
    bends, lines, meets = _with_meetings(rolled, bends, _bend_lines(rolled, bends), meeting)
    n_lines = lines.shape[0]
    if n_lines < 3:
        return _write_corners(corners, first, last, out, n)
    for k in range(n_lines):
        out[n + k] = _bend(lines, meets, (k - 1) % n_lines, k, rolled[bends[k]])
    out[n + n_lines] = out[n]
    return n + n_lines + 1


@njit(nogil=True, cache=True)
def _lines_of(points, n_edges, head, tail, tolerance, meeting):
    """
    Stretches of an open arc: bends, lines, which are meeting lines, and the ends still outside.

    An end that turns aside outside belongs to a corner, and going straight on would cut it off,
    unless the planes beside it meet in that straight line.
    """
    bends, lines = np.empty(0, np.int64), np.empty((0, 4))
    low = head + 1 if head > 0 else 0
    high = n_edges - tail if tail > 0 else n_edges + 1
    if _runs_along(points, low, high, meeting):
        return np.array([low, high]), meeting.reshape(1, 4), np.ones(1, np.bool_), head, tail
    for _ in range(3):  # at most both ends are given up, one at a time
        low = head + 1 if head > 0 else 0
        high = n_edges - tail if tail > 0 else n_edges + 1
        keep = np.zeros(points.shape[0], np.bool_)
        keep[low] = keep[high] = True
        _keep_bends(points, low, high, tolerance, keep)
        bends = np.flatnonzero(keep)
        lines = _bend_lines(points, bends)
        if head > 0 and not _runs_along(points, bends[0], bends[1], meeting) and _distance(
            lines[0], points[max(0, low - 2)]
        ) > MAX_TURN:  # fmt: skip
            head = 0
        elif tail > 0 and not _runs_along(points, bends[-2], bends[-1], meeting) and _distance(
            lines[-1], points[min(n_edges + 1, high + 2)]
        ) > MAX_TURN:  # fmt: skip
            tail = 0
        else:
            break
    bends, lines, meets = _with_meetings(points, bends, lines, meeting)
    return bends, lines, meets, head, tail


@njit(nogil=True, cache=True)
def _leave(line, is_meeting, inner, before, outer, out, end_line):
    """Write twice where the last stretch inside goes on to outside, and note its line."""
    out[0] = out[1] = _project(line, outer)
    end_line[:4] = line
    end_line[4] = OUT_FITTED
    if (
        not is_meeting
    ):  # two edges out: beyond the half cell by which a footprint may pass its cells
        return
    row, col = _project(line, inner)
    from_row, from_col = _project(line, before)
    length = math.hypot(row - from_row, col - from_col)
    if length > 0.0:
        row += EXIT * (row - from_row) / length
        col += EXIT * (col - from_col) / length
        out[0] = out[1] = row, col
        end_line[4] = OUT_MEETING


@njit(nogil=True, cache=True)
def _straighten_open(
    corners, within, first, last, tolerance, straight_ends, meeting, out, n, end_lines
):  # fmt: skip
    """
    Write the points of an arc between two nodes from ``out[n]`` on; returns the new n.

    With ``straight_ends``, ends that run outside, where regions were only continued, take no part
    in the fit; the last stretch inside goes straight on over the footprint's edge instead.
    ``end_lines`` is filled with the lines at both ends and their weights.
    """
    points = _arc_points(corners, first, last, False)
    n_edges = last - first
    head = tail = 0
    while head < n_edges and not within[first + head]:
        head += 1
    while tail < n_edges and not within[last - 1 - tail]:
        tail += 1
    if not straight_ends or n_edges - head - tail < 3:
        head = tail = 0
    bends, lines, meets, head, tail = _lines_of(points, n_edges, head, tail, tolerance, meeting)
    low, high = bends[0], bends[-1]
    out[n] = points[0]
    n += 1
    if head > 0:
        outer = points[max(0, low - 2)]
        _leave(
            lines[0], meets[0], points[low], points[bends[1]], outer, out[n : n + 2], end_lines[0]
        )
        n += 2
    else:
        _weigh(end_lines[0], lines[0], meets[0], bends[1] - bends[0])
    for k in range(1, bends.size - 1):
        out[n, 0], out[n, 1] = _bend(lines, meets, k - 1, k, points[bends[k]])
        n += 1
    if tail > 0:
        outer = points[min(n_edges + 1, high + 2)]
        _leave(
            lines[-1], meets[-1], points[high], points[bends[-2]], outer, out[n : n + 2],
            end_lines[1],
        )  # fmt: skip
        n += 2
    else:
        _weigh(end_lines[1], lines[-1], meets[-1], bends[-1] - bends[-2])
    out[n] = points[-1]
    return n + 1


@njit(nogil=True, cache=True)
def _weigh(end_line, line, is_meeting, n_points):
    """Note the line with which an arc reaches its node, weighted by its length."""
    if n_points >= 3:
        end_line[:4] = line
        end_line[4] = MEETING_WEIGHT if is_meeting else min(MOST_POINTS, float(n_points))


@njit(nogil=True, cache=True)
def straighten_arcs(corners, starts, within, tolerances, straight_ends, meetings):
    """
    Straight stretches instead of stairs.

    Every arc is cut into stretches by Douglas and Peucker, each stretch becomes its least-squares
    line, or the line in which the planes beside it meet if it runs along that, and bends are put
    where neighbouring lines cross.

    Parameters
    ----------
    corners, starts, within : ndarray
        From :func:`solarkataster.kernels.outline_trace.trace_arcs`.
    tolerances : ndarray, shape (n_arc,)
        Largest distance between a stretch and the middle of its stair; 0 keeps the stair. [cells]
    straight_ends : ndarray of bool, shape (n_arc,)
        Whether ends outside go on in the direction of the last stretch inside.
    meetings : ndarray, shape (n_arc, 4)
        Line in which the planes beside an arc meet: a point and a unit vector; NaN for none.

    Returns
    -------
    points : ndarray, shape (n_point, 2)
        Row and column along all arcs; nodes where they were traced.
    point_starts : ndarray of int64, shape (n_arc + 1,)
    end_lines : ndarray, shape (n_arc, 2, 5)
        Line and weight with which each arc reaches its two nodes; weight 0: no line, infinite: the
        node stays where it is. Negative where the arc goes straight on over the edge instead; the
        points next to that end are twice the place up to which it does.
    """
    n_arcs = starts.size - 1
    points = np.empty((corners.shape[0] + 6 * n_arcs, 2))
    point_starts = np.zeros(n_arcs + 1, np.int64)
    end_lines = np.zeros((n_arcs, 2, 5))
    n = 0
    for arc in range(n_arcs):
        first, last = starts[arc], starts[arc + 1] - 1
        if tolerances[arc] == 0.0:
            n = _write_corners(corners, first, last, points, n)
            end_lines[arc, :, 4] = np.inf
        elif corners[first, 0] == corners[last, 0] and corners[first, 1] == corners[last, 1]:
            n = _straighten_closed(corners, first, last, tolerances[arc], meetings[arc], points, n)
        else:
            n = _straighten_open(
                corners, within, first, last, tolerances[arc], straight_ends[arc], meetings[arc],
                points, n, end_lines[arc],
            )  # fmt: skip
        point_starts[arc + 1] = n
    return points[:n], point_starts, end_lines
