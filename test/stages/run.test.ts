import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../src/model/exchange.ts';
import type { Stage, Waited } from '../../src/model/parts.ts';
import type { ServiceName } from '../../src/model/services.ts';
import { runStages } from '../../src/stages/run.ts';
import { datastreamOf, exchangeOf } from '../support/exchanges.ts';

let ran: string[] = [];
function stage(
  name: string,
  run: (x: Exchange) => undefined | Promise<Waited> = () => undefined,
  service: ServiceName | null = null,
): Stage {
  return {
    name,
    service,
    run(x) {
      ran.push(name);
      return run(x);
    },
  };
}
async function order(stages: readonly Stage[], x = exchangeOf()): Promise<string[]> {
  ran = [];
  await runStages(stages, x);
  return ran;
}

describe('the loop', () => {
  test('one after the other; a promise is waited for', async () => {
    const later = stage('b', async () => {
      await new Promise(setImmediate);
      ran.push('b done');
    });
    expect(await order([stage('a'), later, stage('c')])).toEqual(['a', 'b', 'b done', 'c']);
  });

  test('stages that finish at once cost no turn', () => {
    ran = [];
    void runStages([stage('a'), stage('b')], exchangeOf());
    expect(ran).toEqual(['a', 'b']);
  });

  test('a stage that had to wait is run again where it says so, and the next follow in the same turn', async () => {
    for (const before of [[], [stage('a', async () => {})]]) {
      let left = 2;
      const waits = stage('b', () => {
        left -= 1;
        if (left >= 0) return Promise.resolve('again' as const);
        void Promise.resolve().then(() => ran.push('next turn'));
        return undefined;
      });
      const seen = await order([...before, waits, stage('c'), stage('d')]);
      expect(seen.filter((name) => name !== 'a')).toEqual(['b', 'b', 'b', 'c', 'd', 'next turn']);
    }
  });

  test('the first failure ends it, thrown or rejected', async () => {
    const failure = new Error('x');
    const thrown = stage('b', () => {
      throw failure;
    });
    for (const bad of [thrown, stage('b', () => Promise.reject(failure))]) {
      await expect(order([stage('a'), bad, stage('c')])).rejects.toBe(failure);
      expect(ran).toEqual(['a', 'b']);
    }
  });

  test('nothing runs once the answer has left', async () => {
    const expire = stage('b', (x) => {
      x.expired = true;
    });
    expect(await order([stage('a'), expire, stage('c')])).toEqual(['a', 'b']);
    expect(await order([stage('a')], exchangeOf({ expired: true }))).toEqual([]);
  });

  test('a stage of a service that is off does not run', async () => {
    const stages = [stage('a'), stage('b', undefined, 'decisions'), stage('c', undefined, 'profiles')];
    expect(await order(stages)).toEqual(['a']);
    const x = exchangeOf({ datastream: datastreamOf({ services: new Set(['profiles']) }) });
    expect(await order(stages, x)).toEqual(['a', 'c']);
  });
});
