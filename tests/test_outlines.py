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
from small_roofs import small_roof

from solarkataster import outlines as module
from solarkataster.errors import InputError, KatasterError
from solarkataster.grid import Grid
from solarkataster.outline_rings import INVALID
from solarkataster.outlines import plane_outlines
from solarkataster.roofs import find_roof_planes

AREA_TOLERANCE_M2 = 1e-6  # rounding of coordinates of six million metres


def grid_of(labels, cell_size_m=1.0):
    return Grid(labels.shape, 400_000.0, 5_600_000.0, cell_size_m, "EPSG:25832")


def frame(grid, inset_m=0.0):
    west, south, east, north = grid.bounds
    return shapely.box(west + inset_m, south + inset_m, east - inset_m, north - inset_m)


def outlines_of(roof):
    planes = find_roof_planes(roof.elevation_m, roof.inside, roof.grid.cell_size_m)
    return plane_outlines(planes.labels, roof.footprint, roof.grid)


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
    there = plane_outlines(planes.labels, roof.footprint, roof.grid)
    wide = np.pad(planes.labels, ((7, 3), (11, 0)))
    elsewhere = plane_outlines(wide, roof.footprint, roof.grid.window(-7, -11, *wide.shape))
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
