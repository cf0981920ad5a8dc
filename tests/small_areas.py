"""Small usable areas as roofs have them, drawn at random: where the most modules can be solved."""

from __future__ import annotations

import numpy as np
import shapely

KINDS = ("rectangle", "L", "chimney hole", "triangle", "trapezoid", "gable with dormer")


def small_areas(n, *, scale=1.0, seed=0):
    """Kind and polygon, one after the other; scale 1 holds about 3 to 15 modules."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        kind = KINDS[i % len(KINDS)]
        a, b = rng.uniform(3.0, 7.0, 2) * scale
        yield kind, _area(kind, a, b, rng)


def has_upright_edges(kind):
    """Whether the optimum over the places that modules can be pushed to is the exact one."""
    return kind in ("rectangle", "L", "chimney hole")


def _area(kind, a, b, rng):
    rectangle = shapely.box(0, 0, a, b)
    if kind == "rectangle":
        return rectangle
    if kind == "L":
        x, y = rng.uniform(0.4, 0.7, 2)
        return rectangle.difference(shapely.box(a * x, b * y, a, b))
    if kind == "chimney hole":
        x, y = rng.uniform(0.2, 0.6, 2) * (a, b)
        return rectangle.difference(shapely.box(x, y, x + 1.1, y + 1.1))
    if kind == "triangle":
        return shapely.Polygon([(0, 0), (1.5 * a, 0), (1.5 * a * rng.uniform(0.2, 0.8), 1.3 * b)])
    if kind == "trapezoid":
        left, right = np.sort(rng.uniform(0, 0.5, 2))
        a *= 1.3
        return shapely.Polygon([(0, 0), (a, 0), (a * (0.5 + right), b), (a * left, b)])
    x, w = rng.uniform(0.2, 0.5) * a, rng.uniform(1.8, 2.6)
    top = 0.35 * b
    dormer = [(x, -1), (x + w, -1), (x + w, top), (x + w / 2, top + w / 2), (x, top)]
    return rectangle.difference(shapely.Polygon(dormer))
