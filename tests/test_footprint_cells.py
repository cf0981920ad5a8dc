"""Cells of footprints: known squares, then the two ways of asking agree."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from solarkataster.footprint_cells import cells_inside, footprint_mask
from solarkataster.grid import Grid

GRID = Grid((12, 16), 364_000.0, 5_620_006.0, 0.5, "EPSG:25832")


def square(west, south, east, north):
    """A box in metres from the south-west corner of the grid."""
    return affinity.translate(shapely.box(west, south, east, north), GRID.west_m, GRID.south_m)


def test_a_cell_belongs_to_a_footprint_if_its_centre_lies_inside():
    # Centres at 0.25, 0.75, ... m: 0.7 to 2.3 m holds 0.75, 1.25, 1.75 and 2.25.
    inside = cells_inside(square(0.7, 0.3, 2.3, 1.2), GRID)
    rows, cols = np.nonzero(inside)
    assert sorted(set(cols)) == [1, 2, 3, 4]
    assert sorted(set(rows)) == [10]  # only 0.75 m north of the southern edge
    assert inside.sum() == 4


def test_courts_and_outlines_without_area_have_no_cells():
    court = square(1, 1, 5, 5).difference(square(2, 2, 4, 4))
    assert cells_inside(court, GRID).sum() == 8 * 8 - 4 * 4
    none = np.array([None, shapely.Polygon(), square(90, 90, 95, 95)], dtype=object)
    assert not footprint_mask(none, GRID).any()
    assert not footprint_mask(np.zeros(0, dtype=object), GRID).any()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-3, 9), st.floats(-3, 7), st.floats(0.1, 6), st.floats(0, 90)),
        max_size=6,
    )
)
def test_the_cells_of_many_footprints_are_those_of_each(shapes):
    footprints = [
        affinity.rotate(square(west, south, west + size, south + size / 2), angle)
        for west, south, size, angle in shapes
    ]
    each = [cells_inside(one, GRID) for one in footprints]
    mask = footprint_mask(np.array([*footprints, None], dtype=object), GRID)
    np.testing.assert_array_equal(mask, np.any([np.zeros(GRID.shape, bool), *each], axis=0))
