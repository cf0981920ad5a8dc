"""What fed-in electricity earns: the tariff file of a commissioning date, plant by plant."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from solarkataster.rules.base import SourcedTable
from solarkataster.rules.eeg import (
    EegPeriod,
    EegRules,
    NegativePrices,
    slice_mean_eur_per_kwh,
)
from solarkataster.rules.money import MoneyRules
from solarkataster.units import CT_PER_EUR

#: Quarter-hours per hour.
_QUARTERS = 4.0


@dataclass(frozen=True)
class TariffUsed:
    """
    Which file a result was computed with, as a run names it.

    Attributes
    ----------
    name : str
        Name of the file.
    commissioned : date
        Day of commissioning that chose it.
    source : str
        Source of the tariffs in it.
    verified : bool
        False if they were derived only.
    note : str
    """

    name: str
    commissioned: datetime.date
    source: str
    verified: bool
    note: str


@dataclass(frozen=True, eq=False)
class Tariffs:
    """
    Pay of each plant, NaN where no file knows it.

    Attributes
    ----------
    used : TariffUsed
    partial_eur_per_kwh, full_eur_per_kwh : ndarray, shape (n,)
        Feed-in beside own use, and of everything; above 100 kW by direct marketing, less its fee.
        [EUR/kWh]
    tenant_premium_eur_per_kwh : ndarray, shape (n,)
        Mieterstromzuschlag. [EUR/kWh]
    unpaid_fraction : ndarray, shape (n,)
        Share of the feed-in that falls into negative prices and earns nothing. [–]
    needs_tender : ndarray of bool, shape (n,)
        Above the size whose pay the law sets.
    paid_years : int
        Whole years of pay after the rest of the year of commissioning.
    makeup_fraction_per_hour : float
        For each unpaid hour a year, how much of a year's electricity is paid for afterwards, for
        every year that counts. [1/h]
    makeup_counts_years : int
        Years that count, after that of commissioning.
    """

    used: TariffUsed
    partial_eur_per_kwh: np.ndarray
    full_eur_per_kwh: np.ndarray
    tenant_premium_eur_per_kwh: np.ndarray
    unpaid_fraction: np.ndarray
    needs_tender: np.ndarray
    paid_years: int
    makeup_fraction_per_hour: float
    makeup_counts_years: int


def tariffs(power_kwp, eeg: EegRules, money: MoneyRules) -> Tariffs:
    """
    Pay of plants commissioned on the day that the rules of money name.

    Parameters
    ----------
    power_kwp : array_like, shape (n,)
        Installed power; NaN for no plant. [kWp]
    eeg : EegRules
    money : MoneyRules

    Returns
    -------
    Tariffs

    Raises
    ------
    InputError
        If no tariff file covers the day of commissioning.

    Notes
    -----
    EEG 2023: § 48 Abs. 2 and 2a with § 23c (each slice of the power at its own price), § 53 (fixed
    tariff), § 20 (market premium: revenue is filled up to the value of § 48), § 22 Abs. 3 (tender),
    § 51 (no pay at negative prices).
    """
    power = np.asarray(power_kwp, dtype=np.float64)
    day = money.commissioning.day
    period = eeg.at(day)
    rule = period.negative_prices
    if rule is not None and day < rule.applies_from:
        rule = None
    return Tariffs(
        used=_used(period, day),
        partial_eur_per_kwh=_pay(power, period, money, "partial_ct_per_kwh"),
        full_eur_per_kwh=_pay(power, period, money, "full_ct_per_kwh"),
        tenant_premium_eur_per_kwh=slice_mean_eur_per_kwh(
            power, period.tenant_power.up_to_kwp, period.tenant_power.premium_ct_per_kwh
        ),
        unpaid_fraction=_unpaid(power, rule, money),
        needs_tender=power > period.market_premium.tender_above_kwp,
        paid_years=period.paid_years,
        makeup_fraction_per_hour=_makeup(rule),
        makeup_counts_years=0 if rule is None else rule.makeup_counts_years,
    )


def feed_in_limit_kw(power_kwp, eeg: EegRules, money: MoneyRules) -> np.ndarray:
    """
    Most power each plant may feed in.

    Parameters
    ----------
    power_kwp : array_like, shape (n,)
        Installed power. [kWp]
    eeg : EegRules
    money : MoneyRules

    Returns
    -------
    ndarray, shape (n,)
        Infinite for plants with a smart meter, and before the law. [kW]

    Notes
    -----
    EEG 2023 § 9 Abs. 2 as of 25 February 2025.
    """
    power = np.asarray(power_kwp, dtype=np.float64)
    cap = eeg.at(money.commissioning.day).feed_in_cap
    if cap is None or money.commissioning.day < cap.applies_from:
        return np.full(power.shape, np.inf)
    is_capped = (power < cap.below_kwp) & (power <= money.smart_meters.over_kwp)
    return np.where(is_capped, cap.fraction * power, np.inf)


def _used(period: EegPeriod, day: datetime.date) -> TariffUsed:
    tables: tuple[SourcedTable, ...] = (period, period.feed_in)
    return TariffUsed(
        name=period.name,
        commissioned=day,
        source=period.feed_in.source,
        verified=all(table.verified for table in tables),
        note=period.feed_in.note,
    )


def _pay(power: np.ndarray, period: EegPeriod, money: MoneyRules, kind: str) -> np.ndarray:
    fixed, marketed = period.feed_in, period.market_premium
    by_law = slice_mean_eur_per_kwh(power, fixed.up_to_kwp, getattr(fixed, kind))
    by_market = slice_mean_eur_per_kwh(power, marketed.up_to_kwp, getattr(marketed, kind))
    fee = money.direct_marketing.fee_ct_per_kwh / CT_PER_EUR
    pay = np.where(power <= fixed.up_to_kwp[-1], by_law, by_market - fee)
    return np.where(power <= marketed.tender_above_kwp, pay, np.nan)


def _unpaid(power: np.ndarray, rule: NegativePrices | None, money: MoneyRules) -> np.ndarray:
    """Small plants only if they have a smart meter, larger ones always."""
    if rule is None:
        return np.zeros(power.shape)
    is_metered = (power > money.smart_meters.over_kwp) | (power >= rule.only_metered_below_kwp)
    return np.where(
        (power >= rule.from_kwp) & is_metered, money.negative_hours.feed_in_fraction, 0.0
    )


def _makeup(rule: NegativePrices | None) -> float:
    """A share of each unpaid hour, as full-load hours, over those of a whole year."""
    if rule is None or rule.makeup_fraction == 0.0:
        return 0.0
    return rule.makeup_fraction * _QUARTERS / sum(rule.full_load_quarter_hours)
