"""City models read from CityGML and CityJSON, made up and real."""

from __future__ import annotations

import pickle
import tracemalloc
from collections import Counter

import numpy as np
import pytest
from small_citymodels import (
    CRS_NAME,
    ELEMENTS,
    FOOT_M,
    SOUTH_M,
    VOLUME_M3,
    WEST_M,
    cityjson,
    gml,
    gml_boundaries,
    gml_building,
    gml_house,
    gml_polygon,
    house,
    write,
    write_json,
)

from solarkataster.citymodel_faults import surface_faults
from solarkataster.citymodels import measures, solid_volumes_m3
from solarkataster.io.citymodel_headers import epsg_crs
from solarkataster.io.citymodels import citymodel_paths, open_citymodels, read_city_surfaces


def read(path, bounds=None, **options):
    return read_city_surfaces(open_citymodels(path, **options), bounds)


def is_house(found) -> None:
    """All surfaces of the small house, where it stands, and nothing wrong."""
    expected = house()
    assert [surface.kind for surface in found.surfaces] == [kind for kind, _ in expected]
    for surface, (_, ring) in zip(found.surfaces, expected, strict=True):
        np.testing.assert_allclose(surface.outer, ring, atol=1e-6)
    assert found.faults == []


# CityGML


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("style", ["posList", "pos", "coordinates"])
def test_a_house_comes_out_of_citygml_as_it_is(tmp_path, version, style):
    path = write(tmp_path, gml(gml_house(style=style), version))
    source = open_citymodels(path, expected_crs="EPSG:25832")
    (file,) = source.files
    assert (file.format, file.version, file.crs) == ("CityGML", version, "EPSG:25832+7837")
    assert (source.n_buildings, source.n_parts, source.n_polygons) == (1, 0, 7)
    assert source.bounds == (WEST_M, SOUTH_M, WEST_M + 10.0, SOUTH_M + 8.0)
    assert (file.lowest_m, file.highest_m) == (FOOT_M, FOOT_M + 8.0)
    is_house(read_city_surfaces(source))


def test_attributes_of_buildings_and_parts_are_kept_apart(tmp_path):
    about = (
        "<core:creationDate>2020-12-18</core:creationDate>"
        '<gen:stringAttribute name="Gemeinde"><gen:value>Köln</gen:value></gen:stringAttribute>'
        "<bldg:function>31001_1010</bldg:function>"
        "<bldg:storeysAboveGround>2</bldg:storeysAboveGround>"
    )
    part = (
        '<bldg:consistsOfBuildingPart><bldg:BuildingPart gml:id="P1">'
        "<bldg:roofType>3100</bldg:roofType>"
        '<bldg:measuredHeight uom="urn:adv:uom:m">8.0</bldg:measuredHeight>'
        + gml_boundaries(house(), "P1")
        + "</bldg:BuildingPart></bldg:consistsOfBuildingPart>"
    )
    found = read(write(tmp_path, gml(gml_building("H1", part, about))))
    whole, own = found.objects
    assert (whole.building_id, whole.part_id, whole.function) == ("H1", "", "31001_1010")
    assert (whole.creation_date, whole.n_storeys) == ("2020-12-18", 2)
    assert whole.other == {"Gemeinde": "Köln"}
    assert (own.building_id, own.part_id) == ("H1", "P1")
    assert (own.roof_type, own.measured_height_m) == ("3100", 8.0)
    assert {surface.solid for surface in found.surfaces} == {("H1", "P1")}
    is_house(found)


def test_heights_in_feet_are_not_taken_for_metres(tmp_path):
    about = '<bldg:measuredHeight uom="ft">26.2</bldg:measuredHeight>'
    content = gml_building("H1", gml_boundaries(house(), "H1"), about)
    (whole,) = read(write(tmp_path, gml(content))).objects
    assert whole.measured_height_m is None
    assert whole.other == {"measuredHeight": "26.2 ft"}


