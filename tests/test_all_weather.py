"""The all-weather sky against Radiance, against itself written down twice, and its laws."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import small_inputs
from all_weather_reference import radiance, sky_light, vectors, year_radiance
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import horizons, minute_sky
from run_folders import write_small_town

from solarkataster import all_weather
from solarkataster.all_weather import (
    COEFFICIENTS,
    N_PATCH,
    N_ROW,
    month_radiance,
    patch_on_flat_sr,
    relative_radiance,
    sky_clearness,
    sky_parameters,
)
from solarkataster.cli import EXIT_INPUT
from solarkataster.config import load_config
from solarkataster.irradiance import light, open_light
from solarkataster.kernels.sky_radiance import add_skies
from solarkataster.receivers import Receivers
from solarkataster.sky import sky_sources
from solarkataster.sky_table import N_STEP, sky_table
from solarkataster.sun import SunPosition

GOLDEN = Path(__file__).parent / "golden"
PLANES = {  # tilt, azimuth
    "level": (0.0, 180.0),
    "35° south": (35.0, 180.0),
    "south wall": (90.0, 180.0),
    "east wall": (90.0, 90.0),
    "west wall": (90.0, 270.0),
    "north wall": (90.0, 0.0),
}


@pytest.fixture(scope="module")
def built(demo_weather):
    """The sources of the demo's year and the CPU seconds that they and their table take."""
    one_sky(100.0, 100.0, 30.0)  # compiles
    start = time.process_time()
    sources = sky_sources(demo_weather, "all-weather")
    sky_table(sources, 0.0)
    return sources, time.process_time() - start


@pytest.fixture(scope="module")
def sources(built):
    return built[0]


@pytest.fixture(scope="module")
def some_hours(demo_weather):
    """The demo's weather with 25 of its bright hours and darkness between."""
    bright = np.flatnonzero(demo_weather.ghi > 50.0)
    keep = np.zeros(8760, dtype=bool)
    keep[np.random.default_rng(1).choice(bright, 25, replace=False)] = True
    lit = {name: getattr(demo_weather, name) * keep for name in ("ghi", "bhi", "dhi")}
    return dataclasses.replace(demo_weather, **lit)


def suns(elevation_deg, azimuth_deg):
    elevation_deg = np.atleast_1d(np.asarray(elevation_deg, dtype=float))
    azimuth_deg = np.broadcast_to(np.asarray(azimuth_deg, dtype=float), elevation_deg.shape)
    extra = np.full(elevation_deg.shape, 1367.0)
    return SunPosition(elevation_deg, azimuth_deg, np.zeros_like(extra), extra)


def one_sky(dhi, dni, elevation_deg, azimuth_deg=180.0):
    """Patches of the sky of one sun in January, as kWh/m²/sr for 1 kWh/m² on the flat."""
    one, month = np.ones(1), np.zeros(1, np.int64)
    return month_radiance(dhi * one, dni * one, suns(elevation_deg, azimuth_deg), month, one)[0]


# Coefficients and shape


def test_the_table_of_coefficients_has_the_checksums_of_the_published_one():
    """Of the table in Radiance's gendaymtx.c, which names paper and erratum; sums by class."""
    sums = [9.5018, 6.7528, 2.9495, -1.0810, -4.7006, 10.8555, 7.6658, 36.5824]
    assert COEFFICIENTS.shape == (8, 5, 4)
    np.testing.assert_allclose(COEFFICIENTS.sum(axis=(1, 2)), sums, atol=1e-9)
    assert COEFFICIENTS[7, 2].tolist() == [31.0625, -14.5, -46.1148, 55.375]


def test_parameters_are_those_of_radiance_in_all_classes_of_clearness():
    """At least 16 skies of each class: more than its 20 coefficients could bend to by chance."""
    golden = pd.read_csv(GOLDEN / "gendaylit.csv", comment="#")
    found = sky_parameters(
        golden["clearness"], golden["brightness"], np.radians(90.0 - golden["elevation_deg"])
    )
    assert len(golden) > 140
    np.testing.assert_allclose(found, golden[list("abcde")], rtol=1e-6, atol=2e-6)


