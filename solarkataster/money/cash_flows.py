"""What a plant costs and earns, year by year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solarkataster.errors import InputError
from solarkataster.money.finance import Periods, periods
from solarkataster.money.tariffs import Tariffs
from solarkataster.rules.money import MoneyRules
from solarkataster.units import CT_PER_EUR


@dataclass(frozen=True, eq=False)
class Plants:
    """
    Plants whose money is counted.

    Attributes
    ----------
    power_kwp : ndarray, shape (n,)
        Installed power; NaN for no plant. [kWp]
    is_residential : ndarray of bool, shape (n,)
    is_on_wall : ndarray of bool, shape (n,)
    n_flats : ndarray, shape (n,)
        Number of flats; NaN where it is not known: no model for tenants is applied.
    degradation_fraction : float
        Share of the yield that is lost each year. [1/a]
    """

    power_kwp: np.ndarray
    is_residential: np.ndarray
    is_on_wall: np.ndarray
    n_flats: np.ndarray
    degradation_fraction: float


@dataclass(frozen=True, eq=False)
class Use:
    """
    Where the electricity of the first year goes.

    Attributes
    ----------
    own_kwh : ndarray, shape (n,)
        Used in the house. [kWh]
    direct_kwh : ndarray, shape (n,)
        Of this, not by way of a battery. [kWh]
    feed_in_kwh : ndarray, shape (n,)
        [kWh]
    battery_kwh : ndarray, shape (n,)
        Usable size of the battery, 0 for none. [kWh]
    is_full_feed_in : bool
        Whether it is paid by the tariff for full feed-in.

    Raises
    ------
    InputError
        If a plant takes the tariff for full feed-in and supplies the house as well: on one roof
        these are two plants with meters of their own (EEG 2023 § 48 Abs. 2a).
    """

    own_kwh: np.ndarray
    direct_kwh: np.ndarray
    feed_in_kwh: np.ndarray
    battery_kwh: np.ndarray
    is_full_feed_in: bool = False

    def __post_init__(self) -> None:
        both = np.asarray(self.own_kwh) > 0.0
        if self.is_full_feed_in and both.any():
            raise InputError(
                f"{int(both.sum())} plants take the tariff for full feed-in and supply their house",
                where=f"plant {int(np.flatnonzero(both)[0]) + 1}",
                expected="one kind of feed-in for each plant (EEG 2023 § 48 Abs. 2a)",
                remedy="Make two plants of it, with meters of their own.",
            )


@dataclass(frozen=True, eq=False)
class Costs:
    """
    What plants cost, whatever is done with their electricity.

    Attributes
    ----------
    investment_eur : ndarray, shape (n,)
        With battery and value added tax. [EUR]
    running_eur, replacements_eur : ndarray, shape (n, n_period)
        Upkeep, insurance, metering; batteries and inverters bought again. [EUR]
    periods : Periods
    """

    investment_eur: np.ndarray
    running_eur: np.ndarray
    replacements_eur: np.ndarray
    periods: Periods

    @property
    def cost_eur(self) -> np.ndarray:
        """Of each period, shape (n, n_period). [EUR]"""
        return self.running_eur + self.replacements_eur


@dataclass(frozen=True, eq=False)
class CashFlows:
    """
    Money of the plants.

    Attributes
    ----------
    investment_eur : ndarray, shape (n,)
        With battery and value added tax. [EUR]
    income_eur, cost_eur, tax_eur : ndarray, shape (n, n_period)
        Saved and earned; operation and replacements; income tax. [EUR]
    energy_kwh : ndarray, shape (n, n_period)
        Used and fed in. [kWh]
    periods : Periods
    """

    investment_eur: np.ndarray
    income_eur: np.ndarray
    cost_eur: np.ndarray
    tax_eur: np.ndarray
    energy_kwh: np.ndarray
    periods: Periods

    @property
    def cash_eur(self) -> np.ndarray:
        """What is left of each period, shape (n, n_period). [EUR]"""
        return self.income_eur - self.cost_eur - self.tax_eur


def cash_flows(plants: Plants, use: Use, tariffs: Tariffs, money: MoneyRules) -> CashFlows:
    """
    Money of each plant in the rest of the year of commissioning and in every whole year after it.

    Parameters
    ----------
    plants : Plants
    use : Use
    tariffs : Tariffs
    money : MoneyRules

    Returns
    -------
    CashFlows

    Notes
    -----
    Nominal. Yield and its shares fall with the age at the start of a period, prices rise with it;
    the rest of the year of commissioning counts by its length, whatever the season. Electricity
    used in the house saves its price from the grid, or earns what tenants pay for it. A battery and
    an inverter are bought again when their life ends within the periods, and what they are still
    worth at the end is taken off in proportion.
    """
    costs = costs_of(plants, use.battery_kwh, money)
    when = costs.periods
    use = _shared(plants, use, money)
    produced = produced_years(plants, when)
    income, feed_in_income = _income(plants, use, tariffs, money, when, produced)
    return CashFlows(
        investment_eur=costs.investment_eur,
        income_eur=income,
        cost_eur=costs.cost_eur,
        tax_eur=_income_tax(plants, use, costs, feed_in_income, money),
        energy_kwh=(use.own_kwh + use.feed_in_kwh)[:, None] * produced,
        periods=when,
    )


def costs_of(plants: Plants, battery_kwh, money: MoneyRules) -> Costs:
    """
    What plants cost at first and period by period.

    Parameters
    ----------
    plants : Plants
    battery_kwh : array_like, shape (n,) or number
        Usable size of the battery, 0 for none. [kWh]
    money : MoneyRules

    Returns
    -------
    Costs
    """
    when = periods(money.commissioning.day, money.life.years)
    plant_eur = investment_eur(plants.power_kwp, plants.is_on_wall, plants.is_residential, money)
    battery_eur = battery_kwh * money.battery.eur_per_kwh * _gross(plants, money)
    return Costs(
        investment_eur=plant_eur + battery_eur,
        running_eur=_running_cost(plants, plant_eur, money, when),
        replacements_eur=_replacements(plant_eur, battery_eur, money, when),
        periods=when,
    )


def produced_years(plants: Plants, when: Periods) -> np.ndarray:
    """Yield of each period over that of the first year, shape (n_period,). [–]"""
    return when.length_years * (1.0 - plants.degradation_fraction) ** when.start_years


def investment_eur(power_kwp, is_on_wall, is_residential, money: MoneyRules) -> np.ndarray:
    """
    What a plant without battery costs.

    Parameters
    ----------
    power_kwp : array_like, shape (n,)
        [kWp]
    is_on_wall, is_residential : array_like of bool, shape (n,)
    money : MoneyRules

    Returns
    -------
    ndarray, shape (n,)
        With value added tax where it stays with the owner. [EUR]
    """
    power = np.asarray(power_kwp, dtype=np.float64)
    price = np.interp(power, money.investment.power_kwp, money.investment.eur_per_kwp)
    factor = np.where(is_on_wall, money.walls.cost_factor, 1.0)
    return power * price * factor * _gross_factor(is_residential, money)


def _gross(plants: Plants, money: MoneyRules) -> np.ndarray:
    return _gross_factor(plants.is_residential, money)


def _gross_factor(is_residential, money: MoneyRules) -> np.ndarray:
    vat = money.value_added_tax
    others = 0.0 if vat.others_deduct else vat.others_fraction
    return 1.0 + np.where(is_residential, vat.homes_fraction, others)


def _has_tenants(plants: Plants, money: MoneyRules) -> np.ndarray:
    many = plants.n_flats >= money.tenants.from_flats
    return plants.is_residential & many & has_tenant_model(money)


def has_tenant_model(money: MoneyRules) -> bool:
    """Whether the rules sell electricity to tenants, where flats are known."""
    return money.tenants.model != "own use"


def _shared(plants: Plants, use: Use, money: MoneyRules) -> Use:
    """With tenants, what those who do not take part would have used is fed in."""
    part = np.where(_has_tenants(plants, money), money.tenants.taking_part_fraction, 1.0)
    if use.is_full_feed_in:
        return use
    return Use(
        own_kwh=use.own_kwh * part,
        direct_kwh=use.direct_kwh * part,
        feed_in_kwh=use.feed_in_kwh + use.own_kwh * (1.0 - part),
        battery_kwh=use.battery_kwh,
    )


def _income(
    plants: Plants,
    use: Use,
    tariffs: Tariffs,
    money: MoneyRules,
    when: Periods,
    produced: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """All income, and that of feed-in alone, shape (n, n_period)."""
    price = np.where(
        plants.is_residential, money.price_homes.eur_per_kwh, money.price_others.eur_per_kwh
    )
    tenants = _has_tenants(plants, money)
    price = np.where(tenants, price * money.tenants.price_fraction, price)
    rise = (1.0 + money.rises.electricity_fraction_per_year) ** when.start_years
    saved = (use.own_kwh * price)[:, None] * rise * produced
    paid = paid_shares(tariffs, money, when)
    pay = tariffs.full_eur_per_kwh if use.is_full_feed_in else tariffs.partial_eur_per_kwh
    after = (money.after_pay.market_value_ct_per_kwh - money.after_pay.fee_ct_per_kwh) / CT_PER_EUR
    per_kwh = (pay * (1.0 - tariffs.unpaid_fraction))[:, None] * paid + after * (1.0 - paid)
    fed_in = use.feed_in_kwh[:, None] * produced * per_kwh
    if money.tenants.model == "tenant power":
        premium = np.where(tenants, tariffs.tenant_premium_eur_per_kwh * use.direct_kwh, 0.0)
        saved = saved + premium[:, None] * produced * paid
    return saved + fed_in, fed_in


def paid_shares(tariffs: Tariffs, money: MoneyRules, when: Periods) -> np.ndarray:
    """
    Share of each period in which the tariff is paid.

    Parameters
    ----------
    tariffs : Tariffs
    money : MoneyRules
    when : Periods

    Returns
    -------
    ndarray, shape (n, n_period)
        [–]

    Notes
    -----
    EEG 2023 § 25, and § 51a: a share of the unpaid hours is paid afterwards, as full-load hours.
    """
    counted_years = when.end_years[0] + tariffs.makeup_counts_years
    unpaid_hours = money.negative_hours.hours_per_year * counted_years
    more = np.where(
        tariffs.unpaid_fraction > 0.0, unpaid_hours * tariffs.makeup_fraction_per_hour, 0.0
    )
    end = when.end_years[0] + tariffs.paid_years + more
    return np.clip((end[:, None] - when.start_years) / when.length_years, 0.0, 1.0)


def _running_cost(
    plants: Plants, plant_eur: np.ndarray, money: MoneyRules, when: Periods
) -> np.ndarray:
    flats = np.where(_has_tenants(plants, money), plants.n_flats, 0.0)
    yearly = (
        plant_eur * money.operation.fraction_of_investment
        + money.operation.fixed_eur
        + flats * money.tenants.eur_per_flat_and_year
    )
    rise = (1.0 + money.rises.operation_fraction_per_year) ** when.start_years
    return yearly[:, None] * rise * when.length_years


def _replacements(
    plant_eur: np.ndarray, battery_eur: np.ndarray, money: MoneyRules, when: Periods
) -> np.ndarray:
    inverter = _times_replaced(money.inverter.life_years, money, when)
    battery = _times_replaced(money.battery.life_years, money, when)
    inverter_eur = plant_eur * money.inverter.fraction_of_investment
    return inverter_eur[:, None] * inverter + battery_eur[:, None] * battery


def _times_replaced(life_years: int, money: MoneyRules, when: Periods) -> np.ndarray:
    """
    Price in each period over today's: risen if one is bought in it, else 0.

    One that outlasts the periods counts with the share of its life within them.
    """
    price = np.zeros(len(when.end_years))
    end = when.end_years[-1]
    for age in np.arange(life_years, end, life_years):
        at = np.searchsorted(when.end_years, age, side="right")
        risen = (1.0 + money.rises.operation_fraction_per_year) ** age
        price[at] += risen * min(1.0, (end - age) / life_years)
    return price


def _income_tax(
    plants: Plants,
    use: Use,
    costs: Costs,
    feed_in_eur: np.ndarray,
    money: MoneyRules,
) -> np.ndarray:
    """Tax on the profit of feed-in: its income less its share of upkeep and depreciation."""
    tax = money.income_tax
    if tax.rate_fraction == 0.0:
        return np.zeros(feed_in_eur.shape)
    energy = use.own_kwh + use.feed_in_kwh
    share = np.divide(use.feed_in_kwh, energy, out=np.zeros(energy.shape), where=energy > 0.0)
    when = costs.periods
    left = np.clip(tax.depreciation_years - when.start_years, 0.0, when.length_years)
    written_off = costs.investment_eur[:, None] * left / tax.depreciation_years
    profit = feed_in_eur - share[:, None] * (costs.running_eur + written_off)
    is_taxed = plants.power_kwp > tax.exempt_up_to_kwp
    return np.where(is_taxed[:, None], tax.rate_fraction * profit, 0.0)
