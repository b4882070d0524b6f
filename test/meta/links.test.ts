import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { projectFiles, root } from '../../scripts/project-files.ts';

const documents = projectFiles().filter((path) => path.endsWith('.md'));

/** What a heading is called in a link. */
function anchor(heading: string): string {
  const plain = heading.replaceAll(/[`*]/g, '').trim().toLowerCase();
  return plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(/\s/g, '-');
}

function anchors(path: string): Set<string> {
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map((match) => anchor(match[1] ?? '')));
}

describe('links between documents', () => {
  it('lead to files and headings that exist', () => {
    const broken: string[] = [];
    let count = 0;
    for (const document of documents) {
      const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
      for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^(?:https?|mailto):/.test(link)) continue;
        count += 1;
        const [file = '', heading] = link.split('#');
        const target = file === '' ? document : normalize(join(dirname(document), file));
        if (!existsSync(join(root, target))) broken.push(`${document}: ${link}`);
        else if (heading !== undefined && target.endsWith('.md') && !anchors(target).has(heading))
          broken.push(`${document}: ${link}`);
      }
    }
    assert.ok(count > 10, `${count} links`);
    assert.deepEqual(broken, []);
  });

  it('name in backticks only paths that exist', () => {
    const missing: string[] = [];
    let count = 0;
    for (const document of documents) {
      if (document === 'CHANGELOG.md') continue;
      const text = readFileSync(join(root, document), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '');
      for (const [, path = ''] of text.matchAll(
        /`((?:protocol|attestation|collateral|circuits|contracts|chain|prover|worker|verifier-service|client|cli|test|bench|docs|examples|scripts)\/[\w./-]*)`/g,
      )) {
        count += 1;
        if (!existsSync(join(root, path))) missing.push(`${document}: ${path}`);
      }
    }
    assert.ok(count > 20, `${count} paths`);
    assert.deepEqual(missing, []);
  });

  it('name for each guarantee of the threat model the files that test it', () => {
    const [, section = ''] = readFileSync(join(root, 'THREAT-MODEL.md'), 'utf8').split('## Guarantees');
    const rows = [...section.matchAll(/^\| (\d+) +\|.*\| ([^|]+?) +\|$/gm)];
    assert.ok(rows.length > 10, `${rows.length} guarantees`);
    for (const [, number, tests = ''] of rows) {
      assert.match(
        tests,
        /^`test\/[\w./-]+\.(?:test\.ts|t\.sol)`(?:, `test\/[\w./-]+\.(?:test\.ts|t\.sol)`)*$/,
        `guarantee ${number}`,
      );
    }
  });
});
