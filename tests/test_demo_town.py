"""The demo town: what it holds, and that its truth is the truth of its rasters."""

import dataclasses
import subprocess
import sys
from collections import Counter
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from solarkataster.config import load_config
from solarkataster.demo import make_town, truth_receivers
from solarkataster.demo.planes import planes_of
from solarkataster.demo.raster import cell_axes
from solarkataster.demo.roofshapes import (
    Building,
    Part,
    chimney,
    footprint_of,
    gable_slopes,
    hip_slopes,
    shed_dormer,
)
from solarkataster.demo.weather import weather_table
from solarkataster.errors import InputError
from solarkataster.io.installed_plants import read_installed_plants
from solarkataster.io.weather import read_weather

KINDS = ("demo", "builtup", "dense", "courtyard", "tower")


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture(scope="module", params=KINDS)
def any_town(request, town):
    return town if request.param == "demo" else make_town(3, 200, kind=request.param)


def house(slopes, *more, rotation_deg=0.0, length_m=12.0, width_m=10.0):
    body = Part(500.0, 700.0, np.radians(rotation_deg), length_m, width_m, slopes)
    parts = (body, *(make(body) for make in more))
    return Building("b", "gable", parts, footprint_of(parts), 0.0)


# Known answers


def test_gable_along_east_faces_north_and_south_and_measures_plan_over_cosine():
    planes = planes_of(house(gable_slopes(5.0, 10.0, 40.0)))
    assert sorted(p.grid_azimuth for p in planes) == pytest.approx([0.0, 180.0], abs=1e-9)
    for plane in planes:
        assert plane.surface_tilt == pytest.approx(40.0)
        assert plane.area_m2 == pytest.approx(12.0 * 5.0 / np.cos(np.radians(40.0)))


def test_turning_a_gable_counterclockwise_turns_its_azimuths_back():
    planes = planes_of(house(gable_slopes(5.0, 10.0, 40.0), rotation_deg=25.0))
    assert sorted(p.grid_azimuth for p in planes) == pytest.approx([155.0, 335.0])


def test_hip_has_two_trapezoids_and_two_triangles():
    planes = planes_of(house(hip_slopes(5.0, 12.0, 10.0, 35.0)))
    # 12 × 10 m: the hips take 5 m at each end; triangles 10 · 5 / 2, trapezoids (12 + 2) / 2 · 5.
    assert sorted(p.plan_area_m2 for p in planes) == pytest.approx([25.0, 25.0, 35.0, 35.0])
    assert sorted(p.grid_azimuth for p in planes) == pytest.approx([0.0, 90.0, 180.0, 270.0])


def test_dormer_is_a_plane_of_its_own_and_leaves_the_slope_under_it():
    dormer_depth_m = 1.3 / (np.tan(np.radians(40.0)) - np.tan(np.radians(7.0)))
    planes = planes_of(
        house(gable_slopes(5.0, 10.0, 40.0), lambda b: shed_dormer(b, 0.0, 1, 3.0, 1.0, 1.3))
    )
    by_role = {role: [p for p in planes if p.role == role] for role in ("roof", "dormer")}
    (dormer,) = by_role["dormer"]
    assert dormer.plan_area_m2 == pytest.approx(3.0 * dormer_depth_m, rel=1e-5)
    assert (dormer.surface_tilt, dormer.grid_azimuth % 360) == pytest.approx((7.0, 0.0), abs=1e-6)
    assert min(p.plan_area_m2 for p in by_role["roof"]) == pytest.approx(
        60.0 - 3.0 * dormer_depth_m, rel=1e-5
    )


def test_chimney_stands_out_of_the_roof_but_is_no_plane():
    building = house(gable_slopes(5.0, 10.0, 40.0), lambda b: chimney(b, 2.0, 1.0, 0.8, 12.0))
    assert building.elevation_m(502.0, 701.0) == 12.0
    assert len(planes_of(building)) == 2


