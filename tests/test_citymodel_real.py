"""City models of North Rhine-Westphalia, Berlin and The Hague against independent figures."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from small_citymodels import ELEMENTS

from solarkataster.citymodel_faults import surface_faults
from solarkataster.citymodels import measures, solid_volumes_m3
from solarkataster.io.citymodels import open_citymodels, read_city_surfaces


def read(path):
    return read_city_surfaces(open_citymodels(path))


def rings_of_gml(path) -> dict[str, float]:
    """Area of each polygon by its id, from the text alone: an independent reader."""
    areas = {}
    for own, places in re.findall(
        r'<gml:Polygon gml:id="([^"]+)".*?<gml:posList[^>]*>([^<]*)<', path.read_text(), re.DOTALL
    ):
        points = np.array(places.split(), dtype=float).reshape(-1, 3)
        points -= points[0]
        areas[own] = 0.5 * np.linalg.norm(np.cross(points[:-1], points[1:]).sum(axis=0))
    return areas


def assert_closed(found) -> None:
    """Areas of every part cancel out but for slits of centimetres, and it encloses a volume."""
    size = measures(found.surfaces)
    gaps: dict[tuple[str, str], np.ndarray] = {}
    for surface, area_m2, normal in zip(found.surfaces, size.area_m2, size.normal, strict=True):
        if area_m2 > 0.0:
            gaps[surface.solid] = gaps.get(surface.solid, 0.0) + area_m2 * normal
    assert max(np.linalg.norm(gap) for gap in gaps.values()) < 0.5
    assert min(solid_volumes_m3(found.surfaces).values()) > 0.0


def test_the_tile_of_north_rhine_westphalia_holds_what_its_readme_says(real_data):
    path = real_data / "lod2" / "LoD2_32_280_5657_1_NW.gml"
    source = open_citymodels(path, expected_crs="EPSG:25832")
    # README of the data: 83 buildings, 50 parts, extent and heights from the coordinates.
    assert (source.n_buildings, source.n_parts) == (83, 50)
    np.testing.assert_allclose(source.bounds, (280847.9, 5657118.1, 281004.9, 5657731.1), atol=0.06)
    assert (source.files[0].lowest_m, source.files[0].highest_m) == (35.958, 50.072)
    found = read_city_surfaces(source)
    assert found.faults == []
    roofs = {surface.boundary_id for surface in found.surfaces if surface.kind == "roof"}
    assert len(roofs) == 170
    types = {thing.roof_type for thing in found.objects if thing.roof_type}
    assert types == {"1000", "2100", "3100", "3200", "5000", "9999"}
    assert {thing.creation_date for thing in found.objects} == {"2020-12-18", "2021-03-19"}
    areas = rings_of_gml(path)
    assert {surface.surface_id for surface in found.surfaces} == set(areas)
    np.testing.assert_allclose(
        measures(found.surfaces).area_m2,
        [areas[surface.surface_id] for surface in found.surfaces],
        atol=1e-6,
    )
    assert_closed(found)
    assert Counter(f.name for f in surface_faults(found.surfaces)) == {
        "no area": 11,
        "not planar": 6,
    }


def test_heights_of_the_tile_are_those_its_survey_measured(real_data):
    found = read(real_data / "lod2" / "LoD2_32_280_5657_1_NW.gml")
    off_m = []
    for thing in found.objects:
        own = [s for s in found.surfaces if s.solid == (thing.building_id, thing.part_id)]
        if own and thing.measured_height_m is not None:
            z_m = np.concatenate([surface.outer[:, 2] for surface in own])
            off_m.append(abs(np.ptp(z_m) - thing.measured_height_m))
    assert len(off_m) == 113
    # To the millimetre, but for one shed whose height is given as 1 m.
    assert sorted(off_m)[-2] < 0.002
    assert max(off_m) == pytest.approx(0.081, abs=0.001)


def test_a_block_of_berlin_is_read_in_citygml_2(real_data):
    path = real_data / "lod2" / "berlin_Block020023.gml"
    source = open_citymodels(path, expected_crs="EPSG:25833")
    assert (source.files[0].version, source.crs) == ("2.0", "EPSG:25833")
    assert source.n_buildings == 4
    found = read_city_surfaces(source)
    assert found.faults == []
    areas = rings_of_gml(path)
    assert len(areas) == len(found.surfaces) == 97
    total_m2 = measures(found.surfaces).area_m2.sum()
    assert total_m2 == pytest.approx(sum(areas.values()), abs=1e-6)
    tree = ET.parse(path).getroot()
    bldg = "{http://www.opengis.net/citygml/building/2.0}"
    for kind in ("wall", "roof", "ground"):
        expected = len(list(tree.iter(f"{bldg}{ELEMENTS[kind]}")))
        assert len({s.boundary_id for s in found.surfaces if s.kind == kind}) == expected
    assert_closed(found)
    assert surface_faults(found.surfaces) == []


def test_the_hague_is_read_in_cityjson_2(real_data):
    path = real_data / "lod2" / "DenHaag_01.city.json"
    source = open_citymodels(path, expected_crs="EPSG:28992")
    assert (source.n_buildings, source.n_parts) == (844, 1653)
    found = read_city_surfaces(source)
    assert found.faults == []
    model = json.loads(path.read_text())
    kinds = Counter()
    for thing in model["CityObjects"].values():
        for geometry in thing.get("geometry") or ():
            if thing["type"].startswith("Building"):
                (shell,) = geometry["semantics"]["values"]
                kinds.update(geometry["semantics"]["surfaces"][k]["type"] for k in shell)
    assert Counter(ELEMENTS[surface.kind] for surface in found.surfaces) == kinds
    # Level roofs keep their height above sea level as an attribute: an independent figure.
    heights_m = {(o.building_id, o.part_id): o.other for o in found.objects}
    tops: dict[tuple[str, str], float] = {}
    for surface in found.surfaces:
        top_m = float(surface.outer[:, 2].max())
        tops[surface.solid] = max(tops.get(surface.solid, top_m), top_m)
    checked = 0
    for solid_key, top_m in tops.items():
        told = heights_m[solid_key].get("AbsoluteRidgeHeight")
        checked += told is not None
        assert told is None or top_m == pytest.approx(float(told), abs=0.002)
    assert checked > 1900
    assert min(solid_volumes_m3(found.surfaces).values()) > 0.0
    assert not {f.name for f in surface_faults(found.surfaces)} & {"inside out", "open solid"}


def test_every_wall_of_real_buildings_that_is_turned_is_told(real_data):
    for name in ("LoD2_32_280_5657_1_NW.gml", "DenHaag_01.city.json"):
        found = read(real_data / "lod2" / name).surfaces
        turned = [
            replace(s, outer=s.outer[::-1]) if s.kind == "wall" and i % 3 == 0 else s
            for i, s in enumerate(found)
        ]
        faults = surface_faults(turned)
        told = {fault.surface_id for fault in faults if fault.name == "inside out"}
        small = {fault.surface_id for fault in faults if fault.name == "no area"}
        # Parts whose surfaces lie on each other (boxes set together): said of the whole part.
        in_doubt = {(f.building_id, f.part_id) for f in faults if f.name == "open solid"}
        expected = {s.surface_id: s.solid for s in found[::3] if s.kind == "wall"}
        assert told <= set(expected)
        missed = {expected[surface_id] for surface_id in set(expected) - told - small}
        assert missed <= in_doubt
        assert len(in_doubt) <= 3
