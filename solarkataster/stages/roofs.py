"""Stage 2: roof planes of a tile's buildings and the receivers on them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.outlines import plane_outlines
from solarkataster.receivers import Receivers, plane_receivers
from solarkataster.roofs import RoofPlanes, building_height, find_roof_planes, plane_heights
from solarkataster.stages.job import TileJob, TileRoofs
from solarkataster.surface import Surface
from solarkataster.tiling import building_window

log = logging.getLogger(__name__)

#: A surface lower than this over the terrain is no roof: a garden in a coarse footprint, or a
#: building that is newer than the flight. Under the eaves of the lowest sheds. [m]
MIN_ROOF_HEIGHT_M = 1.0

#: Fewer cells than this cannot show a plane, whatever their heights.
_CELLS_OF_A_PLANE = 9

_NONE_INSIDE = "roof planes found, but none with an area inside the footprint"

_NOTHING_STANDS = (
    f"surface model shows nothing higher than {MIN_ROOF_HEIGHT_M:g} m above the terrain"
)


@dataclass
class _Building:
    """What is known of one building after its roof has been looked at."""

    window: Grid
    reason: str = ""
    marks: list[str] = field(default_factory=list)
    height_m: float = float("nan")
    planes: RoofPlanes | None = None
    outlines: list[shapely.Geometry] = field(default_factory=list)
    receivers: Receivers | None = None
    is_failed: bool = False


def roofs_stage(job: TileJob, surface: Surface) -> TileRoofs:
    """
    Find the planes of every building of the tile.

    A building that fails is named with its reason; the others go on.
    """
    buildings = []
    for building_id, footprint in zip(job.building_ids, job.footprints, strict=True):
        building = _Building(_window_of(job.grid, footprint))
        try:
            _look_at(building, footprint, job, surface)
        except Exception as error:
            reason = f"failed: {type(error).__name__}: {error}".splitlines()[0]
            building = _Building(building.window, reason, building.marks, is_failed=True)
            log.error("building %s %s", building_id, building.reason)
            log.debug("building %s", building_id, exc_info=True)
        buildings.append(building)
    return _joined(job, buildings)


def _window_of(grid: Grid, footprint: shapely.Geometry | None) -> Grid:
    if footprint is None or footprint.is_empty:
        return grid.window(0, 0, 0, 0)
    return building_window(grid, footprint)


def _look_at(
    building: _Building, footprint: shapely.Geometry, job: TileJob, surface: Surface
) -> None:
    """Fill in planes, receivers and height of one building, or the reason why it has none."""
    window = building.window
    if footprint is None or footprint.is_empty:
        building.reason = "footprint has no geometry"
        return
    if min(window.shape) == 0:
        building.reason = "outside the surface model"
        return
    row, col = job.window.offset_of(window)
    part = np.s_[row : row + window.shape[0], col : col + window.shape[1]]
    elevation_m, terrain_m = surface.elevation_m[part], surface.terrain_m[part]
    inside = cells_inside(footprint, window)
    if not inside.any():
        building.reason = "footprint covers no cell of the surface model"
        return
    gap_fraction = float(surface.is_gap[part][inside].mean())
    if gap_fraction == 1.0:
        building.reason = "surface model has no data here"
        return
    if gap_fraction > 0.0:
        building.marks.append(f"surface model has no data on {gap_fraction:.1%} of the footprint")
    hole_fraction = float(np.isnan(terrain_m[inside]).mean())
    if hole_fraction == 1.0:
        building.marks.append("no terrain height")
    elif hole_fraction > 0.0:
        building.marks.append(f"terrain model has no data on {hole_fraction:.1%} of the footprint")
    is_low = inside & ~surface.is_gap[part]
    is_low &= elevation_m - terrain_m < -job.config.limits.below_terrain_m
    if is_low.any():
        share = is_low.sum() / inside.sum()
        building.marks.append(f"surface model is below the terrain on {share:.1%} of the footprint")
    measured_m = np.where(surface.is_gap[part], np.nan, elevation_m)
    _find_planes(building, footprint, measured_m, terrain_m, inside, job)
    if building.planes is not None:
        building.height_m = building_height(building.planes, terrain_m)
        building.receivers = _receivers_of(building, job)


def _find_planes(
    building: _Building,
    footprint: shapely.Geometry,
    measured_m: np.ndarray,
    terrain_m: np.ndarray,
    inside: np.ndarray,
    job: TileJob,
) -> None:
    """Planes of the roof; those on the ground (courts, gardens) are none."""
    window = building.window
    # Written as "not below" so that a cell or plane without terrain counts as a roof.
    is_low = measured_m - terrain_m < MIN_ROOF_HEIGHT_M
    if not (inside & np.isfinite(measured_m) & ~is_low).any():
        building.reason = _NOTHING_STANDS
        return
    min_area_m2 = job.config.roofs.min_plane_area_m2
    planes = find_roof_planes(measured_m, inside, window.cell_size_m, min_plane_area_m2=min_area_m2)
    if len(planes) == 0:
        n_cells = int(inside.sum())
        why = "surface too rough, as under trees"
        if n_cells < _CELLS_OF_A_PLANE:
            why = f"only {n_cells} cells of the surface model"
        building.reason = f"no roof plane of at least {min_area_m2:g} m² found: {why}"
        return
    planes = _selected(planes, ~(plane_heights(planes, terrain_m) < MIN_ROOF_HEIGHT_M))
    if len(planes) == 0:
        building.reason = _NOTHING_STANDS
        return
    outlines = np.array(plane_outlines(planes.labels, footprint, window), dtype=object)
    # Cells whose centre is in the footprint; straightened, their outline may miss it.
    has_area = shapely.area(outlines) > 0.0
    if not has_area.any():
        building.reason = _NONE_INSIDE
        return
    building.planes = _selected(planes, has_area)
    building.outlines = outlines[has_area].tolist()


def _selected(planes: RoofPlanes, keep: np.ndarray) -> RoofPlanes:
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


def _receivers_of(building: _Building, job: TileJob) -> Receivers:
    """Receivers of one building in cells of the tile's window."""
    planes = building.planes
    assert planes is not None
    receivers = plane_receivers(
        planes.labels,
        planes.slope_east,
        planes.slope_north,
        planes.elevation_at_origin_m,
        job.grid.cell_size_m,
        job.config.roofs.lift_m,
    )
    row, col = job.window.offset_of(building.window)
    return replace(receivers, row=receivers.row + row, col=receivers.col + col)


