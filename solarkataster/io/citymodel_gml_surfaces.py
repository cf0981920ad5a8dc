"""The surfaces of one CityGML building."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np

from solarkataster.citymodels import CityObject, CitySurface, FaultName, Kind, SurfaceFault
from solarkataster.io.citymodel_gml import GML, POLYGONS, POSITIONS, numbers

#: What bounds a building, by the name of the element.
KIND_OF: dict[str, Kind] = {
    "WallSurface": "wall",
    "RoofSurface": "roof",
    "GroundSurface": "ground",
    "ClosureSurface": "closure",
    "OuterCeilingSurface": "ceiling",
    "OuterFloorSurface": "floor",
}
#: Geometry of LoD2 of buildings and of what bounds them.
_OF_BOUNDARY = ("lod2MultiSurface",)
_OF_BUILDING = ("lod2Solid", "lod2MultiSurface", "lod2Geometry")
#: Ids and references, as the parser names them.
_IDS = tuple(f"{{{uri}}}id" for uri in GML)
_HREF = "{http://www.w3.org/1999/xlink}href"
_UNIT_OF_FEET = re.compile(r"ft|foot|feet", re.IGNORECASE)


@dataclass
class _Building:
    """What has been found in a building so far."""

    building_id: str
    objects: list[CityObject] = field(default_factory=list)
    surfaces: list[CitySurface] = field(default_factory=list)
    faults: list[SurfaceFault] = field(default_factory=list)
    by_id: dict[str, ET.Element] = field(default_factory=dict)

    def fault(self, part_id: str, surface_id: str, name: FaultName, detail: str = "") -> None:
        self.faults.append(SurfaceFault(self.building_id, part_id, surface_id, name, detail))


def building_of(
    building_id: str, document: bytes
) -> tuple[list[CityObject], list[CitySurface], list[SurfaceFault]]:
    """
    A building with its parts, from a document that holds it alone.

    Surfaces that a solid refers to are those that bound the building; they are there once, facing
    as the solid has them. What a solid has besides is ``unnamed``, and named a fault.

    Parameters
    ----------
    building_id : str
    document : bytes
        XML, found well-formed before.
    """
    root = ET.fromstring(document)[0]
    found = _Building(building_id)
    for element in root.iter():
        own = _id_of(element)
        if own:
            found.by_id.setdefault(own, element)
    _read_object(found, root, "")
    return found.objects, found.surfaces, found.faults


def _local(element: ET.Element) -> str:
    return _local_name(element.tag)


@lru_cache(maxsize=1024)
def _local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def _id_of(element: ET.Element) -> str:
    for name in _IDS if element.attrib else ():
        if name in element.attrib:
            return element.attrib[name]
    return ""


def _read_object(found: _Building, element: ET.Element, part_id: str) -> None:
    """A building or a part: its attributes, its surfaces, then its parts."""
    found.objects.append(_city_object(found.building_id, part_id, element))
    solids: list[ET.Element] = []
    parts: list[ET.Element] = []
    first = len(found.surfaces)
    for child in element:
        name = _local(child)
        if name == "boundedBy" and len(child):
            _read_boundary(found, child[0], part_id)
        elif name in _OF_BUILDING:
            solids.append(child)
        elif name == "consistsOfBuildingPart":
            parts += list(child)
    _read_solids(found, solids, part_id, first)
    if len(found.surfaces) == first and not parts and not _is_faulty(found, part_id):
        found.fault(part_id, "", "no LoD2", "no surface of LoD2")
    for i, part in enumerate(parts):
        _read_object(found, part, _id_of(part) or f"{part_id or found.building_id}-part{i}")


def _is_faulty(found: _Building, part_id: str) -> bool:
    return any(fault.part_id == part_id for fault in found.faults)


def _city_object(building_id: str, part_id: str, element: ET.Element) -> CityObject:
    texts: dict[str, str] = {}
    other: dict[str, str] = {}
    for child in element:
        name = _local(child)
        if name.endswith("Attribute") and len(child):
            other[child.get("name", "")] = (child[0].text or "").strip()
        elif name == "measuredHeight" and _UNIT_OF_FEET.search(child.get("uom", "")):
            other[name] = f"{child.text} {child.get('uom')}"  # not in metres, so not used
        elif child.text and not len(child):
            texts.setdefault(name, child.text.strip())
    height_m = numbers(texts.get("measuredHeight", ""))
    storeys = texts.get("storeysAboveGround", "")
    return CityObject(
        building_id,
        part_id,
        height_m[0] if height_m else None,
        texts.get("roofType"),
        texts.get("function"),
        texts.get("creationDate"),
        int(storeys) if storeys.isdigit() else None,
        other,
    )


def _read_boundary(found: _Building, boundary: ET.Element, part_id: str) -> None:
    kind = KIND_OF.get(_local(boundary))
    if kind is None:  # an envelope, or rooms
        return
    own = _id_of(boundary) or f"{part_id or found.building_id}-{_local(boundary)}"
    for geometry in boundary:
        if _local(geometry) in _OF_BOUNDARY:
            for i, (polygon, is_turned) in enumerate(_polygons(found, geometry, part_id, False)):
                name = _id_of(polygon) or f"{own}-{i}"
                _add(found, polygon, is_turned, part_id, kind, name, _id_of(boundary))


def _read_solids(found: _Building, solids: list[ET.Element], part_id: str, first: int) -> None:
    """Surfaces of the solids that no boundary has, by id or by their points."""
    names = {surface.surface_id: k for k, surface in enumerate(found.surfaces) if k >= first}
    known: set[frozenset] | None = None
    for solid in solids:
        for i, (polygon, is_turned) in enumerate(_polygons(found, solid, part_id, False)):
            own = _id_of(polygon) or f"{part_id or found.building_id}-solid{i}"
            if own in names:
                if is_turned:
                    found.surfaces[names[own]] = _turned(found.surfaces[names[own]])
                continue
            if known is None:
                known = {_points_of(s.outer) for s in found.surfaces[first:]}
            before = len(found.surfaces)
            _add(found, polygon, is_turned, part_id, "unnamed", own)
            for surface in found.surfaces[before:]:
                if _points_of(surface.outer) in known:
                    found.surfaces.pop()
                    continue
                known.add(_points_of(surface.outer))
                detail = "in the solid, but bounds nothing" if names else ""
                found.fault(part_id, own, "no meaning", detail)


def _points_of(ring: np.ndarray) -> frozenset[tuple[float, ...]]:
    """Points of a ring to the millimetre, wherever it starts and whichever way it runs."""
    return frozenset(map(tuple, np.round(ring, 3).tolist()))


def _turned(surface: CitySurface) -> CitySurface:
    holes = tuple(hole[::-1] for hole in surface.holes)
    return replace(surface, outer=surface.outer[::-1], holes=holes)


def _polygons(
    found: _Building, element: ET.Element, part_id: str, is_turned: bool, depth: int = 0
) -> Iterator[tuple[ET.Element, bool]]:
    """Polygons below an element, references followed; and whether they are to be turned."""
    if depth > 30:  # surfaces that refer to each other in a circle
        found.fault(part_id, _id_of(element), "missing surface", "refers to itself")
        return
    reference = element.get(_HREF)
    if reference:
        target = found.by_id.get(reference.rpartition("#")[2])
        if target is None:
            found.fault(part_id, reference.lstrip("#"), "missing surface", "not in its building")
            return
        element = target
        if _local(element) in POLYGONS:
            yield element, is_turned
            return
    if _local(element) == "OrientableSurface" and element.get("orientation") == "-":
        is_turned = not is_turned
    for child in element:
        if _local(child) in POLYGONS:
            yield child, is_turned
        else:
            yield from _polygons(found, child, part_id, is_turned, depth + 1)


def _add(
    found: _Building,
    polygon: ET.Element,
    is_turned: bool,
    part_id: str,
    kind: Kind,
    own: str,
    boundary_id: str = "",
) -> None:
    """The polygon as a surface, or as a fault if its coordinates cannot be read."""
    rings: list[np.ndarray] = []
    holes: list[np.ndarray] = []
    is_open = False
    for boundary in polygon:
        name = _local(boundary)
        if name not in ("exterior", "interior", "outerBoundaryIs", "innerBoundaryIs"):
            continue
        ring = _ring(boundary)
        if ring is None:
            found.fault(part_id, own, "unreadable coordinates", f"of the {name} ring")
            return
        if len(ring) > 1 and (ring[0] == ring[-1]).all():
            ring = ring[:-1]
        else:
            is_open = True
        (rings if name in ("exterior", "outerBoundaryIs") else holes).append(
            ring[::-1] if is_turned else ring
        )
    if len(rings) != 1:
        found.fault(part_id, own, "unreadable coordinates", f"{len(rings)} outer rings")
        return
    if is_open:
        found.fault(part_id, own, "ring not closed", "its last point is not its first")
    found.surfaces.append(
        CitySurface(found.building_id, part_id, own, kind, rings[0], tuple(holes), boundary_id)
    )


def _ring(boundary: ET.Element) -> np.ndarray | None:
    """Points of a ring; None if they are not triples of numbers."""
    values: list[float] = []
    for element in boundary.iter():
        if _local(element) in POSITIONS:
            part: Any = numbers(element.text or "")
            if part is None or len(part) % 3:
                return None
            values += part
    return np.array(values).reshape(-1, 3) if values else None
