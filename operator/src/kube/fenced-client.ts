import type { ApiClient } from './api-client.ts';
import { NotLeadingError } from './errors.ts';

/**
 * A client whose writes are kept back as soon as this process does not provably lead. The question is asked at each write,
 * so that a process that was stopped in the middle of a reconcile writes nothing when it goes on.
 */
export function fencedClient(client: ApiClient, leads: () => boolean): ApiClient {
  const fence = <A extends readonly unknown[], R>(write: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> =>
      leads() ? write(...args) : Promise.reject(new NotLeadingError('not leading: nothing is written'));
  };
  return {
    get: client.get.bind(client),
    list: client.list.bind(client),
    watch: client.watch.bind(client),
    kindsOf: client.kindsOf.bind(client),
    create: fence(client.create.bind(client)),
    replace: fence(client.replace.bind(client)),
    apply: fence(client.apply.bind(client)),
    patch: fence(client.patch.bind(client)),
    delete: fence(client.delete.bind(client)),
  };
}
