import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { run } from './command.ts';

/** Debian's and Go's usual places of the machine's certificate authorities; a build may need them to install packages. */
const AUTHORITIES = ['SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS'];

export interface ImageBuild {
  /** Name with tag, such as `docker.io/claude-nexus/proxy:test`. */
  readonly image: string;
  /** Folder with the files the Dockerfile copies, and the Dockerfile. */
  readonly context: string;
  readonly target?: string;
  readonly arguments?: Readonly<Record<string, string>>;
}

/** Images that buildah builds and keeps: needs no daemon, and no registry once the base images are there. */
export class ImageStore {
  readonly #folder: string;

  /** @param folder kept from one run to the next */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @returns the image's id, undefined where there is no such image */
  async idOf(image: string): Promise<string | undefined> {
    const ids = await this.#buildah(['images', '--no-trunc', '--quiet', image]).catch(() => '');
    return ids.trim().split('\n')[0] || undefined;
  }

  /** Builds what a Dockerfile says; layers that did not change are reused. */
  async build({ image, context, target, arguments: values = {} }: ImageBuild): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await this.#buildah([
      'build',
      '--layers',
      '--isolation=chroot',
      '--network=host',
      '--timestamp=0',
      ...(await this.#secrets()),
      ...Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
      ...(target === undefined ? [] : ['--target', target]),
      '--tag',
      image,
      context,
    ]);
  }

  /** @returns whether the image is there now */
  async pull(image: string): Promise<boolean> {
    return this.#buildah(['pull', '--quiet', image]).then(
      () => true,
      () => false,
    );
  }

  /** Writes an archive that every container runtime can load. */
  async save(image: string, file: string): Promise<void> {
    await this.#buildah(['push', '--quiet', image, `docker-archive:${file}:${image}`]);
  }

  /** @param destination name in a registry */
  async push(image: string, destination: string): Promise<void> {
    await this.#buildah(['push', '--quiet', image, `docker://${destination}`]);
  }

  /** Deletes what builds leave: of interrupted ones containers, of others layers, which soon take tens of gigabytes. */
  async tidy(): Promise<void> {
    await this.#buildah(['rm', '--all']);
    await this.#buildah(['rmi', '--prune']);
  }

  /** The machine's registry and authorities, as the secrets that the project's Dockerfile knows. */
  async #secrets(): Promise<string[]> {
    const authority = AUTHORITIES.map((name) => process.env[name]).find(Boolean);
    if (authority === undefined) return [];
    const file = path.join(this.#folder, 'npmrc');
    const registry = (await run(['npm', 'config', 'get', 'registry'])).trim();
    await run(['tee', file], { input: `registry=${registry}\ncafile=/run/secrets/ca\n` });
    return ['--secret', `id=npmrc,src=${file}`, '--secret', `id=ca,src=${authority}`];
  }

  #buildah([command, ...args]: readonly [string, ...string[]] | readonly string[]): Promise<string> {
    const storage = ['--storage-driver', 'overlay', '--root', path.join(this.#folder, 'storage')];
    const state = ['--runroot', path.join(this.#folder, 'state')];
    return run(['buildah', ...storage, ...state, command ?? '', ...args]);
  }
}
