"""A made-up run for the map's tests: gables, a flat roof, a roof and a building without value,
modules and things that stand on roofs."""

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

from solarkataster.io.webmap import write_map
from solarkataster.layers import (
    BUILDING_COLUMNS,
    MODULE_COLUMNS,
    ROOF_COLUMNS,
    SUPERSTRUCTURE_COLUMNS,
)
from solarkataster.rating.reasons import german_reasons
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
#: What a building has as much of as its planes together.
LAID = ("usable_area_m2", "n_modules", "dc_power_kwp")
#: Place of the listed building among the buildings.
MONUMENT = 2
_THING_NAMES = [column.name for column in SUPERSTRUCTURE_COLUMNS]
#: Long and short side of a module, 440 Wp each. [m]
MODULE_M = (1.762, 1.134)
TOO_DARK = (
    "north and steep: 520 kWh/m² under an open sky, 240 kWh/m² short of 760 kWh/m²; "
    "too small: modules cover 6.1 m², 3.9 m² short of 10 m²"
)
DATES = {name: META[name] for name in ("surface_model_date", "footprint_date")}


@dataclass(frozen=True)
class MapTown:
    """Tables and raster as a run leaves them."""

    roofs: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    modules: gpd.GeoDataFrame
    superstructures: gpd.GeoDataFrame
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
    row |= {"building_id": building_id, "roof_id": f"{building_id}/r{n}", "kind": "roof"}
    row["data_quality"] = "fit 0.03 m; 4.0 heights/m²; 2% without height"
    row |= {"n_modules": 0, "dc_power_kwp": 0.0, "usable_area_m2": 0.0}
    row |= {"surface_tilt": tilt, "surface_azimuth": azimuth, "area_m2": area, "reason": ""}
    if np.isnan(year):
        row["reason"] = "no surface model under this plane"
    else:
        row |= _irradiation(year)
        row |= {"poa_global_year_kwh": year * area, "sky_view_factor": 0.8712}
        row |= {"shading_loss_fraction": 0.0834}
    return row | {"geometry": outline}


def _modules(roof: dict, rows: int, columns: int, turn: float, tilt: float, azimuth: float):
    """A field of modules in the middle of a plane, rows along the building; counts on the plane."""
    depth = MODULE_M[0] * np.cos(np.radians(tilt))
    # Racks keep apart, modules in a pitched plane lie side by side.
    gap = 0.02 if tilt == roof["surface_tilt"] else 0.5
    centre = roof["geometry"].centroid
    made = []
    for row in range(rows):
        for column in range(columns):
            x = centre.x + (column - columns / 2) * (MODULE_M[1] + 0.02)
            y = centre.y + (row - rows / 2) * (depth + gap)
            outline = box(x, y, x + MODULE_M[1], y + depth)
            made.append(
                {column.name: np.nan for column in MODULE_COLUMNS}
                | {name: roof[name] for name in ("building_id", "roof_id")}
                | {"module_id": f"{roof['roof_id']}/m{len(made) + 1}"}
                | {"row": row + 1, "column": column + 1, "orientation": "portrait"}
                | {"module_tilt": tilt, "module_azimuth": azimuth, "dc_power_kwp": 0.44}
                | {"poa_global_year_kwh_m2": roof["poa_global_year_kwh_m2"] + row - 0.4}
                | {"geometry": affinity.rotate(outline, turn, origin=centre)}
            )
    roof |= {"n_modules": len(made), "dc_power_kwp": 0.44 * len(made)}
    roof |= {"usable_area_m2": 2.4 * len(made)}
    roof |= {"module_tilt": tilt, "module_azimuth": azimuth}
    return made


def _thing(roof: dict, n: int, kind: str, outline: Polygon, height_m: float) -> dict:
    return {name: roof[name] for name in ("building_id", "roof_id")} | {
        "superstructure_id": f"{roof['building_id']}/o{n}",
        "kind": kind,
        "height_m": height_m,
        "plan_area_m2": outline.area,
        "geometry": outline,
    }


def _building(building_id: str, outline: Polygon, height_m: float, roofs: list[dict]) -> dict:
    row = {column.name: np.nan for column in BUILDING_COLUMNS} | DATES
    valued = [roof for roof in roofs if np.isfinite(roof["poa_global_year_kwh_m2"])]
    row |= {"building_id": building_id, "n_roofs": len(valued), "height_m": height_m}
    row |= {"n_facades": 0}
    row |= {"data_quality": "", "reason": "" if valued else "outside the surface model"}
    for name in ("area_m2", *LAID):
        row[name] = sum(roof[name] for roof in roofs)
    row["monument"] = False
    if valued:
        areas = [roof["area_m2"] for roof in valued]
        year = np.average([roof["poa_global_year_kwh_m2"] for roof in valued], weights=areas)
        row |= _irradiation(float(year)) | {"sky_view_factor": 0.8712}
        row |= {"poa_global_year_kwh": year * sum(areas), "shading_loss_fraction": 0.0834}
    return row | {"geometry": outline, "strasse": "Privatweg 1"}


