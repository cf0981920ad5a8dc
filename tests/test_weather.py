"""Weather files: what they say is read as they mean it, and bad ones are refused by name."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import weather_files as files

from solarkataster.crs import distance_km
from solarkataster.io.weather import read_weather

MANNHEIM_TRY = "TRY2015_494902084637_Jahr.dat"
MARIENBERG_TRY = "TRY2015_506461079426_Jahr.dat"
MANNHEIM_EPW = "mannheim_dtry_2021-2050.epw"


@pytest.fixture(scope="session")
def light():
    return files.made_up_year()


# --- files as they come ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "latitude", "longitude", "elevation_m", "ghi", "dhi", "temp_c"),
    [  # figures of the data README
        (MANNHEIM_TRY, 49.4902, 8.4637, 103, 1095, 585, 12.2),
        (MARIENBERG_TRY, 50.6461, 7.9426, 453, 994, 557, 8.5),
    ],
)
def test_a_test_reference_year_is_read_with_its_place_and_clock(
    real_data, name, latitude, longitude, elevation_m, ghi, dhi, temp_c
):
    weather = read_weather(real_data / "weather" / name)
    assert weather.latitude == pytest.approx(latitude, abs=1e-4)
    assert weather.longitude == pytest.approx(longitude, abs=1e-4)
    assert weather.elevation_m == elevation_m
    assert weather.ghi_year_kwh_m2 == pytest.approx(ghi, abs=0.5)
    assert weather.dhi.sum() / 1000.0 == pytest.approx(dhi, abs=0.5)
    assert weather.temp_air.mean() == pytest.approx(temp_c, abs=0.05)
    assert weather.label == "end"
    assert weather.times[0].strftime("%m-%d %H:%M %z") == "01-01 00:00 +0100"
    assert len(weather.times) == 8760
    # Hour 12 of 3 January, third line of the day's light: B and D in the file's columns 13, 14.
    line = (real_data / "weather" / name).read_text("latin-1").split("***")[1].splitlines()[60]
    fields = line.split()
    assert (fields[3], fields[4]) == ("3", "12")
    i = weather.times.get_loc(weather.times[0] + pd.Timedelta(days=2, hours=11))
    assert (weather.bhi[i], weather.dhi[i]) == (float(fields[12]), float(fields[13]))


@pytest.mark.parametrize("name", [MANNHEIM_TRY, MARIENBERG_TRY])
def test_test_reference_years_label_the_end_of_the_hour(real_data, name):
    weather = read_weather(real_data / "weather" / name)
    assert abs(weather.facts["clear_day_centroid_deg"]) <= 1.5
    assert weather.notes == ()


def test_the_epw_passes_with_the_label_that_fits(real_data):
    weather = read_weather(real_data / "weather" / MANNHEIM_EPW, SimpleNamespace(label="centre"))
    assert (weather.latitude, weather.longitude, weather.elevation_m) == (49.52, 8.55, 96.0)
    assert abs(weather.facts["clear_day_centroid_deg"]) <= 1.5
    assert weather.times[0].strftime("%m-%d %H:%M %z") == "01-01 00:30 +0100"
    assert weather.ghi_year_kwh_m2 == pytest.approx(1183, abs=0.5)  # data README
    assert weather.dhi.sum() / 1000.0 == pytest.approx(558, abs=0.5)
    # Its DNI column was computed for rows that end at the label, so it disagrees hour by hour.
    assert weather.facts["dni_column_deviation_fraction"] > 0.05
    assert any("DNI" in note for note in weather.notes)


def test_a_label_set_in_the_config_turns_the_stop_into_a_note(real_data):
    weather = read_weather(real_data / "weather" / MANNHEIM_EPW, SimpleNamespace(label="end"))
    assert weather.label == "end"
    assert any("before solar noon" in note for note in weather.notes)


def test_all_formats_of_one_year_say_the_same(tmp_path, light):
    by_try = read_weather(files.write(tmp_path, "a.dat", files.try_text(light)))
    by_epw = read_weather(files.write(tmp_path, "a.epw", files.epw_text(light), "latin-1"))
    path = files.write(tmp_path, "a.csv", files.csv_text(light))
    by_table = read_weather(path, files.table_settings())
    for weather in (by_try, by_epw, by_table):
        np.testing.assert_array_equal(weather.times, light.index)
        np.testing.assert_allclose(weather.bhi, light["bhi"])
        np.testing.assert_allclose(weather.dhi, light["dhi"])
        np.testing.assert_array_equal(weather.ghi, weather.bhi + weather.dhi)
        assert weather.latitude == pytest.approx(files.LATITUDE, abs=1e-4)
    assert "München" in by_epw.kind


def test_weather_travels_to_a_worker(tmp_path, light):
    weather = read_weather(files.write(tmp_path, "a.dat", files.try_text(light)))
    copy = pickle.loads(pickle.dumps(weather))
    np.testing.assert_array_equal(copy.times, weather.times)
    assert copy.times.tz == weather.times.tz


def german(light):
    text = files.csv_text(light, 60, "%d.%m.%Y %H:%M").replace(",", ";").replace(".0;", ",0;")
    return "Station Musterstadt\n\n" + text, {}


def in_utc(light):
    return files.csv_text(light.tz_convert("UTC"), 60, "%Y-%m-%dT%H:%MZ"), {}


def midnight_as_24(light):
    text = files.csv_text(light, 60, "%Y-%m-%d %H:%M")
    before = light.index.strftime("%Y-%m-%d")
    for start, end in zip(before[23::24], light.index[23::24] + pd.Timedelta(hours=1), strict=True):
        text = text.replace(f"{end:%Y-%m-%d} 00:00", f"{start} 24:00")
    assert "24:00" in text
    return text, {}


def labelled_at_the_start(light):
    return files.csv_text(light, 0), {"label": "start"}


def labelled_at_the_centre(light):
    return files.csv_text(light, 30), {"label": "centre"}


def stitched_from_years(light):
    """A typical year: each month from another year."""
    text = files.csv_text(light, 0)
    for month, year in zip(range(1, 13), (2009, 2006, 2012) * 4, strict=True):
        text = text.replace(f"2014-{month:02d}-", f"{year}-{month:02d}-")
    return text, {"label": "start"}


def leap_year_without_leap_day(light):
    return files.csv_text(light, 0).replace("2014-", "2016-"), {"label": "start"}


@pytest.mark.parametrize(
    "write_table",
    [
        german,
        in_utc,
        midnight_as_24,
        labelled_at_the_start,
        labelled_at_the_centre,
        stitched_from_years,
        leap_year_without_leap_day,
    ],
)
def test_a_table_may_be_written_in_many_ways(tmp_path, light, write_table):
    text, changes = write_table(light)
    weather = read_weather(files.write(tmp_path, "a.csv", text), files.table_settings(**changes))
    np.testing.assert_array_equal(weather.ghi, light["bhi"] + light["dhi"])
    np.testing.assert_array_equal(weather.times.strftime("%m%d%H"), light.index.strftime("%m%d%H"))
    assert abs(weather.facts["clear_day_centroid_deg"]) <= 1.5


# --- where the site is -----------------------------------------------------------------------


def test_distance_is_measured_on_the_ellipsoid():
    longitude, latitude = files.LONGITUDE, files.LATITUDE
    assert distance_km(longitude, latitude, longitude, latitude) == 0.0
    # Length of the GRS80 meridian from equator to pole: 10 001.966 km (Moritz 2000).
    to_equator = distance_km(longitude, latitude, longitude, 0.0)
    to_pole = distance_km(longitude, latitude, longitude, 90.0)
    assert to_equator + to_pole == pytest.approx(10_001.966, abs=0.001)


def test_bad_marienberg_is_sixty_kilometres_from_bonn(real_data):
    weather = read_weather(real_data / "weather" / MARIENBERG_TRY)
    # The middle of the scene bonn_west, EPSG:25832 364300 5622500.
    away_km = distance_km(weather.longitude, weather.latitude, 7.0765, 50.7388)
    assert away_km == pytest.approx(62.0, abs=1.0)
