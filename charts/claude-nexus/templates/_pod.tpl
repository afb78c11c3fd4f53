{{/* Settings of the operator by variable; those of the user last. */}}
{{- define "claude-nexus.settings" -}}
{{- $own := dict
  "WATCH_NAMESPACES" (join "," .Values.watchNamespaces)
  "LEADER_ELECTION" (toString .Values.leaderElection.enabled)
  "LEASE_NAME" (include "claude-nexus.operator" .)
  "LEASE_DURATION" .Values.leaderElection.leaseDuration
  "PROXY_IMAGE" (include "claude-nexus.image" (dict "root" . "name" .Values.images.proxy))
  "DASHBOARD_IMAGE" (include "claude-nexus.image" (dict "root" . "name" .Values.images.dashboard))
  "POSTGRES_IMAGE" (include "claude-nexus.inRegistry" (dict "root" . "name" .Values.images.postgres))
  "RUNBOOK_URL" .Values.monitoring.runbookUrl
  "METRICS_PORT" "8080"
  "HEALTH_PORT" "8081"
-}}
{{- merge $own .Values.settings | toYaml -}}
{{- end -}}

{{/* What the restricted Pod Security profile asks for. */}}
{{- define "claude-nexus.podSecurity" -}}
runAsNonRoot: true
{{- if .Values.runAsUser }}
runAsUser: {{ int .Values.runAsUser }}
runAsGroup: {{ int .Values.runAsUser }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "claude-nexus.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
{{- end -}}