def solid(members: str) -> str:
    return (
        "<bldg:lod2Solid><gml:Solid><gml:exterior><gml:CompositeSurface>"
        f"{members}</gml:CompositeSurface></gml:exterior></gml:Solid></bldg:lod2Solid>"
    )


def member(polygon: str = "", href: str = "") -> str:
    if href:
        return f'<gml:surfaceMember xlink:href="#{href}"/>'
    return f"<gml:surfaceMember>{polygon}</gml:surfaceMember>"


def test_a_solid_that_refers_to_the_boundaries_adds_nothing(tmp_path):
    refers = solid("".join(member(href=f"H1-{k}") for k in range(7)))
    content = gml_building("H1", refers + gml_boundaries(house(), "H1"))
    is_house(read(write(tmp_path, gml(content))))


def test_a_solid_that_repeats_the_boundaries_adds_nothing(tmp_path):
    repeats = solid("".join(member(gml_polygon(f"x{k}", r)) for k, (_, r) in enumerate(house())))
    content = gml_building("H1", repeats + gml_boundaries(house(), "H1"))
    is_house(read(write(tmp_path, gml(content))))


def test_boundaries_may_refer_to_the_polygons_of_the_solid(tmp_path):
    inline = solid("".join(member(gml_polygon(f"x{k}", r)) for k, (_, r) in enumerate(house())))
    refers = "".join(
        f"<bldg:boundedBy><bldg:{ELEMENTS[kind]}><bldg:lod2MultiSurface><gml:MultiSurface>"
        f"{member(href=f'x{k}')}</gml:MultiSurface></bldg:lod2MultiSurface>"
        f"</bldg:{ELEMENTS[kind]}></bldg:boundedBy>"
        for k, (kind, _) in enumerate(house())
    )
    found = read(write(tmp_path, gml(gml_building("H1", inline + refers))))
    is_house(found)
    assert [surface.surface_id for surface in found.surfaces] == [f"x{k}" for k in range(7)]


def test_surfaces_face_as_their_solid_turns_them(tmp_path):
    rings = [(kind, ring[::-1] if k == 1 else ring) for k, (kind, ring) in enumerate(house())]
    turned = '<gml:OrientableSurface orientation="-"><gml:baseSurface xlink:href="#H1-1"/>'
    members = [
        member(f"{turned}</gml:OrientableSurface>") if k == 1 else member(href=f"H1-{k}")
        for k in range(7)
    ]
    content = gml_building("H1", solid("".join(members)) + gml_boundaries(rings, "H1"))
    found = read(write(tmp_path, gml(content)))
    assert surface_faults(found.surfaces) == []
    assert solid_volumes_m3(found.surfaces) == {("H1", ""): pytest.approx(VOLUME_M3)}


def test_walls_turned_inside_out_are_given_as_they_are_and_named(tmp_path):
    rings = [(kind, ring[::-1] if k == 1 else ring) for k, (kind, ring) in enumerate(house())]
    found = read(write(tmp_path, gml(gml_house()).replace(*_rewound(rings))))
    (fault,) = surface_faults(found.surfaces)
    assert (fault.building_id, fault.surface_id, fault.name) == ("H1", "H1-1", "inside out")


def _rewound(rings) -> tuple[str, str]:
    return gml_polygon("H1-1", house()[1][1]), gml_polygon("H1-1", rings[1][1])


def test_holes_are_read(tmp_path):
    ring = house()[1][1]
    inner = ring.mean(axis=0) + 0.3 * (ring[::-1] - ring.mean(axis=0))
    found = read(write(tmp_path, gml(gml_house(holes={1: [inner]}))))
    np.testing.assert_allclose(found.surfaces[1].holes[0], inner, atol=1e-3)
    # 50 m² of wall without 0.3² of it; coordinates are in millimetres.
    assert measures(found.surfaces).area_m2[1] == pytest.approx(50.0 * 0.91, abs=0.02)


