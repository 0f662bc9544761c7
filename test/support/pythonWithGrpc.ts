import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { installPackages } from './installPackages.ts';

const run = promisify(execFile);

/** A Python that has the gRPC library of the gRPC project (its C core), and protoc; installs Debian's packages where there is none and this user may. */
export async function pythonWithGrpc(): Promise<string> {
  const found = await findPython();
  if (found !== undefined) return found;
  await installPackages('protobuf-compiler', 'python3-protobuf', 'python3-grpcio');
  const installed = await findPython();
  if (installed !== undefined) return installed;
  throw new Error(
    'The tests need a Python with grpcio, and protoc. Debian: apt-get install protobuf-compiler python3-protobuf python3-grpcio.',
  );
}

/** Another Python before the system's on the PATH does not see its packages. */
async function findPython(): Promise<string | undefined> {
  if ((await run('protoc', ['--version']).catch(() => undefined)) === undefined) return undefined;
  for (const python of ['python3', '/usr/bin/python3']) {
    const works = await run(python, ['-c', 'import grpc, google.protobuf']).catch(() => undefined);
    if (works !== undefined) return python;
  }
  return undefined;
}
