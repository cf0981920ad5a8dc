"""
Walls of a finished run drawn in space and unrolled, to be looked at.

    python benchmarks/wall_pictures.py RUN --out DIR                     # 24 buildings at random
    python benchmarks/wall_pictures.py RUN --out DIR --which worst --buildings 12
    python benchmarks/wall_pictures.py RUN --out DIR --ids BN0019 BN0054

Left and middle: the building from two sides. Walls have the colours of their storeys' irradiation
(the map's scale), what neighbours hide is left out, grey walls have no value. Roofs are the cells
of the surface model, neighbours lighter. Right: the walls one after the other as one would walk
round the house; black is the surface model one cell inside the wall, grey one cell outside, brown
the terrain. A top that is right follows the black line; what is hidden lies below the grey one.
"""

from __future__ import annotations

import argparse
import json
import pathlib

import geopandas as gpd
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import shapely
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize

from solarkataster.facades.strips import Strips, storey_strips, wall_lines
from solarkataster.io.rasters import open_rasters, read_window
from solarkataster.io.webtiles_facades import WALL_COLOURS

#: Surroundings shown, and what of them is drawn: this high over the terrain. [m]
MARGIN_M, LOW_M = 12.0, 2.0
#: Strips are cut to this length, so that near ones can be drawn over far ones. [m]
PIECE_M = 1.5
#: Where the eye stands, clockwise from north, and how steeply it looks down. [°]
VIEWS, DOWN_DEG = (205.0, 25.0), 32.0
NO_VALUE = "#9aa0a8"
_LOW, _HIGH = WALL_COLOURS[0][0], WALL_COLOURS[-1][0]
SCALE = LinearSegmentedColormap.from_list(
    "walls", [((stop - _LOW) / (_HIGH - _LOW), colour) for stop, colour in WALL_COLOURS]
)
RANGE = Normalize(_LOW, _HIGH, clip=True)


class Heights:
    """Surface and terrain, read where they are asked for."""

    def __init__(self, run: pathlib.Path) -> None:
        inputs = json.loads((run / "run.json").read_text(encoding="utf-8"))["config"]["inputs"]
        self.dsm = open_rasters(inputs["dsm"], role="dsm")
        self.dtm = open_rasters(inputs["dtm"], role="dtm")

    def around(self, bounds) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Cell centres (x, y), surface and terrain of a window, each (ny, nx)."""
        west, south, east, north = bounds
        grid = self.dsm.grid
        reach = (west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M)
        window = grid.crop(reach)
        surface = read_window(self.dsm, window)
        left, _, _, top = window.bounds
        size = window.cell_size_m
        x = left + size * (0.5 + np.arange(window.shape[1]))
        y = top - size * (0.5 + np.arange(window.shape[0]))
        x, y = np.meshgrid(x, y)
        return x, y, surface, self.terrain(x, y)

    def terrain(self, x, y) -> np.ndarray:
        """Terrain of the nearest cell."""
        return _nearest(self.dtm, x, y)

    def surface(self, x, y) -> np.ndarray:
        """Surface of the nearest cell."""
        return _nearest(self.dsm, x, y)


def _nearest(source, x, y) -> np.ndarray:
    """Heights of the cells that places lie in; NaN off the raster."""
    margin = source.grid.cell_size_m
    window = source.grid.crop(
        (x.min() - margin, y.min() - margin, x.max() + margin, y.max() + margin)
    )
    heights = read_window(source, window)
    left, _, _, top = window.bounds
    col = np.floor((x - left) / window.cell_size_m).astype(int)
    row = np.floor((top - y) / window.cell_size_m).astype(int)
    is_on = (row >= 0) & (col >= 0) & (row < heights.shape[0]) & (col < heights.shape[1])
    found = np.full(x.shape, np.nan)
    found[is_on] = heights[row[is_on], col[is_on]]
    return found


def strips_of(walls, storey_height_m: float) -> Strips:
    top_m = (walls.foot_elevation_m + walls.height_m).to_numpy()
    return storey_strips(
        walls.geometry.to_numpy(), walls.ground_elevation_m.to_numpy(), top_m, storey_height_m,
        step_m=0.4,
    )  # fmt: skip


def colours_of(walls, storeys, strips) -> np.ndarray:
    """Colour of each strip by its storey's light, (n, 4)."""
    keys = pd.MultiIndex.from_arrays([storeys.facade_id, storeys.storey])
    year = pd.Series(storeys.poa_global_year_kwh_m2.to_numpy(), index=keys)
    own = pd.MultiIndex.from_arrays([walls.facade_id.to_numpy()[strips.wall], strips.storey])
    values = year.reindex(own).to_numpy()
    colours = SCALE(RANGE(np.nan_to_num(values)))
    colours[np.isnan(values)] = matplotlib.colors.to_rgba(NO_VALUE)
    return colours


