import type { Header } from './hpack/Header.ts';

/* What makes a request, a response or trailers malformed: RFC 9113, sections 8.1 to 8.3. Each answers with the reason, or undefined. */

const requestFields = [':method', ':scheme', ':path', ':authority'];
const ofOneConnection = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
const forbiddenInName = /[^\x21-\x7e]|[A-Z]|(?!^):/;
const forbiddenInValue = /[\0\r\n]|^[ \t]|[ \t]$/;

export function checkRequest(headers: readonly Header[]): string | undefined {
  const malformed = checkFields(headers, requestFields);
  if (malformed !== undefined) return malformed;
  // CONNECT would need no :path; there is nothing here to connect to.
  const missing = requestFields.slice(0, 3).find((name) => !headers.some(([found]) => found === name));
  if (missing !== undefined) return `a request without ${missing}`;
  return headers.some(([name, value]) => name === ':path' && value === '') ? 'an empty :path' : undefined;
}

export function checkResponse(headers: readonly Header[]): string | undefined {
  const malformed = checkFields(headers, [':status']);
  if (malformed !== undefined) return malformed;
  const status = headers.find(([name]) => name === ':status')?.[1] ?? '';
  return /^\d{3}$/.test(status) ? undefined : 'a response without :status';
}

export function checkTrailers(headers: readonly Header[]): string | undefined {
  return checkFields(headers, []);
}

/** What content-length promises; undefined without it, NaN if it is no number. */
export function contentLength(headers: readonly Header[]): number | undefined {
  const found = headers.find(([name]) => name === 'content-length')?.[1];
  if (found === undefined) return undefined;
  return /^\d{1,15}$/.test(found) ? Number(found) : Number.NaN;
}

function checkFields(headers: readonly Header[], pseudoFields: readonly string[]): string | undefined {
  const seen = new Set<string>();
  let regular = false;
  for (const [name, value] of headers) {
    if (name === '' || forbiddenInName.test(name)) return 'a name with characters that no name has';
    if (forbiddenInValue.test(value)) return `a value of ${name} with characters that no value has`;
    if (name.startsWith(':')) {
      if (regular) return `${name} after other fields`;
      if (!pseudoFields.includes(name)) return `${name} where it does not belong`;
      if (seen.has(name)) return `${name} twice`;
      seen.add(name);
    } else {
      regular = true;
      if (ofOneConnection.has(name)) return `${name}, which HTTP/2 does not have`;
      if (name === 'te' && value !== 'trailers') return `te: ${value}`;
    }
  }
  return undefined;
}
