"""A municipality's own buildings: ranked three ways, and the best set within a budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.rating.selection import best_selection
from solarkataster.units import KG_PER_T

Objective = Literal["npv", "co2", "kwh"]

#: Column whose sum an objective makes as large as the budget allows.
OBJECTIVES: dict[str, str] = {
    "npv": "npv_eur",
    "co2": "co2_saving_kg_per_year",
    "kwh": "yield_year_kwh",
}

UNKNOWN_ID = "Unbekannt: diese Nummer hat kein Gebäude des Laufs"
NO_PLANT = "Keine Anlage"
NO_INVESTMENT = "Ohne Preis: die Kosten der Anlage sind nicht bekannt"
OVER_BUDGET = "Zu teuer: kostet mehr als das ganze Budget"
OTHERS_BETTER = "Nicht gewählt: im Budget bringen andere Gebäude mehr"
BRINGS_NOTHING = {
    "npv": "Nicht gewählt: Kapitalwert unbekannt oder nicht über 0",
    "co2": "Nicht gewählt: keine CO2-Einsparung bekannt",
    "kwh": "Nicht gewählt: kein Ertrag bekannt",
}

_TAKEN_OVER = (
    "district", "use_class", "monument", "variant", "dc_power_kwp", "yield_year_kwh",
    "investment_eur", "npv_eur", "co2_saving_kg_per_year",
)  # fmt: skip
_SUMMED = ("investment_eur", *OBJECTIVES.values())


@dataclass(frozen=True)
class Portfolio:
    """
    The list of own buildings and what the chosen ones come to.

    Parameters
    ----------
    table : DataFrame
        See :func:`portfolio`.
    objective : str
    budget_eur : float or None
    n_chosen : int
    investment_eur, npv_eur, co2_saving_kg_per_year, yield_year_kwh : float
        Sums of the chosen buildings; of the NPV and CO2 that are known.
    is_best : bool
        Whether no other set within the budget brings more of the objective, whole units.
    """

    table: pd.DataFrame
    objective: str
    budget_eur: float | None
    n_chosen: int
    investment_eur: float
    npv_eur: float
    co2_saving_kg_per_year: float
    yield_year_kwh: float
    is_best: bool


def portfolio(
    buildings: pd.DataFrame,
    *,
    life_years: float,
    missing_ids: Sequence[str] = (),
    budget_eur: float | None = None,
    objective: Objective = "npv",
) -> Portfolio:
    """
    Rank a municipality's own buildings and choose the best set within a budget.

    Parameters
    ----------
    buildings : DataFrame, n_building rows
        ``building_id``, ``is_own_building``, ``reason`` and the columns of the best variant:
        ``dc_power_kwp``, ``yield_year_kwh``, ``investment_eur``, ``npv_eur``,
        ``co2_saving_kg_per_year``; ``district``, ``use_class``, ``monument``, ``variant`` if there.
    life_years : float
        Years over which the CO2 of a plant is counted, those of its NPV. [a]
    missing_ids : sequence of str
        Ids of the list of own buildings that no building has.
    budget_eur : float, optional
        For investments; without it buildings are ranked and none is chosen. [€]
    objective : str
        ``npv`` (€), ``co2`` (kg a year) or ``kwh`` (a year): whose sum the choice makes largest.

    Returns
    -------
    Portfolio
        ``table`` has one row per own building and per missing id: the columns above,
        ``eur_per_t_co2`` (investment per tonne over the life, without ageing or discounting),
        ``rank_npv`` (1 = highest NPV), ``rank_co2`` (1 = fewest €/t), ``rank_kwh`` (1 = most kWh),
        ``is_chosen``, ``cumulated_investment_eur`` and ``reason``. Chosen buildings first, each
        group by the rank of the objective; ``reason`` says why a building is not chosen or not
        ranked.

    Raises
    ------
    InputError
        Unknown objective; budget negative or no number; life not above 0.

    Notes
    -----
    Taking the best value per euro first is not optimal under a budget: a large roof that no longer
    fits may leave money unused. The set is found exactly (:mod:`solarkataster.rating.selection`),
    with each investment rounded up to whole euros, so that the budget is kept.
    """
    _check(budget_eur, objective, life_years)
    table = _listed(buildings, missing_ids)
    table["eur_per_t_co2"] = _eur_per_t_co2(table, life_years)
    is_ranked = table["reason"].eq("")
    for name, (column, is_ascending) in {
        "rank_npv": ("npv_eur", False),
        "rank_co2": ("eur_per_t_co2", True),
        "rank_kwh": ("yield_year_kwh", False),
    }.items():
        table[name] = _ranks(table[column].where(is_ranked), is_ascending)
    is_best = _choose(table, budget_eur, objective)
    table = _in_order(table, objective, is_budget=budget_eur is not None)
    chosen = table[table["is_chosen"]]
    return Portfolio(
        table=table,
        objective=objective,
        budget_eur=budget_eur,
        n_chosen=len(chosen),
        is_best=is_best,
        **{name: math.fsum(chosen[name].dropna()) for name in _SUMMED},
    )


def _check(budget_eur: float | None, objective: str, life_years: float) -> None:
    if objective not in OBJECTIVES:
        raise InputError(
            f"objective = {objective!r}",
            where="portfolio",
            expected="npv, co2 or kwh",
            remedy="Correct the objective.",
        )
    if budget_eur is not None and not (math.isfinite(budget_eur) and budget_eur >= 0):
        raise InputError(
            f"budget = {budget_eur:g} €",
            where="portfolio",
            expected="0 or more, in €",
            remedy="Correct the budget, or leave it out to rank without one.",
        )
    if not (math.isfinite(life_years) and life_years > 0):
        raise InputError(
            f"life of a plant = {life_years:g} years",
            where="portfolio",
            expected="more than 0",
            remedy="Correct the years in the rules of money.",
        )


def _listed(buildings: pd.DataFrame, missing_ids: Sequence[str]) -> pd.DataFrame:
    """Own buildings and missing ids by id, with the reason of those that cannot be ranked."""
    own = buildings[buildings["is_own_building"].astype(bool)]
    names = [name for name in _TAKEN_OVER if name in buildings]
    table = own[["building_id", *names]].copy()
    no_plant = ~(own["dc_power_kwp"] > 0)
    unsaid = np.where(own["dc_power_kwp"].isna(), "keine Werte", "kein Modul passt")
    because = own["reason"].astype(object).where(own["reason"] != "", unsaid)
    no_price = ~(own["investment_eur"] > 0)
    table["reason"] = np.select(
        [no_plant, no_price], [f"{NO_PLANT}: " + because, NO_INVESTMENT], default=""
    )
    ids = sorted(set(map(str, missing_ids)) - set(table["building_id"].astype(str)))
    missing = pd.DataFrame({"building_id": ids, "reason": [UNKNOWN_ID] * len(ids)})
    for name in names:
        kind = table[name].dtype
        filler = np.nan if kind.kind == "f" else False if kind.kind == "b" else ""
        missing[name] = pd.Series([filler] * len(ids), dtype=kind)
    table = pd.concat([table, missing[list(table.columns)]]) if ids else table
    return table.sort_values("building_id", kind="stable", ignore_index=True)


def _eur_per_t_co2(table: pd.DataFrame, life_years: float) -> pd.Series:
    """Investment per tonne saved over the plant's life; NaN where nothing is saved."""
    tonnes = table["co2_saving_kg_per_year"] * life_years / KG_PER_T
    return table["investment_eur"] / tonnes.where(tonnes > 0)


