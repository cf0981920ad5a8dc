"""Installed plants against the potential, by municipality, postcode, district and year."""

import numpy as np
import pandas as pd
import pytest
import shapely

from solarkataster.layers_statistics import INSTALLED_COLUMNS, INSTALLED_YEAR_COLUMNS
from solarkataster.rating.installed import installed_plants
from solarkataster.rating.statistics import UNNAMED

HERE = "Musterstadt"
STATISTICS = pd.DataFrame(
    {
        "level": ["municipality", "municipality", "district", "district"],
        "name": ["Musterstadt", "Musterstadt", "Nord", "Süd"],
        "surface": ["roofs", "walls", "roofs", "roofs"],
        "dc_power_kwp": [1000.0, 7000.0, 600.0, 400.0],
    }
)
DISTRICTS = (
    np.array(["Süd", "Nord"]),
    np.array([shapely.box(0, 0, 9, 10), shapely.box(0, 10, 9, 20)]),
)


def plants(**columns):
    """Plants of 2010 and 2012 in one postcode, of 2012 in another; no coordinates."""
    n = max([len(one) for one in columns.values() if not isinstance(one, str)], default=3)
    table = pd.DataFrame(
        {
            "power_kwp": np.resize([10.0, 30.0, 60.0], n),
            "commissioned": pd.to_datetime(
                np.resize(["2010-05-01", "2012-01-31", "2012-12-31"], n)
            ),
            "postcode": np.resize(["67655", "67655", "67657"], n),
            "ags": "07312000",
            "location_kind": "Gebäude",
            "easting_m": np.nan,
            "northing_m": np.nan,
        }
    )
    return table.assign(**columns)


def rows(found, level):
    return found.table[found.table["level"] == level].set_index("name")


def years(found, level="municipality"):
    return found.by_year[found.by_year["level"] == level].set_index("year")


def test_the_share_of_the_potential_is_that_of_roofs():
    found = installed_plants(plants(), HERE, STATISTICS)
    row = rows(found, "municipality").loc["Musterstadt"]
    assert (row["n_plants"], row["installed_kwp"], row["potential_kwp"]) == (3, 100.0, 1000.0)
    assert row["used_fraction"] == 0.1
    assert row["note"] == ""


def test_a_roof_plant_of_thousands_of_kilowatts_is_told_where_it_counts():
    table = plants(power_kwp=[9900.0, 5000.0, 60.0], location_kind=["Gebäude", "Gebäude", ""])
    found = installed_plants(table, HERE, STATISTICS)
    row = rows(found, "municipality").loc["Musterstadt"]
    told = "1 Anlage auf Gebäuden über 5.000 kWp, vielleicht Watt als Kilowatt eingetragen"
    assert row["note"].split("; ")[1] == told
    assert row["installed_kwp"] == 14_960.0
    assert told in rows(found, "postcode").loc["67655"]["note"]
    assert told not in rows(found, "postcode").loc["67657"]["note"]
    on_ground = installed_plants(table.assign(location_kind="Freifläche"), HERE, STATISTICS)
    assert "Watt" not in rows(on_ground, "municipality").loc["Musterstadt"]["note"]


def test_growth_by_year_by_hand():
    by_year = years(installed_plants(plants(), HERE, STATISTICS))
    assert by_year.index.tolist() == [2010, 2011, 2012]
    assert by_year["n_new"].tolist() == [1, 0, 2]
    assert by_year["new_kwp"].tolist() == [10.0, 0.0, 90.0]
    assert by_year["installed_kwp"].tolist() == [10.0, 10.0, 100.0]
    assert by_year["growth_fraction"].isna().tolist() == [True, False, False]
    assert by_year["growth_fraction"].tolist()[1:] == [0.0, 9.0]
    assert by_year["used_fraction"].tolist() == [0.01, 0.01, 0.1]


def test_plants_on_the_ground_and_balconies_use_no_roof():
    table = plants(
        location_kind=["Gebäude", "Freifläche", "Balkon", ""], power_kwp=[10, 750, 0.8, 5]
    )
    row = rows(installed_plants(table, HERE, STATISTICS), "municipality").loc["Musterstadt"]
    assert row["installed_kwp"] == 765.8
    assert (row["building_kwp"], row["balcony_kwp"], row["other_kwp"]) == (15.0, 0.8, 750.0)
    assert (row["n_balcony"], row["n_unknown_kind"]) == (1, 1)
    assert row["used_fraction"] == 0.015


