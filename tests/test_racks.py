"""Racks: row distance, what the row in front hides, and their light against pvlib."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rack_reference import rows_year_kwh_m2, shaded_fraction, sky_view

from solarkataster.errors import InputError
from solarkataster.irradiance import light, open_light
from solarkataster.layout.racks import (
    HEIGHT_FRACTIONS,
    Racks,
    noon_elevation_deg,
    rack_receivers,
    square_shadow_angle_deg,
)
from solarkataster.receivers import Receivers, join_receivers, plane_receivers

SLANT_M = 1.134
ALBEDO = 0.2


def rows(azimuth_deg=180.0, tilt_deg=10.0, latitude_deg=49.5, aisle_m=0.0):
    angle_deg = square_shadow_angle_deg(noon_elevation_deg(latitude_deg), azimuth_deg - 180.0)
    return Racks((azimuth_deg,), tilt_deg, aisle_m, angle_deg)


def pvlib_shaded_fraction(racks, zenith, azimuth):
    """Of rows as far apart as the racks say."""
    pitch_m = racks.unit_depth_m(SLANT_M) + racks.gap_m(SLANT_M)
    return shaded_fraction(racks.tilt_deg, racks.azimuths_deg[0], SLANT_M, pitch_m, zenith, azimuth)


# Sun of Mannheim and Kiel at the solstice from pvlib.
@pytest.mark.parametrize("latitude", [49.49, 54.32])
def test_rows_clear_each_other_at_noon_of_the_shortest_day_and_just_so(latitude):
    times = pd.date_range("2024-12-21 09:00", "2024-12-21 14:00", freq="1min", tz="UTC")
    sun = pvlib.solarposition.get_solarposition(times, latitude, 9.0)
    noon = sun.loc[sun["elevation"].idxmax()]
    assert noon_elevation_deg(latitude) == pytest.approx(noon["elevation"], abs=0.05)
    at_noon = noon["zenith"], noon["azimuth"]
    assert pvlib_shaded_fraction(rows(latitude_deg=latitude), *at_noon) < 0.01
    nearer = Racks((180.0,), 10.0, 0.0, noon_elevation_deg(latitude) + 2.0)
    assert pvlib_shaded_fraction(nearer, *at_noon) > 0.03
    turned = rows(azimuth_deg=210.0, latitude_deg=latitude)
    assert pvlib_shaded_fraction(turned, *at_noon) < 0.02
    assert turned.gap_m(SLANT_M) < rows(latitude_deg=latitude).gap_m(SLANT_M)


@given(
    st.floats(0, 1), st.floats(11, 40), st.floats(0.1, 2), st.floats(20, 60), st.booleans(),
    st.one_of(st.just(0.0), st.floats(-10, 10)), st.integers(0, 1),
)  # fmt: skip
@settings(deadline=None, max_examples=80)
def test_nothing_of_the_unit_in_front_stands_above_its_edge(
    share, tilt, aisle, angle, paired, roof_rise_deg, facing
):
    azimuths = (90.0, 270.0) if paired else (180.0,)
    rise = math.tan(math.radians(roof_rise_deg))
    racks = Racks(azimuths, tilt, aisle, angle, rise)
    facing = facing if paired else 0
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
    # Side view: the eye's module rises to the left of x = 0, the unit in front lies to the right
    # and one pitch higher up the roof, as measured between the same points of the two.
    eye = np.array([-share * SLANT_M * cos, share * SLANT_M * sin])
    along = np.linspace(0.0, 1.0, 401) * SLANT_M
    near = racks.gap_m(SLANT_M)
    higher = (rise if facing == 0 else -rise) * (near + racks.unit_depth_m(SLANT_M))
    if paired:
        x = np.concatenate([near + along * cos, near + (2.0 * SLANT_M - along) * cos])
        z = np.concatenate([along * sin, along * sin]) + higher
        # On a slope the foot of a pair is set down on the roof, the ridge is what is seen.
        x, z = (x, z) if roof_rise_deg == 0.0 else (x[400:], z[400:])
    else:
        x, z = near + along * cos, SLANT_M * sin - along * sin + higher
    seen = np.max((z - eye[1]) / (x - eye[0]))
    assert racks.front_tangent(share, SLANT_M, facing) == pytest.approx(max(seen, 0.0), abs=1e-9)


@pytest.mark.parametrize("roof_rise_deg", [-6.0, -2.0, 3.0, 6.0])
def test_rows_on_a_sloping_roof_clear_each_other_at_winter_noon_and_just_so(roof_rise_deg):
    level = rows()
    racks = replace(level, rise_to_front=math.tan(math.radians(roof_rise_deg)))
    assert (racks.gap_m(SLANT_M) > level.gap_m(SLANT_M)) == (roof_rise_deg > 0)
    zenith = 90.0 - noon_elevation_deg(49.5)

    def shaded(lower_deg):
        pitch_m = racks.unit_depth_m(SLANT_M) + racks.gap_m(SLANT_M)
        return shaded_fraction(
            10.0, 180.0, SLANT_M, pitch_m, zenith + lower_deg, 180.0, roof_rise_deg
        )

    assert shaded(0.0) < 1e-6
    assert shaded(1.0) > 0.005


def test_rows_on_a_roof_as_steep_as_the_sun_keep_a_finite_distance():
    racks = replace(rows(), rise_to_front=math.tan(math.radians(25.0)))
    assert 5.0 < racks.gap_m(SLANT_M) < 20.0


# Rows 10° south on an open level roof, against pvlib's row shading.
@pytest.mark.parametrize("azimuth_deg", [180.0, 150.0, 225.0])
@pytest.mark.parametrize(("tilt_deg", "shadow_angle_deg"), [(10.0, None), (25.0, None), (25.0, 45)])
def test_rows_on_an_open_flat_roof_get_what_pvlib_gives(
    sources, sky, azimuth_deg, tilt_deg, shadow_angle_deg, figure
):
    racks = rows(azimuth_deg, tilt_deg)
    if shadow_angle_deg is not None:
        racks = replace(racks, shadow_angle_deg=shadow_angle_deg)
    heights = np.zeros((60, 60), dtype=np.float32)
    roof = plane_receivers(np.ones((60, 60), np.int32), [0.0], [0.0], [0.0], 0.5)
    modules = rack_receivers(roof, {0: racks}, SLANT_M)
    year = light(heights, 0.5, modules, sky, albedo=ALBEDO).poa_global_year_kwh_m2.mean()
    pitch_m = racks.unit_depth_m(SLANT_M) + racks.gap_m(SLANT_M)
    expected = rows_year_kwh_m2(sources, tilt_deg, azimuth_deg, SLANT_M, pitch_m, ALBEDO)
    unhidden = open_light(sky, [tilt_deg], [azimuth_deg], ALBEDO).poa_global_year_kwh_m2[0]
    name = f"rows {tilt_deg:g}° to {azimuth_deg:g}°, pitch {pitch_m:.2f} m, against pvlib"
    loss = 1.0 - year / unhidden
    figure(name, f"{100 * (year / expected - 1):+.2f} % (the row in front takes {loss:.1%})")
    # 1 % is asked. What is left: three heights on the module, shadow edges in sectors of 5°.
    assert year == pytest.approx(expected, rel=0.01 if shadow_angle_deg else 0.005)
    if shadow_angle_deg is not None:
        assert loss > 0.04


def test_the_sky_over_a_row_is_that_of_pvlib_where_both_are_known():
    for tilt_deg, pitch_m in ((10.0, 1.76), (25.0, 1.51)):
        nearly_level = sky_view(tilt_deg, SLANT_M, pitch_m, 1e-9)
        assert nearly_level == pytest.approx(sky_view(tilt_deg, SLANT_M, pitch_m), abs=1e-5)


# Rows that fall to the front and stand close are shaded from behind in summer mornings, which
# pvlib's function of the row in front cannot tell.
@pytest.mark.parametrize(
    ("roof_rise_deg", "shadow_angle_deg"),
    [(-5.0, None), (3.0, None), (6.0, None), (3.0, 45.0), (6.0, 45.0)],
)
def test_rows_on_a_sloping_roof_get_what_pvlib_gives(
    sources, sky, roof_rise_deg, shadow_angle_deg, figure
):
    rise = math.tan(math.radians(roof_rise_deg))
    racks = replace(rows(), rise_to_front=rise)
    if shadow_angle_deg is not None:
        racks = replace(racks, shadow_angle_deg=shadow_angle_deg)
    # South, where the rows look, lies down the rows of the raster.
    heights = np.repeat(rise * 0.5 * np.arange(80.0)[:, None], 80, axis=1).astype(np.float32)
    roof = plane_receivers(np.ones((80, 80), np.int32), [0.0], [-rise], [0.0], 0.5)
    modules = rack_receivers(roof, {0: racks}, SLANT_M)
    year = light(heights, 0.5, modules, sky, albedo=ALBEDO).poa_global_year_kwh_m2.mean()
    pitch_m = racks.unit_depth_m(SLANT_M) + racks.gap_m(SLANT_M)
    arguments = sources, 10.0, 180.0, SLANT_M, pitch_m, ALBEDO
    expected = rows_year_kwh_m2(*arguments, roof_rise_deg)
    as_if_level = rows_year_kwh_m2(*arguments)
    figure(
        f"rows 10° south on a roof that rises {roof_rise_deg:g}° to the south, pitch "
        f"{pitch_m:.2f} m, against pvlib",
        f"{100 * (year / expected - 1):+.2f} % (level: {100 * (as_if_level / expected - 1):+.2f})",
    )
    assert year == pytest.approx(expected, rel=0.01 if shadow_angle_deg else 0.003)


def test_an_open_rack_gets_the_light_of_its_heights_one_by_one(sky):
    racks = rows()
    roof = plane_receivers(np.ones((30, 30), np.int32), [0.0], [0.0], [0.0], 0.5)
    modules = rack_receivers(roof, {0: racks}, SLANT_M)
    seen = light(np.zeros((30, 30), np.float32), 0.5, modules, sky)
    alone = open_light(
        sky, modules.surface_tilt, modules.grid_azimuth, front_tangent=modules.front_tangent
    )
    expected = alone.poa_global_year_kwh_m2[modules.surface]
    np.testing.assert_allclose(seen.poa_global_year_kwh_m2, expected, rtol=1e-5)
    lower, middle, upper = alone.poa_global_year_kwh_m2
    assert lower < middle < upper


def test_two_facings_share_the_cells_and_mirror_each_other(sources):
    racks = Racks((90.0, 270.0), 10.0, 0.5, 90.0)
    roof = plane_receivers(np.ones((12, 12), np.int32), [0.0], [0.0], [0.0], 0.5)
    modules = rack_receivers(roof, {0: racks}, SLANT_M)
    assert len(modules) == 2 * len(roof)
    assert len(modules.surface_tilt) == 2 * len(HEIGHT_FRACTIONS)
    np.testing.assert_array_equal(modules.grid_azimuth, [90.0] * 3 + [270.0] * 3)
    np.testing.assert_array_equal(modules.front_tangent[:3], modules.front_tangent[3:])


@given(st.integers(-5, 5), st.integers(-5, 5))
@settings(deadline=None, max_examples=20)
def test_the_window_changes_no_cells_height_on_the_module(d_row, d_col):
    racks = rows()
    labels = np.zeros((20, 20), np.int32)
    labels[6:14, 6:14] = 1
    here = rack_receivers(plane_receivers(labels, [0.0], [0.0], [0.0], 0.5), {0: racks}, SLANT_M)
    moved = np.roll(labels, (d_row, d_col), (0, 1))
    there = rack_receivers(
        plane_receivers(moved, [0.0], [0.0], [0.0], 0.5), {0: racks}, SLANT_M,
        first_row=-d_row, first_col=-d_col,
    )  # fmt: skip
    np.testing.assert_array_equal(here.surface, there.surface)
    np.testing.assert_array_equal(here.elevation_m, there.elevation_m)


def test_joined_receivers_keep_their_surfaces():
    roof = plane_receivers(np.array([[1, 2]], np.int32), [0.0, 0.5], [0.0, 0.0], [0.0, 0.0], 1.0)
    both = join_receivers([roof, rack_receivers(roof, {0: rows()}, SLANT_M)])
    assert len(both) == 3
    assert len(both.surface_tilt) == 2 + len(HEIGHT_FRACTIONS)
    assert both.surface_tilt[both.surface[2]] == 10.0
    assert (both.front_tangent[:2] == 0.0).all()
    assert len(join_receivers([roof, rack_receivers(roof, {}, SLANT_M)])) == len(roof)


@pytest.mark.parametrize(
    "arguments",
    [((), 10, 0.5, 17), ((1, 2, 3), 10, 0.5, 17), ((180,), 0, 0.5, 17), ((180,), 10, -1, 17),
     ((180,), 10, 0.5, 0)],
)  # fmt: skip
def test_impossible_racks_are_refused(arguments):
    with pytest.raises(InputError):
        Racks(*arguments)


def test_receivers_refuse_an_edge_below_the_horizon():
    with pytest.raises(InputError, match="in front"):
        Receivers([0.0], [0.0], [0.0], [0], [10.0], [180.0], [-0.1])
