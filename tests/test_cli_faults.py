"""Faults of the single commands and of a run: told before anything is computed or written."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from run_folders import write_small_town
from weather_files import made_up_year, try_text

from solarkataster import cli
from solarkataster.errors import InputError
from solarkataster.io.webtiles import write_building_tiles
from solarkataster.layers import BUILDING_COLUMNS
from solarkataster.stages.single_faults import remedies_of_a_command
from solarkataster.weather import _label_fault


@pytest.fixture(scope="module")
def weather(tmp_path_factory) -> Path:
    """A test reference year of Mannheim, 51 km east of the raster here."""
    path = tmp_path_factory.mktemp("weather") / "TRY.dat"
    path.write_text(try_text(made_up_year()), encoding="latin-1")
    return path


@pytest.fixture
def dsm(tmp_path) -> Path:
    """A plain of 100 m, 20 x 20 cells of 0.5 m."""
    path = tmp_path / "dsm.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=20, width=20, count=1, dtype="float32", nodata=-9999.0,
        crs="EPSG:25832", transform=rasterio.Affine(0.5, 0, 410_000.0, 0, -0.5, 5_480_050.0),
    ) as target:  # fmt: skip
        target.write(np.full((20, 20), 100.0, dtype=np.float32), 1)
    return path


@pytest.fixture
def write_points(tmp_path):
    """Write three points 1 m above the plain; columns given replace those here."""

    def write(**columns) -> Path:
        table = {
            "x": [410_005.0] * 3,
            "y": [5_480_045.0] * 3,
            "z": [101.0] * 3,
            "surface_tilt": [0, 35, 90],
            "surface_azimuth": [0, 180, 90],
        }
        path = tmp_path / "points.csv"
        pd.DataFrame(table | columns).to_csv(path, index=False)
        return path

    return write


@pytest.fixture
def words(dsm, weather, write_points):
    """The words of a command that would run, all but --out."""
    return {
        "horizon": ["horizon", dsm, "--azimuths", 8],
        "irradiation": ["irradiation", dsm, "--weather", weather, "--azimuths", 8],
        "sensors": [
            *("sensors", dsm, "--points", write_points(), "--weather", weather, "--azimuths", 8)
        ],
    }


COMMANDS = ("horizon", "irradiation", "sensors")


# a place for the result


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("way", ["itself", "dots", "symlink", "hard link"])
def test_no_command_writes_over_its_surface_model(type_in, words, dsm, command, way):
    out = {"itself": dsm, "dots": dsm.parent / ".." / dsm.parent.name / dsm.name}.get(way)
    if out is None:
        out = dsm.with_name("link.tif")
        (out.symlink_to if way == "symlink" else out.hardlink_to)(dsm)
    before = dsm.read_bytes()
    code, _, err = type_in(*words[command], "--out", out)
    assert code == cli.EXIT_INPUT
    assert "is the input itself" in err
    assert dsm.read_bytes() == before


def test_no_command_writes_over_its_other_inputs(type_in, words, dsm, weather):
    points = dsm.with_name("points.csv")
    before = points.read_bytes()
    for out in (points, weather):
        code, _, err = type_in(*words["sensors"], "--out", out)
        assert code == cli.EXIT_INPUT
        assert "is the input itself" in err
    assert points.read_bytes() == before
    assert type_in(*words["irradiation"], "--out", weather)[0] == cli.EXIT_INPUT


def test_no_command_writes_over_a_file_behind_a_virtual_raster(type_in, dsm):
    virtual = dsm.with_name("all.vrt")
    virtual.write_text(
        '<VRTDataset rasterXSize="20" rasterYSize="20"><SRS>EPSG:25832</SRS>'
        "<GeoTransform>410000, 0.5, 0, 5480050, 0, -0.5</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
        '<SourceFilename relativeToVRT="1">dsm.tif</SourceFilename><SourceBand>1</SourceBand>'
        "</SimpleSource></VRTRasterBand></VRTDataset>"
    )
    before = dsm.read_bytes()
    code, _, err = type_in("horizon", virtual, "--out", dsm, "--azimuths", 8)
    assert code == cli.EXIT_INPUT
    assert "is the input itself" in err
    assert dsm.read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS)
def test_a_result_that_has_no_place_is_told_before_the_computation(
    type_in, words, dsm, command, monkeypatch
):
    from solarkataster.stages import single

    def computed(*_args, **_options):
        raise AssertionError("computed for nothing")

    for name in ("horizon_profile", "cell_light", "light"):
        monkeypatch.setattr(single, name, computed)
    # No one can make a file in /proc, not even root.
    for out in ("/proc/x.tif", dsm / "x.tif", dsm.parent, "/dev/null"):
        code, _, err = type_in(*words[command], "--out", out)
        assert code == cli.EXIT_INPUT
        assert "Expected: a file in an existing folder that can be written to" in err
        assert "Traceback" not in err


def test_a_command_that_stops_leaves_no_trial_behind(type_in, words, dsm, weather):
    before = sorted(os.listdir(dsm.parent))
    code, _, _ = type_in(*words["irradiation"], "--out", dsm.parent / "a.tif",
                         "--max-distance-km", 0.001)  # fmt: skip
    assert code == cli.EXIT_INPUT
    assert sorted(os.listdir(dsm.parent)) == before


# remedies


def test_remedies_of_the_commands_name_their_own_options(type_in, words, dsm, weather):
    out = ("--out", dsm.parent / "out")
    gone = dsm.parent / "gone"
    cases = [
        (["horizon", gone, *out], "Correct DSM"),
        (["irradiation", dsm, "--weather", gone, *out], "Correct --weather"),
        ([*words["irradiation"], "--footprints", gone, *out], "Correct --footprints"),
    ]
    for command, remedy in cases:
        code, _, err = type_in(*command)
        assert code == cli.EXIT_INPUT
        assert remedy in err
        assert "[inputs]" not in err
        assert "[weather]" not in err


def test_the_remedy_of_a_wrong_label_is_the_option():
    """Light 30 min early when read as labelled with the end: 7.5 deg of the sun's way."""
    with pytest.raises(InputError, match=r"Give --label centre\."), remedies_of_a_command():
        raise _label_fault(-7.5, "end", "TRY.dat")


