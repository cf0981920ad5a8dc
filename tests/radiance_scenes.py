"""
Four exact scenes, and the light on their walls by ray tracing with Radiance.

    python tests/radiance_scenes.py     # rewrites tests/golden/radiance_walls.csv, some minutes

Needs the extra ``radiance`` (pyradiance). The sky is Radiance's own: a sun and the parameters of
gendaylit for each bright hour of the year, or of twelve days for what is reflected. One reflection
exactly: of the sun's light with one ambient
bounce and no sky; of the sky's light with two bounces less one, and no sun.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from all_weather_reference import radiance, vectors
from numba import njit
from shapely import affinity

from solarkataster.all_weather import month_radiance
from solarkataster.config import load_config
from solarkataster.demo import make_town
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.io.weather import read_weather
from solarkataster.receivers import Receivers
from solarkataster.sky import SkySources
from solarkataster.sun import SunPosition, sun_position

GOLDEN = Path(__file__).parent / "golden" / "radiance_walls.csv"
PARTS = ("direct", "sky_diffuse", "reflected_sun", "reflected_sky", "higher")

#: Share that ground, roofs and walls send back.
GROUND, ROOF, WALL = 0.2, 0.25, 0.35

CELL_M, SIZE_M = 0.5, 320.0
WEST_M, SOUTH_M = 400_000.0, 5_600_000.0

#: The day of each month whose hours are lit, drawn once so that clear and dark ones are among them.
DAYS = (17, 5, 28, 11, 22, 8, 19, 3, 14, 25, 7, 20)


@dataclass(frozen=True)
class Scene:
    """
    Flat-roofed buildings on a level plain, turned about the middle.

    Buildings are tuples of boxes (west, south, east, north) of one height; sensors stand on the
    walls whose middles lie within ``looked_at_m`` of the middle of the scene. [m]
    """

    name: str
    turn_deg: float
    buildings: tuple[tuple[float, tuple[tuple[float, float, float, float], ...]], ...]
    looked_at_m: float
    inner_only: bool = False

    def polygons(self) -> list[tuple[float, shapely.Polygon]]:
        """Height and outline of each building, from the middle. [m]"""
        return [
            (height_m, self._turned(shapely.union_all([shapely.box(*box) for box in boxes])))
            for height_m, boxes in self.buildings
        ]

    def boxes(self) -> list[tuple[float, shapely.Polygon]]:
        """The same, box by box."""
        return [
            (height_m, self._turned(shapely.box(*box)))
            for height_m, boxes in self.buildings
            for box in boxes
        ]

    def _turned(self, outline):
        return affinity.rotate(outline, self.turn_deg, origin=(0.0, 0.0))

    def sensors(self) -> np.ndarray:
        """East, north, height [m] and facing [°] of places on the walls, (n, 4)."""
        out = []
        for height_m, outline in self.polygons():
            outline = shapely.orient_polygons(outline)
            rings = list(outline.interiors) if self.inner_only else shapely.get_rings(outline)
            for ring in rings:
                corners = np.array(ring.coords)
                for a, b in pairwise(corners):
                    out += _on_side(a, b, height_m, self.looked_at_m)
        return np.array(out)


def _on_side(a, b, height_m, within_m):
    """Sensors every 4 m or so along a side and 3 m or so up; at least two by two."""
    length_m = np.hypot(*(b - a))
    if np.hypot(*(a + b)) / 2 > within_m:
        return []
    n, m = max(2, round(length_m / 4.0)), max(2, round(height_m / 3.0))
    facing = np.degrees(np.arctan2(b[1] - a[1], -(b[0] - a[0]))) % 360.0
    return [
        (*(a + (i + 0.5) / n * (b - a)), (k + 0.5) / m * height_m, facing)
        for i in range(n)
        for k in range(m)
    ]


SCENES = (
    Scene(
        "street canyon", 12.0,
        ((15.0, ((-20, -45, -8, 45),)), (12.0, ((8, -45, 20, 45),))), 15.0,
    ),
    Scene(
        "courtyard", 33.0,
        ((12.0, ((-20, -20, -10, 20), (10, -20, 20, 20), (-10, 10, 10, 20), (-10, -20, 10, -10))),),
        40.0, inner_only=True,
    ),
    Scene("L-shape", 20.0, ((9.0, ((-16, -10, 16, 0), (-16, 0, -5, 18))),), 40.0),
    Scene(
        "tower beside low houses", 7.0,
        (
            (40.0, ((-8, -8, 8, 8),)),
            (6.0, ((-8, 20, 4, 29),)), (6.0, ((9, 20, 21, 29),)),
            (6.0, ((20, -6, 29, 6),)), (6.0, ((-30, -6, -21, 6),)), (7.0, ((-6, -31, 8, -22),)),
        ),
        27.0,
    ),
)  # fmt: skip


def raster(scene: Scene) -> tuple[Grid, np.ndarray, np.ndarray]:
    """Grid, surface and footprints of a scene."""
    n = round(SIZE_M / CELL_M)
    grid = Grid((n, n), WEST_M, SOUTH_M + SIZE_M, CELL_M, "EPSG:25832")
    surface_m = np.zeros(grid.shape, dtype=np.float32)
    footprints = []
    for height_m, outline in scene.polygons():
        footprints.append(affinity.translate(outline, *grid.centre))
        surface_m[cells_inside(footprints[-1], grid)] = height_m
    return grid, surface_m, np.array(footprints, dtype=object)


def receivers(sensors: np.ndarray, grid: Grid) -> Receivers:
    """The same places half a cell before the wall, columns together."""
    east, north, up, facing = sensors.T
    azimuths, surface = np.unique(np.round(facing, 6), return_inverse=True)
    out_m = CELL_M / 2
    row, col = grid.row_col(
        grid.centre[0] + east + out_m * np.sin(np.radians(facing)),
        grid.centre[1] + north + out_m * np.cos(np.radians(facing)),
    )
    return Receivers(row, col, up, surface, np.full(len(azimuths), 90.0), azimuths)


def hours_of(weather, days=None) -> pd.DataFrame:
    """Bright hours of the year, or of one day a month: sun [°], dni, dhi and extra [Wm⁻²]."""
    keep = weather.ghi > 5.0
    if days is not None:
        keep &= np.array([days[time.month - 1] == time.day for time in weather.times])
    middles = weather.times[keep] + pd.Timedelta(minutes=30)
    sun = sun_position(middles, weather.latitude, weather.longitude, weather.elevation_m)
    hours = pd.DataFrame(
        {
            "month": weather.times[keep].month - 1,
            "elevation": sun.elevation_deg,
            "azimuth": sun.azimuth_deg,
            "bhi": weather.bhi[keep],
            "dhi": weather.dhi[keep],
            "extra": sun.dni_extra,
        }
    )
    hours = hours[hours["elevation"] > 2.0].reset_index(drop=True)
    sine = np.sin(np.radians(hours["elevation"]))
    hours["dni"] = np.minimum(hours["bhi"] / sine, 1000.0)
    return hours


def sources_of(hours: pd.DataFrame) -> SkySources:
    """The same suns and skies as the package has them."""
    month = hours["month"].to_numpy()
    dni, dhi = hours["dni"].to_numpy(), hours["dhi"].to_numpy()
    sun = SunPosition(
        hours["elevation"].to_numpy(), hours["azimuth"].to_numpy(), np.zeros(len(hours)),
        hours["extra"].to_numpy(),
    )  # fmt: skip
    sine = np.sin(np.radians(sun.elevation_deg))
    return SkySources(
        sun.elevation_deg, sun.azimuth_deg, month, dni / 1e3, np.zeros(len(hours)), np.zeros(12),
        np.zeros(12), np.bincount(month, (dni * sine + dhi) / 1e3, 12),
        month_radiance(dhi, dni, sun, month, dhi / 1e3), {},
    )  # fmt: skip


# Radiance


def sky_map(hours: pd.DataFrame, pr) -> np.ndarray:
    """Sum of the hours' radiance by elevation 0 to 90° and azimuth 0 to 360°. [kWh/m²/sr]"""
    elevation, azimuth = np.arange(0.0, 91.0), np.arange(0.0, 361.0, 2.0)
    towards = vectors(elevation[:, None], azimuth[None, :])
    # What a level plane gets of the map as Radiance reads it: linear between its values.
    fine = np.radians(np.arange(0.05, 90.0, 0.1))
    per_row = np.zeros(91)
    share = np.degrees(fine) % 1.0
    for rows, part in (
        (np.degrees(fine).astype(int), 1.0 - share),
        (np.degrees(fine).astype(int) + 1, share),
    ):
        np.add.at(per_row, rows, part * np.sin(fine) * np.cos(fine) * np.radians(0.1))
    out = np.zeros(towards.shape[:2])
    for hour in hours.itertuples():
        zenith = np.radians(90.0 - hour.elevation)
        clear = ((hour.dhi + hour.dni) / hour.dhi + 1.041 * zenith**3) / (1.0 + 1.041 * zenith**3)
        airmass = 1.0 / (np.cos(zenith) + 0.15 * (hour.elevation + 3.885) ** -1.253)
        text = subprocess.run(
            [Path(pr.BINPATH) / "gendaylit", "-ang", f"{hour.elevation:.6f}", "0", "-P",
             f"{clear:.6f}", f"{hour.dhi * airmass / hour.extra:.6f}", "-O", "1", "-w"],
            capture_output=True, check=True, text=True,
        ).stdout  # fmt: skip
        words = text[text.index("perezlum.cal") :].split()
        a, b, c, d, e = (float(word) for word in words[5:10])
        sky = patches(a, b, c, d, e, tuple(vectors(hour.elevation, hour.azimuth)), towards)
        level = (sky[:, :-1].mean(axis=1) * per_row).sum() * 2.0 * np.pi
        out += hour.dhi / 1e3 / level * sky
    return out


