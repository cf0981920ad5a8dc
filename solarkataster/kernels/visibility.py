"""What surfaces see of the sky: from the skylines of points to shares by elevation."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def add_borders(tangent, sign, surface, unit, weight, low, n_step, place_of, place, per, out):
    """
    Add borders, from which points see the sky upwards, to the histograms of their units.

    Parameters
    ----------
    tangent : ndarray, shape (n,), float32
        Tangent of each point's border; inf for none.
    sign : float32
        1 where the sky begins, -1 where it ends.
    surface : ndarray, shape (n,), int32
    unit : ndarray, shape (n_surface,), int32
        Unit of each surface; -1 for one that is left out.
    weight : ndarray, shape (n,), float32
        Area that each point stands for.
    low : ndarray, shape (n_surface,), float32
        Tangent of the sector's lowest part over each surface's own plane: a border no higher counts
        as at the horizon, for the own plane is not part of the record.
    n_step : int
        Steps of q = t / (1 + t), in which places are counted.
    place_of : ndarray, shape (2 * n_step + 1,), int32
        Place at or below each half step.
    place, per : ndarray, shape (n_place,), float32
        The horizon and the middles of the bins, in steps; 1 ÷ the way to the next one, 0 at the
        last.
    out : ndarray, shape (n_unit, n_place + 1), float32
        Raised in place, but for the last column.

    Notes
    -----
    A border between two places counts at both, in shares that keep its mean: the sum of a light
    that grows evenly between them is exact. Unsigned places in a flat array: this runs for every
    point and azimuth.
    """
    one, steps = np.float32(1.0), np.float32(n_step)
    flat, n_column = out.reshape(-1), np.uint64(out.shape[1])
    for i in range(tangent.size):
        t = tangent[i]
        s = surface[i]
        u = unit[s]
        if u < 0 or t == np.inf:
            continue
        w = sign * weight[i]
        at = np.uint64(u) * n_column
        f = np.float32(0.0)
        if t > low[s]:
            q = (one - one / (one + t)) * steps
            k = np.uint64(place_of[np.uint64(q + q)])
            f = (q - place[k]) * per[k] * w
            at += k
        flat[at] += w - f
        flat[at + np.uint64(1)] += f


@njit(nogil=True, cache=True)
def close_sector(histogram, total, slot, out, any_seen):
    """
    Turn the histograms of a sector into shares of 255, and empty them.

    Parameters
    ----------
    histogram : ndarray, shape (n_unit, n_edge + 1), float32
        As of :func:`add_borders`; zeros afterwards.
    total : ndarray, shape (n_unit,), float64
        Area of each unit.
    slot : ndarray, shape (n_unit,), int64
        Place of the sector in each unit's record; -1 where it keeps none.
    out : ndarray, shape (n_unit, n_slot, n_edge), uint8
        Filled at the places.
    any_seen : ndarray, shape (n_unit,), bool
        Filled: whether any share is over 0.
    """
    n_edge = histogram.shape[1] - 1
    for u in range(histogram.shape[0]):
        any_seen[u] = False
        seen = 0.0
        for k in range(n_edge):
            seen += histogram[u, k]
            histogram[u, k] = np.float32(0.0)
            if slot[u] >= 0 and total[u] > 0.0:
                share = math.floor(255.0 * seen / total[u] + 0.5)
                share = min(max(share, 0.0), 255.0)
                out[u, slot[u], k] = np.uint8(share)
                any_seen[u] |= share > 0.0


@njit(nogil=True, cache=True)
def patch_view(
    east, north, up, first, n_sector, rows, shares, slice_edges_rad, slice_patch, edge_tangent,
    edge_row, n_patch, out,
):  # fmt: skip
    """
    What patches of sky with radiance 1 send to surfaces, by what they see of them.

    Parameters
    ----------
    east, north, up : ndarray, shape (n,), float64
        Unit normals.
    first : ndarray, shape (n,), int64
        First sector that each surface keeps.
    n_sector : int
    rows : ndarray, shape (n, n_slot), int32
        Row of ``shares`` for each sector kept; -1 for nothing seen.
    shares : ndarray, shape (n_row, n_edge), uint8
        Share of the surface that sees the sky at each edge, of 255; even in between.
    slice_edges_rad : ndarray, shape (n_sector, n_slice + 1)
        Borders of the slices of each sector, clockwise from grid north.
    slice_patch : ndarray, shape (n_sector, n_slice), int64
        Patch of its row that each slice lies in.
    edge_tangent : ndarray, shape (n_edge,)
        Tangents of the edges; the last one inf.
    edge_row : ndarray, shape (n_edge - 1,), int64
        Row of patches that the bin above each edge lies in.
    n_patch : int
        Patches of a row.
    out : ndarray, shape (n, n_patch_row * n_patch), float64
        Raised in place: ∫ share · max(0, cos θ) dω of each patch. [sr]
    """
    n_bin = edge_tangent.size - 1
    level, upward = np.empty(n_bin + 1), np.empty(n_bin + 1)
    for k in range(n_bin + 1):
        h = math.atan(edge_tangent[k])
        level[k], upward[k] = h / 2.0 + math.sin(2.0 * h) / 4.0, math.sin(h) ** 2 / 2.0
    for s in range(east.size):
        for slot in range(rows.shape[1]):
            if rows[s, slot] < 0:
                continue
            seen = shares[rows[s, slot]]
            i = (first[s] + slot) % n_sector
            for j in range(slice_edges_rad.shape[1] - 1):
                begin, end = slice_edges_rad[i, j], slice_edges_rad[i, j + 1]
                aside = east[s] * (math.cos(begin) - math.cos(end))
                aside += north[s] * (math.sin(end) - math.sin(begin))
                over = up[s] * (end - begin)
                cut = 0.0  # tangent of the own plane
                if aside < 0.0:
                    if over <= 1e-9:
                        continue
                    cut = -aside / over
                for k in range(n_bin):
                    if edge_tangent[k + 1] <= cut:
                        continue
                    low_level, low_upward, before = level[k], upward[k], float(seen[k])
                    if edge_tangent[k] < cut:
                        h = math.atan(cut)
                        low_level = h / 2.0 + math.sin(2.0 * h) / 4.0
                        low_upward = math.sin(h) ** 2 / 2.0
                        q0 = edge_tangent[k] / (1.0 + edge_tangent[k])
                        q1 = 1.0
                        if edge_tangent[k + 1] < np.inf:
                            q1 = edge_tangent[k + 1] / (1.0 + edge_tangent[k + 1])
                        f = (cut / (1.0 + cut) - q0) / (q1 - q0)
                        before += f * (float(seen[k + 1]) - before)
                    share = (before + float(seen[k + 1])) / 510.0
                    if share > 0.0:
                        light = aside * (level[k + 1] - low_level)
                        light += over * (upward[k + 1] - low_upward)
                        out[s, edge_row[k] * n_patch + slice_patch[i, j]] += share * light
