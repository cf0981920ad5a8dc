"""One bounce: closed forms of views, laws, and who may share a look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster import reflection
from solarkataster.errors import InputError
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.irradiance import light, open_light
from solarkataster.receivers import Receivers
from solarkataster.reflection import Albedos, bounce, lit_reflectors, view_shares
from solarkataster.sky_table import sky_table

CELL_M = 0.5
WEST_M, NORTH_M = 400_000.0, 5_600_000.0


@pytest.fixture(scope="module")
def few(sources):
    """The sky that lights what reflects."""
    return sky_table(sources, 0.0, n_azimuth=24)


def boxes_on(shape, *boxes, cell_m=CELL_M):
    """Grid, surface and footprints of boxes (west, south, east, north, height) on a plain. [m]"""
    grid = Grid(shape, WEST_M, NORTH_M, cell_m, "EPSG:25832")
    plans = [
        shapely.box(WEST_M + w, grid.south_m + s, WEST_M + e, grid.south_m + n)
        for w, s, e, n, _ in boxes
    ]
    surface_m = np.zeros(shape, dtype=np.float32)
    for plan, (*_, height_m) in zip(plans, boxes, strict=True):
        surface_m[cells_inside(plan, grid)] = height_m
    return grid, surface_m, np.array(plans, dtype=object)


def wall_points(grid, east_m, north_m, heights_m, azimuth_deg):
    """A column of receivers at a place on a wall's front, from the south-west corner. [m]"""
    row, col = grid.row_col(WEST_M + east_m, grid.south_m + north_m)
    heights_m = np.asarray(heights_m, dtype=float)
    n = len(heights_m)
    places = np.full(n, row), np.full(n, col), heights_m
    return Receivers(*places, np.zeros(n, int), [90.0], [azimuth_deg])


# Closed forms


@pytest.mark.parametrize("height_m", [5.0, 12.0, 20.0])
def test_a_wall_in_an_endless_canyon_sees_ground_and_wall_as_crossed_strings_say(few, height_m):
    # Receivers 0.25 m before the west wall; the street is 16 m wide and 400 m long.
    grid, surface_m, plans = boxes_on(
        (800, 200), (0, 0, 42, 400, height_m), (58, 0, 100, 400, height_m)
    )
    up_m = np.arange(0.5, height_m, 1.0)
    walls = wall_points(grid, 42.25, 200.2, up_m, 90.0)
    seen = view_shares(lit_reflectors(surface_m, grid, plans, walls, few), walls)
    across_m = 15.75
    below, above = np.arctan(up_m / across_m), np.arctan((height_m - up_m) / across_m)
    ground = seen[:, 0] + seen[:, 3]
    np.testing.assert_allclose(ground, (1.0 - np.sin(below)) / 2.0, atol=0.003)
    np.testing.assert_allclose(seen[:, 2], (np.sin(above) + np.sin(below)) / 2.0, atol=0.003)
    assert seen[:, 1].max() <= 0.001


