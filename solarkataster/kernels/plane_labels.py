"""Which cell belongs to which plane: competition, neighbours, connected parts, edges.

Arrays are flat and padded by one cell, and heights have places, as in ``plane_fit``; ``labels`` is
−1 off the footprint, 0 for cells of no plane and 1..n for planes.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from solarkataster.kernels.plane_fit import MEASURED, OFF

#: Weight of a diagonal neighbour against that of an edge neighbour: nearer to equal lengths of
#: straight borders in all directions (Boykov & Kolmogorov 2003, 8-neighbourhood).
DIAGONAL = 0.7071067811865476


@njit(nogil=True, cache=True)
def compete(x, y, z, state, width, labels, planes, noise_m, reach_m, smoothness, n_sweeps):
    """
    Give each cell to the plane around it that explains it best (iterated conditional modes).

    The cost of a label is the squared residual in units of the noise plus ``smoothness`` for every
    neighbour that has another label; "no plane" costs a residual of ``reach_m``. Only labels of the
    eight neighbours compete, so a plane never jumps; a void only counts its neighbours (Besag 1986,
    J. R. Stat. Soc. B 48).
    """
    steps = np.array([-1, 1, -width, width, -width - 1, -width + 1, width - 1, width + 1])
    refuse_cost = (reach_m / noise_m) ** 2
    candidates = np.empty(10, np.int32)
    for _ in range(n_sweeps):
        n_changed = 0
        for i in range(width, z.size - width):
            if state[i] == OFF:
                continue
            own = labels[i]
            candidates[0] = own
            candidates[1] = 0
            n = 2 if own != 0 else 1
            uniform = True
            for step in steps:
                other = labels[i + step]
                if other == own or other < 0:
                    continue
                uniform = False
                known = False
                for k in range(n):
                    known = known or candidates[k] == other
                if not known:
                    candidates[n] = other
                    n += 1
            measured = state[i] == MEASURED
            if uniform and own > 0:
                if not measured:
                    continue
                plane = planes[own]
                if abs(z[i] - plane[0] * x[i] - plane[1] * y[i] - plane[2]) <= reach_m:
                    continue
            best, least = own, np.inf
            for k in range(n):
                label = candidates[k]
                cost = refuse_cost if measured else 0.0
                if label > 0 and measured:
                    plane = planes[label]
                    residual = z[i] - plane[0] * x[i] - plane[1] * y[i] - plane[2]
                    cost = (residual / noise_m) ** 2
                for s in range(8):
                    other = labels[i + steps[s]]
                    if other >= 0 and other != label:
                        cost += smoothness * (1.0 if s < 4 else DIAGONAL)
                if cost < least:
                    best, least = label, cost
            if best != own:
                labels[i] = best
                n_changed += 1
        if n_changed == 0:
            break


@njit(nogil=True, cache=True)
def connected_parts(values, width, parts):
    """
    Number the edge-connected parts of equal value, 1..n in reading order; skips negative values.

    Edge-connected (not over corners), so that the outline of a part is one simple ring with holes.

    Returns
    -------
    sizes : ndarray of int64, shape (n_part + 1,)
        Cells of each part; entry 0 is 0.
    """
    parts[:] = 0
    queue = np.empty(values.size, np.int32)
    sizes = np.zeros(values.size + 1, np.int64)
    n_parts = 0
    for start in range(width, values.size - width):
        if values[start] < 0 or parts[start] != 0:
            continue
        n_parts += 1
        value = values[start]
        parts[start] = n_parts
        queue[0] = start
        n, head = 1, 0
        while head < n:
            i = queue[head]
            head += 1
            for step in (-width, -1, 1, width):
                j = i + step
                if parts[j] == 0 and values[j] == value:
                    parts[j] = n_parts
                    queue[n] = j
                    n += 1
        sizes[n_parts] = n
    return sizes[: n_parts + 1]


@njit(nogil=True, cache=True)
def absorb_neighbours(x, y, z, state, width, labels, planes, deepest_m, highest_m, n_steps):
    """
    Give cells without a plane to a plane beside them, one cell further with each step.

    A plane takes ``n_steps[label]`` steps. A cell joins if it lies at most ``deepest_m`` below and
    ``highest_m`` above the plane, or is a void. Of several planes the one with the least residual
    wins, then the lower label.
    """
    joins = np.zeros(labels.size, np.int32)
    waiting = np.flatnonzero(labels == 0)
    for k in range(n_steps.max()):
        n_joined = 0
        for i in waiting:
            if state[i] == OFF:
                continue
            best, least = 0, np.inf
            for step in (-width, -1, 1, width):
                label = labels[i + step]
                if label <= 0 or label == best or k >= n_steps[label]:
                    continue
                rise_m = 0.0
                if state[i] == MEASURED:
                    plane = planes[label]
                    rise_m = z[i] - plane[0] * x[i] - plane[1] * y[i] - plane[2]
                if rise_m > highest_m or rise_m < -deepest_m:
                    continue
                if abs(rise_m) < least or (abs(rise_m) == least and label < best):
                    best, least = label, abs(rise_m)
            joins[i] = best
            n_joined += best > 0
        if n_joined == 0:
            break
        n_left = 0
        for i in waiting:
            if joins[i] > 0:
                labels[i] = joins[i]
            else:
                waiting[n_left] = i
                n_left += 1
        waiting = waiting[:n_left]


@njit(nogil=True, cache=True)
def extend_labels(labels):
    """
    Continue labels over the cells with −1, from the nearest cell in steps along cell edges.

    Growing cell by cell keeps what was connected connected, which the nearest cell as the crow
    flies does not. Of several equally near cells the first in reading order wins.

    Parameters
    ----------
    labels : ndarray of int32, shape (ny, nx)
        Filled in place; unchanged if there is no label at all.
    """
    ny, nx = labels.shape
    queue = np.empty((labels.size, 2), np.int32)
    n = 0
    for row in range(ny):
        for col in range(nx):
            if labels[row, col] >= 0:
                queue[n] = row, col
                n += 1
    head = 0
    while head < n:
        row, col = queue[head]
        head += 1
        for d_row, d_col in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            r, c = row + d_row, col + d_col
            if 0 <= r < ny and 0 <= c < nx and labels[r, c] < 0:
                labels[r, c] = labels[row, col]
                queue[n] = r, c
                n += 1
