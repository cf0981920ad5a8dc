"""Planes through raster cells: least squares, region growing, robust refits, merging.

All kernels that call :func:`solve_plane` are in this file: numba's cache on disk looks at the file
of a kernel only, and would keep machine code of a caller elsewhere when something here changes.
(The order of the moments is the one thing that others rely on.)

All arrays are flat views of a raster with a border of one cell that belongs to no region, so that
a neighbour is an offset and needs no bounds test. ``x`` and ``y`` say where the height of a cell
was measured, in columns and rows of that padded raster: the cell's own column and row, or off them
by a fraction for laser points. A plane is ``z = a x + b y + c`` with ``z`` in metres.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: n, sum x, sum y, sum z, sum xx, sum xy, sum yy, sum xz, sum yz, sum zz (each times the weight).
#: Compiled into the kernels of other files too, as are the states below: never to be changed.
N_MOMENTS = 10

#: State of a cell: off the footprint or far from any height; without a height but near some;
#: measured. Voids never take part in a fit, but a plane may run through them.
OFF, VOID, MEASURED = 0, 1, 2


@njit(nogil=True, cache=True)
def add_to_moments(moments, x, y, z, weight):
    """Add one weighted cell to the sums a plane fit needs."""
    moments[0] += weight
    moments[1] += weight * x
    moments[2] += weight * y
    moments[3] += weight * z
    moments[4] += weight * x * x
    moments[5] += weight * x * y
    moments[6] += weight * y * y
    moments[7] += weight * x * z
    moments[8] += weight * y * z
    moments[9] += weight * z * z


@njit(nogil=True, cache=True)
def solve_plane(moments):
    """
    Least-squares plane of a set of cells.

    Returns
    -------
    solved : bool
        False when the cells lie on a line or are fewer than three.
    a, b, c : float
        Plane ``z = a x + b y + c``.
    square_sum : float
        Sum of squared residuals. [m²]
    """
    n = moments[0]
    if n < 3.0:
        return False, 0.0, 0.0, 0.0, 0.0
    mx, my, mz = moments[1] / n, moments[2] / n, moments[3] / n
    cxx = moments[4] - moments[1] * mx
    cxy = moments[5] - moments[1] * my
    cyy = moments[6] - moments[2] * my
    cxz = moments[7] - moments[1] * mz
    cyz = moments[8] - moments[2] * mz
    czz = moments[9] - moments[3] * mz
    determinant = cxx * cyy - cxy * cxy
    if determinant <= 1e-6 * (cxx + cyy) ** 2:
        return False, 0.0, 0.0, 0.0, 0.0
    a = (cxz * cyy - cyz * cxy) / determinant
    b = (cyz * cxx - cxz * cxy) / determinant
    return True, a, b, mz - a * mx - b * my, max(0.0, czz - a * cxz - b * cyz)


@njit(nogil=True, cache=True)
def _refit_cells(cells, n, x, y, z, state, a, b, c, reach_m, moments):
    """Twice reweighted fit (Tukey's biweight of the given reach) of a list of cells."""
    for _ in range(2):
        moments[:] = 0.0
        for k in range(n):
            i = cells[k]
            if state[i] != MEASURED:
                continue
            share = (z[i] - a * x[i] - b * y[i] - c) / reach_m
            if -1.0 < share < 1.0:
                add_to_moments(moments, x[i], y[i], z[i], (1.0 - share * share) ** 2)
        solved, new_a, new_b, new_c, _ = solve_plane(moments)
        if not solved:
            return False, a, b, c
        a, b, c = new_a, new_b, new_c
    return True, a, b, c


@njit(nogil=True, cache=True)
def _collect_cells(
    seed, a, b, c, adaptive, x, y, z, width, labels, state, cell_a, cell_b, cell_rms,
    cell_size_m, reach_m, min_cosine, stamp, mark, cells, moments,
):  # fmt: skip
    """Breadth-first growth from a seed; with ``adaptive`` the plane follows as the region grows."""
    moments[:] = 0.0
    cells[0] = seed
    stamp[seed] = mark
    n, n_measured, head, next_fit = 1, 0, 0, 12
    size2 = cell_size_m * cell_size_m
    length = math.sqrt(size2 + a * a + b * b)
    while head < n:
        i = cells[head]
        head += 1
        n_measured += state[i] == MEASURED
        if adaptive and state[i] == MEASURED:
            add_to_moments(moments, x[i], y[i], z[i], 1.0)
            if n_measured == next_fit:
                next_fit += next_fit // 2
                solved, new_a, new_b, new_c, _ = solve_plane(moments)
                if solved:
                    a, b, c = new_a, new_b, new_c
                    length = math.sqrt(size2 + a * a + b * b)
        for step in (-width, -1, 1, width):
            j = i + step
            if labels[j] != 0 or state[j] == OFF or stamp[j] == mark:
                continue
            if state[j] == MEASURED and abs(z[j] - a * x[j] - b * y[j] - c) > reach_m:
                continue
            if cell_rms[j] < np.inf:
                p, q = cell_a[j], cell_b[j]
                own_length = math.sqrt(size2 + p * p + q * q)
                if size2 + a * p + b * q < min_cosine * length * own_length:
                    continue
            stamp[j] = mark
            cells[n] = j
            n += 1
    return n, n_measured, a, b, c


@njit(nogil=True, cache=True)
def grow_planes(
    x, y, z, state, width, seeds, seed_a, seed_b, cell_a, cell_b, cell_rms,
    cell_size_m, reach_m, min_cosine, min_cells, labels, planes, n_planes,
):  # fmt: skip
    """
    Grow planes from the smoothest cells outwards until no seed gives one.

    A region is grown twice: first with a plane that follows it, then once more from the seed with
    the robustly refitted plane, which drops what the young plane took by mistake. Every accepted
    cell is visited a fixed number of times and a refused region is smaller than ``min_cells``, so
    the work is linear in the number of cells.

    Parameters
    ----------
    seeds : ndarray of int, shape (n_seed,)
        Cells in the order in which they may start a plane, smoothest first.
    seed_a, seed_b : ndarray, shape (n_cell,)
        Window fit centred on each cell; cell_a, cell_b, cell_rms: best window holding it.
    reach_m : float
        Largest distance from the plane. [m]
    min_cosine : float
        Smallest cosine of the angle between the normals of cell and plane.
    labels : ndarray of int32, shape (n_cell,)
        Cells with 0 are free; they receive the labels from ``n_planes`` + 1 on.
    planes : ndarray, shape (n_max, 3)
        Row l receives a, b, c of label l.
    n_planes : int
        Planes that are there already.

    Returns
    -------
    n_planes : int
    """
    stamp = np.zeros(z.size, np.int32)
    cells = np.empty(z.size, np.int32)
    moments = np.zeros(N_MOMENTS)
    mark = 0
    for seed in seeds:
        if n_planes + 1 >= planes.shape[0]:
            break
        if labels[seed] != 0:
            continue
        a, b = seed_a[seed], seed_b[seed]
        c = z[seed] - a * x[seed] - b * y[seed]
        n, n_measured = 0, 0
        for attempt in range(2):
            mark += 1
            n, n_measured, a, b, c = _collect_cells(
                seed, a, b, c, attempt == 0, x, y, z, width, labels, state,
                cell_a, cell_b, cell_rms, cell_size_m, reach_m, min_cosine,
                stamp, mark, cells, moments,
            )  # fmt: skip
            if n_measured < min_cells:
                break
            solved, a, b, c = _refit_cells(cells, n, x, y, z, state, a, b, c, reach_m, moments)
            if not solved:
                n_measured = 0
                break
        if n_measured < min_cells:
            continue
        n_planes += 1
        planes[n_planes, 0], planes[n_planes, 1], planes[n_planes, 2] = a, b, c
        for k in range(n):
            labels[cells[k]] = n_planes
    return n_planes


@njit(nogil=True, cache=True)
def refit_planes(x, y, z, state, labels, planes, reach_m, n_rounds, moments):
    """
    Refit all planes at once with Tukey's biweight; rows of ``planes`` are overwritten.

    Parameters
    ----------
    moments : ndarray, shape (n_label, 10)
        Receives the weighted sums of the last round; row 0 stays empty.
    """
    for _ in range(n_rounds):
        moments[:] = 0.0
        for i in range(z.size):
            label = labels[i]
            if label <= 0 or state[i] != MEASURED:
                continue
            plane = planes[label]
            share = (z[i] - plane[0] * x[i] - plane[1] * y[i] - plane[2]) / reach_m
            if -1.0 < share < 1.0:
                add_to_moments(moments[label], x[i], y[i], z[i], (1.0 - share * share) ** 2)
        for label in range(1, planes.shape[0]):
            solved, a, b, c, _ = solve_plane(moments[label])
            if solved:
                planes[label, 0], planes[label, 1], planes[label, 2] = a, b, c


@njit(nogil=True, cache=True)
def _mean_square(moments, a, b, c):
    """Mean squared residual of a set of cells under any plane. [m²]"""
    n, sx, sy, sz, sxx, sxy, syy, sxz, syz, szz = moments
    total = (
        szz + a * a * sxx + b * b * syy + c * c * n
        - 2.0 * (a * sxz + b * syz + c * sz)
        + 2.0 * (a * b * sxy + a * c * sx + b * c * sy)
    )  # fmt: skip
    return max(0.0, total / n)


@njit(nogil=True, cache=True)
def _root(parent, label):
    while parent[label] != label:
        label = parent[label]
    return label


@njit(nogil=True, cache=True)
def merge_planes(
    labels, width, planes, moments, large_cells, cell_size_m, max_angle_rad, misfit_m, parent
):
    """
    Join planes that are one within the noise, if they meet along a cell's edge or both are large.

    Two are one if their normals differ by less than ``max_angle_rad`` and a common plane adds no
    more than ``misfit_m`` (RMS) to the residual of either. Pairs are tried in the order of labels.
    ``parent`` receives the label each label was joined to, itself if none; planes and moments of
    those joined to are updated.

    Parameters
    ----------
    large_cells : float
        Cells from which a plane is large.

    Returns
    -------
    n_merged : int
    """
    n_label = planes.shape[0]
    meet = np.zeros((n_label, n_label), np.bool_)
    n_cells = np.zeros(n_label, np.int64)
    for i in range(labels.size - width):
        own = labels[i]
        if own <= 0:
            continue
        n_cells[own] += 1
        for step in (1, width):
            other = labels[i + step]
            if other > 0 and other != own:
                meet[min(own, other), max(own, other)] = True
    n_merged = 0
    min_cosine = math.cos(max_angle_rad)
    for label in range(n_label):
        parent[label] = label
    for first in range(1, n_label):
        for second in range(first + 1, n_label):
            if not meet[first, second] and min(n_cells[first], n_cells[second]) < large_cells:
                continue
            i, j = _root(parent, first), _root(parent, second)
            if i == j or moments[i, 0] < 3.0 or moments[j, 0] < 3.0:
                continue
            if _cosine(planes[i], planes[j], cell_size_m) < min_cosine:
                continue
            joint = moments[i] + moments[j]
            solved, a, b, c, _ = solve_plane(joint)
            if not solved:
                continue
            fits = True
            for label in (i, j):
                plane = planes[label]
                own = _mean_square(moments[label], plane[0], plane[1], plane[2])
                if _mean_square(moments[label], a, b, c) > own + misfit_m * misfit_m:
                    fits = False
            if not fits:
                continue
            low, high = min(i, j), max(i, j)
            parent[high] = low
            moments[low] = joint
            planes[low, 0], planes[low, 1], planes[low, 2] = a, b, c
            n_merged += 1
    for label in range(n_label):
        parent[label] = _root(parent, label)
    return n_merged


@njit(nogil=True, cache=True)
def _cosine(plane, other, cell_size_m):
    """Cosine of the angle between the normals of two planes."""
    size2 = cell_size_m * cell_size_m
    dot = size2 + plane[0] * other[0] + plane[1] * other[1]
    length2 = (size2 + plane[0] ** 2 + plane[1] ** 2) * (size2 + other[0] ** 2 + other[1] ** 2)
    return dot / math.sqrt(length2)
