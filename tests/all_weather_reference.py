"""
The all-weather sky written down a second time, direction by direction.

Nothing here is shared with the package but the parameters a to e, which the stored values of
Radiance pin down.
"""

from __future__ import annotations

import math

import numpy as np
import pvlib
from numba import njit

from solarkataster.all_weather import sky_parameters


@njit
def radiance(a, b, c, d, e, sun, direction):
    """Relative radiance towards a unit vector (east, north, up), as published; 0 if negative."""
    cosine = sun[0] * direction[0] + sun[1] * direction[1] + sun[2] * direction[2]
    gamma = math.acos(min(1.0, max(-1.0, cosine)))
    by_height = 1.0 + a * math.exp(b / max(direction[2], 0.01))
    by_sun = 1.0 + c * math.exp(d * gamma) + e * cosine * cosine
    return by_height * by_sun if by_height > 0.0 and by_sun > 0.0 else 0.0


@njit
def _add(parameters, suns, light, n_azimuth, n_elevation, out):
    sky = np.empty((n_elevation, n_azimuth))
    for i in range(light.size):
        a, b, c, d, e = parameters[i]
        total = 0.0
        for k in range(n_elevation):
            low, high = k * math.pi / 2 / n_elevation, (k + 1) * math.pi / 2 / n_elevation
            middle = (low + high) / 2
            flat = (math.sin(high) ** 2 - math.sin(low) ** 2) / 2 * 2 * math.pi / n_azimuth
            for j in range(n_azimuth):
                azimuth = (j + 0.5) * 2 * math.pi / n_azimuth
                level = math.cos(middle)
                towards = (level * math.sin(azimuth), level * math.cos(azimuth), math.sin(middle))
                sky[k, j] = radiance(a, b, c, d, e, suns[i], towards)
                total += flat * sky[k, j]
        out += light[i] / total * sky


def vectors(elevation_deg, azimuth_deg):
    """Unit vectors (east, north, up) of directions."""
    elevation, azimuth = np.radians(elevation_deg), np.radians(azimuth_deg)
    level = np.cos(elevation)
    east, north = level * np.sin(azimuth), level * np.cos(azimuth)
    return np.stack(np.broadcast_arrays(east, north, np.sin(elevation)), axis=-1)


def year_radiance(frame, n_azimuth=720, n_elevation=180):
    """
    Year's radiance (n_elevation, n_azimuth) [kWh/m²/sr] by *grid* azimuth from 0, from steps.

    ``frame`` is that of :func:`reference.minute_sky`.
    """
    frame = frame[frame["dhi"] > 0]
    zenith = np.radians(90 - frame["elevation"].to_numpy())
    dhi, dni = frame["dhi"].to_numpy(), frame["dni"].to_numpy()
    clearness = ((dhi + dni) / dhi + 1.041 * zenith**3) / (1 + 1.041 * zenith**3)
    airmass = pvlib.atmosphere.get_relative_airmass(np.degrees(zenith))
    brightness = dhi * airmass / frame["extra"].to_numpy()
    parameters = sky_parameters(clearness, brightness, zenith)
    out = np.zeros((n_elevation, n_azimuth))
    suns = vectors(90 - np.degrees(zenith), frame["grid_azimuth"].to_numpy())
    _add(parameters, suns, dhi * frame["hours"].to_numpy() / 1000, n_azimuth, n_elevation, out)
    return out


def sky_light(radiance_kwh_m2_sr, horizon_deg, tilt, azimuth):
    """Sky light of planes under skylines (n_sector, n), one per plane: sums over the hemisphere."""
    n_elevation, n_azimuth = radiance_kwh_m2_sr.shape
    borders = np.linspace(0.0, 90.0, n_elevation + 1)
    elevation, around = (borders[1:] + borders[:-1]) / 2, (np.arange(n_azimuth) + 0.5) * 360
    around = around / n_azimuth
    directions = vectors(elevation[:, None], around[None, :])
    solid = np.diff(np.sin(np.radians(borders))) * 2 * np.pi / n_azimuth
    normals = vectors(90.0 - np.asarray(tilt, float), np.asarray(azimuth, float))
    sector = np.floor(around * len(horizon_deg) / 360 + 0.5).astype(int) % len(horizon_deg)
    out = []
    for i, normal in enumerate(normals):
        above = borders[1:, None] - horizon_deg[sector, i][None, :]
        seen = np.clip(above * n_elevation / 90, 0.0, 1.0)
        cosine = np.maximum(directions @ normal, 0.0)
        out.append((radiance_kwh_m2_sr * cosine * seen * solid[:, None]).sum())
    return np.array(out)
