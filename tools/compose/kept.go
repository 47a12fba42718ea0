package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// own are the images of Sallyport's own programs.
var own = []string{"authz", "identity", "accesslog", "admin", "sallyport", "atlassian", "envoyconf"}

// most is how large an image of a program may be, in bytes.
const most = 64 << 20

// images looks into Sallyport's images: who runs the program, and that there is nothing but it.
func (t *trial) images(ctx context.Context) error {
	var problems []error
	for _, name := range own {
		image := "sallyport/" + name + ":latest"
		var is []struct {
			Size   int64
			Config struct{ User string }
		}
		err := t.inspect(ctx, &is, "image", "inspect", image)
		if err != nil {
			return err
		}
		if is[0].Config.User != "65532:65532" || is[0].Size > most {
			problems = append(problems, fmt.Errorf("%s has %d bytes and is run by %q", image, is[0].Size, is[0].Config.User))
		}
		files, err := t.files(ctx, image)
		if err != nil {
			return err
		}
		for _, file := range files {
			expected := file == "sallyport" || file == "etc/ssl/certs/ca-certificates.crt" || name == "envoyconf" && strings.HasPrefix(file, "envoy/")
			if !expected {
				problems = append(problems, fmt.Errorf("%s has the file %s", image, file))
			}
		}
		t.say("  %s: %.1f MB, %d files", image, float64(is[0].Size)/1e6, len(files))
	}
	return errors.Join(problems...)
}

// files are those of an image, without the empty ones that Docker makes itself.
func (t *trial) files(ctx context.Context, image string) ([]string, error) {
	id, err := t.docker.command(ctx, "create", image).Output()
	if err != nil {
		return nil, err
	}
	container := strings.TrimSpace(string(id))
	defer func() { _ = t.docker.command(context.WithoutCancel(ctx), "rm", container).Run() }()
	export := t.docker.command(ctx, "export", container)
	out, err := export.StdoutPipe()
	if err != nil {
		return nil, err
	}
	err = export.Start()
	if err != nil {
		return nil, err
	}
	var files []string
	for archive := tar.NewReader(out); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, export.Wait())
		}
		if header.Typeflag == tar.TypeReg && header.Size > 0 {
			files = append(files, header.Name)
		}
	}
	_, _ = io.Copy(io.Discard, out) // what follows the archive's end
	return files, export.Wait()
}

// inspect asks Docker about something.
func (t *trial) inspect(ctx context.Context, into any, arguments ...string) error {
	out, err := t.docker.command(ctx, arguments...).Output()
	if err != nil {
		return fmt.Errorf("docker %s: %w", strings.Join(arguments, " "), err)
	}
	return json.Unmarshal(out, into)
}

// knowRedis are the containers that are on Redis' network, which asks for no password.
var knowRedis = []string{"redis", "authz", "identity", "accesslog", "admin"}

// containers looks at what the running containers are kept from, and that no secret is in what Docker tells of them.
func (t *trial) containers(ctx context.Context) error {
	ids, err := t.compose(ctx, "ps", "--all", "--quiet").Output()
	if err != nil {
		return err
	}
	all := strings.Fields(string(ids))
	told, err := t.docker.command(ctx, append([]string{"inspect"}, all...)...).Output()
	if err != nil {
		return err
	}
	var containers []struct {
		Name       string
		Config     struct{ User string }
		HostConfig struct {
			ReadonlyRootfs       bool
			Memory, CPUShares    int64
			CapDrop, SecurityOpt []string
			PortBindings         map[string][]struct{ HostIP string }
		}
		NetworkSettings struct{ Networks map[string]struct{} }
	}
	err = json.Unmarshal(told, &containers)
	if err != nil {
		return err
	}
	var problems []error
	for _, c := range containers {
		// These two write beside their programs, and wait for calls.
		writes := strings.HasSuffix(c.Name, "-elasticsearch-1") || strings.HasSuffix(c.Name, "-kibana-1")
		h := c.HostConfig
		if !h.ReadonlyRootfs && !writes || h.Memory == 0 || !slices.Equal(h.CapDrop, []string{"ALL"}) || !slices.Contains(h.SecurityOpt, "no-new-privileges:true") ||
			c.Config.User == "" || c.Config.User == "root" {
			problems = append(problems, fmt.Errorf("%s isn't kept as it should be: user %q, %+v", c.Name, c.Config.User, h))
		}
		if yields := h.CPUShares > 0 && h.CPUShares < 1024; yields != writes {
			problems = append(problems, fmt.Errorf("%s has %d CPU shares", c.Name, h.CPUShares))
		}
		if _, found := c.NetworkSettings.Networks["sallyport_state"]; found != slices.ContainsFunc(knowRedis, func(name string) bool { return strings.Contains(c.Name, "-"+name+"-") }) {
			problems = append(problems, fmt.Errorf("%s is on Redis' network: %t", c.Name, found))
		}
		for port, bindings := range h.PortBindings {
			for _, b := range bindings {
				if b.HostIP != "127.0.0.1" {
					problems = append(problems, fmt.Errorf("%s is reached at %s %s", c.Name, b.HostIP, port))
				}
			}
		}
	}
	t.say("  %d containers", len(containers))
	logs, err := t.compose(ctx, "logs", "--no-color").CombinedOutput()
	if err != nil {
		return err
	}
	return errors.Join(append(problems, t.searchSecrets(string(told), string(logs)))...)
}

// searchSecrets finds secrets in texts.
func (t *trial) searchSecrets(texts ...string) error {
	files, err := os.ReadDir(t.secret(""))
	if err != nil {
		return err
	}
	var problems []error
	for _, file := range files {
		text, err := os.ReadFile(t.secret(file.Name()))
		if err != nil {
			return err
		}
		value := strings.TrimSpace(string(text))
		if value != "" && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, value) }) {
			problems = append(problems, fmt.Errorf("the secret %s is in clear in what Docker tells, in a log, or in the backup", file.Name()))
		}
	}
	return errors.Join(problems...)
}

func (t *trial) secret(name string) string { return filepath.Join(t.source, "deploy", "secrets", name) }

// readSecret is what is in the file of a secret.
func (t *trial) readSecret(name string) (string, error) {
	text, err := os.ReadFile(t.secret(name))
	return strings.TrimSpace(string(text)), err
}

// nothingLeft looks whether down has left anything.
func (t *trial) nothingLeft(ctx context.Context) error {
	for _, kind := range []string{"container", "volume", "network"} {
		arguments := []string{kind, "ls", "--quiet", "--filter", "label=com.docker.compose.project=sallyport"}
		if kind == "container" {
			arguments = append(arguments, "--all")
		}
		out, err := t.docker.command(ctx, arguments...).Output()
		if err != nil {
			return err
		}
		if left := strings.Fields(string(out)); len(left) > 0 {
			return fmt.Errorf("after down there is still a %s: %v", kind, left)
		}
	}
	return nil
}
