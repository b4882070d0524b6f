/**
 * Trust roots, pinned by public key.
 *
 * Only vendors' roots stand here. The root of simulated hardware is made by `attestation/simulated/` and has to be added by
 * the caller, in so many words: `[...defaultTrustRoots, simulatedRoot]`.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { parseCappedJson } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';

/** A root that chains may end in. */
export interface TrustRoot {
  readonly vendor: 'intel';
  /** For people; nothing is decided by it. */
  readonly name: string;
  /** SEC1 uncompressed P-256 point, 65 bytes as `0x04…` hex. */
  readonly publicKey: string;
  /** Whether hardware under this root is simulated. Decides the tag of everything that is verified with it. */
  readonly simulated: boolean;
}

/**
 * Intel SGX Root CA, the root of TDX and SGX.
 * Source: the root certificate of https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.pem,
 * serial 22650cd65a9d3489f383b49552bf501b392706ac, valid 2018-05-21 to 2049-12-31.
 */
export const intelSgxRoot: TrustRoot = Object.freeze({
  vendor: 'intel',
  name: 'Intel SGX Root CA',
  publicKey:
    '0x040ba9c4c0c0c86193a3fe23d6b02cda10a8bbd4e88e48b4458561a36e705525f567918e2edc88e40d860bd0cc4ee26aacc988e505a953558c453f6b0904ae7394',
  simulated: false,
});

/** The default trust store: vendors only. */
export const defaultTrustRoots: readonly TrustRoot[] = Object.freeze([intelSgxRoot]);

/**
 * Reads a root that a deployment names, from JSON: `{ "vendor": "intel", "name": "…", "publicKey": "0x04…", "simulated": true }`.
 * Vendors' roots are pinned in code, so only simulated roots can be named.
 * @throws `STUN_JSON_FORMAT` | `STUN_CONFIG`
 */
export function parseTrustRoot(text: string): TrustRoot {
  const fields = new FieldReader(parseCappedJson(text), 'root', 'STUN_CONFIG');
  fields.only('vendor', 'name', 'publicKey', 'simulated');
  const publicKey = fields.string('publicKey');
  if (fields.string('vendor') !== 'intel') throw new StunError('STUN_CONFIG', 'root.vendor must be intel');
  if (!/^0x04[0-9a-f]{128}$/.test(publicKey))
    throw new StunError('STUN_CONFIG', 'root.publicKey must be 0x04 and 128 lower-case hex digits');
  if (!fields.boolean('simulated'))
    throw new StunError('STUN_CONFIG', 'root.simulated must be true: roots of real hardware are pinned in code');
  if (publicKey === intelSgxRoot.publicKey) throw new StunError('STUN_CONFIG', 'root.publicKey is the root of real hardware');
  return Object.freeze({ vendor: 'intel', name: fields.string('name').slice(0, 80), publicKey, simulated: true });
}
