/**
 * Fetches a text of at most `bytesMax` bytes, whole within `timeoutMs`. Nothing but a 200 counts, and no redirect is
 * followed: whom to trust was said by URL. Throws an error that says what came instead.
 */
export async function fetchText(url: string, timeoutMs: number, bytesMax: number): Promise<string> {
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
    headers: { accept: 'application/json' },
  });
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new Error(`it answered ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > bytesMax) throw new Error(`it answered more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}
