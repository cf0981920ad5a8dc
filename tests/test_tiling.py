"""Tiles cover the raster once, own every building once, and see as far as the reach."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.tiling import building_window, owner_tiles, tile_window, tiles_of

CRS = "EPSG:25832"

grids = st.builds(
    lambda ny, nx, row, col, size: Grid((ny, nx), col * size, -row * size, size, CRS),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(-80, 80),
    st.integers(-80, 80),
    st.sampled_from([0.2, 0.5, 1.0]),
)


def painted(grid: Grid, tiles) -> np.ndarray:
    """How often each cell of the grid lies in a tile."""
    count = np.zeros(grid.shape, dtype=int)
    for tile in tiles:
        row, col = grid.offset_of(tile.core)
        count[row : row + tile.core.shape[0], col : col + tile.core.shape[1]] += 1
    return count


@given(grids, st.integers(1, 25))
def test_every_cell_lies_in_one_tile_and_names_are_unique(grid, n_cells):
    tiles = tiles_of(grid, n_cells * grid.cell_size_m)
    assert (painted(grid, tiles) == 1).all()
    assert len({tile.name for tile in tiles}) == len(tiles)


@given(grids, st.integers(1, 25), st.integers(0, 30), st.integers(0, 30))
def test_a_larger_raster_adds_tiles_and_renames_none(grid, n_cells, more_rows, more_cols):
    larger = grid.window(
        -more_rows, -more_cols, grid.shape[0] + more_rows, grid.shape[1] + more_cols
    )
    size_m = n_cells * grid.cell_size_m
    by_name = {tile.name: tile.core for tile in tiles_of(larger, size_m)}
    for tile in tiles_of(grid, size_m):
        outer = by_name[tile.name]
        row, col = outer.offset_of(tile.core)
        assert row >= 0
        assert col >= 0
        assert row + tile.core.shape[0] <= outer.shape[0]
        assert col + tile.core.shape[1] <= outer.shape[1]


def test_tiles_of_a_kilometre_carry_the_kilometres_of_their_lower_left_corner():
    grid = Grid((2000, 1200), 364_000.0, 5_623_000.0, 1.0, CRS)
    names = [tile.name for tile in tiles_of(grid, 1000.0)]
    assert names == ["e364_n5622", "e365_n5622", "e364_n5621", "e365_n5621"]


def test_a_tile_under_one_cell_is_refused():
    with pytest.raises(InputError, match="smaller than one cell"):
        tiles_of(Grid((4, 4), 0.0, 4.0, 1.0, CRS), 0.3)


@given(grids, st.integers(1, 25), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_building_belongs_to_the_tile_under_its_representative_point(grid, n_cells, u, v):
    west_m, south_m, east_m, north_m = grid.bounds
    x, y = west_m + u * (east_m - west_m), south_m + v * (north_m - south_m)
    tiles = tiles_of(grid, n_cells * grid.cell_size_m)
    (owner,) = owner_tiles(tiles, [shapely.box(x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4)])
    w, s, e, n = tiles[owner].core.bounds
    slack_m = 1e-3
    assert w - slack_m <= x <= e + slack_m
    assert s - slack_m <= y <= n + slack_m


def test_a_building_off_the_raster_belongs_to_the_nearest_tile():
    grid = Grid((30, 30), 0.0, 30.0, 1.0, CRS)
    tiles = tiles_of(grid, 10.0)
    places = [(-50.0, 15.0), (100.0, 100.0), (15.0, -9.0)]
    outlines = [shapely.box(x - 1, y - 1, x + 1, y + 1) for x, y in places]
    centres = np.array([shapely.box(*tile.core.bounds).centroid.coords[0] for tile in tiles])
    nearest = [int(np.hypot(*(centres - place).T).argmin()) for place in places]
    assert owner_tiles(tiles, outlines).tolist() == nearest


def test_a_missing_outline_is_not_lost():
    tiles = tiles_of(Grid((30, 30), 0.0, 30.0, 1.0, CRS), 10.0)
    assert owner_tiles(tiles, [None, shapely.Polygon()]).tolist() == [0, 0]


def test_the_point_that_decides_lies_inside_the_building_not_at_its_middle():
    # A U around the corner of four tiles: its centroid lies in the open court.
    ring = shapely.box(2, 2, 18, 18).difference(shapely.box(6, 6, 14, 20))
    tiles = tiles_of(Grid((20, 20), 0.0, 20.0, 1.0, CRS), 10.0)
    (owner,) = owner_tiles(tiles, [ring])
    assert shapely.intersects(shapely.box(*tiles[owner].core.bounds), ring)


@given(grids, st.integers(0, 40), st.integers(0, 40), st.integers(0, 40), st.floats(0.0, 30.0))
def test_a_window_holds_the_whole_building_and_a_reach_around_it(grid, row, col, size, reach_m):
    cell = grid.cell_size_m
    row, col = row % grid.shape[0], col % grid.shape[1]
    x, y = grid.west_m + (col + 0.3) * cell, grid.north_m - (row + 0.3) * cell
    outline = shapely.box(x, y - size * cell, x + size * cell, y)
    window = tile_window(grid, [building_window(grid, outline, 1.5)], reach_m)
    w, s, e, n = window.bounds
    slack_m = 1e-6
    # One cell too few in the halo breaks these.
    assert w <= max(grid.west_m, x - reach_m) + slack_m
    assert e >= min(grid.east_m, x + size * cell + reach_m) - slack_m
    assert n >= min(grid.north_m, y + reach_m) - slack_m
    assert s <= max(grid.south_m, y - size * cell - reach_m) + slack_m
    assert grid.offset_of(window)[0] >= 0
    assert grid.offset_of(window)[1] >= 0


def test_a_building_window_does_not_depend_on_the_tile():
    # 0.2 m cells have no exact binary value: cut from a tile, corners would differ in the last bit.
    grid = Grid((5000, 5000), 366_000.2, 5_623_000.4, 0.2, CRS)
    outline = shapely.box(366_400.03, 5_622_400.07, 366_412.4, 5_622_409.9)
    window = building_window(grid, outline, 1.5)
    row, col = grid.offset_of(window)
    assert window.west_m == grid.west_m + col * 0.2
    assert window.north_m == grid.north_m - row * 0.2


def test_no_building_on_the_raster_means_no_window():
    grid = Grid((30, 30), 0.0, 30.0, 1.0, CRS)
    off = building_window(grid, shapely.box(90, 90, 95, 95), 1.5)
    assert tile_window(grid, [off], 100.0).shape == (0, 0)
