// What the tables say in reason and data_quality, in plain words.
import { currentLanguage } from "./words.mjs";

// Pattern of the table's text (English, "; " between remarks) → German sentence; $1 is what the
// first bracket found. A text that is not listed is shown as it is: better foreign than lost.
const GERMAN = [];

/** Sentences of a semicolon-separated remark column. */
export function remarks(text) {
  const parts = (text ?? "").split(";").map((part) => part.trim()).filter(Boolean);
  if (currentLanguage() !== "de") return parts;
  return parts.map((part) => {
    const rule = GERMAN.find(([pattern]) => pattern.test(part));
    return rule ? part.replace(rule[0], rule[1]) : part;
  });
}
