import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPackages } from './installPackages.ts';

const run = promisify(execFile);
const packages = [
  'g++',
  'pkg-config',
  'protobuf-compiler',
  'protobuf-compiler-grpc',
  'libprotobuf-dev',
  'libgrpc++-dev',
];

/**
 * Compiles one C++ file that includes what protoc and its gRPC plugin make of a .proto file (`proto`, within `protoFolder`), and returns the program's path
 * in `folder`. Installs Debian's packages where the tools are missing and this user may.
 */
export async function compileCpp(
  source: string,
  protoFolder: string,
  proto: string,
  folder: string,
): Promise<string> {
  if (!(await hasTools())) await installPackages(...packages);
  const { stdout: plugin } = await run('sh', ['-c', 'command -v grpc_cpp_plugin']).catch(() => {
    throw new Error(
      `The tests need a C++ compiler with gRPC. Debian: apt-get install ${packages.join(' ')}.`,
    );
  });
  const outputs = [
    `--cpp_out=${folder}`,
    `--grpc_out=${folder}`,
    `--plugin=protoc-gen-grpc=${plugin.trim()}`,
  ];
  await run('protoc', ['-I', protoFolder, ...outputs, proto]);
  const { stdout: libraries } = await run('pkg-config', ['--libs', 'grpc++', 'protobuf']);
  const program = join(folder, 'client');
  await run('c++', [
    '-std=c++17',
    '-O0',
    '-I',
    folder,
    source,
    '-o',
    program,
    ...libraries.trim().split(/\s+/),
  ]);
  return program;
}

function hasTools(): Promise<boolean> {
  const script = 'command -v protoc grpc_cpp_plugin c++ && pkg-config --exists grpc++ protobuf';
  return run('sh', ['-ec', script]).then(
    () => true,
    () => false,
  );
}
