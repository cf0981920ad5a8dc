"""Walls and roofs of a city model that a building's walls may be taken from, and what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.citymodel_faults import surface_faults
from solarkataster.citymodels import CitySurface, measures, rings_of
from solarkataster.facades.city_match import surface_plan
from solarkataster.facades.city_tops import REACH_M, CityRoofs

#: Walls may lean so far from upright, and lie so far off their plane. [°, m]
MAX_LEAN_DEG, MAX_BEND_M = 10.0, REACH_M

#: So far before and behind a wall of an open solid it is asked where its building is. [m]
_BESIDE_M = 0.6

#: Roofs this steep have no height to speak of. [°]
_MAX_ROOF_TILT_DEG = 85.0


@dataclass(frozen=True, eq=False)
class CityWallEdges:
    """
    Walls of a building in a city model.

    Attributes
    ----------
    edges : ndarray, shape (n_edge, 8)
        As `kernels.city_tops.edge_envelopes` takes them, from the local origin.
    roofs : CityRoofs
    marks : tuple of str
        What is wrong with the building's walls, and what was done about it.
    """

    edges: np.ndarray
    roofs: CityRoofs
    marks: tuple[str, ...]


def city_wall_edges(
    surfaces: Sequence[CitySurface], footprint: shapely.Geometry, origin_m: np.ndarray
) -> CityWallEdges:
    """
    Outlines of the walls of a building that can be used, and its roofs.

    Parameters
    ----------
    surfaces : sequence of CitySurface
        All surfaces of the building: what faces inwards is told by the others.
    footprint : shapely geometry
        [m]
    origin_m : ndarray, shape (2,)
        Local origin. [m]

    Returns
    -------
    found : CityWallEdges
        Without walls that are there twice, lean, cross themselves or have no area. Walls that face
        inwards are turned round, and bent ones are taken as they are: their lines and heights are
        right. All of it is told.
    """
    walls, n_double = _once([s for s in surfaces if s.kind == "wall"])
    others = [surface for surface in surfaces if surface.kind != "wall"]
    # Surfaces of a part stand together, as surface_faults asks for.
    faults = surface_faults(sorted([*walls, *others], key=lambda s: s.solid))
    named: dict[str, set[tuple[str, str, str]]] = {}
    for fault in faults:
        key = (fault.building_id, fault.part_id, fault.surface_id)
        named.setdefault(fault.name, set()).add(key)
    keys = [(*wall.solid, wall.surface_id) for wall in walls]

    def has(name: str) -> np.ndarray:
        return np.array([key in named.get(name, ()) for key in keys], dtype=bool)

    size = measures(walls)
    is_small = has("no area") | has("too few points")
    leans = ~is_small & ~(np.abs(size.surface_tilt - 90.0) <= MAX_LEAN_DEG)
    is_bent, crosses = has("not planar"), has("self-intersecting")
    far_off = is_bent & ~(size.off_plane_m <= MAX_BEND_M)
    usable = ~(is_small | leans | crosses | far_off)
    out = size.normal[:, :2] / np.maximum(np.hypot(*size.normal[:, :2].T), 1e-9)[:, None]
    in_open = np.array([(*wall.solid, "") in named.get("open solid", ()) for wall in walls], bool)
    is_inside_out = usable & np.where(in_open, _faces_in(walls, out, footprint), has("inside out"))
    out = np.where(is_inside_out[:, None], -out, out)
    chosen = np.flatnonzero(usable)
    open_parts = [fault.detail for fault in faults if fault.name == "open solid"]
    counts: dict[str, int] = {
        "inside out, turned round": int(is_inside_out.sum()),
        "there twice, used once": n_double,
        f"leaning more than {MAX_LEAN_DEG:g}°, left out": int(leans.sum()),
        "without area, left out": int(is_small.sum()),
        "with an outline that crosses itself, left out": int((crosses & ~is_small & ~leans).sum()),
        f"bent more than {MAX_BEND_M:g} m, left out": int((far_off & ~leans & ~crosses).sum()),
        "not planar, taken all the same": int((is_bent & usable).sum()),
    }
    marks = [_counted(n, text) for text, n in counts.items() if n]
    if open_parts:
        marks.append(f"LoD2: walls and roofs do not close ({open_parts[0]})")
    return CityWallEdges(
        _edges([walls[k] for k in chosen], out[chosen], origin_m),
        roofs_of([surface for surface in others if surface.kind == "roof"], origin_m),
        tuple(marks),
    )


def _counted(n: int, text: str) -> str:
    return f"LoD2: {n} {'wall' if n == 1 else 'walls'} {text}"


def _once(walls: list[CitySurface]) -> tuple[list[CitySurface], int]:
    """Walls without those whose corners another wall of the same part has too."""
    seen: Counter[tuple] = Counter()
    kept = []
    for wall in walls:
        corners = sorted(map(tuple, np.round(wall.outer, 3).tolist()))
        key = (wall.solid, *corners)
        seen[key] += 1
        if seen[key] == 1:
            kept.append(wall)
    return kept, len(walls) - len(kept)


def _faces_in(walls: list[CitySurface], out: np.ndarray, footprint) -> np.ndarray:
    """Walls on the outline of a footprint that have it before them and nothing behind."""
    middle = np.array([wall.outer[:, :2].mean(axis=0) for wall in walls]).reshape(-1, 2)
    before, behind = middle + _BESIDE_M * out, middle - _BESIDE_M * out
    return shapely.contains_xy(footprint, *before.T) & ~shapely.contains_xy(footprint, *behind.T)


def _edges(walls: list[CitySurface], out: np.ndarray, origin_m: np.ndarray) -> np.ndarray:
    """Edges of the outer rings from the origin, (n_edge, 8); windows in walls are none."""
    if not walls:
        return np.zeros((0, 8))
    rings = rings_of(walls)
    of_point = rings.surface[rings.ring_of_point]
    shift = rings.origin - np.append(origin_m, 0.0)
    start, end = rings.xyz + shift[of_point], rings.following + shift[of_point]
    edges = np.concatenate([start, end, out[of_point]], axis=1)
    return np.ascontiguousarray(edges[rings.is_outer[rings.ring_of_point]])


def roofs_of(roofs: Sequence[CitySurface], origin_m: np.ndarray) -> CityRoofs:
    """Roof surfaces in plan from a local origin; upright ones and lines are none."""
    size = measures(roofs)
    polygons, planes = [], []
    for roof, normal, tilt in zip(roofs, size.normal, size.surface_tilt, strict=True):
        # Which way round a roof runs does not matter here.
        if not min(tilt, 180.0 - tilt) <= _MAX_ROOF_TILT_DEG:
            continue
        slope = -normal[:2] / normal[2]
        centre = roof.outer.mean(axis=0) - np.append(origin_m, 0.0)
        polygons.append(surface_plan(roof, origin_m))
        planes.append((*slope, centre[2] - slope @ centre[:2]))
    shapes = np.array(polygons, dtype=object)
    shapely.prepare(shapes)
    return CityRoofs(shapes, np.array(planes, dtype=np.float64).reshape(-1, 3))
