"""Roof planes of houses of other tiles that a tree may hang over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.canopy import MIN_HEIGHT_M
from solarkataster.grid import Grid
from solarkataster.receivers import Receivers
from solarkataster.stages.job import TileJob
from solarkataster.stages.roofs import roofs_stage
from solarkataster.surface import Surface
from solarkataster.tiling import building_window

#: So near to the tile's own houses every roof is looked at, so far those beside a tree, and so far
#: those that a tree may hang over. Crowns over roofs still farther off stay solid: who sees them
#: sees no more of the sky without them. [m]
BESIDE_M, AROUND_M, NEAR_M = 25.0, 60.0, 150.0

#: What is raised so far from any footprint is no eaves, and so near to a house it is beside it. [m]
_EAVES_M, _TREE_M = 2.25, 5.0

#: A tree that hangs over a roof stands so near to it, and so much higher than its eaves. [m]
_RING_M, _OVER_EAVES_M = 3.0, 1.0

#: The eaves' height is that of the lowest cells of a footprint. [%]
_EAVES_PERCENTILE = 10.0


def roofs_around(
    job: TileJob, surface: Surface, building: np.ndarray
) -> tuple[Receivers, int] | None:
    """
    Points of roofs of other tiles, as the roof stage puts them there; None without any.

    Without them a crown over a roof would be solid or not as the border between tiles runs.

    Parameters
    ----------
    job : TileJob
    surface : Surface
        As measured.
    building : ndarray, shape (ny, nx), int32
        Position of the footprint of each cell in ``job.surroundings``, from 1.

    Returns
    -------
    receivers : Receivers
    n_on_roof : int
        The first so many lie on roofs.
    """
    own = shapely.box(*shapely.total_bounds(job.footprints))
    near = np.flatnonzero(shapely.dwithin(job.surroundings, own, NEAR_M))
    near = near[~np.isin(job.index_around[near], job.building_index)]
    if not near.size:
        return None
    raised = _raised(job, surface, building)
    away_m = shapely.distance(job.surroundings[near], own)
    chosen = [
        k
        for k, distance_m in zip(near.tolist(), away_m.tolist(), strict=True)
        if _is_whole(job, k)
        and (distance_m <= BESIDE_M or _is_beside_a_tree(job, raised, k))
        and (distance_m <= AROUND_M or _may_be_under_a_tree(job, surface, building, k))
    ]
    if not chosen:
        return None
    config = job.config
    flush = config.layout.model_copy(update={"flat_layout": "flush"})  # modules are not asked for
    other = replace(
        job,
        points=None,
        building_ids=tuple(f"around {k}" for k in chosen),
        building_index=job.index_around[chosen],
        footprints=job.surroundings[chosen],
        neighbours=job.surroundings,
        use=("",) * len(chosen),
        is_monument=np.zeros(len(chosen), dtype=bool),
        config=config.model_copy(update={"layout": flush}),
    )
    found = roofs_stage(other, surface)
    return None if found.receivers is None else (found.receivers, found.n_on_roof)


def _raised(job: TileJob, surface: Surface, building: np.ndarray) -> np.ndarray:
    """Cells that stand over the terrain away from all footprints and their eaves."""
    n = job.window.cells(_EAVES_M)
    is_raised = surface.elevation_m - surface.terrain_m > MIN_HEIGHT_M  # False for NaN
    is_house = ndimage.maximum_filter(building > 0, 2 * n + 1, mode="constant", cval=False)
    return is_raised & ~is_house


def _is_beside_a_tree(job: TileJob, raised: np.ndarray, k: int) -> bool:
    """Whether something else stands within some metres of a house."""
    around = job.grid.crop(shapely.box(*job.surroundings[k].bounds).buffer(_TREE_M).bounds)
    row, col = job.window.offset_of(around)
    rows = slice(max(row, 0), max(row + around.shape[0], 0))
    cols = slice(max(col, 0), max(col + around.shape[1], 0))
    return bool(raised[rows, cols].any())


def _may_be_under_a_tree(job: TileJob, surface: Surface, building: np.ndarray, k: int) -> bool:
    """Whether something beside a house, and beside no other, is higher than its eaves."""
    ring = job.grid.crop(shapely.box(*job.surroundings[k].bounds).buffer(_RING_M).bounds)
    if not _holds(job.window, ring):
        return False
    row, col = job.window.offset_of(ring)
    part = np.s_[row : row + ring.shape[0], col : col + ring.shape[1]]
    inside = (building[part] == k + 1) & np.isfinite(surface.elevation_m[part])
    if not inside.any():
        return False
    eaves_m = np.percentile(surface.elevation_m[part][inside], _EAVES_PERCENTILE)
    return bool(
        ((building[part] == 0) & (surface.elevation_m[part] > eaves_m + _OVER_EAVES_M)).any()
    )


def _is_whole(job: TileJob, k: int) -> bool:
    """Whether the window holds all that a roof is read from."""
    max_overhang_m = job.config.roofs.max_overhang_m
    return _holds(job.window, building_window(job.grid, job.surroundings[k], max_overhang_m))


def _holds(window: Grid, part: Grid) -> bool:
    row, col = window.offset_of(part)
    return (
        row >= 0
        and col >= 0
        and row + part.shape[0] <= window.shape[0]
        and col + part.shape[1] <= window.shape[1]
    )
