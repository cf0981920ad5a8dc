"""Sky records: exact skylines, reference marches, laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import horizons

from solarkataster.demo import make_town, truth_receivers
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers
from solarkataster.sky_table import N_STEP
from solarkataster.visibility import (
    BOTH,
    EDGE_STEP,
    N_EDGE,
    VISIBLE,
    SkyRecorder,
    edge_tangents,
    open_record,
)

CELL_M = 0.5
Q = EDGE_STEP / N_STEP


def recorded(surface_m, receivers, sky, **options):
    """What receivers' surfaces see over a surface model."""
    kept = {name: options.pop(name) for name in ("unit", "weight") if name in options}
    recorder = SkyRecorder(receivers, len(sky.azimuths_deg), sky.convergence_deg, **kept)
    light(surface_m, CELL_M, receivers, sky, recorder=recorder, **options)
    return recorder.record()


def level_points(row, col, elevation_m=0.3, **options):
    n = len(row)
    return Receivers(row, col, np.full(n, elevation_m), np.zeros(n, int), [0.0], [0.0], **options)


@pytest.mark.parametrize("tilt", [0.0, 35.0, 90.0])
def test_an_open_surface_sees_all_that_lies_before_it(sky, tilt):
    points = Receivers([20.0] * 3, [20.0] * 3, [1.0] * 3, [0, 1, 2], [tilt] * 3, [0, 133.0, 250.0])
    found = recorded(np.zeros((40, 40)), points, sky)
    expected = open_record([tilt] * 3, [0, 133.0, 250.0])
    np.testing.assert_array_equal(found.first_sector, expected.first_sector)
    azimuth = 5.0 * ((found.first_sector[:, None] + np.arange(found.visible.shape[1])) % 72)
    off = (azimuth - found.grid_azimuth[:, None] + 180.0) % 360.0 - 180.0
    is_before = np.abs(off) < (90.0 if tilt == 90.0 else 361.0)
    assert (found.visible[is_before] == 255).all()
    assert len(found.behind_row) == 0


def test_of_upright_surfaces_the_front_half_is_kept():
    record = open_record([90.0, 90.0], [0.0, 91.0])
    assert record.visible.shape[1] == 38
    for first, azimuth in zip(record.first_sector, record.grid_azimuth, strict=True):
        kept = 5.0 * ((first + np.arange(38)) % 72)
        front = [a for a in np.arange(0, 360, 5.0) if abs((a - azimuth + 180) % 360 - 180) < 92.5]
        assert set(front) <= set(kept)
    assert open_record([90.0, 30.0], [0.0, 91.0]).visible.shape[1] == 72


