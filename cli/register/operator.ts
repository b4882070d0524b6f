/** Commands for whoever runs things: diagnosis, shell completion, development chain. */
import type { Command } from 'commander';
import { collect, type Runner } from '../runner.ts';

/** Options that name ceremonies. */
export function ceremonies(command: Command): Command {
  return command
    .option('--ceremony <folder>', 'what stun ceremony export wrote; repeatable, instead of development keys', collect)
    .option('--allowed-keys <file>', 'list of allowed keys (circuits/keys/allowed-keys.json)');
}

function proving(command: Command): Command {
  return ceremonies(command)
    .option('--circuit <name>', 'a settlement circuit to prove with development keys; repeatable (both of 16 jobs)', collect)
    .option('--proof-timeout <duration>', 'limit of one attempt at one proof', '10m')
    .option('--memory-mb <megabytes>', 'memory of keys, proving threads and proofs together (2048, or 256 a thread)');
}

function registerProcesses(program: Command, runner: Runner): void {
  const roles = [
    ['service', 'run the verifier service in the role of its settings (STUN_SERVICE_CONFIG)', undefined],
    ['prover', 'run the prover of a service that uses PostgreSQL', 'prover'],
  ] as const;
  for (const [name, description, role] of roles) {
    runner.serve(proving(program.command(name).description(description)), async () => {
      const { serviceProcess } = await import('../commands/processes.ts');
      return serviceProcess(role);
    });
  }
  runner.serve(
    program.command('attestor').description('run an attestor: it verifies evidence itself and approves keysets'),
    async () => (await import('../commands/processes.ts')).serviceProcess('attestor'),
  );
}

/** Adds them. */
export function registerOperator(program: Command, runner: Runner): void {
  registerProcesses(program, runner);
  runner.handle(
    program.command('doctor').description('check this machine and its settings, and say what to do'),
    async () => (await import('../commands/doctor.ts')).doctor,
  );
  runner.handle(
    program.command('completion').argument('<shell>', 'bash, zsh or fish').description('print a completion script'),
    async () => {
      const { completion } = await import('../commands/completion.ts');
      return ({ args }) => completion(program, args[0] ?? '');
    },
  );
  const chain = program.command('chain').description('development chain and deployment');
  runner.serve(
    chain
      .command('dev')
      .option('--port <port>', 'where to listen', '8545')
      .option('--block-interval <ms>', 'milliseconds between blocks; 0 mines with every transaction', '0')
      .description('run a local chain (id 31337) until it is stopped; its keys are public'),
    async () => (await import('../commands/chain.ts')).chainDev,
  );
  runner.handle(
    ceremonies(chain.command('deploy'))
      .requiredOption('--attestor <address>', 'attestors of the registry; repeatable', collect)
      .option('--threshold <count>', 'approvals needed', '2')
      .option('--fee-bps <bps>', 'fee, hundredths of a per cent', '100')
      .option('--fee-account <address>', 'who receives it (the deployer)')
      .option('--guardian <address>', 'who can freeze and revoke (the deployer)')
      .description('deploy all contracts with STUN_PRIVATE_KEY and write the deployment record'),
    async () => (await import('../commands/chain.ts')).chainDeploy,
  );
}
