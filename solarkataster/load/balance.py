"""Self-consumption: what of the yield a building uses itself, with and without a battery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from solarkataster.errors import InputError
from solarkataster.kernels.dispatch import (
    CHARGED,
    CURTAILED,
    DEMAND,
    DIRECT,
    DISCHARGED,
    DRAWN,
    FED_IN,
    N_FLOW,
    PV,
    dispatch,
)
from solarkataster.load.load_profiles import LoadProfiles

#: What has to stand beside every self-consumption that comes from an average profile.
AVERAGE_PROFILE_NOTE_DE = (
    "Gerechnet mit dem durchschnittlichen Lastprofil vieler Haushalte: Der Eigenverbrauch eines "
    "einzelnen Haushalts ist meist kleiner, weil sein Verbrauch stärker schwankt."
)
AVERAGE_PROFILE_NOTE_EN = (
    "Computed with the average load profile of many homes: one home's self-consumption is mostly "
    "lower, because its demand varies more."
)


#: Output, demand, size of the battery, limit of feed-in.
_Inputs = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Battery:
    """
    What all batteries share; their sizes are given building by building.

    Attributes
    ----------
    charge_efficiency, discharge_efficiency : float
        From the house's wires into the cells, and back. [–]
    power_kw_per_kwh : float
        Power on the house's side, in and out, per usable size. [kW/kWh]
    """

    charge_efficiency: float
    discharge_efficiency: float
    power_kw_per_kwh: float

    def __post_init__(self) -> None:
        for name in ("charge_efficiency", "discharge_efficiency"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise InputError(
                    f"{name} = {getattr(self, name)!r}", where="battery", expected="over 0, up to 1"
                )
        if not 0.0 < self.power_kw_per_kwh < np.inf:
            raise InputError(
                f"power_kw_per_kwh = {self.power_kw_per_kwh!r}",
                where="battery",
                expected="a positive number",
            )


@dataclass(frozen=True, eq=False)
class Balance:
    """
    Energy of a year by building and month; NaN for buildings whose demand or yield is unknown.

    Attributes
    ----------
    pv_kwh, demand_kwh, direct_kwh, charged_kwh, discharged_kwh, fed_in_kwh, curtailed_kwh,
    grid_draw_kwh : ndarray, shape (n, 12), float64
        Yield, demand, yield used at once, into and out of the battery on the house's side, feed-in,
        cut by the limit of feed-in, drawn from the grid. [kWh]
    battery_kwh, battery_change_kwh : ndarray, shape (n,)
        Usable size; what the year left in the battery, 0 but for rounding. [kWh]

    Notes
    -----
    ``pv = direct + charged + fed_in + curtailed``, ``demand = direct + discharged + grid_draw`` and
    ``charged = discharged + losses + change``.
    """

    pv_kwh: np.ndarray
    demand_kwh: np.ndarray
    direct_kwh: np.ndarray
    charged_kwh: np.ndarray
    discharged_kwh: np.ndarray
    fed_in_kwh: np.ndarray
    curtailed_kwh: np.ndarray
    grid_draw_kwh: np.ndarray
    battery_kwh: np.ndarray
    battery_change_kwh: np.ndarray

    def __len__(self) -> int:
        return len(self.battery_kwh)

    @property
    def self_consumed_kwh(self) -> np.ndarray:
        """Of the yield what reached the building's loads, directly or by the battery, by month."""
        return self.direct_kwh + self.discharged_kwh

    @property
    def self_consumption_fraction(self) -> np.ndarray:
        """Share of the year's yield that reaches the loads, shape (n,); NaN without yield."""
        return ratio(self.self_consumed_kwh.sum(axis=1), self.pv_kwh.sum(axis=1))

    @property
    def autarky_fraction(self) -> np.ndarray:
        """Share of the year's demand that the plant covers, shape (n,); NaN without demand."""
        return ratio(self.self_consumed_kwh.sum(axis=1), self.demand_kwh.sum(axis=1))

    def columns(self, *, with_battery: bool) -> Mapping[str, np.ndarray]:
        """
        Year's figures under the names of the building table.

        Parameters
        ----------
        with_battery : bool
            Names of the variant with a battery, its size among them, instead of those without.
        """
        used = self.self_consumed_kwh.sum(axis=1)
        fed_in = self.fed_in_kwh.sum(axis=1)
        if with_battery:
            return {
                "battery_kwh": self.battery_kwh,
                "self_consumed_battery_kwh": used,
                "feed_in_battery_kwh": fed_in,
                "self_consumption_battery_fraction": self.self_consumption_fraction,
                "autarky_battery_fraction": self.autarky_fraction,
            }
        return {
            "self_consumed_kwh": used,
            "feed_in_kwh": fed_in,
            "curtailed_kwh": self.curtailed_kwh.sum(axis=1),
            "grid_draw_kwh": self.grid_draw_kwh.sum(axis=1),
            "self_consumption_fraction": self.self_consumption_fraction,
            "autarky_fraction": self.autarky_fraction,
        }


