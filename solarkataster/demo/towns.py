"""The kinds of town: which districts, which special buildings, which open places."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import shapely

from solarkataster.demo.layout import (
    FABRICS,
    District,
    Fabric,
    Plot,
    fill,
    rectangles,
    turn,
    voronoi_districts,
)
from solarkataster.errors import InputError

#: Directions of the streets against east, counterclockwise. [°]
STREET_ROTATIONS_DEG = (-12.0, 8.0, 25.0)
#: The demo town is drawn by hand for this size. [m]
DEMO_SIZE_M = 400
#: Quarters of the demo town: seed of the Voronoi cell [m], street rotation [°], fabric, buildings,
#: district.
_DEMO_QUARTERS = (
    ((203.0, 210.0), 8.0, "old", 32, "Altstadt"),
    ((88.0, 318.0), -12.0, "gardens", 13, "Nordstadt"),
    ((210.0, 348.0), 8.0, "gardens", 10, "Nordstadt"),
    ((325.0, 318.0), 25.0, "terraces", 18, "Nordstadt"),
    ((338.0, 190.0), -12.0, "gardens", 12, "Südstadt"),
    ((310.0, 82.0), 25.0, "slabs", 4, "Südstadt"),
    ((200.0, 78.0), 8.0, "gardens", 12, "Südstadt"),
    ((88.0, 96.0), 25.0, "gardens", 12, "Südstadt"),
    ((74.0, 205.0), -12.0, "gardens", 5, "Südstadt"),
)
#: Streets between its quarters. [m]
_DEMO_STREET_M = 9.0


@dataclass(frozen=True)
class Plan:
    """
    What a town is built from, in metres from its south-west corner.

    Parameters
    ----------
    plots : list of Plot
    parks : shapely geometry
        Green where trees stand close together.
    districts : dict of shapely geometry
        By name; none but in the demo town.
    public_space : shapely geometry
        Streets between the quarters and the market, houses not taken off; empty but in the demo
        town.
    """

    plots: list[Plot]
    parks: shapely.Geometry
    districts: dict[str, shapely.Geometry] = field(default_factory=dict)
    public_space: shapely.Geometry = field(default_factory=shapely.Polygon)


def _rectangle(x_m, y_m, rotation_rad, length_m, depth_m) -> Plot:
    return Plot(x_m, y_m, rotation_rad, length_m, depth_m, "flat", 1)


def demo_plan(rng: np.random.Generator, size_m: int, roof_share: float | None) -> Plan:
    """
    The demo town: an old centre with market, church and courtyard block, and quarters round it.

    Raises
    ------
    InputError
        If another size or a share of roofs is asked for: this town is drawn by hand.
    """
    if size_m != DEMO_SIZE_M or roof_share is not None:
        raise InputError(
            f"the demo town with size_m = {size_m}, roof_share = {roof_share}",
            expected=f"size_m = {DEMO_SIZE_M} and no roof_share: this town is drawn by hand",
            remedy='kind="builtup" takes any size and share.',
        )
    specials, market, free = _centre()
    green = shapely.union_all([shapely.Point(92.0, 200.0).buffer(30.0), free])
    plots = list(specials)
    seeds, rotations_deg, names, n_buildings, districts = zip(*_DEMO_QUARTERS, strict=True)
    fabrics = [FABRICS[name] for name in names]
    quarters = voronoi_districts(seeds, rotations_deg, fabrics, float(size_m), _DEMO_STREET_M)
    centre_m = DEMO_SIZE_M / 2
    for quarter, n_kept in zip(quarters, n_buildings, strict=True):
        # The town ends in fields: each quarter keeps what lies nearest to the centre.
        found = fill(quarter, rng, green)
        found.sort(key=lambda plot: math.hypot(plot.x_m - centre_m, plot.y_m - centre_m))
        plots += found[:n_kept]
    park = shapely.Point(92.0, 200.0).buffer(28.0)
    square = shapely.box(0.0, 0.0, float(size_m), float(size_m))
    streets = shapely.difference(
        shapely.buffer(square, -3.0, join_style="mitre"),
        shapely.union_all([quarter.outline for quarter in quarters]),
    )
    cells = shapely.voronoi_polygons(
        shapely.MultiPoint(np.asarray(seeds)), extend_to=square, ordered=True
    )
    parts: dict[str, list[shapely.Geometry]] = {}
    for name, cell in zip(districts, cells.geoms, strict=True):
        parts.setdefault(name, []).append(shapely.intersection(cell, square))
    outlines = {name: shapely.union_all(some, grid_size=0.001) for name, some in parts.items()}
    return Plan(plots, park, outlines, shapely.union(streets, market))


def _centre() -> tuple[list[Plot], shapely.Polygon, shapely.Geometry]:
    """Church, town hall and courtyard block, the market, and the ground they keep free."""
    angle = math.radians(8.0)

    def at(u_m: float, v_m: float) -> tuple[float, float]:
        x_m, y_m = turn(u_m, v_m, angle)
        return 205.0 + x_m, 212.0 + y_m

    specials = [
        Plot(*at(-4.0, 34.0), angle, 28.0, 13.0, "gable", 3, 50.0,
             function="31001_3041", name="Stadtkirche"),
        Plot(*at(-22.0, 34.0), angle, 8.0, 8.0, "tower", 8, 66.0, top_m=40.0,
             function="31001_3041", name="Turm der Stadtkirche"),
        Plot(*at(46.0, 2.0), angle, 46.0, 40.0, "courtyard", 4, 38.0,
             function="31001_1000", name="Sonnenhof"),
        Plot(*at(-2.0, -29.0), angle, 24.0, 13.0, "hip", 3, 42.0,
             function="31001_3012", name="Rathaus"),
    ]  # fmt: skip
    market = _rectangle(*at(-5.0, 0.0), angle, 46.0, 38.0)
    free = shapely.union_all(rectangles([*specials, market])).buffer(4.0, join_style="mitre")
    return specials, rectangles([market])[0], free


def builtup_plan(rng: np.random.Generator, size_m: int, roof_share: float | None) -> Plan:
    """Houses, rows, blocks, slabs and halls in quarters of about 150 m."""
    share = 0.2 if roof_share is None else roof_share
    names = ("houses", "rows", "blocks", "slabs", "old", "halls")
    weights = (
        (0.36, 0.22, 0.22, 0.1, 0.05, 0.05) if share < 0.3 else (0.2, 0.2, 0.4, 0.05, 0.1, 0.05)
    )
    return _share_plan(rng, size_m, share, 150.0, names, weights, street_m=9.0)


def dense_plan(rng: np.random.Generator, size_m: int, roof_share: float | None) -> Plan:
    """An old town: lanes of 3 to 6 m, houses wall to wall, yards of a few metres."""
    share = 0.45 if roof_share is None else roof_share
    return _share_plan(rng, size_m, share, 190.0, ("lanes",), (1.0,), street_m=6.0)


def _share_plan(rng, size_m, share, spacing_m, names, weights, street_m) -> Plan:
    """Quarters drawn from fabrics, the open space shrunk until the roofs reach the share."""
    n_side = max(1, round(size_m / spacing_m))
    step_m = size_m / n_side
    lattice = (np.indices((n_side, n_side)).reshape(2, -1).T + 0.5) * step_m
    seeds = lattice + rng.uniform(-0.3, 0.3, lattice.shape) * step_m
    rotations_deg = rng.choice(STREET_ROTATIONS_DEG, len(seeds))
    chosen = rng.choice(names, len(seeds), p=weights)
    seed = int(rng.integers(2**31))
    target_m2 = share * size_m**2
    for factor in (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1, 0.0):
        fabrics = [FABRICS[str(name)].denser(factor) for name in chosen]
        districts = _districts(seeds, rotations_deg, fabrics, size_m, street_m)
        again = np.random.default_rng(seed)
        plots = [plot for district in districts for plot in fill(district, again)]
        area_m2 = np.array([_plan_area_m2(plot) for plot in plots])
        if area_m2.sum() >= target_m2:
            # Vacant plots in random order bring the share down to what was asked for.
            order = again.permutation(len(plots))
            n_kept = int(np.searchsorted(np.cumsum(area_m2[order]), target_m2)) + 1
            kept = sorted(order[:n_kept])
            return Plan([plots[k] for k in kept], shapely.Point())
    raise InputError(
        f"roof_share = {share:g} cannot be reached: the densest layout has "
        f"{area_m2.sum() / size_m**2:.2f}",
        expected="a share of roof area that leaves room for streets",
        remedy="Use at most 0.45.",
    )


def _districts(seeds, rotations_deg, fabrics, size_m, street_m) -> list[District]:
    if len(seeds) > 1:
        return voronoi_districts(seeds, rotations_deg, fabrics, float(size_m), street_m)
    outline = shapely.box(3.0, 3.0, size_m - 3.0, size_m - 3.0)
    return [District(outline, math.radians(rotations_deg[0]), fabrics[0])]


def _plan_area_m2(plot: Plot) -> float:
    if plot.kind == "l_shape":
        width_m = round(min(0.55 * plot.length_m, 0.8 * plot.depth_m), 1)
        return plot.length_m * plot.depth_m + plot.wing_m * width_m
    return plot.length_m * plot.depth_m


def courtyard_plan(rng: np.random.Generator, size_m: int, roof_share: float | None) -> Plan:
    """Closed blocks of four and five storeys round courtyards, streets of 11 m between them."""
    _no_share("courtyard", roof_share)
    angle = math.radians(8.0)
    plots = []
    n_side = max(1, int(size_m / 56.0))
    for i in range(n_side):
        for j in range(n_side):
            x_m, y_m = turn((i - (n_side - 1) / 2) * 53.0, (j - (n_side - 1) / 2) * 49.0, angle)
            plots.append(
                Plot(
                    size_m / 2 + x_m,
                    size_m / 2 + y_m,
                    angle,
                    42.0,
                    38.0,
                    "courtyard",
                    int(rng.integers(4, 6)),
                    round(float(rng.uniform(30.0, 42.0)), 1),
                )
            )
    return Plan(_inside(plots, size_m), shapely.Point())


def tower_plan(rng: np.random.Generator, size_m: int, roof_share: float | None) -> Plan:
    """A 40 m tower with a level roof among houses, the nearest of them at its foot."""
    _no_share("tower", roof_share)
    angle = math.radians(25.0)
    middle_m = size_m / 2
    tower = Plot(middle_m, middle_m, angle, 16.0, 16.0, "tower", 12, 0.0, top_m=40.0)
    free = rectangles([tower])[0].buffer(5.0, join_style="mitre")
    outline = shapely.box(3.0, 3.0, size_m - 3.0, size_m - 3.0)
    houses: Fabric = replace(FABRICS["houses"], garden_m=10.0, gap_m=(4.0, 6.0))
    return Plan([tower, *fill(District(outline, angle, houses), rng, free)], shapely.Point())


def _no_share(kind: str, roof_share: float | None) -> None:
    if roof_share is not None:
        raise InputError(
            f"roof_share = {roof_share:g} with kind = {kind!r}",
            expected="no roof_share: this town is drawn by hand",
            remedy='kind="builtup" and kind="dense" take a share.',
        )


def _inside(plots: list[Plot], size_m: float) -> list[Plot]:
    stays = shapely.contains_properly(shapely.box(0, 0, size_m, size_m), rectangles(plots))
    return [plot for plot, stay in zip(plots, stays, strict=True) if stay]


PLANS: dict[str, Callable[[np.random.Generator, int, float | None], Plan]] = {
    "demo": demo_plan,
    "builtup": builtup_plan,
    "dense": dense_plan,
    "courtyard": courtyard_plan,
    "tower": tower_plan,
}
