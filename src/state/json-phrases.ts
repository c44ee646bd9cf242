/**
 * JSON made shorter by the phrases that stand in every person. JSON text holds no control characters (they are escaped), so
 * each of them may stand for a phrase: what comes out has another length, and says the same, whatever the text was.
 * A person with a choice takes 30 bytes in place of 115. Reading costs 0.4 µs more, and persons who come again are cached.
 *
 * The list is part of the database's format: a phrase stands for its number, so none may move or change.
 */
const PHRASES: readonly string[] = [
  '"collect":{"val":"',
  '{"consent":{"value":{',
  ',"consent":{"value":{',
  '{"identity":{"links":[["',
  ',"identity":{"links":[["',
  '"},"version":"2.0"},"time":"',
  '"},"version":"1.0"},"time":"',
  '},"time":"',
  '-0000","record":"0:',
  '","record":"0:',
  '","authenticated",',
  '","ambiguous",',
  ']],"time":"',
  '"],["',
  'ECID","',
  'CRMID","',
  'Email","',
  'Email_LC_SHA256","',
  'Phone","',
  '"metadata":{"time":"',
  '"personalize":{"content":{"val":"',
  '"share":{"val":"',
  '"adID":{"val":"',
  '"marketing":{"any":{"val":"',
  '"},"',
  '"tcf":{"version":"2.2","hash":"',
  '","gdprApplies":true,"gdprContainsPersonalData":false,"purposes":[',
  '1,2,3,4,5,6,7,8,9,10',
  '],"vendors":"',
  '","lastUpdatedMs":',
  'ffffffff',
];

const FIRST_CODE = 1;

const CODES: ReadonlyMap<string, string> = new Map(
  PHRASES.map((phrase, index) => [phrase, String.fromCharCode(FIRST_CODE + index)]),
);

/** Longer ones first: some begin as others do. */
const PHRASE = new RegExp(
  [...PHRASES]
    .sort((a, b) => b.length - a.length)
    .map((phrase) => phrase.replaceAll(/[[\]{}.,:]/g, String.raw`\$&`))
    .join('|'),
  'g',
);

/** `json`: as `JSON.stringify` writes it. */
export function shortened(json: string): string {
  return json.replace(PHRASE, (phrase) => CODES.get(phrase)!);
}

/** A loop: `replace` with a function takes three times as long (Node 20). */
export function restored(text: string): string {
  let json = '';
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const index = text.charCodeAt(at) - FIRST_CODE;
    if (index < 0 || index >= PHRASES.length) continue;
    json += from === at ? PHRASES[index]! : text.slice(from, at) + PHRASES[index]!;
    from = at + 1;
  }
  return from === 0 ? text : json + text.slice(from);
}