@njit
def patches(a, b, c, d, e, sun, towards):
    out = np.empty(towards.shape[:2])
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            way = (towards[i, j, 0], towards[i, j, 1], towards[i, j, 2])
            out[i, j] = radiance(a, b, c, d, e, sun, way)
    return out


def scene_text(scene: Scene) -> str:
    """The scene in Radiance's words."""
    lines = [
        f"void plastic {name} 0 0 5 {share} {share} {share} 0 0"
        for name, share in (("ground", GROUND), ("roof", ROOF), ("wall", WALL))
    ]
    far = 3000
    lines.append(
        f"ground polygon plain 0 0 12 {-far} {-far} 0 {far} {-far} 0 {far} {far} 0 {-far} {far} 0"
    )
    for k, (height_m, outline) in enumerate(scene.boxes()):
        corners = np.array(shapely.orient_polygons(outline).exterior.coords)[:-1]
        top = " ".join(f"{x:.9g} {y:.9g} {height_m}" for x, y in corners)
        lines.append(f"roof polygon roof{k} 0 0 {3 * len(corners)} {top}")
        for i, (a, b) in enumerate(zip(corners, np.roll(corners, -1, axis=0), strict=True)):
            side = f"{a[0]:.9g} {a[1]:.9g} 0 {b[0]:.9g} {b[1]:.9g} 0 "
            side += f"{b[0]:.9g} {b[1]:.9g} {height_m} {a[0]:.9g} {a[1]:.9g} {height_m}"
            lines.append(f"wall polygon wall{k}_{i} 0 0 12 {side}")
    return "\n".join(lines)


