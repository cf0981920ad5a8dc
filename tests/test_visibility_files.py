"""Sky records and weather of a run: what is stored is all that hourly light needs."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from run_folders import SETTINGS

from solarkataster import pipeline
from solarkataster.canopy import Transmissivity
from solarkataster.checks import check_inputs
from solarkataster.config import Config, load_config
from solarkataster.demo import make_town
from solarkataster.errors import InputError
from solarkataster.hourly_light import SunPath, hourly_light, month_sums_kwh_m2
from solarkataster.hourly_sky import hourly_sky
from solarkataster.io.run_weather import read_run_weather, write_run_weather
from solarkataster.io.runfolder import RunFolder, locked
from solarkataster.io.visibility import (
    RecordsWriter,
    iterate_sky_records,
    read_sky_records,
    records_of,
    records_table,
)
from solarkataster.layers_visibility import VISIBILITY_COLUMNS, WEATHER_COLUMNS
from solarkataster.stages import sky_records
from solarkataster.stages.chain import run_here
from solarkataster.stages.layers import Tables, tables_of
from solarkataster.stages.plan import Plan, iterate_jobs, plan_tiles
from solarkataster.stages.sky_records import write_sky_visibility
from solarkataster.surface_records import RACK, ROOF, WALL, SurfaceRecords
from solarkataster.units import MONTHS
from solarkataster.visibility import LAYERS, N_EDGE, open_record

GLOBAL = [f"poa_global_{month}_kwh_m2" for month in MONTHS]


@dataclass(frozen=True)
class Finished:
    """Tiles of a small town, and the files that are made of them."""

    config: Config
    plan: Plan
    reports: dict
    tables: Tables
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "sky_visibility.parquet"


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A few houses in two tiles, without their map."""
    folder = tmp_path_factory.mktemp("town")
    town = make_town(kind="builtup", size_m=70, seed=5, n_trees=4, roof_share=0.2)
    path = town.write(folder)
    path.write_text(path.read_text(encoding="utf-8") + SETTINGS.format(tile_m=50))
    config = load_config(path)
    checked = check_inputs(config)
    with locked(RunFolder(folder / "run")) as token:
        plan = plan_tiles(checked, RunFolder(folder / "run"), token)
        jobs = iterate_jobs(plan, set(range(len(plan.tiles))))
        sky = pipeline.run_sky(checked)
        reports = {one.name: one.report for one in run_here(jobs, sky, lambda name, share: None)}
    assert len(reports) > 1
    write_sky_visibility(folder, plan, reports)
    write_run_weather(folder / "weather.parquet", checked.weather)
    return Finished(config, plan, reports, tables_of(plan, reports, {}), folder)


def test_every_roof_rack_and_wall_with_light_has_a_row(town):
    table = pq.read_table(town.path)
    assert table.column_names == [column.name for column in VISIBILITY_COLUMNS]
    rows = table.to_pandas()
    roofs, facades = town.tables.roofs, town.tables.facades
    of = {kind: rows[rows["kind"] == kind] for kind in (ROOF, RACK, WALL)}
    assert of[ROOF]["surface_id"].tolist() == roofs["roof_id"].tolist()
    lit = facades.loc[facades["poa_global_year_kwh_m2"].notna(), "facade_id"]
    assert of[WALL]["surface_id"].drop_duplicates().tolist() == lit.tolist()
    np.testing.assert_allclose(of[WALL].groupby("surface_id")["weight"].sum(), 1.0, rtol=1e-9)
    assert set(of[RACK]["surface_id"]) < set(of[ROOF]["surface_id"])
    assert len(of[RACK])
    # Rows of a building stand together, in the order of the input.
    at = pd.Index(town.tables.buildings["building_id"]).get_indexer(rows["building_id"])
    assert (np.diff(at) >= 0).all()
    tilted = of[ROOF].merge(roofs, left_on="surface_id", right_on="roof_id")
    np.testing.assert_allclose(tilted["surface_tilt_x"], tilted["surface_tilt_y"], rtol=1e-12)


