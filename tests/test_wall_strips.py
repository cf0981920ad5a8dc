"""Walls cut into strips for maps: nothing lost, gables in steps, storeys as receivers have them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon

from solarkataster.errors import InputError
from solarkataster.facades.strips import INSIDE_M, OUTSIDE_M, storey_strips, wall_lines

#: Thickness of a strip in plan. [m]
THICK_M = INSIDE_M + OUTSIDE_M
#: A place of the size that projected coordinates have. [m]
EAST_M, NORTH_M = 364_100.0, 5_622_400.0


def wall(*foot_and_top, turn_deg=0.0):
    """Outline of a wall along y = 0 from corners (x, height): the foot, then the top back."""
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    ring = [(EAST_M + c * x, NORTH_M + s * x, z) for x, z in foot_and_top]
    return MultiPolygon([Polygon(ring)])


def cut(outline, ground_m, top_m, storey_m=3.0, **more):
    outlines = np.array([outline, None], dtype=object)
    return storey_strips(outlines, np.array([ground_m, np.nan]), np.array([top_m, np.nan]),
                         storey_m, **more)  # fmt: skip


def areas_m2(strips):
    """Area of each strip seen from before the wall. [m²]"""
    return shapely.area(strips.polygon) / THICK_M * (strips.top_m - strips.base_m)


def test_a_plain_wall_is_one_strip_a_storey():
    strips = cut(wall((0, 50), (10, 50), (10, 59), (0, 59)), 50.0, 59.0)
    assert strips.storey.tolist() == [0, 1, 2]
    np.testing.assert_allclose(strips.base_m, [50, 53, 56])
    np.testing.assert_allclose(strips.top_m, [53, 56, 59])
    assert strips.stands_on_ground.tolist() == [True, False, False]
    np.testing.assert_allclose(areas_m2(strips), 30.0, rtol=1e-6)


@pytest.mark.parametrize(("height_m", "n_storey"), [(1.0, 1), (4.4, 1), (4.6, 2), (7.6, 3)])
def test_less_than_half_a_storey_at_the_top_belongs_to_the_one_below(height_m, n_storey):
    top = 50 + height_m
    strips = cut(wall((0, 50), (10, 50), (10, top), (0, top)), 50.0, top)
    assert strips.storey.max() + 1 == n_storey
    assert strips.top_m.max() == pytest.approx(top)


@settings(deadline=None, max_examples=25)
@given(
    half_m=st.floats(2.0, 8.0),
    eaves_m=st.floats(2.5, 9.0),
    rise_m=st.floats(0.0, 8.0),
    turn_deg=st.floats(0.0, 360.0),
)
def test_a_gable_keeps_its_area_and_ends_near_its_tip(half_m, eaves_m, rise_m, turn_deg):
    ring = [(0, 50), (2 * half_m, 50), (2 * half_m, 50 + eaves_m)]
    ring += [(half_m, 50 + eaves_m + rise_m), (0, 50 + eaves_m)]
    top_m = 50 + eaves_m + rise_m
    strips = cut(wall(*ring, turn_deg=turn_deg), 50.0, top_m, step_m=0.5)
    assert areas_m2(strips).sum() == pytest.approx(half_m * (2 * eaves_m + rise_m), abs=0.5)
    assert top_m - 0.6 < strips.top_m.max() <= top_m + 1e-6
    assert (strips.wall == 0).all()


def test_a_foot_on_a_slope_is_level_in_the_lowest_storey_and_nowhere_else():
    strips = cut(wall((0, 50), (10, 52), (10, 57), (0, 57)), 51.0, 57.0)
    assert strips.storey.tolist() == [0, 1]
    np.testing.assert_allclose(strips.base_m, [50, 54])
    np.testing.assert_allclose(strips.top_m, [54, 57])


def test_what_a_neighbour_hides_is_not_drawn():
    """The neighbour's roof lies at 56 m along the second half of the wall."""
    outline = wall((0, 50), (5, 50), (5, 56), (10, 56), (10, 59), (0, 59))
    strips = cut(outline, 50.0, 59.0)
    of_storey = [areas_m2(strips)[strips.storey == k].sum() for k in range(3)]
    assert of_storey[1:] == pytest.approx([15.0, 30.0], rel=1e-6)


def test_strips_stand_across_the_line_and_mostly_outside_on_its_right():
    """The wall runs east, so it faces south."""
    strips = cut(wall((0, 50), (10, 50), (10, 53), (0, 53)), 50.0, 53.0)
    west, south, east, north = shapely.bounds(strips.polygon[0])
    assert (west, east) == (EAST_M, EAST_M + 10)
    assert (south, north) == pytest.approx((NORTH_M - OUTSIDE_M, NORTH_M + INSIDE_M))


def test_a_wall_round_a_corner_has_strips_on_both_sides():
    plan = [(0, 0), (6, 0), (6, 0.4), (9, 0.4)]
    low = [(EAST_M + x, NORTH_M + y, 50.0) for x, y in plan]
    top = [(x, y, 52.5) for x, y, _ in reversed(low)]
    strips = cut(MultiPolygon([Polygon(low + top)]), 50.0, 52.5)
    np.testing.assert_allclose(shapely.area(strips.polygon) / THICK_M, [6.0, 0.4, 3.0], rtol=1e-6)


def test_lines_in_plan_keep_outside_on_the_right_and_join_straight_pieces():
    outline = wall((0, 50), (4, 50.5), (10, 50), (10, 53), (4, 53.2), (0, 53), turn_deg=30.0)
    line, none = wall_lines(np.array([outline, None], dtype=object))
    assert none is None
    assert line.length == pytest.approx(10.0)
    (x0, y0), *_, (x1, y1) = line.coords
    assert np.degrees(np.arctan2(y1 - y0, x1 - x0)) == pytest.approx(30.0)


def test_no_wall_gives_no_strip():
    nothing = np.array([None], dtype=object)
    assert len(storey_strips(nothing, np.array([np.nan]), np.array([np.nan]), 3.0)) == 0
    assert wall_lines(nothing).tolist() == [None]


@pytest.mark.parametrize("storey_m", [0.0, -1.0, float("nan")])
def test_storeys_have_a_height(storey_m):
    with pytest.raises(InputError, match="storey_height_m"):
        cut(wall((0, 50), (9, 50), (9, 53), (0, 53)), 50.0, 53.0, storey_m)
