"""What ``data_quality`` says about a building for reasons that lie in the data's extent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import shapely

from solarkataster.grid import Grid

#: Hills beyond the surface model hide the low sun; without terrain for them nobody knows.
NO_FAR_TERRAIN = "no far terrain: hills beyond the surface model are not seen"

#: A winter flight shows branches, not leaves.
WINTER_FLIGHT = "surface model flown without leaves: crowns lower than in summer"

#: A building that a what-if scenario takes away.
REMOVED_MARK = "removed in this scenario"


def edge_marks(footprints: np.ndarray, grid: Grid, reach_m: float) -> list[str]:
    """
    How near each building is to the end of the raster, beyond which no obstacle is known.

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
    return [
        f"surface model ends {max(room, 0.0):.0f} m away" if room < reach_m else ""
        for room in room_m
    ]


def joined_marks(*groups: Iterable[str]) -> str:
    """All remarks once, in order, separated by semicolons."""
    seen = dict.fromkeys(mark for group in groups for mark in group if mark)
    return "; ".join(seen)
