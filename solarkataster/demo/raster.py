"""The exact town on a grid: top surface and, per cell, the plane that is on top."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from solarkataster.demo.roofshapes import Building, Part
from solarkataster.demo.terrain import Terrain
from solarkataster.grid import Grid


@dataclass(frozen=True, slots=True)
class Tree:
    """
    A tree: the upper half of an ellipsoid over flat ground.

    Parameters
    ----------
    easting_m, northing_m : float
        Trunk. [m]
    crown_radius_m, height_m : float
        Radius of the crown in plan, top above the ground. [m]
    ground_elevation_m : float
        Terrain at the trunk. [m]
    """

    easting_m: float
    northing_m: float
    crown_radius_m: float
    height_m: float
    ground_elevation_m: float

    def elevation_m(self, easting_m, northing_m) -> np.ndarray:
        """Top of the crown at points, −inf beside it. [m]"""
        east_m = np.asarray(easting_m, dtype=np.float64) - self.easting_m
        north_m = np.asarray(northing_m, dtype=np.float64) - self.northing_m
        inside = 1.0 - (east_m**2 + north_m**2) / self.crown_radius_m**2
        half_m = 0.45 * self.height_m  # the crown takes the upper 90 % of the tree
        crown_m = self.ground_elevation_m + self.height_m - half_m
        return np.where(inside > 0.0, crown_m + half_m * np.sqrt(np.maximum(inside, 0.0)), -np.inf)


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
        Highest of ground, roofs, dormers, chimneys and crowns. [m]
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
        reach_m = tree.crown_radius_m
        window = _window(grid, tree.easting_m, tree.northing_m, reach_m, reach_m)
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
    cos, sin = math.cos(part.rotation_rad), math.sin(part.rotation_rad)
    half_length_m, half_width_m = part.length_m / 2, part.width_m / 2
    window = _window(
        grid,
        part.easting_m,
        part.northing_m,
        abs(half_length_m * cos) + abs(half_width_m * sin),
        abs(half_length_m * sin) + abs(half_width_m * cos),
    )
    east_m = easting_m[None, window[1]] - part.easting_m
    north_m = northing_m[window[0], None] - part.northing_m
    along_m = east_m * cos + north_m * sin
    across_m = north_m * cos - east_m * sin
    lowest_m = np.full(np.broadcast(along_m, across_m).shape, np.inf)
    lowest_face = np.zeros(lowest_m.shape, dtype=np.int32)
    for k, slope in enumerate(part.slopes):
        plane_m = slope.elevation_m + slope.along * along_m + slope.across * across_m
        lower = plane_m < lowest_m
        lowest_m[lower] = plane_m[lower]
        lowest_face[lower] = first_face + k
    higher = (
        (np.abs(along_m) <= half_length_m)
        & (np.abs(across_m) <= half_width_m)
        & (lowest_m > surface_m[window])
    )
    surface_m[window][higher] = lowest_m[higher]
    face[window][higher] = lowest_face[higher]


def _window(
    grid: Grid, easting_m: float, northing_m: float, reach_east_m: float, reach_north_m: float
) -> tuple[slice, slice]:
    """Slices of the rows and columns whose centres may lie within the reach of a point."""
    size = grid.cell_size_m
    row0 = math.floor((grid.north_m - northing_m - reach_north_m) / size - 0.5)
    row1 = math.ceil((grid.north_m - northing_m + reach_north_m) / size + 0.5)
    col0 = math.floor((easting_m - reach_east_m - grid.west_m) / size - 0.5)
    col1 = math.ceil((easting_m + reach_east_m - grid.west_m) / size + 0.5)
    return slice(max(row0, 0), max(row1, 0)), slice(max(col0, 0), max(col1, 0))
