// The card of one roof, wall or building. Each number sits in an element with data-field (the column's
// name) and data-value (the number as it is in the table), so that it can be checked.
import { direction, number, percent, towards, word } from "./words.mjs";
import { facing, field, element, drawing, known, row } from "./card_parts.mjs";
import { scenarios, storeyTable, wallDetails, wallList, wallRows } from "./card_wall.mjs";
import { figures, remarks } from "./remarks.mjs";

const MONTHS = Array.from({ length: 12 }, (_, month) => String(month + 1).padStart(2, "0"));
const PARTS = [
  ["direct", "poa_direct_year_kwh_m2"],
  ["sky", "poa_sky_diffuse_year_kwh_m2"],
  ["ground", "poa_ground_diffuse_year_kwh_m2"],
];

function rows(feature, isRoof) {
  const made = [];
  const kind = word("kinds")[feature.kind];
  if (kind) made.push(...row("kind", feature.kind, kind));
  if (isRoof && known(feature.surface_tilt)) {
    made.push(...row("surface_tilt", feature.surface_tilt, `${number(feature.surface_tilt)}°`));
    made.push(...facing(feature));
  }
  if (known(feature.area_m2)) made.push(...row("area_m2", feature.area_m2, `${number(feature.area_m2)} m²`));
  if (known(feature.height_m)) made.push(...row("height_m", feature.height_m, `${number(feature.height_m, 1)} m`));
  if (known(feature.overhang_m)) made.push(...row("overhang_m", feature.overhang_m, `${number(feature.overhang_m, 1)} m`));
  if (known(feature.n_roofs)) made.push(...row("n_roofs", feature.n_roofs, number(feature.n_roofs)));
  for (const name of ["shading_loss_fraction", "sky_view_factor"]) {
    if (known(feature[name])) made.push(...row(name, feature[name], percent(feature[name])));
  }
  return element("dl", { class: "numbers" }, ...made);
}

/** How the modules stand: parallel to the roof, or on racks that face one way or two. */
function mounting(feature) {
  const { surface_tilt: roof, module_tilt: tilt, module_azimuth: azimuth } = feature;
  if (!(feature.n_modules > 0) || !known(roof) || !known(tilt)) return "";
  if (Math.abs(tilt - roof) < 0.5) return word(roof < 3 ? "flushFlat" : "flush");
  return word("racked")(number(tilt), known(azimuth) ? towards(azimuth) : word("twoWays"));
}

/** What fits on a roof or building, and why no more; chosen: the one module that was clicked. */
function modules(feature, chosen) {
  if (!known(feature.n_modules)) return [];
  const [label, count] = row("n_modules", feature.n_modules, number(feature.n_modules));
  const how = mounting(feature);
  if (how) label.append(element("small", {}, field("mounting", feature.module_tilt, how)));
  const made = [label, count];
  if (feature.n_modules > 0) made.push(...row("dc_power_kwp", feature.dc_power_kwp, `${number(feature.dc_power_kwp, 1)} kWp`));
  if (known(feature.usable_area_m2)) made.push(...row("usable_area_m2", feature.usable_area_m2, `${number(feature.usable_area_m2)} m²`));
  const light = chosen?.poa_global_year_kwh_m2;
  if (known(light)) made.push(...row("chosen_module", light, `${number(light)} kWh/m²`));
  const why = remarkList(feature, "reason", feature.n_modules > 0 ? "reasonWithModules" : "reasonNoModules");
  return [element("h3", {}, word("modules")), element("dl", { class: "numbers" }, ...made), ...why];
}

function headline(feature, colourOf) {
  const year = feature.poa_global_year_kwh_m2;
  const big = element("p", { class: "big" });
  const chip = element("span", { class: "chip", "aria-hidden": "true" });
  chip.style.background = colourOf(year);
  big.append(chip, field("poa_global_year_kwh_m2", year, number(year), "strong"), " ", element("span", { class: "unit" }, word("perYear")));
  const made = [big];
  if (known(feature.poa_global_year_kwh) && known(feature.area_m2)) {
    const sum = field("poa_global_year_kwh", feature.poa_global_year_kwh, number(feature.poa_global_year_kwh));
    made.push(element("p", { class: "sum" }, ...word("sumOn")(sum, number(feature.area_m2))));
  }
  return made;
}

function parts(feature) {
  const year = feature.poa_global_year_kwh_m2;
  const shown = PARTS.filter(([, name]) => known(feature[name]));
  if (!shown.length || !(year > 0)) return [];
  const bar = element("div", { class: "stack", "aria-hidden": "true" });
  const list = element("ul", { class: "parts" });
  for (const [kind, name] of shown) {
    const piece = element("span", { class: kind });
    piece.style.flexGrow = String(Math.max(0, feature[name]));
    bar.append(piece);
    const share = element("span", { class: "share", "data-share": name }, percent(feature[name] / year));
    const amount = field(name, feature[name], number(feature[name]), "small");
    list.append(element("li", {}, element("i", { class: kind }), word(kind), amount, share));
  }
  return [element("h3", {}, word("parts")), bar, list];
}

