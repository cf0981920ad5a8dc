// What the tables say in reason and data_quality, in plain words.
import { currentLanguage, number } from "./words.mjs";

const comma = (number) => number.replace(".", ",");
/** A number of the table as the page writes numbers, with the digits that it has. */
const shown = (text) => number(Number(text), text.split(".")[1]?.length ?? 0);

const NUMBER = String.raw`(\d+(?:\.\d+)?)`;
const SHORT_OF = `modules cover ${NUMBER} m², ${NUMBER} m² short of ${NUMBER} m²`;
const rule = (...parts) => new RegExp(`^${parts.join("")}$`);
const room = (covered, short, needed) => `Nur ${shown(covered)} m² Module haben Platz; mindestens ${shown(needed)} m² sollten es sein, es fehlen ${shown(short)} m².`;

// Why a plane holds no modules → German.
const GERMAN_REASONS = [
  [rule("too small: no module fits"), () => "Zu klein: Hier passt kein Solarmodul."],
  [rule("too small: ", SHORT_OF), (_, ...areas) => `Zu klein: ${room(...areas)}`],
  [rule("obstacles: ", SHORT_OF, "; without superstructures they would cover ", NUMBER, " m²"), (_, covered, short, needed, without) =>
    `Aufbauten im Weg: ${room(covered, short, needed)} Ohne Gauben, Schornsteine und andere Aufbauten wären es ${shown(without)} m².`],
  [rule("obstacles and shade: ", SHORT_OF, "; without both they would cover ", NUMBER, " m²"), (_, covered, short, needed, without) =>
    `Aufbauten und Schatten: ${room(covered, short, needed)} Ohne beides wären es ${shown(without)} m².`],
  [rule("too shaded: on the parts with ", NUMBER, " kWh/m² ", SHORT_OF, "; without shade they would cover ", NUMBER, " m²"), (_, light, covered, short, needed, without) =>
    `Zu viel Schatten: Auf den Teilen mit mindestens ${shown(light)} kWh/m² im Jahr gilt: ${room(covered, short, needed)} Ohne Schatten wären es ${shown(without)} m².`],
  [rule("too shaded: ", NUMBER, " kWh/m² of ", NUMBER, " kWh/m² under an open sky, ", NUMBER, " kWh/m² short of ", NUMBER, " kWh/m²"), (_, light, open, short, needed) =>
    `Zu viel Schatten: Hier kommen ${shown(light)} kWh/m² im Jahr an, ohne Schatten wären es ${shown(open)}. Mindestens ${shown(needed)} kWh/m² sollten es sein, es fehlen ${shown(short)}.`],
  [rule("too little light as it faces: ", NUMBER, " kWh/m² under an open sky, ", NUMBER, " kWh/m² short of ", NUMBER, " kWh/m²"), (_, open, short, needed) =>
    `Ungünstig geneigt: Selbst ohne Schatten kämen nur ${shown(open)} kWh/m² im Jahr an. Mindestens ${shown(needed)} kWh/m² sollten es sein, es fehlen ${shown(short)}.`],
  [rule("north and steep: ", NUMBER, " kWh/m² under an open sky, ", NUMBER, " kWh/m² short of ", NUMBER, " kWh/m²"), (_, open, short, needed) =>
    `Nach Norden geneigt und steil: Selbst ohne Schatten kämen nur ${shown(open)} kWh/m² im Jahr an. Mindestens ${shown(needed)} kWh/m² sollten es sein, es fehlen ${shown(short)}.`],
  [rule("no data: ", NUMBER, "% of the plane without height"), (_, share) => `Zu wenig bekannt: Auf ${shown(share)} % dieser Fläche fehlen Höhenwerte.`],
  [rule("monument: needs a permit"), () => "Denkmal: Genehmigung nötig."],
  [rule("hidden by a neighbour"), () => "Ein Nachbarhaus verdeckt diese Wand ganz."],
  [rule("hidden by a neighbour but for ", NUMBER, " m² behind its roof"), (_, area) => `Ein Nachbarhaus verdeckt diese Wand bis auf ${shown(area)} m².`],
  [rule("no height of roof or terrain known at the wall"), () => "An dieser Wand sind Dach oder Gelände in den Höhendaten nicht bekannt."],
  [rule("roof not above the terrain at the wall"), () => "In den Höhendaten steht das Gebäude hier nicht über dem Gelände."],
  [rule("nothing of the wall stands free of what is before it"), () => "Vor dieser Wand steht etwas so dicht, dass nichts von ihr frei ist."],
  [rule("no laser point over the footprint"), () => "Über dem Gebäude liegt kein einziger Laserpunkt."],
];

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

// Pattern of the table's text → German sentence. A text that is not listed is shown as it is:
// better foreign than lost.
const GERMAN = [
  ...GERMAN_REASONS,
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
  [/^footprint is empty$/, () => "Der Gebäudeumriss ist leer."],
  [/^footprint has no geometry$/, () => "Der Gebäudeumriss fehlt."],
  [/^outside the surface model$/, () => "Das Gebäude liegt außerhalb des Höhenmodells."],
  [/^footprint covers no cell of the surface model$/, () => "Das Gebäude ist kleiner als eine Zelle des Höhenmodells."],
  [/^surface model has no data here$/, () => "Das Höhenmodell hat hier keine Werte."],
  [/^surface model shows nothing higher than (\S+) m above the terrain$/, (_, metres) => `Das Höhenmodell zeigt hier nichts, was höher als ${comma(metres)} m ist. Vielleicht stand das Gebäude bei der Aufnahme noch nicht, oder es steht nicht mehr.`],
  [/^no roof plane of at least (\S+) m² found: surface too rough, as under trees$/, (_, area) => `Hier wurde keine ebene Dachfläche von mindestens ${comma(area)} m² gefunden: Das Höhenmodell ist zu unruhig, zum Beispiel wegen Bäumen über dem Dach.`],
  [/^no roof plane of at least (\S+) m² found: only (\d+) cells of the surface model$/, (_, area, cells) => `Hier wurde keine ebene Dachfläche von mindestens ${comma(area)} m² gefunden: Das Gebäude hat nur ${cells} Messpunkte im Höhenmodell.`],
  ...GERMAN_LOD2,
  [/^(?:tile |walls )?failed: (.*)$/, (_, error) => `Die Berechnung ist fehlgeschlagen (${error}).`],
];

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

// A remark may go on after its semicolon with what would be "without" something.
const split = (text) => (text ?? "").split(/;(?!\s*without )/).map((part) => part.trim()).filter(Boolean);
const isFigure = (part) => FIGURES.some(([pattern]) => pattern.test(part));

/** Sentences of a semicolon-separated remark column, without the figures of the fit. */
export function remarks(text) {
  const parts = split(text).filter((part) => !isFigure(part));
  if (currentLanguage() !== "de") return parts.map(sentence);
  return parts.map((part) => {
    const found = GERMAN.find(([pattern]) => pattern.test(part));
    return found ? part.replace(...found) : sentence(part);
  });
}

/** The figures of the fit in one sentence; empty where there are none. */
export function figures(text) {
  const said = split(text).flatMap((part) => {
    const found = FIGURES.find(([pattern]) => pattern.test(part));
    return found ? [part.replace(found[0], found[1][currentLanguage()])] : [];
  });
  return said.length ? sentence(said.join("; ")) : "";
}
