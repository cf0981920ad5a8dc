"""Is it worth it: money of a building's plant, by variant, and of single surfaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.load.balance import ratio
from solarkataster.money.cash_flows import (
    CashFlows,
    Plants,
    Use,
    cash_flows,
    costs_of,
    has_tenant_model,
    produced_years,
)
from solarkataster.money.co2 import co2_saving_kg_per_year
from solarkataster.money.finance import (
    internal_rate_of_return,
    levelised_cost,
    net_present_value,
    payback_years,
)
from solarkataster.money.tariffs import Tariffs, tariffs
from solarkataster.rating.reasons import joined
from solarkataster.rules.book import RuleBook
from solarkataster.rules.money import MoneyRules

#: Names of the variants as citizens read them. Of equal ones the first is taken.
OWN_USE = "Eigenverbrauch"
WITH_BATTERY = "Eigenverbrauch mit Speicher"
FULL_FEED_IN = "Volleinspeisung"

#: Columns of a building's money.
COLUMNS = (
    "variant",
    "investment_eur",
    "npv_eur",
    "npv_p90_eur",
    "irr_fraction",
    "payback_years",
    "payback_p90_years",
    "lcoe_eur_per_kwh",
    "npv_self_consumption_eur",
    "npv_battery_eur",
    "npv_full_feed_in_eur",
    "co2_saving_kg_per_year",
    "money_reason",
)

_NEEDED = (
    "dc_power_kwp",
    "yield_year_kwh",
    "yield_p90_year_kwh",
    "self_consumed_kwh",
    "feed_in_kwh",
    "self_consumed_battery_kwh",
    "feed_in_battery_kwh",
    "battery_kwh",
    "is_residential",
)


@dataclass(frozen=True, eq=False)
class _Variant:
    """Results of one variant for all plants, NaN where it cannot be computed."""

    name: str
    investment_eur: np.ndarray
    npv_eur: np.ndarray
    npv_p90_eur: np.ndarray
    lcoe_eur_per_kwh: np.ndarray
    flows: CashFlows
    flows_p90: CashFlows


def economics(plants: pd.DataFrame, book: RuleBook, degradation_fraction: float) -> pd.DataFrame:
    """
    Money of each plant in every variant that can be computed, and which is best.

    Parameters
    ----------
    plants : DataFrame, n rows
        ``dc_power_kwp``, ``yield_year_kwh``, ``yield_p90_year_kwh``, ``self_consumed_kwh``,
        ``feed_in_kwh`` (after the cap), ``self_consumed_battery_kwh``, ``feed_in_battery_kwh``,
        ``battery_kwh``, ``is_residential``; if known ``n_flats`` and ``full_feed_in_kwh`` (what
        full feed-in brings after the cap; else the yield). NaN for what is not known: without
        self-consumption only full feed-in is computed, and homes whose flats are unknown count as
        one household.
    book : RuleBook
        Rules of money, tariffs and CO2 are read.
    degradation_fraction : float
        Share of the yield lost each year. [1/a]

    Returns
    -------
    DataFrame, n rows, the index of ``plants``
        :data:`COLUMNS`: the best variant (highest net present value, of equal ones the first of
        own use, own use with battery, full feed-in), its figures, the net present value of each
        variant, the CO2 that the best one saves in its first year, and in ``money_reason`` in
        German what could not be computed and why.

    Raises
    ------
    InputError
        Column missing, a number below zero, or no tariff for the day of commissioning.

    Notes
    -----
    The figures for a bad year (P90) scale all energy with the P90 yield, used and fed in alike:
    on dull days own use loses less than feed-in, so this is on the safe side.
    """
    values = _checked(plants, degradation_fraction)
    money: MoneyRules = book.money
    common = Plants(
        power_kwp=values["dc_power_kwp"],
        is_residential=plants["is_residential"].to_numpy(dtype=bool),
        is_on_wall=np.zeros(len(plants), dtype=bool),
        n_flats=values["n_flats"],
        degradation_fraction=degradation_fraction,
    )
    pay = tariffs(common.power_kwp, book.eeg, money)
    p90 = ratio(values["yield_p90_year_kwh"], values["yield_year_kwh"])
    uses = _uses(values)
    variants = [_variant(name, common, use, p90, pay, money) for name, use in uses.items()]
    best = _best(variants)
    table = _table(variants, best, len(plants))
    used_kwh = _picked([use.own_kwh + use.feed_in_kwh for use in uses.values()], best)
    table["co2_saving_kg_per_year"] = co2_saving_kg_per_year(
        used_kwh, common.power_kwp, book.co2, variants[0].flows.periods.end_years[-1]
    )
    table["money_reason"] = _reasons(values, common, pay, table, money)
    return table.set_index(plants.index)[list(COLUMNS)]


def surface_economics(
    power_kwp, yield_year_kwh, book: RuleBook, degradation_fraction: float, *, is_on_wall
) -> pd.DataFrame:
    """
    What a single roof plane or wall would cost as a plant of its own, and its electricity.

    Parameters
    ----------
    power_kwp, yield_year_kwh : array_like, shape (n,)
        NaN or 0 for no plant. [kWp], [kWh]
    book : RuleBook
        Costs and CO2 are read: the levelised cost knows no tariff and no price.
    degradation_fraction : float
        [1/a]
    is_on_wall : array_like of bool, shape (n,) or bool
        Walls cost more.

    Returns
    -------
    DataFrame, n rows
        ``investment_eur``, ``lcoe_eur_per_kwh``, ``co2_saving_kg_per_year``; NaN without a plant.
        Value added tax as for homes, no battery.
    """
    power = _positive(power_kwp)
    plants = Plants(
        power_kwp=power,
        is_residential=np.ones(power.shape, dtype=bool),
        is_on_wall=np.broadcast_to(np.asarray(is_on_wall, dtype=bool), power.shape),
        n_flats=np.ones(power.shape),
        degradation_fraction=degradation_fraction,
    )
    energy = _positive(yield_year_kwh)
    costs = costs_of(plants, 0.0, book.money)
    years, rate = costs.periods.end_years, book.money.discount.fraction_per_year
    energy_kwh = energy[:, None] * produced_years(plants, costs.periods)
    return pd.DataFrame(
        {
            "investment_eur": costs.investment_eur,
            "lcoe_eur_per_kwh": levelised_cost(
                costs.investment_eur, costs.cost_eur, energy_kwh, years, rate
            ),
            "co2_saving_kg_per_year": co2_saving_kg_per_year(energy, power, book.co2, years[-1]),
        }
    )


def _positive(values) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    return np.where(values > 0.0, values, np.nan)


def _checked(plants: pd.DataFrame, degradation_fraction: float) -> dict[str, np.ndarray]:
    missing = [name for name in _NEEDED if name not in plants]
    if missing:
        raise InputError(
            f"columns missing: {', '.join(missing)}",
            where="plants",
            expected=", ".join(_NEEDED),
        )
    if plants["is_residential"].isna().any():
        row = plants.index[plants["is_residential"].isna()][0]
        raise InputError(
            f"is_residential is empty at {row}", where="plants", expected="true or false"
        )
    if not 0.0 <= degradation_fraction < 1.0:
        raise InputError(
            f"degradation_fraction = {degradation_fraction!r}",
            where="plants",
            expected="from 0 to below 1",
        )
    values = {name: plants[name].to_numpy(dtype=np.float64) for name in _NEEDED[:-1]}
    flats = plants["n_flats"] if "n_flats" in plants else pd.Series(np.nan, index=plants.index)
    values["n_flats"] = flats.to_numpy(dtype=np.float64)
    full = plants["full_feed_in_kwh" if "full_feed_in_kwh" in plants else "yield_year_kwh"]
    values["full_feed_in_kwh"] = full.to_numpy(dtype=np.float64)
    for name, column in values.items():
        if (column < 0.0).any():
            row = int(np.flatnonzero(column < 0.0)[0])
            raise InputError(
                f"{name} = {column[row]:g} at {plants.index[row]}",
                where="plants",
                expected="zero or more, or empty",
            )
    values["dc_power_kwp"] = _positive(values["dc_power_kwp"])
    values["yield_year_kwh"] = _positive(values["yield_year_kwh"])
    return values


def _uses(values: Mapping[str, np.ndarray]) -> dict[str, Use]:
    nothing = np.zeros(len(values["dc_power_kwp"]))
    battery = values["battery_kwh"]
    # A battery of no size is no variant of its own.
    has_battery = np.where(battery > 0.0, 1.0, np.nan)
    return {
        OWN_USE: Use(
            values["self_consumed_kwh"],
            values["self_consumed_kwh"],
            values["feed_in_kwh"],
            nothing,
        ),
        WITH_BATTERY: Use(
            values["self_consumed_battery_kwh"] * has_battery,
            np.minimum(values["self_consumed_kwh"], values["self_consumed_battery_kwh"]),
            values["feed_in_battery_kwh"],
            battery,
        ),
        FULL_FEED_IN: Use(
            nothing, nothing, values["full_feed_in_kwh"], nothing, is_full_feed_in=True
        ),
    }


def _variant(
    name: str, plants: Plants, use: Use, p90: np.ndarray, pay: Tariffs, money: MoneyRules
) -> _Variant:
    flows = cash_flows(plants, use, pay, money)
    bad_year = Use(
        use.own_kwh * p90,
        use.direct_kwh * p90,
        use.feed_in_kwh * p90,
        use.battery_kwh,
        use.is_full_feed_in,
    )
    flows_p90 = cash_flows(plants, bad_year, pay, money)
    return _Variant(
        name=name,
        investment_eur=flows.investment_eur,
        npv_eur=_npv(flows, money),
        npv_p90_eur=_npv(flows_p90, money),
        lcoe_eur_per_kwh=_lcoe(flows, money),
        flows=flows,
        flows_p90=flows_p90,
    )


def _npv(flows: CashFlows, money: MoneyRules) -> np.ndarray:
    return net_present_value(
        flows.investment_eur,
        flows.cash_eur,
        flows.periods.end_years,
        money.discount.fraction_per_year,
    )


def _lcoe(flows: CashFlows, money: MoneyRules) -> np.ndarray:
    return levelised_cost(
        flows.investment_eur,
        flows.cost_eur,
        flows.energy_kwh,
        flows.periods.end_years,
        money.discount.fraction_per_year,
    )


def _best(variants: list[_Variant]) -> np.ndarray:
    """Position of the best variant; -1, the last, where none can be computed: the cost of full
    feed-in needs no tariff."""
    npv = np.column_stack([one.npv_eur for one in variants])
    best = np.argmax(np.where(np.isnan(npv), -np.inf, npv), axis=1)
    return np.where(np.isnan(npv).all(axis=1), -1, best)


def _table(variants: list[_Variant], best: np.ndarray, n: int) -> pd.DataFrame:
    names = np.array([*(one.name for one in variants), ""], dtype=object)
    cash = _picked([one.flows.cash_eur for one in variants], best)
    cash_p90 = _picked([one.flows_p90.cash_eur for one in variants], best)
    spent = _picked([one.investment_eur for one in variants], best)
    when = variants[0].flows.periods
    table = pd.DataFrame(
        {
            "variant": names[best],
            "investment_eur": spent,
            "npv_eur": _picked([one.npv_eur for one in variants], best),
            "npv_p90_eur": _picked([one.npv_p90_eur for one in variants], best),
            "irr_fraction": internal_rate_of_return(spent, cash, when.dates),
            "payback_years": payback_years(spent, cash, when.start_years, when.end_years),
            "payback_p90_years": payback_years(spent, cash_p90, when.start_years, when.end_years),
            "lcoe_eur_per_kwh": _picked([one.lcoe_eur_per_kwh for one in variants], best),
        },
        index=pd.RangeIndex(n),
    )
    for column, one in zip(
        ("npv_self_consumption_eur", "npv_battery_eur", "npv_full_feed_in_eur"),
        variants,
        strict=True,
    ):
        table[column] = one.npv_eur
    return table


def _picked(arrays: list[np.ndarray], which: np.ndarray) -> np.ndarray:
    """Row by row from one of the arrays; -1 for the last."""
    out = arrays[-1].copy()
    for k, array in enumerate(arrays[:-1]):
        out[which == k] = array[which == k]
    return out


def _reasons(
    values: Mapping[str, np.ndarray],
    plants: Plants,
    pay: Tariffs,
    table: pd.DataFrame,
    money: MoneyRules,
) -> np.ndarray:
    """What could not be computed, in German, the first that holds; what is doubtful beside it."""
    has_plant = ~np.isnan(values["dc_power_kwp"])
    has_yield = ~np.isnan(values["yield_year_kwh"])
    own_is_unknown = np.isnan(values["self_consumed_kwh"])
    life = money.life.years
    at_a_loss = f"amortisiert sich in {life} {'Jahr' if life == 1 else 'Jahren'} nicht"
    texts = np.select(
        [~has_plant, ~has_yield, pay.needs_tender, own_is_unknown],
        [
            "keine Anlage",
            "Ertrag unbekannt: Erlöse nicht berechnet",
            "Vergütung nur nach Ausschreibung: Erlöse nicht berechnet",
            "Stromverbrauch unbekannt: nur Volleinspeisung berechnet",
        ],
        default="",
    ).astype(object)
    never = table["payback_years"].isna().to_numpy()
    is_loss = never & has_plant & has_yield & ~pay.needs_tender
    is_unsure = (
        has_tenant_model(money)
        & plants.is_residential
        & np.isnan(plants.n_flats)
        & ~np.isnan(table["npv_self_consumption_eur"].to_numpy())
    )
    flats = "Zahl der Wohnungen unbekannt: gerechnet als ein Haushalt, ohne Verkauf an Mieter"
    return joined(
        texts,
        np.where(is_unsure, flats, "").astype(object),
        np.where(is_loss, at_a_loss, "").astype(object),
    )