@dataclass(frozen=True, eq=False)
class Trace:
    """Quarter hours of one building, each shape (n_quarter,): grid draw, feed-in, state. [kWh]"""

    grid_draw_kwh: np.ndarray
    fed_in_kwh: np.ndarray
    state_kwh: np.ndarray
    balance: Balance = field(repr=False)


def balance(
    pv_kw,
    demand_kwh,
    profiles: LoadProfiles,
    *,
    battery_kwh=0.0,
    battery: Battery | None = None,
    feed_in_limit_kw=np.inf,
) -> Balance:
    """
    A year's balance of buildings in quarter hours.

    Parameters
    ----------
    pv_kw : array_like, shape (n, n_hour)
        Output of each building's plant, mean of each hour of the weather file; constant within it.
        [kW]
    demand_kwh : array_like, shape (n, n_profile)
        Energy of the year by profile, as of ``demand_by_profile``; NaN where unknown. [kWh]
    profiles : LoadProfiles
        Of the same hours.
    battery_kwh : array_like, shape (n,) or number
        Usable size; 0 for none. [kWh]
    battery : Battery, optional
        Needed if any size is over 0.
    feed_in_limit_kw : array_like, shape (n,) or number
        Most that may be fed in; what the battery does not take of the rest is cut. [kW]

    Returns
    -------
    Balance

    Raises
    ------
    InputError
        Shapes that do not fit, negative or infinite numbers, a size without a battery.

    Notes
    -----
    Demand takes the plant's output first, the battery what is left; it gives back as soon as demand
    exceeds output, and never trades with the grid. Batteries are coupled to the house's alternating
    current. The year is run until the battery ends as it began (mostly twice), so that no energy
    comes from nowhere. Left out: standby and ageing of the battery, charging that waits for noon to
    avoid the limit of feed-in.

    Direct use is found within quarter hours; what peaks of seconds take from the grid is lost in
    the mean, and that too makes self-consumption look larger than it is.
    """
    inputs = _checked(pv_kw, demand_kwh, profiles, battery_kwh, battery, feed_in_limit_kw)
    result, _ = _run(inputs, profiles, battery, is_traced=False)
    return result


def trace(
    pv_kw,
    demand_kwh,
    profiles: LoadProfiles,
    *,
    battery_kwh: float = 0.0,
    battery: Battery | None = None,
    feed_in_limit_kw: float = np.inf,
) -> Trace:
    """
    Quarter hours of one building; parameters as of ``balance``, without the first axis.

    Returns
    -------
    Trace

    Raises
    ------
    InputError
        As ``balance``, and unknown demand or yield.
    """
    inputs = _checked(
        np.asarray(pv_kw)[None], np.asarray(demand_kwh)[None], profiles, battery_kwh, battery,
        feed_in_limit_kw,
    )  # fmt: skip
    if np.isnan(inputs[0]).any() or np.isnan(inputs[1]).any():
        raise InputError("yield or demand is unknown (NaN)", expected="numbers")
    result, steps = _run(inputs, profiles, battery, is_traced=True)
    return Trace(steps[0, :, 0], steps[0, :, 1], steps[0, :, 2], result)


