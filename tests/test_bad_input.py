"""Stop or mark (design, section 8): one test per limit, each breaks one thing of a good input."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
import small_inputs
import weather_files
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

DEGREES = rasterio.Affine(1e-5, 0.0, 8.4, 0.0, -1e-5, 49.5)
UP = rasterio.Affine(1.0, 0.0, WEST_M, 0.0, -1.0, NORTH_M)


def test_good_input_passes_without_a_mark(folder):
    checked = check(folder)
    assert checked.marks == {}
    assert len(checked.footprints) == 144
    assert checked.grid.shape == (N_CELLS, N_CELLS)
    # Meridian convergence at 49.49° N, 8.46° E by atan(tan(longitude - 9°) sin(latitude)).
    expected_deg = np.degrees(np.arctan(np.tan(np.radians(8.4615 - 9)) * np.sin(np.radians(49.49))))
    assert checked.convergence_deg == pytest.approx(expected_deg, abs=0.002)
    names = {Path(path).name for path in checked.checksums}
    assert names == {"dsm.tif", "dtm.tif", "footprints.gpkg", "weather.dat"}


# Files


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dsm", "tiles/*.tif"),
        ("dtm", "absent.tif"),
        ("footprints", "absent.gpkg"),
        ("weather", "absent.dat"),
    ],
)
def test_missing_file_is_named_as_the_config_has_it(folder, key, value):
    write_config(folder, **{key: value})
    fault = one_fault(folder)
    assert str(folder / value) in fault.where
    assert "no" in fault.found


@pytest.mark.parametrize("compress", [None, "deflate"])
@pytest.mark.parametrize("name", ["dsm.tif", "dtm.tif"])
def test_truncated_raster_is_a_fault(folder, name, compress):
    path = write_raster(folder / name, surface(), compress=compress, blockysize=16)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 7 // 10])
    fault = one_fault(folder)
    assert fault.where == str(path)
    assert "truncated" in fault.found


def test_text_instead_of_a_raster_is_a_fault(folder):
    (folder / "dsm.tif").write_text("404 not found")
    assert "cannot be opened as a raster" in one_fault(folder).found


def test_aerial_image_instead_of_heights_is_a_fault(folder):
    write_raster(folder / "dsm.tif", np.zeros((9, 9), "uint8"), count=3, nodata=None)
    assert "3 bands" in one_fault(folder).found


# Coordinate systems and grids


@pytest.mark.parametrize("name", ["dsm.tif", "dtm.tif"])
@pytest.mark.parametrize(
    ("profile", "told"),
    [
        ({"crs": None}, "no coordinate system"),
        ({"crs": "EPSG:4326", "transform": DEGREES}, "degrees"),
        ({"crs": "EPSG:2263"}, "US survey foot"),
        ({"crs": "EPSG:25832+6360"}, "heights are in US survey foot"),
        ({"transform": UP @ rasterio.Affine.rotation(10.0)}, "rotated"),
        ({"transform": rasterio.Affine(1, 0, WEST_M, 0, 1, NORTH_M - N_CELLS)}, "flipped"),
        ({"transform": rasterio.Affine(1, 0, WEST_M, 0, -2, NORTH_M)}, "cells are 1 x 2 m"),
    ],
)  # fmt: skip
def test_raster_without_square_metres_is_a_fault(folder, name, profile, told):
    write_raster(folder / name, surface(), **profile)
    found = faults(folder)
    assert told in found[0].found
    assert found[0].where == str(folder / name)


def test_raster_whose_header_says_feet_is_a_fault(folder):
    with rasterio.open(folder / "dsm.tif", "r+") as target:
        target.units = ("ft",)
    assert "heights are in ft" in one_fault(folder).found


def test_web_mercator_is_refused_because_its_metres_are_none(folder):
    transform = rasterio.Affine(1, 0, 941_000, 0, -1, 6_360_000)
    write_raster(folder / "dsm.tif", surface(), crs="EPSG:3857", transform=transform)
    # A metre of the map is 1 / cos(49.5°) long on the map: 1.54.
    assert "a metre in EPSG:3857 is 1.5" in faults(folder)[0].found


def test_rasters_in_different_systems_are_a_fault(folder):
    write_raster(folder / "dtm.tif", terrain(), crs="EPSG:32632")
    fault = one_fault(folder)
    assert "EPSG:32632" in fault.found
    assert "EPSG:25832" in fault.expected


def test_zone_number_in_the_eastings_of_a_raster_is_refused_by_name(folder):
    shifted = rasterio.Affine(1, 0, WEST_M + 32e6, 0, -1, NORTH_M)
    write_raster(folder / "dsm.tif", surface(), transform=shifted)
    fault = faults(folder)[0]
    assert "begin with the zone number 32" in fault.found
    assert "EPSG:4647" in fault.expected


def test_zone_prefixed_system_is_understood(folder):
    shifted = rasterio.Affine(1, 0, WEST_M + 32e6, 0, -1, NORTH_M)
    plain = check(folder)
    write_raster(folder / "dsm.tif", surface(), crs="EPSG:4647", transform=shifted)
    write_raster(folder / "dtm.tif", terrain(), crs="EPSG:4647", transform=shifted)
    checked = check(folder)  # the footprints stay in EPSG:25832
    assert checked.marks == {}
    assert checked.convergence_deg == pytest.approx(plain.convergence_deg, abs=1e-9)


def test_tile_off_the_grid_is_a_fault(folder):
    east = rasterio.Affine(1, 0, WEST_M + N_CELLS + 0.5, 0, -1, NORTH_M)
    write_raster(folder / "dsm_east.tif", surface(), transform=east)
    write_config(folder, dsm="dsm*.tif")
    fault = one_fault(folder)
    assert fault.where.endswith("dsm_east.tif")
    assert "+0.50 columns" in fault.found


def test_coarser_shifted_terrain_is_read_on_the_surface_grid_and_noted(folder):
    coarse = rasterio.Affine(5, 0, WEST_M - 7.5, 0, -5, NORTH_M + 7.5)
    write_raster(folder / "dtm.tif", np.full((30, 30), 100.0, "float32"), transform=coarse)
    assert any("bilinearly" in note for note in check(folder).notes)


# Weather


def test_far_site_stops_and_the_config_may_allow_it(folder):
    write_config(folder, "[weather]\nmax_distance_km = 0.1")
    fault = one_fault(folder)
    assert "km from the surface model" in fault.found
    write_config(folder, "[weather]\nmax_distance_km = 3")
    check(folder)


def without_an_hour(rows):
    return rows[:4000] + rows[4001:]


def with_a_leap_day(rows):
    return rows[:1416] + rows[1392:1416] + rows[1416:]


def with_negative_light(rows):
    return [*rows[:12], re.sub(r" +\d+ +(\d+) 281", r" -50 \1 281", rows[12]), *rows[13:]]


def with_direct_and_diffuse_swapped(rows):
    return [re.sub(r" +(\d+) +(\d+) 281", r" \2 \1 281", row) for row in rows]


def with_two_hours_exchanged(rows):
    return [*rows[:4000], rows[4001], rows[4000], *rows[4002:]]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without_an_hour, "8759"),
        (with_a_leap_day, "8784"),
        (with_negative_light, "negative"),
        (with_direct_and_diffuse_swapped, "swapped"),
        (with_two_hours_exchanged, "hour"),
    ],
)
def test_faulty_weather_stops(folder, change, told):
    lines = small_inputs.weather_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("***")) + 1
    rows = change(lines[first:])
    assert rows != lines[first:]
    weather_files.write(folder, "weather.dat", "\n".join([*lines[:first], *rows]) + "\n")
    found = faults(folder)
    assert all("weather.dat" in fault.where for fault in found)
    assert told in "\n".join(map(str, found)).lower()


def test_summer_year_is_no_year(folder):
    text = small_inputs.weather_text().replace("mittleres Jahr", "extremer Sommer")
    weather_files.write(folder, "weather.dat", text)
    assert "summer" in one_fault(folder).found


# All at once, and before anything is written


def break_three(folder: Path) -> None:
    write_raster(folder / "dsm.tif", surface(), crs=None)
    table = outlines()
    table.loc[5, "gml_id"] = "H000"
    rewrite_footprints(folder, table)
    (folder / "weather.dat").unlink()


def test_three_faults_give_three_messages(folder):
    break_three(folder)
    told = [Path(fault.where).name for fault in faults(folder)]
    assert sorted(told) == ["dsm.tif", "footprints.gpkg", "weather.dat"]


@pytest.mark.parametrize("command", ["check", "run"])
def test_commands_print_all_faults_and_exit_2_with_nothing_written(
    folder, command, monkeypatch, capsys
):
    from solarkataster.cli import main

    break_three(folder)
    before = sorted(folder.rglob("*"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["solarkataster", command, "config.toml"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    told = capsys.readouterr().err
    for text in ("no coordinate system", "stand more than once", "weather.dat", "Remedy:"):
        assert text in told
    assert sorted(folder.rglob("*")) == before


def test_misspelt_config_key_ends_with_2_and_names_the_right_one(folder, monkeypatch, capsys):
    from solarkataster.cli import main

    write_config(folder, "[horizon]\nreach = 300")
    monkeypatch.setattr(sys, "argv", ["solarkataster", "check", str(folder / "config.toml")])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert "Did you mean reach_m?" in capsys.readouterr().err


# Real scenes


def bonn(folder: Path, real_data: Path, **inputs) -> Path:
    scene = real_data / "bonn_west"
    write_config(
        folder,
        **{
            "dsm": scene / "dsm_1m.tif",
            "dtm": scene / "dtm_1m.tif",
            "footprints": scene / "buildings.gpkg",
            "footprint_id": "building_id",
            "weather": real_data / "weather" / "TRY2015_506461079426_Jahr.dat",
            **inputs,
        },
    )
    return folder


def test_bonn_west_is_marked_not_stopped(tmp_path, real_data):
    checked = check(bonn(tmp_path, real_data))
    assert len(checked.footprints) == 266
    cut = [id for id, marks in checked.marks.items() if "outside the surface" in str(marks)]
    assert len(cut) == 37  # its README: 37 of 266 cross the raster edge
    overlapping = [id for id, marks in checked.marks.items() if "overlaps" in str(marks)]
    assert len(overlapping) == 2  # one pair shares 0.08 m²
    told = "\n".join(checked.notes)
    assert "62 km away" in told
    assert "no data on 0.6% of the footprint cells" in told  # 713 cells, its README
    assert "below the terrain on 0.01% of the cells" in told  # 49 cells, its README
    assert checked.convergence_deg == pytest.approx(-1.49, abs=0.01)


def test_bonn_as_delivered_stops_for_its_missing_geometries(tmp_path, real_data):
    path = real_data / "bonn_west" / "buildings_as_delivered.gpkg"
    fault = one_fault(bonn(tmp_path, real_data, footprints=path, footprint_id="src_fid"))
    assert "56 of 323 footprints are bad (17.3%): 56 without geometry" in fault.found


def test_bonn_height_above_ground_is_recognised(tmp_path, real_data):
    path = real_data / "bonn_west" / "ndsm_1m.tif"
    found = faults(bonn(tmp_path, real_data, dsm=path))
    assert "looks like a height above ground" in "\n".join(fault.found for fault in found)


def test_surface_model_without_a_nodata_tag_is_fine_if_nothing_is_missing(tmp_path, real_data):
    odd = real_data / "odd" / "dsm_only_no_nodata_tag.tif"
    # Two outlines: of three it would be told that this forest shows no buildings.
    table = outlines().head(2).set_crs("EPSG:32651", allow_override=True)
    table = table.set_geometry(table.translate(789_800 - WEST_M, 784_400 - NORTH_M))
    table.to_file(tmp_path / "footprints.gpkg", engine="pyogrio")
    bonn(tmp_path, real_data, dsm=odd, dtm=odd, footprints="footprints.gpkg", footprint_id="gml_id")
    # The Philippines: nothing is wrong with the raster, but the weather is from elsewhere.
    assert "km from the surface model" in one_fault(tmp_path).found
