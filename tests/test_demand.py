"""Demand of buildings: uses, given and estimated figures, what is refused or marked."""

from __future__ import annotations

import tomllib
from importlib import resources
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from load_shapes import WINTER_TIME, profiles_of
from pydantic import ValidationError

from solarkataster.errors import InputError
from solarkataster.load.balance import balance
from solarkataster.load.demand import (
    annual_demand,
    battery_kwh,
    battery_of,
    demand_by_profile,
    use_keys,
)
from solarkataster.load.extra_loads import (
    CAR,
    CARS_UNKNOWN,
    HEAT_PUMP,
    HEAT_UNKNOWN,
    add_extra_loads,
    car_load,
    heat_pump_load,
)
from solarkataster.load.load_profiles import month_of_hour, standard_profiles
from solarkataster.rules.demand import DemandRules
from solarkataster.stages.building_energy import building_energy
from solarkataster.weather import Weather

TEXT = (resources.files("solarkataster.rules") / "demand.toml").read_text(encoding="utf-8")
RULES = DemandRules.model_validate(tomllib.loads(TEXT))


def houses(use="31001_1000", footprint_area_m2=90.0, height_m=9.0, **more):
    """One row unless a value is a list."""
    values = {"use": use, "footprint_area_m2": footprint_area_m2, "height_m": height_m, **more}
    n = max(len(v) if isinstance(v, list) else 1 for v in values.values())
    return pd.DataFrame({k: v if isinstance(v, list) else [v] * n for k, v in values.items()})


def only(**given):
    return annual_demand(houses(**given), RULES).iloc[0]


def year_weather(temp_air=None, ghi=None) -> Weather:
    """A sine of temperature from −5 to 25 °C, coldest in mid-January, and a day's sun."""
    hour = np.arange(8760)
    if temp_air is None:
        temp_air = 10.0 - 15.0 * np.cos(2 * np.pi * (hour / 24 - 15) / 365)
    ghi = np.maximum(900.0 * np.sin((hour % 24 - 6) / 12 * np.pi), 0.0) if ghi is None else ghi
    return Weather(
        times=WINTER_TIME, ghi=ghi, dhi=0.4 * ghi, bhi=0.6 * ghi, temp_air=temp_air,
        wind_speed=None, latitude=49.5, longitude=8.5, elevation_m=100.0, source="made up",
        kind="made up", label="start",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("use", "key"),
    [
        ("31001_1000", "household"), ("1010", "household"), (1020, "household"),
        (1000.0, "household"), ("Wohngebäude", "household"), ("apartments", "household"),
        ("31001_1123", "mixed"), ("31001_2020", "office"), ("31001_3012", "office"),
        ("31001_2051", "retail"), ("31001_2111", "industry"), ("31001_3021", "education"),
        ("31001_3041", "culture"), ("31001_2463", "none"), ("31001_2724", "farm"),
        ("31001_9998", ""), ("51009_1610", ""), ("2523", ""), ("Luftschloss", ""), ("", ""),
        (None, ""), (float("nan"), ""), ("yes", ""),
    ],
)  # fmt: skip
def test_uses_are_read_from_codes_and_words_and_nothing_else(use, key):
    assert use_keys([use], RULES)[0] == key


def test_a_house_needs_what_its_floor_area_says():
    found = only()
    # 90 m² × 0.75 · 9 m ÷ 3 m × 0.8 = 162 m², at 26 kWh/m²
    assert found["floor_area_m2"] == pytest.approx(162.0)
    assert found["annual_demand_kwh"] == pytest.approx(4212.0)
    assert found[["use_class", "demand_source", "load_profile", "reason"]].tolist() == [
        "Wohnen", "floor area", "H25", "",
    ]  # fmt: skip


def test_a_low_house_has_one_storey_and_a_hall_never_more():
    assert only(height_m=2.0)["floor_area_m2"] == pytest.approx(90.0 * 0.8)
    hall = only(use="31001_2143", height_m=14.0, footprint_area_m2=1000.0)
    assert hall["floor_area_m2"] == pytest.approx(950.0)


def test_a_given_demand_wins_and_says_so():
    found = only(annual_demand_kwh=3500.0)
    assert found["annual_demand_kwh"] == 3500.0
    assert found["demand_source"] == "given"
    assert only(annual_demand_kwh=np.nan)["demand_source"] == "floor area"


