import { ensureBuild } from '../../scripts/lib/build.mjs';

/** Tests that start `node dist/main.js` start what the sources say now, also when run by hand. */
export default function setup(): void {
  ensureBuild();
}
