import { nearestName } from '@tributary/core/errors/nearestName.ts';
import { showValue } from '@tributary/core/errors/showValue.ts';

/**
 * What a part of a definition must be: returns the part that was found with defaults in place, and tells `problems` of all that is wrong with it, each in a line that
 * begins with its path. (Every process of a cluster reads the job file when it starts; a library of schemas takes longer to load than all that is read with it.)
 */
export type Shape = (found: unknown, path: string, problems: string[]) => unknown;

/** A value that satisfies `is`; `possible` completes the sentence "... must be". */
export function value(is: (found: unknown) => boolean, possible: string): Shape {
  return (found, path, problems) => {
    if (!is(found)) problems.push(wrong(found, path, possible));
    return found;
  };
}

/** May be left out; it is `initial` then, if that is given. */
export function optional(shape: Shape, initial?: unknown): Shape {
  return (found, path, problems) => (found === undefined ? initial : shape(found, path, problems));
}

/** An object of these fields and no others. */
export function object(fields: Readonly<Record<string, Shape>>, possible: string): Shape {
  return (found, path, problems) => {
    if (!isObject(found)) {
      problems.push(wrong(found, path, possible));
      return found;
    }
    const read = Object.entries(fields).flatMap(([name, shape]) => {
      const field = shape(found[name], within(path, name), problems);
      return field === undefined && !(name in found) ? [] : [[name, field]];
    });
    for (const name of Object.keys(found)) {
      if (Object.hasOwn(fields, name)) continue;
      const nearest = nearestName(name, Object.keys(fields));
      const suggestion = nearest === undefined ? '' : `: did you mean ${within(path, nearest)}?`;
      problems.push(`${within(path, name)} is not a field of a job${suggestion}`);
    }
    return Object.fromEntries(read);
  };
}

/** An object of any names, each with a part of this shape. */
export function record(of: Shape, possible: string): Shape {
  return (found, path, problems) => {
    if (!isObject(found)) {
      problems.push(wrong(found, path, possible));
      return found;
    }
    const read = Object.entries(found).map(([name, part]) => [name, of(part, within(path, name), problems)]);
    return Object.fromEntries(read);
  };
}

/** A list of parts of this shape. */
export function list(of: Shape, possible: string): Shape {
  return (found, path, problems) => {
    if (Array.isArray(found)) return found.map((part, index) => of(part, within(path, index), problems));
    problems.push(wrong(found, path, possible));
    return found;
  };
}

function isObject(found: unknown): found is Readonly<Record<string, unknown>> {
  return typeof found === 'object' && found !== null && !Array.isArray(found);
}

function within(path: string, name: string | number): string {
  return path === '' ? String(name) : `${path}.${name}`;
}

function wrong(found: unknown, path: string, possible: string): string {
  const what = found === undefined ? 'is missing' : `is ${showValue(found)}`;
  return `${path === '' ? 'the definition' : path} ${what}, but must be ${possible}`;
}
