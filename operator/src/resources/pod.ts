import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import type { ClaudeNexusSpec } from '../api/v1alpha1/spec.ts';
import { childLabels, selectorLabels } from './names.ts';
import type { Component } from './names.ts';

/** User and group of the images we build. */
export const NEXUS_USER = 1000;
/** User and group `postgres` of the official images. */
export const POSTGRES_USER = 999;

export interface SecretKey {
  readonly secret: string;
  readonly key: string;
}

/** What the resource may say about where pods run; the same for each component. */
export type Scheduling = NonNullable<ClaudeNexusSpec['proxy']['scheduling']>;
type Resources = NonNullable<ClaudeNexusSpec['proxy']['resources']>;

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

export interface ContainerOptions {
  readonly owner: ClaudeNexus;
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** A text is the value itself, a pair says which Secret holds it. */
  readonly env: Readonly<Record<string, string | SecretKey>>;
  readonly mounts: readonly Mount[];
  readonly resources: unknown;
  /** Ports, probes, lifecycle. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A container that cannot gain rights and writes nowhere but to its volumes. */
export function container(options: ContainerOptions): Record<string, unknown> {
  const { owner, name, image, command, args, env, mounts, resources, extra } = options;
  return {
    name,
    image,
    imagePullPolicy: owner.spec.images?.pullPolicy ?? defaultPullPolicy(image),
    command,
    args,
    env: Object.entries(env).map(([variable, value]) => environmentVariable(variable, value)),
    resources,
    ...extra,
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }, ...mounts],
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
  };
}

/** What Kubernetes takes for a new container: left to it, it would stay with what it took for the image before. */
function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  const [name = '', digest] = image.split('@');
  const tag = /:([^/:]*)$/.exec(name)?.[1] ?? (digest === undefined ? 'latest' : '');
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function environmentVariable(name: string, value: string | SecretKey): Record<string, unknown> {
  // The kubelet would put other variables, Secrets among them, where a value says $(NAME).
  if (typeof value === 'string') return { name, value: value.replaceAll('$(', () => '$$(') };
  return { name, valueFrom: { secretKeyRef: { name: value.secret, key: value.key } } };
}

export interface PodOptions {
  readonly owner: ClaudeNexus;
  readonly component: Component;
  readonly serviceAccountName: string;
  readonly user: number;
  readonly container: Record<string, unknown>;
  readonly volumes: readonly unknown[];
  readonly scheduling: Scheduling | undefined;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Restart policy, grace period, spread. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Pod template that the restricted Pod Security profile admits, without a token for the API server. */
export function podTemplate(options: PodOptions): Record<string, unknown> {
  const { owner, component, user, scheduling, annotations, extra } = options;
  return {
    metadata: { labels: childLabels(owner, component), annotations },
    spec: {
      serviceAccountName: options.serviceAccountName,
      automountServiceAccountToken: false,
      // Variables such as PROXY_PORT=tcp://... would be taken for settings of ours.
      enableServiceLinks: false,
      imagePullSecrets: owner.spec.images?.pullSecrets,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: user,
        runAsGroup: user,
        fsGroup: user,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      nodeSelector: scheduling?.nodeSelector,
      tolerations: scheduling?.tolerations,
      affinity: scheduling?.affinity,
      priorityClassName: scheduling?.priorityClassName,
      ...extra,
      containers: [options.container],
      volumes: [{ name: 'tmp', emptyDir: {} }, ...options.volumes],
    },
  };
}

/** Over the nodes as evenly as can be, unless the resource says where pods go. */
export function spreadOverNodes(
  owner: ClaudeNexus,
  component: Component,
  scheduling: Scheduling | undefined,
): readonly unknown[] | undefined {
  if (scheduling?.affinity !== undefined) return undefined;
  return [
    {
      maxSkew: 1,
      topologyKey: 'kubernetes.io/hostname',
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: selectorLabels(owner, component) },
      // Pods of the old revision, about to leave, do not count.
      matchLabelKeys: ['pod-template-hash'],
    },
  ];
}

/** The given resources, with a default request for what they do not mention. */
export function withDefaultRequests(
  given: Resources | undefined,
  defaults: Readonly<Record<string, string>>,
): unknown {
  // Of what has a limit only, the request is that limit, which may be below our default.
  const missing = Object.entries(defaults).filter(([name]) => given?.limits?.[name] === undefined);
  return {
    requests: { ...Object.fromEntries(missing), ...given?.requests },
    limits: given?.limits,
  };
}

export interface HealthProbeOptions {
  readonly port: string;
  /** Seconds the program may take to answer for the first time. */
  readonly startSeconds: number;
}

/** Probes of our services. Neither endpoint depends on the database, so an outage restarts nothing. */
export function healthProbes({ port, startSeconds }: HealthProbeOptions): Record<string, unknown> {
  const live = { path: '/health/live', port };
  return {
    startupProbe: { httpGet: live, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: startSeconds / 2 },
    livenessProbe: { httpGet: live, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: {
      httpGet: { path: '/health/ready', port },
      periodSeconds: 5,
      timeoutSeconds: 3,
      failureThreshold: 2,
    },
  };
}

/** Lets load balancers learn that the pod leaves before it stops to take connections. */
export const SLEEP_BEFORE_STOP = { preStop: { sleep: { seconds: 5 } } } as const;
