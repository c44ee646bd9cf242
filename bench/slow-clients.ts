import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ensureBuild } from '../scripts/lib/build.mjs';
import { machine } from './baseline.ts';
import { writeInputs } from './inputs.ts';
import { startSink, startWeir } from './targets.ts';

/**
 * What a good client notices of 500 that hang on: `npm run bench:slow`. It sends one page view after the other on one
 * connection, in turns alone, beside the crowd, and while the crowd hangs on another process that does nothing, so that a noisy
 * machine is noisy to all; figures are medians of the rounds' ratios. Weir and that other process are pinned to core 0; the
 * good client and the crowd, a process each, to core 1, where the crowd runs only while nobody else wants to: slow clients
 * are on machines of their own. What is left of it is in the first ratio and not in the second.
 *
 * Two scenes. `hanging`: all 500 are there from just before the turn until behind its end, which is sooner than the first of them
 * is cut off. `returning`: they come at times of their own, and whoever is cut off comes again, some 100 a second: a server pays
 * for new connections and refusals, and not for who hangs on. `npm run bench:slow -- returning bodies` plays one scene, with
 * a crowd of one kind, which says whose fault a figure is. WEIR_BENCH_ROUNDS says how many rounds.
 */
interface Scene {
  readonly rounds: number;
  /** Of each turn. */
  readonly seconds: number;
  /** In which all of the crowd come. */
  readonly arrivalMs: number;
  /** What is measured is not their coming. */
  readonly settleMs: number;
  /** What the 99th percentile beside the crowd may be of that while it hangs elsewhere; null where nothing is asked. */
  readonly bar: number | null;
}

const SCENES: Readonly<Record<string, Scene>> = {
  // Bodies are cut off after 2 s, the default deadline.
  hanging: { rounds: 61, seconds: 1.2, arrivalMs: 300, settleMs: 300, bar: 1.1 },
  // They come in as long as the longest of them but the readers lives.
  returning: { rounds: 15, seconds: 4, arrivalMs: 6_000, settleMs: 2_000, bar: null },
};
const WARM_UP_SECONDS = 5;
const CROWD = 500;
const REQUEST = { method: 'POST', path: '/ee/v1/interact?configId=bench' };
const HEADERS = { 'content-type': 'text/plain; charset=UTF-8', origin: 'https://www.shop.test' };

