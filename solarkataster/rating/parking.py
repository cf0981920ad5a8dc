"""Car parks: their spaces, what a canopy with modules over them yields, and whether it is due."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import shapely

from solarkataster.rating.duty import (
    NONE,
    ON_NEW_BUILD,
    UNKNOWN,
    german_date,
    is_public_owner,
    law_text,
    no_rules,
)
from solarkataster.rating.reasons import german_number
from solarkataster.rules.duty import CarParkDuty, DutyRules
from solarkataster.rules.rating import CarParks

#: Columns of :func:`parking_potential`, beside ``geometry``.
PARKING_COLUMNS = (
    "parking_id", "name", "area_m2", "n_spaces", "n_spaces_source", "canopy_area_m2",
    "dc_power_kwp", "yield_year_kwh", "solar_duty", "solar_duty_basis", "reason",
)  # fmt: skip

GIVEN, ESTIMATED = "angegeben", "geschätzt aus der Fläche"
_NO_SHADE = "Ohne Schatten gerechnet: was um den Parkplatz steht, zählt nicht"


def parking_potential(
    parking: pd.DataFrame,
    rules: CarParks,
    duty: DutyRules | None,
    *,
    specific_yield_kwh_per_kwp: float,
    as_of: datetime.date,
    state: str = "",
    light_fraction: np.ndarray | None = None,
) -> pd.DataFrame:
    """
    Canopy potential and duty of each car park.

    Parameters
    ----------
    parking : GeoDataFrame, n rows
        ``geometry`` in metres, ``parking_id``, ``name``; ``n_spaces`` (None or NaN if unknown) and
        ``owner_class`` (empty if unknown), if it has them.
    rules : CarParks
        Sizes and shares.
    duty : DutyRules or None
        Of the state.
    specific_yield_kwh_per_kwp : float
        Of an unshaded canopy at the site, as the rules tilt it, year; NaN if unknown. [kWh/kWp]
    as_of : date
        Day of the building application that is asked about.
    state : str
        Name of the state, for the answer without rules.
    light_fraction : ndarray, shape (n,), optional
        Light over the car park as a share of that in the open; None: no shade is taken off. [–]

    Returns
    -------
    DataFrame, n rows
        :data:`PARKING_COLUMNS`. ``n_spaces`` is a float; NaN areas and powers belong to car parks
        without geometry.
    """
    area_m2 = shapely.area(parking["geometry"].to_numpy())
    area_m2 = np.where(area_m2 > 0.0, area_m2, np.nan)
    given = _given_spaces(parking)
    is_given = ~np.isnan(given)
    estimate = np.floor(area_m2 * rules.spaces_fraction / rules.space_m2)
    canopy_m2 = area_m2 * rules.canopy_fraction
    power_kwp = canopy_m2 * rules.power_kwp_per_m2
    light = 1.0 if light_fraction is None else np.asarray(light_fraction, dtype=np.float64)
    answer, basis = _duties(parking, rules, duty, area_m2, given, as_of, state)
    source = np.where(is_given, GIVEN, np.where(np.isnan(area_m2), "", ESTIMATED))
    return pd.DataFrame(
        {
            "parking_id": parking["parking_id"].to_numpy(dtype=object),
            "name": parking["name"].fillna("").to_numpy(dtype=object),
            "area_m2": area_m2,
            "n_spaces": np.where(is_given, given, estimate),
            "n_spaces_source": source.astype(object),
            "canopy_area_m2": canopy_m2,
            "dc_power_kwp": power_kwp,
            "yield_year_kwh": power_kwp * specific_yield_kwh_per_kwp * light,
            "solar_duty": answer,
            "solar_duty_basis": basis,
            "reason": _with_doubts(
                _reasons(area_m2, specific_yield_kwh_per_kwp, light_fraction is None),
                _doubts(area_m2, given, rules),
            ),
        },
        index=parking.index,
    )


def _given_spaces(parking: pd.DataFrame) -> np.ndarray:
    """Numbers of spaces that the input states and that can be; NaN otherwise."""
    if "n_spaces" not in parking:
        return np.full(len(parking), np.nan)
    given = pd.to_numeric(parking["n_spaces"], errors="coerce").to_numpy(dtype=np.float64)
    return np.where(given > 0.0, given, np.nan)


def _reasons(area_m2: np.ndarray, specific_yield: float, is_unshaded: bool) -> np.ndarray:
    words = _NO_SHADE if is_unshaded else ""
    if np.isnan(specific_yield):
        words = "Kein Ertrag: der Ertrag am Ort ist nicht bekannt"
    return np.where(np.isnan(area_m2), "Keine Fläche: der Umriss fehlt", words).astype(object)


def _doubts(area_m2: np.ndarray, given: np.ndarray, rules: CarParks) -> list[str]:
    """Spaces that do not fit side by side: a wrong number, or one of several levels."""
    texts = []
    for spaces, area, most in zip(given, area_m2, area_m2 / rules.least_space_m2, strict=True):
        said, size, fit = (
            german_number(f"{np.nan_to_num(number):.0f}") for number in (spaces, area, most)
        )
        doubt = (
            f"Stellplätze unglaubwürdig: {said} angegeben, auf {size} m² passen höchstens {fit} "
            "nebeneinander"
        )
        texts.append(doubt if spaces > most else "")
    return texts


def _with_doubts(reasons: np.ndarray, doubts: list[str]) -> np.ndarray:
    both = zip(doubts, reasons, strict=True)
    return np.array(["; ".join(filter(None, one)) for one in both], dtype=object)


def _duties(
    parking: pd.DataFrame,
    rules: CarParks,
    duty: DutyRules | None,
    area_m2: np.ndarray,
    given: np.ndarray,
    as_of: datetime.date,
    state: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Answer and basis of each car park, were it built anew."""
    n = len(parking)
    if duty is None:
        return np.full(n, no_rules(state), dtype=object), np.full(n, "", dtype=object)
    basis = np.full(n, law_text(duty.law), dtype=object)
    law = duty.car_parks
    if law is None:
        return np.full(n, NONE, dtype=object), basis
    is_bound, is_open = _bound_owners(parking, duty, law, as_of)
    # An estimate decides only if the least and the most that the area holds agree.
    most = np.floor(area_m2 * rules.spaces_fraction_high / rules.space_m2)
    least = np.floor(area_m2 * rules.spaces_fraction_low / rules.space_m2)
    most, least = (np.where(np.isnan(given), bound, given) for bound in (most, least))
    about = np.floor(area_m2 * rules.spaces_fraction / rules.space_m2)
    uncertain = np.array(
        [
            f"{UNKNOWN}geschätzt sind {spaces:.0f} Stellplätze, die Pflicht gilt ab "
            f"{law.from_spaces:g}"
            for spaces in np.nan_to_num(about)
        ],
        dtype=object,
    )
    who = UNKNOWN + "ob der Parkplatz gewerblich oder öffentlich genutzt wird, ist nicht bekannt"
    nothing = np.isnan(most)
    answer = np.select(
        [nothing, most < law.from_spaces, ~is_bound & ~is_open, least < law.from_spaces, is_open],
        [UNKNOWN + "Fläche und Zahl der Stellplätze fehlen", NONE, NONE, uncertain, who],
        ON_NEW_BUILD,
    ).astype(object)
    basis[:] = (
        f"{law.paragraphs} {law_text(duty.law)}: neue Parkplätze ab {law.from_spaces:g} "
        f"Stellplätzen, Bauantrag ab {german_date(law.since_commercial)} (gewerblich) oder "
        f"{german_date(law.since_public)} (öffentlich)"
    )
    return answer, basis


def _bound_owners(
    parking: pd.DataFrame, duty: DutyRules, law: CarParkDuty, as_of: datetime.date
) -> tuple[np.ndarray, np.ndarray]:
    """Car parks whose owner the law binds on that day, and those whose owner is not known."""
    n = len(parking)
    owner = np.full(n, "", dtype=object)
    if "owner_class" in parking:
        owner = parking["owner_class"].fillna("").to_numpy(dtype=object)
    is_public = is_public_owner(owner, np.zeros(n, dtype=bool), duty.groups.public_owners)
    is_commercial = np.isin(owner.astype(str), list(duty.groups.commercial_owners))
    is_bound = (is_public & (as_of >= law.since_public)) | (
        is_commercial & (as_of >= law.since_commercial)
    )
    is_private = np.isin(owner.astype(str), list(duty.groups.private_owners))
    return is_bound, ~(is_public | is_commercial | is_private)
