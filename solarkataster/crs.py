"""Coordinate systems as values: what they are called, whether they fit, where true north is."""

from __future__ import annotations

import math
import warnings
from functools import lru_cache

import numpy as np
import pyproj
import pyproj.transformer
from pyproj.exceptions import CRSError, ProjError

#: Projected lengths may differ from those on the ellipsoid by this much; UTM stays under 0.001
#: inside its zone, Web Mercator is off by 0.6 in Germany.
MAX_SCALE_ERROR = 0.01

#: UTM coordinates whose eastings begin with the number of the zone, as German surveys deliver
#: them: zone → (plain, zone-prefixed) EPSG code.
ZONE_PREFIXED = {32: (25832, 4647), 33: (25833, 5650)}


@lru_cache(maxsize=64)
def parse_crs(text: str) -> pyproj.CRS:
    """A coordinate system from WKT or authority code; raises ValueError if it cannot be read."""
    try:
        return pyproj.CRS.from_user_input(text)
    except CRSError as error:
        raise ValueError(str(error)) from None


@lru_cache(maxsize=64)
def horizontal_crs(text: str) -> pyproj.CRS:
    """The ground-plan part of a coordinate system: heights and bound datum shifts taken off."""
    crs = parse_crs(text)
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    return crs.source_crs or crs if crs.is_bound else crs


@lru_cache(maxsize=256)
def crs_name(text: str) -> str:
    """``EPSG:25832`` if there is a code that surely means it, else the system's own name."""
    crs = horizontal_crs(text)
    # Below 70 % PROJ also matches systems that share only the name, such as a UTM zone with
    # the zone number in its eastings.
    code = crs.to_epsg(min_confidence=70)
    return f"EPSG:{code}" if code else crs.name


def same_crs(one: str, other: str) -> bool:
    """Whether two systems give the same ground-plan coordinates to the same place."""
    if one == other:
        return True
    a, b = horizontal_crs(one), horizontal_crs(other)
    return a.equals(b, ignore_axis_order=True) or (
        crs_name(one) == crs_name(other) and crs_name(one).startswith("EPSG:")
    )


def unit_fault(text: str) -> str | None:
    """Why lengths in a system are not metres, or None: geographic, in feet, engineering."""
    crs = horizontal_crs(text)
    if crs.is_geographic:
        return f"coordinate system is {crs_name(text)} (degrees of longitude and latitude)"
    if not crs.is_projected:
        return f"coordinate system is {crs.name!r}, which is not a map projection"
    for axis in crs.axis_info:
        if not math.isclose(axis.unit_conversion_factor, 1.0):
            return f"coordinate system is {crs_name(text)} in {axis.unit_name}, not in metres"
    vertical = parse_crs(text).sub_crs_list[1:]
    for axis in (axis for part in vertical for axis in part.axis_info):
        if not math.isclose(axis.unit_conversion_factor, 1.0):
            return f"its heights are in {axis.unit_name} ({vertical[0].name}), not in metres"
    return None


