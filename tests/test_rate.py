"""A run is rated again: same rules same bytes, other rules as a fresh run would have them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from demo_runs import demo_run_folder
from geopandas.testing import assert_geodataframe_equal

from solarkataster.config import load_config
from solarkataster.errors import InputError, InputErrors, KatasterError
from solarkataster.pipeline import run
from solarkataster.rate import rate

#: What a rating writes; all the rest of a run stays.
RATED = (
    "roofs.parquet", "buildings.parquet", "facades.parquet", "facade_storeys.parquet",
    "parking.parquet", "statistics.csv", "statistics.parquet", "portfolio.csv",
    "portfolio.parquet", "installed.csv", "hourly_yield.parquet",
)  # fmt: skip

PRICE = """
[money.price_homes]
source = "made up for this test"
date = 2026-11-22
eur_per_kwh = 0.60
"""

CELLS = """
[plant.module]
source = "made up for this test"
date = 2026-11-22
name = "pvwatts"
gamma_pdc_per_k = -0.0025
[demand.battery]
source = "made up for this test"
date = 2026-11-22
kwh_per_kwp = 0.5
kwh_per_mwh_demand = 0.5
least_kwh = 1.0
most_kwh = 15.0
least_kwp_per_mwh = 0.0
charge_efficiency = 0.9
discharge_efficiency = 0.9
power_kw_per_kwh = 0.5
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> Path:
    return demo_run_folder(tmp_path_factory)


@pytest.fixture
def copy(done, tmp_path) -> Path:
    """A run of its own, on a machine that lacks the inputs."""
    target = tmp_path / "copy"
    shutil.copytree(done, target)
    told = json.loads((target / "run.json").read_text())
    for name, path in told["config"]["inputs"].items():
        if isinstance(path, str) and path.startswith("/"):
            told["config"]["inputs"][name] = f"/nowhere/{Path(path).name}"
    (target / "run.json").write_text(json.dumps(told))
    return target


def rules(folder: Path, text: str) -> Path:
    path = folder / "rules.toml"
    path.write_text(text)
    return path


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RATED}


def test_the_same_rules_give_the_same_bytes_without_any_input(done, copy):
    before = bytes_of(done)
    result = rate(copy)
    assert (result.n_again, result.rules) == (0, "the run's own")
    assert bytes_of(copy) == before
    assert (copy / "map" / "index.html").is_file()
    layers = ("roofs", "buildings", "facades", "facade_storeys", "parking", "modules", "sides")
    for layer in layers:
        assert_geodataframe_equal(
            gpd.read_file(done / "solarkataster.gpkg", layer=layer),
            gpd.read_file(copy / "solarkataster.gpkg", layer=layer),
        )


def test_another_price_changes_money_and_no_yield(done, copy, tmp_path):
    result = rate(copy, rules(tmp_path, PRICE))
    assert (result.n_again, result.rules) == (0, "rules.toml")
    before = gpd.read_parquet(done / "buildings.parquet")
    after = gpd.read_parquet(copy / "buildings.parquet")
    np.testing.assert_array_equal(after["yield_year_kwh"], before["yield_year_kwh"])
    np.testing.assert_array_equal(
        after["self_consumption_fraction"], before["self_consumption_fraction"]
    )
    own = before["self_consumed_kwh"] > 0.0
    own &= before["use_class"] == "Wohnen"
    assert own.sum() > 50
    more = after["npv_self_consumption_eur"] - before["npv_self_consumption_eur"]
    assert (more[own] > 0.0).all()
    np.testing.assert_array_equal(after["npv_full_feed_in_eur"], before["npv_full_feed_in_eur"])
    told = json.loads((copy / "run.json").read_text())
    assert told["rating"]["rules_file"] == "rules.toml"
    source = {one["table"]: one for one in told["rating"]["sources"]}["money.price_homes"]
    assert (source["file"], source["source"]) == ("rules.toml", "made up for this test")


def test_other_cells_and_batteries_give_what_a_fresh_run_would(done, copy, tmp_path):
    path = rules(tmp_path, CELLS)
    assert rate(copy, path).n_again > 0
    config = load_config(done.parent / "input" / "config.toml")
    fresh = tmp_path / "fresh"
    shutil.copytree(done, fresh)  # its light is not made again
    run(config.model_copy(update={"rules": config.rules.model_copy(update={"file": path})}), fresh)
    assert bytes_of(copy) == bytes_of(fresh)
    before = gpd.read_parquet(done / "buildings.parquet")
    after = gpd.read_parquet(copy / "buildings.parquet")
    gain = (after["yield_year_kwh"] / before["yield_year_kwh"]).dropna()
    # In the mean of the light cells are up to 15 K over 25 °C: 1.5 % for 0.001/K less.
    assert gain.between(1.0, 1.02).all()
    assert gain.median() > 1.01
    # A rating of the same rules again finds all done.
    assert rate(copy, path).n_again == 0


def test_a_budget_may_be_another(copy):
    rate(copy, budget_eur=0.0)
    text = (copy / "portfolio.csv").read_text(encoding="utf-8-sig")
    chosen = [line.split(";") for line in text.splitlines()]
    at = chosen[0].index("is_chosen")
    assert {row[at] for row in chosen[1:]} == {"nein"}


