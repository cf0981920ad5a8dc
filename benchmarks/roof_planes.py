"""
Roof planes of the demo town and ten seeded variants against their exact truth, with CPU time.

    python benchmarks/roof_planes.py                    # everything, some minutes
    python benchmarks/roof_planes.py --towns 0 1 --data 0.5m 10/m2
    python benchmarks/roof_planes.py --overhang         # outlines with the eaves that are seen

3 cm noise; planes are matched one to one at an IoU of 0.5. Limits: planes of 10 m2 and more 95 %
complete and correct, of 2.5 m2 and more 85 % and 90 %; at 1 m and at 4 points/m2 90 % of those of
10 m2 and more; mean error of tilt 0.5 and of azimuth 1 degree; 0.5 million points per core-second.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from roof_match import Cost, FoundPlane, Score, inside_walls, score_planes, survey

from solarkataster.demo import make_town
from solarkataster.demo.planes import TruePlane

#: Cell of the surface model [m] and density of laser points [1/m²], 0 for none.
DATA = {
    "0.25m": (0.25, 0.0),
    "0.5m": (0.5, 0.0),
    "1m": (1.0, 0.0),
    "4/m2": (0.5, 4.0),
    "10/m2": (0.5, 10.0),
    "20/m2": (0.5, 20.0),
}
#: Areas from which planes are counted. [m²]
COUNTED_M2 = (10.0, 2.5)


def survey_towns(
    seeds: list[int], data: str, with_overhang: bool, n_trees: int
) -> tuple[list[TruePlane], list[FoundPlane], list[Cost]]:
    """True and found planes of several towns, and what each building cost."""
    cell_size_m, density_per_m2 = DATA[data]
    true, found, costs = [], [], []
    for seed in seeds:
        town = make_town(seed=seed, cell_size_m=cell_size_m, trees_over_roofs=n_trees)
        if seed == seeds[0]:
            survey(town, density_per_m2, with_overhang=with_overhang)  # compiles
        town_found, town_costs = survey(town, density_per_m2, with_overhang=with_overhang)
        town_true = town.roof_planes
        if not with_overhang:
            town_true = inside_walls(town_true, town.buildings)
        true += [replace(plane, building_id=f"{seed}/{plane.building_id}") for plane in town_true]
        found += [replace(plane, building_id=f"{seed}/{plane.building_id}") for plane in town_found]
        costs += town_costs
    return true, found, costs


def print_cost(data: str, costs: list[Cost]) -> None:
    """CPU time per building, and for points how many a second."""
    n = len(costs)
    lattice_s, planes_s, outlines_s = (
        sum(getattr(cost, name) for cost in costs)
        for name in ("lattice_s", "planes_s", "outlines_s")
    )
    n_over, n_near = sum(cost.n_over for cost in costs), sum(cost.n_near for cost in costs)
    line = f"  CPU per building of {n_over / n:.0f} heights: planes {1e3 * planes_s / n:.2f} ms"
    line += f", outlines {1e3 * outlines_s / n:.2f} ms"
    if DATA[data][1]:
        seconds = lattice_s + planes_s
        line += f", lattice {1e3 * lattice_s / n:.2f} ms: {n_over / seconds / 1e6:.2f} million "
        line += f"points over the roofs, {n_near / seconds / 1e6:.2f} million taken up, per second"
    print(line)


def print_worst(score: Score, n: int) -> None:
    """The worst matches, and what was missed or made up."""
    for match in score.worst(n):
        print(f"    worst: {match}")
    for plane in score.missed[:n]:
        print(
            f"    missed: {plane.building_id} {plane.role} {plane.area_m2:.1f} m2, "
            f"tilt {plane.surface_tilt:.1f}, azimuth {plane.grid_azimuth:.1f}"
        )
    for plane in score.false[:n]:
        print(f"    false: {plane}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--towns", nargs="*", type=int, default=list(range(11)), help="seeds")
    parser.add_argument("--data", nargs="*", choices=DATA, default=list(DATA))
    parser.add_argument("--overhang", action="store_true", help="outlines with the eaves")
    parser.add_argument("--trees", type=int, default=0, help="crowns over roofs per town")
    parser.add_argument("--worst", type=int, default=3, help="lines about what is worst")
    arguments = parser.parse_args()
    for data in arguments.data:
        true, found, costs = survey_towns(
            arguments.towns, data, arguments.overhang, arguments.trees
        )
        print(f"{data}, {len(arguments.towns)} towns, {len(costs)} buildings")
        for min_area_m2 in COUNTED_M2:
            score = score_planes(true, found, min_area_m2)
            print(f"  planes >= {min_area_m2:g} m2: {score}")
            print_worst(score, arguments.worst)
        print_cost(data, costs)


if __name__ == "__main__":
    main()
