import { isSelected } from './selectors.ts';
import type { Labels, Selector } from './selectors.ts';

/** What is looked at of a pod that has an address. */
export interface Pod {
  readonly namespace: string;
  readonly labels: Labels;
  readonly address: string;
  readonly ports: readonly {
    readonly name?: string;
    readonly containerPort: number;
    readonly protocol?: string;
  }[];
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Port {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly Port[];
}

/** A NetworkPolicy of networking.k8s.io/v1. */
export interface Policy {
  readonly namespace: string;
  readonly podSelector: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

export interface ClusterState {
  readonly pods: readonly Pod[];
  /** Labels by namespace. */
  readonly namespaces: Readonly<Record<string, Labels>>;
  readonly policies: readonly Policy[];
}

type Direction = 'Ingress' | 'Egress';

/** Name of the table, which is replaced as a whole. */
const TABLE = 'inet nexus_policies';

/**
 * The policies as a table of nftables. What is not allowed is refused at once, which fails a client sooner than silence.
 * Answers pass, and so does what comes from the node itself (probes).
 */
export function rulesetOf(state: ClusterState): string {
  const chains: string[] = [];
  const jumps: Record<Direction, string[]> = { Ingress: [], Egress: [] };
  for (const pod of state.pods) {
    for (const direction of ['Ingress', 'Egress'] as const) {
      const policies = state.policies.filter((policy) => applies(policy, pod, direction));
      if (policies.length === 0) continue;
      const chain = `${direction.toLowerCase()}_${pod.address.replaceAll('.', '_')}`;
      const rules = policies.flatMap((policy) => allowed(state, { policy, pod, direction }));
      chains.push(
        `chain ${chain} {\n${[...new Set(rules)].map((rule) => `${rule} return\n`).join('')}reject\n}`,
      );
      jumps[direction].push(`ip ${direction === 'Ingress' ? 'daddr' : 'saddr'} ${pod.address} jump ${chain}`);
    }
  }
  return [
    `table ${TABLE}`,
    `delete table ${TABLE}`,
    `table ${TABLE} {`,
    ...chains,
    hook('forward', [...jumps.Egress, ...jumps.Ingress]),
    // The API server listens on the node.
    hook('input', jumps.Egress),
    '}\n',
  ].join('\n');
}

/** A chain that every packet of one kind passes. */
function hook(name: string, rules: readonly string[]): string {
  const type = `type filter hook ${name} priority 10; policy accept;`;
  return [`chain ${name} {`, type, 'ct state established,related accept', ...rules, '}'].join('\n');
}

function applies(policy: Policy, pod: Pod, direction: Direction): boolean {
  const { policyTypes = policy.egress ? ['Ingress', 'Egress'] : ['Ingress'] } = policy;
  return (
    policy.namespace === pod.namespace &&
    policyTypes.includes(direction) &&
    isSelected(pod.labels, policy.podSelector)
  );
}

/** Conditions under which a packet passes. */
function allowed(
  state: ClusterState,
  { policy, pod, direction }: { policy: Policy; pod: Pod; direction: Direction },
): string[] {
  const isIngress = direction === 'Ingress';
  const rules = (isIngress ? policy.ingress : policy.egress) ?? [];
  const field = isIngress ? 'ip saddr' : 'ip daddr';
  return rules.flatMap(({ from, to, ports = [] }) => {
    const peers = (isIngress ? from : to) ?? [];
    // A port may have a name, which each pod that is connected to gives a number of its own.
    const target = (other?: Pod): Pod | undefined => (isIngress ? pod : other);
    if (peers.length === 0) {
      const named = isIngress ? [] : namedOnly(ports);
      // No ports at all would mean every one.
      const others = named.length === 0 ? [] : state.pods;
      return [
        ...withPorts('', ports, target()),
        ...others.flatMap((other) => withPorts(`ip daddr ${other.address}`, named, other)),
      ];
    }
    return peers.flatMap((peer) => {
      if (peer.ipBlock) return withPorts(block(field, peer.ipBlock), ports, target());
      return state.pods
        .filter((other) => isPeer(state, { peer, other, namespace: policy.namespace }))
        .flatMap((other) => withPorts(`${field} ${other.address}`, ports, target(other)));
    });
  });
}

function isPeer(
  { namespaces }: ClusterState,
  { peer, other, namespace }: { peer: Peer; other: Pod; namespace: string },
): boolean {
  const { namespaceSelector, podSelector = {} } = peer;
  const isThere = namespaceSelector
    ? isSelected(namespaces[other.namespace] ?? {}, namespaceSelector)
    : other.namespace === namespace;
  return isThere && isSelected(other.labels, podSelector);
}

function block(field: string, { cidr, except = [] }: NonNullable<Peer['ipBlock']>): string {
  return `${field} ${cidr}${except.length === 0 ? '' : ` ${field} != { ${except.join(', ')} }`}`;
}

const namedOnly = (ports: readonly Port[]): readonly Port[] =>
  ports.filter(({ port }) => typeof port === 'string');

/** A condition once for each port. No ports at all: every one. A name that the pod does not know: none. */
function withPorts(condition: string, ports: readonly Port[], pod: Pod | undefined): string[] {
  if (ports.length === 0) return condition === '' ? ['meta l4proto { tcp, udp, sctp }'] : [condition];
  return ports.flatMap(({ protocol = 'TCP', port, endPort }) => {
    const transport = protocol.toLowerCase();
    if (port === undefined) return [`${condition} meta l4proto ${transport}`.trim()];
    const number = typeof port === 'number' ? port : numberOf(pod, port, protocol);
    if (number === undefined) return [];
    const range = endPort === undefined ? String(number) : `${number}-${endPort}`;
    return [`${condition} ${transport} dport ${range}`.trim()];
  });
}

function numberOf(pod: Pod | undefined, name: string, protocol: string): number | undefined {
  return pod?.ports.find((port) => port.name === name && (port.protocol ?? 'TCP') === protocol)
    ?.containerPort;
}
