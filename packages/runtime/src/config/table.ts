interface SettingBase {
  /** Name of the environment variable. */
  readonly env: string;
  /** One sentence for `--help`, the documentation and `.env.example`. */
  readonly description: string;
  /** Value when the variable is unset or empty, written as a user would write it. */
  readonly default?: string;
  /** Without a default: the program does not start when it is unset. */
  readonly required?: true;
  /** Its function does not exist yet: accepted, validated, and reported once as without effect. */
  readonly notBuiltYet?: true;
  /** Command-line spelling of the same setting, for programs that take flags: `--proxy-port`. */
  readonly flag?: string;
}

export interface TextSetting extends SettingBase {
  /** `secret`: never appears in a message. `path`: a relative one is resolved against the base folder. */
  readonly kind: 'string' | 'secret' | 'path';
}

export interface UrlSetting extends SettingBase {
  readonly kind: 'url';
  /** Accepted schemes with their colon; http and https when absent. */
  readonly protocols?: readonly string[];
  /** The URL carries a password: never appears in a message. */
  readonly secret?: true;
}

export interface NumberSetting extends SettingBase {
  /** `duration` becomes milliseconds ("300s"), `bytes` a byte count ("2GiB"). */
  readonly kind: 'integer' | 'duration' | 'bytes';
  readonly min?: number;
  readonly max?: number;
}

export interface PlainSetting extends SettingBase {
  readonly kind: 'port' | 'boolean';
}

export interface EnumSetting extends SettingBase {
  readonly kind: 'enum';
  readonly values: readonly string[];
}

export interface FamilySetting extends SettingBase {
  /** Every variable with a common beginning; `env` ends in `*`. */
  readonly kind: 'family';
}

export type Setting = TextSetting | UrlSetting | NumberSetting | PlainSetting | EnumSetting | FamilySetting;

/** All settings of one program: property name in the program -> how it is written outside. */
export type ConfigTable = Readonly<Record<string, Setting>>;

/** Value type of one setting, leaving aside whether it may be absent. */
export type SettingValue<S extends Setting> = S extends { kind: 'integer' | 'duration' | 'bytes' | 'port' }
  ? number
  : S extends { kind: 'boolean' }
    ? boolean
    : S extends { kind: 'enum'; values: readonly (infer V)[] }
      ? V
      : S extends { kind: 'family' }
        ? Readonly<Record<string, string>>
        : string;

type Present = { default: string } | { required: true } | { kind: 'family' };

/** What `readConfig` returns for a table declared with `as const satisfies ConfigTable`. */
export type ConfigOf<T extends ConfigTable> = {
  readonly [K in keyof T]: T[K] extends Present ? SettingValue<T[K]> : SettingValue<T[K]> | undefined;
};

/** Shape of `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** True when the value of this setting must not be shown to anybody. */
export function isSecret(setting: Setting): boolean {
  return (
    setting.kind === 'secret' ||
    setting.kind === 'family' ||
    (setting.kind === 'url' && setting.secret === true)
  );
}
