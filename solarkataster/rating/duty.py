"""Whether a state's law would ask for a solar plant: never more than the data can tell."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import get_args

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.rules.duty import BuildingDuty, DutyRules, Group, Law

#: The answers; an unknown goes on with what is not known.
ON_NEW_BUILD = "würde bei Neubau gelten"
ON_RENOVATION = "würde bei Dachsanierung gelten"
NONE = "gilt nicht"
UNKNOWN = "unbekannt: "

_NO_USE = UNKNOWN + "Nutzung des Gebäudes nicht bekannt"
_NO_OWNER = UNKNOWN + "öffentliche Nutzung, aber Eigentümer nicht bekannt"
_UNCLEAR = UNKNOWN + "ob das Gebäude überwiegend gewerblich genutzt wird, ist nicht bekannt"
_PUBLIC_OTHER = UNKNOWN + "öffentlicher Eigentümer, aber keine öffentliche oder gewerbliche Nutzung"


def solar_duty(
    buildings: pd.DataFrame,
    rules: DutyRules | None,
    *,
    footprint_area_m2: np.ndarray,
    as_of: datetime.date,
    usable_area_m2: np.ndarray | None = None,
    state: str = "",
) -> pd.DataFrame:
    """
    Duty of each building, were it built anew or its roof renovated.

    Parameters
    ----------
    buildings : DataFrame, n rows
        ``use_class`` and ``owner_class`` (empty if unknown), ``is_own_building``, ``height_m`` (NaN
        if unknown). Columns that are missing are unknown.
    rules : DutyRules or None
        Of the state; None if there are none.
    footprint_area_m2 : ndarray, shape (n,)
        [m²]
    as_of : date
        Day of the building application that is asked about.
    usable_area_m2 : ndarray, shape (n,), optional
        Usable floor area of all storeys where it is given; NaN or None: it is bounded by footprint
        and height. [m²]
    state : str
        Name of the state, for the answer without rules.

    Returns
    -------
    DataFrame, n rows
        ``solar_duty``: :data:`ON_NEW_BUILD`, :data:`ON_RENOVATION` (a new building would be bound
        as well), :data:`NONE` or ``unbekannt: …``; ``solar_duty_basis``: law, paragraph and date.

    Raises
    ------
    InputError
        If areas do not fit the buildings.
    """
    n = len(buildings)
    areas = {"footprint_area_m2": footprint_area_m2, "usable_area_m2": usable_area_m2}
    for name, values in areas.items():
        if values is not None and len(values) != n:
            raise InputError(f"{name} has {len(values)} values", expected=f"{n}, one per building")
    if rules is None:
        answer = np.full(n, no_rules(state), dtype=object)
        return _table(buildings, answer, np.full(n, "", dtype=object))
    group, answer = _groups(buildings, rules)
    basis = np.full(n, law_text(rules.law), dtype=object)
    low_m2, high_m2 = _usable_area_bounds(buildings, rules, footprint_area_m2, usable_area_m2)
    for name in get_args(Group):
        at = group == name
        duty = rules.buildings.get(name)
        if duty is None or as_of < duty.since:
            answer[at], basis[at] = NONE, _no_duty_basis(rules, duty, as_of)
        else:
            answer[at] = _by_area(duty, low_m2[at], high_m2[at])
            basis[at] = _duty_basis(rules, duty)
    return _table(buildings, answer, basis)


def no_rules(state: str) -> str:
    """The answer where no rules are known."""
    if not state:
        return UNKNOWN + "kein Land angegeben"
    return UNKNOWN + f"für {state} ist keine Regel hinterlegt"


def law_text(law: Law) -> str:
    """Name and version of a law."""
    return f"{law.name}, Fassung vom {german_date(law.date)}"


def german_date(date: datetime.date) -> str:
    """A day as Germans write it."""
    return f"{date.day:02d}.{date.month:02d}.{date.year}"


def is_public_owner(
    owner_class: np.ndarray, is_own: np.ndarray, public_owners: Sequence[str]
) -> np.ndarray:
    """
    Owners of the public hand.

    Parameters
    ----------
    owner_class : ndarray of str, shape (n,)
    is_own : ndarray of bool, shape (n,)
        The municipality's own.
    public_owners : sequence of str
        Classes of the rules.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    return np.isin(owner_class.astype(str), list(public_owners)) | is_own


def _table(buildings: pd.DataFrame, answer: np.ndarray, basis: np.ndarray) -> pd.DataFrame:
    columns = {"solar_duty": answer, "solar_duty_basis": basis}
    return pd.DataFrame(columns, index=buildings.index)


