"""Columns of yield, self-consumption, money and rating, declared once."""

from __future__ import annotations

from solarkataster.columns import Column
from solarkataster.columns import number_column as _number
from solarkataster.columns import text_column as _text
from solarkataster.units import MONTHS

#: Stands beside every saving: one factor is twice another.
CO2_METHOD_COLUMN = _text("co2_method", "Factor, year and method of that saving, in German.")

_YIELD_MONTHS = tuple(
    _number(f"yield_{month}_kwh", "kWh", f"The same in month {month}.") for month in MONTHS
)

#: Modules of a wall; roofs declare theirs beside their layout.
SURFACE_MODULE_COLUMNS = (
    Column("n_modules", "int32", "–", "Modules that the usable area holds, as the rules say."),
    _number("dc_power_kwp", "kWp", "Rated power of the modules."),
)

#: What the modules of a roof plane or wall yield.
SURFACE_YIELD_COLUMNS = (
    _number(
        "yield_year_kwh",
        "kWh",
        "Alternating current of a typical year, of new modules: the value that half of all years "
        "exceed. Modelled hour by hour; empty where reason says what is missing.",
    ),
    *_YIELD_MONTHS,
    _number("yield_p90_year_kwh", "kWh", "What nine of ten years exceed."),
    _number("specific_yield_kwh_per_kwp", "kWh/kWp", "Yield per rated power."),
    _number(
        "performance_ratio",
        "–",
        "Yield over rated power times light on the modules: a result, never an input.",
    ),
    _number("module_poa_year_kwh_m2", "kWh/m²", "Global irradiation on the modules, mean, year."),
    _number("loss_incidence_fraction", "–", "Light lost by the glass at flat angles."),
    _number("loss_temperature_fraction", "–", "Lost to the cells' temperature; below 0 if cool."),
    _number("loss_shading_mismatch_fraction", "–", "Lost in strings shaded in part; an option."),
    _number("loss_inverter_fraction", "–", "Lost in the inverter, its limit included."),
    _number(
        "yield_sigma_common_fraction",
        "–",
        "Standard uncertainty of the yield that all surfaces share: years, weather data, model.",
    ),
    _number("yield_sigma_own_fraction", "–", "The same of its own: plant, surface model, shading."),
    _number("investment_eur", "€", "Price of the plant on this surface alone."),
    _number(
        "lcoe_eur_per_kwh", "€/kWh", "Levelised cost of electricity of that plant, without battery."
    ),
    _number("co2_saving_kg_per_year", "kg", "CO2 avoided a year."),
    CO2_METHOD_COLUMN,
)

#: Who gets the square metre.
SURFACE_ALLOCATION_COLUMNS = (
    _text("surface_use", "pv, heat, pv+heat, green or none: what the rules put on the surface."),
    _number("pv_area_m2", "m²", "Area of the modules."),
    _number("collector_area_m2", "m²", "Area of solar heat collectors."),
    _number("green_roof_area_m2", "m²", "Green roof beside them; never the same square metre."),
    _number("thermal_yield_year_kwh", "kWh", "Heat of the collectors that the house can use."),
)

#: The class of a surface.
SUITABILITY_COLUMNS = (
    _text(
        "suitability",
        "hervorragend, sehr gut, gut, mittel or gering; empty without a value.",
    ),
    _number(
        "suitability_fraction",
        "–",
        "Irradiation over that of the best open plane at the site (walls: best open wall).",
    ),
    _text(
        "reason_en",
        "In English why there is no value, no module or no yield; empty if there is nothing to "
        "say. reason says it in German, and of rated surfaces why they have their class.",
    ),
)

