"""Killed at any stage, a run leaves no writer behind and is finished later to the same bytes."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from numba.core.dispatcher import Dispatcher
from run_folders import assert_same_run, call, command, fingerprint, write_small_town

from solarkataster import kernels

#: How long a worker may outlive its client. [s]
MAX_AFTERLIFE_S = 5.0

#: Longest wait for a stage to begin on a busy machine. [s]
PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    return write_small_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def undisturbed(town, tmp_path_factory) -> Path:
    """The same town in one go, in one process; also warms numba's cache for the others."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    done = call("run", town, "--out", out, "--workers", 1)
    assert done.returncode == 0, done.stderr
    return out


def has_begun(out: Path, stage: str, client: psutil.Process) -> bool:
    """Whether a run has come to a stage."""
    n_done = len(list(out.glob("work/tiles/*/tile.json")))
    if stage == "first tile":
        return len(client.children(recursive=True)) >= 2
    if stage == "mid tiles":
        return n_done >= 2
    return (out / "work" / "new" / "roofs.parquet").exists()


def wait_for(stage: str, out: Path, run: subprocess.Popen, client: psutil.Process) -> None:
    """Return in the moment a stage begins."""
    deadline = time.monotonic() + PATIENCE_S
    while not has_begun(out, stage, client):
        assert run.poll() is None, f"the run ended before the stage {stage}"
        assert time.monotonic() < deadline, f"the stage {stage} never came"
        time.sleep(0.005)


def killed_at(stage: str, whole_group: bool, town: Path, out: Path) -> list[psutil.Process]:
    """Start a run with two workers, kill it (SIGKILL) at a stage; returns all its processes."""
    with subprocess.Popen(
        command("run", town, "--out", out, "--workers", 2),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        client = psutil.Process(run.pid)
        wait_for(stage, out, run, client)
        family = [client, *client.children(recursive=True)]
        if whole_group:
            os.killpg(run.pid, signal.SIGKILL)
        else:
            run.kill()
        run.wait()
    return family


def survivors(family: list[psutil.Process]) -> list[psutil.Process]:
    """Processes that still run after the time they are given."""
    deadline = time.monotonic() + MAX_AFTERLIFE_S
    alive = family
    while alive and time.monotonic() < deadline:
        time.sleep(0.05)
        alive = [process for process in alive if is_alive(process)]
    return alive


def is_alive(process: psutil.Process) -> bool:
    """In a container without an init process the dead stay in the table as zombies."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("stage", "whole_group"),
    [
        pytest.param("first tile", False, id="client alone at the start"),
        pytest.param("finishing", False, id="client alone while finishing"),
        pytest.param("mid tiles", True, id="whole group among the tiles"),
    ],
)
def test_a_killed_run_leaves_no_writer_and_is_resumed_to_the_same_bytes(
    stage, whole_group, town, undisturbed, tmp_path
):
    out = tmp_path / "run"
    family = killed_at(stage, whole_group, town, out)
    assert not survivors(family)
    left = fingerprint(out)
    assert not (out / "run.json").exists()
    time.sleep(0.5)
    assert fingerprint(out) == left
    resumed = call("run", town, "--out", out, "--workers", 1)
    assert resumed.returncode == 0, resumed.stderr
    assert_same_run(out, undisturbed)
    if stage != "first tile":
        assert "from before" in resumed.stdout
    assert not list(out.rglob(".*.tmp*"))
    assert not (out / "work" / "new").exists()


def test_a_worker_that_is_killed_costs_nothing_but_time(town, undisturbed, tmp_path):
    out = tmp_path / "run"
    with subprocess.Popen(
        command("run", town, "--out", out, "--workers", 2),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        client = psutil.Process(run.pid)
        wait_for("mid tiles", out, run, client)
        workers = [p for p in client.children() if "spawn_main" in " ".join(p.cmdline())]
        workers[0].kill()
        assert run.wait(timeout=PATIENCE_S) == 0
    assert_same_run(out, undisturbed)


def test_two_workers_give_the_bytes_of_one_and_compile_nothing(town, undisturbed, tmp_path):
    # Numba tells what it loads from its cache and what it compiles and saves there.
    told = {**os.environ, "NUMBA_DEBUG_CACHE": "1"}
    out = tmp_path / "run"
    done = call("run", town, "--out", out, "--workers", 2, "--fresh", env=told)
    assert done.returncode == 0, done.stderr
    assert_same_run(out, undisturbed)
    # Client and workers load the sweep; every kernel is cached (see below), so whatever is compiled
    # is saved.
    assert done.stdout.count("data loaded from") > 10
    assert len(re.findall(r"data loaded from .*horizon\.far_field", done.stdout)) >= 3
    assert "saved to" not in done.stdout


def test_every_kernel_is_cached_and_frees_the_interpreter():
    n_kernels = 0
    for path in Path(kernels.__file__).parent.glob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith(("@njit", "@numba")):
                n_kernels += 1
                assert "cache=True" in line, f"{path.name}: {line}"
                assert "nogil=True" in line, f"{path.name}: {line}"
    assert n_kernels > 10


def test_no_kernel_calls_one_of_another_file():
    """Numba's cache knows a kernel by its own file: a callee elsewhere could change unseen."""
    for info in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            if isinstance(value, Dispatcher):
                assert value.py_func.__module__ == info.name, f"{info.name}: {name}"


def test_a_broken_new_run_loses_nothing_of_the_finished_one(town, undisturbed, tmp_path):
    out = tmp_path / "run"
    assert call("run", town, "--out", out, "--workers", 1).returncode == 0
    finished = {k: v for k, v in fingerprint(out).items() if not k.startswith("work/")}
    with subprocess.Popen(
        command("run", town, "--out", out, "--workers", 1, "--fresh"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        deadline = time.monotonic() + PATIENCE_S
        while not (out / "work" / "new").exists():
            assert run.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        run.kill()
    after = {k: v for k, v in fingerprint(out).items() if not k.startswith("work/")}
    assert after == finished
    assert call("run", town, "--out", out, "--workers", 1).returncode == 0
    assert_same_run(out, undisturbed)
