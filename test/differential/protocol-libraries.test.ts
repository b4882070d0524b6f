/** protocol/ beside independent implementations: circomlibjs' EdDSA, ethers' ABI and EIP-712 coders. */
import assert from 'node:assert/strict';
import { buildEddsa, buildPoseidon } from 'circomlibjs';
import { AbiCoder, keccak256, TypedDataEncoder, toUtf8Bytes, Wallet, getBytes } from 'ethers';
import fc from 'fast-check';
import {
  EIP712_TYPES,
  eip712Digest,
  ethersDomain,
  FIELD_ORDER,
  generateEddsaKeyPair,
  orderDomainOf,
  orderKeyOf,
  poseidon,
  recoverEip712,
  signEddsa,
  signEip712,
  toHex,
  verifyEddsa,
  type Eip712Type,
} from '#protocol/index.ts';
import { makeOrder } from '#test/unit/protocol/fixtures.ts';

const RUNS = 25;
const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map(toHex);
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);
const uint = (bits: number): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });

describe('protocol beside independent libraries', () => {
  it('circomlibjs gives the same Poseidon for 1 to 16 inputs under any tag', async () => {
    const reference = await buildPoseidon();
    let compared = 0;
    for (let length = 1; length <= 16; length++) {
      const element = fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n });
      const inputs = fc.array(element, { minLength: length, maxLength: length });
      fc.assert(
        fc.property(element, inputs, (tag, values) => {
          assert.equal(poseidon(tag, values), reference.F.toObject(reference(values, tag)));
          compared++;
        }),
        {
          numRuns: 5,
          examples: [
            [0n, Array(length).fill(0n)],
            [FIELD_ORDER - 1n, Array(length).fill(FIELD_ORDER - 1n)],
          ],
        },
      );
    }
    assert.ok(compared >= 80);
  });

  it('circomlibjs accepts our EdDSA signatures and we accept its', async () => {
    const eddsa = await buildEddsa();
    const { F } = eddsa;
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (message, seed) => {
          const pair = generateEddsaKeyPair();
          const ours = signEddsa(pair, message);
          const theirs = { R8: [F.e(ours.r8.x), F.e(ours.r8.y)] as [Uint8Array, Uint8Array], S: ours.s };
          assert.ok(eddsa.verifyPoseidon(F.e(message), theirs, [F.e(pair.publicKey.x), F.e(pair.publicKey.y)]));
          const key = eddsa.prv2pub(seed);
          const signature = eddsa.signPoseidon(seed, F.e(message));
          const point = (p: readonly [Uint8Array, Uint8Array]) => ({ x: F.toObject(p[0]), y: F.toObject(p[1]) });
          assert.equal(verifyEddsa(point(key), message, { r8: point(signature.R8), s: signature.S }, 'theirs'), message);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('ethers hashes orders to the same domain and key', () => {
    const terms = 'tuple(uint8,uint256,bytes32,bytes32,uint32,uint16,uint128,uint40,uint40,uint128,uint128,address)';
    fc.assert(
      fc.property(address, address, uint(128), uint(16), (funder, token, priceScale, feeBps) => {
        const order = makeOrder({
          place: { funder, token },
          terms: { priceScale, feeBps: Number(feeBps), bond: 5n, assurance: 1 },
        });
        const t = order.terms;
        const encoded = AbiCoder.defaultAbiCoder().encode(
          ['bytes32', 'uint256', 'address', 'address', 'address', terms],
          [
            keccak256(toUtf8Bytes('stun/order/v1')),
            order.place.chainId,
            order.place.escrow,
            funder,
            token,
            [
              t.assurance,
              t.publicModelId,
              t.settlementFamily,
              t.inferenceFamily,
              t.segmentLength,
              t.feeBps,
              t.priceScale,
              t.challengeWindowSeconds,
              t.answerPeriodSeconds,
              t.bond,
              t.slash,
              t.challenger,
            ],
          ],
        );
        assert.equal(orderDomainOf(order.place, t), BigInt(keccak256(encoded)) >> 8n);
        const key = keccak256(AbiCoder.defaultAbiCoder().encode(['address', 'uint256'], [funder, order.orderId]));
        assert.equal(orderKeyOf(funder, order.orderId), key);
      }),
      { numRuns: RUNS },
    );
  });

  it('ethers gives the same EIP-712 digest and signature for every type', () => {
    const valueOf: Record<string, fc.Arbitrary<bigint | string>> = {
      uint256: uint(256),
      uint40: uint(40),
      uint8: uint(8),
      bytes32,
      address,
      string: fc.string(),
    };
    let types = 0;
    for (const type of Object.keys(EIP712_TYPES) as Eip712Type[]) {
      const fields = EIP712_TYPES[type];
      const message = fc.record(Object.fromEntries(fields.map((field) => [field.name, valueOf[field.type]!])));
      fc.assert(
        fc.property(
          message,
          address,
          uint(64),
          fc.uint8Array({ minLength: 32, maxLength: 32 }),
          (value, verifyingContract, chainId, seed) => {
            const domain = { chainId, verifyingContract };
            const secret = seed.map((byte, i) => (i === 0 ? 1 : byte));
            const digest = TypedDataEncoder.hash(ethersDomain(domain), { [type]: [...fields] }, value);
            assert.equal(toHex(eip712Digest(type, domain, value)), digest);
            const wallet = new Wallet(toHex(secret));
            const signature = signEip712(secret, type, domain, value);
            assert.equal(wallet.signingKey.sign(getBytes(digest)).serialized, signature);
            assert.equal(recoverEip712(type, domain, value, signature), wallet.address.toLowerCase());
          },
        ),
        { numRuns: RUNS },
      );
      types++;
    }
    assert.equal(types, Object.keys(EIP712_TYPES).length);
  });
});
