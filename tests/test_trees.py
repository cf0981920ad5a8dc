"""Crowns from a cadastre: shapes against closed forms, filling, and no tree counted twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.canopy import DECIDUOUS, EVERGREEN, Canopy, no_canopy
from solarkataster.demo import make_town
from solarkataster.demo.tree_cadastre import tree_cadastre
from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.points import Points
from solarkataster.species import species_sizes
from solarkataster.tree_records import TreeRecords, complete_trees
from solarkataster.trees import (
    Trees,
    burn_crowns,
    is_shown,
    merge_canopy,
    no_trees,
    trees_at,
    vegetation_top,
)

WINDOW = Grid((80, 100), 461_000.0, 5_482_000.0, 0.5, "EPSG:25832")


def trees_of(*rows) -> Trees:
    """Trees of (east, north, height, crown, base[, kind]) off the window's south-west corner."""
    table = np.array([row[:5] for row in rows], dtype=float).reshape(-1, 5)
    kinds = [row[5] if len(row) > 5 else DECIDUOUS for row in rows]
    return Trees(
        np.array([f"B{i}" for i in range(len(rows))], dtype=object),
        WINDOW.west_m + table[:, 0],
        WINDOW.south_m + table[:, 1],
        table[:, 2],
        table[:, 3],
        table[:, 4],
        np.array(kinds, dtype=np.uint8),
        ("",) * len(rows),
    )


def records_of(rows: list[dict]) -> TreeRecords:
    """Records with what is not named unknown, 10 m apart."""

    def column(name):
        return np.array([row.get(name, np.nan) for row in rows], dtype=float)

    return TreeRecords(
        np.array([str(i) for i in range(len(rows))], dtype=object),
        np.array([row.get("east", 461_000.0 + 10.0 * i) for i, row in enumerate(rows)]),
        np.full(len(rows), 5_481_980.0),
        column("height"),
        column("crown"),
        column("base"),
        np.array([row.get("species") for row in rows], dtype=object),
        {},
    )


def ground(height_m: float = 100.0) -> np.ndarray:
    return np.full(WINDOW.shape, height_m, dtype=np.float32)


# --- crowns ---------------------------------------------------------------------------------------


def test_crown_is_the_ellipsoid_of_its_formula():
    canopy = burn_crowns(trees_of((25.0, 20.0, 12.0, 8.0, 2.0)), WINDOW, ground())
    row, col = np.nonzero(canopy.is_crown)
    east_m = (col + 0.5) * 0.5 - 25.0
    north_m = 40.0 - (row + 0.5) * 0.5 - 20.0
    # Middle 7 m up, half axes 4 m and 5 m: z = 107 ± 5 √(1 − r²/16).
    rise_m = 5.0 * np.sqrt(1.0 - (east_m**2 + north_m**2) / 16.0)
    assert np.allclose(canopy.top_m[row, col], 107.0 + rise_m, atol=1e-5)
    assert np.allclose(canopy.base_m[row, col], 107.0 - rise_m, atol=1e-5)
    # Area π 4² and volume 4/3 π 4² 5, by the sum over the cells, within the raster's error.
    assert len(row) * 0.25 == pytest.approx(np.pi * 16.0, rel=0.04)
    volume_m3 = float((canopy.top_m - canopy.base_m)[row, col].sum(dtype=float)) * 0.25
    assert volume_m3 == pytest.approx(4.0 / 3.0 * np.pi * 16.0 * 5.0, rel=0.01)


def test_crown_stands_on_the_ground_at_its_trunk():
    terrain_m = ground()
    terrain_m[:, 50:] = 103.0  # a step 25 m from the west edge
    canopy = burn_crowns(trees_of((20.1, 20.0, 10.0, 12.0, 2.0)), WINDOW, terrain_m)
    # Highest in the cell of the trunk, whose centre is 0.25 m and 0.15 m off it.
    assert np.nanmax(canopy.top_m) == pytest.approx(110.0, abs=0.02)
    assert canopy.is_crown[:, 50:].any()  # over the step it keeps the trunk's ground


