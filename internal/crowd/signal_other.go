//go:build !unix

package crowd

import "os"

func freeze(*os.Process) error { return errNoStop }

func thaw(*os.Process) error { return errNoStop }
