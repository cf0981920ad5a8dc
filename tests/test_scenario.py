"""What-if: trees and buildings in the rasters of a window, told apart by where they reach."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import shapely
from test_trees import WINDOW, ground, trees_of

from solarkataster.canopy import DECIDUOUS, EVERGREEN, Canopy, no_canopy
from solarkataster.errors import InputErrors
from solarkataster.io.scenarios import read_scenario
from solarkataster.scenario import Changes, NewBuilding, Scenario, Selection, with_grounds
from solarkataster.scenario_changes import changes_of
from solarkataster.scenario_difference import difference_summary, surface_differences
from solarkataster.scenario_surface import changed_buildings, changed_canopy, tree_cells
from solarkataster.trees import Trees, burn_crowns, no_trees

WEST_M, SOUTH_M = WINDOW.west_m, WINDOW.south_m


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """Off the window's south-west corner. [m]"""
    return shapely.box(WEST_M + west, SOUTH_M + south, WEST_M + east, SOUTH_M + north)


HOUSES = np.array([box(5, 5, 15, 12), box(15, 5, 22, 12)])
IDS = ["H1", "H2"]


def surface_of_houses() -> np.ndarray:
    """Level ground of 100 m, H1 8 m and H2 6 m high, both with 0.5 m of eaves."""
    heights_m = ground()
    row, col = np.mgrid[: WINDOW.shape[0], : WINDOW.shape[1]]
    x = WEST_M + (col + 0.5) * 0.5
    y = WINDOW.north_m - (row + 0.5) * 0.5
    for outline, height_m in zip(HOUSES, (8.0, 6.0), strict=True):
        heights_m[shapely.contains_xy(outline.buffer(0.5, join_style="mitre"), x, y)] = (
            100.0 + height_m
        )
    return heights_m


def changed(
    changes: Changes, canopy: Canopy | None = None, standing: Trees | None = None, footprints=None
) -> tuple[np.ndarray, Canopy]:
    """Surface and canopy of the window after changes; before: the two houses."""
    surface_m, _ = changed_buildings(
        changes, WINDOW, surface_of_houses(), ground(), footprints=footprints
    )
    return surface_m, changed_canopy(
        changes,
        WINDOW,
        surface_m,
        ground(),
        no_canopy(WINDOW.shape) if canopy is None else canopy,
        no_trees() if standing is None else standing,
    )


def changes(scenario: Scenario, trees: Trees | None = None) -> Changes:
    return changes_of(scenario, "what-if.toml", trees, IDS, HOUSES, WINDOW.bounds)


def same(one: Canopy, other: Canopy) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name != "kind")
        for name in ("top_m", "base_m", "kind")
    )


# --- trees ----------------------------------------------------------------------------------------


def test_felling_the_only_tree_leaves_the_surface_of_a_town_without_it():
    trees = trees_of((35.0, 25.0, 12.0, 8.0, 2.0))
    canopy = burn_crowns(trees, WINDOW, ground())
    what = changes(Scenario("x", fell=(Selection(ids=("B0",)),)), trees)
    surface_m, after = changed(what, canopy, trees)
    assert not after.is_crown.any()
    assert np.array_equal(surface_m, surface_of_houses())


def test_felling_one_of_two_touching_trees_leaves_the_other_ones_cells():
    trees = trees_of((30.0, 25.0, 12.0, 8.0, 2.0), (37.0, 25.0, 10.0, 8.0, 2.0, EVERGREEN))
    canopy = burn_crowns(trees, WINDOW, ground())
    what = changes(Scenario("x", fell=(Selection(ids=("B0",)),)), trees)
    _, after = changed(what, canopy, trees)
    alone = burn_crowns(trees.take(np.array([1])), WINDOW, ground())
    # Only where the two crowns overlap may the nearer one decide otherwise.
    overlap = alone.is_crown & burn_crowns(trees.take(np.array([0])), WINDOW, ground()).is_crown
    assert np.array_equal(after.is_crown[~overlap], alone.is_crown[~overlap])
    assert 0 < overlap.sum() < 40


