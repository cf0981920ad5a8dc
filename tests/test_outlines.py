"""Outlines of roof planes: known shapes, then the laws of a coverage on arbitrary labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from shapely import affinity
from small_roofs import EAVES_M, small_roof

from solarkataster.errors import InputError, KatasterError
from solarkataster.grid import Grid
from solarkataster.roofs import outlines as module
from solarkataster.roofs.outlines import plane_outlines
from solarkataster.roofs.planes import RoofPlanes, find_roof_planes
from solarkataster.roofs.rings import INVALID

AREA_TOLERANCE_M2 = 1e-6  # rounding of coordinates of six million metres


def grid_of(labels, cell_size_m=1.0):
    return Grid(labels.shape, 400_000.0, 5_600_000.0, cell_size_m, "EPSG:25832")


def frame(grid, inset_m=0.0):
    west, south, east, north = grid.bounds
    return shapely.box(west + inset_m, south + inset_m, east - inset_m, north - inset_m)


def outlines_of(roof, *, on_planes=False, **options):
    planes = find_roof_planes(roof.elevation_m, roof.inside, roof.grid.cell_size_m)
    if on_planes:
        options["planes"] = planes
    return plane_outlines(planes.labels, roof.footprint, roof.grid, **options)


def place(roof, along_m, across_m):
    """Easting and northing of a point given along and across the ridge from the roof's middle."""
    corners = np.array(roof.footprint.exterior.coords)[:4]  # down right, down left, up left, ...
    along, across = corners[0] - corners[1], corners[0] - corners[3]
    along, across = along / np.hypot(*along), across / np.hypot(*across)
    return corners.mean(axis=0) + along_m * along + across_m * across


def assert_vertex(outlines, point, tolerance_m):
    vertices = np.vstack([shapely.get_coordinates(outline) for outline in outlines])
    assert np.hypot(*(vertices - point).T).min() < tolerance_m


def assert_coverage(outlines, footprint):
    """Valid, within the footprint, without overlap."""
    for outline in outlines:
        assert outline.is_valid
        assert outline.geom_type in ("Polygon", "MultiPolygon")
        assert shapely.difference(outline, footprint).area < AREA_TOLERANCE_M2
    for one, other in itertools.combinations(outlines, 2):
        assert shapely.intersection(one, other).area < AREA_TOLERANCE_M2


@pytest.mark.parametrize("faces", [180.0, 200.0, 225.0, 251.0])
def test_a_gable_is_cut_along_a_straight_ridge(faces):
    roof = small_roof("gable", faces=faces, length_m=18.0)
    outlines = outlines_of(roof)
    assert len(outlines) == 2
    assert_coverage(outlines, roof.footprint)
    assert sum(part.area for part in outlines) == pytest.approx(roof.footprint.area, abs=1e-6)
    ridge = shapely.intersection(*outlines)
    true_ridge = shapely.LineString(
        [
            shapely.line_interpolate_point(shapely.LineString(side), 0.5, normalized=True)
            for side in _short_sides(roof.footprint)
        ]
    )
    assert ridge.length == pytest.approx(18.0, rel=0.02)  # no stair: that would be up to 41 % more
    assert ridge.hausdorff_distance(true_ridge) < 0.5  # one cell
    assert max(len(part.exterior.coords) for part in outlines) <= 8


def _short_sides(footprint):
    corners = list(footprint.exterior.coords)
    sides = sorted(itertools.pairwise(corners), key=lambda side: np.hypot(*np.subtract(*side)))
    return sides[:2]


def test_a_hip_is_cut_along_its_hips():
    roof = small_roof("hip", faces=163.0)
    outlines = outlines_of(roof)
    assert_coverage(outlines, roof.footprint)
    assert sum(part.area for part in outlines) == pytest.approx(roof.footprint.area, abs=1e-6)
    # 16 m x 10 m at one tilt: two triangles of 25 m² and two trapezia of 55 m²
    areas = sorted(part.area for part in outlines)
    np.testing.assert_allclose(areas, [25.0, 25.0, 55.0, 55.0], rtol=0.06)


TURNS = [0.0, 90.0, 163.0, 200.0, 225.0, 251.0]


