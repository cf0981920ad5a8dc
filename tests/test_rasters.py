"""Rasters: what is read is what the cells hold; what is written is the same bytes every time."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import small_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from rio_cogeo.cogeo import cog_validate
from small_inputs import NORTH_M, WEST_M, write_raster

from solarkataster.errors import InputError, InputErrors
from solarkataster.grid import Grid
from solarkataster.io.rasters import (
    MosaicWriter,
    open_rasters,
    raster_paths,
    read_resampled,
    read_window,
    write_cog,
)


def heights(ny: int, nx: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(50.0, 90.0, (ny, nx)).astype("float32")


def at(row: float, col: float, cell: float = 1.0) -> rasterio.Affine:
    """Transform of a file whose first cell is (row, col) of the town's lattice."""
    return rasterio.Affine(cell, 0.0, WEST_M + col * cell, 0.0, -cell, NORTH_M - row * cell)


@pytest.fixture
def tiles(tmp_path):
    """Nine tiles of a 60 x 90 raster; the one in the middle is missing. Returns the whole."""
    whole = heights(60, 90)
    for row in range(0, 60, 20):
        for col in range(0, 90, 30):
            if (row, col) != (20, 30):
                part = whole[row : row + 20, col : col + 30]
                write_raster(tmp_path / f"dom_{row}_{col}.tif", part, transform=at(row, col))
    whole[20:40, 30:60] = np.nan
    return whole


# Reading


def test_mosaic_of_tiles_reads_as_one_raster_with_a_hole(tmp_path, tiles):
    source = open_rasters(tmp_path / "dom_*.tif")
    assert source.grid.shape == (60, 90)
    assert source.grid.bounds == (WEST_M, NORTH_M - 60, WEST_M + 90, NORTH_M)
    np.testing.assert_array_equal(read_window(source, source.grid), tiles)


def test_window_over_the_edge_is_nan_outside(tmp_path, tiles):
    source = open_rasters(str(tmp_path / "dom_*.tif"))
    window = read_window(source, source.grid.window(-5, -7, 40, 50))
    np.testing.assert_array_equal(window[5:, 7:], tiles[:35, :43])
    assert np.isnan(window[:5]).all()
    assert np.isnan(window[:, :7]).all()


def test_source_travels_to_workers(tmp_path, tiles):
    source = pickle.loads(pickle.dumps(open_rasters(tmp_path / "dom_*.tif")))
    np.testing.assert_array_equal(read_window(source, source.grid), tiles)


def test_list_and_glob_are_the_same_source_in_any_order(tmp_path, tiles):
    paths = sorted(tmp_path.glob("dom_*.tif"))
    assert open_rasters(paths[::-1]) == open_rasters(tmp_path / "dom_*.tif")


def test_where_files_overlap_the_first_by_name_with_a_value_counts(tmp_path):
    first = np.array([[1.0, -9999.0, 3.0]], dtype="float32")
    second = np.array([[20.0, 30.0, 40.0]], dtype="float32")
    write_raster(tmp_path / "b.tif", second, transform=at(0, 1))
    write_raster(tmp_path / "a.tif", first, transform=at(0, 0))
    source = open_rasters(tmp_path / "*.tif")
    np.testing.assert_array_equal(read_window(source, source.grid), [[1.0, 20.0, 3.0, 40.0]])


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [
        ("float32", -9999.0),
        ("float32", -3.4028234663852886e38),
        ("int16", -32768),
        ("float64", -99),
    ],
)
def test_tagged_nodata_is_nan(tmp_path, dtype, nodata):
    cells = np.array([[50, 60], [70, 80]]).astype(dtype)
    cells[0, 1] = nodata
    write_raster(tmp_path / "dsm.tif", cells, nodata=nodata)
    source = open_rasters(tmp_path / "dsm.tif")
    read = read_window(source, source.grid)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, [[50, np.nan], [70, 80]])


