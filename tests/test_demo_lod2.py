"""The demo town as a LoD2 model and its tree cadastre: closed, and the truth of the town."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from solarkataster.citymodel_faults import surface_faults
from solarkataster.citymodels import measures, solid_volumes_m3
from solarkataster.demo import make_town
from solarkataster.demo.lod2_files import write_lod2
from solarkataster.demo.planes import planes_of
from solarkataster.demo.tree_cadastre import tree_cadastre, true_trees
from solarkataster.errors import InputError
from solarkataster.io.citymodels import open_citymodels, read_city_surfaces

FILES = {"citygml": "lod2.gml", "cityjson": "lod2.city.json"}


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture(scope="module")
def folder(town, tmp_path_factory):
    """Both formats of the model, and the trees."""
    folder = tmp_path_factory.mktemp("lod2")
    town.write(folder, lod2="citygml", tree_cadastre=True)
    write_lod2(town, folder, "cityjson")
    return folder


def plain(building):
    """A building as LoD2 has it: without overhangs and superstructures."""
    roofs = [replace(p, overhang_m=(0.0,) * 4) for p in building.parts if p.role == "roof"]
    return replace(building, parts=tuple(roofs))


def by_building(surfaces, kind):
    size = measures(surfaces)
    found: dict[str, list[int]] = {}
    for i, surface in enumerate(surfaces):
        if surface.kind == kind:
            found.setdefault(surface.building_id, []).append(i)
    return found, size


# The model


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rotation_deg": 17.0},
        {"kind": "builtup", "size_m": 200, "seed": 1},
        {"kind": "tower", "size_m": 200},
        {"kind": "courtyard", "size_m": 200},
        {"kind": "dense", "size_m": 200},
    ],
)
def test_every_solid_of_every_town_is_closed_and_faces_outwards(settings):
    surfaces = make_town(**settings).lod2
    assert surface_faults(surfaces) == []
    size = measures(surfaces)
    gaps: dict[tuple[str, str], np.ndarray] = {}
    for surface, area_m2, normal in zip(surfaces, size.area_m2, size.normal, strict=True):
        gaps[surface.solid] = gaps.get(surface.solid, 0.0) + area_m2 * normal
    assert max(np.linalg.norm(gap) for gap in gaps.values()) < 1e-6
    assert min(solid_volumes_m3(surfaces).values()) > 0.0
    assert size.off_plane_m.max() < 2e-4  # coordinates have four decimals


def test_edges_of_a_solid_are_run_through_once_each_way(town):
    edges: Counter = Counter()
    for surface in town.lod2:
        ring = [tuple(point) for point in surface.outer]
        edges.update((surface.solid, a, b) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True))
    assert set(edges.values()) == {1}
    assert all((solid, b, a) in edges for solid, a, b in edges)


def test_roofs_have_the_true_areas_tilts_and_azimuths(town):
    found, size = by_building(town.lod2, "roof")
    for building in town.buildings:
        own = found[building.building_id]
        planes = planes_of(plain(building))
        assert size.area_m2[own].sum() == pytest.approx(sum(p.area_m2 for p in planes), abs=0.01)
        true = np.array([(-p.slope_east, -p.slope_north, 1.0) for p in planes])
        true /= np.linalg.norm(true, axis=1)[:, None]
        cosines = size.normal[own] @ true.T
        # Within 0.01 degrees: coordinates have four decimals.
        assert (cosines.max(axis=1) > math.cos(math.radians(0.01))).all()
        # By direction, since planes of two parts that continue each other are one in truth.
        alike = true @ true.T > math.cos(math.radians(0.01))
        true_m2 = alike @ np.array([plane.area_m2 for plane in planes])
        model_m2 = (cosines > math.cos(math.radians(0.01))).T @ size.area_m2[own]
        np.testing.assert_allclose(model_m2, true_m2, atol=0.01)


def test_walls_stand_on_the_footprint_and_reach_the_roof(town):
    """Wall area against the footprint's outline times the true height over it."""
    found, size = by_building(town.lod2, "wall")
    grounds, _ = by_building(town.lod2, "ground")
    for building in town.buildings:
        own = found[building.building_id]
        ground = town.lod2[grounds[building.building_id][0]]
        house = plain(building)
        inner = building.footprint.buffer(-1e-6).boundary
        total_m2 = 0.0
        for ring in shapely.get_parts(inner):
            line = ring.segmentize(0.02)
            points = shapely.get_coordinates(line)
            height_m = house.elevation_m(points[:, 0], points[:, 1]) - ground.outer[0, 2]
            length_m = np.hypot(*np.diff(points, axis=0).T)
            total_m2 += float((0.5 * (height_m[1:] + height_m[:-1]) * length_m).sum())
        assert size.area_m2[own].sum() == pytest.approx(total_m2, rel=1e-3)
        np.testing.assert_allclose(size.surface_tilt[own], 90.0, atol=1e-3)
        plan_m2 = sum(
            shapely.Polygon(town.lod2[i].outer[:, :2]).area for i in grounds[ground.building_id]
        )
        assert plan_m2 == pytest.approx(building.footprint.area, abs=0.01)


