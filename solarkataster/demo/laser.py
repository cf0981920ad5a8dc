"""Laser points of a town as an airborne scanner gives them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from solarkataster.demo.overhang import TrueSide
from solarkataster.demo.roofshapes import Building
from solarkataster.demo.terrain import Terrain
from solarkataster.demo.trees import Tree
from solarkataster.errors import InputError

if TYPE_CHECKING:
    from solarkataster.demo.town import Scheme, Town
    from solarkataster.points import Points

#: Points are drawn bin by bin, so that those near a roof lie together. [m]
_BIN_M = 8.0
#: Shares of the pulses into a crown that give one, two and three echoes.
_ECHO_SHARES = (0.4, 0.4, 0.2)
#: Points per area of wall against those per area of ground, and how they spread across it. [–, m]
_WALL_SHARE, _WALL_SPREAD_M = 0.08, 0.02
#: Under an overhang a scanner that looks down sees walls from this many times its depth on. [–]
_HIDDEN_UNDER_EAVES = 2.0
#: Classes of ground, building, plants and the rest.
_CLASSES = {"asprs": (2, 6, 5, 1), "rlp": (2, 20, 20, 20), "unclassified": (0, 0, 0, 0)}
_GROUND, _BUILDING, _PLANT, _REST = range(4)


@dataclass(frozen=True)
class _Bins:
    """Random points in the order of square bins, rows from the south."""

    easting_m: np.ndarray
    northing_m: np.ndarray
    west_m: float
    south_m: float
    size_m: float
    n_side: tuple[int, int]
    starts: np.ndarray

    def near(self, bounds: tuple[float, float, float, float]) -> np.ndarray:
        """Positions of the points whose bins touch bounds."""
        rows, cols = self.n_side
        low = (np.array(bounds[:2]) - (self.west_m, self.south_m)) / self.size_m
        high = (np.array(bounds[2:]) - (self.west_m, self.south_m)) / self.size_m
        col0, row0 = np.clip(np.floor(low), 0, (cols, rows)).astype(int)
        col1, row1 = np.clip(np.floor(high) + 1, 0, (cols, rows)).astype(int)
        if col0 >= col1:
            return np.zeros(0, dtype=np.int64)
        runs = [
            np.arange(self.starts[row * cols + col0], self.starts[row * cols + col1])
            for row in range(row0, row1)
        ]
        return np.concatenate(runs) if runs else np.zeros(0, dtype=np.int64)


def laser_points(
    town: Town, density_per_m2: float = 10.0, scheme: Scheme = "asprs", seed: int = 0
) -> Points:
    """
    Laser points of a town; the same arguments give the same points.

    Parameters
    ----------
    town : Town
    density_per_m2 : float
        Pulses per area of ground; crowns give further echoes, walls a few. [1/m²]
    scheme : str
        ``asprs``: 2 ground, 6 building, 5 plants, 1 chimneys. ``rlp``, as Rheinland-Pfalz delivers
        it: 2 ground, 20 all else. ``unclassified``: all 0.
    seed : int
        Of places, noise and echoes, together with the town's own.

    Returns
    -------
    Points
        Places are independent and uniform. Heights carry the noise of the town's surface model.

    Raises
    ------
    InputError
        If the density is not above 0 or the scheme is unknown.
    """
    from solarkataster.points import Points  # needed here only

    if not density_per_m2 > 0.0:
        raise InputError(f"density_per_m2 = {density_per_m2:g}", expected="more than 0")
    if scheme not in _CLASSES:
        raise InputError(f"scheme = {scheme!r}", expected=f"one of {', '.join(_CLASSES)}")
    rng = np.random.default_rng([town.seed, 10, seed])
    bins = _scattered(town, density_per_m2, rng)
    under_m, sort = _solid(town, bins)
    top_m = _crowns(town.trees, bins, under_m)
    first = np.where(top_m > under_m, _PLANT, sort)
    pulse, elevation_m, kind, number, total = _echoes(rng, top_m, under_m, first, sort)
    wall_e, wall_n, wall_m = _on_walls(town, density_per_m2, rng)
    n_wall = len(wall_m)
    elevation_m = np.concatenate([elevation_m, wall_m])
    elevation_m += town.noise_m * rng.standard_normal(len(elevation_m))
    kind = np.concatenate([kind, np.full(n_wall, _BUILDING)])
    once = np.ones(n_wall, dtype=np.uint8)
    return Points(
        np.concatenate([bins.easting_m[pulse], wall_e]),
        np.concatenate([bins.northing_m[pulse], wall_n]),
        elevation_m,
        np.array(_CLASSES[scheme], dtype=np.uint8)[kind],
        np.concatenate([number, once]),
        np.concatenate([total, once]),
    )


def _scattered(town: Town, density_per_m2: float, rng: np.random.Generator) -> _Bins:
    """Points of a Poisson process over the town."""
    west_m, south_m, east_m, _ = town.grid.bounds
    n_side = math.ceil((east_m - west_m) / _BIN_M)
    size_m = (east_m - west_m) / n_side
    counts = rng.poisson(density_per_m2 * size_m**2, n_side**2)
    in_bin = np.repeat(np.arange(n_side**2), counts)
    x, y = rng.random((2, len(in_bin)))
    return _Bins(
        west_m + size_m * (in_bin % n_side + x),
        south_m + size_m * (in_bin // n_side + y),
        west_m,
        south_m,
        size_m,
        (n_side, n_side),
        np.concatenate([[0], np.cumsum(counts)]),
    )


def _solid(town: Town, bins: _Bins) -> tuple[np.ndarray, np.ndarray]:
    """Height of the town without its trees at scattered points, and what is there."""
    surface_m = town.terrain.elevation_m(bins.easting_m, bins.northing_m)
    sort = np.full(len(surface_m), _GROUND, dtype=np.int64)
    for building in town.buildings:
        near = bins.near(building.roof_outline.bounds)
        easting_m, northing_m = bins.easting_m[near], bins.northing_m[near]
        for part in building.parts:
            top_m = part.elevation_m(easting_m, northing_m)
            counts = top_m > (-np.inf if part.role == "terrace" else surface_m[near])
            surface_m[near[counts]] = top_m[counts]
            sort[near[counts]] = _REST if part.role == "chimney" else _BUILDING
    return surface_m, sort


def _crowns(trees: list[Tree], bins: _Bins, under_m: np.ndarray) -> np.ndarray:
    """Height of the town with its trees."""
    top_m = under_m.copy()
    for tree in trees:
        near = bins.near(tree.bounds)
        crown_m = tree.elevation_m(bins.easting_m[near], bins.northing_m[near])
        top_m[near] = np.maximum(top_m[near], crown_m)
    return top_m


def _echoes(rng: np.random.Generator, top_m, under_m, first, last):
    """
    The echoes of all pulses, pulse by pulse from above.

    A pulse into a crown may end at its top, or reach what is under it, with or without another
    echo half-way.
    """
    total = np.ones(len(top_m), dtype=np.uint8)
    in_crown = np.flatnonzero(top_m > under_m)
    draws = rng.random((2, len(in_crown)))
    total[in_crown] += np.searchsorted(np.cumsum(_ECHO_SHARES[:2]), draws[0]).astype(np.uint8)
    pulse = np.repeat(np.arange(len(top_m)), total)
    number = (
        np.arange(len(pulse)) - (np.cumsum(total.astype(np.int64)) - total)[pulse] + 1
    ).astype(np.uint8)
    total = total[pulse]
    share = np.zeros(len(top_m))
    share[in_crown] = 0.1 + 0.8 * draws[1]
    is_last = (number == total) & (number > 1)
    elevation_m = np.where(
        number == 1,
        top_m[pulse],
        np.where(
            is_last, under_m[pulse], top_m[pulse] - share[pulse] * (top_m[pulse] - under_m[pulse])
        ),
    )
    kind = np.where(is_last, last[pulse], first[pulse])
    return pulse, elevation_m, kind, number, total


def _on_walls(town: Town, density_per_m2: float, rng: np.random.Generator) -> np.ndarray:
    """Easting, northing and height of points on walls that no house adjoins, shape (3, n)."""
    by_id = {building.building_id: building for building in town.buildings}
    found = [np.zeros((3, 0))]
    for side in town.sides:
        if not side.is_party_wall:
            building = by_id[side.building_id]
            found.append(_on_wall(building, side, town.terrain, density_per_m2 * _WALL_SHARE, rng))
    east_m, north_m, elevation_m = np.concatenate(found, axis=1)
    west, south, east, north = town.grid.bounds
    kept = (east_m >= west) & (east_m < east) & (north_m >= south) & (north_m < north)
    return np.stack([east_m, north_m, elevation_m])[:, kept]


def _on_wall(
    building: Building,
    side: TrueSide,
    terrain: Terrain,
    density_per_m2: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Points between the ground and what the eaves hide, shape (3, n)."""
    start, end = np.array(side.start), np.array(side.end)
    length_m = float(np.hypot(*(end - start)))
    along = (end - start) / length_m
    outward = np.array([along[1], -along[0]])

    def roof_m(places: np.ndarray) -> np.ndarray:
        return building.elevation_m(*(places - 0.01 * outward).T)

    corners = start + np.linspace(0.02, 0.98, 25)[:, None] * (end - start)
    foot_m = float(terrain.elevation_m(*corners.T).min())
    height_m = float(roof_m(corners).max()) - foot_m
    n_points = int(rng.poisson(density_per_m2 * length_m * height_m))
    u, v, spread = rng.random((3, n_points))
    places = start + (0.02 + 0.96 * u)[:, None] * (end - start)
    elevation_m = foot_m + v * height_m
    top_m = roof_m(places) - 0.2 - _HIDDEN_UNDER_EAVES * side.overhang_m
    kept = (elevation_m < top_m) & (elevation_m > terrain.elevation_m(*places.T) + 0.2)
    places = places + _WALL_SPREAD_M * (2.0 * spread - 1.0)[:, None] * outward
    return np.vstack([places.T, elevation_m])[:, kept]