# demo and run


def test_a_demo_that_has_no_place_is_told(type_in, tmp_path):
    plain = tmp_path / "file"
    plain.write_text("mine")
    for out in (plain, "/proc/demo"):
        code, _, err = type_in("demo", "--out", out)
        assert code == cli.EXIT_INPUT
        assert "cannot be made" in err
        assert "Expected: a folder" in err
    assert plain.read_text() == "mine"


def test_a_wrong_scheduler_leaves_no_run_folder(type_in, tmp_path):
    config = write_small_town(tmp_path / "town")
    out = tmp_path / "run"
    code, _, err = type_in("run", config, "--out", out, "--scheduler", "nonsense")
    assert code == cli.EXIT_INPUT
    assert "no Dask scheduler answers" in err
    assert not out.exists()


def test_help_says_that_a_cluster_has_its_own_workers(type_in):
    _, out, _ = type_in("run", "--help")
    assert "--workers is ignored then" in " ".join(out.split())


def test_null_and_empty_outlines_stay_off_the_map_without_a_warning(tmp_path):
    """Warnings are errors here; one of three buildings has a place."""
    shapes = [shapely.box(0, 0, 9, 9), None, shapely.Polygon()]
    table = gpd.GeoDataFrame(geometry=shapes, crs="EPSG:25832")
    for column in BUILDING_COLUMNS:
        table[column.name] = "" if column.dtype == "str" else 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert write_building_tiles(tmp_path / "buildings.pmtiles", table) == 1


def test_a_run_without_any_value_says_so_and_why(type_in, tmp_path):
    """Planes of 100 000 m² are larger than any roof of the town."""
    config = write_small_town(tmp_path / "town")
    text = config.read_text(encoding="utf-8")
    config.write_text(text + "\n[roofs]\nmin_plane_area_m2 = 1e5\n", encoding="utf-8")
    code, out, err = type_in("run", config, "--out", tmp_path / "run", "--workers", 1)
    assert code == 0, err
    assert "note: no building has a value: the most frequent reason" in out
    reasons = pd.read_parquet(tmp_path / "run" / "buildings.parquet")["reason_en"]
    assert reasons.mode()[0] in out
    assert "no building has a value" in (tmp_path / "run" / "run.json").read_text()


def test_a_run_with_values_does_not_say_that_there_are_none(type_in, tmp_path):
    config = write_small_town(tmp_path / "town", yields=False)
    code, out, err = type_in("run", config, "--out", tmp_path / "run", "--workers", 1)
    assert code == 0, err
    assert "no building has a value" not in out


# points


def test_every_fault_of_a_points_file_is_told_at_once(type_in, words, write_points, dsm):
    write_points(
        x=[410_005.0, 999_999.0, 410_005.0],
        y=["", 5_480_045.0, 5_480_045.0],
        z=[101.0, "high", 101.0],
        surface_tilt=[0, 35, 91],
        surface_azimuth=[720, 180, -90],
    )
    code, _, err = type_in(*words["sensors"], "--out", dsm.parent / "out.csv")
    assert code == cli.EXIT_INPUT
    for fault in (
        "y of point 1 is ''",
        "z of point 2 is 'high'",
        "surface_tilt of point 3 is '91'",
        "surface_azimuth of point 1 is '720', surface_azimuth of point 3 is '-90'",
        "1 of 3 points lie off the raster, the first is point 2",
    ):
        assert fault in err
    assert not (dsm.parent / "out.csv").exists()


def test_a_full_turn_is_north(type_in, words, write_points, dsm):
    write_points(surface_tilt=[35] * 3, surface_azimuth=[0, 360, 180])
    assert type_in(*words["sensors"], "--out", dsm.parent / "out.csv")[0] == 0
    year = pd.read_csv(dsm.parent / "out.csv")["poa_global_year_kwh_m2"]
    assert year[0] == year[1] < year[2]


def test_points_far_from_the_surface_are_computed_and_told(type_in, words, write_points, dsm):
    """The plain lies at 100 m: 0.4 m under it is silent, 4 m under and 201 m over are not."""
    write_points(z=[99.6, 96.0, 301.0])
    code, _, err = type_in(*words["sensors"], "--out", dsm.parent / "out.csv")
    assert code == 0
    assert "1 of 3 points lie more than 0.5 m under the surface model" in err
    assert "the first is point 2, 4.00 m under it" in err
    assert "1 of 3 points lie more than 200 m above the surface model" in err
    assert "the first is point 3, 201.00 m above it" in err
    assert "height_m" in err
    assert len(pd.read_csv(dsm.parent / "out.csv")) == 3


def test_points_near_the_surface_need_no_note(type_in, words, write_points, dsm):
    write_points(z=[99.6, 101.0, 299.0])
    code, _, err = type_in(*words["sensors"], "--out", dsm.parent / "out.csv")
    assert code == 0
    assert "note" not in err
