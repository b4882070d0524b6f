/** Error codes that every area uses. */
import type { ErrorEntry } from './stun-error.ts';

export const commonErrors = {
  STUN_INTERNAL: {
    class: 'internal',
    actor: 'developer',
    httpStatus: 500,
    doc: 'A defect in STUN. Report it with the log line that carries the same request id.',
  },
  STUN_INPUT: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'A value has the wrong form. The reason names the field and the form that was expected.',
  },
  STUN_RANGE: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'A number is outside its range. The reason names the field and the range.',
  },
  STUN_FILE: {
    class: 'input',
    actor: 'caller',
    httpStatus: 400,
    doc: 'A file is missing, unreadable or not of the expected kind. The reason names the path.',
  },
  STUN_STACK_CHILD: {
    class: 'unavailable',
    actor: 'operator',
    httpStatus: 503,
    doc: 'A process of the local deployment ended or did not become ready. The reason quotes the end of its log.',
  },
  STUN_CONFIG: {
    class: 'config',
    actor: 'operator',
    httpStatus: 500,
    doc: 'A setting is missing, unknown or not allowed here. The reason names the setting, never its value.',
  },
} as const satisfies Record<string, ErrorEntry>;
