import { NODE_ADDRESS } from './sandbox.ts';

const POD_RANGE = '10.244.0.0/24';
/** Within the service range of the control plane; addons.yaml names it as well. */
const DNS_ADDRESS = '10.96.0.10';

/** Network of the pods: one bridge. */
export const CNI_NETWORK = {
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      // A pod may reach itself through its own Service.
      hairpinMode: true,
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: POD_RANGE }]],
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
  ],
};

/** @param paths `root` is kept from one run to the next: it holds the images */
export function containerdConfig(paths: {
  root: string;
  socket: string;
  cni: string;
  pauseImage: string;
}): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  // root without the right to do so cannot make its containers less likely to be killed for memory.
  return `version = 2
root = "${paths.root}"
state = "/run/containerd"
[grpc]
  address = "${paths.socket}"
[${cri}]
  sandbox_image = "${paths.pauseImage}"
  restrict_oom_score_adj = true
[${cri}.cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${paths.cni}"
[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`;
}

/** @param paths `resolvers` is what pods get that ask for the node's own resolution of names */
export function kubeletConfig(paths: { socket: string; resolvers: string }): Record<string, unknown> {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: NODE_ADDRESS,
    containerRuntimeEndpoint: `unix://${paths.socket}`,
    // Only the API server and the pods of the tests reach it; the API server has no certificate to show.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: 'cluster.local',
    resolvConf: paths.resolvers,
    makeIPTablesUtilChains: false,
    readOnlyPort: 0,
    // The disk and the images are the machine's: nothing is evicted or deleted for them.
    evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '0%', 'imagefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    syncFrequency: '10s',
  };
}

export function kubeProxyConfig(kubeconfig: string): Record<string, unknown> {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'nftables',
    clientConnection: { kubeconfig },
    clusterCIDR: POD_RANGE,
    hostnameOverride: 'node',
    // Settings of the whole machine's kernel, which are not the node's to change.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nftables: { minSyncPeriod: '100ms' },
  };
}
