// What the cards say of electricity, money, own use, heat and law.
import { element, field, known, monthChart, row } from "./card_parts.mjs";
import { reasonOf, remarks } from "./remarks.mjs";
import { chip } from "./colours.mjs";
import { currentLanguage, date, number, percent, rough, word } from "./words.mjs";

const roughly = (name, value, tag = "span") => field(name, value, rough(value), tag);
const euros = (value) => `${word("about")(rough(value))} €`;
const percents = (fraction) => (known(fraction) ? percent(fraction) : "–");
const note = (...parts) => element("p", { class: "note" }, ...parts);
const numbers = (rows) => (rows.length ? [element("dl", { class: "numbers" }, ...rows)] : []);
const list = (texts, name, value) =>
  texts.length ? [element("ul", { "data-field": name, "data-value": value }, ...texts.map((text) => element("li", {}, text)))] : [];

/** The class and why; what rating did not name has no such line. */
export function classOf(feature, page) {
  const why = reasonOf(feature);
  const name = feature.suitability;
  const made = [];
  if (page.rating) {
    const said = name ? word("classes")[name] ?? name : word("noClass");
    made.push(element("p", { class: "class" }, chip(page.class_colours[name]), element("span", {}, word("suitabilityIs"), " ", field("suitability", name ?? "", said, "strong"))));
  }
  return [...made, ...reasons(why, feature, page)];
}

function reasons(why, feature, page) {
  const found = remarks(why);
  if (!found.length) return [];
  const isRated = Boolean(page.rating && feature.suitability);
  // The sentence of the class is no remark to heed, and needs no heading.
  const items = found.map((one, i) => element("li", i === 0 && isRated ? { class: "fit" } : {}, one));
  const head = isRated ? [] : [element("h3", {}, word(headingOf(feature)))];
  return [...head, element("ul", { "data-field": "reason", "data-value": why }, ...items)];
}

function headingOf(feature) {
  if (!known(feature.poa_global_year_kwh_m2)) return "reason";
  return feature.n_modules > 0 ? "reasonWithModules" : "reasonNoModules";
}

/** Electricity of a year with its band, and the months. */
export function yieldOf(feature) {
  const year = feature.yield_year_kwh;
  if (!known(year)) return [];
  const big = element("p", { class: "big" }, field("yield_year_kwh", year, word("about")(rough(year)), "strong"), " ", element("span", { class: "unit" }, word("yieldUnit")));
  const made = [element("h3", {}, word("yield")), big];
  const low = feature.yield_p90_year_kwh;
  if (known(low)) made.push(element("p", { class: "sum" }, ...word("yieldBand")(roughly("yield_p90_year_kwh", low))));
  const words = { title: "yieldMonths", months: "yieldMonthsUnit", large: "yieldMonthsUnitLarge", unit: "kWh" };
  return [...made, ...monthChart(feature, (month) => `yield_${month}_kwh`, words)];
}

/** Rows of a plant's price, cost of electricity and CO2. */
export function plantRows(feature, page, hasMoney = true) {
  const made = [];
  if (known(feature.specific_yield_kwh_per_kwp)) made.push(...row("specific_yield_kwh_per_kwp", feature.specific_yield_kwh_per_kwp, `${number(feature.specific_yield_kwh_per_kwp)} kWh/kWp`));
  if (known(feature.performance_ratio)) made.push(...row("performance_ratio", feature.performance_ratio, percent(feature.performance_ratio)));
  if (hasMoney) made.push(...costRows(feature));
  const saved = feature.co2_saving_kg_per_year;
  if (known(saved)) {
    const [label, value] = row("co2_saving_kg_per_year", saved, saved >= 1000 ? word("tonnes")(number(saved / 1000, 1)) : `${rough(saved)} kg`);
    if (page.rating?.co2) label.append(element("small", {}, word("co2Method")(page.rating.co2)));
    made.push(label, value);
  }
  return made;
}

function costRows(feature) {
  const made = [];
  if (known(feature.investment_eur)) made.push(...row("investment_eur", feature.investment_eur, euros(feature.investment_eur)));
  if (known(feature.lcoe_eur_per_kwh)) made.push(...row("lcoe_eur_per_kwh", feature.lcoe_eur_per_kwh, `${number(100 * feature.lcoe_eur_per_kwh, 1)} ct/kWh`));
  return made;
}

/** Who gets the square metres of a roof plane, where it is not modules alone. */
export function useRows(feature) {
  const use = word("uses")[feature.surface_use];
  const made = use ? row("surface_use", feature.surface_use, use) : [];
  for (const name of ["collector_area_m2", "green_roof_area_m2"]) {
    if (feature[name] > 0) made.push(...row(name, feature[name], `${number(feature[name], feature[name] < 10 ? 1 : 0)} m²`));
  }
  if (feature.thermal_yield_year_kwh > 0) made.push(...row("thermal_yield_year_kwh", feature.thermal_yield_year_kwh, `${word("about")(rough(feature.thermal_yield_year_kwh))} kWh`));
  return made;
}

