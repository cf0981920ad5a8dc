"""The year's light above any horizon, as a table that is linear in the surface normal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.all_weather import N_PATCH, N_ROW
from solarkataster.errors import InputError
from solarkataster.sky import SkySources

#: Steps of the horizon coordinate q = t / (1 + t), t the tangent of the elevation: 0.3° low down.
N_STEP = 180

#: Values per direction: 12 months of beam, circumsolar and dome light; direct light of the year;
#: share of an even sky; the share hidden from above; the horizon band's share. The last two are
#: left empty in the table and filled in the sums.
N_LANE = 16
DIRECT_LANE = 12
SKY_VIEW_LANE = 13
BAND_LANE = 15

#: Width of the horizon band, from the 6.5° of Perez et al. 1990 (Solar Energy 44(5) 271-289). [°]
BAND_WIDTH_DEG = 6.5

#: Width of the slices in which a plane's own horizon cuts a sector, at most. [°]
SLICE_DEG = 1.0


@dataclass(frozen=True)
class SunLight:
    """
    Direct light of the year, sun by sun, where it stands in the table.

    Parameters
    ----------
    i_slice, i_step : ndarray, shape (n_sun,), int32
        Slice, counted through all sectors, and step of the table.
    month : ndarray, shape (n_sun,), int8
        From 0.
    beam_kwh_m2 : ndarray, shape (3, n_sun), float32
        Light times direction (east, north, up). [kWh/m²]
    """

    i_slice: np.ndarray
    i_step: np.ndarray
    month: np.ndarray
    beam_kwh_m2: np.ndarray


@dataclass(frozen=True)
class SkyTable:
    """
    Light by sector, slice of a sector and horizon step, as vectors (east, north, up).

    Parameters
    ----------
    azimuths_deg : ndarray, shape (n_sector,)
        Middle of each sector, clockwise from *grid* north. [°]
    sums : ndarray, shape (n_sector, 1 + n_slice, N_STEP + 1, 3, N_LANE), float32
        Sum of light times direction above each step, of the whole sector and then of each of
        its slices. [kWh/m²]
    slice_edges_deg : ndarray, shape (n_sector, n_slice + 1)
        Borders of the slices. [°]
    band_share : ndarray, shape (N_STEP + 1,), float32
        Share of the horizon band above each step. [–]
    band_kwh_m2, ghi_kwh_m2 : ndarray, shape (12,)
        Month sums of the horizon band and of global horizontal irradiation. [kWh/m²]
    convergence_deg : float
        Azimuth of grid north at the place of the raster, from true north. [°]
    suns : SunLight
        What the lane of direct light is the sum of.
    """

    azimuths_deg: np.ndarray
    sums: np.ndarray
    slice_edges_deg: np.ndarray
    band_share: np.ndarray
    band_kwh_m2: np.ndarray
    ghi_kwh_m2: np.ndarray
    convergence_deg: float
    suns: SunLight

    def direct_weighted(self, month_weights: np.ndarray) -> np.ndarray:
        """
        Direct light of a year whose months count with weights, to take the lane's place.

        Parameters
        ----------
        month_weights : ndarray, shape (12,)

        Returns
        -------
        ndarray, shape (n_sector, 1 + n_slice, N_STEP + 1, 3), float32
            As in ``sums``. [kWh/m²]
        """
        n_sector, n_slice = self.sums.shape[0], self.sums.shape[1] - 1
        shape = n_sector, n_slice, N_STEP + 1
        cell = self.suns.i_slice.astype(np.int64) * (N_STEP + 1) + self.suns.i_step
        weights = np.asarray(month_weights, dtype=np.float64)[self.suns.month]
        parts = np.stack(
            [
                np.bincount(cell, weights * light, math.prod(shape)).reshape(shape)
                for light in self.suns.beam_kwh_m2
            ],
            axis=-1,
        )
        parts = np.flip(np.cumsum(np.flip(parts, axis=2), axis=2), axis=2)
        whole = parts.sum(axis=1, keepdims=True)
        return np.concatenate([whole, parts], axis=1).astype(np.float32)


def sky_table(sources: SkySources, convergence_deg: float, n_azimuth: int = 72) -> SkyTable:
    """
    Sum a year's sky over sectors and elevations.

    Parameters
    ----------
    sources : SkySources
        Sun positions with their light, dome, horizon band and radiance of a year.
    convergence_deg : float
        Meridian convergence of the raster's centre: the azimuth of grid north, seen from true
        north. The sun's true azimuth less this is its azimuth on the grid. [°]
    n_azimuth : int
        Sectors of the horizon; 72 suffice for roofs.

    Returns
    -------
    SkyTable

    Raises
    ------
    InputError
        If there are fewer than 8 sectors.

    Notes
    -----
    For a plane, "the sun is behind me" equals "the sun is below my own horizon in that azimuth",
    so the irradiation is ``n · Σ T[sector, h]`` with the horizon ``h`` of sky line and plane.
    Suns are points; the dome is integrated in closed form, and so are the patches of a sky that
    has a radiance for every direction; the horizon band is kept apart, because its direction is
    level whatever its height.
    """
    if n_azimuth < 8:
        raise InputError(
            f"n_azimuth = {n_azimuth} is too few for a horizon",
            expected="at least 8, 72 for roofs",
        )
    width = 360.0 / n_azimuth
    n_slice = max(1, int(np.ceil(width / SLICE_DEG)))
    azimuths_deg = np.arange(n_azimuth) * width
    edges = azimuths_deg[:, None] - width / 2 + np.arange(n_slice + 1) * (width / n_slice)
    parts = np.zeros((n_azimuth, n_slice, N_STEP + 1, 3, N_LANE))
    suns = _add_sun(parts, sources, convergence_deg, width)
    if sources.radiance_kwh_m2_sr is not None:
        _add_radiance(parts, sources.radiance_kwh_m2_sr, convergence_deg, width)
    parts = np.flip(np.cumsum(np.flip(parts, axis=2), axis=2), axis=2)
    _add_dome(parts, sources, edges)
    step_elevation_deg = np.degrees(np.arctan(step_tangents()))
    band_share = np.clip(1.0 - step_elevation_deg / BAND_WIDTH_DEG, 0.0, 1.0)
    return SkyTable(
        azimuths_deg,
        np.concatenate([parts.sum(axis=1, keepdims=True), parts], axis=1).astype(np.float32),
        edges,
        band_share.astype(np.float32),
        np.asarray(sources.band_kwh_m2, dtype=np.float64),
        np.asarray(sources.ghi_kwh_m2, dtype=np.float64),
        float(convergence_deg),
        suns,
    )


def step_tangents() -> np.ndarray:
    """Tangent of the elevation at each step of the table, (N_STEP + 1,); infinite at the last."""
    q = np.arange(N_STEP + 1) / N_STEP
    with np.errstate(divide="ignore"):
        return q / (1.0 - q)


def _add_sun(parts, sources: SkySources, convergence_deg: float, width: float) -> SunLight:
    """Put each sun into the cell of the table it stands in; their direct light one by one."""
    n_azimuth, n_slice = parts.shape[:2]
    azimuth = (np.asarray(sources.solar_azimuth_deg) - convergence_deg + width / 2) % 360.0
    i_slice = np.minimum((azimuth / (width / n_slice)).astype(np.int64), n_azimuth * n_slice - 1)
    elevation_rad = np.radians(np.clip(sources.solar_elevation_deg, 0.0, 89.999))
    tangent = np.tan(elevation_rad)
    step = np.minimum((tangent / (1.0 + tangent) * N_STEP).astype(np.int64), N_STEP - 1)
    grid_azimuth_rad = np.radians(azimuth - width / 2)
    direction = np.stack(
        [
            np.cos(elevation_rad) * np.sin(grid_azimuth_rad),
            np.cos(elevation_rad) * np.cos(grid_azimuth_rad),
            np.sin(elevation_rad),
        ]
    )
    beam = np.asarray(sources.beam_kwh_m2)
    both = beam + np.asarray(sources.circumsolar_kwh_m2)
    month = np.asarray(sources.month)
    cell = (i_slice * (N_STEP + 1) + step) * 3
    for axis in range(3):
        row = (cell + axis) * N_LANE
        for lane, values in ((month, both), (DIRECT_LANE, beam)):
            sums = np.bincount(row + lane, values * direction[axis], parts.size)
            parts += sums.reshape(parts.shape)
    return SunLight(
        i_slice.astype(np.int32),
        step.astype(np.int32),
        month.astype(np.int8),
        (beam * direction).astype(np.float32),
    )


def _add_dome(parts, sources: SkySources, edges: np.ndarray) -> None:
    """Add an even sky, integrated over each slice from each step to the zenith."""
    elevation_rad = np.arctan(step_tangents())
    # ∫ cos² and ∫ sin·cos over elevation
    level = (np.pi / 2 - elevation_rad) / 2 - np.sin(2 * elevation_rad) / 4
    upward = np.cos(elevation_rad) ** 2 / 2
    begin, end = np.radians(edges[:, :-1]), np.radians(edges[:, 1:])
    east = (np.cos(begin) - np.cos(end))[:, :, None] * level
    north = (np.sin(end) - np.sin(begin))[:, :, None] * level
    up = (end - begin)[:, :, None] * upward
    shape = np.stack([east, north, up], axis=-1) / np.pi
    parts[..., :12] += shape[..., None] * np.asarray(sources.dome_kwh_m2)
    parts[..., SKY_VIEW_LANE] += shape


def _add_radiance(parts, radiance_kwh_m2_sr, convergence_deg: float, width: float) -> None:
    """Put the patches of a sky into the cells of the table, cut where slices end."""
    n_slice = parts.shape[0] * parts.shape[1]
    east, north, wide = _cut_patches(n_slice, convergence_deg, width)
    elevation_rad = np.arctan2(np.arange(N_STEP + 1), N_STEP - np.arange(N_STEP + 1.0))
    # ∫ cos² and ∫ sin·cos over elevation
    level = np.diff(elevation_rad / 2 + np.sin(2 * elevation_rad) / 4)
    upward = np.diff(np.sin(elevation_rad) ** 2 / 2)
    patches = np.moveaxis(radiance_kwh_m2_sr, 2, 0).reshape(N_PATCH, -1)
    cells = parts.reshape(n_slice, *parts.shape[2:])
    for axis, (share, tall) in enumerate(((east, level), (north, level), (wide, upward))):
        rows = (share @ patches).reshape(n_slice, 12, N_ROW)
        steps = np.repeat(rows, N_STEP // N_ROW, axis=2) * tall
        cells[:, :N_STEP, axis, :12] += np.swapaxes(steps, 1, 2)


def _cut_patches(n_slice: int, convergence_deg: float, width: float) -> np.ndarray:
    """
    ∫ of east, north and 1 over the azimuths that slice and patch share, (3, n_slice, N_PATCH).

    Patches count from true north, slices from half a sector left of grid north.
    """
    slice_deg, patch_deg, left = 360.0 / n_slice, 360.0 / N_PATCH, -width / 2
    # Counted from the first slice's border, clockwise.
    borders = np.concatenate(
        [
            np.arange(n_slice + 1) * slice_deg,
            (np.arange(N_PATCH) * patch_deg - convergence_deg - left) % 360.0,
        ]
    )
    borders = np.unique(borders)
    middle = (borders[1:] + borders[:-1]) / 2
    i_slice = np.minimum((middle / slice_deg).astype(np.int64), n_slice - 1)
    true_deg = (middle + left + convergence_deg) % 360.0
    i_patch = np.minimum((true_deg / patch_deg).astype(np.int64), N_PATCH - 1)
    grid_rad = np.radians(borders + left)
    out = np.zeros((3, n_slice, N_PATCH))
    for share, pieces in zip(
        out, (-np.diff(np.cos(grid_rad)), np.diff(np.sin(grid_rad)), np.diff(grid_rad)), strict=True
    ):
        np.add.at(share, (i_slice, i_patch), pieces)
    return out
