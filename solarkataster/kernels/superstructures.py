"""Cells of superstructures: the rectangle that holds them best, and where planes meet beneath."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _best_edge(position, is_member, order, side, low, high, across, across_low, across_high, cap):
    """
    Where one edge splits members from others best.

    Counted are the cells between the two edges across and beyond the middle of the members.
    ``side`` is +1 for the upper edge (members below it), −1 for the lower one. The edge lies
    half-way to the next cell, at most ``cap`` beyond the last one within. Of equally good places
    the middle of the first and the last is taken, so that turning the roof turns the result.
    """
    middle = 0.5 * (low + high)
    chosen = np.empty(position.size, np.int64)
    n, wrong = 0, 0
    for k in range(order.size):
        i = order[k] if side > 0 else order[order.size - 1 - k]
        if side * (position[i] - middle) >= -1e-9 and across_low < across[i] < across_high:
            chosen[n] = i
            n += 1
            wrong += is_member[i]  # with an edge before the first cell every member is outside
    least, first, last = wrong + 1, 0.0, 0.0
    is_found = False
    for k in range(n):
        wrong += -1 if is_member[chosen[k]] else 1
        here = side * position[chosen[k]]
        step = 2.0 * cap if k + 1 == n else side * position[chosen[k + 1]] - here
        if step < 1e-6:
            continue
        place = here + min(0.5 * step, cap)
        if wrong < least:
            least, first, last, is_found = wrong, place, place, True
        elif wrong == least:
            last = place
    if not is_found:
        return high if side > 0 else low
    return side * 0.5 * (first + last)


@njit(nogil=True, cache=True)
def fit_rectangle(along_m, across_m, is_member, half_cell_m, n_rounds):
    """
    Rectangle along the axes that holds the members and leaves out the other cells.

    The four edges are moved one after the other to where they get the fewest cells wrong, half-way
    between the last cell within and the first one beyond: with true places of the heights that is
    finer than the cells.

    Parameters
    ----------
    along_m, across_m : ndarray, shape (n,)
        Places of the cells of the part and of those around it. [m]
    is_member : ndarray of bool, shape (n,)
        Cells of the part, at least one.
    half_cell_m : float
        Half the usual distance between two places. [m]
    n_rounds : int
        Rounds over the four edges.

    Returns
    -------
    low_m, high_m, across_low_m, across_high_m : float
        Edges. [m]
    n_wrong : int
        Members outside and other cells inside.
    """
    low, high, across_low, across_high = np.inf, -np.inf, np.inf, -np.inf
    for i in range(along_m.size):
        if is_member[i]:
            low, high = min(low, along_m[i]), max(high, along_m[i])
            across_low, across_high = min(across_low, across_m[i]), max(across_high, across_m[i])
    low, high = low - half_cell_m, high + half_cell_m
    across_low, across_high = across_low - half_cell_m, across_high + half_cell_m
    order, across_order = np.argsort(along_m), np.argsort(across_m)
    cap = 1.5 * half_cell_m
    for _ in range(n_rounds):
        before = (low, high, across_low, across_high)
        new_low = _best_edge(
            along_m, is_member, order, -1, low, high, across_m, across_low, across_high, cap
        )
        high = _best_edge(
            along_m, is_member, order, 1, low, high, across_m, across_low, across_high, cap
        )
        low = new_low
        new_low = _best_edge(
            across_m, is_member, across_order, -1, across_low, across_high, along_m, low, high, cap
        )
        across_high = _best_edge(
            across_m, is_member, across_order, 1, across_low, across_high, along_m, low, high, cap
        )
        across_low = new_low
        if before == (low, high, across_low, across_high):
            break
    n_wrong = 0
    for i in range(along_m.size):
        within = low < along_m[i] < high and across_low < across_m[i] < across_high
        n_wrong += within != is_member[i]
    return low, high, across_low, across_high, n_wrong


@njit(nogil=True, cache=True)
def roof_region(labels):
    """
    Cells with a label, cells beside one, and what these enclose: (ny, nx) bool.

    What cannot be reached from the edge of the window over other cells is roof.
    """
    ny, nx = labels.shape
    is_roof = np.ones((ny, nx), np.bool_)
    queue = np.empty((labels.size, 2), np.int32)
    n = 0
    for row in range(ny):
        for col in range(nx):
            at_edge = row == 0 or col == 0 or row == ny - 1 or col == nx - 1
            if at_edge and not _beside_label(labels, row, col):
                is_roof[row, col] = False
                queue[n] = row, col
                n += 1
    head = 0
    while head < n:
        row, col = queue[head]
        head += 1
        for d_row, d_col in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            r, c = row + d_row, col + d_col
            if 0 <= r < ny and 0 <= c < nx and is_roof[r, c] and not _beside_label(labels, r, c):
                is_roof[r, c] = False
                queue[n] = r, c
                n += 1
    return is_roof


@njit(nogil=True, cache=True)
def _beside_label(labels, row, col):
    """Whether a cell or one of its four neighbours has a label."""
    ny, nx = labels.shape
    return (
        labels[row, col] > 0
        or (row > 0 and labels[row - 1, col] > 0)
        or (col > 0 and labels[row, col - 1] > 0)
        or (row < ny - 1 and labels[row + 1, col] > 0)
        or (col < nx - 1 and labels[row, col + 1] > 0)
    )


@njit(nogil=True, cache=True)
def settle_border(host, fixed, x_m, y_m, a, b, east, north, level_m, n_cells):
    """
    Give the cells near the border of two planes to the one on their side of the planes' line.

    Parameters
    ----------
    host : ndarray of int32, shape (ny, nx)
        Labels; those of ``a`` and ``b`` at most ``n_cells`` rows and columns from where they meet
        are set anew.
    fixed : ndarray of bool, shape (ny, nx)
        Cells that keep their label.
    x_m, y_m : ndarray, shape (ny, nx)
        Places of the cells. [m]
    east, north, level_m : float
        Where ``east * x + north * y + level_m`` is below 0 the cell is of ``a``, else of ``b``.
    """
    ny, nx = host.shape
    near = np.zeros((ny, nx), np.bool_)
    for row in range(ny):
        for col in range(nx):
            if host[row, col] != a:
                continue
            meets = (
                (row > 0 and host[row - 1, col] == b)
                or (col > 0 and host[row, col - 1] == b)
                or (row < ny - 1 and host[row + 1, col] == b)
                or (col < nx - 1 and host[row, col + 1] == b)
            )
            if not meets:
                continue
            for r in range(max(0, row - n_cells), min(ny, row + n_cells + 1)):
                for c in range(max(0, col - n_cells), min(nx, col + n_cells + 1)):
                    near[r, c] = (host[r, c] == a or host[r, c] == b) and not fixed[r, c]
    for row in range(ny):
        for col in range(nx):
            if near[row, col]:
                side = east * x_m[row, col] + north * y_m[row, col] + level_m
                host[row, col] = a if side < 0.0 else b


@njit(nogil=True, cache=True)
def climb_walls(host, fixed, z_m, x_m, y_m, equations, may_rise, min_wall_m, below_m):
    """
    Give cells beside a wall that are as high as the plane above it to that plane.

    Of what belongs to no plane the nearest one is below, which may be some storeys lower.

    Parameters
    ----------
    host : ndarray of int32, shape (ny, nx)
        Plane of the roof proper under every cell, changed in place; 0 and below for none.
    fixed : ndarray of bool, shape (ny, nx)
        Cells that keep their plane.
    z_m, x_m, y_m, equations, may_rise, min_wall_m
        As in :func:`wall_feet`.
    below_m : float
        Cells may lie this far below the higher plane. [m]
    """
    ny, nx = host.shape
    queue = np.empty((host.size, 2), np.int32)
    n = 0
    for row in range(ny):
        for col in range(nx):
            if host[row, col] > 0:
                queue[n] = row, col
                n += 1
    head, n_queued = 0, n
    while n_queued > 0:
        row, col = queue[head]
        head = (head + 1) % host.size
        n_queued -= 1
        high = host[row, col]
        for d_row, d_col in ((-1, 0), (0, -1), (0, 1), (1, 0)):
            r, c = row + d_row, col + d_col
            if not (0 <= r < ny and 0 <= c < nx) or fixed[r, c]:
                continue
            low = host[r, c]
            if low <= 0 or not may_rise[low, high]:
                continue
            high_m = _height(equations, high, x_m[r, c], y_m[r, c])
            wall_m = high_m - _height(equations, low, x_m[r, c], y_m[r, c])
            if wall_m >= min_wall_m and z_m[r, c] >= high_m - below_m:
                host[r, c] = high
                queue[n % host.size] = r, c
                n += 1
                n_queued += 1


@njit(nogil=True, cache=True)
def _height(equations, label, x, y):
    return equations[label, 0] + equations[label, 1] * x + equations[label, 2] * y


@njit(nogil=True, cache=True)
def wall_feet(host, z_m, x_m, y_m, equations, may_rise, n_cells, min_wall_m, beside_m):
    """
    Cells at the foot of a wall that goes up to a higher plane of the same roof: (ny, nx) bool.

    They see part of the wall, or of the eaves above, whatever the plane below them is like.

    Parameters
    ----------
    host : ndarray of int32, shape (ny, nx)
        Plane of the roof proper under every cell; 0 and below for none.
    z_m, x_m, y_m : ndarray, shape (ny, nx)
        Heights and their places; NaN where nothing was measured. [m]
    equations : ndarray, shape (n_plane + 1, 3)
        Height of each plane at x = y = 0 and its rise per metre of x and y; row 0 is none.
    may_rise : ndarray of bool, shape (n_plane + 1, n_plane + 1)
        Whether a wall may stand between a lower plane (row) and a higher one (column).
    n_cells : int
        Width of the foot.
    min_wall_m, beside_m : float
        Least height of the wall; a foot is lower than this over the higher plane. [m]
    """
    ny, nx = host.shape
    is_foot = np.zeros((ny, nx), np.bool_)
    for row in range(ny):
        for col in range(nx):
            low = host[row, col]
            if low <= 0:
                continue
            x, y, z = x_m[row, col], y_m[row, col], z_m[row, col]
            low_m = _height(equations, low, x, y)
            for r in range(max(0, row - n_cells), min(ny, row + n_cells + 1)):
                for c in range(max(0, col - n_cells), min(nx, col + n_cells + 1)):
                    high = host[r, c]
                    if high <= 0 or not may_rise[low, high]:
                        continue
                    high_m = _height(equations, high, x, y)
                    if high_m - low_m >= min_wall_m and not z >= high_m + beside_m:
                        is_foot[row, col] = True
    return is_foot