def test_other_levels_of_detail_are_left_alone(tmp_path):
    box = gml_polygon("b", house()[0][1] + (0.0, 0.0, 50.0))
    lod1 = solid(member(box)).replace("lod2", "lod1")
    cut = f"<bldg:lod2TerrainIntersection>{member(box)}</bldg:lod2TerrainIntersection>"
    content = gml_building("H1", lod1 + cut + gml_boundaries(house(), "H1"))
    path = write(tmp_path, gml(content))
    assert open_citymodels(path).files[0].highest_m == FOOT_M + 8.0
    is_house(read(path))


def test_a_file_in_latin_1_is_read_by_its_declaration(tmp_path):
    text = gml(gml_house("Müller")).replace("UTF-8", "ISO-8859-1")
    path = tmp_path / "model.gml"
    path.write_bytes(text.encode("latin-1"))
    assert {surface.building_id for surface in read(path).surfaces} == {"Müller"}


def test_single_surfaces_that_cannot_be_built_are_named_and_the_others_read(tmp_path):
    text = gml(gml_house(close=False)).replace("410010.000 5480000.000", "nan x", 1)
    text = text.replace("5480008.000", "", 1)
    found = read(write(tmp_path, text))
    told = Counter(fault.name for fault in found.faults)
    assert told["unreadable coordinates"] >= 1
    assert told["ring not closed"] == len(found.surfaces) == 7 - told["unreadable coordinates"]


def test_references_that_lead_nowhere_or_round_in_a_circle_are_named(tmp_path):
    around = '<gml:CompositeSurface gml:id="c"><gml:surfaceMember xlink:href="#c"/>'
    content = solid(member(href="none") + member(around + "</gml:CompositeSurface>"))
    found = read(write(tmp_path, gml(gml_building("H1", content + gml_boundaries(house(), "H1")))))
    assert [fault.name for fault in found.faults] == ["missing surface", "missing surface"]
    assert found.faults[0].surface_id == "none"
    assert len(found.surfaces) == 7


def test_solids_without_boundaries_have_surfaces_without_a_meaning(tmp_path):
    inline = solid("".join(member(gml_polygon(f"x{k}", r)) for k, (_, r) in enumerate(house())))
    found = read(write(tmp_path, gml(gml_building("H1", inline))))
    assert {surface.kind for surface in found.surfaces} == {"unnamed"}
    assert Counter(fault.name for fault in found.faults) == {"no meaning": 7}


def test_only_buildings_that_touch_the_bounds_are_read_and_whole(tmp_path):
    houses = "".join(gml_house(f"H{k}", WEST_M + 100.0 * k) for k in range(5))
    path = write(tmp_path, gml(houses))
    found = read(path, (WEST_M + 109.0, SOUTH_M, WEST_M + 205.0, SOUTH_M + 1.0))
    assert {surface.building_id for surface in found.surfaces} == {"H1", "H2"}
    assert len(found.surfaces) == 14
    nowhere = open_citymodels(path).touching((0.0, 0.0, 1.0, 1.0))
    assert nowhere.files == ()
    assert len(read_city_surfaces(nowhere)) == 0


def test_the_order_of_files_and_formats_changes_nothing(tmp_path):
    a = write(tmp_path, gml(gml_house("B")), "a.gml")
    b = write_json(tmp_path, cityjson({"A": house(WEST_M + 50.0)}), "b.json")
    one, other = (read(paths) for paths in ([a, b], [b, a]))
    ids = [surface.building_id for surface in one.surfaces]
    assert ids == ["A"] * 7 + ["B"] * 7
    assert ids == [surface.building_id for surface in other.surfaces]
    assert citymodel_paths(str(tmp_path / "*")) == [a, b]


