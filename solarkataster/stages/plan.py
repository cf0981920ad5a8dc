"""What there is to do: tiles with buildings, and what each tile's result depends on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import shapely

import solarkataster
from solarkataster.checks import CheckedInputs
from solarkataster.grid import Grid
from solarkataster.io.citymodels import CityModelSource
from solarkataster.io.footprints import id_texts
from solarkataster.io.pointclouds import PointSource
from solarkataster.io.rasters import RasterSource
from solarkataster.io.runfolder import RunFolder, digest, read_json
from solarkataster.points import MAX_CELL_M
from solarkataster.roofs.model import lattice_margin_m
from solarkataster.roofs.overhang import heights_reach_m
from solarkataster.scenario import Changes
from solarkataster.stages.job import TileJob, TilePlants
from solarkataster.stages.plants import plants_near, plants_stamp
from solarkataster.tiling import Tile, building_window, owner_tiles, tile_window, tiles_of

#: Libraries whose version can change a result.
LIBRARIES = (
    "numpy", "numba", "scipy", "pandas", "pvlib", "shapely", "pyproj", "rasterio", "pyarrow",
    "geopandas", "pyogrio", "laspy", "lazrs",
)  # fmt: skip

#: Parts of the package that no result of a tile depends on.
NOT_IN_TILES = (
    "cli.py",
    "serve.py",
    "progress.py",
    "demo",
    "web",
    "io/webmap.py",
    "io/webtiles.py",
    "io/webtiles_columns.py",
    "io/webtiles_facades.py",
    "io/webtiles_parking.py",
    "io/webtiles_roof_things.py",
    "io/webtiles_vector.py",
)


@dataclass(frozen=True)
class Plan:
    """
    The tiles of a run.

    Parameters
    ----------
    checked : CheckedInputs
    folder : RunFolder
    token : str
    tiles : tuple of Tile
        Those that own a building, north to south, then west to east.
    owned : tuple of ndarray of int
        Buildings of each tile as positions in the footprints.
    removed : tuple of tuple of shapely geometry
        Outlines that a scenario takes away from each tile. The tile still reads what it read for
        them, so that nothing else changes.
    """

    checked: CheckedInputs
    folder: RunFolder
    token: str
    tiles: tuple[Tile, ...]
    owned: tuple[np.ndarray, ...]
    removed: tuple[tuple[shapely.Geometry, ...], ...]

    def job(self, i: int) -> TileJob:
        """What the i-th tile is told."""
        checked, tile, owned = self.checked, self.tiles[i], self.owned[i]
        footprints = checked.footprints.geometry.to_numpy()[owned]
        max_overhang_m = checked.config.roofs.max_overhang_m
        windows = [
            building_window(checked.grid, one, max_overhang_m)
            for one in (*footprints, *self.removed[i])
            if _has_area(one)
        ]
        neighbours = self._neighbours(footprints)
        window = tile_window(checked.grid, windows, checked.config.horizon.reach_m)
        around = self._around(window)
        surroundings = checked.footprints.geometry.to_numpy()[around]
        use, use_around = tuple(self._use[owned]), tuple(self._use[around])
        plants = plants_near(checked, window)
        public_space = _public_space_near(checked, window, owned)
        return TileJob(
            name=tile.name,
            grid=checked.grid,
            core=tile.core,
            window=window,
            dsm=checked.dsm.touching(window),
            dtm=checked.dtm.touching(window),
            points=_points_near(checked, footprints),
            building_ids=tuple(checked.footprints["building_id"].to_numpy()[owned]),
            building_index=owned.astype(np.int32),
            footprints=footprints,
            use=use,
            neighbours=neighbours,
            surroundings=surroundings,
            use_around=use_around,
            index_around=around.astype(np.int32),
            is_monument=checked.is_monument[owned],
            config=checked.config,
            latitude_deg=checked.latitude_deg,
            convergence_deg=checked.convergence_deg,
            folder=self.folder,
            token=self.token,
            stamp=_tile_stamp(
                checked,
                tile,
                window,
                owned,
                [footprints, neighbours, surroundings],
                use + use_around,
                plants,
                public_space,
            ),
            lod2=_lod2_near(checked, footprints),
            changes=_changes_near(checked, window),
            plants=plants,
            public_space=public_space,
            visibility=None if checked.book is None else checked.book.rating.visibility,
        )

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.checked.footprints.geometry.to_numpy())

    def _neighbours(self, footprints: np.ndarray) -> np.ndarray:
        """Every footprint that a roof of these could reach, in the order of the input."""
        known = [one for one in footprints if _has_area(one)]
        reach_m = _neighbour_reach_m(self.checked)
        near = self._tree.query(known, "dwithin", reach_m)[1] if known else np.zeros(0, np.int64)
        return self.checked.footprints.geometry.to_numpy()[np.unique(near)]

    def _around(self, window: Grid) -> np.ndarray:
        """Positions of every footprint in a window; none if nothing looks at them."""
        config = self.checked.config
        looks = config.walls.enabled or config.trees.from_surface or config.reflection.enabled
        looks |= self.checked.greenery.trees is not None
        # Eaves of a removed building end at those that stay.
        if min(window.shape) == 0 or not (looks or _changes_near(self.checked, window).removed):
            return np.zeros(0, dtype=np.int64)
        return np.sort(self._tree.query(shapely.box(*window.bounds), "intersects"))

    @cached_property
    def _use(self) -> np.ndarray:
        """Use of every building as text; empty where there is none."""
        footprints, column = self.checked.footprints, self.checked.config.inputs.footprint_use
        if column is None:
            return np.full(len(footprints), "", dtype=object)
        texts = id_texts(footprints[column])
        return np.array(["" if text is None else text.strip() for text in texts], dtype=object)

    def finished(self, name: str, stamp: str) -> dict[str, Any] | None:
        """The report of a tile that is done with this very stamp, else None."""
        report = read_json(self.folder.tile(name) / "tile.json")
        return report if report is not None and report.get("stamp") == stamp else None


def plan_tiles(checked: CheckedInputs, folder: RunFolder, token: str) -> Plan:
    """Give every building to a tile; tiles without a building are left out."""
    tiles = tiles_of(checked.grid, checked.config.tiles.size_m)
    owner = owner_tiles(tiles, checked.footprints.geometry.to_numpy())
    order = np.argsort(owner, kind="stable")
    gone = {building_id: outline for building_id, outline in checked.changes.removed}
    if gone:
        order = order[~checked.footprints["building_id"].isin(list(gone)).to_numpy()[order]]
    owner = owner[order]
    was_here = owner_tiles(tiles, list(gone.values()))
    names, starts = np.unique(owner, return_index=True)
    owned = np.split(order, starts[1:]) if len(order) else []
    removed = tuple(
        tuple(outline for outline, at in zip(gone.values(), was_here, strict=True) if at == i)
        for i in names
    )
    return Plan(checked, folder, token, tuple(tiles[i] for i in names), tuple(owned), removed)


def _has_area(footprint: shapely.Geometry | None) -> bool:
    return footprint is not None and not footprint.is_empty


def _neighbour_reach_m(checked: CheckedInputs) -> float:
    """How far around a footprint its roof's heights are looked at, corners included. [m]"""
    max_overhang_m = checked.config.roofs.max_overhang_m
    raster_m = heights_reach_m(max_overhang_m, checked.grid.cell_size_m)
    return 1.5 * max(raster_m, lattice_margin_m(max_overhang_m)) + 2.0 * checked.grid.cell_size_m