def golden_patches():
    """Suns (3 rows) and patches (145 rows) of the hours of hours.wea, (148, n_hour)."""
    return pd.read_csv(GOLDEN / "gendaymtx.csv", comment="#", header=None).to_numpy()


def radiance_s_hours():
    """Clearness, brightness and sun of the hours of hours.wea, by Radiance's own formulas."""
    rows = np.loadtxt(GOLDEN / "hours.wea", skiprows=6)
    sun = golden_patches()[:3].T
    dni, dhi = rows[:, 3], rows[:, 4]
    day = [pd.Timestamp(2014, int(month), int(day)).day_of_year for month, day in rows[:, :2]]
    angle = (np.array(day) - 1.0) * 2 * np.pi / 365
    eccentricity = 1.00011 + 0.034221 * np.cos(angle) + 0.00128 * np.sin(angle)
    eccentricity += 0.000719 * np.cos(2 * angle) + 0.000077 * np.sin(2 * angle)
    zenith = np.arccos(sun[:, 2])
    airmass = 1 / (sun[:, 2] + 0.15 * (93.885 - np.degrees(zenith)) ** -1.253)  # Kasten 1966
    return dhi, dni, zenith, sun, dhi * airmass / (1367.0 * eccentricity)


def tregenza_patches():
    """Unit vectors (145, 3) and solid angles of the patches of gendaymtx -m 1."""
    step, middles, solid = 12.0, [], []
    for row, n in enumerate((30, 30, 24, 24, 18, 12, 6)):
        low, high = np.radians(row * step), np.radians((row + 1) * step)
        for j in range(n):
            middles.append(((row + 0.5) * step, 360.0 * j / n))
            solid.append(2 * np.pi * (np.sin(high) - np.sin(low)) / n)
    middles.append((90.0, 0.0))
    solid.append(2 * np.pi * (1 - np.cos(np.radians(step / 2))))
    return vectors(*np.array(middles).T), np.array(solid)


def test_radiance_by_direction_is_that_of_gendaymtx():
    golden = golden_patches()[3:]
    dhi, dni, zenith, sun, brightness = radiance_s_hours()
    clearness = sky_clearness(dhi, dni, zenith)
    # The hours were chosen to lie in every class.
    assert len(set(np.searchsorted(all_weather.CLEARNESS_BORDERS, clearness))) == 8
    parameters = sky_parameters(clearness, brightness, zenith)
    towards, solid = tregenza_patches()
    for hour in range(len(dhi)):
        angle = np.arccos(np.clip(towards @ sun[hour], -1.0, 1.0))
        found = np.array(
            [
                relative_radiance(parameters[hour], up, gamma)
                for up, gamma in zip(towards[:, 2], angle, strict=True)
            ]
        )
        found *= dhi[hour] / (found * towards[:, 2] * solid).sum()
        np.testing.assert_allclose(found, golden[:, hour], rtol=1e-4, err_msg=str(hour))


@given(
    clearness=st.floats(1.0, 12.0),
    brightness=st.floats(0.0, 0.8),
    sun_deg=st.tuples(st.floats(0.1, 86.0), st.floats(0.0, 360.0)),
    seen_deg=st.tuples(st.floats(0.0, 90.0), st.floats(0.0, 360.0)),
)
@settings(deadline=None, max_examples=200)
def test_radiance_is_the_published_formula(clearness, brightness, sun_deg, seen_deg):
    zenith = np.radians(90.0 - sun_deg[0])
    parameters = sky_parameters([clearness], [brightness], [zenith])[0]
    sun, towards = vectors(*sun_deg), vectors(*seen_deg)
    angle = np.arccos(np.clip(sun @ towards, -1.0, 1.0))
    found = relative_radiance(parameters, towards[2], angle)
    assert found >= 0.0
    expected = radiance(*parameters, tuple(sun), tuple(towards))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_the_patches_of_a_sky_are_the_formula_at_their_middle():
    dhi, dni, elevation_deg = 120.0, 500.0, 40.0
    sky = one_sky(dhi, dni, elevation_deg, 200.0)
    zenith = np.radians(90.0 - elevation_deg)
    airmass = 1.5535  # Kasten and Young 1989 at 50° of zenith angle
    parameters = sky_parameters(
        sky_clearness(np.array([dhi]), np.array([dni]), np.array([zenith])),
        [dhi * airmass / 1367.0], [zenith],
    )[0]  # fmt: skip
    q = (np.arange(N_ROW) + 0.5) / N_ROW
    middle = np.degrees(np.arctan2(q, 1 - q))
    towards = vectors(middle[:, None], (np.arange(N_PATCH) + 0.5) * 360 / N_PATCH)
    sun = tuple(vectors(elevation_deg, 200.0))
    found = np.array([[radiance(*parameters, sun, tuple(v)) for v in row] for row in towards])
    found /= (found * patch_on_flat_sr()[:, None]).sum()
    np.testing.assert_allclose(sky, found, rtol=5e-4)  # 2e-4 of it is the table of chords


