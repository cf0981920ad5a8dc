"""Receivers on walls: where they stand, what they stand for, and what hangs over them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from small_houses import EAVES_M, GROUND_M, house
from small_walls import GRID, NONE, WEST_M, boxes, facing, walls_of
from wall_town import WallTown, wall_town

from solarkataster.demo import make_town
from solarkataster.errors import InputError
from solarkataster.facades.receivers import (
    clear_of_surface,
    flat_roof_sides,
    wall_receivers,
)
from solarkataster.facades.surface import wall_surface
from solarkataster.facades.walls import building_walls
from solarkataster.footprint_cells import building_cells, cells_inside
from solarkataster.roofs.model import Heights, roof_model


@pytest.fixture(scope="module")
def demo() -> WallTown:
    """The demo town: overhangs up to 0.8 m, rows, a courtyard, a tower, dormers, relief."""
    return wall_town(make_town(kind="demo"))


def test_areas_sum_to_those_of_the_walls_and_to_those_of_the_storeys(demo):
    for found in demo.found:
        points, walls = found.receivers, found.walls
        n = len(walls)
        own_m2 = np.bincount(points.wall, points.area_m2, n)
        np.testing.assert_allclose(own_m2, walls.area_m2, rtol=1e-9, atol=1e-9)
        wall, storey, area_m2 = points.storeys()
        np.testing.assert_allclose(np.bincount(wall, area_m2, n), walls.area_m2, atol=1e-9)
        assert (storey >= 0).all()
        assert (points.area_m2 > 0.0).all()


def test_receivers_stand_close_enough_half_a_cell_outside_and_upright(demo):
    lowest_m2, n = np.inf, 0
    for found in demo.found:
        points, walls = found.receivers, found.walls
        at = points.receivers
        grid = demo.town.grid
        east_m = grid.west_m + (at.col + 0.5) * grid.cell_size_m
        north_m = grid.north_m - (at.row + 0.5) * grid.cell_size_m
        out_m = np.hypot(east_m - points.easting_m, north_m - points.northing_m)
        np.testing.assert_allclose(out_m, 0.5 * grid.cell_size_m, atol=1e-6)
        assert not shapely.contains_xy(found.building.footprint, east_m, north_m).any()
        rim_m = shapely.distance(
            found.building.footprint.boundary, shapely.points(points.easting_m, points.northing_m)
        )
        assert rim_m.max() < 1e-6
        assert (at.surface_tilt == 90.0).all()
        np.testing.assert_array_equal(at.grid_azimuth, walls.segments.chord_azimuth)
        # A point stands for at most 1 m × 1.5 m, but for slivers given to their neighbours.
        assert points.area_m2.max() <= 1.5 * 1.3
        assert (points.height_m > 0.0).all()
        assert (at.elevation_m < walls.top_m[points.wall]).all()
        n += len(points)
        lowest_m2 = min(lowest_m2, points.area_m2.min())
    assert n > 20_000


def test_columns_and_rows_of_a_plain_wall_are_even_and_storeys_are_cut_at_their_floors():
    plans, surface_m, terrain_m = boxes((10, 10, 20.4, 22, 9))
    walls = walls_of(plans[0], surface_m, terrain_m)
    points = wall_receivers(walls, GRID, storey_height_m=2.8)
    south = points.wall == facing(walls, 180.0)
    east_m = np.unique(np.round(points.easting_m[south] - WEST_M, 6))
    np.testing.assert_allclose(east_m, 10.0 + 10.4 * (np.arange(11) + 0.5) / 11, atol=1e-6)
    heights_m = np.unique(np.round(points.height_m[south], 6))
    lower_m = [0.7, 2.1, 3.5, 4.9]  # two rows of 1.4 m in each full storey, three in the highest
    np.testing.assert_allclose(heights_m, [*lower_m, *(5.6 + 3.4 * np.array([1, 3, 5]) / 6)])
    _, storey, area_m2 = points.storeys()
    assert storey.max() == 2  # 9 m are three storeys, the rest above 8.4 m is no fourth
    area_m2 = area_m2.reshape(4, 3).sum(axis=0)
    np.testing.assert_allclose(area_m2, 44.8 * np.array([2.8, 2.8, 3.4]), rtol=1e-3)


def test_gables_have_receivers_up_to_the_ridge_and_none_beside_them():
    one = house(20.0, depths_m=(0.0,) * 4, noise_m=0.0)
    walls = walls_of(
        one.footprint, one.elevation_m, np.full(one.grid.shape, GROUND_M), grid=one.grid
    )
    points = wall_receivers(walls, one.grid)
    gable = points.wall == facing(walls, 110.0)
    middle = np.array(one.footprint.centroid.coords[0])
    across = np.array([np.sin(np.radians(20.0)), np.cos(np.radians(20.0))])
    place = np.stack([points.easting_m, points.northing_m], axis=1)[gable]
    off_m = np.abs((place - middle) @ across)
    roof_m = EAVES_M + np.tan(np.radians(38.0)) * (4.5 - off_m)
    assert (points.receivers.elevation_m[gable] < roof_m).all()
    assert points.receivers.elevation_m[gable].max() > EAVES_M + 2.0


def test_a_wall_over_a_low_neighbour_has_receivers_only_above_it():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 4), (20, 10, 28, 22, 9))
    walls = walls_of(plans[1], surface_m, terrain_m, plans)
    points = wall_receivers(walls, GRID)
    above = points.wall == facing(walls, 270.0)
    assert points.receivers.elevation_m[above].min() > 104.0
    assert points.height_m[above].min() > 4.0  # over the ground, not over the neighbour
    assert points.storey[above].min() == 1


@settings(max_examples=25, deadline=None)
@given(
    st.floats(2.0, 40.0), st.floats(2.0, 40.0), st.floats(2.2, 30.0),
    st.floats(0.4, 2.0), st.floats(0.5, 3.0), st.floats(2.4, 4.0),
)  # fmt: skip
def test_any_spacing_keeps_the_area_and_its_limits(wide, deep, high, along_m, up_m, storey_m):
    plans, surface_m, terrain_m = boxes((8, 8, 8 + wide, 8 + deep, high))
    walls = building_walls(plans[0], None, GRID, surface_m, terrain_m, NONE)
    points = wall_receivers(walls, GRID, along_m=along_m, up_m=up_m, storey_height_m=storey_m)
    assert points.area_m2.sum() == pytest.approx(2 * (wide + deep) * high, rel=1e-5)
    assert points.area_m2.max() <= along_m * (up_m + 0.3) * (1 + 1e-9)
    assert points.storey.max() == max(0, int(np.floor(high / storey_m + 0.5)) - 1)


def _with_eaves(depths_m=(0.5, 0.6, 0.3, 0.0), faces=20.0):
    one = house(faces, depths_m=depths_m, noise_m=0.0)
    terrain_m = np.full(one.grid.shape, GROUND_M)
    free = np.ones(one.grid.shape, dtype=bool)
    model = roof_model(
        Heights.of_raster(one.grid, one.elevation_m, terrain_m), one.footprint, free=free
    )
    walls = building_walls(one.footprint, model, one.grid, one.elevation_m, terrain_m, NONE)
    return one, model, walls, terrain_m


def test_eaves_limit_the_sky_from_the_wall_plane_by_their_depth_and_lower_edge():
    one, model, walls, _ = _with_eaves()
    depth_m = np.empty(4)
    depth_m[one.by_side(model.overhang)] = one.depths_m
    points = wall_receivers(walls, one.grid, depth_m=depth_m)
    slope = np.tan(np.radians(38.0))
    for k, azimuth in ((0, 20.0), (1, 200.0)):  # eaves: they hang lower than the top of the wall
        own = points.wall == facing(walls, azimuth)
        edge_m = EAVES_M - slope * one.depths_m[k]
        over_m = edge_m - points.receivers.elevation_m[own]
        np.testing.assert_allclose(points.eaves_height_m[own], over_m, atol=0.03)
        np.testing.assert_allclose(
            points.receivers.top_tangent[own], np.maximum(over_m, 0.0) / one.depths_m[k], atol=0.1
        )
    verge = points.wall == facing(walls, 290.0)
    bare = points.wall == facing(walls, 110.0)
    if np.isinf(points.receivers.top_tangent[verge]).all():
        verge, bare = bare, verge
    assert np.isinf(points.receivers.top_tangent[bare]).all()
    level = np.round(points.height_m[verge], 3) == np.round(points.height_m[verge], 3).min()
    tangent = points.receivers.top_tangent[verge][level]
    rise_m = tangent.max() * 0.3 - tangent.min() * 0.3
    assert rise_m == pytest.approx(slope * (4.5 - 0.5), abs=0.1)  # higher under the ridge


def test_receivers_above_the_lower_edge_of_the_eaves_see_no_sky():
    one, model, walls, _ = _with_eaves((0.8, 0.8, 0.0, 0.0))
    depth_m = np.empty(4)
    depth_m[one.by_side(model.overhang)] = one.depths_m
    points = wall_receivers(walls, one.grid, depth_m=depth_m, up_m=0.4)
    eaves = points.eaves_depth_m > 0.0
    high = points.receivers.elevation_m > EAVES_M - 0.8 * np.tan(np.radians(38.0)) + 0.03
    assert (eaves & high).any()
    assert (points.receivers.top_tangent[eaves & high] == 0.0).all()


def test_an_unknown_depth_limits_nothing_and_is_told():
    _, _, walls, _ = _with_eaves()
    points = wall_receivers(walls, GRID)
    assert np.isnan(points.eaves_depth_m).all()
    assert np.isinf(points.receivers.top_tangent).all()


def test_no_receiver_lies_below_the_surface_it_sees(demo, figure):
    buried, raw, n, lifted, lost_m2, area_m2 = 0, 0, 0, 0, 0.0, 0.0
    grid, surface_m = demo.town.grid, demo.surface_m
    for found in demo.found:
        clear = demo.clear(found, surface_m)
        at = clear.receivers
        row, col = np.floor(at.row + 0.5).astype(int), np.floor(at.col + 0.5).astype(int)
        x = grid.west_m + (col + 0.5) * grid.cell_size_m
        y = grid.north_m - (row + 0.5) * grid.cell_size_m
        own = shapely.contains_xy(found.building.footprint, x, y)
        buried += np.count_nonzero((at.elevation_m < surface_m[row, col]) & ~own)
        raw += len(found.receivers) - len(demo.clear(found, demo.town.dsm_m))
        n += len(found.receivers)
        lifted += int(clear.is_lifted.sum())
        lost_m2 += clear.buried_area_m2.sum()
        area_m2 += found.walls.area_m2.sum()
        assert clear.area_m2.sum() + clear.buried_area_m2.sum() == pytest.approx(
            found.walls.area_m2.sum()
        )
    figure(
        "wall receivers",
        f"{n} in the demo town, {n / len(demo.found):.0f} per building; under eaves that were not "
        f"cut back {raw / n:.0%}; cut back {buried} buried, {lifted} lifted, {lost_m2:.1f} of "
        f"{area_m2:.0f} m2 without receivers",
    )
    assert buried == 0
    assert raw > 0.1 * n
    assert lost_m2 < 0.001 * area_m2


def test_what_stands_before_a_wall_lifts_receivers_or_takes_them():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    shed = cells_inside(
        shapely.box(WEST_M + 12, GRID.south_m + 7, WEST_M + 16, GRID.south_m + 10), GRID
    )
    walls = walls_of(plans[0], surface_m, terrain_m)
    points = wall_receivers(walls, GRID)
    arguments = points, walls, plans[0], GRID
    clear = clear_of_surface(*arguments, np.where(shed, 103.0, surface_m), terrain_m)
    assert clear.buried_area_m2.sum() == pytest.approx(4 * 2.8, rel=0.02)
    assert clear.buried_area_m2[facing(walls, 180.0)] == clear.buried_area_m2.sum()
    clear = clear_of_surface(*arguments, np.where(shed, 101.0, surface_m), terrain_m)
    assert clear.is_lifted.sum() == 4
    assert clear.receivers.elevation_m[clear.is_lifted].min() > 101.0
    np.testing.assert_allclose(clear.height_m[clear.is_lifted], 1.05, atol=1e-6)
    assert clear.area_m2.sum() == pytest.approx(walls.area_m2.sum())
    same = clear_of_surface(*arguments, surface_m, terrain_m)
    assert len(same) == len(points)
    assert not same.is_lifted.any()


def test_the_edge_of_a_roof_over_a_lower_neighbour_buries_no_receiver():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 4), (20, 10, 28, 22, 9))
    walls = walls_of(plans[1], surface_m, terrain_m, plans)
    points = wall_receivers(walls, GRID)
    edge = cells_inside(plans[0], GRID) & cells_inside(shapely.buffer(plans[1], 0.5), GRID)
    smeared = np.where(edge, 108.5, surface_m).astype(np.float32)
    arguments = points, walls, plans[1], GRID
    assert clear_of_surface(*arguments, smeared, terrain_m).buried_area_m2.sum() > 40.0
    building = building_cells(np.array(plans), GRID)
    shown = wall_surface(smeared, terrain_m, building, GRID.cell_size_m)
    clear = clear_of_surface(*arguments, shown, terrain_m)
    assert clear.buried_area_m2.sum() == 0.0
    assert not clear.is_lifted.any()
    assert (wall_surface(surface_m, terrain_m, building, GRID.cell_size_m) == surface_m).all()


def test_eaves_are_cut_back_and_trees_and_houses_stay():
    one, _, _, terrain_m = _with_eaves((0.6, 0.6, 0.4, 0.4))
    crown = np.hypot(one.across_m - 9.0, one.along_m) < 2.0
    surface_m = np.where(crown, EAVES_M + 4.0, one.elevation_m)
    inside = cells_inside(one.footprint, one.grid)
    shown = wall_surface(surface_m, terrain_m, inside.astype(np.int32), one.grid.cell_size_m)
    assert (shown[inside] == surface_m[inside]).all()
    assert (shown[crown] == surface_m[crown]).all()
    beside = ~inside & ~crown
    assert (shown[beside] == GROUND_M).all()
    assert (surface_m[beside] > GROUND_M + 3.0).any()


def test_any_window_gives_the_same_receivers():
    town = make_town(kind="demo")
    building = town.buildings[20]
    found = []
    for margin_m in (6.0, 17.7):
        window = town.grid.crop(shapely.buffer(building.footprint, margin_m).bounds)
        row, col = town.grid.offset_of(window)
        surface_m = town.dsm_m[row : row + window.shape[0], col : col + window.shape[1]]
        terrain_m = np.full(window.shape, 230.0, dtype=np.float32)
        walls = walls_of(building.footprint, surface_m, terrain_m, grid=window)
        points = wall_receivers(walls, window, depth_m=np.full(len(walls.segments.sides), 0.4))
        found.append((row, col, points))
    (row, col, first), (other_row, other_col, second) = found
    assert (first.receivers.row + row == second.receivers.row + other_row).all()
    assert (first.receivers.col + col == second.receivers.col + other_col).all()
    assert first.receivers.top_tangent.tobytes() == second.receivers.top_tangent.tobytes()
    for name in ("area_m2", "height_m", "storey", "easting_m"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes(), name


def test_a_building_whose_walls_are_not_seen_has_no_receivers():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    walls = building_walls(plans[0], None, GRID, terrain_m, terrain_m, NONE)
    points = wall_receivers(walls, GRID)
    clear = clear_of_surface(points, walls, plans[0], GRID, surface_m, terrain_m)
    assert len(points) == len(clear) == 0
    assert [len(column) for column in clear.storeys()] == [0, 0, 0]


def test_wrong_arguments_are_named():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    walls = building_walls(plans[0], None, GRID, surface_m, terrain_m, NONE)
    with pytest.raises(InputError, match="along_m = 0"):
        wall_receivers(walls, GRID, along_m=0.0)
    with pytest.raises(InputError, match="one depth per side"):
        wall_receivers(walls, GRID, depth_m=np.zeros(3))


def test_sides_under_flat_roofs_are_told_from_those_under_eaves():
    _, _, walls, _ = _with_eaves((0.6, 0.6, 0.4, 0.4))
    assert not flat_roof_sides(walls).any()
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    assert flat_roof_sides(walls_of(plans[0], surface_m, terrain_m)).all()
