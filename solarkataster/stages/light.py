"""Stage 5: light of a tile's receivers, and of the same planes under an open sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solarkataster.canopy import Canopy
from solarkataster.horizon import N_NEAR
from solarkataster.irradiance import Light, light, open_light
from solarkataster.receivers import Receivers
from solarkataster.reflection import bounce
from solarkataster.sky_table import SkyTable
from solarkataster.stages.eaves_band import eaves_band
from solarkataster.stages.job import RunSky, TileFacades, TileJob, TileLight, TileRoofs, TileScene
from solarkataster.stages.reflectors import tile_reflectors
from solarkataster.stages.scene import transmissivity_of
from solarkataster.stages.sky_records import RoofRecords, WallRecords
from solarkataster.surface_records import SurfaceRecords
from solarkataster.visibility import SkyRecorder

#: Crossings of a wall's horizon that are marched exactly: against brute force in narrow streets
#: 24 leave a bias of 0.15 %, 32 none (benchmarks/walls.py).
N_NEAR_OF_WALLS = 32

#: What a reflecting point costs, as one of roofs and walls together.
_REFLECTED_SHARE = 0.1


def light_stage(
    job: TileJob,
    scene: TileScene,
    roofs: TileRoofs,
    facades: TileFacades | None,
    sky: RunSky,
    progress: Callable[[float], None] | None = None,
) -> TileLight:
    """Month sums, parts and sky view of all receivers, roofs first, then walls."""
    on_roofs = roofs.receivers
    on_walls = None if facades is None else facades.receivers
    asking = [one for one in (on_roofs, on_walls) if one is not None]
    if not asking:
        return TileLight(None, None)
    # Eaves hide what walls see of the sky; houses opposite are seen without theirs.
    of_walls = _Seen(scene.solid_m if facades is None else facades.surface_m, scene.canopy)
    work = _Work(progress, sky, on_roofs, on_walls)
    around = tile_reflectors(job, of_walls.solid_m, scene.solid_m, scene.canopy, asking, sky)
    work.tell(0, _REFLECTED_SHARE, 1, 1)
    roof_records = None if on_roofs is None else RoofRecords(roofs, sky.roofs)
    wall_records = None
    if facades is not None and on_walls is not None:
        wall_records = WallRecords(facades, sky.walls)
    lit: list[Light | None] = []
    kept: list[SurfaceRecords | None] = []
    for receivers, scenery, table, n_near, records in (
        (on_roofs, _Seen(scene.solid_m, scene.canopy), sky.roofs, N_NEAR, roof_records),
        (on_walls, of_walls, sky.walls, N_NEAR_OF_WALLS, wall_records),
    ):
        if receivers is None or records is None:
            lit += [None, None]
            kept.append(None)
            continue
        told = work.of(receivers)
        got = _lit(job, scenery, receivers, table, n_near, told, records.recorder)
        got = got if around is None else bounce(around, receivers, got)
        lit.append(got)
        kept.append(records.of(got))
        lit.append(
            open_light(
                table,
                receivers.surface_tilt,
                receivers.grid_azimuth,
                job.config.irradiation.albedo,
                front_tangent=receivers.front_tangent,
            )
        )
    band = None if facades is None else eaves_band(job, scene, facades, sky)
    seen, open_sky, light_on_walls, open_walls = lit
    return TileLight(seen, open_sky, light_on_walls, open_walls, band, *kept)


@dataclass(frozen=True)
class _Seen:
    """What receivers look at."""

    solid_m: np.ndarray
    canopy: Canopy | None


def _lit(
    job: TileJob,
    seen: _Seen,
    receivers: Receivers,
    sky: SkyTable,
    n_near: int,
    progress: Callable[[int, int], None],
    recorder: SkyRecorder,
) -> Light:
    """What receivers get from sun, sky and open ground."""
    return light(
        seen.solid_m,
        job.window.cell_size_m,
        receivers,
        sky,
        reach_m=job.config.horizon.reach_m,
        first_row=job.window.first_row,
        first_col=job.window.first_col,
        albedo=job.config.irradiation.albedo,
        n_near=n_near,
        progress=progress,
        canopy=seen.canopy,
        transmissivity=transmissivity_of(job),
        recorder=recorder,
    )


class _Work:
    """How far the light of a tile is: what reflects, then roofs, then walls."""

    def __init__(
        self,
        progress: Callable[[float], None] | None,
        sky: RunSky,
        on_roofs: Receivers | None,
        on_walls: Receivers | None,
    ) -> None:
        self._progress = progress or (lambda share: None)
        roofs = 0 if on_roofs is None else len(on_roofs) * len(sky.roofs.azimuths_deg)
        walls = 0 if on_walls is None else len(on_walls) * len(sky.walls.azimuths_deg)
        self._begin, self._on_roofs = _REFLECTED_SHARE, on_roofs
        self._share = (1.0 - _REFLECTED_SHARE) * roofs / max(roofs + walls, 1)

    def tell(self, begin: float, share: float, done: int, total: int) -> None:
        self._progress(begin + share * done / total)

    def of(self, receivers: Receivers) -> Callable[[int, int], None]:
        """To be told of the light of roofs or walls."""
        begin, share = self._begin, self._share
        if receivers is not self._on_roofs:
            begin, share = begin + share, 1.0 - begin - share
        return lambda done, total: self.tell(begin, share, done, total)