@pytest.mark.parametrize(
    ("elevation_deg", "dhi"), [(15.0, 60.0), (30.0, 100.0), (45.0, 150.0), (60.0, 100.0)]
)
def test_an_overcast_sky_lies_between_the_cie_overcast_and_an_even_one(elevation_deg, dhi, figure):
    """CIE overcast (Moon and Spencer 1942): (1 + 2 sin elevation) / 3 of the zenith, a wall gets
    0.396 of a level plane's light. The class of ε < 1.065 is brighter along the horizon."""
    sky = one_sky(dhi, 0.0, elevation_deg)
    q = np.arange(N_ROW + 1) / N_ROW
    borders, middle = np.arctan2(q, 1 - q), np.arctan2(q[1:] + q[:-1], 2 - q[1:] - q[:-1])
    by_height = sky.mean(axis=1) / sky[-1].mean()
    cie = (1 + 2 * np.sin(middle)) / 3
    assert (np.diff(by_height) > -1e-3).all()
    assert (by_height > cie - 0.01).all()
    assert np.abs(by_height - cie)[middle > np.pi / 4].max() < 0.16
    on_wall = 2 * np.diff(borders / 2 + np.sin(2 * borders) / 4)
    wall_fraction = (sky.mean(axis=1) * on_wall).sum()
    figure(
        f"overcast sky, sun at {elevation_deg:g}°, dhi {dhi:g} W/m²",
        f"horizon {by_height[0]:.2f} of the zenith (CIE 0.34), "
        f"wall {wall_fraction:.3f} of level (CIE 0.396, even 0.5)",
    )
    assert 0.396 < wall_fraction < 0.5


# Laws


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 30))
@settings(deadline=None, max_examples=30)
def test_a_level_plane_gets_exactly_the_diffuse_light(seed, n):
    rng = np.random.default_rng(seed)
    dhi, dni = rng.uniform(0.001, 600.0, n), rng.uniform(0.0, 1300.0, n) * (rng.random(n) < 0.7)
    sun = suns(rng.uniform(0.01, 90.0, n), rng.uniform(0.0, 360.0, n))
    month, kwh = rng.integers(0, 12, n), rng.uniform(0.0, 0.05, n)
    sky = month_radiance(dhi, dni, sun, month, kwh)
    assert (sky >= 0.0).all()
    flat = (sky * patch_on_flat_sr()[:, None]).sum(axis=(1, 2))
    np.testing.assert_allclose(flat, np.bincount(month, kwh, 12), rtol=1e-9, atol=1e-15)


def test_a_sky_without_any_radiance_becomes_an_even_one():
    out = np.zeros((12, 4, 6))
    dark = np.array([[-3.0, 0.0, 1.0, -1.0, 0.0]])  # 1 - 3 is under 0 everywhere
    one = np.ones(1)
    add_skies(
        one, np.zeros(1, np.int64), 0.5 * one, one, dark, np.linspace(0.1, 0.9, 4), np.ones(4), 6,
        out,
    )  # fmt: skip
    np.testing.assert_allclose(out[0], 1.0 / 24.0)


