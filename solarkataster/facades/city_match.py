"""Which buildings of a city model stand on a footprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.citymodels import CitySurface, CitySurfaces

#: A building of the model stands on a footprint if they share this much of the smaller one. [–]
MIN_SHARED_FRACTION = 0.5


@dataclass(frozen=True)
class CityBuilding:
    """
    What a city model has on one footprint.

    Parameters
    ----------
    building_ids : tuple of str
        Of the model, in order; empty if it has nothing there.
    surfaces : tuple of CitySurface
        All of theirs.
    marks : tuple of str
        What could not be read of them.
    """

    building_ids: tuple[str, ...] = ()
    surfaces: tuple[CitySurface, ...] = ()
    marks: tuple[str, ...] = ()


def buildings_on(
    building_ids: Sequence[str], footprints: np.ndarray, found: CitySurfaces
) -> list[CityBuilding]:
    """
    What a city model has on each footprint.

    Parameters
    ----------
    building_ids : sequence of str, length n_building
        Of the footprints.
    footprints : ndarray of shapely geometry, shape (n_building,)
        None and empty ones have nothing. [m]
    found : CitySurfaces
        Whole buildings, all that touch the footprints.

    Returns
    -------
    list of CityBuilding, length n_building
        Every building that shares half of its plan, or half of the footprint's: a cadastre may
        have one outline where the model has two buildings, and the other way round. Where several
        stand in one place, that with the footprint's id is taken; one that stands elsewhere is not
        taken for its id.
    """
    surfaces: dict[str, list[CitySurface]] = {}
    for surface in found.surfaces:
        surfaces.setdefault(surface.building_id, []).append(surface)
    unread: dict[str, int] = {}
    for fault in found.faults:
        unread[fault.building_id] = unread.get(fault.building_id, 0) + (fault.surface_id != "")
    names = sorted(surfaces)
    plans = np.array([plan_of(surfaces[name]) for name in names], dtype=object)
    on: list[list[str]] = [[] for _ in building_ids]
    footprint, plan = shapely.STRtree(plans).query(footprints, predicate="intersects")
    shared_m2 = shapely.area(shapely.intersection(footprints[footprint], plans[plan]))
    least_m2 = np.minimum(shapely.area(footprints[footprint]), shapely.area(plans[plan]))
    stands = shared_m2 >= MIN_SHARED_FRACTION * least_m2
    for i, k in sorted(zip(footprint[stands].tolist(), plan[stands].tolist(), strict=True)):
        on[i].append(names[k])
    plan_by_name = dict(zip(names, plans, strict=True))
    on = [_of_id(str(i), own, plan_by_name) for i, own in zip(building_ids, on, strict=True)]
    return [
        CityBuilding(
            tuple(own),
            tuple(surface for name in own for surface in surfaces[name]),
            _unread_marks(sum(unread.get(name, 0) for name in own)),
        )
        for own in on
    ]


def _of_id(own_id: str, names: list[str], plans: dict[str, shapely.Geometry]) -> list[str]:
    """Buildings without those in the place of the one whose id is meant."""
    if own_id not in names or len(names) == 1:
        return names
    own = plans[own_id]

    def is_apart(name: str) -> bool:
        least_m2 = min(own.area, plans[name].area)
        return shapely.intersection(own, plans[name]).area < MIN_SHARED_FRACTION * least_m2

    return [name for name in names if name == own_id or is_apart(name)]


def plan_of(surfaces: Sequence[CitySurface]) -> shapely.Geometry:
    """Ground plan of a building: of its ground surfaces, else of its roofs; may be empty."""
    for kind in ("ground", "roof"):
        plans = [surface_plan(surface) for surface in surfaces if surface.kind == kind]
        whole = shapely.union_all(plans, grid_size=1e-3)
        if whole.area > 0.0:
            return whole
    return shapely.MultiPolygon()


def surface_plan(surface: CitySurface, origin_m: np.ndarray | None = None) -> shapely.MultiPolygon:
    """
    Area of a surface as seen from above, without its holes; empty if it is upright or a line.

    Parameters
    ----------
    surface : CitySurface
    origin_m : ndarray, shape (2,), optional
        Taken off easting and northing. [m]
    """
    origin_m = np.zeros(2) if origin_m is None else origin_m
    rings = [ring[:, :2] - origin_m for ring in (surface.outer, *surface.holes) if len(ring) >= 3]
    if len(surface.outer) < 3:
        return shapely.MultiPolygon()
    valid = shapely.make_valid(shapely.Polygon(rings[0], rings[1:]))
    # Rings that cross or touch themselves leave lines beside areas, which no overlay takes.
    parts = shapely.get_parts(valid)
    parts = shapely.get_parts(parts[shapely.get_dimensions(parts) == 2])
    return shapely.MultiPolygon(list(parts))


def _unread_marks(n: int) -> tuple[str, ...]:
    if not n:
        return ()
    return (f"LoD2: {n} {'surface' if n == 1 else 'surfaces'} could not be read",)
