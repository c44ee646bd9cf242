// What Weir is held against: node:http, the body collected and parsed, a fixed answer of 1.5 KB. Nothing is stored.
import { createServer } from 'node:http';

const answer = JSON.stringify({ requestId: 'fixed', handle: [{ type: 'state:store', payload: ['x'.repeat(1400)] }] });
const headers = ['content-type', 'application/json', 'content-length', String(answer.length)];

createServer((req, res) => {
  const chunks = [];
  req.on('data', (chunk) => chunks.push(chunk));
  req.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString());
    res.writeHead(200, headers);
    res.end(answer);
  });
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log(JSON.stringify({ ready: true })));
