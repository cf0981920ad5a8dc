"""The look of a layer in QGIS: a colour per class of a number, per name, or one for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal
from xml.etree import ElementTree as Xml

#: What a layer is made of, and how it is drawn: upright polygons have no area in plan, so theirs is
#: a coloured outline.
Shape = Literal["polygon", "upright", "line", "point"]

_NO_VALUE_COLOUR = "#b4b4b4"
_OUTLINE_COLOUR = "60,60,60,255"
_LINE_WIDTH_MM = 0.4
_POINT_MM, _UPRIGHT_MM = 1.2, 0.8
#: QGIS's numbers for the kinds of geometry.
_GEOMETRY_TYPE = {"point": "0", "line": "1", "polygon": "2", "upright": "2"}


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
    shape : {"polygon", "upright", "line", "point"}
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


def categorized_style(
    column: str,
    colours: Mapping[str, str],
    other: str,
    *,
    shape: Shape = "polygon",
    outline_mm: float = 0.1,
) -> str:
    """
    QML with a colour for each name in a column.

    Parameters
    ----------
    column : str
        Column of texts.
    colours : mapping of str to str
        Colour (``#rrggbb``) of each name, in the order of the legend.
    other : str
        What the legend calls features with another name or none; they are grey.
    shape : {"polygon", "upright", "line", "point"}
    outline_mm : float
        Width of the outline of polygons. [mm on paper]

    Returns
    -------
    str
        A QGIS style.
    """
    root, renderer = _root("categorizedSymbol")
    renderer.set("attr", column)
    categories = Xml.SubElement(renderer, "categories")
    symbols = Xml.SubElement(renderer, "symbols")
    # QGIS takes the empty value for all others.
    named = [(name, name, colour) for name, colour in colours.items()]
    for i, (value, label, colour) in enumerate([*named, ("", other, _NO_VALUE_COLOUR)]):
        told = {"value": value, "label": label, "symbol": str(i), "type": "string"}
        Xml.SubElement(categories, "category", told | {"render": "true"})
        _add_symbol(symbols, i, colour, shape, outline_mm)
    return _text(root, shape)


def plain_style(colour: str, *, shape: Shape = "polygon", outline_mm: float = 0.1) -> str:
    """
    QML with one colour for all features.

    Parameters
    ----------
    colour : str
        ``#rrggbb``.
    shape : {"polygon", "upright", "line", "point"}
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
    kind, drawn, options = _symbol(rgba, shape, outline_mm)
    symbol = Xml.SubElement(
        symbols, "symbol", type=kind, name=str(i), alpha="1", clip_to_extent="1"
    )
    layer = Xml.SubElement(symbol, "layer", {"class": drawn, "enabled": "1", "pass": "0"})
    written = Xml.SubElement(layer, "Option", type="Map")
    for name, value in options.items():
        Xml.SubElement(written, "Option", type="QString", name=name, value=value)


def _symbol(rgba: str, shape: Shape, outline_mm: float) -> tuple[str, str, dict[str, str]]:
    """QGIS's names of a symbol and of its only layer, and the layer's options."""
    if shape == "line":
        options = {"line_color": rgba, "line_style": "solid", "line_width": f"{_LINE_WIDTH_MM:g}"}
        return "line", "SimpleLine", options | {"line_width_unit": "MM"}
    if shape == "point":
        options = {"color": rgba, "name": "circle", "outline_style": "no"}
        return "marker", "SimpleMarker", options | {"size": f"{_POINT_MM:g}", "size_unit": "MM"}
    if shape == "upright":
        colours = {"color": rgba, "outline_color": rgba, "style": "no"}
        outline_mm = _UPRIGHT_MM
    else:
        colours = {"color": rgba, "outline_color": _OUTLINE_COLOUR, "style": "solid"}
    outline = {"outline_width": f"{outline_mm:g}", "outline_width_unit": "MM"}
    return "fill", "SimpleFill", colours | outline | {"outline_style": "solid"}
