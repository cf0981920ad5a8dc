"""What the sections of a config share: the strict model, and the types of their values."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
)


def _absolute(value: Any, info: ValidationInfo) -> Any:
    """A path or pattern as text, absolute; relative ones start at the config file's folder."""
    if not isinstance(value, str | Path) or not str(value).strip():
        return value
    folder = (info.context or {}).get("folder") or Path.cwd()
    return os.path.normpath(Path(folder) / Path(value).expanduser())


def _patterns(value: Any, info: ValidationInfo) -> Any:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(_absolute(one, info) for one in values)


def _date_text(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


Text = Annotated[str, Field(min_length=1)]
FilePath = Annotated[Path, BeforeValidator(_absolute), Field(strict=False)]
RasterPatterns = Annotated[
    tuple[Text, ...], BeforeValidator(_patterns), Field(min_length=1, strict=False)
]
DateText = Annotated[str, BeforeValidator(_date_text)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Section(BaseModel):
    """What all sections share: no unknown key, no silent conversion, no change after loading."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True
    )
