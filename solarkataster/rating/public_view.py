"""Whether roofs are seen from public space: lines of sight over the surface model."""

from __future__ import annotations

import numpy as np
import shapely

from solarkataster.errors import InputError
from solarkataster.footprint_cells import cells_inside
from solarkataster.grid import Grid
from solarkataster.kernels.public_view import seen_by_any

#: The answers; an unknown goes on with what is not known.
SEEN, UNSEEN, UNKNOWN = "sichtbar", "nicht sichtbar", "unbekannt: "

#: A surface that is so much higher than the terrain is a crown, a car or a wall: nobody stands in
#: it, and whoever stands below it is left out. [m]
_STANDING_M = 0.5

#: Next to a point lies its own roof and next to an eye its own ground, both rough. [cells]
_BARE_CELLS = 1.5

#: Highest points of a plane that are tried before the rest.
_TRIED_FIRST = 32


def public_eyes(
    areas: np.ndarray,
    grid: Grid,
    surface_m: np.ndarray,
    terrain_m: np.ndarray,
    *,
    eye_height_m: float,
    spacing_m: float,
) -> np.ndarray:
    """
    Eyes of people on public ground.

    Parameters
    ----------
    areas : ndarray of shapely geometry, shape (n_area,)
        Roads, squares and parks, in the coordinates of the grid. [m]
    grid : Grid
        Of the surface model's window.
    surface_m, terrain_m : ndarray, shape (ny, nx)
        Surface and bare ground; NaN for no data. [m]
    eye_height_m : float
        Eyes over the ground. [m]
    spacing_m : float
        At most one eye per square of this side, on the lattice of the data, so that windows of one
        raster have the same eyes. [m]

    Returns
    -------
    eyes : ndarray, shape (n_eye, 3), float64
        Row, column and height [m], sorted by row. None stand in crowns, cars or houses.

    Raises
    ------
    InputError
        If eye height or spacing is not positive.
    """
    if not (eye_height_m > 0.0 and spacing_m > 0.0):
        raise InputError(
            f"eyes at {eye_height_m:g} m, every {spacing_m:g} m",
            where="view from public space",
            expected="both more than 0",
        )
    step = max(1, round(spacing_m / grid.cell_size_m))
    is_public = np.zeros(grid.shape, dtype=bool)
    window = shapely.box(*grid.bounds)
    for area in areas[shapely.intersects(areas, window)]:
        part = grid.crop(shapely.intersection(area, window).bounds)
        if min(part.shape) == 0:
            continue
        row, col = grid.offset_of(part)
        at = np.s_[row : row + part.shape[0], col : col + part.shape[1]]
        is_public[at] |= cells_inside(area, part)
    on_lattice = np.zeros(grid.shape, dtype=bool)
    on_lattice[-grid.first_row % step :: step, -grid.first_col % step :: step] = True
    with np.errstate(invalid="ignore"):
        is_clear = surface_m - terrain_m <= _STANDING_M  # False for NaN
    rows, cols = np.nonzero(is_public & on_lattice & is_clear)
    return np.column_stack([rows, cols, terrain_m[rows, cols] + eye_height_m]).astype(np.float64)


def seen_points(
    surface_m: np.ndarray,
    cell_size_m: float,
    eyes: np.ndarray,
    points: np.ndarray,
    *,
    radius_m: float,
) -> np.ndarray:
    """
    Points of roof planes that at least one eye sees.

    Parameters
    ----------
    surface_m : ndarray, shape (ny, nx)
        What blocks the view, trees as opaque as houses; NaN for no data, which blocks nothing. [m]
    cell_size_m : float
        Edge of one cell. [m]
    eyes : ndarray, shape (n_eye, 3)
        Row, column (cell centres on whole numbers, row 0 north) and height [m].
    points : ndarray, shape (n, 5)
        Row, column, height [m], and rise of the point's plane per metre towards east and north.
    radius_m : float
        Farthest eye. [m]

    Returns
    -------
    seen : ndarray of bool, shape (n,)

    Raises
    ------
    InputError
        If shapes are wrong or a number that must be known is not.

    Notes
    -----
    An eye sees a point if it lies in front of the point's plane and if no crossing of the line of
    sight with a row (or column, where it runs across) of cell centres lies below the surface there,
    linear between the two nearest cells. One and a half cells at both ends are left out. The earth
    is flat: over 200 m it bends by 3 mm.
    """
    eyes = np.asarray(eyes, dtype=np.float64).reshape(-1, 3)
    points = np.asarray(points, dtype=np.float64).reshape(-1, 5)
    if surface_m.ndim != 2 or not radius_m > 0.0 or not cell_size_m > 0.0:
        raise InputError(
            f"surface of {surface_m.ndim} dimensions, radius {radius_m:g} m, cells of "
            f"{cell_size_m:g} m",
            where="view from public space",
            expected="2 dimensions and lengths over 0",
        )
    for name, values in (("eyes", eyes), ("points", points)):
        if not np.isfinite(values).all():
            raise InputError(f"{name} hold numbers that are not finite", where="view")
    seen = np.zeros(len(points), dtype=bool)
    order = np.argsort(eyes[:, 0], kind="stable")
    blocking_m = np.ascontiguousarray(surface_m, dtype=np.float32)
    reach_cells = radius_m / cell_size_m
    seen_by_any(blocking_m, points, eyes[order], reach_cells, cell_size_m, _BARE_CELLS, seen)
    return seen