function months(feature) {
  const values = MONTHS.map((month) => feature[`poa_global_${month}_kwh_m2`]);
  if (!values.every(known)) return [];
  const top = Math.max(...values, 1);
  const height = 78;
  const chart = drawing("svg", { class: "months", viewBox: "0 0 300 112", role: "img", "aria-label": `${word("months")}, ${word("monthsUnit")}` });
  values.forEach((value, i) => {
    const bar = Math.max(0.5, (Math.max(0, value) / top) * height);
    const x = i * 25 + 2.5;
    const name = `poa_global_${MONTHS[i]}_kwh_m2`;
    const title = drawing("title", {}, `${word("monthNames")[i]}: ${number(value)} kWh/m²`);
    chart.append(
      drawing("g", { "data-field": name, "data-value": String(value) }, title,
        drawing("rect", { x, y: 14 + height - bar, width: 20, height: bar, rx: 1.5 }),
        drawing("text", { class: "value", x: x + 10, y: 10 + height - bar }, number(value))),
      drawing("text", { x: x + 10, y: 107 }, word("monthNames")[i][0]),
    );
  });
  return [element("h3", {}, word("months"), " ", element("small", {}, word("monthsUnit"))), chart];
}

const MONUMENT = "monument: needs a permit";

/** Remarks of a column; a building that is a monument says so even if no plane was left out for it. */
function remarkList(feature, name, title = name) {
  const text = feature[name] ?? "";
  const all = name === "reason" && feature.monument && !text.includes(MONUMENT) ? [text, MONUMENT].filter(Boolean).join("; ") : text;
  const [found, fit] = [remarks(all), figures(all)];
  if (!found.length && !fit) return [];
  const list = element("ul", { "data-field": name, "data-value": text }, ...found.map((one) => element("li", {}, one)));
  if (fit) list.append(element("li", { class: "fit" }, fit));
  return [element("h3", {}, word(title)), list];
}

function roofList(roofs, colourOf, onRoof) {
  if (!roofs.length) return [];
  const list = element("ul", { class: "roofs" });
  for (const roof of roofs) {
    const chip = element("span", { class: "chip", "aria-hidden": "true" });
    chip.style.background = colourOf(roof.poa_global_year_kwh_m2);
    const place = known(roof.surface_azimuth) ? `${direction(roof.surface_azimuth)}, ${number(roof.surface_tilt)}°` : word("flat");
    const year = known(roof.poa_global_year_kwh_m2) ? `${number(roof.poa_global_year_kwh_m2)} kWh/m²` : word("noValue");
    const button = element("button", { type: "button", "data-roof": roof.roof_id }, chip, element("span", {}, place), element("b", {}, year));
    button.addEventListener("click", () => onRoof(roof));
    list.append(element("li", {}, button));
  }
  return [element("h3", {}, word("roofsOfBuilding")), list];
}

/** What a feature with a value says between its headline and its months. */
function middle(kind, { feature, module, storeys }, wallColourOf) {
  if (kind !== "facade") return [...modules(feature, module), rows(feature, kind === "roof")];
  return [wallRows(feature), ...storeyTable(storeys, wallColourOf), ...scenarios(feature), ...wallDetails(feature)];
}

/**
 * Fill the card with one feature.
 *
 * choice: {kind: "roof" | "facade" | "building", feature, roofs, facades, storeys, module};
 * actions: {close, building, roof, facade, colourOf, wallColourOf}.
 */
export function fillCard(card, choice, actions) {
  const { kind, feature } = choice;
  const colourOf = kind === "facade" ? actions.wallColourOf : actions.colourOf;
  const close = element("button", { type: "button", class: "close", "aria-label": word("close") }, "×");
  close.addEventListener("click", actions.close);
  const id = `${kind}_id`;
  const title = element("h2", { id: "card-title" }, word(kind));
  const head = element("header", {}, element("div", {}, title, field(id, feature[id], feature[id], "p")), close);
  const body = element("div", { class: "body", tabindex: "0" });
  if (known(feature.poa_global_year_kwh_m2)) {
    body.append(...headline(feature, colourOf), ...middle(kind, choice, actions.wallColourOf));
    body.append(...months(feature), ...parts(feature), ...remarkList(feature, "data_quality"));
  } else {
    const why = remarkList(feature, "reason");
    body.append(element("p", { class: "big none" }, element("strong", {}, word("noValue"))));
    body.append(...(why.length ? why : [element("p", {}, word("noReason"))]));
    const list = kind === "facade" ? wallRows(feature) : rows(feature, kind === "roof");
    body.append(...remarkList(feature, "data_quality"), list);
  }
  if (kind !== "building") {
    const whole = element("button", { type: "button", class: "whole" }, word("wholeBuilding"));
    whole.addEventListener("click", () => actions.building(feature.building_id));
    body.append(whole);
  } else {
    body.append(...roofList(choice.roofs, actions.colourOf, actions.roof));
    body.append(...wallList(choice.facades ?? [], actions.wallColourOf, actions.facade));
  }
  card.replaceChildren(head, body);
  card.dataset.kind = kind;
  card.dataset.id = feature[id];
}
