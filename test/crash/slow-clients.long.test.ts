import { testSlowClients } from './slow-clients.ts';

testSlowClients({ slow: 500, idle: 10_000, readers: true });
