"""
Speed, memory and error of horizon + irradiation, from one run.

    python benchmarks/light.py            # everything, about a quarter of an hour on one core
    python benchmarks/light.py --quick    # small rasters, once

72 azimuths, 12 months and the year in three parts, sky view; 0.5 m cells; CPU time of the whole
process (kernels run on one core), median of repeats. The errors printed beside the speed come from
the same towns with the same settings: the skyline against a plain march over all pairs of a sample,
the year against brute force. What tree crowns cost is printed beside them.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from reference import brute_year, horizons, minute_sky

from solarkataster.canopy import Canopy, find_canopy
from solarkataster.config import load_config
from solarkataster.demo import make_town, truth_receivers
from solarkataster.demo.raster import cell_axes
from solarkataster.footprint_cells import footprint_mask
from solarkataster.horizon import horizon_tangents
from solarkataster.io.weather import read_weather
from solarkataster.irradiance import light
from solarkataster.receivers import Receivers
from solarkataster.sky import sky_sources
from solarkataster.sky_table import SkyTable, sky_table
from solarkataster.weather import Weather

CELL_M = 0.5
REACH_M = 500.0


def demo_weather() -> Weather:
    """The demo town's weather, read from its file."""
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(make_town().write(folder))
        return read_weather(Path(folder) / "weather.csv", config.weather)


def demo_sky() -> SkyTable:
    """Sky table of the demo town's weather."""
    return sky_table(sky_sources(demo_weather()), 0.0)


def chosen(receivers: Receivers, which: np.ndarray) -> Receivers:
    return Receivers(
        receivers.row[which],
        receivers.col[which],
        receivers.elevation_m[which],
        receivers.surface[which],
        receivers.surface_tilt,
        receivers.grid_azimuth,
    )


def seconds(work, repeats: int) -> list[float]:
    """CPU seconds of each repeat."""
    out = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        out.append(time.process_time() - begin)
    return out


def error_deg(town, receivers: Receivers) -> tuple[float, float, float]:
    """RMSE, bias and share off by more than 5° of the skyline, over all pairs of a sample."""
    rng = np.random.default_rng(5)
    some = chosen(receivers, rng.choice(len(receivers), min(1500, len(receivers)), replace=False))
    azimuths = np.arange(2.5, 360.0, 15.0)
    tangent = horizon_tangents(
        town.dsm_m, CELL_M, some.row, some.col, some.elevation_m, azimuths, reach_m=REACH_M
    )
    error = np.degrees(np.arctan(tangent)) - horizons(town.dsm_m, CELL_M, some, azimuths)
    return np.sqrt((error**2).mean()), error.mean(), (np.abs(error) > 5).mean()


def light_error(town, receivers: Receivers, sky: SkyTable, minutes) -> tuple[float, float]:
    """RMSE and bias of the year over its mean, against brute force minute by minute."""
    rng = np.random.default_rng(5)
    some = chosen(receivers, rng.choice(len(receivers), min(60, len(receivers)), replace=False))
    got = light(town.dsm_m, CELL_M, some, sky, reach_m=REACH_M, albedo=0.2)
    fine = np.arange(0.0, 360.0, 0.5)
    tilts = some.surface_tilt[some.surface]
    azimuths = some.grid_azimuth[some.surface]
    skylines = horizons(town.dsm_m, CELL_M, some, fine).T
    expected = np.array(
        [
            sum(brute_year(*minutes, skyline, fine, tilt, azimuth, 0.2))
            for skyline, tilt, azimuth in zip(skylines, tilts, azimuths, strict=True)
        ]
    )
    error = got.poa_global_year_kwh_m2 - expected
    return np.sqrt((error**2).mean()) / expected.mean(), error.mean() / expected.mean()


