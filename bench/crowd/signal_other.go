//go:build !unix

package crowd

import (
	"errors"
	"os"
)

var errNoStop = errors.New("crowd: this system cannot stop a process and let it go on")

func freeze(*os.Process) error { return errNoStop }

func thaw(*os.Process) error { return errNoStop }
