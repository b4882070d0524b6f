/**
 * Where collateral comes from. A source only carries bytes: whether they are genuine and current is decided by `attestation/`,
 * which takes them as an argument. A wrong source can delay, never deceive.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** The collateral of a TDX quote, in the layout that `attestation/` reads: texts exactly as signed, CRLs and signatures in hex. */
export interface TdxCollateralDocument {
  readonly pck_crl_issuer_chain: string;
  readonly root_ca_crl: string;
  readonly pck_crl: string;
  readonly tcb_info_issuer_chain: string;
  readonly tcb_info: string;
  readonly tcb_info_signature: string;
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
  readonly qe_identity_signature: string;
}

/** Names of the fields, in the order in which they are written. */
export const collateralFields = [
  'pck_crl_issuer_chain',
  'root_ca_crl',
  'pck_crl',
  'tcb_info_issuer_chain',
  'tcb_info',
  'tcb_info_signature',
  'qe_identity_issuer_chain',
  'qe_identity',
  'qe_identity_signature',
] as const satisfies readonly (keyof TdxCollateralDocument)[];

/** What to fetch: `collateralKeyOf` of `attestation/` reads it from a quote. */
export interface CollateralKey {
  /** Platform family, 12 lower-case hex digits. */
  readonly fmspc: string;
  readonly pckCa: 'platform' | 'processor';
}

/** A source of collateral. */
export interface CollateralSource {
  /** @throws `STUN_COLLATERAL_UNAVAILABLE` | `STUN_COLLATERAL_NOT_FOUND` | `STUN_COLLATERAL_RESPONSE` */
  readonly tdxCollateral: (key: CollateralKey, signal?: AbortSignal) => Promise<TdxCollateralDocument>;
}

/** One name for a key: `tdx-<fmspc>-<ca>`. @throws `STUN_INPUT` */
export function collateralName(key: CollateralKey): string {
  if (!/^[0-9a-f]{12}$/.test(key.fmspc)) throw new StunError('STUN_INPUT', 'the FMSPC must be 12 lower-case hex digits');
  if (!['platform', 'processor'].includes(key.pckCa))
    throw new StunError('STUN_INPUT', 'the PCK authority must be platform or processor');
  return `tdx-${key.fmspc}-${key.pckCa}`;
}

/** Whether a value has the fields of a collateral document, all of them strings. */
export function isCollateralDocument(value: unknown): value is TdxCollateralDocument {
  if (typeof value !== 'object' || value === null) return false;
  const fields = new Map(Object.entries(value));
  return fields.size === collateralFields.length && collateralFields.every((name) => typeof fields.get(name) === 'string');
}
