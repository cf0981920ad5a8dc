"""What a run says about its weather: whose light it was, how it was read, what became of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyproj
import pytest
import small_inputs
import weather_files
from run_folders import NO_YIELDS, told

from solarkataster import cli, pipeline
from solarkataster.config import load_config
from solarkataster.sky import report_notes
from solarkataster.stages import run_json

#: Twelve days at noon in winter, when the sun of 49.5° north stands 17° to 19° high.
N_DAYS = 12


@pytest.fixture(scope="module")
def too_bright() -> tuple[str, float]:
    """A test reference year with more direct light than the sun sends, and how much. [kWh/m²]

    Between 12 and 13 h from 1 January the file says 1300 W/m² on the horizontal; the sun sends
    1367 · 1.033 W/m² · sin(17.4° to 18.9°), 423 to 458 W/m².
    """
    year = weather_files.made_up_year()
    noons = np.arange(N_DAYS) * 24 + 12
    year.iloc[noons, year.columns.get_loc("bhi")] = 1300.0
    year.iloc[noons, year.columns.get_loc("dhi")] = 50.0
    return weather_files.try_text(year), N_DAYS * (1.300 - 0.440)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, too_bright) -> Path:
    folder = tmp_path_factory.mktemp("bright")
    small_inputs.write_inputs(folder)
    weather_files.write(folder, "weather.dat", too_bright[0])
    small_inputs.write_config(folder, "[horizon]\nreach_m = 20\nn_azimuth = 16" + NO_YIELDS)
    return folder


@pytest.fixture(scope="module")
def run_folder(folder) -> Path:
    pipeline.run(load_config(folder / "config.toml"), folder / "run")
    return folder / "run"


def test_run_json_says_whose_light_it_is_and_how_it_was_read(run_folder):
    weather = told(run_folder)["weather"]
    assert weather["source"] == "weather.dat"
    assert weather["kind"].endswith("mittleres Jahr")
    assert weather["label"] == "end"
    assert weather["latitude"] == pytest.approx(weather_files.LATITUDE, abs=1e-4)
    # On the map, whose metres are true to 0.04 % here, from the middle of the town.
    site = pyproj.Transformer.from_crs("EPSG:4326", small_inputs.CRS, always_xy=True)
    east_m, north_m = site.transform(weather_files.LONGITUDE, weather_files.LATITUDE)
    middle_m = small_inputs.N_CELLS / 2
    away_m = np.hypot(
        east_m - small_inputs.WEST_M - middle_m, north_m - small_inputs.NORTH_M + middle_m
    )
    assert weather["distance_km"] == pytest.approx(away_m / 1000.0, abs=0.01)


def test_run_json_reports_what_became_of_impossible_light(run_folder, too_bright):
    light = told(run_folder)["weather"]["light"]
    assert light["beam_over_extraterrestrial_kwh_m2"] == pytest.approx(too_bright[1], rel=0.02)
    assert light["closure_kwh_m2"] == 0.0
    assert abs(light["clear_day_centroid_deg"]) < 1.5
    assert abs(light["flat_error_fraction"]) < 0.005


@pytest.mark.parametrize("lost", [None, "roofs.parquet"])
def test_a_run_with_nothing_to_do_says_the_same(folder, run_folder, too_bright, lost):
    before = told(run_folder)
    if lost:
        (run_folder / lost).unlink()
    result = pipeline.run(load_config(folder / "config.toml"), run_folder)
    assert result.n_resumed == result.n_tiles
    assert told(run_folder) == before
    assert "direct light exceed what the sun sends" in " ".join(result.notes)


@pytest.mark.parametrize("command", ["run", "check"])
def test_impossible_light_is_a_note_on_the_command_line(
    folder, run_folder, monkeypatch, capsys, command
):
    words = [command, folder / "config.toml"] + (["--out", run_folder] if command == "run" else [])
    monkeypatch.setattr("sys.argv", ["solarkataster", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == cli.EXIT_DONE
    notes = [line for line in capsys.readouterr().out.splitlines() if "what the sun sends" in line]
    (note,) = notes
    assert note.startswith("note: weather.dat: 10.")
    assert "kWh/m2 a year (" in note


def test_a_figure_that_is_not_known_is_null_in_run_json(tmp_path):
    small_inputs.write_inputs(tmp_path)
    checked = small_inputs.check(tmp_path)
    checked.weather.facts["clear_day_centroid_deg"] = float("nan")
    checked.sky.report["clear_day_centroid_deg"] = float("nan")
    text = json.dumps(run_json._weather_json(checked), allow_nan=False)
    assert json.loads(text)["light"]["clear_day_centroid_deg"] is None


def test_figures_of_half_a_percent_pass_without_a_note():
    small = {
        "ghi_year_kwh_m2": 1000.0,
        "beam_over_extraterrestrial_kwh_m2": 4.9,
        "beam_without_sun_kwh_m2": 4.9,
        "twilight_kwh_m2": 4.9,
        "flat_error_fraction": -0.0049,
    }
    assert report_notes(small) == []
    large = {name: value * 1.1 for name, value in small.items()} | {"ghi_year_kwh_m2": 1000.0}
    assert len(report_notes(large)) == 4
