"""Roof planes: known roofs, then laws, then the demo town and a real town."""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from roof_match import inside_walls, score_planes, survey
from small_roofs import EAVES_M, small_roof

from solarkataster.demo import make_town
from solarkataster.errors import InputError
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.roofs.planes import (
    building_height,
    find_roof_planes,
    plane_elevation,
    plane_heights,
)


def planes_of(roof, **settings):
    return find_roof_planes(
        roof.elevation_m,
        roof.inside,
        roof.grid.cell_size_m,
        offset_east_m=roof.offset_east_m,
        offset_north_m=roof.offset_north_m,
        **settings,
    )


def turn(angle, reference):
    """Difference of two azimuths, -180 to 180. [°]"""
    return (np.asarray(angle) - reference + 180.0) % 360.0 - 180.0


@pytest.mark.parametrize("cell_size_m", [0.25, 0.5, 1.0])
@pytest.mark.parametrize(("faces", "tilt"), [(180.0, 35.0), (203.0, 22.0), (97.0, 50.0)])
def test_a_gable_gives_two_planes_that_face_apart(faces, tilt, cell_size_m):
    planes = planes_of(small_roof("gable", faces=faces, tilt=tilt, cell_size_m=cell_size_m))
    assert len(planes) == 2
    np.testing.assert_allclose(planes.surface_tilt, tilt, atol=0.6)
    apart = np.sort(np.abs(turn(planes.grid_azimuth, faces)))
    np.testing.assert_allclose(apart, [0.0, 180.0], atol=1.0)


def test_a_hip_gives_four_planes_that_face_four_ways():
    planes = planes_of(small_roof("hip", faces=160.0, tilt=30.0))
    assert len(planes) == 4
    np.testing.assert_allclose(planes.surface_tilt, 30.0, atol=1.0)
    np.testing.assert_allclose(
        np.sort(turn(planes.grid_azimuth, 160.0) % 360.0 + 45.0) % 360.0 - 45.0,
        [0.0, 90.0, 180.0, 270.0],
        atol=2.0,
    )


def test_a_flat_roof_is_one_level_plane_without_an_azimuth():
    planes = planes_of(small_roof("flat", faces=20.0))
    assert len(planes) == 1
    assert planes.surface_tilt[0] < 0.3
    assert math.isnan(planes.grid_azimuth[0])
    assert planes.rmse_m[0] == pytest.approx(0.03, rel=0.1)  # the noise that was put in


def test_a_drained_roof_of_three_degrees_has_an_azimuth():
    planes = planes_of(small_roof("shed", faces=75.0, tilt=3.0))
    assert len(planes) == 1
    assert planes.grid_azimuth[0] == pytest.approx(75.0, abs=3.0)


def test_a_chimney_is_no_plane_and_its_cells_belong_to_none():
    roof = small_roof("gable", tilt=40.0)
    chimney = roof.patch((1.0, 2.0), (1.0, 2.2))
    planes = planes_of(roof.raised(chimney, 1.2))
    assert len(planes) == 2
    assert not planes.labels[chimney].any()
    assert planes.labels[roof.inside & ~chimney].all()


@pytest.mark.parametrize(("min_area_m2", "n_planes"), [(2.5, 3), (15.0, 2)])
def test_a_flat_dormer_is_a_plane_if_it_is_large_enough(min_area_m2, n_planes):
    roof = small_roof("gable", tilt=45.0)
    dormer = roof.patch((-2.0, 1.5), (0.8, 3.6))  # 3.5 m x 2.8 m = 9.8 m²
    flat = roof.with_heights(np.where(dormer, EAVES_M + 5.0, roof.elevation_m))
    planes = planes_of(flat, min_plane_area_m2=min_area_m2)
    assert len(planes) == n_planes
    if n_planes == 3:
        assert np.isnan(planes.grid_azimuth).sum() == 1
    else:
        assert not planes.labels[dormer & (roof.across_m > 1.6)].any()


def test_the_step_between_two_flat_roofs_is_no_plane():
    roof = small_roof("flat", faces=25.0, noise_m=0.02, cell_size_m=1.0, length_m=30.0)
    planes = planes_of(roof.raised(roof.along_m > 3.0, 4.0))
    assert len(planes) == 2
    assert (planes.surface_tilt < 2.0).all()


