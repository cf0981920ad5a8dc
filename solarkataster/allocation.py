"""
Who gets the square metre of a roof: modules, collectors or a green roof, never two of them.

The allocation divides the usable area of planes by the order of the rules. What heat would do if it
came first is a second allocation, told in columns of its own (``heat_first_…``): an alternative,
never to be added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.heat import HeatDemand, useful_heat
from solarkataster.rules.heat import HeatRules
from solarkataster.units import MONTHS

#: Of area, for comparisons of sums. [m²]
_ROUNDING_M2 = 1e-9


@dataclass(frozen=True, eq=False)
class Planes:
    """
    Roof planes (or walls) that uses compete for.

    Attributes
    ----------
    building : ndarray, shape (n,), int
        Building of each plane, 0 to n_building - 1.
    usable_area_m2 : ndarray, shape (n,)
        Inclined area that modules could take; NaN counts as none. [m²]
    n_modules : ndarray, shape (n,), int
        Modules of the layout.
    module_area_m2 : float
        Of one module. [m²]
    min_pv_area_m2 : ndarray, shape (n,)
        Fewer modules than cover this are not worth a plant. [m²]
    is_flat : ndarray, shape (n,), bool
        Modules and collectors stand on racks.
    takes_heat : ndarray, shape (n,), bool
        Collectors may stand here (roofs; no walls, no plane that is rejected).
    poa_year_kwh_m2 : ndarray, shape (n,)
        Irradiation; the sunniest plane of a building is taken first. [kWh/m²]
    """

    building: np.ndarray
    usable_area_m2: np.ndarray
    n_modules: np.ndarray
    module_area_m2: float
    min_pv_area_m2: np.ndarray
    is_flat: np.ndarray
    takes_heat: np.ndarray
    poa_year_kwh_m2: np.ndarray


@dataclass(frozen=True, eq=False)
class Allocation:
    """
    What stands on each plane.

    Attributes
    ----------
    n_modules : ndarray, shape (n,), int32
        Modules that stay.
    pv_fraction : ndarray, shape (n,)
        Of the layout's modules, the share that stays: power and yield scale with it; 1 on planes
        that had none. [–]
    pv_area_m2, collector_area_m2, green_roof_area_m2 : ndarray, shape (n,)
        Areas; together at most the usable area. [m²]
    surface_use : ndarray of object, shape (n,)
        ``pv``, ``heat``, ``pv+heat``, ``green`` or ``none``. Green between racks is ``pv``.
    """

    n_modules: np.ndarray
    pv_fraction: np.ndarray
    pv_area_m2: np.ndarray
    collector_area_m2: np.ndarray
    green_roof_area_m2: np.ndarray
    surface_use: np.ndarray


def allocate(planes: Planes, wanted_area_m2, rules: HeatRules) -> Allocation:
    """
    Divide planes among the uses that the rules name, in their order.

    Modules take what the layout gave them; where collectors came first, the share of the modules
    that is left by area, whole modules, none below the least plant. Collectors go to the sunniest
    planes of a building until its households have enough; beside modules that came first there is
    no room for them, only strips. Green roofs take flat planes, or their strips between racks if
    the rules say so.

    Parameters
    ----------
    planes : Planes, n planes
    wanted_area_m2 : array_like, shape (n_building,)
        Collector area that each building's households would get; NaN counts as none. [m²]
    rules : HeatRules

    Returns
    -------
    Allocation
        Does not depend on the order of other buildings' planes.

    Raises
    ------
    InputError
        Modules cover more than the usable area.
    """
    usable = np.nan_to_num(np.asarray(planes.usable_area_m2, dtype=np.float64))
    laid = np.asarray(planes.n_modules, dtype=np.int64)
    _check_cover(usable, laid * planes.module_area_m2)
    wanted = np.nan_to_num(np.asarray(wanted_area_m2, dtype=np.float64))
    between = rules.allocation.green_between_racks
    ground = np.where(planes.is_flat, rules.flat_roof.ground_per_collector, 1.0)
    free = usable.copy()
    modules = np.zeros(len(usable), dtype=np.int64)
    collectors = np.zeros(len(usable))
    green = np.zeros(len(usable))
    for use in rules.allocation.order:
        if use == "pv":
            modules = _modules_left(planes, laid, usable, free)
            free = np.where(modules > 0, 0.0, free)
        elif use == "heat":
            can = np.where(planes.takes_heat, free / ground, 0.0)
            collectors = _collectors(planes, can, wanted, rules)
            free = free - collectors * ground
        elif not between:
            green = np.where(planes.is_flat, free, 0.0)
            free = free - green
    pv_area = modules * planes.module_area_m2
    if between and "green" in rules.allocation.order:
        rest = np.maximum(usable - pv_area - collectors, 0.0)
        green = np.where(planes.is_flat, rest, 0.0)
    kept = np.divide(modules, laid, out=np.ones(len(usable)), where=laid > 0)
    return Allocation(
        n_modules=modules.astype(np.int32),
        pv_fraction=kept,
        pv_area_m2=pv_area,
        collector_area_m2=collectors,
        green_roof_area_m2=green,
        surface_use=_use_names(modules > 0, collectors > 0.0, green > 0.0),
    )


def heat_first(rules: HeatRules) -> HeatRules:
    """The same rules with heat before all other uses."""
    order = ("heat", *(use for use in rules.allocation.order if use != "heat"))
    allocation = rules.allocation.model_copy(update={"order": order})
    return rules.model_copy(update={"allocation": allocation})


def allocated_heat(
    allocation: Allocation,
    building: np.ndarray,
    poa_month_kwh_m2: np.ndarray,
    demand: HeatDemand,
    temp_air_month_c,
    rules: HeatRules,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Heat of the collectors that an allocation sets, of planes and buildings.

    A building's collectors feed one store; its heat is divided among its planes as the light that
    they catch in the month.

    Parameters
    ----------
    allocation : Allocation, n planes
    building : ndarray, shape (n,), int
    poa_month_kwh_m2 : ndarray, shape (n, 12)
        Irradiation of the planes. [kWh/m²]
    demand : HeatDemand, n_building buildings
    temp_air_month_c : array_like, shape (12,)
        [°C]
    rules : HeatRules

    Returns
    -------
    planes : DataFrame, n rows
        ``thermal_yield_01_kwh`` … ``_12_`` and ``thermal_yield_year_kwh`` [kWh]; 0 without
        collectors.
    buildings : DataFrame, n_building rows
        The same, ``collector_area_m2`` [m²], ``heat_demand_year_kwh`` [kWh] and
        ``solar_fraction`` [–]; NaN where the demand is unknown.
    """
    n_building = len(demand.total_kwh)
    area = allocation.collector_area_m2
    caught = np.where(area[:, None] > 0.0, poa_month_kwh_m2 * area[:, None], 0.0)
    area_sum = np.bincount(building, area, minlength=n_building)
    caught_sum = np.column_stack(
        [np.bincount(building, month, minlength=n_building) for month in caught.T]
    )
    mean = np.divide(
        caught_sum, area_sum[:, None], out=np.zeros_like(caught_sum), where=area_sum[:, None] > 0
    )
    heat = useful_heat(mean, area_sum, demand, temp_air_month_c, rules)
    part = np.divide(caught, caught_sum[building], out=np.zeros_like(caught), where=caught > 0.0)
    planes = _heat_columns(np.where(part > 0.0, part * heat[building], 0.0))
    buildings = _heat_columns(np.where(np.isnan(demand.total_kwh), np.nan, heat))
    year = demand.total_kwh.sum(axis=1)
    buildings["collector_area_m2"] = area_sum
    buildings["heat_demand_year_kwh"] = year
    buildings["solar_fraction"] = np.divide(
        buildings["thermal_yield_year_kwh"].to_numpy(),
        year,
        out=np.full(n_building, np.nan),
        where=year > 0.0,
    )
    return planes, buildings


