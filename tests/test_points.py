"""One height a cell from laser points, and the points near a building among many."""

from __future__ import annotations

import time

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.points import (
    Points,
    cells_near,
    index_points,
    lattice_cell_size_m,
    lattice_heights,
)

#: Far from the origin, as real coordinates are.
EAST_M, NORTH_M = 364_007.3, 5_622_411.8
HOUSE = shapely.box(EAST_M, NORTH_M, EAST_M + 10.0, NORTH_M + 8.0)
GROUND, TREE, BUILDING, UNCLASSIFIED, RLP_REST = 2, 5, 6, 1, 20


def cloud(east_m, north_m, elevation_m, classification=BUILDING, echo=1, of=1) -> Points:
    """Points from offsets to the corner of the house; the rest is spread over all of them."""
    n = np.size(east_m)

    def each(values):
        return np.broadcast_to(np.asarray(values, dtype=np.uint8), n).copy()

    return Points(
        EAST_M + np.asarray(east_m, dtype=float).ravel(),
        NORTH_M + np.asarray(north_m, dtype=float).ravel(),
        np.broadcast_to(np.asarray(elevation_m, dtype=float), n).copy(),
        each(classification),
        each(echo),
        each(of),
    )


def together(*parts: Points) -> Points:
    names = Points.__dataclass_fields__
    return Points(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))


