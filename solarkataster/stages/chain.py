"""The chain of a tile: surface, roofs, light, tables; in this process or on a Dask cluster."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from solarkataster.sky_table import SkyTable
from solarkataster.stages.job import TileJob
from solarkataster.stages.light import light_stage
from solarkataster.stages.roofs import roofs_stage
from solarkataster.stages.surface import surface_stage
from solarkataster.stages.tables import tables_stage

log = logging.getLogger(__name__)

#: Share of a tile's time that each stage takes, for the time left.
STAGE_SHARE = {"surface": 0.05, "roofs": 0.25, "light": 0.65, "tables": 0.05}

#: A tile is tried once more before it is given up: a network drive may have blinked.
RETRIES = 1

#: Called with the tile's name and the share of it that was just finished.
Advance = Callable[[str, float], None]


@dataclass(frozen=True)
class Timed:
    """The result of a stage and how long it took. [s]"""

    value: Any
    seconds: float


@dataclass(frozen=True)
class TileOutcome:
    """What became of a tile: its report, or why it failed."""

    name: str
    report: dict[str, Any] | None
    fault: str = ""


def timed(stage: Callable[..., Any], *args: Any) -> Timed:
    """Run a stage; timed arguments are opened first."""
    start = time.perf_counter()
    value = stage(*(arg.value if isinstance(arg, Timed) else arg for arg in args))
    return Timed(value, time.perf_counter() - start)


def write_tables(job: TileJob, surface_s: float, roofs: Timed, light: Timed) -> dict[str, Any]:
    """Last link of the chain: the tables, with the time of the links before."""
    seconds = {"surface": surface_s, "roofs": roofs.seconds, "light": light.seconds}
    seconds = {name: round(value, 3) for name, value in seconds.items()}
    return tables_stage(job, roofs.value, light.value, seconds)


def fault_text(error: BaseException) -> str:
    """One line that says what went wrong."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    if name == "KilledWorker":
        return "the worker was killed, probably for lack of memory; use a smaller tile size"
    return f"{name}: {text}" if text else name


def run_here(jobs: Iterator[TileJob], sky: SkyTable, advance: Advance) -> Iterator[TileOutcome]:
    """Run the chains one after the other in this process."""
    for job in jobs:
        for attempt in range(RETRIES + 1):
            try:
                yield TileOutcome(job.name, _chain_here(job, sky, advance))
                break
            except Exception as error:
                log.warning("tile %s, attempt %d: %s", job.name, attempt + 1, fault_text(error))
                log.debug("tile %s", job.name, exc_info=True)
                fault = fault_text(error)
        else:
            yield TileOutcome(job.name, None, fault)


def _chain_here(job: TileJob, sky: SkyTable, advance: Advance) -> dict[str, Any]:
    done = 0.0

    def reached(share: float) -> None:
        nonlocal done
        advance(job.name, share - done)
        done = share

    surface = timed(surface_stage, job)
    before_light = STAGE_SHARE["surface"] + STAGE_SHARE["roofs"]
    reached(STAGE_SHARE["surface"])
    roofs = timed(roofs_stage, job, surface)
    reached(before_light)
    light = timed(
        light_stage, job, surface, roofs, sky,
        lambda share: reached(before_light + STAGE_SHARE["light"] * share),
    )  # fmt: skip
    report = write_tables(job, surface.seconds, roofs, light)
    reached(1.0)
    return report


def run_on_cluster(
    client: Any, jobs: Iterator[TileJob], sky: SkyTable, advance: Advance
) -> Iterator[TileOutcome]:
    """
    Run the chains on a Dask cluster, each stage a task of its own.

    Never more chains under way than the cluster has threads: what a worker holds depends on the
    tile, not on the area.
    """
    from distributed import as_completed

    run_id = uuid.uuid4().hex[:8]
    sky_future = client.submit(timed, _same, sky, key=f"sky-{run_id}", pure=False)
    under_way: dict[str, _Chain] = {}
    names: dict[str, tuple[str, str]] = {}
    finished = as_completed()
    while True:
        while len(under_way) < max(1, sum(client.nthreads().values())):
            job = next(jobs, None)
            if job is None:
                break
            chain = _Chain(client, job, sky_future, run_id)
            under_way[job.name] = chain
            names.update((one.key, (stage, job.name)) for stage, one in chain.futures.items())
            finished.update(chain.futures.values())
        if not under_way:
            return
        future = next(finished)
        stage, name = names.pop(future.key)
        chain = under_way.get(name)
        if chain is None:
            continue  # A later link of a chain that failed already.
        if future.status == "finished":
            advance(name, STAGE_SHARE[stage])
        if future.status != "finished" or stage == "tables":
            del under_way[name]
            yield chain.outcome(future)


def _same(value: Any) -> Any:
    return value


class _Chain:
    """The four futures of one tile."""

    def __init__(self, client: Any, job: TileJob, sky: Any, run_id: str) -> None:
        self.job = job

        def submit(stage: str, function: Callable[..., Any], *args: Any) -> Any:
            key = f"{stage}-{job.name}-{run_id}"
            return client.submit(function, *args, key=key, pure=False, retries=RETRIES)

        surface = submit("surface", timed, surface_stage, job)
        roofs = submit("roofs", timed, roofs_stage, job, surface)
        light = submit("light", timed, light_stage, job, surface, roofs, sky)
        tables = submit("tables", _write_tables_of, job, surface, roofs, light)
        self.futures = {"surface": surface, "roofs": roofs, "light": light, "tables": tables}

    def outcome(self, future: Any) -> TileOutcome:
        try:
            if future.status == "finished":
                return TileOutcome(self.job.name, future.result())
            if future.status == "cancelled":
                return TileOutcome(self.job.name, None, "the cluster lost the tile")
            fault = fault_text(future.exception())
            log.warning("tile %s: %s", self.job.name, fault)
            return TileOutcome(self.job.name, None, fault)
        finally:
            for one in self.futures.values():
                one.release()


def _write_tables_of(job: TileJob, surface: Timed, roofs: Timed, light: Timed) -> dict[str, Any]:
    return write_tables(job, surface.seconds, roofs, light)
