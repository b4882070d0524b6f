/** `stun enclaves list`. */
import { asStunError, exitCodeOf, fieldFromHex, fieldToHex } from '#protocol/index.ts';
import { defaultPolicy, parsePolicy } from '#attestation/index.ts';
import { fetchEnclave, policyIdOfPolicy, type ListedEnclave } from '#client/index.ts';
import type { CommandResult, Json } from '../command.ts';
import type { Invocation } from '../runner.ts';
import { connectCustomer, readText } from '../settings.ts';
import { parseAddress, parseWord } from '../values.ts';

/** Options of `enclaves list`. */
export interface EnclavesListOptions {
  readonly modelId?: string;
  readonly provider?: string;
  readonly verify?: boolean;
  readonly policy?: string;
}

interface Row {
  readonly enclave: ListedEnclave;
  /** What this client found; undefined when it was not asked to look. */
  readonly verified?: { readonly simulated: boolean } | { readonly code: string; readonly reason: string };
}

function rowDocument({ enclave, verified }: Row): Json {
  return {
    keysetDigest: enclave.keysetDigest,
    provider: enclave.provider,
    policyId: enclave.policyId,
    leafExpiresAtUnix: enclave.leafExpiresAtUnix,
    models: enclave.models.map(({ modelId, name, price }) => ({ modelId, name, price })),
    verified: verified === undefined ? null : verified,
  };
}

function rowText({ enclave, verified }: Row): string {
  const state =
    verified === undefined
      ? 'not verified'
      : 'code' in verified
        ? `REFUSED ${verified.code}: ${verified.reason}`
        : `verified, live on chain${verified.simulated ? ', SIMULATED HARDWARE' : ''}`;
  return [
    `${enclave.keysetDigest}  ${enclave.provider}  ${state}`,
    ...enclave.models.map((model) => `  ${model.modelId}  ${model.name}  ${model.price} price units`),
  ].join('\n');
}

/** Lists enclaves, and verifies each when asked to. */
export async function enclavesList({ options, context }: Invocation<EnclavesListOptions>): Promise<CommandResult> {
  const client = await connectCustomer(options);
  try {
    const policy = options.policy === undefined ? defaultPolicy : parsePolicy(await readText(options.policy, 'policy'));
    const listed = await client.service.enclaves({
      ...(options.modelId === undefined
        ? {}
        : { modelId: fieldToHex(fieldFromHex(parseWord(options.modelId, '--model-id'), '--model-id')) }),
      ...(options.provider === undefined ? {} : { provider: parseAddress(options.provider, '--provider') }),
      ...(options.policy === undefined ? {} : { policyId: fieldToHex(policyIdOfPolicy(policy)) }),
    });
    const rows: Row[] = [];
    let exitCode = 0;
    for (const enclave of listed) {
      if (options.verify !== true) {
        rows.push({ enclave });
        continue;
      }
      context.progress(`verifying ${enclave.keysetDigest.slice(0, 10)}…`);
      try {
        const { lane } = await fetchEnclave(client, policy, enclave);
        rows.push({ enclave, verified: { simulated: lane.simulated } });
      } catch (thrown) {
        const { code, message } = asStunError(thrown);
        exitCode = exitCodeOf(code);
        rows.push({ enclave, verified: { code, reason: message } });
      }
    }
    const text = rows.length === 0 ? 'No enclave is listed.' : rows.map(rowText).join('\n');
    return { document: { enclaves: rows.map(rowDocument) }, text, exitCode };
  } finally {
    client.close();
  }
}
