"""Settings that change nothing are told by `check` and `run`."""

from __future__ import annotations

import numpy as np
import pytest
from small_inputs import N_CELLS, check, outlines, rewrite_footprints, write_config, write_inputs
from small_inputs import write_raster as raster


@pytest.fixture
def town(tmp_path):
    write_inputs(tmp_path)
    return tmp_path


def said(folder, *words: str) -> list[str]:
    return [note for note in check(folder).notes if all(word in note for word in words)]


@pytest.mark.parametrize(
    ("extra", "name", "missing"),
    [
        ('[reflection]\nground_by_class = { "10" = 0.2 }', "ground_by_class", "no land_cover"),
        ("[trees]\nland_cover_trees = [10]", "land_cover_trees", "no land_cover"),
        ("[trees]\nfrom_points = true", "from_points", "no points"),
        (
            f"[reflection]\nenabled = false\nground_by_month = {[0.5] * 12}",
            "ground_by_month",
            "switched off",
        ),
        ('[walls]\nwindow_fraction_by_use = { "1000" = 0.5 }', "window_", "no footprint_use"),
        ('[walls]\nbalcony_fraction_by_use = { "1000" = 0.5 }', "balcony_", "no footprint_use"),
    ],
)
def test_a_setting_without_what_it_needs_is_told(town, extra, name, missing):
    write_config(town, extra)
    assert len(said(town, name, "is not used", missing)) == 1


def test_a_config_without_such_settings_is_told_nothing(town):
    assert not said(town, "not used")


def test_ground_that_land_cover_classes_are_named_for_needs_no_trees(town):
    cover = np.full((N_CELLS, N_CELLS), 10, dtype="uint8")
    raster(town / "cover.tif", cover, nodata=0)
    write_config(town, '[reflection]\nground_by_class = { "10" = 0.1 }', land_cover="cover.tif")
    assert not said(town, "cover.tif")
    write_config(town, '[reflection]\nground_by_class = { "50" = 0.1 }', land_cover="cover.tif")
    assert said(town, "cover.tif", "none of the classes 50 of ground_by_class", "only 10")


def test_uses_that_no_footprint_has_are_told_with_those_there_are(town):
    """Numbers with gaps come as floats: 1000.0 is the use 1000."""
    table = outlines()
    table["use"] = np.where(np.arange(len(table)) < 5, np.nan, 1000.0)
    rewrite_footprints(town, table)
    write_config(town, '[walls]\nwindow_fraction_by_use = { "1000" = 0.5 }', footprint_use="use")
    assert not said(town, "by_use")
    write_config(
        town,
        '[walls]\nwindow_fraction_by_use = { "1000" = 0.5, "Wohnhaus" = 0.3 }',
        footprint_use="use",
    )
    (note,) = said(town, "window_fraction_by_use")
    assert "no footprint has the use Wohnhaus; there are 1000" in note
