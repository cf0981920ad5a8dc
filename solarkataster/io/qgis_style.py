"""The look of a polygon layer in QGIS: one colour per class of a number."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

_NO_VALUE_COLOUR = "#b4b4b4"
_OUTLINE_COLOUR = "60,60,60,255"


def graduated_style(column: str, stops: Sequence[tuple[float, str]]) -> str:
    """
    QML with a class between each pair of stops, one below, one above and one for no value.

    Parameters
    ----------
    column : str
        Column of numbers.
    stops : sequence of (float, str)
        Lower limit and colour (``#rrggbb``) of each class, rising.

    Returns
    -------
    str
        A QGIS style; rule based, because only rules can show features without a value.
    """
    root = Xml.Element("qgis", version="3.22.0", styleCategories="Symbology")
    renderer = Xml.SubElement(
        root, "renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0"
    )
    rules = Xml.SubElement(renderer, "rules", key="all")
    symbols = Xml.SubElement(renderer, "symbols")
    for i, (label, condition, colour) in enumerate(_classes(column, stops)):
        Xml.SubElement(rules, "rule", key=f"class{i}", symbol=str(i), label=label, filter=condition)
        _add_fill(symbols, i, colour)
    Xml.SubElement(root, "layerGeometryType").text = "2"
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


def _add_fill(symbols: Xml.Element, i: int, colour: str) -> None:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    symbol = Xml.SubElement(
        symbols, "symbol", type="fill", name=str(i), alpha="1", clip_to_extent="1"
    )
    layer = Xml.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0"})
    options = Xml.SubElement(layer, "Option", type="Map")
    for name, value in {
        "color": f"{red},{green},{blue},255",
        "outline_color": _OUTLINE_COLOUR,
        "outline_style": "solid",
        "outline_width": "0.1",
        "outline_width_unit": "MM",
        "style": "solid",
    }.items():
        Xml.SubElement(options, "Option", type="QString", name=name, value=value)