def test_low_and_missing_cells_at_the_eaves_belong_to_the_roof():
    roof = small_roof("gable", tilt=30.0)
    eaves = roof.inside & (np.abs(roof.across_m) > 4.6)
    smeared = planes_of(roof.raised(eaves & (roof.across_m > 0.0), -3.0).raised(eaves, 0.0))
    missing = planes_of(roof.raised(eaves, np.nan))
    for planes in (smeared, missing):
        assert len(planes) == 2
        assert (planes.labels > 0)[roof.inside].all()
        np.testing.assert_allclose(planes.surface_tilt, 30.0, atol=0.3)


def test_a_roof_runs_through_voids_in_the_surface_model():
    roof = small_roof("flat", faces=30.0)
    voids = np.random.default_rng(5).random(roof.inside.shape) < 0.4
    planes = planes_of(roof.raised(voids, np.nan))
    assert len(planes) == 1
    assert (planes.labels > 0)[roof.inside].all()


def test_a_void_of_many_metres_is_not_made_up():
    roof = small_roof("flat", length_m=40.0, width_m=30.0, cell_size_m=1.0)
    void = roof.patch((-10.0, 10.0), (-8.0, 8.0))
    planes = planes_of(roof.raised(void, np.nan))
    assert not planes.labels[roof.patch((-5.0, 5.0), (-4.0, 4.0))].any()
    assert planes.labels[roof.patch((12.0, 18.0), (-14.0, 14.0))].all()


def test_trees_over_a_roof_belong_to_no_plane():
    roof = small_roof("gable", tilt=30.0, length_m=24.0)
    crown = np.hypot(roof.along_m - 9.0, roof.across_m - 3.0) < 2.5
    rough = np.random.default_rng(1).uniform(1.0, 5.0, crown.shape)
    planes = planes_of(roof.with_heights(roof.elevation_m + np.where(crown, rough, 0.0)))
    assert len(planes) == 2
    assert (planes.labels[crown & roof.inside] == 0).mean() > 0.9
    np.testing.assert_allclose(planes.surface_tilt, 30.0, atol=0.3)


@pytest.mark.parametrize("cell_size_m", [0.25, 0.5])
def test_heights_of_laser_points_count_at_their_own_places(cell_size_m):
    """At 45° a height taken for one at the centre is off by 0.29 of a cell (uniform places)."""
    roof = small_roof("hip", faces=205.0, tilt=45.0, cell_size_m=cell_size_m, scattered=True)
    assert 0.3 < np.isnan(roof.elevation_m[roof.inside]).mean() < 0.45
    planes = planes_of(roof)
    assert len(planes) == 4
    np.testing.assert_allclose(planes.surface_tilt, 45.0, atol=0.4)
    assert (planes.rmse_m < 0.04).all()  # the noise is 0.03
    assert (planes.labels > 0)[roof.inside].all()
    at_centres = find_roof_planes(roof.elevation_m, roof.inside, cell_size_m)
    assert len(at_centres) == 0 or at_centres.rmse_m.max() > 0.06


def test_offsets_of_nought_change_no_bit():
    roof = small_roof("gable", faces=160.0)
    nought = np.where(roof.inside, 0.0, np.nan)
    centred = planes_of(roof)
    given = planes_of(replace(roof, offset_east_m=nought, offset_north_m=nought))
    for name in ("labels", "slope_east", "slope_north", "elevation_at_first_cell_m", "rmse_m"):
        assert getattr(given, name).tobytes() == getattr(centred, name).tobytes(), name


def test_planes_are_numbered_in_reading_order_of_their_first_cell():
    planes = planes_of(small_roof("hip", faces=160.0))
    first = [np.flatnonzero(planes.labels.ravel() == k + 1)[0] for k in range(len(planes))]
    assert first == sorted(first)


