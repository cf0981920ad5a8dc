// The page: loads map.json, draws the map, answers clicks and buttons.
import { Map as GlMap, NavigationControl, ScaleControl, addProtocol } from "./vendor/maplibre-gl.mjs";
import { fillCard } from "./card.mjs";
import { drawClasses, drawRamp, lightColour } from "./colours.mjs";
import { MODULES_PICKED, PICKED, hatch, mapStyle, recoloured, visibleLayers } from "./layers.mjs";
import { date, number, setLanguage, translatePage, word } from "./words.mjs";

const PITCH_3D = 55;
const TOUCH_PX = 5;
const RASTER_ZOOM = 13;
const seen = { roofs: true, buildings: true, facades: true, modules: true, superstructures: true, parking: true, raster: false, solid: false };
// What the colours show: "class" or "light".
let mode = "light";
const byId = (id) => document.getElementById(id);
const isPhone = () => matchMedia("(max-width: 720px)").matches;
const card = byId("card");
let page;
let map;
let chosen = null;
let marked = { selected: null, hovered: null };

function say(text) {
  const message = byId("message");
  message.hidden = !text;
  message.textContent = text;
  clearTimeout(say.timer);
  if (text) say.timer = setTimeout(() => say(""), 4000);
}

function fail(error) {
  console.error(error);
  byId("message").classList.add("failed");
  byId("message").hidden = false;
  byId("message").textContent = `${word("failed")} ${word("serveHint")}`;
}

// --- colours -------------------------------------------------------------------------------

const isWall = (kind) => kind === "facade";
const lightOf = (feature, kind) => lightColour(feature.poa_global_year_kwh_m2, isWall(kind) ? page.wall_colours : page.colours);
const colourOf = (feature, kind) => (mode === "class" ? page.class_colours[feature.suitability] : lightOf(feature, kind));

function drawLegends() {
  drawRamp(byId("legend"), page.colours);
  if (page.n_facades) drawRamp(byId("wall-legend"), page.wall_colours);
  if (page.rating) drawClasses(byId("class-legend"), page);
  showLegends();
}

/** Legends of what is seen: from far away and in the raster that is always irradiation. */
function showLegends() {
  const isFar = map ? map.getZoom() < RASTER_ZOOM : false;
  const isClass = mode === "class";
  byId("class-legend").hidden = !isClass || isFar;
  byId("legend").querySelector(".scale").hidden = isClass && !isFar && !(seen.raster && !seen.solid);
  byId("wall-legend")?.toggleAttribute("hidden", isClass);
  for (const one of ["class", "light"]) byId(`mode-${one}`)?.setAttribute("aria-pressed", String(mode === one));
}

function setMode(next) {
  mode = next;
  for (const [id, kind, name, value] of recoloured(page, mode)) {
    if (!map.getLayer(id)) continue;
    if (kind === "filter") map.setFilter(id, value);
    else map.setPaintProperty(id, name, value);
  }
  showLegends();
  if (chosen) drawCard();
}

// --- texts ---------------------------------------------------------------------------------

function drawFacts() {
  const facts = [["counts", word("countsValue")(number(page.n_roofs), number(page.n_buildings))]];
  for (const key of ["surface_model_date", "footprint_date", "weather", "version"]) {
    if (page[key]) facts.push([key, date(page[key])]);
  }
  if (page.sources?.length) facts.push(["sources", page.sources.join("\n")]);
  const list = byId("facts");
  list.replaceChildren();
  for (const [key, text] of facts) {
    const [term, value] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = word(key);
    value.textContent = text;
    value.dataset.fact = key;
    list.append(term, value);
  }
}

function drawFooter() {
  const named = ["surface_model_date", "footprint_date", "weather"].filter((key) => page[key]);
  const data = document.createElement("span");
  data.className = "data";
  data.textContent = named.map((key) => `${word(key)}: ${date(page[key])}`).join(" · ");
  const owners = document.createElement("span");
  owners.textContent = page.attribution ?? "";
  byId("attribution").replaceChildren(...[owners, data].filter((part) => part.textContent));
}

