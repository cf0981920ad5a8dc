"""Laser points of the demo town: on its exact surface, classed as asked, the same each time."""

import dataclasses

import laspy
import numpy as np
import pytest
import shapely

from solarkataster.config import load_config
from solarkataster.demo import make_town
from solarkataster.errors import InputError

DENSITY_PER_M2 = 8.0
NOISE_M = 0.03


@pytest.fixture(scope="module")
def town():
    return make_town(2, 160, kind="builtup", overhang_m=(0.2, 0.7), trees_over_roofs=4, n_trees=12)


@pytest.fixture(scope="module")
def points(town):
    return town.points(DENSITY_PER_M2)


@pytest.fixture(scope="module")
def exact(town, points):
    """Terrain, buildings and crowns under each point, −inf where there are none. [m]"""
    x, y = points.easting_m, points.northing_m
    ground_m = town.terrain.elevation_m(x, y)
    roof_m, crown_m = np.full((2, len(points)), -np.inf)
    for layer_m, things in ((roof_m, town.buildings), (crown_m, town.trees)):
        for thing in things:
            west, south, east, north = getattr(thing, "roof_outline", thing).bounds
            near = np.flatnonzero((x >= west) & (x <= east) & (y >= south) & (y <= north))
            layer_m[near] = np.maximum(layer_m[near], thing.elevation_m(x[near], y[near]))
    return ground_m, roof_m, crown_m


def test_density_is_that_of_the_pulses(points, town):
    west, south, east, north = town.grid.bounds
    n_pulses = (points.return_number == 1).sum()
    expected = DENSITY_PER_M2 * 160.0**2
    n_on_walls = 0.01 * expected
    assert abs(n_pulses - expected) < 4.0 * np.sqrt(expected) + n_on_walls
    assert ((points.easting_m >= west) & (points.easting_m < east)).all()
    assert ((points.northing_m >= south) & (points.northing_m < north)).all()
    quarter = (points.easting_m < west + 80.0) & (points.northing_m < south + 80.0)
    share = (quarter & (points.return_number == 1)).sum() / n_pulses
    assert share == pytest.approx(0.25, abs=0.01)


def test_first_echoes_lie_on_the_exact_surface_or_on_a_wall(town, points, exact):
    top_m = np.max(exact, axis=0)
    first = points.return_number == 1
    off_m = points.elevation_m - top_m
    on_top = np.abs(off_m) < 6 * NOISE_M
    assert off_m[first & on_top].std() == pytest.approx(NOISE_M, rel=0.03)
    assert abs(off_m[first & on_top].mean()) < 0.001
    rest = np.flatnonzero(first & ~on_top)
    assert 0.0 < len(rest) / first.sum() < 0.02
    walls = shapely.union_all([b.footprint.boundary for b in town.buildings])
    places = shapely.points(points.easting_m[rest], points.northing_m[rest])
    assert shapely.distance(places, walls).max() < 0.021
    assert (off_m[rest] < np.where(np.isinf(exact[1][rest]), np.inf, 0.0)).all()


def test_further_echoes_come_from_inside_or_under_a_crown(points, exact):
    ground_m, roof_m, crown_m = exact
    under_m = np.maximum(ground_m, roof_m)
    later = points.return_number > 1
    assert (crown_m[later] > under_m[later]).all()
    last = later & (points.return_number == points.n_returns)
    np.testing.assert_allclose(points.elevation_m[last], under_m[last], atol=6 * NOISE_M)
    inside = later & ~last
    z = points.elevation_m[inside]
    assert inside.sum() > 100
    assert (z < crown_m[inside] + 6 * NOISE_M).all()
    assert (z > under_m[inside] - 6 * NOISE_M).all()
    assert set(np.unique(points.n_returns)) == {1, 2, 3}
    assert (points.return_number <= points.n_returns).all()


def test_pulses_through_crowns_find_the_roof_under_them(points, exact):
    ground_m, roof_m, crown_m = exact
    under = (crown_m > roof_m) & (roof_m > ground_m)
    found = under & (points.classification == 6) & (points.return_number > 1)
    assert found.sum() > 20


def test_classes_say_what_was_hit(town, points, exact):
    roof_m = exact[1]
    top = np.argmax(exact, axis=0)
    once = (points.n_returns == 1) & (np.abs(points.elevation_m - np.max(exact, axis=0)) < 0.2)
    kind = points.classification
    stack = np.zeros(len(points), dtype=bool)
    for building in town.buildings:
        for part in building.parts:
            if part.role == "chimney":
                stack |= np.isfinite(part.elevation_m(points.easting_m, points.northing_m))
    assert (kind[once & (top == 0) & np.isinf(roof_m)] == 2).all()
    assert (kind[once & (top == 1) & ~stack] == 6).all()
    assert (kind[once & (top == 1) & stack] == 1).all()
    assert (kind[once & (top == 2)] == 5).all()
    assert (once & (top == 1) & stack).sum() > 10


@pytest.mark.parametrize(("scheme", "classes"), [("rlp", {2, 20}), ("unclassified", {0})])
def test_a_scheme_changes_the_classes_only(town, points, scheme, classes):
    other = town.points(DENSITY_PER_M2, scheme)
    assert set(np.unique(other.classification).tolist()) == classes
    if scheme == "rlp":
        np.testing.assert_array_equal(other.classification == 2, points.classification == 2)
    np.testing.assert_array_equal(other.elevation_m, points.elevation_m)
    np.testing.assert_array_equal(other.return_number, points.return_number)


def test_the_same_points_come_out_twice_and_another_seed_gives_others(town, points):
    again = town.points(DENSITY_PER_M2)
    for field in dataclasses.fields(points):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(points, field.name))
    assert len(town.points(DENSITY_PER_M2, seed=1)) != len(points)


@pytest.mark.parametrize("arguments", [(0.0,), (-1.0,), (4.0, "usgs")])
def test_points_that_cannot_be_made_are_refused(town, arguments):
    with pytest.raises(InputError):
        town.points(*arguments)


def test_the_file_holds_the_points_and_the_coordinate_system(town, tmp_path):
    config = town.write(tmp_path / "a", points_per_m2=1.5, scheme="rlp")
    town.write(tmp_path / "b", points_per_m2=1.5, scheme="rlp")
    path = tmp_path / "a" / "laser.laz"
    assert path.read_bytes() == (tmp_path / "b" / "laser.laz").read_bytes()
    assert load_config(config).inputs.points is not None
    expected = town.points(1.5, "rlp")
    found = laspy.read(path)
    assert found.header.parse_crs().to_epsg() == 25832
    np.testing.assert_allclose(found.x, expected.easting_m, atol=0.0006)
    np.testing.assert_allclose(found.y, expected.northing_m, atol=0.0006)
    np.testing.assert_allclose(found.z, expected.elevation_m, atol=0.0006)
    np.testing.assert_array_equal(found.classification, expected.classification)
    np.testing.assert_array_equal(found.return_number, expected.return_number)
    np.testing.assert_array_equal(found.number_of_returns, expected.n_returns)


def test_without_a_density_there_is_no_laser_file(town, tmp_path):
    config = town.write(tmp_path)
    assert not (tmp_path / "laser.laz").exists()
    assert load_config(config).inputs.points is None
