"""How far a yield may be off: what all plants share, what each has for itself, and both."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from scipy.ndimage import map_coordinates

from solarkataster.errors import InputError
from solarkataster.rules.plant import UncertaintyRules

#: Standard deviations from the mean to what nine years in ten reach. [–]
P90_SIGMAS = NormalDist().inv_cdf(0.9)

#: Grid on which the light of open planes is differentiated. [°]
_TILT_STEP_DEG, _AZIMUTH_STEP_DEG = 5.0, 15.0


def year_sigma_fraction(
    rules: UncertaintyRules, ghi_years_kwh_m2: np.ndarray | None = None
) -> float:
    """
    Spread of single years around the long-term mean.

    Parameters
    ----------
    rules : UncertaintyRules
    ghi_years_kwh_m2 : array_like, shape (n_year,), optional
        Global horizontal irradiation of single years at the site. A typical year (TRY) has no
        spread, so without a series the figure of the rules is taken. [kWh/m²]

    Returns
    -------
    sigma : float
        Standard deviation ÷ mean. [–]

    Raises
    ------
    InputError
        If the series has too few years, or years without a positive value.
    """
    if ghi_years_kwh_m2 is None:
        return rules.year.year_fraction
    years = np.asarray(ghi_years_kwh_m2, dtype=np.float64)
    if years.size < rules.year.least_years or not np.all(years > 0.0):
        raise InputError(
            f"{int((years > 0.0).sum())} usable years of {years.size} in the series of years.",
            expected=f"at least {rules.year.least_years}, every one over 0 kWh/m2",
            remedy="Give a longer series, or none: the rules then say how years differ.",
        )
    return float(years.std(ddof=1) / years.mean())


def common_sigma_parts(
    rules: UncertaintyRules, ghi_years_kwh_m2: np.ndarray | None = None
) -> dict[str, float]:
    """
    Standard errors that all surfaces of a run share, by cause.

    Parameters
    ----------
    rules : UncertaintyRules
    ghi_years_kwh_m2 : array_like, optional
        As in :func:`year_sigma_fraction`.

    Returns
    -------
    parts : dict of str to float
        ``year``, ``weather``, ``transposition``, ``module``, ``soiling``, ``snow``. [–]
    """
    common = rules.common
    return {
        "year": year_sigma_fraction(rules, ghi_years_kwh_m2),
        "weather": common.weather_fraction,
        "transposition": common.transposition_fraction,
        "module": common.module_fraction,
        "soiling": common.soiling_fraction,
        "snow": common.snow_fraction,
    }


def common_sigma_fraction(
    rules: UncertaintyRules, ghi_years_kwh_m2: np.ndarray | None = None
) -> float:
    """
    Standard error that all surfaces of a run share: root of the sum of squares of its parts.

    Parameters
    ----------
    rules : UncertaintyRules
    ghi_years_kwh_m2 : array_like, optional
        As in :func:`year_sigma_fraction`.

    Returns
    -------
    sigma : float
        Of one year's yield. [–]
    """
    return math.hypot(*common_sigma_parts(rules, ghi_years_kwh_m2).values())


def orientation_slopes(
    open_year_kwh_m2: Callable[[np.ndarray, np.ndarray], np.ndarray],
    surface_tilt: np.ndarray,
    surface_azimuth: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """
    How much the light of a plane changes with its tilt and facing.

    Parameters
    ----------
    open_year_kwh_m2 : callable
        Year's light of open planes from their tilts and azimuths, each of shape (n,).
    surface_tilt, surface_azimuth : ndarray, shape (n,)
        NaN for the facing of a level plane. [°]

    Returns
    -------
    per_tilt_deg, per_azimuth_deg : ndarray, shape (n,)
        Relative change per degree. [1/°]

    Notes
    -----
    Differences on a grid of open planes, 5° by 15°, linear in between: the best plane has none.
    """
    tilts = np.arange(0.0, 90.1, _TILT_STEP_DEG)
    azimuths = np.arange(-_AZIMUTH_STEP_DEG, 360.1 + _AZIMUTH_STEP_DEG, _AZIMUTH_STEP_DEG)
    tilt, azimuth = (axis.ravel() for axis in np.meshgrid(tilts, azimuths, indexing="ij"))
    year = np.asarray(open_year_kwh_m2(tilt, azimuth % 360.0), dtype=np.float64)
    log = np.log(year.reshape(len(tilts), len(azimuths)))
    at = np.array(
        [
            np.asarray(surface_tilt, dtype=np.float64) / _TILT_STEP_DEG,
            np.nan_to_num(np.asarray(surface_azimuth, dtype=np.float64)) % 360.0 / _AZIMUTH_STEP_DEG
            + 1.0,
        ]
    )
    slopes = np.gradient(log, tilts, azimuths)
    per_tilt, per_azimuth = (
        map_coordinates(slope, at, order=1, mode="nearest", prefilter=False) for slope in slopes
    )
    return per_tilt, per_azimuth


def own_sigma_fraction(
    rules: UncertaintyRules,
    shading_loss_fraction: np.ndarray,
    slopes: tuple[np.ndarray, np.ndarray],
    is_wall: np.ndarray,
    poa_band: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> np.ndarray:
    """
    Standard error of each surface's yield that no other building shares.

    Parameters
    ----------
    rules : UncertaintyRules
    shading_loss_fraction : ndarray, shape (n,)
        Against the same plane with an open horizon. [–]
    slopes : (ndarray, ndarray), each of shape (n,)
        Of :func:`orientation_slopes`. [1/°]
    is_wall : ndarray of bool, shape (n,)
        Walls stand upright; only their facing can be off.
    poa_band : (ndarray, ndarray, ndarray), each of shape (n,), optional
        Light of the year, and with the eaves one standard uncertainty deeper and less deep; NaN
        where a surface has no such band. [kWh/m²]

    Returns
    -------
    sigma : ndarray, shape (n,)
        At most 1; NaN where the shading loss is not known. [–]

    Notes
    -----
    Root of the sum of squares of: the plant's own part of the model error, which the surfaces of
    one plant share (see :func:`combined_sigma`); the error of the shading loss, as a share of the
    light that is left; tilt and facing; half the band of the eaves.
    """
    surface = rules.surface
    loss = np.asarray(shading_loss_fraction, dtype=np.float64)
    left = np.maximum(1.0 - loss, 1e-9)
    tilt_deg = np.where(is_wall, 0.0, surface.roof_tilt_deg)
    azimuth_deg = np.where(is_wall, surface.wall_azimuth_deg, surface.roof_azimuth_deg)
    square = (
        rules.plant.plant_fraction**2
        + (surface.shading_loss_relative * loss / left) ** 2
        + (slopes[0] * tilt_deg) ** 2
        + (slopes[1] * azimuth_deg) ** 2
    )
    if poa_band is not None:
        poa, low, high = (np.asarray(part, dtype=np.float64) for part in poa_band)
        with np.errstate(divide="ignore", invalid="ignore"):
            square = square + np.nan_to_num((high - low) / (2.0 * poa), posinf=1.0) ** 2
    return np.minimum(np.sqrt(square), 1.0)


def p90(yield_kwh: np.ndarray, sigma_fraction: np.ndarray) -> np.ndarray:
    """
    What nine years in ten reach.

    Parameters
    ----------
    yield_kwh : array_like
        Expected yield, P50. [kWh]
    sigma_fraction : array_like
        Standard deviation of one year's yield, as a share of it. [–]

    Returns
    -------
    p90_kwh : ndarray
        P50 · (1 − 1.2816 σ) of a normal distribution, never below 0. [kWh]
    """
    left = np.maximum(1.0 - P90_SIGMAS * np.asarray(sigma_fraction, dtype=np.float64), 0.0)
    return np.asarray(yield_kwh, dtype=np.float64) * left


def surface_sigma_fraction(sigma_common: np.ndarray, sigma_own: np.ndarray) -> np.ndarray:
    """
    Both kinds of error of one surface together.

    Parameters
    ----------
    sigma_common, sigma_own : array_like
        [–]

    Returns
    -------
    sigma : ndarray
        Root of the sum of squares. [–]
    """
    return np.hypot(sigma_common, sigma_own)


def combined_sigma(
    yields: np.ndarray,
    sigma_common: np.ndarray,
    sigma_own: np.ndarray,
    group: np.ndarray,
    n_group: int | None = None,
    *,
    plant: np.ndarray | None = None,
    sigma_plant: float = 0.0,
) -> np.ndarray:
    """
    Standard error of the yield of groups of surfaces: buildings, districts, a town.

    Parameters
    ----------
    yields : ndarray, shape (n,)
        Of the surfaces; those without a value do not count. [kWh]
    sigma_common, sigma_own : ndarray, shape (n,)
        Of each surface, as a share of its yield. [–]
    group : ndarray of int, shape (n,)
        0 to n_group − 1; negative for none.
    n_group : int, optional
        Default: one more than the largest.
    plant : ndarray of int, shape (n,), optional
        Which surfaces feed one plant, from 0: those of a building. Default: each its own.
    sigma_plant : float
        Part of ``sigma_own`` that the surfaces of a plant share: inverter, cables, upkeep. [–]

    Returns
    -------
    sigma : ndarray, shape (n_group,)
        As a share of the group's yield; NaN for a group without any. [–]

    Notes
    -----
    Common errors hit all surfaces the same way in the same year and add up, those of a plant all of
    its surfaces; the rest evens out and adds as squares:
    σ² = (Σ y σ_common)² + Σ_plants (Σ y σ_plant)² + Σ y² (σ_own² − σ_plant²), over (Σ y)².
    """
    yields, sigma_common, sigma_own = (
        np.asarray(part, dtype=np.float64) for part in (yields, sigma_common, sigma_own)
    )
    group = np.asarray(group, dtype=np.int64)
    counts = np.isfinite(yields) & (yields > 0.0) & (group >= 0)
    n = int(group.max(initial=-1)) + 1 if n_group is None else n_group
    y, to = yields[counts], group[counts]

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(to, values, n)

    own = sigma_own[counts]
    if plant is None:
        square = sums((y * own) ** 2)
    else:
        shared = np.minimum(sigma_plant, own)
        square = sums(y**2 * (own**2 - shared**2))
        square += _square_of_plants(y * shared, to, np.asarray(plant)[counts], n)
    square += sums(y * sigma_common[counts]) ** 2
    with np.errstate(invalid="ignore"):
        return np.sqrt(square) / sums(y)


def _square_of_plants(
    error_kwh: np.ndarray, group: np.ndarray, plant: np.ndarray, n_group: int
) -> np.ndarray:
    """Squares of the plants' errors by group; plants by size, so their order does not matter."""
    n_plant = int(plant.max(initial=-1)) + 1
    pairs, at = np.unique(group * n_plant + plant, return_inverse=True)
    of_plants = np.bincount(at, error_kwh, len(pairs))
    order = np.argsort(of_plants, kind="stable")
    return np.bincount(pairs[order] // max(n_plant, 1), of_plants[order] ** 2, n_group)
