"""Small runs for the tests of the pipeline: a town with tiles, and what two runs have in common."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pandas as pd
from pmtiles.reader import MmapSource, Reader, all_tiles

from solarkataster.demo import make_town

#: Tables of a run.
LAYERS = (
    "roofs", "buildings", "facades", "facade_storeys", "modules", "superstructures", "sides",
    "blocks",
)  # fmt: skip

#: Files of every run; all of these kinds must be the same byte for byte.
EXACT = (
    *(f"{name}.parquet" for name in (*LAYERS, "sky_visibility", "weather")),
    "poa_global_year_kwh_m2.tif",
    "poa_global_month_kwh_m2.tif",
    "sky_view_factor.tif",
)
_EXACT_KINDS = (".parquet", ".csv", ".tif")

#: Of those that work out yields and money.
RATING_FILES = (
    "hourly_yield.parquet",
    "statistics.parquet",
    "statistics.csv",
    *(f"physics/{name}.parquet" for name in ("roofs", "buildings", "facades", "known")),
)

#: Short sights and few azimuths: these tests are about bookkeeping, not about light.
SETTINGS = """
[horizon]
reach_m = 40
n_azimuth = 16

[walls]
n_azimuth = 24
along_m = 2.0
up_m = 3.0

[tiles]
size_m = {tile_m}
"""

#: For runs whose subject is light or geometry: they end with those, in less time.
NO_YIELDS = """
[yields]
enabled = false
"""


def write_small_town(
    folder: Path, size_m: int = 110, tile_m: float = 50.0, *, yields: bool = True
) -> Path:
    """Inputs and config of an old town with party walls, cut into several tiles."""
    config = make_town(kind="dense", size_m=size_m, n_trees=4).write(folder)
    settings = SETTINGS.format(tile_m=tile_m) + ("" if yields else NO_YIELDS)
    config.write_text(config.read_text(encoding="utf-8") + settings)
    return config


def command(*words: object) -> list[str]:
    """A command of solarkataster in a process of its own."""
    return [sys.executable, "-m", "solarkataster.cli", *map(str, words)]


def call(*words: object, **options) -> subprocess.CompletedProcess:
    """Run a command to its end."""
    return subprocess.run(
        command(*words), capture_output=True, text=True, timeout=600, check=False, **options
    )


def told(run_folder: Path) -> dict:
    """run.json without times and worker names."""
    content = json.loads((run_folder / "run.json").read_text(encoding="utf-8"))
    content.pop("execution")
    for tile in content["tiles"].values():
        tile.pop("seconds", None)
    return content


def tiles_of_archive(path: Path) -> dict:
    """Every tile of a PMTiles file."""
    with open(path, "rb") as stream:
        return dict(all_tiles(Reader(MmapSource(stream)).get_bytes))


def exact_files(run: Path) -> list[str]:
    """Files of a run that are the same byte for byte, however it was made."""
    names = [path.relative_to(run) for path in run.rglob("*") if path.suffix in _EXACT_KINDS]
    found = sorted(name.as_posix() for name in names if name.parts[0] not in ("work", "map"))
    assert set(EXACT) <= set(found)
    assert told(run)["rating"] is None or set(RATING_FILES) <= set(found)
    return found


def assert_same_run(one: Path, other: Path) -> None:
    """Tables and TIFF byte for byte, GPKG and PMTiles after reading, run.json without times."""
    names = exact_files(one)
    assert names == exact_files(other)
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
    for layer in (*LAYERS, "layer_styles"):
        a, b = (gpd.read_file(run / "solarkataster.gpkg", layer=layer) for run in (one, other))
        pd.testing.assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b))
    archives = sorted(path.name for path in (one / "map").glob("*.pmtiles"))
    assert archives == sorted(path.name for path in (other / "map").glob("*.pmtiles"))
    for name in archives:
        assert tiles_of_archive(one / "map" / name) == tiles_of_archive(other / "map" / name), name
    assert told(one) == told(other)


def fingerprint(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file, to see whether anything was written."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file():
            status = os.stat(path)
            found[str(path.relative_to(folder))] = (status.st_size, status.st_mtime_ns)
    return found
