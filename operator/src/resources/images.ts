import type { RenderContext } from './render-context.ts';

/** Image of the managed PostgreSQL, of its dumps and of its restores: all of one major version. */
export function postgresImage({
  owner,
  images,
  postgresVersion,
}: Pick<RenderContext, 'owner' | 'images' | 'postgresVersion'>): string {
  return `${owner.spec.images?.postgres ?? images.postgres}:${postgresVersion}`;
}
