"""Cells of one roof: heights with their places, and which plane each belongs to."""

from __future__ import annotations

import math

import numpy as np

from solarkataster.kernels import plane_cells, plane_checks, plane_fit

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
        #: Cells of no plane among which none was found: need not be searched again.
        self.barren = np.zeros(0, bool)
        # About one in a surface model, also in one with large voids; a lattice of laser points
        # lacks heights in single cells, so that its windows and planes hold fewer of them.
        self.filled_fraction = plane_cells.filled_fraction(state, labels, width)

    @classmethod
    def cut(cls, elevation_m, inside, cell_size_m, min_area_m2, offsets_m=(None, None)):
        """The cells of one roof; None if there are no heights in the footprint."""
        rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if rows.size == 0:
            return None
        box = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        heights_m = np.ascontiguousarray(elevation_m[box], dtype=np.float64)
        has_offsets = any(offset_m is not None for offset_m in offsets_m)
        east_m, north_m = (
            heights_m if not has_offsets else _boxed(offset_m, box, heights_m.shape)
            for offset_m in offsets_m
        )
        height, width = heights_m.shape[0] + 2, heights_m.shape[1] + 2
        x, y, z = np.empty((3, height * width))
        state, labels = np.empty(z.size, np.uint8), np.empty(z.size, np.int32)
        base_m = plane_cells.place_cells(
            heights_m,
            np.ascontiguousarray(inside[box]),
            east_m,
            north_m,
            has_offsets,
            float(cell_size_m),
            VOID_REACH_M / cell_size_m,
            x,
            y,
            z,
            state,
            labels,
        )
        if math.isnan(base_m):
            return None
        first_cell = int(rows[0]), int(cols[0])
        return cls(
            x, y, z, state, labels, width, base_m, first_cell, float(cell_size_m), min_area_m2
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

    def number(self) -> None:
        """Number the planes in the order of their first cells, north to south and west to east."""
        order = plane_checks.number_in_reading_order(self.labels, len(self.planes))
        old = np.concatenate([[0], order])
        self.planes, self.moments = self.planes[old], self.moments[old]

    def rmse_m(self) -> np.ndarray:
        """Residual of the heights that took part in the fits, shape (n_plane,). [m]"""
        n_heights, square_sums = plane_checks.residual_sums(
            self.x, self.y, self.z, self.state, self.labels, self.planes, self.reach_m
        )
        return np.sqrt(square_sums / np.maximum(1, n_heights))[1:]

    def n_cells(self) -> np.ndarray:
        """Cells of each label; none of label 0."""
        n_cells = np.bincount(np.maximum(self.labels, 0), minlength=len(self.planes))
        n_cells[0] = 0
        return n_cells


def _boxed(offset_m, box, shape) -> np.ndarray:
    if offset_m is None:
        return np.zeros(shape)
    return np.ascontiguousarray(offset_m[box], dtype=np.float64)