def test_whole_numbers_with_a_scale_become_metres(tmp_path):
    path = write_raster(tmp_path / "dsm.tif", np.array([[10050, -1]], dtype="int32"), nodata=-1)
    with rasterio.open(path, "r+") as target:
        target.scales, target.offsets = (0.01,), (5.0,)
    source = open_rasters(path)
    np.testing.assert_array_equal(read_window(source, source.grid), [[np.float32(105.5), np.nan]])


@pytest.mark.parametrize("value", [-9999.0, 9999.0, -32768.0, 3.4e38])
def test_untagged_nodata_that_the_check_did_not_see_stops_the_tile(tmp_path, value):
    cells = heights(20, 20)
    cells[3, 4] = value
    source = open_rasters(write_raster(tmp_path / "dsm.tif", cells, nodata=None))
    with pytest.raises(InputError, match="without a nodata tag") as caught:
        read_window(source, source.grid)
    assert "dsm.tif" in caught.value.where


def test_damaged_block_names_the_file(tmp_path):
    path = write_raster(
        tmp_path / "dsm.tif", heights(512, 512), tiled=True, blockxsize=256, blockysize=256,
        compress="deflate",
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 20_000] = b"\xff" * 20_000
    path.write_bytes(content)
    source = open_rasters(path)
    with pytest.raises(InputError, match="truncated or damaged") as caught:
        read_window(source, source.grid)
    assert caught.value.where == str(path)


def test_pattern_without_a_file_is_named_beside_those_with_one(tmp_path, tiles):
    with pytest.raises(InputErrors) as caught:
        raster_paths([tmp_path / "dom_*.tif", tmp_path / "dgm_*.tif", tmp_path / "x.tif"])
    assert [error.where for error in caught.value.errors] == [
        str(tmp_path / "dgm_*.tif"),
        str(tmp_path / "x.tif"),
    ]


def test_brackets_in_a_file_name_are_no_pattern(tmp_path):
    path = write_raster(tmp_path / "dsm[1].tif", heights(3, 3))
    assert raster_paths(path) == [path]


# The terrain on the surface's cells


def bilinear_by_hand(cells, row, col):
    """Textbook formula at one position; rows and cols of cell centres are whole numbers."""
    r, c = int(np.floor(row)), int(np.floor(col))
    y, x = row - r, col - c
    return (
        cells[r, c] * (1 - y) * (1 - x)
        + cells[r, c + 1] * (1 - y) * x
        + cells[r + 1, c] * y * (1 - x)
        + cells[r + 1, c + 1] * y * x
    )


def test_finer_cells_get_the_textbook_bilinear_value(tmp_path):
    cells = heights(20, 20)
    source = open_rasters(write_raster(tmp_path / "dtm.tif", cells))
    fine = Grid((40, 40), WEST_M, NORTH_M, 0.5, source.grid.crs)
    read = read_resampled(source, fine)
    # The centre of fine cell (11, 8) lies at (11.5 / 2 - 0.5, 8.5 / 2 - 0.5) of the coarse.
    assert read[11, 8] == pytest.approx(bilinear_by_hand(cells, 5.25, 3.75), abs=1e-4)
    assert not np.isnan(read).any()


def test_plane_stays_a_plane_on_shifted_cells(tmp_path):
    col, row = np.meshgrid(np.arange(30.0), np.arange(30.0))
    cells = (100 + 0.5 * col - 0.25 * row).astype("float32")
    source = open_rasters(write_raster(tmp_path / "dtm.tif", cells))
    shifted = Grid((10, 10), WEST_M + 5.3, NORTH_M - 7.1, 1.0, source.grid.crs)
    col, row = np.meshgrid(np.arange(10) + 5.3, np.arange(10) + 7.1)
    np.testing.assert_allclose(
        read_resampled(source, shifted), 100 + 0.5 * col - 0.25 * row, atol=1e-4
    )


