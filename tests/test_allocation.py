"""Who gets the square metre: a hand-worked house, then laws of areas."""

import itertools
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_heat import AIR_C, LIGHT, RULES, rules_with

from solarkataster.allocation import (
    Planes,
    allocate,
    allocated_heat,
    heat_first,
    heat_first_columns,
)
from solarkataster.errors import InputError
from solarkataster.heat import heat_demand, wanted_area_m2

MODULE_M2 = 2.0


def planes_of(building, usable, modules, light, flat=None, takes_heat=None, least=0.0) -> Planes:
    n = len(building)
    return Planes(
        building=np.asarray(building),
        usable_area_m2=np.asarray(usable, float),
        n_modules=np.asarray(modules),
        module_area_m2=MODULE_M2,
        min_pv_area_m2=np.full(n, least),
        is_flat=np.zeros(n, bool) if flat is None else np.asarray(flat),
        takes_heat=np.ones(n, bool) if takes_heat is None else np.asarray(takes_heat),
        poa_year_kwh_m2=np.asarray(light, float),
    )


def ordered(*order, between=False):
    return rules_with(allocation={"order": order, "green_between_racks": between})


#: A house: south 30 m² with 12 modules, north 20 m² with 6, a dormer of 5 m² without.
HOUSE = planes_of([0, 0, 0], [30.0, 20.0, 5.0], [12, 6, 0], [1200.0, 700.0, 1100.0])


def test_by_default_no_module_is_given_up_and_heat_takes_what_modules_leave():
    share = allocate(HOUSE, [12.0], RULES)
    assert share.n_modules.tolist() == [12, 6, 0]
    assert share.pv_fraction.tolist() == [1.0, 1.0, 1.0]
    assert share.collector_area_m2.tolist() == [0.0, 0.0, 5.0]
    assert share.surface_use.tolist() == ["pv", "pv", "heat"]


def test_heat_first_takes_the_sunniest_planes_up_to_the_limit_of_each():
    share = allocate(HOUSE, [17.0], heat_first(RULES))
    # 10 m² on the south plane, 5 on the dormer, 2 on the north.
    assert share.collector_area_m2.tolist() == [10.0, 2.0, 5.0]
    # South 12 * 20/30 = 8 modules stay, north 6 * 18/20 = 5.4: 5.
    assert share.n_modules.tolist() == [8, 5, 0]
    assert share.pv_fraction.tolist() == pytest.approx([8 / 12, 5 / 6, 1.0])
    assert share.pv_area_m2.tolist() == [16.0, 10.0, 0.0]
    assert share.surface_use.tolist() == ["pv+heat", "pv+heat", "heat"]


def test_no_plane_holds_less_than_one_collector():
    share = allocate(HOUSE, [16.9], heat_first(RULES))
    assert share.collector_area_m2.tolist() == [10.0, 0.0, 5.0]
    assert allocate(HOUSE, [1.9], heat_first(RULES)).collector_area_m2.sum() == 0.0


def test_modules_that_are_left_too_few_for_a_plant_go_as_well():
    house = planes_of([0], [16.0], [7], [1000.0], least=10.0)
    share = allocate(house, [8.0], heat_first(RULES))
    # 7 * 8/16 = 3.5: 3 modules of 2 m² are less than 10 m².
    assert share.n_modules.tolist() == [0]
    assert share.surface_use.tolist() == ["heat"]
    # A plane that gives nothing up keeps a plant of any size.
    assert allocate(house, [0.0], heat_first(RULES)).n_modules.tolist() == [7]


def test_racks_of_collectors_need_more_roof_than_their_own_area():
    flat = planes_of([0], [20.0], [0], [1100.0], flat=[True])
    share = allocate(flat, [9.0], ordered("heat", "green"))
    # 20 m² of roof hold 8 m² of collectors at 2.5 m² each.
    assert share.collector_area_m2.tolist() == [8.0]
    assert share.green_roof_area_m2.tolist() == [0.0]