def test_plane_elevations_are_those_of_the_true_roof():
    roof = small_roof("gable", faces=200.0, tilt=35.0)
    exact = small_roof("gable", faces=200.0, tilt=35.0, noise_m=0.0).elevation_m
    planes = planes_of(roof)
    rows, cols = np.nonzero(roof.inside & (np.abs(roof.across_m) > 0.5))
    np.testing.assert_allclose(plane_elevation(planes, rows, cols), exact[rows, cols], atol=0.04)
    k = planes.labels[rows[0], cols[0]] - 1
    from_origin_m = planes.elevation_at_origin_m[k] + 0.5 * (
        planes.slope_east[k] * cols[0] - planes.slope_north[k] * rows[0]
    )
    assert from_origin_m == pytest.approx(exact[rows[0], cols[0]], abs=0.04)
    assert math.isnan(plane_elevation(planes, [0], [0])[0])


def test_heights_are_counted_from_the_terrain():
    roof = small_roof("gable", tilt=45.0, width_m=8.0)
    planes = planes_of(roof)
    terrain_m = np.full(roof.inside.shape, EAVES_M - 6.0)
    # 6 m walls under a ridge of 4 m (half of 8 m at 45°), less half a cell
    assert building_height(planes, terrain_m) == pytest.approx(10.0, abs=0.3)
    np.testing.assert_allclose(plane_heights(planes, terrain_m), 8.0, atol=0.15)
    assert math.isnan(building_height(planes, np.full_like(terrain_m, np.nan)))
    assert np.isnan(plane_heights(planes, np.full_like(terrain_m, np.nan))).all()


@pytest.mark.parametrize("scattered", [False, True])
def test_the_window_a_building_is_cut_from_changes_no_bit(scattered):
    roof = small_roof("hip", faces=217.0, scattered=scattered)
    bare = planes_of(roof)
    rng = np.random.default_rng(3)
    for before, after in (((3, 7), (2, 5)), ((40, 1), (0, 11))):
        pad = list(zip(before, after, strict=True))
        heights = np.pad(roof.elevation_m, pad) + rng.normal(0.0, 1.0, (1, 1))
        heights[before[0] :, before[1] :][: bare.labels.shape[0], : bare.labels.shape[1]] = (
            roof.elevation_m
        )
        places = {}
        if roof.offset_east_m is not None and roof.offset_north_m is not None:
            places["offset_east_m"] = np.pad(roof.offset_east_m, pad)
            places["offset_north_m"] = np.pad(roof.offset_north_m, pad)
        padded = find_roof_planes(heights, np.pad(roof.inside, pad), 0.5, **places)
        cut = padded.labels[before[0] :, before[1] :]
        assert (
            cut[: bare.labels.shape[0], : bare.labels.shape[1]].tobytes() == bare.labels.tobytes()
        )
        for name in ("slope_east", "slope_north", "elevation_at_first_cell_m", "rmse_m"):
            assert getattr(padded, name).tobytes() == getattr(bare, name).tobytes(), name
        rows, cols = np.nonzero(bare.labels)
        there = plane_elevation(padded, rows + before[0], cols + before[1])
        assert there.tobytes() == plane_elevation(bare, rows, cols).tobytes()


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["gable", "hip"]),
    faces=st.floats(0.0, 360.0),
    tilt=st.floats(15.0, 55.0),
    seed=st.integers(0, 1000),
)
def test_any_gable_or_hip_is_found_whichever_way_it_faces(kind, faces, tilt, seed):
    planes = planes_of(small_roof(kind, faces=faces, tilt=tilt, seed=seed))
    assert len(planes) == {"gable": 2, "hip": 4}[kind]
    np.testing.assert_allclose(planes.surface_tilt, tilt, atol=1.5)
    aside = turn(planes.grid_azimuth, faces)
    quarter = np.round(aside / 90.0) * 90.0
    assert len(set(np.mod(quarter, 360.0))) == len(planes)
    np.testing.assert_allclose(aside, quarter, atol=4.0)


def test_turning_the_roof_by_a_quarter_turns_its_planes():
    roof = small_roof("hip", faces=200.0, tilt=28.0)
    there = planes_of(roof)
    turned = find_roof_planes(np.rot90(roof.elevation_m, -1), np.rot90(roof.inside, -1), 0.5)
    assert len(turned) == len(there)
    order, order_turned = (
        np.argsort(there.grid_azimuth),
        np.argsort((turned.grid_azimuth - 90.0) % 360.0),
    )
    np.testing.assert_allclose(
        turn(turned.grid_azimuth[order_turned] - 90.0, there.grid_azimuth[order]), 0.0, atol=0.5
    )
    np.testing.assert_allclose(
        turned.surface_tilt[order_turned], there.surface_tilt[order], atol=0.2
    )


