"""Load profiles: BDEW's own table in the clock of the weather, measured years, refusals."""

from __future__ import annotations

import datetime
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from load_shapes import WINTER_TIME

from solarkataster.errors import InputError
from solarkataster.io.load_profile import read_load_profile
from solarkataster.io.rules import load_rules
from solarkataster.load.holidays_of_states import STATES, holiday_dates, state_code
from solarkataster.load.load_profiles import (
    compare_grid_draw,
    measured_profile,
    quarter_hours,
    residual_profile,
    standard_profiles,
)

RP = "rheinland-pfalz"
#: Day of the year 2025, from 0, of dates below.
DAYS = {
    text: datetime.date.fromisoformat(f"2025-{text}").timetuple().tm_yday - 1
    for text in ("01-15", "03-29", "03-30", "07-16", "08-15", "10-26", "12-24", "12-25", "12-27")
}


@pytest.fixture(scope="module")
def profiles():
    return standard_profiles(["H25", "G25", "L25"], WINTER_TIME, 2025, RP)


@pytest.fixture(scope="module")
def table():
    """BDEW's table of G25 as demandlib ships it: quarter hours by month and kind of day."""
    file = resources.files("demandlib") / "bdew" / "bdew_data" / "g25.csv"
    with file.open(encoding="utf-8") as text:
        raw = pd.read_csv(text, header=[0, 1], index_col=0)
    months = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
    return {(months.split().index(m) + 1, kind): raw[(m, kind)].to_numpy() for m, kind in raw}


def day_of(profiles, name, date):
    row = profiles.share[profiles.names.index(name)]
    return row.reshape(365, 96)[DAYS[date]].astype(np.float64)


def test_every_profile_has_the_35040_quarter_hours_of_one_kilowatt_hour(profiles):
    assert profiles.share.shape == (3, 35_040)
    np.testing.assert_allclose(profiles.share.sum(axis=1, dtype=np.float64), 1.0, rtol=1e-6)
    assert profiles.share.min() > 0.0


def test_a_winter_working_day_is_the_row_of_the_table(profiles, table):
    found = day_of(profiles, "G25", "01-15")  # a Wednesday
    np.testing.assert_allclose(
        found / found.sum(), table[1, "WT"] / table[1, "WT"].sum(), rtol=1e-5
    )


def test_summer_time_moves_the_profile_one_hour_earlier_in_winter_time(profiles, table):
    found = day_of(profiles, "G25", "07-16")  # a Wednesday; 00:00 winter time is 01:00 on the clock
    row = table[7, "WT"]
    expected = np.concatenate([row[4:], row[:4]])  # the next day is a working day, too
    np.testing.assert_allclose(found / found.sum(), expected / row.sum(), rtol=1e-5)


def test_on_the_day_of_change_the_hour_from_two_to_three_is_left_out(profiles, table):
    before, found = day_of(profiles, "G25", "03-29"), day_of(profiles, "G25", "03-30")
    scale = before.sum() / table[3, "SA"].sum()
    sunday = table[3, "FT"]
    np.testing.assert_allclose(found[:8] / scale, sunday[:8], rtol=1e-5)  # to 02:00
    np.testing.assert_allclose(found[8:92] / scale, sunday[12:], rtol=1e-5)  # from 03:00
    np.testing.assert_allclose(found[92:] / scale, table[3, "WT"][:4], rtol=1e-5)  # Monday


def test_in_october_the_hour_from_two_to_three_comes_twice(profiles, table):
    found = day_of(profiles, "G25", "10-26")  # 00:00 winter time is 01:00 summer time
    sunday = table[10, "FT"]
    expected = np.concatenate([sunday[4:12], sunday[8:]])
    np.testing.assert_allclose(found / found[0], expected / expected[0], rtol=1e-5)


def test_holidays_are_sundays_and_christmas_eve_is_a_saturday(profiles, table):
    saturday = table[12, "SA"]
    scale = day_of(profiles, "G25", "12-27").sum() / saturday.sum()  # a Saturday
    np.testing.assert_allclose(day_of(profiles, "G25", "12-25") / scale, table[12, "FT"], rtol=1e-5)
    np.testing.assert_allclose(day_of(profiles, "G25", "12-24") / scale, saturday, rtol=1e-5)


