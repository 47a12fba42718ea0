package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMayShip(t *testing.T) {
	for expression, want := range map[string]bool{
		"MIT": true, "Apache-2.0 AND MIT": true, "(Apache-2.0 AND BSD-3-Clause)": true, "(MIT OR CC0-1.0)": true, "GPL-3.0-only OR MIT": true,
		"GPL-3.0-only": false, "MIT AND GPL-3.0-only": false, "GPL-3.0-only OR AGPL-3.0-only": false, "MIT AND ISC OR GPL-3.0-only": false,
		"": false, "UNLICENSED": false, "SEE LICENSE IN LICENSE.md": false,
	} {
		if got := mayShip(expression); got != want {
			t.Errorf("%q may be shipped: %v, want %v", expression, got, want)
		}
	}
}

func TestLicenceOf(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	const isc = "Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, " +
		"provided that the above copyright notice and this permission notice appear in all copies. " +
		"THE SOFTWARE IS PROVIDED \"AS IS\" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF " +
		"MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES " +
		"WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN " +
		"CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE."
	for name, c := range map[string]struct {
		files map[string]string
		want  string
		says  string
	}{
		"one":                {map[string]string{"LICENSE": string(apache), "README": "MIT"}, "Apache-2.0", ""},
		"two":                {map[string]string{"LICENSE": string(apache), "COPYING.txt": isc}, "Apache-2.0 AND ISC", ""},
		"none":               {map[string]string{"README": isc}, "", "no file with a licence"},
		"somebody's own":     {map[string]string{"LICENSE": "You may use this on Mondays, if you ask first."}, "", "no licence that is known"},
		"one and an own one": {map[string]string{"LICENSE": isc, "LICENSE.data": "The data is ours, and nobody may have it."}, "", "no licence that is known"},
	} {
		folder := t.TempDir()
		for file, text := range c.files {
			err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600)
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := licenceOf(folder)
		if got != c.want || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %q, %v, want %q, %q", name, got, err, c.want, c.says)
		}
	}
}

// TestReadAudit reads what npm prints: what is known, and that nobody could be asked, which is no "nothing".
func TestReadAudit(t *testing.T) {
	for name, c := range map[string]struct {
		printed     string
		known       int
		unreachable bool
		fails       bool
	}{
		"nothing":                 {`{"auditReportVersion":2,"vulnerabilities":{},"metadata":{"vulnerabilities":{"high":0,"total":0}}}`, 0, false, false},
		"two":                     {`{"auditReportVersion":2,"vulnerabilities":{"a":{},"b":{}},"metadata":{"vulnerabilities":{"high":2,"total":2}}}`, 2, false, false},
		"a registry that doesn't": {`{"message":"405 Method Not Allowed","method":"POST","statusCode":405,"error":{"summary":"","detail":""}}`, 0, true, true},
		"no lock file":            {`{"error":{"code":"ENOLOCK","summary":"This command requires an existing lockfile."}}`, 0, false, true},
		"no JSON":                 {`npm: not found`, 0, false, true},
		"nothing at all":          {``, 0, false, true},
	} {
		known, err := readAudit([]byte(c.printed), nil)
		_, unreachable := errors.AsType[errUnreachable](err)
		if known != c.known || unreachable != c.unreachable || (err != nil) != c.fails {
			t.Errorf("%s: %d, %v", name, known, err)
		}
	}
}

// TestReach asks a database that is there, one that isn't one, and one that is gone.
func TestReach(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/there/index/db.json" {
			http.NotFound(w, r)
		}
	}))
	gone := httptest.NewServer(nil)
	gone.Close()
	defer server.Close()
	for database, want := range map[string]bool{server.URL + "/there": true, server.URL + "/there/": true, server.URL + "/elsewhere": false, gone.URL: false, "file:///database": true} {
		err := audit{Database: database}.reach(t.Context())
		if _, unreachable := errors.AsType[errUnreachable](err); (err == nil) != want || unreachable == want {
			t.Errorf("%s: %v", database, err)
		}
	}
}