def _joined(job: TileJob, buildings: list[_Building]) -> TileRoofs:
    """One table of planes and one set of receivers for the whole tile."""
    with_roof = [(i, b) for i, b in enumerate(buildings) if b.planes is not None]
    counts = [len(b.outlines) for _, b in with_roof]
    outlines = [outline for _, b in with_roof for outline in b.outlines]
    azimuths = [b.planes.grid_azimuth for _, b in with_roof if b.planes is not None]
    return TileRoofs(
        building=np.repeat(np.array([i for i, _ in with_roof], dtype=np.int32), counts),
        number=np.concatenate([np.arange(1, n + 1, dtype=np.int32) for n in counts])
        if counts
        else np.zeros(0, dtype=np.int32),
        outline=np.array(outlines, dtype=object),
        ground_area_m2=shapely.area(np.array(outlines, dtype=object)),
        is_level=np.isnan(np.concatenate(azimuths)) if azimuths else np.zeros(0, dtype=bool),
        receivers=_tile_receivers([b.receivers for _, b in with_roof if b.receivers is not None]),
        height_m=np.array([b.height_m for b in buildings]),
        reason=tuple(b.reason for b in buildings),
        marks=tuple(tuple(b.marks) for b in buildings),
        n_failed=sum(b.is_failed for b in buildings),
    )


def _tile_receivers(parts: list[Receivers]) -> Receivers | None:
    """Receivers of all buildings; surfaces are numbered through."""
    if not parts:
        return None
    n_surface = [len(part.surface_tilt) for part in parts]
    first_surface = np.cumsum([0, *n_surface[:-1]])
    return Receivers(
        row=np.concatenate([part.row for part in parts]),
        col=np.concatenate([part.col for part in parts]),
        elevation_m=np.concatenate([part.elevation_m for part in parts]),
        surface=np.concatenate(
            [part.surface + first for part, first in zip(parts, first_surface, strict=True)]
        ),
        surface_tilt=np.concatenate([part.surface_tilt for part in parts]),
        grid_azimuth=np.concatenate([part.grid_azimuth for part in parts]),
    )
