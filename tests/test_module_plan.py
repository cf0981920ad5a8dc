"""Modules of one plane: their light, where they keep away from, and the reasons for none."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from solarkataster.footprint_cells import cell_boxes, cells_inside
from solarkataster.grid import Grid
from solarkataster.layout.modules import Margins, Module, module_layout
from solarkataster.layout.plan import CellLight, LayoutRules, Plane, plan_modules
from solarkataster.layout.racks import Racks
from solarkataster.layout.reasons import Demand, dark_reason, facing_reason, small_reason

WEST_M, NORTH_M = 410_000.0, 5_480_020.0
GRID = Grid((40, 60), WEST_M, NORTH_M, 0.5, "EPSG:25832")
MODULE = Module(1.762, 1.134, 440.0, 0.02)
MARGINS = Margins(eaves_m=0.3, ridge_m=0.3, verge_m=0.3, obstacle_m=0.3, flat_edge_m=1.0)
NEEDED_KWH_M2 = 600.0
RULES = LayoutRules(
    MODULE, MARGINS, "best", Demand(10.0, NEEDED_KWH_M2), Demand(25.0, NEEDED_KWH_M2)
)
SOUTH_ROWS = Racks((180.0,), 10.0, 0.0, 17.0)
PAIRS = Racks((90.0, 270.0), 10.0, 0.5, 90.0)


def box(west_m, south_m, east_m, north_m):
    """A rectangle in metres from the south-west corner of the raster."""
    south = GRID.south_m
    return shapely.box(WEST_M + west_m, south + south_m, WEST_M + east_m, south + north_m)


def plane_on(outline, *, tilt=35.0, obstacles=(), racks=None, no_data=0.0, north=False) -> Plane:
    """A plane of a roof that has no other; pitched ones fall to the south."""
    return Plane(
        outline=outline,
        roof_outline=outline,
        slope_east=0.0,
        slope_north=math.tan(math.radians(tilt)),
        is_flat=tilt <= 10.0,
        is_north_steep=north,
        obstacles=np.array(obstacles, dtype=object),
        racks=racks,
        grid_azimuth=180.0 if tilt <= 10.0 else None,
        no_data_fraction=no_data,
    )


def light_on(plane, year_kwh_m2, open_kwh_m2=1000.0) -> CellLight:
    """Light of the plane's cells: a number, a raster, or one of these for each facing."""
    row, col = np.nonzero(cells_inside(plane.outline, GRID))
    facings = year_kwh_m2 if isinstance(year_kwh_m2, list) else [year_kwh_m2]
    rasters = [np.broadcast_to(np.asarray(one, dtype=np.float64), GRID.shape) for one in facings]
    years = np.stack([raster[row, col] for raster in rasters])
    return CellLight(GRID, row, col, years, open_kwh_m2)


def raster_with(value, *patches):
    """An even raster with other values in rectangles (box, value)."""
    raster = np.full(GRID.shape, float(value))
    for patch, other in patches:
        raster[cells_inside(patch, GRID)] = other
    return raster


# A slope of 6 x 3.5 m in plan is 4.27 m long; less 0.3 m all around, 3 rows of 3 modules lie on it:
# 3 · 1.134 m + 0.04 m of 3.67 m, 3 · 1.762 m + 0.04 m of 5.4 m.
SLOPE = box(2, 2, 8, 5.5)
ON_SLOPE = 9
MODULE_M2 = 1.762 * 1.134


def n_of(plan) -> int:
    return 0 if plan.layout is None else plan.layout.n


# reasons


def test_a_slope_with_room_and_light_holds_modules_and_has_no_reason():
    plane = plane_on(SLOPE)
    plan = plan_modules(plane, light_on(plane, 900.0), RULES)
    assert (n_of(plan), plan.reason) == (ON_SLOPE, "")
    stretch = 1 / math.cos(math.radians(35.0))
    assert plan.usable_area_m2 == pytest.approx(5.4 * (3.5 * stretch - 0.6))


