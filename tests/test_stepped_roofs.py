"""Roofs of several storeys: walls between their parts, and what stands beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from small_roofs import EAVES_M, SmallRoof, small_roof

from solarkataster.roofs.model import Heights, roof_model
from solarkataster.roofs.outlines import plane_outlines
from solarkataster.roofs.planes import find_roof_planes
from solarkataster.roofs.superstructures import Superstructures, find_superstructures, plane_kinds


def look(roof: SmallRoof) -> tuple[tuple[str, ...], Superstructures]:
    """Kinds of the planes, and superstructures; planes found as in a run."""
    planes = find_roof_planes(roof.elevation_m, roof.inside, roof.grid.cell_size_m)
    outlines = plane_outlines(planes.labels, roof.footprint, roof.grid, planes=planes)
    found = find_superstructures(
        planes, planes.labels, roof.elevation_m, outlines, roof.footprint, roof.grid
    )
    return plane_kinds(planes, planes.labels, outlines, roof.grid), found


def hip_over_annex(faces: float) -> SmallRoof:
    """The end house of a terrace: a hipped end, and 4 m of flat annex 5 m below its eaves."""
    roof = small_roof("hip", faces=faces, tilt=45.0, length_m=20.0, width_m=8.0, cell_size_m=0.4)
    far = roof.patch((-9.0, -6.0), (-4.0, 4.0))
    noise_m = np.random.default_rng(3).normal(0.0, 0.03, far.shape)
    annex = roof.patch((6.0, 10.0), (-4.0, 4.0))
    along_m, across_m = roof.along_m, roof.across_m
    hipped = EAVES_M + np.minimum(4.0 - np.abs(across_m), 6.0 - along_m) + noise_m
    heights_m = np.where(roof.patch((-10.0, 6.0), (-4.0, 4.0)), hipped, roof.elevation_m)
    return roof.with_heights(np.where(annex, EAVES_M - 3.5 + noise_m, heights_m))


@pytest.mark.parametrize("faces", [90.0, 143.0])
def test_a_hip_above_a_flat_annex_is_no_dormer_of_the_annex(faces):
    """As at the ends of the terraces of delft_ahn3_bgt: 14 hips had been taken for dormers."""
    kinds, found = look(hip_over_annex(faces))
    assert set(kinds) == {"roof"}
    assert len(found) == 0


def stepped(faces: float, rim_m: float, rubble_m: float) -> SmallRoof:
    """
    A high flat roof with a rim beside one 6 m lower, in cells of 1 m, and rubble between them.

    The cells between them, one and a half metres wide, are as high as the upper roof and half a
    metre rough: railings, ducts, what the cells of a surface model make of a wall.
    """
    roof = small_roof("flat", faces=faces, length_m=30.0, width_m=24.0, cell_size_m=1.0)
    high = roof.patch((-15.0, 15.0), (0.0, 12.0))
    heights_m = roof.elevation_m + np.where(high, 6.0, 0.0)
    inner = roof.patch((-14.0, 14.0), (2.5, 11.0))
    between = roof.patch((-15.0, 15.0), (0.0, 2.5))
    rough_m = np.random.default_rng(5).uniform(rim_m, rubble_m, heights_m.shape)
    heights_m += np.where(high & ~inner, rim_m, 0.0)
    heights_m = np.where(between, EAVES_M + 6.0 + rough_m, heights_m)
    return roof.with_heights(heights_m)


@pytest.mark.parametrize("faces", [180.0, 215.0])
def test_what_stands_at_a_wall_counts_from_the_roof_it_stands_on(faces):
    """As in bonn_west: rims and walls of all storeys had been one thing as high as the house."""
    _, found = look(stepped(faces, rim_m=0.5, rubble_m=1.2))
    assert len(found) > 0
    assert found.height_m.max() < 1.5  # not 6 m and more over the lower roof
    high = small_roof("flat", faces=faces, length_m=30.0, width_m=24.0, cell_size_m=1.0)
    low = high.patch((-14.0, 14.0), (-11.0, -2.0))
    rows, cols = np.nonzero(low)
    places = shapely.points(high.grid.west_m + cols + 0.5, high.grid.north_m - (rows + 0.5))
    taken = shapely.union_all(found.polygon)
    assert not shapely.intersects(places, taken).any()


def test_a_mast_is_no_chimney():
    roof = small_roof("gable", tilt=40.0)
    mast = roof.raised(roof.patch((2.0, 3.0), (1.5, 2.5)), 7.0)
    chimney = roof.raised(roof.patch((2.0, 3.0), (1.5, 2.5)), 1.5)
    assert look(chimney)[1].kind == ("chimney",)
    assert look(mast)[1].kind == ("other",)


def test_what_lies_off_the_heights_is_not_open_roof():
    """A footprint that the edge of the flight cuts in half has a whole roof on this side of it."""
    roof = small_roof("flat", length_m=20.0, width_m=12.0)
    width = roof.grid.shape[1] // 2
    grid = replace(roof.grid, shape=(roof.grid.shape[0], width))
    heights = Heights.of_raster(
        grid, roof.elevation_m[:, :width], np.full(grid.shape, EAVES_M - 8.0)
    )
    model = roof_model(heights, roof.footprint)
    assert not isinstance(model, str)
    assert model.open_fraction == pytest.approx(0.0, abs=0.01)


def with_rubble(roof: SmallRoof, along_m, across_m, below_m: float) -> SmallRoof:
    """A rectangle so far below the eaves, half a metre rough: plants on an annex, a full yard."""
    rough_m = np.random.default_rng(7).uniform(0.0, 0.5, roof.elevation_m.shape)
    cells = roof.patch(along_m, across_m)
    return roof.with_heights(np.where(cells, EAVES_M - below_m + rough_m, roof.elevation_m))


def open_share(roof: SmallRoof, place: shapely.Polygon) -> float:
    """Share of a place that no plane of the roof model is drawn over."""
    terrain_m = np.full(roof.grid.shape, EAVES_M - 8.0)
    model = roof_model(Heights.of_raster(roof.grid, roof.elevation_m, terrain_m), roof.footprint)
    assert not isinstance(model, str)
    return 1.0 - shapely.union_all(model.outlines).intersection(place).area / place.area


@pytest.mark.parametrize("below_m", [2.5, 7.0])
def test_no_roof_is_drawn_over_a_low_annex_without_a_plane(below_m):
    """As in delft_ahn3_bgt: 17 roofs went on over up to 9 m² that lie 2 to 9 m below them."""
    roof = small_roof("gable", tilt=45.0)
    _, south, east, _ = roof.footprint.bounds
    annex = shapely.box(east - 3.0, south, east, south + 2.5)
    roof = with_rubble(roof, (5.0, 9.0), (2.5, 6.0), below_m)  # east end, south slope
    assert open_share(roof, annex) > 0.6
    rest = roof.footprint.difference(annex.buffer(1.0))
    assert open_share(roof, rest) < 0.01


def test_a_yard_within_a_flat_roof_stays_open_and_a_machine_on_it_does_not():
    roof = small_roof("flat", length_m=20.0, width_m=14.0)
    centre = roof.footprint.centroid
    place = shapely.box(centre.x - 1.25, centre.y - 1.25, centre.x + 1.25, centre.y + 1.25)
    corner = (-1.25, 1.25), (-1.25, 1.25)
    assert open_share(with_rubble(roof, *corner, below_m=3.0), place) > 0.6
    assert open_share(with_rubble(roof, *corner, below_m=-1.0), place) < 0.01
