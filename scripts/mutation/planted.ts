/**
 * Contracts with planted defects: all of them in one copy, each behind a question to the environment, so that one compilation serves all. The copy
 * lies in .stun/planted with the fuzzed tests, what those deploy and what both import, a project of its own.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import type { PlantedDefect } from '#test/contracts/planted-defects.ts';
import { projectFiles, root } from '../project-files.ts';

/** The number of the defect that is switched on, counted from 1; the contracts ask the test runner for it. */
export const plantedVariable = 'STUN_PLANTED';

const switchFile = 'contracts/Planted.sol';
const switchSource = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;

interface Environment {
  function envOr(string calldata name, uint256 otherwise) external view returns (uint256);
}

library Planted {
  function isOn(uint256 number) internal view returns (bool) {
    return Environment(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D).envOr("${plantedVariable}", uint256(0)) == number;
  }
}
`;

/** One place of a source with the defects that share it, each by its number. */
function switched(from: string, defects: readonly (readonly [number: number, to: string])[]): string {
  return from.endsWith(';')
    ? defects.reduceRight((rest, [number, to]) => `if (Planted.isOn(${number})) { ${to} } else { ${rest} }`, from)
    : defects.reduceRight((rest, [number, to]) => `(Planted.isOn(${number}) ? (${to}) : (${rest}))`, `${from}`);
}

/**
 * A contract's source with all its defects in it, each switched off until its number is asked for.
 * @param defects All defects; those of other contracts only count for the numbers.
 * @throws `RangeError` when what a defect replaces is not there exactly once: the code has changed, so the defect has to be thought of again
 */
export function withDefects(contract: string, source: string, defects: readonly PlantedDefect[]): string {
  const places = new Map<string, [number, string][]>();
  for (const [index, defect] of defects.entries()) {
    if (defect.contract !== contract) continue;
    if (source.split(defect.from).length !== 2) throw new RangeError(`${contract}: not exactly once: ${defect.from}`);
    places.set(defect.from, [...(places.get(defect.from) ?? []), [index + 1, defect.to]]);
  }
  if (places.size === 0) return source;
  let planted = source;
  for (const [from, of] of places) planted = planted.replace(from, () => switched(from, of));
  return planted.replace('\nimport ', '\nimport {Planted} from "./Planted.sol";\nimport ');
}

/** The files that these Solidity files import, with themselves; paths from the root. */
function closureOf(files: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [...files];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const [, to] of readFileSync(join(root, file), 'utf8').matchAll(/^import [^"]*"(\.[^"]+)";/gm))
      waiting.push(posix.join(posix.dirname(file), to ?? ''));
  }
  return found;
}

function solidityTests(): string[] {
  return projectFiles().filter((path) => path.endsWith('.t.sol'));
}

/** What the fuzzed tests deploy: the committed file of each contract, and its source. Paths from the root. */
export function deployedByTests(): ReadonlyMap<string, string> {
  const deployed = new Map<string, string>();
  for (const file of closureOf(solidityTests())) {
    for (const [, name] of readFileSync(join(root, file), 'utf8').matchAll(/Committed\.deploy\(\s*"(\w+)"/g)) {
      const committed = `chain/generated/${name}.json`;
      const { source } = JSON.parse(readFileSync(join(root, committed), 'utf8')) as { source: string };
      deployed.set(committed, source);
    }
  }
  return deployed;
}

/** Writes the project with all defects, switched off, and returns its folder. What was compiled there before is kept. */
export function writePlanted(defects: readonly PlantedDefect[]): string {
  const folder = join(root, '.stun/planted');
  const roots = [...solidityTests(), ...deployedByTests().values()];
  const sources = new Map([...closureOf(roots)].map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  for (const contract of new Set(defects.map((defect) => defect.contract))) {
    const path = `contracts/${contract}.sol`;
    sources.set(path, withDefects(contract, sources.get(path) ?? '', defects));
  }
  sources.set(switchFile, switchSource);
  sources.set('package.json', '{ "name": "planted", "version": "0.0.0", "private": true, "type": "module" }\n');
  for (const name of ['contracts', 'test']) rmSync(join(folder, name), { recursive: true, force: true });
  for (const [path, source] of sources) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  return folder;
}
