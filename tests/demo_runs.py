"""The demo town, run once for all tests that look at it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from solarkataster import pipeline
from solarkataster.config import load_config
from solarkataster.demo import make_town


def demo_run_folder(tmp_path_factory) -> Path:
    """Folder of the demo town's run with the settings that ship; nobody writes into it."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # shared by the workers of a session
    folder = base / "demo_town_run"
    folder.mkdir(exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "run" / "run.json").exists():
            config = load_config(make_town().write(folder / "input"))
            assert pipeline.run(config, folder / "run", n_workers=1).is_complete
    return folder / "run"