def heat_first_columns(
    planes: Planes,
    wanted_area_m2,
    poa_month_kwh_m2: np.ndarray,
    demand: HeatDemand,
    temp_air_month_c,
    rules: HeatRules,
) -> pd.DataFrame:
    """
    What each building would get if heat came first: the alternative beside the allocation.

    Parameters
    ----------
    planes, wanted_area_m2, rules
        As in :func:`allocate`.
    poa_month_kwh_m2, demand, temp_air_month_c
        As in :func:`allocated_heat`.

    Returns
    -------
    DataFrame, n_building rows
        ``heat_first_collector_area_m2`` [m²], ``heat_first_yield_year_kwh`` [kWh, NaN where the
        demand is unknown], ``heat_first_pv_fraction`` (share of the modules of the layout that
        would be left, 1 without modules) [–].
    """
    first = heat_first(rules)
    other = allocate(planes, wanted_area_m2, first)
    _, heat = allocated_heat(
        other, planes.building, poa_month_kwh_m2, demand, temp_air_month_c, first
    )
    n_building = len(heat)
    laid = np.bincount(planes.building, planes.n_modules, minlength=n_building)
    left = np.bincount(planes.building, other.n_modules, minlength=n_building)
    return pd.DataFrame(
        {
            "heat_first_collector_area_m2": heat["collector_area_m2"],
            "heat_first_yield_year_kwh": heat["thermal_yield_year_kwh"],
            "heat_first_pv_fraction": np.divide(
                left, laid, out=np.ones(n_building), where=laid > 0
            ),
        }
    )