def test_too_small_for_one_module():
    plane = plane_on(box(2, 2, 3.5, 3.5))
    plan = plan_modules(plane, light_on(plane, 900.0), RULES)
    assert plan.reason == "too small: no module fits"
    assert plan.layout is None
    assert len(plan.year_kwh_m2) == 0


def test_too_small_for_a_plant_says_by_how_much():
    # 3.4 x 2.45 m are left: one upright module beside two lying ones, 5.99 m².
    plane = plane_on(box(2, 2, 6, 4.5))
    plan = plan_modules(plane, light_on(plane, 900.0), RULES)
    assert plan.reason == "too small: modules cover 6.0 m², 4.0 m² short of 10 m²"
    assert plan.usable_area_m2 == pytest.approx(3.4 * (2.5 / math.cos(math.radians(35)) - 0.6))
    enough = replace(RULES, pitched=Demand(3 * MODULE_M2, NEEDED_KWH_M2))
    assert n_of(plan_modules(plane, light_on(plane, 900.0), enough)) == 3


def test_a_flat_roof_must_hold_more_than_a_pitched_one():
    # 8 x 4.5 m less 1 m all around: 2 rows of 3, 12 m².
    flat = plane_on(box(2, 2, 10, 6.5), tilt=0.0)
    plan = plan_modules(flat, light_on(flat, 900.0), RULES)
    assert plan.reason == "too small: modules cover 12.0 m², 13.0 m² short of 25 m²"
    asks_less = replace(RULES, flat=RULES.pitched)
    assert n_of(plan_modules(flat, light_on(flat, 900.0), asks_less)) == 6


def test_obstacles_are_the_reason_where_a_bare_roof_would_do():
    chimney = box(4.2, 3.2, 5.8, 4.4)
    plane = plane_on(SLOPE, obstacles=[chimney])
    plan = plan_modules(plane, light_on(plane, 900.0), RULES)
    beside = lay(plane).n * MODULE_M2
    assert 0.0 < beside < 10.0
    assert plan.reason == (
        f"obstacles: modules cover {beside:.1f} m², {10 - beside:.1f} m² short of 10 m²; "
        f"without superstructures they would cover {ON_SLOPE * MODULE_M2:.1f} m²"
    )


def lay(plane, dark=None):
    """What the layout alone makes of a plane."""
    return module_layout(
        plane.outline, plane.slope_east, plane.slope_north, plane.roof_outline, plane.obstacles,
        MARGINS, MODULE, is_flat=plane.is_flat, racks=plane.racks,
        grid_azimuth=plane.grid_azimuth, dark=dark,
    )  # fmt: skip


def test_obstacles_that_are_not_to_blame_are_not_blamed():
    plane = plane_on(box(2, 2, 6, 4.5), obstacles=[box(2, 2, 2.4, 2.4)])
    assert plan_modules(plane, light_on(plane, 900.0), RULES).reason.startswith("too small")


def test_north_and_steep_is_what_an_open_sky_could_not_mend():
    plane = plane_on(SLOPE, north=True)
    plan = plan_modules(plane, light_on(plane, 420.0, open_kwh_m2=480.0), RULES)
    lacking = "480 kWh/m² under an open sky, 120 kWh/m² short of 600 kWh/m²"
    assert plan.reason == f"north and steep: {lacking}"
    elsewhere = plan_modules(plane_on(SLOPE), light_on(plane, 420.0, open_kwh_m2=480.0), RULES)
    assert elsewhere.reason == f"too little light as it faces: {lacking}"
    assert plan.usable_area_m2 == 0.0


def test_too_shaded_as_a_whole_tells_what_the_shade_takes():
    plane = plane_on(SLOPE)
    field = raster_with(400.0, (box(2, 2, 5, 5.5), 500.0))  # half and half
    plan = plan_modules(plane, light_on(plane, field), RULES)
    assert plan.reason == (
        "too shaded: 450 kWh/m² of 1000 kWh/m² under an open sky, 150 kWh/m² short of 600 kWh/m²"
    )
    assert plan.usable_area_m2 == 0.0


