/**
 * TCB Info: the signed list of TCB levels of one platform family. Parses text whose signature was already verified.
 * Source: Intel PCS API v3, "Get TCB Info" (version 2, SGX alone); PCS API v4, "Get SGX TCB Info" and "Get TDX TCB Info" (version 3).
 */
import { StunError } from '#protocol/errors/stun-error.ts';
import { parseCappedJson } from '../json/capped-json.ts';
import { FieldReader } from '../json/fields.ts';
import type { ComponentStatus, MatchedLevel, PlatformStatus } from './tcb-status.ts';
import { parseComponentStatus, parsePlatformStatus } from './tcb-status.ts';

const code = 'STUN_TCB_INFO_FORMAT';
/** Most levels, modules or advisories that are read; Intel's documents have under twenty. */
const maxEntries = 256;

/** A platform TCB level. */
export interface TcbLevel extends MatchedLevel<PlatformStatus> {
  readonly sgxComponentSvns: readonly number[];
  readonly pceSvn: number;
}

/** A platform TCB level of TDX. */
export interface TdxTcbLevel extends TcbLevel {
  readonly tdxComponentSvns: readonly number[];
}

/** A level of the TDX module or of the quoting enclave. */
export interface IsvLevel extends MatchedLevel<ComponentStatus> {
  readonly isvSvn: number;
}

