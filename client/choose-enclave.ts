/** Finding an enclave to work with: listed by the service, chosen and verified by the client. */
import { asStunError, fieldToHex, StunError } from '#protocol/index.ts';
import { parsePolicy, type Policy } from '#attestation/index.ts';
import type { ClientConnection } from './connection.ts';
import { policyIdOfPolicy, verifyEnclave, type EnclaveTrust, type VerifiedEnclave } from './enclave.ts';
import type { ListedEnclave } from './service-api.ts';
import type { OrderRecord } from './store/order-record.ts';

/** What narrows the choice. */
export interface EnclaveWish {
  readonly provider?: string;
  readonly keysetDigest?: string;
  /** The most a job may cost, price units. */
  readonly maxPrice: bigint;
}

/** What this client trusts, for a policy. */
export function enclaveTrust(client: ClientConnection, policy: Policy): EnclaveTrust {
  return {
    roots: client.roots,
    policy,
    registry: client.contracts.registry,
    chainId: client.chainId,
    blocks: client.provider,
    nowUnix: client.nowUnix(),
  };
}

/** Fetches one enclave from the service and verifies it. @throws as verifyEnclave, `STUN_SERVICE_*` */
export async function fetchEnclave(
  client: ClientConnection,
  policy: Policy,
  wanted: { readonly keysetDigest: string; readonly provider: string },
): Promise<VerifiedEnclave> {
  return verifyEnclave(await client.service.enclave(wanted.keysetDigest), wanted, enclaveTrust(client, policy));
}

/**
 * The cheapest listed enclave of the order's providers that serves its model under its policy and passes verification.
 * @throws `STUN_ENCLAVE_NONE` with every refusal; the enclave's own code when exactly one was in question
 */
export async function chooseEnclave(client: ClientConnection, order: OrderRecord, wish: EnclaveWish): Promise<VerifiedEnclave> {
  const policy = parsePolicy(order.policyText);
  const modelId = fieldToHex(order.opening.modelId);
  const policyId = fieldToHex(policyIdOfPolicy(policy));
  const funded = new Set(order.budgets.map((budget) => budget.provider));
  const providers = [...funded].filter((provider) => wish.provider === undefined || provider === wish.provider);
  // Asked for provider by provider: a model may be served by a hundred thousand enclaves, an order names a few providers.
  const listed: ListedEnclave[] = [];
  for (const provider of providers) listed.push(...(await client.service.enclaves({ modelId, policyId, provider })));
  const candidates = listed
    .filter(({ provider }) => providers.includes(provider))
    .filter(({ keysetDigest }) => wish.keysetDigest === undefined || keysetDigest === wish.keysetDigest)
    .flatMap((enclave) => {
      const model = enclave.models.find((one) => one.modelId === modelId);
      return model === undefined || BigInt(model.price) > wish.maxPrice ? [] : [{ enclave, price: BigInt(model.price) }];
    })
    .toSorted((a, b) => (a.price < b.price ? -1 : a.price > b.price ? 1 : 0));
  const refusals: StunError[] = [];
  for (const { enclave } of candidates) {
    try {
      return await fetchEnclave(client, policy, enclave);
    } catch (thrown) {
      refusals.push(asStunError(thrown));
    }
  }
  const [only] = refusals;
  if (only !== undefined && refusals.length === 1) throw only;
  const reasons = refusals.map((refusal) => `${refusal.code}: ${refusal.message}`);
  const reason = refusals.length === 0 ? `${listed.length} listed, none fits provider, model and price` : reasons.join('; ');
  throw new StunError('STUN_ENCLAVE_NONE', reason, { details: { listed: listed.length, refusals: reasons } });
}
