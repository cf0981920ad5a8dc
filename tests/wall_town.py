"""Walls found in a made-up town, and the exact ones from its parts."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from solarkataster.demo import Building, Town
from solarkataster.demo.overhang import stretches
from solarkataster.facades.receivers import (
    WallReceivers,
    clear_of_surface,
    wall_receivers,
)
from solarkataster.facades.surface import wall_surface
from solarkataster.facades.walls import Walls, building_walls
from solarkataster.footprint_cells import building_cells, cells_inside, footprint_mask
from solarkataster.grid import Grid
from solarkataster.roofs.model import Heights, RoofModel, roof_model
from solarkataster.tiling import building_window

#: Neighbours up to this far hide a wall. [m]
GAP_M = 0.4


@dataclass(frozen=True)
class Found:
    """One building: window, roof, walls and their receivers."""

    building: Building
    window: Grid
    model: RoofModel | None
    walls: Walls
    receivers: WallReceivers


@dataclass(frozen=True)
class WallTown:
    """All walls of the buildings that stand whole on the raster."""

    town: Town
    found: list[Found]
    seconds: float

    @cached_property
    def terrain_m(self) -> np.ndarray:
        return terrain_of(self.town)

    @cached_property
    def surface_m(self) -> np.ndarray:
        """What walls look at: the surface without eaves, over lower neighbours neither."""
        town = self.town
        building = building_cells(footprints_of(town), town.grid)
        return wall_surface(town.dsm_m, self.terrain_m, building, town.grid.cell_size_m)

    def clear(self, found: Found, surface_m: np.ndarray) -> WallReceivers:
        return clear_of_surface(
            found.receivers, found.walls, found.building.footprint, self.town.grid, surface_m,
            self.terrain_m,
        )  # fmt: skip


def footprints_of(town: Town) -> np.ndarray:
    return np.array([building.footprint for building in town.buildings])


def terrain_of(town: Town) -> np.ndarray:
    """Exact terrain in the cells of the surface model. [m]"""
    grid = town.grid
    east_m = grid.west_m + (np.arange(grid.shape[1]) + 0.5) * grid.cell_size_m
    north_m = grid.north_m - (np.arange(grid.shape[0]) + 0.5) * grid.cell_size_m
    return town.terrain.on_axes(east_m, north_m).astype(np.float32)


def part_of(grid: Grid, window: Grid) -> tuple[slice, slice]:
    row, col = grid.offset_of(window)
    return np.s_[row : row + window.shape[0], col : col + window.shape[1]]


def wall_town(town: Town) -> WallTown:
    """Roofs, walls and receivers of a town; the time is that of walls and receivers."""
    footprints, terrain_m = footprints_of(town), terrain_of(town)
    mask, tree = footprint_mask(footprints, town.grid), shapely.STRtree(footprints)
    whole = shapely.box(*town.grid.bounds)
    roofs = []
    for building in town.buildings:
        if not whole.contains(building.footprint.buffer(4.0)):
            continue
        window = building_window(town.grid, building.footprint, 1.5)
        part = part_of(town.grid, window)
        heights = Heights.of_raster(window, town.dsm_m[part], terrain_m[part])
        free = ~mask[part] | cells_inside(building.footprint, window)
        model = roof_model(heights, building.footprint, free=free)
        near = footprints[tree.query(building.footprint, "dwithin", 1.0)]
        roofs.append((building, window, model if isinstance(model, RoofModel) else None, near))
    found: list[Found] = []
    for _ in range(2):  # the first time compiles
        begin = time.process_time()
        found = [_look(town, terrain_m, *roof) for roof in roofs]
    return WallTown(town, found, time.process_time() - begin)


def _look(town: Town, terrain_m, building, window, model, near) -> Found:
    walls = building_walls(
        building.footprint, model, town.grid, town.dsm_m, terrain_m, near, gap_m=GAP_M
    )
    depth_m = None if model is None else model.overhang.depth_m
    receivers = wall_receivers(walls, town.grid, depth_m=depth_m)
    return Found(building, window, model, walls, receivers)


def exact_areas(town: Town, building: Building, step_m: float = 0.02) -> list[tuple]:
    """
    Start, end and visible area of each straight side of a building, from its parts. [m, m, m²]

    The wall goes from the terrain, or from the roof of the first neighbour before it, up to the
    building's own roof; chimneys are no walls.
    """
    parts = tuple(part for part in building.parts if part.role != "chimney")
    own = replace(building, parts=parts)
    others = [
        other
        for other in town.buildings
        if other is not building and other.footprint.dwithin(building.footprint, GAP_M)
    ]
    sides = []
    for start, end in stretches(building.footprint):
        length_m = np.hypot(*(end - start))
        along = (end - start) / length_m
        out = np.array([along[1], -along[0]])
        n = int(np.ceil(length_m / step_m))
        places = start + ((np.arange(n) + 0.5) * length_m / n)[:, None] * along
        top_m = own.elevation_m(*(places - 1e-3 * out).T)
        low_m = town.terrain.elevation_m(*places.T)
        for other in others:
            waiting = np.ones(n, dtype=bool)
            for reach_m in (1e-3, 0.1, 0.2, 0.3, GAP_M):
                east_m, north_m = (places + reach_m * out).T
                hit = waiting & shapely.contains_xy(other.footprint, east_m, north_m)
                low_m[hit] = np.maximum(low_m, other.elevation_m(east_m, north_m))[hit]
                waiting &= ~hit
        sides.append((start, end, float(np.maximum(top_m - low_m, 0.0).mean() * length_m)))
    return sides
