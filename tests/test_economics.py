"""Money against cases worked by hand, then laws that hold for any plant."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
import pyxirr
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.errors import InputError
from solarkataster.io.rules import load_rules
from solarkataster.money.cash_flows import Use
from solarkataster.money.co2 import co2_method, co2_saving_kg_per_year
from solarkataster.money.economics import economics, surface_economics
from solarkataster.money.finance import (
    internal_rate_of_return,
    levelised_cost,
    net_present_value,
    payback_years,
    periods,
)

SHIPPED = load_rules()


def changed(table, **values):
    return table.model_copy(update=values)


def book_with(**tables):
    """
    Rules with round numbers: 1000 EUR/kWp, 100 EUR a year for 10 kWp, 0.30 EUR/kWh, 5 % discount,
    no rises, nothing bought again. Commissioned on 1 January 2025: 8.03 ct for what is left up to
    10 kWp, 12.73 ct for everything; ten periods of a whole year.
    """
    m = SHIPPED.money
    plain = {
        "commissioning": changed(m.commissioning, day=datetime.date(2025, 1, 1)),
        "life": changed(m.life, years=9),
        "investment": changed(m.investment, power_kwp=(10.0,), eur_per_kwp=(1000.0,)),
        "battery": changed(m.battery, eur_per_kwh=500.0, life_years=40),
        "inverter": changed(m.inverter, life_years=40),
        "operation": changed(m.operation, fraction_of_investment=0.01, fixed_eur=0.0),
        "price_homes": changed(m.price_homes, eur_per_kwh=0.30),
        "price_others": changed(m.price_others, eur_per_kwh=0.20),
        "rises": changed(
            m.rises, electricity_fraction_per_year=0.0, operation_fraction_per_year=0.0
        ),
        "discount": changed(m.discount, fraction_per_year=0.05),
    }
    return changed(SHIPPED, money=changed(m, **(plain | tables)))


def rise(electricity=0.0, operation=0.0):
    return changed(
        SHIPPED.money.rises,
        electricity_fraction_per_year=electricity,
        operation_fraction_per_year=operation,
    )


def plant(**values):
    """A home: 10 kWp, 10 000 kWh, of which 4000 are used; 6000 with a battery of 10 kWh."""
    return pd.DataFrame(
        {
            "dc_power_kwp": [10.0],
            "yield_year_kwh": [10_000.0],
            "yield_p90_year_kwh": [9_000.0],
            "self_consumed_kwh": [4_000.0],
            "feed_in_kwh": [6_000.0],
            "self_consumed_battery_kwh": [6_000.0],
            "feed_in_battery_kwh": [3_800.0],
            "battery_kwh": [10.0],
            "is_residential": [True],
        }
        | {name: [value] for name, value in values.items()}
    )


def money_of(book=None, degradation_fraction=0.0, **values):
    return economics(plant(**values), book or book_with(), degradation_fraction).iloc[0]


# Sum of 1.05^-k for k = 1 to 10, (1 - 1.05^-10) / 0.05.
ANNUITY = 7.721734929


def test_a_plant_worked_by_hand():
    # Own use 4000 x 0.30 = 1200, feed-in 6000 x 0.0803 = 481.80, upkeep 100: 1581.80 a year.
    # Battery: 6000 x 0.30 + 3800 x 0.0803 - 100 = 2005.14 for 15 000; all fed in: 1173.
    found = money_of()
    assert found.npv_self_consumption_eur == pytest.approx(1581.80 * ANNUITY - 10_000, abs=0.01)
    assert found.npv_battery_eur == pytest.approx(2005.14 * ANNUITY - 15_000, abs=0.01)
    assert found.npv_full_feed_in_eur == pytest.approx(1173.0 * ANNUITY - 10_000, abs=0.01)
    assert found.variant == "Eigenverbrauch"
    assert found.npv_eur == pytest.approx(2214.24, abs=0.01)
    assert found.investment_eur == 10_000
    assert found.payback_years == pytest.approx(10_000 / 1581.80)
    # (10 000 + 100 x annuity) / (10 000 x annuity) = 1 / 7.721735 + 0.01
    assert found.lcoe_eur_per_kwh == pytest.approx(0.139505, abs=1e-6)
    # A year with nine tenths of the yield: 0.9 x 1681.80 - 100 = 1413.62
    assert found.npv_p90_eur == pytest.approx(1413.62 * ANNUITY - 10_000, abs=0.01)
    assert found.payback_p90_years == pytest.approx(10_000 / 1413.62)
    assert found.co2_saving_kg_per_year == pytest.approx(10_000 * 0.363)
    assert found.money_reason == ""


def test_the_rate_of_return_makes_the_present_value_zero():
    rate = money_of().irr_fraction
    assert sum(1581.80 / (1 + rate) ** k for k in range(1, 11)) == pytest.approx(10_000, abs=1e-4)


def test_degradation_and_rises_worked_by_hand():
    # Two years; in the second yield -10 %, electricity +5 %, upkeep +2 %: 4000 x 0.9 x 0.315 = 1134
    # and 6000 x 0.9 x 0.0803 = 433.62 less 102 are 1465.62. 1581.80 / 1.05 + 1465.62 / 1.1025 =
    # 2835.8367.
    book = book_with(life=changed(SHIPPED.money.life, years=1), rises=rise(0.05, 0.02))
    found = money_of(book, 0.1)
    assert found.npv_self_consumption_eur == pytest.approx(2835.8367 - 10_000, abs=1e-3)
    # Cost 10 000 + 100 / 1.05 + 102 / 1.1025; energy 10 000 / 1.05 + 9000 / 1.1025.
    assert found.lcoe_eur_per_kwh == pytest.approx(10_187.7551 / 17_687.0748, rel=1e-6)
    assert np.isnan(found.payback_years)
    assert found.money_reason == "amortisiert sich in 1 Jahr nicht"


def test_the_rest_of_the_first_year_counts_by_its_length():
    # 1 July 2024 to the end of the year: 0.5 years of 1586.60 (8.11 ct then), then one whole year.
    book = book_with(
        commissioning=changed(SHIPPED.money.commissioning, day=datetime.date(2024, 7, 1)),
        life=changed(SHIPPED.money.life, years=1),
    )
    npv = 793.30 / 1.05**0.5 + 1586.60 / 1.05**1.5 - 10_000
    assert money_of(book).npv_self_consumption_eur == pytest.approx(npv, abs=0.01)


def test_batteries_and_inverters_are_bought_again():
    # Battery 5000 and inverter 0.15 x 10 000 = 1500 with lives of 4 years, ten periods: new ones at
    # the start of the 5th and 9th; the last pair is used for 2 of its 4 years.
    m = SHIPPED.money
    book = book_with(
        battery=changed(m.battery, eur_per_kwh=500.0, life_years=4),
        inverter=changed(m.inverter, fraction_of_investment=0.15, life_years=4),
        discount=changed(m.discount, fraction_per_year=0.0),
    )
    found = money_of(book)
    assert found.npv_battery_eur == pytest.approx(20_051.40 - 15_000 - 1.5 * 6500)
    assert found.npv_self_consumption_eur == pytest.approx(15_818.0 - 10_000 - 1.5 * 1500)


def test_unpaid_hours_of_negative_prices_worked_by_hand():
    # October 2025: 7.86 ct, of which 15.97 % of the feed-in earns nothing.
    book = book_with(
        commissioning=changed(SHIPPED.money.commissioning, day=datetime.date(2025, 10, 1)),
        life=changed(SHIPPED.money.life, years=1),
        discount=changed(SHIPPED.money.discount, fraction_per_year=0.0),
    )
    cash = 1.25 * (1200 + 6000 * 0.0786 * (1 - 0.1597) - 100)
    assert money_of(book).npv_self_consumption_eur == pytest.approx(cash - 10_000)


@pytest.mark.parametrize(
    ("day", "paid_years"),
    [
        # Whole year 2025 and 20 more, nothing unpaid.
        ("2025-01-01", 21.0),
        # A quarter and 19 years with 574 unpaid hours each, half of them made good; the law's table
        # has 3800 full-load quarter-hours a year: 19.25 x 574 x 4 x 0.5 / 3800 = 5.815526 more.
        ("2025-10-01", 20.25 + 5.815526),
    ],
)
def test_the_paid_period_and_what_is_made_good_after_it(day, paid_years):
    # Counted for 30 years without discount; after the pay the market value 4.508 - 0.715 ct.
    book = book_with(
        commissioning=changed(SHIPPED.money.commissioning, day=datetime.date.fromisoformat(day)),
        life=changed(SHIPPED.money.life, years=30),
        discount=changed(SHIPPED.money.discount, fraction_per_year=0.0),
    )
    whole = 31.0 if day == "2025-01-01" else 30.25
    tariff = 0.1273 if day == "2025-01-01" else 0.1247 * (1 - 0.1597)
    cash = 10_000 * (paid_years * tariff + (whole - paid_years) * 0.03793) - 100 * whole
    assert money_of(book).npv_full_feed_in_eur == pytest.approx(cash - 10_000, abs=0.1)


def test_others_pay_no_vat_unless_they_cannot_deduct_it():
    assert money_of(is_residential=False).investment_eur == 10_000
    vat = changed(SHIPPED.money.value_added_tax, others_deduct=False)
    assert money_of(book_with(value_added_tax=vat), is_residential=False).investment_eur == 11_900
    assert money_of(book_with(value_added_tax=vat)).investment_eur == 10_000


def test_tenant_power_worked_by_hand():
    # Six flats, half take part: 2000 kWh at 0.9 x 0.30 and 2.62 ct of premium, 8000 kWh fed in,
    # 6 x 20 EUR for billing. 540 + 52.40 + 642.40 - 100 - 120 = 1014.80 a year.
    tenants = changed(
        SHIPPED.money.tenants,
        model="tenant power",
        taking_part_fraction=0.5,
        eur_per_flat_and_year=20.0,
    )
    free = changed(SHIPPED.money.discount, fraction_per_year=0.0)
    book = book_with(tenants=tenants, discount=free)
    assert money_of(book, n_flats=6.0).npv_self_consumption_eur == pytest.approx(148.0)
    # Shared supply: the same without premium.
    book = book_with(tenants=changed(tenants, model="shared supply"), discount=free)
    assert money_of(book, n_flats=6.0).npv_self_consumption_eur == pytest.approx(148.0 - 524.0)
    # A home with two flats is used by its owners.
    assert money_of(book, n_flats=2.0).npv_self_consumption_eur == pytest.approx(5818.0)


@pytest.mark.parametrize("model", ["tenant power", "shared supply"])
def test_a_home_whose_flats_are_unknown_counts_as_one_household_and_says_so(model):
    book = book_with(tenants=changed(SHIPPED.money.tenants, model=model))
    unsaid, one = money_of(book), money_of(book, n_flats=1.0)
    words = "Zahl der Wohnungen unbekannt: gerechnet als ein Haushalt, ohne Verkauf an Mieter"
    assert (unsaid.money_reason, one.money_reason) == (words, "")
    assert unsaid.npv_self_consumption_eur == one.npv_self_consumption_eur
    assert money_of(book, n_flats=np.nan).money_reason == words
    # Nothing to say of firms, without a model for tenants, and where no use is computed.
    assert money_of(book, is_residential=False).money_reason == ""
    assert money_of().money_reason == ""
    without = {name: np.nan for name in ("self_consumed_kwh", "feed_in_kwh")}
    assert "Wohnungen" not in money_of(book, **without).money_reason
    poor = money_of(book, self_consumed_kwh=1.0, feed_in_kwh=1.0, self_consumed_battery_kwh=1.0,
                    feed_in_battery_kwh=1.0, yield_year_kwh=2.0, full_feed_in_kwh=2.0)  # fmt: skip
    assert poor.money_reason == f"{words}; amortisiert sich in 9 Jahren nicht"


def test_no_plant_takes_the_tariff_for_full_feed_in_and_supplies_its_house():
    nothing, fed_in = np.zeros(2), np.full(2, 900.0)
    Use(nothing, nothing, fed_in, nothing, is_full_feed_in=True)
    Use(np.array([5.0, 0.0]), nothing, fed_in, nothing)
    with pytest.raises(InputError, match="1 plants take the tariff") as caught:
        Use(np.array([0.0, 5.0]), nothing, fed_in, nothing, is_full_feed_in=True)
    assert caught.value.where == "plant 2"
    assert "two plants" in caught.value.remedy


def test_income_tax_worked_by_hand():
    # 40 kWp, all fed in: (10 x 12.73 + 30 x 10.68) / 40 = 11.1925 ct, 40 000 kWh: 4477. Upkeep 400,
    # written off over 20 years 2000: profit 2077, tax at 30 % 623.10.
    tax = changed(SHIPPED.money.income_tax, rate_fraction=0.3)
    book = book_with(
        income_tax=tax, discount=changed(SHIPPED.money.discount, fraction_per_year=0.0)
    )
    large = {"dc_power_kwp": 40.0, "yield_year_kwh": 40_000.0}
    found = money_of(book, **large)
    assert found.npv_full_feed_in_eur == pytest.approx(10 * (4477 - 400 - 623.1) - 40_000)
    # Up to 30 kWp nothing is taxed.
    assert money_of(book).npv_eur == money_of(book_with(discount=book.money.discount)).npv_eur


def test_without_demand_only_full_feed_in_is_computed():
    unknown = {"self_consumed_kwh": np.nan, "feed_in_kwh": np.nan}
    found = money_of(self_consumed_battery_kwh=np.nan, feed_in_battery_kwh=np.nan, **unknown)
    assert found.variant == "Volleinspeisung"
    assert np.isnan(found.npv_self_consumption_eur)
    assert np.isnan(found.npv_battery_eur)
    assert found.money_reason.startswith("Stromverbrauch unbekannt: nur Volleinspeisung berechnet")


def test_without_a_plant_there_is_no_money():
    found = money_of(dc_power_kwp=np.nan, yield_year_kwh=np.nan, yield_p90_year_kwh=np.nan)
    assert (found.variant, found.money_reason) == ("", "keine Anlage")
    assert found.drop(["variant", "money_reason"]).isna().all()


def test_without_a_yield_only_the_investment_is_known():
    unknown = dict.fromkeys(
        ("yield_year_kwh", "yield_p90_year_kwh", "self_consumed_kwh", "feed_in_kwh"), np.nan
    )
    found = money_of(self_consumed_battery_kwh=np.nan, feed_in_battery_kwh=np.nan, **unknown)
    assert (found.variant, found.investment_eur) == ("", 10_000)
    assert np.isnan(found.npv_eur)
    assert found.money_reason == "Ertrag unbekannt: Erlöse nicht berechnet"


def test_above_the_limit_of_tenders_cost_is_known_and_income_is_not():
    large = {"dc_power_kwp": 2000.0, "yield_year_kwh": 2e6}
    found = money_of(**large)
    assert (found.variant, found.investment_eur) == ("", 2e6)
    assert found.co2_saving_kg_per_year == pytest.approx(2e6 * 0.363)
    assert found.lcoe_eur_per_kwh == pytest.approx(0.139505, abs=1e-6)
    assert np.isnan(found.npv_eur)
    assert "Ausschreibung" in found.money_reason


def test_what_a_battery_loses_saves_no_co2():
    # 6000 kWh used and 3800 fed in of 10 000; with dear electricity the battery is best.
    dear = changed(SHIPPED.money.price_homes, eur_per_kwh=0.90)
    found = money_of(book_with(price_homes=dear))
    assert found.variant == "Eigenverbrauch mit Speicher"
    assert found.co2_saving_kg_per_year == pytest.approx(9_800 * 0.363)


def test_a_battery_of_no_size_is_no_variant():
    assert np.isnan(money_of(battery_kwh=0.0).npv_battery_eur)


def test_of_equal_variants_the_first_is_taken():
    period = SHIPPED.eeg.at(datetime.date(2025, 1, 1))
    flat = changed(period.feed_in, partial_ct_per_kwh=(8.0,) * 3, full_ct_per_kwh=(8.0,) * 3)
    book = changed(book_with(), eeg=changed(SHIPPED.eeg, periods=(changed(period, feed_in=flat),)))
    found = money_of(book, self_consumed_kwh=0.0, feed_in_kwh=10_000.0, battery_kwh=0.0)
    assert found.npv_self_consumption_eur == found.npv_full_feed_in_eur
    assert found.variant == "Eigenverbrauch"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"self_consumed_kwh": -1.0}, "self_consumed_kwh = -1"),
        ({"is_residential": None}, "is_residential is empty"),
    ],
)
def test_impossible_plants_are_refused(change, found):
    with pytest.raises(InputError, match=found):
        money_of(**change)


def test_a_missing_column_is_told():
    with pytest.raises(InputError, match="columns missing: battery_kwh"):
        economics(plant().drop(columns="battery_kwh"), book_with(), 0.0)


def test_single_surfaces_and_walls_worked_by_hand():
    wall = changed(SHIPPED.money.walls, cost_factor=1.5)
    found = surface_economics(
        [10.0, 10.0, np.nan],
        [10_000.0, 6_000.0, 0.0],
        book_with(walls=wall),
        0.0,
        is_on_wall=[False, True, True],
    )
    assert found.investment_eur.to_list()[:2] == [10_000, 15_000]
    # Wall: (15 000 + 150 x annuity) / (6000 x annuity) = 2.5 / annuity + 0.025
    assert found.lcoe_eur_per_kwh.to_list()[:2] == pytest.approx(
        [1 / ANNUITY + 0.01, 2.5 / ANNUITY + 0.025]
    )
    assert found.co2_saving_kg_per_year.to_list()[:2] == pytest.approx([3630.0, 2178.0])
    assert found.iloc[2].isna().all()


def test_prices_between_the_known_sizes_are_linear():
    # Shipped: 1600 EUR/kWp at 3.5, 1300 at 10: half-way, 6.75 kWp at 1450.
    book = book_with(investment=SHIPPED.money.investment)
    found = surface_economics([2.0, 6.75, 900.0], [1.0, 1.0, 1.0], book, 0.0, is_on_wall=False)
    assert found.investment_eur.to_list() == pytest.approx([3200.0, 6.75 * 1450, 900 * 925])


# Finance alone.


def test_periods_end_with_the_calendar_year():
    when = periods(datetime.date(2026, 12, 1), 2)
    assert when.end_years == pytest.approx([1 / 12, 13 / 12, 25 / 12])
    assert when.dates[1:] == [datetime.date(year, 1, 1) for year in (2027, 2028, 2029)]
    assert periods(datetime.date(2026, 1, 1), 1).length_years.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("cash", "rate"),
    [
        # 600 / 1.1 + 550 / 1.21 = 545.4545 + 454.5455 = 1000
        ([600.0, 550.0], 0.10),
        # 1210 / 1.21
        ([0.0, 1210.0], 0.10),
        # 900 in all: (1 + r)^2 = 0.9
        ([0.0, 900.0], np.sqrt(0.9) - 1.0),
        ([0.0, 0.0], np.nan),
    ],
)
def test_the_rate_of_return_worked_by_hand(cash, rate):
    dates = [datetime.date(year, 1, 1) for year in (2027, 2028, 2029)]
    found = internal_rate_of_return([1000.0], [cash], dates)[0]
    assert found == pytest.approx(rate, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("cash", "years"),
    [
        ([400.0, 400.0, 400.0], 2.5),
        ([500.0, 500.0, 0.0], 2.0),
        ([400.0, 400.0, 100.0], np.nan),
        # 200 over after two years, 100 in debt after the third for a new battery.
        ([600.0, 600.0, -300.0, 200.0], 3.5),
    ],
)
def test_the_payback_worked_by_hand(cash, years):
    ends = np.arange(1.0, len(cash) + 1)
    found = payback_years([1000.0], [cash], ends - 1, ends)[0]
    assert found == pytest.approx(years, nan_ok=True)


flows = st.lists(st.floats(-500, 3000), min_size=3, max_size=12)


@settings(deadline=None, max_examples=50)
@given(
    flows, st.floats(-0.05, 0.2), st.dates(datetime.date(2024, 2, 1), datetime.date(2026, 12, 1))
)
def test_the_present_value_is_that_of_the_library(cash, rate, day):
    when = periods(day, len(cash) - 1)
    found = net_present_value([1000.0], [cash], when.end_years, rate)[0]
    by_library = pyxirr.xnpv(rate, when.dates, [-1000.0, *cash], day_count="30E/360")
    assert found == pytest.approx(by_library, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(flows)
def test_without_discount_the_present_value_is_the_sum(cash):
    ends = np.arange(1.0, len(cash) + 1)
    found = net_present_value([1000.0], [cash], ends, 0.0)[0]
    assert found == pytest.approx(sum(cash) - 1000.0)


def test_no_energy_has_no_cost():
    assert np.isnan(levelised_cost([1000.0], [[1.0]], [[0.0]], [1.0], 0.05)[0])


# Laws of the whole.

homes = st.tuples(st.floats(1.0, 90.0), st.floats(0.0, 1.0), st.floats(0.1, 0.5))


@settings(deadline=None, max_examples=30)
@given(homes)
def test_dearer_electricity_makes_the_plant_worth_more_and_costs_no_more(home):
    power, own, price = home
    values = {
        "dc_power_kwp": power,
        "yield_year_kwh": 900 * power,
        "self_consumed_kwh": 900 * power * own,
        "feed_in_kwh": 900 * power * (1 - own),
    }
    cheap, dear = (
        money_of(
            book_with(price_homes=changed(SHIPPED.money.price_homes, eur_per_kwh=one)), **values
        )
        for one in (price, 2 * price)
    )
    assert dear.npv_self_consumption_eur >= cheap.npv_self_consumption_eur
    assert dear.npv_full_feed_in_eur == cheap.npv_full_feed_in_eur
    if dear.variant == cheap.variant:
        assert dear.lcoe_eur_per_kwh == cheap.lcoe_eur_per_kwh


def test_the_cost_of_electricity_knows_no_tariff():
    period = SHIPPED.eeg.at(datetime.date(2025, 1, 1))
    rich = changed(period.feed_in, partial_ct_per_kwh=(30.0,) * 3, full_ct_per_kwh=(10.0,) * 3)
    book = changed(book_with(), eeg=changed(SHIPPED.eeg, periods=(changed(period, feed_in=rich),)))
    poor, better = money_of(), money_of(book)
    assert better.variant == poor.variant
    assert better.npv_eur > poor.npv_eur
    assert better.lcoe_eur_per_kwh == poor.lcoe_eur_per_kwh


def test_a_plant_has_the_same_money_alone_and_among_others():
    rng = np.random.default_rng(7)
    power = rng.uniform(2.0, 120.0, 50)
    energy = 900 * power
    many = pd.concat([plant()] * 50, ignore_index=True).assign(
        dc_power_kwp=power, yield_year_kwh=energy, yield_p90_year_kwh=0.9 * energy
    )
    together = economics(many, SHIPPED, 0.005)
    alone = pd.concat([economics(many.iloc[[row]], SHIPPED, 0.005) for row in range(0, 50, 7)])
    pd.testing.assert_frame_equal(together.iloc[::7], alone, check_exact=True)


# Carbon dioxide.


def test_the_saving_is_told_with_factor_year_and_method():
    rules = SHIPPED.co2
    assert co2_saving_kg_per_year([10_000.0], [10.0], rules, 20.0)[0] == pytest.approx(3630.0)
    text = "363 g/kWh (2024, direkte CO2-Emissionen des deutschen Strommix)"
    assert co2_method(rules) == text


def test_another_factor_and_the_making_of_the_plant_by_choice():
    choice = changed(SHIPPED.co2.choice, factor="supply_chain_2025", subtracts_making=True)
    rules = changed(SHIPPED.co2, choice=choice)
    # 10 000 x 0.446 = 4460; 10 kWp x 810 kg over 20 years = 405 a year.
    assert co2_saving_kg_per_year([10_000.0], [10.0], rules, 20.0)[0] == pytest.approx(4055.0)
    assert "446 g/kWh (2025" in co2_method(rules)
    assert co2_method(rules).endswith("abzüglich 810 kg/kWp für die Herstellung")


def test_a_roof_and_its_building_spread_the_making_over_the_same_years():
    choice = changed(SHIPPED.co2.choice, subtracts_making=True)
    # Shipped: on 1 December 2026, so 20 years and the month before them.
    book = changed(SHIPPED, co2=changed(SHIPPED.co2, choice=choice))
    assert book.money.commissioning.day == datetime.date(2026, 12, 1)
    roof = surface_economics([10.0], [10_000.0], book, 0.0, is_on_wall=False)
    house = money_of(book, battery_kwh=0.0)
    assert house.co2_saving_kg_per_year == pytest.approx(3630.0 - 8100.0 / (20.0 + 1.0 / 12.0))
    assert roof.co2_saving_kg_per_year[0] == house.co2_saving_kg_per_year
