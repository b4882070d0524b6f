/**
 * Inclusive canonical form of an element, without comments.
 *
 * Version 1.1 differs from 1.0 only in attributes of the `xml` namespace, which the reader refuses; comments, processing
 * instructions, CDATA sections and default attributes cannot occur either.
 * Spec: W3C "Canonical XML Version 1.1" (2008-05-02), sections 1.1, 2.3 and 2.4.
 */
import { utf8 } from '#protocol/bytes.ts';
import type { XmlElement } from './capped-xml.ts';

const inText: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' };
const inAttribute: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

const none: ReadonlyMap<string, string> = new Map();

/** Code unit order, which for the ASCII names that are read is the order of the specification. */
function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function qualified(prefix: string, localName: string): string {
  return prefix === '' ? localName : `${prefix}:${localName}`;
}

function attributeText(name: string, value: string): string {
  return ` ${name}="${value.replaceAll(/[&<"\t\n\r]/g, (character) => inAttribute[character] ?? '')}"`;
}

/** Declarations that the output does not inherit. An empty default namespace is declared only to take back another. */
function declarations(scope: ReadonlyMap<string, string>, inherited: ReadonlyMap<string, string>): string {
  if (scope === inherited) return '';
  return [...scope]
    .filter(([prefix, name]) => (inherited.get(prefix) ?? '') !== name)
    .toSorted(([a], [b]) => inOrder(a, b))
    .map(([prefix, name]) => attributeText(prefix === '' ? 'xmlns' : `xmlns:${prefix}`, name))
    .join('');
}

function write(element: XmlElement, inherited: ReadonlyMap<string, string>, omitted: XmlElement | null): string {
  const name = qualified(element.prefix, element.localName);
  const attributes = element.attributes
    .toSorted((a, b) => inOrder(a.namespace, b.namespace) || inOrder(a.localName, b.localName))
    .map(({ prefix, localName, value }) => attributeText(qualified(prefix, localName), value))
    .join('');
  const content = element.children
    .map((child) =>
      typeof child === 'string'
        ? child.replaceAll(/[&<>\r]/g, (character) => inText[character] ?? '')
        : child === omitted
          ? ''
          : write(child, element.scope, omitted),
    )
    .join('');
  return `<${name}${declarations(element.scope, inherited)}${attributes}>${content}</${name}>`;
}

/**
 * The canonical form of an element with all that it contains, as a document subset of its own.
 * @param element - the apex: the namespaces in scope there are declared on it, also those of its ancestors
 * @param omitted - an element inside that is left out, as the enveloped signature transform does; null leaves nothing out
 * @returns UTF-8
 */
export function canonicalizeXml(element: XmlElement, omitted: XmlElement | null = null): Uint8Array {
  return utf8(write(element, none, omitted));
}
