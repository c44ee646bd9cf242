import type { Random } from '../sim/random.ts';
import { EDGES, NAMES } from './json-edges.ts';

/**
 * Changes JSON where it means something: a value of another type, a key taken out or written twice, a branch moved. The
 * tree is kept as text pieces, so that what `JSON.stringify` would never write (numbers without end, equal keys, lone
 * surrogates) can stand in it.
 */
type Node = { readonly kind: 'text'; text: string } | { readonly kind: 'array'; items: Node[] } | Fields;
interface Fields {
  readonly kind: 'object';
  fields: [key: string, value: Node][];
}

/** `text`: valid JSON. Returns JSON, or nearly. */
export function mutateJson(text: string, random: Random): string {
  const root: { value: Node } = { value: treeOf(JSON.parse(text)) };
  for (let i = random.between(1, 4); i > 0; i--) mutateNode(root, random);
  return write(root.value);
}

/** Deeper branches are changed as a whole. */
const DEPTH_MAX = 100;

function treeOf(value: unknown, depth = 0): Node {
  if (typeof value !== 'object' || value === null || depth === DEPTH_MAX) {
    return { kind: 'text', text: JSON.stringify(value) };
  }
  const below = (one: unknown): Node => treeOf(one, depth + 1);
  if (Array.isArray(value)) return { kind: 'array', items: value.map(below) };
  return { kind: 'object', fields: Object.entries(value).map(([key, one]) => [JSON.stringify(key), below(one)]) };
}

function write(node: Node): string {
  if (node.kind === 'text') return node.text;
  if (node.kind === 'array') return `[${node.items.map(write).join(',')}]`;
  return `{${node.fields.map(([key, value]) => `${key}:${write(value)}`).join(',')}}`;
}

/** Goes down by chance, and changes what it stops at. */
function mutateNode(root: { value: Node }, random: Random): void {
  let replace = (by: Node): void => {
    root.value = by;
  };
  let node = root.value;
  while (node.kind !== 'text' && !random.oneIn(5)) {
    const parent = node;
    const at = random.below(parent.kind === 'array' ? parent.items.length : parent.fields.length);
    const next = parent.kind === 'array' ? parent.items[at] : parent.fields[at]?.[1];
    if (next === undefined) break;
    replace = (by) => {
      if (parent.kind === 'array') parent.items[at] = by;
      else parent.fields[at]![1] = by;
    };
    node = next;
  }
  if (node.kind === 'object' && !random.oneIn(4)) mutateFields(node, random);
  else if (node.kind === 'array' && !random.oneIn(4)) mutateItems(node.items, random);
  else replace(edge(random));
}

function mutateFields(node: Fields, random: Random): void {
  const { fields } = node;
  const at = random.below(fields.length + 1);
  switch (random.below(6)) {
    case 0:
      fields.splice(at, 1);
      break;
    case 1:
      fields.splice(at, 0, [random.pick(NAMES), edge(random)]);
      break;
    case 2: // The same key once more, with another value.
      if (fields[at] !== undefined) fields.push([fields[at][0], edge(random)]);
      break;
    case 3: // The branch under another name.
      if (fields[at] !== undefined) fields[at][0] = random.pick(NAMES);
      break;
    case 4: // A branch of its own again below it.
      fields.push([random.pick(NAMES), treeOf({ a: [1, { b: null }] })]);
      break;
    default:
      if (fields[at] !== undefined) fields[at][1] = edge(random);
  }
}

function mutateItems(items: Node[], random: Random): void {
  const at = random.below(items.length + 1);
  if (random.oneIn(3)) items.splice(at, 1);
  else if (random.oneIn(2)) items.splice(at, 0, edge(random));
  else if (items[at] !== undefined) for (let i = random.pick([1, 2, 20, 150]); i > 0; i--) items.push(items[at]);
}

function edge(random: Random): Node {
  return { kind: 'text', text: random.pick(EDGES) };
}
