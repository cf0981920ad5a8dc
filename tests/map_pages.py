"""Opening a run's map in the system's Chromium, and watching what the page does."""

from __future__ import annotations

import contextlib
import io
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import uvicorn
from PIL import Image
from playwright.sync_api import Page, Request, sync_playwright

from solarkataster.io.webtiles_columns import decimals
from solarkataster.serve import application, listen

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: No update check, no safe-browsing list, no component download: the browser itself stays silent.
QUIET_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
]
DESKTOP = {"width": 1000, "height": 640}
#: Enough for a panel, a card and a roof; a picture is drawn by the processor, so size is time.
SMALL_DESKTOP = {"width": 860, "height": 440}
PICTURE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine (Debian: apt-get install chromium)"
)


@dataclass
class Run:
    """A finished run: its tables as Parquet and the address of its map."""

    folder: Path
    address: str

    @property
    def roofs(self) -> gpd.GeoDataFrame:
        return gpd.read_parquet(self.folder / "roofs.parquet").set_index("roof_id", drop=False)

    @property
    def buildings(self) -> gpd.GeoDataFrame:
        table = gpd.read_parquet(self.folder / "buildings.parquet")
        return table.set_index("building_id", drop=False)


@dataclass
class Watched:
    """A page and what it did: requests, console complaints, uncaught errors."""

    page: Page
    run: Run
    requests: list[Request] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    failures: list[tuple] = field(default_factory=list)
    opening_view: dict = field(default_factory=dict)

    def place(self, geometry) -> dict:
        """Where a point inside a geometry is on the screen."""
        point = gpd.GeoSeries([geometry.representative_point()], crs="EPSG:25832")
        lon_lat = point.to_crs("EPSG:4326").iloc[0]
        return self.page.evaluate(
            "([x, y]) => { const p = map.project([x, y]); return {x: p.x, y: p.y}; }",
            [lon_lat.x, lon_lat.y],
        )

    def click(self, geometry) -> None:
        at = self.place(geometry)
        self.page.mouse.click(at["x"], at["y"])
        self.page.wait_for_selector("#card:not([hidden])")
        self.idle()

    def idle(self) -> None:
        # Nothing is handed back: the event holds the map, and to copy that takes seconds.
        self.page.evaluate(
            "() => new Promise(done => { map.once('idle', () => done()); map.triggerRepaint(); })"
        )

    def view(self) -> dict:
        return self.page.evaluate("({center: map.getCenter(), zoom: map.getZoom()})")

    def value(self, name: str) -> str:
        return self.page.get_attribute(f"#card [data-field={name}]", "data-value")

    def shown_as(self, row, names) -> bool:
        """Whether the card has a row's numbers, to the digits that tiles keep."""
        shown = {name: float(self.value(name)) for name in names}
        assert shown == {name: np.round(row[name], decimals(name)) for name in names}
        return True

    def text(self, name: str) -> str:
        return self.page.text_content(f"#card [data-field={name}]")

    def card_id(self) -> str:
        return self.page.get_attribute("#card", "data-id")

    def pixel(self, geometry) -> tuple[int, int, int]:
        """Colour on the screenshot: what a reader sees, not what the map means to draw."""
        return self.pixels([geometry])[0]

    def pixels(self, geometries) -> list[tuple[int, int, int]]:
        """Colours at several places of one screenshot."""
        places = [self.place(geometry) for geometry in geometries]
        with Image.open(io.BytesIO(self.page.screenshot())) as image:
            picture = image.convert("RGB")
            return [picture.getpixel((round(at["x"]), round(at["y"]))) for at in places]


@contextlib.contextmanager
def served(folder: Path):
    """The map of a run folder on a free port of this machine."""
    listener = listen(0)
    config = uvicorn.Config(application(folder), log_level="warning", ws="none", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Run(folder, f"http://127.0.0.1:{listener.getsockname()[1]}/")
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@contextlib.contextmanager
def chromium():
    """The system's browser, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET_FLAGS)
        yield browser
        browser.close()


@contextlib.contextmanager
def open_map(browser, run: Run, viewport: dict, query: str = ""):
    page = browser.new_page(viewport=viewport, reduced_motion="reduce")
    watched = Watched(page, run)
    page.on("request", lambda request: watched.requests.append(request))
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    page.on(
        "requestfailed",
        lambda r: watched.failures.append((r.url, r.failure, r.headers.get("range"))),
    )
    page.on(
        "console",
        lambda m: watched.complaints.append(m.text) if m.type == "error" else None,
    )
    page.goto(run.address + query)
    # The page sets this at the map's first `idle`; a string predicate would need eval, which the
    # page's own content policy forbids.
    page.wait_for_selector("html[data-map=ready]", timeout=60_000)
    watched.opening_view = watched.view()
    try:
        yield watched
    finally:
        page.close()


@contextlib.contextmanager
def as_opened(watched: Watched):
    """The map as it opens: flat, whole area, all layers but the raster, no card; no complaints."""
    page = watched.page
    page.keyboard.press("Escape")
    page.mouse.move(5, watched.page.viewport_size["height"] - 5)
    # One drawing for all of it: without a graphics card each takes a second.
    is_changed = page.evaluate(
        """view => {
          const same = () => JSON.stringify([map.getCenter(), map.getZoom(), map.getPitch()]);
          const before = same();
          const solid = document.getElementById('view-3d').getAttribute('aria-pressed') === 'true';
          const wrong = [...document.querySelectorAll('[data-layer]')]
            .filter(box => box.checked === (box.dataset.layer === 'raster'));
          if (solid) document.getElementById('view-2d').click();
          for (const box of wrong) box.click();
          map.jumpTo({...view, pitch: 0, bearing: 0});
          return solid || wrong.length > 0 || before !== same();
        }""",
        watched.opening_view,
    )
    if is_changed:
        watched.idle()
    before = len(watched.complaints)
    yield watched
    assert watched.complaints[before:] == [], watched.failures
