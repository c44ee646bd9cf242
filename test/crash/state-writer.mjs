// Applies records for ever, as fast as it can, until it is killed. Arguments: folder, seed, persons.
// What record n changes follows from seed and n alone, so whoever reads the state afterwards knows what it must be.
import { LmdbState } from '../../dist/state/lmdb.js';
import { plannedRecord } from './planned-records.mjs';

const [directory, seed, persons] = process.argv.slice(2);
const report = (message) => {
  process.stderr.write(`${message}\n`);
};
const state = await LmdbState.open(directory, { report, limits: { flushPersons: 20, flushRecords: 50 } });
let offset = state.appliedUpTo(0) + 1;
process.stdout.write('ready\n');
for (;;) {
  const records = [];
  for (let i = 0; i < 5; i++) records.push(plannedRecord(Number(seed), offset++, Number(persons)));
  await state.apply(records);
  if (offset % 100 === 0) await new Promise(setImmediate);
}
