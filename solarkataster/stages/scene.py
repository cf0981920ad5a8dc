"""Stage 3: what casts shadows on a tile: solids, and crowns over them."""

from __future__ import annotations

import numpy as np

from solarkataster.canopy import (
    MIN_HEIGHT_M,
    NO_CROWN,
    Blocks,
    Canopy,
    Transmissivity,
    find_canopy,
    no_canopy,
    with_heights,
)
from solarkataster.footprint_cells import building_cells
from solarkataster.io.pointclouds import point_chunks
from solarkataster.io.rasters import read_nearest, read_resampled
from solarkataster.roof_cover import roof_heights
from solarkataster.scenario_surface import changed_canopy
from solarkataster.stages.job import TileJob, TileRoofs, TileScene
from solarkataster.stages.roofs_around import roofs_around
from solarkataster.surface import Surface
from solarkataster.trees import burn_crowns, merge_canopy, no_trees, vegetation_top


def scene_stage(job: TileJob, surface: Surface, roofs: TileRoofs) -> TileScene:
    """
    Take the plants out of a tile's surface, and put the cadastre's trees beside them.

    Roofs are taken from the surface as it was measured; only then is it known what stands over
    them.
    """
    building = building_cells(job.surroundings, job.window)
    plants, settings = job.plants, job.config.trees
    known = (plants.trees, plants.canopy, plants.points)
    if min(job.window.shape) == 0 or (
        not settings.from_surface and all(one is None for one in known) and job.changes.is_empty()
    ):
        return TileScene(surface.elevation_m, building, None, None)
    solid_m, canopy, blocks = surface.elevation_m, no_canopy(surface.elevation_m.shape), None
    confirmed, hinted = _confirmed(job, surface), _hinted(job, surface)
    if settings.from_surface or confirmed is not None:
        solid_m, canopy, blocks = _taken_apart(job, surface, roofs, building, confirmed, hinted)
    if plants.canopy is not None:  # also what the surface model lost or was cleaned of
        canopy = with_heights(
            canopy, read_resampled(plants.canopy, job.window), surface.terrain_m, solid_m,
            base_fraction=settings.default_crown_base_fraction,
        )  # fmt: skip
    if plants.trees is not None:
        canopy, _ = merge_canopy(
            canopy, plants.trees, job.window, surface.terrain_m, solid_m,
            flight_season=settings.flight_season,
        )  # fmt: skip
    if not job.changes.is_empty():
        standing = no_trees() if plants.trees is None else plants.trees
        canopy = changed_canopy(
            job.changes, job.window, solid_m, surface.terrain_m, canopy, standing
        )  # fmt: skip
    return TileScene(solid_m, building, canopy, blocks)


def transmissivity_of(job: TileJob) -> Transmissivity:
    """What passes crowns, as the config has it."""
    trees = job.config.trees
    return Transmissivity(trees.deciduous_transmissivity, trees.evergreen_transmissivity)


def _taken_apart(
    job: TileJob,
    surface: Surface,
    roofs: TileRoofs,
    building: np.ndarray,
    confirmed: np.ndarray | None,
    hinted: np.ndarray | None,
) -> tuple[np.ndarray, Canopy, Blocks | None]:
    """Solids, crowns and blocks of the surface; without roughness only confirmed crowns."""
    settings = job.config.trees
    found = find_canopy(
        surface.elevation_m,
        surface.terrain_m,
        building > 0,
        job.window.cell_size_m,
        confirmed=confirmed,
        hinted=hinted,
        # Without roughness nothing but what is confirmed is a plant.
        solid=None if settings.from_surface or confirmed is None else ~confirmed,
        roof_m=_roof_heights(job, surface, roofs, building),
        base_fraction=settings.default_crown_base_fraction,
        winter_flight=settings.flight_season == "winter",
    )
    return found.solid_m, found.canopy, found.blocks if settings.from_surface else None


def _roof_heights(
    job: TileJob, surface: Surface, roofs: TileRoofs, building: np.ndarray
) -> np.ndarray:
    """Height of roofs in the cells of footprints, of the tile and of its neighbours. [m]"""
    known = [(roofs.receivers, roofs.n_on_roof)] if roofs.receivers is not None else []
    around = roofs_around(job, surface, building)
    roof_m = np.full(building.shape, np.nan, dtype=np.float32)
    for receivers, n_on_roof in [*known, *([] if around is None else [around])]:
        cell_m, lift_m = job.window.cell_size_m, job.config.roofs.lift_m
        found_m = roof_heights(receivers, n_on_roof, building, cell_m, lift_m)
        roof_m = np.where(np.isnan(roof_m), found_m, roof_m)
    return roof_m


def _confirmed(job: TileJob, surface: Surface) -> np.ndarray | None:
    """Cells that a canopy raster or laser points know to be plants."""
    plants, cells = job.plants, None
    if plants.canopy is not None:
        cells = read_resampled(plants.canopy, job.window) > MIN_HEIGHT_M
    if plants.points is not None:
        chunks = point_chunks(plants.points, np.ones(job.window.shape, dtype=bool), job.window)
        top_m = vegetation_top(chunks, job.window, job.config.trees.canopy_classes)
        is_high = top_m - surface.terrain_m > MIN_HEIGHT_M
        cells = is_high if cells is None else cells | is_high
    return cells


def _hinted(job: TileJob, surface: Surface) -> np.ndarray | None:
    """Where the cadastre or the land cover expect trees."""
    plants, cells = job.plants, None
    classes = job.config.trees.land_cover_trees
    if plants.land_cover is not None and classes:
        cells = np.isin(read_nearest(plants.land_cover, job.window), classes)
    if plants.trees is not None:
        crowns = burn_crowns(plants.trees, job.window, surface.terrain_m).kind != NO_CROWN
        cells = crowns if cells is None else cells | crowns
    return cells
