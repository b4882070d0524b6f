import assert from 'node:assert/strict';
import {
  assertPublicKey,
  BASE8,
  eddsaPublicKey,
  encodeKeyset,
  FIELD_ORDER,
  generateEddsaKeyPair,
  isOnCurve,
  isProvable,
  orderIdOf,
  parseKeyset,
  poseidon,
  signEddsa,
  signerIdOf,
  SUBGROUP_ORDER,
  TAG,
  toJubPoint,
  verifyEddsa,
} from '#protocol/index.ts';
import { throwsCode } from '#test/unit/assert-code.ts';
import { makeEnclave, makeOrder } from '#test/unit/protocol/fixtures.ts';
import { jubSum, smallOrderPoints } from '#test/unit/protocol/small-order.ts';

/** Calls with the platform's generator giving these bytes. */
function withRandomBytes<T>(bytes: Uint8Array, call: () => T): T {
  const { crypto } = globalThis;
  const fill = <A extends ArrayBufferView>(array: A): A => {
    assert.equal(array.byteLength, bytes.length);
    new Uint8Array(array.buffer).set(bytes);
    return array;
  };
  Object.defineProperty(crypto, 'getRandomValues', { value: fill, configurable: true });
  try {
    return call();
  } finally {
    Reflect.deleteProperty(crypto, 'getRandomValues');
  }
}

describe('public keys at every entrance', () => {
  const good = generateEddsaKeyPair();
  const small = smallOrderPoints();

  it('takes a fresh key', () => assert.deepEqual(toJubPoint(assertPublicKey(good.publicKey, 'key')), good.publicKey));
  it('takes it again', () => {
    for (let i = 0; i < 3; i++) assert.deepEqual(toJubPoint(assertPublicKey(good.publicKey, 'key')), good.publicKey);
  });
  it('refuses all eight points of small order, the identity among them', () => {
    assert.equal(new Set(small.map((point) => `${point.x},${point.y}`)).size, 8);
    for (const point of small) throwsCode(() => assertPublicKey(point, 'key'), 'STUN_KEY_SMALL_ORDER');
  });
  it('refuses a key with a torsion component', () => {
    throwsCode(() => assertPublicKey(jubSum(good.publicKey, small[1]!), 'key'), 'STUN_KEY_NOT_IN_SUBGROUP');
  });
  it('refuses a point off the curve', () =>
    throwsCode(() => assertPublicKey({ x: good.publicKey.x, y: good.publicKey.y + 1n }, 'key'), 'STUN_KEY_NOT_ON_CURVE'));
  it('refuses a coordinate of r or more', () =>
    throwsCode(
      () => assertPublicKey({ x: good.publicKey.x + FIELD_ORDER, y: good.publicKey.y }, 'key'),
      'STUN_KEY_NOT_ON_CURVE',
    ));
  it('takes no coordinate outside of 0 to r - 1, whatever point it stands for', () => {
    // Of order 4, so that a coordinate is 0 and r stands for it.
    const flat = small.find(({ y }) => y === 0n)!;
    assert.ok(isOnCurve(flat) && isOnCurve({ x: 0n, y: 1n }));
    for (const [point, off] of [
      [flat, { y: FIELD_ORDER }],
      [flat, { y: -FIELD_ORDER }],
      [flat, { x: flat.x - FIELD_ORDER }],
      [{ x: 0n, y: 1n }, { x: FIELD_ORDER }],
      [{ x: 0n, y: 1n }, { y: 1n + FIELD_ORDER }],
    ] as const) {
      assert.ok(!isOnCurve({ ...point, ...off }));
    }
  });
  it('takes a secret scalar of 1 to l - 1 alone', () => {
    assert.deepEqual(eddsaPublicKey(1n), toJubPoint(BASE8));
    assert.deepEqual(eddsaPublicKey(SUBGROUP_ORDER - 1n), toJubPoint(BASE8.negate()));
    for (const secret of [-1n, 0n, SUBGROUP_ORDER]) throwsCode(() => eddsaPublicKey(secret), 'STUN_RANGE');
  });
  it('refuses a small-order demand key in an order id', () => {
    const order = makeOrder();
    throwsCode(() => orderIdOf({ ...order.opening, demandKey: small[3]! }), 'STUN_KEY_SMALL_ORDER');
  });
  it('refuses a small-order receipt key in a signer id', () => throwsCode(() => signerIdOf(small[2]!), 'STUN_KEY_SMALL_ORDER'));
});

