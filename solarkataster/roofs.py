"""Roof planes of one building: region growing on a surface model inside the footprint."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from solarkataster.errors import InputError
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
        Residual of the cells that made the fit. [m]
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


def find_roof_planes(
    elevation_m: np.ndarray,
    inside: np.ndarray,
    cell_size_m: float,
    *,
    min_plane_area_m2: float = 2.5,
) -> RoofPlanes:
    """
    Find the planes of one roof.

    Parameters
    ----------
    elevation_m : ndarray, shape (ny, nx)
        Surface model, row 0 north; NaN for no data. [m]
    inside : ndarray of bool, shape (ny, nx)
        Cells of the building's footprint.
    cell_size_m : float
        Edge of one square cell. [m]
    min_plane_area_m2 : float
        Smaller planes (inclined area) are given to a neighbour they fit, or to none. [m²]

    Returns
    -------
    planes : RoofPlanes
        Without planes (length 0) if the footprint holds too few heights.

    Raises
    ------
    InputError
        If the shapes differ or a size is not positive.

    Notes
    -----
    Every cell takes its normal from the smoothest window that holds it, planes grow from the
    smoothest cells by distance and normal and are refitted robustly, then cells compete for
    the planes around them, planes that are one within the noise are merged and small ones
    dissolved. Cells that stand out above a plane (chimney, tree) stay without one; cells at the
    eaves that lie lower or have no height belong to the plane beside them.

    References
    ----------
    .. [1] T. Rabbani, F. van den Heuvel and G. Vosselman, "Segmentation of point clouds using
       smoothness constraint," ISPRS Archives 36(5), pp. 248-253, 2006.
    """
    elevation_m, inside = np.asarray(elevation_m), np.asarray(inside, dtype=bool)
    _check(elevation_m, inside, cell_size_m, min_plane_area_m2)
    roof = _Roof.cut(elevation_m, inside, cell_size_m, min_plane_area_m2)
    if roof is None:
        return _no_planes(elevation_m.shape, cell_size_m)
    _grow(roof)
    _settle(roof)
    return _describe(roof, elevation_m.shape)


class _Roof:
    """Working arrays of one building: flat, padded by one cell, heights from a whole metre."""

    def __init__(self, z, state, labels, width, base_m, first_cell, cell_size_m, min_area_m2):
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
    def cut(cls, elevation_m, inside, cell_size_m, min_area_m2):
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
        return cls(
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
            self.z,
            self.state,
            self.width,
            self.labels,
            self.planes,
            self.reach_m,
            n_rounds,
            self.moments,
        )

    def relabel(self, new_label: np.ndarray) -> None:
        """Rename labels; ``new_label[old]`` is 0 to dissolve and else gives the new numbers."""
        on = self.labels > 0
        self.labels[on] = new_label[self.labels[on]]


def _grow(roof: _Roof) -> None:
    """First planes, from the smoothest cells outwards."""
    n = roof.z.size
    radius = max(1, round((WINDOW_M / roof.cell_size_m - 1.0) / 2.0))
    # Over half of a window, so that it never is two rows: those fit a step as well as a slope.
    min_window_cells = max(7, round(0.6 * (2 * radius + 1) ** 2))
    seed_a, seed_b, seed_rms = np.zeros(n), np.zeros(n), np.empty(n)
    seed_rms.fill(np.inf)
    plane_fit.window_fits(
        roof.z, roof.state, roof.width, radius, min_window_cells, seed_a, seed_b, seed_rms
    )
    cell_a, cell_b, cell_rms = np.zeros(n), np.zeros(n), np.full(n, np.inf)
    plane_fit.smoothest_windows(
        roof.state, roof.width, radius, seed_a, seed_b, seed_rms, cell_a, cell_b, cell_rms
    )
    seeds = np.flatnonzero(np.isfinite(seed_rms))
    if seeds.size == 0:
        return
    # Windows across ridges and steps say nothing about noise: a low quantile avoids them.
    roof.noise_m = float(np.clip(np.quantile(seed_rms[seeds], 0.3), *NOISE_RANGE_M))
    seeds = seeds[np.argsort(seed_rms[seeds], kind="stable")]
    normal_noise_rad = roof.noise_m / (roof.cell_size_m * window_lever(radius))
    max_angle_rad = min(max(math.radians(10.0), 4.0 * normal_noise_rad), math.radians(25.0))
    min_cells = roof.min_cells(0.5)
    planes = np.zeros((2 + seeds.size // min_cells, 3))
    n_planes = plane_fit.grow_planes(
        roof.z,
        roof.state,
        roof.width,
        seeds,
        seed_a,
        seed_b,
        seed_rms,
        cell_a,
        cell_b,
        cell_rms,
        roof.cell_size_m,
        roof.reach_m,
        math.cos(max_angle_rad),
        0.5 * roof.reach_m,
        min_cells,
        roof.labels,
        planes,
    )
    roof.planes = planes[: n_planes + 1].copy()
    roof.refit()


def window_lever(radius: int) -> float:
    """Square root of the sum of squared distances in a window: slope noise = noise / lever."""
    side = 2 * radius + 1
    return math.sqrt(side * 2 * sum(k * k for k in range(1, radius + 1)))


def _settle(roof: _Roof) -> None:
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


def _absorb(roof: _Roof) -> None:
    """Take in what hardly stands out, then what lies lower or has no height at the edges."""
    raised_m = max(RAISED_M, roof.reach_m)
    for deepest_m, reach_m in ((raised_m, VOID_REACH_M), (math.inf, EAVES_M)):
        n_steps = max(1, round(reach_m / roof.cell_size_m))
        plane_labels.absorb_neighbours(
            roof.z, roof.state, roof.width, roof.labels, roof.planes, deepest_m, raised_m, n_steps
        )


def _compete(roof: _Roof) -> None:
    plane_labels.compete(
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


def _merge(roof: _Roof) -> None:
    while len(roof.planes) > 2:
        pairs = np.unique(plane_labels.neighbour_pairs(roof.labels, roof.width))
        n_label = int(roof.labels.max()) + 1
        parent = np.arange(len(roof.planes))
        n_merged = plane_labels.merge_pairs(
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


def _dissolve_small(roof: _Roof, fraction: float) -> bool:
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


def _describe(roof: _Roof, shape: tuple[int, int]) -> RoofPlanes:
    """Number the planes in reading order and put them into metres and degrees."""
    inner = roof.labels.reshape(-1, roof.width)[1:-1, 1:-1]
    found, first_seen = np.unique(inner, return_index=True)
    first_seen, found = first_seen[found > 0], found[found > 0]
    order = found[np.argsort(first_seen)]
    new_label = np.zeros(len(roof.planes), np.int32)
    new_label[order] = np.arange(1, len(order) + 1)
    labels = np.zeros(shape, np.int32)
    row, col = roof.first_cell
    labels[row : row + inner.shape[0], col : col + inner.shape[1]] = np.where(
        inner > 0, new_label[np.maximum(inner, 0)], 0
    )
    a, b, c = roof.planes[order].T
    slope_east, slope_north = a / roof.cell_size_m, -b / roof.cell_size_m
    rmse_m, slope_error = _fit_errors(roof, order)
    slope = np.hypot(slope_east, slope_north)
    level = (slope < math.tan(math.radians(LEVEL_TILT_DEG))) | (
        slope_error > LEVEL_AZIMUTH_ERROR_RAD * slope
    )
    azimuth = np.degrees(np.arctan2(-slope_east, -slope_north)) % 360.0
    return RoofPlanes(
        labels=labels,
        slope_east=slope_east,
        slope_north=slope_north,
        elevation_at_first_cell_m=roof.base_m + (a + b + c),  # the padded raster starts one before
        rmse_m=rmse_m,
        surface_tilt=np.degrees(np.arctan(slope)),
        grid_azimuth=np.where(level, np.nan, azimuth),
        first_cell=roof.first_cell,
        cell_size_m=roof.cell_size_m,
    )


def _fit_errors(roof: _Roof, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residual RMS [m] and standard error of the less certain slope component [–] per plane."""
    n, sx, sy, sz, sxx, sxy, syy, sxz, syz, szz = roof.moments[order].T
    a, b, c = roof.planes[order].T
    square_sum = szz - a * sxz - b * syz - c * sz  # normal equations hold, so this is the residual
    rmse_m = np.sqrt(np.maximum(0.0, square_sum) / np.maximum(n, 1.0))
    cxx, cxy, cyy = sxx - sx * sx / n, sxy - sx * sy / n, syy - sy * sy / n
    least_spread = 0.5 * (cxx + cyy - np.hypot(cxx - cyy, 2.0 * cxy))
    slope_error = rmse_m / np.sqrt(np.maximum(least_spread, 1e-12)) / roof.cell_size_m
    return rmse_m, slope_error


def _no_planes(shape: tuple[int, int], cell_size_m: float) -> RoofPlanes:
    none = np.zeros(0)
    return RoofPlanes(
        np.zeros(shape, np.int32), none, none, none, none, none, none, (0, 0), float(cell_size_m)
    )


def _check(elevation_m, inside, cell_size_m, min_plane_area_m2) -> None:
    if elevation_m.ndim != 2 or elevation_m.shape != inside.shape:
        raise InputError(
            f"elevation_m has shape {elevation_m.shape}, inside has {inside.shape}",
            expected="two rasters (ny, nx) of the same window",
        )
    for name, value in (("cell_size_m", cell_size_m), ("min_plane_area_m2", min_plane_area_m2)):
        if not value > 0:
            raise InputError(f"{name} = {value}", expected="a number above 0")
