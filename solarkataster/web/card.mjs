// The card of one roof, wall or building. Each number sits in an element with data-field (the column's
// name) and data-value (the number as it is in the table), so that it can be checked.
import { direction, number, percent, towards, word } from "./words.mjs";
import { facing, field, element, known, monthChart, row } from "./card_parts.mjs";
import { scenarios, storeyTable, wallDetails, wallList, wallRows } from "./card_wall.mjs";
import { besideOf, classOf, dutyOf, moneyOf, ownUseOf, parkingBody, plantRows, useRows, yieldOf } from "./card_yield.mjs";
import { chip } from "./colours.mjs";
import { figures, remarks } from "./remarks.mjs";

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

/** What fits on a surface and what the plant costs and saves; chosen: the module that was clicked. */
function modules(kind, feature, chosen, page) {
  if (!known(feature.n_modules)) return [];
  // The price of a building's plant stands with its money.
  const plant = [...plantRows(feature, page, kind !== "building"), ...(kind === "roof" ? useRows(feature) : [])];
  if (kind === "facade" && !feature.n_modules) return [];
  const [label, count] = row("n_modules", feature.n_modules, number(feature.n_modules));
  const how = kind === "roof" ? mounting(feature) : "";
  if (how) label.append(element("small", {}, field("mounting", feature.module_tilt, how)));
  const made = [label, count];
  if (feature.n_modules > 0) made.push(...row("dc_power_kwp", feature.dc_power_kwp, `${number(feature.dc_power_kwp, 1)} kWp`));
  if (kind !== "facade" && known(feature.usable_area_m2)) made.push(...row("usable_area_m2", feature.usable_area_m2, `${number(feature.usable_area_m2)} m²`));
  const light = chosen?.poa_global_year_kwh_m2;
  if (known(light)) made.push(...row("chosen_module", light, `${number(light)} kWh/m²`));
  // A rating says itself why there is no yield.
  const isSilent = feature.n_modules > 0 && !known(feature.yield_year_kwh) && !page.rating;
  const missing = isSilent ? [element("p", { class: "note" }, word("noYield"))] : [];
  return [element("h3", {}, word("modules")), element("dl", { class: "numbers" }, ...made, ...plant), ...missing];
}

function headline(feature, colour) {
  const year = feature.poa_global_year_kwh_m2;
  const big = element("p", { class: "big" });
  big.append(chip(colour), field("poa_global_year_kwh_m2", year, number(year), "strong"), " ", element("span", { class: "unit" }, word("perYear")));
  const made = [element("h3", {}, word("lightOf")), big];
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

const months = (feature) => monthChart(feature, (month) => `poa_global_${month}_kwh_m2`, { title: "months", months: "monthsUnit", unit: "kWh/m²" });

/** Remarks on the data. */
function quality(feature) {
  const text = feature.data_quality ?? "";
  const [found, fit] = [remarks(text), figures(text)];
  if (!found.length && !fit) return [];
  const list = element("ul", { "data-field": "data_quality", "data-value": text }, ...found.map((one) => element("li", {}, one)));
  if (fit) list.append(element("li", { class: "fit" }, fit));
  return [element("h3", {}, word("data_quality")), list];
}

function roofList(roofs, colourOf, onRoof) {
  if (!roofs.length) return [];
  const list = element("ul", { class: "roofs" });
  for (const roof of roofs) {
    const place = known(roof.surface_azimuth) ? `${direction(roof.surface_azimuth)}, ${number(roof.surface_tilt)}°` : word("flat");
    const year = known(roof.poa_global_year_kwh_m2) ? `${number(roof.poa_global_year_kwh_m2)} kWh/m²` : word("noValue");
    const told = roof.suitability ? word("classes")[roof.suitability] ?? roof.suitability : year;
    const button = element("button", { type: "button", "data-roof": roof.roof_id }, chip(colourOf(roof)), element("span", {}, place), element("b", {}, told));
    button.addEventListener("click", () => onRoof(roof));
    list.append(element("li", {}, button));
  }
  return [element("h3", {}, word("roofsOfBuilding")), list];
}

/** Of a feature with light: the answer first, then electricity and money, then light and size. */
function rated(kind, choice, actions) {
  const { feature, module, storeys } = choice;
  const { page } = actions;
  const made = [...classOf(feature, page), ...yieldOf(feature)];
  if (kind === "building") made.push(...moneyOf(feature, page), ...ownUseOf(feature, page));
  made.push(...modules(kind, feature, module, page));
  if (kind === "building") made.push(...besideOf(feature), ...dutyOf(feature));
  const light = headline(feature, actions.lightColour(feature, kind));
  const size = kind === "facade" ? [wallRows(feature)] : [rows(feature, kind === "roof")];
  if (kind === "facade") size.push(...storeyTable(storeys, (year) => actions.lightColour({ poa_global_year_kwh_m2: year }, kind)), ...scenarios(feature), ...wallDetails(feature));
  const details = [...months(feature), ...parts(feature), ...quality(feature)];
  return [...made, ...light, ...size, ...details];
}

function withoutLight(kind, feature, page) {
  const why = classOf(feature, { ...page, rating: null });
  const list = kind === "facade" ? wallRows(feature) : rows(feature, kind === "roof");
  return [
    element("p", { class: "big none" }, element("strong", {}, word("noValue"))),
    ...(why.length ? why : [element("p", {}, word("noReason"))]),
    ...quality(feature),
    list,
    ...(kind === "building" ? dutyOf(feature) : []),
  ];
}

function header(kind, feature, close) {
  const id = `${kind}_id`;
  const button = element("button", { type: "button", class: "close", "aria-label": word("close") }, "×");
  button.addEventListener("click", close);
  const title = element("h2", { id: "card-title" }, kind === "parking" && feature.name ? feature.name : word(kind));
  return element("header", {}, element("div", {}, title, field(id, feature[id], feature[id], "p")), button);
}

/**
 * Fill the card with one feature.
 *
 * choice: {kind: "roof" | "facade" | "building" | "parking", feature, roofs, facades, storeys, module};
 * actions: {page, close, building, roof, facade, colourOf(feature, kind), lightColour(feature, kind)}.
 */
export function fillCard(card, choice, actions) {
  const { kind, feature } = choice;
  const body = element("div", { class: "body", tabindex: "0" });
  if (kind === "parking") body.append(...parkingBody(feature, actions.page));
  else if (known(feature.poa_global_year_kwh_m2)) body.append(...rated(kind, choice, actions));
  else body.append(...withoutLight(kind, feature, actions.page));
  if (kind === "building") {
    body.append(...roofList(choice.roofs, (roof) => actions.colourOf(roof, "roof"), actions.roof));
    body.append(...wallList(choice.facades ?? [], (wall) => actions.colourOf(wall, "facade"), actions.facade));
  } else if (kind !== "parking") {
    const whole = element("button", { type: "button", class: "whole" }, word("wholeBuilding"));
    whole.addEventListener("click", () => actions.building(feature.building_id));
    body.append(whole);
  }
  card.replaceChildren(header(kind, feature, actions.close), body);
  card.dataset.kind = kind;
  card.dataset.id = feature[`${kind}_id`];
}
