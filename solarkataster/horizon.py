"""Skyline elevation of each receiver, towards any azimuth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from solarkataster.errors import InputError
from solarkataster.kernels import horizon as kernel
from solarkataster.kernels.near_field import near_field
from solarkataster.kernels.order import (
    order_by_row,
    order_of_members,
    run_starts,
    stack_starts,
)
from solarkataster.units import EFFECTIVE_EARTH_RADIUS_M

#: Crossings marched exactly before the hull takes over; benchmarks/light.py prints its error.
N_NEAR = 24

#: Quarter turns that bring each quadrant's middle (north, east, south, west) to growing columns.
_QUARTER_TURNS = (-1, 0, 1, 2)


@dataclass(frozen=True)
class Face:
    """
    The window turned so that one quadrant of the sky lies towards growing columns.

    ``order[i]`` is the number of the i-th receiver of this face in the caller's order. Receivers
    ``stack_start[i]`` to ``stack_start[i + 1]`` stand in one place, ``points[i]``, and rise.
    """

    surface_m: np.ndarray
    columns_m: np.ndarray
    row: np.ndarray
    col: np.ndarray
    eye_m: np.ndarray
    points: np.ndarray
    order: np.ndarray
    run_start: np.ndarray
    stack_start: np.ndarray
    stack_row: np.ndarray
    stack_col: np.ndarray
    first_col: int
    cell_size_m: float
    reach_m: float
    n_near: int

    def tangents(self, deviation_deg: float, tangent: np.ndarray) -> np.ndarray:
        """
        Raise ``tangent`` (n,) to the skyline ``deviation_deg`` clockwise of the face's middle.

        What stands below the tangent handed in is not looked for: pass zeros for the skyline
        itself, or each receiver's own plane where only what rises above it matters.
        """
        return self.far_tangents(deviation_deg, self.near_tangents(deviation_deg, tangent))

    def near_tangents(self, deviation_deg: float, tangent: np.ndarray) -> np.ndarray:
        """Raise ``tangent`` (n,) to what stands within the first ``n_near`` crossings."""
        if self.order.size == 0:
            return tangent
        slope, step_m, drop = self._ray(deviation_deg)
        near_field(
            self.surface_m, self.run_start, self.row, self.col, self.eye_m,
            slope, self.n_near, step_m, drop, tangent,
        )  # fmt: skip
        return tangent

    def far_tangents(self, deviation_deg: float, tangent: np.ndarray) -> np.ndarray:
        """Raise ``tangent`` (n,) to what stands beyond those crossings."""
        if self.order.size == 0:
            return tangent
        slope, step_m, drop = self._ray(deviation_deg)
        lattice = slope * (self.first_col + np.arange(self.surface_m.shape[1]))
        below = np.floor(lattice)
        phase = slope * self.first_col - below[0]
        n = self.stack_row.size
        n_line = self.surface_m.shape[0] + self.surface_m.shape[1] + 4
        bucket, order = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        start = np.zeros(n_line + 1, dtype=np.int64)
        columns = np.empty((n_line, 2), dtype=np.int64)
        lowest, n_bucket = kernel.bucket_by_line(
            self.stack_row, self.stack_col, self.points, slope, phase, bucket, start, columns
        )
        start = start[: n_bucket + 1]
        kernel.order_by_bucket(bucket, start, order)
        kernel.far_field(
            self.columns_m, start, order, columns, lowest, self.points,
            self.stack_start if n < self.order.size else self.stack_start[:0], self.eye_m, slope,
            (below - below[0]).astype(np.int64), (lattice - below).astype(np.float32),
            math.ceil(self.reach_m / step_m), step_m, drop, tangent,
        )  # fmt: skip
        return tangent

    def _ray(self, deviation_deg: float) -> tuple[float, float, float]:
        """Rows per column of a ray, its length between columns and the earth's fall on it. [m]"""
        slope = math.tan(math.radians(deviation_deg))
        step_m = self.cell_size_m * math.hypot(1.0, slope)
        return slope, step_m, step_m**2 / (2.0 * EFFECTIVE_EARTH_RADIUS_M)


