"""What-if as a run: tiles it does not reach are taken over, the others compared."""

from __future__ import annotations

import json

import geopandas as gpd
import numpy as np
import pytest
from run_folders import SETTINGS, call

from solarkataster import pipeline
from solarkataster.config import Config, load_config
from solarkataster.demo import make_town
from solarkataster.errors import InputError, InputErrors

YEAR = "poa_global_year_kwh_m2"


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    """
    An old town in tiles that see 30 m far, with the cadastre of its four trees.

    Nothing reflects: a wall that goes takes the light away that it sent across the street.
    """
    town = make_town(kind="dense", size_m=110, n_trees=4)
    path = town.write(tmp_path_factory.mktemp("town"), tree_cadastre=True)
    text = path.read_text(encoding="utf-8").replace(
        "[inputs]\n", '[inputs]\ntrees = "trees.gpkg"\n'
    )
    text += SETTINGS.format(tile_m=50.0).replace("reach_m = 40", "reach_m = 30")
    path.write_text(text + "\n[reflection]\nenabled = false\n", encoding="utf-8")
    return load_config(path)


@pytest.fixture(scope="module")
def base(config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "base"
    assert pipeline.run(config, out).is_complete
    return out


def what_if(config, base, folder, text: str):
    """A scenario run; its folder and what it did."""
    path = folder / "plan.toml"
    path.write_text(f'name = "Plan"\n{text}', encoding="utf-8")
    out = folder / "what-if"
    return out, pipeline.run(config, out, scenario=path, base=base)


def differences(folder, surface: str | None = None) -> gpd.GeoDataFrame:
    table = gpd.read_parquet(folder / "difference.parquet")
    return table if surface is None else table[table["surface"] == surface]


def corner_building(base) -> str:
    """The building nearest to the south-west corner."""
    buildings = gpd.read_parquet(base / "buildings.parquet")
    middles = buildings.geometry.centroid
    return buildings["building_id"][(middles.x + middles.y).idxmin()]


@pytest.fixture(scope="module")
def removed(config, base, tmp_path_factory):
    """The run without the building in the corner; which one, its folder and what it did."""
    building_id = corner_building(base)
    folder = tmp_path_factory.mktemp("removed")
    text = f'[[remove_building]]\nid = "{building_id}"\n'
    return building_id, *what_if(config, base, folder, text)


def test_only_tiles_that_a_change_reaches_are_computed(removed, base):
    _, out, result = removed
    assert result.is_complete
    assert 0 < result.n_resumed < result.n_tiles
    shared = 0
    for tile in (base / "work" / "tiles").iterdir():
        ours = out / "work" / "tiles" / tile.name
        same = (ours / "tile.json").read_bytes() == (tile / "tile.json").read_bytes()
        shared += same
        if same:
            for file in tile.iterdir():
                assert (ours / file.name).samefile(file)  # hard links, no copies
    assert shared == result.n_resumed


def test_a_removed_building_is_named_and_its_neighbours_gain_light(removed, base):
    building_id, out, _ = removed
    found = differences(out)
    gone = found[found["building_id"] == building_id]
    assert len(gone) > 2
    assert set(gone["change"]) == {"removed"}
    assert (gone["difference_year_kwh"] <= 0.0).all()
    # Obstacles are sure to be seen 30 m far; beyond, it may depend on who else looks.
    before = gpd.read_parquet(base / "buildings.parquet").set_index("building_id")
    same = found["change"].isin(["changed", "unchanged"])
    same &= found.geometry.distance(before.geometry[building_id]) < 30.0
    gain = found[same]["difference_year_kwh_m2"].dropna()
    assert len(gain) > 20
    assert gain.min() > -1e-6
    assert gain.max() > 10.0
    buildings = gpd.read_parquet(out / "buildings.parquet").set_index("building_id")
    row = buildings.loc[building_id]
    assert "removed in this scenario" in row["reason_en"]
    assert row["reason"].startswith("Entfernt: ")
    assert row[["yield_year_kwh", "npv_eur", "self_consumed_kwh"]].isna().all()
    assert buildings.geometry.isna().sum() == 1
    assert list(buildings.index) == list(before.index)


def test_unchanged_surfaces_are_the_same_to_the_last_bit(removed, base):
    _, out, _ = removed
    found = differences(out, "roof").set_index("surface_id")
    before, after = (
        gpd.read_parquet(folder / "roofs.parquet").set_index("roof_id") for folder in (base, out)
    )
    same = found.index[found["change"] == "unchanged"]
    assert len(same) > 10
    assert np.array_equal(before.loc[same, YEAR], after.loc[same, YEAR], equal_nan=True)
    assert np.array_equal(found.loc[same, "base_year_kwh_m2"], before.loc[same, YEAR])
    yields = "yield_year_kwh"
    assert before.loc[same, yields].notna().sum() > 5
    np.testing.assert_allclose(after.loc[same, yields], before.loc[same, yields], rtol=1e-6)


def test_the_run_says_that_it_is_a_scenario(removed, base, config):
    _, out, result = removed
    told = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert told["municipality"].endswith("Szenario Plan")
    assert told["scenario"]["base"] == str(base)
    assert told["scenario"]["difference"]["roof"]["n_removed"] > 0
    assert any("scenario Plan, no survey: 1 buildings removed" in note for note in result.notes)
    assert json.loads((base / "run.json").read_text(encoding="utf-8"))["scenario"] is None
    layers = set(gpd.list_layers(out / "solarkataster.gpkg")["name"])
    assert {"difference_roofs", "difference_facades"} <= layers


def test_the_trees_of_the_cadastre_are_a_layer(base, config):
    table = gpd.read_parquet(base / "trees.parquet")
    listed = gpd.read_file(config.inputs.trees)
    assert table["tree_id"].tolist() == listed["baumnr"].tolist()
    assert table["is_used"].all()
    assert (table["data_quality"] == "").all()
    assert np.allclose(table["crown_diameter_m"], listed["kronendurchmesser_m"])
    diameter_m = 2.0 * np.sqrt(table.geometry.area / np.pi)
    assert np.allclose(diameter_m, listed["kronendurchmesser_m"], rtol=0.02)
    assert "trees" in set(gpd.list_layers(base / "solarkataster.gpkg")["name"])


def test_a_scenario_run_again_computes_nothing(removed, config, base):
    _, out, _ = removed
    again = pipeline.run(config, out, scenario=out.parent / "plan.toml", base=base)
    assert again.n_resumed == again.n_tiles


@pytest.fixture(scope="module")
def mixed(config, base, tmp_path_factory):
    """
    A tower in place of the house in the north-west, a tree felled in the south, a tall one planted
    beside one in the south-east, 50 m and more from each other; its folder and the two places.
    """
    buildings = gpd.read_parquet(base / "buildings.parquet")
    middles = buildings.geometry.centroid
    house = buildings.loc[(middles.x - middles.y).idxmin()]
    ring = [list(xy) for xy in house.geometry.exterior.coords]
    trees = gpd.read_file(config.inputs.trees)
    felled = trees.loc[trees.geometry.x.sub(410_035.0).abs().idxmin()]
    planted = trees.geometry[(trees.geometry.x - trees.geometry.y).idxmax()]
    text = (
        f'[[remove_building]]\nid = "{house["building_id"]}"\n'
        f'[[add_building]]\nid = "tower"\nheight_m = 40\npolygon = {ring}\n'
        f"[[fell]]\nids = ['{felled['baumnr']}']\n"
        f"[[plant]]\npoint = [{planted.x}, {planted.y}]\nheight_m = 25\n"
        'crown_diameter_m = 9\nkind = "evergreen"\n'
    )
    out, result = what_if(config, base, tmp_path_factory.mktemp("mixed"), text)
    assert result.is_complete
    return out, felled.geometry, planted


def near(folder, place, distance_m: float):
    """Differences of the surfaces near a place that are the same in both runs. [kWh/m²]"""
    found = differences(folder)
    found = found[found.geometry.distance(place) < distance_m]
    assert set(found["change"]) <= {"changed", "unchanged"}
    return found["difference_year_kwh_m2"].dropna()


def test_a_new_building_gets_roof_and_walls(mixed):
    out, _, _ = mixed
    new = differences(out)
    new = new[new["building_id"] == "tower"]
    assert set(new["change"]) == {"new"}
    assert set(new["surface"]) == {"roof", "facade"}
    table = gpd.read_parquet(out / "buildings.parquet").set_index("building_id")
    assert table.index[-1] == "tower"
    assert table.loc["tower", "height_m"] == pytest.approx(40.0, abs=0.5)
    assert table.loc["tower", "n_facades"] >= 4


def test_felling_a_tree_gives_light_and_takes_none(mixed):
    out, felled, _ = mixed
    gain = near(out, felled, 12.0)
    assert gain.min() > -1e-6
    assert gain.max() > 1.0


def test_a_planted_tree_takes_light_and_gives_none(mixed):
    out, _, planted = mixed
    gain = near(out, planted, 12.0)
    assert gain.max() < 1e-6
    assert gain.min() < -10.0


def test_the_command_says_what_was_done_and_where(removed, config, base):
    _, out, result = removed
    done = call(
        "scenario", config.path, out.parent / "plan.toml", "--base", base, "--out", out,
        "--workers", 1,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{result.n_tiles} tiles, {result.n_tiles} of them from before" in done.stdout
    assert "1 buildings removed" in done.stdout


# --- faults ---------------------------------------------------------------------------------------


def test_a_base_that_is_missing_stale_or_the_same_folder_stops(config, base, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('name = "Plan"\n[[fell]]\npoint = [410050, 5480050]\nradius_m = 3\n')
    for wrong, message in ((tmp_path / "none", "no finished run"), (base, "starts from")):
        with pytest.raises(InputError, match=message):
            pipeline.run(config, base, scenario=path, base=wrong)
    higher = config.model_copy(
        update={"irradiation": config.irradiation.model_copy(update={"albedo": 0.3})}
    )
    with pytest.raises(InputError, match="tiles are of other inputs") as caught:
        pipeline.run(higher, tmp_path / "out", scenario=path, base=base)
    assert "solarkataster run" in str(caught.value)


def test_a_scenario_that_does_not_fit_writes_nothing(config, base, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('name = "Plan"\n[[fell]]\nids = ["none"]\n')
    with pytest.raises(InputErrors, match="of no tree"):
        pipeline.run(config, tmp_path / "out", scenario=path, base=base)
    assert not (tmp_path / "out").exists()


def test_felling_needs_crowns_that_were_taken_out_of_the_surface(config, base, tmp_path):
    solid = config.model_copy(
        update={"trees": config.trees.model_copy(update={"from_surface": False})}
    )
    path = tmp_path / "plan.toml"
    path.write_text('name = "Plan"\n[[grow]]\nall = true\nyears = 5\n')
    with pytest.raises(InputError, match="from_surface"):
        pipeline.run(solid, tmp_path / "out", scenario=path, base=base)
