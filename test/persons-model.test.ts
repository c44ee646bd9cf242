import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JsonObject } from '../src/model/json.ts';
import type { Stored } from '../src/model/record.ts';
import { adminTokens } from '../src/server.ts';
import { weir as command } from './support/command.ts';
import { post, send } from './support/raw-http.ts';
import { filesWith } from './support/scan.ts';
import { startWeir, type Weir } from './support/weir.ts';

/**
 * Erasure by the whole server, its state and its log on the disk, held against a model that is as plain as can be: visitors
 * send events and choose, are linked and erased, by day or while the server is stopped, in any order, among restarts and
 * losses of state. A failure prints its seed.
 */

const ORG = 'TEST@AdobeOrg';
const RUNS = 12;
const STEPS_MAX = 40;
/** A run takes a second or two; one that hangs is to be named, with its seed. */
const RUN_MS_MAX = 60_000;

type Id = readonly [namespace: string, id: string];
const device = (digit: string): Id => ['ECID', digit.repeat(19) + '70'.repeat(9) + digit];
interface Person {
  readonly ids: readonly Id[];
  readonly devices: readonly Id[];
}
const SHARED = device('9');
const PERSONS: readonly Person[] = [
  {
    ids: [
      ['Email', 'ann@example.com'],
      ['CRMID', 'crm-ann-4711'],
    ],
    devices: [device('1'), device('2'), SHARED],
  },
  {
    ids: [
      ['Email', 'bob@example.org'],
      ['CRMID', 'crm-bob-0815'],
    ],
    devices: [device('3'), SHARED],
  },
  {
    ids: [
      ['Email', 'cem@example.net'],
      ['Phone', '+4915112345678'],
    ],
    devices: [device('4'), device('5')],
  },
];
const ALL: readonly Id[] = [...new Set(PERSONS.flatMap(({ ids, devices }) => [...ids, ...devices]))];

/** Which person, which of their devices (null: none is named), and which of their ids. */
interface Seen {
  readonly person: number;
  readonly device: number | null;
  readonly ids: readonly boolean[];
}
type Step =
  | { readonly do: 'visit'; readonly seen: Seen }
  | { readonly do: 'batch'; readonly all: readonly Seen[] }
  | { readonly do: 'choose'; readonly device: Id; readonly val: 'y' | 'n' }
  | { readonly do: 'erase'; readonly id: Id; readonly how: 'live' | 'live, now' | 'stopped' | 'stopped, now' }
  | { readonly do: 'restart'; readonly loses: readonly string[] };

const device3 = fc.nat(2);
const seen = (deviceOf: fc.Arbitrary<number | null>): fc.Arbitrary<Seen> =>
  fc.record({
    person: fc.nat(PERSONS.length - 1),
    device: deviceOf,
    ids: fc.array(fc.boolean(), { minLength: 2, maxLength: 2 }),
  });
const STEPS: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('visit' as const), seen: seen(device3) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      all: fc.array(seen(fc.option(device3)), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('choose' as const),
      device: fc.constantFrom(...ALL.filter(([namespace]) => namespace === 'ECID')),
      val: fc.constantFrom('y' as const, 'n' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('erase' as const),
      id: fc.constantFrom(...ALL),
      how: fc.constantFrom('live' as const, 'live, now' as const, 'stopped' as const, 'stopped, now' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart' as const),
      loses: fc.constantFrom<readonly string[]>([], ['state'], ['state', 'snapshots']),
    }),
  },
);

interface SentEvent {
  readonly mark: string;
  readonly ids: readonly Id[];
}

/** What is known when everything that was ever sent is gone through once more: no state, no index. */
class Model {
  events: SentEvent[] = [];
  choices: { readonly device: Id; readonly val: 'y' | 'n'; readonly mark: string }[] = [];
  /** Ids that an event named together: known for as long as neither is erased, even where the event is. */
  #links: (readonly [Id, Id])[] = [];
  readonly #erased = new Set<Id>();
  /** That an id was seen with others stays known where these are erased, and it is not. */
  readonly #linked = new Set<Id>();
  #sent = 0;

  store(event: SentEvent): void {
    this.events.push(event);
    if (event.ids.length > 1) for (const id of event.ids) this.#linked.add(id);
    for (const one of event.ids) for (const other of event.ids) if (one !== other) this.#links.push([one, other]);
  }

