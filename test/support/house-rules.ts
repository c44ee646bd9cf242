/** Rules of style that the linter does not know. Each line of a file is held against them. */

export const LINES_MAX = 300;
/** Tables of cases are long, and read from top to bottom. */
export const TEST_LINES_MAX = 450;

interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
  /** A comment on the line, or on the one before it, says why it has to be. */
  readonly mayBeExplained?: true;
}

/** Words are put together here, so that this file does not break its own rules. */
function pattern(...parts: readonly string[]): RegExp {
  return new RegExp(parts.join(''));
}

const CODE: readonly Rule[] = [
  { pattern: /\b(class|interface|type|function)\s+\w*(Manager|Helper|Utils?)\b/, why: 'a name that says nothing' },
  { pattern: /\bcatch\s*(\([^)]*\)\s*)?\{\s*\}/, why: 'a catch that hides', mayBeExplained: true },
  { pattern: /\.catch\(\s*\(\w*\)\s*=>\s*\{\s*\}\s*\)/, why: 'a catch that hides', mayBeExplained: true },
  { pattern: /@ts-(ignore|nocheck|expect-error)\b/, why: 'the compiler is not to be silenced' },
  { pattern: pattern('\\b(TO', 'DO|FIX', 'ME)\\b:?'), why: 'unfinished work' },
];

const SOURCE: readonly Rule[] = [
  { pattern: /\b(class|interface|type)\s+(Event|Request|Response)\b/, why: 'a name that hides one of the platform' },
  { pattern: /\bconsole\.\w+\(/, why: 'the program logs through telemetry/log.ts' },
  {
    pattern: /\.#?\w+ = (async )?(\([^()]*\)(: [^=]+)?|\w+) =>|\.#?\w+ = (async )?function\b/,
    why: 'a function written straight into a property: V8 makes it among the old objects, and it holds what it knows until a full garbage collection. Name it first',
  },
];

const TESTS: readonly Rule[] = [
  { pattern: /\b(it|test|describe)\.(skip|only|todo|skipIf|runIf|fails)\b/, why: 'every test runs, always' },
  {
    pattern: pattern('\\bvi\\.wait', '(For|Until)\\b'),
    why: 'it gives up after a second: expect.poll waits for busy machines',
  },
];

/** Nothing in the repository speaks of how and where it was written. */
const ANYWHERE: readonly Rule[] = [
  { pattern: pattern('(^|[^\\w.])/(wo', 'rk|ro', 'ot|fa', 'rm)/'), why: "a path of somebody's machine" },
  { pattern: pattern('registry\\.npm', 'js|deb\\.deb', 'ian|pypi\\.', 'org'), why: 'a registry by its host' },
  { pattern: pattern('[Ss]ub', 'agent|fa', 'rm-'), why: "how it was written is nobody's business" },
];

const BANNED_NAMES = /(^|\/)(utils?|helpers?|managers?|common|misc)(\.\w+)?(\/|$)/;

/** What is wrong with a file, a sentence each. `path` with '/' as separator, relative to the root. */
export function houseProblems(path: string, text: string): readonly string[] {
  const isCode = /\.(ts|mts|mjs|js)$/.test(path);
  const isTest = path.startsWith('test/');
  const rules = [
    ...ANYWHERE,
    ...(isCode ? CODE : []),
    ...(isCode && path.startsWith('src/') ? SOURCE : []),
    ...(isCode && isTest ? TESTS : []),
  ];
  const lines = text.split('\n');
  const problems = rules.flatMap((rule) => brokenAt(rule, lines).map((line) => `${path}:${line + 1}: ${rule.why}`));
  if (BANNED_NAMES.test(path)) problems.push(`${path}: a name that says nothing`);
  const linesMax = isTest ? TEST_LINES_MAX : LINES_MAX;
  if (isCode && lines.length - 1 > linesMax) {
    problems.push(`${path}: ${lines.length - 1} lines, more than ${linesMax}: which two ideas does it hold?`);
  }
  return problems;
}

/** Indexes of the lines that break the rule. */
function brokenAt(rule: Rule, lines: readonly string[]): readonly number[] {
  const isExplained = (index: number): boolean =>
    rule.mayBeExplained === true && [lines[index - 1], lines[index]].some((line) => line?.includes('// ') === true);
  return lines.flatMap((line, index) => (rule.pattern.test(line) && !isExplained(index) ? [index] : []));
}
