"""How the planes of one roof lie to each other: which stand out of another, which are sunk in."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from solarkataster.kernels.plane_labels import extend_labels
from solarkataster.roofs import RoofPlanes

#: Between two planes lies a wall, not a ridge or valley, from this difference on. [m]
STEP_M = 0.3

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

#: A dormer on a dormer on a dormer is as far as hosts are followed down.
MAX_STACK = 3

#: A terrace is level within this, the roof around it steeper than that. [°]
TERRACE_TILT_DEG, SLOPE_TILT_DEG = 6.0, 10.0


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
    filled : ndarray of int32, shape (ny, nx)
        Labels continued over the cells without one.
    """

    host: np.ndarray
    stands_out: np.ndarray
    is_sunk: np.ndarray
    group: np.ndarray
    main: list[int]
    filled: np.ndarray
    steps_m: dict[tuple[int, int], float]
    meeting_m: float

    @property
    def n_groups(self) -> int:
        return int(self.group.max())

    def meet(self, a: int, b: int) -> bool:
        """Whether two planes have a border without a wall: a ridge, hip or valley."""
        return self.steps_m.get((min(a, b), max(a, b)), math.inf) <= self.meeting_m


@dataclass(frozen=True, eq=False)
class _Borders:
    """Every cell edge between two labels, seen from both sides: (n_edge,) arrays."""

    own: np.ndarray
    other: np.ndarray
    step_m: np.ndarray


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
    filled = np.where(_near_roof(labels), filled, 0)
    area_m2 = np.bincount(filled.ravel(), minlength=n_labels) * planes.cell_size_m**2
    borders = _borders(planes, filled)
    host = np.zeros(n_labels, np.int32)
    stands_out, is_sunk = np.zeros((2, n_labels), dtype=bool)
    for _ in range(2):  # the second half of a gable dormer is clear once the first is known
        for label in np.flatnonzero((area_m2 > 0.0) & (area_m2 <= MAX_AREA_M2) & (host == 0)):
            if label > 0:
                host[label], stands_out[label], is_sunk[label] = _relation_of(
                    int(label), planes, filled, borders, area_m2, host > 0
                )
    # What stands on a dormer stands on the roof below it.
    for _ in range(MAX_STACK):
        host = np.where(host[host] > 0, host[host], host)
    host[host[host] > 0] = 0
    stands_out, is_sunk = stands_out & (host > 0), is_sunk & (host > 0)
    group = _groups(host, stands_out, is_sunk, borders)
    main = [int(k) for k in np.unique(labels[labels > 0]) if host[k] == 0]
    meeting_m = MEETING_M + MEETING_CELLS * planes.cell_size_m
    steps_m = _median_steps(borders)
    return Relation(host, stands_out, is_sunk, group, main, filled, steps_m, meeting_m)


