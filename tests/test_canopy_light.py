"""Light through crowns: limits, laws, closed forms, and rays one by one."""

from dataclasses import fields, replace

import numpy as np
import pytest
from canopy_reference import brute_months, rays_met, shares_of
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import horizons, minute_sky

from solarkataster.canopy import (
    DECIDUOUS,
    EVERGREEN,
    Canopy,
    Transmissivity,
    no_canopy,
    seasonal_transmissivity,
)
from solarkataster.errors import InputError
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers
from solarkataster.sky_table import sky_table

CELL_M = 0.5
SHAPE = 120, 120
ROWS, COLS = np.indices(SHAPE)
OPAQUE, CLEAR = (Transmissivity((share,) * 12, (share,) * 12) for share in (0.0, 1.0))
#: Row, column, radius [cells], height [m] and kind.
TREES = (
    (70, 50, 8, 12.0, DECIDUOUS), (50, 75, 7, 8.0, EVERGREEN), (20, 60, 9, 10.0, DECIDUOUS),
    (90, 88, 6, 15.0, EVERGREEN), (84, 84, 6, 9.0, DECIDUOUS),
)  # fmt: skip


def town():
    """Two houses on a slope. [m]"""
    solid_m = 0.01 * COLS
    solid_m[20:40, 20:40], solid_m[60:90, 100:112] = 9.0, 7.0
    return solid_m


def crowns(solid_m, trees=TREES, base_m=-1.0):
    """Rounded crowns; the underside is level."""
    top_m, kind = np.full(SHAPE, np.nan), np.zeros(SHAPE, int)
    for row, col, radius, height_m, of in trees:
        away = np.hypot(ROWS - row, COLS - col) / radius
        crown_m = np.where(away < 1, height_m * (1 - 0.3 * away**2), np.nan)
        kind = np.where((away < 1) & ~(crown_m <= top_m), of, kind)
        top_m = np.fmax(top_m, crown_m)
    top_m[~(top_m > solid_m)] = np.nan
    kind[np.isnan(top_m)] = 0
    return Canopy(top_m, np.where(kind > 0, np.minimum(base_m, top_m), np.nan), kind)


def receivers_over(surface_m, n=600, seed=1, **options):
    """Points over a surface, whatever they face."""
    rng = np.random.default_rng(seed)
    row, col = rng.uniform(0, 119, (2, n))
    at = np.floor(row + 0.5).astype(int), np.floor(col + 0.5).astype(int)
    height_m = surface_m[at] + rng.uniform(0.1, 9, n)
    faces = rng.uniform(0, 90, 40), rng.uniform(0, 360, 40)
    return Receivers(row, col, height_m, np.arange(n) % 40, *faces, **options)


def arrays(seen):
    return {one.name: getattr(seen, one.name) for one in fields(seen)}


def assert_same(one, other, atol):
    for name, values in arrays(one).items():
        np.testing.assert_allclose(values, arrays(other)[name], rtol=0, atol=atol, err_msg=name)


@pytest.fixture(scope="module")
def minutes(demo_weather):
    return minute_sky(demo_weather, 0.0, step_minutes=5)


@pytest.fixture(scope="module")
def scene():
    solid_m = town()
    canopy = crowns(solid_m)
    return solid_m, canopy, receivers_over(np.fmax(solid_m, canopy.top_m))


def edges(n):
    """Every third receiver under an edge, every other surface behind a row of modules."""
    return {
        "top_tangent": np.where(np.arange(n) % 3 == 0, 1.5, np.inf),
        "front_tangent": np.where(np.arange(40) % 2 == 0, 0.1, 0.0),
    }


