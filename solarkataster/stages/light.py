"""Stage 3: light of a tile's receivers, and of the same planes under an open sky."""

from __future__ import annotations

from collections.abc import Callable

from solarkataster.irradiance import light, open_light
from solarkataster.sky_table import SkyTable
from solarkataster.stages.job import TileJob, TileLight, TileRoofs
from solarkataster.surface import Surface


def light_stage(
    job: TileJob,
    surface: Surface,
    roofs: TileRoofs,
    sky: SkyTable,
    progress: Callable[[float], None] | None = None,
) -> TileLight | None:
    """Month sums, parts and sky view of all receivers; None for a tile without any."""
    receivers = roofs.receivers
    if receivers is None:
        return None
    seen = light(
        surface.elevation_m,
        job.window.cell_size_m,
        receivers,
        sky,
        reach_m=job.config.horizon.reach_m,
        first_row=job.window.first_row,
        first_col=job.window.first_col,
        albedo=job.config.irradiation.albedo,
        progress=None if progress is None else lambda done, total: progress(done / total),
    )
    return TileLight(
        seen,
        open_light(
            sky,
            receivers.surface_tilt,
            receivers.grid_azimuth,
            job.config.irradiation.albedo,
            front_tangent=receivers.front_tangent,
        ),
    )
