import { expect, test } from 'vitest';
import type { LogRecord } from '../../src/model/record.ts';
import { Model } from './model.ts';
import { Random } from './random.ts';
import { recordOf } from './requests.ts';

/** What the model says of histories that are written down here. Each has one record at offset 0, which is damaged and gone. */

const at = (offset: number) => ({ partition: 0, offset });
const sent = (model: Model, number: number): LogRecord => {
  const record = recordOf(number, new Random(number), 1);
  model.send(record);
  return record;
};

function modelWithoutItsFirst(): Model {
  const model = new Model();
  model.acknowledge(sent(model, 0), at(0));
  model.damage(0);
  model.doubtFrom(0);
  model.endAt(0);
  return model;
}

test('the record that gets its offset may be damaged before it is acknowledged', () => {
  const model = modelWithoutItsFirst();
  const next = sent(model, 1);
  model.damage(0);
  model.acknowledge(next, at(0));
  model.report({ why: 'damaged', fromOffset: 0, toOffset: 1 });
  expect(model.wrongs).toEqual([]);
});

test('the record that gets its offset is not in doubt', () => {
  const model = modelWithoutItsFirst();
  model.acknowledge(sent(model, 1), at(0));
  model.checkWhole([], [], 1, 'the log');
  expect(model.wrongs).toEqual(['the log begins at 1, but 0 may not be missing']);
});

test('nobody may say that it is damaged when it is not', () => {
  const model = modelWithoutItsFirst();
  model.acknowledge(sent(model, 1), at(0));
  model.report({ why: 'damaged', fromOffset: 0, toOffset: 1 });
  expect(model.wrongs).toEqual(['record 0 is said to be damaged, and nothing happened to it']);
});

test('two records at one offset are wrong', () => {
  const model = new Model();
  model.acknowledge(sent(model, 0), at(0));
  model.acknowledge(sent(model, 1), at(0));
  expect(model.wrongs).toEqual(["acknowledged: 'r1' stands at 0, where 'r0' stood"]);
});
