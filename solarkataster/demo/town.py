"""A made-up town with exact truth: buildings, trees, terrain and the rasters taken of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import shapely
import shapely.affinity

from solarkataster.citymodels import CitySurface
from solarkataster.demo.houses import erect
from solarkataster.demo.lod2 import lod2_of
from solarkataster.demo.overhang import TrueSide, sides_of, with_overhangs
from solarkataster.demo.planes import TruePlane, true_planes
from solarkataster.demo.raster import Faces, exact_surface, faces_of
from solarkataster.demo.roofshapes import NOT_PLANES, Building
from solarkataster.demo.rooftop import N_DRAWS
from solarkataster.demo.superstructures import TrueSuperstructure, true_superstructures
from solarkataster.demo.terrain import Terrain, smooth_terrain
from solarkataster.demo.towns import PLANS, Plan
from solarkataster.demo.trees import Tree, plant, plant_over_roofs
from solarkataster.errors import InputError
from solarkataster.grid import Grid

if TYPE_CHECKING:
    from solarkataster.demo.lod2_files import CityFormat
    from solarkataster.points import Points
    from solarkataster.receivers import Receivers

#: Classes of the laser points; see `laser.laser_points`.
Scheme = Literal["asprs", "rlp", "unclassified"]

#: Outer south-west corner, cell of the terrain model and coordinate system of the towns.
WEST_M, SOUTH_M, DTM_CELL_M, CRS = 410_000.0, 5_480_000.0, 1.0, "EPSG:25832"
#: Lowest ground, as in the Palatinate uplands the coordinates point to. [m]
LOWEST_GROUND_M = 231.0
TOWN_NAME = "Sonnfeld"
#: Between these lie the overhangs of the demo town, under that any. [m]
DEMO_OVERHANG_M, _MAX_OVERHANG_M = (0.0, 0.8), 1.5
#: Trees of the demo town, and the density other towns take from it. [–, 1/m²]
N_DEMO_TREES = 60
#: Public space ends so far from houses. [m]
_FROM_HOUSES_M = 0.5
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
    districts : dict of shapely geometry
        By name; none but in the demo town. [m]
    public_space : shapely geometry
        Streets and market without the houses; empty but in the demo town. [m]
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
    districts: dict[str, shapely.Geometry] = field(default_factory=dict)
    public_space: shapely.Geometry = field(default_factory=shapely.Polygon)

    @property
    def roof_mask(self) -> np.ndarray:
        """
        Cells whose top is a roof plane, overhang included; (ny, nx) bool.

        Dormers, lift housings and terraces count, chimneys and parapets do not.
        """
        is_roof = np.concatenate([[False], ~np.isin(self.faces.role, NOT_PLANES)])
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

    @cached_property
    def superstructures(self) -> list[TrueSuperstructure]:
        """What stands out of the roof planes or is sunk into them."""
        return true_superstructures(self.buildings)

    @cached_property
    def sides(self) -> list[TrueSide]:
        """The straight sides of the footprints with the roofs' overhang."""
        return sides_of(self.buildings)

    @cached_property
    def lod2(self) -> list[CitySurface]:
        """The LoD2 model: closed solids without overhangs and superstructures."""
        return lod2_of(self.buildings, self.terrain)

    def points(
        self, density_per_m2: float = 10.0, scheme: Scheme = "asprs", seed: int = 0
    ) -> Points:
        """Laser points of the town; see `laser.laser_points`."""
        from solarkataster.demo.laser import laser_points  # needed here only

        return laser_points(self, density_per_m2, scheme, seed)

    def exact_surface_m(self, grid: Grid | None = None) -> np.ndarray:
        """Exact surface without noise at the cell centres of any grid, float64. [m]"""
        return exact_surface(grid or self.grid, self.terrain, self.buildings, self.trees)[0]

    def write(
        self,
        folder: str | Path,
        points_per_m2: float | None = None,
        scheme: Scheme = "asprs",
        *,
        lod2: CityFormat | None = None,
        tree_cadastre: bool = False,
    ) -> Path:
        """Write the models as files a municipality would have; see `write.write_town`."""
        from solarkataster.demo.write import write_town  # opens rasterio and geopandas

        return write_town(
            self, Path(folder), points_per_m2, scheme, lod2=lod2, tree_cadastre=tree_cadastre
        )


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
    superstructures: bool = True,
    overhang_m: float | tuple[float, float] | None = None,
    n_trees: int | None = None,
    trees_over_roofs: int = 0,
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
    superstructures : bool
        Whether roofs carry lift housings, terraces and parapets.
    overhang_m : float or tuple of float, optional
        How far roofs reach beyond the walls, or the smallest and the largest depth between which
        each building draws one for its eaves and one for its verges; 0 at party walls, beside near
        neighbours and behind parapets. Up to 0.8 m in the demo town, elsewhere 0. [m]
    n_trees : int, optional
        60 in the demo town, elsewhere as many per area. They keep clear of the roofs.
    trees_over_roofs : int
        Further trees, with rough crowns that reach over the edge of a roof.
    rotation_deg : float
        Turns the town about its centre, counterclockwise; what leaves the square is cut. [°]
    west_m, south_m : float
        Outer corner of the grid. [m]
    crs : str

    Raises
    ------
    InputError
        If the kind is unknown, the size no multiple of the cell, the share out of reach, the
        overhang negative or too deep, or there is no room for the trees.
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
    depths_m = _depth_range_m(kind, overhang_m)
    buildings = _erect_all(plan, terrain, (west_m, south_m), size_m, rotation_rad, seed)
    buildings = with_overhangs(buildings, depths_m, np.random.default_rng([seed, 7]))
    if n_trees is None:
        n_trees = round(_TREES_PER_M2 * size_m**2)
    rng = np.random.default_rng([seed, 4])
    trees = plant(plan, terrain, buildings, (west_m, south_m), size_m, rotation_rad, rng, n_trees)
    if trees_over_roofs:
        bounds = west_m, south_m, west_m + size_m, south_m + size_m
        rng = np.random.default_rng([seed, 9])
        trees += plant_over_roofs(
            terrain, buildings, sides_of(buildings), trees, bounds, rng, trees_over_roofs
        )
    unwanted = {"dormer"} if not dormers else set()
    unwanted |= {"chimney"} if not chimneys else set()
    unwanted |= {"lift housing", "terrace", "parapet"} if not superstructures else set()
    buildings = _without(buildings, unwanted)
    town = _survey(
        kind, seed, size_m, cell_size_m, noise_m, west_m, south_m, crs, terrain, buildings, trees
    )
    return _with_places(town, plan, (west_m, south_m), size_m, rotation_rad)


