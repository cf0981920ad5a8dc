"""From a yard's roofs to its modules: racks, light behind racks, reasons, eaves, empty tables."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rack_reference import rows_year_kwh_m2, shaded_fraction
from yards import (
    CELL_M,
    FLAT_M,
    GROUND_M,
    LEAN_DEG,
    SHADED_YARD,
    footprint,
    tables_of_run,
    write_yard,
    yard_config,
)

from solarkataster import pipeline
from solarkataster.checks import check_inputs
from solarkataster.footprint_cells import cells_inside
from solarkataster.irradiance import best_open_year_kwh_m2, light, open_light
from solarkataster.layers import (
    BUILDING_COLUMNS,
    MODULE_COLUMNS,
    ROOF_COLUMNS,
    SIDE_COLUMNS,
    SUPERSTRUCTURE_COLUMNS,
)
from solarkataster.receivers import Receivers

COLUMNS = {
    "roofs": ROOF_COLUMNS,
    "buildings": BUILDING_COLUMNS,
    "modules": MODULE_COLUMNS,
    "superstructures": SUPERSTRUCTURE_COLUMNS,
    "sides": SIDE_COLUMNS,
}
YEAR = "poa_global_year_kwh_m2"
WIDTH_M = 1.134
ALBEDO = 0.2


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    return write_yard(tmp_path_factory.mktemp("yard"))


@pytest.fixture(scope="module")
def run(yard, tmp_path_factory):
    """Run the yard once per setting; returns its tables."""
    done = {}

    def tables(name, **settings):
        if name not in done:
            out = tmp_path_factory.mktemp("runs") / name
            done[name] = tables_of_run(yard_config(yard, name, **settings), out)
        return done[name]

    return tables


# 72 directions, as the figures against pvlib elsewhere.
@pytest.fixture(scope="module")
def south(run):
    return run("south", n_azimuth=72)


@pytest.fixture(scope="module")
def pairs(run):
    return run("pairs", layout='flat_layout = "east_west"', n_azimuth=72)


@pytest.fixture(scope="module")
def flush(run):
    return run("flush", layout='flat_layout = "flush"\norientation = "landscape"', overhang=False)


@pytest.fixture(scope="module")
def checked(yard):
    return check_inputs(yard_config(yard, "south", n_azimuth=72))


def of(table, building_id):
    return table[table["building_id"] == building_id]


def hall(tables):
    (roof,) = of(tables["roofs"], "hall").to_dict("records")
    return roof, of(tables["modules"], "hall")


# racks


def test_racks_of_a_flat_roof_are_what_the_config_says(south, pairs, flush, checked):
    roof, modules = hall(south)
    # The hall stands square to the grid, so its rows look to grid south.
    assert roof["module_tilt"] == 10.0
    assert roof["module_azimuth"] == pytest.approx(180.0 + checked.convergence_deg)
    assert set(modules["module_tilt"]) == {10.0}
    n_south = roof["n_modules"]
    roof, modules = hall(pairs)
    assert roof["module_tilt"] == 10.0
    assert np.isnan(roof["module_azimuth"])
    east = np.isclose(modules["module_azimuth"], 90.0 + checked.convergence_deg)
    west = np.isclose(modules["module_azimuth"], 270.0 + checked.convergence_deg)
    assert (east ^ west).all()
    assert east.sum() == west.sum()
    n_pairs = roof["n_modules"]
    roof, modules = hall(flush)
    assert roof["module_tilt"] == pytest.approx(0.0, abs=0.1)
    assert np.isnan(roof["module_azimuth"])
    assert modules["module_azimuth"].isna().all()
    # 33 m by 23 m are left: 18 modules of 1.762 m with 17 gaps of 0.02 m, 19 of 1.134 m with 18.
    assert roof["n_modules"] == 18 * 19
    assert roof["usable_area_m2"] == pytest.approx(33 * 23, rel=0.01)
    assert n_south < n_pairs < roof["n_modules"]


def row_pitch_m(modules):
    """Distance of the modules' rows from front to front, and their depth in plan. [m]"""
    corners = np.stack([shapely.get_coordinates(one)[:4] for one in modules.geometry])
    lower = corners[..., 1].min(axis=1)
    depth = corners[..., 1].max(axis=1) - lower
    fronts = np.unique(np.round(lower, 3))
    pitch = np.diff(fronts)
    np.testing.assert_allclose(pitch, pitch[0], atol=2e-3)
    np.testing.assert_allclose(depth, depth[0], atol=2e-3)
    return pitch[0], depth[0]


