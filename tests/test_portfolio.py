"""Own buildings: three rankings, and the best set that a budget allows."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.errors import InputError
from solarkataster.rating.portfolio import OBJECTIVES, portfolio
from solarkataster.rating.selection import best_selection

many = settings(deadline=None, max_examples=100)
whole = st.integers(1, 400)
investments = st.lists(st.tuples(whole, st.integers(-50, 400)), max_size=9)


def buildings(**columns):
    n = len(next(iter(columns.values())))
    table = pd.DataFrame(
        {
            "building_id": [f"b{i}" for i in range(n)],
            "is_own_building": True,
            "monument": False,
            "variant": "Eigenverbrauch",
            "dc_power_kwp": 10.0,
            "yield_year_kwh": 9000.0,
            "investment_eur": 15000.0,
            "npv_eur": 4000.0,
            "co2_saving_kg_per_year": 3000.0,
            "reason": "",
        },
        index=range(n),
    )
    return table.assign(**columns)


def brute_force(cost, value, budget):
    """Greatest value of all subsets that the budget allows."""
    rows = range(len(cost))
    sets = [s for n in range(len(rows) + 1) for s in itertools.combinations(rows, n)]
    return max(sum(value[i] for i in s) for s in sets if sum(cost[i] for i in s) <= budget)


@given(investments, st.integers(0, 1500))
@many
def test_no_subset_within_the_budget_brings_more(rows, budget):
    cost = np.array([row[0] for row in rows], dtype=np.int64)
    value = np.array([row[1] for row in rows], dtype=np.int64)
    found = best_selection(cost, value, budget)
    assert found.value == value[found.is_chosen].sum() == brute_force(cost, value, budget)
    assert cost[found.is_chosen].sum() <= budget
    assert found.is_best


def test_the_best_ratio_first_would_leave_money_unused():
    # By hand: 60/10 is the best ratio, but then neither of the others fits; 100 + 120 is best.
    found = best_selection(np.array([10, 20, 30]), np.array([60, 100, 120]), 50)
    assert found.value == 220
    assert found.is_chosen.tolist() == [False, True, True]


def test_equal_offers_are_chosen_in_the_order_of_their_rows():
    found = best_selection(np.full(5, 7), np.full(5, 3), 15)
    assert found.is_chosen.tolist() == [True, True, False, False, False]


def test_a_thousand_roofs_are_chosen_within_the_bound_of_their_fractions():
    rng = np.random.default_rng(5)
    cost = rng.integers(5_000, 300_000, 1000)
    value = (cost * rng.uniform(0.1, 0.9, 1000)).astype(np.int64)
    budget = int(cost.sum()) // 3
    found = best_selection(cost, value, budget)
    order = np.argsort(-value / cost)
    fits = np.cumsum(cost[order]) <= budget
    greedy, next_one = value[order][fits].sum(), value[order][~fits][0]
    assert found.is_best
    assert cost[found.is_chosen].sum() <= budget
    assert greedy <= found.value <= greedy + next_one


def test_a_search_that_ends_early_tells_what_it_may_miss(monkeypatch):
    monkeypatch.setattr("solarkataster.rating.selection.MAX_KEPT", 40)
    rng = np.random.default_rng(2)
    cost = rng.integers(1000, 2000, 40)
    found = best_selection(cost, cost + 500, int(cost.sum()) // 2)
    assert not found.is_best
    assert found.value < found.bound
    assert cost[found.is_chosen].sum() <= int(cost.sum()) // 2


@given(st.lists(whole, min_size=1, max_size=12), st.integers(0, 3000), st.integers(0, 500))
@settings(deadline=None, max_examples=25)
def test_a_bigger_budget_is_never_worse(cost, budget, more):
    table = buildings(investment_eur=[c * 1.37 for c in cost], npv_eur=[7.0 * c**0.8 for c in cost])
    small, big = (portfolio(table, life_years=20, budget_eur=b) for b in (budget, budget + more))
    assert big.npv_eur >= small.npv_eur - len(cost)  # whole euros of each are compared
    assert small.investment_eur <= budget


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_the_objective_is_what_the_choice_makes_largest(objective):
    rng = np.random.default_rng(11)
    table = buildings(
        investment_eur=rng.uniform(8e3, 9e4, 9),
        npv_eur=np.round(rng.uniform(-5e3, 3e4, 9)),
        co2_saving_kg_per_year=np.round(rng.uniform(1e3, 2e4, 9)),
        yield_year_kwh=np.round(rng.uniform(5e3, 5e4, 9)),
    )
    found = portfolio(table, life_years=20, budget_eur=150_000, objective=objective)
    column = OBJECTIVES[objective]
    best = brute_force(table["investment_eur"].tolist(), table[column].tolist(), 150_000)
    assert getattr(found, column) == best == found.table.loc[found.table["is_chosen"], column].sum()


def test_three_rankings_by_hand():
    table = buildings(
        npv_eur=[100.0, 300.0, 200.0],
        investment_eur=[1000.0, 4000.0, 9000.0],
        co2_saving_kg_per_year=[100.0, 1000.0, 500.0],
        yield_year_kwh=[5.0, 5.0, 9.0],
    )
    ranked = portfolio(table, life_years=20).table.set_index("building_id")
    assert ranked["rank_npv"].to_dict() == {"b0": 3, "b1": 1, "b2": 2}
    # 1000 € / (0.1 t x 20) = 500 €/t; 4000 / 20 = 200; 9000 / 10 = 900.
    assert ranked["eur_per_t_co2"].to_dict() == {"b0": 500.0, "b1": 200.0, "b2": 900.0}
    assert ranked["rank_co2"].to_dict() == {"b0": 2, "b1": 1, "b2": 3}
    assert ranked["rank_kwh"].to_dict() == {"b0": 2, "b1": 3, "b2": 1}
    assert ranked.index.tolist() == ["b1", "b2", "b0"]


def test_without_a_budget_all_are_ranked_and_none_is_chosen():
    found = portfolio(buildings(npv_eur=[5.0, 9.0]), life_years=20)
    assert not found.table["is_chosen"].any()
    assert found.table["cumulated_investment_eur"].tolist() == [15000.0, 30000.0]
    assert found.table["reason"].eq("").all()


def test_no_own_building_is_dropped_and_each_says_why():
    table = buildings(
        dc_power_kwp=[10.0, 0.0, np.nan, 10.0, 10.0, 10.0, 10.0],
        investment_eur=[9e3, 0.0, np.nan, np.nan, 9e3, 9e5, 9e3],
        npv_eur=[900.0, np.nan, np.nan, 50.0, -10.0, 9e6, 800.0],
        reason=["", "Zu klein: kein Modul passt auf die Fläche", "", "", "", "", ""],
    )
    found = portfolio(table, life_years=20, missing_ids=["x9", "x1"], budget_eur=10_000)
    reasons = found.table.set_index("building_id")["reason"].to_dict()
    assert reasons == {
        "b0": "",
        "b1": "Keine Anlage: Zu klein: kein Modul passt auf die Fläche",
        "b2": "Keine Anlage: keine Werte",
        "b3": "Ohne Preis: die Kosten der Anlage sind nicht bekannt",
        "b4": "Nicht gewählt: Kapitalwert unbekannt oder nicht über 0",
        "b5": "Zu teuer: kostet mehr als das ganze Budget",
        "b6": "Nicht gewählt: im Budget bringen andere Gebäude mehr",
        "x1": "Unbekannt: diese Nummer hat kein Gebäude des Laufs",
        "x9": "Unbekannt: diese Nummer hat kein Gebäude des Laufs",
    }
    assert found.table["building_id"].tolist()[0] == "b0"
    assert (found.n_chosen, found.investment_eur, found.npv_eur) == (1, 9e3, 900.0)


def test_other_peoples_buildings_are_not_listed():
    table = buildings(is_own_building=[True, False])
    assert portfolio(table, life_years=20).table["building_id"].tolist() == ["b0"]


def test_the_order_of_the_buildings_changes_nothing():
    rng = np.random.default_rng(3)
    table = buildings(investment_eur=rng.choice([9e3, 12e3, 15e3], 30), npv_eur=[4e3] * 30)
    shuffled = table.sample(frac=1.0, random_state=1)
    one, other = (
        portfolio(t, life_years=20, budget_eur=1e5).table.reset_index(drop=True)
        for t in (table, shuffled)
    )
    pd.testing.assert_frame_equal(one, other)


def test_an_empty_list_gives_an_empty_portfolio():
    found = portfolio(buildings(is_own_building=[False]), life_years=20, budget_eur=1e5)
    assert (len(found.table), found.n_chosen, found.investment_eur) == (0, 0, 0.0)


@pytest.mark.parametrize(
    "wrong", [{"budget_eur": -1.0}, {"budget_eur": float("nan")}, {"objective": "irr"}]
)
def test_a_wrong_budget_or_objective_is_refused(wrong):
    with pytest.raises(InputError, match="portfolio"):
        portfolio(buildings(npv_eur=[1.0]), life_years=20, **wrong)
