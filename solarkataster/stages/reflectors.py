"""What reflects around a tile's receivers, lit once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solarkataster.canopy import Canopy
from solarkataster.config import Config
from solarkataster.facades.shares import taken_fraction
from solarkataster.io.rasters import read_nearest
from solarkataster.receivers import Receivers, join_receivers
from solarkataster.reflectors import Albedos, Reflectors, lit_reflectors
from solarkataster.stages.job import RunSky, TileJob
from solarkataster.stages.scene import transmissivity_of


def tile_reflectors(
    job: TileJob,
    solid_m: np.ndarray,
    with_eaves_m: np.ndarray,
    canopy: Canopy | None,
    asking: Sequence[Receivers],
    sky: RunSky,
) -> Reflectors | None:
    """Ground, roofs and walls around receivers; None if the config wants no reflections."""
    config = job.config
    if not config.reflection.enabled:
        return None
    classes = sorted(config.reflection.ground_by_class, key=int)
    ground_class = None
    if job.plants.land_cover is not None and classes:
        numbers = read_nearest(job.plants.land_cover, job.window)
        ground_class = np.zeros(job.window.shape, dtype=np.int32)
        for k, name in enumerate(classes, start=1):
            ground_class[numbers == int(name)] = k
    walls = config.walls
    windows, _ = taken_fraction(
        job.use_around, walls.window_fraction, 0.0, walls.window_fraction_by_use, {}
    )
    return lit_reflectors(
        solid_m,
        job.window,
        job.surroundings,
        join_receivers(list(asking)),
        sky.reflectors,
        albedos=albedos_of(config, classes if ground_class is not None else []),
        glass_fraction=windows,
        ground_class=ground_class,
        with_eaves_m=with_eaves_m,
        horizon_reach_m=config.horizon.reach_m,
        canopy=canopy,
        transmissivity=transmissivity_of(job),
    )


def albedos_of(config: Config, classes: Sequence[str]) -> Albedos:
    """Albedos of the config; the ground's first row is that of classes without their own."""
    reflection = config.reflection
    ground = reflection.ground_by_month or (config.irradiation.albedo,) * 12
    rows = [np.asarray(ground, dtype=np.float64)]
    rows += [np.broadcast_to(reflection.ground_by_class[name], 12) for name in classes]
    return Albedos(np.stack(rows), reflection.roof, reflection.wall, reflection.glass)
