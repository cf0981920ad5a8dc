"""Tiles of the web map: nothing lost, nothing changed, every colour where the legend says."""

from __future__ import annotations

import io
import math

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from PIL import Image
from pyproj import Transformer
from rasterio import Affine
from shapely.geometry import box
from shapely.ops import unary_union
from tile_reading import header_of, outline_m, read_tiles, vector_features
from webmap_town import CRS, EAST_M, META, NORTH_M, SIZE_M, make_town

from solarkataster.errors import InputError
from solarkataster.io.webmap import write_map
from solarkataster.io.webtiles import (
    IRRADIATION_COLOURS,
    irradiation_palette,
    palette_index,
    write_building_tiles,
    write_raster_tiles,
    write_roof_tiles,
)
from solarkataster.io.webtiles_columns import (
    BUILDING_TILE_COLUMNS,
    ROOF_TILE_COLUMNS,
    decimals,
)
from solarkataster.io.webtiles_vector import tile_table
from solarkataster.layers import BUILDING_COLUMNS
from solarkataster.quality import REMOVED_MARK
from solarkataster.rating.reasons import german_reason


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return make_town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def tiles(town, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    write_roof_tiles(folder / "roofs.pmtiles", town.roofs, town.buildings)
    write_building_tiles(folder / "buildings.pmtiles", town.buildings)
    write_raster_tiles(folder / "irradiation.pmtiles", town.year_raster)
    return folder


@pytest.mark.parametrize("zoom", [13, 14, 15, 16])
@pytest.mark.parametrize("layer", ["roofs", "buildings"])
def test_every_id_is_in_the_tiles_of_every_zoom(town, tiles, layer, zoom):
    id_column = {"roofs": "roof_id", "buildings": "building_id"}[layer]
    name = layer if zoom >= 16 else f"{layer}_overview"
    found = {
        key for z, n, key in vector_features(tiles / f"{layer}.pmtiles") if (z, n) == (zoom, name)
    }
    assert found == set(getattr(town, layer)[id_column])


@pytest.mark.parametrize(
    ("layer", "columns"), [("roofs", ROOF_TILE_COLUMNS), ("buildings", BUILDING_TILE_COLUMNS)]
)
def test_tiles_carry_the_tables_values_to_the_digits_shown_with_their_types(
    town, tiles, layer, columns
):
    id_column = {"roofs": "roof_id", "buildings": "building_id"}[layer]
    found = vector_features(tiles / f"{layer}.pmtiles")
    table = getattr(town, layer).assign(building_height_m=np.nan).set_index(id_column, drop=False)
    kinds = {"str": str, "float64": float, "int32": int, "bool": bool}
    for key, row in table.iterrows():
        for properties, _ in found[16, layer, key]:
            for column in columns:
                value = row[column.name]
                if column.name == "building_height_m":
                    continue
                if column.dtype == "str":
                    value = "" if value != value else value
                elif np.isnan(value):
                    assert column.name not in properties
                    continue
                elif column.dtype == "float64":
                    value = np.round(value, decimals(column.name))
                assert properties[column.name] == value
                assert type(properties[column.name]) is kinds[column.dtype]


def test_whole_number_ids_stay_text(tiles):
    (properties, _), *_ = vector_features(tiles / "buildings.pmtiles")[16, "buildings", "4711"]
    assert properties["building_id"] == "4711"


def test_columns_of_the_input_are_not_published(town, tiles):
    assert "strasse" in town.buildings.columns
    for features in vector_features(tiles / "buildings.pmtiles").values():
        assert all("strasse" not in properties for properties, _ in features)


def test_outlines_lie_where_the_input_has_them(town, tiles):
    """At z16 a tile unit is 0.1 m (40 075 km · cos 50.7° / 2^16 / 4096); corners round to it."""
    found = vector_features(tiles / "roofs.pmtiles")
    for row in town.roofs.itertuples():
        parts = [outline_m(place) for _, place in found[16, "roofs", row.roof_id]]
        drawn = unary_union([part.buffer(0) for part in parts])
        assert drawn.hausdorff_distance(row.geometry) < 0.15


def test_overview_tiles_are_lighter_than_full_ones_would_be(tiles):
    for (zoom, layer, _), features in vector_features(tiles / "roofs.pmtiles").items():
        if zoom < 16:
            assert layer == "roofs_overview"
            assert all(len(properties) <= 4 for properties, _ in features)


def test_roofs_know_the_height_of_their_building(town, tiles):
    found = vector_features(tiles / "roofs.pmtiles")
    (properties, _), *_ = found[14, "roofs_overview", "DENW12AL00003/r1"]
    assert properties["building_height_m"] == 6.0 + 0.75 * 3


def test_a_missing_yes_or_no_is_no_and_a_missing_count_is_zero(town, tmp_path):
    """In Python NaN is true; a building nobody asked about is no monument."""
    unknown = town.buildings.assign(monument=np.nan, n_modules=np.nan)
    write_building_tiles(tmp_path / "b.pmtiles", unknown)
    for (zoom, *_), features in vector_features(tmp_path / "b.pmtiles").items():
        if zoom == 16:
            assert all(properties["monument"] is False for properties, _ in features)
            assert all(properties["n_modules"] == 0 for properties, _ in features)


def test_a_missing_column_is_named(town, tmp_path):
    without = town.roofs.drop(columns="sky_view_factor")
    with pytest.raises(InputError, match="sky_view_factor"):
        write_roof_tiles(tmp_path / "r.pmtiles", without, town.buildings)


def test_rows_without_geometry_are_told_unless_a_scenario_removed_them(town, caplog):
    outlines = town.buildings.geometry.to_numpy().copy()
    outlines[3] = None
    gone = town.buildings.set_geometry(gpd.GeoSeries(outlines, crs=town.buildings.crs))
    for told in (str, german_reason):
        gone["reason"] = [told(REMOVED_MARK) if i == 3 else "" for i in range(len(gone))]
        assert len(tile_table(gone, BUILDING_COLUMNS, "buildings")) == len(gone) - 1
    assert not caplog.messages
    gone["reason"] = ""
    tile_table(gone, BUILDING_COLUMNS, "buildings")
    assert caplog.messages == ["buildings without geometry are not on the map: 1"]


def test_a_table_without_coordinate_system_is_refused(town, tmp_path):
    bare = gpd.GeoDataFrame(
        town.buildings.drop(columns="geometry"), geometry=[box(0, 0, 1, 1)] * 14
    )
    with pytest.raises(InputError, match="no coordinate system"):
        write_building_tiles(tmp_path / "b.pmtiles", bare)


def test_no_roofs_write_no_file(town, tmp_path):
    assert write_roof_tiles(tmp_path / "r.pmtiles", town.roofs.iloc[:0], town.buildings) == 0
    assert not (tmp_path / "r.pmtiles").exists()


def test_lightness_only_rises_along_the_scale():
    """CIE lightness (IEC 61966-2-1 to Y, CIE 15:2004 to L*): readable without colour vision."""
    linear = irradiation_palette()[1:] / 255.0
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    steps = np.diff(lightness[::8])
    assert (steps > 0).all()
    assert lightness[-1] - lightness[0] > 60


def test_each_stop_of_the_legend_has_its_colour_in_the_raster():
    stops = np.array([stop for stop, _ in IRRADIATION_COLOURS])
    # 8 steps over 255 entries: a stop is at most half an entry away from its colour.
    for rgb, (_, colour) in zip(
        irradiation_palette()[palette_index(stops)].astype(int), IRRADIATION_COLOURS, strict=True
    ):
        expected = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(rgb - expected).max() <= 2


def test_values_off_the_scale_take_its_ends_and_nan_is_transparent():
    assert palette_index(np.array([0.0, 400.0, 1200.0, 5000.0, np.nan, np.inf])).tolist() == [
        1,
        1,
        255,
        255,
        0,
        0,
    ]


def raster_pixel(tiles_by_place, zoom, easting_m, northing_m):
    """RGBA of the pixel that shows a place."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(easting_m, northing_m)
    x = (longitude + 180) / 360 * 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(latitude))) / math.pi) / 2 * 2**zoom
    data = tiles_by_place.get((zoom, int(x), int(y)))
    if data is None:
        return (0, 0, 0, 0)
    with Image.open(io.BytesIO(data)) as image:
        pixel = image.convert("RGBA").getpixel((int(x % 1 * 512), int(y % 1 * 512)))
    return pixel


def test_each_roof_has_its_colour_in_the_deepest_raster_tiles(town, tiles):
    places = read_tiles(tiles / "irradiation.pmtiles")
    zoom = header_of(tiles / "irradiation.pmtiles")["max_zoom"]
    palette = irradiation_palette()
    for row in town.roofs.itertuples():
        pixel = raster_pixel(places, zoom, row.geometry.centroid.x, row.geometry.centroid.y)
        year = row.poa_global_year_kwh_m2
        if np.isnan(year):
            assert pixel[3] == 0
        else:
            expected = palette[palette_index(np.array([year], dtype=np.float32))[0]]
            assert pixel == (*expected.tolist(), 255)


def test_where_no_roof_is_the_raster_is_transparent(town, tiles):
    places = read_tiles(tiles / "irradiation.pmtiles")
    zoom = header_of(tiles / "irradiation.pmtiles")["max_zoom"]
    roofs = unary_union(town.roofs.geometry.to_list()).buffer(1.0)
    rng = np.random.default_rng(7)
    for east_m, north_m in np.array([EAST_M, NORTH_M]) + rng.uniform(0, SIZE_M, (200, 2)):
        if roofs.disjoint(box(east_m, north_m, east_m, north_m).centroid):
            assert raster_pixel(places, zoom, east_m, north_m)[3] == 0


def test_coarse_raster_tiles_average_only_cells_with_a_value(tmp_path):
    """One value on every roof cell: any colour but its own would be a mean with the void."""
    year = np.full((300, 300), np.nan, dtype=np.float32)
    year[20:150:9, 20:260] = 983.0
    path = tmp_path / "year.tif"
    profile = {"driver": "GTiff", "width": 300, "height": 300, "count": 1, "crs": CRS}
    profile |= {"dtype": "float32", "nodata": np.nan}
    with rasterio.open(
        path, "w", transform=Affine(0.5, 0, EAST_M, 0, -0.5, NORTH_M), **profile
    ) as file:
        file.write(year, 1)
    write_raster_tiles(tmp_path / "r.pmtiles", path)
    expected = int(palette_index(np.array([983.0]))[0])
    for data in read_tiles(tmp_path / "r.pmtiles").values():
        with Image.open(io.BytesIO(data)) as image:
            assert set(np.unique(np.asarray(image))) <= {0, expected}


@pytest.mark.parametrize(("cell_size_m", "zoom"), [(0.5, 17), (1.0, 16)])
def test_the_deepest_zoom_resolves_one_cell(tmp_path, cell_size_m, zoom):
    """Ground size of a 512 px tile's pixel at 50.74° N: 0.378 m at z17, 0.756 m at z16."""
    path = tmp_path / "year.tif"
    profile = {"driver": "GTiff", "width": 40, "height": 40, "count": 1, "crs": CRS}
    with rasterio.open(
        path,
        "w",
        dtype="float32",
        transform=Affine(cell_size_m, 0, EAST_M, 0, -cell_size_m, NORTH_M),
        **profile,
    ) as file:
        file.write(np.full((40, 40), 900.0, dtype=np.float32), 1)
    assert write_raster_tiles(tmp_path / "r.pmtiles", path).max_zoom == zoom


def test_a_raster_without_values_writes_no_file(tmp_path):
    path = tmp_path / "year.tif"
    profile = {"driver": "GTiff", "width": 40, "height": 40, "count": 1, "crs": CRS}
    transform = Affine(0.5, 0, EAST_M, 0, -0.5, NORTH_M)
    with rasterio.open(path, "w", dtype="float32", transform=transform, **profile) as file:
        file.write(np.full((40, 40), np.nan, dtype=np.float32), 1)
    assert write_raster_tiles(tmp_path / "r.pmtiles", path) is None
    assert not (tmp_path / "r.pmtiles").exists()


@pytest.mark.parametrize("name", ["roofs", "buildings", "irradiation"])
def test_archive_bounds_hold_the_town(town, tiles, name):
    header = header_of(tiles / f"{name}.pmtiles")
    roofs = town.roofs.to_crs("EPSG:4326").total_bounds * 1e7
    assert header["min_lon_e7"] <= roofs[0] + 20
    assert header["min_lat_e7"] <= roofs[1] + 20
    assert header["max_lon_e7"] >= roofs[2] - 20
    assert header["max_lat_e7"] >= roofs[3] - 20
    assert header["clustered"]


def test_writing_twice_gives_the_same_tiles(town, tiles, tmp_path):
    write_roof_tiles(tmp_path / "roofs.pmtiles", town.roofs, town.buildings)
    write_building_tiles(tmp_path / "buildings.pmtiles", town.buildings)
    write_raster_tiles(tmp_path / "irradiation.pmtiles", town.year_raster)
    for name in ("roofs", "buildings", "irradiation"):
        again, before = tmp_path / f"{name}.pmtiles", tiles / f"{name}.pmtiles"
        if name == "irradiation":
            assert read_tiles(again) == read_tiles(before)
        else:
            assert vector_features(again) == vector_features(before)


def test_a_failed_map_leaves_the_older_one_as_it_was(town, tmp_path):
    folder = tmp_path / "map"
    write_map(folder, town.roofs, town.buildings, town.year_raster, META)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(rasterio.errors.RasterioIOError):
        write_map(folder, town.roofs, town.buildings, tmp_path / "missing.tif", META)
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_a_newer_map_replaces_the_older_one_and_leaves_nothing_beside_it(town, tmp_path):
    folder = tmp_path / "map"
    write_map(folder, town.roofs, town.buildings, town.year_raster, META)
    (folder / "stale.txt").write_text("from an older version")
    write_map(folder, town.roofs, town.buildings, town.year_raster, META)
    assert not (folder / "stale.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["map"]


def test_meta_that_nobody_shows_is_refused(town, tmp_path):
    with pytest.raises(InputError, match="licence"):
        write_map(
            tmp_path / "map", town.roofs, town.buildings, town.year_raster, META | {"licence": "x"}
        )