def test_lifting_the_roof_lifts_its_planes_and_nothing_else():
    roof = small_roof("gable", faces=130.0)
    there, lifted = planes_of(roof), planes_of(roof.raised(roof.inside, 64.0))
    np.testing.assert_array_equal(there.labels, lifted.labels)
    np.testing.assert_allclose(
        lifted.elevation_at_origin_m - there.elevation_at_origin_m, 64.0, atol=1e-6
    )


@pytest.mark.parametrize("height", [np.nan, np.inf])
def test_a_footprint_without_heights_has_no_planes(height):
    planes = find_roof_planes(np.full((8, 9), height), np.ones((8, 9), bool), 1.0)
    assert len(planes) == 0
    assert planes.labels.shape == (8, 9)
    assert not planes.labels.any()


def test_a_footprint_without_cells_has_no_planes():
    assert len(find_roof_planes(np.zeros((8, 9)), np.zeros((8, 9), bool), 1.0)) == 0


def test_wrong_arguments_are_refused_by_name():
    heights, inside = np.zeros((4, 4)), np.ones((4, 4), bool)
    with pytest.raises(InputError, match="shape"):
        find_roof_planes(heights, inside[:2], 1.0)
    with pytest.raises(InputError, match="cell_size_m"):
        find_roof_planes(heights, inside, 0.0)
    with pytest.raises(InputError, match="min_plane_area_m2"):
        find_roof_planes(heights, inside, 1.0, min_plane_area_m2=-1.0)
    with pytest.raises(InputError, match="offset_east_m has shape"):
        find_roof_planes(heights, inside, 1.0, offset_east_m=np.zeros((4, 5)))
    with pytest.raises(InputError, match="offset_north_m is not finite"):
        find_roof_planes(heights, inside, 1.0, offset_north_m=np.full((4, 4), np.nan))


#: Cell [m], density of points [1/m²], least completeness and correctness of planes >= 10 m² and
#: >= 2.5 m²: the project's limits, which let small planes at 1 m and at 4 points/m² be.
LIMITS = [
    (0.25, 0.0, (0.95, 0.95), (0.85, 0.90)),
    (0.5, 0.0, (0.95, 0.95), (0.85, 0.90)),
    (1.0, 0.0, (0.90, 0.90), (0.0, 0.0)),
    (0.5, 4.0, (0.90, 0.90), (0.0, 0.0)),
    (0.5, 10.0, (0.95, 0.95), (0.85, 0.90)),
    (0.5, 20.0, (0.95, 0.95), (0.85, 0.90)),
]


@pytest.mark.parametrize(("cell_size_m", "density_per_m2", "large", "small"), LIMITS)
def test_the_planes_of_a_town_are_found(cell_size_m, density_per_m2, large, small, figure):
    """The first town with all it has on its roofs, 3 cm noise; IoU 0.5 inside the walls."""
    town = make_town(cell_size_m=cell_size_m)
    true = inside_walls(town.roof_planes, town.buildings)
    found, _ = survey(town, density_per_m2)
    name = f"{density_per_m2:g} points/m²" if density_per_m2 else f"{cell_size_m:g} m"
    for min_area_m2, (completeness, correctness) in ((10.0, large), (2.5, small)):
        score = score_planes(true, found, min_area_m2)
        worst = "\n".join(f"  {match}" for match in score.worst(3))
        figure(f"roof planes from {min_area_m2:g} m² at {name}", f"{score}; worst:\n{worst}")
        assert score.n_true > 200
        assert score.completeness >= completeness, [str(plane) for plane in score.missed]
        assert score.correctness >= correctness, [str(plane) for plane in score.false]
        if min_area_m2 == 10.0:
            assert score.tilt_errors_deg.mean() <= 0.5, worst
            assert score.azimuth_errors_deg.mean() <= 1.0, worst


