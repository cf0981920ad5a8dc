"""Rule files: what ships is whole and sourced; a user's own is checked before it counts."""

from __future__ import annotations

import datetime
from importlib import resources
from itertools import pairwise
from types import SimpleNamespace

import pytest

from solarkataster.checks.rules import duty_notes, rules_of
from solarkataster.errors import InputError, InputErrors
from solarkataster.io.rules import load_rules
from solarkataster.rules.book import TOPICS, RuleBook

SOURCED = 'source = "A made-up study, page 3"\ndate = 2026-03-01\n'


@pytest.fixture(scope="module")
def book():
    return load_rules()


def faults_of(tmp_path, text, name="own.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputErrors) as caught:
        load_rules(path)
    return caught.value.errors


def period(start, end, **changed):
    """A tariff file for these days, from the last one that ships."""
    text = (resources.files("solarkataster.rules") / "eeg" / "2026-08.toml").read_text("utf-8")
    text = text.replace("2026-08-01", start, 2).replace("2027-01-31", end, 2)
    for old, new in changed.values():
        assert old in text
        text = text.replace(old, new)
    return text


def tariffs_of(tmp_path, **files):
    folder = tmp_path / "tariffs"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return faults_of(tmp_path, '[eeg]\nfolder = "tariffs"\n')


def test_every_shipped_table_names_its_source_and_date(book):
    tables = book.sources()
    assert {one.table.split(".")[0] for one in tables} == set(TOPICS) - {"duty"}
    assert all(len(one.source) >= 8 and one.date.year > 1950 and one.file for one in tables)


def test_the_shipped_tariffs_have_no_gap_and_no_overlap(book):
    days = [(one.valid_from, one.valid_to) for one in book.eeg.periods]
    assert days[0][0] == datetime.date(2024, 2, 1)
    assert days[-1][1] == datetime.date(2027, 1, 31)
    assert all(end + datetime.timedelta(days=1) == start for (_, end), (start, _) in pairwise(days))


def test_tariffs_that_were_only_derived_say_so(book):
    assert book.eeg.at(datetime.date(2026, 2, 1)).feed_in.verified
    assert not book.eeg.at(datetime.date(2026, 8, 1)).feed_in.verified


def test_shipped_tariffs_follow_the_one_percent_of_the_law(book):
    # EEG 2023 § 48 and § 49: 8.6, 7.5 and 6.2 ct (13.4, 11.3, 11.3 ct for full feed-in) lose 1 %
    # every half-year from 1 February 2024 on, unrounded values carried on; § 53: less 0.4 ct.
    for k, one in enumerate(book.eeg.periods, start=1):
        for values, base in (
            (one.feed_in.partial_ct_per_kwh, (8.6, 7.5, 6.2)),
            (one.feed_in.full_ct_per_kwh, (13.4, 11.3, 11.3)),
        ):
            by_law = [value * 0.99**k - 0.4 for value in base]
            assert values == pytest.approx(by_law, abs=0.0051)


def test_a_table_of_the_user_replaces_the_shipped_one_and_nothing_else(tmp_path, book):
    path = tmp_path / "own.toml"
    path.write_text(f"[money.price_homes]\neur_per_kwh = 0.29\n{SOURCED}")
    own = load_rules(path)
    assert own.money.price_homes.eur_per_kwh == 0.29
    assert own.money.price_others == book.money.price_others
    assert own.eeg == book.eeg
    told = {one.table: one for one in own.sources()}
    assert told["money.price_homes"].file == "own.toml"
    assert told["money.price_others"].file == "money.toml"
    assert told["eeg.periods.2026-02.feed_in"].file == "2026-02.toml"


def test_tables_in_a_group_are_replaced_one_by_one(tmp_path, book):
    path = tmp_path / "own.toml"
    path.write_text(
        f'[co2.factors.own]\ng_per_kwh = 300\nyear = 2026\nmethod = "eigene"\n{SOURCED}'
        f'[co2.choice]\nfactor = "own"\nsubtracts_making = false\n{SOURCED}'
    )
    own = load_rules(path)
    assert own.co2.chosen.g_per_kwh == 300
    assert own.co2.factors["direct"] == book.co2.factors["direct"]
    told = {one.table: one.file for one in own.sources()}
    assert told["co2.factors.own"] == "own.toml"
    assert told["co2.factors.direct"] == "co2.toml"


def test_a_fault_in_a_group_names_the_file_it_stands_in(tmp_path):
    (fault,) = faults_of(
        tmp_path, f"[co2.factors.direct]\ng_per_kwh = -1\nyear = 2026\nmethod = 'abc'\n{SOURCED}"
    )
    assert "own.toml [co2.factors.direct]: g_per_kwh is -1" in str(fault)


def test_a_replaced_table_brings_its_own_source_and_date(tmp_path):
    first, second = faults_of(tmp_path, "[money.price_homes]\neur_per_kwh = 0.29\n")
    assert "source is missing" in str(first)
    assert "date is missing" in str(second)
    assert "own.toml [money.price_homes]" in str(first)


def test_all_faults_are_told_at_once_with_the_nearest_right_name(tmp_path):
    text = (
        f"[money.price_home]\neur_per_kwh = 0.29\n{SOURCED}"
        f"[money.battery]\neur_per_kwhs = 500\nlife_years = 15\n{SOURCED}"
        "[mony.prices]\na = 1\n"
    )
    told = [str(fault) for fault in faults_of(tmp_path, text)]
    assert len(told) == 4
    assert any("unknown table price_home\n" in one and "price_homes?" in one for one in told)
    assert any("unknown key eur_per_kwhs" in one and "mean eur_per_kwh?" in one for one in told)
    assert any("eur_per_kwh is missing" in one and "= 600" in one for one in told)
    assert any("unknown topic mony" in one and "mean money?" in one for one in told)


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ("[money.price_homes]\neur_per_kwh = -0.3\n", "eur_per_kwh is -0.3"),
        ("[money.price_homes]\neur_per_kwh = '0.3'\n", "eur_per_kwh is '0.3'"),
        ("[money.price_homes]\neur_per_kwh = nan\n", "eur_per_kwh is nan"),
        ("[money.discount]\nfraction_per_year = 4\n", "fraction_per_year is 4"),
        ("[money.operation]\nfraction_of_investment = 1.5\nfixed_eur = 0\n", "is 1.5"),
    ],
)
def test_impossible_numbers_are_refused(tmp_path, table, found):
    (fault,) = faults_of(tmp_path, table + SOURCED)
    assert found in str(fault)
    assert "Expected" in str(fault)


