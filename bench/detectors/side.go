package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/topos-go/topos/bench/detectors/trial"
)

// side is a failure detector that is measured.
type side struct {
	name     string
	interval time.Duration // from one probe of a node to its next
	measure  func(ctx context.Context, s setting, p trial.Plan) (trial.Result, error)
}

// ours are those of Topos: as live nodes have it, and by itself.
func ours() []side {
	return []side{
		{"topos", period, func(_ context.Context, s setting, p trial.Plan) (trial.Result, error) {
			n := newNetwork(s)
			g, err := newWired(n)
			if err != nil {
				return trial.Result{}, err
			}
			return trial.Measure(p, g, n.book)
		}},
		{"topos, swim alone", period, func(_ context.Context, s setting, p trial.Plan) (trial.Result, error) {
			n := newNetwork(s)
			g, err := newAlone(n)
			if err != nil {
				return trial.Result{}, err
			}
			return trial.Measure(p, g, n.book)
		}},
	}
}

// The module of the peer, and the interval of its default configuration.
const (
	peerModule   = "github.com/hashicorp/memberlist"
	peerInterval = time.Second
)

// peers builds memberlist into dir, and returns it in its default configuration,
// with our interval, and with a suspicion that is as short as ours, too.
func peers(ctx context.Context, dir string) ([]side, error) {
	root, err := output(exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}"))
	if err != nil {
		return nil, fmt.Errorf("detectors must be run inside the module: %w", err)
	}
	source, program := root+"/bench/peers/memberlist", dir+"/memberlist"
	if _, err := output(exec.CommandContext(ctx, "go", "build", "-C", source, "-o", program, ".")); err != nil {
		return nil, fmt.Errorf("memberlist: %w", err)
	}
	version, err := output(exec.CommandContext(ctx, "go", "list", "-C", source, "-m", "-f", "{{.Version}}", peerModule))
	if err != nil {
		return nil, fmt.Errorf("memberlist: %w", err)
	}
	name := "memberlist " + version
	return []side{
		{name, peerInterval, peer(program)},
		{name, period, peer(program, "-interval", period.String())},
		{name + ", short suspicion", period, peer(program, "-interval", period.String(), "-suspicion", "2")},
	}, nil
}

// peer runs the program that measures memberlist, with more flags than the common
// ones.
func peer(program string, more ...string) func(context.Context, setting, trial.Plan) (trial.Result, error) {
	return func(ctx context.Context, s setting, p trial.Plan) (r trial.Result, err error) {
		args := []string{
			"-nodes", strconv.Itoa(p.Nodes), "-trials", strconv.Itoa(p.Trials), "-quiet", p.Quiet.String(),
			"-pause", p.Pause.String(), "-seed", strconv.FormatUint(p.Seed, 10), "-least", s.least.String(), "-most", s.most.String(),
			"-loss", strconv.FormatFloat(s.loss, 'g', -1, 64),
		}
		out, err := output(exec.CommandContext(ctx, program, append(args, more...)...))
		if err != nil {
			return r, err
		}
		return r, json.Unmarshal([]byte(out), &r)
	}
}

// output returns what cmd prints, or says what it complained of.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}
