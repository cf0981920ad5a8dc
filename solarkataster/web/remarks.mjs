// What the tables say in reason and data_quality, in plain words.
import { currentLanguage } from "./words.mjs";

const comma = (number) => number.replace(".", ",");

// Pattern of the table's text → German sentence. A text that is not listed is shown as it is:
// better foreign than lost.
const GERMAN = [
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
  [/^(?:tile )?failed: (.*)$/, (_, error) => `Die Berechnung ist fehlgeschlagen (${error}).`],
];

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** Sentences of a semicolon-separated remark column. */
export function remarks(text) {
  const parts = (text ?? "").split(";").map((part) => part.trim()).filter(Boolean);
  if (currentLanguage() !== "de") return parts.map(sentence);
  return parts.map((part) => {
    const rule = GERMAN.find(([pattern]) => pattern.test(part));
    return rule ? part.replace(...rule) : sentence(part);
  });
}
