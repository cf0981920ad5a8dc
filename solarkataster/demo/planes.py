"""The true roof planes: outline, tilt, azimuth and area of what is on top, by exact clipping."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.demo.roofshapes import NOT_PLANES, Building, Part

#: Slivers that two rectangles leave through rounding. [m²]
_SLIVER_M2 = 1e-4


@dataclass(frozen=True, slots=True)
class TruePlane:
    """
    A connected piece of roof in one plane.

    Parameters
    ----------
    building_id : str
    role : str
        ``roof``, ``dormer``, ``lift housing`` (its top) or ``terrace`` (its floor). Chimneys and
        parapets are no planes and cut no holes.
    polygon : shapely Polygon
        Plan view in the town's coordinate system.
    slope_east, slope_north : float
        Rise per metre towards grid east and grid north. [–]
    elevation_m : float
        Height of the plane at the centroid of the polygon. [m]
    """

    building_id: str
    role: str
    polygon: shapely.Polygon
    slope_east: float
    slope_north: float
    elevation_m: float

    @property
    def surface_tilt(self) -> float:
        """Tilt from the horizontal. [°]"""
        return math.degrees(math.atan(math.hypot(self.slope_east, self.slope_north)))

    @property
    def grid_azimuth(self) -> float:
        """Downhill direction clockwise from grid north, NaN if level. [°]"""
        if math.hypot(self.slope_east, self.slope_north) < 1e-9:
            return math.nan
        return math.degrees(math.atan2(-self.slope_east, -self.slope_north)) % 360.0

    @property
    def plan_area_m2(self) -> float:
        """Area in plan. [m²]"""
        return self.polygon.area

    @property
    def area_m2(self) -> float:
        """Inclined area. [m²]"""
        return self.plan_area_m2 * math.hypot(1.0, math.hypot(self.slope_east, self.slope_north))


@dataclass(frozen=True, slots=True)
class Face:
    """One plane of one part in metres from the building's anchor, cut to where it is lowest."""

    part: int
    role: str
    polygon: shapely.Polygon
    plane: tuple[float, float, float]


def true_planes(buildings: list[Building]) -> list[TruePlane]:
    """True planes of all buildings, in the order of buildings, parts and slopes."""
    return [plane for building in buildings for plane in planes_of(building)]


def planes_of(building: Building) -> list[TruePlane]:
    """
    True planes of one building.

    Each face is first clipped to where it is the lowest of its part, then loses the area
    where a face of another part is higher (of equal ones the earlier part keeps it) or a terrace is
    sunk into it. Faces in one plane that touch are one plane; pieces that do not touch are several.
    """
    anchor = anchor_of(building)
    parts = [part for part in building.parts if part.role not in NOT_PLANES]
    groups: dict[tuple, list] = {}
    for face, polygon in visible_faces(parts, anchor):
        key = (face.role, *np.round(face.plane, 7))
        groups.setdefault(key, []).append((face, polygon))
    planes = []
    for members in groups.values():
        first = members[0][0]
        shapes = [shape for _, shape in members]
        merged = shapes[0] if len(shapes) == 1 else shapely.union_all(shapes, grid_size=1e-6)
        for piece in shapely.get_parts(merged):
            if piece.geom_type == "Polygon" and piece.area > _SLIVER_M2:
                planes.append(_true_plane(building.building_id, first, piece, anchor))
    return planes


def anchor_of(building: Building) -> tuple[float, float]:
    """Point near a building: far from the origin, products of coordinates lose digits. [m]"""
    return building.parts[0].easting_m, building.parts[0].northing_m


def visible_faces(parts: list[Part], anchor) -> list[tuple[Face, shapely.Geometry]]:
    """The faces of parts and where each is on top, in metres from an anchor."""
    faces = [face for i, part in enumerate(parts) for face in _faces(i, part, anchor)]
    tops = [(face, _visible(face, faces)) for face in faces]
    return [(face, polygon) for face, polygon in tops if polygon.area > _SLIVER_M2]


def _faces(i_part: int, part: Part, anchor) -> list[Face]:
    rectangle = shapely.Polygon(part.roof_corners - np.array(anchor))
    planes = []
    for east, north, elevation_m in part.gradients():
        offset = east * (anchor[0] - part.easting_m) + north * (anchor[1] - part.northing_m)
        planes.append((east, north, elevation_m + offset))
    faces = []
    for i, plane in enumerate(planes):
        polygon = rectangle
        for j, other in enumerate(planes):
            if i != j:
                polygon = _clip(polygon, plane, other, keep_equal=i < j)
        faces.append(Face(i_part, part.role, polygon, plane))
    return faces


def _visible(face: Face, faces: list[Face]) -> shapely.Geometry:
    """The part of a face that no face of another part tops."""
    polygon = face.polygon
    if face.role == "terrace":
        return polygon
    for other in faces:
        if other.part == face.part or not polygon.intersects(other.polygon):
            continue
        hidden = (
            other.polygon
            if other.role == "terrace"
            else _clip(other.polygon, face.plane, other.plane, keep_equal=other.part < face.part)
        )
        if hidden.area > 0.0:
            polygon = _areas(shapely.difference(polygon, hidden, grid_size=1e-6))
    return polygon


def _areas(geometry: shapely.Geometry) -> shapely.Geometry:
    """A geometry without the lines and points that a difference leaves where edges touch."""
    if geometry.geom_type != "GeometryCollection":
        return geometry
    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def _clip(polygon, lower, upper, *, keep_equal: bool) -> shapely.Polygon:
    """The part of a convex polygon where plane ``lower`` is below plane ``upper``."""
    east, north, level = (u - low for u, low in zip(upper, lower, strict=True))
    if polygon.is_empty:
        return polygon
    ring = np.asarray(polygon.exterior.coords)[:-1]
    rise = ring @ (east, north) + level
    if np.all(np.abs(rise) < 1e-7):  # one and the same plane
        return polygon if keep_equal else shapely.Polygon()
    corners = []
    for k in range(len(ring)):
        here, there = rise[k], rise[(k + 1) % len(ring)]
        if here >= 0.0:
            corners.append(ring[k])
        if (here > 0.0 > there) or (here < 0.0 < there):
            share = here / (here - there)
            corners.append(ring[k] + share * (ring[(k + 1) % len(ring)] - ring[k]))
    return shapely.Polygon(corners) if len(corners) >= 3 else shapely.Polygon()


def _true_plane(building_id, face: Face, piece, anchor) -> TruePlane:
    east, north, level = face.plane
    centre = piece.centroid
    polygon = shapely.transform(piece, lambda xy: xy + np.array(anchor)).normalize()
    elevation_m = level + east * centre.x + north * centre.y
    return TruePlane(building_id, face.role, polygon, east, north, elevation_m)
