"""The config: one home for settings, every fault named at once."""

from __future__ import annotations

import datetime
import pickle
import tomllib
from pathlib import Path

import pytest

from solarkataster.config import Config, config_template, load_config
from solarkataster.config_faults import fields_of
from solarkataster.errors import ConfigError, InputErrors

SMALLEST = """
[municipality]
name = "Musterstadt"
[inputs]
dsm = "dsm/*.tif"
dtm = ["dtm/a.tif", "/data/b.tif"]
footprints = "hausumringe.gpkg"
footprint_id = "gml_id"
weather = "TRY2015_Jahr.dat"
"""


def load(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_config(path)


def faults(folder: Path, text: str) -> list[ConfigError]:
    with pytest.raises(InputErrors) as caught:
        load(folder, text)
    assert all(isinstance(error, ConfigError) for error in caught.value.errors)
    return caught.value.errors


def one_fault(folder: Path, text: str) -> ConfigError:
    (fault,) = faults(folder, text)
    return fault


def test_smallest_config_of_the_design_loads_with_defaults(tmp_path):
    config = load(tmp_path, SMALLEST)
    assert config.municipality.name == "Musterstadt"
    assert (config.horizon.reach_m, config.horizon.n_azimuth) == (500.0, 72)
    assert (config.irradiation.sky, config.irradiation.albedo) == ("perez", 0.2)
    assert config.tiles.size_m == 1000.0
    assert config.weather.max_distance_km == 100.0
    assert config.path == tmp_path / "config.toml"


def test_byte_order_mark_of_windows_editors_is_no_fault(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(SMALLEST, encoding="utf-8-sig")
    assert path.read_bytes()[:3] == b"\xef\xbb\xbf"
    assert load_config(path).municipality.name == "Musterstadt"


def test_paths_start_at_the_config_file_and_one_pattern_is_a_list_of_one(tmp_path):
    inputs = load(tmp_path, SMALLEST).inputs
    assert inputs.dsm == (str(tmp_path / "dsm/*.tif"),)
    assert inputs.dtm == (str(tmp_path / "dtm/a.tif"), "/data/b.tif")
    assert inputs.footprints == tmp_path / "hausumringe.gpkg"


def test_variable_is_expanded_and_a_default_stands_in_for_an_unset_one(tmp_path, monkeypatch):
    monkeypatch.delenv("GEODATA", raising=False)
    text = SMALLEST.replace("dsm/*.tif", "${GEODATA:-../geo}/dsm/*.tif")
    assert load(tmp_path, text).inputs.dsm == (str(tmp_path.parent / "geo/dsm/*.tif"),)
    monkeypatch.setenv("GEODATA", "/mnt/geo")
    assert load(tmp_path, text).inputs.dsm == ("/mnt/geo/dsm/*.tif",)


def test_relative_folder_in_a_variable_starts_where_the_command_is_typed(tmp_path, monkeypatch):
    monkeypatch.setenv("GEODATA", "geo")
    monkeypatch.chdir(tmp_path.parent)
    text = SMALLEST.replace("dsm/*.tif", "${GEODATA}/dsm/*.tif")
    assert load(tmp_path, text).inputs.dsm == (str(tmp_path.parent / "geo/dsm/*.tif"),)


def test_unset_variable_is_named_with_its_key(tmp_path, monkeypatch):
    monkeypatch.delenv("GEODATA", raising=False)
    fault = one_fault(tmp_path, SMALLEST.replace("dsm/*.tif", "${GEODATA}/dsm/*.tif"))
    assert "GEODATA is not set" in fault.found
    assert "inputs dsm" in fault.where


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("[horizon]\nreachm = 300", "reach_m"),
        ("[horizon]\nn_azimut = 36", "n_azimuth"),
        ("[horizn]\nreach_m = 300", "horizon"),
        ("[tiles]\nsize = 500", "size_m"),
    ],
)
def test_misspelt_key_names_the_nearest_right_one(tmp_path, wrong, right):
    fault = one_fault(tmp_path, SMALLEST + wrong)
    assert "unknown" in fault.found
    assert right in fault.remedy


def test_key_in_the_wrong_section_names_its_home(tmp_path):
    fault = one_fault(tmp_path, SMALLEST + "[tiles]\nreach_m = 300")
    assert fault.remedy == "reach_m belongs to [horizon]."


def test_key_like_no_other_points_to_the_template(tmp_path):
    assert "solarkataster new" in one_fault(tmp_path, SMALLEST + "[tiles]\nxyz = 1").remedy


