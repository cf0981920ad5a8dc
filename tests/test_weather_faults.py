"""Weather files that must not become a map: each fault is refused by name, all at once."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import weather_files as files

from solarkataster.errors import InputErrors
from solarkataster.io.weather import read_weather

MANNHEIM_TRY = "TRY2015_494902084637_Jahr.dat"
MANNHEIM_EPW = "mannheim_dtry_2021-2050.epw"


@pytest.fixture(scope="session")
def light():
    return files.made_up_year()


def refused(path, settings=None):
    """The text of everything that is wrong with a file."""
    with pytest.raises(InputErrors) as caught:
        read_weather(path, settings)
    for error in caught.value.errors:
        assert error.where
        assert error.expected
    return str(caught.value)


# --- the label of the hour --------------------------------------------------------------------


def test_the_epw_centred_on_its_label_is_caught_when_read_as_end(real_data):
    message = refused(real_data / "weather" / MANNHEIM_EPW)
    assert 'label = "centre"' in message
    centroid = float(re.search(r"\(([-+][\d.]+) deg\)", message).group(1))
    assert -8.5 < centroid < -5.5  # half an hour is 7.5, chance of clear days ±1.5


@pytest.mark.parametrize(("label", "minutes"), [("start", 0), ("centre", 30)])
def test_a_table_that_labels_otherwise_is_refused_and_told_how(tmp_path, light, label, minutes):
    path = files.write(tmp_path, "a.csv", files.csv_text(light, minutes))
    assert f'Set label = "{label}"' in refused(path, files.table_settings())


def test_a_try_that_labels_the_start_is_refused(tmp_path, light):
    path = files.write(tmp_path, "a.dat", files.try_text(light, shift_h=0))
    assert 'Set label = "start"' in refused(path)


@pytest.mark.parametrize("offset", [-1.0, 3.0])
def test_a_wrong_offset_to_utc_fits_no_label(tmp_path, light, offset):
    path = files.write(tmp_path, "a.csv", files.csv_text(light))
    assert "No label fits" in refused(path, files.table_settings(utc_offset_hours=offset))


def test_light_at_night_is_refused(tmp_path, light):
    path = files.write(tmp_path, "a.csv", files.csv_text(light))
    message = refused(path, files.table_settings(longitude=-100.0))
    assert "falls at night" in message


# --- damaged files ---------------------------------------------------------------------------


def test_a_missing_row_is_a_gap_and_a_wrong_count(tmp_path, light):
    message = refused(files.write(tmp_path, "a.dat", files.try_text(light.drop(light.index[4000]))))
    assert "8759 hours" in message
    # header of 7 lines, then row 1 is line 8: the last row before the gap is line 7 + 4000
    assert "gap: 1 places" in message
    assert "after line 4007" in message


def test_a_repeated_row_is_refused(tmp_path, light):
    doubled = pd.concat([light.iloc[:100], light.iloc[99:]])
    message = refused(files.write(tmp_path, "a.dat", files.try_text(doubled)))
    assert "8761 hours" in message
    assert "the same hour twice" in message


def test_a_leap_day_is_refused_by_name(tmp_path, light):
    times = pd.date_range("2016-01-01", periods=8784, freq="h", tz="Etc/GMT-1")
    long_year = pd.concat([light, light.iloc[-24:]]).set_index(times)
    path = files.write(tmp_path, "a.csv", files.csv_text(long_year, 0))
    message = refused(path, files.table_settings(label="start"))
    assert "leap day" in message
    assert "8784 rows" in message
    assert "gap" not in message


def test_summer_time_is_refused_by_name(tmp_path, light):
    local = light.tz_convert("Europe/Berlin")
    path = files.write(tmp_path, "a.csv", files.csv_text(local, 0))
    assert "summer time" in refused(path, files.table_settings(label="start"))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("-999", "negative values: bhi"),
        ("9999", "impossible values: bhi is over"),
        ("nan", "gap: bhi has no number"),
        ("abcd", "gap: bhi has no number"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_line(tmp_path, light, value, found):
    lines = files.try_text(light).splitlines()
    fields = lines[4000].split()
    lines[4000] = " ".join([*fields[:12], value, *fields[13:]])
    message = refused(files.write(tmp_path, "a.dat", "\n".join(lines)))
    assert found in message
    assert "line 4001" in message


def test_missing_light_in_an_epw_is_a_gap(tmp_path, light):
    lines = files.epw_text(light).splitlines()
    fields = lines[4000].split(",")
    fields[13] = "9999"  # the format's own sign for missing
    lines[4000] = ",".join(fields)
    assert "gap: ghi" in refused(files.write(tmp_path, "a.epw", "\n".join(lines)))


def test_a_missing_temperature_is_noted_and_the_column_left_out(tmp_path, light):
    lines = files.epw_text(light).splitlines()
    fields = lines[4000].split(",")
    fields[6] = "99.9"
    lines[4000] = ",".join(fields)
    weather = read_weather(files.write(tmp_path, "a.epw", "\n".join(lines)))
    assert weather.temp_air is None
    assert any("temp_air is missing in 1 hours" in note for note in weather.notes)


def test_every_fault_is_told_at_once(tmp_path, light):
    damaged = light.drop(light.index[4000])
    damaged.iloc[5000, damaged.columns.get_loc("dhi")] = -5.0
    damaged.iloc[6000, damaged.columns.get_loc("temp_air")] = 284.0
    message = refused(files.write(tmp_path, "a.dat", files.try_text(damaged)))
    for part in ("8759 hours", "gap", "negative values: dhi", "temp_air"):
        assert part in message


# --- the wrong column, unit or year ------------------------------------------------------------


def test_direct_and_diffuse_swapped_is_refused(tmp_path, light):
    swapped = light.rename(columns={"bhi": "dhi", "dhi": "bhi"})
    assert "swapped" in refused(files.write(tmp_path, "a.dat", files.try_text(swapped)))


def test_direct_and_diffuse_swapped_in_a_real_file_is_refused(tmp_path, real_data):
    lines = (real_data / "weather" / MANNHEIM_TRY).read_text("latin-1").splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("***")) + 1
    for i in range(first, len(lines)):
        fields = lines[i].split()
        lines[i] = " ".join([*fields[:12], fields[13], fields[12], *fields[14:]])
    assert "swapped" in refused(files.write(tmp_path, "a.dat", "\n".join(lines)))


def test_global_and_diffuse_swapped_is_refused(tmp_path, light):
    path = files.write(tmp_path, "a.csv", files.csv_text(light))
    columns = {"time": "time", "ghi": "D", "dhi": "G"}
    assert "diffuse exceeds global" in refused(path, files.table_settings(columns=columns))


def test_temperature_and_light_swapped_is_refused(tmp_path, light):
    path = files.write(tmp_path, "a.csv", files.csv_text(light))
    columns = {"time": "time", "ghi": "G", "dhi": "T", "temp_air": "D"}
    message = refused(path, files.table_settings(columns=columns))
    assert "temp_air is not -60 to 60" in message


def test_direct_normal_light_given_as_horizontal_is_refused(tmp_path, real_data):
    """DNI in the place of B: more light than reaches the top of the air."""
    weather = read_weather(real_data / "weather" / MANNHEIM_EPW, SimpleNamespace(label="centre"))
    rows = (real_data / "weather" / MANNHEIM_EPW).read_text("latin-1").splitlines()[8:]
    dni = np.array([float(row.split(",")[14]) for row in rows])
    light = pd.DataFrame(
        {"bhi": dni, "dhi": weather.dhi, "temp_air": weather.temp_air},
        index=pd.date_range("2014-01-01", periods=8760, freq="h"),
    )
    message = refused(files.write(tmp_path, "a.dat", files.try_text(light)))
    assert "exceeds the extraterrestrial" in message


def test_three_columns_that_do_not_add_up_are_refused(tmp_path, light):
    path = files.write(tmp_path, "a.csv", files.csv_text(light.assign(bhi=light["bhi"])))
    columns = {"time": "time", "ghi": "G", "dhi": "D", "bhi": "G"}
    assert "direct + diffuse differ" in refused(path, files.table_settings(columns=columns))


def test_the_closure_error_of_the_file_is_reported_and_global_light_kept(tmp_path, light):
    text = files.csv_text(light)
    table = pd.read_csv(files.write(tmp_path, "a.csv", text))
    table["B"] *= 0.97
    path = files.write(tmp_path, "b.csv", table.to_csv(index=False))
    columns = {"time": "time", "ghi": "G", "dhi": "D", "bhi": "B"}
    weather = read_weather(path, files.table_settings(columns=columns))
    lost = 0.03 * light["bhi"].sum() / 1000.0
    assert weather.facts["closure_kwh_m2"] == pytest.approx(lost)
    assert any("direct + diffuse" in note for note in weather.notes)
    assert weather.ghi_year_kwh_m2 == pytest.approx(light[["bhi", "dhi"]].to_numpy().sum() / 1e3)


@pytest.mark.parametrize("factor", [0.001, 0.3, 3.0])
def test_another_unit_is_refused(tmp_path, light, factor):
    scaled = light.assign(bhi=light["bhi"] * factor, dhi=light["dhi"] * factor)
    path = files.write(tmp_path, "a.csv", files.csv_text(scaled))
    assert "impossible" in refused(path, files.table_settings())


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("extremer Sommer", "a summer TRY"),
        ("extremer Winter", "a winter TRY"),
        ("extremes Sommerhalbjahr", "a summer TRY"),
    ],
)
def test_a_season_gives_no_yearly_sum(tmp_path, light, kind, found):
    message = refused(files.write(tmp_path, "a.dat", files.try_text(light, kind=kind)))
    assert found in message
    assert "_Jahr.dat" in message


# --- not a weather file, or not described ------------------------------------------------------


def test_what_is_no_weather_file_is_refused(tmp_path):
    assert "no such file" in refused(tmp_path / "gone.dat")
    assert "is not a file" in refused(tmp_path)
    assert "is empty" in refused(files.write(tmp_path, "empty.dat", " \n"))
    assert "not a weather file" in refused(files.write(tmp_path, "a.txt", "lorem ipsum\n"))
    tiff = tmp_path / "dsm.tif"
    tiff.write_bytes(b"II*\0" + bytes(100))
    assert "is not text" in refused(tiff)
    settings = SimpleNamespace(format="try")
    assert "no line ***" in refused(files.write(tmp_path, "b.txt", "lorem\n"), settings)
    settings = SimpleNamespace(format="epw")
    assert "LOCATION" in refused(files.write(tmp_path, "c.txt", "lorem\n"), settings)


def test_a_damaged_header_is_refused(tmp_path, light):
    text = files.try_text(light.iloc[:48])
    for old, new, found in (
        ("Rechtswert  ", "Linkswert   ", "Rechtswert is missing"),
        (f": {files.EASTING_M}", ": 461000", "off the TRY lattice"),
        ("   B    D ", "   X    D ", "columns B are missing"),
    ):
        assert found in refused(files.write(tmp_path, "a.dat", text.replace(old, new)))
    cut = text[:-40]
    assert "fields" in refused(files.write(tmp_path, "a.dat", cut))
    epw = files.epw_text(light.iloc[:48]).replace("DATA PERIODS,1,1", "DATA PERIODS,1,4")
    assert "4 records per hour" in refused(files.write(tmp_path, "a.epw", epw))


def test_dates_that_do_not_exist_are_refused(tmp_path, light):
    text = files.csv_text(light, 0).replace("2014-07-01T00:00", "2014-07-32T00:00")
    message = refused(files.write(tmp_path, "a.csv", text), files.table_settings(label="start"))
    assert "impossible date" in message


def test_a_table_needs_its_description(tmp_path, light):
    path = files.write(tmp_path, "a.csv", files.csv_text(light.iloc[:48]))
    assert "[weather.columns]" in refused(path)
    settings = files.table_settings(latitude=None, utc_offset_hours=None, columns={"ghi": "G"})
    message = refused(path, settings)
    for part in ("latitude is missing", "utc_offset_hours is missing", "names ghi"):
        assert part in message
    columns = {"time": "time", "ghi": "G", "dhi": "D", "temp_aire": "T"}
    assert "Did you mean temp_air?" in refused(path, files.table_settings(columns=columns))
    columns = {"time": "time", "ghi": "G", "dhi": "DHI"}
    assert "no header line with column DHI" in refused(path, files.table_settings(columns=columns))


def test_an_unknown_label_or_format_is_refused(tmp_path, light):
    path = files.write(tmp_path, "a.dat", files.try_text(light.iloc[:48]))
    assert "label = 'middle' is not known" in refused(path, SimpleNamespace(label="middle"))
    assert "format = 'tmy' is not known" in refused(path, SimpleNamespace(format="tmy"))
