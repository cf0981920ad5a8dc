"""Solar duty: what the data can tell under the law of Rheinland-Pfalz, and what it cannot."""

from __future__ import annotations

import datetime
import tomllib
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from solarkataster.errors import InputError
from solarkataster.rating.duty import NONE, ON_NEW_BUILD, ON_RENOVATION, no_rules, solar_duty
from solarkataster.rules.duty import DutyRules

FOLDER = resources.files("solarkataster.rules").joinpath("duty")
SHIPPED = tomllib.loads(FOLDER.joinpath("rheinland-pfalz.toml").read_text(encoding="utf-8"))
RLP = DutyRules.model_validate(SHIPPED)
TODAY = datetime.date(2026, 11, 22)
LAW = "LSolarG Rheinland-Pfalz, Fassung vom 22.11.2023"


def duty(use="", owner="", *, own=False, footprint=400.0, usable=None, height=8.0, **more):
    """Answer and basis of one building."""
    table = pd.DataFrame(
        {
            "use_class": [use],
            "owner_class": [owner],
            "is_own_building": [own],
            "height_m": [height],
        }
    )
    asked = {"as_of": TODAY, "usable_area_m2": None if usable is None else np.array([usable])}
    row = solar_duty(table, RLP, footprint_area_m2=np.array([footprint]), **(asked | more)).iloc[0]
    return row["solar_duty"], row["solar_duty_basis"]


def test_business_would_be_bound_if_built_anew():
    """§ 2 (1) no. 1 LSolarG: applications since 1 January 2023, more than 100 m² of usable area."""
    assert duty("Gewerbe") == (
        ON_NEW_BUILD,
        f"§ 2 Abs. 1 Nr. 1 und § 4 {LAW}: Neubau über 100 m² Nutzfläche, Bauantrag ab 01.01.2023",
    )
    assert duty("Handel", "privat")[0] == ON_NEW_BUILD


def test_public_building_would_be_bound_when_its_roof_is_renovated():
    """§ 2 (1) no. 3 and sentence 2, applications since 1 January 2024."""
    answer, basis = duty("Bildung und Soziales", "kommunal")
    assert answer == ON_RENOVATION
    assert "Neubau und grundlegende Dachsanierung" in basis
    assert "ab 01.01.2024" in basis
    assert duty("Sport", own=True)[0] == ON_RENOVATION
    assert duty("Büro und Verwaltung", "Land/Bund")[0] == ON_RENOVATION


def test_home_is_not_bound_but_to_be_prepared():
    answer, basis = duty("Wohnen")
    assert answer == NONE
    assert "vorzubereiten (§ 2 Abs. 2 und § 4a, seit 01.01.2024)" in basis
    assert duty("Landwirtschaft")[0] == NONE
    assert duty("Kultur und Kirche", "Kirche")[0] == NONE


@pytest.mark.parametrize(
    ("use", "owner", "why"),
    [
        ("", "", "Nutzung des Gebäudes nicht bekannt"),
        ("", "kommunal", "Nutzung des Gebäudes nicht bekannt"),
        ("Raumstation", "", "Nutzung „Raumstation“ ist keiner Gruppe des Gesetzes zugeordnet"),
        ("Bildung und Soziales", "", "öffentliche Nutzung, aber Eigentümer nicht bekannt"),
        ("Büro und Verwaltung", "", "überwiegend gewerblich genutzt wird, ist nicht bekannt"),
        ("Büro und Verwaltung", "Gewerbe", "überwiegend gewerblich genutzt wird"),
        ("Wohnen und Gewerbe", "privat", "überwiegend gewerblich genutzt wird"),
        ("Wohnen", "kommunal", "öffentlicher Eigentümer, aber keine öffentliche"),
    ],
)
def test_what_the_data_do_not_tell_stays_unknown(use, owner, why):
    answer, basis = duty(use, owner)
    assert answer.startswith("unbekannt: ")
    assert why in answer
    assert basis == LAW


def test_area_decides_only_where_its_bounds_agree():
    """Half of 201 m² is more than 100 m²; 20 m² on ceil(6 / 2.3) + 1 = 4 storeys are at most 80."""
    assert duty("Gewerbe", footprint=201.0)[0] == ON_NEW_BUILD
    assert duty("Gewerbe", footprint=20.0, height=6.0)[0] == NONE
    assert duty("Gewerbe", footprint=150.0, height=3.0)[0] == (
        "unbekannt: Nutzfläche nicht bekannt, die Pflicht gilt über 100 m²"
    )
    assert duty("Gewerbe", footprint=20.0, height=np.nan)[0].startswith("unbekannt: Nutzfläche")
    assert duty("Gewerbe", footprint=np.nan)[0].startswith("unbekannt: Nutzfläche")


