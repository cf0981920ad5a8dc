"""The map's folder: what may be public, what survives a rating, what legends and cards are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tile_reading import read_tiles, vector_features
from webmap_rated import GIVEN, RATING, TOLD, rated_town
from webmap_town import META

from solarkataster.io.webmap import write_map
from solarkataster.io.webtiles import CLASS_COLOURS
from solarkataster.io.webtiles_columns import BUILDING_TILE_COLUMNS, public_buildings
from solarkataster.load.balance import AVERAGE_PROFILE_NOTE_DE
from solarkataster.stages.map import rating_facts


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    return rated_town(tmp_path_factory.mktemp("town"))


def written(folder, rated, **more):
    town, walls, parking = rated
    things = {"modules": town.modules, "superstructures": town.superstructures}
    write_map(
        folder, town.roofs, town.buildings, town.year_raster, META | {"rating": RATING},
        **things, walls=walls, parking=parking, **more,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def folder(rated, tmp_path_factory):
    return written(tmp_path_factory.mktemp("run") / "map", rated)


def test_neither_owners_nor_given_demands_are_in_the_tiles(folder):
    found = vector_features(folder / "buildings.pmtiles")
    told, _ = found[16, "buildings", TOLD][0]
    given, _ = found[16, "buildings", GIVEN][0]
    for properties in (told, given):
        assert not {"owner_class", "is_own_building", "district", "strasse"} & set(properties)
    assert told["annual_demand_kwh"] == 4321
    assert given["demand_source"] == "given"
    # Anything with which yield, prices and profile would lead back to the demand.
    for name in ("annual_demand_kwh", "grid_draw_kwh", "feed_in_kwh", "battery_kwh", "npv_eur",
                 "self_consumption_fraction", "autarky_fraction", "npv_self_consumption_eur",
                 "npv_battery_eur", "payback_years", "investment_eur"):  # fmt: skip
        assert name in told
        assert name not in given
    assert given["variant"] == ""
    assert given["yield_year_kwh"] > 0


def test_a_demand_that_was_refused_is_not_told_by_its_remark(rated):
    remark = (
        "Bedarf unglaubwürdig: 9.876.543 kWh im Jahr für Wohnen, mehr als 1 kWh; nicht verwendet"
    )
    buildings = rated[0].buildings.assign(
        demand_source=f"unknown: {remark}", demand_reason=f"{remark}; anderes"
    )
    shown = public_buildings(buildings)
    assert set(shown["demand_source"]) == {"unknown"}
    assert not shown["demand_reason"].str.contains("9.876.543", regex=False).any()
    assert shown["demand_reason"].str.startswith("Bedarf unglaubwürdig: Angabe").all()


def test_no_column_of_owners_can_slip_into_the_tiles():
    names = {column.name for column in BUILDING_TILE_COLUMNS}
    assert not {name for name in names if "owner" in name or "own_building" in name}


def test_what_a_rating_leaves_is_taken_from_the_older_map(rated, folder, tmp_path):
    town, walls, parking = rated
    again_town = type(town)(
        town.roofs.assign(suitability="gering"),
        town.buildings,
        town.modules,
        town.superstructures,
        # Would be missed if it were read.
        tmp_path / "no_such_raster.tif",
    )
    again = written(tmp_path / "map", (again_town, walls, parking), keep=folder)
    for name in ("irradiation", "modules", "superstructures", "storeys"):
        path = again / f"{name}.pmtiles"
        assert path.read_bytes() == (folder / f"{name}.pmtiles").read_bytes()
    assert read_tiles(again / "roofs.pmtiles") != read_tiles(folder / "roofs.pmtiles")
    pages = [json.loads((one / "map.json").read_text("utf-8")) for one in (folder, again)]
    assert pages[0] == pages[1]


def test_an_older_map_without_an_archive_does_not_hinder(rated, folder, tmp_path):
    (tmp_path / "old").mkdir()
    again = written(tmp_path / "map", rated, keep=tmp_path / "old")
    assert (again / "storeys.pmtiles").read_bytes() == (folder / "storeys.pmtiles").read_bytes()


def test_the_page_is_told_classes_and_what_figures_were_made_with(folder):
    page = json.loads((folder / "map.json").read_text("utf-8"))
    assert page["rating"] == RATING
    assert page["class_colours"] == dict(CLASS_COLOURS)
    assert next(iter(page["class_colours"])) == "hervorragend"
    assert page["n_parking"] == 1


def test_tariffs_are_unverified_if_the_table_of_the_day_is():
    def told(table: str) -> dict:
        tables = ["eeg.periods.2026-02.feed_in", "eeg.periods.2026-08.feed_in", "money.discount"]
        return {
            "tariffs": "2026-08.toml", "classes": {}, "commissioning": "2026-12-01",
            "life_years": 20, "co2": "1 g/kWh",
            "sources": [{"table": one, "verified": one != table} for one in tables],
        }  # fmt: skip

    assert rating_facts(told("eeg.periods.2026-08.feed_in"))["has_verified_tariffs"] is False
    facts = rating_facts(told("eeg.periods.2026-02.feed_in"))
    assert facts["has_verified_tariffs"] is True
    assert facts["has_verified_prices"] is True
    assert rating_facts(told("money.discount"))["has_verified_prices"] is False
    assert facts["average_profile"]["de"] == AVERAGE_PROFILE_NOTE_DE


#: Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009, 1291-1298: severity 1.0, linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def lab(linear: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* of linear sRGB, D65 (IEC 61966-2-1, CIE 15:2004)."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear.clip(0, 1) @ np.array(to_xyz).T / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = f.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_classes_are_told_apart_without_full_colour_vision(kind):
    """A difference of 2.3 is just noticed; side by side in a map ten times as much is clear."""
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in CLASS_COLOURS]) / 255.0
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = lab(linear @ np.array(BLINDNESS[kind]).T)
    assert (np.diff(seen[:, 0]) < -9).all()
    for i in range(5):
        for k in range(i):
            assert np.linalg.norm(seen[i] - seen[k]) > 20
