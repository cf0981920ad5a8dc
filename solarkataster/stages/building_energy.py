"""Of a tile's buildings: who gets the roof, what it yields, what the house uses of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from solarkataster.allocation import Planes, allocate, allocated_heat, heat_first_columns
from solarkataster.heat import heat_demand, heat_reasons, month_means, n_persons, wanted_area_m2
from solarkataster.load.balance import balance
from solarkataster.load.demand import battery_kwh, battery_of, demand_by_profile
from solarkataster.load.extra_loads import add_extra_loads
from solarkataster.pv.surface_yields import LOSS_COLUMNS
from solarkataster.pv.uncertainty import combined_sigma, p90
from solarkataster.rating.reasons import joined
from solarkataster.stages.yield_basis import YieldBasis
from solarkataster.units import MONTHS, W_PER_KW

#: Buildings whose balance is worked out together.
_BLOCK = 256

YIELD_MONTHS = tuple(f"yield_{month}_kwh" for month in MONTHS)

#: What of a surface shrinks with its modules.
_SCALED = ("dc_power_kwp", "yield_year_kwh", *YIELD_MONTHS, "yield_p90_year_kwh")

#: What is told of a yield, and of nothing where no module stays.
_OF_YIELD = (
    *_SCALED[1:], "specific_yield_kwh_per_kwp", "performance_ratio", "module_poa_year_kwh_m2",
    *LOSS_COLUMNS, "yield_sigma_common_fraction", "yield_sigma_own_fraction",
)  # fmt: skip

#: Why a plane that would hold modules has none.
NO_ROOM = "no modules: solar heat or green roof comes first by the rules"

#: Heat of buildings that the tables tell.
_HEAT = ("thermal_yield_year_kwh", "collector_area_m2", "heat_demand_year_kwh")


def allocated_surfaces(
    laid: pd.DataFrame,
    roofs: pd.DataFrame,
    ids: pd.Index,
    given: pd.DataFrame,
    demand: pd.DataFrame,
    basis: YieldBasis,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Divide roofs between modules, collectors and green.

    Parameters
    ----------
    laid : DataFrame
        Surfaces with the modules of the layout, roof planes first, in the order of ``roofs``.
    roofs : DataFrame, n_roof rows
        The tile's table.
    ids : Index, n_building
    given, demand : DataFrame, n_building rows
    basis : YieldBasis

    Returns
    -------
    surfaces : DataFrame
        ``laid`` with power and yield of the modules that stay, and the areas.
    heat : DataFrame, n_building rows
    """
    table = laid.assign(
        surface_use=np.where(laid["n_modules"] > 0, "pv", "none"),
        pv_area_m2=laid["n_modules"] * basis.module_area_m2,
    )
    for name in ("collector_area_m2", "green_roof_area_m2", "thermal_yield_year_kwh"):
        table[name] = 0.0 if basis.weather.temp_air is not None else np.nan
    n_roof, rules = len(roofs), basis.book.heat
    if not n_roof or basis.weather.temp_air is None:
        return table, pd.DataFrame(index=range(len(ids)))
    layout = basis.config.layout
    building = ids.get_indexer(pd.Index(roofs["building_id"]))
    is_flat = roofs["surface_tilt"].to_numpy() <= layout.flat_max_tilt_deg
    planes = Planes(
        building=building,
        usable_area_m2=roofs["usable_area_m2"].to_numpy(),
        n_modules=roofs["n_modules"].to_numpy(),
        module_area_m2=basis.module_area_m2,
        min_pv_area_m2=np.where(is_flat, layout.min_flat_area_m2, layout.min_pitched_area_m2),
        is_flat=is_flat,
        takes_heat=roofs["usable_area_m2"].to_numpy() > 0.0,
        poa_year_kwh_m2=roofs["poa_global_year_kwh_m2"].to_numpy(),
    )
    is_home = demand["is_home"].to_numpy(dtype=bool)
    living_m2 = np.where(is_home, demand["floor_area_m2"].to_numpy(), np.nan)
    persons = n_persons(living_m2, given["n_flats"].to_numpy(dtype=np.float64), rules)
    air_c = month_means(basis.weather.times, basis.weather.temp_air)
    need = heat_demand(persons, living_m2, air_c, rules)
    months = roofs[[f"poa_global_{month}_kwh_m2" for month in MONTHS]].to_numpy()
    wanted = wanted_area_m2(persons, rules)
    plan = allocate(planes, wanted, rules)
    of_planes, of_buildings = allocated_heat(plan, building, months, need, air_c, rules)
    at = table.index[:n_roof]
    for name in _SCALED:
        table.loc[at, name] = table.loc[at, name].to_numpy() * plan.pv_fraction
    is_lost = (plan.n_modules == 0) & (table.loc[at, "n_modules"].to_numpy() > 0)
    table.loc[at, "n_modules"] = plan.n_modules
    lost = at[is_lost]
    told = [name for name in _OF_YIELD if name in table]
    table.loc[lost, told] = np.nan
    table.loc[lost, "reason"] = NO_ROOM
    for name in ("surface_use", "pv_area_m2", "collector_area_m2", "green_roof_area_m2"):
        table.loc[at, name] = getattr(plan, name)
    table.loc[at, "thermal_yield_year_kwh"] = of_planes["thermal_yield_year_kwh"].to_numpy()
    first = heat_first_columns(planes, wanted, months, need, air_c, rules)
    heat = pd.concat([of_buildings[list(_HEAT)], first], axis=1)
    heat["heat_reason"] = heat_reasons(persons, of_buildings["collector_area_m2"])
    return table, heat.reset_index(drop=True)


