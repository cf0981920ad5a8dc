"""Laser points that cannot be used are named before anything is computed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import shapely
from point_files import part, town_scan, write_las
from small_inputs import check, faults, one_fault, surface, write_config, write_raster

from solarkataster.errors import InputErrors
from solarkataster.io.pointclouds import open_points, read_points


@pytest.fixture(scope="module")
def scan():
    return town_scan()


def with_points(folder: Path, pattern: str = "scan.laz", settings: str = "") -> None:
    write_config(folder, f"[points]\n{settings}" if settings else "", points=pattern)


def scanned(folder: Path, scan, settings: str = "", **options) -> Path:
    """One file of laser points and a config that names it."""
    with_points(folder, settings=settings)
    return write_las(folder / "scan.laz", scan, **options)


def notes(folder: Path) -> str:
    return "\n".join(note for note in check(folder).notes if "laser points" in note)


# Good ones


def test_good_points_pass_with_their_density(folder, scan):
    path = scanned(folder, scan)
    checked = check(folder)
    assert [file.path for file in checked.points.files] == [path]
    assert str(path) in checked.checksums
    # 60,000 on 120 x 120 m.
    assert "about 4.2 per m² over the footprints" in notes(folder)
    assert "ground_classes" not in notes(folder)


def test_without_points_there_are_none(folder):
    assert check(folder).points is None


def test_thin_points_are_noted(folder, scan):
    scanned(folder, part(scan, slice(0, None, 4)))
    assert "about 1.0 per m² over the footprints, under 2: only large" in notes(folder)


# Files


def test_missing_file_names_the_key(folder):
    with_points(folder)
    fault = one_fault(folder)
    assert "not found" in fault.found
    assert "laser points" in fault.expected


@pytest.mark.parametrize("content", [b"", b"LASF", b"GIF89a" * 100, b"\0" * 1000])
def test_what_is_no_las_file_is_told(folder, content):
    (folder / "scan.laz").write_bytes(content)
    with_points(folder)
    assert "cannot be opened as laser points" in one_fault(folder).found


@pytest.mark.parametrize("name", ["scan.laz", "scan.las"])
@pytest.mark.parametrize("share", [0.3, 0.99])
def test_truncated_files_are_told_by_the_header(folder, scan, name, share):
    path = write_las(folder / name, scan)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with_points(folder, name)
    assert "truncated" in one_fault(folder).found


def test_file_that_shrinks_after_the_check_is_named_by_the_reader(folder, scan):
    path = scanned(folder, scan)
    checked = check(folder)
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(Exception, match=r"scan\.laz: cannot be read to its end"):
        read_points(checked.points, np.ones(checked.grid.shape, dtype=bool), checked.grid)


def test_empty_file_is_told(folder, scan):
    scanned(folder, part(scan, slice(0, 0)))
    assert one_fault(folder).found == "holds no point"


def test_all_faults_of_all_files_are_told_at_once(folder, scan):
    write_las(folder / "a.laz", part(scan, slice(0, 0)))
    (folder / "b.laz").write_bytes(b"no")
    write_las(folder / "c.laz", scan, crs="EPSG:31466")
    with_points(folder, "*.laz")
    assert [Path(fault.where).name for fault in faults(folder)] == ["a.laz", "b.laz", "c.laz"]


def test_twice_the_same_points_are_noted(folder, scan):
    path = write_las(folder / "scan.laz", scan)
    shutil.copy(path, folder / "scan_copy.laz")
    with_points(folder, "scan*.laz")
    assert "scan_copy.laz has number and bounds of the points of scan.laz" in notes(folder)


# Coordinate systems


def test_file_without_a_system_stops_until_the_config_names_it(folder, scan):
    path = scanned(folder, scan, crs=None)
    fault = one_fault(folder)
    assert fault.where == str(path)
    assert fault.found == "has no coordinate system"
    assert 'crs = "EPSG:25832"' in fault.remedy
    with_points(folder, settings='crs = "EPSG:25832"')
    check(folder)


def test_system_of_the_file_counts_more_than_that_of_the_config(folder, scan):
    scanned(folder, scan, 'crs = "EPSG:31466"')
    check(folder)


def test_system_of_the_config_that_cannot_be_read_is_told(folder, scan):
    scanned(folder, scan, 'crs = "Gauss"', crs=None)
    assert "crs in [points]" in one_fault(folder).remedy


@pytest.mark.parametrize(
    ("crs", "told"),
    [
        ("EPSG:25833", "coordinate system is EPSG:25833"),
        ("EPSG:4326", "degrees of longitude and latitude"),
        ("EPSG:2225", "not in metres"),  # California zone 1, US survey feet
        ("EPSG:25832+6360", "heights are in"),  # NAVD88 height (ftUS)
    ],
)
def test_other_systems_and_units_stop(folder, scan, crs, told):
    scanned(folder, scan, crs=crs)
    assert told in one_fault(folder).found


def test_compound_system_with_heights_in_metres_passes(folder, scan):
    scanned(folder, scan, crs="EPSG:25832+7837")
    check(folder)


def test_zone_number_in_the_eastings_stops(folder, scan):
    scanned(folder, scan, x=scan["x"] + 32e6, scale=0.1)
    fault = one_fault(folder)
    assert "begin with the zone number 32" in fault.found
    assert "EPSG:4647" in fault.expected


def test_points_of_another_place_stop(folder, scan):
    scanned(folder, scan, x=scan["x"] + 5000)
    assert "does not overlap the surface model" in one_fault(folder).found


def test_files_and_footprints_off_each_other_are_noted(folder, scan):
    is_west = scan["x"] < scan["x"].min() + 55
    write_las(folder / "near.laz", part(scan, is_west))
    write_las(folder / "far.laz", scan, x=scan["x"] + 5000)
    with_points(folder, "*ar.laz")
    told = notes(folder)
    assert "1 of 2 files lie off the surface model" in told
    # Houses begin at 3, 13, ... 113 m; those from 63 m on are out of reach: 6 of 12 columns.
    assert "no file reaches 72 footprints (50.0%)" in told


def test_real_scan_in_feet_with_a_contradicting_system_stops(real_data):
    with pytest.raises(InputErrors, match="heights are in US survey foot"):
        open_points(real_data / "odd" / "autzen_feet_1065pts.copc.laz")


def test_real_scan_in_feet_without_a_system_does_not_lie_in_the_town(folder, real_data):
    shutil.copy(real_data / "odd" / "autzen_feet_1065pts_no_crs.las", folder / "scan.laz")
    with_points(folder)
    assert one_fault(folder).found == "has no coordinate system"
    with_points(folder, settings='crs = "EPSG:25832"')
    fault = one_fault(folder)
    assert "does not overlap" in fault.found
    assert "feet" in fault.remedy


# Heights


@pytest.mark.parametrize(("shift_m", "side"), [(45.9, "45.9 m above"), (-2.4, "2.4 m below")])
def test_other_height_datum_stops(folder, scan, shift_m, side):
    scanned(folder, scan, z=scan["z"] + shift_m)
    fault = one_fault(folder)
    assert side in fault.found
    assert "dsm.tif" in fault.expected


def test_two_metres_between_two_flights_pass(folder, scan):
    scanned(folder, scan, z=scan["z"] + 1.8)
    check(folder)


def test_heights_in_feet_are_told_as_such(folder, scan):
    scanned(folder, scan, z=scan["z"] / 0.3048)
    fault = one_fault(folder)
    assert "heights in feet" in fault.found
    assert "3.28 times" in fault.found


def test_leafless_scan_of_a_leafy_surface_passes(folder, scan):
    dsm_m = surface()
    dsm_m[8::10] += 15.0  # crowns in all rows between the houses
    dsm_m[9::10] += 15.0
    dsm_m[0:3] += 15.0
    write_raster(folder / "dsm.tif", dsm_m)
    scanned(folder, scan)
    check(folder)


def test_surface_in_doubt_is_told_alone(folder, scan):
    scanned(folder, scan)
    write_raster(folder / "dsm.tif", surface() + 60)
    assert "surface" in str(one_fault(folder)).lower()
    assert one_fault(folder).where == str(folder / "dsm.tif")


# Classes


def test_no_roof_class_inside_footprints_stops_with_what_is_there(folder, scan):
    scanned(folder, scan, classification=np.where(scan["classification"] == 6, 15, 2))
    fault = one_fault(folder)
    assert "inside footprints the points are of class 15" in fault.found
    assert "0, 1, 6, 20" in fault.expected
    assert "roof_classes" in fault.remedy
    with_points(folder, settings="roof_classes = [15]")
    check(folder)


def test_few_of_the_roof_classes_inside_footprints_are_noted(folder, scan):
    is_odd = np.arange(len(scan["x"])) % 10 > 1
    scanned(folder, scan, classification=np.where(is_odd & (scan["classification"] == 6), 15, 6))
    assert "20% inside footprints are of roof_classes" in notes(folder)


def test_scheme_without_ground_is_noted(folder, scan):
    scanned(folder, scan, classification=np.zeros(len(scan["x"])))
    assert "none is of ground_classes" in notes(folder)


@pytest.mark.parametrize("classes", ["[6, 5]", "[2, 6]"])
def test_plants_and_ground_are_no_roofs(folder, scan, classes):
    scanned(folder, scan, f"roof_classes = {classes}")
    assert "is named as a roof" in one_fault(folder).found


def test_coarse_coordinates_are_noted(folder, scan):
    scanned(folder, scan, scale=0.1)
    assert "rounded to 0.1 m" in notes(folder)


def test_footprints_without_geometry_do_not_stop_the_check(folder, scan):
    import geopandas as gpd
    from small_inputs import outlines, rewrite_footprints

    table = outlines()
    table.geometry = [None, shapely.Polygon(), *table.geometry[2:]]
    rewrite_footprints(folder, gpd.GeoDataFrame(table))
    write_config(folder, "[limits]\nmax_bad_footprints_fraction = 0.1", points="scan.laz")
    write_las(folder / "scan.laz", scan)
    check(folder)


# Beside the surface


@pytest.mark.parametrize(
    ("aside", "told"),
    [
        ((3.0, 0.0), "3.0 m east"),
        ((-2.0, -4.0), "2.0 m west and 4.0 m south"),
        ((0.0, 4.0), "4.0 m north"),
    ],
)
def test_points_beside_the_surface_stop(folder, scan, aside, told):
    moved = {**scan, "x": scan["x"] + aside[0], "y": scan["y"] + aside[1]}
    scanned(folder, moved)
    assert f"lie about {told} of where the surface model" in str(one_fault(folder))


def test_a_metre_aside_is_noted_and_half_a_metre_is_not(folder, scan):
    scanned(folder, {**scan, "x": scan["x"] + 1.0})
    assert "they lie about 1.0 m east" in notes(folder)
    scanned(folder, {**scan, "x": scan["x"] + 0.4})
    assert "they lie" not in notes(folder)


def test_ground_alone_is_no_scan_of_roofs(folder, scan):
    scanned(folder, part(scan, scan["classification"] == 2))
    assert "holds no point of a roof; its points are of class 2 (100%)" in str(one_fault(folder))


@pytest.mark.parametrize("place", [100, 243])
def test_a_header_with_more_records_than_bytes_is_told_at_once(folder, scan, place):
    """A reader that believed it would look for two thousand million records."""
    path = scanned(folder, scan)
    content = bytearray(path.read_bytes())
    content[place : place + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(content)
    assert "more records than have room in the file" in str(one_fault(folder))
