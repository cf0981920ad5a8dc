"""Stage 4: walls of a tile's buildings and the receivers on them."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.facades.city_walls import lod2_walls
from solarkataster.facades.receivers import (
    WallReceivers,
    clear_of_surface,
    flat_roof_sides,
    wall_receivers,
)
from solarkataster.facades.surface import wall_surface
from solarkataster.facades.walls import Walls, building_walls
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.roofs.model import RoofModel
from solarkataster.stages.citymodels import city_buildings
from solarkataster.stages.facade_points import joined_facades
from solarkataster.stages.job import TileFacades, TileJob, TileRoofs, TileScene
from solarkataster.surface import Surface

log = logging.getLogger(__name__)

#: What is missing so near to a wall changes its light, or frees it of a neighbour. [m]
GAP_NEAR_M = 10.0
#: Smaller shares of cells without height are not worth a remark. [–]
_LEAST_GAP = 0.01


@dataclass(frozen=True)
class BuildingWalls:
    """What is known of the walls of one building."""

    walls: Walls
    points: WallReceivers
    depth_m: np.ndarray
    source: tuple[str, ...]
    marks: tuple[str, ...] = ()


def facades_stage(
    job: TileJob, surface: Surface, roofs: TileRoofs, scene: TileScene
) -> TileFacades | None:
    """
    Find the walls of every building of the tile; None if the config wants no walls.

    A building that fails is named with its reason; the others go on.
    """
    if not job.config.walls.enabled:
        return None
    tile = _Tile(job, surface, roofs, scene)
    found: list[BuildingWalls | None] = []
    failed: list[tuple[int, str]] = []
    for i, building_id in enumerate(job.building_ids):
        try:
            found.append(tile.look_at(i))
        except Exception as error:
            reason = f"walls failed: {type(error).__name__}: {error}".splitlines()[0]
            log.error("building %s: %s", building_id, reason)
            log.debug("building %s", building_id, exc_info=True)
            failed.append((i, reason))
            found.append(None)
    return joined_facades(job, found, tile.surface_m, tuple(failed))


class _Tile:
    """What the walls of a tile look at, and where their eaves are known from."""

    def __init__(self, job: TileJob, surface: Surface, roofs: TileRoofs, scene: TileScene) -> None:
        self.job, self.terrain_m, self.roofs = job, surface.terrain_m, roofs
        self.solid_m, self.is_gap = scene.solid_m, surface.is_gap
        self.near = shapely.STRtree(job.neighbours)
        self.city = city_buildings(job)
        self.seen_in = "surface" if job.points is None else "points"
        self.surface_m = scene.solid_m
        if min(job.window.shape) > 0:
            self.surface_m = wall_surface(
                scene.solid_m,
                surface.terrain_m,
                scene.building,
                job.window.cell_size_m,
                reach_m=job.config.roofs.max_overhang_m,
            )

    def look_at(self, i: int) -> BuildingWalls | None:
        """Walls of one building; None without an outline on the raster."""
        job, footprint, settings = self.job, self.job.footprints[i], self.job.config.walls
        if footprint is None or footprint.is_empty or min(job.window.shape) == 0:
            return None
        model = self.roofs.models[i]
        reach_m = max(1.0, 2.0 * job.window.cell_size_m) + settings.gap_m
        near = job.neighbours[self.near.query(footprint, "dwithin", reach_m)]
        what = footprint, model, job.window, self.solid_m, self.terrain_m, near
        marks: tuple[str, ...] = ()
        if i in self.city:
            city = lod2_walls(self.city[i].surfaces, *what, gap_m=settings.gap_m)
            walls, marks = city.walls, (*self.city[i].marks, *city.marks)
        else:
            walls = building_walls(*what, gap_m=settings.gap_m)
        depth_m, source = self._depths(model, walls)
        points = wall_receivers(
            walls, job.window, depth_m=depth_m, along_m=settings.along_m, up_m=settings.up_m,
            storey_height_m=settings.storey_height_m,
        )  # fmt: skip
        points = clear_of_surface(
            points, walls, footprint, job.window, self.surface_m, self.terrain_m
        )
        marks += gap_marks(footprint, job.window, self.is_gap, job.config.horizon.reach_m)
        return BuildingWalls(walls, points, depth_m, source, marks)

    def _depths(self, model: RoofModel | None, walls: Walls) -> tuple[np.ndarray, tuple[str, ...]]:
        """Depth of the eaves over each side, from the setting where it is not seen. [m]"""
        flat = flat_roof_sides(walls)
        assumed_m = np.where(flat, 0.0, self.job.config.walls.eaves_depth_m)
        if model is None or model.overhang is None:
            return assumed_m, ("config",) * len(flat)
        side = model.overhang
        named = {"seen": self.seen_in, "none": "config"}
        source = tuple(named.get(one, one) for one in side.source)
        known = np.isfinite(side.depth_m)
        source = tuple(
            one if is_known else "config" for one, is_known in zip(source, known, strict=True)
        )
        return np.where(known, side.depth_m, assumed_m), source


def gap_marks(
    footprint: shapely.Geometry, window: Grid, is_gap: np.ndarray, reach_m: float
) -> tuple[str, ...]:
    """
    A remark on a building around which the surface model has gaps, where the terrain is taken.

    Parameters
    ----------
    footprint : shapely geometry
    window : Grid
    is_gap : ndarray of bool, shape (ny, nx)
        Cells of the window without height.
    reach_m : float
        The window holds all that is so near. [m]
    """
    if not is_gap.any():
        return ()
    near_m = min(GAP_NEAR_M, reach_m)
    around = shapely.buffer(footprint, near_m, quad_segs=4)
    part = window.crop(around.bounds)
    row, col = window.offset_of(part)
    gaps = is_gap[row : row + part.shape[0], col : col + part.shape[1]]
    if not gaps.any():
        return ()
    beside = cells_inside(around, part) & ~cells_inside(footprint, part)
    share = gaps[beside].mean() if beside.any() else 0.0
    if share < _LEAST_GAP:
        return ()
    return (
        f"surface model has no data on {share:.0%} of the {near_m:g} m around: what stands there "
        "is not seen",
    )
