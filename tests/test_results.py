"""Result tables: types whatever is missing, and a look in QGIS for polygons and lines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from xml.etree import ElementTree as Xml

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

from solarkataster.columns import Column
from solarkataster.io.qgis_style import categorized_style, graduated_style, plain_style
from solarkataster.io.results import Layer, typed, write_geopackage

STOPS = ((400.0, "#20068f"), (800.0, "#c6417d"), (1200.0, "#f9dc24"))
CLASSES = {"gut": "#f7a13b", "gering": "#2f2370"}
CRS = "EPSG:25832"


def parsed(qml: str) -> Xml.Element:
    return Xml.fromstring(qml.removeprefix("<!DOCTYPE qgis>"))


def option(symbol: Xml.Element, name: str) -> str:
    return symbol.find(f".//Option[@name='{name}']").get("value")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, None, np.nan], [True, False, False]),
        ([np.nan, np.nan], [False, False]),
        ([1.0, 0.0, np.nan], [True, False, False]),
        (pd.array([True, pd.NA], dtype="boolean"), [True, False]),
        ([], []),
    ],
)
def test_a_missing_yes_or_no_is_no(values, expected):
    """In Python NaN is true."""
    column = typed(pd.DataFrame({"monument": values}), [Column("monument", "bool", "–", "")])
    assert column["monument"].dtype == bool
    assert column["monument"].tolist() == expected


def test_a_column_that_no_tile_has_gets_its_type_all_the_same():
    columns = [Column(kind, kind, "–", "") for kind in ("bool", "int32", "float64", "str")]
    row = typed(pd.DataFrame(index=range(1)), columns).iloc[0]
    assert (row["bool"], row["int32"], row["str"]) == (False, 0, "")
    assert np.isnan(row["float64"])


def test_a_plain_style_is_one_symbol_in_its_colour():
    (symbol,) = parsed(plain_style("#7d838c", outline_mm=0.05)).findall(".//symbol")
    assert symbol.get("type") == "fill"
    assert option(symbol, "color") == "125,131,140,255"
    assert option(symbol, "outline_width") == "0.05"


def test_lines_are_drawn_not_filled():
    root = parsed(plain_style("#1f2a44", shape="line"))
    assert root.findtext("layerGeometryType") == "1"
    assert root.find(".//symbol").get("type") == "line"
    assert option(root.find(".//symbol"), "line_color") == "31,42,68,255"


def test_classes_of_a_graduated_style_cover_every_number_once():
    """Two stops and one between, one below, one above, one for no value."""
    root = parsed(graduated_style("year", STOPS, outline_mm=0.03))
    rules = [rule.get("filter") for rule in root.findall(".//rule")]
    assert rules == [
        '"year" < 400',
        '"year" >= 400 AND "year" < 800',
        '"year" >= 800 AND "year" < 1200',
        '"year" >= 1200',
        "ELSE",
    ]
    assert {option(symbol, "outline_width") for symbol in root.findall(".//symbol")} == {"0.03"}


def test_names_have_their_colours_and_all_others_are_grey():
    root = parsed(categorized_style("suitability", CLASSES, "keine Angabe", shape="upright"))
    renderer = root.find("renderer-v2")
    assert (renderer.get("type"), renderer.get("attr")) == ("categorizedSymbol", "suitability")
    legend = [(c.get("value"), c.get("label"), c.get("symbol")) for c in root.iter("category")]
    assert legend == [("gut", "gut", "0"), ("gering", "gering", "1"), ("", "keine Angabe", "2")]
    colours = {s.get("name"): option(s, "outline_color") for s in root.findall(".//symbol")}
    assert colours == {"0": "247,161,59,255", "1": "47,35,112,255", "2": "180,180,180,255"}


def test_rated_layers_open_by_class_and_keep_their_light_as_second_look(tmp_path):
    table = gpd.GeoDataFrame(
        {"year": [900.0, 300.0], "suitability": ["gut", ""]},
        geometry=[box(0, 0, 1, 2)] * 2,
        crs=CRS,
    )
    layers = {
        "roofs": Layer(table, "year", STOPS, "Roofs", classes=CLASSES),
        "unrated": Layer(table.assign(suitability=""), "year", STOPS, "Roofs", classes=CLASSES),
    }
    write_geopackage(tmp_path / "result.gpkg", layers)
    query = "SELECT f_table_name, styleName, useAsDefault, styleQML FROM layer_styles ORDER BY id"
    with closing(sqlite3.connect(tmp_path / "result.gpkg")) as database:
        rows = database.execute(query).fetchall()
    kinds = [(*row[:3], parsed(row[3]).find("renderer-v2").get("type")) for row in rows]
    assert kinds == [
        ("roofs", "Eignung", 1, "categorizedSymbol"),
        ("roofs", "Sonnenlicht", 0, "RuleRenderer"),
        ("unrated", "unrated", 1, "RuleRenderer"),
    ]


def test_each_layer_of_a_geopackage_has_the_look_of_its_shape(tmp_path):
    shapes = {"modules": box(0, 0, 1, 2), "superstructures": box(0, 0, 1, 1)}
    shapes["sides"] = LineString([(0, 0), (4, 0)])
    tables = {
        name: gpd.GeoDataFrame({"year": [900.0], "monument": [True]}, geometry=[one], crs=CRS)
        for name, one in shapes.items()
    }
    empty = tables["sides"].iloc[:0]
    path = tmp_path / "result.gpkg"
    write_geopackage(
        path,
        {
            "modules": Layer(tables["modules"], "year", STOPS, "Modules", outline_mm=0.05),
            "superstructures": Layer(tables["superstructures"], "", (), "Superstructures"),
            "sides": Layer(tables["sides"], "", (), "Sides", colour="#1f2a44", shape="line"),
            "none": Layer(empty, "", (), "A run without any"),
        },
    )
    with closing(sqlite3.connect(path)) as database:
        looks = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    renderers = {name: parsed(qml).find("renderer-v2").get("type") for name, qml in looks.items()}
    assert renderers == {
        "modules": "RuleRenderer",
        "superstructures": "singleSymbol",
        "sides": "singleSymbol",
        "none": "singleSymbol",
    }
    assert parsed(looks["sides"]).findtext("layerGeometryType") == "1"
    with closing(sqlite3.connect(path)) as database:
        changed = {row[0] for row in database.execute("SELECT last_change FROM gpkg_contents")}
        kinds = dict(
            database.execute("SELECT table_name, geometry_type_name FROM gpkg_geometry_columns")
        )
    # No time of its own: the same tables give the same file. Empty layers have their type too.
    assert changed == {"1970-01-01T00:00:00.000Z"}
    assert kinds["none"] == kinds["modules"] == "MULTIPOLYGON"
    assert kinds["sides"] == "MULTILINESTRING"
    read = gpd.read_file(path, layer="sides")
    assert read["monument"].tolist() == [True]
    assert read.geometry.length.tolist() == [4.0]


def test_upright_polygons_are_outlines_in_the_colours_of_their_classes():
    """They have no area in plan to be filled."""
    root = parsed(graduated_style("year", STOPS, shape="upright"))
    assert root.findtext("layerGeometryType") == "2"
    symbols = root.findall(".//symbol")
    assert {symbol.get("type") for symbol in symbols} == {"fill"}
    assert {option(symbol, "style") for symbol in symbols} == {"no"}
    colours = [option(symbol, "outline_color") for symbol in symbols]
    assert colours[:2] == ["32,6,143,255", "32,6,143,255"]
    assert len(set(colours)) == len(STOPS) + 1
    assert {option(symbol, "outline_width") for symbol in symbols} == {"0.8"}


def test_points_are_markers():
    root = parsed(graduated_style("year", STOPS, shape="point"))
    assert root.findtext("layerGeometryType") == "0"
    assert {symbol.get("type") for symbol in root.findall(".//symbol")} == {"marker"}


def test_walls_keep_their_heights_in_a_geopackage(tmp_path):
    ring = [(0, 0, 50), (4, 1, 50), (4, 1, 57.5), (2, 0.5, 59), (0, 0, 57.5)]
    shapes = {
        "facades": (MultiPolygon([Polygon(ring)]), "upright", "MultiPolygon Z"),
        "facade_storeys": (LineString([(0, 0, 51.4), (4, 1, 51.4)]), "line", "MultiLineString Z"),
        "facade_elements": (Point(2, 0.5, 51.4), "point", "MultiPoint Z"),
    }
    layers = {
        name: Layer(
            gpd.GeoDataFrame({"year": [640.0]}, geometry=[one], crs=CRS), "year", STOPS, name,
            shape=shape,
        )
        for name, (one, shape, _) in shapes.items()
    }  # fmt: skip
    # A wall that a neighbour hides has no outline.
    layers["facades"].table.loc[1] = [np.nan, None]
    path = tmp_path / "walls.gpkg"
    write_geopackage(path, layers)
    for name, (one, _, kind) in shapes.items():
        assert pyogrio.read_info(path, layer=name)["geometry_type"] == kind
        read = gpd.read_file(path, layer=name)
        assert shapely.get_coordinates(read.geometry[0], include_z=True)[:, 2].max() == (
            shapely.get_coordinates(one, include_z=True)[:, 2].max()
        )
    assert gpd.read_file(path, layer="facades").geometry.isna().tolist() == [False, True]
    with closing(sqlite3.connect(path)) as database:
        looks = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    kinds = {name: parsed(qml).find(".//symbol").get("type") for name, qml in looks.items()}
    assert kinds == {"facades": "fill", "facade_storeys": "line", "facade_elements": "marker"}
