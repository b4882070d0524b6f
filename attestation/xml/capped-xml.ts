/**
 * A strict reader of small XML documents: elements, attributes, text and namespaces, with caps on size, depth and count.
 *
 * Everything else is refused: DTDs and with them every entity beyond the five predefined ones, processing instructions, comments,
 * CDATA sections, names outside ASCII, `xml:` attributes, relative namespace names. What is left has one reading, so nothing that
 * a signature covers can mean one thing to the canonicaliser and another to whoever reads the values.
 * Spec: W3C "Extensible Markup Language (XML) 1.0 (Fifth Edition)"; W3C "Namespaces in XML 1.0 (Third Edition)".
 */
import { StunError } from '#protocol/errors/stun-error.ts';

/** An attribute; namespace declarations are not among them. */
export interface XmlAttribute {
  /** Empty for an attribute without a prefix. */
  readonly namespace: string;
  readonly prefix: string;
  readonly localName: string;
  /** Normalised: references are resolved, literal tabs and line breaks are spaces. */
  readonly value: string;
}

/** An element. */
export interface XmlElement {
  readonly namespace: string;
  readonly prefix: string;
  readonly localName: string;
  readonly attributes: readonly XmlAttribute[];
  /** The namespaces in scope by prefix, `''` for the default one. The same object as the parent's when the element declares none. */
  readonly scope: ReadonlyMap<string, string>;
  /** Child elements and text, in order. */
  readonly children: readonly (XmlElement | string)[];
}

/** Largest document in bytes: a RIM of 64 measurements with four alternatives each has 40 KB. */
export const maxXmlBytes = 262_144;
/** Deepest nesting: a RIM needs 6 levels. */
export const maxXmlDepth = 12;
/** Most elements of a document, and most attributes and declarations of one element. */
const maxElements = 4096;
const maxAttributes = 64;

const forbiddenCharacter = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;
const declaration = /<\?xml version=(["'])1\.0\1(?: encoding=(["'])(?:UTF-8|utf-8)\2)?(?: standalone=(["'])(?:yes|no)\3)? ?\?>/y;
const space = /[ \t\n]*/y;
const startName = /<(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)/y;
const attribute = /[ \t\n]+(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)[ \t\n]*=[ \t\n]*(?:"([^<"]*)"|'([^<']*)')/y;
const startEnd = /[ \t\n]*(\/?)>/y;
const endTag = /<\/(?:([A-Za-z_][\w.-]*):)?([A-Za-z_][\w.-]*)[ \t\n]*>/y;
const characters = /[^<]+/y;
const reference = /&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#x([0-9a-fA-F]{1,6}));|&/g;
const absoluteName = /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/;
const reservedNames = new Set(['http://www.w3.org/XML/1998/namespace', 'http://www.w3.org/2000/xmlns/']);
const predefined: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

interface RawAttribute {
  readonly prefix: string;
  readonly localName: string;
  readonly value: string;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #elements = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): XmlElement {
    this.#take(declaration);
    this.#take(space);
    const root = this.#element(1, new Map());
    this.#take(space);
    if (this.#at !== this.#text.length) this.#refuse('expected the end after the document element');
    return root;
  }

  #refuse(reason: string): never {
    throw new StunError('STUN_XML_FORMAT', `${reason}, at character ${this.#at}`);
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #element(depth: number, outer: ReadonlyMap<string, string>): XmlElement {
    if (depth > maxXmlDepth) this.#refuse(`expected at most ${maxXmlDepth} levels`);
    if (++this.#elements > maxElements) this.#refuse(`expected at most ${maxElements} elements`);
    const name =
      this.#take(startName) ??
      this.#refuse('expected an element; DTDs, comments, CDATA sections and processing instructions are not read');
    const [, prefix = '', localName = ''] = name;
    const raw = this.#attributes();
    const scope = this.#scope(raw, outer);
    const attributes = this.#resolve(raw, scope);
    const end = this.#take(startEnd) ?? this.#refuse('expected the end of a start tag');
    return Object.freeze({
      namespace: this.#namespace(prefix, scope),
      prefix,
      localName,
      attributes,
      scope,
      children: end[1] === '/' ? [] : this.#content(depth, scope, prefix, localName),
    });
  }