def wall_faces(strips) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Upright pieces (n, 4, 3), the strip of each, and where they face (n, 2)."""
    corners = np.stack([shapely.get_coordinates(p)[:2] for p in strips.polygon])
    length = np.hypot(*(corners[:, 1] - corners[:, 0]).T)
    n = np.maximum(1, np.ceil(length / PIECE_M)).astype(int)
    strip = np.repeat(np.arange(len(n)), n)
    k = np.arange(len(strip)) - (np.cumsum(n) - n)[strip]
    way = (corners[:, 1] - corners[:, 0])[strip]
    begin = corners[strip, 0] + (k / n[strip])[:, None] * way
    finish = corners[strip, 0] + ((k + 1) / n[strip])[:, None] * way
    base, top = strips.base_m[strip], strips.top_m[strip]
    plan = np.stack([begin, finish, finish, begin], axis=1)
    height = np.stack([base, base, top, top], axis=1)[..., None]
    right = np.column_stack([way[:, 1], -way[:, 0]]) / np.hypot(*way.T)[:, None]
    return np.concatenate([plan, height], axis=2), strip, right


def roof_faces(building, heights) -> tuple[np.ndarray, np.ndarray]:
    """Cells of the surface that stand over the terrain (n, 4, 3), and which are the building's."""
    x, y, surface, terrain = heights.around(building.geometry.bounds)
    stands = surface > terrain + LOW_M
    x, y, z = x[stands], y[stands], surface[stands]
    half = 0.5 * heights.dsm.grid.cell_size_m
    signs = half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    plan = np.stack([x, y], axis=1)[:, None] + signs
    faces = np.concatenate([plan, np.repeat(z[:, None, None], 4, axis=1)], axis=2)
    return faces, shapely.contains_xy(building.geometry, x, y)


def draw(axes, building, walls, storeys, strips, heights, azimuth_deg: float) -> None:
    """One building from one side, far faces first."""
    faces, strip, right = wall_faces(strips)
    colours = colours_of(walls, storeys, strips)[strip]
    cells, is_own = roof_faces(building, heights)
    azimuth, down = np.radians(azimuth_deg), np.radians(DOWN_DEG)
    eye = np.array([np.sin(azimuth), np.cos(azimuth)])
    is_seen = right @ eye > 0.0
    shade = hill_light(cells)
    grey = np.where(is_own, 0.62, 0.86) * shade
    roof = np.column_stack([grey, grey, grey, np.where(is_own, 1.0, 0.55)])
    all_faces = np.concatenate([faces[is_seen], cells])
    face_colours = np.concatenate([colours[is_seen], roof])
    origin = np.array([*building.geometry.centroid.coords[0], walls.foot_elevation_m.min()])
    xyz = all_faces - origin
    across = xyz[..., 0] * -eye[1] + xyz[..., 1] * eye[0]
    towards = xyz[..., 0] * eye[0] + xyz[..., 1] * eye[1]
    up = xyz[..., 2] * np.cos(down) - towards * np.sin(down)
    near = (towards * np.cos(down) + xyz[..., 2] * np.sin(down)).mean(axis=1)
    order = np.argsort(near, kind="stable")
    outline = np.stack([across, up], axis=2)[order]
    face_colours = face_colours[order]
    axes.add_collection(
        PolyCollection(outline, facecolors=face_colours, edgecolors=face_colours, linewidths=0.2)
    )
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_axis_off()


def hill_light(cells) -> np.ndarray:
    """A little light and dark, so that cells of different height can be told."""
    return 0.85 + 0.15 * np.sin(2.1 * cells[:, 0, 2])


