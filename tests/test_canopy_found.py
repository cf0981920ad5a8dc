"""Crowns told from blocks: the made-up town, laws of place and turn, and hand-made cases."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage
from scipy.interpolate import NearestNDInterpolator

from solarkataster.canopy import EVERGREEN, find_canopy
from solarkataster.demo import make_town
from solarkataster.demo.raster import cell_axes, exact_surface
from solarkataster.errors import InputError
from solarkataster.footprint_cells import footprint_mask
from solarkataster.grid import Grid
from solarkataster.receivers import Receivers
from solarkataster.roof_cover import roof_heights

CELL_M = 0.5
SHAPE = 100, 120
ROWS, COLS = np.indices(SHAPE)
NO_CELLS = np.zeros(SHAPE, bool)
NOISE_M = 0.03 * np.random.default_rng(4).standard_normal(SHAPE)
LEAVES_M = 0.5 * np.random.default_rng(5).standard_normal(SHAPE)
TERRAIN_M = (100.0 + 0.03 * COLS).astype(np.float32)


class Scene:
    """A town with what is true of its cells."""

    def __init__(self, **options):
        self.town = town = make_town(**options)
        grid = town.grid
        self.terrain_m = town.terrain.on_axes(*cell_axes(grid)).astype(np.float32)
        self.solid_m = exact_surface(grid, town.terrain, town.buildings, [])[0]
        self.is_tree = town.exact_surface_m() > self.solid_m + 1e-6
        self.footprints = np.array([one.footprint for one in town.buildings])
        self.is_building = footprint_mask(self.footprints, grid)

    def found(self, is_building=None, **options):
        is_building = self.is_building if is_building is None else is_building
        return find_canopy(
            self.town.dsm_m, self.terrain_m, is_building, CELL_M, **options
        )  # fmt: skip


@pytest.fixture(scope="module")
def demo():
    return Scene()


def block(rows, cols, height_m, surface_m):
    surface_m[rows, cols] = TERRAIN_M[rows, cols] + height_m + NOISE_M[rows, cols]


def tree(row, col, radius, height_m, surface_m, rough=1.0):
    away = np.hypot(ROWS - row, COLS - col) / radius
    crown_m = TERRAIN_M + height_m * (1 - 0.5 * away**2) + rough * LEAVES_M
    surface_m[away < 1] = np.maximum(crown_m, TERRAIN_M + 2.5)[away < 1]
    return away < 1


def yard():
    """Ground with a garage, a shed at an angle, a bridge and two trees; what is which."""
    surface_m = TERRAIN_M + NOISE_M
    is_tree = tree(25, 30, 10, 12.0, surface_m) | tree(70, 80, 8, 7.0, surface_m, rough=0.2)
    block(np.s_[60:72], np.s_[20:26], 2.7, surface_m)  # garage of 6 × 3 m
    turned = (np.abs(ROWS - 20 + COLS - 80) < 9) & (np.abs(ROWS - 20 - COLS + 80) < 7)
    surface_m[turned] = (TERRAIN_M + 3.0 + 0.2 * (ROWS - 20) * CELL_M + NOISE_M)[turned]
    block(np.s_[86:96], np.s_[10:110], 6.0, surface_m)  # a bridge of 5 m
    return surface_m.astype(np.float32), is_tree


# The trees' share is what was asked; crowns of this town are smooth domes but for 3 cm of noise.
def test_trees_of_the_town_are_found_and_nothing_else(demo, figure):
    found = demo.found()
    is_crown = found.canopy.is_crown
    high = demo.town.dsm_m - demo.terrain_m > 2.0
    trees = demo.is_tree & ~demo.is_building & high
    share = is_crown[trees].mean()
    figure(
        "demo town, trees' cells found", f"{share:.1%}, others {int(is_crown[~demo.is_tree].sum())}"
    )
    assert share >= 0.98
    assert is_crown[~demo.is_tree].sum() <= 20
    assert len(found.blocks) == 0
    np.testing.assert_array_equal(found.solid_m[is_crown], demo.terrain_m[is_crown])
    np.testing.assert_array_equal(found.solid_m[~is_crown], demo.town.dsm_m[~is_crown])


def test_houses_without_footprints_stay_solid_and_are_told(demo, figure):
    known = demo.is_building.copy()
    gone = np.arange(0, len(demo.footprints), 6)
    removed = footprint_mask(demo.footprints[gone], demo.town.grid)
    known &= ~removed
    found = demo.found(known)
    roofs = removed & demo.town.roof_mask & ~demo.is_tree
    share = found.canopy.is_crown[roofs].mean()
    figure("demo town, roofs without footprints taken for trees", f"{share:.2%} of their cells")
    assert share <= 0.01
    told = found.blocks.label[roofs]
    assert (told > 0).mean() >= 0.75
    free = footprint_mask(demo.footprints[gone], demo.town.grid) & ~known
    for i in gone:
        alone = footprint_mask(demo.footprints[i : i + 1], demo.town.grid) & free
        if alone.sum() * CELL_M**2 > 30.0:
            assert (found.blocks.label[alone] > 0).any(), f"building {i} is not told"


def test_crowns_over_roofs_come_off_down_to_the_roof(figure):
    scene = Scene(trees_over_roofs=20)
    roof_m = np.where(scene.is_building, scene.solid_m, np.nan)
    found = scene.found(roof_m=roof_m)
    is_crown = found.canopy.is_crown
    over = scene.is_tree & scene.is_building & (scene.town.dsm_m - scene.solid_m > 1.1)
    outside = scene.is_tree & ~scene.is_building
    figure(
        "demo town with overhanging trees, cells found",
        f"over roofs {is_crown[over].mean():.1%} of {over.sum()}, outside "
        f"{is_crown[outside].mean():.1%}, others {int(is_crown[~scene.is_tree].sum())}",
    )
    assert is_crown[over].mean() >= 0.85
    assert is_crown[outside].mean() >= 0.95
    assert is_crown[~scene.is_tree].sum() <= 20
    on_roof = is_crown & scene.is_building
    np.testing.assert_allclose(found.solid_m[on_roof], roof_m[on_roof], rtol=1e-6)
    assert (found.canopy.base_m[on_roof] >= found.solid_m[on_roof]).all()
    # Without planes nothing is taken off a roof.
    assert not scene.found().canopy.is_crown[scene.is_building].any()


def test_garage_shed_and_bridge_stay_solid_and_are_told():
    surface_m, is_tree = yard()
    found = find_canopy(surface_m, TERRAIN_M, NO_CELLS, CELL_M)
    is_crown = found.canopy.is_crown
    assert is_crown[is_tree].mean() >= 0.97
    assert is_crown[~is_tree].sum() == 0
    blocks = found.blocks
    assert len(blocks) == 3
    order = np.argsort(blocks.area_m2)
    assert blocks.area_m2[order] == pytest.approx([18.0, 27.75, 250.0], rel=0.01)
    assert blocks.height_m[order] == pytest.approx([2.7, 3.0, 6.0], abs=0.1)
    assert (blocks.row[order[0]], blocks.col[order[0]]) == pytest.approx((65.5, 22.5), abs=0.3)


def test_what_is_confirmed_is_a_crown_and_what_is_solid_is_none():
    surface_m, is_tree = yard()
    hedge = np.zeros(SHAPE, bool)
    hedge[60:72, 20:26] = True  # flat as a garage
    found = find_canopy(surface_m, TERRAIN_M, NO_CELLS, CELL_M, confirmed=hedge)
    assert found.canopy.is_crown[hedge].all()
    assert len(found.blocks) == 2
    found = find_canopy(surface_m, TERRAIN_M, NO_CELLS, CELL_M, solid=is_tree)
    assert not found.canopy.is_crown[is_tree].any()


def test_where_trees_stand_by_a_cadastre_a_cut_hedge_is_a_crown_and_a_garage_is_none():
    surface_m, _ = yard()
    cells = np.zeros(SHAPE, bool)
    cells[60:72, 20:26] = True
    cut = surface_m.copy()
    cut[cells] += 4.5 * NOISE_M[cells]  # 0.16 m: flat, but no roof
    for heights_m, hint, expected in (
        (surface_m, cells, 0.0), (cut, cells, 1.0), (cut, NO_CELLS, 0.0)
    ):  # fmt: skip
        found = find_canopy(heights_m, TERRAIN_M, NO_CELLS, CELL_M, hinted=hint)
        assert found.canopy.is_crown[cells].mean() == pytest.approx(expected, abs=0.1)


def test_masts_wires_and_edges_are_no_crowns():
    surface_m = (TERRAIN_M + NOISE_M).astype(np.float32)
    surface_m[20, 10:100] = TERRAIN_M[20, 10:100] + 8.0  # a wire
    surface_m[50, 50] = TERRAIN_M[50, 50] + 12.0
    block(np.s_[60:90], np.s_[60:90], 9.0, surface_m)
    half_on_it_m = np.random.default_rng(6).uniform(2, 9, 30)
    surface_m[60:90, 90] = TERRAIN_M[60:90, 90] + half_on_it_m
    found = find_canopy(surface_m, TERRAIN_M, NO_CELLS, CELL_M)
    assert found.canopy.is_crown.sum() == 0


def test_a_winter_flight_closes_its_holes():
    surface_m, is_tree = yard()
    bare = surface_m.copy()
    holes = is_tree & (np.random.default_rng(7).random(SHAPE) < 0.5)
    bare[holes] = (TERRAIN_M + NOISE_M)[holes]
    summer, winter = (
        find_canopy(bare, TERRAIN_M, NO_CELLS, CELL_M, winter_flight=of).canopy.is_crown
        for of in (False, True)
    )
    assert summer[is_tree].mean() < 0.6
    assert winter[is_tree].mean() > 0.9
    assert winter[~is_tree].sum() == 0
    top_m = find_canopy(bare, TERRAIN_M, NO_CELLS, CELL_M, winter_flight=True).canopy.top_m
    assert np.nanmedian((top_m - surface_m)[holes]) == pytest.approx(0.0, abs=0.5)


def test_undersides_are_a_share_of_the_trees_height():
    surface_m, _ = yard()
    canopy = find_canopy(
        surface_m, TERRAIN_M, NO_CELLS, CELL_M, base_fraction=0.3, kind=EVERGREEN
    ).canopy
    middle = canopy.is_crown & (np.hypot(ROWS - 25, COLS - 30) < 4)
    assert (canopy.base_m - TERRAIN_M)[middle] == pytest.approx(0.3 * 13.0, abs=0.4)
    assert set(np.unique(canopy.kind)) == {0, EVERGREEN}


def test_cells_without_heights_hold_no_crowns():
    surface_m, _ = yard()
    surface_m[:30] = np.nan
    terrain_m = TERRAIN_M.copy()
    terrain_m[:, 70:] = np.nan
    found = find_canopy(surface_m, terrain_m, NO_CELLS, CELL_M)
    known = np.isfinite(surface_m - terrain_m)
    assert not found.canopy.is_crown[~known].any()
    assert np.isnan(found.solid_m[:30]).all()


@pytest.mark.parametrize("window", [np.s_[150:400, 200:500], np.s_[401:700, 33:333]])
def test_decisions_do_not_depend_on_the_window(demo, window):
    margin = 24  # 12 m
    whole = demo.found()
    part = find_canopy(
        demo.town.dsm_m[window], demo.terrain_m[window], demo.is_building[window], CELL_M
    )
    inner = np.s_[margin:-margin, margin:-margin]
    for name in ("top_m", "base_m", "kind"):
        np.testing.assert_array_equal(
            getattr(part.canopy, name)[inner], getattr(whole.canopy, name)[window][inner]
        )


def test_a_turned_town_has_turned_crowns(demo):
    found = demo.found().canopy
    turned = find_canopy(
        np.rot90(demo.town.dsm_m), np.rot90(demo.terrain_m), np.rot90(demo.is_building), CELL_M
    ).canopy
    for name in ("top_m", "base_m", "kind"):
        np.testing.assert_array_equal(getattr(turned, name), np.rot90(getattr(found, name)))


@pytest.mark.parametrize("cell_m", [0.25, 1.0])
def test_other_cells_find_the_same_trees(cell_m, figure):
    scene = Scene(seed=3, size_m=120, kind="builtup", roof_share=0.2, cell_size_m=cell_m)
    found = find_canopy(scene.town.dsm_m, scene.terrain_m, scene.is_building, cell_m)
    trees = scene.is_tree & ~scene.is_building & (scene.town.dsm_m - scene.terrain_m > 2.0)
    is_crown = found.canopy.is_crown
    figure(f"trees' cells found at {cell_m} m", f"{is_crown[trees].mean():.1%}")
    assert is_crown[trees].mean() >= 0.95
    assert is_crown[~scene.is_tree].sum() <= 0.02 * trees.sum()


@pytest.mark.parametrize(
    ("options", "message"),
    [({"base_fraction": 1.5}, "base_fraction = 1.5"), ({"confirmed": NO_CELLS[1:]}, "99, 120")],
)
def test_what_cannot_be_is_refused(options, message):
    surface_m, _ = yard()
    with pytest.raises(InputError, match=message):
        find_canopy(surface_m, TERRAIN_M, NO_CELLS, CELL_M, **options)


def gable(is_open):
    """Receivers of a gabled roof in the open cells of a footprint; its true heights. [m]"""
    building = np.zeros((30, 40), np.int32)
    building[5:25, 5:25], building[5:25, 25:35] = 1, 2
    row, col = np.indices(building.shape)
    roof_m = 110.0 - 0.4 * np.abs(row - 14.5) * CELL_M
    south = (row > 14).astype(np.int32)
    at = np.nonzero((building == 1) & is_open(row, col))
    tilt = np.degrees(np.arctan(0.4))
    receivers = Receivers(
        *at, roof_m[at] + 0.1, south[at], [tilt, tilt], [0.0, 180.0]
    )  # fmt: skip
    return receivers, building, roof_m


def test_planes_go_on_under_crowns_and_end_at_the_neighbour():
    receivers, building, true_m = gable(lambda row, col: np.hypot(row - 8, col - 20) > 5)
    got_m = roof_heights(receivers, len(receivers), building, CELL_M, 0.1)
    np.testing.assert_allclose(got_m[building == 1], true_m[building == 1], atol=1e-4)
    assert np.isnan(got_m[building != 1]).all()


def test_planes_go_on_eight_metres_and_racks_are_no_roof():
    receivers, building, _ = gable(lambda row, col: col < 7)
    racked = replace(receivers, elevation_m=np.where(receivers.col == 6, 500.0, 110.0))
    n = int((receivers.col < 6).sum())
    order = np.argsort(receivers.col == 6, kind="stable")
    names = "row", "col", "elevation_m", "surface", "top_tangent"
    racked = replace(racked, **{name: getattr(racked, name)[order] for name in names})
    got_m = roof_heights(racked, n, building, CELL_M, 0.0)
    assert np.nanmax(got_m) < 200.0
    assert np.isfinite(got_m[5:25, 5:22]).all()
    assert np.isnan(got_m[5:25, 22:25]).all()  # 16 cells beyond column 5


def laser_scene(folder):
    """Delft's laser scan: highest point of each cell, terrain, footprints and classes."""
    laspy = pytest.importorskip("laspy")
    gpd = pytest.importorskip("geopandas")
    parts = [laspy.read(path) for path in sorted(folder.glob("ahn3_cropped_*.laz"))]
    xyz = np.concatenate([np.stack([part.x, part.y, part.z], axis=1) for part in parts])
    kind = np.concatenate([np.asarray(part.classification) for part in parts])
    xyz, kind = xyz[~np.isin(kind, (9, 26))], kind[~np.isin(kind, (9, 26))]
    grid = Grid((456, 528), 84808.0, 447641.0, CELL_M, "EPSG:28992")
    col = ((xyz[:, 0] - grid.west_m) / CELL_M).astype(int)
    row = ((grid.north_m - xyz[:, 1]) / CELL_M).astype(int)
    on = (row >= 0) & (row < grid.shape[0]) & (col >= 0) & (col < grid.shape[1])
    xyz, kind, row, col = xyz[on], kind[on], row[on], col[on]
    ground = kind == 2
    nearest = NearestNDInterpolator(xyz[ground, :2], xyz[ground, 2])
    terrain_m = nearest(*np.meshgrid(*cell_axes(grid))).astype(np.float32)
    surface_m = np.full(grid.shape, -np.inf)
    np.maximum.at(surface_m, (row, col), xyz[:, 2])
    empty = np.isinf(surface_m)
    surface_m[empty] = ndimage.maximum_filter(surface_m, 3)[empty]
    surface_m[np.isinf(surface_m)] = np.nan
    high = xyz[:, 2] - terrain_m[row, col] > 2.0
    has = {}
    for name, which in (("building", kind == 6), ("plant", (kind == 1) & high)):
        has[name] = np.zeros(grid.shape, bool)
        has[name][row[which], col[which]] = True
    footprints = np.array(gpd.read_file(folder / "bgt_pand.gpkg").geometry)
    up = surface_m - terrain_m > 2.0
    return (
        surface_m.astype(np.float32), terrain_m, footprint_mask(footprints, grid),
        has["building"] & ~has["plant"] & up, has["plant"] & ~has["building"] & up,
    )  # fmt: skip


# AHN3 calls all that is neither ground nor building unclassified: over 2 m, plants but for masts.
def test_plants_of_delft_are_found_and_old_houses_without_footprints_mostly_left(real_data, figure):
    surface_m, terrain_m, is_building, house, plant = laser_scene(real_data / "delft_ahn3_bgt")
    found = find_canopy(surface_m, terrain_m, is_building, CELL_M)
    outside = ~is_building
    plants = found.canopy.is_crown[plant & outside].mean()
    houses = found.canopy.is_crown[house & outside].mean()
    figure(
        "Delft, cells by class outside footprints",
        f"plants found {plants:.1%}; houses missing from the footprints taken for plants "
        f"{houses:.1%}",
    )
    assert plants >= 0.92
    assert houses <= 0.2  # narrow steep roofs of an old town; nothing else tells them
    known = find_canopy(
        surface_m, terrain_m, is_building, CELL_M, solid=house, confirmed=plant
    ).canopy.is_crown
    assert known[plant & outside].mean() >= 0.94  # lone masts and wires stay out
    assert known[house].mean() <= 0.01
