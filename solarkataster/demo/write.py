"""The town as files: what a municipality would have, its config, and the truth beside it."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import laspy
import numpy as np
import pyogrio
import pyproj
import rasterio
import shapely

from solarkataster.demo import municipality, weather
from solarkataster.demo.lod2_files import write_lod2
from solarkataster.demo.tree_cadastre import tree_cadastre as cadastre_of
from solarkataster.demo.tree_cadastre import true_trees
from solarkataster.grid import Grid

if TYPE_CHECKING:
    from solarkataster.demo.lod2_files import CityFormat
    from solarkataster.demo.town import Scheme, Town
    from solarkataster.points import Points

NODATA = -9999.0
#: Written into the GeoPackages as time of change, so that the same town gives the same bytes.
_DATE = "2024-03-01"

_CONFIG = """\
# {name} is made up; every figure of this folder comes from a formula.
[municipality]
name = "{name}"
{place}
[inputs]
dsm = "dsm.tif"
dtm = "dtm.tif"
footprints = "footprints.gpkg"
footprint_id = "gml_id"
weather = "weather.csv"
{points}{rating}surface_model_date = "{date}"
footprint_date = "{date}"

[weather]
format = "csv"
latitude = {latitude}
longitude = {longitude}
elevation_m = {elevation_m}
utc_offset_hours = {utc_offset_hours}

[weather.columns]
time = "time"
ghi = "ghi"
dhi = "dhi"
temp_air = "temp_air"
wind_speed = "wind_speed"
{rules}"""


#: What the administration of the town knows beside the maps.
_PLACE = """\
ags = "{ags}"
postcodes = ["{postcode}"]
"""
_RATING = """\
footprint_use = "use"
footprint_owner = "owner"
footprint_flats = "flats"
footprint_demand = "demand_kwh"
monuments = "monuments.gpkg"
monument_kind = "denkmalart"
public_space = "public_space.gpkg"
districts = "districts.gpkg"
district_name = "name"
parking = "parking.gpkg"
parking_spaces = "stellplaetze"
own_buildings = "own_buildings.csv"
installed_plants = "mastr.csv"
"""


_RULES = """\

[rules]
state = "rheinland-pfalz"

