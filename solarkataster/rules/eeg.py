"""Tariffs of the Renewable Energy Sources Act (EEG), one dated file per half-year."""

from __future__ import annotations

import datetime
import itertools
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from solarkataster.errors import InputError
from solarkataster.rules.base import (
    Fraction,
    NotNegative,
    Positive,
    Rules,
    SourcedTable,
    within,
)
from solarkataster.units import CT_PER_EUR

_ONE_DAY = datetime.timedelta(days=1)


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if not all(low < high for low, high in itertools.pairwise(values)):
        raise PydanticCustomError("not_rising", "limits that rise from first to last")
    return values


_Limits = Annotated[
    tuple[Positive, ...], Field(min_length=1, strict=False), AfterValidator(_rising)
]
_Price = Annotated[float, within(0.5, 100.0, "ct/kWh")]
_Prices = Annotated[tuple[_Price, ...], Field(min_length=1, strict=False)]


class SliceTable(SourcedTable):
    """Prices per slice of the plant's power, as the law counts them: each kW earns its own slice's
    price, whatever the size of the whole plant."""

    up_to_kwp: _Limits
    """Upper ends of the slices. [kWp]"""


class FeedInTable(SliceTable):
    """What a kilowatt-hour earns, by kind of feed-in."""

    partial_ct_per_kwh: _Prices
    """Plants that supply their own house and feed in what is left. [ct/kWh]"""

    full_ct_per_kwh: _Prices
    """Plants that feed in everything. [ct/kWh]"""

    @model_validator(mode="after")
    def _one_price_per_slice(self) -> FeedInTable:
        _same_length(self.up_to_kwp, self.partial_ct_per_kwh, "partial_ct_per_kwh")
        _same_length(self.up_to_kwp, self.full_ct_per_kwh, "full_ct_per_kwh")
        return self


class MarketPremium(FeedInTable):
    """Value to be applied in direct marketing: market revenue and premium together."""

    tender_above_kwp: Positive
    """Larger plants are paid what a tender yields, which no rule file knows. [kWp]"""


class TenantTable(SliceTable):
    """Premium per kilowatt-hour that tenants of the house take from its roof."""

    premium_ct_per_kwh: _Prices
    """Mieterstromzuschlag. [ct/kWh]"""

    @model_validator(mode="after")
    def _one_price_per_slice(self) -> TenantTable:
        _same_length(self.up_to_kwp, self.premium_ct_per_kwh, "premium_ct_per_kwh")
        return self


class FeedInCap(SourcedTable):
    """Most power a plant may feed in while the grid operator cannot control it."""

    applies_from: datetime.date
    """First commissioning date the cap holds for."""

    fraction: Fraction
    """Share of the installed power. [–]"""

    below_kwp: Positive
    """Plants it holds for are smaller; larger ones must be controllable from the start. [kWp]"""


class NegativePrices(SourcedTable):
    """No pay while the exchange's price is below zero, and the years that are added for it."""

    applies_from: datetime.date
    """First commissioning date the rule holds for."""

    from_kwp: NotNegative
    """Smallest plant it holds for. [kWp]"""

    only_metered_below_kwp: NotNegative = 0.0
    """Smaller plants than this only if they have a smart meter. [kWp]"""

    makeup_fraction: Fraction
    """Share of the unpaid hours that are paid after the paid period, as full-load hours. [–]"""

    makeup_counts_years: Annotated[int, Field(ge=0)] = 0
    """Calendar years after that of commissioning whose unpaid hours are counted."""

    full_load_quarter_hours: Annotated[tuple[NotNegative, ...], Field(strict=False)] = ()
    """Full-load quarter-hours that the law counts for each month, from January."""

    @model_validator(mode="after")
    def _twelve_months(self) -> NegativePrices:
        n_month = len(self.full_load_quarter_hours)
        if n_month not in (0, 12) or (self.makeup_fraction > 0.0 and n_month == 0):
            raise PydanticCustomError(
                "months",
                "full_load_quarter_hours with 12 months, found {n_month}",
                {"n_month": n_month},
            )
        return self


