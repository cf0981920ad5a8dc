"""Bad tree cadastres: what stops, what is dropped, what is used with a default, and is told."""

from __future__ import annotations

import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from small_inputs import (
    CRS,
    N_CELLS,
    NORTH_M,
    WEST_M,
    check,
    one_fault,
    outlines,
    surface,
    terrain,
    write_config,
    write_inputs,
    write_raster,
)

from solarkataster.canopy import EVERGREEN
from solarkataster.checks.trees import check_trees, surface_fault
from solarkataster.config_inputs import TreesConfig
from solarkataster.errors import InputErrors
from solarkataster.grid import Grid
from solarkataster.io.rasters import NO_CLASS, open_rasters, read_nearest
from solarkataster.io.trees import read_trees
from solarkataster.stages.trees import tree_table

N = 40
AREA = shapely.box(WEST_M, NORTH_M - 120.0, WEST_M + 120.0, NORTH_M)


def cadastre(**columns) -> gpd.GeoDataFrame:
    """40 limes of 8 to 15 m in the lanes of the small town, one column after the other."""
    i = np.arange(N)
    table = {
        "baumnr": [f"B{k:03d}" for k in i],
        "baumart": "Winter-Linde",
        "baumhoehe": 8.0 + (i % 8),
        "kronendurchmesser": 5.0 + (i % 4),
    } | columns
    # Lanes: houses stand on columns 3 to 8 of every 10 m.
    x, y = WEST_M + 10.5 + 10.0 * (i % 8), NORTH_M - 10.5 - 10.0 * (i // 8)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(x, y), crs=CRS)


def written(tmp_path, table: gpd.GeoDataFrame, name: str = "trees.gpkg"):
    path = tmp_path / name
    with warnings.catch_warnings():
        # Of a layer without a coordinate system, and of names that Shapefile cuts.
        warnings.simplefilter("ignore")
        table.to_file(path, engine="pyogrio")
    return path


def checked(tmp_path, table, settings: TreesConfig | None = None):
    """Trees and notes of a cadastre that may be used."""
    path, settings = written(tmp_path, table), settings or TreesConfig()
    file = read_trees(path, settings, CRS)
    result, faults = check_trees(str(path), file.records, settings, AREA)
    assert not faults, faults
    return result


def fault(tmp_path, table, settings: TreesConfig | None = None):
    """The one fault of a cadastre that stops, on reading or on checking."""
    path, settings = written(tmp_path, table), settings or TreesConfig()
    try:
        file = read_trees(path, settings, CRS)
    except InputErrors as error:
        faults = error.errors
    else:
        faults = check_trees(str(path), file.records, settings, AREA)[1]
    assert len(faults) == 1, faults
    one = faults[0]
    assert one.where == str(path)
    assert one.expected
    assert one.remedy
    return one


def changed(column: str, *pairs) -> list:
    """A column of the good cadastre with some rows replaced."""
    values = list(cadastre()[column])
    for row, value in pairs:
        values[row] = value
    return values


# --- formats and columns --------------------------------------------------------------------------


def test_a_good_cadastre_is_used_as_it_is(tmp_path):
    result = checked(tmp_path, cadastre())
    assert list(result.trees.height_m) == list(cadastre()["baumhoehe"])
    assert not any(result.trees.marks)
    assert not result.dropped
    assert len(result.notes) == 1


@pytest.mark.parametrize(
    ("height", "crown", "species", "tree_id"),
    [
        ("baumhoehe", "kronedurch", "art_bot", "gisid"),  # Berlin
        ("BAUMHOEHE", "KRONENDURCHMESSER", "ART", "BAUMNUMMER"),  # Vienna
        ("hoehe_m", "krone_m", "art_botan", "baum_nr"),  # Halle
        ("Höhe", "KRONE_DM", "WIS_TEXT", "BAUM_NR"),  # Heilbronn has no height
        ("height", "crown_diameter", "species", "tree_id"),
        ("Baumhöhe [m]", "Kronendurchm.", "Gattung", "Nr."),
    ],
)
def test_usual_names_of_columns_are_recognised(tmp_path, height, crown, species, tree_id):
    table = cadastre().rename(
        columns={
            "baumhoehe": height, "kronendurchmesser": crown, "baumart": species, "baumnr": tree_id,
        }
    )  # fmt: skip
    file = read_trees(written(tmp_path, table), crs=CRS)
    assert list(file.records.height_m) == list(cadastre()["baumhoehe"])
    assert list(file.records.crown_diameter_m) == list(cadastre()["kronendurchmesser"])
    assert file.records.species[0] == "Winter-Linde"
    assert file.records.tree_id[3] == "B003"
    assert height in file.notes[0]


@pytest.mark.parametrize("name", ["trees.gpkg", "trees.geojson", "trees.shp", "trees.csv"])
def test_formats_give_the_same_trees(tmp_path, name):
    table = cadastre()
    if name.endswith(".csv"):
        path = tmp_path / name
        plain = pd.DataFrame(table.drop(columns="geometry"))
        plain["Rechtswert"] = [f"{x:.2f}".replace(".", ",") for x in table.geometry.x]
        plain["Hochwert"] = [f"{y:.2f}".replace(".", ",") for y in table.geometry.y]
        plain["baumart"] = "Gemeine Föhre"
        plain.to_csv(path, sep=";", index=False, encoding="cp1252", decimal=",")
        file = read_trees(path, TreesConfig(crs=CRS), CRS)
        assert check_trees("", file.records, TreesConfig(), AREA)[0].trees.kind[0] == EVERGREEN
    elif name.endswith(".geojson"):
        file = read_trees(written(tmp_path, table.to_crs("EPSG:4326"), name), crs=CRS)
        assert "moved from" in file.notes[1]
    else:
        file = read_trees(written(tmp_path, table, name), crs=CRS)
    assert file.records.easting_m == pytest.approx(table.geometry.x, abs=0.01)
    assert file.records.northing_m == pytest.approx(table.geometry.y, abs=0.01)
    assert list(file.records.height_m) == list(table["baumhoehe"])


def test_longitude_and_latitude_of_a_csv_need_no_system(tmp_path):
    degrees = cadastre().to_crs("EPSG:4326")
    plain = pd.DataFrame(degrees.drop(columns="geometry"))
    plain["lon"], plain["lat"] = degrees.geometry.x, degrees.geometry.y
    plain.to_csv(tmp_path / "trees.csv", index=False)
    file = read_trees(tmp_path / "trees.csv", crs=CRS)
    assert file.records.easting_m == pytest.approx(cadastre().geometry.x, abs=0.01)
    plain = plain.drop(columns=["lon", "lat"]).assign(
        shape=[f"POINT ({p.x} {p.y})" for p in degrees.geometry]
    )
    plain.to_csv(tmp_path / "text.csv", index=False)
    again = read_trees(tmp_path / "text.csv", crs=CRS)
    assert again.records.northing_m == pytest.approx(cadastre().geometry.y, abs=0.01)


def test_species_in_several_columns_are_read_together(tmp_path):
    table = cadastre(gattung="Pinus", art_botan="nigra").drop(columns="baumart")
    assert (checked(tmp_path, table).trees.kind == EVERGREEN).all()


def test_a_radius_is_doubled(tmp_path):
    table = cadastre().rename(columns={"kronendurchmesser": "kronenradius"})
    table["kronenradius"] /= 2.0
    result = checked(tmp_path, table)
    assert list(result.trees.crown_diameter_m) == list(cadastre()["kronendurchmesser"])


def test_units_are_those_of_the_config(tmp_path):
    table = cadastre()
    table["baumhoehe"] *= 100.0
    result = checked(tmp_path, table, TreesConfig(height_unit="cm"))
    assert result.trees.height_m == pytest.approx(cadastre()["baumhoehe"])


# --- what stops -----------------------------------------------------------------------------------


def test_missing_file_and_file_that_is_no_cadastre_stop(tmp_path):
    with pytest.raises(InputErrors, match="file not found"):
        read_trees(tmp_path / "none.gpkg")
    (tmp_path / "trees.gpkg").write_text("no layer")
    with pytest.raises(InputErrors, match="cannot be read"):
        read_trees(tmp_path / "trees.gpkg")


def test_empty_layer_stops(tmp_path):
    assert "no rows" in fault(tmp_path, cadastre().iloc[:0]).found


def test_named_column_that_is_missing_stops_and_names_the_nearest(tmp_path):
    one = fault(tmp_path, cadastre(), TreesConfig(height_column="baumhohe"))
    assert "no column baumhohe" in one.found
    assert "baumhoehe" in one.remedy


def test_two_columns_that_could_be_meant_stop(tmp_path):
    one = fault(tmp_path, cadastre(gesamthoehe=9.0))
    assert "baumhoehe, gesamthoehe" in one.found
    result = checked(tmp_path, cadastre(gesamthoehe=9.0), TreesConfig(height_column="gesamthoehe"))
    assert (result.trees.height_m == 9.0).all()


def test_neither_height_nor_crown_stops(tmp_path):
    one = fault(tmp_path, cadastre().drop(columns=["baumhoehe", "kronendurchmesser"]))
    assert "no column" in one.found


def test_areas_instead_of_points_stop(tmp_path):
    table = cadastre()
    assert "Polygon" in fault(tmp_path, table.set_geometry(table.geometry.buffer(3.0))).found


def test_missing_coordinate_system_stops_and_one_of_the_config_helps(tmp_path):
    table = cadastre().set_crs(None, allow_override=True)
    one = fault(tmp_path, table)
    assert "no coordinate system" in one.found
    assert "crs" in one.remedy
    assert len(checked(tmp_path, table, TreesConfig(crs=CRS)).trees) == N


def test_metres_in_a_geojson_stop_because_it_says_degrees(tmp_path):
    path = written(tmp_path, cadastre().set_crs("EPSG:4326", allow_override=True), "t.geojson")
    with pytest.raises(InputErrors, match="no degrees"):
        read_trees(path, crs=CRS)
    file = read_trees(path, TreesConfig(crs=CRS), CRS)
    assert file.records.easting_m == pytest.approx(cadastre().geometry.x)


def test_another_declared_system_is_transformed(tmp_path):
    file = read_trees(written(tmp_path, cadastre().to_crs("EPSG:25833")), crs=CRS)
    assert file.records.easting_m == pytest.approx(cadastre().geometry.x, abs=0.001)


def test_wrongly_declared_system_leaves_no_tree_in_the_area_and_stops(tmp_path):
    one = fault(tmp_path, cadastre().set_crs("EPSG:25833", allow_override=True))
    assert "none of 40 trees" in one.found


def test_exchanged_coordinates_are_told(tmp_path):
    table = cadastre()
    swapped = gpd.points_from_xy(table.geometry.y, table.geometry.x)
    one = fault(tmp_path, table.set_geometry(gpd.GeoSeries(swapped, crs=CRS)))
    assert "exchanged" in one.found


@pytest.mark.parametrize(("unit", "factor"), [("cm", 100.0), ("dm", 10.0), ("ft", 1 / 0.3048)])
def test_heights_in_another_unit_stop_and_the_unit_is_named(tmp_path, unit, factor):
    one = fault(tmp_path, cadastre(baumhoehe=cadastre()["baumhoehe"] * factor))
    assert "height" in one.found or "wide as the trees are high" in one.found
    if unit != "ft":  # feet of young trees are heights of old ones; crowns tell, not the size
        assert f'height_unit = "{unit}"' in one.remedy


def test_crowns_in_another_unit_stop(tmp_path):
    one = fault(tmp_path, cadastre(kronendurchmesser=cadastre()["kronendurchmesser"] * 100.0))
    assert 'crown_unit = "cm"' in one.remedy


def test_too_many_bad_trees_stop_and_the_limit_is_named(tmp_path):
    table = cadastre(baumhoehe=changed("baumhoehe", (1, -1.0), (2, -1.0), (3, 400.0)))
    one = fault(tmp_path, table)
    assert "3 of 40 trees are bad" in one.found
    assert "negative height" in one.found
    assert "max_bad_fraction" in one.expected
    assert len(checked(tmp_path, table, TreesConfig(max_bad_fraction=0.1)).trees) == N


# --- what is marked -------------------------------------------------------------------------------


def noted(result, text: str) -> bool:
    return any(text in note for note in result.notes)


def test_trees_outside_the_area_are_left_out_and_counted(tmp_path):
    table = cadastre()
    table.loc[:4, "geometry"] = shapely.Point(WEST_M + 5000.0, NORTH_M)
    result = checked(tmp_path, table)
    assert len(result.trees) == N - 5
    assert noted(result, "5 trees outside the surface model are left out")


@pytest.mark.parametrize("crown", [0.0, 90.0])
def test_impossible_crown_is_filled_in_marked_and_told(tmp_path, crown):
    result = checked(tmp_path, cadastre(kronendurchmesser=changed("kronendurchmesser", (7, crown))))
    assert len(result.trees) == N
    assert 3.0 < result.trees.crown_diameter_m[7] < 12.0
    assert f"crown of {crown:g} m cannot be" in result.trees.marks[7]
    assert noted(result, "1 trees with an impossible crown, filled in: B007")
    assert sum(map(bool, result.trees.marks)) == 1


def test_negative_height_is_filled_in_marked_and_told(tmp_path):
    result = checked(tmp_path, cadastre(baumhoehe=changed("baumhoehe", (7, -12.0))))
    assert result.trees.height_m[7] > 5.0
    assert "height of -12 m cannot be" in result.trees.marks[7]
    assert noted(result, "impossible height, filled in: B007")


def test_unknown_species_counts_as_deciduous_marked_and_told(tmp_path):
    result = checked(tmp_path, cadastre(baumart=changed("baumart", (4, "Xyz"), (5, None))))
    assert "Xyz is not known" in result.trees.marks[4]
    assert "has no species" in result.trees.marks[5]
    assert noted(result, "2 trees of unknown species, taken as deciduous: B004, B005")


def test_missing_height_is_filled_in_marked_and_told(tmp_path):
    result = checked(tmp_path, cadastre(baumhoehe=changed("baumhoehe", (9, None))))
    assert noted(result, "1 trees with the height from the crown: B009")


def test_double_id_in_one_place_is_one_tree_and_in_two_places_is_marked(tmp_path):
    table = cadastre(baumnr=changed("baumnr", (1, "B000"), (3, "B002")))
    points = table.geometry.to_numpy().copy()
    points[1] = points[0]
    result = checked(tmp_path, table.set_geometry(gpd.GeoSeries(points, crs=CRS)))
    assert len(result.trees) == N - 1
    assert list(result.dropped.values()) == ["the same tree stands there twice"]
    marked = [i for i, mark in enumerate(result.trees.marks) if "several trees" in mark]
    assert [result.trees.tree_id[i] for i in marked] == ["B002", "B002"]
    assert noted(result, "B000 (again)")


def test_row_without_place_is_left_out_and_named(tmp_path):
    table = cadastre()
    points = table.geometry.to_numpy().copy()
    points[2] = None
    result = checked(tmp_path, table.set_geometry(gpd.GeoSeries(points, crs=CRS)))
    assert result.dropped == {"B002": "has no place"}
    assert noted(result, "B002")


def test_text_that_is_no_number_is_marked_and_decimal_commas_are_read(tmp_path):
    texts = [f"{value:.1f} m".replace(".", ",") for value in cadastre()["baumhoehe"]]
    texts[6], texts[8] = "bis 10 m", "k.A."
    result = checked(tmp_path, cadastre(baumhoehe=texts))
    assert result.trees.height_m[5] == cadastre()["baumhoehe"][5]
    assert "'bis 10 m' is no number" in result.trees.marks[6]
    assert result.trees.marks[8] == "height from the crown"


# --- heights against the surface ------------------------------------------------------------------


def with_surface(tmp_path, table, settings: TreesConfig | None = None):
    """Faults and notes against a surface model that shows the good cadastre's trees."""
    heights_m = surface()
    for one, tall in zip(cadastre().geometry, cadastre()["baumhoehe"], strict=True):
        col, row = int(one.x - WEST_M), int(NORTH_M - one.y)
        heights_m[row - 1 : row + 2, col - 1 : col + 2] = (
            terrain()[row - 1 : row + 2, col - 1 : col + 2] + tall
        )
    dsm = open_rasters(write_raster(tmp_path / "dsm.tif", heights_m), "dsm")
    dtm = open_rasters(write_raster(tmp_path / "dtm.tif", terrain()), "dtm")
    result = checked(tmp_path, table, settings)
    # Roofs near the trunks would be taken for crowns; here they stand 3 m away.
    return surface_fault("trees", result.trees, dsm, dtm, np.array([None], dtype=object))


def test_heights_that_fit_the_surface_pass(tmp_path):
    assert with_surface(tmp_path, cadastre()) == ([], [])


def test_heights_in_feet_are_told_by_the_surface_model(tmp_path):
    both = {name: cadastre()[name] / 0.3048 for name in ("baumhoehe", "kronendurchmesser")}
    both["baumhoehe"] = np.minimum(both["baumhoehe"], 34.0)
    faults, _ = with_surface(tmp_path, cadastre(**both))
    assert "feet" in faults[0].remedy


def test_numbers_of_height_classes_are_told_by_the_surface_model(tmp_path):
    classes = cadastre(baumhoehe=2.0 + np.arange(N) % 2, kronendurchmesser=2.0)
    faults, _ = with_surface(tmp_path, classes)
    assert "height classes" in faults[0].remedy


def test_tall_trees_that_the_surface_does_not_show_are_told(tmp_path):
    dsm = open_rasters(write_raster(tmp_path / "dsm.tif", terrain()), "dsm")
    dtm = open_rasters(write_raster(tmp_path / "dtm.tif", terrain()), "dtm")
    result = checked(tmp_path, cadastre(baumhoehe=12.0))
    faults, notes = surface_fault(
        "trees", result.trees, dsm, dtm, outlines().geometry.to_numpy()[:0]
    )
    assert not faults
    assert "shows nothing at 40 of 40" in notes[0]


# --- with the other inputs ------------------------------------------------------------------------


def test_check_opens_trees_canopy_and_land_cover_and_their_bytes_count(tmp_path):
    write_inputs(tmp_path)
    written(tmp_path, cadastre(baumhoehe=changed("baumhoehe", (9, None))))
    heights_m = np.zeros((N_CELLS, N_CELLS), dtype="float32")
    heights_m[:3] = 7.0  # north of all houses
    write_raster(tmp_path / "canopy.tif", heights_m)
    cover = np.full((N_CELLS, N_CELLS), 10, dtype="uint8")
    write_raster(tmp_path / "cover.tif", cover, nodata=0)
    write_config(
        tmp_path, "[trees]\nland_cover_trees = [10]", trees="trees.gpkg", canopy="canopy.tif",
        land_cover="cover.tif",
    )  # fmt: skip
    result = check(tmp_path)
    assert len(result.greenery.trees) == N
    assert [source.role for source in result.greenery.rasters] == ["canopy", "land_cover"]
    for name in ("trees.gpkg", "canopy.tif", "cover.tif"):
        assert str(tmp_path / name) in result.checksums
    assert any("columns of the trees" in note for note in result.notes)
    assert any("height from the crown: B009" in note for note in result.notes)


def test_trees_left_out_are_listed_with_their_reason(tmp_path):
    write_inputs(tmp_path)
    table = cadastre(baumhoehe=changed("baumhoehe", (9, None)))
    points = table.geometry.to_numpy().copy()
    points[2] = None
    written(tmp_path, table.set_geometry(gpd.GeoSeries(points, crs=CRS)))
    write_config(tmp_path, trees="trees.gpkg")
    listed = tree_table(check(tmp_path))
    assert listed["tree_id"].tolist()[-1] == "B002"
    assert listed["data_quality"].tolist()[-1] == "has no place"
    assert listed["is_used"].sum() == N - 1
    assert listed.set_index("tree_id")["data_quality"]["B009"] == "height from the crown"


def test_trees_inside_footprints_are_used_and_told(tmp_path):
    write_inputs(tmp_path)
    table = cadastre()
    points = table.geometry.to_numpy().copy()
    points[3] = shapely.Point(points[3].x - 5.0, points[3].y - 5.0)
    written(tmp_path, table.set_geometry(gpd.GeoSeries(points, crs=CRS)))
    write_config(tmp_path, trees="trees.gpkg")
    result = check(tmp_path)
    assert [mark for mark in result.greenery.trees.marks if mark] == ["trunk inside a footprint"]
    (note,) = [note for note in result.notes if "inside a footprint" in note]
    assert "1 trees stand inside a footprint: B003" in note
    assert "shifted" not in note


def test_a_shifted_cadastre_is_asked_about(tmp_path):
    """As between two datums of one grid: every tree of a lane on a roof."""
    write_inputs(tmp_path)
    table = cadastre()
    written(tmp_path, table.set_geometry(table.geometry.translate(-5.0, -5.0)))
    write_config(tmp_path, trees="trees.gpkg")
    (note,) = [note for note in check(tmp_path).notes if "inside a footprint" in note]
    assert f"{N} trees" in note
    assert "Compare the coordinate systems" in note


def test_without_trees_nothing_is_known_of_plants(tmp_path):
    write_inputs(tmp_path)
    greenery = check(tmp_path).greenery
    assert (greenery.trees, greenery.rasters, greenery.paths) == (None, (), ())


def test_bad_trees_stop_check(tmp_path):
    write_inputs(tmp_path)
    written(tmp_path, cadastre(baumhoehe=cadastre()["baumhoehe"] * 100.0))
    write_config(tmp_path, trees="trees.gpkg")
    assert 'height_unit = "cm"' in one_fault(tmp_path).remedy


def test_canopy_heights_above_the_sea_stop(tmp_path):
    write_inputs(tmp_path)
    write_raster(tmp_path / "canopy.tif", surface())
    write_config(tmp_path, canopy="canopy.tif")
    assert "above the ground" in one_fault(tmp_path).expected


def test_a_surface_model_less_the_terrain_as_canopy_stops(tmp_path):
    """With it every house, shed and bridge without footprint would let light through."""
    write_inputs(tmp_path)
    heights_m = surface() - terrain()
    write_config(tmp_path, canopy="canopy.tif")
    write_raster(tmp_path / "canopy.tif", heights_m)
    fault = one_fault(tmp_path)
    assert "100% of the footprint cells" in fault.found
    assert "less the terrain" in fault.remedy
    # Crowns over four houses of ten are crowns.
    heights_m[:, 50:] = 0.0
    write_raster(tmp_path / "canopy.tif", heights_m)
    assert check(tmp_path).greenery.canopy is not None


@pytest.mark.parametrize("role", ["canopy", "land_cover"])
def test_raster_of_plants_in_another_system_or_place_stops(tmp_path, role):
    write_inputs(tmp_path)
    values = np.full((N_CELLS, N_CELLS), 5.0, dtype="float32")
    write_config(tmp_path, **{role: "plants.tif"})
    write_raster(tmp_path / "plants.tif", values, crs="EPSG:25833")
    assert "EPSG:25832" in one_fault(tmp_path).expected
    far = rasterio.Affine(1.0, 0.0, WEST_M + 9000.0, 0.0, -1.0, NORTH_M)
    write_raster(tmp_path / "plants.tif", values, transform=far)
    assert "does not overlap" in one_fault(tmp_path).found
    write_raster(tmp_path / "plants.tif", np.full_like(values, -9999.0))
    assert "no value" in one_fault(tmp_path).found


@pytest.mark.parametrize("role", ["canopy", "land_cover"])
def test_a_raster_of_plants_for_half_of_the_town_is_told(tmp_path, role):
    write_inputs(tmp_path)
    write_config(tmp_path, **{role: "plants.tif"})
    values = np.zeros((N_CELLS, N_CELLS), dtype="float32")
    write_raster(tmp_path / "plants.tif", values)
    assert not any("of the surface model" in note for note in check(tmp_path).notes)
    write_raster(tmp_path / "plants.tif", values[: N_CELLS // 2])
    (note,) = [note for note in check(tmp_path).notes if "of the surface model" in note]
    assert "covers 50% of the surface model" in note


def test_heights_as_land_cover_stop_and_classes_without_meaning_are_told(tmp_path):
    write_inputs(tmp_path)
    write_raster(tmp_path / "cover.tif", surface() + 0.3)
    write_config(tmp_path, land_cover="cover.tif")
    assert "whole numbers" in one_fault(tmp_path).expected
    write_raster(tmp_path / "cover.tif", np.full((N_CELLS, N_CELLS), 3.0, dtype="float32"))
    assert any("cover.tif: is not used" in note for note in check(tmp_path).notes)
    write_config(tmp_path, "[trees]\nland_cover_trees = [10]", land_cover="cover.tif")
    assert any("none of the classes 10" in note for note in check(tmp_path).notes)


def test_land_cover_is_read_from_the_cell_that_holds_the_centre(tmp_path):
    # 10 m cells that start 3 m west and 2 m north of the window.
    classes = np.arange(1, 145, dtype="uint8").reshape(12, 12)
    place = rasterio.Affine(10.0, 0.0, WEST_M - 3.0, 0.0, -10.0, NORTH_M + 2.0)
    source = open_rasters(
        write_raster(tmp_path / "cover.tif", classes, nodata=5, transform=place), "land_cover"
    )
    window = Grid((60, 80), WEST_M, NORTH_M, 1.0, CRS)
    found = read_nearest(source, window)
    row, col = np.mgrid[:60, :80]
    expected = classes[((row + 0.5 + 2.0) // 10).astype(int), ((col + 0.5 + 3.0) // 10).astype(int)]
    assert np.array_equal(found, np.where(expected == 5, NO_CLASS, expected.astype(int)))
    part = read_nearest(source, window.window(7, 11, 20, 30))
    assert np.array_equal(part, found[7:27, 11:41])
    beyond = read_nearest(source, window.window(-50, -50, 20, 30))
    assert (beyond == NO_CLASS).all()