/** Expected identity of a TDX module. */
export interface TdxModule {
  readonly mrSigner: Uint8Array;
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

/** One entry of tdxModuleIdentities. */
export interface TdxModuleIdentity extends TdxModule {
  /** `TDX_` and two hex digits. */
  readonly id: string;
  readonly levels: readonly IsvLevel[];
}

/** A document with dates and an evaluation number. */
export interface DatedDocument {
  readonly issueDateUnix: number;
  readonly nextUpdateUnix: number;
  readonly tcbEvaluationDataNumber: number;
}

interface PlatformDocument extends DatedDocument {
  readonly version: 2 | 3;
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
}

/** Parsed TCB Info of SGX. */
export interface SgxTcbInfo extends PlatformDocument {
  readonly kind: 'sgx';
  /** In signed order: the first that matches counts. */
  readonly levels: readonly TcbLevel[];
}

/** Parsed TCB Info of TDX. */
export interface TdxTcbInfo extends PlatformDocument {
  readonly kind: 'tdx';
  readonly module: TdxModule;
  readonly moduleIdentities: readonly TdxModuleIdentity[];
  /** In signed order: the first that matches counts. */
  readonly levels: readonly TdxTcbLevel[];
}

export type TcbInfo = SgxTcbInfo | TdxTcbInfo;

/** Reads the common dates of a signed document. */
export function readDates(fields: FieldReader): DatedDocument {
  return {
    issueDateUnix: fields.time('issueDate'),
    nextUpdateUnix: fields.time('nextUpdate'),
    tcbEvaluationDataNumber: fields.integer('tcbEvaluationDataNumber', 0, 0xffffffff),
  };
}

/** Reads tcbDate and advisoryIDs of a level; a level without advisories has none. */
function readLevel(fields: FieldReader): { tcbDateUnix: number; advisoryIds: readonly string[] } {
  return {
    tcbDateUnix: fields.time('tcbDate'),
    advisoryIds: fields.has('advisoryIDs') ? fields.strings('advisoryIDs', maxEntries) : [],
  };
}

/** Reads a list of levels that are told apart by isvsvn alone. */
export function readIsvLevels(fields: FieldReader): readonly IsvLevel[] {
  return fields.objects('tcbLevels', maxEntries).map((level) => ({
    isvSvn: level.object('tcb').integer('isvsvn', 0, 65_535),
    status: parseComponentStatus(level.string('tcbStatus')),
    ...readLevel(level),
  }));
}

function readComponents(tcb: FieldReader, key: string): readonly number[] {
  const components = tcb.objects(key, 16);
  if (components.length !== 16) throw new StunError(code, `tcbInfo.${key} must have 16 entries, got ${components.length}`);
  return components.map((component) => component.integer('svn', 0, 255));
}

/** Version 2 writes each component as a field of its own. */
function readNumberedComponents(tcb: FieldReader): readonly number[] {
  return Array.from({ length: 16 }, (_, i) => tcb.integer(`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`, 0, 255));
}

function readPlatformLevel(level: FieldReader, version: 2 | 3): TcbLevel {
  const tcb = level.object('tcb');
  return {
    sgxComponentSvns: version === 2 ? readNumberedComponents(tcb) : readComponents(tcb, 'sgxtcbcomponents'),
    pceSvn: tcb.integer('pcesvn', 0, 65_535),
    status: parsePlatformStatus(level.string('tcbStatus')),
    ...readLevel(level),
  };
}

function readModule(fields: FieldReader): TdxModule {
  return {
    mrSigner: fields.hex('mrsigner', 48),
    attributes: fields.hex('attributes', 8),
    attributesMask: fields.hex('attributesMask', 8),
  };
}

function readModuleIdentity(fields: FieldReader): TdxModuleIdentity {
  return { ...readModule(fields), id: fields.string('id'), levels: readIsvLevels(fields) };
}

/** The version, and what the document is about: version 2 has no id and is of SGX. */
function readKind(fields: FieldReader): { version: 2 | 3; kind: 'sgx' | 'tdx' } {
  const version = fields.integer('version', 0, 0xffff);
  const id = fields.stringOrNull('id');
  if (version === 2 && id === null) return { version, kind: 'sgx' };
  if (version === 3 && id === 'SGX') return { version, kind: 'sgx' };
  if (version === 3 && id === 'TDX') return { version, kind: 'tdx' };
  throw new StunError(
    'STUN_TCB_INFO_KIND',
    `expected TCB Info of version 3 with id TDX or SGX, or of version 2 without id; got version ${version} with id ${String(id).slice(0, 16)}`,
  );
}

/**
 * Parses the exact signed text of a TCB Info.
 * @throws `STUN_JSON_FORMAT` | `STUN_TCB_INFO_KIND` for another id, version or tcbType | `STUN_TCB_INFO_FORMAT` | `STUN_TCB_STATUS_UNKNOWN`
 */
export function parseTcbInfo(text: string): TcbInfo {
  const fields = new FieldReader(parseCappedJson(text), 'tcbInfo', code);
  const { version, kind } = readKind(fields);
  const tcbType = fields.integer('tcbType', 0, 0xffff);
  if (tcbType !== 0) throw new StunError('STUN_TCB_INFO_KIND', `expected tcbType 0, got ${tcbType}`);
  const base = { ...readDates(fields), version, fmspc: fields.hex('fmspc', 6), pceId: fields.hex('pceId', 2) };
  const levels = fields.objects('tcbLevels', maxEntries);
  if (kind === 'sgx') return { ...base, kind, levels: levels.map((level) => readPlatformLevel(level, version)) };
  return {
    ...base,
    kind,
    module: readModule(fields.object('tdxModule')),
    moduleIdentities: fields.has('tdxModuleIdentities')
      ? fields.objects('tdxModuleIdentities', maxEntries).map(readModuleIdentity)
      : [],
    levels: levels.map((level) => ({
      ...readPlatformLevel(level, version),
      tdxComponentSvns: readComponents(level.object('tcb'), 'tdxtcbcomponents'),
    })),
  };
}

function wrongKind(expected: string, got: string): never {
  throw new StunError('STUN_TCB_INFO_KIND', `expected TCB Info of ${expected}, got one of ${got}`);
}

/** @throws `STUN_TCB_INFO_KIND` unless the document is of TDX */
export function asTdxTcbInfo(info: TcbInfo): TdxTcbInfo {
  return info.kind === 'tdx' ? info : wrongKind('TDX', 'SGX');
}

/** @throws `STUN_TCB_INFO_KIND` unless the document is of SGX */
export function asSgxTcbInfo(info: TcbInfo): SgxTcbInfo {
  return info.kind === 'sgx' ? info : wrongKind('SGX', 'TDX');
}