def scattered(n: int, seed: int = 0, reach_m: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Places over the house and some metres around it."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-reach_m, 10.0 + reach_m, n), rng.uniform(-reach_m, 8.0 + reach_m, n)


def assert_same(one, other):
    assert one.grid == other.grid
    assert one.density_per_m2 == other.density_per_m2
    for name in ("elevation_m", "offset_east_m", "offset_north_m", "n_points"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


# Where and how large the cells are


@pytest.mark.parametrize(
    ("density_per_m2", "cell_m"),
    # 1 / sqrt(density), rounded up to 0.05 m, within 0.2 and 1 m.
    [(0.5, 1.0), (1.0, 1.0), (4.0, 0.5), (10.0, 0.35), (20.0, 0.25), (30.0, 0.2), (400.0, 0.2)],
)
def test_cells_hold_about_one_point(density_per_m2, cell_m):
    assert lattice_cell_size_m(density_per_m2) == pytest.approx(cell_m, abs=1e-12)


def test_density_counts_last_echoes_of_roof_classes_over_the_footprint_alone():
    inside = np.full(160, 5.0), np.linspace(0.1, 7.9, 160)
    lattice = lattice_heights(
        together(
            cloud(*inside, 9.0),
            cloud(*inside, 14.0, UNCLASSIFIED, 1, 2),  # first echoes from leaves
            cloud(*inside, 4.0, GROUND),
            cloud(*inside, 12.0, TREE),
            cloud(np.full(50, -1.0), np.linspace(0, 8, 50), 9.0),  # outside
        ),
        HOUSE,
    )
    assert lattice.density_per_m2 == 160 / 80.0
    assert lattice.grid.cell_size_m == pytest.approx(0.75)  # 1/sqrt(2) = 0.707, rounded up


def test_lattice_lies_on_whole_multiples_of_its_cell_and_covers_the_margin():
    lattice = lattice_heights(cloud(*scattered(4000), 9.0), HOUSE, margin_m=1.7, crs="EPSG:25832")
    grid = lattice.grid
    assert grid.crs == "EPSG:25832"
    for edge_m in grid.bounds:
        assert edge_m / grid.cell_size_m == pytest.approx(
            round(edge_m / grid.cell_size_m), abs=1e-5
        )
    west_m, south_m, east_m, north_m = shapely.buffer(HOUSE, 1.7).bounds
    size_m = grid.cell_size_m
    assert west_m - size_m <= grid.west_m <= west_m
    assert south_m - size_m <= grid.south_m <= south_m
    assert east_m <= grid.east_m <= east_m + size_m
    assert north_m <= grid.north_m <= north_m + size_m


# Which point stands for a cell


@pytest.mark.parametrize("density_per_m2", [4, 10, 30])
def test_heights_lie_on_a_steep_roof_at_their_true_place(density_per_m2):
    east_m, north_m = scattered(density_per_m2 * 16 * 14)
    lattice = lattice_heights(cloud(east_m, north_m, 5.0 + 1.2 * east_m - 0.7 * north_m), HOUSE)
    grid = lattice.grid
    known = ~np.isnan(lattice.elevation_m)
    assert known.mean() > 0.5
    col, row = np.meshgrid(np.arange(grid.shape[1]), np.arange(grid.shape[0]))
    size_m = grid.cell_size_m
    at_east_m = grid.west_m + (col + 0.5) * size_m + lattice.offset_east_m - EAST_M
    at_north_m = grid.north_m - (row + 0.5) * size_m + lattice.offset_north_m - NORTH_M
    expected_m = 5.0 + 1.2 * at_east_m - 0.7 * at_north_m
    np.testing.assert_allclose(lattice.elevation_m[known], expected_m[known], atol=1e-6)
    assert abs(lattice.offset_east_m[known]).max() <= size_m / 2 + 1e-6
    assert abs(lattice.offset_north_m[known]).max() <= size_m / 2 + 1e-6
    assert (lattice.n_points[~known] == 0).all()


def test_crown_over_a_roof_is_seen_through_by_the_last_echoes():
    east_m, north_m = scattered(3000)
    roof = cloud(east_m, north_m, 8.0, RLP_REST, 2, 2)
    leaves = cloud(east_m, north_m, np.random.default_rng(1).uniform(9, 14, 3000), RLP_REST, 1, 2)
    lattice = lattice_heights(together(leaves, roof), HOUSE)
    assert set(lattice.elevation_m[~np.isnan(lattice.elevation_m)]) == {8.0}


def test_chimney_left_to_class_1_stays_where_a_building_class_is_in_use():
    east_m, north_m = scattered(3000)
    is_chimney = (abs(east_m - 5.0) < 0.5) & (abs(north_m - 4.0) < 0.5)
    lattice = lattice_heights(
        cloud(
            east_m,
            north_m,
            np.where(is_chimney, 10.0, 8.0),
            np.where(is_chimney, UNCLASSIFIED, BUILDING),
        ),
        HOUSE,
    )
    standing_m2 = (lattice.elevation_m == 10.0).sum() * lattice.grid.cell_size_m**2
    assert standing_m2 == pytest.approx(1.0, abs=0.45)  # cells on its rim take the top


def test_vegetation_and_noise_classes_are_never_a_height():
    east_m, north_m = scattered(3000)
    roof = cloud(east_m[:300], north_m[:300], 8.0)
    others = [
        cloud(*scattered(800, seed=c), 12.0, classification=c) for c in (3, 4, 5, 7, 9, 17, 18, 26)
    ]
    assert_same(lattice_heights(together(roof, *others), HOUSE), lattice_heights(roof, HOUSE))


@pytest.mark.parametrize("classes", [(6, 5), (2, 6)])
def test_roof_classes_that_are_vegetation_or_ground_are_refused(classes):
    with pytest.raises(InputError, match="roof_classes"):
        lattice_heights(cloud(*scattered(300), 8.0), HOUSE, roof_classes=classes)


def test_ground_beside_the_walls_has_its_height_and_no_roof_point():
    east_m, north_m = scattered(6000)
    is_roof = (east_m > -0.5) & (east_m < 10.5) & (north_m > -0.5) & (north_m < 8.5)
    lattice = lattice_heights(
        cloud(east_m, north_m, np.where(is_roof, 8.0, 2.0), np.where(is_roof, BUILDING, GROUND)),
        HOUSE,
    )
    is_ground = lattice.elevation_m == 2.0
    assert is_ground.any()
    assert (lattice.n_points[is_ground] == 0).all()
    assert (lattice.n_points[lattice.elevation_m == 8.0] > 0).all()
    # Half a metre of eaves, to within a cell: no roof beyond 11 x 9 m, no ground within.
    grid = lattice.grid
    row, col = np.indices(grid.shape)
    centre_m = (col + 0.5) * grid.cell_size_m + grid.west_m, -(row + 0.5) * grid.cell_size_m
    place = shapely.points(centre_m[0], centre_m[1] + grid.north_m)
    eaves = shapely.box(EAST_M - 0.5, NORTH_M - 0.5, EAST_M + 10.5, NORTH_M + 8.5)
    assert not is_ground[shapely.dwithin(place, shapely.buffer(eaves, -grid.cell_size_m), 0)].any()
    is_far = shapely.distance(place, eaves) > grid.cell_size_m
    assert not (lattice.elevation_m[is_far] == 8.0).any()
    assert is_far.any()


def test_rim_of_the_roof_counts_only_where_nothing_else_was_hit():
    rim = cloud([-0.5, -1.5], [4.0, 4.0], 8.0, BUILDING, 1, 2)
    foot = cloud([-0.5], [4.0], 2.0, GROUND, 2, 2)
    roof = cloud(*scattered(800, reach_m=0.0), 8.0)
    lattice = lattice_heights(together(rim, foot, roof), HOUSE)

    def at(east_m, north_m):
        row, col = lattice.grid.row_col(EAST_M + east_m, NORTH_M + north_m)
        return lattice.elevation_m[round(row), round(col)]

    assert at(-0.5, 4.0) == 2.0
    assert at(-1.5, 4.0) == 8.0
    assert np.isnan(at(-1.5, 6.0))


def test_echoes_in_between_are_never_a_height():
    roof = cloud(*scattered(800, reach_m=0.0), 8.0)
    between = cloud([-1.0], [4.0], 6.0, UNCLASSIFIED, 2, 3)
    assert_same(lattice_heights(together(roof, between), HOUSE), lattice_heights(roof, HOUSE))


def test_noise_of_a_dense_scan_does_not_lift_the_roof():
    rng = np.random.default_rng(2)
    east_m, north_m = scattered(100 * 16 * 14)  # 100 a m²: four in each of the smallest cells
    noise_m = rng.normal(0.0, 0.03, east_m.size)
    lattice = lattice_heights(cloud(east_m, north_m, 8.0 + noise_m), HOUSE)
    # The highest of four normal values lies 1.03 sigma up (order statistics): 31 mm.
    assert abs(np.nanmean(lattice.elevation_m) - 8.0) < 0.002


def test_nearest_to_the_centre_is_taken_among_those_near_the_top():
    roof = cloud(*scattered(10, reach_m=-1.0), 8.0)  # sparse: cells of 1 m
    size_m = lattice_heights(roof, HOUSE).grid.cell_size_m
    assert size_m == 1.0
    centre = np.floor(EAST_M) + 3.5 - EAST_M, np.floor(NORTH_M) + 3.5 - NORTH_M
    shift_m = np.array([0.30, 0.10, 0.02])
    points = cloud(centre[0] + shift_m, np.full(3, centre[1]), [20.0, 19.75, 19.6])
    lattice = lattice_heights(together(roof, points), HOUSE)
    row, col = lattice.grid.row_col(EAST_M + centre[0], NORTH_M + centre[1])
    assert lattice.elevation_m[round(row), round(col)] == 19.75
    assert lattice.offset_east_m[round(row), round(col)] == pytest.approx(0.10, abs=1e-6)


def test_no_roof_point_over_the_footprint_is_none():
    assert lattice_heights(cloud([], [], []), HOUSE) is None
    assert lattice_heights(cloud(*scattered(500), 3.0, GROUND), HOUSE) is None
    assert lattice_heights(cloud([-1.0], [4.0], 8.0), HOUSE) is None


def test_points_without_counted_echoes_are_taken_as_only_ones():
    points = cloud(*scattered(800), 8.0, echo=0, of=0)
    assert lattice_heights(points, HOUSE).density_per_m2 > 2.0


# Laws


@st.composite
def clouds(draw) -> Points:
    """Few places, so that many points share one, and every class and echo that matters."""
    n = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_returns = rng.integers(1, 4, n)
    return cloud(
        rng.integers(-8, 48, n) * 0.25,
        rng.integers(-8, 40, n) * 0.25,
        rng.integers(0, 12, n) * 0.1,
        rng.choice([GROUND, TREE, BUILDING, UNCLASSIFIED], n, p=[0.2, 0.1, 0.6, 0.1]),
        rng.integers(1, n_returns + 1),
        n_returns,
    )


@settings(deadline=None, max_examples=150)
@given(clouds(), st.integers(0, 2**32 - 1))
def test_order_of_the_points_changes_nothing(points, seed):
    turned = points.take(np.random.default_rng(seed).permutation(len(points)))
    one, other = lattice_heights(points, HOUSE), lattice_heights(turned, HOUSE)
    if one is None:
        assert other is None
    else:
        assert_same(one, other)
    for name in Points.__dataclass_fields__:
        a, b = (getattr(index_points(p).points, name) for p in (points, turned))
        np.testing.assert_array_equal(a, b)


@settings(deadline=None, max_examples=100)
@given(clouds(), st.integers(0, 2**32 - 1))
def test_points_elsewhere_and_a_wider_window_change_no_cell(points, seed):
    lattice = lattice_heights(points, HOUSE, margin_m=1.0)
    if lattice is None:
        return
    far = cloud(30.0 + np.arange(200.0), np.arange(200.0), 9.0)
    assert_same(lattice_heights(together(far, points), HOUSE, margin_m=1.0), lattice)
    wide = lattice_heights(points, HOUSE, margin_m=4.0)
    row, col = wide.grid.offset_of(lattice.grid)
    part = np.s_[row : row + lattice.grid.shape[0], col : col + lattice.grid.shape[1]]
    np.testing.assert_array_equal(wide.elevation_m[part], lattice.elevation_m)
    np.testing.assert_array_equal(wide.offset_north_m[part], lattice.offset_north_m)


@settings(deadline=None, max_examples=100)
@given(clouds())
def test_index_finds_the_points_of_the_bounds_and_their_cells(points):
    index = index_points(points)
    bounds = (EAST_M + 1.3, NORTH_M + 2.1, EAST_M + 4.4, NORTH_M + 2.2)
    near = index.near(bounds, margin_m=0.5)  # and the widest cell, 1 m
    west, south, east, north = (
        np.floor(bounds[0] - 1.5),
        np.floor(bounds[1] - 1.5),
        np.floor(bounds[2] + 1.5) + 1,
        np.floor(bounds[3] + 1.5) + 1,
    )
    once = np.unique(
        np.column_stack([getattr(points, name) for name in Points.__dataclass_fields__]), axis=0
    )
    expected = once[
        (once[:, 0] >= west) & (once[:, 0] < east) & (once[:, 1] >= south) & (once[:, 1] < north)
    ]
    found = np.column_stack([getattr(near, name) for name in Points.__dataclass_fields__])
    assert len(found) == len(expected)
    np.testing.assert_array_equal(np.unique(found, axis=0), expected)


def test_index_leaves_the_lattice_as_it_is():
    points = cloud(*scattered(3000), np.random.default_rng(3).uniform(7, 9, 3000))
    near = index_points(together(points, points)).near(HOUSE.bounds, 2.0)
    assert_same(lattice_heights(near, HOUSE), lattice_heights(points, HOUSE))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 90.0), st.sampled_from([0.5, 1.0, 2.0]))
