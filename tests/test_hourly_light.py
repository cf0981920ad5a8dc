"""Hourly light: open planes against pvlib, towns against the light table, laws."""

import dataclasses

import numpy as np
import pvlib
import pytest
from open_light import open_light as pvlib_light
from test_canopy_light import CLEAR, OPAQUE, TREES, crowns, town

from solarkataster.all_weather import patch_sr
from solarkataster.canopy import Transmissivity
from solarkataster.errors import InputError
from solarkataster.hourly_light import (
    HourlyLight,
    SunPath,
    hourly_light,
    joined_units,
    month_sums_kwh_m2,
    scaled_to,
)
from solarkataster.hourly_sky import N_HOUR_PATCH, PATCH_ROWS, hourly_sky
from solarkataster.irradiance import light
from solarkataster.potential import plane_means
from solarkataster.receivers import Receivers
from solarkataster.sky import sky_sources
from solarkataster.sky_table import N_STEP, sky_table
from solarkataster.visibility import EDGE_STEP, SkyRecorder, open_record

CELL_M = 0.5
N_SURFACE = 16


@pytest.fixture(scope="module")
def hours(demo_weather):
    return hourly_sky(demo_weather)


@pytest.fixture(scope="module")
def suns(hours):
    return SunPath(hours, 72, 0.0)


@pytest.fixture(scope="module")
def skies(demo_weather, sources, hours):
    """
    Table and suns by sky model, turned by 1.9°. All-weather skies are slow to make: every fourth
    day of the year has light.
    """
    keep = np.arange(8760) // 24 % 4 == 1
    lit = {name: getattr(demo_weather, name) * keep for name in ("ghi", "bhi", "dhi")}
    some_days = dataclasses.replace(demo_weather, **lit)
    made = {
        "perez": (sources, hours),
        "all-weather": (
            sky_sources(some_days, "all-weather"), hourly_sky(some_days, "all-weather")
        ),
    }  # fmt: skip
    return {
        model: (sky_table(one, 1.9), SunPath(series, 72, 1.9), some_days)
        for model, (one, series) in made.items()
    }


def ground_of(sky, tilt, albedo=0.2):
    """Light of open ground by month. [kWh/m²]"""
    return albedo * np.outer((1 - np.cos(np.radians(tilt))) / 2, sky.ghi_kwh_m2)


# open planes


def test_an_open_plane_gets_what_pvlib_has_hour_by_hour(demo_weather, sky, suns):
    planes = [(0, 180), (35, 180), (10, 90), (60, 270), (90, 180), (90, 30)]
    expected = pvlib_light(demo_weather, planes)
    tilt, azimuth = np.array(planes, dtype=float).T
    angle = np.linspace(0.0, 90.0, 181)
    found = hourly_light(
        suns, open_record(tilt, azimuth), ground_of(sky, tilt), iam=pvlib.iam.physical(angle)
    )
    for name in ("poa_direct", "poa_circumsolar", "poa_sky", "poa_ground", "beam_taken"):
        a, b = getattr(found, name), getattr(expected, name)
        # An hour's sky may differ where the sun is low: the sky table holds light from behind off.
        assert np.abs(a - b).max() < 2.0, name
        year, scale = (a.sum(axis=1) - b.sum(axis=1)) / 1000, expected.poa_global.sum(axis=1) / 1000
        assert np.abs(year / scale).max() < 0.002, name
    assert (found.beam_visible == 1.0).all()


def test_hours_sum_up_to_the_months_of_the_sky_table(demo_weather, sources, hours):
    by_month = np.bincount(hours.month, hours.dome, 12) / 1000
    np.testing.assert_allclose(by_month, sources.dome_kwh_m2, rtol=1e-12)
    band = np.bincount(hours.month, hours.band, 12) / 1000
    np.testing.assert_allclose(band, sources.band_kwh_m2, rtol=1e-9)
    np.testing.assert_allclose(hours.beam / 1000, sources.beam_kwh_m2, rtol=1e-12)
    np.testing.assert_allclose(hours.circumsolar / 1000, sources.circumsolar_kwh_m2, rtol=1e-12)
    np.testing.assert_array_equal(hours.month[hours.step_hour], sources.month)
    assert hours.n_hour == 8760
    assert (np.diff(hours.step_hour) >= 0).all()


