/**
 * Simulated reference values: RIM documents, valid byte for byte, signed under a root of their own.
 *
 * They say nothing about any device, and say so: the organisation in every certificate is that of simulated hardware, the root is
 * in no default trust store. The text is written in its canonical form, so that what is signed needs no canonicaliser here.
 */
import { toHex, utf8 } from '#protocol/bytes.ts';
import { cryptoProvider } from '../crypto/provider.ts';
import type { NvidiaTrustRoot } from '../trust/roots.ts';
import type { CertificateSpec } from './certificates.ts';
import { authorityUsage, keyId, makeCertificate, signerUsage } from './certificates.ts';
import { answerOcsp } from './ocsp-responder.ts';
import type { OcspSpec } from './ocsp-writer.ts';
import type { SigningKey } from './signing-key.ts';
import { deriveP384SigningKey } from './signing-key.ts';

/** The places of a RIM's chain, the signer first. */
export const rimPlaces = ['signer', 'l3', 'chip', 'root'] as const;
export type RimPlace = (typeof rimPlaces)[number];

/** The authorities of simulated reference values. */
export interface SimulatedRimPki {
  readonly keys: { readonly [Place in RimPlace]: SigningKey };
  /** The keys of the OCSP responders beside the authorities. */
  readonly responderKeys: { readonly [Place in Exclude<RimPlace, 'signer'>]: SigningKey };
  /** For a trust store that is meant to accept simulated reference values. Never in the default store. */
  readonly root: NvidiaTrustRoot;
}

/** A measurement to be written. */
export interface RimMeasurementSpec {
  readonly index: number;
  readonly active: boolean;
  readonly alternatives: readonly Uint8Array[];
}

/** What a RIM says. */
export interface SimulatedRimSpec {
  /** Of a driver (`550.90.07`) or of a VBIOS (`96.00.9F.00.01`). */
  readonly version: string;
  /** The chip, `GH100` say. */
  readonly product: string;
  readonly measurements: readonly RimMeasurementSpec[];
  /** A time inside the validity of all certificates, unix seconds. */
  readonly atUnix: number;
}

/** How a RIM differs from a healthy one. */
export interface RimChanges {
  readonly certificates?: { readonly [Place in RimPlace]?: Partial<CertificateSpec> };
  /** OCSP responses by the certificate that they are about, instead of those that say good. */
  readonly ocsp?: { readonly [Place in Exclude<RimPlace, 'root'>]?: Partial<OcspSpec> };
  /** Certificates of KeyInfo, instead of the whole chain. */
  readonly places?: readonly RimPlace[];
  /** The key that signs, instead of the signer's. */
  readonly signingKey?: SigningKey;
  /** Rewrites the document before it is digested; it must stay canonical. */
  readonly body?: (xml: string) => string;
  /** Rewrites SignedInfo before it is signed; it must stay canonical. */
  readonly signedInfo?: (xml: string) => string;
  /** Rewrites the signed document. */
  readonly signed?: (xml: string) => string;
}

const names: { readonly [Place in RimPlace]: string } = {
  signer: 'HCC RIM L4 Signer',
  l3: 'NVIDIA Reference Value L3 simulated',
  chip: 'NVIDIA Reference Value simulated CA',
  root: 'NVIDIA CoRIM signing Root CA',
};
const yearSeconds = 31_536_000;

/** Makes the authorities of a seed of 32 bytes. */
export function createSimulatedRimPki(seed: Uint8Array): SimulatedRimPki {
  const key = (place: string): SigningKey => deriveP384SigningKey(seed, `rim-${place}`);
  const keys = { signer: key('signer'), l3: key('l3'), chip: key('chip'), root: key('root') };
  const responderKeys = { l3: key('ocsp-l3'), chip: key('ocsp-chip'), root: key('ocsp-root') };
  const publicKey = toHex(keys.root.publicKey);
  return Object.freeze({
    keys,
    responderKeys,
    root: Object.freeze({ vendor: 'nvidia', name: 'STUN simulated RIM root', purpose: 'rim', publicKey, simulated: true }),
  });
}

/** The place that signs another. */
function issuerOf(place: RimPlace): Exclude<RimPlace, 'signer'> {
  return place === 'signer' ? 'l3' : place === 'l3' ? 'chip' : 'root';
}

