"""A year of plant, demand and battery in quarter hours, building by building."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

#: Steps of an hour; the plant's power is constant over them.
_STEPS = 4
_STEP_H = 0.25

#: Places in the last axis of the sums.
PV, DEMAND, DIRECT, CHARGED, DISCHARGED, FED_IN, CURTAILED, DRAWN = range(8)
N_FLOW = 8

#: Years run at most until the battery ends as it began.
_MOST_YEARS = 24
#: Of the battery's size: ends this close to the start count as the same. [–]
_CLOSED = 1e-9


@njit(nogil=True, cache=True)
def _load_of(demand_kwh, share, load_kwh):
    """Fill ``load_kwh`` (n_quarter,) with the sum of the profiles, each times its energy."""
    load_kwh[:] = 0.0
    for k in range(demand_kwh.size):
        energy_kwh = demand_kwh[k]
        if energy_kwh != 0.0:
            for t in range(load_kwh.size):
                load_kwh[t] += energy_kwh * share[k, t]


@njit(nogil=True, cache=True)
def _year(
    pv_kw, load_kwh, month, size_kwh, power_kw, eta_in, eta_out, limit_kw, start_kwh, flows, trace
):
    """
    One year from a given state of the battery.

    Fills ``flows`` (12, 8) and, if it has rows, ``trace`` (n_quarter, 3): grid draw, feed-in and
    state at the end of the step [kWh]. Returns the state at the end, its lowest and highest value,
    and whether full or empty ever stopped the battery.
    """
    flows[:] = 0.0
    state, low, high, is_bounded = start_kwh, start_kwh, start_kwh, False
    most_kwh, most_fed_kwh = power_kw * _STEP_H, limit_kw * _STEP_H
    for hour in range(pv_kw.size):
        sums = flows[month[hour]]
        pv = pv_kw[hour] * _STEP_H
        for step in range(_STEPS):
            t = hour * _STEPS + step
            load = load_kwh[t]
            direct = min(pv, load)
            surplus, missing = pv - direct, load - direct
            charge, discharge = min(surplus, most_kwh), min(missing, most_kwh)
            if charge > 0.0:
                room = (size_kwh - state) / eta_in
                if charge >= room:
                    charge, state, is_bounded = room, size_kwh, True
                else:
                    state += charge * eta_in
                high = max(high, state)
            elif discharge > 0.0:
                left = state * eta_out
                if discharge >= left:
                    discharge, state, is_bounded = left, 0.0, True
                else:
                    state -= discharge / eta_out
                low = min(low, state)
            rest = surplus - charge
            fed = min(rest, most_fed_kwh)
            drawn = missing - discharge
            sums[PV] += pv
            sums[DEMAND] += load
            sums[DIRECT] += direct
            sums[CHARGED] += charge
            sums[DISCHARGED] += discharge
            sums[FED_IN] += fed
            sums[CURTAILED] += rest - fed
            sums[DRAWN] += drawn
            if trace.shape[0] > 0:
                trace[t, 0], trace[t, 1], trace[t, 2] = drawn, fed, state
    return state, low, high, is_bounded


@njit(nogil=True, cache=True)
def _closed_year(
    pv_kw, load_kwh, month, size_kwh, power_kw, eta_in, eta_out, limit_kw, flows, trace
):
    """Years until the battery ends as it began; returns what the last year left over in it."""
    start = 0.0
    change = 0.0
    for _ in range(_MOST_YEARS):
        end, low, high, is_bounded = _year(
            pv_kw, load_kwh, month, size_kwh, power_kw, eta_in, eta_out, limit_kw, start, flows,
            trace,
        )  # fmt: skip
        change = end - start
        if abs(change) <= _CLOSED * size_kwh:
            return change
        if not is_bounded and change > 0.0:  # the same year again, higher: skip the years between
            end += math.floor((size_kwh - high) / change) * change
        elif not is_bounded:
            end += math.floor(low / -change) * change
        start = min(max(end, 0.0), size_kwh)
    return change


@njit(nogil=True, cache=True)
def dispatch(
    pv_kw,
    demand_kwh,
    share,
    month,
    size_kwh,
    power_kw,
    eta_in,
    eta_out,
    limit_kw,
    flows,
    change_kwh,
    trace,
):
    """
    Balance of buildings over a year that ends as it began.

    In each quarter hour demand takes the plant's output first; the battery takes what is left, up
    to its power and size; what still is left goes to the grid, up to the limit. What is missing
    comes from the battery, then from the grid.

    Parameters
    ----------
    pv_kw : ndarray, shape (n, n_hour), float32
        Output of the plant, mean of each hour.
    demand_kwh : ndarray, shape (n, n_profile)
        Energy of the year by profile.
    share : ndarray, shape (n_profile, 4 n_hour), float32
        Share of the year's energy in each quarter hour.
    month : ndarray, shape (n_hour,), integer from 0
    size_kwh, power_kw, limit_kw : ndarray, shape (n,)
        Usable size of the battery; its power on the house's side, in and out; most feed-in.
    eta_in, eta_out : float
        Efficiency of charging and discharging.
    flows : ndarray, shape (n, 12, 8)
        Filled with month sums [kWh]: plant, demand, direct use, into and out of the battery (on the
        house's side), feed-in, cut, grid draw.
    change_kwh : ndarray, shape (n,)
        Filled with what the year left in the battery; 0 but for rounding.
    trace : ndarray, shape (n, 4 n_hour, 3) or (n, 0, 3)
        Filled with grid draw, feed-in and state of each quarter hour [kWh].
    """
    load_kwh = np.empty(share.shape[1])
    for i in range(pv_kw.shape[0]):
        _load_of(demand_kwh[i], share, load_kwh)
        change_kwh[i] = _closed_year(
            pv_kw[i], load_kwh, month, size_kwh[i], power_kw[i], eta_in, eta_out, limit_kw[i],
            flows[i], trace[i],
        )  # fmt: skip