  nextMark(): string {
    this.#sent += 1;
    return `mark-${this.#sent}-`;
  }

  isOut(id: Id | undefined): boolean {
    return this.choices.filter((choice) => choice.device === id).at(-1)?.val === 'n';
  }

  #met(id: Id): ReadonlySet<Id> {
    return new Set(this.#links.flatMap(([one, other]) => (one === id ? [other] : [])));
  }

  /** What docs/erasure.md says is the person's. Nobody here has an id of two persons, but for the device that two share. */
  ownOf(given: Id): ReadonlySet<Id> {
    if (given[0] === 'ECID') return new Set([given]);
    const isPerson = ([namespace]: Id): boolean => namespace !== 'ECID';
    const person = new Set([given, ...[...this.#met(given)].filter(isPerson)]);
    const devices = [...person].flatMap((id) => [...this.#met(id)].filter((one) => !isPerson(one)));
    const own = devices.filter((one) => [...this.#met(one)].filter(isPerson).every((id) => person.has(id)));
    return new Set([...person, ...own]);
  }

  erase(given: Id): void {
    const own = this.ownOf(given);
    for (const id of own) {
      this.#erased.add(id);
      this.#linked.delete(id);
    }
    this.events = this.events.filter(({ ids }) => !ids.some((id) => own.has(id)));
    this.choices = this.choices.filter((choice) => !own.has(choice.device));
    this.#links = this.#links.filter((link) => !link.some((id) => own.has(id)));
  }

  /** Ids of who was erased, unless they have come back. */
  gone(): readonly string[] {
    const left = new Set([
      ...this.events.flatMap(({ ids }) => ids),
      ...this.choices.map((choice) => choice.device),
      ...this.#linked,
    ]);
    return [...this.#erased].filter((id) => !left.has(id)).map(([, id]) => id);
  }
}

class World {
  readonly model = new Model();
  readonly #weir: Weir;
  readonly #token: string;
  #marks: string[] = [];

  private constructor(weir: Weir, token: string) {
    this.#weir = weir;
    this.#token = token;
  }

  static async start(): Promise<World> {
    const weir = await startWeir({ 'weir.yaml': 'log: {reservedBytes: 1048576}\n' });
    const scope = { orgId: ORG, role: 'admin', datastreams: null } as const;
    const { text } = await (await adminTokens(weir.data)).create(scope, 3_600_000, {});
    return new World(weir, text);
  }

  stop(): Promise<void> {
    return this.#weir.stop();
  }

  async run(step: Step): Promise<void> {
    if (step.do === 'visit') await this.#send('interact', [step.seen]);
    else if (step.do === 'batch') await this.#send('collect', step.all);
    else if (step.do === 'choose') await this.#choose(step.device, step.val);
    else if (step.do === 'erase') await this.#erase(step.id, step.how);
    else await this.#restart(step.loses);
  }

  async #send(endpoint: 'interact' | 'collect', all: readonly Seen[]): Promise<void> {
    const events = all.map((one) => {
      const { ids, devices } = PERSONS[one.person]!;
      const named = ids.filter((_, index) => one.ids[index]);
      if (one.device !== null) named.push(devices[one.device % devices.length]!);
      // Nobody's event is nobody's to erase.
      if (named.length === 0) named.push(ids[0]!);
      return { mark: this.#newMark(), ids: named };
    });
    const bodies = events.map(({ mark, ids }) => ({ xdm: { identityMap: mapOf(ids), mark } }));
    const body: JsonObject = endpoint === 'interact' ? { event: bodies[0]! } : { events: bodies };
    const { status } = await post(this.#weir.edge, `/ee/v2/${endpoint}?configId=shop`, body);
    expect([200, 202]).toContain(status);
    const isOut = ({ ids }: SentEvent): boolean => this.model.isOut(ids.find(([namespace]) => namespace === 'ECID'));
    for (const one of events) if (!isOut(one)) this.model.store(one);
  }

  #newMark(): string {
    const mark = this.model.nextMark();
    this.#marks.push(mark);
    return mark;
  }

  async #choose(of: Id, val: 'y' | 'n'): Promise<void> {
    const mark = this.#newMark().slice(0, 16);
    const consent = [
      { standard: 'Adobe', version: '2.0', value: { collect: { val }, share: { val: 'y', reason: mark } } },
    ];
    const body = { identityMap: mapOf([of]), consent };
    expect((await post(this.#weir.edge, '/ee/v1/privacy/set-consent?configId=shop', body)).status).toBe(200);
    this.model.choices.push({ device: of, val, mark });
  }

  async #erase([namespace, id]: Id, how: (Step & { do: 'erase' })['how']): Promise<void> {
    const isNow = how.endsWith('now');
    if (how.startsWith('live')) {
      const path = `/api/v1/datastreams/shop/identities/${namespace}/${encodeURIComponent(id)}/erasure?now=${isNow}`;
      const headers: [string, string][] = [['authorization', `Bearer ${this.#token}`]];
      const { status } = await send(this.#weir.running.urls.admin, { method: 'POST', path, headers });
      expect(status).toBe(isNow ? 200 : 202);
    } else {
      await this.#weir.halt();
      const args = ['--org', ORG, '--namespace', namespace, '--id', id, '--data', this.#weir.data];
      expect(await command('erase', ...args, ...(isNow ? ['--now'] : []))).toMatchObject({ code: 0 });
      await this.#weir.restart();
    }
    const given = ALL.find((one) => one[0] === namespace && one[1] === id)!;
    this.model.erase(given);
    await this.#check(isNow);
  }

  async #restart(loses: readonly string[]): Promise<void> {
    await this.#weir.halt();
    for (const name of loses) rmSync(join(this.#weir.data, name), { recursive: true, force: true });
    await this.#weir.restart();
    await this.#check(false);
  }

  /** At the end everything that is hidden goes. */
  async finish(): Promise<void> {
    await this.#erase(ALL[0]!, 'stopped, now');
  }

  async #check(isCarriedOut: boolean): Promise<void> {
    // Throws where the log does not verify.
    const records = await this.#weir.records();
    expect(records.map(({ position }) => position.offset)).toEqual(records.map((_, offset) => offset));
    expect(eventsIn(records)).toEqual(
      this.model.events.map(({ mark, ids }) => [mark, ids.map((id) => id.join(' ')).sort()]),
    );
    expect(choicesIn(records)).toEqual(this.model.choices.map(({ device: [, id], val, mark }) => [id, val, mark]));
    if (!isCarriedOut) return;
    const left = new Set([...this.model.events, ...this.model.choices].map(({ mark }) => mark));
    const marks = this.#marks.filter((mark) => !left.has(mark));
    expect(filesWith(this.#weir.data, [...this.model.gone(), ...marks])).toEqual([]);
    expect(filesWith(join(this.#weir.data, 'log'), [...left]).length).toBeGreaterThanOrEqual(left.size);
  }
}

function mapOf(ids: readonly Id[]): JsonObject {
  return Object.fromEntries(ids.map(([namespace, id]) => [namespace, [{ id }]]));
}

function eventsIn(records: readonly Stored[]): readonly unknown[] {
  return records.flatMap(({ record }) =>
    record.events.map(({ xdm, identities }) => [
      xdm['mark'],
      identities.map(({ namespace, id }) => `${namespace} ${id}`).sort(),
    ]),
  );
}

function choicesIn(records: readonly Stored[]): readonly unknown[] {
  return records.flatMap(({ record }) =>
    record.changes.flatMap(({ kind, key, body }) => {
      if (kind !== 'consent') return [];
      const value = body['value'] as { collect: { val: string }; share: { reason: string } };
      return [[key.split('|').at(-1), value.collect.val, value.share.reason]];
    }),
  );
}

test('whoever is erased is nowhere, and everybody else is as they were, whatever comes in between', async () => {
  const property = fc.asyncProperty(fc.array(STEPS, { minLength: 5, maxLength: STEPS_MAX }), async (steps) => {
    const world = await World.start();
    try {
      for (const step of steps) await world.run(step);
      await world.finish();
    } finally {
      await world.stop();
    }
  });
  await fc.assert(property, { numRuns: RUNS, timeout: RUN_MS_MAX, endOnFailure: true });
});
