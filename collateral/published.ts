/**
 * What vendors publish about their hardware, and how it is got: from the network, through a cache on disk, or from a bundle.
 * All of it only carries bytes: whether they are genuine and current is decided by `attestation/`, which takes them as an argument. A
 * wrong source can delay, never deceive.
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** One thing that is published. Its document is a JSON value. */
export interface Published<D> {
  /** Its name in caches and bundles: lower-case letters, digits, `-`, `_` and `.`, see {@link publishedName}. */
  readonly name: string;
  /** `fixed`: what is published under the name never changes, so a kept copy is good for ever. */
  readonly lifetime: 'fixed' | 'renewed';
  /** Whether a value has the form of the document. */
  readonly accepts: (value: unknown) => value is D;
  /** Until when a kept copy may stand in while nothing answers, unix seconds. @throws `STUN_COLLATERAL_RESPONSE` when the document does not say */
  readonly standsInUntilUnix: (document: D, fetchedAtUnix: number) => number;
  /** @throws `STUN_COLLATERAL_UNAVAILABLE` | `STUN_COLLATERAL_NOT_FOUND` | `STUN_COLLATERAL_RESPONSE` */
  readonly fetch: (signal?: AbortSignal) => Promise<D>;
}

/** A way to get what is published. */
export interface CollateralLoader {
  /** @throws as {@link Published.fetch}; `STUN_COLLATERAL_NOT_FOUND` when this way does not lead there */
  readonly load: <D>(what: Published<D>, signal?: AbortSignal) => Promise<D>;
}

/** Asks the vendor every time. */
export const fromNetwork: CollateralLoader = Object.freeze({
  load: <D>(what: Published<D>, signal?: AbortSignal): Promise<D> => what.fetch(signal),
});

/** How long copies stand in whose documents do not say when they end; whoever verifies them looks at their own dates. */
const STAND_IN_SECONDS = 30 * 86_400;

/** For documents that do not say when they end. */
export function standsInForAMonth(_document: unknown, fetchedAtUnix: number): number {
  return fetchedAtUnix + STAND_IN_SECONDS;
}

/** A name from its parts. @throws `STUN_INPUT` when a part could lead out of a folder */
export function publishedName(...parts: readonly string[]): string {
  const name = parts.join('-').toLowerCase();
  if (!/^[a-z0-9][a-z0-9._-]{0,199}$/.test(name) || parts.includes(''))
    throw new StunError('STUN_INPUT', 'names of collateral have letters, digits, "-", "_" and "." alone');
  return name;
}

/** A test for objects that have exactly these fields, all of them strings. */
export function hasStrings<Name extends string>(
  ...names: readonly Name[]
): (value: unknown) => value is { readonly [Field in Name]: string } {
  return (value): value is { readonly [Field in Name]: string } => {
    if (typeof value !== 'object' || value === null) return false;
    const fields = new Map(Object.entries(value));
    return fields.size === names.length && names.every((name) => typeof fields.get(name) === 'string');
  };
}
