"""From a plot to a building: which parts stand on it, with all that its roof carries."""

from __future__ import annotations

import math

import numpy as np

from solarkataster.demo.layout import Plot
from solarkataster.demo.roofshapes import (
    Building,
    Part,
    chimney,
    flat_slopes,
    footprint_of,
    gable_dormer,
    gable_slopes,
    hip_slopes,
    shed_dormer,
    shed_slopes,
)
from solarkataster.demo.rooftop import GARAGE, rooftop

#: Floor to floor, and ground to the floor of the ground storey. [m]
STOREY_M = 2.8
PLINTH_M = 0.5
#: Width of the wings round a courtyard. [m]
WING_WIDTH_M = 11.0
#: A dormer's front stands this far behind the eaves in plan, and is this high. [m]
_SETBACK_M, _SHED_FRONT_M, _GABLE_FRONT_M = 1.0, 1.3, 1.0


def erect(
    plot: Plot,
    building_id: str,
    origin_m: tuple[float, float],
    ground_m: float,
    draws: np.ndarray,
    rooftop_draws: np.ndarray,
) -> Building:
    """
    The building on a plot with everything it could carry, roofs ending at the walls.

    Parameters
    ----------
    plot : Plot
    building_id : str
    origin_m : tuple of float
        Easting and northing of the town's south-west corner. [m]
    ground_m : float
        Terrain at the plot's centre. [m]
    draws : ndarray, shape (12,)
        Uniform random numbers that decide about dormers and chimneys.
    rooftop_draws : ndarray, shape (12,)
        The same for `rooftop.rooftop`.
    """
    site = Part(
        origin_m[0] + plot.x_m, origin_m[1] + plot.y_m,
        plot.rotation_rad, plot.length_m, plot.depth_m, (),
    )  # fmt: skip
    eaves_m = ground_m + PLINTH_M + plot.storeys * STOREY_M
    roof = _ROOFS[plot.kind](plot, site, eaves_m, ground_m)
    parts = [*roof, *_dormers(plot, roof[0], draws[:6]), *_chimneys(plot, roof[0], draws[6:])]
    parts += rooftop(plot, parts, rooftop_draws)
    return Building(
        building_id, plot.kind, tuple(parts), footprint_of(roof), ground_m, plot.function, plot.name
    )


