"""Balcony plants: against pvlib's ModelChain, their inverter, their facings, their classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from open_light import recorded_light
from plant_chain import chain_year_kwh, shipped_plant

from solarkataster.config import load_config
from solarkataster.demo import make_town
from solarkataster.io.rules import load_rules
from solarkataster.pv.balcony import BalconyPlants, balcony_columns, balcony_planes, balcony_plants
from solarkataster.pv.incidence import Glass, diffuse_factors
from solarkataster.pv.inverter_power import PvwattsInverter
from solarkataster.pv.plant import plant_model
from solarkataster.stages.yield_basis import yield_basis

TILTS = (90.0, 70.0)
DC_POWER_W = 880.0


@pytest.fixture(scope="module")
def light(demo_weather):
    return recorded_light(demo_weather, list(zip(*balcony_planes(TILTS), strict=True)))


@pytest.fixture(scope="module")
def made(demo_weather, light):
    """Plants with an inverter of so many watts, and what else is changed."""

    def make(inverter_w: float = 800.0, weather=demo_weather, **rules) -> BalconyPlants:
        model = plant_model(shipped_plant(**rules))
        inverter = PvwattsInverter(0.96, DC_POWER_W / inverter_w)
        return balcony_plants(
            light, TILTS, weather, model, dc_power_w=DC_POWER_W, inverter=inverter
        )

    return make


@pytest.mark.parametrize(("tilt", "azimuth"), [(0, 180.0), (1, 180.0), (1, 90.0)])
def test_a_balcony_plant_yields_what_pvlibs_model_chain_says(
    demo_weather, light, made, tilt, azimuth
):
    """880 W of modules at 800 W are a ratio of 1.1, as of the chain's plant."""
    at = list(zip(*balcony_planes(TILTS), strict=True)).index((TILTS[tilt], azimuth))
    open_year_kwh_m2 = light.poa_global[at].sum(dtype=np.float64) / 1000.0
    found = made().yield_kwh(tilt, [open_year_kwh_m2], [azimuth])[0]
    model = plant_model(shipped_plant())
    expected = DC_POWER_W / 1000.0 * chain_year_kwh(demo_weather, TILTS[tilt], azimuth, model)
    assert found == pytest.approx(expected, rel=0.006)  # its sun stands still for an hour


def test_the_inverter_of_the_plant_cuts_it_off_whatever_the_roofs_have(made):
    small, large = made(300.0), made(800.0)
    south = 6
    assert small.azimuths_deg[south] == 180.0
    assert (small.kwh_per_kwh_m2[:, south] < 0.9 * large.kwh_per_kwh_m2[:, south]).all()
    oversized = made(800.0, dc_ac_ratio=2.0)
    np.testing.assert_array_equal(oversized.kwh_per_kwh_m2, large.kwh_per_kwh_m2)


def test_rules_of_the_plant_are_those_of_balconies_too(demo_weather, made):
    shipped = made().kwh_per_kwh_m2
    glass = made(diffuse="marion").kwh_per_kwh_m2 / shipped
    passed = diffuse_factors(Glass(), np.array(TILTS))
    # Walls to the north get little else than diffuse light; inverters like a low load less.
    assert (glass < 0.98).all()
    assert (glass > np.min(passed) - 0.01).all()
    assert (glass[:, 0] < glass[:, 6] - 0.02).all()
    assert demo_weather.temp_air is not None
    hot = replace(demo_weather, temp_air=demo_weather.temp_air + 20.0)
    # 0.35 % per degree.
    np.testing.assert_allclose(made(weather=hot).kwh_per_kwh_m2 / shipped, 0.93, atol=0.015)


def test_a_run_takes_modules_inverter_and_tilt_from_its_config_and_the_rest_from_its_rules(
    tmp_path, demo_weather
):
    config, book = load_config(make_town().write(tmp_path)), load_rules()

    def south(walls=(), losses=()) -> np.ndarray:
        """Upright and tilted."""
        plant = book.plant
        plant = plant.model_copy(update={"losses": plant.losses.model_copy(update=dict(losses))})
        basis = yield_basis(
            config.model_copy(update={"walls": config.walls.model_copy(update=dict(walls))}),
            book.model_copy(update={"plant": plant}),
            demo_weather,
            2.0,
        )
        return basis.balcony_plants.kwh_per_kwh_m2[:, 6]

    as_shipped = south()
    # 0.88 / 0.98, and the inverter is a little worse at lower load.
    np.testing.assert_allclose(south(losses={"soiling": 0.12}) / as_shipped, 0.898, atol=0.005)
    four = {"balcony_modules": 4, "balcony_inverter_w": 1600.0}
    np.testing.assert_allclose(south(four) / as_shipped, 2.0, rtol=1e-9)
    assert (south({"balcony_inverter_w": 400.0}) < 0.95 * as_shipped).all()
    upright = south({"balcony_tilt_deg": 89.9})
    assert upright[1] == pytest.approx(upright[0], rel=1e-3)
    assert upright[0] == as_shipped[0] < as_shipped[1] * 0.995


def test_between_facings_the_yield_per_light_is_straight_and_goes_around(made):
    plants = made()
    ends = plants.yield_kwh(0, [500.0, 500.0], [180.0, 210.0])
    assert plants.yield_kwh(0, [500.0], [195.0])[0] == pytest.approx(ends.mean())
    ends = plants.yield_kwh(1, [500.0, 500.0], [330.0, 0.0])
    assert plants.yield_kwh(1, [500.0], [345.0])[0] == pytest.approx(ends.mean())
    steps = np.diff(plants.kwh_per_kwh_m2, axis=1) / plants.kwh_per_kwh_m2[:, 1:]
    assert np.abs(steps).max() < 0.01


def test_a_storey_has_the_class_of_the_better_plant_and_none_without_light():
    """One kWh per kWh/m², so that light is yield."""
    plants = BalconyPlants(TILTS, np.array([0.0, 180.0]), np.ones((2, 2)))
    storeys = pd.DataFrame(
        {
            "surface_azimuth": [180.0, 90.0, 0.0, 10.0, 20.0],
            "poa_global_year_kwh_m2": [249.0, 390.0, 300.0, np.nan, 550.0],
            "balcony_tilted_poa_year_kwh_m2": [240.0, 400.0, np.nan, np.nan, 600.0],
        },
        index=[3, 1, 2, 5, 4],
    )
    found = balcony_columns(storeys, plants, (250.0, 400.0, 550.0))
    assert found["balcony_class"].tolist() == ["gering", "gut", "mittel", "", "sehr gut"]
    assert found["balcony_upright_kwh"].tolist()[:3] == [249.0, 390.0, 300.0]
    assert found.index.tolist() == [3, 1, 2, 5, 4]
    unknown = balcony_columns(storeys, None, (250.0, 400.0, 550.0))
    assert unknown[["balcony_upright_kwh", "balcony_tilted_kwh"]].isna().all(axis=None)
    assert (unknown["balcony_class"] == "").all()
