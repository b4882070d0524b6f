/**
 * TCB Info for TDX: the signed list of TCB levels of one platform family. Parses text whose signature was already verified.
 * Source: Intel PCS API v4, "Get TDX TCB Info", TCB Info version 3.
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
  readonly tdxComponentSvns: readonly number[];
  readonly pceSvn: number;
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

/** Parsed TCB Info. */
export interface TdxTcbInfo extends DatedDocument {
  readonly fmspc: Uint8Array;
  readonly pceId: Uint8Array;
  readonly module: TdxModule;
  readonly moduleIdentities: readonly TdxModuleIdentity[];
  /** In signed order: the first that matches counts. */
  readonly levels: readonly TcbLevel[];
}

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

function readModule(fields: FieldReader): TdxModule {
  return {
    mrSigner: fields.hex('mrsigner', 48),
    attributes: fields.hex('attributes', 8),
    attributesMask: fields.hex('attributesMask', 8),
  };
}

/**
 * Parses the exact signed text of a TDX TCB Info.
 * @throws `STUN_JSON_FORMAT` | `STUN_TCB_INFO_KIND` for another id or version | `STUN_TCB_INFO_FORMAT` | `STUN_TCB_STATUS_UNKNOWN`
 */
export function parseTdxTcbInfo(text: string): TdxTcbInfo {
  const fields = new FieldReader(parseCappedJson(text), 'tcbInfo', code);
  const version = fields.integer('version', 0, 0xffff);
  const id = fields.stringOrNull('id');
  if (version !== 3 || id !== 'TDX') {
    throw new StunError(
      'STUN_TCB_INFO_KIND',
      `expected TCB Info version 3 with id TDX, got version ${version} with id ${String(id).slice(0, 16)}`,
    );
  }
  const tcbType = fields.integer('tcbType', 0, 0xffff);
  if (tcbType !== 0) throw new StunError('STUN_TCB_INFO_KIND', `expected tcbType 0, got ${tcbType}`);
  return {
    ...readDates(fields),
    fmspc: fields.hex('fmspc', 6),
    pceId: fields.hex('pceId', 2),
    module: readModule(fields.object('tdxModule')),
    moduleIdentities: !fields.has('tdxModuleIdentities')
      ? []
      : fields.objects('tdxModuleIdentities', maxEntries).map((identity) => ({
          ...readModule(identity),
          id: identity.string('id'),
          levels: readIsvLevels(identity),
        })),
    levels: fields.objects('tcbLevels', maxEntries).map((level) => {
      const tcb = level.object('tcb');
      return {
        sgxComponentSvns: readComponents(tcb, 'sgxtcbcomponents'),
        tdxComponentSvns: readComponents(tcb, 'tdxtcbcomponents'),
        pceSvn: tcb.integer('pcesvn', 0, 65_535),
        status: parsePlatformStatus(level.string('tcbStatus')),
        ...readLevel(level),
      };
    }),
  };
}
