"""What is wrong with footprints: for all of them together, and building by building."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.errors import InputError

#: Puts a remark on the i-th building.
Mark = Callable[[int | np.integer, str], None]

#: Names of overlapping neighbours in one mark.
_MAX_NAMES = 3


@dataclass(frozen=True)
class FootprintStates:
    """Faults of each outline, arrays of bool of shape (n_building,)."""

    is_null: np.ndarray
    is_empty: np.ndarray
    is_invalid: np.ndarray

    @property
    def is_bad(self) -> np.ndarray:
        return self.is_null | self.is_empty | self.is_invalid


def footprint_states(footprints: np.ndarray) -> FootprintStates:
    """Null, empty and invalid outlines (OGC simple features, as GEOS checks them)."""
    is_null = shapely.is_missing(footprints)
    is_empty = ~is_null & shapely.is_empty(footprints)
    is_invalid = ~is_null & ~is_empty & ~shapely.is_valid(footprints)
    return FootprintStates(is_null, is_empty, is_invalid)


def bad_footprints_fault(
    where: str, states: FootprintStates, max_fraction: float
) -> InputError | None:
    """More null, empty and invalid outlines than the config allows."""
    n = states.is_bad.size
    n_bad = int(states.is_bad.sum())
    if n == 0:
        expected, remedy = "one row per building", "Is this the right layer?"
        return InputError("has no rows", where=where, expected=expected, remedy=remedy)
    if n_bad <= max_fraction * n:
        return None
    counts = {
        "without geometry": states.is_null,
        "empty": states.is_empty,
        "invalid": states.is_invalid,
    }
    parts = ", ".join(f"{int(which.sum())} {name}" for name, which in counts.items() if which.any())
    return InputError(
        f"{n_bad} of {n} footprints are bad ({n_bad / n:.1%}): {parts}",
        where=where,
        expected=f"at most {max_fraction:.1%} (max_bad_footprints_fraction in [limits])",
        remedy="Repair or drop them; if they are known and meant, raise the limit: the buildings "
        "are then marked.",
    )


def repaired(footprints: np.ndarray) -> np.ndarray:
    """
    Outlines with the invalid ones made valid.

    The areas that the lines enclose are kept (GEOS ``MakeValid``, method structure), as Polygon
    or MultiPolygon; what encloses nothing becomes empty.
    """
    result = footprints.copy()
    for i in np.flatnonzero(footprint_states(footprints).is_invalid):
        valid = shapely.make_valid(footprints[i], method="structure", keep_collapsed=False)
        parts = shapely.get_parts(shapely.get_parts(valid))
        areas = parts[shapely.get_type_id(parts) == shapely.GeometryType.POLYGON]
        result[i] = areas[0] if len(areas) == 1 else shapely.MultiPolygon(list(areas))
    return result


def place_faults(
    where: str,
    footprints: np.ndarray,
    surface: shapely.Geometry,
    terrain: shapely.Geometry,
    max_off_fraction: float,
) -> list[InputError]:
    """
    Footprints against the area of the rasters.

    Parameters
    ----------
    where : str
        The footprint file.
    footprints : ndarray of shapely geometry, shape (n_building,)
        Valid outlines; missing ones are left out.
    surface, terrain : shapely geometry
        Areas that the files of the two models cover.
    max_off_fraction : float
        Share of the footprints that may be off the surface model.

    Returns
    -------
    list of InputError
    """
    known = footprints[~shapely.is_missing(footprints) & ~shapely.is_empty(footprints)]
    if not known.size:
        return []
    shapely.prepare(surface)
    extents = f"footprints {_extent(known)}, surface model {_extent(np.array([surface]))}"
    if not shapely.intersects(surface, known).any():
        return [
            InputError(
                f"no footprint lies on the surface model ({extents})",
                where=where,
                expected="footprints and rasters of the same place",
                remedy="Compare the coordinate systems, or take the files of one place.",
            )
        ]
    off = ~shapely.intersects(surface, shapely.point_on_surface(known))
    if off.mean() > max_off_fraction:
        return [
            InputError(
                f"{int(off.sum())} of {known.size} footprints are off the surface model "
                f"({extents})",
                where=where,
                expected=f"at most {max_off_fraction:.0%} (max_off_raster_fraction in [limits])",
                remedy="Add the missing tiles, or cut the footprints to the area.",
            )
        ]
    return _terrain_faults(where, known, surface, terrain)


def _terrain_faults(
    where: str, footprints: np.ndarray, surface: shapely.Geometry, terrain: shapely.Geometry
) -> list[InputError]:
    shapely.prepare(terrain)
    rest = footprints[~shapely.covered_by(footprints, terrain)]
    # What is off the surface model as well is marked, not stopped.
    seen = shapely.intersection(rest, surface)
    uncovered = seen[~shapely.is_empty(seen) & ~shapely.covered_by(seen, terrain)]
    if not uncovered.size:
        return []
    return [
        InputError(
            f"the terrain model does not cover {uncovered.size} footprints, "
            f"around {_extent(uncovered)}",
            where=where,
            expected="terrain under every footprint that lies on the surface model",
            remedy="Add the missing tiles to dtm in [inputs].",
        )
    ]


def _extent(geometry: np.ndarray) -> str:
    west, south, east, north = shapely.total_bounds(geometry)
    return f"{west:.0f} {south:.0f} {east:.0f} {north:.0f}"


def building_marks(
    building_ids: np.ndarray,
    delivered: np.ndarray,
    footprints: np.ndarray,
    surface: shapely.Geometry,
    min_area_m2: float,
    min_overlap_m2: float,
) -> dict[str, list[str]]:
    """
    What is wrong with single buildings, below the limits that stop a run.

    Parameters
    ----------
    building_ids : ndarray of str, shape (n_building,)
    delivered, footprints : ndarray of shapely geometry, shape (n_building,)
        As they came, and after repair.
    surface : shapely geometry
        Area that the files of the surface model cover.
    min_area_m2, min_overlap_m2 : float
        Smaller footprints are slivers; two that share more overlap. [m²]

    Returns
    -------
    dict of list of str
        By building id, only for buildings with a mark.
    """
    states = footprint_states(delivered)
    marks: dict[str, list[str]] = {}

    def mark(i: int | np.integer, text: str) -> None:
        marks.setdefault(str(building_ids[i]), []).append(text)

    for i in np.flatnonzero(states.is_null):
        mark(i, "footprint has no geometry")
    for i in np.flatnonzero(states.is_empty):
        mark(i, "footprint is empty")
    for i in np.flatnonzero(states.is_invalid):
        reason = shapely.is_valid_reason(delivered[i]).split("[")[0].lower()
        mark(i, f"footprint repaired ({reason})")
    areas_m2 = shapely.area(footprints)
    for i in np.flatnonzero(~states.is_null & ~states.is_empty & (areas_m2 < min_area_m2)):
        mark(i, f"footprint is a sliver of {areas_m2[i]:.2f} m²")
    _mark_cut(mark, footprints, areas_m2, surface)
    _mark_overlaps(mark, building_ids, footprints, min_overlap_m2)
    return marks


def _mark_cut(
    mark: Mark, footprints: np.ndarray, areas_m2: np.ndarray, surface: shapely.Geometry
) -> None:
    shapely.prepare(surface)
    has_area = np.nan_to_num(areas_m2) > 0
    for i in np.flatnonzero(has_area & ~shapely.covered_by(footprints, surface)):
        seen_m2 = shapely.intersection(footprints[i], surface).area
        off = 1.0 - seen_m2 / footprints[i].area
        mark(i, f"{off:.1%} of the footprint is outside the surface model")


def _mark_overlaps(
    mark: Mark, building_ids: np.ndarray, footprints: np.ndarray, min_overlap_m2: float
) -> None:
    tree = shapely.STRtree(footprints)
    one, other = tree.query(footprints, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared_m2 = shapely.area(shapely.intersection(footprints[one], footprints[other]))
    neighbours: dict[int, list[tuple[int, float]]] = {}
    for i, j, area_m2 in zip(one, other, shared_m2, strict=True):
        if area_m2 > min_overlap_m2:
            neighbours.setdefault(i, []).append((j, area_m2))
            neighbours.setdefault(j, []).append((i, area_m2))
    for i in sorted(neighbours):
        pairs = sorted(neighbours[i])
        names = ", ".join(f"{building_ids[j]} ({area:.2f} m²)" for j, area in pairs[:_MAX_NAMES])
        more = f" and {len(pairs) - _MAX_NAMES} more" if len(pairs) > _MAX_NAMES else ""
        mark(i, f"footprint overlaps {names}{more}")