def test_felling_an_area_takes_canopy_that_no_cadastre_knows():
    canopy = burn_crowns(trees_of((35.0, 25.0, 12.0, 8.0, 2.0)), WINDOW, ground())
    what = changes(Scenario("x", fell=(Selection(area=box(30, 20, 35, 30)),)))
    _, after = changed(what, canopy)
    gone = canopy.is_crown & ~after.is_crown
    assert gone[:, 60:70].any()
    assert not gone[:, 70:].any()
    assert not after.is_crown[:, 60:70].any()


def test_a_felled_tree_is_found_in_a_surface_whose_crown_is_a_little_wider():
    known = trees_of((35.0, 25.0, 12.0, 8.0, 2.0))
    shown = burn_crowns(trees_of((35.3, 25.0, 12.5, 9.0, 2.0)), WINDOW, ground())
    what = changes(Scenario("x", fell=(Selection(ids=("B0",)),)), known)
    _, after = changed(what, shown, known)
    assert not after.is_crown.any()


def test_planting_gives_the_crown_of_the_cadastre():
    tree = trees_of((35.0, 25.0, 12.0, 8.0, 2.0, EVERGREEN))
    _, after = changed(changes(Scenario("x", plant=tree)))
    assert same(after, burn_crowns(tree, WINDOW, ground()))


def test_felling_what_was_planted_gives_the_town_back():
    tree = trees_of((35.0, 25.0, 12.0, 8.0, 2.0))
    _, planted = changed(changes(Scenario("x", plant=tree)))
    what = changes(Scenario("x", fell=(Selection(ids=("B0",)),)), tree)
    _, after = changed(what, planted, tree)
    assert same(after, no_canopy(WINDOW.shape))


def test_a_tree_grows_from_its_height_in_the_surface(tmp_path):
    known = trees_of((35.0, 25.0, 10.0, 8.0, 2.0))  # the surface shows it 2 m higher
    shown = burn_crowns(trees_of((35.0, 25.0, 12.0, 8.0, 2.0)), WINDOW, ground())
    path = tmp_path / "grow.toml"
    path.write_text('name = "x"\n[[grow]]\nids = ["B0"]\nheight_m = 3.0\ncrown_diameter_m = 2.0\n')
    what = changes(read_scenario(path), known)
    _, after = changed(what, shown, known)
    assert np.nanmax(after.top_m) == pytest.approx(115.0, abs=0.05)
    assert after.is_crown.sum() * 0.25 == pytest.approx(math.pi * 25.0, rel=0.04)
    assert (after.top_m[shown.is_crown] >= shown.top_m[shown.is_crown] + 2.999).all()


def test_all_trees_grow_and_those_without_a_cadastre_only_upwards(tmp_path):
    canopy = burn_crowns(trees_of((35.0, 25.0, 12.0, 8.0, 2.0)), WINDOW, ground())
    path = tmp_path / "grow.toml"
    path.write_text('name = "x"\n[[grow]]\nall = true\nyears = 10\n')
    what = changes(read_scenario(path))
    _, after = changed(what, canopy)
    assert np.array_equal(after.is_crown, canopy.is_crown)
    # 0.3 m a year by default.
    assert np.allclose(after.top_m, canopy.top_m + 3.0, equal_nan=True, atol=1e-4)


def test_trees_change_no_height_that_roofs_are_found_in():
    tree = trees_of((13.0, 14.0, 12.0, 8.0, 2.0))  # over the eaves of H1
    surface_m, after = changed(changes(Scenario("x", plant=tree)))
    assert np.array_equal(surface_m, surface_of_houses())
    over = after.is_crown & (surface_of_houses() > 101.0)
    assert over.any()
    assert (after.base_m[over] >= surface_of_houses()[over]).all()


def test_cells_belong_to_the_nearest_tree_counted_in_reaches():
    trees = trees_of((20.0, 25.0, 9.0, 4.0, 1.0), (30.0, 25.0, 9.0, 12.0, 1.0))
    everywhere = np.ones(WINDOW.shape, dtype=bool)
    label = tree_cells(trees, WINDOW, everywhere)
    reach_m = (1.2 * 2.0 + 0.5, 1.2 * 6.0 + 0.5)
    row, col = np.nonzero(label)
    x, y = (col + 0.5) * 0.5, 40.0 - (row + 0.5) * 0.5
    away = [
        np.hypot(x - east, y - 25.0) / reach
        for east, reach in zip((20.0, 30.0), reach_m, strict=True)
    ]
    assert (label[row, col] == np.where(away[0] <= away[1], 1, 2)).all()
    assert (np.minimum(*away) < 1.0).all()