def test_a_sky_is_the_same_left_and_right_of_the_sun():
    sky = one_sky(150.0, 500.0, 35.0, 0.0)  # the sun on the border of the first and last patch
    np.testing.assert_allclose(sky, sky[:, ::-1], rtol=1e-9)
    turned = one_sky(150.0, 500.0, 35.0, 123.0)
    np.testing.assert_allclose(turned, np.roll(sky, 123 * N_PATCH // 360, axis=1), rtol=1e-9)


def test_planes_left_and_right_of_the_sun_get_the_same_whatever_grid_north(demo_weather):
    noon = np.zeros(8760)
    noon[172 * 24 + 9] = 200.0
    one_hour = dataclasses.replace(demo_weather, dhi=noon, bhi=1.5 * noon, ghi=2.5 * noon)
    sources = sky_sources(one_hour, "all-weather", step_minutes=60)
    (sun_deg,) = sources.solar_azimuth_deg
    for convergence_deg in (0.0, -1.5, 47.3):
        table = sky_table(sources, convergence_deg)
        aside = np.array([20.0, 75.0, 90.0, 140.0])
        tilt = np.array([60.0, 90.0, 35.0, 90.0])
        left, right = (
            open_light(table, tilt, (sun_deg - convergence_deg + sign * aside) % 360.0, 0.0)
            for sign in (-1, 1)
        )
        np.testing.assert_allclose(
            left.poa_sky_diffuse_year_kwh_m2, right.poa_sky_diffuse_year_kwh_m2, rtol=2e-3
        )


def test_the_direct_light_is_that_of_the_other_models(demo_weather, sources):
    perez = sky_sources(demo_weather, "perez")
    np.testing.assert_array_equal(sources.beam_kwh_m2, perez.beam_kwh_m2)
    assert not sources.circumsolar_kwh_m2.any()
    assert not sources.band_kwh_m2.any()
    tilt, azimuth = np.array(list(PLANES.values())).T
    ours, theirs = (open_light(sky_table(s, 0.0), tilt, azimuth) for s in (sources, perez))
    np.testing.assert_array_equal(ours.poa_direct_year_kwh_m2, theirs.poa_direct_year_kwh_m2)
    np.testing.assert_array_equal(ours.sky_view_factor, theirs.sky_view_factor)


# The table


def test_rows_of_the_lattice_end_on_steps_of_the_table():
    assert N_STEP % N_ROW == 0


def test_a_level_plane_gets_the_files_global_light_and_tilted_ones_are_near_perez(
    demo_weather, sources, figure
):
    """9 % on an open south wall is the most that was seen against ray tracing (design)."""
    tilt, azimuth = np.array(list(PLANES.values())).T
    perez = open_light(sky_table(sky_sources(demo_weather, "perez"), 0.0), tilt, azimuth)
    ours = open_light(sky_table(sources, 0.0), tilt, azimuth)
    np.testing.assert_allclose(
        ours.poa_global_month_kwh_m2[0], sources.ghi_kwh_m2, rtol=2e-5
    )  # single precision
    assert abs(sources.report["flat_error_fraction"]) < 1e-9
    for name in ("poa_global_year_kwh_m2", "poa_sky_diffuse_year_kwh_m2"):
        more = 100.0 * (getattr(ours, name) / getattr(perez, name) - 1.0)
        told = ", ".join(f"{p} {v:+.1f} %" for p, v in zip(PLANES, more, strict=True))
        figure(f"all-weather against perez, demo weather, {name}", told)
        assert abs(more[0]) < 0.1
        assert np.abs(more).max() < (5.0 if "global" in name else 10.0)


def skyline_scene():
    """A random heap of blocks, and places between them with planes of many kinds."""
    rng = np.random.default_rng(3)
    heap_m = np.zeros((41, 41))
    for _ in range(60):
        row, col = rng.integers(0, 37, 2)
        rows, cols = rng.integers(1, 6, 2)
        heap_m[row : row + rows, col : col + cols] = rng.uniform(0.0, 14.0)
    tilt = np.array([0, 15, 35, 60, 90, 90, 90, 90, 35, 35, 35, 75], dtype=float)
    azimuth = np.array([0, 180, 180, 180, 180, 90, 270, 0, 90, 270, 0, 225], dtype=float)
    # In the middle, where every obstacle lies in the exact near field of the skyline.
    row, col = np.nonzero(heap_m[13:28, 13:28] == 0.0)
    some = rng.choice(len(row), 36, replace=False)
    at = row[some] + 13.0, col[some] + 13.0
    planes = np.tile(tilt, 3), np.tile(azimuth, 3)
    return heap_m, Receivers(*at, np.full(36, 0.5), np.arange(36), *planes)


def test_planes_under_any_skyline_agree_with_brute_force(some_hours, figure):
    convergence_deg = 1.7
    heap_m, receivers = skyline_scene()
    sky = sky_table(sky_sources(some_hours, "all-weather"), convergence_deg)
    found = light(heap_m, 1.0, receivers, sky, albedo=0.0).poa_sky_diffuse_year_kwh_m2
    steps, twilight, _ = minute_sky(some_hours, convergence_deg, 5)
    assert not twilight.any()
    skylines = horizons(heap_m, 1.0, receivers, sky.azimuths_deg)
    assert skylines.mean() > 30.0
    expected = sky_light(
        year_radiance(steps), skylines, receivers.surface_tilt, receivers.grid_azimuth
    )
    error = found / expected - 1.0
    figure(
        "all-weather table against brute force, 36 planes",
        f"RMS {100 * np.sqrt((error**2).mean()):.3f} %, worst {100 * np.abs(error).max():.3f} %",
    )
    assert np.abs(error).max() < 0.001


def test_the_table_of_a_year_takes_a_few_seconds(built, figure):
    figure("all-weather sky table of a year", f"{built[1]:.1f} CPU s")
    assert built[1] < 10.0


# What a user types


def test_a_run_takes_the_sky_and_records_it(type_in, tmp_path):
    town, out = write_small_town(tmp_path, tile_m=200.0, yields=False), tmp_path / "run"
    code, _, err = type_in("run", town, "--out", out, "--workers", 1, "--sky", "all-weather")
    assert code == 0, err
    told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert told["config"]["irradiation"]["sky"] == "all-weather"
    assert abs(told["weather"]["light"]["flat_error_fraction"]) < 1e-6


def test_the_sky_changes_the_light_of_slopes(type_in, tmp_path):
    small_inputs.write_inputs(tmp_path)
    year = {}
    for sky in ("perez", "all-weather"):
        out = tmp_path / f"{sky}.tif"
        options = ["--weather", tmp_path / "weather.dat", "--azimuths", 8, "--out", out]
        code, _, err = type_in("irradiation", tmp_path / "dsm.tif", *options, "--sky", sky)
        assert code == 0, err
        with rasterio.open(out) as raster:
            year[sky] = raster.read(1).astype(float)
    more = year["all-weather"] / year["perez"] - 1.0
    assert np.abs(more).max() > 0.01
    assert abs(np.nanmean(more)) < 0.05


def test_the_config_takes_the_sky(tmp_path):
    small_inputs.write_inputs(tmp_path)
    path = small_inputs.write_config(tmp_path, '[irradiation]\nsky = "all-weather"')
    assert load_config(path).irradiation.sky == "all-weather"


@pytest.mark.parametrize("command", ["run", "irradiation", "sensors"])
def test_an_unknown_sky_is_refused_and_the_known_ones_named(type_in, tmp_path, command):
    files = ["--weather", "x.dat", "--out", tmp_path / "out", "--points", "p.csv"]
    given = {"run": [], "irradiation": files[:4], "sensors": files}[command]
    what = small_inputs.write_inputs(tmp_path) if command == "run" else "dsm.tif"
    code, _, err = type_in(command, what, *given, "--sky", "all_weather")
    assert code == EXIT_INPUT
    assert "perez, perez-driesse, all-weather" in err