def test_a_floor_area_that_does_not_fit_into_the_building_is_not_used_and_told():
    # 90 m² × 0.75 · 9 m ÷ 3 m = 202.5 m² of storeys, three times that is 607.5 m².
    assert only(floor_area_m2=607.0)["demand_source"] == "floor area given"
    found = only(floor_area_m2=16_200.0)
    assert found[["floor_area_m2", "demand_source"]].tolist() == [
        pytest.approx(162.0),
        "floor area",
    ]
    assert found["annual_demand_kwh"] == pytest.approx(4212.0)
    assert found["reason"] == (
        "Nutzfläche unglaubwürdig: 16.200 m² angegeben, mehr als 608 m²; nicht verwendet"
    )


def test_where_the_use_is_unknown_the_floor_area_of_any_use_is_believed_and_without_size_all():
    assert "Nutzfläche" not in only(use=None, floor_area_m2=607.0)["reason"]
    assert only(use=None, floor_area_m2=9000.0)["reason"] == (
        "Nutzfläche unglaubwürdig: 9.000 m² angegeben, mehr als 608 m²; nicht verwendet; "
        "Nutzung unbekannt: keine Angabe"
    )
    assert only(height_m=np.nan, floor_area_m2=9000.0)["demand_source"] == "floor area given"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"use": "51009_1610"}, "Nutzung unbekannt: 51009_1610"),
        ({"use": None}, "Nutzung unbekannt: keine Angabe"),
        ({"height_m": np.nan}, "Bedarf unbekannt: Grundfläche oder Höhe fehlt"),
        ({"annual_demand_kwh": -5.0}, "Bedarf unbrauchbar: -5 kWh angegeben"),
        ({"annual_demand_kwh": np.inf}, "Bedarf unbrauchbar: unendlich viele kWh angegeben"),
        (
            {"annual_demand_kwh": 1e7},
            "Bedarf unglaubwürdig: 10.000.000 kWh im Jahr für Wohnen, mehr als 64.800 kWh; nicht "
            "verwendet",
        ),
        (
            {"annual_demand_kwh": 1e7, "height_m": np.nan},
            "Bedarf unglaubwürdig: 10.000.000 kWh im Jahr für Wohnen, mehr als 1.000.000 kWh; "
            "nicht verwendet",
        ),
        (
            {"use": None, "annual_demand_kwh": 1e7, "load_profile": "H25"},
            "Bedarf unglaubwürdig: 10.000.000 kWh im Jahr für ein Gebäude unbekannter Nutzung mit "
            "Lastprofil H25, mehr als 1.000.000 kWh; nicht verwendet",
        ),
        (
            {
                "use": "x",
                "annual_demand_kwh": 1e5,
                "load_profile": "H25",
                "floor_area_m2": 200.0,
            },
            "Bedarf unglaubwürdig: 100.000 kWh im Jahr für ein Gebäude unbekannter Nutzung mit "
            "Lastprofil H25, mehr als 80.000 kWh; nicht verwendet",
        ),
        (
            {"use": None, "annual_demand_kwh": 3e8, "load_profile": "measured"},
            "Bedarf unglaubwürdig: 300.000.000 kWh im Jahr für ein Gebäude unbekannter Nutzung, "
            "mehr als 200.000.000 kWh; nicht verwendet",
        ),
        (
            {"use": None, "annual_demand_kwh": 3500.0},
            "Bedarf angegeben, aber Nutzung unbekannt: keine Angabe, daher kein Eigenverbrauch",
        ),
        (
            {"use": "31001_2463", "annual_demand_kwh": 300.0},
            "Bedarf angegeben, aber ohne Lastprofil, daher kein Eigenverbrauch",
        ),
    ],
)
def test_what_is_unknown_or_not_believed_gives_no_demand_and_the_reason(given, reason):
    found = only(**given)
    assert np.isnan(found["annual_demand_kwh"])
    assert found["load_profile"] == ""
    assert found["reason"] == reason
    assert found["demand_source"] == f"unknown: {reason}"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"annual_demand_kwh": 0.0}, "Bedarf 0 angegeben, daher kein Eigenverbrauch"),
        (
            {"use": "31001_2463"},
            "Bedarf 0: Nebengebäude ohne eigenen Verbrauch, daher kein Eigenverbrauch",
        ),
    ],
)
def test_no_demand_means_no_self_consumption_and_the_reason(given, reason):
    table = annual_demand(houses(**given), RULES)
    assert table["annual_demand_kwh"].tolist() == [0.0]
    assert table["reason"].tolist() == [reason]
    flat = profiles_of(np.ones(35_040), month_of_hour(WINTER_TIME))
    found = balance(np.ones((1, 8760)), demand_by_profile(table, flat), flat)
    assert found.self_consumption_fraction[0] == 0.0
    assert np.isnan(found.autarky_fraction[0])


