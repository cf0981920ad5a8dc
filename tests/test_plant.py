"""Plants: against pvlib's ModelChain, loss by loss, and what is refused."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pvlib
import pytest
from open_light import open_light, recorded_light
from plant_chain import CEC_NAMES, chain_ac_w_per_kwp, shipped_plant
from pydantic import ValidationError
from weather_files import ELEVATION_M, LATITUDE, LONGITUDE, made_up_year

from solarkataster.errors import InputError
from solarkataster.hourly_light import HourlyLight
from solarkataster.io.weather import read_weather
from solarkataster.pv.incidence import Glass, diffuse_factors, incidence_table
from solarkataster.pv.module_power import cec_module, cec_point
from solarkataster.pv.plant import LOSSES, missing_weather, plant_model, plant_output
from solarkataster.rules.plant import PlantRules
from solarkataster.weather import Weather

PLANES = [(35.0, 180.0), (35.0, 90.0), (35.0, 270.0), (90.0, 180.0)]
KINDS = {"PVWatts": {}, "CEC": {"module": CEC_NAMES[0], "inverter": CEC_NAMES[1]}}


@pytest.fixture(scope="module")
def mannheim(real_data) -> Weather:
    return read_weather(real_data / "weather" / "TRY2015_494902084637_Jahr.dat")


@pytest.fixture(scope="module")
def mannheim_light(mannheim) -> HourlyLight:
    return recorded_light(mannheim, PLANES)


@pytest.fixture(scope="module")
def plants():
    return {kind: plant_model(shipped_plant(**names)) for kind, names in KINDS.items()}


def random_light(n: int = 6, n_hour: int = 8760, seed: int = 5) -> HourlyLight:
    """Light of any size in half of the hours, shadows included; the last surface has none."""
    rng = np.random.default_rng(seed)
    day = rng.random(n_hour) < 0.5
    direct, around, sky, ground = (
        rng.random((4, n, n_hour)) * day * np.array([700.0, 80.0, 300.0, 60.0]).reshape(4, 1, 1)
    )
    taken = (direct + around) * rng.uniform(0.8, 1.0, (n, n_hour))
    seen = np.where(rng.random((n, n_hour)) < 0.5, 1.0, rng.random((n, n_hour)))
    parts = [direct, around, sky, ground, taken, seen]
    for part in parts[:5]:
        part[-1] = 0.0
    return HourlyLight(*(part.astype(np.float32) for part in parts))


def some_weather(temp_air: float = 10.0, wind_speed: float = 2.0, n_hour: int = 8760) -> Weather:
    """Weather of which plants ask only the air."""
    times = pd.date_range("2014-01-01", periods=n_hour, freq="h", tz="Etc/GMT-1")
    zero = np.zeros(n_hour)
    return Weather(
        times, zero, zero, zero, np.full(n_hour, temp_air), np.full(n_hour, wind_speed),
        49.5, 8.5, 100.0, "made up", "made up", "start",
    )  # fmt: skip


def steady_light(direct: float, sky: float = 0.0, seen: float = 1.0) -> HourlyLight:
    """The same light all the year, straight on the plane."""
    full = [np.full((1, 8760), value, np.float32) for value in (direct, 0.0, sky, 0.0)]
    return HourlyLight(*full, full[0], np.full((1, 8760), seen, np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_free_standing_plant_at_mannheim_yields_what_model_chain_says(
    mannheim, mannheim_light, plants, kind, figure
):
    """Year <= 0.5 %, 35° south, east and west; ModelChain has the sun at the middle of the hour."""
    model = plants[kind]
    tilts = np.array([tilt for tilt, _ in PLANES])
    got = plant_output(mannheim_light, tilts, "rack", mannheim, model)
    month = mannheim.times.month.to_numpy() - 1
    for i, plane in enumerate(PLANES):
        chain = chain_ac_w_per_kwp(mannheim, *plane, model)
        expected = np.bincount(month, chain, 12) / 1000.0
        year = got.specific_yield_kwh_per_kwp[i] / expected.sum() - 1.0
        months = got.specific_yield_month_kwh_per_kwp[i] / expected - 1.0
        figure(
            f"{kind}, {plane[0]:g}°/{plane[1]:g}°",
            f"{got.specific_yield_kwh_per_kwp[i]:.0f} kWh/kWp, {100 * year:+.2f} % against "
            f"ModelChain, months {100 * months.min():+.2f} to {100 * months.max():+.2f} %",
        )
        assert abs(year) <= 0.005
        # December's low sun in the west, where one sun an hour is not enough.
        assert np.abs(months).max() <= 0.02


@pytest.mark.parametrize(("kind", "limit"), [("PVWatts", 0.0015), ("CEC", 0.003)])
def test_model_chain_with_our_hour_means_leaves_only_the_sun_within_the_hour(
    mannheim, mannheim_light, plants, kind, limit
):
    """CEC: 0.1 % more is the inverter's draw at night, which ModelChain takes off."""
    model = plants[kind]
    tilts = np.array([tilt for tilt, _ in PLANES])
    got = plant_output(mannheim_light, tilts, "rack", mannheim, model)
    for i, plane in enumerate(PLANES):
        chain = chain_ac_w_per_kwp(mannheim, *plane, model, mannheim_light, i)
        assert got.specific_yield_kwh_per_kwp[i] == pytest.approx(chain.sum() / 1e3, rel=limit)
        assert np.abs(got.ac_w_per_kwp[i] - chain).max() < 15.0  # W per kWp, in hours of low sun