def test_patchy_shade_is_the_reason_where_only_the_bright_part_is_too_small():
    # West of the middle 2.7 x 3.67 m are left: two by two upright modules, 8 m².
    plane = plane_on(SLOPE)
    field = raster_with(900.0, (box(5, 2, 8, 5.5), 500.0))
    plan = plan_modules(plane, light_on(plane, field), RULES)
    assert plan.reason == (
        "too shaded: on the parts with 600 kWh/m² modules cover 8.0 m², 2.0 m² short of 10 m²; "
        "without shade they would cover 18.0 m²"
    )
    assert 0.0 < plan.usable_area_m2 < 2.7 * 3.68


def test_obstacles_and_shade_together_are_told_together():
    # West of the middle 8 m² fit (see above), beside the chimney less than 10 m² (further above).
    plane = plane_on(SLOPE, obstacles=[box(4.2, 3.2, 5.8, 4.4)])
    field = raster_with(900.0, (box(5, 2, 8, 5.5), 500.0))
    plan = plan_modules(plane, light_on(plane, field), RULES)
    dark = cell_boxes(GRID, *np.nonzero(cells_inside(box(5, 2, 8, 5.5), GRID)))
    there = lay(plane, dark).n * MODULE_M2
    assert plan.reason == (
        f"obstacles and shade: modules cover {there:.1f} m², {10 - there:.1f} m² short of 10 m²; "
        f"without both they would cover {ON_SLOPE * MODULE_M2:.1f} m²"
    )


def test_a_dark_plane_that_could_never_hold_a_plant_is_too_small():
    plane = plane_on(box(2, 2, 4, 4))
    plan = plan_modules(plane, light_on(plane, 100.0), RULES)
    assert plan.reason.startswith("too small")


def test_a_plane_that_was_hardly_measured_is_not_planned_on():
    plane = plane_on(SLOPE, no_data=0.625)
    plan = plan_modules(plane, light_on(plane, 900.0), RULES)
    assert plan.reason == "no data: 62% of the plane without height"
    known = replace(plane, no_data_fraction=0.5)
    assert n_of(plan_modules(known, light_on(known, 900.0), RULES)) == ON_SLOPE


def test_no_module_lies_where_nothing_was_measured():
    plane = plane_on(SLOPE, no_data=0.3)
    unknown = box(6, 2, 8, 5.5)
    plan = plan_modules(replace(plane, unmeasured=unknown), light_on(plane, 900.0), RULES)
    assert 0 < n_of(plan) < ON_SLOPE
    assert not shapely.intersects(
        shapely.polygons(plan.layout.corners), unknown.buffer(-1e-6)
    ).any()
    most = replace(plane, unmeasured=box(3.5, 2, 8, 5.5))
    assert plan_modules(most, light_on(plane, 900.0), RULES).reason == (
        "no data: 30% of the plane without height"
    )


def test_five_modules_are_ten_square_metres():
    # 9.99 m²: areas are compared to the tenth that reasons are written in.
    plane = plane_on(SLOPE, obstacles=[box(4.2, 2.0, 8, 3.0)])
    n = n_of(plan_modules(plane, light_on(plane, 900.0), replace(RULES, pitched=Demand(0.0, 0.0))))
    exactly = replace(RULES, pitched=Demand(round(n * MODULE_M2 + 0.009, 2), NEEDED_KWH_M2))
    assert n_of(plan_modules(plane, light_on(plane, 900.0), exactly)) == n
    more = replace(RULES, pitched=Demand(n * MODULE_M2 + 0.2, NEEDED_KWH_M2))
    assert n_of(plan_modules(plane, light_on(plane, 900.0), more)) == 0


def test_a_plane_without_any_cell_is_too_small():
    plane = plane_on(box(2.3, 2.3, 2.4, 2.4))
    assert len(light_on(plane, 900.0).row) == 0
    assert plan_modules(plane, light_on(plane, 900.0), RULES).reason == "too small: no module fits"


