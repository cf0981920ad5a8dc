"""Exact roofs: a building is the upper envelope of parts, a part the lower envelope of planes.

A gable is the minimum of two planes over a rectangle, a hip of four; an L-shaped roof with its
valleys, a dormer or a chimney is the maximum of several such parts. So one rule gives the exact
height at any point and, by clipping half-planes, the exact outline of every roof plane. Terraces
alone are sunk: their floor is the top wherever they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import shapely

Role = Literal["roof", "dormer", "chimney", "lift housing", "terrace", "parapet"]
#: What stands on roofs without being a plane that could carry modules.
NOT_PLANES = ("chimney", "parapet")


@dataclass(frozen=True, slots=True)
class Slope:
    """A plane over a part: elevation at the part's centre and rise per metre. [m, –]"""

    along: float
    across: float
    elevation_m: float


@dataclass(frozen=True, slots=True)
class Part:
    """
    A rectangle with a roof that is the minimum of its slopes.

    Parameters
    ----------
    easting_m, northing_m : float
        Centre of the rectangle. [m]
    rotation_rad : float
        From east to the rectangle's length axis, counterclockwise. [rad]
    length_m, width_m : float
        Along and across the length axis. [m]
    slopes : tuple of Slope
    role : str
        What the part is: ``roof``, ``dormer``, ``chimney``, ``lift housing``, ``parapet``, or
        ``terrace``, which is sunk into the parts around it.
    overhang_m : tuple of float
        How far the roof reaches beyond the rectangle, which is the walls, in this order: at the
        start and the end of the length axis, right and left of it. [m]
    """

    easting_m: float
    northing_m: float
    rotation_rad: float
    length_m: float
    width_m: float
    slopes: tuple[Slope, ...]
    role: Role = "roof"
    overhang_m: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @property
    def corners(self) -> np.ndarray:
        """Corners of the walls, counterclockwise, shape (4, 2): easting, northing. [m]"""
        along = np.array([-0.5, 0.5, 0.5, -0.5]) * self.length_m
        across = np.array([-0.5, -0.5, 0.5, 0.5]) * self.width_m
        return np.column_stack(self.place(along, across))

    @property
    def roof_corners(self) -> np.ndarray:
        """Corners of the roof, overhang included, as `corners`. [m]"""
        back_m, front_m, right_m, left_m = self.reach_m
        along = np.array([-back_m, front_m, front_m, -back_m])
        across = np.array([-right_m, -right_m, left_m, left_m])
        return np.column_stack(self.place(along, across))

    @property
    def reach_m(self) -> tuple[float, float, float, float]:
        """From the centre to the roof's four edges, in the order of ``overhang_m``. [m]"""
        back_m, front_m, right_m, left_m = self.overhang_m
        half_length_m, half_width_m = self.length_m / 2, self.width_m / 2
        return (
            half_length_m + back_m, half_length_m + front_m,
            half_width_m + right_m, half_width_m + left_m,
        )  # fmt: skip

    def place(self, along_m, across_m):
        """Easting and northing of a point given along and across the length axis. [m]"""
        cos, sin = math.cos(self.rotation_rad), math.sin(self.rotation_rad)
        return (
            self.easting_m + along_m * cos - across_m * sin,
            self.northing_m + along_m * sin + across_m * cos,
        )

    def part(
        self, along_m, across_m, length_m, width_m, slopes, *, turned=False, role: Role = "roof"
    ) -> Part:
        """Another rectangle in this one's frame, its slopes given about its own centre."""
        easting_m, northing_m = self.place(along_m, across_m)
        rotation_rad = self.rotation_rad + (math.pi / 2 if turned else 0.0)
        return Part(easting_m, northing_m, rotation_rad, length_m, width_m, slopes, role)

    def gradients(self) -> list[tuple[float, float, float]]:
        """Per slope: rise towards east, rise towards north, elevation at the centre."""
        cos, sin = math.cos(self.rotation_rad), math.sin(self.rotation_rad)
        return [
            (s.along * cos - s.across * sin, s.along * sin + s.across * cos, s.elevation_m)
            for s in self.slopes
        ]

    def top(self, easting_m, northing_m) -> tuple[np.ndarray, np.ndarray]:
        """Height of the part's roof at points, −inf beside it [m], and which slope it is there."""
        cos, sin = math.cos(self.rotation_rad), math.sin(self.rotation_rad)
        east_m = np.asarray(easting_m, dtype=np.float64) - self.easting_m
        north_m = np.asarray(northing_m, dtype=np.float64) - self.northing_m
        along_m = east_m * cos + north_m * sin
        across_m = north_m * cos - east_m * sin
        back_m, front_m, right_m, left_m = self.reach_m
        inside = (
            (along_m >= -back_m)
            & (along_m <= front_m)
            & (across_m >= -right_m)
            & (across_m <= left_m)
        )
        lowest_m = np.where(inside, np.inf, -np.inf)
        lowest = np.zeros(lowest_m.shape, dtype=np.int32)
        for k, slope in enumerate(self.slopes):
            plane_m = slope.elevation_m + slope.along * along_m + slope.across * across_m
            lower = plane_m < lowest_m
            lowest_m = np.where(lower, plane_m, lowest_m)
            lowest[lower] = k
        return lowest_m, lowest

    def elevation_m(self, easting_m, northing_m) -> np.ndarray:
        """Height of the part's roof at points, −inf beside it. [m]"""
        return self.top(easting_m, northing_m)[0]


