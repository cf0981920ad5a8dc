"""Columns of receivers up a wall: the same skyline as each receiver on its own."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import config
from reference import brute_year, horizons, minute_sky

from solarkataster.demo import make_town
from solarkataster.horizon import horizon_tangents
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers
from solarkataster.sky import sky_sources
from solarkataster.sky_table import sky_table

few_or_many = settings(deadline=None, max_examples=10 if config.DISABLE_JIT else 40)
CELL_M = 0.5


def columns(rng, shape, n_column, n_height, whole=False):
    """Places all over a raster, each with its rising heights above 0."""
    row, col = (rng.uniform(0, n - 1, n_column) for n in shape)
    if whole:
        row, col = np.round(row), np.round(col)
    heights = np.sort(rng.uniform(0.0, 20.0, (n_column, n_height)), axis=1)
    return np.repeat(row, n_height), np.repeat(col, n_height), heights.ravel()


def tangents(surface_m, places, azimuths, order=None):
    order = np.arange(len(places[0])) if order is None else order
    row, col, eye_m = (np.asarray(values)[order] for values in places)
    out = np.empty((len(azimuths), order.size), np.float32)
    out[:, order] = horizon_tangents(surface_m, CELL_M, row, col, eye_m, azimuths)
    return out


@given(st.integers(0, 2**31), st.integers(1, 17), st.floats(0, 360), st.booleans())
@few_or_many
def test_a_column_sees_what_its_receivers_see_alone(seed, n_height, azimuth, whole):
    rng = np.random.default_rng(seed)
    blocks_m = np.kron(rng.uniform(0, 18, (7, 13)), np.ones((8, 8)))
    surface_m = blocks_m + rng.uniform(0, 2, blocks_m.shape)
    places = columns(rng, surface_m.shape, 9, n_height, whole)
    together = tangents(surface_m, places, [azimuth])
    alone = [
        tangents(surface_m, [values[i : i + 1] for values in places], [azimuth])[:, 0]
        for i in range(9 * n_height)
    ]
    np.testing.assert_array_equal(together, np.stack(alone, axis=1))


def test_columns_and_cells_of_a_town_are_answered_in_one_call_in_any_order():
    town = make_town(seed=4, size_m=160, kind="builtup", roof_share=0.3)
    rng = np.random.default_rng(8)
    row, col, height_m = columns(rng, town.dsm_m.shape, 300, 10)
    eye_m = town.dsm_m[np.round(row).astype(int), np.round(col).astype(int)] + height_m
    at = rng.choice(town.dsm_m.size, 3000, replace=False)
    cells = (*np.divmod(at, town.dsm_m.shape[1]), town.dsm_m.ravel()[at] + 0.1)
    places = [np.concatenate(both) for both in zip((row, col, eye_m), cells, strict=True)]
    azimuths = np.arange(1.5, 360.0, 22.5)
    n = len(places[0])
    together = tangents(town.dsm_m, places, azimuths)
    for order in (np.arange(n)[::-1], rng.permutation(n)):
        np.testing.assert_array_equal(tangents(town.dsm_m, places, azimuths, order), together)
    only = tangents(town.dsm_m, [values[:3000] for values in places], azimuths)
    np.testing.assert_array_equal(only, together[:, :3000])


def test_higher_on_a_wall_the_skyline_never_rises():
    town = make_town(seed=4, size_m=160, kind="dense")
    row, col, height_m = columns(np.random.default_rng(3), town.dsm_m.shape, 400, 12)
    eye_m = town.dsm_m[np.round(row).astype(int), np.round(col).astype(int)] + height_m
    seen = tangents(town.dsm_m, (row, col, eye_m), np.arange(7.0, 360.0, 30.0))
    rises = np.diff(np.degrees(np.arctan(seen)).reshape(-1, 400, 12), axis=2)
    # The own ray is looked at about the tangent point of two lines; another eye, other places.
    assert rises.max() <= 1.0
    assert (rises > 0.01).mean() < 1e-3


# Limits: those of roofs, asked of roofs: RMSE 0.25°, bias 0.02°, off by 5° 0.1 %.
def test_columns_before_walls_agree_with_the_plain_march(figure):
    town = make_town(seed=6, size_m=160, kind="builtup", roof_share=0.3)
    dsm_m = town.dsm_m
    rng = np.random.default_rng(2)
    # Cells of the ground beside cells 3 m higher: half a cell and less in front of walls.
    inner = dsm_m[1:-1, 1:-1]
    higher = np.max([dsm_m[:-2, 1:-1], dsm_m[2:, 1:-1], dsm_m[1:-1, 2:], dsm_m[1:-1, :-2]], axis=0)
    row, col = np.nonzero(higher - inner > 3.0)
    some = rng.choice(row.size, 150, replace=False)
    height_m = np.tile(0.75 + 1.2 * np.arange(10), 150)
    at = np.repeat(row[some] + 1, 10), np.repeat(col[some] + 1, 10)
    row, col = (values + np.repeat(rng.uniform(-0.4, 0.4, 150), 10) for values in at)
    points = Receivers(row, col, dsm_m[at] + height_m, np.zeros(1500, int), [90.0], [0.0])
    azimuths = np.arange(3.0, 360.0, 15.0)
    seen = np.degrees(np.arctan(tangents(dsm_m, (row, col, points.elevation_m), azimuths)))
    error = seen - horizons(dsm_m, CELL_M, points, azimuths)
    rmse, bias, off = np.sqrt((error**2).mean()), error.mean(), (np.abs(error) > 5).mean()
    figure("horizon, columns before walls", f"RMSE {rmse:.3f}° bias {bias:+.4f}° >5° {off:.4%}")
    assert rmse <= 0.25
    assert abs(bias) <= 0.02
    assert off <= 0.001


# Limits asked of walls, energy-weighted RMSE 1 %, bias 0.3 %.
def test_walls_of_a_town_agree_with_brute_force(demo_weather, figure):
    town = make_town(seed=6, size_m=160, kind="builtup", roof_share=0.3)
    dsm_m, rng = town.dsm_m, np.random.default_rng(4)
    row, col, facing = [], [], []
    for azimuth, behind in ((0.0, (1, 0)), (90.0, (0, -1)), (180.0, (-1, 0)), (270.0, (0, 1))):
        rise_m = np.roll(dsm_m, (-behind[0], -behind[1]), (0, 1)) - dsm_m
        at = np.argwhere(rise_m[2:-2, 2:-2] > 3.0) + 2
        at = at[rng.choice(len(at), 15, replace=False)]
        row, col, facing = [*row, *at[:, 0]], [*col, *at[:, 1]], [*facing, *[azimuth] * 15]
    places, height_m = (np.repeat(row, 2), np.repeat(col, 2)), np.tile([1.5, 4.5], 60)
    receivers = Receivers(
        *places, dsm_m[places] + height_m, np.repeat(np.arange(60), 2), np.full(60, 90.0), facing
    )
    sky = sky_table(sky_sources(demo_weather), 0.0, n_azimuth=120)
    got = light(dsm_m, CELL_M, receivers, sky, albedo=0.2).poa_global_year_kwh_m2
    fine, minutes = np.arange(0.0, 360.0, 0.5), minute_sky(demo_weather, 0.0, step_minutes=2)
    skylines = horizons(dsm_m, CELL_M, receivers, fine).T
    expected = np.array(
        [
            sum(brute_year(*minutes, skyline, fine, 90.0, azimuth, 0.2))
            for skyline, azimuth in zip(skylines, np.repeat(facing, 2), strict=True)
        ]
    )
    error = (got - expected) / expected.mean()
    rmse, bias = np.sqrt((error**2).mean()), error.mean()
    figure("walls against brute force", f"RMSE {rmse:.2%} bias {bias:+.2%}")
    assert rmse <= 0.01
    assert abs(bias) <= 0.003


@pytest.mark.parametrize("top_tangent", [np.inf, 1.5])
def test_light_of_columns_is_that_of_their_receivers(demo_weather, top_tangent):
    sky = sky_table(sky_sources(demo_weather), 0.0, n_azimuth=120)
    town = make_town(seed=2, size_m=60, kind="builtup", roof_share=0.25)
    rng = np.random.default_rng(1)
    row, col, height_m = columns(rng, town.dsm_m.shape, 40, 6)
    facing, top = rng.uniform(0, 360, 40), np.full(240, top_tangent)
    surface = np.repeat(np.arange(40), 6)
    results = []
    for order in (np.arange(240), rng.permutation(240)):
        receivers = Receivers(
            row[order], col[order], 5.0 + height_m[order], surface[order], np.full(40, 90.0),
            facing, top_tangent=top[order],
        )  # fmt: skip
        months = np.empty((240, 12))
        months[order] = light(town.dsm_m, CELL_M, receivers, sky).poa_global_month_kwh_m2
        results.append(months)
    np.testing.assert_array_equal(*results)
    assert results[0].sum() > 0
