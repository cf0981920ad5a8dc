"""Sections of a municipality's config file: one frozen model each, every key with its reason."""

from __future__ import annotations

import datetime
import itertools
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)
from pydantic_core import PydanticCustomError

_GERMAN_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _absolute(value: Any, info: ValidationInfo) -> Any:
    """A path or pattern as text, absolute; relative ones start at the config file's folder."""
    if not isinstance(value, str | Path) or not str(value).strip():
        return value
    folder = (info.context or {}).get("folder") or Path.cwd()
    return os.path.normpath(Path(folder) / Path(value).expanduser())


def _patterns(value: Any, info: ValidationInfo) -> Any:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(_absolute(one, info) for one in values)


def _date_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    """Limits of classes, the worst first; the other way round every class would be wrong."""
    if not all(low < high for low, high in itertools.pairwise(values)):
        raise PydanticCustomError("not_rising", "values that rise from first to last")
    return values


_Rising = AfterValidator(_rising)
_Text = Annotated[str, Field(min_length=1)]
_FilePath = Annotated[Path, BeforeValidator(_absolute), Field(strict=False)]
_RasterPatterns = Annotated[
    tuple[_Text, ...], BeforeValidator(_patterns), Field(min_length=1, strict=False)
]
_Date = Annotated[str, BeforeValidator(_date_text)]
_Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """What all sections share: no unknown key, no silent conversion, no change after loading."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )


class MunicipalityConfig(Section):
    """Whose solar cadastre this is."""

    name: Annotated[_Text, Field(examples=["Musterstadt"])]
    """Name as citizens read it on the map."""

    @property
    def slug(self) -> str:
        """The name as a folder name: lower case, ASCII, hyphens."""
        text = self.name.lower().translate(_GERMAN_LETTERS)
        return re.sub(r"[^a-z0-9]+", "-", text).strip("-") or "municipality"


class InputsConfig(Section):
    """
    The municipality's files. Paths start at this file's folder; ${VARIABLE} and
    ${VARIABLE:-default} are expanded. Rasters may be a file, a list or a glob.
    """

    dsm: Annotated[_RasterPatterns, Field(examples=["dsm/*.tif"])]
    """Surface model: heights above the datum with buildings and trees, in metres. Its cells are
    the grid of the run; its tiles must lie on one lattice."""

    dtm: Annotated[_RasterPatterns, Field(examples=["dtm/*.tif"])]
    """Terrain model: bare ground in the same coordinate system and height datum. It may be coarser
    or shifted; it is then read bilinearly on the cells of the surface model."""

    footprints: Annotated[_FilePath, Field(examples=["footprints.gpkg"])]
    """Building footprints: GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet."""

    footprint_id: Annotated[_Text, Field(examples=["gml_id"])]
    """Column with one unique id per footprint; it becomes building_id and is never renumbered."""

    footprint_use: Annotated[_Text | None, Field(examples=["gebaeudefunktion"])] = None
    """Column with the use of the building (ALKIS function code or any other); it chooses the shares
    of windows and balconies in [walls]."""

    footprint_layer: Annotated[_Text | None, Field(examples=["buildings"])] = None
    """Layer of the footprint file; needed only when it holds more than one."""

    weather: Annotated[_FilePath, Field(examples=["TRY2015_Jahr.dat"])]
    """One year of hourly weather: DWD test reference year (.dat), EPW or CSV."""

    points: Annotated[
        _RasterPatterns | None, Field(examples=["laser/*.laz"], validate_default=False)
    ] = None
    """Laser points (LAS, LAZ, COPC) in the coordinate system and height datum of the surface model.
    Given, roof planes are taken from them instead of the surface model's cells; shadows always come
    from the surface model."""

    lod2: Annotated[
        _RasterPatterns | None, Field(examples=["lod2/*.gml"], validate_default=False)
    ] = None
    """City model of level of detail 2 (CityGML 1.0 and 2.0, CityJSON) in the coordinate system and
    height datum of the surface model; a file, a list or a glob. Given, walls are taken from its
    wall surfaces where they stand on the footprint."""

    monuments: Annotated[_FilePath | None, Field(examples=["monuments.gpkg"])] = None
    """Monuments and protected ensembles as areas or points; buildings they touch are marked."""

    trees: Annotated[_FilePath | None, Field(examples=["trees.gpkg"])] = None
    """Tree cadastre: one point per tree, as GeoPackage, GeoJSON, Shapefile, FlatGeobuf,
    GeoParquet or CSV (x and y, or lon and lat). Columns of any name, see [trees]."""

    canopy: Annotated[
        _RasterPatterns | None, Field(examples=["canopy/*.tif"], validate_default=False)
    ] = None
    """Canopy height above the ground, in metres, in the coordinate system of the surface model;
    nodata or 0 where there is no crown. It may be coarser; it is then read bilinearly. It confirms
    the crowns of the surface model and adds those that this lacks."""

    land_cover: Annotated[
        _RasterPatterns | None, Field(examples=["land_cover.tif"], validate_default=False)
    ] = None
    """Land cover: a class number in each cell, in the coordinate system of the surface model. It
    may be coarser; the nearest cell counts."""

    surface_model_date: Annotated[_Date | None, Field(examples=["2024-03-15"])] = None
    """Date of the flight, for the map and the layers; buildings newer than it are missing."""

    footprint_date: Annotated[_Date | None, Field(examples=["2024-06-01"])] = None
    """Date of the footprints, for the map and the layers."""

    attribution: Annotated[
        tuple[_Text, ...], Field(strict=False, examples=[["© GeoBasis-DE / LVermGeoRP"]])
    ] = ()
    """Owners that the licences of the data want named; one line each, shown on the map."""


class WeatherConfig(Section):
    """How to read the weather file; only a CSV needs more than the defaults."""

    format: Literal["auto", "try", "epw", "csv"] = "auto"
    """Format of the file; auto goes by its first lines."""

    label: Annotated[Literal["start", "centre", "end"] | None, Field(examples=["end"])] = None
    """Which moment of the hour the time stamps name. Without it the format's custom is
    taken (end of the hour) and the run stops if clear days contradict it; 30 minutes cost 2 % and
    swap east and west."""

    max_distance_km: Annotated[float, Field(gt=0)] = 100.0
    """Farthest weather site accepted, in km from the middle of the surface model. A test reference
    year stands for a climate region; 100 km reaches every neighbouring station."""

    columns: dict[str, str] = Field(
        default={}, examples=['{ time = "time", ghi = "G_hor", dhi = "D_hor" }']
    )
    """CSV only: which of its columns hold time, ghi, dhi, bhi, dni, temp_air, wind_speed
    (W/m², °C, m/s)."""

    latitude: Annotated[float | None, Field(ge=-90, le=90, examples=[50.73])] = None
    """CSV only: latitude of the site, in degrees north."""

    longitude: Annotated[float | None, Field(ge=-180, le=180, examples=[7.1])] = None
    """CSV only: longitude of the site, in degrees east."""

    elevation_m: Annotated[float, Field(ge=-500, le=9000)] = 0.0
    """CSV only: height of the site above the sea, in m; enters the air mass."""

    utc_offset_hours: Annotated[float | None, Field(ge=-14, le=14, examples=[1.0])] = None
    """CSV only: offset of its clock from UTC, in hours, without daylight saving (MEZ is 1)."""


class PointsConfig(Section):
    """What the classes of the laser points mean; needed only for points classified otherwise."""

    roof_classes: Annotated[tuple[int, ...], Field(strict=False, min_length=1)] = (0, 1, 6, 20)
    """Classes that may be a roof: never classified (0), unclassified (1), building (6), and what
    Rheinland-Pfalz delivers for all that is not ground (20), trees included."""

    ground_classes: Annotated[tuple[int, ...], Field(strict=False)] = (2,)
    """Classes of the ground."""

    crs: Annotated[_Text | None, Field(examples=["EPSG:25832"])] = None
    """Coordinate system of point files that name none. Without it such a file stops the run."""


class TreesConfig(Section):
    """
    What the columns of the tree cadastre mean, and how much light passes a crown. Columns that are
    left out are found by their usual German and English names; `check` says which were taken.
    """

    layer: Annotated[_Text | None, Field(examples=["trees"])] = None
    """Layer of the tree cadastre; needed only when the file holds more than one."""

    id: Annotated[_Text | None, Field(examples=["baumnummer"])] = None
    """Column with the number of the tree; what-if scenarios fell trees by it."""

    x_column: Annotated[_Text | None, Field(examples=["rechtswert"])] = None
    """CSV only: column with the easting or longitude."""

    y_column: Annotated[_Text | None, Field(examples=["hochwert"])] = None
    """CSV only: column with the northing or latitude."""

    crs: Annotated[_Text | None, Field(examples=["EPSG:25832"])] = None
    """Coordinate system of a cadastre that names none. Without it such a file stops the run; only
    columns named lon and lat need none."""

    height_column: Annotated[_Text | None, Field(examples=["baumhoehe"])] = None
    """Column with the height of the tree above the ground."""

    height_unit: Literal["m", "dm", "cm", "ft"] = "m"
    """Unit of the heights."""

    crown_diameter_column: Annotated[_Text | None, Field(examples=["kronendurchmesser"])] = None
    """Column with the diameter of the crown."""

    crown_unit: Literal["m", "dm", "cm", "ft"] = "m"
    """Unit of the crowns' diameters and bases."""

    crown_base_column: Annotated[_Text | None, Field(examples=["kronenansatz"])] = None
    """Column with the height of the crown's underside above the ground."""

    species_column: Annotated[_Text | None, Field(examples=["art_botanisch"])] = None
    """Column with the species or genus, botanical or German; gives the kind of leaves, and the
    size of trees without one."""

    default_crown_base_fraction: Annotated[float, Field(ge=0, le=0.95)] = 0.25
    """Underside of crowns of unknown base, as a share of the tree's height: street trees are
    pruned to 2.5 m over footpaths and 4.5 m over roads, trees in gardens reach farther down."""

    max_height_m: Annotated[float, Field(gt=0)] = 70.0
    """Trees said to be taller have a wrong height, in m: Germany's tallest tree, a Douglas fir near
    Freiburg, has 67 m."""

    max_crown_diameter_m: Annotated[float, Field(gt=0)] = 40.0
    """Crowns said to be wider are wrong, in m; old beeches and planes reach 30 m."""

    max_bad_fraction: _Fraction = 0.05
    """Share of the trees that may have no place, no size or a wrong size: more is a damaged export
    or another unit."""

    deciduous_transmissivity: Annotated[
        tuple[_Fraction, ...], Field(strict=False, min_length=12, max_length=12)
    ] = (0.5, 0.5, 0.5, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.5)
    """Share of light that passes crowns which lose their leaves, January to December. Measured: 1
    to 5 % (Konarska et al. 2014) and 11 to 24 % (Wilkinson 1992) in leaf, 40 to 54 % bare."""

    evergreen_transmissivity: Annotated[
        tuple[_Fraction, ...], Field(strict=False, min_length=12, max_length=12)
    ] = (0.15,) * 12
    """Share of light that passes evergreen crowns, January to December. Measured: Scots pine 27 to
    30 % (Wilkinson 1992); spruce and yew pass less."""

    flight_season: Annotated[Literal["summer", "winter"] | None, Field(examples=["winter"])] = None
    """When the surface model was flown: with leaves (summer) or without (winter). A winter flight
    shows bare crowns too low and full of holes, so the cadastre's trees count in full there."""

    from_surface: bool = True
    """Take plants out of the surface model by their roughness, so that light passes them in part.
    Without it all that stands there blocks light as a house does."""

    from_points: bool = False
    """Take plants from laser points of the classes below too; reads all points around a tile."""

    canopy_classes: Annotated[tuple[int, ...], Field(strict=False)] = (3, 4, 5)
    """Classes of laser points that are plants: low, medium and high vegetation of ASPRS."""

    land_cover_trees: Annotated[tuple[int, ...], Field(strict=False)] = ()
    """Class numbers of the land cover that mean trees; ESA WorldCover has 10. Without any the land
    cover confirms no crown."""