async function main(): Promise<void> {
  const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
  execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
  try {
    ensureBuild();
    writeInputs(folder);
    writePage(join(folder, 'workspace'));
    const weir = await startWeir(folder);
    const sink = await startSink();
    try {
      for (const name of sceneNames) await compare(name, weir.port, sink.port, folder);
    } finally {
      await Promise.all([weir.stop(), sink.stop()]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(name: string, port: number, sinkPort: number, folder: string): Promise<void> {
  const scene = SCENES[name]!;
  const rounds = Number(process.env['WEIR_BENCH_ROUNDS'] ?? scene.rounds);
  const [cookie] = readFileSync(join(folder, 'cookies'), 'utf8').split('\n');
  const body = Buffer.from(readFileSync(join(folder, 'body-known'), 'utf8').replace('@COOKIE@', cookie!));
  console.log(
    `${machine()}, ${rounds} rounds of three turns of ${scene.seconds} s, ${CROWD} slow clients, ${name}: ${kindNames.join(', ')}`,
  );
  await latencies(port, body, WARM_UP_SECONDS);
  const turns = [
    () => latencies(port, body, scene.seconds),
    () => beside(name, port, port, body),
    () => beside(name, port, sinkPort, body),
  ] as const;
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    const spreads: Spread[] = [];
    // Each comes first as often.
    for (let i = 0; i < turns.length; i++) {
      const turn = (round + i) % turns.length;
      spreads[turn] = await turns[turn]!();
    }
    const [alone, beside, elsewhere] = spreads as [Spread, Spread, Spread];
    measured.push({ alone, beside, elsewhere });
  }
  report(measured, scene.bar);
}

interface Spread {
  readonly requests: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

interface Round {
  readonly alone: Spread;
  readonly beside: Spread;
  /** The crowd hung on the other process. */
  readonly elsewhere: Spread;
}

/** `crowdPort`: what the crowd hangs on. */
async function beside(name: string, port: number, crowdPort: number, body: Buffer): Promise<Spread> {
  const { seconds, settleMs } = SCENES[name]!;
  const self = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)];
  const command = ['--idle', '0', 'taskset', '-c', '1', ...self, 'crowd', String(crowdPort), name, ...kindNames];
  const crowd = spawn('chrt', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const failed = once(crowd, 'exit').then(([code]) => {
    throw new Error(`The crowd ended with exit code ${code} before it was there.`);
  });
  await Promise.race([once(crowd, 'message'), failed]);
  failed.catch(() => {}); // From now on its end is waited for below.
  await sleep(settleMs);
  const spread = await latencies(port, body, seconds);
  const gone = once(crowd, 'exit');
  crowd.disconnect();
  await gone;
  return spread;
}

async function latencies(port: number, body: Buffer, seconds: number): Promise<Spread> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  const endMs = performance.now() + seconds * 1_000;
  while (performance.now() < endMs) {
    const startMs = performance.now();
    const sent = request({ ...REQUEST, port, agent, headers: { ...HEADERS, 'content-length': body.length } });
    sent.end(body);
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    if (answer.statusCode !== 200) throw new Error(`The good client was answered with ${answer.statusCode}.`);
    times.push(performance.now() - startMs);
  }
  agent.destroy();
  times.sort((a, b) => a - b);
  const at = (share: number): number => times[Math.floor(times.length * share)]!;
  return { requests: times.length, p50: at(0.5), p99: at(0.99) };
}

function report(rounds: readonly Round[], bar: number | null): void {
  for (const key of ['p50', 'p99'] as const) {
    const of = (turn: keyof Round): string => median(rounds.map((round) => round[turn][key])).toFixed(2);
    const ratio = (than: 'alone' | 'elsewhere'): number[] =>
      rounds.map((round) => round.beside[key] / round[than][key]).sort((a, b) => a - b);
    console.log(
      `${key}: alone ${of('alone')} ms, beside the crowd ${of('beside')} ms, while it hangs elsewhere ${of('elsewhere')} ms; ` +
        `than alone ${shown(ratio('alone'))}; than elsewhere ${shown(ratio('elsewhere'))}${key === 'p99' && bar !== null ? judged(ratio('elsewhere'), bar) : ''}`,
    );
  }
  console.log(`${median(rounds.map(({ alone }) => alone.requests))} requests in each turn`);
}

/** The middle one, and those between which half of them lie. */
function shown(sorted: readonly number[]): string {
  const [quarter, half, three] = [0.25, 0.5, 0.75].map((share) =>
    sorted[Math.floor(sorted.length * share)]!.toFixed(2),
  );
  return `${half} times (half of the rounds ${quarter} to ${three})`;
}

function judged(sorted: readonly number[], bar: number): string {
  return `, bar ${bar}: ${median(sorted) < bar ? 'met' : 'missed'}`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** What clients that do not read ask for: too large for what the kernel keeps of it, so that the server has to. */
const PAGE_BYTES = 1024 * 1024;

function writePage(workspace: string): void {
  mkdirSync(join(workspace, 'site'));
  writeFileSync(join(workspace, 'site/index.html'), 'x'.repeat(PAGE_BYTES));
  writeFileSync(join(workspace, 'weir.yaml'), 'site: { root: site }\n');
}

const HEAD = `POST ${REQUEST.path} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n`;
/** What each kind of slow client sends at once, and what it sends of the rest again and again. */
const KINDS: Readonly<Record<string, readonly [start: string, drip: string]>> = {
  headers: [`${HEAD}X: `, 'x'],
  bodies: [`${HEAD}Content-Length: 10000\r\n\r\n`, 'x'],
  /** Ask, and do not read. */
  readers: ['GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(4), ''],
  silent: ['', ''],
};

/** As many of each kind. Whoever is cut off comes again. Goes on until its parent is gone. */
async function crowd(port: number, { arrivalMs }: Scene): Promise<void> {
  const kinds = kindNames.map((name) => KINDS[name]!);
  await Promise.all(
    Array.from({ length: CROWD }, async (_, i) => {
      await sleep(arrivalMs * Math.random());
      await hangOn(port, ...kinds[i % kinds.length]!);
    }),
  );
  process.once('disconnect', () => process.exit());
  process.send!('all are connected');
}

function hangOn(port: number, start: string, drip: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(start);
      resolve();
    });
    const timer = drip === '' ? undefined : setInterval(() => socket.write(drip), pauseMs());
    socket
      .on('error', () => socket.destroy())
      .once('close', () => {
        clearInterval(timer);
        if (process.connected) setTimeout(() => void hangOn(port, start, drip), pauseMs());
      });
    // Who reads nothing is not told of the end; the others listen for it.
    if (start !== KINDS['readers']![0]) socket.resume();
  });
}

/** From one byte of a slow client to the next, and from its end until it comes again: half of this to one and a half. */
const PAUSE_MS = 1_000;

function pauseMs(): number {
  return PAUSE_MS * (0.5 + Math.random());
}

const [role = '', port, crowdScene = ''] = process.argv.slice(2);
const names = role === 'crowd' ? process.argv.slice(4) : process.argv.slice(2);
for (const name of names) {
  if (Object.hasOwn(KINDS, name) || Object.hasOwn(SCENES, name)) continue;
  const known = `the kinds ${Object.keys(KINDS).join(', ')} and the scenes ${Object.keys(SCENES).join(', ')}`;
  throw new Error(`There are no slow clients '${name}'; there are ${known}.`);
}
const kindNames = chosen(KINDS);
const sceneNames = chosen(SCENES);
if (role === 'crowd') await crowd(Number(port), SCENES[crowdScene]!);
else await main();

/** Of what there is, what was asked for; all of it where nothing was. */
function chosen(there: Readonly<Record<string, unknown>>): readonly string[] {
  const asked = names.filter((name) => Object.hasOwn(there, name));
  return asked.length > 0 ? asked : Object.keys(there);
}
