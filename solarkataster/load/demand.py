"""Electricity that buildings use in a year: given, or from their use and floor area."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.load.balance import Battery
from solarkataster.load.load_profiles import MEASURED, LoadProfiles, refuse_as_demand
from solarkataster.rating.reasons import german_number
from solarkataster.rules.demand import BatteryRules, DemandRules, UseClass
from solarkataster.units import KWH_PER_MWH

#: ALKIS: five digits of the kind of object, four of the function. 31001 is a building.
_CODE = re.compile(r"^(?:(\d{5})[_-])?(\d{4})(?:\.0+)?$")
_BUILDING = "31001"

#: Words for nothing in a column of uses.
_NOTHING = ("", "nan", "none", "null", "-", "yes")

#: Where a demand is from, the surest first; otherwise ``unknown: …``.
GIVEN = "given"
FLOOR_AREA_GIVEN = "floor area given"
FLOOR_AREA = "floor area"
FLATS_GIVEN = "flats given"


def use_keys(uses: Sequence[object], rules: DemandRules) -> np.ndarray:
    """
    Use of buildings as the rules name it.

    Parameters
    ----------
    uses : sequence, length n
        ALKIS code of the building's function (``31001_1000``, ``1000``) or a word
        (``Wohngebäude``); None or NaN where nothing is said.
    rules : DemandRules

    Returns
    -------
    ndarray, shape (n,), object
        Key of ``rules.use``; empty where the use is unknown.
    """
    spans = [
        (low, high, use) for use, pairs in rules.use_codes.ranges.items() for low, high in pairs
    ]
    words = {word: use for use, some in rules.use_codes.words.items() for word in some}
    found: dict[str, str] = {}
    keys = np.empty(len(uses), dtype=object)
    for i, value in enumerate(uses):
        text = _text(value)
        if text not in found:
            found[text] = _key_of(text, spans, words)
        keys[i] = found[text]
    return keys


def _key_of(text: str, spans: list[tuple[int, int, str]], words: dict[str, str]) -> str:
    code = _CODE.match(text)
    if code is None:
        return words.get(text.lower(), "")
    if code[1] not in (None, _BUILDING):
        return ""
    number = int(code[2])
    return next((use for low, high, use in spans if low <= number <= high), "")


def annual_demand(buildings: pd.DataFrame, rules: DemandRules) -> pd.DataFrame:
    """
    A year's electricity of each building, and the profile it follows.

    Parameters
    ----------
    buildings : DataFrame, n rows
        ``use``: code or word; ``footprint_area_m2``, ``height_m`` (highest roof plane above the
        terrain), NaN where unknown. Optional: ``annual_demand_kwh``, ``floor_area_m2`` (all storeys
        together) and ``n_flats``, NaN where not given; ``load_profile``: H25, G25, L25 or measured,
        empty for that of the use.
    rules : DemandRules

    Returns
    -------
    DataFrame, n rows, index of ``buildings``
        ``use_class`` (German, empty if unknown), ``annual_demand_kwh`` (NaN if unknown),
        ``demand_source`` (given, floor area given, floor area, flats given, or unknown: and why),
        ``load_profile`` (empty without demand), ``floor_area_m2``, ``is_home`` and ``reason``:
        empty, or in German why there is no demand or why it is doubtful.

    Raises
    ------
    InputError
        Missing columns, a given value that is no number, P25 or S25 or an unknown profile.

    Notes
    -----
    A given floor area that fits into the building counts before the estimate: footprint × storeys ×
    share, storeys = mean height ÷ height of a storey, at least 1. Homes without either have the
    mean area of a flat times their flats. Heat pumps are added by ``extra_loads``.

    A demand beyond what its use can need is not believed; where the use is not known, what the uses
    with the same profile can need.
    """
    _check_columns(buildings)
    keys = use_keys(buildings["use"].tolist(), rules)
    floor_m2, sources, doubts = _known_floor_area(buildings, keys, rules)
    given = _given(buildings, "annual_demand_kwh", "a number of kilowatt-hours a year")
    profiles = _given_profiles(buildings)
    rows = [
        _one(_text(use), _Known(key, area, source, rules), kwh, profile)
        for use, key, kwh, area, source, profile in zip(
            buildings["use"], keys, given, floor_m2, sources, profiles, strict=True
        )
    ]
    columns = ["use_class", "annual_demand_kwh", "demand_source", "load_profile", "reason"]
    table = pd.DataFrame(rows, columns=columns, index=buildings.index)
    table["annual_demand_kwh"] = table["annual_demand_kwh"].astype(np.float64)
    reasons = zip(doubts, table["reason"], strict=True)
    table["reason"] = ["; ".join(filter(None, both)) for both in reasons]
    table["floor_area_m2"] = floor_m2
    table["is_home"] = [bool(key) and rules.use[key].is_home for key in keys]
    return table


@dataclass(frozen=True)
class _Known:
    """What is known of a building: key of its use, its floor area [m²] and where that is from."""

    key: str
    floor_m2: float
    source: str
    rules: DemandRules

    @property
    def use(self) -> UseClass | None:
        """Rules of its use, None if that is unknown."""
        return self.rules.use.get(self.key)

    def most_kwh(self, profile: str) -> float:
        """What the building is believed to use at most. [kWh]"""
        uses = [self.use] if self.use else _uses_with(profile, self.rules)
        return max(self._most_of(use) for use in uses)

    def _most_of(self, use: UseClass) -> float:
        if use.most_kwh_per_m2 is None or np.isnan(self.floor_m2):
            return use.most_kwh
        return min(use.most_kwh, use.most_kwh_per_m2 * self.floor_m2)


def _uses_with(profile: str, rules: DemandRules) -> list[UseClass]:
    """Uses that follow a profile, or one of its parts; all for a measured one."""
    uses = list(rules.use.values())
    same = [use for use in uses if use.load_profile == profile]
    alike = [use for use in uses if use.load_profile in profile.split("+")]
    return same or alike or uses


def _one(
    use: str, known: _Known, given_kwh: float, profile: str
) -> tuple[str, float, str, str, str]:
    """Row of one building: class, demand, its source, profile, reason."""
    rules = known.use
    name = rules.name if rules else ""
    if np.isnan(given_kwh):
        if rules is None:
            why = f"Nutzung unbekannt: {use}" if use else "Nutzung unbekannt: keine Angabe"
            return _unknown(name, why)
        if np.isnan(known.floor_m2):
            return _unknown(name, "Bedarf unbekannt: Grundfläche oder Höhe fehlt")
        kwh, source = rules.kwh_per_m2 * known.floor_m2, known.source
        zero = f"Bedarf 0: {name} ohne eigenen Verbrauch, daher kein Eigenverbrauch"
    else:
        kwh, source = given_kwh, GIVEN
        zero = "Bedarf 0 angegeben, daher kein Eigenverbrauch"
        if kwh < 0.0 or np.isinf(kwh):
            return _unknown(name, f"Bedarf unbrauchbar: {_number(kwh)} kWh angegeben")
    if kwh == 0.0:
        return name, 0.0, source, "", zero
    profile = profile or (rules.load_profile if rules else "")
    if (rules or profile) and kwh > (most_kwh := known.most_kwh(profile)):
        return _unknown(
            name,
            f"Bedarf unglaubwürdig: {_number(kwh)} kWh im Jahr für {name or _of_profile(profile)}, "
            f"mehr als {_number(most_kwh)} kWh; nicht verwendet",
        )
    if not profile:
        said = f": {use}" if use else ": keine Angabe"
        what = "ohne Lastprofil" if rules else f"Nutzung unbekannt{said}"
        return _unknown(name, f"Bedarf angegeben, aber {what}, daher kein Eigenverbrauch")
    return name, kwh, source, profile, ""


def _of_profile(profile: str) -> str:
    """What stands for the use where only the profile is known."""
    if profile == MEASURED:
        return "ein Gebäude unbekannter Nutzung"
    return f"ein Gebäude unbekannter Nutzung mit Lastprofil {profile}"


def _unknown(name: str, why: str) -> tuple[str, float, str, str, str]:
    return name, np.nan, f"unknown: {why}", "", why


def _known_floor_area(
    buildings: pd.DataFrame, keys: np.ndarray, rules: DemandRules
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Floor area given, estimated, or of a home's flats, which of them, and doubts. [m²]"""
    given_m2 = _given(buildings, "floor_area_m2", "a number of square metres")
    most_m2 = _most_floor_m2(buildings, keys, rules)
    doubts = [_doubt(area, most) for area, most in zip(given_m2, most_m2, strict=True)]
    given_m2 = np.where(given_m2 > most_m2, np.nan, given_m2)
    n_flats = _given(buildings, "n_flats", "a number of flats")
    is_home = np.array([bool(key) and rules.use[key].is_home for key in keys], dtype=bool)
    of_flats_m2 = np.where(is_home, n_flats * rules.flat.floor_area_m2, np.nan)
    area_m2 = np.full(len(buildings), np.nan)
    sources = np.full(len(buildings), "", dtype=object)
    for values, source in (
        (given_m2, FLOOR_AREA_GIVEN),
        (floor_area_m2(buildings, keys, rules), FLOOR_AREA),
        (of_flats_m2, FLATS_GIVEN),
    ):
        rows = np.isnan(area_m2) & (values > 0.0) & np.isfinite(values)
        area_m2[rows] = values[rows]
        sources[rows] = source
    return area_m2, sources, doubts


