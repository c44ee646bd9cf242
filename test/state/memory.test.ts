import { MemoryState } from '../../src/state/memory.ts';
import { describeStateStore } from '../conformance/state-store.ts';

describeStateStore('memory', () => ({
  open: async () => new MemoryState(),
  reopen: null,
  dispose: async () => {},
}));