def zone_prefix_fault(text: str, west: float, east: float) -> tuple[str, str] | None:
    """
    Eastings that contradict their system about the zone number in front: (found, right code).

    ``32 364 000`` under EPSG:25832 belongs to EPSG:4647, ``364 000`` under EPSG:4647 to
    EPSG:25832. GDAL and PROJ compute with either and land in the ocean.
    """
    crs = horizontal_crs(text)
    operation = crs.coordinate_operation
    if operation is None or operation.method_name != "Transverse Mercator":
        return None
    offsets = [float(p.value) for p in operation.params if p.name == "False easting"]
    false_easting = offsets[0] if offsets else 0.0
    middle = (west + east) / 2
    written = f"eastings of {west:.0f} to {east:.0f} under {crs_name(text)}"
    if false_easting < 1e6 and middle > 1e6:
        zone = int(middle // 1e6)
        right = ZONE_PREFIXED.get(zone)
        code = f"EPSG:{right[1]}" if right else f"the system with {zone} before its eastings"
        return f"{written} begin with the zone number {zone}", code
    if false_easting > 1e6 and middle < 1e6:
        zone = int(false_easting // 1e6)
        right = ZONE_PREFIXED.get(zone)
        code = f"EPSG:{right[0]}" if right else "the system without the zone number"
        return f"{written} lack the zone number {zone}", code
    return None


def longitude_latitude(text: str, easting_m: float, northing_m: float) -> tuple[float, float]:
    """Geographic position of a point, on the system's own ellipsoid. [°]"""
    crs = horizontal_crs(text)
    transformer = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    longitude, latitude = transformer.transform(easting_m, northing_m)
    return longitude, latitude


def map_coordinates(
    text: str, longitude: np.ndarray, latitude: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """
    Places in a coordinate system.

    Parameters
    ----------
    text : str
        WKT or authority code.
    longitude, latitude : ndarray, shape (n,)
        WGS 84; NaN where unknown. [°]

    Returns
    -------
    easting_m, northing_m : ndarray of float64, shape (n,)
        NaN where unknown or where the system does not reach. [m]
    """
    transformer = pyproj.Transformer.from_crs("EPSG:4326", horizontal_crs(text), always_xy=True)
    easting_m, northing_m = transformer.transform(longitude, latitude)
    known = np.isfinite(easting_m) & np.isfinite(northing_m)
    return np.where(known, easting_m, np.nan), np.where(known, northing_m, np.nan)


def convergence_deg(text: str, easting_m: float, northing_m: float) -> float:
    """
    Meridian convergence: angle from true north to grid north, clockwise. [°]

    ``grid azimuth = true azimuth − convergence``. Negative west of the central meridian:
    −1.5° in Bonn, +1.9° in Munich (EPSG:25832). Computed by PROJ's ``proj_factors``.
    """
    longitude, latitude = longitude_latitude(text, easting_m, northing_m)
    return pyproj.Proj(horizontal_crs(text)).get_factors(longitude, latitude).meridian_convergence


def place_fault(text: str, easting_m: float, northing_m: float) -> str | None:
    """Why metres of the map are not metres on the ground at a place, or None."""
    try:
        longitude, latitude = longitude_latitude(text, easting_m, northing_m)
        factors = pyproj.Proj(horizontal_crs(text)).get_factors(longitude, latitude, errcheck=True)
    except ProjError:
        return f"the coordinates do not exist in {crs_name(text)}"
    if not math.isfinite(factors.meridional_scale):
        return f"the coordinates do not exist in {crs_name(text)}"
    scale = max(abs(factors.meridional_scale - 1), abs(factors.parallel_scale - 1))
    if scale > MAX_SCALE_ERROR:
        return (
            f"a metre in {crs_name(text)} is {factors.meridional_scale:.2f} m long at "
            f"{latitude:.2f}° N {longitude:.2f}° E"
        )
    return None


def distance_km(
    longitude: float, latitude: float, other_longitude: float, other_latitude: float
) -> float:
    """Length of the geodesic between two places on GRS80. [km]"""
    geod = pyproj.Geod(ellps="GRS80")
    _, _, distance_m = geod.inv(longitude, latitude, other_longitude, other_latitude)
    return distance_m / 1000.0


def transformation_note(source: str, target: str) -> str | None:
    """What is lost on the way between two systems: an accuracy worse than a metre."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of grids that are not there; the accuracy says it
        group = pyproj.transformer.TransformerGroup(horizontal_crs(source), horizontal_crs(target))
    accuracy_m = group.transformers[0].accuracy if group.transformers else -1.0
    if 0 <= accuracy_m <= 1.0:
        return None
    accuracy = f"{accuracy_m:g} m" if accuracy_m > 1.0 else "unknown accuracy"
    return f"transformed from {crs_name(source)} to {crs_name(target)} to {accuracy}"