def test_the_comparison_notices_half_an_hour_and_what_diffuse_light_loses(mannheim, plants):
    late = dataclasses.replace(mannheim, times=mannheim.times + pd.Timedelta(minutes=30))
    east = [(35.0, 90.0)]
    right, wrong = (
        plant_output(recorded_light(one, east), [35.0], "rack", one, plants["PVWatts"])
        for one in (mannheim, late)
    )
    chain = chain_ac_w_per_kwp(mannheim, *east[0], plants["PVWatts"]).sum() / 1e3
    assert abs(wrong.specific_yield_kwh_per_kwp[0] / chain - 1.0) > 0.01
    marion = plant_model(shipped_plant(diffuse="marion"))
    less = plant_output(recorded_light(mannheim, east), [35.0], "rack", mannheim, marion)
    loss = 1.0 - less.specific_yield_kwh_per_kwp[0] / right.specific_yield_kwh_per_kwp[0]
    assert 0.02 < loss < 0.03  # Marion 2017: 4 % of sky light at 35°, half of the year's light


@pytest.fixture(scope="module")
def made_up() -> Weather:
    """Clear and cloudy days by a fixed seed; needs no file."""
    year = made_up_year()
    bhi, dhi = year["bhi"].to_numpy(), year["dhi"].to_numpy()
    return Weather(
        year.index, bhi + dhi, dhi, bhi, year["temp_air"].to_numpy(), np.full(8760, 2.5),
        LATITUDE, LONGITUDE, ELEVATION_M, "made up", "made up", "start",
    )  # fmt: skip


def test_a_made_up_year_yields_what_model_chain_says(made_up, plants):
    light = recorded_light(made_up, PLANES)
    got = plant_output(light, [one for one, _ in PLANES], "rack", made_up, plants["PVWatts"])
    for i, plane in enumerate(PLANES):
        chain = chain_ac_w_per_kwp(made_up, *plane, plants["PVWatts"]).sum() / 1e3
        assert got.specific_yield_kwh_per_kwp[i] == pytest.approx(chain, rel=0.005)


