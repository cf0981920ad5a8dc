"""Which raised cells of a surface model are smooth, as roofs and blocks are, and which rough."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from solarkataster.kernels.flatness import box_counts, leave_out_domes, plane_residuals

#: Windows in which a surface is flat or not are about this wide. [m]
_WINDOW_M = 2.0

#: Cells in a window through which a plane with a smaller residual goes are smooth. [m]
FLAT_M = 0.2

#: Surroundings this wide of a flat window, of which so much is raised, and curved downwards by more
#: than that in all directions are a smooth crown; looked at every so far. [m, –, 1/m, m]
_DOME_M, _DOME_SHARE, _DOME_PER_M, _DOME_STEP_M = 4.0, 0.6, 0.25, 0.5

#: Rough cells beside smooth ones are edges if they are at most so much higher. [m]
_EDGE_RISE_M = 0.3

#: Width of the surroundings of a rough cell, share of them that is solid, and how much higher than
#: they it may be to be solid too. [m, –, m]
_AROUND_M, _SOLID_SHARE, _AROUND_RISE_M = 5.0, 0.5, 0.5

#: Smooth cells with fewer smooth ones around them than this share, and higher than that over the
#: ground, are flat by chance, amid a crown. [–, m]
_LONE_SHARE, _LONE_HEIGHT_M = 0.4, 3.5

#: Smooth cells this near a footprint may be its eaves. [m]
EAVES_M = 2.0


def half_width(width_m: float, cell_size_m: float) -> int:
    """Cells to either side of the middle of a window."""
    return max(1, math.floor(width_m / cell_size_m / 2.0 + 0.5))


def is_flat(
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    is_raised: np.ndarray,
    is_roof: np.ndarray,
    cell_size_m: float,
    limit_m: float | np.ndarray = FLAT_M,
) -> np.ndarray:
    """
    Raised cells through which a flat window goes.

    Parameters
    ----------
    elevation_m, terrain_m : ndarray, shape (ny, nx), float32
        Surface and bare ground. [m]
    is_raised, is_roof : ndarray, shape (ny, nx), bool
        Cells that stand over the ground, and those that are roofs beyond doubt.
    cell_size_m : float
        Edge of one cell. [m]
    limit_m : float or ndarray, shape (ny, nx)
        Distance of the cells from the plane through the window, root mean square. [m]

    Returns
    -------
    ndarray, shape (ny, nx), bool
    """
    half = half_width(_WINDOW_M, cell_size_m)
    residual_m = np.empty_like(elevation_m)
    raised_m = np.nan_to_num(elevation_m)
    plane_residuals(raised_m, is_raised, half, cell_size_m, residual_m)
    # Roofs are asked only where their windows decide about cells beside them.
    asked = ndimage.maximum_filter(is_raised & ~is_roof, 2 * half + 1)
    step = max(1, math.floor(_DOME_STEP_M / cell_size_m + 0.5))
    leave_out_domes(
        raised_m, is_raised, asked, FLAT_M, half_width(_DOME_M, step * cell_size_m), step,
        cell_size_m, _DOME_SHARE, _DOME_PER_M, residual_m,
    )  # fmt: skip
    if half == 1:
        # Planes through nine cells may fit by chance; where none beside fits, it is one.
        beside_m = ndimage.minimum_filter(
            residual_m, footprint=[[0, 1, 0], [1, 0, 1], [0, 1, 0]], mode="constant", cval=np.inf
        )
        residual_m[beside_m >= FLAT_M] = np.inf
    least_m = ndimage.minimum_filter(residual_m, 2 * half + 1, mode="constant", cval=np.inf)
    flat = least_m < limit_m
    around = half_width(_AROUND_M, cell_size_m)
    is_lone = count_around(flat, around) < _LONE_SHARE * count_around(is_raised, around)
    return flat & (~is_lone | is_roof | (elevation_m - terrain_m < _LONE_HEIGHT_M))


def is_edge(
    elevation_m: np.ndarray,
    is_raised: np.ndarray,
    is_known: np.ndarray,
    is_solid: np.ndarray,
    cell_size_m: float,
) -> np.ndarray:
    """
    Rough cells that belong to solid ones beside or around them.

    Parameters
    ----------
    elevation_m : ndarray, shape (ny, nx), float32
        Surface. [m]
    is_raised : ndarray, shape (ny, nx), bool
    is_known, is_solid : ndarray, shape (ny, nx), bool
        Cells that are solid: those whose height says how high that is, and all of them.
    cell_size_m : float
        Edge of one cell. [m]

    Returns
    -------
    ndarray, shape (ny, nx), bool
        Also where no rough cell is.
    """
    known_m = np.where(is_known & is_raised, elevation_m, np.float32(-np.inf))
    beside, around = half_width(1.0, cell_size_m), half_width(_AROUND_M, cell_size_m)
    beside_m, around_m = (
        ndimage.maximum_filter(known_m, 2 * half + 1, mode="constant", cval=-np.inf)
        for half in (beside, around)
    )
    share = count_around(is_solid & is_raised, around) >= _SOLID_SHARE * count_around(
        is_raised, around
    )
    return (elevation_m <= beside_m + np.float32(_EDGE_RISE_M)) | (
        share & (elevation_m <= around_m + np.float32(_AROUND_RISE_M))
    )


def count_around(mask: np.ndarray, half: int) -> np.ndarray:
    """How many cells of a square about each are set, ``half`` to either side; (ny, nx) int32."""
    counts = np.empty(mask.shape, dtype=np.int32)
    box_counts(np.ascontiguousarray(mask), half, counts)
    return counts
