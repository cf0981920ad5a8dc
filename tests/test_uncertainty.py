"""The yield band: by hand, against Monte Carlo, and its laws."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_chain import shipped_plant

from solarkataster.errors import InputError
from solarkataster.pv.uncertainty import (
    combined_sigma,
    common_sigma_fraction,
    common_sigma_parts,
    orientation_slopes,
    own_sigma_fraction,
    p90,
    surface_sigma_fraction,
    year_sigma_fraction,
)
from solarkataster.stages.building_energy import YIELD_MONTHS, building_sums

RULES = shipped_plant().uncertainty
FLAT = (np.zeros(1), np.zeros(1))


def sheet(tilt, azimuth):
    """Light of open planes, made up: best at 40° south, by hand differentiable."""
    return 1200.0 * np.exp(-(((tilt - 40.0) / 80.0) ** 2) - ((azimuth - 180.0) / 200.0) ** 2)


def test_nine_years_in_ten_reach_1_2816_sigmas_less():
    assert p90(1000.0, 0.1) == pytest.approx(871.845, abs=1e-3)
    np.testing.assert_array_equal(p90([1000.0, 0.0], [1.0, 0.5]), [0.0, 0.0])  # never below 0


def test_common_errors_add_as_squares():
    parts = common_sigma_parts(RULES)
    assert set(parts) == {"year", "weather", "transposition", "module", "soiling", "snow"}
    assert common_sigma_fraction(RULES) == pytest.approx(
        math.sqrt(0.05**2 + 0.05**2 + 0.03**2 + 0.03**2 + 0.02**2 + 0.015**2), rel=1e-12
    )


def test_a_series_of_years_replaces_the_figure_of_the_rules():
    years = np.array([1050, 1100, 1150, 1000, 1080, 1120, 1170, 1060, 1090, 1210], dtype=float)
    by_hand = 61.74500 / 1103.0  # sum of squares 34 312 over 9, mean 1103
    assert year_sigma_fraction(RULES, years) == pytest.approx(
        np.sqrt(((years - 1103.0) ** 2).sum() / 9.0) / 1103.0
    )
    assert year_sigma_fraction(RULES, years) == pytest.approx(by_hand, rel=2e-3)
    assert common_sigma_fraction(RULES, years) > common_sigma_fraction(RULES)
    assert year_sigma_fraction(RULES) == 0.05


@pytest.mark.parametrize("years", [np.full(9, 1000.0), np.r_[np.full(12, 1000.0), np.nan]])
def test_few_years_or_gaps_are_refused(years):
    with pytest.raises(InputError, match="usable years"):
        year_sigma_fraction(RULES, years)


def test_combined_errors_are_those_of_a_monte_carlo():
    """One draw of a common error per year, one own draw per surface; 200 000 years."""
    yields = np.array([1000.0, 4000.0, 2500.0, 800.0, 3000.0])
    common = np.array([0.08, 0.08, 0.09, 0.08, 0.10])
    own = np.array([0.05, 0.20, 0.10, 0.30, 0.06])
    group = np.array([0, 0, 1, 1, 1])
    rng = np.random.default_rng(5)
    one, each = rng.standard_normal((200_000, 1)), rng.standard_normal((200_000, 5))
    years = yields * (1.0 + one * common + each * own)
    got = combined_sigma(yields, common, own, group)
    for g in range(2):
        total = years[:, group == g].sum(axis=1)
        assert got[g] == pytest.approx(total.std() / total.mean(), rel=0.01)
        p50 = yields[group == g].sum()
        assert p90(p50, got[g]) == pytest.approx(np.quantile(total, 0.1), rel=0.005)


def test_planes_of_one_plant_share_its_error_in_a_monte_carlo():
    """As above, and of each plant's error one draw for its planes; 200 000 years."""
    yields = np.array([1000.0, 4000.0, 2500.0, 800.0, 3000.0])
    plant = np.array([0, 0, 1, 2, 1])
    group = np.array([0, 0, 0, 1, 0])
    rest = np.array([0.0, 0.02, 0.03, 0.1, 0.0])
    rng = np.random.default_rng(6)
    draws = [rng.standard_normal((200_000, n)) for n in (1, 3, 5)]
    years = yields * (1.0 + 0.08 * draws[0] + 0.05 * draws[1][:, plant] + rest * draws[2])
    own = np.hypot(0.05, rest)
    got = combined_sigma(yields, np.full(5, 0.08), own, group, plant=plant, sigma_plant=0.05)
    for g in range(2):
        total = years[:, group == g].sum(axis=1)
        assert got[g] == pytest.approx(total.std() / total.mean(), rel=0.01)
    # Drawn for each plane the error would even out, and the plant look surer than it is.
    assert combined_sigma(yields, np.full(5, 0.08), own, group)[0] < 0.98 * got[0]


