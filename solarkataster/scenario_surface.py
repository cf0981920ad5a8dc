"""Changes of a what-if scenario in the rasters of a window."""

from __future__ import annotations

import math

import numpy as np
import shapely

from solarkataster.canopy import NO_CROWN, Canopy
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.scenario import REACH_M, REACH_RADII, Changes, NewBuilding
from solarkataster.trees import Trees, burn_crowns, cell_offsets, joined_canopy


def changed_buildings(
    changes: Changes,
    window: Grid,
    elevation_m: np.ndarray,
    terrain_m: np.ndarray,
    *,
    footprints: np.ndarray | None = None,
    max_overhang_m: float = 1.5,
) -> tuple[np.ndarray, np.ndarray]:
    """
    Surface of a window after buildings were added and removed.

    Parameters
    ----------
    changes : Changes
        New buildings with their ground.
    window : Grid
    elevation_m, terrain_m : ndarray, shape (ny, nx)
        Surface as measured, and bare ground; NaN for no data. [m]
    footprints : ndarray of shapely geometry, optional
        Buildings near the window that stay: where their eaves meet those of a removed one, cells
        belong to the nearer building.
    max_overhang_m : float
        How far eaves of removed buildings reach. [m]

    Returns
    -------
    elevation_m : ndarray, shape (ny, nx), float32
        Removed buildings leave the terrain.
    is_new : ndarray of bool, shape (ny, nx)
        Cells of new buildings.
    """
    elevation_m = np.array(elevation_m, dtype=np.float32)
    is_new = np.zeros(window.shape, dtype=bool)
    for _, outline in changes.removed:
        cells, mask = _removed_cells(outline, window, footprints, max_overhang_m)
        part, ground_m = elevation_m[cells], terrain_m[cells]
        lower = mask & (part > ground_m)
        part[lower] = ground_m[lower]
    for building in changes.added:
        cells, inside, roof_m = new_roof(building, window)
        elevation_m[cells][inside] = roof_m[inside]
        is_new[cells] |= inside
    return elevation_m, is_new


def changed_canopy(
    changes: Changes,
    window: Grid,
    solid_m: np.ndarray,
    terrain_m: np.ndarray,
    canopy: Canopy,
    standing: Trees,
    *,
    terrain: Grid | None = None,
) -> Canopy:
    """
    Canopy of a window after trees were felled, planted and grown.

    Parameters
    ----------
    changes : Changes
    window : Grid
    solid_m : ndarray, shape (ny, nx)
        What is no crown, after buildings changed; NaN for no data. [m]
    terrain_m : ndarray
        Bare ground on ``terrain``, by default the window; see `trees.burn_crowns`. [m]
    canopy : Canopy
        Of all trees before the changes.
    standing : Trees
        Cadastre near the window, felled ones included: neighbours keep their cells.
    terrain : Grid, optional

    Returns
    -------
    Canopy

    Notes
    -----
    Felled trees go with the canopy cells within 1.2 of their radii and half a metre that are
    nearer to them than to any other tree of the cadastre, counted in radii. Growing raises the
    cells of a tree and widens it by the ellipsoid of its new size. No crown hangs over a new
    building.
    """
    top_m, base_m = (np.array(a, dtype=np.float32) for a in (canopy.top_m, canopy.base_m))
    kind = np.array(canopy.kind)
    place = window if terrain is None else terrain
    gone = _felled_cells(changes, window, kind != NO_CROWN, standing)
    grown = _grow(changes, window, standing, top_m, kind, gone, terrain_m, place)
    top_m[gone], base_m[gone], kind[gone] = np.nan, np.nan, NO_CROWN
    after = joined_canopy(Canopy(top_m, base_m, kind), grown, solid_m)
    planted = burn_crowns(changes.planted, window, terrain_m, place)
    after = joined_canopy(after, planted, solid_m)
    top_m, base_m, kind = (np.array(a) for a in (after.top_m, after.base_m, after.kind))
    for building in changes.added:
        cells, inside = part_inside(building.footprint, window)
        top_m[cells][inside], base_m[cells][inside], kind[cells][inside] = np.nan, np.nan, NO_CROWN
    return Canopy(top_m, base_m, kind)


