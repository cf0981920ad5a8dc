"""
Light through crowns, ray by ray and minute by minute; shares nothing with the package's kernels.

Crowns are columns of cells from their underside to their top, solids reach to the ground. A ray
that meets a solid is lost; one that meets crowns keeps, for each kind it meets, that kind's share.
"""

from __future__ import annotations

import math

import numpy as np
from reference import _perez_parts


def rays_met(solid_m, canopy, cell_size_m, row, col, eye_m, azimuths_deg, elevations_deg, step_m):
    """
    What rays meet: (n_azimuth, n_elevation) int, -1 a solid, else bits 1 deciduous, 2 evergreen.

    Sampled every ``step_m`` along the ray, which rises within its cell as the ray does.
    """
    tangent = np.tan(np.radians(elevations_deg))
    out = np.zeros((len(azimuths_deg), len(tangent)), dtype=np.int64)
    ny, nx = solid_m.shape
    top_m, base_m = np.nan_to_num(canopy.top_m, nan=-1e9), np.nan_to_num(canopy.base_m, nan=1e9)
    reach_m = cell_size_m * math.hypot(ny, nx)
    along_m = np.arange(step_m / 2, reach_m, step_m)
    for i, azimuth in enumerate(np.radians(azimuths_deg)):
        rows = np.floor(row - np.cos(azimuth) * along_m / cell_size_m + 0.5).astype(int)
        cols = np.floor(col + np.sin(azimuth) * along_m / cell_size_m + 0.5).astype(int)
        on = (rows >= 0) & (rows < ny) & (cols >= 0) & (cols < nx)
        rows, cols, d = rows[on], cols[on], along_m[on]
        height = eye_m + tangent[:, None] * d
        solid = (height < solid_m[rows, cols]).any(axis=1)
        inside = (height < top_m[rows, cols]) & (height > base_m[rows, cols])
        for kind in (1, 2):
            out[i] |= kind * (inside & (canopy.kind[rows, cols] == kind)).any(axis=1)
        out[i][solid] = -1
    return out


def shares_of(met, transmissivity):
    """Share of light that rays keep, (12, ...)."""
    of_kind = np.array([transmissivity.deciduous, transmissivity.evergreen])
    shares = np.stack([np.ones(12), of_kind[0], of_kind[1], of_kind[0] * of_kind[1], np.zeros(12)])
    return shares[met].transpose(2, 0, 1)


def brute_months(minutes, met, azimuths_deg, n_elevation, tilt, facing, transmissivity):
    """
    Direct light and light of the sky by month, (2, 12) [kWh/m²], and the mean view of the sky.

    ``met`` of `rays_met` at elevations (i + 0.5) · 90° / n_elevation and evenly spaced azimuths.
    """
    frame, twilight, _ = minutes
    width, tall = 360.0 / len(azimuths_deg), 90.0 / n_elevation
    elevation, azimuth = frame.elevation.to_numpy(), frame.grid_azimuth.to_numpy()
    sector = np.floor(azimuth / width + 0.5).astype(int) % len(azimuths_deg)
    level = np.minimum((elevation / tall).astype(int), n_elevation - 1)
    month = frame.month.to_numpy()
    shares = shares_of(met, transmissivity)
    share = shares[month, sector, level]
    off = np.radians(azimuth - facing)
    lift, lean = np.radians(elevation), math.radians(tilt)
    cosine = np.sin(lift) * math.cos(lean) + np.cos(lift) * math.sin(lean) * np.cos(off)
    parts = _perez_parts(frame, tilt, facing)
    hours = frame.hours.to_numpy() / 1000
    direct = np.bincount(month, frame.dni * np.maximum(cosine, 0) * hours * share, 12)
    around = np.bincount(month, parts["circumsolar"] * hours * share, 12)
    middle = np.radians((np.arange(n_elevation) + 0.5) * tall)
    aside = np.radians(np.asarray(azimuths_deg) - facing)[:, None]
    dome = np.sin(middle) * math.cos(lean) + np.cos(middle) * math.sin(lean) * np.cos(aside)
    solid_angle = np.cos(middle) * math.radians(tall) * math.radians(width)
    view = (shares * np.maximum(dome, 0) * solid_angle).sum(axis=(1, 2)) / np.pi
    low = np.degrees(middle) < 6.5
    front = np.maximum(np.cos(aside[:, 0]), 0)
    band = (shares[:, :, low].mean(axis=2) * front).sum(axis=1) / front.sum()
    open_view = (1 + math.cos(lean)) / 2
    even = np.bincount(month, parts["isotropic"] * hours, 12) / open_view + twilight
    line = np.bincount(month, parts["horizon"] * hours, 12)
    return np.stack([direct, around + even * view + line * band]), view.mean()
