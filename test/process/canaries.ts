/**
 * Values that stand for personal data: each is made once, is like no other text, and is known by its name. So wherever one
 * turns up again, it is known which field it came from.
 */
export class Canaries {
  readonly #values = new Map<string, string>();

  get names(): readonly string[] {
    return [...this.#values.keys()];
  }

  /** A text that may stand anywhere: in a header, a path, a host name, a key. */
  text(name: string): string {
    return this.as(name, `canary${name.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase()}zq${this.#values.size}`);
  }

  /** For a field that wants a form of its own. */
  as(name: string, value: string): string {
    if (this.#values.has(name)) throw new Error(`There are two canaries '${name}'.`);
    this.#values.set(name, value);
    return value;
  }

  value(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined) throw new Error(`There is no canary '${name}'.`);
    return value;
  }

  /** Names of those that stand in a text: as they are, in any case, percent-encoded, in hexadecimal or in base64. */
  in(text: string): string[] {
    const lower = text.toLowerCase();
    return this.names.filter((name) => {
      const value = this.value(name);
      const plain = [value, encodeURIComponent(value), Buffer.from(value).toString('hex')];
      return (
        plain.some((form) => lower.includes(form.toLowerCase())) || inBase64(value).some((at) => text.includes(at))
      );
    });
  }
}

/** What of a value is the same in every base64 text that holds it, by how its first byte falls into the groups of three. */
function inBase64(value: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 3));
    const skipped = offset === 0 ? 0 : 4;
    return [whole.toString('base64').slice(skipped), whole.toString('base64url').slice(skipped)];
  });
}
