// Every sentence of the page, in German and English, and the numbers as each language writes them.

export const WORDS = {
  de: {
    kicker: "Solarkataster",
    map: "Karte der Dächer. Mit den Pfeiltasten verschieben, mit + und − zoomen, mit der Eingabetaste das Dach in der Mitte wählen.",
    lead: "Wie viel Sonnenlicht fällt auf die Dächer? Klicken Sie auf ein Dach, um seine Zahlen zu sehen.",
    legendTitle: "Sonnenlicht auf der Dachfläche",
    legendUnit: "in kWh/m² pro Jahr",
    legendLabel: (low, high) => `Farbskala von dunkelblau, ${low} und weniger, bis gelb, ${high} Kilowattstunden je Quadratmeter und Jahr und mehr`,
    lessLight: "weniger Licht",
    moreLight: "mehr Licht",
    noValueLegend: "kein Wert – ein Klick nennt den Grund",
    noPlaneLegend: "Gebäudeteil ohne erkannte Dachfläche",
    moduleLegend: "Solarmodul",
    superstructureLegend: "Dachaufbau",
    more: "Ebenen, 3D und Quellen",
    layers: "Ebenen",
    layerRoofs: "Dächer",
    layerBuildings: "Gebäude",
    layerRaster: "Einstrahlungsraster",
    layerModules: "Solarmodule",
    layerSuperstructures: "Dachaufbauten",
    onlyNear: "(beim Heranzoomen)",
    only2d: "(nur in 2D)",
    view: "Ansicht",
    view3d: "3D-Ansicht",
    view2d: "2D-Ansicht",
    overview: "Ganzes Gebiet",
    about: "Über diese Karte",
    aboutLight: "Die Karte zeigt, wie viel Licht der Sonne und des Himmels im Laufe eines Jahres auf jede Dachfläche fällt. Das ist Licht, kein Strom: Wie viel Strom eine Anlage daraus macht, hängt von Modulen und Technik ab. Die eingezeichneten Solarmodule sind ein Vorschlag, wie viele auf das Dach passen.",
    aboutMethod: "Berechnet aus einem Höhenmodell mit Häusern und Bäumen, den Gebäudeumrissen und einem Wetterdatensatz. Schatten von Nachbarhäusern, Bäumen und Hügeln ist berücksichtigt, soweit das Höhenmodell sie enthält.",
    aboutLimits: "Die Zahlen sind eine Rechnung, keine Messung, und ersetzen keine Planung vor Ort. Was nach der Aufnahme des Höhenmodells gebaut, gepflanzt oder gefällt wurde, fehlt.",
    counts: "Umfang",
    countsValue: (roofs, buildings) => `${roofs} Dachflächen auf ${buildings} Gebäuden`,
    surface_model_date: "Stand Höhenmodell",
    footprint_date: "Stand Gebäudeumrisse",
    weather: "Wetter",
    sources: "Quellen",
    version: "Software",
    roof: "Dachfläche",
    building: "Gebäude",
    close: "Schließen",
    perYear: "kWh/m² pro Jahr",
    sumOn: (sum, area) => [`Zusammen `, sum, ` kWh Licht im Jahr auf `, area, ` m²`],
    kind: "Art",
    kinds: { dormer: "Gaube" },
    modules: "Platz für Solarmodule",
    usable_area_m2: "Nutzbare Fläche",
    usable_area_m2_hint: "ohne Ränder, Aufbauten und zu dunkle Teile",
    n_modules: "Module",
    dc_power_kwp: "Leistung",
    dc_power_kwp_hint: "Nennleistung der Module (Kilowatt Peak)",
    chosen_module: "Angeklicktes Modul",
    chosen_module_hint: "Sonnenlicht auf dieses Modul im Jahr",
    flush: "parallel zum Dach",
    flushFlat: "flach auf dem Dach liegend",
    racked: (tilt, towards) => `aufgeständert, ${tilt}° nach ${towards}`,
    twoWays: "zwei Seiten (Ost-West)",
    surface_tilt: "Neigung",
    surface_azimuth: "Ausrichtung",
    level: "keine (flach)",
    flat: "flach",
    area_m2: "Dachfläche",
    height_m: "Höhe",
    overhang_m: "Dachüberstand",
    overhang_m_hint: "im Mittel über die Außenwände hinaus",
    n_roofs: "Dachflächen mit Wert",
    sky_view_factor: "Sichtbarer Himmel",
    sky_view_factor_hint: "Sky-View-Faktor; ein freies Flachdach hat 100 %",
    shading_loss_fraction: "Verlust durch Schatten",
    shading_loss_fraction_hint: "gegenüber derselben Fläche in freier Lage",
    parts: "Woher das Licht kommt",
    direct: "direkt von der Sonne",
    sky: "vom Himmel",
    ground: "vom Boden reflektiert",
    months: "Licht im Jahreslauf",
    monthsUnit: "kWh/m² je Monat",
    monthNames: ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"],
    towards: ["Norden", "Nordosten", "Osten", "Südosten", "Süden", "Südwesten", "Westen", "Nordwesten"],
    directions: ["Nord", "Nordost", "Ost", "Südost", "Süd", "Südwest", "West", "Nordwest"],
    noValue: "Kein Wert",
    noReason: "Ein Grund ist nicht angegeben.",
    reason: "Warum es keinen Wert gibt",
    reasonNoModules: "Warum hier keine Module liegen",
    reasonWithModules: "Zu beachten",
    data_quality: "Genauigkeit der Daten",
    wholeBuilding: "Ganzes Gebäude zeigen",
    roofsOfBuilding: "Dachflächen dieses Gebäudes",
    nothingHere: "Hier ist kein Gebäude.",
    failed: "Die Karte konnte nicht geladen werden.",
    serveHint: "Sie braucht einen Webserver mit Byte-Bereichen, zum Beispiel: solarkataster serve ORDNER",
    zoomIn: "Vergrößern",
    zoomOut: "Verkleinern",
    north: "Nach Norden ausrichten",
  },
  en: {
    kicker: "Solar cadastre",
    map: "Map of roofs. Arrow keys move it, + and − zoom, Enter selects the roof in the middle.",
    lead: "How much sunlight reaches the roofs? Click on a roof to see its figures.",
    legendTitle: "Sunlight on the roof surface",
    legendUnit: "in kWh/m² per year",
    legendLabel: (low, high) => `Colour scale from dark blue, ${low} and less, to yellow, ${high} kilowatt hours per square metre and year and more`,
    lessLight: "less light",
    moreLight: "more light",
    noValueLegend: "no value – click for the reason",
    noPlaneLegend: "part of a building without a roof surface found",
    moduleLegend: "solar module",
    superstructureLegend: "roof structure",
    more: "Layers, 3D and sources",
    layers: "Layers",
    layerRoofs: "Roofs",
    layerBuildings: "Buildings",
    layerRaster: "Irradiation raster",
    layerModules: "Solar modules",
    layerSuperstructures: "Roof structures",
    onlyNear: "(when zoomed in)",
    only2d: "(2D only)",
    view: "View",
    view3d: "3D view",
    view2d: "2D view",
    overview: "Whole area",
    about: "About this map",
    aboutLight: "The map shows how much light of the sun and the sky falls on each roof surface over a year. This is light, not electricity: how much power a system makes of it depends on modules and technology.",
    aboutMethod: "Computed from a surface model with houses and trees, building footprints and a weather data set. Shade from neighbouring houses, trees and hills is included as far as the surface model contains them.",
    aboutLimits: "The figures are computed, not measured, and do not replace planning on site. What was built, planted or felled after the surface model was recorded is missing.",
    counts: "Extent",
    countsValue: (roofs, buildings) => `${roofs} roof surfaces on ${buildings} buildings`,
    surface_model_date: "Surface model of",
    footprint_date: "Footprints of",
    weather: "Weather",
    sources: "Sources",
    version: "Software",
    roof: "Roof surface",
    building: "Building",
    close: "Close",
    perYear: "kWh/m² per year",
    sumOn: (sum, area) => [`Altogether `, sum, ` kWh of light a year on `, area, ` m²`],
    kind: "Kind",
    kinds: { dormer: "dormer" },
    modules: "Room for solar modules",
    usable_area_m2: "Usable area",
    usable_area_m2_hint: "without margins, structures and parts too dark",
    n_modules: "Modules",
    dc_power_kwp: "Power",
    dc_power_kwp_hint: "rated power of the modules (kilowatt peak)",
    chosen_module: "Module clicked",
    chosen_module_hint: "sunlight on this module a year",
    flush: "parallel to the roof",
    flushFlat: "lying flat on the roof",
    racked: (tilt, towards) => `on racks, ${tilt}° facing ${towards}`,
    twoWays: "two ways (east-west)",
    surface_tilt: "Tilt",
    surface_azimuth: "Facing",
    level: "none (flat)",
    flat: "flat",
    area_m2: "Roof area",
    height_m: "Height",
    overhang_m: "Eaves",
    overhang_m_hint: "mean depth beyond the outer walls",
    n_roofs: "Roof surfaces with a value",
    sky_view_factor: "Visible sky",
    sky_view_factor_hint: "sky view factor; an open flat roof has 100 %",
    shading_loss_fraction: "Loss by shade",
    shading_loss_fraction_hint: "against the same surface in the open",
    parts: "Where the light comes from",
    direct: "directly from the sun",
    sky: "from the sky",
    ground: "reflected by the ground",
    months: "Light through the year",
    monthsUnit: "kWh/m² per month",
    monthNames: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
    towards: ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"],
    directions: ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"],
    noValue: "No value",
    noReason: "No reason is given.",
    reason: "Why there is no value",
    reasonNoModules: "Why there are no modules here",
    reasonWithModules: "To be considered",
    data_quality: "Accuracy of the data",
    wholeBuilding: "Show the whole building",
    roofsOfBuilding: "Roof surfaces of this building",
    nothingHere: "There is no building here.",
    failed: "The map could not be loaded.",
    serveHint: "It needs a web server with byte ranges, for example: solarkataster serve FOLDER",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    north: "Turn north up",
  },
};

