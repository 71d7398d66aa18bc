package secure

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// Protocol is what both sides say they speak inside TLS (ALPN), so that a
	// certificate of the same authority for something else, such as a web
	// server, cannot be talked into being a node.
	Protocol = "topos/1"
	// DefaultReload is how often certificates are read again: soon enough after
	// a rotation, which is done hours before it is needed, and three small
	// files each time.
	DefaultReload = time.Minute
)

// Config says who this side is and whom it trusts: CertFile and KeyFile, or
// Certificate, and CAFile, or Roots, must be given.
type Config struct {
	// CertFile and KeyFile have the node's certificate, with intermediate ones
	// after it, and its key, in PEM.
	CertFile, KeyFile string
	// CAFile has the certificates of all authorities that count, in PEM. The
	// node's own certificate must be signed by one of them.
	CAFile string

	// Certificate and Roots take the place of the files, for tests and for
	// whoever gets them from elsewhere. They are called in New, then every
	// Reload, one call at a time, and should not take long. What they return
	// must not be changed afterwards.
	Certificate func() (tls.Certificate, error)
	Roots       func() (*x509.CertPool, error)

	// Reload is the time between two looks at the files or functions. Zero
	// means DefaultReload. See also [Transport.Reload].
	Reload time.Duration

	// Names, if any, are DNS names or IP addresses of which a peer's certificate
	// must have one, whatever the peer's host is. With "*.nodes.example" here,
	// the certificate must have just this wildcard.
	Names []string
	// VerifyName, if not nil, decides instead whether a certificate, whose
	// chain has been verified, may be used by a node at host. It is called by
	// many goroutines at once.
	VerifyName func(leaf *x509.Certificate, host string) error

	// Logger gets a line for what is loaded, and fails to load, and when the
	// certificate is about to expire. Connections that are refused are not
	// logged, lest strangers fill the disk: their errors and [Stats] tell of
	// them. Nil discards.
	Logger *slog.Logger
}

func (c *Config) setDefaults() {
	if c.Reload == 0 {
		c.Reload = DefaultReload
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}

// valid reports all that is wrong with c, after its defaults have been set.
func (c *Config) valid() error {
	var errs []error
	complain := func(format string, args ...any) { errs = append(errs, fmt.Errorf("secure: Config."+format, args...)) }
	files := c.CertFile != "" || c.KeyFile != ""
	switch {
	case files && c.Certificate != nil:
		complain("CertFile or KeyFile is given, and Certificate too")
	case !files && c.Certificate == nil:
		complain("CertFile and KeyFile are missing, and so is Certificate")
	case files && c.CertFile == "":
		complain("CertFile is missing, KeyFile is not")
	case files && c.KeyFile == "":
		complain("KeyFile is missing, CertFile is not")
	}
	switch {
	case c.CAFile != "" && c.Roots != nil:
		complain("CAFile is given, and Roots too")
	case c.CAFile == "" && c.Roots == nil:
		complain("CAFile is missing, and so is Roots")
	}
	if c.Reload < 0 {
		complain("Reload %v is negative", c.Reload)
	}
	for i, name := range c.Names {
		if name == "" {
			complain("Names[%d] is empty", i)
		}
	}
	if len(c.Names) > 0 && c.VerifyName != nil {
		complain("Names is given, and VerifyName too")
	}
	return errors.Join(errs...)
}
