"""The roof of one building, from heights to planes with outlines and what stands on them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.points import LatticeHeights
from solarkataster.roofs.lower_parts import lower_parts
from solarkataster.roofs.outlines import plane_outlines
from solarkataster.roofs.overhang import Overhang, heights_reach_m, roof_overhang
from solarkataster.roofs.planes import RoofPlanes, building_height, find_roof_planes, plane_heights
from solarkataster.roofs.superstructures import Superstructures, find_superstructures, plane_kinds

#: A surface lower than this over the terrain is no roof: a garden in a coarse footprint, or a
#: building that is newer than the flight. Under the eaves of the lowest sheds. [m]
MIN_ROOF_HEIGHT_M = 1.0

#: Parts of the roof up to this size that belong to no plane (chimneys, crowns) are drawn as part of
#: the plane around them: the roof goes on beneath. Larger ones stay open, and are told. [m²]
FILLED_AREA_M2 = 10.0

#: Fewer cells than this cannot show a plane, whatever their heights.
_CELLS_OF_A_PLANE = 9

_NOTHING_STANDS = (
    f"surface model shows nothing higher than {MIN_ROOF_HEIGHT_M:g} m above the terrain"
)


@dataclass(frozen=True, eq=False)
class Heights:
    """
    Heights of a building and its surroundings, at most one a cell.

    Parameters
    ----------
    grid : Grid
    elevation_m : ndarray, shape (ny, nx)
        NaN where nothing was measured. [m]
    terrain_m : ndarray, shape (ny, nx)
        Terrain in the same cells; NaN if unknown. [m]
    offset_east_m, offset_north_m : ndarray, shape (ny, nx), or None
        Where in its cell a height was measured; None for cell centres. [m]
    per_m2 : float
        Heights measured per area of the footprint. [m⁻²]
    """

    grid: Grid
    elevation_m: np.ndarray
    terrain_m: np.ndarray
    offset_east_m: np.ndarray | None
    offset_north_m: np.ndarray | None
    per_m2: float

    @classmethod
    def of_raster(cls, grid: Grid, elevation_m: np.ndarray, terrain_m: np.ndarray) -> Heights:
        """Cells of a surface model."""
        return cls(grid, elevation_m, terrain_m, None, None, grid.cell_size_m**-2)

    @classmethod
    def of_points(cls, lattice: LatticeHeights, terrain_m: np.ndarray) -> Heights:
        """Laser points on their lattice, with the terrain in its cells."""
        return cls(
            lattice.grid,
            lattice.elevation_m,
            terrain_m,
            lattice.offset_east_m,
            lattice.offset_north_m,
            lattice.density_per_m2,
        )

    @property
    def is_void(self) -> np.ndarray:
        """Cells nothing is known of; between laser points a neighbour's height will do."""
        void = np.isnan(self.elevation_m)
        if self.offset_east_m is None:
            return void
        return ndimage.binary_erosion(void, np.ones((3, 3)), border_value=1)


@dataclass(frozen=True, eq=False)
class RoofModel:
    """
    The roof of one building.

    Parameters
    ----------
    grid : Grid
        Cells of the labels.
    planes : RoofPlanes
        Their labels reach as far as the roof does.
    outlines : tuple of shapely geometry, length n_plane
    kinds : tuple of str, length n_plane
        ``roof`` or ``dormer``.
    outline : shapely geometry
        Outline of the whole roof: footprint and overhangs.
    overhang : Overhang or None
        None if it was not looked for.
    superstructures : Superstructures
    no_data_fraction : ndarray, shape (n_plane,)
        Share of the plane's cells nothing was measured in. [–]
    height_m : float
        Highest point of the planes over the terrain. [m]
    open_fraction : float
        Share of the roof's outline that belongs to no plane; what lies off the heights does not
        count. [–]
    """

    grid: Grid
    planes: RoofPlanes
    outlines: tuple[shapely.Geometry, ...]
    kinds: tuple[str, ...]
    outline: shapely.Geometry
    overhang: Overhang | None
    superstructures: Superstructures
    no_data_fraction: np.ndarray
    height_m: float
    open_fraction: float