def _reach_m(trees: Trees) -> np.ndarray:
    return REACH_RADII * trees.crown_diameter_m / 2.0 + REACH_M


def tree_cells(trees: Trees, window: Grid, is_crown: np.ndarray) -> np.ndarray:
    """
    To which tree each cell of the canopy belongs: the nearest, counted in reaches.

    Parameters
    ----------
    trees : Trees
    window : Grid
    is_crown : ndarray of bool, shape (ny, nx)

    Returns
    -------
    ndarray, shape (ny, nx), int32
        Position of the tree from 1; 0 where no tree reaches or no crown is.
    """
    label = np.zeros(window.shape, dtype=np.int32)
    nearest = np.ones(window.shape)
    for i, reach_m in enumerate(_reach_m(trees)):
        east_m, north_m = cell_offsets(
            window, float(trees.easting_m[i]), float(trees.northing_m[i])
        )
        cols, rows = np.flatnonzero(np.abs(east_m) < reach_m), np.flatnonzero(
            np.abs(north_m) < reach_m
        )  # fmt: skip
        if not cols.size or not rows.size:
            continue
        cells = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        away = np.hypot(north_m[cells[0], None], east_m[None, cells[1]]) / reach_m
        nearer = away < nearest[cells]
        nearest[cells][nearer] = away[nearer]
        label[cells][nearer] = i + 1
    label[~is_crown] = 0
    return label


def _same_trees(some: Trees, all_trees: Trees) -> np.ndarray:
    """Which of all trees are among some, by place and size, (n_tree,) bool."""
    keys = {_key(some, i) for i in range(len(some))}
    return np.array([_key(all_trees, i) in keys for i in range(len(all_trees))], dtype=bool)


def _key(trees: Trees, i: int) -> tuple[str, float, float, float]:
    place = float(trees.easting_m[i]), float(trees.northing_m[i])
    return (str(trees.tree_id[i]), *place, float(trees.crown_diameter_m[i]))


def _felled_cells(
    changes: Changes, window: Grid, is_crown: np.ndarray, standing: Trees
) -> np.ndarray:
    gone = np.zeros(window.shape, dtype=bool)
    if len(changes.felled):
        felled = np.concatenate([[False], _same_trees(changes.felled, standing)])
        gone = felled[tree_cells(standing, window, is_crown)]
    for area in changes.felled_areas:
        cells, inside = part_inside(area, window)
        gone[cells] |= inside & is_crown[cells]
    return gone


def _grow(
    changes: Changes,
    window: Grid,
    standing: Trees,
    top_m: np.ndarray,
    kind: np.ndarray,
    gone: np.ndarray,
    grounds_m: np.ndarray,
    place: Grid,
) -> Canopy:
    """Raise the cells of growing trees in place; return the crowns of their new size."""
    if not len(changes.grown) and not changes.raised_areas:
        return burn_crowns(changes.grown, window, grounds_m, place)
    label = tree_cells(standing, window, (kind != NO_CROWN) & ~gone)
    position = {_key(standing, i): i + 1 for i in range(len(standing))}
    heights_m = changes.grown.height_m.copy()
    for i, (rise_m, _) in enumerate(changes.grown_by_m):
        cells = label == position.get(_key(changes.grown, i), -1)
        if not cells.any():
            continue
        row, col = place.row_col(changes.grown.easting_m[i], changes.grown.northing_m[i])
        row, col = round(float(row)), round(float(col))
        if 0 <= row < place.shape[0] and 0 <= col < place.shape[1]:
            # The tree is as high as it stands in the surface, not as the cadastre remembers it.
            seen_m = float(top_m[cells].max()) - float(grounds_m[row, col])
            if math.isfinite(seen_m):
                heights_m[i] = max(seen_m, float(changes.grown.base_m[i]))
        top_m[cells] += np.float32(rise_m)
    unknown = (kind != NO_CROWN) & ~gone & (label == 0)
    for area, rise_m in changes.raised_areas:
        if area is None:
            top_m[unknown] += np.float32(rise_m)
            continue
        cells, inside = part_inside(area, window)
        top_m[cells][inside & unknown[cells]] += np.float32(rise_m)
    return burn_crowns(_grown(changes, heights_m), window, grounds_m, place)


