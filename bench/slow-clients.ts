import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
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
 * good client and the crowd, a process each, to core 1: so what they cost each other is in the first ratio and not in the
 * second. WEIR_BENCH_ROUNDS and WEIR_BENCH_SECONDS say how many rounds, and how long each turn.
 */
const ROUNDS = Number(process.env['WEIR_BENCH_ROUNDS'] ?? 15);
const SECONDS = Number(process.env['WEIR_BENCH_SECONDS'] ?? 4);
const WARM_UP_SECONDS = 5;
const CROWD = 500;
/** What is measured are clients that hang on, not their coming: a quarter of them ask for 90 answers each when they do. */
const SETTLE_MS = 2_000;
const BAR = 1.1;
/** A byte of each slow client in so long. */
const DRIP_MS = 1_000;
const REQUEST = { method: 'POST', path: '/ee/v1/interact?configId=bench' };
const HEADERS = { 'content-type': 'text/plain; charset=UTF-8', origin: 'https://www.shop.test' };

async function main(): Promise<void> {
  const folder = mkdtempSync(join(process.env['WEIR_BENCH_DIR'] ?? tmpdir(), 'weir-bench-'));
  execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
  try {
    ensureBuild();
    writeInputs(folder);
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
  console.log(`${machine()}, ${ROUNDS} rounds of three turns of ${SECONDS} s, ${CROWD} slow clients`);
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
  const command = [
    '-c',
    '1',
    process.execPath,
    ...process.execArgv,
    fileURLToPath(import.meta.url),
    'crowd',
    String(crowdPort),
  ];
  const crowd = spawn('taskset', command, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
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

/**
 * The crowd: headers that come byte by byte, bodies that do, clients that ask and do not read, and clients that say
 * nothing, a quarter each. Whoever is cut off comes again. Goes on until its parent is gone.
 */
async function crowd(port: number): Promise<void> {
  const kinds = [slowHeaders, slowBody, slowReader, silent];
  await Promise.all(Array.from({ length: CROWD }, (_, i) => kinds[i % kinds.length]!(port)));
  process.once('disconnect', () => process.exit());
  process.send!('all are connected');
}

const HEAD = `POST ${REQUEST.path} HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n`;
const slowHeaders = (port: number): Promise<void> => hangOn(port, `${HEAD}X: `, 'x');
const slowBody = (port: number): Promise<void> => hangOn(port, `${HEAD}Content-Length: 10000\r\n\r\n`, 'x');
const slowReader = (port: number): Promise<void> =>
  hangOn(port, `OPTIONS ${REQUEST.path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(90), '');
const silent = (port: number): Promise<void> => hangOn(port, '', '');

function hangOn(port: number, start: string, drip: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(start);
      resolve();
    });
    const timer = drip === '' ? undefined : setInterval(() => socket.write(drip), DRIP_MS * (0.5 + Math.random()));
    socket
      .on('error', () => socket.destroy())
      .once('close', () => {
        clearInterval(timer);
        if (process.connected) setTimeout(() => void hangOn(port, start, drip), DRIP_MS);
      });
    // Who reads nothing is not told of the end; the others listen for it.
    if (drip !== '') socket.resume();
  });
}

const [role, port] = process.argv.slice(2);
if (role === 'crowd') await crowd(Number(port));
else await main();