const LOCALES = { de: "de-DE", en: "en-GB" };
let language = new URLSearchParams(location.search).get("lang") === "en" ? "en" : "de";

export const currentLanguage = () => language;

export function setLanguage(next) {
  language = next in WORDS ? next : "de";
  const address = new URL(location.href);
  if (language === "de") address.searchParams.delete("lang");
  else address.searchParams.set("lang", language);
  history.replaceState(null, "", address);
}

export const word = (key) => WORDS[language][key];

export function number(value, digits = 0) {
  const style = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LOCALES[language], style).format(value);
}

/** A date as the language writes it, if it is a whole ISO date; any other text as it is. */
export function date(text) {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return text;
  const style = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
  return new Intl.DateTimeFormat(LOCALES[language], style).format(new Date(`${text}T00:00:00Z`));
}

export const percent = (fraction) => `${number(fraction * 100)} %`;

const eighth = (azimuth) => Math.round((((azimuth % 360) + 360) % 360) / 45) % 8;

/** Name of the nearest of eight directions; azimuth in degrees clockwise from true north. */
export const direction = (azimuth) => word("directions")[eighth(azimuth)];

/** The same as a place to face. */
export const towards = (azimuth) => word("towards")[eighth(azimuth)];

/** Write the current language into every element that names a sentence. */
export function translatePage(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-i18n]")) element.textContent = word(element.dataset.i18n);
  for (const element of root.querySelectorAll("[data-i18n-label]")) element.setAttribute("aria-label", word(element.dataset.i18nLabel));
  for (const button of root.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
}