# --- buildings ------------------------------------------------------------------------------------


def test_a_removed_building_leaves_the_terrain_and_its_neighbour():
    what = changes(Scenario("x", remove=("H1",)))
    surface_m, _ = changed(what, footprints=HOUSES[1:])
    row, col = np.mgrid[: WINDOW.shape[0], : WINDOW.shape[1]]
    x = WEST_M + (col + 0.5) * 0.5
    y = WINDOW.north_m - (row + 0.5) * 0.5
    assert (surface_m[shapely.contains_xy(HOUSES[0], x, y)] == 100.0).all()
    assert (surface_m[shapely.contains_xy(HOUSES[1], x, y)] == 106.0).all()
    # The eaves of H1 are gone but for those nearer to H2, whose own reach 0.5 m.
    left = surface_m > 101.0
    assert (shapely.distance(shapely.points(x[left], y[left]), HOUSES[1]) <= 0.75).all()


def test_a_new_box_stands_on_its_ground_and_cuts_crowns():
    tree = trees_of((35.0, 25.0, 20.0, 8.0, 2.0))
    canopy = burn_crowns(tree, WINDOW, ground())
    new = NewBuilding("N", box(34, 20, 44, 30), 9.0)
    what = with_grounds(changes(Scenario("x", add=(new,))), [100.5])
    surface_m, after = changed(what, canopy, tree)
    inside = np.zeros(WINDOW.shape, dtype=bool)
    inside[20:40, 68:88] = True
    assert (surface_m[inside] == 109.5).all()
    assert np.array_equal(surface_m[~inside], surface_of_houses()[~inside])
    assert not after.is_crown[inside].any()
    assert np.array_equal(after.is_crown[~inside], canopy.is_crown[~inside])


def test_a_new_gable_roof_has_its_tilt_and_ridge():
    new = NewBuilding("N", box(25, 20, 45, 30), 6.0, 40.0)
    what = with_grounds(changes(Scenario("x", add=(new,))), [100.0])
    surface_m, _ = changed(what)
    # 10 m across: ridge 5 m · tan 40° over the eaves, along the 20 m.
    across_m = np.array([0.25, 1.25, 4.75, 5.25, 9.75])
    rise_m = (5.0 - np.abs(across_m - 5.0)) * math.tan(math.radians(40.0))
    row = np.rint((WINDOW.shape[0] * 0.5 - (20.0 + across_m)) / 0.5 - 0.5).astype(int)
    for col in (51, 70, 89):
        assert surface_m[row, col] == pytest.approx(106.0 + rise_m, abs=1e-4)


# --- where changes reach --------------------------------------------------------------------------


def test_changes_are_the_same_in_any_window_they_reach(tmp_path):
    trees = trees_of(
        (30.0, 25.0, 12.0, 8.0, 2.0), (36.0, 25.0, 10.0, 8.0, 2.0), (10.0, 30.0, 9.0, 6.0, 1.0)
    )
    canopy = burn_crowns(trees, WINDOW, ground())
    path = tmp_path / "all.toml"
    path.write_text(
        f"""name = "all"
[[fell]]
ids = ["B0"]
[[grow]]
ids = ["B1"]
years = 5
[[plant]]
point = [{WEST_M + 45.0}, {SOUTH_M + 10.0}]
height_m = 8.0
crown_diameter_m = 5.0
species = "Tilia cordata"
[[add_building]]
id = "N"
polygon = {[list(xy) for xy in box(40, 30, 48, 38).exterior.coords]}
height_m = 7.0
[[remove_building]]
id = "H1"
"""
    )
    what = with_grounds(changes(read_scenario(path), trees), [100.0])
    whole = changed(what, canopy, trees, footprints=HOUSES[1:])
    part = WINDOW.window(6, 30, 70, 66)
    cut = (slice(6, 76), slice(30, 96))
    near = what.within(part.bounds, 1.5)
    surface_m, is_new = changed_buildings(
        near, part, surface_of_houses()[cut], ground()[cut], footprints=HOUSES[1:]
    )
    after = changed_canopy(near, part, surface_m, ground(), canopy.part(cut), trees, terrain=WINDOW)
    assert np.array_equal(surface_m, whole[0][cut])
    assert same(after, whole[1].part(cut))
    assert np.array_equal(is_new, surface_m == 107.0)


