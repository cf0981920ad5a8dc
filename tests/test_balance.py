"""Self-consumption: closed forms, the plain loop, then laws of energy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from load_shapes import flat_year, plain_balance, profiles_of

from solarkataster.errors import InputError
from solarkataster.load.balance import Battery, balance, trace

IDEAL = Battery(charge_efficiency=1.0, discharge_efficiency=1.0, power_kw_per_kwh=10.0)
REAL = Battery(charge_efficiency=0.95, discharge_efficiency=0.9, power_kw_per_kwh=0.5)
YEAR = flat_year()

#: 2 kW from 6 to 18 o'clock on every day: 24 kWh a day, 8760 kWh a year.
SQUARE_KW = np.tile(np.where((np.arange(24) >= 6) & (np.arange(24) < 18), 2.0, 0.0), 365)
LOAD_KWH = 8760.0  # 1 kW at all times


def square(**given):
    return balance(SQUARE_KW[None], [[LOAD_KWH]], YEAR, **given)


def test_half_the_day_at_twice_the_load_half_is_used():
    found = square()
    assert found.self_consumption_fraction[0] == pytest.approx(0.5, rel=1e-6)
    assert found.autarky_fraction[0] == pytest.approx(0.5, rel=1e-6)
    assert found.fed_in_kwh.sum() == pytest.approx(4380.0, rel=1e-6)
    assert found.grid_draw_kwh.sum() == pytest.approx(4380.0, rel=1e-6)
    january = 31 * 12.0  # kWh of each flow
    assert found.direct_kwh[0, 0] == pytest.approx(january, rel=1e-6)


@pytest.mark.parametrize("size_kwh", [3.0, 12.0, 40.0])
def test_an_ideal_battery_moves_its_size_or_the_night_of_twelve_kwh(size_kwh):
    found = square(battery_kwh=size_kwh, battery=IDEAL)
    moved = 365 * min(size_kwh, 12.0)
    assert found.discharged_kwh.sum() == pytest.approx(moved, rel=1e-5)
    assert found.self_consumption_fraction[0] == pytest.approx((4380 + moved) / 8760, rel=1e-5)


def test_a_real_battery_delivers_its_size_times_the_efficiency_of_discharge():
    found = square(battery_kwh=6.0, battery=REAL)
    # 3 kW of power for the 1 kW that is left: never the limit; 6 kWh a day leave the cells.
    assert found.discharged_kwh.sum() == pytest.approx(365 * 6.0 * 0.9, rel=1e-5)
    assert found.charged_kwh.sum() == pytest.approx(365 * 6.0 / 0.95, rel=1e-5)
    lost_kwh = (found.charged_kwh - found.discharged_kwh).sum()
    assert lost_kwh == pytest.approx(365 * 6 * (1 / 0.95 - 0.9), rel=1e-5)


def test_power_limits_what_a_battery_moves():
    slow = Battery(1.0, 1.0, power_kw_per_kwh=0.01)  # 0.4 kW over 12 h: 4.8 of 40 kWh
    assert square(battery_kwh=40.0, battery=slow).discharged_kwh.sum() == pytest.approx(
        365 * 4.8, rel=1e-5
    )


def test_a_limit_of_feed_in_cuts_what_nobody_takes():
    found = square(feed_in_limit_kw=0.6)  # 1 kW is left over 12 h
    assert found.fed_in_kwh.sum() == pytest.approx(365 * 12 * 0.6, rel=1e-6)
    assert found.curtailed_kwh.sum() == pytest.approx(365 * 12 * 0.4, rel=1e-6)
    with_battery = square(feed_in_limit_kw=0.6, battery_kwh=12.0, battery=IDEAL)
    assert with_battery.curtailed_kwh.sum() == pytest.approx(0.0, abs=0.05)


def test_a_battery_that_a_century_would_not_fill_still_ends_as_it_began():
    found = balance(SQUARE_KW[None], [[2000.0]], YEAR, battery_kwh=1e6, battery=REAL)
    assert abs(found.battery_change_kwh[0]) < 1e-6
    # Full for good: it gives the nights what they need, and takes only that.
    assert found.autarky_fraction[0] == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    ("pv_kw", "demand_kwh"), [(np.zeros(8760), LOAD_KWH), (SQUARE_KW, 0.0)], ids=["sun", "demand"]
)
def test_without_sun_or_without_demand_nothing_is_used(pv_kw, demand_kwh):
    found = balance(pv_kw[None], [[demand_kwh]], YEAR, battery_kwh=5.0, battery=REAL)
    assert found.self_consumed_kwh.sum() == 0.0
    assert found.charged_kwh.sum() == 0.0
    assert np.isnan(found.autarky_fraction[0]) == (demand_kwh == 0.0)
    assert np.isnan(found.self_consumption_fraction[0]) == (not pv_kw.any())


def test_unknown_demand_stays_unknown_and_leaves_its_neighbours_alone():
    pv_kw = np.tile(SQUARE_KW, (3, 1))
    found = balance(pv_kw, [[LOAD_KWH], [np.nan], [LOAD_KWH]], YEAR)
    assert np.isnan(found.self_consumption_fraction).tolist() == [False, True, False]
    assert np.isnan(found.columns(with_battery=False)["feed_in_kwh"][1])
    alone = square()
    assert found.fed_in_kwh[2].tobytes() == alone.fed_in_kwh[0].tobytes()


small = st.floats(0.0, 8.0, width=32)
n_hours = st.integers(4, 30)


@st.composite
def cases(draw):
    """Any output and load over some hours, any battery and limit."""
    n = draw(n_hours)
    pv_kw = np.array(draw(st.lists(small, min_size=n, max_size=n)), dtype=np.float32)
    load = np.array(draw(st.lists(small, min_size=4 * n, max_size=4 * n))) + 1e-3
    size_kwh = draw(st.sampled_from([0.0, 0.5, 3.0, 40.0]))
    battery = Battery(
        draw(st.floats(0.6, 1.0)), draw(st.floats(0.6, 1.0)), draw(st.floats(0.05, 3.0))
    )
    limit_kw = draw(st.sampled_from([0.0, 0.7, 3.0, np.inf]))
    return pv_kw, load, size_kwh, battery, limit_kw


@settings(deadline=None, max_examples=60)
@given(cases())
def test_energy_is_conserved_and_the_battery_ends_as_it_began(case):
    pv_kw, load, size_kwh, battery, limit_kw = case
    found = balance(
        pv_kw[None], [[load.sum()]], profiles_of(load), battery_kwh=size_kwh, battery=battery,
        feed_in_limit_kw=limit_kw,
    )  # fmt: skip
    pv, used, demand = (x.sum() for x in (found.pv_kwh, found.direct_kwh, found.demand_kwh))
    scale = max(pv, demand)
    assert pv == pytest.approx(pv_kw.astype(float).sum(), rel=1e-9)
    gone = used + found.charged_kwh.sum() + found.fed_in_kwh.sum() + found.curtailed_kwh.sum()
    assert gone == pytest.approx(pv, abs=1e-9 * scale)
    met = used + found.discharged_kwh.sum() + found.grid_draw_kwh.sum()
    assert met == pytest.approx(demand, abs=1e-9 * scale)
    turn = battery.charge_efficiency * battery.discharge_efficiency
    assert found.discharged_kwh.sum() == pytest.approx(
        turn * found.charged_kwh.sum(), abs=1e-6 * scale
    )
    assert abs(found.battery_change_kwh[0]) <= 1e-6 * scale


@settings(deadline=None, max_examples=40)
@given(cases())
def test_the_plain_loop_over_many_years_gives_the_same(case):
    pv_kw, load, size_kwh, battery, limit_kw = case
    profiles = profiles_of(load)
    load_kwh = load.sum() * profiles.share[0].astype(np.float64)
    sums, start, end = plain_balance(
        pv_kw, load_kwh, size_kwh, battery.power_kw_per_kwh * size_kwh, battery.charge_efficiency,
        battery.discharge_efficiency, limit_kw, n_years=40,
    )  # fmt: skip
    if abs(end - start) > 1e-9:  # a battery that needs more years to fill
        return
    found = balance(
        pv_kw[None], [[load.sum()]], profiles, battery_kwh=size_kwh, battery=battery,
        feed_in_limit_kw=limit_kw,
    )  # fmt: skip
    for name, kwh in sums.items():
        flow = getattr(found, "grid_draw_kwh" if name == "drawn" else f"{name}_kwh")
        assert flow.sum() == pytest.approx(kwh, rel=1e-6, abs=1e-6), name


@settings(deadline=None, max_examples=40)
@given(cases(), st.floats(1.0, 4.0))
def test_a_bigger_battery_never_lowers_self_consumption(case, times):
    pv_kw, load, size_kwh, battery, limit_kw = case
    used = [
        balance(
            pv_kw[None], [[load.sum()]], profiles_of(load), battery_kwh=size, battery=battery,
            feed_in_limit_kw=limit_kw,
        ).self_consumed_kwh.sum()
        for size in (size_kwh, size_kwh * times)
    ]  # fmt: skip
    assert used[1] >= used[0] * (1 - 1e-7) - 1e-7


@settings(deadline=None, max_examples=20)
@given(cases(), st.floats(0.1, 50.0))
def test_plant_demand_and_battery_grown_alike_keep_their_shares(case, times):
    pv_kw, load, size_kwh, battery, limit_kw = case
    found = [
        balance(
            k * pv_kw[None].astype(np.float64), [[k * load.sum()]], profiles_of(load),
            battery_kwh=k * size_kwh, battery=battery, feed_in_limit_kw=k * limit_kw,
        ).autarky_fraction[0]
        for k in (1.0, times)
    ]  # fmt: skip
    assert found[1] == pytest.approx(found[0], rel=1e-4, abs=1e-6)


def test_quarter_hours_of_one_building_add_up_to_its_year():
    steps = trace(SQUARE_KW, [LOAD_KWH], YEAR, battery_kwh=4.0, battery=REAL, feed_in_limit_kw=0.6)
    year = square(battery_kwh=4.0, battery=REAL, feed_in_limit_kw=0.6)
    assert steps.grid_draw_kwh.sum() == pytest.approx(year.grid_draw_kwh.sum(), rel=1e-9)
    assert steps.fed_in_kwh.sum() == pytest.approx(year.fed_in_kwh.sum(), rel=1e-9)
    assert steps.state_kwh.min() >= 0.0
    assert steps.state_kwh.max() == pytest.approx(4.0)


def test_several_profiles_of_one_building_add_up():
    day = np.zeros(35_040)
    day.reshape(365, 96)[:, 24:72] = 1.0  # 6 to 18 o'clock
    two = profiles_of(np.stack([np.ones(35_040), day]), YEAR.month_of_hour)
    found = balance(SQUARE_KW[None], [[4380.0, 2190.0]], two)  # 0.5 kW always, 0.5 kW by day
    assert found.direct_kwh.sum() == pytest.approx(365 * 12 * 1.0, rel=1e-6)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"pv_kw": -SQUARE_KW[None]}, "output of plants"),
        ({"demand_kwh": [[-1.0]]}, "demand"),
        ({"demand_kwh": [[np.inf]]}, "demand"),
        ({"demand_kwh": [[1.0, 2.0]]}, "buildings by profiles"),
        ({"pv_kw": SQUARE_KW[None, :100]}, "buildings by hours"),
        ({"battery_kwh": 5.0}, "no efficiency"),
        ({"battery_kwh": np.nan, "battery": REAL}, "NaN among sizes"),
        ({"feed_in_limit_kw": -1.0}, "limit of feed-in"),
    ],
)
def test_wrong_numbers_are_refused(given, words):
    inputs = {"pv_kw": SQUARE_KW[None], "demand_kwh": [[LOAD_KWH]], **given}
    with pytest.raises(InputError, match=words):
        balance(inputs.pop("pv_kw"), inputs.pop("demand_kwh"), YEAR, **inputs)


def test_a_battery_that_gains_energy_is_refused():
    with pytest.raises(InputError, match="charge_efficiency"):
        Battery(1.1, 0.9, 0.5)
