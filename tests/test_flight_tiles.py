"""A surface model in several files: one changes or is damaged, the tiles it reaches feel it."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import small_inputs
from rasterio.windows import Window
from run_folders import told, write_small_town

from solarkataster import cli, pipeline
from solarkataster.config import Config, load_config

#: Shorter than half a file, so that a file in one corner is out of sight of the opposite one.
REACH_M = 10.0


def cut_in_four(path: Path, folder: Path) -> list[Path]:
    """The quadrants of a raster as files of their own, north-west first."""
    folder.mkdir()
    files = []
    with rasterio.open(path) as source:
        half, a = source.height // 2, source.res[0]
        for row in (0, half):
            for col in (0, half):
                window = Window(col, row, half, half)
                profile = source.profile | {
                    "height": half,
                    "width": half,
                    "transform": rasterio.Affine(
                        a, 0.0, source.bounds.left + col * a, 0.0, -a, source.bounds.top - row * a
                    ),
                }
                files.append(folder / f"dsm_{row}_{col}.tif")
                with rasterio.open(files[-1], "w", **profile) as target:
                    target.write(source.read(window=window))
    return files


@pytest.fixture(scope="module", autouse=True)
def no_map():
    """The map is not looked at here, and takes a third of a small run's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "map_stage", lambda *_, **__: None)
        yield


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    folder = tmp_path_factory.mktemp("town")
    path = write_small_town(folder, yields=False)
    cut_in_four(folder / "dsm.tif", folder / "dsm")
    text = path.read_text(encoding="utf-8")
    text = text.replace('dsm = "dsm.tif"', 'dsm = "dsm/*.tif"')
    path.write_text(text.replace("reach_m = 40", f"reach_m = {REACH_M}"), encoding="utf-8")
    return load_config(path)