def test_four_hipped_wings_round_a_courtyard_give_eight_mitred_planes():
    town = make_town(kind="courtyard", size_m=60, chimneys=False, n_trees=0)
    (block,) = town.buildings
    planes = planes_of(block)
    assert len(planes) == 8
    assert len(block.footprint.interiors) == 1
    # 42 × 38 m with wings of 11 m: outer slopes are trapezoids of 42 and 31 m, 5.5 m deep.
    assert max(p.plan_area_m2 for p in planes) == pytest.approx((42.0 + 31.0) / 2 * 5.5, abs=0.01)


# The demo town


def test_demo_town_is_what_the_design_says(town):
    kinds = Counter(building.kind for building in town.buildings)
    assert 110 <= len(town.buildings) <= 130
    assert {"gable", "hip", "flat", "l_shape", "courtyard", "tower"} <= set(kinds)
    assert min(kinds[kind] for kind in ("gable", "hip", "flat", "l_shape")) >= 5
    roles = Counter(part.role for building in town.buildings for part in building.parts)
    assert roles["dormer"] >= 30
    assert roles["chimney"] >= 50
    assert len(town.trees) == 60
    assert town.grid.shape == (800, 800)
    assert town.grid.cell_size_m == 0.5
    assert town.dtm_grid.shape == (400, 400)
    assert all(value == round(value) for value in town.grid.bounds)


def test_demo_town_has_rows_with_party_walls(town):
    footprints = np.array([building.footprint for building in town.buildings])
    walls = shapely.STRtree(footprints).query(footprints, "dwithin", 1e-6)
    a, b = walls[:, walls[0] < walls[1]]
    shared_m = shapely.length(
        shapely.intersection(footprints[a].copy(), shapely.buffer(footprints[b], 1e-3))
    )
    assert (shared_m > 10.0).sum() >= 15


def test_demo_streets_run_in_three_directions(town):
    rotations = {
        round(np.degrees(b.parts[0].rotation_rad)) % 90 for b in town.buildings if b.kind == "gable"
    }
    assert rotations == {-12 % 90, 8, 25}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_relief_is_15_m(seed):
    # The lattice of 5 m on which the relief is scaled misses the extremes by some centimetres.
    dtm_m = make_town(seed).dtm_m
    assert dtm_m.max() - dtm_m.min() == pytest.approx(15.0, abs=0.1)


def test_tower_ends_40_m_above_its_ground(town):
    (tower,) = (building for building in town.buildings if building.kind == "tower")
    top_m = tower.elevation_m(tower.footprint.centroid.x, tower.footprint.centroid.y)
    assert top_m - tower.ground_elevation_m == pytest.approx(40.0, abs=1e-6)


# Truth and rasters agree


def test_surface_model_is_the_exact_surface_plus_noise(town):
    easting_m, northing_m = (axis.copy() for axis in cell_axes(town.grid))
    expected_m = town.terrain.elevation_m(easting_m[None, :], northing_m[:, None])
    for thing in [*town.buildings, *town.trees]:
        box = thing.roof_outline.bounds if isinstance(thing, Building) else thing.bounds
        rows = np.flatnonzero((northing_m >= box[1]) & (northing_m <= box[3]))
        cols = np.flatnonzero((easting_m >= box[0]) & (easting_m <= box[2]))
        window = np.ix_(rows, cols)
        height_m = thing.elevation_m(easting_m[None, cols], northing_m[rows, None])
        expected_m[window] = np.maximum(expected_m[window], height_m)
    np.testing.assert_allclose(town.exact_surface_m(), expected_m, atol=1e-6)
    noise_m = town.dsm_m - expected_m
    assert noise_m.std() == pytest.approx(0.03, rel=0.01)
    assert abs(noise_m.mean()) < 0.001
    assert np.abs(noise_m).max() < 6 * 0.03  # 640 000 draws: 6 sigma is beyond reach


