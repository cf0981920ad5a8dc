"""Worker processes must not outlive their client, not even while they are still starting."""

from __future__ import annotations

import os
import sys
import threading
import time

#: Environment variable by which workers know their client.
_CLIENT = "SOLARKATASTER_CLIENT_PID"

#: Pause between two looks at the parent. [s]
_PAUSE_S = 0.2


def be_client() -> None:
    """Tell the processes that this one will start whose workers they are."""
    os.environ[_CLIENT] = str(os.getpid())


def end_with_client() -> None:
    """
    In a process that multiprocessing has spawned: end as soon as the client is gone.

    Does nothing in any other process. Dask's workers have such a guard, but it wakes only after
    all imports; a client that dies in those seconds would leave them running on a busy machine.
    """
    # Spawned processes run their parent's main module under this name, before anything else.
    is_spawned = "__mp_main__" in sys.modules
    client = os.environ.get(_CLIENT)
    if not is_spawned or client is None or os.name != "posix":
        return

    def watch() -> None:
        while os.getppid() == int(client):
            time.sleep(_PAUSE_S)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-client", daemon=True).start()