@pytest.mark.parametrize(
    ("area_m2", "needed_m2", "text"),
    [
        # Five modules: 5 · 1.762 m · 1.134 m = 9.99054 m².
        (5 * MODULE_M2, 10.0, "modules cover 9.99 m², 0.01 m² short of 10 m²"),
        (5 * MODULE_M2, 9.991, "modules cover 9.9905 m², 0.0005 m² short of 9.991 m²"),
        (8.04, 12.25, "modules cover 8.04 m², 4.21 m² short of 12.25 m²"),
        (7.96, 100.0, "modules cover 8.0 m², 92.0 m² short of 100 m²"),
    ],
)
def test_what_is_missing_is_never_rounded_to_nothing_that_matters(area_m2, needed_m2, text):
    assert small_reason(Demand(needed_m2, 600.0), area_m2) == f"too small: {text}"


@given(st.floats(1.0, 1999.0), st.floats(0.0, 1.0))
@settings(deadline=None)
def test_the_figures_of_a_reason_add_up(needed, share):
    got = needed * share
    assume(needed - got > 1e-3)
    texts = [
        re.sub(r" of [\d.]+ kWh/m²", "", dark_reason(Demand(10.0, needed), got, 2000.0), count=1),
        facing_reason(Demand(10.0, needed), got, is_north_steep=True),
    ]
    if got > 0.0:
        texts.append(small_reason(Demand(needed, 600.0), got))
    for text in texts:
        there, missing, wanted = (Decimal(one) for one in re.findall(r"\d+(?:\.\d+)?(?= )", text))
        assert there + missing == wanted
        assert missing > 0
        # The worst of rounding two numbers, in units of the last digit.
        assert float(missing) == pytest.approx(
            needed - got, abs=1.01 * 10.0 ** missing.as_tuple()[2]
        )


def test_no_module_is_a_reason_even_if_nothing_is_asked_for():
    plane = plane_on(box(2, 2, 3.5, 3.5))
    no_demand = replace(RULES, pitched=Demand(0.0, 0.0))
    plan = plan_modules(plane, light_on(plane, 900.0), no_demand)
    assert plan.reason == "too small: no module fits"


# light of the modules


@pytest.mark.parametrize(
    ("tilt", "racks", "rules"),
    [(35.0, None, RULES), (0.0, None, RULES), (0.0, SOUTH_ROWS, RULES), (5.0, PAIRS, RULES)],
)
def test_on_an_evenly_lit_plane_every_module_gets_the_light_of_its_facing(tilt, racks, rules):
    plane = plane_on(box(2.2, 2.1, 17.3, 12.4), tilt=tilt, racks=racks)
    years = [877.5, 811.25] if racks is PAIRS else [877.5]
    plan = plan_modules(plane, light_on(plane, years), rules)
    assert n_of(plan) > 20
    np.testing.assert_array_equal(plan.year_kwh_m2, np.take(years, plan.layout.facing))


def test_the_modules_light_is_that_of_the_cells_under_it():
    plane = plane_on(box(2.2, 2.1, 17.3, 12.4))
    east = np.broadcast_to(np.arange(GRID.shape[1]), GRID.shape)
    plan = plan_modules(plane, light_on(plane, 700.0 + 10.0 * east), RULES)
    # The field rises by 20 kWh/m² per metre: a module gets that of its middle, but for the few
    # cells under it (about a quarter of a cell).
    middle_m = plan.layout.corners[:, :, 0].mean(axis=1) - WEST_M
    np.testing.assert_allclose(plan.year_kwh_m2, 695.0 + 20.0 * middle_m, atol=5.0)


