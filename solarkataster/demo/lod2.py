"""The exact town as a survey's LoD2 model: closed solids of walls, roofs and grounds.

As in official models walls stand on the footprint, roofs end at the walls, and dormers, chimneys
and terraces are left out. A house of several parts has a solid for each; where two of them are
open to each other stands a closure surface, in both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.citymodels import CitySurface, Kind
from solarkataster.demo.planes import anchor_of, visible_faces
from solarkataster.demo.roofshapes import Building
from solarkataster.demo.terrain import Terrain

#: Corners of roof planes nearer than this are one. [m]
_SNAP_M = 1e-3
#: Planes that meet in a corner agree on its height to this; all roofs of the towns do. [m]
_HEIGHT_M = 5e-3
#: Decimals of a metre that are written.
DECIMALS = 4


@dataclass(frozen=True, slots=True)
class _Piece:
    """A roof plane of one part in plan, its corners as numbers of nodes, counterclockwise."""

    part: int
    nodes: list[int]
    plane: tuple[float, float, float]


def lod2_of(buildings: list[Building], terrain: Terrain) -> list[CitySurface]:
    """
    Surfaces of all buildings, those of a part together, facing outwards.

    Parameters
    ----------
    buildings : list of Building
    terrain : Terrain
        Walls go down to its lowest height at a corner of the footprint.

    Returns
    -------
    list of CitySurface
        ``part_id`` is empty for buildings of one part. Coordinates have four decimals.
    """
    return [surface for building in buildings for surface in _surfaces(building, terrain)]


def _surfaces(building: Building, terrain: Terrain) -> list[CitySurface]:
    anchor = np.array(anchor_of(building))
    nodes, pieces = _planar(building)
    height_m = _node_heights_m(building, nodes, pieces)
    corners = np.asarray(building.footprint.exterior.coords)
    base_m = float(np.min(terrain.elevation_m(corners[:, 0], corners[:, 1])))
    top = np.round(np.column_stack([nodes + anchor, height_m]), DECIMALS)
    foot = top.copy()
    foot[:, 2] = round(base_m, DECIMALS)
    parts = sorted({piece.part for piece in pieces})
    owner = {edge: piece.part for piece in pieces for edge in _edges(piece.nodes)}
    found: list[CitySurface] = []
    for part in parts:
        own = [piece for piece in pieces if piece.part == part]
        part_id = f"{building.building_id}-P{part + 1}" if len(parts) > 1 else ""
        rings: list[tuple[Kind, np.ndarray]] = [("roof", top[piece.nodes]) for piece in own]
        for cycle in _cycles(own, owner):
            runs = _runs(cycle, owner, nodes)
            rings += [(kind, _upright(run, foot, top)) for kind, run in runs]
            # Feet of the walls, seen from below.
            rings.append(("ground", foot[[run[0] for _, run in runs]][::-1]))
        name = part_id or building.building_id
        found += [
            CitySurface(building.building_id, part_id, f"{name}-{k}", kind, ring)
            for k, (kind, ring) in enumerate(rings)
        ]
    return found


def _planar(building: Building) -> tuple[np.ndarray, list[_Piece]]:
    """Roof planes as a mesh: every corner of one on the edge of another is a corner of both."""
    roofs = tuple(replace(p, overhang_m=(0.0,) * 4) for p in building.parts if p.role == "roof")
    shapes = [
        (face, piece)
        for face, geometry in visible_faces(list(roofs), anchor_of(building))
        for piece in shapely.get_parts(shapely.orient_polygons(geometry))
        if piece.geom_type == "Polygon" and piece.area > _SNAP_M
    ]
    nodes: list[np.ndarray] = []
    rings = []
    for _, piece in shapes:
        assert not piece.interiors, f"a roof plane of {building.building_id} has a hole"
        rings.append([_node(nodes, xy) for xy in np.asarray(piece.exterior.coords)[:-1]])
    places = np.array(nodes)
    pieces = []
    for (face, _), ring in zip(shapes, rings, strict=True):
        full = [k for edge in _edges(ring) if edge[0] != edge[1] for k in _between(*edge, places)]
        pieces.append(_Piece(face.part, _without_spikes(full), face.plane))
    return places, pieces


def _without_spikes(ring: list[int]) -> list[int]:
    """A ring without the ways there and back that clipping leaves along the edge of a neighbour."""
    for k in range(len(ring)):
        if ring[k - 1] == ring[k]:
            return _without_spikes(ring[:k] + ring[k + 1 :])
        if ring[k - 2] == ring[k]:
            return _without_spikes(
                [n for i, n in enumerate(ring) if i not in (k, (k - 1) % len(ring))]
            )
    return ring


def _node(nodes: list[np.ndarray], xy: np.ndarray) -> int:
    """The number of a corner, given to it if it is new."""
    for k, node in enumerate(nodes):
        if np.hypot(*(node - xy)) < _SNAP_M:
            return k
    nodes.append(xy)
    return len(nodes) - 1


def _between(a: int, b: int, places: np.ndarray) -> list[int]:
    """The first node of an edge and all that lie on it, the last left out."""
    step = places[b] - places[a]
    length_m = np.hypot(*step)
    along_m = (places - places[a]) @ step / length_m
    off_m = np.abs((places - places[a]) @ np.array([step[1], -step[0]])) / length_m
    on = np.flatnonzero((off_m < _SNAP_M) & (along_m > _SNAP_M) & (along_m < length_m - _SNAP_M))
    return [a, *on[np.argsort(along_m[on])].tolist()]


def _edges(ring: list[int]) -> list[tuple[int, int]]:
    return list(zip(ring, [*ring[1:], ring[0]], strict=True))


def _node_heights_m(building: Building, nodes: np.ndarray, pieces: list[_Piece]) -> np.ndarray:
    """Height of the roof at each node; the planes that meet there agree. [m]"""
    low, high = np.full(len(nodes), np.inf), np.full(len(nodes), -np.inf)
    for piece in pieces:
        east, north, level_m = piece.plane
        z_m = nodes[piece.nodes] @ (east, north) + level_m
        low[piece.nodes] = np.minimum(low[piece.nodes], z_m)
        high[piece.nodes] = np.maximum(high[piece.nodes], z_m)
    used = np.unique(np.concatenate([piece.nodes for piece in pieces]))
    step_m = float(np.max(high[used] - low[used]))
    if step_m > _HEIGHT_M:
        raise AssertionError(f"the roof of {building.building_id} has a step of {step_m:.3f} m")
    return np.where(np.isfinite(low), (low + high) / 2, 0.0)


def _cycles(own: list[_Piece], owner: dict[tuple[int, int], int]) -> list[list[int]]:
    """Outlines of a part: its planes' edges behind which it does not go on."""
    part = own[0].part
    edges = [edge for piece in own for edge in _edges(piece.nodes)]
    following = {a: b for a, b in edges if owner.get((b, a)) != part}
    cycles = []
    while following:
        cycle = [next(iter(following))]
        while (after := following.pop(cycle[-1])) != cycle[0]:
            cycle.append(after)
        cycles.append(cycle)
    return cycles