def test_an_own_profile_makes_a_given_demand_usable_without_a_use():
    found = only(use=None, annual_demand_kwh=3500.0, load_profile="G25")
    assert found[["annual_demand_kwh", "load_profile", "reason"]].tolist() == [3500.0, "G25", ""]


@pytest.mark.parametrize(
    ("profile", "most_kwh"),
    [("H25", 1e6), ("L25", 5e6), ("H25+G25", 5e6), ("G25", 2e8), ("G25+L25", 2e8)],
)
def test_without_a_use_the_limit_is_the_largest_of_the_uses_with_the_profile(profile, most_kwh):
    def said(kwh):
        return only(use=None, annual_demand_kwh=kwh, load_profile=profile)

    assert said(most_kwh)["annual_demand_kwh"] == most_kwh
    assert said(most_kwh)["reason"] == ""
    assert np.isnan(said(1.01 * most_kwh)["annual_demand_kwh"])
    assert said(1.01 * most_kwh)["reason"].startswith("Bedarf unglaubwürdig")


def test_a_given_floor_area_counts_before_the_estimate_and_flats_only_without_one():
    for known in ({}, {"height_m": np.nan}, {"n_flats": 8.0}):
        found = only(floor_area_m2=120.0, **known)
        assert found[["floor_area_m2", "demand_source"]].tolist() == [120.0, "floor area given"]
        assert found["annual_demand_kwh"] == pytest.approx(120.0 * 26.0)
    assert only(floor_area_m2=np.nan, n_flats=8.0)["demand_source"] == "floor area"
    flats = only(height_m=np.nan, n_flats=3.0)
    assert flats[["floor_area_m2", "demand_source"]].tolist() == [282.0, "flats given"]
    assert flats["annual_demand_kwh"] == pytest.approx(282.0 * 26.0)
    # Flats tell nothing of an office, and none nothing of a home.
    assert np.isnan(only(use="31001_2020", height_m=np.nan, n_flats=3.0)["annual_demand_kwh"])
    assert np.isnan(only(height_m=np.nan, n_flats=0.0)["annual_demand_kwh"])
    # A demand above 400 kWh/m² of the given area is not believed.
    assert "80.000 kWh" in only(annual_demand_kwh=1e5, floor_area_m2=200.0)["reason"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"floor_area_m2": "groß"}, "floor_area_m2 = 'groß' in row 1"),
        ({"load_profile": "P25"}, "P25 is what homes with a plant still"),
        ({"load_profile": "H25+S25"}, "S25 is what homes with a plant and a battery"),
        ({"load_profile": "H0"}, "'H0' is not known"),
        ({"annual_demand_kwh": "viel"}, "annual_demand_kwh = 'viel' in row 1"),
    ],
)
def test_wrong_columns_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        annual_demand(houses(**given), RULES)
    with pytest.raises(InputError, match="columns height_m are missing"):
        annual_demand(houses().drop(columns="height_m"), RULES)


def test_a_mixed_house_splits_its_demand_between_two_profiles():
    table = annual_demand(houses(use=["31001_1120", "31001_1000", "x"]), RULES)
    profiles = standard_profiles(("H25", "G25"), WINTER_TIME, 2025, "RP")
    by_profile = demand_by_profile(table, profiles)
    assert by_profile[0, 0] == by_profile[0, 1] == table["annual_demand_kwh"][0] / 2
    assert by_profile[1].tolist() == [4212.0, 0.0]
    assert np.isnan(by_profile[2]).all()
    farm = annual_demand(houses(use="31001_1221"), RULES)
    with pytest.raises(InputError, match="'L25' is missing"):
        demand_by_profile(farm, profiles)


