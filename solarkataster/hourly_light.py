"""Hour by hour: what surfaces get of sun, sky and ground, from their own records of the sky."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from solarkataster.all_weather import N_ROW
from solarkataster.canopy import Transmissivity
from solarkataster.errors import InputError
from solarkataster.hourly_sky import N_HOUR_PATCH, PATCH_ROWS, HourlySky
from solarkataster.kernels import hourly_light as kernel
from solarkataster.kernels.visibility import patch_view
from solarkataster.sky_table import BAND_WIDTH_DEG, N_STEP, SLICE_DEG
from solarkataster.units import WH_PER_KWH
from solarkataster.visibility import EDGE_STEP, LAYERS, VISIBLE, SkyRecord, edge_tangents

#: Steps of the table of what enters a surface, by the cosine of incidence.
_N_COSINE = 512


@dataclass(frozen=True, eq=False)
class HourlyLight:
    """
    Light on n surfaces, mean power of each hour of the weather file, before incidence-angle loss.

    Parameters
    ----------
    poa_direct : ndarray, shape (n, n_hour), float32
        The disc, what reaches the surface. [Wm⁻²]
    poa_circumsolar : ndarray, shape (n, n_hour), float32
        Diffuse light from around the sun, shaded like it. [Wm⁻²]
    poa_sky : ndarray, shape (n, n_hour), float32
        The rest of the sky: dome and band at the horizon, or all of an all-weather sky. [Wm⁻²]
    poa_ground : ndarray, shape (n, n_hour), float32
        From below the horizon. [Wm⁻²]
    beam_taken : ndarray, shape (n, n_hour), float32
        (Direct + circumsolar) after the incidence-angle loss, sun step by sun step. [Wm⁻²]
    beam_visible : ndarray, shape (n, n_hour), float32
        Share of direct light that is not shaded; 1 if nothing shades, and without sun. [–]
    """

    poa_direct: np.ndarray
    poa_circumsolar: np.ndarray
    poa_sky: np.ndarray
    poa_ground: np.ndarray
    beam_taken: np.ndarray
    beam_visible: np.ndarray

    def __len__(self) -> int:
        return len(self.poa_direct)

    @property
    def poa_global(self) -> np.ndarray:
        """Sum of the parts, (n, n_hour). [Wm⁻²]"""
        return self.poa_direct + self.poa_circumsolar + self.poa_sky + self.poa_ground


class SunPath:
    """
    Suns of a year where they stand in records of one kind.

    Parameters
    ----------
    sky : HourlySky
    n_sector : int
        Of the records.
    convergence_deg : float
        Of the records. [°]
    """

    def __init__(self, sky: HourlySky, n_sector: int, convergence_deg: float) -> None:
        self.sky, self.n_sector, self.convergence_deg = sky, n_sector, convergence_deg
        azimuth = (sky.solar_azimuth_deg - convergence_deg) % 360.0
        width = 360.0 / n_sector
        self.sector = (((azimuth + width / 2) % 360.0) / width).astype(np.int64) % n_sector
        elevation_rad = np.radians(np.clip(sky.solar_elevation_deg, 0.0, 89.999))
        azimuth_rad = np.radians(azimuth)
        self.direction = np.stack(
            [
                np.cos(elevation_rad) * np.sin(azimuth_rad),
                np.cos(elevation_rad) * np.cos(azimuth_rad),
                np.sin(elevation_rad),
            ]
        ).astype(np.float32)
        tangent = np.tan(elevation_rad)
        q = tangent / (1.0 + tangent) * N_STEP
        self.bin = np.clip(np.searchsorted(EDGE_STEP, q, "right") - 1, 0, len(EDGE_STEP) - 2)
        self.rest = ((q - EDGE_STEP[self.bin]) / np.diff(EDGE_STEP)[self.bin]).astype(np.float32)
        self.beam = sky.beam.astype(np.float32)
        self.circumsolar = sky.circumsolar.astype(np.float32)
        self.month = sky.month[sky.step_hour]


def hourly_light(
    suns: SunPath,
    record: SkyRecord,
    ground_month_kwh_m2: np.ndarray,
    *,
    transmissivity: Transmissivity | None = None,
    iam: np.ndarray | None = None,
) -> HourlyLight:
    """
    Light of surfaces hour by hour, from what they see of the sky.

    Parameters
    ----------
    suns : SunPath
        Made once for a sky and records with as many sectors.
    record : SkyRecord, n surfaces
        Some tens at a time: 8760 hours of six values are 0.2 MB a surface.
    ground_month_kwh_m2 : ndarray, shape (n, 12)
        What each surface gets from the ground by month. [kWh/m²]
    transmissivity : Transmissivity, optional
        Of crowns; by default its own.
    iam : ndarray, shape (n_angle,), optional
        Share of a beam that enters, at even angles of incidence from 0 to 90°; without it all
        does. [–]

    Returns
    -------
    HourlyLight

    Raises
    ------
    InputError
        If the suns were placed in other sectors than the record's, or lengths disagree.

    Notes
    -----
    A sun step adds beam · cos θ · V, with the cosine of its own angle of incidence and V the share
    of the surface that sees the sky there, linear between the record's edges. Dome and band add
    their hourly values times the shares that the surface sees of them, in the month's foliage; a
    sky with a radiance for every direction is one product (surface × patch) · (patch × hour). What
    the ground sends follows global light.
    """
    if (suns.n_sector, suns.convergence_deg) != (record.n_sector, record.convergence_deg):
        raise InputError(
            f"suns placed in {suns.n_sector} sectors turned by {suns.convergence_deg:g}°",
            expected=f"{record.n_sector} sectors turned by {record.convergence_deg:g}°",
        )
    n, sky = len(record), suns.sky
    ground = np.asarray(ground_month_kwh_m2, dtype=np.float64)
    if ground.shape != (n, 12):
        raise InputError(f"ground light of shape {ground.shape}", expected=f"({n}, 12)")
    kept = _kept(transmissivity or Transmissivity())
    direct, around, taken = np.zeros((3, n, sky.n_hour), dtype=np.float32)
    share = np.ones((n, sky.n_hour), dtype=np.float32)
    east, north, up = _normals(record).astype(np.float32)
    kernel.add_beams(
        east, north, up, record.first_sector, record.n_sector,
        record.visible, record.behind_row, record.behind, kept.astype(np.float32),
        suns.direction, suns.sector, suns.bin, suns.rest, suns.beam, suns.circumsolar,
        sky.step_hour, suns.month, _taken_by_cosine(iam), direct, around, taken, share,
    )  # fmt: skip
    per_ghi = ground * WH_PER_KWH / np.maximum(np.bincount(sky.month, sky.ghi, 12), 1e-9)
    return HourlyLight(
        poa_direct=direct,
        poa_circumsolar=around,
        poa_sky=_sky_light(record, sky, kept),
        poa_ground=(per_ghi[:, sky.month] * sky.ghi).astype(np.float32),
        beam_taken=taken,
        beam_visible=share,
    )


def month_sums_kwh_m2(values: np.ndarray, month: np.ndarray) -> np.ndarray:
    """
    Month sums of hourly means.

    Parameters
    ----------
    values : ndarray, shape (n, n_hour)
        [Wm⁻²]
    month : ndarray, shape (n_hour,), int
        0 to 11.

    Returns
    -------
    ndarray, shape (n, 12), float64
        [kWh/m²]
    """
    out = np.zeros((len(values), 12))
    for one in np.unique(month):
        out[:, one] = values[:, month == one].sum(axis=1, dtype=np.float64)
    return out / WH_PER_KWH


def scaled_to(
    light: HourlyLight, poa_global_month_kwh_m2: np.ndarray, month: np.ndarray
) -> HourlyLight:
    """
    Hourly light whose month sums are those of a light table.

    Parameters
    ----------
    light : HourlyLight, n surfaces
    poa_global_month_kwh_m2 : ndarray, shape (n, 12)
        Of the light table. [kWh/m²]
    month : ndarray, shape (n_hour,), int
        0 to 11.

    Returns
    -------
    HourlyLight
        All parts of a month times the same factor; a month without hourly light stays as it is.
    """
    found = month_sums_kwh_m2(light.poa_global, month)
    factor = np.where(found > 0.0, poa_global_month_kwh_m2 / np.where(found > 0.0, found, 1.0), 1.0)
    of_hour = factor.astype(np.float32)[:, month]
    parts = {one.name: getattr(light, one.name) * of_hour for one in fields(HourlyLight)}
    return HourlyLight(**{**parts, "beam_visible": light.beam_visible})


def joined_units(
    light: HourlyLight, unit: np.ndarray, weight: np.ndarray, n_unit: int
) -> HourlyLight:
    """
    Light of bigger units, such as walls of several chords: means by area.

    Parameters
    ----------
    light : HourlyLight, n surfaces
    unit : ndarray, shape (n,), int
        Unit of each surface, 0 to ``n_unit`` - 1.
    weight : ndarray, shape (n,)
        Area of each. [m²]
    n_unit : int

    Returns
    -------
    HourlyLight, n_unit surfaces
        NaN for a unit without surfaces.
    """
    total = np.bincount(unit, weight, n_unit)
    share = np.zeros((n_unit, len(unit)), dtype=np.float32)
    share[unit, np.arange(len(unit))] = weight / total[unit]
    share[total == 0.0] = np.nan
    return HourlyLight(**{one.name: share @ getattr(light, one.name) for one in fields(light)})


def _normals(record: SkyRecord) -> np.ndarray:
    """Unit normals: grid east, grid north, up, (3, n)."""
    tilt, azimuth = np.radians(record.surface_tilt), np.radians(record.grid_azimuth)
    up = np.maximum(np.cos(tilt), 0.0)
    up[up < 1e-7] = 0.0  # a wall; 90° has no exact cosine
    return np.stack([np.sin(tilt) * np.sin(azimuth), np.sin(tilt) * np.cos(azimuth), up])


def _kept(transmissivity: Transmissivity) -> np.ndarray:
    """What the layers behind crowns take from the light of each month, (3, 12)."""
    deciduous = 1.0 - np.array(transmissivity.deciduous)
    evergreen = 1.0 - np.array(transmissivity.evergreen)
    return np.stack([deciduous, evergreen, -deciduous * evergreen])


def _taken_by_cosine(iam: np.ndarray | None) -> np.ndarray:
    """What enters, at even steps of the cosine of incidence, float32."""
    if iam is None:
        return np.ones(_N_COSINE + 1, dtype=np.float32)
    aoi_deg = np.degrees(np.arccos(np.arange(_N_COSINE + 1) / _N_COSINE))
    return np.interp(aoi_deg, np.linspace(0.0, 90.0, len(iam)), iam).astype(np.float32)


def _sky_light(record: SkyRecord, sky: HourlySky, kept: np.ndarray) -> np.ndarray:
    """Light of the sky without what is around the sun, (n, n_hour), float32. [Wm⁻²]"""
    is_whole = sky.radiance is None
    patches = _by_month(record, kept, 1 if is_whole else N_HOUR_PATCH)
    band = _in_month([_band_view(record, layer) for layer in _layers(record)], kept)
    out = np.zeros((len(record), sky.n_hour), dtype=np.float32)
    for month in range(12):
        if sky.radiance is None:
            at = np.flatnonzero(sky.month == month)
            # The even sky sends dome / π from everywhere.
            out[:, at] = patches[month] / np.pi * sky.dome[at] + np.outer(band[month], sky.band[at])
            continue
        here = np.flatnonzero(sky.month[sky.lit_hours] == month)
        if here.size:
            at = sky.lit_hours[here]
            out[:, at] = patches[month].astype(np.float32) @ sky.radiance[here].T
        twilight = np.flatnonzero((sky.month == month) & (sky.dome > 0.0))
        out[:, twilight] += np.outer(patches[month].sum(axis=1) / np.pi, sky.dome[twilight])
    # The band may be negative; light never is.
    return np.maximum(out, 0.0, out=out)


def _layers(record: SkyRecord) -> tuple[int, ...]:
    return LAYERS if len(record.behind_row) else (VISIBLE,)


def _in_month(views: list[np.ndarray], kept: np.ndarray) -> list[np.ndarray]:
    """What is seen in the foliage of each month, from what is seen by layer."""
    if len(views) == 1:
        return views * 12
    return [
        views[0] - sum(kept[k, month] * view for k, view in enumerate(views[1:]))
        for month in range(12)
    ]


def _by_month(record: SkyRecord, kept: np.ndarray, n_patch: int) -> list[np.ndarray]:
    """What patches of radiance 1 send to each surface, by month, each (n, n_patch of a sky)."""
    width = 360.0 / record.n_sector
    n_slice = max(1, int(np.ceil(width / SLICE_DEG)))
    edges = np.arange(record.n_sector)[:, None] * width - width / 2
    edges = edges + np.arange(n_slice + 1) * (width / n_slice)
    middles = (edges[:, 1:] + edges[:, :-1]) / 2 + record.convergence_deg
    patch = ((middles % 360.0) / 360.0 * n_patch).astype(np.int64) % n_patch
    row, n_row = np.zeros(len(EDGE_STEP) - 1, np.int64), 1
    if n_patch > 1:
        borders = PATCH_ROWS * (N_STEP // N_ROW)
        row, n_row = np.searchsorted(borders, EDGE_STEP[:-1], "right") - 1, len(borders) - 1
    east, north, up = _normals(record)
    views = []
    for layer in _layers(record):
        n_slot = record.visible.shape[1]
        if layer == VISIBLE:
            rows = np.arange(len(record) * n_slot, dtype=np.int32).reshape(-1, n_slot)
            shares = record.visible.reshape(-1, len(EDGE_STEP))
        else:
            rows, shares = record.behind_row[layer - 1], record.behind
        out = np.zeros((len(record), n_row * n_patch))
        patch_view(
            east, north, up, record.first_sector, record.n_sector, rows, shares,
            np.radians(edges), patch, edge_tangents(), row, n_patch, out,
        )  # fmt: skip
        views.append(out)
    return _in_month(views, kept)


def _band_view(record: SkyRecord, layer: int) -> np.ndarray:
    """Share of the band at the horizon that each surface gets, an open upright one 1, (n,)."""
    elevation_deg = np.degrees(np.arctan(edge_tangents()))
    above = np.clip(1.0 - elevation_deg / BAND_WIDTH_DEG, 0.0, 1.0)
    weight = np.zeros(len(EDGE_STEP))
    weight[:-1] -= np.diff(above) / 2
    weight[1:] -= np.diff(above) / 2
    n_slot = record.visible.shape[1]
    sector = (record.first_sector[:, None] + np.arange(n_slot)) % record.n_sector
    width = np.radians(360.0 / record.n_sector)
    # ∫ of the level direction over the sector; both halves of a plane's horizon hold 2.
    aside = np.radians(record.grid_azimuth)[:, None] - sector * width
    facing = np.sin(np.radians(record.surface_tilt))[:, None] * np.cos(aside) * np.sin(width / 2)
    low = np.flatnonzero(weight)[-1] + 1
    seen = record.layer(layer)[:, :, :low] @ (weight[:low] / 255.0)
    return (np.maximum(facing, 0.0) * seen).sum(axis=1)