def test_rows_south_on_an_open_roof_get_what_pvlib_gives_rows_at_their_distance(
    south, checked, figure
):
    roof, modules = hall(south)
    pitch_m, depth_m = row_pitch_m(modules)
    slant_m = depth_m / np.cos(np.radians(10.0))
    assert slant_m == pytest.approx(WIDTH_M, abs=2e-3)
    expected = rows_year_kwh_m2(checked.sky, 10.0, roof["module_azimuth"], slant_m, pitch_m, ALBEDO)
    year = modules[YEAR].mean()
    figure(
        "rows 10° south on the flat roof of a run, against pvlib with row shading",
        f"{100 * (year / expected - 1):+.2f} % ({len(modules)} modules, pitch {pitch_m:.2f} m)",
    )
    # 1 % is asked; 0.4 % is what the row in front takes, so less than that must be left.
    assert year == pytest.approx(expected, rel=0.003)
    open_year = open_light(pipeline.run_sky(checked).roofs, [10.0], [180.0]).poa_global_year_kwh_m2[
        0
    ]
    assert year < 0.997 * open_year
    np.testing.assert_allclose(modules[YEAR], year, rtol=0.01)


def test_rows_keep_the_winter_noon_sun(south, checked):
    _, modules = hall(south)
    pitch_m, depth_m = row_pitch_m(modules)
    rise_m = WIDTH_M * np.sin(np.radians(10.0))
    noon_deg = 90.0 - checked.latitude_deg - 23.44
    assert pitch_m - depth_m == pytest.approx(rise_m / np.tan(np.radians(noon_deg)), abs=0.01)


def test_modules_back_to_back_get_a_little_less_than_in_the_open_each_its_own(pairs, checked):
    _, modules = hall(pairs)
    sky = pipeline.run_sky(checked).roofs
    of_grid = (modules["module_azimuth"].to_numpy() - checked.convergence_deg) % 360.0
    open_year = open_light(sky, np.full(len(modules), 10.0), of_grid).poa_global_year_kwh_m2
    share = modules[YEAR].to_numpy() / open_year
    # The eastern module of a pair faces east.
    east, west = (
        modules.geometry[is_facing].centroid.get_coordinates().to_numpy()
        for is_facing in (of_grid < 180.0, of_grid > 180.0)
    )
    depth_m = np.ptp(modules.bounds[["minx", "maxx"]].to_numpy(), axis=1)[0]
    partner = shapely.points(east - (depth_m, 0.0))
    apart = shapely.distance(partner[:, None], shapely.points(west)[None]).min(axis=1)
    assert apart.max() < 1e-3
    # The pair behind the aisle hides a strip of sky of some degrees.
    assert (share < 1.0).all()
    assert (share > 0.985).all()
    assert np.ptp(share) < 0.01


def test_rows_on_a_sloping_roof_stand_apart_for_it_and_get_what_pvlib_gives(tmp_path, figure):
    write_yard(tmp_path, ["lean"])
    config = yard_config(tmp_path, n_azimuth=72)
    tables = tables_of_run(config, tmp_path / "run")
    checked = check_inputs(config)
    (roof,) = tables["roofs"].to_dict("records")
    assert roof["surface_tilt"] == pytest.approx(LEAN_DEG, abs=0.1)
    modules = tables["modules"]
    pitch_m, _ = row_pitch_m(modules)
    assert roof["module_tilt"] == 10.0
    # Seen square to the rows, the sun of the shortest day's noon just clears the row in front.
    zenith = checked.latitude_deg + 23.44
    for lower_deg, is_shaded in ((-0.3, False), (0.3, True)):
        share = shaded_fraction(10.0, 180.0, WIDTH_M, pitch_m, zenith + lower_deg, 180.0, LEAN_DEG)
        assert (share > 0.0) == is_shaded
    expected = rows_year_kwh_m2(
        checked.sky, 10.0, roof["module_azimuth"], WIDTH_M, pitch_m, ALBEDO, LEAN_DEG
    )
    year = modules[YEAR].mean()
    figure(
        f"rows 10° south on a run's roof that rises {LEAN_DEG:g}° to the south, against pvlib",
        f"{100 * (year / expected - 1):+.2f} % ({len(modules)} modules, pitch {pitch_m:.2f} m)",
    )
    assert year == pytest.approx(expected, rel=0.005)


