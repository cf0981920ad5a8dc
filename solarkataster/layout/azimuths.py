"""Directions of buildings, and where the modules of racks on them face."""

from __future__ import annotations

import numpy as np
import shapely

from solarkataster.errors import InputError


def building_azimuth(footprint: shapely.Polygon | shapely.MultiPolygon) -> float:
    """
    Direction of the longest walls of a building, modulo 90°.

    Parameters
    ----------
    footprint : Polygon or MultiPolygon
        Walls in plan. [m]

    Returns
    -------
    grid_azimuth : float
        One of the four directions that walls run in or look at, 0 <= grid_azimuth < 90; clockwise
        from grid north. [°]

    Raises
    ------
    InputError
        If the footprint is empty.

    Notes
    -----
    The direction (to 1°) with most length of wall within 2°, both taken modulo 90°; then the mean
    of those walls weighted by their length.
    """
    if footprint.is_empty:
        raise InputError("the footprint is empty", expected="a polygon with walls")
    parts = shapely.get_parts(footprint)
    rings = [shapely.get_coordinates(ring) for ring in shapely.get_rings(parts)]
    along = np.concatenate([np.diff(ring, axis=0) for ring in rings])
    length = np.hypot(*along.T)
    direction = np.degrees(np.arctan2(along[:, 0], along[:, 1])) % 90.0
    off = (direction[:, None] - np.arange(0.0, 90.0)[None] + 45.0) % 90.0 - 45.0
    near = np.abs(off) <= 2.0
    middle = int((near * length[:, None]).sum(axis=0).round(6).argmax())
    weight = length * near[:, middle]
    return float((middle + (off[:, middle] * weight).sum() / weight.sum()) % 90.0)


def rack_azimuths(
    footprint: shapely.Polygon | shapely.MultiPolygon,
    layout: str,
    alignment: str,
    convergence_deg: float,
) -> tuple[float, ...]:
    """
    Where the modules of racks face.

    Parameters
    ----------
    footprint : Polygon or MultiPolygon
        Walls in plan. [m]
    layout : str
        ``south`` or ``east_west``.
    alignment : str
        ``building``: square to the longest walls, as near to south (or to east) as that goes;
        ``south``: exactly.
    convergence_deg : float
        True azimuth less grid azimuth. [°]

    Returns
    -------
    grid_azimuths : tuple of float
        One direction, or two opposite ones, the eastern first; clockwise from grid north. [°]

    Raises
    ------
    InputError
        If the layout or the alignment is unknown.
    """
    wanted = {"south": 180.0, "east_west": 90.0}
    if layout not in wanted or alignment not in ("building", "south"):
        raise InputError(
            f"racks {layout!r} aligned with {alignment!r}",
            expected="south or east_west, aligned with building or south",
        )
    grid_azimuth = (wanted[layout] - convergence_deg) % 360.0
    if alignment == "building":
        off = (building_azimuth(footprint) - grid_azimuth + 45.0) % 90.0 - 45.0
        grid_azimuth = (grid_azimuth + off) % 360.0
    if layout == "south":
        return (grid_azimuth,)
    return grid_azimuth, (grid_azimuth + 180.0) % 360.0