function certificateSpec(pki: SimulatedRimPki, place: RimPlace, atUnix: number, changes: RimChanges): CertificateSpec {
  const issuer = issuerOf(place);
  const isCa = place !== 'signer';
  return {
    serial: Uint8Array.of(1, rimPlaces.indexOf(place)),
    subject: names[place],
    issuer: names[issuer],
    notBeforeUnix: atUnix - yearSeconds,
    notAfterUnix: atUnix + yearSeconds,
    publicKey: pki.keys[place].publicKey,
    isCa,
    pathLength: place === 'l3' ? 0 : null,
    keyUsage: isCa ? authorityUsage : signerUsage,
    subjectKeyId: keyId(pki.keys[place].publicKey),
    authorityKeyId: keyId(pki.keys[issuer].publicKey),
    extensions: [],
    ...changes.certificates?.[place],
  };
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

const hex = (bytes: Uint8Array): string => toHex(bytes).slice(2);
const swid = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const sha384 = 'http://www.w3.org/2001/04/xmlenc#sha384';
const tcgRim = 'https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/';
const dsig = 'http://www.w3.org/2000/09/xmldsig#';
const algorithm = {
  canonical: 'http://www.w3.org/2006/12/xml-c14n11',
  signature: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384',
  digest: 'http://www.w3.org/2001/04/xmldsig-more#sha384',
};

function resourceOf({ index, active, alternatives }: RimMeasurementSpec): string {
  const values = alternatives.map((value, i) => ` sha384:Hash${i}="${hex(value)}"`).join('');
  const said = `active="${active ? 'True' : 'False'}" alternatives="${alternatives.length}" index="${index}"`;
  const size = alternatives[0]?.length ?? 0;
  return `<Resource ${said} name="Measurement_${index}" size="${size}" type="Measurement"${values}></Resource>`;
}

/** The document without its signature. */
function bodyOf({ version, product, measurements }: SimulatedRimSpec): string {
  const flags = 'corpus="false" name="simulated" patch="false" supplemental="false" tagId="53494d" tagVersion="0" version="1.0"';
  return [
    `<SoftwareIdentity xmlns="${swid}" xmlns:rim="${tcgRim}" xmlns:sha384="${sha384}" ${flags}>`,
    '<Entity name="STUN simulated hardware" role="softwareCreator tagCreator"></Entity>',
    `<Meta PayloadType="direct" colloquialVersion="${version}" edition="GPU" product="${product}" revision="r1"`,
    ' rim:FirmwareManufacturer="STUN simulated hardware"></Meta>',
    `<Payload>${measurements.map(resourceOf).join('')}</Payload>`,
    '</SoftwareIdentity>',
  ].join('');
}

function signedInfoOf(body: string): string {
  const reference = [
    '<ds:Reference URI=""><ds:Transforms>',
    `<ds:Transform Algorithm="${dsig}enveloped-signature"></ds:Transform>`,
    `<ds:Transform Algorithm="${algorithm.canonical}"></ds:Transform></ds:Transforms>`,
    `<ds:DigestMethod Algorithm="${algorithm.digest}"></ds:DigestMethod>`,
    `<ds:DigestValue>${base64(cryptoProvider.sha384(utf8(body)))}</ds:DigestValue></ds:Reference>`,
  ].join('');
  return [
    `<ds:SignedInfo xmlns="${swid}" xmlns:ds="${dsig}" xmlns:rim="${tcgRim}" xmlns:sha384="${sha384}">`,
    `<ds:CanonicalizationMethod Algorithm="${algorithm.canonical}"></ds:CanonicalizationMethod>`,
    `<ds:SignatureMethod Algorithm="${algorithm.signature}"></ds:SignatureMethod>${reference}</ds:SignedInfo>`,
  ].join('');
}

/**
 * Makes a RIM document.
 * @returns UTF-8 bytes
 */
export function makeSimulatedRim(pki: SimulatedRimPki, spec: SimulatedRimSpec, changes: RimChanges = {}): Uint8Array {
  const body = (changes.body ?? String)(bodyOf(spec));
  const signedInfo = (changes.signedInfo ?? String)(signedInfoOf(body));
  const signature = (changes.signingKey ?? pki.keys.signer).sign(utf8(signedInfo));
  const chain = (changes.places ?? rimPlaces).map((place) =>
    makeCertificate(certificateSpec(pki, place, spec.atUnix, changes), pki.keys[issuerOf(place)]),
  );
  const envelope = [
    `<ds:Signature xmlns:ds="${dsig}">${signedInfo}<ds:SignatureValue>${base64(signature)}</ds:SignatureValue>`,
    '<ds:KeyInfo><ds:X509Data>',
    ...chain.map((der) => `<ds:X509Certificate>${base64(der)}</ds:X509Certificate>`),
    '</ds:X509Data></ds:KeyInfo></ds:Signature></SoftwareIdentity>',
  ].join('');
  return utf8((changes.signed ?? String)(body.replace(/<\/SoftwareIdentity>$/, envelope)));
}

/**
 * Makes the OCSP responses about a RIM's chain: of signer, L3 and the CA of the chip.
 * @param atUnix - a time inside the day of the responses, unix seconds
 */
export function makeSimulatedRimOcsp(pki: SimulatedRimPki, atUnix: number, changes: RimChanges = {}): readonly Uint8Array[] {
  return (['signer', 'l3', 'chip'] as const).map((place) => {
    const issuer = issuerOf(place);
    const keys = { issuerKey: pki.keys[issuer], responderKey: pki.responderKeys[issuer] };
    const about = certificateSpec(pki, place, atUnix, changes);
    return answerOcsp({ about, place: issuer, ...keys, atUnix, changes: changes.ocsp?.[place] });
  });
}
