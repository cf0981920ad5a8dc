"""Classes of owners from texts and codes."""

import tomllib
from importlib.resources import files

import numpy as np
import pytest

from solarkataster.rating.owners import owner_classes
from solarkataster.rules.owners import OwnerRules

TEXT = (files("solarkataster.rules") / "owners.toml").read_text(encoding="utf-8")
RULES = OwnerRules.model_validate(tomllib.loads(TEXT)).owners


def class_of(text):
    return owner_classes([text], np.array([False]), RULES)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Stadt Musterstadt", "kommunal"),
        ("Stadtwerke Musterstadt GmbH", "kommunal"),
        ("Ev. Kirchengemeinde Musterstadt", "Kirche"),
        ("Wohnungsbaugesellschaft der Stadt Musterstadt mbH", "Wohnungsunternehmen"),
        ("Land Rheinland-Pfalz", "Land/Bund"),
        ("Bundesanstalt für Immobilienaufgaben", "Land/Bund"),
        ("Land- und Gartenmarkt GmbH", "Gewerbe"),
        ("Städtische Betriebe", "kommunal"),
        ("PRIVAT", "privat"),
        ("Müller, Hans", ""),
        ("Bund-Länder-Kommission", ""),
        ("", ""),
        (None, ""),
        (np.nan, ""),
    ],
)
def test_an_owner_is_read_by_whole_words(text, expected):
    assert class_of(text) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    # AdV, GeoInfoDok, AX_Eigentuemerart_Namensnummer: person, cooperative, other non-profit, bank,
    # Catholic church, federal, municipality, own state's police, Rheinland-Pfalz, unknown.
    [
        (1100, "privat"),
        (2100, "Wohnungsunternehmen"),
        (2200, ""),
        (2400, "Gewerbe"),
        ("4200", "Kirche"),
        ("5100", "Land/Bund"),
        (5500.0, "kommunal"),
        ("5927", "Land/Bund"),
        ("6007", "Land/Bund"),
        ("9000", ""),
    ],
)
def test_a_code_of_the_cadastre_is_read_with_those_under_it(code, expected):
    assert class_of(code) == expected


def test_the_own_list_counts_more_than_the_text():
    found = owner_classes(["privat", "", "privat"], np.array([True, True, False]), RULES)
    assert found.tolist() == ["kommunal", "kommunal", "privat"]


def test_every_class_is_found_by_its_own_name():
    assert [class_of(one.name) for one in RULES.classes] == [one.name for one in RULES.classes]
    assert RULES.own in {one.name for one in RULES.classes}