def test_walls_face_away_from_their_building(town):
    found, size = by_building(town.lod2, "wall")
    for building in town.buildings:
        for i in found[building.building_id]:
            foot = town.lod2[i].outer[:2].mean(axis=0)
            step = 0.02 * size.normal[i][:2]
            assert not shapely.contains_xy(building.footprint, *(foot[:2] + step))
            assert shapely.contains_xy(building.footprint, *(foot[:2] - step))


def test_gables_are_one_wall_with_their_triangle(town):
    gables = [b for b in town.buildings if b.kind == "gable"]
    found, _ = by_building(town.lod2, "wall")
    for building in gables:
        n_points = sorted(len(town.lod2[i].outer) for i in found[building.building_id])
        assert n_points == [4, 4, 5, 5]


def test_houses_of_parts_have_solids_that_are_open_to_each_other(town):
    by_part = Counter((s.building_id, bool(s.part_id)) for s in town.lod2)
    for building in town.buildings:
        n_parts = sum(part.role == "roof" for part in building.parts)
        assert (building.building_id, n_parts > 1) in by_part
    size = measures(town.lod2)
    net: dict[str, np.ndarray] = {}
    for i, surface in enumerate(town.lod2):
        if surface.kind == "closure":
            net.setdefault(surface.building_id, np.zeros(3))
            net[surface.building_id] += size.area_m2[i] * size.normal[i]
    assert len(net) == sum(b.kind in ("l_shape", "courtyard") for b in town.buildings)
    # Each is there twice, from both sides.
    assert max(np.abs(vector).max() for vector in net.values()) < 1e-6


# The files


@pytest.mark.parametrize("file_format", FILES)
def test_the_model_read_back_is_the_town_s(town, folder, file_format):
    source = open_citymodels(folder / FILES[file_format], expected_crs=town.grid.crs)
    assert source.notes == []
    assert source.n_buildings == len(town.buildings)
    found = read_city_surfaces(source)
    assert found.faults == []
    assert len(found.surfaces) == source.n_polygons == len(town.lod2)
    for one, true in zip(found.surfaces, town.lod2, strict=True):
        assert (one.solid, one.kind) == (true.solid, true.kind)
        np.testing.assert_allclose(one.outer, true.outer, atol=1e-6)
    function = {b.building_id: b.function for b in town.buildings}
    for thing in found.objects:
        if not thing.part_id:
            assert thing.function == function[thing.building_id]
            assert thing.creation_date == "2024-03-01"
    heights_m = [o.measured_height_m for o in found.objects if o.measured_height_m]
    assert len(heights_m) == len({surface.solid for surface in town.lod2})


