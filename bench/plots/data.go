package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// result is what the figures need of a run.
type result struct {
	Nodes       int     `json:"nodes"`
	Directory   bool    `json:"directory"`
	Kill        float64 `json:"kill"`
	Reliability float64 `json:"reliability"`
	Least       float64 `json:"reliability_least"`
	Healed      float64 `json:"reliability_after_healing"`
	Seconds     float64 `json:"cpu_seconds"`
	PeakBytes   float64 `json:"peak_bytes"`
	Stopped     bool    `json:"stopped"`
}

// tables are the data of all figures.
type tables struct{ reliability, floods, published, scale []result }

var errNoRuns = errors.New("there are no complete runs")

func load(dir string) (*tables, error) {
	t := new(tables)
	for name, list := range map[string]*[]result{"reliability": &t.reliability, "floods": &t.floods, "published": &t.published, "scale": &t.scale} {
		file := filepath.Join(dir, name+".jsonl")
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if *list, err = parse(text); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return t, nil
}

// parse reads one result a line. Runs that were stopped show nothing.
func parse(text []byte) ([]result, error) {
	var list []result
	for line := range bytes.Lines(text) {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, err
		}
		if !r.Stopped {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil, errNoRuns
	}
	slices.SortFunc(list, func(a, b result) int { return a.Nodes - b.Nodes })
	return list, nil
}
