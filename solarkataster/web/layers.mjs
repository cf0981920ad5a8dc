// Sources and layers of the map, made from map.json. No glyphs, no sprites, no basemap.
const NONE = "#b7bcc4";
const SELECTED = "#00838f";
const MODULE = "#16294f";
const SUPERSTRUCTURE = "#7d838c";
const PARKING = "#c3d7e8";
// Not on the scale of walls, as SELECTED is not on that of roofs; in turn, so that storeys show.
const SELECTED_WALL = "#e0007a";
const SELECTED_STOREY = ["case", ["==", ["%", ["coalesce", ["get", "storey"], 0], 2], 0], SELECTED_WALL, "#f25ca8"];
const NO_VALUE = ["!", ["has", "poa_global_year_kwh_m2"]];
const HAS_VALUE = ["has", "poa_global_year_kwh_m2"];

// Roofs and buildings come in two tile layers: a light one for the overview, a full one for detail.
const LEVELS = ["overview", "detail"];
const sourceLayer = (name, level) => (level === "detail" ? name : `${name}_overview`);
const tileUrl = (file) => `pmtiles://${new URL(file, location.href)}`;

const YEAR = ["get", "poa_global_year_kwh_m2"];
/** MapLibre expression: colour of the yearly irradiation, the same mixing as in the raster tiles. */
const colourOfYear = (colours) => ["case", NO_VALUE, NONE, ["interpolate", ["linear"], YEAR, ...colours.flat()]];

/** Colour of the class that a feature bears. */
const colourOfClass = (page) => ["match", ["get", "suitability"], ...Object.entries(page.class_colours).flat(), NONE];

/** Strips of storeys bear no class, so that ratings need not cut them again: it is told by limits. */
function colourOfStorey(page) {
  const limits = page.rating.classes.walls.from_kwh_m2;
  if (!limits) return NONE;
  const [worst, ...better] = Object.values(page.class_colours).reverse();
  return ["case", NO_VALUE, NONE, ["step", YEAR, worst, ...limits.flatMap((limit, i) => [limit, better[i]])]];
}

/** What colours and filters differ between the two ways to colour the map: "class" or "light". */
function looks(page, mode) {
  const isClass = mode === "class";
  const isKnown = isClass ? ["in", ["get", "suitability"], ["literal", Object.keys(page.class_colours)]] : HAS_VALUE;
  return {
    roof: isClass ? colourOfClass(page) : colourOfYear(page.colours),
    wall: isClass ? colourOfClass(page) : colourOfYear(page.wall_colours),
    storey: isClass ? colourOfStorey(page) : colourOfYear(page.wall_colours),
    isKnown,
    isUnknown: ["!", isKnown],
  };
}

const isSelected = ["boolean", ["feature-state", "selected"], false];
const isHovered = ["boolean", ["feature-state", "hovered"], false];

function sources(page) {
  const made = {
    buildings: { type: "vector", url: tileUrl("buildings.pmtiles"), promoteId: { buildings: "building_id", buildings_overview: "building_id" } },
  };
  if (page.n_roofs) {
    made.roofs = { type: "vector", url: tileUrl("roofs.pmtiles"), promoteId: { roofs: "roof_id", roofs_overview: "roof_id" } };
  }
  if (page.n_modules) made.modules = { type: "vector", url: tileUrl("modules.pmtiles") };
  if (page.n_superstructures) made.superstructures = { type: "vector", url: tileUrl("superstructures.pmtiles") };
  if (page.n_facades) {
    made.facades = { type: "vector", url: tileUrl("facades.pmtiles"), promoteId: { facades: "facade_id" } };
  }
  if (page.n_storeys) made.storeys = { type: "vector", url: tileUrl("storeys.pmtiles"), promoteId: { facade_storeys: "facade_id" } };
  if (page.n_parking) made.parking = { type: "vector", url: tileUrl("parking.pmtiles"), promoteId: { parking: "parking_id" } };
  if (page.raster) made.raster = { type: "raster", url: tileUrl("irradiation.pmtiles"), tileSize: 512 };
  return made;
}

function vectorLayer(name, level, page, rest) {
  const zooms = level === "detail" ? { minzoom: page.detail_zoom } : { maxzoom: page.detail_zoom };
  return { id: `${rest.role}-${level}`, source: name, "source-layer": sourceLayer(name, level), ...zooms, ...rest.layer };
}

