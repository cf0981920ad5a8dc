"""Tables of sums on disk, as a German Excel and a program read them."""

import numpy as np
import pandas as pd
import pytest

from solarkataster.columns import Column
from solarkataster.io.statistics import write_tables
from solarkataster.layers_statistics import PORTFOLIO_COLUMNS, STATISTICS_COLUMNS

COLUMNS = (
    Column("name", "str", "–", ""),
    Column("n", "Int64", "–", ""),
    Column("yield_year_kwh", "float64", "kWh", ""),
    Column("share_fraction", "float64", "–", ""),
    Column("is_chosen", "bool", "–", ""),
)
TABLE = pd.DataFrame(
    {
        "name": ["Süd; Mitte", "", "=1+1"],
        "n": pd.array([3, None, 12], dtype="Int64"),
        "yield_year_kwh": [1234567.25, np.nan, -0.0001],
        "share_fraction": [0.123456789, np.nan, 1.0],
        "is_chosen": [True, False, False],
    }
)


def test_excel_finds_byte_order_mark_semicolons_and_decimal_commas(tmp_path):
    csv, _ = write_tables(tmp_path, "statistics", TABLE, COLUMNS)
    assert csv.read_bytes() == (
        b"\xef\xbb\xbfname;n;yield_year_kwh;share_fraction;is_chosen\r\n"
        b'"S\xc3\xbcd; Mitte";3;1234567,25;0,123457;ja\r\n'
        b";;;;nein\r\n"
        b"'=1+1;12;0;1;nein\r\n"
    )


def test_parquet_has_every_digit_and_the_types(tmp_path):
    _, parquet = write_tables(tmp_path, "statistics", TABLE, COLUMNS)
    back = pd.read_parquet(parquet)
    assert back["share_fraction"][0] == 0.123456789
    assert back["n"].isna().tolist() == [False, True, False]
    assert back["name"].tolist() == TABLE["name"].tolist()


def test_the_same_table_gives_the_same_bytes(tmp_path):
    first = write_tables(tmp_path / "a", "t", TABLE, COLUMNS)
    second = write_tables(tmp_path / "b", "t", TABLE, COLUMNS)
    assert [one.read_bytes() for one in first] == [one.read_bytes() for one in second]


@pytest.mark.parametrize(
    ("name", "written"),
    [("-12", "-12"), ("+3,5", "+3,5"), ("@x", "'@x"), ("-cmd|x", "'-cmd|x"), ("a=b", "a=b")],
)
def test_only_what_a_spreadsheet_would_run_is_quoted(tmp_path, name, written):
    table = pd.DataFrame({"name": [name]})
    csv, _ = write_tables(tmp_path, "t", table, COLUMNS[:1])
    assert csv.read_text("utf-8-sig").split("\n")[1].strip('\r"') == written


def test_every_column_of_the_tables_has_a_unit_that_the_writer_knows():
    units = {column.unit for column in (*STATISTICS_COLUMNS, *PORTFOLIO_COLUMNS)}
    assert units <= {"–", "m²", "kWp", "kWh", "kg", "€", "€/t"}
