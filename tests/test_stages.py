"""Single stages on made-up scenes: reasons, gaps, sums, north."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from run_folders import write_small_town

from solarkataster import pipeline
from solarkataster.config import Config, RoofsConfig, load_config
from solarkataster.grid import Grid
from solarkataster.io.runfolder import RunFolder
from solarkataster.layers import ROOF_COLUMNS
from solarkataster.potential import best_plane, building_sums, plane_means
from solarkataster.stages.job import TileJob
from solarkataster.stages.roofs import roofs_stage
from solarkataster.surface import Surface, merge_surface

YEAR = "poa_global_year_kwh_m2"


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    return load_config(write_small_town(tmp_path_factory.mktemp("town"), yields=False))


# buildings without a value


def job_of(config: Config, footprints, n_cells: int = 60) -> TileJob:
    grid = Grid((n_cells, n_cells), 0.0, n_cells * 0.5, 0.5, "EPSG:25832")
    return TileJob(
        name="made-up",
        grid=grid,
        core=grid,
        window=grid,
        dsm=None,
        dtm=None,
        points=None,
        building_ids=tuple(str(i) for i in range(len(footprints))),
        building_index=np.arange(len(footprints), dtype=np.int32),
        footprints=np.array(footprints, dtype=object),
        use=("",) * len(footprints),
        neighbours=np.array([one for one in footprints if one is not None], dtype=object),
        surroundings=np.array([one for one in footprints if one is not None], dtype=object),
        use_around=("",) * sum(one is not None for one in footprints),
        index_around=np.flatnonzero([one is not None for one in footprints]).astype(np.int32),
        is_monument=np.zeros(len(footprints), dtype=bool),
        config=config.model_copy(update={"roofs": RoofsConfig()}),
        latitude_deg=50.0,
        convergence_deg=0.0,
        folder=RunFolder(None),
        token="",
        stamp="",
    )


@pytest.mark.parametrize(
    ("footprint", "reason"),
    [
        (None, "footprint has no geometry"),
        (shapely.Polygon(), "footprint has no geometry"),
        (shapely.box(90, 90, 99, 99), "outside the surface model"),
        (shapely.box(8.05, 8.05, 8.15, 8.15), "footprint covers no cell of the surface model"),
        (shapely.box(20, 20, 28, 28), "surface model has no data here"),
        (shapely.box(1, 1, 3, 3), "surface model shows nothing higher than 1 m"),
        (shapely.box(9, 9, 10, 10), "no roof plane of at least 2.5 m² found: only 4 cells"),
        (shapely.box(8, 8, 16, 16), ""),
    ],
)
def test_a_building_without_a_value_says_why(config, footprint, reason):
    dsm_m = np.zeros((60, 60), dtype=np.float32)
    dsm_m[28:44, 16:32] = 5.0  # 8 m by 8 m, 5 m high, between 8 and 16 m east and north
    dsm_m[4:20, 40:56] = np.nan
    surface = merge_surface(dsm_m, np.zeros_like(dsm_m))
    found = roofs_stage(job_of(config, [footprint]), surface)
    assert found.reason[0].startswith(reason)
    assert (found.reason[0] == "") == (reason == "")
    assert found.height_m[0] == (
        pytest.approx(5.0, abs=0.05) if not reason else pytest.approx(float("nan"), nan_ok=True)
    )


def test_a_court_inside_a_coarse_outline_is_no_roof(config):
    dsm_m = np.zeros((60, 60), dtype=np.float32)
    dsm_m[10:50, 10:50] = 7.0
    dsm_m[20:40, 20:40] = 0.0  # a court of 10 m by 10 m that the outline does not leave out
    surface = merge_surface(dsm_m, np.zeros_like(dsm_m))
    found = roofs_stage(job_of(config, [shapely.box(5, 5, 25, 25)]), surface)
    assert found.number.tolist() == [1]
    assert found.height_m[0] == pytest.approx(7.0, abs=0.05)
    # 20 m by 20 m less the court; the edge of the court may count half a metre to the roof.
    assert 299.9 <= found.outline[0].area <= 300.0 + 4 * 10 * 1.0


def test_a_gap_of_the_surface_is_closed_with_terrain_and_marked(config):
    dsm_m = np.full((60, 60), 6.0, dtype=np.float32)
    dsm_m[30:32, 20:30] = np.nan
    surface = merge_surface(dsm_m, np.ones_like(dsm_m))
    assert np.isfinite(surface.elevation_m).all()
    assert surface.elevation_m[31, 25] == 1.0
    found = roofs_stage(job_of(config, [shapely.box(8, 8, 18, 18)]), surface)
    assert "has no data on 5.0% of the footprint" in found.marks[0][0]  # 20 of 400 cells


def test_one_building_that_fails_does_not_stop_its_tile(config, monkeypatch):
    from solarkataster.roofs import model as stage

    real = stage.find_roof_planes
    calls = []

    def find(*args, **options):
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("odd roof")
        return real(*args, **options)

    monkeypatch.setattr(stage, "find_roof_planes", find)
    surface = merge_surface(np.full((60, 60), 6.0, np.float32), np.zeros((60, 60), np.float32))
    boxes = [shapely.box(2, 2, 10, 10), shapely.box(15, 15, 25, 25)]
    found = roofs_stage(job_of(config, boxes), surface)
    assert found.reason == ("failed: ZeroDivisionError: odd roof", "")
    assert found.n_failed == 1
    assert found.building.tolist() == [1]


def flat_tile() -> Surface:
    return merge_surface(np.full((60, 60), 6.0, np.float32), np.zeros((60, 60), np.float32))


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_plane_without_a_finite_height_fails_its_building_only(config, monkeypatch, number):
    from solarkataster.roofs import model as stage

    real, calls = stage.find_roof_planes, []

    def find(*args, **options):
        planes = real(*args, **options)
        calls.append(1)
        if len(calls) > 1:
            return planes
        return replace(planes, elevation_at_first_cell_m=np.full(len(planes), number))

    monkeypatch.setattr(stage, "find_roof_planes", find)
    boxes = [shapely.box(2, 2, 10, 10), shapely.box(15, 15, 25, 25)]
    found = roofs_stage(job_of(config, boxes), flat_tile())
    assert found.reason[0].startswith("failed: ")
    assert found.reason[1] == ""
    assert found.n_failed == 1
    assert np.isnan(found.height_m[0])
    assert found.building.tolist() == [1]
    assert found.n_on_roof == 20 * 20
    assert len(found.outline) == 1


def test_a_plane_that_misses_the_footprint_is_left_out(config, monkeypatch):
    from solarkataster.roofs import model as stage

    dsm_m = np.zeros((60, 60), dtype=np.float32)
    dsm_m[10:50, 10:30], dsm_m[10:50, 30:50] = 5.0, 9.0
    surface = merge_surface(dsm_m, np.zeros_like(dsm_m))
    job = job_of(config, [shapely.box(5, 5, 25, 25)])
    both = roofs_stage(job, surface)
    assert both.number.tolist() == [1, 2]
    real = stage.plane_outlines

    def outlines(*args, **options):
        return [shapely.Polygon(), *real(*args, **options)[1:]]

    monkeypatch.setattr(stage, "plane_outlines", outlines)
    found = roofs_stage(job, surface)
    assert found.reason == ("",)
    assert found.number.tolist() == [1]
    assert found.outline[0] == both.outline[1]
    assert (found.receivers.surface[: found.n_on_roof] == 0).all()
    np.testing.assert_array_equal(
        found.receivers.elevation_m[: found.n_on_roof],
        both.receivers.elevation_m[both.receivers.surface == 1],
    )
    monkeypatch.setattr(stage, "plane_outlines", lambda *_, **__: [shapely.Polygon()] * 2)
    found = roofs_stage(job, surface)
    assert found.reason == ("roof planes found, but none with an area inside the footprint",)
    assert found.receivers is None
    assert np.isnan(found.height_m[0])
    assert found.n_failed == 0


@pytest.mark.parametrize(("latitude_deg", "faces"), [(50.0, 180.0), (-34.0, 0.0)])
def test_rows_face_the_noon_sun_of_either_hemisphere(config, latitude_deg, faces):
    job = replace(job_of(config, [shapely.box(5, 5, 25, 25)]), latitude_deg=latitude_deg)
    (racks,) = roofs_stage(job, flat_tile()).racks
    assert racks.azimuths_deg == pytest.approx((faces,))
    # Noon of the shortest day: 90° less the latitude and the obliquity of 23.44°.
    assert racks.shadow_angle_deg == pytest.approx(66.56 - abs(latitude_deg))


# two attempts at one tile


def write_tile(job: TileJob, value: int, between=lambda: None) -> None:
    """Write a tile of one table; something happens while its second table is under way."""
    from solarkataster.stages import tables as stage

    class Slow(dict):
        def items(self):
            yield "roofs", pd.DataFrame({"value": [value]})
            between()
            yield "buildings", pd.DataFrame({"value": [value]})

    stage._write(job, Slow(), {"value": value})


def tile_content(folder: RunFolder) -> tuple[list[str], list[int]]:
    names = sorted(path.name for path in folder.tile("made-up").iterdir())
    values = [
        pd.read_parquet(folder.tile("made-up") / f"{name}.parquet")["value"][0]
        for name in ("roofs", "buildings")
    ]
    return names, values


def test_two_attempts_at_one_tile_leave_one_whole_tile(config, tmp_path):
    """A worker the scheduler gave up may still be writing when the tile is tried again."""
    folder = RunFolder(tmp_path)
    job = replace(job_of(config, []), folder=folder)
    write_tile(job, 1)
    write_tile(job, 2, between=lambda: write_tile(job, 3))
    assert tile_content(folder) == (["buildings.parquet", "roofs.parquet", "tile.json"], [2, 2])
    assert [path.name for path in folder.tiles.iterdir()] == ["made-up"]


def test_an_attempt_that_comes_second_leaves_the_first_ones_tile(config, tmp_path, monkeypatch):
    from solarkataster.stages import tables as stage

    folder = RunFolder(tmp_path)
    job = replace(job_of(config, []), folder=folder)
    real, others = stage.os.replace, [lambda: write_tile(job, 2)]

    def replace_after_the_other(source, target):
        if others and target == folder.tile("made-up"):
            others.pop()()
        real(source, target)

    monkeypatch.setattr(stage.os, "replace", replace_after_the_other)
    write_tile(job, 1)
    assert tile_content(folder) == (["buildings.parquet", "roofs.parquet", "tile.json"], [2, 2])
    assert [path.name for path in folder.tiles.iterdir()] == ["made-up"]


def test_a_failed_attempt_leaves_nothing_beside_the_tile(config, tmp_path):
    folder = RunFolder(tmp_path)
    job = replace(job_of(config, []), folder=folder)
    with pytest.raises(ZeroDivisionError):
        write_tile(job, 1, between=lambda: 1 // 0)
    assert not list(folder.tiles.iterdir())


# sums


def test_means_are_over_the_receivers_of_each_surface():
    values = np.array([[1.0, 10.0], [3.0, 30.0], [5.0, 50.0]])
    means = plane_means(values, np.array([0, 0, 2]), 3)
    np.testing.assert_array_equal(means, [[2.0, 20.0], [np.nan, np.nan], [5.0, 50.0]])


def roof_rows(**columns: list[float]) -> pd.DataFrame:
    """Roof planes with a value in every column that is summed."""
    n = len(columns["area_m2"])
    numbers = {column.name: np.zeros(n) for column in ROOF_COLUMNS if column.dtype != "str"}
    return pd.DataFrame(numbers | columns)


def test_buildings_average_by_area_and_lose_light_by_energy():
    roofs = roof_rows(
        area_m2=[30.0, 10.0],
        poa_global_year_kwh_m2=[1000.0, 500.0],
        poa_global_year_kwh=[30_000.0, 5_000.0],
        sky_view_factor=[1.0, 0.6],
        shading_loss_fraction=[0.0, 0.5],
        n_modules=[7, 4],
        usable_area_m2=[20.0, 8.5],
        dc_power_kwp=[3.08, 1.76],
    )
    sums = building_sums(roofs, np.array([30_000.0, 10_000.0]), np.array([1, 1]), 2)
    assert np.isnan(sums.loc[0, YEAR])
    assert sums.loc[1, YEAR] == pytest.approx((30 * 1000 + 10 * 500) / 40)
    assert sums.loc[1, "sky_view_factor"] == pytest.approx(0.9)
    # 35 000 of 40 000 kWh arrive.
    assert sums.loc[1, "shading_loss_fraction"] == pytest.approx(5 / 40)
    assert sums["n_modules"].tolist() == [0, 11]
    assert sums.loc[1, "usable_area_m2"] == 28.5
    assert sums.loc[1, "dc_power_kwp"] == pytest.approx(4.84)


def test_a_building_without_any_light_has_lost_all_of_it():
    sums = building_sums(roof_rows(area_m2=[9.0]), np.array([9000.0]), np.array([0]), 1)
    assert sums.loc[0, "shading_loss_fraction"] == 1.0


def test_the_plane_with_most_modules_speaks_for_the_building():
    roofs = roof_rows(
        area_m2=[9.0] * 5,
        n_modules=[4, 6, 6, 0, 0],
        poa_global_year_kwh=[9000.0, 5000.0, 7000.0, 300.0, 300.0],
    )
    # Of equal numbers the one with more light, of equal light the first; no plane at all: −1.
    best = best_plane(roofs, np.array([0, 0, 0, 2, 2]), 3)
    assert best.tolist() == [2, -1, 3]


def test_azimuths_leave_the_run_from_true_north(config):
    """In Bonn (6.8° E, zone 9° E) grid north points 1.5° west of true north."""
    from solarkataster.stages.layout import layout_stage
    from solarkataster.stages.light import light_stage
    from solarkataster.stages.scene import scene_stage
    from solarkataster.stages.tables import _roof_table

    dsm_m = np.zeros((60, 60), dtype=np.float32)
    east = np.arange(60) * 0.5
    dsm_m[10:50, 10:50] = (10.0 - 0.5 * east)[10:50]  # falls towards grid east
    job = replace(job_of(config, [shapely.box(5, 5, 25, 25)]), convergence_deg=-1.5)
    surface = merge_surface(dsm_m, np.zeros_like(dsm_m))
    found = roofs_stage(job, surface)
    sky = pipeline.run_sky(pipeline.check_inputs(config))
    light = light_stage(job, scene_stage(job, surface, found), found, None, sky)
    table = _roof_table(job, found, light, layout_stage(job, found, light, sky))
    assert table["surface_azimuth"].tolist() == pytest.approx([88.5], abs=0.05)
    assert table["module_azimuth"].tolist() == pytest.approx([88.5], abs=0.05)
