"""Solar potential of roof planes and buildings: from the light of points to sums of surfaces."""

from __future__ import annotations

import numpy as np
import pandas as pd

from solarkataster.irradiance import Light
from solarkataster.layers import IRRADIATION_COLUMNS
from solarkataster.units import MONTHS

#: Columns of one light record in the order of the tables.
_PER_M2 = tuple(column.name for column in IRRADIATION_COLUMNS)


def plane_means(
    values: np.ndarray, surface: np.ndarray, n_surface: int, weight: np.ndarray | None = None
) -> np.ndarray:
    """
    Mean of each surface over its receivers.

    Every receiver of a roof plane stands for one cell of the same plane and so for the same
    inclined area; the mean over receivers is the mean over area. Points of walls stand for areas of
    their own.

    Parameters
    ----------
    values : ndarray, shape (n,) or (n, n_column)
    surface : ndarray, shape (n,), int
        Surface of each receiver, 0 to ``n_surface`` - 1.
    n_surface : int
    weight : ndarray, shape (n,), optional
        Area of each receiver; equal ones without it. [m²]

    Returns
    -------
    means : ndarray, shape (n_surface,) or (n_surface, n_column), float64
        NaN for a surface without receivers.
    """
    columns = values.reshape(len(values), -1)
    weight = np.ones(len(values)) if weight is None else weight
    count = np.bincount(surface, weight, minlength=n_surface)
    sums = np.stack(
        [np.bincount(surface, column * weight, minlength=n_surface) for column in columns.T], axis=1
    )
    means = np.full(sums.shape, np.nan)
    np.divide(sums, count[:, None], out=means, where=count[:, None] > 0)
    return means.reshape((n_surface, *values.shape[1:]))


def light_columns(light: Light) -> dict[str, np.ndarray]:
    """
    The irradiation columns of a record of light. [kWh/m²]

    Returns
    -------
    dict of str to ndarray, shape (n,)
        In the order of :data:`solarkataster.layers.IRRADIATION_COLUMNS`.
    """
    months = {
        f"poa_global_{month}_kwh_m2": light.poa_global_month_kwh_m2[:, i]
        for i, month in enumerate(MONTHS)
    }
    return {
        "poa_global_year_kwh_m2": light.poa_global_year_kwh_m2,
        **months,
        "poa_direct_year_kwh_m2": light.poa_direct_year_kwh_m2,
        "poa_sky_diffuse_year_kwh_m2": light.poa_sky_diffuse_year_kwh_m2,
        "poa_ground_diffuse_year_kwh_m2": light.poa_ground_diffuse_year_kwh_m2,
    }


def surface_potential(
    light: Light,
    open_year_kwh_m2: np.ndarray,
    surface: np.ndarray,
    area_m2: np.ndarray,
    weight: np.ndarray | None = None,
) -> pd.DataFrame:
    """
    Irradiation, sky view and shading loss of each surface.

    Parameters
    ----------
    light : Light, n receivers
        What the receivers get.
    open_year_kwh_m2 : ndarray, shape (n_surface,)
        What the same surfaces get in a year with an open horizon. [kWh/m²]
    surface : ndarray, shape (n,), int
        Surface of each receiver.
    area_m2 : ndarray, shape (n_surface,)
        True, inclined areas. [m²]
    weight : ndarray, shape (n,), optional
        Area that each receiver stands for; equal ones without it. [m²]

    Returns
    -------
    DataFrame, n_surface rows
        Irradiation columns [kWh/m²], ``poa_global_year_kwh`` [kWh], ``sky_view_factor``,
        ``shading_loss_fraction``.
    """
    n_surface = len(area_m2)
    columns = {
        name: plane_means(values, surface, n_surface, weight)
        for name, values in light_columns(light).items()
    }
    year = columns["poa_global_year_kwh_m2"]
    columns["poa_global_year_kwh"] = year * area_m2
    columns["sky_view_factor"] = plane_means(light.sky_view_factor, surface, n_surface, weight)
    columns["shading_loss_fraction"] = 1.0 - year / np.asarray(open_year_kwh_m2, dtype=np.float64)
    return pd.DataFrame(columns)


def building_sums(
    roofs: pd.DataFrame, open_year_kwh: np.ndarray, building: np.ndarray, n_building: int
) -> pd.DataFrame:
    """
    Sums of areas and energies, averages per m² by area, of each building's roofs.

    The shading loss is that of the building's whole light: lost energy over the energy with
    an open horizon.

    Parameters
    ----------
    roofs : DataFrame, n_roof rows
        With the columns of :func:`surface_potential`, ``area_m2``, ``usable_area_m2``,
        ``n_modules`` and ``dc_power_kwp``.
    open_year_kwh : ndarray, shape (n_roof,)
        What each roof gets with an open horizon. [kWh]
    building : ndarray, shape (n_roof,), int
        Building of each roof, 0 to ``n_building`` - 1.
    n_building : int

    Returns
    -------
    DataFrame, n_building rows
        ``n_roofs`` and the columns of ``roofs``; NaN for a building without roofs.
    """
    area_m2 = roofs["area_m2"].to_numpy()
    n_roofs = np.bincount(building, minlength=n_building)

    def total(values):
        sums = np.bincount(building, weights=values, minlength=n_building)
        return np.where(n_roofs > 0, sums, np.nan)

    sums = {"n_roofs": n_roofs.astype(np.int32), "area_m2": total(area_m2)}
    for name in ("usable_area_m2", "dc_power_kwp"):
        sums[name] = total(roofs[name].to_numpy())
    n_modules = np.bincount(building, weights=roofs["n_modules"].to_numpy(), minlength=n_building)
    sums["n_modules"] = n_modules.astype(np.int32)
    for name in (*_PER_M2, "sky_view_factor"):
        sums[name] = total(roofs[name].to_numpy() * area_m2) / sums["area_m2"]
    year_kwh = roofs["poa_global_year_kwh"].to_numpy()
    sums["poa_global_year_kwh"] = total(year_kwh)
    sums["shading_loss_fraction"] = 1.0 - sums["poa_global_year_kwh"] / total(open_year_kwh)
    return pd.DataFrame(sums)


def best_plane(roofs: pd.DataFrame, building: np.ndarray, n_building: int) -> np.ndarray:
    """
    The plane of each building that speaks for it: most modules, then most light, then the first.

    Parameters
    ----------
    roofs : DataFrame, n_roof rows
        With ``n_modules`` and ``poa_global_year_kwh``.
    building : ndarray, shape (n_roof,), int
        Building of each roof.
    n_building : int

    Returns
    -------
    best : ndarray of int64, shape (n_building,)
        Row in ``roofs``; −1 for a building without roofs.
    """
    light_kwh = np.nan_to_num(roofs["poa_global_year_kwh"].to_numpy())
    order = np.lexsort((-np.arange(len(roofs)), light_kwh, roofs["n_modules"].to_numpy()))
    best = np.full(n_building, -1, dtype=np.int64)
    best[building[order]] = order  # of several the last assignment stays
    return best