def test_same_lattice_comes_back_unchanged_with_its_holes(tmp_path, tiles):
    source = open_rasters(tmp_path / "dom_*.tif", "dtm")
    for window in (
        source.grid,
        source.grid.window(13, 22, 30, 40),
        source.grid.window(-3, 80, 9, 20),
    ):
        np.testing.assert_array_equal(read_resampled(source, window), read_window(source, window))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 40), st.integers(1, 40))
@settings(deadline=None, max_examples=25)
def test_no_height_depends_on_where_the_window_is_cut(coarse, row, col, ny, nx):
    source, lattice, whole = coarse
    part = read_resampled(source, lattice.window(row, col, ny, nx))
    np.testing.assert_array_equal(part, whole[row : row + ny, col : col + nx])


@pytest.fixture(scope="module")
def coarse(tmp_path_factory):
    """A 5 m terrain with a hole, and a 0.2 m lattice (not exact in binary) over all of it."""
    cells = heights(6, 6)
    cells[2, 3] = -9999.0
    path = write_raster(tmp_path_factory.mktemp("dtm") / "dtm.tif", cells, transform=at(0, 0, 5.0))
    source = open_rasters(path, "dtm")
    lattice = Grid((101, 101), WEST_M + 1.4, NORTH_M - 2.2, 0.2, source.grid.crs)
    return source, lattice, read_resampled(source, lattice)


def test_hole_stays_a_hole_of_the_same_size(coarse):
    source, lattice, whole = coarse
    row, col = np.mgrid[0:101, 0:101]
    northing_m = lattice.north_m - (row + 0.5) * 0.2
    easting_m = lattice.west_m + (col + 0.5) * 0.2
    hole = (
        (np.floor((source.grid.north_m - northing_m) / 5) == 2)
        & (np.floor((easting_m - source.grid.west_m) / 5) == 3)
    )  # fmt: skip
    np.testing.assert_array_equal(np.isnan(whole), hole)


# Headers that do not fit together


def faults_of(folder) -> list[InputError]:
    with pytest.raises(InputErrors) as caught:
        open_rasters(folder / "*.tif")
    return caught.value.errors


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"transform": at(0, 30.4)}, "part of a cell"),
        ({"transform": at(0, 15, 2.0)}, "cells are 2 m"),
        ({"crs": "EPSG:32632"}, "EPSG:32632"),
    ],
)
def test_tile_that_does_not_fit_the_first_is_named(tmp_path, change, told):
    write_raster(tmp_path / "a.tif", heights(20, 30))
    write_raster(tmp_path / "b.tif", heights(20, 30), **{"transform": at(0, 30), **change})
    (fault,) = faults_of(tmp_path)
    assert fault.where.endswith("b.tif")
    assert told in fault.found
    assert "a.tif" in fault.expected or "lattice" in fault.expected


def test_corners_rounded_to_a_millimetre_still_fit(tmp_path):
    write_raster(tmp_path / "a.tif", heights(20, 30))
    write_raster(
        tmp_path / "b.tif",
        heights(20, 30),
        transform=rasterio.Affine(1, 0, WEST_M + 30.001, 0, -1, NORTH_M),
    )
    assert open_rasters(tmp_path / "*.tif").grid.shape == (20, 60)


def test_system_of_an_esri_prj_is_the_same_as_the_epsg_code(tmp_path):
    wkt = rasterio.crs.CRS.from_epsg(25832).to_wkt(version="WKT1_ESRI")
    assert "ETRS_1989_UTM_Zone_32N" in wkt
    write_raster(tmp_path / "a.tif", heights(20, 30))
    write_raster(tmp_path / "b.tif", heights(20, 30), transform=at(0, 30), crs=wkt)
    assert open_rasters(tmp_path / "*.tif").grid.shape == (20, 60)


# Writing


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def grid() -> Grid:
    return Grid((700, 900), WEST_M, NORTH_M, 0.5, small_inputs.CRS)


