"""Stop or mark (design, section 8): places, footprints and heights that do not fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
from small_inputs import (
    N_CELLS,
    NORTH_M,
    WEST_M,
    check,
    faults,
    one_fault,
    outlines,
    rewrite_footprints,
    surface,
    terrain,
    write_config,
    write_raster,
)

from solarkataster.io.runfolder import RunFolder
from solarkataster.stages.plan import plan_tiles
from solarkataster.stages.roofs import roofs_stage
from solarkataster.stages.surface import surface_stage

# Places


def test_terrain_of_another_place_is_a_fault(folder):
    away = rasterio.Affine(1, 0, WEST_M + 5000, 0, -1, NORTH_M)
    write_raster(folder / "dtm.tif", terrain(), transform=away)
    assert "does not overlap the surface model" in one_fault(folder).found


def test_footprints_of_another_place_are_a_fault(folder):
    table = outlines()
    rewrite_footprints(folder, table.set_geometry(table.translate(5000, 0)))
    fault = one_fault(folder)
    assert "no footprint lies on the surface model" in fault.found
    assert fault.where.endswith("footprints.gpkg")


def test_terrain_that_covers_less_than_the_footprints_is_a_fault(folder):
    write_raster(folder / "dtm.tif", terrain()[:, :90])
    # Three of the twelve columns of houses begin east of 90 m.
    assert "does not cover 36 footprints" in one_fault(folder).found


def test_missing_terrain_tile_in_the_middle_is_a_fault(folder):
    (folder / "dtm.tif").unlink()
    for col in (0, 80):
        transform = rasterio.Affine(1, 0, WEST_M + col, 0, -1, NORTH_M)
        write_raster(folder / f"dtm_{col}.tif", terrain()[:, col : col + 40], transform=transform)
    write_config(folder, dtm="dtm_*.tif")
    assert "does not cover 48 footprints" in one_fault(folder).found


def test_more_than_half_of_the_footprints_off_the_raster_are_a_fault(folder):
    table = outlines()
    rewrite_footprints(folder, table.set_geometry(table.translate(65, 0)))
    assert "84 of 144 footprints are off the surface model" in one_fault(folder).found


def test_fewer_off_the_raster_are_marked(folder):
    table = outlines()
    rewrite_footprints(folder, table.set_geometry(table.translate(55, 0)))
    # The houses move along, or the footprints would stand on open ground.
    write_raster(folder / "dsm.tif", terrain() + np.roll(surface() - terrain(), 5, axis=1))
    marks = check(folder).marks
    # Houses begin at 58, 68, ... m: five columns are off, the seventh ends at 123 of 120 m.
    told = [text for texts in marks.values() for text in texts]
    assert told.count("100.0% of the footprint is outside the surface model") == 60
    assert told.count("60.0% of the footprint is outside the surface model") == 12
    assert len(told) == 72


# Footprints


def bow_tie(row: int, col: int) -> shapely.Polygon:
    """An outline that crosses itself, at a cell of the town."""
    west, north = WEST_M + col, NORTH_M - row
    return shapely.Polygon(
        [(west, north), (west + 5, north - 5), (west + 5, north), (west, north - 5)]
    )


BAD = {"null": None, "empty": shapely.Polygon(), "invalid": bow_tie(3, 3)}


@pytest.mark.parametrize(
    ("kind", "told"),
    [("null", "2 without geometry"), ("empty", "2 empty"), ("invalid", "2 invalid")],
)
def test_more_than_one_percent_bad_footprints_stop(folder, kind, told):
    table = outlines()
    table.loc[[0, 7], "geometry"] = BAD[kind]  # 2 of 144 are 1.4 %
    rewrite_parquet(folder, table)
    fault = one_fault(folder)
    assert "2 of 144 footprints are bad (1.4%)" in fault.found
    assert told in fault.found


@pytest.mark.parametrize(
    ("kind", "told"),
    [("null", "no geometry"), ("empty", "is empty"), ("invalid", "repaired (self-intersection)")],
)
def test_bad_footprints_under_the_limit_are_marked_and_keep_their_row(folder, kind, told):
    table = outlines()
    table.loc[0, "geometry"] = BAD[kind]
    rewrite_parquet(folder, table)
    checked = check(folder)
    assert len(checked.footprints) == 144
    assert list(checked.marks) == ["H000"]
    assert told in checked.marks["H000"][0]
    assert shapely.is_valid(checked.footprints.geometry.to_numpy()[1:]).all()


def test_config_may_allow_more_bad_footprints(folder):
    table = outlines()
    table.loc[:19, "geometry"] = None
    rewrite_parquet(folder, table, "[limits]\nmax_bad_footprints_fraction = 0.2")
    assert len(check(folder).marks) == 20


def rewrite_parquet(folder: Path, table, extra: str = "") -> None:
    """GeoParquet keeps an empty polygon as it is."""
    table.to_parquet(folder / "footprints.parquet")
    write_config(folder, extra, footprints="footprints.parquet")


def test_double_ids_stop(folder):
    table = outlines()
    table.loc[5, "gml_id"] = "H000"
    rewrite_footprints(folder, table)
    assert "H000" in one_fault(folder).found


def test_missing_id_column_names_similar_ones(folder):
    write_config(folder, footprint_id="gmlid")
    fault = one_fault(folder)
    assert "no column gmlid" in fault.found
    assert "gml_id" in fault.remedy


def test_empty_layer_is_a_fault(folder):
    rewrite_footprints(folder, outlines().head(0))
    assert "has no rows" in one_fault(folder).found


def test_slivers_and_overlaps_are_marked(folder):
    table = outlines()
    table.loc[0, "geometry"] = shapely.box(WEST_M + 3, NORTH_M - 4, WEST_M + 3.5, NORTH_M - 3)
    table.loc[2, "geometry"] = table.geometry[1]
    rewrite_footprints(folder, table)
    marks = check(folder).marks
    assert marks == {
        "H000": ["footprint is a sliver of 0.50 m²"],
        "H001": ["footprint overlaps H002 (25.00 m²)"],
        "H002": ["footprint overlaps H001 (25.00 m²)"],
    }


# Heights


def test_surface_below_terrain_stops_over_five_percent_and_is_noted_below(folder):
    heights_m = surface()
    heights_m[:5] = terrain()[:5] - 0.6  # 4.2 % of the rows
    write_raster(folder / "dsm.tif", heights_m)
    assert any("4.17% of the cells" in note for note in check(folder).notes)
    heights_m[:7] = terrain()[:7] - 0.6  # 5.8 %
    write_raster(folder / "dsm.tif", heights_m)
    assert "5.8% of the cells lie more than 0.5 m below the terrain" in one_fault(folder).found


def test_height_above_ground_is_told_from_a_surface_model(folder):
    write_raster(folder / "dsm.tif", surface() - terrain(), nodata=-9999.0)
    # Open ground is exactly 0 then: the rule for untagged nodata must not hide the real cause.
    found = [fault.found for fault in faults(folder)]
    assert any("looks like a height above ground" in text for text in found)


@pytest.mark.parametrize(("name", "word"), [("dsm.tif", "surface"), ("dtm.tif", "terrain")])
def test_one_raster_in_feet_is_recognised(folder, name, word):
    heights = surface() if name == "dsm.tif" else terrain()
    write_raster(folder / name, heights / np.float32(0.3048))
    assert f"the {word} model seems to be in feet" in one_fault(folder).found


@pytest.mark.parametrize("name", ["dsm.tif", "dtm.tif"])
@pytest.mark.parametrize(
    ("value", "told"),
    [
        (-9999.0, "-9999"),
        (9999.0, "9999"),
        (-32768.0, "-32768"),
        (3.4028235e38, "3.4028235e+38"),
        (-3.4028235e38, "-3.4028235e+38"),
    ],
)
def test_one_cell_of_untagged_nodata_stops(folder, name, value, told):
    heights_m = surface()
    heights_m[0, 0] = value
    write_raster(folder / name, heights_m, nodata=None)
    fault = one_fault(folder)
    assert fault.where == str(folder / name)
    assert told in fault.found
    assert f"gdal_edit.py -a_nodata {told}" in fault.remedy
    assert f"gdal_translate -a_nodata {told}" in fault.remedy


@pytest.mark.parametrize("name", ["dsm.tif", "dtm.tif"])
def test_untagged_zeros_stop_over_a_thousandth_of_the_cells(folder, name):
    heights_m = surface() if name == "dsm.tif" else terrain()
    heights_m[0, :14] = 0.0  # 14 of 14400 cells: 0.097 %
    write_raster(folder / name, heights_m, nodata=None)
    check(folder)
    heights_m[0, 14] = 0.0  # 0.104 %
    write_raster(folder / name, heights_m, nodata=None)
    assert "exactly 0" in one_fault(folder).found


def test_tagged_zeros_and_zeros_at_the_sea_pass(folder):
    heights_m = surface()
    heights_m[:3] = 0.0
    write_raster(folder / "dsm.tif", heights_m, nodata=0.0)
    check(folder)
    for name, low_m in (("dsm.tif", surface() - 101.0), ("dtm.tif", terrain() - 101.0)):
        low_m[0] = 0.0
        write_raster(folder / name, low_m, nodata=None)
    check(folder)


def test_raster_without_any_value_stops(folder):
    write_raster(folder / "dsm.tif", np.full((N_CELLS, N_CELLS), -9999.0, "float32"))
    assert "no cell has a value" in faults(folder)[0].found


def test_nodata_inside_footprints_is_noted_and_left_to_the_tiles(folder):
    heights_m = surface()
    heights_m[3:8, 3:8] = -9999.0
    write_raster(folder / "dsm.tif", heights_m)
    assert any("no data on 0.7% of the footprint cells" in note for note in check(folder).notes)


def test_tile_marks_cells_without_data_and_below_the_terrain(folder):
    heights_m = surface()
    heights_m[3, 3:8] = -9999.0  # one row of five of the first house
    heights_m[13, 3:6] = terrain()[13, 3:6] - 0.6  # three cells of 25 of the 13th
    write_raster(folder / "dsm.tif", heights_m)
    ground_m = terrain()
    ground_m[3:8, 33:38] = -9999.0  # under the fourth house
    ground_m[3, 43:48] = -9999.0  # one row of five of the fifth
    write_raster(folder / "dtm.tif", ground_m)
    job = plan_tiles(check(folder), RunFolder(folder / "run"), "").job(0)
    found = roofs_stage(job, surface_stage(job))
    # Cells of 1 m show no eaves; every house says so.
    marks = {
        building_id: tuple(mark for mark in of_house if not mark.startswith("eaves not seen"))
        for building_id, of_house in zip(job.building_ids, found.marks, strict=True)
    }
    assert all(
        len(of_house) > len(marks[i]) for i, of_house in zip(marks, found.marks, strict=True)
    )
    assert marks["H000"] == ("surface model has no data on 20.0% of the footprint",)
    assert marks["H012"] == ("surface model is below the terrain on 12.0% of the footprint",)
    assert marks["H003"] == ("no terrain height",)
    assert marks["H004"] == ("terrain model has no data on 20.0% of the footprint",)
    assert marks["H001"] == ()
