"""What reflects: what is lit of ground, roofs and walls, and how."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from test_reflection import CELL_M, boxes_on, wall_points

from solarkataster.irradiance import light, open_light
from solarkataster.receivers import Receivers
from solarkataster.reflecting_tops import block_cells, tops
from solarkataster.reflecting_walls import wall_pieces
from solarkataster.reflection import Albedos, lit_reflectors
from solarkataster.sky_table import sky_table


@pytest.fixture(scope="module")
def few(sources):
    return sky_table(sources, 0.0, n_azimuth=24)


def test_ground_in_the_open_sends_back_its_share_of_global_light(few):
    grid, surface_m, plans = boxes_on((200, 200))
    who = wall_points(grid, 50.0, 50.0, [2.0], 90.0)
    reflectors = lit_reflectors(surface_m, grid, plans, who, few, albedos=Albedos(np.full(12, 0.3)))
    ground = reflectors.sent[1 : reflectors.first_roof, :12]
    np.testing.assert_allclose(
        ground, np.broadcast_to(0.3 * few.ghi_kwh_m2, ground.shape), rtol=1e-3
    )


def test_walls_are_cut_into_pieces_with_foot_top_and_facing():
    grid, surface_m, plans = boxes_on((200, 200), (40, 40, 60, 52, 11))
    pieces = wall_pieces(plans, grid, surface_m)
    assert sorted(set(np.round(pieces.grid_azimuth))) == [0.0, 90.0, 180.0, 270.0]
    assert pieces.length_m.sum() == pytest.approx(64.0)
    assert pieces.length_m.max() <= 5.0
    np.testing.assert_allclose(pieces.foot_m, 0.0)
    np.testing.assert_allclose(pieces.top_m, 11.0)
    np.testing.assert_array_equal(pieces.n_band, 3)
    # Outward: half a cell before its middle lies outside the footprint.
    east_m = grid.west_m + (pieces.col + 0.5 + 0.5 * pieces.normal[:, 0]) * CELL_M
    north_m = grid.north_m - (pieces.row + 0.5 + 0.5 * pieces.normal[:, 1]) * CELL_M
    assert not shapely.contains_xy(plans[0], east_m, north_m).any()


def test_a_wall_against_a_lower_neighbour_begins_on_its_roof():
    grid, surface_m, plans = boxes_on((200, 200), (40, 40, 50, 52, 11), (50, 40, 60, 52, 4))
    pieces = wall_pieces(plans, grid, surface_m)
    party = (pieces.building == 1) & (np.round(pieces.grid_azimuth) == 90.0)
    np.testing.assert_allclose(pieces.foot_m[party], 4.0)
    # The neighbour's own side there is no wall.
    assert not ((pieces.building == 2) & (np.round(pieces.grid_azimuth) == 270.0)).any()


def test_walls_send_back_what_light_gives_them(few):
    grid, surface_m, plans = boxes_on((200, 200), (40, 40, 60, 52, 8))
    who = wall_points(grid, 50.0, 60.0, [2.0], 0.0)
    reflectors = lit_reflectors(surface_m, grid, plans, who, few, albedos=Albedos(wall=0.5))
    got = reflectors.sent[reflectors.first_band :, :12].sum(axis=1)
    # Nothing stands before its walls: what open walls get.
    azimuth = np.repeat(reflectors.pieces.grid_azimuth, reflectors.pieces.n_band)
    expected = open_light(few, np.full(len(azimuth), 90.0), azimuth, 0.0).poa_global_year_kwh_m2
    np.testing.assert_allclose(got, 0.5 * expected, rtol=0.005)


def test_eaves_shade_the_walls_that_reflect(few):
    grid, surface_m, plans = boxes_on((200, 200), (40, 40, 60, 52, 8))
    _, with_eaves_m, _ = boxes_on((200, 200), (39, 39, 61, 53, 8))
    who = wall_points(grid, 50.0, 60.0, [2.0], 0.0)
    reflectors = lit_reflectors(
        surface_m, grid, plans, who, few, albedos=Albedos(wall=1.0), with_eaves_m=with_eaves_m
    )
    pieces = reflectors.pieces
    south = np.flatnonzero(np.round(pieces.grid_azimuth) == 180.0)
    upper = reflectors.first_band + pieces.first_band[south] + 1
    got = reflectors.sent[upper, :12].sum(axis=1)
    # Two bands of 4 m, the upper one lit 6 m up, under eaves 1 m deep and 2 m above.
    row = pieces.row[south] + 0.5 + reflectors.first_row
    col = pieces.col[south] + reflectors.first_col
    n = len(south)
    under = Receivers(
        row, col, np.full(n, 6.0), np.zeros(n, int), [90.0], [180.0], top_tangent=np.full(n, 2.0)
    )
    expected = light(surface_m, CELL_M, under, few, albedo=0.0).poa_global_year_kwh_m2
    np.testing.assert_allclose(got, expected, rtol=0.01)
    open_ = open_light(few, [90.0], [180.0], 0.0).poa_global_year_kwh_m2[0]
    assert (got < 0.93 * open_).all()


def test_roofs_reflect_as_the_slopes_they_are():
    n = 9 * 12
    y, x = np.mgrid[0:n, 0:n] * CELL_M
    surface_m = 20.0 + 0.7 * x + 0.02 * np.sin(y)  # falls to the west by 35°
    places = tops(surface_m, np.ones((n, n), dtype=bool), CELL_M, sloped=True)
    assert len(places.receivers) == places.n_block == 144
    np.testing.assert_allclose(places.receivers.surface_tilt, 35.0)
    np.testing.assert_allclose(places.receivers.grid_azimuth, 270.0)
    # A ridge through every block is no slope.
    surface_m = 20.0 + 3.0 * np.abs(x % 4.5 - 2.25)
    places = tops(surface_m, np.ones((n, n), dtype=bool), CELL_M, sloped=True)
    np.testing.assert_allclose(places.receivers.surface_tilt, 0.0)


def test_a_block_with_one_cell_of_ground_is_lit_there():
    n = 9 * 3
    here = np.zeros((n, n), dtype=bool)
    here[11, 16] = True
    places = tops(np.zeros((n, n)), here, CELL_M, sloped=False)
    assert (places.receivers.row[0], places.receivers.col[0], places.block[0]) == (11, 16, 4)
    assert places.mean(np.ones((1, 12))).sum() == 12.0


@pytest.mark.parametrize("cell_m", [0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0])
def test_blocks_have_a_middle_cell(cell_m):
    n = block_cells(cell_m)
    assert n % 2 == 1
    assert n == 1 or 3.0 <= n * cell_m <= 4.9
