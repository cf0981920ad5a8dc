"""Eaves and balconies: an upper limit of the sky, against closed forms, rays and laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import brute_year, minute_sky

from solarkataster.demo import make_town, truth_receivers
from solarkataster.errors import InputError
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers
from solarkataster.sky import sky_sources
from solarkataster.sky_table import sky_table

ALBEDO = 0.2
CELL_M = 0.5
PLAIN_M = np.zeros((40, 40))
PARTS = ("poa_direct_year_kwh_m2", "poa_sky_diffuse_year_kwh_m2", "poa_ground_diffuse_year_kwh_m2")


@pytest.fixture(scope="module")
def sources(demo_weather):
    return sky_sources(demo_weather)


@pytest.fixture(scope="module")
def sky(sources):
    return sky_table(sources, 0.0, n_azimuth=120)


@pytest.fixture(scope="module")
def minutes(demo_weather):
    return minute_sky(demo_weather, 0.0, step_minutes=2)


def walls(azimuths_deg, top_tangent, elevation_m=2.0, tilt=90.0):
    n = len(azimuths_deg)
    return Receivers(
        np.full(n, 20.0), np.full(n, 20.0), np.full(n, elevation_m), np.arange(n),
        np.full(n, tilt), azimuths_deg, top_tangent=np.broadcast_to(top_tangent, n),
    )  # fmt: skip


def lit(azimuths_deg, top_tangent, sky, surface_m=PLAIN_M, albedo=ALBEDO, **where):
    return light(surface_m, CELL_M, walls(azimuths_deg, top_tangent, **where), sky, albedo=albedo)


def year_parts(seen):
    return np.stack([getattr(seen, name) for name in PARTS])


def under_a_board(above_m, depth_m, wall_azimuth, half_length_m=1000.0):
    """What a level board hides that sticks out of a wall, ray by ray."""

    def hidden(elevation_deg, azimuth_deg):
        off = np.radians(azimuth_deg - wall_azimuth)
        with np.errstate(divide="ignore"):
            run_m = above_m / np.tan(np.radians(elevation_deg))  # to the level of the board
        out_m, along_m = run_m * np.cos(off), run_m * np.sin(off)
        return (out_m >= 0) & (out_m <= depth_m) & (np.abs(along_m) <= half_length_m)

    return hidden


# Limit asked: 0.3 % of bias against brute force.
@pytest.mark.parametrize(("above_m", "depth_m"), [(1.5, 0.5), (6.0, 0.3), (1.0, 1.0)])
def test_walls_under_long_eaves_agree_with_rays(minutes, sky, above_m, depth_m, figure):
    azimuths_deg = np.array([0, 47, 90, 101, 135, 180, 229, 270, 316.3])
    got = lit(azimuths_deg, above_m / depth_m, sky)
    fine = np.arange(0.0, 360.0, 0.5)
    expected = np.array(
        [
            brute_year(
                *minutes, np.zeros(fine.size), fine, 90.0, facing, ALBEDO,
                under_a_board(above_m, depth_m, facing),
            )
            for facing in azimuths_deg
        ]
    )  # fmt: skip
    error = got.poa_global_year_kwh_m2 / expected.sum(axis=1) - 1
    parts = year_parts(got).T.sum(axis=0) / expected.sum(axis=0) - 1
    text = f"worst {np.abs(error).max():.2%} bias {error.mean():+.2%}"
    figure(
        f"eaves {depth_m} m deep, {above_m} m above, against rays",
        text + f", direct {parts[0]:+.2%}, sky {parts[1]:+.2%}, ground {parts[2]:+.2%}",
    )
    assert np.abs(error).max() <= 0.003, error


@pytest.mark.parametrize("facing", [0.0, 13.0, 91.5, 200.0, 333.0])
@pytest.mark.parametrize("top_tangent", [0.2, 1.0, 3.0, 20.0])
def test_endless_eaves_leave_half_the_sine_of_their_angle(sky, facing, top_tangent):
    # Strip of sky between the horizon and the edge, crossed strings: (sin θ - sin 0) / 2.
    expected = np.sin(np.arctan(top_tangent)) / 2
    got = lit([facing], top_tangent, sky).sky_view_factor[0]
    assert got == pytest.approx(expected, abs=0.001)


def test_a_canyon_under_eaves_sees_the_strip_between_them_and_the_roofs_across(sky):
    surface_m = np.zeros((1600, 60))
    surface_m[:, 40:] = 9.0
    receivers = Receivers([800.0], [20.0], [3.0], [0], [90.0], [90.0], top_tangent=[2.0])
    got = light(surface_m, CELL_M, receivers, sky)
    across = 6.0 / (20 * CELL_M)
    expected = (np.sin(np.arctan(2.0)) - np.sin(np.arctan(across))) / 2
    assert got.sky_view_factor[0] == pytest.approx(expected, abs=0.003)


def test_eaves_below_the_roofs_across_leave_nothing_of_the_sky(sky):
    surface_m = np.zeros((1600, 60))
    surface_m[:, 40:] = 9.0
    receivers = Receivers([800.0], [20.0], [3.0], [0], [90.0], [90.0], top_tangent=[0.5])
    got = light(surface_m, CELL_M, receivers, sky)
    # The street's ends, 400 m away, are open: a few sectors along the wall see a little.
    assert got.sky_view_factor[0] < 0.001
    assert got.poa_direct_year_kwh_m2[0] < 1.0


def test_eaves_take_nothing_from_the_ground_and_send_nothing_back(sky):
    azimuths_deg = np.arange(0.0, 360.0, 40.0)
    open_, under = (lit(azimuths_deg, top, sky) for top in (np.inf, 0.7))
    ground = [seen.poa_ground_diffuse_year_kwh_m2 for seen in (open_, under)]
    np.testing.assert_allclose(ground[1], ground[0], rtol=1e-4)
    assert not np.allclose(open_.sky_view_factor, under.sky_view_factor, atol=0.1)
    assert (under.poa_sky_diffuse_year_kwh_m2 < open_.poa_sky_diffuse_year_kwh_m2).all()
    assert (under.poa_direct_year_kwh_m2 < open_.poa_direct_year_kwh_m2).all()


def test_eaves_hide_the_house_across_as_they_hide_the_sky(sky):
    # Below the edge: a wall that sends back what ground does; above it nothing does.
    surface_m = np.zeros((1600, 60))
    surface_m[:, 40:] = 9.0
    receivers = Receivers(
        [800.0] * 2, [20.0] * 2, [3.0] * 2, [0, 0], [90.0], [90.0], top_tangent=[0.3, 0.3]
    )
    got = light(surface_m, CELL_M, receivers, sky, albedo=ALBEDO)
    expected = ALBEDO * sky.ghi_kwh_m2.sum() * (0.5 + np.sin(np.arctan(0.3)) / 2)
    np.testing.assert_allclose(got.poa_ground_diffuse_year_kwh_m2, expected, rtol=0.002)


@given(st.floats(0, 359.9), st.floats(0, 30), st.floats(0, 30), st.sampled_from([90.0, 60.0]))
@settings(deadline=None, max_examples=40)
def test_deeper_eaves_never_give_more_light(sky, facing, one, other, tilt):
    # Without the horizon band, which Perez may make negative.
    bandless = replace(sky, band_kwh_m2=np.zeros(12))
    surface_m = PLAIN_M.copy()
    surface_m[8:12, 10:30] = 6.0
    deep, shallow = (
        lit([facing], top, bandless, surface_m, tilt=tilt) for top in sorted((one, other))
    )
    slack = 1e-5 * bandless.ghi_kwh_m2.sum()  # single precision
    gain = deep.poa_global_month_kwh_m2 - shallow.poa_global_month_kwh_m2
    assert gain.max() <= slack
    assert (deep.poa_direct_year_kwh_m2 - shallow.poa_direct_year_kwh_m2).max() <= slack
    assert (deep.sky_view_factor - shallow.sky_view_factor).max() <= 1e-5


def test_eaves_of_no_depth_hide_nothing(sky):
    azimuths_deg = np.arange(0.0, 360.0, 20.0)
    open_ = lit(azimuths_deg, np.inf, sky)
    for top_tangent, rtol in ((1e4, 1e-3), (1e7, 1e-5), (1e300, 0.0)):
        got = lit(azimuths_deg, top_tangent, sky)
        np.testing.assert_allclose(
            got.poa_global_month_kwh_m2, open_.poa_global_month_kwh_m2, rtol=rtol
        )
        np.testing.assert_allclose(year_parts(got), year_parts(open_), rtol=rtol)


def test_eaves_at_eye_level_leave_the_ground_only(sky):
    got = lit([0.0, 77.0, 180.0], 0.0, sky)
    np.testing.assert_allclose(got.sky_view_factor, 0.0, atol=1e-6)
    np.testing.assert_allclose(
        got.poa_global_year_kwh_m2, got.poa_ground_diffuse_year_kwh_m2, atol=1e-3
    )


def test_receivers_without_eaves_keep_their_bytes_beside_others_with(sky):
    town = make_town(seed=2, size_m=60, kind="builtup", roof_share=0.25)
    roofs = truth_receivers(town)
    alone = light(town.dsm_m, CELL_M, roofs, sky)
    top_tangent = np.full(len(roofs), np.inf)
    top_tangent[::3] = 1.5
    some = replace(roofs, top_tangent=top_tangent)
    beside = light(town.dsm_m, CELL_M, some, sky)
    free = top_tangent == np.inf
    for name in ("poa_global_month_kwh_m2", "sky_view_factor", *PARTS):
        np.testing.assert_array_equal(getattr(beside, name)[free], getattr(alone, name)[free])
    assert (beside.poa_global_year_kwh_m2 < alone.poa_global_year_kwh_m2)[~free].all()


def test_a_turned_wall_under_eaves_gets_what_the_turned_sun_gives(sources, sky):
    turned = sky_table(sources, -90.0, n_azimuth=120)  # suns 90° further clockwise
    before, after = lit([35.0], 1.2, sky), lit([125.0], 1.2, turned)
    np.testing.assert_allclose(
        after.poa_global_month_kwh_m2, before.poa_global_month_kwh_m2, rtol=2e-4, atol=2e-3
    )


@pytest.mark.parametrize("top_tangent", [[-0.1], [np.nan], [1.0, 2.0]])
def test_edges_that_are_none_are_refused(top_tangent):
    with pytest.raises(InputError, match="edge"):
        Receivers([1.0], [1.0], [1.0], [0], [90.0], [0.0], top_tangent=top_tangent)