# Of a year of up to 1300 kWh/m²: the far field of a crown and of a house round differently.
@pytest.mark.parametrize("with_edges", [False, True])
def test_an_opaque_tree_is_a_building_of_the_same_shape(sky, scene, with_edges, figure):
    solid_m, canopy, receivers = scene
    if with_edges:
        receivers = replace(receivers, **edges(len(receivers)))
    built = light(np.fmax(solid_m, canopy.top_m), CELL_M, receivers, sky)
    grown = light(solid_m, CELL_M, receivers, sky, canopy=canopy, transmissivity=OPAQUE)
    open_town = light(solid_m, CELL_M, receivers, sky)
    error = np.abs(grown.poa_global_year_kwh_m2 - built.poa_global_year_kwh_m2)
    figure("opaque trees against buildings", f"worst {error.max():.2f} kWh/m² a year")
    assert_same(grown, built, atol=0.8)
    assert error.mean() < 0.01
    lost = open_town.poa_global_year_kwh_m2 - built.poa_global_year_kwh_m2
    assert np.percentile(lost, 90) > 50  # trees matter here


@pytest.mark.parametrize("with_edges", [False, True])
def test_a_transparent_tree_is_none(sky, scene, with_edges):
    solid_m, canopy, receivers = scene
    if with_edges:
        receivers = replace(receivers, **edges(len(receivers)))
    none = light(solid_m, CELL_M, receivers, sky)
    clear = light(solid_m, CELL_M, receivers, sky, canopy=canopy, transmissivity=CLEAR)
    assert_same(clear, none, atol=1e-9)


def test_without_crowns_nothing_changes_at_all(sky, scene):
    solid_m, _, receivers = scene
    none = light(solid_m, CELL_M, receivers, sky)
    assert_same(light(solid_m, CELL_M, receivers, sky, canopy=no_canopy(SHAPE)), none, atol=0)


def test_crowns_out_of_sight_change_no_byte(sky):
    solid_m = np.zeros(SHAPE)
    solid_m[:, 60:64] = 30.0
    canopy = crowns(solid_m, [(60, 90, 8, 10.0, DECIDUOUS), (30, 90, 8, 9.0, EVERGREEN)])
    receivers = receivers_over(np.zeros(SHAPE))
    receivers = replace(receivers, col=receivers.col * 0.48)
    none = light(solid_m, CELL_M, receivers, sky)
    with_crowns = light(solid_m, CELL_M, receivers, sky, canopy=canopy)
    assert_same(with_crowns, none, atol=0)


def test_crowns_do_not_depend_on_the_window(sky, scene):
    solid_m, canopy, _ = scene
    canopy = replace(canopy, base_m=np.where(canopy.kind > 0, 3.0, np.nan))
    receivers = receivers_over(np.zeros(SHAPE), n=200)
    part = np.s_[11:, 6:]
    inside = replace(receivers, row=20 + receivers.row * 0.8, col=20 + receivers.col * 0.8)
    moved = replace(inside, row=inside.row - 11, col=inside.col - 6)
    solid_m = solid_m.copy()
    solid_m[:11], solid_m[:, :6] = np.nan, np.nan
    canopy = Canopy(*(
        np.where(np.isnan(solid_m), nothing, values)
        for values, nothing in ((canopy.top_m, np.nan), (canopy.base_m, np.nan), (canopy.kind, 0))
    ))  # fmt: skip
    whole = light(solid_m, CELL_M, inside, sky, canopy=canopy)
    cut = light(
        solid_m[part], CELL_M, moved, sky, canopy=canopy.part(part), first_row=11, first_col=6
    )
    assert_same(cut, whole, atol=1e-3)


share = st.floats(0, 1)


@given(share, share, st.integers(0, 11))
@settings(deadline=None, max_examples=10)
def test_more_light_through_a_crown_is_never_less_light(sky, low, high, month):
    # Without the horizon band, which Perez may make negative.
    bandless = replace(sky, band_kwh_m2=np.zeros(12))
    low, high = sorted((low, high))
    solid_m = town()
    canopy = crowns(solid_m, base_m=4.0)
    receivers = receivers_over(solid_m, n=60)
    results = [
        light(
            solid_m, CELL_M, receivers, bandless, albedo=0.0, canopy=canopy,
            transmissivity=Transmissivity(
                tuple(through if m == month else 0.3 for m in range(12)), (through,) * 12
            ),
        )
        for through in (low, high)
    ]  # fmt: skip
    for name, values in arrays(results[0]).items():
        if name != "ground_view_factor":
            assert (arrays(results[1])[name] - values).min() >= -2e-3, name


