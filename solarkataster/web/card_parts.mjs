// What cards are built of: elements, fields that carry the table's number, rows of a list.
import { direction, number, word } from "./words.mjs";

const SVG = "http://www.w3.org/2000/svg";

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export function drawing(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export const known = (value) => value !== undefined && value !== null && Number.isFinite(value);

export const field = (name, value, text, tag = "span") =>
  element(tag, { "data-field": name, "data-value": String(value) }, text);

/** A row of a list of figures; called: key of its words, if not the column's name. */
export function row(name, value, text, extra = [], called = name) {
  const label = element("dt", {}, word(called));
  const hint = word(`${called}_hint`);
  if (hint) label.append(element("small", {}, hint));
  return [label, element("dd", {}, field(name, value, text), ...extra)];
}

function compass(azimuth) {
  const arrow = drawing("path", { d: "M0 -8 4 6 0 3 -4 6z", transform: `rotate(${azimuth})` });
  const ring = drawing("circle", { r: "9.5" });
  return drawing("svg", { class: "compass", viewBox: "-11 -11 22 22", "aria-hidden": "true" }, ring, arrow);
}

export function facing(feature) {
  const azimuth = feature.surface_azimuth;
  if (!known(azimuth)) return row("surface_azimuth", "", word("level"));
  const text = `${direction(azimuth)} (${number(azimuth)}°)`;
  return row("surface_azimuth", azimuth, text, [compass(azimuth)]);
}
