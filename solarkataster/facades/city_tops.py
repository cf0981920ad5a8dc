"""Tops of a building's walls as a city model has them, along the sides of its footprint."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.facades.cells import CellFrame
from solarkataster.facades.neighbours import Contacts
from solarkataster.kernels.city_tops import (
    BEGIN,
    EDGE,
    FINISH,
    FOOT0,
    FOOT1,
    SIDE,
    TOP0,
    TOP1,
    edge_envelopes,
)
from solarkataster.kernels.wall_pieces import terrain_at_places

#: Walls of the model stand no farther than this from the footprint's sides, in plan, and are turned
#: no farther from them. [m, °]
REACH_M, TURN_DEG = 0.5, 45.0

#: Parts of a side without a wall up to this length take the top beside them; whole sides up to
#: twice this are jogs that the model leaves out. [m]
CLOSED_M = 0.5

#: Walls that end this high over the terrain stand over a passage: what is less is another survey
#: of the ground. [m]
PASSAGE_M = 2.0

#: So far inside a wall it is asked which roof is over it, and how near to the wall's top that must
#: be. [m]
_INSET_M, _ROOF_M = 0.05, 0.35


@dataclass(frozen=True, eq=False)
class CityRoofs:
    """
    Roof surfaces in plan.

    Attributes
    ----------
    polygons : ndarray of shapely Polygon, shape (n_roof,)
        From the local origin. [m]
    planes : ndarray, shape (n_roof, 3)
        ``z = planes[k, 0] x + planes[k, 1] y + planes[k, 2]``. [m]
    """

    polygons: np.ndarray
    planes: np.ndarray

    def elevation_m(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Highest roof over each place, NaN where there is none, (n,). [m]"""
        highest_m = np.full(len(x), -np.inf)
        for polygon, (a, b, c) in zip(self.polygons, self.planes, strict=True):
            over = shapely.contains_xy(polygon, x, y)
            highest_m[over] = np.maximum(highest_m[over], a * x[over] + b * y[over] + c)
        return np.where(np.isfinite(highest_m), highest_m, np.nan)

    def slopes(self, x: np.ndarray, y: np.ndarray, top_m: np.ndarray) -> np.ndarray:
        """Slope to the east and north of the roof that ends in each place, 0 if none does."""
        found, off_m = np.zeros((len(x), 2)), np.full(len(x), _ROOF_M)
        for polygon, (a, b, c) in zip(self.polygons, self.planes, strict=True):
            away_m = np.abs(a * x + b * y + c - top_m)
            best = (away_m < off_m) & shapely.contains_xy(polygon, x, y)
            found[best], off_m[best] = (a, b), away_m[best]
        return found


