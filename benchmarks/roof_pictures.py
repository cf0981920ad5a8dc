"""Planes, superstructures and modules of a finished run over a hillshade, to be looked at."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import geopandas as gpd
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LightSource

from solarkataster.io.rasters import open_rasters, read_window

#: Buildings on one sheet, across and down.
ACROSS, DOWN = 4, 3


def draw(axes, building, layers, dsm) -> None:
    """One building with its surroundings."""
    west, south, east, north = building.geometry.bounds
    margin = 4.0
    window = dsm.grid.crop((west - margin, south - margin, east + margin, north + margin))
    heights = read_window(dsm, window)
    heights = np.where(np.isfinite(heights), heights, np.nanmin(heights))
    shade = LightSource(315, 40).hillshade(heights, dx=window.cell_size_m, dy=window.cell_size_m)
    left, bottom, right, top = window.bounds
    axes.imshow(shade, cmap="gray", extent=(left, right, bottom, top), vmin=0, vmax=1)
    mine = {
        name: table[table.building_id == building.building_id] for name, table in layers.items()
    }
    for k, roof in enumerate(mine["roofs"].itertuples()):
        colour = plt.get_cmap("tab20")(k % 20)
        gpd.GeoSeries([roof.geometry]).plot(
            ax=axes, facecolor=(*colour[:3], 0.35), edgecolor=colour
        )
        middle = roof.geometry.representative_point()
        facing = "" if np.isnan(roof.surface_azimuth) else f"/{roof.surface_azimuth:.0f}"
        axes.text(middle.x, middle.y, f"{roof.surface_tilt:.0f}{facing}", fontsize=5, ha="center")
    if len(mine["modules"]):
        mine["modules"].plot(ax=axes, facecolor="#10206080", edgecolor="white", linewidth=0.3)
    if len(mine["superstructures"]):
        mine["superstructures"].boundary.plot(ax=axes, color="red", linewidth=0.8)
    gpd.GeoSeries([building.geometry]).boundary.plot(ax=axes, color="yellow", linewidth=0.6)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xticks([])
    axes.set_yticks([])
    reasons = sorted({reason.split(":")[0] for reason in mine["roofs"].reason if reason})
    title = f"{building.building_id}: {building.n_modules} modules {', '.join(reasons)}"
    axes.set_title(title[:60], fontsize=6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="finished run folder")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("--buildings", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0, help="which buildings are drawn")
    arguments = parser.parse_args()
    names = ("roofs", "modules", "superstructures")
    layers = {name: gpd.read_parquet(arguments.run / f"{name}.parquet") for name in names}
    buildings = gpd.read_parquet(arguments.run / "buildings.parquet")
    buildings = buildings[buildings.n_roofs > 0]
    chosen = np.random.default_rng(arguments.seed).permutation(len(buildings))
    buildings = buildings.iloc[np.sort(chosen[: arguments.buildings])]
    config = json.loads((arguments.run / "run.json").read_text(encoding="utf-8"))["config"]
    dsm = open_rasters(config["inputs"]["dsm"], role="dsm")
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = list(buildings.itertuples())
    for sheet, start in enumerate(range(0, len(rows), ACROSS * DOWN)):
        figure, axes = plt.subplots(DOWN, ACROSS, figsize=(16, 12))
        for place in axes.flat:
            place.set_axis_off()
        for place, building in zip(axes.flat, rows[start : start + ACROSS * DOWN], strict=False):
            place.set_axis_on()
            draw(place, building, layers, dsm)
        path = arguments.out / f"roofs_{sheet + 1}.png"
        figure.tight_layout()
        figure.savefig(path, dpi=110)
        plt.close(figure)
        print(path)


if __name__ == "__main__":
    main()
