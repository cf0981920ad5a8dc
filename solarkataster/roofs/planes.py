"""Roof planes of one building: region growing on a surface model inside the footprint."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.errors import InputError
from solarkataster.receivers import tilt_and_azimuth
from solarkataster.roofs.cells import RoofCells
from solarkataster.roofs.growth import grow
from solarkataster.roofs.segments import settle

#: Below this tilt, or if the azimuth is known to less than ±10°, a plane is level: its azimuth
#: says nothing. [°]
LEVEL_TILT_DEG = 1.0
LEVEL_AZIMUTH_ERROR_RAD = math.radians(10.0)


@dataclass(frozen=True, eq=False)
class RoofPlanes:
    """
    Planes of one building.

    Attributes
    ----------
    labels : ndarray of int32, shape (ny, nx)
        0 for no plane, 1..n for planes, row 0 north. Planes are numbered in reading order of their
        first cell (northernmost, then westernmost): the order depends on where a plane lies, not
        on the way it was found or on the window it was cut from.
    slope_east, slope_north : ndarray, shape (n,)
        Rise per metre towards grid east and grid north. [–]
    elevation_at_first_cell_m : ndarray, shape (n,)
        Height of the (extended) plane at the centre of ``first_cell``. [m]
    rmse_m : ndarray, shape (n,)
        Residual of the cells that are part of the fit. [m]
    surface_tilt : ndarray, shape (n,)
        Tilt from the horizontal. [°]
    grid_azimuth : ndarray, shape (n,)
        Direction the plane faces, clockwise from grid north; NaN if level. [°]
    first_cell : tuple of int
        Row and column of the building's own first cell in the window: everything is computed
        from there, so that the window a building is cut with changes no bit of the result.
    cell_size_m : float
        Edge of one cell. [m]
    """

    labels: np.ndarray
    slope_east: np.ndarray
    slope_north: np.ndarray
    elevation_at_first_cell_m: np.ndarray
    rmse_m: np.ndarray
    surface_tilt: np.ndarray
    grid_azimuth: np.ndarray
    first_cell: tuple[int, int]
    cell_size_m: float

    def __len__(self) -> int:
        return len(self.slope_east)

    @property
    def elevation_at_origin_m(self) -> np.ndarray:
        """Height of the (extended) planes at the centre of the window's cell (0, 0). [m]"""
        row, col = self.first_cell
        return self.elevation_at_first_cell_m + self.cell_size_m * (
            row * self.slope_north - col * self.slope_east
        )