class Lod2Config(Section):
    """How the city model is read; needed only for files that leave something out."""

    crs: Annotated[_Text | None, Field(examples=["EPSG:25832"])] = None
    """Coordinate system of files that name none. Without it such a file stops the run."""


class RoofsConfig(Section):
    """How roof planes are found and where light is collected on them."""

    min_plane_area_m2: Annotated[float, Field(gt=0)] = 2.5
    """Smallest roof plane kept, in m² of inclined area: one module and a margin."""

    lift_m: Annotated[float, Field(ge=0, le=2)] = 0.1
    """Height of the receivers above the fitted plane, in m. It keeps the few centimetres of noise
    in the surface from raising the roof's own horizon."""

    overhang: bool = True
    """Let roofs reach beyond the footprint where the heights show eaves. Official outlines are
    walls; half a metre of eaves around a house of 9 x 9 m is 23 % more roof."""

    max_overhang_m: Annotated[float, Field(gt=0, le=5)] = 1.5
    """Deepest overhang looked for, in m; what reaches farther is another building or a canopy."""

    superstructure_height_m: Annotated[float, Field(gt=0, le=3)] = 0.3
    """What stands this far out of its plane, in m, is cut out of the usable area: chimneys,
    dormers, lift housings, parapets. Lower things are within what noise and roof tiles do."""


