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
	TokenFile string `help:"File with the token to present, instead of the sign-in of login." env:"SALLYPORT_TOKEN_FILE" placeholder:"FILE"`

	// signedIn has the sign-in presented, and nothing else.
	signedIn bool
}

// running is what the state file says that matters here.
type running struct {
	AdminGRPC      string `json:"admin_grpc"`
	AdminTokenFile string `json:"admin_token_file"`
}

// open returns a connection that presents a token with each call. It doesn't connect yet.
func (c *connection) open() (*grpc.ClientConn, error) {
	server, err := c.server()
	if err != nil {
		return nil, err
	}
	token, err := c.token(server)
	if err != nil {
		return nil, err
	}
	target, transport, err := target(server)
	if err != nil {
		return nil, err
	}
	present := func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		ctx, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
		err := invoke(ctx, method, request, reply, conn, options...)
		if err != nil {
			return &callError{server: server, err: err}
		}
		return nil
	}
	presentStream := func(ctx context.Context, description *grpc.StreamDesc, conn *grpc.ClientConn, method string, begin grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
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

// server returns the one that was named, else that of the Sallyport that runs in this folder or above.
func (c *connection) server() (string, error) {
	if c.Server != "" {
		return c.Server, nil
	}
	here, err := findRunning()
	if errors.Is(err, fs.ErrNotExist) {
		return "", advice("No Sallyport runs in this folder or above it: start one by `make up`, or name one by --server.")
	}
	return here.AdminGRPC, err
}

// token returns what is presented to a server: the content of the file that was named, else the sign-in
// there, else the token of the Sallyport that runs in this folder or above. Each is sent to no other server.
func (c *connection) token(server string) (string, error) {
	if c.TokenFile != "" && !c.signedIn {
		return readToken(c.TokenFile)
	}
	kept, err := readLogin(server)
	if err != nil {
		return "", err
	}
	if kept != nil {
		return kept.access(context.Background(), server)
	}
	here, err := findRunning()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if server != here.AdminGRPC || c.signedIn {
		return "", advice("You aren't signed in at %s: sign in by `sallyport login`, or name the file of a token by --token-file.", server)
	}
	return readToken(here.AdminTokenFile)
}

func readToken(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", advice("The token can't be read: %w. Name its file by --token-file.", err)
	}
	token := strings.TrimSpace(string(content))
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", advice("%s holds no token. Name the right file by --token-file.", file)
	}
	return token, nil
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
