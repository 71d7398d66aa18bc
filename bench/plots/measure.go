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

// simulations returns the arguments of the runs of each series.
func simulations() map[string][]string {
	series := make(map[string][]string)
	for _, kill := range []string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.95"} {
		series["reliability"] = append(series["reliability"],
			"-nodes 10000 -seed 1 -cycles 12 -before 20 -broadcasts 100 -kill "+kill)
	}
	// As in section 5 of the HyParView paper: one message after the other.
	for _, kill := range []string{"0.1", "0.2", "0.5", "0.7", "0.8", "0.9", "0.95"} {
		series["floods"] = append(series["floods"],
			"-nodes 10000 -seed 1 -cycles 50 -before 20 -broadcasts 1000 -spacing 1s -flood -kill "+kill)
	}
	for _, nodes := range []string{"1000", "3000", "10000", "30000", "100000"} {
		series["scale"] = append(series["scale"], "-seed 1 -cycles 10 -broadcasts 20 -kill 0.5 -nodes "+nodes)
	}
	for _, nodes := range []string{"100", "300", "1000", "2000"} {
		series["scale"] = append(series["scale"], "-directory -seed 1 -cycles 5 -broadcasts 10 -kill 0.5 -nodes "+nodes)
	}
	series["scale"] = append(series["scale"], "-directory -seed 1 -cycles 5 -broadcasts 10 -nodes 10000")
	return series
}

// measure runs simulations one after the other and keeps the last line of each.
func measure(ctx context.Context, runs []string, file string, out io.Writer) error {
	dir, err := os.MkdirTemp("", "topos-plots-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	topos := filepath.Join(dir, "topos")
	build := exec.CommandContext(ctx, "go", "build", "-o", topos, "./cmd/topos")
	if text, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	var lines bytes.Buffer
	for _, args := range runs {
		fmt.Fprintln(out, "topos sim", args)
		// The status says whether there are violations: they are in the line.
		text, err := exec.CommandContext(ctx, topos, append([]string{"sim"}, strings.Fields(args)...)...).Output()
		last := text[bytes.LastIndexByte(bytes.TrimSpace(text), '\n')+1:]
		if _, bad := parse(last); bad != nil {
			return fmt.Errorf("%s: %w: %w", args, bad, err)
		}
		lines.Write(last)
	}
	return os.WriteFile(file, lines.Bytes(), 0o666)
}
