"""Small LoD2 models with known areas, as CityGML and CityJSON that each test can break."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from solarkataster.citymodels import CitySurface

WEST_M, SOUTH_M, FOOT_M = 410_000.0, 5_480_000.0, 200.0
LENGTH_M, DEPTH_M, EAVES_M, RIDGE_M = 10.0, 8.0, 5.0, 8.0
#: By the geometry of a gable: slopes, gable walls, eaves walls, ground, volume. [m², m³]
SLOPE_M2, GABLE_M2, SIDE_M2, GROUND_M2 = 50.0, 52.0, 50.0, 80.0
VOLUME_M3 = 520.0

CRS_NAME = "urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH*GCG2016"
ELEMENTS = {
    "wall": "WallSurface",
    "roof": "RoofSurface",
    "ground": "GroundSurface",
    "closure": "ClosureSurface",
}


def house(west_m: float = WEST_M, south_m: float = SOUTH_M) -> list[tuple[str, np.ndarray]]:
    """Kind and ring of a gabled house, its ridge from west to east; all face outwards."""
    corners = [(0, 0, 0), (10, 0, 0), (10, 8, 0), (0, 8, 0)]
    eaves = [(x, y, EAVES_M) for x, y, _ in corners]
    west, east = (0, 4, RIDGE_M), (10, 4, RIDGE_M)
    rings = [
        ("ground", corners[::-1]),
        ("wall", [corners[0], corners[1], eaves[1], eaves[0]]),
        ("wall", [corners[1], corners[2], eaves[2], east, eaves[1]]),
        ("wall", [corners[2], corners[3], eaves[3], eaves[2]]),
        ("wall", [corners[3], corners[0], eaves[0], west, eaves[3]]),
        ("roof", [eaves[0], eaves[1], east, west]),
        ("roof", [eaves[2], eaves[3], west, east]),
    ]
    shift = np.array([west_m, south_m, FOOT_M])
    return [(kind, np.array(ring, dtype=float) + shift) for kind, ring in rings]


def surfaces(rings, building_id: str = "H1", part_id: str = "") -> list[CitySurface]:
    return [
        CitySurface(building_id, part_id, f"{part_id or building_id}-{k}", kind, ring)
        for k, (kind, ring) in enumerate(rings)
    ]


def gml_ring(ring: np.ndarray, style: str = "posList", close: bool = True) -> str:
    """A ring's coordinates as posList, as single positions, or as GML 2 wrote them."""
    points = np.concatenate([ring, ring[:1]]) if close else ring
    rows = [" ".join(f"{value:.3f}" for value in point) for point in points]
    if style == "pos":
        return "".join(f"<gml:pos>{row}</gml:pos>" for row in rows)
    if style == "coordinates":
        text = " ".join(row.replace(" ", ",") for row in rows)
        return f"<gml:coordinates>{text}</gml:coordinates>"
    return f'<gml:posList srsDimension="3">{" ".join(rows)}</gml:posList>'


def gml_polygon(own: str, ring: np.ndarray, holes=(), **options) -> str:
    inner = "".join(
        f"<gml:interior><gml:LinearRing>{gml_ring(hole, **options)}</gml:LinearRing></gml:interior>"
        for hole in holes
    )
    return (
        f'<gml:Polygon gml:id="{own}"><gml:exterior><gml:LinearRing>{gml_ring(ring, **options)}'
        f"</gml:LinearRing></gml:exterior>{inner}</gml:Polygon>"
    )


def gml_boundaries(rings, name: str, holes: dict[int, list] | None = None, **options) -> str:
    """Surfaces that bound a building or a part, each with one polygon."""
    return "".join(
        f'<bldg:boundedBy><bldg:{ELEMENTS[kind]} gml:id="{name}-{k}-b"><bldg:lod2MultiSurface>'
        "<gml:MultiSurface><gml:surfaceMember>"
        + gml_polygon(f"{name}-{k}", ring, (holes or {}).get(k, ()), **options)
        + "</gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>"
        f"</bldg:{ELEMENTS[kind]}></bldg:boundedBy>"
        for k, (kind, ring) in enumerate(rings)
    )


def gml_building(name: str, content: str, attributes: str = "") -> str:
    own = f' gml:id="{name}"' if name else ""
    return (
        f"<core:cityObjectMember><bldg:Building{own}>{attributes}{content}"
        "</bldg:Building></core:cityObjectMember>"
    )


def gml(content: str, version: str = "2.0", crs: str | None = CRS_NAME, first: str = "") -> str:
    """A whole document; ``first`` stands before its root."""
    core = f"http://www.opengis.net/citygml/{version}"
    envelope = (
        f'<gml:boundedBy><gml:Envelope srsName="{crs}" srsDimension="3">'
        "<gml:lowerCorner>410000 5480000 0</gml:lowerCorner>"
        "<gml:upperCorner>411000 5481000 0</gml:upperCorner></gml:Envelope></gml:boundedBy>"
        if crs
        else ""
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n{first}<core:CityModel xmlns:core="{core}" '
        f'xmlns:bldg="http://www.opengis.net/citygml/building/{version}" '
        'xmlns:gen="http://www.opengis.net/citygml/generics/2.0" '
        'xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink">\n'
        f"{envelope}{content}\n</core:CityModel>\n"
    )


def gml_house(name: str = "H1", west_m: float = WEST_M, south_m: float = SOUTH_M, **options) -> str:
    return gml_building(name, gml_boundaries(house(west_m, south_m), name, **options))


def write(folder: Path, text: str, name: str = "model.gml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def cityjson(
    buildings: dict[str, list] | None = None,
    *,
    version: str = "2.0",
    transform: bool = True,
    lod: str = "2.2",
    kind: str = "Solid",
    crs: str | None = "https://www.opengis.net/def/crs/EPSG/0/25832",
) -> dict:
    """A whole model with a house, or houses by id; one vertex per corner of a ring."""
    vertices: list[list[float]] = []
    objects = {}
    for name, rings in (buildings or {"H1": house()}).items():
        boundaries = []
        for _, ring in rings:
            boundaries.append([list(range(len(vertices), len(vertices) + len(ring)))])
            vertices += ring.tolist()
        kinds = list(ELEMENTS)
        values: list = [kinds.index(k) for k, _ in rings]
        depth = {"Solid": 1, "MultiSolid": 2}.get(kind, 0)
        for _ in range(depth):
            boundaries, values = [boundaries], [values]
        semantics = {"surfaces": [{"type": ELEMENTS[k]} for k in kinds], "values": values}
        geometry = {"type": kind, "lod": lod, "boundaries": boundaries, "semantics": semantics}
        objects[name] = {"type": "Building", "attributes": {}, "geometry": [geometry]}
    model = {"type": "CityJSON", "version": version, "CityObjects": objects}
    if crs:
        model["metadata"] = {"referenceSystem": crs}
    if transform:
        shift = [WEST_M, SOUTH_M, FOOT_M]
        model["transform"] = {"scale": [0.001] * 3, "translate": shift}
        places = np.rint((np.array(vertices) - shift) * 1000.0).astype(int)
        model["vertices"] = places.tolist()
    else:
        model["vertices"] = vertices
    return model


def write_json(folder: Path, model: dict, name: str = "model.city.json", **options) -> Path:
    return write(folder, json.dumps(model, **options), name)
