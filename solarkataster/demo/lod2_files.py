"""The town's LoD2 model as files: CityGML 2.0 as German surveys write it, or CityJSON 2.0."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from solarkataster.citymodels import CitySurface
from solarkataster.demo.lod2 import DECIMALS
from solarkataster.demo.roofshapes import Building

if TYPE_CHECKING:
    from solarkataster.demo.town import Town

CityFormat = Literal["citygml", "cityjson"]
FILE_NAMES: dict[CityFormat, str] = {"citygml": "lod2.gml", "cityjson": "lod2.city.json"}

_ELEMENTS = {
    "wall": "WallSurface",
    "roof": "RoofSurface",
    "ground": "GroundSurface",
    "closure": "ClosureSurface",
}
#: ALKIS codes of roof shapes: flat, shed, gable, hip, pyramid.
_ROOF_TYPES = {
    "flat": "1000", "shed": "2100", "gable": "3100", "l_shape": "3100",
    "hip": "3200", "courtyard": "3200", "tower": "3500",
}  # fmt: skip
#: German surveys' name of the coordinate system, heights included.
_ADV_NAMES = {
    "EPSG:25832": "urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH*GCG2016",
    "EPSG:25833": "urn:adv:crs:ETRS89_UTM33*DE_DHHN2016_NH*GCG2016",
}
_DATE = "2024-03-01"

_HEAD = """\
<?xml version="1.0" encoding="UTF-8"?>
<core:CityModel xmlns:core="http://www.opengis.net/citygml/2.0" \
xmlns:bldg="http://www.opengis.net/citygml/building/2.0" \
xmlns:gml="http://www.opengis.net/gml" xmlns:xlink="http://www.w3.org/1999/xlink">
  <gml:name>{name}</gml:name>
  <gml:boundedBy>
    <gml:Envelope srsName="{crs}" srsDimension="3">
      <gml:lowerCorner>{lower}</gml:lowerCorner>
      <gml:upperCorner>{upper}</gml:upperCorner>
    </gml:Envelope>
  </gml:boundedBy>
"""


def write_lod2(town: Town, folder: Path, file_format: CityFormat) -> Path:
    """
    Write the town's LoD2 model.

    Parameters
    ----------
    town : Town
    folder : Path
    file_format : {"citygml", "cityjson"}

    Returns
    -------
    Path
        ``lod2.gml`` or ``lod2.city.json``.
    """
    path = folder / FILE_NAMES[file_format]
    text = _citygml(town) if file_format == "citygml" else _cityjson(town)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _by_building(town: Town) -> list[tuple[Building, dict[str, list[CitySurface]]]]:
    """Buildings with the surfaces of each of their parts; the key of a building's own is empty."""
    of_building = {
        building_id: {
            part_id: list(part) for part_id, part in groupby(surfaces, lambda s: s.part_id)
        }
        for building_id, surfaces in groupby(town.lod2, lambda s: s.building_id)
    }
    return [(building, of_building[building.building_id]) for building in town.buildings]


def _corner(values: np.ndarray) -> str:
    return " ".join(f"{value:.{DECIMALS}f}" for value in values)


def _height_m(surfaces: list[CitySurface]) -> float:
    elevation_m = np.concatenate([surface.outer[:, 2] for surface in surfaces])
    return round(float(np.ptp(elevation_m)), 3)


def _citygml(town: Town) -> str:
    corners = np.concatenate([surface.outer for surface in town.lod2])
    name = _ADV_NAMES.get(town.grid.crs, f"urn:ogc:def:crs:{town.grid.crs.replace(':', '::')}")
    lines = [
        _HEAD.format(
            name=escape(town.name),
            crs=name,
            lower=_corner(corners.min(axis=0)),
            upper=_corner(corners.max(axis=0)),
        )
    ]
    for building, parts in _by_building(town):
        lines.append("  <core:cityObjectMember>\n")
        lines.append(f"    <bldg:Building gml:id={quoteattr(building.building_id)}>\n")
        lines.append(f"      <core:creationDate>{_DATE}</core:creationDate>\n")
        lines.append(f"      <bldg:function>{escape(building.function)}</bldg:function>\n")
        if "" in parts:
            lines += _gml_object(building, parts[""])
        for part_id, surfaces in parts.items():
            if part_id:
                lines.append("      <bldg:consistsOfBuildingPart>\n")
                lines.append(f"        <bldg:BuildingPart gml:id={quoteattr(part_id)}>\n")
                lines += _gml_object(building, surfaces)
                lines.append("        </bldg:BuildingPart>\n")
                lines.append("      </bldg:consistsOfBuildingPart>\n")
        lines.append("    </bldg:Building>\n  </core:cityObjectMember>\n")
    return "".join([*lines, "</core:CityModel>\n"])


