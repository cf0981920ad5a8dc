"""The surface that walls look at: roofs end at their walls, so that none stands under its eaves."""

from __future__ import annotations

import numpy as np
import shapely
from scipy import ndimage

from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid

#: Cells this near to the roof's edge may hold roof and ground, or a receiver of the wall below it:
#: it stands half a cell out, up to 0.7 from the middle of its cell. [cells]
MIXED_CELLS = 1.25

#: What is this much higher than the roof beside it is no part of it: a crown, a taller house. [m]
ABOVE_M = 0.3

#: What is lower over the ground than this share of the roof beside it is no part of it either.
ROOF_SHARE = 0.5


def eaves_cells(
    roof_outline: shapely.Geometry,
    grid: Grid,
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    in_footprint: np.ndarray,
    *,
    unseen_m: float = 0.0,
) -> np.ndarray:
    """
    Cells beyond the walls of one building that show its roof.

    Parameters
    ----------
    roof_outline : shapely geometry
        Footprint and overhang, in the coordinates of the grid (`RoofModel.outline`). [m]
    grid : Grid
        A window around the building.
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        Surface and terrain; NaN for no data. [m]
    in_footprint : ndarray of bool, shape (ny, nx)
        Cells of any footprint.
    unseen_m : float
        How far beyond the outline eaves may reach that were not seen: 0 if all were. [m]

    Returns
    -------
    is_eaves : ndarray of bool, shape (ny, nx)
        Cells of the overhang, and those beside its edge that are nearer to the roof than to the
        ground: a raster's edges are smeared.
    """
    in_roof = cells_inside(roof_outline, grid)
    ring = in_roof & ~in_footprint
    reach_m = max(MIXED_CELLS * grid.cell_size_m, unseen_m)
    beside = cells_inside(shapely.buffer(roof_outline, reach_m, quad_segs=2), grid)
    beside &= ~in_roof & ~in_footprint
    roof_m = np.where(in_roof & np.isfinite(elevation_m), elevation_m, -np.inf)
    size = 2 * grid.cells(reach_m) - 1  # 1.25 cells reach over one cell, also across a corner
    roof_m = ndimage.maximum_filter(roof_m, size=max(3, size), mode="constant", cval=-np.inf)
    height_m = elevation_m - terrain_m
    mixed = beside & (height_m > ROOF_SHARE * (roof_m - terrain_m)) & np.isfinite(roof_m)
    return ring | (mixed & (elevation_m <= roof_m + ABOVE_M))


def cut_back(surface_m: np.ndarray, terrain_m: np.ndarray, is_eaves: np.ndarray) -> np.ndarray:
    """
    The surface that walls look at.

    Parameters
    ----------
    surface_m, terrain_m : ndarray, shape (ny, nx)
        What blocks light, and the terrain; NaN for no data. [m]
    is_eaves : ndarray of bool, shape (ny, nx)
        Eaves of all buildings.

    Returns
    -------
    surface_m : ndarray, shape (ny, nx), of the type given
        The terrain where there are eaves and it is known. The roofs opposite lose their eaves too:
        there is one surface for all walls, and what eaves hide of the sky before the wall they
        belong to is far more than what they add to the roof of the house opposite.
    """
    return np.where(is_eaves & np.isfinite(terrain_m), terrain_m, surface_m).astype(
        surface_m.dtype, copy=False
    )
