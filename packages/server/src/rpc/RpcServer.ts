import { logVerbosity, Server, ServerCredentials, setLogVerbosity } from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import {
  packageDefinition,
  parameterService,
  serviceName,
} from '@tributary/client/transport/parameterService.ts';
import { type TransportChoice, transportOf } from '@tributary/client/transport/transport.ts';
import { limits } from '@tributary/core/limits/limits.ts';
import { HealthImplementation } from 'grpc-health-check';
import { bindError, removeStaleSocket } from './bind.ts';
import { blockSquares } from './blockSquares.ts';
import type { RpcContext } from './calls.ts';
import { checkpointPart } from './checkpointPart.ts';
import { describe } from './describe.ts';
import type { ExchangeSession, ExchangeWork } from './ExchangeSession.ts';
import { endAt } from './endAt.ts';
import { exchange } from './exchange.ts';
import { FastServer } from './fast/FastServer.ts';
import { tensorMethods } from './fast/methods.ts';
import { PushReceiver } from './PushReceiver.ts';
import { answerPull, pull } from './pull.ts';
import { push } from './push.ts';
import { reduce } from './reduce.ts';
import { widenConnections, widenStreams } from './serverWindow.ts';

const serverOptions = {
  'grpc.max_send_message_length': limits.messageBytesMax,
  'grpc.max_receive_message_length': limits.messageBytesMax,
  'grpc.keepalive_time_ms': limits.keepaliveMs,
  'grpc.keepalive_timeout_ms': limits.keepaliveTimeoutMs,
} as const;

interface Parts {
  readonly server: Server;
  readonly fast: FastServer | undefined;
  readonly health: HealthImplementation;
  /** Streams that would last: they are ended first. */
  readonly sessions: ReadonlySet<ExchangeSession>;
}

/** The parameter service, health and reflection on one address: all of it by grpc-js, or with the fast path in front for the calls that carry tensors. */
export class RpcServer {
  /** Where it listens: as given, with the port that was found if 0 was asked for. */
  readonly address: string;
  readonly #server: Server;
  readonly #fast: FastServer | undefined;
  readonly #health: HealthImplementation;
  readonly #sessions: ReadonlySet<ExchangeSession>;

  private constructor(address: string, { server, fast, health, sessions }: Parts) {
    this.address = address;
    this.#server = server;
    this.#fast = fast;
    this.#health = health;
    this.#sessions = sessions;
  }

  /** Listens on `host:port` (port 0: any free one) or `unix:PATH`. Throws FAILED_PRECONDITION naming the address if that cannot be had. */
  static async listen(
    bind: string,
    context: RpcContext,
    transport: TransportChoice = 'auto',
  ): Promise<RpcServer> {
    const sessions = new Set<ExchangeSession>();
    const work: ExchangeWork = {
      sessions,
      receivePush: () => new PushReceiver(context),
      answerPull: (request, writer) => answerPull(request, writer, context),
      log: context.log,
    };
    // What grpc-js would print to the console, it also gives us as an error.
    setLogVerbosity(logVerbosity.NONE);
    const server = new Server(serverOptions);
    widenStreams(server);
    server.addService(parameterService, {
      Push: push(context),
      Pull: pull(context),
      Exchange: exchange(work),
      Reduce: reduce(context),
      Describe: describe(context),
      BlockSquares: blockSquares(context),
      CheckpointPart: checkpointPart(context),
      EndAt: endAt(context),
    });
    const health = new HealthImplementation({ '': 'NOT_SERVING', [serviceName]: 'NOT_SERVING' });
    health.addToServer(server);
    new ReflectionService(packageDefinition).addToServer(server);
    await removeStaleSocket(bind);
    if (transportOf(transport) === 'fast') {
      const behind = server.createConnectionInjector(ServerCredentials.createInsecure());
      const methods = tensorMethods(context, work);
      const fast = await FastServer.listen(bind, { methods, behind, log: context.log });
      return new RpcServer(withPort(bind, fast.port), { server, fast, health, sessions });
    }
    const port = await bindTo(server, bind, credentialsOf(transport));
    widenConnections(server);
    return new RpcServer(withPort(bind, port), { server, fast: undefined, health, sessions });
  }

  /** What the health service answers. */
  setServing(serving: boolean): void {
    for (const service of ['', serviceName])
      this.#health.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
  }

  /** Takes no new calls, lets those under way end, and breaks off what is left after limits.serverDrainMs. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => {
      this.#fast?.destroy();
      this.#server.forceShutdown();
    }, limits.serverDrainMs);
    for (const session of [...this.#sessions]) session.leave();
    await this.#fast?.stop();
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(timer);
    this.#server.forceShutdown();
  }
}

function withPort(bind: string, port: number | undefined): string {
  return bind.startsWith('unix:') ? bind : bind.replace(/:\d+$/, `:${port}`);
}

/** With TLS, only those take part whose certificate is of the same authority. */
function credentialsOf(transport: TransportChoice): ServerCredentials {
  if (typeof transport !== 'object') return ServerCredentials.createInsecure();
  const { ca, cert, key } = transport.tls;
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
}

function bindTo(server: Server, bind: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(bind, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(bindError(bind, error));
    });
  });
}
