"""Laser points out of files: the same points whatever the format, the cut and the order."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import laspy
import numpy as np
import pytest
from point_files import part, town_scan, write_las
from small_inputs import CRS, NORTH_M, WEST_M

from solarkataster.errors import InputErrors
from solarkataster.grid import Grid
from solarkataster.io import pointclouds
from solarkataster.io.pointclouds import open_points, read_points, sample_points
from solarkataster.points import Points

TOWN = Grid((240, 240), WEST_M, NORTH_M, 0.5, CRS)
#: The two AHN3 files and the COPC made of them, 264 x 229 m.
DELFT = Grid((500, 600), 84_800.0, 447_650.0, 0.5, "EPSG:28992")


def everything(grid: Grid) -> np.ndarray:
    return np.ones(grid.shape, dtype=bool)


def assert_same(one: Points, other: Points) -> None:
    for name in Points.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def split(folder: Path, scan, n_files: int, **options) -> list[Path]:
    """The scan dealt out to files at random: they all overlap."""
    deal = np.random.default_rng(5).integers(0, n_files, len(scan["x"]))
    return [
        write_las(folder / f"{i}.laz", part(scan, deal == i), **options) for i in range(n_files)
    ]


@pytest.fixture(scope="module")
def scan():
    return town_scan(20_000)


# What is read


def test_points_come_as_they_were_written(tmp_path, scan):
    echoes = np.random.default_rng(1).integers(1, 4, len(scan["x"]))
    path = write_las(tmp_path / "a.laz", scan, return_number=echoes, number_of_returns=3)
    points = read_points(open_points(path), everything(TOWN), TOWN)
    order = np.lexsort((points.elevation_m, points.easting_m, points.northing_m))
    expected = np.lexsort((scan["z"].round(3), scan["x"].round(3), scan["y"].round(3)))
    np.testing.assert_allclose(points.easting_m[order], scan["x"][expected], atol=0.0006)
    np.testing.assert_allclose(points.northing_m[order], scan["y"][expected], atol=0.0006)
    np.testing.assert_allclose(points.elevation_m[order], scan["z"][expected], atol=0.0006)
    np.testing.assert_array_equal(points.classification[order], scan["classification"][expected])
    np.testing.assert_array_equal(points.return_number[order], echoes[expected])
    assert set(points.n_returns) == {3}


@pytest.mark.parametrize("point_format", [0, 1, 3, 6, 7, 8])
@pytest.mark.parametrize("suffix", ["las", "laz"])
def test_formats_give_the_same_points(tmp_path, scan, point_format, suffix):
    few = part(scan, slice(2000))
    one = write_las(tmp_path / f"a.{suffix}", few, point_format=point_format)
    other = write_las(tmp_path / "b.laz", few)
    keep = everything(TOWN)
    assert_same(
        read_points(open_points(one), keep, TOWN), read_points(open_points(other), keep, TOWN)
    )


def test_only_wanted_cells_are_kept(tmp_path, scan):
    source = open_points(write_las(tmp_path / "a.laz", scan))
    keep = np.zeros(TOWN.shape, dtype=bool)
    keep[10:14, 20:30] = keep[100, 200] = True
    points = read_points(source, keep, TOWN)
    row = np.floor((TOWN.north_m - points.northing_m) / 0.5).astype(int)
    col = np.floor((points.easting_m - TOWN.west_m) / 0.5).astype(int)
    assert keep[row, col].all()
    whole = read_points(source, everything(TOWN), TOWN)
    row = np.floor((TOWN.north_m - whole.northing_m) / 0.5).astype(int)
    col = np.floor((whole.easting_m - TOWN.west_m) / 0.5).astype(int)
    assert len(points) == keep[row, col].sum() > 0


def test_windows_beside_the_points_and_without_wanted_cells_are_empty(tmp_path, scan):
    source = open_points(write_las(tmp_path / "a.laz", scan))
    assert len(read_points(source, np.zeros(TOWN.shape, dtype=bool), TOWN)) == 0
    beside = Grid((10, 10), WEST_M - 1000, NORTH_M, 0.5, CRS)
    assert len(read_points(source, everything(beside), beside)) == 0


def test_withheld_points_are_left_out(tmp_path, scan):
    is_withheld = np.arange(len(scan["x"])) % 4 == 0
    one = write_las(tmp_path / "a.laz", scan, withheld=is_withheld)
    other = write_las(tmp_path / "b.laz", part(scan, ~is_withheld))
    keep = everything(TOWN)
    assert_same(
        read_points(open_points(one), keep, TOWN), read_points(open_points(other), keep, TOWN)
    )


# In which order, how often


def test_files_their_order_and_the_size_of_chunks_change_nothing(tmp_path, scan, monkeypatch):
    keep = everything(TOWN)
    whole = read_points(open_points(write_las(tmp_path / "whole.laz", scan)), keep, TOWN)
    turned = part(scan, np.random.default_rng(2).permutation(len(scan["x"])))
    (tmp_path / "parts").mkdir()
    paths = split(tmp_path / "parts", turned, 5)
    monkeypatch.setattr(pointclouds, "CHUNK_POINTS", 777)
    assert_same(read_points(open_points(paths), keep, TOWN), whole)
    assert_same(read_points(open_points(tmp_path / "parts" / "*.laz"), keep, TOWN), whole)


def test_points_in_two_files_count_once(tmp_path, scan):
    one = write_las(tmp_path / "a.laz", part(scan, slice(0, 12_000)))
    other = write_las(tmp_path / "b.laz", part(scan, slice(8_000, None)))
    keep = everything(TOWN)
    both = read_points(open_points([one, other]), keep, TOWN)
    alone = read_points(open_points(write_las(tmp_path / "c.laz", scan)), keep, TOWN)
    assert_same(both, alone)


def test_file_named_twice_is_read_once(tmp_path, scan):
    path = write_las(tmp_path / "a.laz", part(scan, slice(100)))
    (tmp_path / "link.laz").symlink_to(path)
    assert len(open_points([path, tmp_path / "*.laz", path]).files) == 1


def test_only_files_that_touch_the_wanted_cells_are_opened(tmp_path, scan):
    is_west = scan["x"] < WEST_M + 60
    west = write_las(tmp_path / "west.laz", part(scan, is_west))
    east = write_las(tmp_path / "east.laz", part(scan, ~is_west))
    source = open_points([west, east])
    east.unlink()  # reading it would fail now
    keep = everything(TOWN)
    keep[:, 110:] = False
    assert len(read_points(source, keep, TOWN)) > 0
    assert [file.path for file in source.touching((WEST_M, 0, WEST_M + 50, 1e7)).files] == [west]
    assert source.touching((0.0, 0.0, 1.0, 1.0)).files == ()


def test_memory_follows_what_is_kept_not_the_file(tmp_path):
    scan = town_scan(400_000)
    source = open_points(write_las(tmp_path / "a.laz", scan))
    keep = np.zeros(TOWN.shape, dtype=bool)
    keep[:6, :6] = True
    pointclouds_chunk = pointclouds.CHUNK_POINTS
    try:
        pointclouds.CHUNK_POINTS = 20_000
        read_points(source, keep, TOWN)  # compiles
        tracemalloc.start()
        read_points(source, keep, TOWN)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        pointclouds.CHUNK_POINTS = pointclouds_chunk
    # All points would be 400,000 x 27 bytes; a chunk with its intermediates is a tenth of it.
    assert peak < 400_000 * 27 / 2


def test_sample_is_spread_over_the_files_and_says_whether_it_is_all(tmp_path, monkeypatch):
    scan = town_scan(40_000)
    ordered = part(scan, np.argsort(scan["x"]))
    paths = [
        write_las(tmp_path / "a.laz", part(ordered, slice(0, 30_000))),
        write_las(tmp_path / "b.laz", part(ordered, slice(30_000, None))),
    ]
    source = open_points(paths)
    points, is_complete = sample_points(source, 40_000)
    assert (len(points), is_complete) == (40_000, True)
    monkeypatch.setattr(pointclouds, "LOOK_POINTS", 500)
    points, is_complete = sample_points(source, 8_000)
    assert not is_complete
    assert len(points) == pytest.approx(8_000, abs=1000)
    counts, _ = np.histogram(points.easting_m, np.linspace(WEST_M, WEST_M + 120, 7))
    assert counts.min() > 500  # of 1333 on average


# Real scans


def delft_sources(real_data: Path):
    folder = real_data / "delft_ahn3_bgt"
    return (
        open_points(folder / "ahn3_cropped_?.laz", crs="EPSG:28992", expected_crs="EPSG:28992"),
        open_points(folder / "delft_ahn3_epsg7415.copc.laz", expected_crs="EPSG:28992"),
    )


def test_copc_and_laz_of_one_scan_give_the_same_points(real_data):
    laz, copc = delft_sources(real_data)
    assert [file.is_copc for file in laz.files + copc.files] == [False, False, True]
    keep = everything(DELFT)
    one = read_points(laz, keep, DELFT)
    assert len(one) == 848_942  # as the description of the data set says
    assert_same(one, read_points(copc, keep, DELFT))


def test_copc_is_read_by_its_octree(real_data, monkeypatch):
    laz, copc = delft_sources(real_data)
    keep = np.zeros(DELFT.shape, dtype=bool)
    keep[200:230, 390:410] = True  # 15 x 10 m across the seam of the two tiles
    keep[300:303, 100:104] = True
    read = []
    original = pointclouds._points_of
    monkeypatch.setattr(
        pointclouds,
        "_points_of",
        lambda file, record, *rest: read.append(len(record)) or original(file, record, *rest),
    )
    assert_same(read_points(laz, keep, DELFT), read_points(copc, keep, DELFT))
    n_copc = sum(read) - 848_942  # the LAZ files have to be read whole
    assert 0 < n_copc < 848_942 / 3


def test_copc_query_off_the_points_is_empty(real_data):
    _, copc = delft_sources(real_data)
    aside = Grid((4, 4), 84_000.0, 447_500.0, 0.5, "")
    assert len(read_points(copc, everything(aside), aside)) == 0
    # Within its bounds, but on a canal of 1 m² without echoes.
    points = read_points(copc, everything(DELFT), DELFT)
    row = ((DELFT.north_m - points.northing_m) / 0.5).astype(int)
    col = ((points.easting_m - DELFT.west_m) / 0.5).astype(int)
    is_hit = np.zeros(DELFT.shape, dtype=bool)
    is_hit[row, col] = True
    keep = ~is_hit
    assert keep.any()
    assert len(read_points(copc, keep, DELFT)) == 0


def test_sample_of_a_copc_is_spread_over_it(real_data, monkeypatch):
    _, copc = delft_sources(real_data)
    monkeypatch.setattr(pointclouds, "LOOK_POINTS", 5_000)
    points, is_complete = sample_points(copc, 100_000)
    assert not is_complete
    assert 50_000 < len(points) < 200_000
    west, south, east, north = copc.files[0].bounds
    assert np.ptp(points.easting_m) > 0.8 * (east - west)
    assert np.ptp(points.northing_m) > 0.8 * (north - south)


def test_coordinate_system_in_an_extended_record_is_found(real_data):
    path = real_data / "delft_ahn3_bgt" / "delft_ahn3_epsg7415.copc.laz"
    with laspy.CopcReader.open(path) as reader:  # the trap
        assert reader.header.parse_crs() is None
    assert "RD New" in open_points(path).files[0].crs


def test_files_without_a_system_need_one_from_the_config(real_data):
    folder = real_data / "delft_ahn3_bgt"
    with pytest.raises(InputErrors) as caught:
        open_points(folder / "*.laz")
    assert [Path(e.where).name for e in caught.value.errors] == [
        "ahn3_cropped_1.laz",
        "ahn3_cropped_2.laz",
    ]
    assert all("crs in [points]" in e.expected for e in caught.value.errors)
