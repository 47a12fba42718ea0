package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// diskSize is that of the disk that is filled, in MiB: Elasticsearch's empty data and some thousand records
// have room.
const diskSize = 192

// mount puts a small file system in memory where a stack keeps its data, which only root may.
func mount(ctx context.Context, folder string, size int) error {
	if os.Geteuid() != 0 {
		return errors.New("only root may mount the small disk that it fills: leave it out by naming the others with --fault, or run as root")
	}
	err := os.MkdirAll(folder, 0o755)
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", size), "tmpfs", folder).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mounting a disk of %d MiB: %w: %s", size, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// unmount takes it away again, where there is one, also after the trial was stopped.
func unmount(folder string) error {
	var disk, around syscall.Stat_t
	err := syscall.Stat(folder, &disk)
	if errors.Is(err, syscall.ENOENT) {
		return nil
	}
	err = errors.Join(err, syscall.Stat(filepath.Dir(folder), &around))
	if err != nil || disk.Dev == around.Dev {
		return err
	}
	out, err := exec.CommandContext(context.Background(), "umount", folder).CombinedOutput()
	if err != nil {
		return fmt.Errorf("unmounting the disk: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// diskFull fills the disk for the window, and then does what an admin does: makes room, and starts
// Elasticsearch again, which without that stays without a master.
func diskFull(ctx context.Context, s *scene) error {
	file, err := os.Create(filepath.Join(s.site.disk, "filler"))
	if err != nil {
		return err
	}
	defer file.Close()
	block := make([]byte, 64<<10)
	full := false
	for end := time.Now().Add(s.window); time.Now().Before(end); {
		_, err = file.Write(block)
		switch {
		case err == nil:
			continue
		case !errors.Is(err, syscall.ENOSPC):
			return err
		}
		if !full {
			s.say("  the disk is full")
			full = true
		}
		// What is written and deleted meanwhile makes room, which is taken too.
		err = wait(ctx, 10*time.Millisecond)
		if err != nil {
			return err
		}
	}
	err = errors.Join(file.Close(), os.Remove(file.Name())) // an open file keeps its room
	if err != nil {
		return err
	}
	s.say("  there is room again")
	err = s.stopElasticsearch(ctx)
	if err != nil {
		return err
	}
	return s.startElasticsearch(ctx)
}
