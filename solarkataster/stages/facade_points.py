"""The walls of a tile's buildings as one set of arrays, with their points and balcony plants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import shapely

from solarkataster.receivers import Receivers, join_receivers
from solarkataster.stages.arrays import joined, objects
from solarkataster.stages.job import TileFacades, TileJob

if TYPE_CHECKING:
    from solarkataster.stages.facades import BuildingWalls

#: Of the columns of points along a wall every third, the second first, holds a balcony plant: one
#: plant is about three metres wide.
_BALCONY_EVERY, _BALCONY_FIRST = 3, 1


def joined_facades(
    job: TileJob,
    found: Sequence[BuildingWalls | None],
    surface_m: np.ndarray,
    failed: tuple[tuple[int, str], ...],
) -> TileFacades:
    """One table of walls and one set of receivers for the whole tile."""
    known = [(i, one) for i, one in enumerate(found) if one is not None]
    walls = [one.walls for _, one in known]
    points = [one.points for _, one in known]
    counts = [len(one) for one in walls]
    first_wall = np.cumsum([0, *counts[:-1]]) if counts else np.zeros(0, np.int64)
    depth_m, source = _eaves_of_walls(known)
    buried_m2 = joined([one.buried_area_m2 for one in points])
    area_m2 = joined([one.area_m2 for one in walls])
    wall = joined([p.wall + f for p, f in zip(points, first_wall, strict=True)], np.int32)
    storey = joined([p.storey for p in points], np.int32)
    on_walls = join_receivers([p.receivers for p in points]) if len(wall) else None
    receivers, at = _with_balconies(on_walls, wall, storey, job.config.walls.balcony_tilt_deg)
    return TileFacades(
        building=np.repeat(np.array([i for i, _ in known], dtype=np.int32), counts),
        number=joined([np.arange(1, n + 1) for n in counts], np.int32),
        grid_azimuth=joined([one.segments.wall_azimuth for one in walls]),
        length_m=joined([one.segments.length_m for one in walls]),
        area_m2=area_m2,
        hidden_area_m2=joined([one.hidden_area_m2 for one in walls]),
        buried_area_m2=buried_m2,
        foot_m=joined([one.foot_m for one in walls]),
        top_m=joined([one.top_m for one in walls]),
        ground_m=joined([one.ground_m for one in walls]),
        overhang_m=depth_m,
        overhang_source=source,
        is_courtyard=joined([one.segments.is_courtyard for one in walls], np.bool_),
        outline=objects([_outline(one, k) for one in walls for k in range(len(one))]),
        reason=tuple(reason for one in walls for reason in one.reason),
        quality=_quality(known, source, depth_m, area_m2, buried_m2),
        receivers=receivers,
        n_on_wall=len(wall),
        wall=np.concatenate([wall, wall[at]]),
        storey=np.concatenate([storey, storey[at]]),
        point_area_m2=joined([p.area_m2 for p in points]),
        height_m=joined([p.height_m for p in points]),
        easting_m=joined([p.easting_m for p in points]),
        northing_m=joined([p.northing_m for p in points]),
        overhang_point_m=joined([p.eaves_depth_m for p in points]),
        top_over_m=joined([p.top_over_m for p in points]),
        surface_m=surface_m,
        failed=failed,
    )


def _outline(walls, k: int) -> shapely.MultiPolygon | None:
    """What is seen of a wall, in space."""
    rings = [shapely.Polygon(ring) for ring in walls.rings(k)]
    return shapely.MultiPolygon(rings) if rings else None


def _eaves_of_walls(
    known: list[tuple[int, BuildingWalls]],
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Mean depth of the eaves over each wall by length [m], and where most of it is known from."""
    depths, sources = [np.zeros(0)], []
    for _, one in known:
        segments = one.walls.segments
        length_m, n = segments.sides.length_m, len(segments)
        depths.append(np.bincount(segments.wall, length_m * one.depth_m, n) / segments.length_m)
        names = sorted(set(one.source))
        of_name = np.array([names.index(name) for name in one.source])
        shares = np.stack(
            [np.bincount(segments.wall, length_m * (of_name == k), n) for k in range(len(names))]
        )
        sources += [names[k] for k in np.argmax(np.round(shares, 6), axis=0).tolist()]
    return np.concatenate(depths), tuple(sources)


def _quality(known, source, depth_m, area_m2, buried_m2) -> tuple[str, ...]:
    """Remarks on the data of each wall."""
    from_cells = joined([one.walls.from_cells_fraction for _, one in known])
    marks = [one.marks for _, one in known for _ in range(len(one.walls))]
    texts = []
    for k, own in enumerate(marks):
        text = list(own)
        if area_m2[k] > 0.0:
            if source[k] == "config":
                text.append(f"depth of eaves assumed: {depth_m[k]:.1f} m")
            if from_cells[k] > 0.05:
                text.append(f"{from_cells[k]:.0%} of the top read from cells")
            if buried_m2[k] > 0.01 * area_m2[k]:
                share = f"{buried_m2[k] / area_m2[k]:.0%}"
                text.append(f"{share} of the area behind what stands before it or off the raster")
        texts.append("; ".join(text))
    return tuple(texts)


def _with_balconies(
    on_walls: Receivers | None, wall: np.ndarray, storey: np.ndarray, tilt_deg: float
) -> tuple[Receivers | None, np.ndarray]:
    """Receivers of walls with those of tilted balcony plants, and which points these stand at."""
    if on_walls is None:
        return None, np.zeros(0, dtype=np.int64)
    n = len(on_walls)
    is_new = np.ones(n, dtype=bool)
    is_new[1:] = (np.diff(on_walls.row) != 0.0) | (np.diff(on_walls.col) != 0.0)
    is_new[1:] |= np.diff(wall) != 0
    column = np.cumsum(is_new) - 1
    first_column = column[np.searchsorted(wall, wall)]  # walls are in order
    in_wall = column - first_column
    n_in_wall = np.bincount(wall, is_new)[wall]
    chosen = (in_wall % _BALCONY_EVERY == _BALCONY_FIRST) | ((n_in_wall == 1) & (in_wall == 0))
    # The lowest point of each storey in each of these columns.
    begins = is_new.copy()
    begins[1:] |= np.diff(storey) != 0
    at = np.flatnonzero(chosen & begins)
    tilted = Receivers(
        on_walls.row[at], on_walls.col[at], on_walls.elevation_m[at], on_walls.surface[at],
        np.full(len(on_walls.surface_tilt), tilt_deg), on_walls.grid_azimuth,
        top_tangent=on_walls.top_tangent[at],
    )  # fmt: skip
    return join_receivers([on_walls, tilted]), at
