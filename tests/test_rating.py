"""Classes and their reasons: known answers, then laws, wrong rules and speed."""

from __future__ import annotations

import datetime
import re
import time
import tomllib
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from solarkataster.errors import InputError
from solarkataster.facades.walls import LOW, NO_HEIGHT, PARTY_WALL
from solarkataster.layout.reasons import (
    MONUMENT,
    Demand,
    both_reason,
    dark_reason,
    facing_reason,
    no_data_reason,
    obstacle_reason,
    patchy_reason,
    small_reason,
)
from solarkataster.quality import REMOVED_MARK
from solarkataster.rating.classes import CLASSES, class_limits, rate_surfaces, unreachable_classes
from solarkataster.rating.rated_tables import Site, class_notes, rate_run
from solarkataster.rating.reasons import age_words, german_number, german_reason
from solarkataster.rules.duty import DutyRules
from solarkataster.rules.rating import RatingRules

SHIPPED = tomllib.loads(
    resources.files("solarkataster.rules").joinpath("rating.toml").read_text(encoding="utf-8")
)
RULES = RatingRules.model_validate(SHIPPED)
RLP = DutyRules.model_validate(
    tomllib.loads(
        resources.files("solarkataster.rules")
        .joinpath("duty/rheinland-pfalz.toml")
        .read_text(encoding="utf-8")
    )
)
SWISS = RatingRules.model_validate(SHIPPED | {"choice": {"roofs": "swiss", "walls": "swiss"}})
BEST_KWH_M2, BEST_WALL_KWH_M2 = 1200.0, 860.0
SITE = Site(BEST_KWH_M2, BEST_WALL_KWH_M2, datetime.date(2026, 11, 22))
ROOFS = class_limits(RULES, "roofs", BEST_KWH_M2)


def roofs(year_kwh_m2=1080.0, **columns) -> pd.DataFrame:
    """Roofs that face south at 35° and hold modules, unless told otherwise."""
    year = np.atleast_1d(np.asarray(year_kwh_m2, dtype=np.float64))
    table = {
        "building_id": "a",
        "poa_global_year_kwh_m2": year,
        "poa_global_year_kwh": year * 40.0,
        "shading_loss_fraction": 0.0,
        "surface_tilt": 35.0,
        "surface_azimuth": 180.0,
        "n_modules": np.int32(10),
        "reason": "",
    }
    return pd.DataFrame(table | columns)


def rated(table: pd.DataFrame, limits=ROOFS) -> tuple[str, float, str]:
    return tuple(rate_surfaces(table, limits).iloc[0])[:3]


def buildings(**columns) -> pd.DataFrame:
    table = {"building_id": ["a"], "reason": [""], "monument": [False]}
    return pd.DataFrame(table | columns)


# Known answers


def test_shares_are_those_of_the_solar_atlas():
    """919.12, 1036.71 and 1154.31 kWh/m² of a maximum of about 1272 (energieatlas-bw.de)."""
    limits = class_limits(RULES, "roofs", 1272.0).kwh_m2
    assert limits[:3] == pytest.approx((919.12, 1036.71, 1154.31), abs=0.6)


def test_reason_of_a_shaded_roof():
    """1080 of 1200 are 90 %; all is lost to shade; gut ends at 0.9075 · 1200 = 1089."""
    assert rated(roofs(1080.0, shading_loss_fraction=0.1)) == (
        "gut",
        pytest.approx(0.9),
        "Gut: 90 % vom Licht der besten Fläche am Ort, Schatten kostet 10 %, bis „sehr gut“ fehlen "
        "9 kWh/m²",
    )


def test_reason_of_a_roof_that_faces_east_in_some_shade():
    """Open it would get 1000, 17 % less than 1200; 950 are 5 % less; 0.815 · 1200 = 978."""
    table = roofs(950.0, shading_loss_fraction=0.05, surface_azimuth=95.0, surface_tilt=38.4)
    assert rated(table) == (
        "mittel",
        pytest.approx(950 / 1200),
        "Mittel: 79 % vom Licht der besten Fläche am Ort, die Lage nach Osten mit 38° Neigung "
        "kostet 17 %, Schatten 5 %, bis „gut“ fehlen 28 kWh/m²",
    )