function flatLayers(page, look) {
  const both = (name, role, layer) => LEVELS.map((level) => vectorLayer(name, level, page, { role, layer }));
  const none = { type: "fill", filter: NO_VALUE, paint: { "fill-pattern": "hatch" } };
  const outline = ["interpolate", ["linear"], ["zoom"], 13, 0.1, 15, 0.3, 17, 1, 19, 2];
  const made = [
    ...both("buildings", "building-fill", { type: "fill", filter: HAS_VALUE, paint: { "fill-color": "#d3d8df" } }),
    ...both("buildings", "building-none", none),
  ];
  if (page.n_roofs) {
    made.push(
      ...both("roofs", "roof-fill", { type: "fill", filter: look.isKnown, paint: { "fill-color": look.roof, "fill-antialias": true } }),
      ...both("roofs", "roof-none", { ...none, filter: look.isUnknown }),
    );
  }
  if (page.raster) {
    const raster = { source: "raster", type: "raster", paint: { "raster-resampling": "nearest", "raster-fade-duration": 0 } };
    made.push({ id: "raster-far", maxzoom: 13, ...raster }, { id: "raster", ...raster, layout: { visibility: "none" } });
  }
  if (page.n_roofs) {
    made.push(...both("roofs", "roof-line", { type: "line", layout: { "line-join": "round" }, paint: { "line-color": "#ffffff", "line-width": outline, "line-opacity": 0.85 } }));
  }
  made.push(...both("buildings", "building-line", { type: "line", layout: { "line-join": "round" }, paint: { "line-color": "#4a5365", "line-width": outline } }));
  for (const name of page.n_roofs ? ["buildings", "roofs"] : ["buildings"]) {
    const width = ["case", isSelected, 4, isHovered, 2.5, 0];
    made.push(...both(name, `${name}-mark`, { type: "line", layout: { "line-join": "round" }, paint: { "line-color": ["case", isSelected, SELECTED, "#1f2a44"], "line-width": width, "line-opacity": ["case", isSelected, 1, isHovered, 1, 0] } }));
  }
  return made;
}

function solidLayers(page, look) {
  const both = (name, role, layer) => LEVELS.map((level) => vectorLayer(name, level, page, { role, layer }));
  const hidden = { visibility: "none" };
  const made = both("buildings", "building-solid", {
    type: "fill-extrusion",
    layout: hidden,
    paint: { "fill-extrusion-color": ["case", isSelected, SELECTED, "#dfe2e6"], "fill-extrusion-height": ["coalesce", ["get", "height_m"], 0] },
  });
  if (page.n_roofs) {
    const height = ["coalesce", ["get", "building_height_m"], 0];
    const colour = ["case", isSelected, SELECTED, look.roof];
    made.push(
      ...both("roofs", "roof-solid", {
        type: "fill-extrusion",
        layout: hidden,
        paint: { "fill-extrusion-color": colour, "fill-extrusion-base": height, "fill-extrusion-height": ["+", height, LID_M], "fill-extrusion-vertical-gradient": false },
      }),
    );
  }
  return made;
}

// In 3D every roof is a flat lid on its building, this thick. What lies on it starts on its top.
const LID_M = 0.4;
const lidTop = ["+", ["coalesce", ["get", "building_height_m"], 0], LID_M];
// A lid is as high as the building's highest plane, so a dormer's true height over its own, lower
// plane would overtop the ridge: low ones stand for all.
const standing = ["min", 1.5, ["max", 0.15, ["coalesce", ["get", "height_m"], 0]]];
const HAS_NO_PLANE = ["!", ["to-boolean", ["get", "has_plane"]]];

/** What lies and stands on roofs, seen from near; a dormer with a plane of its own keeps its colour. */
function roofThings(page) {
  const of = (name, id, layer) => ({ id, source: name, "source-layer": name, minzoom: page.roof_thing_zoom, ...layer });
  const edge = (widths) => ["interpolate", ["linear"], ["zoom"], ...widths.flat()];
  const solid = (colour, height) => ({
    type: "fill-extrusion",
    layout: { visibility: "none" },
    paint: { "fill-extrusion-color": colour, "fill-extrusion-base": lidTop, "fill-extrusion-height": ["+", lidTop, height] },
  });
  const made = [];
  if (page.n_superstructures) {
    made.push(
      of("superstructures", "superstructure-fill", { type: "fill", filter: HAS_NO_PLANE, paint: { "fill-color": SUPERSTRUCTURE } }),
      of("superstructures", "superstructure-line", { type: "line", paint: { "line-color": "#3c424d", "line-width": edge([[17, 0.6], [20, 2]]) } }),
      of("superstructures", "superstructure-solid", { filter: HAS_NO_PLANE, ...solid(SUPERSTRUCTURE, standing) }),
    );
  }
  if (page.n_modules) {
    made.push(
      of("modules", "module-fill", { type: "fill", paint: { "fill-color": MODULE } }),
      of("modules", "module-line", { type: "line", paint: { "line-color": "#c9d6ea", "line-width": edge([[17, 0.3], [19, 0.8], [20, 1.2]]) } }),
      of("modules", "module-solid", solid(MODULE, 0.15)),
    );
  }
  return made;
}

