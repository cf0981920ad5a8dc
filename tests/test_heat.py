"""Solar heat: hand-worked months, an hourly store as reference, laws."""

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import solarkataster
from solarkataster.demo import weather as demo_weather_of
from solarkataster.errors import InputError
from solarkataster.heat import (
    DAYS,
    HeatDemand,
    f_chart,
    heat_demand,
    heat_reasons,
    month_means,
    n_persons,
    useful_heat,
    wanted_area_m2,
)
from solarkataster.rules.heat import HeatRules

TEXT = (Path(solarkataster.__file__).parent / "rules" / "heat.toml").read_text("utf-8")
RULES = HeatRules.model_validate(tomllib.loads(TEXT))
AIR_C = np.array([1.0, 2, 6, 10, 14, 18, 20, 19, 15, 10, 5, 2])
LIGHT = np.array([40.0, 60, 100, 130, 145, 150, 155, 145, 115, 80, 45, 30])


def rules_with(**tables) -> HeatRules:
    """The shipped rules with other numbers: ``collector={"eta0": 0.8}``."""
    new = {
        name: getattr(RULES, name).model_copy(update=numbers) for name, numbers in tables.items()
    }
    return RULES.model_copy(update=new)


def water(*kwh_month) -> HeatDemand:
    """Hot water only, the same in all months."""
    months = np.repeat(np.asarray(kwh_month, float)[:, None], 12, axis=1)
    return HeatDemand(months, np.zeros_like(months))


def heat_of(light, area, demand, rules=RULES):
    light = np.broadcast_to(np.asarray(light, float), (len(area), 12))
    return useful_heat(light, area, demand, AIR_C, rules)


@pytest.mark.parametrize(
    ("loss", "gain", "fraction"),
    [
        # 0.5145 - 0.13 - 0.06125 + 0.0072 + 0.0026875
        (2.0, 0.5, 0.3331375),
        # 1.029 - 0.26 - 0.245 + 0.0288 + 0.0215
        (4.0, 1.0, 0.5743),
        # 2.058 - 0.325 - 0.98 + 0.045 + 0.172
        (5.0, 2.0, 0.97),
        # More heat than demand: 1.0
        (2.0, 2.5, 1.0),
        (3.0, 0.0, 0.0),
        (0.0, 0.0, 0.0),
    ],
)
def test_f_chart_gives_the_published_polynomial(loss, gain, fraction):
    assert f_chart(loss, gain) == pytest.approx(fraction, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.floats(0, 40), st.floats(0, 8), st.floats(0, 10), st.floats(0, 3))
def test_more_loss_never_helps_and_more_gain_never_hurts(loss, gain, more_loss, more_gain):
    here = float(f_chart(loss, gain))
    assert 0.0 <= here <= 1.0
    assert f_chart(loss + more_loss, gain) <= here + 1e-12
    assert f_chart(loss, gain + more_gain) >= here - 1e-12


def test_a_month_of_hot_water_is_as_worked_by_hand():
    """January: 4 m², 50 kWh/m², air 0 °C, 300 kWh of water from 10 to 60 °C."""
    plain = rules_with(
        collector={"eta0": 0.8, "a1_w_m2_k": 3.5, "a2_w_m2_k2": 0.0125, "aperture_fraction": 1.0},
        loop={
            "incidence_modifier": 1.0,
            "loop_efficiency": 1.0,
            "pipe_loss_w_k": 0.0,
            "pipe_loss_w_m2_k": 0.0,
        },
        storage={"litres_per_m2": 75.0},
    )
    # Y = 4 * 0.8 * 50 / 300 = 0.533333
    # Loss 3.5 + 40 * 0.0125 = 4 W/m²K over 11.6 + 1.18 * 60 + 3.86 * 10 - 2.32 * 0 = 121 K:
    # X = 4 * 4 * 121 * 744 h / 1000 / 300 = 4.801280
    # f = 0.548800 - 0.312083 - 0.069689 + 0.041494 + 0.003262 = 0.211784
    heat = useful_heat(np.full((1, 12), 50.0), [4.0], water(300.0), np.zeros(12), plain)
    assert heat[0, 0] == pytest.approx(0.211784 * 300.0, abs=1e-3)
    # A store of half the size: X grows by 2 ** 0.25 to 5.709670;
    # 0.0018 X² - 0.065 X = 0.058680 - 0.371129 = -0.312448
    small = plain.model_copy(
        update={"storage": plain.storage.model_copy(update={"litres_per_m2": 37.5})}
    )
    heat = useful_heat(np.full((1, 12), 50.0), [4.0], water(300.0), np.zeros(12), small)
    assert heat[0, 0] == pytest.approx((0.548800 - 0.312448 - 0.069689 + 0.003262) * 300, abs=1e-2)


