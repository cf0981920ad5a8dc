"""Means of cells under modules, against shapely and under shifts of the window."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from solarkataster.kernels.module_cells import means_under


def quads(rng, n):
    """Rectangles of about a module's size in cells, turned anyhow, on a raster of 30 by 40."""
    half = rng.uniform(0.4, 2.5, (n, 2))
    turn = rng.uniform(0.0, math.pi, n)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    u = half[:, :1] * np.array([-1, 1, 1, -1])
    v = half[:, 1:] * np.array([-1, -1, 1, 1])
    row = rng.uniform(0.0, 29.0, n)[:, None] + cos * u - sin * v
    col = rng.uniform(0.0, 39.0, n)[:, None] + sin * u + cos * v
    return np.stack([row, col], axis=-1)


def index_and_values(rng, share=0.9):
    has_value = rng.random((30, 40)) < share
    index = np.where(has_value, np.cumsum(has_value).reshape(30, 40) - 1, -1).astype(np.int32)
    return index, rng.uniform(300.0, 1100.0, has_value.sum())


def means(corners, index, values, reach=3):
    out = np.full(len(corners), -1.0)
    means_under(np.ascontiguousarray(corners), index, values, reach, out)
    return out


def brute_mean(quad, index, values, reach=3):
    """Mean over the cells whose centre the polygon covers; else the nearest within reach."""
    row, col = np.nonzero(index >= 0)
    values = values[index[row, col]]
    covered = shapely.covers(shapely.Polygon(quad), shapely.points(row, col))
    if covered.any():
        return values[covered].mean()
    middle = quad.mean(axis=0)
    near = (np.abs(row - np.floor(middle[0] + 0.5)) <= reach) & (
        np.abs(col - np.floor(middle[1] + 0.5)) <= reach
    )
    if not near.any():
        return np.nan
    distance = np.hypot(row[near] - middle[0], col[near] - middle[1])
    return values[near][distance.argmin()]


@pytest.mark.parametrize("share", [1.0, 0.7, 0.05])
def test_means_under_modules_are_those_of_the_covered_centres(share):
    rng = np.random.default_rng(3)
    index, values = index_and_values(rng, share)
    corners = quads(rng, 300)
    expected = [brute_mean(quad, index, values) for quad in corners]
    np.testing.assert_allclose(means(corners, index, values), expected, rtol=1e-12)
    assert np.isnan(expected).any() == (share < 0.1)


@given(st.integers(0, 2**32 - 1), st.floats(0.02, 1.0))
@settings(deadline=None, max_examples=40)
def test_means_keep_within_the_values_and_keep_a_constant(seed, share):
    rng = np.random.default_rng(seed)
    index, values = index_and_values(rng, share)
    corners = quads(rng, 20)
    got = means(corners, index, values)
    known = np.isfinite(got)
    assert (got[known] >= values.min() - 1e-9).all()
    assert (got[known] <= values.max() + 1e-9).all()
    same = means(corners, index, np.full(len(values), 812.5))
    assert (same[known] == 812.5).all()
    np.testing.assert_array_equal(np.isfinite(same), known)


@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 5), st.floats(0.02, 1.0))
@settings(deadline=None, max_examples=40)
def test_neither_window_nor_order_changes_a_bit(seed, d_row, d_col, share):
    rng = np.random.default_rng(seed)
    index, values = index_and_values(rng, share)
    # Quarters of a cell survive every shift exactly, and lie on edges and halves.
    corners = np.round(quads(rng, 20) * 4.0) / 4.0
    expected = means(corners, index, values)
    wider = np.pad(index, ((d_row, 2), (d_col, 3)), constant_values=-1)
    np.testing.assert_array_equal(
        means(corners + np.array([d_row, d_col]), wider, values), expected
    )
    order = rng.permutation(len(corners))
    np.testing.assert_array_equal(means(corners[order], index, values), expected[order])
    np.testing.assert_array_equal(means(corners[:, ::-1], index, values), expected)
    renumbered = rng.permutation(len(values))
    other = np.where(index >= 0, np.argsort(renumbered)[index], -1).astype(np.int32)
    np.testing.assert_array_equal(means(corners, other, values[renumbered]), expected)


@pytest.mark.parametrize("shift", [0, 1])
def test_the_reach_without_a_cell_beneath_is_the_same_in_every_window(shift):
    # The middle lies between rows 10 and 11: three rows beyond the lower one are looked at.
    index = np.full((30, 40), -1, dtype=np.int32)
    quad = np.array([[[10.4, 19.9], [10.6, 19.9], [10.6, 20.1], [10.4, 20.1]]]) + shift
    index[14 + shift, 20 + shift] = 0
    assert means(quad, index, np.array([700.0]))[0] == 700.0
    index[7 + shift, 20 + shift], index[14 + shift, 20 + shift] = 0, -1
    assert np.isnan(means(quad, index, np.array([700.0]))[0])
