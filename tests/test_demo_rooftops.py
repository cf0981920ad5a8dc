"""Overhangs, superstructures and trees over roofs of the demo town, against hand-made figures."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
import shapely

from solarkataster.demo import Building, Tree, make_town
from solarkataster.demo.overhang import sides_of, with_overhangs
from solarkataster.demo.planes import planes_of
from solarkataster.demo.roofshapes import (
    Part,
    chimney,
    flat_slopes,
    footprint_of,
    gable_dormer,
    gable_slopes,
    hip_slopes,
    shed_dormer,
)
from solarkataster.demo.superstructures import superstructures_of

#: Rise of a roof of 40°. [–]
RISE = np.tan(np.radians(40.0))
NEW_ROLES = {"lift housing", "terrace", "parapet"}


@pytest.fixture(scope="module")
def town():
    return make_town()


def house(slopes, *more, kind="gable", centre=(500.0, 700.0), rotation_deg=0.0, size=(12.0, 10.0)):
    body = Part(*centre, np.radians(rotation_deg), *size, slopes)
    parts = (body, *(make(body) for make in more))
    return Building(f"b{centre[0]:g}", kind, parts, footprint_of(parts), 0.0)


def overhung(*buildings, low_m=0.5, high_m=0.5):
    return with_overhangs(list(buildings), (low_m, high_m), np.random.default_rng(1))


# Overhang, known answers


def test_half_a_metre_of_eaves_round_a_house_of_9_m_is_23_percent_more_roof():
    (grown,) = overhung(house(hip_slopes(5.0, 9.0, 9.0, 35.0), kind="hip", size=(9.0, 9.0)))
    assert grown.footprint.area == pytest.approx(81.0)
    assert grown.roof_outline.area / grown.footprint.area == pytest.approx((10.0 / 9.0) ** 2)
    assert sum(p.plan_area_m2 for p in planes_of(grown)) == pytest.approx(100.0)


def test_slopes_go_on_downwards_beyond_the_wall():
    (grown,) = overhung(house(gable_slopes(5.0, 10.0, 40.0)))
    assert grown.elevation_m(500.0, 705.0) == pytest.approx(5.0)  # over the wall: the eaves
    assert grown.elevation_m(500.0, 705.4) == pytest.approx(5.0 - 0.4 * RISE)
    assert grown.elevation_m(506.4, 700.0) == pytest.approx(5.0 + 5.0 * RISE)  # ridge at the verge
    assert grown.elevation_m(500.0, 705.6) == -np.inf


def test_eaves_and_verges_draw_depths_of_their_own():
    (grown,) = overhung(house(gable_slopes(5.0, 10.0, 40.0)), low_m=0.1, high_m=0.7)
    back_m, front_m, right_m, left_m = grown.parts[0].overhang_m
    assert back_m == front_m != right_m == left_m
    assert grown.roof_outline.area == pytest.approx((12.0 + 2 * back_m) * (10.0 + 2 * left_m))
    by_normal = {
        (round(s.end[1] - s.start[1]), -round(s.end[0] - s.start[0])): s.overhang_m
        for s in sides_of([grown])
    }
    # Outside lies on the right of start → end: eaves face north and south, verges east and west.
    assert by_normal == {(0, 12): left_m, (0, -12): left_m, (10, 0): front_m, (-10, 0): front_m}


def test_houses_wall_to_wall_have_no_overhang_between_them():
    slopes = gable_slopes(5.0, 10.0, 40.0)
    row = overhung(*(house(slopes, centre=(500.0 + 12.0 * k, 700.0)) for k in range(3)))
    assert [b.parts[0].overhang_m for b in row] == [
        (0.5, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 0.5),
    ]  # fmt: skip
    assert [s.is_party_wall for s in sides_of(row)].count(True) == 4


def test_a_near_neighbour_takes_the_overhang_towards_it():
    slopes = gable_slopes(5.0, 10.0, 40.0)
    left, right = overhung(house(slopes), house(slopes, centre=(513.0, 700.0)))
    assert left.parts[0].overhang_m == (0.5, 0.0, 0.5, 0.5)
    assert right.parts[0].overhang_m == (0.0, 0.5, 0.5, 0.5)
    assert not any(side.is_party_wall for side in sides_of([left, right]))


def test_roofs_that_would_meet_round_a_corner_end_at_their_walls():
    slopes = gable_slopes(5.0, 10.0, 40.0)
    near, far = house(slopes), house(slopes, centre=(512.5, 710.5))  # 0.5 m off in both directions
    for building in overhung(near, far):
        assert building.roof_outline.area == pytest.approx(120.0)


def test_eaves_go_round_a_courtyard():
    town = make_town(kind="courtyard", size_m=60, overhang_m=0.5, n_trees=0)
    (block,) = town.buildings
    # 42 × 38 m round a yard of 20 × 16 m.
    assert block.footprint.area == pytest.approx(42 * 38 - 20 * 16)
    assert block.roof_outline.area == pytest.approx(43 * 39 - 19 * 15)
    assert len(town.sides) == 8
    assert {side.overhang_m for side in town.sides} == {0.5}
    assert len([p for p in town.roof_planes if p.role == "roof"]) == 8


# Overhang, laws


def test_sides_tell_how_far_the_roof_reaches(town):
    outline = {b.building_id: b.roof_outline for b in town.buildings}
    for side in town.sides:
        start, end = np.array(side.start), np.array(side.end)
        along = (end - start) / np.hypot(*(end - start))
        outward = np.array([along[1], -along[0]])
        reach = shapely.LineString([start - 0.1 * outward, start + 3.0 * outward])
        for share in (0.3, 0.5, 0.7):
            ray = shapely.transform(reach, lambda xy, at=share: xy + at * (end - start))  # noqa: B023
            beyond_m = ray.intersection(outline[side.building_id]).length - 0.1
            assert beyond_m == pytest.approx(side.overhang_m, abs=1e-5), side


def test_sides_are_the_footprints_without_corners_that_do_not_bend(town):
    length_m = Counter()
    for side in town.sides:
        length_m[side.building_id] += np.hypot(*np.subtract(side.end, side.start))
    for building in town.buildings:
        assert length_m[building.building_id] == pytest.approx(building.footprint.length, abs=1e-3)
        assert building.footprint.covers(building.roof_outline.buffer(-0.81, join_style="mitre"))


def test_overhangs_of_the_demo_town_differ_and_stay_below_80_cm(town):
    free = [s.overhang_m for s in town.sides if not s.is_party_wall]
    assert max(free) <= 0.8
    assert np.quantile(free, 0.9) > 0.6 > 0.2 > np.quantile(free, 0.1)
    assert len(set(free)) > 50
    assert all(s.overhang_m == 0.0 for s in town.sides if s.is_party_wall)
    assert sum(s.is_party_wall for s in town.sides) > 50


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_roofs_never_overlap(seed):
    outlines = np.array([b.roof_outline for b in make_town(seed).buildings])
    a, b = shapely.STRtree(outlines).query(outlines, "intersects")
    overlap_m2 = shapely.area(shapely.intersection(outlines[a[a < b]], outlines[b[a < b]]))
    assert overlap_m2.max() < 1e-6


def test_other_towns_have_no_overhang_unless_asked():
    assert all(s.overhang_m == 0.0 for s in make_town(kind="builtup", size_m=160).sides)
    asked = make_town(kind="builtup", size_m=160, overhang_m=0.4)
    assert {s.overhang_m for s in asked.sides} == {0.0, 0.4}


# Superstructures


def test_heights_over_the_host_plane_are_those_of_the_drawing():
    slopes = gable_slopes(5.0, 10.0, 40.0)
    (shed,) = superstructures_of(house(slopes, lambda b: shed_dormer(b, 0.0, 1, 3.0, 1.0, 1.3)))
    assert (shed.kind, shed.height_m) == ("dormer", pytest.approx(1.3))
    (gable,) = superstructures_of(house(slopes, lambda b: gable_dormer(b, 1.0, -1, 2.0, 1.0, 1.0)))
    # Front 1 m, its gable 1 m · tan 40° more.
    assert (gable.kind, gable.height_m) == ("dormer", pytest.approx(1.0 + RISE))
    (stack,) = superstructures_of(house(slopes, lambda b: chimney(b, 2.0, 1.0, 0.8, 12.0)))
    # Its far edge is 1.4 m down the slope from the ridge.
    assert stack.height_m == pytest.approx(12.0 - (5.0 + (5.0 - 1.4) * RISE))
    assert stack.polygon.area == pytest.approx(0.64)


def test_a_terrace_is_a_level_plane_under_its_slope():
    def terrace(body):
        return body.part(0.0, 2.5, 3.0, 2.0, flat_slopes(6.0), role="terrace")

    building = house(gable_slopes(5.0, 10.0, 40.0), terrace)
    assert building.elevation_m(500.0, 702.5) == 6.0
    by_role = {plane.role: plane for plane in planes_of(building)}
    assert by_role["terrace"].plan_area_m2 == pytest.approx(6.0)
    assert by_role["terrace"].elevation_m == pytest.approx(6.0)
    assert by_role["roof"].plan_area_m2 in (pytest.approx(60.0), pytest.approx(54.0))
    assert sum(p.plan_area_m2 for p in planes_of(building)) == pytest.approx(120.0)
    (found,) = superstructures_of(building)
    # Deepest where the slope is highest: 1.5 m from the ridge.
    assert (found.kind, found.height_m) == ("terrace", pytest.approx(6.0 - (5.0 + 3.5 * RISE)))


def test_the_demo_town_has_a_few_of_each(town):
    kinds = Counter(thing.kind for thing in town.superstructures)
    assert kinds["dormer"] >= 50
    assert kinds["chimney"] >= 50
    assert all(3 <= kinds[kind] <= 15 for kind in NEW_ROLES)
    wide = [t for t in town.superstructures if t.kind == "dormer" and t.polygon.area > 7.0]
    assert 3 <= len(wide) <= 20
    limits = {"lift housing": (2.0, 3.0), "parapet": (0.3, 0.9), "terrace": (-4.5, -1.5)}
    for thing in town.superstructures:
        low_m, high_m = limits.get(thing.kind, (0.5, 3.0))
        assert low_m - 1e-6 <= thing.height_m <= high_m + 1e-6, thing
    for thing in town.superstructures:
        if thing.kind == "lift housing":
            assert 2.5**2 <= thing.polygon.area + 1e-6 <= 4.0**2 + 1e-5


def test_planes_have_holes_where_something_else_is_a_plane(town):
    things = {}
    for thing in town.superstructures:
        things.setdefault((thing.building_id, thing.kind in ("chimney", "parapet")), []).append(
            thing.polygon
        )
    for plane in town.roof_planes:
        if plane.role == "roof":
            cut = shapely.union_all(things.get((plane.building_id, False), []))
            assert plane.polygon.intersection(cut).area < 1e-3
    covered = {}
    for plane in town.roof_planes:
        covered.setdefault(plane.building_id, []).append(plane.polygon)
    for (building_id, stands), polygons in things.items():
        if stands:
            left = shapely.difference(polygons, shapely.union_all(covered[building_id]))
            assert shapely.area(left).max() < 1e-3


def test_a_parapet_goes_once_round_its_roof(town):
    outlines = {b.building_id: b.footprint for b in town.buildings}
    rims = [thing for thing in town.superstructures if thing.kind == "parapet"]
    for rim in rims:
        (yard,) = rim.polygon.interiors
        assert shapely.Polygon(rim.polygon.exterior).symmetric_difference(
            outlines[rim.building_id]
        ).area == pytest.approx(0.0, abs=1e-3)
        widths_m = rim.polygon.exterior.distance(yard)
        assert 0.25 - 1e-6 <= widths_m <= 0.4 + 1e-6


def test_a_superstructure_is_no_higher_than_it_says(town):
    bare = {
        b.building_id: dataclasses.replace(b, parts=tuple(p for p in b.parts if p.role == "roof"))
        for b in town.buildings
    }
    whole = {b.building_id: b for b in town.buildings}
    rng = np.random.default_rng(0)
    for thing in town.superstructures:
        west, south, east, north = thing.polygon.bounds
        x, y = rng.uniform((west, south), (east, north), (60, 2)).T
        inside = shapely.contains_xy(thing.polygon.buffer(-1e-3), x, y)
        x, y = x[inside], y[inside]
        over_m = whole[thing.building_id].elevation_m(x, y)
        over_m = over_m - bare[thing.building_id].elevation_m(x, y)
        if thing.kind == "terrace":
            assert (thing.height_m - 1e-6 <= over_m).all()
            assert (over_m < 0.0).all()
        else:
            # Beyond a ridge the roof falls again: there a thing may stand higher over it.
            over_m = over_m[over_m <= thing.height_m + 1e-6] if thing.kind == "chimney" else over_m
            assert (over_m <= thing.height_m + 1e-6).all()
            assert (over_m > 0.0).all()


def test_switching_superstructures_off_leaves_the_rest_alone(town):
    plain = make_town(superstructures=False)
    for with_it, without in zip(town.buildings, plain.buildings, strict=True):
        assert without.parts == tuple(p for p in with_it.parts if p.role not in NEW_ROLES)
    assert plain.trees == town.trees


# Trees over roofs


def test_trees_over_roofs_hang_over_a_roof_and_stand_beside_it(town):
    shaded = make_town(trees_over_roofs=12)
    assert shaded.trees[: len(town.trees)] == town.trees
    added = shaded.trees[len(town.trees) :]
    assert len(added) == 12
    roofs = shapely.STRtree([b.roof_outline for b in shaded.buildings])
    for tree in added:
        trunk = shapely.Point(tree.easting_m, tree.northing_m)
        assert len(roofs.query(trunk, "dwithin", 0.7)) == 0
        over_m2 = 0.0
        for i in roofs.query(trunk, "dwithin", tree.crown_radius_m):
            angle, share = np.meshgrid(np.linspace(0, 2 * np.pi, 90), np.linspace(0.02, 0.99, 40))
            x = tree.easting_m + tree.crown_radius_m * np.sqrt(share) * np.cos(angle)
            y = tree.northing_m + tree.crown_radius_m * np.sqrt(share) * np.sin(angle)
            roof_m = shaded.buildings[i].elevation_m(x, y)
            on_top = (roof_m > -np.inf) & (tree.elevation_m(x, y) > roof_m)
            over_m2 += on_top.mean() * np.pi * tree.crown_radius_m**2
        assert over_m2 > 0.3
    hidden = town.roof_mask & ~shaded.roof_mask
    assert hidden.sum() * 0.25 > 12 * 0.3


def test_rough_crowns_scatter_by_30_cm_within_half_a_metre():
    smooth = Tree(1000.0, 2000.0, 4.5, 12.0, 200.0)
    rough = dataclasses.replace(smooth, roughness_m=0.3, seed=3)
    axis = np.linspace(-3.0, 3.0, 241)  # 2.5 cm
    x, y = 1000.0 + axis[None, :], 2000.0 + axis[:, None]
    leaves_m = rough.elevation_m(x, y) - smooth.elevation_m(x, y)
    assert rough.elevation_m(1001.0, 1999.0) == rough.elevation_m(x, y)[80, 160]
    assert leaves_m.std() == pytest.approx(0.3, rel=0.1)
    assert abs(leaves_m.mean()) < 0.06
    assert np.abs(np.diff(leaves_m, axis=1)).max() < 0.08  # 5 % of a lattice step: no jumps
    apart = np.corrcoef(leaves_m[:, :-40].ravel(), leaves_m[:, 40:].ravel())[0, 1]  # 1 m
    assert abs(apart) < 0.2
