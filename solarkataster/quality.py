"""What ``data_quality`` says about a building for reasons that lie in the data's extent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely

from solarkataster.grid import Grid

#: Hills beyond the surface model hide the low sun; without terrain for them nobody knows.
NO_FAR_TERRAIN = "no far terrain: hills beyond the surface model are not seen"


def edge_marks(footprints: np.ndarray, grid: Grid, reach_m: float) -> list[str]:
    """
    How much of each building is off the raster, or how near the raster's end is.

    Parameters
    ----------
    footprints : ndarray of shapely geometry, shape (n_building,)
    grid : Grid
        The surface model.
    reach_m : float
        Obstacles nearer than this should be seen. [m]

    Returns
    -------
    list of str, length n_building
        Empty where the building lies well inside, or has no geometry.
    """
    bounds = shapely.bounds(footprints)
    west_m, south_m, east_m, north_m = grid.bounds
    room_m = np.minimum(
        np.minimum(bounds[:, 0] - west_m, bounds[:, 1] - south_m),
        np.minimum(east_m - bounds[:, 2], north_m - bounds[:, 3]),
    )
    marks = [""] * len(footprints)
    for i in np.flatnonzero(room_m < reach_m):
        if room_m[i] >= 0:
            marks[i] = f"surface model ends {room_m[i]:.0f} m away"
            continue
        whole_m2 = footprints[i].area
        seen_m2 = shapely.intersection(footprints[i], shapely.box(*grid.bounds)).area
        off = 1.0 - seen_m2 / whole_m2 if whole_m2 > 0 else 1.0
        marks[i] = f"{off:.1%} of the footprint is outside the surface model"
    return marks


def joined_marks(*groups: Iterable[str]) -> str:
    """All remarks once, in order, separated by semicolons."""
    seen = dict.fromkeys(mark for group in groups for mark in group if mark)
    return "; ".join(seen)
