// What the cards say of walls: figures, storeys with balcony plants, shares of the wall.
import { direction, number, percent, word } from "./words.mjs";
import { chip } from "./colours.mjs";
import { element, facing, field, known, row } from "./card_parts.mjs";

const SHARES = ["poa_global_year_usable_kwh", "poa_global_year_half_kwh", "poa_global_year_quarter_kwh"];

/** A class of the tables, which are German, in the language of the page. */
const className = (name) => word("classes")[name] ?? name;

/** The first figures of a wall: where it faces, how large it is. */
export function wallRows(feature) {
  const made = [];
  const [low, high] = [feature.poa_global_year_low_kwh_m2, feature.poa_global_year_high_kwh_m2];
  if (known(low) && known(high) && high - low >= 1) {
    made.push(...row("poa_global_year_low_kwh_m2", low, `${number(low)} – ${number(high)} kWh/m²`, [], "wallRange"));
  }
  made.push(...facing(feature), ...measure(feature, "area_m2", "m²", "wallArea"));
  if (known(feature.poa_global_year_kwh_m2)) {
    made.push(...measure(feature, "usable_area_m2", "m²", "wallUsable"));
    if (feature.hidden_area_m2 >= 0.5) made.push(...measure(feature, "hidden_area_m2", "m²"));
  }
  return element("dl", { class: "numbers" }, ...made);
}

const measure = (feature, name, unit, called = name) =>
  known(feature[name]) ? row(name, feature[name], `${number(feature[name], unit === "m" ? 1 : 0)} ${unit}`, [], called) : [];

/** Its other figures. */
export function wallDetails(feature) {
  const made = [["length_m"], ["height_m", "wallHeight"], ["overhang_m", "wallOverhang"]].flatMap(([name, called]) => measure(feature, name, "m", called));
  if (feature.is_courtyard) made.push(...row("is_courtyard", true, word("yes")));
  if (known(feature.shading_loss_fraction)) made.push(...row("shading_loss_fraction", feature.shading_loss_fraction, percent(feature.shading_loss_fraction)));
  if (known(feature.sky_view_factor)) made.push(...row("sky_view_factor", feature.sky_view_factor, percent(feature.sky_view_factor), [], "wallSky"));
  return [element("h3", {}, word("wallDetails")), element("dl", { class: "numbers" }, ...made)];
}

/** One line per storey that has a value: its light, and what a balcony plant there would yield. */
export function storeyTable(storeys, colourOf) {
  const shown = storeys.filter((one) => known(one.poa_global_year_kwh_m2));
  if (!shown.length) return [];
  const head = ["storey", "storeyLight", "storeyUpright", "storeyTilted", "storeyClass"].map((key) => element("th", { scope: "col" }, word(key)));
  const cell = (one, name) => element("td", {}, known(one[name]) ? field(name, one[name], number(one[name])) : "–");
  const lines = shown.reverse().map((one) => {
    return element("tr", { "data-storey": one.storey },
      element("th", { scope: "row" }, chip(colourOf(one.poa_global_year_kwh_m2)), word("storeyName")(one.storey)),
      cell(one, "poa_global_year_kwh_m2"), cell(one, "balcony_upright_kwh"), cell(one, "balcony_tilted_kwh"),
      element("td", { class: "class" }, one.balcony_class ? field("balcony_class", one.balcony_class, className(one.balcony_class)) : "–"));
  });
  const table = element("table", { class: "storeys" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...lines));
  return [element("h3", {}, word("storeys")), table, element("p", { class: "note" }, word("storeysNote"))];
}

/** Light on the parts of a wall that one may think of using. */
export function scenarios(feature) {
  const shown = SHARES.filter((name) => known(feature[name]));
  if (!shown.length) return [];
  const made = shown.flatMap((name) => row(name, feature[name], `${number(feature[name])} kWh`));
  return [element("h3", {}, word("wallShares")), element("dl", { class: "numbers" }, ...made)];
}

export function wallList(facades, colourOf, onWall) {
  if (!facades.length) return [];
  const list = element("ul", { class: "roofs" });
  for (const facade of facades) {
    const place = `${direction(facade.surface_azimuth)}, ${number(facade.area_m2)} m²`;
    const year = known(facade.poa_global_year_kwh_m2) ? `${number(facade.poa_global_year_kwh_m2)} kWh/m²` : word("noValue");
    const button = element("button", { type: "button", "data-facade": facade.facade_id }, chip(colourOf(facade)), element("span", {}, place), element("b", {}, facade.suitability ? className(facade.suitability) : year));
    button.addEventListener("click", () => onWall(facade));
    list.append(element("li", {}, button));
  }
  return [element("h3", {}, word("facadesOfBuilding")), list];
}
