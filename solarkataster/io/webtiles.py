"""Vector and raster tiles of the web map: what the browser loads, as PMTiles."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from PIL import Image
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from rasterio import Affine
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from solarkataster.errors import InputError
from solarkataster.io.webtiles_columns import (
    BUILDING_OVERVIEW,
    BUILDING_TILE_COLUMNS,
    ROOF_OVERVIEW,
    ROOF_TILE_COLUMNS,
    public_buildings,
    rounded,
)
from solarkataster.io.webtiles_vector import TileLayer, tile_table, write_vector_tiles
from solarkataster.layers import BUILDING_COLUMNS

#: Colours of the yearly irradiation, one home for legend, roofs and raster: (kWh/m², colour).
#: Between two stops colours are mixed linearly in sRGB. Matplotlib's "plasma" from 0.03 to 0.93:
#: its lightness only rises, so it reads without colour vision and in grey print. The range is
#: fixed, not taken from the data, so that maps of two towns or years can be laid side by side.
IRRADIATION_COLOURS = (
    (400.0, "#20068f"),
    (500.0, "#5302a3"),
    (600.0, "#8004a8"),
    (700.0, "#a72197"),
    (800.0, "#c6417d"),
    (900.0, "#df6263"),
    (1000.0, "#f3854b"),
    (1100.0, "#fdae32"),
    (1200.0, "#f9dc24"),
)

#: Colours of the classes, the best first, of roofs, walls and storeys alike. Lightness falls from
#: the best to the worst, so they read without colour vision and in grey print; what has no class
#: is hatched.
CLASS_COLOURS = (
    ("hervorragend", "#fff28f"),
    ("sehr gut", "#f7a13b"),
    ("gut", "#dd5f4b"),
    ("mittel", "#a8408a"),
    ("gering", "#2f2370"),
)

#: Below this zoom a tile holds hundreds of roofs, so it carries only what the picture needs;
#: from it on, all that cards tell: a z15 tile of a dense town would weigh more than a megabyte.
DETAIL_ZOOM = 16
MIN_VECTOR_ZOOM = 13
MAX_VECTOR_ZOOM = 16
MIN_RASTER_ZOOM = 10

TILE_PX = 512
METATILE_TILES = 4
WEB_MERCATOR = "EPSG:3857"
#: Half the edge of the Web Mercator square: π times the WGS 84 semi-major axis. [m]
MERCATOR_HALF_M = math.pi * 6_378_137.0


@dataclass(frozen=True)
class RasterTiles:
    """Zoom range of a written raster archive."""

    min_zoom: int
    max_zoom: int
    n_tiles: int


def write_roof_tiles(path: Path, roofs: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> int:
    """
    Write the roof planes as vector tiles: ``roofs_overview`` (z13–15) and ``roofs`` (z16).

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    roofs, buildings : GeoDataFrame, shape (n_roof,) and (n_building,)
        Columns of :data:`solarkataster.layers.ROOF_COLUMNS` and ``BUILDING_COLUMNS``, any CRS.
        Numbers go into the tiles with the digits that the page shows; NaN becomes "no such
        attribute".

    Returns
    -------
    int
        Planes in the tiles; 0 means that no file was written.

    Raises
    ------
    InputError
        If a column or the CRS is missing.
    """
    height_m = buildings.drop_duplicates("building_id").set_index("building_id")["height_m"]
    drawn = roofs.assign(building_height_m=roofs["building_id"].map(height_m).astype("float64"))
    table = tile_table(rounded(drawn, ROOF_TILE_COLUMNS), ROOF_TILE_COLUMNS, "roofs")
    return _write_levels(path, table, "roofs", ROOF_OVERVIEW)


def write_building_tiles(path: Path, buildings: gpd.GeoDataFrame) -> int:
    """
    Write the footprints as vector tiles: ``buildings_overview`` (z13–15), ``buildings`` (z16).

    Parameters and errors as in :func:`write_roof_tiles`. Columns of the input beyond the
    project's own stay out, as nobody has decided that they may be published; so do owners, and
    demands that somebody gave, see :func:`solarkataster.io.webtiles_columns.public_buildings`.
    """
    missing = [one.name for one in BUILDING_COLUMNS if one.name not in buildings]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", where="layer buildings")
    shown = rounded(public_buildings(buildings), BUILDING_TILE_COLUMNS)
    table = tile_table(shown, BUILDING_TILE_COLUMNS, "buildings")
    return _write_levels(path, table, "buildings", BUILDING_OVERVIEW)


def _write_levels(
    path: Path, table: gpd.GeoDataFrame, name: str, overview_columns: tuple[str, ...]
) -> int:
    """A light layer for the overview, the whole one for near views."""
    if table.empty:
        return 0
    overview = table[[*overview_columns, table.geometry.name]]
    write_vector_tiles(
        path,
        {
            f"{name}_overview": TileLayer(overview, MIN_VECTOR_ZOOM, DETAIL_ZOOM - 1),
            name: TileLayer(table, DETAIL_ZOOM, MAX_VECTOR_ZOOM),
        },
    )
    return len(table)


def irradiation_palette() -> np.ndarray:
    """
    Palette of the raster tiles.

    Returns
    -------
    ndarray, shape (256, 3), uint8
        Entry 0 stands for "no value" (transparent); 1 to 255 run over the colour scale.
    """
    stops_kwh_m2 = [stop for stop, _ in IRRADIATION_COLOURS]
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for _, c in IRRADIATION_COLOURS])
    at = np.linspace(stops_kwh_m2[0], stops_kwh_m2[-1], 255)
    palette = np.zeros((256, 3), dtype=np.uint8)
    for band in range(3):
        palette[1:, band] = np.rint(np.interp(at, stops_kwh_m2, rgb[:, band]))
    return palette


def palette_index(year_kwh_m2: np.ndarray) -> np.ndarray:
    """
    Palette entry of each value.

    Parameters
    ----------
    year_kwh_m2 : ndarray
        Yearly irradiation, NaN for no value. [kWh/m²]

    Returns
    -------
    ndarray, uint8, same shape
        0 where there is no value; below and above the scale its ends.
    """
    low, high = IRRADIATION_COLOURS[0][0], IRRADIATION_COLOURS[-1][0]
    has_value = np.isfinite(year_kwh_m2)
    share = np.clip((np.where(has_value, year_kwh_m2, low) - low) / (high - low), 0.0, 1.0)
    return np.where(has_value, 1 + np.rint(share * 254), 0).astype(np.uint8)


def write_raster_tiles(path: Path, year_raster: Path) -> RasterTiles | None:
    """
    Colour the yearly irradiation and write it as lossless 512 px PNG tiles.

    The deepest zoom is the first whose pixels are no larger than the raster's cells; there the
    nearest cell is shown, above it the mean of the cells that have a value. Blocks of 4 × 4 tiles
    are warped at once, because the warp, not the encoding, takes the time.

    Parameters
    ----------
    path : Path
        PMTiles file to write.
    year_raster : Path
        One band, NaN or nodata off the roofs, any projected CRS. [kWh/m²]

    Returns
    -------
    RasterTiles or None
        None if no cell has a value; no file is written then.
    """
    with rasterio.open(year_raster) as source:
        bounds_deg = transform_bounds(source.crs, "EPSG:4326", *source.bounds, densify_pts=21)
        max_zoom = _zoom_of_cell(abs(source.transform.a), (bounds_deg[1] + bounds_deg[3]) / 2)
        min_zoom = min(MIN_RASTER_ZOOM, max_zoom)
        with open(path, "wb") as file:
            writer = Writer(file)
            try:
                n_tiles = 0
                for zoom in range(min_zoom, max_zoom + 1):
                    how = Resampling.nearest if zoom == max_zoom else Resampling.average
                    for tile_id, png in _zoom_tiles(source, zoom, how):
                        writer.write_tile(tile_id, png)
                        n_tiles += 1
                if n_tiles:
                    writer.finalize(_raster_header(bounds_deg, max_zoom), {"name": "irradiation"})
            finally:
                writer.tile_f.close()
    if not n_tiles:
        path.unlink()
        return None
    return RasterTiles(min_zoom, max_zoom, n_tiles)


def _zoom_of_cell(cell_size_m: float, latitude: float) -> int:
    """First zoom whose pixels are no larger on the ground than one cell."""
    pixel_z0_m = 2 * MERCATOR_HALF_M * math.cos(math.radians(latitude)) / TILE_PX
    return max(0, math.ceil(math.log2(pixel_z0_m / cell_size_m)))


def _zoom_tiles(
    source: rasterio.DatasetReader, zoom: int, resampling: Resampling
) -> Iterator[tuple[int, bytes]]:
    """Tile id and PNG of each tile with a value, in the archive's order."""
    west, south, east, north = transform_bounds(
        source.crs, WEB_MERCATOR, *source.bounds, densify_pts=21
    )
    tile_m = 2 * MERCATOR_HALF_M / 2**zoom
    block = min(METATILE_TILES, 2**zoom)
    first_x = math.floor((west + MERCATOR_HALF_M) / tile_m / block) * block
    first_y = math.floor((MERCATOR_HALF_M - north) / tile_m / block) * block
    n_x = math.ceil(((east + MERCATOR_HALF_M) / tile_m - first_x) / block) * block
    n_y = math.ceil(((MERCATOR_HALF_M - south) / tile_m - first_y) / block) * block
    corner_m = first_x * tile_m - MERCATOR_HALF_M, MERCATOR_HALF_M - first_y * tile_m
    pixel_m = tile_m / TILE_PX
    # A block aligned to its own size is one run of the archive's Hilbert curve, so blocks
    # sorted by their lowest id give all tiles in order.
    blocks = [
        (
            zxy_to_tileid(
                zoom - int(math.log2(block)), (first_x + x) // block, (first_y + y) // block
            ),
            x,
            y,
        )
        for x in range(0, n_x, block)
        for y in range(0, n_y, block)
    ]
    with WarpedVRT(
        source,
        crs=WEB_MERCATOR,
        transform=Affine(pixel_m, 0, corner_m[0], 0, -pixel_m, corner_m[1]),
        width=n_x * TILE_PX,
        height=n_y * TILE_PX,
        resampling=resampling,
        nodata=math.nan,
    ) as warped:
        for _, x, y in sorted(blocks):
            size = block * TILE_PX
            window = rasterio.windows.Window(x * TILE_PX, y * TILE_PX, size, size)
            index = palette_index(warped.read(1, window=window))
            if index.any():
                yield from _cut(index, zoom, first_x + x, first_y + y, block)


def _cut(
    index: np.ndarray, zoom: int, first_x: int, first_y: int, block: int
) -> Iterator[tuple[int, bytes]]:
    tiles = []
    for y in range(block):
        for x in range(block):
            rows = slice(y * TILE_PX, (y + 1) * TILE_PX)
            part = index[rows, x * TILE_PX : (x + 1) * TILE_PX]
            if part.any():
                tiles.append((zxy_to_tileid(zoom, first_x + x, first_y + y), _png(part)))
    return iter(sorted(tiles))


def _png(index: np.ndarray) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(index), mode=None).convert("L")
    image.putpalette(irradiation_palette().tobytes())
    out = io.BytesIO()
    image.save(out, format="PNG", transparency=0)
    return out.getvalue()


def _raster_header(bounds_deg: tuple[float, float, float, float], max_zoom: int) -> dict:
    west, south, east, north = (round(value * 1e7) for value in bounds_deg)
    return {
        "tile_type": TileType.PNG,
        "tile_compression": Compression.NONE,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": max_zoom,
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }
