import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { isObject, type JsonObject } from '../../src/model/json.ts';
import { Random } from '../sim/random.ts';
import { weir } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { type Server, startServer } from '../support/server.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { workspaceFolder } from '../support/workspace-folder.ts';

/**
 * Real traffic, a kill, and a restart: what was displayed, clicked and bought is what the report says, every decision comes out
 * the same again, and what was shown is explained. The counts are held to what was sent and answered, by another way of counting.
 */

const SEED = Number(process.env['WEIR_SEED'] ?? randomInt(2 ** 31));
const VISITORS = 25;
const STEPS = 140;

const WORKSPACE = {
  'datastreams/shop.yaml': 'id: shop\norg: TEST@AdobeOrg\nname: Shop\n',
  'activities/hero.yaml': `id: hero
name: Hero
scope: hero
holdoutPercent: 20
caps: [{ max: 3 }]
experiences:
  - { id: a, html: <p>A</p> }
  - { id: b, html: '<p>{{profile.tier}}</p>' }
goals:
  - { id: bought, when: { "==": [{ var: xdm.eventType }, commerce.purchases] } }
`,
  'activities/gold.yaml': `id: gold
name: For gold
scope: offer
when: { "==": [{ var: profile.tier }, gold] }
experiences:
  - { id: only, html: <p>Gold</p> }
`,
};

interface Visitor {
  readonly ecid: string;
  readonly shown: { readonly proposition: JsonObject; readonly requestId: string }[];
}

test(`reports, replays and explanations of real traffic, over a kill (seed ${SEED})`, async () => {
  const data = tempFolder();
  const workspace = workspaceFolder(WORKSPACE);
  const random = new Random(SEED);
  const visitors = Array.from(
    { length: VISITORS },
    (_, n): Visitor => ({ ecid: String(n + 10).repeat(19), shown: [] }),
  );
  const told = { display: new Map<string, string>(), interact: new Map<string, string>() };
  const seen = new Map<string, Set<string>>();
  const bought = new Map<string, Set<string>>();
  const armOf = new Map<string, string>();
  let decisions = 0;
  let server: Server = await startServer({ workspace, data });
  try {
    for (let step = 0; step < STEPS; step++) {
      if (step === STEPS / 2) server = await killed(server, workspace, data);
      const visitor = visitors[random.below(VISITORS)]!;
      const what = random.below(10);
      if (what < 5 || visitor.shown.length === 0) {
        decisions += 1;
        const tier = ['gold', 'silver', ''][random.below(3)]!;
        const payload = await send(server, visitor, {
          xdm: {},
          query: { personalization: { decisionScopes: ['hero', 'offer'] } },
          ...(tier === '' ? {} : { data: { __adobe: { target: { 'profile.tier': tier } } } }),
        });
        const heroes = propositionsOf(payload).filter(({ scope }) => scope === 'hero');
        for (const proposition of heroes) {
          visitor.shown.push({ proposition, requestId: payload['requestId'] as string });
          armOf.set(visitor.ecid, experienceOf(proposition));
        }
      } else if (what < 8) {
        const one = visitor.shown[random.below(visitor.shown.length)]!;
        const kind = what < 7 ? 'display' : 'interact';
        const decisioning = { propositions: [one.proposition], propositionEventType: { [kind]: 1 } };
        await send(server, visitor, { xdm: { _experience: { decisioning } } });
        const arm = experienceOf(one.proposition);
        told[kind].set(one.requestId, arm);
        if (kind === 'display') add(seen, arm, visitor.ecid);
      } else {
        await send(server, visitor, { xdm: { eventType: 'commerce.purchases' } });
        for (const [arm, ecids] of seen) if (ecids.has(visitor.ecid)) add(bought, arm, visitor.ecid);
      }
    }
    // Told by somebody else, and with another visitor's token: not counted.
    const thief = visitors[0]!;
    const other = visitors.find(({ ecid, shown }) => ecid !== thief.ecid && shown.length > 0)!;
    const decisioning = { propositions: [other.shown[0]!.proposition], propositionEventType: { dismiss: 1 } };
    await send(server, thief, { xdm: { _experience: { decisioning } } });
    server = await killed(server, workspace, data);

    expect(Math.min(decisions, told.display.size)).toBeGreaterThan(10);
    const report = JSON.parse((await weir('report', '--activity', 'hero', '--data', data, '--json')).out);
    for (const arm of ['a', 'b']) {
      const counted = report.arms.find(({ experience }: JsonObject) => experience === arm) ?? {};
      expect([arm, counted.displays ?? 0]).toEqual([arm, countOf(told.display, arm)]);
      expect([arm, counted.clicks ?? 0]).toEqual([arm, countOf(told.interact, arm)]);
      expect([arm, counted.visitors ?? 0]).toEqual([arm, seen.get(arm)?.size ?? 0]);
      expect([arm, counted.goals?.bought.sum ?? 0]).toEqual([arm, bought.get(arm)?.size ?? 0]);
      expect([arm, counted.assigned ?? 0]).toEqual([arm, [...armOf.values()].filter((one) => one === arm).length]);
      expect(counted.dismissals ?? 0).toBe(0);
    }
    expect(report.notCounted.unsigned).toBe(1);

    const replay = JSON.parse((await weir('replay', '--data', data, '--json')).out);
    expect(replay).toMatchObject({ decisions, same: decisions, different: 0 });

    const [shown] = other.shown;
    const { code, out } = await weir('explain', '--request-id', shown!.requestId, '--activity', 'hero', '--data', data);
    expect(code).toBe(0);
    expect(out).toContain(`At hero: '${experienceOf(shown!.proposition)}' of 'hero' (Hero)`);
  } finally {
    await server.stop();
  }
});

async function killed(server: Server, workspace: string, data: string): Promise<Server> {
  server.process.kill('SIGKILL');
  await once(server.process, 'exit');
  await server.stop();
  return await startServer({ workspace, data });
}

async function send(server: Server, { ecid }: Visitor, event: JsonObject): Promise<JsonObject> {
  const xdm = { ...(event['xdm'] as JsonObject), identityMap: { ECID: [{ id: ecid }] } };
  const answer = await post(server.urls.edge, '/ee/v1/interact?configId=shop', { events: [{ ...event, xdm }] });
  expect(answer.status, answer.text).toBe(200);
  return answer.json as JsonObject;
}

function propositionsOf({ handle }: JsonObject): readonly JsonObject[] {
  if (!Array.isArray(handle)) return [];
  const decided = handle.filter((one) => isObject(one) && one['type'] === 'personalization:decisions') as JsonObject[];
  return decided.flatMap(({ payload }) => payload as JsonObject[]);
}

function experienceOf({ scopeDetails }: JsonObject): string {
  return ((scopeDetails as JsonObject)['experience'] as JsonObject)['id'] as string;
}

function add(sets: Map<string, Set<string>>, name: string, one: string): void {
  const set = sets.get(name) ?? new Set();
  sets.set(name, set.add(one));
}

function countOf(told: ReadonlyMap<string, string>, arm: string): number {
  return [...told.values()].filter((one) => one === arm).length;
}
