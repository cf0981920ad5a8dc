"""Small load profiles, and the plain loop that balances are compared with."""

from __future__ import annotations

import numpy as np
import pandas as pd

from solarkataster.load.load_profiles import LoadProfiles, month_of_hour

#: Hours of a typical year in winter time, as of the shipped test reference years.
WINTER_TIME = pd.date_range("2014-01-01", periods=8760, freq="h", tz="Etc/GMT-1")


def profiles_of(share, months=None) -> LoadProfiles:
    """Profiles given row by row over any whole number of hours."""
    share = np.atleast_2d(np.asarray(share, dtype=np.float64))
    share = (share / share.sum(axis=1, keepdims=True)).astype(np.float32)
    n_hour = share.shape[1] // 4
    months = np.zeros(n_hour, dtype=np.int8) if months is None else months
    return LoadProfiles(tuple(f"p{k}" for k in range(len(share))), share, months)


def flat_year() -> LoadProfiles:
    """One profile, the same at all times, over 8760 h."""
    return profiles_of(np.ones(35_040), month_of_hour(WINTER_TIME))


def plain_balance(pv_kw, load_kwh, size_kwh, power_kw, eta_in, eta_out, limit_kw, n_years=1):
    """
    The same rules as plain Python, from an empty battery; sums of the last year.

    pv_kw (n_hour,), load_kwh (4 n_hour,); returns a dict of kWh and the states at start and end.
    """
    state = 0.0
    for _ in range(n_years):
        start = state
        sums = dict.fromkeys(
            ("pv", "demand", "direct", "charged", "discharged", "fed_in", "curtailed", "drawn"), 0.0
        )
        for t, load in enumerate(load_kwh):
            pv = float(pv_kw[t // 4]) / 4
            direct = min(pv, load)
            into = min(pv - direct, power_kw / 4, (size_kwh - state) / eta_in)
            state += into * eta_in
            out = min(load - direct, power_kw / 4, state * eta_out)
            state -= out / eta_out
            rest = pv - direct - into
            fed = min(rest, limit_kw / 4)
            for name, kwh in (
                ("pv", pv), ("demand", load), ("direct", direct), ("charged", into),
                ("discharged", out), ("fed_in", fed), ("curtailed", rest - fed),
                ("drawn", load - direct - out),
            ):  # fmt: skip
                sums[name] += kwh
    return sums, start, state
