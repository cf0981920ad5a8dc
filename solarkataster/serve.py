"""Serve the map of a run on this machine: static files with byte ranges, as PMTiles needs them."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from solarkataster.errors import InputError

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
DEFAULT_PORT = 8350

#: Fixed here, because the operating system's table of types differs from machine to machine and
#: a browser refuses a module that is not JavaScript.
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".pmtiles": "application/vnd.pmtiles",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


class MapFiles(StaticFiles):
    """Static files with fixed media types and no stale cache after a new run."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        media_type = MEDIA_TYPES.get(Path(full_path).suffix.lower())
        if media_type and "content-type" in response.headers:
            response.headers["content-type"] = media_type
        # Archives are read in ranges, many at once; Chrome's cache is known to fail such requests
        # (pmtiles.js by-passes it on Windows), and on this machine a cache gains nothing.
        is_archive = Path(full_path).suffix.lower() == ".pmtiles"
        response.headers["cache-control"] = "no-store" if is_archive else "no-cache"
        return response


def map_folder_of(run_folder: Path) -> Path:
    """
    Folder of the map in a run folder; the map folder itself is taken as well.

    Raises
    ------
    InputError
        If the folder does not exist or holds no map.
    """
    run_folder = Path(run_folder)
    for folder in (run_folder / "map", run_folder):
        if (folder / "index.html").is_file() and (folder / "map.json").is_file():
            return folder
    found = "holds no map" if run_folder.is_dir() else "no such folder"
    raise InputError(
        found,
        where=str(run_folder),
        expected="the folder of a finished run, with map/index.html in it",
        remedy="run `solarkataster run CONFIG` first, then give its output folder",
    )


def application(run_folder: Path) -> Starlette:
    """The web application of a run's map, for a server of one's own choice."""
    site = MapFiles(directory=map_folder_of(run_folder), html=True)
    # Only this machine's names are answered, so that a page elsewhere cannot read the map by
    # pointing its own host name here.
    guard = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    return Starlette(routes=[Mount("/", site)], middleware=[guard])


def listen(port: int) -> socket.socket:
    """
    Open the port before anything else starts, so that a taken one is said in one sentence.

    Parameters
    ----------
    port : int
        0 takes any free port.

    Raises
    ------
    InputError
        If the port is taken, not allowed or no port number.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError) as error:
        listener.close()
        raise InputError(
            _port_trouble(error),
            where=f"port {port}",
            expected="a free port from 1024 to 65535",
            remedy="choose another one: solarkataster serve RUN --port N",
        ) from error
    return listener


def _port_trouble(error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return "already in use by another program"
    if code == errno.EACCES:
        return "this user may not open it"
    return "cannot be opened" if code else "no port number"


def serve(
    run_folder: Path, port: int = DEFAULT_PORT, on_ready: Callable[[str], None] | None = None
) -> None:
    """
    Serve a run's map on 127.0.0.1 until interrupted (Ctrl-C).

    Parameters
    ----------
    run_folder : Path
        Folder of a finished run.
    port : int
        0 takes any free port.
    on_ready : callable, optional
        Called once with the address when the port is open.

    Raises
    ------
    InputError
        If the folder holds no map or the port cannot be opened.
    """
    app = application(run_folder)
    listener = listen(port)
    with contextlib.closing(listener):
        address = f"http://{HOST}:{listener.getsockname()[1]}/"
        log.info("serving %s at %s", run_folder, address)
        if on_ready is not None:
            on_ready(address)
        settings = uvicorn.Config(app, log_level="warning", ws="none", lifespan="off")
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[listener])
