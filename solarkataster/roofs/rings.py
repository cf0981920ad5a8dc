"""Arcs of a raster's borders joined to rings, and rings to areas."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import shapely

#: Any invalid area: for a region that straightening left without one or turned inside out.
INVALID = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


class Joints:
    """Which arc follows which around each region; the same however straight the arcs are."""

    def __init__(self, corners, starts, sides):
        self.loops: list[tuple[int, list[tuple[int, bool]]]] = []
        leaving: dict[int, dict] = defaultdict(lambda: defaultdict(list))
        for arc, ((left, right), (i, j)) in enumerate(
            zip(sides.tolist(), pairwise(starts.tolist()), strict=True)
        ):
            first, second = corners[i].tolist(), corners[i + 1].tolist()
            before, last = corners[j - 2].tolist(), corners[j - 1].tolist()
            ahead = (arc, True, tuple(last), _left_cell(first, second), _left_cell(before, last))
            back = (arc, False, tuple(first), _left_cell(last, before), _left_cell(second, first))
            leaving[left][tuple(first)].append(ahead)
            leaving[right][tuple(last)].append(back)
        for region in sorted(leaving):
            self._close(region, leaving[region])

    def _close(self, region, leaving) -> None:
        """
        Join the arcs that have the region on their left to loops.

        Where a region meets itself over a corner, the loop goes on along the same cell, so that
        pieces that only touch are separate; a loop that comes back to a node is cut there, so that
        none touches itself.
        """
        for start in leaving:
            path: list[tuple] = []
            node, cell = start, None
            while leaving[node]:
                options = leaving[node]
                k = next((k for k, option in enumerate(options) if option[3] == cell), 0)
                arc, forwards, following, _, cell = options.pop(k)
                path.append((node, arc, forwards))
                node = following
                cut = next((k for k, step in enumerate(path) if step[0] == node), None)
                if cut is not None:
                    self.loops.append((region, [step[1:] for step in path[cut:]]))
                    del path[cut:]

    def rings(self, xy, point_starts) -> list[tuple[int, list[np.ndarray]]]:
        """Coordinates of the closed rings of every region."""
        pieces = [xy[i:j] for i, j in pairwise(point_starts.tolist())]
        rings = defaultdict(list)
        for region, loop in self.loops:
            steps = [pieces[arc] if forwards else pieces[arc][::-1] for arc, forwards in loop]
            ring = np.concatenate([*(step[:-1] for step in steps), steps[0][:1]])
            # Nodes that fell together and unused places of a way out are there twice.
            moves = np.concatenate([[True], (ring[1:] != ring[:-1]).any(axis=1)])
            rings[region].append(ring[moves])
        return list(rings.items())


def _left_cell(start, end) -> tuple[int, int]:
    """Cell on the left of a unit edge between two corners (row, col)."""
    (row, col), (end_row, end_col) = start, end
    if end_row == row:
        return (row - 1, col) if end_col > col else (row, col - 1)
    return (row, col) if end_row > row else (row - 1, col - 1)


def area_of(rings) -> shapely.Polygon | shapely.MultiPolygon:
    """
    Area of rings: counter-clockwise ones are shells, clockwise ones holes.

    A hole belongs to the smallest shell around a point beside it, on its outer side: only such a
    point cannot lie in a piece of the region inside the hole.
    """
    shells = [ring for ring in rings if _signed_area(ring) > 0.0]
    holes = [ring for ring in rings if _signed_area(ring) <= 0.0]
    if not shells or min(map(len, rings)) < 4:
        return INVALID
    if len(shells) == 1:
        return shapely.Polygon(shells[0], holes)
    pieces = shapely.polygons([shapely.linearrings(shell) for shell in shells])
    holes_of: list[list] = [[] for _ in shells]
    if holes:
        begin, end = (np.array([hole[k] for hole in holes]) for k in (0, 1))
        left = np.stack([begin[:, 1] - end[:, 1], end[:, 0] - begin[:, 0]], axis=1)
        beside = shapely.points(0.5 * (begin + end) + 1e-3 * left)
        area = shapely.area(pieces)
        smallest: dict[int, int] = {}
        for hole, piece in shapely.STRtree(pieces).query(beside, predicate="within").T.tolist():
            if hole not in smallest or area[piece] < area[smallest[hole]]:
                smallest[hole] = piece
        for hole, piece in sorted(smallest.items()):
            holes_of[piece].append(holes[hole])
        if len(smallest) < len(holes):
            return INVALID
    return shapely.MultiPolygon(list(zip(shells, holes_of, strict=True)))


def _signed_area(ring) -> float:
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1] - ring[0, 1]
    return float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]))
