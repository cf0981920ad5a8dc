"""How the planes of one roof lie to each other: which stand out of another, which are sunk in."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from solarkataster.kernels.plane_labels import extend_labels
from solarkataster.kernels.superstructures import roof_region
from solarkataster.roofs.planes import RoofPlanes

#: Between two planes lies a wall, not a ridge or valley, from this difference on; more if their
#: border may be this far off its place. [m, cells]
STEP_M, OFF_CELLS = 0.3, 0.3

#: A plane that stands out or is sunk in is at most this many times as large as what is left of a
#: plane beside it, is no larger than this and no higher or deeper: else it is a part of the
#: building. [–, m², m]
MAX_TIMES, MAX_AREA_M2, MAX_HEIGHT_M = 1.25, 60.0, 5.0

#: At least this share of its border lies against the planes around it, and at least this share is a
#: wall: a wing reaches the outline and joins in valleys. [–]
MIN_ENCLOSED, MIN_WALL = 0.65, 0.2

#: Against every metre of wall up to a dormer at most this much goes down from it: where its plane
#: was followed a cell too far into the slope behind. [–]
MAX_DOWN = 0.7

#: Planes that meet differ by less than this along their border; coarse cells add to it. [m]
MEETING_M, MEETING_CELLS = 0.2, 0.3

#: A plane that meets others so many times as large along this share of its border is one of theirs:
#: the hip of a roof, not a dormer on the annex below it. The other half of a gable dormer is about
#: as large, and what a dormer's ridge runs into meets the plane the dormer stands on. [–, –]
KIN_TIMES, KIN_SHARE = 1.5, 0.25

#: A dormer on a dormer on a dormer is as far as hosts are followed down.
MAX_STACK = 3

#: In the middle a plane that stands out is at least this far above its host. [m]
MIN_RISE_M = 0.2

#: A terrace is level within this, the slope around it within those: the level top of a mansard roof
#: lies under its steep sides, too. [°]
TERRACE_TILT_DEG, SLOPE_TILT_DEG = 6.0, (10.0, 60.0)


@dataclass(frozen=True, eq=False)
class Relation:
    """
    Relations of the planes of a roof; arrays are indexed by label, entry 0 is none.

    Attributes
    ----------
    host : ndarray of int32, shape (n_plane + 1,)
        Plane this one stands out of or is sunk into; 0 for the planes of the roof proper.
    stands_out, is_sunk : ndarray of bool, shape (n_plane + 1,)
    group : ndarray of int32, shape (n_plane + 1,)
        Planes that together are one superstructure, 1..n_groups; 0 for the roof proper.
    main : list of int
        Labels of the roof proper that have cells.
    storey : ndarray of int32, shape (n_plane + 1,)
        Planes of the roof proper that ridges, hips and valleys join, and what stands on them, share
        a number: the smallest label of them.
    filled : ndarray of int32, shape (ny, nx)
        Labels continued over the cells without one.
    """

    host: np.ndarray
    stands_out: np.ndarray
    is_sunk: np.ndarray
    group: np.ndarray
    main: list[int]
    storey: np.ndarray
    filled: np.ndarray
    borders: dict[tuple[int, int], Border]
    meeting_m: float

    @property
    def n_groups(self) -> int:
        return int(self.group.max())

    def meet(self, a: int, b: int) -> bool:
        """Whether two planes have a border without a wall: a ridge, hip or valley."""
        border = self.borders.get((a, b))
        return border is not None and abs(border.median_step_m) <= self.meeting_m


class Border(NamedTuple):
    """
    Border of a plane with another (or, label 0, with the outside): cell edges and heights.

    Attributes
    ----------
    n_edges, n_up, n_down : int
        All of it, and where the plane is a wall's height above or below the other.
    median_step_m, highest_m : float
        Height over the other: in the middle, and the largest amount. [m]
    """

    n_edges: int
    n_up: int
    n_down: int
    median_step_m: float
    highest_m: float

    @property
    def is_open(self) -> bool:
        """Whether most of it has no wall; a steep plane's step may be large without one."""
        return 2 * (self.n_up + self.n_down) <= self.n_edges