@pytest.mark.parametrize(
    ("between", "green", "uses"),
    [
        (False, [0.0, 40.0, 0.0], ["pv", "green", "pv"]),
        (True, [80.0, 40.0, 0.0], ["pv", "green", "pv"]),
    ],
)
def test_green_shares_a_flat_roof_with_racks_only_if_the_rule_says_so(between, green, uses):
    roofs = planes_of(
        [0, 1, 2], [100.0, 40.0, 50.0], [10, 0, 20], [1100.0] * 3, flat=[True, True, False]
    )
    share = allocate(roofs, [0.0] * 3, ordered("pv", "green", between=between))
    assert share.green_roof_area_m2.tolist() == green
    assert share.n_modules.tolist() == [10, 0, 20]
    assert share.surface_use.tolist() == uses


def test_green_first_leaves_flat_roofs_to_it():
    roofs = planes_of([0, 1], [100.0, 50.0], [10, 20], [1100.0] * 2, flat=[True, False])
    share = allocate(roofs, [9.0, 9.0], ordered("green", "heat", "pv"))
    assert share.surface_use.tolist() == ["green", "pv+heat"]
    assert share.pv_fraction.tolist() == pytest.approx([0.0, 16 / 20])


def test_who_is_not_named_gets_nothing():
    share = allocate(HOUSE, [12.0], ordered("heat"))
    assert share.n_modules.tolist() == [0, 0, 0]
    assert share.pv_fraction.tolist() == [0.0, 0.0, 1.0]


@st.composite
def towns(draw):
    n = draw(st.integers(1, 12))
    numbers = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    usable = numbers.choice([0.0, np.nan, 1.0, 8.0, 30.0, 120.0], n) * numbers.uniform(0.5, 1.5, n)
    modules = np.floor(np.nan_to_num(usable) / MODULE_M2 * numbers.uniform(0, 1, n)).astype(int)
    modules[numbers.random(n) < 0.3] = 0
    town = planes_of(
        numbers.integers(0, 4, n),
        usable,
        modules,
        numbers.uniform(600, 1300, n),
        flat=numbers.random(n) < 0.4,
        takes_heat=numbers.random(n) < 0.8,
        least=draw(st.sampled_from([0.0, 10.0])),
    )
    wanted = numbers.choice([0.0, np.nan, 3.0, 25.0], 4)
    orders = [o for k in range(4) for o in itertools.permutations(("pv", "heat", "green"), k)]
    return town, wanted, ordered(*draw(st.sampled_from(orders)), between=draw(st.booleans()))


@settings(deadline=None, max_examples=150)
@given(towns())
def test_areas_never_sum_to_more_than_the_plane_offers(town):
    planes, wanted, rules = town
    share = allocate(planes, wanted, rules)
    usable = np.nan_to_num(planes.usable_area_m2)
    areas = share.pv_area_m2, share.collector_area_m2, share.green_roof_area_m2
    assert all((area >= 0.0).all() for area in areas)
    assert (sum(areas) <= usable * (1 + 1e-12)).all()
    ground = np.where(planes.is_flat, RULES.flat_roof.ground_per_collector, 1.0)
    on_collectors = share.collector_area_m2 * ground
    assert (on_collectors <= usable * (1 + 1e-12)).all()
    # Modules keep at most the share of the plane that collectors leave them.
    assert (share.n_modules * usable <= planes.n_modules * (usable - on_collectors) + 1e-6).all()
    assert (share.collector_area_m2 <= RULES.roof_limit.max_m2_per_plane).all()
    assert (share.collector_area_m2[~planes.takes_heat] == 0.0).all()
    of_building = np.bincount(planes.building, share.collector_area_m2, minlength=4)
    assert (of_building <= np.nan_to_num(wanted) + 1e-9).all()
    if not rules.allocation.green_between_racks:
        racks = planes.is_flat & (share.n_modules > 0)
        assert (share.green_roof_area_m2[racks] == 0.0).all()


@settings(deadline=None, max_examples=40)
@given(towns(), st.randoms(use_true_random=False))
def test_shares_depend_neither_on_row_order_nor_on_other_buildings(town, random):
    planes, wanted, rules = town
    rows = list(range(len(planes.building)))
    random.shuffle(rows)
    keep = [row for row in rows if planes.building[row] in (0, 1)]
    whole = allocate(planes, wanted, rules)
    part = allocate(_rows(planes, keep), wanted, rules)
    for name in ("n_modules", "pv_area_m2", "collector_area_m2", "green_roof_area_m2"):
        assert getattr(part, name).tobytes() == getattr(whole, name)[keep].tobytes()
    assert part.surface_use.tolist() == whole.surface_use[keep].tolist()


