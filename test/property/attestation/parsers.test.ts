import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  canonicalPolicyJson,
  encodeEvidence,
  encodeTdxQuote,
  parseEvidence,
  parsePolicy,
  parseIntelCollateral,
  parseTdxQuote,
} from '#attestation/index.ts';
import { DerReader, derTag, maxDerDepth } from '#attestation/asn1/der.ts';
import { parseEcdsaSignature, readIntegerHex, readOid, readTime } from '#attestation/asn1/der-values.ts';
import { parseCappedJson } from '#attestation/json/capped-json.ts';
import { der, derInteger, derOid, derSequence, derSignature, derTime } from '#attestation/simulated/der-writer.ts';
import { simulatedPolicy } from '#attestation/simulated/policy.ts';
import { parseCertificate } from '#attestation/x509/certificate.ts';
import { parseCrl } from '#attestation/x509/crl.ts';
import { encodePem, parsePemChain } from '#attestation/x509/pem.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { StunError } from '#protocol/errors/stun-error.ts';
import { sampleSeed } from '../../depth.ts';
import { acceptedCollateral, acceptedQuote, machine, nonce } from '../../unit/attestation/simulated-fixture.ts';

const check = <T>(property: fc.IProperty<T>, numRuns = 300): void => {
  fc.assert(property, { seed: sampleSeed(), numRuns });
};

/** The call returns, or throws a StunError that is not an internal one. */
function total(call: () => unknown): void {
  try {
    call();
  } catch (thrown) {
    assert.ok(thrown instanceof StunError, String(thrown));
    assert.notEqual(thrown.code, 'STUN_INTERNAL');
  }
}

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });

