"""Stage 4: modules on a tile's roofs, lit one by one, and why some roofs hold none."""

from __future__ import annotations

import numpy as np

from solarkataster.config_sections import LayoutConfig
from solarkataster.irradiance import best_open_year_kwh_m2
from solarkataster.layout.modules import Margins, Module, rack_azimuths
from solarkataster.layout.plan import CellLight, LayoutRules, ModulePlan, Plane, plan_modules
from solarkataster.layout.racks import HEIGHT_FRACTIONS
from solarkataster.layout.reasons import MONUMENT, Demand
from solarkataster.stages.job import RunSky, TileJob, TileLayout, TileLight, TileRoofs


def layout_stage(job: TileJob, roofs: TileRoofs, light: TileLight, sky: RunSky) -> TileLayout:
    """Lay modules on every plane of the tile; planes that hold none get a reason."""
    if roofs.receivers is None or light.seen is None:
        return _joined(job, roofs, [])
    best_kwh_m2 = best_open_year_kwh_m2(sky.roofs, job.config.irradiation.albedo)
    rules = layout_rules(job.config.layout, best_kwh_m2)
    cells = _CellsOfSurfaces(job, roofs, light)
    plans = [
        plan_modules(_plane(job, roofs, i), cells.of_plane(i), rules) for i in range(len(roofs))
    ]
    return _joined(job, roofs, plans)


def layout_rules(layout: LayoutConfig, best_kwh_m2: float) -> LayoutRules:
    """The config's rules at a site whose best open plane gets ``best_kwh_m2`` a year."""
    needed_kwh_m2 = layout.min_irradiation_fraction * best_kwh_m2
    return LayoutRules(
        Module(
            layout.module_length_m,
            layout.module_width_m,
            layout.module_power_wp,
            layout.module_gap_m,
        ),
        Margins(
            eaves_m=layout.eaves_m,
            ridge_m=layout.ridge_m,
            verge_m=layout.verge_m,
            obstacle_m=layout.obstacle_m,
            flat_edge_m=layout.flat_edge_m,
        ),
        layout.orientation,
        pitched=Demand(layout.min_pitched_area_m2, needed_kwh_m2),
        flat=Demand(layout.min_flat_area_m2, needed_kwh_m2),
    )


def _plane(job: TileJob, roofs: TileRoofs, i: int) -> Plane:
    building = int(roofs.building[i])
    grid_azimuth = None
    if roofs.is_flat[i] and roofs.racks[i] is None:
        # A level plane falls nowhere; its rows follow the walls.
        grid_azimuth = rack_azimuths(
            job.footprints[building], "south", "building", job.convergence_deg
        )[0]
    return Plane(
        roofs.outline[i],
        roofs.roof_around[i],
        float(roofs.slope_east[i]),
        float(roofs.slope_north[i]),
        bool(roofs.is_flat[i]),
        _is_north_steep(job, roofs, i),
        roofs.obstacles[i],
        roofs.racks[i],
        grid_azimuth,
        float(roofs.no_data_fraction[i]),
        roofs.unmeasured[building],
    )


def _is_north_steep(job: TileJob, roofs: TileRoofs, i: int) -> bool:
    """Too steep for racks, and falling to the side of the pole."""
    assert roofs.receivers is not None
    azimuth_rad = np.radians(roofs.receivers.grid_azimuth[i] + job.convergence_deg)
    towards_pole = np.cos(azimuth_rad) * (1.0 if job.latitude_deg >= 0.0 else -1.0)
    return bool(not roofs.is_flat[i] and towards_pole > 0.0)


