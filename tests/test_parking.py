"""Car parks: spaces, canopies, yield and duty against hand-worked figures."""

from __future__ import annotations

import datetime
import tomllib
from importlib import resources
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import shapely
from open_light import recorded_light
from pydantic import ValidationError
from test_duty import RLP
from weather_files import ELEVATION_M, LATITUDE, LONGITUDE, made_up_year

from solarkataster.hourly_sky import hourly_sky
from solarkataster.io.rules import load_rules
from solarkataster.pv.plant import plant_model, plant_output
from solarkataster.rating.parking import PARKING_COLUMNS, parking_potential
from solarkataster.rules.rating import CarParks, RatingRules
from solarkataster.stages.yield_basis import YieldBasis
from solarkataster.weather import Weather

SHIPPED = tomllib.loads(
    resources.files("solarkataster.rules").joinpath("rating.toml").read_text(encoding="utf-8")
)
RULES = RatingRules.model_validate(SHIPPED).car_parks
TODAY = datetime.date(2026, 11, 22)


def car_parks(*sizes_m2: float, **columns) -> gpd.GeoDataFrame:
    shapes = [shapely.box(0, 0, size, 1) if size else None for size in sizes_m2]
    table = {"parking_id": [f"p{i}" for i in range(1, len(shapes) + 1)], "name": ""}
    return gpd.GeoDataFrame(table | columns, geometry=shapes, crs="EPSG:25832")


def potential(table, duty=RLP, specific_yield_kwh_per_kwp=950.0, **more):
    return parking_potential(
        table,
        RULES,
        duty,
        specific_yield_kwh_per_kwp=specific_yield_kwh_per_kwp,
        **({"as_of": TODAY} | more),
    )


def test_canopy_of_a_car_park_of_2000_m2():
    """1206 m² of canopy, 0.208 kWp/m², 950 kWh/kWp; 2000 / 25 = 80 spaces."""
    row = potential(car_parks(2000.0, owner_class="kommunal")).iloc[0]
    assert row["canopy_area_m2"] == pytest.approx(1206.0)
    assert row["dc_power_kwp"] == pytest.approx(250.848)
    assert row["yield_year_kwh"] == pytest.approx(238_305.6)
    assert (row["n_spaces"], row["n_spaces_source"]) == (80.0, "geschätzt aus der Fläche")
    assert row["solar_duty"] == "würde bei Neubau gelten"
    assert "§ 5 LSolarG Rheinland-Pfalz" in row["solar_duty_basis"]
    assert row["reason"].startswith("Ohne Schatten gerechnet")


def test_more_spaces_than_fit_side_by_side_are_told():
    # 1000 m² ÷ 8 m² = 125 spaces without a lane; a park without outline has nothing to compare.
    table = car_parks(1000.0, 1000.0, 1000.0, 0.0, n_spaces=[126.0, 125.0, np.nan, 500.0])
    found = potential(table, light_fraction=np.ones(4))
    assert found["reason"].tolist() == [
        "Stellplätze unglaubwürdig: 126 angegeben, auf 1.000 m² passen höchstens 125 nebeneinander",
        "", "", "Keine Fläche: der Umriss fehlt",
    ]  # fmt: skip
    assert found["n_spaces"].tolist() == [126.0, 125.0, 40.0, 500.0]
    unlit = potential(table)["reason"]
    assert unlit[0].startswith("Stellplätze unglaubwürdig")
    assert unlit[0].endswith("; " + unlit[1])


def test_the_yield_of_a_canopy_follows_the_tilt_of_the_rules():
    """Against one plane through hourly light and plant; 40° yields more than the shipped 10°."""
    year, book = made_up_year(), load_rules()
    bhi, dhi = year["bhi"].to_numpy(), year["dhi"].to_numpy()
    weather = Weather(
        year.index, bhi + dhi, dhi, bhi, year["temp_air"].to_numpy(), np.full(8760, 2.5),
        LATITUDE, LONGITUDE, ELEVATION_M, "made up", "made up", "start",
    )  # fmt: skip
    plant = plant_model(book.plant)
    config = SimpleNamespace(irradiation=SimpleNamespace(albedo=0.2))
    hourly = hourly_sky(weather, "perez")
    found = []
    for tilt_deg in (RULES.tilt_deg, 40.0):
        parks = RULES.model_copy(update={"tilt_deg": tilt_deg})
        rating = book.rating.model_copy(update={"car_parks": parks})
        changed = book.model_copy(update={"rating": rating})
        basis = YieldBasis(config, changed, weather, None, hourly, plant, 0.0)
        light = recorded_light(weather, [(tilt_deg, 180.0)])
        alone = plant_output(light, [tilt_deg], "rack", weather, plant)
        found.append(basis.canopy_yield_kwh_per_kwp)
        assert found[-1] == pytest.approx(alone.specific_yield_kwh_per_kwp[0], rel=1e-3)
    assert RULES.tilt_deg == 10.0
    assert found[1] > 1.03 * found[0]


