"""Walls for maps that can only raise plan areas: thin upright strips, storey by storey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.errors import InputError

#: A strip reaches so far outside its wall line, and inside, so that the body of the building
#: behind it does not show through. [m]
OUTSIDE_M, INSIDE_M = 0.2, 0.1

#: Height of the steps in which a sloping edge is drawn. [m]
STEP_M = 0.75

#: Smaller parts of a storey are not drawn. [m², m]
_LEAST_M2, _LEAST_M = 0.02, 0.02

#: What lies in a box but for this much is not cut. [m]
_WHOLE_M = 1e-9

#: Corners closer along the wall than this are one. [m]
_CORNER_M = 0.05

#: Consecutive corners closer than this to a straight line in plan bend nothing. [–]
_STRAIGHT = 1e-5


@dataclass(frozen=True, eq=False)
class Strips:
    """
    Strips of walls, in the order of walls and storeys.

    Attributes
    ----------
    wall, storey : ndarray of int64, shape (n,)
        Wall among those given, storey from 0 at the ground.
    base_m, top_m : ndarray, shape (n,)
        Lower and upper edge. [m]
    polygon : ndarray of shapely geometry, shape (n,)
        In plan, along the wall line. [m]
    stands_on_ground : ndarray of bool, shape (n,)
        Strips of the lowest storey whose lower edge is the foot of the wall.
    """

    wall: np.ndarray
    storey: np.ndarray
    base_m: np.ndarray
    top_m: np.ndarray
    polygon: np.ndarray
    stands_on_ground: np.ndarray

    def __len__(self) -> int:
        return len(self.wall)


def wall_lines(outlines: np.ndarray) -> np.ndarray:
    """
    Lines of walls in plan; outside lies on the right.

    Parameters
    ----------
    outlines : ndarray of shapely geometry, shape (n_wall,)
        Visible parts in space as of `Walls.rings`: along the lower edge, back along the top; None
        for walls of which nothing is seen. [m]

    Returns
    -------
    ndarray of shapely geometry, shape (n_wall,)
        LineStrings or MultiLineStrings of the visible parts; None likewise. [m]
    """
    unrolled = _Unrolled.of(outlines)
    wall, (at, _, ends) = unrolled.wall, unrolled.stretches()
    # Parts of a wall that meet differ in the last digits.
    straight = shapely.linestrings(np.round(ends, 6).reshape(-1, 2, 2))
    drawn, number = np.unique(wall[at], return_inverse=True)
    lines = np.empty(len(outlines), dtype=object)
    if len(drawn):
        joined = shapely.multilinestrings(straight, indices=number)
        lines[drawn] = shapely.line_merge(joined, directed=True)
    return lines


def storey_strips(
    outlines: np.ndarray,
    ground_m: np.ndarray,
    top_m: np.ndarray,
    storey_height_m: float,
    *,
    step_m: float = STEP_M,
) -> Strips:
    """
    Cut walls into storeys, and each storey into strips that are level above and below.

    Parameters
    ----------
    outlines : ndarray of shapely geometry, shape (n_wall,)
        As in :func:`wall_lines`. [m]
    ground_m, top_m : ndarray, shape (n_wall,)
        Mean terrain along each wall, its highest point. [m]
    storey_height_m : float
        Floor to floor; storeys are those of `receivers.wall_receivers`: less than half a storey at
        the top belongs to the one below it.
    step_m : float
        Height of the steps along gables. [m]

    Returns
    -------
    Strips
        Their areas sum to those of the walls but for the foot, which is level in the lowest storey.

    Raises
    ------
    InputError
        If a length is not positive.
    """
    for name, value in (("storey_height_m", storey_height_m), ("step_m", step_m)):
        if not value > 0.0:
            raise InputError(f"{name} = {value}", expected="a length above 0 m")
    chains = _Chains.of(outlines, np.asarray(ground_m) + storey_height_m)
    height_m = np.nan_to_num(np.asarray(top_m) - np.asarray(ground_m))
    n_storey = np.maximum(1, np.floor(height_m / storey_height_m + 0.5)).astype(np.int64)
    of_stretch = n_storey[chains.wall[chains.ring]]
    stretch = np.repeat(np.arange(len(of_stretch)), of_stretch)
    first = np.cumsum(of_stretch) - of_stretch
    storey = np.arange(len(stretch)) - first[stretch]
    ring = chains.ring[stretch]
    wall = chains.wall[ring]
    floor_m = np.asarray(ground_m)[wall] + storey * storey_height_m
    low_m = np.where(storey == 0, -np.inf, floor_m)
    high_m = np.where(storey == n_storey[wall] - 1, np.inf, floor_m + storey_height_m)
    face = np.where(storey == 0, chains.level_foot[ring], chains.face[ring])
    from_m, to_m = chains.along[stretch].T
    parts, at = _cut(face, from_m, to_m, low_m, high_m)
    parts, column_of = _columns(parts, step_m)
    at = at[column_of]
    s0, base_m, s1, _ = shapely.bounds(parts).T
    rise_m = shapely.area(parts) / (s1 - s0)
    found = Strips(
        wall=wall[at],
        storey=storey[at],
        base_m=base_m,
        top_m=base_m + rise_m,
        polygon=_plan(chains.ends[stretch[at]], chains.along[stretch[at]], s0, s1),
        stands_on_ground=(storey[at] == 0) & (base_m < floor_m[at] + 0.5 * storey_height_m),
    )
    order = np.lexsort((s0, stretch[at], found.storey, found.wall))
    return Strips(**{name: values[order] for name, values in vars(found).items()})


@dataclass(frozen=True, eq=False)
class _Chains:
    """
    Visible parts of walls unrolled: distance along the wall, height.

    ``face`` and ``level_foot`` (n_ring,) are polygons in these coordinates, the second with the
    foot at its lowest point; ``wall`` is theirs. Straight stretches in plan have a ``ring``
    (n,), distances ``along`` it (n, 2) and ``ends`` (n, 4) in plan.
    """

    wall: np.ndarray
    face: np.ndarray
    level_foot: np.ndarray
    ring: np.ndarray
    along: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, outlines: np.ndarray, below_m: np.ndarray) -> _Chains:
        """
        Unroll; the lower edge is the first half of a ring's way in plan, the top the second.

        Only a foot below a height of its wall is made level: a neighbour's roof is none.
        """
        unrolled = _Unrolled.of(outlines)
        xyz, ring, s, n = unrolled.xyz, unrolled.ring, unrolled.s, unrolled.n
        lowest_m = np.full(n, np.inf)
        np.minimum.at(lowest_m, ring, xyz[:, 2])
        is_foot = unrolled.is_foot & (xyz[:, 2] < below_m[unrolled.wall[ring]])
        level = np.where(is_foot, lowest_m[ring], xyz[:, 2])
        faces = shapely.polygons(shapely.linearrings(np.column_stack([s, xyz[:, 2]]), indices=ring))
        levels = shapely.polygons(shapely.linearrings(np.column_stack([s, level]), indices=ring))
        return cls(unrolled.wall, _valid(faces), _valid(levels), *unrolled.stretches())


@dataclass(frozen=True, eq=False)
class _Unrolled:
    """
    Rings of walls laid flat: ``wall`` of each of n rings; of each corner its place ``xyz``, its
    ``ring``, the distance ``s`` along the wall, whether it lies on the lower edge (``is_low``) or
    is a corner of the foot alone.
    """

    wall: np.ndarray
    xyz: np.ndarray
    ring: np.ndarray
    s: np.ndarray
    is_low: np.ndarray
    is_foot: np.ndarray

    @property
    def n(self) -> int:
        return len(self.wall)

    def stretches(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Straight stretches of the lower edges in plan."""
        return _stretches(self.xyz[:, :2], self.s, self.ring, self.is_low)

    @classmethod
    def of(cls, outlines: np.ndarray) -> _Unrolled:
        """The lower edge is the first half of a ring's way in plan, the top the second."""
        parts, wall = shapely.get_parts(np.asarray(outlines, dtype=object), return_index=True)
        rings = shapely.get_exterior_ring(parts)
        xyz, ring = shapely.get_coordinates(rings, include_z=True, return_index=True)
        step_m = np.zeros(len(xyz))
        step_m[1:] = np.hypot(*np.diff(xyz[:, :2], axis=0).T)
        step_m[1:][ring[1:] != ring[:-1]] = 0.0
        n = len(rings)
        gone_m = np.cumsum(step_m)
        first = np.searchsorted(ring, np.arange(n))
        gone_m -= gone_m[first][ring]
        half_m = 0.5 * np.bincount(ring, step_m, n)[ring]
        s = np.maximum(0.0, half_m - np.abs(half_m - gone_m))
        is_low = gone_m <= half_m + 1e-6
        # The first corner of the top stands over the last of the foot.
        is_over = gone_m >= half_m - 1e-6
        is_foot = ~is_over
        is_foot[1:] |= is_over[1:] & ~is_over[:-1] & (ring[1:] == ring[:-1])
        is_foot[np.append(first[1:], len(xyz))[:n] - 1] = True  # a ring ends where it began
        return cls(wall, xyz, ring, s, is_low, is_foot)