@pytest.fixture(scope="module")
def south_45():
    """Hours of a year on a plane of 45° to south, in made-up weather like the Upper Rhine's."""
    table = demo_weather_of.weather_table()
    times = pd.date_range("2014-01-01", periods=8760, freq="h", tz="Etc/GMT-1")
    ghi, dhi = (table[name].to_numpy(float) for name in ("ghi", "dhi"))
    sun = pvlib.solarposition.get_solarposition(
        times + pd.Timedelta("30min"),
        demo_weather_of.LATITUDE_DEG,
        demo_weather_of.LONGITUDE_DEG,
        method="ephemeris",
    )
    zenith = sun["apparent_zenith"].to_numpy()
    cosine = np.cos(np.radians(zenith))
    dni = np.where(cosine > 0.05, (ghi - dhi) / np.maximum(cosine, 0.05), 0.0)
    poa = pvlib.irradiance.get_total_irradiance(
        45.0, 180.0, zenith, sun["azimuth"].to_numpy(), dni, ghi, dhi, model="isotropic"
    )["poa_global"]
    poa = np.nan_to_num(np.asarray(poa))
    month = np.bincount(times.month - 1, poa, minlength=12) / 1000.0
    air = table["temp_air"].to_numpy(float)
    return times, poa, air, month, month_means(times, air)


def collector_w_m2(light, over_air_k):
    """EN ISO 9806, per aperture; independent of the package."""
    c = RULES.collector
    return (
        c.eta0 * RULES.loop.incidence_modifier * light
        - c.a1_w_m2_k * over_air_k
        - c.a2_w_m2_k2 * over_air_k * abs(over_air_k)
    )


@pytest.mark.parametrize(("fluid_c", "low", "high"), [(40.0, 400, 600), (60.0, 300, 450)])
def test_collector_yields_what_is_published_for_its_kind(south_45, fluid_c, low, high):
    """Flat plates: 400 to 600 kWh/m² a year at 40 °C, 300 to 450 at 60 °C (City Energy Analyst)."""
    _, light, air, _, _ = south_45
    gain = np.maximum(collector_w_m2(light, fluid_c - air), 0.0).sum() / 1000.0
    assert low < gain * RULES.collector.aperture_fraction < high


def stored_heat(times, light, air, persons, area_m2):
    """Solar part of hot water, months [kWh]: mixed store in steps of a quarter of an hour."""
    aperture = area_m2 * RULES.collector.aperture_fraction
    litres = RULES.storage.litres_per_m2 * area_m2
    per_k = litres * 4187.0 / 3600.0
    drawn = np.zeros(24)
    drawn[[7, 12, 19]] = 0.4, 0.2, 0.4
    drawn *= persons * RULES.hot_water.litres_per_person_day / 4.0
    cold, hot = RULES.cold_water.cold_c, RULES.hot_water.hot_c
    store, got = 30.0, [0.0] * 12
    rows = zip(
        light.tolist(),
        air.tolist(),
        drawn[times.hour].tolist(),
        (times.month - 1).tolist(),
        strict=True,
    )
    for shine, outside, draw, month in rows:
        for _ in range(4):
            power = aperture * collector_w_m2(shine, store - outside)
            if power > 0.0 and store < 95.0:
                store += power * RULES.loop.loop_efficiency * 0.25 / per_k
            # A store's loss as EN 12977-3 takes it, in a cellar of 15 °C.
            store -= 0.16 * litres**0.5 * (store - 15.0) * 0.25 / per_k
            if draw:
                # Above 60 °C cold water is mixed in; below, the boiler adds what is missing.
                through = min(draw * min(1.0, (hot - cold) / (store - cold)), litres)
                got[month] += through * 4.187 / 3600.0 * (store - cold)
                store -= through / litres * (store - cold)
    return np.array(got)


