import type { ExchangeAnswer, ExchangeRequest } from '@tributary/client/transport/messages.ts';
import { TributaryError } from '@tributary/core/errors/TributaryError.ts';
import {
  ExchangeSession,
  type ExchangeWire,
  type ExchangeWork,
} from '@tributary/server/rpc/ExchangeSession.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/* Whatever a client says, and in whatever order: each call is answered once at most, each push is closed once, and nothing is left when the stream is over. */

const saying = fc.record({
  call: fc.integer({ min: 1, max: 4 }),
  what: fc.constantFrom('push', 'pull', 'end', 'cancel', 'chunk', 'leave', 'answer', 'nothing' as const),
  fails: fc.boolean(),
  later: fc.boolean(),
});

interface Push {
  closed: number;
  isBroken: boolean;
}

/** A session over pushes and pulls that do as `fails` and `later` say. */
function start() {
  const answers: ExchangeAnswer[] = [];
  const pushes: Push[] = [];
  const pulls: { resolve: () => void; signal: AbortSignal }[] = [];
  const replies: (() => void)[] = [];
  let ended = 0;
  let next = { fails: false, later: false };
  const refuse = () => {
    throw new TributaryError('INVALID_ARGUMENT', 'as asked');
  };
  const reply = { outcome: 'APPLIED', reason: '', clock: 0, endStep: 1 };
  const wire: ExchangeWire = {
    unread: 0,
    send: (answer) => answers.push(answer),
    async sendChunks(_, queued) {
      queued();
    },
    end: () => ended++,
  };
  const work: ExchangeWork = {
    sessions: new Set(),
    log: () => {},
    receivePush() {
      const push: Push = { closed: 0, isBroken: false };
      pushes.push(push);
      return {
        tooLong: false,
        place: () => undefined,
        message: () => (next.fails ? refuse() : undefined),
        finish() {
          if (next.fails) refuse();
          if (!next.later) return reply;
          const { promise, resolve, reject } = Promise.withResolvers<typeof reply>();
          const { fails } = next;
          replies.push(() => (fails ? reject(new TributaryError('ABORTED', 'later')) : resolve(reply)));
          return promise;
        },
        close: () => push.closed++,
      };
    },
    async answerPull(_, { signal, answer }) {
      if (next.fails) refuse();
      if (next.later) await new Promise<void>((resolve) => pulls.push({ resolve, signal }));
      await answer({ ready: true, version: 0, clock: 0, endStep: 1, length: 0, encoding: 'F32' }, []);
    },
  };
  const session = new ExchangeSession(work, wire);
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    ...{ session, answers, pushes, pulls, replies, work, settle },
    ended: () => ended,
    say: (given: typeof next, act: () => void) => {
      next = given;
      act();
    },
  };
}

test('an exchange keeps its laws whatever is said', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(saying, { maxLength: 40 }), async (sayings) => {
      const { session, answers, pushes, pulls, replies, work, settle, ended, say } = start();
      const begun = new Map<number, number>();
      let failed = false;
      for (const { call, what, ...how } of sayings) {
        if (failed || ended() > 0) break;
        const header = { call, what, [what]: {} } as unknown as ExchangeRequest;
        try {
          say(how, () => {
            if (what === 'leave') session.leave();
            else if (what === 'answer') for (const answer of replies.splice(0)) answer();
            else if (what === 'chunk') session.message({ chunk: { offset: 0, data: new Uint8Array(4) } });
            else session.message({ header });
          });
          if (what === 'push' || what === 'pull') begun.set(call, (begun.get(call) ?? 0) + 1);
        } catch (error) {
          expect(error).toBeInstanceOf(TributaryError);
          failed = true;
        }
        await settle();
      }
      session.close();
      for (const { resolve } of pulls) resolve();
      for (const answer of replies.splice(0)) answer();
      await settle();
      // Every answer but the header of a pull ends a call.
      const finals = answers.filter(({ what }) => what !== 'pull');
      for (const call of [1, 2, 3, 4])
        expect(finals.filter((answer) => answer.call === call).length).toBeLessThanOrEqual(
          begun.get(call) ?? 0,
        );
      for (const { closed } of pushes) expect(closed).toBe(1);
      for (const { signal } of pulls) expect(signal.aborted).toBe(true);
      expect(work.sessions.size).toBe(0);
      expect(ended()).toBeLessThanOrEqual(1);
    }),
    { numRuns: 2000 },
  );
});
