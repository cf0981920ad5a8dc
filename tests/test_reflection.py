"""One bounce: closed forms of views, laws, and who may share a look."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.irradiance import light, open_light
from solarkataster.receivers import Receivers
from solarkataster.reflection import Albedos, bounce, lit_reflectors, view_shares
from solarkataster.sky_table import sky_table

CELL_M = 0.5
WEST_M, NORTH_M = 400_000.0, 5_600_000.0


@pytest.fixture(scope="module")
def few(sources):
    """The sky that lights what reflects."""
    return sky_table(sources, 0.0, n_azimuth=24)


def boxes_on(shape, *boxes, cell_m=CELL_M):
    """Grid, surface and footprints of boxes (west, south, east, north, height) on a plain. [m]"""
    grid = Grid(shape, WEST_M, NORTH_M, cell_m, "EPSG:25832")
    plans = [
        shapely.box(WEST_M + w, grid.south_m + s, WEST_M + e, grid.south_m + n)
        for w, s, e, n, _ in boxes
    ]
    surface_m = np.zeros(shape, dtype=np.float32)
    for plan, (*_, height_m) in zip(plans, boxes, strict=True):
        surface_m[cells_inside(plan, grid)] = height_m
    return grid, surface_m, np.array(plans, dtype=object)


def wall_points(grid, east_m, north_m, heights_m, azimuth_deg, **more):
    """A column of receivers at a place on a wall's front, from the south-west corner. [m]"""
    row, col = grid.row_col(WEST_M + east_m, grid.south_m + north_m)
    heights_m = np.asarray(heights_m, dtype=float)
    n = len(heights_m)
    return Receivers(
        np.full(n, row), np.full(n, col), heights_m, np.zeros(n, int), [90.0], [azimuth_deg], **more
    )


# Closed forms


@pytest.mark.parametrize("height_m", [5.0, 12.0, 20.0])
def test_a_wall_in_an_endless_canyon_sees_ground_and_wall_as_crossed_strings_say(few, height_m):
    # Receivers 0.25 m before the west wall; the street is 16 m wide and 400 m long.
    grid, surface_m, plans = boxes_on(
        (800, 200), (0, 0, 42, 400, height_m), (58, 0, 100, 400, height_m)
    )
    up_m = np.arange(0.5, height_m, 1.0)
    walls = wall_points(grid, 42.25, 200.2, up_m, 90.0)
    seen = view_shares(lit_reflectors(surface_m, grid, plans, walls, few), walls)
    across_m = 15.75
    below, above = np.arctan(up_m / across_m), np.arctan((height_m - up_m) / across_m)
    ground = seen[:, 0] + seen[:, 3]
    np.testing.assert_allclose(ground, (1.0 - np.sin(below)) / 2.0, atol=0.003)
    np.testing.assert_allclose(seen[:, 2], (np.sin(above) + np.sin(below)) / 2.0, atol=0.003)
    assert seen[:, 1].max() <= 0.001


@pytest.mark.parametrize("half_m", [3.0, 10.0, 30.0])
@pytest.mark.parametrize("up_m", [1.5, 6.0])
def test_a_single_wall_opposite_fills_its_rectangle_of_the_view(few, half_m, up_m):
    # Sum of the four parallel rectangles about the normal's foot: Howell, catalogue, B-3.
    height_m, across_m = 9.0, 10.0
    grid, surface_m, plans = boxes_on((400, 400), (110, 100 - half_m, 120, 100 + half_m, height_m))
    walls = wall_points(grid, 100.0, 100.0, [up_m], 90.0)
    seen = view_shares(lit_reflectors(surface_m, grid, plans, walls, few), walls)

    def corner(a, b):
        x, y = a / across_m, b / across_m
        x1, y1 = np.sqrt(1 + x * x), np.sqrt(1 + y * y)
        return (x / x1 * np.arctan(y / x1) + y / y1 * np.arctan(x / y1)) / (2 * np.pi)

    expected = 2.0 * (corner(half_m, up_m) + corner(half_m, height_m - up_m))
    assert seen[0, 2] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("from_corner_m", [1.0, 3.0, 8.0, 20.0])
def test_at_an_inner_corner_the_other_wall_fills_its_part_of_the_view(few, from_corner_m):
    # A very high wall square to the receiver's, 60 m long, endless upwards and down to the ground.
    length_m, height_m, up_m = 60.0, 400.0, 5.0
    grid, surface_m, plans = boxes_on(
        (800, 800), (100, 300, 200, 310, height_m), (90, 240, 100, 310, height_m)
    )
    walls = wall_points(grid, 100.0 + from_corner_m, 299.75, [up_m], 180.0)
    seen = view_shares(lit_reflectors(surface_m, grid, plans, walls, few), walls)

    def beside(c):
        # Small plane to a rectangle square to it, at distance a, b long and c high to one side:
        # Howell, catalogue, B-4.
        a, b = from_corner_m, length_m - 0.25
        z = np.hypot(a, b)
        return (np.arctan(c / a) - a / z * np.arctan(c / z)) / (2 * np.pi)

    expected = beside(height_m - up_m) + beside(up_m)
    assert seen[0, 2] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("tilt", [90.0, 60.0, 30.0, 5.0])
def test_an_open_plane_gets_the_ground_light_of_pvlib(sky, few, tilt):
    # albedo · GHI · (1 - cos tilt) / 2
    grid, surface_m, plans = boxes_on((240, 240))
    planes = Receivers([120.3], [119.6], [4.0], [0], [tilt], [213.0])
    got = bounce(
        lit_reflectors(surface_m, grid, plans, planes, few, albedos=Albedos(np.full(12, 0.2))),
        planes,
        light(surface_m, CELL_M, planes, sky),
    )
    ghi = sky.ghi_kwh_m2.sum()
    expected = 0.2 * ghi * (1 - np.cos(np.radians(tilt))) / 2
    np.testing.assert_allclose(got.poa_ground_diffuse_year_kwh_m2, expected, rtol=1e-3, atol=0.01)
    expected = open_light(sky, [tilt], [213.0], 0.2).poa_global_month_kwh_m2
    np.testing.assert_allclose(got.poa_global_month_kwh_m2, expected, rtol=1e-3, atol=0.01)