def building_sums(
    surfaces: pd.DataFrame, ids: pd.Index, sigma_common: float, sigma_plant: float
) -> pd.DataFrame:
    """
    Power and yield of buildings: roofs with their band, walls beside them.

    Parameters
    ----------
    surfaces : DataFrame
    ids : Index, n_building
    sigma_common : float
        Standard error that all surfaces share. [–]
    sigma_plant : float
        Standard error that the roof planes of a building share. [–]

    Returns
    -------
    DataFrame, n_building rows
        Modules are those that stay; their power is NaN without a surface of the kind, yields where
        none of them has one.
    """
    n, out = len(ids), {"building_id": ids.to_numpy(dtype=object)}
    building = ids.get_indexer(pd.Index(surfaces["building_id"]))
    year = surfaces["yield_year_kwh"].to_numpy(dtype=np.float64)
    is_wall = surfaces["is_wall"].to_numpy(dtype=bool)

    def total(name: str, which: np.ndarray) -> np.ndarray:
        sums = np.bincount(building[which], surfaces[name].to_numpy()[which], n)
        return np.where(np.bincount(building[which], minlength=n) > 0, sums, np.nan)

    for prefix, is_kind in (("", ~is_wall), ("facade_", is_wall)):
        has = is_kind & ~np.isnan(year)
        out[f"{prefix}dc_power_kwp"] = total("dc_power_kwp", is_kind)
        for name in ("yield_year_kwh", *(() if prefix else YIELD_MONTHS)):
            out[prefix + name] = total(name, has)
        if not prefix:
            out["n_modules"] = np.nan_to_num(total("n_modules", is_kind)).astype(np.int32)
            sigma = combined_sigma(
                year,
                np.full(len(year), sigma_common),
                surfaces["yield_sigma_own_fraction"].to_numpy(),
                np.where(has, building, -1),
                n,
                plant=building,
                sigma_plant=sigma_plant,
            )
            out["yield_sigma_fraction"] = sigma
            out["yield_p90_year_kwh"] = p90(out["yield_year_kwh"], sigma)
    return pd.DataFrame(out)


def building_energy(
    sums: pd.DataFrame,
    roofs_w: np.ndarray,
    left: np.ndarray,
    given: pd.DataFrame,
    demand: pd.DataFrame,
    basis: YieldBasis,
) -> pd.DataFrame:
    """
    What buildings use of the yield of their roofs, with and without a battery.

    Parameters
    ----------
    sums : DataFrame, n_building rows
        Of :func:`building_sums`.
    roofs_w : ndarray, shape (n_building, n_hour), float32
        Of the modules of the layout. [W]
    left : ndarray, shape (n_building,)
        Share of that yield which the allocation leaves. [–]
    given, demand : DataFrame, n_building rows
    basis : YieldBasis

    Returns
    -------
    DataFrame, n_building rows
        ``sums`` with demand, its source, both balances and what full feed-in would bring.
    """
    extra = add_extra_loads(basis.profiles, given, demand, basis.weather, basis.demand)
    profiles = extra.profiles
    kwh = demand_by_profile(demand, profiles, extra.kwh)
    size = battery_kwh(sums["dc_power_kwp"].to_numpy(), kwh.sum(axis=1), basis.demand.battery)
    limit = basis.feed_in_limit_kw(sums["dc_power_kwp"].to_numpy())
    has_plant = sums["yield_year_kwh"].notna().to_numpy()
    parts: list[pd.DataFrame] = []
    for first in range(0, len(sums), _BLOCK):
        at = slice(first, first + _BLOCK)
        pv_kw = roofs_w[at] * (left[at] / W_PER_KW).astype(np.float32)[:, None]
        pv_kw[~has_plant[at]] = np.nan
        plain = balance(pv_kw, kwh[at], profiles, feed_in_limit_kw=limit[at])
        stored = balance(
            pv_kw,
            kwh[at],
            profiles,
            battery_kwh=size[at],
            battery=battery_of(basis.demand.battery),
            feed_in_limit_kw=limit[at],
        )
        full = np.minimum(pv_kw, limit[at, None]).sum(axis=1, dtype=np.float64)
        parts.append(
            pd.DataFrame(
                {
                    **plain.columns(with_battery=False),
                    **stored.columns(with_battery=True),
                    "full_feed_in_kwh": full,
                }
            )
        )
    told = _told(demand.reset_index(drop=True), kwh.sum(axis=1), extra.reason)
    return pd.concat(
        [sums, told, *([pd.concat(parts, ignore_index=True)] if parts else [])], axis=1
    )


def _told(demand: pd.DataFrame, whole_kwh: np.ndarray, reason: np.ndarray) -> pd.DataFrame:
    """Demand with further loads, its source, and what is not known of it."""
    told = demand.rename(columns={"reason": "demand_reason"})
    is_lost = demand["annual_demand_kwh"].notna().to_numpy() & np.isnan(whole_kwh)
    told["annual_demand_kwh"] = whole_kwh
    told["demand_source"] = np.where(is_lost, "unknown: " + reason, told["demand_source"])
    told["load_profile"] = np.where(is_lost, "", told["load_profile"])
    # Of a building without demand the first reason says enough.
    has_demand = demand["annual_demand_kwh"].notna().to_numpy()
    said = told["demand_reason"].to_numpy(dtype=object)
    told["demand_reason"] = joined(said, np.where(has_demand, reason, "").astype(object))
    return told
