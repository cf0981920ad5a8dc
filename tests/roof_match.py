"""Found roof planes against true ones: matched one to one by the overlap of their outlines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from solarkataster.demo.planes import TruePlane
from solarkataster.roofs import RoofPlanes

#: Planes smaller than this may be missed or made up; they are matched but not counted. [m²]
COUNTED_AREA_M2 = 10.0
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
            f"{self.correctness:.1%} of {self.n_found} found ones true; "
            f"tilt off by {_median_and_p95(self.tilt_errors_deg)}, "
            f"azimuth by {_median_and_p95(self.azimuth_errors_deg)}"
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


def _median_and_p95(errors_deg: np.ndarray) -> str:
    return "{:.2f}° (median) and {:.2f}° (95 %)".format(*np.quantile(errors_deg, [0.5, 0.95]))


def found_planes(building_id: str, planes: RoofPlanes, outlines: list) -> list[FoundPlane]:
    """The planes of one building with their outlines."""
    return [
        FoundPlane(building_id, i + 1, float(tilt), float(azimuth), outline)
        for i, (tilt, azimuth, outline) in enumerate(
            zip(planes.surface_tilt, planes.grid_azimuth, outlines, strict=True)
        )
    ]


def score_planes(true: list[TruePlane], found: list[FoundPlane]) -> Score:
    """Match the planes of the same building one to one at an IoU of `MIN_IOU`."""
    found_in: dict[str, list[FoundPlane]] = {}
    for candidate in found:
        found_in.setdefault(candidate.building_id, []).append(candidate)
    matches, missed = [], []
    hit: set[tuple[str, int]] = set()
    for plane in true:
        match = _best(plane, found_in.get(plane.building_id, []))
        counted = plane.area_m2 >= COUNTED_AREA_M2
        if match is not None:
            hit.add((plane.building_id, match.found.number))
            if counted:
                matches.append(match)
        elif counted:
            missed.append(plane)
    counted_found = [plane for plane in found if plane.area_m2 >= COUNTED_AREA_M2]
    false = [plane for plane in counted_found if (plane.building_id, plane.number) not in hit]
    return Score(matches, missed, false, len(matches) + len(missed), len(counted_found))


def _best(plane: TruePlane, candidates: list[FoundPlane]) -> Match | None:
    for candidate in candidates:
        common = shapely.area(shapely.intersection(plane.polygon, candidate.outline))
        iou = common / (plane.polygon.area + candidate.outline.area - common)
        if iou >= MIN_IOU:
            return Match(plane, candidate, float(iou))
    return None
