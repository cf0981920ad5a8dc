"""Sections of a municipality's config file that say how it is computed: one frozen model each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from solarkataster.config_base import FilePath, Fraction, Section, Text


class RoofsConfig(Section):
    """How roof planes are found and where light is collected on them."""

    min_plane_area_m2: Annotated[float, Field(gt=0)] = 2.5
    """Smallest roof plane kept, in m² of inclined area: one module and a margin."""

    lift_m: Annotated[float, Field(ge=0, le=2)] = 0.1
    """Height of the receivers above the fitted plane, in m. It keeps the few centimetres of noise
    in the surface from raising the roof's own horizon."""

    overhang: bool = True
    """Let roofs reach beyond the footprint where the heights show eaves. Official outlines are
    walls; half a metre of eaves around a house of 9 x 9 m is 23 % more roof."""

    max_overhang_m: Annotated[float, Field(gt=0, le=5)] = 1.5
    """Deepest overhang looked for, in m; what reaches farther is another building or a canopy."""

    superstructure_height_m: Annotated[float, Field(gt=0, le=3)] = 0.3
    """What stands this far out of its plane, in m, is cut out of the usable area: chimneys,
    dormers, lift housings, parapets. Lower things are within what noise and roof tiles do."""


class LayoutConfig(Section):
    """The modules that are laid on the roofs, and the distances they keep."""

    module_length_m: Annotated[float, Field(gt=0.2, le=5)] = 1.762
    """Long side of a module, in m."""

    module_width_m: Annotated[float, Field(gt=0.2, le=5)] = 1.134
    """Short side of a module, in m."""

    module_power_wp: Annotated[float, Field(gt=0)] = 440.0
    """Rated power of a module, in Wp."""

    module_gap_m: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Gap between neighbouring modules, in m: the clamps."""

    orientation: Literal["best", "portrait", "landscape"] = "best"
    """Long side up the slope (portrait) or level (landscape); best takes what holds more."""

    eaves_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from the eaves, in m along the roof."""

    ridge_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from ridges, hips, valleys and the walls of higher parts, in m along the roof."""

    verge_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from verges (the sloping edges at a gable), in m along the roof."""

    obstacle_m: Annotated[float, Field(ge=0, le=5)] = 0.3
    """Distance from chimneys, dormers and other superstructures, in m along the roof."""

    flat_edge_m: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Distance from the edge of flat roofs, in m, also above a lower wing: wind, and people who
    walk there."""

    flat_max_tilt_deg: Annotated[float, Field(ge=0, le=30)] = 10.0
    """Roofs up to this tilt are flat, in degrees: modules stand on racks there."""

    flat_layout: Literal["south", "east_west", "flush"] = "south"
    """Modules on flat roofs: rows that face south, back to back facing east and west, or flush with
    the roof."""

    rack_alignment: Literal["building", "south"] = "building"
    """Rows of racks follow the longest wall (and face the nearest direction to south), or face
    exactly south."""

    rack_tilt_deg: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Tilt of racked modules, in degrees."""

    rack_aisle_m: Annotated[float, Field(ge=0, le=5)] = 0.5
    """Aisle between two pairs of east-west racks, in m. Rows that face south keep as much as leaves
    them unshaded by each other at noon of the shortest day, and at least this."""

    min_irradiation_fraction: Fraction = 0.6
    """Parts of a roof that get less than this share of the best open plane at the site hold no
    modules."""

    min_pitched_area_m2: Annotated[float, Field(ge=0)] = 10.0
    """Least module area on a pitched roof, in m²; smaller plants are not worth their scaffold
    (solar atlas of Baden-Württemberg)."""

    min_flat_area_m2: Annotated[float, Field(ge=0)] = 25.0
    """Least module area on a flat roof, in m² (solar atlas of Baden-Württemberg)."""


class WallsConfig(Section):
    """Which walls are rated, where light is collected on them, and what is taken off their area."""

    enabled: bool = True
    """Rate walls beside roofs."""

    n_azimuth: Annotated[int, Field(ge=8, le=1440)] = 120
    """Directions of the horizon of walls. 120 are within 1 % of 720; fewer are not."""

    along_m: Annotated[float, Field(ge=0.2, le=10)] = 1.0
    """Largest distance of the points along a wall, in m."""

    up_m: Annotated[float, Field(ge=0.2, le=10)] = 1.5
    """Largest distance of the points up a wall, in m."""

    storey_height_m: Annotated[float, Field(ge=2, le=6)] = 2.8
    """Floor to floor, in m."""

    gap_m: Annotated[float, Field(ge=0, le=3)] = 0.4
    """A neighbour no farther than this hides a wall as if it touched it, in m; at least half a cell
    is taken."""

    eaves_depth_m: Annotated[float, Field(ge=0, le=3)] = 0.5
    """Depth of eaves over walls where the heights cannot show it, in m; such walls are marked. Half
    a metre takes 12 % of a wall's light. Flat roofs and parapets are taken to have none."""

    eaves_uncertainty_m: Annotated[float, Field(ge=0, le=2)] = 0.3
    """Standard uncertainty of that depth, in m; it goes into the wall's band of irradiation."""

    measured_eaves_uncertainty_m: Annotated[float, Field(ge=0, le=2)] = 0.1
    """Standard uncertainty of a depth that was measured, in m."""

    window_fraction: Fraction = 0.25
    """Share of a wall that windows and doors take. Nothing measured: an assumption to be set to the
    municipality's own houses."""

    balcony_fraction: Fraction = 0.05
    """Share of a wall that balconies and the like take beside windows; an assumption too."""

    window_fraction_by_use: dict[str, Fraction] = Field(
        default={}, examples=['{ "2020" = 0.45, "3000" = 0.3 }']
    )
    """Share of windows by the value of the footprints' column ``footprint_use``."""

    balcony_fraction_by_use: dict[str, Fraction] = Field(
        default={}, examples=['{ "2020" = 0.0, "1020" = 0.1 }']
    )
    """Share of balconies by the same value."""

    balcony_modules: Annotated[int, Field(ge=1, le=8)] = 2
    """Modules of a balcony plant (of the power in [layout])."""

    balcony_inverter_w: Annotated[float, Field(gt=0)] = 800.0
    """Output its inverter may reach, in W (§ 8 Abs. 5a EEG 2023)."""

    balcony_tilt_deg: Annotated[float, Field(ge=0, lt=90)] = 70.0
    """Tilt of a balcony plant that does not hang upright, in degrees."""

    elements: bool = False
    """Write the single points of the walls as a layer of their own; it is large."""


