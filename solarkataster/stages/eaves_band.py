"""How much the light of walls would change if their eaves were deeper or less deep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from solarkataster.facades.receivers import eaves_tangent
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers, join_receivers
from solarkataster.stages.job import RunSky, TileFacades, TileJob, TileScene
from solarkataster.stages.scene import transmissivity_of

#: Every so many points along the list of a wall's points are asked, the middle one first: the band
#: is a mean of the wall.
_EVERY = 6


def eaves_band(
    job: TileJob, scene: TileScene, facades: TileFacades, sky: RunSky
) -> np.ndarray | None:
    """
    Light of walls under deeper and less deep eaves, by the uncertainty of their depth.

    Returns
    -------
    band : ndarray, shape (2, n_wall), or None
        Share of the wall's own light, lower one first; NaN for a wall without points. None without
        any wall.
    """
    points, n = facades.receivers, facades.n_on_wall
    if points is None:
        return None
    wall = facades.wall[:n]
    place = np.arange(n) - np.searchsorted(wall, wall)
    count = np.bincount(wall, minlength=len(facades))[wall]
    at = np.flatnonzero((place % _EVERY == _EVERY // 2) | ((count <= _EVERY // 2) & (place == 0)))
    settings = job.config.walls
    sigma = {"config": settings.eaves_uncertainty_m, "party wall": 0.0}
    of_wall = np.array(
        [sigma.get(one, settings.measured_eaves_uncertainty_m) for one in facades.overhang_source]
    )
    sets = [
        _under(points, facades, at, facades.overhang_point_m[at] + sign * of_wall[wall[at]])
        for sign in (0.0, 1.0, -1.0)
    ]
    year = light(
        facades.surface_m,
        job.window.cell_size_m,
        join_receivers(sets),
        sky.reflectors,
        reach_m=job.config.horizon.reach_m,
        first_row=job.window.first_row,
        first_col=job.window.first_col,
        albedo=job.config.irradiation.albedo,
        canopy=scene.canopy,
        transmissivity=transmissivity_of(job),
    ).poa_global_year_kwh_m2.reshape(3, -1)
    weight = facades.point_area_m2[at]
    sums = np.stack([np.bincount(wall[at], one * weight, len(facades)) for one in year])
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[1:] / sums[0]


def _under(points: Receivers, facades: TileFacades, at: np.ndarray, depth_m) -> Receivers:
    """Some points of walls under eaves of another depth."""
    return replace(
        points,
        row=points.row[at],
        col=points.col[at],
        elevation_m=points.elevation_m[at],
        surface=points.surface[at],
        top_tangent=eaves_tangent(facades.top_over_m[at], np.asarray(depth_m)),
    )
