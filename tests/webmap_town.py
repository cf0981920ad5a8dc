"""A made-up run for the map's tests: gables, a flat roof, a roof and a building without value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from rasterio import Affine
from rasterio.features import rasterize
from shapely import affinity
from shapely.geometry import Polygon, box

from solarkataster.layers import BUILDING_COLUMNS, ROOF_COLUMNS
from solarkataster.units import MONTHS

CRS = "EPSG:25832"
#: South-west corner of the town, in the Rhine valley near Bonn. [m]
EAST_M, NORTH_M = 364_100.0, 5_622_400.0
CELL_M = 0.5
SIZE_M = 160.0
META = {
    "municipality": "Musterstadt am Rhein",
    "weather": "DWD-Testreferenzjahr 2015, Bad Marienberg",
    "surface_model_date": "2021-03-14",
    "footprint_date": "2024-06-01",
    "sources": ["Höhenmodell: Land Musterland", "Gebäude: OpenStreetMap"],
    "attribution": "© OpenStreetMap-Mitwirkende, © Land Musterland",
    "version": "solarkataster 0.0",
}
DATES = {name: META[name] for name in ("surface_model_date", "footprint_date")}


@dataclass(frozen=True)
class MapTown:
    """Tables and raster as a run leaves them."""

    roofs: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    year_raster: Path


def _irradiation(year: float) -> dict[str, float]:
    """Months in the proportion of a half sine, three parts; they add up to the year."""
    weights = 0.15 + np.sin(np.pi * (np.arange(12) + 0.5) / 12) ** 2
    months = year * weights / weights.sum()
    return {
        "poa_global_year_kwh_m2": year,
        **{f"poa_global_{m}_kwh_m2": v for m, v in zip(MONTHS, months, strict=True)},
        "poa_direct_year_kwh_m2": 0.47 * year,
        "poa_sky_diffuse_year_kwh_m2": 0.5 * year,
        "poa_ground_diffuse_year_kwh_m2": 0.03 * year,
    }


def _roof(building_id: str, n: int, outline: Polygon, tilt: float, azimuth: float, year: float):
    area = outline.area / np.cos(np.radians(tilt))
    row = {column.name: np.nan for column in ROOF_COLUMNS} | DATES
    row |= {"building_id": building_id, "roof_id": f"{building_id}/r{n}", "data_quality": ""}
    row |= {"surface_tilt": tilt, "surface_azimuth": azimuth, "area_m2": area, "reason": ""}
    if np.isnan(year):
        row["reason"] = "no surface model under this plane"
    else:
        row |= _irradiation(year)
        row |= {"poa_global_year_kwh": year * area, "sky_view_factor": 0.8712}
        row |= {"shading_loss_fraction": 0.0834}
    return row | {"geometry": outline}


def _building(building_id: str, outline: Polygon, height_m: float, roofs: list[dict]) -> dict:
    row = {column.name: np.nan for column in BUILDING_COLUMNS} | DATES
    valued = [roof for roof in roofs if np.isfinite(roof["poa_global_year_kwh_m2"])]
    row |= {"building_id": building_id, "n_roofs": len(valued), "height_m": height_m}
    row |= {"data_quality": "", "reason": "" if valued else "outside the surface model"}
    row["area_m2"] = sum(roof["area_m2"] for roof in roofs)
    if valued:
        areas = [roof["area_m2"] for roof in valued]
        year = np.average([roof["poa_global_year_kwh_m2"] for roof in valued], weights=areas)
        row |= _irradiation(float(year)) | {"sky_view_factor": 0.8712}
        row |= {"poa_global_year_kwh": year * sum(areas), "shading_loss_fraction": 0.0834}
    return row | {"geometry": outline, "strasse": "Privatweg 1"}


def make_town(folder: Path) -> MapTown:
    """Thirteen buildings, 24 planes; the values differ from plane to plane."""
    roofs: list[dict] = []
    buildings: list[dict] = []
    for i in range(12):
        building_id = f"DENW12AL{i:05d}"
        x, y = EAST_M + 12 + 36 * (i % 4), NORTH_M + 14 + 46 * (i // 4)
        turn = 7.0 * i
        centre = (x + 9, y + 6)
        own = []
        if i == 5:
            own.append(_roof(building_id, 1, box(x, y, x + 18, y + 12), 0.0, np.nan, 983.4567))
        else:
            for n, (low, high, azimuth) in enumerate([(0, 6, 180.0), (6, 12, 0.0)], start=1):
                year = (1146.3 if azimuth else 731.9) - 23.456789 * i
                if (i, n) == (7, 2):
                    year = np.nan
                half = affinity.rotate(box(x, y + low, x + 18, y + high), turn, origin=centre)
                own.append(_roof(building_id, n, half, 35.25, (azimuth - turn) % 360, year))
        roofs += own
        outline = affinity.rotate(box(x, y, x + 18, y + 12), turn, origin=centre)
        if i == 5:
            outline = box(x, y, x + 18, y + 12)
        buildings.append(_building(building_id, outline, 6.0 + 0.75 * i, own))
    # A garden shed, no larger than the smallest plane that counts, and a house without data.
    x, y = EAST_M + 146, NORTH_M + 6
    shed = _roof("4711", 1, box(x, y, x + 1.6, y + 1.6), 10.0, 90.0, 402.0)
    shed["data_quality"] = "few cells; crown above"
    roofs.append(shed)
    buildings.append(_building("4711", shed["geometry"], 2.5, [shed]))
    lost = box(x - 6, y + 120, x + 10, y + 132)
    buildings.append(_building("4712", lost, np.nan, []))
    roof_table = gpd.GeoDataFrame(roofs, crs=CRS)
    building_table = gpd.GeoDataFrame(buildings, crs=CRS)
    building_table["n_roofs"] = building_table["n_roofs"].astype("int32")
    return MapTown(roof_table, building_table, _year_raster(folder, roof_table))


def _year_raster(folder: Path, roofs: gpd.GeoDataFrame) -> Path:
    """Every roof cell carries its plane's value; NaN elsewhere."""
    cells = round(SIZE_M / CELL_M)
    transform = Affine(CELL_M, 0, EAST_M, 0, -CELL_M, NORTH_M + SIZE_M)
    known = roofs[roofs["poa_global_year_kwh_m2"].notna()]
    year = rasterize(
        zip(known.geometry, known["poa_global_year_kwh_m2"], strict=True),
        out_shape=(cells, cells),
        transform=transform,
        fill=np.nan,
        dtype="float32",
    )
    path = folder / "poa_global_year_kwh_m2.tif"
    profile = {"driver": "GTiff", "width": cells, "height": cells, "count": 1, "crs": CRS}
    profile |= {"dtype": "float32", "transform": transform, "nodata": np.nan}
    with rasterio.open(path, "w", **profile) as file:
        file.write(year, 1)
    return path
