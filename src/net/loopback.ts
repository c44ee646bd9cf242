/** Whether an address to listen on is reached from this machine only: 127.0.0.0/8, ::1, or the name localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