def test_points_of_the_cells_near_a_building_are_all_its_lattice_needs(seed, turn_deg, cell_m):
    house = shapely.affinity.rotate(HOUSE, turn_deg)
    grid = Grid((160, 170), np.floor(EAST_M) - 20.0, np.floor(NORTH_M) + 30.0, cell_m, "")
    points = cloud(*scattered(3000, seed, reach_m=12.0), 8.0)
    keep = cells_near(np.array([None, house, shapely.Polygon()], dtype=object), grid, 2.0)
    row, col = (np.floor(at + 0.5).astype(int) for at in grid.row_col(*points_place(points)))
    on = (row >= 0) & (row < 160) & (col >= 0) & (col < 170)
    on[on] = keep[row[on], col[on]]
    assert_same(lattice_heights(points.take(on), house), lattice_heights(points, house))
    assert on.sum() < len(points)


def points_place(points: Points) -> tuple[np.ndarray, np.ndarray]:
    return points.easting_m, points.northing_m


def test_index_of_nothing_and_bounds_off_the_points_give_nothing():
    assert len(index_points(cloud([], [], [])).near(HOUSE.bounds)) == 0
    index = index_points(cloud([1.0], [1.0], 8.0))
    assert len(index.near((0.0, 0.0, 10.0, 10.0))) == 0
    assert len(index.near(HOUSE.bounds)) == 1


