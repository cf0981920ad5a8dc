"""Compile the kernels, or load them from numba's cache, before any worker starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shapely

from solarkataster.checks import CheckedInputs
from solarkataster.config import RoofsConfig
from solarkataster.errors import KatasterError
from solarkataster.grid import Grid
from solarkataster.io.runfolder import RunFolder
from solarkataster.sky_table import SkyTable
from solarkataster.stages.job import TileJob
from solarkataster.stages.light import light_stage
from solarkataster.stages.roofs import roofs_stage
from solarkataster.surface import merge_surface

#: Edge of the made-up scene: one gabled house on flat ground. [cells]
_SIZE = 48


def warm_kernels(checked: CheckedInputs, sky: SkyTable) -> None:
    """
    Run the numeric stages once on a tiny made-up house, in the types of a real tile.

    Several processes that compile one kernel at once get in each other's way, so the client
    does it before it starts any. What fails on this house would fail on every building.

    Raises
    ------
    KatasterError
        If the house gets no roof.
    """
    grid = Grid((_SIZE, _SIZE), 0.0, _SIZE * 0.5, 0.5, checked.grid.crs)
    _, col = np.mgrid[:_SIZE, :_SIZE]
    dsm_m = np.zeros((_SIZE, _SIZE), dtype=np.float32)
    house = np.s_[12:36, 12:36]
    dsm_m[house] = (8.0 - 0.25 * np.abs(col - 23.5))[house]
    job = TileJob(
        name="warm-up",
        grid=grid,
        core=grid,
        window=grid,
        # Not read: the surface of the house is made here.
        dsm=checked.dsm,
        dtm=checked.dtm,
        building_ids=("house",),
        building_index=np.zeros(1, dtype=np.int32),
        footprints=np.array([shapely.box(6.0, 6.0, 18.0, 18.0)]),
        # A minimum area of the run's own could leave the house without a roof.
        config=checked.config.model_copy(update={"roofs": RoofsConfig()}),
        convergence_deg=0.0,
        folder=RunFolder(Path()),
        token="",
        stamp="",
    )
    surface = merge_surface(dsm_m, np.zeros_like(dsm_m))
    roofs = roofs_stage(job, surface)
    if roofs.receivers is None:
        raise KatasterError(f"the made-up house got no roof: {roofs.reason[0]}")
    light_stage(job, surface, roofs, sky)
