/** One step of the schema. Never changed once released: a later number corrects an earlier one. */
export interface Migration {
  readonly number: number;
  readonly name: string;
  /** Single statements, in order; the same on PostgreSQL and PGlite. */
  readonly statements: readonly string[];
}