def test_two_places_far_apart_do_not_fill_memory():
    points = cloud([0.0, 3.0, 500_000.0], [0.0, 3.0, 700_000.0], 8.0)
    index = index_points(points)
    assert index.start.size < 3e7
    assert len(index.near((EAST_M + 5e5, NORTH_M + 7e5, EAST_M + 5e5 + 1, NORTH_M + 7e5 + 1))) == 1


def test_index_and_lattice_take_less_than_a_tenth_of_a_whole_chain_of_half_a_million(figure):
    n, n_side = 1_000_000, 20  # 20 x 20 houses, 12 m apart, 17 points a m²
    rng = np.random.default_rng(4)
    points = cloud(rng.uniform(0, 12.0 * n_side, n), rng.uniform(0, 12.0 * n_side, n), 8.0)
    houses = [
        shapely.box(EAST_M + x, NORTH_M + y, EAST_M + x + 9, NORTH_M + y + 9)
        for x in np.arange(n_side) * 12.0
        for y in np.arange(n_side) * 12.0
    ]
    lattice_heights(index_points(points).near(houses[0].bounds, 2.0), houses[0])  # compiles
    start = time.process_time()
    index = index_points(points)
    for house in houses:
        lattice_heights(index.near(house.bounds, 2.0), house)
    rate = n / (time.process_time() - start)
    figure("points to lattice heights", f"{rate / 1e6:.1f} million points per core-second")
    assert rate > 1e6  # measured 2 to 4; the whole chain is to do 0.5
