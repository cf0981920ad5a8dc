// Colours of classes and of irradiation, and the legends that tell them.
import { element } from "./card_parts.mjs";
import { number, word } from "./words.mjs";

const NONE = "#b7bcc4";
const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** Colour of a yearly irradiation, the same mixing as in the raster tiles. */
export function lightColour(year, stops) {
  if (!Number.isFinite(year)) return NONE;
  const value = Math.min(Math.max(year, stops[0][0]), stops.at(-1)[0]);
  const above = Math.max(1, stops.findIndex(([stop]) => stop >= value));
  const [[low, from], [high, to]] = [stops[above - 1], stops[above]];
  const share = (value - low) / (high - low);
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((channel, i) => Math.round(channel + (b[i] - channel) * share)).join(" ")})`;
}

/** A small square in the colour of a class or of a light; hatched without either. */
export function chip(colour) {
  const made = element("span", { class: colour ? "chip" : "chip none", "aria-hidden": "true" });
  if (colour) made.style.background = colour;
  return made;
}

export function drawRamp(legend, stops) {
  const [low, high] = [stops[0][0], stops.at(-1)[0]];
  const at = (value) => ((value - low) / (high - low)) * 100;
  const ramp = legend.querySelector(".ramp");
  ramp.style.background = `linear-gradient(to right, ${stops.map(([value, colour]) => `${colour} ${at(value)}%`).join(", ")})`;
  ramp.setAttribute("aria-label", word("legendLabel")(number(low), number(high)));
  const ticks = stops.filter((_, i) => i % 2 === 0).map(([value]) => {
    const tick = element("span", {}, value === low ? `≤ ${number(value)}` : value === high ? `≥ ${number(value)}` : number(value));
    tick.style.left = `${at(value)}%`;
    return tick;
  });
  legend.querySelector(".ticks").replaceChildren(...ticks);
}

const percents = (value) => `${number(value * 100, Number.isInteger(Math.round(value * 1000) / 10) ? 0 : 1)} %`;

/** Where the classes begin: a line each, the best first. */
export function drawClasses(legend, page) {
  const { roofs, walls } = page.rating.classes;
  const kinds = [["classRoofs", roofs], ["classWalls", page.n_facades ? walls : null]].filter(([, one]) => one?.from_kwh_m2);
  const isShare = kinds.length > 0 && kinds.every(([, one]) => one.is_share);
  const head = ["classColumn", ...(isShare ? ["classShare"] : []), ...kinds.map(([key]) => key)];
  const lines = Object.entries(page.class_colours).map(([name, colour], i) => {
    const label = element("th", { scope: "row" }, chip(colour), word("classes")[name]);
    const from = 3 - i;
    // The worst class begins at nothing.
    const cells = from < 0 ? [] : kinds.map(([, one]) => number(one.from_kwh_m2[from]));
    if (isShare && from >= 0) cells.unshift(percents(kinds[0][1].from_kwh_m2[from] / kinds[0][1].best_open_kwh_m2));
    const below = from < 0 && kinds.length ? [element("td", { colspan: String(head.length - 1) }, word("below"))] : [];
    return element("tr", { "data-class": name }, label, ...cells.map((text) => element("td", {}, text)), ...below);
  });
  const hint = legend.querySelector(".hint");
  hint.textContent = isShare ? word("classShareHint") : "";
  legend.querySelector("thead").replaceChildren(element("tr", {}, ...head.map((key) => element("th", { scope: "col" }, word(key)))));
  legend.querySelector("tbody").replaceChildren(...lines);
}