def test_hourly_light_of_open_planes_is_that_of_pvlib(made_up):
    ours, theirs = recorded_light(made_up, PLANES), open_light(made_up, PLANES)
    for one in ("poa_global", "beam_taken"):
        a, b = getattr(ours, one).sum(axis=1), getattr(theirs, one).sum(axis=1)
        np.testing.assert_allclose(a, b, rtol=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"diffuse": "marion", "method": "martinez", "snow": [0.2, 0.1] + [0.0] * 10},
        {**KINDS["CEC"], "dc_ac_ratio": 1.6},
        {"dc_ac_ratio": 2.5},
    ],
)
def test_light_times_what_each_loss_leaves_is_the_yield(changes):
    light = random_light()
    model = plant_model(shipped_plant(**changes))
    tilts = np.linspace(0.0, 90.0, 6)
    mounting = np.array(["rack", "wall", "roof-parallel"] * 2, dtype=object)
    out = plant_output(light, tilts, mounting, some_weather(), model)
    assert tuple(out.loss_fractions) == LOSSES
    left = np.prod([1.0 - loss for loss in out.loss_fractions.values()], axis=0)
    lit = slice(0, 5)
    expected = out.module_poa_year_kwh_m2 * left
    np.testing.assert_allclose(out.specific_yield_kwh_per_kwp[lit], expected[lit], rtol=1e-9)
    np.testing.assert_allclose(out.performance_ratio[lit], left[lit], rtol=1e-9)
    # Month sums, year and hours are the same energy.
    hours = out.ac_w_per_kwp.sum(axis=1, dtype=np.float64) / 1e3
    np.testing.assert_allclose(out.specific_yield_month_kwh_per_kwp.sum(axis=1), hours, rtol=1e-6)
    # Without light: no yield, and no share of nothing.
    assert out.specific_yield_kwh_per_kwp[5] == 0.0
    assert np.isnan(out.performance_ratio[5])
    assert out.ac_w_per_kwp.min() >= 0.0
    if changes.get("dc_ac_ratio"):
        assert out.loss_fractions["clipping"][:5].min() > 0.0


def test_a_surface_yields_the_same_in_any_chunk(plants):
    light, weather = random_light(), some_weather()
    tilts = np.linspace(0.0, 60.0, 6)
    mounting = np.array(["rack", "wall", "roof-parallel"] * 2, dtype=object)
    names = [one.name for one in dataclasses.fields(light)]
    for model in plants.values():
        whole = plant_output(light, tilts, mounting, weather, model)
        for i in range(6):
            one = HourlyLight(*(getattr(light, name)[i : i + 1] for name in names))
            alone = plant_output(one, tilts[i : i + 1], mounting[i], weather, model)
            np.testing.assert_array_equal(alone.ac_w_per_kwp[0], whole.ac_w_per_kwp[i])


@pytest.mark.parametrize(
    ("mounting", "temp_cell"),
    [  # by hand from King 2004 and PVsyst at 800 W/m², 20 °C, 2 m/s
        ("rack", 20.0 + 800.0 * math.exp(-3.56 - 0.075 * 2.0) + 0.8 * 3.0),
        ("roof-parallel", 20.0 + 800.0 * math.exp(-2.98 - 0.0471 * 2.0) + 0.8 * 1.0),
        ("wall", 20.0 + 800.0 * 0.9 * (1.0 - 0.2) / 20.0),
    ],
)
def test_cells_are_as_warm_as_their_mounting_makes_them(mounting, temp_cell):
    out = plant_output(
        steady_light(800.0), [35.0], mounting, some_weather(20.0), plant_model(shipped_plant())
    )
    assert out.loss_fractions["temperature"][0] == pytest.approx(0.0035 * (temp_cell - 25.0), 1e-4)


