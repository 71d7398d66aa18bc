package memory

import (
	"io"
	"os"
	"syscall"
)

// What connections fail with, as those of the operating system do.
var (
	errEOF      = io.EOF
	errReset    = syscall.ECONNRESET
	errDeadline = os.ErrDeadlineExceeded
)