def _gable(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    length_m, width_m = site.length_m, site.width_m
    if plot.ridge_across:
        length_m, width_m = width_m, length_m
    slopes = gable_slopes(eaves_m, width_m, plot.tilt_deg)
    return [site.part(0.0, 0.0, length_m, width_m, slopes, turned=plot.ridge_across)]


def _hip(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    slopes = hip_slopes(eaves_m, site.length_m, site.width_m, plot.tilt_deg)
    return [site.part(0.0, 0.0, site.length_m, site.width_m, slopes)]


def _flat(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    return [site.part(0.0, 0.0, site.length_m, site.width_m, flat_slopes(eaves_m))]


def _shed(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    slopes = shed_slopes(eaves_m, site.width_m, plot.tilt_deg)
    return [site.part(0.0, 0.0, site.length_m, site.width_m, slopes)]


def _l_shape(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    """A gable with a narrower and so lower gabled wing towards the garden."""
    main = _gable(plot, site, eaves_m, ground_m)[0]
    width_m = round(min(0.55 * plot.length_m, 0.8 * plot.depth_m), 1)
    length_m = plot.depth_m / 2 + plot.wing_m
    along_m = plot.garden_side * (plot.length_m - width_m) / 2
    wing = site.part(
        along_m, plot.garden_side * length_m / 2, length_m, width_m,
        gable_slopes(eaves_m, width_m, plot.tilt_deg), turned=True,
    )  # fmt: skip
    return [main, wing]


def _courtyard(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    """Four hipped wings of one tilt: their maximum is a roof with mitred corners."""
    width_m = min(WING_WIDTH_M, 0.36 * min(plot.length_m, plot.depth_m))
    wings = []
    for side in (-1, 1):
        slopes = hip_slopes(eaves_m, plot.length_m, width_m, plot.tilt_deg)
        across_m = side * (plot.depth_m - width_m) / 2
        wings.append(site.part(0.0, across_m, plot.length_m, width_m, slopes))
    for side in (-1, 1):
        slopes = hip_slopes(eaves_m, plot.depth_m, width_m, plot.tilt_deg)
        along_m = side * (plot.length_m - width_m) / 2
        wings.append(site.part(along_m, 0.0, plot.depth_m, width_m, slopes, turned=True))
    return wings


def _tower(plot: Plot, site: Part, eaves_m: float, ground_m: float) -> list[Part]:
    """A pyramid, or a level roof, whose highest point is ``top_m`` above the ground."""
    top_m = ground_m + plot.top_m
    if plot.tilt_deg == 0.0:
        return _flat(plot, site, top_m, ground_m)
    half_m = min(site.length_m, site.width_m) / 2
    return _hip(plot, site, top_m - half_m * math.tan(math.radians(plot.tilt_deg)), ground_m)


_ROOFS = {
    "gable": _gable,
    "hip": _hip,
    "flat": _flat,
    "shed": _shed,
    "l_shape": _l_shape,
    "courtyard": _courtyard,
    "tower": _tower,
}


def _dormers(plot: Plot, body: Part, draws: np.ndarray) -> list[Part]:
    """Up to three equal dormers per long slope of a steep gable or hip."""
    if plot.kind not in ("gable", "hip", "l_shape") or plot.tilt_deg < 30.0 or draws[0] > 0.4:
        return []
    rise = math.tan(math.radians(plot.tilt_deg))
    is_shed = draws[1] < 0.5
    width_m = 1.6 + round(1.6 * draws[2], 1) if is_shed else 1.6 + round(0.6 * draws[2], 1)
    depth_m = (
        _SHED_FRONT_M / (rise - math.tan(math.radians(7.0)))
        if is_shed
        else (_GABLE_FRONT_M + math.tan(math.radians(40.0)) * width_m / 2) / rise
    )
    if _SETBACK_M + depth_m > body.width_m / 2 - 0.4:
        return []
    hip_m = _SETBACK_M + depth_m if plot.kind == "hip" else 0.0
    free_m = body.length_m - 2.0 * (0.8 + hip_m)
    n_dormers = min(3, int(free_m / (width_m + 1.5)))
    if plot.kind == "l_shape":
        sides = [-plot.garden_side]  # the wing takes the other slope
    else:
        sides = [-1, 1] if draws[3] < 0.4 else [1 if draws[4] < 0.5 else -1]
    make, front_m = (shed_dormer, _SHED_FRONT_M) if is_shed else (gable_dormer, _GABLE_FRONT_M)
    spacing_m = free_m / max(n_dormers, 1)
    return [
        make(body, (k - (n_dormers - 1) / 2) * spacing_m, side, width_m, _SETBACK_M, front_m)
        for side in sides
        for k in range(n_dormers)
    ]


def _chimneys(plot: Plot, body: Part, draws: np.ndarray) -> list[Part]:
    """A stack beside the ridge of a pitched roof; on a level one, a few low vents."""
    if plot.kind in ("shed", "tower") or plot.function == GARAGE:
        return []
    size_m = 0.6 + round(0.4 * float(draws[1]), 1)
    if plot.kind == "flat":
        n_vents = int(body.length_m / 12.0)
        top_m = body.slopes[0].elevation_m + 1.0
        across_m = (draws[2] - 0.5) * 0.5 * body.width_m
        step_m = body.length_m / max(n_vents, 1)
        places = [(k - (n_vents - 1) / 2) * step_m for k in range(n_vents)]
        return [chimney(body, along_m, across_m, size_m + 0.4, top_m) for along_m in places]
    if draws[0] > 0.8:
        return []
    ridge_m = body.slopes[0].elevation_m
    ridge_half_m = body.length_m / 2
    if plot.kind in ("hip", "courtyard"):
        ridge_half_m = max(0.5, (body.length_m - body.width_m) / 2)
    along_m = (2.0 * draws[2] - 1.0) * (ridge_half_m - 0.5) * 0.7
    across_m = (1.0 if draws[3] < 0.5 else -1.0) * (0.3 + 0.6 * draws[4])
    return [chimney(body, along_m, across_m, size_m, ridge_m + 0.7)]
