package parts

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
)

// Cache returns the folder that parts are kept in: $SALLYPORT_CACHE, or the user's cache folder. As
// root it is /var/cache/sallyport, because Elasticsearch runs as another user then, who can't
// look into root's home.
func Cache() (string, error) {
	folder := os.Getenv("SALLYPORT_CACHE")
	if folder == "" && os.Geteuid() == 0 {
		folder = "/var/cache/sallyport"
	}
	if folder == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("there is no cache folder: set SALLYPORT_CACHE to one: %w", err)
		}
		folder = filepath.Join(base, "sallyport")
	}
	folder, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	err = os.MkdirAll(folder, 0o755)
	if err != nil {
		return "", fmt.Errorf("the cache folder can't be made; set SALLYPORT_CACHE to one that can: %w", err)
	}
	return folder, nil
}

// Closed returns the first folder on the way to an absolute path, or the path itself, that other
// users can't enter, or "". What isn't there yet is taken to be made open.
func Closed(path string) string {
	closed := ""
	for folder := path; ; folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err == nil && info.IsDir() && info.Mode().Perm()&0o001 == 0 {
			closed = folder
		}
		if folder == filepath.Dir(folder) {
			return closed
		}
	}
}

// lock keeps two fetches at once from colliding; the second says so and waits.
func lock(path string, out io.Writer) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	fd := int(file.Fd())
	err = syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		fmt.Fprintf(out, "  waiting for another fetch into %s to end\n", filepath.Dir(path))
		err = syscall.Flock(fd, syscall.LOCK_EX)
	}
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { file.Close() }, nil
}