class LayoutConfig(Section):
    """The modules that are laid on the roofs, and the distances they keep."""

    module_length_m: Annotated[float, Field(gt=0.2, le=5)] = 1.762
    """Long side of a module, in m."""

    module_width_m: Annotated[float, Field(gt=0.2, le=5)] = 1.134
    """Short side of a module, in m."""

    module_power_wp: Annotated[float, Field(gt=0)] = 440.0
    """Rated power of a module, in Wp."""

    module_gap_m: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Gap between neighbouring modules, in m: the clamps."""

    orientation: Literal["best", "portrait", "landscape"] = "best"
    """Long side up the slope (portrait) or level (landscape); best takes what holds more."""

    eaves_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from the eaves, in m along the roof."""

    ridge_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from ridges, hips, valleys and the walls of higher parts, in m along the roof."""

    verge_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from verges (the sloping edges at a gable), in m along the roof."""

    obstacle_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from chimneys, dormers and other superstructures, in m along the roof."""

    flat_edge_m: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Distance from the edge of flat roofs, in m, also above a lower wing: wind, and people who
    walk there."""

    flat_max_tilt_deg: Annotated[float, Field(ge=0, le=30)] = 10.0
    """Roofs up to this tilt are flat, in degrees: modules stand on racks there."""

    flat_layout: Literal["south", "east_west", "flush"] = "south"
    """Modules on flat roofs: rows that face south, back to back facing east and west, or flush with
    the roof."""

    rack_alignment: Literal["building", "south"] = "building"
    """Rows of racks follow the longest wall (and face the nearest direction to south), or face
    exactly south."""

    rack_tilt_deg: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Tilt of racked modules, in degrees."""

    rack_aisle_m: Annotated[float, Field(ge=0, le=5)] = 0.5
    """Aisle between two pairs of east-west racks, in m. Rows that face south keep as much as leaves
    them unshaded by each other at noon of the shortest day, and at least this."""

    min_irradiation_fraction: _Fraction = 0.6
    """Parts of a roof that get less than this share of the best open plane at the site hold no
    modules."""

    min_pitched_area_m2: Annotated[float, Field(ge=0)] = 10.0
    """Least module area on a pitched roof, in m²; smaller plants are not worth their scaffold
    (solar atlas of Baden-Württemberg)."""

    min_flat_area_m2: Annotated[float, Field(ge=0)] = 25.0
    """Least module area on a flat roof, in m² (solar atlas of Baden-Württemberg)."""


class WallsConfig(Section):
    """Which walls are rated, where light is collected on them, and what is taken off their area."""

    enabled: bool = True
    """Rate walls beside roofs."""

    n_azimuth: Annotated[int, Field(ge=8, le=1440)] = 120
    """Directions of the horizon of walls. 120 are within 1 % of 720; fewer are not."""

    along_m: Annotated[float, Field(ge=0.2, le=10)] = 1.0
    """Largest distance of the points along a wall, in m."""

    up_m: Annotated[float, Field(ge=0.2, le=10)] = 1.5
    """Largest distance of the points up a wall, in m."""

    storey_height_m: Annotated[float, Field(ge=2, le=6)] = 2.8
    """Floor to floor, in m."""

    gap_m: Annotated[float, Field(ge=0, le=3)] = 0.4
    """A neighbour no farther than this hides a wall as if it touched it, in m; at least half a cell
    is taken."""

    eaves_depth_m: Annotated[float, Field(ge=0, le=3)] = 0.5
    """Depth of eaves over walls where the heights cannot show it, in m; such walls are marked. Half
    a metre takes 12 % of a wall's light. Flat roofs and parapets are taken to have none."""

    eaves_uncertainty_m: Annotated[float, Field(ge=0, le=2)] = 0.3
    """Standard uncertainty of that depth, in m; it goes into the wall's band of irradiation."""

    measured_eaves_uncertainty_m: Annotated[float, Field(ge=0, le=2)] = 0.1
    """Standard uncertainty of a depth that was measured, in m."""

    window_fraction: _Fraction = 0.25
    """Share of a wall that windows and doors take. Nothing measured: an assumption to be set to the
    municipality's own houses."""

    balcony_fraction: _Fraction = 0.05
    """Share of a wall that balconies and the like take beside windows; an assumption too."""

    window_fraction_by_use: dict[str, _Fraction] = Field(
        default={}, examples=['{ "2020" = 0.45, "3000" = 0.3 }']
    )
    """Share of windows by the value of the footprints' column ``footprint_use``."""

    balcony_fraction_by_use: dict[str, _Fraction] = Field(
        default={}, examples=['{ "2020" = 0.0, "1020" = 0.1 }']
    )
    """Share of balconies by the same value."""

    class_thresholds: Annotated[
        tuple[float, float, float, float],
        Field(strict=False, min_length=4, max_length=4),
        _Rising,
    ] = (0.723, 0.815, 0.9075, 0.97)
    """From which share of the best open vertical plane at the site on a wall is called mittel, gut,
    sehr gut and hervorragend (shares of the solar atlas of Baden-Württemberg); below: gering."""

    balcony_modules: Annotated[int, Field(ge=1, le=8)] = 2
    """Modules of a balcony plant (of the power in [layout])."""

    balcony_inverter_w: Annotated[float, Field(gt=0)] = 800.0
    """Output its inverter may reach, in W (§ 8 Abs. 5a EEG 2023)."""

    balcony_tilt_deg: Annotated[float, Field(ge=0, lt=90)] = 70.0
    """Tilt of a balcony plant that does not hang upright, in degrees."""

    balcony_class_kwh: Annotated[
        tuple[float, float, float],
        Field(strict=False, min_length=3, max_length=3),
        _Rising,
    ] = (250.0, 400.0, 550.0)
    """From which yield in kWh a year on a balcony plant is called mittel, gut and sehr gut; below:
    gering."""

    elements: bool = False
    """Write the single points of the walls as a layer of their own; it is large."""


