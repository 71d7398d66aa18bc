package main

import (
	"fmt"
	"os/exec"
	"strings"
)

// side is one of those compared. The first is Topos, the second bare Go, and
// the others are the peers.
type side struct {
	name    string
	version string
	command []string
	err     error // why it cannot be measured
	// node says how to start one of a pair of processes, if that is not the
	// command with the flags of package pair.
	node func(role role) []string
}

// peer is a library to compare with, in a module of its own below bench/peers.
type peer struct {
	name, module string
	local        bool // does the works of one process
}

var peers = []peer{
	{"protoactor", "github.com/asynkron/protoactor-go", true},
	{"hollywood", "github.com/anthdm/hollywood", true},
	{"goakt", "github.com/tochemey/goakt/v4", false},
}

// prepare names this program as the first two sides, and builds the peers into
// dir.
func prepare(self, dir string, between bool) ([]side, error) {
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	sides := []side{
		{name: "topos", command: []string{self, "-side", "topos"}},
		{name: "floor", command: []string{self, "-side", "floor"}},
	}
	for _, p := range peers {
		if between || p.local {
			sides = append(sides, p.build(root, dir))
		}
	}
	if between {
		sides = append(sides, erlang(root, dir))
	}
	return sides, nil
}

func moduleRoot() (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("compare must be run inside the module: %w", err)
	}
	return strings.TrimSpace(string(root)), nil
}

func (p peer) build(root, dir string) side {
	source := root + "/bench/peers/" + p.name
	s := side{name: p.name, command: []string{dir + "/" + p.name}}
	if out, err := exec.Command("go", "build", "-C", source, "-o", s.command[0], ".").CombinedOutput(); err != nil {
		s.err = fmt.Errorf("%w: %s", err, firstLine(out))
	} else if out, err := exec.Command("go", "list", "-C", source, "-m", "-f", "{{.Version}}", p.module).Output(); err == nil {
		s.version = strings.TrimSpace(string(out))
	}
	return s
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
