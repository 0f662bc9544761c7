import { TributaryError } from '@tributary/core/errors/TributaryError.ts';

export type CoordinatorPlace = { kind: 'redis'; url: string } | { kind: 'sqlite'; path: string };

/** Reads `redis://…`, `rediss://…` or `sqlite:PATH`; anything else is an INVALID_ARGUMENT. */
export function parseCoordinatorUrl(url: string): CoordinatorPlace {
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return { kind: 'redis', url };
  const path = /^sqlite:(.+)$/.exec(url)?.[1];
  if (path !== undefined) return { kind: 'sqlite', path };
  // A Redis address that does not parse may hold a password all the same: it is not repeated.
  const what = /^rediss?:/.test(url)
    ? 'the address of Redis cannot be read'
    : `"${url}" is not a coordinator`;
  throw new TributaryError('INVALID_ARGUMENT', what, { hint: 'Give redis://HOST:PORT or sqlite:PATH.' });
}
