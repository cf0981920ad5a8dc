"""Pay by power and date, against sums done by hand from the published prices."""

from __future__ import annotations

import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.errors import InputError
from solarkataster.io.rules import load_rules
from solarkataster.money.tariffs import feed_in_limit_kw, tariffs
from solarkataster.rules.eeg import slice_mean_eur_per_kwh

BOOK = load_rules()
SMART_METERS = BOOK.money.smart_meters


def money_of(day, **tables):
    money = BOOK.money
    start = money.commissioning.model_copy(update={"day": datetime.date.fromisoformat(day)})
    return money.model_copy(update={"commissioning": start, **tables})


def pay(power_kwp, day="2025-10-01"):
    return tariffs(np.atleast_1d(np.float64(power_kwp)), BOOK.eeg, money_of(day))


# August 2025, Bundesnetzagentur: 7.86, 6.80, 5.56 and 12.47, 10.45, 10.45 ct; above 100 kW
# the market premium 8.26, 7.20, 5.96 and 12.87, 10.85, 10.85, 9.03 ct less a fee of 0.225 ct.
BY_HAND = [
    (9.9, 7.86, 12.47),
    (10.0, 7.86, 12.47),
    # (10 x 7.86 + 15 x 6.80) / 25 = 180.60 / 25; (10 x 12.47 + 15 x 10.45) / 25 = 281.45 / 25
    (25.0, 7.224, 11.258),
    # (78.60 + 30 x 6.80 + 59 x 5.56) / 99 = 610.64 / 99; (124.70 + 89 x 10.45) / 99 = 1054.75 / 99
    (99.0, 6.168081, 10.654040),
    # (82.60 + 216 + 110 x 5.96) / 150 = 954.2 / 150; (128.70 + 90 x 10.85 + 50 x 9.03) / 150
    (150.0, 6.361333 - 0.225, 10.378 - 0.225),
]


@pytest.mark.parametrize(("power_kwp", "partial_ct", "full_ct"), BY_HAND)
def test_each_slice_of_the_power_earns_its_own_price(power_kwp, partial_ct, full_ct):
    found = pay(power_kwp)
    assert 100 * found.partial_eur_per_kwh[0] == pytest.approx(partial_ct, abs=1e-6)
    assert 100 * found.full_eur_per_kwh[0] == pytest.approx(full_ct, abs=1e-6)


def test_a_run_names_the_file_it_used():
    found = pay(10.0, "2026-07-31").used
    assert (found.name, found.verified) == ("2026-02.toml", True)
    assert "metzler-elektro.de after Bundesnetzagentur" in found.source
    later = pay(10.0, "2026-08-01").used
    assert (later.name, later.verified) == ("2026-08.toml", False)
    assert "Derived" in later.note


@pytest.mark.parametrize("day", ["2024-01-31", "2027-02-01"])
def test_a_day_that_no_file_covers_is_refused(day):
    with pytest.raises(InputError, match="no tariff file covers"):
        pay(10.0, day)


@pytest.mark.parametrize("limit_kwp", [10.0, 40.0, 100.0, 400.0])
def test_the_mean_price_does_not_jump_at_the_ends_of_slices(limit_kwp):
    table = BOOK.eeg.periods[0].market_premium
    around = np.array([limit_kwp, np.nextafter(limit_kwp, np.inf)])
    for prices in (table.partial_ct_per_kwh, table.full_ct_per_kwh):
        below, above = slice_mean_eur_per_kwh(around, table.up_to_kwp, prices)
        assert above == pytest.approx(below, rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.1, 99.0), st.floats(0.01, 1.0))
def test_more_power_earns_less_per_kilowatt_hour_but_more_in_all(power_kwp, more_kwp):
    powers = np.array([power_kwp, power_kwp + more_kwp])
    small, large = pay(powers).partial_eur_per_kwh
    assert large <= small + 1e-15
    assert large * powers[1] > small * powers[0]


def test_above_the_limit_of_tenders_no_pay_is_known():
    found = pay([1000.0, 1000.1])
    assert np.isfinite(found.full_eur_per_kwh[0])
    assert np.isnan(found.full_eur_per_kwh[1])
    assert list(found.needs_tender) == [False, True]


def test_no_plant_no_pay():
    assert np.isnan(pay([np.nan, 0.0]).partial_eur_per_kwh).all()


def test_negative_prices_cost_only_plants_with_a_smart_meter_and_under_the_new_law():
    share = BOOK.money.negative_hours.feed_in_fraction
    # 7 kW and smaller have no smart meter in the shipped rules, larger ones have.
    assert list(pay([1.9, 7.0, 8.0, 100.0]).unpaid_fraction) == [0.0, 0.0, share, share]
    # One without a smart meter at all: from 100 kW on it does not matter.
    none = SMART_METERS.model_copy(update={"over_kwp": 1e9})
    unmetered = tariffs(
        np.array([99.9, 100.0]), BOOK.eeg, money_of("2025-10-01", smart_meters=none)
    )
    assert list(unmetered.unpaid_fraction) == [0.0, share]
    assert not pay([6.0, 8.0, 120.0], "2025-02-24").unpaid_fraction.any()
    assert pay([8.0], "2025-02-25").unpaid_fraction[0] == share


def test_feed_in_is_capped_at_60_percent_without_control_since_25_february_2025():
    powers = [5.0, 7.0, 8.0, 120.0]
    limits = feed_in_limit_kw(powers, BOOK.eeg, money_of("2025-02-25"))
    assert list(limits) == [3.0, 4.2, np.inf, np.inf]
    assert np.isinf(feed_in_limit_kw(powers, BOOK.eeg, money_of("2025-02-24"))).all()