@pytest.mark.parametrize(("persons", "per_person"), [(3.0, 1.5), (3.0, 2.5), (20.0, 1.5)])
def test_heat_of_a_year_agrees_with_an_hourly_store(south_45, figure, persons, per_person):
    times, light, air, month, air_month = south_45
    area = persons * per_person
    demand = heat_demand([persons], [np.nan], air_month, RULES)
    heat = useful_heat(month[None], [area], demand, air_month, RULES)[0]
    stored = stored_heat(times, light, air, persons, area)
    ratio = heat.sum() / stored.sum()
    figure("solar heat, f-chart over hourly store", f"{ratio:.3f} ({persons:.0f} persons)")
    # The method is within 10 % of simulations in a year; single months deviate more.
    assert 0.88 < ratio < 1.08
    assert np.abs(heat[4:8] - stored[4:8]).max() < 0.2 * demand.total_kwh[0, 4:8].min()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(0, 250), min_size=12, max_size=12),
    st.floats(0, 60),
    st.floats(0, 20),
    st.floats(0, 2),
    st.floats(1, 5000),
)
def test_more_light_or_area_never_gives_less_and_never_more_than_needed(
    light, area, more_area, more_light, need
):
    light = np.array(light)
    heat = heat_of(
        np.array([light, light, light * (1 + more_light)]),
        np.array([area, area + more_area, area]),
        water(need, need, need),
    )
    assert (heat >= 0.0).all()
    assert (heat <= need * (1 + 1e-12)).all()
    slack = 1e-9 * need
    assert (heat[1] >= heat[0] - slack).all()
    assert (heat[2] >= heat[0] - slack).all()


def test_each_further_collector_adds_less_in_a_year():
    area = np.arange(1.0, 13.0)
    year = heat_of(LIGHT, area, water(*np.full(12, 180.0))).sum(axis=1)
    added = np.diff(year)
    assert (added > 0.0).all()
    assert (np.diff(added) < 0.0).all()
    # Twice the collectors on twice the demand is twice the heat, but for the pipes' fixed loss.
    free = rules_with(loop={"pipe_loss_w_k": 0.0})
    one, two = heat_of(LIGHT, [3.0, 6.0], water(200.0, 400.0), free)
    np.testing.assert_allclose(two, 2 * one, rtol=1e-12)


def test_no_demand_or_no_collector_is_no_heat_and_unknown_stays_unknown():
    heat = heat_of(LIGHT, [5.0, 0.0, 5.0, 0.0], water(0.0, 200.0, np.nan, np.nan))
    assert (heat[[0, 1, 3]] == 0.0).all()
    assert np.isnan(heat[2]).all()
    assert np.isnan(heat_of(np.full(12, np.nan), [5.0], water(200.0))).all()


def test_why_there_is_no_heat_is_told():
    told = heat_reasons([np.nan, 0.0, 3.0, 3.0], [0.0, 0.0, 0.0, 4.0])
    assert [text.partition(":")[0] for text in told] == [
        "Solarwärme unbekannt",
        "Keine Solarwärme",
        "Keine Solarwärme",
        "",
    ]
    assert "niemand" in told[1]
    assert "Platz" in told[2]


def test_hot_water_of_a_person_is_litres_times_lift():
    # 35 l of 50 K: 35 * 50 * 4.187 / 3600 = 2.0354 kWh a day, 742.9 a year
    demand = heat_demand([1.0, 4.0], [np.nan, np.nan], AIR_C, RULES)
    np.testing.assert_allclose(demand.total_kwh.sum(axis=1), [742.9, 4 * 742.9], rtol=1e-4)
    np.testing.assert_allclose(demand.hot_water_kwh[0], 2.03535 * DAYS, rtol=1e-5)


