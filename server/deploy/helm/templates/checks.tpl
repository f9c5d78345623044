{{- /* What would lose money or never start is refused here, in words. */}}
{{- define "gateway.checks" -}}
{{- $shared := ne .Values.store.postgres.secretName "" }}
{{- if and (gt (int .Values.replicas) 1) (not $shared) }}
{{- fail "replicas must be 1 without store.postgres: a gateway owns its jobs, and two with stores of their own pay Pictory twice for one request. Give them one PostgreSQL (store.postgres.secretName), or one gateway more memory and CPU." }}
{{- end }}
{{- if gt (int .Values.replicas) 1 }}
{{- if .Values.archive.volume }}
{{- fail "archive.volume: an archive is one gateway's, and callers reach any of several; leave it out, or set replicas=1" }}
{{- end }}
{{- end }}
{{- if and $shared .Values.state.existingClaim }}
{{- fail "store.postgres and state.existingClaim exclude each other: the jobs are in PostgreSQL, and there is no volume. To move the jobs of a volume there, see server/docs/kubernetes.md" }}
{{- end }}
{{- $settings := .Values.settings }}
{{- $own := list "listen" "admin-listen" "trust-network" "state-dir" "store" "store-file" "log-format" "ready-file" "drain-delay" "drain-timeout" "sandbox" "api-key-file" "tls-cert-file" "tls-key-file" "webhook-listen" "webhook-url" "archive-dir" "http-listen" "http-allow-origin" }}
{{- range $name, $value := $settings }}
{{- if has $name $own }}
{{- fail (printf "settings.%s: the chart sets it; see store, drain, tls, http, webhook, apiKey, archive and sandbox in values.yaml" $name) }}
{{- end }}
{{- if kindIs "map" $value }}
{{- fail (printf "settings.%s: must be a value or a list" $name) }}
{{- end }}
{{- range (kindIs "slice" $value | ternary $value (list $value)) }}
{{- if and (kindIs "string" .) (regexMatch "[\"\\\\\n]" .) }}
{{- fail (printf "settings.%s: the gateway's file knows no escapes, so a value holds no quote, backslash or line break" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.archive.existingClaim (ne .Values.archive.volume "claim") }}
{{- fail "archive.existingClaim: is used with archive.volume=claim only" }}
{{- end }}
{{- if gt (len (include "gateway.name" .)) 40 }}
{{- fail (printf "%s is too long a name: Kubernetes makes longer ones of it, with at most 63 characters; give the release 24 or less" (include "gateway.name" .)) }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.metrics) }}
{{- fail "serviceMonitor.enabled: nobody may reach the metrics; name Prometheus in networkPolicy.metrics" }}
{{- end }}
{{- range $own := list "app.kubernetes.io/name" "app.kubernetes.io/instance" }}
{{- if hasKey $.Values.podLabels $own }}
{{- fail (printf "podLabels.%s: the chart sets it" $own) }}
{{- end }}
{{- end }}
{{- range $own := list "checksum/config" "proxy.istio.io/config" "sidecar.istio.io/nativeSidecar" }}
{{- if hasKey $.Values.podAnnotations $own }}
{{- fail (printf "podAnnotations.%s: the chart sets it" $own) }}
{{- end }}
{{- end }}
{{- $identified := or (get $settings "tenants") (get $settings "callers-pay") }}
{{- if not (or .Values.networkPolicy.enabled .Values.networkPolicy.trustNetwork .Values.sandbox $identified) }}
{{- fail "networkPolicy.enabled=false: every pod of the cluster could spend this Pictory account's money; set settings.tenants, which says who may call, or networkPolicy.trustNetwork=true if something else lets only trusted callers in" }}
{{- end }}
{{- $accounts := or (hasKey $settings "client-secret-file") (hasKey $settings "tenants") (hasKey $settings "callers-pay") }}
{{- if and .Values.sandbox .Values.apiKey.secretName }}
{{- fail "sandbox and apiKey.secretName exclude each other: sandbox jobs and real ones never share a gateway" }}
{{- end }}
{{- if and .Values.istio.enabled .Values.tls.secretName }}
{{- fail "istio.enabled and tls.secretName exclude each other: in a mesh the sidecars encrypt" }}
{{- end }}
{{- if not (or .Values.sandbox .Values.apiKey.secretName $accounts) }}
{{- fail "no Pictory account: set apiKey.secretName to a Secret with the API key, or sandbox=true, or in settings client-secret-file, tenants or callers-pay" }}
{{- end }}
{{- end }}
