"""One gabled house of a city model on its footprint, with the surface that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import shapely
from shapely import affinity
from small_citymodels import (
    DEPTH_M,
    EAVES_M,
    FOOT_M,
    LENGTH_M,
    RIDGE_M,
    SOUTH_M,
    WEST_M,
    house,
    surfaces,
)

from solarkataster.citymodels import CitySurface
from solarkataster.facades.city_surfaces import roofs_of
from solarkataster.facades.city_walls import CityWalls, lod2_walls
from solarkataster.grid import Grid

#: The house lies from WEST_M, SOUTH_M on, 10 m east and 8 m north; its ridge runs east.
FOOTPRINT = shapely.box(WEST_M, SOUTH_M, WEST_M + LENGTH_M, SOUTH_M + DEPTH_M)
GRID = Grid((80, 80), WEST_M - 15.0, SOUTH_M + 24.0, 0.5, "EPSG:25832")
NONE = np.zeros(0, dtype=object)
TERRAIN_M = np.full(GRID.shape, FOOT_M, dtype=np.float32)

#: Its eaves walls, its gables. [m²]
SIDE_M2, GABLE_M2 = LENGTH_M * EAVES_M, DEPTH_M * (EAVES_M + RIDGE_M) / 2.0


def gable() -> list[CitySurface]:
    """Ground, walls to the south, east, north and west, roofs to the south and north."""
    return surfaces(house())


def box(width_m: float, depth_m: float, height_m: float, building_id="H1", at=(0.0, 0.0)):
    """Surfaces of a flat box: ground, four walls from the south on, roof."""
    x0, y0 = WEST_M + at[0], SOUTH_M + at[1]
    x1, y1, low, top = x0 + width_m, y0 + depth_m, FOOT_M, FOOT_M + height_m
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    rings = [("ground", [(*c, low) for c in corners[::-1]])]
    for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
        rings.append(("wall", [(*a, low), (*b, low), (*b, top), (*a, top)]))
    rings.append(("roof", [(*c, top) for c in corners]))
    return surfaces([(kind, np.array(ring)) for kind, ring in rings], building_id)


def surface_of(model: Sequence[CitySurface], grid: Grid = GRID) -> np.ndarray:
    """The surface model that shows the roofs of a city model on level ground. [m]"""
    row, col = np.indices(grid.shape)
    x, y = (col + 0.5) * grid.cell_size_m, (grid.shape[0] - row - 0.5) * grid.cell_size_m
    roofs = roofs_of([s for s in model if s.kind == "roof"], np.array([grid.west_m, grid.south_m]))
    elevation_m = roofs.elevation_m(x.ravel(), y.ravel()).reshape(grid.shape)
    return np.where(np.isfinite(elevation_m), elevation_m, FOOT_M).astype(np.float32)


def look(model: Sequence[CitySurface], footprint=FOOTPRINT, shown=None, **arguments) -> CityWalls:
    """Walls of one building from its city model; the surface shows it, or what is given."""
    surface_m = surface_of(model if shown is None else shown)
    near = arguments.pop("neighbours", NONE)
    return lod2_walls(model, footprint, None, GRID, surface_m, TERRAIN_M, near, **arguments)


def turned(surface: CitySurface) -> CitySurface:
    return replace(surface, outer=surface.outer[::-1])


def changed(model: list[CitySurface], k: int, outer) -> list[CitySurface]:
    """The model with another ring for its k-th surface."""
    ring = np.asarray(outer, dtype=np.float64)
    return [replace(s, outer=ring) if i == k else s for i, s in enumerate(model)]


def rotated(model: list[CitySurface], degrees: float) -> tuple[list[CitySurface], shapely.Polygon]:
    """Model and footprint turned counterclockwise around the house's middle."""
    middle = np.array([WEST_M + LENGTH_M / 2.0, SOUTH_M + DEPTH_M / 2.0])
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, s], [-s, c]])

    def spun(ring: np.ndarray) -> np.ndarray:
        return np.column_stack([(ring[:, :2] - middle) @ turn + middle, ring[:, 2]])

    plan = affinity.rotate(FOOTPRINT, degrees, origin=tuple(middle))
    return [replace(one, outer=spun(one.outer)) for one in model], plan