def _points_near(checked: CheckedInputs, footprints: np.ndarray) -> PointSource | None:
    """The files of laser points with points near any of the footprints."""
    known = [one for one in footprints if _has_area(one)]
    if checked.points is None or not known:
        return None
    west_m, south_m, east_m, north_m = shapely.total_bounds(known)
    reach_m = lattice_margin_m(checked.config.roofs.max_overhang_m) + MAX_CELL_M
    return checked.points.touching(
        (west_m - reach_m, south_m - reach_m, east_m + reach_m, north_m + reach_m)
    )


def _lod2_near(checked: CheckedInputs, footprints: np.ndarray) -> CityModelSource | None:
    """The buildings of the city model that touch the bounds of the footprints."""
    known = [one for one in footprints if _has_area(one)]
    if checked.lod2 is None or not known:
        return None
    west_m, south_m, east_m, north_m = shapely.total_bounds(known)
    return checked.lod2.touching((west_m, south_m, east_m, north_m))


def _public_space_near(
    checked: CheckedInputs, window: Grid, owned: np.ndarray
) -> np.ndarray | None:
    """Public ground in a window that holds monuments; None if nobody knows any."""
    areas = checked.rating.public_space
    if areas is None or not checked.is_monument[owned].any():
        return None if areas is None else areas[:0]
    return areas[shapely.intersects(areas, shapely.box(*window.bounds))]