  #content(depth: number, scope: ReadonlyMap<string, string>, prefix: string, localName: string): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = [];
    for (;;) {
      const text = this.#take(characters)?.[0];
      if (text !== undefined) {
        if (text.includes(']]>')) this.#refuse('expected no "]]>" in text');
        children.push(this.#dereference(text));
      }
      const end = this.#take(endTag);
      if (end === null) {
        children.push(this.#element(depth + 1, scope));
        continue;
      }
      const [, endPrefix = '', endName = ''] = end;
      if (endPrefix !== prefix || endName !== localName) this.#refuse(`expected the end of ${localName.slice(0, 40)}`);
      return children;
    }
  }

  #attributes(): readonly RawAttribute[] {
    const found: RawAttribute[] = [];
    for (let match = this.#take(attribute); match !== null; match = this.#take(attribute)) {
      if (found.length === maxAttributes) this.#refuse(`expected at most ${maxAttributes} attributes`);
      const [, prefix = '', localName = '', double, single = ''] = match;
      found.push({ prefix, localName, value: this.#dereference((double ?? single).replaceAll(/[\t\n]/g, ' ')) });
    }
    return found;
  }

  #dereference(text: string): string {
    if (!text.includes('&')) return text;
    return text.replaceAll(reference, (_, name?: string, decimal?: string, hex?: string) => {
      if (name !== undefined) return predefined[name] ?? '';
      const digits = decimal ?? hex ?? this.#refuse('expected a character reference or one of the five entities after &');
      const code = Number.parseInt(digits, decimal === undefined ? 16 : 10);
      const character = code > 0x10ffff ? '\0' : String.fromCodePoint(code);
      return forbiddenCharacter.test(character) ? this.#refuse('expected a reference to a character of XML') : character;
    });
  }

  #scope(raw: readonly RawAttribute[], outer: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const declared = new Map<string, string>();
    for (const { prefix, localName, value } of raw) {
      if (prefix !== 'xmlns' && (prefix !== '' || localName !== 'xmlns')) continue;
      const name = prefix === '' ? '' : localName;
      if (declared.has(name)) this.#refuse('expected each namespace declaration once');
      if (name === 'xml' || name === 'xmlns' || reservedNames.has(value)) this.#refuse('expected no reserved namespace');
      if (!absoluteName.test(value) && (name !== '' || value !== '')) this.#refuse('expected an absolute namespace name');
      declared.set(name, value);
    }
    return declared.size === 0 ? outer : new Map([...outer, ...declared]);
  }

  #namespace(prefix: string, scope: ReadonlyMap<string, string>): string {
    return scope.get(prefix) ?? (prefix === '' ? '' : this.#refuse(`expected a declared prefix, got ${prefix.slice(0, 40)}`));
  }

  #resolve(raw: readonly RawAttribute[], scope: ReadonlyMap<string, string>): readonly XmlAttribute[] {
    const seen = new Set<string>();
    const attributes: XmlAttribute[] = [];
    for (const { prefix, localName, value } of raw) {
      if (prefix === 'xmlns' || (prefix === '' && localName === 'xmlns')) continue;
      const namespace = prefix === '' ? '' : this.#namespace(prefix, scope);
      const name = `${namespace} ${localName}`;
      if (seen.has(name)) this.#refuse('expected each attribute once');
      seen.add(name);
      attributes.push(Object.freeze({ namespace, prefix, localName, value }));
    }
    return attributes;
  }
}

/**
 * Reads one XML document.
 * @param bytes - UTF-8 without a byte order mark, at most {@link maxXmlBytes}
 * @returns the document element; line ends are normalised to line feeds
 * @throws `STUN_XML_FORMAT` on anything outside the profile above
 */
export function parseCappedXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > maxXmlBytes)
    throw new StunError('STUN_XML_FORMAT', `expected at most ${maxXmlBytes} bytes, got ${bytes.length}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new StunError('STUN_XML_FORMAT', 'expected UTF-8 text');
  }
  if (text.startsWith('\ufeff') || forbiddenCharacter.test(text))
    throw new StunError('STUN_XML_FORMAT', 'expected characters of XML, and no byte order mark');
  return new Reader(text.replaceAll(/\r\n?/g, '\n')).document();
}