# Steep modules: what their heights and the unit in front make is seen at once.
@pytest.mark.parametrize("flat_layout", ["south", "east_west"])
def test_a_racked_module_in_the_shade_gets_the_mean_of_its_heights_at_its_place(
    flat_layout, tmp_path, figure
):
    write_yard(tmp_path, SHADED_YARD)
    settings = "min_irradiation_fraction = 0.0\nrack_tilt_deg = 40.0\nrack_aisle_m = 0.8\n"
    settings += 'orientation = "landscape"\n'
    settings += f'flat_layout = "{flat_layout}"\n'
    config = yard_config(tmp_path, layout=settings, reflection=False)  # as `light` has it
    modules = of(tables_of_run(config, tmp_path / "run")["modules"], "low")
    checked = check_inputs(config)
    rise_m, depth_m = WIDTH_M * np.sin(np.radians(40.0)), WIDTH_M * np.cos(np.radians(40.0))
    # From one's own top to the top in front.
    pitch_m = row_pitch_m(modules)[0] if flat_layout == "south" else 2.0 * depth_m + 0.8
    row, col, of_module = cells_under(modules, checked.grid)
    facings = (modules["module_azimuth"].to_numpy() - checked.convergence_deg)[of_module]
    total = np.zeros(len(modules))
    # Every cell under a module at every height: the chain takes one height a cell, in turns.
    for fraction in (1 / 6, 1 / 2, 5 / 6):
        front = (1 - fraction) * rise_m / (pitch_m - (1 - fraction) * depth_m)
        height_m = GROUND_M + FLAT_M["low"] + 0.1 + fraction * rise_m
        azimuths, surface = np.unique(np.round(facings, 6), return_inverse=True)
        n = len(azimuths)
        receivers = Receivers(
            row, col, np.full(len(row), height_m), surface, [40.0] * n, azimuths, [front] * n
        )
        with rasterio.open(tmp_path / "dsm.tif") as source:
            seen = light(
                source.read(1), CELL_M, receivers, pipeline.run_sky(checked).roofs, reach_m=100.0,
                first_row=checked.grid.first_row, first_col=checked.grid.first_col,
            ).poa_global_year_kwh_m2  # fmt: skip
        total += np.bincount(of_module, seen) / np.bincount(of_module) / 3
    off = modules[YEAR].to_numpy() / total - 1.0
    figure(
        f"racked modules ({flat_layout}) beside a tower against every height at every cell",
        f"{len(off)} modules of {total.min():.0f} to {total.max():.0f} kWh/m², mean "
        f"{100 * off.mean():+.2f} %, worst {100 * np.abs(off).max():.2f} %",
    )
    assert total.min() < 0.85 * total.max()
    assert abs(off.mean()) < 0.0005
    assert np.abs(off).max() < 0.005


def cells_under(modules, grid):
    """Rows and columns of the cells whose centre lies under each module, and which module."""
    found = [np.nonzero(cells_inside(polygon, grid)) for polygon in modules.geometry]
    of_module = np.repeat(np.arange(len(found)), [len(row) for row, _ in found])
    return *(np.concatenate(parts) for parts in zip(*found, strict=True)), of_module


def test_flush_modules_get_the_light_of_their_roof(flush):
    roof, modules = hall(flush)
    np.testing.assert_allclose(modules[YEAR], roof[YEAR], rtol=0.002)


# reasons


def test_every_plane_without_modules_says_why(south, checked):
    roofs = south["roofs"].set_index("roof_id")
    sky = pipeline.run_sky(checked).roofs
    needed = 0.6 * best_open_year_kwh_m2(sky, ALBEDO)
    steep = of(south["roofs"], "steep").sort_values("surface_azimuth")
    south_side, north_side = steep.iloc[0], steep.iloc[1]
    assert south_side["surface_azimuth"] == pytest.approx(180.0 + checked.convergence_deg, abs=0.5)
    assert south_side["n_modules"] > 0
    tilt, azimuth = north_side[["surface_tilt", "surface_azimuth"]]
    in_the_open = open_light(
        sky, [tilt], [azimuth - checked.convergence_deg]
    ).poa_global_year_kwh_m2[0]
    assert north_side["reason_en"] == (
        f"north and steep: {in_the_open:.0f} kWh/m² under an open sky, "
        f"{round(needed) - round(in_the_open)} kWh/m² short of {needed:.0f} kWh/m²"
    )
    (shed,) = of(south["roofs"], "shed")["reason_en"]
    assert shed == "too small: no module fits"
    (german,) = of(south["roofs"], "shed")["reason"]
    assert german == "Zu klein: kein Modul passt auf die Fläche"
    has_reason = roofs["reason_en"] != ""
    is_monument = roofs["building_id"] == "monument"
    np.testing.assert_array_equal(has_reason, (roofs["n_modules"] == 0) | is_monument)


