import type { ConfigTable, Setting } from './table.ts';

/** All settings as text for `--help`: name, kind, default and description, one block each. */
export function describeConfig(table: ConfigTable): string {
  return Object.values(table)
    .map((setting) => `  ${headline(setting)}\n      ${description(setting)}`)
    .join('\n');
}

/**
 * All settings as the lines of an `.env.example`: everything commented out, so that copying the file changes nothing.
 */
export function renderEnvExample(table: ConfigTable): string {
  return Object.values(table)
    .map((setting) => `# ${description(setting)}\n# ${assignment(setting)}\n`)
    .join('\n');
}

function assignment(setting: Setting): string {
  return setting.kind === 'family' ? setting.env : `${setting.env}=${setting.default ?? ''}`;
}

function headline(setting: Setting): string {
  const flag = setting.flag === undefined ? '' : ` (${setting.flag})`;
  const fallback =
    setting.default === undefined ? (setting.required ? 'required' : 'unset') : setting.default;
  return `${setting.env}${flag}  ${kindText(setting)}  [${fallback}]`;
}

function kindText(setting: Setting): string {
  return setting.kind === 'enum' ? setting.values.join('|') : setting.kind;
}

function description(setting: Setting): string {
  const suffix = setting.notBuiltYet === true ? ' Accepted, without effect yet.' : '';
  return setting.description + suffix;
}
