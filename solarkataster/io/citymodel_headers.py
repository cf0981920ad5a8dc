"""What a file of a city model holds as a whole: coordinate system, counts, and its faults."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from solarkataster.crs import (
    crs_name,
    parse_crs,
    place_fault,
    same_crs,
    unit_fault,
    zone_prefix_fault,
)
from solarkataster.errors import InputError
from solarkataster.units import MAX_HEIGHT_M

Box = tuple[float, float, float, float]

#: Ground plans and heights as German surveys name them (AdV, Liste der Koordinatenreferenzsysteme),
#: with their EPSG codes.
_ADV_PLANS = {
    "ETRS89_UTM31": 25831,
    "ETRS89_UTM32": 25832,
    "ETRS89_UTM33": 25833,
    "DE_DHDN_3GK2": 31466,
    "DE_DHDN_3GK3": 31467,
    "DE_DHDN_3GK4": 31468,
    "DE_DHDN_3GK5": 31469,
}
_ADV_HEIGHTS = {"DE_DHHN2016_NH": 7837, "DE_DHHN92_NH": 5783, "DE_DHHN85_NOH": 5784}

#: Codes in ``urn:ogc:def:crs:EPSG::25832``, ``EPSG:6.12:5783``, ``…/def/crs/EPSG/0/7415``,
#: ``EPSG:25832+7837`` and ``epsg.xml#25832``.
_EPSG = re.compile(r"EPSG(?:\.xml#|[:/]+(?:[\d.]*[:/]+)?)(\d{4,6})(?:\+(\d{4,6}))?", re.IGNORECASE)

#: How many ids of the same fault are named.
_N_NAMED = 3


@dataclass(frozen=True, slots=True)
class BuildingPlace:
    """
    Where a building is: in the file, and on the map.

    Parameters
    ----------
    building_id : str
    pieces : tuple of (int, int)
        First byte and the byte after the last, of the building and, in CityJSON, of its parts.
    bounds : tuple of float
        West, south, east, north of its LoD2 surfaces; NaN if it has none. [m]
    """

    building_id: str
    pieces: tuple[tuple[int, int], ...]
    bounds: Box


@dataclass(frozen=True)
class CityModelFile:
    """
    One file of a city model.

    Parameters
    ----------
    path : Path
    format, version : str
        ``CityGML`` 1.0 or 2.0, ``CityJSON`` 1.0 to 2.0.
    crs : str
        Its own, or that of the config if it names none.
    n_parts, n_polygons : int
        Parts of buildings; polygons of LoD2 as the file has them, some maybe twice.
    bounds : tuple of float
        West, south, east, north of its LoD2 surfaces, not of the tile. [m]
    lowest_m, highest_m : float
        [m]
    buildings : tuple of BuildingPlace
        In the order of the file, those without LoD2 included.
    notes : tuple of str
        What the reader should know.
    reading : Any
        What the format's reader needs to read a building by itself.
    n_bytes : int
        Size of the file; another one tells that places in it no longer hold.
    """

    path: Path
    format: Literal["CityGML", "CityJSON"]
    version: str
    crs: str
    n_parts: int
    n_polygons: int
    bounds: Box
    lowest_m: float
    highest_m: float
    buildings: tuple[BuildingPlace, ...]
    notes: tuple[str, ...]
    reading: Any
    n_bytes: int

    @property
    def n_buildings(self) -> int:
        return len(self.buildings)


@dataclass
class Scan:
    """What a look through a whole file found; filled by the formats."""

    format: Literal["CityGML", "CityJSON"]
    version: str = ""
    crs_names: Counter[str] = field(default_factory=Counter)
    buildings: list[BuildingPlace] = field(default_factory=list)
    n_parts: int = 0
    n_polygons: int = 0
    #: Levels of detail and how many buildings or parts have them: ``"0"`` to ``"4"``.
    lods: Counter[str] = field(default_factory=Counter)
    n_without_id: int = 0
    doubled_ids: list[str] = field(default_factory=list)
    n_flat_rings: int = 0
    n_installations: int = 0
    lowest_m: float = math.inf
    highest_m: float = -math.inf
    reading: Any = None

    @property
    def bounds(self) -> Box:
        """Of all buildings with LoD2."""
        boxes = [b.bounds for b in self.buildings if not math.isnan(b.bounds[0])]
        if not boxes:
            return (math.nan,) * 4
        west, south, east, north = zip(*boxes, strict=True)
        return min(west), min(south), max(east), max(north)


class CityModelFault(Exception):
    """A file that cannot be looked through: found, expected, remedy."""

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        super().__init__(found)

    def at(self, path: Path) -> InputError:
        """The fault of a file."""
        return InputError(self.found, where=str(path), expected=self.expected, remedy=self.remedy)


def epsg_crs(name: str) -> str | None:
    """
    A coordinate system's name as in GML and CityJSON, as a code that PROJ reads; None if unknown.

    ``urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH*GCG2016`` becomes ``EPSG:25832+7837``; the model of
    the quasigeoid at the end does not matter for heights that are there.
    """
    if "urn:adv:crs:" in name:
        plan, *heights = name.rsplit(":", 1)[1].split("*")
        codes = [_ADV_PLANS.get(plan)] + [_ADV_HEIGHTS[h] for h in heights if h in _ADV_HEIGHTS]
        return "EPSG:" + "+".join(map(str, codes)) if codes[0] else None
    found = [code for pair in _EPSG.findall(name) for code in pair if code]
    if not found:
        return None
    text = "EPSG:" + "+".join(found)
    try:
        parse_crs(text)
    except ValueError:
        return None
    return text


def scan_faults(
    path: Path, scan: Scan, crs: str | None, expected_crs: str | None
) -> tuple[str | None, list[InputError]]:
    """
    Coordinate system of a file and everything that is wrong with it.

    Parameters
    ----------
    path : Path
    scan : Scan
    crs : str or None
        Coordinate system of files that name none.
    expected_crs : str or None
        Coordinate system that is needed: that of the surface model.
    """
    faults = _content_faults(path, scan)
    if scan.lods["2"] == 0:
        return None, faults  # without coordinates nothing more can be said
    named = sorted(scan.crs_names)
    codes = {epsg_crs(name) for name in named}
    if len({c and crs_name(c) for c in codes}) > 1:
        faults.append(
            InputError(
                f"names {len(named)} coordinate systems: {', '.join(named)}",
                where=str(path),
                expected="one coordinate system for all buildings",
                remedy="Export the file again in one coordinate system.",
            )
        )
        return None, faults
    if None in codes:
        faults.append(_unknown_crs(path, named[0], scan, expected_crs))
        return None, faults
    system = max(sorted(c for c in codes if c), key=len, default=None) or crs
    if system is None:
        faults.append(
            InputError(
                "has no coordinate system",
                where=str(path),
                expected="a coordinate system in the file, or crs in [lod2]",
                remedy=f'If you know it, name it in [lod2]: crs = "{_code(expected_crs)}"',
            )
        )
        return None, faults
    return system, faults + _crs_faults(path, scan, system, expected_crs) + _height_faults(
        path, scan
    )


def _content_faults(path: Path, scan: Scan) -> list[InputError]:
    faults = []
    if not scan.buildings and not scan.n_without_id:
        found = "holds no building"
        remedy = "Take it out of lod2 in [inputs], or download it again."
        return [InputError(found, where=str(path), expected="buildings", remedy=remedy)]
    if scan.lods["2"] == 0:
        other = [f"LoD{lod}" for lod in sorted(scan.lods)]
        found = f"its {len(scan.buildings)} buildings have "
        found += f"{' and '.join(other)} only" if other else "no geometry"
        faults.append(
            InputError(
                found,
                where=str(path),
                expected="LoD2: walls and roofs as surfaces of their own",
                remedy="Take the LoD2 model of the same place, or none: lod2 in [inputs].",
            )
        )
    if scan.n_without_id:
        faults.append(
            InputError(
                f"{scan.n_without_id} buildings have no gml:id",
                where=str(path),
                expected="an id for every building",
                remedy="Export the file again with gml:id.",
            )
        )
    if scan.doubled_ids:
        faults.append(doubled_fault([(i, (path, path)) for i in scan.doubled_ids]))
    if scan.n_flat_rings:
        faults.append(
            InputError(
                f"{scan.n_flat_rings} rings have two coordinates a point (srsDimension 2)",
                where=str(path),
                expected="three: easting, northing, elevation",
                remedy="Export the file again with heights.",
            )
        )
    return faults


def doubled_fault(doubled: list[tuple[str, tuple[Path, Path]]]) -> InputError:
    """Ids that are there twice, with the first files that hold them."""
    names = ", ".join(building_id for building_id, _ in doubled[:_N_NAMED])
    more = f" and {len(doubled) - _N_NAMED} more" if len(doubled) > _N_NAMED else ""
    one, other = doubled[0][1]
    is_same = one == other
    return InputError(
        f"buildings are there twice: {names}{more}" + ("" if is_same else f", also in {one}"),
        where=str(other),
        expected="every building once, in one file",
        remedy="Remove the second one; take every tile of one delivery once.",
    )


def _unknown_crs(path: Path, name: str, scan: Scan, expected_crs: str | None) -> InputError:
    return InputError(
        f"its coordinate system cannot be read ({name[:80]})",
        where=str(path),
        expected=f"a code, for example urn:ogc:def:crs:EPSG::{_code(expected_crs)[5:]}",
        remedy="Export the file again with such a code, or correct srsName"
        if scan.format == "CityGML"
        else "Correct referenceSystem under metadata.",
    )


def _crs_faults(path: Path, scan: Scan, crs: str, expected_crs: str | None) -> list[InputError]:
    """What is wrong with a system, the most telling alone."""
    right = _code(expected_crs)
    expected = f"{right}, as the surface model has" if expected_crs else f"for example {right}"
    remedy = _reproject(scan.format, right)

    def fault(found: str, expected: str = expected, remedy: str = remedy) -> list[InputError]:
        return [InputError(found, where=str(path), expected=expected, remedy=remedy)]

    try:
        found = unit_fault(crs)
    except ValueError:
        return fault(
            f"its coordinate system cannot be read ({crs[:60]})",
            remedy=f'Correct crs in [lod2], for example: crs = "{right}"',
        )
    if found:
        return fault(found)
    west, south, east, north = scan.bounds
    if not all(map(math.isfinite, (west, south, east, north))):
        return []
    middle = (west + east) / 2, (south + north) / 2
    place = place_fault(crs, *middle)
    if place and not place_fault(crs, *middle[::-1]):
        found = "northings come before eastings"
        return fault(found, "easting, northing, elevation", "Export it again with eastings first.")
    prefix = zone_prefix_fault(crs, west, east)
    if prefix:
        return fault(prefix[0], f"{prefix[1]}, by the eastings", f"Name {prefix[1]} in the file.")
    if expected_crs is not None and not same_crs(crs, expected_crs):
        return fault(f"coordinate system is {crs_name(crs)}")
    return fault(place) if place else []


def _height_faults(path: Path, scan: Scan) -> list[InputError]:
    low, high = scan.lowest_m, scan.highest_m
    found = None
    if not math.isfinite(low):  # none could be read; said by surface
        return []
    if low == high == 0.0:
        found = "all heights are 0"
    elif max(abs(low), abs(high)) > MAX_HEIGHT_M:
        found = f"heights from {low:.0f} to {high:.0f}"
    if found is None:
        return []
    expected = "heights above sea level in metres"
    remedy = "Export the file again with heights in metres."
    return [InputError(found, where=str(path), expected=expected, remedy=remedy)]


def scan_notes(scan: Scan, crs: str, expected_crs: str | None) -> Iterable[str]:
    """What the reader of a usable file should know."""
    n_without = sum(math.isnan(b.bounds[0]) for b in scan.buildings)
    if n_without:
        yield f"{n_without} of {len(scan.buildings)} buildings have no LoD2"
    if scan.n_installations:
        yield f"{scan.n_installations} building installations (balconies, chimneys) are not read"
    if expected_crs is not None:
        own, other = (parse_crs(text).sub_crs_list[1:] for text in (crs, expected_crs))
        if own and other and not own[0].equals(other[0]):
            yield f"its heights are {own[0].name}, the surface model's {other[0].name}"


def _reproject(file_format: str, right: str) -> str:
    code = right.removeprefix("EPSG:")
    if file_format == "CityGML":
        return f"Reproject it, for example: citygml-tools reproject --target-crs={code} FILE"
    return f"Reproject it, for example: cjio FILE crs_reproject {code} save OUT"


def _code(crs: str | None) -> str:
    return crs_name(crs) if crs else "EPSG:25832"