#: How a reason begins that says why a given floor area is not used.
AREA_IN_DOUBT = "Nutzfläche unglaubwürdig"


def _doubt(area_m2: float, most_m2: float) -> str:
    if not area_m2 > most_m2:
        return ""
    said, most = _number(area_m2), _number(most_m2)
    return f"{AREA_IN_DOUBT}: {said} m² angegeben, mehr als {most} m²; nicht verwendet"


def _most_floor_m2(buildings: pd.DataFrame, keys: np.ndarray, rules: DemandRules) -> np.ndarray:
    """What is believed, shape (n,); of any use where that is unknown; NaN without a size. [m²]"""
    most_m2 = np.full(len(buildings), np.nan)
    for key, use in rules.use.items():
        of_use = (keys == key) | (keys == "")
        most_m2 = np.where(of_use, np.fmax(most_m2, _storeys_m2(buildings, use, rules)), most_m2)
    return most_m2 * rules.given_floor_area.most_per_storeys


def floor_area_m2(buildings: pd.DataFrame, keys: np.ndarray, rules: DemandRules) -> np.ndarray:
    """
    Floor area from footprint, height and use.

    Parameters
    ----------
    buildings : DataFrame, n rows
        ``footprint_area_m2``, ``height_m``.
    keys : ndarray, shape (n,)
        Of ``use_keys``.
    rules : DemandRules

    Returns
    -------
    ndarray, shape (n,)
        NaN where use, footprint or height is unknown or not positive. [m²]
    """
    area_m2 = np.full(len(buildings), np.nan)
    for key, use in rules.use.items():
        of_use = keys == key
        area_m2[of_use] = _storeys_m2(buildings[of_use], use, rules) * use.floor_fraction
    return area_m2


