"""Roof planes of made-up towns against their exact truth, and the CPU time per building."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from roof_match import FoundPlane, Score, found_planes, score_planes

from solarkataster.demo import Town, make_town
from solarkataster.footprint_cells import cells_inside
from solarkataster.outlines import plane_outlines
from solarkataster.roofs import find_roof_planes

TOWNS = {
    "demo": {},
    "demo, other seed": {"seed": 1},
    "dense old town": {"kind": "dense", "size_m": 250, "seed": 2},
    "courtyards": {"kind": "courtyard", "size_m": 300},
    "built-up, 40 % roofs": {"kind": "builtup", "size_m": 400, "roof_share": 0.4},
    "demo at 1 m": {"cell_size_m": 1.0},
    "demo at 0.25 m": {"cell_size_m": 0.25},
    "demo, 10 cm noise": {"noise_m": 0.1},
}


def survey(town: Town) -> tuple[list[FoundPlane], list[tuple[int, float, float]]]:
    """Found planes of all buildings; cells and CPU seconds (planes, outlines) of each."""
    found, times = [], []
    grid = town.grid
    for building in town.buildings:
        window = grid.crop(building.footprint.bounds)
        row, col = grid.offset_of(window)
        ny, nx = window.shape
        inside = cells_inside(building.footprint, window)
        heights_m = town.dsm_m[row : row + ny, col : col + nx]
        begin = time.process_time()
        planes = find_roof_planes(heights_m, inside, window.cell_size_m)
        middle = time.process_time()
        outlines = plane_outlines(planes.labels, building.footprint, window)
        times.append((int(inside.sum()), middle - begin, time.process_time() - middle))
        found += found_planes(building.building_id, planes, outlines)
    return found, times


def print_score(name: str, score: Score, runs: list[list[tuple[int, float, float]]]) -> None:
    """Figures of one town, its five worst planes and what was missed or made up."""
    fit_ms, outline_ms = (
        1e3 * statistics.median(sum(building[k] for building in run) / len(run) for run in runs)
        for k in (1, 2)
    )
    cells = statistics.median(building[0] for building in runs[0])
    print(f"{name}: {len(runs[0])} buildings, median {cells:.0f} cells")
    print(f"  planes >= 10 m²: {score}")
    print(f"  CPU per building: planes {fit_ms:.2f} ms, outlines {outline_ms:.2f} ms")
    for match in score.worst(5):
        print(f"    worst: {match}")
    for plane in score.missed[:5]:
        print(
            f"    missed: {plane.building_id} {plane.role} {plane.area_m2:.0f} m2, "
            f"tilt {plane.surface_tilt:.1f}"
        )
    for plane in score.false[:5]:
        print(f"    false: {plane}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="timed runs per town")
    parser.add_argument("--towns", nargs="*", default=list(TOWNS), help=f"of {', '.join(TOWNS)}")
    arguments = parser.parse_args()
    survey(make_town(size_m=400, n_trees=0))  # compiles
    for name in arguments.towns:
        town = make_town(**TOWNS[name])
        runs = [survey(town) for _ in range(arguments.repeats)]
        print_score(name, score_planes(town.roof_planes, runs[0][0]), [times for _, times in runs])


if __name__ == "__main__":
    main()