def suns_text(hours: pd.DataFrame) -> str:
    """Each sun as a disc half a degree wide."""
    solid = 2.0 * np.pi * (1.0 - np.cos(np.radians(0.533 / 2)))
    lines = []
    for i, hour in enumerate(hours[hours["dni"] > 0].itertuples()):
        east, north, up = vectors(hour.elevation, hour.azimuth)
        light = hour.dni / 1e3 / solid
        lines.append(f"void light sun{i} 0 0 3 {light:.8g} {light:.8g} {light:.8g}")
        lines.append(f"sun{i} source disc{i} 0 0 4 {east:.8g} {north:.8g} {up:.8g} 0.533")
    return "\n".join(lines)


def sky_text(town: str, hours: pd.DataFrame, folder: Path, pr) -> str:
    """The scene under the sky of some hours, whose values go to files of the folder."""
    values = sky_map(hours, pr)
    data = folder / "sky.dat"
    data.write_text(
        f"2\n0 90 {values.shape[0]}\n0 360 {values.shape[1]}\n"
        + "\n".join(f"{v:.7g}" for v in values.ravel())
    )
    (folder / "sky.cal").write_text(
        "alt = asin(Dz)*180/PI; azi = mod(atan2(Dx,Dy)*180/PI+360,360);"
    )
    return (
        f"{town}\nvoid brightdata map 5 noop {data} {folder / 'sky.cal'} alt azi 0 0\n"
        "map glow light 0 0 4 1 1 1 0\nlight source sky 0 0 4 0 0 1 180\n"
    )