def _run(
    inputs: _Inputs, profiles: LoadProfiles, battery: Battery | None, *, is_traced: bool
) -> tuple[Balance, np.ndarray]:
    """Balance, and the quarter hours if wanted."""
    pv_kw, demand_kwh, size_kwh, limit_kw = inputs
    n = len(pv_kw)
    known = ~(np.isnan(demand_kwh).any(axis=1) | np.isnan(pv_kw).any(axis=1))
    is_whole = bool(known.all())  # spares a copy of all hours
    pick = slice(None) if is_whole else known
    n_known = int(known.sum())
    flows = np.zeros((n_known, 12, N_FLOW))
    change_kwh = np.zeros(n_known)
    steps = np.zeros((n_known, profiles.share.shape[1] if is_traced else 0, 3))
    eta_in = battery.charge_efficiency if battery else 1.0
    eta_out = battery.discharge_efficiency if battery else 1.0
    power_kw = size_kwh * (battery.power_kw_per_kwh if battery else 0.0)
    dispatch(
        pv_kw[pick], demand_kwh[pick], profiles.share, profiles.month_of_hour, size_kwh[pick],
        power_kw[pick], eta_in, eta_out, limit_kw[pick], flows, change_kwh, steps,
    )  # fmt: skip
    whole = np.full((n, 12, N_FLOW), np.nan)
    whole[pick] = flows
    change = np.full(n, np.nan)
    change[pick] = change_kwh
    result = Balance(
        pv_kwh=whole[..., PV],
        demand_kwh=whole[..., DEMAND],
        direct_kwh=whole[..., DIRECT],
        charged_kwh=whole[..., CHARGED],
        discharged_kwh=whole[..., DISCHARGED],
        fed_in_kwh=whole[..., FED_IN],
        curtailed_kwh=whole[..., CURTAILED],
        grid_draw_kwh=whole[..., DRAWN],
        battery_kwh=np.where(known, size_kwh, np.nan),
        battery_change_kwh=change,
    )
    return result, steps


def _checked(
    pv_kw, demand_kwh, profiles: LoadProfiles, battery_kwh, battery, feed_in_limit_kw
) -> _Inputs:
    """Arrays as the kernel wants them."""
    pv_kw = np.ascontiguousarray(pv_kw, dtype=np.float32)
    demand_kwh = np.ascontiguousarray(demand_kwh, dtype=np.float64)
    n_hour = len(profiles.month_of_hour)
    if pv_kw.ndim != 2 or pv_kw.shape[1] != n_hour:
        raise InputError(
            f"output has the shape {pv_kw.shape}", expected=f"(n, {n_hour}): buildings by hours"
        )
    if demand_kwh.shape != (len(pv_kw), len(profiles.names)):
        raise InputError(
            f"demand has the shape {demand_kwh.shape}",
            expected=f"{(len(pv_kw), len(profiles.names))}: buildings by profiles",
        )
    size_kwh = _per_building(battery_kwh, len(pv_kw))
    limit_kw = _per_building(feed_in_limit_kw, len(pv_kw))
    if battery is None and (size_kwh > 0.0).any():
        raise InputError(
            "batteries have a size but no efficiency and power",
            expected="battery = Battery(...) where battery_kwh is over 0",
        )
    for name, values, may_be_infinite in (
        ("output of plants [kW]", pv_kw, False),
        ("demand [kWh]", demand_kwh, False),
        ("size of batteries [kWh]", size_kwh, False),
        ("limit of feed-in [kW]", limit_kw, True),
    ):
        _refuse_wrong(name, values, may_be_infinite)
    if np.isnan(size_kwh).any() or np.isnan(limit_kw).any():
        raise InputError("NaN among sizes of batteries or limits of feed-in", expected="numbers")
    return pv_kw, demand_kwh, size_kwh, limit_kw


def _refuse_wrong(name: str, values: np.ndarray, may_be_infinite: bool) -> None:
    low, high = (
        np.fmin.reduce(values, axis=None, initial=0.0),
        np.fmax.reduce(values, axis=None, initial=0.0),
    )
    if low < 0.0 or (np.isinf(high) and not may_be_infinite):
        raise InputError(
            f"{name}: {low if low < 0.0 else high}", expected="numbers from 0, finite; NaN: unknown"
        )


def _per_building(value, n: int) -> np.ndarray:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """NaN where there is nothing to take a share of."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0.0)
