"""Heights that cannot be what they are called: lost nodata tags, units, gaps, the wrong file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_inputs import (
    check,
    one_fault,
    outlines,
    rewrite_footprints,
    surface,
    terrain,
    write_config,
    write_inputs,
    write_raster,
)


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with good inputs and their config."""
    write_inputs(tmp_path)
    return tmp_path


def test_surface_in_centimetres_is_told_from_a_lost_nodata_tag(folder):
    write_raster(folder / "dsm.tif", surface() * 100)
    fault = one_fault(folder)
    assert "100.0% of the heights are beyond ±9000 m" in fault.found
    assert "centimetres" in fault.remedy


def test_highest_ground_on_earth_passes(folder):
    write_raster(folder / "dsm.tif", surface() + 8740)
    write_raster(folder / "dtm.tif", terrain() + 8740)
    check(folder)