def _view_settings(
    checked: CheckedInputs, owned: np.ndarray, public_space: np.ndarray | None
) -> Any:
    """What it depends on whether monuments are seen; nothing in a tile without any."""
    if checked.book is None or not checked.is_monument[owned].any():
        return None
    settings = checked.book.rating.visibility.model_dump(mode="json")
    return settings, None if public_space is None else [one.wkb_hex for one in public_space]


def _changes_near(checked: CheckedInputs, window: Grid) -> Changes:
    """What a scenario changes in a window; eaves reach beyond the walls."""
    return checked.changes.within(window.bounds, checked.config.roofs.max_overhang_m)


def _tile_stamp(
    checked: CheckedInputs,
    tile: Tile,
    window: Grid,
    owned: np.ndarray,
    outlines_of: list[np.ndarray],
    use: tuple[str, ...],
    plants: TilePlants,
    public_space: np.ndarray | None,
) -> str:
    """Digest of everything the tile's result depends on, and of nothing else."""
    config, footprints = checked.config, outlines_of[0]
    outlines = hashlib.sha256()
    for building_id, outline in zip(
        checked.footprints["building_id"].to_numpy()[owned],
        shapely.to_wkb(footprints),
        strict=True,
    ):
        outlines.update(repr((building_id, outline)).encode())
    outlines.update(owned.astype("<i8").tobytes())
    outlines.update(checked.is_monument[owned].tobytes())
    for around in outlines_of[1:]:
        outlines.update(b"".join(shapely.to_wkb(around)))
    outlines.update(repr(use).encode())

    def rasters(source: RasterSource) -> list[Any]:
        return [
            (
                [checked.checksums[str(part)] for part in file.parts],
                file.grid.bounds,
                file.nodata,
            )
            for file in source.touching(window).files
        ]

    points, lod2 = _points_near(checked, footprints), _lod2_near(checked, footprints)
    return digest(
        {
            "code": code_digest(NOT_IN_TILES),
            "versions": versions(),
            "cell_size_m": checked.grid.cell_size_m,
            "core": tile.core.bounds,
            "window": window.bounds,
            "dsm": rasters(checked.dsm),
            "dtm": rasters(checked.dtm),
            "points": None
            if points is None
            else [checked.checksums[str(file.path)] for file in points.files],
            "points_settings": config.points.model_dump(),
            "lod2": None
            if lod2 is None
            else [checked.checksums[str(file.path)] for file in lod2.files],
            "weather": checked.checksums[str(config.inputs.weather)],
            "weather_settings": config.weather.model_dump(exclude={"max_distance_km"}),
            "roofs": config.roofs.model_dump(),
            "layout": config.layout.model_dump(),
            "walls": config.walls.model_dump(),
            "trees": config.trees.model_dump(),
            "plants": plants_stamp(checked, plants),
            "reflection": config.reflection.model_dump(),
            "below_terrain_m": config.limits.below_terrain_m,
            "horizon": config.horizon.model_dump(),
            "irradiation": config.irradiation.model_dump(),
            "convergence_deg": checked.convergence_deg,
            "view": _view_settings(checked, owned, public_space),
            "buildings": outlines.hexdigest(),
            "scenario": _changes_near(checked, window).digest(),
        }
    )


@cache
def code_digest(without: tuple[str, ...] = ()) -> str:
    """SHA-256 of the package's sources, parts that do not matter left out."""
    root = Path(solarkataster.__file__).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        is_source = path.is_file() and "__pycache__" not in path.parts
        if is_source and not any(name == part or name.startswith(f"{part}/") for part in without):
            total.update(name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Versions of the package and of the libraries that make its numbers."""
    return {"solarkataster": solarkataster.__version__} | {
        name: version(name) for name in LIBRARIES
    }


def tile_weights(plan: Plan) -> dict[str, float]:
    """Expected share of the work of each tile: its roofs, and the window that is swept."""
    areas_m2 = shapely.area(plan.checked.footprints.geometry.to_numpy())
    areas_m2 = np.nan_to_num(areas_m2)
    return {
        tile.name: 2000.0 + float(areas_m2[owned].sum())
        for tile, owned in zip(plan.tiles, plan.owned, strict=True)
    }


def iterate_jobs(plan: Plan, only: set[int]) -> Iterator[TileJob]:
    """The jobs of some tiles, made when asked for: a state has many."""
    for i in range(len(plan.tiles)):
        if i in only:
            yield plan.job(i)
