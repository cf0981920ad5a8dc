"""From the cells of a superstructure to its outline, its kind and its height."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.grid import Grid
from solarkataster.kernels.plane_labels import extend_labels
from solarkataster.kernels.superstructures import fit_rectangle, near_border
from solarkataster.outlines import plane_outlines
from solarkataster.plane_relations import Relation
from solarkataster.roofs import RoofPlanes

#: A rectangle is the outline if it gets at most this share of the cells of a part wrong (of crowns
#: and the like fewer); of fewer cells than this it always is. [–]
MAX_WRONG, MAX_WRONG_OTHER, FEW_CELLS = 0.2, 0.08, 7

#: The sides of a small part are at least this: the smallest usual chimney. [m]
MIN_SIDE_M = 0.6

#: Up to the smaller side a part is a chimney or a vent; up to the larger one on a level roof, and
#: on a slope if its top is level (median deviation) and its lowest cells, too, stand out by this
#: share of its height. [m, m, –]
CHIMNEY_SIDE_M, LEVEL_TOP_M, FREE_SHARE = (1.35, 2.0), 0.1, 0.5

#: A part whose neighbours beyond the edge of the roof stand out by this, too, comes from there. [m]
FROM_OUTSIDE_M = 0.5

#: What stands astride a ridge or valley reaches this far into each of its slopes. [m]
NEAR_RIDGE_M = 1.5

_AROUND = np.ones((3, 3), dtype=bool)

#: Steeper roofs carry dormers, others lift housings. [°]
PITCHED_TILT_DEG = 10.0

#: A lift housing is at least this high and large, and no larger than that. [m, m²]
LIFT_HEIGHT_M, LIFT_AREA_M2 = 1.5, (2.0, 60.0)

#: Tops rougher than this about a plane or a gable (median distance) are crowns or machines. [m]
ROUGH_M = 0.15


@dataclass
class Standing:
    """One superstructure while it is made; ``polygons`` in the coordinates of the grid."""

    cells: np.ndarray
    plane: int
    kind: str
    height_m: float
    first_cell: tuple[int, int]
    outline: shapely.Geometry | None = None
    rest: np.ndarray | None = None
    polygons: list[shapely.Polygon] = field(default_factory=list)


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
        for key in np.unique(np.concatenate(keys)).tolist():
            a, b = divmod(key, n_labels)
            if not relation.meet(a, b):
                continue
            on_a, on_b = host == a, host == b
            difference_m = self.plane_m(a) - self.plane_m(b)
            on_own = difference_m[on_a & is_known].sum(), difference_m[on_b & is_known].sum()
            if on_own[0] * on_own[1] >= 0.0:
                continue  # planes that meet elsewhere
            near = near_border(host, a, b, n_cells)
            is_ridge = on_own[0] < 0.0
            if not is_ridge:
                near &= ~is_known
            host[near] = np.where((difference_m < 0.0) == is_ridge, a, b)[near]

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


def described(cells: np.ndarray, roof: RoofHeights, kind: str = "") -> Standing:
    """Host, height and first cell of a superstructure; its kind if it is known already."""
    rows, cols = np.nonzero(cells)
    plane = int(np.bincount(roof.host[rows, cols]).argmax())
    measured = roof.measured[rows, cols]
    rise_m = roof.rise_m[rows[measured], cols[measured]]
    if rise_m.size == 0:
        rise_m = np.zeros(1)
    height_m = float(rise_m.min() if kind == "terrace" else rise_m.max())
    if kind == "group":
        kind = _kind_of_plane(height_m, roof.planes.surface_tilt[plane - 1])
    return Standing(cells, plane, kind, height_m, (int(rows[0]), int(cols[0])))


def _kind_of_plane(height_m: float, host_tilt_deg: float) -> str:
    if host_tilt_deg > PITCHED_TILT_DEG:
        return "dormer"
    return "lift housing" if height_m >= LIFT_HEIGHT_M else "other"


def shape_parts(found: list[Standing], roof: RoofHeights) -> None:
    """Give every part its outline, and its kind where none is known yet."""
    taken = np.zeros(roof.inside.shape, dtype=bool)
    for standing in found:
        taken |= standing.cells
    traced: list[tuple[Standing, np.ndarray]] = []
    for standing in found:
        if standing.polygons:
            continue
        if standing.outline is not None and standing.rest is None:
            standing.polygons = _pieces(standing.outline)
            continue
        cells = standing.cells if standing.rest is None else standing.cells | standing.rest
        rectangle, sides_m, share_wrong = _rectangle(cells, taken, standing.plane, roof)
        if not standing.kind:
            standing.kind = _kind_of(cells, standing, sides_m, roof)
        max_wrong = MAX_WRONG_OTHER if standing.kind == "other" else MAX_WRONG
        if share_wrong <= max_wrong or cells.sum() < FEW_CELLS:
            standing.polygons = _pieces(shapely.intersection(rectangle, roof.outline), roof)
        if not standing.polygons:
            traced.append((standing, cells))
    if not traced:
        return
    labels = np.zeros(roof.inside.shape, np.int32)
    for number, (_, cells) in enumerate(traced, start=1):
        labels[cells] = number
    # From the origin, with the grid's corner there too.
    west_m, north_m = roof.grid.west_m - roof.origin_m[0], roof.grid.north_m - roof.origin_m[1]
    local = Grid(roof.grid.shape, round(west_m, 6), round(north_m, 6), roof.cell_size_m, "")
    for (standing, _), shape in zip(
        traced, plane_outlines(labels, roof.outline, local), strict=True
    ):
        standing.polygons = _pieces(shape, roof)


def _pieces(shape: shapely.Geometry, roof: RoofHeights | None = None) -> list[shapely.Polygon]:
    """Polygons of a shape without crumbs; with ``roof``, moved from its origin to coordinates."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 0.05]
    if roof is not None:
        origin_m = np.array(roof.origin_m)
        parts = [shapely.transform(p, lambda xy: np.round(xy + origin_m, 6)) for p in parts]
    return [shapely.Polygon(p.exterior) for p in parts]