def months(grid: Grid) -> np.ndarray:
    values = np.stack([heights(*grid.shape) * month for month in range(1, 4)])
    values[:, 100:300, 200:600] = np.nan
    return values.astype("float32")


def test_cog_is_valid_exact_and_names_its_bands(tmp_path, grid):
    path = tmp_path / "poa.tif"
    write_cog(path, months(grid), grid, ("01", "02", "03"), unit="kWh/m²")
    assert cog_validate(path, strict=True) == (True, [], [])
    with rasterio.open(path) as source:
        assert source.descriptions == ("01", "02", "03")
        assert source.units == ("kWh/m²",) * 3
        assert np.isnan(source.nodata)
        assert source.crs.to_epsg() == 25832
        assert source.transform[:6] == grid.transform
        assert source.overviews(1)
        np.testing.assert_array_equal(source.read(), months(grid))


def test_two_writes_are_the_same_bytes(tmp_path, grid):
    for name in ("a.tif", "b.tif"):
        write_cog(tmp_path / name, months(grid), grid, ("01", "02", "03"))
    assert sha256(tmp_path / "a.tif") == sha256(tmp_path / "b.tif")


def test_writing_by_windows_in_any_order_is_the_same_bytes(tmp_path, grid):
    values = months(grid)
    write_cog(tmp_path / "whole.tif", values, grid, ("01", "02", "03"))
    windows = [
        (row, col, min(130, 700 - row), min(270, 900 - col))
        for row in range(0, 700, 130)
        for col in range(0, 900, 270)
    ]
    for name, order in (("a.tif", windows), ("b.tif", windows[::-1])):
        with MosaicWriter(tmp_path / name, grid, ("01", "02", "03")) as writer:
            for row, col, ny, nx in order:
                part = values[:, row : row + ny, col : col + nx]
                writer.write(grid.window(row, col, ny, nx), part)
        assert sha256(tmp_path / name) == sha256(tmp_path / "whole.tif")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif", "b.tif", "whole.tif"]


def test_nan_leaves_what_a_neighbour_has_written_and_the_rest_is_nan(tmp_path, grid):
    with MosaicWriter(tmp_path / "a.tif", grid, ("year",)) as writer:
        writer.write(grid.window(10, 10, 1, 3), np.array([[1.0, 2.0, np.nan]], dtype="float32"))
        writer.write(grid.window(10, 11, 1, 3), np.array([[np.nan, 3.0, 4.0]], dtype="float32"))
        writer.write(grid.window(-1, -1, 2, 2), np.full((2, 2), 7.0, dtype="float32"))
    with rasterio.open(tmp_path / "a.tif") as source:
        cells = source.read(1)
    np.testing.assert_array_equal(cells[10, 9:15], [np.nan, 1, 2, 3, 4, np.nan])
    assert cells[0, 0] == 7.0
    assert np.isfinite(cells).sum() == 5


def test_failure_leaves_the_old_file_and_no_other(tmp_path, grid):
    path = tmp_path / "a.tif"
    path.write_text("old")
    with pytest.raises(InputError), MosaicWriter(path, grid, ("year",)) as writer:
        writer.write(grid.window(0, 0, 1, 1), np.ones((2, 2), dtype="float32"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_values_of_another_shape_are_refused(tmp_path, grid):
    with pytest.raises(InputError, match="shape"):
        write_cog(tmp_path / "a.tif", np.ones((2, 3, 3), dtype="float32"), grid, ("year",))


def test_raster_without_any_value_is_a_valid_cog(tmp_path, grid):
    with MosaicWriter(tmp_path / "a.tif", replace(grid, shape=(30, 40)), ("year",)):
        pass
    assert cog_validate(tmp_path / "a.tif", strict=True)[0]
    with rasterio.open(tmp_path / "a.tif") as source:
        assert np.isnan(source.read(1)).all()
