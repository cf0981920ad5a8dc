"""Stage 2: roof planes of a tile's buildings and the receivers on them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.io.pointclouds import read_points
from solarkataster.points import PointsIndex, cells_near, index_points, lattice_heights
from solarkataster.receivers import Receivers, plane_receivers
from solarkataster.roofs.model import (
    Heights,
    RoofModel,
    lattice_margin_m,
    plane_at,
    roof_model,
    surface_labels,
)
from solarkataster.stages.job import TileJob, TileRoofs
from solarkataster.stages.roof_tables import joined_roofs
from solarkataster.surface import Surface
from solarkataster.tiling import building_window

log = logging.getLogger(__name__)


@dataclass
class BuildingRoof:
    """What is known of one building after its roof has been looked at."""

    window: Grid
    reason: str = ""
    marks: list[str] = field(default_factory=list)
    model: RoofModel | None = None
    heights: Heights | None = None
    receivers: Receivers | None = None
    is_failed: bool = False


def roofs_stage(job: TileJob, surface: Surface) -> TileRoofs:
    """
    Find the planes of every building of the tile.

    A building that fails is named with its reason; the others go on.
    """
    tile = _Tile(job, surface)
    buildings = []
    for building_id, footprint in zip(job.building_ids, job.footprints, strict=True):
        building = BuildingRoof(tile.window_of(footprint))
        try:
            _look_at(building, footprint, tile)
        except Exception as error:
            reason = f"failed: {type(error).__name__}: {error}".splitlines()[0]
            building = BuildingRoof(building.window, reason, building.marks, is_failed=True)
            log.error("building %s %s", building_id, building.reason)
            log.debug("building %s", building_id, exc_info=True)
        buildings.append(building)
    return joined_roofs(job, buildings)


class _Tile:
    """The tile's heights, points and neighbours, as its buildings ask for them."""

    def __init__(self, job: TileJob, surface: Surface) -> None:
        self.job, self.surface = job, surface
        self.near = shapely.STRtree(job.neighbours)
        self.max_overhang_m = job.config.roofs.max_overhang_m
        self.points_margin_m = lattice_margin_m(self.max_overhang_m)
        self.points = self._read_points()
        self.new = shapely.to_wkb([one.footprint for one in job.changes.added])

    def _read_points(self) -> PointsIndex | None:
        """The laser points near the tile's buildings."""
        if self.job.points is None or min(self.job.window.shape) == 0:
            return None
        known = self.job.footprints[~shapely.is_missing(self.job.footprints)]
        keep = cells_near(known, self.job.window, self.points_margin_m)
        return index_points(read_points(self.job.points, keep, self.job.window))

    def window_of(self, footprint: shapely.Geometry | None) -> Grid:
        if footprint is None or footprint.is_empty:
            return self.job.grid.window(0, 0, 0, 0)
        return building_window(self.job.grid, footprint, self.max_overhang_m)

    def part(self, window: Grid) -> tuple[slice, slice]:
        row, col = self.job.window.offset_of(window)
        return np.s_[row : row + window.shape[0], col : col + window.shape[1]]

    def free_cells(self, footprint: shapely.Geometry, grid: Grid) -> np.ndarray:
        """Cells of a window in no other footprint."""
        free = np.ones(grid.shape, dtype=bool)
        for i in self.near.query(shapely.box(*grid.bounds), predicate="intersects"):
            other = self.job.neighbours[i]
            if not shapely.equals(other, footprint):
                free &= ~cells_inside(other, grid)
        return free

    def heights(self, footprint: shapely.Geometry, window: Grid) -> Heights | None:
        """What the roof is taken from; None if no laser point lies over the footprint."""
        part = self.part(window)
        terrain_m = self.surface.terrain_m[part]
        if self.points is None or shapely.to_wkb(footprint) in self.new:
            measured_m = np.where(self.surface.is_gap[part], np.nan, self.surface.elevation_m[part])
            return Heights.of_raster(window, measured_m, terrain_m)
        classes = self.job.config.points
        lattice = lattice_heights(
            self.points.near(footprint.bounds, self.points_margin_m),
            footprint,
            margin_m=self.points_margin_m,
            roof_classes=classes.roof_classes,
            ground_classes=classes.ground_classes,
            crs=window.crs,
        )
        return None if lattice is None else Heights.of_points(
            lattice, _nearest(terrain_m, window, lattice.grid)
        )  # fmt: skip


