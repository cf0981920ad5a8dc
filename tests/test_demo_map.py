"""From the demo town's files to a click on its map: the whole way, in one browser."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from map_pages import PICTURE, chromium, needs_chromium, open_map, served

from solarkataster.config import load_config
from solarkataster.demo import make_town
from solarkataster.pipeline import run
from solarkataster.units import MONTHS

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    config = load_config(make_town().write(folder / "input"))
    return run(config, folder / "run", n_workers=1).folder


def test_a_known_roof_of_the_demo_town_tells_its_numbers(demo_run, tmp_path):
    """SOLARKATASTER_SCREENSHOT names the file to keep the picture in."""
    picture = Path(os.environ.get("SOLARKATASTER_SCREENSHOT", tmp_path / "map.png"))
    with chromium() as browser, served(demo_run) as site:
        roofs = site.roofs[(site.roofs.area_m2 > 60) & (site.roofs.surface_tilt > 20)]
        # Sunny, and in the middle of the town, so that the picture shows something.
        middle = roofs.geometry.union_all().envelope.centroid
        sunny = roofs[roofs.poa_global_year_kwh_m2 > roofs.poa_global_year_kwh_m2.quantile(0.7)]
        row = sunny.loc[sunny.distance(middle).idxmin()]
        with open_map(browser, site, PICTURE) as watched:
            watched.page.evaluate("() => { map.jumpTo({zoom: map.getZoom() + 1}); }")
            watched.idle()
            watched.click(row.geometry)
            assert watched.card_id() == row.roof_id
            names = ["surface_tilt", "area_m2", "poa_global_year_kwh_m2", "poa_global_year_kwh"]
            names += [f"poa_global_{month}_kwh_m2" for month in MONTHS]
            shown = {name: float(watched.value(name)) for name in names}
            assert shown == {name: row[name] for name in names}
            watched.page.screenshot(path=str(picture))
            hosts = {urlsplit(request.url).hostname for request in watched.requests}
            assert hosts == {"127.0.0.1"}
            assert watched.complaints == []
    assert picture.stat().st_size > 20_000
