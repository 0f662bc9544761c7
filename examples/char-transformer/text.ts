import { readFileSync } from 'node:fs';
import { type DataSource, inMemory } from 'tributary';

/** The Constitution of the United States, as the public domain package miscfiles has it. */
const text = readFileSync(new URL('constitution.txt', import.meta.url), 'utf8');

/** Every character that occurs, in the order of its code: a character's number is its place here. */
export const alphabet = [...new Set(text)].sort();

const ids = Int32Array.from(text, (character) => alphabet.indexOf(character));
/** What comes after this place is for the test. */
const testBegin = Math.floor(ids.length * 0.9);

/** Windows into the training text, one at every place: x: int32[length], and y: int32[length], the characters one further. */
export function trainingWindows(length: number): DataSource<'x' | 'y'> {
  return windows(ids.subarray(0, testBegin), length, 1);
}

/** Windows into the rest of the text, end to end. */
export function testWindows(length: number): DataSource<'x' | 'y'> {
  return windows(ids.subarray(testBegin), length, length);
}

function windows(part: Int32Array, length: number, every: number): DataSource<'x' | 'y'> {
  const count = Math.floor((part.length - length - 1) / every) + 1;
  const from = (shift: number) => ({
    data: Int32Array.from(
      { length: count * length },
      (_, index) => part[Math.floor(index / length) * every + (index % length) + shift],
    ),
    shape: [count, length],
  });
  return inMemory({ x: from(0), y: from(1) });
}
