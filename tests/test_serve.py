"""The local server: byte ranges, media types, and nothing but the map."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time

import pytest
import uvicorn
from webmap_town import META, make_town

from solarkataster import serve as serve_module
from solarkataster.errors import InputError
from solarkataster.io.webmap import write_map
from solarkataster.serve import application, listen, map_folder_of, serve


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    town = make_town(folder)
    write_map(folder / "map", town.roofs, town.buildings, town.year_raster, META)
    (folder / "run.json").write_text('{"secret": "not for the web"}')
    return folder


@pytest.fixture(scope="module")
def ask(run_folder):
    """Ask a real server over a plain socket: a client library would tidy paths up first."""
    listener = listen(0)
    config = uvicorn.Config(application(run_folder), log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()

    def answer(path, method="GET", **headers):
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", listener.getsockname()[1], timeout=10)
        ) as connection:
            connection.request(method, path, headers=headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()

    yield answer
    server.should_exit = True
    thread.join(10)
    listener.close()


def test_a_range_of_an_archive_comes_as_206_with_just_those_bytes(ask, run_folder):
    whole = (run_folder / "map" / "roofs.pmtiles").read_bytes()
    status, headers, body = ask("/roofs.pmtiles", Range="bytes=127-640")
    assert status == 206
    assert body == whole[127:641]
    assert headers["content-range"] == f"bytes 127-640/{len(whole)}"
    assert "content-encoding" not in headers


def test_a_range_beyond_the_end_is_refused(ask):
    assert ask("/roofs.pmtiles", Range="bytes=999999999-")[0] == 416


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/map.mjs", "text/javascript; charset=utf-8"),
        ("/vendor/maplibre-gl.mjs", "text/javascript; charset=utf-8"),
        ("/vendor/pmtiles.js", "text/javascript; charset=utf-8"),
        ("/map.css", "text/css; charset=utf-8"),
        ("/map.json", "application/json"),
        ("/icon.svg", "image/svg+xml"),
        ("/roofs.pmtiles", "application/vnd.pmtiles"),
    ],
)
def test_files_have_the_media_type_a_browser_asks_for(ask, path, media_type):
    status, headers, _ = ask(path)
    assert status == 200
    assert headers["content-type"] == media_type


@pytest.mark.parametrize(
    "path",
    [
        "/../run.json",
        "/%2e%2e/run.json",
        "/..%2frun.json",
        "/vendor/..%2f..%2frun.json",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
    ],
)
def test_paths_out_of_the_map_are_refused(ask, path):
    status, _, body = ask(path)
    assert status == 404
    assert b"secret" not in body


def test_a_new_run_is_seen_at_once(ask):
    assert ask("/map.json")[1]["cache-control"] == "no-cache"
    assert ask("/roofs.pmtiles")[1]["cache-control"] == "no-store"


def test_other_methods_are_refused(ask):
    assert ask("/map.json", method="POST")[0] == 405


def test_a_foreign_host_name_is_not_answered(ask):
    assert ask("/map.json", Host="evil.example")[0] == 400


def test_a_folder_without_a_map_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(InputError) as caught:
        serve(tmp_path, port=0)
    assert str(tmp_path) in str(caught.value)
    assert "holds no map" in str(caught.value)
    assert "solarkataster run" in str(caught.value)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(InputError, match="no such folder"):
        map_folder_of(tmp_path / "nowhere")


def test_the_map_folder_itself_may_be_given(run_folder):
    assert map_folder_of(run_folder / "map") == map_folder_of(run_folder)


def test_a_taken_port_is_said_in_one_sentence(run_folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}: already in use"):
            serve(run_folder, port=port)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(InputError, match="no port number"):
        listen(port)


def test_serve_tells_its_address_and_ends_on_interrupt(run_folder, monkeypatch):
    """The server is stopped as Ctrl-C stops it; the address answers while it runs."""
    servers = []
    plain_run = uvicorn.Server.run

    def remembered(self, sockets=None):
        servers.append(self)
        plain_run(self, sockets=sockets)
        raise KeyboardInterrupt

    monkeypatch.setattr(serve_module.uvicorn.Server, "run", remembered)
    addresses = []
    thread = threading.Thread(target=serve, args=(run_folder, 0, addresses.append))
    thread.start()
    deadline = time.monotonic() + 10
    while not (servers and servers[0].started) and time.monotonic() < deadline:
        time.sleep(0.02)
    host, port = addresses[0].removeprefix("http://").rstrip("/").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "/map.json")
    assert connection.getresponse().status == 200
    connection.close()
    servers[0].should_exit = True
    thread.join(10)
    assert not thread.is_alive()
