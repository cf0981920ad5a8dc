"""Modules of one roof plane, the light of each, or why it holds none."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from solarkataster.footprint_cells import cell_boxes
from solarkataster.grid import Grid
from solarkataster.kernels.module_cells import means_under
from solarkataster.layout.modules import Margins, Module, ModuleLayout, module_layout
from solarkataster.layout.racks import Racks
from solarkataster.layout.reasons import (
    MAX_NO_DATA_FRACTION,
    Demand,
    both_reason,
    dark_reason,
    facing_reason,
    no_data_reason,
    obstacle_reason,
    patchy_reason,
    small_reason,
)

#: A module that covers no cell's centre takes the light of a cell at most this far away. [cells]
_REACH_CELLS = 3


@dataclass(frozen=True)
class LayoutRules:
    """
    What modules are laid, and what a plane must offer.

    Parameters
    ----------
    module : Module
    margins : Margins
    orientation : str
        ``best``, ``portrait`` or ``landscape``.
    pitched, flat : Demand
        Of pitched and of flat planes.
    """

    module: Module
    margins: Margins
    orientation: str
    pitched: Demand
    flat: Demand


@dataclass(frozen=True, eq=False)
class Plane:
    """
    A roof plane as a layout sees it.

    Parameters
    ----------
    outline, roof_outline : shapely geometry
        Of the plane, and of the roof without planes that lie lower beside it, in plan. [m]
    slope_east, slope_north : float
        Rise per metre towards grid east and grid north. [–]
    is_flat, is_north_steep : bool
        Flat enough for racks; steep and looking away from the noon sun.
    obstacles : ndarray of shapely geometry
        What stands on the plane, in plan. [m]
    racks : Racks or None
        Racks of a flat plane; without them modules lie flush.
    grid_azimuth : float or None
        Where the front of flush rows looks; None: down the plane. [°]
    no_data_fraction : float
        Share of the plane that was not measured. [–]
    unmeasured : shapely geometry or None
        Parts of the roof that were not measured; no module lies there. [m]
    """

    outline: shapely.Geometry
    roof_outline: shapely.Geometry
    slope_east: float
    slope_north: float
    is_flat: bool
    is_north_steep: bool
    obstacles: np.ndarray
    racks: Racks | None
    grid_azimuth: float | None
    no_data_fraction: float
    unmeasured: shapely.Geometry | None = None


@dataclass(frozen=True, eq=False)
class CellLight:
    """
    Year's light of a plane's modules-to-be, cell by cell.

    Parameters
    ----------
    grid : Grid
        Raster of the cells.
    row, col : ndarray of int, shape (n_cell,)
    year_kwh_m2 : ndarray, shape (n_facing, n_cell)
        In the modules' own planes; one facing for flush modules. [kWh/m²]
    open_kwh_m2 : float
        Mean of the facings under an open sky, a row in front included. [kWh/m²]
    """

    grid: Grid
    row: np.ndarray
    col: np.ndarray
    year_kwh_m2: np.ndarray
    open_kwh_m2: float


@dataclass(frozen=True, eq=False)
class ModulePlan:
    """
    Modules of a plane.

    Parameters
    ----------
    layout : ModuleLayout or None
        None if the plane was rejected.
    usable_area_m2 : float
        Inclined area that modules may lie on. [m²]
    year_kwh_m2 : ndarray, shape (n_module,)
        Light of each module. [kWh/m²]
    reason : str
        Empty, or why there is no module and what is missing.
    """

    layout: ModuleLayout | None
    usable_area_m2: float
    year_kwh_m2: np.ndarray
    reason: str


def plan_modules(plane: Plane, light: CellLight, rules: LayoutRules) -> ModulePlan:
    """
    Lay modules on a plane where there is light enough, and say so if too few fit.

    Parameters
    ----------
    plane : Plane
    light : CellLight
    rules : LayoutRules

    Returns
    -------
    ModulePlan
    """
    demand = rules.flat if plane.is_flat else rules.pitched
    if plane.no_data_fraction > MAX_NO_DATA_FRACTION:
        return _rejected(0.0, no_data_reason(plane.no_data_fraction))
    if len(light.row) == 0:  # smaller than a cell
        return _rejected(0.0, small_reason(demand, 0.0))
    if light.open_kwh_m2 < demand.year_kwh_m2:
        reason = facing_reason(demand, light.open_kwh_m2, is_north_steep=plane.is_north_steep)
        return _rejected(0.0, reason)
    mean_kwh_m2 = light.year_kwh_m2.mean(axis=0)
    is_dark = mean_kwh_m2 < demand.year_kwh_m2
    dark = cell_boxes(light.grid, light.row[is_dark], light.col[is_dark])
    layout = _lay(plane, rules, plane.obstacles, dark)
    area_m2 = _module_area_m2(layout, rules)
    # No module at all is too few, however little is asked for.
    if layout.n == 0 or not _is_enough(area_m2, demand):
        reason = _why_too_few(plane, light, rules, demand, area_m2, dark)
        return _rejected(layout.usable_area_m2, reason)
    return ModulePlan(layout, layout.usable_area_m2, _light_under(layout, light), "")


def _rejected(usable_area_m2: float, reason: str) -> ModulePlan:
    return ModulePlan(None, usable_area_m2, np.zeros(0), reason)


def _lay(plane: Plane, rules: LayoutRules, obstacles: Any, dark: Any) -> ModuleLayout:
    barred = [part for part in (dark, plane.unmeasured) if part is not None]
    return module_layout(
        plane.outline,
        plane.slope_east,
        plane.slope_north,
        plane.roof_outline,
        obstacles,
        rules.margins,
        rules.module,
        is_flat=plane.is_flat,
        orientation=rules.orientation,
        racks=plane.racks,
        grid_azimuth=plane.grid_azimuth,
        dark=shapely.union_all(barred) if barred else None,
    )


def _module_area_m2(layout: ModuleLayout, rules: LayoutRules) -> float:
    return layout.n * rules.module.length_m * rules.module.width_m


def _is_enough(area_m2: float, demand: Demand) -> bool:
    """Compared as they are written: five usual modules, 9.99 m², are a plant of 10.0 m²."""
    return round(area_m2, 1) >= round(demand.area_m2, 1)


def _why_too_few(
    plane: Plane,
    light: CellLight,
    rules: LayoutRules,
    demand: Demand,
    area_m2: float,
    dark: shapely.Geometry | None,
) -> str:
    """What would help: more roof, light or heights, fewer obstacles."""
    stretch = math.hypot(1.0, plane.slope_east, plane.slope_north)
    if plane.outline.area * stretch < demand.area_m2:
        return small_reason(demand, area_m2)
    year_kwh_m2 = float(light.year_kwh_m2.mean())
    if year_kwh_m2 < demand.year_kwh_m2:
        return dark_reason(demand, year_kwh_m2, light.open_kwh_m2)
    ways: list[tuple[Any, Any, Any]] = []
    if len(plane.obstacles):
        ways.append((obstacle_reason, (), dark))
    if dark is not None:
        ways.append((patchy_reason, plane.obstacles, None))
    if len(ways) == 2:
        ways.append((both_reason, (), None))
    for reason, obstacles, shade in ways:
        without_m2 = _module_area_m2(_lay(plane, rules, obstacles, shade), rules)
        if without_m2 > area_m2 and _is_enough(without_m2, demand):
            return reason(demand, area_m2, without_m2)
    if plane.unmeasured is not None and plane.unmeasured.intersects(plane.outline):
        known = replace(plane, unmeasured=None)
        if _is_enough(_module_area_m2(_lay(known, rules, plane.obstacles, dark), rules), demand):
            return no_data_reason(plane.no_data_fraction)
    return small_reason(demand, area_m2)


def _light_under(layout: ModuleLayout, light: CellLight) -> np.ndarray:
    """Mean light of the cells under each module, in the plane of its own facing. [kWh/m²]"""
    row0, col0 = int(light.row.min()), int(light.col.min())
    index = np.full((light.row.max() - row0 + 1, light.col.max() - col0 + 1), -1, dtype=np.int32)
    index[light.row - row0, light.col - col0] = np.arange(len(light.row))
    row, col = light.grid.row_col(layout.corners[..., 0], layout.corners[..., 1])
    corners = np.stack([row - row0, col - col0], axis=-1)
    means = np.full(layout.n, np.nan)
    for facing, year_kwh_m2 in enumerate(light.year_kwh_m2):
        at = np.flatnonzero(layout.facing == facing)
        of_facing = np.full(len(at), np.nan)
        means_under(corners[at], index, np.ascontiguousarray(year_kwh_m2), _REACH_CELLS, of_facing)
        means[at] = of_facing
    return means