def test_reason_is_told_in_english_too():
    table = roofs(950.0, shading_loss_fraction=0.05, surface_azimuth=95.0, surface_tilt=38.4)
    assert rate_surfaces(table, ROOFS)["reason_en"][0] == (
        "Medium: 79 % of the light of the best surface here, facing east at 38° costs 17 %, shade "
        "5 %, 28 kWh/m² short of “good”"
    )
    small = small_reason(Demand(10.0, 700.0), 6.0)
    table = roofs(
        [1100.0, np.nan], n_modules=0, reason=[small, "no laser point over the footprint"]
    )
    assert rate_surfaces(table, ROOFS)["reason_en"].to_list() == table["reason"].to_list()


def test_best_class_lacks_nothing():
    assert rated(roofs(1199.0))[2] == "Hervorragend: 100 % vom Licht der besten Fläche am Ort"


@pytest.mark.parametrize(
    ("tilt", "azimuth", "words"),
    [
        (0.0, np.nan, "die flache Lage kostet 12 %"),
        (3.0, 90.0, "die flache Lage kostet 12 %"),
        (20.0, 350.0, "die Lage nach Norden mit 20° Neigung kostet 12 %"),
        (90.0, 225.0, "die Ausrichtung nach Südwesten kostet 12 %"),
    ],
)
def test_facing_is_told_in_words(tilt, azimuth, words):
    assert words in rated(roofs(1056.0, surface_tilt=tilt, surface_azimuth=azimuth))[2]


@pytest.mark.parametrize(("at", "name"), list(enumerate(CLASSES[1:])))
def test_limit_itself_belongs_to_the_class_above(at, name):
    """Also 0.723 · 1200 as floats have it, and whatever rounding makes of the quotient."""
    shares = np.array(RULES.share.roofs_fraction)
    for best in (1200.0, 1168.3, 977.7):
        limits = class_limits(RULES, "roofs", best)
        assert rated(roofs(shares[at] * best), limits)[0] == name
        assert rated(roofs(shares[at] * best - 0.01), limits)[0] == CLASSES[at]


def test_swiss_limits_are_irradiations():
    limits = class_limits(SWISS, "roofs", BEST_KWH_M2)
    names = [rated(roofs(kwh), limits)[0] for kwh in (799.9, 800.0, 1000.0, 1200.0)]
    assert names == ["gering", "mittel", "gut", "sehr gut"]
    assert rated(roofs(1100.0), limits)[2] == (
        "Gut: 1.100 kWh/m² Licht im Jahr, 92 % der besten Fläche am Ort, die Lage nach Süden mit "
        "35° Neigung kostet 8 %, bis „sehr gut“ fehlen 100 kWh/m²"
    )


def test_class_that_no_surface_can_reach_is_told_and_asked_of_nobody():
    limits = class_limits(SWISS, "roofs", BEST_KWH_M2)
    assert unreachable_classes(limits.kwh_m2, BEST_KWH_M2) == ["hervorragend"]
    assert "hervorragend" not in rated(roofs(1200.0), limits)[2]
    assert rated(roofs(1200.0), limits)[2].endswith(
        "1.200 kWh/m² Licht im Jahr, 100 % der besten Fläche am Ort"
    )
    assert unreachable_classes(limits.kwh_m2, 1199.0) == ["sehr gut", "hervorragend"]
    assert unreachable_classes(ROOFS.kwh_m2, BEST_KWH_M2) == []


def test_check_is_told_what_no_surface_can_reach_and_what_has_no_limits():
    assert class_notes(RULES, BEST_KWH_M2, BEST_WALL_KWH_M2) == []
    assert class_notes(SWISS, 1168.0, BEST_WALL_KWH_M2) == [
        "classes of roofs (scheme swiss): no surface here can be sehr gut or hervorragend, which "
        "begins at 1200 kWh/m²; the best open one gets 1168 kWh/m²",
        "classes of walls (scheme swiss): it has no limits for walls, so they get no class",
    ]


