"""Installed solar plants, as the Marktstammdatenregister (MaStR) exports its units."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from solarkataster.errors import InputError, InputErrors
from solarkataster.io.column_names import named_columns, plain
from solarkataster.io.column_values import register_dates, register_numbers
from solarkataster.io.text_tables import read_text_table

#: Names of the columns in the extended view of the website, then in the Gesamtdatenexport, as
#: `column_names.plain` has them.
_COLUMNS = {
    "unit_id": ("mastrnrdereinheit", "mastrnummerdereinheit", "einheitmastrnummer"),
    "power_kwp": ("bruttoleistungdereinheit", "bruttoleistung"),
    "net_power_kw": ("nettonennleistungdereinheit", "nettonennleistung"),
    "commissioned": ("inbetriebnahmedatumdereinheit", "inbetriebnahmedatum"),
    "energy": ("energietraeger",),
    "status": ("betriebsstatus", "betriebsstatusdereinheit", "einheitbetriebsstatus"),
    "postcode": ("postleitzahl", "plz"),
    "place": ("ort",),
    "ags": ("gemeindeschluessel",),
    "latitude": ("koordinatebreitengradwgs84", "breitengrad"),
    "longitude": ("koordinatelaengengradwgs84", "laengengrad"),
    "n_modules": ("anzahldersolarmodule", "anzahlmodule"),
    "location_kind": ("artdersolaranlage", "lagedereinheit", "lage"),
}
#: As the website calls them, for messages.
_NEEDED = {
    "power_kwp": "Bruttoleistung der Einheit",
    "commissioned": "Inbetriebnahmedatum der Einheit",
    "energy": "Energieträger",
    "status": "Betriebs-Status",
}
_PLACES = ("postcode", "ags")

#: Values as words, and as numbers of the Gesamtdatenexport's catalogue.
_SOLAR = ("solarestrahlungsenergie", "2495")
_STATUS = {
    "inbetrieb": "in operation", "35": "in operation",
    "inplanung": "planned", "31": "planned",
    "voruebergehendstillgelegt": "paused", "37": "paused",
    "endgueltigstillgelegt": "closed", "38": "closed",
}  # fmt: skip
#: Codes of the catalogue, and beginnings of the words that versions of the register used.
_KINDS = {
    "853": "Gebäude", "bauliche anlagen (hausdach": "Gebäude", "gebäudesolar": "Gebäude",
    "2961": "Balkon", "stecker": "Balkon",
    "852": "Freifläche", "freifläche": "Freifläche",
    "3058": "Parkplatz", "großparkplatz": "Parkplatz",
    "3002": "Gewässer", "gewässer": "Gewässer",
    "2484": "Sonstige", "bauliche anlagen (sonst": "Sonstige", "sonstige": "Sonstige",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class InstalledPlants:
    """
    Solar plants in operation.

    Parameters
    ----------
    table : DataFrame
        One row per unit in the order of the file: ``unit_id``, ``power_kwp`` (of the modules,
        above 0), ``net_power_kw``, ``commissioned`` (datetime64), ``postcode``, ``place``, ``ags``
        (8 digits), ``latitude``, ``longitude`` (°, both or none), ``n_modules``, ``location_kind``
        (Gebäude, Balkon, Freifläche, Parkplatz, Gewässer, Sonstige). NaN, NaT and empty texts where
        the register has nothing.
    left_out : dict of int
        Units that do not count, by reason.
    n_bad : int
        Those of them that are in operation, but have no power.
    """

    table: pd.DataFrame
    left_out: dict[str, int]
    n_bad: int


def read_installed_plants(path: str | Path) -> InstalledPlants:
    """
    Read an export of the Marktstammdatenregister.

    Parameters
    ----------
    path : path
        CSV of the website's extended view, or a table with the names and codes of the
        Gesamtdatenexport.

    Returns
    -------
    InstalledPlants

    Raises
    ------
    InputErrors
        If the file is missing or no such export (columns that are needed are named together), or
        has no solar plant in operation.
    """
    path = Path(path)
    try:
        found = _renamed(path, _read(path))
    except InputError as error:
        raise InputErrors([error]) from None
    table = _typed(found)
    energy = found["energy"].map(plain)
    status = found["status"].map(lambda text: _STATUS.get(plain(text), "unknown"))
    is_solar = energy.isin(_SOLAR)
    is_running = is_solar & (status == "in operation")
    has_power = table["power_kwp"] > 0.0
    again = (table["unit_id"] != "") & table["unit_id"].duplicated() & is_running & has_power
    counts = {"of other energy": int((~is_solar).sum())}
    for name in ("planned", "paused", "closed"):
        counts[name] = int((is_solar & (status == name)).sum())
    counts["of unknown status"] = int((is_solar & (status == "unknown")).sum())
    counts["without power"] = int((is_running & ~has_power).sum())
    counts["repeated"] = int(again.sum())
    left_out = {name: n for name, n in counts.items() if n}
    kept = table[is_running & has_power & ~again].reset_index(drop=True)
    if kept.empty:
        raise InputErrors([_none_running(path, len(table), left_out)])
    return InstalledPlants(kept, left_out, counts["without power"])


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        raise InputError(
            "file not found",
            where=str(path),
            expected="installed plants as a CSV of the Marktstammdatenregister",
            remedy="Correct installed_plants in [inputs] of the config.",
        )
    if path.suffix.lower() in (".xml", ".zip", ".xlsx", ".xls"):
        raise InputError(
            f"is {path.suffix.lower()}",
            where=str(path),
            expected="CSV",
            remedy="Filter the municipality in the extended view of the website and export CSV.",
        )
    return read_text_table(path, "one line per unit of the Marktstammdatenregister")


def _renamed(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """The columns of the register under our names, empty where there is none."""
    by_name = {plain(column): column for column in reversed(table.columns)}
    found = {
        name: next((by_name[one] for one in usual if one in by_name), None)
        for name, usual in _COLUMNS.items()
    }
    missing = [_NEEDED[name] for name in _NEEDED if found[name] is None]
    if all(found[name] is None for name in _PLACES):
        missing.append("Postleitzahl or Gemeindeschlüssel")
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            where=str(path),
            expected="an export of the Marktstammdatenregister; the columns are "
            + named_columns(list(table.columns)),
            remedy="Export the extended view of its units as CSV, with all columns.",
        )
    nothing = pd.Series("", index=table.index, dtype=object)
    return pd.DataFrame(
        {name: nothing if column is None else table[column] for name, column in found.items()}
    )


def _typed(found: pd.DataFrame) -> pd.DataFrame:
    latitude, longitude = _degrees(found["latitude"], 90.0), _degrees(found["longitude"], 180.0)
    placed = np.isfinite(latitude) & np.isfinite(longitude)
    return pd.DataFrame(
        {
            "unit_id": _text(found["unit_id"]),
            "power_kwp": register_numbers(found["power_kwp"]),
            "net_power_kw": register_numbers(found["net_power_kw"]),
            "commissioned": register_dates(found["commissioned"]),
            # Spreadsheets drop leading zeros: 4103 is Leipzig, 1001000 is Flensburg.
            "postcode": _digits(found["postcode"], 5),
            "place": _text(found["place"]),
            "ags": _digits(found["ags"], 8),
            "latitude": np.where(placed, latitude, np.nan),
            "longitude": np.where(placed, longitude, np.nan),
            "n_modules": register_numbers(found["n_modules"]),
            "location_kind": found["location_kind"].map(_kind).astype(object),
        }
    )


def _text(values: pd.Series) -> pd.Series:
    return values.str.strip().astype(object)


def _digits(values: pd.Series, n: int) -> pd.Series:
    """Keys of n digits, one leading zero put back; empty where there is no such key."""
    keys = values.str.strip().str.zfill(n)
    is_key = keys.str.fullmatch(rf"\d{{{n}}}") & (values.str.strip().str.len() >= n - 1)
    return keys.where(is_key, "").astype(object)


def _degrees(values: pd.Series, most: float) -> np.ndarray:
    degrees = register_numbers(values)
    return np.where((np.abs(degrees) <= most) & (degrees != 0.0), degrees, np.nan)


def _kind(text: str) -> str:
    text = text.strip().lower()
    return next((kind for start, kind in _KINDS.items() if text.startswith(start)), "")


def _none_running(path: Path, n_rows: int, left_out: dict[str, int]) -> InputError:
    parts = ", ".join(f"{n} {name}" for name, n in left_out.items())
    return InputError(
        f"no solar plant in operation among {n_rows} units" + (f": {parts}" if parts else ""),
        where=str(path),
        expected="units with the energy carrier Solare Strahlungsenergie in operation",
        remedy="Filter by energy carrier and municipality, and export again.",
    )