# CityJSON


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0"])
@pytest.mark.parametrize("transform", [True, False])
@pytest.mark.parametrize("kind", ["Solid", "MultiSurface", "CompositeSurface", "MultiSolid"])
def test_a_house_comes_out_of_cityjson_as_it_is(tmp_path, version, transform, kind):
    model = cityjson(version=version, transform=transform, kind=kind)
    source = open_citymodels(write_json(tmp_path, model), expected_crs="EPSG:25832")
    assert (source.files[0].format, source.files[0].version) == ("CityJSON", version)
    assert (source.n_buildings, source.n_parts, source.n_polygons) == (1, 0, 7)
    np.testing.assert_allclose(
        source.bounds, (WEST_M, SOUTH_M, WEST_M + 10.0, SOUTH_M + 8.0), atol=1e-6
    )
    is_house(read_city_surfaces(source))


@pytest.mark.parametrize("indent", [None, 1])
def test_the_order_of_keys_and_blanks_change_nothing(tmp_path, indent):
    model = cityjson()
    for keys in (sorted(model), sorted(model, reverse=True)):
        turned = {key: model[key] for key in keys}
        is_house(read(write_json(tmp_path, turned, indent=indent)))


def test_the_highest_lod2_is_taken_and_lod3_left(tmp_path):
    model = cityjson(lod="2.2")
    (thing,) = model["CityObjects"].values()
    geometry = thing["geometry"][0]
    coarse = {**geometry, "lod": "2", "boundaries": [geometry["boundaries"][0][:4]]}
    thing["geometry"] = [{**coarse, "lod": "3"}, coarse, geometry, {**coarse, "lod": 1}]
    is_house(read(write_json(tmp_path, model)))


def test_parts_of_parts_belong_to_their_building(tmp_path):
    model = cityjson({"P": house()})
    part = model["CityObjects"]["P"]
    part |= {"type": "BuildingPart", "parents": ["M"], "attributes": {"roofType": "3100"}}
    model["CityObjects"] |= {
        "M": {"type": "BuildingPart", "parents": ["Häuser"], "children": ["P"]},
        "Häuser": {"type": "Building", "children": ["M"], "attributes": {"measuredHeight": 8.0}},
        "Baum": {"type": "SolitaryVegetationObject"},
    }
    for ascii_only in (True, False):
        path = write_json(tmp_path, model, ensure_ascii=ascii_only)
        source = open_citymodels(path)
        assert (source.n_buildings, source.n_parts) == (1, 2)
        found = read_city_surfaces(source)
        assert {surface.solid for surface in found.surfaces} == {("Häuser", "P")}
        assert found.objects[0].measured_height_m == 8.0
        assert {o.part_id: o.roof_type for o in found.objects}["P"] == "3100"
        is_house(found)


def test_vertices_that_are_not_there_and_missing_meanings_are_named(tmp_path):
    model = cityjson()
    geometry = model["CityObjects"]["H1"]["geometry"][0]
    geometry["boundaries"][0][1][0][0] = 99
    geometry["semantics"]["values"][0][2] = None
    found = read(write_json(tmp_path, model))
    assert [(f.surface_id, f.name) for f in found.faults] == [
        ("H1-1", "unreadable coordinates"),
        ("H1-2", "no meaning"),
    ]
    assert len(found.surfaces) == 6


def test_a_file_of_many_pieces_is_read_like_one_of_a_single_piece(tmp_path, monkeypatch):
    from solarkataster.io import citymodel_gml, citymodel_json

    houses = {f"Haus-ä{k}": house(WEST_M + 20.0 * k) for k in range(8)}
    as_json = write_json(tmp_path, cityjson(houses), ensure_ascii=False)
    as_gml = write(tmp_path, gml("".join(gml_house(k, r[0][1][3, 0]) for k, r in houses.items())))
    whole = [read(path) for path in (as_json, as_gml)]
    for n_bytes in (7, 64, 1000):
        monkeypatch.setattr(citymodel_json, "_CHUNK_BYTES", n_bytes)
        monkeypatch.setattr(citymodel_gml, "_CHUNK_BYTES", n_bytes)
        for path, expected in zip((as_json, as_gml), whole, strict=True):
            found = read(path)
            assert [s.surface_id for s in found.surfaces] == [
                s.surface_id for s in expected.surfaces
            ]
            for one, other in zip(found.surfaces, expected.surfaces, strict=True):
                np.testing.assert_array_equal(one.outer, other.outer)


