/**
 * One negative vector per check and code of RIM documents: documents that differ from accepted ones in one thing, signed over again
 * wherever the change lies inside something signed. docs/attestation.md lists the same rows.
 */
import type { CheckId } from '#attestation/checks.ts';
import type { RimKind } from '#attestation/nvidia/rim/reference-manifest.ts';
import type { RimSubject } from '#attestation/nvidia/rim/verify.ts';
import { derOctets } from '#attestation/simulated/der-writer.ts';
import { keyId } from '#attestation/simulated/certificates.ts';
import { deriveSigningKey } from '#attestation/simulated/signing-key.ts';
import type { OcspSpec } from '#attestation/simulated/ocsp-writer.ts';
import type { RimChanges } from '#attestation/simulated/simulated-rim.ts';
import { concatBytes } from '#protocol/bytes.ts';
import type { ErrorCode } from '#protocol/errors/registry.ts';
import { atUnix } from '../../unit/attestation/simulated-fixture.ts';
import {
  acceptedRimOcsp,
  acceptedRims,
  assessRimsWith,
  assessingChanged,
  otherRimPki,
  rimOcspWith,
  rimPki,
  rimSpecs,
  rimSubject,
  valueOf,
} from '../../unit/attestation/rim-fixture.ts';
import type { NegativeVector } from './negative-vectors.ts';

type Run = NegativeVector['run'];
const vectors: NegativeVector[] = [];
function add(check: CheckId, code: ErrorCode, name: string, run: Run): void {
  vectors.push({ check, code, name, run });
}

const changed = (changes: RimChanges, kind: RimKind = 'driver'): Run => assessingChanged(kind, changes);
/** The document rewritten before it is signed, after it was signed, and with another SignedInfo. */
const body = (from: string | RegExp, to: string): Run => changed({ body: (xml) => replaced(xml, from, to) });
const signed = (from: string | RegExp, to: string): Run => changed({ signed: (xml) => replaced(xml, from, to) });
const signedInfo = (from: string | RegExp, to: string): Run => changed({ signedInfo: (xml) => replaced(xml, from, to) });
const bytes =
  (driver: Uint8Array): Run =>
  () =>
    assessRimsWith({ rims: [driver, acceptedRims.vbios] });
const subject =
  (changes: Partial<RimSubject>): Run =>
  () =>
    assessRimsWith({ subject: { ...rimSubject, ...changes } });

function replaced(xml: string, from: string | RegExp, to: string): string {
  const out = xml.replace(from, to);
  if (out === xml) throw new RangeError(`nothing to replace: ${String(from)}`);
  return out;
}

const unknownCritical = { id: '1.2.3.4', critical: true, value: derOctets(Uint8Array.of(1)) };
const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);
const laughs = [
  '<!DOCTYPE x [<!ENTITY a "ha">',
  ...['b', 'c', 'd'].map((name, i) => `<!ENTITY ${name} "${`&${'abc'[i]};`.repeat(10)}">`),
  ']>',
].join('');
const wholeText = new TextDecoder().decode(acceptedRims.driver);
const signatureText = /<ds:Signature .*<\/ds:Signature>/.exec(wholeText)?.[0] ?? '';

