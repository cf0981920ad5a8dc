"""The run as a whole: what is in the layers, what is skipped, what a failure leaves."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from xml.etree import ElementTree as Xml

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from conftest import REPO
from run_folders import (
    LAYERS,
    RATING_FILES,
    assert_same_run,
    fingerprint,
    told,
    write_small_town,
)

from solarkataster import pipeline
from solarkataster.config import Config, load_config
from solarkataster.errors import InputError, InputErrors
from solarkataster.io.runfolder import RunFolder, locked
from solarkataster.layers import BUILDING_COLUMNS, ROOF_COLUMNS
from solarkataster.stages import chain, yield_pass
from solarkataster.units import MONTHS

YEAR = "poa_global_year_kwh_m2"


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    return load_config(write_small_town(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def run_folder(config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "run"
    result = pipeline.run(config, out)
    assert result.is_complete
    assert result.n_tiles > 3
    return out


@pytest.fixture(scope="module")
def roofs(run_folder):
    return gpd.read_parquet(run_folder / "roofs.parquet")


@pytest.fixture(scope="module")
def buildings(run_folder):
    return gpd.read_parquet(run_folder / "buildings.parquet")


# what is in the layers


def test_layers_have_the_declared_columns_and_types(roofs, buildings):
    for table, columns in ((roofs, ROOF_COLUMNS), (buildings, BUILDING_COLUMNS)):
        assert list(table.columns)[: len(columns)] == [column.name for column in columns]
        for column in columns:
            assert str(table[column.name].dtype) == column.dtype, column.name


def test_every_footprint_is_a_building_with_all_its_columns(config, buildings):
    inputs = gpd.read_file(config.inputs.footprints)
    assert buildings["building_id"].tolist() == inputs["gml_id"].tolist()
    for name in inputs.columns.drop("geometry"):
        assert buildings[name].tolist() == inputs[name].tolist()
    assert buildings.geometry.geom_equals(inputs.geometry).all()
    assert buildings.crs == inputs.crs


def test_roof_ids_are_numbered_within_their_building(roofs):
    numbers = roofs["roof_id"].str.rsplit("/r", n=1, expand=True)
    assert (numbers[0] == roofs["building_id"]).all()
    for _, own in numbers.groupby(0, sort=False):
        assert own[1].astype(int).tolist() == list(range(1, len(own) + 1))


def test_months_and_parts_add_up_to_the_year(roofs, buildings):
    for table in (roofs, buildings.dropna(subset=[YEAR])):
        months = table[[f"poa_global_{month}_kwh_m2" for month in MONTHS]].sum(axis=1)
        parts = table[
            [f"poa_{part}_year_kwh_m2" for part in ("direct", "sky_diffuse", "ground_diffuse")]
        ].sum(axis=1)
        np.testing.assert_allclose(months, table[YEAR], rtol=1e-6)
        np.testing.assert_allclose(parts, table[YEAR], rtol=1e-6)
        np.testing.assert_allclose(
            table["poa_global_year_kwh"], table[YEAR] * table["area_m2"], rtol=1e-9
        )


def test_buildings_are_the_sums_of_their_roofs(roofs, buildings):
    sums = roofs.groupby("building_id")[["area_m2", "poa_global_year_kwh"]].sum()
    own = buildings.set_index("building_id").loc[sums.index]
    np.testing.assert_allclose(own[["area_m2", "poa_global_year_kwh"]], sums, rtol=1e-9)
    assert buildings["n_roofs"].sum() == len(roofs)


def test_the_area_is_that_of_the_outline_laid_on_the_slope(roofs):
    flat_m2 = roofs.geometry.area
    np.testing.assert_allclose(
        roofs["area_m2"], flat_m2 / np.cos(np.radians(roofs["surface_tilt"])), rtol=1e-9
    )


def roof_cells(run_folder):
    """Centres and values of the cells with a value."""
    with rasterio.open(run_folder / f"{YEAR}.tif") as source:
        year, affine = source.read(1), source.transform
    rows, cols = np.nonzero(np.isfinite(year))
    x, y = affine.c + (cols + 0.5) * affine.a, affine.f + (rows + 0.5) * affine.e
    return x, y, year[rows, cols]


def test_a_roof_is_the_mean_of_its_cells(run_folder, roofs):
    x, y, year = roof_cells(run_folder)
    # Cells well inside one outline belong to this roof for sure; a plain gable is nearly even.
    largest = roofs.loc[roofs["area_m2"].idxmax()]
    inside = shapely.contains_xy(largest.geometry.buffer(-0.5), x, y)
    assert inside.sum() > 50
    assert year[inside].mean() == pytest.approx(largest[YEAR], rel=0.02)


def test_rasters_hold_roof_cells_only_and_agree_with_each_other(run_folder, buildings):
    with rasterio.open(run_folder / f"{YEAR}.tif") as source:
        year = source.read(1)
    with rasterio.open(run_folder / "poa_global_month_kwh_m2.tif") as source:
        months = source.read()
        assert source.descriptions == MONTHS
    np.testing.assert_allclose(months.sum(axis=0), year, rtol=1e-5)
    x, y, _ = roof_cells(run_folder)
    assert shapely.contains_xy(buildings.union_all(), x, y).all()


def test_the_geopackage_opens_with_styles(run_folder):
    path = run_folder / "solarkataster.gpkg"
    for name in LAYERS:
        layer, table = (
            gpd.read_file(path, layer=name),
            gpd.read_parquet(run_folder / f"{name}.parquet"),
        )
        assert set(table.columns) == set(layer.columns)
        assert layer[table.columns[1]].equals(table[table.columns[1]]), name
    with closing(sqlite3.connect(path)) as database:
        styles = database.execute(
            "SELECT f_table_name, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
    assert {name for name, _, _ in styles} == set(LAYERS)
    by_class = [
        name for name, qml, is_default in styles if "categorizedSymbol" in qml and is_default
    ]
    assert sorted(by_class) == ["buildings", "facade_storeys", "facades", "roofs"]
    assert sorted(name for name, _, is_default in styles if is_default) == sorted(LAYERS)
    for name, qml, is_default in styles:
        if is_default and name in by_class:
            continue
        rules = Xml.fromstring(qml.removeprefix("<!DOCTYPE qgis>")).findall(".//rule")
        by_light = any(YEAR in rule.get("filter", "") for rule in rules)
        assert by_light == (name not in ("superstructures", "sides", "blocks"))


def test_run_json_names_config_versions_inputs_tiles_and_north(run_folder, config):
    content = json.loads((run_folder / "run.json").read_text(encoding="utf-8"))
    assert content["config"]["horizon"]["reach_m"] == config.horizon.reach_m
    assert "numba" in content["versions"]
    names = {entry["path"].rsplit("/", 1)[-1] for entry in content["inputs"]}
    assert names == {"dsm.tif", "dtm.tif", "footprints.gpkg", "weather.csv"}
    assert all(len(entry["sha256"]) == 64 for entry in content["inputs"])
    assert {tile["state"] for tile in content["tiles"].values()} == {"done"}
    # 3° of longitude per zone half, sin(50°): the demo town lies within a degree of it.
    assert abs(content["convergence_deg"]) < 2.4


def test_every_row_carries_the_dates_of_its_data(config, run_folder, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(run_folder, out)
    flown = config.inputs.model_copy(
        update={"surface_model_date": "2021-03-14", "footprint_date": None}
    )
    result = pipeline.run(config.model_copy(update={"inputs": flown}), out)
    assert result.n_resumed == result.n_tiles
    for name in ("roofs", "buildings"):
        table = gpd.read_parquet(out / f"{name}.parquet")
        assert set(table["surface_model_date"]) == {"2021-03-14"}
        assert set(table["footprint_date"]) == {""}


def test_every_row_says_that_hills_beyond_the_surface_model_are_not_seen(roofs, buildings):
    for table in (roofs, buildings):
        assert table["data_quality"].str.contains("no far terrain").all()


# tiles


def with_tiles(config: Config, size_m: float) -> Config:
    return config.model_copy(update={"tiles": config.tiles.model_copy(update={"size_m": size_m})})


def test_another_tile_size_changes_no_geometry_and_no_id(config, run_folder, roofs, tmp_path):
    assert pipeline.run(with_tiles(config, 5000.0), tmp_path / "one").n_tiles == 1
    other = gpd.read_parquet(tmp_path / "one" / "roofs.parquet")
    assert other["roof_id"].tolist() == roofs["roof_id"].tolist()
    assert (other.geometry.to_wkb() == roofs.geometry.to_wkb()).all()
    for name in ("surface_tilt", "surface_azimuth", "area_m2"):
        assert other[name].equals(roofs[name])
    # Here sights are cut at 40 m and obstacles stand beyond; the real scene below has 500 m.
    np.testing.assert_allclose(other[YEAR], roofs[YEAR], rtol=1e-2)
    specific = "specific_yield_kwh_per_kwp"
    np.testing.assert_allclose(other[specific], roofs[specific], rtol=1e-2)
    assert other["yield_year_kwh"].sum() == pytest.approx(roofs["yield_year_kwh"].sum(), rel=2e-3)
    for column in ("npv_eur", "self_consumed_kwh"):
        sums = [
            pd.read_parquet(folder / "buildings.parquet", columns=[column])[column].abs().sum()
            for folder in (run_folder, tmp_path / "one")
        ]
        assert sums[0] == pytest.approx(sums[1], rel=5e-3), column


def test_another_tile_size_changes_no_wall(config, run_folder, tmp_path):
    pipeline.run(with_tiles(config, 5000.0), tmp_path / "one")
    for name in ("facades", "facade_storeys"):
        one, tiles = (
            gpd.read_parquet(folder / f"{name}.parquet")
            for folder in (tmp_path / "one", run_folder)
        )
        assert one[one.columns[1]].tolist() == tiles[one.columns[1]].tolist()
        assert one.geometry.to_wkb().equals(tiles.geometry.to_wkb())
        assert one["area_m2"].equals(tiles["area_m2"])
        np.testing.assert_allclose(one[YEAR], tiles[YEAR], rtol=1e-2)  # as of roofs, above


def test_real_roofs_get_the_same_light_from_tiles_of_any_size(real_data, monkeypatch, tmp_path):
    """Asked for: 0.1 % for 99.9 % of planes and walls, none over 0.5 %, against one piece."""
    monkeypatch.setenv("SOLARKATASTER_DATA", str(real_data))
    monkeypatch.setattr(pipeline, "map_stage", lambda *_, **__: None)  # not looked at here
    bonn = load_config(REPO / "pipelines" / "bonn-west" / "config.toml")
    found = {}
    for size_m in (20_000.0, 250.0):
        out = tmp_path / f"{size_m:.0f}"
        assert pipeline.run(with_tiles(bonn, size_m), out).is_complete
        found[size_m] = {
            name: gpd.read_parquet(out / f"{name}.parquet") for name in ("roofs", "facades")
        }
    whole_run = found.pop(20_000.0)
    for size_m, tables in found.items():
        for name, pieces in tables.items():
            whole, ids = whole_run[name], f"{name.removesuffix('s')}_id"
            assert pieces[ids].tolist() == whole[ids].tolist()
            assert pieces.geometry.to_wkb().equals(whole.geometry.to_wkb())
            change = (pieces[YEAR] / whole[YEAR] - 1.0).abs().dropna()
            assert (change <= 1e-3).mean() >= 0.999, (size_m, name, change.max())
            assert change.max() <= 5e-3, (size_m, name)
            yields = (pieces["yield_year_kwh"] / whole["yield_year_kwh"] - 1.0).abs().dropna()
            assert (yields <= 2e-3).mean() >= 0.999, (size_m, name, yields.max())
            assert pieces["yield_year_kwh"].sum() == pytest.approx(
                whole["yield_year_kwh"].sum(), rel=1e-3
            )


def test_an_existing_cluster_gives_the_same_bytes(config, run_folder, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        pipeline.run(config, tmp_path / "run", scheduler=cluster.scheduler_address)
    assert_same_run(tmp_path / "run", run_folder)


def test_a_scheduler_that_does_not_answer_is_named():
    from solarkataster.stages import cluster

    with (
        pytest.raises(InputError, match="no Dask scheduler answers"),
        cluster.workers(1, "no-such-protocol://127.0.0.1:1"),
    ):
        pass


# resuming


def test_a_second_run_does_nothing(config, run_folder):
    before = fingerprint(run_folder)
    result = pipeline.run(config, run_folder)
    assert result.n_resumed == result.n_tiles
    after = fingerprint(run_folder)
    assert {k: v for k, v in after.items() if k != "work/lock"} == {
        k: v for k, v in before.items() if k != "work/lock"
    }


def test_a_lost_layer_is_written_again_without_computing_tiles(config, run_folder, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(run_folder, out)
    (out / "roofs.parquet").unlink()
    result = pipeline.run(config, out)
    assert result.n_resumed == result.n_tiles
    assert_same_run(out, run_folder)


def without_yields(config: Config) -> Config:
    """For tests of which tiles are computed again."""
    return config.model_copy(update={"yields": config.yields.model_copy(update={"enabled": False})})


def test_another_albedo_computes_every_tile_again(config, run_folder, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(run_folder, out)
    lit = config.irradiation.model_copy(update={"albedo": 0.5})
    config = without_yields(config.model_copy(update={"irradiation": lit}))
    assert pipeline.run(config, out).n_resumed == 0


def test_without_yields_a_run_ends_with_light_from_the_same_tiles(config, run_folder, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(run_folder, out)
    result = pipeline.run(without_yields(config), out)
    assert result.n_resumed == result.n_tiles
    rated, plain = (gpd.read_parquet(folder / "roofs.parquet") for folder in (run_folder, out))
    assert list(plain.columns) == list(rated.columns)
    pd.testing.assert_series_equal(plain[YEAR], rated[YEAR])
    pd.testing.assert_series_equal(plain["n_modules"], rated["n_modules"])
    assert plain[["yield_year_kwh", "investment_eur"]].isna().all(axis=None)
    for name in RATING_FILES:
        assert (run_folder / name).exists()
        assert not (out / name).exists(), name


@pytest.mark.parametrize("looks_around", [True, False])
def test_a_changed_footprint_redoes_the_tiles_that_see_it(config, tmp_path, looks_around):
    """Roofs see heights; walls, crowns and what reflects ask for the outlines around."""
    out = tmp_path / "run"
    switches = {"walls": "enabled", "reflection": "enabled", "trees": "from_surface"}
    sections = {
        name: getattr(config, name).model_copy(update={key: looks_around})
        for name, key in switches.items()
    }
    config = without_yields(config.model_copy(update=sections))
    pipeline.run(config, out)
    footprints = gpd.read_file(config.inputs.footprints)
    footprints.loc[0, "geometry"] = footprints.geometry[0].buffer(-0.6)
    changed = tmp_path / "footprints.gpkg"
    footprints.to_file(changed)
    inputs = config.inputs.model_copy(update={"footprints": changed})
    result = pipeline.run(config.model_copy(update={"inputs": inputs}), out)
    assert (result.n_resumed == result.n_tiles - 1) == (not looks_around)
    assert 0 < result.n_resumed < result.n_tiles


# failures


def fail_in(monkeypatch, name: str, n_times: int) -> None:
    """Let one tile's surface be unreadable the first n times."""
    left = [n_times]
    real = chain.surface_stage

    def surface_stage(job):
        if job.name == name and left[0] > 0:
            left[0] -= 1
            raise OSError("block 7 is damaged")
        return real(job)

    monkeypatch.setattr(chain, "surface_stage", surface_stage)


