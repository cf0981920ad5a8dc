"""
What it costs to rate a run again with other prices: a finished run, repeated side by side.

    python benchmarks/rating.py RUN [--surfaces 100000]

RUN is any finished run, such as that of `solarkataster demo`. Its buildings are repeated, each copy
beside the last, until there are as many roof planes and walls; then `solarkataster rate` works on
the copy with another price of electricity, hourly yields as they are. Prints CPU time, the parts it
is made of, and memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import pandas as pd

from solarkataster.checks.rules import rules_of
from solarkataster.config import Config
from solarkataster.io.run_weather import read_run_weather
from solarkataster.io.runfolder import RunFolder, read_json, write_json
from solarkataster.rate import rate
from solarkataster.stages.plan import NOT_IN_TILES, code_digest
from solarkataster.stages.stored import read_inputs
from solarkataster.stages.yield_basis import yield_basis
from solarkataster.stages.yield_pass import yield_jobs

#: Ids that a copy makes its own.
IDS = ("building_id", "roof_id", "facade_id", "storey_id", "surface_id", "module_id")

PRICE = """
[money.price_homes]
source = "made up for this benchmark"
date = 2026-11-22
eur_per_kwh = 0.45
"""


def copied(table: pd.DataFrame, n: int, step_m: float) -> pd.DataFrame:
    """A table n times, with ids of its own and beside each other."""
    parts = []
    for k in range(n):
        part = table.copy()
        for name in IDS:
            if name in part:
                part[name] = f"c{k}-" + part[name].astype(str)
        if isinstance(part, gpd.GeoDataFrame):
            part["geometry"] = part.geometry.translate(k % 20 * step_m, k // 20 * step_m)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def bigger_run(run: Path, target: Path, n_surfaces: int) -> int:
    """Write a run folder with so many surfaces; returns how many there are."""
    of_run = RunFolder(run)
    roofs = gpd.read_parquet(run / "physics/roofs.parquet")
    facades = gpd.read_parquet(run / "physics/facades.parquet")
    n = -(-n_surfaces // (len(roofs) + len(facades)))
    west, south, east, north = roofs.total_bounds
    step_m = max(east - west, north - south) + 50.0
    told = json.loads((run / "run.json").read_text())
    for path in (*run.glob("*.parquet"), *(run / "physics").glob("*.parquet")):
        name = path.relative_to(run)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if name.name in ("weather.parquet", "sky_visibility.parquet", "hourly_yield.parquet"):
            shutil.copyfile(path, target / name)
            continue
        try:
            table = gpd.read_parquet(path)
        except ValueError:
            table = pd.read_parquet(path)
        is_place = "building_id" not in table
        (table if is_place else copied(table, n, step_m)).to_parquet(target / name)
    for name in ("solarkataster.gpkg", "poa_global_year_kwh_m2.tif"):
        shutil.copyfile(run / name, target / name)
    shutil.copytree(run / "map", target / "map")
    tiles, big = {}, RunFolder(target)
    for name, tile in told["tiles"].items():
        for k in range(n):
            copy = f"{name}-{k}"
            tiles[copy] = tile
            big.tile(copy).mkdir(parents=True)
            big.yields(copy).mkdir(parents=True)
            shutil.copyfile(of_run.tile(name) / "tile.json", big.tile(copy) / "tile.json")
            buildings = pd.read_parquet(
                of_run.tile(name) / "buildings.parquet", columns=["building_id"]
            )
            buildings["building_id"] = f"c{k}-" + buildings["building_id"]
            buildings.to_parquet(big.tile(copy) / "buildings.parquet")
            for path in of_run.yields(name).glob("*.parquet"):
                if path.stem == "hourly":
                    shutil.copyfile(path, big.yields(copy) / path.name)
                    continue
                table = pd.read_parquet(path)
                for one in IDS:
                    if one in table:
                        table[one] = f"c{k}-" + table[one].astype(str)
                table.to_parquet(big.yields(copy) / path.name)
    told["tiles"] = tiles
    write_json(target / "run.json", told)
    _stamp(big, told)
    return n * (len(roofs) + len(facades))


def _stamp(folder: RunFolder, told: dict) -> None:
    """Say of every copied tile that its yields are done."""
    config = Config.model_validate_json(json.dumps(told["config"]))
    inputs, measured = read_inputs(folder.path)
    basis = yield_basis(
        config,
        rules_of(config),
        read_run_weather(folder.path / "weather.parquet"),
        told["convergence_deg"],
        measured,
    )
    stamps = {
        name: (read_json(folder.tile(name) / "tile.json") or {})["stamp"] for name in told["tiles"]
    }
    code = code_digest(NOT_IN_TILES)
    for job in yield_jobs(folder, "", stamps, inputs.buildings, basis, code):
        report = {"power_stamp": job.power_stamp, "balance_stamp": job.balance_stamp}
        write_json(folder.yields(job.name) / "yields.json", report)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--surfaces", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="folder for the big run; default: removed")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside:
        target = arguments.keep or Path(aside) / "run"
        target.mkdir(parents=True)
        n = bigger_run(arguments.run.absolute(), target, arguments.surfaces)
        rules = target / "price.toml"
        rules.write_text(PRICE)
        cpu, wall = time.process_time(), time.perf_counter()
        result = rate(target, rules)
        print(
            f"{n} surfaces rated again: {time.process_time() - cpu:.1f} s CPU, "
            f"{time.perf_counter() - wall:.1f} s on the clock; {result.n_again} tiles anew; "
            f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB"
        )


if __name__ == "__main__":
    main()
