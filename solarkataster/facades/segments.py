"""Walls of a footprint: its sides, short ones merged, curved ones kept whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.kernels.wall_facets import group_sides
from solarkataster.roofs.sides import Sides, footprint_sides

#: A side shorter than this is no wall of its own: a jog, a pilaster, a cut corner. [m]
SHORT_M = 0.5

#: Three and more sides up to this long that bend the same way, up to so much each, are a curve.
#: [m, °]
CURVE_SIDE_M, CURVE_TURN_DEG = 2.5, 35.0

#: Two walls with a short side between them are one if they turn less than this. [°]
PARALLEL_DEG = 10.0

#: A curve is cut where it turns farther: one row of a table has one azimuth. [°]
WALL_TURN_DEG = 60.0

#: A chord of a curve turns no more than this, unless it were shorter than the length. [°, m]
CHORD_TURN_DEG, CHORD_M = 15.0, 0.75


@dataclass(frozen=True, eq=False)
class WallSegments:
    """
    Walls of one footprint, as groups of its straight sides.

    Attributes
    ----------
    sides : Sides
        All straight sides, in the order of the overhang's.
    origin_m : ndarray, shape (2,)
        Whole-metre origin of all local coordinates. [m]
    order : ndarray of int, shape (n_side,)
        The sides wall after wall, each wall from its start to its end.
    wall : ndarray of int, shape (n_side,)
        Wall of each side, 0 to n_wall − 1; numbered in reading order of their middles
        (northernmost, then westernmost).
    chord : ndarray of int, shape (n_side,)
        Straight stretch the side is sampled with, 0 to n_chord − 1; −1 for a short side that is
        lit like the rest of its wall.
    wall_of_chord : ndarray of int, shape (n_chord,)
    chord_azimuth, wall_azimuth : ndarray, shape (n_chord,) and (n_wall,)
        Outward, clockwise from grid north. [°]
    length_m : ndarray, shape (n_wall,)
        Along all sides of the wall. [m]
    is_courtyard : ndarray of bool, shape (n_wall,)
        Whether the wall looks into an inner ring.
    """

    sides: Sides
    origin_m: np.ndarray
    order: np.ndarray
    wall: np.ndarray
    chord: np.ndarray
    wall_of_chord: np.ndarray
    chord_azimuth: np.ndarray
    wall_azimuth: np.ndarray
    length_m: np.ndarray
    is_courtyard: np.ndarray

    def __len__(self) -> int:
        return len(self.wall_azimuth)

    @property
    def start(self) -> np.ndarray:
        """Start of each side from the local origin, (n_side, 2). [m]"""
        return self.sides.start - self.origin_m

    @property
    def end(self) -> np.ndarray:
        """End of each side from the local origin, (n_side, 2). [m]"""
        return self.sides.end - self.origin_m


def wall_segments(
    footprint: shapely.Polygon | shapely.MultiPolygon, *, short_m: float = SHORT_M
) -> WallSegments:
    """
    Walls of a footprint, courtyards included.

    Parameters
    ----------
    footprint : Polygon or MultiPolygon
        Valid. [m]
    short_m : float
        Shorter sides belong to the wall beside them. [m]

    Returns
    -------
    segments : WallSegments
        Every side belongs to exactly one wall.
    """
    sides = footprint_sides(footprint)
    origin_m = np.floor(np.array(footprint.bounds[:2]))
    start, end = sides.start - origin_m, sides.end - origin_m
    n = len(sides)
    wall, chord = np.empty(n, np.int64), np.empty(n, np.int64)
    order, is_inner, n_wall, n_chord = [], [], 0, 0
    for first, last in _rings(sides.following):
        part = np.s_[first:last]
        walls, chords, begin = group_sides(
            end[part] - start[part], short_m, CURVE_SIDE_M, math.radians(CURVE_TURN_DEG),
            math.radians(PARALLEL_DEG), math.radians(WALL_TURN_DEG),
            math.radians(CHORD_TURN_DEG), CHORD_M,
        )  # fmt: skip
        wall[part] = walls + n_wall
        chord[part] = np.where(chords >= 0, chords + n_chord, -1)
        order.append(first + (begin + np.arange(last - first)) % (last - first))
        x, y = (start[part] - start[first]).T
        doubled_m2 = float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
        is_inner += [doubled_m2 < 0.0] * (int(walls.max()) + 1)
        n_wall += int(walls.max()) + 1
        n_chord += int(chords.max()) + 1
    return _numbered(
        sides, origin_m, np.concatenate(order), wall, chord, n_wall, n_chord, np.array(is_inner)
    )


def _rings(following: np.ndarray) -> list[tuple[int, int]]:
    """First and one past the last side of each ring."""
    last = np.flatnonzero(following != np.arange(1, len(following) + 1)) + 1
    return list(zip([0, *last[:-1].tolist()], last.tolist(), strict=True))


def _numbered(sides, origin_m, order, wall, chord, n_wall, n_chord, is_inner) -> WallSegments:
    """Walls in reading order of their middles, with azimuths and lengths."""
    start, end = sides.start - origin_m, sides.end - origin_m
    along, length_m = end - start, sides.length_m
    total_m = np.bincount(wall, length_m, n_wall)
    middle = [np.bincount(wall, length_m * c, n_wall) / total_m for c in (0.5 * (start + end)).T]
    rank = np.lexsort((np.round(middle[0], 2), -np.round(middle[1], 2)))
    number = np.empty(n_wall, np.int64)
    number[rank] = np.arange(n_wall)
    walls = number[wall]
    sampled = chord >= 0
    chord_along = np.stack(
        [np.bincount(chord[sampled], c[sampled], n_chord) for c in along.T], axis=1
    )
    wall_of_chord = np.zeros(n_chord, np.int64)
    wall_of_chord[chord[sampled]] = walls[sampled]
    wall_along = np.stack([np.bincount(wall_of_chord, c, n_wall) for c in chord_along.T], axis=1)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    return WallSegments(
        sides=sides,
        origin_m=origin_m,
        order=np.lexsort((place, walls)),
        wall=walls,
        chord=chord,
        wall_of_chord=wall_of_chord,
        chord_azimuth=_outwards(chord_along),
        wall_azimuth=_outwards(wall_along),
        length_m=total_m[rank],
        is_courtyard=is_inner[rank],
    )


def _outwards(along: np.ndarray) -> np.ndarray:
    """Azimuth of the right-hand normal of vectors, 0 to 360. [°]"""
    azimuth = np.degrees(np.arctan2(along[:, 1], -along[:, 0])) % 360.0
    return np.where(azimuth >= 360.0, 0.0, azimuth)
