package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

const (
	// callTimeout bounds one call.
	callTimeout = 30 * time.Second
	// maxAnswer bounds an answer: a page of records can have a record of some MiB at its end.
	maxAnswer = 16 << 20
	// stateFile is what a running Sallyport says of itself, beside its Makefile.
	stateFile = ".run/state.json"
)

// connection is how to reach the admin API.
type connection struct {
	Server    string `help:"The admin API: HOST:PORT, or an https:// URL. Without TLS the token can be read on the way: use that on one machine only." env:"SALLYPORT_SERVER" placeholder:"ADDRESS"`
	TokenFile string `help:"File with a token: an API token, or an admin's. Without it the login counts (sallyport login), then the token of the Sallyport that runs here." env:"SALLYPORT_TOKEN_FILE" placeholder:"FILE"`
}

// running is what the state file says that matters here.
type running struct {
	MCPURL         string `json:"mcp_url"`
	AdminGRPC      string `json:"admin_grpc"`
	AdminTokenFile string `json:"admin_token_file"`
}

// presented returns the token that a call presents.
type presented func(ctx context.Context) (string, error)

// open returns a connection that presents a token with each call: that of the file that was named, else the
// login, else the one of the Sallyport that runs here. It doesn't connect yet.
func (c *connection) open() (*grpc.ClientConn, error) {
	if c.TokenFile == "" {
		server, err := c.locateServer()
		if err != nil {
			return nil, err
		}
		path, found, err := findLogin(server)
		if err != nil {
			return nil, err
		}
		if found {
			return dial(server, fromLogin(path))
		}
	}
	server, tokenFile, err := c.locate()
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(tokenFile)
	if err != nil {
		return nil, advice("The admin token can't be read: %w. Name its file by --token-file.", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, advice("%s holds no token. Name the right file by --token-file.", tokenFile)
	}
	return dial(server, func(context.Context) (string, error) { return token, nil })
}

// findLogin returns the file of the login to a server, if there is one.
func findLogin(server string) (path string, found bool, _ error) {
	origin, err := originOf(server)
	if err != nil {
		return "", false, err
	}
	path, err = loginPath(origin)
	if err != nil {
		// Without a folder to keep one in there is none.
		return "", false, nil //nolint:nilerr // as said
	}
	_, err = os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	return path, err == nil, err
}

func fromLogin(path string) presented {
	return func(ctx context.Context) (string, error) { return loginToken(ctx, path) }
}

// dial returns a connection to a server whose calls present a token.
func dial(server string, token presented) (*grpc.ClientConn, error) {
	target, transport, err := target(server)
	if err != nil {
		return nil, err
	}
	with := func(ctx context.Context) (context.Context, error) {
		presents, err := token(ctx)
		return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+presents), err
	}
	present := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		ctx, err := with(ctx)
		if err != nil {
			return err
		}
		err = invoke(ctx, method, request, reply, conn, options...)
		if err != nil {
			return &callError{server: server, err: err}
		}
		return nil
	}
	presentStream := func(ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn, method string, begin grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		ctx, err := with(ctx)
		if err != nil {
			return nil, err
		}
		stream, err := begin(ctx, description, conn, method, options...)
		if err != nil {
			return nil, &callError{server: server, err: err}
		}
		return receiving{stream, server}, nil
	}
	return grpc.NewClient(target, grpc.WithTransportCredentials(transport), grpc.WithUnaryInterceptor(present), grpc.WithStreamInterceptor(presentStream),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)))
}

// receiving is a stream whose errors are sentences. It may go on for longer than callTimeout: it tells
// how far it is.
type receiving struct {
	grpc.ClientStream
	server string
}

// RecvMsg receives the next answer, or io.EOF.
func (r receiving) RecvMsg(message any) error {
	err := r.ClientStream.RecvMsg(message)
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return &callError{server: r.server, err: err}
}

// locate returns the server and the token's file: those that were named, else those of the
// Sallyport that runs in this folder or above. The token of that one is never sent to another.
func (c *connection) locate() (server, tokenFile string, err error) {
	if c.Server != "" && c.TokenFile != "" {
		return c.Server, c.TokenFile, nil
	}
	here, err := findRunning()
	if errors.Is(err, fs.ErrNotExist) && c.Server == "" {
		return "", "", advice("No Sallyport runs in this folder or above it: start one by `make up`, or name one by --server and --token-file.")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", "", err
	}
	server, tokenFile = c.Server, c.TokenFile
	if server == "" {
		server = here.AdminGRPC
	}
	if tokenFile == "" {
		if server != here.AdminGRPC {
			return "", "", advice("The admin token of %s is needed: name its file by --token-file, or sign in by `sallyport login`.", server)
		}
		tokenFile = here.AdminTokenFile
	}
	return server, tokenFile, nil
}

// locateServer returns the server: the one that was named, else the one that runs in this folder or above.
func (c *connection) locateServer() (string, error) {
	if c.Server != "" {
		return c.Server, nil
	}
	here, err := findRunning()
	if errors.Is(err, fs.ErrNotExist) {
		return "", advice("No Sallyport runs in this folder or above it: start one by `make up`, or name one by --server.")
	}
	return here.AdminGRPC, err
}

// findRunning reads the state file of this folder, or of the nearest above that has one.
func findRunning() (running, error) {
	dir, err := os.Getwd()
	if err != nil {
		return running{}, err
	}
	for {
		path := filepath.Join(dir, filepath.FromSlash(stateFile))
		text, err := os.ReadFile(path)
		if err == nil {
			return parseRunning(path, dir, text)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return running{}, err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return running{}, fs.ErrNotExist
		}
		dir = parent
	}
}

func parseRunning(path, dir string, text []byte) (running, error) {
	var r running
	err := json.Unmarshal(text, &r)
	if err != nil || r.AdminGRPC == "" || r.AdminTokenFile == "" {
		return running{}, advice("%s doesn't say where Sallyport is: start it again by `make up`.", path)
	}
	if !filepath.IsAbs(r.AdminTokenFile) {
		r.AdminTokenFile = filepath.Join(dir, r.AdminTokenFile)
	}
	return r, nil
}

// target reads --server: HOST:PORT or http:// without TLS, https:// with.
func target(server string) (string, credentials.TransportCredentials, error) {
	refused := advice("%q is no address of the admin API: name it as HOST:PORT, or as an https:// URL.", server)
	if !strings.Contains(server, "://") {
		_, port, err := net.SplitHostPort(server)
		if err != nil || port == "" {
			return "", nil, refused
		}
		return server, insecure.NewCredentials(), nil
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return "", nil, refused
	}
	port := u.Port()
	switch {
	case u.Scheme == "https" && port == "":
		port = "443"
	case u.Scheme == "http" && port == "":
		port = "80"
	}
	address := net.JoinHostPort(u.Hostname(), port)
	switch u.Scheme {
	case "https":
		return address, credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12}), nil
	case "http":
		return address, insecure.NewCredentials(), nil
	}
	return "", nil, refused
}
