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
        row0, col0 = self.row_col(low[0], high[1])
        row1, col1 = self.row_col(high[0], low[1])[0], self.row_col(high[0], low[1])[1]
        rows = np.arange(max(0, math.ceil(row0)), min(values.shape[0], math.floor(row1) + 1))
        cols = np.arange(max(0, math.ceil(col0)), min(values.shape[1], math.floor(col1) + 1))
        x, y = self.centre(*np.meshgrid(rows, cols, indexing="ij"))
        part = values[np.ix_(rows, cols)] if rows.size and cols.size else np.zeros((0, 0))
        return x.ravel(), y.ravel(), part.ravel()
