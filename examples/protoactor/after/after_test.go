package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the test binary serve as the depot, as the program does.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "depot" {
		main()
		return
	}
	os.Exit(m.Run())
}

func TestBulkAndUnknownTypesAreSurvivedByTwoProcesses(t *testing.T) {
	var out strings.Builder
	if err := runOffice(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	want := "2000 parcels sent, 2000 arrived, <nil>\nafter a message of a newer type: 2000, <nil>\n"
	if out.String() != want {
		t.Errorf("the office says\n%swant\n%s", &out, want)
	}
}

func TestTheActorIsTheSameAsBefore(t *testing.T) {
	before, err := os.ReadFile("../before/depot.go")
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile("depot.go")
	if err != nil {
		t.Fatal(err)
	}
	_, old, _ := bytes.Cut(before, []byte("type depot"))
	_, moved, _ := bytes.Cut(after, []byte("type depot"))
	if len(old) == 0 || !bytes.Equal(old, moved) {
		t.Error("the depot's code is not the same before and after")
	}
}

func TestTheApplicationBeforeStillCompiles(t *testing.T) {
	build := exec.Command("go", "build", "-C", "../before", "-o", filepath.Join(t.TempDir(), "before"), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
