"""Compile the kernels, or load them from numba's cache, before any worker starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from solarkataster.checks import CheckedInputs
from solarkataster.config import RoofsConfig
from solarkataster.config_sections import LayoutConfig
from solarkataster.errors import KatasterError
from solarkataster.grid import Grid
from solarkataster.io.runfolder import RunFolder
from solarkataster.kernels.city_tops import edge_envelopes
from solarkataster.points import Points, index_points, lattice_heights
from solarkataster.stages.facades import facades_stage
from solarkataster.stages.job import RunSky, TileJob
from solarkataster.stages.layout import layout_stage
from solarkataster.stages.light import light_stage
from solarkataster.stages.roofs import roofs_stage
from solarkataster.stages.scene import scene_stage
from solarkataster.surface import merge_surface

#: Edge of the made-up scene: a gabled and a flat house on level ground. [cells]
_SIZE = 72

#: Walls of the two houses; eaves of half a metre reach beyond them. [m]
_GABLED, _FLAT = shapely.box(6.0, 20.0, 18.0, 30.0), shapely.box(6.0, 5.0, 30.0, 15.0)


def warm_kernels(checked: CheckedInputs, sky: RunSky) -> None:
    """
    Run the numeric stages once on two tiny made-up houses, in the types of a real tile.

    Several processes that compile one kernel at once get in each other's way, so the client
    does it before it starts any. What fails on these houses would fail on every building.

    Raises
    ------
    KatasterError
        If a house gets no roof or no module.
    """
    grid = Grid((_SIZE, _SIZE), 0.0, _SIZE * 0.5, 0.5, checked.grid.crs)
    footprints = np.array([_GABLED, _FLAT])
    job = TileJob(
        name="warm-up",
        grid=grid,
        core=grid,
        window=grid,
        # Not read: the surface of the houses is made here.
        dsm=checked.dsm,
        dtm=checked.dtm,
        points=None,
        building_ids=("gabled", "flat"),
        building_index=np.arange(2, dtype=np.int32),
        footprints=footprints,
        use=("", ""),
        neighbours=footprints,
        surroundings=footprints,
        use_around=("", ""),
        index_around=np.arange(2, dtype=np.int32),
        is_monument=np.zeros(2, dtype=bool),
        # Limits of the run's own could leave the houses without a roof or without modules.
        config=checked.config.model_copy(
            update={"roofs": RoofsConfig(), "layout": LayoutConfig(min_irradiation_fraction=0.0)}
        ),
        latitude_deg=50.0,
        convergence_deg=0.0,
        folder=RunFolder(Path()),
        token="",
        stamp="",
    )
    dsm_m = _houses(grid)
    surface = merge_surface(dsm_m, np.zeros_like(dsm_m))
    roofs = roofs_stage(job, surface)
    if any(roofs.reason):
        raise KatasterError(f"a made-up house got no roof: {' '.join(roofs.reason).strip()}")
    scene = scene_stage(job, surface, roofs)
    facades = facades_stage(job, surface, roofs, scene)
    if facades is not None and (facades.failed or facades.receivers is None):
        raise KatasterError(f"a made-up house got no walls: {facades.failed}")
    layout = layout_stage(job, roofs, light_stage(job, scene, roofs, facades, sky), sky)
    if len(np.unique(roofs.building[layout.roof])) < len(footprints):
        raise KatasterError(f"a made-up house got no module: {' '.join(layout.reason).strip()}")
    if checked.points is not None:
        _warm_points(grid, dsm_m)
    if checked.lod2 is not None:
        edge_envelopes(np.zeros((1, 2)), np.ones((1, 2)), np.zeros((0, 8)), 1.0, 0.5)


def _houses(grid: Grid) -> np.ndarray:
    """Heights of the two houses with eaves and a chimney each."""
    easting_m = grid.west_m + (np.arange(_SIZE)[None, :] + 0.5) * grid.cell_size_m
    northing_m = grid.north_m - (np.arange(_SIZE)[:, None] + 0.5) * grid.cell_size_m
    dsm_m = np.zeros(grid.shape, dtype=np.float32)
    for house, height_m in (
        (_GABLED, 8.0 - 0.5 * np.abs(northing_m - 25.0) + 0.0 * easting_m),
        (_FLAT, 7.0 + 0.0 * (northing_m + easting_m)),
    ):
        west, south, east, north = house.buffer(0.5, join_style="mitre").bounds
        is_roof = (easting_m > west) & (easting_m < east)
        is_roof = is_roof & (northing_m > south) & (northing_m < north)
        dsm_m[is_roof] = height_m[is_roof]
        chimney = (np.abs(easting_m - west - 3.0) < 0.8) & (np.abs(northing_m - north + 3.0) < 0.8)
        dsm_m[chimney] += 1.5
    return dsm_m


def _warm_points(grid: Grid, dsm_m: np.ndarray) -> None:
    """Two laser points a cell of the gabled house, as a lattice."""
    row, col = (axis.ravel() for axis in np.mgrid[:_SIZE, :_SIZE])
    east = np.concatenate([grid.west_m + (col + share) * grid.cell_size_m for share in (0.3, 0.7)])
    north = np.tile(grid.north_m - (row + 0.5) * grid.cell_size_m, 2)
    up = np.tile(dsm_m.ravel().astype(np.float64), 2)
    kind, one = np.full(len(up), 20, np.uint8), np.ones(len(up), np.uint8)
    points = index_points(Points(east, north, up, kind, one, one))
    lattice_heights(points.near(_GABLED.bounds, 2.0), _GABLED)
