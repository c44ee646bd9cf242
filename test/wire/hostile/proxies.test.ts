import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Gateway } from '../../../src/gateway/gateway.ts';
import { type Conversation, converse } from '../../support/conversation.ts';
import { type Forwarded, type Front, type FrontOptions, haproxyFront, nginxFront } from '../../support/fronts.ts';
import { startWeir, type Weir } from '../../support/weir.ts';
import { CASE_ID, good } from './case.ts';
import { CORPUS } from './corpus.ts';
import { markOfId, markOfTarget, marksOf, type Said, saidOf } from './said.ts';

/**
 * The corpus again, through real proxies that share their connections to Weir among clients. Whatever a proxy makes of a
 * case, both have to see the same requests: one that only Weir sees was smuggled past the proxy, and the answer to it
 * would go to another client.
 */
const FRONTS: readonly (readonly [name: string, letter: string, start: (options: FrontOptions) => Promise<Front>])[] = [
  ['nginx as it comes', 'n', (options) => nginxFront(options, '', '')],
  [
    'nginx that keeps connections, passes bodies on as they come, and takes odd headers',
    'k',
    (options) =>
      nginxFront(
        options,
        `proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_request_buffering off;
    ignore_invalid_headers off;
    underscores_in_headers on;
    merge_slashes off;`,
        'keepalive 8;',
      ),
  ],
  ['HAProxy that shares connections', 'h', (options) => haproxyFront(options, '')],
  [
    'HAProxy that shares connections and takes invalid requests',
    'l',
    (options) => haproxyFront(options, 'option accept-invalid-http-request'),
  ],
];
/** Clients at once: the connections to Weir are shared among them. */
const CLIENTS = 8;