class EegPeriod(SourcedTable):
    """Tariffs for plants commissioned within a half-year. Source and date of the file itself hold
    for its dates."""

    name: Annotated[str, Field(min_length=1)]
    """Name of the file."""

    valid_from: datetime.date
    """First commissioning date."""

    valid_to: datetime.date
    """Last commissioning date."""

    paid_years: Annotated[int, Field(gt=0)]
    """Whole calendar years of pay, besides the rest of the year of commissioning."""

    feed_in: FeedInTable
    """Fixed feed-in tariff."""

    market_premium: MarketPremium
    """Pay in direct marketing, per slice."""

    tenant_power: TenantTable
    """Premium for tenant power."""

    feed_in_cap: FeedInCap | None = None
    """Cap of the power fed in without smart control; none before the law of February 2025."""

    negative_prices: NegativePrices | None = None
    """Pay while the price is negative."""

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> EegPeriod:
        if self.valid_to < self.valid_from:
            raise PydanticCustomError(
                "dates",
                "valid_from before valid_to",
                {"said": f"valid_from is {self.valid_from}, valid_to is {self.valid_to}"},
            )
        return self


class EegRules(Rules):
    """All half-years that tariffs are known for, without gap or overlap."""

    periods: Annotated[tuple[EegPeriod, ...], Field(min_length=1, strict=False)]
    """One per file, the earliest first."""

    @model_validator(mode="before")
    @classmethod
    def _sorted(cls, raw):
        periods = raw.get("periods", ()) if isinstance(raw, dict) else ()
        dates = [one.get("valid_from") for one in periods if isinstance(one, dict)]
        if len(dates) < len(periods) or not all(isinstance(day, datetime.date) for day in dates):
            return raw
        return {**raw, "periods": sorted(periods, key=lambda one: one["valid_from"])}

    @model_validator(mode="after")
    def _without_gap_or_overlap(self) -> EegRules:
        found = [
            _apart(before, after)
            for before, after in itertools.pairwise(self.periods)
            if after.valid_from != before.valid_to + _ONE_DAY
        ]
        if found:
            raise PydanticCustomError(
                "periods",
                "periods that follow each other day by day",
                {"said": "; ".join(found)},
            )
        return self

    def at(self, commissioned: datetime.date) -> EegPeriod:
        """
        The period a plant belongs to.

        Parameters
        ----------
        commissioned : date
            Day of commissioning.

        Returns
        -------
        EegPeriod

        Raises
        ------
        InputError
            If no file covers the day.
        """
        for period in self.periods:
            if period.valid_from <= commissioned <= period.valid_to:
                return period
        first, last = self.periods[0], self.periods[-1]
        raise InputError(
            f"no tariff file covers a commissioning on {commissioned}",
            where="[eeg]",
            expected=f"a date from {first.valid_from} to {last.valid_to}, which the files "
            f"{first.name} to {last.name} cover",
            remedy="Change the commissioning date, or give a folder with a file for it: "
            '[eeg] folder = "..."',
        )


def _apart(before: EegPeriod, after: EegPeriod) -> str:
    kind = "gap" if after.valid_from > before.valid_to else "overlap"
    return (
        f"{kind} between {before.name} (to {before.valid_to}) and "
        f"{after.name} (from {after.valid_from})"
    )


def _same_length(limits, prices, key: str) -> None:
    if len(limits) != len(prices):
        raise PydanticCustomError(
            "length",
            "{key} with one price per slice: {n_slice} slices, {n_price} prices",
            {"key": key, "n_slice": len(limits), "n_price": len(prices)},
        )


def slice_mean_eur_per_kwh(power_kwp, up_to_kwp, prices_ct_per_kwh) -> np.ndarray:
    """
    Mean price of a plant's kilowatt-hours when each slice of its power earns its own price.

    Parameters
    ----------
    power_kwp : array_like, shape (n,)
        Installed power. [kWp]
    up_to_kwp : sequence of float, length n_slice
        Upper ends of the slices, rising. [kWp]
    prices_ct_per_kwh : sequence of float, length n_slice
        [ct/kWh]

    Returns
    -------
    ndarray, shape (n,)
        NaN without power and for power above the last slice. [EUR/kWh]

    Notes
    -----
    EEG 2023 § 23c: of a plant of P kWp, the share min(P, limit) - min(P, limit before) over P
    earns that slice's price. The mean is continuous in P.
    """
    power = np.asarray(power_kwp, dtype=np.float64)
    limits = np.asarray(up_to_kwp, dtype=np.float64)
    ends = np.minimum(power[:, None], limits)
    in_slice = np.diff(ends, axis=1, prepend=0.0)
    # A sum per row: a matrix product may add in another order for another number of plants.
    priced = (in_slice * np.asarray(prices_ct_per_kwh, dtype=np.float64)).sum(axis=1) / CT_PER_EUR
    known = (power > 0.0) & (power <= limits[-1])
    return np.divide(priced, power, out=np.full(power.shape, np.nan), where=known)
