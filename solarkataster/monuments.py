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
    parts = shapely.get_parts(monuments)  # of multipoints and collections each on its own
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
    marked[building[hit]] = True
    return marked
