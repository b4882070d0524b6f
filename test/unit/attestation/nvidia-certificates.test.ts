import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { nvidiaDeviceRoot } from '#attestation/index.ts';
import { DerReader } from '#attestation/asn1/der.ts';
import { parseEcdsaSignature, readAnyTime, readTime } from '#attestation/asn1/der-values.ts';
import { parseNvidiaCertificate } from '#attestation/nvidia/certificate.ts';
import { der, derSequence } from '#attestation/simulated/der-writer.ts';
import { parsePemChain } from '#attestation/x509/pem.ts';
import { fromHex, toHex, utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';

/** The device chains of real evidence; none without the vectors. */
function realChains(): readonly (readonly Uint8Array[])[] {
  const folder = join(process.env['STUN_VECTORS'] ?? '', 'nvidia');
  if ((process.env['STUN_VECTORS'] ?? '') === '' || !existsSync(folder)) {
    assert.notEqual(process.env['STUN_REQUIRE_VECTORS'], '1', 'STUN_REQUIRE_VECTORS=1, but STUN_VECTORS names no nvidia/');
    console.log('      SKIPPED: certificates of real NVIDIA devices: STUN_VECTORS is not set');
    return [];
  }
  return readdirSync(folder).map((name) => parsePemChain(readFileSync(join(folder, name, 'chain.pem'), 'utf8')));
}

describe('certificates of NVIDIA', () => {
  it('are read in every real device chain, down to the pinned root', () => {
    const chains = realChains();
    for (const chain of chains) {
      const root = chain.map(parseNvidiaCertificate).at(-1);
      assert.ok(root !== undefined);
      assert.equal(toHex(root.key), nvidiaDeviceRoot.publicKey);
      assert.equal(root.signature.length, 96);
    }
    console.log(`      ${chains.length} chains`);
  });

  it('may write any year as GeneralizedTime, which others may not', () => {
    const time = der(0x18, utf8('20230511000000Z'));
    assert.equal(readAnyTime(new DerReader(time)), Date.UTC(2023, 4, 11) / 1000);
    throwsCode(() => readTime(new DerReader(time)), 'STUN_DER_FORMAT');
    throwsCode(() => readAnyTime(new DerReader(der(0x18, utf8('20230231000000Z')))), 'STUN_DER_FORMAT');
  });

  it('carry signatures of 48 bytes for each number, and no longer ones', () => {
    const number = (hex: string): Uint8Array => der(0x02, fromHex(`0x${hex}`));
    const largest = `00${'ff'.repeat(48)}`;
    assert.equal(
      toHex(parseEcdsaSignature(derSequence(number('01'), number(largest)), 48)),
      `0x${'00'.repeat(47)}01${'ff'.repeat(48)}`,
    );
    throwsCode(() => parseEcdsaSignature(derSequence(number('01'), number(`01${'ff'.repeat(48)}`)), 48), 'STUN_DER_FORMAT');
    throwsCode(() => parseEcdsaSignature(derSequence(number('01'), number(largest))), 'STUN_DER_FORMAT');
  });
});
