"""A run with a city model: its walls in the layers, and what is against them told."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from run_folders import NO_YIELDS
from small_inputs import check
from small_lod2_inputs import HEIGHT_M, houses, write_model

from solarkataster.config import load_config
from solarkataster.pipeline import run

SETTINGS = """
[horizon]
reach_m = 20.0
n_azimuth = 16
[walls]
n_azimuth = 24
along_m = 3.0
up_m = 4.0
[tiles]
size_m = 70.0
"""


def test_a_run_has_the_walls_of_the_model_and_tells_what_is_wrong_with_it(folder):
    model = houses()
    names = list(model)
    missing, turned = set(names[5::12]), set(names[2::12])
    for own in turned:
        model[own] = [(k, ring[::-1] if k == "wall" else ring) for k, ring in model[own]]
    write_model(folder, {own: model[own] for own in names if own not in missing})
    config = folder / "config.toml"
    config.write_text(config.read_text() + SETTINGS + NO_YIELDS)
    assert len(check(folder).footprints) == 144
    run(load_config(config), folder / "run")
    walls = gpd.read_parquet(folder / "run" / "facades.parquet")
    quality = walls["data_quality"].str
    is_missing = walls["building_id"].isin(missing)
    is_turned = walls["building_id"].isin(turned)
    told = quality.contains("not in the LoD2 model: walls from footprint and surface model")
    np.testing.assert_array_equal(told, is_missing)
    told = quality.contains("LoD2: 4 walls inside out, turned round")
    np.testing.assert_array_equal(told, is_turned)
    assert (quality.contains("LoD2") == (is_missing | is_turned)).all()
    # Five metres long and eight high, on ground that rises 2 m in 120.
    area_m2 = walls.groupby("building_id")["area_m2"].sum()
    assert len(area_m2) == 144
    assert area_m2.loc[~area_m2.index.isin(missing)].to_numpy() == pytest.approx(
        4 * 5.0 * HEIGHT_M, rel=0.01
    )
    assert walls["poa_global_year_kwh_m2"].notna().all()