def test_a_tile_that_fails_is_named_and_the_others_finish(
    config, run_folder, buildings, monkeypatch, tmp_path
):
    out = tmp_path / "run"
    name = sorted(told(run_folder)["tiles"])[0]
    fail_in(monkeypatch, name, n_times=99)
    result = pipeline.run(config, out)
    assert result.failed_tiles == {name: "OSError: block 7 is damaged"}
    assert not result.is_complete
    found = gpd.read_parquet(out / "buildings.parquet")
    assert found["building_id"].tolist() == buildings["building_id"].tolist()
    failed = found["reason"] == "Berechnung fehlgeschlagen: OSError: block 7 is damaged"
    assert set(found["reason_en"][failed]) == {"tile failed: OSError: block 7 is damaged"}
    assert failed.sum() == told(run_folder)["tiles"][name]["n_buildings"]
    assert found.loc[failed, YEAR].isna().all()
    assert found.loc[failed, "yield_year_kwh"].isna().all()
    for column in (YEAR, "yield_year_kwh", "npv_eur"):
        pd.testing.assert_series_equal(found.loc[~failed, column], buildings.loc[~failed, column])
    assert told(out)["tiles"][name]["state"] == "failed"
    monkeypatch.undo()
    again = pipeline.run(config, out)
    assert again.n_resumed == again.n_tiles - 1
    assert_same_run(out, run_folder)


