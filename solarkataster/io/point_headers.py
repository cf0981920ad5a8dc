"""What the header of one file of laser points says, and what is wrong with it."""

from __future__ import annotations

import math
import os
import re
import struct
from dataclasses import dataclass
from pathlib import Path

import laspy
from laspy.copc import CopcInfoVlr
from laspy.header import LasHeader
from laspy.vlrs.known import GeoKeyDirectoryVlr
from pyproj.exceptions import CRSError

from solarkataster.crs import crs_name, place_fault, same_crs, unit_fault, zone_prefix_fault
from solarkataster.errors import InputError, InputErrors

#: GeoTIFF keys of the units of lengths in plan and of heights, and the codes that mean feet
#: (GeoTIFF 1.1, OGC 19-008r4): laspy reads the code of the system alone.
_UNIT_KEYS = {3076: "coordinates", 4099: "heights"}
_FOOT_CODES = (9002, 9003, 9004, 9005, 9006)

#: Names that German surveys write in place of a code: ``ETRS89_UTM32*DE_DHHN2016_NH``.
_ADV_NAME = re.compile(r"ETRS89[_ /]*UTM[_ ]*(?:zone[_ ]*)?(3[1-3])", re.IGNORECASE)

_REPROJECT = (
    "Reproject it, for example: pdal translate FILE OUT reprojection "
    "--filters.reprojection.out_srs={}"
)


@dataclass(frozen=True)
class PointFile:
    """
    Header of one file.

    Parameters
    ----------
    path : Path
    n_points : int
    bounds : tuple of float
        West, south, east, north, as the header says. [m]
    lowest_m, highest_m : float
        Heights, as the header says. [m]
    crs : str
        WKT or code: its own, or that of the config if it names none.
    is_copc : bool
        Its points lie in an octree and can be asked for by place.
    scale_m : float
        Step of the coordinates. [m]
    """

    path: Path
    n_points: int
    bounds: tuple[float, float, float, float]
    lowest_m: float
    highest_m: float
    crs: str
    is_copc: bool
    scale_m: float


def read_point_header(path: Path, crs: str | None, expected_crs: str | None) -> PointFile:
    """
    Header of one file; no point is read.

    Parameters
    ----------
    path : path
    crs : str or None
        Coordinate system of files that name none.
    expected_crs : str or None
        Coordinate system that is needed: that of the surface model.

    Raises
    ------
    InputErrors
        Every fault of: no LAS file, truncated, empty, no coordinate system, one in feet or degrees
        or another than expected, zone number in the eastings.
    """
    header = _header(path)
    fault = _truncation(path, header) or _emptiness(path, header)
    if fault:
        raise InputErrors([fault])
    west, south, east, north = (
        round(float(value), 4) for value in (*header.mins[:2], *header.maxs[:2])
    )
    own, faults = _own_crs(path, header)
    system = own or crs
    if system is None and not faults:
        faults = [
            InputError(
                "has no coordinate system",
                where=str(path),
                expected="a coordinate system in the file, or crs in [points]",
                remedy=f'If you know it, name it in [points]: crs = "{_code(expected_crs)}"',
            )
        ]
    elif system is not None:
        faults += _crs_faults(path, system, (west, south, east, north), expected_crs)
    if faults:
        raise InputErrors(faults)
    assert system is not None
    return PointFile(
        path,
        int(header.point_count),
        (west, south, east, north),
        float(header.mins[2]),
        float(header.maxs[2]),
        system,
        bool(header.vlrs) and isinstance(header.vlrs[0], CopcInfoVlr),
        float(max(header.scales[:2])),
    )


def _header(path: Path) -> LasHeader:
    _refuse_impossible_records(path)
    try:
        with laspy.open(path) as reader:
            return reader.header
    except Exception as error:  # a parser fed with anything raises anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputErrors(
            [
                InputError(
                    f"cannot be opened as laser points ({reason})",
                    where=str(path),
                    expected="LAS, LAZ or COPC",
                    remedy="Download or export the file again; `pdal info FILE` must print it.",
                )
            ]
        ) from None


def _refuse_impossible_records(path: Path) -> None:
    """
    Stop at more records in the header than have room in the file: a reader would look for them all.

    Places as in LAS 1.4 (ASPRS 2019), tables 3, 22 and 23; damaged signatures are left to the
    reader.
    """
    size = os.path.getsize(path)
    with open(path, "rb") as stream:
        head = stream.read(247)
    if len(head) < 104 or head[:4] != b"LASF":
        return
    header_size, first_point, n_record = struct.unpack_from("<HII", head, 94)
    is_damaged = header_size + 54 * n_record > first_point or first_point > size
    if head[25] >= 4 and len(head) == 247:
        first_extended, n_extended = struct.unpack_from("<QI", head, 235)
        is_damaged |= n_extended > 0 and first_extended + 60 * n_extended > size
    if is_damaged:
        raise InputErrors(
            [
                InputError(
                    "has a damaged header: more records than have room in the file",
                    where=str(path),
                    expected="LAS, LAZ or COPC",
                    remedy="Download or export the file again.",
                )
            ]
        )


