"""
Reasons in plain German: what the computation says of a surface, and what else is to be known.

A reason is made of sentences that are parted by semicolons, as the map shows them one by one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

_NUMBER = r"(\d+(?:\.\d+)?)"
_SHORT_OF = rf"modules cover {_NUMBER} m², {_NUMBER} m² short of {_NUMBER} m²"
_LIGHT = rf"{_NUMBER} kWh/m² under an open sky, {_NUMBER} kWh/m² short of {_NUMBER} kWh/m²"


def german_number(text: str) -> str:
    """A number as Germans write it, with the decimals it has: ``1086.5`` → ``1.086,5``."""
    whole, _, decimals = text.partition(".")
    grouped = f"{int(whole):,}".replace(",", ".")
    return f"{grouped},{decimals}" if decimals else grouped


def _room(covered: str, short: str, needed: str) -> str:
    return f"Platz ist für {covered} m² Module, zu den nötigen {needed} m² fehlen {short} m²"


def _lacking(names: str) -> str:
    words = {"temp_air": "die Lufttemperatur", "wind_speed": "die Windgeschwindigkeit"}
    found = [words.get(name, name) for name in names.split(", ")]
    return f"im Wetter {'fehlt' if len(found) == 1 else 'fehlen'} {' und '.join(found)}"


def _too_little(start: str) -> Callable[..., str]:
    def sentence(light: str, short: str, needed: str) -> str:
        return (
            f"{start} selbst ohne Schatten kämen nur {light} kWh/m² Licht im Jahr an, zu den "
            f"nötigen {needed} kWh/m² fehlen {short}"
        )

    return sentence


# What the computation says → German. The first word or two name the kind of reason.
_GERMAN: tuple[tuple[str, Callable[..., str]], ...] = (
    ("too small: no module fits", lambda: "Zu klein: kein Modul passt auf die Fläche"),
    (f"too small: {_SHORT_OF}", lambda *m2: f"Zu klein: {_room(*m2)}"),
    (
        f"obstacles: {_SHORT_OF}; without superstructures they would cover {_NUMBER} m²",
        lambda *m2: (
            f"Aufbauten im Weg: {_room(*m2[:3])}, ohne Gauben, Schornsteine und andere "
            f"Aufbauten wären es {m2[3]} m²"
        ),
    ),
    (
        f"obstacles and shade: {_SHORT_OF}; without both they would cover {_NUMBER} m²",
        lambda *m2: f"Aufbauten und Schatten: {_room(*m2[:3])}, ohne beides wären es {m2[3]} m²",
    ),
    (
        f"too shaded: on the parts with {_NUMBER} kWh/m² {_SHORT_OF}; "
        f"without shade they would cover {_NUMBER} m²",
        lambda light, *m2: (
            f"Verschattet: auf den Teilen mit mindestens {light} kWh/m² im Jahr ist Platz für "
            f"{m2[0]} m² Module, zu den nötigen {m2[2]} m² fehlen {m2[1]} m², ohne Schatten wären "
            f"es {m2[3]} m²"
        ),
    ),
    (
        f"too shaded: {_NUMBER} kWh/m² of {_LIGHT}",
        lambda light, free, short, needed: (
            f"Verschattet: {light} kWh/m² Licht im Jahr, ohne "
            f"Schatten wären es {free}, zu den nötigen {needed} kWh/m² fehlen {short}"
        ),
    ),
    (f"too little light as it faces: {_LIGHT}", _too_little("Ungünstige Lage:")),
    (f"north and steep: {_LIGHT}", _too_little("Nord: steil nach Norden geneigt,")),
    (
        rf"no data: {_NUMBER}% of the plane without height",
        lambda share: f"Keine Höhen: auf {share} % der Fläche fehlen Höhenwerte",
    ),
    ("hidden by a neighbour", lambda: "Verdeckt: ein Nachbarhaus steht vor der ganzen Wand"),
    (
        rf"hidden by a neighbour but for {_NUMBER} m² behind its roof",
        lambda area: f"Verdeckt: ein Nachbarhaus lässt von der Wand nur {area} m² frei",
    ),
    (
        "no height of roof or terrain known at the wall",
        lambda: "Keine Höhen: Dach oder Gelände ist an dieser Wand nicht bekannt",
    ),
    (
        "roof not above the terrain at the wall",
        lambda: "Keine Wand: das Gebäude steht in den Höhendaten hier nicht über dem Gelände",
    ),
    (
        "nothing of the wall stands free of what is before it",
        lambda: "Verdeckt: dicht vor der Wand steht etwas, das nichts von ihr frei lässt",
    ),
    (
        "no laser point over the footprint",
        lambda: "Keine Höhen: über dem Gebäude liegt kein Laserpunkt",
    ),
    ("surface model has no data here", lambda: "Keine Höhen: das Höhenmodell hat hier keine Werte"),
    ("outside the surface model", lambda: "Keine Höhen: das Gebäude liegt neben dem Höhenmodell"),
    (
        "footprint covers no cell of the surface model",
        lambda: "Zu klein: das Gebäude ist kleiner als eine Zelle des Höhenmodells",
    ),
    ("footprint (?:has no geometry|is empty)", lambda: "Kein Umriss: der Gebäudeumriss fehlt"),
    (
        rf"surface model shows nothing higher than {_NUMBER} m above the terrain",
        lambda height: (
            f"Kein Gebäude in den Höhendaten: nichts ist dort höher als {height} m, "
            "vielleicht stand es bei der Aufnahme nicht"
        ),
    ),
    (
        rf"no roof plane of at least {_NUMBER} m² found: .*rough.*",
        lambda area: (
            f"Keine Dachfläche erkannt: das Höhenmodell ist zu unruhig für Flächen ab "
            f"{area} m², zum Beispiel wegen Bäumen über dem Dach"
        ),
    ),
    (
        rf"no roof plane of at least {_NUMBER} m² found.*",
        lambda area: (
            f"Keine Dachfläche erkannt: die Höhendaten zeigen keine ebene Fläche ab {area} m²"
        ),
    ),
    (
        "roof planes found, but none with an area inside the footprint",
        lambda: "Keine Dachfläche erkannt: die gefundenen liegen neben dem Gebäudeumriss",
    ),
    (
        "no modules: solar heat or green roof comes first by the rules",
        lambda: "Keine Module: nach den Regeln gehen hier Solarwärme oder Gründach vor",
    ),
    ("no yield: not computed", lambda: "Kein Ertrag: seine Berechnung ist hier fehlgeschlagen"),
    ("no yield: the weather has no (.*)", lambda names: f"Kein Ertrag: {_lacking(names)}"),
    ("removed in this scenario", lambda: "Entfernt: im gerechneten Szenario steht es nicht mehr"),
)
_PATTERNS = tuple((re.compile(pattern), german) for pattern, german in _GERMAN)
_FAILED = re.compile(r"(?:tile |walls )?failed: (.*)")

#: What rating says itself, and says anew: the computation's word about monuments, classes, remarks.
_OWN = re.compile(
    r"monument: needs a permit|(?:Gering|Mittel|Gut|Sehr gut|Hervorragend|Ohne Klasse): .*"
    r"|(?:Denkmal|Denkmalzone|Daten alt): .*|Das Dach ist von öffentlichen Flächen .*"
)
_OWN_ENGLISH = re.compile(r"(?:Low|Medium|Good|Very good|Excellent|No class): .*")
_PARTS = re.compile(r";(?!\s*without )")

#: A year on its own or in front of month and day.
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d(?!\d\d\d(?!\d)))")


def german_reason(reason: str) -> str:
    """
    A reason of the computation in German.

    Parameters
    ----------
    reason : str
        As in the tables of a run: sentences parted by semicolons.

    Returns
    -------
    str
        Unknown sentences, German ones among them, stay as they are: better foreign than lost. What
        rating says itself, of classes, monuments and old data, is left out.
    """
    parts = (part.strip() for part in _PARTS.split(reason))
    return "; ".join(_sentence(part) for part in parts if part and not _OWN.fullmatch(part))


def _sentence(part: str) -> str:
    for pattern, german in _PATTERNS:
        found = pattern.fullmatch(part)
        if found:
            return german(*(_shown(group) for group in found.groups()))
    failed = _FAILED.fullmatch(part)
    return f"Berechnung fehlgeschlagen: {failed[1]}" if failed else part


def _shown(group: str) -> str:
    return german_number(group) if group[:1].isdigit() else group


def without_classes(reasons: Sequence[str]) -> np.ndarray:
    """
    English reasons as the computation gave them.

    Parameters
    ----------
    reasons : sequence of str, length n
        With or without the sentence of rating about the class.

    Returns
    -------
    ndarray of object, shape (n,)
    """
    return _each_once(reasons, _without_class)


def _without_class(reason: str) -> str:
    parts = (part.strip() for part in _PARTS.split(reason))
    return "; ".join(part for part in parts if part and not _OWN_ENGLISH.fullmatch(part))


def _each_once(texts: Sequence[str], changed: Callable[[str], str]) -> np.ndarray:
    """Texts, changed; each different one is worked on once."""
    known: dict[str, str] = {}
    for text in texts:
        if text not in known:
            known[text] = changed(text)
    return np.array([known[text] for text in texts], dtype=object)


def german_reasons(reasons: Sequence[str]) -> np.ndarray:
    """
    Many reasons in German; each text is looked up once.

    Parameters
    ----------
    reasons : sequence of str, length n

    Returns
    -------
    ndarray of object, shape (n,)
    """
    return _each_once(reasons, german_reason)


def joined(*parts: np.ndarray) -> np.ndarray:
    """
    Sentences of each row in one text.

    Parameters
    ----------
    *parts : ndarray of object, shape (n,)
        Empty where there is nothing to say.

    Returns
    -------
    ndarray of object, shape (n,)
    """
    text = parts[0]
    for part in parts[1:]:
        between = np.where((text != "") & (part != ""), "; ", "").astype(object)
        text = text + between + part
    return text


def protection_words(
    protection: np.ndarray, visible: np.ndarray, *, single: str, ensemble: str
) -> np.ndarray:
    """
    What protected buildings need, and whether their roof is seen.

    Parameters
    ----------
    protection : ndarray of str, shape (n,)
        ``Denkmal``, ``Denkmalzone`` or empty, as :mod:`solarkataster.rating.monuments` calls them.
    visible : ndarray of str, shape (n,)
        ``sichtbar``, ``nicht sichtbar``, ``unbekannt: …`` or empty.
    single, ensemble : str
        Wording of the rules.

    Returns
    -------
    ndarray of object, shape (n,)
    """
    kinds = {"": "", "Denkmalzone": ensemble}
    words = np.array([kinds.get(kind, single) for kind in protection], dtype=object)
    seen = {
        "sichtbar": "; Das Dach ist von öffentlichen Flächen aus zu sehen",
        "nicht sichtbar": "; Das Dach ist von öffentlichen Flächen aus nicht zu sehen",
    }
    view = np.array([seen.get(one, "") for one in visible], dtype=object)
    return words + np.where(words != "", view, "").astype(object)


def age_words(dates: Sequence[str], as_of_year: int, max_years: float) -> np.ndarray:
    """
    A remark where the surface model is old.

    Parameters
    ----------
    dates : sequence of str, length n
        Date of the flight as given: any text with a year in it; of several the last counts.
    as_of_year : int
    max_years : float
        Oldest that is not told. [a]

    Returns
    -------
    ndarray of object, shape (n,)
    """
    words: dict[str, str] = {}
    for date in dates:
        if date not in words:
            years = _YEAR.findall(date)
            is_old = bool(years) and as_of_year - int(years[-1]) > max_years
            words[date] = f"Daten alt: das Höhenmodell ist von {years[-1]}" if is_old else ""
    return np.array([words[date] for date in dates], dtype=object)