@pytest.mark.parametrize(
    ("table", "found", "expected"),
    [
        ("money.price_homes]\neur_per_kwh = 37.2", "eur_per_kwh is 37.2", "0.05 to 2 EUR/kWh"),
        ("money.price_others]\neur_per_kwh = 0.02", "eur_per_kwh is 0.02", "0.05 to 2 EUR/kWh"),
        (
            "money.investment]\npower_kwp = [10]\neur_per_kwp = [1.3]",
            "is 1.3", "200 to 20000 EUR/kWp",
        ),
        ("money.battery]\nlife_years = 15\neur_per_kwh = 0.6", "is 0.6", "50 to 5000 EUR/kWh"),
        ("money.discount]\nfraction_per_year = 0.9", "is 0.9", "-0.2 to 0.5 (a share: 0.04"),
        (
            "money.rises]\nelectricity_fraction_per_year = 2\noperation_fraction_per_year = 0",
            "electricity_fraction_per_year is 2", "-0.2 to 0.5",
        ),
        (
            "money.after_pay]\nmarket_value_ct_per_kwh = 0.045\nfee_ct_per_kwh = 0.7",
            "is 0.045", "0.5 to 100 ct/kWh",
        ),
        (
            "co2.factors.direct]\ng_per_kwh = 0.363\nyear = 2024\nmethod = 'direkt'",
            "g_per_kwh is 0.363", "20 to 2000 g/kWh",
        ),
        (
            "plant.inverter]\nname = 'pvwatts'\nefficiency_nominal_fraction = 0.96\n"
            "dc_ac_ratio = 110", "dc_ac_ratio is 110", "0.5 to 3 (kWp of modules per kW",
        ),
        (
            "rating.car_parks]\nspace_m2 = 12.5\nleast_space_m2 = 8\nspaces_fraction = 0.5\n"
            "spaces_fraction_low = 0.4\nspaces_fraction_high = 0.6\ncanopy_fraction = 0.6\n"
            "power_kwp_per_m2 = 208\ntilt_deg = 10", "is 208", "0.05 to 0.4 kWp/m²",
        ),
    ],
)  # fmt: skip
def test_numbers_in_another_unit_are_refused_with_range_and_unit(tmp_path, table, found, expected):
    (fault,) = faults_of(tmp_path, f"[{table}\n{SOURCED}")
    assert found in str(fault)
    assert expected in fault.expected


