"""Parts of a footprint that lie below the roof beside them: annexes and yards without a plane."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from solarkataster.roofs.planes import RoofPlanes
from solarkataster.roofs.shapes import PITCHED_TILT_DEG

#: What lies so far below the plane beside it and is so wide is an annex or a yard: no roof goes on
#: over it. Within a slope it may be a terrace, which is no deeper than the last. [m]
DEPTH_M, WIDTH_M, TERRACE_DEPTH_M = 1.0, 1.2, 4.0

_AROUND = np.ones((3, 3), dtype=bool)


def lower_parts(
    planes: RoofPlanes,
    labels: np.ndarray,
    elevation_m: np.ndarray,
    inside: np.ndarray,
    *,
    offset_east_m: np.ndarray | None = None,
    offset_north_m: np.ndarray | None = None,
) -> np.ndarray:
    """
    Cells of annexes and yards below the roof, over which no plane is to be drawn.

    Parameters
    ----------
    planes : RoofPlanes
    labels : ndarray of int32, shape (ny, nx)
        Plane of every cell, 0 for none.
    elevation_m : ndarray, shape (ny, nx)
        Heights; NaN for none: there the nearest height counts. [m]
    inside : ndarray of bool, shape (ny, nx)
        Cells in the outline of the roof.
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), optional
        Place of each height off its cell's centre. [m]

    Returns
    -------
    is_lower : ndarray of bool, shape (ny, nx)
        Parts that reach the edge of the roof, lie within a flat one, or are deeper than a terrace.
        They may hold cells with a label: what is low beside a plane had been taken for its eaves.
    """
    measured = inside & np.isfinite(elevation_m)
    if not measured.any() or not labels.any():
        return np.zeros(labels.shape, dtype=bool)
    beside = labels[_nearest(labels > 0)]
    below_m = np.zeros(labels.shape)
    places = offset_east_m, offset_north_m
    below_m[measured] = _plane_m(planes, beside, measured, *places) - elevation_m[measured]
    below_m = below_m[_nearest(measured)]
    is_low = inside & (below_m > DEPTH_M) & np.isfinite(below_m)
    # Narrower strips are light that found the wall below the eaves.
    width = max(2, round(WIDTH_M / planes.cell_size_m))
    low = ndimage.binary_opening(is_low, np.ones((width, width)))
    low = ndimage.binary_dilation(low, iterations=width, mask=is_low)
    part, n_parts = ndimage.label(low)
    is_open = np.zeros(n_parts + 1, dtype=bool)
    is_open[part[ndimage.binary_dilation(~inside, _AROUND)]] = True
    for number in range(1, n_parts + 1):
        cells = part == number
        tilt = planes.surface_tilt[np.bincount(beside[cells]).argmax() - 1]
        is_open[number] |= tilt < PITCHED_TILT_DEG or np.median(below_m[cells]) > TERRACE_DEPTH_M
    is_open[0] = False
    return is_open[part]


def _nearest(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of the nearest known cell, for every cell: (ny, nx) each."""
    rows, cols = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    return rows, cols


def _plane_m(
    planes: RoofPlanes, label: np.ndarray, cells: np.ndarray, offset_east_m, offset_north_m
) -> np.ndarray:
    """Height of the labelled (continued) planes where heights were measured: (n_cell,). [m]"""
    rows, cols = np.nonzero(cells)
    size = planes.cell_size_m
    east_m, north_m = (cols - planes.first_cell[1]) * size, (planes.first_cell[0] - rows) * size
    if offset_east_m is not None and offset_north_m is not None:
        east_m, north_m = east_m + offset_east_m[cells], north_m + offset_north_m[cells]
    plane = label[cells] - 1
    slopes_m = planes.slope_east[plane] * east_m + planes.slope_north[plane] * north_m
    return planes.elevation_at_first_cell_m[plane] + slopes_m