@pytest.fixture(scope="module")
def run_folder(config, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    assert pipeline.run(config, out).is_complete
    return out


def with_own_files(config: Config, folder: Path) -> tuple[Config, list[Path]]:
    """The config with a copy of the flight tiles that a test may spoil."""
    shutil.copytree(Path(config.inputs.dsm[0]).parent, folder)
    inputs = config.inputs.model_copy(update={"dsm": (str(folder / "*.tif"),)})
    return config.model_copy(update={"inputs": inputs}), sorted(folder.glob("*.tif"))


def tiles_near(config: Config, file: Path, run_folder: Path) -> set[str]:
    """Tiles with a building whose bounding box is within the reach of a file, and a cell or two."""
    with rasterio.open(file) as source:
        west_m, south_m, east_m, north_m = source.bounds
    buildings = gpd.read_parquet(run_folder / "buildings.parquet")
    size_m = config.tiles.size_m
    near = set()
    for outline in buildings.geometry:
        w, s, e, n = outline.bounds
        margin_m = REACH_M + 2.0
        if (
            w < east_m + margin_m
            and e > west_m - margin_m
            and s < north_m + margin_m
            and n > south_m - margin_m
        ):
            point = outline.point_on_surface()
            near.add(f"e{point.x // size_m:.0f}_n{point.y // size_m:.0f}")
    return near


def test_several_files_are_one_raster(config, run_folder, tmp_path):
    one = config.inputs.model_copy(
        update={"dsm": (str(config.inputs.footprints.with_name("dsm.tif")),)}
    )
    pipeline.run(config.model_copy(update={"inputs": one}), tmp_path / "run")
    for name in ("roofs.parquet", "buildings.parquet", "poa_global_year_kwh_m2.tif"):
        assert (tmp_path / "run" / name).read_bytes() == (run_folder / name).read_bytes()


def test_a_changed_file_redoes_only_the_tiles_that_see_it(config, run_folder, tmp_path):
    config, files = with_own_files(config, tmp_path / "dsm")
    out = tmp_path / "run"
    shutil.copytree(run_folder, out)
    with rasterio.open(files[0], "r+") as source:
        source.write(source.read() + np.float32(0.01))
    result = pipeline.run(config, out)
    near = tiles_near(config, files[0], run_folder)
    assert 0 < len(near) < result.n_tiles
    assert result.n_tiles - result.n_resumed <= len(near)
    assert result.n_resumed > 0


def damaged_after_the_check(monkeypatch, file: Path) -> None:
    """Overwrite the middle of a file once the checks, which read it all here, are through."""
    real = pipeline.check_inputs

    def check_then_damage(config):
        checked = real(config)
        content = bytearray(file.read_bytes())
        middle = len(content) // 2
        content[middle : middle + 2000] = b"\xff" * 2000
        file.write_bytes(content)
        return checked

    monkeypatch.setattr(pipeline, "check_inputs", check_then_damage)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_damaged_file_fails_the_tiles_that_read_it_by_name(
    config, run_folder, monkeypatch, capsys, tmp_path, workers
):
    config, files = with_own_files(config, tmp_path / "dsm")
    damaged_after_the_check(monkeypatch, files[3])
    result = pipeline.run(config, tmp_path / "run", n_workers=workers)
    assert 0 < len(result.failed_tiles) < result.n_tiles
    assert set(result.failed_tiles) <= tiles_near(config, files[3], run_folder)
    assert all(files[3].name in fault for fault in result.failed_tiles.values())
    states = {name: tile["state"] for name, tile in told(tmp_path / "run")["tiles"].items()}
    assert {name for name, state in states.items() if state == "failed"} == set(result.failed_tiles)
    with pytest.raises(cli.typer.Exit) as end:
        cli._report(result)
    assert end.value.exit_code == cli.EXIT_FAILED
    assert files[3].name in capsys.readouterr().err


# files that stand for others


def write_vrt(path: Path, sources: list[Path]) -> Path:
    """A virtual raster in which files of one lattice lie side by side."""
    opened = []
    for source in sources:
        with rasterio.open(source) as raster:
            opened.append((source, raster.bounds, raster.shape, raster.res[0], raster.crs))
    size_m, crs = opened[0][3], opened[0][4]
    west_m, north_m = min(b.left for _, b, *_ in opened), max(b.top for _, b, *_ in opened)
    east_m, south_m = max(b.right for _, b, *_ in opened), min(b.bottom for _, b, *_ in opened)
    parts = "".join(
        f"<SimpleSource><SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand>"
        f'<SrcRect xOff="0" yOff="0" xSize="{shape[1]}" ySize="{shape[0]}"/>'
        f'<DstRect xOff="{(bounds.left - west_m) / size_m}" '
        f'yOff="{(north_m - bounds.top) / size_m}" xSize="{shape[1]}" ySize="{shape[0]}"/>'
        "</SimpleSource>"
        for source, bounds, shape, *_ in opened
    )
    n_cols, n_rows = round((east_m - west_m) / size_m), round((north_m - south_m) / size_m)
    path.write_text(
        f'<VRTDataset rasterXSize="{n_cols}" rasterYSize="{n_rows}"><SRS>{crs.to_wkt()}</SRS>'
        f"<GeoTransform>{west_m}, {size_m}, 0, {north_m}, 0, {-size_m}</GeoTransform>"
        f'<VRTRasterBand dataType="Float32" band="1"><NoDataValue>-9999</NoDataValue>{parts}'
        "</VRTRasterBand></VRTDataset>",
        encoding="utf-8",
    )
    return path


def test_a_change_behind_a_virtual_raster_redoes_the_tiles(config, tmp_path):
    source = shutil.copy(config.inputs.footprints.with_name("dsm.tif"), tmp_path / "heights")
    inner = write_vrt(tmp_path / "inner.vrt", [Path(source)])
    outer = write_vrt(tmp_path / "outer.vrt", [inner])
    inputs = config.inputs.model_copy(update={"dsm": (str(outer),)})
    config = config.model_copy(update={"inputs": inputs})
    out = tmp_path / "run"
    first = pipeline.run(config, out)
    assert pipeline.run(config, out).n_resumed == first.n_tiles
    with rasterio.open(source, "r+") as raster:
        raster.write(raster.read() + np.float32(0.01))
    assert pipeline.run(config, out).n_resumed == 0


def test_checksums_name_every_file_that_heights_come_from(tmp_path):
    small_inputs.write_inputs(tmp_path)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(tmp_path / "dsm.tif") as dsm:
        profile = dsm.profile | {"nodata": None}
        with rasterio.open(tmp_path / "masked.tif", "w", **profile) as masked:
            masked.write(dsm.read())
            masked.write_mask(np.full(dsm.shape, 255, dtype="uint8"))
    # A raster without place and system of its own, as old flights come.
    with rasterio.open(tmp_path / "dtm.tif") as dtm:
        a, _, c, _, e, f = dtm.transform[:6]
        bare = {"driver": "GTiff", "height": dtm.height, "width": dtm.width, "count": 1}
        with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
            target = rasterio.open(tmp_path / "bare.tif", "w", dtype="float32", **bare)
        with target:
            target.write(dtm.read())
        world = [a, 0, 0, e, c + a / 2, f + e / 2]
        (tmp_path / "bare.tfw").write_text("\n".join(map(str, world)))
        write_vrt(tmp_path / "ground.vrt", [tmp_path / "dtm.tif"])
    text = (tmp_path / "ground.vrt").read_text(encoding="utf-8")
    (tmp_path / "ground.vrt").write_text(text.replace("dtm.tif", "bare.tif"), encoding="utf-8")
    small_inputs.write_config(tmp_path, dsm="masked.tif", dtm="ground.vrt")
    names = [Path(path).name for path in small_inputs.check(tmp_path).checksums]
    assert names == [
        "masked.tif", "masked.tif.msk", "ground.vrt", "bare.tif", "bare.tfw",
        "footprints.gpkg", "weather.dat",
    ]  # fmt: skip


def test_a_virtual_raster_of_something_that_is_no_file_is_refused_by_name(tmp_path):
    small_inputs.write_inputs(tmp_path)
    write_vrt(tmp_path / "dsm.vrt", [tmp_path / "dsm.tif"])
    small_inputs.write_config(tmp_path, dsm="dsm.vrt")
    (tmp_path / "dsm.tif").rename(tmp_path / "moved.tif")
    fault = small_inputs.one_fault(tmp_path)
    assert fault.where == str(tmp_path / "dsm.vrt")
    assert str(tmp_path / "dsm.tif") in fault.found