def test_what_is_no_run_of_this_version_is_told(tmp_path, copy):
    with pytest.raises(InputError, match=r"no run\.json"):
        rate(tmp_path)
    told = json.loads((copy / "run.json").read_text())
    strange = told | {"config": told["config"] | {"walls": {"class_thresholds": [0.1]}}}
    (copy / "run.json").write_text(json.dumps(strange))
    with pytest.raises(InputError, match=r"walls\.class_thresholds"):
        rate(copy)
    (copy / "run.json").write_text(json.dumps(told | {"rating": None}))
    with pytest.raises(InputError, match="a run without yields"):
        rate(copy)
    (copy / "run.json").write_text(json.dumps(told))
    shutil.rmtree(copy / "work" / "tiles")
    with pytest.raises(InputError, match="file not found"):
        rate(copy)


def test_wrong_rules_change_nothing(copy, tmp_path):
    before = bytes_of(copy)
    with pytest.raises(InputErrors, match="price_home"):
        rate(copy, rules(tmp_path, PRICE.replace("price_homes", "price_home")))
    negative = PRICE.replace("0.60", "-0.60")
    with pytest.raises(InputErrors, match="eur_per_kwh"):
        rate(copy, rules(tmp_path, negative))
    assert bytes_of(copy) == before


def test_the_command_rates(copy, tmp_path, type_in):
    code, out, _ = type_in("rate", copy, "--rules", rules(tmp_path, PRICE), "--workers", 1)
    assert (code, "rated with rules.toml rules" in out) == (0, True)
    code, _, err = type_in("rate", tmp_path / "nothing")
    assert (code, "no run.json" in err) == (2, True)


HEAT_FIRST = """
[heat.allocation]
source = "made up for this test"
date = 2026-11-22
order = ["heat", "pv", "green"]
green_between_racks = false
"""


def test_heat_first_takes_modules_and_all_tables_agree(done, copy, tmp_path):
    assert rate(copy, rules(tmp_path, HEAT_FIRST)).n_again > 0
    roofs = gpd.read_parquet(copy / "roofs.parquet")
    buildings = gpd.read_parquet(copy / "buildings.parquet").set_index("building_id")
    before = gpd.read_parquet(done / "roofs.parquet")
    lost = (roofs["n_modules"] == 0) & (before["n_modules"] > 0)
    assert (roofs["n_modules"] < before["n_modules"]).sum() > lost.sum() > 0
    assert roofs.loc[lost, ["yield_year_kwh", "yield_p90_year_kwh"]].isna().all(axis=None)
    assert roofs.loc[lost, "reason"].str.contains("gehen hier Solarwärme").all()
    sums = roofs.groupby("building_id")[["yield_year_kwh", "n_modules"]].sum()
    known = buildings["yield_year_kwh"].dropna()
    np.testing.assert_allclose(sums.loc[known.index, "yield_year_kwh"], known, rtol=1e-9)
    hours = gpd.pd.read_parquet(copy / "hourly_yield.parquet").set_index("building_id")
    year = hours["roofs_w"].map(np.sum) / 1000.0
    np.testing.assert_allclose(year.loc[known.index], known, rtol=1e-3, atol=5.0)
    gone = buildings.index[buildings["yield_year_kwh"].isna() & (year > 0.0)]
    assert gone.empty, "hours of a plant that is not there"


def test_a_rating_stopped_before_it_is_published_is_made_whole_by_the_next(
    copy, tmp_path, monkeypatch
):
    path, other = rules(tmp_path, HEAT_FIRST), tmp_path / "other"
    shutil.copytree(copy, other)
    with monkeypatch.context() as broken:
        broken.setattr("solarkataster.rate.rated", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rate(copy, path)
    rate(copy, path)
    rate(other, path)
    assert bytes_of(copy) == bytes_of(other)


def test_what_needs_the_heights_is_refused(copy, tmp_path):
    view = """
    [rating.visibility]
    source = "made up for this test"
    date = 2026-11-22
    eye_height_m = 1.6
    radius_m = 0.5
    viewer_spacing_m = 3.0
    """
    with pytest.raises(InputError, match="view of monuments needs the surface model"):
        rate(copy, rules(tmp_path, view))


def test_yields_that_fail_leave_the_run_as_it_was(copy, tmp_path, monkeypatch):
    before = bytes_of(copy)
    monkeypatch.setattr("solarkataster.stages.yields.building_energy", lambda *_: 1 / 0)
    with pytest.raises(KatasterError, match="stay as they were"):
        rate(copy, rules(tmp_path, HEAT_FIRST))
    assert bytes_of(copy) == before


def test_a_map_that_was_thrown_away_is_made_again_with_its_modules(done, copy):
    shutil.rmtree(copy / "map")
    rate(copy)
    before, after = (json.loads((run / "map" / "map.json").read_text()) for run in (done, copy))
    assert after["n_modules"] == before["n_modules"] > 0
    assert (copy / "map" / "modules.pmtiles").is_file()