def test_scheme_without_limits_for_walls_gives_them_no_class():
    walls = class_limits(SWISS, "walls", BEST_WALL_KWH_M2)
    name, share, reason = rated(roofs(430.0, surface_tilt=90.0), walls)
    assert (name, share) == ("", 0.5)
    assert reason == "Ohne Klasse: das Schema „swiss“ nennt für Wände keine Grenzen"


def test_rejected_surfaces_have_a_reason_and_no_class():
    table = roofs(1100.0, n_modules=0, reason=small_reason(Demand(10.0, 700.0), 6.0))
    assert rated(table) == (
        "",
        pytest.approx(1100 / 1200),
        "Zu klein: Platz ist für 6,0 m² Module, zu den nötigen 10 m² fehlen 4,0 m²",
    )
    with_class = rate_surfaces(table, ROOFS, with_rejected=True)
    assert with_class["suitability"].to_list() == ["sehr gut"]
    assert with_class["reason"].to_list() == [rated(table)[2]]


def test_modules_on_racks_can_be_what_is_rated():
    table = roofs(1050.0, module_poa_year_kwh_m2=1150.0, surface_tilt=0.0, surface_azimuth=np.nan)
    assert rated(table)[0] == "gut"
    assert rate_surfaces(table, ROOFS, light="modules")["suitability"].to_list() == ["sehr gut"]


def test_every_reason_of_the_computation_is_told_in_german():
    demand = Demand(10.0, 720.0)
    reasons = [
        small_reason(demand, 0.0),
        small_reason(demand, 9.98),
        obstacle_reason(demand, 6.0, 12.0),
        facing_reason(demand, 640.0, is_north_steep=True),
        facing_reason(demand, 640.0, is_north_steep=False),
        dark_reason(demand, 500.0, 1100.0),
        patchy_reason(demand, 4.0, 20.0),
        both_reason(demand, 4.0, 20.0),
        no_data_reason(0.8),
        PARTY_WALL,
        f"{PARTY_WALL} but for 1.5 m² behind its roof",
        NO_HEIGHT,
        LOW,
        "nothing of the wall stands free of what is before it",
        "footprint has no geometry",
        "outside the surface model",
        "surface model has no data here",
        "no laser point over the footprint",
        "no roof plane of at least 4 m² found: only 12 cells of the surface model",
        REMOVED_MARK,
        "failed: ValueError: x",
        "no yield: not computed",
        "no yield: the weather has no wind_speed",
    ]
    for reason in reasons:
        german = german_reason(reason)
        assert german != reason
        assert ";" not in german
        assert not re.search(r"\b(the|of|no|with|failed|short|without|is)\b", german), german
    assert german_reason(MONUMENT) == ""
    assert german_reason(reasons[3]).startswith("Nord: ")
    assert german_reason(reasons[5]) == (
        "Verschattet: 500 kWh/m² Licht im Jahr, ohne Schatten wären es 1.100, zu den nötigen "
        "720 kWh/m² fehlen 220"
    )


def test_numbers_are_written_as_germans_do():
    assert [german_number(text) for text in ("7", "1086.5", "1234567", "0.25")] == [
        "7",
        "1.086,5",
        "1.234.567",
        "0,25",
    ]


def test_building_speaks_for_its_best_plane():
    planes = pd.concat(
        [
            roofs([1190.0], n_modules=0, reason=small_reason(Demand(10.0, 700.0), 0.0)),
            roofs([1000.0], n_modules=12),
            roofs([1100.0], n_modules=12, building_id="b"),
        ],
        ignore_index=True,
    )
    houses = pd.DataFrame(
        {
            "building_id": ["b", "a", "c"],
            "reason": ["", "", "surface model has no data here"],
            "monument": False,
        }
    )
    result = rate_run(planes, roofs([])[:0], houses, RULES, None, SITE)
    assert result.buildings["suitability"].to_list() == ["sehr gut", "gut", ""]
    assert result.buildings["reason"].to_list() == [
        result.roofs["reason"][2],
        result.roofs["reason"][1],
        "Keine Höhen: das Höhenmodell hat hier keine Werte",
    ]
    assert np.isnan(result.buildings["suitability_fraction"][2])