[portfolio]
budget_eur = 60000.0
"""


def write_town(
    town: Town,
    folder: Path,
    points_per_m2: float | None = None,
    scheme: Scheme = "asprs",
    *,
    lod2: CityFormat | None = None,
    tree_cadastre: bool = False,
) -> Path:
    """
    Write a town's inputs, config and truth.

    Parameters
    ----------
    town : Town
    folder : Path
        Made if missing. ``dsm.tif``, ``dtm.tif``, ``footprints.gpkg``, ``weather.csv`` and
        ``config.toml``; of the demo town also what `municipality` knows of it; with a density also
        ``laser.laz``; in ``truth/``, which no config names,
        ``roofs.gpkg`` (true planes), ``superstructures.gpkg``, ``sides.gpkg`` (walls with the
        roofs' overhang) and ``trees.gpkg``.
    points_per_m2 : float, optional
        Density of laser points; none are written without. [1/m²]
    scheme : str
        Their classes, as in `laser.laser_points`.
    lod2 : {"citygml", "cityjson"}, optional
        Writes ``lod2.gml`` or ``lod2.city.json`` too.
    tree_cadastre : bool
        Writes ``trees.gpkg`` and ``trees.csv`` too, columns as in `tree_cadastre.tree_cadastre`.

    Returns
    -------
    Path
        The config file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth").mkdir(exist_ok=True)
    _write_raster(folder / "dsm.tif", town.dsm_m, town.grid)
    _write_raster(folder / "dtm.tif", town.dtm_m, town.dtm_grid)
    with _fixed_date():
        _write_layer(_footprints(town), folder / "footprints.gpkg", "footprints")
        _write_layer(_roofs(town), folder / "truth" / "roofs.gpkg", "roofs")
        _write_layer(
            _superstructures(town), folder / "truth" / "superstructures.gpkg", "superstructures"
        )
        _write_layer(_sides(town), folder / "truth" / "sides.gpkg", "sides")
        _write_layer(true_trees(town), folder / "truth" / "trees.gpkg", "trees")
        if tree_cadastre:
            _write_cadastre(cadastre_of(town), folder)
        if municipality.knows_itself(town):
            _write_municipality(town, folder)
    if lod2 is not None:
        write_lod2(town, folder, lod2)
    if points_per_m2 is not None:
        _write_points(town.points(points_per_m2, scheme), folder / "laser.laz", town.grid)
    weather.weather_table().to_csv(folder / "weather.csv", index=False, lineterminator="\n")
    config, knows = folder / "config.toml", municipality.knows_itself(town)
    text = _CONFIG.format(
        name=town.name,
        place=_PLACE.format(ags=municipality.AGS, postcode=municipality.POSTCODE) * knows,
        rating=_RATING * knows,
        rules=_RULES * knows,
        points="" if points_per_m2 is None else 'points = "laser.laz"\n',
        date=_DATE,
        latitude=weather.LATITUDE_DEG,
        longitude=weather.LONGITUDE_DEG,
        elevation_m=weather.ELEVATION_M,
        utc_offset_hours=weather.UTC_OFFSET_HOURS,
    )
    config.write_text(text, encoding="utf-8", newline="\n")
    return config


def _write_raster(path: Path, elevation_m: np.ndarray, grid: Grid) -> None:
    profile = {
        "driver": "GTiff",
        "height": grid.shape[0],
        "width": grid.shape[1],
        "count": 1,
        "dtype": "float32",
        "crs": grid.crs,
        "transform": rasterio.Affine(*grid.transform),
        "nodata": NODATA,
        "compress": "deflate",
        "predictor": 3,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(elevation_m.astype(np.float32), 1)


def _footprints(town: Town) -> gpd.GeoDataFrame:
    buildings = town.buildings
    return gpd.GeoDataFrame(
        {
            "gml_id": [b.building_id for b in buildings],
            "function": [b.function for b in buildings],
            "name": [b.name or "" for b in buildings],
            **(municipality.building_columns(town) if municipality.knows_itself(town) else {}),
        },
        geometry=[b.footprint for b in buildings],
        crs=town.grid.crs,
    )


def _roofs(town: Town) -> gpd.GeoDataFrame:
    planes = town.roof_planes
    kind = {b.building_id: b.kind for b in town.buildings}
    grid_azimuth = np.array([p.grid_azimuth for p in planes])
    return gpd.GeoDataFrame(
        {
            "building_id": [p.building_id for p in planes],
            "kind": [kind[p.building_id] for p in planes],
            "role": [p.role for p in planes],
            "surface_tilt": [p.surface_tilt for p in planes],
            "surface_azimuth": (grid_azimuth + convergence_deg(town.grid)) % 360.0,
            "grid_azimuth": grid_azimuth,
            "area_m2": [p.area_m2 for p in planes],
            "plan_area_m2": [p.plan_area_m2 for p in planes],
            "elevation_m": [p.elevation_m for p in planes],
        },
        geometry=[p.polygon for p in planes],
        crs=town.grid.crs,
    )


def _superstructures(town: Town) -> gpd.GeoDataFrame:
    things = town.superstructures
    return gpd.GeoDataFrame(
        {
            "building_id": [thing.building_id for thing in things],
            "kind": [thing.kind for thing in things],
            "height_m": [thing.height_m for thing in things],
            "plan_area_m2": [thing.polygon.area for thing in things],
        },
        geometry=[thing.polygon for thing in things],
        crs=town.grid.crs,
    )


def _sides(town: Town) -> gpd.GeoDataFrame:
    sides = town.sides
    return gpd.GeoDataFrame(
        {
            "building_id": [side.building_id for side in sides],
            "overhang_m": [side.overhang_m for side in sides],
            "is_party_wall": [side.is_party_wall for side in sides],
        },
        geometry=[shapely.LineString([side.start, side.end]) for side in sides],
        crs=town.grid.crs,
    )


def _write_cadastre(trees: gpd.GeoDataFrame, folder: Path) -> None:
    """As GeoPackage, and as a table with semicolons as offices export it."""
    _write_layer(trees, folder / "trees.gpkg", "trees")
    plain = trees.drop(columns="geometry")
    plain["rechtswert"], plain["hochwert"] = trees.geometry.x.round(3), trees.geometry.y.round(3)
    plain.to_csv(folder / "trees.csv", sep=";", index=False, lineterminator="\n")


def _write_municipality(town: Town, folder: Path) -> None:
    """Layers and lists; the register's export as its website writes it."""
    for name in ("districts", "parking", "public_space", "monuments"):
        _write_layer(getattr(municipality, name)(town), folder / f"{name}.gpkg", name)
    own = municipality.own_buildings(town)
    own.to_csv(folder / "own_buildings.csv", sep=";", index=False, lineterminator="\n")
    municipality.installed_plants(town).to_csv(
        folder / "mastr.csv", sep=";", index=False, lineterminator="\r\n",
        encoding="utf-8-sig", quoting=csv.QUOTE_ALL,
    )  # fmt: skip


def _write_points(points: Points, path: Path, grid: Grid) -> None:
    """LAS 1.4 in whole millimetres, with the coordinate system as WKT."""
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales = np.full(3, 0.001)
    header.offsets = np.array([grid.west_m, grid.south_m, 0.0])
    header.creation_date = date.fromisoformat(_DATE)
    header.generating_software = header.system_identifier = "solarkataster"
    header.add_crs(pyproj.CRS(grid.crs))
    data = laspy.LasData(header)
    data.x, data.y, data.z = points.easting_m, points.northing_m, points.elevation_m
    data.classification = points.classification
    data.return_number = points.return_number
    data.number_of_returns = points.n_returns
    # One core: the chunks of the parallel writer need not be the same bytes.
    data.write(path, laz_backend=laspy.LazBackend.Lazrs)


def convergence_deg(grid: Grid) -> float:
    """Azimuth of grid north from true north at the centre of a grid. [°]"""
    projection = pyproj.Proj(grid.crs)
    west_m, south_m, east_m, north_m = grid.bounds
    longitude, latitude = projection((west_m + east_m) / 2, (south_m + north_m) / 2, inverse=True)
    return float(projection.get_factors(longitude, latitude).meridian_convergence)


def _write_layer(table: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    path.unlink(missing_ok=True)  # an existing GeoPackage would be added to
    pyogrio.write_dataframe(table, path, layer=layer, driver="GPKG")


@contextmanager
def _fixed_date():
    """Let GDAL write a fixed time of change."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{_DATE}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