@pytest.mark.parametrize(("kinds", "layer"), [((ROOF,), "roofs"), ((WALL,), "facades")])
def test_hours_of_the_stored_files_make_the_months_of_the_tables(town, kinds, layer):
    weather = read_run_weather(town.folder / "weather.parquet")
    sky = hourly_sky(weather, town.config.irradiation.sky)
    stored = read_sky_records(town.path, kinds)
    records, trees = stored.records, town.config.trees
    hours = hourly_light(
        SunPath(sky, records.record.n_sector, records.record.convergence_deg),
        records.record,
        records.poa_ground_diffuse_month_kwh_m2,
        transmissivity=Transmissivity(
            trees.deciduous_transmissivity, trees.evergreen_transmissivity
        ),
    )
    found = pd.DataFrame(month_sums_kwh_m2(hours.poa_global, sky.month), columns=GLOBAL)
    by_surface = found.mul(records.weight, axis=0).groupby(stored.surface_id).sum()
    table = getattr(town.tables, layer).set_index(f"{layer[:-1]}_id")
    expected = table.loc[by_surface.index, GLOBAL]
    year = expected.sum(axis=1)
    # Limits as asked; few azimuths, and few points on a wall, make steps of single houses.
    assert (np.abs(by_surface.sum(axis=1) - year) / year).max() < 0.015
    off = np.abs(by_surface.sum().to_numpy() / expected.sum().to_numpy() - 1.0)
    assert off.max() < 0.005
    # The rows' own months are those of the table.
    own = pd.DataFrame(records.poa_global_month_kwh_m2, columns=GLOBAL)
    of_table = own.mul(records.weight, axis=0).groupby(stored.surface_id).sum()
    np.testing.assert_allclose(of_table, expected, rtol=1e-5)


