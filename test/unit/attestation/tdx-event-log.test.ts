import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  parseCcel,
  parseRuntimeEvents,
  replayMeasurements,
  runtimeEventDigest,
  runtimeEventType,
  verifyMeasurements,
} from '#attestation/index.ts';
import { maxEventLogBytes } from '#attestation/tdx/ccel.ts';
import { concatBytes, toHex, utf8 } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleSeed } from '../../depth.ts';
import { throwsCode } from '../assert-code.ts';
import { assessMachine } from './simulated-fixture.ts';

const le = (value: number, length: 1 | 2 | 4): Uint8Array => Uint8Array.from({ length }, (_, i) => (value >>> (8 * i)) & 0xff);
const sha384 = (...parts: readonly Uint8Array[]): Uint8Array =>
  new Uint8Array(
    createHash('sha384')
      .update(concatBytes(...parts))
      .digest(),
  );

interface LogEvent {
  readonly index: number;
  readonly type: number;
  readonly digests: readonly (readonly [number, Uint8Array])[];
  readonly data: Uint8Array;
}

/** Writes the header of a crypto-agile log. */
function header(algorithms: readonly (readonly [number, number])[], vendor = new Uint8Array(0)): Uint8Array {
  const spec = concatBytes(
    utf8('Spec ID Event03\0'),
    le(0, 4),
    Uint8Array.of(0, 2, 0, 2),
    le(algorithms.length, 4),
    ...algorithms.map(([id, size]) => concatBytes(le(id, 2), le(size, 2))),
    le(vendor.length, 1),
    vendor,
  );
  return concatBytes(le(1, 4), le(3, 4), new Uint8Array(20), le(spec.length, 4), spec);
}

function event({ index, type, digests, data }: LogEvent): Uint8Array {
  const list = digests.map(([id, digest]) => concatBytes(le(id, 2), digest));
  return concatBytes(le(index, 4), le(type, 4), le(digests.length, 4), ...list, le(data.length, 4), data);
}

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((text) => sha384(utf8(text)));
assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
const both = header([
  [0x000b, 32],
  [0x000c, 48],
]);
const log = concatBytes(
  both,
  event({
    index: 1,
    type: 0x80000008,
    digests: [
      [0x000b, new Uint8Array(32)],
      [0x000c, a],
    ],
    data: utf8('firmware'),
  }),
  event({ index: 1, type: 3, digests: [[0x000c, d]], data: utf8('StartupLocality') }),
  event({ index: 2, type: 4, digests: [[0x000c, b]], data: new Uint8Array(4) }),
  event({ index: 1, type: 1, digests: [[0x000c, c]], data: new Uint8Array(0) }),
);

/** A verified TD with these registers. */
function bodyWith(rtMrs: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array]): Parameters<typeof verifyMeasurements>[1] {
  const { verified } = assessMachine({ rtMrs });
  assert.ok(verified !== null);
  return verified.body;
}

