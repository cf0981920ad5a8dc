"""Costs, prices and how money is counted over the years."""

from __future__ import annotations

import datetime
import itertools
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from solarkataster.rules.base import (
    Fraction,
    NotNegative,
    Positive,
    Rules,
    SourcedTable,
    within,
)

#: A yearly change as a share; 4 for 4 % is refused.
YearlyChange = Annotated[float, within(-0.2, 0.5, "(a share: 0.04 is 4 %)")]
EurPerKwp = Annotated[float, within(200.0, 20_000.0, "EUR/kWp")]


class Commissioning(SourcedTable):
    """When the plants start: it decides the tariff."""

    day: datetime.date
    """Day of commissioning."""


class Life(SourcedTable):
    """How long money is counted."""

    years: Annotated[int, Field(gt=0, le=60)]
    """Whole years, after the rest of the year of commissioning."""


class Investment(SourcedTable):
    """What a plant on a roof costs, net, ready to run."""

    power_kwp: Annotated[tuple[Positive, ...], Field(min_length=1, strict=False)]
    """Sizes the prices are known for. [kWp]"""

    eur_per_kwp: Annotated[tuple[EurPerKwp, ...], Field(min_length=1, strict=False)]
    """Price per power at these sizes; linear between them, constant outside. [EUR/kWp]"""

    @model_validator(mode="after")
    def _larger_costs_more(self) -> Investment:
        if len(self.power_kwp) != len(self.eur_per_kwp):
            raise PydanticCustomError("length", "one price for each size")
        total = [p * price for p, price in zip(self.power_kwp, self.eur_per_kwp, strict=True)]
        for values, what in ((self.power_kwp, "power_kwp"), (total, "the whole price")):
            if not all(low < high for low, high in itertools.pairwise(values)):
                raise PydanticCustomError(
                    "not_rising", "{what} rising from size to size", {"what": what}
                )
        return self


class Walls(SourcedTable):
    """What modules on walls cost."""

    cost_factor: Annotated[float, Field(ge=1.0, le=10.0)]
    """Times the price of a plant of that size on a roof."""


class BatteryCosts(SourcedTable):
    """What a battery costs, and how long it lasts."""

    eur_per_kwh: Annotated[float, within(50.0, 5000.0, "EUR/kWh")]
    """Price per usable energy, net, installed. [EUR/kWh]"""

    life_years: Annotated[int, Field(gt=0)]
    """Then a new one is bought, if the money is counted for longer than that."""


class InverterCosts(SourcedTable):
    """What a new inverter costs."""

    fraction_of_investment: Fraction
    """Share of the investment without battery. [–]"""

    life_years: Annotated[int, Field(gt=0)]
    """Then a new one is bought."""


class SmartMeters(SourcedTable):
    """Which plants have a smart meter through which the grid operator controls them: they are free
    of the cap on feed-in, but get no pay while the price is negative."""

    over_kwp: NotNegative
    """Plants larger than this have one. [kWp]"""


class OperatingCosts(SourcedTable):
    """What a plant costs each year."""

    fraction_of_investment: Fraction
    """Upkeep and insurance: share of the investment without battery. [–]"""

    fixed_eur: NotNegative
    """Metering and the like, whatever the size. [EUR]"""


class DirectMarketing(SourcedTable):
    """What selling at the exchange costs above the size that has a fixed tariff."""

    fee_ct_per_kwh: NotNegative
    """Fee of the trader. [ct/kWh]"""


class Prices(SourcedTable):
    """What a kilowatt-hour from the grid costs."""

    eur_per_kwh: Annotated[float, within(0.05, 2.0, "EUR/kWh")]
    """Price today. [EUR/kWh]"""


class Rises(SourcedTable):
    """How prices change from year to year, nominal."""

    electricity_fraction_per_year: YearlyChange
    """Price of electricity from the grid. [–]"""

    operation_fraction_per_year: YearlyChange
    """Operating cost and replacements. [–]"""


class Discount(SourcedTable):
    """What money costs."""

    fraction_per_year: YearlyChange
    """Nominal rate that later money is discounted with. [–]"""


class AfterPay(SourcedTable):
    """What fed-in electricity earns when the tariff has ended."""

    market_value_ct_per_kwh: Annotated[float, within(0.5, 100.0, "ct/kWh")]
    """Yearly market value of solar electricity. [ct/kWh]"""

    fee_ct_per_kwh: NotNegative
    """Cost of marketing that the grid operator keeps. [ct/kWh]"""


class NegativeHours(SourcedTable):
    """How much falls into times of negative prices."""

    feed_in_fraction: Fraction
    """Share of the electricity fed in. [–]"""

    hours_per_year: NotNegative
    """Hours with a negative price. [h]"""


class ValueAddedTax(SourcedTable):
    """Value added tax on investment and replacements."""

    homes_fraction: Fraction
    """Plants on homes. [–]"""

    others_fraction: Fraction
    """All other plants. [–]"""

    others_deduct: bool
    """Whether the others get the tax back, so that net prices count for them."""


class IncomeTax(SourcedTable):
    """Tax on what the plant earns. Off by default."""

    rate_fraction: Fraction
    """Rate; 0 for off. [–]"""

    exempt_up_to_kwp: NotNegative
    """Plants up to this size pay none. [kWp]"""

    depreciation_years: Annotated[int, Field(gt=0)]
    """Years over which the investment is written off in equal parts."""


class Tenants(SourcedTable):
    """Homes with several flats: who gets the electricity from the roof."""

    model: Literal["own use", "tenant power", "shared supply"]
    """``own use``: as if one household lived there. ``tenant power`` (Mieterstrom): sold to tenants
    at a bounded price, with premium. ``shared supply`` (gemeinschaftliche Gebäudeversorgung): sold
    to them without premium."""

    from_flats: Annotated[int, Field(ge=2)]
    """Least number of flats the model is applied to."""

    price_fraction: Fraction
    """Price of roof electricity as a share of the price from the grid. [–]"""

    taking_part_fraction: Fraction
    """Share of the electricity that would be used in the house and is sold there. [–]"""

    eur_per_flat_and_year: NotNegative
    """Metering and billing. [EUR]"""


class MoneyRules(Rules):
    """All about money except the tariffs."""

    commissioning: Commissioning
    life: Life
    investment: Investment
    walls: Walls
    battery: BatteryCosts
    inverter: InverterCosts
    smart_meters: SmartMeters
    operation: OperatingCosts
    direct_marketing: DirectMarketing
    price_homes: Prices
    price_others: Prices
    rises: Rises
    discount: Discount
    after_pay: AfterPay
    negative_hours: NegativeHours
    value_added_tax: ValueAddedTax
    income_tax: IncomeTax
    tenants: Tenants
