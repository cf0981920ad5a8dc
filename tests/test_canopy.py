"""What a canopy and its transmissivity refuse, and what they are by default."""

import numpy as np
import pytest

from solarkataster.canopy import (
    DECIDUOUS,
    EVERGREEN,
    Canopy,
    Transmissivity,
    no_canopy,
    seasonal_transmissivity,
    with_heights,
)
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


def test_a_canopy_raster_adds_the_crowns_that_the_surface_lacks():
    terrain_m = np.full((6, 6), 100.0, dtype=np.float32)
    solid_m = terrain_m.copy()
    solid_m[4:, 4:] = 112.0  # a house higher than the crown said to be there
    found = no_canopy((6, 6))
    top_m, kind = found.top_m.copy(), found.kind.copy()
    top_m[0, 0], kind[0, 0] = 108.0, EVERGREEN
    shown = Canopy(top_m, np.where(kind > 0, np.float32(102.0), np.nan), kind)
    height_m = np.full((6, 6), np.nan)
    height_m[:2, :2], height_m[3, 3], height_m[5, 5] = 10.0, 1.5, 9.0
    both = with_heights(shown, height_m, terrain_m, solid_m, base_fraction=0.3)
    assert both.top_m[0, 0] == 108.0
    assert both.kind[0, 0] == EVERGREEN
    added = both.is_crown & ~shown.is_crown
    assert np.argwhere(added).tolist() == [[0, 1], [1, 0], [1, 1]]
    assert (both.top_m[added] == 110.0).all()
    np.testing.assert_allclose(both.base_m[added], 103.0)
    assert (both.kind[added] == DECIDUOUS).all()
