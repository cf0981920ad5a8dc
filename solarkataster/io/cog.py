"""Cloud Optimised GeoTIFFs: written aside and renamed, tile by tile, the same bytes every time."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.windows import Window

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.io.raster_headers import gdal_environment
from solarkataster.io.runfolder import written_whole

BLOCK_CELLS = 512

#: Lossless, and understood by every reader; predictor 3 is the one for floating point.
COG_OPTIONS = {
    "BLOCKSIZE": BLOCK_CELLS,
    "COMPRESS": "DEFLATE",
    "LEVEL": 6,
    "PREDICTOR": "FLOATING_POINT",
    "OVERVIEWS": "IGNORE_EXISTING",
    "OVERVIEW_RESAMPLING": "AVERAGE",
    "BIGTIFF": "IF_SAFER",
    "NUM_THREADS": 1,
}


class MosaicWriter:
    """
    A large raster written window by window; no array of its size ever exists.

    Windows go into a sparse, uncompressed GeoTIFF beside the target; leaving the ``with`` block
    turns it into a COG under the target's name. After an exception nothing is left.

    Parameters
    ----------
    path : path
        The COG to write.
    grid : Grid
        Its extent; cells never written are NaN.
    band_names : sequence of str
        Descriptions of the bands.
    unit : str, optional
        Unit of all bands, for the file's header.
    """

    def __init__(
        self, path: str | Path, grid: Grid, band_names: Sequence[str], unit: str | None = None
    ) -> None:
        self.path = Path(path)
        self.grid = grid
        self.band_names = tuple(band_names)
        self.unit = unit
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> MosaicWriter:
        with contextlib.ExitStack() as stack:
            stack.enter_context(gdal_environment())
            self._cog_path = stack.enter_context(written_whole(self.path))
            self._plain_path = self._cog_path.with_suffix(".plain.tif")
            stack.callback(self._plain_path.unlink, missing_ok=True)
            self._plain = stack.enter_context(self._create())
            self._stack = stack.pop_all()
        return self

    def _create(self) -> rasterio.io.DatasetWriter:
        plain = rasterio.open(
            self._plain_path,
            "w+",
            driver="GTiff",
            height=self.grid.shape[0],
            width=self.grid.shape[1],
            count=len(self.band_names),
            dtype="float32",
            nodata=np.nan,
            crs=self.grid.crs,
            transform=rasterio.Affine(*self.grid.transform),
            tiled=True,
            blockxsize=BLOCK_CELLS,
            blockysize=BLOCK_CELLS,
            interleave="band",
            sparse_ok=True,
            bigtiff="YES",
        )
        plain.descriptions = self.band_names
        if self.unit:
            plain.units = (self.unit,) * len(self.band_names)
        return plain

    def write(self, window: Grid, values: np.ndarray, bands: Sequence[int] | None = None) -> None:
        """
        Put a window's values into the raster; NaN leaves what is there.

        Parameters
        ----------
        window : Grid
            Cells of the raster's lattice; what lies outside the raster is dropped.
        values : ndarray, shape (n_band, ny, nx) or (ny, nx)
        bands : sequence of int, optional
            Numbers of the bands, from 1; all by default.
        """
        values = values.reshape(-1, *values.shape[-2:])
        bands = range(1, len(self.band_names) + 1) if bands is None else bands
        if values.shape != (len(bands), *window.shape):
            raise InputError(
                f"values have the shape {values.shape}",
                where=str(self.path),
                expected=f"{(len(bands), *window.shape)}, bands and the window's cells",
            )
        row, col = self.grid.offset_of(window)
        top, left = max(row, 0), max(col, 0)
        bottom = min(row + window.shape[0], self.grid.shape[0])
        right = min(col + window.shape[1], self.grid.shape[1])
        if top >= bottom or left >= right:
            return
        inner = values[:, top - row : bottom - row, left - col : right - col]
        target = Window(left, top, right - left, bottom - top)
        for band, new in zip(bands, inner, strict=True):
            # Windows of neighbouring buildings overlap; each has NaN where the other's roof is.
            old = self._plain.read(band, window=target)
            np.copyto(old, new, where=~np.isnan(new), casting="same_kind")
            self._plain.write(old, band, window=target)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if error is not None:
                raise error
            self._plain.close()
            rasterio.shutil.copy(self._plain_path, self._cog_path, driver="COG", **COG_OPTIONS)


def write_cog(
    path: str | Path,
    values: np.ndarray,
    grid: Grid,
    band_names: Sequence[str],
    unit: str | None = None,
) -> None:
    """
    Write an array as a COG.

    Parameters
    ----------
    path : path
        Replaced as a whole when the new file is complete.
    values : ndarray, shape (n_band, ny, nx) or (ny, nx), float32
        NaN for no data.
    grid : Grid
        Place of the array.
    band_names : sequence of str, length n_band
    unit : str, optional
        Unit of all bands, for the file's header.
    """
    with MosaicWriter(path, grid, band_names, unit) as writer:
        writer.write(grid, np.asarray(values))
