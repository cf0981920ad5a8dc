"""Workers: processes of one thread each that end when their client does."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

from solarkataster.orphans import be_client

SETTINGS = {
    # A tile that kills its worker is retried once, not three times.
    "distributed.scheduler.allowed-failures": 1,
    # Chains stay where their surface is; moving it costs more than waiting.
    "distributed.scheduler.work-stealing": False,
    "distributed.comm.timeouts.connect": "60s",
    # The sky table travels inside a task, so that a lost worker loses nothing.
    "distributed.admin.large-graph-warning-threshold": "1 GiB",
}


#: Asked with a number of tasks: a Dask client for them, or None if this process does them.
ClientFor = Callable[[int], Any]


def in_this_process(n_tasks: int) -> None:
    """No workers, whatever there is to do."""


@contextlib.contextmanager
def shared_workers(n_workers: int, scheduler: str | None = None) -> Iterator[ClientFor]:
    """
    Workers for all passes of a run, started when the first pass needs them.

    Starting costs each worker seconds, most of a small pass. Parameters and errors are those of
    :func:`workers`, of which there are no more than tasks of the first pass.
    """
    with contextlib.ExitStack() as stack:
        clients: list[Any] = []

        def client_for(n_tasks: int) -> Any:
            if scheduler is None and min(n_workers, n_tasks) <= 1:
                return None
            if not clients:
                client = stack.enter_context(workers(min(n_workers, n_tasks), scheduler))
                clients.append(client)
            return clients[0]

        yield client_for


@contextlib.contextmanager
def workers(n_workers: int, scheduler: str | None = None) -> Iterator[Any]:
    """
    A Dask client with local worker processes, or of an existing cluster.

    Local workers watch a pipe to this process (distributed's own guard) and end within moments of
    its death, even by SIGKILL. Workers of an existing cluster live on; what they still compute
    for a dead client is not written (:func:`solarkataster.io.runfolder.write_permit`).

    Parameters
    ----------
    n_workers : int
        Local processes; of no meaning with ``scheduler``.
    scheduler : str, optional
        Address of an existing cluster, for example ``tcp://10.0.0.1:8786``.

    Raises
    ------
    InputError
        If the address does not answer.
    """
    _quiet()
    import dask
    from distributed import Client, LocalCluster

    with dask.config.set(SETTINGS):
        if scheduler is not None:
            with _client_of(scheduler) as client:
                yield client
            return
        be_client()
        with (
            LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                # The tile bounds memory; dask's own limits would pause or kill by machine size.
                memory_limit=0,
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


def check_scheduler(address: str) -> None:
    """
    Reach an existing cluster once, so that a wrong address stops a run before it writes anything.

    Raises
    ------
    InputError
        If the address does not answer, or its cluster has no worker.
    """
    _quiet()
    with _client_of(address):
        pass


def _quiet() -> None:
    """Keep Dask's housekeeping out of the user's sight; its workers read the environment."""
    os.environ.setdefault("DASK_LOGGING__DISTRIBUTED", "critical")
    logging.getLogger("distributed").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def _client_of(address: str) -> Iterator[Any]:
    from distributed import Client

    from solarkataster.errors import InputError

    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"no Dask scheduler answers ({error})",
            where=f"--scheduler {address}",
            expected="the address of a running scheduler, for example tcp://10.0.0.1:8786",
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=60.0)
        except TimeoutError as error:
            raise InputError(
                "the cluster has no worker", where=f"--scheduler {address}", remedy="start one"
            ) from error
        yield client
