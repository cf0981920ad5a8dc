"""Walls from LoD2 against the exact walls of made-up towns, and on real city models."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import shapely
from scipy import ndimage
from wall_town import GAP_M, exact_areas, footprints_of, wall_town

from solarkataster.citymodels import measures
from solarkataster.demo import make_town
from solarkataster.demo.lod2_files import write_lod2
from solarkataster.facades.city_match import buildings_on, plan_of
from solarkataster.facades.city_surfaces import roofs_of
from solarkataster.facades.city_walls import lod2_walls
from solarkataster.facades.receivers import wall_receivers
from solarkataster.facades.walls import PARTY_WALL
from solarkataster.grid import Grid
from solarkataster.io.citymodels import open_citymodels, read_city_surfaces


def by_building(surfaces) -> dict[str, list]:
    of: dict[str, list] = {}
    for surface in surfaces:
        of.setdefault(surface.building_id, []).append(surface)
    return of


@pytest.fixture(scope="module", params=["demo", "courtyard", "tower", "dense"])
def town(request):
    """A town and its walls from footprint and surface."""
    size = {} if request.param == "demo" else {"size_m": 140}
    return request.param, wall_town(make_town(kind=request.param, **size))


def from_model(found_town, on, found):
    town = found_town.town
    near = footprints_of(town)
    near = near[shapely.dwithin(near, found.building.footprint, 1.0)]
    return lod2_walls(
        on.surfaces, found.building.footprint, found.model, town.grid, town.dsm_m,
        found_town.terrain_m, near, gap_m=GAP_M,
    )  # fmt: skip


def test_walls_from_the_model_of_a_town_are_the_exact_ones(town, tmp_path, figure):
    kind, found_town = town
    made = found_town.town
    source = open_citymodels(write_lod2(made, tmp_path, "cityjson"), expected_crs=made.grid.crs)
    ids = [found.building.building_id for found in found_town.found]
    plans = np.array([found.building.footprint for found in found_town.found])
    on = buildings_on(ids, plans, read_city_surfaces(source))
    exact_m2 = own_m2 = surface_m2 = length_m = seen_m = 0.0
    errors, start_s = [], time.process_time()
    city = [from_model(found_town, *pair) for pair in zip(on, found_town.found, strict=True)]
    seconds = time.process_time() - start_s
    for one, found in zip(city, found_town.found, strict=True):
        assert one.is_from_model
        assert one.marks == ()
        walls = one.walls
        # LoD2 has no parapets, dormers, chimneys and terraces; what hides the wall does.
        roofs = tuple(part for part in found.building.parts if part.role == "roof")
        sides = exact_areas(made, replace(found.building, parts=roofs), step_m=0.05)
        true_m2 = sum(area_m2 for *_, area_m2 in sides)
        errors.append(walls.area_m2.sum() / true_m2 - 1.0)
        exact_m2, own_m2 = exact_m2 + true_m2, own_m2 + walls.area_m2.sum()
        surface_m2 += found.walls.area_m2.sum()
        long = walls.segments.length_m > 1.0
        known = np.array([reason in ("", PARTY_WALL) for reason in walls.reason])
        length_m += walls.segments.length_m[long].sum()
        seen_m += walls.segments.length_m[long & known].sum()
        assert np.nanmax(walls.from_cells_fraction, initial=0.0) == 0.0
        _compare_heights(made, replace(found.building, parts=roofs), walls)
        assert len(wall_receivers(walls, made.grid)) > 0
    figure(
        "walls from LoD2",
        f"{kind}: {len(city)} buildings, area {own_m2 / exact_m2 - 1.0:+.3%} of the exact one, per "
        f"building {np.mean(np.abs(errors)):.3%} (worst {np.max(np.abs(errors)):.2%}); "
        f"{own_m2 / surface_m2 - 1.0:+.2%} of that from footprint and surface; "
        f"{1e3 * seconds / len(city):.1f} ms per building",
    )
    assert seen_m == length_m
    assert abs(own_m2 / exact_m2 - 1.0) <= 2e-3
    assert np.mean(np.abs(errors)) <= 5e-3
    # A neighbour's height is read from cells, as without a model.
    alone = [not one.walls.hidden_area_m2.any() for one in city]
    assert np.max(np.abs(errors)[alone]) <= 0.01
    assert abs(own_m2 / surface_m2 - 1.0) <= 0.03


def _compare_heights(town, house, walls) -> None:
    """Tops and feet of walls that nothing hides are those of the house and the terrain."""
    segments = walls.segments
    for k in np.flatnonzero(walls.is_seen & (walls.hidden_area_m2 == 0.0)):
        of = np.flatnonzero(segments.wall == k)
        tops, feet = [], []
        for s in of:
            start, end = segments.sides.start[s], segments.sides.end[s]
            along = (end - start) / np.hypot(*(end - start))
            out = np.array([along[1], -along[0]])
            places = start + np.linspace(0.001, 0.999, 400)[:, None] * (end - start)
            tops.append(house.elevation_m(*(places - 1e-3 * out).T).max())
            feet.append(town.terrain.elevation_m(*places.T).min())
        assert walls.top_m[k] == pytest.approx(max(tops), abs=0.03)
        assert walls.foot_m[k] == pytest.approx(min(feet), abs=0.05)


def test_a_town_turned_inside_out_is_told_and_gives_the_same_walls():
    found_town = wall_town(make_town(kind="dense", size_m=120))
    of = by_building(found_town.town.lod2)
    for found in found_town.found[::5]:
        own = of[found.building.building_id]
        flipped = [replace(s, outer=s.outer[::-1]) if s.kind == "wall" else s for s in own]
        right, wrong = (from_model(found_town, _On(surfaces), found) for surfaces in (own, flipped))
        n = sum(surface.kind == "wall" for surface in own)
        assert right.marks == ()
        assert wrong.marks == (f"LoD2: {n} walls inside out, turned round",)
        np.testing.assert_array_equal(wrong.walls.ring_xyz, right.walls.ring_xyz)
        np.testing.assert_array_equal(wrong.walls.planes, right.walls.planes)


class _On:
    def __init__(self, surfaces) -> None:
        self.surfaces = surfaces


# Real city models. Their ground plans stand for the footprints, which surveys make them from, and
# their roofs for the surface model: there is none of the same place.

CELL_M = 0.5


def _scene(surfaces, bounds):
    """Grid, surface and terrain that show a city model."""
    west_m, north_m = math.floor(bounds[0]) - 5.0, math.ceil(bounds[3]) + 5.0
    n_row, n_col = (
        int((high - low + 10.0) / CELL_M) + 4 for low, high in (bounds[1::2], bounds[::2])
    )
    grid = Grid((n_row, n_col), west_m, north_m, CELL_M, "EPSG:25832")
    elevation_m, ground_m = np.full(grid.shape, -np.inf), np.full(grid.shape, np.nan)
    for own in by_building(surfaces).values():
        corners = np.concatenate([s.outer for s in own])
        row, col = grid.row_col(corners[:, 0], corners[:, 1])
        first, last = np.floor([row.min(), col.min()]), np.ceil([row.max(), col.max()])
        part = tuple(slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
        rows, cols = np.mgrid[part]
        x, y = (cols + 0.5) * CELL_M, -(rows + 0.5) * CELL_M
        roofs = roofs_of([s for s in own if s.kind == "roof"], np.array([west_m, north_m]))
        over_m = roofs.elevation_m(x.ravel(), y.ravel()).reshape(x.shape)
        elevation_m[part] = np.fmax(elevation_m[part], over_m)
        ground_m[part][np.isfinite(over_m)] = corners[:, 2].min()
    nearest = ndimage.distance_transform_edt(
        np.isnan(ground_m), return_distances=False, return_indices=True
    )
    terrain_m = ground_m[tuple(nearest)]
    return grid, np.where(np.isfinite(elevation_m), elevation_m, terrain_m), terrain_m


@pytest.mark.parametrize(
    ("name", "n_buildings", "least_used"),
    [
        ("LoD2_32_280_5657_1_NW.gml", 80, 78),  # two bridges of walls that cross in plan
        ("berlin_Block020023.gml", 4, 4),
        ("DenHaag_01.city.json", 844, 840),
    ],
)
def test_real_models_give_every_long_wall_a_result(
    real_data, name, n_buildings, least_used, figure
):
    source = open_citymodels(real_data / "lod2" / name)
    found = read_city_surfaces(source)
    of = by_building(found.surfaces)
    plans = {own: plan_of(surfaces) for own, surfaces in of.items()}
    ids = sorted(own for own, plan in plans.items() if plan.area > 4.0)
    footprints = np.array([plans[own] for own in ids], dtype=object)
    on = buildings_on(ids, footprints, found)
    assert [one.building_ids for one in on] == [(own,) for own in ids]
    grid, elevation_m, terrain_m = _scene(found.surfaces, source.bounds)
    tree = shapely.STRtree(footprints)
    chosen = range(0, len(ids), max(1, len(ids) // 200))
    n_used, long_m, known_m, ratios, marks = 0, 0.0, 0.0, [], Counter()
    start_s = time.process_time()
    for i in chosen:
        near = footprints[tree.query(footprints[i], "dwithin", 1.0)]
        one = lod2_walls(on[i].surfaces, footprints[i], None, grid, elevation_m, terrain_m, near)
        marks.update(re.sub(r" [\d.]+ ", " ", mark.split(" (")[0]) for mark in one.marks)
        if not one.is_from_model:
            assert "walls from footprint and surface model" in one.marks[-1]
            continue
        n_used += 1
        walls = one.walls
        is_long = walls.segments.length_m > 1.0
        known = np.array([reason in ("", PARTY_WALL) for reason in walls.reason])
        long_m += walls.segments.length_m[is_long].sum()
        known_m += walls.segments.length_m[is_long & known].sum()
        size = measures([s for s in on[i].surfaces if s.kind == "wall"])
        ratios.append((walls.area_m2 + walls.hidden_area_m2).sum() / size.area_m2.sum())
    seconds = time.process_time() - start_s
    figure(
        "walls from LoD2",
        f"{name}: {n_used} of {len(chosen)} buildings used, {known_m / long_m:.2%} of the length "
        f"of walls over 1 m has a result; wall area by that of the file: median "
        f"{np.median(ratios):.3f}; {1e3 * seconds / len(chosen):.1f} ms per building; "
        f"{dict(marks)}",
    )
    assert len(ids) == n_buildings
    assert n_used >= least_used * len(chosen) / len(ids) - 1
    assert known_m >= 0.99 * long_m
    # Walls between parts of a house are in the file, and no walls outside.
    assert 0.9 <= np.median(ratios) <= 1.01
    assert max(ratios) < 1.15
