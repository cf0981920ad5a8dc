"""Found roof planes against true ones: matched one to one by the overlap of their outlines."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import shapely

from solarkataster.demo import Building, Town
from solarkataster.demo.planes import TruePlane
from solarkataster.footprint_cells import cells_inside, footprint_mask
from solarkataster.grid import Grid
from solarkataster.points import index_points, lattice_heights
from solarkataster.roofs.outlines import plane_outlines
from solarkataster.roofs.overhang import roof_overhang
from solarkataster.roofs.planes import RoofPlanes, find_roof_planes

#: Heights around a footprint that are looked at: the deepest overhang and some cells. [m]
MARGIN_M = 2.5

#: Intersection over union from which an outline counts as found; above a half, no outline can
#: match two others.
MIN_IOU = 0.5


@dataclass(frozen=True, slots=True)
class FoundPlane:
    """A plane the segmentation found, with its outline in plan."""

    building_id: str
    number: int
    surface_tilt: float
    grid_azimuth: float
    outline: shapely.Polygon | shapely.MultiPolygon

    @property
    def area_m2(self) -> float:
        """Inclined area. [m²]"""
        return self.outline.area / np.cos(np.radians(self.surface_tilt))

    def __str__(self) -> str:
        return (
            f"{self.building_id} r{self.number}, {self.area_m2:.0f} m2, "
            f"tilt {self.surface_tilt:.1f}, azimuth {self.grid_azimuth:.1f}"
        )


@dataclass(frozen=True, slots=True)
class Match:
    """A true plane and the found one that lies on it."""

    true: TruePlane
    found: FoundPlane
    iou: float

    def __str__(self) -> str:
        return (
            f"{self.found} for {self.true.surface_tilt:.1f} and {self.true.grid_azimuth:.1f}, "
            f"IoU {self.iou:.2f}"
        )

    @property
    def tilt_error_deg(self) -> float:
        return abs(self.found.surface_tilt - self.true.surface_tilt)

    @property
    def azimuth_error_deg(self) -> float:
        """NaN if neither has an azimuth, 180 if only one has: level taken for sloped. [°]"""
        level = np.isnan(self.true.grid_azimuth), np.isnan(self.found.grid_azimuth)
        if any(level):
            return np.nan if all(level) else 180.0
        return abs((self.found.grid_azimuth - self.true.grid_azimuth + 180.0) % 360.0 - 180.0)


@dataclass(frozen=True)
class Score:
    """Counted matches, true planes that were missed and found planes that are none."""

    matches: list[Match]
    missed: list[TruePlane]
    false: list[FoundPlane]
    n_true: int
    n_found: int

    def __str__(self) -> str:
        return (
            f"{self.completeness:.1%} of {self.n_true} true ones found, "
            f"{self.correctness:.1%} of {self.n_found} found ones true, "
            f"IoU {np.median([match.iou for match in self.matches]):.3f} (median); "
            f"tilt off by {_spread(self.tilt_errors_deg)}, "
            f"azimuth by {_spread(self.azimuth_errors_deg)}"
        )

    @property
    def completeness(self) -> float:
        """Share of the true planes that were found."""
        return 1.0 - len(self.missed) / max(1, self.n_true)

    @property
    def correctness(self) -> float:
        """Share of the found planes that are true."""
        return 1.0 - len(self.false) / max(1, self.n_found)

    @property
    def tilt_errors_deg(self) -> np.ndarray:
        return np.array([match.tilt_error_deg for match in self.matches])

    @property
    def azimuth_errors_deg(self) -> np.ndarray:
        """Without the planes that are level in truth and in the result."""
        errors = np.array([match.azimuth_error_deg for match in self.matches])
        return errors[~np.isnan(errors)]

    def worst(self, n: int = 5) -> list[Match]:
        """The matches with the largest error of tilt, or of azimuth at 2.5 for 1."""
        return sorted(
            self.matches,
            key=lambda m: -max(m.tilt_error_deg / 1.0, np.nan_to_num(m.azimuth_error_deg) / 2.5),
        )[:n]


def _spread(errors_deg: np.ndarray) -> str:
    """Mean, median and 95 % of errors."""
    if errors_deg.size == 0:
        return "nothing"
    median, p95 = np.quantile(errors_deg, [0.5, 0.95])
    return f"{errors_deg.mean():.2f}° ({median:.2f}° median, {p95:.2f}° 95 %)"


def found_planes(building_id: str, planes: RoofPlanes, outlines: list) -> list[FoundPlane]:
    """The planes of one building with their outlines."""
    return [
        FoundPlane(building_id, i + 1, float(tilt), float(azimuth), outline)
        for i, (tilt, azimuth, outline) in enumerate(
            zip(planes.surface_tilt, planes.grid_azimuth, outlines, strict=True)
        )
    ]


def score_planes(
    true: list[TruePlane], found: list[FoundPlane], min_area_m2: float = 10.0
) -> Score:
    """
    Match the planes of the same building one to one at an IoU of `MIN_IOU`.

    Planes smaller than ``min_area_m2`` may be missed or made up: they are matched, so that a plane
    just above the limit may have a partner just below it, but not counted.
    """
    found_in: dict[str, list[FoundPlane]] = {}
    for candidate in found:
        found_in.setdefault(candidate.building_id, []).append(candidate)
    matches, missed = [], []
    hit: set[tuple[str, int]] = set()
    for plane in true:
        match = _best(plane, found_in.get(plane.building_id, []))
        counted = plane.area_m2 >= min_area_m2
        if match is not None:
            hit.add((plane.building_id, match.found.number))
            if counted:
                matches.append(match)
        elif counted:
            missed.append(plane)
    counted_found = [plane for plane in found if plane.area_m2 >= min_area_m2]
    false = [plane for plane in counted_found if (plane.building_id, plane.number) not in hit]
    return Score(matches, missed, false, len(matches) + len(missed), len(counted_found))


def _best(plane: TruePlane, candidates: list[FoundPlane]) -> Match | None:
    for candidate in candidates:
        common = shapely.area(shapely.intersection(plane.polygon, candidate.outline))
        iou = common / (plane.polygon.area + candidate.outline.area - common)  # a true one has area
        if iou >= MIN_IOU:
            return Match(plane, candidate, float(iou))
    return None


@dataclass(frozen=True, slots=True)
class Heights:
    """Heights around one building; for laser points their places, and how many over and near it."""

    grid: Grid
    elevation_m: np.ndarray
    offset_east_m: np.ndarray | None
    offset_north_m: np.ndarray | None
    n_over: int = 0
    n_near: int = 0


@dataclass(frozen=True, slots=True)
class Cost:
    """Heights over the footprint of one building, points near it, and CPU seconds of the steps."""

    n_over: int
    n_near: int
    lattice_s: float
    planes_s: float
    outlines_s: float


def heights_of(
    town: Town, density_per_m2: float = 0.0
) -> Iterator[tuple[Building, Heights, float]]:
    """Each building with the heights around it, from the surface model or from points, in s."""
    index = index_points(town.points(density_per_m2, "unclassified")) if density_per_m2 else None
    for building in town.buildings:
        begin = time.process_time()
        if index is None:
            west, south, east, north = building.footprint.bounds
            bounds = west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M
            window = town.grid.crop(bounds)
            row, col = town.grid.offset_of(window)
            part = town.dsm_m[row : row + window.shape[0], col : col + window.shape[1]]
            heights = Heights(window, part, None, None)
        else:
            near = index.near(building.footprint.bounds, MARGIN_M)
            lattice = lattice_heights(near, building.footprint, crs=town.grid.crs)
            if lattice is None:
                continue
            n_points = round(lattice.density_per_m2 * building.footprint.area)
            heights = Heights(
                lattice.grid,
                lattice.elevation_m,
                lattice.offset_east_m,
                lattice.offset_north_m,
                n_points,
                len(near),
            )
        yield building, heights, time.process_time() - begin


def survey(
    town: Town, density_per_m2: float = 0.0, *, with_overhang: bool = False
) -> tuple[list[FoundPlane], list[Cost]]:
    """
    Found planes of all buildings of a town, and what each building cost.

    Parameters
    ----------
    town : Town
    density_per_m2 : float
        Of laser points; 0: the surface model. [1/m²]
    with_overhang : bool
        Whether outlines reach over the walls where eaves are seen.
    """
    found, costs = [], []
    footprints = np.array([building.footprint for building in town.buildings])
    for i, (building, heights, lattice_s) in enumerate(heights_of(town, density_per_m2)):
        grid = heights.grid
        offsets = {
            "offset_east_m": heights.offset_east_m,
            "offset_north_m": heights.offset_north_m,
        }
        inside = cells_inside(building.footprint, grid)
        begin = time.process_time()
        planes = find_roof_planes(heights.elevation_m, inside, grid.cell_size_m, **offsets)
        middle = time.process_time()
        labels, outline = planes.labels, building.footprint
        if with_overhang and len(planes):
            others = footprints[np.arange(len(footprints)) != i]
            free = ~footprint_mask(others, grid)
            overhang = roof_overhang(
                planes, heights.elevation_m, building.footprint, grid, free=free, **offsets
            )
            labels, outline = overhang.labels, overhang.outline
        outlines = plane_outlines(labels, outline, grid, planes=planes)
        end = time.process_time()
        n_over = heights.n_over or int(inside.sum())
        costs.append(Cost(n_over, heights.n_near, lattice_s, middle - begin, end - middle))
        found += found_planes(building.building_id, planes, outlines)
    return found, costs


def inside_walls(true: list[TruePlane], buildings: list[Building]) -> list[TruePlane]:
    """The true planes without their overhang."""
    footprints = {building.building_id: building.footprint for building in buildings}
    clipped = [
        replace(plane, polygon=shapely.intersection(plane.polygon, footprints[plane.building_id]))
        for plane in true
    ]
    return [plane for plane in clipped if plane.polygon.area > 1e-3]
