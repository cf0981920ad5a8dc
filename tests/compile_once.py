"""
Kernels are compiled once for all workers of a whole session, not by each.

With cold caches two workers would compile the same kernels at the same time, two minutes of each
core. Instead the first compiles, by a small run, while the others begin with the files that hardly
need kernels. Tests say the same either way; a part of the session starts at once, as ever.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

#: Beginnings of names of files that compile little or nothing, two minutes together.
_FEW_KERNELS = (
    "test_allocation", "test_bad_", "test_citymodel", "test_cli_faults", "test_config",
    "test_docs", "test_footprints", "test_heat", "test_lod2_inputs", "test_map_modules",
    "test_map_walls", "test_monuments", "test_owners", "test_portfolio", "test_rasters",
    "test_results", "test_rules", "test_runfolder", "test_scenario.", "test_serve", "test_tiling",
    "test_tree_faults", "test_unused_settings", "test_weather", "test_webtiles",
)  # fmt: skip

#: Fewer tests are a part of the session: what they need compiles as they go.
_WHOLE_SESSION = 1000

#: No worker waits longer; it would then compile for itself. [s]
_PATIENCE_S = 400.0

_waits = pytest.StashKey[bool]()


def scheduler(config, log):
    """
    Halves of the list for two workers; who is done first takes from the other.

    Small portions in turn, as xdist does otherwise, have both workers make the towns, runs and maps
    that the tests of a file share.
    """
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def share(config, items) -> None:
    """Decide whether this session shares its compiling; give others than the first what to do."""
    n_workers = getattr(config, "workerinput", {}).get("workercount", 1)
    is_shared = (
        n_workers > 1
        and len(items) >= _WHOLE_SESSION
        and os.environ.get("NUMBA_DISABLE_JIT", "0") in ("", "0")
    )
    config.stash[_waits] = is_shared
    if is_shared:
        few = [item for item in items if item.path.name.startswith(_FEW_KERNELS)]
        many = [item for item in items if not item.path.name.startswith(_FEW_KERNELS)]
        # The first worker's part comes first and is as long as any.
        first = min(len(items) // n_workers, len(many))
        items[:] = many[:first] + few + many[first:]


def wait(item) -> None:
    """Compile if that is this worker's task; wait for it if this test's file needs kernels."""
    config = item.config
    if not config.stash.get(_waits, False):
        return
    done = Path(tempfile.gettempdir()) / f"kernels-{config.workerinput['testrunuid']}"
    if config.workerinput["workerid"] == "gw0":
        # What fails here fails in the tests of it, with a better message.
        with contextlib.suppress(Exception), tempfile.TemporaryDirectory() as folder:
            _compile(Path(folder))
        done.touch()
    elif item.path.name.startswith(_FEW_KERNELS):
        return
    else:
        begin = time.monotonic()
        while not done.exists() and time.monotonic() - begin < _PATIENCE_S:
            time.sleep(0.2)
    config.stash[_waits] = False


def warm_up_once_per_process() -> None:
    """
    Runs with the same settings in one process try the kernels before the first of them only.

    Each run computes two made-up houses before its tiles, so that workers find kernels compiled:
    a second of each of a hundred runs in these tests.
    """
    pipeline = sys.modules.get("solarkataster.pipeline")
    if pipeline is None:
        return
    warm_kernels, known = pipeline.warm_kernels, set()

    def warm_new_settings(checked, sky) -> None:
        settings = (
            checked.config.model_dump_json(exclude={"municipality", "inputs", "tiles"}),
            checked.points is None,
            checked.lod2 is None,
        )
        if settings not in known:
            warm_kernels(checked, sky)
            known.add(settings)

    pipeline.warm_kernels = warm_new_settings


def _compile(folder: Path) -> None:
    """A run of a small town, which needs nearly every kernel."""
    from run_folders import write_small_town

    from solarkataster import pipeline
    from solarkataster.config import load_config

    pipeline.run(load_config(write_small_town(folder)), folder / "run")
