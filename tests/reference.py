"""
Slow and plain references that share nothing with the package's kernels.

`march` walks a receiver's ray over the whole raster: one sample per crossing of a grid line of
the major axis, height linear between the two cells beside the crossing, floored at the horizontal.
`brute_year` lights receivers minute by minute with pvlib.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pvlib
from numba import njit


@njit
def march(height_m, cell_size_m, row, col, eye_m, azimuth_deg, nearest_columns=0.5):
    """Skyline elevation [°] of receivers towards an azimuth clockwise from grid north."""
    ny, nx = height_m.shape
    east = math.sin(math.radians(azimuth_deg))
    south = -math.cos(math.radians(azimuth_deg))
    along_cols = abs(east) >= abs(south)
    major, minor = (east, south) if along_cols else (south, east)
    n_major, n_minor = (nx, ny) if along_cols else (ny, nx)
    ahead = 1 if major > 0 else -1
    slope = minor / abs(major)
    step_m = cell_size_m * math.hypot(1.0, slope)
    out = np.zeros(row.size)
    for i in range(row.size):
        a, b = (col[i], row[i]) if along_cols else (row[i], col[i])
        u = (
            math.floor(a + 0.5)
            if a == math.floor(a)
            else math.floor(a)
            if ahead < 0
            else math.ceil(a)
        )
        steepest = 0.0
        while True:
            distance = (u - a) * ahead
            if distance < nearest_columns:
                u += ahead
                continue
            v = b + slope * distance
            if u < 0 or u >= n_major or v < -1e-9 or v > n_minor - 1 + 1e-9:
                break
            low = min(max(math.floor(v), 0), n_minor - 2)
            share = min(max(v - low, 0.0), 1.0)
            if along_cols:
                z = (1 - share) * height_m[low, u] + share * height_m[low + 1, u]
            else:
                z = (1 - share) * height_m[u, low] + share * height_m[u, low + 1]
            rise = (z - eye_m[i]) / (distance * step_m)
            if rise > steepest:
                steepest = rise
            u += ahead
        out[i] = math.degrees(math.atan(steepest))
    return out


def horizons(height_m, cell_size_m, receivers, azimuths_deg):
    """Skylines (n_azimuth, n) of receivers by :func:`march`. [°]"""
    height_m = np.ascontiguousarray(height_m, dtype=np.float64)
    return np.stack(
        [
            march(
                height_m,
                cell_size_m,
                receivers.row,
                receivers.col,
                receivers.elevation_m,
                float(azimuth_deg),
            )
            for azimuth_deg in azimuths_deg
        ]
    )


def minute_sky(weather, convergence_deg, step_minutes=1):
    """
    Sun and light minute by minute, after the same reading of the file as the design states.

    Returns a DataFrame with the sun's elevation and *grid* azimuth, direct normal and diffuse
    irradiance and pvlib's Perez inputs, one row per step with the sun up.
    """
    hours = weather.times
    per_hour = 60 // step_minutes
    minutes = (np.arange(per_hour) + 0.5) * step_minutes
    starts = hours.tz_convert("UTC").tz_localize(None).to_numpy()
    times = pd.DatetimeIndex(
        (starts[:, None] + (minutes * 60e9).astype("timedelta64[ns]")).ravel(), tz="UTC"
    )
    sun = pvlib.solarposition.get_solarposition(
        times, weather.latitude, weather.longitude, weather.elevation_m
    )
    hour = np.repeat(np.arange(len(hours)), per_hour)
    elevation = sun["apparent_elevation"].to_numpy()
    up = elevation > 0
    sine = np.where(up, np.sin(np.radians(elevation)), 0.0)
    per_hour_sine = np.bincount(hour, sine, len(hours)) / per_hour
    steps_up = np.bincount(hour, up, len(hours)) / per_hour
    with np.errstate(divide="ignore", invalid="ignore"):
        dni = np.where(per_hour_sine > 0, weather.bhi / per_hour_sine, 0.0)
    extra = pvlib.irradiance.get_extra_radiation(times).to_numpy()
    dni_step = np.where(up, np.minimum(dni[hour], extra), 0.0)
    lost = weather.bhi - np.bincount(hour, dni_step * sine, len(hours)) / per_hour
    diffuse = weather.dhi + np.maximum(lost, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        dhi_step = np.where(up & (steps_up[hour] > 0), diffuse[hour] / steps_up[hour], 0.0)
    local = hours.tz_convert("Etc/GMT-1")
    frame = pd.DataFrame(
        {
            "elevation": elevation,
            "grid_azimuth": (sun["azimuth"].to_numpy() - convergence_deg) % 360,
            "dni": dni_step,
            "dhi": dhi_step,
            "extra": extra,
            "month": local.month.to_numpy()[hour] - 1,
            "hours": step_minutes / 60.0,
        }
    )
    twilight = np.where(steps_up > 0, 0.0, diffuse)
    return (
        frame[up].reset_index(drop=True),
        np.bincount(local.month - 1, twilight, 12) / 1000,
        np.bincount(local.month - 1, weather.ghi, 12) / 1000,
    )


def brute_year(
    frame, twilight, ghi, horizon_deg, azimuths_deg, tilt, grid_azimuth, albedo, hidden=None
):
    """
    Year [kWh/m²] of one receiver from its skyline: (direct, sky diffuse, ground diffuse).

    pvlib's Perez per step gives disc, circumsolar, isotropic and horizon parts; sun and
    circumsolar count while the sun stands above the skyline of its azimuth, dome and band with the
    share of the sky that a fine numerical integral over the hemisphere finds visible.

    ``hidden(elevation_deg, grid_azimuth_deg)`` says which directions something above hides, that
    sends no light itself.
    """
    aoi = np.degrees(
        np.arccos(
            np.clip(
                np.sin(np.radians(frame.elevation)) * math.cos(math.radians(tilt))
                + np.cos(np.radians(frame.elevation))
                * math.sin(math.radians(tilt))
                * np.cos(np.radians(frame.grid_azimuth - grid_azimuth)),
                -1,
                1,
            )
        )
    )
    parts = _perez_parts(frame, tilt, grid_azimuth)
    width = 360.0 / len(azimuths_deg)
    sector = np.floor(frame.grid_azimuth / width + 0.5).astype(int) % len(azimuths_deg)
    seen = frame.elevation.to_numpy() > horizon_deg[sector]
    if hidden is not None:
        seen &= ~hidden(frame.elevation.to_numpy(), frame.grid_azimuth.to_numpy())
    beam = frame.dni * np.maximum(0, np.cos(np.radians(aoi))) * frame.hours / 1000
    direct = float((beam * seen).sum())
    circumsolar = float((parts["circumsolar"] * frame.hours / 1000)[seen].sum())
    no_eaves, _ = _sky_shares(horizon_deg, azimuths_deg, tilt, grid_azimuth)
    view, band = _sky_shares(horizon_deg, azimuths_deg, tilt, grid_azimuth, hidden)
    open_view = (1 + math.cos(math.radians(tilt))) / 2
    dome = float((parts["isotropic"] * frame.hours / 1000).sum()) / open_view + twilight.sum()
    horizon_light = float((parts["horizon"] * frame.hours / 1000).sum())
    ground = albedo * ghi.sum() * (1 - no_eaves)
    return direct, circumsolar + dome * view + horizon_light * band, ground


def _perez_parts(frame, tilt, grid_azimuth):
    zenith = 90 - frame.elevation.to_numpy()
    parts = pvlib.irradiance.perez(
        tilt,
        grid_azimuth,
        frame.dhi.to_numpy(),
        frame.dni.to_numpy(),
        frame.extra.to_numpy(),
        zenith,
        frame.grid_azimuth.to_numpy(),
        pvlib.atmosphere.get_relative_airmass(zenith),
        return_components=True,
    )
    return {
        key: np.nan_to_num(np.asarray(parts[name]))
        for key, name in (
            ("isotropic", "poa_isotropic"),
            ("circumsolar", "poa_circumsolar"),
            ("horizon", "poa_horizon"),
        )
    }


def _sky_shares(horizon_deg, azimuths_deg, tilt, grid_azimuth, hidden=None, n_elevation=900):
    """Sky view and share of the 6.5° horizon band, by sums over a fine hemisphere."""
    edges = np.linspace(0, 90, n_elevation + 1)
    middle = np.radians((edges[1:] + edges[:-1]) / 2)[:, None]
    azimuth = np.radians(np.asarray(azimuths_deg) - grid_azimuth)[None, :]
    cosine = np.sin(middle) * math.cos(math.radians(tilt)) + np.cos(middle) * math.sin(
        math.radians(tilt)
    ) * np.cos(azimuth)
    visible = np.degrees(middle) > horizon_deg[None, :]
    share = np.clip(1 - horizon_deg / 6.5, 0, 1)
    if hidden is not None:
        visible &= ~hidden(np.degrees(middle), np.asarray(azimuths_deg)[None, :])
        share = visible[np.degrees(middle[:, 0]) < 6.5].mean(axis=0)
    solid = np.cos(middle) * np.radians(90 / n_elevation) * (2 * np.pi / len(azimuths_deg))
    view = float((np.maximum(cosine, 0) * visible * solid).sum() / np.pi)
    front = np.maximum(0, np.cos(azimuth[0]))
    return view, float((front * share).sum() / front.sum())
