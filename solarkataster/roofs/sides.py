"""Straight sides of a footprint: its walls, each with the outside on the right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.kernels.eaves import mark_corners

#: Vertices this near to the straight line between two corners are no corners: survey points in a
#: wall, not bends. [m]
STRAIGHT_M = 0.03


@dataclass(frozen=True, eq=False)
class Sides:
    """
    Sides of a footprint, ring after ring.

    Attributes
    ----------
    start, end : ndarray, shape (n_side, 2)
        Easting and northing; outside lies on the right of start → end. [m]
    following : ndarray of int, shape (n_side,)
        The side that starts where this one ends.
    is_convex : ndarray of bool, shape (n_side,)
        Whether the corner at the end sticks out of the building (less than 180° inside).
    paths : list of ndarray, shape (n_point, 2)
        All vertices along each side, first and last included. [m]
    """

    start: np.ndarray
    end: np.ndarray
    following: np.ndarray
    is_convex: np.ndarray
    paths: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.start)

    @property
    def length_m(self) -> np.ndarray:
        """Length of each side, shape (n_side,). [m]"""
        return np.hypot(*(self.end - self.start).T)

    @property
    def along(self) -> np.ndarray:
        """Unit vectors from start to end, (n_side, 2)."""
        return (self.end - self.start) / self.length_m[:, None]

    @property
    def outwards(self) -> np.ndarray:
        """Unit normals that point out of the building, (n_side, 2)."""
        along = self.along
        return np.stack([along[:, 1], -along[:, 0]], axis=1)

    @property
    def preceding(self) -> np.ndarray:
        """The side that ends where this one starts, (n_side,)."""
        preceding = np.empty(len(self), dtype=np.int64)
        preceding[self.following] = np.arange(len(self))
        return preceding


def footprint_sides(footprint: shapely.Polygon | shapely.MultiPolygon) -> Sides:
    """
    Straight stretches of a footprint's rings.

    Parameters
    ----------
    footprint : Polygon or MultiPolygon
        Valid. [m]

    Returns
    -------
    sides : Sides
        Vertices within 3 cm of a straight line between corners are passed over. Exterior rings run
        counter-clockwise and interior rings clockwise.
    """
    start: list[np.ndarray] = []
    end: list[np.ndarray] = []
    following: list[int] = []
    paths: list[np.ndarray] = []
    for polygon in shapely.get_parts(footprint):
        for ring in shapely.get_rings(shapely.orient_polygons(polygon)):
            xy = shapely.get_coordinates(ring)
            xy = xy[:-1][(np.diff(xy, axis=0) != 0.0).any(axis=1)]
            corners = np.flatnonzero(mark_corners(xy - xy[0], STRAIGHT_M))
            first = len(start)
            for i, j in zip(corners, np.roll(corners, -1), strict=True):
                path = xy[np.arange(i, j + 1 if j > i else j + 1 + len(xy)) % len(xy)]
                start.append(path[0])
                end.append(path[-1])
                paths.append(path)
            following += [*range(first + 1, len(start)), first]
    starts, ends, after = np.array(start), np.array(end), np.array(following)
    along, turned = ends - starts, (ends - starts)[after]
    is_convex = along[:, 0] * turned[:, 1] - along[:, 1] * turned[:, 0] > 0.0
    return Sides(starts, ends, after, is_convex, paths)
