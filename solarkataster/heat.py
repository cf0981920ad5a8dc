"""
Solar heat that a house can use, month by month: hot water and, as an option, heating.

The method is the f-chart of Klein, Beckman and Duffie (1976, Solar Energy 18, 113-127) in the form
of EN 15316-4-3, which takes collectors as EN ISO 9806 tests them. What the sun offers beyond the
month's demand is not counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.rules.heat import HeatRules

#: Days of the months of a year of 8760 hours.
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.float64)

#: Heat that warms a litre of water by one kelvin: 4.187 kJ. [kWh]
_KWH_PER_LITRE_K = 4.187 / 3600.0

#: The correlation was fitted to simulations in this range; beyond it collectors are taken to stand
#: still in part. Loss over demand, gain over demand. [–]
MAX_LOSS_RATIO, MAX_GAIN_RATIO = 18.0, 3.0

#: Store for which the correlation was fitted. [litres per m² of collector]
_REFERENCE_LITRES_PER_M2 = 75.0

#: Temperature that collectors for heating are compared with. [°C]
_HEATING_REFERENCE_C = 100.0


@dataclass(frozen=True, eq=False)
class HeatDemand:
    """
    Heat that buildings need, of the months. [kWh]

    Attributes
    ----------
    hot_water_kwh, heating_kwh : ndarray, shape (n, 12)
        NaN where unknown; heating is 0 unless collectors support it.
    """

    hot_water_kwh: np.ndarray
    heating_kwh: np.ndarray

    @property
    def total_kwh(self) -> np.ndarray:
        """Both, shape (n, 12)."""
        return self.hot_water_kwh + self.heating_kwh


def f_chart(loss_ratio, gain_ratio) -> np.ndarray:
    """
    Share of a month's demand that the sun covers.

    f = 1.029 Y - 0.065 X - 0.245 Y² + 0.0018 X² + 0.0215 Y³ for liquid systems (Klein, Beckman and
    Duffie 1976). Beyond the range of the correlation as much of the field counts as is within: a
    larger or sunnier field never gives less.

    Parameters
    ----------
    loss_ratio : array_like
        X: what the collectors would lose at the reference temperature, over the demand. [–]
    gain_ratio : array_like
        Y: light that the collectors absorb, over the demand. [–]

    Returns
    -------
    fraction : ndarray
        0 to 1, NaN where a ratio is NaN.
    """
    x, y = np.broadcast_arrays(np.asarray(loss_ratio, float), np.asarray(gain_ratio, float))
    x = np.maximum(x, 0.0)
    y = np.maximum(y, 0.0)
    most = np.minimum(
        MAX_LOSS_RATIO / np.maximum(x, MAX_LOSS_RATIO),
        MAX_GAIN_RATIO / np.maximum(y, MAX_GAIN_RATIO),
    )
    x, y = x * most, y * most
    # Along a growing field, X and Y in proportion, this rises wherever it is positive: its slope
    # has no root there. So the whole field, or as much as the range allows, is the best to use.
    share = 1.029 * y - 0.065 * x - 0.245 * y**2 + 0.0018 * x**2 + 0.0215 * y**3
    return np.clip(share, 0.0, 1.0)


def n_persons(living_area_m2, n_dwellings, rules: HeatRules) -> np.ndarray:
    """
    People who live in buildings.

    Parameters
    ----------
    living_area_m2 : array_like, shape (n,)
        NaN where unknown or where nobody lives. [m²]
    n_dwellings : array_like, shape (n,)
        NaN where unknown; then the living area counts.
    rules : HeatRules

    Returns
    -------
    persons : ndarray, shape (n,)
        NaN where neither is known.

    Raises
    ------
    InputError
        A number is negative.
    """
    area = _not_negative(living_area_m2, "living area")
    dwellings = _not_negative(n_dwellings, "number of dwellings")
    table = rules.residents
    of_dwellings = dwellings * table.living_area_per_dwelling_m2 / table.living_area_per_person_m2
    return np.where(np.isnan(dwellings), area / table.living_area_per_person_m2, of_dwellings)


def heat_demand(persons, living_area_m2, temp_air_month_c, rules: HeatRules) -> HeatDemand:
    """
    Heat for hot water and, if collectors support it, for rooms.

    Heat for rooms follows the degree days of the months' mean temperatures.

    Parameters
    ----------
    persons : array_like, shape (n,)
        People in each building; NaN where unknown.
    living_area_m2 : array_like, shape (n,)
        [m²]; NaN where unknown. Only heating asks for it.
    temp_air_month_c : array_like, shape (12,)
        Means of the months. [°C]
    rules : HeatRules

    Returns
    -------
    HeatDemand

    Raises
    ------
    InputError
        A number is negative, or not twelve temperatures are given.
    """
    persons = _not_negative(persons, "number of persons")
    water = rules.hot_water
    lift_k = water.hot_c - rules.cold_water.cold_c
    per_day = persons * water.litres_per_person_day * lift_k * _KWH_PER_LITRE_K
    hot_water = per_day[:, None] * DAYS
    if not rules.heating.is_supported:
        return HeatDemand(hot_water, np.zeros_like(hot_water))
    degree_days = rules.heating_season.base_temperature_c - _air(temp_air_month_c)
    degree_days = np.maximum(degree_days, 0.0) * DAYS
    year = _not_negative(living_area_m2, "living area") * rules.heating.demand_kwh_m2
    total = degree_days.sum()
    shares = degree_days / total if total > 0.0 else degree_days
    return HeatDemand(hot_water, year[:, None] * shares)


def wanted_area_m2(persons, rules: HeatRules) -> np.ndarray:
    """
    Collector area that a building's households would get, whatever its roofs hold. [m²]

    Parameters
    ----------
    persons : array_like, shape (n,)
        NaN where unknown.
    rules : HeatRules

    Returns
    -------
    area : ndarray, shape (n,)
        NaN where the number of persons is.
    """
    sizing = rules.sizing
    per_person = (
        sizing.with_heating_m2_per_person
        if rules.heating.is_supported
        else sizing.hot_water_m2_per_person
    )
    return _not_negative(persons, "number of persons") * per_person


def useful_heat(
    poa_month_kwh_m2, collector_area_m2, demand: HeatDemand, temp_air_month_c, rules: HeatRules
) -> np.ndarray:
    """
    Heat of collectors that the house uses in each month.

    Hot water and heating share collectors and store as they share the month's demand
    (EN 15316-4-3); each is a field of its own in the f-chart.

    Parameters
    ----------
    poa_month_kwh_m2 : array_like, shape (n, 12)
        Irradiation on the collectors. [kWh/m²]
    collector_area_m2 : array_like, shape (n,)
        Gross area. [m²]
    demand : HeatDemand, n buildings
    temp_air_month_c : array_like, shape (12,)
        Means of the months. [°C]
    rules : HeatRules

    Returns
    -------
    heat_kwh : ndarray, shape (n, 12)
        0 without collectors or demand, NaN where light or demand of a house with collectors is
        unknown. [kWh]

    Raises
    ------
    InputError
        Light or area is negative, or a shape is wrong.
    """
    light = _not_negative(poa_month_kwh_m2, "irradiation")
    aperture = (
        _not_negative(collector_area_m2, "collector area") * rules.collector.aperture_fraction
    )
    if light.shape != (len(aperture), 12) or demand.total_kwh.shape != light.shape:
        raise InputError(
            f"irradiation {light.shape}, demand {demand.total_kwh.shape}, "
            f"{len(aperture)} collector areas",
            where="solar heat",
            expected="twelve months of irradiation and demand for each collector area",
        )
    air = _air(temp_air_month_c)
    loop, collector = rules.loop, rules.collector
    gain = (
        aperture[:, None]
        * light
        * (collector.eta0 * loop.incidence_modifier * loop.loop_efficiency)
    )
    loss_w_k = loop.pipe_loss_w_k + aperture * (
        collector.a1_w_m2_k
        + collector.a2_w_m2_k2 * loop.temperature_difference_k
        + loop.pipe_loss_w_m2_k
    )
    store = (_REFERENCE_LITRES_PER_M2 / rules.storage.litres_per_m2) ** 0.25
    loss_kwh_k = loss_w_k[:, None] * (DAYS * 0.024 * loop.loop_efficiency * store)
    total = demand.total_kwh
    need = np.where(total == 0.0, 1.0, total)
    over_water = 11.6 + 1.18 * rules.hot_water.hot_c + 3.86 * rules.cold_water.cold_c - 2.32 * air
    heat = np.zeros_like(light)
    for part, over_k in (
        (demand.hot_water_kwh, over_water),
        (demand.heating_kwh, _HEATING_REFERENCE_C - air),
    ):
        fraction = f_chart(loss_kwh_k * over_k / need, gain / need)
        heat += np.where(part == 0.0, 0.0, fraction * part)
    return np.where((aperture[:, None] == 0.0) | (total == 0.0), 0.0, heat)


def heat_reasons(persons, collector_area_m2) -> np.ndarray:
    """
    Why a building has no solar heat, in German; empty where it has some.

    Parameters
    ----------
    persons : array_like, shape (n,)
        NaN where unknown.
    collector_area_m2 : array_like, shape (n,)
        [m²]

    Returns
    -------
    reasons : ndarray of object, shape (n,)
    """
    persons = np.asarray(persons, dtype=np.float64)
    reasons = np.full(len(persons), "", dtype=object)
    reasons[np.asarray(collector_area_m2) == 0.0] = "Keine Solarwärme: kein Platz für Kollektoren"
    reasons[persons == 0.0] = "Keine Solarwärme: hier wohnt niemand"
    reasons[np.isnan(persons)] = (
        "Solarwärme unbekannt: weder Wohnfläche noch Zahl der Wohnungen bekannt"
    )
    return reasons


def month_means(times: pd.DatetimeIndex, values) -> np.ndarray:
    """
    Mean of each month of an hourly series, shape (12,).

    Parameters
    ----------
    times : DatetimeIndex, length n
        Start of each hour.
    values : array_like, shape (n,)

    Raises
    ------
    InputError
        A month is missing.
    """
    month = np.asarray(times.month) - 1
    n = np.bincount(month, minlength=12)
    if not n.all():
        raise InputError(
            f"no hour of month {int(np.argmin(n)) + 1}",
            where="air temperature of the weather",
            expected="all twelve months",
        )
    return np.bincount(month, np.asarray(values, dtype=np.float64), minlength=12) / n


def _air(temp_air_month_c) -> np.ndarray:
    air = np.asarray(temp_air_month_c, dtype=np.float64)
    if air.shape != (12,) or not np.isfinite(air).all() or not (np.abs(air) < 60.0).all():
        raise InputError(
            f"air temperatures of the months {air.tolist()}",
            where="solar heat",
            expected="twelve means in °C",
            remedy="give a weather file with air temperature",
        )
    return air


def _not_negative(values, name: str) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if (values < 0.0).any() or np.isinf(values).any():
        wrong = values[(values < 0.0) | np.isinf(values)].flat[0]
        raise InputError(f"{name} {wrong}", where="solar heat", expected="0 or more")
    return values