@pytest.mark.parametrize("model", ["perez", "all-weather"])
def test_turning_the_grid_turns_no_light(skies, model):
    sky = skies[model][1].sky
    of_true = np.array([0.0, 100.0, 200.0, 290.0])
    tilt = np.array([90.0, 35.0, 90.0, 20.0])
    found = [
        hourly_light(
            SunPath(sky, 72, turn), open_record(tilt, of_true - turn, 72, turn), np.zeros((4, 12))
        )
        for turn in (0.0, 30.0)
    ]
    for name in ("poa_direct", "poa_circumsolar", "poa_sky"):
        a, b = (getattr(one, name) for one in found)
        np.testing.assert_allclose(a, b, atol=0.5, err_msg=name)


def test_the_glass_is_asked_at_the_angle_of_each_step(suns):
    aoi_deg = np.linspace(0.0, 90.0, 361)
    got = hourly_light(
        suns, open_record([35.0], [180.0]), np.zeros((1, 12)), iam=np.cos(np.radians(aoi_deg))
    )
    sky = suns.sky
    elevation, azimuth = np.radians(sky.solar_elevation_deg), np.radians(sky.solar_azimuth_deg)
    slope = np.radians(35.0)
    cosine = np.sin(elevation) * np.cos(slope) - np.cos(elevation) * np.sin(slope) * np.cos(azimuth)
    expected = (sky.beam + sky.circumsolar) * np.maximum(cosine, 0.0) ** 2
    np.testing.assert_allclose(
        got.beam_taken[0], np.bincount(sky.step_hour, expected, 8760), rtol=5e-4, atol=0.02
    )


@pytest.mark.parametrize("model", ["perez", "all-weather"])
def test_light_of_an_hour_without_sun_comes_from_the_even_sky(demo_weather, model):
    dhi = np.zeros(8760)
    dhi[1000] = 8.0  # 11 February, 16:00 to 17:00, gets sun
    dhi[3] = 6.0  # the middle of the night
    dark = dataclasses.replace(demo_weather, ghi=dhi, dhi=dhi, bhi=np.zeros(8760))
    suns = SunPath(hourly_sky(dark, model), 72, 0.0)
    got = hourly_light(suns, open_record([0.0, 90.0], [0.0, 0.0]), np.zeros((2, 12)))
    np.testing.assert_allclose(got.poa_sky[:, 3], [6.0, 3.0], rtol=0.001)
    assert got.poa_global[0, 1000] == pytest.approx(8.0, rel=0.02)
    assert got.poa_global.sum() == pytest.approx(got.poa_global[:, [3, 1000]].sum())


# what is built around


@pytest.fixture(scope="module")
def points():
    """Points on a town's roofs and walls: 8 tilted planes 0.3 m up, 8 walls, 40 points each."""
    rng = np.random.default_rng(4)
    solid_m = town()
    n = 40 * N_SURFACE
    surface = np.repeat(np.arange(N_SURFACE), 40)
    centre = rng.uniform(25, 95, (2, N_SURFACE))[:, surface]
    row, col = centre + rng.uniform(-8, 8, (2, n))
    at = np.floor(row + 0.5).astype(int), np.floor(col + 0.5).astype(int)
    over_m = np.where(surface < 8, 0.3, rng.uniform(0.5, 6.0, n))
    tilt = np.where(np.arange(N_SURFACE) < 8, rng.uniform(0, 60, N_SURFACE), 90.0)
    top = np.where((surface >= 8) & (surface < 12), rng.uniform(0.8, 9.0, n), np.inf)
    return solid_m, Receivers(
        row, col, solid_m[at] + over_m, surface, tilt, rng.uniform(0, 360, N_SURFACE),
        top_tangent=top,
    )  # fmt: skip


def both(points, table, suns, canopy=None, transmissivity=None):
    """Light of surfaces from the table, and hour by hour."""
    solid_m, receivers = points
    recorder = SkyRecorder(receivers, len(table.azimuths_deg), table.convergence_deg)
    seen = light(
        solid_m, CELL_M, receivers, table, recorder=recorder, canopy=canopy,
        transmissivity=transmissivity,
    )  # fmt: skip
    ground = plane_means(
        seen.poa_ground_diffuse_month_kwh_m2.astype(float), receivers.surface, N_SURFACE
    )
    got = hourly_light(suns, recorder.record(), ground, transmissivity=transmissivity)
    return seen, got, receivers.surface


def off_by(seen, got, surface, month):
    """Parts of the year and worst month against the table, by the year's light. {name: (n,)}"""
    year = plane_means(seen.poa_global_year_kwh_m2, surface, N_SURFACE)
    parts = {
        "direct": (got.poa_direct, seen.poa_direct_year_kwh_m2),
        "sky": (got.poa_sky + got.poa_circumsolar, seen.poa_sky_diffuse_year_kwh_m2),
        "ground": (got.poa_ground, seen.poa_ground_diffuse_year_kwh_m2),
        "global": (got.poa_global, seen.poa_global_year_kwh_m2),
    }
    off = {
        name: np.abs(
            hourly.sum(axis=1, dtype=float) / 1000 - plane_means(total, surface, N_SURFACE)
        )
        / year
        for name, (hourly, total) in parts.items()
    }
    months = month_sums_kwh_m2(got.poa_global, month)
    of_table = plane_means(seen.poa_global_month_kwh_m2, surface, N_SURFACE)
    return off | {"months": np.abs(months - of_table).max(axis=1) / year}