def plane_elevation(planes: RoofPlanes, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """
    Height of the labelled plane at cells of the window.

    Parameters
    ----------
    planes : RoofPlanes
    rows, cols : ndarray of int, shape (n_cell,)
        Cells of ``planes.labels``.

    Returns
    -------
    elevation_m : ndarray, shape (n_cell,), float64
        NaN where no plane is. [m]
    """
    rows, cols = np.asarray(rows), np.asarray(cols)
    plane = planes.labels[rows, cols] - 1
    elevation_m = np.full(plane.shape, np.nan)
    on = plane >= 0
    plane = plane[on]
    first_row, first_col = planes.first_cell
    elevation_m[on] = planes.elevation_at_first_cell_m[plane] + planes.cell_size_m * (
        planes.slope_east[plane] * (cols[on] - first_col)
        - planes.slope_north[plane] * (rows[on] - first_row)
    )
    return elevation_m


def building_height(planes: RoofPlanes, terrain_m: np.ndarray) -> float:
    """
    Height of the highest roof cell above the terrain beneath the building.

    Parameters
    ----------
    planes : RoofPlanes
    terrain_m : ndarray, shape (ny, nx)
        Terrain in the same window. [m]

    Returns
    -------
    height_m : float
        Highest point of the fitted planes less the median terrain under them (the median, because
        interpolated terrain under a building has pits); NaN without planes or terrain. [m]
    """
    rows, cols = np.nonzero(planes.labels)
    ground_m = np.asarray(terrain_m)[rows, cols]
    ground_m = ground_m[np.isfinite(ground_m)]
    if ground_m.size == 0:
        return math.nan
    return float(plane_elevation(planes, rows, cols).max() - np.median(ground_m))


def plane_heights(planes: RoofPlanes, terrain_m: np.ndarray) -> np.ndarray:
    """
    Height of every plane above the terrain, to tell roofs from ground in a footprint.

    Parameters
    ----------
    planes : RoofPlanes
    terrain_m : ndarray, shape (ny, nx)
        Terrain in the same window. [m]

    Returns
    -------
    height_m : ndarray, shape (n,)
        Mean height over the cells with terrain; NaN where there are none. [m]
    """
    rows, cols = np.nonzero(planes.labels)
    height_m = plane_elevation(planes, rows, cols) - np.asarray(terrain_m)[rows, cols]
    known = np.isfinite(height_m)
    plane = planes.labels[rows[known], cols[known]] - 1
    n_cells = np.bincount(plane, minlength=len(planes))
    sums_m = np.bincount(plane, weights=height_m[known], minlength=len(planes))
    return np.divide(sums_m, n_cells, out=np.full(len(planes), np.nan), where=n_cells > 0)


def find_roof_planes(
    elevation_m: np.ndarray,
    inside: np.ndarray,
    cell_size_m: float,
    *,
    min_plane_area_m2: float = 2.5,
    offset_east_m: np.ndarray | None = None,
    offset_north_m: np.ndarray | None = None,
) -> RoofPlanes:
    """
    Find the planes of one roof.

    Parameters
    ----------
    elevation_m : ndarray, shape (ny, nx)
        Surface model or laser points on a lattice, row 0 north; NaN for no data. [m]
    inside : ndarray of bool, shape (ny, nx)
        Cells of the building's footprint.
    cell_size_m : float
        Edge of one square cell. [m]
    min_plane_area_m2 : float
        Smaller planes (inclined area) are given to a neighbour they fit, or to none; cells measure
        an area of this size to about 10 % at 0.5 m, and planes within that error count. [m²]
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), optional
        Where in its cell a height was measured, from the cell's centre; read where there is a
        height. Without them heights belong to the centres. [m]

    Returns
    -------
    planes : RoofPlanes
        Without planes (length 0) if the footprint holds too few heights.

    Raises
    ------
    InputError
        If the shapes differ, a size is not positive, or a height's place is not finite.

    Notes
    -----
    Every cell takes its normal from the smoothest window that holds it, and planes grow from the
    smoothest cells by distance and normal and are refitted robustly [1]_. Then, several times,
    cells compete for the planes around them; planes whose neighbours explain their cells as well
    are dropped [2]_; what no plane explains is searched for small planes (dormers, lift housings,
    terraces) with the narrowest windows; planes too small, too narrow (parapets, steps) or too
    steep are dissolved; planes that are one within the noise are merged. Two large parts of one
    plane are joined where a dormer leaves less than a cell between them. Cells that stand out above
    a plane (chimney, tree) stay without one; cells at the eaves that lie lower or have no height
    belong to the plane beside them.

    Heights at other places than the centres (laser points) count at their own places all the way:
    at 45° and 0.5 m cells the centre would be wrong by 0.14 m, more than a dormer's plane allows.

    References
    ----------
    .. [1] T. Rabbani, F. van den Heuvel and G. Vosselman, "Segmentation of point clouds using
       smoothness constraint," ISPRS Archives 36(5), pp. 248-253, 2006.
    .. [2] H. Isack and Y. Boykov, "Energy-based geometric multi-model fitting," Int. J. Computer
       Vision 97, pp. 123-147, 2012, doi:10.1007/s11263-011-0474-7.
    """
    elevation_m, inside = np.asarray(elevation_m), np.asarray(inside, dtype=bool)
    offsets_m = _offsets(offset_east_m, offset_north_m)
    _check(elevation_m, inside, cell_size_m, min_plane_area_m2, offsets_m)
    roof = RoofCells.cut(elevation_m, inside, cell_size_m, min_plane_area_m2, offsets_m)
    if roof is None:
        return _no_planes(elevation_m.shape, cell_size_m)
    grow(roof)
    settle(roof)
    return _describe(roof, elevation_m.shape)


def _describe(roof: RoofCells, shape: tuple[int, int]) -> RoofPlanes:
    """Number the planes in reading order and put them into metres and degrees."""
    roof.number()
    inner = roof.labels.reshape(-1, roof.width)[1:-1, 1:-1]
    labels = np.zeros(shape, np.int32)
    row, col = roof.first_cell
    np.maximum(inner, 0, out=labels[row : row + inner.shape[0], col : col + inner.shape[1]])
    a, b, c = roof.planes[1:].T
    slope_east, slope_north = a / roof.cell_size_m, -b / roof.cell_size_m
    rmse_m = roof.rmse_m()
    slope_error = rmse_m / _lever_m(roof)
    slope = np.hypot(slope_east, slope_north)
    level = (slope < math.tan(math.radians(LEVEL_TILT_DEG))) | (
        slope_error > LEVEL_AZIMUTH_ERROR_RAD * slope
    )
    tilt, azimuth = tilt_and_azimuth(slope_east, slope_north)
    return RoofPlanes(
        labels=labels,
        slope_east=slope_east,
        slope_north=slope_north,
        elevation_at_first_cell_m=roof.base_m + (a + b + c),  # the padded raster starts one before
        rmse_m=rmse_m,
        surface_tilt=tilt,
        grid_azimuth=np.where(level, np.nan, azimuth),
        first_cell=roof.first_cell,
        cell_size_m=roof.cell_size_m,
    )


def _lever_m(roof: RoofCells) -> np.ndarray:
    """
    Root of the summed squared distances from the middle of each plane, the shorter way. [m]

    Noise of the heights over it is the standard error of the less certain slope component.
    """
    n, sx, sy, _, sxx, sxy, syy, *_ = roof.moments[1:].T
    cxx, cxy, cyy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
    least_spread = 0.5 * (cxx + cyy - np.hypot(cxx - cyy, 2.0 * cxy))
    return np.sqrt(np.maximum(least_spread, 1e-12)) * roof.cell_size_m


def _no_planes(shape: tuple[int, int], cell_size_m: float) -> RoofPlanes:
    none = np.zeros(0)
    return RoofPlanes(
        np.zeros(shape, np.int32), none, none, none, none, none, none, (0, 0), float(cell_size_m)
    )


def _offsets(*offsets_m) -> tuple[np.ndarray | None, ...]:
    return tuple(None if offset_m is None else np.asarray(offset_m) for offset_m in offsets_m)


def _check(elevation_m, inside, cell_size_m, min_plane_area_m2, offsets_m) -> None:
    if elevation_m.ndim != 2 or elevation_m.shape != inside.shape:
        raise InputError(
            f"elevation_m has shape {elevation_m.shape}, inside has {inside.shape}",
            expected="two rasters (ny, nx) of the same window",
        )
    for name, value in (("cell_size_m", cell_size_m), ("min_plane_area_m2", min_plane_area_m2)):
        if not value > 0:
            raise InputError(f"{name} = {value}", expected="a number above 0")
    for name, offset_m in zip(("offset_east_m", "offset_north_m"), offsets_m, strict=True):
        if offset_m is None:
            continue
        if offset_m.shape != elevation_m.shape:
            raise InputError(
                f"{name} has shape {offset_m.shape}, elevation_m has {elevation_m.shape}",
                expected="one offset per cell",
            )
        if not np.isfinite(offset_m[inside & np.isfinite(elevation_m)]).all():
            raise InputError(
                f"{name} is not finite in a cell with a height", expected="metres off the centre"
            )