def test_a_crown_opaque_in_one_month_takes_that_month_and_no_other(sky, scene):
    solid_m, canopy, receivers = scene
    built = light(solid_m, CELL_M, receivers, sky, albedo=0.0, canopy=canopy, transmissivity=OPAQUE)
    none = light(solid_m, CELL_M, receivers, sky, albedo=0.0)
    direct_lost = np.zeros(len(receivers))
    for month in range(12):
        shares = tuple(float(m != month) for m in range(12))
        one = light(
            solid_m, CELL_M, receivers, sky, albedo=0.0, canopy=canopy,
            transmissivity=Transmissivity(shares, shares),
        )  # fmt: skip
        got, others = one.poa_global_month_kwh_m2, np.arange(12) != month
        np.testing.assert_allclose(
            got[:, month], built.poa_global_month_kwh_m2[:, month], atol=2e-3
        )
        np.testing.assert_allclose(
            got[:, others], none.poa_global_month_kwh_m2[:, others], atol=1e-6
        )
        direct_lost += none.poa_direct_year_kwh_m2 - one.poa_direct_year_kwh_m2
    # The direct light of the months adds up to that of the year.
    whole = none.poa_direct_year_kwh_m2 - built.poa_direct_year_kwh_m2
    np.testing.assert_allclose(direct_lost, whole, atol=0.02)


# The skylines of the reference are marched; limits asked of walls: 1 %, 0.3 %.
def test_two_kinds_of_crowns_agree_with_rays(minutes, sky, scene, figure):
    solid_m, canopy, receivers = scene
    through = seasonal_transmissivity(0.1, 0.6, 0.25)
    behind = light(solid_m, CELL_M, receivers, sky, albedo=0.0, canopy=canopy)
    lost = light(solid_m, CELL_M, receivers, sky, albedo=0.0).poa_global_year_kwh_m2
    lost = lost - behind.poa_global_year_kwh_m2
    some = np.argsort(-lost)[:300:10]
    part = Receivers(
        receivers.row[some], receivers.col[some], receivers.elevation_m[some], np.arange(30),
        receivers.surface_tilt[receivers.surface[some]],
        receivers.grid_azimuth[receivers.surface[some]],
    )  # fmt: skip
    got = light(solid_m, CELL_M, part, sky, albedo=0.0, canopy=canopy, transmissivity=through)
    azimuths, n_elevation = np.arange(0, 360, 0.5), 360
    tall = (np.arange(n_elevation) + 0.5) * 90 / n_elevation
    tops = [
        np.fmax(solid_m, np.where(canopy.kind == kind, canopy.top_m, np.nan))
        for kind in (0, DECIDUOUS, EVERGREEN)
    ]
    solid, deciduous, evergreen = (horizons(top_m, CELL_M, part, azimuths) for top_m in tops)
    months, views = [], []
    for i in range(30):
        met = (tall < deciduous[:, i, None]) + 2 * (tall < evergreen[:, i, None])
        met[tall < solid[:, i, None]] = -1
        both, view = brute_months(
            minutes, met, azimuths, n_elevation, part.surface_tilt[i], part.grid_azimuth[i], through
        )
        months.append(both)
        views.append(view)
    months = np.array(months)
    assert (np.array([met for met in (1, 2, 3)]) > 0).all()
    year = months.sum(axis=(1, 2))
    error = got.poa_global_year_kwh_m2 - year
    rmse, bias = np.sqrt((error**2).mean()) / year.mean(), error.mean() / year.mean()
    direct = got.poa_direct_year_kwh_m2.sum() / months[:, 0].sum() - 1
    figure(
        "crowns of two kinds against rays",
        f"RMSE {rmse:.2%} bias {bias:+.2%} direct {direct:+.2%}, of the light lost to crowns "
        f"{lost[some].mean() / (year.mean() + lost[some].mean()):.0%}",
    )
    assert rmse <= 0.01
    assert abs(bias) <= 0.003
    assert abs(direct) <= 0.01
    by_month = got.poa_global_month_kwh_m2.sum(axis=0) / months.sum(axis=(0, 1)) - 1
    assert np.abs(by_month).max() <= 0.02
    np.testing.assert_allclose(got.sky_view_factor, views, atol=0.01)


