"""Write docs/data-model.md from the declarations in solarkataster/layers.py."""

from __future__ import annotations

from pathlib import Path

from solarkataster.layers import (
    BLOCK_COLUMNS,
    BUILDING_COLUMNS,
    DIFFERENCE_COLUMNS,
    ELEMENT_COLUMNS,
    FACADE_COLUMNS,
    MODULE_COLUMNS,
    RASTERS,
    ROOF_COLUMNS,
    SIDE_COLUMNS,
    STOREY_COLUMNS,
    SUPERSTRUCTURE_COLUMNS,
    TREE_COLUMNS,
)
from solarkataster.layers_visibility import VISIBILITY_COLUMNS, WEATHER_COLUMNS

HEAD = """# Data model

Made from `solarkataster/layers.py` by `python docs/make_data_model.py`; a test compares the two.
Names are pvlib's where pvlib has one; everything else carries its unit. Azimuths count from true
north, clockwise. Geometries are in the coordinate system of the surface model, and in plan: a
module of 1.762 m up a slope of 40° is 1.35 m long in its polygon. Walls stand upright, so theirs
have heights: outlines in space, level lines along the storeys, points.

"""

TABLES = (
    ("`roofs`: one row per roof plane", ROOF_COLUMNS),
    ("`buildings`: one row per footprint", BUILDING_COLUMNS),
    ("`facades`: one row per wall, with its outline in space", FACADE_COLUMNS),
    ("`facade_storeys`: one row per storey of a wall", STOREY_COLUMNS),
    (
        "`facade_elements`: one row per point of a wall, only with `elements = true` in `[walls]`",
        ELEMENT_COLUMNS,
    ),
    (
        "`modules`: one row per module of the layout; where rules let heat or green come first, "
        "fewer stay (`n_modules` of `roofs`)",
        MODULE_COLUMNS,
    ),
    ("`superstructures`: what stands out of roof planes", SUPERSTRUCTURE_COLUMNS),
    ("`sides`: straight sides of the footprints, with their eaves", SIDE_COLUMNS),
    (
        "`blocks`: what stands outside all footprints and is no plant: garages, sheds, bridges, "
        "new houses",
        BLOCK_COLUMNS,
    ),
    ("`trees`: one row per tree of the cadastre, with the outline of its crown", TREE_COLUMNS),
    (
        "`difference`: one row per roof plane and wall, only of `solarkataster scenario`",
        DIFFERENCE_COLUMNS,
    ),
    (
        "`sky_visibility`: what roof planes, racks and walls see of the sky, for hourly values",
        VISIBILITY_COLUMNS,
    ),
    ("`weather`: the year of weather, hour by hour, as it was read", WEATHER_COLUMNS),
)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for title, columns in TABLES:
        rows = "".join(
            f"| `{c.name}` | {c.dtype} | {c.unit} | {c.description} |\n" for c in columns
        )
        parts.append(f"## {title}\n\n| column | type | unit | what |\n|---|---|---|---|\n{rows}\n")
        if columns is BUILDING_COLUMNS:
            parts.append(
                "`buildings` also has every column of the input; one whose name is taken gets "
                "`_input`. Its `reason` is that of its best plane: most modules, then most "
                "light.\n\n"
            )
    rows = "".join(
        f"| `{r.filename}` | {len(r.bands)} | {r.unit} | {r.description} |\n" for r in RASTERS
    )
    parts.append(f"## Rasters\n\n| file | bands | unit | what |\n|---|---|---|---|\n{rows}")
    return "".join(parts)


if __name__ == "__main__":
    Path(__file__).with_name("data-model.md").write_text(page(), encoding="utf-8")
