{{/* Beginning of the names of all objects. */}}
{{- define "claude-nexus.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of everything that belongs to the operator, its Lease included. */}}
{{- define "claude-nexus.operator" -}}
{{- printf "%s-operator" (include "claude-nexus.fullname" .) -}}
{{- end -}}

{{/* Name of objects that belong to no namespace: releases in two namespaces may have one name. */}}
{{- define "claude-nexus.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "claude-nexus.operator" .) -}}
{{- end -}}

{{- define "claude-nexus.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "claude-nexus.operator" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{/* Never change: a Deployment's selector cannot. */}}
{{- define "claude-nexus.selectorLabels" -}}
app.kubernetes.io/name: claude-nexus-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "claude-nexus.labels" -}}
{{ include "claude-nexus.selectorLabels" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: claude-nexus
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Registry, name and tag of one of our images. Takes a dict of `root` and `name`. */}}
{{- define "claude-nexus.image" -}}
{{- $images := .root.Values.images -}}
{{- $name := .name -}}
{{- if not (or (contains "@" $name) (contains ":" (base $name))) -}}
{{- $name = printf "%s:%s" $name (default .root.Chart.AppVersion $images.tag) -}}
{{- end -}}
{{- include "claude-nexus.inRegistry" (dict "root" .root "name" $name) -}}
{{- end -}}

{{/* A name that begins with a host is whole. Takes a dict of `root` and `name`. */}}
{{- define "claude-nexus.inRegistry" -}}
{{- if not (regexMatch "^(localhost|[^/]*[.:][^/]*)/" .name) -}}
{{- with .root.Values.images.registry -}}{{ trimSuffix "/" . }}/{{- end -}}
{{- end -}}
{{- .name -}}
{{- end -}}

{{/* Stops with what is wrong, before anything is made. */}}
{{- define "claude-nexus.check" -}}
{{- if and (gt (int .Values.replicas) 1) (not .Values.leaderElection.enabled) -}}
{{- fail "replicas: more than one needs leaderElection.enabled=true" -}}
{{- end -}}
{{- if and .Values.quickstart.enabled .Values.watchNamespaces (not (has .Release.Namespace .Values.watchNamespaces)) -}}
{{- fail (printf "watchNamespaces: add %s, where quickstart.enabled makes a ClaudeNexus" .Release.Namespace) -}}
{{- end -}}
{{- if and .Values.monitoring.prometheusRule.enabled (not .Values.monitoring.serviceMonitor.enabled) -}}
{{- fail "monitoring.prometheusRule: needs monitoring.serviceMonitor.enabled=true, or its alerts would never end" -}}
{{- end -}}
{{- end -}}
