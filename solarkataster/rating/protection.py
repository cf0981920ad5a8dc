"""How a building is protected: as a monument of its own, or as part of an ensemble."""

from __future__ import annotations

import re

import numpy as np

#: Kinds of protection.
SINGLE, ENSEMBLE = "Denkmal", "Denkmalzone"

#: Words of the registers for protected areas, whose buildings need not be monuments themselves.
_ENSEMBLE = re.compile(
    r"ensemble|zone|bereich|gesamtanlage|gesamtheit|mehrheit|gruppe|umgebung|conservation area",
    re.IGNORECASE,
)


def protection_of(is_monument: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """
    Kind of protection of each building.

    Parameters
    ----------
    is_monument : ndarray of bool, shape (n,)
        Marked by the monuments layer.
    kinds : ndarray of str, shape (n,)
        What the layer calls the monuments that mark the building, "; " between them; empty where
        it does not say.

    Returns
    -------
    ndarray of object, shape (n,)
        :data:`SINGLE`, :data:`ENSEMBLE` or empty. A building that is marked as both, or by a layer
        that does not tell its kind, is taken for a monument: that asks for more.
    """
    of_kind: dict[str, str] = {}
    for kind in kinds:
        if kind not in of_kind:
            parts = [part for part in str(kind).split("; ") if part]
            is_ensemble = bool(parts) and all(_ENSEMBLE.search(part) for part in parts)
            of_kind[kind] = ENSEMBLE if is_ensemble else SINGLE
    words = np.array([of_kind[kind] for kind in kinds], dtype=object)
    return np.where(is_monument, words, "").astype(object)