class HorizonConfig(Section):
    """How far and how finely the skyline is seen."""

    reach_m: Annotated[float, Field(gt=0, le=20_000)] = 500.0
    """Obstacles nearer than this are always seen, in m; also the halo of a tile. A 40 m tower casts
    500 m of shadow while the sun is under 5°."""

    n_azimuth: Annotated[int, Field(ge=8, le=1440)] = 72
    """Directions of the horizon. 72 suffice for roofs: 0.3 % RMSE against 720."""


class IrradiationConfig(Section):
    """How the weather becomes light on a surface."""

    sky: Literal["perez", "perez-driesse", "all-weather"] = "perez"
    """Where sky light comes from. perez and perez-driesse, as in pvlib: an even dome, light around
    the sun, a band at the horizon. all-weather: a radiance for every direction (Perez, Seals and
    Michalsky 1993), for walls, courtyards and streets, where half of the sky is hidden."""

    albedo: _Fraction = 0.2
    """Share of light the ground reflects; 0.2 is pvlib's value for built-up and green ground."""


_Months = Annotated[tuple[_Fraction, ...], Field(strict=False, min_length=12, max_length=12)]
_Albedo = _Fraction | _Months


class ReflectionConfig(Section):
    """
    What ground, roofs and walls send back: of each what it receives itself, once. Ground beyond
    100 m lies in the open and has no class; open planes that shading is compared with have the
    albedo of [irradiation].
    """

    enabled: bool = True
    """Reflect light from ground, roofs and opposite walls; without it all that lies below the
    horizon sends back the albedo of [irradiation] times the light of open ground."""

    n_azimuth: Annotated[int, Field(ge=8, le=360)] = 24
    """Directions in which what reflects is lit."""

    ground_by_month: Annotated[
        tuple[_Fraction, ...] | None,
        Field(strict=False, min_length=12, max_length=12, examples=[[0.3, 0.3] + [0.2] * 10]),
    ] = None
    """Albedo of the ground, January to December, as with snow; that of [irradiation] without it."""

    ground_by_class: dict[Annotated[str, Field(pattern=r"^\d+$")], _Albedo] = Field(
        default={}, examples=['{ "10" = 0.2, "50" = 0.15, "80" = 0.07 }']
    )
    """Albedo by class number of the land cover: one share, or twelve from January to December.
    Classes not named have that of the ground."""

    roof: _Fraction = 0.2
    """Albedo of roofs; tiles have 0.2 to 0.35."""

    wall: _Fraction = 0.3
    """Albedo of walls; brick has 0.3, light plaster 0.4 to 0.6."""

    glass: _Fraction = 0.15
    """Share of even light that windows send back; their share of the wall is that of [walls]."""


