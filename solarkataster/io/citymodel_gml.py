"""CityGML 1.0 and 2.0: one look through a file, then single buildings by their place in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from solarkataster.io.citymodel_headers import BuildingPlace, CityModelFault, Scan

#: Namespaces, by version.
_BUILDING = {f"http://www.opengis.net/citygml/building/{v}": v for v in ("1.0", "2.0")}
_LATER = "http://www.opengis.net/citygml/building/3.0"
#: GML 3.1 and 3.2.
GML = ("http://www.opengis.net/gml", "http://www.opengis.net/gml/3.2")

#: Elements that are one polygon, and those that hold coordinates.
POLYGONS = ("Polygon", "PolygonPatch", "Triangle", "Rectangle")
POSITIONS = ("posList", "pos", "coordinates")

_CHUNK_BYTES = 1 << 20
_EXPECTED = "CityGML 1.0 or 2.0"
_AGAIN = "Download or export the file again."


@dataclass(frozen=True)
class GmlReading:
    """
    What it takes to read a building by itself.

    Parameters
    ----------
    namespaces : tuple of (str, str)
        Prefixes declared outside of buildings, and what they stand for.
    encoding : str
    """

    namespaces: tuple[tuple[str, str], ...]
    encoding: str


def scan_gml(path: Path) -> Scan:
    """
    Look through a whole file, a piece at a time.

    Memory grows with the number of buildings, by less than a kilobyte each, not with the file.

    Raises
    ------
    CityModelFault
        If the file is no XML, is truncated, declares a document type or is no CityGML.
    """
    look = _Look()
    with open(path, "rb") as stream:
        try:
            while chunk := stream.read(_CHUNK_BYTES):
                look.parser.Parse(chunk, False)
            look.parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise _broken(error, look) from None
    if _LATER in look.uris and not look.scan.buildings:
        raise CityModelFault(
            "is CityGML 3.0", _EXPECTED, "Convert it: citygml-tools downgrade FILE"
        )
    scan = look.scan
    scan.version = look.version
    scan.reading = GmlReading(tuple(look.namespaces.items()), look.encoding)
    return scan


def _broken(error: expat.ExpatError, look: _Look) -> CityModelFault:
    ends_early = error.code in (
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
    )
    if not look.has_root:
        found = f"cannot be opened as XML ({expat.ErrorString(error.code)})"
        return CityModelFault(found, f"{_EXPECTED}, or CityJSON", f"{_AGAIN} Unpack archives.")
    if ends_early:
        found = f"truncated: ends in line {error.lineno} within an element"
        return CityModelFault(found, "a complete file", _AGAIN)
    found = f"damaged in line {error.lineno} ({expat.ErrorString(error.code)})"
    return CityModelFault(found, "well-formed XML", _AGAIN)


def _refuse_doctype(*_: object) -> NoReturn:
    # Entities declared there can blow up to any size, or fetch other files.
    raise CityModelFault(
        "declares a document type (<!DOCTYPE …>)",
        "CityGML, which has none",
        "Remove the declaration, if the file is from a source you trust.",
    )


class _Look:
    """Handlers of the parser; they see every element, so they do little."""

    def __init__(self) -> None:
        self.scan = Scan("CityGML")
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.buffer_size = _CHUNK_BYTES
        self.parser.XmlDeclHandler = self._declared
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.StartNamespaceDeclHandler = self._namespace
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.encoding, self.version, self.has_root = "utf-8", "", False
        self.namespaces: dict[str, str] = {}
        self.uris: set[str] = set()
        self._known: dict[str, tuple[Callable[[Any], None] | None, Callable | None]] = {}
        self._ids: set[str] = set()
        self._building: tuple[str | None, int] | None = None
        self._lod = ""
        self._lods: set[str] = set()
        self._dimension = 3
        self._text: list[str] = []
        self._texts: list[tuple[int, str]] = []

    def _declared(self, version: str, encoding: str | None, standalone: int) -> None:
        self.encoding = (encoding or "utf-8").lower()
        if self.encoding.startswith(("utf-16", "ucs", "utf-32")):
            remedy = f"Convert it: iconv -f {self.encoding} -t utf-8 FILE > OUT, and its first line"
            raise CityModelFault(f"is encoded as {self.encoding}", "UTF-8 or Latin-1", remedy)

    def _namespace(self, prefix: str | None, uri: str) -> None:
        self.uris.add(uri)
        if self._building is None:
            self.namespaces[prefix or ""] = uri

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.has_root = True
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._handlers_of(name)
        if attributes:
            if "srsName" in attributes:
                self.scan.crs_names[attributes["srsName"]] += 1
            if "srsDimension" in attributes and self._lod == "2":
                self._dimension = 2 if attributes["srsDimension"] == "2" else 3
        if known[0] is not None:
            known[0](attributes)

    def _end(self, name: str) -> None:
        act = self._known[name][1]
        if act is not None:
            act()

    def _handlers_of(self, name: str) -> tuple[Callable[[Any], None] | None, Callable | None]:
        """What to do at the start and at the end of elements of a name."""
        uri, _, local = name.rpartition(" ")
        if uri in _BUILDING:
            if local == "Building":
                self.version = _BUILDING[uri]
                return self._building_starts, self._building_ends
            if local == "BuildingPart":
                return self._part_starts, None
            if local == "BuildingInstallation":
                return self._installation_starts, None
            if local.startswith("lod") and local[3:4].isdigit() and "Intersection" not in local:
                return lambda _: self._geometry_starts(local[3]), self._geometry_ends
        elif uri in GML and local in POSITIONS:
            return self._position_starts, self._position_ends
        elif uri in GML and local in POLYGONS:
            return self._polygon_starts, None
        return None, None

    def _building_starts(self, attributes: dict[str, str]) -> None:
        own = next((attributes[f"{uri} id"] for uri in GML if f"{uri} id" in attributes), None)
        self._building = own, self.parser.CurrentByteIndex
        self._lods.clear()
        self._texts.clear()

    def _building_ends(self) -> None:
        assert self._building is not None
        building_id, first_byte = self._building
        self._building = None
        self.scan.lods.update(self._lods)
        if building_id is None:
            self.scan.n_without_id += 1
            return
        if building_id in self._ids:
            self.scan.doubled_ids.append(building_id)
        self._ids.add(building_id)
        # The place of the end tag itself; the reader looks for its bracket.
        pieces = ((first_byte, self.parser.CurrentByteIndex),)
        self.scan.buildings.append(BuildingPlace(building_id, pieces, self._bounds()))

    def _bounds(self) -> tuple[float, float, float, float]:
        """Of the building's LoD2 coordinates; what is no number is named when it is read."""
        easting, northing, elevation = [], [], []
        for dimension, text in self._texts:
            values = numbers(text)
            if dimension != 3:
                self.scan.n_flat_rings += 1
            elif values is not None and len(values) % 3 == 0:
                easting += values[0::3]
                northing += values[1::3]
                elevation += values[2::3]
        if not easting:
            return (math.nan,) * 4
        self.scan.lowest_m = min(self.scan.lowest_m, *elevation)
        self.scan.highest_m = max(self.scan.highest_m, *elevation)
        return min(easting), min(northing), max(easting), max(northing)

    def _part_starts(self, _: dict[str, str]) -> None:
        self.scan.n_parts += 1

    def _installation_starts(self, _: dict[str, str]) -> None:
        self.scan.n_installations += 1

    def _geometry_starts(self, lod: str) -> None:
        self._lod, self._dimension = lod, 3
        self._lods.add(lod)

    def _geometry_ends(self) -> None:
        self._lod = ""

    def _polygon_starts(self, _: dict[str, str]) -> None:
        if self._lod == "2":
            self.scan.n_polygons += 1

    def _position_starts(self, _: dict[str, str]) -> None:
        if self._lod == "2" and self._building is not None:
            self._text.clear()
            self.parser.CharacterDataHandler = self._text.append

    def _position_ends(self) -> None:
        if self._lod == "2" and self._building is not None:
            self.parser.CharacterDataHandler = None
            self._texts.append((self._dimension, "".join(self._text)))


def numbers(text: str) -> list[float] | None:
    """Numbers of a text with blanks or commas between them; None if one is not, or is infinite."""
    try:
        values = list(map(float, (text.replace(",", " ") if "," in text else text).split()))
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def building_texts(
    path: Path, reading: GmlReading, places: Iterable[BuildingPlace]
) -> Iterator[tuple[BuildingPlace, bytes]]:
    """Each building as a document of its own."""
    declared = "".join(
        f' xmlns{":" if prefix else ""}{prefix}="{_escaped(uri)}"'
        for prefix, uri in reading.namespaces
    )
    head = f'<?xml version="1.0" encoding="{reading.encoding}"?><file{declared}>'.encode("ascii")
    with open(path, "rb") as stream:
        for place in places:
            ((first, end),) = place.pieces
            stream.seek(first)
            text = stream.read(end - first)
            tag = stream.read(4096)  # the end tag, of whatever prefix
            yield place, head + text + tag[: tag.index(b">") + 1] + b"</file>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