function drawTexts() {
  translatePage();
  byId("title").textContent = page.municipality;
  document.title = `${word("kicker")} ${page.municipality}`;
  drawFooter();
  for (const [kind, key] of [["zoom-in", "zoomIn"], ["zoom-out", "zoomOut"], ["compass", "north"]]) {
    const button = document.querySelector(`.maplibregl-ctrl-${kind}`);
    button?.setAttribute("aria-label", word(key));
    button?.setAttribute("title", word(key));
  }
  map?.getCanvas().setAttribute("aria-label", word("map"));
  drawLegends();
  drawFacts();
  if (chosen) drawCard();
}

// --- choosing ------------------------------------------------------------------------------

const sourceOf = (kind) => (kind === "parking" ? kind : `${kind}s`);

/** Where a feature is drawn: sources and their layers. */
function featureState(source, id) {
  if (source === "parking") return [{ source, sourceLayer: source, id }];
  if (source !== "facades") return [source, `${source}_overview`].map((sourceLayer) => ({ source, sourceLayer, id }));
  const strips = page.n_storeys ? [{ source: "storeys", sourceLayer: "facade_storeys", id }] : [];
  return [{ source, sourceLayer: source, id }, ...strips];
}

/** Mark one roof or building as hovered or selected, and unmark the one before it. */
function mark(how, kind, id) {
  const before = marked[how];
  if (before?.kind === kind && before?.id === id) return;
  if (before) for (const target of featureState(before.kind, before.id)) map.setFeatureState(target, { [how]: false });
  marked[how] = kind ? { kind, id } : null;
  if (kind) for (const target of featureState(kind, id)) map.setFeatureState(target, { [how]: true });
}

function pick(point) {
  const near = [[point.x - TOUCH_PX, point.y - TOUCH_PX], [point.x + TOUCH_PX, point.y + TOUCH_PX]];
  const kinds = Object.keys(PICKED);
  for (const place of [point, near]) {
    // In 3D a wall may stand before a roof or behind one: what is nearest to the eye counts.
    for (const asked of seen.solid ? [kinds] : kinds.map((kind) => [kind])) {
      const layers = asked.flatMap((kind) => PICKED[kind]).filter((id) => map.getLayer(id));
      const [hit] = layers.length ? map.queryRenderedFeatures(place, { layers }) : [];
      if (hit) return { kind: kinds.find((kind) => PICKED[kind].includes(hit.layer.id)), hit };
    }
  }
  return null;
}

/** The module of a roof exactly at a point on the screen. */
function moduleAt(point, roofId) {
  const layers = MODULES_PICKED.filter((id) => roofId && map.getLayer(id));
  const hit = layers.length ? map.queryRenderedFeatures(point, { layers })[0] : null;
  return hit && hit.properties.roof_id === roofId ? hit.properties : null;
}

/** Choose what lies at a place; from far away the map first comes near, where all columns are. */
function chooseAt(lngLat) {
  const found = pick(map.project(lngLat));
  if (!found) {
    closeCard();
    say(word("nothingHere"));
    return;
  }
  say("");
  if (found.kind === "facade") {
    const facade = wallOf(found.hit.properties.facade_id);
    if (facade) choose("facade", facade, lngLat);
    return;
  }
  if (found.kind === "parking" || map.getZoom() >= page.detail_zoom) {
    const { roof_id: roofId } = found.hit.properties;
    choose(found.kind, found.hit.properties, lngLat, moduleAt(map.project(lngLat), roofId));
    return;
  }
  map.easeTo({ center: lngLat, zoom: page.detail_zoom + 1 });
  map.once("idle", () => {
    const detail = pick(map.project(lngLat));
    if (detail && detail.kind !== "facade") choose(detail.kind, detail.hit.properties, lngLat);
    else if (detail) choose("facade", wallOf(detail.hit.properties.facade_id) ?? detail.hit.properties, lngLat);
  });
}

