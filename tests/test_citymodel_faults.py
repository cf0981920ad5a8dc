"""City models that cannot be used are named before anything is computed: file, found, remedy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from small_citymodels import (
    WEST_M,
    cityjson,
    gml,
    gml_boundaries,
    gml_building,
    gml_house,
    house,
    write,
    write_json,
)

from solarkataster.errors import InputError, InputErrors
from solarkataster.io.citymodels import open_citymodels, read_city_surfaces


def faults(paths, **options) -> list[InputError]:
    with pytest.raises(InputErrors) as caught:
        open_citymodels(paths, **options)
    for fault in caught.value.errors:
        assert fault.where
        assert fault.expected
        assert fault.remedy
    return caught.value.errors


def one_fault(paths, **options) -> InputError:
    (fault,) = faults(paths, **options)
    return fault


# Files


def test_a_missing_file_is_told(tmp_path):
    fault = one_fault(tmp_path / "none.gml")
    assert "not found" in fault.found
    assert "city model" in fault.expected


@pytest.mark.parametrize("content", [b"", b"PK\3\4" * 100, b"GIF89a" * 50, b"\0" * 500, b"a;b\n"])
def test_what_is_no_city_model_is_told(tmp_path, content):
    path = tmp_path / "model.gml"
    path.write_bytes(content)
    assert "cannot be opened as XML" in one_fault(path).found


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_files_are_told(tmp_path, share):
    texts = {"a.gml": gml(gml_house()), "a.json": json.dumps(cityjson())}
    for name, text in texts.items():
        path = write(tmp_path, text.rstrip()[: int(share * len(text.rstrip()))], name)
        fault = one_fault(path)
        assert "truncated" in fault.found
        assert fault.expected == "a complete file"


def test_damaged_files_name_the_place(tmp_path):
    path = write(tmp_path, gml(gml_house()).replace("</gml:exterior>", "</gml:x>", 1))
    assert "damaged in line 3 (mismatched tag)" in one_fault(path).found
    path = write(tmp_path, json.dumps(cityjson()).replace('"transform":', '"transform"', 1))
    assert "damaged at byte" in one_fault(path).found


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">'
FETCHES = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("declaration", [BOMB, OUTSIDE, FETCHES])
def test_document_types_are_refused_whatever_they_declare(tmp_path, declaration):
    path = write(tmp_path, gml(gml_house(), first=declaration))
    assert "document type" in one_fault(path).found


def test_json_nested_without_end_is_refused(tmp_path):
    path = write(tmp_path, '{"type": ' + "[" * 200_000, "a.json")
    assert "nested too deeply" in one_fault(path).found


def test_other_versions_and_formats_are_named(tmp_path):
    later = gml(gml_house()).replace("/2.0", "/3.0")
    assert "CityGML 3.0" in one_fault(write(tmp_path, later)).found
    path = write_json(tmp_path, cityjson(version="0.9"))
    assert "CityJSON 0.9" in one_fault(path).found
    path = write_json(tmp_path, {"type": "FeatureCollection", "features": []})
    assert "'FeatureCollection'" in one_fault(path).found
    lines = json.dumps(cityjson()) + "\n" + json.dumps({"type": "CityJSONFeature"})
    assert "CityJSONSeq" in one_fault(write(tmp_path, lines, "a.jsonl")).found
    assert "cannot be opened as JSON" in one_fault(write(tmp_path, "[1, 2]", "a.json")).found


def test_utf_16_is_named_with_its_remedy(tmp_path):
    path = tmp_path / "model.gml"
    path.write_bytes(gml(gml_house()).replace("UTF-8", "UTF-16").encode("utf-16"))
    assert "iconv" in one_fault(path).remedy


def test_files_without_buildings_are_told(tmp_path):
    assert "holds no building" in one_fault(write(tmp_path, gml(""))).found
    model = {**cityjson(), "CityObjects": {}, "vertices": []}
    assert "holds no building" in one_fault(write_json(tmp_path, model)).found
    assert "holds no building" in one_fault(write(tmp_path, "<html><p/></html>", "a.gml")).found


def test_lod1_is_refused_by_name(tmp_path):
    lod1 = gml(gml_house().replace("lod2", "lod1"))
    fault = one_fault(write(tmp_path, lod1))
    assert "LoD1 only" in fault.found
    assert "LoD2" in fault.expected
    assert "LoD1 only" in one_fault(write_json(tmp_path, cityjson(lod="1.2"))).found
    assert "no geometry" in one_fault(write(tmp_path, gml(gml_building("H1", "")))).found


def test_the_lod1_of_delft_is_refused_with_its_level(real_data):
    path = real_data / "delft_ahn3_bgt" / "lod1_3dfier_testarea.city.json"
    fault = one_fault(path)
    assert fault.found == "its 160 buildings have LoD1 only"


def test_some_buildings_without_lod2_are_a_note(tmp_path):
    content = gml_house("A") + gml_house("B", WEST_M + 20.0).replace("lod2", "lod1")
    source = open_citymodels(write(tmp_path, gml(content)))
    assert source.notes == ["model.gml: 1 of 2 buildings have no LoD2"]
    found = read_city_surfaces(source)
    assert [(fault.building_id, fault.name) for fault in found.faults] == [("B", "no LoD2")]


# Ids


def test_buildings_without_ids_are_counted(tmp_path):
    assert "1 buildings have no gml:id" in one_fault(write(tmp_path, gml(gml_house("")))).found


def test_ids_that_are_there_twice_are_named_with_both_files(tmp_path):
    within = write(tmp_path, gml(gml_house("A") + gml_house("A", WEST_M + 20.0)), "within.gml")
    fault = one_fault(within)
    assert "twice: A" in fault.found
    a = write(tmp_path, gml("".join(gml_house(k) for k in "ABCDE")), "a.gml")
    b = write_json(tmp_path, cityjson({k: house() for k in "BCDEF"}), "b.json")
    fault = one_fault([a, b])
    assert "B, C, D and 1 more" in fault.found
    assert str(a) in fault.found
    assert fault.where == str(b)


def test_keys_that_are_there_twice_in_cityjson_are_named(tmp_path):
    text = json.dumps(cityjson())
    (begin, rest) = text.split('"H1": ', 1)
    end = rest.index("}]}") + 3
    doubled = f'{begin}"H1": {rest[:end]}, "H1": {rest}'
    assert "twice: H1" in one_fault(write(tmp_path, doubled, "a.json")).found


# Coordinate systems


def test_a_missing_coordinate_system_can_be_named(tmp_path):
    for path in (
        write(tmp_path, gml(gml_house(), crs=None)),
        write_json(tmp_path, cityjson(crs=None)),
    ):
        fault = one_fault(path, expected_crs="EPSG:25832")
        assert "no coordinate system" in fault.found
        assert 'crs = "EPSG:25832"' in fault.remedy
        assert open_citymodels(path, crs="EPSG:25832").files[0].crs == "EPSG:25832"


@pytest.mark.parametrize(
    ("crs", "found"),
    [
        ("urn:ogc:def:crs:EPSG::4326", "degrees"),
        ("urn:ogc:def:crs:EPSG::4979", "degrees"),
        ("urn:ogc:def:crs:EPSG::2992", "not in metres"),
        ("urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::6360", "heights are in US survey foot"),
        ("urn:ogc:def:crs:EPSG::25833", "coordinate system is EPSG:25833"),
        ("urn:ogc:def:crs:EPSG::4647", "lack the zone number 32"),
        ("Soldner Berlin", "cannot be read"),
    ],
)
def test_coordinate_systems_that_do_not_fit_are_named(tmp_path, crs, found):
    for path in (
        write(tmp_path, gml(gml_house(), crs=crs)),
        write_json(tmp_path, cityjson(crs=crs)),
    ):
        assert found in one_fault(path, expected_crs="EPSG:25832").found


def test_heights_in_the_name_do_not_matter_for_the_plan(tmp_path):
    path = write(tmp_path, gml(gml_house()))
    for expected in ("EPSG:25832", "EPSG:25832+7837"):
        assert open_citymodels(path, expected_crs=expected).notes == []
    (note,) = open_citymodels(path, expected_crs="EPSG:25832+5783").notes
    assert "DHHN2016" in note
    assert "DHHN92" in note


def test_two_coordinate_systems_in_a_file_are_told(tmp_path):
    other = gml_house("B").replace(
        "<gml:MultiSurface>", '<gml:MultiSurface srsName="urn:ogc:def:crs:EPSG::25833">', 1
    )
    assert "names 2 coordinate" in one_fault(write(tmp_path, gml(gml_house("A") + other))).found


def test_files_of_different_zones_do_not_go_together(tmp_path):
    a = write(tmp_path, gml(gml_house("A")), "a.gml")
    b = write(tmp_path, gml(gml_house("B"), crs="EPSG:25833"), "b.gml")
    assert "EPSG:25833" in one_fault([a, b]).found


def test_zone_numbers_and_northings_first_are_told(tmp_path):
    zoned = write(tmp_path, gml(gml_house(west_m=32_000_000.0 + WEST_M)))
    assert "zone number 32" in one_fault(zoned).found
    rings = [(kind, ring[:, [1, 0, 2]]) for kind, ring in house()]
    swapped = write(tmp_path, gml(gml_building("H1", gml_boundaries(rings, "H1"))))
    assert "northings come before eastings" in one_fault(swapped).found


# Heights


def test_models_without_heights_are_told(tmp_path):
    flat = [(kind, ring * (1.0, 1.0, 0.0)) for kind, ring in house()]
    path = write(tmp_path, gml(gml_building("H1", gml_boundaries(flat, "H1"))))
    assert "all heights are 0" in one_fault(path).found
    high = [(kind, ring * (1.0, 1.0, 1000.0)) for kind, ring in house()]
    path = write(tmp_path, gml(gml_building("H1", gml_boundaries(high, "H1"))))
    assert "heights from 200000" in one_fault(path).found
    two = gml(gml_house()).replace('srsDimension="3">', 'srsDimension="2">')
    told = [fault.found for fault in faults(write(tmp_path, two))]
    assert "7 rings have two coordinates a point (srsDimension 2)" in told


def test_cityjson_that_cannot_be_placed_is_told(tmp_path):
    model = cityjson()
    model["transform"]["scale"] = [0.001]
    assert "transform" in one_fault(write_json(tmp_path, model)).found
    model = cityjson()
    model["vertices"][3] = [1, 2]
    assert "lists of three numbers" in one_fault(write_json(tmp_path, model)).found
    model = cityjson()
    model["CityObjects"]["H1"]["geometry"][0]["boundaries"] = [1, 2]
    assert "boundaries of H1" in one_fault(write_json(tmp_path, model)).found


def test_all_faults_of_all_files_are_told_at_once(tmp_path):
    paths = [
        write(tmp_path, gml(gml_house("A"), crs="EPSG:25833"), "a.gml"),
        write(tmp_path, gml(""), "b.gml"),
        write(tmp_path, "x", "c.gml"),
        write_json(tmp_path, cityjson({"J": house()}), "d.json"),
    ]
    told = faults(paths, expected_crs="EPSG:25832")
    assert [fault.where for fault in told] == [str(path) for path in paths[:3]]


def test_a_file_that_changes_after_it_was_opened_is_told(tmp_path):
    for path in (write(tmp_path, gml(gml_house())), write_json(tmp_path, cityjson())):
        source = open_citymodels(path)
        path.write_text(" " * 40 + path.read_text())
        with pytest.raises(InputError, match="changed since it was opened"):
            read_city_surfaces(source)


def test_every_broken_text_ends_in_a_fault_or_in_surfaces(tmp_path):
    rng = np.random.default_rng(0)
    texts = {"a.gml": gml(gml_house()).encode(), "a.json": json.dumps(cityjson()).encode()}
    for name, text in texts.items():
        for _ in range(150):
            broken = bytearray(text)
            for at in rng.integers(0, len(broken), rng.integers(1, 4)):
                broken[at] = int(rng.integers(32, 127))
            path = tmp_path / name
            path.write_bytes(broken)
            try:
                read_city_surfaces(open_citymodels(path))
            except (InputErrors, InputError):
                continue


def places_in(value, at=()):
    """Every place in nested lists and objects, as the way to it."""
    steps = value.items() if isinstance(value, dict) else ()
    for step, inner in enumerate(value) if isinstance(value, list) else steps:
        yield (*at, step)
        yield from places_in(inner, (*at, step))


@pytest.mark.parametrize("wrong", [5, -1.5, "x", None, [], {}, [[]], True])
def test_cityjson_with_wrong_things_in_any_place_ends_in_a_fault_or_in_surfaces(tmp_path, wrong):
    rings = {"H1": house()[:2]}
    for place in places_in(cityjson(rings)):
        if place[0] == "vertices" and place[1:] > (1,):
            continue
        model = cityjson(rings)
        inner = model
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = wrong
        try:
            read_city_surfaces(open_citymodels(write_json(tmp_path, model)))
        except (InputErrors, InputError):
            continue