def test_postcodes_and_districts_sum_up_to_the_municipality():
    rng = np.random.default_rng(4)
    n = 200
    east = np.where(rng.random(n) < 0.5, np.nan, rng.uniform(-2, 11, n))
    table = plants(
        power_kwp=rng.uniform(1, 50, n),
        postcode=rng.choice(["67655", "67657", ""], n),
        location_kind=rng.choice(["Gebäude", "Balkon", "Freifläche", ""], n),
        easting_m=east,
        northing_m=np.where(np.isnan(east), np.nan, rng.uniform(-2, 22, n)),
        commissioned=pd.to_datetime(rng.choice(["2015-01-01", "2018-06-30", None], n)),
    )
    found = installed_plants(table, HERE, STATISTICS, DISTRICTS)
    whole = rows(found, "municipality").iloc[0]
    sums = [c.name for c in INSTALLED_COLUMNS if c.name.startswith("n_") or c.name.endswith("_kwp")]
    sums.remove("potential_kwp")
    for level in ("postcode", "district"):
        parts = rows(found, level)
        assert parts.index[-1] == UNNAMED
        np.testing.assert_allclose(
            parts[sums].astype("float64").sum(), whole[sums].astype("float64"), rtol=1e-12
        )
    assert whole["n_plants"] == n


def test_plants_without_coordinates_are_in_no_district():
    table = plants(easting_m=[5.0, np.nan, 5.0], northing_m=[15.0, np.nan, 25.0])
    found = rows(installed_plants(table, HERE, STATISTICS, DISTRICTS), "district")
    assert found["n_plants"].to_dict() == {"Nord": 1, "Süd": 0, UNNAMED: 2}
    assert found["used_fraction"].isna().all()
    assert found["note"].str.contains("nur Anlagen mit Koordinaten").all()


def test_districts_have_a_share_if_every_plant_has_coordinates():
    table = plants(easting_m=[5.0] * 3, northing_m=[15.0, 5.0, 5.0])
    found = rows(installed_plants(table, HERE, STATISTICS, DISTRICTS), "district")
    assert found["used_fraction"].dropna().to_dict() == {"Nord": 10 / 600, "Süd": 90 / 400}


def test_plants_of_several_municipalities_have_no_share_of_the_potential():
    table = plants(ags=["07312000", "07335022", ""])
    found = rows(installed_plants(table, HERE, STATISTICS), "municipality").loc["Musterstadt"]
    assert (found["installed_kwp"], found["potential_kwp"]) == (100.0, 1000.0)
    assert np.isnan(found["used_fraction"])
    assert found["note"].startswith("Anlagen von 2 Gemeinden")


def test_what_makes_a_share_doubtful_is_told():
    more = rows(
        installed_plants(plants(power_kwp=[900.0, 200.0, 1.0]), HERE, STATISTICS), "municipality"
    )
    assert more["used_fraction"].iloc[0] == pytest.approx(1.101)
    assert more["note"].str.startswith("mehr gebaut als Potenzial").all()
    none = installed_plants(plants(), HERE, STATISTICS.assign(dc_power_kwp=0.0))
    assert rows(none, "municipality")["used_fraction"].isna().all()
    assert rows(none, "municipality")["note"].tolist() == ["kein Potenzial bekannt"]
    assert years(none)["used_fraction"].isna().all()


def test_plants_without_a_date_are_in_no_year_but_in_the_sum():
    table = plants(commissioned=pd.to_datetime(["2010-05-01", None, None]))
    found = installed_plants(table, HERE, STATISTICS)
    assert years(found)["installed_kwp"].tolist() == [10.0]
    assert rows(found, "municipality")[["installed_kwp", "n_without_date"]].values.tolist() == [
        [100.0, 2]
    ]


def test_columns_are_those_declared():
    found = installed_plants(plants(), HERE, STATISTICS)
    assert found.table.columns.tolist() == [column.name for column in INSTALLED_COLUMNS]
    assert found.by_year.columns.tolist() == [column.name for column in INSTALLED_YEAR_COLUMNS]
    assert str(found.by_year["year"].dtype) == "Int64"
