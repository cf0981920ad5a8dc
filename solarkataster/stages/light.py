"""Stage 4: light of a tile's receivers, and of the same planes under an open sky."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solarkataster.horizon import N_NEAR
from solarkataster.irradiance import Light, light, open_light
from solarkataster.receivers import Receivers
from solarkataster.sky_table import SkyTable
from solarkataster.stages.job import RunSky, TileFacades, TileJob, TileLight, TileRoofs
from solarkataster.surface import Surface

#: Crossings of a wall's horizon that are marched exactly: against brute force in narrow streets
#: 24 leave a bias of 0.15 %, 32 none (benchmarks/walls.py).
N_NEAR_OF_WALLS = 32


def light_stage(
    job: TileJob,
    surface: Surface,
    roofs: TileRoofs,
    facades: TileFacades | None,
    sky: RunSky,
    progress: Callable[[float], None] | None = None,
) -> TileLight:
    """Month sums, parts and sky view of all receivers, roofs first, then walls."""
    on_roofs = roofs.receivers
    on_walls = None if facades is None else facades.receivers
    work = _Work(progress, sky, on_roofs, on_walls)
    seen = open_sky = light_on_walls = open_walls = None
    if on_roofs is not None:
        seen, open_sky = _lit(job, surface.elevation_m, on_roofs, sky.roofs, work.roofs)
    if facades is not None and on_walls is not None:
        light_on_walls, open_walls = _lit(
            job, facades.surface_m, on_walls, sky.walls, work.walls, n_near=N_NEAR_OF_WALLS
        )
    return TileLight(seen, open_sky, light_on_walls, open_walls)


def _lit(
    job: TileJob,
    surface_m: np.ndarray,
    receivers: Receivers,
    sky: SkyTable,
    progress: Callable[[int, int], None],
    n_near: int = N_NEAR,
) -> tuple[Light, Light]:
    """What receivers get, and what their planes would get under an open sky."""
    albedo = job.config.irradiation.albedo
    seen = light(
        surface_m,
        job.window.cell_size_m,
        receivers,
        sky,
        reach_m=job.config.horizon.reach_m,
        first_row=job.window.first_row,
        first_col=job.window.first_col,
        albedo=albedo,
        progress=progress,
        n_near=n_near,
    )
    open_sky = open_light(
        sky,
        receivers.surface_tilt,
        receivers.grid_azimuth,
        albedo,
        front_tangent=receivers.front_tangent,
    )
    return seen, open_sky


class _Work:
    """How far the light of a tile is, roofs and walls together."""

    def __init__(
        self,
        progress: Callable[[float], None] | None,
        sky: RunSky,
        on_roofs: Receivers | None,
        on_walls: Receivers | None,
    ) -> None:
        self._tell = progress or (lambda share: None)
        roofs = 0 if on_roofs is None else len(on_roofs) * len(sky.roofs.azimuths_deg)
        walls = 0 if on_walls is None else len(on_walls) * len(sky.walls.azimuths_deg)
        self._roofs_share = roofs / max(roofs + walls, 1)

    def roofs(self, done: int, total: int) -> None:
        self._tell(self._roofs_share * done / total)

    def walls(self, done: int, total: int) -> None:
        self._tell(self._roofs_share + (1.0 - self._roofs_share) * done / total)
