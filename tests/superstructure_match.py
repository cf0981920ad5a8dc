"""Found superstructures against true ones: matched one to one by the overlap of their outlines."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.optimize import linear_sum_assignment

#: Smaller superstructures may be missed or made up; they are matched but not counted. [m²]
COUNTED_AREA_M2 = 1.0


@dataclass(frozen=True, slots=True)
class Thing:
    """A superstructure, true or found."""

    building_id: str
    kind: str
    polygon: shapely.Polygon
    height_m: float

    def __str__(self) -> str:
        x, y = self.polygon.representative_point().coords[0]
        return (
            f"{self.building_id} {self.kind}, {self.polygon.area:.1f} m2, {self.height_m:.1f} m "
            f"at {x:.1f} {y:.1f}"
        )


@dataclass(frozen=True)
class SuperstructureScore:
    """Counted matches with their IoU, true ones that were missed and found ones that are none."""

    matches: list[tuple[Thing, Thing, float]]
    missed: list[Thing]
    false: list[Thing]

    @property
    def recall(self) -> float:
        return len(self.matches) / max(1, len(self.matches) + len(self.missed))

    @property
    def precision(self) -> float:
        return len(self.matches) / max(1, len(self.matches) + len(self.false))

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision; 1 if there is nothing and nothing was found."""
        n_wrong = len(self.missed) + len(self.false)
        return 2 * len(self.matches) / max(1, 2 * len(self.matches) + n_wrong) if n_wrong else 1.0

    @property
    def median_iou(self) -> float:
        return float(np.median([iou for *_, iou in self.matches])) if self.matches else np.nan

    @property
    def kind_share(self) -> float:
        """Share of the matches whose kind was guessed right."""
        return float(np.mean([true.kind == found.kind for true, found, _ in self.matches] or [1]))

    def recall_of(self, kind: str) -> tuple[int, int]:
        """Found and all true ones of a kind."""
        n_found = sum(true.kind == kind for true, *_ in self.matches)
        return n_found, n_found + sum(true.kind == kind for true in self.missed)

    def __str__(self) -> str:
        return (
            f"F1 {self.f1:.3f} (recall {self.recall:.3f}, precision {self.precision:.3f}), "
            f"median IoU {self.median_iou:.2f}, kind right {self.kind_share:.2f}"
        )


def score_superstructures(
    true: list[Thing], found: list[Thing], *, min_iou: float
) -> SuperstructureScore:
    """
    Match the superstructures of the same building one to one.

    Of all pairs with an IoU of at least ``min_iou`` the set with the largest sum of IoU counts, so
    that below one half, too, nothing is matched twice. A match counts if the true one is large
    enough; a found one is false if it is large enough and matches none.
    """
    by_building: dict[str, tuple[list[Thing], list[Thing]]] = defaultdict(lambda: ([], []))
    for thing in true:
        by_building[thing.building_id][0].append(thing)
    for thing in found:
        by_building[thing.building_id][1].append(thing)
    matches, missed, false = [], [], []
    for trues, founds in by_building.values():
        iou = _iou(trues, founds)
        pairs = [
            (i, j)
            for i, j in zip(
                *linear_sum_assignment(np.where(iou >= min_iou, -iou, 0.0)), strict=True
            )
            if iou[i, j] >= min_iou
        ]
        for i, j in pairs:
            if trues[i].polygon.area >= COUNTED_AREA_M2 - 1e-9:
                matches.append((trues[i], founds[j], float(iou[i, j])))
        hit_true, hit_found = {i for i, _ in pairs}, {j for _, j in pairs}
        missed += [
            thing
            for i, thing in enumerate(trues)
            if i not in hit_true and thing.polygon.area >= COUNTED_AREA_M2 - 1e-9
        ]
        false += [
            thing
            for j, thing in enumerate(founds)
            if j not in hit_found and thing.polygon.area >= COUNTED_AREA_M2
        ]
    return SuperstructureScore(matches, missed, false)


def _iou(trues: list[Thing], founds: list[Thing]) -> np.ndarray:
    iou = np.zeros((len(trues), len(founds)))
    for i, a in enumerate(trues):
        for j, b in enumerate(founds):
            common = a.polygon.intersection(b.polygon).area
            iou[i, j] = common / (a.polygon.area + b.polygon.area - common)
    return iou
