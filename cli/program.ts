/** The command tree of `stun`. Loads no folder of the project until a command runs. */
import { Command } from 'commander';
import { registerCeremony } from './register/ceremony.ts';
import { registerCustomer } from './register/customer.ts';
import { registerEvidence } from './register/evidence.ts';
import { registerModel } from './register/model.ts';
import { registerOperator } from './register/operator.ts';
import { registerProvider } from './register/provider.ts';
import type { Runner } from './runner.ts';

/** Builds the whole tree. The caller parses and prints. */
export function buildProgram(runner: Runner): Command {
  const program = new Command('stun')
    .description('Confidential AI inference, paid out of escrow and only against evidence.')
    .option('--json', 'print exactly one JSON document on stdout')
    .option('--home <dir>', 'folder of the client store (STUN_HOME; ./.stun/client)')
    .option('--deployment <file>', 'record of the deployed contracts (STUN_DEPLOYMENT; ./.stun/deployment.json)')
    .option('--service <url>', 'verifier service (STUN_SERVICE_URL; http://127.0.0.1:8080)')
    .option('--rpc <url>', 'your own node (STUN_RPC_URL; http://127.0.0.1:8545)')
    .option('--root <file>', 'a simulated trust root, or a list of them, to accept besides the vendors (STUN_TRUST_ROOT; none)')
    .version('0.1.0', '-V, --version')
    .showHelpAfterError(false)
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Secrets come from the environment: STUN_PASSPHRASE opens the client store, STUN_PRIVATE_KEY signs transactions and signs in,
STUN_API_KEY signs in without a wallet. Each can be NAME_FILE instead, naming a file.
Exit codes: 0 done or yes, 1 input, 2 verification, 3 unavailable, 4 policy, 5 configuration, 6 defect.`,
    );
  registerCustomer(program, runner);
  registerEvidence(program, runner);
  registerProvider(program, runner);
  registerModel(program, runner);
  registerOperator(program, runner);
  registerCeremony(program, runner);
  // Errors are thrown, not printed and exited on: main.ts prints them once, in the form that was asked for.
  for (const command of withDescendants(program)) {
    command
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .allowExcessArguments(false);
  }
  return program;
}

/** A command and everything below it. */
export function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}
