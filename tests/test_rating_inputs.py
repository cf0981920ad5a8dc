"""Inputs of rating: what footprints say, and the layers and lists beside them."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from small_inputs import CRS, NORTH_M, WEST_M, check, outlines, rewrite_footprints, write_config
from test_installed_plants_file import unit
from test_installed_plants_file import write as write_plants

from solarkataster.checks.rating import COLUMN_KEYS, RatingInputs, check_rating
from solarkataster.checks.settings import use_notes
from solarkataster.config import load_config
from solarkataster.errors import InputErrors
from solarkataster.io.column_values import numbers_of
from solarkataster.io.footprints import read_footprints
from solarkataster.io.rules import load_rules
from solarkataster.rating.districts import district_of, overlaps_of
from solarkataster.rating.monuments import monument_kinds
from solarkataster.stages.stored import read_inputs, write_inputs

#: The town of `small_inputs`: 12 x 12 houses on 120 x 120 m.
TOWN = shapely.box(WEST_M, NORTH_M - 120.0, WEST_M + 120.0, NORTH_M)


def half(side: str) -> shapely.Polygon:
    """One half of the town; six columns of houses each."""
    west_m = WEST_M + (60.0 if side == "east" else 0.0)
    return shapely.box(west_m, NORTH_M - 120.0, west_m + 60.0, NORTH_M)


def write(path: Path, columns: dict, shapes, crs=CRS) -> Path:
    table = gpd.GeoDataFrame(columns, geometry=list(shapes), index=range(len(shapes)), crs=CRS)
    table.to_crs(crs).to_file(path, engine="pyogrio")
    return path


def judged(folder: Path, extra: str = "", columns: dict | None = None, **inputs):
    """What `check` finds of the inputs of rating alone: rating, marks, faults, notes."""
    notes: list[str] = []
    table = outlines().assign(**(columns or {}))
    (folder / "footprints.gpkg").unlink(missing_ok=True)
    table.to_file(folder / "footprints.gpkg", engine="pyogrio")
    config = load_config(write_config(folder, extra, **inputs))
    named = {key: getattr(config.inputs, key) for key in COLUMN_KEYS}
    read = read_footprints(config.inputs.footprints, "gml_id", None, CRS, named=named)
    found = check_rating(config, CRS, read, read.geometry.to_numpy(), TOWN, notes)
    return *found, notes


def only_fault(faults):
    (one,) = faults
    assert one.where
    assert one.expected
    assert one.remedy
    return one


# What footprints say


def column(first, rest=None) -> list:
    """Values of the first houses, the same for all others."""
    return [*first, *([rest] * (144 - len(first)))]


def test_columns_of_footprints_become_known_values_and_stay_unknown_where_empty(tmp_path):
    columns = {
        "strom": column([3500.0, 0.0]),
        "flaeche": column(["120,5", "1.234,5", "k. A."], ""),
        "wer": column(["privat ", "Stadt"]),
        "wohnungen": column([2, 0], 1),
        "use": column([1000.0, None], 2020.0),
    }
    rating, marks, faults, notes = judged(
        tmp_path, columns=columns, footprint_use="use", footprint_demand="strom",
        footprint_floor_area="flaeche", footprint_owner="wer", footprint_flats="wohnungen",
    )  # fmt: skip
    assert not faults
    assert not marks
    first = rating.buildings.head(3)
    np.testing.assert_array_equal(first["annual_demand_kwh"], [3500.0, 0.0, np.nan])
    np.testing.assert_array_equal(first["floor_area_m2"], [120.5, 1234.5, np.nan])
    np.testing.assert_array_equal(first["n_flats"], [2.0, 0.0, 1.0])
    assert first["owner"].tolist() == ["privat", "Stadt", ""]
    assert first["use"].tolist() == ["1000", "", "2020"]
    assert "footprint_demand: column strom says it for 2 of 144 footprints" in notes


BOOK = load_rules(None, None)


def told_of_uses(folder: Path, uses: list[str]) -> str:
    rating, *_ = judged(folder, columns={"art": uses}, footprint_use="art")
    assert use_notes(rating.buildings["use"], None) == []
    (note,) = use_notes(rating.buildings["use"], BOOK)
    return note


def test_uses_that_the_rules_do_not_know_are_told(tmp_path):
    start = "footprint_use: the rules know the use of"
    all_known = told_of_uses(tmp_path, column(["Wohngebäude", "31001_2020"], "1000"))
    assert all_known == f"{start} 144 of 144 footprints"
    most = told_of_uses(tmp_path, column(["Hütte", "", "Villa", "Villa"], "1000"))
    assert most == f"{start} 140 of 143 footprints; not Villa, Hütte"
    # Half of them is enough, one less is not.
    half = told_of_uses(tmp_path, column(["Villa"] * 72, "1000"))
    assert half == f"{start} 72 of 144 footprints; not Villa"
    less = told_of_uses(tmp_path, column(["Villa"] * 73, "1000"))
    assert less.startswith(f"{start} 71 of 144 footprints; not Villa. Buildings of unknown use ")
    none = told_of_uses(tmp_path, column([f"u{i}" for i in range(6)], "u5"))
    assert none.startswith(f"{start} none of 144 footprints; not u5, u0, u1, u2, u3, …. Build")
    assert "[demand.use_codes]" in none


def test_nothing_named_means_nothing_known(tmp_path):
    rating, marks, faults, notes = judged(tmp_path)
    assert (marks, faults, notes) == ({}, [], [])
    assert rating.buildings["building_id"].tolist() == outlines()["gml_id"].tolist()
    assert rating.buildings["annual_demand_kwh"].isna().all()
    assert not rating.buildings["is_own_building"].any()
    assert rating.districts is rating.parking is rating.installed is rating.public_space is None
    assert rating.paths == ()


def test_few_wrong_values_are_unknown_and_mark_their_buildings(tmp_path):
    columns = {"d": column([-5.0, np.inf], 3000.0), "a": column(["0", "viel", "3.500"], "90")}
    rating, marks, faults, _ = judged(
        tmp_path, columns=columns, footprint_demand="d", footprint_floor_area="a"
    )
    assert not faults
    assert rating.buildings["annual_demand_kwh"].isna().tolist()[:3] == [True, True, False]
    assert rating.buildings["floor_area_m2"].isna().tolist()[:4] == [True, True, True, False]
    assert sorted(marks) == ["H000", "H001", "H002"]
    assert marks["H000"] == [
        "d = -5.0 is no demand in kWh a year: taken as unknown",
        "a = 0 is no floor area in m²: taken as unknown",
    ]
    assert "3.500" in marks["H002"][0]  # 3500 in German, 3.5 in English


@pytest.mark.parametrize(
    ("key", "value"),
    [("footprint_demand", "x"), ("footprint_floor_area", 0.0), ("footprint_flats", 1.5),
     ("footprint_flats", -1.0)],
)  # fmt: skip
def test_more_wrong_values_than_allowed_stop(tmp_path, key, value):
    n_bad, n = 8, 144  # 5.6 %
    good = "1" if isinstance(value, str) else 1.0
    columns = {"c": column([value] * n_bad, good)}
    *_, faults, _ = judged(tmp_path, columns=columns, **{key: "c"})
    one = only_fault(faults)
    assert one.where.endswith("footprints.gpkg")
    assert one.found.startswith(f"{n_bad} of {n} values in column c")
    assert "(H000)" in one.found
    assert f"{key} in [inputs]" in one.remedy
    more = "[limits]\nmax_bad_values_fraction = 0.06"
    _, marks, faults, _ = judged(tmp_path, more, columns=columns, **{key: "c"})
    assert not faults
    assert len(marks) == n_bad


def test_all_columns_that_are_missing_are_told_at_once(tmp_path):
    columns = {"strom": column([1.0])}
    with pytest.raises(InputErrors) as caught:
        judged(
            tmp_path, columns=columns, footprint_demand="stron", footprint_owner="owner",
            footprint_flats="flats", footprint_floor_area="area",
        )  # fmt: skip
    found = [one.found for one in caught.value.errors]
    assert found == [f"no column {name}" for name in ("owner", "stron", "area", "flats")]
    assert "Similar: strom" in caught.value.errors[1].remedy


def test_column_called_building_id_is_read_though_it_moves_aside(tmp_path):
    rating, *_ = judged(
        tmp_path, columns={"building_id": column(["Kirche"], "privat")},
        footprint_owner="building_id",
    )  # fmt: skip
    assert rating.buildings["owner"].tolist()[:2] == ["Kirche", "privat"]


@given(st.integers(-(10**9), 10**9), st.integers(0, 99))
@settings(deadline=None, max_examples=60)
def test_german_and_english_spellings_of_a_number_mean_the_same(whole, cents):
    number = whole + cents / 100.0 if whole >= 0 else whole - cents / 100.0
    english = f"{number:.2f}"
    german = f"{number:,.2f}".translate(str.maketrans(",.", ".,"))
    texts = pd.Series([english, english.replace(".", ","), german, f" {english} "])
    values, unreadable = numbers_of(texts)
    assert not unreadable.any()
    np.testing.assert_array_equal(values, [float(english)] * 4)


def test_yes_dates_and_words_are_no_numbers_and_nothing_is_nothing():
    values = pd.Series(
        [True, pd.Timestamp("2024-01-01"), "zwei", "1,234", None, "", "-", 7], dtype=object
    )
    numbers, unreadable = numbers_of(values)
    assert unreadable.tolist() == [True] * 4 + [False] * 4
    assert numbers.tolist()[-1] == 7.0
    assert np.isnan(numbers[:-1]).all()


# Districts


def test_every_building_gets_the_district_of_a_point_inside_it(tmp_path):
    write(
        tmp_path / "d.gpkg",
        {"ortsteil": ["West", "Ost"]},
        [half("west"), half("east")],
        "EPSG:4326",
    )
    rating, _, faults, notes = judged(tmp_path, districts="d.gpkg")
    assert not faults
    names = rating.buildings["district"].to_numpy().reshape(12, 12)
    assert set(names[:, :6].ravel()) == {"West"}
    assert set(names[:, 6:].ravel()) == {"Ost"}
    assert rating.districts["name"].tolist() == ["Ost", "West"]
    assert any("2 districts; 0 of 144 buildings lie in none" in note for note in notes)


def test_where_districts_overlap_the_first_by_name_counts_in_any_order_of_the_file():
    houses = outlines().geometry.to_numpy()
    areas = np.array([half("west"), half("east"), TOWN], dtype=object)
    names = np.array(["C", "B", "A"], dtype=object)
    found, doubtful = district_of(houses, names, areas)
    assert set(found) == {"A"}
    assert doubtful.all()
    for order in ([2, 1, 0], [1, 0, 2]):
        again, _ = district_of(houses, names[order], areas[order])
        assert again.tolist() == found.tolist()
    assert overlaps_of(names, areas) == [("A", "B", 7200.0), ("A", "C", 7200.0)]  # 60 x 120 m
    same = np.array(["A", "B", "A"], dtype=object)
    assert not district_of(houses[:1], same, areas)[1].any()  # two parts of one district


def test_outside_all_districts_and_without_outline_there_is_none():
    houses = np.array([outlines().geometry[0], outlines().geometry[11], None, shapely.Polygon()])
    found, _ = district_of(houses, np.array(["West"]), np.array([half("west")]))
    assert found.tolist() == ["West", "", "", ""]


def test_overlap_is_told_with_its_area(tmp_path):
    wide = half("east").buffer(10.0, join_style="mitre")
    write(tmp_path / "d.gpkg", {"name": ["W", "E"]}, [half("west"), wide])
    *_, notes = judged(tmp_path, districts="d.gpkg")
    assert any("E and W (1200 m²)" in note and "for 12 buildings" in note for note in notes)


def test_districts_need_names(tmp_path):
    write(tmp_path / "d.gpkg", {"name": ["W", " "]}, [half("west"), half("east")])
    assert (
        "1 of 2 districts have no name" in only_fault(judged(tmp_path, districts="d.gpkg")[2]).found
    )
    write(tmp_path / "e.gpkg", {"nr": [1]}, [TOWN])
    one = only_fault(judged(tmp_path, districts="e.gpkg")[2])
    assert "no column with the names" in one.found
    assert "nr" in one.expected
    one = only_fault(judged(tmp_path, districts="e.gpkg", district_name="nrr")[2])
    assert (one.found, one.remedy.split(".")[0]) == ("no column nrr", "Similar: nr")
    rating, _, faults, _ = judged(tmp_path, districts="e.gpkg", district_name="nr")
    assert not faults
    assert set(rating.buildings["district"]) == {"1"}


# Layers of areas


@pytest.mark.parametrize("key", ["districts", "parking", "public_space"])
def test_layers_of_areas_refuse_points_empty_files_and_files_that_are_none(tmp_path, key):
    write(tmp_path / "points.gpkg", {"name": ["x"]}, [TOWN.centroid])
    write(tmp_path / "empty.gpkg", {"name": []}, [])
    (tmp_path / "text.gpkg").write_text("Liste")
    for name, found in (
        ("points.gpkg", "1 of 1 geometries are no areas but Point"),
        ("empty.gpkg", "holds no geometry"),
        ("text.gpkg", "cannot be read as"),
        ("missing.gpkg", "file not found"),
    ):
        one = only_fault(judged(tmp_path, **{key: name})[2])
        assert found in one.found
        assert one.where.endswith(name)


def test_public_space_of_all_layers_counts_and_bow_ties_are_mended(tmp_path):
    west, south, east, north = half("west").bounds
    bow = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
    path = tmp_path / "p.gpkg"
    gpd.GeoDataFrame(geometry=[bow], crs=CRS).to_file(path, layer="squares")
    gpd.GeoDataFrame(geometry=[half("east"), None], crs=CRS).to_crs(3857).to_file(
        path, layer="roads"
    )
    rating, _, faults, _ = judged(tmp_path, public_space="p.gpkg")
    assert not faults
    assert shapely.is_valid(rating.public_space).all()
    # Half of 60 x 120 m lies in the two triangles of the bow tie.
    assert np.sort(shapely.area(rating.public_space)) == pytest.approx([3600.0, 7200.0], rel=1e-6)
    assert path in rating.paths


def test_spaces_of_car_parks_are_judged(tmp_path):
    shapes = [half("west"), half("east"), TOWN]
    columns = {"name": ["A", None, "C"], "Stellplätze": ["60", "x", None], "owner": ["Stadt"] * 3}
    write(tmp_path / "p.gpkg", columns, shapes)
    assert "1 of 2 values" in only_fault(judged(tmp_path, parking="p.gpkg")[2]).found
    limit = "[limits]\nmax_bad_values_fraction = 0.5"
    rating, _, faults, notes = judged(tmp_path, limit, parking="p.gpkg")
    assert not faults
    assert rating.parking["parking_id"].tolist() == ["p1", "p2", "p3"]
    assert rating.parking["name"].tolist() == ["A", "", "C"]
    np.testing.assert_array_equal(rating.parking["n_spaces"], [60.0, np.nan, np.nan])
    assert any("p2: Stellplätze = x is no number of spaces" in note for note in notes)


def test_car_parks_of_another_town_and_without_spaces_are_told(tmp_path):
    far = shapely.box(WEST_M + 9000.0, NORTH_M, WEST_M + 9100.0, NORTH_M + 50.0)
    write(tmp_path / "p.gpkg", {"nr": [1]}, [far])
    rating, _, faults, notes = judged(tmp_path, parking="p.gpkg")
    assert not faults
    assert np.isnan(rating.parking["n_spaces"]).all()
    assert any("none of 1 lies on the surface model" in note for note in notes)
    assert any("1 car parks, no column with their spaces" in note for note in notes)


# Monuments


def test_kinds_of_monuments_are_joined_per_building(tmp_path):
    houses = outlines().geometry.to_numpy()
    kinds = np.array(["Zone", "Bau", ""], dtype=object)
    shapes = np.array([half("west"), houses[0], houses[13]], dtype=object)
    found = monument_kinds(houses, shapes, kinds)
    assert (found[0], found[1], found[7], found[13]) == ("Bau; Zone", "Zone", "", "Zone")
    write(tmp_path / "m.gpkg", {"art": kinds}, shapes)
    rating, _, faults, _ = judged(tmp_path, monuments="m.gpkg", monument_kind="art")
    assert not faults
    assert rating.buildings["monument_kind"].tolist() == found.tolist()
    one = only_fault(judged(tmp_path, monuments="m.gpkg", monument_kind="kind")[2])
    assert one.found == "no column kind"


# Own buildings


def test_own_buildings_are_found_in_the_column_that_knows_most(tmp_path):
    text = "nr;gebaeude;name\n1;H003;Rathaus\n2;H001;Schule\n3;X9;Halle\n4;H003;Rathaus\n"
    (tmp_path / "own.csv").write_text(text, encoding="cp1252")
    rating, _, faults, notes = judged(tmp_path, own_buildings="own.csv")
    assert not faults
    assert np.flatnonzero(rating.buildings["is_own_building"]).tolist() == [1, 3]
    (note,) = notes
    assert "2 own buildings by column gebaeude; no footprint has 1 of the ids: X9" in note
    assert rating.unknown_own_ids == ("X9",)
    write_inputs(tmp_path, rating, outlines().geometry, None)
    assert read_inputs(tmp_path)[0].unknown_own_ids == ("X9",)


def test_own_buildings_come_from_any_format(tmp_path):
    outlines().iloc[[5, 7]].rename(columns={"gml_id": "id"}).to_file(tmp_path / "own.gpkg")
    rating, _, faults, _ = judged(tmp_path, own_buildings="own.gpkg", own_buildings_id="id")
    assert not faults
    assert np.flatnonzero(rating.buildings["is_own_building"]).tolist() == [5, 7]


def test_ids_of_another_numbering_stop(tmp_path):
    (tmp_path / "own.csv").write_text("nr;name\n1;Rathaus\n")
    one = only_fault(judged(tmp_path, own_buildings="own.csv")[2])
    assert "no id of a footprint in any column; it holds 1" in one.found
    assert "H000" in one.expected
    one = only_fault(judged(tmp_path, own_buildings="own.csv", own_buildings_id="gml")[2])
    assert one.found == "no column gml"
    assert "not found" in only_fault(judged(tmp_path, own_buildings="x.csv")[2]).found


# Installed plants


def plants(folder: Path, extra: str):
    """Two plants here, one elsewhere, one with a postcode alone."""
    write_plants(
        folder, unit(1), unit(2, lat="49,4877", lon="8,4661"),
        unit(3, ags="07336001", postcode="1"), unit(4, ags=""), unit(5, ags="", postcode="11111"),
    )  # fmt: skip
    path = write_config(folder, installed_plants="mastr.csv")
    text = path.read_text().replace('name = "Musterstadt"\n', f'name = "Musterstadt"\n{extra}\n')
    path.write_text(text)
    notes: list[str] = []
    none = np.zeros(0, dtype=object)
    rating, _, faults = check_rating(load_config(path), CRS, None, none, TOWN, notes)
    return rating.installed, faults, notes


@pytest.mark.parametrize(
    ("extra", "units"),
    [
        ("", [1, 2, 3, 4, 5]),
        ('ags = "07335999"', [1, 2]),
        ('ags = "07335999"\npostcodes = ["67999"]', [1, 2, 4]),
        ('postcodes = ["67999", "11111"]', [1, 2, 4, 5]),
    ],
)
def test_plants_count_by_municipality_key_and_by_postcode_where_they_have_none(
    tmp_path, extra, units
):
    found, faults, notes = plants(tmp_path, extra)
    assert not faults
    assert found.table["unit_id"].str[-1].astype(int).tolist() == units
    assert found.left_out.get("elsewhere", 0) == 5 - len(units)
    assert any(
        f"{len(units)} solar plants in operation, {9.9 * len(units):.1f} kWp" in one
        for one in notes
    )
    several = [note for note in notes if "2 municipalities" in note]
    assert len(several) == (extra == "")
    for note in several:
        assert "without a share of the potential" in note
        assert "name yours alone: ags in [municipality]" in note


def test_places_of_plants_are_in_the_system_of_the_run(tmp_path):
    found, _, _ = plants(tmp_path, 'ags = "07335999"')
    place = found.table[["easting_m", "northing_m"]].to_numpy()
    assert np.isnan(place[0]).all()
    # The same by geopandas.
    expected = gpd.GeoSeries.from_xy([8.4661], [49.4877], crs=4326).to_crs(CRS).get_coordinates()
    assert place[1] == pytest.approx(expected.to_numpy()[0], abs=1e-3)


def test_plants_of_another_municipality_alone_stop(tmp_path):
    one = only_fault(plants(tmp_path, 'ags = "01001000"')[1])
    assert "none of 5 plants is of the municipality, but of 07335999, 07336001" in one.found
    assert "key 01001000" in one.expected


def test_watts_that_may_stand_as_kilowatts_are_told(tmp_path):
    write_plants(tmp_path, unit(1, power="9900"), unit(2, power="5000"), unit(3))
    _, _, faults, notes = judged(tmp_path, installed_plants="mastr.csv")
    assert not faults
    (told,) = (note for note in notes if "as kilowatts" in note)
    assert "plants on buildings with more than 5000 kWp each: 1;" in told
    assert not any("as kilowatts" in note for note in plants(tmp_path, "")[2])


def test_many_plants_without_power_stop(tmp_path):
    write_plants(tmp_path, *(unit(i) for i in range(9)), unit(10, power="9. Sep"))
    faults = judged(tmp_path, installed_plants="mastr.csv")[2]
    assert "1 of 10 solar plants in operation have no power" in only_fault(faults).found


@pytest.mark.parametrize("line", ['ags = "7335999"', 'ags = "17335999"', 'postcodes = ["6799"]'])
def test_keys_and_postcodes_of_the_config_have_their_digits(tmp_path, line):
    path = write_config(tmp_path)
    path.write_text(path.read_text().replace("[inputs]", f"{line}\n[inputs]"))
    with pytest.raises(InputErrors, match=line.split(" ", 1)[0]):
        load_config(path)


# As a whole


def test_faults_of_all_inputs_come_at_once(tmp_path):
    names = (
        "districts",
        "parking",
        "public_space",
        "monuments",
        "installed_plants",
        "own_buildings",
    )
    faults = judged(tmp_path, **dict.fromkeys(names, "none.gpkg"))[2]
    assert len(faults) == len(names)
    for name in names:
        assert any(f"{name} in [inputs]" in one.remedy for one in faults), name


def test_check_takes_them_all_with_their_checksums_and_marks(folder):
    table = outlines().assign(strom=column([-1.0], 3000.0), art=column(["Villa"], "1000"))
    rewrite_footprints(folder, table)
    write(folder / "d.shp", {"name": ["Mitte"]}, [TOWN])
    write_config(folder, footprint_demand="strom", footprint_use="art", districts="d.shp")
    checked = check(folder)
    told = "footprint_use: the rules know the use of 143 of 144 footprints; not Villa"
    assert told in checked.notes
    assert isinstance(checked.rating, RatingInputs)
    assert set(checked.rating.buildings["district"]) == {"Mitte"}
    assert {str(folder / name) for name in ("d.shp", "d.dbf")} <= set(checked.checksums)
    assert checked.marks["H000"] == ["strom = -1.0 is no demand in kWh a year: taken as unknown"]


def test_every_file_that_is_named_is_among_the_paths(tmp_path):
    (tmp_path / "own.csv").write_text("id\nH001\n")
    rating, *_ = judged(tmp_path, own_buildings="own.csv", load_profile="load.csv")
    assert [path.name for path in rating.paths] == ["own.csv", "load.csv"]


def test_buildings_of_a_scenario_stand_behind_with_their_district_alone(tmp_path):
    write(tmp_path / "d.gpkg", {"name": ["West"]}, [half("west")])
    rating, *_ = judged(tmp_path, districts="d.gpkg")
    new = np.array([half("west").buffer(-20.0)], dtype=object)
    more = rating.with_added(["neu"], new).buildings
    assert len(more) == 145
    assert more.iloc[-1][["building_id", "district", "owner"]].tolist() == ["neu", "West", ""]
    assert more.dtypes.equals(rating.buildings.dtypes)
    pd.testing.assert_frame_equal(more.iloc[:-1], rating.buildings)
