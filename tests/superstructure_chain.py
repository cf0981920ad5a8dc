"""The chain from heights to superstructures for every building of a made-up town."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from superstructure_match import Thing

from solarkataster.demo import Town
from solarkataster.footprint_cells import cells_inside, footprint_mask
from solarkataster.grid import Grid
from solarkataster.points import index_points, lattice_heights
from solarkataster.roofs.outlines import plane_outlines
from solarkataster.roofs.overhang import roof_overhang
from solarkataster.roofs.planes import RoofPlanes, find_roof_planes
from solarkataster.roofs.superstructures import Superstructures, find_superstructures

#: Around a footprint: the deepest overhang and a few cells. [m]
MARGIN_M = 3.0


@dataclass(frozen=True)
class SeenRoof:
    """What the chain found on one building."""

    grid: Grid
    elevation_m: np.ndarray
    planes: RoofPlanes
    labels: np.ndarray
    outlines: list
    outline: shapely.Geometry
    superstructures: Superstructures


@dataclass
class Survey:
    """Roofs of a town and the CPU time of planes, overhang, outlines, superstructures. [s]"""

    roofs: dict[str, SeenRoof] = field(default_factory=dict)
    cpu_s: list[float] = field(default_factory=lambda: [0.0] * 4)

    @property
    def found(self) -> list[Thing]:
        return [
            Thing(building_id, kind, polygon, float(height_m))
            for building_id, roof in self.roofs.items()
            for kind, polygon, height_m in zip(
                roof.superstructures.kind,
                roof.superstructures.polygon,
                roof.superstructures.height_m,
                strict=True,
            )
        ]


def true_things(town: Town) -> list[Thing]:
    return [Thing(t.building_id, t.kind, t.polygon, t.height_m) for t in town.superstructures]


def survey(town: Town, density_per_m2: float | None = None, **options) -> Survey:
    """
    Superstructures of every building, from the surface model or from laser points.

    ``options`` go to :func:`find_superstructures`.
    """
    footprints = np.array([building.footprint for building in town.buildings])
    result = Survey()
    index = None if density_per_m2 is None else index_points(town.points(density_per_m2))
    for k, building in enumerate(town.buildings):
        if index is None:
            heights = _raster_window(town, building.footprint)
        else:
            heights = _lattice_window(index, building.footprint)
        if heights is None:
            continue
        grid, elevation_m, places = heights
        free = ~footprint_mask(np.delete(footprints, k), grid)
        result.roofs[building.building_id] = _look_at(
            building.footprint, grid, elevation_m, places, free, result.cpu_s, options
        )
    return result


def _raster_window(town: Town, footprint):
    west_m, south_m, east_m, north_m = footprint.bounds
    bounds = west_m - MARGIN_M, south_m - MARGIN_M, east_m + MARGIN_M, north_m + MARGIN_M
    grid = town.grid.crop(bounds)
    row, col = town.grid.offset_of(grid)
    return grid, town.dsm_m[row : row + grid.shape[0], col : col + grid.shape[1]], {}


def _lattice_window(index, footprint):
    near = index.near(footprint.bounds, MARGIN_M)
    heights = lattice_heights(near, footprint, margin_m=MARGIN_M)
    if heights is None:
        return None
    places = {
        "offset_east_m": heights.offset_east_m,
        "offset_north_m": heights.offset_north_m,
    }
    return heights.grid, heights.elevation_m, places


def _look_at(footprint, grid, elevation_m, places, free, cpu_s, options) -> SeenRoof:
    inside = cells_inside(footprint, grid)
    times = [time.process_time()]
    planes = find_roof_planes(elevation_m, inside, grid.cell_size_m, **places)
    times.append(time.process_time())
    overhang = roof_overhang(planes, elevation_m, footprint, grid, free=free, **places)
    times.append(time.process_time())
    outlines = plane_outlines(overhang.labels, overhang.outline, grid, planes=planes)
    times.append(time.process_time())
    found = find_superstructures(
        planes, overhang.labels, elevation_m, outlines, overhang.outline, grid, **places, **options
    )
    times.append(time.process_time())
    for k, (begin, end) in enumerate(pairwise(times)):
        cpu_s[k] += end - begin
    return SeenRoof(grid, elevation_m, planes, overhang.labels, outlines, overhang.outline, found)
