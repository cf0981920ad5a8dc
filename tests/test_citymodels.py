"""Surfaces of city models: their size and direction, and what is wrong with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_citymodels import (
    GABLE_M2,
    GROUND_M2,
    SIDE_M2,
    SLOPE_M2,
    VOLUME_M3,
    house,
    surfaces,
)

from solarkataster.citymodel_faults import inner_points, surface_faults
from solarkataster.citymodels import CitySurface, measures, solid_volumes_m3

SQUARE = np.array([(0.0, 0.0, 0.0), (4.0, 0.0, 0.0), (4.0, 4.0, 0.0), (0.0, 4.0, 0.0)])
HOLE = SQUARE[::-1] / 2.0 + (1.0, 1.0, 0.0)


def one(ring, *holes, kind="roof") -> list[CitySurface]:
    return [CitySurface("H1", "", "s", kind, np.asarray(ring, dtype=float), holes)]


def names(found) -> set[str]:
    return {fault.name for fault in found}


def flipped(surface: CitySurface) -> CitySurface:
    return replace(surface, outer=surface.outer[::-1])


# Size and direction


def test_areas_of_a_gabled_house_are_those_of_its_drawing():
    expected = [GROUND_M2, SIDE_M2, GABLE_M2, SIDE_M2, GABLE_M2, SLOPE_M2, SLOPE_M2]
    np.testing.assert_allclose(measures(surfaces(house())).area_m2, expected, atol=1e-6)


def test_walls_and_slopes_face_the_sides_they_are_drawn_on():
    found = measures(surfaces(house()))
    # South, east, north and west walls, south and north slope; atan(3 / 4) = 36.87°.
    np.testing.assert_allclose(found.grid_azimuth[1:], [180, 90, 0, 270, 180, 0], atol=1e-6)
    np.testing.assert_allclose(
        found.surface_tilt, [180, 90, 90, 90, 90, 36.8698976, 36.8698976], atol=1e-6
    )
    assert np.isnan(found.grid_azimuth[0])


def test_a_hole_takes_its_area_whichever_way_it_runs():
    for hole in (HOLE, HOLE[::-1]):
        assert measures(one(SQUARE, hole)).area_m2[0] == pytest.approx(12.0)


def test_areas_of_a_closed_solid_cancel_out_and_enclose_its_volume():
    found = surfaces(house())
    size = measures(found)
    assert np.abs((size.area_m2[:, None] * size.normal).sum(axis=0)).max() < 1e-6
    assert solid_volumes_m3(found) == {("H1", ""): pytest.approx(VOLUME_M3)}
    turned = solid_volumes_m3([flipped(surface) for surface in found])
    assert turned == {("H1", ""): pytest.approx(-VOLUME_M3)}


@settings(deadline=None, max_examples=50)
@given(
    st.floats(0.0, 360.0),
    st.floats(0.0, 89.0),
    st.floats(-1e6, 1e6),
    st.integers(0, 3),
)
def test_a_turned_square_keeps_its_area_and_faces_where_it_is_turned(azimuth, tilt, far_m, first):
    a, t = np.radians(azimuth), np.radians(tilt)
    # Downhill is (sin a, cos a); the square lies in the plane across it.
    down = np.array([np.sin(a) * np.cos(t), np.cos(a) * np.cos(t), -np.sin(t)])
    across = np.array([-np.cos(a), np.sin(a), 0.0])
    ring = np.array([0 * down, 3 * down, 3 * down + 3 * across, 3 * across]) + far_m
    found = measures(one(np.roll(ring, first, axis=0)))
    assert found.area_m2[0] == pytest.approx(9.0, abs=1e-4)
    assert found.surface_tilt[0] == pytest.approx(tilt, abs=1e-3)
    if tilt > 1.0:
        turned = (found.grid_azimuth[0] - azimuth + 180.0) % 360.0 - 180.0
        assert abs(turned) < 1e-2


def test_no_surfaces_have_no_measures_and_no_faults():
    assert len(measures([]).area_m2) == 0
    assert surface_faults([]) == []


# Faults


def test_a_house_as_it_should_be_has_no_fault():
    assert surface_faults(surfaces(house())) == []


@settings(deadline=None, max_examples=60)
@example(which=set(), turn_deg=2.2e-311, far_m=0.0)
@example(which={1, 4}, turn_deg=90.0, far_m=1e-300)
@given(st.sets(st.integers(0, 6)), st.floats(-180.0, 180.0), st.floats(-1e6, 1e6))
def test_exactly_the_surfaces_that_were_turned_are_inside_out(which, turn_deg, far_m):
    angle = np.radians(turn_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    origin = house()[0][1][0]
    found = surfaces([(kind, (ring - origin) @ turn + far_m) for kind, ring in house()])
    found = [flipped(s) if i in which else s for i, s in enumerate(found)]
    faults = surface_faults(found)
    assert {int(fault.surface_id[-1]) for fault in faults} == which
    assert names(faults) <= {"inside out"}


def test_parts_are_solids_of_their_own():
    a = surfaces(house(), part_id="a")
    b = [flipped(surface) for surface in surfaces(house(west_m=410_010.0), part_id="b")]
    assert {fault.part_id for fault in surface_faults(a + b)} == {"b"}


def test_how_many_points_are_asked_at_a_time_changes_nothing(monkeypatch):
    found = [flipped(s) if i % 2 else s for i, s in enumerate(surfaces(house()))]
    whole = surface_faults(found)
    monkeypatch.setattr("solarkataster.citymodel_faults._MAX_PAIRS", 10)
    assert surface_faults(found) == whole
    assert len(whole) == 3


def test_a_solid_without_one_of_its_walls_is_open_and_accuses_none_of_its_surfaces():
    faults = surface_faults([s for s in surfaces(house()) if s.surface_id != "H1-1"])
    assert [(fault.name, fault.surface_id) for fault in faults] == [("open solid", "")]
    assert "50.0 of" in faults[0].detail  # the wall that lacks


def test_a_corner_off_the_plane_is_told_from_centimetres():
    for off_m, expected in ((0.04, set()), (0.3, {"not planar"})):
        ring = SQUARE.copy()
        ring[2, 2] += off_m  # off by a quarter of it at each corner
        assert names(surface_faults(one(ring))) - {"open solid"} == expected


BOW_TIE = np.array([(0.0, 0.0, 0.0), (4.0, 4.0, 0.0), (4.0, 0.0, 0.0), (0.0, 2.0, 0.0)])
DENT = np.array([(0, 0, 0), (4, 0, 0), (4, 4, 0), (2, -1, 0), (0, 4, 0.0)])
LEANING = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])


@pytest.mark.parametrize("ring", [BOW_TIE, DENT])
def test_rings_that_cross_themselves_are_told_in_every_plane(ring):
    for shape in (ring, ring[:, [0, 2, 1]], ring[:, [2, 0, 1]], ring @ LEANING):
        assert "self-intersecting" in names(surface_faults(one(shape)))


def test_a_hole_outside_its_surface_is_told():
    assert "self-intersecting" in names(
        surface_faults(one(SQUARE, HOLE + np.array([9.0, 0.0, 0.0])))
    )
    assert "self-intersecting" not in names(surface_faults(one(SQUARE, HOLE)))


def test_surfaces_without_extent_are_told():
    line = SQUARE[[0, 1]]
    assert "too few points" in names(surface_faults(one(line)))
    assert "no area" in names(surface_faults(one(np.repeat(SQUARE[:1], 4, axis=0))))
    assert "no area" in names(surface_faults(one(SQUARE * 1e-150)))
    sliver = SQUARE * (1.0, 0.001, 1.0)
    (fault,) = [f for f in surface_faults(one(sliver)) if f.name == "no area"]
    assert "4 mm wide" in fault.detail


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 6.28), st.integers(3, 12), st.floats(0.0, 1e6))
def test_inner_points_lie_within(angle, n_corners, far_m):
    radius = 3.0 + np.arange(n_corners) % 3  # a star
    theta = angle + 2 * np.pi * np.arange(n_corners) / n_corners
    ring = np.column_stack([radius * np.cos(theta), radius * np.sin(theta), 0 * theta]) + far_m
    hole = (ring - far_m) * 0.3 + far_m
    point = inner_points(one(ring, hole))[0]
    shape = shapely.Polygon(ring[:, :2] - far_m, [hole[:, :2] - far_m])
    assert shape.contains(shapely.Point(point[:2] - far_m))
