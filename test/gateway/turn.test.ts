import { expect, test } from 'vitest';
import { Turn } from '../../src/gateway/turn.ts';

const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test('what is there is worked on in the order in which it came, and not before the turn ends', async () => {
  const turn = new Turn();
  const done: string[] = [];
  for (const name of ['a', 'b', 'c']) turn.add(() => void done.push(name));
  await Promise.resolve();
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual(['a', 'b', 'c']);
});

test('what comes meanwhile is worked on in the next turn, once', async () => {
  const turn = new Turn();
  const done: string[] = [];
  turn.add(() => {
    done.push('first');
    turn.add(() => void done.push('second'));
  });
  await nextTurn();
  expect(done).toEqual(['first']);
  await nextTurn();
  await nextTurn();
  expect(done).toEqual(['first', 'second']);
});