def unrolled(axes, building, walls, storeys, strips, heights) -> None:
    """All walls in the order of the outline, with what the rasters say beside them."""
    lines = wall_lines(walls.geometry.to_numpy())
    rings = shapely.get_parts(shapely.boundary(building.geometry))
    longest = [max(shapely.get_parts(line), key=shapely.length) for line in lines]
    middle = shapely.line_interpolate_point(longest, 0.5, normalized=True)
    ring = np.argmin([shapely.distance(one, middle) for one in rings], axis=0)
    place = shapely.line_locate_point(rings[ring], middle)
    colours = colours_of(walls, storeys, strips)
    ground = walls.foot_elevation_m.min()
    at = 0.0
    for k in np.lexsort((place, ring)):
        parts = np.flatnonzero(strips.wall == k)
        corners = np.stack([shapely.get_coordinates(p)[:2] for p in strips.polygon[parts]])
        s = along(lines[k], corners.reshape(-1, 2)).reshape(-1, 2)
        base, top = strips.base_m[parts] - ground, strips.top_m[parts] - ground
        x = at + s[:, [0, 1, 1, 0]]
        y = np.stack([base, base, top, top], axis=1)
        axes.add_collection(
            PolyCollection(np.stack([x, y], axis=2), facecolors=colours[parts], edgecolors="none")
        )
        profile(axes, lines[k], at, ground, heights)
        at += lines[k].length
        axes.axvline(at, color="white", linewidth=0.8)
        name = f"{walls.facade_id.iloc[k].rsplit('/')[-1]}\n{walls.surface_azimuth.iloc[k]:.0f}°"
        if lines[k].length > 2.0:
            axes.text(at - 0.5 * lines[k].length, -0.5, name, fontsize=5, ha="center", va="top")
    axes.set_xlim(0, at)
    axes.set_ylim(-2.5, 1.05 * (walls.foot_elevation_m + walls.height_m - ground).max() + 1.5)
    axes.tick_params(labelsize=5)


def along(line, places) -> np.ndarray:
    """Distance of places along the parts of a line, one part after the other. [m]"""
    parts, points = shapely.get_parts(line), shapely.points(places)
    begins = np.append(0.0, np.cumsum(shapely.length(parts))[:-1])
    at = np.argmin(shapely.distance(parts[:, None], points), axis=0)
    return begins[at] + shapely.line_locate_point(parts[at], points)


def profile(axes, line, at, ground, heights) -> None:
    """Surface inside and outside a wall, and the terrain."""
    for part in shapely.get_parts(line):
        s, inside, outside, foot = samples(part, heights)
        for values, colour, width in (
            (outside, "#888888", 0.6), (inside, "black", 0.9), (foot, "#7a4a1c", 0.8)
        ):  # fmt: skip
            axes.plot(at + s, values - ground, color=colour, linewidth=width)
        at += part.length