def test_a_part_of_the_town_is_read_by_its_bounds(town, folder):
    west_m, south_m, _, _ = town.grid.bounds
    box = west_m, south_m, west_m + 150.0, south_m + 150.0
    for name in FILES.values():
        found = read_city_surfaces(open_citymodels(folder / name), box)
        expected = {
            b.building_id
            for b in town.buildings
            if shapely.box(*b.footprint.bounds).intersects(shapely.box(*box))
        }
        assert {surface.building_id for surface in found.surfaces} == expected


def test_the_same_town_gives_the_same_bytes(tmp_path):
    names = (*FILES.values(), "trees.gpkg", "trees.csv", "truth/trees.gpkg")
    digests = []
    for name in ("one", "other"):
        town = make_town(kind="builtup", size_m=80, n_trees=3)
        town.write(tmp_path / name, lod2="citygml", tree_cadastre=True)
        write_lod2(town, tmp_path / name, "cityjson")
        digests.append([hashlib.sha256((tmp_path / name / f).read_bytes()).digest() for f in names])
    assert digests[0] == digests[1]


def test_neither_is_written_unless_asked_for(tmp_path):
    make_town(kind="builtup", size_m=80, n_trees=3).write(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert not names & {*FILES.values(), "trees.gpkg", "trees.csv"}


# The trees


def test_the_cadastre_lists_every_tree_with_its_crown(town, folder):
    trees = gpd.read_file(folder / "trees.gpkg")
    assert len(trees) == len(town.trees)
    assert trees["baumnr"].is_unique
    for tree, row in zip(town.trees, trees.itertuples(), strict=True):
        assert (row.geometry.x, row.geometry.y) == (tree.easting_m, tree.northing_m)
        assert row.hoehe_m == tree.height_m
        assert row.kronendurchmesser_m == pytest.approx(2.0 * tree.crown_radius_m)
        # The ellipsoid's rim is at 55 % of the height, so its lowest point at 10 %.
        rim_m = (
            float(
                tree.elevation_m(tree.easting_m + 0.9999999 * tree.crown_radius_m, tree.northing_m)
            )
            - tree.ground_elevation_m
        )
        assert row.kronenansatz_m == pytest.approx(2.0 * rim_m - tree.height_m, abs=0.02)


def test_the_table_holds_the_same_trees_as_the_points(folder):
    points = gpd.read_file(folder / "trees.gpkg")
    table = pd.read_csv(folder / "trees.csv", sep=";")
    np.testing.assert_allclose(table["rechtswert"], points.geometry.x, atol=6e-4)
    np.testing.assert_allclose(table["hochwert"], points.geometry.y, atol=6e-4)
    shared = [name for name in points.columns if name != "geometry"]
    pd.testing.assert_frame_equal(table[shared], pd.DataFrame(points[shared]), check_dtype=False)


def test_the_truth_beside_it_has_the_same_ids_and_species(town, folder):
    truth = gpd.read_file(folder / "truth" / "trees.gpkg")
    cadastre = tree_cadastre(town, rounded_m=1.0, missing_fraction=0.2)
    assert truth["tree_id"].tolist() == cadastre["baumnr"].tolist()
    assert truth["species"].tolist() == cadastre["art_botanisch"].tolist()
    genus = cadastre["art_botanisch"].str.split().str[0]
    assert genus.tolist() == cadastre["gattung"].tolist()
    assert 0 < truth["is_evergreen"].sum() < len(truth) / 2
    is_missing = cadastre["hoehe_m"].isna()
    assert 0.05 < is_missing.mean() < 0.4
    off_m = (cadastre["hoehe_m"] - truth["height_m"])[~is_missing]
    assert 0.0 < off_m.abs().max() <= 0.5 + 1e-9
    assert len(true_trees(make_town(kind="builtup", size_m=80, n_trees=0))) == 0


def test_impossible_settings_of_the_cadastre_are_refused(town):
    for settings in ({"rounded_m": -1.0}, {"missing_fraction": 1.5}):
        with pytest.raises(InputError, match="a share from 0 to 1"):
            tree_cadastre(town, **settings)