/** Features of the loaded tiles by attribute; one that lies in two tiles counts once. */
function loaded(kind, key, value) {
  const source = `${kind}s`;
  if (!map.getSource(source)) return [];
  const filter = ["==", ["get", key], value];
  const found = map.querySourceFeatures(source, { sourceLayer: source, filter });
  return [...new Map(found.map(({ properties }) => [properties[`${kind}_id`], properties])).values()];
}

const wallOf = (id) => loaded("facade", "facade_id", id)[0];

const STOREY = ["storey", "poa_global_year_kwh_m2", "suitability", "balcony_upright_kwh", "balcony_tilted_kwh", "balcony_class"];

/** Storeys of a wall, the lowest first. */
const storeysOf = (wall) => JSON.parse(wall.storeys || "[]").map((values) => Object.fromEntries(STOREY.map((name, i) => [name, values[i]])));

const byName = (key) => (a, b) => a[key].localeCompare(b[key], "de", { numeric: true });

function choose(kind, feature, lngLat, module = null) {
  const isWhole = kind === "building";
  const roofs = isWhole ? loaded("roof", "building_id", feature.building_id).sort(byName("roof_id")) : [];
  const facades = isWhole ? loaded("facade", "building_id", feature.building_id).sort(byName("facade_id")) : [];
  const storeys = kind === "facade" ? storeysOf(feature) : [];
  chosen = { kind, feature, roofs, facades, storeys, module };
  mark("selected", sourceOf(kind), feature[`${kind}_id`]);
  drawCard();
  card.hidden = false;
  document.body.classList.add("has-card");
  card.focus({ preventScroll: true });
  if (lngLat) uncover(lngLat);
}

/** Move the map if the chosen place lies under the panel or the card. */
function uncover(lngLat) {
  const frame = map.getContainer().getBoundingClientRect();
  const [over, beside] = [byId("panel").getBoundingClientRect(), card.getBoundingClientRect()];
  const free = isPhone()
    ? { left: 0, right: frame.width, top: over.bottom, bottom: beside.top }
    : { left: over.right, right: beside.left, top: 0, bottom: frame.height };
  const { x, y } = map.project(lngLat);
  const margin = 40;
  const isFree = x > free.left + margin && x < free.right - margin && y > free.top + margin / 2 && y < free.bottom - margin / 2;
  if (isFree) return;
  map.panBy([x - (free.left + free.right) / 2, y - (free.top + free.bottom) / 2]);
}

function drawCard() {
  fillCard(card, chosen, {
    page,
    colourOf,
    lightColour: lightOf,
    close: closeCard,
    facade: (facade) => choose("facade", facade),
    roof: (roof) => choose("roof", roof),
    building: (id) => {
      const [building] = loaded("building", "building_id", id);
      if (building) choose("building", building);
    },
  });
}

function closeCard() {
  if (card.hidden) return;
  card.hidden = true;
  chosen = null;
  document.body.classList.remove("has-card");
  mark("selected", null);
  if (card.contains(document.activeElement)) map.getCanvas().focus();
}

// --- view ----------------------------------------------------------------------------------

function fitOptions() {
  if (isPhone()) {
    const top = byId("panel").offsetHeight;
    return { padding: { top: top + 16, right: 16, bottom: 48, left: 16 } };
  }
  return { padding: { top: 40, right: 60, bottom: 50, left: byId("panel").offsetWidth + 48 } };
}

const boundsOf = ([west, south, east, north]) => [[west, south], [east, north]];

function showLayers() {
  for (const [id, visibility] of Object.entries(visibleLayers(seen))) {
    if (map.getLayer(id)) map.setLayoutProperty(id, "visibility", visibility);
  }
}

