"""Footprints: what five formats send comes out as flat polygons with the input's ids as text."""

from __future__ import annotations

import math
import struct

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from small_inputs import CRS, NORTH_M, WEST_M, outlines

from solarkataster.checks.footprints import building_marks, repaired
from solarkataster.errors import InputErrors
from solarkataster.io.footprints import id_texts, read_footprints, read_outlines


def write(folder, name, table):
    path = folder / name
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_file(path, engine="pyogrio")
    return path


def faults(*arguments):
    with pytest.raises(InputErrors) as caught:
        read_footprints(*arguments)
    return caught.value.errors


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "fgb", "parquet"])
def test_every_format_gives_the_same_footprints(tmp_path, suffix):
    if suffix == "geojson":  # RFC 7946 knows longitude and latitude only
        path = write(tmp_path, "f.geojson", outlines().to_crs("EPSG:4326"))
    else:
        path = write(tmp_path, f"f.{suffix}", outlines())
    table = read_footprints(path, "gml_id", crs=CRS).sort_values("building_id")
    assert list(table.columns) == ["building_id", "gml_id", "storeys", "geometry"]
    assert list(table["building_id"]) == list(outlines()["gml_id"])
    assert set(table["storeys"]) == {2}
    assert table.crs.to_epsg() == 25832
    distance_m = shapely.hausdorff_distance(
        table.geometry.to_numpy(), outlines().geometry.to_numpy()
    )
    assert distance_m.max() < (0.01 if suffix == "geojson" else 1e-6)


def test_rows_keep_their_order_and_bad_geometries_their_rows(tmp_path):
    table = outlines().iloc[::-1].reset_index(drop=True)
    table.loc[3, "geometry"] = None
    read = read_footprints(write(tmp_path, "f.gpkg", table), "gml_id")
    assert list(read["building_id"]) == list(table["gml_id"])
    assert read.geometry.iloc[3] is None


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pd.Series([12.0, 503100000018603.0, 1.5]), ["12", "503100000018603", "1.5"]),
        (pd.Series([12, 13]), ["12", "13"]),
        (pd.Series(["12.0", " DENW 1", "007"]), ["12.0", " DENW 1", "007"]),
        (pd.Series([1.0, None]), ["1", None]),
        (pd.Series(["a", None]), ["a", None]),
        (pd.Series([1, pd.NA], dtype="Int64"), ["1", None]),
    ],
)
def test_ids_are_text_and_whole_floats_lose_their_point(values, texts):
    assert list(id_texts(values)) == texts


def test_feature_id_of_a_geopackage_may_be_the_id(tmp_path):
    table = read_footprints(write(tmp_path, "f.gpkg", outlines()), "fid")
    assert list(table["building_id"])[:3] == ["1", "2", "3"]


def test_column_named_building_id_that_is_not_the_id_is_kept(tmp_path):
    table = outlines().assign(building_id=7)
    read = read_footprints(write(tmp_path, "f.gpkg", table), "gml_id")
    assert read["building_id"].iloc[0] == "H000"
    assert set(read["building_id_input"]) == {7}


def test_heights_and_measures_are_dropped(tmp_path):
    table = outlines()
    table["geometry"] = shapely.force_3d(table.geometry.to_numpy(), 100.0)
    read = read_footprints(write(tmp_path, "z.gpkg", table), "gml_id")
    assert not read.has_z.any()
    # PolygonZM as EWKB-free ISO WKB: type 3003, one ring of five points.
    ring = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0)]
    wkb = struct.pack("<BIII", 1, 3003, 1, 5) + b"".join(
        struct.pack("<4d", WEST_M + x, NORTH_M + y, 9.0, 1.0) for x, y in ring
    )
    read = read_footprints(write_wkb(tmp_path / "zm.gpkg", wkb), "gml_id")
    assert read.geometry.iloc[0].equals(shapely.box(WEST_M, NORTH_M, WEST_M + 4, NORTH_M + 4))
    assert not shapely.has_m(read.geometry.to_numpy()).any()


