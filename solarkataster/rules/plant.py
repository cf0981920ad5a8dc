"""What a PV plant is made of, what it loses, and how far its yield may be off."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from solarkataster.rules.base import Fraction, NotNegative, Rules, SourcedTable, within

#: Share of what is left that gets lost; less than all of it.
Loss = Annotated[float, Field(ge=0.0, lt=1.0)]
Angle = Annotated[float, Field(ge=0.0, le=90.0)]

#: Numbers that each temperature model takes, by pvlib's names.
TEMPERATURE_NUMBERS = {
    "sapm": ("a", "b", "deltaT"),
    "pvsyst": ("u_c", "u_v", "module_efficiency", "alpha_absorption"),
    "faiman": ("u0", "u1"),
}

#: Module or inverter that is no product but PVWatts' model of one.
PVWATTS = "pvwatts"


class ModuleRules(SourcedTable):
    """The module."""

    name: str
    """``pvwatts``, or the name of a module of the CEC data base as pvlib has it."""

    gamma_pdc_per_k: Annotated[float, Field(gt=-0.02, le=0.0)]
    """Power per degree over 25 °C, of a ``pvwatts`` module. [1/K]"""


class InverterRules(SourcedTable):
    """The inverter."""

    name: str
    """``pvwatts``, or the name of an inverter of the CEC data base; that needs such a module."""

    efficiency_nominal_fraction: Annotated[float, Field(gt=0.5, le=1.0)]
    """At full power, of a ``pvwatts`` inverter."""

    dc_ac_ratio: Annotated[float, within(0.5, 3.0, "(kWp of modules per kW of the inverter)")]
    """Rated power of the modules ÷ rated output of the inverter."""

    modules_per_string: Annotated[int, Field(ge=0)] = 0
    """With a named inverter; 0: as many as come nearest to the ratio."""


class IncidenceRules(SourcedTable):
    """Glass of the module: what slanting light loses, against light that falls straight on it."""

    refraction_index: Annotated[float, Field(gt=1.0)]
    extinction_per_m: NotNegative
    thickness_m: NotNegative

    diffuse: Literal["marion", "none"]
    """Light of sky and ground: integrated over where it comes from, or not diminished."""


class TemperatureRules(SourcedTable):
    """How warm cells get, for one way of mounting."""

    model: Literal["sapm", "pvsyst", "faiman"]
    parameters: dict[str, float]
    """By pvlib's names; all that the model takes."""

    @model_validator(mode="after")
    def _numbers_of_the_model(self):
        expected = TEMPERATURE_NUMBERS[self.model]
        if set(self.parameters) != set(expected):
            raise ValueError(
                f"model = {self.model!r} takes {', '.join(expected)}, "
                f"found {', '.join(self.parameters) or 'nothing'}"
            )
        return self


class MountingRules(Rules):
    """Cell temperature by mounting."""

    roof_parallel: TemperatureRules
    rack: TemperatureRules
    wall: TemperatureRules


class LossRules(SourcedTable):
    """What every plant loses all the year, each a share of what the others leave."""

    soiling: Loss
    mismatch: Loss
    wiring: Loss
    connections: Loss
    lid: Loss
    """Light-induced degradation of the first days."""

    nameplate_rating: Loss
    availability: Loss


class SnowRules(SourcedTable):
    """What snow on the modules keeps off."""

    month_fraction: Annotated[list[Loss], Field(min_length=12, max_length=12)]
    """January to December."""


class ShadingMismatchRules(SourcedTable):
    """What strings lose beyond the shaded light, because cells in series share a current."""

    method: Literal["off", "martinez"]
    total_blocks: Annotated[int, Field(ge=1)]
    """Blocks of cells with a bypass diode that a shadow can cross, over the surface."""


class DegradationRules(SourcedTable):
    """What a plant loses with age."""

    fraction_per_year: Annotated[float, Field(ge=0.0, lt=0.2)]


class YearSigmaRules(SourcedTable):
    """How much single years differ from the long-term mean."""

    year_fraction: Fraction
    """Where no series of years is given."""

    least_years: Annotated[int, Field(ge=2)]
    """Fewer years of a series do not tell the spread."""


class CommonSigmaRules(SourcedTable):
    """Standard errors that all surfaces of a run share."""

    weather_fraction: Fraction
    transposition_fraction: Fraction
    module_fraction: Fraction
    soiling_fraction: Fraction
    snow_fraction: Fraction


class PlantSigmaRules(SourcedTable):
    """Standard error that each plant has for itself."""

    plant_fraction: Fraction


class SurfaceSigmaRules(SourcedTable):
    """Standard errors of the surface model, each surface's own."""

    shading_loss_relative: Fraction
    """Of the shading loss, as a share of it."""

    roof_tilt_deg: Angle
    roof_azimuth_deg: Angle
    wall_azimuth_deg: Angle


class UncertaintyRules(Rules):
    """Where the yield band comes from."""

    year: YearSigmaRules
    common: CommonSigmaRules
    plant: PlantSigmaRules
    surface: SurfaceSigmaRules


class PlantRules(Rules):
    """All of ``plant.toml``."""

    module: ModuleRules
    inverter: InverterRules
    incidence: IncidenceRules
    temperature: MountingRules
    losses: LossRules
    snow: SnowRules
    shading_mismatch: ShadingMismatchRules
    degradation: DegradationRules
    uncertainty: UncertaintyRules
