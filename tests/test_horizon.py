"""Horizon: known walls, laws of turning and shifting, and the plain march as reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import config
from reference import horizons

from solarkataster.demo import make_town, truth_receivers
from solarkataster.errors import InputError
from solarkataster.horizon import horizon_profile, horizon_tangents, quadrant_of
from solarkataster.receivers import Receivers

# Without the compiler, where coverage counts, a case takes seconds.
few_or_many = settings(deadline=None, max_examples=20 if config.DISABLE_JIT else 60)
NORTH, EAST, SOUTH, WEST = 0.0, 90.0, 180.0, 270.0
CELL_M = 0.5


def heights_m(max_side):
    return hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=8, max_side=max_side),
        elements=st.integers(0, 400).map(lambda decimetres: decimetres / 10),
    )


surfaces_m = heights_m(40)


def look(dsm_m, azimuths_deg=(NORTH, EAST, SOUTH, WEST), **options):
    return horizon_profile(dsm_m, CELL_M, azimuths_deg, **options)


def reference_of(dsm_m, azimuths_deg):
    row, col = np.nonzero(np.isfinite(dsm_m))
    receivers = Receivers(row, col, dsm_m[row, col], np.zeros(len(row), int), [0.0], [0.0])
    return horizons(dsm_m, CELL_M, receivers, azimuths_deg).reshape(-1, *dsm_m.shape)


@pytest.mark.parametrize("distance_cells", [1, 4, 20, 28])
def test_wall_stands_at_the_arctangent_of_height_over_distance(distance_cells):
    dsm_m = np.zeros((3, 40))
    dsm_m[:, distance_cells] = 6.0  # a 6 m wall, seen from column 0 looking east
    expected_deg = np.degrees(np.arctan2(6.0, CELL_M * distance_cells))
    assert look(dsm_m, [EAST])[0, 1, 0] == pytest.approx(expected_deg, abs=1e-3)


@pytest.mark.parametrize("azimuth_deg", np.arange(0.0, 360.0, 7.5))
@pytest.mark.parametrize("distance_m", [0.5, 1, 2, 3.5, 6, 9.5, 15, 25, 40])
def test_a_3_m_wall_is_seen_at_every_distance_and_azimuth(distance_m, azimuth_deg):
    # A ring of wall, three cells thick, about a receiver in the middle of a plain.
    n = 2 * int(distance_m / CELL_M) + 13
    y, x = np.mgrid[0:n, 0:n] - n // 2
    behind_m = np.hypot(x, y) * CELL_M - distance_m
    ring = (behind_m >= 0) & (behind_m <= 3 * CELL_M)
    dsm_m = np.where(ring, 3.0, 0.0)
    at = np.array([n // 2], dtype=float)
    tangent = horizon_tangents(dsm_m, CELL_M, at, at, np.array([0.0]), [azimuth_deg])[0, 0]
    seen_deg = np.degrees(np.arctan(tangent))
    # Its near face lies within a cell and a half of the nominal distance.
    near = np.degrees(np.arctan(3.0 / max(CELL_M, distance_m - CELL_M)))
    far = np.degrees(np.arctan(3.0 / (distance_m + 1.5 * CELL_M)))
    assert far - 0.01 <= seen_deg <= near + 0.01


@given(surfaces_m)
@few_or_many
def test_turning_the_town_turns_its_horizon(dsm_m):
    turned = look(np.rot90(dsm_m, k=-1))  # clockwise: north becomes east
    back = np.rot90(turned, k=1, axes=(1, 2))
    np.testing.assert_allclose(back[[1, 2, 3, 0]], look(dsm_m), atol=1e-4)


@given(heights_m(16), st.sampled_from([3.0, 31.0, 45.0, 62.5, 117.0, 203.0, 289.0, 331.0]))
@few_or_many
def test_small_surfaces_agree_with_the_plain_march(dsm_m, azimuth_deg):
    # All of it lies in the near field, which is exact but for single precision.
    got = look(dsm_m, [azimuth_deg])
    np.testing.assert_allclose(got, reference_of(dsm_m, [azimuth_deg]), atol=0.002)


@given(surfaces_m, st.integers(-(10**7), 10**7), st.integers(-(10**7), 10**7))
@few_or_many
def test_one_wall_more_never_lowers_a_horizon(dsm_m, row, col):
    before = look(dsm_m)
    taller = dsm_m.copy()
    taller[row % dsm_m.shape[0], col % dsm_m.shape[1]] += 5.0
    after = look(taller)
    others = np.ones(dsm_m.shape, bool)
    others[row % dsm_m.shape[0], col % dsm_m.shape[1]] = False
    assert (after[:, others] >= before[:, others] - 1e-3).all()


def test_a_plain_has_no_horizon():
    assert (look(np.full((30, 50), 123.4)) == 0).all()


def test_no_data_never_blocks_and_stays_no_data():
    dsm_m = np.zeros((5, 40))
    dsm_m[:, 30] = 8.0
    with_hole = dsm_m.copy()
    with_hole[:, 20:25] = np.nan
    seen = look(with_hole, [EAST])[0]
    assert np.isnan(seen[:, 20:25]).all()
    np.testing.assert_allclose(seen[:, :20], look(dsm_m, [EAST])[0][:, :20], atol=1e-4)


def test_the_earth_bends_away_from_a_far_wall():
    # 1 km away the ground lies 0.068 m lower: 1000² / (2 · 6371 km / (1 - 0.13)).
    dsm_m = np.zeros((3, 1001))
    dsm_m[:, 1000] = 10.0
    seen = horizon_profile(dsm_m, 1.0, [EAST])[0, 1, 0]
    assert seen == pytest.approx(np.degrees(np.arctan((10.0 - 0.0683) / 1000.0)), abs=2e-5)


def test_windows_of_one_raster_sweep_the_same_lines():
    town = make_town(seed=3, size_m=160, kind="builtup")
    dsm_m, size = town.dsm_m, town.grid.cell_size_m
    row, col = np.mgrid[140:180, 140:180].reshape(2, -1).astype(float)
    eye_m = dsm_m[140:180, 140:180].ravel() + 0.1
    azimuths = np.arange(0.0, 360.0, 15.0)
    whole = horizon_tangents(dsm_m, size, row, col, eye_m, azimuths, first_row=-900, first_col=70)
    part = horizon_tangents(
        dsm_m[37:, 23:], size, row - 37, col - 23, eye_m, azimuths, first_row=-863, first_col=93
    )
    same = np.abs(np.degrees(np.arctan(whole) - np.arctan(part)))
    # What the cut window no longer shows may be missing, nothing else changes.
    looks_inside = (azimuths > 100) & (azimuths < 170)
    assert same[looks_inside].max() < 1e-3


def test_points_between_cells_stand_between_their_horizons():
    dsm_m = np.zeros((60, 60))
    dsm_m[:, 50:] = 6.0
    col = np.linspace(20.0, 21.0, 11)
    row = np.full(11, 30.3)
    tangent = horizon_tangents(dsm_m, CELL_M, row, col, np.zeros(11), [EAST])[0]
    np.testing.assert_allclose(tangent, 6.0 / (CELL_M * (50 - col)), rtol=1e-5)


@pytest.mark.parametrize("reach_m", [0.3, 0.0, -100.0, np.nan, np.inf])
def test_a_reach_that_is_no_length_is_refused(reach_m):
    with pytest.raises(InputError, match="reach_m"):
        horizon_profile(np.zeros((5, 5)), 0.5, [EAST], reach_m=reach_m)


@pytest.mark.parametrize(("row", "col"), [(-0.6, 2), (2, 4.6), (2, np.nan)])
def test_receivers_off_the_raster_are_refused(row, col):
    with pytest.raises(InputError, match="off the raster"):
        horizon_tangents(np.zeros((5, 5)), 0.5, [row], [col], [1.0], [EAST])


@pytest.mark.parametrize("beyond", [0.5, 0.5 + 1e-6, 0.5 + 1.2e-10, 0.5 - 1e-9])
def test_points_on_the_border_of_cells_look_from_the_same_column_everywhere(beyond):
    # Single and double precision round such a column differently; every group of the sweep is met.
    dsm_m = np.zeros((5, 640))
    dsm_m[:, 639] = 20.0
    for whole in range(500, 520):
        col = whole + beyond
        seen = horizon_tangents(dsm_m, 0.2, [2.0], [col], [0.0], [EAST])[0, 0]
        assert seen == pytest.approx(20.0 / (0.2 * (639 - col)), rel=1e-4)


def test_infinite_heights_block_no_more_than_missing_ones():
    dsm_m = np.zeros((5, 60))
    dsm_m[:, 50] = 8.0
    with_hole = dsm_m.copy()
    with_hole[2, 40:44] = np.inf
    both = [look(np.where(np.isinf(z), np.nan, z), [EAST])[0][2, :40] for z in (dsm_m, with_hole)]
    np.testing.assert_array_equal(look(with_hole, [EAST])[0][2, :40], both[1])
    np.testing.assert_allclose(both[1], both[0], atol=1e-4)


def test_points_anywhere_agree_with_the_plain_march(figure):
    """Points between the cells, as sensors are, in streets too."""
    town = make_town(seed=6, size_m=160, kind="builtup", roof_share=0.3)
    rng = np.random.default_rng(2)
    row, col = rng.uniform(0, town.grid.shape[0] - 1, (2, 2000))
    above = rng.uniform(0.5, 15.0, 2000)
    at = np.round(row).astype(int), np.round(col).astype(int)
    points = Receivers(row, col, town.dsm_m[at] + above, np.zeros(2000, int), [0.0], [0.0])
    azimuths = np.arange(3.0, 360.0, 22.5)
    tangent = horizon_tangents(town.dsm_m, CELL_M, row, col, points.elevation_m, azimuths)
    error = np.degrees(np.arctan(tangent)) - horizons(town.dsm_m, CELL_M, points, azimuths)
    rmse, bias = np.sqrt((error**2).mean()), error.mean()
    figure("horizon, points anywhere", f"RMSE {rmse:.3f}° bias {bias:+.4f}°")
    assert rmse <= 0.25
    assert abs(bias) <= 0.02


@pytest.mark.parametrize(
    ("azimuth_deg", "expected"),
    [(0, (0, 0)), (44, (0, 44)), (45, (1, -45)), (359, (0, -1)), (225, (3, -45)), (-10, (0, -10))],
)
def test_azimuths_fall_into_quadrants(azimuth_deg, expected):
    assert quadrant_of(azimuth_deg) == expected


# Limits asked: RMSE 0.25°, bias 0.02°, under 0.1 % off by more than 5°, over all
# pairs and over those whose reference is 1° or more.
@pytest.mark.parametrize(
    ("kind", "size_m", "share"),
    [
        ("demo", 400, None),
        ("tower", 200, None),
        ("courtyard", 200, None),
        ("dense", 200, None),
        ("builtup", 200, 0.4),
    ],
)
def test_towns_agree_with_the_plain_march(kind, size_m, share, figure):
    town = make_town(seed=1, size_m=size_m, kind=kind, roof_share=share)
    receivers = truth_receivers(town)
    some = np.random.default_rng(7).choice(len(receivers), min(3000, len(receivers)), replace=False)
    azimuths = np.arange(0.0, 360.0, 11.25)
    tangent = horizon_tangents(
        town.dsm_m, town.grid.cell_size_m, receivers.row, receivers.col,
        receivers.elevation_m, azimuths, first_row=town.grid.first_row,
        first_col=town.grid.first_col,
    )[:, some]  # fmt: skip
    part = Receivers(
        receivers.row[some], receivers.col[some], receivers.elevation_m[some],
        np.zeros(len(some), int), [0.0], [0.0],
    )  # fmt: skip
    expected = horizons(town.dsm_m, town.grid.cell_size_m, part, azimuths)
    error = np.degrees(np.arctan(tangent)) - expected
    for name, which in (("all", expected >= 0), ("from_1_deg", expected >= 1)):
        rmse, bias = np.sqrt((error[which] ** 2).mean()), error[which].mean()
        off = (np.abs(error[which]) > 5).mean()
        figure(f"horizon, {kind}, {name}", f"RMSE {rmse:.3f}° bias {bias:+.4f}° >5°: {off:.5%}")
        assert rmse <= 0.25
        assert abs(bias) <= 0.02
        assert off < 0.001