def test_curves_are_stroked(tmp_path):
    # CurvePolygon (type 10) of one CircularString (type 8): a circle of 2 m radius.
    points = [(0, 0), (2, 2), (4, 0), (2, -2), (0, 0)]
    arc = struct.pack("<BII", 1, 8, 5) + b"".join(
        struct.pack("<2d", WEST_M + x, NORTH_M + y) for x, y in points
    )
    path = write_wkb(tmp_path / "curve.gpkg", struct.pack("<BII", 1, 10, 1) + arc)
    read = read_footprints(path, "gml_id")
    assert read.geometry.iloc[0].geom_type == "Polygon"
    assert read.geometry.iloc[0].area == pytest.approx(4.0 * math.pi, rel=2e-3)


def write_wkb(path, wkb):
    pyogrio.raw.write(
        path,
        np.array([wkb], dtype=object),
        [np.array(["H000"], dtype=object)],
        ["gml_id"],
        geometry_type="Unknown",
        crs=CRS,
        driver="GPKG",
    )
    return path


def test_areas_of_a_collection_are_kept_and_its_lines_dropped(tmp_path):
    box = shapely.box(WEST_M, NORTH_M, WEST_M + 3, NORTH_M + 3)
    line = shapely.LineString([(WEST_M, NORTH_M), (WEST_M + 9, NORTH_M)])
    table = gpd.GeoDataFrame(
        {"gml_id": ["a"]}, geometry=[shapely.GeometryCollection([box, line])], crs=CRS
    )
    read = read_footprints(write(tmp_path, "f.gpkg", table), "gml_id")
    assert read.geometry.iloc[0].equals(box)


# Coordinate systems


@pytest.mark.parametrize("code", [4647, 4326, 3035, 25833])
def test_known_system_is_transformed_to_that_of_the_surface_model(tmp_path, code):
    path = write(tmp_path, "f.gpkg", outlines().to_crs(code))
    read = read_footprints(path, "gml_id", None, CRS)
    assert read.crs.to_epsg() == 25832
    np.testing.assert_allclose(read.total_bounds, outlines().total_bounds, atol=0.01)
    assert "transformed_from" in read.attrs


def test_footprints_go_to_a_zone_prefixed_surface_model(tmp_path):
    read = read_footprints(write(tmp_path, "f.gpkg", outlines()), "gml_id", None, "EPSG:4647")
    shifted = outlines().total_bounds + np.array([32e6, 0, 32e6, 0])
    np.testing.assert_allclose(read.total_bounds, shifted, atol=1e-6)


def test_zone_number_in_the_eastings_is_refused_by_name(tmp_path):
    table = outlines().translate(32e6, 0)
    table = outlines().set_geometry(table.set_crs(CRS, allow_override=True))
    (fault,) = faults(write(tmp_path, "f.gpkg", table), "gml_id")
    assert "begin with the zone number 32" in fault.found
    assert "EPSG:4647" in fault.expected


def test_missing_zone_number_is_refused_by_name(tmp_path):
    table = outlines().set_crs("EPSG:4647", allow_override=True)
    (fault,) = faults(write(tmp_path, "f.gpkg", table), "gml_id")
    assert "lack the zone number 32" in fault.found
    assert "EPSG:25832" in fault.expected


def test_missing_system_is_a_fault(tmp_path):
    path = write(tmp_path, "f.shp", outlines())
    path.with_suffix(".prj").unlink()
    (fault,) = faults(path, "gml_id", None, CRS)
    assert "no coordinate system" in fault.found


def test_outlines_alone_need_no_id(tmp_path):
    path = write(tmp_path, "f.gpkg", outlines().drop(columns="gml_id").to_crs(4647))
    read = read_outlines(path, CRS)
    distance_m = shapely.hausdorff_distance(read, outlines().geometry.to_numpy())
    assert distance_m.max() < 1e-6
    with pytest.raises(InputErrors, match="file not found"):
        read_outlines(tmp_path / "absent.gpkg", CRS)


# Files that cannot be used


def test_missing_id_column_names_similar_ones(tmp_path):
    (fault,) = faults(write(tmp_path, "f.gpkg", outlines()), "GMLID")
    assert "GMLID" in fault.found
    assert fault.remedy.startswith("Similar: gml_id")
    assert "storeys" in fault.expected


def test_missing_id_column_without_a_similar_one_names_unique_ones(tmp_path):
    table = outlines().rename(columns={"gml_id": "kennung"})
    (fault,) = faults(write(tmp_path, "f.gpkg", table), "x")
    assert "Unique in every row: kennung" in fault.remedy