def _grown(changes: Changes, heights_m: np.ndarray) -> Trees:
    trees = changes.grown
    return Trees(
        trees.tree_id,
        trees.easting_m,
        trees.northing_m,
        heights_m + changes.grown_by_m[:, 0],
        trees.crown_diameter_m + changes.grown_by_m[:, 1],
        trees.base_m,
        trees.kind,
        trees.marks,
    )


def part_inside(area: shapely.Geometry, window: Grid) -> tuple[tuple[slice, slice], np.ndarray]:
    """A part of the window around an area, and which of its cells have their centre inside."""
    part = window.crop(area.bounds)
    row, col = window.offset_of(part)
    cells = (slice(row, row + part.shape[0]), slice(col, col + part.shape[1]))
    if 0 in part.shape:
        return cells, np.zeros(part.shape, dtype=bool)
    return cells, cells_inside(area, part)


def new_roof(
    building: NewBuilding, window: Grid
) -> tuple[tuple[slice, slice], np.ndarray, np.ndarray]:
    """
    Cells of a new building and the height of its roof there.

    Returns
    -------
    cells : tuple of slice
        Part of the window around it.
    inside : ndarray of bool
        Which of them it covers.
    roof_m : ndarray
        Height of the roof in the datum of the ground. [m]
    """
    cells, inside = part_inside(building.footprint, window)
    rise_m = np.zeros(inside.shape)
    if building.roof_tilt_deg > 0.0 and inside.any():
        part = window.crop(building.footprint.bounds)
        corners = np.array(
            shapely.minimum_rotated_rectangle(building.footprint).exterior.coords
        )[:4]  # fmt: skip
        sides_m = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        # The shorter side runs across the ridge; of a square it is the first.
        across = int(np.argmin(sides_m[:2]))
        unit = (corners[across + 1] - corners[across]) / sides_m[across]
        middle = corners.mean(axis=0)
        x_m = part.west_m + (np.arange(part.shape[1]) + 0.5) * part.cell_size_m - middle[0]
        y_m = part.north_m - (np.arange(part.shape[0]) + 0.5) * part.cell_size_m - middle[1]
        away_m = np.abs(x_m[None, :] * unit[0] + y_m[:, None] * unit[1])
        half_m = sides_m[across] / 2.0
        rise_m = np.maximum(half_m - away_m, 0.0) * math.tan(math.radians(building.roof_tilt_deg))
    return cells, inside, building.ground_m + building.height_m + rise_m


def _removed_cells(
    outline: shapely.Geometry, window: Grid, footprints: np.ndarray | None, overhang_m: float
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Cells of a removed building and its eaves, without those of the buildings beside it."""
    cells, mask = part_inside(shapely.buffer(outline, overhang_m), window)
    if footprints is None or not len(footprints) or not mask.any():
        return cells, mask
    known = footprints[~(shapely.is_missing(footprints) | shapely.is_empty(footprints))]
    near = known[shapely.dwithin(known, outline, 2.0 * overhang_m)]
    if not len(near):
        return cells, mask
    rows, cols = np.nonzero(mask)
    size_m = window.cell_size_m
    x_m = window.west_m + (cells[1].start + cols + 0.5) * size_m
    y_m = window.north_m - (cells[0].start + rows + 0.5) * size_m
    points = shapely.points(x_m, y_m)
    others = shapely.union_all(near)
    own_m, other_m = shapely.distance(points, outline), shapely.distance(points, others)
    mask[rows, cols] = (own_m < other_m) | (own_m == 0.0) & (other_m > 0.0)
    return cells, mask