@pytest.mark.parametrize("half_m", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("up_m", [1.5, 6.0])
def test_a_single_wall_opposite_fills_its_rectangle_of_the_view(few, half_m, up_m):
    # Sum of the four parallel rectangles about the normal's foot: Howell, catalogue, B-3.
    height_m, across_m = 9.0, 10.0
    grid, surface_m, plans = boxes_on((400, 400), (110, 100 - half_m, 120, 100 + half_m, height_m))
    walls = wall_points(grid, 100.0, 100.0, [up_m], 90.0)
    seen = view_shares(lit_reflectors(surface_m, grid, plans, walls, few), walls)

    def corner(a, b):
        x, y = a / across_m, b / across_m
        x1, y1 = np.sqrt(1 + x * x), np.sqrt(1 + y * y)
        return (x / x1 * np.arctan(y / x1) + y / y1 * np.arctan(x / y1)) / (2 * np.pi)

    above = corner(half_m, height_m - up_m)
    assert seen[0, 2] == pytest.approx(2.0 * (corner(half_m, up_m) + above), abs=0.01)


@pytest.mark.parametrize("from_corner_m", [1.0, 3.0, 8.0, 20.0])
def test_at_an_inner_corner_the_other_wall_fills_its_part_of_the_view(few, from_corner_m):
    # A very high wall square to the receiver's, 60 m long, endless upwards and down to the ground.
    length_m, height_m, up_m = 60.0, 400.0, 5.0
    grid, surface_m, plans = boxes_on(
        (800, 800), (100, 300, 200, 310, height_m), (90, 240, 100, 310, height_m)
    )
    walls = wall_points(grid, 100.0 + from_corner_m, 299.75, [up_m], 180.0)
    seen = view_shares(lit_reflectors(surface_m, grid, plans, walls, few), walls)

    def beside(c):
        # Small plane to a rectangle square to it, at distance a, b long and c high to one side:
        # Howell, catalogue, B-4.
        a, b = from_corner_m, length_m - 0.25
        z = np.hypot(a, b)
        return (np.arctan(c / a) - a / z * np.arctan(c / z)) / (2 * np.pi)

    assert seen[0, 2] == pytest.approx(beside(height_m - up_m) + beside(up_m), abs=0.01)


@pytest.mark.parametrize("tilt", [90.0, 60.0, 30.0, 5.0])
def test_an_open_plane_gets_the_ground_light_of_pvlib(sky, few, tilt):
    # albedo · GHI · (1 - cos tilt) / 2
    grid, surface_m, plans = boxes_on((240, 240))
    planes = Receivers([120.3], [119.6], [4.0], [0], [tilt], [213.0])
    got = bounce(
        lit_reflectors(surface_m, grid, plans, planes, few, albedos=Albedos(np.full(12, 0.2))),
        planes,
        light(surface_m, CELL_M, planes, sky),
    )
    expected = 0.2 * sky.ghi_kwh_m2.sum() * (1 - np.cos(np.radians(tilt))) / 2
    np.testing.assert_allclose(got.poa_ground_diffuse_year_kwh_m2, expected, rtol=1e-3, atol=0.01)
    expected = open_light(sky, [tilt], [213.0], 0.2).poa_global_month_kwh_m2
    np.testing.assert_allclose(got.poa_global_month_kwh_m2, expected, rtol=1e-3, atol=0.01)


# Laws


def lit(grid, surface_m, plans, receivers, few, sky, **options):
    """Light of receivers with what comes back."""
    lattice = {"first_row": grid.first_row, "first_col": grid.first_col}
    seen = light(surface_m, grid.cell_size_m, receivers, sky, **lattice)
    return bounce(
        lit_reflectors(surface_m, grid, plans, receivers, few, **options), receivers, seen
    )


#: Blocks of 9 cells, so that a quarter turn about the middle brings blocks onto blocks.
N_TOWN = 9 * 30


def small_town(turned=False):
    """
    Boxes at odd angles in a window of whole blocks, with receivers on walls and a roof.

    ``turned``: the same, a quarter turn clockwise.
    """
    grid = Grid((N_TOWN, N_TOWN), 4.5 * 90_000, 4.5 * 1_200_000, CELL_M, "EPSG:25832")
    plans, surface_m = [], np.zeros(grid.shape, dtype=np.float32)
    surface_m += 0.3 * np.sin(np.arange(N_TOWN) / 30.0).astype(np.float32)[:, None]
    for x, y, wide, deep, angle, height_m in (
        (-14.0, 3.0, 12.0, 20.0, 8.0, 9.0),
        (9.0, 6.0, 10.0, 24.0, 8.0, 12.0),
        (-2.0, -21.0, 30.0, 9.0, 40.0, 7.0),
        (2.0, 27.0, 16.0, 8.0, 71.0, 20.0),
    ):
        plan = shapely.affinity.rotate(shapely.box(-wide / 2, -deep / 2, wide / 2, deep / 2), angle)
        plan = shapely.affinity.translate(plan, grid.centre[0] + x, grid.centre[1] + y)
        plans.append(plan)
        surface_m[cells_inside(plan, grid)] = height_m
    row = np.repeat([131.2, 118.7, 140.4, 96.0], 4)
    col = np.repeat([122.6, 138.9, 148.3, 160.0], 4)
    up_m = np.tile([1.0, 3.0, 5.0, 7.0], 4)
    tilt, azimuth = np.array([90.0, 90.0, 90.0, 40.0]), np.array([98.0, 278.0, 188.0, 10.0])
    surface = np.repeat(np.arange(4, dtype=np.int32), 4)
    if not turned:
        return grid, surface_m, np.array(plans), Receivers(row, col, up_m, surface, tilt, azimuth)
    plans = [shapely.affinity.rotate(plan, -90.0, origin=grid.centre) for plan in plans]
    receivers = Receivers(col, N_TOWN - 1.0 - row, up_m, surface, tilt, (azimuth + 90.0) % 360.0)
    return grid, np.rot90(surface_m, -1).copy(), np.array(plans), receivers


def test_a_town_turned_with_its_sun_gets_the_same_back(sources, few, sky):
    east_sun, east_few = (sky_table(sources, -90.0, n_azimuth=n) for n in (72, 24))
    before = lit(*small_town(), few, sky)
    after = lit(*small_town(turned=True), east_few, east_sun)
    np.testing.assert_allclose(
        after.poa_ground_diffuse_year_kwh_m2, before.poa_ground_diffuse_year_kwh_m2, rtol=1e-3
    )
    np.testing.assert_allclose(
        after.poa_global_month_kwh_m2, before.poa_global_month_kwh_m2, rtol=1e-3, atol=0.01
    )


def some_of(receivers, which, rows=0, cols=0):
    """Receivers in another order, in a window that starts so much farther on."""
    return Receivers(
        receivers.row[which] - rows, receivers.col[which] - cols, receivers.elevation_m[which],
        receivers.surface[which], receivers.surface_tilt, receivers.grid_azimuth,
    )  # fmt: skip


def test_another_order_of_columns_gives_the_same_bytes(few, sky):
    grid, surface_m, plans, receivers = small_town()
    order = np.r_[8:12, 0:4, 12:16, 4:8]
    one = lit(grid, surface_m, plans, receivers, few, sky)
    other = lit(grid, surface_m, plans, some_of(receivers, order), few, sky)
    np.testing.assert_array_equal(other.poa_global_month_kwh_m2, one.poa_global_month_kwh_m2[order])
    # Each height alone: not from the list of the highest, but the same view.
    order = np.random.default_rng(1).permutation(len(receivers))
    other = lit(grid, surface_m, plans, some_of(receivers, order), few, sky)
    np.testing.assert_allclose(
        other.poa_global_month_kwh_m2, one.poa_global_month_kwh_m2[order], rtol=1e-4
    )


@pytest.mark.parametrize(("rows", "cols"), [(25, 33), (9, 0), (0, 1)])
def test_a_window_within_the_window_gives_the_same_but_for_rounding(few, sky, rows, cols):
    grid, surface_m, plans, receivers = small_town()
    whole = lit(grid, surface_m, plans, receivers, few, sky, reach_m=20.0)
    part = grid.window(rows, cols, 225, 215)
    inner = lit(
        part, surface_m[rows : rows + 225, cols : cols + 215], plans,
        some_of(receivers, np.arange(16), rows, cols), few, sky, reach_m=20.0,
    )  # fmt: skip
    for name in ("poa_global_month_kwh_m2", "poa_ground_diffuse_year_kwh_m2"):
        np.testing.assert_allclose(getattr(inner, name), getattr(whole, name), rtol=1e-5)


def test_who_asks_beside_a_receiver_does_not_move_what_it_gets(few, sky):
    # As at a tile's border: other receivers widen the part of the window that is lit.
    grid, surface_m, plans, receivers = small_town()
    both = lit(grid, surface_m, plans, receivers, few, sky, reach_m=30.0)
    alone = lit(grid, surface_m, plans, some_of(receivers, np.arange(4)), few, sky, reach_m=30.0)
    np.testing.assert_allclose(
        alone.poa_global_month_kwh_m2, both.poa_global_month_kwh_m2[:4], rtol=1e-9
    )


@given(st.sampled_from(["ground", "roof", "wall"]), st.floats(0.0, 0.9), st.floats(0.01, 0.1))
@settings(deadline=None, max_examples=12)
def test_nobody_gets_less_when_something_sends_back_more(few, sky, name, albedo, more):
    town = small_town()
    got = []
    for share in (albedo, albedo + more):
        shares = {"ground": np.full(12, 0.2), "roof": 0.2, "wall": 0.3}
        shares[name] = np.full(12, share) if name == "ground" else share
        got.append(lit(*town, few, sky, albedos=Albedos(**shares)).poa_global_month_kwh_m2)
    assert (got[1] - got[0]).min() >= -1e-4
    assert (got[1] - got[0]).max() > 0.0 or name == "roof"


def test_what_comes_back_is_ground_roofs_and_walls_in_proportion(few, sky):
    town = small_town()
    nothing = {"ground": np.zeros(12), "roof": 0.0, "wall": 0.0}
    year = {
        name: lit(*town, few, sky, albedos=Albedos(**{**nothing, **some}))
        for name, some in (
            ("ground", {"ground": np.full(12, 0.5)}),
            ("roof", {"roof": 0.5}),
            ("wall", {"wall": 0.5}),
            ("all", {"ground": np.full(12, 0.5), "roof": 0.5, "wall": 0.5}),
            ("black", {}),
        )
    }
    back = {name: seen.poa_ground_diffuse_year_kwh_m2 for name, seen in year.items()}
    np.testing.assert_allclose(back["all"], back["ground"] + back["roof"] + back["wall"], rtol=1e-4)
    np.testing.assert_allclose(back["black"], 0.0, atol=1e-12)
    parts = year["all"]
    total = parts.poa_direct_year_kwh_m2 + parts.poa_sky_diffuse_year_kwh_m2 + back["all"]
    np.testing.assert_allclose(parts.poa_global_month_kwh_m2.sum(axis=1), total, rtol=1e-6)


def test_the_parts_of_the_view_are_what_the_light_says_is_not_sky(few, sources):
    grid, surface_m, plans, receivers = small_town()
    seen = light(surface_m, CELL_M, receivers, sky_table(sources, 0.0, n_azimuth=120))
    shares = view_shares(lit_reflectors(surface_m, grid, plans, receivers, few), receivers)
    off = shares.sum(axis=1) - seen.ground_view_factor
    assert np.abs(off[:12]).max() <= 0.01
    assert abs(off[:12].mean()) <= 0.005
    assert np.abs(off[12:]).max() <= 0.04  # a tilted plane looks around with few rays


def test_each_house_has_its_own_share_of_windows(few, sky):
    grid, surface_m, plans, receivers = small_town()
    options = {"albedos": Albedos(np.zeros(12), 0.0, 0.6, 0.1)}
    plain, glazed, one = (
        lit(grid, surface_m, plans, receivers, few, sky, glass_fraction=glass, **options)
        for glass in (0.0, 0.5, np.array([0.0, 0.5, 0.0, 0.0]))
    )
    # (1 - 0.5) · 0.6 + 0.5 · 0.1 = 0.35, as a share of 0.6
    np.testing.assert_allclose(
        glazed.poa_ground_diffuse_year_kwh_m2, 0.35 / 0.6 * plain.poa_ground_diffuse_year_kwh_m2,
        rtol=1e-5,
    )  # fmt: skip
    # The first wall looks at the second house alone, but for its neighbours at the sides.
    back = one.poa_ground_diffuse_year_kwh_m2[:8] / plain.poa_ground_diffuse_year_kwh_m2[:8]
    assert back[:4].max() < 0.8
    assert back[4:].min() > 0.85


def test_a_wall_across_from_a_sunny_one_gets_more_back(few, sky):
    # A street from west to east; ground black, so that only walls send back.
    grid, surface_m, plans = boxes_on((240, 600), (0, 62, 300, 72, 10), (0, 40, 300, 50, 10))
    north = wall_points(grid, 150.1, 61.75, [5.0], 180.0)
    south = wall_points(grid, 150.1, 50.25, [5.0], 0.0)
    albedos = Albedos(np.zeros(12), 0.0, 0.5)
    sunny, shaded = (
        lit(grid, surface_m, plans, who, few, sky, albedos=albedos).poa_ground_diffuse_year_kwh_m2[
            0
        ]
        for who in (south, north)
    )
    assert sunny > 1.8 * shaded


def test_snow_and_grass_send_back_their_own_light_month_by_month(few, sky):
    grid, surface_m, plans = boxes_on((300, 300), (70, 70, 80, 80, 9))
    kinds = np.zeros(grid.shape, dtype=np.uint8)
    kinds[:, 160:] = 1  # east of the house
    ground = np.stack([np.full(12, 0.2), np.r_[0.8, np.full(11, 0.2)]])
    east, west = (wall_points(grid, x, 75.1, [3.0], a) for x, a in ((80.25, 90.0), (69.75, 270.0)))
    options = {"albedos": Albedos(ground), "ground_class": kinds}
    plain = {"albedos": Albedos(ground[0])}
    for who, is_white in ((east, True), (west, False)):
        white = lit(grid, surface_m, plans, who, few, sky, **options).poa_global_month_kwh_m2[0]
        green = lit(grid, surface_m, plans, who, few, sky, **plain).poa_global_month_kwh_m2[0]
        np.testing.assert_allclose(white[1:], green[1:], rtol=1e-6)
        back = 0.2 * sky.ghi_kwh_m2[0] * 0.5  # of open ground
        gain = (white[0] - green[0]) / back
        assert (2.0 < gain < 3.1) if is_white else abs(gain) < 0.3


def test_nothing_comes_back_from_under_the_eaves(few):
    grid, surface_m, plans = boxes_on((800, 200), (0, 0, 42, 400, 12), (58, 0, 100, 400, 12))
    free = wall_points(grid, 42.25, 200.2, [3.0], 90.0)
    under = replace(free, top_tangent=[0.2])
    reflectors = lit_reflectors(surface_m, grid, plans, free, few)
    seen, cut = view_shares(reflectors, free)[0], view_shares(reflectors, under)[0]
    # Endless strip from the ground across to the edge, crossed strings.
    below, above = np.arctan(3.0 / 15.75), np.arctan(0.2)
    assert cut[2] == pytest.approx((np.sin(above) + np.sin(below)) / 2, abs=0.004)
    assert cut[0] == pytest.approx(seen[0], abs=1e-6)


def test_roof_cells_that_share_a_look_get_nearly_what_each_alone_gets(few, sky, monkeypatch):
    grid, surface_m, plans, _ = small_town()
    roof = Receivers(
        *np.mgrid[100:130, 118:124].reshape(2, -1), np.full(180, 9.6), np.zeros(180, int), [35.0],
        [188.0],
    )  # fmt: skip
    shared = lit(grid, surface_m, plans, roof, few, sky)
    monkeypatch.setattr(reflection, "ROOF_BOX_M", 1e-3)
    alone = lit(grid, surface_m, plans, roof, few, sky)
    error = shared.poa_global_month_kwh_m2.sum(axis=1) / alone.poa_global_month_kwh_m2.sum(axis=1)
    assert np.abs(error - 1.0).max() <= 0.004
    assert (shared.poa_global_month_kwh_m2 != alone.poa_global_month_kwh_m2).any()


def test_a_level_roof_in_the_open_gets_what_it_got(few, sky):
    grid, surface_m, plans = boxes_on((300, 300), (70, 70, 80, 80, 9))
    roof = Receivers([150.0], [150.0], [9.1], [0], [0.0], [0.0])
    before = light(surface_m, CELL_M, roof, sky).poa_global_month_kwh_m2
    got = lit(grid, surface_m, plans, roof, few, sky).poa_global_month_kwh_m2
    np.testing.assert_allclose(got, before, rtol=1e-5)


def test_missing_footprints_holes_in_the_surface_and_parts_of_buildings_do_no_harm(few, sky):
    grid, surface_m, plans, receivers = small_town()
    plain = lit(grid, surface_m, plans, receivers, few, sky)
    two = shapely.MultiPolygon([plans[0], plans[1]])
    odd = np.array([None, two, shapely.Polygon(), plans[2], plans[3]], dtype=object)
    same = lit(grid, surface_m, odd, receivers, few, sky)
    np.testing.assert_allclose(
        same.poa_global_month_kwh_m2, plain.poa_global_month_kwh_m2, rtol=1e-6
    )
    surface_m = surface_m.copy()
    surface_m[:40] = np.nan
    surface_m[150:153, 100:110] = np.nan
    holed = lit(grid, surface_m, plans, receivers, few, sky)
    assert np.isfinite(holed.poa_global_month_kwh_m2).all()


# Refused


NO_SHARES = [{"ground": np.full(n, a)} for n, a in ((11, 0.2), (12, 1.2))]


@pytest.mark.parametrize("shares", [*NO_SHARES, {"wall": -0.1}, {"glass": np.nan}])
def test_shares_that_are_none_are_refused(shares):
    with pytest.raises(InputError, match="albedo"):
        Albedos(**shares)


def test_a_class_without_albedo_and_strangers_are_refused(few):
    grid, surface_m, plans, receivers = small_town()
    kinds = np.full(grid.shape, 3)
    with pytest.raises(InputError, match="class of ground 3"):
        lit_reflectors(surface_m, grid, plans, receivers, few, ground_class=kinds)
    with pytest.raises(InputError, match="shape"):
        lit_reflectors(surface_m[1:], grid, plans, receivers, few)
    near = lit_reflectors(surface_m, grid, plans, receivers, few, reach_m=5.0)
    far = Receivers([3.0], [3.0], [1.0], [0], [90.0], [0.0])
    with pytest.raises(InputError, match="beyond the reflectors"):
        view_shares(near, far)
