package native

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"sallyport/tools/stack/parts"
)

// ErrRunning means that this stack runs already.
var ErrRunning = errors.New("Sallyport is already running here; `make down` stops it")

// Preflight returns an error for the first thing that keeps this stack from starting: it runs
// already, a port is taken, or a program is missing. What an interrupted stack has left behind is
// stopped first.
func (s Stack) Preflight() error {
	if s.supervisor() != 0 {
		return ErrRunning
	}
	err := s.endOrphans()
	if err != nil {
		return err
	}
	err = s.checkPrograms()
	if err != nil {
		return err
	}
	return s.Ports.Check(!s.Atlassian.real)
}

// checkPrograms looks for what `make build` makes, and for what Elasticsearch needs under root.
func (s Stack) checkPrograms() error {
	needed := []string{"process-compose", "authz", "identity", "accesslog", "admin"}
	if !s.Atlassian.real {
		needed = append(needed, "atlassian")
	}
	for _, name := range needed {
		path := filepath.Join(s.Root, "bin", name)
		if _, err := exec.LookPath(path); err != nil {
			return fmt.Errorf("the program %s is missing: run `make build`, which makes it", path)
		}
	}
	if os.Geteuid() != 0 {
		return nil
	}
	return checkRoot()
}

// checkRoot finds out whether Elasticsearch, which refuses to run as root, can run as nobody.
func checkRoot() error {
	if _, err := exec.LookPath("setpriv"); err != nil {
		return errors.New("Elasticsearch refuses to run as root, and there is no setpriv to start it as somebody else: install util-linux, or start Sallyport as another user")
	}
	cache, err := parts.Cache()
	if err != nil {
		return err
	}
	if closed := parts.Closed(cache); closed != "" {
		return fmt.Errorf("Elasticsearch runs as the user nobody, who can't enter %s: set SALLYPORT_CACHE to a folder that everybody can enter", closed)
	}
	return nil
}
