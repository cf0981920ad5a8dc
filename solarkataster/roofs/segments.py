"""From first planes to final ones: competition, leftovers, merging, small planes, edges."""

from __future__ import annotations

import math

import numpy as np

from solarkataster.kernels import plane_checks, plane_fit, plane_labels
from solarkataster.roofs.cells import MIN_CELLS, VOID_REACH_M, RoofCells
from solarkataster.roofs.growth import grow_leftovers

#: Price of a neighbour with another label, in squared units of noise; removes single cells
#: without rounding corners visibly. [–]
SMOOTHNESS = 1.5

#: What stands out less than this from a plane (frames of roof windows, tiles of a ridge) is part of
#: it, although it takes no part in the fit. [m]
RAISED_M = 0.2

#: Cells this near to a plane belong to it even if they lie lower: at eaves, at steps and along
#: courts a cell mixes the roof and what is below it. [m]
EAVES_M = 1.0

#: And no farther than this share of the edge of a square as large as the plane: half of a dormer
#: is not to take the other half, which falls off from it. [–]
EAVES_SHARE = 0.15

#: Planes are at least this wide: parapets, frames and the row of cells along a step are not. [m]
MIN_WIDTH_M = 0.75

#: Share of a plane's cells that squares of that width inside it must cover. [–]
MIN_WIDE_FRACTION = 0.4

#: Two rows of cells fit the step between two roofs as well as they fit a slope. So a plane without
#: a cell whose four neighbours belong to it too must be small, as half of a narrow dormer is. [m²]
MAX_NARROW_M2 = 4.0

#: Heights that a plane must explain and its neighbours cannot. [–]
PLANE_WORTH = 5.0

#: Planes of less area in plan may be dormers in a row: they are in one plane, but never one. [m²]
LARGE_M2 = 8.75

#: Longest gap between two parts of one plane that is bridged where a dormer leaves less than a
#: cell of it. [m]
MAX_GAP_M = 2.0

#: Standard error of an area from counted cells, in cells per root of the number of border cells: a
#: border takes a uniform share of each of them. [–]
COUNT_ERROR = 0.29

#: Steeper than this is a wall seen by a few cells, not a roof (steepest usual roofs: 70°). [°]
MAX_TILT_DEG = 75.0

#: Neighbouring planes closer than this in direction are one roof if their heights agree too. [°]
MERGE_ANGLE_DEG = 4.0


def settle(roof: RoofCells) -> None:
    """Compete, merge and dissolve until planes are final, then take in the edges."""
    _merge(roof)
    for fraction in (0.5, 0.8, 1.0):
        _compete(roof)
        _drop_needless(roof)
        if grow_leftovers(roof):
            _compete(roof)
            _drop_needless(roof)
        is_final = not _dissolve_small(roof, fraction)
        is_final = not _merge(roof) and is_final
    for _ in range(4):
        if is_final:
            break
        _compete(roof)
        is_final = not _dissolve_small(roof, 1.0)
    if _bridge_gaps(roof):
        _dissolve_small(roof, 1.0)
    _absorb(roof)


def _drop_needless(roof: RoofCells) -> None:
    n_dropped = plane_checks.drop_needless(
        roof.x,
        roof.y,
        roof.z,
        roof.state,
        roof.width,
        roof.labels,
        roof.planes,
        roof.noise_m,
        roof.reach_m,
        PLANE_WORTH * (roof.reach_m / roof.noise_m) ** 2,
    )
    if n_dropped:
        _compete(roof)