def _truncation(path: Path, header: LasHeader) -> InputError | None:
    """A file that ends before its points, or before the table of its compressed chunks, do."""
    size = os.path.getsize(path)
    if header.are_points_compressed:
        needed = _chunk_table_offset(path, header.offset_to_point_data, size) + 8
    else:
        needed = header.offset_to_point_data + header.point_count * header.point_format.size
    if needed <= size:
        return None
    return InputError(
        f"truncated: its points end at byte {needed}, the file at byte {size}",
        where=str(path),
        expected="a complete file",
        remedy="Download or export the file again.",
    )


def _chunk_table_offset(path: Path, at: int, size: int) -> int:
    """The LAZ chunk table stands behind the points; its place before them, or at the very end."""
    with open(path, "rb") as stream:
        stream.seek(at)
        text = stream.read(8)
        if len(text) < 8:
            return size
        (offset,) = struct.unpack("<q", text)
        if offset == -1 and size >= 8:  # written to a stream
            stream.seek(size - 8)
            (offset,) = struct.unpack("<q", stream.read(8))
    return offset


def _emptiness(path: Path, header: LasHeader) -> InputError | None:
    expected = "laser points"
    remedy = "Take it out of points in [inputs], or download it again."
    if header.point_count == 0:
        return InputError("holds no point", where=str(path), expected=expected, remedy=remedy)
    bounds = [*map(float, header.mins), *map(float, header.maxs)]
    if not all(map(math.isfinite, bounds)) or any(header.mins[:2] > header.maxs[:2]):
        found = f"its header gives impossible bounds ({', '.join(f'{b:g}' for b in bounds)})"
        remedy = "Write it anew: pdal translate FILE OUT"
        return InputError(found, where=str(path), expected="bounds of its points", remedy=remedy)
    return None


def _own_crs(path: Path, header: LasHeader) -> tuple[str | None, list[InputError]]:
    """The system the file names, or None; units in feet that its name does not tell."""
    try:
        crs = header.parse_crs()
    except CRSError:
        crs = None
    records = [*header.vlrs, *(header.evlrs or ())]
    for record in records:
        for key in record.geo_keys if isinstance(record, GeoKeyDirectoryVlr) else ():
            if key.id in _UNIT_KEYS and key.value_offset in _FOOT_CODES:
                return None, [_feet(path, f"its {_UNIT_KEYS[key.id]} are in feet")]
    if crs is not None:
        return crs.to_wkt(), []
    for record in records:
        if record.user_id == "LASF_Projection":
            text = record.record_data_bytes().decode("latin-1")
            found = _ADV_NAME.search(text)
            if found:
                return f"EPSG:258{found[1]}", []
    return None, []


def _feet(path: Path, found: str) -> InputError:
    return InputError(
        found,
        where=str(path),
        expected="coordinates and heights in metres",
        remedy="Convert it: pdal translate FILE OUT transformation "
        '--filters.transformation.matrix="0.3048 0 0 0 0 0.3048 0 0 0 0 0.3048 0 0 0 0 1", '
        "or reproject it to a system in metres",
    )


def _crs_faults(
    path: Path, crs: str, bounds: tuple[float, float, float, float], expected_crs: str | None
) -> list[InputError]:
    """What is wrong with a system, the most telling alone."""
    right = _code(expected_crs)
    expected = f"{right}, as the surface model has" if expected_crs else f"for example {right}"
    remedy = _REPROJECT.format(right)
    try:
        found = unit_fault(crs)
    except ValueError:
        found = f"its coordinate system cannot be read ({crs[:60]})"
        remedy = f'Correct crs in [points], for example: crs = "{right}"'
    if found:
        if "heights" in found:
            return [_feet(path, found)]
        return [InputError(found, where=str(path), expected=expected, remedy=remedy)]
    west, south, east, north = bounds
    prefix = zone_prefix_fault(crs, west, east)
    if prefix:
        found, code = prefix
        return [
            InputError(
                found,
                where=str(path),
                expected=f"{code}, by the eastings",
                remedy=f"{_REPROJECT.format(right)} --filters.reprojection.in_srs={code}",
            )
        ]
    if expected_crs is not None and not same_crs(crs, expected_crs):
        found = f"coordinate system is {crs_name(crs)}"
        return [InputError(found, where=str(path), expected=expected, remedy=remedy)]
    place = place_fault(crs, (west + east) / 2, (south + north) / 2)
    if place:
        return [InputError(place, where=str(path), expected=expected, remedy=remedy)]
    return []


def _code(crs: str | None) -> str:
    return crs_name(crs) if crs else "EPSG:25832"
