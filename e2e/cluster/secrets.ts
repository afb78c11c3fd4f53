import type { RealCluster } from './real-cluster.ts';

/** The texts of a Secret by their keys. */
export async function secretOf(
  real: RealCluster,
  namespace: string,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  const { data } = await real.cluster.api().get(`/api/v1/namespaces/${namespace}/secrets/${name}`);
  return Object.fromEntries(
    Object.entries(data as Record<string, string>).map(([key, value]) => [
      key,
      Buffer.from(value, 'base64').toString(),
    ]),
  );
}
