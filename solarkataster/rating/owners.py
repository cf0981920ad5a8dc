"""Class of a building's owner, read from a text, a code of the cadastre or the own list."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from solarkataster.rules.owners import OwnerClasses


def owner_classes(
    owners: Sequence[str], is_own_building: np.ndarray, rules: OwnerClasses
) -> np.ndarray:
    """
    Class of each owner.

    Parameters
    ----------
    owners : sequence of str, length n
        What the input says: a class, a kind of owner, a name, or a code of the cadastre; empty if
        unknown. Names of persons are personal data: only the class leaves a run.
    is_own_building : ndarray of bool, shape (n,)
        In the municipality's list of own buildings, which counts more than the text.
    rules : OwnerClasses

    Returns
    -------
    ndarray of object, shape (n,)
        Names of the rules' classes; empty where none fits.
    """
    texts = np.array([_text(owner) for owner in owners], dtype=object)
    unique, place = np.unique(texts.astype(str), return_inverse=True)
    found = np.array([_class_of(text, rules) for text in unique.tolist()], dtype=object)
    classes = found[place] if len(texts) else texts
    return np.where(np.asarray(is_own_building, dtype=bool), rules.own, classes)


def _text(owner: object) -> str:
    """One spelling; a code that a table made a decimal number loses its ``.0``."""
    text = "" if owner is None or owner != owner else str(owner)
    return re.sub(r"^(\d{4})\.0$", r"\1", text.strip().casefold())


def _class_of(text: str, rules: OwnerClasses) -> str:
    for one in rules.classes:
        if text == one.name.casefold():
            return one.name
    if re.fullmatch(r"\d{4}", text):
        fits = (one.name for one in rules.classes if _has_code(int(text), one.codes))
    else:
        fits = (one.name for one in rules.classes if _has_word(text, one.words))
    return next(fits, "")


def _has_code(code: int, codes: Sequence[int]) -> bool:
    """Whether a code is one of these or stands under one: 4200 under 4000, 5921 under 5900."""
    return any(one <= code < one + _span(one) for one in codes)


def _span(code: int) -> int:
    return 1000 if code % 1000 == 0 else 100 if code % 100 == 0 else 1


def _has_word(text: str, words: Sequence[str]) -> bool:
    # A hyphen belongs to the word: a "Land- und Gartenmarkt" is no federal state.
    patterns = (re.escape(word.casefold()).replace(r"\*", r"\w*") for word in words)
    return any(re.search(rf"(?<![\w-]){pattern}(?![\w-])", text) for pattern in patterns)
