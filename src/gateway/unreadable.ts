import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { httpProblem, type Problem } from '../model/problem.ts';
import { currentResponse, isAnswered, isOver, refuseMore } from './connection.ts';
import { headersTooLarge } from './framing.ts';
import { requestIds } from './ids.ts';

/** Node's word for a request that did not arrive in time. */
export const REQUEST_TIMEOUT = 'ERR_HTTP_REQUEST_TIMEOUT';

/**
 * Answers bytes that are no HTTP request, or did not become one in time, with a problem, and closes the connection. An
 * earlier request of the connection that is still being worked at gets its answer first. `onRefused` is told of every
 * answer that leaves; a connection that only broke is nobody's to answer.
 */
export function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Socket,
  onRefused: (problem: Problem) => void,
): void {
  if (isOver(socket)) return; // It was answered before, and lingers.
  const failure = problemOf(error);
  if (failure === null || !socket.writable || socket.bytesRead === 0) {
    socket.destroy();
    return;
  }
  refuseMore(socket);
  answerLast(socket, failure, onRefused);
}

/**
 * CONNECT asks for a tunnel: this is no proxy. Node lets go of the socket: nobody listens to its errors any more, and one
 * that nobody listens to ends the process; nobody reads it, and what is unread when it is closed resets it.
 */
export function refuseTunnel(socket: Socket, onRefused: (problem: Problem) => void): void {
  socket.on('error', () => socket.destroy());
  socket.resume();
  if (isOver(socket)) return;
  refuseMore(socket);
  answerLast(
    socket,
    httpProblem(405, 'Method Not Allowed', 'CONNECT is not answered: send a POST with a JSON body.'),
    onRefused,
  );
}

function answerLast(socket: Socket, failure: Problem, onRefused: (problem: Problem) => void): void {
  if (socket.destroyed) return;
  const current = currentResponse(socket);
  if (current?.req.complete === true) {
    current.once('close', () => answerLast(socket, failure, onRefused));
    return;
  }
  if (isAnswered(socket)) {
    socket.destroySoon();
    return;
  }
  onRefused(failure);
  socket.write(bytesOf(failure));
  socket.destroySoon();
}

/** Null where it is not the bytes that were wrong, but the connection. */
function problemOf({ code = '' }: NodeJS.ErrnoException): Problem | null {
  if (code === 'HPE_HEADER_OVERFLOW') return headersTooLarge('Its request line and headers are larger than 16 KB.');
  if (code === REQUEST_TIMEOUT)
    return httpProblem(
      408,
      'Request Timeout',
      'The request did not arrive in time. Nothing was stored; send it again.',
    );
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return httpProblem(413, 'Content Too Large', 'The extensions of its chunks are larger than 16 KB. Send none.');
  if (!code.startsWith('HPE_')) return null;
  return httpProblem(
    400,
    'Bad Request',
    `This is no HTTP request: ${WORDS[code] ?? 'it cannot be read'}. Nothing was stored, and the connection was closed.`,
  );
}

/** Of what the parser finds, what callers meet; in our words, because its own change between versions. */
const WORDS: Readonly<Record<string, string>> = {
  HPE_INVALID_METHOD: 'it does not begin with a method',
  HPE_INVALID_URL: 'its target holds characters that have to be percent-encoded',
  HPE_INVALID_VERSION: 'its version of HTTP is not known here; there are 1.1 and 1.0',
  HPE_INVALID_CONSTANT: 'its first line cannot be read',
  HPE_INVALID_HEADER_TOKEN: 'a header holds a character that no header may hold, or goes over several lines',
  HPE_INVALID_CONTENT_LENGTH: 'its Content-Length is no number, or stands beside a Transfer-Encoding',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'it has more than one Content-Length',
  HPE_INVALID_TRANSFER_ENCODING: 'its Transfer-Encoding is not chunked, or stands beside a Content-Length',
  HPE_INVALID_CHUNK_SIZE: 'the size of a chunk is no number',
  HPE_CR_EXPECTED: 'a line does not end with CR LF',
  HPE_LF_EXPECTED: 'a line does not end with CR LF',
  HPE_CLOSED_CONNECTION: 'there are bytes behind the last request',
};

function bytesOf(failure: Problem): string {
  const { requestId } = requestIds(null);
  const { status } = failure.spec;
  const body = JSON.stringify(failure.toJson({ requestId }));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'cache-control: no-cache, no-store, max-age=0, no-transform, private',
    'x-content-type-options: nosniff',
    `x-request-id: ${requestId}`,
    'connection: close',
    'content-type: application/problem+json;charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
