"""A municipality's config file: loading, faults, and the commented template that `new` writes."""

from __future__ import annotations

import json
import textwrap
import tomllib
from pathlib import Path
from typing import Any

from pydantic import PrivateAttr, ValidationError

from solarkataster.config_base import Section
from solarkataster.config_faults import config_error, expand_variables, fields_of, one_line
from solarkataster.config_inputs import (
    InputsConfig,
    LimitsConfig,
    Lod2Config,
    MunicipalityConfig,
    PointsConfig,
    TreesConfig,
    WeatherConfig,
)
from solarkataster.config_sections import (
    HorizonConfig,
    IrradiationConfig,
    LayoutConfig,
    PortfolioConfig,
    ReflectionConfig,
    RoofsConfig,
    RulesConfig,
    TilesConfig,
    WallsConfig,
    YieldsConfig,
)
from solarkataster.errors import ConfigError, InputErrors


class Config(Section):
    """Everything a run needs to know."""

    municipality: MunicipalityConfig
    inputs: InputsConfig
    weather: WeatherConfig = WeatherConfig()
    points: PointsConfig = PointsConfig()
    lod2: Lod2Config = Lod2Config()
    trees: TreesConfig = TreesConfig()
    roofs: RoofsConfig = RoofsConfig()
    layout: LayoutConfig = LayoutConfig()
    walls: WallsConfig = WallsConfig()
    horizon: HorizonConfig = HorizonConfig()
    irradiation: IrradiationConfig = IrradiationConfig()
    reflection: ReflectionConfig = ReflectionConfig()
    yields: YieldsConfig = YieldsConfig()
    rules: RulesConfig = RulesConfig()
    portfolio: PortfolioConfig = PortfolioConfig()
    tiles: TilesConfig = TilesConfig()
    limits: LimitsConfig = LimitsConfig()

    _path: Path | None = PrivateAttr(default=None)

    @property
    def path(self) -> Path | None:
        """The file it came from."""
        return self._path


def load_config(path: str | Path) -> Config:
    """
    Read and check a config file.

    Parameters
    ----------
    path : path
        TOML file. Relative paths in it start at its own folder.

    Returns
    -------
    Config

    Raises
    ------
    InputErrors
        With one :class:`ConfigError` per fault: unreadable file, unset ``${VARIABLE}``, unknown
        key (the nearest right one is named), missing key, wrong value.
    """
    path = Path(path).absolute()
    try:
        # Windows editors put a byte order mark in front of UTF-8.
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise _one_fault(
            path, "file not found", "a config file", "solarkataster new NAME"
        ) from None
    except IsADirectoryError:
        raise _one_fault(
            path, "is a folder", "a config file", "Give the .toml file in it."
        ) from None
    except UnicodeDecodeError as error:
        raise _one_fault(path, str(error), "UTF-8 text", "Save the file as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise _one_fault(
            path,
            str(error),
            "valid TOML",
            "Correct that line; text and paths stand in quotes, backslashes in single quotes.",
        ) from None
    faults: list[ConfigError] = []
    expanded = expand_variables(raw, str(path), faults)
    try:
        config = Config.model_validate(expanded, context={"folder": path.parent})
    except ValidationError as error:
        faults.extend(config_error(Config, path, details) for details in error.errors())
    if faults:
        raise InputErrors(list(faults))
    config._path = path
    return config


def _one_fault(path: Path, found: str, expected: str, remedy: str) -> InputErrors:
    return InputErrors([ConfigError(found, where=str(path), expected=expected, remedy=remedy)])


def config_template(name: str) -> str:
    """
    A commented config for another municipality: every key, its default and why.

    The text comes from the sections alone. Required keys carry an example, keys
    without a default are commented out.
    """
    lines = [
        "# Settings of one solar cadastre. Whatever is left out has the default shown here.",
    ]
    for section, field in Config.model_fields.items():
        lines += ["", f"[{section}]", *_comment(field.annotation.__doc__ or "")]
        for key, setting in fields_of(field.annotation).items():
            lines += ["", *_comment(setting.description or "")]
            if (section, key) == ("municipality", "name"):
                lines.append(f"name = {_toml(name)}")
            elif setting.is_required():
                lines.append(f"{key} = {_toml(setting.examples[0])}")
            elif setting.examples:
                example = setting.examples[0]
                text = example if str(example).startswith("{") else _toml(example)
                lines.append(f"# {key} = {text}")
            else:
                lines.append(f"{key} = {_toml(setting.default)}")
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(one_line(text), 98)]


def _toml(value: Any) -> str:
    # A JSON string is a TOML basic string; numbers are written alike.
    return json.dumps(value, ensure_ascii=False)
