import { MemoryState } from '../../src/state/memory.ts';
import { DIGEST, describeStateStore } from '../conformance/state-store.ts';

describeStateStore('memory', () => ({
  open: async () => new MemoryState(DIGEST),
  reopen: null,
  dispose: async () => {},
}));
