"""Modules laid out against the solved optimum on small areas, and CPU time per roof plane."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

import shapely

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from packing_optimum import optimum
from small_areas import has_upright_edges, small_areas

from solarkataster.demo import make_town
from solarkataster.layout.modules import Margins, Module, lay_modules, module_layout, rack_azimuths
from solarkataster.layout.racks import Racks

MODULE = Module(1.762, 1.134, 440.0, 0.02)
MARGINS = Margins(0.3, 0.3, 0.3, 0.3, 1.0)

#: Areas of each size: scale, number, and the step of the places tried in slanting areas. [m]
SIZES = ((0.8, 30, 0.2), (1.0, 30, 0.3), (1.25, 30, 0.6))


def against_optimum(scale: float, n: int, step_m: float, seconds: float) -> None:
    """Print modules laid against modules solved, area by area where they differ."""
    laid = solved = unsolved = 0
    ratios = []
    for kind, area in small_areas(n, scale=scale):
        count = lay_modules(area, 0.0, 0.0, MODULE).n
        step = 0.0 if has_upright_edges(kind) else step_m
        found, bound = optimum(
            area, MODULE.length_m, MODULE.width_m, MODULE.gap_m, step_m=step, seconds=seconds
        )
        if found < bound:
            unsolved += 1
            continue
        # In slanting areas the places of the reference are a choice: more can fit than it finds.
        laid, solved = laid + count, solved + max(found, count)
        ratios.append(count / found if found else 1.0)
        if count < found:
            print(f"    {kind}, {area.area:.1f} m2: {count} of {found}")
    short = sum(ratio < 1.0 for ratio in ratios)
    print(
        f"  scale {scale}: {laid} of {solved} modules ({laid / solved:.2%}); {len(ratios)} areas "
        f"solved, {unsolved} not in {seconds:g} s; ratio mean {statistics.mean(ratios):.4f}, "
        f"worst {min(ratios):.3f}; fewer than the optimum in {short}"
    )


def on_a_town(repeats: int) -> None:
    """Print CPU time of usable area and layout on the true planes of the demo town."""
    town = make_town()
    footprint = {building.building_id: building.footprint for building in town.buildings}
    planes_of: dict[str, list] = {}
    for plane in town.roof_planes:
        planes_of.setdefault(plane.building_id, []).append(plane)
    things = {b: [s.polygon for s in town.superstructures if s.building_id == b] for b in planes_of}
    roofs = {b: shapely.union_all([p.polygon for p in planes]) for b, planes in planes_of.items()}
    for name in ("south", "east_west", "flush"):
        times, n_modules, slowest = [], 0, 0.0
        for _ in range(repeats):
            begin = time.process_time()
            n_modules, slowest = 0, 0.0
            for building_id, planes in planes_of.items():
                start = time.process_time()
                facing = rack_azimuths(
                    footprint[building_id], "south" if name == "flush" else name, "building", 0.0
                )
                racks = None if name == "flush" else Racks(facing, 10.0, 0.5, 16.0)
                for plane in planes:
                    on_plane = [s for s in things[building_id] if s.intersects(plane.polygon)]
                    is_flat = plane.surface_tilt <= 10.0
                    n_modules += module_layout(
                        plane.polygon, plane.slope_east, plane.slope_north, roofs[building_id],
                        on_plane, MARGINS, MODULE, is_flat=is_flat, racks=racks,
                        grid_azimuth=facing[0] if is_flat else None,
                    ).n  # fmt: skip
                slowest = max(slowest, time.process_time() - start)
            times.append(time.process_time() - begin)
        seconds = statistics.median(times)
        print(
            f"  {name}: {n_modules} modules on {len(town.roof_planes)} planes of {len(planes_of)} "
            f"buildings; {1e3 * seconds / len(town.roof_planes):.2f} ms CPU a plane, "
            f"{1e3 * seconds / len(planes_of):.2f} ms a building, slowest {1e3 * slowest:.1f} ms"
        )


def one_area(name: str, area: shapely.Polygon) -> None:
    """Print the median CPU time of laying modules on one area."""
    times = []
    for _ in range(7):
        begin = time.process_time()
        n = lay_modules(area, 0.0, -0.5, MODULE).n
        times.append(time.process_time() - begin)
    print(f"  {name}: {n} modules, {1e3 * statistics.median(times):.2f} ms CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of the town")
    parser.add_argument("--seconds", type=float, default=20.0, help="limit of the solver per area")
    arguments = parser.parse_args()
    print("CPU time")
    one_area("compiling", shapely.box(0, 0, 5, 5))
    one_area("roof of 60 m2", shapely.box(0, 0, 10, 6).difference(shapely.box(4, 3, 5, 4)))
    one_area("hall of 5000 m2", shapely.box(0, 0, 100, 50))
    lights = [shapely.box(x, y, x + 2, y + 2) for x in range(5, 95, 10) for y in (10, 20, 30)]
    one_area("with 27 skylights", shapely.box(0, 0, 100, 50).difference(shapely.union_all(lights)))
    on_a_town(arguments.repeats)
    print("Modules laid against the solved optimum")
    for size in SIZES:
        against_optimum(*size, seconds=arguments.seconds)


if __name__ == "__main__":
    main()
