"""Classes by name, from shares of what the best open plane at the site gets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Names of the classes, the lowest first, as citizens read them.
CLASSES = ("gering", "mittel", "gut", "sehr gut", "hervorragend")


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
