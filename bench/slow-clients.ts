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
 * good client and the crowd, a process each, to core 1. The crowd gives way to the good client there, as far as a scheduler lets
 * it: slow clients are on machines of their own. What is left of it is in the first ratio and not in the second.
 * `npm run bench:slow -- bodies` makes up the crowd of one kind, which says whose fault a figure is. WEIR_BENCH_ROUNDS and
 * WEIR_BENCH_SECONDS say how many rounds, and how long each turn.
 */
const ROUNDS = Number(process.env['WEIR_BENCH_ROUNDS'] ?? 15);
const SECONDS = Number(process.env['WEIR_BENCH_SECONDS'] ?? 4);
const WARM_UP_SECONDS = 5;
const CROWD = 500;
/** Of each slow client, once: they come at times of their own, in as long as the longest of them lives. */
const ARRIVAL_MS = 6_000;
/** What is measured are clients that hang on, not their coming. */
const SETTLE_MS = 2_000;
/** How much less of a processor the crowd gets than the good client, as `nice` counts. */
const CROWD_NICENESS = 10;
const BAR = 1.1;
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
      await compare(weir.port, sink.port, folder);
    } finally {
      await Promise.all([weir.stop(), sink.stop()]);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(port: number, sinkPort: number, folder: string): Promise<void> {
  const [cookie] = readFileSync(join(folder, 'cookies'), 'utf8').split('\n');
  const body = Buffer.from(readFileSync(join(folder, 'body-known'), 'utf8').replace('@COOKIE@', cookie!));
  console.log(`${machine()}, ${ROUNDS} rounds of three turns of ${SECONDS} s, ${CROWD} slow clients: ${kindNames}`);
  await latencies(port, body, WARM_UP_SECONDS);
  const turns = [
    () => latencies(port, body, SECONDS),
    () => beside(port, port, body),
    () => beside(port, sinkPort, body),
  ] as const;
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const spreads: Spread[] = [];
    // Each comes first as often.
    for (let i = 0; i < turns.length; i++) {
      const turn = (round + i) % turns.length;
      spreads[turn] = await turns[turn]!();
    }
    const [alone, beside, elsewhere] = spreads as [Spread, Spread, Spread];
    rounds.push({ alone, beside, elsewhere });
  }
  report(rounds);
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
async function beside(port: number, crowdPort: number, body: Buffer): Promise<Spread> {
  const self = [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)];
  const command = ['-n', String(CROWD_NICENESS), 'taskset', '-c', '1', ...self, 'crowd', String(crowdPort), kindNames];
  const crowd = spawn('nice', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const failed = once(crowd, 'exit').then(([code]) => {
    throw new Error(`The crowd ended with exit code ${code} before it was there.`);
  });
  await Promise.race([once(crowd, 'message'), failed]);
  failed.catch(() => {}); // From now on its end is waited for below.
  await sleep(SETTLE_MS);
  const spread = await latencies(port, body, SECONDS);
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

function report(rounds: readonly Round[]): void {
  for (const key of ['p50', 'p99'] as const) {
    const of = (turn: keyof Round): string => median(rounds.map((round) => round[turn][key])).toFixed(2);
    const ratio = (than: 'alone' | 'elsewhere'): number[] =>
      rounds.map((round) => round.beside[key] / round[than][key]).sort((a, b) => a - b);
    console.log(
      `${key}: alone ${of('alone')} ms, beside the crowd ${of('beside')} ms, while it hangs elsewhere ${of('elsewhere')} ms; ` +
        `than alone ${shown(ratio('alone'))}${key === 'p99' ? judged(ratio('alone')) : ''}; than elsewhere ${shown(ratio('elsewhere'))}`,
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

function judged(sorted: readonly number[]): string {
  return `, bar ${BAR}: ${median(sorted) < BAR ? 'met' : 'missed'}`;
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
async function crowd(port: number): Promise<void> {
  const kinds = kindNames.split(',').map((name) => KINDS[name]!);
  await Promise.all(
    Array.from({ length: CROWD }, async (_, i) => {
      await sleep(ARRIVAL_MS * Math.random());
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

const [role = '', port] = process.argv.slice(2);
const kindNames = (role === 'crowd' ? process.argv[4] : role) || Object.keys(KINDS).join();
if (kindNames.split(',').some((name) => !Object.hasOwn(KINDS, name)))
  throw new Error(`There are no slow clients of the kind '${kindNames}'; there are ${Object.keys(KINDS).join(', ')}.`);
if (role === 'crowd') await crowd(Number(port));
else await main();