def test_overlapping_crowns_take_the_highest_top_the_lowest_base_and_the_kind_of_the_highest():
    tall = (25.0, 20.0, 15.0, 10.0, 6.0, EVERGREEN)
    low = (27.0, 20.0, 8.0, 10.0, 1.0, DECIDUOUS)
    a, b = (burn_crowns(trees_of(one), WINDOW, ground()) for one in (tall, low))
    both = burn_crowns(trees_of(tall, low), WINDOW, ground())
    assert np.array_equal(both.top_m, np.fmax(a.top_m, b.top_m), equal_nan=True)
    assert np.array_equal(both.base_m, np.fmin(a.base_m, b.base_m), equal_nan=True)
    over = a.is_crown & b.is_crown
    assert over.sum() > 50
    assert (both.kind[over] == np.where(a.top_m > b.top_m, EVERGREEN, DECIDUOUS)[over]).all()


_TREE = st.tuples(
    st.floats(-5.0, 55.0), st.floats(-5.0, 45.0), st.floats(2.0, 30.0),
    st.floats(0.3, 15.0), st.floats(0.0, 2.0), st.sampled_from([DECIDUOUS, EVERGREEN]),
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(
    st.lists(_TREE, max_size=6), st.integers(0, 40), st.integers(0, 50), st.randoms(),
    st.sampled_from([0.5, 0.2, 0.3]),
)  # fmt: skip
def test_crowns_are_the_same_whatever_the_window_and_the_order(rows, row, col, random, size_m):
    window = Grid((60, 80), WINDOW.west_m + 0.07, WINDOW.north_m - 0.11, size_m, WINDOW.crs)
    terrain = window.window(-60, -60, 180, 200)
    slope_m = np.add.outer(np.arange(180) * 0.01, np.arange(200) * 0.02) + 90.0
    trees = trees_of(*rows)
    whole = burn_crowns(trees, window, slope_m, terrain)
    order = list(range(len(rows)))
    random.shuffle(order)
    part = window.window(row, col, 15, 20)
    seen = burn_crowns(trees.take(np.array(order, dtype=int)), part, slope_m, terrain)
    cut = whole.part((slice(row, row + 15), slice(col, col + 20)))
    for name in ("top_m", "base_m", "kind"):
        assert np.array_equal(
            getattr(seen, name)[: cut.shape[0], : cut.shape[1]],
            getattr(cut, name),
            equal_nan=name != "kind",
        )


def test_only_crowns_that_touch_the_bounds_are_near_them():
    trees = trees_of((-3.0, 20.0, 9.0, 8.0, 1.0), (-3.0, 20.0, 9.0, 5.0, 1.0))
    assert list(trees.near(WINDOW.bounds).tree_id) == ["B0"]
    assert burn_crowns(trees.near(WINDOW.bounds), WINDOW, ground()).is_crown.sum() == 0
    wide = WINDOW.window(-20, -20, 120, 140)
    there = burn_crowns(trees, WINDOW, np.full(wide.shape, 100.0), wide)
    assert there.is_crown[:, 0].any()


def test_no_trees_make_no_crowns_and_ground_without_data_bears_none():
    assert not burn_crowns(no_trees(), WINDOW, ground()).is_crown.any()
    nothing = np.full(WINDOW.shape, np.nan)
    assert not burn_crowns(trees_of((25, 20, 9, 6, 1)), WINDOW, nothing).is_crown.any()


def test_a_tree_without_extent_is_refused():
    with pytest.raises(InputError, match="0 m wide"):
        trees_of((25.0, 20.0, 9.0, 0.0, 1.0))
    with pytest.raises(InputError, match="crown"):
        trees_of((25.0, 20.0, 9.0, 4.0, 10.0))


# --- filling --------------------------------------------------------------------------------------


def test_missing_sizes_come_from_crown_height_or_species_and_are_marked():
    # Tilia in the table: 22 m high, 13 m wide when grown.
    trees, dropped = complete_trees(
        records_of(
            [
                {"height": 15.0, "crown": 8.0, "base": 4.0, "species": "Tilia cordata"},
                {"crown": 8.0, "species": "Tilia cordata"},
                {"height": 11.0, "species": "Winter-Linde"},
                {"species": "Tilia"},
                {},
                {"height": 10.0, "crown": 5.0},
            ]
        )
    )
    assert dropped == {4: "neither height nor crown nor species is known"}
    assert trees.height_m == pytest.approx([15.0, 8.0 * 22 / 13, 11.0, 0.6 * 22, 10.0])
    assert trees.crown_diameter_m == pytest.approx([8.0, 8.0, 11.0 * 13 / 22, 0.6 * 13, 5.0])
    assert trees.base_m == pytest.approx([4.0, *(0.25 * trees.height_m[1:])])
    assert trees.marks[0] == ""
    assert "height from the crown" in trees.marks[1]
    assert "crown from the height" in trees.marks[2]
    assert "from the species" in trees.marks[3]
    assert trees.marks[4] == "has no species: taken as deciduous"


def test_impossible_sizes_count_as_missing_and_are_marked():
    trees, dropped = complete_trees(
        records_of(
            [
                {"height": -4.0, "crown": 6.0, "species": "Acer"},
                {"height": 20.0, "crown": 0.0, "species": "Acer"},
                {"height": 20.0, "crown": 90.0, "species": "Acer"},
                {"height": 20.0, "crown": 9.0, "base": 25.0, "species": "Acer"},
                {"height": 500.0, "crown": 0.0},
            ]
        )
    )
    assert list(dropped) == [4]
    assert (trees.crown_diameter_m <= 40.0).all()
    assert (trees.height_m > 0.0).all()
    for text, mark in zip(
        ("height of -4 m", "crown of 0 m", "crown of 90 m", "base of 25 m"),
        trees.marks,
        strict=True,
    ):
        assert text in mark


@pytest.mark.parametrize(
    ("name", "kind", "is_known"),
    [
        ("Tilia cordata 'Greenspire'", DECIDUOUS, True),
        ("Gemeine Fichte", EVERGREEN, True),
        ("PINUS NIGRA", EVERGREEN, True),
        ("Europäische Lärche", DECIDUOUS, True),  # a conifer that loses its needles
        ("Ginkgo biloba", DECIDUOUS, True),
        ("Weiß-Tanne", EVERGREEN, True),
        ("Esskastanie", DECIDUOUS, True),  # ends with the letters of no Tanne
        ("Nadelbaum", EVERGREEN, True),
        ("Quercus ilex", EVERGREEN, True),
        ("Quercus robur", DECIDUOUS, True),
        ("unbekannt", DECIDUOUS, False),
        (None, DECIDUOUS, False),
    ],
)
def test_kind_of_leaves_follows_from_the_name(name, kind, is_known):
    found = species_sizes([name])
    assert (found.kind[0], found.is_known[0]) == (kind, is_known)


def test_the_demo_towns_species_are_known_with_their_leaves():
    from solarkataster.demo.tree_cadastre import SPECIES

    for column in (0, 1, 2):
        found = species_sizes([row[column] for row in SPECIES])
        assert found.has_size.all()
        assert list(found.kind == EVERGREEN) == [row[4] for row in SPECIES]


# --- cadastre and surface -------------------------------------------------------------------------


def found_of(canopy: Canopy, lift_m: float = 0.0) -> Canopy:
    """The same crowns as a surface model shows them: base and kind unknown, so by default."""
    base_m = np.where(canopy.is_crown, 101.0, np.nan)
    return Canopy(canopy.top_m + lift_m, base_m, np.where(canopy.is_crown, DECIDUOUS, 0))


def test_a_tree_in_both_counts_once_with_the_surfaces_top_and_the_cadastres_base_and_kind():
    trees = trees_of((25.0, 20.0, 12.0, 8.0, 3.0, EVERGREEN))
    burnt = burn_crowns(trees, WINDOW, ground())
    merged, shown = merge_canopy(found_of(burnt, 1.5), trees, WINDOW, ground(), ground())
    assert shown.all()
    assert np.array_equal(merged.is_crown, burnt.is_crown)
    assert np.allclose(merged.top_m, burnt.top_m + 1.5, equal_nan=True)
    assert np.array_equal(merged.base_m, burnt.base_m, equal_nan=True)
    assert (merged.kind[merged.is_crown] == EVERGREEN).all()


def test_a_shown_tree_surveyed_two_metres_off_adds_no_crown():
    stands, listed = (25.0, 20.0, 12.0, 10.0, 3.0), (27.0, 20.0, 14.0, 10.0, 3.0)
    found = found_of(burn_crowns(trees_of(stands), WINDOW, ground()))
    merged, shown = merge_canopy(found, trees_of(listed), WINDOW, ground(), ground())
    assert shown.all()
    assert np.array_equal(merged.top_m, found.top_m, equal_nan=True)


def test_a_tree_that_the_surface_does_not_show_is_burnt_in():
    trees = trees_of((12.0, 20.0, 12.0, 8.0, 3.0), (35.0, 20.0, 5.0, 3.0, 1.5))
    found = found_of(burn_crowns(trees.take(np.array([0])), WINDOW, ground()))
    merged, shown = merge_canopy(found, trees, WINDOW, ground(), ground())
    assert list(shown) == [True, False]
    young = burn_crowns(trees.take(np.array([1])), WINDOW, ground())
    assert np.array_equal(merged.is_crown, found.is_crown | young.is_crown)
    assert np.array_equal(merged.top_m[young.is_crown], young.top_m[young.is_crown])


def test_a_crown_counts_only_above_the_roof_under_it():
    trees = trees_of((25.0, 20.0, 10.0, 8.0, 2.0))
    solid_m = ground()
    solid_m[:, :50] = 108.0  # a flat roof on one side of the trunk
    merged, _ = merge_canopy(no_canopy(WINDOW.shape), trees, WINDOW, ground(), solid_m)
    over = merged.is_crown[:, :50]
    assert 0 < over.sum() < merged.is_crown[:, 50:].sum()
    assert (merged.top_m[:, :50][over] > 108.0).all()
    assert (merged.base_m[:, :50][over] >= 108.0).all()


def test_a_winter_flight_keeps_the_cadastres_height():
    trees = trees_of((25.0, 20.0, 12.0, 8.0, 3.0))
    burnt = burn_crowns(trees, WINDOW, ground())
    merged, _ = merge_canopy(
        found_of(burnt, -2.0), trees, WINDOW, ground(), ground(), flight_season="winter"
    )
    assert np.allclose(merged.top_m, burnt.top_m, equal_nan=True)


def test_the_demo_towns_trees_are_in_its_surface_and_not_counted_twice():
    town = make_town()
    table = tree_cadastre(town, rounded_m=1.0, missing_fraction=0.1)
    trees, dropped = complete_trees(
        TreeRecords(
            table["baumnr"].to_numpy(dtype=object),
            table.geometry.x.to_numpy(),
            table.geometry.y.to_numpy(),
            table["hoehe_m"].to_numpy(),
            table["kronendurchmesser_m"].to_numpy(),
            table["kronenansatz_m"].to_numpy(),
            table["art_botanisch"].to_numpy(dtype=object),
            {},
        )
    )
    assert not dropped
    missing = table["hoehe_m"].isna().to_numpy()
    assert [bool(mark) for mark in trees.marks] == list(missing)
    truth = np.full(town.grid.shape, -np.inf)
    row, col = np.mgrid[: town.grid.shape[0], : town.grid.shape[1]] + 0.5
    east_m = town.grid.west_m + col * town.grid.cell_size_m
    north_m = town.grid.north_m - row * town.grid.cell_size_m
    for tree in town.trees:
        truth = np.maximum(truth, tree.elevation_m(east_m, north_m))
    is_crown = np.isfinite(truth) & (town.dsm_m > _terrain(town) + 1.0)
    found = Canopy(
        np.where(is_crown, town.dsm_m, np.nan),
        np.where(is_crown, _terrain(town), np.nan),
        is_crown,
    )
    merged, shown = merge_canopy(found, trees, town.grid, _terrain(town), _terrain(town))
    assert shown.mean() > 0.95
    # The surface's crowns and nothing more, but for trees that are half hidden by others.
    assert np.count_nonzero(merged.is_crown) < 1.02 * np.count_nonzero(is_crown)
    assert np.array_equal(merged.top_m[is_crown], town.dsm_m[is_crown])
    # Without the surface the cadastre alone: the same crowns but for what rounding to whole
    # metres does, 0.25 m of mean error on a radius of 3 m.
    alone, _ = merge_canopy(
        no_canopy(town.grid.shape), trees, town.grid, _terrain(town), _terrain(town)
    )
    assert np.count_nonzero(alone.is_crown) == pytest.approx(np.count_nonzero(is_crown), rel=0.1)
    both = alone.is_crown & is_crown
    assert abs(np.median(alone.top_m[both] - town.dsm_m[both])) < 0.3


def _terrain(town) -> np.ndarray:
    """Bare ground on the cells of the surface model: nearest of the terrain's 1 m cells."""
    rows = ((np.arange(town.grid.shape[0]) + 0.5) * town.grid.cell_size_m).astype(int)
    cols = ((np.arange(town.grid.shape[1]) + 0.5) * town.grid.cell_size_m).astype(int)
    off_row = round(town.dtm_grid.north_m - town.grid.north_m)
    off_col = round(town.grid.west_m - town.dtm_grid.west_m)
    return town.dtm_m[np.ix_(rows + off_row, cols + off_col)]


def test_a_tree_is_shown_by_half_of_its_crown():
    trees = trees_of((25.0, 20.0, 9.0, 8.0, 1.0))
    half = np.zeros(WINDOW.shape, dtype=bool)
    half[:, 50:] = True
    assert is_shown(trees, half, WINDOW).all()
    half[:, 50] = False
    assert not is_shown(trees, half, WINDOW).any()
    assert list(trees_at(trees, ["B0", "none"])) == [True]


# --- laser ----------------------------------------------------------------------------------------


def test_plants_of_the_laser_confirm_their_cells_in_any_pieces():
    rng = np.random.default_rng(5)
    n = 3000
    points = Points(
        WINDOW.west_m + rng.uniform(-3.0, 53.0, n),
        WINDOW.south_m + rng.uniform(-3.0, 43.0, n),
        rng.uniform(100.0, 120.0, n),
        rng.choice(np.array([1, 2, 3, 5, 6], dtype=np.uint8), n),
        np.ones(n, dtype=np.uint8),
        np.ones(n, dtype=np.uint8),
    )
    top_m = vegetation_top([points], WINDOW)
    pieces = [points.take(slice(i, i + 700)) for i in range(2800, -1, -700)]
    assert np.array_equal(vegetation_top(pieces, WINDOW), top_m, equal_nan=True)
    plants = points.take(np.isin(points.classification, (3, 4, 5)))
    row, col = WINDOW.row_col(plants.easting_m, plants.northing_m)
    row, col = np.rint(row).astype(int), np.rint(col).astype(int)
    inside = (row >= 0) & (row < 80) & (col >= 0) & (col < 100)
    expected = np.full(WINDOW.shape, np.nan)
    for r, c, z in zip(row[inside], col[inside], plants.elevation_m[inside], strict=True):
        expected[r, c] = np.fmax(expected[r, c], z)
    assert np.allclose(top_m, expected, equal_nan=True)
    assert np.isfinite(vegetation_top([points], WINDOW, (3,))).sum() < np.isfinite(top_m).sum()