def _furnish(own: list[dict], turn: float) -> tuple[list[dict], list[dict]]:
    """Modules and superstructures of a building of :func:`make_town`, by its kind."""
    if own[0]["surface_tilt"] == 0.0:
        # East-west racks: two ways, so no single azimuth.
        modules = _modules(own[0], 2, 6, 0.0, 10.0, np.nan)
        corner = affinity.translate(box(0, 0, 3, 2), *own[0]["geometry"].bounds[:2])
        return modules, [_thing(own[0], 1, "lift housing", corner, 2.8)]
    modules = _modules(own[0], 2, 8, turn, own[0]["surface_tilt"], own[0]["surface_azimuth"])
    own[1]["reason"] = own[1]["reason"] or TOO_DARK
    at = own[1]["geometry"].centroid
    return modules, [_thing(own[1], 1, "chimney", at.buffer(0.5, quad_segs=1), 1.25)]


def make_town(folder: Path) -> MapTown:
    """Fourteen buildings, 24 planes; the values differ from plane to plane."""
    roofs: list[dict] = []
    buildings: list[dict] = []
    modules: list[dict] = []
    things: list[dict] = []
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
        laid, standing = _furnish(own, turn)
        modules += laid
        things += standing
        if i == 6:
            dormer = _dormer(own[0], turn)
            own.append(dormer)
            things.append(_thing(own[0], 2, "dormer", dormer["geometry"], 1.6))
        roofs += own
        outline = affinity.rotate(box(x, y, x + 18, y + 12), turn, origin=centre)
        if i == 5:
            outline = box(x, y, x + 18, y + 12)
        buildings.append(_building(building_id, outline, 6.0 + 0.75 * i, own))
    buildings[MONUMENT]["monument"] = True
    buildings[MONUMENT]["data_quality"] = (
        "no roof plane on 12% of the roof; "
        "eaves not seen in the heights: roof ends at the footprint"
    )
    # A garden shed, no larger than the smallest plane that counts, and a house without data.
    x, y = EAST_M + 146, NORTH_M + 6
    shed = _roof("4711", 1, box(x, y, x + 1.6, y + 1.6), 10.0, 90.0, 402.0)
    shed["data_quality"] = "few cells; crown above"
    shed["reason"] = "too small: no module fits"
    roofs.append(shed)
    buildings.append(_building("4711", shed["geometry"], 2.5, [shed]))
    lost = box(x - 6, y + 120, x + 10, y + 132)
    buildings.append(_building("4712", lost, np.nan, []))
    roof_table = gpd.GeoDataFrame(roofs, crs=CRS)
    building_table = gpd.GeoDataFrame(buildings, crs=CRS)
    building_table["n_roofs"] = building_table["n_roofs"].astype("int32")
    roof_table, building_table = in_two_languages(roof_table), in_two_languages(building_table)
    return MapTown(
        roof_table,
        building_table,
        gpd.GeoDataFrame(modules, crs=CRS),
        gpd.GeoDataFrame(things, crs=CRS)[[*_THING_NAMES, "geometry"]],
        _year_raster(folder, roof_table),
    )


def in_two_languages(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Reasons as a map gets them: German, and English beside."""
    return table.assign(reason_en=table["reason"], reason=german_reasons(table["reason"]))


def _dormer(host: dict, turn: float) -> dict:
    """A dormer's own plane over the end of a host plane, with a hole for it in the host."""
    centre = host["geometry"].centroid
    outline = affinity.rotate(
        box(centre.x + 5.8, centre.y - 1.5, centre.x + 7.8, centre.y + 1.5), turn, origin=centre
    )
    host["geometry"] = host["geometry"].difference(outline)
    plane = _roof(host["building_id"], 3, outline, 5.0, host["surface_azimuth"], 860.5)
    return plane | {"kind": "dormer", "reason": "too small: no module fits"}


def write_run(folder: Path) -> Path:
    """Tables and map of the town in a folder, as a run leaves them; returns the folder."""
    town = make_town(folder)
    for name in ("roofs", "buildings", "modules", "superstructures"):
        getattr(town, name).to_parquet(folder / f"{name}.parquet")
    write_map(
        folder / "map",
        town.roofs,
        town.buildings,
        town.year_raster,
        META,
        modules=town.modules,
        superstructures=town.superstructures,
    )
    return folder


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
