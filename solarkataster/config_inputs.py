"""Sections of a municipality's config file that name its inputs and say how to read them."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from solarkataster.config_base import (
    DateText,
    FilePath,
    Fraction,
    RasterPatterns,
    Section,
    Text,
)

_GERMAN_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


class MunicipalityConfig(Section):
    """Whose solar cadastre this is."""

    name: Annotated[Text, Field(examples=["Musterstadt"])]
    """Name as citizens read it on the map."""

    ags: Annotated[str | None, Field(pattern=r"^(0[1-9]|1[0-6])\d{6}$", examples=["07335022"])] = (
        None
    )
    """Official municipality key (Amtlicher Gemeindeschlüssel), 8 digits; its first two are the
    state. Plants of `installed_plants` with another key are left out."""

    postcodes: Annotated[
        tuple[Annotated[str, Field(pattern=r"^\d{5}$")], ...],
        Field(strict=False, examples=[["67655", "67657"]]),
    ] = ()
    """Postcodes of the municipality, 5 digits each; they place plants of `installed_plants` that
    name no municipality key, or all of them without `ags`."""

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

    dsm: Annotated[RasterPatterns, Field(examples=["dsm/*.tif"])]
    """Surface model: heights above the datum with buildings and trees, in metres. Its cells are
    the grid of the run; its tiles must lie on one lattice."""

    dtm: Annotated[RasterPatterns, Field(examples=["dtm/*.tif"])]
    """Terrain model: bare ground in the same coordinate system and height datum. It may be coarser
    or shifted; it is then read bilinearly on the cells of the surface model."""

    footprints: Annotated[FilePath, Field(examples=["footprints.gpkg"])]
    """Building footprints: GeoPackage, Shapefile, GeoJSON, FlatGeobuf or GeoParquet."""

    footprint_id: Annotated[Text, Field(examples=["gml_id"])]
    """Column with one unique id per footprint; it becomes building_id and is never renumbered."""

    footprint_use: Annotated[Text | None, Field(examples=["gebaeudefunktion"])] = None
    """Column with the use of the building (ALKIS function code or any other); it chooses the demand
    per floor area, the load profile, and the shares of windows and balconies in [walls]."""

    footprint_demand: Annotated[Text | None, Field(examples=["strom_kwh"])] = None
    """Column with the electricity a building uses in a year, in kWh; where it is empty, demand is
    estimated from use and floor area."""

    footprint_floor_area: Annotated[Text | None, Field(examples=["nutzflaeche"])] = None
    """Column with the floor area of a building, all storeys together, in m²."""

    footprint_owner: Annotated[Text | None, Field(examples=["eigentuemerart"])] = None
    """Column with the owner, or the class of owners, as text; statistics count by it. It is shown
    to whoever gets the tables: no names of private persons."""

    footprint_flats: Annotated[Text | None, Field(examples=["wohnungen"])] = None
    """Column with the number of dwellings in a building; 0 where nobody lives."""

    footprint_layer: Annotated[Text | None, Field(examples=["buildings"])] = None
    """Layer of the footprint file; needed only when it holds more than one."""

    weather: Annotated[FilePath, Field(examples=["TRY2015_Jahr.dat"])]
    """One year of hourly weather: DWD test reference year (.dat), EPW or CSV."""

    points: Annotated[
        RasterPatterns | None, Field(examples=["laser/*.laz"], validate_default=False)
    ] = None
    """Laser points (LAS, LAZ, COPC) in the coordinate system and height datum of the surface model.
    Given, roof planes are taken from them instead of the surface model's cells; shadows always come
    from the surface model."""

    lod2: Annotated[
        RasterPatterns | None, Field(examples=["lod2/*.gml"], validate_default=False)
    ] = None
    """City model of level of detail 2 (CityGML 1.0 and 2.0, CityJSON) in the coordinate system and
    height datum of the surface model; a file, a list or a glob. Given, walls are taken from its
    wall surfaces where they stand on the footprint."""

    monuments: Annotated[FilePath | None, Field(examples=["monuments.gpkg"])] = None
    """Monuments and protected ensembles as areas or points; buildings they touch are marked."""

    monument_kind: Annotated[Text | None, Field(examples=["denkmalart"])] = None
    """Column of the monuments with their kind, such as Einzeldenkmal or Denkmalzone."""

    public_space: Annotated[FilePath | None, Field(examples=["roads.gpkg"])] = None
    """Roads, squares and parks as areas: from there it is asked whether a monument's roof is
    seen."""

    districts: Annotated[FilePath | None, Field(examples=["districts.gpkg"])] = None
    """Districts as areas, for statistics. A building belongs to the district that a point inside
    its footprint lies in."""

    district_name: Annotated[Text | None, Field(examples=["ortsteil"])] = None
    """Column with the name of the district; without it the usual names are tried."""

    installed_plants: Annotated[FilePath | None, Field(examples=["mastr.csv"])] = None
    """Installed plants as the Marktstammdatenregister exports them (extended view, CSV), or as a
    table with the names of its Gesamtdatenexport; compared with the potential by municipality and
    postcode, since small plants have no address."""

    parking: Annotated[FilePath | None, Field(examples=["car_parks.gpkg"])] = None
    """Car parks as areas, for canopies over them and the duty to build these."""

    parking_spaces: Annotated[Text | None, Field(examples=["stellplaetze"])] = None
    """Column with the number of their spaces; without it the usual names are tried."""

    own_buildings: Annotated[FilePath | None, Field(examples=["own_buildings.csv"])] = None
    """The municipality's own buildings, as a table with their ids: CSV or any format of
    footprints."""

    own_buildings_id: Annotated[Text | None, Field(examples=["gml_id"])] = None
    """Column of `own_buildings` with the ids; without it the column that knows most buildings."""

    load_profile: Annotated[FilePath | None, Field(examples=["load.csv"])] = None
    """Measured load profile of a year as CSV; buildings whose demand is given follow it instead of
    a standard profile."""

    trees: Annotated[FilePath | None, Field(examples=["trees.gpkg"])] = None
    """Tree cadastre: one point per tree, as GeoPackage, GeoJSON, Shapefile, FlatGeobuf,
    GeoParquet or CSV (x and y, or lon and lat). Columns of any name, see [trees]."""

    canopy: Annotated[
        RasterPatterns | None, Field(examples=["canopy/*.tif"], validate_default=False)
    ] = None
    """Canopy height above the ground, in metres, in the coordinate system of the surface model;
    nodata or 0 where there is no crown. It may be coarser; it is then read bilinearly. It confirms
    the crowns of the surface model and adds those that this lacks."""

    land_cover: Annotated[
        RasterPatterns | None, Field(examples=["land_cover.tif"], validate_default=False)
    ] = None
    """Land cover: a class number in each cell, in the coordinate system of the surface model. It
    may be coarser; the nearest cell counts."""

    surface_model_date: Annotated[DateText | None, Field(examples=["2024-03-15"])] = None
    """Date of the flight, for the map and the layers; buildings newer than it are missing."""

    footprint_date: Annotated[DateText | None, Field(examples=["2024-06-01"])] = None
    """Date of the footprints, for the map and the layers."""

    attribution: Annotated[
        tuple[Text, ...], Field(strict=False, examples=[["© GeoBasis-DE / LVermGeoRP"]])
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

    crs: Annotated[Text | None, Field(examples=["EPSG:25832"])] = None
    """Coordinate system of point files that name none. Without it such a file stops the run."""


class TreesConfig(Section):
    """
    What the columns of the tree cadastre mean, and how much light passes a crown. Columns that are
    left out are found by their usual German and English names; `check` says which were taken.
    """

    layer: Annotated[Text | None, Field(examples=["trees"])] = None
    """Layer of the tree cadastre; needed only when the file holds more than one."""

    id: Annotated[Text | None, Field(examples=["baumnummer"])] = None
    """Column with the number of the tree; what-if scenarios fell trees by it."""

    x_column: Annotated[Text | None, Field(examples=["rechtswert"])] = None
    """CSV only: column with the easting or longitude."""

    y_column: Annotated[Text | None, Field(examples=["hochwert"])] = None
    """CSV only: column with the northing or latitude."""

    crs: Annotated[Text | None, Field(examples=["EPSG:25832"])] = None
    """Coordinate system of a cadastre that names none. Without it such a file stops the run; only
    columns named lon and lat need none."""

    height_column: Annotated[Text | None, Field(examples=["baumhoehe"])] = None
    """Column with the height of the tree above the ground."""

    height_unit: Literal["m", "dm", "cm", "ft"] = "m"
    """Unit of the heights."""

    crown_diameter_column: Annotated[Text | None, Field(examples=["kronendurchmesser"])] = None
    """Column with the diameter of the crown."""

    crown_unit: Literal["m", "dm", "cm", "ft"] = "m"
    """Unit of the crowns' diameters and bases."""

    crown_base_column: Annotated[Text | None, Field(examples=["kronenansatz"])] = None
    """Column with the height of the crown's underside above the ground."""

    species_column: Annotated[Text | None, Field(examples=["art_botanisch"])] = None
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

    max_bad_fraction: Fraction = 0.05
    """Share of the trees that may have no place, no size or a wrong size: more is a damaged export
    or another unit."""

    deciduous_transmissivity: Annotated[
        tuple[Fraction, ...], Field(strict=False, min_length=12, max_length=12)
    ] = (0.5, 0.5, 0.5, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 0.5)
    """Share of light that passes crowns which lose their leaves, January to December. Measured: 1
    to 5 % (Konarska et al. 2014) and 11 to 24 % (Wilkinson 1992) in leaf, 40 to 54 % bare."""

    evergreen_transmissivity: Annotated[
        tuple[Fraction, ...], Field(strict=False, min_length=12, max_length=12)
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

    crs: Annotated[Text | None, Field(examples=["EPSG:25832"])] = None
    """Coordinate system of files that name none. Without it such a file stops the run."""


class LimitsConfig(Section):
    """
    When an input is too bad to compute with. Above a limit the run stops before it starts; below
    it every building concerned is marked.
    """

    max_bad_footprints_fraction: Fraction = 0.01
    """Share of footprints that may be null, empty or invalid: more is a damaged export."""

    max_bad_values_fraction: Fraction = 0.05
    """Share of the values of a column (demand, floor area, dwellings, spaces, power of plants) that
    may be no number or an impossible one: more is another column or a damaged export. Below it
    they count as unknown, and their buildings are marked."""

    max_off_raster_fraction: Fraction = 0.5
    """Share of footprints that may lie off the surface model."""

    below_terrain_m: Annotated[float, Field(ge=0)] = 0.5
    """A surface this far under the terrain is wrong, in m; noise of two flights stays below."""

    max_below_terrain_fraction: Fraction = 0.05
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

    max_no_terrain_fraction: Fraction = 0.01
    """Share of the footprint cells with a surface height that may lie over a hole of the
    terrain."""

    max_zero_fraction: Fraction = 0.001
    """Share of cells that may be exactly 0 without a nodata tag where the other heights are well
    above 0."""

    zero_floor_m: float = 5.0
    """Heights are well above 0 when their 1st percentile exceeds this, in m."""

    min_footprint_area_m2: Annotated[float, Field(ge=0)] = 1.0
    """Footprints smaller than this are marked as slivers, in m²."""

    min_overlap_m2: Annotated[float, Field(ge=0)] = 0.05
    """Two footprints that share more than this are marked as overlapping, in m²; coordinates
    rounded to millimetres stay below."""
