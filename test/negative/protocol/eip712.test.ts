/** EIP-712 messages and signatures with one thing wrong; what is right is what ethers signs and recovers. */
import assert from 'node:assert/strict';
import { Wallet } from 'ethers';
import {
  EIP712_TYPES,
  eip712Digest,
  ethersDomain,
  recoverEip712,
  signEip712,
  toHex,
  type Eip712Message,
  type Hex,
} from '#protocol/index.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { ESCROW, PROVIDER } from '#test/unit/protocol/fixtures.ts';

const CURVE_ORDER = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n;
const domain = { chainId: 31337n, verifyingContract: ESCROW };
const secret = new Uint8Array(32).fill(5);
const wallet = new Wallet(toHex(secret));
const address = wallet.address.toLowerCase();

describe('an EIP-712 message', () => {
  const signIn = { account: PROVIDER, audience: 'https://a.example', nonce: `0x${'01'.repeat(32)}`, issuedAt: 5n, expiresAt: 6n };
  const consent: Eip712Message = {
    keysetDigest: signIn.nonce,
    policyId: 2n ** 256n - 1n,
    hardwareIdHash: 0n,
    platform: 255n,
    expiresAt: 2n ** 40n - 1n,
    nonce: 1n,
    deadline: 0n,
  };

  it('is taken with the greatest value of each field', () => {
    assert.equal(eip712Digest('EnclaveConsent', domain, consent).length, 32);
    assert.equal(eip712Digest('SignIn', domain, signIn).length, 32);
  });

  for (const [what, type, message, change] of [
    ['2^8 in 8 bits', 'EnclaveConsent', consent, { platform: 256n }],
    ['2^40 in 40 bits', 'EnclaveConsent', consent, { expiresAt: 2n ** 40n }],
    ['2^256 in 256 bits', 'EnclaveConsent', consent, { policyId: 2n ** 256n }],
    ['a negative integer', 'EnclaveConsent', consent, { nonce: -1n }],
    ['an integer as a string', 'EnclaveConsent', consent, { platform: '1' }],
    ['an integer as an address', 'EnclaveConsent', consent, { policyId: PROVIDER }],
    ['bytes as an integer', 'EnclaveConsent', consent, { keysetDigest: 1n }],
    ['31 bytes for 32', 'EnclaveConsent', consent, { keysetDigest: `0x${'01'.repeat(31)}` }],
    ['an address as an integer', 'SignIn', signIn, { account: 1n }],
    ['an address of 19 bytes', 'SignIn', signIn, { account: PROVIDER.slice(0, -2) }],
    ['a text as an integer', 'SignIn', signIn, { audience: 1n }],
  ] as const) {
    it(`refuses ${what}`, () => throwsCode(() => eip712Digest(type, domain, { ...message, ...change }), 'STUN_INPUT'));
  }
  it('refuses a missing field', () => {
    const { platform, ...rest } = consent;
    assert.equal(platform, 255n);
    throwsCode(() => eip712Digest('EnclaveConsent', domain, rest), 'STUN_INPUT');
  });
});

describe('an EIP-712 signature', () => {
  const sign = (receipt: bigint): Hex => signEip712(secret, 'Receipt', domain, { receipt });
  const recover = (signature: string, receipt = 1n): Hex => recoverEip712('Receipt', domain, { receipt }, signature);
  const signature = sign(1n);
  const [r, s, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)];

  it('is that of ethers, and names its signer, with either v', async () => {
    const seen = new Set<string>();
    for (let receipt = 0n; receipt < 8n; receipt++) {
      const ours = sign(receipt);
      assert.equal(await wallet.signTypedData(ethersDomain(domain), { Receipt: [...EIP712_TYPES.Receipt] }, { receipt }), ours);
      assert.equal(recover(ours, receipt), address);
      seen.add(ours.slice(-2));
    }
    assert.deepEqual([...seen].toSorted(), ['1b', '1c']);
  });

  it('names another signer over another message or for another contract', () => {
    assert.notEqual(recover(signature, 2n), address);
    const elsewhere = { ...domain, verifyingContract: PROVIDER };
    assert.notEqual(recoverEip712('Receipt', elsewhere, { receipt: 1n }, signature), address);
  });

  const zero = '0'.repeat(64);
  const order = CURVE_ORDER.toString(16);
  const twin = (CURVE_ORDER - BigInt(`0x${s}`)).toString(16).padStart(64, '0');
  for (const [what, changed] of [
    ['the malleable twin with a high s', `0x${r}${twin}${v === '1b' ? '1c' : '1b'}`],
    ['v of 26', `0x${r}${s}1a`],
    ['v of 29', `0x${r}${s}1d`],
    ['v of 0', `0x${r}${s}00`],
    // 2 plus the order of the curve is the coordinate of a point, which this v would name.
    ['v of 29 and an r that has a second point', `0x${'2'.padStart(64, '0')}${s}1d`],
    ['r of 0', `0x${zero}${s}${v}`],
    ['s of 0', `0x${r}${zero}${v}`],
    ['r of the order of the curve', `0x${order}${s}${v}`],
    ['an r that is no coordinate of the curve', `0x${'5'.padStart(64, '0')}${s}${v}`],
  ] as const) {
    it(`is refused with ${what}`, () => throwsCode(() => recover(changed), 'STUN_SIGNATURE'));
  }
  it('is refused in 64 or 66 bytes', () => {
    throwsCode(() => recover(signature.slice(0, -2)), 'STUN_INPUT');
    throwsCode(() => recover(`${signature}00`), 'STUN_INPUT');
  });
});
