"""What the header of one raster file says, and what is wrong with it."""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from solarkataster.crs import place_fault, unit_fault, zone_prefix_fault
from solarkataster.errors import InputError, InputErrors
from solarkataster.grid import Grid

#: GDAL keeps decoded blocks up to this size; its default is 5 % of the machine's memory. [MB]
GDAL_CACHE_MB = 64

_FOOT_UNITS = ("ft", "foot", "feet", "us-ft", "us survey foot", "us_survey_foot")


@dataclass(frozen=True)
class RasterFile:
    """
    Header of one file: its grid and how its numbers become heights.

    ``parts`` are all files its heights come from: itself, its sidecars (mask, world file) and, of
    a virtual raster, those it refers to.
    """

    path: Path
    grid: Grid
    nodata: float | None
    dtype: str
    parts: tuple[Path, ...]


@contextlib.contextmanager
def gdal_environment() -> Iterator[None]:
    """Bounded block cache, no ``.aux.xml`` beside anyone's files, overviews made uncompressed."""
    with rasterio.Env(
        GDAL_CACHEMAX=GDAL_CACHE_MB,
        GDAL_PAM_ENABLED="NO",
        COG_TMP_COMPRESSION="NONE",  # else the driver spends half its time on a temporary file
    ):
        yield


def read_header(path: Path) -> RasterFile:
    """
    Grid and nodata value of one file.

    Raises
    ------
    InputErrors
        Every fault of the header.
    """
    try:
        with gdal_environment(), rasterio.open(path) as source:
            parts = _parts(path)
            faults = _header_faults(path, source) + _parts_faults(path, parts)
            if faults:
                raise InputErrors(faults)
            grid = Grid(
                source.shape,
                source.transform.c,
                source.transform.f,
                source.transform.a,
                source.crs.to_wkt(),
            )
            return RasterFile(path, grid, source.nodata, source.dtypes[0], parts)
    except RasterioError as error:
        raise InputErrors(
            [
                InputError(
                    f"cannot be opened as a raster ({error})",
                    where=str(path),
                    expected="a raster GDAL reads, for example GeoTIFF",
                    remedy="Download or export the file again; `gdalinfo FILE` must print it.",
                )
            ]
        ) from None


def _parts(path: Path) -> tuple[Path, ...]:
    """Files behind a raster in the order GDAL names them, itself first; some may be absent."""
    found: dict[str, None] = {}
    waiting = [str(path)]
    while waiting:
        name = waiting.pop(0)
        try:
            with warnings.catch_warnings():
                # Masks have no place of their own, and older rasters get theirs from the VRT.
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                with rasterio.open(name) as source:
                    files, refers = source.files, source.driver == "VRT"
        except RasterioError:
            continue  # A sidecar that is no raster.
        if refers:
            waiting += [file for file in files if file not in found and file != name]
        found |= dict.fromkeys(files)
    return tuple(map(Path, found))


def _parts_faults(path: Path, parts: tuple[Path, ...]) -> list[InputError]:
    """Of what lies in an archive or on a server nobody could say whether it has changed."""
    missing = [str(part) for part in parts if not part.is_file()]
    if not missing:
        return []
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    return [
        InputError(
            f"refers to {missing[0]}{more}, which is not a file here",
            where=str(path),
            expected="files that exist on this machine",
            remedy="Correct the paths in it, or write it out: gdal_translate FILE heights.tif",
        )
    ]


