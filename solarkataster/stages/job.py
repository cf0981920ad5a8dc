"""What passes between the stages of a tile, and what each is told about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.config import Config
from solarkataster.grid import Grid
from solarkataster.io.citymodels import CityModelSource
from solarkataster.io.pointclouds import PointSource
from solarkataster.io.rasters import RasterSource
from solarkataster.io.runfolder import RunFolder
from solarkataster.irradiance import Light
from solarkataster.layout.racks import Racks
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
    points : PointSource or None
        Laser points that roof planes are taken from.
    building_ids : tuple of str, length n_building
    building_index : ndarray, shape (n_building,), int32
        Position of each building in the input; lower ones win where footprints overlap.
    footprints : ndarray of shapely geometry, shape (n_building,)
    neighbours : ndarray of shapely geometry, shape (n_near,)
        Every footprint near one of the tile's, its own included: no roof reaches into another.
    is_monument : ndarray of bool, shape (n_building,)
    config : Config
    latitude_deg : float
        Of the raster's middle; gives the winter sun. [°]
    convergence_deg : float
        Meridian convergence: true azimuth less grid azimuth. [°]
    folder : RunFolder
    token : str
        Shown when the tile writes; see :func:`solarkataster.io.runfolder.write_permit`.
    stamp : str
        Digest of all this tile's results depend on.
    lod2 : CityModelSource or None
        Buildings of the city model near the tile's.
    """

    name: str
    grid: Grid
    core: Grid
    window: Grid
    dsm: RasterSource
    dtm: RasterSource
    points: PointSource | None
    building_ids: tuple[str, ...]
    building_index: np.ndarray
    footprints: np.ndarray
    neighbours: np.ndarray
    is_monument: np.ndarray
    config: Config
    latitude_deg: float
    convergence_deg: float
    folder: RunFolder
    token: str
    stamp: str
    lod2: CityModelSource | None = None


@dataclass(frozen=True)
class TileRoofs:
    """
    Roof planes of a tile's buildings, what stands on them, and their receivers.

    Parameters
    ----------
    building : ndarray, shape (n_roof,), int32
        Building of each plane, as numbered in the job.
    number : ndarray, shape (n_roof,), int32
        Number of the plane in its building, from 1.
    outline : ndarray of shapely geometry, shape (n_roof,)
    slope_east, slope_north : ndarray, shape (n_roof,)
        Rise per metre towards grid east and grid north. [–]
    is_level, is_flat : ndarray, shape (n_roof,), bool
        Planes without a facing; planes flat enough for racks.
    no_data_fraction : ndarray, shape (n_roof,)
        Share of the plane that was not measured. [–]
    obstacles : tuple of ndarray of shapely geometry, length n_roof
        What takes area from each plane, in plan. [m]
    kind, quality : tuple of str, length n_roof
        ``roof`` or ``dormer``; remarks on the plane's own data.
    roof_around : ndarray of shapely geometry, shape (n_roof,)
        Outline of the roof without the planes that lie lower beside each plane. [m]
    racks : tuple of Racks or None, length n_roof
        Racks of flat roofs.
    rack_surface : ndarray, shape (n_roof,), int32
        First surface of the plane's racks among the receivers' surfaces; −1 without.
    sides : TileSides
    superstructures : TileSuperstructures
    receivers : Receivers or None
        In cells of the job's window; their first n_roof surfaces are the roofs, racks follow.
        None if there is no roof.
    n_on_roof : int
        How many of the receivers, the first ones, belong to roofs.
    unmeasured : ndarray of shapely geometry, shape (n_building,)
        Where planes go on over what was not measured; None if nowhere.
    height_m, overhang_m : ndarray, shape (n_building,)
        Highest plane above the terrain; mean depth of the eaves. NaN if unknown. [m]
    reason : tuple of str, length n_building
        Empty, or why the building has no roof.
    marks : tuple of tuple of str, length n_building
        What the data have against the building.
    n_failed : int
        Buildings whose roof could not be computed.
    """

    building: np.ndarray
    number: np.ndarray
    outline: np.ndarray
    slope_east: np.ndarray
    slope_north: np.ndarray
    is_level: np.ndarray
    is_flat: np.ndarray
    no_data_fraction: np.ndarray
    obstacles: tuple[np.ndarray, ...]
    kind: tuple[str, ...]
    quality: tuple[str, ...]
    roof_around: np.ndarray
    racks: tuple[Racks | None, ...]
    rack_surface: np.ndarray
    sides: TileSides
    superstructures: TileSuperstructures
    receivers: Receivers | None
    n_on_roof: int
    unmeasured: np.ndarray
    height_m: np.ndarray
    overhang_m: np.ndarray
    reason: tuple[str, ...]
    marks: tuple[tuple[str, ...], ...]
    n_failed: int

    def __len__(self) -> int:
        return len(self.building)


@dataclass(frozen=True)
class TileSides:
    """Straight sides of footprints: building, ends (n_side, 2) [m], depth of the eaves [m]."""

    building: np.ndarray
    number: np.ndarray
    start: np.ndarray
    end: np.ndarray
    overhang_m: np.ndarray
    source: tuple[str, ...]


@dataclass(frozen=True)
class TileSuperstructures:
    """Superstructures: building, plane of the tile (n,), polygon, kind, height over it [m]."""

    building: np.ndarray
    number: np.ndarray
    roof: np.ndarray
    polygon: np.ndarray
    kind: tuple[str, ...]
    height_m: np.ndarray


@dataclass(frozen=True)
class TileLight:
    """``seen``: of the n receivers; ``open_sky``: of the n_surface planes with an open horizon."""

    seen: Light
    open_sky: Light


@dataclass(frozen=True)
class TileLayout:
    """
    Modules of a tile's roofs.

    Parameters
    ----------
    usable_area_m2 : ndarray, shape (n_roof,)
        Inclined. [m²]
    n_modules : ndarray, shape (n_roof,), int32
    module_tilt, module_grid_azimuth : ndarray, shape (n_roof,)
        NaN without modules; no azimuth if level or if modules face two ways. [°]
    reason : tuple of str, length n_roof
        Why there is no module, and what is missing.
    roof : ndarray, shape (n_module,), int32
        Plane of each module.
    corners : ndarray, shape (n_module, 4, 2)
        Easting and northing. [m]
    row, column : ndarray, shape (n_module,), int32
    is_portrait : ndarray, shape (n_module,), bool
    tilt, grid_azimuth : ndarray, shape (n_module,)
        [°]
    poa_global_year_kwh_m2 : ndarray, shape (n_module,)
        Light of the module. [kWh/m²]
    """

    usable_area_m2: np.ndarray
    n_modules: np.ndarray
    module_tilt: np.ndarray
    module_grid_azimuth: np.ndarray
    reason: tuple[str, ...]
    roof: np.ndarray
    corners: np.ndarray
    row: np.ndarray
    column: np.ndarray
    is_portrait: np.ndarray
    tilt: np.ndarray
    grid_azimuth: np.ndarray
    poa_global_year_kwh_m2: np.ndarray