def _valid(faces: np.ndarray) -> np.ndarray:
    """Faces whose edges touch are made valid; the others stay as they are."""
    wrong = np.flatnonzero(~shapely.is_valid(faces))
    faces[wrong] = shapely.make_valid(faces[wrong])
    return faces


def _stretches(xy, s, ring, is_low) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Straight stretches of the lower edges in plan: ring, distances along it, ends."""
    at = np.flatnonzero(is_low[1:] & is_low[:-1] & (ring[1:] == ring[:-1]))
    at = at[s[at + 1] - s[at] > 1e-6]
    along = (xy[at + 1] - xy[at]) / (s[at + 1] - s[at])[:, None]
    bends = np.ones(len(at), dtype=bool)
    same = ring[at[1:]] == ring[at[:-1]]
    bends[1:] = ~(same & ((along[1:] * along[:-1]).sum(axis=1) > 1.0 - _STRAIGHT))
    begins = np.flatnonzero(bends)
    ends = np.append(begins[1:], len(at))[: len(begins)] - 1
    start, finish = at[begins], at[ends] + 1
    distances = np.column_stack([s[start], s[finish]])
    return ring[start], distances, np.column_stack([xy[start], xy[finish]])


def _cut(face, s0, s1, low_m, high_m) -> tuple[np.ndarray, np.ndarray]:
    """Polygons of faces inside of boxes, and the number of the face each comes from."""
    west, south, east, north = shapely.bounds(face).T
    low_m, high_m = np.maximum(low_m, south - 1.0), np.minimum(high_m, north + 1.0)
    is_whole = (s0 <= west + _WHOLE_M) & (s1 >= east - _WHOLE_M)
    is_whole &= (low_m <= south) & (high_m >= north)
    is_there = (high_m > low_m) & (high_m > south) & (low_m < north)
    cut: np.ndarray = np.full(len(face), None, dtype=object)
    cut[is_whole] = face[is_whole]
    at = np.flatnonzero(is_there & ~is_whole)
    boxes = shapely.box(s0[at], low_m[at], s1[at], high_m[at])
    cut[at] = shapely.intersection(face[at], boxes)
    parts, index = shapely.get_parts(cut, return_index=True)
    # A part of a collection may be one itself where edges touch.
    inner, again = shapely.get_parts(parts, return_index=True)
    return _sizeable(inner, index[again])


def _sizeable(parts, index) -> tuple[np.ndarray, np.ndarray]:
    """Polygons that can be seen."""
    west, _, east, _ = shapely.bounds(parts).T
    kept = (shapely.area(parts) > _LEAST_M2) & (east - west > _LEAST_M)
    return parts[kept], index[kept]


def _columns(parts, step_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Cut parts with a sloping edge into columns; which part each comes from."""
    pieces, part = _between_corners(parts, _missing(parts) > 0.2 * step_m)
    # What is missing of a rectangle under one straight slope is half of its rise.
    rise_m = 2.0 * _missing(pieces)
    n = np.where(rise_m < 0.5 * step_m, 1, np.ceil(rise_m / step_m)).astype(np.int64)
    piece = np.repeat(np.arange(len(pieces)), n)
    k = np.arange(len(piece)) - (np.cumsum(n) - n)[piece]
    s0, low_m, s1, high_m = shapely.bounds(pieces).T
    width_m = ((s1 - s0) / n)[piece]
    left = s0[piece] + k * width_m
    cut, index = _cut(pieces[piece], left, left + width_m, low_m[piece], high_m[piece])
    return cut, part[piece[index]]


