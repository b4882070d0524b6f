/** Wallet sign-in: a challenge that is used once, an EIP-712 `SignIn` over it, a session token. docs/protocol.md section 5. */
import { randomBytes } from 'node:crypto';
import { recoverEip712 } from '#protocol/eip712.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { nowUnix, type Services } from '../services.ts';
import { createCredential } from './credentials.ts';

const CHALLENGE_SECONDS = 300;
const ZERO_ADDRESS = '0x0000000000000000000000000000000000000000';

/** What the account signs. */
export interface SignInMessage {
  readonly account: string;
  readonly audience: string;
  readonly nonce: string;
  readonly issuedAtUnix: number;
  readonly expiresAtUnix: number;
}

/** Makes a challenge for an account; nothing is known of the caller yet. */
export async function createChallenge(
  services: Services,
  account: string,
): Promise<SignInMessage & { readonly chainId: number }> {
  const issuedAtUnix = nowUnix(services);
  const message: SignInMessage = {
    account,
    audience: services.audience(),
    nonce: `0x${randomBytes(32).toString('hex')}`,
    issuedAtUnix,
    expiresAtUnix: issuedAtUnix + CHALLENGE_SECONDS,
  };
  await services.db.sql
    .insertInto('challenge')
    .values({
      nonce: message.nonce,
      account,
      audience: message.audience,
      issued_at_unix: message.issuedAtUnix,
      expires_at_unix: message.expiresAtUnix,
    })
    .execute();
  return { ...message, chainId: services.chain.chainId };
}

function refuse(reason: string): never {
  throw new StunError('STUN_SIGN_IN', reason);
}

/**
 * Takes a signed challenge, uses it up, and opens a session.
 * @throws `STUN_SIGN_IN`
 */
export async function signIn(
  services: Services,
  message: SignInMessage,
  signature: string,
): Promise<{ readonly token: string; readonly expiresAtUnix: number }> {
  // Deleted whether or not the rest holds: a challenge is looked at once.
  const challenge = await services.db.sql
    .deleteFrom('challenge')
    .where('nonce', '=', message.nonce)
    .returningAll()
    .executeTakeFirst();
  if (challenge === undefined) refuse('the challenge is unknown or was used');
  const same =
    challenge.account === message.account &&
    challenge.audience === message.audience &&
    challenge.issued_at_unix === message.issuedAtUnix &&
    challenge.expires_at_unix === message.expiresAtUnix;
  if (!same) refuse('the message is not the challenge that was given');
  if (nowUnix(services) >= challenge.expires_at_unix) refuse('the challenge has expired');
  let signer: string;
  try {
    signer = recoverEip712(
      'SignIn',
      { chainId: BigInt(services.chain.chainId), verifyingContract: ZERO_ADDRESS },
      {
        account: message.account,
        audience: message.audience,
        nonce: message.nonce,
        issuedAt: BigInt(message.issuedAtUnix),
        expiresAt: BigInt(message.expiresAtUnix),
      },
      signature,
    );
  } catch (cause) {
    throw new StunError('STUN_SIGN_IN', 'the signature is malformed', { cause });
  }
  if (signer !== message.account) refuse('another account signed');
  const expiresAtMs = services.nowMs() + services.settings.sessionSeconds * 1000;
  const { bearer } = await createCredential(services, services.db.sql, 'session', message.account, 'session', expiresAtMs);
  return { token: bearer, expiresAtUnix: Math.floor(expiresAtMs / 1000) };
}