describe('CCEL event log', () => {
  it('replays to the registers of a quote, informing events aside', () => {
    const zero = new Uint8Array(48);
    const expected = [sha384(sha384(zero, a), c), sha384(zero, b), zero, zero] as const;
    const events = parseCcel(log);
    assert.deepEqual(
      events.map(({ rtMr, eventType, data }) => [rtMr, eventType, data.length]),
      [
        [0, 0x80000008, 8],
        [1, 4, 4],
        [0, 1, 0],
      ],
    );
    assert.deepEqual(replayMeasurements(events), expected);
    assert.equal(verifyMeasurements(events, bodyWith(expected), [0, 1, 2, 3]).length, 3);
    assert.equal(verifyMeasurements(events, bodyWith(expected), [1]).length, 1);
  });

  it('ends at padding of 0xff or zeros, and not at anything else', () => {
    for (const fill of [0xff, 0]) assert.deepEqual(parseCcel(concatBytes(log, new Uint8Array(777).fill(fill))), parseCcel(log));
    throwsCode(() => parseCcel(concatBytes(log, new Uint8Array(777).fill(0x77))), 'STUN_EVENT_LOG_FORMAT');
  });

  it('is refused when an event was left out, invented, changed or moved', () => {
    const events = parseCcel(log);
    const body = bodyWith(replayMeasurements(events));
    const [first, second, third] = events;
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    for (const forged of [
      [second, third],
      [...events, third],
      [third, second, first],
      [{ ...first, digest: d }, second, third],
      [{ ...first, rtMr: 1 as const }, second, third],
    ])
      throwsCode(() => verifyMeasurements(forged, body, [0, 1]), 'STUN_EVENT_LOG_MISMATCH');
  });

  for (const [name, bytes] of [
    ['another header signature', log.map((byte, i) => (i === 32 ? 0x73 : byte))],
    ['a header that is an event', log.map((byte, i) => (i === 4 ? 1 : byte))],
    ['no SHA-384', concatBytes(header([[0x000b, 32]]))],
    [
      'an algorithm twice',
      concatBytes(
        header([
          [0x000c, 48],
          [0x000c, 48],
        ]),
      ),
    ],
    ['no algorithm at all', concatBytes(header([]))],
    ['register index 5', concatBytes(both, event({ index: 5, type: 1, digests: [[0x000c, a]], data: a }))],
    ['register index 0, which is MRTD', concatBytes(both, event({ index: 0, type: 1, digests: [[0x000c, a]], data: a }))],
    [
      'an event without a SHA-384 digest',
      concatBytes(both, event({ index: 1, type: 1, digests: [[0x000b, new Uint8Array(32)]], data: a })),
    ],
    [
      'two SHA-384 digests',
      concatBytes(
        both,
        event({
          index: 1,
          type: 1,
          digests: [
            [0x000c, a],
            [0x000c, b],
          ],
          data: a,
        }),
      ),
    ],
    [
      'a digest of an unnamed algorithm',
      concatBytes(both, event({ index: 1, type: 1, digests: [[0x000d, new Uint8Array(64)]], data: a })),
    ],
  ] as const) {
    it(`is refused with ${name}`, () => throwsCode(() => parseCcel(bytes), 'STUN_EVENT_LOG_FORMAT'));
  }

  it('is taken up to its limits, and no further', () => {
    const algorithms = (count: number): (readonly [number, number])[] => [
      [0x000c, 48],
      ...Array.from({ length: count - 1 }, (_, i) => [0x0100 + i, i + 1] as const),
    ];
    assert.deepEqual(parseCcel(header(algorithms(8))), []);
    throwsCode(() => parseCcel(header(algorithms(9))), 'STUN_EVENT_LOG_FORMAT');
    const withSize = (size: number): Uint8Array =>
      header([
        [0x000c, 48],
        [0x000d, size],
      ]);
    assert.deepEqual(parseCcel(withSize(64)), []);
    for (const size of [0, 65]) throwsCode(() => parseCcel(withSize(size)), 'STUN_EVENT_LOG_FORMAT');
    const withDigests = (count: number): Uint8Array => {
      const others = new Array<readonly [number, Uint8Array]>(count - 1).fill([0x000b, new Uint8Array(32)]);
      return concatBytes(both, event({ index: 4, type: 1, digests: [...others, [0x000c, a]], data: a }));
    };
    assert.deepEqual(
      parseCcel(withDigests(8)).map(({ rtMr }) => rtMr),
      [3],
    );
    throwsCode(() => parseCcel(withDigests(9)), 'STUN_EVENT_LOG_FORMAT');
    const padded = (length: number): Uint8Array => concatBytes(log, new Uint8Array(length - log.length).fill(0xff));
    assert.equal(parseCcel(padded(maxEventLogBytes)).length, 3);
    throwsCode(() => parseCcel(padded(maxEventLogBytes + 1)), 'STUN_EVENT_LOG_FORMAT');
  });

  it('extends each of the four registers', () => {
    const one = (index: number): Uint8Array => event({ index, type: 1, digests: [[0x000c, a]], data: a });
    const events = parseCcel(concatBytes(both, one(4), one(3), one(2), one(1)));
    assert.deepEqual(
      events.map(({ rtMr }) => rtMr),
      [3, 2, 1, 0],
    );
  });

  it('is refused when cut inside an event, and total on any bytes', () => {
    let refused = 0;
    for (let length = 0; length < log.length; length++) {
      try {
        parseCcel(log.subarray(0, length));
      } catch (thrown) {
        assert.ok(thrown instanceof StunError && thrown.code === 'STUN_EVENT_LOG_FORMAT');
        refused++;
      }
    }
    assert.equal(refused, log.length - 4, 'all but the cuts between two events, where a shorter log ends');
    fc.assert(
      fc.property(fc.nat(log.length - 1), fc.nat(255), (at, value) => {
        const changed = log.slice();
        changed[at] = value;
        try {
          parseCcel(changed);
        } catch (thrown) {
          assert.ok(thrown instanceof StunError && thrown.code === 'STUN_EVENT_LOG_FORMAT');
        }
      }),
      { seed: sampleSeed(), numRuns: 500 },
    );
  });
});

