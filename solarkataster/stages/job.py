"""What passes between the stages of a tile, and what each is told about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.config import Config
from solarkataster.grid import Grid
from solarkataster.io.rasters import RasterSource
from solarkataster.io.runfolder import RunFolder
from solarkataster.irradiance import Light
from solarkataster.receivers import Receivers


@dataclass(frozen=True)
class TileJob:
    """
    One tile of one run.

    Parameters
    ----------
    name : str
        Name of the tile.
    grid, core, window : Grid
        The whole raster, the tile's own square, and what the tile reads.
    dsm, dtm : RasterSource
        Where the heights come from.
    building_ids : tuple of str, length n_building
    building_index : ndarray, shape (n_building,), int32
        Position of each building in the input; lower ones win where footprints overlap.
    footprints : ndarray of shapely geometry, shape (n_building,)
    config : Config
    convergence_deg : float
        Meridian convergence: true azimuth less grid azimuth. [°]
    folder : RunFolder
    token : str
        Shown when the tile writes; see :func:`solarkataster.io.runfolder.write_permit`.
    stamp : str
        Digest of all this tile's results depend on.
    """

    name: str
    grid: Grid
    core: Grid
    window: Grid
    dsm: RasterSource
    dtm: RasterSource
    building_ids: tuple[str, ...]
    building_index: np.ndarray
    footprints: np.ndarray
    config: Config
    convergence_deg: float
    folder: RunFolder
    token: str
    stamp: str


@dataclass(frozen=True)
class TileRoofs:
    """
    Roof planes of a tile's buildings and their receivers.

    Parameters
    ----------
    building : ndarray, shape (n_roof,), int32
        Building of each plane, as numbered in the job.
    number : ndarray, shape (n_roof,), int32
        Number of the plane in its building, from 1.
    outline : ndarray of shapely geometry, shape (n_roof,)
    ground_area_m2 : ndarray, shape (n_roof,)
        Area of the outline. [m²]
    is_level : ndarray, shape (n_roof,), bool
        Planes without a facing.
    receivers : Receivers or None
        In cells of the job's window; their surface is the roof. None if there is no roof.
    height_m : ndarray, shape (n_building,)
        Highest plane above the terrain; NaN if unknown. [m]
    reason : tuple of str, length n_building
        Empty, or why the building has no roof.
    marks : tuple of tuple of str, length n_building
        What the surface model has against the building.
    n_failed : int
        Buildings whose roof could not be computed.
    """

    building: np.ndarray
    number: np.ndarray
    outline: np.ndarray
    ground_area_m2: np.ndarray
    is_level: np.ndarray
    receivers: Receivers | None
    height_m: np.ndarray
    reason: tuple[str, ...]
    marks: tuple[tuple[str, ...], ...]
    n_failed: int


@dataclass(frozen=True)
class TileLight:
    """``seen``: of the n receivers; ``open_sky``: of the n_roof planes with an open horizon."""

    seen: Light
    open_sky: Light
