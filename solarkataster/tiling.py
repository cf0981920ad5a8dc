"""Tiles: which square of the municipality does which building, and how far its window reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.roofs.overhang import heights_reach_m


@dataclass(frozen=True)
class Tile:
    """
    One square of the municipality.

    Parameters
    ----------
    name : str
        Index on the tile lattice, ``e<col>_n<row>``: for 1000 m tiles the kilometres of the
        lower left corner. The same place has the same name whatever the raster's extent.
    core : Grid
        The tile's own cells; cores of a raster cover it once, without gaps.
    """

    name: str
    core: Grid


def tiles_of(grid: Grid, size_m: float) -> list[Tile]:
    """
    Cut a raster into tiles that lie on whole multiples of their size.

    Parameters
    ----------
    grid : Grid
        The raster of the whole municipality.
    size_m : float
        Edge of a tile; rounded to whole cells. [m]

    Returns
    -------
    list of Tile
        From north to south, then west to east. Anchored to easting and northing 0, so that a
        larger raster adds tiles and moves none.

    Raises
    ------
    InputError
        If a tile would be smaller than one cell.
    """
    n_cells = round(size_m / grid.cell_size_m)
    if n_cells < 1:
        raise InputError(
            f"tile size {size_m:g} m is smaller than one cell ({grid.cell_size_m:g} m)",
            expected="at least one cell; 1000 m is usual",
        )
    row_edges = _edges(grid.first_row, grid.shape[0], n_cells)
    col_edges = _edges(grid.first_col, grid.shape[1], n_cells)
    return [
        Tile(
            # Rows grow southwards: the southern edge of lattice row k is at northing -(k + 1).
            f"e{(grid.first_col + left) // n_cells}_n{-((grid.first_row + top) // n_cells) - 1}",
            grid.window(top, left, bottom - top, right - left),
        )
        for top, bottom in row_edges
        for left, right in col_edges
    ]


def _edges(first: int, n: int, step: int) -> list[tuple[int, int]]:
    """Start and stop of each piece of 0..n when cuts lie on multiples of step from -first."""
    inner = range((first // step + 1) * step - first, n, step)
    cuts = [0, *inner, n]
    return list(pairwise(cuts))


def owner_tiles(tiles: Sequence[Tile], footprints: Sequence[shapely.Geometry]) -> np.ndarray:
    """
    The tile that computes each building: the one holding its representative point.

    Parameters
    ----------
    tiles : sequence of Tile
        The tiles of one raster.
    footprints : sequence of shapely geometry, length n_building
        Outlines in the raster's coordinate system; empty ones and None are allowed.

    Returns
    -------
    owner : ndarray, shape (n_building,), int32
        Index into ``tiles``. A point off the raster belongs to the nearest tile, so that no
        building is ever lost; an empty outline belongs to tile 0.
    """
    points = shapely.point_on_surface(np.asarray(footprints, dtype=object))
    points = np.where(shapely.is_empty(points), None, points)
    easting_m, northing_m = shapely.get_x(points), shapely.get_y(points)
    bounds = np.array([tile.core.bounds for tile in tiles])
    wests, norths = np.unique(bounds[:, 0]), np.unique(bounds[:, 3])[::-1]
    known = np.isfinite(easting_m) & np.isfinite(northing_m)
    # Cut positions between columns and rows; a point on an edge belongs to the east and south.
    col = np.searchsorted(wests[1:], np.where(known, easting_m, wests[0]), side="right")
    row = np.searchsorted(-norths[1:], -np.where(known, northing_m, norths[0]), side="right")
    return (row * len(wests) + col).astype(np.int32)


def building_window(grid: Grid, footprint: shapely.Geometry, max_overhang_m: float) -> Grid:
    """
    The cells a building's roof is read from: its bounding box and what its eaves are seen in.

    Always cut from the whole raster's grid, never from a tile's, so that no tile size and no
    rounding changes which cell centres lie inside the outline.
    """
    west_m, south_m, east_m, north_m = footprint.bounds
    margin_m = heights_reach_m(max_overhang_m, grid.cell_size_m) + 2 * grid.cell_size_m
    return grid.crop((west_m - margin_m, south_m - margin_m, east_m + margin_m, north_m + margin_m))


def tile_window(grid: Grid, buildings: Sequence[Grid], reach_m: float) -> Grid:
    """
    The part of the raster a tile reads: each of its buildings whole, and a halo of one reach.

    Parameters
    ----------
    grid : Grid
        The raster of the whole municipality.
    buildings : sequence of Grid
        Windows of the tile's own buildings; empty windows (off the raster) are passed over.
    reach_m : float
        Farthest obstacle that must be seen. [m]

    Returns
    -------
    Grid
        Cut at the raster's edge. Without a building on the raster its shape is (0, 0).
    """
    parts = [part for part in buildings if min(part.shape) > 0]
    if not parts:
        return grid.window(0, 0, 0, 0)
    offsets = np.array([grid.offset_of(part) for part in parts])
    shapes = np.array([part.shape for part in parts])
    halo = grid.cells(reach_m)
    row0, col0 = np.maximum(offsets.min(axis=0) - halo, 0)
    row1, col1 = np.minimum((offsets + shapes).max(axis=0) + halo, grid.shape)
    return grid.window(int(row0), int(col0), int(row1 - row0), int(col1 - col0))