@pytest.mark.parametrize("price", [0.05, 2.0])
def test_the_bounds_of_a_price_are_prices(tmp_path, price):
    path = tmp_path / "own.toml"
    path.write_text(f"[money.price_homes]\neur_per_kwh = {price}\n{SOURCED}")
    assert load_rules(path).money.price_homes.eur_per_kwh == price


def test_a_tariff_in_euros_is_refused_with_the_unit(tmp_path):
    (fault,) = tariffs_of(
        tmp_path, first=period("2026-08-01", "2027-01-31", price=("[7.70", "[0.077"))
    )
    assert "partial_ct_per_kwh is 0.077" in str(fault)
    assert "0.5 to 100 ct/kWh" in fault.expected


@pytest.mark.parametrize(
    ("source", "date", "key"),
    [
        ("           ", "2026-03-01", "source"),
        ("  BDEW  ", "2026-03-01", "source"),
        ("1234567890", "2026-03-01", "source"),
        ("A made-up study", "2203-03-01", "date"),
        ("A made-up study", "0026-03-01", "date"),
    ],
)
def test_a_source_has_words_and_a_day_of_our_time(tmp_path, source, date, key):
    (fault,) = faults_of(
        tmp_path,
        f'[money.price_homes]\neur_per_kwh = 0.3\nsource = "{source}"\ndate = {date}\n',
    )
    assert fault.found.startswith(f"{key} is ")
    assert ("8 characters" if key == "source" else "1900 to 2100") in fault.expected


def test_a_larger_plant_that_costs_less_in_all_is_refused(tmp_path):
    text = f"[money.investment]\npower_kwp = [10, 20]\neur_per_kwp = [1500, 700]\n{SOURCED}"
    (fault,) = faults_of(tmp_path, text)
    assert "rising from size to size" in str(fault)


def test_a_factor_that_is_not_there_is_refused(tmp_path):
    text = f'[co2.choice]\nfactor = "best"\nsubtracts_making = false\n{SOURCED}'
    (fault,) = faults_of(tmp_path, text)
    assert "one of direct, " in str(fault)


def use_class(profile):
    return (
        f'[demand.use.household]\n{SOURCED}name = "Wohnen"\nload_profile = "{profile}"\n'
        "kwh_per_m2 = 26\nstorey_height_m = 3\nmost_storeys = 60\nfloor_fraction = 0.8\n"
        "most_kwh = 1000000\n"
    )


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ("P25", "P25 is what homes with a plant still draw from the grid"),
        ("H25+S25", "S25 is what homes with a plant and a battery still draw"),
        ("H0", "load profile 'H0' is not known"),
        ("H25+", "load profile '' is not known"),
    ],
)
def test_uses_of_buildings_follow_profiles_of_demand_only(tmp_path, profile, why):
    (fault,) = faults_of(tmp_path, use_class(profile))
    assert str(fault).startswith(f"{tmp_path / 'own.toml'} [demand.use.household]: load_profile is")
    assert why in str(fault)
    assert "H25, G25, L25" in str(fault)


