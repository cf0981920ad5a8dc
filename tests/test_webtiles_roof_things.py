"""Tiles of modules and superstructures: each where it lies, and light enough for a city."""

from __future__ import annotations

import json
from collections import defaultdict

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import affinity
from shapely.geometry import box
from shapely.ops import unary_union
from tile_reading import read_tiles, tile_features
from webmap_town import CRS, EAST_M, META, NORTH_M, make_town

from solarkataster.io.webmap import write_map
from solarkataster.io.webtiles_roof_things import (
    FRAME_M,
    ROOF_THING_ZOOM,
    write_module_tiles,
    write_superstructure_tiles,
)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return make_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def tiles(town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    write_module_tiles(folder / "modules.pmtiles", town.modules, town.buildings)
    write_superstructure_tiles(
        folder / "superstructures.pmtiles", town.superstructures, town.roofs, town.buildings
    )
    return folder


def test_every_module_is_drawn_where_it_lies_less_its_frame(town, tiles):
    """At z17 a tile unit is 0.05 m (40 075 km · cos 50.7° / 2^17 / 4096); corners round to it."""
    parts = defaultdict(list)
    shapes = town.modules.geometry
    for properties, outline in tile_features(tiles / "modules.pmtiles", "modules"):
        (index,) = shapes.index[shapes.contains(outline.centroid)]
        row = town.modules.loc[index]
        assert properties["roof_id"] == row.roof_id
        assert properties["poa_global_year_kwh_m2"] == round(row.poa_global_year_kwh_m2)
        parts[index].append(outline.buffer(0))
    assert set(parts) == set(town.modules.index)
    for index, drawn in parts.items():
        # Two parts where the edge of a tile cuts the module.
        inner = shapes[index].buffer(-FRAME_M, join_style="mitre")
        assert unary_union(drawn).hausdorff_distance(inner) < 0.05


def test_modules_come_in_one_zoom_with_few_attributes(tiles):
    assert {zoom for zoom, _, _ in read_tiles(tiles / "modules.pmtiles")} == {ROOF_THING_ZOOM}
    for properties, _ in tile_features(tiles / "modules.pmtiles", "modules"):
        assert set(properties) == {"roof_id", "poa_global_year_kwh_m2", "building_height_m"}


def test_a_million_modules_stay_under_forty_megabytes(tmp_path):
    """40 bytes a module, measured on 20 000 of them with 40 to a roof."""
    n = 20_000
    i = np.arange(n)
    east, north = EAST_M + 1.2 * (i % 200), NORTH_M + 1.8 * (i // 200)
    shapes = turned_boxes(east, north)
    roof_ids = [f"DENW12AL{k // 40:05d}/r1" for k in range(n)]
    modules = gpd.GeoDataFrame(
        {"building_id": [name[:13] for name in roof_ids], "roof_id": roof_ids}
        | {"poa_global_year_kwh_m2": 900.0 + (i * 7919) % 251},
        geometry=shapes,
        crs=CRS,
    )
    heights = gpd.GeoDataFrame(
        {"building_id": sorted({name[:13] for name in roof_ids}), "height_m": 7.25},
        geometry=shapes[: n // 40],
        crs=CRS,
    )
    assert write_module_tiles(tmp_path / "m.pmtiles", modules, heights) == n
    assert (tmp_path / "m.pmtiles").stat().st_size < 40 * n
    assert max(len(data) for data in read_tiles(tmp_path / "m.pmtiles").values()) < 500_000


def turned_boxes(east, north):
    """Modules that face south-west; a turn makes the coordinates as uneven as they are in life."""
    turned = [affinity.rotate(box(0, 0, 1.134, 1.5), 37.0, origin=(0, 0))]
    ring = shapely.get_coordinates(turned)
    return shapely.polygons(ring[None] + np.stack([east, north], axis=-1)[:, None])


def test_a_superstructure_with_a_plane_of_its_own_is_told_from_others(town, tiles):
    found = tile_features(tiles / "superstructures.pmtiles", "superstructures")
    kinds = {(properties["kind"], properties["has_plane"]) for properties, _ in found}
    assert kinds == {("chimney", False), ("lift housing", False), ("dormer", True)}


def test_no_modules_and_no_superstructures_write_no_file(town, tmp_path):
    path = tmp_path / "none.pmtiles"
    assert write_module_tiles(path, town.modules.iloc[:0], town.buildings) == 0
    things = town.superstructures.iloc[:0]
    assert write_superstructure_tiles(path, things, town.roofs, town.buildings) == 0
    assert not path.exists()


def test_a_map_tells_how_many_modules_it_holds_and_none_without_them(town, tmp_path):
    for name, layers in (
        ("with", {"modules": town.modules, "superstructures": town.superstructures}),
        ("without", {}),
    ):
        folder = tmp_path / name
        write_map(folder, town.roofs, town.buildings, town.year_raster, META, **layers)
        page = json.loads((folder / "map.json").read_text(encoding="utf-8"))
        counts = len(layers and town.modules), len(layers and town.superstructures)
        assert (page["n_modules"], page["n_superstructures"]) == counts
        assert (folder / "modules.pmtiles").exists() is bool(layers)
