"""What larger or steeper roofs carry: lift housings, parapets, terraces and wide dormers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import shapely

from solarkataster.demo.layout import Plot
from solarkataster.demo.roofshapes import Part, flat_slopes, shed_dormer

GARAGE = "31001_2463"
#: Draws a building takes from the stream of rooftops, whatever it gets.
N_DRAWS = 12
#: Share of steep roofs without dormers that get a wide one, or a terrace; of flat roofs and garages
#: with a parapet.
_WIDE_SHARE, _TERRACE_SHARE, _PARAPET_SHARE, _RIM_SHARE = 0.22, 0.2, 0.55, 0.35
#: Flat roofs from this size and height on have a lift. [m², storeys]
_LIFT_AREA_M2, _LIFT_STOREYS = 150.0, 3
#: Between two things on a roof. [m]
_APART_M = 0.4


def rooftop(plot: Plot, parts: Sequence[Part], draws: np.ndarray) -> list[Part]:
    """
    Further parts of a building.

    Parameters
    ----------
    plot : Plot
    parts : sequence of Part
        What is there, the main roof first; nothing new overlaps a dormer or a chimney of it.
    draws : ndarray, shape (12,)
        Uniform random numbers that decide.
    """
    if plot.kind == "flat":
        return _lift_housings(plot, parts, draws[:6]) + _parapet(plot, parts[0], draws[6:])
    steep = plot.kind in ("gable", "hip", "l_shape") and plot.tilt_deg >= 34.0
    if not steep or plot.name or any(part.role == "dormer" for part in parts):
        return []
    side = -plot.garden_side if plot.kind == "l_shape" else (1 if draws[1] < 0.5 else -1)
    if draws[0] < _WIDE_SHARE:
        return _fitting(_wide_dormers(plot, parts[0], side, draws[2:]), parts)
    if draws[0] < _WIDE_SHARE + _TERRACE_SHARE:
        return _fitting(_terraces(plot, parts[0], side, draws[2:]), parts)
    return []


def _fitting(candidates: list[Part], parts: Sequence[Part]) -> list[Part]:
    """The first candidate that keeps clear of what is there."""
    taken = np.array([shapely.Polygon(part.corners) for part in parts[1:]])
    for candidate in candidates:
        if (shapely.distance(taken, shapely.Polygon(candidate.corners)) > _APART_M).all():
            return [candidate]
    return []


def _places_m(body: Part, plot: Plot, width_m: float, depth_m: float, draw: float) -> list[float]:
    """Places along a slope with room for a width, the first at random; none if too short."""
    end_m = 0.8 + (depth_m if plot.kind == "hip" else 0.0)
    free_m = body.length_m - 2.0 * end_m - width_m
    if free_m < 0.0:
        return []
    return [((draw + k / 4) % 1.0 - 0.5) * free_m for k in range(4)]


def _wide_dormers(plot: Plot, body: Part, side: int, draws: np.ndarray) -> list[Part]:
    """A shed dormer of 4 to 6 m, where the slope is long enough."""
    width_m = round(4.0 + 2.0 * float(draws[0]), 1)
    front_m = round(1.4 + 0.4 * float(draws[1]), 1)
    setback_m = round(0.6 + 0.6 * float(draws[2]), 1)
    rise = math.tan(math.radians(plot.tilt_deg)) - math.tan(math.radians(7.0))
    reach_m = setback_m + front_m / rise
    if reach_m > body.width_m / 2 - 0.4:
        return []
    return [
        shed_dormer(body, along_m, side, width_m, setback_m, front_m)
        for along_m in _places_m(body, plot, width_m, reach_m, float(draws[3]))
    ]


def _terraces(plot: Plot, body: Part, side: int, draws: np.ndarray) -> list[Part]:
    """A level floor of about 3 × 2.5 m, a sill of roof left in front of it."""
    width_m = round(2.7 + 0.7 * float(draws[0]), 1)
    depth_m = round(2.3 + 0.4 * float(draws[1]), 1)
    setback_m = round(0.8 + 0.4 * float(draws[2]), 1)
    reach_m = setback_m + depth_m
    if reach_m > body.width_m / 2 - 0.6:
        return []
    rise = math.tan(math.radians(plot.tilt_deg))
    sill_m = body.slopes[0].elevation_m - rise * (body.width_m / 2 - setback_m)
    across_m = side * (body.width_m / 2 - setback_m - depth_m / 2)
    return [
        body.part(along_m, across_m, width_m, depth_m, flat_slopes(sill_m - 0.4), role="terrace")
        for along_m in _places_m(body, plot, width_m, reach_m, float(draws[3]))
    ]


def _lift_housings(plot: Plot, parts: Sequence[Part], draws: np.ndarray) -> list[Part]:
    """One on a block of flats, two on a long one: a box over each staircase."""
    body = parts[0]
    if body.length_m * body.width_m < _LIFT_AREA_M2 or plot.storeys < _LIFT_STOREYS:
        return []
    length_m, width_m = (round(2.5 + 1.5 * float(u), 1) for u in draws[:2])
    slopes = flat_slopes(body.slopes[0].elevation_m + round(2.0 + float(draws[2]), 1))
    across_m = round((float(draws[3]) - 0.5) * 0.3 * body.width_m, 1)
    n_lifts = 2 if body.length_m >= 36.0 else 1
    found: list[Part] = []
    for k in range(n_lifts):
        middle_m = ((k + 0.3 + 0.4 * float(draws[4])) / n_lifts - 0.5) * body.length_m
        places_m = [middle_m + shift_m for shift_m in (0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0)]
        boxes = [
            body.part(along_m, across_m, length_m, width_m, slopes, role="lift housing")
            for along_m in places_m
        ]
        found += _fitting(boxes, parts)
    return found


def _parapet(plot: Plot, body: Part, draws: np.ndarray) -> list[Part]:
    """A rim along the walls, as four strips that do not overlap."""
    is_garage = plot.function == GARAGE
    if draws[0] > (_RIM_SHARE if is_garage else _PARAPET_SHARE):
        return []
    width_m = 0.25 if is_garage else round(0.25 + 0.15 * float(draws[1]), 2)
    height_m = round(0.3 + (0.1 if is_garage else 0.6) * float(draws[2]), 2)
    slopes = flat_slopes(body.slopes[0].elevation_m + height_m)
    along_m, across_m = (body.length_m - width_m) / 2, (body.width_m - width_m) / 2
    between_m = body.width_m - 2.0 * width_m
    return [
        body.part(0.0, side * across_m, body.length_m, width_m, slopes, role="parapet")
        for side in (-1, 1)
    ] + [
        body.part(side * along_m, 0.0, width_m, between_m, slopes, role="parapet")
        for side in (-1, 1)
    ]
