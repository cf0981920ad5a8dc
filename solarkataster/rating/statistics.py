"""Sums of a run by municipality, district, building use and class of owner."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.layers_statistics import (
    BOTH_SUM_COLUMNS,
    BUILDING_SUM_COLUMNS,
    CLASS_COUNTS,
    STATISTICS_COLUMNS,
    SURFACE_SUM_COLUMNS,
)
from solarkataster.pv.uncertainty import combined_sigma, p90
from solarkataster.quality import REMOVED_MARK
from solarkataster.rating.duty import NONE, ON_NEW_BUILD, ON_RENOVATION
from solarkataster.rating.reasons import german_reason

#: Name of the group of what has no district, use or owner.
UNNAMED = "ohne Angabe"

#: Level -> column of the buildings that names the group.
LEVELS = {"district": "district", "use": "use_class", "owner": "owner_class"}

#: First words of a reason -> group of rejected surfaces; everything else is "other".
REJECTED_BY = {
    "Zu klein": "too_small",
    "Aufbauten im Weg": "obstacles",
    "Aufbauten und Schatten": "obstacles",
    "Verschattet": "shaded",
    "Ungünstige Lage": "facing",
    "Nord": "facing",
    "Verdeckt": "hidden",
    "Keine Höhen": "no_data",
}
_REJECTED_GROUPS = (*dict.fromkeys(REJECTED_BY.values()), "other")


@dataclass(frozen=True)
class _Groups:
    """Rows in groups: the group of each row, and where each one starts when they are sorted."""

    names: list[str]
    group: np.ndarray
    order: np.ndarray
    starts: np.ndarray

    @classmethod
    def of(cls, labels: pd.Series, building_ids: pd.Series, names: list[str]) -> _Groups:
        of_rows = labels.loc[building_ids.astype(str)].to_numpy()
        group = pd.Categorical(of_rows, categories=names).codes.astype(np.int64)
        order = np.argsort(group, kind="stable")
        return cls(names, group, order, np.searchsorted(group[order], np.arange(len(names) + 1)))

    def each(self, reduce: Callable, values: np.ndarray) -> np.ndarray:
        """One number for each group."""
        values = np.asarray(values)[self.order]
        ends = zip(self.starts[:-1], self.starts[1:], strict=True)
        return np.array([reduce(values[start:end]) for start, end in ends])


def statistics(
    buildings: pd.DataFrame,
    roofs: pd.DataFrame,
    facades: pd.DataFrame,
    *,
    municipality: str,
    sigma_plant_fraction: float = 0.0,
) -> pd.DataFrame:
    """
    One long table of sums.

    Parameters
    ----------
    buildings : DataFrame, n_building rows
        Rated; with ``building_id``, ``district``, ``use_class`` and ``owner_class`` (empty where
        unknown). Columns that are absent count as unknown.
    roofs, facades : DataFrame, one row per roof plane and wall
        Rated, ``building_id`` of ``buildings``; ``reason`` in German.
    municipality : str
        Name of the whole.
    sigma_plant_fraction : float
        Standard error that the surfaces of a building share, part of their own; 0: none. [–]

    Returns
    -------
    DataFrame
        :data:`solarkataster.layers_statistics.STATISTICS_COLUMNS`: for the municipality and each
        district, use and class of owner a row of roofs, of walls and of buildings. Without a single
        wall (walls are switched off) there are no rows of walls; buildings that a scenario removed,
        by their ``reason``, are not counted. What is unknown is left out of a sum and counted; a
        group in which nothing is known has no sum. Groups by name, ``ohne Angabe`` last.

    Raises
    ------
    InputError
        A surface whose building is not in the table; double building ids.

    Notes
    -----
    Sums are exact to the last digit (Shewchuk's algorithm, ``math.fsum``), whatever the order of
    the rows. Yields are summed, their uncertainties are not: what years, weather data and models do
    to all surfaces alike adds up, so does what a building's plant does to its surfaces, and what is
    each one's own adds in quadrature.
    """
    _check(buildings, roofs, facades)
    buildings, roofs, facades = _standing(buildings, roofs, facades)
    tables = {"roofs": roofs, "walls": facades, "buildings": buildings}
    counted = {
        "roofs": _surface_numbers(roofs),
        "walls": _surface_numbers(facades),
        "buildings": _building_numbers(buildings, roofs),
    }
    if facades.empty:
        del tables["walls"]
    parts: list[dict] = []
    for level, labels in _levels(buildings, municipality).items():
        names = [municipality] if level == "municipality" else sorted_names(labels)
        of_roofs = _Groups.of(labels, roofs["building_id"], names)
        for surface, table in tables.items():
            groups = _Groups.of(labels, table["building_id"], names)
            sums = _sums(groups, table["building_id"], counted[surface])
            if surface == "walls":
                sums |= _spread(groups, facades, sums["yield_year_kwh"], sigma_plant_fraction)
            else:  # the plant of a building is that on its roofs
                sums |= _spread(of_roofs, roofs, sums["yield_year_kwh"], sigma_plant_fraction)
            head = {"level": level, "name": names, "surface": surface}
            parts.append(head | sums)
    return _typed(parts)


def _check(buildings: pd.DataFrame, roofs: pd.DataFrame, facades: pd.DataFrame) -> None:
    ids = pd.Index(buildings["building_id"].astype(str))
    if not ids.is_unique:
        raise InputError(
            f"building {ids[ids.duplicated()][0]} is there twice",
            where="buildings",
            expected="one row each",
            remedy="Compute the run again.",
        )
    for name, table in {"roofs": roofs, "facades": facades}.items():
        lost = ~table["building_id"].astype(str).isin(ids)
        if lost.any():
            raise InputError(
                f"{int(lost.sum())} rows belong to no building of the run, the first one to "
                f"{table['building_id'][lost].iloc[0]}",
                where=name,
                expected="the tables of one run",
                remedy="Compute the run again.",
            )


def _standing(buildings: pd.DataFrame, *surfaces: pd.DataFrame) -> list[pd.DataFrame]:
    """All tables without the buildings that a scenario removed."""
    gone = (REMOVED_MARK, german_reason(REMOVED_MARK))
    reasons = pd.Series(_column(buildings, "reason", ""), dtype=object).fillna("")
    is_gone = [any(part.strip() in gone for part in one.split(";")) for one in reasons]
    ids = buildings["building_id"][is_gone]
    return [table[~table["building_id"].isin(ids)] for table in (buildings, *surfaces)]


def _levels(buildings: pd.DataFrame, municipality: str) -> dict[str, pd.Series]:
    """Group of each building at each level, by building id."""
    ids = buildings["building_id"].astype(str).to_numpy()
    levels: dict[str, pd.Series] = {"municipality": pd.Series(municipality, index=ids)}
    for level, column in LEVELS.items():
        named = buildings[column] if column in buildings else pd.Series("", index=buildings.index)
        labels = named.astype(object).fillna("").astype(str).str.strip().to_numpy(dtype=object)
        levels[level] = pd.Series(np.where(labels == "", UNNAMED, labels), index=ids)
    return levels


def sorted_names(labels: Iterable[str]) -> list[str]:
    """Names of groups by the alphabet, what has none last."""
    return sorted(set(labels), key=lambda name: (name == UNNAMED, name.casefold(), name))


def _numbers(table: pd.DataFrame, columns: tuple) -> dict[str, np.ndarray]:
    """Columns as numbers; an absent one is unknown everywhere."""
    unknown = np.full(len(table), np.nan)
    return {
        column.name: table[column.name].to_numpy(np.float64) if column.name in table else unknown
        for column in columns
    }


def _column(table: pd.DataFrame, name: str, otherwise) -> np.ndarray:
    return table[name].to_numpy() if name in table else np.full(len(table), otherwise)


def _surface_numbers(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """What is summed over roof planes or walls: amounts as they are, counts as 0 and 1."""
    n_modules = _column(table, "n_modules", 0)
    collector_m2 = np.nan_to_num(_column(table, "collector_area_m2", 0.0))
    is_rejected = (n_modules <= 0) & (collector_m2 <= 0.0)
    because = _rejected_by(_column(table, "reason", ""))
    named = _column(table, "suitability", "")
    counts = {
        "n_surfaces": np.ones(len(table), dtype=bool),
        "n_modules": n_modules,
        "n_without_yield": (n_modules > 0) & np.isnan(_column(table, "yield_year_kwh", np.nan)),
        **{count: named == name for name, count in CLASS_COUNTS.items()},
        "n_without_class": ~np.isin(named.astype(object), list(CLASS_COUNTS)),
        "n_rejected": is_rejected,
    }
    for group in _REJECTED_GROUPS:
        counts[f"n_rejected_{group}"] = is_rejected & (because == group)
    return _numbers(table, (*BOTH_SUM_COLUMNS, *SURFACE_SUM_COLUMNS)) | _whole(counts)


def _rejected_by(reasons: np.ndarray) -> np.ndarray:
    """Group of each reason: that of its first sentence which names one."""
    groups = {}
    for reason in set(reasons):
        heads = (sentence.partition(":")[0].strip() for sentence in str(reason).split(";"))
        groups[reason] = next((REJECTED_BY[head] for head in heads if head in REJECTED_BY), "other")
    return np.array([groups[reason] for reason in reasons], dtype=object)


def _building_numbers(buildings: pd.DataFrame, roofs: pd.DataFrame) -> dict[str, np.ndarray]:
    """What is summed over buildings."""
    duty = _column(buildings, "solar_duty", "")
    known = (ON_NEW_BUILD, ON_RENOVATION, NONE)
    lit = roofs["building_id"][~np.isnan(_column(roofs, "poa_global_year_kwh", np.nan))]
    yields, demand, fed_in, drawn = (
        _column(buildings, name, np.nan).astype(np.float64)
        for name in ("yield_year_kwh", "annual_demand_kwh", "feed_in_kwh", "grid_draw_kwh")
    )
    # Without a plant, or without a demand, a building has no balance: its sums close over the rest.
    balanced = {
        "balanced_yield_year_kwh": np.where(np.isnan(fed_in), np.nan, yields),
        "balanced_demand_kwh": np.where(np.isnan(drawn), np.nan, demand),
    }
    counts = {
        "n_without_value": ~buildings["building_id"].isin(lit).to_numpy(),
        "n_without_demand": np.isnan(demand),
        "n_with_balance": ~(np.isnan(fed_in) | np.isnan(drawn)),
        "n_npv_above_0": _column(buildings, "npv_eur", np.nan) > 0.0,
        "n_monuments": _column(buildings, "monument", False),
        "n_own_buildings": _column(buildings, "is_own_building", False),
        "n_duty_new_build": duty == ON_NEW_BUILD,
        "n_duty_renovation": duty == ON_RENOVATION,
        "n_duty_none": duty == NONE,
        "n_duty_unknown": ~np.isin(duty.astype(object), known),
    }
    numbers = _numbers(buildings, (*BOTH_SUM_COLUMNS, *BUILDING_SUM_COLUMNS))
    return numbers | balanced | _whole(counts)


def _whole(counts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(values).astype(np.int64) for name, values in counts.items()}


def _sums(
    groups: _Groups, building_ids: pd.Series, numbers: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    sums = {"n_buildings": groups.each(lambda ids: len(set(ids)), building_ids.to_numpy())}
    for name, values in numbers.items():
        sums[name] = groups.each(np.sum if values.dtype.kind == "i" else known_sum, values)
    return sums


def _spread(
    groups: _Groups, table: pd.DataFrame, yield_kwh: np.ndarray, sigma_plant: float
) -> dict[str, np.ndarray]:
    """Uncertainty of the yields of groups; rows sorted by value, so their order does not matter."""
    year, common, own = (
        _column(table, name, np.nan).astype(np.float64)
        for name in ("yield_year_kwh", "yield_sigma_common_fraction", "yield_sigma_own_fraction")
    )
    order = np.lexsort((own, common, year))
    plant, _ = pd.factorize(table["building_id"])
    sigma = combined_sigma(
        year[order],
        common[order],
        own[order],
        groups.group[order],
        len(groups.names),
        plant=plant[order],
        sigma_plant=sigma_plant,
    )
    return {"yield_sigma_fraction": sigma, "yield_p90_year_kwh": p90(yield_kwh, sigma)}


def _typed(parts: list[dict]) -> pd.DataFrame:
    """All rows with the declared columns; empty where a column does not apply to a row."""
    columns: dict = {}
    for column in STATISTICS_COLUMNS:
        if column.dtype == "str":
            texts = [np.broadcast_to(part[column.name], len(part["name"])) for part in parts]
            columns[column.name] = pd.Series(np.concatenate(texts), dtype=object)
        else:
            unknown = [np.full(len(part["name"]), np.nan) for part in parts]
            numbers = [
                part.get(column.name, none) for part, none in zip(parts, unknown, strict=True)
            ]
            values = np.concatenate(numbers, dtype=np.float64)
            is_count = column.dtype == "Int64"
            columns[column.name] = pd.Series(values).astype(pd.Int64Dtype()) if is_count else values
    return pd.DataFrame(columns)


def known_sum(values: np.ndarray) -> float:
    """
    Exact sum of what is known.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        NaN if unknown.

    Returns
    -------
    float
        0 of no values, NaN if none of them is known.
    """
    known = values[~np.isnan(values)]
    return math.fsum(known.tolist()) if known.size or not values.size else math.nan
