"""Overhang beyond the walls: houses of known eaves, then what must not be taken for eaves."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity
from small_houses import EAVES_M, GROUND_M, LENGTH_M, WIDTH_M, house

from solarkataster.demo import make_town
from solarkataster.errors import InputError
from solarkataster.footprint_cells import cells_inside, footprint_mask
from solarkataster.grid import Grid
from solarkataster.roofs.outlines import plane_outlines
from solarkataster.roofs.overhang import roof_overhang
from solarkataster.roofs.planes import find_roof_planes
from solarkataster.roofs.sides import footprint_sides


@pytest.mark.parametrize(
    ("cell_size_m", "share_of_points", "limit_m"),
    [
        pytest.param(0.25, None, 0.15, id="0.25 m"),
        pytest.param(0.5, None, 0.5 / 3, id="0.5 m"),
        pytest.param(0.3, 0.9, 0.15, id="10 points/m2"),
        pytest.param(0.5, 0.9, 0.15, id="4 points/m2"),
    ],
)
def test_eaves_and_verges_of_turned_houses_are_measured(
    cell_size_m, share_of_points, limit_m, figure
):
    rng = np.random.default_rng(5)
    errors_m, area_errors = [], []
    for k, faces in enumerate([0.0, 90.0, 180.0, 0.0, 7.0, 20.0, 45.0, 111.0, 163.0, 300.0]):
        depths_m = tuple(rng.uniform(0.0, 0.8, 4))
        shift_m = tuple(rng.uniform(0.0, cell_size_m, 2))
        one = house(
            faces, cell_size_m=cell_size_m, depths_m=depths_m, shift_m=shift_m,
            share_of_points=share_of_points, seed=k,
        )  # fmt: skip
        found = one.overhang()
        assert set(found.source) == {"seen"}
        errors_m += (found.depth_m[one.by_side(found)] - np.array(depths_m)).tolist()
        area_errors.append(found.outline.area / one.roof.area - 1.0)
        assert found.outline.is_valid
    mean_m, worst_m = np.abs(errors_m).mean(), np.abs(errors_m).max()
    figure(
        "overhang",
        f"cell {cell_size_m:g} m{' (points)' if share_of_points else ''}: mean error {mean_m:.3f} "
        f"m, bias {np.mean(errors_m):+.3f} m, worst {worst_m:.3f} m; roof area "
        f"{np.abs(area_errors).mean():.1%}",
    )
    assert mean_m <= limit_m
    assert np.abs(area_errors).mean() <= 0.02


@pytest.mark.parametrize("faces", [0.0, 33.0])
def test_a_roof_that_ends_at_its_walls_is_seen_to_end_there(faces):
    one = house(faces, depths_m=(0.0, 0.0, 0.0, 0.0))
    found = one.overhang()
    assert set(found.source) == {"seen"}
    assert found.depth_m.max() <= 0.125  # half a cell
    assert found.outline.area == pytest.approx(one.footprint.area, rel=0.02)


def test_a_flat_roof_shows_its_eaves_too():
    one = house(50.0, tilt=0.0)
    found = one.overhang()
    np.testing.assert_allclose(found.depth_m[one.by_side(found)], one.depths_m, atol=0.1)


def test_a_surface_cut_at_the_footprint_or_of_one_metre_shows_nothing():
    one = house(20.0)
    inside = cells_inside(one.footprint, one.grid)
    cut = replace(one, elevation_m=np.where(inside, one.elevation_m, np.nan))
    for found in (cut.overhang(), house(20.0, cell_size_m=1.0).overhang()):
        assert set(found.source) == {"none"}
        assert np.isnan(found.depth_m).all()
        assert found.outline.equals(one.footprint) or found.outline.area == pytest.approx(108.0)


def test_a_tree_at_the_eaves_is_no_roof():
    one = house(20.0, depths_m=(0.4, 0.4, 0.4, 0.4))
    crown = np.hypot(one.across_m - WIDTH_M / 2 - 1.2, one.along_m - 1.0) < 2.5
    rough_m = np.random.default_rng(3).normal(0.0, 0.6, one.elevation_m.shape)
    covered = replace(one, elevation_m=np.where(crown, EAVES_M + 1.5 + rough_m, one.elevation_m))
    found = covered.overhang()
    np.testing.assert_allclose(found.depth_m[one.by_side(found)], 0.4, atol=0.15)
    assert found.outline.area == pytest.approx(one.roof.area, rel=0.02)


def test_a_terrace_as_high_as_the_roof_is_no_overhang():
    one = house(20.0, tilt=0.0)
    hill = one.across_m > WIDTH_M / 2
    level = replace(one, elevation_m=np.where(hill, EAVES_M, one.elevation_m))
    found = level.overhang()
    side = one.by_side(found)
    assert found.source[side[0]] == "none"
    assert [found.source[k] for k in side[1:]] == ["seen"] * 3


def test_a_neighbours_roof_makes_a_party_wall():
    one = house(20.0, depths_m=(0.5, 0.5, 0.0, 0.3))
    neighbour = (one.along_m > LENGTH_M / 2) & (np.abs(one.across_m) < WIDTH_M / 2)
    rise_m = np.tan(np.radians(38.0)) * (WIDTH_M / 2 - np.abs(one.across_m))
    row = replace(one, elevation_m=np.where(neighbour, EAVES_M + rise_m, one.elevation_m))
    found = row.overhang(free=~neighbour)
    side = one.by_side(found)
    assert [found.source[k] for k in side] == ["seen", "seen", "party wall", "seen"]
    assert found.depth_m[side[2]] == 0.0
    assert shapely.difference(found.outline, one.roof.buffer(0.15)).area < 0.01
    assert not (cells_inside(found.outline, one.grid) & neighbour).any()


def test_a_neighbour_along_half_a_side_leaves_the_eaves_over_the_other_half():
    one = house(20.0, depths_m=(0.5, 0.5, 0.4, 0.4))
    neighbour = (one.across_m > WIDTH_M / 2) & (np.abs(one.across_m) < 2 * WIDTH_M)
    neighbour &= one.along_m > 1.5  # 4.5 m of 12
    lower_m = np.where(neighbour, EAVES_M - 2.0, one.elevation_m)
    found = replace(one, elevation_m=lower_m).overhang(free=~neighbour)
    side = one.by_side(found)
    np.testing.assert_allclose(found.depth_m[side], one.depths_m, atol=0.15)
    assert not (cells_inside(found.outline, one.grid) & neighbour).any()
    strip_m2 = found.outline.area - one.footprint.area
    # 7.5 m of 0.5 m, 12 m of 0.5 m, two times 9 m of 0.4 m, three corners
    assert strip_m2 == pytest.approx(3.75 + 6.0 + 7.2 + 0.6, abs=1.0)


def test_wings_and_a_courtyard_get_their_eaves_all_around():
    court = shapely.box(4.0, 4.0, 9.0, 11.0)
    walls = shapely.box(0, 0, 14, 15).union(shapely.box(14, 9, 22, 15)).difference(court)
    footprint = affinity.translate(affinity.rotate(walls, 33.0), 400_020.0, 5_599_960.0)
    roof = footprint.buffer(0.5, join_style="mitre")
    grid = Grid((180, 180), 400_000.0, 5_600_000.0, 0.25, "EPSG:25832")
    elevation_m = np.where(cells_inside(roof, grid), EAVES_M, GROUND_M)
    elevation_m += np.random.default_rng(1).normal(0.0, 0.03, elevation_m.shape)
    planes = find_roof_planes(elevation_m, cells_inside(footprint, grid), 0.25)
    free = np.ones(grid.shape, dtype=bool)
    found = roof_overhang(planes, elevation_m, footprint, grid, free=free)
    assert len(found.source) == 10
    np.testing.assert_allclose(found.depth_m, 0.5, atol=0.1)
    assert found.outline.symmetric_difference(roof).area < 0.01 * roof.area
    assert len(found.outline.interiors) == 1
    assert len(found.outline.exterior.coords) == 7


def test_a_short_side_takes_the_depth_of_its_neighbours():
    # A bay 0.6 m wide and 0.2 m deep in the long wall: its front is two cells long.
    walls = shapely.box(0, 0, 12, 9).union(shapely.box(5.0, -0.2, 5.6, 0.5))
    footprint = affinity.translate(walls, 400_020.0, 5_599_960.0)
    roof = footprint.buffer(0.5, join_style="mitre")
    grid = Grid((100, 100), 400_000.0, 5_600_000.0, 0.5, "EPSG:25832")
    elevation_m = np.where(cells_inside(roof, grid), EAVES_M, GROUND_M)
    planes = find_roof_planes(elevation_m, cells_inside(footprint, grid), 0.5)
    free = np.ones(grid.shape, dtype=bool)
    found = roof_overhang(planes, elevation_m, footprint, grid, free=free)
    length_m = np.hypot(*(found.end - found.start).T)
    front = int(np.argmin(np.abs(length_m - 0.6)))
    assert found.source[front] == "seen"
    assert found.depth_m[front] == pytest.approx(0.5, abs=0.26)
    assert [found.source[k] for k in np.flatnonzero(length_m < 0.3)] == ["none", "none"]


def test_a_building_across_the_edge_of_the_raster_keeps_its_seen_eaves():
    one = house(0.0, depths_m=(0.5, 0.5, 0.4, 0.4))
    row, _ = one.grid.row_col(0.0, one.footprint.centroid.y)
    height = int(row)  # the ridge runs east: the lower half is off the raster
    grid = one.grid.window(0, 0, height, one.grid.shape[1])
    found = replace(one, grid=grid, elevation_m=one.elevation_m[:height]).overhang()
    side = one.by_side(found)
    assert found.source[side[0]] == "seen"
    assert found.source[side[1]] == "none"
    assert found.outline.is_valid


def test_what_reaches_farther_than_the_deepest_overhang_is_not_taken():
    one = house(20.0, depths_m=(3.0, 0.4, 0.4, 0.4))
    found = one.overhang()
    side = one.by_side(found)
    assert found.source[side[0]] == "none"
    assert [found.source[k] for k in side[1:]] == ["seen"] * 3


def test_labels_go_on_to_the_edge_of_the_roof():
    one = house(20.0, noise_m=0.0)
    found = one.overhang()
    ring = cells_inside(found.outline, one.grid)
    assert (found.labels[ring] > 0).all()
    assert found.labels[~ring].max() == 0
    upper = one.across_m > 0
    near_ridge = np.abs(one.across_m) < 0.2
    assert np.unique(found.labels[ring & upper & ~near_ridge]).size == 1
    outlines = plane_outlines(found.labels, found.outline, one.grid)
    assert sum(part.area for part in outlines) == pytest.approx(found.outline.area, rel=1e-6)


@pytest.mark.parametrize("cell_size_m", [0.5, 0.3, 0.2])  # the last two are no binary fractions
def test_the_window_changes_no_byte(cell_size_m):
    one = house(217.0, cell_size_m=cell_size_m)
    inside = cells_inside(one.footprint, one.grid)
    planes = find_roof_planes(one.elevation_m, inside, cell_size_m)
    there = roof_overhang(
        planes, one.elevation_m, one.footprint, one.grid, free=np.ones(one.grid.shape, dtype=bool)
    )
    pad = ((7, 3), (11, 0))
    wide_m = np.pad(one.elevation_m, pad, constant_values=GROUND_M)
    grid = one.grid.window(-7, -11, *wide_m.shape)
    planes = find_roof_planes(wide_m, cells_inside(one.footprint, grid), cell_size_m)
    elsewhere = roof_overhang(
        planes, wide_m, one.footprint, grid, free=np.ones(grid.shape, dtype=bool)
    )
    assert there.depth_m.tobytes() == elsewhere.depth_m.tobytes()
    assert shapely.to_wkb(there.outline) == shapely.to_wkb(elsewhere.outline)
    np.testing.assert_array_equal(np.pad(there.labels, pad), elsewhere.labels)


def test_a_building_without_planes_ends_at_its_footprint():
    one = house(20.0)
    found = replace(one, elevation_m=np.full(one.grid.shape, np.nan)).overhang()
    assert found.outline.equals(one.footprint)
    assert set(found.source) == {"none"}


def test_sides_have_the_outside_on_their_right_and_pass_over_points_in_a_wall():
    court = [(4.0, 4.0), (8.0, 4.0), (8.0, 6.0), (4.0, 6.0)]
    walls = [(0, 0), (0, 10), (5, 10.01), (12, 10), (12, 0), (6, 0)]
    sides = footprint_sides(shapely.Polygon(walls, [court]))
    assert len(sides) == 8
    assert sorted(sides.length_m) == [2.0, 2.0, 4.0, 4.0, 10.0, 10.0, 12.0, 12.0]
    middle = 0.5 * (sides.start + sides.end) + 0.1 * sides.outwards
    inside = shapely.contains_xy(shapely.Polygon(walls, [court]), middle[:, 0], middle[:, 1])
    assert not inside.any()
    assert sides.is_convex.sum() == 4
    np.testing.assert_array_equal(sides.start[sides.following], sides.end)


corner = st.integers(0, 8)


@settings(max_examples=80, deadline=None)
@given(
    wings=st.lists(st.tuples(corner, corner, corner, corner), min_size=1, max_size=4),
    turn=st.floats(0.0, 90.0),
    depth_m=st.sampled_from([0.0, 0.3, 0.5, 0.8, 1.2]),
)
def test_any_footprint_with_overhang_all_around_gets_a_valid_outline(wings, turn, depth_m):
    boxes = [shapely.box(a, b, a + 3 + c, b + 3 + d) for a, b, c, d in wings]
    footprint = shapely.union_all(boxes)
    footprint = affinity.rotate(footprint, turn, origin=(5.0, 5.0))
    footprint = affinity.translate(footprint, 400_010.0, 5_599_970.0)
    grid = Grid((60, 60), 400_000.0, 5_600_000.0, 0.5, "EPSG:25832")
    roof = footprint.buffer(depth_m, join_style="mitre")
    elevation_m = np.where(cells_inside(roof, grid), EAVES_M, GROUND_M)
    planes = find_roof_planes(elevation_m, cells_inside(footprint, grid), 0.5)
    free = np.ones(grid.shape, dtype=bool)
    found = roof_overhang(planes, elevation_m, footprint, grid, free=free)
    assert found.outline.is_valid
    assert found.outline.geom_type in ("Polygon", "MultiPolygon")
    assert shapely.covers(found.outline.buffer(1e-6), footprint)
    assert shapely.difference(found.outline, roof.buffer(0.36, join_style="mitre")).area < 1e-6


@pytest.fixture(scope="module")
def demo_roofs():
    """Overhang and outlines of all buildings of the demo town, and the CPU time per building."""
    town = make_town()
    footprints = np.array([building.footprint for building in town.buildings])
    tree = shapely.STRtree(footprints)
    roofs = {}
    for again in (False, True):  # the first time compiles
        seconds = []
        for k, footprint in enumerate(footprints):
            west_m, south_m, east_m, north_m = footprint.bounds
            grid = town.grid.crop((west_m - 3.0, south_m - 3.0, east_m + 3.0, north_m + 3.0))
            row, col = town.grid.offset_of(grid)
            heights_m = town.dsm_m[row : row + grid.shape[0], col : col + grid.shape[1]]
            near = tree.query(shapely.box(*grid.bounds))
            free = ~footprint_mask(footprints[near[near != k]], grid)
            planes = find_roof_planes(heights_m, cells_inside(footprint, grid), grid.cell_size_m)
            begin = time.process_time()
            found = roof_overhang(planes, heights_m, footprint, grid, free=free)
            outlines = plane_outlines(
                found.labels, found.outline, grid, planes=planes, min_hole_area_m2=10.0
            )
            seconds.append(time.process_time() - begin)
            if again:
                roofs[town.buildings[k].building_id] = found, outlines
    return town, roofs, float(np.mean(seconds))


def test_overhangs_of_the_demo_town_are_those_it_was_built_with(demo_roofs, figure):
    town, roofs, seconds = demo_roofs
    errors_m, n_unseen, n_party = [], 0, 0
    for side in town.sides:
        found, _ = roofs[side.building_id]
        middle = shapely.Point(0.5 * (np.array(side.start) + np.array(side.end)))
        walls = shapely.linestrings(np.stack([found.start, found.end], axis=1))
        k = int(np.argmin(shapely.distance(walls, middle)))
        if found.source[k] == "party wall":
            n_party += 1
            assert side.overhang_m == 0.0
        elif found.source[k] == "none":
            n_unseen += 1
        else:
            errors_m.append(found.depth_m[k] - side.overhang_m)
    error_m = np.abs(errors_m)
    figure(
        "overhang",
        f"demo town: {len(errors_m)} sides seen, {n_unseen} not, {n_party} party walls; mean error "
        f"{error_m.mean():.3f} m, worst {error_m.max():.2f} m; with outlines {1e3 * seconds:.2f} "
        "ms CPU per building",
    )
    assert n_unseen <= 0.02 * len(errors_m)
    assert error_m.mean() < 0.05
    assert error_m.max() < 0.2


def test_planes_of_the_demo_town_add_up_to_its_roofs(demo_roofs):
    _, roofs, _ = demo_roofs
    for found, outlines in roofs.values():
        total_m2 = sum(part.area for part in outlines)
        assert total_m2 == pytest.approx(found.outline.area, rel=0.02)
        assert all(part.is_valid for part in outlines)
        pieces = np.concatenate([shapely.get_parts(part) for part in outlines])
        assert shapely.area(pieces).min() > 0.05  # no slivers


def test_wrong_arguments_are_refused():
    one = house(20.0)
    with pytest.raises(InputError, match="shape"):
        one.overhang(free=np.ones((2, 2), dtype=bool))
    with pytest.raises(InputError, match="max_overhang_m"):
        one.overhang(max_overhang_m=0.0)
    with pytest.raises(InputError, match="empty"):
        replace(one, footprint=shapely.Polygon()).overhang()