def test_assumption_day_is_a_holiday_in_saarland_alone_of_both():
    both = [standard_profiles(["G25"], WINTER_TIME, 2025, s).share[0] for s in ("SL", "RP")]
    friday = slice(96 * DAYS["08-15"], 96 * (DAYS["08-15"] + 1))
    assert both[0][friday].sum() < 0.8 * both[1][friday].sum()
    assert np.count_nonzero(both[0] / both[1] < 0.9) < 96


def test_h25_uses_more_in_january_than_in_july(profiles):
    assert day_of(profiles, "H25", "01-15").sum() > 1.2 * day_of(profiles, "H25", "07-16").sum()


def test_a_file_in_utc_gets_the_same_hours_one_place_earlier(profiles):
    utc = WINTER_TIME.tz_localize(None).tz_localize("UTC")
    found = standard_profiles(["H25"], utc, 2025, RP).share[0]
    np.testing.assert_allclose(found[:-4], profiles.share[0][4:], rtol=1e-4)


def test_a_file_from_july_to_june_gets_the_same_days_in_its_order(profiles):
    july = pd.date_range("2013-07-01", periods=8760, freq="h", tz="Etc/GMT-1")
    found = standard_profiles(["H25"], july, 2025, RP).share[0]
    np.testing.assert_array_equal(found, np.roll(profiles.share[0], -181 * 96))


def test_a_leap_year_loses_its_leap_day():
    quarters = quarter_hours(WINTER_TIME, 2024)
    assert len(quarters) == 35_040
    assert not ((quarters.month == 2) & (quarters.day == 29)).any()
    share = standard_profiles(["H25"], WINTER_TIME, 2024, RP).share
    assert share.sum(dtype=np.float64) == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize("name", ["P25", "S25"])
def test_profiles_of_homes_with_a_plant_are_refused_as_demand_with_the_reason(name):
    with pytest.raises(InputError, match="their own use is subtracted"):
        standard_profiles(["H25", name], WINTER_TIME, 2025, RP)


def test_unknown_profiles_and_states_are_refused():
    with pytest.raises(InputError, match="'H0' is not known"):
        standard_profiles(["H0"], WINTER_TIME, 2025, RP)
    with pytest.raises(InputError, match="state 'pfalz' is not known"):
        standard_profiles(["H25"], WINTER_TIME, 2025, "pfalz")
    with pytest.raises(InputError, match="Did you mean rheinland-pfalz"):
        state_code("Reinland-Pfalz")
    with pytest.raises(InputError, match="offset to UTC"):
        quarter_hours(WINTER_TIME.tz_localize(None), 2025)


def test_without_a_state_the_nine_holidays_of_all_states_apply():
    common = holiday_dates("", 2025)
    # New Year, Good Friday, Easter Monday, 1 May, Ascension, Whit Monday, 3 October, Christmas.
    assert [(day.month, day.day) for day in common] == [
        (1, 1), (4, 18), (4, 21), (5, 1), (5, 29), (6, 9), (10, 3), (12, 25), (12, 26),
    ]  # fmt: skip
    for code in STATES:
        assert set(common) <= set(holiday_dates(code, 2025))
    assert load_rules().demand.calendar.state == ""
    nowhere, rp = (standard_profiles(("G25",), WINTER_TIME, 2025, s).share[0] for s in ("", RP))
    quarters = slice(96 * 304, 96 * 305)  # 1 November, a holiday in Rheinland-Pfalz, a Saturday
    assert not np.allclose(nowhere[quarters] / nowhere.max(), rp[quarters] / rp.max())


def test_states_are_known_by_name_and_code():
    assert {state_code(s) for s in ("RP", "de-rp", "Rheinland-Pfalz", "rheinland pfalz")} == {"RP"}
    assert state_code("Thueringen") == state_code("thüringen") == "TH"
    assert len(holiday_dates("RP", 2025)) == 11  # Feiertagsgesetz Rheinland-Pfalz, section 2


def test_a_residual_profile_compares_best_with_itself():
    p25 = residual_profile("P25", WINTER_TIME, 2025, RP)
    same = compare_grid_draw(3.0 * p25, "P25", WINTER_TIME, 2025, RP)
    assert same.overlap_fraction == pytest.approx(1.0, rel=1e-5)
    assert same.correlation == pytest.approx(1.0, rel=1e-6)
    flat = compare_grid_draw(np.ones(35_040), "P25", WINTER_TIME, 2025, RP)
    assert flat.overlap_fraction < 0.9
    assert same.summer_fraction < flat.summer_fraction  # plants leave less to draw in summer
    with pytest.raises(InputError, match="no profile of grid draw"):
        residual_profile("H25", WINTER_TIME, 2025, RP)


