package state

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// SignIn is how a service signs in to Redis: part of the configuration of each, with the prefix redis-. Its zero value
// is for a Redis that has no password and no TLS.
type SignIn struct {
	User         string `help:"User to sign in to Redis as. Without it, Redis' default user." env:"SALLYPORT_REDIS_USER"`
	PasswordFile string `help:"File with that user's password. Without it nobody signs in." type:"existingfile" env:"SALLYPORT_REDIS_PASSWORD_FILE"`
	TLS          bool   `name:"tls" help:"Reach Redis over TLS." env:"SALLYPORT_REDIS_TLS"`
	CAFile       string `name:"ca-file" help:"File with the certificate authorities, in PEM, that Redis' certificate may be from. By default those that the system trusts." type:"existingfile" env:"SALLYPORT_REDIS_CA_FILE"`
}

// Validate refuses settings that can't work.
func (s SignIn) Validate() error {
	if s.User != "" && s.PasswordFile == "" {
		return errors.New("--redis-user needs --redis-password-file")
	}
	if s.CAFile != "" && !s.TLS {
		return errors.New("--redis-ca-file needs --redis-tls: without TLS there is no certificate")
	}
	return nil
}

// Open returns a store like that of the function Open, signed in. The files are read now: a changed password needs
// a restart.
func (s SignIn) Open(address string) (*Store, error) {
	options := optionsFor(address)
	if s.PasswordFile != "" {
		text, err := os.ReadFile(s.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("--redis-password-file: %w", err)
		}
		options.Username, options.Password = s.User, strings.TrimRight(string(text), "\r\n")
		if options.Password == "" || strings.ContainsAny(options.Password, "\r\n") {
			return nil, fmt.Errorf("--redis-password-file: %s must have the password on one line", s.PasswordFile)
		}
	}
	if s.TLS {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if s.CAFile != "" {
		text, err := os.ReadFile(s.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--redis-ca-file: %w", err)
		}
		options.TLSConfig.RootCAs = x509.NewCertPool()
		if !options.TLSConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--redis-ca-file: %s has no certificate in PEM (-----BEGIN CERTIFICATE-----)", s.CAFile)
		}
	}
	return open(options), nil
}