def report(name: str, area_km2: float, runs: list[float], town, receivers: Receivers) -> None:
    rmse, bias, off = error_deg(town, receivers)
    cpu = statistics.median(runs)
    cells = area_km2 * 1e6 / CELL_M**2
    print(
        f"{name:46s} {area_km2 * 60 / cpu:5.2f} km² per core-minute  "
        f"({cpu:6.2f} s CPU, {cpu / cells / 72 * 1e9:4.1f} ns per cell and azimuth; "
        f"{min(runs):.2f} to {max(runs):.2f} s in {len(runs)} runs)  "
        f"skyline RMSE {rmse:.3f}°, bias {bias:+.4f}°, off by > 5° {off:.4%}",
        flush=True,
    )


def report_crowns(town, receivers: Receivers, sky: SkyTable, repeats: int) -> None:
    """CPU time with the town's trees as crowns, of one kind and of two, over that without."""
    found = find_canopy(
        town.dsm_m,
        town.terrain.on_axes(*cell_axes(town.grid)).astype(np.float32),
        footprint_mask(np.array([one.footprint for one in town.buildings]), town.grid),
        CELL_M,
    )
    one = found.canopy
    stripes = np.where(one.is_crown, 1 + (np.indices(one.shape)[0] // 40) % 2, 0)
    scenes = {
        "no crowns": (town.dsm_m, None),
        "crowns": (found.solid_m, one),
        "crowns of two kinds": (found.solid_m, Canopy(one.top_m, one.base_m, stripes)),
    }
    cpu: dict[str, list[float]] = {name: [] for name in scenes}
    for _ in range(repeats):  # turn by turn: machines are shared
        for name, (surface_m, canopy) in scenes.items():
            cpu[name] += seconds(
                lambda s=surface_m, c=canopy: light(
                    s, CELL_M, receivers, sky, reach_m=REACH_M, canopy=c
                ),
                1,
            )
    without, *others = (min(runs) for runs in cpu.values())
    print(
        f"  light with crowns on {one.is_crown.mean():.1%} of the cells: of one kind "
        f"{others[0] / without:.2f}, of two {others[1] / without:.2f} times as long as without"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--quick", action="store_true", help="small rasters, one run each")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    repeats = 1 if options.quick else options.repeats
    sky = demo_sky()
    minutes = minute_sky(demo_weather(), 0.0)
    warm = make_town(seed=1, size_m=60, kind="builtup")
    light(warm.dsm_m, CELL_M, truth_receivers(warm), sky)

    sizes = (250, 500) if options.quick else (500, 1000, 2000)
    for share in (0.2, 0.4):
        for size_m in sizes:
            town = make_town(seed=1, size_m=size_m, kind="builtup", roof_share=share)
            receivers = truth_receivers(town)
            runs = seconds(
                lambda t=town, r=receivers: light(t.dsm_m, CELL_M, r, sky, reach_m=REACH_M),
                repeats,
            )
            name = f"whole raster {size_m} m, {town.roof_share:.0%} roofs"
            report(name, (size_m / 1000) ** 2, runs, town, receivers)
        rmse, bias = light_error(town, receivers, sky, minutes)
        print(f"  year against brute force, 60 roofs of it: RMSE {rmse:.2%}, bias {bias:+.2%}")
        report_crowns(town, receivers, sky, repeats)
        # The last town again: its middle with everything around it as halo.
        half = size_m / CELL_M / 4
        middle = np.flatnonzero(
            (np.abs(receivers.row - 2 * half) < half) & (np.abs(receivers.col - 2 * half) < half)
        )
        core = chosen(receivers, middle)
        runs = seconds(
            lambda t=town, r=core: light(t.dsm_m, CELL_M, r, sky, reach_m=REACH_M), repeats
        )
        name = f"middle {size_m // 2} m of {size_m} m, {town.roof_share:.0%} roofs, halo as work"
        report(name, (size_m / 2000) ** 2, runs, town, core)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory of this process, towns of the benchmark included: {peak:.2f} GB")


if __name__ == "__main__":
    main()