describe.each(FRONTS)('%s', (_name, letter, start) => {
  const cases = Object.values(CORPUS)
    .flat()
    .map((one, index) => saidOf(one, index, letter));
  let weir: Weir;
  let front: Front | null = null;
  /** By case: what Weir understood, what the proxy says, what the client heard. */
  let seen: readonly Seen[];
  let forwarded: readonly (Forwarded & Seen)[];
  const heard = new Map<string, Conversation>();
  const neighbours: [expected: string, heard: readonly string[]][] = [];

  beforeAll(async () => {
    const watch = watchRequests();
    weir = await startWeir();
    const folder = join(weir.data, '..', 'front');
    mkdirSync(folder);
    front = await start({ folder, edge: weir.edge });
    const queue = [...cases];
    const client = async (): Promise<void> => {
      for (let said = queue.shift(); said !== undefined; said = queue.shift()) {
        heard.set(said.id, await say(front!.url, said));
        neighbours.push([`200 ${said.id}v`, await goodAnswerTo(front!.url, `${said.id}v`)]);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    forwarded = (await front.stop())
      .filter(({ isForwarded }) => isForwarded)
      .map((one) => ({ ...one, ...seenOf(one.method, one.target) }));
    seen = watch.stop();
  });
  afterAll(async () => {
    vi.restoreAllMocks(); // Also where the start has failed: or the next front's watch would watch itself.
    await front?.stop();
    await weir?.stop();
  });

  test('Weir understood no request that the proxy did not forward, and none in another order', () => {
    const whatOf = (list: readonly Seen[], connection: string): readonly string[] => {
      const what = list.filter((one) => connectionOf(one) === connection).map((one) => one.what);
      // What tells no case is of several, whose clients send at the same time: it has no order.
      return connection === '' ? what.sort() : what;
    };
    const odd = [...new Set(seen.map(connectionOf))].filter(
      (connection) => !isWithinTexts(whatOf(seen, connection), whatOf(forwarded, connection)),
    );
    expect(odd.map((connection) => account(connection.slice(0, CASE_ID.length), cases, seen, forwarded))).toEqual([]);
  });

  test('what was answered as good was understood', () => {
    const understood = new Set(seen.map(({ what }) => what));
    expect(forwarded.filter(({ status, what }) => status >= 200 && status < 300 && !understood.has(what))).toEqual([]);
  });

  test('every answer that a client heard is to a request of its own, in the order in which Weir understood them', () => {
    const odd = [...heard].filter(([id, { answers }]) => {
      const marks = marksOf(answers);
      const understood = seen.filter(({ of }) => of === id).map(({ mark }) => mark ?? '');
      return new Set(marks).size < marks.length || !isWithinTexts(marks, understood);
    });
    expect(odd.map(([id, { answers }]) => [account(id, cases, seen, forwarded), marksOf(answers)])).toEqual([]);
  });

  test('every other client got the answer to its own request', () => {
    expect(neighbours.filter(([expected, got]) => got.join() !== expected)).toEqual([]);
    expect(neighbours.length).toBe(cases.length);
  });

  test('what is stored was forwarded, and has its own body', async () => {
    const marks = new Set(forwarded.map(({ mark }) => mark));
    const events = await weir.events();
    expect(events.length).toBeGreaterThan(cases.length);
    const odd = events.filter(({ xdm, record }) => {
      const mark = markOfId(record.requestId);
      return mark === null || mark !== xdm['marker'] || !marks.has(mark);
    });
    expect(odd.map(({ xdm, record }) => [record.requestId, xdm['marker']])).toEqual([]);
  });
});

interface Seen {
  /** "POST n017a"; the target, where it has no mark. */
  readonly what: string;
  readonly mark: string | null;
  /** The case; "" where that cannot be told. */
  readonly of: string;
}

/** Requests have an order where they are of one: a case's own, or that of the good request after it. */
function connectionOf({ of, mark }: Seen): string {
  return mark === `${of}v` ? mark : of;
}

function seenOf(method: string, target: string): Seen {
  const mark = markOfTarget(target);
  return { what: `${method} ${mark ?? target}`, mark, of: mark?.slice(0, CASE_ID.length) ?? '' };
}

/** Every request that a server started from now on takes for one, refused ones among them. */
function watchRequests(): { stop(): readonly Seen[] } {
  const seen: Seen[] = [];
  const { handler } = Gateway.prototype;
  const spy = vi.spyOn(Gateway.prototype, 'handler').mockImplementation(function (this: Gateway, role, encrypted) {
    const handle = handler.call(this, role, encrypted);
    return (req, outlet) => {
      seen.push(seenOf(req.method!, req.url!));
      handle(req, outlet);
    };
  });
  return {
    stop() {
      spy.mockRestore();
      return seen;
    },
  };
}

function say(url: string, { id, bytes, heads, afterwards }: Said): Promise<Conversation> {
  const end = afterwards === 'sees the end';
  return converse(url, { bytes, heads, end, isEnough: (answers) => marksOf(answers).includes(`${id}z`) });
}

/** What another client hears to a good request. A busy machine puts it off with a 503: then it sends it again. */
async function goodAnswerTo(url: string, mark: string): Promise<readonly string[]> {
  const bytes = good('v', 'Connection: close').replaceAll(CASE_ID, mark.slice(0, CASE_ID.length));
  for (;;) {
    const { answers } = await converse(url, { bytes, isEnough: (some) => some.length > 0 });
    const heard = answers.map(({ status }, i) => `${status} ${marksOf(answers)[i]}`);
    if (heard.join() !== `503 ${mark}`) return heard;
  }
}

/** Whether `some` stand in `all` in this order, with others in between or not. */
function isWithinTexts(some: readonly string[], all: readonly string[]): boolean {
  let from = 0;
  return some.every((one) => {
    const at = all.indexOf(one, from);
    from = at + 1;
    return at !== -1;
  });
}

function account(id: string, cases: readonly Said[], seen: readonly Seen[], forwarded: readonly Seen[]): object {
  const of = (some: readonly Seen[]): string[] => some.filter((one) => one.of === id).map(({ what }) => what);
  return { case: cases.find((one) => one.id === id)?.name ?? id, weir: of(seen), proxy: of(forwarded) };
}
