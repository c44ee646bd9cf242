import { posix } from 'node:path';
import { importsOf } from './sources.ts';

/** Who may import whom. Keys and values are folders of src, or files directly in it, or one file of a folder. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  model: [],
  telemetry: ['model'],
  language: ['model'],
  net: ['model'],
  endpoints: ['model'],
  decisions: ['model', 'language'],
  reports: ['model', 'language'],
  replays: ['model', 'language', 'decisions', 'reports/fingerprints.ts'],
  config: ['model', 'language', 'telemetry'],
  stages: ['model', 'telemetry'],
  log: ['model', 'telemetry'],
  state: ['model', 'telemetry'],
  sinks: ['model', 'net', 'telemetry'],
  enrichments: ['model', 'language', 'decisions', 'net', 'telemetry'],
  handles: ['model', 'language', 'decisions', 'net', 'telemetry'],
  profiles: ['model', 'language', 'decisions', 'net', 'telemetry'],
  forward: ['model', 'language', 'decisions', 'net', 'telemetry'],
  gateway: ['model', 'stages/run.ts', 'config', 'net', 'telemetry'],
  admin: ['model', 'config', 'net', 'telemetry'],
  'components.ts': ['model', 'endpoints', 'stages', 'enrichments', 'handles', 'profiles', 'log', 'state', 'sinks'],
  'server.ts': [
    ...['model', 'telemetry', 'language', 'net', 'endpoints', 'decisions', 'config', 'stages', 'log', 'state', 'sinks'],
    ...['enrichments', 'handles', 'profiles', 'forward', 'gateway', 'admin', 'components.ts', 'storage.ts'],
    'administration.ts',
    'identity-tools.ts',
    'decision-tools.ts',
  ],
  import: ['model'],
  'identity-tools.ts': ['config', 'stages', 'telemetry'],
  'decision-tools.ts': ['model', 'config', 'decisions', 'language', 'net', 'stages', 'telemetry'],
  'importing.ts': [
    ...['model', 'config', 'gateway', 'net', 'stages', 'import', 'telemetry', 'components.ts', 'storage.ts'],
    'identity-tools.ts',
    'decision-tools.ts',
  ],
  'live-reports.ts': ['model', 'reports'],
  'administration.ts': [
    ...['model', 'telemetry', 'net', 'config', 'log/lock.ts', 'admin', 'storage.ts', 'persons.ts'],
    ...['live-reports.ts', 'reports', 'previewing.ts'],
  ],
  erasing: ['model'],
  'person-tools.ts': [
    ...['model', 'telemetry', 'config', 'admin', 'log/lock.ts', 'erasing', 'persons.ts', 'storage.ts'],
  ],
  'persons.ts': ['model', 'admin', 'erasing', 'erasures.ts', 'storage.ts'],
  'erasures.ts': ['model', 'log', 'state', 'erasing'],
  'expiry.ts': ['model', 'log'],
  'storage.ts': [
    ...[
      'model',
      'telemetry',
      'config',
      'stages',
      'log',
      'state',
      'components.ts',
      'erasing',
      'erasures.ts',
      'expiry.ts',
    ],
  ],
  'kept-definitions.ts': ['model', 'log/io.ts', 'log/node-fs.ts'],
  'reporting.ts': ['model', 'config', 'reports', 'kept-definitions.ts', 'storage.ts'],
  'previewing.ts': ['model', 'config', 'stages', 'decision-tools.ts'],
  'folding.ts': ['model', 'replays', 'storage.ts', 'log/io.ts', 'log/node-fs.ts', 'state/snapshot-file.ts'],
  'replaying.ts': [...['model', 'config', 'replays', 'reports/fingerprints.ts', 'kept-definitions.ts', 'folding.ts']],
  'explaining.ts': ['model', 'replays', 'explanations', 'kept-definitions.ts', 'folding.ts'],
  explanations: ['model', 'decisions', 'replays'],
  cli: [
    ...['server.ts', 'importing.ts', 'reporting.ts', 'replaying.ts', 'explaining.ts', 'person-tools.ts'],
    ...['previewing.ts', 'config', 'model'],
  ],
  'main.ts': ['cli'],
};

/** Folders whose code is pure: nothing of Node, so no clock, file or socket can slip in. */
const PURE = ['model', 'language', 'decisions', 'endpoints', 'handles', 'reports', 'replays', 'explanations'];

