"""From the cells of a superstructure to its outline, its kind and its height."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.grid import Grid
from solarkataster.kernels.superstructures import fit_rectangle
from solarkataster.roofs.heights import RoofHeights
from solarkataster.roofs.outlines import plane_outlines

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

#: Smaller pieces of an outline are crumbs of clipping, smaller holes in it are drawn over. [m²]
CRUMB_M2, HOLE_M2 = 0.05, 1.0

#: Outlines in coordinates far from the origin are overlaid on a lattice this fine. [m]
SNAP_M = 1e-6

_AROUND = np.ones((3, 3), dtype=bool)

#: Steeper roofs carry dormers, others lift housings. [°]
PITCHED_TILT_DEG = 10.0

#: A lift housing is at least this high and large, and no larger than that. [m, m²]
LIFT_HEIGHT_M, LIFT_AREA_M2 = 1.5, (2.0, 60.0)

#: What stands out farther than this is no chimney or lift housing, but a crown or a mast. [m]
MAX_HEIGHT_M = 5.0

#: Tops rougher than this about a plane or a gable (median distance) are crowns or machines. [m]
ROUGH_M = 0.15


@dataclass
class Standing:
    """
    One superstructure while it is made.

    Attributes
    ----------
    cells, rest : ndarray of bool, shape (ny, nx)
        Its cells; cells beside a plane that belong to it.
    plane, kind, height_m, own
        As in :class:`solarkataster.roofs.superstructures.Superstructures`; kind may be "" for a
        while.
    first_cell : tuple of int
        Row and column of its first cell, for the order.
    outline : Polygon or MultiPolygon, optional
        Of the planes that are its roof. [m]
    polygons : list of Polygon
        The result, in the coordinates of the grid. [m]
    """

    cells: np.ndarray
    plane: int
    kind: str
    height_m: float
    first_cell: tuple[int, int]
    outline: shapely.Geometry | None = None
    rest: np.ndarray | None = None
    own: tuple[int, ...] = ()
    polygons: list[shapely.Polygon] = field(default_factory=list)


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
    """Polygons of a shape without crumbs and small holes; with ``roof``, moved to coordinates."""
    parts = polygons_of(shape if roof is None else moved(shape, roof.origin_m))
    return [
        shapely.Polygon(p.exterior, [r for r in p.interiors if shapely.Polygon(r).area > HOLE_M2])
        for p in parts
        if p.area > CRUMB_M2
    ]


def polygons_of(shape: shapely.Geometry) -> list[shapely.Polygon]:
    """The polygons of a shape; points and lines in it are dropped."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return [part for part in parts if part.geom_type == "Polygon"]


def moved(shape: shapely.Geometry, origin_m: tuple[float, float]) -> shapely.Geometry:
    """
    The polygons of a shape from the origin in the coordinates of the grid, valid.

    Rounded to micrometres, so that the window a building comes in changes no bit.
    """
    origin = np.array(origin_m)
    parts = shapely.transform(polygons_of(shape), lambda xy: np.round(xy + origin, 6))
    parts = [part if shapely.is_valid(part) else shapely.make_valid(part) for part in parts]
    parts = [piece for part in parts for piece in polygons_of(part)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


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
    if standing.height_m > MAX_HEIGHT_M or _is_from_outside(cells, roof):
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