def plane_relations(planes: RoofPlanes, labels: np.ndarray) -> Relation:
    """
    Tell the planes that stand out of (or are sunk into) others from the roof proper.

    Parameters
    ----------
    planes : RoofPlanes
    labels : ndarray of int32, shape (ny, nx)
        Plane of every cell, 0 for none.

    Returns
    -------
    relation : Relation

    Notes
    -----
    A plane stands out if larger planes enclose it, walls go up to it from them and none goes up
    from it: dormers, lift housings. It is sunk if it is level and walls go up from it to the slope
    around it. The two slopes of a gable dormer share their ridge, which counts for neither.
    """
    n_labels = len(planes) + 1
    filled = np.where(labels > 0, labels, -1).astype(np.int32)
    extend_labels(filled)
    filled[~roof_region(labels)] = 0
    flat = filled.ravel()
    n_cells = np.bincount(flat, minlength=n_labels)
    cells = np.arange(flat.size)
    middle = [
        np.bincount(flat, weights=place, minlength=n_labels) / np.maximum(n_cells, 1)
        for place in np.divmod(cells, labels.shape[1])
    ]
    borders = _borders(planes, filled)
    found: dict[int, tuple[int, bool]] = {}  # host and whether it stands out of it
    small = [k for k in range(1, n_labels) if 0 < n_cells[k] <= MAX_AREA_M2 / planes.cell_size_m**2]
    of_label: dict[int, dict[int, Border]] = {k: {} for k in small}
    for (own, other), border in borders.items():
        if own in of_label:
            of_label[own][other] = border
    for _ in range(2):  # the second half of a gable dormer is clear once the first is known
        for label in small:
            if label not in found:
                relation = _relation_of(label, planes, of_label[label], n_cells, middle, found)
                if relation is None:
                    continue
                sides = of_label[label]
                if not _is_of_others(label, relation[0], sides, borders, n_cells, found):
                    found[label] = relation
    return _described(n_cells, found, borders, labels, filled, planes.cell_size_m)


def _is_of_others(label, host, own, borders, n_cells, guests) -> bool:
    """Whether a plane is joined with much larger ones that are not joined with its host."""
    n_kin, n_all = 0, 0
    for other, border in own.items():
        n_all += border.n_edges
        if other in (0, host) or other in guests or n_cells[other] < KIN_TIMES * n_cells[label]:
            continue
        beneath = borders.get((other, host))
        if border.is_open and not (beneath is not None and beneath.is_open):
            n_kin += border.n_edges - border.n_up - border.n_down
    return n_kin >= KIN_SHARE * n_all


def _described(n_cells, found, borders, labels, filled, cell_size_m) -> Relation:
    """Hosts followed down to the roof proper, and superstructures numbered."""
    n_labels = len(n_cells)
    host = np.zeros(n_labels, np.int32)
    stands_out, is_sunk = np.zeros((2, n_labels), dtype=bool)
    for label, (below, is_above) in found.items():
        for _ in range(MAX_STACK):  # what stands on a dormer stands on the roof below it
            below = found[below][0] if below in found else below
        if below not in found:
            host[label], stands_out[label], is_sunk[label] = below, is_above, not is_above
    root = np.arange(n_labels)
    for (a, b), border in borders.items():
        same_kind = (stands_out[a] and stands_out[b]) or (is_sunk[a] and is_sunk[b])
        if a < b and same_kind and border.n_edges > border.n_up + border.n_down:
            root[root == root[b]] = root[a]
    area_m2 = np.bincount(root, weights=n_cells, minlength=n_labels) * cell_size_m**2
    too_large = (host > 0) & (area_m2[root] > MAX_AREA_M2)
    host[too_large] = 0
    stands_out, is_sunk = stands_out & ~too_large, is_sunk & ~too_large
    group = np.zeros(n_labels, np.int32)
    for number, first in enumerate(np.unique(root[host > 0]), start=1):
        group[(root == first) & (host > 0)] = number
    has_cells = np.bincount(labels.ravel(), minlength=n_labels) > 0
    main = [k for k in range(1, n_labels) if has_cells[k] and host[k] == 0]
    meeting_m = MEETING_M + MEETING_CELLS * cell_size_m
    storey = _storeys(host, borders, meeting_m)
    return Relation(host, stands_out, is_sunk, group, main, storey, filled, borders, meeting_m)


def _storeys(host, borders, meeting_m: float) -> np.ndarray:
    """Smallest label of the planes that each is joined with."""
    storey = np.arange(len(host), dtype=np.int32)
    for (a, b), border in borders.items():
        is_main = 0 < a < b and host[a] == 0 and host[b] == 0
        if is_main and abs(border.median_step_m) <= meeting_m and storey[a] != storey[b]:
            low, high = sorted((storey[a], storey[b]))
            storey[storey == high] = low
    return np.where(host > 0, storey[host], storey)


