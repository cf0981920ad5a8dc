"""Heights of a roof over its own planes, continued beneath what stands on them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.grid import Grid
from solarkataster.kernels.plane_labels import extend_labels
from solarkataster.kernels.superstructures import climb_walls, settle_border, wall_feet
from solarkataster.roofs.planes import RoofPlanes
from solarkataster.roofs.relations import Relation

#: What stands astride a ridge or valley reaches this far into each of its slopes. [m]
NEAR_RIDGE_M = 1.5

#: A wall of this height makes strips at its foot, so wide: points on its wall, eaves. [m]
MIN_STEP_M, FOOT_M = 0.5, 0.5

#: What is higher than this over a roof beside it is no part of it. [m]
BESIDE_M = 0.3


@dataclass(frozen=True, eq=False)
class RoofHeights:
    """
    Heights of one roof over its planes, cut to its box; (ny, nx) arrays unless said otherwise.

    Attributes
    ----------
    x_m, y_m, z_m : ndarray
        Where every height was measured, from the building's first cell and a whole metre. [m]
    measured, inside, on_edge : ndarray of bool
        With a height; in the outline of the roof; inside, but beside a cell that is not.
    filled, host, group : ndarray of int32
        Label continued over gaps; plane of the roof proper under the cell; superstructure that is a
        plane of its own (0: none).
    rise_m : ndarray
        Height over the host, from the nearest height where none was measured. [m]
    planes : RoofPlanes
    grid : Grid
    origin_m : tuple of float
        Coordinates of x = y = 0. [m]
    base_m : float
        Elevation of z = 0. [m]
    outline : Polygon or MultiPolygon
        Of the roof, from the origin. [m]
    wall_rad : float
        Direction of the walls, counter-clockwise from east, in the first quarter. [rad]
    """

    x_m: np.ndarray
    y_m: np.ndarray
    z_m: np.ndarray
    measured: np.ndarray
    inside: np.ndarray
    on_edge: np.ndarray
    filled: np.ndarray
    host: np.ndarray
    group: np.ndarray
    rise_m: np.ndarray
    planes: RoofPlanes
    grid: Grid
    origin_m: tuple[float, float]
    base_m: float
    outline: shapely.Geometry
    wall_rad: float

    @property
    def cell_size_m(self) -> float:
        return self.planes.cell_size_m

    def plane_m(self, label) -> np.ndarray:
        """Height of the (extended) plane, one label for all or one per cell. [m]"""
        i = np.asarray(label) - 1
        return (
            (self.planes.elevation_at_first_cell_m[i] - self.base_m)
            + self.planes.slope_east[i] * self.x_m
            + self.planes.slope_north[i] * self.y_m
        )

    def plane_at(self, label: int, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
        """Height of one (extended) plane at some cells. [m]"""
        return (
            (self.planes.elevation_at_first_cell_m[label - 1] - self.base_m)
            + self.planes.slope_east[label - 1] * self.x_m[rows, cols]
            + self.planes.slope_north[label - 1] * self.y_m[rows, cols]
        )

    @classmethod
    def cut(
        cls, planes: RoofPlanes, labels, elevation_m, roof_outline, grid: Grid,
        relation: Relation, offset_east_m, offset_north_m,
    ) -> RoofHeights:  # fmt: skip
        """Cut the box of the roof out of the window and measure its heights over the planes."""
        size = planes.cell_size_m
        row, col, box = _box_of(labels, roof_outline, grid)
        part = np.s_[row : row + box.shape[0], col : col + box.shape[1]]
        first_row, first_col = planes.first_cell
        x_m = np.tile((np.arange(box.shape[1]) + (col - first_col)) * size, (box.shape[0], 1))
        y_m = np.tile((first_row - row - np.arange(box.shape[0]))[:, None] * size, box.shape[1])
        if offset_east_m is not None:
            x_m = x_m + np.nan_to_num(np.asarray(offset_east_m, dtype=np.float64)[part])
        if offset_north_m is not None:
            y_m = y_m + np.nan_to_num(np.asarray(offset_north_m, dtype=np.float64)[part])
        # Rounded to micrometres, so that the window a building comes in changes no bit.
        origin_m = (
            round(grid.west_m + (first_col + 0.5) * size, 6),
            round(grid.north_m - (first_row + 0.5) * size, 6),
        )
        outline = shapely.transform(roof_outline, lambda xy: xy - np.array(origin_m))
        shapely.prepare(outline)
        inside = shapely.contains_xy(outline, x_m, y_m)
        base_m = math.floor(planes.elevation_at_first_cell_m.min())
        z_m = np.asarray(elevation_m[part], dtype=np.float64) - base_m
        is_main = np.zeros(len(planes) + 1, dtype=bool)
        is_main[relation.main] = True
        host = np.where(is_main[labels[part]], labels[part], -1).astype(np.int32)
        extend_labels(host)
        own_host = relation.host[labels[part]]
        host = np.where(own_host > 0, own_host, host)
        roof = cls(
            x_m, y_m, z_m, np.isfinite(z_m), inside, inside & ~ndimage.binary_erosion(inside),
            relation.filled[part], host, relation.group[labels[part]], np.zeros_like(z_m), planes,
            box, origin_m, base_m, outline, _wall_direction(outline),
        )  # fmt: skip
        roof._settle_hosts(is_main[labels[part]], relation)
        climb_walls(
            roof.host, labels[part] > 0, roof.z_m, roof.x_m, roof.y_m, roof._equations(),
            _may_rise(relation), MIN_STEP_M, BESIDE_M,
        )  # fmt: skip
        roof._measure_rise()
        return roof

    def _settle_hosts(self, is_known: np.ndarray, relation: Relation) -> None:
        """
        Along a ridge the lower of its planes is below a cell, along a valley the upper one.

        The nearest plane is not enough: under a chimney astride a ridge the plane from the other
        side rises on, may even meet the top and take its cells. So near a ridge labels do not
        count; near a valley only cells without one are asked, since beyond its end the planes go
        on over each other.
        """
        host, n_labels = self.host, len(self.planes) + 1
        n_cells = max(1, round(NEAR_RIDGE_M / self.cell_size_m))
        keys = []
        for a, b in ((host[:, 1:], host[:, :-1]), (host[1:], host[:-1])):
            meets = a != b
            keys.append(np.minimum(a, b)[meets] * n_labels + np.maximum(a, b)[meets])
        label = np.where(is_known, host, 0).ravel()
        count = np.maximum(np.bincount(label, minlength=n_labels), 1)
        middle_x_m, middle_y_m = (
            np.bincount(label, weights=place.ravel(), minlength=n_labels) / count
            for place in (self.x_m, self.y_m)
        )
        nowhere = np.zeros(host.shape, dtype=bool)
        for key in np.unique(np.concatenate(keys)).tolist():
            a, b = divmod(key, n_labels)
            if not relation.meet(a, b):
                continue
            east, north, level_m = self._difference(a, b)
            over_a, over_b = (
                east * middle_x_m[k] + north * middle_y_m[k] + level_m for k in (a, b)
            )
            if over_a * over_b >= 0.0:
                continue  # planes that meet elsewhere
            if over_a > 0.0:  # a valley: the upper plane counts
                east, north, level_m = -east, -north, -level_m
            fixed = nowhere if over_a < 0.0 else is_known
            settle_border(host, fixed, self.x_m, self.y_m, a, b, east, north, level_m, n_cells)

    def _difference(self, a: int, b: int) -> tuple[float, float, float]:
        """Plane ``a`` less ``b``: rise to the east and north [–] and height at the origin [m]."""
        planes = self.planes
        return (
            float(planes.slope_east[a - 1] - planes.slope_east[b - 1]),
            float(planes.slope_north[a - 1] - planes.slope_north[b - 1]),
            float(
                planes.elevation_at_first_cell_m[a - 1] - planes.elevation_at_first_cell_m[b - 1]
            ),
        )

    def wall_feet(self, relation: Relation) -> np.ndarray:
        """Cells that see part of the wall, or the eaves, of a higher plane: (ny, nx) bool."""
        return wall_feet(
            self.host, self.z_m, self.x_m, self.y_m, self._equations(), _may_rise(relation),
            max(1, round(FOOT_M / self.cell_size_m)), MIN_STEP_M, BESIDE_M,
        )  # fmt: skip

    def _equations(self) -> np.ndarray:
        """Height at the origin and rise to the east and north by label, (n_plane + 1, 3)."""
        planes = self.planes
        base_m = planes.elevation_at_first_cell_m - self.base_m
        equations = np.zeros((len(planes) + 1, 3))
        equations[1:] = np.stack([base_m, planes.slope_east, planes.slope_north], axis=1)
        return equations

    def _measure_rise(self) -> None:
        self.rise_m[:] = self.z_m - self.plane_m(self.host)
        known = self.measured & self.inside
        if not (self.inside & ~self.measured).any():
            return
        if not known.any():
            self.rise_m[:] = 0.0
            return
        nearest = ndimage.distance_transform_edt(
            ~known, return_distances=False, return_indices=True
        )
        self.rise_m[:] = np.where(known, self.rise_m, self.rise_m[tuple(nearest)])


def _may_rise(relation: Relation) -> np.ndarray:
    """Pairs of planes of the roof proper (lower, higher) that a wall may stand between."""
    n_labels = len(relation.host)
    may_rise = np.zeros((n_labels, n_labels), dtype=bool)
    may_rise[np.ix_(relation.main, relation.main)] = True
    np.fill_diagonal(may_rise, False)
    for a, b in relation.borders:
        if relation.meet(a, b):
            may_rise[a, b] = False
    return may_rise


def _box_of(labels, roof_outline, grid: Grid) -> tuple[int, int, Grid]:
    """Box of the labels and the outline and one cell around, as far as the window reaches."""
    rows, cols = np.flatnonzero(labels.any(axis=1)), np.flatnonzero(labels.any(axis=0))
    crop = grid.crop(roof_outline.bounds)
    row, col = grid.offset_of(crop)
    row_end, col_end = row + crop.shape[0], col + crop.shape[1]
    row, col = max(0, min(row, rows[0]) - 1), max(0, min(col, cols[0]) - 1)
    row_end = min(grid.shape[0], max(row_end, rows[-1] + 1) + 1)
    col_end = min(grid.shape[1], max(col_end, cols[-1] + 1) + 1)
    return row, col, grid.window(row, col, row_end - row, col_end - col)


def outline_sides(outline) -> np.ndarray:
    """Straight sides of all rings: (n_side, 2, 2) as start/end × easting/northing. [m]"""
    rings = [
        ring for part in shapely.get_parts(outline) for ring in (part.exterior, *part.interiors)
    ]
    points = [np.asarray(ring.coords) for ring in rings]
    return np.concatenate([np.stack([xy[:-1], xy[1:]], axis=1) for xy in points])


def _wall_direction(outline) -> float:
    """Direction most of the outline's length agrees with, up to right angles. [rad]"""
    sides = outline_sides(outline)
    east, north = (sides[:, 1] - sides[:, 0]).T
    length = np.hypot(east, north)
    return float(np.angle(np.sum(length * np.exp(4j * np.arctan2(north, east)))) / 4.0)
