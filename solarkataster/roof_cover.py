"""Height of roofs in every cell, also where a crown hides them."""

from __future__ import annotations

import math

import numpy as np

from solarkataster.kernels.roof_cover import continue_planes
from solarkataster.receivers import Receivers

#: So far planes go on under what stands over them. [m]
REACH_M = 8.0


def roof_heights(
    receivers: Receivers,
    n_on_roof: int,
    building: np.ndarray,
    cell_size_m: float,
    lift_m: float,
) -> np.ndarray:
    """
    Height of the roof planes in the cells of footprints.

    Where crowns hang over a roof no plane is fitted. There the plane of the nearest cell of the
    same footprint goes on, up to `REACH_M`.

    Parameters
    ----------
    receivers : Receivers
        Points of roofs in cell centres.
    n_on_roof : int
        Of them the first so many lie on their plane.
    building : ndarray, shape (ny, nx), int32
        Footprint of each cell from 1, 0 for none.
    cell_size_m : float
        Edge of one cell. [m]
    lift_m : float
        Height of the receivers over their plane. [m]

    Returns
    -------
    roof_m : ndarray, shape (ny, nx), float32
        NaN where no plane is known; eaves beyond the footprints have theirs. [m]
    """
    roof_m = np.full(building.shape, np.nan, dtype=np.float32)
    surface = np.full(building.shape, -1, dtype=np.int32)
    row = np.round(receivers.row[:n_on_roof]).astype(np.int64)
    col = np.round(receivers.col[:n_on_roof]).astype(np.int64)
    roof_m[row, col] = receivers.elevation_m[:n_on_roof] - lift_m
    surface[row, col] = receivers.surface[:n_on_roof]
    fall = np.tan(np.radians(receivers.surface_tilt)) * cell_size_m
    azimuth = np.radians(receivers.grid_azimuth)
    continue_planes(
        building, surface, -fall * np.sin(azimuth), fall * np.cos(azimuth),
        math.ceil(REACH_M / cell_size_m), roof_m,
    )  # fmt: skip
    return roof_m
