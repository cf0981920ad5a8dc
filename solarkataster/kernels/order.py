"""Putting receivers in the order in which the kernels walk them."""

from __future__ import annotations

import numpy as np
from numba import njit


def order_by_row(row: np.ndarray, col: np.ndarray, n_row: int) -> np.ndarray:
    """
    Permutation that sorts by row, then by column.

    Parameters
    ----------
    row, col : ndarray, shape (n,), float64
    n_row : int
        Rows of the window; points may lie up to a cell outside.

    Returns
    -------
    ndarray, shape (n,), int64
    """
    if row.size and _is_whole(row) and _is_whole(col) and row.min() >= 0 and row.max() < n_row:
        n_col = int(col.max() - col.min()) + 1
        by_col = _counting_order(col.astype(np.int64) - int(col.min()), np.arange(row.size), n_col)
        return _counting_order(row.astype(np.int64), by_col, n_row)
    return np.lexsort((col, row))


def _is_whole(values: np.ndarray) -> bool:
    return bool((values == np.floor(values)).all())


@njit(nogil=True, cache=True)
def _counting_order(key, before, n_key):
    """Stable order by a whole-number key, starting from the permutation ``before``."""
    start = np.zeros(n_key + 1, np.int64)
    for i in range(key.size):
        start[key[i] + 1] += 1
    for i in range(n_key):
        start[i + 1] += start[i]
    order = np.empty(key.size, np.int64)
    for at in range(key.size):
        i = before[at]
        order[start[key[i]]] = i
        start[key[i]] += 1
    return order


@njit(nogil=True, cache=True)
def run_starts(row, col):
    """
    Where runs begin, and the end of the last one.

    The receivers of a run stand in one row, one column apart; or all of them in one place.
    """
    starts = np.empty(row.size + 1, np.int64)
    n = 0
    apart = -1.0  # between the receivers of the run at hand; not yet known
    for i in range(row.size):
        step = col[i] - col[i - 1] if i > 0 and row[i] == row[i - 1] else -1.0
        if step == apart and apart >= 0.0:
            continue
        if n > 0 and starts[n - 1] == i - 1 and (step == 0.0 or step == 1.0):
            apart = step
            continue
        starts[n] = i
        apart = -1.0
        n += 1
    starts[n] = row.size
    return starts[: n + 1].copy()


@njit(nogil=True, cache=True)
def stack_starts(row, col, elevation_m):
    """Where stacks, receivers in one place that rise, begin; and the end of the last one."""
    starts = np.empty(row.size + 1, np.int64)
    n = 0
    for i in range(row.size):
        if (
            i == 0
            or row[i] != row[i - 1]
            or col[i] != col[i - 1]
            or not elevation_m[i] >= elevation_m[i - 1]
        ):
            starts[n] = i
            n += 1
    starts[n] = row.size
    return starts[: n + 1].copy()


@njit(nogil=True, cache=True)
def order_of_members(stack_start, order):
    """
    Stacks in another order → their receivers in that order, and where the stacks begin there.

    ``stack_start`` is that of :func:`stack_starts`, ``order`` a permutation of the stacks.
    """
    members = np.empty(stack_start[-1], np.int64)
    starts = np.empty(stack_start.size, np.int64)
    n = 0
    for at in range(order.size):
        starts[at] = n
        for i in range(stack_start[order[at]], stack_start[order[at] + 1]):
            members[n] = i
            n += 1
    starts[order.size] = n
    return members, starts