def _ranks(values: pd.Series, is_ascending: bool) -> pd.Series:
    """1, 2, 3 …; equal values in the order of the ids; missing without a value."""
    return values.rank(method="first", ascending=is_ascending).astype("Int64")


def _choose(table: pd.DataFrame, budget_eur: float | None, objective: str) -> bool:
    """Mark the chosen set and say why others are not in it; whether it is the best one."""
    table["is_chosen"] = False
    if budget_eur is None:
        return True
    value = table[OBJECTIVES[objective]]
    is_ranked = table["reason"].eq("").to_numpy()
    is_candidate = is_ranked & (value > 0).to_numpy()
    rows = np.flatnonzero(is_candidate)
    cost = np.ceil(table["investment_eur"].to_numpy()[rows]).astype(np.int64)
    whole = np.rint(value.to_numpy()[rows]).astype(np.int64)
    selection = best_selection(cost, whole, math.floor(budget_eur))
    is_chosen = np.zeros(len(table), dtype=bool)
    is_chosen[rows[selection.is_chosen]] = True
    table["is_chosen"] = is_chosen
    reason = table["reason"].astype(object).to_numpy(copy=True)
    reason[is_ranked & ~is_candidate] = BRINGS_NOTHING[objective]
    reason[is_candidate & ~is_chosen] = OTHERS_BETTER
    reason[is_candidate & (np.ceil(table["investment_eur"]) > budget_eur)] = OVER_BUDGET
    table["reason"] = reason
    return selection.is_best


def _in_order(table: pd.DataFrame, objective: str, *, is_budget: bool) -> pd.DataFrame:
    """Chosen ones first, by the rank of the objective, with the running sum of investments."""
    rank = table[f"rank_{objective}"].astype("float64")
    order = np.lexsort((table["building_id"], rank.fillna(np.inf), ~table["is_chosen"]))
    table = table.iloc[order].reset_index(drop=True)
    counted = table["is_chosen"] if is_budget else table[f"rank_{objective}"].notna()
    running = table["investment_eur"].where(counted, 0.0).cumsum()
    table["cumulated_investment_eur"] = running.where(counted)
    columns = [name for name in table.columns if name != "reason"]
    return table[[*columns, "reason"]]
