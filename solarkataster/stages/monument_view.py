"""Whether the roofs of a tile's monuments are seen from public space."""

from __future__ import annotations

import numpy as np

from solarkataster.rating.public_view import monument_view, public_eyes
from solarkataster.rules.rating import Visibility
from solarkataster.stages.job import TileJob, TileRoofs
from solarkataster.surface import Surface


def monument_view_stage(
    job: TileJob,
    surface: Surface,
    roofs: TileRoofs,
    public_space: np.ndarray | None,
    rules: Visibility,
) -> tuple[np.ndarray, np.ndarray]:
    """
    Answers for the planes and the buildings of a tile.

    Parameters
    ----------
    job : TileJob
        Its window reaches ``rules.radius_m`` beyond the buildings.
    surface : Surface
    roofs : TileRoofs
    public_space : ndarray of shapely geometry or None
        Roads, squares and parks; None if the config names none.
    rules : Visibility

    Returns
    -------
    planes, buildings : ndarray of object, shapes (n_roof,) and (n_building,)
        As :func:`solarkataster.rating.public_view.monument_view`.
    """
    eyes = None
    if public_space is not None and job.is_monument.any():
        eyes = public_eyes(
            public_space,
            job.window,
            surface.elevation_m,
            surface.terrain_m,
            eye_height_m=rules.eye_height_m,
            spacing_m=rules.viewer_spacing_m,
        )
    points, plane = np.zeros((0, 5)), np.zeros(0, dtype=np.int32)
    if roofs.receivers is not None:
        on_roof = slice(0, roofs.n_on_roof)  # behind them come racks
        plane = roofs.receivers.surface[on_roof]
        points = np.column_stack(
            [
                roofs.receivers.row[on_roof],
                roofs.receivers.col[on_roof],
                roofs.receivers.elevation_m[on_roof],
                roofs.slope_east[plane],
                roofs.slope_north[plane],
            ]
        )
    return monument_view(
        points,
        plane,
        roofs.building,
        job.is_monument,
        surface.elevation_m,
        job.window.cell_size_m,
        eyes,
        radius_m=rules.radius_m,
    )
