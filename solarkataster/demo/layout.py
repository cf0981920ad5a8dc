"""Where the houses stand: districts with their own street direction, filled with plots."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import shapely
import shapely.affinity


@dataclass(frozen=True, slots=True)
class Plot:
    """
    A building to be: its rectangle and what to put on it.

    Parameters
    ----------
    x_m, y_m : float
        Centre in metres from the town's south-west corner. [m]
    rotation_rad : float
        From east to the street's direction, counterclockwise. [rad]
    length_m, depth_m : float
        Along and across the street. [m]
    kind : str
        As in `roofshapes.Building`.
    storeys : int
    tilt_deg : float
        Of the roof; 0 if flat. [°]
    garden_side : int
        +1 if the garden lies left of the street direction, else −1.
    wing_m : float
        How far an L-shaped house reaches into the garden. [m]
    ridge_across : bool
        The gable faces the street.
    top_m : float
        Height of a tower's highest point above the ground. [m]
    function : str
        ALKIS code of the building's function.
    name : str or None
    """

    x_m: float
    y_m: float
    rotation_rad: float
    length_m: float
    depth_m: float
    kind: str
    storeys: int
    tilt_deg: float = 0.0
    garden_side: int = 1
    wing_m: float = 0.0
    ridge_across: bool = False
    top_m: float = 0.0
    function: str = "31001_1000"
    name: str | None = None

    def turned(self, rotation_rad: float, centre_m: float) -> Plot:
        """The plot after a turn of the whole town about its centre."""
        if rotation_rad == 0.0:
            return self
        x_m, y_m = turn(self.x_m - centre_m, self.y_m - centre_m, rotation_rad)
        return replace(
            self,
            x_m=x_m + centre_m,
            y_m=y_m + centre_m,
            rotation_rad=self.rotation_rad + rotation_rad,
        )


@dataclass(frozen=True)
class Fabric:
    """
    How a district is built up; lengths in metres, ranges as (smallest, largest).

    Parameters
    ----------
    street_m, front_m, garden_m : float
        Street from fence to fence, front garden, and garden between two backs. [m]
    depth_m, frontage_m, gap_m : tuple of float
        House across and along the street, gap between groups. [m]
    group : tuple of int
        Houses wall to wall.
    block_m : float
        Houses between two cross streets. [m]
    kinds : dict
        Kind of building to its share.
    storeys, tilt_deg : tuple
    like_neighbour : bool
        A group has one depth, frontage, height and tilt, as a developer builds it.
    garage_fraction, across_fraction : float
        Share of gaps with a garage, and of gables that face the street.
    closed : bool
        The ends of the yards are built up too: a block round a courtyard.
    """

    street_m: float
    front_m: float
    garden_m: float
    depth_m: tuple[float, float]
    frontage_m: tuple[float, float]
    gap_m: tuple[float, float]
    group: tuple[int, int]
    block_m: float
    kinds: dict[str, float]
    storeys: tuple[int, int]
    tilt_deg: tuple[float, float]
    like_neighbour: bool = False
    garage_fraction: float = 0.0
    across_fraction: float = 0.0
    closed: bool = False

    def denser(self, factor: float) -> Fabric:
        """The same houses with open space between them scaled by a factor, but yards kept."""
        return replace(
            self,
            front_m=self.front_m * factor,
            garden_m=max(9.0 if self.closed else 4.0, self.garden_m * factor),
            gap_m=(max(1.5, self.gap_m[0] * factor), max(2.5, self.gap_m[1] * factor)),
            street_m=max(min(self.street_m, 5.0), self.street_m * math.sqrt(factor)),
        )


FABRICS = {
    "houses": Fabric(
        street_m=8.0, front_m=4.5, garden_m=17.0, depth_m=(9.0, 11.5), frontage_m=(9.5, 13.5),
        gap_m=(6.0, 9.5), group=(1, 1), block_m=95.0,
        kinds={"gable": 0.52, "hip": 0.24, "l_shape": 0.18, "shed": 0.06},
        storeys=(1, 2), tilt_deg=(30.0, 45.0), garage_fraction=0.3, across_fraction=0.35,
    ),
    "rows": Fabric(
        street_m=7.0, front_m=4.0, garden_m=18.0, depth_m=(9.5, 11.0), frontage_m=(5.6, 6.8),
        gap_m=(5.0, 8.0), group=(5, 8), block_m=100.0, kinds={"gable": 1.0},
        storeys=(2, 2), tilt_deg=(32.0, 42.0), like_neighbour=True,
    ),
    "blocks": Fabric(
        street_m=12.0, front_m=0.0, garden_m=20.0, depth_m=(11.0, 13.0), frontage_m=(12.0, 18.0),
        gap_m=(3.5, 5.0), group=(4, 7), block_m=72.0, kinds={"gable": 0.85, "flat": 0.15},
        storeys=(3, 5), tilt_deg=(35.0, 45.0), closed=True,
    ),
    "slabs": Fabric(
        street_m=9.0, front_m=7.0, garden_m=24.0, depth_m=(11.0, 13.0), frontage_m=(30.0, 48.0),
        gap_m=(12.0, 18.0), group=(1, 1), block_m=130.0, kinds={"flat": 0.8, "hip": 0.2},
        storeys=(3, 6), tilt_deg=(20.0, 28.0),
    ),
    "old": Fabric(
        street_m=5.0, front_m=0.0, garden_m=9.0, depth_m=(8.5, 12.0), frontage_m=(6.0, 10.0),
        gap_m=(3.0, 4.5), group=(3, 6), block_m=60.0, kinds={"gable": 0.93, "hip": 0.07},
        storeys=(2, 4), tilt_deg=(44.0, 54.0), across_fraction=0.3, closed=True,
    ),
    "lanes": Fabric(
        street_m=3.5, front_m=0.0, garden_m=5.0, depth_m=(9.0, 12.0), frontage_m=(5.5, 9.0),
        gap_m=(3.0, 4.0), group=(5, 9), block_m=70.0, kinds={"gable": 0.95, "hip": 0.05},
        storeys=(2, 4), tilt_deg=(44.0, 54.0), across_fraction=0.3,
    ),
    "gardens": Fabric(
        street_m=8.0, front_m=5.0, garden_m=22.0, depth_m=(9.5, 12.0), frontage_m=(11.0, 15.5),
        gap_m=(8.0, 13.0), group=(1, 1), block_m=120.0,
        kinds={"gable": 0.5, "hip": 0.25, "l_shape": 0.2, "shed": 0.05},
        storeys=(1, 2), tilt_deg=(30.0, 45.0), garage_fraction=0.2, across_fraction=0.35,
    ),
    "terraces": Fabric(
        street_m=8.0, front_m=4.0, garden_m=21.0, depth_m=(10.0, 11.0), frontage_m=(6.0, 6.8),
        gap_m=(8.0, 11.0), group=(4, 6), block_m=120.0, kinds={"gable": 1.0},
        storeys=(2, 2), tilt_deg=(32.0, 42.0), like_neighbour=True,
    ),
    "halls": Fabric(
        street_m=10.0, front_m=6.0, garden_m=12.0, depth_m=(20.0, 32.0), frontage_m=(30.0, 50.0),
        gap_m=(10.0, 14.0), group=(1, 1), block_m=120.0, kinds={"flat": 0.7, "gable": 0.3},
        storeys=(2, 2), tilt_deg=(8.0, 12.0),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class District:
    """A part of town: outline in metres from the south-west corner, street direction, fabric."""

    outline: shapely.Polygon
    rotation_rad: float
    fabric: Fabric


def turn(x, y, rotation_rad: float):
    """Coordinates after a counterclockwise turn about the origin."""
    cos, sin = math.cos(rotation_rad), math.sin(rotation_rad)
    return x * cos - y * sin, x * sin + y * cos


def rectangles(plots: list[Plot]) -> np.ndarray:
    """Outlines of plots with their wings, shape (n_plot,), shapely Polygon. [m]"""
    if not plots:
        return np.empty(0, dtype=object)
    table = np.array(
        [
            (p.x_m, p.y_m, p.rotation_rad, p.length_m / 2, p.depth_m / 2, p.wing_m, p.garden_side)
            for p in plots
        ]
    )
    x, y, rotation, along, across, wing, side = table.T
    low = -across - np.where(side < 0, wing, 0.0)
    high = across + np.where(side > 0, wing, 0.0)
    u = np.stack([-along, along, along, -along], axis=1)
    v = np.stack([low, low, high, high], axis=1)
    cos, sin = np.cos(rotation)[:, None], np.sin(rotation)[:, None]
    corners = np.stack([x[:, None] + u * cos - v * sin, y[:, None] + u * sin + v * cos], axis=-1)
    return shapely.polygons(corners)


def fill(district: District, rng: np.random.Generator, keep_free=None) -> list[Plot]:
    """
    Plots of a district: rows of houses along parallel streets, from edge to edge.

    Parameters
    ----------
    district : District
        Its outline is convex, so every row of houses has one stretch inside it.
    rng : numpy Generator
    keep_free : shapely Geometry, optional
        Ground no plot may touch. [m]
    """
    fabric, centre = district.fabric, district.outline.centroid
    local = shapely.affinity.rotate(
        district.outline, -district.rotation_rad, origin=centre, use_radians=True
    )
    west_m, south_m, east_m, north_m = local.bounds
    cross_m = west_m + rng.uniform(0.3, 0.7) * fabric.block_m
    crossings = np.arange(cross_m, east_m, fabric.block_m + fabric.street_m)
    plots: list[Plot] = []
    line_m = south_m + rng.uniform(0.0, 3.0)
    while line_m < north_m:
        # One strip: front, house, garden, house, front; then the next street.
        near_m, far_m = (round(float(rng.uniform(*fabric.depth_m)), 1) for _ in range(2))
        line_m += fabric.front_m
        back_m = line_m + near_m + fabric.garden_m
        near = _stretches(local, line_m, near_m, crossings, fabric)
        far = _stretches(local, back_m, far_m, crossings, fabric)
        plots += [p for s in near for p in _row(fabric, rng, s, line_m, near_m, 1)]
        plots += [p for s in far for p in _row(fabric, rng, s, back_m, far_m, -1)]
        if fabric.closed:
            plots += _closing(fabric, rng, near, far, line_m + near_m)
        line_m = back_m + far_m + fabric.front_m + fabric.street_m
    plots = [_placed(plot, district, centre) for plot in plots]
    if keep_free is None:
        return plots
    shapely.prepare(keep_free)
    hits = shapely.intersects(keep_free, rectangles(plots))
    return [plot for plot, is_hit in zip(plots, hits, strict=True) if not is_hit]


def _placed(plot: Plot, district: District, centre: shapely.Point) -> Plot:
    """A plot from the district's frame in the town's."""
    x_m, y_m = turn(plot.x_m - centre.x, plot.y_m - centre.y, district.rotation_rad)
    return replace(
        plot,
        x_m=x_m + centre.x,
        y_m=y_m + centre.y,
        rotation_rad=plot.rotation_rad + district.rotation_rad,
    )


def _stretches(outline, line_m, depth_m, crossings, fabric: Fabric) -> list[tuple[float, float]]:
    """Where a row of houses can stand: inside the convex outline, between cross streets."""
    west_m, _, east_m, _ = outline.bounds
    ends = []
    for level_m in (line_m, line_m + depth_m):
        cut = outline.intersection(
            shapely.LineString([(west_m - 1.0, level_m), (east_m + 1.0, level_m)])
        )
        if cut.is_empty or cut.length < fabric.frontage_m[0]:
            return []
        ends.append((cut.bounds[0], cut.bounds[2]))
    first_m, last_m = max(ends[0][0], ends[1][0]) + 0.01, min(ends[0][1], ends[1][1]) - 0.01
    starts = [first_m, *(c + fabric.street_m for c in crossings)]
    stops = [*crossings, last_m]
    pairs = [(max(a, first_m), min(b, last_m)) for a, b in zip(starts, stops, strict=True)]
    return [(a, b) for a, b in pairs if b - a >= fabric.frontage_m[0]]


def _row(fabric: Fabric, rng, stretch, line_m, depth_m, side) -> list[Plot]:
    """Houses along one side of a street, in the district's frame; ``line_m`` is their south."""
    plots: list[Plot] = []
    along_m, end_m = stretch
    while True:
        n_houses = int(rng.integers(fabric.group[0], fabric.group[1] + 1))
        along_m, houses = _group(fabric, rng, along_m, end_m, line_m, side, depth_m, n_houses)
        plots += houses
        gap_m = round(float(rng.uniform(*fabric.gap_m)), 1)
        if len(houses) < n_houses:
            return plots
        if gap_m >= 5.0 and along_m + 4.0 < end_m and rng.random() < fabric.garage_fraction:
            middle_m = line_m + depth_m / 2 - side * (depth_m / 2 - 4.5)
            plots.append(
                Plot(along_m + 1.6, middle_m, 0.0, 3.2, 6.0, "flat", 1, garden_side=side,
                     function="31001_2463")
            )  # fmt: skip
        along_m += gap_m