@pytest.mark.parametrize("cell_size_m", [0.25, 0.5])
@pytest.mark.parametrize("faces", TURNS)
def test_the_ridge_of_a_gable_lies_on_the_line_where_its_planes_meet(faces, cell_size_m):
    roof = small_roof("gable", faces=faces, length_m=18.0, cell_size_m=cell_size_m)
    outlines = outlines_of(roof, on_planes=True)
    ridge = shapely.intersection(*outlines)
    true_ridge = shapely.LineString([place(roof, -9.0, 0.0), place(roof, 9.0, 0.0)])
    assert ridge.hausdorff_distance(true_ridge) < 0.02
    assert [len(part.exterior.coords) for part in outlines] == [5, 5]  # closed rectangles
    assert_coverage(outlines, roof.footprint)
    assert sum(part.area for part in outlines) == pytest.approx(roof.footprint.area, abs=1e-6)


@pytest.mark.parametrize("cell_size_m", [0.25, 0.5])
@pytest.mark.parametrize("faces", TURNS)
def test_hips_meet_the_ridge_in_points_and_end_in_the_corners(faces, cell_size_m):
    roof = small_roof("hip", faces=faces, cell_size_m=cell_size_m)
    outlines = outlines_of(roof, on_planes=True)
    # 16 m x 10 m at one tilt: hips at 45 degrees in plan, so the ridge is 6 m long.
    for along_m in (-3.0, 3.0):
        assert_vertex(outlines, place(roof, along_m, 0.0), 0.05)
    assert sorted(len(part.exterior.coords) - 1 for part in outlines) == [3, 3, 4, 4]
    areas = sorted(part.area for part in outlines)
    np.testing.assert_allclose(areas, [25.0, 25.0, 55.0, 55.0], rtol=0.01)
    assert_coverage(outlines, roof.footprint)


@pytest.mark.parametrize("faces", TURNS)
def test_the_four_hips_of_a_pyramid_meet_in_one_point(faces):
    roof = small_roof("hip", faces=faces, length_m=10.0)
    outlines = outlines_of(roof, on_planes=True)
    assert_vertex(outlines, place(roof, 0.0, 0.0), 0.05)
    assert [len(part.exterior.coords) - 1 for part in outlines] == [3, 3, 3, 3]
    assert_coverage(outlines, roof.footprint)


@pytest.mark.parametrize("faces", TURNS)
def test_the_valleys_of_a_wing_meet_at_its_ridge(faces):
    roof = small_roof("gable", faces=faces, tilt=35.0, noise_m=0.0)
    # A lower gable across the main slope: its ridge is 3 m over the eaves of the main roof.
    width_m, tan = 6.0, np.tan(np.radians(35.0))
    wing_m = EAVES_M + tan * (width_m / 2 - np.abs(roof.along_m))
    wing = (np.abs(roof.along_m) < width_m / 2) & (roof.across_m > 0.0)
    heights_m = np.where(wing & roof.inside, np.maximum(roof.elevation_m, wing_m), roof.elevation_m)
    heights_m += np.random.default_rng(2).normal(0.0, 0.03, heights_m.shape)
    outlines = outlines_of(roof.with_heights(heights_m), on_planes=True)
    # The wing's ridge meets the main slope (5 m − across) where both are 3 m over the eaves.
    assert len(outlines) == 4
    assert_vertex(outlines, place(roof, 0.0, 2.0), 0.1)  # 4.5 m² are 18 cells
    for along_m in (-3.0, 3.0):  # valleys go down to where the wing's eaves meet the main eaves
        assert_vertex(outlines, place(roof, along_m, 5.0), 0.1)
    areas = sorted(part.area for part in outlines)
    np.testing.assert_allclose(areas, [4.5, 4.5, 71.0, 80.0], atol=0.5)


def test_a_step_stays_where_it_was_traced():
    roof = small_roof("flat", faces=20.0)
    upper = roof.along_m > 1.0
    outlines = outlines_of(roof.raised(upper, 1.5), on_planes=True)
    areas = sorted(part.area for part in outlines)
    np.testing.assert_allclose(areas, [70.0, 90.0], atol=3.0)  # 7 m and 9 m of 10 m


@pytest.mark.parametrize("cell_size_m", [0.25, 0.5])
def test_a_ridge_runs_straight_through_a_chimney_that_is_filled(cell_size_m):
    roof = small_roof("gable", faces=200.0, length_m=18.0, cell_size_m=cell_size_m)
    chimney = roof.patch((-2.0, -0.75), (-0.7, 1.0))
    outlines = outlines_of(roof.raised(chimney, 1.2), on_planes=True, min_hole_area_m2=10.0)
    ridge = shapely.intersection(*outlines)
    true_ridge = shapely.LineString([place(roof, -9.0, 0.0), place(roof, 9.0, 0.0)])
    assert ridge.hausdorff_distance(true_ridge) < 0.03
    assert sum(part.area for part in outlines) == pytest.approx(roof.footprint.area, abs=1e-6)


