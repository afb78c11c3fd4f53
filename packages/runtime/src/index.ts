export type {
  ConfigOf,
  ConfigTable,
  EnumSetting,
  Environment,
  FamilySetting,
  NumberSetting,
  PlainSetting,
  Setting,
  SettingValue,
  TextSetting,
  UrlSetting,
} from './config/table.ts';
export type { Flags } from './config/flags.ts';
export type { ReadConfigOptions, ReadConfigResult } from './config/read-config.ts';
export type { ApiKeyCredential, CredentialFile, OauthCredential } from './credentials/schema.ts';
export type { ListenOptions } from './listen.ts';
export type { Logger, LoggerOptions, LogLevel } from './logging/logger.ts';
export type { GaugeOptions, HistogramOptions, MetricOptions, Metrics } from './metrics/metrics.ts';
export type { MetricsServer, ServeMetricsOptions } from './metrics/serve-metrics.ts';
export type { ProgramHost } from './run-program.ts';
export type { Closer, CloserContext, ShutdownHost, ShutdownOptions } from './shutdown.ts';

export { describeConfig, renderEnvExample } from './config/describe-config.ts';
export { closeServer } from './close-server.ts';
export { readFlags } from './config/flags.ts';
export { readConfig } from './config/read-config.ts';
export { clientKeysOf, parseCredentialFile } from './credentials/parse-credential-file.ts';
export { ApiKeyCredentialSchema, OauthCredentialSchema } from './credentials/schema.ts';
export { ConfigError, CredentialFileError, ListenError, MetricNameError, NexusError } from './errors.ts';
export { listen } from './listen.ts';
export { createLogger, LOG_LEVELS } from './logging/logger.ts';
export { isSecretName, REDACTED, redactText, redactValue } from './logging/redact.ts';
export { createMetrics } from './metrics/metrics.ts';
export { serveMetrics } from './metrics/serve-metrics.ts';
export { runProgram } from './run-program.ts';
export { Shutdown } from './shutdown.ts';
export { speaksHttp } from './speaks-http.ts';
