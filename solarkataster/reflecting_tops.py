"""Ground and roofs that send light back: blocks of cells, of each one place is lit for all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.grid import Grid
from solarkataster.receivers import Receivers, tilt_and_azimuth

#: Edge of a block; the odd number of cells next below is taken, so that one is the middle. [m]
BLOCK_M = 4.9

#: Height of what is lit over ground and roofs. [m]
_LIFT_M = 0.1

#: A block of roof is a slope if it has so many cells, and all lie so near to its plane (root mean
#: square); else it is level. [m]
_LEAST_CELLS, _PLANE_RMSE_M = 8, 0.4

#: Tilt and facing of slopes are rounded, so that few differ. [°]
_TILT_STEP_DEG, _AZIMUTH_STEP_DEG, _MOST_TILT_DEG = 5.0, 10.0, 60.0


@dataclass(frozen=True, eq=False)
class Tops:
    """
    Places on ground or roofs that are lit for their blocks.

    Attributes
    ----------
    receivers : Receivers
        In cells of the window.
    block : ndarray of int64, shape (n,)
        Block of each, row by row.
    n_block : int
    """

    receivers: Receivers
    block: np.ndarray
    n_block: int

    def mean(self, values: np.ndarray) -> np.ndarray:
        """Mean of values (n, k) by block, (n_block, k); 0 where there is no place."""
        n = np.bincount(self.block, minlength=self.n_block)
        sums = [np.bincount(self.block, column, self.n_block) for column in values.T]
        return np.stack(sums, axis=1) / np.maximum(n, 1)[:, None]


def block_cells(cell_size_m: float) -> int:
    """Cells along the edge of a block: an odd number."""
    return 2 * max(0, math.floor((BLOCK_M / cell_size_m - 1.0) / 2.0)) + 1


def whole_blocks(grid: Grid, bounds: tuple[int, int, int, int], block: int) -> Grid:
    """Window of whole blocks that covers rows and columns (first, end, first, end)."""
    row0, row1, col0, col1 = bounds
    row0 -= (grid.first_row + row0) % block
    col0 -= (grid.first_col + col0) % block
    return grid.window(
        row0, col0, -(-(row1 - row0) // block) * block, -(-(col1 - col0) // block) * block
    )


def block_numbers(shape: tuple[int, int], block: int) -> np.ndarray:
    """Block of each cell of a window of whole blocks, (ny, nx) int32."""
    row, col = (np.arange(n, dtype=np.int32) // block for n in shape)
    return row[:, None] * np.int32(shape[1] // block) + col


def tops(surface_m: np.ndarray, here: np.ndarray, cell_size_m: float, *, sloped: bool) -> Tops:
    """
    Places that stand for the cells of one kind of their blocks.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        Window of whole blocks. [m]
    here : ndarray of bool, shape (ny, nx)
        Cells of the kind, all with a height.
    cell_size_m : float
    sloped : bool
        Whether they lie on the slope of their block, as roofs, or level, as ground.

    Returns
    -------
    Tops
        The cell nearest to the middle of each block; all of them, if several are as near.
    """
    block = block_cells(cell_size_m)
    shape = here.shape[0] // block, block, here.shape[1] // block, block
    off = np.arange(block) - block // 2
    far = np.iinfo(np.int32).max
    distance = (off[:, None, None] ** 2 + off**2).astype(np.int32)
    of_cell = np.where(here.reshape(shape), distance, far)
    nearest = of_cell.min(axis=(1, 3), keepdims=True)
    row, col = np.nonzero(((of_cell == nearest) & (nearest < far)).reshape(here.shape))
    n_block = shape[0] * shape[2]
    of_block = (row // block) * shape[2] + col // block
    tilt, azimuth = np.zeros(n_block), np.zeros(n_block)
    if sloped:
        tilt, azimuth = _slopes(surface_m, here, block, cell_size_m)
    surfaces, surface = np.unique(
        np.stack([tilt, azimuth], axis=1)[of_block], axis=0, return_inverse=True
    )
    receivers = Receivers(
        row, col, surface_m[row, col].astype(np.float64) + _LIFT_M, surface.reshape(-1), *surfaces.T
    )
    return Tops(receivers, of_block, n_block)


def _slopes(surface_m, here, block: int, cell_size_m: float) -> tuple[np.ndarray, np.ndarray]:
    """Rounded tilt and facing of the plane through the cells of each block; level if it is none."""
    row, col = np.nonzero(here)
    n_col = here.shape[1] // block
    of_block = (row // block) * n_col + col // block
    n_block = here.shape[0] // block * n_col
    n = np.maximum(np.bincount(of_block, minlength=n_block), 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(of_block, values, n_block) / n

    x = (col % block - block // 2) * cell_size_m
    y = (block // 2 - row % block) * cell_size_m
    z = surface_m[row, col].astype(np.float64)
    z -= mean(z)[of_block]
    x0, y0 = mean(x), mean(y)
    x, y = x - x0[of_block], y - y0[of_block]
    xx, xy, yy, xz, yz, zz = (
        mean(a * b) for a, b in ((x, x), (x, y), (y, y), (x, z), (y, z), (z, z))
    )
    determinant = xx * yy - xy**2
    is_plane = (n >= _LEAST_CELLS) & (determinant > 1e-3 * np.maximum(xx * yy, 1e-9))
    safe = np.where(is_plane, determinant, 1.0)
    east, north = (xz * yy - yz * xy) / safe, (yz * xx - xz * xy) / safe
    left = zz - east * xz - north * yz
    is_plane &= left <= _PLANE_RMSE_M**2
    tilt, azimuth = tilt_and_azimuth(np.where(is_plane, east, 0.0), np.where(is_plane, north, 0.0))
    tilt = np.minimum(np.round(tilt / _TILT_STEP_DEG) * _TILT_STEP_DEG, _MOST_TILT_DEG)
    azimuth = np.floor(azimuth / _AZIMUTH_STEP_DEG + 0.5 + 1e-6) * _AZIMUTH_STEP_DEG % 360.0
    return tilt, np.where(tilt > 0.0, azimuth, 0.0)