def _missing(parts) -> np.ndarray:
    """What parts lack of the rectangle around them, per metre of length. [m]"""
    s0, low_m, s1, high_m = shapely.bounds(parts).T
    return (high_m - low_m) - shapely.area(parts) / (s1 - s0)


def _between_corners(parts, is_sloping) -> tuple[np.ndarray, np.ndarray]:
    """Parts, cut above and below their corners where they slope; which part each comes from."""
    s0, low_m, s1, high_m = shapely.bounds(parts).T
    xy, part = shapely.get_coordinates(parts, return_index=True)
    is_inner = is_sloping[part] & (xy[:, 0] > s0[part] + _CORNER_M)
    is_inner &= xy[:, 0] < s1[part] - _CORNER_M
    s = np.concatenate([s0, xy[is_inner, 0], s1])
    part = np.concatenate([np.arange(len(parts)), part[is_inner], np.arange(len(parts))])
    order = np.lexsort((s, part))
    s, part = s[order], part[order]
    follows = np.zeros(len(s), dtype=bool)
    follows[1:] = (part[1:] == part[:-1]) & (np.diff(s) < _CORNER_M)
    s, part = s[~follows], part[~follows]
    at = np.flatnonzero(part[1:] == part[:-1])
    left, right, part = s[at], s[at + 1], part[at]
    cut, index = _cut(parts[part], left, right, low_m[part], high_m[part])
    return cut, part[index]


def _plan(ends, along, s0, s1) -> np.ndarray:
    """Quadrilaterals along stretches between two distances."""
    length_m = (along[:, 1] - along[:, 0])[:, None]
    way = (ends[:, 2:] - ends[:, :2]) / length_m
    right = np.column_stack([way[:, 1], -way[:, 0]])
    begin = ends[:, :2] + (s0 - along[:, 0])[:, None] * way
    finish = ends[:, :2] + (s1 - along[:, 0])[:, None] * way
    out, inner = OUTSIDE_M * right, -INSIDE_M * right
    corners = np.stack([begin + out, finish + out, finish + inner, begin + inner], axis=1)
    return shapely.polygons(corners)
