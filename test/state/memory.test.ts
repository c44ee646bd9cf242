import { MemoryState } from '../../src/state/memory.ts';
import { describeErasingState } from '../conformance/erasing-state.ts';
import { DIGEST, describeStateStore, type StateEngine } from '../conformance/state-store.ts';

const engine = (): StateEngine => ({
  open: async () => new MemoryState(DIGEST),
  reopen: null,
  dispose: async () => {},
});

describeStateStore('memory', engine);
describeErasingState('memory', engine);
