"""Which modules make a plant part: the same surface, tilt and facing, so the same yield per kWp."""

from __future__ import annotations

import numpy as np
import pandas as pd

from solarkataster.layout.reasons import Demand, dark_reason, facing_reason, small_reason

#: How modules are mounted, which sets how warm they get.
ROOF_PARALLEL, RACK, WALL = "roof-parallel", "rack", "wall"

#: Columns of a table of plant parts.
COLUMNS = (
    "surface_id", "building_id", "mounting", "surface_tilt", "surface_azimuth", "n_modules",
    "dc_power_kwp", "module_poa_year_kwh_m2",
)  # fmt: skip


def roof_parts(roofs: pd.DataFrame, modules: pd.DataFrame) -> pd.DataFrame:
    """
    Plant parts on roofs: modules of one plane that face one way.

    Parameters
    ----------
    roofs : DataFrame, n_roof rows
        ``roof_id``, ``building_id``, ``surface_tilt``, ``surface_azimuth``.
    modules : DataFrame, n_module rows
        ``roof_id``, ``module_tilt``, ``module_azimuth`` (NaN if level), ``dc_power_kwp``,
        ``poa_global_year_kwh_m2``; those of a plane follow each other.

    Returns
    -------
    DataFrame, n_part rows
        :data:`COLUMNS`, in the order of the planes, then by facing. Modules that do not lie in the
        plane stand on racks; ``module_poa_year_kwh_m2`` is their mean.
    """
    if modules.empty or roofs.empty:
        return pd.DataFrame({name: [] for name in COLUMNS})
    roof = pd.Index(roofs["roof_id"]).get_indexer(modules["roof_id"])
    azimuth = modules["module_azimuth"].to_numpy(dtype=np.float64)
    tilt = modules["module_tilt"].to_numpy(dtype=np.float64)
    keys = pd.DataFrame({"roof": roof, "azimuth": np.nan_to_num(azimuth, nan=-1.0), "tilt": tilt})
    group = keys.groupby(["roof", "azimuth", "tilt"], sort=True)
    number, first = group.ngroup().to_numpy(), group.head(1).index.to_numpy()
    n_part = len(first)
    first = first[np.argsort(number[first])]
    n = np.bincount(number, minlength=n_part)
    of_roof = roofs.iloc[roof[first]].reset_index(drop=True)
    own_tilt = of_roof["surface_tilt"].to_numpy(dtype=np.float64)
    poa = np.bincount(number, modules["poa_global_year_kwh_m2"], n_part) / n
    return pd.DataFrame(
        {
            "surface_id": of_roof["roof_id"],
            "building_id": of_roof["building_id"],
            "mounting": np.where(np.isclose(tilt[first], own_tilt), ROOF_PARALLEL, RACK),
            "surface_tilt": tilt[first],
            "surface_azimuth": azimuth[first],
            "n_modules": n.astype(np.int32),
            "dc_power_kwp": np.bincount(number, modules["dc_power_kwp"], n_part),
            "module_poa_year_kwh_m2": poa,
        }
    )


def facade_modules(
    facades: pd.DataFrame,
    module_area_m2: float,
    module_fraction: float,
    demand: Demand,
) -> pd.DataFrame:
    """
    Modules that walls hold, by area.

    Parameters
    ----------
    facades : DataFrame, n_wall rows
        ``usable_area_m2``, ``poa_global_year_kwh_m2``, ``shading_loss_fraction``, ``reason``.
    module_area_m2 : float
        Of one module. [m²]
    module_fraction : float
        Share of the usable area that modules cover. [–]
    demand : Demand
        What a wall must offer.

    Returns
    -------
    DataFrame, n_wall rows
        ``n_modules``, and ``reason``: that of the wall, else why it holds none.
    """
    year = facades["poa_global_year_kwh_m2"].to_numpy(dtype=np.float64)
    open_year = year / (1.0 - facades["shading_loss_fraction"].to_numpy(dtype=np.float64))
    usable = np.nan_to_num(facades["usable_area_m2"].to_numpy(dtype=np.float64))
    n_modules = np.floor(usable * module_fraction / module_area_m2 + 1e-9).astype(np.int64)
    area_m2 = n_modules * module_area_m2
    reason = facades["reason"].to_numpy(dtype=object).copy()
    is_open = (reason == "") & ~np.isnan(year)
    is_dark = is_open & (year < demand.year_kwh_m2)
    is_small = is_open & ~is_dark & (area_m2 < demand.area_m2)
    for i in np.flatnonzero(is_dark):
        if open_year[i] < demand.year_kwh_m2:
            reason[i] = facing_reason(demand, open_year[i], is_north_steep=False)
        else:
            reason[i] = dark_reason(demand, year[i], open_year[i])
    reason[is_small] = [small_reason(demand, area) for area in area_m2[is_small]]
    holds = is_open & ~is_dark & ~is_small
    return pd.DataFrame(
        {"n_modules": np.where(holds, n_modules, 0).astype(np.int32), "reason": reason},
        index=facades.index,
    )


def facade_parts(
    facades: pd.DataFrame, n_modules: np.ndarray, module_power_kwp: float
) -> pd.DataFrame:
    """
    Plant parts on walls, one per wall that holds modules.

    Parameters
    ----------
    facades : DataFrame, n_wall rows
        ``facade_id``, ``building_id``, ``surface_tilt``, ``surface_azimuth``,
        ``poa_global_year_kwh_m2``.
    n_modules : ndarray, shape (n_wall,)
    module_power_kwp : float
        Of one module. [kWp]

    Returns
    -------
    DataFrame, n_part rows
        :data:`COLUMNS`.
    """
    holds = n_modules > 0
    of_wall = facades[holds].reset_index(drop=True)
    return pd.DataFrame(
        {
            "surface_id": of_wall["facade_id"],
            "building_id": of_wall["building_id"],
            "mounting": np.full(len(of_wall), WALL, dtype=object),
            "surface_tilt": of_wall["surface_tilt"],
            "surface_azimuth": of_wall["surface_azimuth"],
            "n_modules": n_modules[holds].astype(np.int32),
            "dc_power_kwp": n_modules[holds] * module_power_kwp,
            "module_poa_year_kwh_m2": of_wall["poa_global_year_kwh_m2"],
        }
    )