describe('EdDSA', () => {
  const pair = generateEddsaKeyPair();
  const signature = signEddsa(pair, 42n);
  it('returns the message it verified', () => assert.equal(verifyEddsa(pair.publicKey, 42n, signature, 'it'), 42n));
  it('never signs the same message with the same nonce', () => assert.notDeepEqual(signEddsa(pair, 42n).r8, signature.r8));
  it('refuses another message', () => throwsCode(() => verifyEddsa(pair.publicKey, 43n, signature, 'it'), 'STUN_SIGNATURE'));
  it('refuses another key', () =>
    throwsCode(() => verifyEddsa(generateEddsaKeyPair().publicKey, 42n, signature, 'it'), 'STUN_SIGNATURE'));
  it('refuses S + l, the malleable twin', () =>
    throwsCode(
      () => verifyEddsa(pair.publicKey, 42n, { ...signature, s: signature.s + SUBGROUP_ORDER }, 'it'),
      'STUN_SIGNATURE',
    ));
  it('refuses R8 off the curve', () =>
    throwsCode(() => verifyEddsa(pair.publicKey, 42n, { ...signature, r8: { x: 1n, y: 1n } }, 'it'), 'STUN_SIGNATURE'));
  it('refuses the identity as R8, although the equation holds', () => {
    const r8 = { x: 0n, y: 1n };
    const h = poseidon(TAG.challenge, [r8.x, r8.y, pair.publicKey.x, pair.publicKey.y, 42n]);
    const s = (8n * h * pair.secret) % SUBGROUP_ORDER;
    throwsCode(() => verifyEddsa(pair.publicKey, 42n, { r8, s }, 'it'), 'STUN_SIGNATURE');
  });
  it('tells what the circuit takes by the leading 64 bits of challenge and response', () => {
    const [r, l] = [FIELD_ORDER >> 190n, SUBGROUP_ORDER >> 187n];
    assert.deepEqual(
      [r, l].map((top) => top.toString(2).length),
      [64, 64],
    );
    const [h, s] = [(r << 190n) - 1n, (l << 187n) - 1n];
    assert.ok(isProvable(h, s));
    assert.ok(!isProvable(h + 1n, s));
    assert.ok(!isProvable(h, s + 1n));
  });
  it('takes no negative response, and 0 as the least', () => {
    assert.ok(isProvable(0n, 0n));
    assert.ok(!isProvable(0n, -1n));
    throwsCode(() => verifyEddsa(pair.publicKey, 42n, { ...signature, s: signature.s - SUBGROUP_ORDER }, 'it'), 'STUN_SIGNATURE');
  });
  it('makes its scalars of the whole range from 64 random bytes', () => {
    for (const [random, secret] of [
      [0n, 1n],
      [SUBGROUP_ORDER - 2n, SUBGROUP_ORDER - 1n],
      [SUBGROUP_ORDER - 1n, 1n],
      [SUBGROUP_ORDER, 2n],
    ] as const) {
      const fixed = withRandomBytes(Buffer.from(random.toString(16).padStart(128, '0'), 'hex'), generateEddsaKeyPair);
      assert.deepEqual(fixed, { secret, publicKey: toJubPoint(BASE8.multiply(secret)) });
    }
  });
  it('refuses a message of r or more', () =>
    throwsCode(() => verifyEddsa(pair.publicKey, FIELD_ORDER + 42n, signature, 'it'), 'STUN_RANGE'));
});

describe('keyset layout', () => {
  it('reads what it wrote and refuses every changed framing byte', async () => {
    const { keysetBytes, keyset } = await makeEnclave(1n);
    assert.deepEqual(encodeKeyset(keyset), keysetBytes);
    for (const [offset, code] of [
      [0, 'STUN_KEYSET_LAYOUT'],
      [57, 'STUN_KEYSET_LAYOUT'],
      [1300, 'STUN_KEY_NOT_ON_CURVE'],
      [1400, 'STUN_KEY_NOT_ON_CURVE'],
      [1434, 'STUN_KEYSET_LAYOUT'],
    ] as const) {
      const changed = keysetBytes.slice();
      changed[offset]! ^= 1;
      throwsCode(() => parseKeyset(changed), code);
    }
    throwsCode(() => parseKeyset(keysetBytes.subarray(0, 1441)), 'STUN_KEYSET_LAYOUT');
  });
});