def write(path, times, values, name="demand_kwh", separator=","):
    rows = [f"time{separator}{name}"]
    rows += [f"{t}{separator}{v}" for t, v in zip(times, values, strict=True)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


HOURS = pd.date_range("2025-01-01", periods=8760, freq="h", tz="Europe/Berlin")
VALUES = 1.0 + np.arange(8760) % 24


def test_local_time_with_summer_time_and_times_with_offsets_are_the_same_year(tmp_path):
    local = write(
        tmp_path / "a.csv", HOURS.strftime("%d.%m.%Y %H:%M"), VALUES, "Verbrauch [kWh]", ";"
    )
    offset = write(tmp_path / "b.csv", HOURS.strftime("%Y-%m-%dT%H:%M:%S%z"), VALUES * 1000, "W")
    read = [read_load_profile(path) for path in (local, offset)]
    assert (read[0].times == read[1].times).all()
    np.testing.assert_allclose(read[0].energy_kwh, read[1].energy_kwh)
    assert "summer time" in read[0].notes[1]


def test_a_measured_year_lands_on_its_hours_of_the_weather(tmp_path):
    path = write(tmp_path / "a.csv", HOURS.strftime("%Y-%m-%d %H:%M"), VALUES, "kW")
    load = read_load_profile(path)
    july = pd.date_range("2013-07-01", periods=8760, freq="h", tz="Etc/GMT-1")
    for times, first_day in ((WINTER_TIME, 0), (july, 181)):
        share = measured_profile(load.times, load.energy_kwh, times)
        expected = np.roll(np.repeat(VALUES / VALUES.sum() / 4, 4), -96 * first_day)
        np.testing.assert_allclose(share, expected, rtol=1e-5)


def test_quarter_hours_in_a_clock_that_never_changes_and_a_leap_year(tmp_path):
    times = pd.date_range("2024-01-01", periods=35_136, freq="15min")
    path = write(tmp_path / "a.csv", times.strftime("%Y-%m-%d %H:%M"), np.ones(35_136), "demand_wh")
    load = read_load_profile(path)
    assert load.energy_kwh.sum() == pytest.approx(35.136)
    assert "winter time" in load.notes[1]
    assert measured_profile(load.times, load.energy_kwh, WINTER_TIME).shape == (35_040,)


def faulty(name):
    """Times and values with one fault."""
    plain = pd.date_range("2025-01-01", periods=8760, freq="h")
    times, values, unit = list(plain.strftime("%Y-%m-%d %H:%M")), [1.0] * 8760, "kwh"
    if name == "gap":
        del times[4000:4003], values[4000:4003]
    elif name == "twice":
        times.insert(10, times[10])
        values.insert(10, 1.0)
    elif name == "negative":
        values[77] = -0.5
    elif name == "no unit":
        unit = "demand"
    elif name == "text":
        values[5] = "n/a"
    elif name == "zeros":
        values = [0.0] * 8760
    elif name == "half a year":
        del times[4000:], values[4000:]
    elif name == "ten minutes":
        times = list(
            pd.date_range("2025-01-01", periods=8760, freq="10min").strftime("%Y-%m-%d %H:%M")
        )
    elif name == "spring only":  # an hour skipped in March that never comes back
        del times[2138], values[2138]
    elif name == "times":
        times[3] = "soon"
    return times, values, unit


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gap", "1 gaps; the first after row 4001, of 0 days 04:00"),
        ("twice", "clock that never changes"),
        ("negative", "1 negative values; the first, -0.5"),
        ("no unit", "ends in no unit"),
        ("text", "row 7: 'n/a' is no number"),
        ("zeros", "all values are 0"),
        ("half a year", "4000 steps from"),
        ("ten minutes", "steps of 0 days 00:10"),
        ("spring only", "1 gaps; the first after row 2139"),
        ("times", "times cannot be read"),
    ],
)
def test_a_faulty_measurement_is_refused_with_what_is_wrong(tmp_path, name, words):
    with pytest.raises(InputError, match=words):
        read_load_profile(write(tmp_path / "a.csv", *faulty(name)))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_load_profile(tmp_path / "none.csv")
