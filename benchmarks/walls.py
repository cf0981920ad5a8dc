"""
Speed and error of the horizon and of the light of walls, ten heights each, from one run.

    python benchmarks/walls.py            # a street town of 400 m, a few minutes on one core
    python benchmarks/walls.py --quick    # of 200 m, two repeats

A made-up town of perimeter blocks: streets and courts, gabled houses 12 to 18 m to the eaves, each
of its own height; columns of receivers half a cell before each wall, one per metre, ten heights
each 1.2 m up; 0.5 m cells. CPU time of the whole process, median of repeats. "Alone": the heights
of a column moved apart by a nanometre, so that each is answered as a receiver of its own; the two
are taken turn by turn, because machines are shared. The error printed beside the speed is that of
the same receivers, a sample of them, against a plain march. With a bounce: what reflects is lit at
24 azimuths, all of it within 100 m of the receivers; its error is that against looks of every
receiver for itself in sixteen times as many directions.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from light import demo_weather
from reference import brute_year, horizons, minute_sky

from solarkataster import reflection
from solarkataster.grid import Grid
from solarkataster.horizon import N_NEAR, faces, horizon_tangents
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers
from solarkataster.reflection import bounce, lit_reflectors
from solarkataster.sky import sky_sources
from solarkataster.sky_table import SkyTable, sky_table

CELL_M, REACH_M = 0.5, 500.0
BLOCK_M, STREET_M, HOUSE_M = 48.0, 16.0, 12.0
N_HEIGHT = 10
HEIGHTS_M = 0.75 + 1.2 * np.arange(N_HEIGHT)
#: Eaves of half a metre, 13.5 m up.
EAVES_M, OVERHANG_M = 13.5, 0.5
N_AZIMUTH, N_AZIMUTH_FEW = 120, 24
WEST_M, NORTH_M = 400_000.0, 5_600_000.0


def street_town(size_m: int, seed: int = 3) -> np.ndarray:
    """Surface heights of blocks about courts, with streets between them. [m]"""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : int(size_m / CELL_M), 0 : int(size_m / CELL_M)] * CELL_M + CELL_M / 2
    u, v = ((axis - STREET_M / 2) % (BLOCK_M + STREET_M) for axis in (x, y))
    behind_m = np.min([u, BLOCK_M - u, v, BLOCK_M - v], axis=0)  # the front towards the street
    n_house = int(size_m // STREET_M) + 1
    eaves_m = rng.uniform(12.0, 18.0, (n_house, n_house))
    eaves_m = eaves_m[(y // STREET_M).astype(int), (x // STREET_M).astype(int)]
    roof_m = eaves_m + 0.7 * np.minimum(behind_m, HOUSE_M - behind_m)
    is_house = (behind_m >= 0) & (behind_m < HOUSE_M)
    return np.where(is_house, roof_m, 0.03 * rng.standard_normal(x.shape))


def blocks(size_m: int) -> np.ndarray:
    """Footprints of the blocks, those at the edge of the town cut off as the surface is."""
    town = shapely.box(WEST_M, NORTH_M - size_m, WEST_M + size_m, NORTH_M)
    corners = np.arange(STREET_M / 2, size_m, BLOCK_M + STREET_M)
    x, y = (axis.ravel() for axis in np.meshgrid(WEST_M + corners, NORTH_M - corners))
    outer = shapely.box(x, y - BLOCK_M, x + BLOCK_M, y)
    inner_m = BLOCK_M - HOUSE_M
    court = shapely.box(x + HOUSE_M, y - inner_m, x + inner_m, y - HOUSE_M)
    rings = shapely.intersection(shapely.difference(outer, court), town)
    return rings[~shapely.is_empty(rings)]


def wall_columns(size_m: int) -> Receivers:
    """Columns half a cell before the walls, towards street and court."""
    x, y, facing = [], [], []
    pitch_m = BLOCK_M + STREET_M
    corners = np.arange(STREET_M / 2, size_m - BLOCK_M - STREET_M / 2 + 1e-9, pitch_m)
    for west_m in corners:
        for north_m in corners:
            for inside_m, turn in ((0.0, 0.0), (HOUSE_M, 180.0)):
                out_m = CELL_M / 2 if turn == 0.0 else -CELL_M / 2
                low, high = inside_m - out_m, BLOCK_M - inside_m + out_m
                # Not on the border between two cells, where a nanometre decides what is nearest.
                along = np.arange(inside_m + 0.6, BLOCK_M - inside_m, 1.0)
                sides = ((along, low), (high, along), (along, high), (low, along))
                for azimuth, (dx, dy) in zip((0.0, 90.0, 180.0, 270.0), sides, strict=True):
                    dx, dy = np.broadcast_arrays(dx, dy)
                    x.append(west_m + dx)
                    y.append(north_m + dy)
                    facing.append(np.full(dx.size, (azimuth + turn) % 360.0))
    n = sum(part.size for part in x)
    azimuth = np.repeat(np.concatenate(facing), N_HEIGHT)
    return Receivers(
        np.repeat(np.concatenate(y), N_HEIGHT) / CELL_M - 0.5,
        np.repeat(np.concatenate(x), N_HEIGHT) / CELL_M - 0.5,
        np.tile(HEIGHTS_M, n),
        (azimuth / 90.0).astype(np.int32),
        np.full(4, 90.0),
        np.arange(0.0, 360.0, 90.0),
    )


def alone(walls: Receivers) -> Receivers:
    """The same receivers, none in the place of another."""
    apart = np.tile(np.arange(N_HEIGHT) * (1e-9 / CELL_M), len(walls) // N_HEIGHT)
    return replace(walls, col=walls.col + apart)


def part(walls: Receivers, which: np.ndarray) -> Receivers:
    """Some of the receivers."""
    return Receivers(
        walls.row[which], walls.col[which], walls.elevation_m[which], walls.surface[which],
        walls.surface_tilt, walls.grid_azimuth, top_tangent=walls.top_tangent[which],
    )  # fmt: skip


def skyline(surface_m: np.ndarray, walls: Receivers, azimuths: np.ndarray) -> np.ndarray:
    """Tangents (n_azimuth, n), whole circle."""
    return horizon_tangents(
        surface_m, CELL_M, walls.row, walls.col, walls.elevation_m, azimuths, reach_m=REACH_M
    )


def sweep(surface_m: np.ndarray, walls: Receivers, azimuths: np.ndarray, circle: bool) -> None:
    """
    The skylines that `light` asks for, each dropped as soon as it is known.

    Behind the wall as well if ``circle``; else those are known beforehand, as they are to `light`.
    """
    for face, directions in faces(
        surface_m, CELL_M, walls.row, walls.col, walls.elevation_m, azimuths, reach_m=REACH_M
    ):
        surface = walls.surface[face.order]
        for i, deviation_deg in directions:
            behind = np.cos(np.radians(azimuths[i] - walls.grid_azimuth)) <= 0
            known = np.where(behind & (not circle), np.inf, 0.0).astype(np.float32)
            face.tangents(deviation_deg, known[surface])


def by_turns(works: dict, repeats: int) -> dict[str, list[float]]:
    """CPU seconds of each work, taken turn by turn."""
    out = {name: [] for name in works}
    for _ in range(repeats):
        for name, work in works.items():
            begin = time.process_time()
            work()
            out[name].append(time.process_time() - begin)
    return out


def print_errors(surface_m: np.ndarray, walls: Receivers) -> None:
    """Skyline against the plain march, all azimuths and those in front of the wall."""
    rng = np.random.default_rng(5)
    at = rng.choice(len(walls) // N_HEIGHT, min(200, len(walls) // N_HEIGHT), replace=False)
    some = part(walls, (at[:, None] * N_HEIGHT + np.arange(N_HEIGHT)).ravel())
    azimuths = np.arange(1.5, 360.0, 9.0)
    together = np.degrees(np.arctan(skyline(surface_m, some, azimuths)))
    single = np.degrees(np.arctan(skyline(surface_m, alone(some), azimuths)))
    error = together - horizons(surface_m, CELL_M, some, azimuths)
    off = np.radians(azimuths[:, None] - some.grid_azimuth[some.surface])
    for name, which in (("all azimuths", np.cos(off) < 2), ("before the wall", np.cos(off) > 0)):
        e = error[which]
        print(
            f"  skyline against a plain march, {name}: RMSE {np.sqrt((e**2).mean()):.3f}°, "
            f"bias {e.mean():+.4f}°, off by > 5° {(np.abs(e) > 5).mean():.4%}"
        )
    print(f"  column against its receivers alone: at most {np.abs(together - single).max():.5f}°")


def print_light_error(surface_m: np.ndarray, walls: Receivers, sky: SkyTable, minutes) -> None:
    """The year against brute force, half-degree skylines and a sun every other minute."""
    rng = np.random.default_rng(5)
    some = part(walls, rng.choice(len(walls), min(60, len(walls)), replace=False))
    fine = np.arange(0.0, 360.0, 0.5)
    facing = some.grid_azimuth[some.surface]
    expected = np.array(
        [
            brute_year(*minutes, skyline, fine, 90.0, azimuth, 0.2)
            for skyline, azimuth in zip(
                horizons(surface_m, CELL_M, some, fine).T, facing, strict=True
            )
        ]
    ).sum(axis=1)
    for n_near in (N_NEAR, 32):
        got = light(surface_m, CELL_M, some, sky, reach_m=REACH_M, albedo=0.2, n_near=n_near)
        error = (got.poa_global_year_kwh_m2 - expected) / expected.mean()
        print(
            f"  year against brute force, {n_near} crossings marched: "
            f"RMSE {np.sqrt((error**2).mean()):.2%}, bias {error.mean():+.2%}"
        )


def print_bounce(
    surface_m: np.ndarray, walls: Receivers, sky: SkyTable, few: SkyTable, repeats: int
) -> None:
    """Speed of full results, part by part, and the error of the reflected part."""
    size_m = surface_m.shape[0] * CELL_M
    grid = Grid(surface_m.shape, WEST_M, NORTH_M, CELL_M, "EPSG:25832")
    plans = blocks(int(size_m))
    seen = light(surface_m, CELL_M, walls, sky, reach_m=REACH_M)
    around = lit_reflectors(surface_m, grid, plans, walls, few, horizon_reach_m=REACH_M)
    got = bounce(around, walls, seen)

    def full() -> None:
        seen = light(surface_m, CELL_M, walls, sky, reach_m=REACH_M)
        around = lit_reflectors(surface_m, grid, plans, walls, few, horizon_reach_m=REACH_M)
        bounce(around, walls, seen)

    runs = by_turns(
        {
            "bounce: lighting what reflects": lambda: lit_reflectors(
                surface_m, grid, plans, walls, few, horizon_reach_m=REACH_M
            ),
            "bounce: what comes back": lambda: bounce(around, walls, seen),
            "full results, 12 months, one bounce": full,
        },
        repeats,
    )
    for name, seconds in runs.items():
        report(name, seconds, len(walls), "thousand elements per core-second", 1e3)
    rng = np.random.default_rng(5)
    at = np.sort(rng.choice(len(walls), min(3000, len(walls)), replace=False))
    settings = reflection.N_FRONT, reflection.WALL_BOX_M
    reflection.N_FRONT, reflection.WALL_BOX_M = 16 * settings[0], (0.0, 1e-3)
    fine = bounce(around, part(walls, at), seen.part(at)).poa_ground_diffuse_year_kwh_m2
    reflection.N_FRONT, reflection.WALL_BOX_M = settings
    back = got.poa_ground_diffuse_year_kwh_m2
    error = (back[at] - fine) / fine.mean()
    print(
        f"  reflected part, {back.mean() / got.poa_global_year_kwh_m2.mean():.1%} of the year, "
        f"against fine looks: RMSE {np.sqrt((error**2).mean()):.2%}, bias {error.mean():+.2%}"
    )


def report(name: str, seconds: list[float], n_element: int, per: str, scale: float) -> None:
    median = statistics.median(seconds)
    print(
        f"  {name:46s} {n_element / median / scale:8.2f} {per} "
        f"({median:.2f} s CPU; {min(seconds):.2f} to {max(seconds):.2f} in {len(seconds)})",
        flush=True,
    )


def measure(
    title: str,
    surface_m: np.ndarray,
    walls: Receivers,
    sky: SkyTable,
    few: SkyTable,
    repeats: int,
) -> None:
    """Print speed and error of one town."""
    n = len(walls)
    print(f"{title}: {n} elements in {n // N_HEIGHT} columns, {N_AZIMUTH} azimuths")
    azimuths = np.arange(N_AZIMUTH) * (360.0 / N_AZIMUTH)
    single = alone(walls)
    runs = by_turns(
        {
            "horizon, whole circle": lambda: sweep(surface_m, walls, azimuths, True),
            "horizon, behind walls known": lambda: sweep(surface_m, walls, azimuths, False),
            "horizon, whole circle, each height alone": lambda: sweep(
                surface_m, single, azimuths, True
            ),
        },
        repeats,
    )
    for name, seconds in runs.items():
        report(name, seconds, n * N_AZIMUTH, "million element-azimuths per core-second", 1e6)
    circle, _, apart = runs.values()
    ratio = statistics.median(b / a for a, b in zip(circle, apart, strict=True))
    print(f"  horizon: columns are {ratio:.2f} times as fast as heights alone")
    print_errors(surface_m, walls)
    eaves = replace(walls, top_tangent=(EAVES_M - walls.elevation_m) / OVERHANG_M)
    runs = by_turns(
        {
            "light, 12 months": lambda: light(surface_m, CELL_M, walls, sky, reach_m=REACH_M),
            "light, 12 months, eaves": lambda: light(
                surface_m, CELL_M, eaves, sky, reach_m=REACH_M
            ),
            "light, 12 months, each height alone": lambda: light(
                surface_m, CELL_M, single, sky, reach_m=REACH_M
            ),
        },
        repeats,
    )
    for name, seconds in runs.items():
        report(name, seconds, n, "thousand elements per core-second", 1e3)
    print_bounce(surface_m, eaves, sky, few, repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--quick", action="store_true", help="a small town, two repeats")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    size_m, repeats = (200, 2) if options.quick else (400, options.repeats)
    weather = demo_weather()
    sources = sky_sources(weather)
    sky, few = (sky_table(sources, 0.0, n_azimuth=n) for n in (N_AZIMUTH, N_AZIMUTH_FEW))
    warm = wall_columns(64)
    light(street_town(64), CELL_M, replace(warm, top_tangent=1.0 + warm.elevation_m), sky)
    sweep(street_town(64), warm, sky.azimuths_deg, True)

    surface_m, walls = street_town(size_m), wall_columns(size_m)
    measure(f"Whole town of {size_m} m", surface_m, walls, sky, few, repeats)
    print_light_error(surface_m, walls, sky, minute_sky(weather, 0.0, step_minutes=2))
    # A tile: walls in the middle, all around them swept as halo.
    surface_m, walls = street_town(2 * size_m), wall_columns(2 * size_m)
    half = size_m / CELL_M / 2
    middle = np.maximum(np.abs(walls.row - 2 * half), np.abs(walls.col - 2 * half)) < half
    core = part(walls, np.flatnonzero(middle))
    measure(
        f"Middle {size_m} m of {2 * size_m} m, halo as work", surface_m, core, sky, few, repeats
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory of this process: {peak:.2f} GB")


if __name__ == "__main__":
    main()
