"""Formulas of finance for many plants at once: present value, rate of return, payback, cost."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import pyxirr

from solarkataster.errors import InputError

#: Months of 30 days: every whole year is exactly 1, leap day or not.
_DAY_COUNT = "30E/360"


@dataclass(frozen=True, eq=False)
class Periods:
    """
    The rest of the year of commissioning, then whole calendar years.

    Attributes
    ----------
    dates : list of date, length n_period + 1
        Day of commissioning, then the end of each period.
    start_years, end_years : ndarray, shape (n_period,)
        Age of the plant at the start and the end of each period. [a]
    """

    dates: list[datetime.date]
    start_years: np.ndarray
    end_years: np.ndarray

    @property
    def length_years(self) -> np.ndarray:
        """Length of each period, shape (n_period,). [a]"""
        return self.end_years - self.start_years


def periods(commissioned: datetime.date, n_years: int) -> Periods:
    """
    Periods over which money is counted.

    Parameters
    ----------
    commissioned : date
        Day of commissioning.
    n_years : int
        Whole years after the year of commissioning.

    Returns
    -------
    Periods
        ``n_years + 1`` of them; the first is the rest of the year of commissioning, a whole year
        for a commissioning on 1 January.

    Raises
    ------
    InputError
        If there is no whole year.
    """
    if n_years < 1:
        raise InputError(f"n_years = {n_years}", where="periods", expected="at least 1")
    ends = [datetime.date(commissioned.year + k, 1, 1) for k in range(1, n_years + 2)]
    rest = pyxirr.year_fraction(commissioned, ends[0], _DAY_COUNT)
    end_years = rest + np.arange(n_years + 1.0)
    start_years = np.concatenate([[0.0], end_years[:-1]])
    return Periods([commissioned, *ends], start_years, end_years)


def discount_factors(end_years, rate: float) -> np.ndarray:
    """
    What a euro at the end of each period is worth today.

    Parameters
    ----------
    end_years : array_like, shape (n_period,)
        [a]
    rate : float
        Over -1. [1/a]

    Returns
    -------
    ndarray, shape (n_period,)
    """
    return (1.0 + rate) ** -np.asarray(end_years, dtype=np.float64)


def net_present_value(investment_eur, cash_eur, end_years, rate: float) -> np.ndarray:
    """
    Present value of the cash flows less the investment.

    Parameters
    ----------
    investment_eur : array_like, shape (n,)
        Paid at commissioning. [EUR]
    cash_eur : array_like, shape (n, n_period)
        At the end of each period. [EUR]
    end_years : array_like, shape (n_period,)
        [a]
    rate : float
        [1/a]

    Returns
    -------
    ndarray, shape (n,)
        [EUR]
    """
    cash = np.asarray(cash_eur, dtype=np.float64)
    # A sum per row, not a matrix product, whose order of adding depends on the machine's library.
    return (cash * discount_factors(end_years, rate)).sum(axis=1) - np.asarray(investment_eur)


def internal_rate_of_return(investment_eur, cash_eur, dates) -> np.ndarray:
    """
    Rate at which the present value is zero.

    Parameters
    ----------
    investment_eur : array_like, shape (n,)
        [EUR]
    cash_eur : array_like, shape (n, n_period)
        [EUR]
    dates : sequence of date, length n_period + 1
        Of the investment and of the end of each period.

    Returns
    -------
    ndarray, shape (n,)
        NaN if nothing ever comes in, or nothing was paid. [1/a]

    Notes
    -----
    ``pyxirr.xirr``, whole years counted as 360 days of 360.
    """
    flows = np.column_stack([-np.asarray(investment_eur, dtype=np.float64), cash_eur])
    days = np.array(dates, dtype="datetime64[D]")
    usable = np.isfinite(flows).all(axis=1) & (flows > 0.0).any(axis=1) & (flows[:, 0] < 0.0)
    rates = np.full(len(flows), np.nan)
    for row in np.flatnonzero(usable):
        found = pyxirr.xirr(days, flows[row], silent=True, day_count=_DAY_COUNT)
        rates[row] = np.nan if found is None else found
    return rates


def payback_years(investment_eur, cash_eur, start_years, end_years) -> np.ndarray:
    """
    Age from which on the plant has paid itself back for good, without discounting.

    Parameters
    ----------
    investment_eur : array_like, shape (n,)
        [EUR]
    cash_eur : array_like, shape (n, n_period)
        Spread evenly over each period. [EUR]
    start_years, end_years : array_like, shape (n_period,)
        [a]

    Returns
    -------
    ndarray, shape (n,)
        NaN if that is not reached within the periods. [a]
    """
    cash = np.asarray(cash_eur, dtype=np.float64)
    start, end = np.asarray(start_years), np.asarray(end_years)
    balance = np.cumsum(np.column_stack([-np.asarray(investment_eur), cash]), axis=1)
    n, n_period = cash.shape
    # The last moment in debt: a replacement may bring a plant into debt again.
    in_debt = balance < 0.0
    last = n_period - np.argmax(in_debt[:, ::-1], axis=1)
    is_reached = in_debt.any(axis=1) & ~in_debt[:, -1]
    period = np.minimum(last, n_period - 1)
    rows = np.arange(n)
    owed = -balance[rows, last]
    share = np.divide(owed, cash[rows, period], out=np.zeros(n), where=is_reached)
    years = start[period] + share * (end - start)[period]
    years = np.where(is_reached, years, np.nan)
    return np.where(~in_debt.any(axis=1) & np.isfinite(balance[:, -1]), 0.0, years)


def levelised_cost(investment_eur, cost_eur, energy_kwh, end_years, rate: float) -> np.ndarray:
    """
    Levelised cost of electricity.

    Parameters
    ----------
    investment_eur : array_like, shape (n,)
        [EUR]
    cost_eur : array_like, shape (n, n_period)
        Operation and replacements. [EUR]
    energy_kwh : array_like, shape (n, n_period)
        Electricity used or fed in. [kWh]
    end_years : array_like, shape (n_period,)
        [a]
    rate : float
        [1/a]

    Returns
    -------
    ndarray, shape (n,)
        NaN without energy. [EUR/kWh]

    Notes
    -----
    Present value of all costs over the present value of the energy (Fraunhofer ISE,
    Stromgestehungskosten erneuerbare Energien, 2024, eq. 1), nominal.
    """
    factors = discount_factors(end_years, rate)
    cost = np.asarray(investment_eur) + (np.asarray(cost_eur) * factors).sum(axis=1)
    energy = (np.asarray(energy_kwh) * factors).sum(axis=1)
    return np.divide(cost, energy, out=np.full(energy.shape, np.nan), where=energy > 0.0)
