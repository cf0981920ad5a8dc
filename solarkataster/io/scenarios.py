"""Scenario files: TOML in the words of a planner."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from solarkataster.canopy import DECIDUOUS, EVERGREEN
from solarkataster.errors import InputError, InputErrors
from solarkataster.scenario import Growth, NewBuilding, Scenario, Selection
from solarkataster.species import species_sizes
from solarkataster.trees import Trees

_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Point = tuple[_Number, _Number]
_Ring = Annotated[tuple[_Point, ...], Field(min_length=3)]
_Id = Annotated[str, Field(min_length=1)]

_KINDS = {"deciduous": DECIDUOUS, "evergreen": EVERGREEN}


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Place(_Part):
    """Trees by ids, or all within a polygon or around a point."""

    ids: tuple[_Id, ...] = ()
    polygon: _Ring | None = None
    point: _Point | None = None
    radius_m: _Positive | None = None

    @model_validator(mode="after")
    def _one_way(self) -> _Place:
        ways = [bool(self.ids), self.polygon is not None, self.point is not None]
        ways.append(bool(getattr(self, "all", False)))
        if sum(ways) != 1 or (self.point is None) != (self.radius_m is None):
            raise ValueError("ids, polygon, or point with radius_m, and one of them alone")
        if self.polygon is not None and not _polygon(self.polygon).is_valid:
            raise ValueError("polygon is no area without crossings")
        return self

    def selection(self) -> Selection:
        area = None
        if self.polygon is not None:
            area = _polygon(self.polygon)
        elif self.point is not None and self.radius_m is not None:
            area = shapely.buffer(shapely.Point(self.point), self.radius_m, quad_segs=32)
        return Selection(self.ids, area, bool(getattr(self, "all", False)))


class _Grow(_Place):
    all: bool = False
    years: _Positive | None = None
    height_per_year_m: Annotated[float, Field(ge=0, le=3)] = 0.3
    crown_per_year_m: Annotated[float, Field(ge=0, le=3)] = 0.2
    height_m: Annotated[float, Field(ge=0, le=60)] | None = None
    crown_diameter_m: Annotated[float, Field(ge=0, le=40)] | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> _Grow:
        metres = self.height_m is not None or self.crown_diameter_m is not None
        if (self.years is not None) == metres:
            raise ValueError("years, or height_m and crown_diameter_m")
        return self

    def growth(self) -> Growth:
        if self.years is not None:
            rise_m, wider_m = self.height_per_year_m, self.crown_per_year_m
            return Growth(self.selection(), self.years * rise_m, self.years * wider_m)
        return Growth(self.selection(), self.height_m or 0.0, self.crown_diameter_m or 0.0)


class _Plant(_Part):
    id: _Id | None = None
    point: _Point
    height_m: Annotated[float, Field(gt=0, le=70)]
    crown_diameter_m: Annotated[float, Field(gt=0, le=40)]
    crown_base_m: Annotated[float, Field(ge=0)] | None = None
    kind: Literal["deciduous", "evergreen"] | None = None
    species: _Id | None = None

    @model_validator(mode="after")
    def _is_a_tree(self) -> _Plant:
        if (self.kind is None) == (self.species is None):
            raise ValueError("kind or species")
        if self.species is not None and not species_sizes([self.species]).is_known[0]:
            raise ValueError(f"species {self.species} is not known: name its kind instead")
        if self.crown_base_m is not None and self.crown_base_m >= self.height_m:
            raise ValueError("crown_base_m below height_m")
        return self

    def leaves(self) -> int:
        """Kind of its leaves."""
        if self.kind is not None:
            return _KINDS[self.kind]
        return int(species_sizes([self.species]).kind[0])


class _AddBuilding(_Part):
    id: _Id
    polygon: _Ring
    height_m: Annotated[float, Field(gt=0, le=400)]
    roof_tilt_deg: Annotated[float, Field(ge=0, le=75)] = 0.0

    @model_validator(mode="after")
    def _is_an_area(self) -> _AddBuilding:
        area = _polygon(self.polygon)
        if not area.is_valid or area.area < 1.0:
            raise ValueError("polygon is no area of at least 1 m² without crossings")
        return self


class _RemoveBuilding(_Part):
    id: _Id


class _File(_Part):
    name: _Id
    fell: tuple[_Place, ...] = ()
    plant: tuple[_Plant, ...] = ()
    grow: tuple[_Grow, ...] = ()
    add_building: tuple[_AddBuilding, ...] = ()
    remove_building: tuple[_RemoveBuilding, ...] = ()


def read_scenario(path: str | Path, base_fraction: float = 0.25) -> Scenario:
    """
    Read a scenario file.

    Parameters
    ----------
    path : path
        TOML with ``name`` and any number of ``[[fell]]``, ``[[plant]]``, ``[[grow]]``,
        ``[[add_building]]`` and ``[[remove_building]]``; coordinates in the system of the surface
        model.
    base_fraction : float
        Underside of planted crowns without ``crown_base_m``, as a share of their height. [–]

    Returns
    -------
    Scenario

    Raises
    ------
    InputErrors
        One fault for each wrong, missing or unknown key.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise _one(path, "file not found", "a scenario file (TOML)") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _one(path, str(error), "a scenario file (TOML, UTF-8)") from None
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise InputErrors([_fault(path, details) for details in error.errors()]) from None
    return Scenario(
        file.name,
        tuple(one.selection() for one in file.fell),
        _planted(file.plant, base_fraction),
        tuple(one.growth() for one in file.grow),
        tuple(
            NewBuilding(one.id, _polygon(one.polygon), one.height_m, one.roof_tilt_deg)
            for one in file.add_building
        ),
        tuple(one.id for one in file.remove_building),
    )


