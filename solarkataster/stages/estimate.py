"""What a run will take, from what the inputs say about themselves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from solarkataster.checks import CheckedInputs
from solarkataster.io.runfolder import RunFolder
from solarkataster.progress import duration
from solarkataster.stages.plan import plan_tiles
from solarkataster.tiling import building_window, tile_window

#: One core, measured on 4 km² of a built-up town at 0.5 m: light of one receiver and azimuth,
#: sweep of one cell and azimuth, roof planes, walls and modules of one building, layers and map of
#: one receiver; light and reflections of one point of a wall. [s]
_SECONDS_PER_RECEIVER = 150e-9
_SECONDS_PER_CELL = 10e-9
_SECONDS_PER_BUILDING = 16e-3
_SECONDS_OF_LAYERS = 10e-6
_SECONDS_PER_WALL_POINT = 50e-6

#: Yields and balances of one building; starting up, the sky, rating and map of however few (demo
#: town and Bonn, kernels compiled). [s]
_SECONDS_OF_YIELDS = 12e-3
_SECONDS_AT_LEAST = 12.0

#: Area of a town's walls per metre of footprint, of two to four storeys, with the points of balcony
#: plants: one point stands for ``along_m`` × ``up_m`` of it. [m²/m]
_POINTS_PER_M2 = 8.0

#: Same run: libraries of one worker; window cells; receivers. [byte]
_BASE_BYTES = 400e6
_BYTES_PER_CELL = 45.0
_BYTES_PER_RECEIVER = 500.0
_BYTES_PER_WALL_POINT = 1500.0


@dataclass(frozen=True)
class Estimate:
    """
    Expected size of a run.

    Parameters
    ----------
    n_tiles : int
        Tiles with buildings.
    worst_worker_bytes : float
        Memory of a worker on the heaviest tile.
    core_seconds : float
        Computing time of the tiles on one core. [s]
    layers_seconds : float
        Computing time of layers and map, which one process makes. [s]
    n_workers : int
    """

    n_tiles: int
    worst_worker_bytes: float
    core_seconds: float
    layers_seconds: float
    n_workers: int

    def __str__(self) -> str:
        n_workers = max(1, min(self.n_workers, self.n_tiles))
        seconds = self.core_seconds / n_workers + self.layers_seconds
        tiles = "1 tile" if self.n_tiles == 1 else f"{self.n_tiles} tiles"
        workers = "1 worker" if n_workers == 1 else f"{n_workers} workers"
        return (
            f"{tiles}, about {self.worst_worker_bytes / 1e9:.1f} GB of memory per worker, "
            f"about {duration(seconds)} with {workers}"
        )


def estimate(checked: CheckedInputs, n_workers: int) -> Estimate:
    """Count tiles, cells and receivers of a run without reading a raster."""
    plan = plan_tiles(checked, RunFolder(Path()), "")
    outlines = checked.footprints.geometry.to_numpy()
    receivers = np.nan_to_num(shapely.area(outlines)) / checked.grid.cell_size_m**2
    n_azimuth, walls = checked.config.horizon.n_azimuth, checked.config.walls
    wall_points = np.nan_to_num(shapely.length(outlines)) * walls.enabled
    wall_points *= _POINTS_PER_M2 / (walls.along_m * walls.up_m)
    worst, seconds = 0.0, 0.0
    for owned in plan.owned:
        known = [one for one in outlines[owned] if one is not None and not one.is_empty]
        window = tile_window(
            checked.grid,
            [
                building_window(checked.grid, one, checked.config.roofs.max_overhang_m)
                for one in known
            ],
            checked.config.horizon.reach_m,
        )
        n_cells, n_receivers = window.shape[0] * window.shape[1], receivers[owned].sum()
        n_points = wall_points[owned].sum()
        needed = n_cells * _BYTES_PER_CELL + n_receivers * _BYTES_PER_RECEIVER
        worst = max(worst, needed + n_points * _BYTES_PER_WALL_POINT)
        seconds += n_points * _SECONDS_PER_WALL_POINT
        seconds += n_azimuth * (n_receivers * _SECONDS_PER_RECEIVER + n_cells * _SECONDS_PER_CELL)
        seconds += len(owned) * _SECONDS_PER_BUILDING
        seconds += len(owned) * _SECONDS_OF_YIELDS * checked.config.yields.enabled
    layers_seconds = _SECONDS_AT_LEAST + float(receivers.sum()) * _SECONDS_OF_LAYERS
    return Estimate(len(plan.tiles), _BASE_BYTES + worst, seconds, layers_seconds, n_workers)
