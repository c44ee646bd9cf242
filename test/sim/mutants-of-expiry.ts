import { type Mutant, mutant } from './mutant.ts';

/** Bugs in what removes events that have expired, and keeps choices, erasures and receipts of what is dropped. */

const EXPIRY = 'src/expiry.ts';
const EXPIRING_FILE = 'src/log/expiring.ts';
const HIDDEN = 'src/log/hidden.ts';
const PROOFS = 'src/log/proofs.ts';
const UPKEEP = 'src/log/upkeep.ts';
const KEEP_PROOFS = 'await keepProofs(this.#deps, ref, segments[i + 1]!.firstOffset, () => this.#checkOpen());';
const REPLACE_PROOFS = 'replaceFile(fs, folder, name, Buffer.concat(proofs.map(encode)))';
const UNSYNCED_PROOFS = `(async () => {
    const file = await fs.open(\`\${folder}/\${name}.new\`, 'create');
    const bytes = Buffer.concat(proofs.map(encode));
    for (let at = 0; at < bytes.length; ) at += await file.write(bytes, at, bytes.length - at, at);
    await file.close();
    await fs.rename(\`\${folder}/\${name}.new\`, \`\${folder}/\${name}\`);
    await fs.syncDirectory(folder);
  })()`;
const UNNAMED_PROOFS = UNSYNCED_PROOFS.replace(
  'await file.close();',
  'await file.datasync();\n    await file.close();',
).replace('    await fs.syncDirectory(folder);\n', '');

function expiring(name: string, file: string, find: string, replace: string): Mutant {
  return mutant(name, file, find, replace, 'expiry');
}

export const EXPIRING: readonly Mutant[] = [
  expiring('choices are not synced before their segment is dropped', PROOFS, REPLACE_PROOFS, UNSYNCED_PROOFS),
  expiring('the name of a file of choices is not synced', PROOFS, REPLACE_PROOFS, UNNAMED_PROOFS),
  expiring('choices go with the segment that is dropped', UPKEEP, KEEP_PROOFS, ''),
  expiring(
    'a segment is dropped before its choices are kept',
    UPKEEP,
    KEEP_PROOFS,
    `await dropSegment(fs, directory, ref);\n      ${KEEP_PROOFS}`,
  ),
  expiring('a removed file of choices comes back', PROOFS, 'await fs.syncDirectory(`$', 'await Promise.resolve(`$'),
  expiring(
    'choices go while state needs them',
    EXPIRING_FILE,
    'isCovered ? ages.proofsMaxAgeMs : Number.POSITIVE_INFINITY',
    'isCovered || true ? ages.proofsMaxAgeMs : 0',
  ),
  expiring(
    'a rule is for every datastream',
    EXPIRING_FILE,
    'const rule = rules.get(record.datastreamId);',
    'const [rule] = rules.values();',
  ),
  expiring('a rule removes what it hides at once', HIDDEN, 'sinceMs <= before', 'sinceMs <= before + RULE_SETTLES_MS'),
  expiring(
    'a pass goes by a clock that jumped just now',
    EXPIRY,
    '    if (Math.abs(offsetMs - this.#offsetMs) > CLOCK_JUMP_MS) this.#steadySinceMs = atMs;\n',
    '',
  ),
  expiring(
    'a pass is made as soon as a process starts',
    EXPIRY,
    'return atMs - this.#steadySinceMs >= CLOCK_STEADY_MS;',
    'return true;',
  ),
  expiring(
    'rules that a full disk refused are not written again',
    EXPIRY,
    '    if (!this.#areRulesWritten) await this.#write(log.rules);\n',
    '',
  ),
  expiring('the newest segment does not expire', EXPIRING_FILE, '      await attempt(() => this.#seal(ages));\n', ''),
];
