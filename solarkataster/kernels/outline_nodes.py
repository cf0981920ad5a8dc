"""Nodes of outlines: put where the lines of all their arcs come nearest to each other."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Farthest that a node moves for lines fitted to its arcs, and for lines in which planes meet.
#: [cells]
REACH, MEETING_REACH = 1.0, 2.5

#: Weight from which on a line is one in which planes meet (see ``outline_straighten``).
MEETING_WEIGHT = 1e6

#: Two nodes on meeting lines with so few edges between them are one if they come so near to each
#: other, or pass each other: hips that meet in one point. [edges, cells]
SHORT_ARC, SAME_NODE = 8, 0.5


#: An arc that leaves the outline this near to one of its vertices leaves it there: on meeting lines
#: and on fitted ones, the former also by length, as planes are known in metres; and no
#: farther from where the inside ends. [cells, m]
VERTEX_REACH, FITTED_VERTEX_REACH, VERTEX_REACH_M, VERTEX_ALONG = 0.4, 0.6, 0.2, 2.5

#: Largest turn of an arc that makes for a vertex. [rad]
MAX_TURN_RAD = 0.1

#: Weight that marks a meeting line that goes on to outside (see ``outline_straighten``).
OUT_MEETING = -2.0


@njit(nogil=True, cache=True)
def _solve(lines, n_lines, row, col):
    """
    Place of a node with weighted lines through it, held by a weight of one where it was traced.

    The weight of meeting lines is lowered until the node stays in reach.
    """
    reach = REACH
    for k in range(n_lines):
        if lines[k, 4] >= MEETING_WEIGHT:
            reach = MEETING_REACH
    d_row = d_col = 0.0
    most = MEETING_WEIGHT
    while True:
        rr, rc, cc, r, c = 1.0, 0.0, 1.0, 0.0, 0.0
        for k in range(n_lines):
            weight = min(most, lines[k, 4])
            n_row, n_col = -lines[k, 3], lines[k, 2]
            offset = (lines[k, 0] - row) * n_row + (lines[k, 1] - col) * n_col
            rr += weight * n_row * n_row
            rc += weight * n_row * n_col
            cc += weight * n_col * n_col
            r += weight * n_row * offset
            c += weight * n_col * offset
        determinant = rr * cc - rc * rc
        d_row = (r * cc - c * rc) / determinant
        d_col = (c * rr - r * rc) / determinant
        if math.hypot(d_row, d_col) <= reach or most < 10.0:
            break
        most /= 100.0
    shrink = max(1.0, math.hypot(d_row, d_col) / reach)
    return row + d_row / shrink, col + d_col / shrink


@njit(nogil=True, cache=True)
def place_nodes(corners, starts, points, point_starts, end_lines):
    """
    Move the ends of open arcs to where the lines of all arcs at the node come nearest.

    Parameters
    ----------
    corners, starts : ndarray
        From :func:`solarkataster.kernels.outline_trace.trace_arcs`.
    points, point_starts, end_lines : ndarray
        From :func:`solarkataster.kernels.outline_straighten.straighten_arcs`; ``points`` is changed
        in place. Arcs between nodes that fall together become points.
    """
    n_arcs = starts.size - 1
    width = np.int64(corners[:, 1].max()) + 1
    ids = np.empty(2 * n_arcs, np.int64)  # first and last node of every arc
    for arc in range(n_arcs):
        for side in range(2):
            i = starts[arc] if side == 0 else starts[arc + 1] - 1
            ids[2 * arc + side] = np.int64(corners[i, 0]) * width + np.int64(corners[i, 1])
    nodes = np.unique(ids)
    node_of = np.searchsorted(nodes, ids)
    lines, n_lines = np.zeros((nodes.size, 8, 5)), np.zeros(nodes.size, np.int64)
    fixed = np.zeros(nodes.size, np.bool_)
    meets = np.zeros(nodes.size, np.bool_)
    for end in range(2 * n_arcs):
        node, line = node_of[end], end_lines[end // 2, end % 2]
        if node_of[2 * (end // 2)] == node_of[2 * (end // 2) + 1] and line[4] != np.inf:
            continue  # closed
        fixed[node] |= line[4] == np.inf
        meets[node] |= MEETING_WEIGHT <= line[4] < np.inf
        if line[4] > 0.0 and n_lines[node] < 4:
            lines[node, n_lines[node]] = line
            n_lines[node] += 1
    place = np.empty((nodes.size, 2))
    for node in range(nodes.size):
        row, col = float(nodes[node] // width), float(nodes[node] % width)
        place[node, 0], place[node, 1] = row, col
        if not fixed[node] and n_lines[node] > 0:
            place[node, 0], place[node, 1] = _solve(lines[node], n_lines[node], row, col)
    joined = np.zeros(nodes.size, np.bool_)
    for arc in range(n_arcs):
        a, b = node_of[2 * arc], node_of[2 * arc + 1]
        if a == b or starts[arc + 1] - 1 - starts[arc] > SHORT_ARC or joined[a] or joined[b]:
            continue
        if fixed[a] or fixed[b] or not (meets[a] and meets[b]):
            continue
        d_row, d_col = place[b, 0] - place[a, 0], place[b, 1] - place[a, 1]
        along_row = float(nodes[b] // width - nodes[a] // width)
        along_col = float(nodes[b] % width - nodes[a] % width)
        ahead = d_row * along_row + d_col * along_col > 0.0
        if ahead and math.hypot(d_row, d_col) > SAME_NODE:
            continue
        both = np.concatenate((lines[a, : n_lines[a]], lines[b, : n_lines[b]]))
        row = 0.5 * (nodes[a] // width + nodes[b] // width)
        col = 0.5 * (nodes[a] % width + nodes[b] % width)
        place[a, 0], place[a, 1] = _solve(both, both.shape[0], row, col)
        place[b] = place[a]
        joined[a] = joined[b] = True
    for arc in range(n_arcs):
        if node_of[2 * arc] == node_of[2 * arc + 1]:
            continue
        points[point_starts[arc]] = place[node_of[2 * arc]]
        points[point_starts[arc + 1] - 1] = place[node_of[2 * arc + 1]]


@njit(nogil=True, cache=True)
def leave_by_vertices(points, point_starts, end_lines, vertices, cell_m):
    """
    Let arcs that leave the outline close to one of its vertices leave it there.

    A hip ends in the corner of the eaves; planes and walls that are each good to a few centimetres
    would miss it by as much, and leave an edge of that length.

    Parameters
    ----------
    points, point_starts, end_lines : ndarray
        From :func:`solarkataster.kernels.outline_straighten.straighten_arcs`; ``points`` is changed
        in place.
    vertices : ndarray, shape (n_vertex, 2)
        Row and column of the outline's vertices.
    cell_m : float
        Cell size. [m]

    Returns
    -------
    at_vertex : ndarray of int64, shape (n_point,)
        The vertex that a point lies on; −1 for none.
    """
    at_vertex = np.full(points.shape[0], -1)
    for end in range(2 * end_lines.shape[0]):
        arc, side = end // 2, end % 2
        if end_lines[arc, side, 4] >= 0.0:
            continue
        if side == 0:
            outer, i, inner = point_starts[arc] + 1, point_starts[arc] + 2, point_starts[arc] + 3
        else:
            last = point_starts[arc + 1] - 1
            outer, i, inner = last - 1, last - 2, last - 3
        d_row, d_col = points[i, 0] - points[inner, 0], points[i, 1] - points[inner, 1]
        length = math.hypot(d_row, d_col)
        if length == 0.0:
            continue
        d_row, d_col = d_row / length, d_col / length
        reach = FITTED_VERTEX_REACH
        if end_lines[arc, side, 4] == OUT_MEETING:
            reach = max(VERTEX_REACH, VERTEX_REACH_M / cell_m)
        least = min(reach, MAX_TURN_RAD * length)
        for k in range(vertices.shape[0]):
            row, col = points[i, 0] - vertices[k, 0], points[i, 1] - vertices[k, 1]
            beside = abs(row * d_col - col * d_row)
            before = row * d_row + col * d_col
            if beside < least and 0.0 < before < min(2.0 * VERTEX_ALONG, length):
                at_vertex[i], least = k, beside
        if at_vertex[i] >= 0:
            row, col = vertices[at_vertex[i], 0], vertices[at_vertex[i], 1]
            before = (points[i, 0] - row) * d_row + (points[i, 1] - col) * d_col
            points[outer, 0], points[outer, 1] = row + before * d_row, col + before * d_col
            points[i, 0], points[i, 1] = row, col
    return at_vertex
