"""Trees of a cadastre, and their crowns as a canopy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solarkataster.canopy import NO_CROWN, Canopy
from solarkataster.errors import InputError
from solarkataster.grid import Grid
from solarkataster.points import VEGETATION_CLASSES, Points

#: A tree that the surface shows over this share of its crown is not burnt in. Half: surveyed
#: trunks are a metre or two off, and crowns of cadastres are round numbers. [–]
SHOWN_FRACTION = 0.5


@dataclass(frozen=True, eq=False)
class Trees:
    """
    Trees with all that their crowns need.

    Parameters
    ----------
    tree_id : ndarray of str, shape (n_tree,)
    easting_m, northing_m : ndarray, shape (n_tree,)
        Trunk. [m]
    height_m, crown_diameter_m, base_m : ndarray, shape (n_tree,)
        Top and underside of the crown above the ground at the trunk, and diameter. [m]
    kind : ndarray, shape (n_tree,), uint8
        `canopy.DECIDUOUS` or `canopy.EVERGREEN`.
    marks : tuple of str, length n_tree
        What was filled in or doubtful, "" where nothing was.

    Raises
    ------
    InputError
        If lengths differ, a number is missing, or a crown has no extent.
    """

    tree_id: np.ndarray
    easting_m: np.ndarray
    northing_m: np.ndarray
    height_m: np.ndarray
    crown_diameter_m: np.ndarray
    base_m: np.ndarray
    kind: np.ndarray
    marks: tuple[str, ...]

    def __post_init__(self) -> None:
        places = (self.easting_m, self.northing_m)
        numbers = (*places, self.height_m, self.crown_diameter_m, self.base_m)
        lengths = {len(self.tree_id), len(self.kind), len(self.marks), *map(len, numbers)}
        if len(lengths) != 1:
            raise InputError(f"trees of {sorted(lengths)} rows", expected="one length for all")
        good = np.all(np.isfinite(np.array(numbers)), axis=0)
        good &= (self.crown_diameter_m > 0.0) & (self.base_m >= 0.0) & (self.kind != NO_CROWN)
        good &= self.height_m >= self.base_m
        if not good.all():
            i = int(np.flatnonzero(~good)[0])
            raise InputError(
                f"tree {self.tree_id[i]} is {self.height_m[i]:g} m high, its crown "
                f"{self.crown_diameter_m[i]:g} m wide from {self.base_m[i]:g} m up",
                expected="a place, a crown wider than 0, and a base from 0 to the height",
            )

    def __len__(self) -> int:
        return len(self.easting_m)

    @property
    def reach_m(self) -> float:
        """Radius of the widest crown: how far beyond a window trunks may stand. [m]"""
        return float(self.crown_diameter_m.max()) / 2.0 if len(self) else 0.0

    def take(self, which: np.ndarray) -> Trees:
        """Those trees that an index or a mask names, in their order."""
        at = np.flatnonzero(which) if which.dtype == bool else which
        arrays = {
            name: getattr(self, name)[at] for name in self.__dataclass_fields__ if name != "marks"
        }
        return Trees(**arrays, marks=tuple(self.marks[i] for i in at))

    def near(self, bounds: tuple[float, float, float, float]) -> Trees:
        """Trees whose crowns touch bounds (west, south, east, north). [m]"""
        west_m, south_m, east_m, north_m = bounds
        radius_m = self.crown_diameter_m / 2.0
        touches = (self.easting_m + radius_m > west_m) & (self.easting_m - radius_m < east_m)
        touches &= (self.northing_m + radius_m > south_m) & (self.northing_m - radius_m < north_m)
        return self.take(touches)


def no_trees() -> Trees:
    """A cadastre without trees."""
    empty = np.zeros(0)
    return Trees(
        np.zeros(0, dtype=object), empty, empty, empty, empty, empty, np.zeros(0, np.uint8), ()
    )


def trees_at(trees: Trees, ids: Iterable[str]) -> np.ndarray:
    """Which trees have one of these ids, (n_tree,) bool."""
    return np.isin(trees.tree_id.astype(str), [str(one) for one in ids])


def burn_crowns(
    trees: Trees, window: Grid, terrain_m: np.ndarray, terrain: Grid | None = None
) -> Canopy:
    """
    Crowns of trees as ellipsoids on the terrain.

    Parameters
    ----------
    trees : Trees
        In any order.
    window : Grid
        Cells to fill.
    terrain_m : ndarray
        Bare ground on the cells of ``terrain``; NaN for no data. [m]
    terrain : Grid, optional
        Place of ``terrain_m``; the window without it. A tree whose trunk is off it is left out,
        so a grid `Trees.reach_m` wider than the window gives the same crowns whatever the window.

    Returns
    -------
    Canopy
        Where crowns overlap: the highest top, the lowest underside, the kind of the highest
        crown. A crown fills the cells whose centres lie under it.

    Raises
    ------
    InputError
        If the terrain does not fit its grid.

    Notes
    -----
    The ellipsoid stands upright over the ground at the trunk, from the crown's base to the tree's
    top, as in SOLWEIG's and most city models' trees; its widest place is half way up.
    """
    terrain = window if terrain is None else terrain
    if terrain_m.shape != terrain.shape:
        raise InputError(
            f"a terrain of {terrain_m.shape} cells", expected=f"{terrain.shape}, as its grid"
        )
    top_m = np.full(window.shape, np.nan, dtype=np.float32)
    base_m = np.full(window.shape, np.nan, dtype=np.float32)
    kind = np.zeros(window.shape, dtype=np.uint8)
    for i, ground_m in _grounds(trees, terrain, terrain_m):
        _burn(trees, i, ground_m, window, top_m, base_m, kind)
    return Canopy(top_m, base_m, kind)


def _grounds(trees: Trees, terrain: Grid, terrain_m: np.ndarray) -> Iterable[tuple[int, float]]:
    """Each tree whose ground is known, and the ground: that of the cell the trunk stands in."""
    col = np.floor((trees.easting_m - terrain.west_m) / terrain.cell_size_m + 1e-7).astype(np.int64)
    row = np.floor((terrain.north_m - trees.northing_m) / terrain.cell_size_m + 1e-7)
    row = row.astype(np.int64)
    ny, nx = terrain.shape
    for i in np.flatnonzero((row >= 0) & (row < ny) & (col >= 0) & (col < nx)):
        ground_m = float(terrain_m[row[i], col[i]])
        if math.isfinite(ground_m):
            yield int(i), ground_m


def _burn(
    trees: Trees,
    i: int,
    ground_m: float,
    window: Grid,
    top_m: np.ndarray,
    base_m: np.ndarray,
    kind: np.ndarray,
) -> None:
    """Put the crown of one tree over those that are there."""
    size_m = window.cell_size_m
    radius_m = float(trees.crown_diameter_m[i]) / 2.0
    half_m = (float(trees.height_m[i]) - float(trees.base_m[i])) / 2.0
    middle_m = ground_m + float(trees.base_m[i]) + half_m
    east_m, north_m = cell_offsets(window, float(trees.easting_m[i]), float(trees.northing_m[i]))
    cols = _between(east_m, -radius_m, radius_m)
    rows = _between(-north_m, -radius_m, radius_m)
    if cols.stop <= cols.start or rows.stop <= rows.start or size_m <= 0.0:
        return
    inside = 1.0 - (north_m[rows, None] ** 2 + east_m[None, cols] ** 2) / radius_m**2
    is_crown = inside > 0.0
    rise_m = half_m * np.sqrt(np.where(is_crown, inside, 0.0))
    crown_top_m = np.where(is_crown, middle_m + rise_m, np.nan).astype(np.float32)
    crown_base_m = np.where(is_crown, middle_m - rise_m, np.nan).astype(np.float32)
    part, kinds = top_m[rows, cols], kind[rows, cols]
    higher = is_crown & ~(crown_top_m <= part)
    # Of two crowns of one height the evergreen one counts, whatever the order of the trees.
    level = is_crown & (crown_top_m == part)
    kinds[higher] = trees.kind[i]
    kinds[level] = np.maximum(kinds[level], trees.kind[i])
    np.fmax(part, crown_top_m, out=part)
    np.fmin(base_m[rows, cols], crown_base_m, out=base_m[rows, cols])


def cell_offsets(window: Grid, easting_m: float, northing_m: float):
    """Cell centres east and north of a point, by column and by row; same bits in every window."""
    size_m = window.cell_size_m
    # The lattice's phase is rounded: the last bits of a window's corner must not reach a height.
    phase_east_m = round(window.west_m - window.first_col * size_m, 6)
    phase_north_m = round(window.north_m + window.first_row * size_m, 6)
    cols = window.first_col + np.arange(window.shape[1])
    rows = window.first_row + np.arange(window.shape[0])
    east_m = (cols + 0.5) * size_m + (phase_east_m - easting_m)
    north_m = (phase_north_m - northing_m) - (rows + 0.5) * size_m
    return east_m, north_m


def _between(values: np.ndarray, low: float, high: float) -> slice:
    """Positions of ascending values within open bounds."""
    return slice(
        int(np.searchsorted(values, low, side="right")),
        int(np.searchsorted(values, high, side="left")),
    )


def is_shown(trees: Trees, found: np.ndarray, window: Grid) -> np.ndarray:
    """
    Trees whose crowns the surface model shows.

    Parameters
    ----------
    trees : Trees
    found : ndarray of bool, shape (ny, nx)
        Cells where the surface shows canopy.
    window : Grid

    Returns
    -------
    ndarray of bool, shape (n_tree,)
        True where at least half of a crown's cells in the window are found canopy; a crown without
        a cell centre asks the cell of its trunk.
    """
    shown = np.zeros(len(trees), dtype=bool)
    for i in range(len(trees)):
        radius_m = float(trees.crown_diameter_m[i]) / 2.0
        place = float(trees.easting_m[i]), float(trees.northing_m[i])
        east_m, north_m = cell_offsets(window, *place)
        cols = _between(east_m, -radius_m, radius_m)
        rows = _between(-north_m, -radius_m, radius_m)
        if cols.stop <= cols.start or rows.stop <= rows.start:
            continue
        crown = north_m[rows, None] ** 2 + east_m[None, cols] ** 2 < radius_m**2
        if crown.any():
            shown[i] = found[rows, cols][crown].mean() >= SHOWN_FRACTION
    return shown


def merge_canopy(
    found: Canopy,
    trees: Trees,
    window: Grid,
    terrain_m: np.ndarray,
    solid_m: np.ndarray,
    *,
    terrain: Grid | None = None,
    flight_season: str | None = None,
) -> tuple[Canopy, np.ndarray]:
    """
    One canopy from what the surface model shows and what the cadastre knows.

    Parameters
    ----------
    found : Canopy
        Crowns that the surface model (or a canopy raster) shows.
    trees : Trees
    window : Grid
        Place of ``found``.
    terrain_m : ndarray
        Bare ground on ``terrain``, by default the window; see :func:`burn_crowns`. [m]
    solid_m : ndarray, shape (ny, nx)
        What is no crown: ground and roofs. Crowns count only above it. [m]
    terrain : Grid, optional
    flight_season : {"summer", "winter"}, optional
        A winter flight shows bare crowns too low and full of holes: every tree is burnt in then,
        and the higher of two tops counts.

    Returns
    -------
    canopy : Canopy
        Where the surface shows a crown, its top, with kind and underside from the cadastre if that
        has one there. Trees that the surface does not show (planted since, or filtered out of it)
        are burnt in as the cadastre has them.
    shown : ndarray of bool, shape (n_tree,)
        Which trees the surface shows; the others stand on the cadastre's word alone.
    """
    is_found = found.is_crown
    shown = is_shown(trees, is_found, window)
    known = burn_crowns(trees, window, terrain_m, terrain)
    top_m, base_m, kind = (np.array(a) for a in (found.top_m, found.base_m, found.kind))
    both = known.is_crown & is_found
    under_m = np.fmax(known.base_m[both], solid_m[both])
    base_m[both], kind[both] = np.minimum(under_m, top_m[both]), known.kind[both]
    merged = Canopy(top_m, base_m, kind)
    if flight_season == "winter":
        return joined_canopy(merged, known, solid_m), shown
    if shown.all():
        return merged, shown
    burnt = burn_crowns(trees.take(~shown), window, terrain_m, terrain)
    new = burnt.is_crown & ~is_found
    return _with_cells(merged, new, burnt.top_m, burnt.base_m, burnt.kind, solid_m), shown


def joined_canopy(one: Canopy, other: Canopy, solid_m: np.ndarray) -> Canopy:
    """
    Crowns of two canopies over the same solids.

    Parameters
    ----------
    one, other : Canopy
    solid_m : ndarray, shape (ny, nx)
        Crowns count only above it; NaN for no data. [m]

    Returns
    -------
    Canopy
        Highest top, lowest underside, kind of the higher; the first one's where they are level.
    """
    new = other.is_crown
    higher = new & ~(one.top_m >= other.top_m)
    top_m, base_m = np.fmax(one.top_m, other.top_m), np.fmin(one.base_m, other.base_m)
    return _with_cells(one, new, top_m, base_m, np.where(higher, other.kind, one.kind), solid_m)


def _with_cells(
    canopy: Canopy,
    new: np.ndarray,
    top_m: np.ndarray,
    base_m: np.ndarray,
    kind: np.ndarray,
    solid_m: np.ndarray,
) -> Canopy:
    """The canopy with new values in some cells, as far as they are above ground and roofs."""
    at = np.nonzero(new)
    tops_m, bases_m, kinds, floor_m = top_m[at], base_m[at], kind[at], solid_m[at]
    with np.errstate(invalid="ignore"):
        none = tops_m <= floor_m
        bases_m = np.where(bases_m < floor_m, floor_m, bases_m)
    result = [np.array(a) for a in (canopy.top_m, canopy.base_m, canopy.kind)]
    result[0][at] = np.where(none, np.nan, tops_m)
    result[1][at] = np.where(none, np.nan, np.minimum(bases_m, tops_m))
    result[2][at] = np.where(none, NO_CROWN, kinds)
    return Canopy(*result)


def vegetation_top(
    chunks: Iterable[Points], window: Grid, classes: Iterable[int] = VEGETATION_CLASSES
) -> np.ndarray:
    """
    Highest laser point of plants in each cell.

    Parameters
    ----------
    chunks : iterable of Points
        All points of the window in any order and in pieces of any size.
    window : Grid
    classes : iterable of int
        Classes that are plants.

    Returns
    -------
    ndarray, shape (ny, nx), float32
        NaN where there is none; ``isfinite`` of it are the cells that the laser confirms. [m]
    """
    table = np.zeros(256, dtype=bool)
    table[[one for one in classes if 0 <= one < 256]] = True
    top_m = np.full(window.shape, -np.inf)
    ny, nx = window.shape
    for points in chunks:
        points = points.take(table[points.classification])
        col = np.floor((points.easting_m - window.west_m) / window.cell_size_m).astype(np.int64)
        row = np.floor((window.north_m - points.northing_m) / window.cell_size_m).astype(np.int64)
        at = (row >= 0) & (row < ny) & (col >= 0) & (col < nx)
        np.maximum.at(top_m, (row[at], col[at]), points.elevation_m[at])
    return np.where(np.isinf(top_m), np.nan, top_m).astype(np.float32)
