"""Which buildings are monuments, or stand in a protected ensemble."""

from __future__ import annotations

import numpy as np
import shapely

#: Neighbours share a wall that two registers draw some centimetres apart: 10 m of wall, 10 cm apart
#: share this much. [m²]
_TOUCH_M2 = 1.0
#: A line that runs along a wall is not the building's; one that crosses it is. [m]
_TOUCH_M = 1.0


def is_monument(footprints: np.ndarray, monuments: np.ndarray) -> np.ndarray:
    """
    Buildings that monuments touch by more than a shared wall.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n_building,)
        Missing and empty ones are no monuments. [m]
    monuments : ndarray of shapely geometry, shape (n_monument,)
        Areas, points or lines, in the same coordinate system. [m]

    Returns
    -------
    ndarray of bool, shape (n_building,)
        True where an area shares more than 1 m² with the footprint (or half of it, or half of the
        area), a point lies inside, or more than 1 m of a line does.
    """
    marked = np.zeros(len(footprints), dtype=bool)
    marked[monument_pairs(footprints, monuments)[1]] = True
    return marked


def monument_kinds(footprints: np.ndarray, monuments: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """
    What kinds of monuments mark each building.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n_building,)
    monuments : ndarray of shapely geometry, shape (n_monument,)
        As for :func:`is_monument`. [m]
    kinds : ndarray of str, shape (n_monument,)
        Empty where unknown.

    Returns
    -------
    ndarray of str, shape (n_building,)
        Kinds in alphabetical order, "; " between them; empty where none is known.
    """
    found: list[set[str]] = [set() for _ in footprints]
    for i, building in zip(*monument_pairs(footprints, monuments), strict=True):
        found[building].add(str(kinds[i]))
    return np.array(["; ".join(sorted(one - {""})) for one in found], dtype=object)


def monument_pairs(footprints: np.ndarray, monuments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Which monument marks which building, by the rule of :func:`is_monument`.

    Returns
    -------
    monument, building : ndarray of int, shape (n_pair,)
        Positions; a pair may stand more than once.
    """
    # Multipoints and collections count part by part.
    parts, owner = shapely.get_parts(monuments, return_index=True)
    tree = shapely.STRtree(footprints)
    part, building = tree.query(parts, predicate="intersects")
    inner = shapely.intersection(parts[part], footprints[building])
    area_m2 = shapely.area(inner)
    least_m2 = np.minimum(shapely.area(footprints[building]), shapely.area(parts[part])) / 2.0
    dimension = shapely.get_dimensions(parts[part])
    hit = (dimension == 2) & (area_m2 > np.minimum(_TOUCH_M2, least_m2))
    line = dimension == 1
    walls = shapely.boundary(footprints[building[line]])
    hit[line] = shapely.length(shapely.difference(inner[line], walls)) > _TOUCH_M
    hit |= (dimension == 0) & shapely.contains_properly(footprints[building], parts[part])
    return owner[part[hit]], building[hit]