def test_yields_that_fail_cost_no_light_and_no_module_and_are_tried_again(
    config, run_folder, roofs, buildings, monkeypatch, tmp_path
):
    out = tmp_path / "run"
    shutil.copytree(run_folder, out)
    name = sorted(told(run_folder)["tiles"])[0]
    shutil.rmtree(out / "work" / "yields" / name)
    (out / "roofs.parquet").unlink()
    real = yield_pass.yields_stage

    def fails(job, basis):
        if job.name == name:
            raise ValueError("made to fail")
        return real(job, basis)

    monkeypatch.setattr(yield_pass, "yields_stage", fails)
    result = pipeline.run(config, out)
    assert result.failed_tiles == {name: "yield: ValueError: made to fail"}
    found = gpd.read_parquet(out / "roofs.parquet")
    for column in (YEAR, "n_modules", "dc_power_kwp"):
        pd.testing.assert_series_equal(found[column], roofs[column])
    lost = roofs["yield_year_kwh"].notna() & found["yield_year_kwh"].isna()
    assert 0 < lost.sum() < roofs["yield_year_kwh"].notna().sum()
    assert found["reason"][lost].str.contains("Kein Ertrag").all()
    houses = gpd.read_parquet(out / "buildings.parquet")
    for column in ("n_modules", "dc_power_kwp"):
        pd.testing.assert_series_equal(houses[column], buildings[column])
    monkeypatch.undo()
    assert pipeline.run(config, out).is_complete
    assert_same_run(out, run_folder)