def _storeys_m2(buildings: pd.DataFrame, use: UseClass, rules: DemandRules) -> np.ndarray:
    """Footprint × storeys as estimated, shape (n,), NaN without a size. [m²]"""
    footprint_m2 = buildings["footprint_area_m2"].to_numpy(dtype=np.float64)
    height_m = buildings["height_m"].to_numpy(dtype=np.float64)
    storeys = height_m * rules.volume.height_fraction / use.storey_height_m
    area_m2 = footprint_m2 * np.clip(storeys, 1.0, use.most_storeys)
    is_known = (footprint_m2 > 0.0) & (height_m > 0.0) & np.isfinite(height_m)
    return np.where(is_known, area_m2, np.nan)


def demand_by_profile(
    demand: pd.DataFrame, profiles: LoadProfiles, extra_kwh: pd.DataFrame | None = None
) -> np.ndarray:
    """
    Energy of the year by profile, as ``balance`` wants it.

    Parameters
    ----------
    demand : DataFrame, n rows
        ``annual_demand_kwh`` and ``load_profile``, as of ``annual_demand``.
    profiles : LoadProfiles
    extra_kwh : DataFrame, n rows, optional
        Further loads, columns named like profiles. [kWh a year]

    Returns
    -------
    ndarray, shape (n, n_profile)
        NaN in all of a row whose demand is unknown. [kWh]

    Raises
    ------
    InputError
        A profile that is not among ``profiles``.
    """
    place = {name: k for k, name in enumerate(profiles.names)}
    by_profile = np.zeros((len(demand), len(profiles.names)))
    kwh = demand["annual_demand_kwh"].to_numpy(dtype=np.float64)
    names = demand["load_profile"].to_numpy(dtype=object)
    for text in sorted({str(name) for name in names} - {""}):
        parts = text.split("+")
        rows = names == text
        for part in parts:
            by_profile[rows, _place(place, part)] += kwh[rows] / len(parts)
    extra_kwh = pd.DataFrame(index=demand.index) if extra_kwh is None else extra_kwh
    for name in extra_kwh.columns:
        by_profile[:, _place(place, name)] += extra_kwh[name].to_numpy(dtype=np.float64)
    by_profile[np.isnan(kwh)] = np.nan
    return by_profile