@pytest.mark.parametrize("profile", ["", "L25", "H25+G25"])
def test_profiles_of_demand_and_their_halves_are_taken(tmp_path, profile):
    path = tmp_path / "own.toml"
    path.write_text(use_class(profile), encoding="utf-8")
    assert load_rules(path).demand.use["household"].load_profile == profile


def test_a_gap_between_tariff_files_is_refused_and_named(tmp_path):
    (fault,) = tariffs_of(
        tmp_path,
        first=period("2025-08-01", "2026-01-31"),
        second=period("2026-03-01", "2026-07-31"),
    )
    assert fault.found == (
        "gap between first.toml (to 2026-01-31) and second.toml (from 2026-03-01)"
    )


def test_a_tariff_file_that_ends_before_it_starts_is_told_by_its_days(tmp_path):
    (fault,) = tariffs_of(tmp_path, first=period("2026-08-01", "2026-07-31"))
    assert fault.found == "valid_from is 2026-08-01, valid_to is 2026-07-31"


@pytest.mark.parametrize(
    ("table", "n"),
    [
        (
            "own]\nroofs_fraction = [0.5, 0.6, 0.7]",
            "4 limits (mittel, gut, sehr gut, hervorragend)",
        ),
        ("own]\nroofs_kwh_m2 = [500, 600, 700, 800, 900]", "4 limits (mittel"),
        ("balcony]\nyear_kwh = [250, 400]", "3 limits (mittel, gut, sehr gut), found 2"),
    ],
)
def test_too_few_or_too_many_limits_are_told_with_the_classes_they_are_for(tmp_path, table, n):
    (fault,) = faults_of(tmp_path, f"[rating.{table}\n{SOURCED}")
    assert n in fault.expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the file holds no table"),
        ("# prices follow\n", "the file holds no table"),
        ("[money]\n", "[money] holds nothing"),
    ],
)
def test_a_rule_file_that_replaces_nothing_is_refused(tmp_path, text, found):
    (fault,) = faults_of(tmp_path, text)
    assert fault.found == found


def test_tariff_files_that_overlap_are_refused_and_named(tmp_path):
    (fault,) = tariffs_of(
        tmp_path,
        second=period("2026-01-31", "2026-07-31"),
        first=period("2025-08-01", "2026-01-31"),
    )
    assert "overlap between first.toml" in str(fault)


def test_a_negative_tariff_is_refused_with_its_file(tmp_path):
    (fault,) = tariffs_of(
        tmp_path, first=period("2026-08-01", "2027-01-31", price=("7.70", "-7.70"))
    )
    assert "is -7.7" in str(fault)
    path = tmp_path / "tariffs" / "first.toml"
    assert str(fault).startswith(f"{path} [feed_in]: partial_ct_per_kwh is -7.7")


def test_a_fault_names_its_tariff_file_whatever_the_order_of_the_names(tmp_path):
    (fault,) = tariffs_of(
        tmp_path,
        a_late=period("2026-08-01", "2027-01-31"),
        b_early=period("2026-02-01", "2026-07-31", price=("paid_years = 20", "paid_years = 0")),
    )
    assert str(fault).startswith(f"{tmp_path / 'tariffs' / 'b_early.toml'}: paid_years is 0")


def test_one_price_per_slice(tmp_path):
    (fault,) = tariffs_of(
        tmp_path, first=period("2026-08-01", "2027-01-31", price=("[7.70, 6.66, 5.44]", "[7.70]"))
    )
    assert "3 slices, 1 prices" in str(fault)


def test_a_date_that_no_file_covers_is_refused_with_the_span_that_is(book):
    with pytest.raises(InputError, match="2024-02-01 to 2027-01-31"):
        book.eeg.at(datetime.date(2027, 2, 1))


