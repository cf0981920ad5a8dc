"""From the demo town's files to a click on its map: the whole way, in one browser."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import geopandas as gpd
import numpy as np
import pytest
from demo_runs import demo_run_folder
from map_pages import PICTURE, chromium, needs_chromium, open_map, served
from shapely.affinity import translate

from solarkataster.units import MONTHS

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def demo_run(tmp_path_factory):
    return demo_run_folder(tmp_path_factory)


def test_a_known_wall_of_the_demo_town_tells_its_storeys(demo_run):
    walls = gpd.read_parquet(demo_run / "facades.parquet")
    storeys = gpd.read_parquet(demo_run / "facade_storeys.parquet")
    south = walls[walls.surface_azimuth.between(160, 200) & (walls.hidden_area_m2 == 0)]
    wall = south.loc[south.poa_global_year_kwh.idxmax()]
    own = storeys[storeys.facade_id == wall.facade_id].sort_values("storey", ascending=False)
    assert len(own) > 1
    # Its line runs 4 pixels outside the outline, each 0.1 m wide at this zoom.
    azimuth = np.radians(wall.surface_azimuth)
    out = 0.37 * np.sin(azimuth), 0.37 * np.cos(azimuth)
    place = translate(wall.geometry.envelope.centroid, *out)
    with (
        chromium() as browser,
        served(demo_run) as site,
        open_map(browser, site, PICTURE) as watched,
    ):
        east, north = gpd.GeoSeries([place], crs=walls.crs).to_crs(4326).iloc[0].coords[0]
        watched.page.evaluate(
            "place => { map.jumpTo({center: place, zoom: 19}); map.panBy([-200, 0], {animate:"
            " false}); }",
            [east, north],
        )
        watched.idle()
        watched.click(place)
        assert watched.card_id() == wall.facade_id
        year = float(watched.value("poa_global_year_kwh_m2"))
        assert year == round(wall.poa_global_year_kwh_m2, 1)
        lines = watched.page.query_selector_all("#card .storeys tbody tr")
        names = ("poa_global_year_kwh_m2", "balcony_upright_kwh", "balcony_tilted_kwh")
        for line, row in zip(lines, own.itertuples(), strict=True):
            for name in names:
                shown = float(
                    line.query_selector(f"[data-field={name}]").get_attribute("data-value")
                )
                assert abs(shown - getattr(row, name)) <= 0.5
        assert watched.complaints == []


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
            watched.click(row.geometry)
            assert watched.card_id() == row.roof_id
            names = ["surface_tilt", "area_m2", "poa_global_year_kwh_m2", "poa_global_year_kwh"]
            names += [f"poa_global_{month}_kwh_m2" for month in MONTHS]
            assert watched.shown_as(row, [*names, "yield_year_kwh", "investment_eur"])
            assert watched.text("suitability") == row.suitability
            watched.page.screenshot(path=str(picture))
            hosts = {urlsplit(request.url).hostname for request in watched.requests}
            assert hosts == {"127.0.0.1"}
            assert watched.complaints == []
    assert picture.stat().st_size > 20_000
