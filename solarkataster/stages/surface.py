"""Stage 1: the heights of a tile's window."""

from __future__ import annotations

from solarkataster.io.rasters import read_resampled, read_window
from solarkataster.stages.job import TileJob
from solarkataster.surface import Surface, merge_surface


def surface_stage(job: TileJob) -> Surface:
    """Read surface and terrain of the window; raises if a block of a file is damaged."""
    return merge_surface(read_window(job.dsm, job.window), read_resampled(job.dtm, job.window))
