"""The grid is a value: shape, place and cell size of a raster without its pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Grid:
    """
    A north-up raster of square cells.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns; row 0 is north.
    west_m, north_m : float
        Outer corner of cell (0, 0) in the coordinate system's metres. [m]
    cell_size_m : float
        Edge of one cell. [m]
    crs : str
        Coordinate system as WKT or authority code.
    """

    shape: tuple[int, int]
    west_m: float
    north_m: float
    cell_size_m: float
    crs: str

    @property
    def east_m(self) -> float:
        return self.west_m + self.shape[1] * self.cell_size_m

    @property
    def south_m(self) -> float:
        return self.north_m - self.shape[0] * self.cell_size_m

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north. [m]"""
        return self.west_m, self.south_m, self.east_m, self.north_m

    @property
    def centre(self) -> tuple[float, float]:
        """Easting and northing of the middle. [m]"""
        return (self.west_m + self.east_m) / 2, (self.south_m + self.north_m) / 2

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients (a, b, c, d, e, f) from (col, row) to easting, northing."""
        return (self.cell_size_m, 0.0, self.west_m, 0.0, -self.cell_size_m, self.north_m)

    @property
    def first_col(self) -> int:
        """Index of column 0 on the lattice that starts at easting 0: the same for every window."""
        return math.floor(self.west_m / self.cell_size_m + 1e-6)

    @property
    def first_row(self) -> int:
        """Index of row 0 on the lattice that starts at northing 0, growing southwards."""
        return math.floor(-self.north_m / self.cell_size_m + 1e-6)

    def cells(self, length_m: float) -> int:
        """Whole cells that cover a length."""
        return math.ceil(length_m / self.cell_size_m - 1e-9)

    def window(self, row: int, col: int, height: int, width: int) -> Grid:
        """The part of the grid that starts at (row, col)."""
        return replace(
            self,
            shape=(height, width),
            west_m=self.west_m + col * self.cell_size_m,
            north_m=self.north_m - row * self.cell_size_m,
        )

    def offset_of(self, other: Grid) -> tuple[int, int]:
        """Row and column of another grid's first cell on this one (same cell size and phase)."""
        return (
            round((self.north_m - other.north_m) / self.cell_size_m),
            round((other.west_m - self.west_m) / self.cell_size_m),
        )

    def crop(self, bounds: tuple[float, float, float, float]) -> Grid:
        """The smallest window of this grid that covers bounds, cut at this grid's edge."""
        west_m, south_m, east_m, north_m = bounds
        size = self.cell_size_m
        col0 = max(0, math.floor((west_m - self.west_m) / size + 1e-9))
        row0 = max(0, math.floor((self.north_m - north_m) / size + 1e-9))
        col1 = min(self.shape[1], math.ceil((east_m - self.west_m) / size - 1e-9))
        row1 = min(self.shape[0], math.ceil((self.north_m - south_m) / size - 1e-9))
        return self.window(row0, col0, max(0, row1 - row0), max(0, col1 - col0))

    def row_col(self, easting_m, northing_m):
        """Position in cells with cell centres on whole numbers: (row, col), also for arrays."""
        return (
            (self.north_m - northing_m) / self.cell_size_m - 0.5,
            (easting_m - self.west_m) / self.cell_size_m - 0.5,
        )
