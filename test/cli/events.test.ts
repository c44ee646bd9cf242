import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { Kept, weir } from '../support/command.ts';
import { post } from '../support/raw-http.ts';
import { startWeir, type Weir } from '../support/weir.ts';

let server: Weir;
beforeAll(async () => {
  server = await startWeir({
    'datastreams/blog.yaml': 'id: blog\norg: TEST@AdobeOrg\nname: Blog\n',
    'activities/hero.yaml': 'id: hero\norg: TEST@AdobeOrg\nscope: hero\nexperiences: [{ id: a, html: Hi }]\n',
  });
  const events = [
    { xdm: { eventType: 'a', timestamp: '1999-12-31T00:00:00Z' }, data: { d: 1 }, query: { q: 1 } },
    { xdm: { eventType: 'b', text: 'ä€\n\u2028' } },
  ];
  await post(server.edge, '/ee/v1/interact?configId=shop&requestId=r1', { events });
  await post(server.edge, '/ee/v1/interact?configId=blog&requestId=r2', { events: [events[1]] });
});
afterAll(() => server.stop());

const linesOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));

describe('weir events', () => {
  test('prints the log, oldest first, one object a line, while the server runs', async () => {
    const { code, out, err } = await weir('events', '--data', server.data);
    expect([code, err]).toEqual([0, '']);
    const lines = linesOf(out);
    expect(lines.map((line) => [line.position, line.eventIndex, line.xdm.eventType])).toEqual([
      ['0:0', 0, 'a'],
      ['0:0', 1, 'b'],
      ['0:1', 0, 'b'],
    ]);
    expect(Object.keys(lines[0]).slice(0, 7)).toEqual([
      'position',
      'id',
      'datastreamId',
      'orgId',
      'requestId',
      'eventIndex',
      'receivedAt',
    ]);
    const receivedAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(lines[0]).toMatchObject({
      id: `${lines[0].requestId}/0`,
      datastreamId: 'shop',
      orgId: 'TEST@AdobeOrg',
      requestId: expect.stringMatching(/^r1-[0-9a-f]{16}$/),
      receivedAt,
      occurredAt: lines[0].receivedAt,
      occurredAtFrom: 'implausible',
      ecid: lines[0].xdm.identityMap.ECID[0].id,
      consent: { recordId: null, collect: 'in', gpc: false, default: 'in', value: null },
      data: { d: 1 },
      query: { q: 1 },
      meta: null,
    });
    expect(lines[1].xdm.text).toBe('ä€\n\u2028');
    expect(new Set(lines.map((line) => line.id)).size).toBe(3);
  });

  test('--datastream prints one datastream’s', async () => {
    const of = async (id: string) => linesOf((await weir('events', '--data', server.data, '--datastream', id)).out);
    expect((await of('blog')).map((line) => line.datastreamId)).toEqual(['blog']);
    expect(await of('blo')).toEqual([]);
    expect(await weir('events', '--data', server.data, '--datastream', 'blok')).toEqual({
      code: 0,
      out: '',
      err: "weir events: The log holds no event of the datastream 'blok'. Did you mean 'blog'?\n",
    });
  });

  test('--follow goes on with what comes; a reader that leaves ends it', async () => {
    const stdout = new Kept();
    const running = main(['events', '--data', server.data, '--datastream', 'shop', '--follow'], {
      stdout,
      stderr: new Kept(),
    });
    const until = (count: number) => expect.poll(() => linesOf(stdout.text)).toHaveLength(count);
    await until(2);
    await post(server.edge, '/ee/v1/interact?configId=blog', { events: [{ xdm: {} }] });
    await post(server.edge, '/ee/v1/interact?configId=shop', { events: [{ xdm: { eventType: 'c' } }] });
    await until(3);
    expect(linesOf(stdout.text)[2].xdm.eventType).toBe('c');
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await running).toBe(0);
  });

  test('--follow says at the end of the log that a datastream has no event in it, once, and goes on', async () => {
    const [stdout, stderr] = [new Kept(), new Kept()];
    const args = ['events', '--data', server.data, '--datastream', 'blok', '--follow'];
    const running = main(args, { stdout, stderr });
    const said = "weir events: The log holds no event of the datastream 'blok' yet. Did you mean 'blog'?\n";
    await expect.poll(() => stderr.text).toBe(said);
    // It looks for more ten times a second.
    await new Promise((resolve) => setTimeout(resolve, 350));
    expect([stdout.text, stderr.text]).toEqual(['', said]);
    stdout.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(await running).toBe(0);
    expect(stderr.text).toBe(said);
  });

  test('a reader that is slow is waited for: no more than one line is ever held for it', async () => {
    const taken: string[] = [];
    let release = (): void => {};
    const stdout = new Writable({
      highWaterMark: 1,
      write(chunk: Buffer, _encoding, done) {
        taken.push(chunk.toString());
        release = done;
      },
    });
    const running = main(['events', '--data', server.data], { stdout, stderr: new Kept() });
    const count = (await server.events()).length;
    for (let line = 1; line <= count; line++) {
      await expect.poll(() => taken).toHaveLength(line);
      expect(stdout.writableLength).toBe(Buffer.byteLength(taken.at(-1)!));
      release();
    }
    expect(await running).toBe(0);
  });

  test('shows what was decided for an event, and what one tells of it', async () => {
    const path = '/ee/v1/interact?configId=shop&requestId=asked';
    const identityMap = { ECID: [{ id: '1'.repeat(38) }] };
    const query = { personalization: { decisionScopes: ['hero'] } };
    const answer = await post(server.edge, path, { events: [{ xdm: { identityMap }, query }] });
    const { handle } = JSON.parse(answer.text) as { handle: { type: string; payload: object[] }[] };
    const propositions = handle.find(({ type }) => type === 'personalization:decisions')!.payload;
    const _experience = { decisioning: { propositions, propositionEventType: { display: 1 } } };
    await post(server.edge, '/ee/v1/interact?configId=shop', { events: [{ xdm: { identityMap, _experience } }] });
    const [asked, told] = linesOf((await weir('events', '--data', server.data)).out).slice(-2);
    expect(asked.decision).toEqual({
      definitions: expect.stringMatching(/^[0-9a-f]{16}$/),
      outcomes: [{ activity: 'hero', outcome: 'shown', experience: 'a', because: null }],
      propositions: [
        {
          id: expect.stringMatching(/^AT:/),
          scope: 'hero',
          activity: 'hero',
          experience: 'a',
          items: [expect.any(String)],
        },
      ],
    });
    expect(asked.notices).toEqual([]);
    expect(told.decision).toBeNull();
    expect(told.notices).toMatchObject([
      { kind: 'display', activity: 'hero', experience: 'a', scope: 'hero', requestId: asked.requestId, eventIndex: 0 },
    ]);
  });

  test('a folder without a log is an error that names it', async () => {
    const { code, err } = await weir('events', '--data', '/nowhere/at-all');
    expect(code).toBe(1);
    expect(err).toContain('/nowhere/at-all');
  });
});