def _with_places(town: Town, plan: Plan, origin_m, size_m, rotation_rad) -> Town:
    """The town with its districts and its public space, houses taken off."""
    houses = shapely.union_all([b.footprint.buffer(_FROM_HOUSES_M) for b in town.buildings])

    def placed(area: shapely.Geometry) -> shapely.Geometry:
        middle = size_m / 2, size_m / 2
        turned = shapely.affinity.rotate(area, rotation_rad, origin=middle, use_radians=True)
        return shapely.affinity.translate(turned, *origin_m)

    return replace(
        town,
        districts={name: placed(area) for name, area in plan.districts.items()},
        public_space=shapely.difference(placed(plan.public_space), houses),
    )


def _erect_all(plan: Plan, terrain, origin_m, size_m, rotation_rad, seed) -> list[Building]:
    """All buildings with everything their roofs could carry, ending at their walls."""
    plots = [plot.turned(rotation_rad, size_m / 2) for plot in plan.plots]
    x_m = np.array([plot.x_m for plot in plots])
    y_m = np.array([plot.y_m for plot in plots])
    ground_m = terrain.elevation_m(origin_m[0] + x_m, origin_m[1] + y_m)
    # A draw for each, wanted or not: a town without dormers keeps its chimneys where they were.
    draws = np.random.default_rng([seed, 3]).random((len(plots), 12))
    rooftop_draws = np.random.default_rng([seed, 8]).random((len(plots), N_DRAWS))
    return [
        erect(
            plot, f"DE-SONNFELD-{i + 1:05d}", origin_m, float(level_m), draws[i], rooftop_draws[i]
        )
        for i, (plot, level_m) in enumerate(zip(plots, ground_m, strict=True))
    ]


def _without(buildings: list[Building], roles: set[str]) -> list[Building]:
    """The buildings without parts of some roles."""
    if not roles:
        return buildings
    return [
        replace(b, parts=tuple(part for part in b.parts if part.role not in roles))
        for b in buildings
    ]


def _depth_range_m(kind: str, overhang_m) -> tuple[float, float]:
    """Smallest and largest overhang that were asked for, or are usual for a kind of town. [m]"""
    if overhang_m is None:
        return DEMO_OVERHANG_M if kind == "demo" else (0.0, 0.0)
    low_m, high_m = overhang_m if isinstance(overhang_m, tuple) else (overhang_m, overhang_m)
    if not 0.0 <= low_m <= high_m <= _MAX_OVERHANG_M:
        raise InputError(
            f"overhang_m = {overhang_m}",
            expected=f"a depth, or the smallest and the largest, from 0 to {_MAX_OVERHANG_M:g} m",
        )
    return float(low_m), float(high_m)


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
    Roof receivers on the exact planes, one per roof cell that no chimney, parapet or crown covers.

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
