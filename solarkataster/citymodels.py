"""Walls, roofs and grounds of LoD2 city models as plain arrays, their size and direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

#: ``closure`` stands where two parts of a building are open to each other, ``ceiling`` and
#: ``floor`` are outside (a passage, a loggia), ``unnamed`` has no meaning in the file.
Kind = Literal["wall", "roof", "ground", "closure", "ceiling", "floor", "unnamed"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: What can be wrong with a surface or, the last three, with all surfaces of a part.
FaultName = Literal[
    "unreadable coordinates",
    "missing surface",
    "ring not closed",
    "too few points",
    "no area",
    "not planar",
    "self-intersecting",
    "inside out",
    "no meaning",
    "open solid",
    "no LoD2",
]


#: Below this, what rounding leaves of a line has no direction. [m²]
_NO_AREA_M2 = 1e-12


@dataclass(frozen=True, slots=True)
class CitySurface:
    """
    One polygon of a building as the file has it.

    Parameters
    ----------
    building_id : str
        The building's, also for surfaces of its parts.
    part_id : str
        Empty if the surface belongs to the building itself.
    surface_id : str
        The polygon's own id, or one made of the part's and its place in it.
    kind : str
        One of `KINDS`.
    outer : ndarray, shape (n_point, 3), float64
        Easting, northing, elevation; the first point is not repeated. [m]
    holes : tuple of ndarray, shape (n_point, 3), float64
        [m]
    boundary_id : str
        Id of the WallSurface, RoofSurface ... it belongs to, which may have several polygons;
        empty if the file names none.
    """

    building_id: str
    part_id: str
    surface_id: str
    kind: Kind
    outer: np.ndarray
    holes: tuple[np.ndarray, ...] = ()
    boundary_id: str = ""

    @property
    def solid(self) -> tuple[str, str]:
        """Building and part: what encloses a volume together."""
        return self.building_id, self.part_id


@dataclass(frozen=True, slots=True)
class CityObject:
    """
    A building, or a part of one, with what the file says about it.

    Parameters
    ----------
    building_id, part_id : str
        ``part_id`` is empty for the building itself.
    measured_height_m : float or None
        [m]
    roof_type, function, creation_date : str or None
        As written; roof types of German surveys: 1000 flat, 2100 shed, 3100 gable, 3200 hip ...
    n_storeys : int or None
        Above ground.
    other : dict
        Generic attributes, as text.
    """

    building_id: str
    part_id: str = ""
    measured_height_m: float | None = None
    roof_type: str | None = None
    function: str | None = None
    creation_date: str | None = None
    n_storeys: int | None = None
    other: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SurfaceFault:
    """
    What is wrong with a surface, or with a part of a building as a whole.

    Parameters
    ----------
    building_id, part_id : str
    surface_id : str
        Empty if it concerns the whole part.
    name : str
        One of `FaultName`.
    detail : str
        Figures, for people.
    """

    building_id: str
    part_id: str
    surface_id: str
    name: FaultName
    detail: str = ""


@dataclass(frozen=True)
class CitySurfaces:
    """
    Surfaces of some buildings.

    Parameters
    ----------
    objects : list of CityObject
        Buildings and their parts, in the order of ids.
    surfaces : list of CitySurface
        In the order of buildings, then as in the file.
    faults : list of SurfaceFault
        What could not be read. Surfaces that cannot be built are left out and named here.
    """

    objects: list[CityObject]
    surfaces: list[CitySurface]
    faults: list[SurfaceFault]

    def __len__(self) -> int:
        return len(self.surfaces)


@dataclass(frozen=True)
class Measures:
    """
    Size and direction of surfaces, by the order of their points: nothing is turned.

    Parameters
    ----------
    area_m2 : ndarray, shape (n_surface,)
        Without holes. [m²]
    normal : ndarray, shape (n_surface, 3)
        Unit vector towards the side from which the outer ring runs counterclockwise; NaN if there
        is no area.
    surface_tilt : ndarray, shape (n_surface,)
        Of the normal from the zenith: 0 level and face up, 90 upright, 180 face down. [°]
    grid_azimuth : ndarray, shape (n_surface,)
        Of the normal, clockwise from grid north; NaN if level. [°]
    off_plane_m : ndarray, shape (n_surface,)
        Farthest point from the plane through the centre. [m]
    """

    area_m2: np.ndarray
    normal: np.ndarray
    surface_tilt: np.ndarray
    grid_azimuth: np.ndarray
    off_plane_m: np.ndarray


@dataclass(frozen=True)
class Rings:
    """All rings of some surfaces in one array, relative to each surface's first point."""

    xyz: np.ndarray  # (n_point, 3)
    start: np.ndarray  # (n_ring,) first point of a ring
    surface: np.ndarray  # (n_ring,) its surface
    is_outer: np.ndarray  # (n_ring,)
    origin: np.ndarray  # (n_surface, 3) what was taken off

    @property
    def following(self) -> np.ndarray:
        """The point after each point of a ring."""
        after = np.arange(1, len(self.xyz) + 1)
        after[np.append(self.start[1:], len(self.xyz)) - 1] = self.start
        return self.xyz[after]

    @property
    def ring_of_point(self) -> np.ndarray:
        lengths = np.diff(np.append(self.start, len(self.xyz)))
        return np.repeat(np.arange(len(self.start)), lengths)


