export {
  DataDirDamagedError,
  DataDirInUseError,
  DataDirUnwritableError,
  DataDirVersionError,
  EmbeddedPostgresError,
} from './errors.ts';
export { startEmbedded } from './start-embedded.ts';
export type { EmbeddedOptions, EmbeddedServer } from './start-embedded.ts';