# Limits asked of hourly yield: roofs 0.5 %, walls 1.5 % per component.
@pytest.mark.parametrize("has_crowns", [False, True])
@pytest.mark.parametrize("model", ["perez", "all-weather"])
def test_hours_agree_with_the_light_table_part_by_part(skies, points, model, has_crowns, figure):
    table, suns, _ = skies[model]
    canopy = crowns(points[0], base_m=4.0) if has_crowns else None
    seen, got, surface = both(points, table, suns, canopy)
    if has_crowns:
        bare = both(points, table, suns)[0].poa_global_year_kwh_m2.sum()
        assert seen.poa_global_year_kwh_m2.sum() < 0.95 * bare
    off = off_by(seen, got, surface, suns.sky.month)
    for kind, which, limit in (("roofs", slice(0, 8), 0.005), ("walls", slice(8, None), 0.015)):
        told = ", ".join(f"{name} {values[which].max():.3%}" for name, values in off.items())
        figure(f"hours against the table, {model}, crowns {has_crowns}, {kind}, worst", told)
        for name, values in off.items():
            assert values[which].max() < limit, (kind, name)


def test_clear_crowns_are_none_and_opaque_ones_are_solid(sky, suns, points):
    solid_m, receivers = points
    canopy = crowns(solid_m)
    bare = both(points, sky, suns)[1].poa_global
    clear = both(points, sky, suns, canopy, CLEAR)[1].poa_global
    np.testing.assert_allclose(clear, bare, atol=0.5)
    dark = both(points, sky, suns, canopy, OPAQUE)[1]
    as_built_m = np.where(canopy.is_crown, canopy.top_m, solid_m)
    # Heights are linear between cells: beside a crown, and for points in it, the two differ.
    outside = ~canopy.is_crown[
        np.floor(receivers.row + 0.5).astype(int), np.floor(receivers.col + 0.5).astype(int)
    ]
    free = np.bincount(receivers.surface, ~outside, N_SURFACE) == 0
    built = both((as_built_m, receivers), sky, suns)[1]
    assert free.sum() >= 3
    for name in ("poa_direct", "poa_circumsolar", "poa_sky"):
        a, b = (getattr(one, name)[free].sum(axis=1) / 1000 for one in (dark, built))
        assert np.abs(a - b).max() < 5.0, name


def test_bare_trees_let_more_winter_light_through(sky, suns, points):
    leafless = Transmissivity((0.6,) * 3 + (0.1,) * 7 + (0.6,) * 2)
    canopy = crowns(points[0], [tree for tree in TREES if tree[4] == 1])
    evergreen = Transmissivity((0.1,) * 12)
    seasonal, dense = (
        month_sums_kwh_m2(both(points, sky, suns, canopy, one)[1].poa_direct, suns.sky.month)
        for one in (leafless, evergreen)
    )
    np.testing.assert_allclose(seasonal[:, 4:9], dense[:, 4:9], rtol=1e-6)
    assert seasonal[:, 0].sum() > 1.02 * dense[:, 0].sum()
    assert (seasonal >= dense - 1e-4).all()


def test_a_higher_skyline_never_adds_in_any_hour(sky, suns, points):
    solid_m, receivers = points
    before = both(points, sky, suns)[1]
    higher_m = solid_m.copy()
    higher_m[50:56, 40:60] += 15.0
    after = both((higher_m, receivers), sky, suns)[1]
    assert (after.poa_direct - before.poa_direct).max() < 5.0  # one of 255 parts of 1000 W/m²
    assert (after.beam_visible - before.beam_visible).max() < 0.006
    assert after.poa_direct.sum() < before.poa_direct.sum()


def test_shares_are_shares_and_nights_are_dark(suns, points, sky):
    got = both(points, sky, suns, crowns(points[0]))[1]
    assert isinstance(got, HourlyLight)
    for name, values in vars(got).items():
        assert values.shape == (N_SURFACE, 8760)
        assert values.dtype == np.float32
        assert values.min() >= 0.0, name
    assert got.beam_visible.max() <= 1.0
    night = suns.sky.ghi == 0.0
    assert got.poa_global[:, night].max() == 0.0
    assert (got.beam_visible[:, night] == 1.0).all()
    # All enters without a table of the glass.
    np.testing.assert_allclose(got.beam_taken, got.poa_direct + got.poa_circumsolar, atol=0.01)


