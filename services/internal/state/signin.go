package state

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// SignIn is how a service finds and signs in to Redis: part of the configuration of each, with the prefix redis-. Its
// zero value is for one Redis that has no password and no TLS.
type SignIn struct {
	User         string `help:"User to sign in to Redis as. Without it, Redis' default user." env:"SALLYPORT_REDIS_USER"`
	PasswordFile string `help:"File with that user's password. Without it nobody signs in." type:"existingfile" env:"SALLYPORT_REDIS_PASSWORD_FILE"`
	TLS          bool   `name:"tls" help:"Reach Redis over TLS." env:"SALLYPORT_REDIS_TLS"`
	CAFile       string `name:"ca-file" help:"File with the certificate authorities, in PEM, that Redis' certificate may be from. By default those that the system trusts." type:"existingfile" env:"SALLYPORT_REDIS_CA_FILE"`

	SentinelMaster       string `help:"Name by which Sentinels know the primary. The addresses of Redis are those of the Sentinels then." env:"SALLYPORT_REDIS_SENTINEL_MASTER" placeholder:"NAME"`
	SentinelPasswordFile string `help:"File with the password of the Sentinels, where they have one." type:"existingfile" env:"SALLYPORT_REDIS_SENTINEL_PASSWORD_FILE"`
	Cluster              bool   `help:"The addresses of Redis are those of nodes of a cluster." env:"SALLYPORT_REDIS_CLUSTER"`
}

// Validate refuses settings that can't work.
func (s SignIn) Validate() error {
	if s.User != "" && s.PasswordFile == "" {
		return errors.New("--redis-user needs --redis-password-file")
	}
	if s.CAFile != "" && !s.TLS {
		return errors.New("--redis-ca-file needs --redis-tls: without TLS there is no certificate")
	}
	if s.SentinelMaster != "" && s.Cluster {
		return errors.New("--redis-sentinel-master and --redis-cluster are both there: a cluster has no Sentinels")
	}
	if s.SentinelPasswordFile != "" && s.SentinelMaster == "" {
		return errors.New("--redis-sentinel-password-file needs --redis-sentinel-master")
	}
	return nil
}

// Open returns a store like that of the function Open, signed in. address is host:port, or several with commas between
// them where they are of Sentinels or of a cluster. The files are read now: a changed password needs
// a restart.
func (s SignIn) Open(address string) (*Store, error) {
	addresses, err := addressesIn(address, s.SentinelMaster != "" || s.Cluster)
	if err != nil {
		return nil, err
	}
	options := optionsFor(addresses)
	options.MasterName, options.IsClusterMode = s.SentinelMaster, s.Cluster
	if s.SentinelPasswordFile != "" {
		options.SentinelPassword, err = passwordIn("--redis-sentinel-password-file", s.SentinelPasswordFile)
		if err != nil {
			return nil, err
		}
	}
	if s.PasswordFile != "" {
		options.Username = s.User
		options.Password, err = passwordIn("--redis-password-file", s.PasswordFile)
		if err != nil {
			return nil, err
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

// passwordIn reads the password that a setting names the file of.
func passwordIn(setting, file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", setting, err)
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" || strings.ContainsAny(password, "\r\n") {
		return "", fmt.Errorf("%s: %s must have the password on one line", setting, file)
	}
	return password, nil
}
