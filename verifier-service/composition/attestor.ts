/** The process of role `attestor`: no store, no account, its own key and its own node. */
import { SigningKey, computeAddress } from 'ethers';
import { fromHex, type Hex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import type { Settings } from '../config.ts';
import type { AttestorParts } from '../attestor/approve.ts';
import { namedPolicy } from '../enclaves/evidence.ts';
import { parseCappedJson, type JsonObject } from '#attestation/json/capped-json.ts';
import type { Route } from '../http/route.ts';
import { openApiDocument } from '../openapi/document.ts';
import type { ChainView } from '../ports.ts';
import { attestationRoutes } from '../routes/attestations.ts';
import { chainCheck, operationRoutes } from '../routes/operations.ts';
import { Secret } from '../secret.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { readText, trustRootsOf } from './roots.ts';

/** The parts of an attestor. @throws `STUN_CONFIG` */
export function attestorParts(settings: Settings, chain: ChainView, nowMs: () => number): AttestorParts {
  const { attestorKey } = settings;
  if (attestorKey === undefined) throw new StunError('STUN_CONFIG', 'attestorKey: an attestor needs a key');
  if (settings.attestorPolicies.length === 0) throw new StunError('STUN_CONFIG', 'attestorPolicies: an attestor needs policies');
  const policyIds = settings.attestorPolicies.map((path) => {
    const value = parseCappedJson(readText(path, 'attestorPolicies'));
    return namedPolicy(value as JsonObject).policyId;
  });
  return {
    account: addressOf(attestorKey),
    secretKey: new Secret(fromHex(attestorKey.reveal(), 32)),
    chain,
    roots: trustRootsOf(settings),
    policyIds: new Set(policyIds),
    approvalSeconds: settings.approvalSeconds,
    nonceMaxAgeSeconds: settings.nonceMaxAgeSeconds,
    nowUnix: () => Math.floor(nowMs() / 1000),
  };
}

function addressOf(key: Secret<string>): Hex {
  try {
    return computeAddress(new SigningKey(key.reveal())).toLowerCase() as Hex;
  } catch {
    // The library's error could repeat the key.
    throw new StunError('STUN_CONFIG', 'attestorKey: the key is outside its range');
  }
}

/** The routes of an attestor. */
export function attestorRoutes(parts: AttestorParts, metrics: Metrics): readonly Route[] {
  let document: object | undefined;
  const routes: readonly Route[] = [
    ...attestationRoutes(parts),
    ...operationRoutes(
      [chainCheck(parts)],
      () => metrics.registry.metrics(),
      () => (document ??= openApiDocument(routes)),
    ),
  ];
  return routes;
}