class HorizonConfig(Section):
    """How far and how finely the skyline is seen."""

    reach_m: Annotated[float, Field(gt=0, le=20_000)] = 500.0
    """Obstacles nearer than this are always seen, in m; also the halo of a tile. A 40 m tower casts
    500 m of shadow while the sun is under 5°."""

    n_azimuth: Annotated[int, Field(ge=8, le=1440)] = 72
    """Directions of the horizon. 72 suffice for roofs: 0.3 % RMSE against 720."""


class IrradiationConfig(Section):
    """How the weather becomes light on a surface."""

    sky: Literal["perez", "perez-driesse", "all-weather"] = "perez"
    """Where sky light comes from. perez and perez-driesse, as in pvlib: an even dome, light around
    the sun, a band at the horizon. all-weather: a radiance for every direction (Perez, Seals and
    Michalsky 1993), for walls, courtyards and streets, where half of the sky is hidden."""

    albedo: Fraction = 0.2
    """Share of light the ground reflects; 0.2 is pvlib's value for built-up and green ground."""


_Months = Annotated[tuple[Fraction, ...], Field(strict=False, min_length=12, max_length=12)]
_Albedo = Fraction | _Months


class ReflectionConfig(Section):
    """
    What ground, roofs and walls send back: of each what it receives itself, once. Ground beyond
    100 m lies in the open and has no class; open planes that shading is compared with have the
    albedo of [irradiation].
    """

    enabled: bool = True
    """Reflect light from ground, roofs and opposite walls; without it all that lies below the
    horizon sends back the albedo of [irradiation] times the light of open ground."""

    n_azimuth: Annotated[int, Field(ge=8, le=360)] = 24
    """Directions in which what reflects is lit."""

    ground_by_month: Annotated[
        tuple[Fraction, ...] | None,
        Field(strict=False, min_length=12, max_length=12, examples=[[0.3, 0.3] + [0.2] * 10]),
    ] = None
    """Albedo of the ground, January to December, as with snow; that of [irradiation] without it."""

    ground_by_class: dict[Annotated[str, Field(pattern=r"^\d+$")], _Albedo] = Field(
        default={}, examples=['{ "10" = 0.2, "50" = 0.15, "80" = 0.07 }']
    )
    """Albedo by class number of the land cover: one share, or twelve from January to December.
    Classes not named have that of the ground."""

    roof: Fraction = 0.2
    """Albedo of roofs; tiles have 0.2 to 0.35."""

    wall: Fraction = 0.3
    """Albedo of walls; brick has 0.3, light plaster 0.4 to 0.6."""

    glass: Fraction = 0.15
    """Share of even light that windows send back; their share of the wall is that of [walls]."""


class YieldsConfig(Section):
    """What is worked out from the light: yield, self-consumption, money and classes."""

    enabled: bool = True
    """Work out yield, self-consumption, money and classes. Without it the run ends with light and
    modules."""

    hourly: bool = True
    """Keep the yield of every building hour by hour, for planners of grids and heat; about 20 kB
    per building."""


class RulesConfig(Section):
    """Prices, tariffs, factors, limits and duties; `solarkataster rate` works with others."""

    file: Annotated[FilePath | None, Field(examples=["rules.toml"])] = None
    """Own rules: tables of this file take the place of the shipped ones. Each table names its
    source and date."""

    state: Annotated[Text | None, Field(examples=["rheinland-pfalz"])] = None
    """Bundesland: its holidays and its law on solar duty. Without it holidays are those of all
    states, and whether a duty applies stays unknown."""


class PortfolioConfig(Section):
    """Ranking of the municipality's own buildings (``own_buildings`` in [inputs])."""

    budget_eur: Annotated[float | None, Field(ge=0, examples=[500000.0])] = None
    """Money for plants on own buildings, in euros; the best set within it is chosen. Without it the
    buildings are ranked only."""

    objective: Literal["npv", "co2", "kwh"] = "npv"
    """What the chosen set brings most of: present value, avoided CO2, or electricity."""


class TilesConfig(Section):
    """
    How the area is cut for computing; results do not depend on it, if ``reach_m`` in [horizon] is
    100 m or more.
    """

    size_m: Annotated[float, Field(ge=50, le=20_000)] = 1000.0
    """Edge of a tile, in m, halo not counted. Memory per worker grows with it: about 1.7 GB at 1 km
    and 0.5 m cells."""
