"""
Self-consumption of one home, and its computed grid draw against BDEW's P25 and S25.

    python benchmarks/grid_draw.py WEATHER    # a weather file, such as a test reference year

A roof of 35° towards south, H25, 4 MWh a year, battery of 4 kWh: the table in
docs/self-consumption.md. P25 and S25 are what BDEW found homes with a plant, or plant and battery,
to draw from the grid; they average over plants of all sizes, so one home need not agree.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from open_light import recorded_light

from solarkataster.io.rules import load_rules
from solarkataster.io.weather import read_weather
from solarkataster.load.balance import Battery, Trace, trace
from solarkataster.load.demand import battery_of
from solarkataster.load.load_profiles import LoadProfiles, compare_grid_draw, standard_profiles
from solarkataster.pv.plant import plant_model, plant_output
from solarkataster.units import KWH_PER_MWH, W_PER_KW
from solarkataster.weather import Weather

STATE = "RP"
DEMAND_MWH, BATTERY_KWH = 4.0, 4.0
KWP_PER_MWH = (0.5, 1.0, 2.0)


def home(kw_per_kwp: np.ndarray, kwp_per_mwh: float, profiles, battery: Battery) -> list[Trace]:
    """Quarter hours of the home without and with battery."""
    return [
        trace(
            kwp_per_mwh * DEMAND_MWH * kw_per_kwp,
            [DEMAND_MWH * KWH_PER_MWH],
            profiles,
            battery_kwh=size_kwh,
            battery=battery,
        )
        for size_kwh in (0.0, BATTERY_KWH)
    ]


def compared(found: Trace, name: str, weather: Weather, year: int) -> str:
    """What the grid draw has in common with a profile of homes that have a plant."""
    one = compare_grid_draw(found.grid_draw_kwh, name, weather.times, year, STATE)
    return (
        f"{name}: {one.overlap_fraction:.0%} of the energy in the same quarter hours, correlation "
        f"{one.correlation:.2f}, April to September {one.summer_fraction:.0%} "
        f"({one.profile_summer_fraction:.0%} in {name})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("weather", type=Path, help="weather file with temperature and wind")
    weather = read_weather(parser.parse_args().weather)
    book = load_rules()
    year = book.demand.calendar.year
    light = recorded_light(weather, [(35.0, 180.0)])
    output = plant_output(light, [35.0], "roof-parallel", weather, plant_model(book.plant))
    profiles: LoadProfiles = standard_profiles(("H25",), weather.times, year, STATE)
    print(f"{output.specific_yield_kwh_per_kwp[0]:.0f} kWh/kWp")
    for kwp_per_mwh in KWP_PER_MWH:
        plain, stored = home(
            output.ac_w_per_kwp[0] / W_PER_KW,
            kwp_per_mwh,
            profiles,
            battery_of(book.demand.battery),
        )
        shares = [
            f"{one.balance.self_consumption_fraction[0]:.0%} used, "
            f"{one.balance.autarky_fraction[0]:.0%} autarky"
            for one in (plain, stored)
        ]
        print(f"{kwp_per_mwh:g} kWp per MWh: {shares[0]}; with battery {shares[1]}")
        print(f"  {compared(plain, 'P25', weather, year)}")
        print(f"  with battery {compared(stored, 'S25', weather, year)}")


if __name__ == "__main__":
    main()
