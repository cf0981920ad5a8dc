"""The surfaces of one CityJSON building."""

from __future__ import annotations

from typing import Any

import numpy as np

from solarkataster.citymodels import CityObject, CitySurface, FaultName, Kind, SurfaceFault
from solarkataster.io.citymodel_gml_surfaces import KIND_OF
from solarkataster.io.citymodel_json import lod2_geometry, polygons_of

#: Attributes with a place of their own.
_NAMED = ("measuredHeight", "roofType", "function", "creationDate", "storeysAboveGround")


def building_of(
    building_id: str, city_objects: list[dict[str, Any]], vertices: np.ndarray
) -> tuple[list[CityObject], list[CitySurface], list[SurfaceFault]]:
    """
    A building with its parts.

    Parameters
    ----------
    building_id : str
    city_objects : list of dict
        The building and its parts as the file has them, each under ``id`` its own.
    vertices : ndarray, shape (n_vertex, 3)
        Of the whole file. [m]
    """
    objects: list[CityObject] = []
    surfaces: list[CitySurface] = []
    faults: list[SurfaceFault] = []
    for thing in city_objects:
        part_id = "" if thing["id"] == building_id else thing["id"]
        objects.append(_city_object(building_id, part_id, thing.get("attributes") or {}))
        geometry = lod2_geometry(thing)
        if geometry is not None:
            _read_geometry(geometry, objects[-1], vertices, surfaces, faults)
        elif not thing.get("children"):
            faults.append(SurfaceFault(building_id, part_id, "", "no LoD2", "no surface of LoD2"))
    return objects, surfaces, faults


def _city_object(building_id: str, part_id: str, attributes: dict[str, Any]) -> CityObject:
    height_m = attributes.get("measuredHeight")
    storeys = attributes.get("storeysAboveGround")
    texts = {k: str(attributes[k]) for k in _NAMED if attributes.get(k) is not None}
    return CityObject(
        building_id,
        part_id,
        float(height_m) if isinstance(height_m, int | float) else None,
        texts.get("roofType"),
        texts.get("function"),
        texts.get("creationDate"),
        int(storeys) if isinstance(storeys, int | float) else None,
        {
            key: value if isinstance(value, str) else str(value)
            for key, value in attributes.items()
            if key not in _NAMED and value is not None
        },
    )


def _read_geometry(
    geometry: dict[str, Any],
    owner: CityObject,
    vertices: np.ndarray,
    surfaces: list[CitySurface],
    faults: list[SurfaceFault],
) -> None:
    """Every polygon as a surface, or as a fault if its coordinates cannot be read."""
    place = owner.building_id, owner.part_id
    meanings = (geometry.get("semantics") or {}).get("surfaces") or []
    for i, (rings, number) in enumerate(polygons_of(geometry)):
        own = f"{owner.part_id or owner.building_id}-{i}"
        kind = _kind(meanings, number)
        if kind is None:  # inside the building
            continue
        points = [_ring(ring, vertices) for ring in rings] if isinstance(rings, list) else []
        read = [ring for ring in points if ring is not None]
        if not read or len(read) < len(points):
            detail = "numbers of vertices that are not there" if points else "no ring"
            faults.append(SurfaceFault(*place, own, "unreadable coordinates", detail))
            continue
        surfaces.append(CitySurface(*place, own, kind, read[0], tuple(read[1:])))
        if kind == "unnamed":
            name: FaultName = "no meaning"
            faults.append(SurfaceFault(*place, own, name))


def _kind(meanings: list, number: Any) -> Kind | None:
    """What a surface is; None if it is no outer surface."""
    if not isinstance(number, int) or not 0 <= number < len(meanings):
        return "unnamed"
    name = meanings[number].get("type") if isinstance(meanings[number], dict) else None
    if isinstance(name, str) and name.startswith(("Interior", "Ceiling", "Floor")):
        return None
    return KIND_OF.get(str(name), "unnamed")


def _ring(ring: Any, vertices: np.ndarray) -> np.ndarray | None:
    """Points of a ring; None if it names vertices that are not there."""
    if not isinstance(ring, list) or not ring:
        return None
    if not all(isinstance(i, int) and 0 <= i < len(vertices) for i in ring):
        return None
    if len(ring) > 1 and ring[0] == ring[-1]:  # not the way of CityJSON, but harmless
        ring = ring[:-1]
    points = vertices[ring]
    return points if np.isfinite(points).all() else None
