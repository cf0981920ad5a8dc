"""Where plants stand around a tile: what of the inputs its window needs, and their stamp."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from solarkataster.checks import CheckedInputs
from solarkataster.grid import Grid
from solarkataster.stages.job import TilePlants
from solarkataster.trees import Trees


def plants_near(checked: CheckedInputs, window: Grid) -> TilePlants:
    """What the inputs know of plants in a window."""
    if min(window.shape) == 0:
        return TilePlants()
    greenery, config = checked.greenery, checked.config
    from_points = config.trees.from_points and checked.points is not None
    return TilePlants(
        _trees_near(greenery.trees, window),
        None if greenery.canopy is None else greenery.canopy.touching(window),
        None if greenery.land_cover is None else greenery.land_cover.touching(window),
        checked.points.touching(window.bounds) if from_points and checked.points else None,
    )


def plants_stamp(checked: CheckedInputs, plants: TilePlants) -> list[Any]:
    """What a tile's result depends on of them."""
    files = [
        [checked.checksums[str(part)] for file in source.files for part in file.parts]
        for source in (plants.canopy, plants.land_cover)
        if source is not None
    ]
    points = plants.points
    known = hashlib.sha256()
    if plants.trees is not None:
        for name in ("easting_m", "northing_m", "height_m", "crown_diameter_m", "base_m", "kind"):
            known.update(np.ascontiguousarray(getattr(plants.trees, name)).tobytes())
    return [
        files,
        [] if points is None else [checked.checksums[str(file.path)] for file in points.files],
        known.hexdigest(),
    ]


def _trees_near(trees: Trees | None, window: Grid) -> Trees | None:
    """Trees whose crowns may reach into a window."""
    if trees is None:
        return None
    west_m, south_m, east_m, north_m = window.bounds
    reach_m = trees.crown_diameter_m / 2.0 + window.cell_size_m
    near = (trees.easting_m > west_m - reach_m) & (trees.easting_m < east_m + reach_m)
    near &= (trees.northing_m > south_m - reach_m) & (trees.northing_m < north_m + reach_m)
    return trees.take(near)
