#!/usr/bin/env node
import { main } from './cli/main.ts';

const args = process.argv.slice(2);
// `weir events … | head`: who reads has enough. A server goes on: it is not for who started it that it is there.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (args[0] !== 'serve') process.exit(0);
});

process.exitCode = await main(args, process);
