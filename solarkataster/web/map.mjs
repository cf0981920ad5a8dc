// The page: loads map.json, draws the map, answers clicks and buttons.
import { Map as GlMap, NavigationControl, ScaleControl, addProtocol } from "./vendor/maplibre-gl.mjs";
import { fillCard } from "./card.mjs";
import { MODULES_PICKED, PICKED, hatch, mapStyle, visibleLayers } from "./layers.mjs";
import { date, number, setLanguage, translatePage, word } from "./words.mjs";

const PITCH_3D = 55;
const TOUCH_PX = 5;
const seen = { roofs: true, buildings: true, facades: true, modules: true, superstructures: true, raster: false, solid: false };
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

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function colourOf(year, stops = page.colours) {
  if (!Number.isFinite(year)) return "#b7bcc4";
  const value = Math.min(Math.max(year, stops[0][0]), stops.at(-1)[0]);
  const above = Math.max(1, stops.findIndex(([stop]) => stop >= value));
  const [[low, from], [high, to]] = [stops[above - 1], stops[above]];
  const share = (value - low) / (high - low);
  const [a, b] = [channels(from), channels(to)];
  return `rgb(${a.map((channel, i) => Math.round(channel + (b[i] - channel) * share)).join(" ")})`;
}

const wallColourOf = (year) => colourOf(year, page.wall_colours);

function drawLegend(legend, stops) {
  const [low, high] = [stops[0][0], stops.at(-1)[0]];
  const at = (value) => ((value - low) / (high - low)) * 100;
  const ramp = legend.querySelector(".ramp");
  ramp.style.background = `linear-gradient(to right, ${stops.map(([value, colour]) => `${colour} ${at(value)}%`).join(", ")})`;
  ramp.setAttribute("aria-label", word("legendLabel")(number(low), number(high)));
  const ticks = stops.filter((_, i) => i % 2 === 0).map(([value]) => {
    const tick = document.createElement("span");
    tick.style.left = `${at(value)}%`;
    tick.textContent = value === low ? `≤ ${number(value)}` : value === high ? `≥ ${number(value)}` : number(value);
    return tick;
  });
  legend.querySelector(".ticks").replaceChildren(...ticks);
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
  drawLegend(byId("legend"), page.colours);
  if (page.n_facades) drawLegend(byId("wall-legend"), page.wall_colours);
  drawFacts();
  if (chosen) drawCard();
}

// --- choosing ------------------------------------------------------------------------------

const tileLayers = (kind) => (kind === "facades" ? [kind, "facade_storeys"] : [kind, `${kind}_overview`]);
const featureState = (kind, id) => tileLayers(kind).map((sourceLayer) => ({ source: kind, sourceLayer, id }));

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
  if (map.getZoom() >= page.detail_zoom) {
    const { roof_id: roofId } = found.hit.properties;
    choose(found.kind, found.hit.properties, lngLat, moduleAt(map.project(lngLat), roofId));
    return;
  }
  map.easeTo({ center: lngLat, zoom: page.detail_zoom + 1 });
  map.once("idle", () => {
    const detail = pick(map.project(lngLat));
    if (detail) choose(detail.kind, detail.hit.properties, lngLat);
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

/** Storeys of a wall from its strips, the lowest first. */
function storeysOf(id) {
  const filter = ["==", ["get", "facade_id"], id];
  const found = map.querySourceFeatures("facades", { sourceLayer: "facade_storeys", filter });
  return [...new Map(found.map(({ properties }) => [properties.storey, properties])).values()].sort((a, b) => a.storey - b.storey);
}

const byName = (key) => (a, b) => a[key].localeCompare(b[key], "de", { numeric: true });

function choose(kind, feature, lngLat, module = null) {
  const isWhole = kind === "building";
  const roofs = isWhole ? loaded("roof", "building_id", feature.building_id).sort(byName("roof_id")) : [];
  const facades = isWhole ? loaded("facade", "building_id", feature.building_id).sort(byName("facade_id")) : [];
  const storeys = kind === "facade" ? storeysOf(feature.facade_id) : [];
  chosen = { kind, feature, roofs, facades, storeys, module };
  mark("selected", `${kind}s`, feature[`${kind}_id`]);
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
    colourOf,
    wallColourOf,
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
  map.easeTo(solid ? { pitch: PITCH_3D, bearing: -20 } : { pitch: 0, bearing: 0 });
}

function listen() {
  for (const box of document.querySelectorAll("[data-layer]")) {
    box.checked = seen[box.dataset.layer];
    box.addEventListener("change", () => {
      seen[box.dataset.layer] = box.checked;
      showLayers();
    });
  }
  byId("view-2d").addEventListener("click", () => setSolid(false));
  byId("view-3d").addEventListener("click", () => setSolid(true));
  byId("overview").addEventListener("click", () => map.fitBounds(boundsOf(page.bounds), { ...fitOptions(), pitch: map.getPitch(), bearing: map.getBearing() }));
  byId("more").addEventListener("click", () => {
    const open = document.body.classList.toggle("more-open");
    byId("more").setAttribute("aria-expanded", String(open));
  });
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
    else mark("hovered", `${found.kind}s`, found.hit.properties[`${found.kind}_id`]);
  });
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
  drawTexts();
  addProtocol("pmtiles", new pmtiles.Protocol({ errorOnMissingTile: false }).tile);
  map = new GlMap({
    container: "map",
    style: mapStyle(page),
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
    for (const name of ["facades", "modules", "superstructures"]) {
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
