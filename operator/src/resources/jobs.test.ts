import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../kube/object.ts';
import { claudeNexus, managedDatabase } from '../testing/claude-nexus.ts';
import type { ClaudeNexusOptions } from '../testing/claude-nexus.ts';
import { environmentOf, podTemplateOf } from '../testing/pod-templates.ts';
import type { PodTemplate } from '../testing/pod-templates.ts';
import { renderContext } from '../testing/render-context.ts';
import { databaseJob } from './database-job.ts';
import type { DatabaseJobInput } from './render-context.ts';
import { restoreJob } from './restore.ts';

type Spec = NonNullable<ClaudeNexusOptions['spec']>;

const INPUT: DatabaseJobInput = {
  revision: 'r1',
  image: 'nexus/proxy:1',
  ownerUrl: { secret: 'urls', key: 'ownerUrl' },
  loginsSecret: 'gateway-database',
  attempt: 0,
};

const job = (input: Partial<DatabaseJobInput> = {}, spec: Spec = {}): KubeObject =>
  databaseJob(claudeNexus({ spec }), { ...INPUT, ...input });
const environment = (object: KubeObject): unknown => environmentOf(podTemplateOf(object) as PodTemplate);

describe('the database Job', () => {
  it('is called the same for the same work', () => {
    expect(job()).toEqual(job());
    expect(job().metadata.name).toMatch(/^gateway-database-[0-9a-f]{8}$/);
  });

  it.each<[string, Partial<DatabaseJobInput>, Spec]>([
    ['another revision', { revision: 'r2' }, {}],
    ['another image', { image: 'nexus/proxy:2' }, {}],
    [
      'other pull secrets, since a template never changes',
      {},
      { images: { pullSecrets: [{ name: 'registry' }] } },
    ],
  ])('is another one for %s', (_, input, spec) => {
    expect(job(input, spec).metadata.name).not.toBe(job().metadata.name);
  });

  it('keeps its name when tried again, and counts', () => {
    const again = job({ attempt: 2 });
    expect(again.metadata.name).toBe(job().metadata.name);
    expect(again.metadata.annotations).toEqual({ 'claudenexus.dev/attempt': '2' });
  });

  it('is called failed after a second pod, so that its failure is told soon', () => {
    expect(job()).toMatchObject({ spec: { backoffLimit: 1 } });
  });

  it('reads the logins from a file, where there are any of ours', () => {
    expect(environment(job())).toEqual({
      MIGRATION_DATABASE_URL: { secretKeyRef: { name: 'urls', key: 'ownerUrl' } },
      LOGINS_FILE: '/etc/nexus/logins/logins.json',
    });
    expect(environment(job({ loginsSecret: undefined }))).not.toHaveProperty('LOGINS_FILE');
  });
});

const restoring = (file: string, postgresVersion = 17): KubeObject | undefined => {
  const database = managedDatabase({ restore: { claimName: 'dumps', file } });
  return restoreJob(renderContext(claudeNexus({ spec: { database } }), { postgresVersion }));
};

describe('the restore Job', () => {
  it('is not there unless it is asked for', () => {
    expect(restoreJob(renderContext())).toBeUndefined();
  });

  it('is another one for another dump or another version', () => {
    const names = [restoring('latest'), restoring('nexus-a.dump'), restoring('latest', 18)];
    expect(new Set(names.map((object) => object?.metadata.name)).size).toBe(3);
    expect(restoring('latest')).toEqual(restoring('latest'));
  });

  it('only reads the claim, and takes the name of the file as a variable', () => {
    const template = podTemplateOf(restoring('a$b;reboot') as KubeObject);
    expect(environmentOf(template as PodTemplate)).toMatchObject({ RESTORE_FILE: 'a$b;reboot' });
    expect(JSON.stringify(template?.spec.containers[0]?.['args'])).not.toContain('reboot');
    expect(template?.spec.containers[0]?.['volumeMounts']).toContainEqual({
      name: 'backup',
      mountPath: '/backup',
      readOnly: true,
    });
  });
});