def _runs(cycle: list[int], owner, nodes: np.ndarray) -> list[tuple[Kind, list[int]]]:
    """Straight stretches of an outline, open to the same side, with all nodes on them."""
    edges = _edges(cycle)
    behind = [owner.get((b, a), -1) for a, b in edges]
    step = np.array([nodes[b] - nodes[a] for a, b in edges])
    step /= np.hypot(*step.T)[:, None]
    before = np.roll(step, 1, axis=0)
    bends = np.abs(before[:, 0] * step[:, 1] - before[:, 1] * step[:, 0]) > 1e-3
    bends |= np.array(behind) != np.roll(behind, 1)
    starts = np.flatnonzero(bends).tolist()
    found: list[tuple[Kind, list[int]]] = []
    for k, first in enumerate(starts):
        end = starts[(k + 1) % len(starts)]
        n_edges = (end - first) % len(edges) or len(edges)
        run = [cycle[(first + i) % len(cycle)] for i in range(n_edges + 1)]
        found.append(("wall" if behind[first] < 0 else "closure", run))
    return found


def _upright(run: list[int], foot: np.ndarray, top: np.ndarray) -> np.ndarray:
    """The surface over a stretch, its outside on the right: along the foot, back along the roof."""
    return np.concatenate([foot[[run[0], run[-1]]], top[run[::-1]]])
