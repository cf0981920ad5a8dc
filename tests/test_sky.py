"""The sorted light of a year against pvlib step by step, for every kind of weather file."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pvlib
import pytest
import weather_files as files
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.all_weather import patch_on_flat_sr
from solarkataster.errors import InputError
from solarkataster.io.weather import read_weather
from solarkataster.irradiance import open_light
from solarkataster.sky import PVLIB_MODELS, SKY_MODELS, sky_sources
from solarkataster.sky_table import sky_table
from solarkataster.sun import sun_position
from solarkataster.weather import Weather

TILTS = (0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
AZIMUTHS = tuple(range(0, 360, 45))
ALBEDO = 0.2
TRY_SITES = {  # file: latitude, longitude, height as the data README gives them
    "TRY2015_494902084637_Jahr.dat": (49.4902, 8.4637, 103.0),
    "TRY2015_506461079426_Jahr.dat": (50.6461, 7.9426, 453.0),
}
EPW = "mannheim_dtry_2021-2050.epw"
CASES = (*TRY_SITES, EPW, "table.csv")


def try_light(path):
    """Direct and diffuse light of a TRY, read here without the package; hours end at the label."""
    text = path.read_text(encoding="latin-1").split("***")[1]
    values = np.array([line.split() for line in text.strip().splitlines()], dtype=float)
    starts = pd.date_range("2014-01-01", periods=8760, freq="h", tz="Etc/GMT-1")
    return pd.DataFrame({"bhi": values[:, 12], "dhi": values[:, 13]}, index=starts)


def epw_light(path, folder):
    """Light of the EPW through pvlib's reader, which puts the index one hour before the label.

    The file is centred on its label (design, section 4), so its hours start half an hour later.
    """
    # pvlib's reader stops at the umlaut in Latin-1, so it gets a copy in UTF-8.
    copy = files.write(folder, path.name, path.read_text(encoding="latin-1"))
    data, _ = pvlib.iotools.read_epw(str(copy), coerce_year=2005)
    starts = data.index + pd.Timedelta(minutes=30)
    light = pd.DataFrame({"ghi": data["ghi"].to_numpy(), "dhi": data["dhi"].to_numpy()}, starts)
    light["bhi"] = light["ghi"] - light["dhi"]
    return light[["bhi", "dhi"]].astype(float)


@pytest.fixture(scope="session")
def scene(request, real_data, tmp_path_factory):
    """Weather as the package reads it, and (site, hourly light) as this file reads it."""
    folder = real_data / "weather"
    name = request.param
    if name == EPW:
        site = (49.52, 8.55, 96.0)  # its LOCATION line
        weather = read_weather(folder / EPW, SimpleNamespace(label="centre"))
        return weather, site, epw_light(folder / EPW, tmp_path_factory.mktemp("epw"))
    if name in TRY_SITES:
        return read_weather(folder / name), TRY_SITES[name], try_light(folder / name)
    source = "TRY2015_494902084637_Jahr.dat"
    light, site = try_light(folder / source), TRY_SITES[source]
    text = files.csv_text(light.assign(temp_air=9.0), 0, "%d.%m.%Y %H:%M")
    path = files.write(tmp_path_factory.mktemp("csv"), name, text)
    description = SimpleNamespace(
        label="start",
        columns={"time": "time", "ghi": "G", "dhi": "D"},
        latitude=site[0],
        longitude=site[1],
        elevation_m=site[2],
        utc_offset_hours=1,
    )
    return read_weather(path, description), site, light


def five_minute_light(light, site):
    """What pvlib is asked: sun, dni, dhi of every 5 min with the sun up, and hours without sun."""
    steps = light.loc[light.index.repeat(12)].copy()
    hour = np.repeat(np.arange(len(light)), 12)
    middles = steps.index + pd.to_timedelta(np.tile(np.arange(12) * 5.0 + 2.5, 8760), unit="m")
    sun = pvlib.solarposition.get_solarposition(middles, site[0], site[1], site[2])
    steps["zenith"] = sun["apparent_zenith"].to_numpy()
    steps["azimuth"] = sun["azimuth"].to_numpy()
    steps["dni_extra"] = pvlib.irradiance.get_extra_radiation(middles).to_numpy()
    steps["month"] = light.index.month.to_numpy()[hour]
    steps["hour"] = hour
    steps["cos_zenith"] = np.cos(np.radians(steps["zenith"]))
    has_sun = np.bincount(hour, steps["zenith"] < 90.0) > 0
    dark = light[~has_sun].sum(axis=1)
    twilight = np.array([dark[dark.index.month == m].sum() for m in range(1, 13)]) / 1000.0
    steps = steps[(steps["zenith"] < 90.0) & (steps["bhi"] + steps["dhi"] > 0.0)]
    by_hour = steps.groupby("hour")
    dni = (12.0 * steps["bhi"] / by_hour["cos_zenith"].transform("sum")).to_numpy()
    dni = np.minimum(dni, by_hour["dni_extra"].transform("min"))
    left = steps["bhi"] - dni * by_hour["cos_zenith"].transform("sum") / 12.0
    dhi = 12.0 * (steps["dhi"] + left) / by_hour["hour"].transform("size")
    return steps.assign(dni=dni, dhi=dhi), twilight


def pvlib_months(steps, twilight, tilt, azimuth, model, albedo=ALBEDO):
    """Month sums of pvlib's transposition, step by step; twilight as an even sky. [kWh/m²]"""
    total = pvlib.irradiance.get_total_irradiance(
        tilt,
        azimuth,
        steps["zenith"].to_numpy(),
        steps["azimuth"].to_numpy(),
        steps["dni"].to_numpy(),
        (steps["dni"] * steps["cos_zenith"] + steps["dhi"]).to_numpy(),
        steps["dhi"].to_numpy(),
        dni_extra=steps["dni_extra"].to_numpy(),
        albedo=albedo,
        model=model,
    )
    lit = np.nan_to_num(total["poa_global"])
    months = np.bincount(steps["month"], lit, 13)[1:] / 12.0 / 1000.0
    share = np.cos(np.radians(tilt / 2.0)) ** 2
    return months + twilight * (share + albedo * (1.0 - share))


