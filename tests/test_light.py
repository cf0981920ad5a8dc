"""Light: open planes against pvlib, towns against brute force, and the laws of radiation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import brute_year, horizons, minute_sky

from solarkataster.demo import make_town, truth_receivers
from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.irradiance import light, open_light
from solarkataster.receivers import Receivers, plane_receivers
from solarkataster.sensors import cell_light, sensor_receivers
from solarkataster.sky_table import sky_table

ALBEDO = 0.2
CELL_M = 0.5
AZIMUTHS = np.arange(0.0, 360.0, 45.0)
tilts = st.floats(0, 90)
azimuths = st.floats(0, 359.9)


def sources_on_open_plane(sources, tilt, azimuth, convergence_deg=0.0, albedo=ALBEDO):
    """Month sums of an open plane by adding every sun of the year, (12,). [kWh/m²]"""
    elevation = np.radians(sources.solar_elevation_deg)
    aside = np.radians(sources.solar_azimuth_deg - convergence_deg - azimuth)
    tilt = np.radians(tilt)
    cosine = np.sin(elevation) * np.cos(tilt) + np.cos(elevation) * np.sin(tilt) * np.cos(aside)
    sun = (sources.beam_kwh_m2 + sources.circumsolar_kwh_m2) * np.maximum(cosine, 0)
    return (
        np.bincount(sources.month, sun, 12)
        + sources.dome_kwh_m2 * (1 + np.cos(tilt)) / 2
        + sources.band_kwh_m2 * np.sin(tilt)
        + albedo * sources.ghi_kwh_m2 * (1 - np.cos(tilt)) / 2
    )


# What the sources themselves give against pvlib's get_total_irradiance stands in test_sky.py.
@pytest.mark.parametrize("tilt", [0, 5, 15, 30, 45, 60, 75, 85, 90])
@pytest.mark.parametrize("convergence_deg", [0.0, -1.5, 1.9])
def test_an_open_plane_gets_every_sun_of_the_year(sources, tilt, convergence_deg):
    table = sky_table(sources, convergence_deg)
    got = open_light(table, np.full(8, tilt), AZIMUTHS, ALBEDO).poa_global_month_kwh_m2
    for month_sums, azimuth in zip(got, AZIMUTHS, strict=True):
        expected = sources_on_open_plane(sources, tilt, azimuth, convergence_deg)
        np.testing.assert_allclose(month_sums, expected, rtol=0.002)
        assert month_sums.sum() == pytest.approx(expected.sum(), rel=0.0005)


@given(tilts, azimuths)
@settings(deadline=None, max_examples=40)
def test_sky_view_of_an_open_plane_is_half_of_one_plus_its_cosine(sky, tilt, azimuth):
    expected = (1 + np.cos(np.radians(tilt))) / 2
    assert open_light(sky, tilt, azimuth).sky_view_factor[0] == pytest.approx(expected, abs=2e-4)


def test_a_receiver_on_a_plain_gets_what_an_open_plane_gets(sky):
    receivers = Receivers([20.0] * 3, [20.0] * 3, [1.0] * 3, [0, 1, 2], [0, 30, 90], [0, 200, 70])
    seen = light(np.zeros((40, 40)), CELL_M, receivers, sky, albedo=ALBEDO)
    expected = open_light(sky, receivers.surface_tilt, receivers.grid_azimuth, ALBEDO)
    np.testing.assert_allclose(
        seen.poa_global_month_kwh_m2, expected.poa_global_month_kwh_m2, rtol=1e-5
    )


def test_a_flat_plane_gets_the_files_global_light(sources, sky):
    flat = open_light(sky, 0.0, 0.0)
    months = flat.poa_global_month_kwh_m2[0]
    np.testing.assert_allclose(months, sources.ghi_kwh_m2, rtol=0.01)
    assert months.sum() == pytest.approx(sources.ghi_kwh_m2.sum(), rel=0.002)
    assert flat.poa_ground_diffuse_year_kwh_m2[0] == pytest.approx(0, abs=1e-2)


@given(tilts, azimuths, st.floats(0, 0.9))
@settings(deadline=None, max_examples=30)
def test_direct_sky_and_ground_make_the_global(sky, tilt, azimuth, albedo):
    dsm_m = np.zeros((30, 30))
    dsm_m[10:14, 5:9] = 12.0
    receivers = Receivers([16.0], [12.0], [0.3], [0], [tilt], [azimuth])
    got = light(dsm_m, CELL_M, receivers, sky, albedo=albedo)
    parts = (
        got.poa_direct_year_kwh_m2
        + got.poa_sky_diffuse_year_kwh_m2
        + got.poa_ground_diffuse_year_kwh_m2
    )
    np.testing.assert_allclose(parts, got.poa_global_year_kwh_m2, rtol=1e-12)
    assert got.poa_direct_year_kwh_m2[0] >= 0
    assert 0 <= got.sky_view_factor[0] <= 1


@given(tilts, azimuths, st.integers(0, 59), st.integers(0, 59), st.floats(0.1, 30))
@settings(deadline=None, max_examples=60)
def test_a_taller_neighbour_never_adds_beam_circumsolar_or_dome(
    sources, sky, tilt, azimuth, row, col, rise_m
):
    # Without the horizon band, which Perez may make negative.
    bandless = sky.__class__(**{**vars(sky), "band_kwh_m2": np.zeros(12)})
    dsm_m = np.zeros((60, 60))
    dsm_m[22:40, 12:20] = 5.0
    receivers = Receivers([30.0, 31.3], [30.0, 27.7], [0.3, 2.0], [0, 0], [tilt], [azimuth])
    before = light(dsm_m, CELL_M, receivers, bandless, albedo=0.0)
    dsm_m[row : row + 3, col : col + 3] += rise_m
    after = light(dsm_m, CELL_M, receivers, bandless, albedo=0.0)
    slack = 1e-5 * before.poa_global_month_kwh_m2.sum()  # single precision
    gain = after.poa_global_month_kwh_m2 - before.poa_global_month_kwh_m2
    assert gain.max() <= slack
    assert (after.poa_direct_year_kwh_m2 - before.poa_direct_year_kwh_m2).max() <= slack
    assert (after.sky_view_factor - before.sky_view_factor).max() <= 1e-5


def test_snow_on_the_ground_helps_a_wall_and_not_a_level_roof(sky):
    dark, bright = (open_light(sky, [0.0, 90.0], [0.0, 180.0], albedo) for albedo in (0.0, 0.6))
    gain = bright.poa_global_year_kwh_m2 - dark.poa_global_year_kwh_m2
    assert gain[0] == pytest.approx(0, abs=0.1)
    assert gain[1] == pytest.approx(0.6 * sky.ghi_kwh_m2.sum() / 2, rel=1e-3)


def test_turning_the_town_turns_its_light(sources, sky):
    # The sun is turned with the town, so every receiver must keep its light.
    town = make_town(seed=2, size_m=60, kind="builtup", roof_share=0.25)
    receivers = truth_receivers(town)
    ny = town.grid.shape[0]
    turned_sky = sky_table(sources, -90.0)  # suns 90° further clockwise
    turned = Receivers(
        receivers.col, ny - 1 - receivers.row, receivers.elevation_m, receivers.surface,
        receivers.surface_tilt, receivers.grid_azimuth + 90.0,
    )  # fmt: skip
    before = light(town.dsm_m, CELL_M, receivers, sky)
    after = light(np.rot90(town.dsm_m, k=-1), CELL_M, turned, turned_sky)
    np.testing.assert_allclose(
        after.poa_global_month_kwh_m2, before.poa_global_month_kwh_m2, rtol=2e-4, atol=2e-3
    )


# Limits asked of roofs: RMSE of annual sums over their mean 0.4 %, bias 0.1 %.
def test_roofs_of_a_town_agree_with_brute_force(demo_weather, sources, figure):
    convergence_deg = -1.2
    town = make_town(seed=5, size_m=160, kind="builtup", roof_share=0.3)
    receivers = truth_receivers(town)
    got = light(town.dsm_m, CELL_M, receivers, sky_table(sources, convergence_deg), albedo=ALBEDO)
    unshaded = open_light(
        sky_table(sources, convergence_deg), receivers.surface_tilt, receivers.grid_azimuth, ALBEDO
    ).poa_global_year_kwh_m2[receivers.surface]
    loss = 1 - got.poa_global_year_kwh_m2 / unshaded
    rng = np.random.default_rng(11)
    shaded, others = np.flatnonzero(loss >= 0.05), np.flatnonzero(loss < 0.05)
    some = np.concatenate(
        [rng.choice(shaded, 110, replace=False), rng.choice(others, 90, replace=False)]
    )
    fine = np.arange(0.0, 360.0, 0.5)
    part = Receivers(
        receivers.row[some], receivers.col[some], receivers.elevation_m[some],
        np.arange(len(some)), receivers.surface_tilt[receivers.surface[some]],
        receivers.grid_azimuth[receivers.surface[some]],
    )  # fmt: skip
    skylines = horizons(town.dsm_m, CELL_M, part, fine)
    minutes = minute_sky(demo_weather, convergence_deg)
    facing = zip(skylines.T, part.surface_tilt, part.grid_azimuth, strict=True)
    expected = np.array(
        [brute_year(*minutes, skyline, fine, tilt, to, ALBEDO) for skyline, tilt, to in facing]
    )
    error = got.poa_global_year_kwh_m2[some] - expected.sum(axis=1)
    mean = expected.sum(axis=1).mean()
    rmse, bias = np.sqrt((error**2).mean()) / mean, error.mean() / mean
    figure("irradiation against brute force", f"RMSE {rmse:.3%} bias {bias:+.3%}")
    assert rmse <= 0.004, (rmse, bias)
    assert abs(bias) <= 0.001, (rmse, bias)


def test_the_same_town_gets_the_same_energy_at_either_end_of_the_zone(sources):
    # 6.1° E and 9° E in EPSG:25832 differ by 2.2° in the direction of grid north.
    from solarkataster.demo.write import convergence_deg

    years = []
    for west_m in (293_000.0, 500_000.0):
        place = Grid((1, 1), west_m, 5_600_000.0, 400.0, "EPSG:25832")
        gamma = convergence_deg(place)
        # Turned so that every house keeps its true azimuth (counterclockwise is towards west).
        town = make_town(seed=4, size_m=160, kind="builtup", rotation_deg=gamma, n_trees=0,
                         cell_size_m=0.25, noise_m=0.0, chimneys=False, dormers=False)  # fmt: skip
        receivers = truth_receivers(town)
        centre = np.hypot(receivers.row - 320, receivers.col - 320) < 200
        got = light(town.dsm_m, 0.25, receivers, sky_table(sources, gamma))
        years.append(got.poa_global_year_kwh_m2[centre].mean())
    assert years[0] == pytest.approx(years[1], rel=0.001)


def test_an_east_and_a_west_wall_feel_the_convergence(sources):
    # Design, section 2: 1.5° forgotten shifts east and west walls by about 1.3 %.
    right, forgotten = sky_table(sources, -1.5), sky_table(sources, 0.0)
    east = [open_light(t, 90.0, 90.0).poa_global_year_kwh_m2[0] for t in (right, forgotten)]
    west = [open_light(t, 90.0, 270.0).poa_global_year_kwh_m2[0] for t in (right, forgotten)]
    assert abs(east[0] / east[1] - 1) > 0.005
    assert abs(west[0] / west[1] - 1) > 0.005


def test_receivers_sit_on_their_plane_plus_the_lift():
    labels = np.zeros((4, 5), np.int32)
    labels[1:3, 1:4] = 1
    receivers = plane_receivers(labels, [0.5], [-0.25], [100.0], 2.0, lift_m=0.1)
    assert len(receivers) == 6
    # Cell (2, 3): 6 m east and 4 m south of the origin.
    assert receivers.elevation_m[-1] == pytest.approx(100 + 0.5 * 6 + 0.25 * 4 + 0.1)
    assert receivers.grid_azimuth[0] == pytest.approx(np.degrees(np.arctan2(-0.5, 0.25)) % 360)


def test_cells_of_a_tilted_plain_get_what_the_tilted_plane_gets(sky):
    y = np.mgrid[0:12, 0:12][0] * CELL_M
    dsm_m = 50.0 + 0.4 * y  # rises southwards, faces north
    got = cell_light(dsm_m, CELL_M, sky)
    expected = open_light(sky, np.degrees(np.arctan(0.4)), 0.0).poa_global_year_kwh_m2[0]
    np.testing.assert_allclose(got[0], expected, rtol=0.002)
    np.testing.assert_allclose(got[1:].sum(axis=0), got[0], rtol=1e-5)


def test_sensors_count_height_above_the_cell_and_azimuth_from_true_north():
    grid = Grid((4, 4), 1000.0, 2000.0, 1.0, "EPSG:25832")
    dsm_m = np.arange(16.0).reshape(4, 4)
    made = sensor_receivers(
        dsm_m, grid, [1001.5], [1998.5], [90.0], [10.0], height_m=[2.0], convergence_deg=-1.5
    )
    assert (made.row[0], made.col[0]) == (1.0, 1.0)
    assert made.elevation_m[0] == 7.0
    assert made.grid_azimuth[0] == 11.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": [2000.0]}, "off the raster"),
        ({"height_m": None}, "z or height_m"),
        ({"surface_tilt": [100.0]}, "0 to 90"),
        ({"surface_tilt": [np.nan]}, "not finite"),
    ],
)
def test_bad_sensors_are_refused(change, message):
    grid = Grid((4, 4), 1000.0, 2000.0, 1.0, "EPSG:25832")
    good = {"x": [1001.5], "y": [1998.5], "surface_tilt": [30.0], "surface_azimuth": [180.0]}
    options = {**good, "height_m": [1.0], **change}
    with pytest.raises(InputError, match=message):
        sensor_receivers(np.zeros((4, 4)), grid, **options)
