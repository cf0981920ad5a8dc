"""What windows and balconies leave of walls, and what the halves and quarters of them would get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

#: Shares of a wall in the scenarios of the Swiss solar cadastre of façades, which knows no windows
#: (www.uvek-gis.admin.ch/BFE/sonnenfassade).
HALF, QUARTER = 0.5, 0.25


def taken_fraction(
    use: Sequence[str],
    window_fraction: float,
    balcony_fraction: float,
    window_by_use: Mapping[str, float],
    balcony_by_use: Mapping[str, float],
) -> tuple[np.ndarray, np.ndarray]:
    """
    Shares of the walls of buildings that windows, and windows and balconies together, take.

    Parameters
    ----------
    use : sequence of str, length n_building
        Use of each building as the input has it; empty if unknown.
    window_fraction, balcony_fraction : float
        Where the use is unknown or has no share of its own. [–]
    window_by_use, balcony_by_use : mapping of str to float
        Shares by use. [–]

    Returns
    -------
    windows, taken : ndarray, shape (n_building,)
        ``taken`` is at most 1. [–]
    """
    windows = np.array([window_by_use.get(one, window_fraction) for one in use], dtype=np.float64)
    balconies = np.array(
        [balcony_by_use.get(one, balcony_fraction) for one in use], dtype=np.float64
    )
    return windows, np.minimum(windows + balconies, 1.0)