def traced(text: str, sensors: np.ndarray, folder: Path, pr, *params) -> np.ndarray:
    """Irradiance of places a millimetre before their walls. [kWh/m²]"""
    octree = folder / "scene.oct"
    octree.write_bytes(pr.oconv(stdin=text.encode(), warning=False))
    east, north, up, facing = sensors.T
    out = vectors(0.0, facing)
    at = np.column_stack([east, north, up]) + 1e-3 * out
    rays = "\n".join(" ".join(f"{v:.9g}" for v in row) for row in np.hstack([at, out]))
    got = pr.rtrace(
        rays.encode(), octree, header=False, irradiance=True, params=[str(p) for p in params]
    )
    return np.array(got.split(), dtype=float).reshape(-1, 3)[:, 0]


SUNS = ("-dt", 0, "-dc", 1, "-ds", 0, "-dj", 0, "-dr", 0, "-aa", 0, "-as", 0)


def ray_traced(scene: Scene, hours, year, sensors, pr, n_ray=1536) -> pd.DataFrame:
    """Light of the sensors: direct and sky light of ``year``, reflected light of ``hours``."""
    with tempfile.TemporaryDirectory() as name:
        folder, town = Path(name), scene_text(scene)

        def sky(of):
            return sky_text(town, of, folder, pr)

        def run(text, bounces, n, weight, *more):
            return traced(
                text, sensors, folder, pr, *SUNS, "-ab", bounces, "-ad", n, "-lw", weight, *more
            )

        out = {"direct": run(f"{town}\n{suns_text(year)}", 0, 1, 1e-3)}
        out["sky_diffuse"] = run(sky(year), 1, 4 * n_ray, 1e-7)
        suns = f"{town}\n{suns_text(hours)}"
        no_bounce = run(suns, 0, 1, 1e-3)
        once = run(suns, 1, n_ray, 1e-7)
        out["reflected_sun"] = once - no_bounce
        of_hours = sky(hours)
        seen = run(of_hours, 1, 4 * n_ray, 1e-7)
        sent = run(of_hours, 2, n_ray, 1e-6)
        out["reflected_sky"] = sent - seen
        out["higher"] = (
            run(suns, 3, n_ray // 4, 1e-5) - once + run(of_hours, 4, n_ray // 4, 1e-5) - sent
        )
    frame = pd.DataFrame(sensors, columns=["east_m", "north_m", "height_m", "azimuth_deg"])
    return frame.assign(**out)


def main() -> None:
    import pyradiance as pr

    with tempfile.TemporaryDirectory() as name:
        config = load_config(make_town().write(Path(name)))
        weather = read_weather(Path(name) / "weather.csv", config.weather)
    hours, year = hours_of(weather, DAYS), hours_of(weather)
    write(
        [
            ray_traced(scene, hours, year, scene.sensors(), pr).assign(scene=scene.name)
            for scene in SCENES
        ]
    )


def write(parts: list[pd.DataFrame]) -> None:
    head = (
        "# Light on walls by Radiance (pyradiance 1.3.1 from PyPI, Linux) [kWh/m2], written by\n"
        "# tests/radiance_scenes.py: direct and sky_diffuse of a year, the others of twelve days.\n"
    )
    table = pd.concat(parts).round({name: 4 for name in (*PARTS, "east_m", "north_m")})
    text = table.round({"azimuth_deg": 3}).to_csv(index=False, lineterminator="\n")
    GOLDEN.write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