def _bridge_gaps(roof: RoofCells) -> bool:
    """Join planes that are one, but for a gap narrower than a cell; whether there were any."""
    planes, moments = roof.planes.copy(), roof.moments.copy()
    parent, n_merged = _parents(roof, planes, moments)
    if n_merged == 0:
        return False
    found = False
    max_cells = max(1, round(MAX_GAP_M / roof.cell_size_m))
    highest_m = max(RAISED_M, roof.reach_m)
    for root in np.flatnonzero(np.bincount(parent)[1:] > 1) + 1:
        waiting, n_before = list(np.flatnonzero(parent == root)), 0
        while len(waiting) != n_before:
            n_before = len(waiting)
            for other in waiting[1:]:
                if plane_checks.bridge(
                    roof.x,
                    roof.y,
                    roof.z,
                    roof.state,
                    roof.width,
                    roof.labels,
                    waiting[0],
                    other,
                    planes[root],
                    highest_m,
                    max_cells,
                ):
                    roof.labels[roof.labels == other] = waiting[0]
                    waiting.remove(other)
                    found = True
    return found


def _absorb(roof: RoofCells) -> None:
    """Take in what hardly stands out, then what lies lower or has no height at the edges."""
    raised_m = max(RAISED_M, roof.reach_m)
    size_m = roof.cell_size_m * np.sqrt(roof.n_cells())
    every_m = np.full(len(size_m), VOID_REACH_M)
    eaves_m = np.minimum(EAVES_M, EAVES_SHARE * size_m)
    for deepest_m, reach_m in ((raised_m, every_m), (math.inf, eaves_m)):
        plane_labels.absorb_neighbours(
            roof.x,
            roof.y,
            roof.z,
            roof.state,
            roof.width,
            roof.labels,
            roof.planes,
            deepest_m,
            raised_m,
            np.rint(reach_m / roof.cell_size_m).astype(np.int64),
        )


def _compete(roof: RoofCells) -> None:
    plane_labels.compete(
        roof.x,
        roof.y,
        roof.z,
        roof.state,
        roof.width,
        roof.labels,
        roof.planes,
        roof.noise_m,
        roof.reach_m,
        SMOOTHNESS,
        6,
    )
    roof.refit()


def _merge(roof: RoofCells) -> bool:
    """
    Give one label to neighbouring planes that are one, and to large ones that do not meet.

    Parts of a plane on both sides of a dormer know it better together; they become planes of their
    own in the end.

    Returns
    -------
    changed : bool
    """
    changed = False
    while len(roof.planes) > 2:
        parent, n_merged = _parents(roof, roof.planes, roof.moments)
        if n_merged == 0:
            break
        plane_checks.rename(roof.labels, roof.labels, parent)
        roof.refit()
        changed = True
    return changed


def _parents(roof: RoofCells, planes, moments) -> tuple[np.ndarray, int]:
    """Label each label is joined to, and how many were; changes planes and moments of those."""
    parent = np.zeros(len(planes), np.int32)
    n_merged = plane_fit.merge_planes(
        roof.labels,
        roof.width,
        planes,
        moments,
        LARGE_M2 / roof.cell_size_m**2,
        roof.cell_size_m,
        math.radians(MERGE_ANGLE_DEG),
        0.35 * roof.reach_m,
        parent,
    )
    return parent, n_merged


def _dissolve_small(roof: RoofCells, fraction: float) -> bool:
    """
    Make every connected part a plane of its own; dissolve those too small or too steep.

    Returns
    -------
    changed : bool
        Whether a plane was dissolved.
    """
    parts = np.empty(roof.labels.size, np.int32)
    sizes = plane_labels.connected_parts(
        np.where(roof.labels > 0, roof.labels, np.int32(-1)), roof.width, parts
    )
    new_label, old_label = plane_checks.judge_parts(
        parts,
        sizes,
        roof.labels,
        roof.state,
        roof.width,
        roof.planes,
        roof.cell_size_m,
        max(2, round(MIN_WIDTH_M / roof.cell_size_m)),
        fraction * roof.min_area_m2,
        COUNT_ERROR,
        MIN_CELLS,
        MIN_WIDE_FRACTION,
        MAX_NARROW_M2,
        1.0 / math.cos(math.radians(MAX_TILT_DEG)),
    )
    plane_checks.rename(roof.labels, parts, new_label)
    roof.planes = roof.planes[old_label]
    roof.refit()
    return len(old_label) < len(sizes)
