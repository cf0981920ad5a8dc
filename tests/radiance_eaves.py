"""
Exact scenes whose roofs stick out over their walls, and the light below by Radiance.

    python tests/radiance_eaves.py     # rewrites tests/golden/radiance_eaves.csv, some minutes

Needs the extra ``radiance`` (pyradiance). The scenes are those of `radiance_scenes` and a street of
houses. Their roofs are level slabs without thickness that reach half a metre beyond all walls, and
the raster shows them as a surface model would. The package finds walls and points from footprints
and raster; the rays start on the exact planes of the walls, a millimetre before them, at the same
places and heights.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import radiance_scenes as scenes
import shapely
from radiance_scenes import CELL_M, SCENES, SIZE_M, SUNS, Scene
from wall_town import part_of

from solarkataster.config import load_config
from solarkataster.demo import make_town
from solarkataster.facades.receivers import clear_of_surface, wall_receivers
from solarkataster.facades.surface import wall_surface
from solarkataster.facades.walls import building_walls
from solarkataster.footprint_cells import building_cells, cells_inside, footprint_mask
from solarkataster.grid import Grid
from solarkataster.io.weather import read_weather
from solarkataster.receivers import Receivers, join_receivers
from solarkataster.roofs.model import Heights, RoofModel, roof_model
from solarkataster.tiling import building_window

GOLDEN = Path(__file__).parent / "golden" / "radiance_eaves.csv"
PARTS = ("direct", "sky_diffuse")

#: The roofs reach so far beyond the walls. [m]
DEPTH_M = 0.5

#: Eaves this near to the outermost points of a wall are its own. [m]
NEAR_WALL_M = 1.25

#: Points of a scene that are compared, evenly spread over all that the package makes.
N_POINT = 300

STREET = Scene(
    "street of houses", 27.0,
    (
        (6.5, ((-22, 6, -11, 16),)), (8.0, ((-7, 6, 3, 15),)), (5.5, ((8, 7, 20, 16),)),
        (7.0, ((-19, -15, -9, -6),)), (6.0, ((-4, -17, 8, -6),)), (9.0, ((12, -15, 22, -6),)),
    ),
    40.0,
)  # fmt: skip
#: Of the courtyard the inner walls, up to 14.2 m from its middle, are looked at.
EAVES_SCENES = (
    *(replace(scene, looked_at_m=15.0) if scene.inner_only else scene for scene in SCENES),
    STREET,
)


@dataclass(frozen=True)
class Found:
    """What the package makes of a scene: the surface that walls look at, and points on walls."""

    grid: Grid
    #: With the eaves, as measured, and as the walls look at it. [m]
    measured_m: np.ndarray
    surface_m: np.ndarray
    points: Receivers
    #: East, north (on the wall, from the middle), height [m] and facing [°], (n, 4).
    places: np.ndarray
    #: Points made on the walls looked at, for each that is compared.
    made_for_each: float
    #: Middles of cells with eaves, from the middle of the scene, and lines along the walls, by
    #: number of ``points.surface``. [m]
    eaves: np.ndarray
    lines: dict[int, shapely.LineString]

    def before(self, wall: int) -> np.ndarray:
        """The measured surface, cut back before one wall only: the others keep their eaves. [m]"""
        out_m = self.measured_m.copy()
        row, col = np.nonzero(self.measured_m != self.surface_m)
        cut = shapely.dwithin(self.eaves, self.lines[wall], NEAR_WALL_M)
        out_m[row[cut], col[cut]] = 0.0
        return out_m


def measured(scene: Scene) -> tuple[Grid, np.ndarray, np.ndarray]:
    """Grid, surface with eaves and footprints of a scene."""
    grid, surface_m, footprints = scenes.raster(scene)
    for (height_m, _), footprint in zip(scene.polygons(), footprints, strict=True):
        roof = footprint.buffer(DEPTH_M, join_style="mitre")
        surface_m[cells_inside(roof, grid)] = height_m
    return grid, surface_m, footprints


def found(scene: Scene) -> Found:
    """Walls and points by the package's own steps, under eaves of known depth."""
    grid, measured_m, footprints = measured(scene)
    terrain_m = np.zeros_like(measured_m)
    mask = footprint_mask(footprints, grid)
    surface_m = wall_surface(
        measured_m, terrain_m, building_cells(footprints, grid), grid.cell_size_m
    )
    parts, places = [], []
    for footprint in footprints:
        window = building_window(grid, footprint, 1.5)
        part = part_of(grid, window)
        heights = Heights.of_raster(window, measured_m[part], terrain_m[part])
        model = roof_model(heights, footprint, free=~mask[part] | cells_inside(footprint, window))
        assert isinstance(model, RoofModel), model
        walls = building_walls(footprint, model, grid, measured_m, terrain_m, footprints)
        depth_m = np.full(len(walls.segments.sides), DEPTH_M)
        made = wall_receivers(walls, grid, depth_m=depth_m)
        clear = clear_of_surface(made, walls, footprint, grid, surface_m, terrain_m)
        assert len(clear) == len(made)  # none of them is buried
        parts.append(clear.receivers)
        facing = clear.receivers.grid_azimuth[clear.receivers.surface]
        east, north = clear.easting_m - grid.centre[0], clear.northing_m - grid.centre[1]
        places.append(np.column_stack([east, north, clear.receivers.elevation_m, facing]))
    points, places = join_receivers(parts), np.concatenate(places)
    near = np.flatnonzero(np.hypot(places[:, 0], places[:, 1]) <= scene.looked_at_m)
    some = near[np.unique(np.linspace(0, len(near) - 1, N_POINT).round().astype(int))]
    row, col = np.nonzero(measured_m != surface_m)
    east_m, north_m = (col + 0.5) * CELL_M - SIZE_M / 2, SIZE_M / 2 - (row + 0.5) * CELL_M
    lines = {
        int(wall): shapely.LineString(places[points.surface == wall][[0, -1], :2])
        for wall in np.unique(points.surface[some])
    }
    return Found(
        grid, measured_m, surface_m, picked(points, some), places[some], len(near) / len(some),
        shapely.points(east_m, north_m), lines,
    )  # fmt: skip


