"""Rasters: one or many files on one lattice, read by windows."""

from __future__ import annotations

import glob
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from rasterio.enums import MaskFlags
from rasterio.errors import RasterioError
from rasterio.windows import Window

from solarkataster.crs import crs_name, same_crs
from solarkataster.errors import InputError, InputErrors
from solarkataster.grid import Grid
from solarkataster.io.cog import MosaicWriter, write_cog
from solarkataster.io.raster_headers import RasterFile, gdal_environment, read_header
from solarkataster.units import MAX_HEIGHT_M

__all__ = [
    "MosaicWriter",
    "RasterSource",
    "open_rasters",
    "raster_paths",
    "read_raw_window",
    "read_resampled",
    "read_window",
    "write_cog",
]

#: Tiles of a mosaic may be off the lattice by this share of a cell: rounding in file headers.
LATTICE_TOLERANCE_CELLS = 0.01

#: Kinds of mask that say no more than the nodata value does.
_MASKS_BY_VALUE = ([MaskFlags.all_valid], [MaskFlags.nodata])

#: Rows resampled at a time: bounds the float64 intermediates.
_CHUNK_ROWS = 256

#: Class of cells without one, see :func:`read_nearest`.
NO_CLASS = -1


@dataclass(frozen=True)
class RasterSource:
    """
    One or many files that together are one raster.

    Parameters
    ----------
    role : str
        What it is in the config: ``dsm`` or ``dtm``.
    grid : Grid
        The mosaic's extent; what no file covers is NaN.
    files : tuple of RasterFile
        In order of their paths; where two overlap, the first with a value wins.
    """

    role: str
    grid: Grid
    files: tuple[RasterFile, ...]

    def touching(self, window: Grid) -> RasterSource:
        """The source with only those files that a window, and the cell around it, needs."""
        margin_m = 2.0 * self.grid.cell_size_m
        west_m, south_m, east_m, north_m = window.bounds
        files = tuple(
            file
            for file in self.files
            if file.grid.west_m < east_m + margin_m
            and file.grid.east_m > west_m - margin_m
            and file.grid.south_m < north_m + margin_m
            and file.grid.north_m > south_m - margin_m
        )
        return RasterSource(self.role, self.grid, files)


def raster_paths(
    patterns: str | Path | Sequence[str | Path], kind: str = "raster file"
) -> list[Path]:
    """
    Files named by a path, a list of paths or globs, sorted, each once.

    ``kind`` is what they should be, for messages.

    Raises
    ------
    InputErrors
        One fault per pattern that no file matches.
    """
    if isinstance(patterns, str | Path):
        patterns = [patterns]
    found: set[Path] = set()
    faults: list[InputError] = []
    for pattern in map(str, patterns):
        # A file may have brackets in its name.
        matches = [pattern] if Path(pattern).is_file() else glob.glob(pattern, recursive=True)
        files = [Path(match) for match in matches if Path(match).is_file()]
        found.update(files)
        if not files:
            is_glob = glob.has_magic(pattern)
            faults.append(
                InputError(
                    "no file matches this pattern" if is_glob else "file not found",
                    where=pattern,
                    expected=f"at least one {kind}",
                    remedy="Correct the path in [inputs]; relative paths start at the config file.",
                )
            )
    if faults:
        raise InputErrors(faults)
    return sorted(found)


def open_rasters(patterns: str | Path | Sequence[str | Path], role: str = "dsm") -> RasterSource:
    """
    Read the headers of a raster's files and put them on one lattice.

    Parameters
    ----------
    patterns : path or sequence of paths
        File, list or glob.
    role : {"dsm", "dtm", "canopy", "land_cover"}
        For messages.

    Returns
    -------
    RasterSource

    Raises
    ------
    InputErrors
        Every fault of every file: missing, unreadable, several bands, coordinate system missing,
        geographic, in feet or different, zone number in the eastings, rotated, not square, off
        the lattice of the first file.
    """
    files: list[RasterFile] = []
    faults: list[InputError] = []
    for path in raster_paths(patterns):
        try:
            files.append(read_header(path))
        except InputErrors as error:
            faults.extend(error.errors)
    faults.extend(_lattice_faults(files))
    if faults:
        raise InputErrors(faults)
    return RasterSource(role, _mosaic_grid(files), tuple(files))


