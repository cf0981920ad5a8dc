"""Cells of one roof: heights with their places, and which plane each belongs to."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from solarkataster.kernels import plane_fit

#: Noise is taken from the building itself, but never below what raster heights are rounded to, nor
#: so high that neighbouring roof planes would be told apart no more. [m]
NOISE_RANGE_M = (0.03, 0.12)

#: A cell belongs to a plane if it is no farther from it than this many times the noise. [–]
REACH_IN_NOISE = 4.0

#: Cells this far from the next one with a height still belong to the roof around them. [m]
VOID_REACH_M = 3.0

#: Fewest heights of a plane.
MIN_CELLS = 6


class RoofCells:
    """
    Working arrays of one building: flat, padded by one cell, heights from a whole metre.

    ``x`` and ``y`` are the columns and rows at which the heights ``z`` were measured: those of the
    cells' centres, or off them by a fraction of a cell for laser points.
    """

    def __init__(self, x, y, z, state, labels, width, base_m, first_cell, cell_size_m, min_area_m2):
        self.x = x
        self.y = y
        self.z = z
        self.state = state
        self.labels = labels
        self.width = width
        self.base_m = base_m
        self.first_cell = first_cell
        self.cell_size_m = cell_size_m
        self.min_area_m2 = min_area_m2
        self.planes = np.zeros((1, 3))
        self.moments = np.zeros((1, plane_fit.N_MOMENTS))
        self.noise_m = NOISE_RANGE_M[0]
        self.filled_fraction = _filled_fraction(state, labels, width)

    @classmethod
    def cut(cls, elevation_m, inside, cell_size_m, min_area_m2, offsets_m=(None, None)):
        rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if rows.size == 0:
            return None
        box = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        inside = np.pad(inside[box], 1)
        z = np.pad(elevation_m[box].astype(np.float64), 1)
        measured = inside & np.isfinite(z)
        if not measured.any():
            return None
        state = np.where(measured, np.uint8(plane_fit.MEASURED), np.uint8(plane_fit.OFF))
        if (inside & ~measured).any():
            distance_m = cell_size_m * ndimage.distance_transform_edt(~measured)
            state[inside & ~measured & (distance_m <= VOID_REACH_M)] = plane_fit.VOID
        base_m = math.floor(z[measured].min())
        z = np.where(measured, z - base_m, 0.0)
        labels = np.where(inside, 0, -1).astype(np.int32)
        x, y = _places(z.shape, box, cell_size_m, offsets_m, measured)
        return cls(
            x,
            y,
            z.ravel(),
            state.ravel(),
            labels.ravel(),
            z.shape[1],
            base_m,
            (int(rows[0]), int(cols[0])),
            float(cell_size_m),
            min_area_m2,
        )

    @property
    def reach_m(self) -> float:
        return REACH_IN_NOISE * self.noise_m

    def min_cells(self, fraction: float = 1.0) -> int:
        """Fewest heights of a plane: those of its area, and enough of them to fit one."""
        n_cells = self.filled_fraction * fraction * self.min_area_m2 / self.cell_size_m**2
        return max(MIN_CELLS, math.ceil(n_cells))

    def refit(self, n_rounds: int = 2) -> None:
        self.moments = np.zeros((len(self.planes), plane_fit.N_MOMENTS))
        plane_fit.refit_planes(
            self.x,
            self.y,
            self.z,
            self.state,
            self.labels,
            self.planes,
            self.reach_m,
            n_rounds,
            self.moments,
        )

    def fitted_residuals(self) -> tuple[np.ndarray, np.ndarray]:
        """Cells that took part in the fit of their plane, and their residuals. [m]"""
        cells = np.flatnonzero((self.labels > 0) & (self.state == plane_fit.MEASURED))
        a, b, c = self.planes[self.labels[cells]].T
        residual_m = self.z[cells] - a * self.x[cells] - b * self.y[cells] - c
        fitted = np.abs(residual_m) < self.reach_m
        return cells[fitted], residual_m[fitted]

    def relabel(self, new_label: np.ndarray) -> None:
        """Rename labels; ``new_label[old]`` is 0 to dissolve and else gives the new numbers."""
        on = self.labels > 0
        self.labels[on] = new_label[self.labels[on]]


def _places(shape, box, cell_size_m, offsets_m, measured) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows of the measured heights in the padded raster, flat."""
    row, col = np.indices(shape, dtype=np.float64)
    for index, offset_m, sign in ((col, offsets_m[0], 1.0), (row, offsets_m[1], -1.0)):
        if offset_m is not None:
            offset = np.pad(offset_m[box].astype(np.float64), 1) * (sign / cell_size_m)
            index[measured] += offset[measured]
    return col.ravel(), row.ravel()


def _filled_fraction(state, labels, width) -> float:
    """
    Share of cells with a height beside cells with a height.

    About one in a surface model, also in one with large voids; a lattice of laser points lacks
    heights in single cells, so that its windows and planes hold fewer of them.
    """
    measured, inside = state == plane_fit.MEASURED, labels >= 0
    n_filled = n_cells = 0
    for step in (1, width):
        n_filled += 2 * np.count_nonzero(measured[:-step] & measured[step:])
        n_cells += np.count_nonzero(measured[:-step] & inside[step:])
        n_cells += np.count_nonzero(inside[:-step] & measured[step:])
    return n_filled / n_cells if n_cells else 1.0
