"""Packing of modules: against the solved optimum on small areas, then the laws of any area."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from packing_optimum import optimum
from shapely import affinity
from small_areas import has_upright_edges, small_areas

from solarkataster.errors import InputError
from solarkataster.kernels.packing import sorted_edges, strip_heights, strip_intervals
from solarkataster.layout.modules import Module, lay_modules

MODULE = Module(1.762, 1.134, 440.0, 0.02)
TOLERANCE_M = 1e-3
ORIENTATIONS = ("best", "portrait", "landscape")


def modules_of(layout):
    return shapely.polygons(layout.corners)


@st.composite
def areas(draw):
    """Simple polygons of up to about 150 m², some with a hole, some in two pieces."""
    n = draw(st.integers(3, 9))
    radius = draw(st.lists(st.floats(1.0, 7.0), min_size=n, max_size=n))
    angle = np.arange(n) * 2 * math.pi / n + draw(st.floats(0, math.pi))
    area = shapely.Polygon(np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.c_[radius])
    if draw(st.booleans()):
        x, y = draw(st.floats(-3, 3)), draw(st.floats(-3, 3))
        area = area.difference(shapely.box(x, y, x + 1.0, y + 0.8))
    if draw(st.booleans()):
        x = draw(st.floats(-2, 2))
        area = area.difference(shapely.box(x, -9, x + 0.4, 9))
    assume(area.area > 3.0)
    return area


slopes = st.one_of(st.just(0.0), st.floats(-1.5, 1.5))


@settings(deadline=None, max_examples=100)
@given(areas(), slopes, slopes, st.sampled_from(ORIENTATIONS), st.sampled_from([0.0, 0.02, 0.3]))
def test_modules_stay_in_the_area_and_keep_their_gap(area, east, north, orientation, gap_m):
    module = Module(1.762, 1.134, 440.0, gap_m)
    layout = lay_modules(area, east, north, module, orientation=orientation)
    modules = modules_of(layout)
    assert shapely.covers(shapely.buffer(area, TOLERANCE_M), modules).all()
    stretch = math.hypot(1.0, east, north)
    np.testing.assert_allclose(shapely.area(modules) * stretch, 1.762 * 1.134, rtol=1e-9)
    assert layout.n * 1.762 * 1.134 <= layout.usable_area_m2 + 1e-6
    assert layout.usable_area_m2 == pytest.approx(area.area * stretch, rel=1e-9)
    true_corners = in_the_plane(layout.corners, east, north)
    true_modules = shapely.polygons(true_corners)
    one, other = (true_modules[index] for index in np.triu_indices(layout.n, 1))
    assert (shapely.distance(one, other) >= gap_m - TOLERANCE_M).all()
    assert (shapely.area(shapely.intersection(one, other)) < TOLERANCE_M).all()
    assert len(set(zip(layout.row.tolist(), layout.column.tolist(), strict=True))) == layout.n


def in_the_plane(corners, east, north):
    """True lengths: the plane turned level about its own level line."""
    slope = math.hypot(east, north)
    if slope == 0.0:
        return corners
    up = np.array([east, north]) / slope
    along = np.array([-up[1], up[0]])
    return np.stack([corners @ along, corners @ up * math.hypot(1.0, slope)], axis=-1)


@settings(deadline=None, max_examples=60)
@given(areas(), slopes, st.sampled_from([17.0, 90.0, 203.0]), st.sampled_from(ORIENTATIONS))
def test_turning_and_moving_a_roof_keeps_the_count(area, north, angle_deg, orientation):
    north = -abs(north) - 0.05
    before = lay_modules(area, 0.0, north, MODULE, orientation=orientation).n
    angle_rad = math.radians(angle_deg)
    turned = affinity.rotate(area, angle_deg, origin=(0, 0))
    moved = affinity.translate(turned, 400_000.25, 5_600_000.75)
    east, north = -north * math.sin(angle_rad), north * math.cos(angle_rad)
    # Areas are drawn from round numbers; a module that fits to the micrometre may fit or not.
    after = lay_modules(moved, east, north, MODULE, orientation=orientation).n
    assert abs(after - before) <= (0 if is_robust(area, before, -math.hypot(east, north)) else 1)


def is_robust(area, n, north):
    """The count is the same in an area 0.1 mm larger or smaller."""
    grown = [shapely.buffer(area, d, join_style="mitre") for d in (-1e-4, 1e-4)]
    return all(lay_modules(g, 0.0, north, MODULE).n == n for g in grown if not g.is_empty)


@settings(deadline=None, max_examples=60)
@given(areas(), st.sampled_from(["portrait", "landscape"]))
def test_a_mirrored_roof_holds_as_many(area, orientation):
    count = lay_modules(area, 0.0, -0.5, MODULE, orientation=orientation).n
    mirrored = affinity.scale(area, -1.0, 1.0, origin=(0, 0))
    assert lay_modules(mirrored, 0.0, -0.5, MODULE, orientation=orientation).n == count


@settings(deadline=None, max_examples=60)
@given(areas(), slopes)
def test_the_best_orientation_is_never_worse_than_one(area, north):
    count = {o: lay_modules(area, 0.0, north, MODULE, orientation=o).n for o in ORIENTATIONS}
    assert count["best"] >= max(count.values())


@given(st.integers(1, 6), st.integers(1, 5), st.sampled_from(["portrait", "landscape"]))
@settings(deadline=None, max_examples=30)
def test_a_field_of_exact_size_is_filled(n_columns, n_rows, orientation):
    width, height = (1.134, 1.762) if orientation == "portrait" else (1.762, 1.134)
    field = shapely.box(
        0, 0, n_columns * (width + 0.02) - 0.02, n_rows * (height + 0.02) - 0.02
    )  # fmt: skip
    layout = lay_modules(field, 0.0, 0.0, MODULE, orientation=orientation)
    assert layout.n == n_columns * n_rows
    assert layout.row.max() == n_rows
    assert layout.column.max() == n_columns
    assert layout.is_portrait.all() == (orientation == "portrait")
    too_small = affinity.scale(field, 0.999, 0.999)
    assert lay_modules(too_small, 0.0, 0.0, MODULE, orientation=orientation).n < layout.n


def test_rows_are_numbered_from_the_eaves_and_the_left():
    # Faces north: seen from there the left is in the east.
    layout = lay_modules(shapely.box(0, 0, 6, 4), 0.0, -0.5, MODULE, orientation="portrait")
    first = layout.corners[(layout.row == 1) & (layout.column == 1)][0]
    assert first[:, 1].max() > layout.corners[:, :, 1].max() - 1e-9
    assert first[:, 0].max() == pytest.approx(layout.corners[:, :, 0].max())
    ring = shapely.LinearRing(layout.corners[0])
    assert ring.is_ccw


def test_modules_of_rows_stand_in_common_lines():
    # A roof with a notch: every row could begin elsewhere.
    area = shapely.Polygon([(0, 0), (9.3, 0), (9.3, 6), (0.3, 6), (0.3, 3), (0, 3)])
    layout = lay_modules(area, 0.0, -1e-6, MODULE, orientation="portrait")
    left = np.unique(layout.corners[:, :, 0].min(axis=1).round(4))
    assert len(left) == layout.column.max()


def test_strips_are_cut_where_an_edge_enters_them():
    # A triangle over (0, 0)-(8, 0), top at (4, 4): from y = 1 to 2 it is free from x = 2 to 6.
    triangle = np.array([[0, 0, 8, 0], [8, 0, 4, 4], [4, 4, 0, 0]], dtype=float)
    edges = sorted_edges(triangle, False, False)
    lo, hi, crosses = np.empty(3), np.empty(3), np.empty(3, bool)
    assert strip_intervals(edges, 1.0, 1.0, lo, hi, crosses) == 1
    assert (lo[0], hi[0]) == (pytest.approx(2.0, abs=1e-5), pytest.approx(6.0, abs=1e-5))


def test_an_area_too_small_for_a_module_holds_none():
    for area in (shapely.Polygon(), shapely.box(0, 0, 1.7, 1.7), shapely.box(0, 0, 1.1, 30)):
        assert lay_modules(area, 0.0, 0.0, MODULE).n == 0


def test_an_unknown_orientation_is_refused():
    with pytest.raises(InputError, match="sideways"):
        lay_modules(shapely.box(0, 0, 5, 5), 0.0, 0.0, MODULE, orientation="sideways")
    with pytest.raises(InputError, match="positive sides"):
        Module(0.0, 1.0, 440.0, 0.02)


def test_the_reference_knows_a_pinwheel():
    # Four modules round a hole, in a square of one length and one width: strips hold three.
    edge = 1.762 + 1.134 + 0.02
    assert optimum(shapely.box(0, 0, edge, edge), 1.762, 1.134, 0.02, step_m=0) == (4, 4)


def test_at_least_97_percent_of_the_solved_optimum(figure):
    counts = []
    for kind, area in small_areas(24, scale=0.95):
        n = lay_modules(area, 0.0, 0.0, MODULE, grid_azimuth=180.0).n
        step_m = 0.0 if has_upright_edges(kind) else 0.25
        found, bound = optimum(area, 1.762, 1.134, 0.02, step_m=step_m, seconds=5.0)
        if found == bound:
            counts.append((kind, n, found))
            if has_upright_edges(kind):
                assert n <= found
    most = sum(max(n, found) for _, n, found in counts)
    total = sum(n for _, n, _ in counts)
    worst = min(n / found for _, n, found in counts if found)
    figure("packing", f"{total} of {most} modules, worst of {len(counts)} areas {worst:.3f}")
    assert len(counts) >= 20
    assert total >= 0.97 * most


@pytest.mark.parametrize("n_kind", [1, 2])
def test_heights_of_strips_fit_their_array_whatever_the_edges(n_kind):
    # As plain Python, where writing past the end of an array is an error.
    heights = np.array([1.762, 1.134])[:n_kind]
    for _, area in small_areas(12):
        ring = shapely.get_coordinates(area.exterior)
        edges = sorted_edges(np.hstack([ring[:-1], ring[1:]]), False, False)
        ys = strip_heights.py_func(edges, heights, 0.05)
        assert (np.diff(ys) > 0).all()
        assert ys[0] == edges[:, 1].min()
        assert ys[-1] <= edges[:, 3].max() - heights.min() + 1e-9
