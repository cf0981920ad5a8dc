"""The most modules that fit, solved exactly as an integer programme: slow, for small areas."""

from __future__ import annotations

import itertools
import math

import numpy as np
import shapely
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_matrix


def optimum(polygon, length_m, width_m, gap_m, *, step_m=0.25, seconds=60.0):
    """
    Most modules of both orientations in a polygon, level or upright, at any of many places.

    Parameters
    ----------
    polygon : shapely Polygon
    length_m, width_m, gap_m : float
        Module and gap. [m]
    step_m : float
        Besides the places that modules can be pushed to (a corner of the polygon and any number of
        lengths and widths on from there), all multiples of this are tried. [m]
    seconds : float
        Limit of the solver. [s]

    Returns
    -------
    found, bound : int
        Equal unless the time ran out; the optimum lies between them.

    Notes
    -----
    Modules with half a gap around them must not overlap: of all that cover one place at most one
    is chosen. Two that overlap both cover the place (larger of their lefts, larger of their lower
    sides), which is among the places, so that these conditions suffice. In polygons of upright
    edges modules pushed left and down end at such places (Herz 1972, Christofides & Whitlock 1977):
    there the result is the exact optimum.
    """
    size = np.array([[width_m, length_m], [length_m, width_m]])
    corners = shapely.get_coordinates(polygon)
    west, south, east, north = polygon.bounds
    pitches = (length_m + gap_m, width_m + gap_m)
    x = _places(corners[:, 0], west, east, pitches, step_m)
    y = _places(corners[:, 1], south, north, pitches, step_m)
    inside = shapely.buffer(polygon, 1e-6, join_style="mitre")
    shapely.prepare(inside)
    rows, cols, n = [], [], 0
    for width, height in size:
        left, low = (part.ravel() for part in np.meshgrid(x, y, indexing="ij"))
        fits = shapely.covers(inside, shapely.box(left, low, left + width, low + height))
        i_x, i_y = np.nonzero(fits.reshape(len(x), len(y)))
        for i, j in zip(i_x.tolist(), i_y.tolist(), strict=True):
            i_end = np.searchsorted(x, x[i] + width + gap_m - 1e-6)
            j_end = np.searchsorted(y, y[j] + height + gap_m - 1e-6)
            covered = np.arange(i, i_end)[:, None] * len(y) + np.arange(j, j_end)[None]
            rows.append(covered.ravel())
            cols.append(np.full(covered.size, n))
            n += 1
    if n == 0:
        return 0, 0
    row, col = np.concatenate(rows), np.concatenate(cols)
    covers = coo_matrix((np.ones(len(row)), (row, col)), shape=(len(x) * len(y), n)).tocsr()
    covers = _without_repeats(covers[np.diff(covers.indptr) > 1])
    result = milp(
        -np.ones(n),
        integrality=np.ones(n),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(covers, ub=1.0)] if covers.shape[0] else [],
        options={"time_limit": seconds},
    )
    found = 0 if result.x is None else round(float(result.x.sum()))
    bound = n if result.mip_dual_bound is None else math.floor(-result.mip_dual_bound + 1e-6)
    return found, min(bound, n)


def _places(corners, low, high, pitches, step_m):
    """Places that modules can be pushed to from any corner, and the multiples of a step."""
    counts = [range(int((high - low) / pitch) + 1) for pitch in pitches]
    along = np.array([i * pitches[0] + j * pitches[1] for i, j in itertools.product(*counts)])
    places = [np.arange(low, high, step_m)] if step_m else []
    places.append((np.unique(corners.round(9))[:, None] + along[None]).ravel())
    found = np.unique(np.concatenate(places).round(6))
    return found[(found >= low - 1e-9) & (found < high - min(pitches) / 2)]


def _without_repeats(covers):
    """Conditions less their repetitions."""
    kept = {
        covers.indices[i:j].tobytes(): k
        for k, (i, j) in enumerate(itertools.pairwise(covers.indptr))
    }
    return covers[sorted(kept.values())]
