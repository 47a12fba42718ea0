package elastic

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// SignIn is how a service signs in to Elasticsearch: part of the configuration of each that does, with the
// prefix elasticsearch-. Its zero value is for an Elasticsearch without security.
type SignIn struct {
	User         string `help:"User to sign in to Elasticsearch as. Without it nobody signs in, for an Elasticsearch without security." env:"SALLYPORT_ELASTICSEARCH_USER"`
	PasswordFile string `help:"File with that user's password." type:"existingfile" env:"SALLYPORT_ELASTICSEARCH_PASSWORD_FILE"`
	CAFile       string `name:"ca-file" help:"File with the certificate authorities, in PEM, that Elasticsearch's certificate may be from. By default those that the system trusts." type:"existingfile" env:"SALLYPORT_ELASTICSEARCH_CA_FILE"`
}

// Validate refuses settings that can't work.
func (s SignIn) Validate() error {
	if (s.User == "") != (s.PasswordFile == "") {
		return errors.New("--elasticsearch-user and --elasticsearch-password-file need each other: give both, or neither for an Elasticsearch without security")
	}
	return nil
}

// password is what the file has, without the end of its line.
func (s SignIn) password() (string, error) {
	text, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("--elasticsearch-password-file: %w", err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" || strings.ContainsAny(password, "\r\n") {
		return "", fmt.Errorf("--elasticsearch-password-file: %s must have the password of %s on one line", s.PasswordFile, s.User)
	}
	return password, nil
}

func (s SignIn) authorities() (*x509.CertPool, error) {
	text, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("--elasticsearch-ca-file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--elasticsearch-ca-file: %s has no certificate in PEM (-----BEGIN CERTIFICATE-----)", s.CAFile)
	}
	return pool, nil
}