def test_terrain_model_is_the_terrain(town):
    easting_m, northing_m = cell_axes(town.dtm_grid)
    expected_m = town.terrain.elevation_m(easting_m[None, :], northing_m[:, None])
    np.testing.assert_allclose(town.dtm_m, expected_m, atol=2e-5)  # float32 at 250 m


def test_true_planes_cover_their_roof_once(any_town):
    planes = any_town.roof_planes
    plan_area_m2 = Counter()
    for plane in planes:
        assert plane.polygon.is_valid
        plan_area_m2[plane.building_id] += plane.plan_area_m2
    for building in any_town.buildings:
        assert plan_area_m2[building.building_id] == pytest.approx(
            building.roof_outline.area, abs=1e-3
        )


def test_true_planes_are_the_top_of_the_building_everywhere_inside(any_town):
    plain = {
        b.building_id: dataclasses.replace(
            b, parts=tuple(p for p in b.parts if p.role not in ("chimney", "parapet"))
        )
        for b in any_town.buildings
    }
    rng = np.random.default_rng(0)
    for plane in any_town.roof_planes:
        # 2 mm inside: outlines are whole micrometres, edges at steps decide between two heights.
        inner = plane.polygon.buffer(-2e-3)
        west, south, east, north = plane.polygon.bounds
        x, y = rng.uniform((west, south), (east, north), (40, 2)).T
        inside = shapely.contains_xy(inner, x, y)
        centre = plane.polygon.centroid
        elevation_m = (
            plane.elevation_m
            + plane.slope_east * (x - centre.x)
            + plane.slope_north * (y - centre.y)
        )
        top_m = plain[plane.building_id].elevation_m(x[inside], y[inside])
        np.testing.assert_allclose(top_m, elevation_m[inside], atol=1e-6)


def test_footprints_are_valid_and_share_walls_at_most(any_town):
    footprints = np.array([building.footprint for building in any_town.buildings])
    assert shapely.is_valid(footprints).all()
    a, b = shapely.STRtree(footprints).query(footprints, "intersects")
    pairs = a < b
    overlap_m2 = shapely.area(shapely.intersection(footprints[a[pairs]], footprints[b[pairs]]))
    assert overlap_m2.max(initial=0.0) < 1e-6


def test_trees_keep_clear_of_roofs(town):
    roofs = shapely.union_all([building.roof_outline for building in town.buildings])
    for tree in town.trees:
        trunk = shapely.Point(tree.easting_m, tree.northing_m)
        assert trunk.distance(roofs) > tree.crown_radius_m


def test_truth_receivers_lie_a_lift_above_the_exact_surface(town):
    receivers = truth_receivers(town, lift_m=0.1)
    assert len(receivers.row) == town.roof_mask.sum()
    row, col = receivers.row.astype(int), receivers.col.astype(int)
    np.testing.assert_allclose(
        receivers.elevation_m, town.exact_surface_m()[row, col] + 0.1, atol=1e-6
    )
    i_building = town.faces.building[receivers.surface]
    inside = shapely.intersects_xy(
        np.array([b.roof_outline for b in town.buildings])[i_building],
        town.grid.west_m + (col + 0.5) * 0.5,
        town.grid.north_m - (row + 0.5) * 0.5,
    )
    assert inside.all()


@pytest.mark.parametrize("role", ["chimney", "parapet"])
def test_chimneys_and_parapets_hold_no_receiver(town, role):
    is_on_top = np.isin(town.face - 1, np.flatnonzero(town.faces.role == role))
    assert is_on_top.sum() > 50
    assert not town.roof_mask[is_on_top].any()


# Other towns


@pytest.mark.parametrize(
    ("kind", "share"), [("builtup", 0.2), ("builtup", 0.4), ("dense", 0.45), ("builtup", 0.1)]
)
@pytest.mark.parametrize("size_m", [300, 700])
def test_roof_share_is_met_within_2_points(kind, share, size_m):
    town = make_town(1, size_m, kind=kind, roof_share=share, noise_m=0.0)
    assert town.roof_share == pytest.approx(share, abs=0.02)


