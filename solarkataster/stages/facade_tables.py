"""Tables of a tile's walls: facades, their storeys, their single points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from solarkataster.facades.shares import HALF, QUARTER, taken_fraction
from solarkataster.facades.walls import PARTY_WALL
from solarkataster.irradiance import Light
from solarkataster.potential import light_columns, plane_means, surface_potential
from solarkataster.stages.job import TileFacades, TileJob, TileLight


@dataclass(frozen=True)
class FacadeTables:
    """Rows of one tile: walls, storeys of walls, points (empty unless the config wants them)."""

    facades: pd.DataFrame
    storeys: pd.DataFrame
    elements: pd.DataFrame


def facade_tables(job: TileJob, facades: TileFacades | None, light: TileLight) -> FacadeTables:
    """Every wall and storey of a tile with its light."""
    empty = pd.DataFrame({"building_id": np.zeros(0, dtype=object)})
    if facades is None or len(facades) == 0:
        return FacadeTables(empty, empty, empty)
    head = _head(job, facades)
    seen, open_walls = light.on_walls, light.open_walls
    if seen is None or open_walls is None or facades.receivers is None:
        return FacadeTables(head, empty, empty)
    points = _Points(job, facades, seen, open_walls, light.wall_band)
    return FacadeTables(
        points.walls(head),
        points.storeys(head),
        points.elements(head) if job.config.walls.elements else empty,
    )


def facade_ids(job: TileJob, facades: TileFacades) -> tuple[np.ndarray, np.ndarray]:
    """Building and ``<building_id>/f<n>`` of every wall."""
    buildings = np.array(job.building_ids, dtype=object)[facades.building]
    ids = [f"{one}/f{n}" for one, n in zip(buildings, facades.number.tolist(), strict=True)]
    return buildings, np.array(ids, dtype=object)


def _head(job: TileJob, facades: TileFacades) -> pd.DataFrame:
    """What is known of every wall before its light."""
    settings = job.config.walls
    windows, taken = taken_fraction(
        job.use,
        settings.window_fraction,
        settings.balcony_fraction,
        settings.window_fraction_by_use,
        settings.balcony_fraction_by_use,
    )
    buildings, ids = facade_ids(job, facades)
    return pd.DataFrame(
        {
            "building_id": buildings,
            "facade_id": ids,
            "surface_tilt": np.full(len(ids), 90.0),
            "surface_azimuth": (facades.grid_azimuth + job.convergence_deg) % 360.0,
            "length_m": facades.length_m,
            "height_m": facades.top_m - facades.foot_m,
            "foot_elevation_m": facades.foot_m,
            "ground_elevation_m": facades.ground_m,
            "is_courtyard": facades.is_courtyard,
            "area_m2": facades.area_m2,
            "hidden_area_m2": facades.hidden_area_m2,
            "window_fraction": windows[facades.building],
            "usable_area_m2": facades.area_m2 * (1.0 - taken[facades.building]),
            "overhang_m": facades.overhang_m,
            "overhang_source": np.array(facades.overhang_source, dtype=object),
            "reason": np.array(facades.reason, dtype=object),
            "data_quality": np.array(facades.quality, dtype=object),
            "geometry": shapely.to_wkb(facades.outline),
        }
    )


def facade_sums(walls: pd.DataFrame, building: np.ndarray, n_building: int) -> pd.DataFrame:
    """Walls with a value, their areas and their light, by building."""
    if "poa_global_year_kwh" in walls:
        has_value = walls["poa_global_year_kwh"].notna().to_numpy()
    else:
        has_value = np.zeros(len(walls), dtype=bool)
    building = building[has_value]

    def total(name: str) -> np.ndarray:
        return np.bincount(building, walls[name].to_numpy()[has_value], n_building)

    sums = {"n_facades": np.bincount(building, minlength=n_building).astype(np.int32)}
    if has_value.any():
        sums["facade_area_m2"] = total("area_m2")
        sums["facade_usable_area_m2"] = total("usable_area_m2")
        sums["facade_poa_global_year_kwh"] = total("poa_global_year_kwh")
    return pd.DataFrame(sums)


class _Points:
    """Points of a tile's walls with their light, summed as each table needs it."""

    def __init__(
        self,
        job: TileJob,
        facades: TileFacades,
        seen: Light,
        open_walls: Light,
        band: np.ndarray | None,
    ) -> None:
        self.job, self.facades, self.band = job, facades, band
        n = facades.n_on_wall
        self.seen = seen.part(slice(0, n))
        self.area_m2 = facades.point_area_m2
        self.wall, self.storey = facades.wall[:n], facades.storey[:n]
        assert facades.receivers is not None
        surface = facades.receivers.surface
        # A curved wall has several facings; its open light is their mean by area.
        self.open_year_kwh_m2 = open_walls.poa_global_year_kwh_m2[surface[:n]]
        self.tilted_year_kwh_m2 = seen.poa_global_year_kwh_m2[n:]
        self.tilted_wall, self.tilted_storey = facades.wall[n:], facades.storey[n:]
        self.n_storey = int(self.storey.max()) + 1

    def walls(self, head: pd.DataFrame) -> pd.DataFrame:
        """One row per wall."""
        n_wall = len(head)
        open_year = plane_means(self.open_year_kwh_m2, self.wall, n_wall, self.area_m2)
        values = surface_potential(
            self.seen, open_year, self.wall, head["area_m2"].to_numpy(), self.area_m2
        )
        year = values["poa_global_year_kwh_m2"]
        table = pd.concat([head, values], axis=1)
        if self.band is not None:
            table["poa_global_year_low_kwh_m2"] = year * self.band[0]
            table["poa_global_year_high_kwh_m2"] = year * self.band[1]
        table["poa_global_year_usable_kwh"] = year * head["usable_area_m2"]
        table["poa_global_year_half_kwh"] = HALF * values["poa_global_year_kwh"]
        table["poa_global_year_quarter_kwh"] = QUARTER * values["poa_global_year_kwh"]
        behind = (head["reason"] == "") & year.isna()
        sliver = behind & (head["hidden_area_m2"] > head["area_m2"])
        table.loc[behind, "reason"] = "nothing of the wall stands free of what is before it"
        table.loc[sliver, "reason"] = [
            f"{PARTY_WALL} but for {area_m2:.1f} m² behind its roof"
            for area_m2 in head.loc[sliver, "area_m2"]
        ]
        return table

    def storeys(self, head: pd.DataFrame) -> pd.DataFrame:
        """One row per storey of a wall that has points, the lowest first."""
        keys, place = np.unique(self.wall * self.n_storey + self.storey, return_inverse=True)
        wall, storey = keys // self.n_storey, keys % self.n_storey
        n = len(keys)
        area_m2 = np.bincount(place, self.area_m2, n)
        of_wall = head.iloc[wall].reset_index(drop=True)
        usable = (of_wall["usable_area_m2"] / of_wall["area_m2"]).to_numpy()
        light = {
            name: plane_means(values, place, n, self.area_m2)
            for name, values in light_columns(self.seen).items()
        }
        year = light["poa_global_year_kwh_m2"]
        low_m, high_m = self._heights(place, n)
        ids = [f"{one}/g{k}" for one, k in zip(of_wall["facade_id"], storey.tolist(), strict=True)]
        return pd.DataFrame(
            {
                "building_id": of_wall["building_id"],
                "facade_id": of_wall["facade_id"],
                "storey_id": np.array(ids, dtype=object),
                "storey": storey.astype(np.int32),
                "surface_azimuth": of_wall["surface_azimuth"],
                "lowest_point_m": low_m,
                "highest_point_m": high_m,
                "area_m2": area_m2,
                "usable_area_m2": area_m2 * usable,
                **light,
                "poa_global_year_kwh": year * area_m2,
                "poa_global_year_usable_kwh": year * area_m2 * usable,
                "sky_view_factor": plane_means(self.seen.sky_view_factor, place, n, self.area_m2),
                "balcony_tilted_poa_year_kwh_m2": self._tilted_year(keys),
                "geometry": shapely.to_wkb(self._lines(place, n)),
            }
        )

    def elements(self, head: pd.DataFrame) -> pd.DataFrame:
        """One row per point."""
        facades = self.facades
        of_wall = head.iloc[self.wall].reset_index(drop=True)
        assert facades.receivers is not None
        elevation_m = facades.receivers.elevation_m[: facades.n_on_wall]
        places = np.column_stack([facades.easting_m, facades.northing_m, elevation_m])
        return pd.DataFrame(
            {
                "building_id": of_wall["building_id"],
                "facade_id": of_wall["facade_id"],
                "storey": self.storey,
                "height_m": facades.height_m,
                "area_m2": self.area_m2,
                "overhang_m": facades.overhang_point_m,
                **light_columns(self.seen),
                "sky_view_factor": self.seen.sky_view_factor,
                "geometry": shapely.to_wkb(shapely.points(places)),
            }
        )

    def _tilted_year(self, keys: np.ndarray) -> np.ndarray:
        """Light of the tilted modules of each storey; NaN where none hangs. [kWh/m²]"""
        at = np.searchsorted(keys, self.tilted_wall * self.n_storey + self.tilted_storey)
        return plane_means(self.tilted_year_kwh_m2, at, len(keys))

    def _heights(self, place: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest point of each storey over the terrain. [m]"""
        low_m, high_m = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(low_m, place, self.facades.height_m)
        np.maximum.at(high_m, place, self.facades.height_m)
        return low_m, high_m

    def _lines(self, place: np.ndarray, n: int) -> np.ndarray:
        """Level line through the points of each storey, along the wall."""
        facades, half_m = self.facades, 0.5 * self.job.config.walls.along_m
        assert facades.receivers is not None
        order = np.argsort(place, kind="stable")
        starts = np.searchsorted(place[order], np.arange(n))
        ends = np.append(starts[1:], len(order)) - 1
        first, last = order[starts], order[ends]
        elevation_m = facades.receivers.elevation_m[: facades.n_on_wall]
        level_m = np.bincount(place, elevation_m, n) / np.bincount(place, minlength=n)
        # Seen from outside a wall runs to the left of where it faces … to the right: its own start
        # to end. Half a column on both sides, so that one column is a line too.
        azimuth_rad = np.radians(facades.grid_azimuth[self.wall[first]])
        along = np.column_stack([-np.cos(azimuth_rad), np.sin(azimuth_rad)])
        ends_xyz = []
        for at, sign in ((first, -half_m), (last, half_m)):
            place_m = np.column_stack([facades.easting_m[at], facades.northing_m[at]])
            ends_xyz.append(np.column_stack([place_m + sign * along, level_m]))
        return shapely.linestrings(np.stack(ends_xyz, axis=1))
