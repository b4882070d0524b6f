/**
 * The one form of XML signature that is accepted: enveloped in the document element, over the whole document, Canonical XML 1.1,
 * ECDSA P-384 with SHA-384, the certificates in KeyInfo.
 *
 * Reads only: what it returns has to be held against the digest and the key. Whatever else XML-DSIG allows is refused (other
 * algorithms and transforms, several references, objects, identifiers, signatures that sit elsewhere), so that what is verified is
 * what is read.
 * Spec: W3C "XML Signature Syntax and Processing Version 1.1" (2013-04-11), sections 4 and 6.6.4; RFC 9231, sections 2.1.3 and 2.3.6.
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { decodeBase64 } from '../x509/pem.ts';
import { canonicalizeXml } from './canonical-xml.ts';
import type { XmlElement } from './capped-xml.ts';

/** A signature as it stands in the document. Nothing of it is verified. */
export interface EnvelopedSignature {
  /** Canonical SignedInfo: the signed bytes. */
  readonly signedInfo: Uint8Array;
  /** Raw r||s, 96 bytes, big-endian. */
  readonly signature: Uint8Array;
  /** Canonical document without the signature: what `digest` must be the SHA-384 of. */
  readonly document: Uint8Array;
  /** 48 bytes. */
  readonly digest: Uint8Array;
  /** DER certificates of KeyInfo, in their order. */
  readonly certificates: readonly Uint8Array[];
}

const dsig = 'http://www.w3.org/2000/09/xmldsig#';
const canonicalXml11 = 'http://www.w3.org/2006/12/xml-c14n11';
const maxCertificates = 8;

function refuse(reason: string): never {
  throw new StunError('STUN_XML_SIGNATURE_FORMAT', reason);
}

function isSignature(child: XmlElement | string): child is XmlElement {
  return typeof child !== 'string' && child.namespace === dsig && child.localName === 'Signature';
}

function countSignatures(element: XmlElement): number {
  let count = isSignature(element) ? 1 : 0;
  for (const child of element.children) if (typeof child !== 'string') count += countSignatures(child);
  return count;
}

/** Holds an element against its name and its attributes: exactly these, with exactly these values. */
function demand(element: XmlElement, localName: string, attributes: Readonly<Record<string, string>>): void {
  if (element.namespace !== dsig || element.localName !== localName)
    refuse(`expected ${localName} in the signature, got ${element.localName.slice(0, 40)}`);
  const wanted = Object.entries(attributes);
  const known = ({ namespace, localName: name, value }: XmlElement['attributes'][number]): boolean =>
    namespace === '' && wanted.some(([key, text]) => key === name && text === value);
  if (element.attributes.length !== wanted.length || !element.attributes.every(known))
    refuse(`expected ${localName} with ${wanted.map(([key, text]) => `${key}="${text}"`).join(' ') || 'no attribute'}`);
}

/** The child elements of an element that holds elements alone. */
function elementsOf(element: XmlElement): readonly XmlElement[] {
  return element.children.filter((child) => {
    if (typeof child === 'string' && child.trim() !== '') refuse(`expected no text in ${element.localName}`);
    return typeof child !== 'string';
  });
}

type Expected = readonly [localName: string, attributes: Readonly<Record<string, string>>];

/** The children of an element: exactly these, in this order. */
function children<const E extends readonly Expected[]>(
  element: XmlElement,
  expected: E,
): { readonly [Place in keyof E]: XmlElement } {
  const found = elementsOf(element);
  if (found.length !== expected.length)
    refuse(`expected ${expected.length} elements in ${element.localName}, got ${found.length}`);
  expected.forEach(([localName, attributes], i) => demand(found[i] ?? element, localName, attributes));
  return found as { readonly [Place in keyof E]: XmlElement };
}

function base64Of(element: XmlElement): Uint8Array {
  const [text = '', ...more] = element.children;
  if (typeof text !== 'string' || more.length > 0) refuse(`expected base64 alone in ${element.localName}`);
  try {
    return decodeBase64(text.replaceAll(/[ \t\n]/g, ''));
  } catch {
    return refuse(`expected canonical base64 in ${element.localName}`);
  }
}

function certificatesOf(keyInfo: XmlElement): readonly Uint8Array[] {
  const [data] = children(keyInfo, [['X509Data', {}]]);
  const found = elementsOf(data);
  if (found.length === 0 || found.length > maxCertificates) refuse(`expected 1 to ${maxCertificates} certificates in KeyInfo`);
  return found.map((element) => {
    demand(element, 'X509Certificate', {});
    return base64Of(element);
  });
}

/**
 * Reads the signature of a document.
 * @param root - the document element; it must contain exactly one Signature, as its own child
 * @throws `STUN_XML_SIGNATURE_FORMAT`
 */
export function readEnvelopedSignature(root: XmlElement): EnvelopedSignature {
  const [signature, ...more] = root.children.filter(isSignature);
  if (signature === undefined || more.length > 0 || countSignatures(root) !== 1)
    refuse('expected exactly one signature, a child of the document element');
  demand(signature, 'Signature', {});
  const [signedInfo, signatureValue, keyInfo] = children(signature, [
    ['SignedInfo', {}],
    ['SignatureValue', {}],
    ['KeyInfo', {}],
  ]);
  const [canonicalization, method, reference] = children(signedInfo, [
    ['CanonicalizationMethod', { Algorithm: canonicalXml11 }],
    ['SignatureMethod', { Algorithm: 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384' }],
    ['Reference', { URI: '' }],
  ]);
  const [transforms, digestMethod, digestValue] = children(reference, [
    ['Transforms', {}],
    ['DigestMethod', { Algorithm: 'http://www.w3.org/2001/04/xmldsig-more#sha384' }],
    ['DigestValue', {}],
  ]);
  const steps = children(transforms, [
    ['Transform', { Algorithm: `${dsig}enveloped-signature` }],
    ['Transform', { Algorithm: canonicalXml11 }],
  ]);
  for (const bare of [canonicalization, method, digestMethod, ...steps]) children(bare, []);
  const value = base64Of(signatureValue);
  const digest = base64Of(digestValue);
  if (value.length !== 96 || digest.length !== 48) refuse('expected a signature of 96 bytes over a digest of 48');
  return Object.freeze({
    signedInfo: canonicalizeXml(signedInfo),
    signature: value,
    document: canonicalizeXml(root, signature),
    digest,
    certificates: certificatesOf(keyInfo),
  });
}