def _gml_object(building: Building, surfaces: list[CitySurface]) -> list[str]:
    """What a building and a part have alike: height, solid, and the surfaces it refers to."""
    lines = [
        f"      <bldg:roofType>{_ROOF_TYPES[building.kind]}</bldg:roofType>\n",
        f'      <bldg:measuredHeight uom="urn:adv:uom:m">{_height_m(surfaces):.3f}'
        "</bldg:measuredHeight>\n",
        "      <bldg:lod2Solid><gml:Solid><gml:exterior><gml:CompositeSurface>\n",
    ]
    lines += [f'        <gml:surfaceMember xlink:href="#{s.surface_id}"/>\n' for s in surfaces]
    lines.append("      </gml:CompositeSurface></gml:exterior></gml:Solid></bldg:lod2Solid>\n")
    for surface in surfaces:
        element = _ELEMENTS[surface.kind]
        places = _corner(np.concatenate([surface.outer, surface.outer[:1]]).ravel())
        lines.append(
            f'      <bldg:boundedBy><bldg:{element} gml:id="{surface.surface_id}-b">\n'
            "        <bldg:lod2MultiSurface><gml:MultiSurface><gml:surfaceMember>\n"
            f'          <gml:Polygon gml:id="{surface.surface_id}"><gml:exterior><gml:LinearRing>\n'
            f'            <gml:posList srsDimension="3">{places}</gml:posList>\n'
            "          </gml:LinearRing></gml:exterior></gml:Polygon>\n"
            "        </gml:surfaceMember></gml:MultiSurface></bldg:lod2MultiSurface>\n"
            f"      </bldg:{element}></bldg:boundedBy>\n"
        )
    return lines


def _cityjson(town: Town) -> str:
    corners = np.concatenate([surface.outer for surface in town.lod2])
    low, high = corners.min(axis=0), corners.max(axis=0)
    numbers: dict[tuple[int, int, int], int] = {}
    objects: dict[str, dict[str, Any]] = {}
    for building, parts in _by_building(town):
        attributes: dict[str, Any] = {"function": building.function, "creationDate": _DATE}
        thing: dict[str, Any] = {"type": "Building", "attributes": attributes}
        objects[building.building_id] = thing
        for part_id, surfaces in parts.items():
            own = {
                "roofType": _ROOF_TYPES[building.kind],
                "measuredHeight": _height_m(surfaces),
            }
            geometry = [_json_solid(surfaces, low, numbers)]
            if part_id:
                thing.setdefault("children", []).append(part_id)
                objects[part_id] = {
                    "type": "BuildingPart",
                    "attributes": own,
                    "geometry": geometry,
                    "parents": [building.building_id],
                }
            else:
                attributes |= own
                thing["geometry"] = geometry
    return _json_text(
        {
            "type": "CityJSON",
            "version": "2.0",
            "transform": {"scale": [10.0**-DECIMALS] * 3, "translate": low.tolist()},
            "metadata": {
                "title": town.name,
                "geographicalExtent": [*low.tolist(), *high.tolist()],
                "referenceSystem": "https://www.opengis.net/def/crs/"
                + town.grid.crs.replace(":", "/0/"),
            },
            "CityObjects": objects,
            "vertices": [list(vertex) for vertex in numbers],
        }
    )


def _json_solid(surfaces: list[CitySurface], low: np.ndarray, numbers) -> dict[str, Any]:
    boundaries = []
    for surface in surfaces:
        vertices = np.rint((surface.outer - low) * 10**DECIMALS).astype(np.int64).tolist()
        boundaries.append([[numbers.setdefault(tuple(v), len(numbers)) for v in vertices]])
    kinds = list(dict.fromkeys(surface.kind for surface in surfaces))
    return {
        "type": "Solid",
        "lod": "2.0",
        "boundaries": [boundaries],
        "semantics": {
            "surfaces": [{"type": _ELEMENTS[kind]} for kind in kinds],
            "values": [[kinds.index(surface.kind) for surface in surfaces]],
        },
    }


def _json_text(model: dict[str, Any]) -> str:
    return json.dumps(model, separators=(",", ":"), ensure_ascii=False) + "\n"
