import { Type } from 'typebox';

import { raw, rules } from './cel.ts';
import { deletionPolicy, image, objectName, resources, scheduling, secretRef, volume } from './fields.ts';

/** A field of a cron expression whose numbers match `value`: lists, ranges and steps. */
function cronField(value: string): string {
  const item = `([*?]|(${value})(-(${value}))?)(/[1-9][0-9]*)?`;
  return `${item}(,${item})*`;
}

const CRON = [
  cronField('[0-5]?[0-9]'),
  cronField('[01]?[0-9]|2[0-3]'),
  cronField('0?[1-9]|[12][0-9]|3[01]'),
  cronField('0?[1-9]|1[0-2]|(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'),
  cronField('[0-6]|(?i:sun|mon|tue|wed|thu|fri|sat)'),
].join(' +');
const SCHEDULE = `^(@(yearly|annually|monthly|weekly|daily|midnight|hourly)|${CRON})$`;

const Backup = Type.Object(
  {
    schedule: Type.String({
      description: 'When a dump is made: minute, hour, day of month, month and day of week, in UTC.',
      maxLength: 128,
      default: '0 3 * * *',
      ...rules({
        rule: `self.matches(${raw(SCHEDULE)})`,
        message:
          'must be a cron expression of five fields in range (minute hour day month weekday), such as "0 3 * * *", or one of @hourly, @daily, @weekly, @monthly, @yearly',
      }),
    }),
    keep: Type.Integer({
      description: 'Dumps that are kept; older ones are removed.',
      minimum: 1,
      maximum: 1000,
      default: 7,
    }),
    storage: volume('Volume that holds the dumps, in a claim named <name>-backup.'),
    suspend: Type.Boolean({ description: 'No dump is made while true.', default: false }),
  },
  { description: 'Regular dumps of the database onto a volume of their own. None when absent.' },
);

const Restore = Type.Object(
  {
    claimName: objectName('PersistentVolumeClaim that holds the dump, in the same namespace.'),
    file: Type.String({
      description: 'Name of the dump in that volume; latest takes the newest.',
      minLength: 1,
      maxLength: 255,
      pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]*$',
      default: 'latest',
    }),
  },
  {
    description:
      'Fills an empty database from a dump before anything else uses it. Without effect on a database that holds recordings.',
  },
);

const ManagedDatabase = Type.Object(
  {
    version: Type.Integer({
      description:
        'Major version of PostgreSQL for new volumes. Data stays with the version that wrote it: it moves to another one by backup and restore into a new ClaudeNexus.',
      minimum: 15,
      maximum: 19,
      default: 18,
    }),
    storage: volume('Volume that holds the database.'),
    deletionPolicy,
    resources: Type.Optional(resources('Compute resources of the PostgreSQL pod.')),
    scheduling: Type.Optional(scheduling('Where the PostgreSQL pod may run.')),
    backup: Type.Optional(Backup),
    restore: Type.Optional(Restore),
  },
  { description: 'One PostgreSQL server, run by the operator.' },
);

const ExternalDatabase = Type.Object(
  {
    secretRef: secretRef(
      'Secret with the keys ownerUrl (migrations), proxyUrl and dashboardUrl, each postgresql://user:password@host:5432/database.',
    ),
  },
  { description: 'A PostgreSQL 15 or later that somebody else runs.' },
);

const CloudNativePg = Type.Object(
  {
    instances: Type.Integer({
      description: 'PostgreSQL instances: one primary, the others replicas.',
      minimum: 1,
      maximum: 9,
      default: 3,
    }),
    imageName: Type.Optional(image('PostgreSQL image; the default of CloudNativePG when absent.')),
    storage: volume('Volume of each instance.'),
    resources: Type.Optional(resources('Compute resources of each instance.')),
    deletionPolicy,
  },
  { description: 'A highly available PostgreSQL cluster, run by CloudNativePG, which must be installed.' },
);

export const DatabaseSpec = Type.Object(
  {
    managed: Type.Optional(ManagedDatabase),
    external: Type.Optional(ExternalDatabase),
    cloudNativePG: Type.Optional(CloudNativePg),
  },
  {
    description:
      'Where recordings are stored: exactly one of managed, external and cloudNativePG. A managed server when absent.',
    default: { managed: {} },
    ...rules({
      rule: '[has(self.managed), has(self.external), has(self.cloudNativePG)].exists_one(chosen, chosen)',
      message:
        'set exactly one of managed, external and cloudNativePG; where managed is there by default, write managed: null beside the other (with server-side apply: kubectl patch --type=merge)',
    }),
  },
);
