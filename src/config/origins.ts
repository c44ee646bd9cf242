/** Scheme, host and perhaps a port: what browsers send as Origin, which never has a path. */
const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s@\\]+)$/i;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: '80', https: '443' };

/** Why a text can never equal an Origin header, with the remedy; null where it can. Origins are compared as they stand. */
export function originProblem(text: string): string | null {
  if (text.includes('*')) {
    return "Patterns are not taken. List each origin, or leave out 'origins' to take every one.";
  }
  if (text === 'null') {
    return 'Pages without an origin (files, sandboxed frames) all send null, so it admits everyone. Serve the page from a web server and list its origin.';
  }
  const parts = SHAPE.exec(text);
  if (parts === null) {
    const origin = originOf(text);
    const hint = origin === null ? 'such as https://shop.example or http://localhost:8080' : `here: ${origin}`;
    return `It takes a scheme, a host and perhaps a port, without a path, ${hint}.`;
  }
  const scheme = parts[1]!.toLowerCase();
  const host = parts[2]!.toLowerCase();
  const port = /:([0-9]+)$/.exec(host)?.[1];
  if (port !== undefined && port === DEFAULT_PORTS[scheme]) {
    return `Browsers leave out the port that belongs to the scheme. Write ${scheme}://${host.slice(0, -port.length - 1)}.`;
  }
  if (text !== text.toLowerCase()) return `Browsers send origins in lower case. Write ${text.toLowerCase()}.`;
  const sent = originOf(text);
  if (sent === null)
    return 'The host or the port is none. It takes the form https://shop.example or http://localhost:8080.';
  return sent === text ? null : `Browsers send it in another form. Write ${sent}.`;
}

/** The origin of a URL as browsers send it; null where the text is no URL with a host. Schemes of apps are kept as they are. */
function originOf(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.host === '' ? null : `${url.protocol}//${url.host}`;
}