def test_a_tile_is_tried_twice(config, run_folder, monkeypatch, tmp_path):
    name = sorted(told(run_folder)["tiles"])[0]
    fail_in(monkeypatch, name, n_times=1)
    assert pipeline.run(config, tmp_path / "run").is_complete
    assert_same_run(tmp_path / "run", run_folder)


def test_wrong_input_writes_nothing(config, tmp_path):
    inputs = config.inputs.model_copy(update={"weather": tmp_path / "no-such-file.dat"})
    with pytest.raises(InputErrors, match="no-such-file"):
        pipeline.run(config.model_copy(update={"inputs": inputs}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_with_foreign_files_is_refused(config, tmp_path):
    (tmp_path / "holiday.jpg").write_text("picture")
    with pytest.raises(InputError, match="not from a run"):
        pipeline.run(config, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


# the lock, and names


def test_a_second_client_is_told_who_holds_the_folder(config, tmp_path):
    import os

    folder = RunFolder(tmp_path / "run")
    with locked(folder), pytest.raises(InputError, match=f"process {os.getpid()} on"):
        pipeline.run(config, folder.path)
    assert not (folder.path / "run.json").exists()


def test_an_input_column_with_our_name_is_kept_beside_ours(config, tmp_path):
    footprints = gpd.read_file(config.inputs.footprints).rename(columns={"function": "Area_M2"})
    path = tmp_path / "footprints.gpkg"
    footprints.to_file(path)
    inputs = config.inputs.model_copy(update={"footprints": path})
    config = without_yields(config.model_copy(update={"inputs": inputs}))
    pipeline.run(config, tmp_path / "run")
    found = gpd.read_parquet(tmp_path / "run" / "buildings.parquet")
    assert found["Area_M2_input"].tolist() == footprints["Area_M2"].tolist()
    assert found["area_m2"].notna().any()
