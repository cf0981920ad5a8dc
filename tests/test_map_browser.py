"""The map in a real browser: what a click shows is what the table says, and nothing is fetched
from elsewhere."""

from __future__ import annotations

import shutil
from urllib.parse import urlsplit

import numpy as np
import pytest
import rasterio
from map_pages import DESKTOP, PHONE, needs_chromium, open_map, served
from webmap_town import META, make_town, write_run

from solarkataster.io.webmap import write_map
from solarkataster.io.webtiles import irradiation_palette, palette_index
from solarkataster.units import MONTHS

GABLE = "DENW12AL00006"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with served(write_run(tmp_path_factory.mktemp("run"))) as run:
        yield run


@pytest.fixture(scope="module")
def shared_desktop(browser, run):
    with open_map(browser, run, DESKTOP) as watched:
        yield watched


def test_a_click_on_a_roof_shows_the_numbers_of_its_row(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    desktop.click(row.geometry)
    assert desktop.card_id() == row.roof_id
    numbers = [
        "surface_tilt",
        "surface_azimuth",
        "area_m2",
        "sky_view_factor",
        "shading_loss_fraction",
        "poa_global_year_kwh_m2",
        "poa_global_year_kwh",
        "poa_direct_year_kwh_m2",
        "poa_sky_diffuse_year_kwh_m2",
        "poa_ground_diffuse_year_kwh_m2",
        *(f"poa_global_{month}_kwh_m2" for month in MONTHS),
    ]
    assert desktop.shown_as(row, numbers)
    assert desktop.text("roof_id") == row.roof_id


def test_the_words_of_the_card_are_german_and_rounded_from_the_row(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    desktop.click(row.geometry)
    # 180° less six turns of 7°, see webmap_town.
    assert row.surface_azimuth == pytest.approx(138.0)
    assert desktop.text("surface_azimuth") == "Südost (138°)"
    assert desktop.text("surface_tilt") == "35°"
    year = f"{row.poa_global_year_kwh_m2:,.0f}".replace(",", ".")
    assert desktop.text("poa_global_year_kwh_m2") == year
    assert desktop.text("shading_loss_fraction") == "8 %"
    assert "kWh/m² pro Jahr" in desktop.page.text_content("#card .big")
    assert desktop.page.text_content("#card h2") == "Dachfläche"


def test_parts_of_the_light_are_shares_of_the_year(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    desktop.click(row.geometry)
    for name in ("poa_direct", "poa_sky_diffuse", "poa_ground_diffuse"):
        column = f"{name}_year_kwh_m2"
        share = row[column] / row.poa_global_year_kwh_m2
        assert desktop.page.text_content(f"#card [data-share={column}]") == f"{share * 100:.0f} %"


def test_bars_of_the_months_are_as_high_as_their_values(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    desktop.click(row.geometry)
    bars = desktop.page.query_selector_all("#card .months g")
    heights = np.array([float(bar.query_selector("rect").get_attribute("height")) for bar in bars])
    # Tiles keep a tenth of a kWh/m².
    values = np.array([round(row[f"poa_global_{month}_kwh_m2"], 1) for month in MONTHS])
    np.testing.assert_allclose(heights / heights.max(), values / values.max(), rtol=1e-9)


def test_a_level_roof_faces_nowhere(desktop, run):
    row = run.roofs.loc["DENW12AL00005/r1"]
    assert np.isnan(row.surface_azimuth)
    desktop.click(row.geometry)
    assert desktop.text("surface_azimuth") == "keine (flach)"


def test_a_roof_without_value_is_hatched_and_says_why(desktop, run):
    row = run.roofs.loc["DENW12AL00007/r2"]
    assert row.reason
    assert max(desktop.pixel(row.geometry)) - min(desktop.pixel(row.geometry)) < 20
    desktop.click(row.geometry)
    assert desktop.page.text_content("#card .big") == "Kein Wert"
    assert desktop.value("reason") == row.reason
    assert desktop.page.query_selector("#card [data-field=poa_global_year_kwh_m2]") is None


def test_the_building_of_a_roof_shows_its_own_row_and_lists_its_roofs(desktop, run):
    desktop.click(run.roofs.loc[f"{GABLE}/r1"].geometry)
    desktop.page.click("#card .whole")
    row = run.buildings.loc[GABLE]
    assert desktop.card_id() == GABLE
    assert desktop.shown_as(row, ["height_m", "n_roofs", "area_m2", "poa_global_year_kwh_m2"])
    listed = desktop.page.query_selector_all("#card [data-roof]")
    names = [button.get_attribute("data-roof") for button in listed]
    assert names == [f"{GABLE}/r{n}" for n in (1, 2, 3)]
    listed[1].click()
    assert desktop.card_id() == f"{GABLE}/r2"


def test_a_building_without_roofs_answers_a_click_with_its_reason(desktop, run):
    row = run.buildings.loc["4712"]
    at = desktop.place(row.geometry)
    desktop.page.evaluate(
        "([x, y]) => { map.panBy([x - 700, y - 400], {animate: false}); }", list(at.values())
    )
    desktop.idle()
    desktop.click(row.geometry)
    assert desktop.card_id() == "4712"
    assert row.reason_en == "outside the surface model"
    assert desktop.text("reason") == f"{row.reason}."
    assert "liegt neben dem Höhenmodell" in row.reason


def bare_roofs(watched):
    """Nothing lies or stands on the roofs."""
    for name in ("modules", "superstructures"):
        watched.page.uncheck(f"[data-layer={name}]")
    watched.idle()


def test_roofs_have_the_colour_of_the_legend(desktop, run):
    bare_roofs(desktop)
    rows = run.roofs[run.roofs.poa_global_year_kwh_m2.notna() & (run.roofs.area_m2 >= 10)]
    for row, seen in zip(rows.itertuples(), desktop.pixels(rows.geometry), strict=True):
        index = palette_index(np.array([row.poa_global_year_kwh_m2]))[0]
        expected = irradiation_palette()[index].astype(int)
        # Two grey levels for the browser's own rounding, one for the palette's 255 steps.
        assert np.abs(np.array(seen) - expected).max() <= 3, row.roof_id


def test_layers_switch_on_and_off(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    ground, page = (241, 242, 240), desktop.page
    bare_roofs(desktop)
    coloured = desktop.pixel(row.geometry)
    page.uncheck("[data-layer=roofs]")
    desktop.idle()
    assert desktop.pixel(row.geometry) not in (coloured, ground)
    page.uncheck("[data-layer=buildings]")
    desktop.idle()
    assert desktop.pixel(row.geometry) == ground
    page.check("[data-layer=raster]")
    desktop.idle()
    raster = np.array(desktop.pixel(row.geometry))
    assert np.abs(raster - np.array(coloured)).max() <= 3


def test_3d_tilts_the_map_and_raises_buildings_to_their_height(desktop, run):
    desktop.page.click("#view-3d")
    desktop.idle()
    assert desktop.page.evaluate("map.getPitch()") > 30
    raised = desktop.page.evaluate(
        "map.queryRenderedFeatures({layers: ['building-solid-detail']})"
        ".map(f => [f.properties.building_id, f.layer.paint['fill-extrusion-height']])"
    )
    heights = run.buildings.height_m
    assert len(dict(raised)) >= 10
    for building_id, height_m in raised:
        assert height_m == pytest.approx(heights[building_id] if building_id != "4712" else 0)
    assert desktop.page.get_attribute("#view-3d", "aria-pressed") == "true"
    assert desktop.page.inner_text("#view-3d") == "3D"
    desktop.page.click("#view-2d")
    desktop.idle()
    assert desktop.page.evaluate("map.getPitch()") == 0


def test_a_click_in_3d_finds_the_roof_on_top(desktop, run):
    desktop.page.click("#view-3d")
    desktop.idle()
    lid = run.roofs.loc[f"{GABLE}/r1"]
    at = desktop.page.evaluate(
        """id => {
          const c = map.getContainer().getBoundingClientRect(), hits = [];
          for (let x = 380; x < c.width - 60; x += 4) for (let y = 20; y < c.height - 40; y += 4) {
            const [f] = map.queryRenderedFeatures([x, y], {layers: ['roof-solid-detail']});
            if (f?.properties.roof_id === id) hits.push([x, y]);
          }
          return hits[hits.length >> 1];
        }""",
        lid.roof_id,
    )
    desktop.page.mouse.click(*at)
    desktop.page.wait_for_selector("#card:not([hidden])")
    assert desktop.card_id() == lid.roof_id


def test_the_keyboard_alone_chooses_a_roof_and_closes_the_card(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r2"]
    at = desktop.place(row.geometry)
    desktop.page.evaluate(
        "([x, y]) => { const c = map.getContainer(); map.panBy([x - c.clientWidth / 2,"
        " y - c.clientHeight / 2], {animate: false}); map.getCanvas().focus(); }",
        list(at.values()),
    )
    desktop.idle()
    desktop.page.keyboard.press("Enter")
    desktop.page.wait_for_selector("#card:not([hidden])")
    assert desktop.card_id() == row.roof_id
    desktop.page.keyboard.press("Escape")
    assert desktop.page.is_hidden("#card")


def test_every_button_and_box_has_a_name(desktop, run):
    desktop.click(run.roofs.loc[f"{GABLE}/r1"].geometry)
    nameless = desktop.page.evaluate(
        "[...document.querySelectorAll('button, input, [role=dialog], [role=img], canvas')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby')"
        " || e.textContent.trim() || e.closest('label')?.textContent.trim()))"
        ".map(e => e.outerHTML)"
    )
    assert nameless == []


def test_english_is_the_second_language(browser, run):
    with open_map(browser, run, DESKTOP, "?lang=en") as watched:
        assert watched.page.get_attribute("html", "lang") == "en"
        watched.click(run.roofs.loc[f"{GABLE}/r1"].geometry)
        assert watched.text("surface_azimuth") == "south-east (138°)"
        watched.page.click("[data-language=de]")
        assert watched.text("surface_azimuth") == "Südost (138°)"
        assert watched.complaints == []


def test_both_languages_say_everything(desktop):
    keys = desktop.page.evaluate(
        """async () => {
          const {WORDS} = await import('./words.mjs');
          const shape = w => Object.entries(w).map(([k, v]) => `${k}:${typeof v}`).sort();
          return [shape(WORDS.de), shape(WORDS.en),
            [...document.querySelectorAll('[data-i18n]')].map(e => e.dataset.i18n)];
        }"""
    )
    german, english, used = keys
    assert german == english
    assert set(used) <= {key.split(":")[0] for key in german}


def test_title_legend_sources_and_owners_come_from_the_run(desktop):
    page = desktop.page
    assert page.title() == "Solarkataster Musterstadt am Rhein"
    assert page.text_content("h1") == META["municipality"]
    assert "kWh/m² pro Jahr" in page.text_content("#legend figcaption")
    ticks = page.text_content("#legend .ticks")
    assert "≤ 400" in ticks
    assert "≥ 1.200" in ticks
    assert META["attribution"] in page.text_content("#attribution")
    assert page.text_content("[data-fact=weather]") == META["weather"]
    assert page.text_content("[data-fact=surface_model_date]") == "14. März 2021"
    assert page.text_content("[data-fact=sources]") == "\n".join(META["sources"])
    assert page.text_content("[data-fact=counts]") == "25 Dachflächen auf 14 Gebäuden"


def test_on_a_phone_the_chosen_roof_stays_in_sight_and_nothing_runs_off_the_side(browser, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    with open_map(browser, run, PHONE) as phone:
        phone.click(row.geometry)
        assert phone.card_id() == row.roof_id
        assert phone.shown_as(row, ["poa_global_year_kwh_m2"])
        phone.idle()
        at = phone.place(row.geometry)
        boxes = [phone.page.query_selector(s).bounding_box() for s in ("#panel", "#card")]
        assert boxes[0]["y"] + boxes[0]["height"] < at["y"] < boxes[1]["y"]
        index = palette_index(np.array([row.poa_global_year_kwh_m2]))[0]
        expected = irradiation_palette()[index].astype(int)
        assert np.abs(np.array(phone.pixel(row.geometry)) - expected).max() <= 3
        assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        phone.page.click("#card .close")
        phone.page.click("#more")
        phone.page.click("#view-3d")
        phone.idle()
        assert phone.page.evaluate("map.getPitch()") > 30
        assert phone.complaints == []


def test_from_far_away_a_click_first_comes_near_where_all_columns_are(browser, run):
    row = run.roofs.loc[f"{GABLE}/r1"]
    with open_map(browser, run, DESKTOP) as watched:
        watched.page.evaluate("() => { map.jumpTo({zoom: 14.4}); }")
        watched.idle()
        watched.click(row.geometry)
        assert watched.card_id() == row.roof_id
        assert watched.shown_as(row, ["poa_global_07_kwh_m2"])
        assert watched.page.evaluate("map.getZoom()") >= 16


def test_every_request_stays_on_this_machine_and_nothing_complains(desktop, run):
    hosts = {urlsplit(r.url).hostname for r in desktop.requests if r.url.startswith("http")}
    assert hosts == {"127.0.0.1"}
    others = {urlsplit(r.url).scheme for r in desktop.requests} - {"http"}
    assert others <= {"blob", "data"}
    tiles = [r for r in desktop.requests if r.url.endswith(".pmtiles")]
    assert tiles
    assert all("range" in r.headers for r in tiles)
    assert desktop.complaints == [], desktop.failures


def test_a_map_without_roofs_and_raster_still_opens_and_gives_reasons(browser, run, tmp_path):
    town = make_town(tmp_path)
    lost = town.buildings[town.buildings.building_id == "4712"]
    year = tmp_path / "poa_global_year_kwh_m2.tif"
    with rasterio.open(year, "r+") as file:
        file.write(np.full((1, *file.shape), np.nan, dtype=np.float32))
    write_map(tmp_path / "map", town.roofs.iloc[:0], lost, year, META)
    shutil.copytree(tmp_path / "map", run.folder / "map" / "bare")
    with open_map(browser, run, DESKTOP, "bare/") as watched:
        assert watched.page.query_selector_all("[data-of]") == []
        watched.click(lost.geometry.iloc[0])
        assert watched.value("reason") == lost.reason.iloc[0]
        assert watched.complaints == []


def test_whole_area_leads_back_to_the_view_that_opened(desktop):
    desktop.page.evaluate("() => { map.jumpTo({center: [7.0, 50.7], zoom: 12}); }")
    desktop.page.click("#overview")
    desktop.idle()
    view = desktop.view()
    assert view["zoom"] == pytest.approx(desktop.opening_view["zoom"])
    assert view["center"] == pytest.approx(desktop.opening_view["center"])