def _place(place: dict[str, int], name: str) -> int:
    if name not in place:
        raise InputError(f"load profile {name!r} is missing", expected=", ".join(place))
    return place[name]


def battery_of(rules: BatteryRules) -> Battery:
    """What all batteries share."""
    return Battery(rules.charge_efficiency, rules.discharge_efficiency, rules.power_kw_per_kwh)


def battery_kwh(dc_power_kwp, demand_kwh, rules: BatteryRules) -> np.ndarray:
    """
    Usable size of batteries by the rule.

    Parameters
    ----------
    dc_power_kwp : array_like, shape (n,)
        Rated power of the plant. [kWp]
    demand_kwh : array_like, shape (n,)
        Electricity of the year, further loads included; NaN where unknown. [kWh]
    rules : BatteryRules

    Returns
    -------
    ndarray, shape (n,)
        0 where the rule wants none, without plant or with unknown demand. [kWh]
    """
    kwp = np.nan_to_num(np.asarray(dc_power_kwp, dtype=np.float64))
    mwh = np.nan_to_num(np.asarray(demand_kwh, dtype=np.float64)) / KWH_PER_MWH
    size = np.minimum(rules.kwh_per_kwp * kwp, rules.kwh_per_mwh_demand * mwh)
    size = np.minimum(size, rules.most_kwh)
    is_wanted = (size >= rules.least_kwh) & (kwp >= rules.least_kwp_per_mwh * mwh)
    return np.where(is_wanted, size, 0.0)


def _check_columns(buildings: pd.DataFrame) -> None:
    missing = [name for name in ("use", "footprint_area_m2", "height_m") if name not in buildings]
    if missing:
        found = f"columns {', '.join(missing)} are missing"
        raise InputError(found, where="buildings", expected="use, footprint_area_m2, height_m")


def _given(buildings: pd.DataFrame, name: str, expected: str) -> np.ndarray:
    """Numbers of a column, NaN where nothing is given."""
    if name not in buildings:
        return np.full(len(buildings), np.nan)
    column = buildings[name]
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        row = wrong.to_numpy().argmax()
        found = f"{name} = {column.iloc[row]!r} in row {row + 1}"
        raise InputError(found, where="buildings", expected=f"{expected}, or nothing")
    return numbers.to_numpy(dtype=np.float64)


def _given_profiles(buildings: pd.DataFrame) -> list[str]:
    """Given profiles, empty where none is."""
    if "load_profile" not in buildings:
        return [""] * len(buildings)
    names = [_text(name) for name in buildings["load_profile"]]
    for name in sorted(set(names) - {"", MEASURED}):
        for part in name.split("+"):
            refuse_as_demand(part)
    return names


def _text(value: object) -> str:
    """As text; empty for nothing."""
    text = "" if value is None else str(value).strip()
    return "" if text.lower() in _NOTHING else text


def _number(value: float) -> str:
    """As German readers write it: 10.000.000."""
    return german_number(f"{value:.0f}") if np.isfinite(value) else "unendlich viele"
