/** What Solidity computes, held equal to the protocol on random and on edge inputs. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { buildPoseidon } from 'circomlibjs';
import { ContractAccess } from '#chain/contract-access.ts';
import { artifacts, type Artifact } from '#chain/artifacts.ts';
import { deployContract } from '#chain/deploy.ts';
import {
  BASE8,
  bigIntToBytes,
  concatBytes,
  FIELD_ORDER,
  generateEddsaKeyPair,
  orderDomainOf,
  orderKeyOf,
  parseKeyset,
  poseidon,
  StunError,
  SUBGROUP_ORDER,
  toJubPoint,
} from '#protocol/index.ts';
import { sampleSeed } from '#test/depth.ts';
import CurveProbe from '#chain/generated/CurveProbe.json' with { type: 'json' };
import { makeEnclave, orderRequest, placeOf, startStage, termsFor, type Stage } from './stage.ts';

const edges = [0n, 1n, FIELD_ORDER - 1n, FIELD_ORDER - 2n, 1n << 253n];
const element = fc.oneof(fc.constantFrom(...edges), fc.bigInt({ min: 0n, max: FIELD_ORDER - 1n }));

describe('contracts: hashing and curve, against the protocol', () => {
  let stage: Stage;
  before(async () => {
    stage = await startStage();
  });
  after(() => stage.close());

  const access = async (artifact: Artifact) =>
    new ContractAccess(artifact, await deployContract(stage.owner, artifact, []), stage.owner);

  for (const [inputs, artifact] of [
    [2, artifacts.Poseidon2],
    [5, artifacts.Poseidon5],
    [6, artifacts.Poseidon6],
  ] as const) {
    it(`computes Poseidon of a tag and ${inputs} inputs as the protocol and circomlibjs do`, async () => {
      const contract = await access(artifact);
      const reference = await buildPoseidon();
      const check = async ([tag, ...values]: readonly [bigint, ...bigint[]]) => {
        const onChain = (await contract.read('poseidon', [tag, values]))[0] as bigint;
        assert.equal(onChain, poseidon(tag, values));
        assert.equal(onChain, reference.F.toObject(reference(values, tag)));
      };
      const list = fc.tuple(element, ...Array.from({ length: inputs }, () => element));
      await fc.assert(fc.asyncProperty(list, check), { seed: sampleSeed(), numRuns: 40 });
      for (const edge of edges) await check([edge, ...Array(inputs).fill(edge)]);
    });
  }

  it('accepts exactly the keys that the protocol accepts', async () => {
    const probe = await access(CurveProbe);
    const isKey = async (x: bigint, y: bigint) => (await probe.read('isPublicKey', [x, y]))[0] as boolean;
    for (let i = 0; i < 10; i++) {
      const { x, y } = generateEddsaKeyPair().publicKey;
      assert.equal(await isKey(x, y), true);
      assert.equal(await isKey(FIELD_ORDER - x, y), true, 'the negative of a key is a key');
      assert.equal(await isKey(FIELD_ORDER - x, FIELD_ORDER - y), false, 'a key plus the point of order 2 is none');
      assert.equal(await isKey(x, (y + 1n) % FIELD_ORDER), false);
      assert.equal(await isKey(x + FIELD_ORDER, y), false);
      assert.equal(await isKey(x, y + FIELD_ORDER), false);
    }
    const base = toJubPoint(BASE8);
    assert.equal(await isKey(base.x, base.y), true);
    const last = toJubPoint(BASE8.multiply(SUBGROUP_ORDER - 1n));
    assert.equal(await isKey(last.x, last.y), true);
    for (const [x, y] of [
      [0n, 1n],
      [0n, FIELD_ORDER - 1n],
      [0n, 0n],
    ] as const) {
      assert.equal(await isKey(x, y), false);
    }
  });

  it('reads exactly the keysets that the protocol reads, but for receipt key and expiry, which it checks later', async () => {
    const { registry } = stage.as(stage.provider);
    const { registration } = await makeEnclave(stage);
    const reads = (keyset: Uint8Array): boolean => {
      try {
        return parseKeyset(keyset).registry === stage.deployment.registry;
      } catch (error) {
        if (error instanceof StunError) return false;
        throw error;
      }
    };
    /** Without approvals nothing is registered; what is no keyset is refused before they are counted. */
    const refusal = async (keyset: Uint8Array): Promise<unknown> => {
      const error: unknown = await registry.register({ ...registration, keyset }, []).catch((thrown: unknown) => thrown);
      assert.ok(error instanceof StunError, String(error));
      return error.details['solidityError'];
    };
    const seen = new Set<boolean>();
    const check = async (keyset: Uint8Array): Promise<void> => {
      const good = reads(keyset);
      seen.add(good);
      const name = await refusal(keyset);
      if (good) assert.equal(name, 'QuorumNotReached');
      else assert.match(String(name), /^Keyset(?:Length|Magic|Kem|Secp256k1KeyInvalid)$/);
    };
    const patched = (offset: number, bytes: Uint8Array): Uint8Array => {
      const keyset = registration.keyset.slice();
      keyset.set(bytes, offset);
      return keyset;
    };
    // Magic and KEM, what nothing reads, the secp256k1 key, the runtime digest.
    const offset = fc.oneof(
      fc.constantFrom(0, 7, 56, 57),
      fc.nat({ max: 1215 }).map((at) => 58 + at),
      fc.nat({ max: 95 }).map((at) => 1338 + at),
    );
    await fc.assert(
      fc.asyncProperty(offset, fc.integer({ min: 1, max: 255 }), (at, flip) =>
        check(patched(at, Uint8Array.of(registration.keyset[at]! ^ flip))),
      ),
      { seed: sampleSeed(), numRuns: 25 },
    );
    const { ORDER: p } = secp256k1.Point.Fp;
    const one = secp256k1.Point.fromHex(`02${'1'.padStart(64, '0')}`).toAffine();
    for (const [x, y] of [
      [one.x, one.y],
      [one.x, p - one.y],
      [one.x + p, one.y],
      [one.x, p],
      [0n, 0n],
    ] as const) {
      await check(patched(1338, concatBytes(bigIntToBytes(x, 32), bigIntToBytes(y, 32))));
    }
    for (const keyset of [registration.keyset.slice(1), concatBytes(registration.keyset, Uint8Array.of(0))]) await check(keyset);
    assert.equal(seen.size, 2);
  });

  it('computes domain and key of an order as the protocol does', async () => {
    const { escrow } = stage.as(stage.owner);
    const uint = (bits: bigint) => fc.bigInt({ min: 0n, max: (1n << bits) - 1n });
    const address = fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }).map((value) => `0x${value.toString(16).padStart(40, '0')}`);
    const word = uint(256n).map((value) => `0x${value.toString(16).padStart(64, '0')}`);
    const termsOf = fc.record({
      assurance: fc.nat(255),
      publicModelId: uint(256n),
      settlementFamily: word,
      inferenceFamily: word,
      segmentLength: fc.nat(2 ** 32 - 1),
      feeBps: fc.nat(65535),
      priceScale: uint(128n),
      challengeWindowSeconds: fc.nat(2 ** 40 - 1),
      answerPeriodSeconds: fc.nat(2 ** 40 - 1),
      bond: uint(128n),
      slash: uint(128n),
      challenger: address,
    });
    await fc.assert(
      fc.asyncProperty(termsOf, address, address, uint(256n), async (terms, funder, token, orderId) => {
        const place = { chainId: 31337n, escrow: stage.deployment.escrow, funder, token };
        const tuple = Object.values(terms);
        assert.equal((await escrow.access.read('domainOf', [funder, token, tuple]))[0], orderDomainOf(place, terms));
        assert.equal((await escrow.access.read('orderKeyOf', [funder, orderId]))[0], orderKeyOf(funder, orderId));
      }),
      { seed: sampleSeed(), numRuns: 30 },
    );
    const request = await orderRequest(stage, { terms: termsFor(stage) });
    assert.equal(orderDomainOf(placeOf(stage, request.token), request.terms) >> 248n, 0n);
  });
});