def quadrant_of(azimuth_deg: float) -> tuple[int, float]:
    """Quadrant (0 north, 1 east, 2 south, 3 west) of an azimuth and its deviation from it. [°]"""
    azimuth_deg = azimuth_deg % 360.0
    quadrant = int((azimuth_deg + 45.0) // 90.0)
    return quadrant % 4, azimuth_deg - 90.0 * quadrant


def faces(
    surface_m: np.ndarray,
    cell_size_m: float,
    row: np.ndarray,
    col: np.ndarray,
    elevation_m: np.ndarray,
    azimuths_deg: Sequence[float] | np.ndarray,
    *,
    reach_m: float = 500.0,
    first_row: int = 0,
    first_col: int = 0,
    n_near: int = N_NEAR,
) -> Iterator[tuple[Face, list[tuple[int, float]]]]:
    """
    The faces that a list of azimuths needs, one after the other.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        Surface height; NaN never blocks a ray. [m]
    cell_size_m : float
        Edge of one cell. [m]
    row, col, elevation_m : ndarray, shape (n,)
        Receivers as in :class:`solarkataster.receivers.Receivers`.
    azimuths_deg : sequence of float
        Clockwise from grid north. [°]
    reach_m : float
        Obstacles nearer than this are always seen, farther ones where the window shows them. [m]
    first_row, first_col : int
        Index of the window's first cell on the raster's lattice; anchors the sweep lines.
    n_near : int
        Crossings marched exactly.

    Yields
    ------
    Face, list of (int, float)
        The face, and the index and deviation of each azimuth that lies in it. [°]

    Raises
    ------
    InputError
        If the reach is shorter than a cell, too few crossings are marched, or a receiver stands
        off the raster: kernels check no bounds.
    """
    _check_request(np.shape(surface_m), cell_size_m, row, col, reach_m, n_near)
    by_quadrant: dict[int, list[tuple[int, float]]] = {}
    for i, azimuth_deg in enumerate(azimuths_deg):
        quadrant, deviation_deg = quadrant_of(azimuth_deg)
        by_quadrant.setdefault(quadrant, []).append((i, deviation_deg))
    heights = np.asarray(surface_m)
    finite = np.isfinite(heights)
    # Small numbers keep single precision fine; whole hundreds keep it the same in most windows.
    base_m = math.floor(heights[finite].min() / 100.0) * 100.0 if finite.any() else 0.0
    for quadrant in sorted(by_quadrant):
        turns = _QUARTER_TURNS[quadrant]
        yield (
            _face(
                heights, cell_size_m, row, col, elevation_m, turns, base_m,
                reach_m, first_row, first_col, n_near,
            ),
            by_quadrant[quadrant],
        )  # fmt: skip


def _check_request(shape, cell_size_m: float, row, col, reach_m: float, n_near: int) -> None:
    """What the kernels take for granted."""
    if len(shape) != 2:
        raise InputError(f"the surface has {len(shape)} dimensions; a raster has rows and columns.")
    if not cell_size_m <= reach_m < math.inf:
        raise InputError(
            f"reach_m = {reach_m:g} m is shorter than one cell ({cell_size_m:g} m), "
            "so no obstacle could ever be seen, or no length. Use at least one cell; "
            "a few hundred metres is usual in a town."
        )
    if n_near < kernel.LOOK + 2:
        raise InputError(f"n_near = {n_near}", expected=f"at least {kernel.LOOK + 2} crossings")
    for name, places, n in (("row", row, shape[0]), ("col", col, shape[1])):
        places = np.asarray(places)
        if places.size and not (places.min() >= -0.5 and places.max() <= n - 0.5):
            raise InputError(
                f"receivers off the raster: {name} from {places.min():g} to {places.max():g}",
                expected=f"-0.5 to {n - 0.5:g}",
            )


def _face(
    heights: np.ndarray,
    cell_size_m: float,
    row: np.ndarray,
    col: np.ndarray,
    elevation_m: np.ndarray,
    turns: int,
    base_m: float,
    reach_m: float,
    first_row: int,
    first_col: int,
    n_near: int,
) -> Face:
    ny, nx = heights.shape
    last_row, last_col = first_row + ny - 1, first_col + nx - 1
    row_t, col_t, lattice_col = {
        0: (row, col, first_col),
        -1: (col, ny - 1 - row, -last_row),
        1: (nx - 1 - col, row, first_row),
        2: (ny - 1 - row, nx - 1 - col, -last_col),
    }[turns]
    turned = np.rot90(heights, turns)
    # Columns of nothing in front bring the groups of the sweep onto the raster's lattice.
    lead = lattice_col % kernel.GROUP
    shape = turned.shape[0] + 2, lead + turned.shape[1]
    surface = np.full(shape, kernel.NOTHING_M, dtype=np.float32)
    np.subtract(turned, base_m, out=surface[1:-1, lead:], casting="same_kind")
    nothing = kernel.NOTHING_M
    np.nan_to_num(surface, copy=False, nan=nothing, posinf=nothing, neginf=nothing)
    col_t, lattice_col = col_t + lead, lattice_col - lead
    elevation_m = np.asarray(elevation_m)
    start = stack_starts(row_t, col_t, elevation_m)
    stack_row, stack_col = row_t[start[:-1]], col_t[start[:-1]]
    stack_order = order_by_row(stack_row, stack_col, surface.shape[0])
    stack_row, stack_col = stack_row[stack_order], stack_col[stack_order]
    order, start = order_of_members(start, stack_order)
    row_t, col_t = row_t[order], col_t[order]
    eye_m = (elevation_m[order] - base_m).astype(np.float32)
    begins = np.ceil(stack_col + 0.5) + (n_near - 1)
    points = np.stack([stack_row, stack_col, eye_m[start[:-1]], begins], axis=1)
    return Face(
        surface, np.ascontiguousarray(surface.T), row_t, col_t, eye_m, points.astype(np.float32),
        order, run_starts(row_t, col_t), start, stack_row, stack_col, lattice_col, cell_size_m,
        reach_m, n_near,
    )  # fmt: skip


def horizon_tangents(surface_m, cell_size_m, row, col, elevation_m, azimuths_deg, **options):
    """
    Tangent of the skyline elevation of receivers, floored at 0.

    Parameters as in :func:`faces`.

    Returns
    -------
    tangent : ndarray, shape (n_azimuth, n), float32
    """
    row = np.asarray(row, dtype=np.float64)
    col = np.asarray(col, dtype=np.float64)
    out = np.zeros((len(azimuths_deg), row.size), dtype=np.float32)
    for face, directions in faces(
        surface_m, cell_size_m, row, col, elevation_m, azimuths_deg, **options
    ):
        for i, deviation_deg in directions:
            seen = face.tangents(deviation_deg, np.zeros(row.size, dtype=np.float32))
            out[i, face.order] = seen
    return out


def horizon_profile(
    dsm_m: np.ndarray,
    cell_size_m: float,
    azimuths_deg: Sequence[float] | np.ndarray,
    reach_m: float | None = None,
    *,
    eye_height_m: float = 0.0,
) -> np.ndarray:
    """
    Elevation of the skyline around each cell of a surface model.

    Parameters
    ----------
    dsm_m : ndarray, shape (ny, nx)
        Surface height, buildings and trees included; NaN for no data. [m]
    cell_size_m : float
        Edge of one square cell. [m]
    azimuths_deg : sequence of float, length n_azimuth
        Directions to look in, clockwise from grid north. [°]
    reach_m : float, optional
        Obstacles up to here are always seen, farther ones may be; default: the whole raster. [m]
    eye_height_m : float
        Height of the eye above its cell. [m]

    Returns
    -------
    horizon_deg : ndarray, shape (n_azimuth, ny, nx), float32
        Skyline elevation, 0 ≤ horizon_deg < 90; NaN where ``dsm_m`` is NaN. [°]

    Raises
    ------
    InputError
        If ``reach_m`` is shorter than one cell or ``dsm_m`` is no raster.

    Notes
    -----
    The horizon angle of [1]_ by the hull sweep of [2]_ with an exact near field; see
    :mod:`solarkataster.kernels.horizon`. Earth curvature and mean refraction are included.

    References
    ----------
    .. [1] J. Dozier and J. Frew, "Rapid calculation of terrain parameters for
       radiation modeling from digital elevation data," IEEE Trans. Geosci.
       Remote Sens., vol. 28, no. 5, pp. 963-969, 1990, doi:10.1109/36.58986.
    .. [2] V. Timonen and J. Westerholm, "Scalable height field self-shadowing,"
       Comput. Graph. Forum, vol. 29, no. 2, 2010, doi:10.1111/j.1467-8659.2009.01642.x.
    """
    dsm_m = np.asarray(dsm_m)
    if reach_m is None:
        reach_m = cell_size_m * sum(dsm_m.shape)
    _check_request(dsm_m.shape, cell_size_m, [], [], reach_m, N_NEAR)
    row, col = np.nonzero(np.isfinite(dsm_m))
    out = np.full((len(azimuths_deg), *dsm_m.shape), np.nan, dtype=np.float32)
    eyes_m = dsm_m[row, col] + eye_height_m
    for face, directions in faces(
        dsm_m, cell_size_m, row.astype(float), col.astype(float), eyes_m, azimuths_deg,
        reach_m=reach_m,
    ):  # fmt: skip
        for i, deviation_deg in directions:
            seen = face.tangents(deviation_deg, np.zeros(row.size, dtype=np.float32))
            out[i, row[face.order], col[face.order]] = np.degrees(np.arctan(seen))
    return out