def test_a_day_of_commissioning_without_tariff_is_told_before_anything_is_computed(tmp_path):
    (fault,) = faults_of(tmp_path, f"[money.commissioning]\nday = 2027-02-01\n{SOURCED}")
    assert "own.toml [money.commissioning] day" in str(fault)
    assert "2024-02-01 to 2027-01-31" in str(fault)


def test_own_tariffs_take_the_place_of_the_shipped_ones(tmp_path):
    (tmp_path / "later.toml").write_text(period("2027-02-01", "2027-07-31"), encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(
        f'[eeg]\nfiles = ["later.toml"]\n[money.commissioning]\nday = 2027-03-01\n{SOURCED}'
    )
    own = load_rules(path)
    assert own.eeg.at(datetime.date(2027, 3, 1)).name == "later.toml"
    with pytest.raises(InputError, match="no tariff file covers"):
        own.eeg.at(datetime.date(2026, 8, 1))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[eeg]\nfolder = "not there"\n', "no tariff file"),
        ('[eeg]\nfolders = "tariffs"\n', "mean folder?"),
        ('[eeg]\nfiles = ["not there.toml"]\n', "cannot be read"),
        ("[money\n", "valid TOML"),
        ("money = 3\n", "money is 3"),
    ],
)
def test_files_that_are_not_there_or_not_toml_are_told(tmp_path, text, found):
    assert any(found in str(fault) for fault in faults_of(tmp_path, text))


def test_a_missing_rule_file_is_told(tmp_path):
    with pytest.raises(InputErrors, match="cannot be read"):
        load_rules(tmp_path / "none.toml")


def test_a_state_that_there_is_not_is_told():
    with pytest.raises(InputErrors, match="'atlantis' is not known"):
        load_rules(None, "atlantis")


@pytest.mark.parametrize("state", ["rheinland-pfalz", "Rheinland-Pfalz", "RP"])
def test_the_duties_of_a_state_by_its_name_or_code(state):
    own = load_rules(None, state)
    assert own.duty.state == "Rheinland-Pfalz"
    assert own.files["duty"] == "duty/rheinland-pfalz.toml"


def test_a_state_whose_law_no_file_knows_has_no_duties_that_are_known():
    assert load_rules(None, "hessen").duty is None


@pytest.mark.parametrize(
    ("state", "told"),
    [("hessen", ["no rules on solar duty for hessen"]), ("RP", []), (None, [])],
)
def test_check_tells_a_state_whose_duty_no_file_knows(state, told):
    config = SimpleNamespace(rules=SimpleNamespace(file=None, state=state))
    notes = duty_notes(config, rules_of(config))
    assert [note.split(":")[0] for note in notes] == told
    assert duty_notes(config, None) == []


def test_duties_of_ones_own(tmp_path):
    shipped = resources.files("solarkataster.rules") / "duty" / "rheinland-pfalz.toml"
    text = shipped.read_text("utf-8").replace('state = "Rheinland-Pfalz"', 'state = "Hessen"')
    (tmp_path / "hessen.toml").write_text(text, encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text('[duty]\nfile = "hessen.toml"\n')
    assert load_rules(path, "hessen").duty.state == "Hessen"


def test_a_book_survives_its_json(book):
    assert isinstance(book, RuleBook)
    assert book.model_dump(mode="json")["money"]["life"]["years"] == 20


def test_an_unknown_state_of_the_calendar_is_told_with_all_faults_before_any_work(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(f'[demand.calendar]\n{SOURCED}year = 2025\nstate = "Bayrn"\n')
    config = SimpleNamespace(rules=SimpleNamespace(file=path, state=None))
    with pytest.raises(InputErrors) as caught:
        rules_of(config)
    (one,) = caught.value.errors
    assert "'Bayrn' is not known" in one.found
    assert one.remedy == "Did you mean bayern?"
    path.write_text(f"[demand.calendar]\n{SOURCED}year = 2025\n")
    assert rules_of(config).demand.calendar.state == ""
    config.rules.state = "saarland"
    assert rules_of(config).demand.calendar.state == "SL"