def test_people_are_counted_by_dwellings_before_living_area():
    persons = n_persons([94.8, 500.0, np.nan], [np.nan, 1.0, np.nan], RULES)
    np.testing.assert_allclose(persons[:2], [2.0, 92.2 / 47.4])
    assert np.isnan(persons[2])
    np.testing.assert_allclose(wanted_area_m2(persons, RULES)[0], 3.0)


def test_heating_takes_collectors_in_cold_months_and_none_in_warm_ones():
    both = rules_with(heating={"is_supported": True})
    demand = heat_demand([3.0], [140.0], AIR_C, both)
    assert demand.heating_kwh.sum() == pytest.approx(118.0 * 140.0)
    # 15 °C and warmer: June, July, August and September (15 °C) are not heated.
    assert (demand.heating_kwh[0, 5:9] == 0.0).all()
    # Degree days: January 14 K * 31 d, February 13 * 28, ... May 1 * 31, October 5 * 31, ...
    share = 14 * 31 / (14 * 31 + 13 * 28 + 9 * 31 + 5 * 30 + 31 + 5 * 31 + 10 * 30 + 13 * 31)
    assert demand.heating_kwh[0, 0] == pytest.approx(share * 118.0 * 140.0)
    area = wanted_area_m2([3.0], both)
    assert area == pytest.approx([9.0])
    light = LIGHT[None]
    with_heating = useful_heat(light, area, demand, AIR_C, both)[0]
    only_water = heat_of(light, area, heat_demand([3.0], [140.0], AIR_C, RULES))[0]
    np.testing.assert_allclose(with_heating[5:9], only_water[5:9])
    assert with_heating[[2, 3, 9]].sum() > 1.2 * only_water[[2, 3, 9]].sum()


@pytest.mark.parametrize(
    ("call", "found"),
    [
        (lambda: heat_of(LIGHT, [-1.0], water(100.0)), "collector area -1.0"),
        (lambda: heat_of(-LIGHT, [1.0], water(100.0)), "irradiation -40.0"),
        (lambda: n_persons([-5.0], [np.nan], RULES), "living area -5.0"),
        (lambda: heat_demand([np.inf], [1.0], AIR_C, RULES), "number of persons inf"),
        (
            lambda: useful_heat(LIGHT[None], [1.0], water(1.0), AIR_C + 273.15, RULES),
            "temperatures",
        ),
        (
            lambda: useful_heat(LIGHT[None], [1.0, 2.0], water(1.0), AIR_C, RULES),
            "2 collector areas",
        ),
        (
            lambda: month_means(pd.date_range("2014-01-01", periods=3, freq="h"), [1, 2, 3]),
            "month 2",
        ),
    ],
)
def test_wrong_numbers_are_refused_by_name(call, found):
    with pytest.raises(InputError, match=found):
        call()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("litres_per_m2 = 60.0", "litres_per_m2 = 20.0"),
        ("hot_c = 60.0", "hot_c = 40.0"),
        ("eta0 = 0.775", "eta0 = 77.5"),
        ('order = ["pv", "heat", "green"]', 'order = ["pv", "heat", "pv"]'),
        ('order = ["pv", "heat", "green"]', "order = []"),
        ("cold_c = 10.0", "cold_c = 10.0\nwarm_c = 3.0"),
    ],
)
def test_rules_beyond_the_method_are_refused(old, new):
    assert old in TEXT
    with pytest.raises(ValidationError):
        HeatRules.model_validate(tomllib.loads(TEXT.replace(old, new)))


def test_an_order_without_modules_is_refused_and_says_where_to_put_them():
    text = TEXT.replace('order = ["pv", "heat", "green"]', 'order = ["heat", "green"]')
    with pytest.raises(ValidationError, match="'pv' in the order; put it last"):
        HeatRules.model_validate(tomllib.loads(text))