def disc(radius_m, base_m, top_m, cell_m=0.25, n=161):
    rows, cols = np.indices((n, n)) - n // 2
    inside = np.hypot(rows, cols) * cell_m < radius_m
    return Canopy(
        np.where(inside, top_m, np.nan), np.where(inside, base_m, np.nan), inside.astype(int)
    )


@pytest.mark.parametrize(("base_m", "through"), [(3.0, 0.0), (3.0, 0.3), (5.0, 0.5), (1.0, 0.1)])
def test_under_a_disc_the_sky_is_seen_up_to_its_rim(sky, base_m, through):
    # Level ground at the middle of a crown of radius R: sin² of atan(base / R), and through the
    # crown what is left.
    radius_m = 5.0
    canopy = disc(radius_m, base_m, 9.0)
    receivers = Receivers([80.0], [80.0], [0.0], [0], [0.0], [0.0])
    got = light(
        np.zeros(canopy.shape), 0.25, receivers, sky, canopy=canopy,
        transmissivity=Transmissivity((through,) * 12, (0.0,) * 12),
    )  # fmt: skip
    free = base_m**2 / (base_m**2 + radius_m**2)
    assert got.sky_view_factor[0] == pytest.approx(free + through * (1 - free), abs=0.01)


def test_a_house_hides_what_is_left_below_a_crown(sky):
    canopy = disc(5.0, 4.0, 9.0)
    solid_m = np.zeros(canopy.shape)
    solid_m[np.hypot(*(np.indices(canopy.shape) - 80)) * 0.25 > 8.0] = 8.0  # a round court
    receivers = Receivers([80.0], [80.0], [0.0], [0], [0.0], [0.0])
    got = light(solid_m, 0.25, receivers, sky, canopy=canopy, transmissivity=OPAQUE)
    assert got.sky_view_factor[0] == 0.0
    assert got.poa_global_year_kwh_m2[0] == pytest.approx(0.2 * sky.ghi_kwh_m2.sum(), rel=1e-4)


def test_a_receiver_on_a_crowns_cell_and_over_its_top_is_not_under_it(sky):
    canopy = disc(5.0, 4.0, 9.0)
    receivers = Receivers([80.0, 80.0], [80.0, 80.0], [9.5, 6.0], [0, 0], [0.0], [0.0])
    got = light(np.zeros(canopy.shape), 0.25, receivers, sky, canopy=canopy, transmissivity=OPAQUE)
    assert got.sky_view_factor[0] == pytest.approx(1.0, abs=1e-5)
    assert got.sky_view_factor[1] == 0.0  # in the crown