def _column(buildings: pd.DataFrame, name: str, unknown) -> np.ndarray:
    if name not in buildings:
        return np.full(len(buildings), unknown, dtype=object)
    return buildings[name].fillna(unknown).to_numpy(dtype=object)


def _groups(buildings: pd.DataFrame, rules: DutyRules) -> tuple[np.ndarray, np.ndarray]:
    """Group of each building, empty where it is unknown, and then the answer that says why."""
    use = _column(buildings, "use_class", "").astype(str)
    owner = _column(buildings, "owner_class", "").astype(str)
    is_own = _column(buildings, "is_own_building", False).astype(bool)
    is_public = is_public_owner(owner, is_own, rules.groups.public_owners)
    groups, known = rules.groups, get_args(Group)
    is_use = {
        name: np.isin(use, list(getattr(groups, name))) for name in (*known, "offices", "unclear")
    }
    no_owner = ~is_public & (owner == "")
    is_other = is_use["residential"] | is_use["other"]
    choices = [
        (use == "", "", _NO_USE),
        (is_use["commercial"], "commercial", ""),
        ((is_use["public"] | is_use["offices"]) & is_public, "public", ""),
        (is_use["offices"] | is_use["unclear"], "", _UNCLEAR),
        (is_use["public"] & no_owner, "", _NO_OWNER),
        (is_use["public"], "other", ""),  # a private school is neither public nor commercial
        (is_other & is_public, "", _PUBLIC_OTHER),
        (is_use["residential"], "residential", ""),
        (is_use["other"], "other", ""),
    ]
    masks = [mask for mask, _, _ in choices]
    group = np.select(masks, [group for _, group, _ in choices], "").astype(object)
    strange = np.array(
        [f"{UNKNOWN}Nutzung „{one}“ ist keiner Gruppe des Gesetzes zugeordnet" for one in use],
        dtype=object,
    )
    answers = [np.full(len(use), answer, dtype=object) for _, _, answer in choices]
    return group, np.select(masks, answers, strange).astype(object)


def _usable_area_bounds(
    buildings: pd.DataFrame,
    rules: DutyRules,
    footprint_area_m2: np.ndarray,
    usable_area_m2: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest usable floor area; given areas are both. [m²]"""
    height_m = _column(buildings, "height_m", np.nan).astype(np.float64)
    footprint_m2 = np.asarray(footprint_area_m2, dtype=np.float64)
    storeys = np.ceil(np.maximum(height_m, 0.0) / rules.usable_area.storey_height_m) + 1.0
    low_m2 = np.nan_to_num(footprint_m2 * rules.usable_area.least_of_footprint)
    high_m2 = np.nan_to_num(footprint_m2 * storeys, nan=np.inf)
    if usable_area_m2 is None:
        return low_m2, high_m2
    given_m2 = np.asarray(usable_area_m2, dtype=np.float64)
    is_given = ~np.isnan(given_m2)
    return np.where(is_given, given_m2, low_m2), np.where(is_given, given_m2, high_m2)


def _by_area(duty: BuildingDuty, low_m2: np.ndarray, high_m2: np.ndarray) -> np.ndarray:
    limit = duty.above_usable_area_m2
    bound = ON_RENOVATION if "roof renovation" in duty.events else ON_NEW_BUILD
    open_ = f"{UNKNOWN}Nutzfläche nicht bekannt, die Pflicht gilt über {limit:g} m²"
    return np.select([low_m2 > limit, high_m2 <= limit], [bound, NONE], open_).astype(object)


def _duty_basis(rules: DutyRules, duty: BuildingDuty) -> str:
    events = {"new build": "Neubau", "roof renovation": "grundlegende Dachsanierung"}
    what = " und ".join(events[event] for event in duty.events)
    return (
        f"{duty.paragraphs} {law_text(rules.law)}: {what} über "
        f"{duty.above_usable_area_m2:g} m² Nutzfläche, Bauantrag ab {german_date(duty.since)}"
    )


def _no_duty_basis(rules: DutyRules, duty: BuildingDuty | None, as_of: datetime.date) -> str:
    if duty is not None:
        return f"{_duty_basis(rules, duty)}; am {german_date(as_of)} noch nicht"
    text = f"{law_text(rules.law)}: keine Pflicht für diese Nutzung"
    if rules.ready is None or as_of < rules.ready.since:
        return text
    return (
        f"{text}; bei Neubau und Dachsanierung ist das Dach für eine spätere Anlage vorzubereiten "
        f"({rules.ready.paragraphs}, seit {german_date(rules.ready.since)})"
    )
