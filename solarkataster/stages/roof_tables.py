"""The roofs of a tile's buildings as one set of arrays, with what their data are worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from solarkataster.checks.points import MIN_DENSITY_PER_M2
from solarkataster.layout.modules import rack_azimuths
from solarkataster.layout.racks import Racks, noon_elevation_deg, rack_receivers
from solarkataster.layout.racks import square_shadow_angle_deg as square_deg
from solarkataster.receivers import Receivers, join_receivers
from solarkataster.roofs.edges import outlines_at_drops, unmeasured_part
from solarkataster.roofs.model import Heights, RoofModel
from solarkataster.roofs.planes import RoofPlanes
from solarkataster.stages.arrays import joined, objects
from solarkataster.stages.job import TileJob, TileRoofs, TileSides, TileSuperstructures

if TYPE_CHECKING:
    from solarkataster.stages.roofs import BuildingRoof

#: A roof of which less than this belongs to no plane is complete. [–]
_OPEN_FRACTION = 0.02

NO_EAVES = "eaves not seen in the heights: roof ends at the footprint"
EAVES_OFF = "overhang is switched off: roof ends at the footprint"


def joined_roofs(job: TileJob, buildings: Sequence[BuildingRoof]) -> TileRoofs:
    """One table of planes and one set of receivers for the whole tile."""
    models = [(i, b.model) for i, b in enumerate(buildings) if b.model is not None]
    counts = [len(model.planes) for _, model in models]
    racks = [rack for i, model in models for rack in _racks(job, job.footprints[i], model)]
    on_roofs = [b.receivers for b in buildings if b.receivers is not None]
    roofs = join_receivers(on_roofs) if on_roofs else None
    receivers, rack_surface = _with_racks(job, roofs, racks)
    return TileRoofs(
        building=np.repeat(np.array([i for i, _ in models], dtype=np.int32), counts),
        number=joined([np.arange(1, n + 1) for n in counts], np.int32),
        outline=np.array([part for _, m in models for part in m.outlines], dtype=object),
        slope_east=joined([m.planes.slope_east for _, m in models]),
        slope_north=joined([m.planes.slope_north for _, m in models]),
        is_level=np.isnan(joined([m.planes.grid_azimuth for _, m in models])),
        is_flat=joined([m.planes.surface_tilt for _, m in models])
        <= job.config.layout.flat_max_tilt_deg,
        no_data_fraction=joined([m.no_data_fraction for _, m in models]),
        obstacles=tuple(taken for _, m in models for taken in _obstacles(m)),
        kind=tuple(kind for _, m in models for kind in m.kinds),
        quality=tuple(text for b in buildings if b.model is not None for text in _plane_remarks(b)),
        roof_around=objects([part for _, m in models for part in outlines_at_drops(m)]),
        racks=tuple(racks),
        rack_surface=rack_surface,
        sides=_sides(buildings),
        superstructures=_superstructures(models),
        receivers=receivers,
        n_on_roof=0 if roofs is None else len(roofs),
        models=tuple(b.model for b in buildings),
        unmeasured=objects([_unmeasured(b) for b in buildings]),
        height_m=np.array([np.nan if b.model is None else b.model.height_m for b in buildings]),
        overhang_m=np.array([_mean_overhang_m(b.model) for b in buildings]),
        reason=tuple(b.reason for b in buildings),
        marks=tuple((*b.marks, *_roof_marks(b)) for b in buildings),
        n_failed=sum(b.is_failed for b in buildings),
    )


def _obstacles(model: RoofModel) -> list[np.ndarray]:
    """Superstructures that take area from each plane."""
    taken = [model.superstructures.on_plane(k) for k in range(1, len(model.planes) + 1)]
    return [
        polygons[shapely.intersects(polygons, outline)]
        for polygons, outline in zip(taken, model.outlines, strict=True)
    ]


def _unmeasured(building: BuildingRoof) -> shapely.Geometry | None:
    if building.model is None or building.heights is None:
        return None
    return unmeasured_part(building.model, building.heights)


def _plane_remarks(building: BuildingRoof) -> list[str]:
    """How well each plane of a building is known."""
    model, heights = building.model, building.heights
    assert isinstance(model, RoofModel)
    assert isinstance(heights, Heights)
    return [
        f"fit {rmse_m:.2f} m; {heights.per_m2:.1f} heights/m²; {share:.0%} without height"
        for rmse_m, share in zip(model.planes.rmse_m, model.no_data_fraction, strict=True)
    ]


def _roof_marks(building: BuildingRoof) -> list[str]:
    """What the roof as a whole lacks."""
    model, heights = building.model, building.heights
    if model is None or heights is None:
        return []
    marks = []
    if heights.offset_east_m is not None and heights.per_m2 < MIN_DENSITY_PER_M2:
        marks.append(f"only {heights.per_m2:.1f} laser points/m² over the footprint")
    if model.open_fraction > _OPEN_FRACTION:
        marks.append(f"no roof plane on {model.open_fraction:.0%} of the roof")
    if model.overhang is None:
        marks.append(EAVES_OFF)
    elif not any(source == "seen" for source in model.overhang.source):
        marks.append(NO_EAVES)
    return marks


def _mean_overhang_m(model: RoofModel | None) -> float:
    """Mean depth of the eaves over the sides where they were measured, by length. [m]"""
    if model is None or model.overhang is None:
        return np.nan
    side = model.overhang
    seen = np.array([source == "seen" for source in side.source], dtype=bool)
    length_m = np.hypot(*(side.end - side.start).T) * seen
    total_m = length_m.sum()
    return float((length_m * np.nan_to_num(side.depth_m)).sum() / total_m) if total_m else np.nan


def _sides(buildings: Sequence[BuildingRoof]) -> TileSides:
    """Straight sides of the footprints with the depth of their eaves."""
    with_sides = [
        (i, b.model.overhang, "surface" if b.heights.offset_east_m is None else "points")
        for i, b in enumerate(buildings)
        if b.model is not None and b.model.overhang is not None and b.heights is not None
    ]
    counts = [len(side.depth_m) for _, side, _ in with_sides]
    return TileSides(
        building=np.repeat(np.array([i for i, _, _ in with_sides], dtype=np.int32), counts),
        number=joined([np.arange(1, n + 1) for n in counts], np.int32),
        start=np.concatenate([*(side.start for _, side, _ in with_sides), np.zeros((0, 2))]),
        end=np.concatenate([*(side.end for _, side, _ in with_sides), np.zeros((0, 2))]),
        overhang_m=joined([side.depth_m for _, side, _ in with_sides]),
        source=tuple(
            seen_in if source == "seen" else source
            for _, side, seen_in in with_sides
            for source in side.source
        ),
    )


def _superstructures(models: list[tuple[int, RoofModel]]) -> TileSuperstructures:
    above = [(i, model.superstructures) for i, model in models]
    first_roof = np.cumsum([0, *(len(model.planes) for _, model in models)])
    counts = [len(one.kind) for _, one in above]
    return TileSuperstructures(
        building=np.repeat(np.array([i for i, _ in above], dtype=np.int32), counts),
        number=joined([np.arange(1, n + 1) for n in counts], np.int32),
        roof=joined(
            [
                one.plane - 1 + first
                for (_, one), first in zip(above, first_roof[:-1].tolist(), strict=True)
            ],
            np.int32,
        ),
        polygon=objects([polygon for _, one in above for polygon in one.polygon]),
        kind=tuple(kind for _, one in above for kind in one.kind),
        height_m=joined([one.height_m for _, one in above]),
    )


def _racks(job: TileJob, footprint: shapely.Geometry, model: RoofModel) -> list[Racks | None]:
    """Racks of each plane that is flat and large enough for any."""
    layout = job.config.layout
    if layout.flat_layout == "flush":
        return [None] * len(model.planes)
    grid_azimuths = rack_azimuths(
        footprint, layout.flat_layout, layout.rack_alignment, job.convergence_deg
    )
    noon_deg = 180.0
    if job.latitude_deg < 0.0:  # the noon sun stands in the north
        noon_deg = 0.0
        grid_azimuths = tuple((azimuth + 180.0) % 360.0 for azimuth in grid_azimuths)
    off_noon_deg = grid_azimuths[0] + job.convergence_deg - noon_deg
    racks = Racks(
        grid_azimuths,
        layout.rack_tilt_deg,
        layout.rack_aisle_m,
        square_deg(noon_elevation_deg(job.latitude_deg), off_noon_deg),
    )
    rises = _rises_towards(model.planes, grid_azimuths[0])
    return [
        replace(racks, rise_to_front=rise)
        if tilt <= layout.flat_max_tilt_deg and outline.area >= layout.min_flat_area_m2
        else None
        for tilt, outline, rise in zip(
            model.planes.surface_tilt, model.outlines, rises, strict=True
        )
    ]


def _rises_towards(planes: RoofPlanes, grid_azimuth: float) -> list[float]:
    """How much each plane rises per metre towards an azimuth; level planes do not. [–]"""
    azimuth_rad = math.radians(grid_azimuth)
    rise = planes.slope_east * math.sin(azimuth_rad) + planes.slope_north * math.cos(azimuth_rad)
    return np.where(np.isnan(planes.grid_azimuth), 0.0, rise).tolist()


def _with_racks(
    job: TileJob, roofs: Receivers | None, racks: list[Racks | None]
) -> tuple[Receivers | None, np.ndarray]:
    """Receivers of roofs and racks, and the first surface of each plane's racks (−1: none)."""
    first_surface = np.full(len(racks), -1, dtype=np.int32)
    if roofs is None:
        return None, first_surface
    racks_of = {i: one for i, one in enumerate(racks) if one is not None}
    layout = job.config.layout
    # Short side up the slope unless that is forbidden; where "best" stands a few modules upright,
    # the shadow of the row in front is as long in proportion.
    is_portrait = layout.orientation == "portrait"
    on_racks = rack_receivers(
        roofs,
        racks_of,
        layout.module_length_m if is_portrait else layout.module_width_m,
        first_row=job.window.first_row,
        first_col=job.window.first_col,
    )
    n_next = len(roofs.surface_tilt)
    for i, one in racks_of.items():
        first_surface[i] = n_next
        n_next += one.n_surface
    return join_receivers([roofs, on_racks]), first_surface