def test_a_monument_keeps_its_modules_and_says_what_they_need(south):
    roofs = of(south["roofs"], "monument")
    assert (roofs["n_modules"] > 20).any()
    with_modules = roofs[roofs["n_modules"] > 0]
    assert set(with_modules["reason_en"]) == {"monument: needs a permit"}
    building = of(south["buildings"], "monument").iloc[0]
    assert building["monument"]
    assert building["reason_en"] == "monument: needs a permit"
    assert building["reason"] == "Denkmal: Genehmigung nötig"
    assert building["n_modules"] == roofs["n_modules"].sum() > 0
    assert south["buildings"]["monument"].sum() == 1


def test_a_building_that_is_not_there_has_no_roof_and_says_so(south):
    gone = of(south["buildings"], "gone").iloc[0]
    assert gone["n_roofs"] == 0
    assert gone["n_modules"] == 0
    assert gone["reason_en"] == "surface model shows nothing higher than 1 m above the terrain"
    assert of(south["roofs"], "gone").empty


# eaves


def test_eaves_are_roof_unless_that_is_switched_off(south, flush):
    walls = footprint("monument")
    outline = of(south["roofs"], "monument").geometry.union_all()
    # 14 x 10 m with 0.6 m around, seen on cells of half a metre.
    assert outline.area == pytest.approx(15.2 * 11.2, rel=0.04)
    sides = of(south["sides"], "monument")
    assert len(sides) == 4
    np.testing.assert_allclose(sides["overhang_m"], 0.6, atol=0.26)
    assert set(sides["overhang_source"]) == {"surface"}
    assert sides["length_m"].sum() == pytest.approx(48.0)
    cut = of(flush["roofs"], "monument").geometry.union_all()
    assert shapely.difference(cut, walls.buffer(1e-6)).area == 0.0
    assert cut.area == pytest.approx(walls.area, rel=0.02)
    assert flush["sides"].empty
    told = of(flush["buildings"], "monument")["data_quality"].iloc[0]
    assert "overhang is switched off: roof ends at the footprint" in told
    told = of(south["buildings"], "monument")["data_quality"].iloc[0]
    assert "roof ends at the footprint" not in told


def test_walls_face_away_from_their_building(south, checked):
    sides = of(south["sides"], "hall")
    middle = sides.geometry.interpolate(0.5, normalized=True)
    centre = footprint("hall").centroid
    outwards = np.degrees(np.arctan2(middle.x - centre.x, middle.y - centre.y)) % 360.0
    true_deg = (sides["surface_azimuth"] - checked.convergence_deg) % 360.0
    off = (true_deg - outwards + 180.0) % 360.0 - 180.0
    assert (np.abs(off) < 1.0).all()


# tables


def test_tables_have_their_columns_and_types_with_and_without_rows(south, yard, tmp_path):
    empty = tmp_path / "empty"
    write_yard(empty, ["gone"])
    out = tmp_path / "run"
    tables = tables_of_run(yard_config(empty), out)
    for name, columns in COLUMNS.items():
        table = tables[name]
        assert len(table) == (name == "buildings")
        for found in (table, south[name]):
            assert list(found.columns)[: len(columns)] == [column.name for column in columns]
            for column in columns:
                assert str(found[column.name].dtype) == column.dtype, (name, column.name)
            assert found.crs == "EPSG:25832"
        layer = gpd.read_file(out / "solarkataster.gpkg", layer=name)
        assert len(layer) == len(table)
    building = tables["buildings"].iloc[0]
    assert (building["n_roofs"], building["n_modules"]) == (0, 0)
    assert np.isnan(building["dc_power_kwp"])
