"""What is wrong with a config file, in its reader's words; and ${VARIABLE} expansion."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from solarkataster.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}")


def expand_variables(value: Any, where: str, faults: list[ConfigError]) -> Any:
    """Replace ``${VARIABLE}`` in every text; unset ones are collected as faults."""
    if isinstance(value, dict):
        return {key: expand_variables(one, f"{where} {key}", faults) for key, one in value.items()}
    if isinstance(value, list):
        return [expand_variables(one, where, faults) for one in value]
    if not isinstance(value, str):
        return value

    def replaced(match: re.Match[str]) -> str:
        name, default = match.groups()
        found = os.environ.get(name)
        if found:
            # A relative folder in a variable is meant from where the command is typed.
            is_folder = match.start() == 0 and value[match.end() : match.end() + 1] in ("/", "\\")
            return os.path.abspath(found) if is_folder else found
        if default is None:
            faults.append(
                ConfigError(
                    f"the variable {name} is not set",
                    where=where,
                    expected="an environment variable or a default, ${" + name + ":-PATH}",
                    remedy=f"export {name}=PATH",
                )
            )
            return match.group(0)
        return default

    return _VARIABLE.sub(replaced, value)


def config_error(model: type[BaseModel], path: Path, details: Any) -> ConfigError:
    """One fault of the validation in the reader's words."""
    keys = [str(part) for part in details["loc"]]
    kind = details["type"]
    section = keys[0] if keys else ""
    key = keys[1] if len(keys) > 1 else ""
    where = f"{path} [{section}]" + (f" {key}" if key else "")
    if kind == "extra_forbidden":
        return _unknown_key(model, path, keys)
    if kind == "missing":
        field = _field(model, keys)
        missing = f"the key {key} is missing" if key else f"the section [{section}] is missing"
        example = f'{key} = "{field.examples[0]}"' if field and field.examples else f"[{section}]"
        expected = one_line(field.description) if field and field.description else "this section"
        where = f"{path} [{section}]" if key else str(path)
        return ConfigError(
            missing, where=where, expected=expected, remedy=f"Add it, for example: {example}"
        )
    field = _field(model, keys[:2])
    expected = details["msg"].replace("Input should be", "").replace("Input is", "").strip()
    if details["type"] == "path_type":
        expected = "a path in quotes"
    remedy = None
    if field is not None and key:
        expected = f"{expected}. {one_line(field.description or '')}"
        remedy = (
            f"Correct it, for example: {key} = {field.examples[0]!r}"
            if field.is_required()
            else f"Correct it, or leave it out for the default ({field.default!r})."
        )
    return ConfigError(
        f"{key or section} is {details['input']!r}", where=where, expected=expected, remedy=remedy
    )


def _unknown_key(model: type[BaseModel], path: Path, keys: list[str]) -> ConfigError:
    """Name the right key: a near one of the same section, else one that stands elsewhere."""
    if len(keys) == 1:
        name, known, where = keys[0], list(model.model_fields), str(path)
        found = f"unknown section or key {name}"
    else:
        section, name = keys[0], keys[-1]
        known = list(fields_of(model.model_fields[section].annotation))
        where = f"{path} [{section}]"
        found = f"unknown key {name}"
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    homes = [
        f"[{section}]"
        for section, field in model.model_fields.items()
        if name in fields_of(field.annotation)
    ]
    if homes:
        remedy = f"{name} belongs to {homes[0]}."
    elif near:
        remedy = f"Did you mean {near[0]}?"
    else:
        remedy = "Remove it; `solarkataster new NAME` writes a file with all keys and what they do."
    return ConfigError(found, where=where, expected="one of " + ", ".join(known), remedy=remedy)


def fields_of(model: Any) -> dict[str, Any]:
    """Keys of a section; none for a plain value."""
    return model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}


def _field(model: Any, keys: list[str]) -> Any:
    field: Any = None
    for key in keys:
        field = fields_of(model).get(key)
        if field is None:
            return None
        model = field.annotation
    return field


def one_line(text: str) -> str:
    """A description without its line breaks."""
    return " ".join(text.split())
