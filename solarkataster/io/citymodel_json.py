"""CityJSON 1.0 to 2.0: one look through a file, then single buildings by their place in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from solarkataster.io.citymodel_headers import BuildingPlace, CityModelFault, Scan

_VERSIONS = ("1.0", "1.1", "2.0")
_CHUNK_BYTES = 1 << 20
_EXPECTED = "CityJSON 1.0, 1.1 or 2.0"
_AGAIN = "Download or export the file again."

_BLANKS = re.compile(r"[ \t\r\n]+")
#: The last row's bracket, if the list's own follows.
_LIST_END = re.compile(r"\](?=[ \t\r\n]*\])")

#: Objects that are buildings or carry a building's surfaces.
_OBJECTS = ("Building", "BuildingPart")
#: Geometries made of surfaces.
_GEOMETRIES = ("MultiSurface", "CompositeSurface", "Solid", "MultiSolid", "CompositeSolid")


@dataclass(frozen=True)
class JsonReading:
    """
    What it takes to read a building by itself.

    Parameters
    ----------
    vertices : tuple of (int, int)
        First byte of the list of vertices, and the byte after its last.
    scale, translate : tuple of float
        From whole numbers to metres.
    n_vertices : int
    """

    vertices: tuple[int, int]
    scale: tuple[float, float, float]
    translate: tuple[float, float, float]
    n_vertices: int


class _Json:
    """
    A JSON file read value by value.

    Bytes are taken for Latin-1, so that places in the text are places in the file; values with
    other letters are decoded again.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder = json.JSONDecoder()
        self._text, self._first, self._at = "", stream.tell(), 0
        self._is_at_end = False
        #: Where the last key begins.
        self.key_place = 0

    @property
    def place(self) -> int:
        """The byte that comes next."""
        return self._first + self._at

    def _more(self, n_bytes: int = 0) -> None:
        chunk = self._stream.read(max(n_bytes, _CHUNK_BYTES))
        self._is_at_end = not chunk
        self._text = self._text[self._at :] + chunk.decode("latin-1")
        self._first, self._at = self._first + self._at, 0

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._is_at_end:
                return self._text[self._at : self._at + 1]
            self._more()

    def take(self, *wanted: str) -> str:
        """The next character, which must be one of those wanted."""
        found = self.peek()
        if not found:
            raise self._truncated()
        if found not in wanted:
            raise self._damaged(f"{' or '.join(wanted)} expected")
        self._at += 1
        return found

    def value(self) -> Any:
        """The next value."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._is_at_end:
                    is_cut = error.pos > len(self._text) - 5 or "Unterminated" in error.msg
                    raise (self._truncated() if is_cut else self._damaged(error.msg)) from None
            except RecursionError:
                raise self._damaged("nested too deeply") from None
            else:
                # A number may go on after the text that has been read.
                if end < len(self._text) or self._is_at_end:
                    raw = self._text[self._at : end]
                    self._at = end
                    return value if raw.isascii() else self._decoded(raw)
            self._more(len(self._text) - self._at)

    def _decoded(self, raw: str) -> Any:
        try:
            return json.loads(raw.encode("latin-1"))
        except UnicodeDecodeError:
            raise self._damaged("no UTF-8") from None

    def keys(self) -> Iterator[str]:
        """Keys of the object that begins here; the caller takes the value of each."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        while True:
            self.peek()
            self.key_place = self.place
            key = self.value()
            if not isinstance(key, str):
                raise self._damaged("a key expected")
            self.take(":")
            yield key
            if self.take(",", "}") == "}":
                return

    def rows(self) -> Iterator[np.ndarray]:
        """A list of lists of three numbers, many at a time."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            last = _LIST_END.search(self._text, self._at)
            end = last.start() if last else self._text.rfind("]", self._at)
            if end < 0:
                if self._is_at_end:
                    raise self._truncated()
                self._more()
                continue
            yield self._rows_of(self._text[self._at : end + 1])
            self._at = end + 1
            if self.take(",", "]") == "]":
                return

    def _rows_of(self, text: str) -> np.ndarray:
        try:
            values = np.array(json.loads(f"[{text}]"), dtype=np.float64)
        except (ValueError, TypeError):
            values = np.zeros(0)
        if values.ndim != 2 or values.shape[1] != 3:
            raise self._damaged("vertices are not all lists of three numbers")
        return values

    def _truncated(self) -> CityModelFault:
        found = f"truncated: ends after byte {self._first + len(self._text)} within a value"
        return CityModelFault(found, "a complete file", _AGAIN)

    def _damaged(self, reason: str) -> CityModelFault:
        return CityModelFault(f"damaged at byte {self.place} ({reason})", "JSON", _AGAIN)


@dataclass
class _Object:
    """A building or a part of one: where it is, and whose."""

    piece: tuple[int, int]
    kind: str
    parents: list[str]
    has_lod2: bool


def scan_json(path: Path) -> Scan:
    """
    Look through a whole file, a value at a time.

    Memory grows with the numbers of objects and of vertices, not with what objects hold.

    Raises
    ------
    CityModelFault
        If the file is no JSON, is truncated, or is no CityJSON.
    """
    scan = Scan("CityJSON")
    with open(path, "rb") as stream:
        try:
            _look_through(stream, scan)
        except (TypeError, ValueError, KeyError, AttributeError):
            raise CityModelFault(
                "is JSON, but not built as CityJSON is",
                _EXPECTED,
                f"{_AGAIN} `cjio FILE validate` says more.",
            ) from None
    return scan


def _look_through(stream: BinaryIO, scan: Scan) -> None:
    parts = _parts(stream, scan)
    if parts.head.get("type") != "CityJSON":
        found = f"is JSON of type {parts.head.get('type')!r}"
        raise CityModelFault(found, _EXPECTED, "Export it as CityJSON.")
    scan.version = str(parts.head.get("version", ""))
    if scan.version not in _VERSIONS:
        found = f"is CityJSON {scan.version or 'without a version'}"
        raise CityModelFault(found, _EXPECTED, "Upgrade it: cjio FILE upgrade save OUT")
    scan.reading = _reading(parts)
    reference = (parts.head.get("metadata") or {}).get("referenceSystem")
    if reference:
        scan.crs_names[str(reference)] += 1
    vertices = _placed(parts.vertices, scan.reading)
    _place_buildings(stream, scan, parts.objects, vertices)


@dataclass
class _Parts:
    """A file taken apart."""

    head: dict[str, Any]
    objects: dict[str, _Object]
    vertices: np.ndarray
    span: tuple[int, int]


def _parts(stream: BinaryIO, scan: Scan) -> _Parts:
    text = _Json(stream)
    if text.peek() != "{":
        raise CityModelFault("cannot be opened as JSON", _EXPECTED, f"{_AGAIN} Unpack archives.")
    parts = _Parts({}, {}, np.zeros((0, 3)), (0, 0))
    for key in text.keys():  # noqa: SIM118 (not a dict: a file)
        if key == "CityObjects":
            _take_objects(text, scan, parts.objects)
        elif key == "vertices":
            text.peek()
            first = text.place
            rows = list(text.rows())
            parts.vertices = np.concatenate([parts.vertices, *rows])
            parts.span = first, text.place
        else:
            value = text.value()
            if key in ("type", "version", "metadata", "transform"):
                parts.head[key] = value
    if text.peek():
        raise CityModelFault(
            "goes on after its first object: lines of features (CityJSONSeq)",
            _EXPECTED,
            "Collect it: cjseq collect -f FILE > OUT",
        )
    return parts


def _take_objects(text: _Json, scan: Scan, objects: dict[str, _Object]) -> None:
    for key in text.keys():  # noqa: SIM118
        first = text.key_place
        value = text.value()
        kind = value.get("type") if isinstance(value, dict) else None
        if kind == "BuildingInstallation":
            scan.n_installations += 1
        if kind not in _OBJECTS:
            continue
        if key in objects:
            scan.doubled_ids.append(key)
        lods = {str(g.get("lod"))[:1] for g in value.get("geometry") or () if is_surface(g)}
        scan.lods.update(lods)
        scan.n_parts += kind == "BuildingPart"
        span = first, text.place
        objects[key] = _Object(span, kind, value.get("parents") or [], "2" in lods)


def is_surface(geometry: Any) -> bool:
    """Whether a geometry is one of surfaces, with a level of detail."""
    return isinstance(geometry, dict) and geometry.get("type") in _GEOMETRIES


def lod2_geometry(city_object: dict[str, Any]) -> dict[str, Any] | None:
    """The most detailed geometry of LoD2.x, the first of equals; None if there is none."""
    found = [g for g in city_object.get("geometry") or () if is_surface(g)]
    found = [g for g in found if str(g.get("lod")).startswith("2")]
    return max(found, key=lambda g: str(g["lod"]), default=None)


def polygons_of(geometry: dict[str, Any]) -> Iterator[tuple[list, Any]]:
    """Polygons of a geometry, as rings of vertex numbers, each with its semantic number."""
    values = (geometry.get("semantics") or {}).get("values")
    depth = {"Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}.get(geometry["type"], 0)
    yield from _flattened(geometry.get("boundaries") or [], values, depth)


def _flattened(boundaries: list, values: Any, depth: int) -> Iterator[tuple[list, Any]]:
    for i, boundary in enumerate(boundaries):
        value = values[i] if isinstance(values, list) and i < len(values) else None
        if depth:
            yield from _flattened(boundary, value, depth - 1)
        else:
            yield boundary, value


def _reading(parts: _Parts) -> JsonReading:
    transform = parts.head.get("transform") or {}
    try:
        scale, translate = (
            tuple(float(v) for v in transform.get(name, default))
            for name, default in (("scale", (1.0, 1.0, 1.0)), ("translate", (0.0, 0.0, 0.0)))
        )
    except (TypeError, ValueError, AttributeError):
        scale = translate = ()
    if len(scale) != 3 or len(translate) != 3:
        raise CityModelFault(
            f"its transform cannot be read ({str(transform)[:60]})",
            "scale and translate, three numbers each",
            _AGAIN,
        )
    return JsonReading(parts.span, scale, translate, len(parts.vertices))


def _placed(vertices: np.ndarray, reading: JsonReading) -> np.ndarray:
    """Vertices in metres, in the same array: of a state's tile there are millions."""
    vertices *= reading.scale
    vertices += reading.translate
    return vertices


