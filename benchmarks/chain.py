"""
Speed and memory of the whole chain: files in, layers and map out.

    python benchmarks/chain.py            # demo town; 0.25, 1 and 4 km² of built-up town at 0.5 m
    python benchmarks/chain.py --quick    # demo town; 0.06 and 0.25 km²

CPU time of all processes, imports, reading of inputs, compression and map included; 1 km tiles,
two workers; peak memory of the largest process. Each figure is of the second of two runs, with
kernels compiled by the first. Time per building of the stages "roofs" (planes, eaves,
superstructures) and "layout" is that of the workers, which have one thread each; the demo town
comes once with its surface model and once with laser points besides, which are read in "roofs".
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from solarkataster.demo import make_town
from solarkataster.demo.town import Town

COMMAND = [sys.executable, "-c", "from solarkataster.cli import main; main()"]


class PeakMemory(threading.Thread):
    """Largest resident memory of any process of a tree, looked at ten times a second. [GB]"""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.root = psutil.Process(pid)
        self.peak_gb = 0.0

    def run(self) -> None:
        try:
            while self.root.is_running() and self.root.status() != psutil.STATUS_ZOMBIE:
                for process in [self.root, *self.root.children(recursive=True)]:
                    self.peak_gb = max(self.peak_gb, process.memory_info().rss / 1e9)
                time.sleep(0.1)
        except psutil.NoSuchProcess:
            return


def run(config: Path, out: Path, workers: int) -> tuple[float, float, float]:
    """CPU seconds of all processes, wall seconds and peak memory of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    arguments = ["run", str(config), "--out", str(out), "--workers", str(workers), "--fresh"]
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    memory = PeakMemory(process.pid)
    memory.start()
    code = process.wait()
    memory.join()
    if code != 0:
        raise SystemExit(f"the run ended with exit code {code}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - begin, memory.peak_gb


def report(name: str, town: Town, config: Path, workers: int) -> None:
    """Run a town twice and print what the second run took."""
    out = config.parent / "run"
    run(config, out, workers)  # compiles if need be
    cpu, wall, peak_gb = run(config, out, workers)
    tiles = json.loads((out / "run.json").read_text(encoding="utf-8"))["tiles"].values()
    n = len(town.buildings)
    roofs, layout = (
        1000 * sum(tile["seconds"][stage] for tile in tiles) / n for stage in ("roofs", "layout")
    )
    area_km2 = (town.grid.shape[0] * town.grid.cell_size_m / 1000) ** 2
    print(
        f"{name}, {town.roof_share:.0%} roofs, {n:6d} buildings: "
        f"{area_km2 * 60 / cpu:5.2f} km² per core-minute ({cpu:6.1f} s CPU, {wall:6.1f} s wall, "
        f"{1000 * cpu / n:5.1f} ms a building, of it roofs {roofs:4.1f}, layout {layout:4.1f}), "
        f"largest process {peak_gb:.2f} GB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--quick", action="store_true", help="small towns")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    sizes = (250, 500) if options.quick else (500, 1000, 2000)
    with tempfile.TemporaryDirectory() as folder:
        demo = make_town()
        report("demo  ", demo, demo.write(Path(folder) / "demo"), options.workers)
        with_points = demo.write(Path(folder) / "points", points_per_m2=10.0)
        report("10/m² ", demo, with_points, options.workers)
        for share in (0.2, 0.4):
            for size_m in sizes:
                town = make_town(seed=1, size_m=size_m, kind="builtup", roof_share=share)
                config = town.write(Path(folder) / f"town_{size_m}_{share}")
                report(f"{size_m:4d} m", town, config, options.workers)


if __name__ == "__main__":
    main()