@dataclass(frozen=True)
class Building:
    """
    A building of the town with its exact roof.

    Parameters
    ----------
    building_id : str
    kind : str
        ``gable``, ``hip``, ``flat``, ``shed``, ``l_shape``, ``courtyard``, ``tower`` or ``church``.
    parts : tuple of Part
        The roof is the maximum of them; terraces are sunk into it.
    footprint : shapely Polygon
        Plan of the walls under the parts with role ``roof``, in the town's coordinate system.
    ground_elevation_m : float
        Terrain at the building's centre. [m]
    function : str
        ALKIS code of the building's function.
    name : str or None
    """

    building_id: str
    kind: str
    parts: tuple[Part, ...]
    footprint: shapely.Polygon
    ground_elevation_m: float
    function: str = "31001_1000"
    name: str | None = None

    def elevation_m(self, easting_m, northing_m) -> np.ndarray:
        """Exact height of the building at points, −inf beside it. [m]"""
        standing = [part for part in self.parts if part.role != "terrace"]
        top_m = np.max([part.elevation_m(easting_m, northing_m) for part in standing], axis=0)
        for part in self.parts:
            if part.role == "terrace":
                floor_m = part.elevation_m(easting_m, northing_m)
                top_m = np.where(floor_m > -np.inf, floor_m, top_m)
        return top_m

    @cached_property
    def roof_outline(self) -> shapely.Polygon:
        """Plan of the roof: the footprint and its overhangs."""
        return _union([part.roof_corners for part in self.parts if part.role == "roof"])


def footprint_of(parts: list[Part] | tuple[Part, ...]) -> shapely.Polygon:
    """Plan of the walls that carry the roof."""
    return _union([part.corners for part in parts if part.role == "roof"])


def _union(rectangles: list[np.ndarray]) -> shapely.Polygon:
    plans = [shapely.Polygon(corners) for corners in rectangles]
    return plans[0] if len(plans) == 1 else shapely.union_all(plans).normalize()


def flat_slopes(elevation_m: float) -> tuple[Slope, ...]:
    """One level plane."""
    return (Slope(0.0, 0.0, elevation_m),)


def shed_slopes(eaves_m: float, width_m: float, tilt_deg: float) -> tuple[Slope, ...]:
    """One plane, low on the left of the length axis."""
    rise = math.tan(math.radians(tilt_deg))
    return (Slope(0.0, -rise, eaves_m + rise * width_m / 2),)


def gable_slopes(eaves_m: float, width_m: float, tilt_deg: float) -> tuple[Slope, ...]:
    """Two planes that meet in a ridge along the length axis."""
    rise = math.tan(math.radians(tilt_deg))
    ridge_m = eaves_m + rise * width_m / 2
    return Slope(0.0, -rise, ridge_m), Slope(0.0, rise, ridge_m)


def hip_slopes(
    eaves_m: float, length_m: float, width_m: float, tilt_deg: float
) -> tuple[Slope, ...]:
    """Four planes of one tilt; a pyramid if length and width agree."""
    rise = math.tan(math.radians(tilt_deg))
    end_m = eaves_m + rise * length_m / 2
    ends = Slope(-rise, 0.0, end_m), Slope(rise, 0.0, end_m)
    return (*gable_slopes(eaves_m, width_m, tilt_deg), *ends)


def shed_dormer(
    body: Part, along_m: float, side: int, width_m: float, setback_m: float, front_m: float
) -> Part:
    """
    A dormer with one flat-tilted plane on a gable's or hip's long slope.

    Parameters
    ----------
    body : Part
        Gable or hip; its first two slopes are the long ones.
    along_m : float
        Place of the dormer's middle along the ridge. [m]
    side : int
        +1 or −1: the slope it stands on, left or right of the length axis.
    width_m, setback_m, front_m : float
        Width, distance of the front from the eaves, height of the front. [m]
    """
    main_rise = abs(body.slopes[0].across)
    rise = math.tan(math.radians(7.0))
    depth_m = front_m / (main_rise - rise)
    foot_m = body.slopes[0].elevation_m - main_rise * (body.width_m / 2 - setback_m)
    across_m = side * (body.width_m / 2 - setback_m - depth_m / 2)
    slope = Slope(0.0, -side * rise, foot_m + front_m + rise * depth_m / 2)
    return body.part(along_m, across_m, width_m, depth_m, (slope,), role="dormer")


def gable_dormer(
    body: Part, along_m: float, side: int, width_m: float, setback_m: float, front_m: float
) -> Part:
    """A dormer with two planes, its ridge across the main ridge; parameters as `shed_dormer`."""
    main_rise = abs(body.slopes[0].across)
    rise = math.tan(math.radians(40.0))
    top_m = front_m + rise * width_m / 2
    depth_m = top_m / main_rise
    foot_m = body.slopes[0].elevation_m - main_rise * (body.width_m / 2 - setback_m)
    across_m = side * (body.width_m / 2 - setback_m - depth_m / 2)
    slopes = Slope(rise, 0.0, foot_m + top_m), Slope(-rise, 0.0, foot_m + top_m)
    return body.part(along_m, across_m, width_m, depth_m, slopes, role="dormer")


def chimney(body: Part, along_m: float, across_m: float, size_m: float, top_m: float) -> Part:
    """A square stack whose top has the elevation ``top_m``."""
    return body.part(along_m, across_m, size_m, size_m, flat_slopes(top_m), role="chimney")
