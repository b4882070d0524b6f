import assert from 'node:assert/strict';
import { canonicalizeXml } from '#attestation/xml/canonical-xml.ts';
import { maxXmlDepth, parseCappedXml } from '#attestation/xml/capped-xml.ts';
import type { XmlElement } from '#attestation/xml/capped-xml.ts';
import { utf8 } from '#protocol/bytes.ts';
import { throwsCode } from '../assert-code.ts';

const parse = (text: string): XmlElement => parseCappedXml(utf8(text));
const canonical = (element: XmlElement, omitted: XmlElement | null = null): string =>
  new TextDecoder().decode(canonicalizeXml(element, omitted));
const child = (element: XmlElement, i: number): XmlElement => {
  const found = element.children[i];
  assert.ok(typeof found === 'object');
  return found;
};

describe('the XML reader', () => {
  it('reads elements, attributes and text with their namespaces', () => {
    const root = parse(
      `<?xml version="1.0" encoding="UTF-8"?>\r\n<a:x xmlns:a="urn:a" xmlns='urn:d' b = '1' a:c="2">t<y/></a:x >\n`,
    );
    assert.deepEqual([root.namespace, root.localName], ['urn:a', 'x']);
    assert.deepEqual(root.attributes, [
      { namespace: '', prefix: '', localName: 'b', value: '1' },
      { namespace: 'urn:a', prefix: 'a', localName: 'c', value: '2' },
    ]);
    assert.equal(root.children[0], 't');
    assert.equal(child(root, 1).namespace, 'urn:d');
    assert.equal(child(root, 1).scope, root.scope);
  });

  it('resolves references, and normalises line ends and spaces in attributes as XML says', () => {
    const root = parse('<x a="1\t2\r\n3&#x9;&#10;&lt;&quot;">&amp;&gt;&apos;\r\n\r&#13;\u{1f600}&#x1F600;</x>');
    assert.equal(root.attributes[0]?.value, '1 2 3\t\n<"');
    assert.deepEqual(root.children, ["&>'\n\n\r\u{1f600}\u{1f600}"]);
  });

  it('refuses what has no one reading', () => {
    const refused = [
      '',
      'x',
      '<x>',
      '<x></y>',
      '<x/><x/>',
      '<x a="<"/>',
      '<x a="1" a="2"/>',
      '<x a="1"b="2"/>',
      '<x>&nbsp;</x>',
      '<x>&</x>',
      '<x>&#xD800;</x>',
      '<x>&#x110000;</x>',
      '<x><!-- --></x>',
      '<x><![CDATA[1]]></x>',
      '<x><?y?></x>',
      '<!DOCTYPE x><x/>',
      '<?xml version="1.1"?><x/>',
      '<?xml version="1.0" encoding="latin1"?><x/>',
      ' <?xml version="1.0"?><x/>',
      '<p:x/>',
      '<x xmlns:p="urn:a" xmlns:p="urn:b"/>',
      '<x xmlns:xml="urn:a"/>',
      '<x xmlns:p="http://www.w3.org/2000/xmlns/"/>',
      '<x xmlns="relative"/>',
      '<\u00e4/>',
      '<x>\u0001</x>',
      '<x>\ufffe</x>',
    ];
    for (const text of refused) throwsCode(() => parse(text), 'STUN_XML_FORMAT');
    console.log(`      ${refused.length} texts`);
  });

  it('goes as deep as it says, and no deeper', () => {
    const nest = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);
    assert.equal(canonical(parse(nest(maxXmlDepth))), nest(maxXmlDepth));
    throwsCode(() => parse(nest(maxXmlDepth + 1)), 'STUN_XML_FORMAT');
    throwsCode(() => parse('<a>'.repeat(80_000)), 'STUN_XML_FORMAT');
  });
});

describe('canonical XML', () => {
  // Expected texts are worked out by hand from the rules of Canonical XML 1.1, section 2.3.
  const cases = [
    ['expands empty elements', '<x/>', '<x></x>'],
    [
      'orders attributes by namespace, then name',
      '<x xmlns:b="urn:1" xmlns:a="urn:2" a:k="1" b:z="2" z="3" a="4"/>',
      '<x xmlns:a="urn:2" xmlns:b="urn:1" a="4" z="3" b:z="2" a:k="1"></x>',
    ],
    [
      'orders declarations, the default one first',
      '<x xmlns:b="urn:b" xmlns="urn:d" xmlns:a="urn:a"/>',
      '<x xmlns="urn:d" xmlns:a="urn:a" xmlns:b="urn:b"></x>',
    ],
    [
      'drops declarations that are repeated',
      '<x xmlns="urn:d" xmlns:a="urn:a"><y xmlns="urn:d" xmlns:a="urn:b"/></x>',
      '<x xmlns="urn:d" xmlns:a="urn:a"><y xmlns:a="urn:b"></y></x>',
    ],
    [
      'takes a default namespace back where there was one, and only there',
      '<x xmlns=""><y xmlns="urn:d"><z xmlns=""><z xmlns=""/></z></y></x>',
      '<x><y xmlns="urn:d"><z xmlns=""><z></z></z></y></x>',
    ],
    ['keeps declarations that nothing uses', '<x xmlns:a="urn:a"/>', '<x xmlns:a="urn:a"></x>'],
    [
      'writes references where they are needed alone',
      '<x a="&#9;&#10;&#13;&lt;&gt;&amp;&quot;\'">&#9;&#13;&lt;&gt;&amp;"\'</x>',
      '<x a="&#x9;&#xA;&#xD;&lt;>&amp;&quot;\'">\t&#xD;&lt;&gt;&amp;"\'</x>',
    ],
    ['drops the declaration and what surrounds the document element', '<?xml version="1.0"?>\n<x>\n</x>\n', '<x>\n</x>'],
  ] as const;
  for (const [title, input, expected] of cases) {
    it(title, () => {
      assert.equal(canonical(parse(input)), expected);
      assert.equal(canonical(parse(expected)), expected);
    });
  }

  it('declares on an apex what its ancestors declared, and leaves one element out', () => {
    const root = parse('<x xmlns="urn:d" xmlns:a="urn:a"><a:y xmlns:b="urn:b">1</a:y>2<y/></x>');
    assert.equal(canonical(child(root, 0)), '<a:y xmlns="urn:d" xmlns:a="urn:a" xmlns:b="urn:b">1</a:y>');
    assert.equal(canonical(root, child(root, 0)), '<x xmlns="urn:d" xmlns:a="urn:a">2<y></y></x>');
  });
});
