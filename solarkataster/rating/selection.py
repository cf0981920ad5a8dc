"""The best set of investments that a budget allows: which to take, exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Partial sets kept in all, 5 bytes each; 5000 roofs need about a fifth of it. More stop the
#: search with the best set so far and the bound that it may miss. [–]
MAX_KEPT = 30_000_000


@dataclass(frozen=True)
class Selection:
    """
    A set within the budget.

    Parameters
    ----------
    is_chosen : ndarray of bool, shape (n,)
    value : int
        What the set brings.
    bound : int
        No set within the budget brings more than this; ``value`` itself if the search ended.
    """

    is_chosen: np.ndarray
    value: int
    bound: int

    @property
    def is_best(self) -> bool:
        """Whether no other set within the budget brings more."""
        return self.value == self.bound


def best_selection(cost: np.ndarray, value: np.ndarray, budget: int) -> Selection:
    """
    The set of greatest value whose costs fit into a budget (0/1 knapsack), exact.

    Parameters
    ----------
    cost : ndarray of int, shape (n,)
        Above 0, whole units.
    value : ndarray of int, shape (n,)
        Whole units; what is not above 0 is never chosen.
    budget : int
        Whole units of ``cost``.

    Returns
    -------
    Selection
        Of several equally good sets always the same one, whatever else the rows are: ties follow
        value per cost, then cost, then the order of the rows.

    Notes
    -----
    Partial sets are built one investment after the other, the best value per cost first; a set
    that costs as much as another and brings no more is dropped [1]_. So is a set whose rest,
    filled with the best remaining investments in part (the bound of [2]_), could not beat the best
    set found so far. Whole numbers leave no rounding to decide.

    References
    ----------
    .. [1] G. L. Nemhauser and Z. Ullmann, "Discrete dynamic programming and capital allocation,"
       Management Science, vol. 15, no. 9, pp. 494-505, 1969, doi:10.1287/mnsc.15.9.494.
    .. [2] G. B. Dantzig, "Discrete-variable extremum problems," Operations Research, vol. 5, no. 2,
       pp. 266-277, 1957, doi:10.1287/opre.5.2.266.
    """
    cost, value = (np.asarray(given, dtype=np.int64) for given in (cost, value))
    rows = np.flatnonzero((value > 0) & (cost <= budget))
    rows = rows[np.lexsort((rows, cost[rows], -(value[rows] / cost[rows])))]
    search = _Search(cost[rows], value[rows], budget)
    bound = search.run()
    is_chosen = np.zeros(len(cost), dtype=bool)
    is_chosen[rows[search.chosen()]] = True
    return Selection(is_chosen, search.best, bound)


class _Search:
    """Partial sets of the first investments, and the best whole set known."""

    def __init__(self, cost: np.ndarray, value: np.ndarray, budget: int) -> None:
        self.cost, self.value, self.budget = cost, value, budget
        self.cost_to = np.concatenate(([0], np.cumsum(cost)))
        self.value_to = np.concatenate(([0], np.cumsum(value)))
        self.best = -1
        self.best_at = (0, 0, 0)
        self.steps: list[tuple[np.ndarray, np.ndarray]] = []

    def run(self) -> int:
        """Search until nothing can be better; the value that no set exceeds."""
        used, got = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
        n_kept = 0
        for i in range(len(self.cost) + 1):
            bound = self._bounds(i, used, got)
            open_ends = np.flatnonzero(bound > self.best)
            if not open_ends.size:
                return self.best
            n_kept += 2 * open_ends.size
            if n_kept > MAX_KEPT:
                return int(bound.max())
            used, got = self._with_and_without(i, used, got, open_ends)
        raise AssertionError("after the last investment every bound is a set")

    def _bounds(self, i: int, used: np.ndarray, got: np.ndarray) -> np.ndarray:
        """What each partial set can at most become; notes the best of their completions."""
        room = self.budget - used
        until = np.searchsorted(self.cost_to, self.cost_to[i] + room, side="right") - 1
        whole = got + self.value_to[until] - self.value_to[i]
        first = int(np.argmax(whole))
        if whole[first] > self.best:
            self.best = int(whole[first])
            self.best_at = (i, first, int(until[first]))
        if not len(self.cost):
            return whole
        rest = room - (self.cost_to[until] - self.cost_to[i])
        next_one = np.minimum(until, len(self.cost) - 1)
        part = rest * self.value[next_one] // self.cost[next_one]
        return whole + np.where(until < len(self.cost), part, 0)

    def _with_and_without(
        self, i: int, used: np.ndarray, got: np.ndarray, kept: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Each kept set without investment ``i`` and with it, less those that others dominate."""
        fits = kept[used[kept] + self.cost[i] <= self.budget]
        all_used = np.concatenate((used[kept], used[fits] + self.cost[i]))
        all_got = np.concatenate((got[kept], got[fits] + self.value[i]))
        parent = np.concatenate((kept, fits))
        is_taken = np.arange(len(parent)) >= len(kept)
        order = np.lexsort((is_taken, -all_got, all_used))
        sorted_got = all_got[order]
        is_more = np.ones(len(order), dtype=bool)
        is_more[1:] = sorted_got[1:] > np.maximum.accumulate(sorted_got)[:-1]
        order = order[is_more]
        self.steps.append((parent[order].astype(np.int32), is_taken[order]))
        return all_used[order], all_got[order]

    def chosen(self) -> np.ndarray:
        """Positions of the best set, walked back from where it was found."""
        i, at, until = self.best_at
        positions = list(range(i, until))
        for step in range(i - 1, -1, -1):
            parent, is_taken = self.steps[step]
            if is_taken[at]:
                positions.append(step)
            at = parent[at]
        return np.array(positions, dtype=np.int64)