describe('run-time events of RTMR3', () => {
  const entry = (name: string, payload: Uint8Array, changes: object = {}): object => ({
    imr: 3,
    event_type: runtimeEventType,
    digest: toHex(runtimeEventDigest(runtimeEventType, name, payload)).slice(2),
    event: name,
    event_payload: toHex(payload).slice(2),
    ...changes,
  });
  const composeHash = sha384(utf8('compose')).subarray(0, 32);
  const list = [entry('compose-hash', composeHash), entry('instance-id', Uint8Array.of(1, 2, 3), { digest: '' })];

  it('prove names and payloads by the register', () => {
    const type = le(runtimeEventType, 4);
    const first = sha384(type, utf8(':compose-hash:'), composeHash);
    const second = sha384(type, utf8(':instance-id:'), Uint8Array.of(1, 2, 3));
    const zero = new Uint8Array(48);
    const register = sha384(sha384(zero, first), second);
    const events = verifyMeasurements(parseRuntimeEvents(JSON.stringify(list)), bodyWith([zero, zero, zero, register]), [3]);
    assert.deepEqual(
      events.map(({ name, proven }) => [name, proven]),
      [
        ['compose-hash', true],
        ['instance-id', true],
      ],
    );
    assert.deepEqual(events[0]?.payload, composeHash);
  });

  it('are refused for another payload under the same digest, and as a log of another register', () => {
    const lie = entry('compose-hash', composeHash, { event_payload: '00' });
    throwsCode(() => parseRuntimeEvents(JSON.stringify([lie])), 'STUN_EVENT_LOG_FORMAT');
    const zero = new Uint8Array(48);
    const body = bodyWith([zero, zero, zero, replayMeasurements(parseRuntimeEvents(JSON.stringify(list)))[3]]);
    const dropped = parseRuntimeEvents(JSON.stringify(list.slice(1)));
    throwsCode(() => verifyMeasurements(dropped, body, [3]), 'STUN_EVENT_LOG_MISMATCH');
  });

  it('take the digest of other types as it is, and prove no payload by it', () => {
    const [event] = parseRuntimeEvents(
      JSON.stringify([entry('acpi-tables', Uint8Array.of(1), { event_type: 10, digest: 'ab'.repeat(48) })]),
    );
    assert.deepEqual([event?.proven, event?.digest.length], [false, 48]);
  });

  for (const [name, change] of [
    ['register 4', { imr: 4 }],
    ['a digest of 32 bytes', { event_type: 10, digest: 'ab'.repeat(32) }],
    ['a payload that is no hex', { event_payload: 'xyz' }],
    ['no name', { event: 7 }],
  ] as const) {
    it(`are refused with ${name}`, () =>
      throwsCode(() => parseRuntimeEvents(JSON.stringify([entry('e', a, change)])), 'STUN_EVENT_LOG_FORMAT'));
  }

  it('are refused as text that is no JSON', () => throwsCode(() => parseRuntimeEvents('['), 'STUN_JSON_FORMAT'));
});
