"""
Planes, superstructures and modules of a finished run over a hillshade, to be looked at.

    python benchmarks/roof_pictures.py RUN --out DIR                     # 36 buildings at random
    python benchmarks/roof_pictures.py RUN --out DIR --which largest --buildings 12
    python benchmarks/roof_pictures.py RUN --out DIR --ids BN0019 BN0054

Planes are coloured and bear tilt/azimuth, dormers are hatched; modules are white, superstructures
red (with the first letter of their kind and their height), the footprint yellow. What of the roof
belongs to no plane stays grey. Heights are those of the surface model, whatever the planes were
taken from.
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
import shapely
from matplotlib.collections import PathCollection
from matplotlib.colors import LightSource
from matplotlib.path import Path
from matplotlib.patheffects import withStroke

from solarkataster.io.rasters import open_rasters, read_window

#: Size of a sheet. [inch]
SHEET = 16.0, 12.0
#: Ground shown around a building. [m]
MARGIN_M = 4.0
#: Neighbours in this list differ most.
COLOURS = plt.get_cmap("tab10").colors


def draw(axes, building, layers, dsm) -> None:
    """One building with its surroundings."""
    west, south, east, north = building.geometry.bounds
    window = dsm.grid.crop((west - MARGIN_M, south - MARGIN_M, east + MARGIN_M, north + MARGIN_M))
    left, bottom, right, top = window.bounds
    hillshade(axes, window, dsm)
    mine = {
        name: table[table.building_id == building.building_id] for name, table in layers.items()
    }
    for k, roof in enumerate(mine["roofs"].itertuples()):
        colour = COLOURS[k % len(COLOURS)]
        hatch = "...." if roof.kind == "dormer" else None
        style = {"facecolor": (*colour, 0.35), "edgecolor": colour, "hatch": hatch}
        fill(axes, [roof.geometry], linewidth=1.2, **style)
    fill(axes, mine["modules"].geometry, facecolor="#ffffff30", edgecolor="white", linewidth=0.35)
    above = mine["superstructures"]
    fill(axes, above.geometry, facecolor="none", edgecolor="red", linewidth=0.9)
    fill(axes, [building.geometry], facecolor="none", edgecolor="yellow", linewidth=0.8)
    for thing in above.itertuples():
        say(axes, thing.geometry, f"{thing.kind[0]}{thing.height_m:.1f}", "red")
    for roof in mine["roofs"].itertuples():
        azimuth = "" if np.isnan(roof.surface_azimuth) else f"/{roof.surface_azimuth:.0f}"
        say(axes, roof.geometry, f"{roof.surface_tilt:.0f}{azimuth}", "black")
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set(xticks=[], yticks=[])
    axes.set_title(title_of(building, mine["roofs"]), fontsize=7)


def hillshade(axes, window, dsm) -> None:
    """Surface model lit from the north-west; holes are black."""
    heights = read_window(dsm, window)
    hole = ~np.isfinite(heights)
    filled = np.where(hole, np.nanmin(heights), heights)
    size = window.cell_size_m
    shade = LightSource(315, 45).hillshade(filled, dx=size, dy=size, vert_exag=1.0)
    left, bottom, right, top = window.bounds
    axes.imshow(
        np.where(hole, 0.0, 0.1 + 0.9 * shade),
        cmap="gray",
        extent=(left, right, bottom, top),
        vmin=0,
        vmax=1,
        interpolation="nearest",
    )


def fill(axes, areas, **style) -> None:
    """Areas as patches; one collection is much faster than a plot of each."""
    rings = [
        [np.asarray(ring.coords) for ring in (part.exterior, *part.interiors)]
        for area in areas
        for part in getattr(area, "geoms", [area])
    ]
    paths = [Path.make_compound_path(*(Path(xy, closed=True) for xy in part)) for part in rings]
    axes.add_collection(PathCollection(paths, **style))


def say(axes, place, text: str, colour: str) -> None:
    """A short text in the middle of an area."""
    middle = place.representative_point()
    around = [withStroke(linewidth=1.2, foreground="white")]
    axes.text(
        middle.x, middle.y, text, fontsize=5.5, ha="center", va="center", color=colour,
        path_effects=around, clip_on=True,
    )  # fmt: skip


def title_of(building, roofs) -> str:
    """Name, modules, share of the footprint under planes, and the reasons of empty planes."""
    share = roofs.geometry.area.sum() / building.geometry.area
    reasons = roofs.reason.str.split(":").str[0].value_counts()
    why = ", ".join(f"{n} {reason}" for reason, n in reasons.items() if reason)
    width = building.geometry.bounds[2] - building.geometry.bounds[0]
    return (
        f"{building.building_id}  {width:.0f} m  {len(roofs)} planes {share:.0%}  "
        f"{building.n_modules} modules\n{why}"
    )


def chosen(buildings, layers, which: str, n_buildings: int, seed: int):
    """The buildings to draw, in the order of their place in the table."""
    if which == "random":
        order = np.random.default_rng(seed).permutation(len(buildings))
    elif which in ("largest", "smallest"):
        order = np.argsort(buildings.geometry.area.to_numpy(), kind="stable")
        order = order[::-1] if which == "largest" else order
    else:
        n_of = {
            "planes": layers["roofs"].building_id.value_counts(),
            "superstructures": layers["superstructures"].building_id.value_counts(),
        }
        counts = n_of[which].reindex(buildings.building_id).fillna(0).to_numpy()
        order = np.argsort(-counts, kind="stable")
    return buildings.iloc[np.sort(order[:n_buildings])]


def print_figures(run: pathlib.Path, layers, buildings) -> None:
    """What can be counted without looking: completeness, overlaps, modules off their planes."""
    roofs, modules = layers["roofs"], layers["modules"]
    has_roof = buildings.n_roofs > 0
    is_open = buildings.data_quality.str.contains("no roof plane on")
    print(f"{has_roof.sum()} of {len(buildings)} buildings have a roof: {len(roofs)} planes")
    print(f"planes cover the roof within 2 %: {(has_roof & ~is_open).sum() / has_roof.sum():.1%}")
    overlap_m2 = [
        own.geometry.area.sum() - shapely.union_all(own.geometry.to_numpy()).area
        for _, own in roofs.groupby("building_id")
    ]
    print(f"overlap of the planes of a building: {max(overlap_m2):.1e} m² at most")
    plane = modules.merge(roofs[["roof_id", "geometry"]], on="roof_id", suffixes=("", "_plane"))
    off_m2 = plane.geometry.difference(gpd.GeoSeries(plane.geometry_plane)).area
    print(f"modules off their plane: {(off_m2 > 1e-6).sum()} of {len(modules)}")
    n_invalid = sum(int((~table.geometry.is_valid).sum()) for table in layers.values())
    tiles = json.loads((run / "run.json").read_text(encoding="utf-8"))["tiles"].values()
    n_failed = sum(tile["n_failed_buildings"] for tile in tiles)
    print(f"invalid polygons: {n_invalid}, failed buildings: {n_failed}")
    for stage in ("roofs", "layout"):
        seconds = sum(tile["seconds"][stage] for tile in tiles)
        print(f"{stage}: {1e3 * seconds / len(buildings):.1f} ms a building")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=pathlib.Path, help="finished run folder")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder for the sheets")
    parser.add_argument("--buildings", type=int, default=36)
    parser.add_argument(
        "--which",
        choices=("random", "largest", "smallest", "planes", "superstructures"),
        default="random",
        help="which buildings are drawn; planes, superstructures: those with most of them",
    )
    parser.add_argument("--ids", nargs="+", help="draw these, whatever else is asked for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sheet", type=int, nargs=2, default=(4, 3), metavar=("ACROSS", "DOWN"))
    arguments = parser.parse_args()
    names = ("roofs", "modules", "superstructures")
    layers = {name: gpd.read_parquet(arguments.run / f"{name}.parquet") for name in names}
    buildings = gpd.read_parquet(arguments.run / "buildings.parquet")
    print_figures(arguments.run, layers, buildings)
    if arguments.ids:
        buildings = buildings[buildings.building_id.isin(arguments.ids)]
    else:
        buildings = buildings[buildings.n_roofs > 0]
        buildings = chosen(buildings, layers, arguments.which, arguments.buildings, arguments.seed)
    config = json.loads((arguments.run / "run.json").read_text(encoding="utf-8"))["config"]
    dsm = open_rasters(config["inputs"]["dsm"], role="dsm")
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = list(buildings.itertuples())
    name = "chosen" if arguments.ids else arguments.which
    across, down = arguments.sheet
    for sheet, start in enumerate(range(0, len(rows), across * down)):
        figure, axes = plt.subplots(down, across, figsize=SHEET, squeeze=False)
        for place in axes.flat:
            place.set_axis_off()
        for place, building in zip(axes.flat, rows[start : start + across * down], strict=False):
            place.set_axis_on()
            draw(place, building, layers, dsm)
        path = arguments.out / f"{name}_{sheet + 1}.png"
        figure.subplots_adjust(0.01, 0.01, 0.99, 0.97, 0.03, 0.12)
        figure.savefig(path, dpi=120)
        plt.close(figure)
        print(path)


if __name__ == "__main__":
    main()
