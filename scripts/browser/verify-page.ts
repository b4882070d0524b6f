/** The auditor's page in one file: script and style inside, and a policy that allows those two and nothing else. It opens from a disk. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../project-files.ts';
import { bundle } from './bundle.ts';

const folder = 'examples/verify-page';
const scriptTag = '<script type="module" src="page.js"></script>';

function sourceOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

/** Makes the page. @throws RangeError when page.html is not laid out as expected */
export async function verifyPage(): Promise<string> {
  const html = await readFile(join(root, folder, 'page.html'), 'utf8');
  const { code } = await bundle(`import './${folder}/page.ts';`);
  // A script may not hold its own end tag; in a string of it the escaped form means the same.
  const script = `\n${code.replaceAll('</script', String.raw`<\/script`)}`;
  const style = /<style>([^]*?)<\/style>/.exec(html)?.[1];
  if (style === undefined || !html.includes(scriptTag)) throw new RangeError(`${folder}/page.html lacks its style or its script`);
  const policy = `default-src 'none'; script-src ${sourceOf(script)}; style-src ${sourceOf(style)}; base-uri 'none'; form-action 'none'`;
  return html
    .replace('<meta charset="utf-8" />', (tag) => `${tag}\n    <meta http-equiv="content-security-policy" content="${policy}" />`)
    .replace(scriptTag, () => `<script type="module">${script}</script>`);
}
