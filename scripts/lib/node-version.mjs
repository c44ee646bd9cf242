import { readFileSync } from 'node:fs';
import { SetupError } from './say.mjs';

/** Whether `version` ("v20.20.2") is in `range`, which is of the form "^20.20.2 || >=24.14.1". */
export function satisfies(version, range) {
  const have = numbers(version.slice(1));
  return range.split('||').some((part) => {
    const [, operator, text] = /^(\^|>=)(\d+\.\d+\.\d+)$/.exec(part.trim()) ?? [];
    if (text === undefined) throw new Error(`'engines.node' has a part that is not understood: '${part.trim()}'`);
    const least = numbers(text);
    if (operator === '^' && have[0] !== least[0]) return false;
    return atLeast(have, least);
  });
}

function numbers(text) {
  return text.split('-')[0].split('.').map(Number);
}

function atLeast(have, least) {
  for (let i = 0; i < 3; i++) if (have[i] !== least[i]) return have[i] > least[i];
  return true;
}

/** Throws where this Node is none that package.json names. */
export function checkNode() {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (satisfies(process.version, engines.node)) return;
  throw new SetupError(
    `Weir needs Node ${engines.node}; this is ${process.version} (${process.execPath}). Install one of those lines and try again.`,
  );
}
