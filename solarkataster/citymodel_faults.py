"""What is wrong with the surfaces of a city model: each by itself, and together as solids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from solarkataster.citymodels import (
    CitySurface,
    FaultName,
    Measures,
    SurfaceFault,
    measures,
    rings_of,
)

#: Points may lie this far off the plane of their surface: surveys write centimetres. [m]
MAX_OFF_PLANE_M = 0.05
#: Surfaces smaller or narrower than this have no direction to speak of. [m², m]
MIN_AREA_M2, MIN_WIDTH_M = 1e-3, 0.01
#: A solid is open if the areas of its surfaces, as vectors, add up to more than this share of
#: their sum, or than this: slits of a centimetre in height. [–, m²]
MAX_GAP_FRACTION, MAX_GAP_M2 = 1e-3, 0.1
#: How far before and behind a surface it is asked whether a point is in the building. [m]
_STEP_M = 0.01
#: Points and edges compared at a time: bounds the memory of a cathedral. [–]
_MAX_PAIRS = 1_000_000
#: Surfaces with less of their normal upwards are upright: no ray upwards meets them. [–]
_UPRIGHT = 1e-3


def surface_faults(surfaces: Sequence[CitySurface]) -> list[SurfaceFault]:
    """
    What is wrong with surfaces, each by itself and together as solids.

    Parameters
    ----------
    surfaces : sequence of CitySurface
        Whole parts: whether a surface is inside out is told by the others of its part.

    Returns
    -------
    list of SurfaceFault
        In the order of the surfaces, those of whole parts at the end. A surface with fewer than
        three points or no area is asked nothing further; one in an open solid is not asked
        whether it is inside out. Walls that lie on each other within one part, as between boxes
        set together, leave that open: once one of them is turned, the part is an open solid.
    """
    if not len(surfaces):
        return []
    found = measures(surfaces)
    n_points = np.array([min(map(len, (s.outer, *s.holes))) for s in surfaces])
    width_m = _widths_m(surfaces, found.area_m2)
    is_small = ~((found.area_m2 >= MIN_AREA_M2) & (width_m >= MIN_WIDTH_M))
    is_bent = ~is_small & (found.off_plane_m > MAX_OFF_PLANE_M)
    crossing = _crossings(surfaces, found.normal, ~is_small)
    inside_out, open_parts = _inside_out(surfaces, found)
    inside_out &= ~is_small
    faults: list[SurfaceFault] = []
    for i, surface in enumerate(surfaces):
        named: list[tuple[FaultName, str]] = []
        if n_points[i] < 3:
            named.append(("too few points", f"{n_points[i]} points"))
        elif is_small[i]:
            named.append(("no area", f"{found.area_m2[i]:.2g} m², {1e3 * width_m[i]:.2g} mm wide"))
        if is_bent[i]:
            named.append(("not planar", f"a point is {found.off_plane_m[i]:.2f} m off"))
        if crossing[i]:
            named.append(("self-intersecting", crossing[i]))
        if inside_out[i]:
            named.append(("inside out", f"{surface.kind} faces into its building"))
        faults += [SurfaceFault(*surface.solid, surface.surface_id, *text) for text in named]
    return faults + open_parts


def _widths_m(surfaces: Sequence[CitySurface], area_m2: np.ndarray) -> np.ndarray:
    """Area by longest edge: how wide a surface is, shape (n_surface,). [m]"""
    rings = rings_of(surfaces)
    longest = _longest(rings.following - rings.xyz, rings.surface[rings.ring_of_point])
    return area_m2 / np.maximum(np.linalg.norm(longest, axis=1), 1e-9)


def _crossings(surfaces, normal: np.ndarray, which: np.ndarray) -> list[str]:
    """Why a surface's rings cross or overlap, as GEOS says it; empty if they do not."""
    reasons = [""] * len(surfaces)
    at = [i for i in np.flatnonzero(which) if _may_be_ring(surfaces[i])]
    if not at:
        return reasons
    chosen = [surfaces[i] for i in at]
    rings = rings_of(chosen)
    # In the two axes that the surface is seen best in; a map that is one to one in its plane.
    drop = np.argmax(np.abs(normal[at]), axis=1)
    keep = np.array([[1, 2], [0, 2], [0, 1]])[drop][rings.surface[rings.ring_of_point]]
    flat = np.take_along_axis(rings.xyz, keep, axis=1)
    lines = shapely.linearrings(flat, indices=rings.ring_of_point)
    shells, holes = lines[rings.is_outer], lines[~rings.is_outer]
    polygons = shapely.polygons(shells)
    for i in np.unique(rings.surface[~rings.is_outer]):
        polygons[i] = shapely.polygons(shells[i], holes[rings.surface[~rings.is_outer] == i])
    for k in np.flatnonzero(~shapely.is_valid(polygons)):
        reasons[at[k]] = str(shapely.is_valid_reason(polygons[k])).split("[")[0].strip()
    return reasons


def _may_be_ring(surface: CitySurface) -> bool:
    return min(map(len, (surface.outer, *surface.holes))) >= 3


