"""The commands as a user types them: exit codes, messages, files."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from run_folders import call, fingerprint, write_small_town
from weather_files import made_up_year, try_text

from solarkataster import cli
from solarkataster.config import load_config
from solarkataster.demo import make_town
from solarkataster.layers import IRRADIATION_COLUMNS

CRS = "EPSG:25832"


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """Config of a small town; its DSM and weather also serve the single commands."""
    return write_small_town(tmp_path_factory.mktemp("town"))


def write_raster(path: Path, values: np.ndarray, crs: str = CRS) -> Path:
    ny, nx = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=ny, width=nx, count=1, dtype="float32", nodata=-9999.0,
        crs=crs, transform=rasterio.Affine(0.5, 0, 410_000.0, 0, -0.5, 5_480_050.0),
    ) as target:  # fmt: skip
        target.write(values.astype(np.float32), 1)
    return path


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    return made_up_year()


@pytest.fixture(scope="module")
def weather(year, tmp_path_factory) -> Path:
    """A test reference year of Mannheim, 51 km east of the rasters here."""
    path = tmp_path_factory.mktemp("weather") / "TRY.dat"
    path.write_text(try_text(year), encoding="latin-1")
    return path


def flat_year_kwh_m2(year: pd.DataFrame) -> float:
    return (year["bhi"] + year["dhi"]).sum() / 1000.0


# help


def test_help_comes_at_once_and_imports_no_numpy():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = call("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert cpu_s <= 0.5
    for name in ("demo", "run", "check", "serve", "new", "horizon", "irradiation", "sensors"):
        assert f"\n  {name} " in done.stdout
    code = (
        "import sys; sys.argv = ['solarkataster', '--help']\n"
        "from solarkataster.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    sys.exit('numpy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    "name", ["demo", "run", "check", "serve", "new", "horizon", "irradiation", "sensors"]
)
def test_every_command_explains_itself(type_in, name):
    code, out, _ = type_in(name, "--help")
    assert code == 0
    assert "Usage" in out


# exit codes


def test_an_unknown_option_is_a_wrong_input(type_in):
    code, _, err = type_in("run", "x.toml", "--wrokers", 2)
    assert code == cli.EXIT_INPUT
    assert "--wrokers" in err


def test_a_missing_config_is_named_and_nothing_is_written(type_in, tmp_path):
    code, _, err = type_in("run", tmp_path / "nowhere.toml", "--out", tmp_path / "run")
    assert code == cli.EXIT_INPUT
    assert "nowhere.toml" in err
    assert "Traceback" not in err
    assert not (tmp_path / "run").exists()


def test_all_faults_are_told_at_once_by_check_and_by_run(type_in, town, tmp_path):
    text = town.read_text(encoding="utf-8")
    text = text.replace('"gml_id"', '"fid_nr"').replace('"weather.csv"', '"wetter.csv"')
    broken = town.with_name("broken.toml")
    broken.write_text(text, encoding="utf-8")
    for command in (["check", broken], ["run", broken, "--out", tmp_path / "run"]):
        code, _, err = type_in(*command)
        assert code == cli.EXIT_INPUT
        assert "no column fid_nr" in err
        assert "wetter.csv" in err
    assert not (tmp_path / "run").exists()


def test_an_unknown_sky_names_the_ones_there_are(type_in, town, tmp_path):
    code, _, err = type_in("run", town, "--out", tmp_path / "run", "--sky", "isotropic")
    assert code == cli.EXIT_INPUT
    assert "perez-driesse" in err
    assert not (tmp_path / "run").exists()


def test_failed_tiles_end_with_1(type_in, town, tmp_path, monkeypatch):
    from solarkataster.stages import chain

    real = chain.surface_stage
    first = []

    def surface_stage(job):
        first.append(job.name)
        if job.name == first[0]:
            raise OSError("disk is gone")
        return real(job)

    monkeypatch.setattr(chain, "surface_stage", surface_stage)
    code, out, err = type_in("run", town, "--out", tmp_path / "run", "--workers", 1)
    assert code == cli.EXIT_FAILED
    assert f"tile {first[0]} failed: OSError: disk is gone" in err
    assert "layers:" in out
    assert (tmp_path / "run" / "map" / "index.html").exists()


def test_check_tells_tiles_memory_and_time_and_writes_nothing(type_in, town):
    before = fingerprint(town.parent)
    code, out, _ = type_in("check", town)
    assert code == 0
    assert "GB of memory per worker" in out
    assert " tiles, about" in out
    assert fingerprint(town.parent) == before


def test_a_run_in_progress_is_named(type_in, town, tmp_path):
    from solarkataster.io.runfolder import RunFolder, locked

    with locked(RunFolder(tmp_path / "run")):
        code, _, err = type_in("run", town, "--out", tmp_path / "run")
    assert code == cli.EXIT_INPUT
    assert "another run is writing here" in err


# new and demo


def test_new_writes_a_config_that_loads_and_never_overwrites(type_in, tmp_path):
    code, out, _ = type_in("new", "Bad Münstereifel", "--out", tmp_path)
    path = tmp_path / "bad-muenstereifel" / "config.toml"
    assert code == 0
    assert str(path) in out
    assert load_config(path).municipality.name == "Bad Münstereifel"
    code, _, err = type_in("new", "Bad Münstereifel", "--out", tmp_path)
    assert code == cli.EXIT_INPUT
    assert "exists already" in err


# horizon


def test_horizon_bands_look_clockwise_from_true_north(type_in, tmp_path):
    """A wall 6 m high, 20 cells (10 m) east: arctan(6 / 10) towards grid east, open behind."""
    dsm_m = np.full((61, 61), 100.0)
    dsm_m[:, 50] = 106.0
    path = write_raster(tmp_path / "dsm.tif", dsm_m)
    code, _, err = type_in("horizon", path, "--out", tmp_path / "out.tif", "--azimuths", 4)
    assert code == 0, err
    with rasterio.open(tmp_path / "out.tif") as source:
        bands = source.read()
        assert source.descriptions == ("0 deg", "90 deg", "180 deg", "270 deg")
    # The place is 1.24° west of 9° E: convergence -0.94°, so a ray towards true east is 0.94°
    # off grid east and meets the wall 10 m / cos(0.94°) away.
    expected_deg = np.degrees(np.arctan(6.0 * np.cos(np.radians(0.94)) / 10.0))
    assert bands[1, 30, 30] == pytest.approx(expected_deg, abs=0.01)
    assert bands[3, 30, 30] == 0.0
    # True north lies 0.94° west of grid north here, true south 0.94° east of grid south.
    assert bands[0, 30, 30] == 0.0


def test_horizon_stops_where_its_folder_is_missing(type_in, tmp_path):
    path = write_raster(tmp_path / "dsm.tif", np.zeros((9, 9)))
    code, _, err = type_in("horizon", path, "--out", tmp_path / "no" / "out.tif")
    assert code == cli.EXIT_INPUT
    assert "folder does not exist" in err


def test_a_raster_in_degrees_is_refused(type_in, tmp_path):
    path = write_raster(tmp_path / "dsm.tif", np.zeros((9, 9)), crs="EPSG:4326")
    code, _, err = type_in("horizon", path, "--out", tmp_path / "out.tif")
    assert code == cli.EXIT_INPUT
    assert "EPSG:4326" in err


# irradiation and sensors


def test_a_flat_place_gets_the_weather_files_light(type_in, tmp_path, weather, year):
    path = write_raster(tmp_path / "dsm.tif", np.full((20, 20), 120.0))
    code, _, err = type_in("irradiation", path, "--weather", weather, "--out", tmp_path / "out.tif")
    assert code == 0, err
    with rasterio.open(tmp_path / "out.tif") as source:
        bands = source.read()
    assert bands.shape == (13, 20, 20)
    # Design, section 4: flat ground gets the file's global light within 0.2 %.
    assert bands[0].mean() == pytest.approx(flat_year_kwh_m2(year), rel=0.002)
    np.testing.assert_allclose(bands[1:].sum(axis=0), bands[0], rtol=1e-5)


def test_irradiation_inside_outlines_only(type_in, tmp_path, town, weather):
    folder = town.parent
    code, _, err = type_in(
        "irradiation", folder / "dsm.tif", "--weather", weather, "--out", tmp_path / "out.tif",
        "--footprints", folder / "footprints.gpkg", "--azimuths", 16,
    )  # fmt: skip
    assert code == 0, err
    with rasterio.open(tmp_path / "out.tif") as source:
        has_value = np.isfinite(source.read(1))
    assert 0.2 < has_value.mean() < 0.8


def write_points(path: Path, **columns) -> Path:
    table = {
        "name": ["flat", "south", "behind"],
        "x": [410_005.0, 410_005.0, 410_005.0],
        "y": [5_480_045.0] * 3,
        "z": [101.0] * 3,
        "surface_tilt": [0, 35, 90],
        "surface_azimuth": [0, 180, 90],
    }
    pd.DataFrame(table | columns).to_csv(path, index=False)
    return path


def test_sensors_get_their_columns_and_keep_their_own(type_in, tmp_path, weather, year):
    dsm = write_raster(tmp_path / "dsm.tif", np.full((20, 20), 100.0))
    points = write_points(tmp_path / "points.csv")
    code, _, err = type_in(
        "sensors", dsm, "--points", points, "--weather", weather, "--out", tmp_path / "out.csv"
    )
    assert code == 0, err
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["name"].tolist() == ["flat", "south", "behind"]
    assert {column.name for column in IRRADIATION_COLUMNS} <= set(found.columns)
    ghi = flat_year_kwh_m2(year)
    assert found["poa_global_year_kwh_m2"][0] == pytest.approx(ghi, rel=0.002)
    assert found["poa_global_year_kwh_m2"][1] > 1.05 * ghi
    tilt = np.radians(found["surface_tilt"])
    np.testing.assert_allclose(found["sky_view_factor"], (1 + np.cos(tilt)) / 2, atol=2e-3)


def test_a_config_lends_its_weather_because_only_it_can_read_a_csv(type_in, tmp_path):
    config = make_town(size_m=160, kind="builtup").write(tmp_path / "town")
    dsm = tmp_path / "town" / "dsm.tif"
    points = tmp_path / "points.csv"
    points.write_text("x,y,height_m,surface_tilt,surface_azimuth\n410080,5480080,90,0,0\n")
    options = ("--points", points, "--out", tmp_path / "out.csv")
    code, _, err = type_in("sensors", dsm, *options, "--weather", tmp_path / "town" / "weather.csv")
    assert code == 2
    assert "[weather.columns]" in err
    assert type_in("sensors", dsm, *options, "--weather", config)[0] == 0
    # Above all roofs: the made-up year's own sum, 1092 kWh/m² (solarkataster/demo/weather.py).
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["poa_global_year_kwh_m2"][0] == pytest.approx(1092, rel=0.003)


def test_a_height_above_the_surface_counts_from_its_cell(type_in, tmp_path, weather):
    dsm = write_raster(tmp_path / "dsm.tif", np.full((20, 20), 100.0))
    by_z = write_points(tmp_path / "z.csv")
    by_height = tmp_path / "h.csv"
    pd.read_csv(by_z).rename(columns={"z": "height_m"}).assign(height_m=1.0).to_csv(
        by_height, index=False
    )
    results = []
    for points in (by_z, by_height):
        out = tmp_path / f"out_{points.stem}.csv"
        assert (
            type_in("sensors", dsm, "--points", points, "--weather", weather, "--out", out)[0] == 0
        )
        results.append(pd.read_csv(out)["poa_global_year_kwh_m2"])
    pd.testing.assert_series_equal(*results)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"surface_tilt": [0, 35, 120]}, "tilt"),
        ({"x": [410_005.0, 410_005.0, 999_999.0]}, "off the raster"),
        ({"z": [1, "high", 3]}, "z of point 2 is 'high'"),
        ({"height_m": [1, 2, 3]}, "both z and height_m"),
        ({"surface_azimuth": [0, None, 0]}, "surface_azimuth of point 2"),
    ],
)
def test_points_that_cannot_be_used_are_named(type_in, tmp_path, weather, columns, message):
    dsm = write_raster(tmp_path / "dsm.tif", np.full((20, 20), 100.0))
    points = write_points(tmp_path / "points.csv", **columns)
    code, _, err = type_in(
        "sensors", dsm, "--points", points, "--weather", weather, "--out", tmp_path / "out.csv"
    )
    assert code == cli.EXIT_INPUT
    assert message in err
    assert not (tmp_path / "out.csv").exists()


def test_weather_from_far_away_is_refused(type_in, tmp_path, weather):
    dsm = write_raster(tmp_path / "dsm.tif", np.full((20, 20), 100.0))
    code, _, err = type_in(
        "irradiation", dsm, "--weather", weather, "--out", tmp_path / "out.tif",
        "--max-distance-km", 0.001,
    )  # fmt: skip
    assert code == cli.EXIT_INPUT
    assert "--max-distance-km" in err
    assert err.count("° N") == 2  # of the weather site and of the surface model


#: Values that no command of light can use.
SENSELESS = (
    *(("--reach-m", value) for value in ("0", "-5", "nan", "inf")),
    ("--azimuths", "7"),
    ("--albedo", "nan"),
    ("--max-distance-km", "nan"),
    ("--label", "middle"),
)


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        *(("horizon", *case) for case in SENSELESS[:4]),
        ("horizon", "--azimuths", "3"),
        *((command, *case) for command in ("irradiation", "sensors") for case in SENSELESS),
    ],
)
def test_an_option_that_says_nothing_is_refused(type_in, tmp_path, weather, command, option, value):
    dsm = write_raster(tmp_path / "dsm.tif", np.full((20, 20), 100.0))
    words = [command, dsm, "--out", tmp_path / "out"]
    if command != "horizon":
        words += ["--weather", weather]
    if command == "sensors":
        words += ["--points", write_points(tmp_path / "points.csv")]
    code, _, err = type_in(*words, option, value)
    assert code == cli.EXIT_INPUT
    assert option in err
    assert not (tmp_path / "out").exists()