def _lattice_faults(files: list[RasterFile]) -> list[InputError]:
    """Files whose system, cell size or phase is not that of the first."""
    faults = []
    for file in files[1:]:
        first = files[0].grid
        size = first.cell_size_m
        if not same_crs(file.grid.crs, first.crs):
            found = f"coordinate system is {crs_name(file.grid.crs)}"
            expected = f"{crs_name(first.crs)}, as {files[0].path.name} has"
            remedy = f"Reproject it: gdalwarp -t_srs {crs_name(first.crs)} FILE OUT"
        elif not math.isclose(file.grid.cell_size_m, size, rel_tol=1e-6):
            found = f"cells are {file.grid.cell_size_m:g} m"
            expected = f"{size:g} m, as {files[0].path.name} has"
            remedy = f"Resample it: gdalwarp -r bilinear -tr {size:g} {size:g} -tap FILE OUT"
        else:
            cols = (file.grid.west_m - first.west_m) / size
            rows = (first.north_m - file.grid.north_m) / size
            if max(abs(cols - round(cols)), abs(rows - round(rows))) <= LATTICE_TOLERANCE_CELLS:
                continue
            found = f"tile is off the grid of {files[0].path.name} by a part of a cell"
            found += f" ({cols - round(cols):+.2f} columns, {rows - round(rows):+.2f} rows)"
            expected = "tiles on one lattice: corners a whole number of cells apart"
            remedy = f"Resample it: gdalwarp -r bilinear -tr {size:g} {size:g} -tap FILE OUT"
        faults.append(InputError(found, where=str(file.path), expected=expected, remedy=remedy))
    return faults


def _mosaic_grid(files: list[RasterFile]) -> Grid:
    first = files[0].grid
    corners = [first.offset_of(file.grid) for file in files]
    top, left = min(row for row, _ in corners), min(col for _, col in corners)
    bottom = max(row + f.grid.shape[0] for (row, _), f in zip(corners, files, strict=True))
    right = max(col + f.grid.shape[1] for (_, col), f in zip(corners, files, strict=True))
    return first.window(top, left, bottom - top, right - left)


def read_window(source: RasterSource, window: Grid) -> np.ndarray:
    """
    Heights of a window on the source's own lattice.

    Parameters
    ----------
    source : RasterSource
    window : Grid
        Any cells of the source's lattice, also outside its extent.

    Returns
    -------
    heights_m : ndarray, shape (ny, nx), float32
        NaN where there is nodata or no file. [m]

    Raises
    ------
    InputError
        If a block cannot be read, or holds heights beyond ±9000 m, left by a lost nodata tag:
        `check` samples large rasters, a tile reads every cell.
    """
    heights_m = read_raw_window(source, window)
    with np.errstate(invalid="ignore"):
        wrong = np.abs(heights_m) > MAX_HEIGHT_M
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} cells hold {heights_m[wrong][0]:g} without a nodata tag",
            where=_names(source, window),
            expected="a nodata tag for cells without a height",
            remedy=f"Tag it: gdal_edit.py -a_nodata {heights_m[wrong][0]:g} FILE",
        )
    return heights_m


def read_raw_window(source: RasterSource, window: Grid) -> np.ndarray:
    """:func:`read_window` without looking for untagged nodata, which `check` counts itself."""
    heights_m = np.full(window.shape, np.nan, dtype=np.float32)
    for file in source.files:
        row, col = window.offset_of(file.grid)
        top, left = max(row, 0), max(col, 0)
        bottom = min(row + file.grid.shape[0], window.shape[0])
        right = min(col + file.grid.shape[1], window.shape[1])
        if top >= bottom or left >= right:
            continue
        part = _read_file(file, top - row, left - col, bottom - top, right - left)
        target = heights_m[top:bottom, left:right]
        np.copyto(target, part, where=np.isnan(target))
    return heights_m


def _read_file(file: RasterFile, row: int, col: int, height: int, width: int) -> np.ndarray:
    window = Window(col, row, width, height)
    try:
        with gdal_environment(), rasterio.open(file.path) as source:
            scale, offset = source.scales[0], source.offsets[0]
            if source.dtypes[0] == "float32" and (scale, offset) == (1.0, 0.0):
                cells = source.read(1, window=window)
                is_plain = source.mask_flag_enums[0] in _MASKS_BY_VALUE
                mask = None if is_plain else source.read_masks(1, window=window) == 0
                return _with_nan(cells, source.nodata, mask)
            masked = source.read(1, window=window, masked=True)
    except RasterioError as error:
        raise InputError(
            f"cannot be read around row {row}, column {col}: truncated or damaged ({error})",
            where=str(file.path),
            expected="all blocks of the raster",
            remedy="Download or export the file again.",
        ) from None
    metres = masked.astype(np.float64) * scale + offset
    return np.ma.filled(metres.astype(np.float32), np.nan)


def _with_nan(cells: np.ndarray, nodata: float | None, mask: np.ndarray | None) -> np.ndarray:
    """The usual case without copies: heights as they are, NaN where there is none."""
    if mask is not None:
        cells[mask] = np.nan
    elif nodata is not None and not np.isnan(nodata):
        with np.errstate(over="ignore"):  # a tag beyond float32 is an infinity there
            cells[cells == np.float32(nodata)] = np.nan
    return cells


