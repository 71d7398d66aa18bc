// Compare does the same work with Topos, with bare Go (the floor) and with
// other actor libraries (the peers), in one run, and prints the figures side by
// side.
//
//	go run ./bench/compare [-quick] [-rounds 5] [-works tell,call]
//
// Every measurement is made in a fresh process, and the sides take turns, so
// that neither a warm heap nor a busy neighbour favours one of them. The figures
// are medians over the rounds. The last line is one JSON object:
//
//	{"rows":[{"work","unit","topos","floor","peer","peer_name"}]}
//
// in which peer is the best of the peers, and null where none could be measured.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run() error {
	quick := flag.Bool("quick", false, "fewer and smaller rounds; ends within a minute")
	rounds := flag.Int("rounds", 5, "how many rounds")
	only := flag.String("works", "", "comma-separated works; all by default")
	side := flag.String("side", "", "do one work on one side (used by the program itself)")
	name := flag.String("work", "", "the work of -side")
	n := flag.Int("n", 0, "the operations of -side")
	flag.Parse()
	if *side != "" {
		return doOne(*side, *name, *n)
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *quick {
		*rounds = min(*rounds, 3)
	}
	if *rounds < 1 {
		return errors.New("-rounds must be positive")
	}
	dir, err := os.MkdirTemp("", "topos-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	sides, err := prepare(dir)
	if err != nil {
		return err
	}
	fmt.Printf("%d cores, %s; medians of %d interleaved rounds, each in a fresh process\n", runtime.NumCPU(), runtime.Version(), *rounds)
	for _, s := range sides {
		if s.version != "" {
			fmt.Printf("%s %s\n", s.name, s.version)
		}
		if s.err != nil {
			fmt.Printf("%s cannot be measured: %v\n", s.name, s.err)
		}
	}
	fmt.Println()
	var rows []row
	for _, w := range chosen {
		r, err := w.compare(sides, *rounds, *quick)
		if err != nil {
			return err
		}
		rows = append(rows, r)
	}
	print(rows, sides)
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"rows": summaries(rows, sides)})
}

// doOne is the other end: one work on one side, in this fresh process.
func doOne(side, name string, n int) error {
	w, ok := find(name)
	if !ok {
		return fmt.Errorf("unknown work %q", name)
	}
	f := w.topos
	if side == "floor" {
		f = w.floor
	}
	r, err := f(n)
	if err != nil {
		return err
	}
	r.Work = name
	return json.NewEncoder(os.Stdout).Encode(r)
}

// side is one of those compared.
type side struct {
	name    string
	version string
	command []string
	err     error // why it cannot be measured
}

// prepare finds this program and builds the peers into dir.
func prepare(dir string) ([]side, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return nil, fmt.Errorf("compare must be run inside the module: %w", err)
	}
	sides := []side{
		{name: "topos", command: []string{self, "-side", "topos"}},
		{name: "floor", command: []string{self, "-side", "floor"}},
	}
	for _, p := range []struct{ name, module string }{
		{"protoactor", "github.com/asynkron/protoactor-go"},
		{"hollywood", "github.com/anthdm/hollywood"},
	} {
		source := strings.TrimSpace(string(root)) + "/bench/peers/" + p.name
		s := side{name: p.name, command: []string{dir + "/" + p.name}}
		if out, err := exec.Command("go", "build", "-C", source, "-o", s.command[0], ".").CombinedOutput(); err != nil {
			s.err = fmt.Errorf("%w: %s", err, firstLine(out))
		} else if out, err := exec.Command("go", "list", "-C", source, "-m", "-f", "{{.Version}}", p.module).Output(); err == nil {
			s.version = strings.TrimSpace(string(out))
		}
		sides = append(sides, s)
	}
	return sides, nil
}

func firstLine(out []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return line
}
