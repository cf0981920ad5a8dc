"""Reflections in a run: the land cover's albedos, months with snow, and none at all."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from run_folders import write_small_town

from solarkataster import pipeline
from solarkataster.config import load_config

YEAR, GROUND = "poa_global_year_kwh_m2", "poa_ground_diffuse_year_kwh_m2"
GRASS, WATER = 10, 80


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A town with grass in its western half and water in its eastern one."""
    folder = tmp_path_factory.mktemp("town")
    config = load_config(write_small_town(folder, tile_m=200.0, yields=False))
    with rasterio.open(folder / "dsm.tif") as source:
        shape, transform, crs = source.shape, source.transform, source.crs
    classes = np.full(shape, GRASS, dtype=np.uint8)
    classes[:, shape[1] // 2 :] = WATER
    with rasterio.open(
        folder / "cover.tif", "w", driver="GTiff", height=shape[0], width=shape[1], count=1,
        dtype="uint8", transform=transform, crs=crs,
    ) as target:  # fmt: skip
        target.write(classes, 1)
    return config


@pytest.fixture(scope="module")
def walls_of(town, tmp_path_factory):
    """Walls of a run of the town with settings of its own."""

    def run(cover=None, **reflection):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline, "map_stage", lambda *_: None)
            inputs = town.inputs.model_copy(update={"land_cover": cover})
            changed = town.reflection.model_copy(update=reflection)
            config = town.model_copy(update={"inputs": inputs, "reflection": changed})
            out = tmp_path_factory.mktemp("runs") / "run"
            assert pipeline.run(config, out).is_complete
        return gpd.read_parquet(out / "facades.parquet").dropna(subset=[YEAR])

    return run


@pytest.fixture(scope="module")
def plain(walls_of):
    return walls_of()


def test_walls_over_water_get_less_than_those_over_grass(town, plain, walls_of):
    cover = (str(town.inputs.footprints.parent / "cover.tif"),)
    classes = {str(GRASS): 0.2, str(WATER): 0.0}  # grass as the ground that is not classed
    covered = walls_of(cover, ground_by_class=classes)
    assert covered["facade_id"].tolist() == plain["facade_id"].tolist()
    share = (covered[GROUND] / plain[GROUND]).to_numpy()
    middle_m = covered.total_bounds[[0, 2]].mean()
    x = covered.geometry.bounds["minx"].to_numpy()
    over_water, over_grass = share[x > middle_m + 10.0], share[x < middle_m - 20.0]
    # Walls and roofs send back what they did.
    assert np.median(over_water) < 0.9 < 0.97 < np.median(over_grass)
    assert (share <= 1.0 + 1e-6).all()


def test_snow_lights_the_walls_of_its_months_only(plain, walls_of):
    snowy = walls_of(ground_by_month=(0.8, *(0.2,) * 11))
    january = snowy["poa_global_01_kwh_m2"] / plain["poa_global_01_kwh_m2"]
    assert january.min() >= 1.0 - 1e-9  # walls over a neighbour's roof see no ground
    assert january.median() > 1.1
    np.testing.assert_allclose(snowy["poa_global_07_kwh_m2"], plain["poa_global_07_kwh_m2"])


def test_without_reflections_all_below_the_horizon_is_open_ground(plain, walls_of):
    simple = walls_of(enabled=False)
    np.testing.assert_allclose(simple["poa_direct_year_kwh_m2"], plain["poa_direct_year_kwh_m2"])
    # In a town of narrow streets shaded ground sends back less than open ground.
    assert (simple[GROUND] > plain[GROUND]).mean() > 0.95