def test_a_surface_that_sees_nothing_has_no_beam(suns):
    record = open_record([30.0], [180.0])
    record.visible[:] = 0
    got = hourly_light(suns, record, np.zeros((1, 12)))
    assert got.poa_global.max() == 0.0
    up = np.bincount(suns.sky.step_hour, suns.sky.beam, 8760) > 100.0
    assert got.beam_visible[0, up].min() == 0.0


# units and tables


def test_scaled_hours_have_the_months_of_the_table(suns, sky, points):
    seen, got, surface = both(points, sky, suns)
    months = plane_means(seen.poa_global_month_kwh_m2, surface, N_SURFACE)
    scaled = scaled_to(got, months, suns.sky.month)
    np.testing.assert_allclose(
        month_sums_kwh_m2(scaled.poa_global, suns.sky.month), months, rtol=1e-5
    )
    assert scaled.beam_visible is got.beam_visible
    # The factor is the same for all parts of a month.
    january = suns.sky.month == 0
    ratio = scaled.beam_taken[0, january].sum() / got.beam_taken[0, january].sum()
    total = scaled.poa_global[0, january].sum() / got.poa_global[0, january].sum()
    assert ratio == pytest.approx(total, rel=1e-4)


def test_a_wall_is_the_mean_of_its_chords_by_area(suns, sky):
    tilt, azimuth = np.full(3, 90.0), np.array([90.0, 180.0, 270.0])
    chords = hourly_light(suns, open_record(tilt, azimuth), ground_of(sky, tilt))
    walls = joined_units(chords, np.array([1, 1, 0]), np.array([30.0, 10.0, 5.0]), 3)
    np.testing.assert_allclose(walls.poa_direct[0], chords.poa_direct[2], rtol=1e-6)
    expected = 0.75 * chords.poa_sky[0] + 0.25 * chords.poa_sky[1]
    np.testing.assert_allclose(walls.poa_sky[1], expected, rtol=1e-5)
    assert np.isnan(walls.poa_direct[2]).all()


def test_ground_light_follows_global_light(suns, sky):
    ground = ground_of(sky, np.array([90.0]))
    ground[0, 6] = 0.0
    got = hourly_light(suns, open_record([90.0], [0.0]), ground)
    found = month_sums_kwh_m2(got.poa_ground, suns.sky.month)
    np.testing.assert_allclose(found, ground, rtol=1e-5, atol=1e-9)
    may = suns.sky.month == 4
    np.testing.assert_allclose(
        got.poa_ground[0, may] / got.poa_ground[0, may].sum(),
        suns.sky.ghi[may] / suns.sky.ghi[may].sum(), atol=1e-6,
    )  # fmt: skip


def test_suns_in_other_sectors_than_the_record_are_refused(suns):
    with pytest.raises(InputError, match="72 sectors"):
        hourly_light(suns, open_record([30.0], [180.0], 120), np.zeros((1, 12)))
    with pytest.raises(InputError, match="turned by"):
        hourly_light(suns, open_record([30.0], [180.0], 72, -1.0), np.zeros((1, 12)))
    with pytest.raises(InputError, match="ground light"):
        hourly_light(suns, open_record([30.0], [180.0]), np.zeros((2, 12)))


# the all-weather sky


def test_patches_of_an_hour_give_a_level_plane_its_diffuse_light(skies):
    _, suns, weather = skies["all-weather"]
    hours = suns.sky
    assert hours.radiance.shape == (len(hours.lit_hours), (len(PATCH_ROWS) - 1) * N_HOUR_PATCH)
    assert hours.radiance.min() >= 0.0
    level = open_record([0.0], [0.0], 72, 1.9)
    got = hourly_light(suns, level, np.zeros((1, 12)))
    diffuse = weather.ghi - np.bincount(
        hours.step_hour, hours.beam * np.sin(np.radians(hours.solar_elevation_deg)), 8760
    )
    np.testing.assert_allclose(got.poa_sky[0].sum(), diffuse.sum(), rtol=0.002)
    assert np.abs(got.poa_sky[0] - diffuse).max() < 0.02 * diffuse.max()
    # Borders of patches are edges of records, and patches of the lattice.
    assert set(PATCH_ROWS * (N_STEP // PATCH_ROWS[-1])) <= set(EDGE_STEP)
    assert len(patch_sr()) == PATCH_ROWS[-1]