def roof_model(
    heights: Heights,
    footprint: shapely.Geometry,
    *,
    free: np.ndarray | None = None,
    min_plane_area_m2: float = 2.5,
    max_overhang_m: float = 1.5,
    superstructure_height_m: float = 0.3,
) -> RoofModel | str:
    """
    Planes of a roof, their outlines, and what stands out of them.

    Parameters
    ----------
    heights : Heights
        Reaching around the footprint as far as :func:`overhang.heights_reach_m` says.
    footprint : shapely geometry
        Valid outline of the walls, in the coordinates of the grid. [m]
    free : ndarray of bool, shape (ny, nx), optional
        Cells that lie in no other footprint; without it the roof ends at the footprint.
    min_plane_area_m2 : float
        Smallest plane. [m²]
    max_overhang_m : float
        Deepest overhang looked for. [m]
    superstructure_height_m : float
        What stands out farther than this is a superstructure. [m]

    Returns
    -------
    RoofModel, or str
        The text says why there is no roof.
    """
    grid, terrain_m = heights.grid, heights.terrain_m
    inside = cells_inside(footprint, grid)
    places = {"offset_east_m": heights.offset_east_m, "offset_north_m": heights.offset_north_m}
    # Written as "not below" so that a cell or plane without terrain counts as a roof.
    is_low = heights.elevation_m - terrain_m < MIN_ROOF_HEIGHT_M
    if not (inside & np.isfinite(heights.elevation_m) & ~is_low).any():
        return _NOTHING_STANDS
    planes = find_roof_planes(
        heights.elevation_m, inside, grid.cell_size_m, min_plane_area_m2=min_plane_area_m2, **places
    )
    if len(planes) == 0:
        return _why_no_plane(int(inside.sum()), min_plane_area_m2)
    planes = selected(planes, ~(plane_heights(planes, terrain_m) < MIN_ROOF_HEIGHT_M))
    if len(planes) == 0:
        return _NOTHING_STANDS
    overhang, outline, labels = None, footprint, planes.labels
    if free is not None:
        overhang = roof_overhang(
            planes, heights.elevation_m, footprint, grid, free=free,
            max_overhang_m=max_overhang_m, **places,
        )  # fmt: skip
        outline, labels = overhang.outline, overhang.labels
    lower = lower_parts(planes, labels, heights.elevation_m, cells_inside(outline, grid), **places)
    labels = np.where(lower, 0, labels)
    outlines = np.array(
        plane_outlines(
            labels, outline, grid, planes=planes, min_hole_area_m2=FILLED_AREA_M2, open_cells=lower
        ),
        dtype=object,
    )
    # Cells whose centre is in the footprint; straightened, their outline may miss it.
    has_area = shapely.area(outlines) > 0.0
    if not has_area.any():
        return "roof planes found, but none with an area inside the footprint"
    planes = selected(replace(planes, labels=labels), has_area)
    drawn = tuple(outlines[has_area].tolist())
    return RoofModel(
        grid=grid,
        planes=planes,
        outlines=drawn,
        kinds=plane_kinds(planes, planes.labels, drawn, grid),
        outline=outline,
        overhang=overhang,
        superstructures=find_superstructures(
            planes, planes.labels, heights.elevation_m, drawn, outline, grid,
            min_height_m=superstructure_height_m, **places,
        ),
        no_data_fraction=_void_fractions(planes, heights.is_void),
        height_m=building_height(planes, terrain_m),
        open_fraction=1.0 - sum(part.area for part in drawn) / _area_on_m2(outline, grid),
    )  # fmt: skip


def lattice_margin_m(max_overhang_m: float) -> float:
    """
    How far around a footprint the lattice of its laser points reaches. [m]

    In full for 4 points/m² and more, whose cells are up to half a metre.
    """
    return heights_reach_m(max_overhang_m, cell_size_m=0.5) + 0.5


def _why_no_plane(n_cells: int, min_plane_area_m2: float) -> str:
    why = "surface too rough, as under trees"
    if n_cells < _CELLS_OF_A_PLANE:
        why = f"only {n_cells} cells of the surface model"
    return f"no roof plane of at least {min_plane_area_m2:g} m² found: {why}"


def selected(planes: RoofPlanes, keep: np.ndarray) -> RoofPlanes:
    """Some of the planes, numbered anew in the same order."""
    if keep.all():
        return planes
    number = np.concatenate([[0], np.where(keep, np.cumsum(keep), 0)]).astype(np.int32)
    return replace(
        planes,
        labels=number[planes.labels],
        slope_east=planes.slope_east[keep],
        slope_north=planes.slope_north[keep],
        elevation_at_first_cell_m=planes.elevation_at_first_cell_m[keep],
        rmse_m=planes.rmse_m[keep],
        surface_tilt=planes.surface_tilt[keep],
        grid_azimuth=planes.grid_azimuth[keep],
    )


