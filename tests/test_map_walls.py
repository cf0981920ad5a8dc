"""Walls on the map in a real browser: coloured lines in 2D, storeys in 3D, the card of a wall."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from map_pages import needs_chromium, served
from webmap_walls import DARK, HIDDEN, write_wall_run

from solarkataster.io.webtiles_facades import WALL_COLOURS
from solarkataster.units import MONTHS

GABLE = "DENW12AL00006"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with served(write_wall_run(tmp_path_factory.mktemp("run"))) as run:
        yield run


@pytest.fixture(scope="module")
def walls(run):
    return gpd.read_parquet(run.folder / "facades.parquet").set_index("facade_id", drop=False)


@pytest.fixture(scope="module")
def storeys(run):
    return gpd.read_parquet(run.folder / "facade_storeys.parquet").set_index("facade_id")


def near(watched, building_id: str, zoom: float = 19.0) -> None:
    """Look at a house from near, in the part of the screen that no panel covers."""
    house = watched.run.buildings.geometry[[building_id]].centroid.to_crs("EPSG:4326").iloc[0]
    watched.page.evaluate(
        "([x, y, zoom]) => { map.easeTo({center: [x, y], zoom, offset: [60, 0], duration: 0}); }",
        [house.x, house.y, zoom],
    )
    watched.idle()


def outside(wall, metres: float):
    """A point so far before the middle of a wall."""
    azimuth = np.radians(wall.surface_azimuth)
    middle = wall.geometry.envelope.centroid
    return gpd.points_from_xy(
        [middle.x + metres * np.sin(azimuth)], [middle.y + metres * np.cos(azimuth)]
    )[0]


def wall_colour(year_kwh_m2: float) -> np.ndarray:
    stops = [stop for stop, _ in WALL_COLOURS]
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in WALL_COLOURS])
    return np.array([np.interp(year_kwh_m2, stops, band) for band in rgb.T])


#: At zoom 19 the lines of walls run 3.9 px beside the outline; a pixel is 0.095 m (156 543 m ·
#: cos 50.7° / 2^20). [m]
LINE_M = 0.37


def test_in_2d_walls_are_lines_in_the_colours_of_their_own_scale(desktop, walls):
    near(desktop, GABLE)
    own = walls[walls.building_id == GABLE]
    seen = desktop.pixels([outside(wall, LINE_M) for wall in own.itertuples()])
    for wall, pixel in zip(own.itertuples(), seen, strict=True):
        # Lines at an angle have softened edges; the map's own mixing is exact.
        assert np.abs(np.array(pixel) - wall_colour(wall.poa_global_year_kwh_m2)).max() <= 12
    desktop.page.uncheck("[data-layer=facades]")
    desktop.idle()
    ground = desktop.pixel(outside(own.iloc[0], LINE_M + 0.2))
    assert ground == (241, 242, 240)


def test_a_click_on_a_wall_shows_its_row(desktop, walls):
    near(desktop, GABLE)
    row = walls.loc[f"{GABLE}/f1"]
    desktop.click(outside(row, LINE_M))
    assert desktop.card_id() == row.facade_id
    assert desktop.page.text_content("#card h2") == "Wand"
    digits = {"poa_global_year_kwh_m2": 1, "area_m2": 1, "usable_area_m2": 1, "length_m": 2}
    digits |= {"poa_global_year_half_kwh": 0, "poa_global_year_quarter_kwh": 0}
    digits |= {"poa_global_year_usable_kwh": 0, "sky_view_factor": 4}
    digits |= {f"poa_global_{month}_kwh_m2": 1 for month in MONTHS}
    for name, n in digits.items():
        assert float(desktop.value(name)) == round(row[name], n), name
    assert "Annahme" in desktop.page.text_content("#card .numbers")
    directions = ["Nord", "Nordost", "Ost", "Südost", "Süd", "Südwest", "West", "Nordwest"]
    facing = directions[round(row.surface_azimuth / 45) % 8]
    assert desktop.text("surface_azimuth") == f"{facing} ({row.surface_azimuth:.0f}°)"
    assert "angenommen sind 0,5 m" in desktop.text("data_quality")


def test_the_card_lists_the_storeys_with_their_balcony_plants_top_first(desktop, walls, storeys):
    near(desktop, GABLE)
    desktop.click(outside(walls.loc[f"{GABLE}/f1"], LINE_M))
    expected = storeys.loc[[f"{GABLE}/f1"]].sort_values("storey", ascending=False)
    rows = desktop.page.query_selector_all("#card .storeys tbody tr")
    assert len(rows) == len(expected) >= 3
    for line, row in zip(rows, expected.itertuples(), strict=True):
        name = "EG" if row.storey == 0 else f"{row.storey}. OG"
        cells = [cell.text_content() for cell in line.query_selector_all("th, td")]
        numbers = (row.poa_global_year_kwh_m2, row.balcony_upright_kwh, row.balcony_tilted_kwh)
        assert cells == [name, *(f"{round(n, 1):.0f}" for n in numbers), row.balcony_class]


@pytest.mark.parametrize(("high", "said"), [(655.4, "598 – 655 kWh/m²"), (598.4, None)])
def test_the_card_tells_the_range_of_unsure_eaves_if_there_is_one(desktop, high, said):
    found = desktop.page.evaluate(
        """async high => {
          const {wallRows} = await import('./card_wall.mjs');
          const feature = {surface_azimuth: 181, poa_global_year_kwh_m2: 620,
            poa_global_year_low_kwh_m2: 598.1, poa_global_year_high_kwh_m2: high};
          const range = wallRows(feature).querySelector('[data-field=poa_global_year_low_kwh_m2]');
          return range && range.textContent;
        }""",
        high,
    )
    assert found == said


def test_a_house_lists_its_walls_and_they_lead_to_their_cards(desktop, run):
    near(desktop, GABLE)
    desktop.click(run.roofs.loc[f"{GABLE}/r1"].geometry)
    desktop.page.click("#card .whole")
    listed = desktop.page.query_selector_all("#card [data-facade]")
    names = [button.get_attribute("data-facade") for button in listed]
    assert names == [f"{GABLE}/f{n}" for n in (1, 2, 3, 4)]
    listed[2].click()
    assert desktop.card_id() == f"{GABLE}/f3"
    desktop.page.click("#card .whole")
    assert desktop.card_id() == GABLE


def test_a_wall_without_value_says_why_and_a_hidden_one_is_not_there(desktop, walls):
    near(desktop, walls.building_id[DARK])
    desktop.click(outside(walls.loc[DARK], LINE_M))
    assert desktop.card_id() == DARK
    assert desktop.page.text_content("#card .big") == "Kein Wert"
    assert "dicht vor der Wand steht etwas" in desktop.text("reason")
    drawn = desktop.page.evaluate(
        "[...new Set(map.querySourceFeatures('facades', {sourceLayer: 'facades'})"
        ".map(f => f.properties.facade_id))]"
    )
    assert DARK in drawn
    assert HIDDEN not in drawn


def test_in_3d_storeys_stand_one_upon_the_other_in_their_colours(desktop, walls, storeys):
    near(desktop, GABLE)
    desktop.page.click("#view-3d")
    desktop.idle()
    drawn = desktop.page.evaluate(
        """id => map.queryRenderedFeatures({layers: ['wall-solid']})
          .filter(f => f.properties.facade_id === id)
          .map(f => { const {r, g, b} = f.layer.paint['fill-extrusion-color'];
            return [f.properties.storey, f.layer.paint['fill-extrusion-base'],
              f.layer.paint['fill-extrusion-height'], [r, g, b]]; })""",
        f"{GABLE}/f1",
    )
    years = storeys.loc[[f"{GABLE}/f1"]].set_index("storey").poa_global_year_kwh_m2
    assert {storey for storey, *_ in drawn} == set(years.index)
    for storey, base_m, top_m, rgb in drawn:
        assert base_m == pytest.approx(2.8 * storey)
        assert base_m < top_m <= walls.height_m[f"{GABLE}/f1"] + 0.01
        assert 255 * np.array(rgb) == pytest.approx(wall_colour(years[storey]), abs=1.0)


def test_a_click_in_3d_takes_the_wall_before_the_roofs_behind_it(desktop, walls):
    near(desktop, GABLE)
    desktop.page.click("#view-3d")
    desktop.idle()
    at = desktop.page.evaluate(
        """() => {
          const c = map.getContainer().getBoundingClientRect();
          for (let y = c.height - 60; y > 60; y -= 6) for (let x = 400; x < c.width - 120; x += 6) {
            const [f] = map.queryRenderedFeatures([x, y], {layers: ['wall-solid']});
            const [g] = map.queryRenderedFeatures([x, y]);
            if (f && g.layer.id === 'wall-solid') return [x, y, g.properties.facade_id];
          }
        }"""
    )
    desktop.page.mouse.click(*at[:2])
    desktop.page.wait_for_selector("#card:not([hidden])")
    assert desktop.card_id() == at[2]
    assert desktop.page.get_attribute("#card", "data-kind") == "facade"


def test_walls_have_a_legend_of_their_own(desktop):
    legend = desktop.page.query_selector("#wall-legend")
    assert "Wänden" in legend.query_selector("figcaption").text_content()
    ticks = legend.query_selector(".ticks").text_content()
    assert "≤ 100" in ticks
    assert "≥ 900" in ticks
    roofs = desktop.page.text_content("#legend .ticks")
    assert "≥ 1.200" in roofs
