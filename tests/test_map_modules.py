"""Modules, superstructures and reasons on the map in a real browser."""

from __future__ import annotations

import io

import geopandas as gpd
import numpy as np
import pytest
from map_pages import needs_chromium, served
from PIL import Image
from shapely.geometry import LineString
from webmap_town import write_run

from solarkataster.io.webtiles import irradiation_palette, palette_index

GABLE = "DENW12AL00006"

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with served(write_run(tmp_path_factory.mktemp("run"))) as run:
        yield run


def near(watched, geometry, zoom: float = 19.0) -> None:
    """Look at a place from near, in the part of the screen that no panel covers."""
    point = gpd.GeoSeries([geometry.representative_point()], crs="EPSG:25832").to_crs("EPSG:4326")
    watched.page.evaluate(
        "([x, y, zoom]) => { map.easeTo({center: [x, y], zoom, offset: [160, 0], duration: 0}); }",
        [point.iloc[0].x, point.iloc[0].y, zoom],
    )
    watched.idle()


def module(run, roof_id: str):
    """A module of a roof, and its neighbour in the row."""
    modules = gpd.read_parquet(run.folder / "modules.parquet")
    own = modules[(modules.roof_id == roof_id) & (modules.row == 1)].set_index("column")
    return own.loc[3], own.loc[4]


def is_dark_blue(pixel: tuple[int, int, int]) -> bool:
    red, green, blue = pixel
    return blue < 130 and blue > red + 20 and max(red, green) < 70


def test_modules_are_dark_panels_that_a_box_hides(desktop, run):
    one, other = module(run, f"{GABLE}/r1")
    near(desktop, one.geometry)
    # The gap between two panels lets something lighter through: they can be counted.
    gap = LineString([one.geometry.centroid, other.geometry.centroid]).centroid
    panel, between = desktop.pixels([one.geometry, gap])
    assert is_dark_blue(panel)
    assert sum(between) > 2 * sum(panel)
    desktop.page.uncheck("[data-layer=modules]")
    desktop.idle()
    assert not is_dark_blue(desktop.pixel(one.geometry))


def test_modules_lie_on_top_of_the_roofs_in_3d(desktop, run):
    one, _ = module(run, f"{GABLE}/r1")
    near(desktop, one.geometry)
    desktop.page.click("#view-3d")
    desktop.idle()
    height_m = run.buildings.height_m[GABLE]
    drawn = desktop.page.evaluate(
        """() => {
          const layer = {layers: ['module-solid']}, hits = map.queryRenderedFeatures(layer);
          const lid = map.queryRenderedFeatures({layers: ['roof-solid-detail']});
          return [hits, lid].map(all => all.map(f => [f.properties.roof_id,
            f.layer.paint['fill-extrusion-base'], f.layer.paint['fill-extrusion-height']]));
        }"""
    )
    bases = {roof_id: (base, top) for roof_id, base, top in drawn[0]}
    lids = {roof_id: top for roof_id, _, top in drawn[1]}
    base, top = bases[f"{GABLE}/r1"]
    assert base == pytest.approx(lids[f"{GABLE}/r1"])
    assert base == pytest.approx(height_m + 0.4)
    assert top > base + 0.05
    # What the reader sees: dark panels in the picture, gone without the layer.
    before = dark_blue_share(desktop)
    desktop.page.uncheck("[data-layer=modules]")
    desktop.idle()
    assert before > 20 * dark_blue_share(desktop)


def dark_blue_share(watched) -> float:
    with Image.open(io.BytesIO(watched.page.screenshot())) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)[:, 380:760].reshape(-1, 3)
    red, green, blue = pixels.T
    dark = (blue < 130) & (blue > red + 20) & (np.maximum(red, green) < 70)
    return float(dark.mean())


def test_a_click_on_a_module_tells_its_own_light_on_the_card_of_its_roof(desktop, run):
    one, _ = module(run, f"{GABLE}/r1")
    near(desktop, one.geometry)
    desktop.click(one.geometry)
    assert desktop.card_id() == f"{GABLE}/r1"
    assert float(desktop.value("chosen_module")) == round(one.poa_global_year_kwh_m2)


def test_superstructures_are_grey_but_a_dormer_keeps_the_colour_of_its_own_plane(desktop, run):
    things = gpd.read_parquet(run.folder / "superstructures.parquet")
    own = things[things.building_id == GABLE].set_index("kind").geometry
    year = run.roofs.poa_global_year_kwh_m2[f"{GABLE}/r3"]
    expected = irradiation_palette()[palette_index(np.array([year]))[0]].astype(int)
    near(desktop, own["chimney"])
    grey, dormer = desktop.pixels([own["chimney"], own["dormer"]])
    assert max(grey) - min(grey) < 20
    assert np.abs(np.array(dormer) - expected).max() <= 3
    desktop.page.uncheck("[data-layer=superstructures]")
    desktop.idle()
    bare = desktop.pixel(own["chimney"])
    assert max(bare) - min(bare) > 50


@pytest.mark.parametrize(
    ("roof_id", "how"),
    [
        (f"{GABLE}/r1", "parallel zum Dach"),
        ("DENW12AL00005/r1", "aufgeständert, 10° nach zwei Seiten (Ost-West)"),
    ],
)
def test_the_card_says_how_many_modules_fit_and_how_they_stand(desktop, run, roof_id, how):
    row = run.roofs.loc[roof_id]
    desktop.click(row.geometry)
    assert desktop.shown_as(row, ["n_modules", "dc_power_kwp", "usable_area_m2"])
    assert desktop.text("dc_power_kwp") == f"{row.dc_power_kwp:.1f} kWp".replace(".", ",")
    assert desktop.text("mounting") == how


