/** What a page of metrics says, in Prometheus's text format. */
export class Metrics {
  readonly #samples = new Map<string, number>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, sample, value] = /^([^#\s][^\s{]*(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      if (sample !== undefined) this.#samples.set(sample, Number(value!.replace('Inf', 'Infinity')));
    }
  }

  /** Every name, without labels; of a histogram its parts. */
  get names(): ReadonlySet<string> {
    return new Set([...this.#samples.keys()].map((sample) => sample.replace(/\{.*/, '')));
  }

  /** One number: `value('weir_x_total{kind="a"}')`, labels as they are written; 0 where it is not there. */
  value(sample: string): number {
    return this.#samples.get(sample) ?? 0;
  }

  /** All samples of a name: [labels as they are written, value]. */
  samples(name: string): readonly (readonly [labels: string, value: number])[] {
    return [...this.#samples]
      .filter(([sample]) => sample.startsWith(`${name}{`))
      .map(([sample, value]) => [sample.slice(name.length), value]);
  }
}
