"""Cells of one roof and their labels: growth of planes, competition, merging, edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from solarkataster.kernels import plane_fit, plane_labels

#: Normals are fitted in windows about this wide: narrow enough for a dormer, wide enough that 3 cm
#: of height noise tilts a normal by well under 1°. [m]
WINDOW_M = 2.0

#: Noise is taken from the building itself, but never below what raster heights are rounded to, nor
#: so high that neighbouring roof planes would be told apart no more. [m]
NOISE_RANGE_M = (0.03, 0.12)

#: A cell belongs to a plane if it is no farther from it than this many times the noise. [–]
REACH_IN_NOISE = 4.0

#: Price of a neighbour with another label, in squared units of noise; removes single cells
#: without rounding corners visibly. [–]
SMOOTHNESS = 1.5

#: What stands out less than this from a plane (frames of roof windows, tiles of a ridge) is part of
#: it, although it takes no part in the fit. [m]
RAISED_M = 0.2

#: Cells this far from the next one with a height still belong to the roof around them. [m]
VOID_REACH_M = 3.0

#: Cells this near to a plane belong to it even if they lie lower: at eaves, at steps and along
#: courts a cell mixes the roof and what is below it. [m]
EAVES_M = 1.0

#: Fewest cells of a plane, and fewest of them with all four neighbours in the plane: two rows of
#: cells fit the step between two roofs as well as they fit a slope.
MIN_CELLS = 6
MIN_CORE_CELLS = 1

#: Steeper than this is a wall seen by a few cells, not a roof (steepest usual roofs: 70°). [°]
MAX_TILT_DEG = 75.0

#: Neighbouring planes closer than this in direction are one roof if their heights agree too. [°]
MERGE_ANGLE_DEG = 4.0


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
        """Fewest cells of a plane: its area, and enough of them to fit one."""
        return max(MIN_CELLS, math.ceil(fraction * self.min_area_m2 / self.cell_size_m**2))

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


def grow(roof: RoofCells) -> None:
    """
    First planes, from the smoothest cells outwards.

    What wide windows leave over (between dormers, on small roofs) is tried with the narrowest.
    """
    radius = max(1, round((WINDOW_M / roof.cell_size_m - 1.0) / 2.0))
    radii = (radius, 1) if radius > 1 else (1,)
    # Windows of either width are clean on some roofs only; what is not clean is never less noisy.
    windows = {radius: _Windows.fit(roof, radius, roof.state) for radius in radii}
    roof.noise_m = min(window.noise_m() for window in windows.values())
    min_cells = roof.min_cells(0.5)
    roof.planes = np.zeros((1 + int(np.count_nonzero(roof.state)) // min_cells, 3))
    n_planes = 0
    for radius in radii:
        if n_planes == 0:
            window = windows[radius]
        else:
            free = np.where(roof.labels == 0, roof.state, np.uint8(plane_fit.OFF))
            if np.count_nonzero(free == plane_fit.MEASURED) < min_cells:
                break
            window = _Windows.fit(roof, radius, free)
        n_planes = _grow_from(roof, window, n_planes, min_cells)
    roof.planes = roof.planes[: n_planes + 1].copy()
    roof.refit()


def _grow_from(roof: RoofCells, window: _Windows, n_planes: int, min_cells: int) -> int:
    """Grow planes from the seeds of one window width; returns the new number of planes."""
    a, b, rms = window.centred
    smooth_a, smooth_b, smooth_rms = np.zeros((3, roof.z.size))
    plane_fit.smoothest_windows(
        window.state, roof.width, window.radius, a, b, rms, smooth_a, smooth_b, smooth_rms
    )
    normal_noise_rad = roof.noise_m / (roof.cell_size_m * window.lever)
    max_angle_rad = min(max(math.radians(10.0), 4.0 * normal_noise_rad), math.radians(25.0))
    return plane_fit.grow_planes(
        roof.x,
        roof.y,
        roof.z,
        roof.state,
        roof.width,
        window.seeds,
        a,
        b,
        rms,
        smooth_a,
        smooth_b,
        smooth_rms,
        roof.cell_size_m,
        roof.reach_m,
        math.cos(max_angle_rad),
        0.5 * roof.reach_m,
        min_cells,
        roof.labels,
        roof.planes,
        n_planes,
    )


@dataclass(frozen=True, eq=False)
class _Windows:
    """
    Planes through the windows of one width.

    Attributes
    ----------
    radius : int
        A window has ``2 radius + 1`` cells a side.
    state : ndarray of uint8, shape (n_cell,)
        The cells that counted.
    centred : tuple of three ndarrays, shape (n_cell,)
        Slope along x and y [m per cell] and residual [m] of the window centred on each cell.
    seeds : ndarray of int, shape (n_seed,)
        Cells with a window, smoothest first.
    """

    radius: int
    state: np.ndarray
    centred: tuple[np.ndarray, ...]
    seeds: np.ndarray

    @classmethod
    def fit(cls, roof: RoofCells, radius: int, state: np.ndarray) -> _Windows:
        # Over half of a window, so that it never is two rows: those fit a step as well as a slope.
        min_cells = max(7, round(0.6 * (2 * radius + 1) ** 2))
        centred = tuple(np.zeros((3, state.size)))
        centred[2].fill(np.inf)
        plane_fit.window_fits(
            roof.x, roof.y, roof.z, state, roof.width, radius, min_cells, *centred
        )
        rms = centred[2]
        seeds = np.flatnonzero(np.isfinite(rms))
        return cls(radius, state, centred, seeds[np.argsort(rms[seeds], kind="stable")])

    @property
    def lever(self) -> float:
        """Root of the summed squared distances: noise of the slope = noise / lever. [cells]"""
        side = 2 * self.radius + 1
        return math.sqrt(side * 2 * sum(k * k for k in range(1, self.radius + 1)))

    def noise_m(self) -> float:
        """
        Height noise of the roof from the residuals of its windows. [m]

        Most windows of a small roof straddle a ridge or a dormer, so the tenth of them with the
        least residual is asked. What noise alone makes of that tenth follows from the chi-square
        distribution (Wilson & Hilferty 1931).
        """
        if self.seeds.size == 0:
            return NOISE_RANGE_M[1]
        spread = 2.0 / (9.0 * ((2 * self.radius + 1) ** 2 - 3))
        lowest_tenth = (1.0 - spread - 1.2816 * math.sqrt(spread)) ** 1.5
        return float(
            np.clip(np.quantile(self.centred[2][self.seeds], 0.1) / lowest_tenth, *NOISE_RANGE_M)
        )


def settle(roof: RoofCells) -> None:
    """Compete, merge and dissolve until planes are final, then take in the edges."""
    _merge(roof)
    for fraction in (0.5, 0.8, 1.0):
        _compete(roof)
        _dissolve_small(roof, fraction)
        _merge(roof)
    for _ in range(4):
        _compete(roof)
        if not _dissolve_small(roof, 1.0):
            break
    _absorb(roof)


def _absorb(roof: RoofCells) -> None:
    """Take in what hardly stands out, then what lies lower or has no height at the edges."""
    raised_m = max(RAISED_M, roof.reach_m)
    for deepest_m, reach_m in ((raised_m, VOID_REACH_M), (math.inf, EAVES_M)):
        n_steps = max(1, round(reach_m / roof.cell_size_m))
        plane_labels.absorb_neighbours(
            roof.x,
            roof.y,
            roof.z,
            roof.state,
            roof.width,
            roof.labels,
            roof.planes,
            deepest_m,
            raised_m,
            n_steps,
        )


def _compete(roof: RoofCells) -> None:
    plane_labels.compete(
        roof.x,
        roof.y,
        roof.z,
        roof.state,
        roof.width,
        roof.labels,
        roof.planes,
        roof.noise_m,
        roof.reach_m,
        SMOOTHNESS,
        6,
    )
    roof.refit()


def _merge(roof: RoofCells) -> None:
    while len(roof.planes) > 2:
        pairs = np.unique(plane_labels.neighbour_pairs(roof.labels, roof.width))
        n_label = int(roof.labels.max()) + 1
        parent = np.arange(len(roof.planes))
        n_merged = plane_fit.merge_pairs(
            pairs // n_label,
            pairs % n_label,
            roof.planes,
            roof.moments,
            roof.cell_size_m,
            math.radians(MERGE_ANGLE_DEG),
            0.35 * roof.reach_m,
            parent,
        )
        if n_merged == 0:
            return
        # A root is never above its child, so one pass in rising order resolves every chain.
        for label in range(len(parent)):
            parent[label] = parent[parent[label]]
        roof.relabel(parent.astype(np.int32))
        roof.refit()


def _dissolve_small(roof: RoofCells, fraction: float) -> bool:
    """
    Make every connected part a plane of its own; dissolve those too small or too steep.

    Returns
    -------
    changed : bool
        Whether a plane was dissolved.
    """
    parts = np.empty(roof.labels.size, np.int32)
    sizes = plane_labels.connected_parts(
        np.where(roof.labels > 0, roof.labels, -1), roof.width, parts
    )
    label_of_part = np.zeros(len(sizes), np.int32)
    on = parts > 0
    label_of_part[parts[on]] = roof.labels[on]
    a, b = roof.planes[label_of_part, 0], roof.planes[label_of_part, 1]
    lengthening = np.sqrt(1.0 + (a * a + b * b) / roof.cell_size_m**2)
    measured = np.bincount(parts[roof.state == plane_fit.MEASURED], minlength=len(sizes))
    area_m2 = sizes * roof.cell_size_m**2 * lengthening
    keep = (
        (area_m2 >= fraction * roof.min_area_m2)
        & (measured >= MIN_CELLS)
        & (plane_labels.count_cores(parts, roof.width, len(sizes)) >= MIN_CORE_CELLS)
        & (lengthening <= 1.0 / math.cos(math.radians(MAX_TILT_DEG)))
    )
    keep[0] = False
    new_label = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    roof.labels[on] = new_label[parts[on]]
    roof.planes = np.concatenate([np.zeros((1, 3)), roof.planes[label_of_part[keep]]])
    roof.refit()
    return bool((~keep[1:]).any())
