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

const MONTHS = Array.from({ length: 12 }, (_, month) => String(month + 1).padStart(2, "0"));

const WIDEST = 9999.5;
/** Four digits fit over a bar, so they bear no separator. */
const overBar = (value, digits) => (digits ? number(value, digits) : String(Math.round(value)));

/**
 * Bars of the months with their numbers; nothing if a month is unknown.
 *
 * words: title, unit of the months and, for large numbers, that of a thousand times as much.
 */
export function monthChart(feature, columnOf, { title, months, large, unit }) {
  const values = MONTHS.map((month) => feature[columnOf(month)]);
  if (!values.every(known)) return [];
  const top = Math.max(...values, 1);
  const isLarge = large && top >= WIDEST;
  const [scale, digits, said] = isLarge ? [1000, 1, word(large)] : [1, 0, word(months)];
  const height = 78;
  const told = values.map((value, i) => `${word("monthNames")[i]} ${number(value / scale, digits)}`).join(", ");
  const chart = drawing("svg", { class: !isLarge && top >= 999.5 ? "months narrow" : "months", viewBox: "0 0 300 112", role: "img", "aria-label": `${word(title)}, ${said}: ${told}` });
  values.forEach((value, i) => {
    const bar = Math.max(0.5, (Math.max(0, value) / top) * height);
    const x = i * 25 + 2.5;
    const hover = drawing("title", {}, `${word("monthNames")[i]}: ${number(value)} ${unit}`);
    chart.append(
      drawing("g", { "data-field": columnOf(MONTHS[i]), "data-value": String(value) }, hover,
        drawing("rect", { x, y: 14 + height - bar, width: 20, height: bar, rx: 1.5 }),
        drawing("text", { class: "value", x: x + 10, y: 10 + height - bar }, overBar(value / scale, digits))),
      drawing("text", { x: x + 10, y: 107 }, word("monthNames")[i][0]),
    );
  });
  return [element("h3", {}, word(title), " ", element("small", {}, said)), chart];
}
