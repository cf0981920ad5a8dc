"""Laser points: LAS, LAZ and COPC files, of which only what lies near buildings is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import laspy
import lazrs
import numpy as np
from laspy.copc import Bounds, CopcReader, OctreeNode, load_octree_for_query

from solarkataster.errors import InputError, InputErrors
from solarkataster.grid import Grid
from solarkataster.io.point_headers import PointFile, read_point_header
from solarkataster.io.rasters import raster_paths
from solarkataster.points import Points, index_points

__all__ = [
    "PointFile",
    "PointSource",
    "open_points",
    "point_chunks",
    "point_paths",
    "read_points",
    "sample_points",
]

#: Points decompressed at a time, about 50 MB.
CHUNK_POINTS = 500_000

#: Points of one look into a file; what LAZ compresses as one piece.
LOOK_POINTS = 50_000

#: Coordinates are rounded to this many decimals of a metre: the same point comes with different
#: last bits out of files with different offsets, and must be known again.
_DECIMALS = 4

#: What is decompressed: place, returns, class, and the flag of withheld points.
_FIELDS = (
    laspy.DecompressionSelection.base()
    | laspy.DecompressionSelection.Z
    | laspy.DecompressionSelection.CLASSIFICATION
    | laspy.DecompressionSelection.FLAGS
)

_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PointSource:
    """
    Files of laser points in one coordinate system.

    Parameters
    ----------
    crs : str
        That of the surface model, or of the first file.
    files : tuple of PointFile
        In order of their paths.
    """

    crs: str
    files: tuple[PointFile, ...]

    @property
    def n_points(self) -> int:
        return sum(file.n_points for file in self.files)

    def touching(self, bounds: _Box) -> PointSource:
        """The source with only those files that have points within bounds, by their headers."""
        west_m, south_m, east_m, north_m = bounds
        return PointSource(
            self.crs,
            tuple(
                file
                for file in self.files
                if file.bounds[0] <= east_m
                and file.bounds[2] >= west_m
                and file.bounds[1] <= north_m
                and file.bounds[3] >= south_m
            ),
        )


def point_paths(patterns: str | Path | Sequence[str | Path]) -> list[Path]:
    """Files named by paths or globs, sorted; one reached by two names counts once."""
    paths = raster_paths(patterns, "file of laser points")
    return list({path.resolve(): path for path in reversed(paths)}.values())[::-1]


def open_points(
    paths: str | Path | Sequence[str | Path],
    *,
    crs: str | None = None,
    expected_crs: str | None = None,
) -> PointSource:
    """
    Read the headers of files of laser points.

    Parameters
    ----------
    paths : path or sequence of paths
        Files, or globs.
    crs : str, optional
        Coordinate system of files that name none, as WKT or code.
    expected_crs : str, optional
        Coordinate system they must have: that of the surface model. Points are never transformed,
        because their heights would be left in another datum.

    Returns
    -------
    PointSource

    Raises
    ------
    InputErrors
        Every fault of every file; see :func:`solarkataster.io.point_headers.read_point_header`.
    """
    files: list[PointFile] = []
    faults: list[InputError] = []
    for path in point_paths(paths):
        try:
            files.append(read_point_header(path, crs, expected_crs))
            expected_crs = expected_crs or files[0].crs
        except InputErrors as error:
            faults.extend(error.errors)
    if faults:
        raise InputErrors(faults)
    assert expected_crs is not None
    return PointSource(expected_crs, tuple(files))


def read_points(source: PointSource, keep: np.ndarray, grid: Grid) -> Points:
    """
    Points in some cells of a window.

    Parameters
    ----------
    source : PointSource
    keep : ndarray of bool, shape (ny, nx)
        Cells whose points are wanted: those near buildings.
    grid : Grid
        Place of ``keep``.

    Returns
    -------
    points : Points
        Withheld points are left out, points that are the same in everything are there once. Their
        order does not depend on the files, nor on how they are read. Memory follows what is kept;
        of the files only those whose bounds touch the wanted cells are opened, and of COPC files
        only the wanted part is read.

    Raises
    ------
    InputError
        If a file cannot be read to its end.
    """
    parts = list(point_chunks(source, keep, grid))
    points = _joined(parts)
    parts.clear()  # sorting needs the room
    return index_points(points).points


def point_chunks(source: PointSource, keep: np.ndarray, grid: Grid) -> Iterator[Points]:
    """
    Points in some cells of a window, a piece at a time, for what needs no order and no whole.

    Parameters and faults are those of :func:`read_points`; points that two files hold come twice.
    """
    box = _bounds_of(keep, grid)
    if box is None:
        return
    for file in source.touching(box).files:
        records = _copc_records(file, box, keep, grid) if file.is_copc else _records(file)
        for record in records:
            points = _points_of(file, record, keep, grid)
            if len(points):
                yield points


def sample_points(source: PointSource, n_max: int) -> tuple[Points, bool]:
    """
    Some points of a source, in pieces spread over its files.

    Parameters
    ----------
    source : PointSource
    n_max : int
        About how many.

    Returns
    -------
    points : Points
        The same ones every time, in the order of the files.
    is_complete : bool
        Whether these are all points there are.

    Raises
    ------
    InputError
        If a file cannot be read there.
    """
    is_complete = source.n_points <= n_max
    share = 1.0 if is_complete else n_max / source.n_points
    parts: list[Points] = []
    # Pieces are counted over all files, so that many small files get few, not one each.
    n_before = 0.0
    for file in source.files:
        n_after = n_before + share * file.n_points / LOOK_POINTS
        n_looks = math.ceil(n_after) - math.ceil(n_before)
        n_before = n_after
        for record in _records(file) if is_complete else _looks(file, n_looks):
            parts.append(_points_of(file, record, None, None))
    return _joined(parts), is_complete


def _bounds_of(keep: np.ndarray, grid: Grid) -> _Box | None:
    """Smallest box around the wanted cells."""
    rows, cols = np.flatnonzero(keep.any(axis=1)), np.flatnonzero(keep.any(axis=0))
    if not rows.size:
        return None
    height, width = int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1
    return grid.window(int(rows[0]), int(cols[0]), height, width).bounds


def _records(file: PointFile) -> Iterator[Any]:
    """All points of a file in its own order, a chunk at a time."""
    with _readable(file), _open(file) as reader:
        yield from reader.chunk_iterator(CHUNK_POINTS)


def _open(file: PointFile) -> Any:
    # Not the parallel backend: workers are many, and have one core each.
    return laspy.open(
        file.path, laz_backend=laspy.LazBackend.Lazrs, decompression_selection=_FIELDS
    )


def _looks(file: PointFile, n_looks: int) -> Iterator[Any]:
    """Pieces of a file, evenly spread."""
    if not n_looks:
        return
    if file.is_copc:  # laspy seeks in chunks of equal size, which these are not
        with _readable(file), CopcReader.open(file.path, decompression_selection=_FIELDS) as reader:
            nodes = [n for n in _nodes(reader, file.bounds) if n.point_count]
            nodes.sort(key=lambda node: node.offset)
            wanted, total = n_looks * LOOK_POINTS, sum(node.point_count for node in nodes)
            step = max(1, total // wanted)
            yield from _decompressed(reader, nodes[step // 2 :: step])
        return
    with _readable(file), _open(file) as reader:
        n_pieces = math.ceil(file.n_points / LOOK_POINTS)
        pieces = {int((i + 0.5) * n_pieces / n_looks) for i in range(n_looks)}
        for piece in sorted(pieces):
            reader.seek(piece * LOOK_POINTS)
            yield reader.read_points(LOOK_POINTS)


def _copc_records(file: PointFile, box: _Box, keep: np.ndarray, grid: Grid) -> Iterator[Any]:
    """Points of those nodes of the octree that touch a wanted cell."""
    with _readable(file), CopcReader.open(file.path, decompression_selection=_FIELDS) as reader:
        nodes = []
        for node in _nodes(reader, box):
            west, south = node.bounds.mins[:2]
            east, north = node.bounds.maxs[:2]
            part = grid.crop((west - 0.01, south - 0.01, east + 0.01, north + 0.01))
            row, col = grid.offset_of(part)
            wanted = keep[row : row + part.shape[0], col : col + part.shape[1]]
            if node.point_count and wanted.any():
                nodes.append(node)
        yield from _decompressed(reader, nodes)


def _nodes(reader: CopcReader, box: _Box) -> list[OctreeNode]:
    bounds = Bounds(np.array(box[:2]), np.array(box[2:]))
    # Heights of the root cube, not of the points: every node is within them.
    info = reader.copc_info
    bounds = bounds.ensure_3d(info.center - info.halfsize, info.center + info.halfsize)
    return load_octree_for_query(reader.source, info, reader.root_page, query_bounds=bounds)


def _decompressed(reader: CopcReader, nodes: list[OctreeNode]) -> Iterator[Any]:
    """
    Points of octree nodes, a chunk's worth at a time.

    ``CopcReader.query`` would decompress all of them at once.
    """
    nodes = sorted(nodes, key=lambda node: node.offset)
    batch: list[OctreeNode] = []
    for i, node in enumerate(nodes):
        batch.append(node)
        if i + 1 < len(nodes) and sum(n.point_count for n in batch) < CHUNK_POINTS:
            continue
        compressed = bytearray()
        for one in batch:
            reader.source.seek(one.offset)
            compressed += reader.source.read(one.byte_size)
        header = reader.header
        n_points = sum(one.point_count for one in batch)
        plain = np.zeros(n_points * header.point_format.size, dtype=np.uint8)
        lazrs.decompress_points_with_chunk_table(
            compressed,
            reader.laszip_vlr.record_data,
            plain,
            [(one.point_count, one.byte_size) for one in batch],
            reader.decompression_selection,
        )
        packed = laspy.PackedPointRecord.from_buffer(plain, header.point_format)
        yield laspy.ScaleAwarePointRecord(
            packed.array, packed.point_format, header.scales, header.offsets
        )
        batch = []


class _readable:
    """Names the file that breaks while it is read."""

    def __init__(self, file: PointFile) -> None:
        self.file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind, error, trace) -> None:
        # Truncated and damaged files come as errors of many kinds from laspy and lazrs.
        if isinstance(error, OSError | ValueError | RuntimeError | laspy.LaspyException):
            raise InputError(
                f"cannot be read to its end: truncated or damaged ({error})",
                where=str(self.file.path),
                expected=f"{self.file.n_points} points, as its header says",
                remedy="Download or export the file again.",
            ) from None


def _points_of(file: PointFile, record: Any, keep: np.ndarray | None, grid: Grid | None) -> Points:
    """Points of a record in wanted cells, or all; without those that are withheld."""
    x_scale, y_scale, z_scale = record.scales
    x_offset, y_offset, z_offset = record.offsets
    easting_m = np.round(record.X * x_scale + x_offset, _DECIMALS)
    northing_m = np.round(record.Y * y_scale + y_offset, _DECIMALS)
    wanted = np.asarray(record.withheld) == 0
    if keep is not None and grid is not None:
        wanted &= _in_wanted_cell(easting_m, northing_m, keep, grid)
    at = np.flatnonzero(wanted)
    return Points(
        easting_m[at],
        northing_m[at],
        np.round(record.Z[at] * z_scale + z_offset, _DECIMALS),
        np.asarray(record.classification)[at].astype(np.uint8),
        np.asarray(record.return_number)[at].astype(np.uint8),
        np.asarray(record.number_of_returns)[at].astype(np.uint8),
    )


def _in_wanted_cell(
    easting_m: np.ndarray, northing_m: np.ndarray, keep: np.ndarray, grid: Grid
) -> np.ndarray:
    col = np.floor((easting_m - grid.west_m) / grid.cell_size_m).astype(np.int64)
    row = np.floor((grid.north_m - northing_m) / grid.cell_size_m).astype(np.int64)
    wanted = (row >= 0) & (row < keep.shape[0]) & (col >= 0) & (col < keep.shape[1])
    wanted[wanted] = keep[row[wanted], col[wanted]]
    return wanted


def _joined(parts: list[Points]) -> Points:
    if not parts:
        place, count = np.zeros(0), np.zeros(0, dtype=np.uint8)
        return Points(place, place, place, count, count, count)
    fields = Points.__dataclass_fields__
    return Points(*(np.concatenate([getattr(part, name) for part in parts]) for name in fields))
