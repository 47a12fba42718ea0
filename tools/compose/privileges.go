package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// privilege is a request to Elasticsearch, and what a user is answered.
type privilege struct {
	user, method, path, body string
	status                   string
}

const (
	aDay       = "sallyport-activity-2020.01.01"
	accessName = "sallyport-accesslog"
	adminName  = "sallyport-admin"
	readerName = "sallyport-reader"
	setupName  = "sallyport-setup"
	backupName = "sallyport-backup"
)

// allPrivileges are in order: what one makes, the next ones read.
var allPrivileges = []privilege{
	{"", "GET", "_cluster/health", "", "401"},
	{accessName, "GET", "_cluster/health", "", "200"},
	{accessName, "PUT", aDay + "/_doc/1", `{"@timestamp": "2020-01-01T00:00:00Z"}`, "201"},
	{accessName, "GET", "_index_template/sallyport", "", "200"},
	{accessName, "PUT", "elsewhere/_doc/1", `{}`, "403"},
	{accessName, "GET", "_security/user", "", "403"},
	{accessName, "GET", "_snapshot", "", "403"},
	{accessName, "PUT", "_cluster/settings", `{"transient": {"cluster.routing.allocation.enable": "none"}}`, "403"},
	{adminName, "GET", "_cluster/health", "", "200"},
	{adminName, "GET", aDay + "/_search", "", "200"},
	{adminName, "PUT", aDay + "/_doc/1", `{"@timestamp": "2020-01-02T00:00:00Z"}`, "200"},
	{adminName, "DELETE", aDay + "/_doc/1", "", "403"},
	{adminName, "DELETE", aDay, "", "403"},
	{adminName, "PUT", "_index_template/sallyport", `{"index_patterns": ["sallyport-activity-*"]}`, "403"},
	{adminName, "GET", "_security/user", "", "403"},
	{readerName, "GET", aDay + "/_search", "", "200"},
	{readerName, "PUT", aDay + "/_doc/1", `{}`, "403"},
	{readerName, "DELETE", aDay, "", "403"},
	{readerName, "GET", "_cluster/settings", "", "403"},
	{setupName, "GET", "_cluster/health", "", "200"},
	{setupName, "GET", aDay + "/_search", "", "403"},
	{setupName, "GET", "_security/role", "", "403"},
	{backupName, "GET", "_snapshot", "", "200"},
	{backupName, "PUT", "_snapshot/elsewhere", `{"type": "fs", "settings": {"location": "/usr/share/elasticsearch/data"}}`, "500"},
	{backupName, "GET", aDay + "/_search", "", "403"},
	{backupName, "PUT", aDay + "/_doc/1", `{}`, "403"},
	{backupName, "DELETE", aDay, "", "403"},
	{backupName, "GET", "_security/user", "", "403"},
	{adminName, "GET", "_snapshot", "", "403"},
	{accessName, "DELETE", aDay, "", "200"},
}

// privileges has each user do what it may and what it may not.
func (t *trial) privileges(ctx context.Context) error {
	var problems []error
	for _, p := range allPrivileges {
		status, answer, err := t.elasticsearch(ctx, p)
		if err != nil {
			return err
		}
		if status != p.status {
			problems = append(problems, fmt.Errorf("%s %s as %q is answered with %s %s, not with %s", p.method, p.path, p.user, status, answer, p.status))
		}
	}
	return errors.Join(problems...)
}

// elasticsearch sends a request as a user with the password that it has now.
func (t *trial) elasticsearch(ctx context.Context, p privilege) (status, answer string, err error) {
	if p.user == "" {
		return t.elasticsearchBy(ctx, p, "")
	}
	password, err := t.readSecret(p.user + ".password")
	if err != nil {
		return "", "", err
	}
	return t.elasticsearchBy(ctx, p, password)
}

// elasticsearchBy sends a request from inside the container: no port of it is published.
func (t *trial) elasticsearchBy(ctx context.Context, p privilege, password string) (status, answer string, err error) {
	signIn := ""
	if p.user != "" {
		signIn = fmt.Sprintf("user = %q\n", p.user+":"+password)
	}
	command := t.compose(ctx, "exec", "--no-TTY", "elasticsearch", "curl", "--silent", "--show-error", "--config", "-", "--request", p.method, "--write-out", `\n%{http_code}`)
	command.Args = append(command.Args, "http://localhost:9200/"+p.path)
	if p.body != "" {
		command.Args = append(command.Args, "--header", "content-type: application/json", "--data-binary", p.body)
	}
	command.Stdin = strings.NewReader(signIn)
	out, err := command.CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("asking Elasticsearch: %w: %s", err, out)
	}
	text := strings.TrimSpace(string(out))
	end := strings.LastIndexByte(text, '\n')
	return text[end+1:], text[:max(end, 0)], nil
}