def test_rows_are_the_same_however_many_are_put_in_order_at_once(town, tmp_path, monkeypatch):
    rows = pq.read_table(town.path)
    monkeypatch.setattr(sky_records, "_GROUP_ROWS", 7)
    write_sky_visibility(tmp_path, town.plan, town.reports)
    again = pq.ParquetFile(tmp_path / "sky_visibility.parquet")
    assert again.num_row_groups == -(-len(rows) // 7)
    assert again.read().equals(rows)
    blocks = list(iterate_sky_records(town.path, (ROOF, RACK), 5))
    ids = np.concatenate([block.surface_id for block in blocks])
    kept = rows.to_pandas()
    assert ids.tolist() == kept[kept["kind"] != WALL]["surface_id"].tolist()


def test_a_run_without_a_finished_tile_has_an_empty_table(town, tmp_path):
    write_sky_visibility(tmp_path, town.plan, {})
    assert len(read_sky_records(tmp_path / "sky_visibility.parquet", (WALL,)).records) == 0


def made_records(n=5, seed=3):
    """Records with crowns of both kinds over some of the surfaces."""
    rng = np.random.default_rng(seed)
    record = open_record(rng.uniform(0, 80, n), rng.uniform(0, 360, n), 16, -1.5)
    record.visible[:] = rng.integers(0, 256, record.visible.shape)
    rows = np.full((3, n, 16), -1, np.int32)
    rows[0, 1, 3:6], rows[1, 4, 0], rows[2, 1, 4] = [0, 1, 2], 3, 4
    record = record.__class__(
        **{
            **vars(record),
            "behind_row": rows,
            "behind": rng.integers(1, 256, (5, N_EDGE), np.uint8),
        }
    )
    months = rng.uniform(0, 150, (2, n, 12))
    kind = np.array([ROOF] * 3 + [RACK] * 2, dtype=object)
    return SurfaceRecords(
        record, kind, np.array([0, 1, 2, 1, 1]), np.array([0, 0, 0, 0, 1]), np.ones(n), *months
    )


def test_records_come_back_as_they_were(tmp_path):
    records = made_records()
    ids = np.array(["a/r1", "b/r1", "b/r2", "b/r1", "b/r1"], dtype=object)
    table = records_table(np.array(list("abbbb"), dtype=object), ids, records)
    path = tmp_path / "sky_visibility.parquet"
    with RecordsWriter(path, -1.5) as writer:
        writer.write(table)
    back = read_sky_records(path, (ROOF, RACK))
    assert back.surface_id.tolist() == ids.tolist()
    assert back.building_id.tolist() == list("abbbb")
    for layer in LAYERS:
        expected = records.record.layer(layer)
        np.testing.assert_array_equal(back.records.record.layer(layer), expected)
    for name in ("kind", "owner", "part", "weight"):
        np.testing.assert_array_equal(getattr(back.records, name), getattr(records, name))
    for name in ("poa_global_month_kwh_m2", "poa_ground_diffuse_month_kwh_m2"):
        np.testing.assert_array_equal(getattr(back.records, name), getattr(records, name))
    assert back.records.record.convergence_deg == -1.5
    np.testing.assert_allclose(
        back.records.record.grid_azimuth, records.record.grid_azimuth, atol=1e-9
    )
    assert read_sky_records(path, (ROOF,)).records.record.layer(2).any() == 0
    assert len(read_sky_records(path, (WALL,)).records) == 0


def test_files_of_another_kind_are_refused(tmp_path):
    with pytest.raises(InputError, match="file not found"):
        read_sky_records(tmp_path / "sky_visibility.parquet", (ROOF,))
    with pytest.raises(InputError, match="file not found"):
        read_run_weather(tmp_path / "weather.parquet")
    records = made_records()
    ids = np.array(list("abcde"), dtype=object)
    table = records_table(ids, ids, records)
    meta = json.loads(table.schema.metadata[b"sky_visibility"])
    meta["edge_q"] = meta["edge_q"][1:]
    other = table.replace_schema_metadata({b"sky_visibility": json.dumps(meta)})
    with pytest.raises(InputError, match="other steps of elevation"):
        records_of(other, "here")
    sectors = pa.array([16, 16, 72, 72, 72], pa.int32())
    at = table.column_names.index("n_sector")
    with pytest.raises(InputError, match="16 and 72 sectors"):
        records_of(table.set_column(at, "n_sector", sectors), "here")
    pq.write_table(pa.table({"ghi": [1.0]}), tmp_path / "weather.parquet")
    with pytest.raises(InputError, match="without the site"):
        read_run_weather(tmp_path / "weather.parquet")


def test_weather_comes_back_as_it_was(demo_weather, tmp_path):
    path = tmp_path / "weather.parquet"
    write_run_weather(path, demo_weather)
    back = read_run_weather(path)
    assert back.times.equals(demo_weather.times)
    assert back.times.tz.utcoffset(None) == demo_weather.times.tz.utcoffset(None)
    for name in ("ghi", "dhi", "bhi", "temp_air", "wind_speed"):
        np.testing.assert_array_equal(getattr(back, name), getattr(demo_weather, name))
    for name in ("latitude", "longitude", "elevation_m", "source", "kind", "label", "notes"):
        assert getattr(back, name) == getattr(demo_weather, name)
    assert dict(back.facts) == pytest.approx(dict(demo_weather.facts), nan_ok=True)
    assert pq.read_table(path).column_names == [column.name for column in WEATHER_COLUMNS]
    first = path.read_bytes()
    write_run_weather(path, back)
    assert path.read_bytes() == first


def test_weather_without_temperature_has_none(demo_weather, tmp_path):
    bare = demo_weather.__class__(**{**vars(demo_weather), "temp_air": None})
    write_run_weather(tmp_path / "weather.parquet", bare)
    assert read_run_weather(tmp_path / "weather.parquet").temp_air is None