def test_faiman_takes_wind_as_it_is_given():
    """By hand from Faiman 2008: 20 °C + 800 / (25 + 6.84 · 2)."""
    raw = shipped_plant().model_dump()
    raw["temperature"]["rack"] |= {"model": "faiman", "parameters": {"u0": 25.0, "u1": 6.84}}
    model = plant_model(PlantRules.model_validate(raw))
    out = plant_output(steady_light(800.0), [35.0], "rack", some_weather(20.0), model)
    temp_cell = 20.0 + 800.0 / (25.0 + 6.84 * 2.0)
    assert out.loss_fractions["temperature"][0] == pytest.approx(0.0035 * (temp_cell - 25.0), 1e-4)


def test_no_surfaces_have_no_output(plants):
    none = HourlyLight(*(np.zeros((0, 8760), np.float32) for _ in range(6)))
    for model in plants.values():
        out = plant_output(none, np.zeros(0), "rack", some_weather(), model)
        assert out.ac_w_per_kwp.shape == (0, 8760)
        assert out.performance_ratio.shape == (0,)


def test_inverter_cuts_at_its_rating():
    model = plant_model(shipped_plant(dc_ac_ratio=2.0))
    out = plant_output(steady_light(1000.0), [35.0], "rack", some_weather(-10.0), model)
    assert out.ac_w_per_kwp.max() == pytest.approx(500.0, rel=1e-6)
    assert out.loss_fractions["clipping"][0] > 0.4


def test_strings_lose_by_the_blocks_that_the_shadow_touches():
    """Martínez-Moreno 2010: 0.3 of 4 blocks touches 2; direct light keeps 1 − 2 / 5 of the rest."""
    light = steady_light(400.0, sky=100.0, seen=0.7)
    weather, model = some_weather(), plant_model(shipped_plant(method="martinez", total_blocks=4))
    out = plant_output(light, [35.0], "rack", weather, model)
    assert out.loss_fractions["shading_mismatch"][0] == pytest.approx(400.0 * 0.4 / 500.0, 1e-5)
    open_plane = plant_output(steady_light(400.0, 100.0), [35.0], "rack", weather, model)
    assert open_plane.loss_fractions["shading_mismatch"][0] == 0.0
    off = plant_output(light, [35.0], "rack", weather, plant_model(shipped_plant()))
    assert off.loss_fractions["shading_mismatch"][0] == 0.0


def test_snow_takes_its_months_only():
    weather = some_weather()
    snowy = plant_model(shipped_plant(snow=[0.5] + [0.0] * 11))
    months = [
        plant_output(
            steady_light(300.0), [35.0], "rack", weather, model
        ).specific_yield_month_kwh_per_kwp[0]
        for model in (snowy, plant_model(shipped_plant()))
    ]
    assert 0.47 < months[0][0] / months[1][0] < 0.5  # a little more: the inverter likes less load
    np.testing.assert_array_equal(months[0][1:], months[1][1:])


def test_table_of_a_named_module_is_its_one_diode_model():
    module = cec_module(CEC_NAMES[0])
    numbers = pvlib.pvsystem.retrieve_sam("CECMod")[CEC_NAMES[0]].to_dict()
    assert module.power_w == pytest.approx(numbers["STC"], rel=2e-3)
    rng = np.random.default_rng(5)
    light, temp = rng.uniform(5.0, 1300.0, 4000), rng.uniform(-25.0, 95.0, 4000)
    point = cec_point(numbers, light, temp)
    got = module.dc_w_per_kwp(light[None], temp[None])[0]
    np.testing.assert_allclose(got, 1e3 / module.power_w * point["p_mp"], atol=0.5)  # W per kWp
    bright = light > 50.0
    voltage = module.v_mp(light[None], temp[None])[0]
    np.testing.assert_allclose(voltage[bright], point["v_mp"][bright], rtol=2e-3)