def _borders(planes: RoofPlanes, filled: np.ndarray) -> dict[tuple[int, int], Border]:
    """Borders of every plane with every other and with the outside, as (own, other)."""
    first_row, first_col = planes.first_cell
    own, other, south, east = [], [], [], []
    for a, b, d_row, d_col in (
        (filled[:, :-1], filled[:, 1:], 0.0, 0.5),
        (filled[:-1], filled[1:], 0.5, 0.0),
    ):
        rows, cols = np.nonzero(a != b)
        own += [a[rows, cols], b[rows, cols]]
        other += [b[rows, cols], a[rows, cols]]
        south += [rows + (d_row - first_row)] * 2
        east += [cols + (d_col - first_col)] * 2
    a, b = np.concatenate(own), np.concatenate(other)
    inner = a > 0  # the outside has no borders of its own
    a, b = a[inner], b[inner]
    if a.size == 0:
        return {}
    south_m = np.concatenate(south)[inner] * planes.cell_size_m
    east_m = np.concatenate(east)[inner] * planes.cell_size_m
    step_m = np.where(b > 0, _height(planes, a, south_m, east_m), 0.0)
    step_m -= np.where(b > 0, _height(planes, np.maximum(b, 1), south_m, east_m), 0.0)
    key = a.astype(np.int64) * (len(planes) + 1) + b
    order = np.lexsort((step_m, key))
    key, step_m = key[order], step_m[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    n_edges = np.diff(starts, append=key.size)
    # Where a border is a part of a cell off its place, planes of unlike slope differ by themselves.
    own, other = key // (len(planes) + 1) - 1, np.maximum(key % (len(planes) + 1), 1) - 1
    bend = np.hypot(
        planes.slope_east[own] - planes.slope_east[other],
        planes.slope_north[own] - planes.slope_north[other],
    )
    wall_m = STEP_M + OFF_CELLS * planes.cell_size_m * bend
    n_up = np.add.reduceat((step_m >= wall_m).astype(np.int64), starts)
    n_down = np.add.reduceat((step_m <= -wall_m).astype(np.int64), starts)
    median_m = 0.5 * (step_m[starts + (n_edges - 1) // 2] + step_m[starts + n_edges // 2])
    highest_m = np.maximum(np.abs(step_m[starts]), np.abs(step_m[starts + n_edges - 1]))
    pairs = np.stack(np.divmod(key[starts], len(planes) + 1), axis=1).tolist()
    rows_of = zip(n_edges, n_up, n_down, median_m, highest_m, strict=True)
    return {(own, other): Border(*row) for (own, other), row in zip(pairs, rows_of, strict=True)}


def _relation_of(
    label: int,
    planes: RoofPlanes,
    borders: dict[int, Border],
    n_cells: np.ndarray,
    middle: list[np.ndarray],
    guests: Container[int],
) -> tuple[int, bool] | None:
    """Host of one plane and whether it stands out of it (else it is sunk); None if neither."""
    outside = borders[0].n_edges if 0 in borders else 0
    larger = {
        other: border
        for other, border in borders.items()
        if other > 0 and other not in guests and MAX_TIMES * n_cells[other] >= n_cells[label]
    }
    enclosed = sum(border.n_edges for border in larger.values())
    n_counted = enclosed + outside
    n_all = sum(border.n_edges for border in borders.values())
    if not larger or n_counted < 0.4 * n_all or enclosed < MIN_ENCLOSED * n_counted:
        return None
    if max(border.highest_m for border in larger.values()) > MAX_HEIGHT_M:
        return None
    up = sum(border.n_up for border in larger.values())
    down = sum(border.n_down for border in larger.values())
    is_above = up >= down
    if max(up, down) < MIN_WALL * n_counted:
        return None
    host = max(larger, key=lambda k: (larger[k].n_up if is_above else larger[k].n_down, -k))
    row, col = (place[label] for place in middle)
    at_middle = (
        (row - planes.first_cell[0]) * planes.cell_size_m,
        (col - planes.first_cell[1]) * planes.cell_size_m,
    )
    rise_m = _height(planes, label, *at_middle) - _height(planes, host, *at_middle)
    if is_above:
        is_guest = larger[host].n_down <= MAX_DOWN * up and rise_m > MIN_RISE_M
        return (host, True) if is_guest else None
    tilt, host_tilt = planes.surface_tilt[label - 1], planes.surface_tilt[host - 1]
    is_floor = tilt <= TERRACE_TILT_DEG and SLOPE_TILT_DEG[0] <= host_tilt <= SLOPE_TILT_DEG[1]
    return (host, False) if is_floor and rise_m < -STEP_M else None


def _height(planes: RoofPlanes, label, south_m, east_m):
    """Height of (extended) planes at places from the building's first cell. [m]"""
    return (
        planes.elevation_at_first_cell_m[label - 1]
        + planes.slope_east[label - 1] * east_m
        - planes.slope_north[label - 1] * south_m
    )
