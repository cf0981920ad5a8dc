"""Results of many buildings as one array."""

from __future__ import annotations

import numpy as np


def joined(parts: list[np.ndarray], dtype: type = np.float64) -> np.ndarray:
    """Arrays one after the other; an empty one if there are none."""
    return np.concatenate([*parts, np.zeros(0)]).astype(dtype)


def objects(values: list) -> np.ndarray:
    """A list as an array of objects, whatever the objects can do."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