def samples(part, heights) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Distances along a line; surface one cell inside and outside of it, terrain on it."""
    step = 0.5 * heights.dsm.grid.cell_size_m
    s = np.arange(0.5 * step, part.length, step)
    s = s if len(s) else np.array([0.5 * part.length])
    here = shapely.get_coordinates(shapely.line_interpolate_point(part, s))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(part, s + 1e-3))
    way = ahead - here
    short = np.hypot(*way.T) < 5e-4
    way[short] = np.diff(shapely.get_coordinates(part)[-2:], axis=0)
    way /= np.hypot(*way.T)[:, None]
    out = np.column_stack([way[:, 1], -way[:, 0]]) * heights.dsm.grid.cell_size_m
    inside = heights.surface(*(here - out).T)
    return s, inside, heights.surface(*(here + out).T), heights.terrain(*here.T)


def misses(walls, heights) -> pd.DataFrame:
    """By wall: length along which the top is over 1.5 m off the surface just inside. [m]"""
    rows = []
    for wall in walls.itertuples():
        lines, tops = wall_lines(np.array([wall.geometry])), top_of(wall.geometry)
        off = length = 0.0
        for part in shapely.get_parts(lines[0]):
            s, inside, _, _ = samples(part, heights)
            here = shapely.get_coordinates(shapely.line_interpolate_point(part, s))
            gap = inside - tops(here)
            off += part.length * np.mean(np.abs(np.nan_to_num(gap)) > 1.5)
            length += part.length
        rows.append((wall.building_id, wall.facade_id, length, off))
    return pd.DataFrame(rows, columns=["building_id", "facade_id", "length_m", "off_m"])


def top_of(outline):
    """Height of a wall's top at places on its line: the highest corner's line there."""
    edges = []
    for part in outline.geoms:
        xyz = shapely.get_coordinates(part.exterior, include_z=True)
        edges.append(np.concatenate([xyz[:-1], xyz[1:]], axis=1))
    edges = np.concatenate(edges)

    def heights_at(places):
        a, b = edges[:, :2], edges[:, 3:5]
        way = b - a
        squared = (way**2).sum(axis=1)
        is_long = squared > 1e-8
        a, way, squared, ends = a[is_long], way[is_long], squared[is_long], edges[is_long]
        share = ((places[:, None] - a) * way).sum(axis=2) / squared
        foot = a + share[..., None] * way
        near = np.hypot(*np.moveaxis(places[:, None] - foot, 2, 0)) < 0.02
        z = ends[:, 2] + share * (ends[:, 5] - ends[:, 2])
        is_over = near & (share >= -1e-6) & (share <= 1 + 1e-6)
        return np.where(is_over, z, -np.inf).max(axis=1)

    return heights_at


def chosen(buildings, found, which: str, n: int, seed: int):
    """The buildings to draw, in the order of their place in the table."""
    if which == "random":
        order = np.random.default_rng(seed).permutation(len(buildings))
    elif which == "worst":
        off = found.groupby("building_id").off_m.sum().reindex(buildings.building_id).fillna(0.0)
        order = np.argsort(-off.to_numpy(), kind="stable")
        return buildings.iloc[order[:n]]
    else:
        order = np.argsort(-buildings.geometry.area.to_numpy(), kind="stable")
    return buildings.iloc[np.sort(order[:n])]


def print_figures(facades, seen, found) -> None:
    length = facades.length_m.sum()
    without = facades[(facades.reason != "") & (facades.reason != "hidden by a neighbour")]
    print(f"{len(facades)} walls, {length:.0f} m; {len(seen)} seen")
    print(f"without value though not hidden: {without.length_m.sum() / length:.2%} of the length")
    print(without.reason.value_counts().to_string())
    print(f"top over 1.5 m off the surface inside: {found.off_m.sum() / found.length_m.sum():.1%}")
    print(found.sort_values("off_m", ascending=False).head(15).to_string(index=False))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=pathlib.Path, help="finished run folder")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the sheets")
    parser.add_argument("--buildings", type=int, default=24)
    parser.add_argument(
        "--which",
        choices=("random", "largest", "worst"),
        default="random",
        help="worst: those whose tops are farthest off the surface model",
    )
    parser.add_argument("--ids", nargs="+", help="draw these, whatever else is asked for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=6, help="buildings on a sheet")
    arguments = parser.parse_args()
    run = arguments.run
    facades = gpd.read_parquet(run / "facades.parquet")
    storeys = gpd.read_parquet(run / "facade_storeys.parquet")
    buildings = gpd.read_parquet(run / "buildings.parquet")
    config = json.loads((run / "run.json").read_text(encoding="utf-8"))["config"]
    heights = Heights(run)
    seen = facades[facades.geometry.notna()]
    found = misses(seen, heights)
    print_figures(facades, seen, found)
    if arguments.ids:
        buildings = buildings.set_index("building_id", drop=False).loc[arguments.ids]
    else:
        buildings = buildings[buildings.building_id.isin(seen.building_id)]
        buildings = chosen(buildings, found, arguments.which, arguments.buildings, arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = list(buildings.itertuples())
    name = "chosen" if arguments.ids else arguments.which
    for sheet, start in enumerate(range(0, len(rows), arguments.rows)):
        here = rows[start : start + arguments.rows]
        figure, axes = plt.subplots(
            arguments.rows, 3, figsize=(17.0, 2.4 * arguments.rows), squeeze=False,
            width_ratios=(1, 1, 2.4),
        )  # fmt: skip
        for place in axes.flat:
            place.set_axis_off()
        for line, building in zip(axes, here, strict=False):
            walls = seen[seen.building_id == building.building_id]
            strips = strips_of(walls, config["walls"]["storey_height_m"])
            for place, azimuth in zip(line[:2], VIEWS, strict=True):
                draw(place, building, walls, storeys, strips, heights, azimuth)
            line[2].set_axis_on()
            unrolled(line[2], building, walls, storeys, strips, heights)
            off = found.off_m[found.building_id == building.building_id].sum()
            title = f"{building.building_id}  {len(walls)} walls, {off:.0f} m off the surface"
            line[2].set_title(f"{title}  {building.data_quality[:110]}", fontsize=6)
        path = arguments.out / f"{name}_{sheet + 1}.png"
        figure.subplots_adjust(0.01, 0.02, 0.99, 0.98, 0.03, 0.14)
        figure.savefig(path, dpi=110)
        plt.close(figure)
        print(path)


if __name__ == "__main__":
    main()
