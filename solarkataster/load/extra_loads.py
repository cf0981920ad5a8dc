"""Loads that may come on top of a building's demand: heat pumps and electric cars."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.load.holidays_of_states import holiday_dates
from solarkataster.load.load_profiles import (
    LOCAL_CLOCK,
    QUARTERS_PER_HOUR,
    LoadProfiles,
    quarter_hours,
)
from solarkataster.rating.reasons import joined
from solarkataster.rules.demand import CarRules, DemandRules, HeatPumpRules
from solarkataster.units import STC_W_M2
from solarkataster.weather import Weather

#: Names of their rows among the load profiles.
HEAT_PUMP, CAR = "heat pump", "car"

#: What is said of buildings whose loads are not known.
HEAT_UNKNOWN = "Bedarf unbekannt: Wärmebedarf der Wärmepumpe unbekannt, Wohnfläche fehlt"
CARS_UNKNOWN = "Ohne Elektroauto gerechnet: Zahl der Wohnungen unbekannt, Wohnfläche fehlt"


@dataclass(frozen=True, eq=False)
class ExtraLoads:
    """
    Loads of n buildings beside their demand.

    Attributes
    ----------
    profiles : LoadProfiles
        With rows for the loads that occur.
    kwh : DataFrame, n rows
        Electricity of the year, columns named like those rows; NaN for a heat pump whose heat is
        not known, so that the building's demand is not known either. [kWh]
    reason : ndarray of object, shape (n,)
        In German what is not known; empty otherwise.
    """

    profiles: LoadProfiles
    kwh: pd.DataFrame
    reason: np.ndarray


def heat_pump_load(weather: Weather, rules: HeatPumpRules) -> tuple[np.ndarray, float]:
    """
    Electricity of heat pumps by quarter hour, and their seasonal performance.

    Parameters
    ----------
    weather : Weather
        With air temperature.
    rules : HeatPumpRules

    Returns
    -------
    share : ndarray, shape (4 n_hour,)
        Share of the year's electricity. [–]
    seasonal_performance : float
        Heat over electricity of the year. [–]

    Raises
    ------
    InputError
        Without air temperature, or if it is never cold enough to heat.

    Notes
    -----
    Rooms need heat in proportion to what the outdoor temperature, weighted over the last days, is
    below the limit of heating; it is even over the day. Hot water is even over the year. The
    coefficient of performance follows the lift from outdoor air to flow or hot water hour by hour
    (Ruhnau et al. 2019). Left out: defrosting, the heating rod, night setback, storage.
    """
    temp_c = weather.temp_air
    if temp_c is None:
        raise InputError(
            "the weather file has no air temperature without gaps",
            where=weather.source,
            expected="air temperature, which heat pumps follow",
            remedy="Take a file with temperature, or leave heat pumps out.",
        )
    degrees = np.maximum(rules.heating_limit_c - _weighted_days(weather.times, temp_c, rules), 0.0)
    if not degrees.any():
        raise InputError(
            f"the days are never colder than {rules.heating_limit_c:g} °C",
            where=weather.source,
            expected="a weather file with a winter",
        )
    rooms = (1.0 - rules.hot_water_fraction) * degrees / degrees.sum()
    water = np.full(len(rooms), rules.hot_water_fraction / len(rooms))
    flow_c = rules.flow_at_zero_c - rules.flow_per_k * temp_c
    power = rooms / _cop(flow_c - temp_c, rules) + water / _cop(rules.hot_water_c - temp_c, rules)
    share = np.repeat(power / power.sum(), QUARTERS_PER_HOUR) / QUARTERS_PER_HOUR
    return share, float(1.0 / power.sum())


def _weighted_days(times: pd.DatetimeIndex, temp_c: np.ndarray, rules: HeatPumpRules) -> np.ndarray:
    """Mean temperature of the days before, weighted; the year follows upon itself. [°C]"""
    day = (int(times[0].hour) + np.arange(len(temp_c))) // 24 % 365
    mean = np.bincount(day, temp_c, 365) / np.bincount(day, minlength=365)
    weights = np.asarray(rules.day_weights, dtype=np.float64)
    felt = sum(w * np.roll(mean, back) for back, w in enumerate(weights)) / weights.sum()
    return np.asarray(felt)[day]


def _cop(lift_k: np.ndarray, rules: HeatPumpRules) -> np.ndarray:
    """Coefficient of performance; a heat pump is never worse than a heating rod."""
    lift_k = np.maximum(lift_k, rules.least_lift_k)
    constant, linear, square = rules.cop_coefficients
    cop = rules.cop_correction * (constant + linear * lift_k + square * lift_k**2)
    return np.maximum(cop, 1.0)


def car_load(weather: Weather, calendar_year: int, state: str, rules: CarRules) -> np.ndarray:
    """
    Charging of electric cars at home by quarter hour.

    Parameters
    ----------
    weather : Weather
        Its light leads solar-led charging.
    calendar_year, state
        Working days are those without weekend and public holiday.
    rules : CarRules

    Returns
    -------
    ndarray, shape (4 n_hour,)
        Share of the year's energy. [–]

    Notes
    -----
    Every day the same distance is driven, and missing on arrival. Plain: cars arrive evenly over
    the hours of arrival and charge at full power at once; the mean of many cars. Solar-led: the car
    takes ``charge_kw`` times the light on the horizontal over 1000 W/m² while it is there; what
    waits beyond ``most_waiting_kwh`` is charged at full power. At weekends and on holidays it is
    there all day.
    """
    quarters = quarter_hours(weather.times, calendar_year)
    local = quarters.tz_convert(LOCAL_CLOCK)
    hour = np.asarray(local.hour) + np.asarray(local.minute) / 60.0
    need_kwh = rules.km_per_year * rules.kwh_per_100_km / 100.0 / 365.0
    need_kwh *= rules.home_charging_fraction
    if not need_kwh > 0.0:
        raise InputError("cars that drive nothing need no charging", where="rules of cars")
    if not rules.is_solar_led:
        return _on_arrival(hour, need_kwh, rules)
    years = range(local.year.min(), local.year.max() + 1)
    free = {day for year in years for day in holiday_dates(state, year)}
    is_away = _is_working_day(local, free)
    arrival = 0.5 * (rules.arrives_from + rules.arrives_to)
    is_away &= (hour >= rules.leaves_at) & (hour < arrival)
    light = np.repeat(np.minimum(weather.ghi / STC_W_M2, 1.0), QUARTERS_PER_HOUR)
    is_arrival = (hour >= arrival) & (np.roll(hour, 1) < arrival)
    return _solar_led(light, is_away, is_arrival, need_kwh, rules)


def _on_arrival(hour: np.ndarray, need_kwh: float, rules: CarRules) -> np.ndarray:
    """Mean over cars that arrive in each quarter hour of the window."""
    step_kwh = rules.charge_kw / QUARTERS_PER_HOUR
    n_step = int(np.ceil(need_kwh / step_kwh))
    charge = np.full(n_step, step_kwh)
    charge[-1] = need_kwh - step_kwh * (n_step - 1)
    arrives = ((hour >= rules.arrives_from) & (hour < rules.arrives_to)).astype(np.float64)
    if not arrives.any():
        raise InputError(
            f"arrives_from = {rules.arrives_from:g}, arrives_to = {rules.arrives_to:g}",
            where="rules of cars",
            expected="at least a quarter of an hour from first to last arrival",
        )
    power = sum(kwh * np.roll(arrives, later) for later, kwh in enumerate(charge))
    return np.asarray(power / np.sum(power))


def _solar_led(light, is_away, is_arrival, need_kwh: float, rules: CarRules) -> np.ndarray:
    """One car through the year, twice, so that it ends as it began."""
    step_kwh = rules.charge_kw / QUARTERS_PER_HOUR
    taken = np.zeros(len(light))
    waiting = 0.0
    sun_kwh = (step_kwh * light).tolist()
    steps = list(zip(sun_kwh, is_away.tolist(), is_arrival.tolist(), strict=True))
    for _ in range(2):
        for t, (sun, away, arrives) in enumerate(steps):
            if arrives:
                waiting += need_kwh
            wanted = max(sun, min(step_kwh, waiting - rules.most_waiting_kwh))
            charge = 0.0 if away else min(wanted, waiting)
            waiting -= charge
            taken[t] = charge
    return taken / taken.sum()


def _is_working_day(local: pd.DatetimeIndex, free: set[datetime.date]) -> np.ndarray:
    is_free = local.tz_localize(None).normalize().isin(pd.DatetimeIndex(sorted(free)))
    return (np.asarray(local.day_of_week) < 5) & ~is_free


def add_extra_loads(
    profiles: LoadProfiles,
    buildings: pd.DataFrame,
    demand: pd.DataFrame,
    weather: Weather,
    rules: DemandRules,
) -> ExtraLoads:
    """
    Heat pumps and electric cars of buildings, where there are any.

    Parameters
    ----------
    profiles : LoadProfiles
    buildings : DataFrame, n rows
        Optional: ``has_heat_pump`` (bool), ``heat_demand_kwh`` (heat of a year, NaN where not
        given), ``n_cars``, ``n_flats``; missing columns and values as the rules have it for homes.
    demand : DataFrame, n rows
        ``floor_area_m2`` and ``is_home``, as of ``annual_demand``.
    weather : Weather
    rules : DemandRules

    Returns
    -------
    ExtraLoads

    Raises
    ------
    InputError
        A negative number of cars, flats or heat demand; weather without temperature if a heat pump
        stands.

    Notes
    -----
    A home has as many cars as its flats, given or by its floor area. Where neither is known it is
    reckoned without, and said to be; a heat pump is too large a load to leave out.
    """
    extra = pd.DataFrame(index=demand.index)
    rows: dict[str, np.ndarray] = {}
    heat_kwh = _heat_kwh(buildings, demand, rules.heat_pump)
    if (heat_kwh != 0.0).any():
        rows[HEAT_PUMP], performance = heat_pump_load(weather, rules.heat_pump)
        extra[HEAT_PUMP] = heat_kwh / performance
    n_cars = _n_cars(buildings, demand, rules)
    if (n_cars > 0.0).any():
        car = rules.car
        rows[CAR] = car_load(weather, rules.calendar.year, rules.calendar.state, car)
        per_car_kwh = car.km_per_year * car.kwh_per_100_km / 100.0 * car.home_charging_fraction
        extra[CAR] = np.nan_to_num(n_cars) * per_car_kwh
    return ExtraLoads(
        profiles=profiles.with_rows(rows) if rows else profiles,
        kwh=extra,
        reason=joined(_said(heat_kwh, HEAT_UNKNOWN), _said(n_cars, CARS_UNKNOWN)),
    )


def _said(values: np.ndarray, words: str) -> np.ndarray:
    """The words where a value is unknown."""
    return np.where(np.isnan(values), words, "").astype(object)


def _heat_kwh(buildings, demand, rules: HeatPumpRules) -> np.ndarray:
    """Heat of a year from a heat pump, 0 without, NaN if not known, shape (n,). [kWh]"""
    is_home = demand["is_home"].to_numpy(dtype=bool)
    has = is_home & rules.by_default
    if "has_heat_pump" in buildings:
        said = buildings["has_heat_pump"]
        has = np.where(said.isna(), has, said.fillna(False).astype(bool))
    heat = rules.heat_kwh_per_m2 * demand["floor_area_m2"].to_numpy(dtype=np.float64)
    given = _numbers(buildings, "heat_demand_kwh")
    heat = np.where(np.isnan(given), heat, given)
    return np.where(has, heat, 0.0)


def _n_cars(buildings, demand, rules: DemandRules) -> np.ndarray:
    """Cars charged at each building, NaN for homes of which nobody knows, shape (n,)."""
    is_home = demand["is_home"].to_numpy(dtype=bool)
    area_m2 = demand["floor_area_m2"].to_numpy(dtype=np.float64)
    n_flats = _numbers(buildings, "n_flats")
    by_area = np.maximum(np.round(area_m2 / rules.flat.floor_area_m2), 1.0)
    n_flats = np.where(np.isnan(n_flats), by_area, n_flats)
    given = _numbers(buildings, "n_cars")
    by_rule = np.where(is_home & (rules.car.per_home > 0.0), rules.car.per_home * n_flats, 0.0)
    return np.where(np.isnan(given), by_rule, given)


def _numbers(buildings: pd.DataFrame, name: str) -> np.ndarray:
    """A column, NaN where it says nothing."""
    if name not in buildings:
        return np.full(len(buildings), np.nan)
    values = buildings[name].to_numpy(dtype=np.float64)
    wrong = (values < 0.0) | np.isinf(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{name} = {values[row]:g} in row {row + 1}",
            where="buildings",
            expected="a number from 0, or nothing",
        )
    return values
