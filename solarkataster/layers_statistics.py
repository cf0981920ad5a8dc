"""Columns of the tables that sum up a run: statistics, portfolio and installed plants."""

from __future__ import annotations

from solarkataster.columns import Column
from solarkataster.columns import number_column as _number
from solarkataster.columns import text_column as _text
from solarkataster.layers_yield import CO2_METHOD_COLUMN
from solarkataster.rating.classes import CLASSES


def _count(name: str, description: str) -> Column:
    return Column(name, "Int64", "–", description)


#: Name of the counting column of each class.
CLASS_COUNTS = {name: f"n_{name.replace(' ', '_')}" for name in reversed(CLASSES)}

_GROUP = (
    _text("level", "municipality, district, use or owner."),
    _text("name", "Name of the group; `ohne Angabe` holds what has none."),
    _text("surface", "roofs, walls or buildings; rows of two of them are never summed."),
    _count("n_buildings", "Buildings; in rows of roofs and walls those that have one."),
)

#: Summed from the rows of roofs or walls; empty in rows of buildings.
SURFACE_SUM_COLUMNS = (
    _number("area_m2", "m²", "Area of the surfaces."),
    _number("usable_area_m2", "m²", "Of it usable."),
    _number("poa_global_year_kwh", "kWh", "Global irradiation on the whole area, year."),
    _number("thermal_yield_year_kwh", "kWh", "Usable heat of the collectors."),
    _number("pv_area_m2", "m²", "Area of the modules."),
    _number("collector_area_m2", "m²", "Area of the collectors."),
    _number("green_roof_area_m2", "m²", "Green roof."),
)
SURFACE_COUNT_COLUMNS = (
    _count("n_surfaces", "Roof planes or walls."),
    _count("n_modules", "Modules."),
    _count("n_without_yield", "Of the surfaces those with modules and without a yield."),
    *(_count(count, f"Surfaces of the class {name}.") for name, count in CLASS_COUNTS.items()),
    _count("n_without_class", "Surfaces without a class: no light known."),
    _count("n_rejected", "Surfaces that hold neither modules nor collectors."),
    _count("n_rejected_too_small", "Of them because too small."),
    _count("n_rejected_obstacles", "Because of what stands on the roof, shade included."),
    _count("n_rejected_shaded", "Because too shaded."),
    _count("n_rejected_facing", "Because they face too little light even in the open."),
    _count("n_rejected_hidden", "Walls behind neighbours or other things."),
    _count("n_rejected_no_data", "Because heights are missing."),
    _count("n_rejected_other", "For other reasons, or for none that is told."),
)

#: Summed in every row: over surfaces, or over the buildings' own columns.
_BOTH = (
    _number("dc_power_kwp", "kWp", "Rated power; in rows of buildings that on the roofs."),
    _number("yield_year_kwh", "kWh", "Yield of a typical year; of buildings that of the roofs."),
    _number(
        "yield_p90_year_kwh",
        "kWh",
        "What nine of ten years exceed: common errors add up, own ones in quadrature. Parts do not "
        "sum up to it.",
    ),
    _number("yield_sigma_fraction", "–", "Standard uncertainty of the yield; no sum either."),
    _number(
        "investment_eur",
        "€",
        "Price of the plants on the surfaces alone; in rows of buildings of their best variant.",
    ),
    _number("co2_saving_kg_per_year", "kg", "CO2 avoided a year."),
)
BOTH_SUM_COLUMNS = tuple(
    column for column in _BOTH if column.name not in ("yield_p90_year_kwh", "yield_sigma_fraction")
)