def test_only_changes_that_reach_a_window_are_in_its_digest():
    trees = trees_of((30.0, 25.0, 12.0, 8.0, 2.0))
    what = changes(Scenario("x", fell=(Selection(ids=("B0",)),), remove=("H1",)), trees)
    assert what.digest() is not None
    far = (WEST_M + 200.0, SOUTH_M, WEST_M + 300.0, SOUTH_M + 40.0)
    assert what.within(far).is_empty()
    assert what.within(far).digest() is None
    assert what.within(far, 175.0).digest() is not None
    houses = (WEST_M, SOUTH_M, WEST_M + 14.0, SOUTH_M + 14.0)
    assert what.within(houses).digest() not in (None, what.digest())
    assert len(what.within(houses).felled) == 0


# --- files and faults -----------------------------------------------------------------------------


def read(tmp_path, text: str) -> Scenario:
    path = tmp_path / "what-if.toml"
    path.write_text(text)
    return read_scenario(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fell]]\nids = ['B0']", "name"),
        ("name = 'x'\n[[fel]]\nids = ['B0']", "fell, plant, grow, add_building"),
        ("name = 'x'\n[[fell]]", "ids, polygon, or point with radius_m"),
        ("name = 'x'\n[[fell]]\npoint = [1.0, 2.0]", "point with radius_m"),
        ("name = 'x'\n[[fell]]\nids = ['a']\nradius = 2", "radius_m"),
        ("name = 'x'\n[[fell]]\npolygon = [[0,0],[1,1],[1,0],[0,1]]", "without crossings"),
        ("name = 'x'\n[[grow]]\nall = true", "years, or height_m"),
        ("name = 'x'\n[[grow]]\nall = true\nyears = -3", "greater than 0"),
        (
            "name = 'x'\n[[plant]]\npoint = [0, 0]\nheight_m = 8\ncrown_diameter_m = 90\n"
            "kind = 'deciduous'",
            "less than or equal to 40",
        ),
        (
            "name = 'x'\n[[plant]]\npoint = [0, 0]\nheight_m = 8\ncrown_diameter_m = 9\n"
            "species = 'Xyz'",
            "Xyz is not known",
        ),
        ("name = 'x'\n[[add_building]]\nid = 'N'\npolygon = [[0,0],[9,0],[9,9]]", "height_m"),
        ("name = x", "TOML"),
    ],
)
def test_faults_of_a_scenario_file_are_named(tmp_path, text, message):
    with pytest.raises(InputErrors) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert "what-if.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[fell]]\nids = ['B7']", "1 ids are of no tree: B7"),
        ("[[remove_building]]\nid = 'H9'", "H9"),
        (
            "[[add_building]]\nid = 'H1'\nheight_m = 5\n"
            "polygon = [[461040, 5481970], [461045, 5481970], [461045, 5481975]]",
            "ids of new buildings are taken: H1",
        ),
        (
            "[[add_building]]\nid = 'N'\nheight_m = 5\n"
            "polygon = [[461018, 5481966], [461030, 5481966], [461030, 5481990]]",
            "the new building N stands on H2",
        ),
        (
            "[[plant]]\npoint = [5481960, 461020]\nheight_m = 8\ncrown_diameter_m = 5\n"
            "kind = 'evergreen'",
            "off the surface model",
        ),
        ("", "changes nothing"),
    ],
)
def test_scenarios_that_do_not_fit_the_municipality_stop(tmp_path, text, message):
    scenario = read(tmp_path, f"name = 'x'\n{text}")
    with pytest.raises(InputErrors) as caught:
        changes(scenario, trees_of((30.0, 25.0, 12.0, 8.0, 2.0)))
    assert message in str(caught.value)


def test_trees_by_id_need_a_cadastre_and_one_tree_each(tmp_path):
    scenario = read(tmp_path, "name = 'x'\n[[fell]]\nids = ['B0']")
    with pytest.raises(InputErrors, match="cadastre"):
        changes(scenario)
    twice = trees_of((30.0, 25.0, 12.0, 8.0, 2.0), (20.0, 25.0, 12.0, 8.0, 2.0))
    twice.tree_id[1] = "B0"
    with pytest.raises(InputErrors, match="several trees"):
        changes(scenario, twice)