#: Yield, demand and balance of a building; its plant is that on the roofs.
BUILDING_ENERGY_COLUMNS = (
    _number("yield_year_kwh", "kWh", "Sum of the roof planes, typical year."),
    *_YIELD_MONTHS,
    _number(
        "yield_p90_year_kwh",
        "kWh",
        "What nine of ten years exceed: errors that all planes share add up, own ones in part.",
    ),
    _number("yield_sigma_fraction", "–", "Standard uncertainty of the yield."),
    _number("facade_dc_power_kwp", "kWp", "Rated power of modules on the walls."),
    _number("facade_yield_year_kwh", "kWh", "Yield of the walls, typical year."),
    _text("use_class", "Use of the building as the rules read it; empty if unknown."),
    _number("annual_demand_kwh", "kWh", "Electricity used in a year, given or estimated."),
    _text("demand_source", "Where the demand is from, or why it is unknown."),
    _text("load_profile", "Standard load profile (H25, G25, L25) or measured."),
    _text("demand_reason", "In German why the demand is unknown or doubtful; empty otherwise."),
    _number("self_consumed_kwh", "kWh", "Of the yield, used in the building."),
    _number("feed_in_kwh", "kWh", "Of it, fed into the grid."),
    _number("curtailed_kwh", "kWh", "Of it, cut by a limit of feed-in."),
    _number("grid_draw_kwh", "kWh", "Electricity still bought."),
    _number(
        "self_consumption_fraction",
        "–",
        "Share of the yield used in the building. An average profile overstates that of one home.",
    ),
    _number("autarky_fraction", "–", "Share of the demand covered by the plant."),
    _number("battery_kwh", "kWh", "Usable size of the battery of the second variant."),
    _number("self_consumed_battery_kwh", "kWh", "Used in the building, with the battery."),
    _number("feed_in_battery_kwh", "kWh", "Fed into the grid, with the battery."),
    _number("self_consumption_battery_fraction", "–", "The same share with the battery."),
    _number("autarky_battery_fraction", "–", "The same share with the battery."),
)

MONUMENT_VISIBLE_COLUMN = _text(
    "monument_visible", "Of monuments: whether a roof is seen from public space."
)

#: Money, heat, law and place of a building.
BUILDING_RATING_COLUMNS = (
    _text(
        "variant", "What pays best: Eigenverbrauch, Eigenverbrauch mit Speicher, Volleinspeisung."
    ),
    _number("investment_eur", "€", "Price of that variant."),
    _number("npv_eur", "€", "Its net present value."),
    _number("npv_p90_eur", "€", "The same with the yield that nine of ten years exceed."),
    _number("irr_fraction", "–", "Internal rate of return."),
    _number("payback_years", "a", "Years until the investment is back; empty if never."),
    _number("payback_p90_years", "a", "The same with the lower yield."),
    _number("lcoe_eur_per_kwh", "€/kWh", "Levelised cost of electricity."),
    _number("npv_self_consumption_eur", "€", "Net present value without battery."),
    _number("npv_battery_eur", "€", "Net present value with battery."),
    _number("npv_full_feed_in_eur", "€", "Net present value if all is fed in."),
    _text("money_reason", "In German what could not be worked out, and why; empty otherwise."),
    _number("co2_saving_kg_per_year", "kg", "CO2 avoided a year."),
    CO2_METHOD_COLUMN,
    _number("thermal_yield_year_kwh", "kWh", "Heat of the collectors that the house can use."),
    _number("collector_area_m2", "m²", "Area of solar heat collectors."),
    _text("heat_reason", "In German why there is no solar heat; empty where there is some."),
    _number("heat_demand_year_kwh", "kWh", "Heat that the collectors could serve: hot water."),
    _number(
        "heat_first_collector_area_m2",
        "m²",
        "Collectors if heat came before modules: an alternative, never to be added.",
    ),
    _number("heat_first_yield_year_kwh", "kWh", "Heat that the house could use then."),
    _number("heat_first_pv_fraction", "–", "Share of the modules that would be left then."),
    MONUMENT_VISIBLE_COLUMN,
    _text("solar_duty", "Whether the state's law would ask for a solar plant, as far as known."),
    _text("solar_duty_basis", "Law, paragraph and date of that answer."),
    _text("owner_class", "Class of the owner; empty if unknown."),
    _text("district", "District that holds the building; empty if none."),
    Column("is_own_building", "bool", "–", "In the municipality's list of own buildings."),
)