def _group(fabric, rng, along_m, end_m, line_m, side, depth_m, n_houses):
    """Houses wall to wall from ``along_m`` on, as many as fit before ``end_m``."""
    houses: list[Plot] = []
    for _ in range(n_houses):
        house = _house(fabric, rng, along_m, line_m, side, depth_m)
        if fabric.like_neighbour and houses:
            house = replace(houses[0], x_m=along_m + houses[0].length_m / 2, ridge_across=False)
        if along_m + house.length_m > end_m:
            break
        houses.append(house)
        along_m += house.length_m
    return along_m, houses


def _house(fabric: Fabric, rng, along_m, line_m, side, depth_m) -> Plot:
    """One house of a row, its first corner at ``along_m``."""
    kinds, shares = list(fabric.kinds), np.array(list(fabric.kinds.values()))
    frontage_m = round(float(rng.uniform(*fabric.frontage_m)), 1)
    kind = str(rng.choice(kinds, p=shares / shares.sum()))
    tilt_deg = round(float(rng.uniform(*fabric.tilt_deg)), 1)
    # Depths differ at the garden, so that fronts stay in line; closed blocks have no gaps there.
    step_m = 0.0 if fabric.closed else round(float(rng.uniform(0.0, 1.2)), 1)
    return Plot(
        along_m + frontage_m / 2,
        line_m + depth_m / 2 - side * step_m / 2,
        0.0,
        frontage_m,
        depth_m - step_m,
        kind,
        int(rng.integers(fabric.storeys[0], fabric.storeys[1] + 1)),
        {"flat": 0.0, "shed": min(tilt_deg, 14.0)}.get(kind, tilt_deg),
        side,
        wing_m=min(4.5, 0.25 * fabric.garden_m) if kind == "l_shape" else 0.0,
        ridge_across=kind == "gable" and bool(rng.random() < fabric.across_fraction),
    )