def test_planted_trees_have_their_kind_and_base(tmp_path):
    text = "name = 'x'\n" + "".join(
        f"[[plant]]\npoint = [461020, 5481960]\nheight_m = 8\ncrown_diameter_m = 4\n{more}\n"
        for more in ("species = 'Kiefer'", "kind = 'deciduous'\ncrown_base_m = 3\nid = 'P'")
    )
    plant = read(tmp_path, text).plant
    assert list(plant.kind) == [EVERGREEN, DECIDUOUS]
    assert list(plant.base_m) == [2.0, 3.0]
    assert list(plant.tree_id) == ["planted 1", "P"]


# --- differences ----------------------------------------------------------------------------------


def table(rows: dict[str, tuple[float, float]], west: float = 0.0) -> pd.DataFrame:
    """Roofs of (kWh/m², m²) by id, each a square of its own."""
    return pd.DataFrame(
        {
            "roof_id": list(rows),
            "building_id": [one.split("/")[0] for one in rows],
            "poa_global_year_kwh_m2": [value for value, _ in rows.values()],
            "area_m2": [area for _, area in rows.values()],
            "surface_tilt": 30.0,
            "surface_azimuth": 359.0,
            "geometry": [box(west + 10 * i, 0, west + 10 * i + 5, 5) for i in range(len(rows))],
        }
    )


def test_differences_name_what_changed_came_and_went():
    base = table({"A/r1": (1000.0, 50.0), "A/r2": (900.0, 20.0), "B/r1": (800.0, 10.0)})
    after = table({"A/r1": (1000.0, 50.0), "A/r2": (850.0, 20.0)})
    new = table({"N/r1": (700.0, 40.0)}, west=90.0)
    found = surface_differences(base, pd.concat([after, new]), "roof", "roof_id")
    assert list(found["surface_id"]) == ["A/r1", "A/r2", "B/r1", "N/r1"]
    assert list(found["change"]) == ["unchanged", "changed", "removed", "new"]
    assert list(found["difference_year_kwh"]) == [0.0, -1000.0, -8000.0, 28000.0]
    assert list(found["difference_year_kwh_m2"][:2]) == [0.0, -50.0]
    assert found["difference_year_kwh_m2"][2:].isna().all()
    assert found["geometry"].notna().all()
    told = difference_summary(found)["roof"]
    assert told["n_changed"] == told["n_new"] == told["n_removed"] == 1
    assert told["difference_year_kwh"] == 19000.0
    assert told["largest_loss_kwh_m2"] == 50.0


def test_surfaces_of_a_building_that_failed_are_not_called_removed():
    base = table({"A/r1": (1000.0, 50.0), "B/r1": (800.0, 10.0)})
    found = surface_differences(base, base.iloc[:1], "roof", "roof_id", {"B"})
    assert list(found["change"]) == ["unchanged", "failed"]
    assert np.isnan(found["difference_year_kwh"][1])
    assert difference_summary(found)["roof"]["difference_year_kwh"] == 0.0


def test_another_plane_of_the_same_id_is_told():
    base, after = table({"A/r1": (1000.0, 50.0)}), table({"A/r1": (1000.0, 80.0)})
    assert list(surface_differences(base, after, "roof", "roof_id")["change"]) == ["reshaped"]
    turned = table({"A/r1": (1000.0, 50.0)}).assign(surface_azimuth=3.0)
    assert list(surface_differences(base, turned, "roof", "roof_id")["change"]) == ["unchanged"]
    turned["surface_azimuth"] = 20.0
    assert list(surface_differences(base, turned, "roof", "roof_id")["change"]) == ["reshaped"]


def test_a_run_against_itself_differs_nowhere():
    base = table({"A/r1": (1000.0, 50.0), "A/r2": (float("nan"), 20.0)})
    found = surface_differences(base, base, "roof", "roof_id")
    assert set(found["change"]) == {"unchanged"}
    empty = surface_differences(base.iloc[:0], base.iloc[:0], "roof", "roof_id")
    assert len(empty) == 0
