"""Why a surface has its class, in one sentence, German or English."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: A plane less steep than this is called flat, one steeper than the other a wall. [°]
_FLAT_DEG, _WALL_DEG = 5.0, 89.5


@dataclass(frozen=True)
class Language:
    """
    Words of a language.

    Parameters
    ----------
    classes : dict
        Names of the classes by those of the tables.
    no_class : str
        Of walls in a scheme without limits for them; with ``{scheme}``.
    towards : tuple of str, length 8
        Directions clockwise from north.
    of_best, of_best_wall : str
        What follows a share.
    light, of_it, of_it_wall : str
        What follows an irradiation, and the share behind it.
    shade, flat, lie, wall : str
        Losses; ``lie`` with ``{towards}`` and ``{tilt}``, ``wall`` with ``{towards}``.
    costs : str
    next_class : str
        With ``{name}`` and ``{missing}``.
    thousands : str
        What parts thousands.
    """

    classes: dict[str, str]
    no_class: str
    towards: tuple[str, ...]
    of_best: str
    of_best_wall: str
    light: str
    of_it: str
    of_it_wall: str
    shade: str
    flat: str
    lie: str
    wall: str
    costs: str
    next_class: str
    thousands: str


GERMAN = Language(
    classes={name: name for name in ("gering", "mittel", "gut", "sehr gut", "hervorragend")},
    no_class="Ohne Klasse: das Schema „{scheme}“ nennt für Wände keine Grenzen",
    towards=(
        "Norden", "Nordosten", "Osten", "Südosten", "Süden", "Südwesten", "Westen", "Nordwesten",
    ),
    of_best=" % vom Licht der besten Fläche am Ort",
    of_best_wall=" % vom Licht der besten Wand am Ort",
    light=" kWh/m² Licht im Jahr, ",
    of_it=" % der besten Fläche am Ort",
    of_it_wall=" % der besten Wand am Ort",
    shade="Schatten",
    flat="die flache Lage",
    lie="die Lage nach {towards} mit {tilt}° Neigung",
    wall="die Ausrichtung nach {towards}",
    costs=" kostet ",
    next_class=", bis „{name}“ fehlen {missing} kWh/m²",
    thousands=".",
)  # fmt: skip

ENGLISH = Language(
    classes={
        "gering": "low",
        "mittel": "medium",
        "gut": "good",
        "sehr gut": "very good",
        "hervorragend": "excellent",
    },
    no_class="No class: the scheme “{scheme}” has no limits for walls",
    towards=(
        "north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west",
    ),
    of_best=" % of the light of the best surface here",
    of_best_wall=" % of the light of the best wall here",
    light=" kWh/m² of light a year, ",
    of_it=" % of the best surface here",
    of_it_wall=" % of the best wall here",
    shade="shade",
    flat="lying flat",
    lie="facing {towards} at {tilt}°",
    wall="facing {towards}",
    costs=" costs ",
    next_class=", {missing} kWh/m² short of “{name}”",
    thousands=",",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Findings:
    """
    What sentences are made of, n surfaces.

    Parameters
    ----------
    name : ndarray of str
        Class; empty for no sentence.
    year_kwh_m2, best_kwh_m2 : ndarray, float
        Light of each, and of the best open one at the site. [kWh/m²]
    is_share : bool
        Whether shares or irradiations come first.
    shading_fraction : ndarray
        Light lost to shade, of what the surface would get in the open; NaN if unknown. [–]
    surface_tilt, surface_azimuth : ndarray
        Azimuth clockwise from north, NaN on a level surface. [°]
    next_name : ndarray of str
        Next better class that can be reached here; empty for none.
    missing_kwh_m2 : ndarray
        What it asks for beyond the light there is. [kWh/m²]
    """

    name: np.ndarray
    year_kwh_m2: np.ndarray
    best_kwh_m2: float
    is_share: bool
    shading_fraction: np.ndarray
    surface_tilt: np.ndarray
    surface_azimuth: np.ndarray
    next_name: np.ndarray
    missing_kwh_m2: np.ndarray


def class_sentences(found: Findings, language: Language) -> np.ndarray:
    """
    Class, share or irradiation, losses of 1 % and more, and what the next class asks for.

    Parameters
    ----------
    found : Findings
    language : Language

    Returns
    -------
    ndarray of object, shape (n,)
    """
    titles = {name: f"{word.capitalize()}: " for name, word in language.classes.items()} | {"": ""}
    title = _words(titles[name] for name in found.name)
    share = _whole(100.0 * found.year_kwh_m2 / found.best_kwh_m2, language)
    is_wall = found.surface_tilt >= _WALL_DEG
    best = np.where(is_wall, language.of_best_wall, language.of_best).astype(object)
    measure = share + best
    if not found.is_share:
        best = np.where(is_wall, language.of_it_wall, language.of_it).astype(object)
        measure = _whole(found.year_kwh_m2, language) + language.light + share + best
    sentence = title + measure + _losses(found, language) + _next(found, language)
    return np.where(found.name == "", "", sentence).astype(object)


def _losses(found: Findings, language: Language) -> np.ndarray:
    """Losses to shade and to how the surface lies, the larger one first."""
    lossless = 1.0 - np.where(found.shading_fraction < 1.0, found.shading_fraction, np.nan)
    facing_fraction = 1.0 - found.year_kwh_m2 / lossless / found.best_kwh_m2
    shade, facing = (
        np.rint(100.0 * np.nan_to_num(loss)).clip(0, 100).astype(np.int64)
        for loss in (found.shading_fraction, facing_fraction)
    )
    shade_words = _where(shade > 0, language.shade)
    facing_words = _where(facing > 0, _lies(found, language))
    is_shade_first = shade >= facing
    first = np.where(is_shade_first, shade_words, facing_words)
    second = np.where(is_shade_first, facing_words, shade_words)
    percent = np.array([f"{p} %" for p in range(101)], dtype=object)
    text = ", " + first + language.costs + percent[np.maximum(shade, facing)]
    other = ", " + second + " " + percent[np.minimum(shade, facing)]
    return _where(first != "", text) + _where(second != "", other)


def _lies(found: Findings, language: Language) -> np.ndarray:
    """Facing and tilt as the subject of a sentence; each pair is put in words once."""
    azimuth, tilt = found.surface_azimuth, found.surface_tilt
    eighth = np.rint(np.nan_to_num(azimuth) / 45.0).astype(np.int64) % 8
    degrees = np.rint(np.nan_to_num(tilt)).astype(np.int64).clip(0, 90)
    kinds = [
        [language.lie.format(towards=towards, tilt=t) for t in range(90)]
        + [language.wall.format(towards=towards)]
        for towards in language.towards
    ]
    lies = np.array(kinds, dtype=object)[eighth, degrees]
    is_flat = (np.nan_to_num(tilt) < _FLAT_DEG) | np.isnan(azimuth)
    return np.where(is_flat, language.flat, lies)


def _next(found: Findings, language: Language) -> np.ndarray:
    words = np.full(len(found.name), "", dtype=object)
    for name, word in language.classes.items():
        at = found.next_name == name
        before, _, after = language.next_class.format(name=word, missing="#").partition("#")
        words[at] = before + _whole(found.missing_kwh_m2[at], language) + after
    return words


def _whole(values: np.ndarray, language: Language) -> np.ndarray:
    """Whole numbers; NaN becomes empty."""
    unique, place = np.unique(np.rint(values), return_inverse=True)
    parted = (
        "" if np.isnan(one) else f"{int(one):,}".replace(",", language.thousands) for one in unique
    )
    return _words(parted)[place]


def _words(words) -> np.ndarray:
    return np.array(list(words), dtype=object)


def _where(mask: np.ndarray, words) -> np.ndarray:
    return np.where(mask, words, "").astype(object)
