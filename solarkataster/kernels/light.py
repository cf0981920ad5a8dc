"""Skyline × sky table: one azimuth's light added to every receiver's sums."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_LANES = 16
_DIRECT = 12
_SKY_VIEW = 13
_HIDDEN_ABOVE = 14
_BAND = 15

#: Receivers whose look-ups are listed before they are made.
_CHUNK = 1024


@njit(nogil=True, cache=True)
def own_horizon(east, north, up, edges_rad, n_step, low, high, own):
    """
    Step of the table at which each surface's own plane cuts a sector.

    Parameters
    ----------
    east, north, up : ndarray, shape (n_surface,), float32
        Unit normals.
    edges_rad : ndarray, shape (n_slice + 1,)
        Borders of the sector's slices, clockwise from grid north.
    n_step : int
        Steps of the table.
    low, high : ndarray, shape (n_surface,), int32
        Filled with the lowest and highest step among the slices.
    own : ndarray, shape (n_surface, n_slice), int32
        Filled with each slice's step, rounded up: no light from behind the plane is counted, so
        that a rising skyline can only take light away.
    """
    for s in range(east.size):
        low[s] = n_step
        high[s] = 0
        before = -(east[s] * math.sin(edges_rad[0]) + north[s] * math.cos(edges_rad[0]))
        for j in range(edges_rad.size - 1):
            after = -(east[s] * math.sin(edges_rad[j + 1]) + north[s] * math.cos(edges_rad[j + 1]))
            behind = max(before, after)
            step = 0
            if behind > 1e-6:
                step = min(n_step, math.ceil(behind / (behind + up[s]) * n_step - 1e-4))
            own[s, j] = step
            low[s] = min(low[s], step)
            high[s] = max(high[s], step)
            before = after


@njit(nogil=True, cache=True)
def unshaded(east, north, up, slices, own, facing, out):
    """
    Light of a sector on each surface with nothing above its own plane.

    ``slices`` has the shape (1 + n_slice, n_step + 1, 3, 16), the whole sector first; ``out``
    (n_surface, 16) is filled; ``facing`` (n_surface,) is the surface's share of the horizon band.
    """
    for s in range(east.size):
        for k in range(_LANES):
            out[s, k] = 0.0
        for j in range(slices.shape[0] - 1):
            above = slices[j + 1, own[s, j]]
            for k in range(_LANES):
                out[s, k] += east[s] * above[0, k] + north[s] * above[1, k] + up[s] * above[2, k]
        out[s, _BAND] = facing[s]


@njit(nogil=True, cache=True)
def limit_above(top_tangent, share, surface, tangent, limit):
    """
    Tangents of the edges above receivers; what lies above them is to be taken away.

    Parameters
    ----------
    top_tangent : ndarray, shape (n,), float32
        Each receiver's edge as seen square to its surface; inf for none.
    share : ndarray, shape (n_surface,), float32
        Part of that tangent at which each surface sees its edge in this sector; inf where the
        sector lies behind the surface, so that no edge hangs in it.
    surface : ndarray, shape (n,), int32
        Surface of each receiver.
    tangent : ndarray, shape (n,), float32
        Skyline; lowered to the edge where that is below it, so that nothing is left between them.
    limit : ndarray, shape (n,), float32
        Filled with the tangent above which the edge hides the sky; inf for none.
    """
    for i in range(tangent.size):
        limit[i] = np.inf
        part = share[surface[i]]
        if top_tangent[i] < np.inf and part < np.inf:
            limit[i] = top_tangent[i] * part
            tangent[i] = min(tangent[i], limit[i])


@njit(nogil=True, cache=True, fastmath={"contract"})
def _add_rows(who, begin, rest, surface, east, north, up, table, sign, sums):
    """
    Add interpolated rows of a flat table, dotted with the normals, to the receivers' flat sums.

    A loop of its own, over flat arrays and slices of known length: so it compiles to vector
    instructions, three times as fast.
    """
    for job in range(who.size):
        i = who[job]
        s = surface[i]
        r = rest[job]
        keep, r = sign * (np.float32(1.0) - r), sign * r
        e0, n0, u0 = east[s] * keep, north[s] * keep, up[s] * keep
        e1, n1, u1 = east[s] * r, north[s] * r, up[s] * r
        steps = table[begin[job] : begin[job] + 6 * _LANES]
        out = sums[i * _LANES : (i + 1) * _LANES]
        for k in range(_LANES):
            out[k] += (e0 * steps[k] + n0 * steps[_LANES + k] + u0 * steps[2 * _LANES + k]) + (
                e1 * steps[3 * _LANES + k] + n1 * steps[4 * _LANES + k] + u1 * steps[5 * _LANES + k]
            )


@njit(nogil=True, cache=True)
def add_sector(
    tangent, surface, east, north, up, slices, own, low, high, open_light, facing, band_share, sign,
    sums,
):  # fmt: skip
    """
    Add one sector's light to the sums of the receivers, or take it away.

    Parameters
    ----------
    tangent : ndarray, shape (n,), float32
        Tangent above which each receiver's light counts, as of its skyline; inf for none of it.
    surface : ndarray, shape (n,), int32
        Surface of each receiver.
    slices : ndarray, shape (1 + n_slice, n_step + 1, 3, 16), float32
        Table of the whole sector, then of its slices.
    own, low, high, open_light, facing
        As filled by :func:`own_horizon` and :func:`unshaded`.
    band_share : ndarray, shape (n_step + 1,), float32
    sign : float32
        1 to add, -1 to take away.
    sums : ndarray, shape (n, 16), float32
        Changed in place.

    Notes
    -----
    Three cases: the skyline lies below the own plane in all slices (one addition), above it in
    all (one look-up of the sector), or between (slice by slice).
    """
    n_slice, n_step = slices.shape[0] - 1, slices.shape[1] - 1
    row = 3 * _LANES
    table = slices.reshape(-1)
    flat_sums = sums.reshape(-1)
    flat_open = open_light.reshape(-1)
    who = np.empty(_CHUNK * n_slice, np.int64)
    begin = np.empty(_CHUNK * n_slice, np.int64)
    part = np.empty(_CHUNK * n_slice, np.float32)
    for chunk in range(0, tangent.size, _CHUNK):
        n_job = 0
        for i in range(chunk, min(chunk + _CHUNK, tangent.size)):
            s = surface[i]
            t = tangent[i]
            if t == np.inf:
                continue
            # q = t / (1 + t), written so that a large tangent gives 1
            q = (np.float32(1.0) - np.float32(1.0) / (np.float32(1.0) + t)) * np.float32(n_step)
            if q <= low[s]:
                out = flat_sums[i * _LANES : (i + 1) * _LANES]
                whole = flat_open[s * _LANES : (s + 1) * _LANES]
                for k in range(_LANES):
                    out[k] += sign * whole[k]
                continue
            step = min(int(q), n_step - 1)
            rest = q - np.float32(step)
            share = band_share[step] + rest * (band_share[step + 1] - band_share[step])
            flat_sums[i * _LANES + _BAND] += sign * (facing[s] * share)
            if q >= high[s]:
                who[n_job], begin[n_job], part[n_job] = i, step * row, rest
                n_job += 1
                continue
            for j in range(n_slice):
                if own[s, j] == n_step:
                    continue
                who[n_job] = i
                if own[s, j] >= q:
                    begin[n_job], part[n_job] = own[s, j] * row, np.float32(0.0)
                else:
                    begin[n_job], part[n_job] = step * row, rest
                begin[n_job] += (j + 1) * (n_step + 1) * row
                n_job += 1
        _add_rows(
            who[:n_job], begin[:n_job], part[:n_job], surface, east, north, up, table, sign,
            flat_sums,
        )  # fmt: skip


@njit(nogil=True, cache=True)
def gather(order, part, sums):
    """Add the rows of ``part``, which are in another order, to ``sums`` (n, 16)."""
    for i in range(order.size):
        at = order[i]
        for k in range(_LANES):
            sums[at, k] += part[i, k]


@njit(nogil=True, cache=True)
def take_away(hidden, sums):
    """
    Take the light ``hidden`` (n, 16) from above away from the sums; the view lost is kept in them.

    Both sums are rounded, so that what is left of nothing may fall below it: direct light, which
    cannot be negative, is kept from that.
    """
    for i in range(sums.shape[0]):
        for k in range(_LANES):
            sums[i, k] -= hidden[i, k]
        sums[i, _DIRECT] = max(sums[i, _DIRECT], np.float32(0.0))
        sums[i, _HIDDEN_ABOVE] = hidden[i, _SKY_VIEW]


@njit(nogil=True, cache=True)
def absorb(lost, weights, band_kwh_m2, sums):
    """
    Take away from the sums what crowns keep of the light behind them.

    Parameters
    ----------
    lost : ndarray, shape (n, 16), float32
        Light behind crowns; the lane of direct light holds months weighted with ``weights``.
    weights : ndarray, shape (12,)
        Share of each month's light that is kept; negative where it had been counted twice.
    band_kwh_m2 : ndarray, shape (12,)
    sums : ndarray, shape (n, 16), float32
        Lowered in place; the horizon band's share is taken from the months it belongs to.
    """
    mean = np.float32(weights.mean())
    weight, band = weights.astype(np.float32), (weights * band_kwh_m2).astype(np.float32)
    for i in range(sums.shape[0]):
        for m in range(12):
            sums[i, m] -= weight[m] * lost[i, m] + band[m] * lost[i, _BAND]
        sums[i, _DIRECT] = max(sums[i, _DIRECT] - lost[i, _DIRECT], np.float32(0.0))
        sums[i, _SKY_VIEW] -= mean * lost[i, _SKY_VIEW]


@njit(nogil=True, cache=True)
def split(sums, band_kwh_m2, ghi_kwh_m2, albedo, months, direct, sky, ground, view, below):
    """
    Turn sums by lane into irradiation by month and part.

    Parameters
    ----------
    sums : ndarray, shape (n, 16), float32
    band_kwh_m2, ghi_kwh_m2 : ndarray, shape (12,)
    albedo : float
    months : ndarray, shape (n, 12), float64
    direct, sky, ground, view, below : ndarray, shape (n,), float64
        Filled; ``below`` is the share of the hemisphere that sends light back.
    """
    ghi_year = ghi_kwh_m2.sum()
    for i in range(sums.shape[0]):
        view[i] = min(max(np.float64(sums[i, _SKY_VIEW]), 0.0), 1.0)
        # Nothing comes back from the underside of what hides the sky from above.
        above = min(max(np.float64(sums[i, _HIDDEN_ABOVE]), 0.0), 1.0 - view[i])
        below[i] = 1.0 - view[i] - above
        reflected = albedo * below[i]
        from_sky = 0.0
        for m in range(12):
            # The horizon band may be negative; a month never is.
            light = max(sums[i, m] + sums[i, _BAND] * band_kwh_m2[m], 0.0)
            from_sky += light
            months[i, m] = light + reflected * ghi_kwh_m2[m]
        direct[i] = sums[i, _DIRECT]
        sky[i] = from_sky - direct[i]
        ground[i] = reflected * ghi_year
