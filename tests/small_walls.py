"""Flat boxes in a level plain: footprints and rasters whose walls are known by heart."""

from __future__ import annotations

import numpy as np
import shapely

from solarkataster.facades.walls import building_walls
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.roofs.model import Heights, roof_model

NONE = np.zeros(0, dtype=object)
WEST_M, NORTH_M = 400_000.0, 5_600_060.0
GRID = Grid((120, 120), WEST_M, NORTH_M, 0.5, "EPSG:25832")


def boxes(*rectangles: tuple[float, float, float, float, float], grid=GRID, ground_m=100.0):
    """Footprints, surface and terrain of flat boxes (x0, y0, x1, y1, height) in a level plain."""
    corner_m = grid.south_m
    plans = [
        shapely.box(WEST_M + x0, corner_m + y0, WEST_M + x1, corner_m + y1)
        for x0, y0, x1, y1, _ in rectangles
    ]
    terrain_m = np.full(grid.shape, ground_m, dtype=np.float32)
    surface_m = terrain_m.copy()
    for plan, (*_, height_m) in zip(plans, rectangles, strict=True):
        surface_m[cells_inside(plan, grid)] = ground_m + height_m
    return np.array(plans), surface_m, terrain_m


def walls_of(plan, surface_m, terrain_m, neighbours=NONE, grid=GRID, **settings_):
    model = roof_model(Heights.of_raster(grid, surface_m, terrain_m), plan)
    return building_walls(plan, model, grid, surface_m, terrain_m, neighbours, **settings_)


def facing(walls, azimuth: float) -> int:
    """The wall that faces an azimuth."""
    apart = np.abs((walls.segments.wall_azimuth - azimuth + 180.0) % 360.0 - 180.0)
    assert np.count_nonzero(apart < 1.0) == 1
    return int(np.argmin(apart))
