"""Walls against closed forms, against the exact walls of made-up towns, and their laws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import affinity
from small_houses import EAVES_M, GROUND_M, LENGTH_M, WIDTH_M, house
from small_walls import GRID, NONE, WEST_M, boxes, facing, walls_of
from wall_town import exact_areas, wall_town

from solarkataster.demo import make_town
from solarkataster.errors import InputError
from solarkataster.facades.receivers import wall_receivers
from solarkataster.facades.segments import wall_segments
from solarkataster.facades.walls import LOW, NO_HEIGHT, PARTY_WALL, building_walls
from solarkataster.footprint_cells import cells_inside
from solarkataster.io.footprints import read_footprints
from solarkataster.io.rasters import open_rasters, read_resampled, read_window
from solarkataster.roofs.model import Heights, roof_model
from solarkataster.tiling import building_window


@pytest.mark.parametrize("faces", [0.0, 20.0, 45.0, 163.0])
def test_a_gabled_house_has_its_closed_form_walls_and_its_gables_end_in_a_point(faces):
    one = house(faces, depths_m=(0.0,) * 4, noise_m=0.0)
    terrain_m = np.full(one.grid.shape, GROUND_M)
    walls = walls_of(one.footprint, one.elevation_m, terrain_m, grid=one.grid)
    height_m, rise = EAVES_M - GROUND_M, np.tan(np.radians(38.0))
    for azimuth in (faces, faces + 180.0):
        wall = facing(walls, azimuth)
        assert walls.area_m2[wall] == pytest.approx(LENGTH_M * height_m, rel=2e-3)
        assert walls.top_m[wall] == pytest.approx(EAVES_M, abs=0.02)
    for azimuth in (faces + 90.0, faces - 90.0):
        wall = facing(walls, azimuth)
        gable_m2 = WIDTH_M * height_m + rise * WIDTH_M**2 / 4.0
        assert walls.area_m2[wall] == pytest.approx(gable_m2, rel=2e-3)
        assert walls.top_m[wall] == pytest.approx(EAVES_M + rise * WIDTH_M / 2.0, abs=0.03)
        (ring,) = walls.rings(wall)
        assert len(ring) == 6  # two corners at the foot, two at the eaves, the ridge; closed
        assert (ring[0] == ring[-1]).all()
        assert np.ptp(ring[:, :2] @ _direction(azimuth)) < 1e-6  # one upright plane
    assert walls.reason == ("",) * 4
    assert np.all(walls.from_cells_fraction == 0.0)


def _direction(azimuth: float) -> np.ndarray:
    return np.array([np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))])


def _ring_area(ring: np.ndarray) -> float:
    """Area of a polygon in space, by the sum of cross products from its first corner. [m²]"""
    arms = ring - ring[0]
    return 0.5 * float(np.linalg.norm(np.cross(arms[:-1], arms[1:]).sum(axis=0)))


def test_a_roof_from_laser_points_gives_the_same_walls():
    one = house(20.0, cell_size_m=0.3, depths_m=(0.0,) * 4, noise_m=0.02, share_of_points=0.9)
    terrain_m = np.full(one.grid.shape, GROUND_M)
    heights = Heights(
        one.grid, one.elevation_m, terrain_m, one.offset_east_m, one.offset_north_m, 10.0
    )
    model = roof_model(heights, one.footprint)
    walls = building_walls(one.footprint, model, one.grid, one.elevation_m, terrain_m, NONE)
    height_m, rise = EAVES_M - GROUND_M, np.tan(np.radians(38.0))
    gable_m2 = WIDTH_M * height_m + rise * WIDTH_M**2 / 4.0
    assert walls.area_m2[facing(walls, 110.0)] == pytest.approx(gable_m2, rel=0.01)
    assert walls.area_m2[facing(walls, 20.0)] == pytest.approx(LENGTH_M * height_m, rel=0.01)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("demo", {"size_m": 400}),
        ("courtyard", {"size_m": 200}),
        ("tower", {"size_m": 160}),
        ("dense", {"size_m": 120, "rotation_deg": 20.0}),
    ],
)
def test_walls_of_a_town_sum_to_the_exact_ones(kind, arguments, figure):
    found_town = wall_town(make_town(kind=kind, **arguments))
    errors, exact_m2, found_m2, known_m, length_m, n_long = [], 0.0, 0.0, 0.0, 0.0, 0
    for found in found_town.found:
        walls, sides = found.walls, exact_areas(found_town.town, found.building)
        own_m2 = sum(area_m2 for *_, area_m2 in sides)
        if own_m2 > 20.0:
            errors.append(walls.area_m2.sum() / own_m2 - 1.0)
        exact_m2 += own_m2
        found_m2 += walls.area_m2.sum()
        known_m += walls.covered_fraction * walls.segments.length_m.sum()
        length_m += walls.segments.length_m.sum()
        n_long += _compare_sides(walls, sides)
        rings_m2 = sum(
            _ring_area(ring) for k in np.flatnonzero(walls.is_seen) for ring in walls.rings(k)
        )
        assert rings_m2 == pytest.approx(walls.area_m2.sum(), rel=5e-3)
    n = len(found_town.found)
    figure(
        "walls",
        f"{kind}: {n} buildings, {n_long} walls over 1 m, {known_m / length_m:.2%} of the wall "
        f"length has a result; area {found_m2 / exact_m2 - 1.0:+.2%}, per building "
        f"{np.mean(np.abs(errors)):.2%} (worst {np.max(np.abs(errors)):.1%}); walls and receivers "
        f"{1e3 * found_town.seconds / n:.2f} ms per building",
    )
    assert known_m >= 0.99 * length_m
    assert abs(found_m2 / exact_m2 - 1.0) <= 0.01
    assert np.mean(np.abs(errors)) <= 0.01


def _compare_sides(walls, sides) -> int:
    """Every true side over 1 m is a wall of exactly its azimuth, seen or hidden as it should."""
    own = walls.segments.sides
    middles = 0.5 * (own.start + own.end)
    n = 0
    for start, end, area_m2 in sides:
        if np.hypot(*(end - start)) <= 1.0:
            continue
        along = end - start
        wall = walls.segments.wall[np.argmin(np.hypot(*(middles - 0.5 * (start + end)).T))]
        azimuth = np.degrees(np.arctan2(along[1], -along[0]))
        apart = (walls.segments.wall_azimuth[wall] - azimuth + 180.0) % 360.0 - 180.0
        assert abs(apart) < 1e-4
        assert walls.reason[wall] in ("", PARTY_WALL)
        if area_m2 > 15.0:
            assert walls.reason[wall] == ""
        elif area_m2 == 0.0:
            assert walls.area_m2[wall] < 1.0
        n += 1
    return n


def test_a_row_of_boxes_shows_only_what_stands_over_the_neighbours():
    plans, *rasters = boxes((10, 10, 20, 22, 6), (20, 10, 28, 22, 9), (28.3, 10, 40, 22, 4))
    left, middle, right = (walls_of(plan, *rasters, plans) for plan in plans)
    assert left.area_m2.sum() == pytest.approx(6 * (10 + 10 + 12), rel=1e-3)
    assert left.reason[facing(left, 90.0)] == PARTY_WALL
    assert left.hidden_area_m2[facing(left, 90.0)] == pytest.approx(72.0, rel=1e-3)
    assert middle.area_m2[facing(middle, 270.0)] == pytest.approx(3 * 12, rel=1e-3)
    assert middle.area_m2[facing(middle, 90.0)] == pytest.approx(5 * 12, rel=1e-3)
    assert middle.foot_m[facing(middle, 270.0)] == pytest.approx(106.0, abs=1e-3)
    assert right.reason[facing(right, 270.0)] == PARTY_WALL  # over a gap of 0.3 m
    apart = walls_of(plans[2], *rasters, plans, gap_m=0.2)
    assert apart.reason == ("",) * 4


def test_a_staggered_row_shows_the_part_of_the_wall_that_stands_forward():
    plans, *rasters = boxes((10, 10, 20, 22, 6), (20, 14, 30, 26, 9))
    left, right = (walls_of(plan, *rasters, plans) for plan in plans)
    assert left.area_m2[facing(left, 90.0)] == pytest.approx(4 * 6, rel=1e-3)
    wall = facing(right, 270.0)
    assert right.area_m2[wall] == pytest.approx(8 * 3 + 4 * 9, rel=1e-3)
    (ring,) = right.rings(wall)  # one piece with a step at its foot
    assert _ring_area(ring) == pytest.approx(60.0, rel=1e-3)
    assert len(ring) == 7


def test_missing_faulty_and_equal_neighbours_cost_a_building_nothing():
    plans, *rasters = boxes((10, 10, 20, 22, 6), (20, 10, 28, 22, 9))
    x, y = WEST_M + 20.0, GRID.south_m + 10.0
    bow = shapely.Polygon([(x, y), (x + 8, y + 12), (x + 8, y), (x, y + 12)])
    near = np.array([plans[0], None, bow, shapely.Polygon()], dtype=object)
    walls = walls_of(plans[0], *rasters, near)
    assert walls.reason.count("") >= 3
    assert walls.area_m2.sum() + walls.hidden_area_m2.sum() == pytest.approx(6 * 44, rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(3.0, 15.0), st.floats(3.0, 15.0), st.integers(-8, 8),
    st.floats(0.0, 0.39), st.integers(6, 20),
)  # fmt: skip
def test_what_is_seen_and_what_is_hidden_make_the_whole_wall(own_m, other_m, shift, gap_m, width):
    assume(abs(own_m - 0.3 - other_m) > 0.05)  # less than 0.3 m over a neighbour is no wall
    plans, *rasters = boxes(
        (10, 20, 20, 32, own_m), (20 + gap_m, 20 + shift, 30 + gap_m, 20 + shift + width, other_m)
    )
    alone, beside = (walls_of(plans[0], *rasters, near) for near in (NONE, plans))
    np.testing.assert_allclose(
        beside.area_m2 + beside.hidden_area_m2, alone.area_m2 + alone.hidden_area_m2, atol=0.3
    )
    touching_m = max(0.0, min(12, shift + width) - max(0, shift))
    hidden_m2 = touching_m * (own_m if other_m > own_m - 0.3 else other_m)
    assert beside.hidden_area_m2.sum() == pytest.approx(hidden_m2, abs=0.3)
    np.testing.assert_allclose(alone.hidden_area_m2, 0.0)


def test_a_courtyard_has_walls_that_look_into_it():
    plans, surface_m, terrain_m = boxes((10, 10, 40, 40, 10), (20, 18, 32, 33, 0))
    block = shapely.difference(plans[0], plans[1])
    walls = walls_of(block, surface_m, terrain_m)
    inner = walls.segments.is_courtyard
    assert inner.sum() == 4
    assert walls.area_m2[inner].sum() == pytest.approx(10 * 2 * (12 + 15), rel=1e-3)
    assert walls.area_m2[~inner].sum() == pytest.approx(10 * 120, rel=1e-3)
    for k in np.flatnonzero(inner):  # the outside of an inner wall is the yard
        place = np.mean(walls.rings(k)[0][:-1, :2], axis=0)
        out = _direction(walls.segments.wall_azimuth[k])
        assert plans[1].contains(shapely.Point(place + 0.1 * out))


def test_steps_of_the_own_roof_step_at_the_place_where_they_are():
    plans, surface_m, terrain_m = boxes((10, 10, 22, 22, 12), (22, 10, 40, 22, 5))
    walls = walls_of(shapely.union_all(plans), surface_m, terrain_m)
    wall = facing(walls, 180.0)
    assert walls.area_m2[wall] == pytest.approx(12 * 12 + 18 * 5, rel=2e-3)
    (ring,) = walls.rings(wall)
    step = ring[np.isclose(ring[:, 0], WEST_M + 22.0, atol=0.05)]
    np.testing.assert_allclose(np.sort(step[:, 2]), [105.0, 112.0], atol=0.01)
    assert len(ring) == 7


def test_the_foot_follows_the_terrain():
    plans, surface_m, terrain_m = boxes((10, 10, 40, 22, 9))
    cols = np.arange(GRID.shape[1]) + 0.5
    slope_m = (0.1 * 0.5 * cols).astype(np.float32)
    walls = walls_of(plans[0], surface_m, terrain_m + slope_m[None, :])
    wall = facing(walls, 180.0)
    assert walls.area_m2[wall] == pytest.approx(30 * (9 - 0.1 * 25), rel=1e-3)
    assert walls.foot_m[wall] == pytest.approx(101.0, abs=0.01)
    assert len(walls.rings(wall)[0]) == 5


def test_a_building_turned_by_a_quarter_has_turned_walls():
    town = make_town(kind="demo", size_m=400, noise_m=0.02)
    plan = max(town.buildings, key=lambda b: len(b.parts)).footprint
    window = town.grid.crop(shapely.buffer(plan, 6.0).bounds)
    row, col = town.grid.offset_of(window)
    surface_m = town.dsm_m[row : row + window.shape[0], col : col + window.shape[1]]
    terrain_m = np.full(window.shape, float(np.median(surface_m[0])))
    centre = np.round(window.centre)
    local = affinity.translate(plan, *(-centre))
    straight = replace(window, west_m=window.west_m - centre[0], north_m=window.north_m - centre[1])
    turned = replace(
        straight, shape=window.shape[::-1], west_m=straight.south_m, north_m=-straight.west_m
    )
    corner = affinity.affine_transform(local, [0, 1, -1, 0, 0, 0])  # clockwise: (x, y) → (y, −x)
    # Planes are fitted in another order of the cells when turned: tops from cells are exact.
    first = building_walls(local, None, straight, surface_m, terrain_m, NONE)
    second = building_walls(
        corner, None, turned, np.rot90(surface_m, -1), np.rot90(terrain_m, -1), NONE
    )
    order = np.argsort(np.round((first.segments.wall_azimuth + 90.0) % 360.0, 4), kind="stable")
    other = np.argsort(np.round(second.segments.wall_azimuth, 4), kind="stable")
    np.testing.assert_allclose(
        (first.segments.wall_azimuth[order] + 90.0) % 360.0, second.segments.wall_azimuth[other],
        atol=1e-9,
    )  # fmt: skip
    assert second.area_m2.sum() == pytest.approx(first.area_m2.sum(), rel=1e-9)
    np.testing.assert_allclose(np.sort(second.area_m2), np.sort(first.area_m2), rtol=1e-9)


def test_a_gabled_house_turned_by_a_quarter_has_turned_gables():
    one = house(20.0, depths_m=(0.0,) * 4, noise_m=0.0)
    west_m, south_m, _, north_m = one.grid.bounds
    local = affinity.translate(one.footprint, -west_m, -south_m)
    straight = replace(one.grid, west_m=0.0, north_m=north_m - south_m)
    turned = replace(straight, west_m=0.0, north_m=0.0)  # clockwise about the corner
    terrain_m = np.full(one.grid.shape, GROUND_M)
    first = walls_of(local, one.elevation_m, terrain_m, grid=straight)
    plan = affinity.affine_transform(local, [0, 1, -1, 0, 0, 0])
    second = walls_of(plan, np.rot90(one.elevation_m, -1), terrain_m, grid=turned)
    for azimuth in (20.0, 110.0, 200.0, 290.0):
        old, new = facing(first, azimuth), facing(second, (azimuth + 90.0) % 360.0)
        assert second.area_m2[new] == pytest.approx(first.area_m2[old], rel=1e-6)
        assert second.top_m[new] == pytest.approx(first.top_m[old], abs=1e-5)


def test_any_window_gives_the_same_bytes():
    town = make_town(kind="demo", size_m=400)
    plan = next(b for b in town.buildings if b.kind == "l_shape").footprint
    plans = np.array([building.footprint for building in town.buildings])
    found = []
    for margin_m in (5.0, 11.3, 30.0):
        window = town.grid.crop(shapely.buffer(plan, margin_m).bounds)
        row, col = town.grid.offset_of(window)
        surface_m = town.dsm_m[row : row + window.shape[0], col : col + window.shape[1]]
        terrain_m = np.full(window.shape, 230.0, dtype=np.float32)
        found.append(walls_of(plan, surface_m, terrain_m, plans, grid=window))
    for other in found[1:]:
        for name in ("pieces", "ring_xyz", "area_m2", "hidden_area_m2", "top_m"):
            assert getattr(other, name).tobytes() == getattr(found[0], name).tobytes(), name


def test_without_planes_the_top_is_the_highest_cell_behind_the_wall():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    walls = building_walls(plans[0], None, GRID, surface_m, terrain_m, NONE)
    assert walls.area_m2.sum() == pytest.approx(6 * 44)
    assert np.all(walls.from_cells_fraction == 1.0)


def test_walls_without_heights_say_why():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    unknown = np.full_like(terrain_m, np.nan)
    assert set(building_walls(plans[0], None, GRID, surface_m, unknown, NONE).reason) == {NO_HEIGHT}
    walls = building_walls(plans[0], None, GRID, unknown, terrain_m, NONE)
    assert set(walls.reason) == {NO_HEIGHT}
    assert walls.covered_fraction == 0.0
    assert len(walls.ring_wall) == 0
    unbuilt = building_walls(plans[0], None, GRID, terrain_m + 0.3, terrain_m, NONE)
    assert set(unbuilt.reason) == {LOW}


def test_wrong_arguments_are_named():
    plans, surface_m, terrain_m = boxes((10, 10, 20, 22, 6))
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    for match, arguments, changes in (
        ("terrain_m has shape", (plans[0], None, GRID, surface_m, terrain_m[1:], NONE), {}),
        ("invalid", (bow, None, GRID, surface_m, terrain_m, NONE), {}),
        ("no area", (shapely.Point(0, 0), None, GRID, surface_m, terrain_m, NONE), {}),
        ("gap_m = -1", (plans[0], None, GRID, surface_m, terrain_m, NONE), {"gap_m": -1}),
    ):
        with pytest.raises(InputError, match=match):
            building_walls(*arguments, **changes)


def test_walls_of_a_real_town_have_a_result(real_data, figure):
    dsm = open_rasters([real_data / "bonn_west" / "dsm_1m.tif"], role="dsm")
    dtm = open_rasters([real_data / "bonn_west" / "dtm_1m.tif"], role="dtm")
    plans = read_footprints(real_data / "bonn_west" / "buildings.gpkg", "building_id").geometry
    plans = np.array([plan for plan in plans if plan is not None and plan.is_valid])
    grid, tree = dsm.grid, shapely.STRtree(plans)
    surface_m, terrain_m = read_window(dsm, grid), read_resampled(dtm, grid)
    whole = [plan for plan in plans if shapely.box(*grid.bounds).contains(plan)][::4]
    covered_m, length_m, area_m2, from_cells_m2, n_side, n_wall = 0.0, 0.0, 0.0, 0.0, 0, 0
    for plan in whole:
        near = plans[tree.query(plan, "dwithin", 1.0)]
        window = building_window(grid, plan, 1.5)
        row, col = grid.offset_of(window)
        part = np.s_[row : row + window.shape[0], col : col + window.shape[1]]
        model = roof_model(Heights.of_raster(window, surface_m[part], terrain_m[part]), plan)
        model = None if isinstance(model, str) else model
        walls = building_walls(plan, model, grid, surface_m, terrain_m, near)
        own_m = walls.segments.length_m.sum()
        covered_m, length_m = covered_m + walls.covered_fraction * own_m, length_m + own_m
        area_m2 += walls.area_m2.sum()
        from_cells_m2 += np.nansum(walls.from_cells_fraction * walls.area_m2)
        n_side, n_wall = n_side + len(walls.segments.sides), n_wall + len(walls)
    figure(
        "walls of bonn_west",
        f"{len(whole)} buildings, {n_wall} walls of {n_side} sides, {covered_m / length_m:.2%} of "
        f"the length has a result; {from_cells_m2 / area_m2:.1%} of the area with a top from cells",
    )
    assert covered_m >= 0.99 * length_m


def test_short_sides_are_merged_and_nothing_is_lost():
    jog = shapely.Polygon([(0, 0), (6, 0), (6, 0.3), (12, 0.3), (12, 9), (0.3, 9), (0, 8.7)])
    segments = wall_segments(jog)
    assert len(segments) == 4
    assert segments.length_m.sum() == pytest.approx(jog.length)
    np.testing.assert_allclose(np.sort(segments.wall_azimuth), [0, 90, 180, 270], atol=1e-9)
    south = int(np.argmin(np.abs(segments.wall_azimuth - 180.0)))
    assert np.count_nonzero(segments.wall == south) == 3
    assert np.count_nonzero(segments.wall_of_chord == south) == 2


@pytest.mark.parametrize(("radius_m", "n"), [(1.5, 16), (6.0, 24), (20.0, 96)])
def test_a_round_tower_is_a_few_curved_walls_with_chords_that_face_outwards(radius_m, n):
    angle = np.linspace(0.0, 2.0 * np.pi, n, endpoint=False)
    ring = radius_m * np.stack([np.cos(angle), np.sin(angle)], axis=1) + 50.0
    segments = wall_segments(shapely.Polygon(ring))
    assert 6 <= len(segments) <= 8  # none turns more than 60°
    assert (segments.chord >= 0).all()
    middle = 0.5 * (segments.start + segments.end) + segments.origin_m - 50.0
    out = np.degrees(np.arctan2(*middle.T)) % 360.0
    apart = (segments.chord_azimuth[segments.chord] - out + 180.0) % 360.0 - 180.0
    assert np.abs(apart).max() <= 15.0
    apart = (segments.wall_azimuth[segments.wall] - out + 180.0) % 360.0 - 180.0
    assert np.abs(apart).max() <= 31.0


def test_the_corners_of_an_octagon_are_no_curve():
    angle = np.radians(22.5 + 45.0 * np.arange(8))
    segments = wall_segments(shapely.Polygon(2.5 * np.stack([np.cos(angle), np.sin(angle)], 1)))
    assert len(segments) == 8
    np.testing.assert_allclose(np.sort(segments.wall_azimuth), 45.0 * np.arange(8), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.5, 20.0), min_size=3, max_size=30), st.floats(0.0, 360.0))
def test_every_side_belongs_to_one_wall_whose_sides_follow_each_other(radii, turn):
    angle = np.linspace(0.0, 2.0 * np.pi, len(radii), endpoint=False)
    star = np.array(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    plan = affinity.rotate(shapely.Polygon(star + 1e3), turn)
    segments = wall_segments(plan)
    assert segments.length_m.sum() == pytest.approx(segments.sides.length_m.sum())
    assert sorted(segments.order.tolist()) == list(range(len(segments.sides)))
    wall = segments.wall[segments.order]
    assert (np.diff(wall) >= 0).all()
    for k in range(len(segments)):
        sides = segments.order[wall == k]
        assert (segments.sides.following[sides[:-1]] == sides[1:]).all()
        assert (segments.chord[sides] >= 0).any()


def test_a_parapet_is_as_high_as_most_of_it_not_as_its_highest_cell():
    """A rim of 0.6 m round a flat roof 6 m up; one cell of it holds an aerial 1.9 m high."""
    (plan,), surface_m, terrain_m = boxes((10, 10, 40, 30, 6.0))
    inner = cells_inside(plan.buffer(-0.5, join_style="mitre"), GRID)
    rim = cells_inside(plan, GRID) & ~inner
    surface_m[rim] += 0.6
    row, col = np.argwhere(rim)[25]
    surface_m[row, col] += 1.3
    model = roof_model(Heights.of_raster(GRID, surface_m, terrain_m), plan)
    assert model.superstructures.kind == ("parapet",)
    assert model.superstructures.height_m[0] > 1.8
    walls = building_walls(plan, model, GRID, surface_m, terrain_m, NONE)
    np.testing.assert_allclose(walls.top_m, 106.6, atol=0.05)
    found = wall_receivers(walls, GRID, depth_m=np.full(4, 0.5))
    # Eaves over a parapet, if there are any, hang from its top: nothing of the wall is above them.
    assert (found.receivers.top_tangent > 0.0).all()
    np.testing.assert_allclose(found.eaves_height_m, 106.6 - found.receivers.elevation_m, atol=0.05)
