"""
Sky records and hourly light: what they cost, and how near they come to the light table.

    python benchmarks/hourly_light.py            # about a minute on one core
    python benchmarks/hourly_light.py --quick    # a small town

CPU time of the whole process. The record's price is the time of `light` with one over the time
without, median of repeats taken in turns; hourly light is made in blocks of 64 surfaces, as a run
does. The error is that of each plane's year against the table, over its global light.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from light import CELL_M, demo_weather, seconds

from solarkataster.demo import make_town, truth_receivers
from solarkataster.hourly_light import HourlyLight, SunPath, hourly_light
from solarkataster.hourly_sky import hourly_sky
from solarkataster.irradiance import light
from solarkataster.potential import plane_means
from solarkataster.sky import sky_sources
from solarkataster.sky_table import sky_table
from solarkataster.visibility import SkyRecord, SkyRecorder

#: Surfaces whose hours are made together.
BLOCK = 64


def in_blocks(suns: SunPath, record: SkyRecord, ground: np.ndarray):
    """Hourly light of all surfaces, block by block: (slice, HourlyLight)."""
    for begin in range(0, len(record), BLOCK):
        at = slice(begin, begin + BLOCK)
        yield at, hourly_light(suns, record.part(at), ground[at])


def years(light_of_hours: HourlyLight) -> np.ndarray:
    """Direct, sky and ground light of the year, (3, n). [kWh/m²]"""
    sky = light_of_hours.poa_sky + light_of_hours.poa_circumsolar
    parts = (light_of_hours.poa_direct, sky, light_of_hours.poa_ground)
    return np.stack([part.sum(axis=1, dtype=float) for part in parts]) / 1000.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    weather = demo_weather()
    town = make_town(seed=5, size_m=160 if quick else 500, kind="builtup", roof_share=0.3)
    receivers = truth_receivers(town)
    for model in ("perez", "all-weather"):
        table = sky_table(sky_sources(weather, model), 0.0)
        recorder = SkyRecorder(receivers, 72, 0.0)
        seen = light(town.dsm_m, CELL_M, receivers, table, recorder=recorder)  # compiles
        if model == "perez":
            print_price(town, receivers, table, 3 if quick else 5)
        print_hours(model, SunPath(hourly_sky(weather, model), 72, 0.0), recorder, seen, receivers)


def print_price(town, receivers, table, repeats: int) -> None:
    """What the record adds to the light of a town."""
    without, with_one = [], []
    for _ in range(repeats):
        without += seconds(lambda: light(town.dsm_m, CELL_M, receivers, table), 1)
        kept = SkyRecorder(receivers, 72, 0.0)
        with_one += seconds(lambda: light(town.dsm_m, CELL_M, receivers, table, recorder=kept), 1)  # noqa: B023
    plain, both = statistics.median(without), statistics.median(with_one)
    n_asked = len(receivers) * 72
    print(
        f"{len(receivers)} receivers, {len(receivers.surface_tilt)} surfaces: light {plain:.2f} s, "
        f"with a record {both:.2f} s: {both / plain - 1:+.1%}, "
        f"{(both - plain) / n_asked * 1e9:.1f} core-ns per receiver and azimuth"
    )


def print_hours(model, suns: SunPath, recorder, seen, receivers) -> None:
    """Speed and error of the hours."""
    record = recorder.record()
    n = len(record)

    def mean(values):
        return np.nan_to_num(plane_means(values, receivers.surface, n))

    ground = mean(seen.poa_ground_diffuse_month_kwh_m2.astype(float))
    for _ in in_blocks(suns, record.part(slice(0, BLOCK)), ground[:BLOCK]):
        pass  # compiles
    found = np.zeros((3, n))
    begin = time.process_time()
    for at, hours in in_blocks(suns, record, ground):
        spent = time.process_time()
        found[:, at] = years(hours)
        begin += time.process_time() - spent
    core_s = time.process_time() - begin
    of_table = np.stack(
        [
            mean(values)
            for values in (
                seen.poa_direct_year_kwh_m2,
                seen.poa_sky_diffuse_year_kwh_m2,
                seen.poa_ground_diffuse_year_kwh_m2,
            )
        ]
    )
    lit = of_table.sum(axis=0) > 0.0
    off = np.abs((found - of_table)[:, lit]) / of_table[:, lit].sum(axis=0)
    total = np.abs((found - of_table)[:, lit].sum(axis=0)) / of_table[:, lit].sum(axis=0)
    print(
        f"{model}: hourly light of {n} surfaces {core_s:.2f} core-s, "
        f"{core_s / n * 10_000:.1f} for 10 000; record {record.visible.nbytes / n / 1000:.1f} kB "
        "a surface"
    )
    for name, values in zip(("direct", "sky", "ground", "global"), (*off, total), strict=True):
        p50, p95, worst = np.quantile(values, [0.5, 0.95, 1.0])
        print(f"  {name}: off by {p50:.4%} (median), {p95:.4%} (p95), {worst:.4%} (worst)")


if __name__ == "__main__":
    main()