const yearsOf = (name, value) => {
  const whole = Math.max(1, Math.round(value));
  return field(name, value, word("years")(whole, number(whole)));
};

/** Does it pay: the best variant in a sentence, its figures, all variants, what is missing. */
export function moneyOf(feature, page) {
  if (!page.rating) return [];
  const head = element("h3", {}, word("money"));
  const missing = list(remarks(feature.money_reason), "money_reason", feature.money_reason ?? "");
  if (feature.demand_source === "given") return [head, note(word("demandGiven")), ...fullFeedIn(feature), ...basis(page)];
  if (!feature.variant) return missing.length ? [head, ...missing] : [];
  const rows = costRows(feature);
  for (const name of ["npv_eur", "npv_p90_eur"]) if (known(feature[name])) rows.push(...row(name, feature[name], euros(feature[name])));
  return [head, answer(feature, page.rating.life_years), ...numbers(rows), ...variants(feature), ...missing, ...basis(page)];
}

function answer(feature, life) {
  const variant = field("variant", feature.variant, word("variants")[feature.variant] ?? feature.variant, "strong");
  const pays = known(feature.payback_years);
  const gains = pays || feature.npv_eur > 0;
  const said = [...word(gains ? "best" : "leastBad")(variant), " "];
  if (!pays) return element("p", { class: "answer" }, ...said, word("paybackNever")(life));
  said.push(...word("payback")(yearsOf("payback_years", feature.payback_years)));
  const bad = feature.payback_p90_years;
  if (known(bad)) said.push(...word("paybackBad")(yearsOf("payback_p90_years", bad)));
  else said.push(word("paybackBadNever")(life));
  return element("p", { class: "answer" }, ...said);
}

const VARIANTS = [
  ["Eigenverbrauch", "npv_self_consumption_eur"],
  ["Eigenverbrauch mit Speicher", "npv_battery_eur"],
  ["Volleinspeisung", "npv_full_feed_in_eur"],
];

function variants(feature) {
  const shown = VARIANTS.filter(([, name]) => known(feature[name]));
  if (shown.length < 2) return [];
  const lines = shown.map(([variant, name]) => {
    const label = element("th", { scope: "row" }, word("variants")[variant]);
    return element("tr", variant === feature.variant ? { class: "chosen" } : {}, label, element("td", {}, field(name, feature[name], euros(feature[name]))));
  });
  const head = element("tr", {}, element("th", { scope: "col" }, word("variantsTitle")), element("th", { scope: "col" }, word("npvShort")));
  return [element("table", { class: "figures" }, element("thead", {}, head), element("tbody", {}, ...lines))];
}

const fullFeedIn = (feature) =>
  known(feature.npv_full_feed_in_eur)
    ? numbers(row("npv_full_feed_in_eur", feature.npv_full_feed_in_eur, euros(feature.npv_full_feed_in_eur)))
    : [];

function basis(page) {
  const { tariffs, commissioning, has_verified_tariffs: isSure, has_verified_prices: arePricesSure } = page.rating;
  const said = [word("tariffs")(tariffs, date(commissioning), isSure)];
  if (!arePricesSure) said.push(word("pricesUnverified"));
  return [note(said.join(" "))];
}

/** Own use with and without battery, of which demand, and how far to trust it. */
export function ownUseOf(feature, page) {
  if (!page.rating || feature.demand_source === "given") return [];
  const missing = list(remarks(feature.demand_reason), "demand_reason", feature.demand_reason ?? "");
  const has = known(feature.self_consumption_fraction);
  if (!has && !missing.length) return [];
  const made = [element("h3", {}, word("own"))];
  if (known(feature.annual_demand_kwh) && feature.annual_demand_kwh > 0) {
    const source = word("demandSources")[feature.demand_source] ?? feature.demand_source;
    const kwh = field("annual_demand_kwh", feature.annual_demand_kwh, word("about")(rough(feature.annual_demand_kwh)));
    made.push(element("p", { class: "sum" }, ...word("demand")(kwh, source)));
  }
  if (has) made.push(ownTable(feature), ...averageNote(feature, page));
  return [...made, ...missing];
}

