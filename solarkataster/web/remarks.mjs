// What the tables say in reason and data_quality, in plain words.
import { currentLanguage, number, word } from "./words.mjs";

const comma = (number) => number.replace(".", ",");
/** A number of the table as the page writes numbers, with the digits that it has. */
const shown = (text) => number(Number(text), text.split(".")[1]?.length ?? 0);

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const rule = (...parts) => new RegExp(`^${parts.join("")}$`);
// How well a plane is known: three figures that become one sentence.
const FIGURES = [
  [rule("fit ", NUMBER, " m"), {
    de: (_, metres) => `Höhenwerte weichen im Mittel ${number(metres * 100)} cm von der Dachebene ab`,
    en: (_, metres) => `Heights are ${number(metres * 100)} cm off the roof plane on average`,
  }],
  [rule(NUMBER, " heights/m²"), {
    de: (_, density) => `${shown(density)} Höhenwerte je m²`,
    en: (_, density) => `${shown(density)} heights per m²`,
  }],
  [rule(NUMBER, "% without height"), {
    de: (_, share) => (share > 0 ? `auf ${shown(share)} % der Fläche fehlen sie` : "ohne Lücken"),
    en: (_, share) => (share > 0 ? `none on ${shown(share)} % of the area` : "without gaps"),
  }],
];

// What the city model has against a building's walls → German.
const walls = (n, one, many, rest) => `Im 3D-Gebäudemodell ${n === "1" ? `${one} eine Wand` : `${many} ${n} Wände`} ${rest}.`;
const INSTEAD = ": walls from footprint and surface model";
const instead = "Die Wände stammen deshalb aus Gebäudeumriss und Höhenmodell.";
const GERMAN_LOD2 = [
  [rule("LoD2: ", NUMBER, " walls? inside out, turned round"), (_, n) => walls(n, "zeigt", "zeigen", `nach innen; ${n === "1" ? "sie wurde" : "sie wurden"} gewendet`)],
  [rule("LoD2: ", NUMBER, " walls? there twice, used once"), (_, n) => walls(n, "ist", "sind", "doppelt")],
  [rule("LoD2: ", NUMBER, " walls? (?:leaning more than \\S+|without area|with an outline that crosses itself|bent more than \\S+ m), left out"), (_, n) => walls(n, "ist", "sind", `fehlerhaft; ${n === "1" ? "sie wurde" : "sie wurden"} weggelassen`)],
  [rule("LoD2: ", NUMBER, " walls? not planar, taken all the same"), (_, n) => walls(n, "ist", "sind", "nicht ganz eben")],
  [rule("LoD2: walls and roofs do not close \\(.*\\)"), () => "Im 3D-Gebäudemodell hat dieses Gebäude Lücken."],
  [rule("LoD2: ", NUMBER, " surfaces? could not be read"), () => "Ein Teil des 3D-Gebäudemodells ließ sich hier nicht lesen."],
  [rule("LoD2 building of this id stands elsewhere: not used"), () => "Das 3D-Gebäudemodell führt dieses Gebäude an einem anderen Ort."],
  [rule("not in the LoD2 model", INSTEAD), () => `Das 3D-Gebäudemodell kennt dieses Gebäude nicht. ${instead}`],
  [rule("LoD2 model has no wall surface here", INSTEAD), () => `Das 3D-Gebäudemodell hat hier keine Wände. ${instead}`],
  [rule("LoD2 walls do not fit the footprint \\(beside ", NUMBER, "% of its outline within \\S+ m\\)", INSTEAD), (_, share) => `Das 3D-Gebäudemodell passt nur auf ${shown(share)} % des Gebäudeumrisses. ${instead}`],
  [rule("LoD2 roof lies ", NUMBER, " m (above|below) the surface model", INSTEAD), (_, metres, side) => `Im 3D-Gebäudemodell liegt das Dach ${shown(metres)} m ${side === "above" ? "über" : "unter"} dem Höhenmodell. ${instead}`],
  [rule("LoD2 walls leave ", NUMBER, " m of the outline open: roof planes or surface there"), (_, metres) => `Im 3D-Gebäudemodell fehlen ${shown(metres)} m Wand; dort gilt das Höhenmodell.`],
  [rule("LoD2 walls end ", NUMBER, " m and more above the terrain", INSTEAD), () => `Im 3D-Gebäudemodell enden die Wände hoch über dem Gelände. ${instead}`],
];

