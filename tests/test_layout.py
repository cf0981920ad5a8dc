"""Usable area of roof planes, racks on flat roofs, and the directions of buildings."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from solarkataster.errors import InputError
from solarkataster.layout.modules import (
    Margins,
    Module,
    building_azimuth,
    lay_racks,
    module_layout,
    rack_azimuths,
    usable_area,
)
from solarkataster.layout.racks import Racks

MODULE = Module(1.762, 1.134, 440.0, 0.02)
MARGINS = Margins(eaves_m=0.5, ridge_m=0.3, verge_m=0.2, obstacle_m=0.4, flat_edge_m=1.0)
SLOPE = 1.0  # 45°: along the roof, plan depths count times the root of two
STRETCH = math.sqrt(2.0)
EASTING_M, NORTHING_M = 400_000.25, 5_600_000.75


def at_home(geometry):
    """Where real coordinates are."""
    return affinity.translate(geometry, EASTING_M, NORTHING_M)


ROOF = at_home(shapely.box(0, 0, 12, 10))  # a gable with its ridge at northing 5
SOUTH = at_home(shapely.box(0, 0, 12, 5))


def area_of(outline, roof=ROOF, obstacles=(), north=SLOPE, margins=MARGINS, **options):
    options = {"is_flat": False} | options
    return usable_area(outline, 0.0, north, roof, obstacles, margins, **options)


def test_every_edge_of_a_pitched_plane_keeps_its_own_margin():
    expected = at_home(shapely.box(0.2, 0.5 / STRETCH, 11.8, 5 - 0.3 / STRETCH))
    assert shapely.equals_exact(
        shapely.normalize(area_of(SOUTH)), shapely.normalize(expected), tolerance=1e-6
    )


def test_an_upper_free_edge_keeps_the_margin_of_a_ridge():
    alone = area_of(SOUTH, roof=SOUTH)
    assert shapely.hausdorff_distance(alone, area_of(SOUTH)) < 1e-6


def test_an_edge_is_free_as_far_as_the_roofs_outline_goes():
    # Another part of the roof adjoins the western half of the southern side.
    roof = shapely.union_all([ROOF, at_home(shapely.box(0, -4, 6, 0))])
    usable = area_of(SOUTH, roof=roof)
    inside = at_home(shapely.Point(3, 0.4 / STRETCH))
    assert usable.covers(inside)
    assert not usable.covers(affinity.translate(inside, 6, 0))


def test_flat_roofs_keep_one_margin_from_their_edges():
    usable = area_of(ROOF, north=0.0, is_flat=True)
    assert usable.area == pytest.approx(10 * 8)
    half = area_of(SOUTH, north=0.0, is_flat=True)  # its northern edge is shared
    assert half.area == pytest.approx(10 * (5 - 1.0 - 0.3))


def test_obstacles_are_cut_out_with_a_margin_and_dark_parts_without():
    chimney = at_home(shapely.box(5, 2, 6, 3))
    bare = area_of(SOUTH)
    lost = bare.area - area_of(SOUTH, obstacles=[chimney]).area
    assert lost == pytest.approx((1 + 0.8) * (1 + 0.8 / STRETCH))
    assert bare.area - area_of(SOUTH, dark=chimney).area == pytest.approx(1.0)


def test_nothing_is_left_of_small_or_covered_planes():
    small = at_home(shapely.box(0, 0, 0.35, 5))
    assert area_of(small, roof=small).is_empty
    assert area_of(SOUTH, obstacles=[ROOF]).is_empty
    assert area_of(SOUTH, dark=ROOF).is_empty
    assert area_of(shapely.Polygon()).is_empty
    layout = module_layout(small, 0.0, SLOPE, small, [], MARGINS, MODULE, is_flat=False)
    assert (layout.n, layout.usable_area_m2) == (0, 0.0)


def test_pieces_holes_and_slivers_are_no_trouble():
    pieces = shapely.MultiPolygon(
        [SOUTH.difference(at_home(shapely.box(4, 1, 8, 4))), at_home(shapely.box(14, 0, 14.001, 5))]
    )
    usable = area_of(pieces, roof=shapely.union_all([ROOF, pieces]))
    assert usable.is_valid
    assert 0.0 < usable.area < SOUTH.area - 12


@st.composite
def planes(draw):
    n = draw(st.integers(3, 8))
    radius = draw(st.lists(st.floats(2.0, 7.0), min_size=n, max_size=n))
    angle = np.arange(n) * 2 * math.pi / n
    plane = shapely.Polygon(np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.c_[radius])
    return at_home(plane)


@settings(deadline=None, max_examples=80)
@given(planes(), st.floats(-1, 1), st.floats(-1, 1))
def test_usable_area_keeps_at_least_the_margins_everywhere(plane, east, north):
    usable = usable_area(plane, east, north, plane, [], MARGINS, is_flat=False)
    least = min(MARGINS.eaves_m, MARGINS.ridge_m, MARGINS.verge_m)
    assert usable.is_valid
    if not usable.is_empty:
        # Along the roof distances are never shorter than in plan.
        stretch = math.hypot(1.0, east, north)
        assert shapely.distance(usable, plane.exterior) >= least / stretch - 1e-6
        assert shapely.covers(shapely.buffer(plane, 1e-6), usable)


def test_the_layout_of_a_plane_fits_its_usable_area():
    layout = module_layout(
        SOUTH, 0.0, SLOPE, ROOF, [], MARGINS, MODULE, is_flat=False, orientation="portrait"
    )
    usable = area_of(SOUTH)
    assert layout.usable_area_m2 == pytest.approx(usable.area * STRETCH)
    # 11.6 m x 6.27 m along the roof: three rows of ten.
    assert layout.n == 30
    assert layout.is_portrait.all()


def racks(azimuths, tilt_deg=10.0):
    return Racks(azimuths, tilt_deg, 0.5, 17.0)


FLAT = at_home(shapely.box(0, 0, 20, 12))


def test_rows_of_racks_keep_the_gap_that_sun_needs():
    one = racks((180.0,))
    layout = lay_racks(FLAT, one, MODULE, orientation="landscape")
    front = layout.corners[:, 0, 1]
    depth_m = 1.134 * math.cos(math.radians(10.0))
    pitch_m = depth_m + one.gap_m(1.134)
    rows = np.unique(front.round(6))
    np.testing.assert_allclose(np.diff(rows), pitch_m, atol=1e-5)
    assert len(rows) == int((12.0 + one.gap_m(1.134)) / pitch_m)
    assert layout.n == len(rows) * int((20.0 + 0.02) / 1.782)
    np.testing.assert_allclose(shapely.area(shapely.polygons(layout.corners)), 1.762 * depth_m)
    # Facing south the front is in the south, the left in the west.
    assert layout.corners[0, 0, 1] < layout.corners[0, 3, 1]
    assert layout.corners[0, 0, 0] < layout.corners[0, 1, 0]


def test_modules_back_to_back_face_two_ways():
    layout = lay_racks(FLAT, racks((90.0, 270.0)), MODULE)
    assert np.bincount(layout.facing).tolist() == [layout.n // 2] * 2
    assert layout.row.max() % 2 == 0
    east = layout.facing == 0
    # A row that faces east lies in front of (east of) its partner.
    first = layout.corners[east & (layout.row == 1)].mean(axis=(0, 1))
    second = layout.corners[~east & (layout.row == 2)].mean(axis=(0, 1))
    assert first[0] > second[0]
    assert first[0] - second[0] == pytest.approx(
        (1.134 if not layout.is_portrait[0] else 1.762) * math.cos(math.radians(10.0)), abs=1e-6
    )


def test_pieces_of_a_flat_roof_share_their_rows():
    # Two pieces one behind the other, and no place for a second row within the gap.
    pieces = at_home(shapely.MultiPolygon([shapely.box(0, 0, 5, 1.2), shapely.box(0, 1.3, 5, 2.5)]))
    layout = lay_racks(pieces, racks((180.0,), 30.0), MODULE, orientation="landscape")
    assert layout.row.max() == 1


@given(st.floats(0, 89.9), st.floats(1.05, 4))
@settings(deadline=None)
def test_the_azimuth_of_a_building_is_that_of_its_walls(angle_deg, ratio):
    footprint = affinity.rotate(shapely.box(0, 0, 10 * ratio, 10), -angle_deg, origin=(0, 0))
    found = building_azimuth(at_home(footprint))
    assert abs((found - angle_deg + 45) % 90 - 45) < 1e-4
    two = shapely.MultiPolygon([footprint, affinity.translate(footprint, 100, 0)])
    assert building_azimuth(at_home(two)) == pytest.approx(found, abs=1e-6)


def test_racks_follow_the_building_or_the_sun():
    footprint = affinity.rotate(shapely.box(0, 0, 30, 10), -20.0)  # long walls run to 110°
    assert rack_azimuths(footprint, "south", "building", 0.0) == (pytest.approx(200.0),)
    assert rack_azimuths(footprint, "east_west", "building", 0.0) == (
        pytest.approx(110.0),
        pytest.approx(290.0),
    )
    # True south where grid north lies 1.5° west of true north: 181.5° in the grid.
    assert rack_azimuths(footprint, "south", "south", -1.5) == (pytest.approx(181.5),)
    with pytest.raises(InputError, match="aligned"):
        rack_azimuths(footprint, "south", "street", 0.0)


def test_bad_numbers_are_refused():
    with pytest.raises(InputError, match="verge_m"):
        Margins(0.3, 0.3, -0.1, 0.3, 1.0)
    with pytest.raises(InputError, match="outline"):
        area_of(shapely.Point(0, 0))
