"""Light at any point and on every cell: the functions behind `sensors` and `irradiation`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.irradiance import Light, light
from solarkataster.kernels.slope import cell_slopes
from solarkataster.receivers import Receivers, tilt_and_azimuth
from solarkataster.sky_table import SkyTable

#: Cells lit at once by :func:`cell_light`; a cell takes about 0.5 kB.
_CELLS_AT_ONCE = 1_000_000


def sensor_receivers(
    dsm_m: np.ndarray,
    grid: Grid,
    x: np.ndarray,
    y: np.ndarray,
    surface_tilt: np.ndarray,
    surface_azimuth: np.ndarray,
    *,
    z: np.ndarray | None = None,
    height_m: np.ndarray | None = None,
    convergence_deg: float = 0.0,
) -> Receivers:
    """
    A user's own points as receivers; taken as given, nothing is moved.

    Parameters
    ----------
    dsm_m : ndarray, shape (ny, nx)
        Surface height. [m]
    grid : Grid
        Place of ``dsm_m``.
    x, y : ndarray, shape (n,)
        Easting and northing. [m]
    surface_tilt, surface_azimuth : ndarray, shape (n,)
        Tilt (0 to 90) and facing clockwise from *true* north. [°]
    z : ndarray, shape (n,), optional
        Height in the datum of the surface model. [m]
    height_m : ndarray, shape (n,), optional
        Height above the cell of the surface model the point lies in; instead of ``z``. [m]
    convergence_deg : float
        Azimuth of grid north from true north. [°]

    Returns
    -------
    Receivers

    Raises
    ------
    InputError
        If both or neither of ``z`` and ``height_m`` are given, a point lies off the raster, or
        ``height_m`` counts from a cell without data.
    """
    if (z is None) == (height_m is None):
        raise InputError(
            "points need a height: either z or height_m, and not both",
            expected="a column z (datum of the surface model) or height_m (above the surface)",
        )
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    row, col = grid.row_col(x, y)
    inside = ~off_raster(grid, x, y)
    if not inside.all():
        first = int(np.flatnonzero(~inside)[0])
        raise InputError(
            f"{int((~inside).sum())} of {len(x)} points lie off the raster, the first is point "
            f"{first + 1} at ({x[first]:.2f}, {y[first]:.2f})",
            expected="points within {:.1f} {:.1f} {:.1f} {:.1f}".format(*grid.bounds),
            remedy="Check the coordinate system of the points; it must be the surface model's.",
        )
    if z is None:
        ground = surface_under(dsm_m, grid, x, y)
        if not np.isfinite(ground).all():
            first = int(np.flatnonzero(~np.isfinite(ground))[0])
            raise InputError(
                f"point {first + 1} stands on a cell without data, so height_m counts from nothing",
                remedy="Give this point its height as z.",
            )
        z = ground + np.asarray(height_m, dtype=np.float64)
    grid_azimuth = (np.asarray(surface_azimuth, dtype=np.float64) - convergence_deg) % 360.0
    return Receivers(row, col, z, np.arange(len(x)), surface_tilt, grid_azimuth)


def off_raster(grid: Grid, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Whether each point lies outside the raster; its edges are inside. Shape (n,), bool."""
    row, col = grid.row_col(x, y)
    ny, nx = grid.shape
    return ~((row >= -0.5) & (row <= ny - 0.5) & (col >= -0.5) & (col <= nx - 0.5))


