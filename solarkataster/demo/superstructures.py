"""What stands out of the true roofs, or is sunk into them: outline in plan and height."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.demo.planes import Face, TruePlane, anchor_of, planes_of, visible_faces
from solarkataster.demo.roofshapes import Building

#: Slivers that two outlines leave through rounding. [m²]
_SLIVER_M2 = 1e-4


@dataclass(frozen=True, slots=True)
class TrueSuperstructure:
    """
    A thing on a roof as seen from above.

    Parameters
    ----------
    building_id : str
    kind : str
        ``dormer``, ``chimney``, ``lift housing``, ``terrace`` or ``parapet``.
    polygon : shapely Polygon
        Where it is on top, in the town's coordinate system.
    height_m : float
        Its highest point over the roof plane under most of it; of a terrace, which is sunk, the
        lowest point: negative. [m]
    """

    building_id: str
    kind: str
    polygon: shapely.Polygon
    height_m: float


def true_superstructures(buildings: list[Building]) -> list[TrueSuperstructure]:
    """Those of all buildings, in the order of buildings and parts."""
    return [thing for building in buildings for thing in superstructures_of(building)]


def superstructures_of(building: Building) -> list[TrueSuperstructure]:
    """The superstructures of one building; the four strips of a parapet are one thing."""
    parts = list(building.parts)
    if all(part.role == "roof" for part in parts):
        return []
    anchor = anchor_of(building)
    bare = replace(building, parts=tuple(part for part in parts if part.role == "roof"))
    hosts = planes_of(bare)
    things: dict[object, list[tuple[Face, shapely.Geometry]]] = {}
    for face, polygon in visible_faces(parts, anchor):
        if face.role != "roof":
            things.setdefault("parapet" if face.role == "parapet" else face.part, []).append(
                (face, polygon)
            )
    found = []
    for tops in things.values():
        merged = shapely.union_all([polygon for _, polygon in tops], grid_size=1e-6)
        for piece in shapely.get_parts(merged):
            if piece.geom_type == "Polygon" and piece.area > _SLIVER_M2:
                found.append(_superstructure(building.building_id, piece, tops, hosts, anchor))
    return found


def _superstructure(building_id: str, piece, tops, hosts: list[TruePlane], anchor):
    polygon = shapely.transform(piece, _shift(anchor)).normalize()
    shared_m2 = shapely.area(shapely.intersection([host.polygon for host in hosts], polygon))
    host = hosts[int(np.argmax(shared_m2))]
    over_m = []
    for face, top in tops:
        corners = shapely.get_coordinates(shapely.intersection(top, piece))
        east, north, level_m = face.plane
        place = corners + np.array(anchor) - shapely.get_coordinates(host.polygon.centroid)
        roof_m = host.elevation_m + place @ (host.slope_east, host.slope_north)
        over_m.append(corners @ (east, north) + level_m - roof_m)
    kind = tops[0][0].role
    height_m = np.concatenate(over_m)
    return TrueSuperstructure(
        building_id, kind, polygon, float(height_m.min() if kind == "terrace" else height_m.max())
    )


def _shift(anchor) -> Callable[[np.ndarray], np.ndarray]:
    return lambda xy: xy + np.array(anchor)