def _names(source: RasterSource, window: Grid) -> str:
    west_m, south_m, east_m, north_m = window.bounds
    names = [
        str(file.path)
        for file in source.files
        if file.grid.west_m < east_m
        and file.grid.east_m > west_m
        and file.grid.south_m < north_m
        and file.grid.north_m > south_m
    ]
    return ", ".join(names)


def read_resampled(source: RasterSource, window: Grid) -> np.ndarray:
    """
    Heights of a source at the cell centres of another grid, bilinear.

    Parameters
    ----------
    source : RasterSource
        Usually the terrain model: coarser than the window, or shifted.
    window : Grid
        Cells of any size in the same coordinate system.

    Returns
    -------
    heights_m : ndarray, shape (ny, nx), float32
        NaN where the source cell that holds the centre has no value; else the bilinear mean of
        those of the four neighbours that have one. A source on the same lattice comes back
        unchanged, and no value depends on where the window is cut. [m]
    """
    rows = _positions(source.grid.north_m - window.north_m, window.cell_size_m, window.shape[0])
    cols = _positions(window.west_m - source.grid.west_m, window.cell_size_m, window.shape[1])
    rows, cols = (_in_cells(metres, source.grid.cell_size_m) for metres in (rows, cols))
    top, left = math.floor(rows[0]), math.floor(cols[0])
    height, width = math.floor(rows[-1]) + 2 - top, math.floor(cols[-1]) + 2 - left
    cells = read_window(source, source.grid.window(top, left, height, width))
    rows, cols = rows - top, cols - left
    if len(rows) == height - 1 and len(cols) == width - 1 and not rows[0] and not cols[0]:
        return cells[:-1, :-1].copy()  # the same lattice
    heights_m = np.empty(window.shape, dtype=np.float32)
    for start in range(0, window.shape[0], _CHUNK_ROWS):
        chunk = slice(start, start + _CHUNK_ROWS)
        heights_m[chunk] = _bilinear(cells, rows[chunk], cols)
    return heights_m


def read_nearest(source: RasterSource, window: Grid) -> np.ndarray:
    """
    Class numbers of a source at the cell centres of another grid, of the cells that hold them.

    Parameters
    ----------
    source : RasterSource
        Numbers of classes, such as land cover: coarser than the window, finer or shifted.
    window : Grid
        Cells of any size in the same coordinate system.

    Returns
    -------
    classes : ndarray, shape (ny, nx), int32
        `NO_CLASS` where there is nodata or no file. No value depends on where the window is cut.
    """
    rows = _positions(source.grid.north_m - window.north_m, window.cell_size_m, window.shape[0])
    cols = _positions(window.west_m - source.grid.west_m, window.cell_size_m, window.shape[1])
    rows, cols = (
        np.floor(_in_cells(metres, source.grid.cell_size_m) + 0.5).astype(np.int64)
        for metres in (rows, cols)
    )
    top, left = int(rows[0]), int(cols[0])
    height, width = int(rows[-1]) + 1 - top, int(cols[-1]) + 1 - left
    cells = read_raw_window(source, source.grid.window(top, left, height, width))
    cells = np.where(np.isnan(cells), np.float32(NO_CLASS), cells).astype(np.int32)
    return cells[np.ix_(rows - top, cols - left)]


def _positions(first_m: float, step_m: float, n: int) -> np.ndarray:
    return first_m + step_m * (np.arange(n) + 0.5)


def _in_cells(position_m: np.ndarray, cell_size_m: float) -> np.ndarray:
    # Rounded to 2^-20 of a cell: the last bits of window corners must not reach the heights.
    return np.round((position_m / cell_size_m - 0.5) * 2**20) / 2**20


def _bilinear(cells: np.ndarray, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Separable weights; shape (len(rows), len(cols)), float32."""
    row0, col0 = np.floor(rows).astype(int), np.floor(cols).astype(int)
    weight = {0: (1 - (rows - row0), 1 - (cols - col0)), 1: (rows - row0, cols - col0)}
    total = np.zeros((rows.size, cols.size))
    known = np.zeros_like(total)
    for i in (0, 1):
        for j in (0, 1):
            part = cells[np.ix_(row0 + i, col0 + j)]
            share = np.where(np.isnan(part), 0.0, np.outer(weight[i][0], weight[j][1]))
            total += share * np.nan_to_num(part, nan=0.0)
            known += share
    nearest = cells[np.ix_(np.floor(rows + 0.5).astype(int), np.floor(cols + 0.5).astype(int))]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isnan(nearest), np.nan, total / known).astype(np.float32)
