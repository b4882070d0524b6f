/** Transcripts of ceremonies, and the list of verification keys that a deployment accepts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  assertAllowed,
  parseAllowedKeys,
  parseTranscript,
  transcriptHashOf,
  transcriptText,
  type CeremonyTranscript,
} from '#protocol/ceremony.ts';
import { throwsCode } from '../assert-code.ts';

const key = `0x${'11'.repeat(32)}`;
const otherKey = `0x${'22'.repeat(32)}`;
const person = (name: string) => ({ name, hash: 'ab'.repeat(64), beacon: null });
const beacon = { name: 'block', hash: 'cd'.repeat(64), beacon: { value: '00ff', iterationsExponent: 10 } };

const transcript: CeremonyTranscript = {
  format: 'stun/ceremony-transcript/v1',
  circuit: { r1csSha256: '01'.repeat(32), constraints: 9, wires: 10, publicSignals: 8, domainSize: 32 },
  powersOfTau: { power: 8, blake2b512: '02'.repeat(64) },
  circuitHash: '03'.repeat(64),
  contributions: [person('Alice'), person('Bob'), beacon],
  key: { zkeySha256: '04'.repeat(32), vkHash: key },
};
const text = transcriptText(transcript);
const hash = transcriptHashOf(text);
const allowed = [{ vkHash: key, transcriptHash: hash }];

describe('a transcript', () => {
  it('is read from its own text alone, and hashed as sha256sum does', () => {
    assert.deepEqual(parseTranscript(text), transcript);
    assert.equal(hash, `0x${createHash('sha256').update(text).digest('hex')}`);
  });

  it('is refused in another form', () => {
    const forms = [
      '',
      'no',
      '[]',
      JSON.stringify(transcript),
      text.trimEnd(),
      text.replace('v1', 'v2'),
      text.replace('"power": 8', '"power": 29'),
    ];
    for (const form of [...forms, transcriptText({ ...transcript, extra: 1 } as CeremonyTranscript)]) {
      throwsCode(() => parseTranscript(form), 'STUN_CEREMONY_TRANSCRIPT');
    }
  });

  it('is refused outside its limits, naming the field, and read up to them', () => {
    const { circuit } = transcript;
    const withBeacon = (of: object) => ({ contributions: [person('Alice'), person('Bob'), { ...beacon, beacon: of }] });
    const limits: readonly (readonly [field: string, inside: object, outside: object])[] = [
      [
        'circuit.constraints',
        { circuit: { ...circuit, constraints: 2 ** 32 - 1 } },
        { circuit: { ...circuit, constraints: 2 ** 32 } },
      ],
      ['circuit.publicSignals', { circuit: { ...circuit, publicSignals: 0 } }, { circuit: { ...circuit, publicSignals: -1 } }],
      [
        'contributions.2.beacon.value',
        withBeacon({ value: 'ab'.repeat(255), iterationsExponent: 32 }),
        withBeacon({ value: 'ab'.repeat(256), iterationsExponent: 32 }),
      ],
      [
        'contributions.2.beacon.iterationsExponent',
        withBeacon({ value: '00', iterationsExponent: 10 }),
        withBeacon({ value: '00', iterationsExponent: 9 }),
      ],
      [
        'contributions.0.name',
        { contributions: [person('n'.repeat(255)), person(''), beacon] },
        { contributions: [person('n'.repeat(256)), person(''), beacon] },
      ],
    ];
    for (const [field, inside, outside] of limits) {
      const changed = { ...transcript, ...inside };
      assert.deepEqual(parseTranscript(transcriptText(changed)), changed);
      assert.throws(() => parseTranscript(transcriptText({ ...transcript, ...outside })), {
        code: 'STUN_CEREMONY_TRANSCRIPT',
        message: new RegExp(`transcript is malformed: ${field.replaceAll('.', '\\.')}: `),
      });
    }
    assert.throws(() => parseTranscript('no'), { code: 'STUN_CEREMONY_TRANSCRIPT', message: 'a transcript must be JSON' });
  });

  it('is refused before the ceremony is finished', () => {
    const [alice, bob] = [person('Alice'), person('Bob')];
    for (const contributions of [[], [alice, bob], [alice, beacon], [beacon, alice, bob], [alice, bob, beacon, beacon]]) {
      throwsCode(() => parseTranscript(transcriptText({ ...transcript, contributions })), 'STUN_CEREMONY_INCOMPLETE');
    }
  });
});

describe('the list of allowed keys', () => {
  it('accepts a key with its transcript', () => {
    assert.deepEqual(assertAllowed(parseAllowedKeys(allowed), key, text), { transcript, transcriptHash: hash });
  });

  it('refuses a key that it does not name, or names twice', () => {
    throwsCode(() => assertAllowed(allowed, otherKey, text), 'STUN_CEREMONY_NOT_ALLOWED');
    throwsCode(() => assertAllowed([], key, text), 'STUN_CEREMONY_NOT_ALLOWED');
    throwsCode(() => assertAllowed([...allowed, ...allowed], key, text), 'STUN_CEREMONY_NOT_ALLOWED');
  });

  it('refuses a key without a transcript', () => {
    throwsCode(() => assertAllowed(allowed, key, undefined), 'STUN_CEREMONY_NOT_ALLOWED');
  });

  it('refuses a tampered transcript', () => {
    throwsCode(() => assertAllowed(allowed, key, text.replace('Alice', 'Carol')), 'STUN_CEREMONY_TRANSCRIPT');
  });

  it('refuses the transcript of another circuit, listed or not', () => {
    const listed = [...allowed, { vkHash: otherKey, transcriptHash: hash }];
    throwsCode(() => assertAllowed(listed, otherKey, text), 'STUN_CEREMONY_CIRCUIT');
  });

  it('is refused in another form', () => {
    throwsCode(() => parseAllowedKeys([{ vkHash: key }]), 'STUN_INPUT');
    throwsCode(() => parseAllowedKeys({}), 'STUN_INPUT');
  });
});
