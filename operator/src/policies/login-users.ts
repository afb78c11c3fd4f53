import type { Observed } from '../controllers/claude-nexus/plan.ts';
import { childrenOf, findChild, listAt, nameOf, textAt } from './children.ts';
import { urlKey } from './database-access.ts';
import { LOGIN_SERVICES, otherSlot } from './logins.ts';
import type { LoginState } from './logins.ts';
import { rolloutOf } from './rollout.ts';

/** Key of the Secret a pod takes DATABASE_URL from. */
function databaseUrlKey(podSpec: unknown): string | undefined {
  const variable = listAt(podSpec, 'containers', 0, 'env').find(
    (variable) => textAt(variable, 'name') === 'DATABASE_URL',
  );
  return textAt(variable, 'valueFrom', 'secretKeyRef', 'key');
}

/**
 * True when every pod of both services uses the active login. Pods that are ending count: they ship recordings until
 * their drain is over, which a Deployment's numbers do not show.
 */
export function switchedOver(observed: Observed, logins: LoginState): boolean {
  return LOGIN_SERVICES.every((service) => {
    const name = nameOf(observed, service);
    const deployment = findChild(observed, 'Deployment', name);
    const pods = childrenOf(observed, 'Pod', service);
    const old = urlKey(service, otherSlot(logins.active));
    return (
      rolloutOf(deployment, pods, name).state === 'ready' &&
      databaseUrlKey(specOfTemplate(deployment)) === urlKey(service, logins.active) &&
      !pods.some((pod) => databaseUrlKey(pod['spec']) === old)
    );
  });
}

function specOfTemplate(deployment: unknown): unknown {
  const spec = (deployment as { spec?: { template?: { spec?: unknown } } } | undefined)?.spec;
  return spec?.template?.spec;
}