def _building_of(key: str, objects: dict[str, _Object]) -> str:
    """The building a part belongs to, over any number of parts between."""
    for _ in range(10):
        parents = objects[key].parents
        if objects[key].kind == "Building" or not parents:
            return key
        key = parents[0]
        if key not in objects:
            return key
    return key


def _place_buildings(
    stream: BinaryIO, scan: Scan, objects: dict[str, _Object], vertices: np.ndarray
) -> None:
    """Bytes and bounds of each building with its parts, the building first."""
    pieces: dict[str, list[tuple[int, int]]] = {}
    used: dict[str, list[np.ndarray]] = {}
    for key in [k for k in objects if objects[k].kind == "Building"] + [
        k for k in objects if objects[k].kind != "Building"
    ]:
        building_id = _building_of(key, objects)
        pieces.setdefault(building_id, []).append(objects[key].piece)
        if objects[key].has_lod2:
            try:
                low_high = _extent(stream, objects[key].piece, scan, vertices)
            except (TypeError, ValueError, KeyError, AttributeError):
                raise CityModelFault(
                    f"the boundaries of {key} cannot be read", "lists of vertex numbers", _AGAIN
                ) from None
            used.setdefault(building_id, []).extend(low_high)
    for building_id, spans in pieces.items():
        bounds = (math.nan,) * 4
        if building_id in used:
            corners = np.array(used[building_id])
            low, high = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
            bounds = low[0], low[1], high[0], high[1]
            scan.lowest_m = min(scan.lowest_m, low[2])
            scan.highest_m = max(scan.highest_m, high[2])
        scan.buildings.append(BuildingPlace(building_id, tuple(spans), bounds))