def test_monument_is_told_in_the_words_of_the_state():
    house = buildings(monument=[True], monument_visible=["nicht sichtbar"])
    general = rate_run(roofs(), roofs()[:0], house, RULES, None, SITE)
    own = rate_run(roofs(), roofs()[:0], house, RULES, RLP, SITE)
    assert general.roofs["reason"][0].endswith(
        "; Denkmal: Genehmigung der Denkmalschutzbehörde nötig; "
        "Das Dach ist von öffentlichen Flächen aus nicht zu sehen"
    )
    assert "wird sie seit 15.03.2023 in der Regel erteilt" in own.roofs["reason"][0]
    assert own.buildings["reason"][0] == own.roofs["reason"][0]
    zone = buildings(monument=[True], protection=["Denkmalzone"])
    assert "; Denkmalzone: " in rate_run(
        roofs(), roofs()[:0], zone, RULES, RLP, SITE
    ).roofs["reason"][0]  # fmt: skip


def test_one_plane_of_a_monument_may_be_seen_and_another_not():
    planes = roofs([1080.0, 1080.0], monument_visible=["sichtbar", "nicht sichtbar"])
    house = buildings(monument=[True], monument_visible=["sichtbar"])
    first, second = rate_run(planes, roofs()[:0], house, RULES, None, SITE).roofs["reason"]
    assert first.endswith("aus zu sehen")
    assert second.endswith("aus nicht zu sehen")


def test_walls_of_a_monument_do_not_speak_of_its_roof():
    house = buildings(monument=[True], monument_visible=["sichtbar"])
    once = rate_run(roofs(), roofs(), house, RULES, None, SITE)
    assert once.roofs["reason"][0].endswith("aus zu sehen")
    assert once.facades["reason"][0].endswith(
        "; Denkmal: Genehmigung der Denkmalschutzbehörde nötig"
    )
    # Nor does a wall that was rated when they did.
    before = roofs(reason=once.roofs["reason"][0], reason_en=once.roofs["reason_en"][0])
    again = rate_run(roofs(), before, house, RULES, None, SITE)
    assert again.facades["reason"][0] == once.facades["reason"][0]


def test_old_heights_and_a_missing_yield_are_told():
    no_yield = f"{MONUMENT}; no yield: the weather has no temp_air, wind_speed"
    table = roofs(surface_model_date="März 2011", reason=no_yield)
    rated_run = rate_run(table, table[:0], buildings(), RULES, None, SITE)
    assert rated_run.roofs["suitability"][0] == "gut"
    assert rated_run.roofs["reason"][0].endswith(
        " kWh/m²; Kein Ertrag: im Wetter fehlen die Lufttemperatur und die Windgeschwindigkeit; "
        "Daten alt: das Höhenmodell ist von 2011"
    )


def test_year_of_a_flight_is_found_however_it_is_written():
    dates = ["2015", "2015-03", "20150312", "3/2015", "2011-2015", "2016", "", "LoD 12015"]
    old = age_words(dates, 2026, 10.0)
    assert old.tolist() == ["Daten alt: das Höhenmodell ist von 2015"] * 5 + [""] * 3


def test_storeys_have_the_classes_of_their_wall():
    storeys = pd.DataFrame({"poa_global_year_kwh_m2": [860.0, 430.0, np.nan]})
    none = roofs()[:0]
    classes = rate_run(none, none, buildings(), RULES, None, SITE, storeys).storeys
    assert classes.to_list() == ["hervorragend", "gering", ""]
    assert rate_run(none, none, buildings(), SWISS, None, SITE, storeys).storeys.eq("").all()


def test_site_without_light_is_refused():
    with pytest.raises(InputError, match="best open plane gets 0"):
        class_limits(RULES, "roofs", 0.0)


# Laws


