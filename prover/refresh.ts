/**
 * Whether a proof still settles. A proof claims that the enclave's leaf was live at `validAt` under a root; the escrow takes it
 * only while the root is live and `now - 1 h - frozen time <= validAt <= now`. A proof that waited too long is made again from
 * the same bundle. docs/design.md section 8, "the contract demands".
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fieldFromHex } from '#protocol/field.ts';
import { SETTLEMENT_SIGNALS, unpackPayee } from '#protocol/terms.ts';

/** What the caller knows of the chain when it is about to send a proof. */
export interface ChainNow {
  /** Time of the newest block, unix seconds. */
  readonly nowUnix: number;
  /** Seconds since the proof's `validAt` in which a freeze kept it from settling. */
  readonly frozenSeconds: number;
  /** Roots that the registry takes for this provider, 32 bytes hex: the newest, and older ones still within their time. */
  readonly liveRoots: readonly string[];
}

/** When to make a proof again. */
export interface RefreshRule {
  /** A proof older than this is remade: below the contract's hour by more than a transaction may wait. */
  readonly maxAgeSeconds: number;
}

/** Twenty minutes are left for the transaction. */
export const DEFAULT_REFRESH_RULE: RefreshRule = { maxAgeSeconds: 40 * 60 };

/** `fresh`: send it. The others: prove the bundle again, with the path and the time of now. */
export type Freshness = 'fresh' | 'root-not-live' | 'too-old' | 'from-the-future';

/**
 * Judges a proof by its own public signals.
 * @throws `STUN_INPUT`, `STUN_RANGE` when the signals are not those of a settlement
 */
export function freshnessOf(
  proof: { readonly signals: readonly string[] },
  chain: ChainNow,
  rule: RefreshRule = DEFAULT_REFRESH_RULE,
): Freshness {
  const signal = (name: (typeof SETTLEMENT_SIGNALS)[number]): bigint => {
    const hex = proof.signals[SETTLEMENT_SIGNALS.indexOf(name)];
    if (hex === undefined) throw new StunError('STUN_INPUT', `the proof has no signal ${name}`);
    return fieldFromHex(hex, name);
  };
  const { validAtUnix } = unpackPayee(signal('payee'));
  const root = signal('enclaveRoot');
  if (!chain.liveRoots.some((live) => fieldFromHex(live, 'live root') === root)) return 'root-not-live';
  if (validAtUnix > chain.nowUnix) return 'from-the-future';
  return chain.nowUnix - chain.frozenSeconds - validAtUnix > rule.maxAgeSeconds ? 'too-old' : 'fresh';
}
