#!/usr/bin/env node
/* Only what any Node can parse, so that an old one is told what is wrong instead of where it stumbled. */
const needed = 24;
if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(
    `tributary needs Node ${needed} or newer; this is ${process.version}. Install a newer Node, or run it by \`npx -p node@${needed} -p tributary tributary\`.\n`,
  );
  process.exit(2);
}
// Compiling the modules is most of what a short command does; Node keeps what came of it in the folder for temporary files.
(await import('node:module')).enableCompileCache();
const { run } = await import('./run.ts');
await run(process.argv);

export {};
