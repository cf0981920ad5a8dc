"""Rating of a run: money, classes with reasons, duties, sums; tables in, tables out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from solarkataster.checks.rating import RatingInputs
from solarkataster.columns import Column
from solarkataster.io.results import typed_values
from solarkataster.layers import BUILDING_COLUMNS, FACADE_COLUMNS, ROOF_COLUMNS, STOREY_COLUMNS
from solarkataster.layout.reasons import MONUMENT
from solarkataster.load.demand import AREA_IN_DOUBT
from solarkataster.money.co2 import co2_method
from solarkataster.money.economics import economics, surface_economics
from solarkataster.pv.balcony import balcony_columns
from solarkataster.pv.plant import missing_weather
from solarkataster.quality import joined_marks
from solarkataster.rating.classes import ClassLimits, class_limits
from solarkataster.rating.duty import solar_duty
from solarkataster.rating.installed import Installed, installed_plants
from solarkataster.rating.owners import owner_classes
from solarkataster.rating.parking import parking_potential
from solarkataster.rating.portfolio import Portfolio, portfolio
from solarkataster.rating.protection import protection_of
from solarkataster.rating.rated_tables import Site, rate_run
from solarkataster.rating.reasons import german_reasons, joined
from solarkataster.rating.statistics import statistics
from solarkataster.stages.layers import Tables
from solarkataster.stages.yield_basis import YieldBasis
from solarkataster.stages.yield_pass import RunEnergy

#: Columns of a surface that are the pass's, not the physics'.
_NOT_TAKEN = ("building_id", "surface_id", "is_wall", "surface_tilt", "surface_azimuth",
              "shading_loss_fraction")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Rating:
    """
    A rated run.

    Parameters
    ----------
    tables : Tables
        Layers with all columns.
    statistics : DataFrame
    portfolio : Portfolio or None
        None without own buildings.
    installed : Installed or None
        None without a register of installed plants.
    parking : GeoDataFrame or None
    told : dict
        For run.json: which rules, factors and losses the figures were made with.
    """

    tables: Tables
    statistics: pd.DataFrame
    portfolio: Portfolio | None
    installed: Installed | None
    parking: gpd.GeoDataFrame | None
    told: dict[str, Any]


def rated(
    tables: Tables,
    energy: RunEnergy,
    inputs: RatingInputs,
    basis: YieldBasis,
    budget_eur: float | None = None,
) -> Rating:
    """
    Rate a run.

    Parameters
    ----------
    tables : Tables
        As the physics left them.
    energy : RunEnergy
    inputs : RatingInputs
    basis : YieldBasis
    budget_eur : float, optional
        For the portfolio of own buildings; default that of the config. [€]

    Returns
    -------
    Rating
    """
    buildings = _known_of(tables.buildings, energy, inputs, basis)
    roofs = _surfaces(tables.roofs, "roof_id", energy.surfaces, buildings, basis, is_wall=False)
    facades = _surfaces(
        tables.facades, "facade_id", energy.surfaces, buildings, basis, is_wall=True
    )
    buildings = _with_money(buildings, basis)
    book = basis.book
    storeys = pd.DataFrame(tables.facade_storeys).copy()
    plants = balcony_columns(storeys, basis.balcony_plants, book.rating.balcony.year_kwh)
    storeys[list(plants.columns)] = plants
    site = Site(basis.best_roof_kwh_m2, basis.best_wall_kwh_m2, book.money.commissioning.day)
    for table in (roofs, facades, buildings):
        table["reason_en"] = table["reason"]  # so far that of the computation, in English
    classes = rate_run(roofs, facades, buildings, book.rating, book.duty, site, storeys)
    for table, columns in (
        (roofs, classes.roofs), (facades, classes.facades), (buildings, classes.buildings),
    ):  # fmt: skip
        table[list(columns.columns)] = columns
        table["co2_method"] = _method_of(table, basis)
    storeys["suitability"] = classes.storeys
    rated_tables = replace(
        tables,
        roofs=_typed(roofs, tables.roofs, ROOF_COLUMNS),
        facades=_typed(facades, tables.facades, FACADE_COLUMNS),
        buildings=_typed(buildings, tables.buildings, BUILDING_COLUMNS),
        facade_storeys=_typed(storeys, tables.facade_storeys, STOREY_COLUMNS),
    )
    name = basis.config.municipality.name
    sums = statistics(
        pd.DataFrame(rated_tables.buildings.drop(columns="geometry")),
        pd.DataFrame(rated_tables.roofs.drop(columns="geometry")),
        pd.DataFrame(rated_tables.facades.drop(columns="geometry")),
        municipality=name,
        sigma_plant_fraction=basis.uncertainty.plant.plant_fraction,
    )
    return Rating(
        rated_tables,
        sums.assign(co2_method=_method_of(sums, basis)),
        _portfolio(rated_tables.buildings, inputs, basis, budget_eur),
        _installed(inputs, sums, name),
        _parking(inputs, basis),
        _told(basis)
        | {
            "budget_eur": basis.config.portfolio.budget_eur if budget_eur is None else budget_eur,
            "objective": basis.config.portfolio.objective,
        },
    )


def unrated(tables: Tables) -> Tables:
    """Tables of a run that ends with light: reasons in German, the English ones beside them."""

    def told(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        is_protected = table["reason"].str.contains(MONUMENT, regex=False)
        permit = np.where(is_protected, "Denkmal: Genehmigung nötig", "").astype(object)
        german = joined(german_reasons(table["reason"].to_list()), permit)
        reason = pd.Series(german, table.index, table["reason"].dtype)
        return table.assign(reason=reason, reason_en=table["reason"])

    layers = {name: told(getattr(tables, name)) for name in ("roofs", "facades", "buildings")}
    return replace(tables, **layers)


def _method_of(table: pd.DataFrame, basis: YieldBasis) -> np.ndarray:
    """How the CO2 of each row was worked out; empty in rows without any."""
    has_any = ~np.isnan(_numbers(table, "co2_saving_kg_per_year"))
    return np.where(has_any, co2_method(basis.book.co2), "").astype(object)


def _known_of(
    buildings: gpd.GeoDataFrame, energy: RunEnergy, inputs: RatingInputs, basis: YieldBasis
) -> pd.DataFrame:
    """Buildings with what is known of them, their yield and their balance."""
    table = pd.DataFrame(buildings).copy()
    ids = table["building_id"]
    given = inputs.buildings.set_index("building_id").reindex(ids)
    of_energy = energy.buildings.set_index("building_id") if len(energy.buildings) else None
    if of_energy is not None:
        is_there = ids.isin(of_energy.index).to_numpy()
        of_energy = of_energy.reindex(ids)
        for name in of_energy.columns:
            table[name] = _where(is_there, of_energy[name], table.get(name))
    is_doubtful = np.zeros(len(table), dtype=bool)
    if "demand_reason" in table:
        doubts = table["demand_reason"].fillna("").astype(str)
        is_doubtful = doubts.str.contains(AREA_IN_DOUBT, regex=False).to_numpy(dtype=bool)
    area_m2 = given["floor_area_m2"].to_numpy(dtype=np.float64)
    table["floor_area_given_m2"] = np.where(is_doubtful, np.nan, area_m2)
    table["district"] = given["district"].fillna("").to_numpy(dtype=object)
    kinds = given["monument_kind"].fillna("").to_numpy(dtype=object)
    table["protection"] = protection_of(table["monument"].to_numpy(dtype=bool), kinds)
    table["n_flats"] = given["n_flats"].to_numpy(dtype=np.float64)
    is_own = given["is_own_building"].fillna(False).to_numpy(dtype=bool)
    table["is_own_building"] = is_own
    owners = given["owner"].fillna("").to_list()
    table["owner_class"] = owner_classes(owners, is_own, basis.book.owners.owners)
    if "is_home" not in table:
        table["is_home"] = False
    table["is_home"] = table["is_home"].astype("boolean").fillna(False).astype(bool)
    return table


def _surfaces(
    physics: gpd.GeoDataFrame,
    key: str,
    surfaces: pd.DataFrame,
    buildings: pd.DataFrame,
    basis: YieldBasis,
    *,
    is_wall: bool,
) -> pd.DataFrame:
    """Roof planes or walls with yield, cost, CO2, class and reason."""
    table = pd.DataFrame(physics).copy()
    if len(surfaces) and len(table):
        own = surfaces.set_index("surface_id").reindex(table[key])
        is_there = own["n_modules"].notna().to_numpy()
        for name in [one for one in own.columns if one not in _NOT_TAKEN]:
            table[name] = _where(is_there, own[name], table.get(name))
    table["reason"] = _with_lost_yield(table, basis)
    book, degradation = basis.book, basis.plant.degradation_fraction_per_year
    kwp = _numbers(table, "dc_power_kwp")
    year = _numbers(table, "yield_year_kwh")
    money = surface_economics(kwp, year, book, degradation, is_on_wall=is_wall)
    for name in ("investment_eur", "lcoe_eur_per_kwh", "co2_saving_kg_per_year"):
        table[name] = money[name].to_numpy()
    return table


def _with_money(buildings: pd.DataFrame, basis: YieldBasis) -> pd.DataFrame:
    """Buildings with money, CO2 and duty."""
    book, table = basis.book, buildings
    plants = table.assign(is_residential=table["is_home"])
    for name in (
        "dc_power_kwp", "yield_year_kwh", "yield_p90_year_kwh", "self_consumed_kwh", "feed_in_kwh",
        "self_consumed_battery_kwh", "feed_in_battery_kwh", "battery_kwh", "full_feed_in_kwh",
    ):  # fmt: skip
        plants[name] = _numbers(table, name)
    money = economics(plants, book, basis.plant.degradation_fraction_per_year)
    for name in money.columns:
        table[name] = money[name].to_numpy()
    duty = solar_duty(
        table,
        book.duty,
        footprint_area_m2=gpd.GeoSeries(table["geometry"]).area.to_numpy(),
        as_of=book.money.commissioning.day,
        usable_area_m2=table["floor_area_given_m2"].to_numpy(dtype=np.float64),
        state=basis.config.rules.state or "",
    )
    table[["solar_duty", "solar_duty_basis"]] = duty
    return table


def _with_lost_yield(table: pd.DataFrame, basis: YieldBasis) -> np.ndarray:
    """Reasons of the computation, and why modules have no yield."""
    missing = missing_weather(basis.weather)
    why = f"no yield: the weather has no {missing}" if missing else "no yield: not computed"
    reason = table["reason"].fillna("").to_numpy(dtype=object).copy()
    lacks = (_numbers(table, "n_modules") > 0) & np.isnan(_numbers(table, "yield_year_kwh"))
    reason[lacks] = [joined_marks([text, why]) for text in reason[lacks]]
    return reason


def _portfolio(
    buildings: pd.DataFrame, inputs: RatingInputs, basis: YieldBasis, budget_eur: float | None
) -> Portfolio | None:
    if not buildings["is_own_building"].any():
        return None
    settings = basis.config.portfolio
    ranked = portfolio(
        pd.DataFrame(buildings),
        life_years=basis.book.money.life.years,
        missing_ids=inputs.unknown_own_ids,
        budget_eur=settings.budget_eur if budget_eur is None else budget_eur,
        objective=settings.objective,
    )
    return replace(ranked, table=ranked.table.assign(co2_method=_method_of(ranked.table, basis)))


def _installed(inputs: RatingInputs, sums: pd.DataFrame, name: str) -> Installed | None:
    if inputs.installed is None:
        return None
    districts = None
    if inputs.districts is not None:
        districts = (
            inputs.districts["name"].to_numpy(dtype=object),
            inputs.districts.geometry.to_numpy(),
        )
    return installed_plants(inputs.installed.table, name, sums, districts)


def _parking(inputs: RatingInputs, basis: YieldBasis) -> gpd.GeoDataFrame | None:
    if inputs.parking is None:
        return None
    rules = basis.book
    owner = owner_classes(
        inputs.parking["owner"].to_list(), np.zeros(len(inputs.parking), bool), rules.owners.owners
    )
    table = parking_potential(
        inputs.parking.assign(owner_class=owner),
        rules.rating.car_parks,
        rules.duty,
        specific_yield_kwh_per_kwp=basis.canopy_yield_kwh_per_kwp,
        as_of=rules.money.commissioning.day,
        state=basis.config.rules.state or "",
    )
    return gpd.GeoDataFrame(
        table, geometry=inputs.parking.geometry.to_numpy(), crs=inputs.parking.crs
    )


def _told_classes(limits: ClassLimits) -> dict[str, Any]:
    """Where classes begin, from mittel to hervorragend; no limits if the scheme has none."""
    kwh_m2 = limits.kwh_m2
    return {
        "scheme": limits.scheme,
        "is_share": limits.is_share,
        "best_open_kwh_m2": round(limits.best_open_kwh_m2, 1),
        "from_kwh_m2": None if kwh_m2 is None else [round(one, 1) for one in kwh_m2],
    }


def _told(basis: YieldBasis) -> dict[str, Any]:
    """What figures were made with, for run.json."""
    book = basis.book
    day = book.money.commissioning.day
    return {
        "commissioning": day.isoformat(),
        "tariffs": book.eeg.at(day).name,
        "life_years": book.money.life.years,
        "co2": co2_method(book.co2),
        "visibility": book.rating.visibility.model_dump(mode="json"),
        "classes": {
            surface: _told_classes(class_limits(book.rating, surface, best))
            for surface, best in (
                ("roofs", basis.best_roof_kwh_m2),
                ("walls", basis.best_wall_kwh_m2),
            )
        },
        "best_open_roof_kwh_m2": round(basis.best_roof_kwh_m2, 1),
        "best_open_wall_kwh_m2": round(basis.best_wall_kwh_m2, 1),
        "constant_losses": dict(basis.plant.constant_losses),
        "yield_sigma_common_fraction": round(basis.sigma_common, 5),
        "yield_sigma_plant_fraction": basis.uncertainty.plant.plant_fraction,
        "sources": [
            {
                "table": one.table,
                "file": one.file,
                "source": one.source,
                "date": one.date.isoformat(),
                "verified": one.verified,
            }
            for one in book.sources()
        ],
    }


def _where(is_there: np.ndarray, found: pd.Series, before: pd.Series | None) -> np.ndarray:
    """What the pass found; a tile whose pass failed keeps what the layout found."""
    if before is None:
        return found.to_numpy()
    return np.where(is_there, found.to_numpy(), before.to_numpy())


def _numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    if name not in table:
        return np.full(len(table), np.nan)
    return table[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _typed(
    table: pd.DataFrame, physics: gpd.GeoDataFrame, columns: tuple[Column, ...]
) -> gpd.GeoDataFrame:
    """The declared columns, then the input's own, with geometry."""
    typed_columns = {
        one.name: typed_values(
            table[one.name] if one.name in table else pd.Series(index=table.index), one
        )
        for one in columns
    }
    own = [name for name in physics.columns if name not in typed_columns and name != "geometry"]
    return gpd.GeoDataFrame(
        pd.DataFrame({**typed_columns, **{name: physics[name] for name in own}}),
        geometry=physics.geometry.to_numpy(),
        crs=physics.crs,
    )