def test_a_battery_is_as_large_as_plant_and_demand_allow():
    rules = RULES.battery  # 1 kWh per kWp and per MWh, 2 kWh at least, 0.5 kWp per MWh
    kwp = [8.0, 4.0, 1.0, 0.0, np.nan, 8.0, 2.0]
    kwh = [5000.0, 5000.0, 1500.0, 5000.0, 5000.0, np.nan, 5000.0]
    assert battery_kwh(kwp, kwh, rules).tolist() == [5.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    assert battery_of(rules).charge_efficiency == rules.charge_efficiency


def test_heat_pumps_follow_the_cold_and_a_constant_cold_gives_the_formula():
    weather = year_weather()
    share, performance = heat_pump_load(weather, RULES.heat_pump)
    assert share.sum() == pytest.approx(1.0)
    months = np.bincount(np.repeat(month_of_hour(WINTER_TIME), 4), share)
    assert months.argmax() == 0
    assert months[6] == pytest.approx(months[7], rel=0.2)  # hot water only
    assert 2.5 < performance < 4.0
    # At 0 °C: flow 40 °C, hot water 50 °C: lifts of 40 and 50 K (Ruhnau et al. 2019).
    rooms, water = (0.85 * (6.08 - 0.09 * k + 0.0005 * k**2) for k in (40.0, 50.0))
    share, performance = heat_pump_load(year_weather(np.zeros(8760)), RULES.heat_pump)
    assert performance == pytest.approx(1.0 / (0.83 / rooms + 0.17 / water))
    np.testing.assert_allclose(share, 1.0 / 35_040)
    # At 10 °C: flow 30 °C: lifts of 20 and 40 K.
    rooms, water = (0.85 * (6.08 - 0.09 * k + 0.0005 * k**2) for k in (20.0, 40.0))
    _, performance = heat_pump_load(year_weather(np.full(8760, 10.0)), RULES.heat_pump)
    assert performance == pytest.approx(1.0 / (0.83 / rooms + 0.17 / water))


def test_heat_pumps_need_a_temperature_and_a_winter():
    weather = year_weather()
    object.__setattr__(weather, "temp_air", None)
    with pytest.raises(InputError, match="no air temperature"):
        heat_pump_load(weather, RULES.heat_pump)
    with pytest.raises(InputError, match="never colder than 15"):
        heat_pump_load(year_weather(np.full(8760, 20.0)), RULES.heat_pump)


def test_cars_charge_on_arrival_by_the_local_clock():
    share = car_load(year_weather(), 2025, "RP", RULES.car)
    assert share.sum() == pytest.approx(1.0)
    day = share.reshape(365, 96)
    # 5.4 kWh at 11 kW take half an hour: from 16:00 to 20:30 local time.
    for date, first in ((15, 64), (196, 60)):  # winter time; summer time is an hour ahead
        busy = np.flatnonzero(day[date])
        assert (busy[0], busy[-1]) == (first, first + 16)


def test_solar_led_cars_charge_more_by_day_and_as_much_in_all():
    led = RULES.car.model_copy(update={"is_solar_led": True})
    plain, solar = (car_load(year_weather(), 2025, "RP", r) for r in (RULES.car, led))
    sunny = np.repeat(year_weather().ghi > 100.0, 4)
    assert solar.sum() == pytest.approx(plain.sum())
    assert solar[sunny].sum() > plain[sunny].sum() + 0.3
    saturday, monday = 96 * 3, 96 * 5  # 4 and 6 January 2025
    noon = slice(32, 60)  # 8 to 15 o'clock, winter time
    assert solar[saturday:][noon].sum() > 0.0
    assert solar[monday:][noon].sum() == 0.0  # away


#: At home a year: 12 309 km at 20 kWh/100 km, of which 80 % at home.
CAR_KWH = 12309 * 0.2 * 0.8


def test_a_heat_pump_of_unknown_size_leaves_the_demand_unknown_and_says_so():
    buildings = houses(
        has_heat_pump=True,
        annual_demand_kwh=3500.0,
        height_m=[np.nan, 9.0, np.nan],
        heat_demand_kwh=[np.nan, np.nan, 12_000.0],
    )
    table = annual_demand(buildings, RULES)
    flat = profiles_of(np.ones(35_040), month_of_hour(WINTER_TIME))
    found = add_extra_loads(flat, buildings, table, year_weather(), RULES)
    assert found.reason.tolist() == [HEAT_UNKNOWN, "", ""]
    _, performance = heat_pump_load(year_weather(), RULES.heat_pump)
    expected = [np.nan, 105.0 * 162.0 / performance, 12_000.0 / performance]
    np.testing.assert_allclose(found.kwh[HEAT_PUMP], expected)
    by_default = changed_rules("heat_pump", by_default=True)
    said = add_extra_loads(flat, houses(height_m=np.nan), table[:1], year_weather(), by_default)
    assert said.reason.tolist() == [HEAT_UNKNOWN]


def test_homes_have_as_many_cars_as_flats_and_none_where_nobody_knows():
    rules = changed_rules("car", per_home=0.5)
    buildings = houses(
        height_m=[9.0, 9.0, np.nan, np.nan, np.nan],
        n_flats=[np.nan, 6.0, 6.0, np.nan, np.nan],
        n_cars=[np.nan, np.nan, np.nan, np.nan, 2.0],
    )
    # By n_flats alone; without the figure of the floor area that they give the demand.
    table = annual_demand(buildings.drop(columns="n_flats"), rules)
    flat = profiles_of(np.ones(35_040), month_of_hour(WINTER_TIME))
    found = add_extra_loads(flat, buildings, table, year_weather(), rules)
    # 162 m² are two flats of 94 m².
    np.testing.assert_allclose(found.kwh[CAR], np.array([1.0, 3.0, 3.0, 0.0, 2.0]) * CAR_KWH)
    assert found.reason.tolist() == ["", "", "", CARS_UNKNOWN, ""]
    shipped = add_extra_loads(flat, buildings[3:4], table[3:4], year_weather(), RULES)
    assert shipped.reason.tolist() == [""]  # no cars by the shipped rules, so none are missing


def changed_rules(table, **values):
    changed = getattr(RULES, table).model_copy(update=values)
    return RULES.model_copy(update={table: changed})


def test_extra_loads_come_only_where_a_building_has_them():
    buildings = houses(has_heat_pump=[True, False, None], n_cars=[0.0, 2.0, np.nan])
    table = annual_demand(buildings, RULES)
    flat = profiles_of(np.ones(35_040), month_of_hour(WINTER_TIME))
    found = add_extra_loads(flat, buildings, table, year_weather(), RULES)
    assert found.profiles.names == ("p0", HEAT_PUMP, CAR)
    assert found.reason.tolist() == ["", "", ""]
    _, performance = heat_pump_load(year_weather(), RULES.heat_pump)
    heat = 105.0 * 162.0 / performance
    np.testing.assert_allclose(found.kwh[HEAT_PUMP], [heat, 0.0, 0.0])
    np.testing.assert_allclose(found.kwh[CAR], [0.0, 2 * CAR_KWH, 0.0])
    none = add_extra_loads(flat, houses(), table[:1], year_weather(), RULES)
    assert none.profiles is flat
    assert none.kwh.shape == (1, 0)
    with pytest.raises(InputError, match="n_cars = -1 in row 1"):
        add_extra_loads(flat, houses(n_cars=-1.0), table[:1], year_weather(), RULES)


def test_rules_with_overlapping_codes_or_codes_of_no_class_are_refused():
    for old, new, words in (
        ("[[1000, 1025], ", "[[1000, 1105], ", "do not overlap"),
        ('"garage", ', '"garage", "hotel", ', "each word once"),
        ("trade = [[2000, 2000]]", "shop = [[2000, 2000]]", "is none"),
    ):
        assert old in TEXT
        with pytest.raises(ValidationError, match=words):
            DemandRules.model_validate(tomllib.loads(TEXT.replace(old, new)))


def test_a_building_with_a_heat_pump_of_unknown_size_has_no_self_consumption_and_says_why():
    rules = changed_rules("heat_pump", by_default=True)
    given = houses(height_m=[np.nan, 9.0, np.nan], annual_demand_kwh=[3500.0, 3500.0, np.nan])
    demand = annual_demand(given, rules)
    basis = SimpleNamespace(
        profiles=standard_profiles(("H25",), WINTER_TIME, 2025, ""),
        weather=year_weather(),
        demand=rules,
        feed_in_limit_kw=lambda kwp: np.full(len(kwp), np.inf),
    )
    sums = pd.DataFrame({"dc_power_kwp": [5.0] * 3, "yield_year_kwh": [8760.0] * 3})
    watts = np.full((3, 8760), 1000.0, dtype=np.float32)
    found = building_energy(sums, watts, np.ones(3), given, demand, basis)
    assert found["annual_demand_kwh"].notna().tolist() == [False, True, False]
    assert found["annual_demand_kwh"][1] > 3500.0 + 105.0 * 162.0 / 4.0
    assert found["demand_source"].tolist() == [
        f"unknown: {HEAT_UNKNOWN}",
        "given",
        "unknown: Bedarf unbekannt: Grundfläche oder Höhe fehlt",
    ]
    assert found["demand_reason"].tolist() == [
        HEAT_UNKNOWN, "", "Bedarf unbekannt: Grundfläche oder Höhe fehlt",
    ]  # fmt: skip
    assert found["load_profile"].tolist() == ["", "H25", ""]
    assert found["self_consumed_kwh"].notna().tolist() == [False, True, False]
    assert found["full_feed_in_kwh"].tolist() == [8760.0] * 3
