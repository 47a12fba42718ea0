{{/* Refuses values that can't work, with what to do. values.schema.json has seen their types. */}}
{{- define "sallyport.check" -}}
{{- range $name := list "publicURL" "consoleURL" }}
{{- if not (regexMatch "^https?://[A-Za-z0-9.-]+(:[0-9]+)?/?$" (index $.Values $name)) }}
{{- fail (printf "%s is %q: give http:// or https:// and a host, without a path, such as https://sallyport.acme.test" $name (index $.Values $name)) }}
{{- end }}
{{- if and $.Values.envoy.tlsSecretName (not (hasPrefix "https://" (index $.Values $name))) }}
{{- fail (printf "%s is %q: with envoy.tlsSecretName it begins with https://" $name (index $.Values $name)) }}
{{- end }}
{{- end }}
{{- if eq (trimSuffix "/" .Values.publicURL) (trimSuffix "/" .Values.consoleURL) }}
{{- fail "publicURL and consoleURL are the same: the console has a host or port of its own" }}
{{- end }}
{{- range splitList "," .Values.redis.address }}
{{- if not (regexMatch "^[A-Za-z0-9.-]+:[0-9]+$" (trim .)) }}
{{- fail (printf "redis.address is %q: give a host and a port, such as redis.data.svc:6379" $.Values.redis.address) }}
{{- end }}
{{- end }}
{{- if and (contains "," .Values.redis.address) (not (or .Values.redis.sentinel.master .Values.redis.cluster)) }}
{{- fail "redis.address has several: say by redis.sentinel.master that they are Sentinels, or by redis.cluster that they are nodes of a cluster" }}
{{- end }}
{{- if and .Values.redis.sentinel.master .Values.redis.cluster }}
{{- fail "redis.sentinel.master and redis.cluster are both there: a cluster has no Sentinels" }}
{{- end }}
{{- if and .Values.redis.sentinel.signIn (not .Values.redis.sentinel.master) }}
{{- fail "redis.sentinel.signIn is there without redis.sentinel.master" }}
{{- end }}
{{- if and .Values.redis.user (not .Values.redis.signIn) }}
{{- fail "redis.user is there without redis.signIn: set that to true, and put the password into the Secret as redis.password" }}
{{- end }}
{{- if and .Values.redis.ca.secretName (not .Values.redis.tls) }}
{{- fail "redis.ca is there without redis.tls: without TLS there is no certificate" }}
{{- end }}
{{- if eq (empty .Values.elasticsearch.url) (not .Values.elasticsearch.eck.enabled) }}
{{- fail "give either elasticsearch.url or elasticsearch.eck.enabled=true, not both: Sallyport has one Elasticsearch" }}
{{- end }}
{{- if and .Values.elasticsearch.url (not (regexMatch "^https?://[^/]+/?$" .Values.elasticsearch.url)) }}
{{- fail (printf "elasticsearch.url is %q: give http:// or https:// and a host, such as https://elasticsearch.data.svc:9200" .Values.elasticsearch.url) }}
{{- end }}
{{- if ne (empty .Values.elasticsearch.users.accesslog) (empty .Values.elasticsearch.users.admin) }}
{{- fail "elasticsearch.users has one name: give both, or neither for an Elasticsearch without security" }}
{{- end }}
{{- if and .Values.elasticsearch.eck.enabled (empty .Values.elasticsearch.users.admin) }}
{{- fail "elasticsearch.users is empty: an Elasticsearch of ECK has security, so both users are needed" }}
{{- end }}
{{- if and .Values.jira.url .Values.jira.cloudID }}
{{- fail "jira.url and jira.cloudID are both there: give the URL for a classic API token, or the cloud id for a scoped one" }}
{{- end }}
{{- if and .Values.jira.url (not .Values.jira.user) }}
{{- fail "jira.url is there without jira.user: name the account whose API token is the Secret's jira.token" }}
{{- end }}
{{- range $part := list "authz" "envoy" }}
{{- with index $.Values.autoscaling $part }}
{{- if gt (int .min) (int .max) }}
{{- fail (printf "autoscaling.%s.min is %d and max %d: it can't be less" $part (int .min) (int .max)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
