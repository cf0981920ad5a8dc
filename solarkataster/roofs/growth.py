"""First planes of a roof, and later ones in what is left over: growth from smooth windows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.kernels import plane_fit, plane_windows
from solarkataster.roofs.cells import NOISE_RANGE_M, RoofCells

#: Normals are fitted in windows about this wide: narrow enough for a dormer, wide enough that 3 cm
#: of height noise tilts a normal by well under 1°. [m]
WINDOW_M = 2.0


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
    _grow_from(roof, windows[radius], roof.state, roof.labels)
    if radius > 1 and len(roof.planes) > 1:
        grow_leftovers(roof)
    elif radius > 1:
        _grow_from(roof, windows[1], roof.state, roof.labels)
    roof.refit()


def grow_leftovers(roof: RoofCells) -> bool:
    """
    Planes among the cells that belong to none, from the narrowest windows.

    Only those cells count in a window: beside a dormer two cells wide every square window holds
    cells of the roof it stands on.

    Returns
    -------
    found : bool
    """
    left = (roof.labels == 0) & (roof.state == plane_fit.MEASURED)
    if np.count_nonzero(left) < roof.min_cells(0.5) or np.array_equal(left, roof.barren):
        return False
    is_void = (roof.labels >= 0) & (roof.state == plane_fit.VOID)
    state = np.full(left.size, plane_fit.OFF, np.uint8)
    state[left], state[is_void] = plane_fit.MEASURED, plane_fit.VOID
    labels = np.where(left | is_void, 0, -1).astype(np.int32)
    found = _grow_from(roof, _Windows.fit(roof, 1, state, 5), state, labels)
    if not found:
        roof.barren = left
        return False
    new = labels > 0
    roof.labels[new] = labels[new]
    return True


def _grow_from(roof: RoofCells, window: _Windows, state, labels) -> bool:
    """Grow planes in the free cells from the seeds of one window width."""
    if window.seeds.size == 0:
        return False
    a, b, rms = window.centred
    smooth_a, smooth_b, smooth_rms = np.zeros((3, roof.z.size))
    plane_windows.smoothest_windows(
        roof.width, window.radius, a, b, rms, smooth_a, smooth_b, smooth_rms
    )
    normal_noise_rad = roof.noise_m / (roof.cell_size_m * window.lever)
    max_angle_rad = min(max(math.radians(10.0), 4.0 * normal_noise_rad), math.radians(25.0))
    min_cells = roof.min_cells(0.5)
    n_before = len(roof.planes) - 1
    planes = np.zeros((1 + n_before + np.count_nonzero(labels == 0) // min_cells, 3))
    planes[: n_before + 1] = roof.planes
    n_planes = plane_fit.grow_planes(
        roof.x,
        roof.y,
        roof.z,
        state,
        roof.width,
        window.smoothest(0.5 * roof.reach_m),
        a,
        b,
        smooth_a,
        smooth_b,
        smooth_rms,
        roof.cell_size_m,
        roof.reach_m,
        math.cos(max_angle_rad),
        min_cells,
        labels,
        planes,
        n_before,
    )
    roof.planes = planes[: n_planes + 1].copy()
    return n_planes > n_before


@dataclass(frozen=True, eq=False)
class _Windows:
    """
    Planes through the windows of one width.

    Attributes
    ----------
    radius : int
        A window has ``2 radius + 1`` cells a side.
    n_usual : float
        Heights in a window within a roof.
    centred : tuple of three ndarrays, shape (n_cell,)
        Slope along x and y [m per cell] and residual [m] of the window centred on each cell.
    seeds : ndarray of int, shape (n_seed,)
        Cells with a window.
    """

    radius: int
    n_usual: float
    centred: tuple[np.ndarray, ...]
    seeds: np.ndarray

    @classmethod
    def fit(cls, roof: RoofCells, radius: int, state: np.ndarray, min_cells: int = 0) -> _Windows:
        n_usual = roof.filled_fraction * (2 * radius + 1) ** 2
        if min_cells == 0:
            # Over half, so that it never is two rows: those fit a step as well as a slope.
            min_cells = max(5, round((0.75 if radius == 1 else 0.6) * n_usual))
        centred = tuple(np.zeros((3, state.size)))
        plane_windows.window_fits(
            roof.x, roof.y, roof.z, state, roof.width, radius, min_cells, *centred
        )
        return cls(radius, n_usual, centred, np.flatnonzero(np.isfinite(centred[2])))

    def smoothest(self, max_rms_m: float) -> np.ndarray:
        """Cells whose window has no larger residual, smoothest first."""
        rms_m = self.centred[2][self.seeds]
        seeds = self.seeds[rms_m <= max_rms_m]
        return seeds[np.argsort(self.centred[2][seeds], kind="stable")]

    @property
    def lever(self) -> float:
        """Root of the summed squared distances: noise of the slope = noise / lever. [cells]"""
        side = 2 * self.radius + 1
        return math.sqrt(self.n_usual / side * 2 * sum(k * k for k in range(1, self.radius + 1)))

    def noise_m(self) -> float:
        """
        Height noise of the roof from the residuals of its windows. [m]

        Most windows of a small roof straddle a ridge, a dormer or a crown, so the twentieth of them
        with the least residual is asked. What noise alone makes of that twentieth follows from the
        chi-square distribution (Wilson & Hilferty 1931).
        """
        if self.seeds.size == 0:
            return NOISE_RANGE_M[1]
        spread = 2.0 / (9.0 * max(self.n_usual - 3.0, 1.0))
        lowest = max(1.0 - spread - 1.6449 * math.sqrt(spread), 0.1) ** 1.5
        k = self.seeds.size // 20
        lowest_m = np.partition(self.centred[2][self.seeds], k)[k]
        return min(max(float(lowest_m) / lowest, NOISE_RANGE_M[0]), NOISE_RANGE_M[1])
