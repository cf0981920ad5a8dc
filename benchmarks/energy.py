"""
Speed, memory and error of hourly yields, balances and money, from one run.

    python benchmarks/energy.py                     # 10 000 surfaces, some minutes on one core
    python benchmarks/energy.py --surfaces 640      # fewer; seconds are scaled to 10 000

CPU time of the whole process by stage: hourly light from records of the sky, then plants with
PVWatts, with a module and an inverter of the CEC data base, and with string losses; then the
yield band, the balance of buildings (four surfaces each, with and without battery, quarter hours)
and their money. Surfaces are open planes of many tilts and facings, in chunks of 64. "Yield and
economics" is what a run with PVWatts does: 120 core-seconds are allowed for 10 000 surfaces. The
error printed beside is that against pvlib's own ModelChain at the same site: year of a
free-standing plant, 35° south, east and west.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from open_light import recorded_light
from plant_chain import CEC_NAMES, chain_year_kwh, shipped_plant

from solarkataster.hourly_light import SunPath, hourly_light
from solarkataster.hourly_sky import hourly_sky
from solarkataster.io.rules import load_rules
from solarkataster.io.weather import read_weather
from solarkataster.load.balance import Battery, balance
from solarkataster.load.load_profiles import LoadProfiles, standard_profiles
from solarkataster.money.economics import economics, surface_economics
from solarkataster.pv.incidence import Glass, incidence_table
from solarkataster.pv.plant import MOUNTINGS, plant_model, plant_output
from solarkataster.pv.uncertainty import (
    combined_sigma,
    common_sigma_fraction,
    orientation_slopes,
    own_sigma_fraction,
    p90,
)
from solarkataster.rules.plant import PlantRules
from solarkataster.visibility import open_record
from solarkataster.weather import Weather

CHUNK = 64
#: Of each surface. [kWp]
KWP = 2.5
BATTERY = Battery(0.95, 0.95, 0.5)
SCALE_TO = 10_000


@dataclass
class Clock:
    """CPU seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, name: str, work):
        begin = time.process_time()
        out = work()
        self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - begin
        return out


