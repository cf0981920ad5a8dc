"""Monuments: which buildings they mark, from which files."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from small_inputs import CRS, NORTH_M, WEST_M, check, one_fault, outlines, write_config

from solarkataster.errors import InputErrors
from solarkataster.io.monuments import read_monuments
from solarkataster.rating.monuments import is_monument
from solarkataster.rating.protection import ENSEMBLE, SINGLE, protection_of

#: Two houses with a wall in common, and one apart.
HOUSES = np.array(
    [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(40, 0, 50, 10)],
    dtype=object,
)


def marked(*monuments, footprints=HOUSES) -> list[int]:
    return np.flatnonzero(is_monument(footprints, np.array(monuments, dtype=object))).tolist()


def test_areas_mark_the_buildings_they_share_ground_with():
    assert marked(shapely.box(-5, -5, 5, 5)) == [0]
    assert marked(shapely.box(-5, -5, 100, 50)) == [0, 1, 2]
    assert marked(shapely.box(100, 100, 110, 110)) == []


def test_wall_in_common_drawn_some_centimetres_apart_marks_no_neighbour():
    assert marked(shapely.box(0, 0, 10, 10)) == [0]
    assert marked(shapely.box(0, 0, 10.08, 10)) == [0]
    assert marked(shapely.box(0, 0, 10.2, 10)) == [0, 1]


def test_small_things_are_marked_by_half_of_themselves():
    kiosk = np.array([shapely.box(0, 0, 1, 1)], dtype=object)
    assert marked(shapely.box(-3, -3, 0.6, 3), footprints=kiosk) == [0]
    assert marked(shapely.box(-3, -3, 0.4, 3), footprints=kiosk) == []
    assert marked(shapely.box(4, 4, 4.5, 4.5)) == [0]  # a wayside shrine inside the outline


def test_points_mark_the_building_they_lie_in():
    assert marked(shapely.Point(5, 5), shapely.MultiPoint([(45, 5), (70, 70)])) == [0, 2]
    assert marked(shapely.Point(10, 5)) == []  # on the wall of two
    assert marked(shapely.Point(25, 5)) == []


def test_lines_mark_what_they_run_through():
    assert marked(shapely.LineString([(-5, 5), (25, 5)])) == [0, 1]
    assert marked(shapely.LineString([(10, -5), (10, 15)])) == []  # along the wall
    assert marked(shapely.LineString([(-5, 5), (0.5, 5)])) == []


def test_buildings_without_geometry_are_none():
    footprints = np.array([None, shapely.Polygon(), HOUSES[0]], dtype=object)
    assert marked(shapely.box(0, 0, 5, 5), footprints=footprints) == [2]
    assert not is_monument(footprints, np.zeros(0, dtype=object)).any()


# Files


def house(i: int) -> shapely.Polygon:
    return outlines().geometry[i]


def write(path: Path, geometries, crs=CRS, layer=None) -> Path:
    table = gpd.GeoDataFrame({"name": "x"}, geometry=geometries, index=range(len(geometries)))
    if crs is not None:
        table = table.set_crs(CRS).to_crs(crs)
    table.to_file(path, engine="pyogrio", **({"layer": layer} if layer else {}))
    return path


def with_monuments(folder: Path, name: str = "monuments.gpkg") -> None:
    write_config(folder, monuments=name)


def test_layers_of_areas_and_points_in_degrees_mark_the_houses_of_a_run(folder):
    path = folder / "monuments.gpkg"
    write(path, [house(3).buffer(1.0), None], crs="EPSG:4326", layer="ensembles")
    write(path, [house(7).centroid, house(8).centroid], crs="EPSG:3857", layer="single")
    with_monuments(folder)
    checked = check(folder)
    assert np.flatnonzero(checked.is_monument).tolist() == [3, 7, 8]
    assert str(path) in checked.checksums


def test_without_monuments_no_house_is_one(folder):
    assert check(folder).is_monument.tolist() == [False] * 144


def test_shapefile_of_monuments_is_checked_with_its_parts(folder):
    write(folder / "monuments.shp", [house(0)])
    with_monuments(folder, "monuments.shp")
    checked = check(folder)
    assert checked.is_monument[0]
    assert str(folder / "monuments.dbf") in checked.checksums


def test_invalid_areas_are_mended(folder):
    west, south, east, north = house(5).bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    write(folder / "monuments.gpkg", [bow])
    with_monuments(folder)
    assert check(folder).is_monument[5]


def test_monuments_of_another_town_are_noted(folder):
    write(
        folder / "monuments.gpkg", [shapely.box(WEST_M + 5e3, NORTH_M, WEST_M + 6e3, NORTH_M + 9)]
    )
    with_monuments(folder)
    checked = check(folder)
    assert not checked.is_monument.any()
    assert any("monuments.gpkg: none of 1" in note for note in checked.notes)


def test_missing_file_names_the_key(folder):
    with_monuments(folder)
    fault = one_fault(folder)
    assert "not found" in fault.found
    assert "monuments in [inputs]" in fault.remedy


def test_text_instead_of_a_layer_is_told(folder):
    (folder / "monuments.gpkg").write_text("Denkmalliste")
    with_monuments(folder)
    assert "cannot be read as monuments" in one_fault(folder).found


@pytest.mark.filterwarnings("ignore:'crs' was not provided:UserWarning")
def test_monuments_without_a_coordinate_system_stop(folder):
    write(folder / "monuments.gpkg", [house(0)], crs=None)
    with_monuments(folder)
    assert "no coordinate system" in one_fault(folder).found


def test_zone_number_in_the_eastings_stops(folder):
    far = shapely.transform(house(0), lambda xy: xy + np.array([32e6, 0.0]))
    write(folder / "monuments.gpkg", [far])
    with_monuments(folder)
    assert "zone number 32" in one_fault(folder).found


def test_table_without_geometry_stops(folder):
    write(folder / "monuments.gpkg", [None, shapely.Polygon()])
    with pytest.raises(InputErrors, match="holds no geometry"):
        read_monuments(folder / "monuments.gpkg", CRS)
    gpd.GeoDataFrame({"name": ["x"]}, geometry=[house(0)], crs=CRS).drop(columns="geometry").to_csv(
        folder / "monuments.csv"
    )
    with pytest.raises(InputErrors, match="holds no geometry"):
        read_monuments(folder / "monuments.csv", CRS)


# Kinds of protection


def test_part_of_an_ensemble_is_no_monument_of_its_own_unless_it_is_marked_as_one():
    kinds = [
        "Einzeldenkmal",
        "Denkmalzone",
        "Denkmalzone; Einzeldenkmal",
        "",
        "Bauliche Gesamtanlage",
    ]
    found = protection_of(np.ones(5, dtype=bool), np.array(kinds, dtype=object))
    assert found.tolist() == [SINGLE, ENSEMBLE, SINGLE, SINGLE, ENSEMBLE]


def test_unmarked_buildings_are_not_protected_whatever_their_kind_says():
    kinds = np.array(["Denkmalzone", ""], dtype=object)
    assert protection_of(np.zeros(2, dtype=bool), kinds).tolist() == ["", ""]
