"""Walls from LoD2: closed forms, faults that are named, and when the model is not used."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity
from small_citymodels import DEPTH_M, EAVES_M, FOOT_M, LENGTH_M, RIDGE_M, SOUTH_M, WEST_M
from small_lod2 import (
    FOOTPRINT,
    GABLE_M2,
    GRID,
    NONE,
    SIDE_M2,
    TERRAIN_M,
    box,
    changed,
    gable,
    look,
    rotated,
    surface_of,
    turned,
)
from small_walls import facing

from solarkataster.facades.receivers import wall_receivers
from solarkataster.facades.walls import PARTY_WALL, building_walls

SOUTH, EAST, NORTH, WEST = 1, 2, 3, 4  # walls of the house, by their places in the model
UP, NORTHWARDS = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0])


def assert_same(found, expected) -> None:
    for name in ("area_m2", "hidden_area_m2", "foot_m", "top_m", "ring_xyz", "pieces", "planes"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def ends_of(model, k: int) -> np.ndarray:
    return model[k].outer


# Closed forms


@pytest.mark.parametrize("degrees", [0.0, 20.0, 163.0])
def test_a_gabled_house_has_the_walls_of_its_model(degrees):
    model, footprint = rotated(gable(), degrees)
    found = look(model, footprint)
    assert found.is_from_model
    assert found.covered_fraction == pytest.approx(1.0, abs=1e-9)
    assert found.marks == ()
    walls = found.walls
    for azimuth, area_m2, top_m in (
        (180.0, SIDE_M2, EAVES_M), (0.0, SIDE_M2, EAVES_M),
        (90.0, GABLE_M2, RIDGE_M), (270.0, GABLE_M2, RIDGE_M),
    ):  # fmt: skip
        wall = facing(walls, azimuth - degrees)
        assert walls.area_m2[wall] == pytest.approx(area_m2, abs=1e-6)
        assert walls.foot_m[wall] == pytest.approx(FOOT_M)
        assert walls.top_m[wall] == pytest.approx(FOOT_M + top_m)
        (ring,) = walls.rings(wall)
        assert len(ring) == (6 if top_m == RIDGE_M else 5)  # closed; the gable ends in a point
    assert walls.reason == ("",) * 4
    assert (walls.from_cells_fraction == 0.0).all()


def test_eaves_hang_down_with_the_slope_of_the_model_s_roof():
    walls = look(gable()).walls
    depth_m = np.full(len(walls.segments.sides), 0.5)
    points = wall_receivers(walls, GRID, depth_m=depth_m)
    south = points.wall == facing(walls, 180.0)
    slope = (RIDGE_M - EAVES_M) / (DEPTH_M / 2.0)
    over_m = FOOT_M + EAVES_M - 0.5 * slope - points.receivers.elevation_m[south]
    np.testing.assert_allclose(points.eaves_height_m[south], over_m, atol=1e-6)


def test_walls_end_at_the_terrain_and_not_at_the_model_s_foot():
    lower = [replace(s, outer=np.where(s.outer == FOOT_M, FOOT_M - 1.5, s.outer)) for s in gable()]
    assert_same(look(lower).walls, look(gable()).walls)


def test_a_wall_over_a_passage_has_no_foot_on_the_ground():
    model = gable()
    (a, b, c, d) = ends_of(model, SOUTH)
    raised = changed(model, SOUTH, [a + 3.0 * UP, b + 3.0 * UP, c, d])
    walls = look(raised).walls
    wall = facing(walls, 180.0)
    assert walls.area_m2[wall] == pytest.approx(LENGTH_M * (EAVES_M - 3.0))
    assert walls.foot_m[wall] == pytest.approx(FOOT_M + 3.0)
    assert walls.hidden_area_m2[wall] == 0.0
    points = wall_receivers(walls, GRID)
    assert points.receivers.elevation_m[points.wall == wall].min() > FOOT_M + 3.0
    # A metre is another survey of the ground.
    low = changed(model, SOUTH, [a + UP, b + UP, c, d])
    assert_same(look(low).walls, look(model).walls)


def test_walls_in_pieces_are_one_wall():
    model = gable()
    a, b, c, d = ends_of(model, SOUTH)
    half = np.array([0.0, 0.0, 2.0])
    pieces = {
        "triangles": [[a, b, c], [a, c, d]],
        "one on the other": [[a, b, b + half, a + half], [a + half, b + half, c, d]],
        "side by side": [[a, (a + b) / 2, (c + d) / 2, d], [(a + b) / 2, b, c, (c + d) / 2]],
    }
    whole = look(model).walls
    for parts in pieces.values():
        one, other = (np.array(part) for part in parts)
        new = replace(model[SOUTH], surface_id="more", outer=other)
        walls = look([*changed(model, SOUTH, one), new]).walls
        np.testing.assert_allclose(walls.area_m2, whole.area_m2, atol=1e-6)
        np.testing.assert_allclose(walls.top_m, whole.top_m, atol=1e-9)


def test_windows_in_a_wall_are_not_cut_out():
    model = gable()
    hole = ends_of(model, SOUTH) * 0.5 + ends_of(model, SOUTH).mean(axis=0) * 0.5
    model[SOUTH] = replace(model[SOUTH], holes=(hole,))
    assert look(model).walls.area_m2.sum() == pytest.approx(2 * (SIDE_M2 + GABLE_M2))


def test_neighbours_hide_the_walls_of_the_model_too():
    beside = box(6.0, DEPTH_M, 3.0, "H2", at=(LENGTH_M, 0.0))
    model, plan = gable(), shapely.box(
        WEST_M + LENGTH_M, SOUTH_M, WEST_M + LENGTH_M + 6.0, SOUTH_M + DEPTH_M
    )  # fmt: skip
    found = look(model, shown=[*model, *beside], neighbours=np.array([plan], dtype=object))
    east = facing(found.walls, 90.0)
    assert found.walls.area_m2[east] == pytest.approx(GABLE_M2 - 3.0 * DEPTH_M, rel=1e-3)
    assert found.walls.hidden_area_m2[east] == pytest.approx(3.0 * DEPTH_M, rel=1e-3)
    assert found.walls.foot_m[east] == pytest.approx(FOOT_M + 3.0, abs=0.01)
    high = box(6.0, DEPTH_M, 9.0, "H2", at=(LENGTH_M, 0.0))
    found = look(model, shown=[*model, *high], neighbours=np.array([plan], dtype=object))
    assert found.walls.reason[facing(found.walls, 90.0)] == PARTY_WALL


def test_a_footprint_with_jogs_that_the_model_leaves_out_is_covered():
    w, s = WEST_M, SOUTH_M
    plan = shapely.Polygon(
        [(w, s), (w + 4, s), (w + 4, s - 0.4), (w + 7, s - 0.4), (w + 7, s), (w + 10, s),
         (w + 10, s + 8), (w, s + 8)]
    )  # fmt: skip
    found = look(gable(), plan)
    assert found.is_from_model
    assert found.covered_fraction == pytest.approx(1.0)
    south_m2 = SIDE_M2 + 2 * 0.4 * EAVES_M
    assert found.walls.area_m2.sum() == pytest.approx(south_m2 + SIDE_M2 + 2 * GABLE_M2, rel=0.01)


@settings(deadline=None, max_examples=30)
@given(
    width_m=st.floats(3.0, 14.0),
    depth_m=st.floats(3.0, 14.0),
    height_m=st.floats(2.5, 30.0),
    degrees=st.floats(0.0, 360.0),
)
def test_a_box_has_its_outline_times_its_height(width_m, depth_m, height_m, degrees):
    model = box(width_m, depth_m, height_m)
    plan = shapely.box(WEST_M, SOUTH_M, WEST_M + width_m, SOUTH_M + depth_m)
    middle = (WEST_M + LENGTH_M / 2.0, SOUTH_M + DEPTH_M / 2.0)
    model, plan = rotated(model, degrees)[0], affinity.rotate(plan, degrees, origin=middle)
    found = look(model, plan)
    assert found.is_from_model
    assert found.walls.area_m2.sum() == pytest.approx(2 * (width_m + depth_m) * height_m, rel=1e-6)


# What is wrong with a model is named


@pytest.mark.parametrize(
    "which", [(SOUTH,), (SOUTH, NORTH), (1, 2, 3, 4), range(7)], ids=lambda which: str(len(which))
)
def test_walls_inside_out_are_turned_and_told_and_give_the_same_walls(which):
    model = gable()
    broken = [turned(s) if k in which else s for k, s in enumerate(model)]
    found = look(broken)
    n = sum(model[k].kind == "wall" for k in which)
    assert found.is_from_model
    assert found.marks == (f"LoD2: {n} wall{'s' * (n > 1)} inside out, turned round",)
    assert_same(found.walls, look(model).walls)


def test_walls_inside_out_are_turned_in_solids_that_do_not_close_too():
    model = [turned(s) if s.kind == "wall" else s for s in gable() if s.kind != "ground"]
    found = look(model)
    assert found.marks[0] == "LoD2: 4 walls inside out, turned round"
    assert "do not close" in found.marks[1]
    assert_same(found.walls, look(gable()).walls)


def test_a_wall_that_is_there_twice_counts_once():
    model = gable()
    found = look([*model, replace(model[SOUTH], surface_id="again")])
    assert found.marks == ("LoD2: 1 wall there twice, used once",)
    assert_same(found.walls, look(model).walls)


def test_walls_of_no_use_are_left_out_and_named():
    model = gable()
    a, b, c, d = ends_of(model, SOUTH)
    sliver = replace(model[SOUTH], surface_id="sliver", outer=np.array([a, b, b + 1e-4 * UP]))
    assert "LoD2: 1 wall without area, left out" in look([*model, sliver]).marks
    bow = changed(model, SOUTH, [a, c, b + UP, d])
    assert "LoD2: 1 wall with an outline that crosses itself, left out" in look(bow).marks
    aside = 1.5 * NORTHWARDS  # 16.7° over 5 m
    leaning = changed(model, SOUTH, [a, b, c + aside, d + aside])
    found = look(leaning)
    assert "LoD2: 1 wall leaning more than 10°, left out" in found.marks
    assert not found.is_from_model  # a quarter of the outline has no wall
    nearly = look(changed(model, SOUTH, [a, b, c + aside / 2, d + aside / 2]))
    assert nearly.is_from_model  # 8.5°


def test_a_bent_wall_is_used_and_told():
    model = gable()
    a, b, c, d = ends_of(model, SOUTH)
    bent = look(changed(model, SOUTH, [a, b, c + 0.3 * NORTHWARDS, d]))
    assert bent.is_from_model
    assert "LoD2: 1 wall not planar, taken all the same" in bent.marks
    np.testing.assert_allclose(bent.walls.area_m2, look(model).walls.area_m2, rtol=1e-6)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 99)), max_size=4))
def test_whatever_is_wrong_with_a_model_its_walls_are_finite_and_a_fallback_is_told(damages):
    model = gable()
    for k, kind, seed in damages:
        ring, rng = model[k].outer, np.random.default_rng(seed)
        shaken = ring + rng.normal(0.0, 1.0, ring.shape)
        ways = [
            ring[: 1 + seed % len(ring)], ring[::-1], rng.permutation(ring), shaken,
            np.repeat(ring, 2, axis=0), ring[:1] + 0.0 * ring, ring + rng.normal(0.0, 30.0, 3),
        ]  # fmt: skip
        model = changed(model, k, ways[kind])
    found = look(model, shown=gable())
    assert np.isfinite(found.walls.area_m2).all()
    if found.is_from_model:
        assert 0.7 < found.walls.area_m2.sum() / (2 * (SIDE_M2 + GABLE_M2)) < 1.3
    else:
        assert found.marks[-1].endswith("walls from footprint and surface model")
        assert_same(found.walls, fallback())


# When the model is not used


def fallback():
    surface_m = surface_of(gable())
    return building_walls(FOOTPRINT, None, GRID, surface_m, TERRAIN_M, NONE)


def test_a_building_that_the_model_lacks_falls_back_and_is_told():
    found = look([], shown=gable())
    assert not found.is_from_model
    assert found.marks == ("not in the LoD2 model: walls from footprint and surface model",)
    assert_same(found.walls, fallback())
    roofs = [s for s in gable() if s.kind == "roof"]
    assert "no wall surface here" in look(roofs).marks[0]


def test_walls_that_leave_a_tenth_of_the_outline_open_are_not_used():
    model = [s for k, s in enumerate(gable()) if k != EAST]
    found = look(model, shown=gable())
    assert not found.is_from_model
    assert found.covered_fraction == pytest.approx(28.0 / 36.0)  # sides of the house
    assert any("do not fit the footprint (beside 78% of its outline" in m for m in found.marks)
    assert_same(found.walls, fallback())


def test_walls_that_leave_little_open_are_used_and_the_rest_comes_from_the_surface():
    model = gable()
    a, b, c, d = ends_of(model, SOUTH)
    short = np.array([2.0, 0.0, 0.0])
    found = look(changed(model, SOUTH, [a, b - short, c - short, d]))
    assert found.is_from_model
    assert "LoD2 walls leave 2.0 m of the outline open: roof planes or surface there" in found.marks
    walls = found.walls
    wall = facing(walls, 180.0)
    assert walls.from_cells_fraction[wall] == pytest.approx(0.2)
    # Cells just behind the eaves are a little higher than these.
    assert SIDE_M2 <= walls.area_m2[wall] <= SIDE_M2 + 2.0 * 0.75
    assert walls.reason[wall] == ""


@pytest.mark.parametrize(("aside_m", "is_used"), [(0.3, True), (0.45, True), (0.8, False)])
def test_the_model_may_stand_half_a_metre_aside(aside_m, is_used):
    found = look(gable(), affinity.translate(FOOTPRINT, aside_m, -aside_m))
    assert found.is_from_model is is_used
    if is_used:
        assert found.walls.area_m2.sum() == pytest.approx(2 * (SIDE_M2 + GABLE_M2), rel=0.02)


@pytest.mark.parametrize("rise_m", [-2.5, 2.5])
def test_a_model_of_another_state_of_the_building_is_not_used(rise_m):
    moved = [replace(s, outer=s.outer + rise_m * UP) for s in gable()]
    found = look(moved, shown=gable())
    assert not found.is_from_model
    side = "above" if rise_m > 0 else "below"
    assert f"LoD2 roof lies 2.5 m {side} the surface model" in found.marks[-1]
    assert_same(found.walls, fallback())


def test_a_building_that_ends_over_the_ground_everywhere_is_not_used():
    lowest = np.array([-np.inf, -np.inf, FOOT_M + 2.5])
    model = [replace(s, outer=np.maximum(s.outer, lowest)) for s in gable()]
    found = look(model)
    assert not found.is_from_model
    assert "LoD2 walls end 2 m and more above the terrain" in found.marks[-1]


def test_the_order_of_surfaces_changes_nothing():
    model = gable()
    first = look(model)
    other = look(model[::-1])
    assert other.marks == first.marks
    np.testing.assert_array_equal(other.walls.area_m2, first.walls.area_m2)
    np.testing.assert_array_equal(other.walls.ring_xyz, first.walls.ring_xyz)
