"""What passes between the stages of a tile, and what each is told about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solarkataster.canopy import Blocks, Canopy
from solarkataster.config import Config
from solarkataster.grid import Grid
from solarkataster.io.citymodels import CityModelSource
from solarkataster.io.pointclouds import PointSource
from solarkataster.io.rasters import RasterSource
from solarkataster.io.runfolder import RunFolder
from solarkataster.irradiance import Light
from solarkataster.layout.racks import Racks
from solarkataster.receivers import Receivers
from solarkataster.roofs.model import RoofModel
from solarkataster.rules.rating import Visibility
from solarkataster.scenario import Changes
from solarkataster.sky_table import SkyTable
from solarkataster.surface_records import SurfaceRecords
from solarkataster.trees import Trees


@dataclass(frozen=True)
class TilePlants:
    """
    Where plants stand around a tile; None where the config names no input.

    Parameters
    ----------
    trees : Trees or None
        Of the cadastre, those that may reach into the window.
    canopy, land_cover : RasterSource or None
        Heights above the ground, and classes.
    points : PointSource or None
        Laser points of the whole window.
    """

    trees: Trees | None = None
    canopy: RasterSource | None = None
    land_cover: RasterSource | None = None
    points: PointSource | None = None


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
    use : tuple of str, length n_building
        Use of each building as the input has it; empty if unknown.
    neighbours : ndarray of shapely geometry, shape (n_near,)
        Every footprint near one of the tile's, its own included: no roof reaches into another.
    surroundings : ndarray of shapely geometry, shape (n_around,)
        Every footprint in the window, in the order of the input: what walls look at.
    use_around : tuple of str, length n_around
        Use of each of them.
    index_around : ndarray, shape (n_around,), int32
        Position of each in the input, as ``building_index``.
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
    changes : Changes
        Of a what-if scenario, those that reach into the window.
    plants : TilePlants
    public_space : ndarray of shapely geometry or None
        Public ground in the window; None if the config names none.
    visibility : Visibility or None
        How monuments are looked at; None if the config wants no rating.
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
    use: tuple[str, ...]
    neighbours: np.ndarray
    surroundings: np.ndarray
    use_around: tuple[str, ...]
    index_around: np.ndarray
    is_monument: np.ndarray
    config: Config
    latitude_deg: float
    convergence_deg: float
    folder: RunFolder
    token: str
    stamp: str
    lod2: CityModelSource | None = None
    changes: Changes = field(default_factory=Changes)
    plants: TilePlants = TilePlants()
    public_space: np.ndarray | None = None
    visibility: Visibility | None = None


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
    models : tuple of RoofModel or None, length n_building
        What the walls take their tops and eaves from.
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
    view : (ndarray of str, ndarray of str), shapes (n_roof,) and (n_building,), or None
        Whether planes and roofs of monuments are seen from public space.
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
    models: tuple[RoofModel | None, ...]
    unmeasured: np.ndarray
    height_m: np.ndarray
    overhang_m: np.ndarray
    reason: tuple[str, ...]
    marks: tuple[tuple[str, ...], ...]
    n_failed: int
    view: tuple[np.ndarray, np.ndarray] | None = None

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
class TileScene:
    """
    What casts shadows on a tile.

    Parameters
    ----------
    solid_m : ndarray, shape (ny, nx), float32
        The surface without crowns. [m]
    building : ndarray, shape (ny, nx), int32
        Footprint of the surroundings in each cell from 1, 0 for none.
    canopy : Canopy or None
        Crowns over it; None if the config wants none taken out.
    blocks : Blocks or None
        What stands outside all footprints and is no plant.
    """

    solid_m: np.ndarray
    building: np.ndarray
    canopy: Canopy | None
    blocks: Blocks | None


@dataclass(frozen=True)
class TileFacades:
    """
    Walls of a tile's buildings, and the points on them.

    Parameters
    ----------
    building : ndarray, shape (n_wall,), int32
        Building of each wall, as numbered in the job.
    number : ndarray, shape (n_wall,), int32
        Number of the wall in its building, from 1.
    grid_azimuth : ndarray, shape (n_wall,)
        Where it faces, clockwise from grid north. [°]
    length_m, area_m2, hidden_area_m2, buried_area_m2 : ndarray, shape (n_wall,)
        Length; area that is seen, of it behind what stands right before the wall; area that
        neighbours hide. [m, m²]
    foot_m, top_m, ground_m : ndarray, shape (n_wall,)
        Lowest visible and highest point; mean terrain. NaN if nothing is seen. [m]
    overhang_m : ndarray, shape (n_wall,)
        Depth of the eaves above, mean by length. [m]
    overhang_source : tuple of str, length n_wall
        ``surface``, ``points``, ``party wall`` or ``config``.
    is_courtyard : ndarray of bool, shape (n_wall,)
    outline : ndarray of shapely geometry, shape (n_wall,)
        What is seen of the wall, in space; None if nothing is. [m]
    reason, quality : tuple of str, length n_wall
        Why nothing of a wall is seen; remarks on its data.
    receivers : Receivers or None
        Points of the walls, then of the balcony plants that do not hang upright; their surfaces are
        straight chords of walls, then the same tilted. None if no wall is seen.
    n_on_wall : int
        How many of the receivers, the first ones, belong to walls.
    wall, storey : ndarray, shape (n_receiver,), int32
        Of each receiver; storey 0 at the ground.
    point_area_m2, height_m, easting_m, northing_m : ndarray, shape (n_on_wall,)
        Share of the wall's area, height over the terrain, place on the wall's line. [m², m]
    overhang_point_m, top_over_m : ndarray, shape (n_on_wall,)
        Depth of the eaves above, and their height over the point. [m]
    surface_m : ndarray, shape (ny, nx), float32
        What the walls look at: the surface without eaves. [m]
    failed : tuple of tuple of int and str
        Buildings whose walls could not be computed, and why.
    """

    building: np.ndarray
    number: np.ndarray
    grid_azimuth: np.ndarray
    length_m: np.ndarray
    area_m2: np.ndarray
    hidden_area_m2: np.ndarray
    buried_area_m2: np.ndarray
    foot_m: np.ndarray
    top_m: np.ndarray
    ground_m: np.ndarray
    overhang_m: np.ndarray
    overhang_source: tuple[str, ...]
    is_courtyard: np.ndarray
    outline: np.ndarray
    reason: tuple[str, ...]
    quality: tuple[str, ...]
    receivers: Receivers | None
    n_on_wall: int
    wall: np.ndarray
    storey: np.ndarray
    point_area_m2: np.ndarray
    height_m: np.ndarray
    easting_m: np.ndarray
    northing_m: np.ndarray
    overhang_point_m: np.ndarray
    top_over_m: np.ndarray
    surface_m: np.ndarray
    failed: tuple[tuple[int, str], ...]

    def __len__(self) -> int:
        return len(self.building)


@dataclass(frozen=True)
class RunSky:
    """
    The year's light as each kind of receiver asks for it.

    Parameters
    ----------
    roofs, walls : SkyTable
        With as many azimuths as each needs.
    reflectors : SkyTable
        Of what reflects, with few azimuths.
    """

    roofs: SkyTable
    walls: SkyTable
    reflectors: SkyTable


@dataclass(frozen=True)
class TileLight:
    """
    Light of a tile's receivers.

    Parameters
    ----------
    seen, open_sky : Light or None
        Of the n receivers of roofs; of their n_surface planes with an open horizon. None without.
    on_walls, open_walls : Light or None
        The same of walls.
    wall_band : ndarray, shape (2, n_wall), or None
        Light of each wall with eaves deeper and less deep by their uncertainty, as a share. [–]
    roof_records, wall_records : SurfaceRecords or None
        What roof planes and racks, and chords of walls, see of the sky.
    """

    seen: Light | None
    open_sky: Light | None
    on_walls: Light | None = None
    open_walls: Light | None = None
    wall_band: np.ndarray | None = None
    roof_records: SurfaceRecords | None = None
    wall_records: SurfaceRecords | None = None


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
