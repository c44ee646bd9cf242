import type { Histogram } from './histogram.ts';
import type { MetricSpec } from './metrics.ts';

/** As Prometheus asks for it. Documented: text format 0.0.4. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One number, with the values of the metric's labels in their order. */
export type Sample = readonly [value: number, ...labels: readonly string[]];

/**
 * Prometheus's text format, put together when it is asked for. By hand, because that is all there is to it: the numbers
 * are plain fields of the parts that count, so a request pays for an addition and not for a registry's look-up by label.
 */
export class Exposition {
  #text = '';

  /** A counter or a gauge. Without samples there is only its description. */
  family(spec: MetricSpec, samples: Iterable<Sample>): void {
    this.#describe(spec);
    for (const [value, ...labels] of samples) this.#line(spec.name, spec.labels, labels, value);
  }

  histogram(spec: MetricSpec, histogram: Histogram): void {
    this.#describe(spec);
    const counts = histogram.cumulative();
    const count = counts.at(-1)!;
    for (const [index, bound] of histogram.bounds.entries()) {
      this.#line(`${spec.name}_bucket`, ['le'], [String(bound)], counts[index]!);
    }
    this.#line(`${spec.name}_bucket`, ['le'], ['+Inf'], count);
    this.#line(`${spec.name}_sum`, [], [], histogram.sum);
    this.#line(`${spec.name}_count`, [], [], count);
  }

  get text(): string {
    return this.#text;
  }

  #describe({ name, type, help }: MetricSpec): void {
    this.#text += `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  }

  #line(name: string, names: readonly string[], values: readonly string[], value: number): void {
    const pairs = names.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);
    this.#text += `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}\n`;
  }
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