// Pattern of the table's text → German sentence; reasons are German in the tables already. A text
// that is not listed is shown as it is: better foreign than lost.
const GERMAN = [
  [rule("no roof plane on ", NUMBER, "% of the roof"), (_, share) => `Auf ${shown(share)} % des Daches wurde keine ebene Dachfläche erkannt.`],
  [rule("only ", NUMBER, " laser points/m² over the footprint"), (_, density) => `Über dem Gebäude liegen nur ${shown(density)} Laserpunkte je m²: Nur große Dachflächen sind zu erkennen.`],
  [rule("eaves not seen in the heights: roof ends at the footprint"), () => "Wie weit das Dach über die Wände hinausragt, zeigen die Höhendaten nicht; es endet hier am Gebäudeumriss."],
  [rule("depth of eaves assumed: ", NUMBER, " m"), (_, depth) => `Wie weit das Dach über diese Wand ragt, zeigen die Höhendaten nicht; angenommen sind ${shown(depth)} m.`],
  [rule(NUMBER, "% of the top read from cells"), (_, share) => `Auf ${shown(share)} % der Länge ist die Oberkante nur grob bekannt, weil dort keine Dachfläche erkannt wurde.`],
  [rule(NUMBER, "% of the area behind what stands before it or off the raster"), (_, share) => `Auf ${shown(share)} % der Wandfläche steht etwas dicht davor, oder die Höhendaten enden; diese Teile haben keinen eigenen Wert.`],
  [rule("overhang is switched off: roof ends at the footprint"), () => "Dachüberstände sind in dieser Berechnung ausgeschaltet; das Dach endet am Gebäudeumriss."],
  [
    /^surface model flown without leaves\b.*$/,
    () => "Die Bäume wurden ohne Laub aufgenommen und sind zu niedrig erfasst.",
  ],
  [/^no far terrain\b.*$/, () => "Hügel jenseits des Höhenmodells sind nicht berücksichtigt."],
  [/^surface model ends (\S+) m away$/, (_, metres) => `Das Höhenmodell endet ${comma(metres)} m neben dem Gebäude; was dahinter Schatten wirft, fehlt.`],
  [/^(\S+)% of the footprint is outside the surface model$/, (_, share) => `${comma(share)} % des Gebäudes liegen außerhalb des Höhenmodells.`],
  [/^surface model has no data on (\S+)% of the footprint$/, (_, share) => `Auf ${comma(share)} % der Gebäudefläche hat das Höhenmodell keine Werte.`],
  [/^no terrain height$/, () => "Die Höhe des Geländes ist hier nicht bekannt."],
  [/^surface model is below the terrain on (\S+)% of the footprint$/, (_, share) => `Auf ${comma(share)} % der Gebäudefläche liegt das Höhenmodell unter dem Gelände.`],
  [/^footprint repaired \((.*)\)$/, () => "Der Gebäudeumriss war fehlerhaft und wurde repariert."],
  [/^footprint is a sliver of (\S+) m²$/, (_, area) => `Der Gebäudeumriss ist nur ${comma(area)} m² groß.`],
  [/^footprint overlaps (.*?)(?: and (\d+) more)?$/, (_, names, more) => `Der Umriss überschneidet sich mit anderen Gebäuden: ${names.replace(/(\d)\.(\d)/g, "$1,$2")}${more ? ` und ${more} weiteren` : ""}.`],
  ...GERMAN_LOD2,
  [/^walls failed: (.*)$/, (_, error) => `Die Berechnung der Wände ist fehlgeschlagen (${error}).`],
];

