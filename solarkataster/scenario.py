"""What-if: trees felled, planted and grown, buildings added and removed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from solarkataster.trees import Trees, no_trees, trees_at

#: Crowns in surfaces are wider than their round numbers in cadastres: cells of a tree are looked
#: for this far around the trunk, in its radii and in metres.
REACH_RADII, REACH_M = 1.2, 0.5


@dataclass(frozen=True)
class Selection:
    """
    Which trees are meant: some ids, all within areas, or every one.

    Parameters
    ----------
    ids : tuple of str
    area : shapely geometry or None
        Trunks inside; canopy inside too, of trees that no cadastre knows. [m]
    everything : bool
    """

    ids: tuple[str, ...] = ()
    area: shapely.Geometry | None = None
    everything: bool = False

    def of(self, trees: Trees) -> np.ndarray:
        """The trees of a cadastre that are meant, (n_tree,) bool."""
        if self.everything:
            return np.ones(len(trees), dtype=bool)
        chosen = trees_at(trees, self.ids)
        if self.area is not None:
            chosen |= shapely.intersects_xy(self.area, trees.easting_m, trees.northing_m)
        return chosen


@dataclass(frozen=True)
class Growth:
    """
    Trees that grow.

    Parameters
    ----------
    selection : Selection
    height_m, crown_diameter_m : float
        By how much. [m]
    """

    selection: Selection
    height_m: float
    crown_diameter_m: float


@dataclass(frozen=True)
class NewBuilding:
    """
    A building that does not stand yet: a solid box, or one with a gable roof.

    Parameters
    ----------
    building_id : str
    footprint : shapely Polygon
        [m]
    height_m : float
        Eaves above the ground. [m]
    roof_tilt_deg : float
        0 for a flat roof. The ridge runs along the longer side of the smallest rectangle around
        the footprint. [°]
    ground_m : float
        Ground under it, NaN until it is looked up. [m]
    """

    building_id: str
    footprint: shapely.Geometry
    height_m: float
    roof_tilt_deg: float = 0.0
    ground_m: float = float("nan")


@dataclass(frozen=True, eq=False)
class Scenario:
    """
    What a scenario file says.

    Parameters
    ----------
    name : str
    fell : tuple of Selection
    plant : Trees
    grow : tuple of Growth
    add : tuple of NewBuilding
    remove : tuple of str
        Ids of buildings.
    """

    name: str
    fell: tuple[Selection, ...] = ()
    plant: Trees = field(default_factory=no_trees)
    grow: tuple[Growth, ...] = ()
    add: tuple[NewBuilding, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Changes:
    """
    What a scenario changes in one municipality.

    Parameters
    ----------
    felled : Trees
        Of the cadastre.
    felled_areas : tuple of shapely geometry
        All canopy inside goes. [m]
    grown : Trees
        Of the cadastre, as they stand now.
    grown_by_m : ndarray, shape (n_grown, 2)
        How much each gets higher and wider. [m]
    raised_areas : tuple of (shapely geometry or None, float)
        Canopy inside that belongs to no tree of the cadastre gets higher; None: everywhere. [m]
    planted : Trees
    added : tuple of NewBuilding
    removed : tuple of (str, shapely geometry)
    """

    felled: Trees = field(default_factory=no_trees)
    felled_areas: tuple[shapely.Geometry, ...] = ()
    grown: Trees = field(default_factory=no_trees)
    grown_by_m: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)))
    raised_areas: tuple[tuple[shapely.Geometry | None, float], ...] = ()
    planted: Trees = field(default_factory=no_trees)
    added: tuple[NewBuilding, ...] = ()
    removed: tuple[tuple[str, shapely.Geometry], ...] = ()

    def is_empty(self) -> bool:
        """Whether nothing changes."""
        trees = len(self.felled) + len(self.grown) + len(self.planted)
        areas = len(self.felled_areas) + len(self.raised_areas)
        return trees + areas + len(self.added) + len(self.removed) == 0

    def within(self, bounds: tuple[float, float, float, float], margin_m: float = 0.0) -> Changes:
        """
        Those changes that reach into bounds (west, south, east, north) and a margin around. [m]

        Whatever they do inside, they do alike with or without the others.
        """
        west_m, south_m, east_m, north_m = bounds
        box = (west_m - margin_m, south_m - margin_m, east_m + margin_m, north_m + margin_m)
        area = shapely.box(*box)

        def near(trees: Trees, wider_m: np.ndarray | float = 0.0) -> np.ndarray:
            reach_m = REACH_RADII * (trees.crown_diameter_m + wider_m) / 2.0 + REACH_M
            x, y = trees.easting_m, trees.northing_m
            touches = (x + reach_m > box[0]) & (x - reach_m < box[2])
            return touches & (y + reach_m > box[1]) & (y - reach_m < box[3])

        def touches(shape: shapely.Geometry | None) -> bool:
            return shape is None or bool(shapely.intersects(area, shape))

        grows = near(self.grown, self.grown_by_m[:, 1])
        return Changes(
            self.felled.take(near(self.felled)),
            tuple(one for one in self.felled_areas if touches(one)),
            self.grown.take(grows),
            self.grown_by_m[grows],
            tuple(one for one in self.raised_areas if touches(one[0])),
            self.planted.take(near(self.planted)),
            tuple(one for one in self.added if touches(one.footprint)),
            tuple(one for one in self.removed if touches(one[1])),
        )

    def digest(self) -> str | None:
        """SHA-256 of all that the changes say; None if there are none."""
        if self.is_empty():
            return None
        total = hashlib.sha256()
        for trees in (self.felled, self.grown, self.planted):
            numbers = (trees.easting_m, trees.northing_m, trees.height_m, trees.crown_diameter_m)
            for values in (*numbers, trees.base_m, trees.kind):
                total.update(np.ascontiguousarray(values).tobytes() + b"|")
        total.update(self.grown_by_m.tobytes())
        for shape in self.felled_areas:
            total.update(shapely.to_wkb(shape))
        for shape, rise_m in self.raised_areas:
            total.update(repr(rise_m).encode() + (shapely.to_wkb(shape) if shape else b"all"))
        for one in self.added:
            sizes = (one.building_id, one.height_m, one.roof_tilt_deg, one.ground_m)
            total.update(repr(sizes).encode() + shapely.to_wkb(one.footprint))
        for building_id, shape in self.removed:
            total.update(building_id.encode() + shapely.to_wkb(shape))
        return total.hexdigest()


def with_grounds(changes: Changes, ground_m: Sequence[float]) -> Changes:
    """The changes with the ground under each new building. [m]"""
    added = zip(changes.added, ground_m, strict=True)
    return replace(changes, added=tuple(replace(one, ground_m=float(z)) for one, z in added))
