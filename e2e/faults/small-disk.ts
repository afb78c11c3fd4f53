import { execFileSync } from 'node:child_process';
import { chmod, mkdir, statfs, writeFile } from 'node:fs/promises';

/** Mounts an empty disk of so many bytes. @returns why not, where that is impossible */
export async function mountSmallDisk(folder: string, bytes: number): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    const options = `size=${bytes},mode=0755`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    return `no small disk can be mounted here: ${error instanceof Error ? error.message : String(error)}`;
  }
  await chmod(folder, 0o755);
  return undefined;
}

/** Writes a file that leaves so many bytes of its disk free. */
export async function fillDisk(file: string, folder: string, freeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  await writeFile(file, Buffer.alloc(Math.max(0, bavail * bsize - freeBytes))).catch((error: unknown) => {
    // Somebody else was faster: it is full, too.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  });
}

export function unmount(folder: string): void {
  execFileSync('umount', ['-l', folder]);
}