// What rating says in German alone, and what stands for it in English.
const ENGLISH = [
  [/^(?:Denkmal|Denkmalzone): .*$/, () => word("monument")],
  [/^Das Dach ist von öffentlichen Flächen aus zu sehen$/, () => "The roof is seen from public space"],
  [/^Das Dach ist von öffentlichen Flächen aus nicht zu sehen$/, () => "The roof is not seen from public space"],
  [/^Daten alt: das Höhenmodell ist von (\d+)$/, (_, year) => `Old data: the surface model is of ${year}`],
  [/^keine Anlage$/, () => "No plant"],
  [/^Ertrag unbekannt: Erlöse nicht berechnet$/, () => "Yield unknown: no income worked out"],
  [/^Vergütung nur nach Ausschreibung: Erlöse nicht berechnet$/, () => "Paid after a tender only: no income worked out"],
  [/^Stromverbrauch unbekannt: nur Volleinspeisung berechnet$/, () => "Demand unknown: only full feed-in worked out"],
  [/^Zahl der Wohnungen unbekannt: .*$/, () => "Number of flats unknown: computed as one household, without sale to tenants"],
  [/^amortisiert sich in (\d+) Jahr(?:en)? nicht$/, (_, years) => `Does not pay back within ${years} ${years === "1" ? "year" : "years"}`],
  [/^Nutzung unbekannt: .*$/, () => "Use of the building unknown"],
  [/^Bedarf unbekannt: .*$/, () => "Demand unknown: footprint or height is missing"],
  [/^Bedarf 0 angegeben.*$/, () => "Demand 0 given, so no own use"],
  [/^Bedarf 0: .*$/, () => "Demand 0: no electricity use of its own, so no own use"],
  [/^Bedarf angegeben, aber .*$/, () => "Demand given, but the use of the building is unknown, so no own use"],
  [/^Bedarf un(?:glaubwürdig|brauchbar): .*$/, () => "The demand given is implausible and was not used"],
  [/^Ohne Schatten gerechnet: .*$/, () => "Computed without shade: what stands around the car park does not count"],
];

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

// A remark may go on after its semicolon with what would be "without" something.
const split = (text) => (text ?? "").split(/;(?!\s*without )/).map((part) => part.trim()).filter(Boolean);
const isFigure = (part) => FIGURES.some(([pattern]) => pattern.test(part));

/** Sentences of a semicolon-separated remark column, without the figures of the fit. */
export function remarks(text) {
  const parts = split(text).filter((part) => !isFigure(part));
  const patterns = currentLanguage() === "de" ? GERMAN : ENGLISH;
  return parts.map((part) => {
    const found = patterns.find(([pattern]) => pattern.test(part));
    return sentence(found ? part.replace(...found) : part);
  });
}

const PERMIT = "monument: needs a permit";

/** Why a feature is as it is, in the language of the page; what rating adds in German alone too. */
export function reasonOf(feature) {
  const [german, english] = [feature.reason ?? "", feature.reason_en ?? ""];
  const isMonument = (feature.monument || english.includes(PERMIT)) && !german.includes("Denkmal");
  const monument = isMonument ? word("monument") : "";
  if (currentLanguage() === "de") return [german, monument].filter(Boolean).join("; ");
  const told = split(english).filter((part) => part !== PERMIT);
  const added = split(german).filter((part) => ENGLISH.some(([pattern]) => pattern.test(part)));
  return [...told, ...added, monument].filter(Boolean).join("; ");
}

/** The figures of the fit in one sentence; empty where there are none. */
export function figures(text) {
  const said = split(text).flatMap((part) => {
    const found = FIGURES.find(([pattern]) => pattern.test(part));
    return found ? [part.replace(found[0], found[1][currentLanguage()])] : [];
  });
  return said.length ? sentence(said.join("; ")) : "";
}