def test_given_area_outweighs_bounds_and_the_limit_itself_is_free():
    assert duty("Gewerbe", footprint=1000.0, usable=100.0)[0] == NONE
    assert duty("Gewerbe", footprint=20.0, usable=100.5)[0] == ON_NEW_BUILD
    assert duty("Gewerbe", footprint=20.0, usable=np.nan)[0] == NONE


def test_day_of_the_application_counts():
    """Public buildings from 2024 on, businesses from 2023 on."""
    in_2023 = datetime.date(2023, 6, 1)
    assert duty("Gewerbe", as_of=in_2023)[0] == ON_NEW_BUILD
    answer, basis = duty("Sport", "kommunal", as_of=in_2023)
    assert answer == NONE
    assert basis.endswith("; am 01.06.2023 noch nicht")
    assert "vorzubereiten" not in duty("Wohnen", as_of=in_2023)[1]


def test_state_without_rules_is_unknown():
    table = pd.DataFrame({"use_class": ["Gewerbe", ""]})
    areas = np.array([400.0, 50.0])
    result = solar_duty(table, None, footprint_area_m2=areas, as_of=TODAY, state="Hessen")
    assert (
        result["solar_duty"].to_list() == ["unbekannt: für Hessen ist keine Regel hinterlegt"] * 2
    )
    assert result["solar_duty_basis"].to_list() == ["", ""]
    assert no_rules("") == "unbekannt: kein Land angegeben"


def test_columns_that_are_missing_are_unknown():
    table = pd.DataFrame({"use_class": ["Gewerbe", None]}, index=[7, 9])
    result = solar_duty(table, RLP, footprint_area_m2=np.array([400.0, 400.0]), as_of=TODAY)
    assert result["solar_duty"].to_list() == [
        ON_NEW_BUILD,
        "unbekannt: Nutzung des Gebäudes nicht bekannt",
    ]
    assert result.index.to_list() == [7, 9]


def test_areas_of_other_buildings_are_refused():
    with pytest.raises(InputError, match="footprint_area_m2 has 2 values"):
        solar_duty(
            pd.DataFrame({"use_class": ["Gewerbe"]}),
            RLP,
            footprint_area_m2=np.zeros(2),
            as_of=TODAY,
        )


def test_every_use_that_demand_knows_has_a_group():
    """A use class in no group would be unknown under this law for no reason."""
    demand = tomllib.loads(
        resources.files("solarkataster.rules").joinpath("demand.toml").read_text(encoding="utf-8")
    )
    groups = RLP.groups
    known = {
        *groups.commercial, *groups.public, *groups.offices, *groups.unclear, *groups.residential,
        *groups.other,
    }  # fmt: skip
    assert {use["name"] for use in demand["use"].values()} == known


def test_every_owner_class_named_is_one_of_the_owners():
    owners = tomllib.loads(
        resources.files("solarkataster.rules").joinpath("owners.toml").read_text(encoding="utf-8")
    )
    groups = RLP.groups
    named = {*groups.public_owners, *groups.commercial_owners, *groups.private_owners}
    assert named <= {one["name"] for one in owners["owners"]["classes"]}


def test_every_shipped_state_can_be_read_and_names_its_sources():
    for file in FOLDER.iterdir():
        rules = DutyRules.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
        assert rules.law.name
        assert all(duty.source and duty.paragraphs for duty in rules.buildings.values())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"buildings": {"martian": SHIPPED["buildings"]["public"]}}, "commercial"),
        (
            {
                "buildings": {
                    "public": SHIPPED["buildings"]["public"] | {"above_usable_area_m2": -1.0}
                }
            },
            "greater than or equal to 0",
        ),
        ({"groups": SHIPPED["groups"] | {"other": ["Wohnen"]}}, "each use class in one group"),
        ({"law": {"name": "LSolarG"}}, "source"),
    ],
)
def test_wrong_rules_are_refused(changes, found):
    with pytest.raises(ValidationError, match=found):
        DutyRules.model_validate(SHIPPED | changes)
