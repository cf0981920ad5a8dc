"""Sides of a footprint's ring joined to walls: short ones merged, curves kept whole."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: What joins a side with the one after it: nothing, a curve, or one of them being short.
_CORNER, _CURVE, _MERGED = 0, 1, 2


@njit(nogil=True, cache=True)
def group_sides(along, short_m, curve_side_m, curve_turn_rad, parallel_rad, wall_turn_rad,
                chord_turn_rad, chord_m):  # fmt: skip
    """
    Walls of one ring, and the chords along which each of them is sampled.

    Parameters
    ----------
    along : ndarray, shape (n, 2)
        The sides of the ring as vectors, in order. [m]
    short_m : float
        A shorter side is no wall of its own. [m]
    curve_side_m, curve_turn_rad : float
        Longest side and sharpest bend of a curve. [m, rad]
    parallel_rad : float
        Sides before and after a short one that turn less are one wall with it. [rad]
    wall_turn_rad : float
        A curve that turns farther is cut into equal walls. [rad]
    chord_turn_rad, chord_m : float
        Largest turn within a chord, and its least length. [rad, m]

    Returns
    -------
    wall : ndarray of int64, shape (n,)
        Wall of each side, from 0 in order; the sides of a wall follow each other round the ring.
    chord : ndarray of int64, shape (n,)
        Chord of each side, from 0 in order; −1 for a short side that is lit like the rest.
    first : int
        The side at which the first wall begins.
    """
    n = along.shape[0]
    length, turn = np.empty(n), np.empty(n)
    for k in range(n):
        length[k] = math.hypot(along[k, 0], along[k, 1])
        turn[k] = _turn(along[k], along[(k + 1) % n])
    joint = np.zeros(n, np.int64)  # of side k and the next one
    _join_curves(joint, length, turn, curve_side_m, curve_turn_rad)
    in_curve = np.zeros(n, np.bool_)
    for k in range(n):
        in_curve[k] = joint[k] == _CURVE or joint[k - 1] == _CURVE
    _join_short(joint, along, length, turn, in_curve, short_m, parallel_rad)
    _cut_curves(joint, turn, wall_turn_rad)
    if (joint != _CORNER).all():
        sharpest = 0
        for k in range(1, n):
            if abs(turn[k]) > abs(turn[sharpest]) + 1e-9:
                sharpest = k
        joint[sharpest] = _CORNER
    first = 0
    while joint[first - 1] != _CORNER:
        first += 1
    wall, chord = np.empty(n, np.int64), np.full(n, -1, np.int64)
    n_wall = 0
    for i in range(n):
        k = (first + i) % n
        wall[k] = n_wall
        n_wall += joint[k] == _CORNER
    _draw_chords(chord, wall, first, length, turn, in_curve, short_m, chord_turn_rad, chord_m)
    return wall, chord, first


@njit(nogil=True, cache=True)
def _turn(a, b):
    return math.atan2(a[0] * b[1] - a[1] * b[0], a[0] * b[0] + a[1] * b[1])


@njit(nogil=True, cache=True)
def _join_curves(joint, length, turn, side_m, turn_rad):
    """Three and more short sides that turn the same way, a little each, are a curve."""
    n = length.size
    bends = np.zeros(n, np.int64)
    for k in range(n):
        if max(length[k], length[(k + 1) % n]) <= side_m and 0.0 < abs(turn[k]) <= turn_rad:
            bends[k] = 1 if turn[k] > 0.0 else -1
    for k in range(n):
        if bends[k] != 0 and (bends[k] == bends[k - 1] or bends[k] == bends[(k + 1) % n]):
            joint[k] = _CURVE


@njit(nogil=True, cache=True)
def _join_short(joint, along, length, turn, in_curve, short_m, parallel_rad):
    """A short side makes one wall of parallel neighbours, else goes with the one it bends least."""
    n = length.size
    for k in range(n):
        if length[k] >= short_m or in_curve[k]:
            continue
        before, after = (k - 1) % n, (k + 1) % n
        if abs(_turn(along[before], along[after])) <= parallel_rad:
            joint[before] = max(joint[before], _MERGED)
            joint[k] = _MERGED
        elif abs(turn[before]) < abs(turn[k]) - 1e-6 or (
            abs(turn[before]) < abs(turn[k]) + 1e-6 and length[before] >= length[after]
        ):
            joint[before] = max(joint[before], _MERGED)
        else:
            joint[k] = _MERGED


@njit(nogil=True, cache=True)
def _cut_curves(joint, turn, wall_turn_rad):
    """Cut runs of a curve into walls of about equal turn."""
    n = joint.size
    begin = 0
    while begin < n and joint[begin - 1] == _CURVE:
        begin += 1
    is_closed = begin == n  # the whole ring is one curve
    begin %= n
    k = 0
    while k < n:
        if joint[(begin + k) % n] != _CURVE:
            k += 1
            continue
        end, total = k, 0.0
        while end < n and joint[(begin + end) % n] == _CURVE:
            total += abs(turn[(begin + end) % n])
            end += 1
        n_parts = math.ceil(total / wall_turn_rad - 1e-6)
        passed, part = 0.0, 1
        for j in range(k, end):
            passed += abs(turn[(begin + j) % n])
            if part < n_parts + is_closed and passed >= part * total / n_parts - 1e-6:
                joint[(begin + j) % n] = _CORNER
                part += 1
        k = end


@njit(nogil=True, cache=True)
def _draw_chords(chord, wall, first, length, turn, in_curve, short_m, turn_rad, chord_m):
    """Every long side is a chord; sides of a curve share one as far as it bends little."""
    n = length.size
    n_chord, i = 0, 0
    while i < n:
        end = i
        while end < n and wall[(first + end) % n] == wall[(first + i) % n]:
            end += 1
        turned, so_far, begun = 0.0, 0.0, False
        drawn = n_chord
        for j in range(i, end):
            k = (first + j) % n
            if in_curve[k]:
                if begun:
                    turned += abs(turn[k - 1])
                if begun and turned > turn_rad and so_far >= chord_m:
                    n_chord += 1
                    turned, so_far = 0.0, 0.0
                chord[k] = n_chord
                so_far += length[k]
                begun = True
                continue
            if begun:
                n_chord += 1
                turned, so_far, begun = 0.0, 0.0, False
            if length[k] >= short_m:
                chord[k] = n_chord
                n_chord += 1
        n_chord += begun
        if n_chord == drawn:  # short sides only: the longest stands for them
            longest = i
            for j in range(i, end):
                if length[(first + j) % n] > length[(first + longest) % n] + 1e-9:
                    longest = j
            chord[(first + longest) % n] = n_chord
            n_chord += 1
        i = end