def picked(points: Receivers, which: np.ndarray) -> Receivers:
    """Some of the points, on as many planes as before."""
    names = ("row", "col", "elevation_m", "surface", "top_tangent")
    return replace(points, **{name: getattr(points, name)[which] for name in names})


# Radiance


def scene_text(scene: Scene) -> str:
    """The scene in Radiance's words, with its eaves."""
    lines = [scenes.scene_text(scene)]
    # Grown with square corners the boxes of a building join to its outline, grown likewise.
    for k, (height_m, outline) in enumerate(scene.boxes()):
        slab = shapely.orient_polygons(outline.buffer(DEPTH_M, join_style="mitre"))
        corners = np.array(slab.exterior.coords)[:-1]
        text = " ".join(f"{x:.9g} {y:.9g} {height_m}" for x, y in corners)
        lines.append(f"roof polygon eaves{k} 0 0 {3 * len(corners)} {text}")
    return "\n".join(lines)


def direct_light(scene: Scene, year: pd.DataFrame, places, pr) -> np.ndarray:
    """Direct light of places on walls. [kWh/m²]"""
    text = f"{scene_text(scene)}\n{scenes.suns_text(year)}"
    with tempfile.TemporaryDirectory() as name:
        return scenes.traced(text, places, Path(name), pr, *SUNS, "-ab", 0, "-lw", 1e-3)


def sky_light(scene: Scene, year: pd.DataFrame, places, pr, n_ray: int = 6144) -> np.ndarray:
    """Light of the sky, without reflections. [kWh/m²]"""
    with tempfile.TemporaryDirectory() as name:
        text = scenes.sky_text(scene_text(scene), year, Path(name), pr)
        return scenes.traced(
            text, places, Path(name), pr, *SUNS, "-ab", 1, "-ad", n_ray, "-lw", 1e-7
        )


def main() -> None:
    import pyradiance as pr

    with tempfile.TemporaryDirectory() as name:
        config = load_config(make_town().write(Path(name)))
        weather = read_weather(Path(name) / "weather.csv", config.weather)
    year = scenes.hours_of(weather)
    parts = []
    for scene in EAVES_SCENES:
        places = found(scene).places
        frame = pd.DataFrame(places, columns=["east_m", "north_m", "height_m", "azimuth_deg"])
        light = {
            "direct": direct_light(scene, year, places, pr),
            "sky_diffuse": sky_light(scene, year, places, pr),
        }
        parts.append(frame.assign(**light, scene=scene.name))
        sys.stderr.write(f"{scene.name}: {len(parts[-1])} places\n")
    head = (
        "# Light of a year on walls under eaves 0.5 m deep by Radiance (pyradiance 1.3.1,\n"
        "# Linux) [kWh/m2], written by tests/radiance_eaves.py.\n"
    )
    table = pd.concat(parts).round(
        dict.fromkeys((*PARTS, "east_m", "north_m", "height_m"), 4) | {"azimuth_deg": 3}
    )
    GOLDEN.write_text(head + table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")


if __name__ == "__main__":
    main()
