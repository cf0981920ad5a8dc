"""Where the cells of a raster lie, counted from a building's own origin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.grid import Grid


@dataclass(frozen=True)
class CellFrame:
    """
    The cells of a window from a whole-metre origin: the same digits whatever the window.

    Parameters
    ----------
    east_m, north_m : float
        ``x + east_m`` is the distance from the west edge of column 0 of the lattice of all windows,
        ``north_m - y`` that from the north edge of its row 0. [m]
    cell_m : float
        Edge of one cell. [m]
    first_col, first_row : int
        Where the window begins on that lattice.
    """

    east_m: float
    north_m: float
    cell_m: float
    first_col: int
    first_row: int

    @classmethod
    def of(cls, grid: Grid, origin_m: np.ndarray) -> CellFrame:
        """The frame of a window of any raster."""
        size = grid.cell_size_m
        phase_east_m = round(grid.west_m - grid.first_col * size, 6)
        phase_north_m = round(grid.north_m + grid.first_row * size, 6)
        return cls(
            float(origin_m[0]) - phase_east_m,
            phase_north_m - float(origin_m[1]),
            size,
            grid.first_col,
            grid.first_row,
        )

    @property
    def numbers(self) -> tuple[float, float, float, int, int]:
        """As kernels take it."""
        return self.east_m, self.north_m, self.cell_m, self.first_col, self.first_row

    def row_col(self, x, y):
        """Place in cells of the window, centres on whole numbers: (row, col)."""
        row, col = (self.north_m - y) / self.cell_m, (x + self.east_m) / self.cell_m
        return row - self.first_row - 0.5, col - self.first_col - 0.5

    def centre(self, row, col):
        """East and north of cell centres from the origin. [m]"""
        x = (self.first_col + col + 0.5) * self.cell_m - self.east_m
        return x, self.north_m - (self.first_row + row + 0.5) * self.cell_m

    def cells_in(self, low: np.ndarray, high: np.ndarray, values: np.ndarray):
        """East, north and value of the cells whose centres lie in a rectangle, in reading order."""
        first_row, first_col = self.row_col(low[0], high[1])
        last_row, last_col = self.row_col(high[0], low[1])
        row0, row1 = max(0, math.ceil(first_row)), min(values.shape[0], math.floor(last_row) + 1)
        col0, col1 = max(0, math.ceil(first_col)), min(values.shape[1], math.floor(last_col) + 1)
        part = values[row0 : max(row0, row1), col0 : max(col0, col1)]
        x, y = self.centre(
            np.arange(row0, row0 + part.shape[0])[:, None], np.arange(col0, col0 + part.shape[1])
        )
        return (
            np.broadcast_to(x, part.shape).ravel(), np.broadcast_to(y, part.shape).ravel(),
            part.ravel(),
        )  # fmt: skip
