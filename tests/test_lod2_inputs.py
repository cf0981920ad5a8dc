"""City models as input: opened and checked before the run, given to the tiles that need them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from small_inputs import check, one_fault, write_config
from small_lod2_inputs import houses, moved, write_model

from solarkataster.citymodels import CitySurface, CitySurfaces, SurfaceFault
from solarkataster.facades.city_match import buildings_on
from solarkataster.io.runfolder import RunFolder
from solarkataster.stages.citymodels import city_buildings
from solarkataster.stages.plan import plan_tiles


def notes(folder: Path) -> str:
    return "\n".join(note for note in check(folder).notes if note.startswith("LoD2"))


# Good ones


def test_a_good_model_passes_without_a_word(folder):
    write_model(folder, houses())
    checked = check(folder)
    assert checked.lod2.n_buildings == 144
    assert str(folder / "model.gml") in checked.checksums
    assert notes(folder) == ""
    assert not any("LoD2" in mark for marks in checked.marks.values() for mark in marks)


def test_without_a_model_there_is_none(folder):
    assert check(folder).lod2 is None


def test_a_model_may_come_in_several_files(folder):
    model = houses()
    names = sorted(model)
    write_model(folder, {own: model[own] for own in names[:70]}, name="one.gml")
    write_model(folder, {own: model[own] for own in names[70:]}, name="two.gml")
    assert check(folder).lod2.n_buildings == 144
    assert notes(folder) == ""


# Files and places that stop the run


def test_a_missing_file_is_told(folder):
    write_config(folder, lod2="nothing.gml")
    fault = one_fault(folder)
    assert "not found" in fault.found
    assert "city model" in fault.expected


def test_a_truncated_file_is_told(folder):
    write_model(folder, houses())
    path = folder / "model.gml"
    path.write_bytes(path.read_bytes()[:-5000])
    assert one_fault(folder).where == str(path)


def test_a_file_without_a_system_stops_until_the_config_names_it(folder):
    write_model(folder, houses(), crs=None)
    assert 'crs = "EPSG:25832"' in one_fault(folder).remedy
    write_model(folder, houses(), 'crs = "EPSG:25832"', crs=None)
    assert check(folder).lod2.n_buildings == 144


def test_a_model_in_another_system_stops(folder):
    write_model(folder, houses(), crs="urn:ogc:def:crs:EPSG::25833")
    fault = one_fault(folder)
    assert fault.found == "coordinate system is EPSG:25833"
    assert "EPSG:25832" in fault.expected


def test_a_model_of_another_place_stops(folder):
    write_model(folder, moved(houses(), east_m=5000.0))
    assert "does not overlap the surface model" in one_fault(folder).found


def test_a_model_that_stands_between_the_footprints_stops(folder):
    write_model(folder, moved(houses(), 5.0, 5.0, prefix="X"))
    assert "none of its 144 buildings" in one_fault(folder).found


@pytest.mark.parametrize("prefix", ["", "X"])
def test_a_model_that_lies_aside_stops_by_id_and_by_place(folder, prefix):
    write_model(folder, moved(houses(), 2.0, -0.6, prefix=prefix))
    fault = one_fault(folder)
    assert "lie 2.0 m east and 0.6 m south of their footprints" in fault.found
    assert "crs" in fault.remedy


def test_a_model_far_aside_is_told_by_its_ids(folder):
    write_model(folder, moved(houses(), 7.0, 0.0))
    assert "lie 7.0 m east" in one_fault(folder).found


def test_a_model_that_lies_a_little_aside_is_used_and_told(folder):
    write_model(folder, moved(houses(), -0.3))
    assert "lie 0.3 m west of their footprints (median of 144)" in notes(folder)


@pytest.mark.parametrize(
    ("change", "told", "remedy"),
    [
        ({"up_m": 45.0}, "its roofs lie 45.0 m above the surface model", "height datum"),
        ({"up_m": -4.0}, "its roofs lie 4.0 m below the surface model", "height datum"),
        ({"up_m": -101.0}, "as if heights were counted from the ground", "above sea level"),
        ({"factor": 1 / 0.3048}, "seems to have heights in feet: they are 3.28 times", "0.3048"),
    ],
)
def test_heights_of_another_datum_or_unit_stop(folder, change, told, remedy):
    write_model(folder, moved(houses(), **change))
    fault = one_fault(folder)
    assert told in fault.found
    assert remedy in fault.remedy
    assert "dsm.tif" in fault.expected


def test_another_year_with_a_storey_more_on_some_houses_does_not_stop(folder):
    model = houses()
    higher = moved({own: model[own] for own in list(model)[::3]}, up_m=3.0)
    write_model(folder, model | higher)
    assert notes(folder) == ""


# What is told and does not stop


def test_ids_that_match_nothing_are_told(folder):
    write_model(folder, moved(houses(), prefix="X"))
    assert notes(folder) == (
        "LoD2: no footprint has the id of a building; they are matched by place"
    )


def test_footprints_without_a_building_are_told(folder):
    model = houses()
    write_model(folder, {own: model[own] for own in list(model)[:100]})
    told = notes(folder)
    assert "LoD2: 100 of 144 footprints have the id of a building" in told
    assert "LoD2: 44 of 144 footprints have no building" in told


def test_a_building_whose_id_belongs_elsewhere_is_marked(folder):
    model = houses()
    model["H000"], model["H143"] = model["H143"], model["H000"]
    write_model(folder, model)
    marks = check(folder).marks
    told = ["LoD2 building of this id stands elsewhere: not used"]
    assert {own: text for own, text in marks.items() if text} == {"H000": told, "H143": told}


def test_walls_inside_out_are_told(folder):
    model = houses()
    for own in list(model)[:7]:
        model[own] = [(k, ring[::-1] if k == "wall" else ring) for k, ring in model[own]]
    write_model(folder, model)
    assert "LoD2: 7 of 144 buildings looked at have walls that face inwards" in notes(folder)


# What tiles are told


def plan_of(folder: Path, size_m: float):
    write_config(
        folder, f"[tiles]\nsize_m = {size_m}\n[horizon]\nreach_m = 20.0\n", lod2="*.gml"
    )  # fmt: skip
    return plan_tiles(check(folder), RunFolder(folder / "run"), "")


def test_each_tile_gets_the_buildings_on_its_footprints_alone(folder):
    write_model(folder, houses())
    whole = plan_of(folder, 1000.0)
    assert len(whole.tiles) == 1
    job = whole.job(0)
    assert job.lod2.n_buildings == 144
    expected = dict(zip(job.building_ids, city_buildings(job).values(), strict=True))
    seen = {}
    plan = plan_of(folder, 50.0)
    for k in range(len(plan.tiles)):
        job = plan.job(k)
        assert job.lod2.n_buildings <= 36
        seen |= dict(zip(job.building_ids, city_buildings(job).values(), strict=True))
    assert seen.keys() == expected.keys()
    for own, building in expected.items():
        assert building.building_ids == seen[own].building_ids == (own,)
        for one, other in zip(building.surfaces, seen[own].surfaces, strict=True):
            np.testing.assert_array_equal(one.outer, other.outer)


def test_only_tiles_whose_file_has_changed_are_done_again(folder):
    model = houses()
    names = list(model)
    for name, chosen in (("north.gml", names[:72]), ("south.gml", names[72:])):
        write_model(folder, {own: model[own] for own in chosen}, name=name)
    plan = plan_of(folder, 50.0)
    before = {job.name: job.stamp for job in map(plan.job, range(len(plan.tiles)))}
    changed = moved({own: model[own] for own in names[72:]}, up_m=0.1)
    write_model(folder, changed, name="south.gml")
    plan = plan_of(folder, 50.0)
    after = {job.name: job.stamp for job in map(plan.job, range(len(plan.tiles)))}
    assert before.keys() == after.keys()
    same = {name for name in before if before[name] == after[name]}
    assert 0 < len(same) < len(before)
    files = {job.name: job.lod2.files for job in map(plan.job, range(len(plan.tiles)))}
    assert same == {n for n, own in files.items() if {f.path.name for f in own} == {"north.gml"}}


def test_a_run_without_a_model_knows_none(folder):
    job = plan_tiles(check(folder), RunFolder(folder / "run"), "").job(0)
    assert job.lod2 is None
    assert city_buildings(job) == {}


# Which buildings stand on a footprint


def squares(*places: tuple[str, float, float, float], kind="ground") -> CitySurfaces:
    """Buildings of one level square each: id, west, south, edge."""
    found = [
        CitySurface(own, "", f"{own}-0", kind, np.array(
            [(x, y, 0.0), (x + e, y, 0.0), (x + e, y + e, 0.0), (x, y + e, 0.0)]
        ))
        for own, x, y, e in places
    ]  # fmt: skip
    return CitySurfaces([], found, [])


def footprints(*places):
    return np.array([shapely.box(x, y, x + e, y + e) for x, y, e in places], dtype=object)


@pytest.mark.parametrize(
    ("buildings", "expected"),
    [
        ([("A", 0, 0, 10)], ("A",)),
        ([("Z", 0.3, 0.2, 10)], ("Z",)),
        ([("A", 40, 0, 10)], ()),  # the id alone does not do
        ([("A", 40, 0, 10), ("Z", 0, 0, 10)], ("Z",)),
        ([("A", 0, 0, 10), ("Z", 0, 0, 10)], ("A",)),  # of two in one place the one with the id
        ([("Y", 0, 0, 5), ("Z", 5, 0, 5)], ("Y", "Z")),  # one outline, two buildings
        ([("A", 0, 0, 5), ("Z", 5, 0, 5)], ("A", "Z")),
        ([("Z", 0, 0, 30)], ("Z",)),  # one building, several outlines
        ([("Z", 7, 0, 10)], ()),  # a neighbour that overlaps a little
    ],
)
def test_buildings_are_found_by_place_and_told_apart_by_id(buildings, expected):
    (found,) = buildings_on(["A"], footprints((0, 0, 10)), squares(*buildings))
    assert found.building_ids == expected
    assert {surface.building_id for surface in found.surfaces} == set(expected)


def test_buildings_without_a_ground_are_found_by_their_roofs():
    found = buildings_on(["A"], footprints((0, 0, 10)), squares(("Z", 0, 0, 10), kind="roof"))
    assert found[0].building_ids == ("Z",)


def test_footprints_without_area_have_no_building():
    plans = np.append(footprints((0, 0, 10)), None)
    found = buildings_on(["A", "B"], plans, squares(("A", 0, 0, 10), ("B", 20, 0, 10)))
    assert [one.building_ids for one in found] == [("A",), ()]


def test_surfaces_that_could_not_be_read_are_counted():
    read = squares(("A", 0, 0, 10))
    read.faults.append(SurfaceFault("A", "", "A-1", "unreadable coordinates"))
    (found,) = buildings_on(["A"], footprints((0, 0, 10)), read)
    assert found.marks == ("LoD2: 1 surface could not be read",)
