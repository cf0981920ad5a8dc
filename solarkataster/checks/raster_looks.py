"""Look at a raster in blocks spread over its area: memory does not grow with the municipality."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.checks.rasters import CellCounts, cell_counts
from solarkataster.grid import Grid
from solarkataster.io.rasters import RasterSource, read_raw_window
from solarkataster.units import MAX_HEIGHT_M

#: Rasters are looked at in squares of this edge. [cells]
LOOK_CELLS = 1024
#: Squares looked at, spread over the raster: all of them up to 50 km² at 0.5 m.
MAX_LOOKS = 192
#: Cells kept for medians and percentiles.
MAX_SAMPLE_CELLS = 4_000_000


@dataclass(frozen=True)
class Looks:
    """Samples of a raster: where they are, their values, and what all cells looked at hold."""

    parts: list[tuple[Grid, np.ndarray]]
    counts: CellCounts

    @property
    def sample_m(self) -> np.ndarray:
        return np.concatenate([values.ravel() for _, values in self.parts])

    def cleaned(self) -> Looks:
        """The same without zeros and the remains of lost nodata tags."""
        parts = []
        for grid, values in self.parts:
            is_height = (values != 0.0) & (np.abs(values) <= MAX_HEIGHT_M)
            parts.append((grid, np.where(is_height, values, np.nan).astype(np.float32)))
        return Looks(parts, self.counts)


def look_at(source: RasterSource) -> Looks:
    """Count the cells of squares spread over the raster, and keep every n-th one."""
    windows = look_windows(source.grid)
    n_cells = sum(window.shape[0] * window.shape[1] for window in windows)
    step = max(1, math.ceil(math.sqrt(n_cells / MAX_SAMPLE_CELLS)))
    parts, counts = [], CellCounts()
    for window in windows:
        heights_m = read_raw_window(source, window)
        counts += cell_counts(heights_m)
        values = heights_m[::step, ::step].copy()
        parts.append((_coarser(window, step, values.shape), values))
    return Looks(parts, counts)


def look_windows(grid: Grid) -> list[Grid]:
    """Squares that cover the raster; of very many, a fixed choice that spreads evenly."""
    windows = [
        grid.window(
            row, col, min(LOOK_CELLS, grid.shape[0] - row), min(LOOK_CELLS, grid.shape[1] - col)
        )
        for row in range(0, grid.shape[0], LOOK_CELLS)
        for col in range(0, grid.shape[1], LOOK_CELLS)
    ]
    # Multiples of the golden ratio modulo 1 leave no large gap, whatever the row length.
    golden = (math.sqrt(5) - 1) / 2
    chosen = sorted(range(len(windows)), key=lambda i: i * golden % 1)[:MAX_LOOKS]
    return [windows[i] for i in sorted(chosen)]


def _coarser(window: Grid, step: int, shape: tuple[int, ...]) -> Grid:
    """A grid whose cell centres are every step-th of the window's."""
    shift_m = (step - 1) / 2 * window.cell_size_m
    return Grid(
        (shape[0], shape[1]),
        window.west_m - shift_m,
        window.north_m + shift_m,
        window.cell_size_m * step,
        window.crs,
    )