def test_all_faults_come_at_once(tmp_path):
    text = SMALLEST.replace('footprint_id = "gml_id"\n', "")
    text += '[horizon]\nreach = 3\nn_azimuth = 4\n[irradiation]\nsky = "peres"\nalbedo = 1.5\n'
    found = faults(tmp_path, text)
    assert len(found) == 5
    told = "\n".join(map(str, found))
    skies = "'perez', 'perez-driesse' or 'all-weather'"
    for word in ("footprint_id", "reach_m", "n_azimuth", skies, "albedo"):
        assert word in told


def test_missing_key_comes_with_an_example(tmp_path):
    fault = one_fault(tmp_path, SMALLEST.replace('footprint_id = "gml_id"\n', ""))
    assert "footprint_id is missing" in fault.found
    assert 'footprint_id = "gml_id"' in fault.remedy


def test_missing_section_is_named(tmp_path):
    fault = one_fault(tmp_path, SMALLEST[SMALLEST.index("[inputs]") :])
    assert "[municipality] is missing" in fault.found


@pytest.mark.parametrize("value", ['"500"', "true", "-1", "nan"])
def test_number_must_be_a_number_in_its_range(tmp_path, value):
    fault = one_fault(tmp_path, SMALLEST + f"[tiles]\nsize_m = {value}")
    assert "size_m" in fault.where
    assert "1000" in fault.remedy


def test_empty_list_of_rasters_is_refused(tmp_path):
    assert "dsm" in one_fault(tmp_path, SMALLEST.replace('"dsm/*.tif"', "[]")).where


def test_toml_fault_names_the_line(tmp_path):
    fault = one_fault(tmp_path, SMALLEST + "[horizon\n")
    assert "line" in fault.found
    assert "TOML" in fault.expected


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_missing_file_or_folder_is_told(tmp_path, name):
    with pytest.raises(InputErrors, match=r"file not found|is a folder"):
        load_config(tmp_path / name)


def test_latin1_file_is_refused_by_name(tmp_path):
    path = tmp_path / "config.toml"
    path.write_bytes(SMALLEST.replace("Musterstadt", "Münster").encode("latin-1"))
    with pytest.raises(InputErrors, match="UTF-8"):
        load_config(path)


def test_date_may_be_a_toml_date_or_text(tmp_path):
    for value in ("2024-03-15", '"2024-03-15"'):
        config = load(tmp_path, SMALLEST + f"surface_model_date = {value}")
        assert config.inputs.surface_model_date == datetime.date(2024, 3, 15).isoformat()


def test_config_is_frozen_and_travels_to_workers(tmp_path):
    config = load(tmp_path, SMALLEST)
    with pytest.raises(ValueError, match="frozen"):
        config.horizon.reach_m = 3.0
    again = pickle.loads(pickle.dumps(config))
    assert again == config
    assert again.path == config.path


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Bad Münster am Stein", "bad-muenster-am-stein"),
        ("Großörner", "grossoerner"),
        ("?", "municipality"),
    ],
)
def test_slug_is_a_folder_name(tmp_path, name, slug):
    assert load(tmp_path, SMALLEST.replace("Musterstadt", name)).municipality.slug == slug


def test_template_loads_as_written_and_equals_the_defaults(tmp_path):
    config = load(tmp_path, config_template('Bad "Münster"'))
    assert config.municipality.name == 'Bad "Münster"'
    for section in ("weather", "roofs", "horizon", "irradiation", "tiles", "limits"):
        assert getattr(config, section) == Config.model_fields[section].default


def test_template_shows_every_key_with_its_reason(tmp_path):
    text = config_template("Musterstadt")
    # Keys without a default stand commented out; with the mark taken off the file is whole.
    whole = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and " = " in line else line
        for line in text.splitlines()
    )
    table = tomllib.loads(whole)
    for section, field in Config.model_fields.items():
        keys = fields_of(field.annotation)
        assert set(table[section]) == set(keys)
        assert all(setting.description for setting in keys.values())
    load(tmp_path, whole)


def test_config_of_bonn_west_loads_and_finds_its_files(real_data):
    config = load_config(Path(__file__).parents[1] / "pipelines" / "bonn-west" / "config.toml")
    assert config.municipality.slug == "bonn-west"
    assert all(Path(path).is_file() for path in (*config.inputs.dsm, config.inputs.weather))