#: Summed from the rows of buildings; empty in rows of roofs and walls.
BUILDING_SUM_COLUMNS = (
    _number("annual_demand_kwh", "kWh", "Electricity used a year, where it is known."),
    _number("self_consumed_kwh", "kWh", "Of the yield, used in the building."),
    _number("feed_in_kwh", "kWh", "Of it, fed into the grid."),
    _number("curtailed_kwh", "kWh", "Of it, cut by a limit of feed-in."),
    _number("grid_draw_kwh", "kWh", "Electricity still bought, of buildings with a balance."),
    _number("self_consumed_battery_kwh", "kWh", "Used in the building, with batteries."),
    _number("feed_in_battery_kwh", "kWh", "Fed into the grid, with batteries."),
    _number(
        "balanced_yield_year_kwh",
        "kWh",
        "Yield of the buildings with a balance: self_consumed_kwh + feed_in_kwh + curtailed_kwh.",
    ),
    _number(
        "balanced_demand_kwh",
        "kWh",
        "Demand of the buildings with a balance: self_consumed_kwh + grid_draw_kwh.",
    ),
    _number("npv_eur", "€", "Net present values of the best variants."),
)
BUILDING_COUNT_COLUMNS = (
    _count("n_without_value", "Buildings without a roof plane that has a value."),
    _count("n_without_demand", "Buildings whose demand is unknown."),
    _count("n_with_balance", "Buildings with a plant and a demand that are both known."),
    _count("n_npv_above_0", "Buildings with a plant that pays."),
    _count("n_monuments", "Monuments and buildings of protected ensembles."),
    _count("n_own_buildings", "In the municipality's list of own buildings."),
    _count("n_duty_new_build", "A solar duty would apply on new build."),
    _count("n_duty_renovation", "It would apply on roof renovation."),
    _count("n_duty_none", "It would not apply."),
    _count("n_duty_unknown", "The data cannot tell, or no state's rules were asked."),
)

STATISTICS_COLUMNS = (
    *_GROUP,
    SURFACE_COUNT_COLUMNS[0],
    *_BOTH,
    *SURFACE_SUM_COLUMNS,
    *SURFACE_COUNT_COLUMNS[1:],
    *BUILDING_SUM_COLUMNS,
    *BUILDING_COUNT_COLUMNS,
)

PORTFOLIO_COLUMNS = (
    _text("building_id", "The input's id as text."),
    _text("district", "District that holds it."),
    _text("use_class", "Use of the building."),
    Column("monument", "bool", "–", "Monument or part of a protected ensemble: needs a permit."),
    _text("variant", "What pays best."),
    _number("dc_power_kwp", "kWp", "Rated power on the roofs."),
    _number("yield_year_kwh", "kWh", "Yield of a typical year."),
    _number("investment_eur", "€", "Price of the variant."),
    _number("npv_eur", "€", "Its net present value."),
    _number("co2_saving_kg_per_year", "kg", "CO2 avoided a year."),
    _number("eur_per_t_co2", "€/t", "Investment per tonne of CO2 over the plant's life."),
    _count("rank_npv", "1 = highest net present value; empty if not ranked."),
    _count("rank_co2", "1 = fewest € per tonne of CO2."),
    _count("rank_kwh", "1 = most kWh."),
    Column("is_chosen", "bool", "–", "In the best set within the budget."),
    _number(
        "cumulated_investment_eur",
        "€",
        "Running sum over the chosen ones; without a budget over all that are ranked.",
    ),
    _text("reason", "Empty, or why it is not chosen or not ranked."),
)

#: As they are written: no saving without its method.
STATISTICS_FILE_COLUMNS = (*STATISTICS_COLUMNS, CO2_METHOD_COLUMN)
PORTFOLIO_FILE_COLUMNS = (*PORTFOLIO_COLUMNS, CO2_METHOD_COLUMN)

_PLACE = (
    _text("level", "municipality, postcode or district."),
    _text("name", "Of the place; `ohne Angabe` holds plants that none can be told of."),
)
_INSTALLED = (
    _count("n_plants", "Plants in operation."),
    _number("installed_kwp", "kWp", "Rated power of their modules."),
    _number("building_kwp", "kWp", "Of it on buildings, unknown kinds included."),
)
_USED = _number(
    "used_fraction",
    "–",
    "building_kwp over potential_kwp; empty where the potential is unknown or plants are missing.",
)

INSTALLED_COLUMNS = (
    *_PLACE,
    *_INSTALLED,
    _number("balcony_kwp", "kWp", "Plug-in plants of balconies."),
    _number("other_kwp", "kWp", "On open ground, car parks, water and other structures."),
    _count("n_balcony", "Plug-in plants of balconies."),
    _count("n_unknown_kind", "Plants of which the register does not say where they stand."),
    _count("n_without_coordinates", "Plants without coordinates; small ones never have any."),
    _count("n_without_date", "Plants without a date of commissioning; in no year."),
    _number("potential_kwp", "kWp", "Rated power of the modules that fit on the roofs."),
    _USED,
    _text("note", "What the figures of the row leave out."),
)
INSTALLED_YEAR_COLUMNS = (
    *_PLACE,
    _count("year", "Of commissioning."),
    _count("n_new", "Plants commissioned in it and still in operation."),
    _number("new_kwp", "kWp", "Their rated power."),
    *_INSTALLED,
    _number("growth_fraction", "–", "new_kwp over what was installed the year before."),
    _USED,
)