// rim-format: XML
const xml = 'STUN_XML_FORMAT';
add('rim-format', xml, 'document cut by one byte', bytes(acceptedRims.driver.subarray(0, -1)));
add('rim-format', xml, 'document with an element after its end', signed(/$/, '<a></a>'));
add('rim-format', xml, 'document of more than 256 KiB', signed(/$/, ' '.repeat(262_144)));
add('rim-format', xml, 'byte order mark', bytes(concatBytes(Uint8Array.of(0xef, 0xbb, 0xbf), acceptedRims.driver)));
add('rim-format', xml, 'byte that is no UTF-8', bytes(concatBytes(acceptedRims.driver, Uint8Array.of(0xff))));
add('rim-format', xml, 'NUL in a value', body('name="simulated"', 'name="simulated\0"'));
add('rim-format', xml, 'DTD with entities that multiply', signed(/^/, laughs));
add('rim-format', xml, 'entity that is not predefined', body('name="simulated"', 'name="&ha;"'));
add('rim-format', xml, 'reference to a character that XML forbids', body('name="simulated"', 'name="&#0;"'));
add('rim-format', xml, 'comment inside a value', signed(/<ds:SignatureValue>/, '<ds:SignatureValue><!---->'));
add('rim-format', xml, 'CDATA section', signed(/<ds:SignatureValue>/, '<ds:SignatureValue><![CDATA[]]>'));
add('rim-format', xml, 'processing instruction', signed(/^/, '<?go 1?>'));
add('rim-format', xml, '13 levels', body('</SoftwareIdentity>', `${nested(12)}</SoftwareIdentity>`));
add('rim-format', xml, '4,097 elements', body('</SoftwareIdentity>', `${'<a></a>'.repeat(4097)}</SoftwareIdentity>`));
add(
  'rim-format',
  xml,
  '65 attributes in one element',
  body('<Entity ', `<Entity ${Array.from({ length: 65 }, (_, i) => `a${i}="" `).join('')}`),
);
add('rim-format', xml, 'attribute twice', body('name="simulated"', 'name="simulated" name="other"'));
add(
  'rim-format',
  xml,
  'attribute twice by another prefix',
  body(' xmlns:rim=', ' xmlns:mir="urn:x" xmlns:rim2="urn:x" mir:a="" rim2:a="" xmlns:rim='),
);
add('rim-format', xml, 'attribute without quotes', body('name="simulated"', 'name=simulated'));
add('rim-format', xml, 'prefix that is not declared', body('rim:FirmwareManufacturer', 'mir:FirmwareManufacturer'));
add('rim-format', xml, 'xml attribute', body('name="simulated"', 'name="simulated" xml:lang="en"'));
add('rim-format', xml, 'relative namespace name', body('<Entity ', '<Entity xmlns:a="b" '));
add('rim-format', xml, 'prefix that is taken back', body('<Entity ', '<Entity xmlns:rim="" '));
add('rim-format', xml, 'reserved prefix', body('<Entity ', '<Entity xmlns:xmlns="urn:x" '));
add('rim-format', xml, 'end of another element', body('</Entity>', '</Meta>'));
add('rim-format', xml, '"]]>" in text', body('</Entity>', ']]></Entity>'));

// rim-format: signature
const profile = 'STUN_XML_SIGNATURE_FORMAT';
add('rim-format', profile, 'no signature', signed(signatureText, ''));
add(
  'rim-format',
  profile,
  'second signature',
  changed({ signed: (text) => text.replace(/(<ds:Signature .*<\/ds:Signature>)/, '$1$1') }),
);
add(
  'rim-format',
  profile,
  'signature inside the payload',
  changed({ signed: (text) => text.replace(/<\/Payload>(<ds:Signature .*<\/ds:Signature>)/, '$1</Payload>') }),
);
add(
  'rim-format',
  profile,
  'signed document inside another one',
  changed({ signed: (text) => `${/^<SoftwareIdentity [^>]*>/.exec(text)?.[0] ?? ''}${text}</SoftwareIdentity>` }),
);
add('rim-format', profile, 'identifier on the signature', signed('<ds:Signature ', '<ds:Signature Id="a" '));
add('rim-format', profile, 'object in the signature', signed('</ds:KeyInfo>', '</ds:KeyInfo><ds:Object></ds:Object>'));
add('rim-format', profile, 'exclusive canonical form', signedInfo('2006/12/xml-c14n11', '2001/10/xml-exc-c14n#'));
add('rim-format', profile, 'ECDSA with SHA-256', signedInfo('ecdsa-sha384', 'ecdsa-sha256'));
add('rim-format', profile, 'HMAC', signedInfo('ecdsa-sha384', 'hmac-sha384'));
add('rim-format', profile, 'SHA-256 as digest', signedInfo('xmldsig-more#sha384', 'xmlenc#sha256'));
add('rim-format', profile, 'reference by identifier', signedInfo('URI=""', 'URI="#a"'));
add('rim-format', profile, 'second reference', signedInfo(/(<ds:Reference.*<\/ds:Reference>)/, '$1$1'));
add(
  'rim-format',
  profile,
  'no enveloped-signature transform',
  signedInfo(/<ds:Transform Algorithm="[^"]*enveloped-signature"><\/ds:Transform>/, ''),
);
add('rim-format', profile, 'XPath transform', signedInfo('2000/09/xmldsig#enveloped-signature', 'TR/1999/REC-xpath-19991116'));
add('rim-format', profile, 'parameter in a transform', signedInfo('></ds:Transform>', '><ds:XPath></ds:XPath></ds:Transform>'));
add('rim-format', profile, 'text in SignedInfo', signedInfo('<ds:Reference', 'text<ds:Reference'));
add('rim-format', profile, 'digest of 47 bytes', signedInfo(/<ds:DigestValue>.{64}/, `<ds:DigestValue>${'A'.repeat(63)}=`));
add('rim-format', profile, 'signature value that is no canonical base64', signed(/(<ds:SignatureValue>.)/, '$1='));
add('rim-format', profile, 'no certificate', changed({ places: [] }));
add('rim-format', profile, 'key by name', signed('<ds:X509Data>', '<ds:KeyName></ds:KeyName><ds:X509Data>'));