def open_plane_months(sources, tilt, azimuth, albedo=ALBEDO):
    """Month sums on an open plane by the formula in the notes of SkySources. [kWh/m²]"""
    elevation, sun_azimuth, beta, gamma = (
        np.radians(v)
        for v in (sources.solar_elevation_deg, sources.solar_azimuth_deg, tilt, azimuth)
    )
    cos_aoi = np.sin(elevation) * np.cos(beta)
    cos_aoi += np.cos(elevation) * np.sin(beta) * np.cos(sun_azimuth - gamma)
    normal = sources.beam_kwh_m2 + sources.circumsolar_kwh_m2
    return (
        np.bincount(sources.month, normal * np.maximum(cos_aoi, 0.0), 12)
        + sources.dome_kwh_m2 * (1.0 + np.cos(beta)) / 2.0
        + sources.band_kwh_m2 * np.sin(beta)
        + albedo * sources.ghi_kwh_m2 * (1.0 - np.cos(beta)) / 2.0
    )


@pytest.mark.parametrize("scene", CASES, indirect=True)
@pytest.mark.parametrize("model", PVLIB_MODELS)
def test_open_planes_get_what_pvlib_sums_step_by_step(scene, model, figure):
    """Both the sorted light itself and what the sky table and the kernels of a run make of it."""
    weather, site, light = scene
    sources = sky_sources(weather, model)
    steps, twilight = five_minute_light(light, site)
    planes = [(tilt, azimuth) for tilt in TILTS for azimuth in (AZIMUTHS if tilt else (180,))]
    expected = np.array([pvlib_months(steps, twilight, *plane, model) for plane in planes])
    by_formula = np.array([open_plane_months(sources, *plane) for plane in planes])
    of_a_run = open_light(sky_table(sources, 0.0), *np.array(planes, dtype=float).T, ALBEDO)
    ways = {"sources": by_formula, "sky table": of_a_run.poa_global_month_kwh_m2}
    for way, found in ways.items():
        months = found / expected - 1.0
        year = found.sum(axis=1) / expected.sum(axis=1) - 1.0
        plane, month = np.unravel_index(np.abs(months).argmax(), months.shape)
        figure(
            f"open horizon against pvlib, {weather.source}, {model}, {way}",
            f"year {100 * year[np.abs(year).argmax()]:+.2f} %, worst month "
            f"{100 * months[plane, month]:+.2f} % (tilt, azimuth, month: "
            f"{planes[plane][0]:g}, {planes[plane][1]}, {month + 1})",
        )
        assert np.abs(months).max() < 0.005, (way, planes[plane], month)
        assert np.abs(year).max() < 0.005, way


