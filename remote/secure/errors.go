package secure

import "errors"

// Reasons for which a handshake is refused, found in a [HandshakeError] by
// errors.Is. They come from [Transport.Dial], [Conn.Read], [Conn.Write],
// [Conn.Handshake] and [Conn.VerifyPeer].
var (
	// ErrNoCertificate: there was no certificate.
	ErrNoCertificate = errors.New("secure: no certificate")
	// ErrExpired: a certificate has expired, or is not valid yet.
	ErrExpired = errors.New("secure: certificate has expired or is not valid yet")
	// ErrAuthority: none of the known authorities has signed the certificate.
	ErrAuthority = errors.New("secure: certificate signed by unknown authority")
	// ErrName: the certificate is for another host.
	ErrName = errors.New("secure: certificate is for another name")
	// ErrCertificate: something else is wrong with a certificate. Whoever has
	// been refused for a wrong name, or by the side that dialled, gets this.
	ErrCertificate = errors.New("secure: bad certificate")
	// ErrVersion: one side does not speak TLS 1.3.
	ErrVersion = errors.New("secure: not TLS 1.3")
	// ErrProtocol: the other side speaks TLS, but does not say that it speaks
	// [Protocol] on it.
	ErrProtocol = errors.New("secure: another protocol inside TLS")
	// ErrPlaintext: the other side does not speak TLS at all.
	ErrPlaintext = errors.New("secure: not TLS")
	// ErrMalformed: what the other side sent breaks the rules of TLS.
	ErrMalformed = errors.New("secure: malformed handshake")
	// ErrRefused: the other side has refused, for a reason that is none of
	// the above.
	ErrRefused = errors.New("secure: refused")
)

// HandshakeError says that a connection was refused, by whom and why.
type HandshakeError struct {
	// Reason is one of this package's errors.
	Reason error
	// Remote says that the other side has refused: then it is this side's
	// certificate, version or protocol that Reason is about.
	Remote bool
	// Err is what the TLS implementation says.
	Err error
}

// Error begins with the reason.
func (e *HandshakeError) Error() string {
	text := e.Reason.Error()
	if e.Remote {
		text += ", says the other side"
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Reason and Err.
func (e *HandshakeError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

// reasons are all there are, in the order in which they are counted.
var reasons = []error{
	ErrNoCertificate, ErrExpired, ErrAuthority, ErrName, ErrCertificate, ErrVersion, ErrProtocol, ErrPlaintext,
	ErrMalformed, ErrRefused,
}
