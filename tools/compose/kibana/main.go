// Command kibana stands in for Kibana in the test of Compose, as far as others use it there: it signs in to
// Elasticsearch as its own user, says that it is available, and takes saved objects from whoever Elasticsearch knows.
// It looks at their form, and shows nothing.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"
)

// shortest is how long an encryption key of Kibana's must be at least.
const shortest = 32

func main() {
	err := run()
	fmt.Fprintln(os.Stderr, "kibana:", err)
	os.Exit(1)
}

func run() error {
	for _, name := range []string{"XPACK_SECURITY_ENCRYPTIONKEY", "XPACK_ENCRYPTEDSAVEDOBJECTS_ENCRYPTIONKEY", "XPACK_REPORTING_ENCRYPTIONKEY"} {
		if len(os.Getenv(name)) < shortest {
			return fmt.Errorf("%s must have %d characters at least", name, shortest)
		}
	}
	roles, err := authenticate(context.Background(), os.Getenv("ELASTICSEARCH_USERNAME"), os.Getenv("ELASTICSEARCH_PASSWORD"))
	if err == nil && !slices.Contains(roles, "kibana_system") {
		err = fmt.Errorf("Elasticsearch gives me the roles %q only", roles)
	}
	if err != nil {
		return err
	}
	http.HandleFunc("GET /api/status", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"status":{"overall":{"level":"available"}}}`)
	})
	http.HandleFunc("POST /api/saved_objects/_import", func(w http.ResponseWriter, r *http.Request) {
		count, status, err := load(r)
		if err != nil {
			http.Error(w, err.Error(), status)
			return
		}
		fmt.Fprintf(os.Stderr, "%d saved objects are loaded\n", count)
		w.Header().Set("content-type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"successCount": count, "success": true}) // whoever reads it has gone where this fails
	})
	server := &http.Server{Addr: ":5601", ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

// load reads the saved objects of a request, one a line.
func load(r *http.Request) (count, status int, err error) {
	if r.Header.Get("kbn-xsrf") == "" || r.URL.Query().Get("overwrite") != "true" {
		return 0, http.StatusBadRequest, errors.New("Request must contain a kbn-xsrf header, and say that it overwrites")
	}
	user, password, _ := r.BasicAuth()
	_, err = authenticate(r.Context(), user, password)
	if err != nil {
		return 0, http.StatusUnauthorized, err
	}
	file, _, err := r.FormFile("file")
	if err != nil {
		return 0, http.StatusBadRequest, err
	}
	defer file.Close()
	for lines := bufio.NewReader(file); ; count++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return count, http.StatusOK, nil
		}
		var object struct{ Type, ID string }
		if json.Unmarshal(line, &object) != nil || object.Type == "" || object.ID == "" {
			return 0, http.StatusBadRequest, fmt.Errorf("line %d is no saved object", count+1)
		}
	}
}

// authenticate asks Elasticsearch which roles somebody has.
func authenticate(ctx context.Context, user, password string) ([]string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("ELASTICSEARCH_HOSTS")+"/_security/_authenticate", nil)
	if err != nil {
		return nil, err
	}
	request.SetBasicAuth(user, password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("signing in to Elasticsearch as %q: %s", user, response.Status)
	}
	var known struct{ Roles []string }
	err = json.NewDecoder(response.Body).Decode(&known)
	return known.Roles, err
}