/** Walls: lines beside the roofs in 2D; in 3D strips storey by storey, stepped along gables. */
function wallLayers(page, look) {
  if (!page.n_facades) return [];
  const of = (source, sourceLayer, id, layer) => ({ id, source, "source-layer": sourceLayer, minzoom: page.wall_zoom, ...layer });
  const byZoom = (...widths) => ["interpolate", ["linear"], ["zoom"], ...widths.flat()];
  const offset = byZoom([16, 0.7], [17, 1.3], [18, 2.75], [20, 5]);
  const line = (width, paint) => ({
    type: "line",
    layout: { "line-cap": "butt", "line-join": "miter" },
    paint: { "line-width": width, "line-offset": offset, ...paint },
  });
  const solid = { "fill-extrusion-base": ["get", "base_m"], "fill-extrusion-height": ["get", "top_m"], "fill-extrusion-vertical-gradient": false };
  const narrow = byZoom([16, 1], [17, 2], [18, 4], [20, 7.5]);
  const made = [
    of("facades", "facades", "wall-edge", line(byZoom([16, 1.4], [17, 2.6], [18, 5.5], [20, 10]), { "line-color": "#ffffff" })),
    of("facades", "facades", "wall-line", line(narrow, { "line-color": markedWall(look.wall) })),
    // In 3D the strips are seen; the lines are loaded all the same, as they carry what cards tell.
    of("facades", "facades", "wall-told", { ...line(1, { "line-opacity": 0 }), layout: { visibility: "none" } }),
  ];
  if (page.n_storeys) {
    made.push(of("storeys", "facade_storeys", "wall-solid", { type: "fill-extrusion", layout: { visibility: "none" }, paint: { "fill-extrusion-color": markedWall(look.storey), ...solid } }));
  }
  return made;
}

const markedWall = (colour) => ["case", isSelected, SELECTED_STOREY, colour];

/** Car parks lie on the ground, under everything else. */
function parkingLayers(page) {
  if (!page.n_parking) return [];
  const of = (id, layer) => ({ id, source: "parking", "source-layer": "parking", ...layer });
  return [
    of("parking-fill", { type: "fill", paint: { "fill-color": PARKING } }),
    of("parking-line", { type: "line", paint: { "line-color": ["case", isSelected, SELECTED, "#3d6a94"], "line-width": ["case", isSelected, 4, isHovered, 2.5, 1.2], "line-dasharray": [2, 1] } }),
  ];
}

/** Paints and filters that change with the way the map is coloured: [layer, kind, name, value]. */
export function recoloured(page, mode) {
  const look = looks(page, mode);
  const all = (roles, kind, name, value) => ids(...roles).map((id) => [id, kind, name, value]);
  return [
    ...all(["roof-fill"], "paint", "fill-color", look.roof),
    ...all(["roof-fill"], "filter", "", look.isKnown),
    ...all(["roof-none"], "filter", "", look.isUnknown),
    ...all(["roof-solid"], "paint", "fill-extrusion-color", ["case", isSelected, SELECTED, look.roof]),
    ["wall-line", "paint", "line-color", markedWall(look.wall)],
    ["wall-solid", "paint", "fill-extrusion-color", markedWall(look.storey)],
  ];
}

export function mapStyle(page, mode) {
  const look = looks(page, mode);
  return {
    version: 8,
    sources: sources(page),
    // Weak and white, so that lit roofs keep the colours of the legend.
    light: { anchor: "map", color: "#ffffff", intensity: 0.18, position: [1.3, 200, 35] },
    layers: [{ id: "ground", type: "background", paint: { "background-color": "#f1f2f0" } }, ...parkingLayers(page), ...flatLayers(page, look), ...solidLayers(page, look), ...roofThings(page), ...wallLayers(page, look)],
  };
}

/** Grey hatching for roofs without a value, drawn here because sprites would be one more request. */
export function hatch() {
  const size = 16;
  const data = new Uint8Array(size * size * 4);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const line = (x + y) % 8 < 2;
      data.set(line ? [126, 133, 144, 255] : [200, 204, 210, 255], (y * size + x) * 4);
    }
  }
  return { width: size, height: size, data };
}

const ids = (...roles) => roles.flatMap((role) => LEVELS.map((level) => `${role}-${level}`));

/** Layers whose features answer a click, topmost kind first. */
export const PICKED = {
  facade: ["wall-line", "wall-solid"],
  roof: ids("roof-fill", "roof-none", "roof-solid"),
  building: ids("building-fill", "building-none", "building-solid"),
  parking: ["parking-fill"],
};

export const MODULES_PICKED = ["module-fill", "module-solid"];

/** Which layers are seen: choices of the reader and the kind of view. */
export function visibleLayers({ roofs, buildings, facades, raster, modules, superstructures, parking, solid }) {
  return {
    ...group(ids("roof-fill", "roof-none", "roof-line", "roofs-mark"), roofs && !solid),
    ...group(ids("building-fill", "building-none"), buildings),
    ...group(ids("building-line", "buildings-mark"), buildings && !solid),
    ...group(["raster"], raster && !solid),
    ...group(["raster-far"], roofs),
    ...group(ids("building-solid"), buildings && solid),
    ...group(ids("roof-solid"), roofs && solid),
    ...group(["wall-edge", "wall-line"], facades && !solid),
    ...group(["wall-solid", "wall-told"], facades && solid),
    ...group(["parking-fill", "parking-line"], parking),
    ...group(["module-fill", "module-line"], modules && !solid),
    ...group(["superstructure-fill", "superstructure-line"], superstructures && !solid),
    ...group(["module-solid"], modules && solid),
    ...group(["superstructure-solid"], superstructures && solid),
  };
}

const group = (names, seen) => Object.fromEntries(names.map((name) => [name, seen ? "visible" : "none"]));
