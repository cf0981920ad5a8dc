"""A made-up town with exact truth: buildings, trees, terrain and the rasters taken of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from solarkataster.demo.houses import erect
from solarkataster.demo.planes import TruePlane, true_planes
from solarkataster.demo.raster import Faces, Tree, exact_surface, faces_of
from solarkataster.demo.roofshapes import Building
from solarkataster.demo.terrain import Terrain, smooth_terrain
from solarkataster.demo.towns import PLANS, Plan
from solarkataster.errors import InputError
from solarkataster.grid import Grid

if TYPE_CHECKING:
    from solarkataster.receivers import Receivers

#: Outer south-west corner, cell of the terrain model and coordinate system of the towns.
WEST_M, SOUTH_M, DTM_CELL_M, CRS = 410_000.0, 5_480_000.0, 1.0, "EPSG:25832"
#: Lowest ground, as in the Palatinate uplands the coordinates point to. [m]
LOWEST_GROUND_M = 231.0
TOWN_NAME = "Sonnfeld"
#: Trees of the demo town, and the density other towns take from it. [–, 1/m²]
N_DEMO_TREES = 60
_TREES_PER_M2 = N_DEMO_TREES / 400.0**2


@dataclass(frozen=True)
class Town:
    """
    A town and the models taken of it.

    Parameters
    ----------
    name, kind : str
    seed : int
    grid, dtm_grid : Grid
        Of the surface and of the terrain model.
    dsm_m : ndarray, shape (ny, nx), float32
        Exact surface at the cell centres plus noise. [m]
    dtm_m : ndarray, shape (ny_dtm, nx_dtm), float32
        Exact terrain at the cell centres. [m]
    noise_m : float
        Standard deviation of the noise. [m]
    terrain : Terrain
    buildings : list of Building
    trees : list of Tree
    faces : Faces
        Every plane of the town.
    face : ndarray, shape (ny, nx), int32
        1 + position in ``faces`` of the plane on top of a cell; 0 on ground and crowns.
    """

    name: str
    kind: str
    seed: int
    grid: Grid
    dtm_grid: Grid
    dsm_m: np.ndarray
    dtm_m: np.ndarray
    noise_m: float
    terrain: Terrain
    buildings: list[Building]
    trees: list[Tree]
    faces: Faces
    face: np.ndarray

    @property
    def roof_mask(self) -> np.ndarray:
        """Cells whose top is a roof plane, a dormer's included, a chimney's not; (ny, nx) bool."""
        is_roof = np.concatenate([[False], self.faces.role != "chimney"])
        return is_roof[self.face]

    @property
    def roof_share(self) -> float:
        """Share of the cells in `roof_mask`."""
        return float(self.roof_mask.mean())

    @property
    def building_index(self) -> np.ndarray:
        """1 + position in ``buildings`` of what is on top, 0 elsewhere; (ny, nx) int32."""
        return np.concatenate([[0], self.faces.building + 1]).astype(np.int32)[self.face]

    @cached_property
    def roof_planes(self) -> list[TruePlane]:
        """The true roof planes, outlines included."""
        return true_planes(self.buildings)

    def exact_surface_m(self, grid: Grid | None = None) -> np.ndarray:
        """Exact surface without noise at the cell centres of any grid, float64. [m]"""
        return exact_surface(grid or self.grid, self.terrain, self.buildings, self.trees)[0]

    def write(self, folder: str | Path) -> Path:
        """Write the models as files a municipality would have; see `write.write_town`."""
        from solarkataster.demo.write import write_town  # opens rasterio and geopandas

        return write_town(self, Path(folder))


def make_town(
    seed: int = 0,
    size_m: int = 400,
    *,
    kind: str = "demo",
    roof_share: float | None = None,
    cell_size_m: float = 0.5,
    noise_m: float = 0.03,
    relief_m: float = 15.0,
    dormers: bool = True,
    chimneys: bool = True,
    n_trees: int | None = None,
    rotation_deg: float = 0.0,
    west_m: float = WEST_M,
    south_m: float = SOUTH_M,
    crs: str = CRS,
) -> Town:
    """
    Make a town; the same arguments give the same town.

    Parameters
    ----------
    seed : int
        Of everything random: plots, roofs, terrain, trees and noise have streams of their own.
    size_m : int
        Edge of the square. The kind ``demo`` is drawn for 400. [m]
    kind : str
        ``demo``: the small town of the command of that name. ``builtup``: houses, rows and blocks.
        ``dense``: an old town with lanes of 3 to 6 m. ``courtyard``: closed blocks. ``tower``:
        houses round a 40 m tower.
    roof_share : float, optional
        Share of the area under roofs for ``builtup`` (0.2) and ``dense`` (0.45). [–]
    cell_size_m : float
        Of the surface model; the terrain model has 1 m. [m]
    noise_m : float
        Standard deviation of the surface model's noise. [m]
    relief_m : float
        Highest less lowest ground; 0 gives a level town. [m]
    dormers, chimneys : bool
        Whether roofs carry any.
    n_trees : int, optional
        60 in the demo town, elsewhere as many per area.
    rotation_deg : float
        Turns the town about its centre, counterclockwise; what leaves the square is cut. [°]
    west_m, south_m : float
        Outer corner of the grid. [m]
    crs : str

    Raises
    ------
    InputError
        If the kind is unknown, the size no multiple of the cell, or the share out of reach.
    """
    if kind not in PLANS:
        raise InputError(f"kind = {kind!r}", expected=f"one of {', '.join(PLANS)}")
    if size_m < 40 or abs(size_m / cell_size_m - round(size_m / cell_size_m)) > 1e-9:
        raise InputError(
            f"size_m = {size_m:g} with cell_size_m = {cell_size_m:g}",
            expected="at least 40 m and a whole number of cells",
        )
    plan = PLANS[kind](np.random.default_rng([seed, 1]), size_m, roof_share)
    rotation_rad = math.radians(rotation_deg)
    centre_m = west_m + size_m / 2, south_m + size_m / 2
    terrain = smooth_terrain(
        np.random.default_rng([seed, 2]), centre_m, size_m, relief_m, LOWEST_GROUND_M, rotation_rad
    )
    buildings = _erect_all(
        plan, terrain, (west_m, south_m), size_m, rotation_rad, seed, dormers, chimneys
    )
    if n_trees is None:
        n_trees = round(_TREES_PER_M2 * size_m**2)
    trees = _plant(plan, terrain, buildings, (west_m, south_m), size_m, rotation_rad, seed, n_trees)
    return _survey(
        kind, seed, size_m, cell_size_m, noise_m, west_m, south_m, crs, terrain, buildings, trees
    )


def _erect_all(plan, terrain, origin_m, size_m, rotation_rad, seed, dormers, chimneys):
    plots = [plot.turned(rotation_rad, size_m / 2) for plot in plan.plots]
    x_m = np.array([plot.x_m for plot in plots])
    y_m = np.array([plot.y_m for plot in plots])
    ground_m = terrain.elevation_m(origin_m[0] + x_m, origin_m[1] + y_m)
    rng = np.random.default_rng([seed, 3])
    return [
        erect(
            plot,
            f"DE-SONNFELD-{i + 1:05d}",
            origin_m,
            float(level_m),
            rng,
            dormers=dormers,
            chimneys=chimneys,
        )
        for i, (plot, level_m) in enumerate(zip(plots, ground_m, strict=True))
    ]


def _plant(plan: Plan, terrain, buildings, origin_m, size_m, rotation_rad, seed, n_trees):
    """Trees clear of the buildings, a third of them in the parks if there are any."""
    rng = np.random.default_rng([seed, 4])
    n_tries = 12 * n_trees + 50
    x_m, y_m = rng.uniform(4.0, size_m - 4.0, (2, n_tries))
    radius_m = np.round(rng.uniform(1.8, 4.5, n_tries), 1)
    height_m = np.round(radius_m * rng.uniform(2.2, 3.2, n_tries) + 1.5, 1)
    in_park = shapely.contains_xy(plan.parks, x_m, y_m)
    # Parks first, up to a third of the trees; then everywhere in the order of the draw.
    order = np.concatenate([np.flatnonzero(in_park)[: n_trees // 3], np.arange(n_tries)])
    order = order[np.sort(np.unique(order, return_index=True)[1])]
    east_m, north_m = _turned(x_m, y_m, size_m, rotation_rad, origin_m)
    points = shapely.points(east_m, north_m)
    roofs = shapely.STRtree([building.footprint for building in buildings])
    near = np.unique(roofs.query(points, "dwithin", radius_m + 0.6)[0])
    is_free = np.ones(n_tries, dtype=bool)
    is_free[near] = False
    ground_m = terrain.elevation_m(east_m, north_m)
    chosen: list[int] = []
    taken: dict[tuple[int, int], list[int]] = {}
    for k in order:
        if len(chosen) == n_trees:
            break
        if is_free[k] and _apart(k, x_m, y_m, radius_m, taken):
            chosen.append(int(k))
            taken.setdefault((int(x_m[k] // 10), int(y_m[k] // 10)), []).append(int(k))
    return [
        Tree(
            float(east_m[k]),
            float(north_m[k]),
            float(radius_m[k]),
            float(height_m[k]),
            float(ground_m[k]),
        )
        for k in sorted(chosen)
    ]


def _turned(x_m, y_m, size_m, rotation_rad, origin_m):
    cos, sin = math.cos(rotation_rad), math.sin(rotation_rad)
    dx_m, dy_m = x_m - size_m / 2, y_m - size_m / 2
    return (
        origin_m[0] + size_m / 2 + dx_m * cos - dy_m * sin,
        origin_m[1] + size_m / 2 + dx_m * sin + dy_m * cos,
    )


def _apart(k, x_m, y_m, radius_m, taken) -> bool:
    """Whether a crown keeps clear of those planted; two crowns reach 9 m, so 10 m bins do."""
    bin_x, bin_y = int(x_m[k] // 10), int(y_m[k] // 10)
    for i in (bin_x - 1, bin_x, bin_x + 1):
        for j in (bin_y - 1, bin_y, bin_y + 1):
            for other in taken.get((i, j), ()):
                distance_m = math.hypot(x_m[k] - x_m[other], y_m[k] - y_m[other])
                if distance_m < 0.9 * (radius_m[k] + radius_m[other]):
                    return False
    return True


def _survey(
    kind, seed, size_m, cell_size_m, noise_m, west_m, south_m, crs, terrain, buildings, trees
) -> Town:
    """Take the surface and terrain models of a built town."""
    n_cells, n_dtm = round(size_m / cell_size_m), round(size_m / DTM_CELL_M)
    grid = Grid((n_cells, n_cells), west_m, south_m + size_m, cell_size_m, crs)
    dtm_grid = Grid((n_dtm, n_dtm), west_m, south_m + size_m, DTM_CELL_M, crs)
    surface_m, face = exact_surface(grid, terrain, buildings, trees)
    if noise_m > 0.0:
        noise = np.random.default_rng([seed, 5]).standard_normal(grid.shape, dtype=np.float32)
        noise *= np.float32(noise_m)
        surface_m += noise
    ground_m, _ = exact_surface(dtm_grid, terrain, [], [])
    return Town(
        TOWN_NAME,
        kind,
        seed,
        grid,
        dtm_grid,
        surface_m.astype(np.float32),
        ground_m.astype(np.float32),
        noise_m,
        terrain,
        buildings,
        trees,
        faces_of(buildings, grid),
        face,
    )


def truth_receivers(town: Town, lift_m: float = 0.1) -> Receivers:
    """
    Roof receivers on the exact planes, one per roof cell that no chimney or crown covers.

    Parameters
    ----------
    town : Town
    lift_m : float
        Above the plane. [m]

    Returns
    -------
    Receivers
        In the window of the whole town; ``surface`` is the position in ``town.faces``.
    """
    from solarkataster.receivers import Receivers  # needed here only

    row, col = np.nonzero(town.roof_mask)
    surface = town.face[row, col] - 1
    faces, size_m = town.faces, town.grid.cell_size_m
    elevation_m = (
        faces.elevation_at_origin_m[surface]
        + size_m * (col * faces.slope_east[surface] - row * faces.slope_north[surface])
        + lift_m
    )
    return Receivers(
        row=row.astype(np.float64),
        col=col.astype(np.float64),
        elevation_m=elevation_m,
        surface=surface.astype(np.int32),
        surface_tilt=faces.surface_tilt,
        grid_azimuth=np.nan_to_num(faces.grid_azimuth),  # a level plane faces anywhere
    )
