"""Party walls: along which parts of a building's sides neighbours stand, and how high."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.facades.cells import CellFrame
from solarkataster.kernels.wall_tops import neighbour_heights

#: Neighbours may overlap a footprint by this much, or reach over a wall for so little of its
#: length, and no more is thought of it. [m]
OVERLAP_M, LEAST_CONTACT_M = 0.05, 0.05

#: Cells from here to there behind the wall tell a neighbour's height: nearer ones may hold both
#: roofs. [m]
NEAREST_M, FARTHEST_M = 0.5, 2.0

#: Distance of the places along a wall at which the neighbour's height is taken, and how far along
#: from a place its cells may lie, at least. [m]
NODE_M, HALF_M = 0.5, 0.75


@dataclass(frozen=True, eq=False)
class Contacts:
    """
    Parts of sides that neighbours hide.

    Attributes
    ----------
    table : ndarray, shape (n_contact, 5)
        Side, begin and finish along it [m], first node and one past the last one.
    node_at, node_z : ndarray, shape (n_node,)
        Place along the side and height of the neighbour there. [m]
    """

    table: np.ndarray
    node_at: np.ndarray
    node_z: np.ndarray

    def joined(self, other: Contacts) -> Contacts:
        """What both hide."""
        moved = other.table + np.array([0.0, 0.0, 0.0, 1.0, 1.0]) * len(self.node_at)
        return Contacts(
            np.concatenate([self.table, moved]),
            np.concatenate([self.node_at, other.node_at]),
            np.concatenate([self.node_z, other.node_z]),
        )


def contacts(
    start: np.ndarray,
    end: np.ndarray,
    neighbours: np.ndarray,
    origin_m: np.ndarray,
    frame: CellFrame,
    elevation_m: np.ndarray,
    gap_m: float,
) -> Contacts:
    """
    What neighbours hide of the sides of a building.

    Parameters
    ----------
    start, end : ndarray, shape (n_side, 2)
        Sides from the local origin, outside on their right. [m]
    neighbours : ndarray of shapely geometry
        Footprints of others near the building, in the coordinates of the map. [m]
    origin_m : ndarray, shape (2,)
        Local origin. [m]
    frame : CellFrame
        Where the cells lie.
    elevation_m : ndarray, shape (ny, nx)
        Surface; NaN for no data. [m]
    gap_m : float
        A neighbour that is no farther touches. [m]
    """
    none = np.zeros(0)
    if len(neighbours) == 0:
        return Contacts(np.zeros((0, 5)), none, none)
    along = end - start
    length_m = np.hypot(*along.T)
    along = along / length_m[:, None]
    out = np.stack([along[:, 1], -along[:, 0]], axis=1)
    strips = _strips(start, end, out, -OVERLAP_M, gap_m)
    rows: list[tuple[float, ...]] = []
    at: list[np.ndarray] = []
    heights: list[np.ndarray] = []
    n_node = 0
    half_m = max(HALF_M, 0.75 * frame.cell_m)
    for neighbour in neighbours:
        local = shapely.transform(neighbour, lambda xy: xy - origin_m)
        shapely.prepare(local)
        hit = np.flatnonzero(shapely.intersects(local, strips))
        runs = _runs(local, strips, hit, start, along, length_m)
        if not runs:
            continue
        reach_m = FARTHEST_M + gap_m
        x, y, z = _cells_of(local, start[hit], end[hit], reach_m, frame, elevation_m)
        for s, begin, finish in runs:
            east_m, north_m = x - start[s, 0], y - start[s, 1]
            behind_m = east_m * out[s, 0] + north_m * out[s, 1]
            near = (behind_m >= NEAREST_M - 1e-9) & (behind_m <= reach_m + 1e-9)
            place_m = (east_m * along[s, 0] + north_m * along[s, 1])[near]
            nodes = np.linspace(begin, finish, max(2, round((finish - begin) / NODE_M) + 1))
            level_m = neighbour_heights(place_m, behind_m[near], z[near], nodes, half_m)
            known = np.isfinite(level_m)
            n_known = int(known.sum())
            rows.append((float(s), begin, finish, n_node, n_node + n_known))
            at.append(nodes[known])
            heights.append(level_m[known])
            n_node += n_known
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    return Contacts(table, np.concatenate([none, *at]), np.concatenate([none, *heights]))


def _strips(start, end, out, from_m: float, to_m: float) -> np.ndarray:
    """Rectangles beside sides, between two distances outwards."""
    near, far = from_m * out, to_m * out
    ring = np.stack([start + near, start + far, end + far, end + near, start + near], axis=1)
    return shapely.polygons(ring)


def _runs(neighbour, strips, hit, start, along, length_m) -> list[tuple[int, float, float]]:
    """Sides and the parts of them before which a neighbour stands, in order and apart."""
    if len(hit) == 0:
        return []
    pieces, of = shapely.get_parts(shapely.intersection(neighbour, strips[hit]), return_index=True)
    is_area = shapely.get_dimensions(pieces) == 2
    pieces, of = pieces[is_area], hit[of[is_area]]
    xy, piece = shapely.get_coordinates(pieces, return_index=True)
    places_m = ((xy - start[of[piece]]) * along[of[piece]]).sum(axis=1)
    first, last = np.full(len(pieces), np.inf), np.full(len(pieces), -np.inf)
    np.minimum.at(first, piece, places_m)
    np.maximum.at(last, piece, places_m)
    first, last = np.maximum(first, 0.0), np.minimum(last, length_m[of])
    merged: list[tuple[int, float, float]] = []
    for s, begin, finish in sorted(zip(of.tolist(), first.tolist(), last.tolist(), strict=True)):
        if finish - begin <= LEAST_CONTACT_M:
            continue
        if merged and merged[-1][0] == s and begin <= merged[-1][2]:
            _, begin, before = merged.pop()
            finish = max(before, finish)
        merged.append((s, begin, finish))
    return merged


def _cells_of(neighbour, start, end, reach_m, frame: CellFrame, elevation_m):
    """East, north and height of a neighbour's cells near some sides."""
    ends = np.concatenate([start, end])
    x, y, z = frame.cells_in(ends.min(axis=0) - reach_m, ends.max(axis=0) + reach_m, elevation_m)
    inside = shapely.contains_xy(neighbour, x, y) & np.isfinite(z)
    return x[inside], y[inside], z[inside].astype(np.float64)
