"""Tiles of walls: lines and strips where the walls are, values of the tables, light files."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from tile_reading import outline_m, read_tiles
from webmap_town import META, make_town
from webmap_walls import DARK, GROUND_M, HIDDEN, STOREY_M, make_walls

from solarkataster.errors import InputError
from solarkataster.facades.strips import OUTSIDE_M
from solarkataster.io.webmap import write_map
from solarkataster.io.webtiles_facades import (
    LID_M,
    WALL_COLOURS,
    WALL_ZOOM,
    write_facade_tiles,
    write_storey_tiles,
)

GABLE = "DENW12AL00006"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return make_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def walls(town):
    return make_walls(town)


@pytest.fixture(scope="module")
def path(walls, tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles") / "facades.pmtiles"
    n = write_facade_tiles(path, walls.facades, walls.storeys)
    assert n == len(walls.facades) - 1
    return path


@pytest.fixture(scope="module")
def strips(town, walls, tmp_path_factory):
    path = tmp_path_factory.mktemp("tiles") / "storeys.pmtiles"
    write_storey_tiles(path, walls.facades, walls.storeys, town.buildings, STOREY_M)
    return path


def features(path, layer):
    """Properties and places of all features of a layer, by wall."""
    found = defaultdict(list)
    for (zoom, x, y), data in read_tiles(path).items():
        for feature in mapbox_vector_tile.decode(gzip.decompress(data))[layer]["features"]:
            place = (zoom, x, y, feature["geometry"])
            found[feature["properties"]["facade_id"]].append((feature["properties"], place))
    return found


def test_every_wall_that_is_seen_is_there_in_one_zoom(walls, path, strips):
    seen = set(walls.facades.facade_id) - {HIDDEN}
    for archive, layer in ((path, "facades"), (strips, "facade_storeys")):
        assert {zoom for zoom, _, _ in read_tiles(archive)} == {WALL_ZOOM}
        assert set(features(archive, layer)) == seen


def test_values_are_those_of_the_table_to_the_digits_shown(walls, path):
    for row in walls.facades.itertuples():
        for properties, _ in features(path, "facades").get(row.facade_id, []):
            if row.facade_id == DARK:
                assert "poa_global_year_kwh_m2" not in properties
                continue
            year = round(row.poa_global_year_kwh_m2, 1)
            assert properties["poa_global_year_kwh_m2"] == year
            assert properties["poa_global_year_half_kwh"] == round(row.poa_global_year_half_kwh)
            assert properties["surface_azimuth"] == round(row.surface_azimuth, 1)
            assert (properties["suitability"], properties["is_courtyard"]) == ("gut", False)


def test_each_storey_has_strips_with_its_own_light(walls, strips):
    found = features(strips, "facade_storeys")
    for row in walls.storeys.itertuples():
        own = [p for p, _ in found[row.facade_id] if p["storey"] == row.storey]
        assert own, row.storey_id
        assert {p["poa_global_year_kwh_m2"] for p in own} == {round(row.poa_global_year_kwh_m2, 1)}


def test_a_wall_carries_its_storeys_with_classes_and_balcony_plants(walls, path):
    found = features(path, "facades")
    assert all(p["storeys"] == "" for p, _ in found[DARK])
    for facade_id, own in walls.storeys.groupby("facade_id"):
        expected = [
            [
                row.storey,
                round(row.poa_global_year_kwh_m2, 1),
                row.suitability,
                round(row.balcony_upright_kwh),
                round(row.balcony_tilted_kwh),
                row.balcony_class,
            ]
            for row in own.sort_values("storey").itertuples()
        ]
        assert json.loads(found[facade_id][0][0]["storeys"]) == expected


def test_nothing_that_a_rating_changes_is_in_the_strips(town, walls, strips, tmp_path):
    again = tmp_path / "again.pmtiles"
    changed = walls.storeys.assign(suitability="gering", balcony_class="", balcony_upright_kwh=1.0)
    rated = walls.facades.assign(suitability="gering", yield_year_kwh=1.0)
    write_storey_tiles(again, rated, changed, town.buildings, STOREY_M)
    assert read_tiles(again) == read_tiles(strips)


def test_strips_stand_beside_their_wall_from_the_ground_to_its_top(walls, strips):
    """At z16 a tile unit is 0.1 m, and corners round to it."""
    strips = features(strips, "facade_storeys")
    for row in walls.facades[walls.facades.facade_id.isin(strips)].itertuples():
        line = shapely.force_2d(row.geometry.boundary)
        assert min(p["base_m"] for p, _ in strips[row.facade_id]) == 0.0
        top_m = max(p["top_m"] for p, _ in strips[row.facade_id])
        assert row.height_m - 0.8 < top_m <= row.height_m + 0.01
        drawn = [outline_m(place).buffer(0) for _, place in strips[row.facade_id]]
        corners = shapely.points(shapely.get_coordinates(drawn))
        assert shapely.distance(corners, line).max() < OUTSIDE_M + 0.12
        assert shapely.union_all(drawn).buffer(0.1).intersection(line).length > row.length_m - 0.1


def test_a_gable_is_stepped_and_an_eaves_wall_is_not(walls, strips):
    own = walls.facades[walls.facades.building_id == GABLE].set_index("facade_id")
    strips = features(strips, "facade_storeys")
    for facade_id, row in own.iterrows():
        tops = {p["top_m"] for p, _ in strips[facade_id]}
        n_storey = max(1, int(row.height_m / STOREY_M + 0.5))
        assert (len(tops) > n_storey) is (row.length_m < 15)


def test_no_strip_stands_over_the_lid_of_its_building(town, walls, tmp_path):
    low = town.buildings.assign(height_m=3.0)
    path = tmp_path / "f.pmtiles"
    write_storey_tiles(path, walls.facades, walls.storeys, low, STOREY_M)
    tops = [p["top_m"] for own in features(path, "facade_storeys").values() for p, _ in own]
    assert max(tops) == pytest.approx(3.0 + LID_M)


def test_walls_on_a_slope_are_drawn_from_one_level(town, walls, tmp_path):
    """Two walls a metre up and two a metre down: all stand on the flat ground of the map."""
    own = walls.facades[walls.facades.building_id == "DENW12AL00005"].copy()
    shift_m = np.array([1.0, 1.0, -1.0, -1.0]) * own.length_m.mean() / own.length_m
    own["ground_elevation_m"] = own["foot_elevation_m"] = GROUND_M + shift_m
    own["height_m"] -= shift_m
    path = tmp_path / "f.pmtiles"
    write_storey_tiles(path, own, walls.storeys, town.buildings, STOREY_M)
    strips = features(path, "facade_storeys")
    assert {min(p["base_m"] for p, _ in one) for one in strips.values()} == {0.0}
    tops = {max(p["top_m"] for p, _ in one) for one in strips.values()}
    assert tops == {town.buildings.set_index("building_id").height_m["DENW12AL00005"]}


def test_no_wall_writes_no_file_and_a_missing_column_is_named(town, walls, tmp_path):
    path = tmp_path / "none.pmtiles"
    nothing = walls.facades.iloc[:0]
    assert write_facade_tiles(path, nothing, walls.storeys) == 0
    assert write_storey_tiles(path, nothing, walls.storeys, town.buildings, STOREY_M) == 0
    assert not path.exists()
    less = walls.facades.drop(columns="overhang_m")
    with pytest.raises(InputError, match="overhang_m"):
        write_facade_tiles(path, less, walls.storeys)


def test_ten_thousand_walls_take_less_than_six_megabytes(walls, path, strips):
    """560 bytes a wall with its storeys, measured here; values of real walls repeat no more."""
    size = path.stat().st_size + strips.stat().st_size
    assert size < 600 * len(walls.facades) + 4096


def test_the_map_tells_its_walls_and_their_own_scale(town, walls, tmp_path):
    for name, told in (("with", walls), ("without", None)):
        folder = tmp_path / name
        write_map(folder, town.roofs, town.buildings, town.year_raster, META, walls=told)
        page = json.loads((folder / "map.json").read_text(encoding="utf-8"))
        assert page["n_facades"] == (len(walls.facades) - 1 if told else 0)
        for archive in ("facades", "storeys"):
            assert (folder / f"{archive}.pmtiles").exists() is bool(told)
        assert page["wall_colours"] == [list(stop) for stop in WALL_COLOURS]
        assert page["wall_colours"] != page["colours"]


def test_lightness_of_the_walls_scale_only_rises():
    """CIE lightness (IEC 61966-2-1 to Y, CIE 15:2004 to L*): readable without colour vision."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in WALL_COLOURS])
    linear = rgb / 255.0
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    assert (np.diff(lightness) > 4).all()


def test_the_same_walls_give_the_same_tiles(walls, path, tmp_path):
    again = tmp_path / "again.pmtiles"
    write_facade_tiles(again, walls.facades, walls.storeys)
    assert read_tiles(again) == read_tiles(path)