def mid_hour_light(light, site):
    """What a pvlib user asks with hourly values: the sun at mid-hour, DNI by pvlib's own function.

    At sunrise and sunset mid-hour leaves next to no cosine to divide by, so pvlib limits DNI to a
    clear sky; Linke turbidity 2 is the cleanest air of Central Europe. With the extraterrestrial
    value as limit instead, 1400 W/m² would shine from the horizon.
    """
    middles = light.index + pd.Timedelta(minutes=30)
    sun = pvlib.solarposition.get_solarposition(middles, *site)
    zenith = sun["apparent_zenith"].reset_index(drop=True)
    dni_extra = pd.Series(pvlib.irradiance.get_extra_radiation(middles).to_numpy())
    air_mass = pvlib.atmosphere.get_absolute_airmass(
        pvlib.atmosphere.get_relative_airmass(zenith), pvlib.atmosphere.alt2pres(site[2])
    )
    clear = pvlib.clearsky.ineichen(zenith, air_mass, 2.0, site[2], dni_extra)["dni"]
    ghi = pd.Series(light.sum(axis=1).to_numpy())
    dhi = pd.Series(light["dhi"].to_numpy())
    dni = pvlib.irradiance.dni(
        ghi, dhi, zenith, dni_clear=clear, zenith_threshold_for_zero_dni=90.0
    )
    return pd.DataFrame(
        {
            "zenith": zenith,
            "azimuth": sun["azimuth"].to_numpy(),
            "cos_zenith": np.maximum(np.cos(np.radians(zenith)), 0.0),
            "dni_extra": dni_extra,
            "dni": dni.fillna(0.0),
            "dhi": dhi,
            "month": middles.month.to_numpy(),
        }
    )


@pytest.mark.parametrize("scene", CASES, indirect=True)
def test_the_year_is_near_pvlib_at_mid_hour(scene):
    weather, site, light = scene
    sources = sky_sources(weather)
    hours = mid_hour_light(light, site)
    for tilt, tolerance in ((0.0, 0.01), (30.0, 0.01), (60.0, 0.01), (90.0, 0.02)):
        for azimuth in AZIMUTHS if tilt else (180,):
            expected = 12.0 * pvlib_months(hours, 0.0, tilt, azimuth, "perez").sum()
            found = open_plane_months(sources, tilt, azimuth).sum()
            assert found == pytest.approx(expected, rel=tolerance), (tilt, azimuth)


@pytest.mark.parametrize("scene", CASES, indirect=True)
@pytest.mark.parametrize("model", PVLIB_MODELS)
def test_a_flat_plane_gets_the_files_global_light(scene, model):
    weather, _, light = scene
    sources = sky_sources(weather, model)
    flat = open_plane_months(sources, 0.0, 180.0)
    ghi = light.sum(axis=1).groupby(light.index.month).sum().to_numpy() / 1000.0
    np.testing.assert_allclose(flat, ghi, rtol=0.01)
    assert flat.sum() == pytest.approx(ghi.sum(), rel=0.002)
    assert sources.report["flat_error_fraction"] == pytest.approx(flat.sum() / ghi.sum() - 1.0)


@pytest.mark.parametrize("scene", CASES[:1], indirect=True)
def test_half_an_hour_of_wrong_label_shows_on_east_and_west_walls(scene):
    """The planted fault of the pvlib comparison: it must not hide in the tolerance."""
    weather, _, _ = scene
    late = Weather(**{**vars(weather), "times": weather.times + pd.Timedelta(minutes=30)})
    for azimuth, sign in ((90, -1), (270, +1)):
        right = open_plane_months(sky_sources(weather), 90.0, azimuth).sum()
        wrong = open_plane_months(sky_sources(late), 90.0, azimuth).sum()
        assert sign * (wrong / right - 1.0) > 0.05


@pytest.mark.parametrize("scene", CASES[:1], indirect=True)
def test_forgotten_ground_light_shows_on_every_wall(scene):
    weather, site, light = scene
    sources = sky_sources(weather)
    steps, twilight = five_minute_light(light, site)
    for azimuth in AZIMUTHS:
        expected = pvlib_months(steps, twilight, 90.0, azimuth, "perez").sum()
        assert open_plane_months(sources, 90.0, azimuth, albedo=0.0).sum() < 0.9 * expected


@pytest.mark.parametrize("scene", CASES[:1], indirect=True)
def test_one_minute_steps_change_the_year_by_less_than_a_thousandth(scene):
    weather, _, _ = scene
    fine, usual = sky_sources(weather, step_minutes=1), sky_sources(weather)
    for azimuth in AZIMUTHS:
        expected = open_plane_months(fine, 90.0, azimuth).sum()
        assert open_plane_months(usual, 90.0, azimuth).sum() == pytest.approx(expected, rel=0.001)


def made_weather(bhi, dhi):
    """Weather with the given light, placed at the made-up site."""
    starts = pd.date_range("2014-01-01", periods=8760, freq="h", tz="Etc/GMT-1")
    return Weather(
        times=starts,
        ghi=bhi + dhi,
        dhi=dhi,
        bhi=bhi,
        temp_air=None,
        wind_speed=None,
        latitude=files.LATITUDE,
        longitude=files.LONGITUDE,
        elevation_m=files.ELEVATION_M,
        source="made up",
        kind="made up",
        label="start",
    )


