"""How far a roof hangs over the walls, side by side, and the outline it has with its eaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.footprint_cells import cells_inside, check_footprint
from solarkataster.grid import Grid
from solarkataster.kernels.eaves import (
    ROOF,
    UNKNOWN,
    classify_samples,
    continue_planes,
    ground_levels,
    nearest_sides,
    step_depths,
)
from solarkataster.kernels.plane_labels import extend_labels
from solarkataster.roofs.outline import roof_outline
from solarkataster.roofs.planes import RoofPlanes
from solarkataster.roofs.sides import Sides, footprint_sides

#: Rasters coarser than this cannot show eaves: their cells hold roof and ground at once, and what
#: they keep of both differs from one surface model to the next. [m]
COARSEST_RASTER_M = 0.75

#: Farthest place of the edge from the middle of the interval it may lie in. [m]
MAX_HALF_WIDTH_M = 0.3

#: Share of a side along which roof and ground must be seen on both sides of the edge.
MIN_SEEN_SHARE = 0.3

#: Largest share of samples near the edge that may contradict it: porches, trees.
MAX_WRONG_SHARE = 0.2

#: What is lower than this over the ground beside it has no eaves: a terrace, a ramp. [m]
MIN_HEIGHT_M = 1.0

#: Share of the samples beside a side that lie under its ground level: bushes cover the rest.
GROUND_SHARE = 0.1

#: Residuals that noise explains, in standard deviations of the plane's fit, and a floor: tiles,
#: gutters. [–, m]
NOISE_FACTOR, LEAST_TOLERANCE_M = 4.0, 0.06

#: Depths below this are none: the survey of walls is no better. [m]
MIN_DEPTH_M = 0.05

#: Share of a side's nearest cells in other footprints that makes it a party wall.
PARTY_SHARE = 0.5

#: Sides shorter than this many cells take the depth of their neighbours, if these face the same
#: way to within 15 degrees and lie no farther than this off the same line. [–, –, m]
SHORT_CELLS, LIKE_COSINE, SAME_LINE_M = 3.0, 0.966, 1.0


@dataclass(frozen=True, eq=False)
class Overhang:
    """
    Overhang of one roof.

    Attributes
    ----------
    start, end : ndarray, shape (n_side, 2)
        Easting and northing of the footprint's straight sides; outside lies on the right of
        start → end. [m]
    depth_m : ndarray, shape (n_side,)
        How far the roof reaches over each side; NaN if not seen, 0 at party walls. [m]
    source : tuple of str, length n_side
        "seen", "none" (the heights cannot show it) or "party wall".
    outline : Polygon or MultiPolygon
        The roof's outline: the footprint and the seen overhangs. [m]
    labels : ndarray of int32, shape (ny, nx)
        The planes' labels, continued over the cells of the outline beyond the footprint.
    """

    start: np.ndarray
    end: np.ndarray
    depth_m: np.ndarray
    source: tuple[str, ...]
    outline: shapely.Polygon | shapely.MultiPolygon
    labels: np.ndarray


def roof_overhang(
    planes: RoofPlanes,
    elevation_m: np.ndarray,
    footprint: shapely.Polygon | shapely.MultiPolygon,
    grid: Grid,
    *,
    free: np.ndarray,
    max_overhang_m: float = 1.5,
    offset_east_m: np.ndarray | None = None,
    offset_north_m: np.ndarray | None = None,
) -> Overhang:
    """
    Measure the eaves and verges of one roof beyond its walls.

    Parameters
    ----------
    planes : RoofPlanes
        Planes of the roof inside the footprint.
    elevation_m : ndarray, shape (ny, nx)
        Heights; NaN for none. Cells up to ``max_overhang_m`` and three cells more around the
        footprint are used. [m]
    footprint : Polygon or MultiPolygon
        The walls: a valid outline in the coordinates of the grid. [m]
    grid : Grid
        Place of ``elevation_m`` and of ``planes.labels``.
    free : ndarray of bool, shape (ny, nx)
        Cells in no other footprint.
    max_overhang_m : float
        Deepest overhang; what reaches farther is another building or a canopy. [m]
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), optional
        Place of each height off its cell's centre, at most about half a cell. [m]

    Returns
    -------
    overhang : Overhang

    Raises
    ------
    InputError
        If shapes differ, the footprint is empty or invalid or no polygon, or ``max_overhang_m`` is
        not positive.

    Notes
    -----
    A sample beyond the wall belongs to the roof if it continues the plane beside it within its
    noise and is connected to it; one in the lower half between roof and ground shows the ground;
    others (crowns above the eaves, no height, other buildings) show nothing. Along each side the
    edge is put where a step from roof to ground contradicts the fewest samples: with sides that are
    turned against the raster, or with laser points, samples lie at all distances and the edge comes
    out much finer than a cell. A raster that keeps the highest point of each cell shows every edge
    half a cell too far out, which nothing in its heights betrays. Depths are rounded to
    millimetres, so that the window the building comes in changes no bit.
    """
    elevation_m, free = np.asarray(elevation_m, dtype=np.float64), np.asarray(free, dtype=bool)
    _check(planes, elevation_m, footprint, grid, free, max_overhang_m)
    sides = footprint_sides(footprint)
    depth_m = np.full(len(sides), np.nan)
    is_party = np.zeros(len(sides), dtype=bool)
    labels = planes.labels
    outline = footprint
    samples = None
    if len(planes) > 0:
        samples = _Samples(
            planes, elevation_m, sides, footprint, grid, free, max_overhang_m,
            offset_east_m, offset_north_m,
        )  # fmt: skip
        is_party = samples.party_walls()
        if grid.cell_size_m <= COARSEST_RASTER_M or offset_east_m is not None:
            depth_m = samples.depths(max_overhang_m)
            depth_m = _like_neighbours(sides, depth_m, is_party, SHORT_CELLS * grid.cell_size_m)
        depth_m[is_party] = 0.0
        outline = roof_outline(
            footprint, sides, np.nan_to_num(depth_m), *samples.taken(), grid.cell_size_m
        )
        labels = samples.continued_labels(outline)
    source = np.where(is_party, "party wall", np.where(np.isnan(depth_m), "none", "seen"))
    return Overhang(sides.start, sides.end, depth_m, tuple(source.tolist()), outline, labels)


def _check(planes, elevation_m, footprint, grid, free, max_overhang_m) -> None:
    for name, array in (
        ("elevation_m", elevation_m), ("free", free), ("planes.labels", planes.labels)
    ):  # fmt: skip
        if array.shape != grid.shape:
            raise InputError(
                f"{name} has shape {array.shape}, the grid has {grid.shape}",
                expected="equal shapes",
            )
    check_footprint(footprint)
    if not max_overhang_m > 0:
        raise InputError(f"max_overhang_m = {max_overhang_m}", expected="a number above 0")


def heights_reach_m(max_overhang_m: float, cell_size_m: float) -> float:
    """How far around a footprint heights are looked at: beyond eaves the ground must show. [m]"""
    return max_overhang_m + max(3.0 * cell_size_m, 0.6)


class _Samples:
    """Heights around the walls of one building, on a window of its grid."""

    def __init__(
        self, planes, elevation_m, sides, footprint, grid, free, max_overhang_m, offset_e, offset_n
    ):
        self.planes, self.sides, self.grid = planes, sides, grid
        self.cell_m = grid.cell_size_m
        self.reach_m = heights_reach_m(max_overhang_m, self.cell_m)
        west_m, south_m, east_m, north_m = footprint.bounds
        self.origin = np.floor([west_m, south_m])
        reach_m = self.reach_m + self.cell_m
        self.box = grid.crop(
            (west_m - reach_m, south_m - reach_m, east_m + reach_m, north_m + reach_m)
        )
        row, col = grid.offset_of(self.box)
        self.part = np.s_[row : row + self.box.shape[0], col : col + self.box.shape[1]]
        self.z, self.free = elevation_m[self.part], free[self.part]
        self.found = planes.labels[self.part]
        self._place(row, col, offset_e, offset_n)
        self.side, self.along_m, self.out_m = nearest_sides(
            self.x, self.y, self.west_m, self.north_m, self.cell_m, sides.start - self.origin,
            sides.end - self.origin, sides.is_convex, sides.following, self.reach_m,
        )  # fmt: skip
        self.is_outside = (self.side != -1) & (self.out_m > 0.0)
        self._continue_planes(offset_e is None)

    def _place(self, row, col, offset_e, offset_n) -> None:
        """
        Places of the samples, and the planes' equations in them.

        Counted from the grid's global lattice to a whole-metre origin of the footprint: the same
        numbers whatever the window.
        """
        box, cell_m = self.box, self.cell_m
        phase_e = round(box.west_m - box.first_col * cell_m, 6)
        phase_n = round(box.north_m + box.first_row * cell_m, 6)
        self.west_m = box.first_col * cell_m + phase_e - self.origin[0]
        self.north_m = phase_n - box.first_row * cell_m - self.origin[1]
        x = (box.first_col + np.arange(box.shape[1]) + 0.5) * cell_m + phase_e - self.origin[0]
        y = phase_n - (box.first_row + np.arange(box.shape[0]) + 0.5) * cell_m - self.origin[1]
        self.x, self.y = (np.ascontiguousarray(a) for a in np.broadcast_arrays(x, y[:, None]))
        if offset_e is not None and offset_n is not None:
            self.x = self.x + np.nan_to_num(np.asarray(offset_e)[self.part])
            self.y = self.y + np.nan_to_num(np.asarray(offset_n)[self.part])
        first_row, first_col = self.planes.first_cell
        x0 = (box.first_col + first_col - col + 0.5) * cell_m + phase_e - self.origin[0]
        y0 = phase_n - (box.first_row + first_row - row + 0.5) * cell_m - self.origin[1]
        east, north = self.planes.slope_east, self.planes.slope_north
        base_m = self.planes.elevation_at_first_cell_m - east * x0 - north * y0
        self.equations = np.stack([east, north, base_m], axis=1)

    def _continue_planes(self, on_centres: bool) -> None:
        """Planes continued beyond the walls as far as heights show them, and all around."""
        slope = np.hypot(self.planes.slope_east, self.planes.slope_north)
        self.tolerance_m = LEAST_TOLERANCE_M + NOISE_FACTOR * self.planes.rmse_m
        if on_centres:  # what a cell says of its centre may come from anywhere in it
            self.tolerance_m = self.tolerance_m + 0.5 * self.cell_m * slope
        self.labels = np.ascontiguousarray(self.found, dtype=np.int32).copy()
        may_join = self.is_outside & self.free & np.isfinite(self.z)
        continue_planes(
            self.z, self.x, self.y, self.labels, may_join, self.equations, self.tolerance_m
        )
        self.nearest = np.where(self.labels > 0, self.labels, np.int32(-1))
        extend_labels(self.nearest)

    def party_walls(self) -> np.ndarray:
        """Sides along which another footprint begins at once, (n_side,)."""
        near = (self.side >= 0) & self.is_outside & (self.out_m <= max(self.cell_m, 0.5))
        n_near = np.bincount(self.side[near], minlength=len(self.sides))
        n_taken = np.bincount(self.side[near & ~self.free], minlength=len(self.sides))
        return n_taken > PARTY_SHARE * n_near

    def taken(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Side, distance along and distance out of the cells outside that others own."""
        taken = self.is_outside & ~self.free
        return self.side[taken], self.along_m[taken], self.out_m[taken]

    def depths(self, max_overhang_m: float) -> np.ndarray:
        """Depth of the overhang at each side, NaN where it is not seen; (n_side,). [m]"""
        usable = np.isfinite(self.z) & (self.free | ~self.is_outside)
        n_side = len(self.sides)
        ground_m = ground_levels(self.z, self.side, self.out_m, usable, n_side, GROUND_SHARE)
        shows = classify_samples(
            self.z, self.x, self.y, self.side, self.out_m, usable, self.labels, self.nearest,
            self.equations, self.tolerance_m, ground_m, MIN_HEIGHT_M,
        )  # fmt: skip
        rows, cols = np.nonzero((shows != UNKNOWN) & (self.out_m > -3.0 * self.cell_m))
        out_m = np.round(self.out_m[rows, cols], 6)
        order = np.lexsort((out_m, self.side[rows, cols]))
        rows, cols, out_m = rows[order], cols[order], out_m[order]
        first = np.searchsorted(self.side[rows, cols], np.arange(n_side + 1))
        depth_m, half_width_m, wrong_share, seen_share = step_depths(
            first, self.along_m[rows, cols], out_m, shows[rows, cols] == ROOF,
            self.sides.length_m, max(2.0 * self.cell_m, 0.5), max(2.5 * self.cell_m, 0.6),
        )  # fmt: skip
        seen = (
            (half_width_m <= MAX_HALF_WIDTH_M)
            & (wrong_share <= MAX_WRONG_SHARE)
            & (seen_share >= MIN_SEEN_SHARE)
            & (depth_m <= max_overhang_m)
            & (self.sides.length_m >= SHORT_CELLS * self.cell_m)
        )
        depth_m = np.where(depth_m < MIN_DEPTH_M, 0.0, np.round(depth_m, 3))
        return np.where(seen, depth_m, np.nan)

    def continued_labels(self, outline) -> np.ndarray:
        """Labels of the building with those of the ring between footprint and outline."""
        labels = self.planes.labels.astype(np.int32)
        in_ring = self.is_outside & self.free & cells_inside(outline, self.box)
        labels[self.part] = np.where(in_ring & (self.found == 0), self.nearest, self.found)
        return labels


def _like_neighbours(sides: Sides, depth_m, is_party, short_m) -> np.ndarray:
    """Short sides take the mean depth of seen neighbours, at most two away, that are like them."""
    filled = depth_m.copy()
    along, outwards, preceding = sides.along, sides.outwards, sides.preceding
    middle = 0.5 * (sides.start + sides.end)
    for i in np.flatnonzero((sides.length_m < short_m) & ~is_party):
        depths_m = []
        for step in (preceding, sides.following):
            j = i
            for _ in range(2):
                j = step[j]
                off_m = abs((middle[j] - middle[i]) @ outwards[i])
                is_like = along[i] @ along[j] > LIKE_COSINE and off_m < SAME_LINE_M
                if is_like and np.isfinite(depth_m[j]):
                    depths_m.append(depth_m[j])
                    break
        if depths_m:
            filled[i] = round(float(np.mean(depths_m)), 3)
    return filled