def test_double_ids_are_named(tmp_path):
    table = outlines()
    table.loc[1, "gml_id"] = "H000"
    (fault,) = faults(write(tmp_path, "f.gpkg", table), "gml_id")
    assert "1 ids stand more than once" in fault.found
    assert "H000" in fault.found


def test_float_ids_that_become_the_same_text_are_double(tmp_path):
    table = outlines().head(2).assign(gml_id=["12", "12"])
    assert "more than once" in faults(write(tmp_path, "f.gpkg", table), "gml_id")[0].found


def test_row_without_an_id_is_counted(tmp_path):
    table = outlines()
    table.loc[4, "gml_id"] = None
    (fault,) = faults(write(tmp_path, "f.gpkg", table), "gml_id")
    assert "1 of 144 rows have no gml_id, the first is row 5" in fault.found


def test_lines_are_no_footprints(tmp_path):
    table = outlines()
    table["geometry"] = table.boundary
    (fault,) = faults(write(tmp_path, "f.gpkg", table), "gml_id")
    assert "144 of 144 geometries are no areas but LineString" in fault.found


def test_file_with_two_layers_wants_a_name(tmp_path):
    path = tmp_path / "f.gpkg"
    outlines().to_file(path, layer="houses", engine="pyogrio")
    outlines().head(3).to_file(path, layer="sheds", engine="pyogrio")
    (fault,) = faults(path, "gml_id")
    assert "houses, sheds" in fault.found
    assert len(read_footprints(path, "gml_id", "sheds")) == 3


@pytest.mark.parametrize("name", ["absent.gpkg", "text.gpkg", "text.parquet", "text.geojson"])
def test_file_that_is_missing_or_no_table_is_told(tmp_path, name):
    if name.startswith("text"):
        (tmp_path / name).write_text("no footprints")
    (fault,) = faults(tmp_path / name, "gml_id")
    assert fault.where == str(tmp_path / name)
    assert "not found" in fault.found or "cannot be read" in fault.found


def test_several_faults_of_one_file_come_together(tmp_path):
    table = outlines()
    table.loc[1, "gml_id"] = "H000"
    path = write(tmp_path, "f.shp", table)
    path.with_suffix(".prj").unlink()
    found = [fault.found for fault in faults(path, "gml_id")]
    assert len(found) == 2
    assert "coordinate system" in found[0]
    assert "more than once" in found[1]


# Marks, building by building


SURFACE = shapely.box(0, 0, 100, 100)


def marks_of(*footprints):
    delivered = np.array(footprints, dtype=object)
    ids = np.array([f"b{i}" for i in range(len(footprints))])
    return building_marks(ids, delivered, repaired(delivered), SURFACE, 1.0, 0.05)


def test_good_footprint_has_no_mark():
    assert marks_of(shapely.box(10, 10, 20, 20)) == {}


def test_cut_footprint_says_how_much():
    assert marks_of(shapely.box(95, 10, 105, 20)) == {
        "b0": ["50.0% of the footprint is outside the surface model"]
    }


def test_null_empty_and_sliver_are_told_apart():
    marks = marks_of(None, shapely.Polygon(), shapely.box(10, 10, 10.5, 10.5))
    assert marks == {
        "b0": ["footprint has no geometry"],
        "b1": ["footprint is empty"],
        "b2": ["footprint is a sliver of 0.25 m²"],
    }


def test_bow_tie_is_repaired_to_its_two_halves():
    bow_tie = shapely.Polygon([(10, 10), (20, 20), (20, 10), (10, 20)])
    (valid,) = repaired(np.array([bow_tie], dtype=object))
    # Two triangles of base 10 and height 5.
    assert valid.is_valid
    assert valid.area == pytest.approx(50.0)
    assert marks_of(bow_tie) == {"b0": ["footprint repaired (self-intersection)"]}


def test_line_drawn_as_polygon_becomes_empty():
    line = shapely.Polygon([(10, 10), (20, 20), (10, 10)])
    (valid,) = repaired(np.array([line], dtype=object))
    assert valid.is_empty


def test_overlapping_footprints_name_each_other_and_neighbours_do_not():
    marks = marks_of(
        shapely.box(10, 10, 20, 20),
        shapely.box(19, 10, 30, 20),
        shapely.box(30, 10, 40, 20),  # shares a wall only
    )
    assert marks == {
        "b0": ["footprint overlaps b1 (10.00 m²)"],
        "b1": ["footprint overlaps b0 (10.00 m²)"],
    }
