"""Classes by name, from shares of what the best open plane at the site gets, each with a reason."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from solarkataster.errors import InputError
from solarkataster.potential import best_plane
from solarkataster.rating.class_words import ENGLISH, GERMAN, Findings, Language, class_sentences
from solarkataster.rating.reasons import (
    age_words,
    german_reasons,
    joined,
    protection_words,
    without_classes,
)
from solarkataster.rules.rating import MonumentWords, RatingRules

#: Names of the classes, the lowest first, as citizens read them.
CLASSES = ("gering", "mittel", "gut", "sehr gut", "hervorragend")

#: A limit counts as reached by what lies a rounding error of floats below it. [–]
REACHED = 1.0 + 1e-12

#: What rating adds to a table of surfaces or buildings.
RATED_COLUMNS = ("suitability", "suitability_fraction", "reason", "reason_en")


def class_names(values, thresholds: Sequence[float]) -> np.ndarray:
    """
    Class of each value.

    Parameters
    ----------
    values : array_like, shape (n,)
        NaN for no value.
    thresholds : sequence of float
        From which value on the second, third, … class is reached; rising.

    Returns
    -------
    names : ndarray of object, shape (n,)
        Of :data:`CLASSES`, the lowest ``len(thresholds) + 1``; empty without a value.
    """
    values = np.asarray(values, dtype=np.float64)
    at = np.searchsorted(np.asarray(thresholds, dtype=np.float64), values, side="right")
    names = np.array(CLASSES, dtype=object)[np.minimum(at, len(thresholds))]
    return np.where(np.isnan(values), "", names)


@dataclass(frozen=True)
class ClassLimits:
    """
    From where on classes are reached at a site.

    Parameters
    ----------
    scheme : str
        Name in the rules: share, swiss or own.
    best_open_kwh_m2 : float
        What the best open plane of the kind gets in a year. [kWh/m²]
    kwh_m2 : tuple of float or None
        From which irradiation on mittel, gut, sehr gut and hervorragend are reached; None if the
        scheme says nothing of this kind of surface. [kWh/m²]
    is_share : bool
        Whether the rules give shares; reasons then speak of shares first.
    """

    scheme: str
    best_open_kwh_m2: float
    kwh_m2: tuple[float, ...] | None
    is_share: bool


def class_limits(rules: RatingRules, surface: str, best_open_kwh_m2: float) -> ClassLimits:
    """
    Limits of the chosen scheme.

    Parameters
    ----------
    rules : RatingRules
    surface : {"roofs", "walls"}
    best_open_kwh_m2 : float
        Of the best open plane at the site; for walls of the best vertical one. [kWh/m²]

    Returns
    -------
    ClassLimits

    Raises
    ------
    InputError
        If the best open plane gets nothing.
    """
    if not best_open_kwh_m2 > 0.0:
        raise InputError(
            f"the best open plane gets {best_open_kwh_m2:g} kWh/m² a year",
            where=f"rating of {surface}",
            expected="more than 0",
            remedy="Check the weather: without sunlight nothing can be rated.",
        )
    name, table = rules.scheme(surface)
    shares = table.fraction(surface)
    if shares is not None:
        kwh_m2 = tuple(share * best_open_kwh_m2 for share in shares)
        return ClassLimits(name, best_open_kwh_m2, kwh_m2, is_share=True)
    return ClassLimits(name, best_open_kwh_m2, table.kwh_m2(surface), is_share=False)


def unreachable_classes(thresholds: Sequence[float], best_open_kwh_m2: float) -> list[str]:
    """
    Classes that no surface of the site can reach.

    Parameters
    ----------
    thresholds : sequence of float, length 4
        As :attr:`ClassLimits.kwh_m2`. [kWh/m²]
    best_open_kwh_m2 : float
        [kWh/m²]

    Returns
    -------
    list of str
        The lowest first; empty for shares, which the best open plane always reaches.
    """
    return [
        name
        for name, limit in zip(CLASSES[1:], thresholds, strict=True)
        if limit > best_open_kwh_m2 * REACHED
    ]


def rate_surfaces(
    table: pd.DataFrame, limits: ClassLimits, *, light: str = "surface", with_rejected: bool = False
) -> pd.DataFrame:
    """
    Class of roof planes or walls, and why.

    Parameters
    ----------
    table : DataFrame, n rows
        ``poa_global_year_kwh_m2``, ``shading_loss_fraction``, ``surface_tilt``,
        ``surface_azimuth`` (NaN if level) and ``reason`` of the computation, in English: why there
        is no light or no module, or no yield; ``reason_en`` instead in a table that was rated.
        With ``n_modules``, surfaces that hold none for a reason are rejected.
    limits : ClassLimits
        Of roofs or of walls.
    light : {"surface", "modules"}
        ``modules`` rates by ``module_poa_year_kwh_m2`` where modules lie.
    with_rejected : bool
        Whether surfaces without modules have a class all the same.

    Returns
    -------
    DataFrame, n rows
        :data:`RATED_COLUMNS`, with the index of ``table``. Rejected surfaces and those without
        light have no class; the share is that of the light, whatever the class. Reasons say why
        this class and what it lacks to the next one, or why there is none; ``reason`` in German.
    """
    year = table["poa_global_year_kwh_m2"].to_numpy(dtype=np.float64)
    if light == "modules":
        on_modules = table["module_poa_year_kwh_m2"].to_numpy(dtype=np.float64)
        year = np.where(np.isnan(on_modules), year, on_modules)
    source = _source(table)
    why_not = german_reasons(source.tolist())
    is_rejected = np.isnan(year)
    if "n_modules" in table:
        is_rejected |= (table["n_modules"].fillna(0).to_numpy() == 0) & (why_not != "")
    names = np.full(len(table), "", dtype=object)
    if limits.kwh_m2 is not None:
        names = class_names(year * REACHED, limits.kwh_m2)
    has_class = ~np.isnan(year) if with_rejected else ~is_rejected
    columns = {
        "suitability": np.where(has_class, names, "").astype(object),
        "suitability_fraction": year / limits.best_open_kwh_m2,
    }
    of_language = {"reason": (GERMAN, why_not), "reason_en": (ENGLISH, source)}
    for name, (language, else_) in of_language.items():
        words = _words(table, year, names, limits, language)
        # Of a surface with modules the computation says what else it lacks: a yield.
        columns[name] = np.where(is_rejected, else_, joined(words, else_)).astype(object)
    return pd.DataFrame(columns, index=table.index)


def _source(table: pd.DataFrame) -> np.ndarray:
    """The computation's own reasons; a table that was rated has them as the English ones."""
    reasons = table["reason_en"] if "reason_en" in table else table["reason"]
    return without_classes(reasons.fillna("").astype(str).to_list())


