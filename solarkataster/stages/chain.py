"""The chain of a tile: surface to tables, here or on a Dask cluster."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from solarkataster.stages.facades import facades_stage
from solarkataster.stages.job import RunSky, TileJob, TileRoofs
from solarkataster.stages.layout import layout_stage
from solarkataster.stages.light import light_stage
from solarkataster.stages.monument_view import monument_view_stage
from solarkataster.stages.roofs import roofs_stage
from solarkataster.stages.scene import scene_stage
from solarkataster.stages.surface import surface_stage
from solarkataster.stages.tables import tables_stage

log = logging.getLogger(__name__)

#: Share of a tile's time that is over when a stage ends, for the time left.
DONE_AFTER = {
    "surface": 0.03,
    "roofs": 0.26,
    "scene": 0.29,
    "facades": 0.36,
    "light": 0.88,
    "layout": 0.98,
    "tables": 1.0,
}

#: Pause between two words about the light of a tile. [s]
_EVENT_PAUSE_S = 1.0

#: A tile is tried once more before it is given up: a network drive may have blinked.
RETRIES = 1

#: Called with a tile's name and the share of it that is done.
Reached = Callable[[str, float], None]


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


def seen_roofs(job: TileJob, surface: Any) -> TileRoofs:
    """Roof planes of the tile, and which of its monuments' are seen from public space."""
    roofs = roofs_stage(job, surface)
    if job.visibility is None:
        return roofs
    view = monument_view_stage(job, surface, roofs, job.public_space, job.visibility)
    return replace(roofs, view=view)


def write_tables(
    job: TileJob,
    surface: Timed,
    roofs: Timed,
    scene: Timed,
    facades: Timed,
    light: Timed,
    layout: Timed,
) -> dict[str, Any]:
    """Last link of the chain: the tables, with the time of the links before."""
    links = {
        "surface": surface,
        "roofs": roofs,
        "scene": scene,
        "facades": facades,
        "light": light,
        "layout": layout,
    }
    seconds = {name: round(link.seconds, 3) for name, link in links.items()}
    return tables_stage(
        job, roofs.value, scene.value, facades.value, light.value, layout.value, seconds
    )


def fault_text(error: BaseException) -> str:
    """One line that says what went wrong."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    if name == "KilledWorker":
        return "the worker was killed, probably for lack of memory; use a smaller tile size"
    return f"{name}: {text}" if text else name


def run_here(jobs: Iterator[TileJob], sky: RunSky, reached: Reached) -> Iterator[TileOutcome]:
    """Run the chains one after the other in this process."""
    for job in jobs:
        for attempt in range(RETRIES + 1):
            try:
                yield TileOutcome(job.name, _chain_here(job, sky, reached))
                break
            except Exception as error:
                log.warning("tile %s, attempt %d: %s", job.name, attempt + 1, fault_text(error))
                log.debug("tile %s", job.name, exc_info=True)
                fault = fault_text(error)
        else:
            yield TileOutcome(job.name, None, fault)


def _chain_here(job: TileJob, sky: RunSky, reached: Reached) -> dict[str, Any]:
    surface = timed(surface_stage, job)
    reached(job.name, DONE_AFTER["surface"])
    roofs = timed(seen_roofs, job, surface)
    reached(job.name, DONE_AFTER["roofs"])
    scene = timed(scene_stage, job, surface, roofs)
    reached(job.name, DONE_AFTER["scene"])
    facades = timed(facades_stage, job, surface, roofs, scene)
    reached(job.name, DONE_AFTER["facades"])
    light = timed(
        light_stage, job, scene, roofs, facades, sky,
        lambda share: reached(job.name, _in_light(share)),
    )  # fmt: skip
    reached(job.name, DONE_AFTER["light"])
    layout = timed(layout_stage, job, roofs, light, sky)
    reached(job.name, DONE_AFTER["layout"])
    report = write_tables(job, surface, roofs, scene, facades, light, layout)
    reached(job.name, 1.0)
    return report


def _in_light(share: float) -> float:
    """Share of the tile that is done when a share of its light is."""
    return DONE_AFTER["facades"] + share * (DONE_AFTER["light"] - DONE_AFTER["facades"])


def run_on_cluster(
    client: Any, jobs: Iterator[TileJob], sky: RunSky, reached: Reached
) -> Iterator[TileOutcome]:
    """
    Run the chains on a Dask cluster, each stage a task of its own.

    Never more chains under way than the cluster has threads: what a worker holds depends on the
    tile, not on the area.
    """
    from distributed import as_completed

    run_id = uuid.uuid4().hex[:8]
    topic = f"light-{run_id}"
    client.subscribe_topic(topic, lambda event: reached(*event[1]))
    sky_future = client.submit(timed, same, sky, key=f"sky-{run_id}", pure=False)
    under_way: dict[str, _Chain] = {}
    names: dict[str, tuple[str, str]] = {}
    finished = as_completed()
    while True:
        while len(under_way) < max(1, sum(client.nthreads().values())):
            job = next(jobs, None)
            if job is None:
                break
            new = _Chain(client, job, sky_future, run_id, topic)
            under_way[job.name] = new
            names.update((one.key, (stage, job.name)) for stage, one in new.futures.items())
            finished.update(new.futures.values())
        if not under_way:
            client.unsubscribe_topic(topic)
            return
        future = next(finished)
        stage, name = names.pop(future.key)
        chain = under_way.get(name)
        if chain is None:
            continue  # A later link of a chain that failed already.
        if future.status == "finished":
            reached(name, DONE_AFTER[stage])
        if future.status != "finished" or stage == "tables":
            del under_way[name]
            yield chain.outcome(future)


def same(value: Any) -> Any:
    """What all tasks share, put on the cluster once."""
    return value


def _light_on_worker(
    job: TileJob, scene: Any, roofs: Any, facades: Any, sky: RunSky, topic: str
) -> Any:
    """The light stage; the client hears now and then how far it is."""
    from distributed import get_worker

    worker, last = get_worker(), time.monotonic()

    def tell(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > _EVENT_PAUSE_S:
            last = time.monotonic()
            worker.log_event(topic, (job.name, _in_light(share)))

    return light_stage(job, scene, roofs, facades, sky, tell)


class _Chain:
    """The futures of one tile."""

    def __init__(self, client: Any, job: TileJob, sky: Any, run_id: str, topic: str) -> None:
        self.job = job

        def submit(stage: str, function: Callable[..., Any], *args: Any) -> Any:
            key = f"{stage}-{job.name}-{run_id}"
            return client.submit(function, *args, key=key, pure=False, retries=RETRIES)

        surface = submit("surface", timed, surface_stage, job)
        roofs = submit("roofs", timed, seen_roofs, job, surface)
        scene = submit("scene", timed, scene_stage, job, surface, roofs)
        facades = submit("facades", timed, facades_stage, job, surface, roofs, scene)
        light = submit("light", timed, _light_on_worker, job, scene, roofs, facades, sky, topic)
        layout = submit("layout", timed, layout_stage, job, roofs, light, sky)
        tables = submit("tables", write_tables, job, surface, roofs, scene, facades, light, layout)
        self.futures = {
            "surface": surface,
            "roofs": roofs,
            "scene": scene,
            "facades": facades,
            "light": light,
            "layout": layout,
            "tables": tables,
        }

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