def monument_view(
    points: np.ndarray,
    plane: np.ndarray,
    building_of_plane: np.ndarray,
    is_asked: np.ndarray,
    surface_m: np.ndarray,
    cell_size_m: float,
    eyes: np.ndarray | None,
    *,
    radius_m: float,
) -> tuple[np.ndarray, np.ndarray]:
    """
    Whether any part of each roof plane, and of each building's roof, is seen.

    Parameters
    ----------
    points : ndarray, shape (n, 5)
        Points of the planes, as of :func:`seen_points`.
    plane : ndarray of int, shape (n,)
        Plane of each point.
    building_of_plane : ndarray of int, shape (n_plane,)
    is_asked : ndarray of bool, shape (n_building,)
        Monuments; others have an empty answer and cost nothing.
    surface_m, cell_size_m, radius_m
        As of :func:`seen_points`; the window reaches ``radius_m`` beyond the buildings.
    eyes : ndarray, shape (n_eye, 3), or None
        Of :func:`public_eyes`; None if public space is not known.

    Returns
    -------
    planes, buildings : ndarray of object, shapes (n_plane,) and (n_building,)
        ``sichtbar``, ``nicht sichtbar`` (within the radius), ``unbekannt: …`` or empty.
    """
    n_plane = len(building_of_plane)
    is_asked_plane = is_asked[building_of_plane]
    if eyes is None:
        missing = f"{UNKNOWN}öffentliche Flächen fehlen"
        return _asked(is_asked_plane, missing), _asked(is_asked, missing)
    wanted = np.flatnonzero(is_asked_plane[plane])
    is_seen = np.zeros(n_plane, dtype=bool)
    for part in _highest_first(points, plane, wanted):
        part = part[~is_seen[plane[part]]]
        seen = seen_points(surface_m, cell_size_m, eyes, points[part], radius_m=radius_m)
        is_seen[plane[part[seen]]] = True
    has_point = np.bincount(plane, minlength=n_plane) > 0
    has_eye = np.zeros(n_plane, dtype=bool)
    for one in np.flatnonzero(is_asked_plane & has_point):
        middle = points[plane == one, :2].mean(axis=0)
        near = ((eyes[:, :2] - middle) ** 2).sum(axis=1) <= (radius_m / cell_size_m) ** 2
        has_eye[one] = near.any()
    planes = _answers(is_asked_plane, is_seen, has_eye, has_point)
    return planes, _of_buildings(planes, building_of_plane, is_asked)


def _highest_first(points: np.ndarray, plane: np.ndarray, wanted: np.ndarray) -> list[np.ndarray]:
    """Points in two parts: the highest of each plane, which are seen first if any, and the rest."""
    order = wanted[np.lexsort((-points[wanted, 2], plane[wanted]))]
    first = np.flatnonzero(np.diff(plane[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    return [order[rank < _TRIED_FIRST], order[rank >= _TRIED_FIRST]]


def _asked(is_asked: np.ndarray, answer: str) -> np.ndarray:
    return np.where(is_asked, answer, "").astype(object)


def _answers(
    is_asked: np.ndarray, is_seen: np.ndarray, has_eye: np.ndarray, has_point: np.ndarray
) -> np.ndarray:
    answers = np.select(
        [~is_asked, is_seen, ~has_point, ~has_eye],
        ["", SEEN, f"{UNKNOWN}Dachfläche fehlt", f"{UNKNOWN}keine öffentliche Fläche im Umkreis"],
        UNSEEN,
    )
    return answers.astype(object)


def _of_buildings(
    planes: np.ndarray, building_of_plane: np.ndarray, is_asked: np.ndarray
) -> np.ndarray:
    """Seen if one plane is, unseen if none is, else the first plane's unknown."""
    answers = _asked(is_asked, f"{UNKNOWN}Dachfläche fehlt")
    for word in (UNSEEN, None, SEEN):  # later ones outweigh
        is_word = planes == word if word else np.char.startswith(planes.astype(str), UNKNOWN)
        at = np.flatnonzero(is_word)[::-1]  # of several unknowns the first plane's stays
        answers[building_of_plane[at]] = planes[at]
    return answers