def _header_faults(path: Path, source: rasterio.DatasetReader) -> list[InputError]:
    faults = _cell_faults(path, source)
    if source.count != 1:
        faults.append(
            InputError(
                f"has {source.count} bands",
                where=str(path),
                expected="one band with heights",
                remedy="Is this an aerial image? Else take one band: gdal_translate -b 1.",
            )
        )
    if (source.units[0] or "").strip().lower() in _FOOT_UNITS:
        faults.append(
            InputError(
                f"its heights are in {source.units[0]}",
                where=str(path),
                expected="heights in metres",
                remedy='Convert: gdal_calc.py -A FILE --calc "A*0.3048" --outfile metres.tif',
            )
        )
    if source.crs is None:
        faults.append(
            InputError(
                "has no coordinate system",
                where=str(path),
                expected="a projected coordinate system in metres, such as EPSG:25832",
                remedy="If you know it, write it in: gdal_edit.py -a_srs EPSG:25832 FILE",
            )
        )
        return faults
    # The corners of rotated cells say nothing.
    bounds = None if _cell_faults(path, source) else tuple(source.bounds)
    return faults + _crs_faults(path, source.crs.to_wkt(), bounds)


def _cell_faults(path: Path, source: rasterio.DatasetReader) -> list[InputError]:
    a, b, c, d, e, f = source.transform[:6]
    if source.transform.is_identity:
        return [
            InputError(
                "has no place on the ground (no geotransform)",
                where=str(path),
                expected="a georeferenced raster",
                remedy="Export it with its world file or as GeoTIFF.",
            )
        ]
    if not all(map(math.isfinite, (a, b, c, d, e, f))) or b or d or a <= 0 or e >= 0:
        return [
            InputError(
                f"cells are rotated or flipped (transform {a:g}, {b:g}, {d:g}, {e:g})",
                where=str(path),
                expected="rows from north to south, columns from west to east",
                remedy="Warp it upright: gdalwarp -tr 0.5 0.5 -tap FILE upright.tif",
            )
        ]
    if not math.isclose(a, -e, rel_tol=1e-6):
        return [
            InputError(
                f"cells are {a:g} x {-e:g} m",
                where=str(path),
                expected="square cells",
                remedy=f"Resample: gdalwarp -r bilinear -tr {min(a, -e):g} {min(a, -e):g} FILE OUT",
            )
        ]
    return []


def _crs_faults(path: Path, crs: str, bounds: tuple[float, ...] | None) -> list[InputError]:
    found = unit_fault(crs)
    if found:
        remedy = "Reproject it, for example: gdalwarp -t_srs EPSG:25832 -tr 0.5 0.5 FILE OUT"
        if "heights" in found:
            remedy = 'Convert: gdal_calc.py -A FILE --calc "A*0.3048" --outfile metres.tif'
        expected = "a projected coordinate system and heights in metres"
        return [InputError(found, where=str(path), expected=expected, remedy=remedy)]
    if bounds is None:
        return []
    west, south, east, north = bounds
    prefix = zone_prefix_fault(crs, west, east)
    if prefix:
        found, right = prefix
        return [
            InputError(
                found,
                where=str(path),
                expected=f"{right}, by the eastings",
                remedy=f"Write the right system in: gdal_edit.py -a_srs {right} FILE",
            )
        ]
    place = place_fault(crs, (west + east) / 2, (south + north) / 2)
    if place:
        return [
            InputError(
                place,
                where=str(path),
                expected="a local projection whose lengths are true to 1 %",
                remedy="Reproject it, for example: gdalwarp -t_srs EPSG:25832 -tr 0.5 0.5 FILE OUT",
            )
        ]
    return []


def truncated_file(file: RasterFile) -> InputError | None:
    """A GeoTIFF whose block table points beyond its end, found without decoding a block."""
    size = os.path.getsize(file.path)
    with gdal_environment(), rasterio.open(file.path) as source:
        if source.driver != "GTiff":
            return None
        height, width = source.block_shapes[0]
        n_missing = 0
        for row in range(math.ceil(source.height / height)):
            for col in range(math.ceil(source.width / width)):
                start = source.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=1)
                length = source.get_tag_item(f"BLOCK_SIZE_{col}_{row}", "TIFF", bidx=1)
                n_missing += bool(start and length) and int(start) + int(length) > size
    if not n_missing:
        return None
    return InputError(
        f"truncated: {n_missing} blocks lie beyond the end of the file ({size} bytes)",
        where=str(file.path),
        expected="a complete file",
        remedy="Download or export the file again.",
    )