@dataclass(frozen=True, eq=False)
class WallTops:
    """
    Tops of walls along the sides of a footprint.

    Attributes
    ----------
    planes : ndarray, shape (n_stretch, 4)
        Plane over each stretch: straight along the wall's top, and sloping away from it like the
        roof that ends there; as `Walls.planes`. [m]
    side : ndarray of int64, shape (n_stretch,)
    begin, finish : ndarray, shape (n_stretch,)
        Distances along the side; in order and apart. [m]
    foot_m : ndarray, shape (n_stretch, 2)
        Lower edge of the wall at both ends. [m]
    is_open : ndarray of bool, shape (n_stretch,)
        Walls that stand over a passage.
    """

    planes: np.ndarray
    side: np.ndarray
    begin: np.ndarray
    finish: np.ndarray
    foot_m: np.ndarray
    is_open: np.ndarray

    @property
    def length_m(self) -> float:
        """Length of the sides that has a top. [m]"""
        return float((self.finish - self.begin).sum())

    def over(
        self, planes: np.ndarray, stretches: tuple[np.ndarray, ...]
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
        """
        Planes and stretches with these tops before all others.

        Parameters
        ----------
        planes : ndarray, shape (n_plane, 4)
        stretches : tuple of ndarray
            Side, plane, begin and finish of what is over the sides without the model.
        """
        own = zip(self.side.tolist(), self.begin.tolist(), self.finish.tolist(), strict=True)
        rows = [(s, a, b, len(planes) + k) for k, (s, a, b) in enumerate(own)]
        taken: dict[int, list[tuple[float, float]]] = {}
        for s, a, b, _ in rows:
            taken.setdefault(s, []).append((a, b))
        for s, plane, begin, finish in zip(*(column.tolist() for column in stretches), strict=True):
            at = begin
            for a, b in [*taken.get(s, ()), (finish, finish)]:
                if min(a, finish) - at > 1e-6:
                    rows.append((s, at, min(a, finish), plane))
                at = max(at, b)
        rows.sort()
        side, begin_m, finish_m, plane_of = zip(*rows, strict=True)
        return np.concatenate([planes, self.planes]), (
            np.array(side, np.int64), np.array(plane_of, np.int64),
            np.array(begin_m), np.array(finish_m),
        )  # fmt: skip

    @property
    def passages(self) -> Contacts:
        """What is open below walls, as if a neighbour hid it."""
        at = np.flatnonzero(self.is_open)
        node = 2.0 * np.arange(len(at))
        table = np.stack([self.side[at], self.begin[at], self.finish[at], node, node + 2.0], axis=1)
        places = np.stack([self.begin[at], self.finish[at]], axis=1)
        return Contacts(table, places.ravel(), self.foot_m[at].ravel())

    def with_passages(
        self, start: np.ndarray, end: np.ndarray, terrain_m: np.ndarray, frame: CellFrame
    ) -> WallTops:
        """Stretches whose walls end well over the terrain are open below."""
        along = (end - start) / np.hypot(*(end - start).T)[:, None]
        middle_m = 0.5 * (self.begin + self.finish)
        places = np.ascontiguousarray((start[self.side] + middle_m[:, None] * along[self.side]).T)
        ground_m = terrain_at_places(places[0], places[1], terrain_m, frame.numbers)
        return replace(self, is_open=self.foot_m.mean(axis=1) - ground_m >= PASSAGE_M)


def wall_tops(start: np.ndarray, end: np.ndarray, edges: np.ndarray, roofs: CityRoofs) -> WallTops:
    """
    Tops of a city model's walls along the sides of a footprint.

    Parameters
    ----------
    start, end : ndarray, shape (n_side, 2)
        Sides from the local origin, outside on their right. [m]
    edges : ndarray, shape (n_edge, 8)
        Edges of the walls' outlines as `kernels.city_tops.edge_envelopes` takes them.
    roofs : CityRoofs

    Returns
    -------
    tops : WallTops
        At each place the highest of all walls beside it, so that walls that stand on each other
        are one. Short gaps between walls are closed.
    """
    found = edge_envelopes(start, end, edges, REACH_M, np.cos(np.radians(TURN_DEG)))
    along = end - start
    length_m = np.hypot(*along.T)
    along = along / length_m[:, None]
    side = found[:, SIDE].astype(np.int64)
    begin, finish = found[:, BEGIN].copy(), found[:, FINISH].copy()
    planes = _planes(found, start, along, edges, roofs)
    _close_gaps(side, begin, finish, length_m)
    kept = finish - begin > 1e-6
    tops = WallTops(
        planes[kept], side[kept], begin[kept], finish[kept], found[kept][:, [FOOT0, FOOT1]],
        np.zeros(kept.sum(), dtype=bool),
    )  # fmt: skip
    return _with_jogs(tops, start, end, length_m)


def _planes(found, start, along, edges, roofs: CityRoofs) -> np.ndarray:
    """Plane over each stretch, (n_stretch, 4)."""
    side, edge = found[:, SIDE].astype(np.int64), edges[found[:, EDGE].astype(np.int64)]
    width_m = found[:, FINISH] - found[:, BEGIN]
    rise = (found[:, TOP1] - found[:, TOP0]) / width_m
    u = along[side]
    out = np.stack([u[:, 1], -u[:, 0]], axis=1)
    middle_m = 0.5 * (found[:, BEGIN] + found[:, FINISH])
    place = start[side] + middle_m[:, None] * u
    step, wall_out = edge[:, 3:5] - edge[:, :2], edge[:, 6:8]
    # Beside the model's own wall, which may stand aside of the footprint.
    share = ((place - edge[:, :2]) * u).sum(axis=1) / (step * u).sum(axis=1)
    x, y = (edge[:, :2] + share[:, None] * step - _INSET_M * wall_out).T
    slope = roofs.slopes(x, y, 0.5 * (found[:, TOP0] + found[:, TOP1]))
    across = (slope * out).sum(axis=1)
    a, b = (rise[:, None] * u + across[:, None] * out).T
    at = start[side] + found[:, BEGIN, None] * u
    level_m = found[:, TOP0] - a * at[:, 0] - b * at[:, 1]
    return np.stack([a, b, level_m, np.zeros(len(found))], axis=1)


def _close_gaps(side, begin, finish, length_m) -> None:
    """Let stretches go on over short gaps, in place."""
    for k in range(len(side)):
        is_first = k == 0 or side[k - 1] != side[k]
        is_last = k + 1 == len(side) or side[k + 1] != side[k]
        if is_first and begin[k] <= CLOSED_M:
            begin[k] = 0.0
        if is_last:
            if length_m[side[k]] - finish[k] <= CLOSED_M:
                finish[k] = length_m[side[k]]
        elif 0.0 < begin[k + 1] - finish[k] <= CLOSED_M:
            finish[k] = begin[k + 1] = 0.5 * (finish[k] + begin[k + 1])


def _with_jogs(tops: WallTops, start, end, length_m) -> WallTops:
    """Short sides that the model leaves out, from the tops where they begin and end."""
    open_sides = np.setdiff1d(np.flatnonzero(length_m <= 2.0 * CLOSED_M), tops.side)
    if not len(open_sides) or not len(tops.side):
        return tops
    # Both ends of all stretches: where, how high, and how low.
    at_m = np.concatenate([tops.begin, tops.finish])
    stretch = np.tile(np.arange(len(tops.side)), 2)
    s = tops.side[stretch]
    corner = start[s] + (at_m / length_m[s])[:, None] * (end - start)[s]
    top_m = (tops.planes[stretch, :2] * corner).sum(axis=1) + tops.planes[stretch, 2]
    foot_m = tops.foot_m.T.ravel()
    rows = []
    for k in open_sides.tolist():
        met = [np.flatnonzero(np.abs(corner - p).max(axis=1) < 1e-6) for p in (start[k], end[k])]
        known = [int(at[0]) for at in met if len(at)]
        if known:
            one, other = known[0], known[-1]
            rise = (top_m[other] - top_m[one]) / length_m[k] ** 2
            a, b = rise * (end[k] - start[k])
            plane = (a, b, top_m[one] - a * start[k, 0] - b * start[k, 1], 0.0)
            rows.append((k, length_m[k], plane, (foot_m[one], foot_m[other])))
    if not rows:
        return tops
    side = np.concatenate([tops.side, [row[0] for row in rows]])
    order = np.argsort(side, kind="stable")
    return WallTops(
        np.concatenate([tops.planes, [row[2] for row in rows]])[order],
        side[order],
        np.concatenate([tops.begin, np.zeros(len(rows))])[order],
        np.concatenate([tops.finish, [row[1] for row in rows]])[order],
        np.concatenate([tops.foot_m, [row[3] for row in rows]])[order],
        np.zeros(len(side), dtype=bool),
    )