def test_the_window_of_the_raster_changes_no_modules_light():
    plane = plane_on(box(2.2, 2.1, 17.3, 12.4))
    field = np.random.default_rng(0).uniform(700.0, 1000.0, GRID.shape)
    light = light_on(plane, field)
    here = plan_modules(plane, light, RULES)
    wide = GRID.window(-7, -5, 60, 80)
    moved = replace(light, grid=wide, row=light.row + 7, col=light.col + 5)
    there = plan_modules(plane, moved, RULES)
    np.testing.assert_array_equal(here.year_kwh_m2, there.year_kwh_m2)
    np.testing.assert_array_equal(here.layout.corners, there.layout.corners)


# laws

patches = st.tuples(
    st.integers(0, 25), st.integers(0, 15), st.integers(1, 12), st.integers(1, 10),
    st.floats(0.0, 700.0),
)  # fmt: skip
shadows = st.lists(patches, max_size=3)


def shaded(field, patches):
    """A field less what patches (west, south, width, height in cells, loss) take away."""
    field = field.copy()
    for col, row, width, height, loss in patches:
        field[39 - row - height : 39 - row, col : col + width] -= loss
    return np.maximum(field, 0.0)


@given(shadows)
@settings(deadline=None, max_examples=40)
def test_dark_cells_are_never_covered(patches):
    plane = plane_on(box(1.2, 1.1, 13.3, 8.4))
    field = shaded(np.full(GRID.shape, 900.0), patches)
    plan = plan_modules(plane, light_on(plane, field), RULES)
    assume(plan.layout is not None)
    is_dark = cells_inside(plane.outline, GRID) & (field < NEEDED_KWH_M2)
    row, col = np.nonzero(is_dark)
    west, south = col / 2, 20 - (row + 1) / 2
    cells = [box(x, y, x + 0.5, y + 0.5) for x, y in zip(west, south, strict=True)]
    modules = shapely.polygons(plan.layout.corners)
    covered = shapely.intersection(shapely.union_all(modules), shapely.union_all(cells)).area
    assert covered < 1e-6
    assert (plan.year_kwh_m2 >= NEEDED_KWH_M2).all()


@given(shadows, st.floats(0, 60), st.floats(0, 60), st.floats(0, 900), st.floats(0, 900))
@settings(deadline=None, max_examples=40)
def test_a_bigger_demand_never_yields_more_modules(patches, area, more_area, year, more_year):
    plane = plane_on(box(1.2, 1.1, 9.3, 6.4))
    light = light_on(plane, shaded(np.full(GRID.shape, 900.0), patches))
    modest = replace(RULES, pitched=Demand(area, year))
    greedy = replace(RULES, pitched=Demand(area + more_area, year + more_year))
    assert n_of(plan_modules(plane, light, greedy)) <= n_of(plan_modules(plane, light, modest))


@given(shadows, shadows)
@settings(deadline=None, max_examples=40)
def test_less_light_never_yields_more_modules(patches, more):
    plane = plane_on(box(1.2, 1.1, 9.3, 6.4))
    field = shaded(np.full(GRID.shape, 900.0), patches)
    bright = plan_modules(plane, light_on(plane, field), RULES)
    dark = plan_modules(plane, light_on(plane, shaded(field, more)), RULES)
    assert n_of(dark) <= n_of(bright)
    assert dark.usable_area_m2 <= bright.usable_area_m2 + 1e-6
    assert (n_of(dark) == 0) == (dark.reason != "")


# cells as polygons


@given(st.integers(0, 2**32 - 1), st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=30)
def test_boxes_of_cells_cover_these_cells_and_no_others(seed, share):
    rng = np.random.default_rng(seed)
    row, col = np.nonzero(rng.random((8, 9)) < share)
    assume(len(row) > 0)
    order = rng.permutation(len(row))
    boxes = cell_boxes(GRID, row[order], col[order])
    assert boxes.is_valid
    assert boxes.area == pytest.approx(len(row) * 0.25, rel=1e-9)
    assert shapely.contains_xy(boxes, WEST_M + (col + 0.5) * 0.5, NORTH_M - (row + 0.5) * 0.5).all()


def test_no_cell_is_no_polygon():
    none = np.zeros(0, dtype=np.int64)
    assert cell_boxes(GRID, none, none) is None
