"""Tiny made-up roofs with exact truth: gable, hip and flat, turned to any side, with a chimney."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.grid import Grid

EAVES_M = 108.0


@dataclass(frozen=True)
class SmallRoof:
    """
    A surface model of one roof: heights, footprint cells, outline and grid.

    ``along_m`` and ``across_m`` are the places of the heights; for scattered laser points they lie
    ``offset_east_m`` and ``offset_north_m`` off the cells' centres.
    """

    elevation_m: np.ndarray
    inside: np.ndarray
    footprint: shapely.Polygon
    grid: Grid
    along_m: np.ndarray
    across_m: np.ndarray
    offset_east_m: np.ndarray | None = None
    offset_north_m: np.ndarray | None = None

    def patch(self, along_m: tuple[float, float], across_m: tuple[float, float]) -> np.ndarray:
        """Cells of a rectangle given along and across the ridge from the middle of the roof."""
        return (
            (self.along_m >= along_m[0])
            & (self.along_m < along_m[1])
            & (self.across_m >= across_m[0])
            & (self.across_m < across_m[1])
        )

    def raised(self, cells: np.ndarray, by_m: float) -> SmallRoof:
        """The same roof with some cells higher (lower if negative; NaN: without a height)."""
        return self.with_heights(self.elevation_m + np.where(cells, by_m, 0.0))

    def with_heights(self, elevation_m: np.ndarray) -> SmallRoof:
        return replace(self, elevation_m=elevation_m)


def small_roof(
    kind: str,
    *,
    faces: float = 180.0,
    tilt: float = 35.0,
    length_m: float = 16.0,
    width_m: float = 10.0,
    cell_size_m: float = 0.5,
    noise_m: float = 0.03,
    seed: int = 0,
    scattered: bool = False,
) -> SmallRoof:
    """
    A ``gable``, ``hip``, ``shed`` or ``flat`` roof; one of its slopes faces ``faces``.

    Azimuths are clockwise from grid north, lengths in metres. The outside of the footprint lies
    8 m below the eaves. Off the lattice by a third of a cell, so that nothing is aligned.
    Scattered: laser points on a lattice, one a cell on average, at random places, so that e⁻¹ of
    the cells have none.
    """
    rng = np.random.default_rng(seed)
    n = int(np.ceil((np.hypot(length_m, width_m) + 4.0) / cell_size_m))
    grid = Grid((n, n), 400_000.0, 5_600_000.0, cell_size_m, "EPSG:25832")
    centre = grid.west_m + (n / 2 + 0.33) * cell_size_m, grid.north_m - n / 2 * cell_size_m
    x = grid.west_m + (np.arange(n) + 0.5) * cell_size_m
    y = grid.north_m - (np.arange(n) + 0.5) * cell_size_m
    east, north = np.meshgrid(x - centre[0], y - centre[1])
    centre_east, centre_north, offsets = east, north, (None, None)
    if scattered:
        offsets = tuple(rng.uniform(-0.5, 0.5, (2, n, n)) * cell_size_m)
        east, north = east + offsets[0], north + offsets[1]
    downhill = np.sin(np.radians(faces)), np.cos(np.radians(faces))
    across = east * downhill[0] + north * downhill[1]
    along = -east * downhill[1] + north * downhill[0]
    half_length, half_width = length_m / 2, width_m / 2
    rise = {
        "gable": half_width - np.abs(across),
        "hip": np.minimum(half_width - np.abs(across), half_length - np.abs(along)),
        "shed": half_width - across,
        "flat": np.zeros_like(across),
    }[kind]
    corners = [(half_width, half_length), (half_width, -half_length)]
    corners += [(-half_width, -half_length), (-half_width, half_length)]
    footprint = shapely.Polygon(
        [
            (
                centre[0] + a * downhill[0] - b * downhill[1],
                centre[1] + a * downhill[1] + b * downhill[0],
            )
            for a, b in corners
        ]
    )
    on_roof = (np.abs(across) < half_width) & (np.abs(along) < half_length)
    elevation_m = EAVES_M + np.tan(np.radians(tilt)) * rise
    elevation_m = np.where(on_roof, elevation_m, EAVES_M - 8.0)
    elevation_m += rng.normal(0.0, noise_m, elevation_m.shape)
    if scattered:
        elevation_m[rng.random((n, n)) < np.exp(-1.0)] = np.nan
    centre_across = centre_east * downhill[0] + centre_north * downhill[1]
    centre_along = -centre_east * downhill[1] + centre_north * downhill[0]
    inside = (np.abs(centre_across) < half_width) & (np.abs(centre_along) < half_length)
    return SmallRoof(elevation_m, inside, footprint, grid, along, across, *offsets)
