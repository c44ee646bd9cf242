import { testSlowClients } from './slow-clients.ts';

testSlowClients({ slow: 50, idle: 1_000, readers: false });
