"""Superstructures of made-up towns against their exact truth, and the CPU time per building."""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from superstructure_chain import survey, true_things
from superstructure_match import SuperstructureScore, score_superstructures

from solarkataster.demo import make_town

#: What the towns are seen with: cell of the surface model [m], or points per square metre.
INPUTS = {
    "raster 0.25 m": (0.25, None),
    "raster 0.5 m": (0.5, None),
    "raster 1 m": (1.0, None),
    "20 points/m²": (0.5, 20.0),
    "10 points/m²": (0.5, 10.0),
    "4 points/m²": (0.5, 4.0),
}
KINDS = ("chimney", "dormer", "lift housing", "terrace", "parapet")


def joined(scores: list[SuperstructureScore]) -> SuperstructureScore:
    """Score of several towns together."""
    return SuperstructureScore(
        [match for score in scores for match in score.matches],
        [thing for score in scores for thing in score.missed],
        [thing for score in scores for thing in score.false],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(range(11)))
    parser.add_argument("--inputs", nargs="*", default=list(INPUTS), help=f"of {', '.join(INPUTS)}")
    parser.add_argument("--trees", type=int, default=0, help="trees whose crowns reach over roofs")
    parser.add_argument("--faults", type=int, default=0, help="missed and false ones to name")
    arguments = parser.parse_args()
    survey(make_town(n_trees=0))  # compiles
    for name in arguments.inputs:
        cell_size_m, density_per_m2 = INPUTS[name]
        scores = defaultdict(list)
        cpu_s, n_buildings = 0.0, 0
        for seed in arguments.seeds:
            town = make_town(seed, cell_size_m=cell_size_m, trees_over_roofs=arguments.trees)
            seen = survey(town, density_per_m2)
            # Crowns are no part of the truth: what reaches over a roof is rightly "other".
            found = [t for t in seen.found if not (arguments.trees and t.kind == "other")]
            for min_iou in (0.5, 0.3):
                scores[min_iou].append(
                    score_superstructures(true_things(town), found, min_iou=min_iou)
                )
            cpu_s += seen.cpu_s[-1]
            n_buildings += len(town.buildings)
        for min_iou, parts in scores.items():
            total, f1 = joined(parts), [score.f1 for score in parts]
            print(f"{name}, match from IoU {min_iou}: {total}; worst town F1 {min(f1):.3f}")
        total = joined(scores[0.5])
        kinds = [f"{kind} {'{}/{}'.format(*total.recall_of(kind))}" for kind in KINDS]
        print(f"  found of {', '.join(kinds)}; CPU {1e3 * cpu_s / n_buildings:.2f} ms a building")
        for word, things in (("missed", total.missed), ("false", total.false)):
            for thing in things[: arguments.faults]:
                print(f"    {word}: {thing}")


if __name__ == "__main__":
    main()