def test_an_opened_model_travels_to_workers(tmp_path):
    for path in (write(tmp_path, gml(gml_house())), write_json(tmp_path, cityjson())):
        source = pickle.loads(pickle.dumps(open_citymodels(path)))
        is_house(read_city_surfaces(source))


def peak_bytes(act) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("file_format", ["CityGML", "CityJSON"])
def test_memory_follows_the_buildings_and_not_the_bytes(tmp_path, monkeypatch, figure, file_format):
    from solarkataster.io import citymodel_gml, citymodel_json

    monkeypatch.setattr(citymodel_json, "_CHUNK_BYTES", 1 << 14)
    monkeypatch.setattr(citymodel_gml, "_CHUNK_BYTES", 1 << 14)
    n_houses, rest = 400, "x" * 20_000  # what buildings say about themselves
    places = {f"H{k}": WEST_M + 20.0 * k for k in range(n_houses)}
    if file_format == "CityGML":
        about = f'<gen:stringAttribute name="n"><gen:value>{rest}</gen:value></gen:stringAttribute>'
        content = (gml_boundaries(house(west_m), k) for k, west_m in places.items())
        houses = (gml_building(k, c, about) for k, c in zip(places, content, strict=True))
        path = write(tmp_path, gml("".join(houses)))
    else:
        model = cityjson({k: house(west_m) for k, west_m in places.items()})
        for thing in model["CityObjects"].values():
            thing["attributes"]["n"] = rest
        path = write_json(tmp_path, model)
    open_citymodels(path)  # what is loaded once
    peak = peak_bytes(lambda: open_citymodels(path))
    figure(f"{file_format}, look through", f"{peak / n_houses:.0f} bytes a building")
    assert path.stat().st_size > 8e6
    assert peak < 3000 * n_houses  # of 20 kB each; 31 vertices of 24 bytes, thrice
    source = open_citymodels(path).touching((WEST_M, SOUTH_M, WEST_M + 30.0, SOUTH_M + 9.0))
    assert peak_bytes(lambda: read_city_surfaces(source)) < 3000 * n_houses


# Names of coordinate systems


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (CRS_NAME, "EPSG:25832+7837"),
        ("urn:adv:crs:ETRS89_UTM33*DE_DHHN92_NH", "EPSG:25833+5783"),
        ("urn:adv:crs:DE_DHDN_3GK3", "EPSG:31467"),
        ("urn:adv:crs:DE_UNBEKANNT", None),
        ("urn:ogc:def:crs:EPSG::25833", "EPSG:25833"),
        ("urn:ogc:def:crs:EPSG:6.12:25833", "EPSG:25833"),
        ("urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::5783", "EPSG:25832+5783"),
        ("urn:ogc:def:crs,crs:EPSG:6.12:31467,crs:EPSG:6.12:5783", "EPSG:31467+5783"),
        ("http://www.opengis.net/def/crs/EPSG/0/7415", "EPSG:7415"),
        ("https://www.opengis.net/def/crs/EPSG/0/7415", "EPSG:7415"),
        ("http://www.opengis.net/gml/srs/epsg.xml#25832", "EPSG:25832"),
        ("EPSG:25832+7837", "EPSG:25832+7837"),
        ("EPSG:25832", "EPSG:25832"),
        ("EPSG:999999", None),
        ("Soldner Berlin", None),
    ],
)
def test_names_of_coordinate_systems_become_codes(name, code):
    assert epsg_crs(name) == code
