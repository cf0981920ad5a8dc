"""Public holidays of the German states."""

from __future__ import annotations

import datetime
import difflib

from solarkataster.errors import InputError

#: ISO 3166-2 code without ``DE-`` -> name as in file names and configs.
STATES = {
    "BW": "baden-württemberg",
    "BY": "bayern",
    "BE": "berlin",
    "BB": "brandenburg",
    "HB": "bremen",
    "HH": "hamburg",
    "HE": "hessen",
    "MV": "mecklenburg-vorpommern",
    "NI": "niedersachsen",
    "NW": "nordrhein-westfalen",
    "RP": "rheinland-pfalz",
    "SL": "saarland",
    "SN": "sachsen",
    "ST": "sachsen-anhalt",
    "SH": "schleswig-holstein",
    "TH": "thüringen",
}


def state_code(state: str) -> str:
    """
    ISO code of a German state.

    Parameters
    ----------
    state : str
        Name (``Rheinland-Pfalz``, ``thueringen``) or code (``RP``, ``DE-RP``), any case.

    Returns
    -------
    str
        Two letters.

    Raises
    ------
    InputError
        If no state is called that.
    """
    text = state.strip().lower().removeprefix("de-").replace(" ", "-").replace("_", "-")
    if text.upper() in STATES:
        return text.upper()
    by_name = {_plain(name): code for code, name in STATES.items()}
    code = by_name.get(_plain(text))
    if code is None:
        near = difflib.get_close_matches(_plain(text), by_name, n=1)
        raise InputError(
            f"state {state!r} is not known",
            where="state",
            expected="a German state: " + ", ".join(f"{n} ({c})" for c, n in STATES.items()),
            remedy=f"Did you mean {STATES[by_name[near[0]]]}?" if near else None,
        )
    return code


def holiday_dates(state: str, year: int) -> list[datetime.date]:
    """
    Public holidays of a year, in order; those of single places are left out.

    Parameters
    ----------
    state : str
        As for :func:`state_code`; empty for the holidays that all states have.
    year : int

    Returns
    -------
    list of date
    """
    import holidays  # here, because few commands need it

    subdiv = state_code(state) if state.strip() else None
    return sorted(holidays.country_holidays("DE", subdiv=subdiv, years=year))


def _plain(name: str) -> str:
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        name = name.replace(umlaut, letters)
    return name
