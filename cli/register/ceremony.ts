/** Commands of the trusted setup. */
import type { Command } from 'commander';
import type { Runner } from '../runner.ts';

function circuit(command: Command): Command {
  return command
    .option('--circuit <name>', 'a circuit of the project')
    .option('--r1cs <file>', 'or any constraint file of circom')
    .option('--disclosure <folder>', "or the circuit of disclosures from a compiled model's outputs");
}

function ground(command: Command): Command {
  return rehearsal(circuit(command).requiredOption('--ptau <file>', 'powers of tau, prepared for phase 2'));
}

function rehearsal(command: Command): Command {
  return command.option(
    '--rehearsal-table <file>',
    'digests of powers of tau to accept in place of the published ones; no deployment does',
  );
}

/** Adds them. */
export function registerCeremony(program: Command, runner: Runner): void {
  const ceremony = program.command('ceremony').description('the trusted setup: start, contribute, verify, finish');
  const load = () => import('../commands/ceremony.ts');
  runner.handle(
    rehearsal(circuit(ceremony.command('import-ptau').argument('<file>', 'powers of tau'))).description(
      'check powers of tau against the published digests; with a circuit, also that they are large enough',
    ),
    async () => (await load()).importPtau,
  );
  runner.handle(
    ground(ceremony.command('start'))
      .requiredOption('--out <key>', 'key to write')
      .description('start phase 2: make the key that contributions are added to'),
    async () => (await load()).start,
  );
  runner.handle(
    ceremony
      .command('contribute')
      .argument('<key>', 'the newest key')
      .requiredOption('--out <key>', 'key to write')
      .option('--name <name>', 'who contributes, for the transcript', '')
      .description(
        'add a secret that is then forgotten; adds STUN_CEREMONY_ENTROPY, or what is typed, to the randomness of the system',
      ),
    async () => (await load()).contribute,
  );
  runner.handle(
    ceremony
      .command('beacon')
      .argument('<key>', 'the key of the last contributor')
      .requiredOption('--value <hex>', 'a public value that nobody could know beforehand')
      .option('--iterations-exponent <exponent>', 'SHA-256 is iterated 2^exponent times, 10 to 32', '20')
      .option('--name <name>', 'where the value comes from, for the transcript', '')
      .requiredOption('--out <key>', 'key to write')
      .description('close the key, so that the last contributor had no choice either'),
    async () => (await load()).beacon,
  );
  runner.handle(
    ground(ceremony.command('verify').argument('<key>', 'any key of the ceremony'))
      .option('--transcript <file>', 'a transcript that must be the one of this key')
      .description('verify a key from powers of tau to the last contribution, whoever made it'),
    async () => (await load()).verify,
  );
  runner.handle(
    ground(ceremony.command('finalise').argument('<key>', 'the key after the beacon'))
      .requiredOption('--out <file>', 'transcript to write')
      .description('verify a finished ceremony and write its transcript'),
    async () => (await load()).finalise,
  );
  runner.handle(
    circuit(ceremony.command('export').argument('<key>', 'the final key'))
      .requiredOption('--transcript <file>', 'its transcript')
      .requiredOption('--out <folder>', 'folder to write')
      .option('--contract <name>', "name of the Solidity contract (the circuit's)")
      .option('--jobs <count>', "most jobs of a segment (the circuit's)")
      .description('write proving key, verification key, Solidity verifier, manifest and transcript into one folder'),
    async () => (await load()).exportFolder,
  );
}