describe('attestation parsers, properties', () => {
  it('give back every quote that is encoded', () => {
    const quote = parseTdxQuote(acceptedQuote);
    check(
      fc.property(
        bytes(584),
        bytes(64),
        bytes(64),
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(500),
        fc.string({ unit: 'grapheme-ascii' }),
        (body, signature, key, auth, trailing, pem) => {
          const raw = encodeTdxQuote({
            ...quote,
            signature,
            attestationKey: key,
            qeAuthData: auth,
            certification: { type: 5, chainPem: pem },
            trailingBytes: trailing,
          });
          raw.set(body, 48);
          const parsed = parseTdxQuote(raw);
          assert.deepEqual(encodeTdxQuote(parsed), raw);
          assert.deepEqual(
            [parsed.signature, parsed.attestationKey, parsed.qeAuthData, parsed.certification, parsed.trailingBytes],
            [signature, key, auth, { type: 5, chainPem: pem }, trailing],
          );
          assert.deepEqual(parsed.signedBytes.subarray(48), body);
        },
      ),
    );
  });

  it('never throw anything uncoded on random bytes', () => {
    check(
      fc.property(fc.uint8Array({ maxLength: 400 }), (input) => {
        for (const parse of [parseTdxQuote, parseCertificate, parseCrl, parseEvidence, parseIntelCollateral])
          total(() => parse(input));
      }),
      500,
    );
  });

  it('never throw anything uncoded on mutated quotes, certificates and CRLs', () => {
    const [certificate = new Uint8Array(0)] = parsePemChain(acceptedCollateral.pck_crl_issuer_chain);
    const crl = fromHex(`0x${acceptedCollateral.pck_crl ?? ''}`);
    const edits = fc.array(fc.tuple(fc.nat(6000), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
    check(
      fc.property(edits, (list) => {
        for (const [input, parse] of [
          [acceptedQuote, parseTdxQuote],
          [certificate, parseCertificate],
          [crl, parseCrl],
        ] as const) {
          const changed = input.slice();
          for (const [at, value] of list) changed[at % changed.length] = value;
          total(() => parse(changed));
        }
      }),
      1000,
    );
  });

  it('read every DER integer, identifier, time and signature that is written', () => {
    check(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(0xfffffff), { maxLength: 6 }),
        fc.nat(2_524_607_999),
        bytes(64),
        (integer, arcs, unix, signature) => {
          assert.equal(BigInt(`0x${readIntegerHex(new DerReader(derInteger(integer)))}`), BigInt(toHex(integer)));
          const dotted = ['1', '2', ...arcs.map(String)].join('.');
          assert.equal(readOid(new DerReader(derOid(dotted))), dotted);
          assert.equal(readTime(new DerReader(derTime(unix))), unix);
          assert.deepEqual(parseEcdsaSignature(derSignature(signature)), signature);
        },
      ),
    );
  });

  it('refuse DER that is nested beyond the cap, without recursion', () => {
    check(
      fc.property(fc.integer({ min: 0, max: 200 }), (levels) => {
        let nested: Uint8Array = derSequence();
        for (let i = 0; i < levels; i++) nested = der(derTag.sequence, nested);
        const open = (): void => {
          for (let reader = new DerReader(nested); reader.peek() !== null;) reader = reader.enter(derTag.sequence);
        };
        if (levels + 1 > maxDerDepth) assert.throws(open, { code: 'STUN_DER_FORMAT' });
        else open();
      }),
    );
  });

  it('read JSON as JSON.parse does, wherever both accept', () => {
    const integers = fc.maxSafeInteger().filter((value) => !Object.is(value, -0));
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        integers,
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(
          fc.string().filter((key) => key !== '__proto__'),
          tie('tree'),
          { maxKeys: 4 },
        ),
      ),
    }));
    check(
      fc.property(tree, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        assert.equal(JSON.stringify(parseCappedJson(text)), JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('accept no JSON text that JSON.parse refuses', () => {
    check(
      fc.property(
        fc.string({
          unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '0', '1', '-', '.', 'e', 'u', '\\', ' ', 'true', 'null', 'a'),
          maxLength: 12,
        }),
        (text) => {
          let parsed: unknown;
          try {
            parsed = parseCappedJson(text);
          } catch (thrown) {
            assert.ok(thrown instanceof StunError && thrown.code === 'STUN_JSON_FORMAT');
            return;
          }
          assert.equal(JSON.stringify(parsed), JSON.stringify(JSON.parse(text)));
        },
      ),
      3000,
    );
  });

  it('give back every evidence document that is encoded', () => {
    const made = parseEvidence(machine().evidence(new Uint8Array(32), nonce));
    assert.ok(made.kind === 'tdx');
    check(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        bytes(32),
        fc.boolean(),
        fc.string().filter((text) => text !== '' && text.isWellFormed()),
        (quote, fresh, simulated, text) => {
          const document = {
            ...made,
            quote,
            nonce: fresh,
            simulated,
            collateral: { ...made.collateral, tcb_info: text, pck_crl: null },
          };
          const encoded = encodeEvidence(document);
          assert.deepEqual(
            JSON.parse(new TextDecoder().decode(encodeEvidence(parseEvidence(encoded)))),
            JSON.parse(new TextDecoder().decode(encoded)),
          );
          assert.deepEqual(parseEvidence(encoded).quote, quote);
        },
      ),
    );
  });

  it('give back every certificate that is written as PEM', () => {
    check(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 8 }), (list) => {
        assert.deepEqual(parsePemChain(list.map(encodePem).join('')), list);
      }),
    );
  });

  it('name a policy by one text, whatever the order of its keys', () => {
    check(
      fc.property(fc.nat(1000), fc.boolean(), (floor, allowDebug) => {
        const tdx =
          simulatedPolicy.tdx === null ? null : { ...simulatedPolicy.tdx, minTcbEvaluationDataNumber: floor, allowDebug };
        const shuffled = JSON.stringify(Object.fromEntries(Object.entries({ ...simulatedPolicy, tdx }).toReversed()));
        const text = canonicalPolicyJson({ ...simulatedPolicy, tdx });
        assert.equal(canonicalPolicyJson(parsePolicy(shuffled)), text);
        assert.equal(canonicalPolicyJson(parsePolicy(text)), text);
      }),
    );
  });
});