def rings_of(surfaces: Sequence[CitySurface]) -> Rings:
    """Far from the origin products of coordinates lose digits; so each surface has its own."""
    rings = [ring for s in surfaces for ring in (s.outer, *s.holes)]
    surface = np.repeat(np.arange(len(surfaces)), [1 + len(s.holes) for s in surfaces])
    lengths = np.array([len(ring) for ring in rings], dtype=np.int64)
    origin = np.array([s.outer[0] for s in surfaces]).reshape(-1, 3)
    xyz = np.concatenate(rings) - np.repeat(origin[surface], lengths, axis=0)
    start = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    is_outer = np.concatenate([[True], surface[1:] != surface[:-1]])
    return Rings(xyz, start, surface, is_outer, origin)


def measures(surfaces: Sequence[CitySurface]) -> Measures:
    """
    Area, normal and flatness of surfaces.

    Parameters
    ----------
    surfaces : sequence of CitySurface
        With at least one point in every ring.

    Returns
    -------
    Measures

    Notes
    -----
    Newell's method [1]_: the sum of the cross products along a ring is twice its area times its
    normal, for points that are not quite in one plane too.

    References
    ----------
    .. [1] I. E. Sutherland, R. F. Sproull and R. A. Schumacker, "A characterization of ten
       hidden-surface algorithms," ACM Comput. Surv., vol. 6, no. 1, pp. 1-55, 1974,
       doi:10.1145/356625.356626.
    """
    if not len(surfaces):
        none = np.zeros(0)
        return Measures(none, np.zeros((0, 3)), none, none, none)
    rings = rings_of(surfaces)
    outer_vector, area_m2 = _area_vectors(rings, len(surfaces))
    size_m2 = np.linalg.norm(outer_vector, axis=1)[:, None]
    normal = np.divide(
        outer_vector, size_m2, out=np.full_like(outer_vector, np.nan), where=size_m2 > _NO_AREA_M2
    )
    tilt = np.degrees(np.arctan2(np.hypot(normal[:, 0], normal[:, 1]), normal[:, 2]))
    is_level = ~(np.hypot(normal[:, 0], normal[:, 1]) > 1e-9)
    azimuth = np.degrees(np.arctan2(normal[:, 0], normal[:, 1])) % 360.0
    of_point = rings.surface[rings.ring_of_point]
    n_points = np.bincount(of_point, minlength=len(surfaces))
    centre = np.stack(
        [np.bincount(of_point, rings.xyz[:, k], len(surfaces)) / n_points for k in range(3)], axis=1
    )
    off = np.abs(np.einsum("ij,ij->i", rings.xyz - centre[of_point], normal[of_point]))
    first_point = np.concatenate([[0], np.cumsum(n_points)[:-1]])
    return Measures(
        area_m2,
        normal,
        tilt,
        np.where(is_level, np.nan, azimuth),
        np.maximum.reduceat(off, first_point),
    )


def _area_vectors(rings: Rings, n_surfaces: int) -> tuple[np.ndarray, np.ndarray]:
    """Newell's vector of each outer ring, and the area without the holes. [m²]"""
    vector = 0.5 * np.add.reduceat(np.cross(rings.xyz, rings.following), rings.start, axis=0)
    size_m2 = np.linalg.norm(vector, axis=1)
    signed_m2 = np.where(rings.is_outer, size_m2, -size_m2)
    return vector[rings.is_outer], np.bincount(rings.surface, signed_m2, n_surfaces)


def solid_volumes_m3(surfaces: Sequence[CitySurface]) -> dict[tuple[str, str], float]:
    """
    Volume of each part by the divergence theorem; negative if its surfaces face inwards. [m³]

    Meaningless for open solids.
    """
    volumes: dict[tuple[str, str], float] = {}
    found = measures(surfaces)
    origin: dict[tuple[str, str], np.ndarray] = {}
    for surface, area_m2, normal in zip(surfaces, found.area_m2, found.normal, strict=True):
        first = origin.setdefault(surface.solid, surface.outer[0])
        if not np.isnan(normal[0]):
            height_m = float((surface.outer[0] - first) @ normal)
            volumes[surface.solid] = volumes.get(surface.solid, 0.0) + height_m * area_m2 / 3.0
    return volumes
