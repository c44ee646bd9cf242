// A server that takes whatever comes and does nothing with it: what a crowd costs a machine, whomever it hangs on.
import { createServer } from 'node:net';

createServer((socket) => socket.on('error', () => socket.destroy()).resume()).listen(
  Number(process.argv[2]),
  '127.0.0.1',
  () => console.log(JSON.stringify({ ready: true })),
);