def _extent(stream: BinaryIO, piece, scan: Scan, vertices: np.ndarray) -> list[np.ndarray]:
    """Least and greatest coordinates of an object's LoD2 surfaces; none if it has none."""
    geometry = lod2_geometry(_object_at(stream, piece))
    assert geometry is not None
    numbers: list[int] = []
    for rings, _ in polygons_of(geometry):
        scan.n_polygons += 1
        numbers += [i for ring in rings if isinstance(ring, list) for i in ring]
    inside = [i for i in numbers if isinstance(i, int) and 0 <= i < len(vertices)]
    return [vertices[inside].min(axis=0), vertices[inside].max(axis=0)] if inside else []


def _object_at(stream: BinaryIO, piece: tuple[int, int]) -> dict[str, Any]:
    """An object by itself, its key under ``id``."""
    stream.seek(piece[0])
    ((key, value),) = json.loads(b"{" + stream.read(piece[1] - piece[0]) + b"}").items()
    return {**value, "id": key}


def read_vertices(path: Path, reading: JsonReading) -> np.ndarray:
    """All vertices of a file, shape (n_vertex, 3). [m]"""
    with open(path, "rb") as stream:
        stream.seek(reading.vertices[0])
        rows = list(_Json(stream).rows())
    return _placed(np.concatenate(rows) if rows else np.zeros((0, 3)), reading)


def building_objects(
    path: Path, places: Iterable[BuildingPlace]
) -> Iterator[tuple[BuildingPlace, list[dict[str, Any]]]]:
    """Each building with its parts, as the file has them, each under ``id`` its own."""
    with open(path, "rb") as stream:
        for place in places:
            yield place, [_object_at(stream, piece) for piece in place.pieces]
