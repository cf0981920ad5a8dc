"""The town of webmap_town after a rating: classes, yields, money, a car park."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
from shapely.geometry import box
from webmap_town import CRS, EAST_M, META, NORTH_M, MapTown, make_town
from webmap_walls import make_walls

from solarkataster.io.webmap import MapWalls, write_map
from solarkataster.units import MONTHS

#: Where classes begin, from mittel to hervorragend. [kWh/m²]
ROOF_LIMITS, WALL_LIMITS = [920.0, 980.0, 1050.0, 1120.0], [250.0, 450.0, 600.0, 800.0]
NAMES = ("gering", "mittel", "gut", "sehr gut", "hervorragend")
RATING = {
    "classes": {
        "roofs": {
            "scheme": "share",
            "is_share": True,
            "best_open_kwh_m2": 1200.0,
            "from_kwh_m2": ROOF_LIMITS,
        },
        "walls": {
            "scheme": "share",
            "is_share": True,
            "best_open_kwh_m2": 900.0,
            "from_kwh_m2": WALL_LIMITS,
        },
    },
    "commissioning": "2026-12-01",
    "life_years": 20,
    "tariffs": "2026-08.toml",
    "has_verified_tariffs": False,
    "has_verified_prices": True,
    "co2": "363 g/kWh (2024, direkte Emissionen)",
    "average_profile": {"de": "Ein Haushalt braucht anders.", "en": "One home differs."},
}
#: House whose demand was given, house that is told in full, house in a monument zone.
GIVEN, TOLD, MONUMENT = "DENW12AL00003", "DENW12AL00006", "DENW12AL00002"
#: What makes up TOLD's plant.
MONEY = {
    "variant": "Eigenverbrauch mit Speicher",
    "investment_eur": 25_612.3,
    "npv_eur": 10_887.0,
    "npv_p90_eur": 5_221.0,
    "payback_years": 8.6,
    "payback_p90_years": 10.4,
    "lcoe_eur_per_kwh": 0.17123,
    "npv_self_consumption_eur": 5_321.0,
    "npv_battery_eur": 10_887.0,
    "npv_full_feed_in_eur": -7_012.0,
    "demand_source": "floor area",
    "load_profile": "H25",
    "annual_demand_kwh": 4321.0,
    "self_consumption_fraction": 0.264,
    "autarky_fraction": 0.41,
    "feed_in_kwh": 4100.0,
    "grid_draw_kwh": 2500.0,
    "battery_kwh": 4.3,
    "self_consumption_battery_fraction": 0.43,
    "autarky_battery_fraction": 0.69,
    "feed_in_battery_kwh": 3300.0,
    "solar_duty": "würde bei Neubau gelten",
    "solar_duty_basis": "LSolarG § 4",
    "money_reason": "",
    "demand_reason": "",
}


def _classes(year_kwh_m2, limits) -> np.ndarray:
    names = np.array(NAMES, dtype=object)[np.searchsorted(limits, year_kwh_m2, side="right")]
    return np.where(np.isnan(year_kwh_m2), "", names)


def _yields(table: gpd.GeoDataFrame, kwh_per_kwp: float) -> dict[str, np.ndarray]:
    year = np.where(table["n_modules"] > 0, kwh_per_kwp * table["dc_power_kwp"], np.nan)
    weights = 0.2 + np.sin(np.pi * (np.arange(12) + 0.5) / 12)
    months = year[:, None] * weights / weights.sum()
    values = {f"yield_{name}_kwh": months[:, i] for i, name in enumerate(MONTHS)}
    return values | {
        "yield_year_kwh": year,
        "yield_p90_year_kwh": 0.87 * year,
        "co2_saving_kg_per_year": 0.363 * year,
    }


def rated_town(folder: Path) -> tuple[MapTown, MapWalls, gpd.GeoDataFrame]:
    """Tables of the town, its walls and a car park, as a rating leaves them."""
    town = make_town(folder)
    walls = make_walls(town)
    roofs = town.roofs.assign(
        **_yields(town.roofs, 950.0),
        lcoe_eur_per_kwh=0.1607,
        investment_eur=10_113.8,
        surface_use=np.where(town.roofs["n_modules"] > 0, "pv", "none"),
    )
    name = _classes(roofs["poa_global_year_kwh_m2"].to_numpy(), ROOF_LIMITS)
    is_rejected = (roofs["n_modules"] == 0) & (roofs["reason"] != "")
    roofs["suitability"] = np.where(is_rejected, "", name)
    rated = roofs["suitability"] != ""
    roofs.loc[rated, "reason"] = roofs["suitability"].str.capitalize() + ": warum auch immer"
    roofs.loc[rated, "reason_en"] = "Some class: for some reason"
    in_zone = roofs["building_id"] == MONUMENT
    roofs.loc[in_zone, "reason"] += "; Denkmalzone: Genehmigung nötig"
    buildings = town.buildings.assign(**_yields(town.buildings, 950.0), owner_class="privat")
    buildings["suitability"] = _classes(buildings["poa_global_year_kwh_m2"], ROOF_LIMITS)
    for column, value in MONEY.items():
        buildings[column] = value
    is_given = buildings["building_id"] == GIVEN
    buildings.loc[is_given, "demand_source"] = "given"
    facades = walls.facades.assign(
        suitability=_classes(walls.facades["poa_global_year_kwh_m2"], WALL_LIMITS)
    )
    storeys = walls.storeys.assign(
        suitability=_classes(walls.storeys["poa_global_year_kwh_m2"], WALL_LIMITS)
    )
    return (
        MapTown(roofs, buildings, town.modules, town.superstructures, town.year_raster),
        MapWalls(facades, storeys, walls.storey_height_m),
        parking(),
    )


def parking() -> gpd.GeoDataFrame:
    """A car park in the north-east, beside the last houses."""
    row = {
        "parking_id": "p1",
        "name": "Festplatz",
        "area_m2": 192.0,
        "n_spaces": 9.0,
        "n_spaces_source": "geschätzt aus der Fläche",
        "canopy_area_m2": 115.8,
        "dc_power_kwp": 24.1,
        "yield_year_kwh": 23_415.0,
        "solar_duty": "unbekannt: kein Land angegeben",
        "solar_duty_basis": "",
        "reason": "Ohne Schatten gerechnet: was um den Parkplatz steht, zählt nicht",
    }
    x, y = EAST_M + 120, NORTH_M + 150
    return gpd.GeoDataFrame([row], geometry=[box(x, y, x + 16, y + 12)], crs=CRS)


def write_rated_run(folder: Path) -> Path:
    """Tables and map of the rated town; returns the folder."""
    town, walls, car_parks = rated_town(folder)
    for name in ("roofs", "buildings", "modules", "superstructures"):
        getattr(town, name).to_parquet(folder / f"{name}.parquet")
    walls.facades.to_parquet(folder / "facades.parquet")
    walls.storeys.to_parquet(folder / "facade_storeys.parquet")
    car_parks.to_parquet(folder / "parking.parquet")
    write_map(
        folder / "map",
        town.roofs,
        town.buildings,
        town.year_raster,
        META | {"rating": RATING},
        modules=town.modules,
        superstructures=town.superstructures,
        walls=walls,
        parking=car_parks,
    )
    return folder
