/** The end of the demonstration: an environment file for the command line, and three commands to try. */
import { writeFileSync } from 'node:fs';
import { ACCOUNT, type LocalStack } from '../stack/local-stack.ts';

/** The variables that `stun` reads, for this deployment; the keys in it are the development chain's public ones. */
export function environmentOf(stack: LocalStack, passphrase: string): Record<string, string> {
  return {
    STUN_HOME: `${stack.directory}/client`,
    STUN_DEPLOYMENT: stack.deploymentPath,
    STUN_TRUST_ROOT: stack.rootPath,
    STUN_RPC_URL: stack.chain.url,
    STUN_SERVICE_URL: stack.serviceUrl,
    STUN_PASSPHRASE: passphrase,
    STUN_PRIVATE_KEY: stack.chain.accounts[ACCOUNT.customer]!.privateKey,
  };
}

/** Writes them as a file for the shell. */
export function writeEnvironment(stack: LocalStack, passphrase: string): void {
  const lines = Object.entries(environmentOf(stack, passphrase)).map(([name, value]) => `export ${name}='${value}'\n`);
  writeFileSync(`${stack.directory}/env`, lines.join(''), { mode: 0o600 });
}

/** Prints three commands that work now. */
export function sayWhatNext(directory: string, keep: boolean): void {
  const offline = [
    `npx stun audit verify ${directory}/audit.json --root ${directory}/simulated-root.json`,
    `npx stun evidence inspect --evidence ${directory}/evidence.json`,
    'npm start -- --keep',
  ];
  const live = [
    `. ${directory}/env && npx stun enclaves list`,
    `. ${directory}/env && npx stun order show`,
    `. ${directory}/env && npx stun audit verify ${directory}/audit.json --rpc $STUN_RPC_URL`,
  ];
  process.stdout.write(`\nTry next:\n${(keep ? live : offline).map((line) => `  ${line}\n`).join('')}`);
  if (keep) process.stdout.write('\nEverything runs until you press Ctrl-C.\n');
}
