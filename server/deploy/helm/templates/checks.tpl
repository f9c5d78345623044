{{- /* What would lose money or never start is refused here, in words. */}}
{{- define "gateway.checks" -}}
{{- if ne (int .Values.replicas) 1 }}
{{- fail "replicas must be 1: a gateway owns its account's jobs, and two with stores of their own pay Pictory twice for one request. For more load give it more memory and CPU; for more accounts install the chart once for each." }}
{{- end }}
{{- $settings := .Values.settings }}
{{- $own := list "listen" "admin-listen" "trust-network" "state-dir" "log-format" "ready-file" "drain-delay" "drain-timeout" "sandbox" "api-key-file" "tls-cert-file" "tls-key-file" }}
{{- range $name, $value := $settings }}
{{- if has $name $own }}
{{- fail (printf "settings.%s: the chart sets it; see drain, tls, apiKey and sandbox in values.yaml" $name) }}
{{- end }}
{{- if kindIs "map" $value }}
{{- fail (printf "settings.%s: must be a value or a list" $name) }}
{{- end }}
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
