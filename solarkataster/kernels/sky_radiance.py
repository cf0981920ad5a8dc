"""Radiance of the all-weather sky: many suns' skies summed on one lattice of directions."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Steps of the table of the part that depends on the angle to the sun, by chord 2·sin(γ / 2): 0.3°
#: near the sun, where the part is steepest; the line between is off by under 0.05 % there.
_N_CHORD = 400

#: Least sine of the elevation in the brightening or darkening towards the horizon.
_LEAST_SINE = 0.01


@njit(nogil=True, cache=True)
def gradation(a, b, sine):
    """Radiance relative to an even sky by the sine of the elevation; 0 where it is negative."""
    return max(0.0, 1.0 + a * math.exp(b / max(sine, _LEAST_SINE)))


@njit(nogil=True, cache=True)
def indicatrix(c, d, e, angle_rad):
    """Radiance relative to an even sky by the angle to the sun; 0 where it is negative."""
    cosine = math.cos(angle_rad)
    return max(0.0, 1.0 + c * math.exp(d * angle_rad) + e * cosine * cosine)


@njit(nogil=True, cache=True)
def add_skies(light, month, elevation_rad, azimuth_rad, parameters, sine, weight, n_azimuth, out):
    """
    Add the radiance of a sky per sun to the sums of the suns' months.

    Parameters
    ----------
    light : ndarray, shape (n_sun,)
        What each sky gives a level plane.
    month : ndarray, shape (n_sun,), int64
    elevation_rad, azimuth_rad : ndarray, shape (n_sun,)
        Suns.
    parameters : ndarray, shape (n_sun, 5)
        a to e of each sky.
    sine : ndarray, shape (n_row,)
        Sine of the elevation at which a row of patches is looked at.
    weight : ndarray, shape (n_row,)
        What a patch of radiance 1 gives a level plane.
    n_azimuth : int
        Patches of a row; the first begins in the north.
    out : ndarray, shape (12, n_row, n_azimuth)
        Raised in place; in units of ``light`` per steradian.

    Notes
    -----
    Each sky is scaled so that its own patches sum up to ``light``; a sky without any radiance
    becomes an even one.
    """
    n_row = sine.size
    chord_angle_rad = 2.0 * np.arcsin(np.arange(_N_CHORD + 1) / _N_CHORD)
    of_chord = np.empty(_N_CHORD + 1)
    width_rad = 2.0 * math.pi / n_azimuth
    middle_rad = (np.arange(n_azimuth) + 0.5) * width_rad
    cosine = np.sqrt(1.0 - sine**2)
    toward = np.empty(n_azimuth)
    sky = np.empty((n_row, n_azimuth))
    for i in range(light.size):
        a, b, c, d, e = parameters[i]
        for k in range(_N_CHORD + 1):
            of_chord[k] = indicatrix(c, d, e, chord_angle_rad[k])
        for j in range(n_azimuth):
            toward[j] = math.cos(middle_rad[j] - azimuth_rad[i])
        up, level = math.sin(elevation_rad[i]), math.cos(elevation_rad[i])
        total = 0.0
        for row in range(n_row):
            by_height = gradation(a, b, sine[row])
            _fill_row(up * sine[row], level * cosine[row], toward, of_chord, by_height, sky[row])
            total += weight[row] * sky[row].sum()
        if total <= 0.0:
            sky[:] = 1.0
            total = n_azimuth * weight.sum()
        month_sum = out[month[i]]
        share = light[i] / total
        for row in range(n_row):
            for j in range(n_azimuth):
                month_sum[row, j] += share * sky[row, j]


@njit(nogil=True, cache=True)
def _fill_row(upward, level, toward, of_chord, factor, row):
    """Radiance of a row of patches: ``factor`` times the part by the angle to the sun."""
    for j in range(toward.size):
        # (1 - cos γ) / 2 is the square of sin(γ / 2), the place in the table.
        half_square = 0.5 - 0.5 * (upward + level * toward[j])
        place = math.sqrt(min(max(half_square, 0.0), 1.0)) * _N_CHORD
        k = min(np.uint32(place), np.uint32(_N_CHORD - 1))
        rest = place - k
        row[j] = factor * (of_chord[k] + rest * (of_chord[k + 1] - of_chord[k]))