def _closing(fabric: Fabric, rng, near, far, line_m) -> list[Plot]:
    """Houses across both ends of the yards, wall to wall with the rows in front and behind."""
    plots = []
    for (near_a, near_b), (far_a, far_b) in itertools.product(near, far):
        west_m, east_m = max(near_a, far_a), min(near_b, far_b)
        depth_m = 0.5 * sum(fabric.depth_m)
        if east_m - west_m < 2.0 * depth_m + 8.0:
            continue
        for along_m in (west_m + depth_m / 2, east_m - depth_m / 2):
            house = _house(fabric, rng, along_m, line_m, 1, depth_m)
            plots.append(
                replace(
                    house, x_m=along_m, y_m=line_m + fabric.garden_m / 2,
                    rotation_rad=math.pi / 2, length_m=fabric.garden_m, depth_m=depth_m,
                    kind="gable", tilt_deg=fabric.tilt_deg[0], ridge_across=False, wing_m=0.0,
                )
            )  # fmt: skip
    return plots


def voronoi_districts(seeds, rotations_deg, fabrics, size_m: float, street_m: float):
    """Districts whose outlines are the Voronoi cells of seeds, streets of a width between them."""
    square = shapely.box(0.0, 0.0, size_m, size_m)
    cells = shapely.voronoi_polygons(
        shapely.MultiPoint(np.asarray(seeds)), extend_to=square, ordered=True
    )
    margin = square.buffer(-3.0, join_style="mitre")
    districts = []
    for cell, rotation_deg, fabric in zip(cells.geoms, rotations_deg, fabrics, strict=True):
        outline = cell.buffer(-street_m / 2, join_style="mitre").intersection(margin)
        if outline.geom_type == "Polygon" and outline.area > 400.0:
            districts.append(District(outline, math.radians(rotation_deg), fabric))
    return districts