// rim-format: reference values
const format = 'STUN_RIM_FORMAT';
add('rim-format', format, 'document of another namespace', body('19770/-2/2015', '19770/-2/2016'));
add('rim-format', format, 'supplemental tag', body('supplemental="false"', 'supplemental="true"'));
add('rim-format', format, 'patch', body('patch="false"', 'patch="true"'));
add('rim-format', format, 'payload elsewhere', body('PayloadType="direct"', 'PayloadType="indirect"'));
add('rim-format', format, 'second payload', body('</Payload>', '</Payload><Payload></Payload>'));
add('rim-format', format, 'payload without measurements', body(/<Resource.*<\/Resource>/, ''));
add('rim-format', format, 'resource that is no measurement', body('type="Measurement"', 'type="File"'));
add('rim-format', format, 'text in the payload', body('<Payload>', '<Payload>text'));
add('rim-format', format, 'index twice', body('index="2"', 'index="1"'));
add('rim-format', format, 'index of 255', body('index="2"', 'index="255"'));
add('rim-format', format, 'active that is neither True nor False', body('active="True"', 'active="true"'));
add('rim-format', format, 'more values than alternatives says', body('alternatives="2"', 'alternatives="1"'));
add('rim-format', format, 'fewer values than alternatives says', body('alternatives="2"', 'alternatives="3"'));
add('rim-format', format, 'value of another size than size says', body('size="48"', 'size="32"'));
add('rim-format', format, 'value that is no hex', body(/Hash0="../, 'Hash0="zz'));
add('rim-format', format, 'version of neither form', body('"550.90.07"', '"550.90-07"'));
add('rim-format', format, 'two RIMs of the driver', () => assessRimsWith({ rims: [acceptedRims.driver, acceptedRims.driver] }));

// rim-format: certificates
const p256Key = deriveSigningKey(new Uint8Array(32), 'p256').publicKey;
add(
  'rim-format',
  'STUN_DER_FORMAT',
  'certificate that is no DER',
  signed(/<ds:X509Certificate>..../, '<ds:X509Certificate>AAAA'),
);
add(
  'rim-format',
  'STUN_CERTIFICATE_FORMAT',
  'signer with a P-256 key',
  changed({ certificates: { signer: { publicKey: p256Key } } }),
);
add(
  'rim-format',
  'STUN_CERTIFICATE_FORMAT',
  'signer with an unknown critical extension',
  changed({ certificates: { signer: { extensions: [unknownCritical] } } }),
);

// certificates
const chain = (code: ErrorCode, name: string, changes: RimChanges): void =>
  add('rim-driver-cert-chain', code, name, changed(changes));
chain('STUN_CHAIN_LENGTH', 'chain without its root', { places: ['signer', 'l3', 'chip'] });
chain('STUN_CHAIN_LENGTH', 'root twice', { places: ['signer', 'l3', 'chip', 'root', 'root'] });
chain('STUN_CHAIN_NAMES', 'L3 that is named otherwise', { certificates: { l3: { subject: 'NVIDIA Reference Value L3 other' } } });
chain('STUN_CHAIN_CONSTRAINTS', 'signer that is an authority', { certificates: { signer: { isCa: true } } });
chain('STUN_CHAIN_CONSTRAINTS', 'signer without digitalSignature', { certificates: { signer: { keyUsage: [5] } } });
chain('STUN_CHAIN_CONSTRAINTS', 'L3 that is no authority', { certificates: { l3: { isCa: false, pathLength: null } } });
chain('STUN_CHAIN_CONSTRAINTS', 'L3 without keyCertSign', { certificates: { l3: { keyUsage: [6] } } });
chain('STUN_CHAIN_CONSTRAINTS', 'CA of the chip with path length 0', { certificates: { chip: { pathLength: 0 } } });
chain('STUN_CHAIN_CONSTRAINTS', 'authority key identifier of another authority', {
  certificates: { signer: { authorityKeyId: keyId(p256Key) } },
});
chain('STUN_CHAIN_SIGNATURE', 'CA of the chip with another key than signed L3', {
  certificates: { chip: { publicKey: rimPki.keys.signer.publicKey } },
});
add('rim-driver-cert-chain', 'STUN_ROOT_UNTRUSTED', 'root that is trusted for devices alone', () =>
  assessRimsWith({ rims: [acceptedRims.driver], roots: [{ ...rimPki.root, purpose: 'device' }] }),
);
add('rim-vbios-cert-chain', 'STUN_ROOT_UNTRUSTED', 'root that is not in the store', () =>
  assessRimsWith({ rims: [acceptedRims.vbios], roots: [otherRimPki.root] }),
);
add(
  'rim-driver-cert-expired',
  'STUN_CERTIFICATE_EXPIRED',
  'signer whose validity ended a second ago',
  changed({ certificates: { signer: { notAfterUnix: atUnix - 1 } } }),
);
add(
  'rim-driver-cert-expired',
  'STUN_CERTIFICATE_NOT_YET_VALID',
  'root that is valid in a second',
  changed({ certificates: { root: { notBeforeUnix: atUnix + 1 } } }),
);
add(
  'rim-vbios-cert-expired',
  'STUN_CERTIFICATE_EXPIRED',
  'L3 whose validity ended a second ago',
  changed({ certificates: { l3: { notAfterUnix: atUnix - 1 } } }, 'vbios'),
);

// signature and digest
for (const kind of ['driver', 'vbios'] as const) {
  const other = { signingKey: otherRimPki.keys.signer };
  add(`rim-${kind}-signature`, 'STUN_RIM_SIGNATURE', `${kind} RIM signed by another key`, changed(other, kind));
  const renamed: RimChanges = { signed: (text) => replaced(text, 'name="Measurement_5"', 'name="Measurement_6"') };
  add(`rim-${kind}-digest`, 'STUN_RIM_DIGEST', `${kind} RIM changed after it was signed`, changed(renamed, kind));
}
add(
  'rim-driver-signature',
  'STUN_RIM_SIGNATURE',
  'space in SignedInfo that was not signed',
  signed(/(<ds:SignedInfo [^>]*>)/, '$1 '),
);
add('rim-driver-digest', 'STUN_RIM_DIGEST', 'element added after it was signed', signed('<ds:Signature', '<a></a><ds:Signature'));

// version and measurements
add('rim-driver-version', 'STUN_RIM_VERSION', 'report of another driver', subject({ driverVersion: '550.90.08' }));
add('rim-driver-version', 'STUN_RIM_VERSION', 'report that names no driver', subject({ driverVersion: null }));
add('rim-vbios-version', 'STUN_RIM_VERSION', 'report of another VBIOS', subject({ vbiosVersion: '96.00.9F.00.02' }));
add('rim-driver-version', 'STUN_RIM_VERSION', 'RIM for another chip', assessingChanged('driver', {}, { product: 'GB100' }));
const blocks = (from: number, value: Uint8Array): RimSubject['measurements'] =>
  rimSubject.measurements.map((block) => (block.index === from ? { index: from, value } : block));
add(
  'rim-driver-measurement',
  'STUN_RIM_MEASUREMENT',
  'value that is no alternative',
  subject({ measurements: blocks(2, valueOf(1, 2)) }),
);
add(
  'rim-vbios-measurement',
  'STUN_RIM_MEASUREMENT',
  'value of another VBIOS',
  subject({ measurements: blocks(4, valueOf(3, 1)) }),
);
add(
  'rim-driver-measurement',
  'STUN_RIM_MEASUREMENT',
  'value with a byte after its end',
  subject({ measurements: blocks(3, Uint8Array.of(...valueOf(2), 0)) }),
);
add(
  'rim-driver-measurement',
  'STUN_RIM_MEASUREMENT',
  'report without the measurement',
  subject({ measurements: rimSubject.measurements.filter(({ index }) => index !== 3) }),
);
add(
  'rim-driver-measurement',
  'STUN_RIM_MEASUREMENT',
  'report with the measurement twice',
  subject({ measurements: [...rimSubject.measurements, { index: 3, value: valueOf(2) }] }),
);
add(
  'rim-driver-measurement',
  'STUN_RIM_MEASUREMENT',
  'other NVDEC0 that is enabled',
  subject({ measurements: blocks(36, valueOf(35, 1)) }),
);
add(
  'rim-index-owner',
  'STUN_RIM_INDEX',
  'VBIOS RIM that owns a measurement of the driver',
  assessingChanged(
    'vbios',
    {},
    {
      measurements: rimSpecs.vbios.measurements.map((entry) => (entry.index === 2 ? { ...entry, active: true } : entry)),
    },
  ),
);

// rim-ocsp
const answered = (signer: Partial<OcspSpec>, name: string, code: ErrorCode): void => {
  let made: readonly Uint8Array[] | undefined;
  add('rim-ocsp', code, name, () => assessRimsWith({ ocsp: (made ??= rimOcspWith({ signer })) }));
};
const l3Responder = rimPki.responderKeys.l3.publicKey;
const responder: OcspSpec['responder'] = {
  serial: keyId(l3Responder),
  subject: 'STUN simulated OCSP responder',
  issuer: 'NVIDIA Reference Value L3 simulated',
  notBeforeUnix: atUnix - 1000,
  notAfterUnix: atUnix + 1000,
  publicKey: l3Responder,
  isCa: false,
  pathLength: null,
  keyUsage: [0],
  subjectKeyId: keyId(l3Responder),
  authorityKeyId: keyId(rimPki.keys.l3.publicKey),
  extensions: [],
};
add('rim-ocsp', 'STUN_DER_FORMAT', 'OCSP response with a byte after its end', () =>
  assessRimsWith({ ocsp: acceptedRimOcsp.map((der) => Uint8Array.of(...der, 0)) }),
);
answered({ answer: 3 }, 'OCSP response that says tryLater', 'STUN_OCSP_FORMAT');
answered(
  { responder: { ...responder, extensions: [unknownCritical] } },
  'responder with an unknown critical extension',
  'STUN_CERTIFICATE_FORMAT',
);
answered({ purposes: null }, 'responder without the purpose OCSPSigning', 'STUN_OCSP_RESPONDER');
answered(
  { responder: { ...responder, issuer: 'NVIDIA Reference Value simulated CA' } },
  'responder of another authority',
  'STUN_OCSP_RESPONDER',
);
answered({ responder: { ...responder, notAfterUnix: atUnix - 1 } }, 'responder that ended a second ago', 'STUN_OCSP_RESPONDER');
answered(
  { responder: { ...responder, publicKey: rimPki.responderKeys.root.publicKey } },
  'OCSP response that another key signed',
  'STUN_OCSP_SIGNATURE',
);
answered({ nextUpdateUnix: atUnix - 1 }, 'OCSP response that ended a second ago', 'STUN_OCSP_EXPIRED');
answered({ thisUpdateUnix: atUnix + 1 }, 'OCSP response that begins in a second', 'STUN_OCSP_NOT_YET_VALID');
const revoked = { status: { revokedAtUnix: atUnix - 5, reason: 1 } } as const;
for (const [place, name] of [
  ['signer', 'signer'],
  ['l3', 'L3'],
  ['chip', 'CA of the chip'],
] as const) {
  let made: readonly Uint8Array[] | undefined;
  add('rim-ocsp', 'STUN_CERTIFICATE_REVOKED', `${name} that is revoked`, () =>
    assessRimsWith({ ocsp: (made ??= rimOcspWith({ [place]: revoked })) }),
  );
}

/** All of them, in the order of the checks. */
export const rimNegativeVectors: readonly NegativeVector[] = vectors;
