"""Trees: where they stand, clear of roofs or over their edges, and how high their crowns are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.demo.overhang import TrueSide
from solarkataster.demo.roofshapes import Building
from solarkataster.demo.terrain import Terrain
from solarkataster.demo.towns import Plan
from solarkataster.errors import InputError

#: Spacing of the leaves' noise, and how rough the crowns over roofs are. [m]
_LEAF_M, _ROUGHNESS_M = 0.5, 0.3
#: Roofs higher than this over their ground have no crown above them. [m]
_HIGHEST_EDGE_M = 9.0


@dataclass(frozen=True, slots=True)
class Tree:
    """
    A tree: the upper half of an ellipsoid over flat ground.

    Parameters
    ----------
    easting_m, northing_m : float
        Trunk. [m]
    crown_radius_m, height_m : float
        Radius of the crown in plan, top above the ground. [m]
    ground_elevation_m : float
        Terrain at the trunk. [m]
    roughness_m : float
        Standard deviation of the leaves about the ellipsoid. [m]
    seed : int
        Of the leaves.
    """

    easting_m: float
    northing_m: float
    crown_radius_m: float
    height_m: float
    ground_elevation_m: float
    roughness_m: float = 0.0
    seed: int = 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the crown. [m]"""
        reach_m = self.crown_radius_m
        return (
            self.easting_m - reach_m, self.northing_m - reach_m,
            self.easting_m + reach_m, self.northing_m + reach_m,
        )  # fmt: skip

    def elevation_m(self, easting_m, northing_m) -> np.ndarray:
        """Top of the crown at points, −inf beside it. [m]"""
        east_m = np.asarray(easting_m, dtype=np.float64) - self.easting_m
        north_m = np.asarray(northing_m, dtype=np.float64) - self.northing_m
        inside = 1.0 - (east_m**2 + north_m**2) / self.crown_radius_m**2
        half_m = 0.45 * self.height_m  # the crown takes the upper 90 % of the tree
        crown_m = self.ground_elevation_m + self.height_m - half_m
        top_m = crown_m + half_m * np.sqrt(np.maximum(inside, 0.0))
        if self.roughness_m > 0.0:
            top_m = top_m + self.roughness_m * _leaves(east_m, north_m, self.seed)
        return np.where(inside > 0.0, top_m, -np.inf)


def _leaves(east_m: np.ndarray, north_m: np.ndarray, seed: int) -> np.ndarray:
    """Noise of unit variance, smooth over `_LEAF_M`: uniform numbers on a lattice, interpolated."""
    col, row = east_m / _LEAF_M, north_m / _LEAF_M
    col0, row0 = np.floor(col), np.floor(row)
    right, up = col - col0, row - row0
    noise = np.zeros(np.broadcast(col, row).shape)
    for d_col, across in ((0, 1.0 - right), (1, right)):
        for d_row, along in ((0, 1.0 - up), (1, up)):
            noise += across * along * _hashed(col0 + d_col, row0 + d_row, seed)
    # A uniform number from 0 to 1 has variance 1/12; interpolation leaves (2/3)² of it.
    return (noise - 0.5) * math.sqrt(12.0) * 1.5


