"""Reading vector and raster tiles back, as a browser would."""

from __future__ import annotations

import gzip
import math
from collections import defaultdict

import mapbox_vector_tile
from pmtiles.reader import MmapSource, Reader, all_tiles
from pyproj import Transformer
from shapely.geometry import shape
from webmap_town import CRS

EXTENT = 4096


def read_tiles(path):
    """All tiles of an archive: {(z, x, y): bytes}."""
    with open(path, "rb") as file:
        return dict(all_tiles(MmapSource(file)))


def header_of(path):
    with open(path, "rb") as file:
        return Reader(MmapSource(file)).header()


def vector_features(path):
    """Features by (zoom, layer, id), each a list of (properties, polygon in longitude/latitude)."""
    found = defaultdict(list)
    for (zoom, x, y), data in read_tiles(path).items():
        for layer, content in mapbox_vector_tile.decode(gzip.decompress(data)).items():
            for feature in content["features"]:
                properties = feature["properties"]
                key = properties.get("roof_id") or properties["building_id"]
                # The decoder's y points up, a tile's rows go down.
                place = (zoom, x, y, feature["geometry"])
                found[zoom, layer, key].append((properties, place))
    return found


def outline_m(place):
    """A feature's part in one tile, back in the coordinates of the input."""
    zoom, x, y, geometry = place
    inverse = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)

    def back(column, row):
        east = (x + column / EXTENT) / 2**zoom
        south = (y + 1 - row / EXTENT) / 2**zoom
        latitude = math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * south))))
        return inverse.transform(east * 360 - 180, latitude)

    def rings(polygon):
        return [[back(*point) for point in ring] for ring in polygon]

    if geometry["type"] == "Polygon":
        return shape({"type": "Polygon", "coordinates": rings(geometry["coordinates"])})
    parts = [rings(polygon) for polygon in geometry["coordinates"]]
    return shape({"type": "MultiPolygon", "coordinates": parts})


def tile_features(path, layer):
    """(properties, outline in the input's coordinates) of each feature of a layer."""
    for (zoom, x, y), data in read_tiles(path).items():
        content = mapbox_vector_tile.decode(gzip.decompress(data))[layer]
        for feature in content["features"]:
            yield feature["properties"], outline_m((zoom, x, y, feature["geometry"]))