function setSolid(solid) {
  seen.solid = solid;
  byId("view-2d").setAttribute("aria-pressed", String(!solid));
  byId("view-3d").setAttribute("aria-pressed", String(solid));
  byId("raster-choice").classList.toggle("off", solid);
  byId("raster-choice").querySelector("input").disabled = solid;
  showLayers();
  showLegends();
  map.easeTo(solid ? { pitch: PITCH_3D, bearing: -20 } : { pitch: 0, bearing: 0 });
}

function listen() {
  for (const box of document.querySelectorAll("[data-layer]")) {
    box.checked = seen[box.dataset.layer];
    box.addEventListener("change", () => {
      seen[box.dataset.layer] = box.checked;
      showLayers();
      showLegends();
    });
  }
  byId("view-2d").addEventListener("click", () => setSolid(false));
  byId("view-3d").addEventListener("click", () => setSolid(true));
  byId("overview").addEventListener("click", () => map.fitBounds(boundsOf(page.bounds), { ...fitOptions(), pitch: map.getPitch(), bearing: map.getBearing() }));
  byId("more").addEventListener("click", () => {
    const open = document.body.classList.toggle("more-open");
    byId("more").setAttribute("aria-expanded", String(open));
  });
  for (const one of ["class", "light"]) byId(`mode-${one}`)?.addEventListener("click", () => setMode(one));
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      setLanguage(button.dataset.language);
      drawTexts();
    });
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && closeCard());
}

function listenToMap() {
  map.on("click", (event) => chooseAt(event.lngLat));
  map.on("mousemove", (event) => {
    const found = pick(event.point);
    map.getCanvas().style.cursor = found ? "pointer" : "";
    if (!found) mark("hovered", null);
    else mark("hovered", sourceOf(found.kind), found.hit.properties[`${found.kind}_id`]);
  });
  map.on("zoomend", showLegends);
  map.on("mouseout", () => mark("hovered", null));
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") chooseAt(map.getCenter());
  });
}

// --- start ---------------------------------------------------------------------------------

async function start() {
  const answer = await fetch("map.json");
  if (!answer.ok) throw new Error(`map.json: ${answer.status}`);
  page = await answer.json();
  mode = page.rating ? "class" : "light";
  if (!page.rating) {
    document.querySelector("[data-of=rating]").remove();
    document.querySelector(".lead").dataset.i18n = "leadLight";
  }
  drawTexts();
  addProtocol("pmtiles", new pmtiles.Protocol({ errorOnMissingTile: false }).tile);
  map = new GlMap({
    container: "map",
    style: mapStyle(page, mode),
    bounds: boundsOf(page.bounds),
    fitBoundsOptions: fitOptions(),
    minZoom: Math.min(10, page.raster?.min_zoom ?? 10),
    maxZoom: 20.5,
    maxPitch: 65,
    attributionControl: false,
    fadeDuration: 0,
    canvasContextAttributes: { antialias: true },
  });
  window.map = map;
  map.addControl(new ScaleControl({ unit: "metric" }), "bottom-right");
  map.addControl(new NavigationControl({ visualizePitch: true }), "bottom-right");
  map.on("error", ({ error }) => {
    // A tile that is no longer needed when the map moves on is given up; that is no fault.
    if (error?.name !== "AbortError") console.error(`map: ${error?.name}: ${error?.message}`);
  });
  map.on("style.load", () => {
    map.addImage("hatch", hatch(), { pixelRatio: 2 });
    if (!page.raster) byId("raster-choice").remove();
    for (const name of ["facades", "modules", "superstructures", "parking"]) {
      if (!page[`n_${name}`]) for (const part of document.querySelectorAll(`[data-of=${name}]`)) part.remove();
    }
    showLayers();
  });
  map.once("idle", () => (document.documentElement.dataset.map = "ready"));
  listen();
  listenToMap();
  drawTexts();
}

translatePage();
start().catch(fail);