def _hashed(col: np.ndarray, row: np.ndarray, seed: int) -> np.ndarray:
    """A number in 0 to 1 for each node of a lattice: the finaliser of SplitMix64 (Steele 2014)."""
    with np.errstate(over="ignore"):  # products are meant modulo 2^64, of single numbers too
        key = col.astype(np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        key = key ^ (row.astype(np.int64).astype(np.uint64) * np.uint64(0xD1B54A32D192ED03))
        key = key + np.uint64(seed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            key = (key ^ (key >> np.uint64(shift))) * np.uint64(factor)
    return ((key ^ (key >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / 2.0**53


def plant(
    plan: Plan,
    terrain: Terrain,
    buildings: list[Building],
    origin_m: tuple[float, float],
    size_m: float,
    rotation_rad: float,
    rng: np.random.Generator,
    n_trees: int,
) -> list[Tree]:
    """Trees clear of the buildings, a third of them in the parks if there are any."""
    n_tries = 12 * n_trees + 50
    x_m, y_m = rng.uniform(4.0, size_m - 4.0, (2, n_tries))
    radius_m = np.round(rng.uniform(1.8, 4.5, n_tries), 1)
    height_m = np.round(radius_m * rng.uniform(2.2, 3.2, n_tries) + 1.5, 1)
    in_park = shapely.contains_xy(plan.parks, x_m, y_m)
    # Parks first, up to a third of the trees; then everywhere in the order of the draw.
    order = np.concatenate([np.flatnonzero(in_park)[: n_trees // 3], np.arange(n_tries)])
    order = order[np.sort(np.unique(order, return_index=True)[1])]
    east_m, north_m = _turned(x_m, y_m, size_m, rotation_rad, origin_m)
    points = shapely.points(east_m, north_m)
    walls = shapely.STRtree([building.footprint for building in buildings])
    roofs = shapely.STRtree([building.roof_outline for building in buildings])
    is_free = np.ones(n_tries, dtype=bool)
    is_free[walls.query(points, "dwithin", radius_m + 0.6)[0]] = False
    is_free[roofs.query(points, "dwithin", radius_m + 0.05)[0]] = False
    ground_m = terrain.elevation_m(east_m, north_m)
    chosen: list[int] = []
    taken: dict[tuple[int, int], list[int]] = {}
    for k in order:
        if len(chosen) == n_trees:
            break
        if is_free[k] and _apart(k, x_m, y_m, radius_m, taken):
            chosen.append(int(k))
            taken.setdefault((int(x_m[k] // 10), int(y_m[k] // 10)), []).append(int(k))
    return [
        Tree(
            float(east_m[k]),
            float(north_m[k]),
            float(radius_m[k]),
            float(height_m[k]),
            float(ground_m[k]),
        )
        for k in sorted(chosen)
    ]


def plant_over_roofs(
    terrain: Terrain,
    buildings: list[Building],
    sides: list[TrueSide],
    trees: list[Tree],
    bounds: tuple[float, float, float, float],
    rng: np.random.Generator,
    n_trees: int,
) -> list[Tree]:
    """
    Trees with rough crowns that reach over the edge of a roof.

    Parameters
    ----------
    terrain : Terrain
    buildings : list of Building
    sides : list of TrueSide
        Before one of them each tree stands.
    trees : list of Tree
        Those that stand already.
    bounds : tuple of float
        West, south, east and north of the town. [m]
    rng : numpy Generator
    n_trees : int
        How many more.

    Raises
    ------
    InputError
        If there is no room for that many.
    """
    by_id = {building.building_id: building for building in buildings}
    open_sides = [side for side in sides if not side.is_party_wall]
    roofs = shapely.STRtree([building.roof_outline for building in buildings])
    found: list[Tree] = []
    for _ in range(60 * n_trees if open_sides else 0):
        if len(found) == n_trees:
            break
        draws = rng.random(5)
        side = open_sides[int(draws[0] * len(open_sides))]
        tree = _beside(by_id[side.building_id], side, terrain, draws[1:], len(found))
        if tree is not None and _has_room(tree, [*trees, *found], roofs, bounds):
            found.append(tree)
    if len(found) < n_trees:
        raise InputError(
            f"trees_over_roofs = {n_trees}, but there is room for {len(found)}",
            expected="a number that finds room beside the houses",
        )
    return found


def _beside(building: Building, side: TrueSide, terrain: Terrain, draws, seed: int) -> Tree | None:
    """A tree before a wall whose crown hangs over the roof's edge; none if that is too high."""
    start, end = np.array(side.start), np.array(side.end)
    along = (end - start) / np.hypot(*(end - start))
    outward = np.array([along[1], -along[0]])
    foot = start + (0.2 + 0.6 * draws[0]) * (end - start)
    edge_m = float(building.elevation_m(*(foot - 0.3 * outward)))
    radius_m = round(2.5 + 2.0 * float(draws[1]), 1)
    away_m = side.overhang_m + max(0.8, (0.35 + 0.3 * draws[2]) * radius_m)
    east_m, north_m = foot + away_m * outward
    ground_m = float(terrain.elevation_m(east_m, north_m))
    if edge_m - ground_m > _HIGHEST_EDGE_M:
        return None
    # The rim of the crown is at 55 % of the height, and over the roof's edge.
    height_m = round((edge_m - ground_m + 0.8 + float(draws[3])) / 0.55, 1)
    return Tree(float(east_m), float(north_m), radius_m, height_m, ground_m, _ROUGHNESS_M, seed + 1)


def _has_room(tree: Tree, trees: list[Tree], roofs: shapely.STRtree, bounds) -> bool:
    """Whether a trunk stands inside the town, off all roofs, and the crown clear of most others."""
    west_m, south_m, east_m, north_m = bounds
    if not (west_m + 4.0 < tree.easting_m < east_m - 4.0):
        return False
    if not (south_m + 4.0 < tree.northing_m < north_m - 4.0):
        return False
    trunk = shapely.Point(tree.easting_m, tree.northing_m)
    if len(roofs.query(trunk, "dwithin", 0.7)):
        return False
    return all(
        math.hypot(tree.easting_m - other.easting_m, tree.northing_m - other.northing_m)
        > 0.7 * (tree.crown_radius_m + other.crown_radius_m)
        for other in trees
    )


def _turned(x_m, y_m, size_m, rotation_rad, origin_m):
    cos, sin = math.cos(rotation_rad), math.sin(rotation_rad)
    dx_m, dy_m = x_m - size_m / 2, y_m - size_m / 2
    return (
        origin_m[0] + size_m / 2 + dx_m * cos - dy_m * sin,
        origin_m[1] + size_m / 2 + dx_m * sin + dy_m * cos,
    )


def _apart(k, x_m, y_m, radius_m, taken) -> bool:
    """Whether a crown keeps clear of those planted; two crowns reach 9 m, so 10 m bins do."""
    bin_x, bin_y = int(x_m[k] // 10), int(y_m[k] // 10)
    for i in (bin_x - 1, bin_x, bin_x + 1):
        for j in (bin_y - 1, bin_y, bin_y + 1):
            for other in taken.get((i, j), ()):
                distance_m = math.hypot(x_m[k] - x_m[other], y_m[k] - y_m[other])
                if distance_m < 0.9 * (radius_m[k] + radius_m[other]):
                    return False
    return True
