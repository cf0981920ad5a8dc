"""Walls of webmap_town: four to a house, gables, one hidden by a neighbour, one without value."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon
from webmap_town import CRS, META, MapTown, _irradiation, in_two_languages, make_town

from solarkataster.io.webmap import MapWalls, write_map
from solarkataster.layers import FACADE_COLUMNS, STOREY_COLUMNS

#: Terrain at all houses, floor to floor. [m]
GROUND_M, STOREY_M = 60.0, 2.8
#: House whose second wall a neighbour hides, and house whose third wall has no value.
HIDDEN, DARK = "DENW12AL00002/f2", "DENW12AL00003/f3"
NO_VALUE = "nothing of the wall stands free of what is before it"


def _outline(a, b, eaves_m: float, ridge_m: float) -> MultiPolygon:
    """Wall from a to b, outside on the right; with a gable if the ridge is higher."""
    top = [(*b, eaves_m), (*(0.5 * (a + b)), ridge_m), (*a, eaves_m)]
    if ridge_m == eaves_m:
        del top[1]
    return MultiPolygon([Polygon([(*a, GROUND_M), (*b, GROUND_M), *top])])


def _values(building_id: str, facade_id: str, azimuth: float, year: float) -> dict:
    row = _irradiation(year)
    row |= {"building_id": building_id, "facade_id": facade_id, "surface_azimuth": azimuth}
    return row | {"sky_view_factor": 0.4321, "suitability": "gut"}


def make_walls(town: MapTown) -> MapWalls:
    """Walls of all houses that have roofs, numbered along the footprint."""
    facades, storeys = [], []
    for i, house in enumerate(town.buildings.itertuples()):
        if not np.isfinite(house.height_m) or house.height_m < 4:
            continue
        # Counter-clockwise, so that outside lies on the right.
        ring = np.array(shapely.normalize(house.geometry).exterior.coords)[::-1]
        pitched = i != 5
        eaves_m = GROUND_M + house.height_m - (2.0 if pitched else 0.0)
        for n, (a, b) in enumerate(pairwise(ring), start=1):
            facade_id = f"{house.building_id}/f{n}"
            length_m = float(np.hypot(*(b - a)))
            gable = pitched and length_m < 15
            ridge_m = GROUND_M + house.height_m if gable else eaves_m
            azimuth = float(np.degrees(np.arctan2(b[1] - a[1], -(b[0] - a[0]))) % 360.0)
            year = 220.0 + 8.7654321 * i + 510.0 * (1 - np.cos(np.radians(azimuth))) / 2
            area_m2 = length_m * (eaves_m - GROUND_M + 0.5 * (ridge_m - eaves_m))
            row = {column.name: np.nan for column in FACADE_COLUMNS}
            row |= _values(house.building_id, facade_id, azimuth, year)
            row |= {"surface_tilt": 90.0, "length_m": length_m, "height_m": ridge_m - GROUND_M}
            row |= {"foot_elevation_m": GROUND_M, "ground_elevation_m": GROUND_M}
            row |= {"is_courtyard": False, "area_m2": area_m2, "hidden_area_m2": 0.0}
            row |= {"window_fraction": 0.25, "usable_area_m2": 0.7 * area_m2, "overhang_m": 0.5}
            row |= {"overhang_source": "config", "shading_loss_fraction": 0.21, "reason": ""}
            row |= {
                "poa_global_year_kwh": year * area_m2,
                "data_quality": "depth of eaves assumed: 0.5 m",
            }
            row |= {"poa_global_year_usable_kwh": 0.7 * year * area_m2}
            row |= {"poa_global_year_half_kwh": 0.5 * year * area_m2}
            row |= {"poa_global_year_quarter_kwh": 0.25 * year * area_m2}
            row["geometry"] = _outline(a, b, eaves_m, ridge_m)
            if facade_id in (HIDDEN, DARK):
                dark = [name for name in row if name.startswith("poa_") or "view" in name]
                row |= dict.fromkeys(dark, np.nan) | {"suitability": "", "reason": NO_VALUE}
            if facade_id == HIDDEN:
                row |= {"geometry": None, "reason": "hidden by a neighbour", "area_m2": 0.0}
            facades.append(row)
            if facade_id not in (HIDDEN, DARK):
                storeys += _storeys(row, a, b)
    return MapWalls(
        in_two_languages(gpd.GeoDataFrame(facades, geometry="geometry", crs=CRS)),
        gpd.GeoDataFrame(storeys, geometry="geometry", crs=CRS),
        STOREY_M,
    )


def _storeys(wall: dict, a, b) -> list[dict]:
    """Light rises by 20 kWh/m² a storey."""
    n = max(1, int(np.floor(wall["height_m"] / STOREY_M + 0.5)))
    rows = []
    for k in range(n):
        year = wall["poa_global_year_kwh_m2"] + 20.0 * (k - 0.5 * (n - 1))
        row = {column.name: np.nan for column in STOREY_COLUMNS}
        row |= _values(wall["building_id"], wall["facade_id"], wall["surface_azimuth"], year)
        row |= {"storey_id": f"{wall['facade_id']}/g{k}", "storey": k}
        row |= {"area_m2": wall["area_m2"] / n, "usable_area_m2": 0.7 * wall["area_m2"] / n}
        row |= {"balcony_upright_kwh": 0.71 * year, "balcony_tilted_kwh": 0.82 * year}
        row |= {"balcony_class": ("gering", "mittel", "gut", "sehr gut")[min(k, 3)]}
        height_m = GROUND_M + (k + 0.5) * STOREY_M
        rows.append(row | {"geometry": LineString([(*a, height_m), (*b, height_m)])})
    return rows


def write_wall_run(folder: Path) -> Path:
    """Tables and map of the town with its walls, as a run leaves them; returns the folder."""
    town = make_town(folder)
    walls = make_walls(town)
    for name in ("roofs", "buildings"):
        getattr(town, name).to_parquet(folder / f"{name}.parquet")
    walls.facades.to_parquet(folder / "facades.parquet")
    walls.storeys.to_parquet(folder / "facade_storeys.parquet")
    write_map(folder / "map", town.roofs, town.buildings, town.year_raster, META, walls=walls)
    return folder
