"""Sums by municipality, district, use and owner: they agree with the rows they are made of."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.errors import InputError
from solarkataster.layers_statistics import (
    BOTH_SUM_COLUMNS,
    BUILDING_COUNT_COLUMNS,
    BUILDING_SUM_COLUMNS,
    STATISTICS_COLUMNS,
    SURFACE_COUNT_COLUMNS,
    SURFACE_SUM_COLUMNS,
)
from solarkataster.layout import reasons as layout_reasons
from solarkataster.pv.uncertainty import P90_SIGMAS
from solarkataster.quality import REMOVED_MARK
from solarkataster.rating.duty import NONE, ON_NEW_BUILD, ON_RENOVATION
from solarkataster.rating.reasons import german_reason
from solarkataster.rating.statistics import LEVELS, UNNAMED, known_sum, statistics

SURFACE_NUMBERS = [column.name for column in (*BOTH_SUM_COLUMNS, *SURFACE_SUM_COLUMNS)]
BUILDING_NUMBERS = [column.name for column in (*BOTH_SUM_COLUMNS, *BUILDING_SUM_COLUMNS)]
COUNTS = [column.name for column in (*SURFACE_COUNT_COLUMNS, *BUILDING_COUNT_COLUMNS)]
SUMS = list(dict.fromkeys((*SURFACE_NUMBERS, *BUILDING_NUMBERS, *COUNTS, "n_buildings")))


def some(rng, n, values, p_unknown=0.1):
    return np.where(rng.random(n) < p_unknown, np.nan, values)


def town(seed, n_building=60, n_roof=150, n_facade=200):
    """Tables with every column of the statistics, a tenth of the values unknown."""
    rng = np.random.default_rng(seed)
    buildings = pd.DataFrame(
        {
            "building_id": [f"b{i}" for i in range(n_building)],
            "district": rng.choice(["Nord", "Süd", "Altstadt", ""], n_building),
            "use_class": rng.choice(["Wohnen", "Gewerbe", ""], n_building),
            "owner_class": rng.choice(["kommunal", "privat", ""], n_building),
            "monument": rng.random(n_building) < 0.1,
            "is_own_building": rng.random(n_building) < 0.1,
            "solar_duty": rng.choice(
                [ON_NEW_BUILD, ON_RENOVATION, NONE, "unbekannt: x", ""], n_building
            ),
            **{c: some(rng, n_building, rng.lognormal(8, 2, n_building)) for c in BUILDING_NUMBERS},
        }
    )
    yields, demand = buildings["yield_year_kwh"], buildings["annual_demand_kwh"]
    is_known = yields.notna() & demand.notna()
    used = np.minimum(yields, demand).where(is_known) * 0.4
    cut = (yields - used) * 0.01
    fed_in, drawn = yields - used - cut, demand - used
    buildings = buildings.assign(
        self_consumed_kwh=used, feed_in_kwh=fed_in, curtailed_kwh=cut, grid_draw_kwh=drawn,
        balanced_yield_year_kwh=yields.where(is_known),
        balanced_demand_kwh=demand.where(is_known),
    )  # fmt: skip
    surfaces = []
    for n in (n_roof, n_facade):
        table = pd.DataFrame(
            {
                "building_id": rng.choice(buildings["building_id"], n),
                "n_modules": rng.integers(0, 3, n) * rng.integers(1, 30, n),
                "suitability": rng.choice(
                    ["hervorragend", "sehr gut", "gut", "mittel", "gering", ""], n
                ),
                "reason": rng.choice(["", "Zu klein: x", "Daten alt: y; Verschattet: z", "?"], n),
                "yield_sigma_common_fraction": 0.08,
                "yield_sigma_own_fraction": rng.uniform(0.02, 0.1, n),
                **{c: some(rng, n, rng.lognormal(6, 2, n)) for c in SURFACE_NUMBERS},
            }
        )
        surfaces.append(table)
    return buildings, *surfaces


def of(table, level, surface, name=None):
    rows = table[(table["level"] == level) & (table["surface"] == surface)]
    return rows if name is None else rows[rows["name"] == name].iloc[0]


@given(st.integers(0, 2**31))
@settings(deadline=None, max_examples=4)
def test_every_level_sums_up_to_the_municipality_and_to_the_rows(seed):
    buildings, roofs, facades = town(seed, 25, 50, 60)
    table = statistics(buildings, roofs, facades, municipality="Musterstadt")
    rows = {"roofs": roofs, "walls": facades, "buildings": buildings}
    for surface, numbers in rows.items():
        whole = of(table, "municipality", surface, "Musterstadt")
        for level in LEVELS:
            parts = of(table, level, surface)[SUMS].astype("float64").sum()
            np.testing.assert_allclose(
                parts[whole[SUMS].notna()],
                whole[SUMS].dropna().astype("float64"),
                rtol=1e-12,
            )
        columns = BUILDING_NUMBERS if surface == "buildings" else SURFACE_NUMBERS
        np.testing.assert_allclose(
            whole[columns].astype("float64"), numbers[columns].sum(), rtol=1e-12
        )


def test_what_has_no_district_use_or_owner_is_its_own_row_at_the_end():
    buildings, roofs, facades = town(1)
    table = statistics(buildings, roofs, facades, municipality="Musterstadt")
    for level, column in LEVELS.items():
        rows = of(table, level, "buildings")
        assert rows["name"].iloc[-1] == UNNAMED
        assert rows["n_buildings"].iloc[-1] == (buildings[column] == "").sum()
        assert rows["n_buildings"].sum() == len(buildings)
    assert of(table, "district", "roofs")["name"].tolist() == ["Altstadt", "Nord", "Süd", UNNAMED]


def test_without_the_columns_of_groups_all_is_without_a_group():
    buildings, roofs, facades = town(1)
    buildings = buildings.drop(columns=list(LEVELS.values()))
    table = statistics(buildings, roofs, facades, municipality="Musterstadt")
    for level in LEVELS:
        assert of(table, level, "roofs")["name"].tolist() == [UNNAMED]
        assert of(table, level, "roofs")["n_surfaces"].sum() == len(roofs)


def test_the_order_of_the_rows_changes_not_a_bit():
    tables = town(3)
    shuffled = [table.sample(frac=1.0, random_state=i) for i, table in enumerate(tables)]
    one, other = (
        statistics(*some, municipality="Musterstadt", sigma_plant_fraction=0.03)
        for some in (tables, shuffled)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_columns_are_those_declared():
    table = statistics(*town(2), municipality="Musterstadt")
    assert table.columns.tolist() == [column.name for column in STATISTICS_COLUMNS]
    for column in STATISTICS_COLUMNS:
        assert str(table[column.name].dtype) == column.dtype.replace("str", "object")


def test_yields_of_nine_years_in_ten_are_combined_by_hand():
    buildings = pd.DataFrame({"building_id": ["a", "b"], "district": ["Nord", "Nord"]})
    roofs = pd.DataFrame(
        {
            "building_id": ["a", "a", "b"],
            "yield_year_kwh": [3000.0, 1000.0, 4000.0],
            "yield_sigma_common_fraction": [0.08, 0.08, 0.08],
            "yield_sigma_own_fraction": [0.04, 0.04, 0.03],
        }
    )
    table = statistics(buildings, roofs, roofs.iloc[:0], municipality="M")
    # Common 0.08 x 8000 = 640; own sqrt(120² + 40² + 120²) = 174.36; both 663.32 kWh.
    sigma_kwh = np.sqrt(640.0**2 + 120.0**2 + 40.0**2 + 120.0**2)
    row = of(table, "district", "roofs", "Nord")
    assert row["yield_p90_year_kwh"] == pytest.approx(8000.0 - P90_SIGMAS * sigma_kwh, rel=1e-12)
    assert row["yield_sigma_fraction"] == pytest.approx(sigma_kwh / 8000.0, rel=1e-12)
    # Between no help from evening out (all errors common) and full help (all of them own).
    assert 0.08 < row["yield_sigma_fraction"] < np.hypot(0.08, 0.04)
    # Of a's own errors 0.03 is its plant's, common to both planes: 0.03 x 4000 = 120; left of each
    # plane 120² - 90² and 40² - 30², and nothing of b's 120.
    table = statistics(
        buildings, roofs, roofs.iloc[:0], municipality="M", sigma_plant_fraction=0.03
    )
    sigma_kwh = np.sqrt(640.0**2 + 120.0**2 + 6300.0 + 700.0 + 120.0**2)
    for level, name in (("district", "Nord"), ("municipality", "M")):
        row = of(table, level, "roofs", name)
        assert row["yield_sigma_fraction"] == pytest.approx(sigma_kwh / 8000.0, rel=1e-12)


def test_unknown_values_are_left_out_of_sums_and_counted():
    assert known_sum(np.array([])) == 0.0
    assert known_sum(np.array([1.0, np.nan])) == 1.0
    assert np.isnan(known_sum(np.array([np.nan])))
    buildings, roofs, facades = town(5)
    buildings["annual_demand_kwh"] = [np.nan, 5000.0] + [np.nan] * (len(buildings) - 2)
    table = statistics(buildings, roofs, facades, municipality="M")
    row = of(table, "municipality", "buildings", "M")
    assert (row["annual_demand_kwh"], row["n_without_demand"]) == (5000.0, len(buildings) - 1)


def test_balances_close_over_the_buildings_that_have_one():
    # a: 10 000 = 2000 + 7900 + 100 and 3500 = 2000 + 1500; b has no plant, c no known demand.
    buildings = pd.DataFrame(
        {
            "building_id": ["a", "b", "c"],
            "yield_year_kwh": [10_000.0, np.nan, 8000.0],
            "annual_demand_kwh": [3500.0, 4000.0, np.nan],
            "self_consumed_kwh": [2000.0, np.nan, np.nan],
            "feed_in_kwh": [7900.0, np.nan, np.nan],
            "curtailed_kwh": [100.0, np.nan, np.nan],
            "grid_draw_kwh": [1500.0, np.nan, np.nan],
        }
    )
    none = pd.DataFrame({"building_id": []})
    row = of(statistics(buildings, none, none, municipality="M"), "municipality", "buildings", "M")
    assert (row["yield_year_kwh"], row["annual_demand_kwh"]) == (18_000.0, 7500.0)
    assert (row["balanced_yield_year_kwh"], row["balanced_demand_kwh"]) == (10_000.0, 3500.0)
    assert (row["n_with_balance"], row["n_without_demand"]) == (1, 1)
    for table in (
        row,
        of(statistics(*town(4), municipality="M"), "municipality", "buildings", "M"),
    ):
        used = table["self_consumed_kwh"]
        produced = used + table["feed_in_kwh"] + table["curtailed_kwh"]
        assert table["balanced_yield_year_kwh"] == pytest.approx(produced, rel=1e-12)
        assert table["balanced_demand_kwh"] == pytest.approx(
            used + table["grid_draw_kwh"], rel=1e-12
        )


def test_classes_and_rejected_groups_count_every_surface_once():
    buildings, roofs, facades = town(7)
    table = statistics(buildings, roofs, facades, municipality="M")
    row = of(table, "municipality", "roofs", "M")
    classes = [
        name
        for name in table
        if name
        in {
            f"n_{c}"
            for c in ("hervorragend", "sehr_gut", "gut", "mittel", "gering", "without_class")
        }
    ]
    assert len(classes) == 6
    assert row[classes].sum() == row["n_surfaces"] == len(roofs)
    groups = [name for name in table if name.startswith("n_rejected_")]
    assert row[groups].sum() == row["n_rejected"]
    rejected = roofs[(roofs["n_modules"] == 0) & ~(roofs["collector_area_m2"] > 0)]
    assert row["n_rejected"] == len(rejected)
    assert row["n_rejected_too_small"] == (rejected["reason"] == "Zu klein: x").sum()
    assert row["n_rejected_shaded"] == rejected["reason"].str.contains("Verschattet").sum()


DEMAND = layout_reasons.Demand(area_m2=10.0, year_kwh_m2=800.0)


REJECTED = [
    (layout_reasons.small_reason(DEMAND, 0.0), "too_small"),
    (layout_reasons.small_reason(DEMAND, 7.0), "too_small"),
    (layout_reasons.obstacle_reason(DEMAND, 7.0, 12.0), "obstacles"),
    (layout_reasons.both_reason(DEMAND, 7.0, 12.0), "obstacles"),
    (layout_reasons.dark_reason(DEMAND, 700.0, 900.0), "shaded"),
    (layout_reasons.patchy_reason(DEMAND, 7.0, 12.0), "shaded"),
    (layout_reasons.facing_reason(DEMAND, 700.0, is_north_steep=True), "facing"),
    (layout_reasons.facing_reason(DEMAND, 700.0, is_north_steep=False), "facing"),
    (layout_reasons.no_data_reason(0.6), "no_data"),
    ("hidden by a neighbour", "hidden"),
    ("nothing of the wall stands free of what is before it", "hidden"),
    ("no height of roof or terrain known at the wall", "no_data"),
    ("", "other"),
]


def test_reasons_that_the_computation_gives_fall_into_their_group():
    ids = [f"{i:02d}" for i in range(len(REJECTED))]
    buildings = pd.DataFrame({"building_id": ids, "district": ids})
    words = [german_reason(reason) for reason, _ in REJECTED]
    roofs = pd.DataFrame({"building_id": ids, "n_modules": 0, "reason": words})
    table = of(statistics(buildings, roofs, roofs.iloc[:0], municipality="M"), "district", "roofs")
    for i, (_, group) in enumerate(REJECTED):
        assert table[f"n_rejected_{group}"].iloc[i] == 1, words[i]


def test_a_building_that_a_scenario_removed_is_not_counted():
    tables = town(8)
    standing = statistics(*tables, municipality="M")
    reasons = [REMOVED_MARK, f"{german_reason(REMOVED_MARK)}; Denkmal: Genehmigung nötig"]
    gone = pd.DataFrame({"building_id": ["g0", "g1"], "district": "Abriss", "reason": reasons})
    buildings = pd.concat([tables[0].assign(reason=""), gone], ignore_index=True)
    buildings["monument"] = buildings["monument"].fillna(True).astype(bool)
    buildings["is_own_building"] = buildings["is_own_building"].fillna(True).astype(bool)
    found = statistics(buildings, *tables[1:], municipality="M")
    pd.testing.assert_frame_equal(found, standing, check_exact=True)


def test_without_walls_there_are_no_rows_of_walls():
    buildings, roofs, facades = town(9)
    both = statistics(buildings, roofs, facades, municipality="M")
    roofs_only = statistics(buildings, roofs, facades.iloc[:0], municipality="M")
    assert set(both["surface"]) == {"roofs", "walls", "buildings"}
    without = both[both["surface"] != "walls"].reset_index(drop=True)
    pd.testing.assert_frame_equal(roofs_only, without, check_exact=True)


def test_a_run_without_buildings_has_zeros():
    buildings, roofs, facades = (table.iloc[:0] for table in town(0))
    table = statistics(buildings, roofs, facades, municipality="M")
    assert table["level"].tolist() == ["municipality"] * 2
    assert of(table, "municipality", "roofs", "M")["yield_year_kwh"] == 0.0


def test_rows_of_other_runs_are_refused():
    buildings, roofs, facades = town(0)
    with pytest.raises(InputError, match=r"roofs.*no building of the run"):
        statistics(buildings.iloc[1:], roofs, facades.iloc[:0], municipality="M")
    with pytest.raises(InputError, match="there twice"):
        statistics(pd.concat([buildings] * 2), roofs, facades, municipality="M")