def test_a_parapet_is_part_of_its_roof_and_a_court_is_not():
    labels = np.ones((60, 80), np.int32)
    labels[:2] = labels[-2:] = 0
    labels[:, :2] = labels[:, -2:] = 0  # half a metre wide, 33 m² in all
    labels[20:40, 20:40] = 0  # 25 m²
    grid = grid_of(labels, 0.25)
    (outline,) = plane_outlines(labels, frame(grid), grid, min_hole_area_m2=10.0)
    assert outline.area == pytest.approx(300.0 - 25.0, abs=0.1)


def test_a_ridge_stays_straight_where_labels_beside_a_chimney_and_along_it_are_off():
    """Points lie off the centres of their cells: labels shift by half a cell, chimneys add some."""
    roof = small_roof("gable", faces=180.0, length_m=8.0)
    planes = find_roof_planes(roof.elevation_m, roof.inside, roof.grid.cell_size_m)
    labels = planes.labels.copy()
    ridge = np.flatnonzero(
        np.diff(labels[:, labels.shape[1] // 2]) * labels[:-1, labels.shape[1] // 2]
    )
    row, col = int(ridge[0]), labels.shape[1] // 2
    north, south = labels[row, col], labels[row + 1, col]
    labels[row + 1, col + 2 :][labels[row + 1, col + 2 :] == south] = north  # beyond the ridge
    labels[row + 2 : row + 5, col : col + 2] = north  # and cells down the side of a chimney
    labels[row + 2 : row + 4, col + 2] = 0
    outlines = plane_outlines(
        labels, roof.footprint, roof.grid, planes=planes, min_hole_area_m2=10.0
    )
    assert sorted(len(part.exterior.coords) - 1 for part in outlines) == [4, 4]
    np.testing.assert_allclose([part.area for part in outlines], roof.footprint.area / 2, rtol=0.01)
    assert_coverage(outlines, roof.footprint)


def test_a_chimney_of_one_square_metre_is_a_hole_and_a_smaller_one_is_not():
    roof = small_roof("flat", faces=180.0, noise_m=0.0)
    large, small = roof.patch((2.0, 3.5), (0.5, 1.5)), roof.patch((-4.0, -3.5), (-2.0, -1.0))
    (outline,) = outlines_of(roof.raised(large | small, 1.0))
    assert len(outline.interiors) == 1
    hole_m2 = shapely.Polygon(outline.interiors[0]).area
    assert hole_m2 == pytest.approx(0.25 * np.count_nonzero(large), rel=0.01)
    assert outline.area == pytest.approx(roof.footprint.area - hole_m2, abs=1e-6)


def test_a_courtyard_stays_open():
    labels = np.ones((20, 24), np.int32)
    labels[8:12, 6:18] = 0
    grid = grid_of(labels)
    court = shapely.box(400_005.7, 5_599_987.6, 400_018.2, 5_599_992.3)
    footprint = frame(grid, 0.4).difference(court)
    (outline,) = plane_outlines(labels, footprint, grid)
    assert outline.symmetric_difference(footprint).area < AREA_TOLERANCE_M2


def test_a_footprint_in_two_pieces_gives_a_plane_in_two_pieces():
    labels = np.ones((10, 20), np.int32)
    grid = grid_of(labels)
    gap = shapely.box(400_009.0, 5_599_980.0, 400_011.0, 5_600_000.0)
    footprint = frame(grid).difference(gap)
    (outline,) = plane_outlines(labels, footprint, grid)
    assert outline.geom_type == "MultiPolygon"
    assert outline.area == pytest.approx(footprint.area, abs=1e-6)


def test_what_lies_off_the_raster_is_not_drawn():
    labels = np.ones((10, 10), np.int32)
    grid = grid_of(labels)
    footprint = affinity.translate(frame(grid, 2.0), 5.0, 0.0)
    (outline,) = plane_outlines(labels, footprint, grid)
    assert outline.symmetric_difference(footprint.intersection(frame(grid))).area < 1e-6


def test_no_plane_gives_no_outline_and_a_plane_elsewhere_an_empty_one():
    labels = np.zeros((10, 10), np.int32)
    grid = grid_of(labels)
    assert plane_outlines(labels, frame(grid, 3.0), grid) == []
    labels[0, 0] = 1
    (outline,) = plane_outlines(labels, frame(grid, 3.0), grid)
    assert outline.is_empty


def test_the_window_the_labels_come_in_changes_no_byte():
    roof = small_roof("hip", faces=217.0, cell_size_m=0.5)
    planes = find_roof_planes(roof.elevation_m, roof.inside, 0.5)
    there = plane_outlines(planes.labels, roof.footprint, roof.grid, planes=planes)
    pad = ((7, 3), (11, 0))
    planes = find_roof_planes(
        np.pad(roof.elevation_m, pad, constant_values=100.0), np.pad(roof.inside, pad), 0.5
    )
    grid = roof.grid.window(-7, -11, *planes.labels.shape)
    elsewhere = plane_outlines(planes.labels, roof.footprint, grid, planes=planes)
    assert shapely.to_wkb(there).tolist() == shapely.to_wkb(elsewhere).tolist()


footprints = st.tuples(st.floats(0.0, 90.0), st.floats(0.0, 2.0))


@settings(max_examples=150, deadline=None)
@given(labels=arrays(np.int32, (9, 11), elements=st.integers(1, 4)), shape=footprints)
@example(labels=np.kron([[1, 2], [2, 1]], np.ones((5, 6))).astype(np.int32)[:9, :11], shape=(30, 0))
@example(labels=(1 + np.indices((9, 11)).sum(axis=0) % 2).astype(np.int32), shape=(0.0, 0.0))
def test_planes_without_holes_fill_any_footprint_exactly(labels, shape):
    grid = grid_of(labels)
    angle, inset_m = shape
    footprint = affinity.rotate(frame(grid, inset_m), angle).intersection(frame(grid))
    outlines = plane_outlines(labels, footprint, grid)
    assert_coverage(outlines, footprint)
    assert sum(part.area for part in outlines) == pytest.approx(footprint.area, abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(
    labels=arrays(np.int32, (9, 11), elements=st.integers(1, 4)),
    shape=footprints,
    equations=arrays(np.float64, (3, 4), elements=st.floats(-2.0, 2.0, width=16)),
)
def test_planes_on_their_meeting_lines_fill_any_footprint_exactly(labels, shape, equations):
    labels[0, :4] = 1, 2, 3, 4
    grid = grid_of(labels)
    footprint = affinity.rotate(frame(grid, shape[1]), shape[0]).intersection(frame(grid))
    outlines = plane_outlines(labels, footprint, grid, planes=planes_of(labels, *equations))
    assert len(outlines) == 4
    assert_coverage(outlines, footprint)
    assert sum(part.area for part in outlines) == pytest.approx(footprint.area, abs=1e-6)


def planes_of(labels, slope_east, slope_north, elevation_m):
    """Planes of given slopes and of given heights in the middle of the raster."""
    none = np.zeros(len(slope_east))
    return RoofPlanes(
        labels, slope_east, slope_north, elevation_m, none, none, none, (4, 5), 1.0
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(labels=arrays(np.int32, (9, 11), elements=st.integers(0, 3)), shape=footprints)
def test_planes_with_holes_never_overlap_or_leave_the_footprint(labels, shape):
    grid = grid_of(labels)
    footprint = affinity.rotate(frame(grid, shape[1]), shape[0]).intersection(frame(grid))
    assert_coverage(plane_outlines(labels, footprint, grid), footprint)


def test_borders_that_cross_even_as_stairs_end_in_an_error(monkeypatch):
    labels = np.ones((9, 11), np.int32)
    labels[:, 5:] = 2
    real, rounds = module.straighten_arcs, []

    def straighten(*args):
        rounds.append(1)
        assert len(rounds) <= len(module.TOLERANCES), "goes on for ever"
        return real(*args)

    monkeypatch.setattr(module, "straighten_arcs", straighten)
    monkeypatch.setattr(module, "area_of", lambda rings: INVALID)
    grid = grid_of(labels)
    with pytest.raises(KatasterError, match="cross even as stairs"):
        plane_outlines(labels, frame(grid), grid)
    assert len(rounds) == np.count_nonzero(~module.ON_MEETINGS)


def test_wrong_arguments_are_refused():
    labels = np.ones((4, 4), np.int32)
    grid = grid_of(labels)
    with pytest.raises(InputError, match="shape"):
        plane_outlines(labels[:2], frame(grid), grid)
    with pytest.raises(InputError, match="empty"):
        plane_outlines(labels, shapely.Polygon(), grid)
    with pytest.raises(InputError, match="Point"):
        plane_outlines(labels, shapely.Point(0, 0), grid)
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(InputError, match="Self-intersection"):
        plane_outlines(labels, bow, grid)
