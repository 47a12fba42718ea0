//go:build unix

package main

import (
	"os"
	"syscall"
)

// lockFile waits until no other command holds the lock, and takes it.
func lockFile(path string) (unlock func(), _ error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX)
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}