def _words(
    table: pd.DataFrame,
    year: np.ndarray,
    names: np.ndarray,
    limits: ClassLimits,
    language: Language,
) -> np.ndarray:
    """Sentence about the class of each surface."""
    if limits.kwh_m2 is None:
        return np.full(len(table), language.no_class.format(scheme=limits.scheme), dtype=object)
    next_name, missing_kwh_m2 = _next_classes(year, names, limits)
    found = Findings(
        name=names,
        year_kwh_m2=year,
        best_kwh_m2=limits.best_open_kwh_m2,
        is_share=limits.is_share,
        shading_fraction=table["shading_loss_fraction"].to_numpy(dtype=np.float64),
        surface_tilt=table["surface_tilt"].to_numpy(dtype=np.float64),
        surface_azimuth=table["surface_azimuth"].to_numpy(dtype=np.float64),
        next_name=next_name,
        missing_kwh_m2=missing_kwh_m2,
    )
    return class_sentences(found, language)


def _next_classes(
    year: np.ndarray, names: np.ndarray, limits: ClassLimits
) -> tuple[np.ndarray, np.ndarray]:
    """Next class of each surface if any surface of the site can reach it, and what it lacks."""
    assert limits.kwh_m2 is not None
    beyond = unreachable_classes(limits.kwh_m2, limits.best_open_kwh_m2)
    next_name = np.full(len(year), "", dtype=object)
    missing_kwh_m2 = np.full(len(year), np.nan)
    for low, high, limit in zip(CLASSES[:-1], CLASSES[1:], limits.kwh_m2, strict=True):
        if high in beyond:
            continue
        at = names == low
        next_name[at] = high
        # Rounded up: with as much light as the sentence asks for the class is reached.
        missing_kwh_m2[at] = np.maximum(np.ceil(limit - year[at]), 1.0)
    return next_name, missing_kwh_m2