def _inside_out(
    surfaces: Sequence[CitySurface], found: Measures
) -> tuple[np.ndarray, list[SurfaceFault]]:
    """Which surfaces of closed solids face inwards, and the solids that are open."""
    is_wrong = np.zeros(len(surfaces), dtype=bool)
    faults: list[SurfaceFault] = []
    members: dict[tuple[str, str], list[int]] = {}
    for i, surface in enumerate(surfaces):
        if not np.isnan(found.normal[i, 0]):
            members.setdefault(surface.solid, []).append(i)
    points = inner_points(surfaces)
    step = _STEP_M * found.normal
    for solid, at in members.items():
        chosen = [surfaces[i] for i in at]
        normal = found.normal[at]
        sides = np.concatenate([points[at] + step[at], points[at] - step[at]])
        before, behind = _is_inside(chosen, sides, normal).reshape(2, -1)
        wrong = before & ~behind
        # Turned as they should be, areas of a closed solid cancel out.
        vectors = found.area_m2[at, None] * normal * np.where(wrong, -1.0, 1.0)[:, None]
        total_m2, gap_m2 = found.area_m2[at].sum(), float(np.linalg.norm(vectors.sum(axis=0)))
        if gap_m2 > max(MAX_GAP_FRACTION * total_m2, MAX_GAP_M2):
            detail = f"{gap_m2:.1f} of {total_m2:.1f} m² have no surface opposite"
            faults.append(SurfaceFault(*solid, "", "open solid", detail))
        else:
            is_wrong[at] = wrong
    return is_wrong, faults


def _is_inside(
    surfaces: Sequence[CitySurface], points: np.ndarray, normal: np.ndarray
) -> np.ndarray:
    """
    Whether points are in the solid that surfaces enclose.

    A ray upwards leaves a solid as often as it enters it, less once if it starts inside; which
    way its surfaces face does not matter.
    """
    rings = rings_of(surfaces)
    shift = rings.origin - rings.origin[0]
    of_edge = rings.surface[rings.ring_of_point]
    lies = np.abs(normal[:, 2]) > _UPRIGHT
    edges = lies[of_edge]
    start = (rings.xyz + shift[of_edge])[edges]
    end = (rings.following + shift[of_edge])[edges]
    eye = points - rings.origin[0]
    n_eyes = max(1, _MAX_PAIRS // max(1, len(start)))
    counts = [
        _crossings_above(eye[k : k + n_eyes], start, end, of_edge[edges], shift, normal)
        for k in range(0, len(eye), n_eyes)
    ]
    return np.concatenate(counts) % 2 > 0


def _crossings_above(eye, start, end, edge_surface, foot, normal) -> np.ndarray:
    """How many lying surfaces are above each point, shape (n_eye,)."""
    if not len(start):
        return np.zeros(len(eye), dtype=np.int64)
    # From south to north, so that both neighbours of an edge compute the same crossing.
    swap = start[:, 1] > end[:, 1]
    low, high = np.where(swap[:, None], end, start), np.where(swap[:, None], start, end)
    spans = (low[None, :, 1] <= eye[:, None, 1]) & (eye[:, None, 1] < high[None, :, 1])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = (eye[:, None, 1] - low[None, :, 1]) / (high[:, 1] - low[:, 1])
        cross_x = low[:, 0] + share * (high[:, 0] - low[:, 0])
    passed = spans & (eye[:, None, 0] < cross_x)
    columns, first = np.unique(edge_surface, return_index=True)
    within = np.add.reduceat(passed, first, axis=1, dtype=np.int64) % 2 > 0
    offset = eye[:, None, :2] - foot[None, columns, :2]
    plane_m = foot[columns, 2] - (
        np.einsum("ijk,jk->ij", offset, normal[columns, :2]) / normal[columns, 2]
    )
    return np.count_nonzero(within & (plane_m > eye[:, None, 2]), axis=1)


def inner_points(surfaces: Sequence[CitySurface]) -> np.ndarray:
    """
    A point well within each surface and off its axes of symmetry, shape (n_surface, 3). [m]

    On a line along the surface's longest edge, within the widest stretch between two crossings
    with the rings; where the rings cross nothing, the middle of the points.
    """
    rings = rings_of(surfaces)
    of_edge = rings.surface[rings.ring_of_point]
    first = np.searchsorted(of_edge, np.arange(len(surfaces)))
    start, end = rings.xyz, rings.following
    vector = np.add.reduceat(np.cross(start, end), first, axis=0)
    along = _longest(end - start, of_edge)
    across = np.cross(vector, along)[of_edge]
    level, place = (np.einsum("ij,ij->i", points, across) for points in (start, end))
    low, high = np.minimum.reduceat(level, first), np.maximum.reduceat(level, first)
    cut = (low + 0.437 * (high - low))[of_edge]  # no corner of a drawn house is there
    hit = np.flatnonzero((level <= cut) != (place <= cut))
    with np.errstate(over="ignore"):  # of lines, which are no surfaces
        share = (cut[hit] - level[hit]) / (place[hit] - level[hit])
    points = start[hit] + share[:, None] * (end[hit] - start[hit])
    owner = of_edge[hit]
    order = np.lexsort((np.einsum("ij,ij->i", points, along[owner]), owner))
    points, owner = points[order], owner[order]
    # Rings are closed, so each surface is entered as often as it is left.
    enter, leave, owner = points[0::2], points[1::2], owner[0::2]
    widest = np.full(len(surfaces), -1)
    by_width = np.argsort(np.linalg.norm(leave - enter, axis=1), kind="stable")
    widest[owner[by_width]] = by_width
    counts = np.diff(np.append(first, len(start)))
    inner = np.add.reduceat(start, first, axis=0) / counts[:, None]
    is_hit = widest >= 0
    inner[is_hit] = 0.563 * enter[widest[is_hit]] + 0.437 * leave[widest[is_hit]]
    return rings.origin + inner


def _longest(vectors: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """The longest vector of each owner, the last of equals, shape (n_owner, 3)."""
    order = np.lexsort((np.einsum("ij,ij->i", vectors, vectors), owner))
    return vectors[order[np.append(np.flatnonzero(np.diff(owner[order])), len(order) - 1)]]