def test_a_building_is_no_surer_of_its_plant_for_having_two_planes():
    surfaces = pd.DataFrame(
        {
            "building_id": ["a", "a", "b", "a"],
            "yield_year_kwh": [500.0, 500.0, 900.0, 100.0],
            "yield_sigma_own_fraction": [0.05, 0.05, 0.05, 0.3],
            "n_modules": 2,
            "dc_power_kwp": 1.0,
            "is_wall": [False, False, False, True],
        }
    ).assign(**dict.fromkeys(YIELD_MONTHS, 1.0))
    sums = building_sums(surfaces, pd.Index(["b", "a"]), 0.08, 0.05)
    np.testing.assert_allclose(sums["yield_sigma_fraction"], math.hypot(0.08, 0.05), rtol=1e-12)
    p90_kwh = [900.0 * (1 - 1.2815516 * math.hypot(0.08, 0.05)), 1000.0 * 0.8791]
    np.testing.assert_allclose(sums["yield_p90_year_kwh"], p90_kwh, rtol=1e-5)


surfaces = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        *(
            st.lists(st.floats(low, high), min_size=n, max_size=n)
            for low, high in ((1.0, 1e5), (0.0, 0.3), (0.0, 0.6))
        )
    )
)


@settings(deadline=None, max_examples=60)
@given(surfaces)
def test_a_group_is_never_surer_than_its_common_errors_nor_less_sure_than_its_members(some):
    yields, common, own = (np.array(part) for part in some)
    sigma = combined_sigma(yields, common, own, np.zeros(len(yields), dtype=int))[0]
    single = surface_sigma_fraction(common, own)
    assert sigma >= (yields * common).sum() / yields.sum() - 1e-12
    assert sigma <= (yields * single).sum() / yields.sum() + 1e-12
    # Shares do not depend on the unit, nor on the order of the surfaces.
    back = combined_sigma(7.0 * yields[::-1], common[::-1], own[::-1], np.zeros(len(own), int))[0]
    assert back == pytest.approx(sigma, rel=1e-9, abs=1e-12)
    # Planes of one plant are less sure than planes of many, and not less sure than each alone.
    alike = np.zeros(len(yields), dtype=int)
    shared = combined_sigma(yields, common, own, alike, plant=alike, sigma_plant=0.1)[0]
    assert sigma - 1e-12 <= shared <= (yields * single).sum() / yields.sum() + 1e-12
    each = np.arange(len(yields))
    parted = combined_sigma(yields, common, own, alike, plant=each, sigma_plant=0.1)[0]
    assert parted == pytest.approx(sigma, rel=1e-9, abs=1e-12)


def test_own_errors_of_a_district_even_out_and_common_ones_stay():
    n = 400
    sigma = combined_sigma(np.full(n, 500.0), np.full(n, 0.08), np.full(n, 0.2), np.zeros(n, int))
    assert sigma[0] == pytest.approx(math.hypot(0.08, 0.2 / 20.0), rel=1e-12)


def test_surfaces_without_yield_or_group_do_not_count():
    sigma = combined_sigma(
        np.array([100.0, np.nan, 0.0, 50.0]),
        np.array([0.1, np.nan, 0.1, 0.9]),
        np.array([0.0, np.nan, 0.1, 0.9]),
        np.array([0, 0, 0, -1]),
        n_group=3,
    )
    assert sigma[0] == pytest.approx(0.1)
    assert np.isnan(sigma[1:]).all()


def test_slopes_are_those_of_the_open_light():
    tilt, azimuth = np.array([40.0, 10.0, 40.0]), np.array([180.0, 180.0, 90.0])
    per_tilt, per_azimuth = orientation_slopes(sheet, tilt, azimuth)
    np.testing.assert_allclose(per_tilt, [0.0, 2.0 * 30.0 / 80.0**2, 0.0], atol=1e-12)
    np.testing.assert_allclose(per_azimuth, [0.0, 0.0, 2.0 * 90.0 / 200.0**2], atol=1e-12)
    level = orientation_slopes(lambda t, a: 1000.0 + 0.0 * t, np.zeros(1), np.array([np.nan]))
    assert level[1][0] == 0.0


def test_own_error_of_a_roof_by_hand():
    """Plant 5 %; 20 % of a loss of 0.2 over 0.8; 1° at 0.3 %/°; 2° at 0.1 %/°."""
    sigma = own_sigma_fraction(
        RULES, np.array([0.2]), (np.array([0.003]), np.array([0.001])), np.array([False])
    )
    by_hand = math.sqrt(0.05**2 + 0.05**2 + 0.003**2 + 0.002**2)
    assert sigma[0] == pytest.approx(by_hand, rel=1e-12)


def test_eaves_widen_the_band_of_walls_by_half_their_span():
    band = (np.array([500.0]), np.array([440.0]), np.array([560.0]))
    wall = np.array([True])
    with_eaves = own_sigma_fraction(RULES, np.zeros(1), FLAT, wall, band)[0]
    without = own_sigma_fraction(
        RULES, np.zeros(1), FLAT, wall, (band[0], *[np.full(1, np.nan)] * 2)
    )
    assert with_eaves == pytest.approx(math.hypot(0.05, 0.12), rel=1e-12)
    assert without[0] == pytest.approx(0.05, rel=1e-12)


def test_own_error_grows_with_the_shadow_and_ends_at_all_of_the_yield():
    loss = np.array([0.0, 0.1, 0.5, 0.8, 0.999])
    zero = (np.zeros(5), np.zeros(5))
    sigma = own_sigma_fraction(RULES, loss, zero, np.zeros(5, bool))
    assert np.all(np.diff(sigma) > 0.0)
    assert sigma[-1] == 1.0
    assert np.isnan(own_sigma_fraction(RULES, np.array([np.nan]), FLAT, np.array([False])))[0]