@given(
    seed=st.integers(0, 2**32 - 1),
    model=st.sampled_from(SKY_MODELS),
    step_minutes=st.sampled_from([5, 10, 15, 60]),
    peak_w_m2=st.floats(1.0, 1400.0),
)
@settings(deadline=None, max_examples=10)
def test_no_light_is_lost_or_made(seed, model, step_minutes, peak_w_m2):
    """Any numbers, day or night: what the parts hold is the file's global light, month by month."""
    rng = np.random.default_rng(seed)
    bhi, dhi = peak_w_m2 * rng.random((2, 8760)) * (rng.random((2, 8760)) < 0.3)
    weather = made_weather(bhi, dhi)
    sources = sky_sources(weather, model, step_minutes)
    sine = np.sin(np.radians(sources.solar_elevation_deg))
    # pvlib projects circumsolar light with at least the sine of 5 degrees.
    onto_flat = sources.beam_kwh_m2 * sine
    onto_flat += sources.circumsolar_kwh_m2 * np.maximum(sine, np.sin(np.radians(5.0)))
    held = np.bincount(sources.month, onto_flat, 12) + sources.dome_kwh_m2
    if sources.radiance_kwh_m2_sr is not None:
        held += (sources.radiance_kwh_m2_sr * patch_on_flat_sr()[:, None]).sum(axis=(1, 2))
    ghi = np.bincount(weather.times.month - 1, weather.ghi, 12) / 1000.0
    np.testing.assert_allclose(held, ghi, rtol=1e-9)
    assert (sources.solar_elevation_deg > 0.0).all()
    assert (sources.beam_kwh_m2 >= 0.0).all()
    assert (sources.circumsolar_kwh_m2 >= 0.0).all()
    assert sources.beam_kwh_m2.max() <= 1.42 * step_minutes / 60.0  # 1367 W/m² at perihelion


def test_light_of_hours_without_sun_stays_in_the_dome():
    noon, night = np.zeros(8760), np.zeros(8760)
    noon[[12, 36]] = 100.0
    night[[3, 27]] = 10.0  # 3 h on 1 and 2 January: dark at 49° north
    sources = sky_sources(made_weather(noon, noon / 2.0 + night))
    without = sky_sources(made_weather(noon, noon / 2.0))
    assert sources.report["twilight_kwh_m2"] == pytest.approx(0.02)
    assert (sources.dome_kwh_m2 - without.dome_kwh_m2)[0] == pytest.approx(0.02)
    np.testing.assert_array_equal(sources.circumsolar_kwh_m2, without.circumsolar_kwh_m2)


def test_direct_light_beyond_the_extraterrestrial_becomes_diffuse_and_is_reported():
    bhi, dhi = np.zeros(8760), np.zeros(8760)
    bhi[12] = 1000.0  # 1 January, 12 to 13 h: at most about 1410 W/m² · sin 17.5° can be direct
    bhi[0] = 7.0
    sources = sky_sources(made_weather(bhi, dhi))
    sine = np.sin(np.radians(sources.solar_elevation_deg))
    direct = (sources.beam_kwh_m2 * sine).sum()
    assert direct == pytest.approx(1.410 * np.sin(np.radians(17.4)), rel=0.02)
    report = sources.report
    assert report["beam_over_extraterrestrial_kwh_m2"] == pytest.approx(1.0 - direct)
    assert report["beam_without_sun_kwh_m2"] == pytest.approx(0.007)


def test_months_follow_the_clock_of_the_file():
    """The first hour of February in UTC+1 is still January in UTC."""
    dhi = np.zeros(8760)
    dhi[31 * 24] = 50.0
    assert sky_sources(made_weather(np.zeros(8760), dhi)).dome_kwh_m2[1] == pytest.approx(0.05)


def test_an_unknown_sky_and_an_odd_step_are_refused():
    weather = made_weather(np.ones(8760), np.ones(8760))
    with pytest.raises(InputError, match="perez-driesse"):
        sky_sources(weather, "klucher")
    with pytest.raises(InputError, match="divide"):
        sky_sources(weather, step_minutes=7)


def test_a_sun_asked_for_again_is_the_same_and_nobody_elses():
    """Positions are kept for the next who asks, by instants, clock and place."""
    times = pd.date_range("2014-06-21", periods=288, freq="5min", tz="Etc/GMT-1")
    first = sun_position(times, 49.4, 7.7, 236.0)
    noon = first.elevation_deg.max()
    assert noon == pytest.approx(64.0, abs=0.2)  # 90 - 49.4 + 23.4
    first.elevation_deg[:] = -90.0
    assert sun_position(times, 49.4, 7.7, 236.0).elevation_deg.max() == noon
    assert sun_position(times, 59.4, 7.7, 236.0).elevation_deg.max() < noon - 9.0
    assert sun_position(times + pd.Timedelta("12h"), 49.4, 7.7, 236.0).elevation_deg[0] > 60.0