# Cells are boxes in the reference and heights linear between cells here.
@pytest.mark.parametrize("height_m", [0.1, 1.5, 3.0])
def test_the_gap_below_crowns_agrees_with_rays(sky, height_m, figure):
    solid_m = np.zeros(SHAPE)
    solid_m[16:26, 30:90] = 5.0
    trees = [
        (60, 60, 14, 9.0, DECIDUOUS), (56, 88, 10, 7.0, DECIDUOUS), (78, 38, 13, 8.0, EVERGREEN)
    ]  # fmt: skip
    canopy = crowns(solid_m, trees, base_m=3.5)
    places = np.array(
        [(60, 60), (60, 70), (52, 51), (60, 80), (78, 38), (72, 45), (60, 40), (88, 60), (60, 104)]
    )
    n = len(places)
    receivers = Receivers(*places.T, np.full(n, height_m), np.zeros(n, int), [0.0], [0.0])
    through = Transmissivity((0.2,) * 12, (0.1,) * 12)
    azimuths, tall = np.arange(0, 360, 2.5), (np.arange(180) + 0.5) / 2
    weight = np.sin(np.radians(tall)) * np.cos(np.radians(tall)) * np.radians(0.5) * 2

    def view(place):
        met = rays_met(solid_m, canopy, 0.25, *place, height_m, azimuths, tall, 0.05)
        return (shares_of(met, through)[0].mean(axis=0) * weight).sum()

    expected = np.array([view(place) for place in places])
    got, blind = (
        light(solid_m, 0.25, receivers, sky, canopy=seen, transmissivity=through).sky_view_factor
        for seen in (canopy, crowns(solid_m, trees, base_m=-1.0))
    )
    error = got - expected
    figure(
        f"sky view under and near crowns, {height_m} m up, against rays",
        f"worst {np.abs(error).max():.3f} mean {error.mean():+.3f}; with crowns down to the ground "
        f"{(blind - expected).mean():+.3f}",
    )
    assert np.abs(error).max() <= 0.04
    assert abs(error.mean()) <= 0.012


def test_crowns_of_both_kinds_over_one_another_leave_the_product(sky):
    # A ring of evergreens behind the rim of a deciduous disc, as seen from its middle: all gaps
    # closed, so that every ray but the ones to the zenith meets both.
    canopy = disc(5.0, 1.0, 9.0)
    ring = (np.hypot(*(np.indices(canopy.shape) - 80)) * 0.25 >= 5.0) & ~canopy.is_crown
    ring &= np.hypot(*(np.indices(canopy.shape) - 80)) * 0.25 < 7.0
    canopy = Canopy(
        np.where(ring, 7.0, canopy.top_m), np.where(ring, -1.0, canopy.base_m),
        np.where(ring, EVERGREEN, canopy.kind),
    )  # fmt: skip
    receivers = Receivers([80.0], [80.0], [0.0], [0], [0.0], [0.0])
    got = light(
        np.zeros(canopy.shape), 0.25, receivers, sky, canopy=canopy,
        transmissivity=Transmissivity((0.4,) * 12, (0.5,) * 12),
    )  # fmt: skip
    # Up to the disc's underside at its rim evergreen alone, up to the ring's top both.
    free, ring_top = 1 / (1 + 25), 49 / (49 + 25)
    expected = 0.5 * free + 0.2 * (ring_top - free) + 0.4 * (1 - ring_top)
    assert got.sky_view_factor[0] == pytest.approx(expected, abs=0.01)


def test_a_turned_town_with_trees_gets_turned_light(sources, sky, scene):
    solid_m, canopy, receivers = scene
    canopy = crowns(solid_m, base_m=3.0)
    receivers = replace(receivers, row=np.round(receivers.row), col=np.round(receivers.col))
    turned = replace(
        receivers, row=receivers.col, col=119 - receivers.row,
        grid_azimuth=receivers.grid_azimuth + 90.0,
    )  # fmt: skip
    before = light(solid_m, CELL_M, receivers, sky, canopy=canopy)
    after = light(
        np.rot90(solid_m, -1), CELL_M, turned, sky_table(sources, -90.0),
        canopy=Canopy(*(np.rot90(a, -1) for a in (canopy.top_m, canopy.base_m, canopy.kind))),
    )  # fmt: skip
    # Exact but for rounding where lines of the far field keep their groups of columns; the odd
    # receiver whose far skyline hangs on them is off, without crowns too.
    error = np.abs(after.poa_global_year_kwh_m2 - before.poa_global_year_kwh_m2)
    assert np.percentile(error, 98) <= 0.005
    assert error.max() <= 1.5


def test_a_canopy_of_another_window_is_refused(sky, scene):
    solid_m, canopy, receivers = scene
    with pytest.raises(InputError, match="as the surface"):
        light(solid_m[1:], CELL_M, receivers, sky, canopy=canopy)