def _rows(planes, rows):
    values = {
        name: value[rows] if isinstance(value, np.ndarray) else value
        for name, value in vars(planes).items()
    }
    return Planes(**values)


def town_heat(rules, planes, persons):
    demand = heat_demand(persons, np.full(len(persons), 100.0), AIR_C, rules)
    light = LIGHT * planes.poa_year_kwh_m2[:, None] / LIGHT.sum()
    wanted = wanted_area_m2(persons, rules)
    share = allocate(planes, wanted, rules)
    heat = allocated_heat(share, planes.building, light, demand, AIR_C, rules)
    return share, *heat, heat_first_columns(planes, wanted, light, demand, AIR_C, rules)


def test_heat_of_planes_sums_to_that_of_buildings_and_unknown_is_told():
    planes = planes_of(
        [0, 0, 1, 2], [30.0, 20.0, 40.0, 40.0], [12, 6, 15, 15], [1200, 700, 900, 900]
    )
    persons = np.array([8.0, 4.0, np.nan])
    rules = heat_first(RULES)
    share, of_planes, of_buildings, first = town_heat(rules, planes, persons)
    assert share.collector_area_m2.tolist() == [10.0, 2.0, 6.0, 0.0]
    for name in of_planes:
        sums = np.bincount(planes.building, of_planes[name], minlength=3)
        np.testing.assert_allclose(sums[:2], of_buildings[name][:2], rtol=1e-12)
    # Ten of twelve square metres with more light each: more than their share of the area.
    assert (
        of_planes["thermal_yield_year_kwh"][0] > 10 / 12 * of_buildings["thermal_yield_year_kwh"][0]
    )
    assert 0.3 < of_buildings["solar_fraction"][0] < 0.7
    # Nobody knows who lives in the third: no collectors, heat unknown, not 0.
    assert np.isnan(of_buildings["thermal_yield_year_kwh"][2])
    assert of_planes["thermal_yield_year_kwh"][3] == 0.0
    assert np.isnan(first["heat_first_yield_year_kwh"][2])


def test_the_alternative_stands_beside_the_allocation_and_is_the_same_if_heat_is_first():
    planes = planes_of([0, 0], [30.0, 5.0], [12, 0], [1200, 1100])
    _, _, pv_first, other = town_heat(RULES, planes, np.array([4.0]))
    assert pv_first["collector_area_m2"].tolist() == [5.0]
    assert other["heat_first_collector_area_m2"].tolist() == [6.0]
    assert other["heat_first_yield_year_kwh"][0] > pv_first["thermal_yield_year_kwh"][0]
    # 6 of 30 m²: 12 * 24/30 = 9.6, so 9 of 12 modules.
    assert other["heat_first_pv_fraction"].tolist() == [9 / 12]
    _, _, first, same = town_heat(heat_first(RULES), planes, np.array([4.0]))
    assert first["thermal_yield_year_kwh"][0] == same["heat_first_yield_year_kwh"][0]


def test_modules_larger_than_their_plane_are_refused():
    with pytest.raises(InputError, match=r"modules cover 24.00 m² of a plane with 10.00 m²"):
        allocate(planes_of([0], [10.0], [12], [1000.0]), [0.0], RULES)


def test_a_hundred_thousand_planes_take_less_than_two_core_seconds(figure):
    numbers = np.random.default_rng(1)
    n, n_building = 100_000, 30_000
    usable = numbers.uniform(0, 200, n)
    planes = planes_of(
        numbers.integers(0, n_building, n),
        usable,
        (usable * 0.4).astype(int),
        numbers.uniform(600, 1300, n),
        flat=numbers.random(n) < 0.2,
        least=10.0,
    )
    begin = time.process_time()
    town_heat(RULES, planes, numbers.uniform(1, 20, n_building))
    spent = time.process_time() - begin
    figure("allocation and heat of 100 000 planes", f"{spent:.2f} core-seconds")
    assert spent < 2.0
