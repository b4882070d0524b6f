/**
 * Trust roots, pinned by public key.
 *
 * Only vendors' roots stand here. The root of simulated hardware is made by `attestation/simulated/` and has to be added by
 * the caller, in so many words: `[...defaultTrustRoots, simulatedRoot]`.
 */

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
