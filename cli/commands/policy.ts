/** `stun policy show`: a policy to begin with, since a policy file names every field. docs/attestation.md. */
import { defaultPolicy } from '#attestation/index.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import type { CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';

/** Options of `policy show`. */
export interface PolicyShowOptions {
  readonly simulated?: boolean;
}

/** Prints the default policy as JSON, with `--json` or without; with `--simulated` it admits simulated hardware, and only that differs. */
export function policyShow({ options }: Invocation<PolicyShowOptions>): Promise<CommandResult> {
  const policy = options.simulated === true ? simulatedPolicy : defaultPolicy;
  const text = JSON.stringify(policy, null, 2);
  return Promise.resolve({ document: JSON.parse(text) as Json, text, exitCode: 0 });
}
