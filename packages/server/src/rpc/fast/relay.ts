import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { errorName } from '@tributary/core/http2/Http2Error.ts';
import type { Http2Stream, StreamHandler } from '@tributary/core/http2/Http2Stream.ts';
import type { Header } from '@tributary/core/http2/hpack/Header.ts';
import { limits } from '@tributary/core/limits/limits.ts';

/**
 * Hands a stream on to another HTTP/2 server, behind `session`, and its answer back: windows, trailers and resets too, so that neither side holds more
 * than the other lets it.
 */
export function relay(
  stream: Http2Stream,
  headers: readonly Header[],
  session: ClientHttp2Session,
): StreamHandler {
  const behind = session.request(toNode(headers), { endStream: false });
  answer(behind, stream);
  return {
    headers: () => {},
    data(bytes, begin, end) {
      behind.write(Buffer.from(bytes.subarray(begin, end)), () => stream.consume(end - begin));
    },
    ended: () => behind.end(),
    closed(error) {
      if (error !== undefined) behind.close(constants.NGHTTP2_CANCEL);
    },
  };
}

function answer(behind: ClientHttp2Stream, stream: Http2Stream): void {
  let trailers: readonly Header[] | undefined;
  behind.on('response', (headers: IncomingHttpHeaders, flags: number) => {
    const last = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    stream.sendHeaders(fromNode(headers), last);
    if (last) return;
    let unsent = 0;
    behind.on('data', (bytes: Buffer) => {
      unsent += bytes.length;
      if (unsent > limits.relayBytesMax) behind.pause();
      const taken = () => {
        unsent -= bytes.length;
        behind.resume();
      };
      stream.send([bytes], { taken });
    });
    behind.on('end', () => stream.end(trailers ?? []));
  });
  behind.on('trailers', (found: IncomingHttpHeaders) => {
    trailers = fromNode(found);
  });
  behind.on('error', () => {});
  behind.on('close', () => {
    if (behind.rstCode !== 0) stream.reset(errorName(behind.rstCode), 'broken off behind us');
  });
}

function toNode(headers: readonly Header[]): OutgoingHttpHeaders {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of headers) {
    const before = found[name];
    found[name] = before === undefined ? value : [before, value].flat();
  }
  return found;
}

function fromNode(headers: IncomingHttpHeaders): Header[] {
  return Object.entries(headers).flatMap(([name, value]): Header[] =>
    [value ?? []].flat().map((one) => [name, String(one)]),
  );
}
