"""Classes, yield and money on the map in a real browser: colours, legend, cards, two languages."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from map_pages import SMALL_DESKTOP, needs_chromium, open_map, served
from webmap_rated import GIVEN, MONUMENT, NAMES, RATING, TOLD, WALL_LIMITS, write_rated_run

from solarkataster.io.webtiles import CLASS_COLOURS, irradiation_palette, palette_index
from solarkataster.units import MONTHS

pytestmark = needs_chromium
COLOURS = dict(CLASS_COLOURS)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with served(write_rated_run(tmp_path_factory.mktemp("run"))) as run:
        yield run


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def show_whole(watched, run, building_id: str) -> None:
    watched.click(run.roofs.loc[f"{building_id}/r1"].geometry)
    watched.page.click("#card .whole")


def test_roofs_have_the_colour_of_their_class_and_on_demand_of_their_light(desktop, run):
    page = desktop.page
    for name in ("modules", "superstructures"):
        page.uncheck(f"[data-layer={name}]")
    desktop.idle()
    rows = run.roofs[run.roofs.poa_global_year_kwh_m2.notna() & (run.roofs.area_m2 >= 10)]
    assert len(set(rows.suitability)) >= 4
    for row, seen in zip(rows.itertuples(), desktop.pixels(rows.geometry), strict=True):
        if row.suitability:
            assert np.abs(np.array(seen) - rgb(COLOURS[row.suitability])).max() <= 2
        else:  # hatched in grey
            assert max(seen) - min(seen) < 25
    page.click("#mode-light")
    desktop.idle()
    assert page.get_attribute("#mode-light", "aria-pressed") == "true"
    assert page.is_visible("#legend .ticks")
    row = rows.iloc[0]
    light = irradiation_palette()[palette_index(np.array([row.poa_global_year_kwh_m2]))[0]]
    assert np.abs(np.array(desktop.pixel(row.geometry)) - light.astype(int)).max() <= 3
    page.click("#mode-class")
    desktop.idle()


def test_the_legend_names_the_classes_and_where_they_begin(desktop):
    assert desktop.page.is_visible("#class-legend")
    assert not desktop.page.is_visible("#legend .ticks")
    lines = desktop.page.query_selector_all("#class-legend tbody tr")
    told = [[cell.text_content() for cell in line.query_selector_all("th, td")] for line in lines]
    # Shares of 1200 kWh/m², the best open roof.
    assert told == [
        ["hervorragend", "93,3 %", "1.120", "800"],
        ["sehr gut", "87,5 %", "1.050", "600"],
        ["gut", "81,7 %", "980", "450"],
        ["mittel", "76,7 %", "920", "250"],
        ["gering", "alles darunter"],
    ]
    colours = desktop.page.evaluate(
        "[...document.querySelectorAll('#class-legend tbody .chip')]"
        ".map(c => c.style.backgroundColor)"
    )
    assert colours == [f"rgb({', '.join(map(str, rgb(c)))})" for _, c in CLASS_COLOURS]
    assert "ungeeignet" in desktop.page.text_content("#class-legend .none")


def test_from_far_away_the_legend_is_that_of_the_raster(desktop):
    desktop.page.evaluate("() => { map.jumpTo({zoom: 12}); }")
    desktop.idle()
    assert desktop.page.is_visible("#legend .ticks")
    assert not desktop.page.is_visible("#class-legend")


def test_a_roof_tells_class_yield_band_power_price_and_months(desktop, run):
    row = run.roofs.loc[f"{TOLD}/r1"]
    desktop.click(row.geometry)
    assert desktop.text("suitability") == row.suitability
    assert desktop.text("reason") == f"{row.reason}."
    # 16 modules of 0.44 kWp at 950 kWh/kWp: 6688 kWh, of which 87 % are 5819.
    assert desktop.text("yield_year_kwh") == "rund 6.690"
    assert desktop.text("yield_p90_year_kwh") == "5.820"
    assert desktop.text("dc_power_kwp") == "7,0 kWp"
    assert desktop.text("investment_eur") == "rund 10.100 €"
    assert desktop.text("lcoe_eur_per_kwh") == "16,1 ct/kWh"
    assert desktop.text("co2_saving_kg_per_year") == "2,4 t"
    assert RATING["co2"] in desktop.page.text_content("#card .numbers")
    assert desktop.shown_as(row, [f"yield_{month}_kwh" for month in MONTHS])
    said = desktop.page.get_attribute("#card .months", "aria-label")
    assert said.startswith("Strom im Jahreslauf, kWh je Monat: Januar ")
    assert f"Juli {row.yield_07_kwh:.0f}" in said


def test_a_house_tells_what_pays_and_how_much_of_it_is_used_there(desktop, run):
    show_whole(desktop, run, TOLD)
    page = desktop.page
    answer = page.text_content("#card .answer")
    assert "Am besten rechnet sich: Eigenverbrauch mit Speicher." in answer
    assert "Nach etwa 9 Jahren ist das Geld wieder herein" in answer
    assert "bei schwachem Ertrag nach etwa 10 Jahren." in answer
    figures = {
        "npv_eur": "rund 10.900 €",
        "npv_p90_eur": "rund 5.220 €",
        "npv_full_feed_in_eur": "rund −7.010 €",
        "annual_demand_kwh": "rund 4.320",
        "self_consumption_fraction": "26 %",
        "autarky_battery_fraction": "69 %",
        "solar_duty": "Würde bei Neubau gelten",
        "solar_duty_basis": "LSolarG § 4",
    }
    assert {name: desktop.text(name) for name in figures} == figures
    body = page.text_content("#card .body")
    for said in (
        "mit Speicher (4,3 kWh)",
        "geschätzt aus Art und Größe des Gebäudes",
        RATING["average_profile"]["de"],
        "2026-08.toml (ungeprüft)",
        "am 1. Dezember 2026",
    ):
        assert said in body
    assert "undefined" not in body
    assert "NaN" not in body


def test_what_somebody_told_of_a_demand_is_not_on_the_map(desktop, run):
    show_whole(desktop, run, GIVEN)
    body = desktop.page.text_content("#card .body")
    assert "wurde angegeben" in body
    assert desktop.text("npv_full_feed_in_eur") == "rund −7.010 €"
    shown = desktop.page.evaluate(
        "[...document.querySelectorAll('#card [data-field]')].map(e => e.dataset.field)"
    )
    assert not {"annual_demand_kwh", "autarky_fraction", "npv_eur", "variant"} & set(shown)
    assert "undefined" not in body


def test_a_surface_without_class_says_so_and_why(desktop, run):
    row = run.roofs.loc[f"{TOLD}/r2"]
    assert row.suitability == ""
    desktop.click(row.geometry)
    assert desktop.text("suitability") == "ungeeignet oder keine Angabe"
    assert "Warum hier keine Module liegen" in desktop.page.text_content("#card .body")


def test_a_car_park_tells_its_canopy(desktop, run):
    (row,) = gpd.read_parquet(run.folder / "parking.parquet").itertuples()
    at = desktop.place(row.geometry)
    desktop.page.evaluate(
        "([x, y]) => { map.panBy([x - 500, y - 250], {animate: false}); }", list(at.values())
    )
    desktop.idle()
    desktop.click(row.geometry)
    assert desktop.page.text_content("#card h2") == "Festplatz"
    assert desktop.text("n_spaces") == "9"
    assert desktop.text("yield_year_kwh") == "rund 23.400 kWh"
    assert desktop.text("solar_duty") == "Unbekannt: kein Land angegeben"
    assert "Ohne Schatten gerechnet" in desktop.text("reason")


def test_in_3d_storeys_have_the_class_of_their_light(desktop, run):
    wall = gpd.read_parquet(run.folder / "facades.parquet").set_index("facade_id").loc[f"{TOLD}/f1"]
    place = gpd.GeoSeries([wall.geometry.envelope.centroid], crs="EPSG:25832").to_crs(4326).iloc[0]
    desktop.page.evaluate(
        "([x, y]) => { map.jumpTo({center: [x, y], zoom: 18.5}); }", [place.x, place.y]
    )
    desktop.page.click("#view-3d")
    desktop.idle()
    drawn = desktop.page.evaluate(
        """() => map.queryRenderedFeatures({layers: ['wall-solid']}).map(f => {
          const {r, g, b} = f.layer.paint['fill-extrusion-color'];
          return [f.properties.poa_global_year_kwh_m2, [r, g, b]]; })"""
    )
    known = [(year, colour) for year, colour in drawn if year is not None]
    assert len({NAMES[np.searchsorted(WALL_LIMITS, year, side="right")] for year, _ in known}) > 1
    for year, colour in known:
        name = NAMES[np.searchsorted(WALL_LIMITS, year, side="right")]
        assert 255 * np.array(colour) == pytest.approx(rgb(COLOURS[name]), abs=1.0)


def test_in_english_reasons_money_and_law_are_english(browser, run):
    with open_map(browser, run, SMALL_DESKTOP, "?lang=en") as watched:
        watched.click(run.roofs.loc[f"{MONUMENT}/r1"].geometry)
        said = watched.text("reason")
        assert "Some class: for some reason." in said
        assert "Listed building: needs a permit" in said
        assert "auch immer" not in said
        show_whole(watched, run, TOLD)
        body = watched.page.text_content("#card .body")
        for words in (
            "After about 9 years the money is back",
            "own use with a battery",
            "One home differs.",
            "Would apply on new build",
        ):
            assert words in body
        assert watched.text("npv_eur") == "about 10,900 €"
        assert watched.page.text_content("#class-legend tbody th") == "excellent"
        assert watched.complaints == []