def _median_steps(borders: _Borders) -> dict[tuple[int, int], float]:
    """Size of the median step of every pair of labels with a border, lower label first. [m]"""
    once = (borders.own > 0) & (borders.own < borders.other)
    own, other, step_m = borders.own[once], borders.other[once], borders.step_m[once]
    order = np.lexsort((step_m, other, own))
    own, other, step_m = own[order], other[order], step_m[order]
    starts = np.flatnonzero(np.diff(own, prepend=-1) | np.diff(other, prepend=-1))
    ends = np.append(starts, own.size)[1:]
    return {
        (int(own[i]), int(other[i])): abs(float(step_m[(i + j) // 2]))
        for i, j in zip(starts, ends, strict=True)
    }


def _near_roof(labels: np.ndarray) -> np.ndarray:
    """Cells of the roof: with a label, in gaps of two cells between, and what they enclose."""
    padded = np.pad(labels > 0, 2)
    closed = ndimage.binary_fill_holes(ndimage.binary_closing(padded, np.ones((3, 3), bool)))
    return closed[2:-2, 2:-2]


def _borders(planes: RoofPlanes, filled: np.ndarray) -> _Borders:
    """Both sides of every cell edge between a label and another label or the outside."""
    first_row, first_col = planes.first_cell
    own, other, row_m, col_m = [], [], [], []
    for a, b, d_row, d_col in (
        (filled[:, :-1], filled[:, 1:], 0.0, 0.5),
        (filled[:-1], filled[1:], 0.5, 0.0),
    ):
        rows, cols = np.nonzero(a != b)
        own += [a[rows, cols], b[rows, cols]]
        other += [b[rows, cols], a[rows, cols]]
        row_m += [(rows + d_row - first_row) * planes.cell_size_m] * 2
        col_m += [(cols + d_col - first_col) * planes.cell_size_m] * 2
    a, b = np.concatenate(own), np.concatenate(other)
    east_m, south_m = np.concatenate(col_m), np.concatenate(row_m)
    step_m = np.zeros(a.shape)
    both = (a > 0) & (b > 0)
    for plane, sign in ((a[both] - 1, 1.0), (b[both] - 1, -1.0)):
        step_m[both] += sign * (
            planes.elevation_at_first_cell_m[plane]
            + planes.slope_east[plane] * east_m[both]
            - planes.slope_north[plane] * south_m[both]
        )
    return _Borders(a, b, step_m)


def _relation_of(
    label: int,
    planes: RoofPlanes,
    filled: np.ndarray,
    borders: _Borders,
    area_m2: np.ndarray,
    is_guest: np.ndarray,
) -> tuple[int, bool, bool]:
    """Host of one plane (0: none), whether it stands out, whether it is sunk."""
    no_relation = 0, False, False
    at = borders.own == label
    other, step_m = borders.other[at], borders.step_m[at]
    larger = (other > 0) & ~is_guest[other] & (MAX_TIMES * area_m2[other] >= area_m2[label])
    counted = larger | (other == 0)
    if counted.sum() < 0.4 * counted.size or not larger.any():
        return no_relation
    n_counted = int(counted.sum())
    up, down = larger & (step_m >= STEP_M), larger & (step_m <= -STEP_M)
    if np.abs(step_m[larger]).max() > MAX_HEIGHT_M or larger.sum() < MIN_ENCLOSED * n_counted:
        return no_relation
    walls = up if up.sum() >= down.sum() else down
    if walls.sum() < MIN_WALL * n_counted:
        return no_relation
    host = int(np.bincount(other[walls]).argmax())
    rows, cols = np.nonzero(filled == label)
    rise_m = _height(planes, label, rows, cols).mean() - _height(planes, host, rows, cols).mean()
    if walls is up and (down & (other == host)).sum() <= MAX_DOWN * up.sum() and rise_m > 0.2:
        return host, True, False
    tilt = planes.surface_tilt
    is_floor = tilt[label - 1] <= TERRACE_TILT_DEG and tilt[host - 1] >= SLOPE_TILT_DEG
    if is_floor and walls is down and rise_m < -STEP_M:
        return host, False, True
    return no_relation


def _height(planes: RoofPlanes, label: int, rows: np.ndarray, cols: np.ndarray) -> np.ndarray:
    """Height of one (extended) plane at cells. [m]"""
    first_row, first_col = planes.first_cell
    return planes.elevation_at_first_cell_m[label - 1] + planes.cell_size_m * (
        planes.slope_east[label - 1] * (cols - first_col)
        - planes.slope_north[label - 1] * (rows - first_row)
    )


def _groups(
    host: np.ndarray, stands_out: np.ndarray, is_sunk: np.ndarray, borders: _Borders
) -> np.ndarray:
    """Number the superstructures: planes of one kind that meet without a wall are one."""
    root = np.arange(len(host))
    meets = np.abs(borders.step_m) < STEP_M
    for a, b in np.unique(np.stack([borders.own[meets], borders.other[meets]], axis=1), axis=0):
        same_kind = (stands_out[a] and stands_out[b]) or (is_sunk[a] and is_sunk[b])
        if a < b and same_kind:
            root[root == root[b]] = root[a]
    group = np.zeros(len(host), np.int32)
    for number, first in enumerate(np.unique(root[host > 0]), start=1):
        group[(root == first) & (host > 0)] = number
    return group
