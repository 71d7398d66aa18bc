package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

const committed = "../../docs/plots"

func TestCommittedFiguresAreThoseOfTheCommittedData(t *testing.T) {
	tables, err := load(committed)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := drawAll(tables, dir); err != nil {
		t.Fatal(err)
	}
	for _, f := range figures(tables) {
		want, err := os.ReadFile(filepath.Join(committed, f.file))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, f.file)); err != nil || string(got) != string(want) {
			t.Errorf("%s is another one: draw it anew with make plots; %v", f.file, err)
		}
	}
}

func TestEveryLineOfAFigureHasPoints(t *testing.T) {
	tables, err := load(committed)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range figures(tables) {
		for _, l := range f.lines {
			if len(l.points) < 2 {
				t.Errorf("%s, %s: %v", f.file, l.name, l.points)
			}
		}
	}
}

func TestRunsThatWereStoppedAreNotDrawn(t *testing.T) {
	list, err := parse([]byte(`{"nodes":30,"cpu_seconds":1}` + "\n" + `{"nodes":20,"stopped":true}` + "\n" + `{"nodes":10}`))
	if err != nil || len(list) != 2 || list[0].Nodes != 10 || list[1].Nodes != 30 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := parse([]byte(`{"nodes":20,"stopped":true}`)); !errors.Is(err, errNoRuns) {
		t.Errorf("nothing is left: %v", err)
	}
	if _, err := parse([]byte("topos: sim: no\n")); err == nil {
		t.Error("what is no result is taken for one")
	}
}

func TestASeriesThatThereIsNotIsSaid(t *testing.T) {
	if err := run(t.Context(), []string{"-measure", "beauty"}, io.Discard); !errors.Is(err, errSeries) {
		t.Errorf("%v", err)
	}
}

// The last line of a run is what is kept, and is read again.
func TestMeasuringKeepsTheLastLineOfEachRun(t *testing.T) {
	t.Chdir("../..")
	file := filepath.Join(t.TempDir(), "some.jsonl")
	some := series{"cmd/topos", []string{"sim -nodes 20 -cycles 1 -broadcasts 2 -kill 0.2", "sim -nodes 10 -directory -cycles 1 -broadcasts 1"}}
	if err := measure(t.Context(), some, file, io.Discard); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list, err := parse(text)
	if err != nil || len(list) != 2 || !list[0].Directory || list[1].Kill != 0.2 || list[1].Healed != 1 || list[1].Seconds <= 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if err := measure(t.Context(), series{"cmd/topos", []string{"sim -nodes 0.5"}}, file, io.Discard); err == nil {
		t.Error("a run that fails is kept")
	}
	paper := series{"bench/dsn2007", []string{"-nodes 50 -cycles 2 -heal 1 -broadcasts 3 -kill 0.4"}}
	if err := measure(t.Context(), paper, file, io.Discard); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	list, err = parse(text)
	if err != nil || len(list) != 1 || list[0].Nodes != 50 || list[0].Kill != 0.4 || list[0].Reliability <= 0 || list[0].Least <= 0 || list[0].Healed <= 0 {
		t.Errorf("%+v, %v", list, err)
	}
}