def test_diffuse_factors_are_the_integral_over_the_hemisphere():
    """Marion 2017 by brute force: what of isotropic light passes, over sky and over ground."""
    tilt = 35.0
    theta = np.radians(np.arange(0.25, 180.0, 0.5))
    phi = np.radians(np.arange(0.25, 360.0, 0.5))
    theta, phi = np.meshgrid(theta, phi)
    cosine = np.cos(theta) * np.cos(np.radians(tilt)) + np.sin(theta) * np.sin(
        np.radians(tilt)
    ) * np.cos(phi)
    passes = np.interp(
        np.degrees(np.arccos(np.clip(cosine, 0.0, 1.0))),
        np.linspace(0.0, 90.0, 181),
        incidence_table(Glass()),
    )
    weight = np.maximum(cosine, 0.0) * np.sin(theta)
    sky, ground = diffuse_factors(Glass(), np.array([tilt]))
    for factor, there in ((sky, theta < np.pi / 2), (ground, theta > np.pi / 2)):
        expected = (passes * weight)[there].sum() / weight[there].sum()
        assert factor[0] == pytest.approx(expected, abs=3e-3)


def test_glass_lets_less_through_the_more_the_light_slants():
    table = incidence_table(Glass())
    assert table[0] == 1.0
    assert table[-1] == 0.0
    assert np.all(np.diff(table) <= 0.0)
    assert table[120] == pytest.approx(0.9477, abs=2e-3)  # 60°: De Soto 2006, figure 5, about 0.95


def test_without_air_or_wind_there_is_no_yield_and_the_reason_names_what_is_missing(plants):
    weather = dataclasses.replace(some_weather(), wind_speed=None)
    assert missing_weather(weather) == "wind_speed"
    assert missing_weather(some_weather()) == ""
    with pytest.raises(InputError, match="no wind_speed"):
        plant_output(random_light(), np.full(6, 35.0), "rack", weather, plants["PVWatts"])


def test_unknown_mounting_is_refused(plants):
    with pytest.raises(InputError, match="carport"):
        plant_output(steady_light(1.0), [35.0], "carport", some_weather(), plants["PVWatts"])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"module": "Hanwha_QCELLS_Q_PEAK_DUO_G5_325"}, CEC_NAMES[0]),
        ({"module": CEC_NAMES[0], "inverter": "SMA_SB5_0"}, "is not an inverter"),
        ({"inverter": CEC_NAMES[1]}, "has no voltage"),
        ({**KINDS["CEC"], "modules_per_string": 40}, "no string of 40 modules"),
    ],
)
def test_products_that_do_not_exist_or_do_not_fit_are_refused(changes, text):
    with pytest.raises(InputError, match=text):
        plant_model(shipped_plant(**changes))


def test_named_inverter_gets_the_strings_that_come_nearest_to_the_ratio():
    inverter = plant_model(shipped_plant(**KINDS["CEC"], dc_ac_ratio=1.1)).inverter
    assert inverter.dc_ac_ratio == pytest.approx(1.1, abs=0.07)
    fixed = plant_model(shipped_plant(**KINDS["CEC"], modules_per_string=10)).inverter
    assert fixed.modules_per_string == 10


def test_shipped_numbers_are_those_of_their_sources():
    rules = shipped_plant()
    sets = pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS
    assert rules.temperature.rack.parameters == sets["sapm"]["open_rack_glass_polymer"]
    assert rules.temperature.roof_parallel.parameters == sets["sapm"]["close_mount_glass_glass"]
    wall = dict(rules.temperature.wall.parameters)
    assert {key: wall[key] for key in ("u_c", "u_v")} == sets["pvsyst"]["semi_integrated"]
    model = plant_model(rules)
    losses = pvlib.pvsystem.pvwatts_losses(shading=0)
    assert model.constant_factor == pytest.approx(1.0 - losses / 100.0, rel=1e-12)
    assert len(model.constant_losses) == 7


def test_temperature_model_without_its_numbers_is_refused():
    raw = shipped_plant().model_dump()
    raw["temperature"]["rack"]["model"] = "faiman"
    with pytest.raises(ValidationError, match="takes u0, u1"):
        PlantRules.model_validate(raw)
