/**
 * Signatures verified at most once. Whether bytes are signed by a key depends neither on the time nor on the roots, so whoever
 * verifies many quotes with the same collateral need not compute it again.
 *
 * Belongs to the collateral that it was made for; what it knows is bound to the parsed objects themselves, never to their content.
 */
import { equalBytes } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';

/** A parsed object that carries its signed bytes and the signature over them (raw r||s, 64 bytes). */
export interface SignedObject {
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
}

/** Answers whether an object is signed by a P-256 key (SEC1 uncompressed point, 65 bytes). */
export interface SignatureCheck {
  isSigned: (object: SignedObject, publicKey: Uint8Array) => boolean;
}

/** Verifies every time. */
export const verifyEveryTime: SignatureCheck = Object.freeze({
  isSigned: ({ tbs, signature }: SignedObject, publicKey: Uint8Array) => cryptoProvider.verifyP256(tbs, signature, publicKey),
});

/** Verifies once for each object and key, and remembers both answers. */
export class SignatureMemo implements SignatureCheck {
  readonly #answers = new WeakMap<SignedObject, { readonly publicKey: Uint8Array; readonly answer: boolean }>();

  isSigned(object: SignedObject, publicKey: Uint8Array): boolean {
    const known = this.#answers.get(object);
    if (known !== undefined && equalBytes(known.publicKey, publicKey)) return known.answer;
    const answer = verifyEveryTime.isSigned(object, publicKey);
    this.#answers.set(object, { publicKey: publicKey.slice(), answer });
    return answer;
  }
}
