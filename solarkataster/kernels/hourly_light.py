"""Beams hour by hour: the sun's steps through what surfaces see of the sky."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def add_beams(
    east, north, up, first, n_sector, visible, behind_row, behind, kept, sun, sun_sector, sun_bin,
    sun_rest, beam, circumsolar, hour, month, taken_of_cosine, direct, around, taken, share,
):  # fmt: skip
    """
    Light of the sun and from around it on surfaces, hour by hour.

    Parameters
    ----------
    east, north, up : ndarray, shape (n,), float32
        Unit normals.
    first : ndarray, shape (n,), int64
        First sector that each surface keeps.
    n_sector : int
    visible : ndarray, shape (n, n_slot, n_edge), uint8
        Share of the surface that sees the sky, of 255.
    behind_row : ndarray, shape (3 or 0, n, n_slot), int32
        Row of ``behind`` by layer; -1 for nothing.
    behind : ndarray, shape (n_row, n_edge), uint8
    kept : ndarray, shape (3, 12), float32
        What each layer takes from the light of each month; negative where it had been taken twice.
    sun : ndarray, shape (3, n_step), float32
        Direction of the sun: grid east, grid north, up.
    sun_sector, sun_bin : ndarray, shape (n_step,), int64
        Where each sun stands in a record, and ``sun_rest`` (n_step,), float32, how far it stands
        from the bin's lower edge to its upper.
    beam, circumsolar : ndarray, shape (n_step,), float32
        Normal to the sun, as a share of the mean of its hour. [Wm⁻²]
    hour, month : ndarray, shape (n_step,), int64
        Hours rise.
    taken_of_cosine : ndarray, shape (n_table,), float32
        Share of a beam that enters, by even steps of the cosine of incidence from 0 to 1.
    direct, around, taken, share : ndarray, shape (n, n_hour), float32
        Filled where the sun is up: direct light, light from around the sun, both after what is
        lost on the glass [Wm⁻²], and the share of direct light that is not shaded. The first
        three come as zeros, the last as ones.
    """
    n_slot = visible.shape[1]
    n_layer = behind_row.shape[0]
    n_table = taken_of_cosine.size - 1
    one = np.float32(1.0 / 255.0)
    for s in range(east.size):
        at = -1
        open_beam = beam_sum = around_sum = taken_sum = np.float32(0.0)
        for i in range(hour.size):
            if hour[i] != at:
                if open_beam > 0.0:
                    share[s, at] = min(np.float32(1.0), beam_sum / open_beam)
                if at >= 0:
                    direct[s, at], around[s, at], taken[s, at] = beam_sum, around_sum, taken_sum
                at = hour[i]
                open_beam = beam_sum = around_sum = taken_sum = np.float32(0.0)
            cosine = east[s] * sun[0, i] + north[s] * sun[1, i] + up[s] * sun[2, i]
            if cosine <= 0.0:
                continue
            open_beam += cosine * beam[i]
            slot = sun_sector[i] - first[s]
            if slot < 0:
                slot += n_sector
            if slot >= n_slot:
                continue
            k = sun_bin[i]
            rest = sun_rest[i]
            low = np.float32(visible[s, slot, k])
            seen = low + rest * (np.float32(visible[s, slot, k + 1]) - low)
            for layer in range(n_layer):
                row = behind_row[layer, s, slot]
                if row >= 0:
                    low = np.float32(behind[row, k])
                    high = np.float32(behind[row, k + 1])
                    seen -= kept[layer, month[i]] * (low + rest * (high - low))
            if seen <= 0.0:
                continue
            on = cosine * seen * one
            beam_sum += on * beam[i]
            around_sum += on * circumsolar[i]
            place = cosine * np.float32(n_table)
            j = min(int(place), n_table - 1)
            enters = taken_of_cosine[j]
            enters += (place - np.float32(j)) * (taken_of_cosine[j + 1] - enters)
            taken_sum += on * (beam[i] + circumsolar[i]) * enters
        if at >= 0:
            if open_beam > 0.0:
                share[s, at] = min(np.float32(1.0), beam_sum / open_beam)
            direct[s, at], around[s, at], taken[s, at] = beam_sum, around_sum, taken_sum
