// npm run build: compiles src to dist, which then runs with plain node.

import { build } from './lib/build.mjs';
import { checkNode } from './lib/node-version.mjs';
import { run } from './lib/say.mjs';

await run(() => {
  checkNode();
  build();
});
