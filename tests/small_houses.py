"""Small made-up houses with eaves and verges of known depth, as cells or as laser points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.roofs.overhang import Overhang, roof_overhang
from solarkataster.roofs.planes import find_roof_planes

EAVES_M, GROUND_M = 108.0, 103.0
LENGTH_M, WIDTH_M = 12.0, 9.0


@dataclass(frozen=True)
class House:
    """A gabled or flat house, ridge along its length, with the true overhang of its four sides."""

    grid: Grid
    elevation_m: np.ndarray
    footprint: shapely.Polygon
    roof: shapely.Polygon
    faces: float
    depths_m: tuple[float, float, float, float]
    across_m: np.ndarray
    along_m: np.ndarray
    offset_east_m: np.ndarray | None = None
    offset_north_m: np.ndarray | None = None

    def overhang(self, **changes) -> Overhang:
        inside = cells_inside(self.footprint, self.grid)
        offsets = {
            "offset_east_m": self.offset_east_m,
            "offset_north_m": self.offset_north_m,
        }
        planes = find_roof_planes(self.elevation_m, inside, self.grid.cell_size_m, **offsets)
        arguments = {"free": np.ones(self.grid.shape, dtype=bool)} | offsets | changes
        return roof_overhang(planes, self.elevation_m, self.footprint, self.grid, **arguments)

    def by_side(self, overhang: Overhang) -> list[int]:
        """Which of the found sides faces downhill, uphill, along the ridge and against it."""
        along = overhang.end - overhang.start
        towards = np.degrees(np.arctan2(along[:, 1], -along[:, 0]))
        turned = [self.faces, self.faces + 180.0, self.faces - 90.0, self.faces + 90.0]
        apart = [np.abs((towards - azimuth + 180.0) % 360.0 - 180.0) for azimuth in turned]
        return [int(np.argmin(angles)) for angles in apart]


def house(
    faces=20.0,
    *,
    cell_size_m=0.25,
    depths_m=(0.5, 0.6, 0.3, 0.2),
    tilt=38.0,
    noise_m=0.03,
    shift_m=(0.13, 0.07),
    share_of_points=None,
    seed=0,
) -> House:
    """Heights at cell centres, or with ``share_of_points`` at random places in that many cells."""
    n = int(np.ceil((np.hypot(LENGTH_M, WIDTH_M) + 8.0) / cell_size_m))
    grid = Grid((n, n), 400_000.0, 5_600_000.0, cell_size_m, "EPSG:25832")
    centre = grid.west_m + n / 2 * cell_size_m + shift_m[0], grid.north_m - n / 2 * cell_size_m
    rng = np.random.default_rng(seed)
    x = grid.west_m + (np.arange(n) + 0.5) * cell_size_m - centre[0]
    y = grid.north_m - (np.arange(n) + 0.5) * cell_size_m - centre[1] + shift_m[1]
    east, north = np.meshgrid(x, y)
    offsets = (None, None)
    if share_of_points is not None:
        offsets = tuple(rng.uniform(-0.5, 0.5, (2, n, n)) * cell_size_m)
        east, north = east + offsets[0], north + offsets[1]
    downhill = np.sin(np.radians(faces)), np.cos(np.radians(faces))
    across = east * downhill[0] + north * downhill[1]
    along = -east * downhill[1] + north * downhill[0]
    half_length, half_width = LENGTH_M / 2, WIDTH_M / 2
    is_roof = (across < half_width + depths_m[0]) & (across > -half_width - depths_m[1])
    is_roof &= (along < half_length + depths_m[2]) & (along > -half_length - depths_m[3])
    rise_m = np.tan(np.radians(tilt)) * (half_width - np.abs(across))
    elevation_m = np.where(is_roof, EAVES_M + rise_m, GROUND_M)
    elevation_m += rng.normal(0.0, noise_m, elevation_m.shape)
    if share_of_points is not None:
        elevation_m[rng.random(elevation_m.shape) > share_of_points] = np.nan

    def rectangle(down_m, up_m, right_m, left_m):
        corners = [(down_m, right_m), (-up_m, right_m), (-up_m, -left_m), (down_m, -left_m)]
        place = centre[0], centre[1] - shift_m[1]
        return shapely.orient_polygons(
            shapely.Polygon(
                [
                    (
                        place[0] + a * downhill[0] - b * downhill[1],
                        place[1] + a * downhill[1] + b * downhill[0],
                    )
                    for a, b in corners
                ]
            )
        )

    walls = (half_width, half_width, half_length, half_length)
    roof = rectangle(*np.add(walls, depths_m))
    return House(
        grid, elevation_m, rectangle(*walls), roof, faces, depths_m, across, along, *offsets
    )
