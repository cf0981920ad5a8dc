"""The walls of a building from a city model where that fits, else from footprint and surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.citymodels import CitySurface
from solarkataster.facades.cells import CellFrame
from solarkataster.facades.city_surfaces import city_wall_edges
from solarkataster.facades.city_tops import (
    CLOSED_M,
    PASSAGE_M,
    REACH_M,
    CityRoofs,
    WallTops,
    wall_tops,
)
from solarkataster.facades.segments import SHORT_M, wall_segments
from solarkataster.facades.walls import Walls, building_walls
from solarkataster.grid import Grid
from solarkataster.roofs.model import RoofModel

#: Walls of the model are used if they stand along this share of the footprint's outline. [–]
MIN_COVERED_FRACTION = 0.9

#: A model whose roof is farther from the surface (median over the footprint) shows another state of
#: the building: simplified roofs and small things on them stay below. [m]
MAX_ROOF_OFF_M = 2.0

#: A building of which more stands over the terrain is of another survey, not on stilts. [–]
MAX_OPEN_FRACTION = 0.5

#: Cells of a footprint whose height is compared with the roof.
_MAX_CELLS = 400

#: Why walls do not come from the model.
NOT_IN_MODEL = "not in the LoD2 model"
_INSTEAD = "walls from footprint and surface model"


@dataclass(frozen=True, eq=False)
class CityWalls:
    """
    Walls of a building, and where they come from.

    Attributes
    ----------
    walls : Walls
    is_from_model : bool
        Whether their tops are those of the city model; if not, those of footprint and surface.
    covered_fraction : float
        Share of the outline along which the model has walls; NaN without. [–]
    marks : tuple of str
        What is wrong with the model's walls, what was done about it, and why they are not used.
    """

    walls: Walls
    is_from_model: bool
    covered_fraction: float
    marks: tuple[str, ...]


def lod2_walls(
    surfaces: Sequence[CitySurface],
    footprint: shapely.Polygon | shapely.MultiPolygon,
    model: RoofModel | None,
    grid: Grid,
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    neighbours: np.ndarray,
    *,
    gap_m: float = 0.4,
    short_m: float = SHORT_M,
) -> CityWalls:
    """
    Walls of a building with their tops from a city model (LoD2).

    Parameters
    ----------
    surfaces : sequence of CitySurface
        Of the building, or of all that stand on the footprint; none if the model lacks it.
    footprint, model, grid, elevation_m, terrain_m, neighbours, gap_m, short_m
        As :func:`solarkataster.facades.walls.building_walls` takes them.

    Returns
    -------
    found : CityWalls
        Segments, feet and party walls are those of the footprint, so that receivers, storeys and
        tables need not know the difference.

    Raises
    ------
    InputError
        As `building_walls`.

    Notes
    -----
    A wall of the model belongs to the side of the footprint it stands beside: no farther than half
    a metre and facing the same way within 45°. Its upper edge is the top, gables and steps
    included. The foot is the terrain, since surveys let walls end at the lowest ground of the
    footprint or below; where they end 2 m or more over it there is a passage. The model is not used
    if its walls cover less than 90 % of the outline, or if its roof is more than 2 m off the
    surface.
    """

    def walls_of(tops=None) -> Walls:
        return building_walls(
            footprint, model, grid, elevation_m, terrain_m, neighbours,
            gap_m=gap_m, short_m=short_m, tops=tops,
        )  # fmt: skip

    if not any(surface.kind == "wall" for surface in surfaces):
        found = "LoD2 model has no wall surface here" if surfaces else NOT_IN_MODEL
        return CityWalls(walls_of(), False, np.nan, (f"{found}: {_INSTEAD}",))
    segments = wall_segments(footprint, short_m=short_m)
    start, end = segments.start[segments.order], segments.end[segments.order]
    city = city_wall_edges(surfaces, footprint, segments.origin_m)
    tops = wall_tops(start, end, city.edges, city.roofs)
    frame = CellFrame.of(grid, segments.origin_m)
    tops = tops.with_passages(start, end, terrain_m, frame)
    total_m = float(segments.length_m.sum())
    covered = tops.length_m / total_m
    off_m = _roof_off_m(city.roofs, footprint, segments.origin_m, frame, elevation_m)
    reason = _misfit(tops, covered, off_m)
    if reason:
        return CityWalls(walls_of(), False, covered, (*city.marks, f"{reason}: {_INSTEAD}"))
    return CityWalls(walls_of(tops), True, covered, (*city.marks, *_open_marks(total_m, covered)))


def _misfit(tops: WallTops, covered: float, off_m: float) -> str:
    """Why the model is not used, or nothing."""
    if covered < MIN_COVERED_FRACTION:
        return (
            f"LoD2 walls do not fit the footprint (beside {covered:.0%} of its outline within "
            f"{REACH_M:g} m)"
        )
    if abs(off_m) > MAX_ROOF_OFF_M:
        side = "above" if off_m > 0.0 else "below"
        return f"LoD2 roof lies {abs(off_m):.1f} m {side} the surface model"
    open_m = float((tops.finish - tops.begin)[tops.is_open].sum())
    if open_m > MAX_OPEN_FRACTION * tops.length_m:
        return f"LoD2 walls end {PASSAGE_M:g} m and more above the terrain"
    return ""


def _open_marks(total_m: float, covered: float) -> list[str]:
    """What the walls of a model that fits leave open."""
    open_m = (1.0 - covered) * total_m
    if open_m <= CLOSED_M:
        return []
    return [f"LoD2 walls leave {open_m:.1f} m of the outline open: roof planes or surface there"]


def _roof_off_m(roofs: CityRoofs, footprint, origin_m, frame: CellFrame, elevation_m) -> float:
    """How far the model's roof lies over the surface, median of the cells; 0 if unknown. [m]"""
    bounds = np.array(footprint.bounds).reshape(2, 2) - origin_m
    x, y, z = frame.cells_in(bounds[0], bounds[1], elevation_m)
    inside = np.isfinite(z) & shapely.contains_xy(footprint, x + origin_m[0], y + origin_m[1])
    step = max(1, int(inside.sum()) // _MAX_CELLS)
    x, y, z = (values[inside][::step] for values in (x, y, z))
    off_m = roofs.elevation_m(x, y) - z
    known = off_m[np.isfinite(off_m)]
    return float(np.median(known)) if len(known) else 0.0
