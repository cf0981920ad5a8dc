"""The exact town on a grid: top surface and, per cell, the plane that is on top."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.demo.roofshapes import Building, Part
from solarkataster.demo.terrain import Terrain
from solarkataster.demo.trees import Tree
from solarkataster.grid import Grid


@dataclass(frozen=True)
class Faces:
    """
    Every plane of every part, in the order of buildings, parts and slopes.

    Parameters
    ----------
    slope_east, slope_north : ndarray, shape (n_face,)
        Rise per metre towards grid east and grid north.
    elevation_at_origin_m : ndarray, shape (n_face,)
        Height of the plane at the centre of cell (0, 0) of the town's grid. [m]
    building : ndarray, shape (n_face,), int32
        Position of the building in ``Town.buildings``.
    role : ndarray, shape (n_face,), str
        Role of the part.
    """

    slope_east: np.ndarray
    slope_north: np.ndarray
    elevation_at_origin_m: np.ndarray
    building: np.ndarray
    role: np.ndarray

    @property
    def surface_tilt(self) -> np.ndarray:
        """Tilt from the horizontal, shape (n_face,). [°]"""
        return np.degrees(np.arctan(np.hypot(self.slope_east, self.slope_north)))

    @property
    def grid_azimuth(self) -> np.ndarray:
        """Downhill direction clockwise from grid north, NaN if level, shape (n_face,). [°]"""
        azimuth = np.degrees(np.arctan2(-self.slope_east, -self.slope_north)) % 360.0
        return np.where(np.hypot(self.slope_east, self.slope_north) > 1e-9, azimuth, np.nan)


def faces_of(buildings: list[Building], grid: Grid) -> Faces:
    """The planes of all buildings about the centre of the grid's cell (0, 0)."""
    easting_m = grid.west_m + grid.cell_size_m / 2
    northing_m = grid.north_m - grid.cell_size_m / 2
    rows, roles = [], []
    for i_building, building in enumerate(buildings):
        for part in building.parts:
            for east, north, elevation_m in part.gradients():
                at_origin_m = (
                    elevation_m
                    + east * (easting_m - part.easting_m)
                    + north * (northing_m - part.northing_m)
                )
                rows.append((east, north, at_origin_m, i_building))
                roles.append(part.role)
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Faces(
        table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.int32), np.array(roles, str)
    )


def cell_axes(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Eastings of the columns' and northings of the rows' cell centres. [m]"""
    rows, cols = grid.shape
    return (
        grid.west_m + grid.cell_size_m * (np.arange(cols) + 0.5),
        grid.north_m - grid.cell_size_m * (np.arange(rows) + 0.5),
    )


def exact_surface(
    grid: Grid, terrain: Terrain, buildings: list[Building], trees: list[Tree]
) -> tuple[np.ndarray, np.ndarray]:
    """
    Height of the town at the cell centres of a grid.

    Returns
    -------
    surface_m : ndarray, shape (ny, nx), float64
        Highest of ground, roofs with all that stands on or is sunk into them, and crowns. [m]
    face : ndarray, shape (ny, nx), int32
        1 + position in `faces_of` of the plane on top; 0 on ground and crowns.
    """
    easting_m, northing_m = cell_axes(grid)
    surface_m = terrain.on_axes(easting_m, northing_m)
    face = np.zeros(grid.shape, dtype=np.int32)
    n_before = 1
    for building in buildings:
        for part in building.parts:
            _raise_part(part, n_before, grid, easting_m, northing_m, surface_m, face)
            n_before += len(part.slopes)
    for tree in trees:
        window = _window(grid, tree.bounds)
        crown_m = tree.elevation_m(easting_m[None, window[1]], northing_m[window[0], None])
        higher = crown_m > surface_m[window]
        surface_m[window][higher] = crown_m[higher]
        face[window][higher] = 0
    return surface_m, face


def _raise_part(
    part: Part,
    first_face: int,
    grid: Grid,
    easting_m: np.ndarray,
    northing_m: np.ndarray,
    surface_m: np.ndarray,
    face: np.ndarray,
) -> None:
    """Lift the surface to one part where the part is higher, and note its planes there."""
    window = _window(grid, shapely.Polygon(part.roof_corners).bounds)
    top_m, slope = part.top(easting_m[None, window[1]], northing_m[window[0], None])
    # A terrace is the top wherever it is: sunk into its own building, which comes before it.
    counts = top_m > (-np.inf if part.role == "terrace" else surface_m[window])
    surface_m[window][counts] = top_m[counts]
    face[window][counts] = first_face + slope[counts]


def _window(grid: Grid, bounds: tuple[float, float, float, float]) -> tuple[slice, slice]:
    """Slices of the rows and columns whose centres may lie within bounds."""
    west_m, south_m, east_m, north_m = bounds
    size = grid.cell_size_m
    row0 = math.floor((grid.north_m - north_m) / size - 0.5)
    row1 = math.ceil((grid.north_m - south_m) / size + 0.5)
    col0 = math.floor((west_m - grid.west_m) / size - 0.5)
    col1 = math.ceil((east_m - grid.west_m) / size + 0.5)
    return slice(max(row0, 0), max(row1, 0)), slice(max(col0, 0), max(col1, 0))