def _nearest(values: np.ndarray, grid: Grid, other: Grid) -> np.ndarray:
    """Values of the cells that hold the centres of another grid; the rim goes on outwards."""
    rows, cols = (np.arange(n) for n in other.shape)
    row, _ = grid.row_col(other.west_m, other.north_m - (rows + 0.5) * other.cell_size_m)
    _, col = grid.row_col(other.west_m + (cols + 0.5) * other.cell_size_m, other.north_m)
    row = np.clip(np.floor(row + 0.5).astype(np.int64), 0, grid.shape[0] - 1)
    col = np.clip(np.floor(col + 0.5).astype(np.int64), 0, grid.shape[1] - 1)
    return values[row[:, None], col[None, :]]


def _look_at(building: BuildingRoof, footprint: shapely.Geometry, tile: _Tile) -> None:
    """Fill in roof and receivers of one building, or the reason why it has none."""
    window, surface = building.window, tile.surface
    if footprint is None or footprint.is_empty:
        building.reason = "footprint has no geometry"
        return
    if min(window.shape) == 0:
        building.reason = "outside the surface model"
        return
    part = tile.part(window)
    inside = cells_inside(footprint, window)
    if not inside.any():
        building.reason = "footprint covers no cell of the surface model"
        return
    if surface.is_gap[part][inside].all():
        building.reason = "surface model has no data here"
        return
    _mark_heights(building, inside, tile)
    heights = tile.heights(footprint, window)
    if heights is None:
        building.reason = "no laser point over the footprint"
        return
    roofs = tile.job.config.roofs
    model = roof_model(
        heights,
        footprint,
        free=tile.free_cells(footprint, heights.grid) if roofs.overhang else None,
        min_plane_area_m2=roofs.min_plane_area_m2,
        max_overhang_m=roofs.max_overhang_m,
        superstructure_height_m=roofs.superstructure_height_m,
    )
    if isinstance(model, str):
        building.reason = model
        return
    building.model, building.heights = model, heights
    building.receivers = _receivers_of(model, window, tile.job)


def _mark_heights(building: BuildingRoof, inside: np.ndarray, tile: _Tile) -> None:
    """Say what the surface and the terrain model lack under a footprint."""
    surface, part = tile.surface, tile.part(building.window)
    gap_fraction = float(surface.is_gap[part][inside].mean())
    if gap_fraction > 0.0:
        building.marks.append(f"surface model has no data on {gap_fraction:.1%} of the footprint")
    elevation_m, terrain_m = surface.elevation_m[part], surface.terrain_m[part]
    hole_fraction = float(np.isnan(terrain_m[inside]).mean())
    if hole_fraction == 1.0:
        building.marks.append("no terrain height")
    elif hole_fraction > 0.0:
        building.marks.append(f"terrain model has no data on {hole_fraction:.1%} of the footprint")
    is_low = inside & ~surface.is_gap[part]
    is_low &= elevation_m - terrain_m < -tile.job.config.limits.below_terrain_m
    if is_low.any():
        share = is_low.sum() / inside.sum()
        building.marks.append(f"surface model is below the terrain on {share:.1%} of the footprint")


def _receivers_of(model: RoofModel, window: Grid, job: TileJob) -> Receivers:
    """Receivers of one building in cells of the tile's window."""
    origin_m = plane_at(
        model, window.west_m + window.cell_size_m / 2, window.north_m - window.cell_size_m / 2
    )
    receivers = plane_receivers(
        surface_labels(model, window),
        model.planes.slope_east,
        model.planes.slope_north,
        origin_m,
        job.grid.cell_size_m,
        job.config.roofs.lift_m,
    )
    row, col = job.window.offset_of(window)
    return replace(receivers, row=receivers.row + row, col=receivers.col + col)