# A wall 6 m over the point, 10 m north of it and as good as endless: tangent 0.6 · cos(azimuth).
@pytest.mark.parametrize("azimuth", [0, 30, 60, 330])
def test_a_long_wall_hides_the_sky_up_to_its_top(sky, azimuth):
    surface_m = np.zeros((60, 400))
    surface_m[18:20] = 6.3  # its near edge lies between rows 19 and 20
    record = recorded(surface_m, level_points([39.0], [200.0]), sky)
    share = record.visible[0, azimuth // 5] / 255.0
    q = 0.6 * np.cos(np.radians(azimuth))
    hidden = 1.0 - np.trapezoid(share, Q)
    assert hidden == pytest.approx(q / (1.0 + q), abs=0.004)
    k = np.searchsorted(Q, q / (1.0 + q))
    assert (share[: k - 2] == 0.0).all()
    assert (share[k + 2 :] == 1.0).all()


def test_a_record_is_the_mean_of_the_skylines_that_are_marched(sky):
    town = make_town(seed=2, size_m=60, kind="builtup", roof_share=0.25)
    on_roofs = truth_receivers(town)
    at = np.arange(0, len(on_roofs), 40)
    points = Receivers(
        on_roofs.row[at], on_roofs.col[at], on_roofs.elevation_m[at] + 0.5, np.arange(len(at)) % 3,
        [0.0] * 3, [0.0] * 3,
    )  # fmt: skip
    weight = 1.0 + np.arange(len(at)) % 5
    record = recorded(town.dsm_m, points, sky, weight=weight)
    tangent = np.tan(np.radians(horizons(town.dsm_m, CELL_M, points, sky.azimuths_deg)))
    q = tangent / (1.0 + tangent)
    for s in range(3):
        here = points.surface == s
        hidden = (q[:, here] * weight[here]).sum(axis=1) / weight[here].sum()
        found = 1.0 - np.trapezoid(record.visible[s] / 255.0, Q, axis=1)
        assert np.abs(found - hidden).max() < 0.01
        assert found.mean() == pytest.approx(hidden.mean(), abs=0.001)


def test_a_point_counts_with_the_area_it_stands_for(sky):
    surface_m = np.zeros((60, 60))
    surface_m[:18] = 500.0  # as good as up to the zenith, seen from close by
    points = level_points([19.0, 58.0], [30.0, 30.0])
    record = recorded(surface_m, points, sky, weight=np.array([1.0, 3.0]))
    north = record.visible[0, 0] / 255.0
    assert north[Q < 0.5] == pytest.approx(0.0, abs=0.01)
    assert north[(Q > 0.97) & (Q < 0.99)] == pytest.approx(0.75, abs=0.01)


def test_sky_over_an_edge_above_is_not_seen(sky):
    upright = {"surface_tilt": [90.0], "grid_azimuth": [180.0]}
    points = Receivers([20.0], [20.0], [1.0], [0], **upright, top_tangent=[1.0])
    record = recorded(np.zeros((40, 40)), points, sky)
    at = (36 - record.first_sector[0]) % 72  # south
    share = record.visible[0, at] / 255.0
    seen = np.trapezoid(share, Q)
    assert seen == pytest.approx(0.5, abs=0.005)
    assert share[0] == 1.0
    assert share[-1] == 0.0


def test_surfaces_may_share_a_row_or_be_left_out(sky):
    surface_m = np.zeros((60, 60))
    surface_m[:18] = 12.0
    row, col = np.array([19.0, 50.0, 30.0]), np.full(3, 30.0)
    points = Receivers(row, col, np.full(3, 0.3), [0, 1, 2], [0.0] * 3, [0.0] * 3)
    one_by_one = recorded(surface_m, points, sky).visible.astype(float)
    record = recorded(surface_m, points, sky, unit=np.array([0, -1, 0]))
    assert len(record) == 1
    assert np.abs(record.visible[0] - one_by_one[[0, 2]].mean(axis=0)).max() <= 1.0


@given(st.integers(0, 59), st.integers(0, 59), st.floats(0.5, 30), st.floats(0, 80))
@settings(deadline=None, max_examples=25)
def test_a_higher_skyline_never_shows_more_sky(sky, row, col, rise_m, tilt):
    surface_m = np.zeros((60, 60))
    surface_m[22:40, 12:20] = 5.0
    points = Receivers([30.0, 31.3], [30.0, 27.7], [0.3, 2.0], [0, 0], [tilt], [200.0])
    before = recorded(surface_m, points, sky).visible.astype(int)
    surface_m[row : row + 3, col : col + 3] += rise_m
    after = recorded(surface_m, points, sky).visible.astype(int)
    assert (after - before).max() <= 1


def test_order_and_window_change_no_share_by_more_than_a_rounding(sky):
    town = make_town(seed=2, size_m=60, kind="builtup", roof_share=0.25)
    points = truth_receivers(town)
    found = recorded(town.dsm_m, points, sky, first_row=7, first_col=3)
    order = np.random.default_rng(2).permutation(len(points))
    shuffled = Receivers(
        points.row[order], points.col[order], points.elevation_m[order], points.surface[order],
        points.surface_tilt, points.grid_azimuth,
    )  # fmt: skip
    again = recorded(town.dsm_m, shuffled, sky, first_row=7, first_col=3)
    assert np.abs(again.visible.astype(int) - found.visible).max() <= 1
    wide_m = np.pad(town.dsm_m, ((5, 8), (9, 2)), constant_values=np.nan)
    moved = Receivers(
        points.row + 5, points.col + 9, points.elevation_m, points.surface, points.surface_tilt,
        points.grid_azimuth,
    )  # fmt: skip
    framed = recorded(wide_m, moved, sky, first_row=2, first_col=-6)
    assert np.abs(framed.visible.astype(int) - found.visible).max() <= 1


def test_layers_of_a_record_without_crowns_are_empty():
    record = open_record([20.0, 30.0], [0.0, 180.0])
    assert not record.layer(BOTH).any()
    assert record.layer(VISIBLE) is record.visible
    assert record.part(np.array([1])).surface_tilt == [30.0]
    assert len(edge_tangents()) == N_EDGE
    assert (np.diff(edge_tangents()) > 0.0).all()