def surface_under(dsm_m: np.ndarray, grid: Grid, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """
    Height of the surface in the cell each point lies in.

    Parameters
    ----------
    dsm_m : ndarray, shape (ny, nx)
        Surface height; NaN for no data. [m]
    grid : Grid
        Place of ``dsm_m``.
    x, y : ndarray, shape (n,)
        Points within the raster. [m]

    Returns
    -------
    ndarray, shape (n,), float64
        NaN for no data. [m]
    """
    row, col = grid.row_col(x, y)
    ny, nx = grid.shape
    cell_row = np.clip(np.floor(row + 0.5).astype(np.int64), 0, ny - 1)
    cell_col = np.clip(np.floor(col + 0.5).astype(np.int64), 0, nx - 1)
    return np.asarray(dsm_m)[cell_row, cell_col].astype(np.float64)


def cell_receivers(
    dsm_m: np.ndarray, cell_size_m: float, mask: np.ndarray | None = None, lift_m: float = 0.1
) -> Receivers:
    """
    Every cell as a receiver on its own slope.

    Parameters
    ----------
    dsm_m : ndarray, shape (ny, nx)
        Surface height; NaN for no data. [m]
    cell_size_m : float
    mask : ndarray of bool, shape (ny, nx), optional
        Cells wanted; default all with data.
    lift_m : float
        Height over the cell, so that noise of the surface does not shade it. [m]

    Returns
    -------
    Receivers
        In row-major order of the cells, each its own surface.
    """
    height_m = np.asarray(dsm_m, dtype=np.float64)
    wanted = np.isfinite(height_m) if mask is None else np.isfinite(height_m) & mask
    east, north = np.empty_like(height_m), np.empty_like(height_m)
    cell_slopes(height_m, cell_size_m, east, north)
    row, col = np.nonzero(wanted)
    tilt, azimuth = tilt_and_azimuth(east[row, col], north[row, col])
    return Receivers(row, col, height_m[row, col] + lift_m, np.arange(len(row)), tilt, azimuth)


def cell_light(
    dsm_m: np.ndarray,
    cell_size_m: float,
    sky: SkyTable,
    *,
    mask: np.ndarray | None = None,
    reach_m: float | None = None,
    first_row: int = 0,
    first_col: int = 0,
    albedo: float = 0.2,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """
    Irradiation of the year and of each month on every cell's own slope.

    Parameters
    ----------
    dsm_m : ndarray, shape (ny, nx)
        Surface height; NaN for no data. [m]
    cell_size_m : float
    sky : SkyTable
    mask : ndarray of bool, shape (ny, nx), optional
        Cells wanted; default all with data.
    reach_m, first_row, first_col, albedo
        As in :func:`solarkataster.irradiance.light`; the reach is the whole raster by default.
    progress : callable, optional
        Called with steps done and steps in all.

    Returns
    -------
    poa_global_kwh_m2 : ndarray, shape (13, ny, nx), float32
        Year, then January to December; NaN where no cell was wanted. [kWh/m²]
    """
    receivers = cell_receivers(dsm_m, cell_size_m, mask)
    if reach_m is None:
        reach_m = cell_size_m * sum(np.shape(dsm_m))
    out = np.full((13, *np.shape(dsm_m)), np.nan, dtype=np.float32)
    begins = range(0, len(receivers), _CELLS_AT_ONCE)
    for i, begin in enumerate(begins):
        part = _part(receivers, slice(begin, begin + _CELLS_AT_ONCE))
        got: Light = light(
            dsm_m, cell_size_m, part, sky, reach_m=reach_m, first_row=first_row,
            first_col=first_col, albedo=albedo, progress=_share(progress, i, len(begins)),
        )  # fmt: skip
        row, col = part.row.astype(np.int64), part.col.astype(np.int64)
        out[0, row, col] = got.poa_global_year_kwh_m2
        out[1:, row, col] = got.poa_global_month_kwh_m2.T
    return out


def _part(receivers: Receivers, which: slice) -> Receivers:
    """Some of the receivers of :func:`cell_receivers`, where each is its own surface."""
    return Receivers(
        receivers.row[which],
        receivers.col[which],
        receivers.elevation_m[which],
        np.arange(len(receivers.row[which])),
        receivers.surface_tilt[which],
        receivers.grid_azimuth[which],
    )


def _share(progress, i, n):
    """Progress of the i-th of n parts as progress of the whole."""
    if progress is None:
        return None
    return lambda done, of: progress(i * of + done, n * of)
