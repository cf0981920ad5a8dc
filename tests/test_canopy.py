"""What a canopy and its transmissivity refuse, and what they are by default."""

import numpy as np
import pytest

from solarkataster.canopy import Canopy, Transmissivity, seasonal_transmissivity
from solarkataster.errors import InputError


@pytest.mark.parametrize(
    ("shares", "message"), [((0.5,) * 11, "11 trans"), ((0.5,) * 11 + (1.2,), "from 0.5 to 1.2")]
)
def test_bad_transmissivities_are_refused(shares, message):
    with pytest.raises(InputError, match=message):
        Transmissivity(shares)


@pytest.mark.parametrize(
    ("top", "base", "kind", "message"),
    [
        (5.0, 6.0, 1, "above their top"),
        (np.nan, np.nan, 1, "without a top"),
        (5.0, np.nan, 1, "underside is unknown"),
        (5.0, 1.0, 0, "tops without a crown"),
        (5.0, 1.0, 3, "kind 3"),
    ],
)
def test_a_canopy_that_contradicts_itself_is_refused(top, base, kind, message):
    with pytest.raises(InputError, match=message):
        Canopy(np.full((2, 2), top), np.full((2, 2), base), np.full((2, 2), kind))


def test_seasons_give_the_default_transmissivity():
    assert seasonal_transmissivity() == Transmissivity()