function ownTable(feature) {
  const hasBattery = known(feature.self_consumption_battery_fraction);
  const head = ["", word("withoutBattery")];
  if (hasBattery) head.push(word("withBattery")(number(feature.battery_kwh, 1)));
  const kwh = (value) => (known(value) ? rough(value) : "–");
  const line = (key, write, ...names) =>
    element("tr", {}, element("th", { scope: "row" }, word(key)),
      ...names.slice(0, hasBattery ? 2 : 1).map((name) => element("td", {}, name ? field(name, feature[name], write(feature[name])) : "–")));
  const lines = [
    line("selfConsumption", percents, "self_consumption_fraction", "self_consumption_battery_fraction"),
    line("autarky", percents, "autarky_fraction", "autarky_battery_fraction"),
    line("feedIn", kwh, "feed_in_kwh", "feed_in_battery_kwh"),
    line("gridDraw", kwh, "grid_draw_kwh", ""),
  ];
  const headline = element("tr", {}, ...head.map((text) => element(text ? "th" : "td", text ? { scope: "col" } : {}, text)));
  return element("table", { class: "figures" }, element("thead", {}, headline), element("tbody", {}, ...lines));
}

function averageNote(feature, page) {
  const profile = feature.load_profile ?? "";
  if (profile === "measured") return [];
  const ofHomes = page.rating.average_profile?.[currentLanguage()];
  return [note(profile.startsWith("H25") && ofHomes ? ofHomes : word("averageOther"))];
}

/** Modules on the walls and collectors on the roofs of a building. */
export function besideOf(feature) {
  const made = [];
  if (known(feature.facade_yield_year_kwh)) {
    const rows = [
      ...row("facade_dc_power_kwp", feature.facade_dc_power_kwp, `${number(feature.facade_dc_power_kwp, 1)} kWp`),
      ...row("facade_yield_year_kwh", feature.facade_yield_year_kwh, `${word("about")(rough(feature.facade_yield_year_kwh))} kWh`),
    ];
    made.push(element("h3", {}, word("walls")), ...numbers(rows), note(word("wallsNote")));
  }
  const rows = useRows({ ...feature, surface_use: "" });
  const [area, heat] = [feature.heat_first_collector_area_m2, feature.heat_first_yield_year_kwh];
  const hasOther = area > 0 && heat > 0 && !(feature.collector_area_m2 >= area);
  if (!rows.length && !hasOther) return made;
  made.push(element("h3", {}, word("heat")), ...numbers(rows));
  if (hasOther) {
    const said = word("heatFirst")(field("heat_first_collector_area_m2", area, number(area, 1)), roughly("heat_first_yield_year_kwh", heat));
    made.push(element("p", { class: "sum" }, ...said));
  }
  return [...made, note(word("heatNote"))];
}

/** What the state's law would ask for. */
export function dutyOf(feature) {
  const answer = feature.solar_duty;
  if (!answer) return [];
  const [, unknown] = /^unbekannt: (.*)$/.exec(answer) ?? [];
  const isGerman = currentLanguage() === "de";
  const said = isGerman ? answer : unknown ? `${word("unknownDuty")}: ` : word("duties")[answer] ?? answer;
  const text = element("p", { class: "answer", "data-field": "solar_duty", "data-value": answer }, said.charAt(0).toUpperCase() + said.slice(1));
  if (!isGerman && unknown) text.append(element("span", { lang: "de" }, unknown));
  const basis = feature.solar_duty_basis ? [element("p", { class: "note", lang: "de" }, field("solar_duty_basis", feature.solar_duty_basis, feature.solar_duty_basis))] : [];
  return [element("h3", {}, word("duty")), text, ...basis, note(word("dutyNote"))];
}

/** Everything of a car park. */
export function parkingBody(feature, page) {
  const spaces = known(feature.n_spaces) ? row("n_spaces", feature.n_spaces, number(feature.n_spaces)) : [];
  const source = word("spacesSources")[feature.n_spaces_source] ?? feature.n_spaces_source;
  if (spaces.length && source) spaces[0].append(element("small", {}, source));
  const areas = [["area_m2", "parkingArea"], ["canopy_area_m2", "canopy_area_m2"]].flatMap(([name, called]) =>
    known(feature[name]) ? row(name, feature[name], `${word("about")(rough(feature[name]))} m²`, [], called) : []);
  const power = known(feature.dc_power_kwp) ? row("dc_power_kwp", feature.dc_power_kwp, `${word("about")(rough(feature.dc_power_kwp))} kWp`) : [];
  const year = known(feature.yield_year_kwh) ? row("yield_year_kwh", feature.yield_year_kwh, `${word("about")(rough(feature.yield_year_kwh))} kWh`, [], "parkingYield") : [];
  return [...numbers([...spaces, ...areas, ...power, ...year]), ...dutyOf(feature), ...list(remarks(feature.reason), "reason", feature.reason ?? "")];
}