class _CellsOfSurfaces:
    """The year's light of every cell of a tile, looked up by the plane it lies on."""

    def __init__(self, job: TileJob, roofs: TileRoofs, light: TileLight) -> None:
        assert roofs.receivers is not None
        assert light.seen is not None
        assert light.open_sky is not None
        self.window, self.roofs, self.receivers = job.window, roofs, roofs.receivers
        self.year_kwh_m2 = light.seen.poa_global_year_kwh_m2
        self.open_kwh_m2 = light.open_sky.poa_global_year_kwh_m2
        n_surface = len(self.receivers.surface_tilt)
        self._order = np.argsort(self.receivers.surface, kind="stable")
        self._start = np.searchsorted(self.receivers.surface[self._order], np.arange(n_surface + 1))

    def of_plane(self, i: int) -> CellLight:
        """Light of the modules on a plane: on its racks, or flush with it."""
        at = self._of_surfaces(i, 1)
        racks, first = self.roofs.racks[i], int(self.roofs.rack_surface[i])
        row = np.round(self.receivers.row[at]).astype(np.int64)
        col = np.round(self.receivers.col[at]).astype(np.int64)
        if racks is None:
            year, open_kwh_m2 = self.year_kwh_m2[at][None], float(self.open_kwh_m2[i])
            return CellLight(self.window, row, col, year, open_kwh_m2)
        years, opens = [], []
        n_height = len(HEIGHT_FRACTIONS)
        for facing in range(len(racks.azimuths_deg)):
            surface = first + facing * n_height
            of_heights = self.open_kwh_m2[surface : surface + n_height]
            on_rack = self._of_surfaces(surface, n_height)
            # A cell stands for one height on the module; what the row in front takes from that
            # height is exchanged for what it takes on average.
            share = of_heights.mean() / of_heights[self.receivers.surface[on_rack] - surface]
            years.append(self.year_kwh_m2[on_rack] * share)
            opens.append(of_heights.mean())
        return CellLight(self.window, row, col, np.stack(years), float(np.mean(opens)))

    def _of_surfaces(self, first: int, n: int) -> np.ndarray:
        """Receivers of consecutive surfaces, in their own order."""
        return np.sort(self._order[self._start[first] : self._start[first + n]])


def _joined(job: TileJob, roofs: TileRoofs, plans: list[ModulePlan]) -> TileLayout:
    """Modules of all planes as one set of arrays; ``plans`` is empty for a tile without roofs."""
    n_modules = np.array([0 if p.layout is None else p.layout.n for p in plans], dtype=np.int32)
    tilt, grid_azimuth = [np.zeros(0)], [np.zeros(0)]
    plane_tilt, plane_azimuth = np.full((2, len(plans)), np.nan)
    for i, plan in enumerate(plans):
        if plan.layout is None:
            continue
        tilts, azimuths = _facings(roofs, i)
        tilt.append(np.full(plan.layout.n, tilts))
        grid_azimuth.append(azimuths[plan.layout.facing])
        plane_tilt[i] = tilts
        plane_azimuth[i] = azimuths[0] if len(azimuths) == 1 else np.nan
    layouts = [plan.layout for plan in plans if plan.layout is not None]
    return TileLayout(
        usable_area_m2=np.array([plan.usable_area_m2 for plan in plans]),
        n_modules=n_modules,
        module_tilt=plane_tilt,
        module_grid_azimuth=plane_azimuth,
        reason=tuple(
            _reason(plan, bool(job.is_monument[building]))
            for plan, building in zip(plans, roofs.building.tolist(), strict=True)
        ),
        roof=np.repeat(np.arange(len(plans), dtype=np.int32), n_modules),
        corners=np.concatenate([*(one.corners for one in layouts), np.zeros((0, 4, 2))]),
        row=np.concatenate([*(one.row for one in layouts), np.zeros(0, np.int32)]),
        column=np.concatenate([*(one.column for one in layouts), np.zeros(0, np.int32)]),
        is_portrait=np.concatenate([*(one.is_portrait for one in layouts), np.zeros(0, bool)]),
        tilt=np.concatenate(tilt),
        grid_azimuth=np.concatenate(grid_azimuth),
        poa_global_year_kwh_m2=np.concatenate([*(p.year_kwh_m2 for p in plans), np.zeros(0)]),
    )


def _facings(roofs: TileRoofs, i: int) -> tuple[float, np.ndarray]:
    """Tilt of a plane's modules, and where each facing of them looks in grid north. [°]"""
    racks = roofs.racks[i]
    if racks is not None:
        return racks.tilt_deg, np.array(racks.azimuths_deg)
    assert roofs.receivers is not None
    azimuth = np.nan if roofs.is_level[i] else roofs.receivers.grid_azimuth[i]
    return float(roofs.receivers.surface_tilt[i]), np.array([azimuth])


def _reason(plan: ModulePlan, is_monument: bool) -> str:
    """Why there is no module; a monument's modules are laid, but need a permit."""
    return plan.reason or (MONUMENT if is_monument else "")
