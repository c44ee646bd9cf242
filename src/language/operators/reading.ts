import type { Json } from '../../model/json.ts';
import { NO, type Operand, type Read, WRONG, YES } from '../closures.ts';
import type { Call, Compilation, Place, ValueForm } from '../compilation.ts';
import { factProblem, factReader, namesOf, valueReader } from '../paths.ts';
import { truthOf } from '../truth.ts';

/** Operators that read facts or choose among values. */

type Part = Pick<Operand, 'read' | 'text'>;
const NOTHING: Part = { read: () => null, text: '' };

/** `{"var": "profile.tier"}`, `{"var": ["profile.tier", "none"]}`; inside of `some`, `all` and `none`, of the item. */
const variable: ValueForm = {
  min: 1,
  max: 2,
  use: '"profile.tier" or ["profile.tier", default]',
  value: (call, compilation) => {
    const part = reader(call.args[0]!, call.argument(0), compilation);
    if (call.args.length === 1 || part === null) return part ?? NOTHING;
    const { read } = part;
    const other = compilation.value(call.args[1]!, call.argument(1));
    return {
      read: (facts, marks, item) => read(facts, marks, item) ?? other.read(facts, marks, item),
      text: `${part.text} (or ${other.text})`,
    };
  },
};

function reader(path: Json, place: Place, compilation: Compilation): Part | null {
  const text = typeof path === 'number' && place.scope === 'item' ? String(path) : path;
  if (typeof text !== 'string') {
    compilation.problem(place.path, 'The operator \'var\' takes a path that is written out, such as "profile.tier".');
    return null;
  }
  if (place.scope === 'item') return itemReader(text, place, compilation);
  const names = text === '' ? 'The operator \'var\' takes a path, such as "profile.tier".' : namesOf(text);
  const problem = typeof names === 'string' ? names : factProblem(names);
  if (problem !== null) {
    compilation.problem(place.path, problem);
    return null;
  }
  compilation.reads.add(text);
  return { read: factReader(names as readonly string[]), text };
}

function itemReader(path: string, place: Place, compilation: Compilation): Part | null {
  const names = path === '' ? [] : namesOf(path);
  if (typeof names === 'string') {
    compilation.problem(place.path, names);
    return null;
  }
  const read = valueReader(names);
  return { read: (_facts, _marks, item) => read(item), text: path === '' ? 'the item' : path };
}

/** `[condition, then, condition, then, …, else]`; without an else, nothing. */
const choice: ValueForm = {
  min: 2,
  max: Number.POSITIVE_INFINITY,
  use: '[condition, then, else]',
  value: (call, compilation) => {
    const tests = call.args.map((arg, index) => {
      const isCondition = index % 2 === 0 && index + 1 < call.args.length;
      return isCondition ? compilation.test(arg, call.argument(index)) : null;
    });
    const values = call.args.map((arg, index) =>
      tests[index] === null ? compilation.value(arg, call.argument(index)) : null,
    );
    return {
      read: (facts, marks, item) => {
        let i = 0;
        for (; i + 1 < values.length; i += 2) {
          if (tests[i]!(facts, marks, item)) return values[i + 1]!.read(facts, marks, item);
        }
        return i < values.length ? values[i]!.read(facts, marks, item) : null;
      },
      text: `one of ${values.flatMap((value) => (value === null ? [] : [value.text])).join(', ')} by condition`,
    };
  },
};

/** The first that is something (`or`) or nothing (`and`), else the last. As JSON Logic has it. */
function firstOf(isOr: boolean): ValueForm {
  const wanted = isOr ? YES : NO;
  return {
    min: 1,
    max: Number.POSITIVE_INFINITY,
    use: '[value, value, …]',
    value: (call, compilation) => {
      const operands = call.args.map((arg, index) => compilation.value(arg, call.argument(index)));
      const reads = operands.map(({ read }) => read);
      return {
        read: (facts, marks, item) => {
          for (let i = 0; i < reads.length - 1; i++) {
            const value = reads[i]!(facts, marks, item);
            if (value === WRONG || truthOf(value) === wanted) return value;
          }
          return reads[reads.length - 1]!(facts, marks, item);
        },
        text: `(${operands.map(({ text }) => text).join(isOr ? ' or ' : ' and ')})`,
      };
    },
  };
}

/** `{"missing": ["profile.a", "profile.b"]}`: the list of those that are null, empty or not there. */
const missing: ValueForm = {
  min: 1,
  max: Number.POSITIVE_INFINITY,
  use: '["profile.a", "profile.b"]',
  value: (call, compilation) => listOfMissing(call, compilation, 0, () => true),
};

/** `{"missing_some": [1, ["profile.a", "profile.b"]]}`: the same, and empty where so many are there. */
const missingSome: ValueForm = {
  min: 2,
  max: 2,
  use: '[1, ["profile.a", "profile.b"]]',
  value: (call, compilation) => {
    const [needed, paths] = call.args;
    if (typeof needed !== 'number' || !Array.isArray(paths)) {
      compilation.problem(call.place.path, "The operator 'missing_some' takes a number and a list of paths.");
      return NOTHING;
    }
    const place = call.argument(1);
    const argument = (index: number): Place => ({ ...place, path: [...place.path, index] });
    return listOfMissing({ ...call, args: paths, argument }, compilation, 0, (count) => paths.length - count < needed);
  },
};

function listOfMissing(call: Call, compilation: Compilation, from: number, counts: (missing: number) => boolean): Part {
  const paths = call.args.slice(from);
  const parts = paths.map((path, index) => reader(path, call.argument(index + from), compilation) ?? NOTHING);
  const read: Read = (facts, marks, item) => {
    const list = paths.filter((_path, index) => {
      const value = parts[index]!.read(facts, marks, item);
      return value === null || value === '';
    });
    return counts(list.length) ? list : [];
  };
  return { read, text: `the list of what is missing of ${paths.join(', ')}` };
}

export const READING: Readonly<Record<string, ValueForm>> = {
  var: variable,
  if: choice,
  '?:': choice,
  or: firstOf(true),
  and: firstOf(false),
  missing,
  missing_some: missingSome,
};
