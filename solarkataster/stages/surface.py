"""Stage 1: the heights of a tile's window."""

from __future__ import annotations

from dataclasses import replace

from solarkataster.io.rasters import read_resampled, read_window
from solarkataster.scenario_surface import changed_buildings
from solarkataster.stages.job import TileJob
from solarkataster.surface import Surface, merge_surface


def surface_stage(job: TileJob) -> Surface:
    """
    Read surface and terrain of the window; raises if a block of a file is damaged.

    Buildings of a scenario are added and removed here, so that all that follows sees them.
    """
    surface = merge_surface(
        read_window(job.dsm, job.window), read_resampled(job.dtm, job.window)
    )  # fmt: skip
    if not job.changes.added and not job.changes.removed:
        return surface
    elevation_m, is_new = changed_buildings(
        job.changes,
        job.window,
        surface.elevation_m,
        surface.terrain_m,
        footprints=job.surroundings,
        max_overhang_m=job.config.roofs.max_overhang_m,
    )
    return replace(surface, elevation_m=elevation_m, is_gap=surface.is_gap & ~is_new)
