"""A second pass over finished tiles: one task per tile, here or on a Dask cluster."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from solarkataster.stages.chain import RETRIES, Reached, TileOutcome, fault_text, same

log = logging.getLogger(__name__)

#: Tasks that wait on a cluster for each that runs.
_AHEAD = 2


class Named(Protocol):
    """What a task is told about its tile."""

    @property
    def name(self) -> str: ...


#: Does the work of a tile; told the job and what all tiles share.
Work = Callable[[Any, Any], dict[str, Any]]


def pass_here(
    work: Work, jobs: Iterable[Named], shared: Any, reached: Reached
) -> Iterator[TileOutcome]:
    """Work on the tiles one after the other in this process."""
    for job in jobs:
        for attempt in range(RETRIES + 1):
            try:
                yield TileOutcome(job.name, work(job, shared))
                break
            except Exception as error:
                log.warning("tile %s, attempt %d: %s", job.name, attempt + 1, fault_text(error))
                log.debug("tile %s", job.name, exc_info=True)
                fault = fault_text(error)
        else:
            yield TileOutcome(job.name, None, fault)
        reached(job.name, 1.0)


def pass_on_cluster(
    work: Work, client: Any, jobs: Iterable[Named], shared: Any, reached: Reached
) -> Iterator[TileOutcome]:
    """
    Work on the tiles on a Dask cluster.

    A task holds what its tile needs; never more wait than the cluster can take soon, so memory does
    not depend on the area.
    """
    from distributed import as_completed

    run_id = uuid.uuid4().hex[:8]
    shared_future = client.submit(same, shared, key=f"shared-{run_id}", pure=False)
    names: dict[str, str] = {}
    left, finished = iter(jobs), as_completed()
    while True:
        while len(names) < _AHEAD * max(1, sum(client.nthreads().values())):
            job = next(left, None)
            if job is None:
                break
            key = f"{work.__name__}-{job.name}-{run_id}"
            future = client.submit(work, job, shared_future, key=key, pure=False, retries=RETRIES)
            names[future.key] = job.name
            finished.add(future)
        if not names:
            return
        future = next(finished)
        name = names.pop(future.key)
        reached(name, 1.0)
        yield _outcome(name, future)


def _outcome(name: str, future: Any) -> TileOutcome:
    try:
        if future.status == "finished":
            return TileOutcome(name, future.result())
        if future.status == "cancelled":
            return TileOutcome(name, None, "the cluster lost the tile")
        fault = fault_text(future.exception())
        log.warning("tile %s: %s", name, fault)
        return TileOutcome(name, None, fault)
    finally:
        future.release()
