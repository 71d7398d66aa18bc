package secure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"
)

// offered is what a client has said that it can do.
type offered struct {
	known     bool
	versions  []uint16
	protocols []string
}

// refusal makes a [HandshakeError] of what crypto/tls says, unless it is the
// network that has failed.
func refusal(err error, o offered) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*HandshakeError](err); ok {
		return err // of verify
	}
	if reason := told(err); reason != nil {
		return &HandshakeError{Reason: reason, Remote: true, Err: err}
	}
	if network(err) {
		return err
	}
	return &HandshakeError{Reason: judged(err, o), Err: err}
}

// network reports whether err says that the connection failed, or was closed or
// given up.
func network(err error) bool {
	for _, cause := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return true
		}
	}
	if _, ok := errors.AsType[syscall.Errno](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	if ok {
		return op.Op != "remote error" && op.Op != "local error" // those are of crypto/tls
	}
	_, ok = errors.AsType[net.Error](err)
	return ok
}

// judged returns the reason for which this side has refused.
func judged(err error, o offered) error {
	if header, ok := errors.AsType[tls.RecordHeaderError](err); ok && header.Conn != nil {
		return ErrPlaintext // it is set for the very first record only
	}
	if bad, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return flaw(bad.Err)
	}
	switch {
	case !o.known:
	case !slices.Contains(o.versions, tls.VersionTLS13):
		return ErrVersion
	case !slices.Contains(o.protocols, Protocol):
		return ErrProtocol
	}
	return ErrMalformed
}

// flaw returns what is wrong with a certificate.
func flaw(err error) error {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return ErrAuthority
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return ErrName
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return ErrExpired
	}
	return ErrCertificate
}

// alerts are the words that TLS has for a refusal (RFC 8446, section 6.2).
var alerts = []struct {
	alert  tls.AlertError
	reason error
}{
	{42, ErrCertificate},    // bad_certificate
	{43, ErrCertificate},    // unsupported_certificate
	{44, ErrCertificate},    // certificate_revoked
	{45, ErrExpired},        // certificate_expired
	{46, ErrCertificate},    // certificate_unknown
	{48, ErrAuthority},      // unknown_ca
	{70, ErrVersion},        // protocol_version
	{116, ErrNoCertificate}, // certificate_required
	{120, ErrProtocol},      // no_application_protocol
}

// told returns the reason that the other side gives for a refusal in an alert;
// nil if err is none.
func told(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return nil
	}
	for _, a := range alerts {
		// The type inside is not exported, but AlertError has the same text.
		if op.Err.Error() == a.alert.Error() {
			return a.reason
		}
	}
	return ErrRefused
}