def test_lanes_of_the_dense_town_are_3_to_6_m():
    town = make_town(kind="dense", size_m=300)
    assert town.roof_share >= 0.4
    footprints = np.array([building.footprint for building in town.buildings])
    # Nearest house that is no party-wall neighbour.
    a, b = shapely.STRtree(footprints).query(footprints, "dwithin", 8.0)
    distance_m = shapely.distance(footprints[a], footprints[b])
    apart = distance_m > 0.01
    nearest_m = np.full(len(footprints), np.inf)
    np.minimum.at(nearest_m, a[apart], distance_m[apart])
    assert 3.0 <= np.median(nearest_m) <= 6.0


def test_turned_town_has_the_same_planes_in_other_directions(town):
    turned = make_town(rotation_deg=10.0)
    assert len(turned.roof_planes) == len(town.roof_planes)
    for before, after in zip(town.roof_planes, turned.roof_planes, strict=True):
        assert after.area_m2 == pytest.approx(before.area_m2, abs=1e-3)
        if not np.isnan(before.grid_azimuth):
            assert (before.grid_azimuth - after.grid_azimuth) % 360.0 == pytest.approx(10.0)


@pytest.mark.parametrize("switch", ["dormers", "chimneys"])
def test_a_switched_off_part_leaves_the_rest_alone(town, switch):
    plain = make_town(**{switch: False})
    role = switch.removesuffix("s")
    for with_it, without in zip(town.buildings, plain.buildings, strict=True):
        assert without.parts == tuple(part for part in with_it.parts if part.role != role)


@pytest.mark.parametrize(
    "arguments",
    [
        {"kind": "city"},
        {"size_m": 500},
        {"roof_share": 0.3},
        {"kind": "tower", "roof_share": 0.3},
        {"kind": "builtup", "size_m": 200, "roof_share": 0.9},
        {"kind": "builtup", "size_m": 20},
        {"kind": "builtup", "size_m": 101, "cell_size_m": 0.3},
        {"overhang_m": (0.5, 0.2)},
        {"overhang_m": -0.1},
        {"kind": "tower", "size_m": 60, "trees_over_roofs": 500},
    ],
)
def test_a_town_that_cannot_be_made_is_refused(arguments):
    with pytest.raises(InputError):
        make_town(**arguments)


# Files


def test_the_same_town_comes_out_twice(town):
    again = make_town()
    np.testing.assert_array_equal(again.dsm_m, town.dsm_m)
    np.testing.assert_array_equal(again.dtm_m, town.dtm_m)
    assert again.buildings == town.buildings
    assert not np.array_equal(make_town(1).dsm_m, town.dsm_m)