def _rectangle(
    cells: np.ndarray, taken: np.ndarray, plane: int, roof: RoofHeights
) -> tuple[shapely.Polygon, tuple[float, float], float]:
    """
    Best rectangle of a part from the origin, its sides [m] and the share of cells it gets wrong.

    Along the level line of the host or along the walls, whichever gets fewer cells wrong.
    """
    rows, cols = np.nonzero(cells)
    window = np.s_[max(0, rows.min() - 2) : rows.max() + 3, max(0, cols.min() - 2) : cols.max() + 3]
    counts = roof.measured[window] & roof.inside[window] & (cells[window] | ~taken[window])
    x_m, y_m, member = roof.x_m[window][counts], roof.y_m[window][counts], cells[window][counts]
    directions_rad = [roof.wall_rad]
    azimuth = roof.planes.grid_azimuth[plane - 1]
    if math.isfinite(azimuth) and roof.planes.surface_tilt[plane - 1] > PITCHED_TILT_DEG:
        directions_rad.insert(0, -math.radians(azimuth))  # along the level line
    best = None
    for direction_rad in directions_rad:
        cos, sin = math.cos(direction_rad), math.sin(direction_rad)
        *edges, n_wrong = fit_rectangle(
            x_m * cos + y_m * sin, y_m * cos - x_m * sin, member, 0.5 * roof.cell_size_m, 4
        )
        if best is None or n_wrong < best[0]:
            best = n_wrong, cos, sin, edges
    assert best is not None
    n_wrong, cos, sin, (low, high, across_low, across_high) = best
    low, high = _widened(low, high, roof.cell_size_m)
    across_low, across_high = _widened(across_low, across_high, roof.cell_size_m)
    corners = [(low, across_low), (high, across_low), (high, across_high), (low, across_high)]
    rectangle = shapely.Polygon([(a * cos - b * sin, a * sin + b * cos) for a, b in corners])
    return rectangle, (high - low, across_high - across_low), n_wrong / max(1, int(member.sum()))


def _widened(low: float, high: float, cell_size_m: float) -> tuple[float, float]:
    """Edges at least a chimney's width apart, as far as the cells around allow it."""
    side = min(MIN_SIDE_M, 1.8 * cell_size_m)
    if high - low >= side:
        return low, high
    middle = 0.5 * (low + high)
    return middle - 0.5 * side, middle + 0.5 * side


def _kind_of(
    cells: np.ndarray, standing: Standing, sides_m: tuple[float, float], roof: RoofHeights
) -> str:
    """Kind of a part that is no plane of its own, from its size, height and roughness."""
    area_m2 = int(cells.sum()) * roof.cell_size_m**2
    known = cells & roof.measured
    is_pitched = roof.planes.surface_tilt[standing.plane - 1] > PITCHED_TILT_DEG
    if _is_from_outside(cells, roof):
        return "other"
    # A dormer's roof meets the roof behind it, a chimney stands free of it on all sides.
    rise_m = np.sort(roof.rise_m[known])
    lowest_m = float(rise_m[(rise_m.size - 1) // 10])
    is_free = lowest_m > FREE_SHARE * standing.height_m
    x_m, y_m, z_m = roof.x_m[known], roof.y_m[known], roof.z_m[known]
    is_stack = is_free and float(np.median(np.abs(z_m - np.median(z_m)))) < LEVEL_TOP_M
    if max(sides_m) <= CHIMNEY_SIDE_M[not is_pitched or is_stack]:
        return "chimney"
    if _roughness(x_m, y_m, z_m, roof.wall_rad) > ROUGH_M:
        return "other"
    if not is_pitched:
        is_lift = LIFT_AREA_M2[0] <= area_m2 <= LIFT_AREA_M2[1]
        return "lift housing" if is_lift and standing.height_m >= LIFT_HEIGHT_M else "other"
    if is_free and lowest_m > 1.0:
        return "lift housing"
    return "dormer"


def _is_from_outside(cells: np.ndarray, roof: RoofHeights) -> bool:
    """Whether a part goes on beyond the edge of the roof: a crown, a neighbour's wall."""
    beyond = ndimage.binary_dilation(cells, _AROUND) & ~roof.inside & roof.measured
    if not beyond.any():
        return False
    return bool(np.mean(roof.rise_m[beyond] > FROM_OUTSIDE_M) > 0.5)


def _roughness(x_m, y_m, z_m, wall_rad: float) -> float:
    """Median distance of heights from their plane, or their gable along or across the walls. [m]"""
    x_m, y_m = x_m - x_m.mean(), y_m - y_m.mean()
    cos, sin = math.cos(wall_rad), math.sin(wall_rad)
    along_m, across_m = x_m * cos + y_m * sin, y_m * cos - x_m * sin
    terms = [np.ones_like(x_m), x_m, y_m]
    roughest = math.inf
    for folded in (
        (),
        (np.abs(along_m - np.median(along_m)),),
        (np.abs(across_m - np.median(across_m)),),
    ):
        design = np.stack([*terms, *folded], axis=1)
        if len(z_m) <= design.shape[1]:
            return 0.0
        solution, *_ = np.linalg.lstsq(design, z_m, rcond=None)
        roughest = min(roughest, float(np.median(np.abs(z_m - design @ solution))))
    return roughest