def _area_on_m2(outline: shapely.Geometry, grid: Grid) -> float:
    """Area of an outline as far as there are cells; never below a cell's. [m²]"""
    on_grid = shapely.box(*grid.bounds)
    part = outline if shapely.covers(on_grid, outline) else outline.intersection(on_grid)
    return max(part.area, grid.cell_size_m**2)


def _void_fractions(planes: RoofPlanes, is_void: np.ndarray) -> np.ndarray:
    n_label = len(planes) + 1
    n_cells = np.bincount(planes.labels.ravel(), minlength=n_label)[1:]
    n_void = np.bincount(planes.labels[is_void], minlength=n_label)[1:]
    return n_void / np.maximum(n_cells, 1)


def plane_at(model: RoofModel, easting_m: float, northing_m: float) -> np.ndarray:
    """
    Height of each plane at points.

    Parameters
    ----------
    model : RoofModel
    easting_m, northing_m : float
        One place in the coordinates of the grid. [m]

    Returns
    -------
    elevation_m : ndarray, shape (n_plane,)
        [m]
    """
    row, col = model.planes.first_cell
    east_m = easting_m - (model.grid.west_m + (col + 0.5) * model.grid.cell_size_m)
    north_m = northing_m - (model.grid.north_m - (row + 0.5) * model.grid.cell_size_m)
    return (
        model.planes.elevation_at_first_cell_m
        + model.planes.slope_east * east_m
        + model.planes.slope_north * north_m
    )


def surface_labels(model: RoofModel, grid: Grid) -> np.ndarray:
    """
    Plane of every cell of a raster: where its light is collected.

    Parameters
    ----------
    model : RoofModel
    grid : Grid
        A window of the surface model around the building.

    Returns
    -------
    labels : ndarray of int32, shape (ny, nx)
        Plane of the outline that holds the cell's centre, 1 to n_plane; 0 off the roof and under
        superstructures. A plane too narrow for any centre gets the cell that holds a point of it.
    """
    labels = np.zeros(grid.shape, dtype=np.int32)
    for number, outline in enumerate(model.outlines, start=1):
        _paint(labels, outline, grid, number)
    seen = labels.copy()
    # A dormer with planes of its own hides all planes but these.
    above = model.superstructures
    for polygon, own in zip(above.polygon, above.own, strict=True):
        _clear(labels, polygon, grid, own)
    for number, outline in enumerate(model.outlines, start=1):
        if not (labels == number).any():
            _keep_one(labels, seen == number, outline, grid, number)
    return labels


def _paint(labels: np.ndarray, polygon: shapely.Geometry, grid: Grid, value: int) -> None:
    """Label the cells of a polygon."""
    part, cells = _under(labels, polygon, grid)
    part[cells] = value


def _clear(labels: np.ndarray, polygon: shapely.Geometry, grid: Grid, own: tuple[int, ...]) -> None:
    """Take the cells of a polygon from all planes but its own."""
    part, cells = _under(labels, polygon, grid)
    part[cells & ~np.isin(part, own)] = 0


def _under(
    labels: np.ndarray, polygon: shapely.Geometry, grid: Grid
) -> tuple[np.ndarray, np.ndarray]:
    """The labels of a polygon's bounds, as a view, and which of them lie in the polygon."""
    window = grid.crop(polygon.bounds)
    row, col = grid.offset_of(window)
    part = labels[row : row + window.shape[0], col : col + window.shape[1]]
    return part, cells_inside(polygon, window)


def _keep_one(labels, of_plane, outline, grid: Grid, number: int) -> None:
    """
    Leave a plane its cells if superstructures cover all of it, else give it one.

    That is the cell nearest to a point of it that is not the last one of another plane.
    """
    if of_plane.any():
        labels[of_plane] = number
        return
    point = shapely.point_on_surface(outline)
    row, col = grid.row_col(point.x, point.y)
    rows, cols = np.ogrid[: labels.shape[0], : labels.shape[1]]
    count = np.bincount(labels.ravel())
    count[0] = 2
    # Rounded, so that a window that moves the numbers by a last bit changes no choice.
    far = np.round((rows - row) ** 2 + (cols - col) ** 2, 6)
    labels.ravel()[np.argmin(np.where(count[labels] > 1, far, np.inf))] = number
