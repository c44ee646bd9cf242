// For development only. The Web SDK calls https://<edgeDomain>/… and takes no port, but this page came over plain http
// from a port of its own. So this sends those calls to the page's own origin. Load it before the SDK; leave it out
// where Weir is reached over TLS on port 443, as in production.
(() => {
  const edge = `https://${location.hostname}/`;
  const here = (url) => (String(url).startsWith(edge) ? `${location.origin}/${String(url).slice(edge.length)}` : url);
  const fetch = window.fetch.bind(window);
  const sendBeacon = navigator.sendBeacon.bind(navigator);
  window.fetch = (url, options) => fetch(here(url), options);
  navigator.sendBeacon = (url, data) => sendBeacon(here(url), data);
})();