def test_rows_to_one_side_name_it(desktop):
    said = desktop.page.evaluate(
        """async () => {
          const {fillCard} = await import('./card.mjs');
          const card = document.createElement('div');
          const feature = {roof_id: 'a/r1', n_modules: 9, dc_power_kwp: 4, surface_tilt: 1.2,
            module_tilt: 10, module_azimuth: 174, poa_global_year_kwh_m2: 1000};
          fillCard(card, {kind: 'roof', feature, roofs: []},
            {page: {class_colours: {}}, lightColour: () => 'red'});
          return card.querySelector('[data-field=mounting]').textContent;
        }"""
    )
    assert said == "aufgeständert, 10° nach Süden"


def test_a_roof_without_modules_says_why_and_what_is_missing(desktop, run):
    row = run.roofs.loc[f"{GABLE}/r2"]
    desktop.click(row.geometry)
    assert desktop.value("reason") == row.reason
    items = desktop.page.query_selector_all("#card [data-field=reason] li")
    said = [item.text_content() for item in items]
    assert len(said) == 2
    assert "fehlen 240" in said[0]
    assert "fehlen 3,9 m²" in said[1]
    assert "Warum hier keine Module liegen" in desktop.page.text_content("#card .body")


def test_a_dormer_is_called_one(desktop, run):
    desktop.click(run.roofs.loc[f"{GABLE}/r3"].geometry)
    assert desktop.text("kind") == "Gaube"


def test_a_monument_needs_a_permit(desktop, run):
    listed = run.buildings[run.buildings.monument.astype(bool)].iloc[0]
    desktop.click(run.roofs.loc[f"{listed.building_id}/r1"].geometry)
    desktop.page.click("#card .whole")
    assert "Denkmal: Genehmigung der Denkmalschutzbehörde nötig." in desktop.text("reason")
    assert int(desktop.value("n_modules")) == listed.n_modules


@pytest.mark.parametrize(
    ("remark", "german"),
    [
        ("no far terrain: hills beyond the surface model are not seen", "Hügel jenseits"),
        ("surface model ends 132 m away", "endet 132 m neben"),
        ("12.3% of the footprint is outside the surface model", "12,3 % des Gebäudes"),
        ("surface model has no data on 1.2% of the footprint", "Auf 1,2 % der Gebäudefläche"),
        ("surface model is below the terrain on 4.0% of the footprint", "unter dem Gelände"),
        ("footprint overlaps BN1 (2.50 m²), BN2 (9.00 m²) and 3 more", "BN1 (2,50 m²), BN2"),
        ("only 1.4 laser points/m² over the footprint", "nur 1,4 Laserpunkte je m²"),
        ("no roof plane on 12% of the roof", "Auf 12 % des Daches"),
        (
            "eaves not seen in the heights: roof ends at the footprint",
            "zeigen die Höhendaten nicht",
        ),
        ("overhang is switched off: roof ends at the footprint", "ausgeschaltet"),
        ("LoD2: 1 wall inside out, turned round", "zeigt eine Wand nach innen; sie wurde"),
        ("LoD2: 4 walls inside out, turned round", "zeigen 4 Wände nach innen; sie wurden"),
        ("LoD2: 2 walls leaning more than 10°, left out", "sind 2 Wände fehlerhaft"),
        (
            "LoD2: walls and roofs do not close (50.0 of 334.0 m² have no surface opposite)",
            "Lücken",
        ),
        (
            "LoD2 walls do not fit the footprint (beside 78% of its outline within 0.5 m): walls "
            "from footprint and surface model",
            "nur auf 78 % des Gebäudeumrisses",
        ),
        (
            "LoD2 roof lies 2.5 m above the surface model: walls from footprint and surface model",
            "das Dach 2,5 m über dem Höhenmodell. Die Wände stammen",
        ),
        ("not in the LoD2 model: walls from footprint and surface model", "kennt dieses Gebäude"),
        ("walls failed: truncated file", "fehlgeschlagen (truncated file)"),
        ("a remark nobody has translated", "A remark nobody has translated."),
    ],
)
def test_remarks_of_the_tables_are_said_in_plain_german(desktop, remark, german):
    said = desktop.page.evaluate(
        "async text => (await import('./remarks.mjs')).remarks(text)", f"{remark}; {remark}"
    )
    assert len(said) == 2
    assert german in said[0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (
            "de",
            "Höhenwerte weichen im Mittel 3 cm von der Dachebene ab; 4,0 Höhenwerte je m²; "
            "auf 2 % der Fläche fehlen sie.",
        ),
        (
            "en",
            "Heights are 3 cm off the roof plane on average; 4.0 heights per m²; "
            "none on 2 % of the area.",
        ),
    ],
)
def test_the_figures_of_the_fit_are_one_sentence_apart_from_the_remarks(desktop, language, said):
    found = desktop.page.evaluate(
        """async ([language, text]) => {
          const {setLanguage} = await import('./words.mjs');
          const {figures, remarks} = await import('./remarks.mjs');
          setLanguage(language);
          const said = [figures(text), remarks(text).length, figures('no terrain height')];
          setLanguage('de');
          return said;
        }""",
        [language, "fit 0.03 m; no terrain height; 4.0 heights/m²; 2% without height"],
    )
    assert found == [said, 1, ""]