def _check_cover(usable: np.ndarray, module_area: np.ndarray) -> None:
    over = module_area > usable + _ROUNDING_M2
    if over.any():
        i = int(np.argmax(over))
        raise InputError(
            f"modules cover {module_area[i]:.2f} m² of a plane with {usable[i]:.2f} m²",
            where="allocation of roofs",
            expected="no more modules than the usable area holds",
            remedy="compute the layout again: areas and modules are of different runs",
        )


def _modules_left(planes: Planes, laid, usable, free) -> np.ndarray:
    """Modules on what is left of each plane."""
    share = np.divide(free, usable, out=np.zeros(len(usable)), where=usable > 0.0)
    # A share that is a whole number of modules but for rounding counts as that number.
    left = np.where(share >= 1.0, laid, np.floor(laid * share + _ROUNDING_M2)).astype(np.int64)
    too_few = (left < laid) & (left * planes.module_area_m2 < planes.min_pv_area_m2)
    return np.where(too_few, 0, left)


def _collectors(planes: Planes, can_m2, wanted_m2, rules: HeatRules) -> np.ndarray:
    """Collector area of each plane: the sunniest of a building first, [m²]."""
    least = rules.smallest.min_m2_per_plane
    room = np.minimum(can_m2, rules.roof_limit.max_m2_per_plane)
    room[room < max(least, _ROUNDING_M2)] = 0.0
    candidates = np.flatnonzero(room > 0.0)
    light = np.nan_to_num(planes.poa_year_kwh_m2[candidates], nan=-np.inf)
    order = candidates[np.lexsort((candidates, -light, planes.building[candidates]))]
    rank = pd.Series(planes.building[order]).groupby(planes.building[order]).cumcount().to_numpy()
    by_rank = np.split(order[np.argsort(rank, kind="stable")], np.cumsum(np.bincount(rank))[:-1])
    left = wanted_m2.copy()
    taken = np.zeros(len(room))
    # One plane of each building at a time: no sum crosses buildings, so none depends on others.
    for rows in by_rank:
        take = np.minimum(room[rows], left[planes.building[rows]])
        take[take < least] = 0.0
        taken[rows] = take
        left[planes.building[rows]] -= take
    return taken


def _use_names(has_pv, has_heat, has_green) -> np.ndarray:
    names = np.full(len(has_pv), "none", dtype=object)
    names[has_green] = "green"
    names[has_heat] = "heat"
    names[has_pv] = "pv"
    names[has_pv & has_heat] = "pv+heat"
    return names


def _heat_columns(heat_kwh: np.ndarray) -> pd.DataFrame:
    months = {f"thermal_yield_{month}_kwh": heat_kwh[:, i] for i, month in enumerate(MONTHS)}
    return pd.DataFrame({**months, "thermal_yield_year_kwh": heat_kwh.sum(axis=1)})
