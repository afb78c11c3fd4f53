export interface GateInput {
  readonly wanted: string;
  /** Image of the existing Deployment's template. */
  readonly running: string | undefined;
  /** The database Job with everything it is to do now has succeeded. */
  readonly migrated: boolean;
}

/**
 * Image a Deployment's template gets. A first install starts at once: proxies keep recordings until the schema is there.
 * A change of version waits for the migration: old pods go on as they are, and so do new ones that replace them.
 */
export function gatedImage({ wanted, running, migrated }: GateInput): string {
  return running === undefined || migrated ? wanted : running;
}
