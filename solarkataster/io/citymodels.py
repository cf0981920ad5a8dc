"""City models: CityGML and CityJSON files, of which only the buildings in some bounds are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from solarkataster.citymodels import CityObject, CitySurface, CitySurfaces, SurfaceFault
from solarkataster.errors import InputError, InputErrors
from solarkataster.io.citymodel_gml import building_texts, scan_gml
from solarkataster.io.citymodel_gml_surfaces import building_of as gml_building
from solarkataster.io.citymodel_headers import (
    Box,
    BuildingPlace,
    CityModelFault,
    CityModelFile,
    doubled_fault,
    scan_faults,
    scan_notes,
)
from solarkataster.io.citymodel_json import building_objects, read_vertices, scan_json
from solarkataster.io.citymodel_json_surfaces import building_of as json_building
from solarkataster.io.rasters import raster_paths

__all__ = [
    "BuildingPlace",
    "CityModelFile",
    "CityModelSource",
    "citymodel_paths",
    "open_citymodels",
    "read_city_surfaces",
]

#: What readers meet in a building that could be read when its file was looked through.
_UNREADABLE = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, CityModelFault,
)  # fmt: skip

_Building = tuple[list[CityObject], list[CitySurface], list[SurfaceFault]]


@dataclass(frozen=True)
class CityModelSource:
    """
    Files of a city model in one coordinate system.

    Parameters
    ----------
    crs : str
        That of the surface model, or of the first file.
    files : tuple of CityModelFile
        In order of their paths.
    """

    crs: str
    files: tuple[CityModelFile, ...]

    @property
    def n_buildings(self) -> int:
        return sum(file.n_buildings for file in self.files)

    @property
    def n_parts(self) -> int:
        return sum(file.n_parts for file in self.files)

    @property
    def n_polygons(self) -> int:
        return sum(file.n_polygons for file in self.files)

    @property
    def bounds(self) -> Box:
        """West, south, east, north of all LoD2 surfaces. [m]"""
        west, south, east, north = zip(*(file.bounds for file in self.files), strict=True)
        return min(west), min(south), max(east), max(north)

    @property
    def notes(self) -> list[str]:
        """What the reader should know, file by file."""
        return [f"{file.path.name}: {note}" for file in self.files for note in file.notes]

    def touching(self, bounds: Box) -> CityModelSource:
        """The source with only those files and buildings that have surfaces within bounds."""
        files = (
            replace(file, buildings=tuple(b for b in file.buildings if _touch(b.bounds, bounds)))
            for file in self.files
            if _touch(file.bounds, bounds)
        )
        return CityModelSource(self.crs, tuple(file for file in files if file.buildings))


def _touch(one: Box, other: Box) -> bool:
    """Whether two boxes share a point; none with NaN does."""
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]


def citymodel_paths(patterns: str | Path | Sequence[str | Path]) -> list[Path]:
    """Files named by paths or globs, sorted; one reached by two names counts once."""
    paths = raster_paths(patterns, "file of a city model")
    return list({path.resolve(): path for path in reversed(paths)}.values())[::-1]


def open_citymodels(
    paths: str | Path | Sequence[str | Path],
    *,
    crs: str | None = None,
    expected_crs: str | None = None,
) -> CityModelSource:
    """
    Look through files of a LoD2 city model: what they hold, and where each building is.

    Every byte is looked at once, since headers of city models give the bounds of the tile and
    not of its buildings, and no counts. Memory grows with the number of buildings (in CityJSON
    with that of vertices too, while a file is looked at), not with the files.

    Parameters
    ----------
    paths : path or sequence of paths
        Files, or globs.
    crs : str, optional
        Coordinate system of files that name none, as WKT or code.
    expected_crs : str, optional
        Ground plan they must have: that of the surface model. Whether one of the two names its
        heights does not matter; if both do and differ, it is noted. Nothing is transformed.

    Returns
    -------
    CityModelSource

    Raises
    ------
    InputErrors
        Every fault of: no XML or JSON, truncated, damaged, document type declared, no city model
        or another version, no building, no LoD2, no ids, ids that are there twice (in other files
        too), no heights, no coordinate system, one in feet or degrees or another than expected,
        more than one, zone number in the eastings, northings first.
    """
    files: list[CityModelFile] = []
    faults: list[InputError] = []
    for path in citymodel_paths(paths):
        try:
            files.append(_opened(path, crs, expected_crs))
            expected_crs = expected_crs or files[0].crs
        except InputErrors as error:
            faults.extend(error.errors)
    faults += _doubled_ids(files)
    if faults:
        raise InputErrors(faults)
    assert expected_crs is not None
    return CityModelSource(expected_crs, tuple(files))


def _opened(path: Path, crs: str | None, expected_crs: str | None) -> CityModelFile:
    try:
        scan = scan_json(path) if _is_json(path) else scan_gml(path)
    except CityModelFault as fault:
        raise InputErrors([fault.at(path)]) from None
    system, faults = scan_faults(path, scan, crs, expected_crs)
    if faults:
        raise InputErrors(faults)
    assert system is not None
    return CityModelFile(
        path,
        scan.format,
        scan.version,
        system,
        scan.n_parts,
        scan.n_polygons,
        scan.bounds,
        scan.lowest_m,
        scan.highest_m,
        tuple(scan.buildings),
        tuple(scan_notes(scan, system, expected_crs)),
        scan.reading,
        path.stat().st_size,
    )


def _is_json(path: Path) -> bool:
    """By its first letter, not by its name."""
    with open(path, "rb") as stream:
        start = stream.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    return start[:1] in (b"{", b"[")


def _doubled_ids(files: list[CityModelFile]) -> list[InputError]:
    """One fault for each pair of files that share buildings."""
    first: dict[str, Path] = {}
    shared: dict[tuple[Path, Path], list[str]] = {}
    for file in files:
        for building in file.buildings:
            before = first.setdefault(building.building_id, file.path)
            if before != file.path:
                shared.setdefault((before, file.path), []).append(building.building_id)
    return [doubled_fault([(i, pair) for i in ids]) for pair, ids in shared.items()]


def read_city_surfaces(source: CityModelSource, bounds: Box | None = None) -> CitySurfaces:
    """
    Surfaces of the buildings that touch some bounds.

    Parameters
    ----------
    source : CityModelSource
    bounds : tuple of float, optional
        West, south, east, north; whole buildings are read. All without. [m]

    Returns
    -------
    CitySurfaces
        In the order of building ids, whatever the order of the files. The files' coordinates as
        they are: nothing is turned, closed or flattened;
        :func:`solarkataster.citymodel_faults.surface_faults` names what is wrong with them.

    Raises
    ------
    InputError
        If a file has changed since it was opened.
    """
    chosen = source if bounds is None else source.touching(bounds)
    found: list[tuple[str, _Building]] = []
    for file in chosen.files:
        try:
            if file.path.stat().st_size != file.n_bytes:
                raise ValueError
            found += [(place.building_id, building) for place, building in _buildings(file)]
        except _UNREADABLE:
            raise InputError(
                "cannot be read any more: changed since it was opened",
                where=str(file.path),
                expected="the file as it was",
                remedy="Start again, and leave the file alone meanwhile.",
            ) from None
    found.sort(key=lambda one: one[0])
    parts = [building for _, building in found]
    return CitySurfaces(
        [thing for objects, _, _ in parts for thing in objects],
        [surface for _, surfaces, _ in parts for surface in surfaces],
        [fault for _, _, faults in parts for fault in faults],
    )


def _buildings(file: CityModelFile) -> Iterator[tuple[BuildingPlace, _Building]]:
    """Each building of a file in the order of the file."""
    if file.format == "CityGML":
        for place, text in building_texts(file.path, file.reading, file.buildings):
            yield place, gml_building(place.building_id, text)
        return
    vertices = read_vertices(file.path, file.reading)
    for place, objects in building_objects(file.path, file.buildings):
        yield place, json_building(place.building_id, objects, vertices)