class TilesConfig(Section):
    """
    How the area is cut for computing; results do not depend on it, if ``reach_m`` in [horizon] is
    100 m or more.
    """

    size_m: Annotated[float, Field(ge=50, le=20_000)] = 1000.0
    """Edge of a tile, in m, halo not counted. Memory per worker grows with it: about 1.7 GB at 1 km
    and 0.5 m cells."""


class LimitsConfig(Section):
    """
    When an input is too bad to compute with. Above a limit the run stops before it starts; below
    it every building concerned is marked.
    """

    max_bad_footprints_fraction: _Fraction = 0.01
    """Share of footprints that may be null, empty or invalid: more is a damaged export."""

    max_off_raster_fraction: _Fraction = 0.5
    """Share of footprints that may lie off the surface model."""

    below_terrain_m: Annotated[float, Field(ge=0)] = 0.5
    """A surface this far under the terrain is wrong, in m; noise of two flights stays below."""

    max_below_terrain_fraction: _Fraction = 0.05
    """Share of cells that may lie that far under the terrain."""

    min_median_height_m: float = -5.0
    """Lowest median of surface minus terrain outside footprints, in m; under it the surface model
    is a height above ground or has another datum."""

    max_median_height_m: float = 40.0
    """Highest median of surface minus terrain outside footprints, in m; over it the two have
    different height datums or units. A dense old forest stays below."""

    min_median_roof_height_m: float = 0.5
    """Lowest median of surface minus terrain inside footprints, in m, asked of three footprints or
    more; under it the two files are exchanged or the footprints are of another place."""

    max_no_terrain_fraction: _Fraction = 0.01
    """Share of the footprint cells with a surface height that may lie over a hole of the
    terrain."""

    max_zero_fraction: _Fraction = 0.001
    """Share of cells that may be exactly 0 without a nodata tag where the other heights are well
    above 0."""

    zero_floor_m: float = 5.0
    """Heights are well above 0 when their 1st percentile exceeds this, in m."""

    min_footprint_area_m2: Annotated[float, Field(ge=0)] = 1.0
    """Footprints smaller than this are marked as slivers, in m²."""

    min_overlap_m2: Annotated[float, Field(ge=0)] = 0.05
    """Two footprints that share more than this are marked as overlapping, in m²; coordinates
    rounded to millimetres stay below."""
