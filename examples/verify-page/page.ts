/** The page itself: files and time in, report out. Text is written as text, so nothing in a file becomes markup. */
import { explainReport } from '#attestation/index.ts';
import { reportOnFiles } from './read-files.ts';

function find<E extends Element>(selector: string): E {
  const found = document.querySelector<E>(selector);
  if (found === null) throw new Error(`the page lacks ${selector}`);
  return found;
}

const files = find<HTMLInputElement>('#files');
const time = find<HTMLInputElement>('#time');

function row(id: string, status: string, code: string): HTMLTableRowElement {
  const line = document.createElement('tr');
  line.className = status;
  line.append(
    ...[id, status, code].map((text) => {
      const cell = document.createElement('td');
      cell.textContent = text;
      return cell;
    }),
  );
  return line;
}

async function show(): Promise<void> {
  if (files.files === null || files.files.length === 0) return;
  const read = [...files.files].map(async (file) => ({ name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) }));
  const atUnix = Math.floor((time.value === '' ? Date.now() : Date.parse(`${time.value}Z`)) / 1000);
  const report = reportOnFiles(await Promise.all(read), atUnix);
  find('#verdict').textContent = explainReport(report);
  find('#checks').replaceChildren(...report.checks.map((check) => row(check.id, check.status, check.code ?? '')));
  find<HTMLTableElement>('table').hidden = report.checks.length === 0;
  find('#report').textContent = JSON.stringify(report, null, 2);
}

for (const input of [files, time]) input.addEventListener('change', () => void show());