def surfaces(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tilt, azimuth and mounting: roofs, racks and walls of all facings, by a fixed seed."""
    rng = np.random.default_rng(5)
    mounting = rng.choice(np.array(MOUNTINGS, dtype=object), n)
    tilt = np.where(mounting == "wall", 90.0, rng.uniform(0.0, 60.0, n))
    return tilt, rng.uniform(0.0, 360.0, n), mounting


def run(weather: Weather, n: int) -> Clock:
    clock = Clock()
    tilt, azimuth, mounting = surfaces(n)
    models = {name: plant_model(rules) for name, rules in plants().items()}
    sky = clock.time("sky of the hours", lambda: hourly_sky(weather))
    ghi_month = np.bincount(sky.month, weather.ghi / 1000.0, 12)
    iam = incidence_table(Glass())
    year, house_kwh = np.zeros(n), []
    profiles = clock.time(
        "balance of buildings", lambda: standard_profiles(("H25",), weather.times, 2025, "RP")
    )
    balance(np.zeros((1, 8760)), np.ones((1, 1)), profiles, battery_kwh=1.0, battery=BATTERY)
    first = open_record(tilt[:1], azimuth[:1])
    suns = SunPath(sky, first.n_sector, first.convergence_deg)
    hourly_light(suns, first, np.zeros((1, 12)), iam=iam)  # compiles
    for start in range(0, n, CHUNK):
        part = slice(start, min(start + CHUNK, n))
        record = open_record(tilt[part], azimuth[part])
        ground = 0.1 * np.outer(1.0 - np.cos(np.radians(tilt[part])), ghi_month)
        light = clock.time(
            "hourly light", lambda r=record, g=ground: hourly_light(suns, r, g, iam=iam)
        )
        for name, model in models.items():
            out = clock.time(
                name,
                lambda m=model, s=light, p=part: plant_output(s, tilt[p], mounting[p], weather, m),
            )
            if name == "plant, PVWatts":
                year[part] = out.specific_yield_kwh_per_kwp
                house_kwh.append(
                    clock.time(
                        "balance of buildings", lambda o=out: houses(o.ac_w_per_kwp, profiles)
                    )
                )
    clock.time("money", lambda: money(year, np.concatenate(house_kwh)))
    clock.time("yield band", lambda: band(tilt, azimuth, mounting, year))
    return clock


def houses(ac_w_per_kwp: np.ndarray, profiles: LoadProfiles) -> np.ndarray:
    """Used and fed in by buildings of four surfaces, without and with battery, (n, 4). [kWh]"""
    n = -(-len(ac_w_per_kwp) // 4)
    pv_kw = np.zeros((n, 8760), dtype=np.float32)
    np.add.at(pv_kw, np.arange(len(ac_w_per_kwp)) // 4, ac_w_per_kwp * (KWP / 1000.0))
    demand = np.full((n, 1), 4000.0)
    columns = []
    for size in (0.0, 8.0):
        found = balance(pv_kw, demand, profiles, battery_kwh=size, battery=BATTERY)
        out = found.fed_in_kwh.sum(axis=1)
        columns += [found.pv_kwh.sum(axis=1) - out, out]
    return np.stack(columns, axis=1)


def money(year: np.ndarray, house_kwh: np.ndarray) -> None:
    """Money of buildings in all variants, and of single surfaces."""
    book = load_rules()
    n = len(house_kwh)
    total = house_kwh[:, 0] + house_kwh[:, 1]
    plants = pd.DataFrame(
        {
            "dc_power_kwp": np.full(n, 4.0 * KWP),
            "yield_year_kwh": total,
            "yield_p90_year_kwh": 0.87 * total,
            "self_consumed_kwh": house_kwh[:, 0],
            "feed_in_kwh": house_kwh[:, 1],
            "self_consumed_battery_kwh": house_kwh[:, 2],
            "feed_in_battery_kwh": house_kwh[:, 3],
            "battery_kwh": np.full(n, 8.0),
            "is_residential": np.ones(n, dtype=bool),
        }
    )
    economics(plants, book, 0.005)
    surface_economics(np.full(len(year), KWP), KWP * year, book, 0.005, is_on_wall=False)


def band(tilt, azimuth, mounting, year) -> np.ndarray:
    """P90 of towns of ten surfaces each."""
    rules = plants()["plant, PVWatts"].uncertainty
    slopes = orientation_slopes(
        lambda t, a: 1000.0 + 200.0 * np.sin(np.radians(t)) * -np.cos(np.radians(a)), tilt, azimuth
    )
    own = own_sigma_fraction(rules, np.full(len(tilt), 0.1), slopes, mounting == "wall")
    common = np.full(len(tilt), common_sigma_fraction(rules))
    group = np.arange(len(tilt)) // 10
    return p90(np.bincount(group, year), combined_sigma(year, common, own, group))


def plants() -> dict[str, PlantRules]:
    """Shipped rules, with named products, and with string losses."""
    out = {}
    for name, changes in (
        ("plant, PVWatts", {}),
        ("plant, CEC by name", {"module": CEC_NAMES[0], "inverter": CEC_NAMES[1]}),
        ("plant, strings and glass", {"method": "martinez", "diffuse": "marion"}),
    ):
        out[name] = shipped_plant(**changes)
    return out


def errors(weather: Weather) -> str:
    """Worst year against ModelChain, by kind of plant."""
    planes = [(35.0, 180.0), (35.0, 90.0), (35.0, 270.0)]
    light = recorded_light(weather, planes)
    words = []
    for name in ("plant, PVWatts", "plant, CEC by name"):
        model = plant_model(plants()[name])
        got = plant_output(light, np.full(3, 35.0), "rack", weather, model)
        expected = [chain_year_kwh(weather, *plane, model) for plane in planes]
        error = got.specific_yield_kwh_per_kwp / expected - 1.0
        words.append(f"{name}: {100 * error[np.argmax(np.abs(error))]:+.2f} %")
    return ", ".join(words)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--weather", type=Path, help="weather file; default: the demo town's")
    parser.add_argument("--surfaces", type=int, default=SCALE_TO)
    choice = parser.parse_args()
    if choice.weather:
        weather = read_weather(choice.weather)
    else:
        from light import demo_weather

        weather = demo_weather()
    clock = run(weather, choice.surfaces)
    total = 0.0
    for name, seconds in clock.seconds.items():
        fixed = name == "sky of the hours"
        scaled = seconds if fixed else seconds * SCALE_TO / choice.surfaces
        total += scaled if name not in ("plant, CEC by name", "plant, strings and glass") else 0.0
        print(f"{name:28s} {scaled:7.2f} s CPU per {SCALE_TO} surfaces")
    print(f"{'yield and economics':28s} {total:7.2f} s CPU per {SCALE_TO} surfaces")
    print(f"year against ModelChain      {errors(weather)}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory, peak of the process  {peak_mb:.0f} MB, in chunks of {CHUNK} surfaces")


if __name__ == "__main__":
    main()
