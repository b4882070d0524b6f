/**
 * RIM documents: what NVIDIA says that the measurements of a driver or a VBIOS are. A SWID tag in XML with the profile of the TCG,
 * signed inside itself. Parses only; `verify.ts` holds it against root, time and report.
 * Spec: ISO/IEC 19770-2:2015; TCG "Reference Integrity Manifest (RIM) Information Model", version 1.01.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { fromHex } from '#protocol/bytes.ts';
import type { rimKinds } from '../../checks.ts';
import type { XmlElement } from '../../xml/capped-xml.ts';
import { parseCappedXml } from '../../xml/capped-xml.ts';
import type { EnvelopedSignature } from '../../xml/enveloped-signature.ts';
import { readEnvelopedSignature } from '../../xml/enveloped-signature.ts';
import type { NvidiaCertificate } from '../certificate.ts';
import { parseNvidiaCertificate } from '../certificate.ts';

/** What a RIM speaks for. NVIDIA gives each device one of each kind; switches have a VBIOS alone. */
export type RimKind = (typeof rimKinds)[number];

/** The values that one measurement may have. */
export interface GoldenMeasurement {
  /** From 0; the measurement block of the report has the number `index + 1`. */
  readonly index: number;
  /** Inactive ones say nothing about the device. */
  readonly active: boolean;
  /** Values of `sizeBytes` each, any one of which is right. */
  readonly alternatives: readonly Uint8Array[];
  readonly sizeBytes: number;
  readonly name: string;
}

/** A parsed RIM. Nothing in it is verified. */
export interface ReferenceManifest {
  readonly kind: RimKind;
  readonly tagId: string;
  /** `colloquialVersion`: the version of the driver (`550.90.07`) or VBIOS (`96.00.9F.00.01`). */
  readonly version: string;
  /** The chip, as `GH100`. */
  readonly product: string;
  readonly firmwareManufacturer: string;
  /** In the order of their index, each index once. */
  readonly measurements: readonly GoldenMeasurement[];
  readonly signature: EnvelopedSignature;
  /** The chain in the signature, the signer first. */
  readonly chain: readonly NvidiaCertificate[];
}

const swid = 'http://standards.iso.org/iso/19770/-2/2015/schema.xsd';
const sha384 = 'http://www.w3.org/2001/04/xmlenc#sha384';
const tcgRim = 'https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/';
/** Measurement blocks of a report are numbered by one byte. */
const maxIndex = 254;
const maxAlternatives = 32;
const maxMeasurementBytes = 64;

const versionForms: { readonly [Kind in RimKind]: RegExp } = {
  driver: /^\d{1,5}(\.\d{1,5}){1,3}$/,
  vbios: /^[0-9A-F]{2}(\.[0-9A-F]{2}){4}$/,
};

function refuse(reason: string): never {
  throw new StunError('STUN_RIM_FORMAT', reason);
}

function attribute(element: XmlElement, localName: string, namespace = ''): string {
  const found = element.attributes.find((entry) => entry.namespace === namespace && entry.localName === localName);
  return found?.value ?? refuse(`expected attribute ${localName} in ${element.localName}`);
}

function integer(element: XmlElement, name: string, min: number, max: number): number {
  const text = attribute(element, name);
  const value = /^(0|[1-9]\d{0,3})$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : refuse(`expected ${name} of ${element.localName} in ${min}..${max}`);
}

/** The child elements in the SWID namespace by name; text other than spaces is refused. */
function childrenOf(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child) => {
    if (typeof child === 'string' && child.trim() !== '') refuse(`expected no text in ${element.localName}`);
    return typeof child !== 'string' && child.namespace === swid;
  }) as readonly XmlElement[];
}

function only(elements: readonly XmlElement[], localName: string): XmlElement {
  const [found, ...more] = elements.filter((element) => element.localName === localName);
  return found !== undefined && more.length === 0 ? found : refuse(`expected one ${localName}`);
}

function readMeasurement(resource: XmlElement): GoldenMeasurement {
  if (resource.localName !== 'Resource' || attribute(resource, 'type') !== 'Measurement')
    refuse('expected measurements alone in Payload');
  const active = attribute(resource, 'active');
  if (active !== 'True' && active !== 'False') refuse('expected active to be True or False');
  const sizeBytes = integer(resource, 'size', 1, maxMeasurementBytes);
  const count = integer(resource, 'alternatives', 1, maxAlternatives);
  const alternatives = Array.from({ length: count }, (_, i) => {
    const hex = attribute(resource, `Hash${i}`, sha384);
    if (hex.length !== 2 * sizeBytes || !/^[0-9a-fA-F]+$/.test(hex)) refuse(`expected Hash${i} of ${sizeBytes} bytes in hex`);
    return fromHex(`0x${hex}`);
  });
  if (resource.attributes.filter(({ namespace }) => namespace === sha384).length !== count)
    refuse('expected as many values as alternatives says');
  const index = integer(resource, 'index', 0, maxIndex);
  return Object.freeze({ index, active: active === 'True', alternatives, sizeBytes, name: attribute(resource, 'name') });
}

function readMeasurements(payload: XmlElement): readonly GoldenMeasurement[] {
  const measurements = childrenOf(payload).map(readMeasurement);
  if (measurements.length === 0) refuse('expected at least one measurement');
  if (new Set(measurements.map(({ index }) => index)).size !== measurements.length) refuse('expected each index once');
  return Object.freeze(measurements.toSorted((a, b) => a.index - b.index));
}

function kindOf(version: string): RimKind {
  const kinds: readonly RimKind[] = ['vbios', 'driver'];
  return (
    kinds.find((kind) => versionForms[kind].test(version)) ??
    refuse(`expected the version of a driver or a VBIOS, got ${version.slice(0, 40)}`)
  );
}

/**
 * Parses a RIM document.
 * @param bytes - the document exactly as it was issued, UTF-8
 * @throws `STUN_XML_FORMAT` | `STUN_XML_SIGNATURE_FORMAT` | `STUN_RIM_FORMAT` | `STUN_DER_FORMAT` | `STUN_CERTIFICATE_FORMAT`
 */
export function parseRim(bytes: Uint8Array): ReferenceManifest {
  const root = parseCappedXml(bytes);
  if (root.namespace !== swid || root.localName !== 'SoftwareIdentity') refuse('expected a SWID tag (SoftwareIdentity)');
  const signature = readEnvelopedSignature(root);
  for (const flag of ['corpus', 'patch', 'supplemental'])
    if (attribute(root, flag) !== 'false') refuse(`expected a primary tag, which is not ${flag}`);
  const elements = childrenOf(root);
  const meta = only(elements, 'Meta');
  if (attribute(meta, 'PayloadType') !== 'direct') refuse('expected the measurements in the document itself');
  const version = attribute(meta, 'colloquialVersion');
  return Object.freeze({
    kind: kindOf(version),
    tagId: attribute(root, 'tagId'),
    version,
    product: attribute(meta, 'product'),
    firmwareManufacturer: attribute(meta, 'FirmwareManufacturer', tcgRim),
    measurements: readMeasurements(only(elements, 'Payload')),
    signature,
    chain: Object.freeze(signature.certificates.map(parseNvidiaCertificate)),
  });
}