def test_crowns_over_roofs_are_no_planes(figure):
    """Twenty rough crowns over the roofs of a town; without them 99.7 % and 100 %."""
    town = make_town(trees_over_roofs=20)
    true = inside_walls(town.roof_planes, town.buildings)
    score = score_planes(true, survey(town)[0], 2.5)
    figure("roof planes under crowns", str(score))
    assert score.correctness >= 0.97, [str(plane) for plane in score.false]
    assert score.completeness >= 0.97, [str(plane) for plane in score.missed]


def test_the_parts_of_a_slope_beside_a_dormer_up_to_the_ridge_are_one_plane():
    roof = small_roof("gable", tilt=40.0, length_m=20.0)
    dormer = roof.patch((-2.0, 2.5), (0.4, 4.2))
    flat = roof.with_heights(np.where(dormer, EAVES_M + 4.0, roof.elevation_m))
    assert len(planes_of(flat)) == 3


def test_dormers_in_a_row_stay_apart_although_they_are_in_one_plane():
    roof = small_roof("gable", tilt=40.0, length_m=20.0)
    dormers = roof.patch((-6.0, -3.5), (1.0, 4.0)) | roof.patch((2.0, 4.5), (1.0, 4.0))
    flat = roof.with_heights(np.where(dormers, EAVES_M + 3.5, roof.elevation_m))
    planes = planes_of(flat)
    assert len(planes) == 4
    assert np.isnan(planes.grid_azimuth).sum() == 2


def test_half_of_a_narrow_dormer_is_a_plane():
    """Two planes 1.1 m wide, two or three cells: no cell has four neighbours of its plane."""
    roof = small_roof("gable", faces=195.0, tilt=40.0, length_m=20.0)
    dormer = roof.patch((-1.1, 1.1), (0.8, 4.0))
    rise_m = EAVES_M + 4.6 - math.tan(math.radians(40.0)) * np.abs(roof.along_m)
    planes = planes_of(roof.with_heights(np.where(dormer, rise_m, roof.elevation_m)))
    assert len(planes) == 4
    np.testing.assert_allclose(planes.surface_tilt, 40.0, atol=3.0)
    quarter = np.sort(np.round(turn(planes.grid_azimuth, 195.0) / 90.0) % 4)
    np.testing.assert_array_equal(quarter, [0, 1, 2, 3])


def test_a_parapet_is_no_plane():
    roof = small_roof("flat", faces=20.0, length_m=30.0, cell_size_m=0.25)
    rim = roof.inside & ((np.abs(roof.across_m) > 4.5) | (np.abs(roof.along_m) > 14.5))
    planes = planes_of(roof.raised(rim, 0.8))
    assert len(planes) == 1
    assert not planes.labels[rim].any()


def cut(grid, heights_m, footprint):
    """Heights of one building's window, and its inner cells."""
    window = grid.crop(footprint.bounds)
    row, col = grid.offset_of(window)
    part = heights_m[row : row + window.shape[0], col : col + window.shape[1]]
    return part, cells_inside(footprint, window)


def test_a_real_gable_and_a_real_flat_roof_are_found(real_data):
    """BN0054 and BN0019 of bonn_west, looked at in a hillshade: a gable, a flat roof with voids."""
    with rasterio.open(real_data / "bonn_west" / "dsm_1m.tif") as source:
        heights_m = source.read(1, masked=True).filled(np.nan).astype(float)
        left, top = source.transform.c, source.transform.f
    grid = Grid(heights_m.shape, left, top, 1.0, "EPSG:25832")
    buildings = gpd.read_file(real_data / "bonn_west" / "buildings.gpkg").set_index("building_id")
    part, inside = cut(grid, heights_m, buildings.geometry["BN0054"])
    gable = find_roof_planes(part, inside, 1.0)
    assert len(gable) == 2
    assert np.ptp(gable.surface_tilt) < 2.0
    assert abs(turn(*gable.grid_azimuth)) == pytest.approx(180.0, abs=3.0)
    part, inside = cut(grid, heights_m, buildings.geometry["BN0019"])
    assert np.isnan(part[inside]).mean() > 0.2
    flat = find_roof_planes(part, inside, 1.0)
    assert len(flat) == 1
    assert (flat.labels > 0)[inside].mean() > 0.95
