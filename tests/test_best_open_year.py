"""The best open plane of a site, against every degree and against pvlib."""

from __future__ import annotations

import numpy as np
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import minute_sky

from solarkataster.irradiance import best_open_year_kwh_m2, open_light
from solarkataster.sky_table import sky_table

ALBEDO = 0.2


def years(sky, tilts, azimuths, albedo=ALBEDO):
    """Of every pair of a tilt and an azimuth, (n_azimuth, n_tilt). [kWh/m²]"""
    tilt, azimuth = np.meshgrid(tilts, azimuths)
    light = open_light(sky, tilt.ravel(), azimuth.ravel() % 360.0, albedo)
    return light.poa_global_year_kwh_m2.reshape(tilt.shape)


@pytest.mark.parametrize("albedo", [0.0, 0.2, 0.9])
def test_no_plane_of_whole_degrees_gets_more(sky, albedo):
    every = years(sky, np.arange(0.0, 61.0), np.arange(0.0, 360.0), albedo)
    best = best_open_year_kwh_m2(sky, albedo)
    # Azimuths are tried to 2°: one aside of the optimum takes cos 1° of the level part, 1e-4.
    assert every.max() * (1 - 1e-4) <= best <= every.max() * (1 + 1e-3)
    assert 1.05 * every[0, 0] < best  # far above the level plane, the first of all


@given(st.floats(0, 60), st.floats(0, 359.9))
@settings(deadline=None, max_examples=50)
def test_no_plane_between_gets_noticeably_more(sky, tilt, azimuth):
    got = open_light(sky, tilt, azimuth, ALBEDO).poa_global_year_kwh_m2[0]
    assert got <= best_open_year_kwh_m2(sky, ALBEDO) * (1 + 2e-4)


@pytest.mark.parametrize("convergence_deg", [-1.5, 1.9])
def test_turning_the_grid_turns_the_best_plane_and_leaves_its_light(sources, sky, convergence_deg):
    turned = sky_table(sources, convergence_deg)
    assert best_open_year_kwh_m2(turned) == pytest.approx(best_open_year_kwh_m2(sky), rel=5e-4)


def test_the_best_open_plane_is_that_of_pvlib(demo_weather, sky, figure):
    frame, twilight, _ = minute_sky(demo_weather, 0.0, step_minutes=15)
    zenith = 90.0 - frame["elevation"].to_numpy()
    dni, dhi = frame["dni"].to_numpy(), frame["dhi"].to_numpy()
    ghi = dni * np.cos(np.radians(zenith)) + dhi
    azimuth = frame["grid_azimuth"].to_numpy()  # true: convergence 0
    air_mass = pvlib.atmosphere.get_relative_airmass(zenith)

    def year(tilt, facing):
        total = pvlib.irradiance.get_total_irradiance(
            tilt, facing, zenith, azimuth, dni, ghi, dhi,
            dni_extra=frame["extra"].to_numpy(), airmass=air_mass, albedo=ALBEDO, model="perez",
        )["poa_global"]  # fmt: skip
        sky_share = (1.0 + np.cos(np.radians(tilt))) / 2.0  # twilight: an even sky
        return np.nansum(total) * frame["hours"].iloc[0] / 1000.0 + twilight.sum() * (
            sky_share + ALBEDO * (1.0 - sky_share)
        )

    tilts, facings = np.arange(20.0, 53.0, 4.0), np.arange(135.0, 226.0, 10.0)
    for step in (4.0, 1.0):
        every = np.array([[year(tilt, facing) for tilt in tilts] for facing in facings])
        j, i = np.unravel_index(every.argmax(), every.shape)
        assert 0 < i < len(tilts) - 1, "the best plane lies at the edge of the search"
        best_tilt, best_facing = tilts[i], facings[j]
        tilts = best_tilt + np.arange(-step, step + 0.5)
        facings = best_facing + np.arange(-step, step + 0.5, 2.0)
    best = best_open_year_kwh_m2(sky, ALBEDO)
    figure(
        "best open plane against pvlib",
        f"{best:.1f} against {every.max():.1f} kWh/m² at {best_tilt:g}° to {best_facing:g}°, "
        f"{100 * (best / every.max() - 1):+.2f} %",
    )
    # 72 sectors and 15 minutes: 0.3 % RMSE on roofs against 720 sectors and 1 minute.
    assert best == pytest.approx(every.max(), rel=0.003)
