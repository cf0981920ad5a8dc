"""The surface that walls look at: roofs end at their walls, so that none stands under its eaves."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

#: Cells this near to the roof's edge may hold roof and ground, or a receiver of the wall below it:
#: it stands half a cell out, up to 0.7 from the middle of its cell. [cells]
MIXED_CELLS = 1.25

#: What is this much higher than the roof beside it is no part of it: a crown, a taller house. [m]
ABOVE_M = 0.3

#: What is lower over the ground than this share of the roof beside it is no part of it either.
ROOF_SHARE = 0.5


def wall_surface(
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    building: np.ndarray,
    cell_size_m: float,
    *,
    reach_m: float = 1.5,
) -> np.ndarray:
    """
    The surface that walls look at.

    Parameters
    ----------
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        What blocks light, and the terrain; NaN for no data. [m]
    building : ndarray of int, shape (ny, nx)
        Number of the footprint in which each cell lies, 0 for none.
    cell_size_m : float
        [m]
    reach_m : float
        Deepest overhang looked for. [m]

    Returns
    -------
    surface_m : ndarray, shape (ny, nx), of the type given
        The terrain where there are eaves and it is known; lower roofs without the edge of the
        higher one beside them. The roofs opposite lose their eaves too: there is one surface for
        all walls, and what eaves hide of the sky before the wall they belong to is far more than
        what they add to the roof of the house opposite. It needs no model of any roof, so that a
        wall sees the same houses whichever tile they belong to.
    """
    is_eaves = eaves_beside(elevation_m, terrain_m, building > 0, cell_size_m, reach_m=reach_m)
    surface_m = np.where(is_eaves & np.isfinite(terrain_m), terrain_m, elevation_m).astype(
        elevation_m.dtype, copy=False
    )
    row, col, low_m = edges_over_neighbours(surface_m, building, cell_size_m)
    surface_m[row, col] = low_m
    return surface_m


def eaves_beside(
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    in_footprint: np.ndarray,
    cell_size_m: float,
    *,
    reach_m: float = 1.5,
) -> np.ndarray:
    """
    Cells beside the walls of all buildings of a window that show a roof.

    Parameters
    ----------
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        Surface and terrain; NaN for no data. [m]
    in_footprint : ndarray of bool, shape (ny, nx)
        Cells of any footprint.
    cell_size_m : float
        [m]
    reach_m : float
        Deepest overhang looked for. [m]

    Returns
    -------
    is_eaves : ndarray of bool, shape (ny, nx)
        Cells no farther from a footprint that are neither much higher nor much lower than the
        highest of its roof as near to them.
    """
    reach_cells = max(MIXED_CELLS, reach_m / cell_size_m)
    n = int(np.ceil(reach_cells))
    disc = np.hypot(*np.mgrid[-n : n + 1, -n : n + 1]) <= reach_cells + 1e-9
    roof_m = np.where(in_footprint & np.isfinite(elevation_m), elevation_m, -np.inf)
    roof_m = ndimage.maximum_filter(roof_m, footprint=disc, mode="constant", cval=-np.inf)
    near = ~in_footprint & np.isfinite(roof_m)
    is_eaves = np.zeros(elevation_m.shape, dtype=bool)
    height_m, roof_height_m = elevation_m[near] - terrain_m[near], roof_m[near] - terrain_m[near]
    is_eaves[near] = (height_m > ROOF_SHARE * roof_height_m) & (
        elevation_m[near] <= roof_m[near] + ABOVE_M
    )
    return is_eaves


def edges_over_neighbours(
    elevation_m: np.ndarray, building: np.ndarray, cell_size_m: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Cells of a lower roof that show the edge of the higher one beside it.

    Parameters
    ----------
    elevation_m : ndarray, shape (ny, nx)
        Surface; NaN for no data. [m]
    building : ndarray of int, shape (ny, nx)
        Number of the footprint in which each cell lies, 0 for none.
    cell_size_m : float
        [m]

    Returns
    -------
    row, col : ndarray of int, shape (n,)
        Cells beside another building that are higher than a roof could be which rises from its
        own cells behind at 45°.
    low_m : ndarray, shape (n,)
        Highest of these cells behind, up to two cells away. [m]
    """
    ny, nx = building.shape
    other = np.zeros(building.shape, dtype=bool)
    inner = building > 0
    for d_row, d_col in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = np.s_[: ny - d_row, max(0, -d_col) : nx - max(0, d_col)]
        there = np.s_[d_row:, max(0, d_col) : nx + min(0, d_col)]
        differ = (building[here] != building[there]) & (building[here] > 0) & (building[there] > 0)
        other[here] |= differ
        other[there] |= differ
    inner &= ~other & np.isfinite(elevation_m)
    row, col = np.nonzero(other)
    low_m = np.full(row.size, -np.inf)
    for d_row in range(-2, 3):
        for d_col in range(-2, 3):
            r, c = np.clip(row + d_row, 0, ny - 1), np.clip(col + d_col, 0, nx - 1)
            own = inner[r, c] & (building[r, c] == building[row, col])
            low_m = np.where(own, np.fmax(low_m, elevation_m[r, c]), low_m)
    mixed = np.isfinite(low_m) & (elevation_m[row, col] > low_m + MIXED_CELLS * cell_size_m)
    return row[mixed], col[mixed], low_m[mixed]
