"""The look of a layer in QGIS: one colour per class of a number, or one colour for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from xml.etree import ElementTree as Xml

#: What a layer is made of; polygons are filled, lines are drawn.
Shape = Literal["polygon", "line"]

_NO_VALUE_COLOUR = "#b4b4b4"
_OUTLINE_COLOUR = "60,60,60,255"
_LINE_WIDTH_MM = 0.4
#: QGIS's numbers for the kinds of geometry.
_GEOMETRY_TYPE = {"line": "1", "polygon": "2"}


def graduated_style(
    column: str,
    stops: Sequence[tuple[float, str]],
    *,
    shape: Shape = "polygon",
    outline_mm: float = 0.1,
) -> str:
    """
    QML with a class between each pair of stops, one below, one above and one for no value.

    Parameters
    ----------
    column : str
        Column of numbers.
    stops : sequence of (float, str)
        Lower limit and colour (``#rrggbb``) of each class, rising.
    shape : {"polygon", "line"}
    outline_mm : float
        Width of the outline of polygons. [mm on paper]

    Returns
    -------
    str
        A QGIS style; rule based, because only rules can show features without a value.
    """
    root, renderer = _root("RuleRenderer")
    rules = Xml.SubElement(renderer, "rules", key="all")
    symbols = Xml.SubElement(renderer, "symbols")
    for i, (label, condition, colour) in enumerate(_classes(column, stops)):
        Xml.SubElement(rules, "rule", key=f"class{i}", symbol=str(i), label=label, filter=condition)
        _add_symbol(symbols, i, colour, shape, outline_mm)
    return _text(root, shape)


def plain_style(colour: str, *, shape: Shape = "polygon", outline_mm: float = 0.1) -> str:
    """
    QML with one colour for all features.

    Parameters
    ----------
    colour : str
        ``#rrggbb``.
    shape : {"polygon", "line"}
    outline_mm : float
        Width of the outline of polygons. [mm on paper]

    Returns
    -------
    str
        A QGIS style.
    """
    root, renderer = _root("singleSymbol")
    _add_symbol(Xml.SubElement(renderer, "symbols"), 0, colour, shape, outline_mm)
    return _text(root, shape)


def _root(renderer: str) -> tuple[Xml.Element, Xml.Element]:
    root = Xml.Element("qgis", version="3.22.0", styleCategories="Symbology")
    return root, Xml.SubElement(
        root, "renderer-v2", type=renderer, symbollevels="0", forceraster="0"
    )


def _text(root: Xml.Element, shape: Shape) -> str:
    Xml.SubElement(root, "layerGeometryType").text = _GEOMETRY_TYPE[shape]
    return "<!DOCTYPE qgis>" + Xml.tostring(root, encoding="unicode")


def _classes(column: str, stops: Sequence[tuple[float, str]]) -> list[tuple[str, str, str]]:
    """Label, condition and colour of each class."""
    field = f'"{column}"'
    limits = [limit for limit, _ in stops]
    classes = [(f"< {limits[0]:g}", f"{field} < {limits[0]:g}", stops[0][1])]
    for (low, colour), high in zip(stops[:-1], limits[1:], strict=True):
        classes.append(
            (f"{low:g} – {high:g}", f"{field} >= {low:g} AND {field} < {high:g}", colour)
        )
    classes.append((f"≥ {limits[-1]:g}", f"{field} >= {limits[-1]:g}", stops[-1][1]))
    classes.append(("no value", "ELSE", _NO_VALUE_COLOUR))
    return classes


def _add_symbol(symbols: Xml.Element, i: int, colour: str, shape: Shape, outline_mm: float) -> None:
    rgba = ",".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5)) + ",255"
    if shape == "line":
        kind, drawn = "line", "SimpleLine"
        options = {
            "line_color": rgba,
            "line_style": "solid",
            "line_width": f"{_LINE_WIDTH_MM:g}",
            "line_width_unit": "MM",
        }
    else:
        kind, drawn = "fill", "SimpleFill"
        options = {
            "color": rgba,
            "outline_color": _OUTLINE_COLOUR,
            "outline_style": "solid",
            "outline_width": f"{outline_mm:g}",
            "outline_width_unit": "MM",
            "style": "solid",
        }
    symbol = Xml.SubElement(
        symbols, "symbol", type=kind, name=str(i), alpha="1", clip_to_extent="1"
    )
    layer = Xml.SubElement(symbol, "layer", {"class": drawn, "enabled": "1", "pass": "0"})
    written = Xml.SubElement(layer, "Option", type="Map")
    for name, value in options.items():
        Xml.SubElement(written, "Option", type="QString", name=name, value=value)
