"""From a year of weather to what lights a plane: sun, sky around it, dome, horizon band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from solarkataster.all_weather import month_radiance, patch_on_flat_sr
from solarkataster.light_series import PVLIB_MODELS, SKY_MODELS, light_series
from solarkataster.units import WH_PER_KWH
from solarkataster.weather import Weather

__all__ = ["PVLIB_MODELS", "SKY_MODELS", "SkySources", "report_notes", "sky_sources"]

#: Share of the year's global light from which a figure of the report is worth a note. [–]
NOTED_FRACTION = 0.005


@dataclass(frozen=True)
class SkySources:
    """
    A year of light, sorted by where in the sky it comes from.

    Attributes
    ----------
    solar_elevation_deg, solar_azimuth_deg : ndarray, shape (n_step,), float64
        The sun at the middle of each step with the sun up: elevation over 0, refraction
        included; azimuth clockwise from true north. [°]
    month : ndarray, shape (n_step,), int64
        0 to 11, in the clock of the weather file.
    beam_kwh_m2 : ndarray, shape (n_step,), float64
        Direct light of the step, normal to the sun. [kWh/m²]
    circumsolar_kwh_m2 : ndarray, shape (n_step,), float64
        Diffuse light that comes from around the sun, normal to it; 0 where the model has it in
        ``radiance_kwh_m2_sr``. [kWh/m²]
    dome_kwh_m2 : ndarray, shape (12,), float64
        Even part of the sky, on the horizontal, twilight included. [kWh/m²]
    band_kwh_m2 : ndarray, shape (12,), float64
        Brightening along the horizon as an open vertical plane gets it; can be negative. [kWh/m²]
    ghi_kwh_m2 : ndarray, shape (12,), float64
        Global horizontal irradiation of the file. [kWh/m²]
    radiance_kwh_m2_sr : ndarray, shape (12, N_ROW, N_PATCH), float64, or None
        Sky light by direction, on the lattice of :mod:`solarkataster.all_weather`; None where the
        model has only the parts above. [kWh/m²/sr]
    report : mapping of str to float
        ``ghi_year_kwh_m2``; ``closure_kwh_m2`` and ``clear_day_centroid_deg`` of the file;
        ``beam_over_extraterrestrial_kwh_m2``: direct light beyond the extraterrestrial, and
        ``beam_without_sun_kwh_m2``: in hours without sun, both counted as diffuse;
        ``twilight_kwh_m2``: light of hours without sun, kept in the dome;
        ``flat_error_fraction``: light on an open flat plane over GHI, less 1.

    Notes
    -----
    An open plane of tilt β gets Σ (beam + circumsolar) · max(0, cos θ)
    + dome · (1 + cos β) / 2 + band · sin β + ∫ radiance · max(0, cos θ) dω,
    and from the ground albedo · ghi · (1 − cos β) / 2.
    """

    solar_elevation_deg: np.ndarray
    solar_azimuth_deg: np.ndarray
    month: np.ndarray
    beam_kwh_m2: np.ndarray
    circumsolar_kwh_m2: np.ndarray
    dome_kwh_m2: np.ndarray
    band_kwh_m2: np.ndarray
    ghi_kwh_m2: np.ndarray
    radiance_kwh_m2_sr: np.ndarray | None
    report: Mapping[str, float]


def sky_sources(weather: Weather, model: str = "perez", step_minutes: int = 5) -> SkySources:
    """
    Sort the light of a year by where it comes from.

    Parameters
    ----------
    weather : Weather
        Hourly light at its site; the sun is that of the site too.
    model : {"perez", "perez-driesse", "all-weather"}
        How diffuse light is spread over the sky.
    step_minutes : int
        Length of a sun step, a divisor of 60; the sun stands at its middle. [min]

    Returns
    -------
    SkySources

    Raises
    ------
    InputError
        If the model is unknown or the step does not divide an hour.

    Notes
    -----
    Within an hour DNI is constant over the steps with the sun up, DNI = E_beam / Σ(cos z · Δt),
    at most the extraterrestrial value; the excess counts as diffuse. DHI is constant over the
    same steps. Light of hours without any sun is twilight and belongs to the dome. The parts of
    diffuse light are those of [1]_ or [2]_ as pvlib has them, or its radiance is that of [3]_:
    light around the sun and along the horizon is then part of one distribution, and the dome
    holds nothing but twilight.

    References
    ----------
    .. [1] R. Perez et al., "Modeling daylight availability and irradiance components from direct
       and global irradiance," Solar Energy, vol. 44, no. 5, pp. 271-289, 1990,
       doi:10.1016/0038-092X(90)90055-H.
    .. [2] A. Driesse, A. R. Jensen and R. Perez, "A continuous form of the Perez diffuse sky
       model for forward and reverse transposition," Solar Energy, vol. 267, 112093, 2024,
       doi:10.1016/j.solener.2023.112093.
    .. [3] R. Perez, R. Seals and J. Michalsky, "All-weather model for sky luminance distribution:
       preliminary configuration and validation," Solar Energy, vol. 50, no. 3, pp. 235-245, 1993,
       doi:10.1016/0038-092X(93)90017-I.
    """
    year = light_series(weather, model, step_minutes)
    steps, month_of_hour = year.sun, weather.times.month.to_numpy().astype(np.int64) - 1
    month = month_of_hour[year.hour]
    scale = year.step_h / WH_PER_KWH
    radiance = None
    if model not in PVLIB_MODELS:
        radiance = month_radiance(year.dhi, year.dni, steps, month, year.dhi * scale)
    dome_kwh_m2 = _month_sums(month, year.dome * scale)
    dome_kwh_m2 += _month_sums(month_of_hour, year.twilight / WH_PER_KWH)
    ghi_kwh_m2 = _month_sums(month_of_hour, weather.ghi / WH_PER_KWH)
    flat_kwh_m2 = dome_kwh_m2.sum()
    flat_kwh_m2 += ((year.dni + year.circumsolar) * steps.cos_zenith).sum() * scale
    if radiance is not None:
        flat_kwh_m2 += (radiance * patch_on_flat_sr()[:, None]).sum()
    return SkySources(
        solar_elevation_deg=steps.elevation_deg,
        solar_azimuth_deg=steps.azimuth_deg,
        month=month,
        beam_kwh_m2=year.dni * scale,
        circumsolar_kwh_m2=year.circumsolar * scale,
        dome_kwh_m2=dome_kwh_m2,
        band_kwh_m2=_month_sums(month, year.band * scale),
        ghi_kwh_m2=ghi_kwh_m2,
        radiance_kwh_m2_sr=radiance,
        report={
            "ghi_year_kwh_m2": float(ghi_kwh_m2.sum()),
            "closure_kwh_m2": weather.facts.get("closure_kwh_m2", 0.0),
            "clear_day_centroid_deg": weather.facts.get("clear_day_centroid_deg", float("nan")),
            **year.spill,
            "twilight_kwh_m2": float(year.twilight.sum() / WH_PER_KWH),
            "flat_error_fraction": float(flat_kwh_m2 / ghi_kwh_m2.sum() - 1.0),
        },
    )


def report_notes(report: Mapping[str, float]) -> list[str]:
    """
    What the reader of a run should know of the light of a weather file, one sentence each.

    Parameters
    ----------
    report : mapping of str to float
        That of :class:`SkySources`. How the file itself closes is noted by its reader.

    Returns
    -------
    list of str
        One for each figure over NOTED_FRACTION of the year's global light.
    """
    ghi = report["ghi_year_kwh_m2"]
    notes = []
    for name, told in (
        (
            "beam_over_extraterrestrial_kwh_m2",
            "of direct light exceed what the sun sends and count as diffuse",
        ),
        (
            "beam_without_sun_kwh_m2",
            "of direct light fall in hours without sun and count as diffuse",
        ),
        ("twilight_kwh_m2", "of light fall in hours without sun and count as even sky"),
    ):
        if report[name] > NOTED_FRACTION * ghi:
            share = 100.0 * report[name] / ghi
            notes.append(f"{report[name]:.1f} kWh/m2 a year ({share:.1f} %) {told}.")
    flat = report["flat_error_fraction"]
    if abs(flat) > NOTED_FRACTION:
        notes.append(
            f"an open flat plane gets {100.0 * flat:+.1f} % against the file's global light; "
            "the sky model is made for a sun over 5 degrees."
        )
    return notes


def _month_sums(month: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Sum of the values of each month, shape (12,)."""
    # bincount gives whole numbers when there is nothing to count.
    return np.bincount(month, values, 12).astype(np.float64)
