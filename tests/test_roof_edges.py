"""Where planes end inside a roof: at drops, and where nothing was measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from small_houses import house
from test_roof_model import model_of

from solarkataster.grid import Grid
from solarkataster.layout.margins import Margins, usable_area
from solarkataster.roofs.edges import outlines_at_drops, unmeasured_part
from solarkataster.roofs.model import Heights, roof_model

CELL_M = 0.5
MARGINS = Margins(eaves_m=0.3, ridge_m=0.3, verge_m=0.3, obstacle_m=0.3, flat_edge_m=1.0)


def stepped(lower_m: float) -> tuple[Heights, shapely.Polygon]:
    """Two flat halves of 20 x 30 m, the western 12 m high, on level ground."""
    grid = Grid((80, 100), 0.0, 40.0, CELL_M, "EPSG:25832")
    east_m = (np.arange(100) + 0.5) * CELL_M
    north_m = 40.0 - (np.arange(80) + 0.5) * CELL_M
    on_roof = (np.abs(east_m - 25.0) < 20.0)[None, :] & (np.abs(north_m - 20.0) < 15.0)[:, None]
    height_m = np.where(east_m < 25.0, 12.0, lower_m)[None, :]
    elevation_m = np.where(on_roof, height_m, 0.0)
    return Heights.of_raster(grid, elevation_m, np.zeros(grid.shape)), shapely.box(5, 5, 45, 35)


def usable_m2(model, k, around) -> float:
    return usable_area(
        model.outlines[k], model.planes.slope_east[k], model.planes.slope_north[k], around, [],
        MARGINS, is_flat=True,
    ).area  # fmt: skip


def test_a_flat_roof_keeps_its_edge_from_a_lower_wing_as_from_the_ground():
    heights, footprint = stepped(6.0)
    model = roof_model(heights, footprint)
    west = [outline.centroid.x < 25.0 for outline in model.outlines]
    high, low = west.index(True), west.index(False)
    around = outlines_at_drops(model)
    # 1 m on all four sides: 18 x 28 m. The lower wing keeps a ridge's 0.3 m from the wall.
    assert usable_m2(model, high, around[high]) == pytest.approx(18.0 * 28.0, rel=0.01)
    assert usable_m2(model, low, around[low]) == pytest.approx(18.7 * 28.0, rel=0.01)
    assert shapely.equals(around[low], model.outline)
    assert around[high].area == pytest.approx(model.outlines[high].area, rel=1e-6)


@pytest.mark.parametrize("faces", [0.0, 33.0])
def test_planes_that_meet_have_no_drop(faces):
    model = model_of(house(faces, cell_size_m=0.5))
    assert all(around is model.outline for around in outlines_at_drops(model))


def test_a_void_of_three_cells_and_more_is_unmeasured_a_smaller_one_is_not():
    heights, footprint = stepped(12.0)
    elevation_m = heights.elevation_m.copy()
    elevation_m[20:26, 30:40] = np.nan  # 3 x 5 m
    elevation_m[50:52, 30:60] = np.nan  # two cells wide
    holed = Heights.of_raster(heights.grid, elevation_m, heights.terrain_m)
    part = unmeasured_part(roof_model(holed, footprint), holed)
    assert shapely.equals(part, shapely.box(15.0, 27.0, 20.0, 30.0))
    assert unmeasured_part(roof_model(heights, footprint), heights) is None
    assert math.isclose(part.area, 15.0)
