package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// series are runs of one program.
type series struct {
	program string // its folder
	runs    []string
}

// simulations returns the runs of each series.
func simulations() map[string]series {
	const sim = "cmd/topos"
	reliability, floods, published, scale := series{program: sim}, series{program: sim}, series{program: "bench/dsn2007"}, series{program: sim}
	for _, kill := range []string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.95"} {
		reliability.add("sim -nodes 10000 -seed 1 -cycles 12 -before 20 -broadcasts 100 -kill " + kill)
		published.add("-nodes 10000 -seed 1 -cycles 50 -broadcasts 1000 -kill " + kill)
	}
	// As in section 5 of the HyParView paper: one message after the other.
	for _, kill := range []string{"0.1", "0.2", "0.5", "0.7", "0.8", "0.9", "0.95"} {
		floods.add("sim -nodes 10000 -seed 1 -cycles 50 -before 20 -broadcasts 1000 -spacing 1s -flood -kill " + kill)
	}
	for _, nodes := range []string{"1000", "3000", "10000", "30000", "100000"} {
		scale.add("sim -seed 1 -cycles 10 -broadcasts 20 -kill 0.5 -nodes " + nodes)
	}
	for _, nodes := range []string{"100", "300", "1000", "2000"} {
		scale.add("sim -directory -seed 1 -cycles 5 -broadcasts 10 -kill 0.5 -nodes " + nodes)
	}
	scale.add("sim -directory -seed 1 -cycles 5 -broadcasts 10 -nodes 10000")
	return map[string]series{"reliability": reliability, "floods": floods, "published": published, "scale": scale}
}

func (s *series) add(args string) { s.runs = append(s.runs, args) }

// measure runs simulations one after the other and keeps the last line of each.
func measure(ctx context.Context, s series, file string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "topos-plots-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, filepath.Base(s.program))
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./"+s.program)
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	var lines bytes.Buffer
	for _, args := range s.runs {
		fmt.Fprintln(out, filepath.Base(s.program), args)
		// The status says whether there are violations: they are in the line.
		text, err := exec.CommandContext(ctx, program, strings.Fields(args)...).Output()
		last := text[bytes.LastIndexByte(bytes.TrimSpace(text), '\n')+1:]
		if _, bad := parse(last); bad != nil {
			return fmt.Errorf("%s: %w: %w", args, bad, err)
		}
		lines.Write(last)
	}
	return os.WriteFile(file, lines.Bytes(), 0o666)
}
