"""
Speed of the balance of plant, demand and battery, and its error, from one run.

    python benchmarks/balance.py            # 4000 buildings, with and without battery
    python benchmarks/balance.py --quick    # 400

CPU time of the process after compiling; the error is that of energy: what the year's flows leave
unexplained, over the yield.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd

from solarkataster.load.balance import Balance, Battery, balance
from solarkataster.load.load_profiles import LoadProfiles, standard_profiles

HOURS = pd.date_range("2014-01-01", periods=8760, freq="h", tz="Etc/GMT-1")
BATTERY = Battery(0.95, 0.95, 0.5)
PROFILES = ("H25", "G25", "L25")

#: What 4000 buildings with and without battery may take. [core-seconds]
LIMIT_S = 10.0


def buildings(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Output of plants [kW], demand by profile and size of batteries [kWh] of made-up buildings."""
    rng = np.random.default_rng(seed)
    hour, day = np.arange(8760) % 24, np.arange(8760) // 24
    sun = np.maximum(np.sin((hour - 6) / 12 * np.pi), 0.0) * (
        0.6 - 0.4 * np.cos(day / 365 * 2 * np.pi)
    )
    cloud = rng.random((n, 365), dtype=np.float32).repeat(24, axis=1)
    pv_kw = (sun * rng.uniform(2.0, 30.0, (n, 1))).astype(np.float32) * cloud
    demand = np.zeros((n, len(PROFILES)))
    demand[np.arange(n), rng.integers(0, len(PROFILES), n)] = rng.uniform(1500.0, 20_000.0, n)
    return pv_kw, demand, rng.uniform(2.0, 20.0, n)


def unexplained_fraction(found: Balance) -> float:
    """Largest gap of a building's energy over its yield. [–]"""
    pv = found.pv_kwh.sum(axis=1)
    gone = found.direct_kwh + found.charged_kwh + found.fed_in_kwh + found.curtailed_kwh
    met = found.direct_kwh + found.discharged_kwh + found.grid_draw_kwh
    turn = BATTERY.charge_efficiency * BATTERY.discharge_efficiency
    gaps = (
        gone.sum(axis=1) - pv,
        met.sum(axis=1) - found.demand_kwh.sum(axis=1),
        turn * found.charged_kwh.sum(axis=1) - found.discharged_kwh.sum(axis=1),
    )
    return float(np.abs(np.stack(gaps) / pv).max())


def balance_speed(n: int, profiles: LoadProfiles) -> tuple[float, float, float]:
    """Core-seconds without and with battery, and the unexplained share of energy."""
    pv_kw, demand, size_kwh = buildings(n)
    balance(pv_kw[:1], demand[:1], profiles, battery_kwh=5.0, battery=BATTERY)  # compiles
    start = time.process_time()
    balance(pv_kw, demand, profiles)
    middle = time.process_time()
    found = balance(pv_kw, demand, profiles, battery_kwh=size_kwh, battery=BATTERY)
    return middle - start, time.process_time() - middle, unexplained_fraction(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="400 buildings")
    n = 400 if parser.parse_args().quick else 4000
    profiles = standard_profiles(PROFILES, HOURS, 2025, "RP")
    without_s, with_s, gap = balance_speed(n, profiles)
    print(f"{n} buildings, 35 040 quarter hours each:")
    print(f"  without battery  {without_s:6.2f} core-seconds")
    print(f"  with battery     {with_s:6.2f} core-seconds")
    print(f"  unexplained      {gap:.1e} of the yield")
    seconds = (without_s + with_s) * 4000 / n
    print(f"  4000 of them     {seconds:6.2f} core-seconds, at most {LIMIT_S:g}")
    if seconds > LIMIT_S:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
