"""Which district each building stands in."""

from __future__ import annotations

import numpy as np
import shapely

#: Borders that two districts draw some centimetres apart are no overlap. [m²]
_OVERLAP_M2 = 1.0


def district_of(
    footprints: np.ndarray, names: np.ndarray, districts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """
    The district that a point inside each footprint lies in.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n_building,)
        Missing and empty ones stand in none. [m]
    names : ndarray of str, shape (n_district,)
    districts : ndarray of shapely geometry, shape (n_district,)
        Areas in the same coordinate system; several may have one name. [m]

    Returns
    -------
    found : ndarray of str, shape (n_building,)
        Where areas overlap, the first name of the alphabet; empty outside all.
    is_doubtful : ndarray of bool, shape (n_building,)
        Points in areas of several names.
    """
    found = np.full(len(footprints), "", dtype=object)
    is_doubtful = np.zeros(len(footprints), dtype=bool)
    there = ~(shapely.is_missing(footprints) | shapely.is_empty(footprints))
    building = np.flatnonzero(there)
    points = shapely.point_on_surface(footprints[building])
    at, district = shapely.STRtree(districts).query(points, predicate="intersects")
    # The last one written stays: the first name of the alphabet.
    for k in np.argsort(names[district], kind="stable")[::-1]:
        i, name = building[at[k]], str(names[district[k]])
        is_doubtful[i] |= found[i] not in ("", name)
        found[i] = name
    return found, is_doubtful


def overlaps_of(names: np.ndarray, districts: np.ndarray) -> list[tuple[str, str, float]]:
    """
    Pairs of districts that share more than 1 m².

    Parameters
    ----------
    names : ndarray of str, shape (n_district,)
    districts : ndarray of shapely geometry, shape (n_district,)
        Valid areas. [m]

    Returns
    -------
    list of (str, str, float)
        Two names in alphabetical order and the area they share, sorted. [m²]
    """
    one, other = shapely.STRtree(districts).query(districts, predicate="intersects")
    rises = np.array([names[i] < names[j] for i, j in zip(one, other, strict=True)], dtype=bool)
    one, other = one[rises], other[rises]
    areas_m2 = shapely.area(shapely.intersection(districts[one], districts[other]))
    shared_m2: dict[tuple[str, str], float] = {}
    for k in np.lexsort((other, one)):
        pair = str(names[one[k]]), str(names[other[k]])
        shared_m2[pair] = shared_m2.get(pair, 0.0) + float(areas_m2[k])
    return sorted((*pair, m2) for pair, m2 in shared_m2.items() if m2 > _OVERLAP_M2)