def test_power_of_all_german_car_parks_is_that_of_the_source():
    """470.6 km² carry 59 GWp on 284 km² (Haider, Fraunhofer ISE, 2023)."""
    row = potential(car_parks(470.6e6)).iloc[0]
    assert row["canopy_area_m2"] == pytest.approx(284e6, rel=2e-3)
    assert row["dc_power_kwp"] == pytest.approx(59e6, rel=2e-3)


@pytest.mark.parametrize(
    ("spaces", "owner", "answer"),
    [
        (50.0, "kommunal", "würde bei Neubau gelten"),
        (50.0, "Gewerbe", "würde bei Neubau gelten"),
        (49.0, "kommunal", "gilt nicht"),
        (49.0, "", "gilt nicht"),
        (300.0, "privat", "gilt nicht"),
        (
            300.0,
            "",
            "unbekannt: ob der Parkplatz gewerblich oder öffentlich genutzt wird, ist nicht "
            "bekannt",
        ),
    ],
)
def test_given_spaces_and_owner_decide_the_duty(spaces, owner, answer):
    row = potential(car_parks(100.0, n_spaces=spaces, owner_class=owner)).iloc[0]
    assert (row["n_spaces"], row["n_spaces_source"]) == (spaces, "angegeben")
    assert row["solar_duty"] == answer


def test_estimated_spaces_decide_only_where_the_bounds_agree():
    """40 to 60 % of the area at 12.5 m² a space: 1200 m² hold 38 to 57, 1000 m² 32 to 48."""
    answers = potential(car_parks(1600.0, 1200.0, 1000.0, owner_class="kommunal"))["solar_duty"]
    assert answers.to_list() == [
        "würde bei Neubau gelten",
        "unbekannt: geschätzt sind 48 Stellplätze, die Pflicht gilt ab 50",
        "gilt nicht",
    ]


def test_day_of_the_application_counts():
    """Public car parks from 2024 on, those of businesses from 2023 on."""
    table = car_parks(5000.0, 5000.0, owner_class=["kommunal", "Gewerbe"])
    answers = potential(table, as_of=datetime.date(2023, 6, 1))["solar_duty"]
    assert answers.to_list() == ["gilt nicht", "würde bei Neubau gelten"]


def test_impossible_numbers_of_spaces_are_estimated_instead():
    sources = potential(car_parks(500.0, 500.0, 500.0, n_spaces=[None, -3, "viele"]))
    assert set(sources["n_spaces_source"]) == {"geschätzt aus der Fläche"}
    assert sources["n_spaces"].to_list() == [20.0] * 3


def test_unknown_yield_state_and_outline_are_told():
    row = potential(car_parks(2000.0), None, np.nan, state="Hessen").iloc[0]
    assert np.isnan(row["yield_year_kwh"])
    assert row["reason"] == "Kein Ertrag: der Ertrag am Ort ist nicht bekannt"
    assert row["solar_duty"] == "unbekannt: für Hessen ist keine Regel hinterlegt"
    row = potential(car_parks(0.0)).iloc[0]
    assert np.isnan(row["dc_power_kwp"])
    assert row["n_spaces_source"] == ""
    assert row["reason"] == "Keine Fläche: der Umriss fehlt"
    assert row["solar_duty"].startswith("unbekannt: Fläche und Zahl")


def test_shade_is_taken_off_where_it_is_known():
    row = potential(car_parks(1000.0), light_fraction=np.array([0.8])).iloc[0]
    assert row["yield_year_kwh"] == pytest.approx(0.8 * 1000 * 0.603 * 0.208 * 950)
    assert row["reason"] == ""


def test_columns_are_those_declared_also_without_car_parks():
    assert tuple(potential(car_parks(100.0)).columns) == PARKING_COLUMNS
    assert tuple(potential(car_parks(100.0)[:0]).columns) == PARKING_COLUMNS


def test_shares_out_of_order_are_refused():
    with pytest.raises(ValidationError, match="between spaces_fraction_low"):
        CarParks.model_validate(SHIPPED["car_parks"] | {"spaces_fraction": 0.7})