@pytest.fixture(scope="module")
def folders(town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("towns")
    for name in ("a", "b"):
        town.write(folder / name)
    town.write(folder / "b")  # over what is there
    return folder / "a", folder / "b"


def test_the_same_files_come_out_twice(folders):
    files = {
        "config.toml", "dsm.tif", "dtm.tif", "footprints.gpkg", "weather.csv",
        "districts.gpkg", "monuments.gpkg", "parking.gpkg", "public_space.gpkg",
        "own_buildings.csv", "mastr.csv",
        *(str(Path("truth") / f"{name}.gpkg")
          for name in ("roofs", "superstructures", "sides", "trees")),
    }  # fmt: skip
    first, second = folders
    found = {str(p.relative_to(first)) for p in first.rglob("*") if p.is_file()}
    assert found == files
    for name in files:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_files_hold_the_town(town, folders):
    with rasterio.open(folders[0] / "dsm.tif") as dsm, rasterio.open(folders[0] / "dtm.tif") as dtm:
        np.testing.assert_array_equal(dsm.read(1), town.dsm_m)
        np.testing.assert_array_equal(dtm.read(1), town.dtm_m)
        assert dsm.crs.to_epsg() == dtm.crs.to_epsg() == 25832
        assert dsm.nodata == dtm.nodata == -9999.0
        assert tuple(dsm.bounds) == town.grid.bounds
    footprints = gpd.read_file(folders[0] / "footprints.gpkg")
    assert footprints["gml_id"].tolist() == [b.building_id for b in town.buildings]
    assert "Stadtkirche" in set(footprints["name"])
    roofs = gpd.read_file(folders[0] / "truth" / "roofs.gpkg")
    assert len(roofs) == len(town.roof_planes)
    # West of the central meridian grid north lies west of true north: 9° E less 7.76° E times
    # the sine of the latitude is 0.94°.
    turned = (roofs["surface_azimuth"] - roofs["grid_azimuth"]).dropna() % 360.0
    assert turned.to_numpy() == pytest.approx(360.0 - 0.944, abs=0.005)


def test_config_names_the_inputs_and_never_the_truth(folders):
    text = (folders[0] / "config.toml").read_text(encoding="utf-8")
    assert "truth" not in text
    assert load_config(folders[0] / "config.toml").municipality.name == "Sonnfeld"


def test_what_the_administration_knows_fits_the_town(town, folders):
    config = load_config(folders[0] / "config.toml")
    houses = gpd.read_file(config.inputs.footprints)
    parking = gpd.read_file(config.inputs.parking)
    assert sorted(parking["stellplaetze"]) == [18, 72]  # one on each side of 35 and of 50
    # Lanes included a space takes about 25 m².
    assert (parking.area / parking["stellplaetze"]).tolist() == pytest.approx([25.0] * 2, abs=2.5)
    assert not parking.union_all().intersects(houses.union_all())
    space = gpd.read_file(config.inputs.public_space)
    assert not space.union_all().intersects(houses.union_all())
    districts = gpd.read_file(config.inputs.districts)
    assert len(districts) == 3
    assert districts.area.sum() == pytest.approx(400.0**2)
    own = pd.read_csv(config.inputs.own_buildings, sep=";")
    assert set(own["bezeichnung"]) == {"Rathaus", "Grundschule", "Kindertagesstätte"}
    assert set(own["gml_id"]) < set(houses["gml_id"])
    assert set(houses.set_index("gml_id").loc[own["gml_id"], "owner"]) == {"Stadt Sonnfeld"}
    assert 0 < houses["use"].isna().sum() < 10
    assert 5 < houses["demand_kwh"].notna().sum() < 20
    plants = read_installed_plants(config.inputs.installed_plants)
    assert len(plants.table) == 27
    assert set(plants.table["ags"]) == {config.municipality.ags}


def test_weather_passes_the_label_test_and_is_usual_for_the_place(folders):
    config = load_config(folders[0] / "config.toml")
    assert config.weather.label is None  # so that a wrong label would stop the reader
    weather = read_weather(folders[0] / "weather.csv", config.weather)
    assert abs(weather.facts["clear_day_centroid_deg"]) < 1.0
    # Sums of the DWD TRY 2015 at 49.49° N, 8.46° E, 50 km east: 1095 global, 585 diffuse kWh/m².
    assert weather.ghi_year_kwh_m2 == pytest.approx(1095.0, rel=0.05)
    assert weather.dhi.sum() / 1000.0 == pytest.approx(585.0, rel=0.05)
    assert weather.notes == ()


def test_weather_is_in_whole_watts_and_the_same_each_time():
    table = weather_table()
    assert len(table) == 8760
    assert table["ghi"].dtype.kind == table["dhi"].dtype.kind == "i"
    assert (table["dhi"] <= table["ghi"]).all()
    assert table.equals(weather_table())


def test_making_a_town_opens_no_file_library():
    code = (
        "import sys; from solarkataster.demo import make_town; make_town(noise_m=0.0); "
        "sys.exit(any(m in sys.modules for m in ('rasterio', 'geopandas', 'pyogrio', 'pvlib')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
