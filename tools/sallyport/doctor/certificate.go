package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// endsSoon is how long before its end a certificate should have been renewed: it mostly is 30 days before.
const endsSoon = 14 * 24 * time.Hour

// checkCertificate looks whether assistants will trust the host.
func checkCertificate(ctx context.Context, w *way) Finding {
	if w.url.Scheme == "http" {
		return w.withoutTLS()
	}
	dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(w.host, w.port))
	if err != nil {
		return w.untrusted(err)
	}
	defer func() { _ = conn.Close() }()
	tlsConn, _ := conn.(*tls.Conn)
	leaf := tlsConn.ConnectionState().PeerCertificates[0]
	left := time.Until(leaf.NotAfter)
	if left < endsSoon {
		w.goesOn = true
		return Finding{
			State: Problem, Sentence: fmt.Sprintf("The certificate of %s ends in %s.", w.host, roughly(left)),
			Remedy: renew + " See why that hasn't happened by itself.",
		}
	}
	return Finding{State: OK, Sentence: fmt.Sprintf("It is for %s, and good for %s.", w.host, roughly(left))}
}

const renew = "Renew the certificate, and put it where TLS ends (with Compose, into TLS_DIR)."

// withoutTLS judges a URL without TLS, which is fine on the computer itself.
func (w *way) withoutTLS() Finding {
	w.goesOn = true
	host := strings.ToLower(w.host)
	address, err := netip.ParseAddr(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback() {
		return Finding{State: OK, Sentence: "There is none, which is fine on this computer; others can't connect."}
	}
	return Finding{
		State: Problem, Sentence: w.url.String() + " isn't HTTPS: tokens cross the network in clear, and assistants refuse it.",
		Remedy: "Put Envoy behind an https:// URL, and set SALLYPORT_PUBLIC_URL to it.",
	}
}

// untrusted says why a host isn't trusted.
func (w *way) untrusted(err error) Finding {
	f := Finding{State: Problem}
	verification, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok {
		f.Sentence = fmt.Sprintf("%s doesn't speak TLS at port %s: %s.", w.host, w.port, reason(err))
		f.Remedy = "Let TLS end there: give Envoy a certificate (with Compose, compose.tls.yaml), or correct the port of SALLYPORT_PUBLIC_URL."
		return f
	}
	leaf := verification.UnverifiedCertificates[0]
	_, otherName := errors.AsType[x509.HostnameError](verification.Err)
	_, unknown := errors.AsType[x509.UnknownAuthorityError](verification.Err)
	invalid, _ := errors.AsType[x509.CertificateInvalidError](verification.Err)
	now := time.Now()
	switch {
	case otherName:
		f.Sentence = fmt.Sprintf("The certificate is for %s, and not for %s.", namesOf(leaf), w.host)
		f.Remedy = fmt.Sprintf("Get a certificate for %s, or let the name lead to where it should; it may be another server's.", w.host)
	case invalid.Reason == x509.Expired && now.Before(leaf.NotBefore):
		f.Sentence = fmt.Sprintf("The certificate of %s begins only in %s, by this computer's clock.", w.host, roughly(leaf.NotBefore.Sub(now)))
		f.Remedy = "Look at this computer's clock (`timedatectl`), and wait or get another certificate."
	case invalid.Reason == x509.Expired && now.After(leaf.NotAfter):
		f.Sentence = fmt.Sprintf("The certificate of %s ended %s ago.", w.host, roughly(now.Sub(leaf.NotAfter)))
		f.Remedy = renew
	case unknown && leaf.Issuer.String() == leaf.Subject.String():
		f.Sentence = fmt.Sprintf("The certificate of %s is self-signed, so assistants don't trust it.", w.host)
		f.Remedy = "Get one from an authority that everybody's computers trust, such as Let's Encrypt."
	case unknown && len(verification.UnverifiedCertificates) == 1:
		f.Sentence = fmt.Sprintf("The certificate of %s came alone, and its issuer, %s, isn't known here.", w.host, leaf.Issuer.CommonName)
		f.Remedy = "Serve the whole chain, the certificate first and then those of its issuers (`fullchain.pem`). Assistants in the cloud don't trust an authority of your company's own."
	default:
		f.Sentence = fmt.Sprintf("The certificate of %s isn't trusted: %s.", w.host, strings.TrimPrefix(verification.Err.Error(), "x509: "))
		f.Remedy = "Get one from an authority that everybody's computers trust, and serve its whole chain."
	}
	return f
}

// namesOf are the names that a certificate is for.
func namesOf(leaf *x509.Certificate) string {
	names := leaf.DNSNames
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "nobody"
	}
	return strings.Join(names, ", ")
}