/** Where each package from outside is used: one folder each, so that it can be replaced. */
const PACKAGES: Readonly<Record<string, string>> = {
  lmdb: 'state',
  yaml: 'config',
  pino: 'telemetry',
  fastify: 'admin',
  tldts: 'net',
  jose: 'gateway',
  '@iabtcf/core': 'stages',
  '@opentelemetry/api': 'telemetry',
  '@opentelemetry/resources': 'telemetry',
  '@opentelemetry/sdk-trace-node': 'telemetry',
  '@opentelemetry/exporter-trace-otlp-http': 'telemetry',
  re2js: 'language',
  'ua-parser-js': 'net',
  isbot: 'net',
};

/** Only the gateway and the admin plane know HTTP; what net knows of it is the shape of a request's headers. */
const HTTP = ['gateway', 'admin', 'net'];

/** The one file through which the event log touches the disk, and the lock that only a real disk can give. */
const LOG_DISK = ['src/log/node-fs.ts', 'src/log/lock.ts'];

/** `sources`: TypeScript files of src by path ("src/log/file.ts"). Returns what is wrong, a sentence each. */
export function importProblems(sources: ReadonlyMap<string, string>): readonly string[] {
  const problems: string[] = [];
  for (const [file, text] of sources) {
    for (const { specifier } of importsOf(text)) {
      const problem = specifier.startsWith('.')
        ? innerProblem(file, specifier, sources)
        : outerProblem(file, specifier);
      if (problem !== null) problems.push(`${file} imports '${specifier}': ${problem}`);
    }
  }
  return [...problems, ...siblingProblems(sources), ...cycleProblems(sources)];
}

function innerProblem(file: string, specifier: string, sources: ReadonlyMap<string, string>): string | null {
  const target = resolve(file, specifier);
  if (!specifier.endsWith('.ts')) return 'imports of our own files end in .ts';
  if (!sources.has(target)) return 'there is no such file in src';
  const from = areaOf(file);
  const to = areaOf(target);
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined)
    return `'${from}' is not in the list of who may import whom (test/support/import-rules.ts)`;
  if (from === to || allowed.includes(to) || allowed.includes(target.slice('src/'.length))) return null;
  return `${from} may import only ${[from, ...allowed].join(', ')}`;
}

function outerProblem(file: string, specifier: string): string | null {
  const area = areaOf(file);
  if (!specifier.startsWith('node:')) {
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    const home = PACKAGES[name];
    if (home === undefined) return 'it is no runtime dependency that the house knows';
    return area === home ? null : `only ${home} uses ${name}`;
  }
  if (PURE.includes(area)) return `${area} is pure and uses nothing of Node`;
  if (/^node:https?$/.test(specifier) && !HTTP.includes(area)) return 'only the gateway and the admin plane know HTTP';
  if (/^node:fs/.test(specifier) && area === 'log' && !LOG_DISK.includes(file)) {
    return 'the log touches the disk only through the Fs interface';
  }
  return null;
}

/** Parts (what components.ts lists) never import each other. */
function siblingProblems(sources: ReadonlyMap<string, string>): readonly string[] {
  const components = 'src/components.ts';
  const parts = new Set(
    importsOf(sources.get(components) ?? '')
      .map(({ specifier }) => specifier)
      .filter((specifier) => /^\.\/(endpoints|stages|enrichments|handles|sinks)\//.test(specifier))
      .map((specifier) => resolve(components, specifier)),
  );
  return [...parts].flatMap((part) =>
    importsOf(sources.get(part) ?? '')
      .map(({ specifier }) => specifier)
      .filter((specifier) => specifier.startsWith('.') && isOtherPart(parts, part, resolve(part, specifier)))
      .map((specifier) => `${part} imports '${specifier}': parts never import each other`),
  );
}

/** A part may import a tool that components.ts hands around, such as the window of duplicates: that is no part by itself. */
const TOOLS = ['choices-under-way', 'deciding', 'duplicates', 'fpid', 'tc-strings'].map(
  (name) => `src/stages/${name}.ts`,
);

function isOtherPart(parts: ReadonlySet<string>, part: string, target: string): boolean {
  return target !== part && parts.has(target) && !TOOLS.includes(target);
}

/** Types that name each other are no circle: nothing of them is left to load. */
function cycleProblems(sources: ReadonlyMap<string, string>): readonly string[] {
  const done = new Set<string>();
  const problems: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) problems.push(`import cycle: ${[...path.slice(start), file].join(' → ')}`);
    if (start !== -1 || done.has(file)) return;
    for (const { specifier, isType } of importsOf(sources.get(file) ?? '')) {
      if (specifier.startsWith('.') && !isType) visit(resolve(file, specifier), [...path, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
  return problems;
}

function resolve(file: string, specifier: string): string {
  return posix.join(posix.dirname(file), specifier);
}

/** "src/log/file.ts" → "log", "src/server.ts" → "server.ts". */
function areaOf(file: string): string {
  return file.split('/')[1]!;
}
