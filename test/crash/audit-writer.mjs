// Makes and revokes admin tokens for ever, until it is killed; prints each change when it is acknowledged. Argument: folder.
import { adminStore } from '../../dist/admin/store.js';
import { acquireLock } from '../../dist/log/lock.js';

const { tokens } = adminStore(process.argv[2], acquireLock);
const who = { kind: 'test', pid: process.pid };
for (;;) {
  const { token, text } = await tokens.create({ orgId: null, role: 'read', datastreams: null }, 3_600_000, who);
  process.stdout.write(`created ${token.id} ${text}\n`);
  if (Number.parseInt(token.id, 16) % 2 === 0) continue;
  await tokens.revoke(token.id, who);
  process.stdout.write(`revoked ${token.id} ${text}\n`);
}
