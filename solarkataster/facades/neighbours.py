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
    zones = _strips(start, end, out, -OVERLAP_M, gap_m)
    rows: list[tuple[float, ...]] = []
    at: list[np.ndarray] = []
    heights: list[np.ndarray] = []
    n_node = 0
    for neighbour in neighbours:
        local = shapely.transform(neighbour, lambda xy: xy - origin_m)
        shapely.prepare(local)
        for s in np.flatnonzero(shapely.intersects(local, zones)):
            cells = None
            for begin, finish in _runs(local, zones[s], start[s], along[s], length_m[s]):
                if cells is None:
                    cells = _cells_behind(
                        local, start[s], end[s], along[s], out[s], frame, elevation_m, gap_m
                    )
                nodes = np.linspace(begin, finish, max(2, round((finish - begin) / NODE_M) + 1))
                behind_m, out_m, z = cells
                half_m = max(HALF_M, 0.75 * frame.cell_m)
                level_m = neighbour_heights(behind_m, out_m, z, nodes, half_m)
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


def _runs(neighbour, zone, start, along, length_m) -> list[tuple[float, float]]:
    """Parts of a side before which a neighbour stands, in order and apart from each other."""
    runs = []
    for piece in shapely.get_parts(shapely.intersection(neighbour, zone)):
        if shapely.area(piece) == 0.0:
            continue
        places = (shapely.get_coordinates(piece) - start) @ along
        begin, finish = max(0.0, places.min()), min(length_m, places.max())
        if finish - begin > LEAST_CONTACT_M:
            runs.append((float(begin), float(finish)))
    runs.sort()
    merged: list[tuple[float, float]] = []
    for begin, finish in runs:
        if merged and begin <= merged[-1][1]:
            begin, finish = merged[-1][0], max(merged.pop()[1], finish)
        merged.append((begin, finish))
    return merged


def _cells_behind(neighbour, start, end, along, out, frame: CellFrame, elevation_m, gap_m):
    """Along, out and height of the neighbour's cells behind a side."""
    corners = np.stack([start, end, start + FARTHEST_M * out, end + FARTHEST_M * out])
    x, y, z = frame.cells_in(corners.min(axis=0) - gap_m, corners.max(axis=0) + gap_m, elevation_m)
    behind_m = (x - start[0]) * out[0] + (y - start[1]) * out[1]
    is_near = np.isfinite(z) & (behind_m >= NEAREST_M - 1e-9)
    is_near &= behind_m <= FARTHEST_M + gap_m + 1e-9
    x, y, z, behind_m = x[is_near], y[is_near], z[is_near], behind_m[is_near]
    inside = shapely.contains_xy(neighbour, x, y)
    x, y = x[inside] - start[0], y[inside] - start[1]
    return x * along[0] + y * along[1], behind_m[inside], z[inside].astype(np.float64)