@settings(deadline=None, max_examples=20)
@given(st.lists(st.floats(1.0, 1300.0), min_size=2, max_size=8), st.sampled_from([RULES, SWISS]))
def test_more_light_never_lowers_the_class_and_what_lacks_is_enough(light, rules):
    limits = class_limits(rules, "roofs", BEST_KWH_M2)
    table = roofs(np.sort(light))
    result = rate_surfaces(table, limits)
    rank = [CLASSES.index(name) for name in result["suitability"]]
    assert rank == sorted(rank)
    for i, reason in enumerate(result["reason"]):
        missing = re.search(r"bis „(.*)“ fehlen ([\d.]+) kWh/m²$", reason)
        if missing:
            more = np.sort(light)[i] + float(missing[2].replace(".", ""))
            assert rated(roofs(more), limits)[0] == missing[1]


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.floats(300.0, 1200.0), st.booleans(), st.booleans()), min_size=1))
def test_rating_again_changes_nothing(planes):
    light, small, old = zip(*planes, strict=True)
    lacks = f"{MONUMENT}; no yield: not computed"
    reason = [small_reason(Demand(10.0, 700.0), 3.0) if one else lacks for one in small]
    dates = ["2010" if one else "2025" for one in old]
    table = roofs(
        np.array(light), n_modules=np.where(small, 0, 12), reason=reason, surface_model_date=dates
    )
    house = buildings(monument=[True], monument_visible=["sichtbar"])
    once = rate_run(table, table, house, RULES, RLP, SITE)
    texts = ["reason", "reason_en"]
    twice = rate_run(
        table.assign(**once.roofs[texts]),
        table.assign(**once.facades[texts]),
        house.assign(**once.buildings[texts]),
        RULES,
        RLP,
        SITE,
    )
    for name in ("roofs", "facades", "buildings"):
        pd.testing.assert_frame_equal(getattr(once, name), getattr(twice, name))


# Rules


def with_share(**changes) -> dict:
    return SHIPPED | {"share": SHIPPED["share"] | changes}


@pytest.mark.parametrize(
    ("tables", "found"),
    [
        (with_share(roofs_fraction=[0.7, 0.6, 0.8, 0.9]), "limits that rise"),
        (with_share(roofs_fraction=[0.7, 0.8, 0.9, 1.1]), "less than or equal to 1"),
        (with_share(roofs_kwh_m2=[1.0, 2.0, 3.0, 4.0]), "not both"),
        (
            SHIPPED | {"balcony": SHIPPED["balcony"] | {"year_kwh": [550.0, 400.0, 250.0]}},
            "limits that rise",
        ),
        (SHIPPED | {"choice": {"roofs": "own"}}, "a table"),
        (SHIPPED | {"choice": {"roofs": "swedish"}}, "swiss"),
        (
            SHIPPED | {"monuments": SHIPPED["monuments"] | {"single": "Denkmal; nötig"}},
            "pattern",
        ),
    ],
)
def test_wrong_rules_are_refused(tables, found):
    with pytest.raises(ValidationError, match=found):
        RatingRules.model_validate(tables)


def test_own_limits_take_the_place_of_the_shipped_ones():
    own = {
        "source": "Ratsbeschluss vom 1. März 2026",
        "date": datetime.date(2026, 3, 1),
        "roofs_kwh_m2": [700.0, 850.0, 950.0, 1050.0],
    }
    rules = RatingRules.model_validate(SHIPPED | {"own": own, "choice": {"roofs": "own"}})
    assert rated(roofs(1060.0), class_limits(rules, "roofs", BEST_KWH_M2))[0] == "hervorragend"
    assert class_limits(rules, "walls", BEST_WALL_KWH_M2).scheme == "share"


# Speed


def test_a_hundred_thousand_surfaces_are_rated_in_three_seconds():
    n, rng = 100_000, np.random.default_rng(1)
    is_small = rng.random(n) < 0.3
    short = [
        f"too small: modules cover {10 - a:.1f} m², {a:.1f} m² short of 10 m²"
        for a in rng.uniform(0.1, 9.0, n)
    ]
    table = roofs(
        rng.uniform(300.0, 1200.0, n),
        building_id=[f"b{i // 4}" for i in range(n)],
        shading_loss_fraction=rng.uniform(-0.01, 0.4, n),
        surface_azimuth=rng.uniform(0.0, 360.0, n),
        n_modules=np.where(is_small, 0, 12),
        reason=np.where(is_small, short, ""),
    )
    names = [f"b{i}" for i in range(n // 4)]
    houses = pd.DataFrame({"building_id": names, "reason": "", "monument": True})
    start = time.process_time()
    rate_run(table, table[:0], houses, RULES, RLP, SITE)
    assert time.process_time() - start < 3.0