def rate_buildings(
    buildings: pd.DataFrame, roofs: pd.DataFrame, rated: pd.DataFrame
) -> pd.DataFrame:
    """
    Class and reason of each building: those of its best roof plane.

    Parameters
    ----------
    buildings : DataFrame, n_building rows
        ``building_id`` and the computation's ``reason``.
    roofs : DataFrame, n_roof rows
        ``building_id``, ``n_modules`` and ``poa_global_year_kwh``.
    rated : DataFrame, n_roof rows
        Of :func:`rate_surfaces`.

    Returns
    -------
    DataFrame, n_building rows
        :data:`RATED_COLUMNS`, with the index of ``buildings``. The best plane holds most modules,
        then gets most light. Buildings without roofs say why.
    """
    building = pd.Index(buildings["building_id"]).get_indexer(roofs["building_id"])
    known = building >= 0
    best = best_plane(roofs[known], building[known], len(buildings))
    has_roof = best >= 0
    source = _source(buildings)
    table = {
        "suitability": np.full(len(buildings), "", dtype=object),
        "suitability_fraction": np.full(len(buildings), np.nan),
        "reason": german_reasons(source.tolist()),
        "reason_en": source,
    }
    for name, values in table.items():
        values[has_roof] = rated[known][name].to_numpy()[best[has_roof]]
    return pd.DataFrame(table, index=buildings.index)


def add_remarks(
    reason: np.ndarray,
    table: pd.DataFrame,
    rules: RatingRules,
    *,
    protected: np.ndarray,
    as_of: datetime.date,
) -> np.ndarray:
    """
    Reasons with what else is to be known: protection, old data.

    Parameters
    ----------
    reason : ndarray of object, shape (n,)
    table : DataFrame, n rows
        Uses ``surface_model_date`` if it has that.
    rules : RatingRules
    protected : ndarray of object, shape (n,)
        Of :func:`solarkataster.rating.reasons.protection_words`; empty where nothing is protected.
    as_of : date
        Day the age of the data is told for; given, so that a result does not depend on the day it
        was made.

    Returns
    -------
    ndarray of object, shape (n,)
    """
    dates = table.get("surface_model_date", pd.Series("", index=table.index))
    age = age_words(dates.fillna("").astype(str).to_list(), as_of.year, rules.data_age.max_years)
    return joined(reason, protected, age)


def protected_reasons(
    buildings: pd.DataFrame, words: MonumentWords, table: pd.DataFrame, *, is_wall: bool = False
) -> np.ndarray:
    """
    What is said of protection, for rows that belong to buildings.

    Parameters
    ----------
    buildings : DataFrame, n_building rows
        ``building_id``, ``monument``; of its kind ``protection`` and of its view
        ``monument_visible``, if it has them.
    words : MonumentWords
        Of the state's rules, or the general ones.
    table : DataFrame, n rows
        ``building_id``; its own ``monument_visible``, of single roof planes, if it has that.
    is_wall : bool
        Of walls nobody worked out whether they are seen, so nothing is said of that.

    Returns
    -------
    ndarray of object, shape (n,)
    """
    is_monument = buildings["monument"].fillna(False).to_numpy(dtype=bool)
    kind = np.where(is_monument, "Denkmal", "").astype(object)
    if "protection" in buildings:
        kind = buildings["protection"].fillna("").to_numpy(dtype=object)
    at = pd.Index(buildings["building_id"]).get_indexer(table["building_id"])
    own, row = (table, np.arange(len(table))) if "monument_visible" in table else (buildings, at)
    visible = np.full(len(table), "", dtype=object)
    if "monument_visible" in own and not is_wall:
        visible = own["monument_visible"].fillna("").to_numpy(dtype=object)[row]
    kind = np.where(at >= 0, kind[at], "")
    return protection_words(kind, visible, single=words.single, ensemble=words.ensemble)
