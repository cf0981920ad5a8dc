"""Exports of the Marktstammdatenregister: both spellings, what counts, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solarkataster.errors import InputErrors
from solarkataster.io.column_values import register_dates, register_numbers
from solarkataster.io.installed_plants import read_installed_plants

#: Header of the website's extended view, as far as it matters here.
WEB = (
    "MaStR-Nr. der Einheit", "Anzeige-Name der Einheit", "Betriebs-Status", "Energieträger",
    "Bruttoleistung der Einheit", "Nettonennleistung der Einheit",
    "Inbetriebnahmedatum der Einheit", "Postleitzahl", "Ort", "Gemeindeschlüssel",
    "Koordinate: Breitengrad (WGS84)", "Koordinate: Längengrad (WGS84)",
    "Anzahl der Solar-Module", "Lage der Einheit",
)  # fmt: skip
#: The same columns in the Gesamtdatenexport.
EXPORT = (
    "EinheitMastrNummer", "NameStromerzeugungseinheit", "EinheitBetriebsstatus", "Energietraeger",
    "Bruttoleistung", "Nettonennleistung", "Inbetriebnahmedatum", "Postleitzahl", "Ort",
    "Gemeindeschluessel", "Breitengrad", "Laengengrad", "AnzahlModule", "ArtDerSolaranlage",
)  # fmt: skip
SOLAR, ROOF = "Solare Strahlungsenergie", "Bauliche Anlagen (Hausdach, Gebäude und Fassade)"


def unit(number=1, **changes) -> dict[str, str]:
    values = dict(zip(WEB, (
        f"SEE{number:012d}", "PV", "In Betrieb", SOLAR, "9,9", "8", "15.03.2021", "67999",
        "Musterstadt", "07335999", "", "", "24", ROOF,
    ), strict=True))  # fmt: skip
    keys = {"status": WEB[2], "energy": WEB[3], "power": WEB[4], "date": WEB[6], "postcode": WEB[7],
            "ags": WEB[9], "lat": WEB[10], "lon": WEB[11], "kind": WEB[13]}  # fmt: skip
    return values | {keys[name]: text for name, text in changes.items()}


def write(folder: Path, *units: dict[str, str], header=WEB, encoding="utf-8-sig") -> Path:
    lines = [header, *(tuple(one.values()) for one in units)]
    text = "\r\n".join(";".join(f'"{value}"' for value in line) for line in lines)
    path = folder / "mastr.csv"
    path.write_text(text + "\r\n", encoding=encoding, newline="")
    return path


def fault(path: Path):
    with pytest.raises(InputErrors) as caught:
        read_installed_plants(path)
    (one,) = caught.value.errors
    assert one.where == str(path)
    assert one.expected
    assert one.remedy
    return one


def test_web_export_with_byte_order_mark_and_decimal_commas(tmp_path):
    big = unit(2, power="1234,56", lat="49,443210", lon="7,771200", kind="Freifläche")
    found = read_installed_plants(write(tmp_path, unit(1), big))
    small, large = found.table.to_dict("records")
    assert (small["unit_id"], small["power_kwp"], small["net_power_kw"]) == (
        "SEE000000000001",
        9.9,
        8,
    )
    assert str(small["commissioned"].date()) == "2021-03-15"
    assert (small["postcode"], small["place"], small["ags"]) == ("67999", "Musterstadt", "07335999")
    assert (small["n_modules"], small["location_kind"]) == (24.0, "Gebäude")
    assert np.isnan([small["latitude"], small["longitude"]]).all()
    assert (large["power_kwp"], large["location_kind"]) == (1234.56, "Freifläche")
    assert (large["latitude"], large["longitude"]) == (49.44321, 7.7712)
    assert found.left_out == {}


def test_table_with_names_and_codes_of_the_gesamtdatenexport(tmp_path):
    values = ("SEE1", "PV", "35", "2495", "5.425", "5", "2019-05-07", "4103", "Leipzig", "14713000",
              "51.34", "12.37", "14", "2961")  # fmt: skip
    path = write(tmp_path, dict(zip(EXPORT, values, strict=True)), header=EXPORT, encoding="utf-8")
    (plant,) = read_installed_plants(path).table.to_dict("records")
    assert (plant["power_kwp"], plant["location_kind"]) == (5.425, "Balkon")
    assert (plant["postcode"], plant["ags"]) == ("04103", "14713000")  # the 0 a spreadsheet dropped
    assert (plant["latitude"], plant["longitude"]) == (51.34, 12.37)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_by_its_name_and_says_how_to_save(tmp_path, encoding):
    error = fault(write(tmp_path, unit(), encoding=encoding))
    assert "UTF-16" in error.found
    assert "Save it as UTF-8" in error.remedy


def test_old_encoding_is_read_too(tmp_path):
    assert len(read_installed_plants(write(tmp_path, unit(), encoding="cp1252")).table) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"energy": "Speicher"}, "of other energy"),
        ({"energy": "Wind", "status": "In Planung"}, "of other energy"),
        ({"status": "In Planung", "date": ""}, "planned"),
        ({"status": "Vorübergehend stillgelegt"}, "paused"),
        ({"status": "Endgültig stillgelegt"}, "closed"),
        ({"status": "?"}, "of unknown status"),
        ({"power": ""}, "without power"),
        ({"power": "-3"}, "without power"),
        ({"power": "9. Sep"}, "without power"),
    ],
)
def test_what_is_no_solar_plant_in_operation_is_counted_by_its_reason(tmp_path, change, reason):
    found = read_installed_plants(write(tmp_path, unit(1), unit(2, **change)))
    assert found.table["unit_id"].tolist() == ["SEE000000000001"]
    assert found.left_out == {reason: 1}
    assert found.n_bad == (reason == "without power")


def test_a_unit_listed_twice_counts_once(tmp_path):
    found = read_installed_plants(write(tmp_path, unit(1), unit(1), unit(2)))
    assert len(found.table) == 2
    assert found.left_out == {"repeated": 1}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ROOF, "Gebäude"),
        ("Gebäudesolaranlage", "Gebäude"),
        ("Steckerfertige Solaranlage (sog. Balkonkraftwerk)", "Balkon"),
        ("Freiflächensolaranlage", "Freifläche"),
        ("Großparkplatz", "Parkplatz"),
        ("Gewässer", "Gewässer"),
        ("Bauliche Anlagen (Sonstige)", "Sonstige"),
        ("", ""),
        ("Windkraft an Land", ""),
    ],
)
def test_where_a_plant_stands_is_read_in_the_words_of_all_versions(tmp_path, text, kind):
    table = read_installed_plants(write(tmp_path, unit(kind=text))).table
    assert table["location_kind"].tolist() == [kind]


def test_half_a_place_or_the_origin_is_no_place(tmp_path):
    units = [unit(1, lat="49,4"), unit(2, lat="0", lon="0"), unit(3, lat="449,4", lon="7,7")]
    table = read_installed_plants(write(tmp_path, *units)).table
    assert np.isnan(table[["latitude", "longitude"]].to_numpy()).all()


def test_numbers_and_dates_of_both_exports():
    import pandas as pd

    numbers = register_numbers(pd.Series(["9,9", "9.9", "1.234,5", "12", "", "x", "inf"]))
    np.testing.assert_array_equal(numbers, [9.9, 9.9, 1234.5, 12.0, np.nan, np.nan, np.nan])
    dates = register_dates(
        pd.Series(["01.02.2023", "2023-02-01", "2023-02-01T00:00:00", "", "32."])
    )
    assert [str(day.date()) if day == day else "" for day in dates] == ["2023-02-01"] * 3 + [""] * 2


# What is refused


def test_columns_that_are_missing_are_named_together(tmp_path):
    header = [name for name in WEB if name not in (WEB[2], WEB[4], WEB[7], WEB[9])]
    path = write(tmp_path, {name: unit()[name] for name in header}, header=header)
    found = fault(path).found
    for name in ("Betriebs-Status", "Bruttoleistung der Einheit", "Postleitzahl or Gemeinde"):
        assert name in found
    assert "Energieträger" not in found


def test_a_table_of_something_else_is_refused_with_its_columns(tmp_path):
    (tmp_path / "trees.csv").write_text("baumnr;hoehe\n1;12\n", encoding="utf-8")
    one = fault(tmp_path / "trees.csv")
    assert "baumnr, hoehe" in one.expected


def test_an_export_without_solar_plants_is_refused_with_what_it_holds(tmp_path):
    path = write(tmp_path, unit(1, energy="Wind"), unit(2, status="In Planung"))
    assert "among 2 units: 1 of other energy, 1 planned" in fault(path).found


def test_lines_longer_than_the_header_are_refused(tmp_path):
    path = write(tmp_path, unit())
    path.write_text(path.read_text(encoding="utf-8-sig") + '"a"' + ';"b"' * 14 + "\n")
    assert "cannot be read as a table" in fault(path).found


@pytest.mark.parametrize(("name", "found"), [("none.csv", "not found"), ("export.xml", "is .xml")])
def test_missing_file_and_raw_export_say_what_to_do(tmp_path, name, found):
    (tmp_path / "export.xml").write_text("<EinheitenSolar/>")
    assert found in fault(tmp_path / name).found