def _planted(plants: tuple[_Plant, ...], base_fraction: float) -> Trees:
    base_m = [
        base_fraction * one.height_m if one.crown_base_m is None else one.crown_base_m
        for one in plants
    ]
    return Trees(
        np.array([one.id or f"planted {i + 1}" for i, one in enumerate(plants)], dtype=object),
        np.array([one.point[0] for one in plants], dtype=np.float64),
        np.array([one.point[1] for one in plants], dtype=np.float64),
        np.array([one.height_m for one in plants], dtype=np.float64),
        np.array([one.crown_diameter_m for one in plants], dtype=np.float64),
        np.array(base_m, dtype=np.float64),
        np.array([one.leaves() for one in plants], dtype=np.uint8),
        ("",) * len(plants),
    )


def _polygon(ring: tuple[_Point, ...]) -> shapely.Polygon:
    return shapely.Polygon(ring)


def _one(path: Path, found: str, expected: str) -> InputErrors:
    return InputErrors([InputError(found, where=str(path), expected=expected)])


def _fault(path: Path, details: Any) -> InputError:
    """A fault of the validation in the reader's words; parts are counted from 1."""
    keys = [str(one + 1) if isinstance(one, int) else str(one) for one in details["loc"]]
    where = f"{path} {' '.join(keys)}".strip()
    if details["type"] == "extra_forbidden":
        return InputError("unknown key", where=where, expected=_known_keys(details["loc"]))
    if details["type"] == "missing":
        return InputError("is missing", where=where, expected=f"the key {keys[-1]}")
    value = details["input"]
    shown = "" if isinstance(value, dict) else f" ({value!r})"
    expected = details["msg"].removeprefix("Value error, ").replace("Input should be ", "")
    if isinstance(value, float) and not math.isfinite(value):
        expected = "a finite number"
    return InputError(f"cannot be{shown}", where=where, expected=expected)


def _known_keys(place: tuple[int | str, ...]) -> str:
    parts: dict[str, type[_Part]] = {
        "fell": _Place, "plant": _Plant, "grow": _Grow, "add_building": _AddBuilding,
        "remove_building": _RemoveBuilding,
    }  # fmt: skip
    model = parts.get(str(place[0]), _File) if len(place) > 1 else _File
    return "one of " + ", ".join(model.model_fields)
